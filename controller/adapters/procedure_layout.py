"""文件打印版式. Draws a procedure as Word pages on the house file: control block, clauses, tables, revision history.

Clauses stand exactly as typed, numbers included; Word's own numbering is never used, because it counts for itself.
Islands (`图表`) are put back as the OOXML that was kept, with their pictures.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from lxml import etree

from controller.adapters.house_style import ensure_styles, house_file
from controller.adapters.word_markup import (
    HEADING_SHADE,
    LABEL_SHADE,
    NAMESPACES,
    W_NAMESPACE,
    Cell,
    em_width,
    gap,
    mm,
    paragraph,
    row,
    table,
    text_run,
)
from controller.domain.clause import Clause, Island, Table
from controller.domain.procedure_print import ELSEWHERE_NOTE, as_printed, is_heading, lead_length
from controller.file_formats.docx_package import CONTENT_TYPES, open_docx, write_docx
from controller.file_formats.island_file import read_island

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from controller.domain.document import SigningStep
    from controller.domain.procedure_print import ProcedurePrint
    from controller.file_formats.docx_package import DocxPackage
    from controller.file_formats.island_file import IslandFile

_W = f"{{{W_NAMESPACE}}}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_PLACEHOLDER = re.compile(r"\{\{\s*([a-z.]+)\s*\}\}")
_BLOCK_HEIGHT = mm(8.5)
BOLD = "<w:b/><w:bCs/>"
"""Run properties of the lead of a clause."""
_EMPTY_HISTORY_ROWS = 3
_LEVELS = 4


def procedure_docx(shown: ProcedurePrint, house: bytes) -> bytes:
    """Return the docx of a procedure, drawn on the house file; same input, same bytes.

    Raises:
        QmsError: the house file is not an acceptable docx, or an island is damaged.
    """
    return write_docx(on_house(shown, house, lambda width, islands: ProcedurePages(shown, width, islands).body()))


def on_house(
    shown: ProcedurePrint, house: bytes, body_of: Callable[[int, Islands], Sequence[etree._Element]]
) -> dict[str, bytes]:
    """Return the parts of a docx drawn on the house file: its header and footer filled, its body from `body_of`.

    `body_of` is given the width of the text in twips and what takes islands into the package.

    Raises:
        QmsError: the house file is not an acceptable docx, or an island is damaged.
    """
    package = open_docx(house)
    parts = dict(package.contents)
    root = etree.fromstring(parts[package.main])
    body = root.find(f"{_W}body")
    assert body is not None
    section = body.find(f"{_W}sectPr")
    for child in list(body):
        if child is not section:
            body.remove(child)
    islands = Islands(package, parts)
    for place, child in enumerate(body_of(_text_width(section), islands)):
        body.insert(place, child)
    etree.cleanup_namespaces(root, keep_ns_prefixes=["w", "r"])
    parts[package.main] = _bytes(root)
    islands.write_lists()
    styles = posixpath.join(posixpath.dirname(package.main), "styles.xml")
    if styles in parts:
        parts[styles] = ensure_styles(parts[styles])
    names = {
        "company.name": shown.company,
        "document.number": shown.number,
        "document.title": shown.title,
        "document.revision": shown.revision,
    }
    for name in package.text_parts()[1:]:
        parts[name] = _filled(parts[name], names)
    properties = package.core_properties()
    if properties is not None:
        parts[properties] = _titled(parts[properties], f"{shown.number} {shown.title}")
    return parts


class ProcedureLayout:
    """文件打印版式. Implements the port `ProcedureDrawing`."""

    def draw(self, shown: ProcedurePrint, house: bytes) -> bytes:
        """Return `procedure_docx(shown, house)`."""
        return procedure_docx(shown, house)

    def house(self) -> bytes:
        """Return the house file for procedures that the product ships."""
        return house_file("procedure")


def _style_ids(styles: bytes | None) -> set[str]:
    if styles is None:
        return set()
    return {style.get(f"{_W}styleId") or "" for style in etree.fromstring(styles).iter(f"{_W}style")}


def _bytes(root: etree._Element) -> bytes:
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))


def _text_width(section: etree._Element | None) -> int:
    size = None if section is None else section.find(f"{_W}pgSz")
    margins = None if section is None else section.find(f"{_W}pgMar")
    if size is None or margins is None:
        return mm(170)
    sides = sum(int(margins.get(f"{_W}{side}", "1134")) for side in ("left", "right"))
    return int(size.get(f"{_W}w", "11906")) - sides


def _filled(part: bytes, names: dict[str, str]) -> bytes:
    """Fill the names in a header or footer; Word may have cut one over several runs, so whole paragraphs are read."""
    root = etree.fromstring(part)
    for line in root.iter(f"{_W}p"):
        texts = list(line.iter(f"{_W}t"))
        whole = "".join(text.text or "" for text in texts)
        if not _PLACEHOLDER.search(whole):
            continue
        if any("{" in _PLACEHOLDER.sub("", text.text or "") for text in texts):
            # A name lies across runs: the paragraph's text is gathered in its first one.
            for text in texts:
                text.text = ""
            texts[0].text = whole
        for text in texts:
            text.text = _PLACEHOLDER.sub(lambda match: names.get(match[1], ""), text.text or "")
            text.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    return _bytes(root)


def _titled(properties: bytes, title: str) -> bytes:
    root = etree.fromstring(properties)
    found = root.find("{http://purl.org/dc/elements/1.1/}title")
    if found is not None:
        found.text = title
    return _bytes(root)


class ProcedurePages:
    """文件的各页. Draws the parts of one print: what stands above the clauses, each piece, what stands below."""

    def __init__(self, shown: ProcedurePrint, width: int, islands: Islands) -> None:
        self._shown = shown
        self._width = width
        self._islands = islands

    def body(self) -> list[etree._Element]:
        """Return everything, in order."""
        pieces = [element for piece in self._shown.pieces for element in self.piece(piece)]
        return [*self.head(), *pieces, *self.tail()]

    def head(self) -> list[etree._Element]:
        """Return company, title and control block."""
        shown = self._shown
        head = paragraph(text_run(shown.company), "WkCompany") + paragraph(text_run(shown.title), "WkTitle")
        if shown.notice:
            told = paragraph(text_run(shown.notice, BOLD), "WkTableCell")
            head = table([self._width], [row([Cell(told, self._width)], height=_BLOCK_HEIGHT)]) + gap() + head
        return elements_of(head + gap() + control_block(shown, self._width) + gap())

    def tail(self) -> list[etree._Element]:
        """Return the revision history."""
        return elements_of(gap() + history_table(self._shown, self._width))

    def piece(self, piece: Clause | Table | Island) -> list[etree._Element]:
        """Return a clause as its paragraph, a table with the gap below it, an island as it was kept."""
        if isinstance(piece, Clause):
            return elements_of(_clause(piece))
        if isinstance(piece, Table):
            return elements_of(clause_table(piece, self._width) + gap())
        return self._islands.take_in(read_island(self._shown.islands[piece.digest]))


def control_block(shown: ProcedurePrint, width: int) -> str:
    """Return the control block: name, number, revision, who signed, when in force."""
    label = mm(24)
    half = width // 2
    columns = (label, half - label, label, width - half - label)
    rows = [
        _line(columns, "文件名称", shown.title),
        _line(columns, "文件编号", shown.number, "版本/修改", shown.revision),
        _line(columns, "文件类别", shown.class_name, "归口部门", shown.owner),
        _signed(columns, "编制", shown.drafted),
        _signed(columns, "审核", shown.reviewed),
        _signed(columns, "批准", shown.approved),
        _line(columns, "生效日期", shown.effective or "", "分发", _distribution(shown)),
    ]
    if shown.elsewhere:
        rows.append(_line(columns, "系统外批准", ELSEWHERE_NOTE))
    if shown.applies_if:
        rows.append(_line(columns, "适用条件", shown.applies_if))
    return table(columns, rows)


def _distribution(shown: ProcedurePrint) -> str:
    return f"{'☑' if shown.copy_no else '□'} 受控　□ 非受控　分发号：{shown.copy_no}"


def clause_table(drawn: Table, width: int) -> str:
    """Return a table of the text."""
    count = max((len(cells) for cells in drawn.rows), default=1)
    columns = _shares(drawn.rows, count, width)
    rows = []
    for number, cells in enumerate(drawn.rows):
        heading = drawn.header and number == 0
        style = "WkTableHead" if heading else "WkTableCell"
        padded = [*cells, *[""] * (count - len(cells))]
        rows.append(
            row(
                [
                    Cell(paragraph(text_run(text), style), column, shade=LABEL_SHADE if heading else None)
                    for text, column in zip(padded, columns, strict=True)
                ],
                height=mm(7),
                header=heading,
            )
        )
    return table(columns, rows)


def history_table(shown: ProcedurePrint, width: int) -> str:
    """Return the revision history, with empty rows to be filled by hand where it is short."""
    widths = (mm(14), mm(23), mm(28), 0, mm(20), mm(20), mm(23))
    columns = [one or width - sum(widths) for one in widths]
    title = Cell(paragraph(text_run("修订记录"), "WkSection"), width, span=len(widths), shade=HEADING_SHADE)
    heads = ("版本", "日期", "修改条款", "原因", "修改人", "批准人", "生效日期")
    lines: list[tuple[str, ...]] = [
        (item.revision, item.date, item.clauses, item.reason, item.by, item.approved_by, item.effective)
        for item in shown.history
    ]
    lines += [("",) * len(widths)] * max(0, _EMPTY_HISTORY_ROWS - len(lines))
    rows = [row([title], height=mm(7), header=True)]
    rows.append(row(_cells(heads, columns, "WkTableHead", LABEL_SHADE), height=mm(7), header=True))
    rows += [row(_cells(line, columns, "WkTableCell", None), height=mm(7.5)) for line in lines]
    return table(columns, rows)


def _cells(texts: Sequence[str], columns: Sequence[int], style: str, shade: str | None) -> list[Cell]:
    return [
        Cell(paragraph(text_run(text), style), width, shade=shade) for text, width in zip(texts, columns, strict=True)
    ]


def _line(columns: Sequence[int], *texts: str) -> str:
    """Return a row of label and value, or of two of each."""
    alone = len(texts) == 2  # noqa: PLR2004 - label and value
    widths = (columns[0], sum(columns[1:])) if alone else columns
    cells = [
        Cell(
            paragraph(text_run(text), "WkLabel" if place % 2 == 0 else "WkValue"),
            width,
            span=3 if alone and place else 1,
            shade=LABEL_SHADE if place % 2 == 0 else None,
        )
        for place, (text, width) in enumerate(zip(texts, widths, strict=True))
    ]
    return row(cells, height=_BLOCK_HEIGHT)


def _signed(columns: Sequence[int], label: str, step: SigningStep | None) -> str:
    return _line(columns, label, step.name if step else "", "日期", (step.date or "") if step else "")


def _clause(clause: Clause) -> str:
    text = as_printed(clause)
    lead = 0 if is_heading(clause) else lead_length(clause)
    return paragraph(text_run(text[:lead], BOLD) + text_run(text[lead:]), clause_style(clause))


def clause_style(clause: Clause) -> str:
    """Return the id of the paragraph style that a clause is printed in."""
    return "WkHeading" if is_heading(clause) else f"WkClause{min(max(clause.level, 1), _LEVELS)}"


def _shares(rows: Sequence[Sequence[str]], count: int, width: int) -> list[int]:
    """Share the width among columns by what they hold, none too narrow to be read."""
    wants = [
        min(24.0, max(3.0, *(em_width(cells[place]) if place < len(cells) else 0.0 for cells in rows), 3.0))
        for place in range(count)
    ]
    columns = [int(width * want / sum(wants)) for want in wants]
    columns[-1] += width - sum(columns)
    return columns


def elements_of(markup: str) -> list[etree._Element]:
    """Return WordprocessingML as elements."""
    return list(etree.fromstring(f"<w:body {NAMESPACES}>{markup}</w:body>"))


def _in_paragraph(element: etree._Element) -> etree._Element:
    """Return an element as it may stand in the body: pictures and formulas only do so inside a paragraph."""
    if element.tag in {f"{_W}p", f"{_W}tbl", f"{_W}sdt"}:
        return element
    line = etree.Element(f"{_W}p")
    holder = line if str(element.tag).startswith(_MATH) else etree.SubElement(line, f"{_W}r")
    holder.append(element)
    return line


class Islands:
    """Takes islands into the package: their elements, parts, relationships and content types."""

    def __init__(self, package: DocxPackage, parts: dict[str, bytes]) -> None:
        self._parts = parts
        folder, _, name = package.main.rpartition("/")
        self._folder = folder
        self._list_name = f"{folder}/_rels/{name}.rels"
        listed = parts.get(self._list_name)
        self._list = etree.fromstring(listed) if listed else etree.Element(f"{{{_RELATIONS}}}Relationships")
        self._types = etree.fromstring(parts[CONTENT_TYPES])
        self._styles = _style_ids(parts.get(f"{folder}/styles.xml"))
        self._count = 0

    def take_in(self, island: IslandFile) -> list[etree._Element]:
        """Return the island's elements with relationship ids of this package."""
        self._count += 1
        head = f"island{self._count}"
        names = {
            part.name: f"{self._folder}/{head}/{number}-{posixpath.basename(part.name)}"
            for number, part in enumerate(island.parts, 1)
        }
        element = etree.fromstring(island.xml)
        renamed: dict[str, str] = {}
        inner: dict[str, etree._Element] = {}
        for number, part in enumerate(island.parts, 1):
            target = names[part.name]
            if target not in self._parts:
                self._parts[target] = part.data
                etree.SubElement(
                    self._types, f"{{{_TYPES}}}Override", PartName=f"/{target}", ContentType=part.content_type
                )
            if part.owner:
                owner = names.get(part.owner)
                if owner is None:
                    continue
                rows = inner.setdefault(owner, etree.Element(f"{{{_RELATIONS}}}Relationships"))
                relation = part.relation
            else:
                rows = self._list
                relation = f"{head}r{number}"
                renamed[part.relation] = relation
            etree.SubElement(rows, f"{{{_RELATIONS}}}Relationship", Id=relation, Type=part.type, Target=f"/{target}")
        for owner, rows in inner.items():
            place, _, name = owner.rpartition("/")
            self._parts[f"{place}/_rels/{name}.rels"] = _bytes(rows)
        for node in element.iter():
            for key, value in node.attrib.items():
                if str(key).startswith(_R) and str(value) in renamed:
                    node.set(key, renamed[str(value)])
        for node in list(element.iter(f"{_W}pStyle", f"{_W}rStyle", f"{_W}tblStyle")):
            holder = node.getparent()
            if holder is not None and node.get(f"{_W}val") not in self._styles:  # LibreOffice takes such a table apart
                holder.remove(node)
        return [_in_paragraph(element)]

    def write_lists(self) -> None:
        """Write relationships and content types back, when an island brought any."""
        if self._count:
            self._parts[self._list_name] = _bytes(self._list)
            self._parts[CONTENT_TYPES] = _bytes(self._types)
