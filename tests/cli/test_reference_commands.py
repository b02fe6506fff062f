"""References at the command line: of a document, to a form, of the whole library, and in `doc lint`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Workspace


def test_a_document_shows_what_its_clauses_refer_to(workspace: Workspace) -> None:
    shown = workspace.qms("doc", "links", "CX-003", person=None)
    assert "5.5\tXX-YLQXCX-014\t售后服务质量控制管理程序\t第5.3条\t正文\t有效" in shown.out.splitlines()
    assert (shown.code, shown.out.splitlines()[-1]) == (0, "共引用 28 处。")


def test_what_refers_to_a_form_is_told_by_its_short_number(workspace: Workspace) -> None:
    shown = workspace.qms("--json", "doc", "links", "--to", "JL-034", person=None)
    cited = {(item["source"]["number"], item["clause"], item["via"]) for item in json.loads(shown.out)["references"]}
    assert {("XX-YLQXCX-003", None, "forms"), ("XX-YLQXCX-003", "5.9", "text"), ("3.14", "3.14", "evidence")} <= cited


def test_a_renamed_form_makes_a_finding_where_its_old_name_stands(workspace: Workspace) -> None:
    path = workspace.folder / "templates" / "forms" / "XX-YLQXJL-034" / "form.yml"
    text = path.read_text(encoding="utf-8").replace("title: 员工质量档案", "title: 人员质量档案", 1)
    path.write_text(text, encoding="utf-8")
    shown = workspace.qms("doc", "lint", "CX-003", person=None)
    assert "条款 5.9引用的《员工质量档案》现名《人员质量档案》。" in shown.out
    assert "现名" not in workspace.qms("doc", "lint", "CX-003", "--approved", person=None).out


def test_showing_a_document_as_json_lists_its_references(workspace: Workspace) -> None:
    shown = workspace.qms("--json", "doc", "show", "CX-014", person=None)
    told = [(item["clause"], item["target"], item["state"]) for item in json.loads(shown.out)["references"]]
    assert ("2", "医疗器械监督管理办法", "missing") in told
    assert ("5.1", "XX-YLQXJL-021", "valid") in told
