"""The day from which a revision governs is on every copy and told with the original, wherever it was signed before."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from docx import Document

from controller.domain.statement import Event
from controller.file_formats.pdf_text import read_pdf
from tests.changed_documents import NUMBER, drafted, opened, signed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Workspace


def pages(path: Path) -> list[str]:
    return ["".join(page.split()) for page in read_pdf(path.read_bytes()).pages]


@pytest.mark.slow
def test_a_postponed_day_is_on_every_copy_and_is_told_with_the_signed_original(
    workspace: Workspace, tmp_path: Path
) -> None:
    with opened(workspace) as application:
        today = application.clock.now().date()
        planned, later = today + timedelta(days=7), today + timedelta(days=17)
        change = drafted(application, "稳定和扩大", "稳定并扩大")
        signed(application, change, planned)
    done = workspace.qms("change", "postpone", change, "--to", str(later), "--reason", "培训未完成", person="林静")
    assert done.code == 0, done.err
    copy, controlled = tmp_path / "copy.pdf", tmp_path / "controlled.pdf"
    assert workspace.qms("doc", "print", "CX-014", "--revision", "A/1", "--out", str(copy)).code == 0
    issued = workspace.qms("copy", "issue", "CX-014", "--to", "刘洋", "--revision", "A/1", "--out", str(controlled))
    assert issued.code == 0, issued.err
    for made in (copy, controlled):
        assert [page for page in pages(made) if f"自{later}起生效" not in page] == []
        assert f"{planned}（拟）" in pages(made)[0], "what was signed stays as it was signed"


@pytest.mark.slow
def test_a_revision_in_force_is_copied_with_its_day_and_drawn_anew_with_all_that_was_signed(
    workspace: Workspace, tmp_path: Path
) -> None:
    with opened(workspace) as application:
        today = application.clock.now().date()
        change = drafted(application, "稳定和扩大", "稳定并扩大")
        for event, person, day in (
            (Event.CHANGE_SUBMITTED, "陈晓", today + timedelta(days=7)),
            (Event.CHANGE_REVIEWED, "林静", today + timedelta(days=7)),
            (Event.CHANGE_APPROVED, "周明", today),
        ):
            application.change_approval.sign(change, event, application.person(person), effective=day)
    original, copy, drawn = (tmp_path / name for name in ("original.pdf", "copy.pdf", "drawn.docx"))
    told = workspace.qms("doc", "print", "CX-014", "--signed", "--out", str(original))
    assert f"{NUMBER} A/1 自 {today} 起生效；这个日期不在签署的原件上" in told.out
    assert "起生效·" not in "".join(pages(original)), "the original is untouched"

    assert workspace.qms("doc", "print", "CX-014", "--out", str(copy)).code == 0
    assert [page for page in pages(copy) if f"自{today}起生效" not in page] == []

    assert workspace.qms("doc", "print", "CX-014", "--out", str(drawn)).code == 0
    tables = Document(BytesIO(drawn.read_bytes())).tables
    block = {cell.text for row in tables[0].rows for cell in row.cells}
    assert {"陈晓", "林静", "周明", str(today)} <= block
    row = next(row for row in tables[-1].rows if row.cells[0].text == "A/1")
    assert [cell.text for cell in row.cells][4:] == ["陈晓", "周明", str(today)]
