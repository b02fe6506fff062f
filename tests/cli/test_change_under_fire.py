"""Changes of controlled documents under fire: killed in the middle, no space left, two people at one moment."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from controller.adapters.git_program import NoSpaceError
from tests.cli.test_change_request_commands import NUMBER, REASON, acted, drafted, opened, refused, sound
from tests.compliance.evidence import clock_moves

if TYPE_CHECKING:
    from tests.conftest import Workspace

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
RUN = """
import os, signal, sys
import controller.adapters.personal_keys as keys
import controller.adapters.git_archive as archive
from controller.cli.main import main
keys.ROUNDS = 1000
moved, when = archive.move_branches, sys.argv.pop(1)
def move(objects, moves):
    if when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    moved(objects, moves)
    if when == "after":
        os.kill(os.getpid(), signal.SIGKILL)
archive.move_branches = move
sys.exit(main(sys.argv[1:], "zh"))
"""


def another(workspace: Workspace, *words: str, person: str, killed: str = "never") -> subprocess.Popen[str]:
    """Run `qms` in a process of its own, killed `before` or `after` the branches move."""
    place = ["--workspace", str(workspace.folder), "--passphrase-file", str(workspace.passphrases), "--as", person]
    command = [sys.executable, "-c", RUN, killed, *place, *words]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8", env=environment
    )


def ended(running: subprocess.Popen[str]) -> tuple[str, int]:
    """Wait for a process; what it said went wrong, and its exit code."""
    said = running.communicate()[1]
    return said, running.returncode


def reviewed(workspace: Workspace) -> str:
    number = opened(workspace)
    drafted(workspace)
    acted(workspace, "change", "submit", number)
    acted(workspace, "change", "review", number, person="林静")
    return number


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_an_approval_killed_in_the_middle_happened_or_did_not(workspace: Workspace) -> None:
    number = reviewed(workspace)
    assert ended(another(workspace, "change", "approve", number, person="周明", killed="before"))[1] < 0
    assert acted(workspace, "change", "show", number)["status"] == "awaiting-approval"
    sound(workspace)
    assert ended(another(workspace, "change", "approve", number, person="周明", killed="after"))[1] < 0
    assert acted(workspace, "change", "show", number)["status"] == "approved"
    assert acted(workspace, "change", "status") == []
    sound(workspace)


def test_of_two_people_who_act_on_one_change_at_once_one_is_refused(workspace: Workspace) -> None:
    words = ("change", "open", "--document", "CX-014", *REASON)
    running = [another(workspace, *words, person=person) for person in ("陈晓", "林静")]
    told = {said.partition("：")[0]: code for said, code in map(ended, running)}
    assert told == {"": 0, "错误 item-in-change": 4}
    number = acted(workspace, "change", "list", "--open")[0]["number"]
    drafted(workspace)
    acted(workspace, "change", "submit", number)
    acted(workspace, "change", "review", number, person="林静")
    running = [another(workspace, "change", "approve", number, person="周明") for _ in range(2)]
    assert sorted((said != "", code) for said, code in map(ended, running)) == [(False, 0), (True, 4)]
    sound(workspace)


def test_an_approval_that_finds_no_space_or_an_open_file_changes_nothing(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = reviewed(workspace)
    before = workspace.tree()

    def full(target: Path, data: bytes) -> None:
        if target.name == "clauses.yml":
            raise OSError(28, "No space left on device")
        target.write_bytes(data)

    with monkeypatch.context() as patch:
        patch.setattr("controller.adapters.git_controlled_files.write_file", full)
        answer = workspace.qms("change", "approve", number, person="周明")
    assert NoSpaceError.code in answer.err
    changed = {path for path in {*before, *workspace.tree()} if before.get(path) != workspace.tree().get(path)}
    assert not [path for path in changed if not path.startswith(".git/")]
    assert acted(workspace, "change", "show", number)["status"] == "awaiting-approval"
    sound(workspace)
    acted(workspace, "change", "approve", number, person="周明")
    sound(workspace)


def test_a_clock_that_went_backwards_approves_nothing(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    number = reviewed(workspace)
    with monkeypatch.context() as patch:
        clock_moves(patch, timedelta(days=-2))
        answer = workspace.qms("change", "approve", number, person="周明")
        assert answer.code != 0
    assert acted(workspace, "change", "show", number)["status"] == "awaiting-approval"
    assert NUMBER in workspace.qms("change", "show", number).out
    refused(workspace, "signing-order", "change", "submit", number)
    sound(workspace)
