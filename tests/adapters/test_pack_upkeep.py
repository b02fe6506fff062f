from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from controller.adapters.git_archive import GitArchive
from controller.adapters.git_program import GitProgram, store_damage
from controller.adapters.pack_upkeep import PackUpkeep, main
from controller.adapters.workspace_lock import WorkspaceBusyError, WorkspaceLock
from tests.archives import file_next, make_workspace
from tests.builders import FORM
from tests.real_tools import need

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    need("git")
    return make_workspace(tmp_path / "ws")


def packs(folder: Path) -> int:
    return len(list((folder / ".git" / "objects" / "pack").glob("*.pack")))


def open_archive(folder: Path, packs_at_most: int) -> GitArchive:
    lock = WorkspaceLock(folder / ".qms")
    return GitArchive(folder, lock=lock, packs_at_most=packs_at_most, upkeep_in_background=False)


def test_packs_are_rolled_together_when_they_pile_up_and_nothing_is_lost(folder: Path) -> None:
    archive = open_archive(folder, packs_at_most=8)
    most = 0
    for _ in range(40):
        file_next(archive)
        most = max(most, packs(folder))
    assert most <= 9
    assert len(list(archive.walk(FORM))) == 40
    archive.close()
    assert subprocess.run(["git", "fsck", "--strict"], cwd=folder, capture_output=True, check=False).returncode == 0


def test_upkeep_is_left_to_whoever_is_at_it(folder: Path) -> None:
    archive = open_archive(folder, packs_at_most=100)
    for _ in range(5):
        file_next(archive)
    archive.close()
    upkeep = PackUpkeep(GitProgram(folder / ".git", folder), folder / ".git", most=2)
    before = packs(folder)
    with WorkspaceLock(folder / ".git" / "wenkong")("upkeep", 0):
        assert not upkeep.tidy()
        upkeep.after_filing()
    assert packs(folder) == before
    assert upkeep.tidy()
    assert packs(folder) < before


def test_the_background_process_does_the_same(folder: Path) -> None:
    archive = open_archive(folder, packs_at_most=100)
    for _ in range(5):
        file_next(archive)
    archive.close()
    before = packs(folder)
    PackUpkeep(GitProgram(folder / ".git", folder), folder / ".git", most=2).after_filing()
    until = time.monotonic() + 30
    while packs(folder) >= before and time.monotonic() < until:
        time.sleep(0.02)
    assert packs(folder) < before
    with WorkspaceLock(folder / ".git" / "wenkong")("upkeep", 30):
        pass


def test_packs_that_are_rolled_together_while_git_checks_them_are_no_damage(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = open_archive(folder, 100)
    file_next(archive)
    pack = next((folder / ".git" / "objects" / "pack").glob("*.pack"))
    told: list[list[str]] = []

    def checked(program: GitProgram) -> list[str]:
        if told:
            with pytest.raises(WorkspaceBusyError), WorkspaceLock(folder / ".git" / "wenkong")("upkeep", 0):
                pass
            told.append([*store_damage(program)])
        else:
            away = pack.rename(tmp_path / pack.name)
            told.append([*store_damage(program)])
            away.rename(pack)
        return told[-1]

    monkeypatch.setattr("controller.adapters.git_archive.store_damage", checked)
    assert list(archive.damage()) == []
    assert [bool(lines) for lines in told] == [True, False]
    archive.close()


def test_what_killed_processes_left_is_swept_up_when_it_is_old(folder: Path) -> None:
    old = [
        folder / ".git/objects/pack/tmp_pack_a",
        folder / ".git/fast_import_crash_1",
        folder / ".git/objects/pack/.tmp-1",
    ]
    young = folder / ".git/objects/pack/tmp_pack_b"
    for path in (*old, young):
        path.write_bytes(b"x")
    yesterday = time.time() - 86_400
    for path in old:
        os.utime(path, (yesterday, yesterday))
    main([str(folder / ".git"), str(folder)])
    assert [path for path in old if path.exists()] == []
    assert young.exists()
