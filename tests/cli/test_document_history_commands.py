"""`qms doc history`, `diff`, `blame` and `as-of` in a workspace where 014 went from A/0 to A/1 with signatures."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from controller.file_formats.docx_package import open_docx
from controller.file_formats.tracked_changes import accepted, body_blocks, rejected
from controller.services.archive_ports import ControlledChange
from controller.services.library_adoption import library_statement
from controller.services.print_ports import PdfDocument
from tests.adapters.test_pdf_signing import print_out
from tests.signers import company

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.conftest import Workspace

NUMBER = "XX-YLQXCX-014"
FOLDER = f"procedures/{NUMBER}"


def edit(workspace: Workspace, *changes: tuple[str, str], reason: str, revision: str | None = None) -> None:
    """Change words of 014 in the folder, with a new revision, and adopt it in 林静's name.

    Without one it comes into force as the program before let it: by a signed statement, unchecked.
    """
    text = workspace.folder / FOLDER / "clauses.txt"
    words = text.read_bytes().decode()
    for old, new in changes:
        assert old in words
        words = words.replace(old, new)
    text.write_bytes(words.encode())
    if revision is not None:
        control = workspace.folder / FOLDER / "document.yml"
        said = control.read_bytes().decode()
        control.write_bytes(said.replace("revision: A/0", f"revision: {revision}").encode())
        done = workspace.qms("change", "adopt", "--reason", reason, person="林静")
        assert done.code == 0, done.err
        return
    changed: dict[str, bytes | None] = {f"{FOLDER}/clauses.txt": words.encode()}
    with closing(workspace.open()) as application:
        application.statements.file(
            library_statement(application.controlled_files, changed, subject=NUMBER, reason=reason, meaning="批准"),
            application.person("林静"),
            controlled=ControlledChange(changed, action="adopt", subject=NUMBER, note=reason),
        )


def revise(workspace: Workspace) -> None:
    """A/0 → A/1: one clause reworded, one added before it, the rest renumbered."""
    changes = (
        ("5.2.制定", "5.2.每季度回访用户一次。\n5.3.制定"),
        ("5.3.医疗器械购销员", "5.4.医疗器械购销员"),
        ("经岗位培训和市级以上监督管理部门考试合格后上岗", "经岗位培训考核合格后上岗"),
    )
    edit(workspace, *changes, reason="增加回访要求，取消过时的考试要求", revision="A/1")


def told(workspace: Workspace, *words: str) -> Any:
    answer = workspace.qms("--json", "doc", *words)
    assert answer.code == 0, answer.err + answer.out
    return json.loads(answer.out)


def sign_all(workspace: Workspace) -> None:
    """Draft, review and approve 014 as it stands, with a print that is quick to make."""
    with closing(workspace.open()) as application:
        signing = application.document_signing
        signing.to_pdf = lambda _docx: PdfDocument(print_out(), "blank", "1", (), 1)
        for meaning, person in (("起草", "p003"), ("审核", "p002"), ("批准", "p001")):
            name = application.staff.people[person].name
            signing.sign("CX-014", meaning, company().signer(person, name, "质管员"))


@pytest.fixture
def revised(workspace: Workspace) -> Workspace:
    sign_all(workspace)
    revise(workspace)
    return workspace


def test_history_tells_revision_author_reason_and_signatures(revised: Workspace) -> None:
    shown = told(revised, "history", "CX-014")
    first, second = shown["changes"]
    assert (first["serial"], first["revision"], second["revision"]) == (1, "A/0", "A/1")
    assert first["stated"]["event"] == "site-opened"
    assert [(item["meaning"], item["by"]["name"]) for item in first["signatures"]] == [
        ("起草", "陈晓"),
        ("审核", "林静"),
        ("批准", "周明"),
    ]
    assert second["stated"]["by"]["name"] == "林静"
    assert second["stated"]["reason"] == "增加回访要求，取消过时的考试要求"
    assert second["stated"]["flaw"] is None
    assert second["signatures"] == []
    lines = revised.qms("doc", "history", "CX-014").out.splitlines()
    assert lines[0] == f"《售后服务质量控制管理程序》{NUMBER}"
    assert (lines[2].split("\t")[0], "由 A/1 代替" in lines[2]) == ("A/0", True)
    assert lines[3].split("\t")[:3] == ["A/1", "现行有效", ""]
    assert "批准 周明" in lines[6]
    assert "没有签署" in lines[7]
    assert lines[8] == "共 2 次更改、2 个版本。"


def test_diff_tells_what_was_added_reworded_and_renumbered(revised: Workspace) -> None:
    shown = told(revised, "diff", "CX-014", "A/0", "A/1")
    assert shown["counts"] == {"added": 1, "removed": 0, "changed": 1, "renumbered": 2, "moved": 0}
    assert [(item["place"], item["kinds"]) for item in shown["changes"]] == [
        ("5.2.", ["added"]),
        ("5.3.", ["renumbered"]),
        ("5.4.", ["changed", "renumbered"]),
    ]
    assert shown["control"] == [{"item": "版本", "old": "A/0", "new": "A/1"}]
    assert told(revised, "diff", "CX-014", "A/1") == shown
    assert told(revised, "diff", "CX-014") == shown
    assert told(revised, "diff", "CX-014", "1", "2") == shown
    page = revised.qms("doc", "diff", "CX-014", "A/1").out
    assert "经岗位培训【删：和市级以上监督管理部门考试】【增：考核】合格后上岗。" in page
    assert "【增：5.2.每季度回访用户一次。】" in page


def test_an_edit_in_the_folder_is_compared_before_it_is_adopted(revised: Workspace) -> None:
    text = revised.folder / FOLDER / "clauses.txt"
    text.write_bytes(text.read_bytes().replace("每季度".encode(), "每月".encode()))
    page = revised.qms("doc", "diff", "CX-014", "--working").out
    assert "5.2.每【删：季度】【增：月】回访用户一次。" in page
    assert "（工作目录）" in page


def test_blame_names_change_and_approval_of_every_clause(revised: Workspace) -> None:
    clauses = {item["place"]: item for item in told(revised, "blame", "CX-014")["clauses"]}
    assert clauses["5.1."]["changed"]["revision"] == "A/0"
    assert (clauses["5.1."]["approved"]["by"], clauses["5.1."]["approved"]["revision"]) == ("周明", "A/0")
    assert clauses["5.2."]["changed"]["by"] == "林静"
    assert clauses["5.2."]["approved"] is None
    assert (clauses["5.3."]["changed"]["revision"], clauses["5.3."]["renumbered_in"]) == ("A/0", "A/1")
    assert clauses["5.3."]["approved"]["by"] == "周明"
    assert clauses["5.4."]["changed"]["reason"] == "增加回访要求，取消过时的考试要求"
    before = {item["place"]: item for item in told(revised, "blame", "CX-014", "--revision", "A/0")["clauses"]}
    assert "市级以上" in before["5.3."]["text"]
    wordings = told(revised, "blame", "CX-014", "--clause", "5.4")["wordings"]
    assert [(item["revision"], item["place"]) for item in wordings] == [("A/0", "5.3."), ("A/1", "5.4.")]
    assert "【删：和市级以上监督管理部门考试】" in revised.qms("doc", "blame", "CX-014", "--clause", "5.4").out


class Page(HTMLParser):
    """What a page refers to and shows."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_page_is_self_contained_and_tells_everything(revised: Workspace, tmp_path: Path) -> None:
    target = tmp_path / "014.html"
    assert revised.qms("doc", "history", "CX-014", "--html", str(target)).code == 0
    text = target.read_text(encoding="utf-8")
    page = Page(text)
    assert page.links == []
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert "url(" not in text
    words = "".join(page.words)
    for part in ("时间线", "逐次对比", "条款溯源", "批准 周明", "增加回访要求，取消过时的考试要求", "以前的写法"):
        assert part in words
    assert "<del>和市级以上监督管理部门考试</del><ins>考核</ins>" in text
    again = revised.qms("doc", "history", "CX-014", "--html", str(target))
    assert (again.code, "file-exists" in again.err) == (4, True)


