"""People of a real workspace: registered, certified, witnessed, changed and retired."""

from __future__ import annotations

import subprocess
from datetime import date
from typing import TYPE_CHECKING

import pytest

from controller.domain.identifiers import Digest
from controller.domain.passphrase import PassphraseTooWeakError
from controller.domain.person import PostHeld
from controller.domain.personal_key import PassphraseWrongError
from controller.domain.signing_rules import SigningRules
from controller.file_formats.certificate_file import to_pem
from controller.file_formats.staff_file import PEOPLE_FILE
from controller.services.authority_control import SecondPersonNeededError
from controller.services.library_check import ROOT_FILE
from controller.services.person_control import (
    LastInChargeError,
    OwnPersonError,
    PersonDetailsError,
    PersonIdTakenError,
    PersonNameTakenError,
    ReasonNeededError,
    UnknownPostError,
)
from controller.services.person_enrolment import (
    AcknowledgementNeededError,
    AlreadyWitnessedError,
    NoCertificateError,
    NothingToConfirmError,
    OutsideCertificateError,
    OwnEnrolmentError,
)
from controller.services.signing_in import CertificateNotCountingError
from controller.services.staff_directory import PersonRetiredError, PostNeededError, UnknownPersonError
from tests.conftest import PASSPHRASE
from tests.real_tools import need

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from controller.bootstrap import Application
    from controller.services.person_enrolment import Enrolled
    from tests.conftest import Workspace

NEW = "灯塔-92-银杏-雨"
OTHER = "它自己的口令-33"
CLERK = [PostHeld("sales_clerk", date(2026, 1, 1))]


@pytest.fixture
def application(workspace: Workspace) -> Iterator[Application]:
    opened = workspace.open()
    yield opened
    opened.close()


def refresh(application: Application) -> None:
    """Read the people again, as the next command would."""
    for name in ("staff", "signing_in"):
        application.__dict__.pop(name, None)


def certify(application: Application, person: str, passphrase: str = NEW) -> Enrolled:
    return application.enrolment.certify(
        person, passphrase=passphrase, authority_passphrase=PASSPHRASE, reason="新员工", acknowledged=True
    )


def register(application: Application, name: str = "郑浩") -> str:
    done = application.people.register(
        application.person("周明"), name=name, posts=CLERK, identity_check="身份证 尾号 1234"
    )
    return done.person.id


def differences(application: Application) -> list[str]:
    refresh(application)
    return [str(item.message) for item in application.people_standing.history().differences(application.staff, path="")]


def test_a_founded_company_trusts_everybody_and_its_people_file_agrees(application: Application) -> None:
    history = application.people_standing.history()
    assert [person.certificate is not None for person in history.people()] == [True] * 8
    assert {item.code for item in history.findings()} == {"enrolment-witness-missing"}
    assert differences(application) == []


def test_a_new_person_counts_when_two_posts_have_witnessed(application: Application) -> None:
    person = register(application)
    assert person == "p009"
    assert f"id: {person}" in application.controlled_text(PEOPLE_FILE)
    assert differences(application) == []
    done = certify(application, "郑浩")
    assert (done.missing, "周明" in done.possible) == (2, True)
    assert [item.person for item in application.people_standing.open_enrolments()] == [person]
    assert str(application.people_standing.problem(person, done.certificate)) == "还差 2 位见证人"
    assert application.enrolment.confirm(application.person("周明"), "郑浩").missing == 1
    assert application.enrolment.confirm(application.person("林静"), person).missing == 0
    assert application.people_standing.problem(person, done.certificate) is None
    refresh(application)
    signed_in = application.signing_in.sign_in("郑浩", NEW)
    assert signed_in.signer.signatory.post == "购销员"


def test_without_witnesses_the_key_opens_and_nobody_is_signed_in(application: Application) -> None:
    register(application)
    certify(application, "郑浩")
    refresh(application)
    with pytest.raises(CertificateNotCountingError, match="还差 2 位见证人"):
        application.signing_in.sign_in("郑浩", NEW)


def test_openssl_reads_the_certificate_and_checks_it_against_the_root(application: Application, tmp_path: Path) -> None:
    need("openssl")
    register(application)
    done = certify(application, "郑浩")
    files = {"root.pem": application.controlled_files.read(ROOT_FILE)}
    files["person.pem"] = application.archive.read(f"certificates/{done.certificate.hex}.pem")
    for name, data in files.items():
        assert data is not None
        (tmp_path / name).write_bytes(data)

    def openssl(*words: str) -> str:
        return subprocess.run(
            ["openssl", *words], cwd=tmp_path, capture_output=True, text=True, check=True, encoding="utf-8"
        ).stdout

    shown = openssl("x509", "-in", "person.pem", "-noout", "-subject", "-nameopt", "utf8,sep_comma_plus")
    assert "CN=郑浩" in shown
    assert "serialNumber=p009" in shown
    assert "OK" in openssl("verify", "-CAfile", "root.pem", "person.pem")
    fingerprint = openssl("x509", "-in", "person.pem", "-noout", "-fingerprint", "-sha256")
    assert fingerprint.rpartition("=")[2].strip().replace(":", "").lower() == done.certificate.hex


