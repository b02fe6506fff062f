"""The workload of a document at the command line, of the text in force and of the one being edited."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.compliance.evidence import file_complaint

if TYPE_CHECKING:
    from tests.conftest import Workspace


def test_the_duties_of_a_procedure_are_shown_with_their_load(workspace: Workspace) -> None:
    shown = workspace.qms("doc", "workload", "CX-019", person=None)
    assert shown.out.splitlines()[2] == "5.1\t每季度\t频次\t企业负责人\t按“职责”条款推断\t每年4次\t4"
    assert shown.code == 0


def test_deadlines_are_multiplied_with_the_records_of_their_form(workspace: Workspace) -> None:
    file_complaint(workspace)
    shown = workspace.qms("--json", "doc", "workload", "CX-015", person=None)
    first = json.loads(shown.out)["loads"][0]
    assert (first["clause"], first["wording"], first["form"], first["records"]) == ("5.2", "当日", "XX-YLQXJL-018", 1)


def test_the_text_being_edited_is_compared_with_the_one_in_force(workspace: Workspace) -> None:
    path = workspace.folder / "procedures" / "XX-YLQXCX-015" / "clauses.txt"
    text = path.read_bytes().decode().replace("5个工作日内完成", "3个工作日内完成")
    path.write_bytes(text.encode())
    shown = workspace.qms("doc", "workload", "CX-015", "--working", person=None)
    assert "5.5\t5个工作日内\t3个工作日内\t质管部\t每次 → 每次" in shown.out.splitlines()
