"""Printing a document of the library: its clauses byte for byte, its gap notes never."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from controller.adapters.procedure_layout import ProcedureLayout
from controller.adapters.working_files import WorkingFiles
from controller.file_formats.docx_package import open_docx
from controller.services.document_library import DocumentIncompleteError, DocumentLibrary, UnknownDocumentError
from controller.services.procedure_printing import ProcedurePrinting
from tests.memory_files import MemoryFiles

ROOT = Path(__file__).parents[2]
NUMBER = "AB-YLQXCX-001"


def printing(files: MemoryFiles | WorkingFiles) -> ProcedurePrinting:
    return ProcedurePrinting(DocumentLibrary(files), ProcedureLayout(), "某某医疗器械有限公司")


def lines(docx: bytes) -> list[str]:
    xml = open_docx(docx).contents["word/document.xml"].decode()
    return ["".join(re.findall(r"<w:t[^>]*>([^<]*)</w:t>", line)) for line in re.findall(r"<w:p>.*?</w:p>", xml)]


def test_procedure_014_prints_every_clause_as_typed() -> None:
    typed = (ROOT / "procedures" / "XX-YLQXCX-014" / "clauses.txt").read_text(encoding="utf-8").splitlines()[1:]
    shown = lines(printing(WorkingFiles(ROOT)).docx("CX-014"))
    assert len(typed) == 8
    assert [line for line in shown if line in typed] == typed


def test_gap_notes_are_never_printed() -> None:
    notes = (ROOT / "procedures" / "XX-YLQXCX-014" / "notes.yml").read_text(encoding="utf-8")
    statements = re.findall(r"(?:statement|issue|suggestion): (.{8,})", notes)
    assert statements
    text = "".join(lines(printing(WorkingFiles(ROOT)).docx("CX-014")))
    assert [statement for statement in statements if statement in text] == []


def test_an_unknown_document_is_refused() -> None:
    with pytest.raises(UnknownDocumentError):
        printing(MemoryFiles()).docx("CX-999")


def test_a_picture_that_is_gone_is_not_silently_left_out() -> None:
    digest = "sha256:" + "0" * 64
    files = MemoryFiles(
        {
            f"procedures/{NUMBER}/document.yml": (
                f"format: wenkong/document/1\nnumber: {NUMBER}\ntitle: 回访程序\n"
                "revision: A/0\nclass: 程序\nowner: 售后部\n"
            ).encode(),
            f"procedures/{NUMBER}/clauses.txt": f"回访程序\n1.目的:回访。\n〔图表 {digest} 流程图〕\n".encode(),
        }
    )
    with pytest.raises(DocumentIncompleteError, match="0000"):
        printing(files).docx(NUMBER)