def without_signers(blocks: Sequence[Any]) -> list[Any]:
    """What a print says but for who signed it and since when it governs: a redline is of the texts."""
    told_by_signatures = {"编制", "审核", "批准", "生效日期"}
    return [
        tuple(row[:1] if row and row[0] in told_by_signatures else row for row in block)
        if isinstance(block, tuple)
        else block
        for block in blocks
    ]


def test_the_redline_holds_both_prints(revised: Workspace, tmp_path: Path) -> None:
    target, new = tmp_path / "对照.docx", tmp_path / "new.docx"
    sign_all(revised)  # of what is not signed the print says so
    done = revised.qms("doc", "diff", "CX-014", "A/0", "A/1", "--docx", str(target))
    assert done.code == 0, done.err
    document = open_docx(target.read_bytes()).contents["word/document.xml"]
    assert revised.qms("doc", "print", "CX-014", "--out", str(new)).code == 0
    printed = open_docx(new.read_bytes()).contents["word/document.xml"]
    assert without_signers(body_blocks(accepted(document))) == without_signers(body_blocks(accepted(printed)))
    assert "5.3.医疗器械购销员" in str(body_blocks(rejected(document)))
    assert 'w:author="林静"'.encode() in document
    trail = revised.qms("audit-trail", "--limit", "3").out
    assert NUMBER in trail


