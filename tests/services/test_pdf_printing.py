"""No print loses a character: another engine is tried, and when all would lose one, nothing is printed."""

from __future__ import annotations

from dataclasses import dataclass, field
from io import BytesIO

import pytest
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from controller.domain.text import T
from controller.services.pdf_printing import NoPdfEngineError, PdfEngineError, PdfPrinting, PrintIncompleteError
from tests.docx_files import docx


def pdf(*pages: str) -> bytes:
    """Return a PDF that shows these Western texts, one a page."""
    writer = PdfWriter()
    for text in pages:
        page = writer.add_blank_page(300, 300)
        font = DictionaryObject(
            {
                NameObject("/Type"): NameObject("/Font"),
                NameObject("/Subtype"): NameObject("/Type1"),
                NameObject("/BaseFont"): NameObject("/ABCDEF+Helvetica"),
            }
        )
        fonts = DictionaryObject({NameObject("/F1"): font})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        stream = DecodedStreamObject()
        stream.set_data(f"BT /F1 12 Tf 20 200 Td ({text}) Tj ET".encode("ascii"))
        page[NameObject("/Contents")] = stream
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


@dataclass
class FakeEngine:
    answer: bytes | PdfEngineError
    name: str = "fake"
    version: str = "1.0"
    here: bool = True
    asked: list[bytes] = field(default_factory=list)

    def available(self) -> bool:
        return self.here

    def convert(self, docx: bytes) -> bytes:
        self.asked.append(docx)
        if isinstance(self.answer, PdfEngineError):
            raise self.answer
        return self.answer


COMPLAINT = docx("Complaint record", "Alarm E05 at start")


def test_a_whole_print_tells_engine_version_fonts_and_pages() -> None:
    made = PdfPrinting([FakeEngine(pdf("Complaint record", "Alarm E05 at start"))]).print(COMPLAINT)
    assert (made.engine, made.engine_version, made.fonts, made.pages) == ("fake", "1.0", ("Helvetica",), 2)


def test_an_engine_that_drops_one_character_is_refused_with_the_passage() -> None:
    engine = FakeEngine(pdf("Complaint record Alarm E0 at start"))
    with pytest.raises(PrintIncompleteError) as refused:
        PdfPrinting([engine]).print(COMPLAINT)
    assert "“Alarm E05 at start”一段缺少“5”" in str(refused.value)
    assert [loss.missing for loss in refused.value.lost] == ["5"]


def test_the_next_engine_is_tried_when_the_first_loses_text_or_fails() -> None:
    losing = FakeEngine(pdf("Complaint record"), name="losing")
    failing = FakeEngine(PdfEngineError(engine="failing", problem=T("内存不足")), name="failing")
    whole = FakeEngine(pdf("Complaint record Alarm E05 at start"), name="whole")
    assert PdfPrinting([losing, failing, whole]).print(COMPLAINT).engine == "whole"


def test_the_engine_that_loses_least_is_the_one_that_is_told_about() -> None:
    nothing, most = FakeEngine(pdf("")), FakeEngine(pdf("Complaint record Alarm E05 at star"), name="most")
    with pytest.raises(PrintIncompleteError) as refused:
        PdfPrinting([nothing, most]).print(COMPLAINT)
    assert [loss.missing for loss in refused.value.lost] == ["t"]


def test_an_engine_that_is_not_there_is_not_asked() -> None:
    absent = FakeEngine(pdf(""), here=False)
    present = FakeEngine(pdf("Complaint record Alarm E05 at start"))
    PdfPrinting([absent, present]).print(COMPLAINT)
    assert absent.asked == []


def test_without_any_engine_the_answer_says_so() -> None:
    with pytest.raises(NoPdfEngineError):
        PdfPrinting([FakeEngine(pdf(""), here=False)]).print(COMPLAINT)


@pytest.mark.parametrize("rubbish", [b"", b"no pdf", b"%PDF-1.7\n%%EOF"])
def test_an_engine_that_gives_no_pdf_has_failed(rubbish: bytes) -> None:
    with pytest.raises(PdfEngineError, match="结果不是有效的 PDF"):
        PdfPrinting([FakeEngine(rubbish)]).print(COMPLAINT)
