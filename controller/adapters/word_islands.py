"""Word 图表. What is kept verbatim of a docx: how it is cut out, called, recognised again, and how it looks."""

from __future__ import annotations

import posixpath
import re
from copy import deepcopy
from typing import TYPE_CHECKING

from controller.adapters.word_looks import formats, meanings
from controller.adapters.word_numbering import W
from controller.domain.identifiers import Digest
from controller.file_formats.change_settling import MARK
from controller.file_formats.docx_package import relationships
from controller.file_formats.island_file import IslandPart
from controller.services.checkout_ports import Look

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lxml.etree import _Element

    from controller.file_formats.docx_package import DocxPackage, Relationship

_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_WP = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
GRAPHIC = {f"{W}drawing", f"{W}pict", f"{W}object", f"{_MC}AlternateContent", f"{_M}oMath", f"{_M}oMathPara"}
"""What stands in a paragraph without being text."""
NOTES = {f"{W}footnoteReference", f"{W}endnoteReference"}
_ELSEWHERE = {
    *(f"{W}{name}" for name in ("bookmarkStart", "bookmarkEnd", "commentRangeStart", "commentRangeEnd")),
    *(f"{W}{name}" for name in ("commentReference", "permStart", "permEnd")),
    *(f"{_A}hlinkClick", f"{_A}hlinkHover"),
    *NOTES,
    MARK,
}
"""What points to parts of the file that are not kept with it; left in, Word would call the file damaged."""
_CAPTION = 24
_PLAIN_SHADES = {"auto", "ffffff", ""}
_EMU_PER_MM = 36_000
_POINT_MM = 25.4 / 72
_LENGTH = re.compile(r"(?:^|;)\s*(width|height)\s*:\s*([0-9.]+)pt")


def shown_words(element: _Element) -> str:
    """Return the words that a reader sees in an element; what stands in for older programs is not counted again."""
    return " ".join("".join(_texts(element)).split())


def _texts(element: _Element, skipped: frozenset[str] = frozenset({f"{_MC}Fallback"})) -> Iterator[str]:
    for child in element:
        if child.tag in skipped:
            continue
        if child.tag in {f"{W}t", f"{_M}t"}:
            yield child.text or ""
        else:
            yield from _texts(child, skipped)


def caption(element: _Element) -> str:
    """Return how an island is called in the text."""
    text = shown_words(element)[:_CAPTION]
    if element.tag == f"{W}tbl":
        return f"表格 {text}".strip()
    if element.tag.startswith(_M):
        return f"公式 {text}".strip()
    described = next(
        (item.get("descr") for item in element.iter() if item.tag.endswith("}docPr") and item.get("descr")), None
    )
    return f"文本框 {text}".strip() if text else f"图片 {described or ''}"[:_CAPTION].strip()


class IslandCutting:
    """图表的截取. Cuts elements out of one package so that each can stand in another."""

    def __init__(self, package: DocxPackage) -> None:
        self._package = package
        self._kept = {item.id for item in self._relations(package.main) if self._part(package.main, item) is not None}

    def cut(self, element: _Element, labels: Iterable[str]) -> _Element:
        """Return a copy of an element that points to nothing outside it; `labels` are the numbers of its paragraphs."""
        element = deepcopy(element)
        element.tail = None
        for paragraph, label in zip(paragraphs_of(element), labels, strict=True):
            _type_out(paragraph, label)
        for item in [item for item in element.iter() if item.tag in _ELSEWHERE]:
            parent = item.getparent()
            if parent is not None:
                parent.remove(item)
        for item in list(element.iter()):
            for key in [
                key for key, value in item.attrib.items() if str(key).startswith(_R) and value not in self._kept
            ]:
                del item.attrib[key]
        return element

    def parts(self, element: _Element) -> Iterator[IslandPart]:
        """Yield the parts that an element needs, and those that these need."""
        used = {str(value) for item in element.iter() for key, value in item.attrib.items() if str(key).startswith(_R)}
        waiting: list[tuple[str, str, set[str] | None]] = [("", self._package.main, used)]
        seen: set[tuple[str, str]] = set()
        while waiting:
            owner, part, wanted = waiting.pop()
            for relation in sorted(self._relations(part), key=lambda item: item.id):
                name = self._part(part, relation)
                if name is None or (wanted is not None and relation.id not in wanted) or (owner, relation.id) in seen:
                    continue
                seen.add((owner, relation.id))
                kind = self._package.types.get(name, "")
                yield IslandPart(owner, relation.id, relation.type, name, kind, self._package.contents[name])
                waiting.append((name, name, None))

    def _part(self, owner: str, relation: Relationship) -> str | None:
        if relation.external:
            return None
        name = posixpath.normpath(posixpath.join(posixpath.dirname(owner), relation.target))
        name = relation.target.lstrip("/") if relation.target.startswith("/") else name
        return name if name in self._package.contents else None

    def _relations(self, part: str) -> list[Relationship]:
        folder, _slash, base = part.rpartition("/")
        name = f"{folder}/_rels/{base}.rels" if folder else f"_rels/{base}.rels"
        content = self._package.contents.get(name)
        return relationships(content) if content is not None else []


