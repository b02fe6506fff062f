"""人员验证. Builds who could sign when from the archive, and compares it with the library (21 CFR 11.100).

The judgement itself is `domain.trust`; here are the certificates in their files, the root in all its places, and the
posts that people held.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import QmsError
from controller.domain.signing_rules import SigningRules
from controller.domain.statement import Event
from controller.domain.text import T
from controller.domain.trust import TrustHistory, trust
from controller.domain.trust_events import PEOPLE as PEOPLE_CHAINS
from controller.domain.trust_events import TrustEvent, WitnessSignature, posts_stated
from controller.file_formats.certificate_file import issued_by, read_certificate, to_der, to_pem
from controller.file_formats.signing_rules_file import SIGNING_FILE, read_signing_rules
from controller.file_formats.staff_file import read_staff

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from controller.domain.certificate_standing import Standing
    from controller.domain.identifiers import Digest
    from controller.domain.person import PostHeld
    from controller.domain.signature import CertificateFacts
    from controller.domain.text import Text
    from controller.services.commit_order import CommitOrder
    from controller.services.examination_ports import HeldStatement

CERTIFICATES = "certificates"
ROOT_FILE = "signatures/ca/ca.pem"
POSTS_FILE, PEOPLE_FILE = "signatures/posts.yml", "signatures/people.yml"


@dataclass
class CertificateFiles:
    """档案中的证书. Every certificate of the archive."""

    facts: dict[Digest, CertificateFacts] = field(default_factory=dict)
    der: dict[Digest, bytes] = field(default_factory=dict)

    def read(self, files: Iterable[tuple[str, bytes]], order: CommitOrder) -> Iterator[Finding]:
        """Take the files of folder `certificates`; yield what is wrong with them."""
        for path, data in files:

            def wrong(code: str, message: Text, path: str = path) -> Finding:
                return Finding(code, Gravity.ERROR, message, path=path, since=order.since(path))

            name = path.removeprefix(f"{CERTIFICATES}/")
            try:
                facts = read_certificate(data, where=path)
                der = data if data[:1] == b"0" else to_der(data)
            except QmsError as exc:
                yield wrong("certificate-unreadable", exc.message)
                continue
            if name != f"{facts.digest.hex}.pem":
                yield wrong("certificate-misnamed", T("证书文件的名称不是它的指纹 {digest}。", digest=facts.digest.hex))
                continue
            if data != to_pem(der):
                yield wrong("certificate-rewritten", T("证书文件不是按写入时的样子保存的：被改动过。"))
            self.facts[facts.digest] = facts
            self.der[facts.digest] = der

    def issued(self, certificate: Digest, issuer: Digest) -> bool:
        """Tell whether one certificate was really issued by the other."""
        if certificate not in self.der or issuer not in self.der:
            return False
        try:
            return issued_by(self.der[certificate], self.der[issuer])
        except QmsError:
            return False


@dataclass(frozen=True)
class SignerHistory:
    """签名人的历史. Who could sign when, under which name and in which posts; plain data for every process."""

    history: TrustHistory
    posts: Mapping[str, Sequence[tuple[int, tuple[PostHeld, ...]]]]
    """Person → from which place in the archive's order on which posts."""
    labels: Mapping[str, frozenset[str]]
    """Key of a post → every name it ever had."""

    def standing(self, certificate: Digest, *, order: int, at: datetime) -> Standing:
        """Return whether signatures with `certificate` count that were filed at `order` and made at `at`."""
        return self.history.standing(certificate, order=order, at=at)

    def name_of(self, person: str) -> str | None:
        """Return the full name a person is registered with, None when unknown."""
        known = self.history.person(person)
        return known.name if known else None

    def post_name(self, post: str) -> str:
        """Return the name of the post with this key, the newest where it was renamed, or the key."""
        return next(iter(sorted(self.labels.get(post, frozenset()))), post)

    def posts_of(self, person: str, *, order: int, at: datetime) -> frozenset[str] | None:
        """Return the names (and keys) of the posts the person held then, None when that is not known."""
        held: tuple[PostHeld, ...] | None = None
        for since, posts in self.posts.get(person, ()):
            if since <= order:
                held = posts
        if held is None or not self.labels:
            return None
        day = at.date()
        keys = [item.post for item in held if item.on(day)]
        return frozenset(keys).union(*(self.labels.get(key, frozenset()) for key in keys))


