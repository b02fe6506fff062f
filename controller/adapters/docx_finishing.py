"""渲染后的整理. What docxtpl does to rendered XML, done only where it is needed and only to the place concerned.

Line breaks and tabs in values become Word's own; tables whose number of cells a loop changed get a matching grid;
drawings repeated by a loop get numbers of their own, since Word repairs files in which two drawings share one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml import etree

_BREAK = re.compile("[\n\t\a\f]")
_DRAWING_ID = re.compile(r'(<wp:docPr\b[^>]*?\bid=")[^"]*(")')
_CHANGES_CELLS = re.compile(r'(?:%\}|\}\})\s*<w:tc[ >]|</w:tc>\s*\{[%{]|w:gridSpan w:val="[^"]*\{\{')
_RUN_PROPERTIES = re.compile(r"<w:rPr>.*?</w:rPr>", re.DOTALL)
_PARAGRAPH_PROPERTIES = re.compile(r"<w:pPr>.*?</w:pPr>", re.DOTALL)
_SECTION = re.compile(r"<w:sectPr\b.*?</w:sectPr>|<w:sectPr\b[^>]*/>", re.DOTALL)
_NO_ROWS, _CELL_END = "</w:tblGrid></w:tbl>", "</w:tc>"
_NO_PARAGRAPH = ("</w:tcPr></w:tc>", "</w:tbl></w:tc>", "<w:tcPr/></w:tc>")
_KEEP = '<w:t xml:space="preserve">'


def resolve_breaks(xml: str) -> str:
    r"""Turn \n, \t, \a and \f inside text runs into line break, tab, new paragraph and new page."""
    pieces: list[str] = []
    done = 0
    found = _BREAK.search(xml)
    while found:
        begin = xml.rfind("<", 0, found.start())
        end = xml.find("<", found.start())
        if xml.startswith(("<w:t>", "<w:t "), begin) and xml.startswith("</w:t>", end):
            inside = xml.index(">", begin) + 1
            pieces += (xml[done:begin], _KEEP, _broken(xml, begin, xml[inside:end]))
            done = end
        found = _BREAK.search(xml, max(end, found.end()))
    pieces.append(xml[done:])
    return "".join(pieces)


def _broken(xml: str, begin: int, text: str) -> str:
    text = text.replace("\n", f"</w:t><w:br/>{_KEEP}").replace("\t", f"</w:t><w:tab/>{_KEEP}")
    if "\a" in text or "\f" in text:
        run = max(xml.rfind("<w:r>", 0, begin), xml.rfind("<w:r ", 0, begin))
        paragraph = max(xml.rfind("<w:p>", 0, begin), xml.rfind("<w:p ", 0, begin))
        run_look = _RUN_PROPERTIES.search(xml, run, begin)
        paragraph_look = _PARAGRAPH_PROPERTIES.search(xml, paragraph, begin)
        look = run_look[0] if run_look else ""
        # A section ends once; its properties are not repeated with the paragraph.
        layout = _SECTION.sub("", paragraph_look[0]) if paragraph_look else ""
        again = f"<w:p>{layout}<w:r>{look}{_KEEP}"
        text = text.replace("\a", f"</w:t></w:r></w:p>{again}")
        text = text.replace("\f", f'</w:t></w:r></w:p><w:p><w:r><w:br w:type="page"/></w:r></w:p>{again}')
    return text


def mend_gaps(xml: str) -> str:
    """Put back what Word insists on: no table without rows, and a paragraph at the end of every cell."""
    while (end := xml.find(_NO_ROWS)) >= 0:
        begin = max(xml.rfind("<w:tbl>", 0, end), xml.rfind("<w:tbl ", 0, end))
        xml = xml[:begin] + xml[end + len(_NO_ROWS) :]
    for gap in _NO_PARAGRAPH:
        if gap in xml:
            xml = xml.replace(gap, gap.removesuffix(_CELL_END) + "<w:p/>" + _CELL_END)
    return xml


def number_drawings(xml: str, last: int) -> tuple[str, int]:
    """Give every drawing of a part the next number after `last`; return the part and the new last number."""
    count = last

    def number(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return f"{match[1]}{count}{match[2]}"

    return _DRAWING_ID.sub(number, xml), count


def needs_table_fixing(source: str) -> bool:
    """Tell whether the template can change the number of cells in a row."""
    return _CHANGES_CELLS.search(source) is not None


def fix_tables(xml: str) -> str:
    """Make the grid of every table match its rows, keeping the table's width, as docxtpl does."""
    from lxml import etree

    head, _, rest = xml.partition("?>")
    root = etree.fromstring(rest.encode(), etree.XMLParser(resolve_entities=False, no_network=True, recover=True))
    if root is None:
        return xml
    space = "{" + root.nsmap.get("w", "") + "}"
    for table in root.iter(space + "tbl"):
        grid = table.find(space + "tblGrid")
        if grid is not None:
            _fix_grid(table, grid, space)
    return f"{head}?>{etree.tostring(root, encoding='unicode')}"


def _fix_grid(table: etree._Element, grid: etree._Element, space: str) -> None:
    from lxml import etree

    width = space + "w"
    columns = grid.findall(space + "gridCol")
    # Rows of tables inside this one's cells count for those tables alone.
    own = (row for row in table.iter(space + "tr") if next(row.iterancestors(space + "tbl")) is table)
    rows = [row.findall(space + "tc") for row in own]
    missing = max((len(cells) for cells in rows), default=0) - len(columns)
    total = sum(float(column.get(width) or 0) for column in columns)
    if missing > 0 and total > 0:
        average = total / (len(columns) + missing)
        scale = average / (total / len(columns))
        for column in columns:
            column.set(width, str(int(float(column.get(width) or 0) * scale)))
        for _ in range(missing):
            etree.SubElement(grid, space + "gridCol", {width: str(int(average))})
        columns = grid.findall(space + "gridCol")
    used = max((sum(_span(cell, space) for cell in cells) for cells in rows), default=0)
    surplus = columns[used:]
    if surplus and used:
        removed = sum(float(column.get(width) or 0) for column in surplus)
        for column in surplus:
            grid.remove(column)
        for column in columns[:used]:
            column.set(width, str(int(float(column.get(width) or 0) + int(removed / used))))


def _span(cell: etree._Element, space: str) -> int:
    span = cell.find(f"{space}tcPr/{space}gridSpan")
    value = (span.get(space + "val") if span is not None else None) or "1"
    return int(value) if value.isdigit() else 1
