"""The two engines on real files, through the completeness check."""

from __future__ import annotations

import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from controller.adapters import pdf_office2pdf
from controller.adapters.form_scaffold import scaffold_form
from controller.adapters.house_style import house_file
from controller.adapters.pdf_libreoffice import LibreOfficeConverter
from controller.adapters.pdf_office2pdf import Office2PdfConverter, with_packaged_font
from controller.file_formats.docx_package import open_docx
from controller.file_formats.pdf_text import read_pdf
from controller.services.pdf_printing import PdfEngineError, PdfPrinting, PrintIncompleteError
from tests.docx_files import CONTENT_TYPES, document, document_relationships, docx, paragraph
from tests.real_tools import need

if TYPE_CHECKING:
    from collections.abc import Iterator

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
NOTES = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
WITH_FOOTNOTE = docx(
    parts={
        "word/document.xml": document(
            '<w:p><w:r><w:t>售后服务记录</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r></w:p>'
        ),
        "word/footnotes.xml": (
            f'<w:footnotes xmlns:w="{WORD}"><w:footnote w:type="separator" w:id="-1"><w:p><w:r><w:separator/></w:r>'
            f'</w:p></w:footnote><w:footnote w:id="2">{paragraph("保修期自验收合格之日起算")}</w:footnote>'
            "</w:footnotes>"
        ),
        "[Content_Types].xml": CONTENT_TYPES.replace(
            "</Types>", f'<Override PartName="/word/footnotes.xml" ContentType="{NOTES}"/></Types>'
        ),
        **document_relationships(
            '<Relationship Id="rId9" Target="footnotes.xml"'
            ' Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"/>'
        ),
    }
)


@pytest.fixture(scope="module")
def office2pdf() -> Iterator[Office2PdfConverter]:
    with closing(Office2PdfConverter()) as engine:
        yield engine


@pytest.fixture(scope="module")
def libreoffice() -> LibreOfficeConverter:
    need("soffice")
    return LibreOfficeConverter()


def test_office2pdf_prints_chinese_with_no_font_of_the_system(office2pdf: Office2PdfConverter) -> None:
    made = PdfPrinting([office2pdf]).print(docx("质量投诉处理记录", "☑ 电话　□ 来访", "国械注准20193070001"))
    assert made.engine == "office2pdf"
    assert made.engine_version == office2pdf.version != ""
    assert made.pages == 1
    assert any("CJK" in font for font in made.fonts)


def test_on_a_machine_without_chinese_fonts_the_packaged_one_is_named_outright() -> None:
    house = house_file("form")
    styles = open_docx(with_packaged_font(house)).contents["word/styles.xml"].decode()
    assert 'w:eastAsia="Noto Sans CJK SC"' in styles
    assert "宋体" not in styles
    assert "黑体" not in styles
    assert (
        open_docx(with_packaged_font(house)).contents["word/settings.xml"]
        == open_docx(house).contents["word/settings.xml"]
    )


def test_one_worker_serves_many_documents(office2pdf: Office2PdfConverter) -> None:
    office2pdf.convert(docx("一"))
    worker = office2pdf._worker
    office2pdf.convert(docx("二"))
    assert office2pdf._worker is worker


def test_a_worker_is_replaced_after_a_number_of_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_office2pdf, "_DOCUMENTS_PER_WORKER", 1)
    engine = Office2PdfConverter()
    engine.convert(docx("一"))
    first = engine._worker
    engine.convert(docx("二"))
    assert engine._worker is not first
    assert first is not None
    assert first.poll() is not None
    engine.close()


def test_a_file_that_cannot_be_converted_leaves_the_worker_in_service(office2pdf: Office2PdfConverter) -> None:
    with pytest.raises(PdfEngineError, match="office2pdf"):
        office2pdf.convert(b"PK no docx at all")
    assert "照常" in read_pdf(office2pdf.convert(docx("照常"))).pages[0]


def test_a_worker_that_died_is_started_anew(office2pdf: Office2PdfConverter) -> None:
    office2pdf.convert(docx("一"))
    assert office2pdf._worker is not None
    office2pdf._worker.kill()
    office2pdf._worker.wait()
    assert "再来" in read_pdf(office2pdf.convert(docx("再来"))).pages[0]


def test_a_conversion_that_takes_too_long_is_ended() -> None:
    engine = Office2PdfConverter(timeout=0.01)
    with pytest.raises(PdfEngineError, match="未完成"):
        engine.convert(docx("慢"))
    assert engine._worker is None


def test_closing_ends_the_worker() -> None:
    engine = Office2PdfConverter()
    engine.convert(docx("一"))
    worker = engine._worker
    engine.close()
    assert worker is not None
    assert worker.poll() is not None


@pytest.mark.slow
def test_what_office2pdf_would_lose_is_printed_by_libreoffice(
    office2pdf: Office2PdfConverter, libreoffice: LibreOfficeConverter
) -> None:
    made = PdfPrinting([office2pdf, libreoffice]).print(WITH_FOOTNOTE)
    assert made.engine == "libreoffice"
    assert made.engine_version[0].isdigit()
    assert "保修期自验收合格之日起算" in read_pdf(made.data).pages[0]


def test_without_libreoffice_the_print_is_refused_and_names_the_footnote(office2pdf: Office2PdfConverter) -> None:
    absent = LibreOfficeConverter(program=Path("/nowhere/soffice"))
    with pytest.raises(PrintIncompleteError, match="保修期自验收合格之日起算"):
        PdfPrinting([office2pdf, absent]).print(WITH_FOOTNOTE)


@pytest.mark.slow
def test_a_drawn_form_prints_whole_with_both_engines(
    office2pdf: Office2PdfConverter, libreoffice: LibreOfficeConverter
) -> None:
    from tests.adapters.test_form_scaffold import FORM

    drawn = scaffold_form(replace(FORM, orientation="landscape"), house_file("form"))
    for engine in (office2pdf, libreoffice):
        assert PdfPrinting([engine]).print(drawn).engine == engine.name


def test_libreoffice_that_is_missing_says_so() -> None:
    absent = LibreOfficeConverter(program=Path("/nowhere/soffice"))
    assert not absent.available()
    assert absent.version == ""
    with pytest.raises(PdfEngineError, match="没有安装"):
        absent.convert(docx("一"))


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in program is a shell script")
@pytest.mark.parametrize(
    ("script", "told"),
    [("sleep 30", "未完成"), ("exit 3", "状态 3"), ("exit 0", "没有生成")],
    ids=["hangs", "fails", "silent"],
)
def test_a_libreoffice_that_misbehaves_is_an_engine_error(tmp_path: Path, script: str, told: str) -> None:
    program = tmp_path / "soffice"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    with pytest.raises(PdfEngineError, match=told):
        LibreOfficeConverter(program=program, timeout=0.5).convert(docx("一"))
