"""检查报告的版式. Draws the report of `qms verify` as a Word file in the house style."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.adapters.house_page import TEXT_WIDTH, house_page
from controller.adapters.house_style import HEI
from controller.adapters.word_markup import Cell, gap, paragraph, row, table, text_run
from controller.domain.text import Text
from controller.file_formats.docx_package import write_docx

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from controller.services.verification_report import ReportPage, ReportTable

_SHADE = "EDEDED"
_ROOM = '<w:spacing w:before="160" w:after="80"/>'


def verification_docx(page: ReportPage, translate: Callable[[Text], str]) -> bytes:
    """Return the report as docx; same input, same bytes."""

    def words(value: object) -> str:
        return translate(value) if isinstance(value, Text) else str(value)

    return write_docx(house_page(_drawn(page, words), header=f"{page.company}　{words(page.title)}"))


def _drawn(page: ReportPage, words: Callable[[object], str]) -> list[str]:
    pieces = [paragraph(text_run(page.company), "WkCompany"), paragraph(text_run(words(page.title)), "WkTitle")]
    pieces += [gap(), paragraph(text_run(words(page.verdict), f"{HEI}<w:b/>"), "WkValue"), gap()]
    narrow = TEXT_WIDTH // 5
    rows = [
        row(
            (
                Cell(paragraph(text_run(words(label)), "WkTableHead"), narrow, shade=_SHADE),
                Cell(paragraph(text_run(words(value)), "WkTableCell"), TEXT_WIDTH - narrow),
            ),
            height=300,
        )
        for label, value in page.facts
    ]
    pieces += [table((narrow, TEXT_WIDTH - narrow), rows), gap()]
    for section in page.sections:
        pieces.append(paragraph(text_run(words(section.heading)), "WkSection", _ROOM))
        pieces += [paragraph(text_run(words(line)), "WkTableCell") for line in section.lines]
        if section.table is not None:
            pieces.append(_table(section.table, words))
        pieces.append(gap())
    return pieces


def _table(drawn: ReportTable, words: Callable[[object], str]) -> str:
    columns = [TEXT_WIDTH * share // sum(drawn.shares) for share in drawn.shares]
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
