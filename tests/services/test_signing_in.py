"""Signing in: who gets in, what guessing costs, when a sitting ends, when the passphrase is asked again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

import pytest

from controller.domain.passphrase import PassphraseTooWeakError
from controller.domain.person import Person, Post, Staff
from controller.domain.personal_key import PassphraseWrongError, PersonalKeyMissingError
from controller.domain.signature import SENSITIVE_MEANINGS, Origin
from controller.domain.signing_rules import Profile, SigningRules
from controller.domain.statement import Event
from controller.domain.text import T
from controller.file_formats.signature_file import check_signature
from controller.services.signing_in import (
    CertificateNotCountingError,
    PassphraseAnswer,
    PassphraseExpiredError,
    PassphraseNeededError,
    SigningIn,
    SignInLockedError,
    SignInNeededError,
)
from controller.services.signing_ports import FailedAttempts, HeldKey, Sitting
from controller.services.staff_directory import PersonNeededError, PersonRetiredError, UnknownPersonError
from controller.services.statement_filing import StatementFiling
from controller.services.workspace_identity import WorkspaceIdentity
from tests.memory_site import MemorySite
from tests.signers import COMPANY, WORKSPACE, company

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.domain.identifiers import Digest
    from controller.domain.signature import SigningKey
    from controller.domain.text import Text
    from controller.services.signing_in import PassphraseQuestion
    from controller.services.signing_ports import PersonalKeys

AT = datetime.fromisoformat("2026-05-20T10:00:00+08:00")
RIGHT, WRONG, NEW = "窗台纸船17只海棠3株", "猜的口令-88-铁锚", "灯塔-92-银杏-雨"
STAFF = Staff(
    {
        "p002": Person("p002", "林静", ("quality_head",)),
        "p003": Person("p003", "陈晓", ("quality_officer",)),
        "p004": Person("p004", "王强", ("sales_clerk",)),
        "p005": Person("p005", "赵敏", ("sales_clerk",), active=False),
    },
    {
        "quality_head": Post("quality_head", "质量负责人"),
        "quality_officer": Post("quality_officer", "质管员"),
        "sales_clerk": Post("sales_clerk", "购销员"),
    },
)


@dataclass
class Keys:
    """In place of the key files: passphrases in memory, keys of the test company."""

    passphrases: dict[str, str] = field(default_factory=lambda: dict.fromkeys(["p002", "p003", "p004", "p005"], RIGHT))
    changed_on: str = AT.isoformat()
    tried: int = 0

    def held(self) -> Sequence[HeldKey]:
        return [HeldKey(person, b"", self.changed_on) for person in self.passphrases]

    def unlock(self, person: str, passphrase: str) -> SigningKey:
        self.tried += 1
        if person not in self.passphrases:
            raise PersonalKeyMissingError(person=person, place="keys")
        name = STAFF.people[person].name
        if passphrase != self.passphrases[person]:
            raise PassphraseWrongError(name=name)
        return company().key(person, name)

    def change_passphrase(self, person: str, *, old: str, new: str, at: datetime) -> None:
        assert self.passphrases[person] == old
        self.passphrases[person] = new
        self.changed_on = at.isoformat()


@dataclass
class OpenSittings:
    """Sittings in memory; ids count up."""

    kept: dict[str, Sitting] = field(default_factory=dict)
    opened: int = 0

    def open(self, person: str, key: SigningKey | None, *, at: datetime) -> Sitting:
        self.opened += 1
        self.kept[person] = Sitting(f"s{self.opened}", person, at.isoformat(), at.isoformat(), key)
        return self.kept[person]

    def all(self) -> Sequence[Sitting]:
        return sorted(self.kept.values(), key=lambda item: item.used_at, reverse=True)

    def touch(self, sitting: Sitting, *, at: datetime, signed: bool = False) -> None:
        present = self.kept[sitting.person]
        self.kept[sitting.person] = replace(present, used_at=at.isoformat(), signed=present.signed or signed)

    def close(self, person: str) -> None:
        self.kept.pop(person, None)


@dataclass
class Attempts:
    kept: dict[str, FailedAttempts] = field(default_factory=dict)

    def failures(self, person: str) -> FailedAttempts:
        return self.kept.get(person, FailedAttempts(0, ""))

    def note(self, person: str, *, at: datetime) -> FailedAttempts:
        self.kept[person] = FailedAttempts(self.failures(person).count + 1, at.isoformat())
        return self.kept[person]

    def clear(self, person: str) -> None:
        self.kept.pop(person, None)


class FullDiskError(Exception):
    """Nothing can be filed."""


class FullSite(MemorySite):
    """An archive whose disk may be full."""

    full = False

    def file(self, files: object) -> str:
        if self.full:
            raise FullDiskError
        return super().file(files)  # type: ignore[arg-type]


@dataclass
class Desk:
    """One computer with its keys, sittings and counters; each `command` is another run of the program."""

    moment: datetime = AT
    rules: SigningRules = field(default_factory=SigningRules)
    keys: Keys = field(default_factory=Keys)
    sittings: OpenSittings = field(default_factory=OpenSittings)
    attempts: Attempts = field(default_factory=Attempts)
    site: FullSite = field(default_factory=FullSite)
    waits: list[float] = field(default_factory=list)
    questions: list[PassphraseQuestion] = field(default_factory=list)
    answers: list[PassphraseAnswer | None] = field(default_factory=list)
    problems: dict[str, Text] = field(default_factory=dict)
    """Person id → why the certificate does not count."""

    def now(self) -> datetime:
        return self.moment

    @property
    def statements(self) -> StatementFiling:
        identity = WorkspaceIdentity(id=WORKSPACE, site="main", company=COMPANY)
        return StatementFiling(self.site, identity, self, self.origin(""))

    @staticmethod
    def origin(sitting: str) -> Origin:
        return Origin(computer="前台", account="office", sitting=sitting)

    def command(self) -> SigningIn:
        return SigningIn(
            staff=STAFF,
            keys=cast("PersonalKeys", self.keys),
            sittings=self.sittings,
            attempts=self.attempts,
            rules=self.rules,
            clock=self,
            statements=self.statements,
            standing=self._standing,
            origin=self.origin,
            wait=self.waits.append,
            ask=self._ask,
        )

    def _standing(self, person: str, _certificate: Digest) -> Text | None:
        return self.problems.get(person)

    def _ask(self, question: PassphraseQuestion) -> PassphraseAnswer | None:
        self.questions.append(question)
        return self.answers.pop(0)

    def guess(self, name: str = "林静", *, times: int = 1) -> None:
        for _ in range(times):
            with pytest.raises(PassphraseWrongError):
                self.command().sign_in(name, WRONG)

    def trail(self) -> list[tuple[Event, str | None, str, dict[str, object]]]:
        """Event, who signed it, subject and details of every statement in the trail, the oldest first."""
        found = [item.statement for item in self.statements.recent("trail", 1000)]
        return [
            (item.event, item.by.person if item.by else None, item.subject, dict(item.new)) for item in reversed(found)
        ]


@pytest.fixture
def desk() -> Desk:
    return Desk()


# -- opening a sitting


def test_the_right_passphrase_opens_a_sitting_and_the_login_is_signed_by_the_person(desk: Desk) -> None:
    done = desk.command().sign_in("林静", RIGHT)
    assert (done.signer.signatory.person, done.signer.signatory.post) == ("p002", "质量负责人")
    assert (done.until, done.failures) == (AT + timedelta(hours=4), [])
    assert desk.trail() == [(Event.SIGNED_IN, "p002", "p002", {})]
    stored = desk.statements.newest("trail")
    assert stored is not None
    assert stored.statement.origin == Origin("前台", "office", "s1")
    checked = check_signature(stored.signatures[""], stored.data)
    assert (checked.intact, checked.certificate) == (True, company().key("p002", "林静").digest)
    assert desk.command().signer(None).signatory == done.signer.signatory


def test_one_may_sign_in_by_id_too(desk: Desk) -> None:
    assert desk.command().sign_in("p003", RIGHT).signer.signatory.name == "陈晓"


def test_a_login_that_cannot_be_written_down_does_not_happen(desk: Desk) -> None:
    desk.site.full = True
    with pytest.raises(FullDiskError):
        desk.command().sign_in("林静", RIGHT)
    assert desk.sittings.kept == {}


# -- guessing


def test_a_wrong_passphrase_is_counted_and_in_the_trail_and_opens_nothing(desk: Desk) -> None:
    with pytest.raises(PassphraseWrongError, match="林静的签名口令不对") as refused:
        desk.command().sign_in("林静", WRONG)
    assert refused.value.code == "passphrase-wrong"
    assert desk.attempts.failures("p002").count == 1
    assert desk.trail() == [(Event.SIGN_IN_FAILED, None, "p002", {"claimed": "林静", "count": "1"})]
    assert desk.sittings.kept == {}
    assert WRONG.encode() not in b"".join(data for _, data in desk.site.walk())


def test_a_failed_attempt_that_cannot_be_written_down_is_counted_all_the_same(desk: Desk) -> None:
    desk.site.full = True
    with pytest.raises(FullDiskError):
        desk.command().sign_in("林静", WRONG)
    assert desk.attempts.failures("p002").count == 1


def test_every_failure_makes_the_next_attempt_wait_longer_before_it_is_tried(desk: Desk) -> None:
    desk.guess(times=4)
    desk.command().sign_in("林静", RIGHT)
    assert desk.waits == [0, 1, 2, 4, 8]


def test_after_five_failures_even_the_right_passphrase_is_not_tried(desk: Desk) -> None:
    desk.guess(times=5)
    tried, waits = desk.keys.tried, list(desk.waits)
    with pytest.raises(SignInLockedError, match="锁定到 10:15") as refused:
        desk.command().sign_in("林静", RIGHT)
    assert refused.value.code == "sign-in-locked"
    assert (desk.keys.tried, desk.waits) == (tried, waits)
    assert desk.trail()[-1] == (Event.SIGN_IN_LOCKED, None, "p002", {"claimed": "林静", "count": "5"})
    assert desk.sittings.kept == {}


def test_a_lock_is_for_one_person(desk: Desk) -> None:
    desk.guess(times=5)
    assert desk.command().sign_in("陈晓", RIGHT).signer.signatory.person == "p003"


def test_a_lock_ends_after_its_minutes_and_a_success_begins_the_count_anew(desk: Desk) -> None:
    desk.guess(times=5)
    desk.moment = AT + timedelta(minutes=14, seconds=59)
    with pytest.raises(SignInLockedError):
        desk.command().sign_in("林静", RIGHT)
    desk.moment = AT + timedelta(minutes=15)
    desk.command().sign_in("林静", RIGHT)
    assert desk.attempts.failures("p002").count == 0
    desk.guess()
    assert desk.trail()[-1] == (Event.SIGN_IN_FAILED, None, "p002", {"claimed": "林静", "count": "1"})


def test_one_more_failure_after_a_lock_locks_again(desk: Desk) -> None:
    desk.guess(times=5)
    desk.moment = AT + timedelta(minutes=15)
    desk.guess()
    with pytest.raises(SignInLockedError, match="锁定到 10:30"):
        desk.command().sign_in("林静", RIGHT)


@pytest.mark.parametrize("name", ["林靖", "", "长" * 500, "\x1b[2J林静\n", "\udcff\udcfe", RIGHT])
def test_an_unknown_name_is_in_the_trail_with_its_length_only(desk: Desk, name: str) -> None:
    with pytest.raises(UnknownPersonError):
        desk.command().sign_in(name, RIGHT)
    assert desk.trail() == [(Event.SIGN_IN_FAILED, None, "", {"unknown": str(len(name)), "count": "0"})]
    assert desk.keys.tried == 0


def test_somebody_whose_account_has_ended_is_told_so(desk: Desk) -> None:
    with pytest.raises(PersonRetiredError):
        desk.command().sign_in("赵敏", RIGHT)
    assert desk.trail() == [(Event.SIGN_IN_FAILED, None, "赵敏", {"claimed": "赵敏", "count": "0"})]
    desk.sittings.open("p005", company().key("p005", "赵敏"), at=AT)
    assert desk.command().present() == []


def test_a_key_that_is_not_on_this_computer_is_no_guess(desk: Desk) -> None:
    del desk.keys.passphrases["p002"]
    with pytest.raises(PersonalKeyMissingError):
        desk.command().sign_in("林静", RIGHT)
    assert desk.attempts.failures("p002").count == 0
    assert desk.trail() == []


def test_failures_are_told_at_the_next_login_to_the_posts_that_must_know_and_once(desk: Desk) -> None:
    desk.command().sign_in("林静", RIGHT)
    desk.guess("王强", times=2)
    with pytest.raises(UnknownPersonError):
        desk.command().sign_in("李四", WRONG)
    assert desk.command().sign_in("陈晓", RIGHT).failures == []
    told = desk.command().sign_in("林静", RIGHT).failures
    assert [item.statement.new.get("claimed") for item in told] == [None, "王强", "王强"]
    assert {item.statement.origin.computer for item in told} == {"前台"}
    assert desk.command().sign_in("林静", RIGHT).failures == []


def test_failures_at_a_key_that_a_counting_new_one_has_replaced_lock_nobody_out(desk: Desk) -> None:
    desk.guess(times=5)
    with pytest.raises(SignInLockedError):
        desk.command().sign_in("林静", RIGHT)
    desk.keys.changed_on = (AT + timedelta(minutes=1)).isoformat()
    desk.problems["p002"] = T("还没有见证")
    with pytest.raises(SignInLockedError):
        desk.command().sign_in("林静", RIGHT)
    desk.problems.clear()
    assert desk.command().sign_in("林静", RIGHT).signer.signatory.person == "p002"


# -- the end of a sitting


def test_a_sitting_that_is_used_goes_on_until_its_hours_are_over(desk: Desk) -> None:
    desk.command().sign_in("林静", RIGHT)
    for minutes in range(20, 240, 20):
        desk.moment = AT + timedelta(minutes=minutes)
        assert desk.command().signer(None).signatory.person == "p002"
    desk.moment = AT + timedelta(hours=4)
    with pytest.raises(SignInNeededError, match="登录已过期"):
        desk.command().signer(None)


def test_a_sitting_that_is_not_used_ends_by_idling(desk: Desk) -> None:
    desk.command().sign_in("林静", RIGHT)
    desk.moment = AT + timedelta(minutes=29, seconds=59)
    ((_person, _sitting, until),) = desk.command().present()
    assert until == AT + timedelta(minutes=30)
    desk.moment = until
    assert desk.command().present() == []
    with pytest.raises(SignInNeededError) as refused:
        desk.command().signer(None)
    assert refused.value.code == "sign-in-needed"


def test_looking_who_is_signed_in_does_not_prolong_a_sitting(desk: Desk) -> None:
    desk.command().sign_in("林静", RIGHT)
    desk.moment = AT + timedelta(minutes=20)
    desk.command().present()
    desk.moment = AT + timedelta(minutes=30)
    assert desk.command().present() == []


def test_without_a_login_nobody_acts(desk: Desk) -> None:
    with pytest.raises(SignInNeededError, match="还没有登录"):
        desk.command().signer(None)
    with pytest.raises(SignInNeededError, match="“林静”在本机没有登录"):
        desk.command().signer("林静")


def test_where_several_are_signed_in_the_acting_one_is_named(desk: Desk) -> None:
    desk.command().sign_in("林静", RIGHT)
    desk.command().sign_in("陈晓", RIGHT)
    with pytest.raises(PersonNeededError, match="请指明以谁的身份操作"):
        desk.command().signer(None)
    assert desk.command().signer("陈晓").signatory.person == "p003"
    with pytest.raises(SignInNeededError, match="王强"):
        desk.command().signer("王强")


def test_signing_out_is_signed_and_ends_the_sitting(desk: Desk) -> None:
    desk.command().sign_in("林静", RIGHT)
    desk.command().sign_in("陈晓", RIGHT)
    assert desk.command().sign_out("林静").name == "林静"
    assert desk.trail()[-1] == (Event.SIGNED_OUT, "p002", "p002", {})
    assert [person.id for person, _, _ in desk.command().present()] == ["p003"]
    with pytest.raises(SignInNeededError):
        desk.command().sign_out("林静")


def test_signing_out_that_cannot_be_written_down_leaves_the_sitting(desk: Desk) -> None:
    desk.command().sign_in("林静", RIGHT)
    desk.site.full = True
    with pytest.raises(FullDiskError):
        desk.command().sign_out("林静")
    assert [person.id for person, _, _ in desk.command().present()] == ["p002"]


def test_with_a_revoked_certificate_one_still_gets_out_and_it_signs_nothing(desk: Desk) -> None:
    desk.command().sign_in("林静", RIGHT)
    desk.problems["p002"] = T("证书已吊销")
    assert desk.command().sign_out("林静").person == "p002"
    assert desk.sittings.kept == {}
    assert [event for event, _, _, _ in desk.trail()] == [Event.SIGNED_IN]


# -- certificates


def test_a_certificate_that_stops_counting_ends_an_open_sitting_at_once(desk: Desk) -> None:
    desk.command().sign_in("林静", RIGHT)
    desk.problems["p002"] = T("证书已吊销")
    with pytest.raises(CertificateNotCountingError, match="证书已吊销") as refused:
        desk.command().signer(None)
    assert refused.value.code == "certificate-not-counting"


def test_a_certificate_that_does_not_count_opens_no_sitting(desk: Desk) -> None:
    desk.problems["p002"] = T("还差 2 位见证人")
    with pytest.raises(CertificateNotCountingError, match="还差 2 位见证人"):
        desk.command().sign_in("林静", RIGHT)
    with pytest.raises(CertificateNotCountingError):
        desk.command().for_one_act("林静", RIGHT)
    assert (desk.sittings.kept, desk.trail()) == ({}, [])


# -- asking again: gsp-cn


def test_gsp_cn_asks_again_for_exactly_the_meanings_that_decide(desk: Desk) -> None:
    desk.command().sign_in("林静", RIGHT)
    for meaning in ("记录", "起草", "受理", ""):
        desk.command().signer(None).ready(meaning)
    assert desk.questions == []
    for meaning in sorted(SENSITIVE_MEANINGS):
        desk.answers = [PassphraseAnswer(RIGHT)]
        desk.command().signer(None).ready(meaning)
    assert [(item.meaning, item.person.id, item.full) for item in desk.questions] == [
        (meaning, "p002", False) for meaning in sorted(SENSITIVE_MEANINGS)
    ]


def test_gsp_cn_asks_once_for_what_one_command_shows(desk: Desk) -> None:
    desk.command().sign_in("林静", RIGHT)
    signer = desk.command().signer(None)
    desk.answers = [PassphraseAnswer(RIGHT)]
    signer.ready("批准")
    signer.ready("批准")
    signer.ready("办结")
    assert len(desk.questions) == 1


def test_a_wrong_answer_signs_nothing_and_counts_like_a_failed_login(desk: Desk) -> None:
    desk.command().sign_in("林静", RIGHT)
    signer = desk.command().signer(None)
    desk.answers = [PassphraseAnswer(WRONG), PassphraseAnswer(RIGHT)]
    with pytest.raises(PassphraseWrongError):
        signer.ready("批准")
    assert desk.trail()[-1] == (Event.SIGNING_FAILED, None, "p002", {"claimed": "林静", "count": "1"})
    signer.ready("批准")
    assert len(desk.questions) == 2
    assert desk.attempts.failures("p002").count == 0


def test_guessing_while_signed_in_locks_too(desk: Desk) -> None:
    desk.command().sign_in("林静", RIGHT)
    desk.answers = [*[PassphraseAnswer(WRONG)] * 5, PassphraseAnswer(RIGHT)]
    for _ in range(5):
        with pytest.raises(PassphraseWrongError):
            desk.command().signer(None).ready("批准")
    with pytest.raises(SignInLockedError):
        desk.command().signer(None).ready("批准")
    assert desk.trail()[-1][0] is Event.SIGN_IN_LOCKED


def test_where_nobody_can_be_asked_nothing_is_signed(desk: Desk) -> None:
    desk.command().sign_in("林静", RIGHT)
    desk.answers = [None]
    with pytest.raises(PassphraseNeededError, match="以“批准”签名须再次输入口令") as refused:
        desk.command().signer(None).ready("批准")
    assert refused.value.code == "passphrase-needed"
    assert desk.attempts.failures("p002").count == 0


# -- asking again: part11


@pytest.fixture
def strict() -> Desk:
    return Desk(rules=SigningRules(profile=Profile.PART11))


def test_part11_asks_for_id_and_passphrase_first_and_for_the_passphrase_each_time_after(strict: Desk) -> None:
    strict.command().sign_in("林静", RIGHT)
    strict.answers = [PassphraseAnswer(RIGHT, "p002"), PassphraseAnswer(RIGHT), PassphraseAnswer(RIGHT)]
    for meaning in ("记录", "批准", "记录"):
        strict.command().signer(None).ready(meaning)
    assert [(item.meaning, item.full) for item in strict.questions] == [
        ("记录", True),
        ("批准", False),
        ("记录", False),
    ]


def test_part11_asks_nothing_for_what_is_no_signature_of_a_persons_will(strict: Desk) -> None:
    strict.command().sign_in("林静", RIGHT)
    strict.command().signer(None).ready("")
    assert strict.questions == []


def test_part11_counts_another_persons_id_as_a_failure_and_asks_for_it_again(strict: Desk) -> None:
    strict.command().sign_in("林静", RIGHT)
    strict.answers = [PassphraseAnswer(RIGHT, "p003"), PassphraseAnswer(RIGHT, "林静")]
    with pytest.raises(PassphraseWrongError):
        strict.command().signer(None).ready("批准")
    assert strict.trail()[-1] == (Event.SIGNING_FAILED, None, "p002", {"claimed": "p003", "count": "1"})
    strict.command().signer(None).ready("批准")
    assert [item.full for item in strict.questions] == [True, True]


def test_part11_asks_for_everything_again_after_idling(strict: Desk) -> None:
    strict.command().sign_in("林静", RIGHT)
    strict.answers = [PassphraseAnswer(RIGHT, "p002"), PassphraseAnswer(RIGHT, "p002")]
    strict.command().signer(None).ready("记录")
    strict.moment = AT + timedelta(minutes=30)
    with pytest.raises(SignInNeededError, match="登录已过期"):
        strict.command().signer(None)
    strict.command().sign_in("林静", RIGHT)
    strict.command().signer(None).ready("记录")
    assert [item.full for item in strict.questions] == [True, True]


# -- passphrases


def test_a_changed_passphrase_opens_and_the_old_one_no_longer_and_the_certificate_stays(desk: Desk) -> None:
    before = desk.command().sign_in("林静", RIGHT).signer.certificate
    assert desk.command().change_passphrase("林静", old=RIGHT, new=NEW).person == "p002"
    assert desk.trail()[-1] == (Event.PASSPHRASE_CHANGED, "p002", "p002", {})
    assert NEW.encode() not in b"".join(data for _, data in desk.site.walk())
    with pytest.raises(PassphraseWrongError):
        desk.command().sign_in("林静", RIGHT)
    assert desk.command().sign_in("林静", NEW).signer.certificate == before


def test_changing_a_passphrase_signs_nobody_in(desk: Desk) -> None:
    desk.command().change_passphrase("林静", old=RIGHT, new=NEW)
    assert desk.command().present() == []


def test_changing_a_passphrase_leaves_an_open_sitting_as_it_is(desk: Desk) -> None:
    desk.command().sign_in("林静", RIGHT)
    desk.command().change_passphrase("林静", old=RIGHT, new=NEW)
    assert [sitting.id for _, sitting, _ in desk.command().present()] == ["s1"]


@pytest.mark.parametrize("new", ["短口令", "1234567890", "林静林静林静林静", "passphrase\n22"])
def test_a_weak_new_passphrase_changes_nothing_and_the_old_one_is_not_even_tried(desk: Desk, new: str) -> None:
    with pytest.raises(PassphraseTooWeakError):
        desk.command().change_passphrase("林静", old=RIGHT, new=new)
    assert (desk.keys.passphrases["p002"], desk.keys.tried, desk.trail()) == (RIGHT, 0, [])


def test_the_old_passphrase_is_no_new_one(desk: Desk) -> None:
    with pytest.raises(PassphraseTooWeakError, match="与现在的口令相同"):
        desk.command().change_passphrase("林静", old=RIGHT, new=RIGHT)
    assert (desk.keys.tried, desk.trail()) == (0, [])


def test_a_passphrase_is_changed_only_by_who_knows_the_old_one(desk: Desk) -> None:
    with pytest.raises(PassphraseWrongError):
        desk.command().change_passphrase("林静", old=WRONG, new=NEW)
    assert desk.keys.passphrases["p002"] == RIGHT
    assert desk.attempts.failures("p002").count == 1


def test_a_change_that_cannot_be_written_down_does_not_happen(desk: Desk) -> None:
    desk.site.full = True
    with pytest.raises(FullDiskError):
        desk.command().change_passphrase("林静", old=RIGHT, new=NEW)
    assert desk.keys.passphrases["p002"] == RIGHT


def test_a_passphrase_that_is_too_old_must_be_changed_before_signing_in(desk: Desk) -> None:
    desk.keys.changed_on = (AT - timedelta(days=365, seconds=1)).isoformat()
    for act in (
        lambda: desk.command().sign_in("林静", RIGHT),
        lambda: desk.command().for_one_act("林静", RIGHT),
    ):
        with pytest.raises(PassphraseExpiredError, match="超过 365 天") as refused:
            act()
        assert refused.value.code == "passphrase-expired"
    assert desk.sittings.kept == {}
    desk.command().change_passphrase("林静", old=RIGHT, new=NEW)
    assert desk.command().sign_in("林静", NEW).signer.signatory.person == "p002"


def test_a_company_may_let_passphrases_live_on(desk: Desk) -> None:
    desk.keys.changed_on = (AT - timedelta(days=4000)).isoformat()
    desk.rules = SigningRules(most_days=0)
    assert desk.command().sign_in("林静", RIGHT).signer.signatory.person == "p002"


# -- without a sitting


def test_one_act_is_signed_without_a_sitting_and_without_asking_twice(desk: Desk) -> None:
    signer = desk.command().for_one_act("林静", RIGHT)
    signer.ready("批准")
    assert desk.questions == []
    assert (signer.origin.sitting, desk.sittings.kept) == ("", {})
    checked = check_signature(signer.sign(b"bytes", at=AT), b"bytes")
    assert (checked.intact, checked.certificate, checked.signed_at) == (True, signer.certificate, AT)


def test_guessing_at_one_act_counts_too(desk: Desk) -> None:
    with pytest.raises(PassphraseWrongError):
        desk.command().for_one_act("林静", WRONG)
    assert desk.attempts.failures("p002").count == 1
    assert desk.trail() == [(Event.SIGN_IN_FAILED, None, "p002", {"claimed": "林静", "count": "1"})]


def test_a_signer_shows_neither_key_nor_passphrase(desk: Desk) -> None:
    shown = repr((desk.command().sign_in("林静", RIGHT), PassphraseAnswer(RIGHT, "p002")))
    assert "key" not in shown
    assert RIGHT not in shown
    assert "林静" in shown
