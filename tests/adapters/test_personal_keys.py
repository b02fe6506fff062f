from __future__ import annotations

import logging
import os
import pickle
import shutil
import stat
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from asn1crypto import pkcs12 as asn1_pkcs12
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from controller.adapters import personal_keys
from controller.adapters.personal_keys import FileAuthorityKey, Pkcs12Keys
from controller.adapters.private_file import PrivateFolderUnusableError
from controller.domain.errors import QmsError
from controller.domain.personal_key import (
    AuthorityKeyDamagedError,
    AuthorityKeyMissingError,
    AuthorityOutOfTimeError,
    CertificateNameRefusedError,
    KeyOwnerRefusedError,
    KeyUnsupportedError,
    OutsideKeyRefusedError,
    PassphraseWrongError,
    PersonalKeyDamagedError,
    PersonalKeyMissingError,
)
from controller.file_formats.signature_file import check_signature, detached_signature
from tests.filing_process import processes
from tests.key_process import KILLED, change, change_and_die, change_on_a_full_disk
from tests.real_tools import need

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from controller.adapters.unlocked_key import UnlockedKey

COMPANY, WORKSPACE = "安泽医疗器械有限公司", "6a1f6a1e-7c52-4d0e-9b42-6a4f0f3f9f10"
AT = datetime(2026, 3, 1, 9, 0, tzinfo=timezone(timedelta(hours=8)))
LATER = AT + timedelta(days=200)
ROOT_WORDS, WORDS, NEW_WORDS = "封存在保险柜里的七个词", "西湖边的柳树绿了三次", "Tulip Kettle Orbit 91"


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(personal_keys, "ROUNDS", 10)


@pytest.fixture
def authority(tmp_path: Path) -> FileAuthorityKey:
    found = FileAuthorityKey(tmp_path / "private")
    found.found(company=COMPANY, workspace=WORKSPACE, passphrase=ROOT_WORDS, at=AT, years=20)
    return found


@pytest.fixture
def keys(tmp_path: Path) -> Pkcs12Keys:
    return Pkcs12Keys(tmp_path / "private" / "keys")


def issuing(
    authority: FileAuthorityKey, person: str = "p002", name: str = "林静", at: datetime = AT, years: int = 3
) -> Callable[[bytes], Sequence[bytes]]:
    def issue(public_key: bytes) -> Sequence[bytes]:
        return authority.issue(
            public_key,
            person=person,
            name=name,
            company=COMPANY,
            workspace=WORKSPACE,
            passphrase=ROOT_WORDS,
            at=at,
            years=years,
        )

    return issue


def public_key(curve: ec.EllipticCurve | None = None) -> bytes:
    key = ec.generate_private_key(curve or ec.SECP256R1()).public_key()
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def test_a_made_key_signs_with_the_certificate_that_was_issued_for_it(
    keys: Pkcs12Keys, authority: FileAuthorityKey
) -> None:
    made = keys.make("p002", passphrase=WORDS, issue=issuing(authority), at=AT)
    again = keys.unlock("p002", WORDS)
    assert again.certificate == made.certificate
    assert list(again.issuers) == [authority.certificate()]
    holder = x509.load_der_x509_certificate(again.certificate).public_key()
    assert isinstance(holder, ec.EllipticCurvePublicKey)
    for key in (made, again):
        assert key.kind == "ecdsa"
        holder.verify(key.sign_raw(b"words"), b"words", ec.ECDSA(hashes.SHA256()))
        assert check_signature(detached_signature(b"words", at=AT, key=key), b"words").intact


def test_which_keys_a_computer_keeps_is_known_without_any_passphrase(
    keys: Pkcs12Keys, authority: FileAuthorityKey
) -> None:
    assert keys.held() == ()
    made = {
        person: keys.make(person, passphrase=WORDS, issue=issuing(authority, person), at=AT)
        for person in ("p003", "p_0-2.x")
    }
    held = keys.held()
    assert [key.person for key in held] == ["p003", "p_0-2.x"]
    assert {key.person: key.certificate for key in held} == {person: key.certificate for person, key in made.items()}
    assert {key.changed_on for key in held} == {"2026-03-01T09:00:00+08:00"}


