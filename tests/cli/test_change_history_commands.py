"""History, blame, differences and the state of a day where changes are approved for a day to come."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from tests.changed_documents import NUMBER, REASON, drafted, opened, signed, withdrawn
from tests.compliance.evidence import clock_moves

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Workspace

OTHER = "XX-YLQXZD-030"


def told(workspace: Workspace, *words: str) -> Any:
    answer = workspace.qms("--json", "doc", *words)
    assert answer.code == 0, answer.err
    return json.loads(answer.out)


def in_force(workspace: Workspace, *words: str) -> dict[str, Any]:
    return {item["number"]: item for item in told(workspace, "as-of", *words)["items"]}


@pytest.mark.slow
def test_what_is_approved_for_a_day_governs_from_that_day_and_everything_says_so(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    day, before = today + timedelta(days=20), today - timedelta(days=1)
    with opened(workspace) as application:
        change = drafted(application, "稳定和扩大", "稳定并扩大")
    redline = tmp_path / "对照.docx"
    draft = told(workspace, "diff", "CX-014", "--change", change, "--docx", str(redline))
    assert (draft["old"]["revision"], draft["new"]["revision"], draft["new"]["change"]) == ("A/0", "A/1", change)
    assert "稳定并扩大" in draft["changes"][0]["new"]
    assert 'w:author="陈晓"'.encode() in b"".join(parts(redline.read_bytes()))
    with opened(workspace) as application:
        signed(application, change, day)
        withdrawn(application, OTHER, today + timedelta(days=5))
    now = in_force(workspace, today.isoformat())
    assert (now[NUMBER]["revision"], now[NUMBER]["until"]) == ("A/0", day.isoformat())
    assert in_force(workspace, day.isoformat(), "--known", before.isoformat())[NUMBER]["revision"] == "A/0"
    ahead = in_force(workspace, day.isoformat())
    assert (ahead[NUMBER]["revision"], ahead[NUMBER]["effective"], ahead[NUMBER]["change"]) == (
        "A/1",
        day.isoformat(),
        change,
    )
    assert (ahead[NUMBER]["approved"]["by"], ahead[NUMBER]["reason"]) == ("周明", REASON)
    assert ahead[NUMBER]["changed_by"] == told(workspace, "history", "CX-014")["changes"][1]["author"] == "陈晓"
    assert OTHER in now
    assert OTHER not in ahead

    history = told(workspace, "history", "CX-014")
    first, second = history["revisions"]
    assert (first["status"], first["until"], first["replaced_by"]) == ("in-force", day.isoformat(), "A/1")
    assert (second["status"], second["drafted"], second["reviewed"]) == ("pending", "陈晓", ["林静"])
    assert (second["approved"]["name"], second["change"], second["reason"]) == ("周明", change, REASON)
    assert second["read"]["assigned"] > 0
    assert [item["meaning"] for item in history["changes"][1]["signatures"]] == ["起草", "审核", "批准"]
    pending = told(workspace, "diff", "CX-014")
    assert (pending["old"]["revision"], pending["new"]["revision"]) == ("A/0", "A/1")
    clauses = told(workspace, "blame", "CX-014", "--revision", "A/1")["clauses"]
    changed = [item["changed"] for item in clauses if item["changed"]["change"] == change]
    assert [(item["drafted"], item["reviewed"], item["reason"]) for item in changed] == [("陈晓", ["林静"], REASON)]
    assert all(item["changed"]["change"] is None for item in told(workspace, "blame", "CX-014")["clauses"])

    with monkeypatch.context() as patch:
        clock_moves(patch, timedelta(days=20))
        shown = workspace.qms("doc", "history", "CX-014").out
        assert f"作废（{day} 起由 A/1 代替）" in shown
        old = told(workspace, "show", "CX-014", "--revision", "A/0")
        assert (old["revision"], old["revision_status"], old["until"]) == ("A/0", "obsolete", day.isoformat())
        assert "稳定和扩大" in old["text"]
        assert "作废" in workspace.qms("doc", "show", OTHER, "--revision", "A/0").out
        gone = workspace.qms("doc", "history", OTHER).out
        assert f"作废（{today + timedelta(days=5)} 起）" in gone
        assert in_force(workspace, today.isoformat())[OTHER]["revision"] == "A/0"
        assert workspace.qms("doc", "show", OTHER).code == 3


def test_what_changes_govern_is_adopted_no_more(workspace: Workspace) -> None:
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    with opened(workspace) as application:
        signed(application, drafted(application, "稳定和扩大", "稳定并扩大"), today + timedelta(days=3))
        drafted(application, "按岗位授予权限", "按岗位给予权限", item=OTHER)
    document, other = (workspace.folder / "procedures" / number / "clauses.txt" for number in (NUMBER, OTHER))
    free = workspace.folder / "procedures" / "XX-YLQXCX-015" / "clauses.txt"
    for file in (document, other, free):
        file.write_text(file.read_text(encoding="utf-8") + "补充。\n", encoding="utf-8")
    refused = workspace.qms("change", "adopt", "--reason", "补充现场说明", person="林静")
    assert (refused.code, refused.err.count("由文件更改管理")) == (4, 2), refused.err
    assert "qms change open --document" in refused.err
    for file in (document, other):
        assert workspace.qms("change", "discard", "--yes", file.relative_to(workspace.folder).as_posix()).code == 0
    assert workspace.qms("change", "adopt", "--reason", "补充现场说明", person="林静").code == 0


def parts(data: bytes) -> list[bytes]:
    from controller.file_formats.docx_package import open_docx

    return list(open_docx(data).contents.values())