def test_a_forgotten_passphrase_is_a_new_certificate_and_the_old_one_ends_with_the_last_witness(
    application: Application,
) -> None:
    before = application.people.known("王强").certificate
    assert before is not None
    done = certify(application, "王强")
    assert application.people_standing.problem("p004", before) is None
    application.enrolment.confirm(application.person("周明"), "王强")
    application.enrolment.confirm(application.person("林静"), "王强")
    assert "由新证书取代" in str(application.people_standing.problem("p004", before))
    assert application.people_standing.problem("p004", done.certificate) is None
    assert application.people.known("王强").certificate == done.certificate


def test_who_may_not_register_change_or_retire_is_told_so(application: Application) -> None:
    people = application.people
    clerk, head = application.person("王强"), application.person("周明")
    with pytest.raises(PostNeededError, match="王强不任这些岗位"):
        people.register(clerk, name="郑浩", posts=CLERK, identity_check="身份证 1234")
    with pytest.raises(PostNeededError):
        people.change_posts(clerk, "刘洋", CLERK, reason="调岗")
    with pytest.raises(PostNeededError):
        people.retire(clerk, "刘洋", reason="离职")
    with pytest.raises(OwnPersonError):
        people.change_posts(head, "周明", CLERK, reason="调岗")
    with pytest.raises(OwnPersonError):
        people.retire(head, "p001", reason="离职")
    assert len(application.people_standing.history().people()) == 8


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"person": "p001"}, PersonIdTakenError),
        ({"person": "P004"}, PersonIdTakenError),
        ({"person": "../x"}, PersonDetailsError),
        ({"person": "9"}, PersonDetailsError),
        ({"name": "王强"}, PersonNameTakenError),
        ({"name": " "}, PersonDetailsError),
        ({"name": "郑\u202e浩"}, PersonDetailsError),
        ({"name": "浩" * 61}, PersonDetailsError),
        ({"posts": [PostHeld("sales_clark")]}, UnknownPostError),
        ({"posts": []}, PersonDetailsError),
        ({"posts": [PostHeld("sales_clerk", date(2026, 2, 1), date(2026, 1, 1))]}, PersonDetailsError),
        ({"identity_check": " "}, PersonDetailsError),
    ],
)
def test_details_that_cannot_stand_are_refused_before_anything_is_filed(
    application: Application, changed: dict[str, object], error: type[Exception]
) -> None:
    tip = application.archive.tip()
    details: dict[str, object] = {"name": "郑浩", "posts": CLERK, "identity_check": "身份证 1234"}
    with pytest.raises(error):
        application.people.register(application.person("周明"), **(details | changed))  # type: ignore[arg-type]
    assert application.archive.tip() == tip


def test_posts_change_with_their_days_in_chain_and_file(application: Application) -> None:
    held = [PostHeld("service_engineer", date(2026, 1, 1), date(2026, 3, 31)), PostHeld("组长", date(2026, 1, 1))]
    done = application.people.change_posts(application.person("林静"), "刘洋", held, reason="任组长")
    assert [item.post for item in done.person.held] == ["service_engineer", "team_leader"]
    assert done.filed.statement.old["posts"] == [{"post": "service_engineer", "since": None, "until": None}]
    assert differences(application) == []
    assert "刘洋" in [person.name for person in application.staff.people.values()]
    with pytest.raises(ReasonNeededError):
        application.people.change_posts(application.person("林静"), "刘洋", held, reason=" ")


def test_somebody_in_charge_who_can_sign_must_remain(application: Application) -> None:
    people, manager = application.people, application.person("周明")
    people.change_posts(manager, "陈晓", [PostHeld("hr_clerk")], reason="兼人事")
    refresh(application)
    people.retire(manager, "林静", reason="离职")
    clerk = application.person("陈晓")
    with pytest.raises(LastInChargeError, match="周明是最后一位能签名的负责人"):
        people.retire(clerk, "周明", reason="离职")
    with pytest.raises(LastInChargeError):
        people.change_posts(clerk, "周明", CLERK, reason="调岗")
    people.register(clerk, name="郑浩", posts=[PostHeld("quality_head")], identity_check="身份证 尾号 1234")
    with pytest.raises(LastInChargeError):
        people.retire(clerk, "周明", reason="离职")
    kept = [PostHeld("general_manager")]
    assert people.change_posts(clerk, "周明", kept, reason="不再任法人").person.posts == ["general_manager"]


