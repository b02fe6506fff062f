"""条款. The text of a controlled document as pieces that lie end to end: titles, clauses, tables, islands, page marks.

Every piece keeps its `source`, the characters exactly as typed; the pieces of a text, put together again, are the text.
Recognising pieces is `file_formats.clause_text`; what is odd about them is `domain.clause_findings`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller.domain.identifiers import Digest


class NumberingStyle(StrEnum):
    """编号方式. How a clause is numbered; the numbers themselves are never changed."""

    CHAPTER = "chapter"
    """第一章"""
    SECTION = "section"
    """第一节"""
    ARTICLE = "article"
    """第一条"""
    CHINESE = "chinese"
    """一、"""
    PAREN_CHINESE = "paren-chinese"
    """(一) （一）"""
    ARABIC = "arabic"
    """1. 1、"""
    DECIMAL = "decimal"
    """5.1. 2.3.1"""
    PAREN_ARABIC = "paren-arabic"
    """(1) （1） 1)"""
    CIRCLED = "circled"
    """①"""
    NONE = "none"
    """A paragraph without a number of its own."""


@dataclass(frozen=True)
class Span:
    """位置. Where a piece lies in the text it was read from: characters [start, end) and lines from 1."""

    start: int
    end: int
    line: int
    last_line: int


@dataclass(frozen=True)
class TitleLine:
    """标题. The title of a document, with its number when one is typed before it."""

    source: str
    span: Span
    title: str
    number: str | None = None


@dataclass(frozen=True)
class Clause:
    """条款. One numbered clause (or unnumbered paragraph) with the lines that continue it."""

    source: str
    span: Span
    level: int
    """Depth from 1."""
    label: str
    """The number as typed, `5.1.`, `第一条`, `(一)`; empty for an unnumbered paragraph."""
    style: NumberingStyle
    number: tuple[int, ...]
    """The number as counted, `(5, 1)`; empty for an unnumbered paragraph."""
    text: str
    """What follows the number, outer blanks cut, inner line ends kept."""
    id: str | None = None
    """Stable id, given by `file_formats.clause_ids`; survives renumbering."""

    @property
    def content(self) -> str:
        """Label and text, as the clause is compared and quoted."""
        return f"{self.label}{self.text}"


@dataclass(frozen=True)
class Table:
    """表格. Rows typed between `|`; `header` tells whether a `|---|` line follows the first row."""

    source: str
    span: Span
    rows: tuple[tuple[str, ...], ...]
    header: bool


@dataclass(frozen=True)
class Island:
    """图表. Content that the grammar cannot express, kept verbatim as OOXML under its digest, shown in its place."""

    source: str
    span: Span
    digest: Digest
    caption: str


class AsideKind(StrEnum):
    """附带行的种类."""

    PAGE_METADATA = "page-metadata"
    """Facts about the file the text came in: `- 格式:pdf`."""
    CONTROL_LINE = "control-line"
    """A line of the control block: `版本:A/0`."""
    PAGE_MARK = "page-mark"
    """A page footer: `第 3 页 共 9 页`."""
    BLANK = "blank"


@dataclass(frozen=True)
class Aside:
    """附带行. A line that belongs to the page or to the control block, not to the clauses."""

    source: str
    span: Span
    kind: AsideKind
    text: str


Piece = TitleLine | Clause | Table | Island | Aside


@dataclass(frozen=True)
class Segment:
    """一篇文件. One document within a text, its pieces end to end."""

    pieces: tuple[Piece, ...]
    number: str | None = None
    title: str | None = None

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """The clauses and unnumbered paragraphs, in order."""
        return tuple(piece for piece in self.pieces if isinstance(piece, Clause))

    @property
    def source(self) -> str:
        """The segment's text, byte for byte as typed."""
        return "".join(piece.source for piece in self.pieces)

    @property
    def first_line(self) -> int:
        """Line on which the segment begins, from 1."""
        return self.pieces[0].span.line

    @property
    def last_line(self) -> int:
        """Line on which its last piece that is not blank ends."""
        inked = [piece for piece in self.pieces if piece.source.strip()]
        last = (inked or self.pieces)[-1]
        tail = last.source[len(last.source.rstrip()) :]
        breaks = tail.count("\n") + tail.count("\r") - tail.count("\r\n")
        return last.span.last_line - max(breaks - 1, 0) if tail[-1:] in {"\n", "\r"} else last.span.last_line - breaks

    def with_ids(self, ids: tuple[str, ...]) -> Segment:
        """Return the segment with `ids` given to its clauses in order."""
        given = iter(ids)
        pieces = tuple(replace(piece, id=next(given)) if isinstance(piece, Clause) else piece for piece in self.pieces)
        return replace(self, pieces=pieces)


@dataclass(frozen=True)
class ParsedText:
    """解析结果. What stood before the first document, and the documents."""

    head: tuple[Piece, ...]
    segments: tuple[Segment, ...]

    def pieces(self) -> Iterator[Piece]:
        """Yield every piece of the text in order; their sources put together are the text."""
        yield from self.head
        for segment in self.segments:
            yield from segment.pieces


_VARIANT_GLYPHS = frozenset("旳扺")
"""Glyphs that stand for another character in scraped or retyped texts; `search_text` knows what was meant."""

_COMPATIBILITY = (("\u2e80", "\u2fdf"), ("\uf900", "\ufaff"))
"""CJK radicals and compatibility ideographs, which PDF copies leave in place of ordinary characters."""


def is_variant_glyph(character: str) -> bool:
    """Tell whether `character` is an odd glyph that search evens out and the text keeps."""
    return character in _VARIANT_GLYPHS or any(low <= character <= high for low, high in _COMPATIBILITY)