class PeopleVerification:
    """人员验证. Builds the history of signers, and compares."""

    def __init__(self, certificates: CertificateFiles, held: Sequence[HeldStatement], root: Digest | None) -> None:
        self._certificates = certificates
        self._held = held
        self._root = root

    def signers(self, rules: Sequence[tuple[int, bytes]], posts_files: Sequence[bytes], people: bytes) -> SignerHistory:
        """Return who could sign when.

        `rules` are the versions of `signatures/signing.yml` that were in force, each with the place from which on;
        `posts_files` every version of `signatures/posts.yml`.
        """
        read = [(order, found) for order, data in rules if (found := _rules(data)) is not None]
        history = trust(
            [_event(item) for item in self._held if item.order is not None],
            self._certificates.facts,
            read or SigningRules(),
            issued=self._certificates.issued,
            root=self._root,
        )
        labels: dict[str, set[str]] = {}
        for data in posts_files:
            for key, name in _labels(data, people):
                labels.setdefault(key, set()).add(name)
        return SignerHistory(history, self._posts(), {key: frozenset(names) for key, names in labels.items()})

    def _posts(self) -> dict[str, list[tuple[int, tuple[PostHeld, ...]]]]:
        found: dict[str, list[tuple[int, tuple[PostHeld, ...]]]] = {}
        for item in self._held:
            statement = item.statement
            if item.order is None or statement.event not in {Event.PERSON_REGISTERED, Event.PERSON_POSTS_CHANGED}:
                continue
            posts = posts_stated(statement.new)
            if posts is not None and statement.chain.startswith(PEOPLE_CHAINS):
                found.setdefault(statement.chain.removeprefix(PEOPLE_CHAINS), []).append((item.order, posts))
        for periods in found.values():
            periods.sort(key=lambda item: item[0])
        return found

    def root_findings(self, signers: SignerHistory, ca: bytes | None, pinned: Digest | None) -> Iterator[Finding]:
        """Yield where the root is not the same everywhere: site.json, authority, ca.pem, this computer's memory."""
        roots = signers.history.roots
        if not roots:
            yield _root_wrong(T("档案中没有企业证书机构的创立陈述。"), "authority")
        elif self._root != roots[0]:
            yield _root_wrong(T("site.json 写明的根证书不是企业证书机构创立时的那一张。"), "site.json")
        for root in roots:
            if root not in self._certificates.facts:
                yield _root_wrong(T("根证书 {root} 不在档案中。", root=root.hex), f"{CERTIFICATES}/{root.hex}.pem")
        try:
            on_main = read_certificate(ca, where=ROOT_FILE).digest if ca is not None else None
        except QmsError as exc:
            yield _root_wrong(exc.message, ROOT_FILE)
        else:
            if on_main is None:
                yield _root_wrong(T("受控文件中没有根证书。"), ROOT_FILE)
            elif roots and on_main != roots[-1]:
                yield _root_wrong(T("受控文件中的根证书不是档案中有效的那一张。"), ROOT_FILE)
        if pinned is not None and pinned not in roots:
            message = T("根证书被更换：本机记得的是 {pinned}，档案中从来没有过它。", pinned=pinned.hex)
            hint = T("与封存的指纹单核对；不符时，档案是用另一套密钥重新签出来的，请从备份恢复并追查。")
            yield Finding("root-replaced", Gravity.ERROR, message, path="site.json", hint=hint)

    @staticmethod
    def list_findings(signers: SignerHistory, posts: bytes, people: bytes) -> Iterator[Finding]:
        """Yield where `signatures/people.yml` is not what the chains say."""
        try:
            reading = read_staff(
                posts.decode("utf-8"), people.decode("utf-8"), posts_where=POSTS_FILE, people_where=PEOPLE_FILE
            )
        except (QmsError, UnicodeDecodeError) as exc:
            problem: object = exc.message if isinstance(exc, QmsError) else T("不是 UTF-8 文字")
            message = T("人员名单读不出来：{problem}", problem=problem)
            yield Finding("people-file-differs", Gravity.ERROR, message, path=PEOPLE_FILE)
            return
        yield from signers.history.differences(reading.staff, path=PEOPLE_FILE)


def _event(held: HeldStatement) -> TrustEvent:
    assert held.order is not None
    stem = held.path.removesuffix(".json")
    witnesses = [
        WitnessSignature(person, signature, f"{stem}.{person}.p7s", held.witness_orders.get(person, held.order))
        for person, signature in held.witnesses.items()
    ]
    return TrustEvent(held.statement, held.digest, held.path, held.order, held.signature, tuple(witnesses))


def _rules(data: bytes) -> SigningRules | None:
    try:
        return read_signing_rules(data.decode("utf-8"), where=SIGNING_FILE)
    except (QmsError, UnicodeDecodeError):
        return None


def _labels(posts: bytes, people: bytes) -> list[tuple[str, str]]:
    try:
        reading = read_staff(posts.decode("utf-8"), people.decode("utf-8"))
    except (QmsError, UnicodeDecodeError):
        return []
    return [(key, post.name) for key, post in reading.staff.posts.items()]


def _root_wrong(message: Text, path: str) -> Finding:
    hint = T("与封存的指纹单核对，并从备份恢复。")
    return Finding("root-differs", Gravity.ERROR, message, path=path, hint=hint)
