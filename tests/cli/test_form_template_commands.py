"""Blank forms at the command line, and templates that were changed in Word."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest
from docx import Document

if TYPE_CHECKING:
    from tests.conftest import Workspace

FORM = "XX-YLQXJL-013"


def test_a_blank_form_is_printed_with_empty_boxes_and_no_record_number(workspace: Workspace) -> None:
    target = workspace.folder.parent / "blank.docx"
    answer = workspace.qms("--json", "form", "blank", "JL-013", "--out", str(target))
    trail = json.loads(workspace.qms("--json", "audit-trail", "--action", "打印").out)["events"]
    assert [(item["object"], item["person"]) for item in trail] == [("XX-YLQXJL-013", "p003")]
    assert answer.code == 0, answer.err
    assert json.loads(answer.out) == {"form": FORM, "revision": "A/0", "file": str(target)}
    xml = Document(io.BytesIO(target.read_bytes())).element.body.xml
    assert "□" in xml
    assert "☑" not in xml
    assert "{{" not in xml


def test_a_blank_form_never_replaces_a_file_unasked(workspace: Workspace) -> None:
    target = workspace.folder.parent / "blank.docx"
    target.write_bytes(b"mine")
    assert workspace.qms("form", "blank", FORM, "--out", str(target)).code == 4
    assert target.read_bytes() == b"mine"
    assert workspace.qms("form", "blank", FORM, "--out", str(target), "--force").code == 0
    assert target.read_bytes().startswith(b"PK")


@pytest.mark.slow
def test_a_blank_form_becomes_a_pdf_by_the_name_of_the_file(workspace: Workspace) -> None:
    target = workspace.folder.parent / "blank.pdf"
    answer = workspace.qms("--json", "form", "blank", FORM, "--out", str(target))
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["pages"] >= 1
    assert target.read_bytes().startswith(b"%PDF")


def test_the_blank_of_an_unknown_form_names_the_nearest(workspace: Workspace) -> None:
    answer = workspace.qms("form", "blank", "XX-YLQXJL-0013", "--out", str(workspace.folder.parent / "x.docx"))
    assert answer.code == 3
    assert FORM in answer.err
    assert not (workspace.folder.parent / "x.docx").exists()


def change_template(workspace: Workspace, text: str) -> None:
    path = workspace.folder / "templates" / "forms" / FORM / "form.docx"
    file = Document(io.BytesIO(path.read_bytes()))
    file.add_paragraph(text)
    file.save(str(path))


def test_a_template_changed_in_word_is_compiled_with_its_new_text(workspace: Workspace) -> None:
    change_template(workspace, "补充说明:{{ detail }}")
    answer = workspace.qms("form", "compile", FORM)
    assert answer.code == 0, answer.err
    compiled = (workspace.folder / "templates" / "forms" / FORM / "compiled.json").read_text(encoding="utf-8")
    assert "补充说明:{{ detail }}" in compiled


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("{{ detial }}", 6, "detail"),
        ("{{ detail", 6, "没有对应的"),
        ("{{ detail.__class__ }}", 4, "__class__"),
        ("{% include '/etc/passwd' %}", 4, "include"),
    ],
)
def test_a_template_that_is_wrong_changes_nothing(workspace: Workspace, text: str, code: int, told: str) -> None:
    change_template(workspace, text)
    before = workspace.tree()
    answer = workspace.qms("form", "compile", FORM)
    assert answer.code == code
    assert told in answer.err
    assert workspace.tree() == before
