"""Signatures moved, taken over, made with other keys, dated back: each is noticed and named."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from controller.bootstrap import open_workspace
from controller.domain.identifiers import Digest, RecordNumber
from controller.domain.record import Signatory
from controller.file_formats.certificate_file import to_pem
from controller.file_formats.entry_file import decode_entry, encode_entry
from controller.file_formats.sealed_file import salted, seal
from controller.file_formats.signature_file import detached_signature
from tests.signers import TestCompany, TestKey
from tests.tampering.attacking import (
    archive,
    codes,
    file,
    filed,
    key_of,
    newest,
    next_training,
    rewrite,
    told,
)
from tests.tampering.signed_company import (
    COMPLAINT,
    PASSPHRASE,
    TRAINING,
    SignedCompany,
    write,
)

if TYPE_CHECKING:
    from controller.domain.signature import SigningKey


def test_a_signature_moved_to_another_record(company: SignedCompany) -> None:
    source, target = (filed(company, TRAINING, serial, "0001.p7s") for serial in (1, 3))
    rewrite(company, {target: archive(company).files[source]})
    assert ("signature-not-intact", target) in told(company)


def test_a_witness_s_signature_moved_to_another_enrolment(company: SignedCompany) -> None:
    source, target = "people/p003/0002.p001.p7s", "people/p005/0002.p001.p7s"
    rewrite(company, {target: archive(company).files[source]})
    assert target in {path for _, path in told(company)}


def test_an_entry_signed_by_another_enrolled_person(company: SignedCompany) -> None:
    path = filed(company, TRAINING, 3, "0001.json")
    data = archive(company).files[path]
    at = datetime.fromisoformat(decode_entry(data, where=path).at)
    signature = path.replace(".json", ".p7s")
    rewrite(company, {signature: detached_signature(data, at=at, key=key_of(company, "p002"))})
    found = told(company)
    assert ("signature-wrong-certificate", signature) in found
    assert ("signature-of-another-person", signature) in found


def test_an_entry_taken_over_by_another_enrolled_person(company: SignedCompany) -> None:
    """Names, certificate and signature fit each other: only what was stated over all heads shows it."""
    path = filed(company, TRAINING, 3, "0001.json")
    entry = decode_entry(archive(company).files[path], where=path)
    key = key_of(company, "p002")
    by = Signatory("p002", "林静", "质量负责人")
    data = encode_entry(replace(entry, by=by, certificate=Digest.of(key.certificate)))
    signature = detached_signature(data, at=datetime.fromisoformat(entry.at), key=key)
    rewrite(company, {path: data, path.replace(".json", ".p7s"): signature})
    assert {"heads-not-in-history", "heads-added-differs"} & codes(company)


def issued_by_the_keeper(company: SignedCompany, person: str, name: str) -> TestKey:
    """A certificate made with the company's own authority key, by whoever keeps it."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    with closing(open_workspace(company.workspace)) as application:
        certificate, root = application.authority_key.issue(
            public,
            person=person,
            name=name,
            company=application.settings.company,
            workspace=application.settings.workspace_id,
            passphrase=PASSPHRASE,
            at=newest(company),
            years=3,
        )
    return TestKey(private, certificate, (root,))


def certificate_file(key: SigningKey | TestKey) -> dict[str, bytes]:
    return {f"certificates/{Digest.of(key.certificate).hex}.pem": to_pem(key.certificate)}


def test_a_certificate_freshly_issued_by_the_authority_s_keeper_in_another_s_name(company: SignedCompany) -> None:
    key = issued_by_the_keeper(company, "p003", "陈晓")
    signature, files = next_training(company, key)
    file(company, files | certificate_file(key))
    assert told(company) == {("certificate-not-enrolled", signature)}


def test_a_certificate_of_another_company(company: SignedCompany) -> None:
    key = TestCompany("别的公司").key("p003", "陈晓")
    signature, files = next_training(company, key)
    file(company, files | certificate_file(key))
    assert told(company) == {("certificate-not-enrolled", signature)}


def test_a_certificate_that_is_nowhere_in_the_archive(company: SignedCompany) -> None:
    signature, files = next_training(company, issued_by_the_keeper(company, "p003", "陈晓"))
    file(company, files)
    assert told(company) == {("certificate-missing", signature)}


def test_a_revoked_certificate(company: SignedCompany) -> None:
    key = key_of(company, "p006")
    signature, files = next_training(company, key, by=Signatory("p006", "刘洋", "售后服务工程师"))
    file(company, files)
    assert ("certificate-revoked", signature) in told(company)


def test_a_revoked_certificate_dated_back_before_its_revocation(company: SignedCompany) -> None:
    key = key_of(company, "p006")
    early = newest(company) - timedelta(minutes=45)
    signature, files = next_training(company, key, at=early, by=Signatory("p006", "刘洋", "售后服务工程师"))
    file(company, files)
    found = told(company)
    assert ("time-differs-from-commit", signature.replace(".p7s", ".json")) in found
    assert ("certificate-revoked", signature) in found


def test_an_expired_certificate(company: SignedCompany) -> None:
    at = newest(company) + timedelta(days=3 * 366)
    signature, files = next_training(company, key_of(company, "p003"), at=at)
    file(company, files, at=at)
    assert told(company) == {("certificate-expired", signature)}


def test_a_certificate_replaced_by_its_holder_s_next_one(company: SignedCompany, whole_company: SignedCompany) -> None:
    old = whole_company.earlier[0] / "keys"
    for path in old.rglob("p005*"):
        write(company.home / "keys" / path.relative_to(old), path.read_bytes())
    key = key_of(company, "p005")
    signature, files = next_training(company, key, by=Signatory("p005", "赵敏", "售后服务部经理"))
    file(company, files)
    assert ("certificate-replaced", signature) in told(company)


def test_a_record_filed_with_git_alone(company: SignedCompany) -> None:
    signature, files = next_training(company, key_of(company, "p003"))
    file(company, {path: data for path, data in files.items() if path != signature})
    assert told(company) == {("signature-missing", signature)}


def test_sealed_values_exchanged(company: SignedCompany) -> None:
    first, second = (filed(company, COMPLAINT, serial, "0001.sealed") for serial in (1, 3))
    files = archive(company).files
    rewrite(company, {first: files[second], second: files[first]})
    assert {first, second} <= {path for _, path in told(company)}


def test_sealed_values_made_up_by_somebody_who_has_the_record_s_key(company: SignedCompany) -> None:
    path = filed(company, COMPLAINT, 1, "0001.sealed")
    with closing(open_workspace(company.workspace)) as application:
        key = application.keys.get(RecordNumber(path.split("/")[4]))
    assert key is not None
    rewrite(company, {path: seal(salted({"content": "一切正常"}), key)})
    assert ("sealed-differs", path) in told(company)


def test_stamps_exchanged(company: SignedCompany) -> None:
    first, second = (f"timestamps/0000/00/0000000{number}.tsr" for number in (1, 2))
    files = archive(company).files
    rewrite(company, {first: files[second], second: files[first]})
    assert {("stamp-invalid", first), ("stamp-invalid", second)} <= told(company)
