"""Lines added to the end of a finished docx stand after its text, before the section's properties."""

from __future__ import annotations

import io
import re

import docx
import pytest

from controller.adapters.house_style import house_file
from controller.file_formats.docx_closing import with_closing_lines
from controller.file_formats.docx_package import open_docx, write_docx


def closed(kind: str, lines: list[str]) -> bytes:
    package = open_docx(house_file(kind))
    return with_closing_lines(package.contents[package.main], lines)


def paragraphs(kind: str, main: bytes) -> list[str]:
    package = open_docx(house_file(kind))
    made = write_docx({**package.contents, package.main: main})
    return [paragraph.text for paragraph in docx.Document(io.BytesIO(made)).paragraphs]


def test_lines_are_the_last_paragraphs_and_the_page_keeps_its_size() -> None:
    main = closed("procedure", ["纸质签名：<甲> & 乙", "第二行"])
    assert paragraphs("procedure", main)[-2:] == ["纸质签名：<甲> & 乙", "第二行"]
    assert re.search(rb"<w:sectPr.*</w:sectPr></w:body>", main, re.DOTALL)
    assert main == closed("procedure", ["纸质签名：<甲> & 乙", "第二行"])


@pytest.mark.parametrize(("line", "shown"), [("\x00\x08坏字符", "坏字符"), ("\ud800", ""), ("{{ x }}", "{{ x }}")])
def test_characters_that_xml_cannot_hold_are_left_out(line: str, shown: str) -> None:
    assert paragraphs("form", closed("form", [line]))[-1] == shown
