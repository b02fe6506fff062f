"""登录与签名. Unlocking one's own key opens a sitting; every later act is done and signed by that person.

Failed attempts are counted, delayed, locked and written to the trail before the answer is given (21 CFR 11.300 d).
Names are never typed into an act: they come from the person file by the id of who is signed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from controller.domain.errors import QmsError, RefusedError
from controller.domain.identifiers import Digest
from controller.domain.passphrase import (
    PassphraseTooWeakError,
    attempt_delay,
    check_passphrase,
    locked_until,
    normalised,
    passphrase_expired,
)
from controller.domain.personal_key import PassphraseWrongError
from controller.domain.signature import SENSITIVE_MEANINGS
from controller.domain.signing_rules import Profile
from controller.domain.statement import TRAIL, Event
from controller.domain.text import T, Text
from controller.services.key_signing import KeySigner
from controller.services.personal_signer import PassphraseNeededError, PassphraseQuestion, PersonalSigner
from controller.services.signing_ports import FailedAttempts
from controller.services.staff_directory import PersonNeededError, active_person
from controller.services.statement_filing import StatementDraft

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from controller.domain.person import Person, Staff
    from controller.domain.record import Signatory, Wire
    from controller.domain.signature import Origin, SigningKey
    from controller.domain.signing_rules import SigningRules
    from controller.services.personal_signer import PassphraseAnswer
    from controller.services.ports import Clock
    from controller.services.signing_ports import AttemptCounter, PersonalKeys, Sitting, Sittings
    from controller.services.statement_filing import StatementFiling, StoredStatement

_LOOKED_BACK = 300
"""Trail statements that are searched for failed logins to tell about."""
_FAILED = frozenset({Event.SIGN_IN_FAILED, Event.SIGN_IN_LOCKED, Event.SIGNING_FAILED})


class SignInNeededError(RefusedError):
    """需要登录. Nobody, or not the wanted person, is signed in on this computer."""

    code = "sign-in-needed"

    def __init__(self, *, wanted: str | None, expired: bool = False) -> None:
        message = (
            T("登录已过期，请重新登录。")
            if expired
            else T("“{wanted}”在本机没有登录。", wanted=wanted[:60])
            if wanted
            else T("还没有登录。")
        )
        super().__init__(message, hint=T("请先用 qms login 姓名 登录，输入本人的签名口令。"))


class SignInLockedError(RefusedError):
    """登录已锁定. Too many failed attempts."""

    code = "sign-in-locked"

    def __init__(self, *, name: str, until: datetime) -> None:
        super().__init__(
            T("{name}连续登录失败次数过多，锁定到 {until}。", name=name, until=until.strftime("%H:%M")),
            hint=T("请到时再试；忘记口令的，用 qms person certify 重新发放证书并重新见证。"),
        )


class CertificateNotCountingError(RefusedError):
    """证书不能签名. The key opened, but its certificate does not count (not witnessed, revoked, expired)."""

    code = "certificate-not-counting"
    unauthorised = True

    def __init__(self, *, name: str, problem: Text) -> None:
        super().__init__(
            T("{name}的签名证书现在不能使用：{problem}", name=name, problem=problem),
            hint=T(
                "用 qms person show {name} 查看；缺见证人的用 qms person confirm，失效的用 qms person certify。",
                name=name,
            ),
        )


class PassphraseExpiredError(RefusedError):
    """口令到期. The passphrase is older than the rules allow (21 CFR 11.300 b)."""

    code = "passphrase-expired"

    def __init__(self, *, name: str, days: int) -> None:
        super().__init__(
            T("{name}的签名口令已使用超过 {days} 天，须先更换。", name=name, days=days),
            hint=T("用 qms passphrase 更换口令，然后重新登录。"),
        )


@dataclass(frozen=True)
class SignedIn:
    """已登录. Who signed in, until when at most, and what the person should know."""

    signer: PersonalSigner
    until: datetime
    failures: Sequence[StoredStatement] = ()
    """Failed logins and signings since the person's last login, for the posts that must be told."""