def test_a_new_key_takes_the_place_of_the_old_one_which_is_kept(
    keys: Pkcs12Keys, authority: FileAuthorityKey, tmp_path: Path
) -> None:
    first = keys.make("p002", passphrase=WORDS, issue=issuing(authority), at=AT)
    before = (tmp_path / "private/keys/p002.p12").read_bytes()
    second = keys.make("p002", passphrase=NEW_WORDS, issue=issuing(authority, at=LATER), at=LATER)
    assert keys.unlock("p002", NEW_WORDS).certificate == second.certificate
    assert [key.certificate for key in keys.held()] == [second.certificate]
    serial = f"{x509.load_der_x509_certificate(first.certificate).serial_number:x}"
    assert (tmp_path / f"private/keys/p002.{serial}.old.p12").read_bytes() == before


def test_when_no_certificate_is_issued_the_old_key_stays(keys: Pkcs12Keys, authority: FileAuthorityKey) -> None:
    made = keys.make("p002", passphrase=WORDS, issue=issuing(authority), at=AT)

    def refusing(public: bytes) -> Sequence[bytes]:
        raise PassphraseWrongError(name="authority")

    with pytest.raises(PassphraseWrongError):
        keys.make("p002", passphrase=NEW_WORDS, issue=refusing, at=LATER)
    assert keys.unlock("p002", WORDS).certificate == made.certificate


def test_a_key_put_away_is_out_of_use_and_not_lost(
    keys: Pkcs12Keys, authority: FileAuthorityKey, tmp_path: Path
) -> None:
    keys.make("p002", passphrase=WORDS, issue=issuing(authority), at=AT)
    keys.put_away("p002")
    keys.put_away("p002")
    keys.put_away("p009")
    assert keys.held() == ()
    with pytest.raises(PersonalKeyMissingError, match="p002"):
        keys.unlock("p002", WORDS)
    (old,) = names(tmp_path / "private/keys")
    assert old.startswith("p002.")
    assert old.endswith(".old.p12")


def test_a_wrong_passphrase_is_told_from_a_missing_and_a_damaged_key(
    keys: Pkcs12Keys, authority: FileAuthorityKey, tmp_path: Path
) -> None:
    made = keys.make("p002", passphrase=WORDS, issue=issuing(authority), at=AT)
    path = tmp_path / "private/keys/p002.p12"
    sound = path.read_bytes()
    for wrong in (NEW_WORDS, "", WORDS + " ", "\ud800"):
        with pytest.raises(PassphraseWrongError, match="p002"):
            keys.unlock("p002", wrong)
    with pytest.raises(PersonalKeyMissingError):
        keys.unlock("p003", WORDS)
    for position in range(0, len(sound), 7):
        path.write_bytes(sound[:position] + bytes([sound[position] ^ 0x55]) + sound[position + 1 :])
        with pytest.raises(PersonalKeyDamagedError, match="不能使用"):
            keys.unlock("p002", WORDS)
        path.write_bytes(sound[:position])
        with pytest.raises(PersonalKeyDamagedError):
            keys.unlock("p002", WORDS)
        assert [key.certificate for key in keys.held()] == [made.certificate]
    path.write_bytes(sound + b"\0")
    with pytest.raises(PersonalKeyDamagedError):
        keys.unlock("p002", WORDS)
    path.write_bytes(sound)
    assert keys.unlock("p002", WORDS).certificate == made.certificate


def test_a_damaged_or_missing_certificate_beside_a_key_hinders_nobody(
    keys: Pkcs12Keys, authority: FileAuthorityKey, tmp_path: Path
) -> None:
    made = keys.make("p002", passphrase=WORDS, issue=issuing(authority), at=AT)
    pem = tmp_path / "private/keys/p002.pem"
    for content in (b"", b"\xff" * 100, b"-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n", None):
        if content is None:
            pem.unlink()
        else:
            pem.write_bytes(content)
        assert keys.unlock("p002", WORDS).certificate == made.certificate
        assert [key.certificate for key in keys.held()] == [made.certificate]
        with pytest.raises(PassphraseWrongError):
            keys.unlock("p002", NEW_WORDS)


