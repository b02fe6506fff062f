from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from controller.adapters.workspace_lock import WorkspaceBusyError, WorkspaceLock
from tests.filing_process import hold_lock, start

if TYPE_CHECKING:
    from pathlib import Path


def test_a_lock_is_held_by_one_at_a_time_and_told_to_the_other(tmp_path: Path) -> None:
    with (
        WorkspaceLock(tmp_path)("archive", 1),
        pytest.raises(WorkspaceBusyError) as caught,
        WorkspaceLock(tmp_path)("archive", 0.02),
    ):
        pass
    assert caught.value.code == "workspace-busy"
    assert "另一个程序" in str(caught.value)


def test_locks_of_other_names_and_folders_are_free(tmp_path: Path) -> None:
    with WorkspaceLock(tmp_path)("a", 0), WorkspaceLock(tmp_path)("b", 0), WorkspaceLock(tmp_path / "other")("a", 0):
        assert sorted(path.name for path in tmp_path.rglob("*.lock")) == ["a.lock", "a.lock", "b.lock"]


def test_a_lock_is_free_again_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), WorkspaceLock(tmp_path)("a", 0):
        _ = 1 / 0
    with WorkspaceLock(tmp_path)("a", 0):
        pass


def test_whoever_waits_gets_the_lock_when_it_is_let_go(tmp_path: Path) -> None:
    held, got = threading.Event(), []

    def wait() -> None:
        held.wait()
        with WorkspaceLock(tmp_path)("a", 10):
            got.append("second")

    waiter = threading.Thread(target=wait)
    waiter.start()
    with WorkspaceLock(tmp_path)("a", 0):
        held.set()
        got.append("first")
    waiter.join()
    assert got == ["first", "second"]


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    process, answers = start(hold_lock, str(tmp_path))
    assert answers.recv() == "held"
    with pytest.raises(WorkspaceBusyError), WorkspaceLock(tmp_path)("archive", 0):
        pass
    process.kill()
    process.join()
    with WorkspaceLock(tmp_path)("archive", 1):
        pass
