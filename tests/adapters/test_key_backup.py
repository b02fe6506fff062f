from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from controller.adapters.key_backup import KeyBackup, KeyBackupDamagedError, KeyBackupRefusedError
from controller.adapters.personal_keys import FileAuthorityKey, Pkcs12Keys
from tests.real_tools import need

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

AT = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
LATER = AT + timedelta(days=100)
ROOT_WORDS, WORDS, NEW_WORDS = "封存在保险柜里的七个词", "西湖边的柳树绿了三次", "Tulip Kettle Orbit 91"


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.adapters.personal_keys.ROUNDS", 10)


def make_key(private: Path, person: str, words: str = WORDS, at: datetime = AT) -> bytes:
    """Make a key for the person and return its certificate."""

    def issue(public_key: bytes) -> Sequence[bytes]:
        return FileAuthorityKey(private).issue(
            public_key, person=person, name="林静", company="安泽", workspace="w", passphrase=ROOT_WORDS, at=at, years=3
        )

    return Pkcs12Keys(private / "keys").make(person, passphrase=words, issue=issue, at=at).certificate


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """The private folder of a company with two people; one of them has had a key before."""
    folder = tmp_path / "private"
    FileAuthorityKey(folder).found(company="安泽", workspace="w", passphrase=ROOT_WORDS, at=AT, years=20)
    make_key(folder, "p001")
    make_key(folder, "p002", "an earlier 口令 of hers")
    make_key(folder, "p002")
    (folder / "record-keys.sqlite").write_bytes(b"not the business of this backup")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in {".p12", ".pem"}
    }


def test_a_backup_holds_every_key_and_stock_tools_can_check_it(private: Path, tmp_path: Path) -> None:
    names = KeyBackup(private).back_up(tmp_path / "usb" / "backup")
    assert contents(tmp_path / "usb" / "backup") == contents(private)
    assert sorted(names) == sorted(contents(private))
    assert {"authority.p12", "authority.pem", "keys/p001.p12", "keys/p002.p12"} < set(names)
    assert sum(name.endswith(".old.p12") for name in names) == 1
    command = [need("sha256sum"), "--check", "--strict", "SHA256SUMS"]
    done = subprocess.run(command, cwd=tmp_path / "usb" / "backup", capture_output=True, check=True, text=True)
    assert done.stdout.count(": OK") == len(names)


def test_on_a_new_computer_everything_works_as_before(private: Path, tmp_path: Path) -> None:
    backup, fresh = tmp_path / "backup", tmp_path / "fresh"
    KeyBackup(private).back_up(backup)
    # What macOS leaves beside every file on a memory card.
    (backup / "keys" / "._p001.p12").write_bytes(b"Mac OS X")
    (backup / "keys" / "stranger.p12").write_bytes(b"not in the list")
    restored = KeyBackup(fresh).restore(backup)
    assert sorted(restored) == sorted(name for name in contents(private) if name.endswith(".p12"))
    before, after = Pkcs12Keys(private / "keys"), Pkcs12Keys(fresh / "keys")
    assert after.held() == before.held()
    assert after.unlock("p002", WORDS).certificate == before.unlock("p002", WORDS).certificate
    assert FileAuthorityKey(fresh).certificate() == FileAuthorityKey(private).certificate()
    assert make_key(fresh, "p003")
    assert KeyBackup(private).restore(backup) == []


def test_what_is_to_be_restored_is_told_before_anything_is_written(private: Path, tmp_path: Path) -> None:
    KeyBackup(private).back_up(tmp_path / "backup")
    (private / "keys/p001.p12").unlink()
    newer = make_key(private, "p002", NEW_WORDS, LATER)
    for path in (private / "keys").glob("p002.*.old.p12"):
        path.unlink()
    before = contents(private)
    told: list[list[str]] = []

    def refuse(names: list[str]) -> None:
        told.append(names)
        raise PermissionError

    with pytest.raises(PermissionError):
        KeyBackup(private).restore(tmp_path / "backup", before=refuse)
    assert contents(private) == before
    assert KeyBackup(private).restore(tmp_path / "backup", before=told.append) == told[0] == told[1]
    assert told[0][0] == "keys/p001.p12"
    assert [name.endswith(".old.p12") for name in told[0][1:]] == [True, True]
    assert Pkcs12Keys(private / "keys").unlock("p002", NEW_WORDS).certificate == newer


