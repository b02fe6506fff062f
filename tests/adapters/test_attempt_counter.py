from __future__ import annotations

import stat
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from controller.adapters.attempt_counter import FileAttemptCounter
from controller.adapters.private_file import PrivateFolderUnusableError
from controller.domain.passphrase import locked_until
from controller.domain.personal_key import KeyOwnerRefusedError
from controller.domain.signing_rules import SigningRules
from controller.services.signing_ports import FailedAttempts
from tests.filing_process import processes
from tests.key_process import fail_often

if TYPE_CHECKING:
    from pathlib import Path

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_failures_are_counted_for_each_person_until_a_success(tmp_path: Path) -> None:
    counter = FileAttemptCounter(tmp_path / "attempts")
    assert counter.failures("p001") == FailedAttempts(0, "")
    assert counter.note("p001", at=AT) == FailedAttempts(1, AT.isoformat())
    assert counter.note("p001", at=AT.replace(hour=10)) == FailedAttempts(2, AT.replace(hour=10).isoformat())
    again = FileAttemptCounter(tmp_path / "attempts")
    assert again.failures("p001").count == 2
    assert again.failures("p002").count == 0
    again.clear("p001")
    again.clear("p001")
    assert counter.failures("p001") == FailedAttempts(0, "")


def test_asking_makes_no_file(tmp_path: Path) -> None:
    counter = FileAttemptCounter(tmp_path / "attempts")
    counter.failures("p001")
    counter.clear("p001")
    assert list(tmp_path.iterdir()) == []


def test_failures_of_many_processes_at_once_are_all_counted(tmp_path: Path) -> None:
    children = [processes().Process(target=fail_often, args=(str(tmp_path), 15)) for _ in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0, 0, 0, 0]
    assert FileAttemptCounter(tmp_path).failures("p002").count == 60


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"format": "wenkong/attempts/1", "count": -3, "last_at": "2026-03-02T09:00:00+00:00"}',
        b'{"format": "wenkong/attempts/1", "count": true, "last_at": "2026-03-02T09:00:00+00:00"}',
        b'{"format": "wenkong/attempts/1", "count": 1, "last_at": "never"}',
        b"[" * 200_000,
    ],
)
def test_a_damaged_counter_locks_instead_of_opening(tmp_path: Path, content: bytes) -> None:
    counter = FileAttemptCounter(tmp_path)
    counter.note("p001", at=AT)
    (path,) = tmp_path.glob("p001*")
    path.write_bytes(content)
    found = counter.failures("p001")
    assert locked_until(found, SigningRules()) is not None
    assert counter.note("p001", at=AT).count == found.count + 1
    counter.clear("p001")
    assert counter.failures("p001").count == 0


def test_a_counter_that_cannot_be_written_refuses_the_attempt(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(PrivateFolderUnusableError):
        FileAttemptCounter(tmp_path / "file" / "attempts").note("p001", at=AT)


@pytest.mark.parametrize("person", ["", "../p001", "a/b", "nul", "p\n", "." * 3])
def test_an_id_that_is_no_file_name_is_refused(tmp_path: Path, person: str) -> None:
    counter = FileAttemptCounter(tmp_path)
    for act in (
        lambda: counter.failures(person),
        lambda: counter.note(person, at=AT),
        lambda: counter.clear(person),
    ):
        with pytest.raises(KeyOwnerRefusedError):
            act()
    assert list(tmp_path.iterdir()) == []


def test_a_half_written_counter_is_cleared_away_and_nobody_elses_work(tmp_path: Path) -> None:
    # Counters and the authority's key lie in one folder and are written under different locks.
    for name in (".p001.attempts.json.0a1b2c.part", ".authority.p12.0a1b2c.part"):
        (tmp_path / name).write_bytes(b"half")
    FileAttemptCounter(tmp_path).note("p001", at=AT)
    assert sorted(path.name for path in tmp_path.glob(".*.part")) == [".authority.p12.0a1b2c.part"]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX file modes")
def test_only_the_owner_may_read_counters(tmp_path: Path) -> None:
    FileAttemptCounter(tmp_path / "attempts").note("p001", at=AT)
    (path,) = (tmp_path / "attempts").glob("p001*")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
