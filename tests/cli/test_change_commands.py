"""`qms change status`, `adopt` and `discard`: what is refused leaves the workspace exactly as it was."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from controller.file_formats.docx_package import open_docx, write_docx

if TYPE_CHECKING:
    from tests.conftest import Workspace

PEOPLE = "signatures/people.yml"
REASON = ("--reason", "新员工入职，登记人员")
HEAD = """format: wenkong/people/1
people:
  - {id: p001, name: 陈晓, posts: [quality_head], active: true}
"""


def write(workspace: Workspace, path: str, text: str, encoding: str = "utf-8") -> None:
    (workspace.folder / path).write_bytes(text.encode(encoding))


def adopt(workspace: Workspace) -> dict[str, list[dict[str, object]]]:
    """Adopt, and return the findings of the refusal by code."""
    answer = workspace.qms("--json", "change", "adopt", *REASON)
    assert answer.code == 4, answer.err + answer.out
    found: dict[str, list[dict[str, object]]] = {}
    for item in json.loads(answer.out)["error"]["findings"]:
        found.setdefault(item["code"], []).append(item)
    return found


@pytest.mark.parametrize(
    "path",
    [PEOPLE, "signatures/posts.yml", "records/calendars/company.yml", "records/retention.yml"],
)
def test_a_file_saved_as_ansi_is_refused_with_its_line_and_nothing_changes(workspace: Workspace, path: str) -> None:
    text = "# first line\n" + (workspace.folder / path).read_text(encoding="utf-8") + "# 甲\n"
    write(workspace, path, text, "gb18030")
    before = workspace.tree()
    found = adopt(workspace)
    first = next(number for number, line in enumerate(text.split("\n"), 1) if not line.isascii())
    assert [(item["path"], item["line"]) for item in found["text-not-utf8"]] == [(path, first)]
    assert "UTF-8" in str(found["text-not-utf8"][0]["hint"])
    assert workspace.tree() == before
    assert workspace.qms("form", "list").code == 0


def test_a_file_with_a_byte_order_mark_is_adopted(workspace: Workspace) -> None:
    write(workspace, PEOPLE, (workspace.folder / PEOPLE).read_text(encoding="utf-8"), "utf-8-sig")
    assert workspace.qms("change", "adopt", *REASON).code == 0
    assert workspace.qms("record", "list").code == 0


def test_a_controlled_file_in_another_encoding_is_damaged_and_no_crash(workspace: Workspace) -> None:
    from controller.bootstrap import open_workspace

    application = open_workspace(workspace.folder)
    by = application.person("陈晓")
    application.controlled_files.record_change(
        {PEOPLE: HEAD.encode("gb18030")}, by=by, at=application.clock.now(), action="test", subject="x", note="x"
    )
    application.close()
    answer = workspace.qms("record", "new", "XX-YLQXJL-013", "--values", "none.yml")
    assert answer.code == 5
    assert "text-not-utf8" in answer.err


def test_the_last_person_in_charge_cannot_be_taken_away(workspace: Workspace) -> None:
    by = workspace_person(workspace)
    write(workspace, PEOPLE, f"format: wenkong/people/1\npeople:\n  - {{id: {by}, name: 陈晓, posts: [sales_clerk]}}\n")
    before = workspace.tree()
    assert set(adopt(workspace)) == {"staff-without-head"}
    assert workspace.tree() == before


def test_who_adopts_must_still_be_there_afterwards(workspace: Workspace) -> None:
    by = workspace_person(workspace)
    text = (workspace.folder / PEOPLE).read_text(encoding="utf-8")
    write(workspace, PEOPLE, "".join(line for line in text.splitlines(keepends=True) if f"id: {by}," not in line))
    assert set(adopt(workspace)) == {"staff-without-adopter"}
    write(workspace, PEOPLE, "format: wenkong/people/1\npeople: []\n")
    assert set(adopt(workspace)) == {"staff-without-head", "staff-without-adopter"}


def workspace_person(workspace: Workspace) -> str:
    """Return the id of the person the fixture acts as."""
    from controller.bootstrap import open_workspace

    application = open_workspace(workspace.folder)
    person = application.person("陈晓").person
    application.close()
    return person


def test_a_discarded_edit_is_put_back_and_kept_as_a_copy(workspace: Workspace) -> None:
    before = workspace.tree()
    write(workspace, PEOPLE, HEAD)
    write(workspace, "templates/blocks/new.yml", "x: 1\n")
    (workspace.folder / "records/retention.yml").unlink()
    answer = workspace.qms("--json", "change", "discard", "signatures\\people.yml", "templates", "records/", "--yes")
    assert answer.code == 0, answer.err
    assert workspace.tree() == before
    kept = {item["path"]: item["kept"] for item in json.loads(answer.out)}
    assert (workspace.folder / kept[PEOPLE]).read_text(encoding="utf-8") == HEAD
    assert (workspace.folder / kept["templates/blocks/new.yml"]).read_text(encoding="utf-8") == "x: 1\n"
    assert kept["records/retention.yml"] is None


def test_discarding_asks_first_and_knows_only_edited_files(workspace: Workspace) -> None:
    write(workspace, PEOPLE, HEAD)
    before = workspace.tree()
    assert workspace.qms("change", "discard", PEOPLE).code == 2
    unknown = workspace.qms("change", "discard", "signatures/poeple.yml", "--yes")
    assert unknown.code == 3
    assert PEOPLE in unknown.err
    assert workspace.tree() == before


def test_a_restyled_form_is_adopted_only_with_a_higher_revision(workspace: Workspace) -> None:
    folder = workspace.folder / "templates/forms/XX-YLQXJL-013"
    parts = dict(open_docx((folder / "form.docx").read_bytes()).contents)
    parts["word/document.xml"] = parts["word/document.xml"].replace(b"</w:body>", b"<w:p/></w:body>")
    (folder / "form.docx").write_bytes(write_docx(parts))
    target = workspace.folder.parent / "preview.docx"
    assert workspace.qms("form", "blank", "JL-013", "--working", "--out", str(target)).code == 0
    assert workspace.qms("form", "compile", "JL-013").code == 0
    kept = adopt(workspace)["form-revision-kept"]
    assert kept[0]["path"] == "templates/forms/XX-YLQXJL-013/form.yml"
    assert "--revise" in str(kept[0]["hint"])
    for _again in range(2):
        assert workspace.qms("form", "compile", "JL-013", "--revise").code == 0
    assert workspace.qms("change", "adopt", *REASON).code == 0
    forms = json.loads(workspace.qms("--json", "form", "list").out)["forms"]
    assert {item["revision"] for item in forms if item["number"] == "XX-YLQXJL-013"} == {"A/1"}
