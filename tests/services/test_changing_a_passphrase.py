"""Changing a passphrase: by whom, into what, and when it must be done."""

from __future__ import annotations

from datetime import timedelta

import pytest

from controller.domain.passphrase import PassphraseTooWeakError
from controller.domain.personal_key import PassphraseWrongError
from controller.domain.signing_rules import SigningRules
from controller.domain.statement import Event
from controller.services.signing_in import PassphraseExpiredError
from tests.sign_in_desk import AT, NEW, RIGHT, WRONG, Desk, FullDiskError


@pytest.fixture
def desk() -> Desk:
    return Desk()


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