def test_a_key_file_of_somebody_else_is_refused_under_this_name(
    keys: Pkcs12Keys, authority: FileAuthorityKey, tmp_path: Path
) -> None:
    keys.make("p002", passphrase=WORDS, issue=issuing(authority), at=AT)
    shutil.copy(tmp_path / "private/keys/p002.p12", tmp_path / "private/keys/p003.p12")
    with pytest.raises(PersonalKeyDamagedError, match="p002"):
        keys.unlock("p003", WORDS)
    assert [key.person for key in keys.held()] == ["p002"]


def test_changing_the_passphrase_keeps_key_and_certificate_and_sets_the_date(
    keys: Pkcs12Keys, authority: FileAuthorityKey, tmp_path: Path
) -> None:
    made = keys.make("p002", passphrase=WORDS, issue=issuing(authority), at=AT)
    with pytest.raises(PassphraseWrongError):
        keys.change_passphrase("p002", old=NEW_WORDS, new=NEW_WORDS, at=LATER)
    keys.change_passphrase("p002", old=WORDS, new=NEW_WORDS, at=LATER)
    assert keys.unlock("p002", NEW_WORDS).certificate == made.certificate
    with pytest.raises(PassphraseWrongError):
        keys.unlock("p002", WORDS)
    assert [key.changed_on for key in keys.held()] == [LATER.isoformat()]
    assert names(tmp_path / "private/keys") == ["p002.p12", "p002.pem"]
    with pytest.raises(PersonalKeyMissingError):
        keys.change_passphrase("p003", old=WORDS, new=NEW_WORDS, at=LATER)


def test_a_passphrase_typed_with_combining_characters_opens_the_same_key(
    keys: Pkcs12Keys, authority: FileAuthorityKey
) -> None:
    made = keys.make("p002", passphrase=f"cafe\u0301 {WORDS}", issue=issuing(authority), at=AT)
    assert keys.unlock("p002", f"caf\u00e9 {WORDS}").certificate == made.certificate


@pytest.mark.parametrize(
    "person",
    [
        "",
        ".",
        "..",
        "../p002",
        "a/b",
        "a\\b",
        "a:b",
        "-p",
        "p\0",
        "王",
        "con",
        "AUX.x",
        "p.",
        "p002.old",
        "x" * 41,
        "p 2",
    ],
)
def test_an_id_that_is_no_file_name_is_refused_and_touches_nothing(
    keys: Pkcs12Keys, authority: FileAuthorityKey, tmp_path: Path, person: str
) -> None:
    before = sorted(tmp_path.rglob("*"))
    for act in (
        lambda: keys.make(person, passphrase=WORDS, issue=issuing(authority), at=AT),
        lambda: keys.unlock(person, WORDS),
        lambda: keys.put_away(person),
    ):
        with pytest.raises(KeyOwnerRefusedError):
            act()
    assert sorted(tmp_path.rglob("*")) == before


def test_two_ids_that_windows_takes_for_one_are_refused(keys: Pkcs12Keys, authority: FileAuthorityKey) -> None:
    made = keys.make("p002", passphrase=WORDS, issue=issuing(authority), at=AT)
    with pytest.raises(KeyOwnerRefusedError, match="P002"):
        keys.make("P002", passphrase=NEW_WORDS, issue=issuing(authority, "P002"), at=AT)
    assert keys.unlock("p002", WORDS).certificate == made.certificate


