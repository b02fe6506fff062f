"""Drafts of changes: what the folder may bring in, whose work is kept, and new forms and registers."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.cli.test_change_request_commands import (
    NUMBER,
    REASON,
    acted,
    approved,
    drafted,
    opened,
    refused,
    sound,
    today,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Workspace

pytestmark = pytest.mark.slow
FORM = "XX-YLQXJL-013"


def form_folder(workspace: Workspace, form: str = FORM) -> Path:
    return workspace.folder / "templates" / "forms" / form


def through(workspace: Workspace, number: str) -> None:
    acted(workspace, "change", "take", number)
    acted(workspace, "change", "submit", number)
    acted(workspace, "change", "review", number, person="林静")
    acted(workspace, "change", "approve", number, "--effective", today().isoformat(), person="周明")


def test_links_and_programs_in_the_folder_never_come_into_a_draft(workspace: Workspace) -> None:
    number = acted(workspace, "change", "open", "--document", FORM, *REASON)["number"]
    strange = form_folder(workspace) / "evil.exe"
    strange.write_bytes(b"MZ")
    refused(workspace, "change-file-strange", "change", "take", number)
    strange.unlink()
    link = form_folder(workspace) / "form.txt"
    link.symlink_to(workspace.folder / ".git" / "config")
    refused(workspace, "working-file-refused", "change", "take", number)
    link.unlink()
    refused(workspace, "change-nothing-to-take", "change", "take", number)


def test_a_file_of_a_draft_gets_its_approved_content_back(workspace: Workspace) -> None:
    number = acted(workspace, "change", "open", "--document", FORM, *REASON)["number"]
    file = form_folder(workspace) / "form.yml"
    before = file.read_bytes()
    file.unlink()
    acted(workspace, "change", "take", number)
    refused(workspace, "change-check-failed", "change", "submit", number)
    file.write_bytes(before)
    assert "--undo" in refused(workspace, "change-nothing-to-take", "change", "take", number)
    acted(workspace, "change", "take", number, "--undo", f"templates/forms/{FORM}/form.yml")
    refused(workspace, "change-nothing-drafted", "change", "submit", number)
    refused(workspace, "change-nothing-to-take", "change", "take", number, "--undo", "signatures/people.yml")


def test_the_folder_does_not_write_over_what_came_back_from_word(workspace: Workspace) -> None:
    number = opened(workspace)
    drafted(workspace)
    clauses = workspace.folder / "procedures" / NUMBER / "clauses.txt"
    edited = clauses.read_text(encoding="utf-8").replace("稳定和扩大", "稳定与扩大")
    clauses.write_text(edited, encoding="utf-8")
    said = refused(workspace, "change-edited-elsewhere", "change", "take", number)
    assert "qms change discard" in said
    acted(workspace, "change", "submit", number)
    acted(workspace, "change", "review", number, person="林静")
    said = refused(workspace, "file-edited", "change", "approve", number, person="周明")
    assert f"qms change discard procedures/{NUMBER}/clauses.txt" in said
    assert clauses.read_text(encoding="utf-8") == edited
    kept = acted(workspace, "change", "discard", f"procedures/{NUMBER}", "--yes")[0]["kept"]
    assert (workspace.folder / kept).read_text(encoding="utf-8") == edited
    acted(workspace, "change", "approve", number, person="周明")
    sound(workspace)


def test_a_new_form_and_a_new_register_come_in_by_a_change(workspace: Workspace) -> None:
    refused(workspace, "change-new-unknown", "change", "open", "--new", "XX-YLQXJL-050", "--title", "簿", *REASON)
    shutil.copytree(form_folder(workspace), form_folder(workspace, "XX-YLQXJL-050"))
    file = form_folder(workspace, "XX-YLQXJL-050") / "form.yml"
    text = file.read_text(encoding="utf-8").replace(FORM, "XX-YLQXJL-050").replace("来电来访登记表", "来电来访登记簿")
    file.write_text(text, encoding="utf-8")
    acted(workspace, "form", "scaffold", "XX-YLQXJL-050", "--force")
    registers = workspace.folder / "templates" / "registers"
    shutil.copytree(registers / "TZ-07", registers / "TZ-77")
    file = registers / "TZ-77" / "register.yml"
    file.write_text(file.read_text(encoding="utf-8").replace("TZ-07", "TZ-77"), encoding="utf-8")
    words = ("--new", "XX-YLQXJL-050", "--title", "来电来访登记簿", "--new", "TZ-77", "--title", "质量投诉台账")
    number = acted(workspace, "change", "open", *words, *REASON)["number"]
    through(workspace, number)
    assert acted(workspace, "form", "show", "XX-YLQXJL-050")["revision"] == "A/0"
    assert "TZ-77" in workspace.qms("register", "list").out
    refused(workspace, "change-number-taken", "change", "open", "--new", "XX-YLQXJL-050", "--title", "簿", *REASON)
    sound(workspace)


def test_texts_that_cannot_stand_in_a_statement_are_refused_before_anything_is_filed(workspace: Workspace) -> None:
    words = ("change", "open", "--document", "CX-014", "--reason")
    refused(workspace, "stated-text-refused", *words, "原因\x1b[31m说明")
    refused(workspace, "stated-text-refused", *words, "长" * 100_000)
    refused(workspace, "change-reason-needed", *words, "\u200b" * 9)
    new = ("change", "open", "--new", "XX-YLQXCX-077", *REASON, "--title")
    refused(workspace, "change-title-needed", *new, " ")
    refused(workspace, "stated-text-refused", *new, "长" * 101)
    refused(workspace, "change-items", "change", "open", "--document", "CX-014", "--document", "XX-YLQXCX-014", *REASON)
    assert acted(workspace, "change", "list") == []


def test_postponing_to_the_same_day_is_refused_and_files_nothing(workspace: Workspace) -> None:
    number = approved(workspace)
    day = acted(workspace, "change", "show", number)["effective"]
    words = ("change", "postpone", number, *REASON, "--to")
    refused(workspace, "effect-day-same", *words, day, person="周明")
    sound(workspace)


def test_nothing_is_left_of_the_folder_of_a_withdrawn_document(workspace: Workspace) -> None:
    number = acted(workspace, "change", "open", "--document", "ZD-030", "--kind", "作废", *REASON)["number"]
    acted(workspace, "change", "submit", number, "--effective", today().isoformat())
    acted(workspace, "change", "review", number, person="林静")
    acted(workspace, "change", "approve", number, person="周明")
    assert not (workspace.folder / "procedures" / "XX-YLQXZD-030").exists()
    assert "文件库缺少" not in workspace.qms("doc", "lint").out
