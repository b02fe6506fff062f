"""Numbers, posts, time limits and revisions as people write and read them."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from docx import Document

if TYPE_CHECKING:
    from tests.conftest import Workspace

TEXT = "XX-YLQXCX-098 验证管理程序\n{line}\n1. 目的\n规定验证的做法。\n2. 范围\n适用于本公司。\n"


def imported(workspace: Workspace, line: str, *more: str) -> dict[str, object]:
    source = workspace.folder.parent / "validation.txt"
    source.write_text(TEXT.format(line=line), encoding="utf-8")
    answer = workspace.qms("--json", "doc", "import", str(source), *more)
    assert answer.code == 0, answer.err
    data: dict[str, object] = json.loads(answer.out)
    return data


@pytest.mark.parametrize(
    ("line", "more", "revision"),
    [
        ("版本：B/1", (), "B/1"),
        ("版次: C/2　生效日期：2024-05-01", (), "C/2"),
        ("版本：第二版", (), "A/0"),
        ("版本：B/1", ("--revision", "D/0"), "D/0"),
    ],
)
def test_an_imported_document_has_the_revision_it_states(
    workspace: Workspace, line: str, more: tuple[str, ...], revision: str
) -> None:
    assert imported(workspace, line, *more)["revision"] == revision


def test_the_line_under_the_title_stays_visible_on_screen_and_paper(workspace: Workspace) -> None:
    imported(workspace, "版本：B/1　编制：质管部")
    assert "版本：B/1　编制：质管部" in workspace.qms("doc", "show", "CX-098").out
    target = workspace.folder.parent / "validation.docx"
    assert workspace.qms("doc", "print", "CX-098", "--out", str(target)).code == 0
    assert "版本：B/1　编制：质管部" in [paragraph.text for paragraph in Document(str(target)).paragraphs]


def test_an_impossible_revision_is_refused(workspace: Workspace) -> None:
    source = workspace.folder.parent / "validation.txt"
    source.write_text(TEXT.format(line=""), encoding="utf-8")
    before = workspace.tree()
    answer = workspace.qms("doc", "import", str(source), "--revision", "2.0")
    assert answer.code == 4
    assert "A/0" in answer.err
    assert workspace.tree() == before


def test_a_form_is_explained_without_english_keys(workspace: Workspace) -> None:
    shown = workspace.qms("form", "show", "018").out
    assert "质量投诉处理记录" in shown
    assert "个工作日" in shown
    assert "售后服务管理人员" in shown
    for english in ("workday", "after_sales", "quality_officer", "类别：complaint"):
        assert english not in shown


def test_a_bare_serial_is_enough_where_only_one_document_has_it(workspace: Workspace) -> None:
    imported(workspace, "版本：B/1")
    assert "验证管理程序" in workspace.qms("doc", "show", "098").out
    several = workspace.qms("doc", "show", "001")
    assert several.code == 3
    assert "XX-YLQXCX-001" in several.err
    assert "XX-YLQXZD-001" in several.err


def test_one_register_can_be_checked(workspace: Workspace) -> None:
    path = workspace.folder / "templates/registers/TZ-06"
    assert path.is_dir()
    assert workspace.qms("register", "lint", "tz-06").code == 0
    assert workspace.qms("register", "lint", "TZ-99").code == 3


def test_the_version_option_is_explained_in_chinese(workspace: Workspace) -> None:
    assert "显示版本后退出" in workspace.qms("--help").out


def test_posts_may_be_written_by_their_chinese_names(workspace: Workspace) -> None:
    words = ("--post", "售后服务员", "--post", "质管员:2026-01-01", "--check", "身份证 尾号 1234")
    added = workspace.qms("person", "add", "新同事", *words, person="周明")
    assert added.code == 0, added.err
    with closing(workspace.open()) as application:
        person = next(item for item in application.staff.people.values() if item.name == "新同事")
        assert list(person.posts) == ["after_sales_officer", "quality_officer"]
        assert application.staff.signatory(person).post == "售后服务员"


@pytest.mark.parametrize("words", [("record", "list"), ("doc", "list"), ("audit-trail",)])
def test_a_name_that_is_nobodys_is_refused_by_commands_that_only_read_too(
    workspace: Workspace, words: tuple[str, ...]
) -> None:
    answer = workspace.qms(*words, person="不存在")
    assert answer.code == 3
    assert "person-unknown" in answer.err
    assert not answer.out
