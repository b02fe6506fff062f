"""测试用的修订文件. Versions of an invented document, built from its text, with the ids that history would give."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from controller.domain.document import ControlledDocument
from controller.domain.document_comparison import Comparison, DocumentText, compare
from controller.domain.identifiers import DocumentNumber, Revision
from controller.domain.procedure_print import ProcedurePrint
from controller.domain.redline_print import ChangeAuthor, RedlinePrint
from controller.file_formats.clause_ids import ClauseIds, first_ids, realigned
from controller.services.document_library import whole_segment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.domain.identifiers import Digest

AT = datetime.fromisoformat("2026-03-02T10:15:00+08:00")
COMPANY = "某某医疗器械有限公司"
DOCUMENT = ControlledDocument(
    number=DocumentNumber("AB-YLQXCX-001"),
    title="回访管理程序",
    revision=Revision("A/0"),
    class_word="程序",
    owner="售后部",
)


def versions(*texts: str) -> list[DocumentText]:
    """Return a document that said each of `texts` in turn, as revisions A/0, A/1 …"""
    found: list[DocumentText] = []
    ids: ClauseIds | None = None
    before = whole_segment("")
    for place, text in enumerate(texts):
        segment = whole_segment(text)
        ids = first_ids(segment.clauses) if ids is None else realigned(ids, before.clauses, segment.clauses)[0]
        before = segment
        marked = segment.with_ids(tuple(mark.id for mark in ids.marks))
        document = replace(DOCUMENT, revision=Revision(f"A/{place}"))
        found.append(DocumentText(document, marked.pieces, {}))
    return found


def compared(old: str, new: str) -> Comparison:
    """Return what changed between two texts of the document."""
    return compare(*versions(old, new))


def redline(comparison: Comparison, islands: Mapping[Digest, bytes] | None = None) -> RedlinePrint:
    """Return the redline of a comparison, every change by 陈晓."""
    old, new = (
        ProcedurePrint.of(text.document, text.pieces, company=COMPANY, islands=islands or {})
        for text in (comparison.old, comparison.new)
    )
    return RedlinePrint(old, new, comparison, ChangeAuthor("陈晓", AT))
