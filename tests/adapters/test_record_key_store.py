from __future__ import annotations

import stat
import sys
from typing import TYPE_CHECKING

import pytest

from controller.adapters.record_key_store import (
    KeyDestroyedError,
    KeyStoreDamagedError,
    KeyStoreUnavailableError,
    SqliteRecordKeys,
)
from controller.domain.identifiers import RecordNumber

if TYPE_CHECKING:
    from pathlib import Path

FIRST, SECOND = RecordNumber("XX-YLQXJL-018-2026-0001"), RecordNumber("XX-YLQXJL-018-2026-0002")


def all_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def test_every_record_gets_a_key_of_its_own_and_keeps_it(tmp_path: Path) -> None:
    keys = SqliteRecordKeys(tmp_path / "keys")
    made = keys.create([FIRST, SECOND])
    assert {len(key) for key in made.values()} == {32}
    assert made[FIRST] != made[SECOND]
    assert keys.create([SECOND, FIRST]) == made
    keys.close()
    again = SqliteRecordKeys(tmp_path / "keys")
    assert again.get(FIRST) == made[FIRST]
    again.close()


def test_asking_for_a_key_makes_neither_key_nor_file(tmp_path: Path) -> None:
    assert SqliteRecordKeys(tmp_path / "keys").get(FIRST) is None
    assert list(tmp_path.iterdir()) == []


def test_a_destroyed_key_is_gone_from_every_file_and_never_made_again(tmp_path: Path) -> None:
    keys = SqliteRecordKeys(tmp_path)
    made = keys.create([FIRST, SECOND])
    reader = SqliteRecordKeys(tmp_path)
    assert reader.get(FIRST) == made[FIRST]
    assert made[FIRST] in all_bytes(tmp_path)
    keys.destroy(FIRST)
    assert made[FIRST] not in all_bytes(tmp_path)
    assert made[SECOND] in all_bytes(tmp_path)
    assert keys.get(FIRST) is reader.get(FIRST) is None
    keys.destroy(FIRST)
    third = RecordNumber("XX-YLQXJL-018-2026-0003")
    with pytest.raises(KeyDestroyedError, match="0001"):
        keys.create([third, FIRST])
    assert keys.get(third) is None
    assert keys.get(SECOND) == made[SECOND]
    keys.close()
    reader.close()
    assert made[FIRST] not in all_bytes(tmp_path)


def test_a_key_that_never_was_can_be_destroyed_beforehand(tmp_path: Path) -> None:
    keys = SqliteRecordKeys(tmp_path)
    keys.destroy(FIRST)
    with pytest.raises(KeyDestroyedError):
        keys.create([FIRST])
    keys.close()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX file modes")
def test_only_the_owner_may_read_keys(tmp_path: Path) -> None:
    keys = SqliteRecordKeys(tmp_path / "keys")
    keys.create([FIRST])
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "keys").iterdir()} == {0o600}
    keys.close()


def test_ten_thousand_keys_are_made_at_once(tmp_path: Path) -> None:
    keys = SqliteRecordKeys(tmp_path)
    numbers = [RecordNumber.of("XX-YLQXJL-018", 2026, serial) for serial in range(1, 10_001)]
    assert len(set(keys.create(numbers).values())) == 10_000
    keys.close()


def test_a_file_that_is_no_key_store_is_damage(tmp_path: Path) -> None:
    (tmp_path / "record-keys.sqlite").write_bytes(b"not a database, but long enough to be read as one" * 40)
    with pytest.raises(KeyStoreDamagedError, match="读不出来"):
        SqliteRecordKeys(tmp_path).get(FIRST)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(KeyStoreUnavailableError):
        SqliteRecordKeys(tmp_path / "file" / "keys").create([FIRST])
