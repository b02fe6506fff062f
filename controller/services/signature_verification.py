"""签名验证. Judges one signature: intact, valid, trusted and timely (21 CFR 11.50, 11.70).

Each of the four is a finding of its own, because they mean different things: *intact* says that the bytes are what was
signed, *valid* that the certificate was in its time, *trusted* that it counted for that person when the signature was
filed, *timely* that the stated time is that of the commit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import QmsError
from controller.domain.text import T
from controller.file_formats.signature_file import check_signature

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller.domain.certificate_standing import Standing
    from controller.domain.identifiers import Digest
    from controller.domain.record import Signatory
    from controller.domain.signature import CheckedSignature
    from controller.domain.text import Text
    from controller.services.commit_order import CommitOrder

SIGNED = ".p7s"


class Trust(Protocol):
    """信任. Who held which counting certificate when (`services.people_verification.SignerHistory`)."""

    def standing(self, certificate: Digest, *, order: int, at: datetime) -> Standing:
        """Return whether signatures with `certificate` count that were filed at `order` and made at `at`."""
        ...

    def name_of(self, person: str) -> str | None:
        """Return the full name a person is registered with, None when unknown."""
        ...

    def posts_of(self, person: str, *, order: int, at: datetime) -> frozenset[str] | None:
        """Return the names of the posts the person held then, None when unknown."""
        ...

    def post_name(self, post: str) -> str:
        """Return the name of the post with this key, or the key where none is known."""
        ...


@dataclass(frozen=True)
class SignedThing:
    """有签名的内容. An entry or statement with what it says about its signer."""

    path: str
    """Archive path with `.json`."""
    data: bytes
    by: Signatory
    certificate: Digest
    at: str
    subject: str | None = None


class SignatureVerification:
    """签名验证. Knows who could sign when, and when everything was filed."""

    def __init__(self, trust: Trust, order: CommitOrder) -> None:
        self._trust = trust
        self._order = order
        self.checked = 0
        """Signatures looked at so far."""

    def findings(self, thing: SignedThing, signature: bytes | None) -> Iterator[Finding]:
        """Yield what is wrong with the signature beside an entry or statement; None: there is none."""
        report = _Report(thing, self._order)
        if signature is None:
            yield report("signature-missing", T("没有签名。"))
            yield from self.filed_when_stated(thing)
            return
        self.checked += 1
        try:
            checked = check_signature(signature, thing.data, where=report.path)
        except QmsError as exc:
            yield report("signature-unreadable", exc.message)
            yield from self.filed_when_stated(thing)
            return
        yield from self.judged(thing, checked)

    def judged(self, thing: SignedThing, checked: CheckedSignature, *, standing: bool = True) -> Iterator[Finding]:
        """Yield what is wrong with a signature whose cryptography is already checked.

        Without `standing`, whether the certificate counted is left to `domain.trust`: what establishes it is signed
        with certificates that do not count yet.
        """
        report = _Report(thing, self._order)
        if not checked.intact:
            yield report("signature-not-intact", T("签名与内容不符：内容或签名被改动过。"))
        if checked.certificate != thing.certificate:
            message = T("签名所用的证书不是内容写明的那一张。")
            yield report("signature-wrong-certificate", message)
        if checked.signed_at != datetime.fromisoformat(thing.at):
            message = T("签名时间 {signed} 与写明的时间 {stated} 不同。", signed=_iso(checked, thing), stated=thing.at)
            yield report("signature-time-differs", message)
        yield from self.filed_when_stated(thing)
        if standing:
            yield from self._trusted(report, thing, checked)

    def filed_when_stated(self, thing: SignedThing) -> Iterator[Finding]:
        """Yield a finding when the stated time is not that of the commit."""
        yield from self.unsigned_time(thing.path, thing.at, thing.subject)

    def unsigned_time(self, path: str, at: str, subject: str | None = None) -> Iterator[Finding]:
        """The same for what nobody signed."""
        order = self._order.of(path)
        if order is None or int(datetime.fromisoformat(at).timestamp()) == self._order.seconds(order):
            return
        since = self._order.moment(order)
        message = T("写明的时间 {stated} 与归档时间 {filed} 不同。", stated=at, filed=since)
        yield Finding("time-differs-from-commit", Gravity.ERROR, message, path=path, subject=subject, since=since)

    def witness_time(self, thing: SignedThing, checked: CheckedSignature, path: str) -> Iterator[Finding]:
        """Yield a finding when a witness's signing time is not that of the commit which added it at `path`."""
        order = self._order.of(path)
        if order is not None and int(checked.signed_at.timestamp()) != self._order.seconds(order):
            since = self._order.moment(order)
            message = T("签名时间 {signed} 与归档时间 {filed} 不同。", signed=_iso(checked, thing), filed=since)
            yield Finding(
                "signature-time-differs", Gravity.ERROR, message, path=path, subject=thing.subject, since=since
            )

    def countersigned(self, thing: SignedThing, person: str, checked: CheckedSignature, path: str) -> Iterator[Finding]:
        """Yield what is wrong with the signature of a second person under a statement, which lies at `path`."""
        order = self._order.of(path)
        since = self._order.since(path)

        def report(code: str, message: Text) -> Finding:
            return Finding(code, Gravity.ERROR, message, path=path, subject=thing.subject, since=since)

        if not checked.intact:
            yield report("signature-not-intact", T("签名与内容不符：内容或签名被改动过。"))
        if person == thing.by.person:
            yield report("countersigned-by-same-person", T("两个签名是同一人的，须由两人签名。"))
        if order is None:
            return  # history is unreadable, which is told
        standing = self._trust.standing(checked.certificate, order=order, at=checked.signed_at)
        if not standing.trusted:
            yield report(standing.code, _why(standing))
        if standing.person and standing.person != person:
            message = T("内容写明由 {stated} 签名，证书却属于 {found}。", stated=person, found=standing.person)
            yield report("signature-of-another-person", message)

    def _trusted(self, report: _Report, thing: SignedThing, checked: CheckedSignature) -> Iterator[Finding]:
        order = self._order.of(thing.path)
        if order is None:
            return  # history is unreadable, which is told: without order nobody can say who counted
        at = datetime.fromisoformat(thing.at)
        standing = self._trust.standing(checked.certificate, order=order, at=at)
        if not standing.trusted:
            yield report(standing.code, _why(standing))
        if standing.person and standing.person != thing.by.person:
            message = T("内容写明由 {stated} 签名，证书却属于 {found}。", stated=thing.by.person, found=standing.person)
            yield report("signature-of-another-person", message)
            return
        yield from self._named(report, thing, order, at)

    def _named(self, report: _Report, thing: SignedThing, order: int, at: datetime) -> Iterator[Finding]:
        name = self._trust.name_of(thing.by.person)
        if name is not None and name != thing.by.name:
            message = T(
                "写明的姓名“{stated}”不是 {person} 登记的姓名“{name}”。",
                stated=thing.by.name,
                person=thing.by.person,
                name=name,
            )
            yield report("name-differs", message)
        posts = self._trust.posts_of(thing.by.person, order=order, at=at)
        if posts is not None and thing.by.post not in posts:
            message = T("写明的岗位“{post}”不是 {person} 当时的岗位。", post=thing.by.post, person=thing.by.person)
            yield report("post-differs", message)


def _why(standing: Standing) -> Text:
    return T("签名不被承认：{why}。", why=standing.why or T("证书没有登记"))


def _iso(checked: CheckedSignature, thing: SignedThing) -> str:
    return checked.signed_at.astimezone(datetime.fromisoformat(thing.at).tzinfo).isoformat()


class _Report:
    def __init__(self, thing: SignedThing, order: CommitOrder) -> None:
        self.path = thing.path.removesuffix(".json") + SIGNED
        self._thing = thing
        self._order = order

    def __call__(self, code: str, message: Text) -> Finding:
        since = self._order.since(self._thing.path)
        return Finding(code, Gravity.ERROR, message, path=self.path, subject=self._thing.subject, since=since)
