"""人员现状. Who may sign now, read from the archive's statements about people; asked at every login.

At run time the stated times stand for the order of the archive: the exact order of its commits is what `qms verify`
goes by, and it would cost a walk through all of history at every command.
"""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING

from controller.domain.certificate_standing import short
from controller.domain.errors import QmsError
from controller.domain.identifiers import Digest
from controller.domain.statement import AUTHORITY
from controller.domain.text import T, Text
from controller.domain.trust import TrustHistory, trust
from controller.domain.trust_events import TrustEvent, WitnessSignature
from controller.file_formats import canonical_json
from controller.file_formats.certificate_file import issued_by, read_certificate, to_der
from controller.file_formats.signature_file import check_signature
from controller.file_formats.signing_rules_file import SIGNING_FILE, read_signing_rules
from controller.file_formats.statement_file import decode_statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from controller.domain.certificate_standing import Standing
    from controller.domain.signature import CertificateFacts, CheckedSignature
    from controller.domain.signing_rules import SigningRules
    from controller.domain.statement import Statement
    from controller.domain.trust import OpenEnrolment
    from controller.services.archive_ports import Archive
    from controller.services.ports import Clock

CERTIFICATES = "certificates"
SITE_FILE = "site.json"
_ALWAYS = sys.maxsize


def certificate_path(certificate: Digest) -> str:
    """Return where a certificate lies in the archive."""
    return f"{CERTIFICATES}/{certificate.hex}.pem"


class PeopleStanding:
    """人员现状. Reads the chains of people and of the authority once for each state of the archive."""

    def __init__(
        self,
        archive: Archive,
        clock: Clock,
        rules: SigningRules,
        versions: Callable[[], Sequence[tuple[int, bytes]]] | None = None,
    ) -> None:
        """`versions` gives every version of the signing rules on `main`: seconds since 1970, bytes of the file."""
        self._archive = archive
        self._clock = clock
        self._rules = rules
        self._versions = versions
        self._read: tuple[str | None, TrustHistory] | None = None

    def history(self) -> TrustHistory:
        """Return who could sign when, as of the newest commit of the archive."""
        tip = self._archive.tip()
        if self._read is None or self._read[0] != tip:
            self._read = (tip, self._fold())
        return self._read[1]

    def standing_now(self, certificate: Digest) -> Standing:
        """Return whether signatures with `certificate` count now."""
        return self.history().standing(certificate, order=_ALWAYS, at=self._clock.now())

    def problem(self, person: str, certificate: Digest) -> Text | None:
        """Return why the person cannot sign with `certificate` now, None when they can."""
        standing = self.standing_now(certificate)
        if standing.why is not None:
            missing = self.history().missing_witnesses(person)
            if standing.code == "certificate-not-enrolled" and missing:
                return T("还差 {count} 位见证人", count=missing)
            return standing.why
        if standing.person != person:
            return T("证书 {certificate} 是{name}的", certificate=short(certificate), name=standing.name)
        return None

    def open_enrolments(self) -> list[OpenEnrolment]:
        """Return the enrolments that still need witnesses."""
        return self.history().open_enrolments()

    def certificate(self, certificate: Digest) -> tuple[bytes, CertificateFacts] | None:
        """Return a certificate of the archive (DER) with what it says, None when it is not there or unreadable."""
        data = self._archive.read(certificate_path(certificate))
        found = _certificate(data) if data is not None else None
        return found if found is not None and found[1].digest == certificate else None

    def _fold(self) -> TrustHistory:
        facts: dict[Digest, CertificateFacts] = {}
        encoded: dict[Digest, bytes] = {}
        for _, data in self._archive.walk(CERTIFICATES):
            found = _certificate(data)
            if found is not None:
                encoded[found[1].digest], facts[found[1].digest] = found

        def issued(certificate: Digest, issuer: Digest) -> bool:
            return certificate in encoded and issuer in encoded and issued_by(encoded[certificate], encoded[issuer])

        return trust(self._events(), facts, self._rules_in_time(), issued=issued, root=self._root())

    def _rules_in_time(self) -> SigningRules | list[tuple[int, SigningRules]]:
        versions = self._versions() if self._versions is not None else ()
        if len(versions) < 2:  # noqa: PLR2004 - with one version there was never a change
            return self._rules
        read = [(at, rules) for at, data in versions if (rules := _rules(data)) is not None]
        return read or self._rules

    def _root(self) -> Digest | None:
        data = self._archive.read(SITE_FILE)
        try:
            site = canonical_json.decode(data, where=SITE_FILE) if data is not None else None
            root = site.get("root") if isinstance(site, dict) else None
            return Digest(root) if isinstance(root, str) else None
        except QmsError:
            return None

    def _events(self) -> Iterator[TrustEvent]:
        for chain in (AUTHORITY, "people"):
            files = dict(self._archive.walk(chain))
            for path, data in files.items():
                if path.endswith(".json"):
                    event = _event(path, data, files)
                    if event is not None:
                        yield event


def _event(path: str, data: bytes, files: Mapping[str, bytes]) -> TrustEvent | None:
    try:
        statement = decode_statement(data, where=path)
    except QmsError:
        return None
    stem = path.removesuffix(".json")
    witnesses = []
    for beside, p7s in files.items():
        if beside.startswith(f"{stem}.") and beside.endswith(".p7s") and beside != f"{stem}.p7s":
            checked = _checked(p7s, data)
            if checked is not None:
                person = beside.removeprefix(f"{stem}.").removesuffix(".p7s")
                witnesses.append(WitnessSignature(person, checked, beside, _seconds(checked.signed_at)))
    own = files.get(f"{stem}.p7s")
    signature = _checked(own, data) if own is not None else None
    return TrustEvent(statement, Digest.of(data), path, _stated(statement), signature, tuple(witnesses))


def _stated(statement: Statement) -> int:
    return _seconds(datetime.fromisoformat(statement.at))


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _checked(p7s: bytes, data: bytes) -> CheckedSignature | None:
    try:
        return check_signature(p7s, data)
    except QmsError:
        return None


def _certificate(data: bytes) -> tuple[bytes, CertificateFacts] | None:
    try:
        return to_der(data), read_certificate(data)
    except QmsError:
        return None


def _rules(data: bytes) -> SigningRules | None:
    try:
        return read_signing_rules(data.decode("utf-8"), where=SIGNING_FILE)
    except (QmsError, UnicodeDecodeError):
        return None
