"""A scanned PDF does nothing and carries nothing; codes are read off crooked, noisy scans."""

from __future__ import annotations

import io

import pytest
import segno
from PIL import Image
from pypdf import PdfWriter

from controller.adapters.scan_reading import ScanReading
from controller.file_formats.scan_file import ScanKind, ScanRefusedError
from tests.scans import as_bytes, pdf_of, pdf_with_object_stream, plain_pdf, small_png

READING = ScanReading()


def refused(data: bytes) -> str:
    with pytest.raises(ScanRefusedError) as found:
        READING.check_pdf(data)
    return str(found.value.message)


def test_a_plain_scan_passes() -> None:
    READING.check_pdf(plain_pdf())
    READING.check_pdf(as_bytes(Image.linear_gradient("L"), "PDF"))
    READING.check_pdf(plain_pdf(catalogue=b"/OpenAction [3 0 R /Fit]"))


@pytest.mark.parametrize(
    ("what", "data"),
    [
        ("JavaScript", plain_pdf(catalogue=b"/OpenAction 4 0 R", more=[b"<< /S /JavaScript /JS (app.alert(1)) >>"])),
        ("JavaScript", plain_pdf(catalogue=b"/Names << /JavaScript << /Names [(a) 4 0 R] >> >>", more=[b"<< >>"])),
        ("JavaScript", plain_pdf(catalogue=b"/OpenAction << /S /Java#53cript /J#53 (x) >>")),
        ("Launch", plain_pdf(page=b"/Annots [<< /Subtype /Link /A << /S /Launch /F (cmd.exe) >> >>]")),
        ("EmbeddedFile", plain_pdf(catalogue=b"/Names << /EmbeddedFiles << /Names [] >> >>")),
        ("AdditionalActions", plain_pdf(page=b"/AA << /O << /S /Named /N /Print >> >>")),
        ("OpenAction", plain_pdf(catalogue=b"/OpenAction << /S /GoToR /F (other.pdf) >>")),
        ("GoToR", plain_pdf(page=b"/Annots [<< /A << /S /GoToR /F (other.pdf) >> >>]")),
        ("URI", plain_pdf(page=b"/Annots [<< /A << /S /URI /URI (http://x) >> >>]")),
        ("AcroForm", plain_pdf(catalogue=b"/AcroForm << /XFA (x) >>")),
        ("XFA", plain_pdf(page=b"/Hidden << /XFA (x) >>")),
        ("FileAttachment", plain_pdf(page=b"/Annots [<< /Subtype /FileAttachment >>]")),
        ("RichMedia", plain_pdf(page=b"/Annots [<< /Subtype /RichMedia >>]")),
    ],
)
def test_active_content_is_refused_by_name_and_place(what: str, data: bytes) -> None:
    message = refused(data)
    assert what in message
    assert "第 " in message or "文件目录" in message


def test_a_script_inside_a_compressed_object_is_found() -> None:
    hidden = b"5 0 << /S /JavaScript /JS (app.alert\\(1\\)) >>"
    assert "JavaScript" in refused(pdf_with_object_stream(hidden, b"/OpenAction 5 0 R"))
    READING.check_pdf(pdf_with_object_stream(b"5 0 << /Quiet true >>", b"/Perhaps 5 0 R"))


def test_an_encrypted_pdf_is_refused_because_it_could_not_be_read_later() -> None:
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.encrypt("secret", algorithm="RC4-128")
    target = io.BytesIO()
    writer.write(target)
    assert "加密" in refused(target.getvalue())


def test_too_many_pages_huge_pictures_and_rubbish_are_refused() -> None:
    kids = b" ".join(b"%d 0 R" % number for number in range(3, 24))
    pages = [b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>"] * 21
    many = pdf_of([b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [%s] /Count 21 >>" % kids, *pages])
    assert "21 页" in refused(many)
    bomb = b"<< /Subtype /Image /Width 90000 /Height 90000 /Length 0 >>\nstream\n\nendstream"
    assert "万像素" in refused(plain_pdf(page=b"/Resources << /XObject << /a 4 0 R >> >>", more=[bomb]))
    assert "无法读取" in refused(b"%PDF-1.7\nrubbish\n%%EOF")
    loop = pdf_of([b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"])
    assert "PDF" in refused(loop)


def test_codes_are_read_off_pictures_and_scanned_pdfs_and_other_pictures_give_none() -> None:
    target = io.BytesIO()
    segno.make("第一份", error="q").save(target, kind="png", scale=6)
    with Image.open(target) as opened:
        picture = opened.convert("L")
    assert READING.codes(as_bytes(picture, "PNG"), ScanKind.PNG) == ["第一份"]
    assert READING.codes(as_bytes(picture, "JPEG"), ScanKind.JPEG) == ["第一份"]
    assert READING.codes(as_bytes(picture, "PDF"), ScanKind.PDF) == ["第一份"]
    assert READING.codes(small_png(), ScanKind.PNG) == []
    assert READING.codes(plain_pdf(), ScanKind.PDF) == []


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_code_is_found_on_whichever_page_of_the_scan_it_is(place: int) -> None:
    coded = io.BytesIO()
    segno.make("wenkong:1:x", error="q").save(coded, kind="png", scale=6)
    with Image.open(coded) as opened:
        code = opened.convert("L")
    pages = [Image.new("L", code.size, 240) for _ in range(3)]
    pages[place] = code
    scan = io.BytesIO()
    pages[0].save(scan, "PDF", save_all=True, append_images=pages[1:])
    assert READING.codes(scan.getvalue(), ScanKind.PDF) == ["wenkong:1:x"]


def test_without_the_library_nothing_is_read_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "zxingcpp", None)
    assert READING.codes(small_png(), ScanKind.PNG) is None
