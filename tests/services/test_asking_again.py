"""When the passphrase is asked again at a signature: for which meanings, how often, and what a wrong answer does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from controller.domain.personal_key import PassphraseWrongError
from controller.domain.signature import SENSITIVE_MEANINGS
from controller.domain.signing_rules import Profile, SigningRules
from controller.domain.statement import Event
from controller.services.personal_signer import PassphraseAnswer, PassphraseNeededError
from controller.services.signing_in import SignInLockedError, SignInNeededError
from tests.sign_in_desk import AT, RIGHT, WRONG, Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()


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
