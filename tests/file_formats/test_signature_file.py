from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from asn1crypto import cms, tsp, x509
from hypothesis import example, given, settings
from hypothesis import strategies as st

from controller.domain.identifiers import Digest
from controller.file_formats.certificate_file import CertificateDamagedError
from controller.file_formats.signature_file import (
    KeyNotOfCertificateError,
    SignatureDamagedError,
    certificates_in,
    check_signature,
)
from tests.real_tools import need
from tests.signed_bytes import AT, DATA, attribute, filed, lin, outcome, outside, resigned, signed
from tests.signers import TestCompany, TestKey, company, other_company, outside_authority, pem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# --- what is signed and found


@pytest.mark.parametrize("key", [lin, outside], ids=["ecdsa", "rsa"])
def test_a_signature_tells_who_signed_and_when(key: Callable[[], TestKey]) -> None:
    checked = check_signature(signed(key=key()), DATA)
    assert checked.intact
    assert checked.certificate == Digest.of(key().certificate)
    assert checked.signed_at == AT
    assert checked.signed_at.tzinfo is UTC


@given(st.binary(max_size=300), st.integers(-2_000_000_000, 7_000_000_000))
def test_any_bytes_and_any_moment_come_back(data: bytes, seconds: int) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds, microseconds=999_999)
    checked = check_signature(signed(data, at=at), data)
    assert checked.intact
    assert checked.signed_at == at.replace(microsecond=0)


@pytest.mark.parametrize(
    ("at", "written"),
    [
        ("1949-12-31T23:59:59+00:00", b"\x18\x0f19491231235959Z"),
        ("1950-01-01T00:00:00+00:00", b"\x17\x0d500101000000Z"),
        ("2026-05-01T09:30:00+08:00", b"\x17\x0d260501013000Z"),
        ("2049-12-31T23:59:59+00:00", b"\x17\x0d491231235959Z"),
        ("2050-01-01T00:00:00+00:00", b"\x18\x0f20500101000000Z"),
    ],
)
def test_the_signing_time_is_written_in_utc_as_the_standard_says(at: str, written: bytes) -> None:
    p7s = signed(at=datetime.fromisoformat(at))
    assert written in p7s
    assert check_signature(p7s, DATA).signed_at == datetime.fromisoformat(at)


def test_a_signing_time_without_zone_is_a_mistake_of_the_program() -> None:
    with pytest.raises(ValueError, match="zone"):
        signed(at=AT.replace(tzinfo=None))


def test_the_certificates_come_back_with_the_signers_first() -> None:
    assert certificates_in(signed()) == [lin().certificate, company().root]


def test_a_chain_of_three_keeps_its_order() -> None:
    key = replace(lin(), issuers=(other_company().root, company().root))
    p7s = signed(key=key)
    assert certificates_in(p7s) == [lin().certificate, other_company().root, company().root]
    assert check_signature(p7s, DATA).intact


def test_another_library_reads_the_four_signed_attributes() -> None:
    content = cms.ContentInfo.load(signed(), strict=True)["content"]
    signer = content["signer_infos"][0]
    found = {item["type"].native: item["values"] for item in signer["signed_attrs"]}
    assert content["version"].native == "v1"
    assert content["encap_content_info"]["content"].native is None
    assert found.keys() == {"content_type", "message_digest", "signing_time", "signing_certificate_v2"}
    assert found["signing_time"].native == [AT]
    named = [item["cert_hash"].native for item in found["signing_certificate_v2"][0]["certs"]]
    assert named == [bytes.fromhex(Digest.of(each).text[7:]) for each in (lin().certificate, company().root)]
    assert signer["unsigned_attrs"].native is None


def test_a_key_that_is_not_of_its_certificate_signs_nothing() -> None:
    other = company().key("p003", "王芳")
    with pytest.raises(KeyNotOfCertificateError):
        signed(key=TestKey(other.private, lin().certificate, lin().issuers))
    with pytest.raises(KeyNotOfCertificateError):
        signed(key=TestKey(outside().private, lin().certificate, lin().issuers))
    with pytest.raises(KeyNotOfCertificateError):
        signed(key=TestKey(other.private, outside().certificate, ()))


