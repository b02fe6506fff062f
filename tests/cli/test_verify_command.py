"""`qms verify` tells what was done to the archive behind its back, and what it cannot tell."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Workspace

CALL = {
    "contact_at": "2026-11-20 09:30",
    "mode": "电话",
    "customer_name": "江城市第一人民医院",
    "contact_phone": "13800000001",
    "kind": ["咨询"],
    "detail": "询问输液泵滴速校准周期",
    "injury_flag": "否",
    "late_entry_reason": "电话在休息日接听",
}


def git(folder: Path, *words: str, at: str | None = None) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x@x", *words],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | ({"GIT_COMMITTER_DATE": at} if at else {}),
    )
    return done.stdout.strip()


def tip(folder: Path) -> str:
    return git(folder, "rev-parse", "archive/main")


def amended(folder: Path, commit: str, parent: str) -> str:
    at = git(folder, "show", "-s", "--format=%cI", commit)
    return git(folder, "commit-tree", f"{commit}^{{tree}}", *(["-p", parent] if parent else []), "-m", "x", at=at)


def rewind(folder: Path) -> None:
    git(folder, "update-ref", "refs/heads/archive/main", "archive/main~1")


def amend(folder: Path) -> None:
    git(folder, "update-ref", "refs/heads/archive/main", amended(folder, "archive/main", "archive/main~1"))


def rewrite(folder: Path) -> None:
    made = ""
    for commit in git(folder, "rev-list", "--reverse", "archive/main").split():
        made = amended(folder, commit, made)
    git(folder, "update-ref", "refs/heads/archive/main", made)


@pytest.fixture
def filed(workspace: Workspace) -> Workspace:
    """A workspace with two records."""
    for _ in range(2):
        answer = workspace.qms("record", "new", "XX-YLQXJL-013", "--values", workspace.values("call.yml", CALL))
        assert answer.code == 0, answer.err
    return workspace


def findings(workspace: Workspace) -> tuple[int, list[str]]:
    """Exit code, and the codes of what is more than a note: the first people of a company are never fully witnessed."""
    answer = workspace.qms("--json", "verify")
    assert "findings" in json.loads(answer.out), answer.out + answer.err
    found = json.loads(answer.out)["findings"]
    return answer.code, [item["code"] for item in found if item["gravity"] != "note"]


def test_an_archive_that_only_grows_has_no_findings(filed: Workspace) -> None:
    assert findings(filed) == (0, [])
    filed.qms("record", "new", "XX-YLQXJL-013", "--values", filed.values("call.yml", CALL))
    assert findings(filed) == (0, [])


@pytest.mark.parametrize("attack", [rewind, amend, rewrite])
def test_an_archive_taken_back_or_made_anew_is_told_again_and_again(
    filed: Workspace, attack: Callable[[Path], None]
) -> None:
    old = tip(filed.folder)
    attack(filed.folder)
    answer = filed.qms("verify")
    assert answer.code == 1
    assert old[:12] in answer.out
    assert tip(filed.folder)[:12] in answer.out
    assert "当时有 2 份记录" in answer.out
    filed.qms("record", "new", "XX-YLQXJL-013", "--values", filed.values("call.yml", CALL))
    assert findings(filed) == (1, ["archive-rewritten"])


def test_what_was_taken_back_and_pruned_away_is_told_too(filed: Workspace) -> None:
    rewind(filed.folder)
    git(filed.folder, "-c", "gc.reflogExpire=now", "gc", "--prune=now", "--quiet")
    assert findings(filed) == (1, ["archive-rewritten"])


def test_another_computer_has_seen_nothing_and_finds_nothing(filed: Workspace, tmp_path: Path) -> None:
    rewind(filed.folder)
    shutil.rmtree(tmp_path / "keys")
    code, codes = findings(filed)
    assert (code, "archive-rewritten" in codes) == (0, False)


def test_it_says_what_it_cannot_prove_and_gives_a_fingerprint_to_write_down(filed: Workspace) -> None:
    out = filed.qms("verify").out
    assert "从内部无法发现" in out
    assert f"档案指纹：{tip(filed.folder)[:16]}（2 份记录）" in out
    assert json.loads(filed.qms("--json", "verify").out)["fingerprint"] == tip(filed.folder)[:16]


def test_a_computer_without_the_keys_says_how_much_was_not_examined(filed: Workspace, tmp_path: Path) -> None:
    (tmp_path / "keys").rename(tmp_path / "elsewhere")
    answer = filed.qms("--json", "verify")
    told = json.loads(answer.out)
    assert (answer.code, told["unopened"]) == (0, 2)
    (warning,) = [item for item in told["findings"] if item["gravity"] == "warning"]
    assert warning["code"] == "record-keys-missing"
    assert "密钥备份" in warning["hint"]
    assert "其中 2 份记录的敏感内容在本机没有密钥" in filed.qms("verify").out


def test_a_flipped_bit_anywhere_in_a_pack_is_found(filed: Workspace) -> None:
    git(filed.folder, "repack", "-a", "-d", "-q")
    (pack,) = (filed.folder / ".git" / "objects" / "pack").glob("*.pack")
    sound = pack.read_bytes()
    for place in range(12, len(sound), len(sound) // 9):
        pack.chmod(0o600)
        pack.write_bytes(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :])
        code, codes = findings(filed)
        assert (code, "store-damaged" in codes) == (1, True), place


def test_a_workspace_that_cannot_be_written_is_read_all_the_same(filed: Workspace) -> None:
    shutil.rmtree(filed.folder / ".qms")
    (filed.folder / ".qms").write_bytes(b"a file where the folder should be")
    assert filed.qms("record", "list").out.count("XX-YLQXJL-013-2026-") == 2
    assert "XX-YLQXJL-013" in filed.qms("record", "search", "江城市").out
    assert filed.qms("verify").code == 0


@pytest.mark.parametrize("command", ["new", "import"])
def test_writing_what_cannot_be_written_is_a_clear_error(workspace: Workspace, tmp_path: Path, command: str) -> None:
    shutil.rmtree(workspace.folder / ".qms", ignore_errors=True)
    (workspace.folder / ".qms").write_bytes(b"a file where the folder should be")
    before = workspace.tree()
    if command == "new":
        values = workspace.values("call.yml", CALL)
        answer = workspace.qms("record", "new", "XX-YLQXJL-013", "--values", values)
    else:
        text = tmp_path / "XX-YLQXCX-099 试行程序.txt"
        text.write_text("一、目的\n规范试行的做法。\n", encoding="utf-8")
        answer = workspace.qms("doc", "import", str(text), "--number", "XX-YLQXCX-099", "--title", "试行程序")
    assert answer.code == 6, answer.err
    assert "storage-denied" in answer.err
    assert "Traceback" not in answer.err
    assert workspace.tree() == before
