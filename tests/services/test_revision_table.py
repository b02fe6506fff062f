"""The revision table of a document: generated from what was signed, the same on every print that is signed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.document import HistoryRow
from controller.domain.revision_row import RevisionRow
from controller.domain.statement import Event
from controller.file_formats.document_file import write_document
from controller.services.change_approval import ChangeCheckError
from controller.services.document_library import DocumentLibrary
from tests.changed_documents import NUMBER, REASON, drafted, opened, signed

if TYPE_CHECKING:
    from tests.conftest import Workspace

CONTROL = f"procedures/{NUMBER}/document.yml"


def test_an_approved_revision_has_the_row_that_was_signed_and_a_draft_none_of_it(workspace: Workspace) -> None:
    with opened(workspace) as application:
        today = application.clock.now().date()
        effective = today + timedelta(days=7)
        change = drafted(application, "稳定和扩大", "稳定并扩大")
        draft = application.changes.draft(application.changes.read(change), application.approved_files)
        printing = application.document_prints.printing(DocumentLibrary(draft))
        first = printing.docx(NUMBER, to_sign=True)
        typed = application.revision_table.rows(DocumentLibrary(draft).document(NUMBER))
        assert [(row.revision, row.by, row.approved_by, row.effective) for row in typed] == [("A/1", "陈晓", "", "")]
        application.change_approval.sign(
            change, Event.CHANGE_SUBMITTED, application.person("陈晓"), effective=effective
        )
        draft = application.changes.draft(application.changes.read(change), application.approved_files)
        assert application.document_prints.printing(DocumentLibrary(draft)).docx(NUMBER, to_sign=True) == first
        for event, person in ((Event.CHANGE_REVIEWED, "林静"), (Event.CHANGE_APPROVED, "周明")):
            application.change_approval.sign(change, event, application.person(person), effective=effective)
        document = DocumentLibrary(application.approved_files).document(NUMBER)
        told = RevisionRow("A/1", today.isoformat(), "1.", REASON, "陈晓", "周明", effective.isoformat())
        assert application.revision_table.rows(document) == [told]
        assert application.revision_table.rows(replace(document, history=())) == [told]
        old = HistoryRow("第2版", "2019-03-01", "5.2", "换版", "张某", elsewhere=True)
        unmarked = HistoryRow("C/9", None, "", "旧版", "李某")
        assert [row.by for row in application.revision_table.rows(replace(document, history=(old, unmarked)))] == [
            "张某（系统外）",
            "陈晓",
        ]
        assert application.revision_table.findings(document) == []


def test_a_typed_row_that_says_otherwise_than_was_signed_is_found_and_nobody_signs_it(workspace: Workspace) -> None:
    with opened(workspace) as application:
        today = application.clock.now().date()
        before = drafted(application, "稳定和扩大", "稳定并扩大")
        signed(application, before, today)
        change = drafted(application, "稳定并扩大", "稳定、扩大")
        request = application.changes.read(change)
        library = DocumentLibrary(application.changes.draft(request, application.approved_files))
        document = library.document(NUMBER)
        assert [row.revision for row in document.history] == ["A/1", "A/2"]
        first, second = document.history
        history = (replace(first, reason="另有原因", date="2020-01-01"), replace(second, by="王强"))
        altered = write_document(replace(document, history=history)).encode()
        application.draft_saving.save(request, {CONTROL: altered}, application.person("陈晓"))
        with pytest.raises(ChangeCheckError) as refused:
            application.change_approval.sign(change, Event.CHANGE_SUBMITTED, application.person("陈晓"))
        found = [str(item.message) for item in refused.value.findings if item.code == "revision-row-differs"]
        assert len(found) == 3
        assert f"原因写的是“另有原因”，更改 2026-0001 签署的是“{REASON}”" in found[0].replace(
            today.isoformat()[:4], "2026"
        )
        assert f"签署的是“{today}”" in found[1]
        assert "A/2 的修改人写的是“王强”" in found[2]
