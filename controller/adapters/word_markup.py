"""Word 标记. The OOXML fragments that forms, procedures and house style are drawn with.

Fragments are strings of WordprocessingML; every text that enters one is escaped here. Lengths are twips (1/20 pt).
Borders and shading stand on each cell, because converters differ in what they take from a table style.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

W_NAMESPACE = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
NAMESPACES = f'xmlns:w="{W_NAMESPACE}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
LABEL_SHADE = "F2F2F2"
HEADING_SHADE = "E4E8EE"
MONO = '<w:rFonts w:ascii="Courier New" w:hAnsi="Courier New" w:cs="Courier New"/>'
"""Run properties of digits that are compared one by one."""
LINE = 4
"""Inner line, eighths of a point."""
FRAME = 8
"""Outer frame, eighths of a point."""

_LAST_NARROW = "\u2000"
"""Characters up to here are Western and about half as wide as they are high."""
_FORBIDDEN = re.compile(r"[^\t\n\u0020-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


def mm(length: float) -> int:
    """Return millimetres as twips."""
    return round(length * 1440 / 25.4)


def text_run(text: str, properties: str = "") -> str:
    """Return runs for `text`; line ends become breaks, tabs stay tabs, characters XML cannot hold are dropped."""
    head = f"<w:rPr>{properties}</w:rPr>" if properties else ""
    pieces = []
    for number, line in enumerate(_FORBIDDEN.sub("", text).split("\n")):
        broken = "<w:br/>" if number else ""
        inner = "<w:tab/>".join(
            f'<w:t xml:space="preserve">{escape(part)}</w:t>' if part else "" for part in line.split("\t")
        )
        if broken or inner:
            pieces.append(f"<w:r>{head}{broken}{inner}</w:r>")
    return "".join(pieces)


def field_runs(code: str, properties: str = "", shown: str = "1") -> str:
    """Return the runs of a Word field such as `PAGE`; `shown` stands until Word recalculates it."""
    head = f"<w:rPr>{properties}</w:rPr>" if properties else ""
    return (
        f'<w:r>{head}<w:fldChar w:fldCharType="begin"/></w:r>'
        f'<w:r>{head}<w:instrText xml:space="preserve"> {code} </w:instrText></w:r>'
        f'<w:r>{head}<w:fldChar w:fldCharType="separate"/></w:r>'
        f"<w:r>{head}<w:t>{shown}</w:t></w:r>"
        f'<w:r>{head}<w:fldChar w:fldCharType="end"/></w:r>'
    )


def paragraph(runs: str, style: str, properties: str = "") -> str:
    """Return a paragraph in `style`; `runs` comes from `text_run` or `field_runs`."""
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{properties}</w:pPr>{runs}</w:p>'


@dataclass(frozen=True)
class Cell:
    """单元格. One cell of a drawn table."""

    content: str
    """Paragraph markup; a cell always holds at least one paragraph."""
    width: int
    span: int = 1
    shade: str | None = None
    align: str = "center"
    """Vertical: `top` or `center`."""
    bordered: bool = True


def row(cells: Sequence[Cell], *, height: int, header: bool = False, may_split: bool = False) -> str:
    """Return a table row of at least `height`; `header` repeats it on each page, `may_split` lets it cross pages."""
    properties = ("" if may_split else "<w:cantSplit/>") + f'<w:trHeight w:val="{height}" w:hRule="atLeast"/>'
    if header:
        properties += "<w:tblHeader/>"
    return f"<w:tr><w:trPr>{properties}</w:trPr>{''.join(_cell(cell) for cell in cells)}</w:tr>"


def directive_row(directive: str, columns: Sequence[int]) -> str:
    """Return a row that holds only a template directive (`{%tr … %}`); the template compiler takes the row away."""
    first = Cell(paragraph(text_run(directive), "WkTableCell"), sum(columns), span=len(columns))
    return f"<w:tr>{_cell(first)}</w:tr>"


def _cell(cell: Cell) -> str:
    span = f'<w:gridSpan w:val="{cell.span}"/>' if cell.span > 1 else ""
    shade = f'<w:shd w:val="clear" w:color="auto" w:fill="{cell.shade}"/>' if cell.shade else ""
    borders = _borders("tcBorders", dict.fromkeys(("top", "left", "bottom", "right"), LINE)) if cell.bordered else ""
    # Text that begins at the top of a tall cell stands clear of the rule above it.
    clear = '<w:tcMar><w:top w:w="110" w:type="dxa"/></w:tcMar>' if cell.align == "top" else ""
    return (
        f'<w:tc><w:tcPr><w:tcW w:w="{cell.width}" w:type="dxa"/>{span}{borders}{shade}{clear}'
        f'<w:vAlign w:val="{cell.align}"/></w:tcPr>{cell.content}</w:tc>'
    )


def _borders(element: str, sizes: dict[str, int]) -> str:
    sides = "".join(
        f'<w:{side} w:val="single" w:sz="{size}" w:space="0" w:color="000000"/>' for side, size in sizes.items()
    )
    return f"<w:{element}>{sides}</w:{element}>"


def table(columns: Sequence[int], rows: Iterable[str], *, bordered: bool = True, borders: str = "") -> str:
    """Return a table of fixed column widths, centred between the margins; `borders` replaces the usual frame."""
    frame = dict.fromkeys(("top", "left", "bottom", "right"), FRAME) | dict.fromkeys(("insideH", "insideV"), LINE)
    if bordered:
        borders = _borders("tblBorders", frame)
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in columns)
    return (
        f'<w:tbl><w:tblPr><w:tblW w:w="{sum(columns)}" w:type="dxa"/><w:jc w:val="center"/>{borders}'
        '<w:tblLayout w:type="fixed"/><w:tblCellMar><w:top w:w="60" w:type="dxa"/><w:left w:w="85" w:type="dxa"/>'
        '<w:bottom w:w="40" w:type="dxa"/><w:right w:w="85" w:type="dxa"/></w:tblCellMar></w:tblPr>'
        f"<w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl>"
    )


def gap() -> str:
    """Return the small space that keeps two tables apart (Word joins tables that touch)."""
    return paragraph("", "WkGap")


def page_break() -> str:
    """Return an empty paragraph that begins a new page."""
    return paragraph("", "WkGap", "<w:pageBreakBefore/>")


def em_width(text: str) -> float:
    """Return the width of `text` in ems: a Chinese character counts one, a Western letter about half."""
    return sum(1.0 if character > _LAST_NARROW else 0.55 for character in text)