class SigningIn:
    """登录. Opens, finds and closes the sittings of this computer."""

    def __init__(
        self,
        *,
        staff: Staff,
        keys: PersonalKeys,
        sittings: Sittings,
        attempts: AttemptCounter,
        rules: SigningRules,
        clock: Clock,
        statements: StatementFiling,
        standing: Callable[[str, Digest], Text | None],
        origin: Callable[[str], Origin],
        wait: Callable[[float], None],
        ask: Callable[[PassphraseQuestion], PassphraseAnswer | None],
    ) -> None:
        """`standing` tells why a certificate of a person does not count, if so; `origin` is told the sitting's id."""
        self._staff = staff
        self._keys = keys
        self._sittings = sittings
        self._attempts = attempts
        self._rules = rules
        self._clock = clock
        self._statements = statements
        self._standing = standing
        self._origin = origin
        self._wait = wait
        self._ask = ask

    def sign_in(self, wanted: str, passphrase: str) -> SignedIn:
        """Unlock the person's key and open a sitting.

        Raises:
            UnknownPersonError: nobody active is called so; the attempt is in the trail.
            SignInLockedError: too many failures; the attempt is in the trail.
            PassphraseWrongError: counted, and in the trail.
            PersonalKeyMissingError, PersonalKeyDamagedError: the key is not here, or cannot be read.
            CertificateNotCountingError, PassphraseExpiredError: the key opened and may not be used.
        """
        person = self.person(wanted)
        now = self._clock.now()
        key = self.unlock(person, passphrase)
        self._check(person, key, now)
        sitting = self._sittings.open(person.id, key, at=now)
        signer = self._signer(person, sitting)
        last = self._last_sign_in(person.id)
        try:
            self._statements.file(StatementDraft(TRAIL, Event.SIGNED_IN, subject=person.id), signer)
        except BaseException:
            self._sittings.close(person.id)
            raise
        failures: list[StoredStatement] = []
        if set(person.posts) & set(self._rules.informed_posts):
            failures = self._failures_since(last)
        return SignedIn(signer, now + timedelta(hours=self._rules.sitting_hours), failures)

    def person(self, wanted: str) -> Person:
        """Return the active person called `wanted`, who is about to give a passphrase.

        Raises:
            UnknownPersonError: nobody active is called so; the attempt is in the trail, without what was typed.
        """
        try:
            return active_person(self._staff, wanted)
        except QmsError:
            self._failed(Event.SIGN_IN_FAILED, self.known(wanted), wanted, 0)
            raise

    def known(self, claimed: str | None) -> str:
        """Return `claimed` when it is the id or name of somebody on file, however long ago, else nothing.

        What is filed stays for ever, and people type their passphrase where a name is asked.
        """
        on_file = (word for person in self._staff.people.values() for word in (person.id, person.name))
        return claimed if claimed is not None and claimed in on_file else ""

    def unlock(self, person: Person, passphrase: str, *, event: Event = Event.SIGN_IN_FAILED) -> SigningKey:
        """Return the person's key; every wrong passphrase is counted, delayed and written down (21 CFR 11.300 d).

        `event` says what the passphrase was given for.
        """
        now = self._clock.now()
        failures = self._failures(person)
        until = locked_until(failures, self._rules)
        if until is not None and until > now:
            self._failed(Event.SIGN_IN_LOCKED, person.id, person.name, failures.count)
            raise SignInLockedError(name=person.name, until=until)
        self._wait(attempt_delay(failures.count))
        # Counted before it is tried: many programs that guess at once do not get one try each.
        noted = self._attempts.note(person.id, at=now)
        try:
            key = self._keys.unlock(person.id, passphrase)
        except PassphraseWrongError:
            self._failed(event, person.id, person.name, noted.count)
            raise
        except QmsError:
            if not failures.count:
                self._attempts.clear(person.id)  # a key that is not here was not guessed at
            raise
        self._attempts.clear(person.id)
        return key

    def sign_out(self, wanted: str | None) -> Signatory:
        """Close the sitting of the person (or the only one).

        Raises:
            SignInNeededError, PersonNeededError: as `signer`.
        """
        person, sitting = self._sitting_of(wanted)
        signer = self._signer(person, sitting)
        if (
            self._standing(person.id, signer.certificate) is None
        ):  # a revoked certificate signs nothing more, not even this
            self._statements.file(StatementDraft(TRAIL, Event.SIGNED_OUT, subject=person.id), signer)
        self._sittings.close(person.id)
        return signer.signatory

    def present(self) -> list[tuple[Person, Sitting, datetime]]:
        """Return who is signed in here, the last used first, and until when without further use."""
        found = []
        for sitting in self._sittings.all():
            person = self._staff.people.get(sitting.person)
            until = self._until(sitting)
            if person is not None and person.active and sitting.key is not None and until > self._clock.now():
                found.append((person, sitting, until))
        return found

    def signer(self, wanted: str | None) -> PersonalSigner:
        """Return the signed-in person: `wanted` by id or name, or the only one.

        Raises:
            SignInNeededError: nobody, or not that person, is signed in; or the sitting has expired.
            PersonNeededError: several are signed in and none was named.
            CertificateNotCountingError: the certificate was revoked or expired since.
        """
        person, sitting = self._sitting_of(wanted)
        now = self._clock.now()
        assert sitting.key is not None
        self._check(person, sitting.key, now, passphrase=False)
        self._sittings.touch(sitting, at=now)
        return self._signer(person, sitting)

    def _sitting_of(self, wanted: str | None) -> tuple[Person, Sitting]:
        found = self.present()
        if wanted is not None:
            person = active_person(self._staff, wanted)
            found = [item for item in found if item[0].id == person.id]
        if not found:
            raise SignInNeededError(wanted=wanted, expired=bool(self._sittings.all()) and wanted is None)
        if len(found) > 1:
            raise PersonNeededError(names=[person.name for person, _, _ in found])
        return found[0][:2]

    def for_one_act(self, wanted: str, passphrase: str) -> KeySigner:
        """Return the person, able to sign one act without a sitting: for what must come before anybody can sign in.

        Raises:
            UnknownPersonError, SignInLockedError, PassphraseWrongError, CertificateNotCountingError,
            PassphraseExpiredError: as when signing in.
        """
        person = self.person(wanted)
        key = self.unlock(person, passphrase)
        self._check(person, key, self._clock.now())
        return self._signer_without_sitting(person, key)

    def change_passphrase(self, wanted: str, *, old: str, new: str) -> Signatory:
        """Protect the person's key with another passphrase; the certificate stays (21 CFR 11.300 b).

        Raises:
            PassphraseTooWeakError: the new one breaks the rules, or is the old one.
            PassphraseWrongError: the old one is wrong; counted.
        """
        person = self.person(wanted)
        check_passphrase(new, rules=self._rules, person=person.id, name=person.name)
        if normalised(new) == normalised(old):
            raise PassphraseTooWeakError(problem=T("与现在的口令相同"), least=self._rules.least_length)
        now = self._clock.now()
        key = self.unlock(person, old)
        self._check(person, key, now, passphrase=False)
        signer = self._signer_without_sitting(person, key)
        self._statements.file(StatementDraft(TRAIL, Event.PASSPHRASE_CHANGED, subject=person.id), signer)
        self._keys.change_passphrase(person.id, old=old, new=new, at=now)
        return signer.signatory

    def confirm(self, person: Person, sitting: Sitting, meaning: str) -> None:
        """Ask for the passphrase again before a signature with `meaning`."""
        full = self._rules.profile is Profile.PART11 and not sitting.signed
        answer = self._ask(PassphraseQuestion(person, meaning, full))
        if answer is None:
            raise PassphraseNeededError(meaning=meaning)
        if full and answer.person is not None and answer.person not in {person.id, person.name}:
            noted = self._attempts.note(person.id, at=self._clock.now())
            self._failed(Event.SIGNING_FAILED, person.id, answer.person, noted.count)
            raise PassphraseWrongError(name=person.name)
        self.unlock(person, answer.passphrase, event=Event.SIGNING_FAILED)
        self._sittings.touch(sitting, at=self._clock.now(), signed=True)

    def asks_again(self, meaning: str) -> bool:
        """Tell whether the profile asks for the passphrase before a signature with `meaning`."""
        return self._rules.profile is Profile.PART11 or meaning in SENSITIVE_MEANINGS

    def _signer(self, person: Person, sitting: Sitting) -> PersonalSigner:
        assert sitting.key is not None
        return PersonalSigner(
            signatory=self._staff.signatory(person),
            origin=self._origin(sitting.id),
            key=sitting.key,
            _confirm=lambda meaning: self.confirm(person, sitting, meaning),
            _asks_again=self.asks_again,
        )

    def _signer_without_sitting(self, person: Person, key: SigningKey) -> KeySigner:
        return KeySigner(self._staff.signatory(person), self._origin(""), key)

    def _check(self, person: Person, key: SigningKey, now: datetime, *, passphrase: bool = True) -> None:
        problem = self._standing(person.id, Digest.of(key.certificate))
        if problem is not None:
            raise CertificateNotCountingError(name=person.name, problem=problem)
        if not passphrase:
            return
        held = next((item for item in self._keys.held() if item.person == person.id), None)
        if held is not None and passphrase_expired(held.changed_on, now, self._rules):
            raise PassphraseExpiredError(name=person.name, days=self._rules.most_days)

    def _until(self, sitting: Sitting) -> datetime:
        opened = datetime.fromisoformat(sitting.opened_at) + timedelta(hours=self._rules.sitting_hours)
        used = datetime.fromisoformat(sitting.used_at) + timedelta(minutes=self._rules.idle_minutes)
        return min(opened, used)

    def _failures(self, person: Person) -> FailedAttempts:
        """Return the failed attempts at the present key: those at a key that a new one has replaced are forgotten."""
        failures = self._attempts.failures(person.id)
        held = next((item for item in self._keys.held() if item.person == person.id), None) if failures.count else None
        if held is None or not _later(held.changed_on, failures.last_at):
            return failures
        if self._standing(person.id, Digest.of(held.certificate)) is not None:
            return failures  # a key that nobody has witnessed frees nobody
        self._attempts.clear(person.id)
        return FailedAttempts(0, "")

    def _failed(self, event: Event, subject: str, claimed: str, count: int) -> None:
        known = self.known(claimed)
        new: dict[str, Wire] = {"claimed": known} if known else {"unknown": str(len(claimed))}
        self._statements.file(StatementDraft(TRAIL, event, subject=subject, new={**new, "count": str(count)}), None)

    def _last_sign_in(self, person: str) -> int:
        """Return the trail number of the person's last login, 0 when it is not among the newest."""
        for stored in self._statements.recent(TRAIL, _LOOKED_BACK):
            if stored.statement.event is Event.SIGNED_IN and stored.statement.subject == person:
                return stored.statement.sequence
        return 0

    def _failures_since(self, sequence: int) -> list[StoredStatement]:
        return [
            stored
            for stored in self._statements.recent(TRAIL, _LOOKED_BACK)
            if stored.statement.event in _FAILED and stored.statement.sequence > sequence
        ]


def _later(one: str, other: str) -> bool:
    """Tell whether ISO time `one` is surely later than `other`."""
    try:
        return datetime.fromisoformat(one) > datetime.fromisoformat(other)
    except (ValueError, TypeError):
        return False
