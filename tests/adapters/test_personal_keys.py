"""Key files of people: made, replaced, put away, opened, their passphrase changed; openssl opens them too."""

from __future__ import annotations

import logging
import os
import pickle
import shutil
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from controller.adapters.personal_keys import FileAuthorityKey, Pkcs12Keys
from controller.domain.personal_key import (
    KeyOwnerRefusedError,
    PassphraseWrongError,
    PersonalKeyDamagedError,
    PersonalKeyMissingError,
)
from controller.file_formats.signature_file import check_signature, detached_signature
from tests.key_folders import (
    AT,
    LATER,
    NEW_WORDS,
    WORDS,
    issuing,
    made_authority,
    names,
)
from tests.real_tools import need

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@pytest.fixture
def authority(tmp_path: Path) -> FileAuthorityKey:
    return made_authority(tmp_path / "private")


@pytest.fixture
def keys(tmp_path: Path) -> Pkcs12Keys:
    return Pkcs12Keys(tmp_path / "private" / "keys")


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