def test_a_damaged_or_missing_key_is_replaced(private: Path, tmp_path: Path) -> None:
    keys = Pkcs12Keys(private / "keys")
    KeyBackup(private).back_up(tmp_path / "backup")
    sound = contents(private)
    (private / "authority.p12").unlink()
    (private / "keys/p001.p12").write_bytes(sound["keys/p001.p12"][:100])
    hidden = bytearray(sound["keys/p002.p12"])
    hidden[-30] ^= 1
    (private / "keys/p002.p12").write_bytes(hidden)
    assert sorted(KeyBackup(private).restore(tmp_path / "backup")) == [
        "authority.p12",
        "keys/p001.p12",
        "keys/p002.p12",
    ]
    assert {name: contents(private)[name] for name in sound if name.endswith(".p12")} == {
        name: data for name, data in sound.items() if name.endswith(".p12")
    }
    assert keys.unlock("p001", WORDS).certificate != keys.unlock("p002", WORDS).certificate


def test_a_newer_key_or_passphrase_is_never_displaced(private: Path, tmp_path: Path) -> None:
    keys = Pkcs12Keys(private / "keys")
    KeyBackup(private).back_up(tmp_path / "backup")
    keys.change_passphrase("p001", old=WORDS, new=NEW_WORDS, at=LATER)
    newer = make_key(private, "p002", NEW_WORDS, LATER)
    old = contents(tmp_path / "backup")["keys/p002.p12"]
    before = contents(private)
    assert KeyBackup(private).restore(tmp_path / "backup") == []
    assert contents(private) == before
    assert keys.unlock("p002", NEW_WORDS).certificate == newer
    assert old in contents(private).values()
    for path in (private / "keys").glob("p002.*.old.p12"):
        path.unlink()
    restored = KeyBackup(private).restore(tmp_path / "backup")
    assert len(restored) == 2
    assert all(name.startswith("keys/p002.") and name.endswith(".old.p12") for name in restored)
    assert old in contents(private).values()
    assert keys.unlock("p002", NEW_WORDS).certificate == newer


@pytest.mark.parametrize("harm", ["cut", "changed", "missing", "swapped", "listed too"])
def test_a_damaged_backup_is_refused_as_a_whole(private: Path, tmp_path: Path, harm: str) -> None:
    backup = tmp_path / "backup"
    KeyBackup(private).back_up(backup)
    path = backup / "keys/p001.p12"
    data = path.read_bytes()
    if harm == "cut":
        path.write_bytes(data[:-10])
    elif harm == "changed":
        path.write_bytes(data[:-30] + b"x" + data[-29:])
    elif harm == "missing":
        path.unlink()
    elif harm == "swapped":
        path.write_bytes((backup / "keys/p002.p12").read_bytes())
    else:
        # Whoever changes a key changes the list as well.
        listing = (backup / "SHA256SUMS").read_text().splitlines()
        path.write_bytes(data[:-10])
        import hashlib

        digest = hashlib.sha256(data[:-10]).hexdigest()
        lines = [f"{digest}  keys/p001.p12" if line.endswith("keys/p001.p12") else line for line in listing]
        (backup / "SHA256SUMS").write_text("\n".join(lines) + "\n")
    with pytest.raises(KeyBackupDamagedError, match=r"keys/p001\.p12"):
        KeyBackup(tmp_path / "fresh").restore(backup)
    assert not (tmp_path / "fresh").exists()


def test_a_hostile_list_writes_nothing_outside(private: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    KeyBackup(private).back_up(backup)
    with (backup / "SHA256SUMS").open("a") as file:
        file.write("0" * 64 + "  ../../escaped.p12\n")
    with pytest.raises(KeyBackupDamagedError, match="escaped"):
        KeyBackup(tmp_path / "fresh").restore(backup)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup", "private"]


def test_a_folder_that_is_no_backup_is_refused(private: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "none"):
        with pytest.raises(KeyBackupRefusedError, match="SHA256SUMS"):
            KeyBackup(private).restore(folder)


def test_a_backup_never_mixes_with_what_is_there(private: Path, tmp_path: Path) -> None:
    KeyBackup(private).back_up(tmp_path / "backup")
    before = contents(tmp_path / "backup")
    with pytest.raises(KeyBackupRefusedError, match="已有文件"):
        KeyBackup(private).back_up(tmp_path / "backup")
    assert contents(tmp_path / "backup") == before


def test_without_keys_there_is_no_backup(tmp_path: Path) -> None:
    with pytest.raises(KeyBackupRefusedError, match="没有可备份"):
        KeyBackup(tmp_path / "private").back_up(tmp_path / "backup")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_key_does_not_hinder_the_backup_of_the_others(private: Path, tmp_path: Path) -> None:
    (private / "keys/p001.p12").write_bytes(b"")
    with pytest.raises(KeyBackupDamagedError, match=r"keys/p001\.p12"):
        KeyBackup(private).back_up(tmp_path / "backup")
    restored = KeyBackup(tmp_path / "fresh").restore(tmp_path / "backup")
    assert {"authority.p12", "keys/p002.p12"} < set(restored)
    assert "keys/p001.p12" not in restored
