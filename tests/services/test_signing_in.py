"""Signing in and out: who gets in, when a sitting ends, what a certificate that does not count ends."""

from __future__ import annotations

from datetime import timedelta

import pytest

from controller.domain.personal_key import PassphraseWrongError
from controller.domain.signature import Origin
from controller.domain.statement import Event
from controller.domain.text import T
from controller.file_formats.signature_file import check_signature
from controller.services.personal_signer import PassphraseAnswer
from controller.services.signing_in import CertificateNotCountingError, SignInNeededError
from controller.services.staff_directory import PersonNeededError
from tests.sign_in_desk import AT, RIGHT, WRONG, Desk, FullDiskError
from tests.signers import company


@pytest.fixture
def desk() -> Desk:
    return Desk()


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
