"""`qms change status`, `adopt` and `discard`: what is refused leaves the workspace exactly as it was."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from controller.domain.conformity import Gravity
from controller.domain.identifiers import Digest
from controller.domain.record import Signatory
from controller.domain.statement import Event
from controller.file_formats.docx_package import open_docx, write_docx
from controller.services.archive_ports import ControlledChange
from controller.services.library_adoption import library_statement

if TYPE_CHECKING:
    from tests.conftest import Workspace

PEOPLE, POSTS = "signatures/people.yml", "signatures/posts.yml"
REASON = ("--reason", "新员工入职，登记人员")
IN_CHARGE = "林静"
HEAD = """format: wenkong/people/1
people:
  - {id: p001, name: 陈晓, posts: [quality_head], active: true}
"""


def write(workspace: Workspace, path: str, text: str, encoding: str = "utf-8") -> None:
    (workspace.folder / path).write_bytes(text.encode(encoding))


def adopt(workspace: Workspace) -> dict[str, list[dict[str, object]]]:
    """Adopt, and return the findings of the refusal by code."""
    answer = workspace.qms("--json", "change", "adopt", *REASON, person=IN_CHARGE)
    assert answer.code == 4, answer.err + answer.out
    found: dict[str, list[dict[str, object]]] = {}
    for item in json.loads(answer.out)["error"]["findings"]:
        found.setdefault(item["code"], []).append(item)
    return found


def test_only_files_that_the_program_knows_come_into_force_under_signatures(workspace: Workspace) -> None:
    write(workspace, "signatures/ca/ca.srl", "0123\n")
    write(workspace, "signatures/说明.txt", "见文件夹\n")
    found = adopt(workspace)
    assert {item["path"] for item in found["signature-file-unknown"]} == {"signatures/ca/ca.srl", "signatures/说明.txt"}
    (workspace.folder / "signatures/ca/ca.srl").unlink()
    (workspace.folder / "signatures/说明.txt").unlink()
    roots = workspace.folder / "signatures/timestamp-roots"
    roots.mkdir()
    root = (workspace.folder / "signatures/ca/ca.pem").read_bytes()
    (roots / "机构.pem").write_bytes(root)
    taken = workspace.qms("change", "adopt", "--reason", "采用时间戳机构的根证书", person=IN_CHARGE)
    assert taken.code == 0, taken.err


@pytest.mark.parametrize("gone", [False, True])
def test_the_root_of_the_company_is_not_changed_by_adopting_a_file(workspace: Workspace, *, gone: bool) -> None:
    root = workspace.folder / "signatures/ca/ca.pem"
    if gone:
        root.unlink()
    else:
        root.write_bytes(root.read_bytes() + b"\n")
    assert [item["path"] for item in adopt(workspace)["root-edited-by-hand"]] == ["signatures/ca/ca.pem"]


@pytest.mark.parametrize(
    "path",
    [PEOPLE, POSTS, "records/calendars/company.yml", "records/retention.yml"],
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
    write(workspace, POSTS, (workspace.folder / POSTS).read_text(encoding="utf-8"), "utf-8-sig")
    assert workspace.qms("change", "adopt", *REASON, person=IN_CHARGE).code == 0
    assert workspace.qms("record", "list").code == 0


def test_what_was_adopted_is_stated_and_signed_with_its_old_and_new_digest(workspace: Workspace) -> None:
    before = (workspace.folder / POSTS).read_bytes()
    write(workspace, POSTS, before.decode() + "# 复核\n")
    assert workspace.qms("change", "adopt", *REASON, person=IN_CHARGE).code == 0
    with closing(workspace.open()) as application:
        stored = application.statements.newest("trail")
        verified = application.verify(spread=False)
    assert stored is not None
    statement = stored.statement
    assert (statement.event, statement.reason) == (Event.LIBRARY_CHANGED, REASON[1])
    assert statement.by == Signatory("p002", IN_CHARGE, "质量负责人")
    assert statement.old == {"files": {POSTS: Digest.of(before).text}}
    assert statement.files == {POSTS: Digest.of(before + "# 复核\n".encode())}
    assert [item for item in verified.findings if item.gravity is Gravity.ERROR] == []


def test_who_is_not_in_charge_adopts_nothing_and_the_attempt_is_in_the_trail(workspace: Workspace) -> None:
    before = (workspace.folder / POSTS).read_bytes()
    edited = before + "# 复核\n".encode()
    (workspace.folder / POSTS).write_bytes(edited)
    answer = workspace.qms("change", "adopt", *REASON, person="王强")
    assert (answer.code, "post-needed" in answer.err, "质量负责人" in answer.err) == (4, True, True)
    with closing(workspace.open()) as application:
        assert application.controlled_files.read(POSTS) == before
        newest = application.statements.newest("trail")
    assert newest is not None
    assert newest.statement.event is Event.REFUSED
    assert (workspace.folder / POSTS).read_bytes() == edited


def test_a_controlled_file_in_another_encoding_is_damaged_and_no_crash(workspace: Workspace) -> None:
    changes: dict[str, bytes | None] = {PEOPLE: HEAD.encode("gb18030")}
    with closing(workspace.open()) as application:
        application.statements.file(
            library_statement(application.controlled_files, changes, subject="x", reason="x", meaning="批准"),
            application.person(IN_CHARGE),
            controlled=ControlledChange(changes, action="test", subject="x", note="x"),
        )
    answer = workspace.qms("record", "new", "XX-YLQXJL-013", "--values", "none.yml")
    assert answer.code == 5
    assert "text-not-utf8" in answer.err


@pytest.mark.parametrize(
    "people",
    [
        pytest.param("people:\n  - {id: p002, name: 林静, posts: [sales_clerk]}\n", id="nobody in charge"),
        pytest.param("people:\n  - {id: p001, name: 周明, posts: [general_manager]}\n", id="who adopts is gone"),
        pytest.param("people: []\n", id="nobody"),
    ],
)
def test_people_are_never_changed_by_editing_their_file(workspace: Workspace, people: str) -> None:
    write(workspace, PEOPLE, f"format: wenkong/people/1\n{people}")
    before = workspace.tree()
    found = adopt(workspace)
    assert set(found) == {"people-edited-by-hand"}
    assert found["people-edited-by-hand"][0]["path"] == PEOPLE
    assert "qms person" in str(found["people-edited-by-hand"][0]["hint"])
    assert workspace.tree() == before


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
    assert workspace.qms("change", "adopt", *REASON, person=IN_CHARGE).code == 0
    forms = json.loads(workspace.qms("--json", "form", "list").out)["forms"]
    assert {item["revision"] for item in forms if item["number"] == "XX-YLQXJL-013"} == {"A/1"}
