"""Marks in Word copies: in every header that Word shows, made where there is none; the text stays as it is."""

from __future__ import annotations

import io
import subprocess
from datetime import date, datetime
from typing import TYPE_CHECKING

import pytest
from docx import Document

from controller.adapters.docx_stamping import stamped_docx
from controller.adapters.house_style import house_file
from controller.adapters.procedure_layout import procedure_docx
from controller.domain.print_stamp import PrintStamp, StampKind
from controller.file_formats.docx_package import open_docx
from tests.adapters.test_procedure_layout import printed
from tests.docx_files import docx
from tests.real_tools import need

if TYPE_CHECKING:
    from pathlib import Path

AT = datetime.fromisoformat("2026-11-22T10:00:00+08:00")
STAMP = PrintStamp(StampKind.OBSOLETE, "AB-YLQXCX-001", "A/1", None, None, AT, date(2026, 12, 22), '王"<芳>')


def headers(data: bytes) -> dict[str, str]:
    """What is read in the first paragraph of each kind of header, in the first section."""
    section = Document(io.BytesIO(data)).sections[0]
    kinds = {"default": section.header, "first": section.first_page_header, "even": section.even_page_header}
    return {kind: "" if one.is_linked_to_previous else one.paragraphs[0].text for kind, one in kinds.items()}


def test_the_header_of_a_procedure_begins_with_the_line_and_its_text_is_untouched() -> None:
    plain = procedure_docx(printed(), house_file("procedure"))
    made = stamped_docx(plain, STAMP)
    assert headers(made)["default"] == STAMP.ribbon
    before, after = open_docx(plain).contents, open_docx(made).contents
    assert {name for name in after if after[name] != before.get(name)} == {"word/header1.xml"}
    assert b'string="\xe4\xbd\x9c\xe5\xba\x9f"' in after["word/header1.xml"]
    assert before["word/header1.xml"].split(b"<w:tbl>", 1)[1][:200] in after["word/header1.xml"]
    assert stamped_docx(plain, STAMP) == made


def test_a_document_without_headers_gets_every_one_that_word_would_show() -> None:
    word = Document()
    word.add_paragraph("第一页")
    word.sections[0].different_first_page_header_footer = True
    word.settings.odd_and_even_pages_header_footer = True
    out = io.BytesIO()
    word.save(out)
    assert headers(stamped_docx(out.getvalue(), STAMP)) == dict.fromkeys(("default", "first", "even"), STAMP.ribbon)
    assert headers(stamped_docx(docx("正文"), STAMP)) == {"default": STAMP.ribbon, "first": "", "even": ""}


@pytest.mark.slow
def test_libreoffice_shows_it_on_every_page(tmp_path: Path) -> None:
    text = "AB-YLQXCX-001回访管理程序\n1.目的:了解用户的意见。\n" + "".join(
        f"2.{place}. 每半年回访一次，记录用户的意见和处理的结果。\n" for place in range(1, 60)
    )
    path = tmp_path / "a.docx"
    path.write_bytes(stamped_docx(procedure_docx(printed(text), house_file("procedure")), STAMP))
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    program = need("soffice")
    subprocess.run(
        [program, profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(path)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    shown = subprocess.run(
        [need("pdftotext"), str(tmp_path / "a.pdf"), "-"], capture_output=True, text=True, check=True
    ).stdout.split("\f")[:-1]
    assert len(shown) > 2
    assert [page for page in shown if "AB-YLQXCX-001 A/1 · 作废 · 仅供查考，不得据此作业" not in page] == []