def test_a_retired_person_has_no_account_and_the_number_stays_taken(application: Application) -> None:
    certificate = application.people.known("刘洋").certificate
    assert certificate is not None
    application.people.retire(application.person("周明"), "刘洋", reason="离职")
    assert "已于" in str(application.people_standing.problem("p006", certificate))
    assert [item.person for item in application.personal_keys.held()].count("p006") == 0
    assert differences(application) == []
    assert application.staff.people["p006"].active is False
    with pytest.raises(PersonIdTakenError):
        application.people.register(
            application.person("周明"), name="新人", posts=CLERK, identity_check="身份证 1234", person="p006"
        )
    with pytest.raises(PersonRetiredError):
        certify(application, "刘洋")
    assert application.people.known("刘洋").active is False
    refresh(application)
    with pytest.raises(PersonRetiredError, match="刘洋已停用"):
        application.signing_in.sign_in("刘洋", PASSPHRASE)
    with pytest.raises(UnknownPersonError):
        application.people.known("从未来过")


def test_a_revoked_certificate_signs_no_more(application: Application) -> None:
    certificate = application.people.known("王强").certificate
    assert certificate is not None
    with pytest.raises(PostNeededError):
        application.enrolment.revoke(application.person("刘洋"), "王强", reason="电脑被盗")
    application.enrolment.revoke(application.person("林静"), "王强", reason="电脑被盗")
    assert "吊销" in str(application.people_standing.problem("p004", certificate))
    with pytest.raises(NoCertificateError):
        application.enrolment.revoke(application.person("林静"), "王强", reason="再来一次")
    refresh(application)
    with pytest.raises(CertificateNotCountingError, match="吊销"):
        application.signing_in.sign_in("王强", PASSPHRASE)
    done = certify(application, "王强")
    assert done.missing == 2


def test_the_key_in_use_goes_on_until_the_new_certificate_counts(application: Application) -> None:
    old = application.people.known("王强").certificate
    done = certify(application, "王强")
    assert application.signing_in.sign_in("王强", PASSPHRASE).signer.certificate == old
    with pytest.raises(PassphraseWrongError, match="王强的签名口令"):
        application.signing_in.sign_in("王强", NEW)
    application.enrolment.confirm(application.person("周明"), "王强")
    assert application.signing_in.sign_in("王强", PASSPHRASE).signer.certificate == old
    application.enrolment.confirm(application.person("林静"), "王强")
    assert application.signing_in.sign_in("王强", NEW).signer.certificate == done.certificate
    assert application.personal_keys.pending() == {}


