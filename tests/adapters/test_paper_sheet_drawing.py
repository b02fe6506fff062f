"""The sheet for a signature on paper shows all that is signed, and its code is sharp and survives a bad scan."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from controller.adapters.paper_sheet_drawing import code_picture, draw_paper_sheet
from controller.adapters.pdf_libreoffice import LibreOfficeConverter
from controller.adapters.pdf_office2pdf import Office2PdfConverter
from controller.adapters.scan_reading import ScanReading
from controller.domain.identifiers import Digest
from controller.domain.paper_signature import PaperCode
from controller.domain.record import Signatory
from controller.file_formats.pdf_text import read_pdf
from controller.file_formats.scan_file import ScanKind
from controller.services.paper_sheet import PaperSheet
from controller.services.pdf_printing import PdfPrinting
from tests.real_tools import need
from tests.scans import as_bytes, scanned

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = Digest.of(b"entry")
CODE = PaperCode("6a1f6a1e-7c52-4d0e-9b42-6a4f0f3f9f10", "XX-YLQXJL-018-2026-0001", 12, DIGEST)
SHEET = PaperSheet(
    company="安泽医疗器械有限公司",
    subject="XX-YLQXJL-018-2026-0001",
    facts=[("表单", "质量投诉处理记录（XX-YLQXJL-018 A/0）"), *[("投诉渠道及方式", "电话 <来访> & 邮件")] * 8],
    digests=[("第 12 个条目（最新）的摘要", DIGEST), ("当时所示内容的摘要", DIGEST)],
    code=CODE,
    meaning="客户确认",
    signer="江城市第一人民医院",
    by=Signatory("p003", "陈晓", "质管员"),
    printed_at="2026-05-20 10:05",
)


def test_the_same_sheet_gives_the_same_bytes() -> None:
    assert draw_paper_sheet(SHEET) == draw_paper_sheet(SHEET)
    assert draw_paper_sheet(SHEET) != draw_paper_sheet(replace(SHEET, meaning="批准"))


def test_the_code_is_drawn_in_whole_pixels_at_600_dots_per_inch() -> None:
    picture, side = code_picture(CODE.text)
    with Image.open(io.BytesIO(picture)) as opened:
        assert round(opened.info["dpi"][0]) == 600
        assert opened.width % 13 == 0
        assert side == opened.width * 914_400 // 600
        assert set(opened.convert("L").tobytes()) == {0, 255}


def test_the_page_shows_what_is_signed_and_keeps_places_for_signature_date_and_seal() -> None:
    printed = PdfPrinting([Office2PdfConverter()]).print(draw_paper_sheet(SHEET))
    assert printed.pages == 1
    text = read_pdf(printed.data).pages[0]
    for words in ("XX-YLQXJL-018-2026-0001", "客户确认", "（公章）", "日期", "电话 <来访> & 邮件"):
        assert words in text
    assert DIGEST.hex in "".join(text.split())


def long_sheet(rows: int) -> PaperSheet:
    return replace(
        SHEET, facts=[(f"第 {row} 项", f"处理措施之{row}：" + "更换电源板并试运行，" * 5) for row in range(rows)]
    )


@pytest.mark.parametrize("rows", [6, 7, 18, 30, 60])
def test_everything_that_is_signed_is_shown_and_code_and_signature_stay_on_one_page(rows: int) -> None:
    printed = PdfPrinting([Office2PdfConverter()]).print(draw_paper_sheet(long_sheet(rows)))
    pages = read_pdf(printed.data).pages
    whole = "".join("".join(pages).split())
    assert [row for row in range(rows) if f"处理措施之{row}：" not in whole] == []
    last = [number for number, page in enumerate(pages) if "（公章）”处" in page or "内容摘要" in page]
    assert last == [len(pages) - 1]
    assert f"第 {len(pages)} 页　共 {len(pages)} 页" in pages[-1]


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "pages"), [(0, 1), (6, 1), (30, 3)])
def test_libreoffice_needs_no_more_pages(rows: int, pages: int) -> None:
    need("soffice")
    sheet = long_sheet(rows) if rows else SHEET
    assert PdfPrinting([LibreOfficeConverter()]).print(draw_paper_sheet(sheet)).pages == pages


def test_the_code_is_read_back_from_a_crooked_and_noisy_scan(tmp_path: Path) -> None:
    pdf = tmp_path / "sheet.pdf"
    pdf.write_bytes(PdfPrinting([Office2PdfConverter()]).print(draw_paper_sheet(SHEET)).data)
    scan = scanned(pdf)
    for kind, data in (
        (ScanKind.PNG, as_bytes(scan, "PNG")),
        (ScanKind.JPEG, as_bytes(scan, "JPEG", quality=50)),
        (ScanKind.PDF, as_bytes(scan, "PDF")),
        (ScanKind.PNG, as_bytes(scan.rotate(180), "PNG")),
    ):
        assert ScanReading().codes(data, kind) == [CODE.text]
