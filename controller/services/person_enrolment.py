"""证书登记. Gives a person a key and a certificate, has others witness it, and takes it back (21 CFR 11.100).

The person chooses the passphrase at the own computer; the authority's keeper gives the authority's. What counts is
neither: it is the enrolment that the new key itself signs and that witnesses sign after looking at the person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.errors import NotFoundError, RefusedError
from controller.domain.identifiers import Digest
from controller.domain.passphrase import check_passphrase
from controller.domain.people_statement import enrolled_wire
from controller.domain.person import Person
from controller.domain.statement import Event
from controller.domain.text import T
from controller.file_formats.certificate_file import issued_by, read_certificate, to_pem
from controller.services.key_signing import KeySigner
from controller.services.people_standing import certificate_path
from controller.services.person_control import check_holder, check_reason
from controller.services.staff_directory import PersonRetiredError
from controller.services.statement_filing import StatementDraft

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from controller.domain.person import Staff
    from controller.domain.record import Wire
    from controller.domain.signature import Origin, SigningKey
    from controller.domain.signing_rules import SigningRules
    from controller.domain.text import Text
    from controller.domain.trust import OpenEnrolment, TrustedPerson
    from controller.services.people_standing import PeopleStanding
    from controller.services.person_control import PersonControl
    from controller.services.ports import Clock
    from controller.services.signing_ports import AuthorityKey, PersonalKeys, Signer
    from controller.services.statement_filing import FiledStatement, StatementFiling
    from controller.services.workspace_identity import WorkspaceIdentity

WITNESSING = "见证"
"""Meaning of a witness's signature."""


class AcknowledgementNeededError(RefusedError):
    """须本人同意. Without the person's own acknowledgement no certificate is issued (21 CFR 11.10 j)."""

    code = "acknowledgement-needed"

    def __init__(self, *, name: str) -> None:
        super().__init__(
            T("{name}没有同意对自己的电子签名负责，没有发放证书。", name=name),
            hint=T("请本人阅读后回答“是”；无人值守时由本人确认后加 --acknowledged。"),
        )


class NothingToConfirmError(NotFoundError):
    """没有待见证的登记."""

    code = "nothing-to-confirm"

    def __init__(self, *, name: str) -> None:
        super().__init__(T("{name}没有待见证的证书登记。", name=name), hint=T("用 qms person list 查看谁还缺见证人。"))


class OwnEnrolmentError(RefusedError):
    """不能为本人作见证."""

    code = "own-enrolment"
    unauthorised = True

    def __init__(self, *, name: str) -> None:
        super().__init__(
            T("{name}不能为自己的证书作见证。", name=name), hint=T("请另外两位有见证岗位的人员各自登录后确认。")
        )


class AlreadyWitnessedError(RefusedError):
    """已经作过见证."""

    code = "already-witnessed"

    def __init__(self, *, name: str, by: str) -> None:
        super().__init__(
            T("{by}已经为{name}的证书作过见证。", by=by, name=name), hint=T("还缺的见证人须是另一位人员。")
        )


class WitnessPostsAlikeError(RefusedError):
    """两位见证人只有同一岗位."""

    code = "witness-posts-alike"

    def __init__(self, *, name: str, by: str) -> None:
        super().__init__(
            T("{by}与先前的见证人只有同一个见证岗位，这样{name}的证书不会生效。", by=by, name=name),
            hint=T("请另一个岗位的人员作见证。"),
        )


class NoCertificateError(NotFoundError):
    """没有可吊销的证书."""

    code = "person-without-certificate"

    def __init__(self, *, name: str) -> None:
        super().__init__(T("{name}现在没有证书。", name=name), hint=T("用 qms person certify 发放证书。"))


class OutsideCertificateError(RefusedError):
    """外部证书不能登记. Its enrolment would not count."""

    code = "outside-certificate-refused"

    def __init__(self, *, problem: Text) -> None:
        super().__init__(
            T("外部机构的证书不能登记：{problem}。", problem=problem),
            hint=T("请从发证机构导出含完整证书链的 .pfx 或 .p12 文件；姓名须与登记的一致。"),
        )


@dataclass(frozen=True)
class Enrolled:
    """登记结果. The new certificate, and how many witnesses it still needs before it counts."""

    person: TrustedPerson
    certificate: Digest
    missing: int
    possible: Sequence[str]
    """Names of who could witness."""
    filed: FiledStatement