def test_no_secret_shows_in_representation_pickle_log_or_error(
    keys: Pkcs12Keys, authority: FileAuthorityKey, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    made = keys.make("p002", passphrase=WORDS, issue=issuing(authority), at=AT)
    with pytest.raises(PassphraseWrongError) as wrong:
        keys.unlock("p002", NEW_WORDS)
    shown = f"{made!r} {made} {keys.held()!r} {wrong.value!r} {wrong.value} {wrong.value.hint} {caplog.text}"
    assert WORDS not in shown
    assert NEW_WORDS not in shown
    assert made.unprotected().hex() not in shown
    assert repr(made).startswith("UnlockedKey(sha256:")
    with pytest.raises(TypeError):
        pickle.dumps(made)
    plain = serialization.load_der_private_key(made.unprotected(), None)
    assert isinstance(plain, ec.EllipticCurvePrivateKey)
    secret = plain.private_numbers().private_value.to_bytes(32, "big")
    assert secret in made.unprotected()
    for path in (tmp_path / "private").rglob("*.p??"):
        assert secret not in path.read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX file modes")
def test_only_the_owner_may_read_key_files(keys: Pkcs12Keys, authority: FileAuthorityKey, tmp_path: Path) -> None:
    (tmp_path / "private/keys").mkdir(mode=0o755)
    keys.make("p002", passphrase=WORDS, issue=issuing(authority), at=AT)
    keys.make("p002", passphrase=WORDS, issue=issuing(authority), at=LATER)
    for folder in (tmp_path / "private", tmp_path / "private/keys"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        files = [path for path in folder.iterdir() if path.is_file() and path.suffix != ".lock"]
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


# What the certificates say


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
        rsa_key().public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
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


# What other programs make of it


@pytest.mark.skipif(sys.platform == "win32", reason="passphrases in other encodings on the command line")
@pytest.mark.parametrize("words", ["Tulip Kettle Orbit 91", WORDS, "😀会飞的紫色自行车第四辆"])
def test_openssl_opens_the_key_and_verifies_the_certificate(
    keys: Pkcs12Keys, authority: FileAuthorityKey, tmp_path: Path, words: str
) -> None:
    made = keys.make("p002", passphrase=words, issue=issuing(authority), at=AT)
    asked = {"WORDS": words, "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    opened = subprocess.run(
        [need("openssl"), "pkcs12", "-in", "private/keys/p002.p12", "-noenc", "-nocerts", "-passin", "env:WORDS"],
        cwd=tmp_path,
        env=asked,
        capture_output=True,
        check=True,
    )
    key = serialization.load_pem_private_key(opened.stdout[opened.stdout.index(b"-----BEGIN") :], None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.public_key() == x509.load_der_x509_certificate(made.certificate).public_key()
    moment = str(int(LATER.timestamp()))
    verify = [need("openssl"), "verify", "-x509_strict", "-attime", moment, "-CAfile", "private/authority.pem"]
    done = subprocess.run([*verify, "private/keys/p002.pem"], cwd=tmp_path, capture_output=True, check=True)
    assert done.stdout.strip().endswith(b": OK")


def test_the_real_number_of_rounds_protects_key_and_seal(tmp_path: Path) -> None:
    # A process of its own: in this one tests have lowered the number.
    script = """
import sys; from datetime import UTC, datetime; from pathlib import Path
from controller.adapters.personal_keys import FileAuthorityKey
FileAuthorityKey(Path(sys.argv[1])).found(
    company="A", workspace="W", passphrase="Tulip Kettle Orbit 91", at=datetime(2026, 3, 1, tzinfo=UTC), years=20)
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
    shown = subprocess.run(
        [need("openssl"), "pkcs12", "-info", "-noout", "-in", "authority.p12", "-passin", "pass:Tulip Kettle Orbit 91"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
        text=True,
    ).stderr
    seal, key = (line for line in shown.splitlines() if "Iteration" in line)
    assert seal == "MAC: sha256, Iteration 1200000"
    assert key == "Shrouded Keybag: PBES2, PBKDF2, AES-256-CBC, Iteration 600000, PRF hmacWithSHA256"


# Keys of outside authorities


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


# Power cuts, full disks, other programs


def test_killed_at_any_moment_a_change_leaves_the_old_or_the_new_key(
    keys: Pkcs12Keys, authority: FileAuthorityKey, tmp_path: Path
) -> None:
    made = keys.make("p002", passphrase=WORDS, issue=issuing(authority), at=AT)
    folder = tmp_path / "private" / "keys"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    outcomes = []
    for step in range(1, 60):
        for path in folder.iterdir():
            path.unlink()
        for name, data in before.items():
            (folder / name).write_bytes(data)
        child = processes().Process(target=change_and_die, args=(str(folder), step, WORDS, NEW_WORDS))
        child.start()
        child.join()
        assert child.exitcode in {0, KILLED}
        opened, refused = [], []
        for words in (WORDS, NEW_WORDS):
            try:
                assert keys.unlock("p002", words).certificate == made.certificate
                opened.append(words)
            except PassphraseWrongError:
                refused.append(words)
        assert len(opened) == len(refused) == 1
        assert [key.certificate for key in keys.held()] == [made.certificate]
        outcomes.append((child.exitcode, opened[0]))
        if child.exitcode == 0:
            break
        keys.change_passphrase("p002", old=opened[0], new="again 柳树绿了三次", at=LATER)
        assert names(folder) == ["p002.p12", "p002.pem"]
    assert outcomes[0] == (KILLED, WORDS)
    assert (KILLED, NEW_WORDS) in outcomes
    assert outcomes[-1] == (0, NEW_WORDS)


def test_of_two_changes_at_once_one_is_done_and_the_other_refused(
    keys: Pkcs12Keys, authority: FileAuthorityKey, tmp_path: Path
) -> None:
    keys.make("p002", passphrase=WORDS, issue=issuing(authority), at=AT)
    folder = str(tmp_path / "private" / "keys")
    context = processes()
    running = []
    for new in ("first 柳树绿了", "second 柳树绿了"):
        mine, theirs = context.Pipe(duplex=False)
        child = context.Process(target=change, args=(folder, WORDS, new, theirs))
        child.start()
        running.append((new, child, mine))
    done = {new: mine.recv() for new, _, mine in running}
    for _, child, _ in running:
        child.join()
    (winner,) = [new for new, changed in done.items() if changed]
    keys.unlock("p002", winner)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX limits")
def test_a_full_disk_is_told_and_leaves_the_old_key(
    keys: Pkcs12Keys, authority: FileAuthorityKey, tmp_path: Path
) -> None:
    made = keys.make("p002", passphrase=WORDS, issue=issuing(authority), at=AT)
    folder = tmp_path / "private" / "keys"
    mine, theirs = processes().Pipe(duplex=False)
    child = processes().Process(target=change_on_a_full_disk, args=(str(folder), WORDS, NEW_WORDS, theirs))
    child.start()
    assert mine.recv() == "no-space-left"
    child.join()
    assert keys.unlock("p002", WORDS).certificate == made.certificate
    assert names(folder) == ["p002.p12", "p002.pem"]


@contextmanager
def as_ordinary_user(folder: Path) -> Iterator[None]:
    """Do the block as somebody whom file permissions hold back; the folder becomes theirs."""
    if os.geteuid() != 0:
        yield
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 65534, 65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_a_read_only_folder_is_told_and_its_keys_still_sign(authority: FileAuthorityKey) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "keys"
        keys = Pkcs12Keys(folder)
        made = keys.make("p002", passphrase=WORDS, issue=issuing(authority), at=AT)
        certificates = issuing(authority)(public_key())
        (folder / "keys.lock").unlink()
        with as_ordinary_user(Path(place)):
            folder.chmod(0o500)
            assert keys.unlock("p002", WORDS).certificate == made.certificate
            with pytest.raises(QmsError, match="没有权限"):
                keys.change_passphrase("p002", old=WORDS, new=NEW_WORDS, at=AT)
            with pytest.raises(QmsError, match="没有权限"):
                keys.make("p003", passphrase=WORDS, issue=lambda _: certificates, at=AT)
            (folder / "p002.p12").chmod(0)
            with pytest.raises(PrivateFolderUnusableError, match="没有权限"):
                keys.unlock("p002", WORDS)
            folder.chmod(0o700)
        assert names(folder) == ["p002.p12", "p002.pem"]


def test_a_folder_that_is_a_file_is_told(authority: FileAuthorityKey, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(PrivateFolderUnusableError):
        Pkcs12Keys(tmp_path / "file").make("p002", passphrase=WORDS, issue=issuing(authority), at=AT)
    with pytest.raises(PersonalKeyMissingError):
        Pkcs12Keys(tmp_path / "file").unlock("p002", WORDS)
