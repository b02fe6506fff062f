"""`qms audit-trail`, and what prints, exports, unmasking and refusals leave in it."""

from __future__ import annotations

import csv
import json
import stat
from typing import TYPE_CHECKING, Any

import pytest

from controller.adapters.git_archive import GitArchive
from controller.domain.errors import MisconfiguredError
from controller.domain.text import T
from tests.telephone_call import CALL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Workspace

SECRET = CALL["detail"]
"""The value of a field that is sensitive."""


def filed(workspace: Workspace) -> str:
    answer = workspace.qms("--json", "record", "new", "XX-YLQXJL-013", "--values", workspace.values("call.yml", CALL))
    assert answer.code == 0, answer.err
    number: str = json.loads(answer.out)["number"]
    return number


def trail(workspace: Workspace, *words: str, person: str | None = None) -> list[dict[str, Any]]:
    """The trail, oldest first."""
    answer = workspace.qms("--json", "audit-trail", *words, person=person)
    assert answer.code == 0, answer.err
    events: list[dict[str, Any]] = json.loads(answer.out)["events"]
    return events[::-1]


def told(event: dict[str, Any]) -> dict[str, str]:
    return {item["label"]: item["new"] for item in event["changes"]}


def test_a_correction_is_seen_with_old_and_new_value_reason_and_computer(workspace: Workspace) -> None:
    number = filed(workspace)
    customer = "customer_name=江城市第二人民医院"
    answer = workspace.qms("record", "correct", number, "--set", customer, "--reason", "医院名称听错", person="林静")
    assert answer.code == 0, answer.err
    event = trail(workspace, "--action", "更正")[-1]
    assert (event["name"], event["object"], event["reason"]) == ("林静", number, "医院名称听错")
    assert (event["signed"], event["meaning"]) == ("signed", "更正")
    assert event["computer"]
    change = next(item for item in event["changes"] if item["field"] == "customer_name")
    assert (change["old"], change["new"]) == ("江城市第一人民医院", "江城市第二人民医院")
    shown = workspace.qms("audit-trail", "--object", number, person=None)
    assert "江城市第一人民医院 → 江城市第二人民医院" in shown.out


def test_a_print_is_in_the_trail_with_the_digest_of_what_was_handed_over(workspace: Workspace, tmp_path: Path) -> None:
    number = filed(workspace)
    assert workspace.qms("record", "print", number, "--out", str(tmp_path / "a.docx")).code == 0
    assert workspace.qms("doc", "print", "XX-YLQXCX-014", "--out", str(tmp_path / "b.docx"), person="林静").code == 0
    printed = trail(workspace, "--action", "打印")
    assert [(item["name"], item["object"]) for item in printed] == [("陈晓", number), ("林静", "XX-YLQXCX-014")]
    import hashlib

    for name, event in zip(("a.docx", "b.docx"), printed, strict=True):
        assert told(event)["所示内容摘要"] == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()[:12]


def test_whoever_looks_at_sensitive_values_is_written_down(workspace: Workspace, tmp_path: Path) -> None:
    number = filed(workspace)
    assert SECRET in workspace.qms("record", "show", number, "--unmask").out
    assert workspace.qms("record", "print", number, "--unmask", "--out", str(tmp_path / "a.docx")).code == 0
    assert workspace.qms("record", "show", number, person=None).code == 0
    assert [item["object"] for item in trail(workspace, "--action", "unmasked")] == [number, number]
    whole = workspace.qms("record", "show", number, "--trail", person=None)
    assert "查看敏感信息" in whole.out
    assert "打印" in whole.out
    assert SECRET not in whole.out


def test_the_whole_trail_is_unmasked_for_quality_posts_only(workspace: Workspace) -> None:
    number = filed(workspace)
    refused = workspace.qms("audit-trail", "--unmask", person="刘洋")
    assert (refused.code, SECRET in refused.out) == (4, False)
    assert "trail-unmasking" in refused.err
    attempt = trail(workspace, "--failures")[-1]
    assert (attempt["name"], told(attempt)["错误代码"]) == ("刘洋", "trail-unmasking")
    allowed = workspace.qms("--json", "audit-trail", "--object", number, "--unmask", person="林静")
    assert SECRET in allowed.out
    assert [item["object"] for item in trail(workspace, "--action", "查看敏感信息")] == ["审计追踪"]


