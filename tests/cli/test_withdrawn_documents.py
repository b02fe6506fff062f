"""Withdrawn documents: from a later day, owning forms, still cited, and looked for afterwards."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.cli.test_change_request_commands import REASON, acted, refused, sound, today

if TYPE_CHECKING:
    from tests.conftest import Workspace

pytestmark = pytest.mark.slow
RULE = "XX-YLQXZD-030"


def withdrawn(workspace: Workspace, days: int, *numbers: str) -> str:
    words = [word for number in numbers for word in ("--document", number)]
    number = str(acted(workspace, "change", "open", *words, "--kind", "作废", *REASON)["number"])
    acted(workspace, "change", "submit", number, "--effective", (today() + timedelta(days=days)).isoformat())
    acted(workspace, "change", "review", number, person="林静")
    acted(workspace, "change", "approve", number, person="周明")
    return number


def lint(workspace: Workspace, *words: str) -> str:
    answer = workspace.qms("doc", "lint", *words)
    return answer.out + answer.err


def test_until_its_day_a_withdrawn_document_is_whole_for_checks_of_the_folder(workspace: Workspace) -> None:
    before = lint(workspace, "--working")
    withdrawn(workspace, 30, "ZD-030")
    (workspace.folder / "procedures" / RULE).mkdir(exist_ok=True)  # a folder without files is no document
    assert lint(workspace, "--working") == before
    assert "缺少" not in lint(workspace)
    notes = workspace.folder / "procedures" / "XX-YLQXCX-015" / "notes.yml"
    notes.write_text(notes.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    acted(workspace, "change", "adopt", *REASON, person="林静")
    day = (today() + timedelta(days=30)).isoformat()
    out = str(workspace.folder.parent / "030.docx")
    for words in (("doc", "checkout", "ZD-030", "--out", out), ("change", "open", "--document", RULE, *REASON)):
        said = refused(workspace, "item-waiting", *words)
        assert day in said
        assert "是否想写" not in said
    sound(workspace)


def test_a_document_is_withdrawn_together_with_its_forms_and_says_who_cites_it(workspace: Workspace) -> None:
    number = acted(workspace, "change", "open", "--document", "CX-004", "--kind", "作废", *REASON)["number"]
    said = refused(workspace, "change-check-failed", "change", "submit", number)
    assert "名下还有现行的表单" in said
    assert "--document XX-YLQXJL-008" in said
    acted(workspace, "change", "cancel", number, "--reason", "连同表单一起作废")
    together = ("--document", "CX-004", "--document", "JL-008", "--document", "JL-031", "--kind", "作废")
    number = acted(workspace, "change", "open", *together, *REASON)["number"]
    answer = workspace.qms("change", "submit", number, "--yes")
    assert answer.code == 0, answer.out + answer.err
    assert "XX-YLQXCX-004 作废后，这些文件仍引用它：" in answer.out + answer.err
    assert "名下还有" not in answer.out + answer.err


def test_what_cites_a_withdrawn_document_is_revised_with_a_warning(workspace: Workspace) -> None:
    withdrawn(workspace, 0, "ZD-030")
    cites = workspace.folder / "procedures" / "XX-YLQXCX-015" / "document.yml"
    edited = cites.read_text(encoding="utf-8") + f"\nrelated: [{RULE}]\n"
    assert "\nrelated:" not in cites.read_text(encoding="utf-8")
    number = acted(workspace, "change", "open", "--document", "CX-015", *REASON)["number"]
    cites.write_text(edited, encoding="utf-8")
    acted(workspace, "change", "take", number)
    answer = workspace.qms("change", "submit", number, "--yes")
    said = answer.out + answer.err
    assert answer.code == 0, said
    assert f"{RULE}" in said
    assert "已作废" in said
    assert "是否想写" not in said
    assert "草稿版本" not in said


def test_a_withdrawn_number_is_told_with_its_day_and_where_its_text_is(workspace: Workspace) -> None:
    withdrawn(workspace, 0, "ZD-030")
    out = ("--out", str(workspace.folder.parent / "030.docx"))
    for words in (("show", "ZD-030"), ("links", "ZD-030"), ("checkout", "ZD-030", *out), ("links", "--to", "ZD-030")):
        answer = workspace.qms("doc", *words)
        said = answer.out + answer.err
        assert f"已于 {today().isoformat()} 作废" in said, words
        assert f"qms doc show {RULE} --revision A/0" in said
        assert "是否想写" not in said
    assert workspace.qms("doc", "show", "ZD-030", "--revision", "A/0").code == 0