def test_the_state_of_a_day_is_that_of_its_end_in_company_time(revised: Workspace) -> None:
    today = datetime.fromisoformat(told(revised, "history", "CX-014")["changes"][1]["at"]).date()
    yesterday = today - timedelta(days=1)
    now = {item["number"]: item for item in told(revised, "as-of", today.isoformat())["items"]}
    then = {item["number"]: item for item in told(revised, "as-of", yesterday.isoformat())["items"]}
    assert (then[NUMBER]["revision"], now[NUMBER]["revision"]) == ("A/0", "A/1")
    assert now[NUMBER]["changed_by"] == "林静"
    assert now[NUMBER]["approved"] is None
    assert {item["kind"] for item in then.values()} == {"document", "form", "register", "external"}
    assert set(now) == set(then)
    early = revised.qms("doc", "as-of", "2026-01-04")
    assert (early.code, "2026-01-04 时本工作区还没有建立" in early.err) == (4, True)
    late = revised.qms("doc", "as-of", today.isoformat(), "--known", (today + timedelta(days=2)).isoformat())
    assert (late.code, "day-in-future" in late.err) == (4, True)


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("diff", "CX-014", "C/7"), 3, "revision-unknown"),
        (("diff", "CX-014", "A/0"), 4, "revision-first"),
        (("diff", "CX-014", "A/0", "A/0", "A/0"), 4, "comparison-unclear"),
        (("blame", "CX-014", "--clause", "9.9"), 3, "clause-unknown"),
        (("history", "CX-099"), 3, "document-unknown"),
    ],
)
def test_what_there_is_not_is_said_plainly(workspace: Workspace, words: tuple[str, ...], code: int, error: str) -> None:
    answer = workspace.qms("doc", *words)
    assert (answer.code, error in answer.err) == (code, True), answer.err


def test_a_change_under_the_same_revision_voids_the_approval_of_what_changed_only(workspace: Workspace) -> None:
    sign_all(workspace)
    edit(workspace, ("反馈和事后跟踪等", "反馈、事后跟踪和改进等"), reason="补充改进要求")
    shown = told(workspace, "history", "CX-014")
    assert [item["revision"] for item in shown["changes"]] == ["A/0", "A/0"]
    assert [len(item["signatures"]) for item in shown["changes"]] == [3, 0]
    clauses = {item["place"]: item for item in told(workspace, "blame", "CX-014")["clauses"]}
    assert clauses["5.2."]["approved"] is None
    assert clauses["5.1."]["approved"]["by"] == "周明"
