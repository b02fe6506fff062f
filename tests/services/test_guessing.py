"""Guessing a passphrase: what each wrong one costs, who is told, and what locks nobody out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from controller.domain.personal_key import PassphraseWrongError, PersonalKeyMissingError
from controller.domain.statement import Event
from controller.domain.text import T
from controller.services.signing_in import SignInLockedError
from controller.services.staff_directory import PersonRetiredError, UnknownPersonError
from tests.sign_in_desk import AT, RIGHT, WRONG, Desk, FullDiskError
from tests.signers import company


@pytest.fixture
def desk() -> Desk:
    return Desk()


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
