"""Keys and certificates of an outside authority, taken in from a PKCS#12 file."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

import pytest
from asn1crypto import pkcs12 as asn1_pkcs12
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from controller.adapters.personal_keys import Pkcs12Keys
from controller.domain.personal_key import (
    KeyUnsupportedError,
    OutsideKeyRefusedError,
    PassphraseWrongError,
)
from tests.key_folders import AT, WORDS
from tests.real_tools import need

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from controller.adapters.unlocked_key import UnlockedKey


@pytest.fixture
def keys(tmp_path: Path) -> Pkcs12Keys:
    return Pkcs12Keys(tmp_path / "private" / "keys")


@cache
def rsa_key(size: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, size)


PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def certified(
    key: PrivateKey,
    name: str,
    *,
    issuer: tuple[str, PrivateKey] | None = None,
    ca: bool = False,
    years: int = 2,
    signing: bool = True,
) -> x509.Certificate:
    above, above_key = issuer or (name, key)

    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    since = AT - timedelta(days=30)
    until = since + timedelta(days=365 * years)
    usage = x509.KeyUsage(signing, False, not signing, False, False, ca, ca, False, False)
    return (
        x509.CertificateBuilder(named(above), named(name), key.public_key(), 7, since, until)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(above_key, hashes.SHA256())
    )


def outside_file(
    folder: Path,
    key: PrivateKey,
    certificates: Sequence[x509.Certificate],
    *options: str,
    words: str = "其 outside 1",
) -> bytes:
    """A PKCS#12 file as openssl makes it."""
    pem, none = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, none))
    (folder / "certificates.pem").write_bytes(b"".join(item.public_bytes(pem) for item in certificates))
    command = [need("openssl"), "pkcs12", "-export", "-inkey", "key.pem", "-in", "certificates.pem"]
    made = subprocess.run(
        [*command, "-passout", "env:WORDS", *options],
        cwd=folder,
        env={**os.environ, "WORDS": words, "LC_ALL": "C.UTF-8"},
        capture_output=True,
        check=True,
    )
    return made.stdout


def take_in(keys: Pkcs12Keys, data: bytes, words: str = "其 outside 1") -> UnlockedKey:
    return keys.take_in("p002", data, its_passphrase=words, passphrase=WORDS, at=AT)


@pytest.mark.skipif(sys.platform == "win32", reason="passphrases in other encodings in the environment")
def test_an_outside_key_is_taken_in_with_its_chain(keys: Pkcs12Keys, tmp_path: Path) -> None:
    top, middle = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP384R1())
    root = certified(top, "Root", ca=True)
    between = certified(middle, "Issuing", issuer=("Root", top), ca=True)
    stranger = certified(ec.generate_private_key(ec.SECP256R1()), "Root", ca=True)
    own = certified(rsa_key(), "林静", issuer=("Issuing", middle))
    der = serialization.Encoding.DER
    for options in ((), ("-legacy",), ("-certpbe", "NONE"), ("-descert", "-keypbe", "PBE-SHA1-3DES")):
        data = outside_file(tmp_path, rsa_key(), [own, stranger, root, between], *options)
        taken = take_in(keys, data)
        unlocked = keys.unlock("p002", WORDS)
        assert taken.certificate == unlocked.certificate == own.public_bytes(der)
        assert list(unlocked.issuers) == [between.public_bytes(der), root.public_bytes(der)]
        assert unlocked.kind == "rsa"
        rsa_key().public_key().verify(unlocked.sign_raw(b"words"), b"words", padding.PKCS1v15(), hashes.SHA256())
    with pytest.raises(PassphraseWrongError):
        take_in(keys, data, "something else")


def test_an_outside_p256_key_is_taken_in(keys: Pkcs12Keys, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    taken = take_in(keys, outside_file(tmp_path, key, [certified(key, "林静")], words="plain"), "plain")
    assert taken.kind == "ecdsa"
    assert list(taken.issuers) == []


@pytest.mark.parametrize("size", [1024, 2047])
def test_a_short_rsa_key_is_refused(keys: Pkcs12Keys, tmp_path: Path, size: int) -> None:
    key = rsa_key(size)
    with pytest.raises(KeyUnsupportedError, match=f"RSA {size}"):
        take_in(keys, outside_file(tmp_path, key, [certified(key, "林静")], words="plain"), "plain")
    assert keys.held() == ()


def test_a_key_on_another_curve_is_refused(keys: Pkcs12Keys, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    with pytest.raises(KeyUnsupportedError, match="secp384r1"):
        take_in(keys, outside_file(tmp_path, key, [certified(key, "林静")], words="plain"), "plain")


def test_a_certificate_that_is_not_for_a_persons_signature_now_is_refused(keys: Pkcs12Keys, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    for certificate, told in (
        (certified(key, "林静", years=0), "有效期"),
        (certified(key, "CA", ca=True), "发证机构"),
        (certified(key, "林静", signing=False), "用途"),
    ):
        with pytest.raises(OutsideKeyRefusedError, match=told):
            take_in(keys, outside_file(tmp_path, key, [certificate], words="plain"), "plain")
    assert keys.held() == ()


def test_a_file_that_is_no_pkcs12_with_a_key_is_refused(keys: Pkcs12Keys, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    only_certificate = outside_file(tmp_path, key, [certified(key, "林静")], "-nokeys", words="plain")
    sound = outside_file(tmp_path, key, [certified(key, "林静")], words="plain")
    endless = asn1_pkcs12.Pfx.load(sound)
    endless["mac_data"]["iterations"] = 2**31 - 1
    for data in (b"", b"PK\x03\x04", sound[:-5], sound + b"\0", only_certificate, bytes(2_000_000), endless.dump()):
        with pytest.raises(OutsideKeyRefusedError):
            take_in(keys, data, "plain")