class PersonEnrolment:
    """证书登记. Keys and certificates of people."""

    def __init__(
        self,
        *,
        people: PersonControl,
        statements: StatementFiling,
        standing: PeopleStanding,
        staff: Staff,
        rules: SigningRules,
        keys: PersonalKeys,
        authority: AuthorityKey,
        clock: Clock,
        identity: WorkspaceIdentity,
        origin: Callable[[str], Origin],
    ) -> None:
        self._people = people
        self._statements = statements
        self._standing = standing
        self._staff = staff
        self._rules = rules
        self._keys = keys
        self._authority = authority
        self._clock = clock
        self._identity = identity
        self._origin = origin

    def certify(
        self, wanted: str, *, passphrase: str, authority_passphrase: str, reason: str, acknowledged: bool
    ) -> Enrolled:
        """Make a new key and certificate for the person and enrol it; an older certificate counts until then.

        Raises:
            UnknownPersonError, PersonRetiredError: the person cannot have one.
            AcknowledgementNeededError, ReasonNeededError, PassphraseTooWeakError: nothing was made.
            AuthorityKeyMissingError, PassphraseWrongError: the authority's key is not here or did not open.
        """
        known = self._ready(wanted, passphrase, reason, acknowledged=acknowledged)

        def issue(public_key: bytes) -> Sequence[bytes]:
            return self._authority.issue(
                public_key,
                person=known.id,
                name=known.name,
                company=self._identity.company,
                workspace=self._identity.id,
                passphrase=authority_passphrase,
                at=self._clock.now(),
                years=self._rules.certificate_years,
            )

        waits = self._waits(known)
        key = self._keys.make(known.id, passphrase=passphrase, issue=issue, at=self._clock.now(), pending=waits)
        return self._enrol(known, key, reason, issuers=(), waits=waits)

    def take_in(
        self,
        wanted: str,
        data: bytes,
        *,
        its_passphrase: str,
        passphrase: str,
        reason: str,
        acknowledged: bool,
    ) -> Enrolled:
        """Enrol the certificate of an outside authority that the person brings as PKCS#12 (电子签名法 16).

        Raises:
            OutsideKeyRefusedError, KeyUnsupportedError: the file holds no key that can sign here.
            OutsideCertificateError: it is another person's, or comes without its issuer.
            PassphraseWrongError: `its_passphrase` does not open it.
        """
        known = self._ready(wanted, passphrase, reason, acknowledged=acknowledged)
        certificate, *above = self._keys.outside_certificates(data, its_passphrase=its_passphrase)
        self._check_outside(known, certificate, above)
        waits = self._waits(known)
        key = self._keys.take_in(
            known.id,
            data,
            its_passphrase=its_passphrase,
            passphrase=passphrase,
            at=self._clock.now(),
            pending=waits,
        )
        return self._enrol(known, key, reason, issuers=key.issuers, waits=waits)

    def confirm(self, by: Signer, wanted: str) -> Enrolled:
        """Witness the person's open enrolment; it counts as soon as enough witnesses have signed.

        Raises:
            NothingToConfirmError: there is none.
            PostNeededError, OwnEnrolmentError, AlreadyWitnessedError, WitnessPostsAlikeError: who acts may not.
        """
        known = self._people.known(wanted)
        waiting = self._waiting(known)
        if known.id == by.signatory.person:
            raise OwnEnrolmentError(name=known.name)
        if by.signatory.person in waiting.witnesses:
            raise AlreadyWitnessedError(name=known.name, by=by.signatory.name)
        act = T("见证证书登记")
        held = check_holder(self._staff, self._standing, by, self._rules.witness_posts, act, self._clock)
        self._check_apart(known, waiting, by, held)
        by.ready(WITNESSING)
        filed = self._statements.countersign(f"people/{known.id}", waiting.sequence, by)
        self._keys.pending()  # takes the key into use that counts by now
        return self._result(known, waiting.certificate, filed)

    def revoke(self, by: Signer, wanted: str, *, reason: str) -> FiledStatement:
        """Take back the person's certificate, that which counts or else the open one; by them or a witness's post.

        Raises:
            NoCertificateError: there is none.
            PostNeededError: who acts may not.
            ReasonNeededError: no reason was given.
        """
        known = self._people.known(wanted)
        opened = next((item for item in self._standing.open_enrolments() if item.person == known.id), None)
        certificate = known.certificate or (opened.certificate if opened is not None else None)
        if certificate is None:
            raise NoCertificateError(name=known.name)
        return self._take_back(by, known, certificate, reason, T("吊销证书"))

    def withdraw(self, by: Signer, wanted: str, *, reason: str) -> FiledStatement:
        """Take back the person's open enrolment; the certificate that counts goes on counting.

        Raises:
            NothingToConfirmError: there is none.
            PostNeededError, ReasonNeededError: as `revoke`.
        """
        known = self._people.known(wanted)
        return self._take_back(by, known, self._waiting(known).certificate, reason, T("撤回证书申请"))

    def _take_back(
        self, by: Signer, known: TrustedPerson, certificate: Digest, reason: str, act: Text
    ) -> FiledStatement:
        if known.id != by.signatory.person:
            check_holder(self._staff, self._standing, by, self._rules.witness_posts, act, self._clock)
        why = check_reason(reason, act)
        by.ready("")
        new: dict[str, Wire] = {"certificate": certificate.text, "reason": why}
        draft = StatementDraft(f"people/{known.id}", Event.PERSON_REVOKED, subject=known.id, reason=why, new=new)
        filed = self._statements.file(draft, by)
        held = next((item for item in self._keys.held() if item.person == known.id), None)
        if held is not None and Digest.of(held.certificate) == certificate:
            self._keys.put_away(known.id)
        self._keys.pending()  # sets the key aside that will never count
        return filed

    def _waits(self, known: TrustedPerson) -> bool:
        """Tell whether the person's key on this computer counts, so that a new one must wait beside it."""
        held = next((item for item in self._keys.held() if item.person == known.id), None)
        return held is not None and Digest.of(held.certificate) == known.certificate

    def _ready(self, wanted: str, passphrase: str, reason: str, *, acknowledged: bool) -> TrustedPerson:
        known = self._people.known(wanted)
        if not known.active:
            raise PersonRetiredError(name=known.name)
        check_reason(reason, T("发放证书"))
        if not acknowledged:
            raise AcknowledgementNeededError(name=known.name)
        check_passphrase(passphrase, rules=self._rules, person=known.id, name=known.name)
        return known

    @staticmethod
    def _check_outside(known: TrustedPerson, certificate: bytes, above: Sequence[bytes]) -> None:
        facts = read_certificate(certificate)
        if facts.name not in {"", known.name}:
            problem = T("证书写的是“{other}”，不是{name}", other=facts.name, name=known.name)
            raise OutsideCertificateError(problem=problem)
        if not any(issued_by(certificate, issuer) for issuer in above):
            raise OutsideCertificateError(problem=T("文件里没有签发机构的证书"))

    def _enrol(
        self, known: TrustedPerson, key: SigningKey, reason: str, *, issuers: Sequence[bytes], waits: bool
    ) -> Enrolled:
        today = self._clock.now().date()
        person = Person(known.id, known.name, [item.post for item in known.posts if item.on(today)])
        certificate = Digest.of(key.certificate)
        along = {certificate_path(Digest.of(der)): to_pem(der) for der in (key.certificate, *issuers)}
        new: dict[str, Wire] = {
            **enrolled_wire(certificate, replaces=known.certificate),
            "reason": reason.strip(),
        }
        if issuers:
            new["issuers"] = [Digest.of(der).text for der in issuers]
        draft = StatementDraft(
            f"people/{known.id}", Event.PERSON_ENROLLED, subject=known.id, reason=reason.strip(), new=new
        )
        signer = KeySigner(self._staff.signatory(person), self._origin(""), key)
        try:
            filed = self._statements.file(draft, signer, along=along)
        except BaseException:
            # Without its enrolment the new key is worth nothing, and the one before would be missed.
            if waits:
                self._keys.drop_pending(known.id)
            else:
                self._keys.use_again(known.id, known.certificate)
            raise
        return self._result(known, certificate, filed)

    def _waiting(self, known: TrustedPerson) -> OpenEnrolment:
        found = next((item for item in self._standing.open_enrolments() if item.person == known.id), None)
        if found is None:
            raise NothingToConfirmError(name=known.name)
        return found

    def _check_apart(self, known: TrustedPerson, waiting: OpenEnrolment, by: Signer, held: frozenset[str]) -> None:
        if len(waiting.witnesses) + 1 < waiting.needed:
            return
        every = held.union(*(self._posts(person) for person in waiting.witnesses))
        others = self._standing.history().witnesses_for(known.id, self._rules.witness_posts, at=self._clock.now())
        if waiting.witnesses and len(every) == 1 and any(self._posts(person) != every for person in others):
            raise WitnessPostsAlikeError(name=known.name, by=by.signatory.name)

    def _posts(self, person: str) -> frozenset[str]:
        known = self._standing.history().person(person)
        today = self._clock.now().date()
        held = known.posts if known else ()
        return frozenset(item.post for item in held if item.post in self._rules.witness_posts and item.on(today))

    def _result(self, known: TrustedPerson, certificate: Digest, filed: FiledStatement) -> Enrolled:
        history = self._standing.history()
        missing = history.missing_witnesses(known.id)
        possible = []
        if missing:
            have = next((item.witnesses for item in history.open_enrolments() if item.person == known.id), ())
            able = history.witnesses_for(known.id, self._rules.witness_posts, at=self._clock.now())
            people = {item.id: item.name for item in history.people()}
            possible = [people[person] for person in able if person not in have]
        return Enrolled(self._people.known(known.id), certificate, missing, possible, filed)
