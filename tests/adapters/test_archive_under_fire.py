from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from controller.adapters.workspace_lock import WorkspaceLock
from controller.domain.identifiers import RecordNumber
from tests.archives import file_next, make_workspace, open_archive
from tests.builders import FORM
from tests.filing_process import (
    create_keys,
    file_some,
    file_until_killed,
    file_with_little_space,
    kill_with_children,
    start,
)
from tests.real_tools import need

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    need("git")
    return make_workspace(tmp_path / "ws")


def fsck(folder: Path) -> str:
    """Return what git's own check finds once nobody rolls packs together; dangling objects are no fault."""
    with WorkspaceLock(folder / ".git" / "wenkong")("upkeep", 60):
        pass
    done = subprocess.run(["git", "fsck", "--strict", "--no-dangling"], cwd=folder, capture_output=True, check=False)
    return f"{done.returncode} {done.stderr.decode()}{done.stdout.decode()}".strip()


def stored_numbers(folder: Path) -> list[str]:
    archive = open_archive(folder)
    paths = [path.split("/") for path, _ in archive.walk() if path != "site.json"]
    assert list(archive.irregular_commits()) == []
    archive.close()
    return [parts[4] for parts in paths]


def serials(form: str, count: int) -> list[str]:
    return [RecordNumber.of(form, 2026, serial).text for serial in range(1, count + 1)]


def test_sixteen_processes_filing_at_once_lose_duplicate_and_renumber_nothing(folder: Path) -> None:
    running = [start(file_some, str(folder), 6) for _ in range(16)]
    told = [answers.recv() for _, answers in running]
    for process, _ in running:
        process.join()
    assert sorted(number for numbers in told for number in numbers) == stored_numbers(folder)
    assert stored_numbers(folder) == serials(FORM, 48) + serials("XX-YLQXJL-019", 48)
    assert all(numbers[start::2] == sorted(numbers[start::2]) for numbers in told for start in (0, 1))
    assert fsck(folder) == "0"


def test_sixteen_processes_asking_for_the_same_keys_get_the_same_keys(tmp_path: Path) -> None:
    numbers = serials(FORM, 10)
    running = [start(create_keys, str(tmp_path / "keys"), numbers) for _ in range(16)]
    told = [answers.recv() for _, answers in running]
    for process, _ in running:
        process.join()
    assert all(keys == told[0] for keys in told)
    assert len(set(told[0])) == 10


def kill_many_times(folder: Path, times: int) -> None:
    chance = random.Random(20260501)  # noqa: S311 - chance, not secrecy
    told: list[str] = []
    for _ in range(times):
        process, answers = start(file_until_killed, str(folder))
        assert answers.recv() == "ready"
        if chance.random() < 0.75:
            # It may have had to wait for a lock of the one killed before.
            told.append(answers.recv())
        time.sleep(chance.uniform(0, 0.06))
        kill_with_children(process)
        try:
            while answers.poll():
                told.append(answers.recv())
        except EOFError:
            pass
        answers.close()
        stored = stored_numbers(folder)
        assert fsck(folder) == "0"
        # What was told is filed; what was filed without being told is whole, and nothing is skipped.
        assert set(told) <= set(stored)
        assert stored == serials(FORM, len(stored))
        assert len(stored) <= len(told) + times
    archive = open_archive(folder)
    file_next(archive)
    archive.close()
    refs = subprocess.run(["git", "for-each-ref", "refs/wenkong"], cwd=folder, capture_output=True, check=True)
    assert refs.stdout == b""
    assert len(told) > times // 2


def test_a_process_killed_at_random_instants_leaves_the_archive_whole(folder: Path) -> None:
    kill_many_times(folder, 20)


@pytest.mark.slow
def test_two_hundred_kills_leave_the_archive_whole(folder: Path) -> None:
    kill_many_times(folder, 200)


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
def test_without_space_nothing_is_filed_and_nothing_half_written_stays(folder: Path) -> None:
    before = sorted((folder / ".git").rglob("*"))
    process, answers = start(file_with_little_space, str(folder))
    code, text, hint = answers.recv()
    process.join()
    assert code == "no-space-left"
    assert "磁盘空间不足" in text
    assert "原有内容没有改变" in hint
    assert stored_numbers(folder) == []
    new = {path.name for path in (folder / ".git").rglob("*")} - {path.name for path in before}
    assert not {name for name in new if name.startswith(("tmp_", "fast_import_crash", "main-"))}
    assert fsck(folder) == "0"
    archive = open_archive(folder)
    assert file_next(archive).serial == 1
    archive.close()


def flushes(trace: Path) -> dict[str, int]:
    """Return how often each git command of the trace had the disk write its cache out."""
    commands: dict[str, str] = {}
    found: dict[str, int] = {}
    for line in trace.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if event["event"] == "start":
            commands[event["sid"]] = next(word for word in event["argv"][1:] if not word.startswith("-"))
            found.setdefault(commands[event["sid"]], 0)
        kind = event.get("key") or event.get("name") or ""
        if event.get("category") == "fsync" and kind.endswith("hardware-flush"):
            found[commands[event["sid"]]] += int(event.get("value") or event.get("count"))
    return found


def test_filing_has_the_disk_write_pack_index_and_refs_before_it_answers(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = tmp_path / "trace.json"
    folders: list[int] = []
    real_fsync = os.fsync

    def fsync(handle: int) -> None:
        folders.append(handle)
        real_fsync(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setenv("GIT_TRACE2_EVENT", str(trace))
    archive = open_archive(folder)
    file_next(archive)
    archive.close()
    flushed = flushes(trace)
    assert flushed["fast-import"] >= 3, "pack, pack index, private ref"
    assert flushed["update-ref"] >= 1, "the branch"
    if sys.platform != "win32":
        assert len(folders) == 2, "the folder of the packs before, the folder of the branch after"