def test_a_key_with_a_damaged_certificate_signs_nothing() -> None:
    with pytest.raises(CertificateDamagedError):
        signed(key=replace(lin(), certificate=lin().certificate[:-1]))


# --- what is noticed


@pytest.mark.parametrize("mask", [0x01, 0x20, 0x80, 0xFF])
def test_no_byte_of_a_signature_can_be_changed(mask: int) -> None:
    p7s = signed()
    unnoticed = []
    for at in range(len(p7s)):
        changed = p7s[:at] + bytes([p7s[at] ^ mask]) + p7s[at + 1 :]
        if outcome(changed) == "intact":
            unnoticed.append(at)
    assert unnoticed == []


@settings(max_examples=400)
@given(st.data())
def test_no_edit_of_signature_or_data_goes_unnoticed(source: st.DataObject) -> None:
    p7s = filed(source.draw(st.sampled_from([lin(), outside()])))
    original = source.draw(st.sampled_from([p7s, DATA]))
    begin = source.draw(st.integers(0, len(original)))
    end = source.draw(st.integers(begin, min(len(original), begin + 40)))
    changed = original[:begin] + source.draw(st.binary(max_size=40)) + original[end:]
    result = outcome(changed, DATA) if original is p7s else outcome(p7s, changed)
    assert (result == "intact") == (changed == original)


@given(st.binary(max_size=400))
@example(b"")
@example(b"\x30\x80")
@example(b"\x30\x84\xff\xff\xff\xff")
@example(b"\x30" * 400)
@example(b"\x30\x82\x03\xe8" * 100)
def test_bytes_that_are_no_signature_are_called_damaged(data: bytes) -> None:
    assert outcome(data) == "damaged"


def test_a_signature_of_a_hundred_megabytes_is_refused_at_once() -> None:
    with pytest.raises(SignatureDamagedError, match="文件过大") as raised:
        check_signature(b"\x30" * 100_000_000, DATA, where="records/0001.p7s")
    assert raised.value.where == "records/0001.p7s"


def test_a_signature_over_other_bytes_is_not_intact() -> None:
    assert outcome(signed(), DATA + b" ") == "not intact"
    assert outcome(signed(b"other")) == "not intact"


def test_the_same_holder_under_another_certificate_is_noticed() -> None:
    """A certificate with the same issuer, serial and key, but a longer validity, put in the place of the first."""
    key = lin()
    longer = x509.Certificate.load(key.certificate)
    longer["tbs_certificate"]["validity"]["not_after"] = x509.Time({"utc_time": datetime(2049, 1, 1, tzinfo=UTC)})
    forged = longer.dump(force=True)
    assert forged != key.certificate

    def exchange(content: Any) -> None:
        others = [each for each in content["certificates"] if each.dump() != key.certificate]
        content["certificates"] = cms.CertificateSet([*others, cms.CertificateChoices("certificate", longer)])

    assert outcome(resigned(exchange)) == "not intact"


def test_a_certificate_that_the_signature_does_not_name_is_noticed() -> None:
    def add(content: Any) -> None:
        content["certificates"].append(x509.Certificate.load(other_company().root))

    assert outcome(resigned(add)) == "not intact"


def test_a_named_certificate_that_is_missing_is_noticed() -> None:
    def drop(content: Any) -> None:
        mine = [each for each in content["certificates"] if each.chosen.dump() == lin().certificate]
        content["certificates"] = cms.CertificateSet(mine)

    assert outcome(resigned(drop)) == "not intact"


def test_another_order_of_named_certificates_is_noticed() -> None:
    def turn(content: Any) -> None:
        certs = attribute(content, "signing_certificate_v2")["values"][0]["certs"]
        attribute(content, "signing_certificate_v2")["values"] = [
            tsp.SigningCertificateV2({"certs": [certs[1], certs[0]]})
        ]

    assert outcome(resigned(turn)) == "not intact"


