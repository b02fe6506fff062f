from __future__ import annotations

import os
import stat
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from controller.adapters import computer_start
from controller.adapters.personal_keys import FileAuthorityKey
from controller.adapters.private_file import PrivateFolderUnusableError
from controller.adapters.sittings import FileSittings
from controller.adapters.unlocked_key import UnlockedKey
from controller.domain.personal_key import KeyOwnerRefusedError
from tests.signers import company

if TYPE_CHECKING:
    from pathlib import Path

WORDS = "Tulip Kettle Orbit 91"
AT = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def sittings(tmp_path: Path) -> FileSittings:
    return FileSittings(tmp_path / "private" / "sittings", tmp_path / "runtime")


def unlocked(person: str = "p002") -> UnlockedKey:
    key = company().key(person, "林静")
    plain = key.private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return UnlockedKey(plain, key.certificate, key.issuers)


def minutes(count: int) -> datetime:
    return AT + timedelta(minutes=count)


def test_an_opened_sitting_holds_the_key_for_every_later_command(sittings: FileSittings, tmp_path: Path) -> None:
    opened = sittings.open("p002", unlocked(), at=AT)
    later = FileSittings(tmp_path / "private" / "sittings", tmp_path / "runtime")
    (found,) = later.all()
    assert (found.id, found.person, found.opened_at, found.used_at) == (
        opened.id,
        "p002",
        AT.isoformat(),
        AT.isoformat(),
    )
    assert not found.signed
    assert found.key is not None
    assert found.key.certificate == unlocked().certificate
    assert list(found.key.issuers) == [company().root]
    holder = x509.load_der_x509_certificate(found.key.certificate).public_key()
    assert isinstance(holder, ec.EllipticCurvePublicKey)
    holder.verify(found.key.sign_raw(b"words"), b"words", ec.ECDSA(hashes.SHA256()))


def test_a_sitting_without_a_key_keeps_none(sittings: FileSittings) -> None:
    sittings.open("p002", None, at=AT)
    assert [sitting.key for sitting in sittings.all()] == [None]


def test_each_sitting_has_an_id_of_its_own_and_replaces_the_one_before(sittings: FileSittings) -> None:
    first = sittings.open("p002", unlocked(), at=AT)
    second = sittings.open("p002", unlocked(), at=minutes(1))
    assert first.id != second.id
    assert [sitting.id for sitting in sittings.all()] == [second.id]
    sittings.touch(first, at=minutes(2), signed=True)
    (found,) = sittings.all()
    assert (found.id, found.used_at, found.signed) == (second.id, minutes(1).isoformat(), False)


def test_the_sitting_used_last_comes_first(sittings: FileSittings) -> None:
    one = sittings.open("p001", None, at=AT)
    sittings.open("p002", None, at=minutes(1))
    assert [sitting.person for sitting in sittings.all()] == ["p002", "p001"]
    sittings.touch(one, at=minutes(2))
    assert [sitting.person for sitting in sittings.all()] == ["p001", "p002"]
    assert [sitting.opened_at for sitting in sittings.all()] == [AT.isoformat(), minutes(1).isoformat()]


def test_a_confirmed_signature_stays_noted_and_time_never_runs_back(sittings: FileSittings) -> None:
    opened = sittings.open("p002", None, at=minutes(5))
    sittings.touch(opened, at=minutes(6), signed=True)
    sittings.touch(opened, at=minutes(1))
    (found,) = sittings.all()
    assert (found.signed, found.used_at) == (True, minutes(6).isoformat())


def test_closing_leaves_nothing_behind_and_closing_twice_is_no_error(sittings: FileSittings, tmp_path: Path) -> None:
    sittings.close("p002")
    opened = sittings.open("p002", unlocked(), at=AT)
    sittings.open("p001", None, at=AT)
    sittings.close("p002")
    sittings.close("p002")
    sittings.touch(opened, at=minutes(1))
    assert [sitting.person for sitting in sittings.all()] == ["p001"]
    left = sorted(path.name for path in tmp_path.rglob("p*.*"))
    assert left == ["p001.secret", "p001.sitting"]


@pytest.mark.parametrize("which", ["private/sittings/p002.sitting", "runtime/p002.secret"])
@pytest.mark.parametrize("harm", ["missing", "empty", "short", "changed", "longer", "folder"])
def test_without_either_file_whole_there_is_no_sitting(
    sittings: FileSittings, tmp_path: Path, which: str, harm: str
) -> None:
    opened = sittings.open("p002", unlocked(), at=AT)
    path = tmp_path / which
    data = path.read_bytes()
    path.unlink()
    if harm == "folder":
        path.mkdir()
    elif harm != "missing":
        harmed = {"empty": b"", "short": data[:-1], "changed": bytes([data[0] ^ 1]) + data[1:], "longer": data + b"\0"}
        path.write_bytes(harmed[harm])
    assert sittings.all() == []
    sittings.touch(opened, at=minutes(1))
    assert sittings.all() == []


