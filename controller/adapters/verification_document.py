"""检查报告的版式. Draws the report of `qms verify` as a Word file in the house style."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from controller.adapters.house_style import HEI, MARGIN_SIDE, PAGE_WIDTH, house_file
from controller.adapters.word_markup import (
    NAMESPACES,
    Cell,
    gap,
    paragraph,
    row,
    table,
    text_run,
)
from controller.domain.text import Text
from controller.file_formats.docx_package import open_docx, write_docx

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from controller.services.verification_report import ReportPage, ReportTable

_WIDTH = PAGE_WIDTH - 2 * MARGIN_SIDE
_HEADER = "word/header1.xml"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_SHADE = "EDEDED"


def verification_docx(page: ReportPage, translate: Callable[[Text], str]) -> bytes:
    """Return the report as docx; same input, same bytes."""

    def words(value: object) -> str:
        return translate(value) if isinstance(value, Text) else str(value)

    package = open_docx(house_file("procedure"))
    parts = dict(package.contents)
    root = etree.fromstring(parts[package.main])
    body = root[0]
    section = body[-1]
    for child in list(body)[:-1]:
        body.remove(child)
    drawn = "".join(_drawn(page, words))
    for place, child in enumerate(etree.fromstring(f"<w:body {NAMESPACES}>{drawn}</w:body>")):
        body.insert(place, child)
    assert body[-1] is section
    etree.cleanup_namespaces(root, keep_ns_prefixes=["w", "r"])
    parts[package.main] = bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))
    head = paragraph(text_run(f"{page.company}　{words(page.title)}"), "WkHeader")
    parts[_HEADER] = (_XML + f"<w:hdr {NAMESPACES}>{head}</w:hdr>").encode()
    return write_docx(parts)


def _drawn(page: ReportPage, words: Callable[[object], str]) -> list[str]:
    pieces = [paragraph(text_run(page.company), "WkCompany"), paragraph(text_run(words(page.title)), "WkTitle")]
    pieces += [paragraph(text_run(words(page.verdict), f"{HEI}<w:b/>"), "WkValue"), gap()]
    narrow = _WIDTH // 5
    rows = [
        row(
            (
                Cell(paragraph(text_run(words(label)), "WkTableHead"), narrow, shade=_SHADE),
                Cell(paragraph(text_run(words(value)), "WkTableCell"), _WIDTH - narrow),
            ),
            height=300,
        )
        for label, value in page.facts
    ]
    pieces += [table((narrow, _WIDTH - narrow), rows), gap()]
    for section in page.sections:
        pieces.append(paragraph(text_run(words(section.heading)), "WkSection"))
        pieces += [paragraph(text_run(words(line)), "WkTableCell") for line in section.lines]
        if section.table is not None:
            pieces.append(_table(section.table, words))
        pieces.append(gap())
    return pieces


def _table(drawn: ReportTable, words: Callable[[object], str]) -> str:
    columns = [_WIDTH * share // sum(drawn.shares) for share in drawn.shares]
    head = _cells([words(text) for text in drawn.headings], columns, "WkTableHead", _SHADE)
    rows = [row(head, height=300, header=True)]
    rows += [
        row(_cells([words(value) for value in cells], columns, "WkTableCell"), height=280, may_split=True)
        for cells in drawn.rows
    ]
    return table(columns, rows)


def _cells(texts: Sequence[str], columns: Sequence[int], style: str, shade: str | None = None) -> list[Cell]:
    return [
        Cell(paragraph(text_run(text), style), width, shade=shade) for text, width in zip(texts, columns, strict=True)
    ]
