"""What the company's own authority certifies, and what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from controller.adapters.personal_keys import FileAuthorityKey
from controller.domain.personal_key import (
    AuthorityKeyDamagedError,
    AuthorityKeyMissingError,
    AuthorityOutOfTimeError,
    CertificateNameRefusedError,
    KeyUnsupportedError,
    PassphraseWrongError,
)
from tests.key_folders import (
    AT,
    COMPANY,
    LATER,
    NEW_WORDS,
    ROOT_WORDS,
    WORKSPACE,
    issuing,
    made_authority,
    names,
    public_key,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def authority(tmp_path: Path) -> FileAuthorityKey:
    return made_authority(tmp_path / "private")


def test_root_and_person_certificate_have_the_profile_of_the_contract(authority: FileAuthorityKey) -> None:
    der, root_der = issuing(authority)(public_key())
    root, found = x509.load_der_x509_certificate(root_der), x509.load_der_x509_certificate(der)
    assert root_der == authority.certificate()
    assert found.subject == x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, "林静"),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, "p002"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, COMPANY),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, WORKSPACE),
        ]
    )
    assert found.issuer == root.subject == root.issuer
    found.verify_directly_issued_by(root)
    assert (found.not_valid_before_utc, found.not_valid_after_utc) == (AT, AT.replace(year=2029))
    assert (root.not_valid_before_utc, root.not_valid_after_utc) == (AT, AT.replace(year=2046))
    limits = found.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (limits.critical, limits.value.ca) == (True, False)
    limits = root.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (limits.critical, limits.value.ca, limits.value.path_length) == (True, True, 0)
    usage = found.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert usage.value.content_commitment
    assert not usage.value.key_cert_sign
    above = root.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (above.key_cert_sign, above.crl_sign, above.digital_signature) == (True, True, False)
    own = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert found.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier == own
    assert found.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest != own


def test_no_two_certificates_have_the_same_serial_number(authority: FileAuthorityKey) -> None:
    issue = issuing(authority)
    spki = public_key()
    serials = [x509.load_der_x509_certificate(issue(spki)[0]).serial_number for _ in range(20)]
    assert len(set(serials)) == 20
    assert max(serials) > 1 << 100
    assert max(serials) < 1 << 128


def test_a_certificate_never_outlives_its_root(authority: FileAuthorityKey) -> None:
    late = AT.replace(year=2045)
    der, root = issuing(authority, at=late)(public_key())
    assert x509.load_der_x509_certificate(der).not_valid_after_utc == AT.replace(year=2046)
    assert x509.load_der_x509_certificate(root).not_valid_after_utc == AT.replace(year=2046)
    for moment in (AT.replace(year=2046), AT - timedelta(seconds=1)):
        with pytest.raises(AuthorityOutOfTimeError, match="2046-03-01"):
            issuing(authority, at=moment)(public_key())


def test_a_certificate_of_29_february_ends_on_28_february(authority: FileAuthorityKey) -> None:
    leap = datetime(2028, 2, 29, 1, tzinfo=UTC)
    der, _ = issuing(authority, at=leap)(public_key())
    assert x509.load_der_x509_certificate(der).not_valid_after_utc == datetime(2031, 2, 28, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", ["", "   ", "林\n静", "林\u202e静", "\u200b", "林\0静"])
def test_a_name_that_cannot_be_seen_gets_no_certificate(authority: FileAuthorityKey, name: str) -> None:
    with pytest.raises(CertificateNameRefusedError, match="姓名"):
        issuing(authority, name=name)(public_key())


def test_hostile_public_keys_get_no_certificate(authority: FileAuthorityKey) -> None:
    big = (
        rsa.generate_private_key(65537, 2048)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    for data in (b"", b"\x30\x03\x02\x01\x01", public_key(ec.SECP384R1()), public_key(ec.SECP256K1()), big):
        with pytest.raises(KeyUnsupportedError):
            issuing(authority)(data)


def test_the_authority_tells_missing_wrong_and_damaged(authority: FileAuthorityKey, tmp_path: Path) -> None:
    nowhere = FileAuthorityKey(tmp_path / "nowhere")
    assert not nowhere.present()
    assert authority.present()
    for act in (
        lambda: issuing(nowhere)(public_key()),
        nowhere.certificate,
        lambda: nowhere.change_passphrase(old=ROOT_WORDS, new=NEW_WORDS, at=AT),
    ):
        with pytest.raises(AuthorityKeyMissingError, match="没有企业证书机构"):
            act()
    assert not (tmp_path / "nowhere").exists()
    authority.change_passphrase(old=ROOT_WORDS, new=NEW_WORDS, at=LATER)
    with pytest.raises(PassphraseWrongError, match="企业证书口令"):
        issuing(authority)(public_key())
    path = tmp_path / "private/authority.p12"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(AuthorityKeyDamagedError):
        issuing(authority)(public_key())


def test_a_new_root_takes_the_place_of_the_old_one_which_is_kept(authority: FileAuthorityKey, tmp_path: Path) -> None:
    before = authority.certificate()
    root = authority.found(company=COMPANY, workspace=WORKSPACE, passphrase=NEW_WORDS, at=LATER, years=20)
    assert authority.certificate() == root != before
    assert [name.endswith(".old.p12") for name in names(tmp_path / "private")] == [True, False, False]
