"""签出版式. Draws a document for editing in Word: every line of its text a paragraph, every clause under a bookmark.

What the program writes around the text (company, control block, revision history, gaps) is marked, so that it is told
from the text when the file comes back. Bookmarks and file properties are what survives Word, WPS and LibreOffice.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import etree

from controller.adapters.house_style import house_file
from controller.adapters.procedure_layout import (
    BOLD,
    clause_style,
    clause_table,
    control_block,
    elements_of,
    history_table,
    on_house,
)
from controller.adapters.word_markup import W_NAMESPACE, gap, paragraph, text_run
from controller.domain.clause import Aside, AsideKind, Clause, Island, Table, TitleLine
from controller.domain.procedure_print import is_heading, lead_length
from controller.file_formats.docx_package import CONTENT_TYPES, relationships, write_docx
from controller.file_formats.island_file import read_island

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from controller.adapters.procedure_layout import Islands
    from controller.domain.clause import Piece
    from controller.services.checkout_ports import CheckoutSheet

CLAUSE_MARK = "wk_"
"""Before the id of a clause in the name of its bookmark: `wk_c7`."""
CHECKOUT_MARK = "wk_out_"
"""Before the name of the check-out in a bookmark at the head of the file."""
COMPANY_MARK, CONTROL_MARK, HISTORY_MARK = "wk_company", "wk_control", "wk_history"
"""Bookmarks in what the program writes around the text."""
PROPERTY_NUMBER, PROPERTY_CHECKOUT = "文控文件编号", "文控签出号"
_PROPERTY_REVISION, _PROPERTY_SOURCE = "文控版本", "文控来源摘要"

_W = f"{{{W_NAMESPACE}}}"
_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|$)")
_FIRST_ID = 9000
"""Ids of our bookmarks begin here, clear of those inside islands."""
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/"
_CUSTOM = "docProps/custom.xml"
_CUSTOM_TYPE = "application/vnd.openxmlformats-officedocument.custom-properties+xml"
_FMTID = "{D5CDD505-2E9C-101B-9397-08002B2CF9AE}"
_SETTINGS_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.settings+xml"
_HIDES_AUTHORS = ("removePersonalInformation", "removeDateAndTime", "documentProtection", "writeProtection")
_BEFORE_TRACKING = {
    *("writeProtection", "view", "zoom", "removePersonalInformation", "removeDateAndTime"),
    *("doNotDisplayPageBoundaries", "displayBackgroundShape", "printPostScriptOverText"),
    *("printFractionalCharacterWidth", "printFormsData", "embedTrueTypeFonts", "embedSystemFonts"),
    *("saveSubsetFonts", "saveFormsData", "mirrorMargins", "alignBordersAndEdges", "bordersDoNotSurroundHeader"),
    *("bordersDoNotSurroundFooter", "gutterAtTop", "hideSpellingErrors", "hideGrammaticalErrors"),
    *("activeWritingStyle", "proofState", "formsDesign", "attachedTemplate", "linkStyles"),
    *("stylePaneFormatFilter", "stylePaneSortMethod", "documentType", "mailMerge", "revisionView"),
}
"""Settings that stand before the one that tracks changes, in the order of the format."""


class CheckoutLayout:
    """签出版式. Implements the port `CheckoutDrawing`."""

    def draw(self, sheet: CheckoutSheet, house: bytes) -> bytes:
        """Return the docx drawn on the house file; same input, same bytes.

        Raises:
            QmsError: the house file is not an acceptable docx, or an island is damaged.
        """
        parts = on_house(sheet.shown, house, lambda width, islands: _Drawing(sheet, width, islands).body())
        _track(parts, tracked=sheet.tracked)
        _name(
            parts,
            {
                PROPERTY_NUMBER: sheet.shown.number,
                _PROPERTY_REVISION: sheet.shown.revision,
                _PROPERTY_SOURCE: sheet.source.text,
                PROPERTY_CHECKOUT: sheet.checkout,
            },
        )
        return write_docx(parts)

    def house(self) -> bytes:
        """Return the house file for procedures that the product ships."""
        return house_file("procedure")


class _Drawing:
    def __init__(self, sheet: CheckoutSheet, width: int, islands: Islands) -> None:
        self._sheet = sheet
        self._width = width
        self._islands = islands
        self._ids = iter(range(_FIRST_ID, 2**31))

    def body(self) -> list[etree._Element]:
        shown = self._sheet.shown
        marks = self._whole(COMPANY_MARK, self._whole(CHECKOUT_MARK + self._sheet.checkout, text_run(shown.company)))
        control = _marked_cell(elements_of(control_block(shown, self._width)), self._whole(CONTROL_MARK, ""))
        history = _marked_cell(elements_of(history_table(shown, self._width)), self._whole(HISTORY_MARK, ""))
        elements = [*elements_of(paragraph(marks, "WkCompany")), *control, *elements_of(gap())]
        waiting: list[Piece] = []
        for piece in self._sheet.segment.pieces:
            if isinstance(piece, (Table, Island)):
                elements += elements_of("".join(self._lines(waiting)))
                waiting = []
                elements += self._apart(piece)
            else:
                waiting.append(piece)
        elements += elements_of("".join(self._lines(waiting)))
        return [*elements, *elements_of(gap()), *history]

    def _apart(self, piece: Table | Island) -> list[etree._Element]:
        if isinstance(piece, Table):
            return elements_of(clause_table(piece, self._width) + gap())
        elements = self._islands.take_in(read_island(self._sheet.shown.islands[piece.digest]))
        for element in elements:
            for mark in list(element.iter(f"{_W}bookmarkStart", f"{_W}bookmarkEnd")):
                parent = mark.getparent()
                if parent is not None:
                    parent.remove(mark)
        return [*elements, *(elements_of(gap()) if elements[-1].tag == f"{_W}tbl" else [])]

    def _whole(self, name: str, content: str) -> str:
        """Return `content` under a bookmark."""
        number = next(self._ids)
        return f'<w:bookmarkStart w:id="{number}" w:name="{name}"/>{content}<w:bookmarkEnd w:id="{number}"/>'

    def _lines(self, pieces: Sequence[Piece]) -> Iterator[str]:
        """Yield a paragraph for each line of text pieces that lie end to end."""
        text = "".join(piece.source for piece in pieces)
        if not text:
            return
        points: list[tuple[int, str]] = []
        styles: dict[int, tuple[str, int]] = {}
        at = 0
        for piece in pieces:
            inked = at + len(piece.source) - len(piece.source.lstrip())
            styles.setdefault(_line_start(text, inked), (_style(piece), inked + _lead(piece)))
            if isinstance(piece, Clause) and piece.id is not None and piece.source.strip():
                number = next(self._ids)
                end = at + len(piece.source.rstrip())
                start_mark = f'<w:bookmarkStart w:id="{number}" w:name="{CLAUSE_MARK}{piece.id}"/>'
                points += [(inked, start_mark), (end, f'<w:bookmarkEnd w:id="{number}"/>')]
            at += len(piece.source)
        style = "WkClause1"
        for match in _LINE.finditer(text):
            if not match[0]:
                continue
            start, end = match.span(1)
            lead = start
            if start in styles:
                style, lead = styles[start]
            elif start == end:
                yield paragraph("", "WkClause1")
                continue
            yield paragraph(_runs(text, start, end, lead, points), style)


def _line_start(text: str, at: int) -> int:
    return max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1


def _style(piece: Piece) -> str:
    if isinstance(piece, TitleLine):
        return "WkTitle" if piece.source.endswith(("\n", "\r")) else "WkClause1"
    if isinstance(piece, Clause):
        return clause_style(piece)
    return "WkSmall" if isinstance(piece, Aside) and piece.kind is AsideKind.PAGE_MARK else "WkClause1"


def _lead(piece: Piece) -> int:
    """Return how many characters of a piece are printed bold, from its first one on."""
    return lead_length(piece) if isinstance(piece, Clause) and not is_heading(piece) else 0


def _runs(text: str, start: int, end: int, lead: int, points: Sequence[tuple[int, str]]) -> str:
    here = [(at, mark) for at, mark in points if start <= at <= end]
    pieces, since = [], start
    for at, mark in [*here, (end, "")]:
        bold = min(max(lead, since), at)
        pieces += [text_run(text[since:bold], BOLD), text_run(text[bold:at]), mark]
        since = at
    return "".join(pieces)


def _marked_cell(elements: list[etree._Element], mark: str) -> list[etree._Element]:
    """Put a bookmark into the first cell of a table."""
    line = next(elements[0].iter(f"{_W}p"))
    for child in elements_of(f"<w:p>{mark}</w:p>")[0]:
        line.append(child)
    return elements


# -- settings and properties -----------------------------------------------------------------------------------


def _track(parts: dict[str, bytes], *, tracked: bool) -> None:
    """Let Word track changes with names and times, or not; whatever of the house file hinders that is taken out."""
    name = _part_of_type(parts, _SETTINGS_TYPE)
    if name is None:
        name = "word/settings.xml"
        parts[name] = f'<w:settings xmlns:w="{W_NAMESPACE}"/>'.encode()
        _add_part(parts, "word/_rels/document.xml.rels", name, _OFFICE + "relationships/settings", _SETTINGS_TYPE)
    root = etree.fromstring(parts[name])
    for item in list(root):
        if etree.QName(item).localname in {*_HIDES_AUTHORS, "trackRevisions", "doNotTrackFormatting"}:
            root.remove(item)
    if tracked:
        place = next((n for n, item in enumerate(root) if etree.QName(item).localname not in _BEFORE_TRACKING), None)
        root.insert(len(root) if place is None else place, etree.Element(f"{_W}trackRevisions"))
    parts[name] = _bytes(root)


def _name(parts: dict[str, bytes], names: dict[str, str]) -> None:
    """Write the custom properties that say where the file comes from; others of the house file stay."""
    variant = f"{_OFFICE}docPropsVTypes"
    name = _part_of_type(parts, _CUSTOM_TYPE)
    if name is None:
        name = _CUSTOM
        parts[name] = f'<Properties xmlns="{_OFFICE}custom-properties"/>'.encode()
        _add_part(parts, "_rels/.rels", name, f"{_OFFICE}relationships/custom-properties", _CUSTOM_TYPE)
    root = etree.fromstring(parts[name])
    for item in list(root):
        if item.get("name") in names:
            root.remove(item)
    for key, value in names.items():
        pid = max([1, *(int(item.get("pid", "1")) for item in root if item.get("pid", "").isdecimal())]) + 1
        item = etree.SubElement(root, f"{{{_OFFICE}custom-properties}}property", fmtid=_FMTID, pid=str(pid), name=key)
        etree.SubElement(item, f"{{{variant}}}lpwstr", nsmap={"vt": variant}).text = value
    parts[name] = _bytes(root)


def _part_of_type(parts: dict[str, bytes], kind: str) -> str | None:
    types = etree.fromstring(parts[CONTENT_TYPES])
    for item in types.iter(f"{{{_TYPES}}}Override"):
        name = str(item.get("PartName", "")).removeprefix("/")
        if item.get("ContentType") == kind and name in parts:
            return name
    return None


def _add_part(parts: dict[str, bytes], listed_in: str, name: str, relation: str, kind: str) -> None:
    types = etree.fromstring(parts[CONTENT_TYPES])
    etree.SubElement(types, f"{{{_TYPES}}}Override", PartName=f"/{name}", ContentType=kind)
    parts[CONTENT_TYPES] = _bytes(types)
    listed = parts.get(listed_in)
    root = etree.fromstring(listed) if listed else etree.Element(f"{{{_RELATIONS}}}Relationships")
    taken = {item.id for item in relationships(listed)} if listed else set()
    free = next(f"wk{number}" for number in range(1, 10_000) if f"wk{number}" not in taken)
    etree.SubElement(root, f"{{{_RELATIONS}}}Relationship", Id=free, Type=relation, Target=f"/{name}")
    parts[listed_in] = _bytes(root)


def _bytes(root: etree._Element) -> bytes:
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))