def test_a_sitting_under_another_name_or_beside_another_secret_is_none(sittings: FileSittings, tmp_path: Path) -> None:
    sittings.open("p002", unlocked(), at=AT)
    sittings.open("p003", None, at=AT)
    folder, runtime = tmp_path / "private/sittings", tmp_path / "runtime"
    (folder / "p001.sitting").write_bytes((folder / "p002.sitting").read_bytes())
    (runtime / "p001.secret").write_bytes((runtime / "p002.secret").read_bytes())
    (runtime / "p003.secret").write_bytes((runtime / "p002.secret").read_bytes())
    (folder / "...sitting").write_bytes(b"x")
    assert [sitting.person for sitting in sittings.all()] == ["p002"]


def test_after_a_restart_of_the_computer_nobody_is_signed_in(
    sittings: FileSittings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = tmp_path / "boot_id"
    start.write_text("11111111-1111-1111-1111-111111111111\n")
    monkeypatch.setattr(computer_start, "_START_ID", start)
    sittings.open("p002", unlocked(), at=AT)
    assert [sitting.person for sitting in sittings.all()] == ["p002"]
    start.write_text("22222222-2222-2222-2222-222222222222\n")
    assert sittings.all() == []


def test_where_starts_have_no_id_the_moment_of_the_start_tells(
    sittings: FileSittings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(computer_start, "_START_ID", tmp_path / "none")
    running = computer_start._running()
    sittings.open("p002", unlocked(), at=AT)
    assert [sitting.person for sitting in sittings.all()] == ["p002"]
    monkeypatch.setattr(computer_start, "_running", lambda: running - 600)
    assert sittings.all() == []


def test_neither_file_alone_nor_a_name_shows_the_key(sittings: FileSittings, tmp_path: Path) -> None:
    key = unlocked()
    opened = sittings.open("p002", key, at=AT)
    secret = (tmp_path / "runtime/p002.secret").read_bytes()
    assert len(secret) == 32
    stored = (tmp_path / "private/sittings/p002.sitting").read_bytes()
    assert secret not in stored
    assert key.certificate not in stored
    assert key.unprotected().hex() not in repr(opened) + repr(sittings.all())
    assert opened.id.encode() not in stored


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX file modes")
def test_only_the_owner_may_read_sittings_and_secrets(sittings: FileSittings, tmp_path: Path) -> None:
    opened = sittings.open("p002", unlocked(), at=AT)
    sittings.touch(opened, at=minutes(1))
    for folder, name in ((tmp_path / "private/sittings", "p002.sitting"), (tmp_path / "runtime", "p002.secret")):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can give a folder away")
def test_a_runtime_folder_that_somebody_else_prepared_is_refused(sittings: FileSittings, tmp_path: Path) -> None:
    (tmp_path / "runtime").mkdir()
    os.chown(tmp_path / "runtime", 65534, 65534)
    with pytest.raises(PrivateFolderUnusableError, match="不属于"):
        sittings.open("p002", unlocked(), at=AT)
    assert sittings.all() == []


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_runtime_folder_that_is_a_link_is_refused(sittings: FileSittings, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "runtime").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PrivateFolderUnusableError, match="不属于"):
        sittings.open("p002", unlocked(), at=AT)
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("person", ["", "../p002", "a/b", "con", "王", "p\0"])
def test_an_id_that_is_no_file_name_opens_nothing(sittings: FileSittings, tmp_path: Path, person: str) -> None:
    with pytest.raises(KeyOwnerRefusedError):
        sittings.open(person, None, at=AT)
    with pytest.raises(KeyOwnerRefusedError):
        sittings.close(person)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told_and_nobody_is_signed_in(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for sittings in (
        FileSittings(tmp_path / "file" / "sittings", tmp_path / "runtime"),
        FileSittings(tmp_path / "sittings", tmp_path / "file" / "runtime"),
    ):
        with pytest.raises(PrivateFolderUnusableError):
            sittings.open("p002", unlocked(), at=AT)
        assert list(sittings.all()) == []


def test_the_authoritys_own_key_file_is_never_a_sitting(sittings: FileSittings, tmp_path: Path) -> None:
    FileAuthorityKey(tmp_path / "private" / "sittings").found(
        company="安泽", workspace="w", passphrase=WORDS, at=AT, years=20
    )
    assert list(sittings.all()) == []
