"""可见文字. Every passage of a docx that a reader of the printed page must see.

Visible: body, tables, referenced headers and footers, notes that are referred to, text boxes, content controls, tracked
insertions. Not visible: hidden text, deleted text, comments, field codes, page numbers (they differ by engine), and the
numbers Word itself puts before list items. Whether a PDF holds them all is decided in `print_completeness`.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from posixpath import dirname, join, normpath
from typing import TYPE_CHECKING

from lxml import etree

from controller.file_formats.docx_package import relationships

if TYPE_CHECKING:
    from controller.file_formats.docx_package import DocxPackage

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"

_SKIPPED = {
    _W + name
    for name in (
        *("del", "moveFrom", "delText", "delInstrText", "instrText"),
        *("pPr", "rPr", "sectPr", "tblPr", "tcPr", "tblGrid"),
    )
} | {_MC + "Fallback"}
_BREAKS = {_W + name for name in ("tab", "br", "cr", "ptab", "drawing", "pict", "object", "sym", "footnoteReference")}
_GONE_ROWS = ("hidden", "del", "moveFrom")
_PAGE_FIELDS = {"PAGE", "NUMPAGES", "SECTIONPAGES", "SECTION"}

_ALIKE = "―— ‐- ‑- −- ∼~ ～~ 〜~ ·・ •・ ‧・ ∙・ ⺟母 ⺠民 ⻁虎 ⻄西 ⻅见 ⻆角 ⻉贝 ⻋车 ⻑長 ⻓长 ⻔门 ⻘青 ⻚页"
_ALIKE_TOO = "⻛风 ⻜飞 ⻝食 ⻢马 ⻣骨 ⻤鬼 ⻥鱼 ⻦鸟 ⻨麦 ⻩黄 ⻬齐 ⻮齿 ⻰龙 ⻳龟 ⻲龜"
_FOLDED = {ord(pair[0]): pair[1] for pair in f"{_ALIKE} {_ALIKE_TOO}".split()} | {ord("⸺"): "——", ord("⋯"): "..."}
"""Characters that fonts draw with one glyph: a PDF may give back either. NFKC joins the Kangxi radicals, not these."""
_UNSEEN = {"Cf", "Cc", "Zs", "Zl", "Zp", "Co"}


@dataclass(frozen=True)
class Passage:
    """一段可见文字. One paragraph as it must appear on paper."""

    part: str
    """`word/document.xml`, `word/header1.xml` …"""
    text: str
    """For people: the paragraph."""
    segments: tuple[str, ...]
    """Normalised pieces between tabs and line breaks; each stands unbroken on paper, unless a page ends in it."""
    every_page: bool = False
    """A header or footer that stands on every page."""
    repeats: bool = False
    """In a table's header row, which an engine prints again on every further page of the table."""


def normalised(text: str) -> str:
    """Return `text` as it is compared: compatibility forms joined, without spaces, hyphenation and letter case."""
    folded = unicodedata.normalize("NFKC", text.translate(_FOLDED)).translate(_FOLDED)
    return "".join(sign for sign in folded.casefold() if unicodedata.category(sign) not in _UNSEEN)


def visible_passages(package: DocxPackage) -> list[Passage]:
    """Return every passage of the document in reading order, body first, then notes, headers and footers."""
    parts = _Parts(package)
    body = etree.fromstring(package.contents[package.main])
    passages = parts.passages(package.main, body)
    for kind, reference in (("footnotes", "footnoteReference"), ("endnotes", "endnoteReference")):
        wanted = {note.get(_W + "id") for note in body.iter(_W + reference)}
        for name in parts.targets(kind):
            for note in etree.fromstring(package.contents[name]):
                if note.get(_W + "id") in wanted:
                    passages += parts.passages(name, note)
    for name, everywhere in parts.page_furniture(body):
        furniture = etree.fromstring(package.contents[name])
        passages += parts.passages(name, furniture, every_page=everywhere)
    return passages