def test_a_key_that_came_to_count_elsewhere_is_taken_into_use_at_the_next_login(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = certify(application, "王强")
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(application.personal_keys, "settle", lambda: None)
        for witness in ("周明", "林静"):
            application.enrolment.confirm(application.person(witness), "王强")
        assert application.personal_keys.pending() == {"p004": done.certificate}
    assert application.signing_in.sign_in("王强", NEW).signer.certificate == done.certificate


def test_a_new_certificate_that_somebody_else_applied_for_is_withdrawn_and_nothing_is_lost(
    application: Application,
) -> None:
    old = application.people.known("王强").certificate
    certify(application, "王强")
    with pytest.raises(PostNeededError):
        application.enrolment.withdraw(application.person("刘洋"), "王强", reason="不是本人申请")
    filed = application.enrolment.withdraw(application.person("王强"), "王强", reason="不是本人申请")
    assert (filed.statement.event.value, filed.statement.subject) == ("person-revoked", "p004")
    assert application.people_standing.open_enrolments() == []
    assert application.people.known("王强").certificate == old
    assert application.personal_keys.pending() == {}
    assert application.signing_in.sign_in("王强", PASSPHRASE).signer.certificate == old
    with pytest.raises(NothingToConfirmError):
        application.enrolment.withdraw(application.person("王强"), "王强", reason="再来一次")


def test_what_is_revoked_is_the_certificate_that_counts_whatever_else_was_applied_for(application: Application) -> None:
    old = application.people.known("王强").certificate
    certify(application, "王强")
    filed = application.enrolment.revoke(application.person("王强"), "王强", reason="电脑被盗")
    assert old is not None
    assert filed.statement.new["certificate"] == old.text


def test_everybody_may_revoke_their_own_certificate(application: Application) -> None:
    filed = application.enrolment.revoke(application.person("刘洋"), "刘洋", reason="口令可能泄露")
    assert filed.statement.by is not None
    assert filed.statement.by.person == "p006"
    with pytest.raises(CertificateNotCountingError):
        application.person("刘洋")


def test_witnesses_are_two_other_people_with_the_post(application: Application) -> None:
    register(application)
    with pytest.raises(NothingToConfirmError):
        application.enrolment.confirm(application.person("周明"), "郑浩")
    certify(application, "郑浩")
    certify(application, "林静")
    with pytest.raises(OwnEnrolmentError):
        application.enrolment.confirm(application.person("林静"), "林静")
    with pytest.raises(PostNeededError):
        application.enrolment.confirm(application.person("王强"), "郑浩")
    application.enrolment.confirm(application.person("周明"), "郑浩")
    with pytest.raises(AlreadyWitnessedError):
        application.enrolment.confirm(application.person("周明"), "郑浩")


def test_a_certificate_takes_the_authoritys_passphrase_a_good_own_one_and_the_persons_word(
    application: Application,
) -> None:
    register(application)
    tip = application.archive.tip()
    with pytest.raises(PassphraseTooWeakError):
        certify(application, "郑浩", "12345678")
    with pytest.raises(AcknowledgementNeededError):
        application.enrolment.certify(
            "郑浩", passphrase=NEW, authority_passphrase=PASSPHRASE, reason="新员工", acknowledged=False
        )
    with pytest.raises(PassphraseWrongError):
        application.enrolment.certify(
            "郑浩", passphrase=NEW, authority_passphrase=OTHER, reason="新员工", acknowledged=True
        )
    assert application.archive.tip() == tip
    assert "p009" not in [item.person for item in application.personal_keys.held()]


def test_a_new_root_takes_two_people_and_everybody_goes_on_until_enrolled_anew(application: Application) -> None:
    head, quality = application.person("周明"), application.person("林静")
    with pytest.raises(SecondPersonNeededError):
        application.authority_control.replace(head, None, passphrase=NEW, reason="密钥丢失")
    with pytest.raises(SecondPersonNeededError):
        application.authority_control.replace(head, head, passphrase=NEW, reason="密钥丢失")
    with pytest.raises(PostNeededError):
        application.authority_control.replace(head, application.person("王强"), passphrase=NEW, reason="密钥丢失")
    done = application.authority_control.replace(head, quality, passphrase=NEW, reason="密钥丢失")
    assert done.in_force
    assert application.controlled_files.read(ROOT_FILE) == to_pem(done.root)
    assert application.people_standing.history().roots[-1] == Digest.of(done.root)
    assert application.person("王强").signatory.name == "王强"
    anew = application.enrolment.certify(
        "王强", passphrase=NEW, authority_passphrase=NEW, reason="更换根证书", acknowledged=True
    )
    for witness in (head, quality):
        anew = application.enrolment.confirm(witness, "王强")
    assert anew.missing == 0
    assert application.people_standing.problem("p004", anew.certificate) is None


def test_an_outside_certificate_is_enrolled_with_its_issuer(application: Application) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

    from tests.signers import outside_authority

    register(application)
    outside = outside_authority()

    def brought(name: str, *, whole: bool = True) -> bytes:
        key = outside.new_key("310101", name)
        above = [x509.load_der_x509_certificate(outside.root)] if whole else None
        certificate = x509.load_der_x509_certificate(key.certificate)
        protection = BestAvailableEncryption(OTHER.encode())
        return pkcs12.serialize_key_and_certificates(b"x", key.private, certificate, above, protection)

    data = brought("郑浩")
    words = {"passphrase": NEW, "reason": "外部机构证书", "acknowledged": True}
    with pytest.raises(PassphraseWrongError):
        application.enrolment.take_in("郑浩", data, its_passphrase=NEW, **words)  # type: ignore[arg-type]
    for other in (brought("别人"), brought("郑浩", whole=False)):
        with pytest.raises(OutsideCertificateError):
            application.enrolment.take_in("郑浩", other, its_passphrase=OTHER, **words)  # type: ignore[arg-type]
    done = application.enrolment.take_in("郑浩", data, its_passphrase=OTHER, **words)  # type: ignore[arg-type]
    assert done.filed.statement.new["issuers"] == [Digest.of(outside.root).text]
    for witness in ("周明", "林静"):
        done = application.enrolment.confirm(application.person(witness), "郑浩")
    assert done.missing == 0
    assert application.people_standing.problem("p009", done.certificate) is None


def test_rules_that_change_later_do_not_undo_what_was_right_before(application: Application) -> None:
    standing = application.people_standing
    versions = application.controlled_text("signatures/signing.yml")
    stricter = versions.replace("registrar_posts: [general_manager,", "registrar_posts: [")
    seconds = int(application.clock.now().timestamp())
    from controller.services.people_standing import PeopleStanding

    later = PeopleStanding(
        application.archive,
        application.clock,
        SigningRules(registrar_posts=("quality_head", "hr_clerk")),
        lambda: [(0, versions.encode()), (seconds, stricter.encode())],
    )
    assert stricter != versions
    assert later.history().people() == standing.history().people()