@pytest.mark.parametrize("kind", ["csv", "xlsx", "jsonl"])
def test_an_export_is_stated_before_it_is_handed_over_and_says_so_in_the_next_one(
    workspace: Workspace, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / f"trail.{kind}"
    answer = workspace.qms("--json", "audit-trail", "--out", str(path), "--from", "2026-01-01", person="林静")
    assert answer.code == 0, answer.err
    document = json.loads(answer.out)
    assert (document["files"], path.is_file()) == ([str(path)], True)
    event = trail(workspace, "--action", "导出")[-1]
    facts = told(event)
    assert (event["name"], facts["行数"], facts["格式"]) == ("林静", str(document["rows"]), kind)
    assert facts["档案指纹"] == document["fingerprint"]
    assert facts["涉及的文件"].startswith(f"trail.{kind}（")
    if kind == "csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
        assert len(rows) - rows.index([]) - 2 == document["rows"]


def test_a_register_an_attachment_folder_and_a_browsing_copy_are_exports_too(
    workspace: Workspace, tmp_path: Path
) -> None:
    filed(workspace)
    assert workspace.qms("register", "build", "TZ-16", "--out", str(tmp_path / "a.xlsx")).code == 0
    assert workspace.qms("record", "browse", "--out", str(tmp_path / "browse")).code == 0
    found = trail(workspace, "--action", "导出")
    assert [item["object"] for item in found] == ["XX-YLQXTZ-16", "档案浏览副本"]


def test_a_refused_act_of_a_signed_in_person_is_in_the_trail(workspace: Workspace) -> None:
    number = filed(workspace)
    answer = workspace.qms("record", "void", number, "--reason", "重复登记的电话", person="刘洋")
    assert answer.code == 4
    event = trail(workspace, "--failures")[-1]
    assert (event["name"], event["action"], event["failure"]) == ("刘洋", "操作被拒绝", True)
    assert event["object"] == number
    assert (told(event)["错误代码"], told(event)["命令"]) == ("stage-refused", "qms record void")
    shown = workspace.qms("audit-trail", "--failures").out
    assert "stage-refused" not in shown


def test_a_refusal_about_no_object_names_the_command_that_was_tried(workspace: Workspace) -> None:
    answer = workspace.qms("person", "retire", "王强", "--reason", "离职", "--yes", person="刘洋")
    assert answer.code == 4
    event = trail(workspace, "--failures")[-1]
    assert (event["object"], event["kind"]) == ("qms person retire", "system")
    assert "王强" not in event["object"]


def test_names_of_facts_are_english_with_the_english_language(workspace: Workspace) -> None:
    filed(workspace)
    workspace.qms("audit-trail", "--out", str(workspace.folder.parent / "a.csv"))
    shown = workspace.qms("--lang", "en", "audit-trail", "--action", "导出").out
    assert "format: csv" in shown.lower()
    assert "格式" not in shown


class UnwritableError(MisconfiguredError):
    code = "unwritable-in-test"


@pytest.mark.parametrize(
    "words",
    [
        ("record", "print", "{number}", "--out", "{out}/a.docx"),
        ("record", "show", "{number}", "--unmask"),
        ("doc", "print", "XX-YLQXCX-014", "--out", "{out}/a.docx"),
        ("register", "build", "TZ-16", "--out", "{out}/a.xlsx"),
        ("record", "browse", "--out", "{out}/browse"),
        ("audit-trail", "--out", "{out}/a.csv"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_what_cannot_be_written_down_does_not_happen(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    number = filed(workspace)
    out = tmp_path / "out"
    out.mkdir()

    def refuse(self: GitArchive) -> Iterator[None]:
        raise UnwritableError(T("档案不能写入"))

    monkeypatch.setattr(GitArchive, "writing", refuse)
    answer = workspace.qms(*(word.format(number=number, out=out) for word in words))
    assert (answer.code, list(out.iterdir())) == (6, [])
    assert SECRET not in answer.out
    assert "unwritable-in-test" in answer.err


def test_a_repository_that_is_read_only_refuses_a_print_with_a_clear_message(
    workspace: Workspace, tmp_path: Path
) -> None:
    number = filed(workspace)
    repository = workspace.folder / ".git"
    folders = [repository, *(path for path in repository.rglob("*") if path.is_dir())]
    modes = {path: path.stat().st_mode for path in folders}
    probe = repository / "probe"
    for path in folders:
        path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        probe.write_bytes(b"")
    except OSError:
        writable = False
    else:
        writable = True  # whoever runs the tests is above permissions: a file in the way of the lock does the same
    try:
        if writable:
            locks = workspace.folder / ".qms" / "locks"
            for path in (locks / "archive.lock",):
                path.unlink(missing_ok=True)
                path.mkdir()
        answer = workspace.qms("record", "print", number, "--out", str(tmp_path / "a.docx"))
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
    assert answer.code in {4, 6}, answer.err
    assert "下一步" in answer.err
    assert "Traceback" not in answer.err
    assert not (tmp_path / "a.docx").exists()


def test_an_export_needs_a_known_format_and_an_action_a_known_word(workspace: Workspace, tmp_path: Path) -> None:
    assert workspace.qms("audit-trail", "--out", str(tmp_path / "trail.txt")).code == 2
    assert workspace.qms("audit-trail", "--format", "csv").code == 2
    unknown = workspace.qms("audit-trail", "--action", "删除")
    assert (unknown.code, "trail-action-unknown" in unknown.err) == (3, True)
    assert workspace.qms("audit-trail", "--from", "2026-05-02", "--to", "2026-05-01").code == 2


def test_the_screen_shows_the_newest_and_says_that_there_are_more(workspace: Workspace) -> None:
    number = filed(workspace)
    answer = workspace.qms("audit-trail", "--limit", "1", person=None)
    assert number in answer.out
    assert "只列出最新 1 条" in answer.out
    nothing = workspace.qms("audit-trail", "--person", "没有此人", person=None)
    assert "没有符合条件的审计追踪" in nothing.out