# --- openssl, both ways


def openssl(command: str, *words: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([need("openssl"), *command.split(), *words], cwd=folder, capture_output=True, check=False)


def verify(folder: Path, p7s: bytes, data: bytes, root: bytes, *, at: datetime = AT, more: tuple[str, ...] = ()) -> str:
    (folder / "x.p7s").write_bytes(p7s)
    (folder / "x.json").write_bytes(data)
    (folder / "root.pem").write_bytes(pem(root))
    words = "cms -verify -binary -inform DER -in x.p7s -content x.json -CAfile root.pem -purpose any -out seen"
    result = openssl(words, "-attime", str(int(at.timestamp())), *more, folder=folder)
    if result.returncode == 0:
        assert (folder / "seen").read_bytes() == data
        return "good"
    return result.stderr.decode()


@pytest.mark.parametrize(("key", "root"), [(lin, company), (outside, outside_authority)], ids=["ecdsa", "rsa"])
def test_openssl_finds_a_signature_good(
    tmp_path: Path, key: Callable[[], TestKey], root: Callable[[], TestCompany]
) -> None:
    p7s = signed(key=key())
    assert verify(tmp_path, p7s, DATA, root().root) == "good"
    assert verify(tmp_path, p7s, DATA, root().root, more=("-cades",)) == "good"
    assert "content verify error" in verify(tmp_path, p7s, DATA + b" ", root().root)
    assert "certificate verify error" in verify(tmp_path, p7s, DATA, other_company().root)


def test_openssl_finds_a_signature_good_after_2049(tmp_path: Path) -> None:
    late = datetime(2061, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert verify(tmp_path, signed(at=late), DATA, company().root) == "good"


def test_openssl_finds_an_expired_signer_good_only_as_of_the_signing_time(tmp_path: Path) -> None:
    since = datetime(2021, 1, 1, tzinfo=UTC)
    key = company().key("p009", "孙敏", since=since, until=datetime(2024, 1, 1, tzinfo=UTC))
    at = datetime(2023, 12, 31, tzinfo=UTC)
    p7s = signed(at=at, key=key)
    assert verify(tmp_path, p7s, DATA, company().root, at=at) == "good"
    assert "expired" in verify(tmp_path, p7s, DATA, company().root, at=AT)
    assert check_signature(p7s, DATA).intact


@pytest.mark.parametrize("key", [lin, outside], ids=["ecdsa", "rsa"])
def test_a_signature_made_by_openssl_is_intact(tmp_path: Path, key: Callable[[], TestKey]) -> None:
    (tmp_path / "key.pem").write_bytes(key().pem())
    (tmp_path / "certificate.pem").write_bytes(pem(key().certificate))
    (tmp_path / "x.json").write_bytes(DATA)
    words = "cms -sign -cades -binary -nosmimecap -outform DER -signer certificate.pem -inkey key.pem"
    result = openssl(words, "-in", "x.json", "-out", "x.p7s", folder=tmp_path)
    assert result.returncode == 0, result.stderr
    p7s = (tmp_path / "x.p7s").read_bytes()
    assert outcome(p7s) == "intact"
    assert certificates_in(p7s) == [key().certificate]
    assert outcome(p7s, DATA[:-1]) == "not intact"


def test_a_signature_by_openssl_without_the_named_certificate_is_called_damaged(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(lin().pem())
    (tmp_path / "certificate.pem").write_bytes(pem(lin().certificate))
    (tmp_path / "x.json").write_bytes(DATA)
    words = "cms -sign -binary -nosmimecap -outform DER -signer certificate.pem -inkey key.pem"
    assert openssl(words, "-in", "x.json", "-out", "x.p7s", folder=tmp_path).returncode == 0
    assert outcome((tmp_path / "x.p7s").read_bytes()) == "damaged"