def paragraphs_of(element: _Element) -> list[_Element]:
    """Return the paragraphs in an element, without those that stand in for older programs."""
    found: list[_Element] = []
    for child in element:
        if child.tag == f"{_MC}Fallback":
            continue
        if child.tag == f"{W}p":
            found.append(child)
        found += paragraphs_of(child)
    return found


def _type_out(paragraph: _Element, label: str) -> None:
    """Write an automatic number as text: the list it belongs to is not kept with the island."""
    properties = paragraph.find(f"{W}pPr")
    number = properties.find(f"{W}numPr") if properties is not None else None
    if properties is not None and number is not None:
        properties.remove(number)
    if not label:
        return
    run = paragraph.makeelement(f"{W}r", {}, None)
    text = paragraph.makeelement(f"{W}t", {"{http://www.w3.org/XML/1998/namespace}space": "preserve"}, None)
    text.text = label
    run.append(text)
    paragraph.insert(0 if properties is None else 1, run)


# -- recognising ---------------------------------------------------------------------------------------------------


def likeness(element: _Element, parts: Sequence[IslandPart]) -> str:
    """Return what of an island every office program leaves alone: words cell by cell, boxes, meanings, pictures."""
    boxes = sorted(shown_words(item) for item in element.iter(f"{W}txbxContent") if not _stands_in(item))
    apart = frozenset({f"{_MC}Fallback", f"{W}txbxContent", f"{W}tbl"})
    if element.tag == f"{W}tbl":
        rows = [
            "|".join(" ".join("".join(_texts(cell, apart)).split()) for cell in row.iterchildren(f"{W}tc"))
            for row in element.iter(f"{W}tr")
            if not _stands_in(row)
        ]
        kind, told = "tbl", "/".join(rows)
    else:
        kind, told = "graphic", " ".join("".join(_texts(element, apart)).split())
    pictures = sorted({Digest.of(part.data).hex for part in parts if part.type.endswith("/image")})
    meant = sorted(f"{kind}:{text}" for kind, text in meanings(element))
    return "\n".join([kind, told, *boxes, *meant, *pictures])


def look(element: _Element, known_by: str, *, lettered: bool) -> Look:
    """Return how a table or graphic looks, as far as office programs keep it: sizes, shades, columns.

    Args:
        element: the table or graphic.
        known_by: what it is found again by.
        lettered: whether the formats of its words count.
    """
    exact = [f"{kind}:{text}" for kind, text in formats(element) if text.strip()] if lettered else []
    measures = list[float]()
    table = element.tag == f"{W}tbl"
    for item in element.iter():
        if _stands_in(item):
            continue
        if item.tag == f"{_WP}extent" and not (table and _holds_text(item)):  # frames grow with their text
            measures += [_number(item.get(side)) / _EMU_PER_MM for side in ("cx", "cy")]
        elif item.tag == f"{_A}srcRect":
            exact += [f"{side}{round(_number(item.get(side)) / 1000)}" for side in "ltrb" if item.get(side)]
        elif item.tag == f"{_A}xfrm" and _number(item.get("rot")):
            exact.append(f"rot{round(_number(item.get('rot')) / 60_000)}")
        elif item.tag == f"{W}tc":
            shade = item.find(f"{W}tcPr/{W}shd")
            fill = "" if shade is None else (shade.get(f"{W}fill") or "").lower()
            exact.append("" if fill in _PLAIN_SHADES else fill)
    if table:
        columns = [_number(item.get(f"{W}w")) for item in element.findall(f"{W}tblGrid/{W}gridCol")]
        measures += [100 * width / sum(columns) for width in columns if sum(columns)]
    for shape in element.iter("{urn:schemas-microsoft-com:vml}shape"):
        if not _stands_in(shape):
            measures += [
                float(size) * _POINT_MM for _side, size in sorted(_LENGTH.findall(shape.get("style") or ""))[::-1]
            ]
    return Look(caption(element), known_by, tuple(sorted(exact)), tuple(measures))


def _holds_text(extent: _Element) -> bool:
    drawing = next(extent.iterancestors(f"{W}drawing"), None)
    return drawing is not None and next(drawing.iter(f"{W}txbxContent"), None) is not None


def _stands_in(element: _Element) -> bool:
    return next(element.iterancestors(f"{_MC}Fallback"), None) is not None


def _number(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0