class _Parts:
    """What the parts of one package say about each other: relationships, hidden styles, page settings."""

    def __init__(self, package: DocxPackage) -> None:
        self._package = package
        folder, _, name = package.main.rpartition("/")
        rels = package.contents.get(f"{folder}/_rels/{name}.rels")
        self._relations = relationships(rels) if rels else []
        self._hidden = self._hidden_styles()

    def targets(self, kind: str) -> list[str]:
        """Names of the parts that the document refers to as `kind`."""
        found = [self._resolve(row.target) for row in self._relations if row.type.endswith("/" + kind)]
        return [name for name in found if name in self._package.contents]

    def _resolve(self, target: str) -> str:
        if target.startswith("/"):
            return target[1:]
        return normpath(join(dirname(self._package.main), target))

    def _hidden_styles(self) -> frozenset[str]:
        hidden: set[str] = set()
        for name in self.targets("styles"):
            for style in etree.fromstring(self._package.contents[name]).iter(_W + "style"):
                properties = style.find(_W + "rPr")
                if properties is not None and _vanishes(properties):
                    hidden.add(style.get(_W + "styleId") or "")
        return frozenset(hidden)

    def page_furniture(self, body: etree._Element) -> list[tuple[str, bool]]:
        """Return the headers and footers in use, and whether each stands on every page."""
        alternate = any(
            etree.fromstring(self._package.contents[name]).find(_W + "evenAndOddHeaders") is not None
            for name in self.targets("settings")
        )
        targets = {row.id: self._resolve(row.target) for row in self._relations}
        sections = list(body.iter(_W + "sectPr"))
        first_pages = any(section.find(_W + "titlePg") is not None for section in sections)
        plain = len(sections) == 1 and not first_pages and not alternate
        found: dict[str, bool] = {}
        for section in sections:
            titled = section.find(_W + "titlePg") is not None
            for reference in section:
                if reference.tag not in {_W + "headerReference", _W + "footerReference"}:
                    continue
                kind = reference.get(_W + "type", "default")
                # The others may stand on no page at all: a one-page document has no even page, a titled one no second.
                if (kind == "first" and titled) or (kind == "default" and not titled):
                    name = targets.get(reference.get(_R + "id") or "")
                    if name in self._package.contents and name is not None:
                        found[name] = plain
        return list(found.items())

    def passages(self, part: str, root: etree._Element, *, every_page: bool = False) -> list[Passage]:
        """Return the passages below `root`; text boxes follow the paragraph they hang on."""
        found: list[Passage] = []
        for paragraph in root.iter(_W + "p"):
            if _is_skipped(paragraph, root):
                continue
            pieces = _Pieces(self._hidden).read(paragraph)
            segments = tuple(piece for piece in (normalised(piece) for piece in pieces) if piece)
            if segments:
                found.append(Passage(part, "".join(pieces).strip(), segments, every_page, _in_header_row(paragraph)))
        return found


def _is_skipped(paragraph: etree._Element, root: etree._Element) -> bool:
    element: etree._Element | None = paragraph.getparent()
    while element is not None and element is not root:
        if element.tag in _SKIPPED:
            return True
        if element.tag == _W + "tr" and any(element.find(_W + "trPr/" + _W + mark) is not None for mark in _GONE_ROWS):
            return True
        if element.tag == _W + "tc" and element.find(f"{_W}tcPr/{_W}cellDel") is not None:
            return True
        element = element.getparent()
    return False


def _in_header_row(paragraph: etree._Element) -> bool:
    row = next(paragraph.iterancestors(_W + "tr"), None)
    mark = None if row is None else row.find(f"{_W}trPr/{_W}tblHeader")
    return mark is not None and mark.get(_W + "val", "1") not in {"0", "false", "off"}


def _vanishes(properties: etree._Element) -> bool:
    mark = properties.find(_W + "vanish")
    return mark is not None and mark.get(_W + "val", "1") not in {"0", "false", "off"}


class _Pieces:
    """Reads one paragraph; fields may nest, and page fields print nothing that could be compared."""

    def __init__(self, hidden_styles: frozenset[str]) -> None:
        self._hidden = hidden_styles
        self._pieces = [""]
        self._fields: list[dict[str, str]] = []

    def read(self, paragraph: etree._Element) -> list[str]:
        style = paragraph.find(f"{_W}pPr/{_W}pStyle")
        if style is None or style.get(_W + "val") not in self._hidden:
            self._walk(paragraph)
        return self._pieces

    def _walk(self, element: etree._Element) -> None:
        for child in element:
            tag = child.tag
            if tag in _SKIPPED and tag != _W + "instrText":
                continue
            if tag in {_W + "t", _M + "t"}:
                self._add(child.text or "")
            elif tag == _W + "r":
                if not self._is_hidden(child):
                    self._walk(child)
            elif tag == _W + "fldChar":
                self._field(child.get(_W + "fldCharType"))
            elif tag == _W + "instrText":
                if self._fields:
                    self._fields[-1]["code"] += child.text or ""
            elif tag == _W + "fldSimple":
                self._fields.append({"code": child.get(_W + "instr") or "", "phase": "result"})
                self._walk(child)
                self._fields.pop()
                self._break()
            elif tag == _W + "noBreakHyphen":
                self._add("-")
            elif tag in _BREAKS:
                self._break()
            else:
                self._walk(child)

    def _field(self, kind: str | None) -> None:
        if kind == "begin":
            self._fields.append({"code": "", "phase": "code"})
        elif kind == "separate" and self._fields:
            self._fields[-1]["phase"] = "result"
        elif kind == "end" and self._fields:
            self._fields.pop()
        if any(_is_page_field(field["code"]) for field in self._fields) or kind == "end":
            self._break()

    def _add(self, text: str) -> None:
        if any(field["phase"] == "code" or _is_page_field(field["code"]) for field in self._fields):
            return
        self._pieces[-1] += text

    def _break(self) -> None:
        if self._pieces[-1]:
            self._pieces.append("")

    def _is_hidden(self, run: etree._Element) -> bool:
        properties = run.find(_W + "rPr")
        if properties is None:
            return False
        style = properties.find(_W + "rStyle")
        return _vanishes(properties) or (style is not None and style.get(_W + "val") in self._hidden)


def _is_page_field(code: str) -> bool:
    words = code.split(maxsplit=1)
    return bool(words) and words[0].upper() in _PAGE_FIELDS
