"""`qms verify` tells what was done to the archive behind its back, and what it cannot tell."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.real_tools import need
from tests.telephone_call import CALL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Workspace


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
    assert findings(filed) == (1, ["archive-rewritten", "search-index-differs"])


def test_a_backup_that_is_tried_out_elsewhere_under_the_same_account_is_no_workspace_taken_back(
    filed: Workspace, tmp_path: Path
) -> None:
    """A restore test: an older copy is opened and used; neither it nor the real workspace is called rewritten."""
    copy = tmp_path / "恢复演练"
    shutil.copytree(filed.folder, copy)
    rewind(copy)
    restored = replace(filed, folder=copy)
    assert restored.qms("verify").code == 0
    out = tmp_path / "台账.xlsx"
    assert restored.qms("register", "build", "TZ-16", "--out", str(out)).code == 0
    told = json.loads(restored.qms("--json", "verify").out)["findings"]
    (note,) = [item for item in told if item["code"] == "archive-copy"]
    assert (note["gravity"], f"“{filed.folder}”" in note["message"]) == ("note", True)
    assert findings(filed) == (0, [])
    rewind(filed.folder)
    assert findings(filed) == (1, ["archive-rewritten", "search-index-differs"])


def test_what_was_found_wrong_is_not_remembered_as_seen(filed: Workspace) -> None:
    right = git(filed.folder, "rev-parse", "main")
    (filed.folder / "signatures" / "posts.yml").write_text("x", encoding="utf-8")
    by = ("-c", "user.name=x", "-c", "user.email=x@x", "-c", "commit.gpgsign=false")
    git(filed.folder, *by, "commit", "-q", "-a", "-m", "x")
    assert filed.qms("verify").code == 1
    git(filed.folder, "reset", "-q", "--hard", right)
    assert findings(filed) == (0, [])


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


def test_main_taken_back_is_told_by_what_this_computer_remembers(filed: Workspace) -> None:
    before = git(filed.folder, "rev-parse", "main")
    other = amended(filed.folder, "main", "")
    git(filed.folder, "update-ref", "refs/heads/main", other)
    answer = filed.qms("verify")
    assert answer.code == 1
    assert f"本机上次见到的更改 {before[:12]}" in answer.out


def test_a_root_that_this_computer_never_saw_is_told(filed: Workspace, tmp_path: Path) -> None:
    (seen,) = (tmp_path / "keys").rglob("seen.json")
    content = json.loads(seen.read_text(encoding="utf-8"))
    assert findings(filed) == (0, [])
    # As if everything had been made anew with another root, the history and its memory included.
    seen.write_text(json.dumps(content | {"root": "sha256:" + "0" * 64}), encoding="utf-8")
    assert findings(filed) == (1, ["root-replaced"])


def test_edited_files_and_settings_are_told_and_are_no_fault_of_the_archive(filed: Workspace) -> None:
    (filed.folder / "procedures" / "XX-YLQXCX-014" / "clauses.txt").write_text("一、目的\n", encoding="utf-8")
    with (filed.folder / "qms.toml").open("a", encoding="utf-8") as file:
        file.write("# x\n")
    answer = filed.qms("--json", "verify")
    told = {(item["code"], item["path"], item["gravity"]) for item in json.loads(answer.out)["findings"]}
    assert answer.code == 0
    assert ("working-file-differs", "procedures/XX-YLQXCX-014/clauses.txt", "note") in told
    assert ("working-file-differs", "qms.toml", "note") in told


def test_a_search_index_that_says_something_else_is_told(filed: Workspace) -> None:
    path = filed.folder / ".qms" / "index.sqlite"
    assert findings(filed) == (0, [])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE record SET state = json_set(state, '$.head', 'sha256:0') WHERE serial = 1")
    assert findings(filed) == (0, ["search-index-differs"])
    assert filed.qms("index", "rebuild").code == 0
    assert findings(filed) == (0, [])


def test_a_damaged_setting_file_is_a_clear_error(filed: Workspace) -> None:
    (filed.folder / "qms.toml").write_text("[", encoding="utf-8")
    answer = filed.qms("verify")
    assert (answer.code, "settings-invalid" in answer.err) == (6, True)


@pytest.mark.parametrize("ref", ["main", "archive/main"])
@pytest.mark.parametrize("content", [b"", b"0" * 40, b"\xff", b"ref: refs/heads/main\n"])
def test_a_damaged_branch_is_told_and_nothing_crashes(filed: Workspace, ref: str, content: bytes) -> None:
    (filed.folder / ".git" / "refs" / "heads" / ref).write_bytes(content)
    answer = filed.qms("verify")
    assert answer.code == 1
    assert "Traceback" not in answer.err


def test_the_report_says_what_was_checked_and_found(filed: Workspace, tmp_path: Path) -> None:
    from docx import Document

    target = tmp_path / "检查报告.docx"
    assert filed.qms("verify", "--report", str(target)).code == 0
    drawn = Document(str(target))
    words = "\n".join(paragraph.text for paragraph in drawn.paragraphs)
    cells = [cell.text for table in drawn.tables for row in table.rows for cell in row.cells]
    assert "没有发现不符合" in words
    assert tip(filed.folder) in cells
    assert "time-not-proven" in cells
    assert "2 份，2 个条目" in cells
    assert filed.qms("verify", "--report", str(target)).code == 4
    assert filed.qms("verify", "--report", str(target), "--force").code == 0
    assert filed.qms("verify", "--report", str(tmp_path / "x.txt")).code == 4


@pytest.mark.slow
def test_the_report_prints_as_pdf(filed: Workspace, tmp_path: Path) -> None:
    target = tmp_path / "检查报告.pdf"
    rewind(filed.folder)
    assert filed.qms("verify", "--report", str(target)).code == 1
    shown = subprocess.run([need("pdftotext"), str(target), "-"], capture_output=True, check=True).stdout.decode()
    assert "档案检查报告" in shown
    assert "档案被退回或改写" in shown.replace("\n", "")


def test_one_record_tells_who_signed_what_it_is_worth_and_who_is_missing(filed: Workspace) -> None:
    answer = filed.qms("--json", "verify", "XX-YLQXJL-013-2026-0001")
    told = json.loads(answer.out)
    (signed,) = told["signed"]
    assert (answer.code, told["sound"], signed["by"]["name"], signed["sequence"]) == (0, True, "陈晓", 1)
    assert [signed[worth] for worth in ("intact", "valid", "trusted", "timely")] == [True] * 4
    assert [step for step in told["missing"] if step["following"]]
    shown = filed.qms("verify", "XX-YLQXJL-013-2026-0001").out
    assert told["missing"][0]["stage"] in shown
    assert filed.qms("verify", "XX-YLQXJL-013-2026-0099").code == 3
    assert filed.qms("verify", "0001").code == 4


def test_a_record_whose_commit_time_was_moved_is_not_timely_and_still_intact(filed: Workspace) -> None:
    at = "2026-12-24T00:00:00+08:00"
    made = git(filed.folder, "commit-tree", "archive/main^{tree}", "-p", "archive/main~1", "-m", "x", at=at)
    git(filed.folder, "update-ref", "refs/heads/archive/main", made)
    answer = filed.qms("--json", "verify", "XX-YLQXJL-013-2026-0002")
    (signed,) = json.loads(answer.out)["signed"]
    assert (answer.code, signed["intact"], signed["trusted"], signed["timely"]) == (1, True, True, False)
    assert signed["findings"][0]["code"] == "time-differs-from-commit"
