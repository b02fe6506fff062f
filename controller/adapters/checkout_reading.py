"""签入读取. Reads a Word file that was checked out and came back from Word, WPS or LibreOffice.

The text is read with every tracked change accepted, and a second time with every one rejected; bookmarks, changes and
comments become places in the text. What the program had drawn around the text is told from it by its bookmarks, and
where these are lost by its styles and words.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from controller.adapters.checkout_layout import (
    CHECKOUT_MARK,
    CLAUSE_MARK,
    COMPANY_MARK,
    CONTROL_MARK,
    HISTORY_MARK,
    PROPERTY_CHECKOUT,
    PROPERTY_NUMBER,
)
from controller.adapters.word_document import WordReading
from controller.adapters.word_islands import likeness, look, shown_words
from controller.adapters.word_looks import formats, page_breaks
from controller.adapters.word_numbering import W
from controller.domain.word_changes import TrackedChange, WordComment, joined, moment, named, words
from controller.file_formats.change_settling import MARK, settle
from controller.file_formats.docx_package import open_docx
from controller.file_formats.visible_text import visible_passages
from controller.services.checkout_ports import MARGINS, MarkedClause, ReturnedWord, TypedNumber

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lxml.etree import _Element

    from controller.domain.identifiers import Digest
    from controller.file_formats.docx_package import DocxPackage
    from controller.file_formats.island_file import IslandPart
    from controller.services.checkout_ports import Look

_GAP_STYLE, _COMPANY_STYLE = "文控间隔", "文控公司名称"
_FURNITURE = {COMPANY_MARK: f"{W}p", CONTROL_MARK: f"{W}tbl", HISTORY_MARK: f"{W}tbl"}
_CONTROL_WORDS, _HISTORY_WORDS = ("文件名称", "文件编号"), ("修订记录", "条款")
_COMMENTS = "comments+xml"
_CUSTOM = "application/vnd.openxmlformats-officedocument.custom-properties+xml"
_MOST_CHANGES = 20_000


class CheckoutReading:
    """签入读取. Implements the port `ReturnedWordReader`."""

    def read(self, docx: bytes, *, name: str) -> ReturnedWord:
        """Return what the file holds.

        Raises:
            QmsError: as `file_formats.docx_package.open_docx`.
        """
        package = open_docx(docx)
        reading = _Reading(package, name, accept=True)
        found = reading.result()
        before = _Reading(package, name, accept=False)
        untracked = before.result().text
        properties = _properties(reading, package)
        passages = visible_passages(package)
        notes = {part for part, kind in package.types.items() if kind.endswith(("footnotes+xml", "endnotes+xml"))}
        margins = [item.text for item in passages if item.part != package.main and item.part not in notes]
        return ReturnedWord(
            checkout=properties.get(PROPERTY_CHECKOUT) or reading.checkout,
            number=properties.get(PROPERTY_NUMBER),
            text=found.text,
            untracked=untracked,
            islands=found.islands,
            likeness=reading.likeness,
            clauses=reading.marked(),
            changes=joined(reading.placed_changes()),
            comments=reading.comments(),
            furniture=reading.furniture | {MARGINS: " ".join(margins)},
            formats=reading.formats,
            page_breaks=reading.page_breaks,
            looks=reading.looks,
            numbers=_numbers(before.numbers, reading.numbers),
            visible=[item.text for item in passages if item.part == package.main],
            kept=[*reading.likeness_words, *reading.left, *reading.furniture.values()],
            findings=[item for item in found.findings if item.code != "docx-comments-left-out"],
        )


class _Point(str):
    """An empty text that stands for a place: what it is, and its key."""

    __slots__ = ("key", "kind")

    kind: str
    key: str

    @classmethod
    def of(cls, kind: str, key: str) -> _Point:
        point = cls("")
        point.kind, point.key = kind, key
        return point


class _Reading(WordReading):
    def __init__(self, package: DocxPackage, name: str, *, accept: bool) -> None:
        super().__init__(package, name)
        self._accept = accept
        self._length = 0
        """Characters of the text so far."""
        self._waiting: list[tuple[int, _Point]] = []
        """Points of the line being read, with their place in it."""
        self._places: list[tuple[int, _Point]] = []
        self._changes: list[TrackedChange] = []
        self._skipped: dict[_Element, str] = {}
        self._styles = _style_names(self.tree(_part(package, "styles+xml")))
        self._in_table = False
        self._bookmark_names: dict[str, str] = {}
        self.checkout: str | None = None
        self.furniture: dict[str, str] = {}
        self.likeness: dict[Digest, str] = {}
        self.likeness_words: list[str] = []
        self.formats: Counter[tuple[str, str]] = Counter()
        self.page_breaks = 0
        self.looks: list[Look] = []
        self.numbers: dict[int, tuple[str, str]] = {}
        """Place of a paragraph → its automatic number and its words."""
        self._order: dict[_Element, int] = {}

    def settle(self, body: _Element) -> None:
        """Settle the tracked changes and remember them."""
        self._order = {paragraph: place for place, paragraph in enumerate(body.iter(f"{W}p"))}
        self._changes = settle(body, accept=self._accept)[:_MOST_CHANGES]

    def not_as_it_was(self) -> None:
        """Say nothing: formats and numbers are compared with what was sent."""

    def body(self) -> _Element | None:
        body = super().body()
        if body is None:
            return None
        for start in body.iter(f"{W}bookmarkStart"):
            name = start.get(f"{W}name") or ""
            if name.startswith(CHECKOUT_MARK) and self.checkout is None:
                self.checkout = name.removeprefix(CHECKOUT_MARK)
        self._find_furniture(body)
        return body

    def left_out(self) -> None:
        """Place what stands after the last line; what stands in the margins is compared with what was drawn there."""
        self._places += [(self._length, point) for _, point in self._waiting]
        self._waiting.clear()

    # -- what is not text of the document

    def _find_furniture(self, body: _Element) -> None:
        tables: list[_Element] = []
        for block in body:
            if block.tag == f"{W}tbl":
                tables.append(block)
            names = {start.get(f"{W}name") for start in block.iter(f"{W}bookmarkStart")}
            for name, tag in _FURNITURE.items():
                if name in names and block.tag == tag and name not in self.furniture:
                    self._skip(block, name)
            if block.tag == f"{W}p" and self._style(block) == _COMPANY_STYLE and COMPANY_MARK not in self.furniture:
                self._skip(block, COMPANY_MARK)
            if block.tag == f"{W}p" and self._style(block) == _GAP_STYLE and not _has_content(block):
                self._skipped[block] = ""
        for name, table, told in (
            (CONTROL_MARK, next(iter(tables), None), _CONTROL_WORDS),
            (HISTORY_MARK, next(reversed(tables), None), _HISTORY_WORDS),
        ):
            if table is not None and name not in self.furniture and all(word in shown_words(table) for word in told):
                self._skip(table, name)

    def _skip(self, block: _Element, name: str) -> None:
        self._skipped[block] = name
        self.furniture[name] = shown_words(block)

    def _style(self, paragraph: _Element) -> str:
        style = paragraph.find(f"{W}pPr/{W}pStyle")
        identifier = style.get(f"{W}val") if style is not None else None
        return self._styles.get(identifier or "", "")

    # -- places

    def block(self, block: _Element) -> None:
        """Read one block, unless the program had drawn it itself."""
        if block in self._skipped:
            return
        self._in_table = block.tag == f"{W}tbl"
        super().block(block)
        self._in_table = False

    def point(self, element: _Element) -> str:
        """Return a bookmark, comment or tracked change as an empty text that remembers what it is."""
        found: _Point | None = None
        if element.tag == MARK:
            found = _Point.of("change", element.get("n") or "")
        elif element.tag == f"{W}commentRangeStart":
            found = _Point.of("comment", element.get(f"{W}id") or "")
        elif element.tag == f"{W}bookmarkStart":
            name, number = element.get(f"{W}name") or "", element.get(f"{W}id") or ""
            self._bookmark_names[number] = name
            found = _Point.of("start", name)
        elif element.tag == f"{W}bookmarkEnd":
            found = _Point.of("end", self._bookmark_names.get(element.get(f"{W}id") or "", ""))
        if found is None:
            return ""
        if next(element.iterancestors(f"{W}p"), None) is None:  # it stands between paragraphs
            self._waiting.append((0, found))
        return found

    def paragraph_text(self, paragraph: _Element) -> str:
        """Return the text of a paragraph and remember the points in it."""
        label = self.label(paragraph)
        pieces = [label]
        at = len(label)
        for piece in self.runs(paragraph):
            if isinstance(piece, _Point):
                self._waiting.append((0 if self._in_table else at, piece))
            else:
                pieces.append(piece)
                at += len(piece)
        return "".join(pieces)

    def line(self, text: str) -> None:
        """Add lines, and place the points that waited for them."""
        for at, point in self._waiting:
            self._places.append((self._length + min(at, max(len(text) - 1, 0)), point))
        self._waiting.clear()
        self._length += len(text)
        super().line(text)

    def label(self, paragraph: _Element) -> str:
        """Return the automatic number of a paragraph and remember it."""
        label = super().label(paragraph)
        if label:
            self.numbers[self._order.get(paragraph, -1)] = (label, shown_words(paragraph))
        return label

    def recognised(self, digest: Digest, element: _Element, parts: Sequence[IslandPart]) -> None:
        """Remember what of an island every office program leaves alone."""
        self.likeness_words.append(shown_words(element))
        self.likeness[digest] = likeness(element, parts)
        self.looks.append(look(element, self.likeness[digest], lettered=True))

    # -- looks

    def look(self, block: _Element) -> None:
        """Count formats and page breaks, which the text does not keep."""
        self.page_breaks += page_breaks(block)
        self.formats.update(formats(block))

    def look_at(self, table: _Element) -> None:
        """Remember how a table looks that becomes text."""
        self.looks.append(look(table, shown_words(table), lettered=False))

    # -- what was found

    def marked(self) -> list[MarkedClause]:
        """Return where the bookmarks of clauses lie, in order; a name that stands twice is there twice."""
        found, began = [], dict[str, list[int]]()
        for at, point in self._places:
            if not point.key.startswith(CLAUSE_MARK):
                continue
            if point.kind == "start":
                began.setdefault(point.key, []).append(at)
            elif point.kind == "end" and began.get(point.key):
                found.append(MarkedClause(point.key.removeprefix(CLAUSE_MARK), began[point.key].pop(0), at))
        return sorted(found, key=lambda item: item.start)

    def placed_changes(self) -> list[TrackedChange]:
        """Return the tracked changes, each with its place in the text."""
        places = {point.key: at for at, point in self._places if point.kind == "change"}
        return [replace(item, offset=places.get(str(number))) for number, item in enumerate(self._changes)]

    def comments(self) -> list[WordComment]:
        """Return the comments in order of their ids."""
        root = self.tree(_part(self.package, _COMMENTS))
        if root is None:
            return []
        places = {point.key: at for at, point in self._places if point.kind == "comment"}
        return [
            WordComment(
                named(item.get(f"{W}author")),
                moment(item.get(f"{W}date")),
                words("\n".join(shown_words(line) for line in item.iter(f"{W}p"))),
                places.get(item.get(f"{W}id") or ""),
            )
            for item in root.iter(f"{W}comment")
        ][:_MOST_CHANGES]


def _part(package: DocxPackage, kind: str) -> str | None:
    return next((name for name, value in package.types.items() if value.endswith(f"wordprocessingml.{kind}")), None)


def _style_names(styles: _Element | None) -> dict[str, str]:
    found = {}
    for style in styles.iter(f"{W}style") if styles is not None else ():
        name = style.find(f"{W}name")
        found[style.get(f"{W}styleId") or ""] = name.get(f"{W}val") or "" if name is not None else ""
    return found


def _properties(reading: _Reading, package: DocxPackage) -> dict[str, str]:
    name = next((part for part, kind in package.types.items() if kind == _CUSTOM), None)
    root = reading.tree(name)
    if root is None:
        return {}
    return {item.get("name") or "": "".join(map(str, item.itertext())).strip() for item in root if item.get("name")}


def _has_content(paragraph: _Element) -> bool:
    graphic = next(paragraph.iter(f"{W}drawing", f"{W}pict", f"{W}object"), None)
    return bool(shown_words(paragraph)) or graphic is not None


def _numbers(before: Mapping[int, tuple[str, str]], now: Mapping[int, tuple[str, str]]) -> list[TypedNumber]:
    return [TypedNumber(before.get(place, ("", ""))[0], label, text) for place, (label, text) in sorted(now.items())]
