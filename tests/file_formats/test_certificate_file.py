from __future__ import annotations

import subprocess
import warnings
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import example, given, settings
from hypothesis import strategies as st

from controller.domain.identifiers import Digest
from controller.file_formats.certificate_file import (
    CertificateDamagedError,
    issued_by,
    read_certificate,
    to_der,
    to_pem,
)
from tests.real_tools import need
from tests.signers import SINCE, UNTIL, company, other_company, outside_authority

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def lin() -> bytes:
    return company().key("p002", "林静").certificate


def made(key: Any, subject: x509.Name, *, authority: bool | None = None, usage: bool | None = None) -> bytes:
    """A self-signed certificate; `authority` and `usage` add basic constraints and key usage."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(0x0A1B)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
    )
    if authority is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    if usage is not None:
        flags = dict.fromkeys(
            (
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "crl_sign",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        builder = builder.add_extension(
            x509.KeyUsage(digital_signature=True, key_cert_sign=usage, **flags), critical=True
        )
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, algorithm).public_bytes(Encoding.DER)


def named(*pairs: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in pairs])


# --- what it says


def test_a_persons_certificate_tells_who_and_until_when() -> None:
    facts = read_certificate(lin())
    assert (facts.name, facts.person, facts.organisation) == ("林静", "p002", "安泽医疗器械有限公司")
    assert (facts.not_before, facts.not_after) == (SINCE, UNTIL)
    assert facts.issuer == "安泽医疗器械有限公司"
    assert facts.digest == Digest.of(lin())
    assert not facts.authority


def test_a_root_may_issue_and_names_no_person() -> None:
    facts = read_certificate(company().root_pem)
    assert facts.digest == Digest.of(company().root)
    assert (facts.name, facts.issuer) == ("安泽医疗器械有限公司", "安泽医疗器械有限公司")
    assert (facts.person, facts.organisation) == ("", "")
    assert facts.authority


def test_a_certificate_from_outside_with_an_rsa_key_is_read() -> None:
    facts = read_certificate(outside_authority().key("", "外部持证人").certificate)
    assert (facts.name, facts.issuer) == ("外部持证人", "某某电子认证服务有限公司")


def test_the_serial_number_is_told_in_hexadecimal() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    assert read_certificate(made(key, named((NameOID.COMMON_NAME, "甲")))).serial == "a1b"


@pytest.mark.parametrize(
    ("constraints", "usage", "expected"),
    [(True, True, True), (True, None, True), (True, False, False), (False, True, False), (None, True, False)],
)
def test_only_who_may_sign_certificates_is_an_authority(
    constraints: bool | None, usage: bool | None, expected: bool
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    der = made(key, named((NameOID.COMMON_NAME, "甲")), authority=constraints, usage=usage)
    assert read_certificate(der).authority is expected
    assert issued_by(der, der) is expected


def test_openssl_tells_the_same(tmp_path: Path) -> None:
    (tmp_path / "c.pem").write_bytes(to_pem(lin()))
    words = "x509 -in c.pem -noout -fingerprint -sha256 -serial -enddate -subject -nameopt utf8,sep_multiline,lname"
    result = subprocess.run([need("openssl"), *words.split()], cwd=tmp_path, capture_output=True, check=True)
    told = result.stdout.decode()
    facts = read_certificate(lin())
    assert facts.digest.text.removeprefix("sha256:").upper() in told.replace(":", "")
    assert f"serial={facts.serial.upper()}" in told.replace("serial=0", "serial=")
    assert f"notAfter={facts.not_after:%b} {facts.not_after.day:2d} " in told
    assert f"commonName={facts.name}" in told
    assert f"serialNumber={facts.person}" in told


# --- PEM


def test_pem_is_written_as_openssl_writes_it() -> None:
    pem = to_pem(lin())
    assert pem == x509.load_der_x509_certificate(lin()).public_bytes(Encoding.PEM)
    assert to_der(pem) == lin()


def test_pem_with_other_line_ends_or_text_around_is_read() -> None:
    pem = to_pem(lin())
    assert to_der(pem.replace(b"\n", b"\r\n")) == lin()
    assert to_der("Bag Attributes\n    friendlyName: 林静\n".encode() + pem + b"\n\n") == lin()


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "恰好有一张"),
        ("这不是证书".encode(), "恰好有一张"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n", "恰好有一张"),
        (b"-----BEGIN CERTIFICATE-----\n" + b" " * 200_000, "文件过大"),
        (b"-----BEGIN CERTIFICATE-----\nA?AA\n-----END CERTIFICATE-----\n", "PEM 编码不完整"),
        (b"-----BEGIN CERTIFICATE-----\nAAAAA\n-----END CERTIFICATE-----\n", "PEM 编码不完整"),
        (b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "DER"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "恰好有一张"),
    ],
)
def test_a_file_without_a_certificate_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(CertificateDamagedError, match=problem) as raised:
        read_certificate(data, where="certificates/x.pem")
    assert raised.value.where == "certificates/x.pem"


def test_a_certificate_larger_than_any_is_refused() -> None:
    with pytest.raises(CertificateDamagedError, match="文件过大"):
        read_certificate(b"\x30" * 20_000)


def test_two_certificates_in_one_file_are_refused() -> None:
    with pytest.raises(CertificateDamagedError, match="恰好有一张"):
        to_der(to_pem(lin()) + company().root_pem)


# --- hostile certificates


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        (ec.generate_private_key(ec.SECP384R1()), "公钥"),
        (ec.generate_private_key(ec.SECP256K1()), "公钥"),
        (ed25519.Ed25519PrivateKey.generate(), "公钥"),
        (rsa.generate_private_key(65537, 1024), "公钥"),  # noqa: S505 - the weak key is what is refused
    ],
    ids=["P-384", "secp256k1", "ed25519", "RSA 1024"],
)
def test_a_key_that_cannot_be_used_here_is_refused(key: Any, problem: str) -> None:
    with pytest.raises(CertificateDamagedError, match=problem):
        read_certificate(made(key, named((NameOID.COMMON_NAME, "甲"))))


def test_an_outside_authority_may_have_another_kind_of_key() -> None:
    der = made(ec.generate_private_key(ec.SECP384R1()), named((NameOID.COMMON_NAME, "某某认证")), authority=True)
    assert read_certificate(der).authority
    assert issued_by(der, der)


@pytest.mark.parametrize(
    ("subject", "problem"),
    [
        (named((NameOID.COMMON_NAME, "林静"), (NameOID.COMMON_NAME, "王芳")), "写了两次"),
        (named((NameOID.COMMON_NAME, "林静"), (NameOID.SERIAL_NUMBER, "p1"), (NameOID.SERIAL_NUMBER, "p2")), "两次"),
        (named((NameOID.COMMON_NAME, "林静\n批准")), "不可显示"),
        (named((NameOID.COMMON_NAME, "林静\u202e批准")), "不可显示"),
        (named((NameOID.ORGANIZATION_NAME, "\x1b[31m")), "不可显示"),
    ],
)
def test_a_name_that_could_deceive_is_refused(subject: x509.Name, problem: str) -> None:
    with pytest.raises(CertificateDamagedError, match=problem):
        read_certificate(made(ec.generate_private_key(ec.SECP256R1()), subject))


def test_a_certificate_of_the_first_version_is_refused() -> None:
    certificate = asn1_x509.Certificate.load(lin())
    stated = certificate["tbs_certificate"]
    stated["version"] = "v1"
    del stated["extensions"]
    with pytest.raises(CertificateDamagedError, match="第 3 版"):
        read_certificate(certificate.dump(force=True))


def with_serial(number: int) -> bytes:
    certificate = asn1_x509.Certificate.load(lin())
    certificate["tbs_certificate"]["serial_number"] = number
    data: bytes = certificate.dump(force=True)
    return data


def test_a_serial_number_below_zero_is_refused() -> None:
    with pytest.raises(CertificateDamagedError, match="负数"):
        read_certificate(with_serial(-5))


def test_an_oddity_that_the_library_warns_of_is_no_warning_here() -> None:
    odd = with_serial(0)
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        assert read_certificate(odd).serial == "0"
        assert not issued_by(odd, company().root)
    assert shown == []


@settings(max_examples=400)
@given(st.data())
def test_a_changed_certificate_is_refused_or_was_not_issued(source: st.DataObject) -> None:
    original = lin()
    begin = source.draw(st.integers(0, len(original)))
    end = source.draw(st.integers(begin, min(len(original), begin + 8)))
    changed = original[:begin] + source.draw(st.binary(max_size=8)) + original[end:]
    try:
        facts = read_certificate(changed)
        issued = issued_by(changed, company().root)
    except CertificateDamagedError:
        assert changed != original
    else:
        assert facts.digest == Digest.of(changed)
        assert issued == (changed == original)


@given(st.binary(max_size=300))
@example(b"\x30\x80\x00\x00")
@example(b"\x30\x00")
def test_hostile_bytes_are_called_damaged(data: bytes) -> None:
    with pytest.raises(CertificateDamagedError):
        read_certificate(data)


# --- who issued it


def test_an_authority_issued_its_own_root_and_its_people() -> None:
    assert issued_by(company().root, company().root)
    assert issued_by(lin(), company().root)
    outside = outside_authority()
    assert issued_by(outside.key("", "外部持证人").certificate, outside.root)


def test_another_authority_did_not() -> None:
    assert not issued_by(lin(), other_company().root)
    assert not issued_by(lin(), outside_authority().root)


def test_an_authority_of_the_same_name_did_not() -> None:
    namesake = type(company())()
    assert read_certificate(namesake.root).name == read_certificate(company().root).name
    assert not issued_by(lin(), namesake.root)


def test_a_person_is_no_authority_even_for_what_they_signed() -> None:
    key = company().key("p002", "林静")
    name = x509.load_der_x509_certificate(key.certificate).subject
    forged = (
        x509.CertificateBuilder()
        .subject_name(named((NameOID.COMMON_NAME, "王芳")))
        .issuer_name(name)
        .public_key(key.private.public_key())
        .serial_number(5)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .sign(key.private, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
    assert not issued_by(forged, key.certificate)


def test_a_signature_with_sha1_does_not_count(tmp_path: Path) -> None:
    root = outside_authority()
    (tmp_path / "root.pem").write_bytes(root.root_pem)
    (tmp_path / "root.key").write_bytes(root.root_key.pem())
    (tmp_path / "p.key").write_bytes(company().key("p002", "林静").pem())
    request = "req -new -key p.key -subj /CN=weak -out p.csr"
    sign = "x509 -req -in p.csr -CA root.pem -CAkey root.key -CAcreateserial -days 3 -{} -out p.pem -extfile v3.cnf"
    (tmp_path / "v3.cnf").write_text("basicConstraints=CA:FALSE\n", encoding="utf-8")
    subprocess.run([need("openssl"), *request.split()], cwd=tmp_path, capture_output=True, check=True)
    for digest, counts in (("sha256", True), ("sha1", False)):
        subprocess.run([need("openssl"), *sign.format(digest).split()], cwd=tmp_path, capture_output=True, check=True)
        der = to_der((tmp_path / "p.pem").read_bytes())
        assert read_certificate(der).name == "weak"
        assert issued_by(der, root.root) is counts


def test_asking_about_what_is_no_certificate_is_refused() -> None:
    with pytest.raises(CertificateDamagedError):
        issued_by(lin(), b"\x30\x00")
    with pytest.raises(CertificateDamagedError):
        issued_by(b"\x30\x00", company().root)
