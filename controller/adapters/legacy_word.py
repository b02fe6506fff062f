"""读取旧 Word 文件. As `word_document`, and with the cells of every table and the words of headers and footers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.adapters.word_document import WordReading
from controller.adapters.word_numbering import W
from controller.domain.identifiers import Digest
from controller.file_formats.docx_package import open_docx
from controller.services.legacy_ports import LegacyText

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element

    from controller.file_formats.control_block import Grid

_GONE = {f"{W}del", f"{W}moveFrom"}
_MARGINS = ("header+xml", "footer+xml")


class LegacyDocxReader:
    """旧 Word 文件读取器. Implements the port `LegacyWordReader`."""

    def read(self, docx: bytes, *, name: str) -> LegacyText:
        """Return what a docx says.

        Raises:
            QmsError: as `file_formats.docx_package.open_docx`.
        """
        return _LegacyReading(open_docx(docx), name).legacy()


class _LegacyReading(WordReading):
    grids: dict[Digest, Grid]

    def legacy(self) -> LegacyText:
        self.grids = {}
        found = self.result()
        lines, grids = self._margin_content()
        return LegacyText(found.text, found.islands, found.findings, self.grids, lines, grids)

    def island(self, element: _Element) -> None:
        known = len(self.lines)
        super().island(element)
        if element.tag == f"{W}tbl" and len(self.lines) > known:
            # The line ends with the island that was just kept: 〔图表 sha256:… 说明〕.
            self.grids[Digest(self.lines[-1].split()[1].rstrip("〕"))] = _grid(element)

    def _margin_content(self) -> tuple[list[str], list[Grid]]:
        lines: list[str] = []
        grids: list[Grid] = []
        for part in self.package.text_parts():
            tree = self.tree(part) if self.package.types[part].endswith(_MARGINS) else None
            if tree is None:
                continue
            for table in tree.iter(f"{W}tbl"):
                grid = _grid(table)
                if grid not in grids:
                    grids.append(grid)
            for paragraph in tree.iter(f"{W}p"):
                text = _plain(paragraph).strip()
                inside = next(paragraph.iterancestors(f"{W}tbl"), None) is not None
                if text and not inside and text not in lines:
                    lines.append(text)
        return lines, grids


def _grid(table: _Element) -> Grid:
    """Return the texts of a table's cells; what a merged cell goes on with is empty."""
    rows = (row for row in table.iter(f"{W}tr") if next(row.iterancestors(f"{W}tbl"), None) is table)
    return tuple(tuple(_cell(cell) for cell in _cells(row, table)) for row in rows)


def _cells(row: _Element, table: _Element) -> Iterator[_Element]:
    return (cell for cell in row.iter(f"{W}tc") if next(cell.iterancestors(f"{W}tbl"), None) is table)


def _cell(cell: _Element) -> str:
    merged = cell.find(f"{W}tcPr/{W}vMerge")
    if merged is not None and merged.get(f"{W}val") in {None, "continue"}:
        return ""
    return "\n".join(_plain(paragraph) for paragraph in cell.iter(f"{W}p")).strip()


def _plain(element: _Element) -> str:
    """Return the words below an element as they read when tracked changes are accepted."""
    found = []
    for item in element.iter(f"{W}t", f"{W}tab", f"{W}br"):
        if any(above.tag in _GONE for above in item.iterancestors()):
            continue
        if item.tag == f"{W}t":
            found.append(item.text or "")
        else:
            parent = item.getparent()
            if parent is not None and parent.tag == f"{W}r":
                found.append(" ")
    return "".join(found)
