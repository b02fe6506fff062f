"""条款文本. Parser and printer of `clauses.txt` and of texts that come from elsewhere, exact to the byte.

The grammar, line by line:

- a document begins with its title, alone on a line or run together with the first clause, with or without its number;
- a clause begins with its number in one of the styles of `NumberingStyle`, at the head of a line or run together with
  the clause before; lines without a number continue it;
- a table is a run of lines between `|`; a second line `|---|---|` makes the first one a heading; within a cell a
  backslash stands before a bar, a backslash, an `n` for a line end, and a hyphen that would make such a line;
- an island is a line `〔图表 sha256:… 说明〕`; its OOXML lies beside the text under that digest;
- page marks, file facts and control-block lines are kept, but are no clauses.

Whatever the text, `print_text(parse_text(text)) == text`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from controller.domain.clause import (
    Aside,
    AsideKind,
    Clause,
    Island,
    ParsedText,
    Piece,
    Segment,
    Span,
    Table,
    TitleLine,
)
from controller.domain.clause import NumberingStyle as Style
from controller.domain.identifiers import Digest
from controller.file_formats.clause_labels import (
    BLANKS,
    COLONS,
    SENTENCE_ENDS,
    Label,
    Numbering,
    candidates,
    head_label,
    inner_label,
)
from controller.file_formats.document_titles import aside_kind, control_line, find_title

_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_ISLAND = re.compile(r"〔图表 (?P<digest>sha256:[0-9a-f]{64})(?: (?P<caption>[^〔〕]{0,200}))?〕")
_RULE = re.compile(r"\|(?:[ \t]*:?-{3,}:?[ \t]*\|)+")
_CELL = re.compile(r"(?:[^|\\]|\\.)*")
_ESCAPES = {"\\|": "|", "\\n": "\n", "\\\\": "\\", "\\-": "-"}
_WRAP_LENGTH = 15
_LOOKAHEAD_LINES = 40
_PAGE_TITLE_LENGTH = 100
_RESTART_STYLES = (Style.CHINESE, Style.CHAPTER, Style.ARTICLE)


def parse_text(text: str) -> ParsedText:
    """Split `text` into documents and their pieces; never fails, never loses a character."""
    return _Reader(text).read()


def print_text(parsed: ParsedText) -> str:
    """Return the text that was parsed, character for character."""
    return "".join(piece.source for piece in parsed.pieces())


def table_text(rows: tuple[tuple[str, ...], ...], *, header: bool) -> str:
    """Return the notation of a table, one line a row, each with its line end."""
    lines = ["|" + "|".join(_escaped(cell) for cell in row) + "|" for row in rows]
    if header and rows:
        lines.insert(1, "|" + "|".join("---" for _ in rows[0]) + "|")
    return "".join(line + "\n" for line in lines)


def island_line(digest: Digest, caption: str = "") -> str:
    """Return the line that stands for an island, with its line end."""
    caption = re.sub(r"[〔〕\s]+", " ", caption).strip()[:200]
    return f"〔图表 {digest}{' ' + caption if caption else ''}〕\n"


def _escaped(cell: str) -> str:
    text = cell.replace("\\", "\\\\").replace("|", "\\|").replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")
    return text.replace("-", "\\-", 1) if _RULE.fullmatch(f"|{text}|") else text


def _table_cells(line: str) -> tuple[str, ...] | None:
    bare = line.strip(BLANKS + "\r\n")
    if len(bare) <= 1 or bare[0] != "|" or bare[-1] != "|":
        return None
    cells, at = [], 1
    while at < len(bare):
        match = _CELL.match(bare, at)
        assert match is not None
        if match.end() >= len(bare):
            return None
        cells.append(re.sub(r"\\[|n\\-]", lambda found: _ESCAPES[found[0]], match[0]))
        at = match.end() + 1
    return tuple(cells)


@dataclass
class _Line:
    text: str
    start: int
    number: int


@dataclass
class _Open:
    """The piece being read: where it began and what is known of it."""

    kind: str
    start: int
    line: int
    label: Label | None = None
    level: int = 1


@dataclass
class _Reader:
    text: str
    lines: list[_Line] = field(default_factory=list)
    head: list[Piece] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    began: bool = False
    """Whether a document has begun."""
    number: str | None = None
    title: str | None = None
    numbering: Numbering = field(default_factory=Numbering)
    open: _Open | None = None
    last_text: str = ""
    """The line of text read last, to see whether the next one continues its sentence."""
    level: int = 1
    worded: bool = False
    """Whether the document has a clause yet."""

    def read(self) -> ParsedText:
        self.lines = [
            _Line(match[0], match.start(), number) for number, match in enumerate(_LINES.finditer(self.text), start=1)
        ]
        place = 0
        while place < len(self.lines):
            place += self._line(place)
        self._end_segment(len(self.text))
        return ParsedText(tuple(self.head), tuple(_joined(self.segments)))

    # -- lines -------------------------------------------------------------------------------------------------

    def _line(self, place: int) -> int:
        """Read the line at `place` and return how many lines were taken."""
        line = self.lines[place]
        kind = aside_kind(line.text)
        if kind is AsideKind.BLANK:
            self._blank(line)
            return 1
        if kind is not None:
            self._aside(line, kind)
            return 1
        rows = self._table(place)
        if rows:
            return rows
        if self._island(line):
            return 1
        if self._page_title(place):
            self._aside(line, AsideKind.PAGE_METADATA)
            return 1
        if not self.worded and self.open is None and control_line(line.text) is not None:
            self._aside(line, AsideKind.CONTROL_LINE)
            return 1
        self._text_line(place)
        return 1

    def _text_line(self, place: int) -> None:
        line = self.lines[place]
        found = find_title(line.text, self._following(place), first=not self.began)
        if found is not None:
            self._begin_segment(line.start)
            self.number, self.title = found.number, found.title
            if not found.glued:
                self._add(
                    TitleLine(line.text, self._span(line.start, line.start + len(line.text)), found.title, found.number)
                )
                self.last_text = ""
                return
            source = line.text[: found.end]
            self._add(TitleLine(source, self._span(line.start, line.start + found.end), found.title, found.number))
            self._run(place, found.end)
            return
        if self._restarts(line.text):
            self._begin_segment(line.start)
        if not self.began:
            self.began = True
            self._flush_head()
        self._run(place, 0)

    def _run(self, place: int, at: int) -> None:
        """Read the text of a line from `at`: a number at its head, then numbers run together with it."""
        line = self.lines[place]
        bare_end = len(line.text.rstrip("\r\n"))
        head = None
        if at == 0:
            head = head_label(line.text, self.numbering, wrapped=self._wrapped())
        else:
            glued = head_label(line.text[at:], self.numbering, wrapped=False)
            if glued is not None:
                head = Label(glued.start + at, glued.end + at, glued.typed, glued.style, glued.number)
        since, numbered = at, False
        if head is not None:
            self._begin_clause(line, at, head)
            since, numbered = head.end, True
        elif self.open is None or self.open.kind != "clause":
            self._begin_paragraph(line, at)
        following = None
        for label in candidates(line.text, since):
            if label.start < since:
                continue
            if following is None:
                following = "".join(item.text for item in self.lines[place + 1 : place + 1 + _LOOKAHEAD_LINES])
            self.numbering.announced = line.text[since : label.start].rstrip(BLANKS)[-1:] in set(COLONS)
            if inner_label(line.text, label, self.numbering, since=since, numbered=numbered, following=following):
                self._begin_clause(line, label.start, label)
                since, numbered = label.end, True
        self.numbering.announced = line.text[:bare_end].rstrip(BLANKS)[-1:] in set(COLONS)
        self.last_text = line.text

    def _wrapped(self) -> bool:
        last = self.last_text.rstrip("\r\n" + BLANKS)
        return len(last) >= _WRAP_LENGTH and last[-1] not in SENTENCE_ENDS + COLONS + '”’"）)》】』」…'

    def _following(self, place: int) -> str | None:
        for later in self.lines[place + 1 : place + 1 + _LOOKAHEAD_LINES]:
            if aside_kind(later.text) is None and control_line(later.text) is None:
                return later.text
        return None

    def _page_title(self, place: int) -> bool:
        """Tell whether the line is the heading of a page whose facts (`- 格式:pdf`) stand right below it."""
        for later in self.lines[place + 1 : place + 4]:
            kind = aside_kind(later.text)
            if kind is AsideKind.PAGE_METADATA:
                return len(self.lines[place].text) <= _PAGE_TITLE_LENGTH
            if kind is not AsideKind.BLANK:
                return False
        return False

    def _restarts(self, text: str) -> bool:
        """Tell whether the line begins a new document without a title: its outermost numbers start over."""
        if not self.numbering.open or self._wrapped():
            return False
        label = head_label(text, self.numbering, wrapped=False)
        outer = self.numbering.open[0]
        if label is None or label.value != 1 or label.style not in _RESTART_STYLES:
            return False
        return (label.style, label.number[:-1]) == (outer.style, outer.prefix) and outer.last > 1

    # -- pieces ------------------------------------------------------------------------------------------------

    def _span(self, start: int, end: int) -> Span:
        return Span(start, end, self._line_at(start), self._line_at(max(start, end - 1)))

    def _line_at(self, position: int) -> int:
        low, high = 0, len(self.lines) - 1
        while low < high:
            middle = (low + high + 1) // 2
            if self.lines[middle].start <= position:
                low = middle
            else:
                high = middle - 1
        return low + 1

    def _add(self, piece: Piece) -> None:
        self.pieces.append(piece)

    def _blank(self, line: _Line) -> None:
        if self.open is not None:
            return
        self._aside(line, AsideKind.BLANK)

    def _aside(self, line: _Line, kind: AsideKind) -> None:
        self._close(line.start)
        span = self._span(line.start, line.start + len(line.text))
        self._add(Aside(line.text, span, kind, line.text.strip(BLANKS + "\r\n")))

    def _table(self, place: int) -> int:
        rows: list[tuple[str, ...]] = []
        last = place
        while last < len(self.lines) and (cells := _table_cells(self.lines[last].text)) is not None:
            rows.append(cells)
            last += 1
        if not rows:
            return 0
        self._start_body(self.lines[place].start)
        header = len(rows) > 1 and _RULE.fullmatch(self.lines[place + 1].text.strip(BLANKS + "\r\n")) is not None
        if header:
            del rows[1]
        start = self.lines[place].start
        end = self.lines[last - 1].start + len(self.lines[last - 1].text)
        self._add(Table(self.text[start:end], self._span(start, end), tuple(rows), header))
        return last - place

    def _island(self, line: _Line) -> bool:
        match = _ISLAND.fullmatch(line.text.strip(BLANKS + "\r\n"))
        if match is None:
            return False
        self._start_body(line.start)
        span = self._span(line.start, line.start + len(line.text))
        self._add(Island(line.text, span, Digest(match["digest"]), match["caption"] or ""))
        return True

    def _start_body(self, start: int) -> None:
        self._close(start)
        if not self.began:
            self.began = True
            self._flush_head()
        self.last_text = ""

    def _begin_clause(self, line: _Line, at: int, label: Label) -> None:
        start = line.start + at
        self._close(start)
        self.level = self.numbering.place(label)
        self.open = _Open("clause", start, line.number, label, self.level)

    def _begin_paragraph(self, line: _Line, at: int) -> None:
        start = line.start + at
        self._close(start)
        self.open = _Open("clause", start, line.number, None, self.level)

    def _close(self, end: int) -> None:
        if self.open is None:
            return
        opened, self.open, self.worded = self.open, None, True
        source = self.text[opened.start : end]
        label = opened.label
        typed = label.typed if label else ""
        after = source.index(typed) + len(typed) if label else 0
        self._add(
            Clause(
                source=source,
                span=self._span(opened.start, end),
                level=opened.level,
                label=typed,
                style=label.style if label else Style.NONE,
                number=label.number if label else (),
                text=source[after:].strip(BLANKS + "\r\n"),
            )
        )

    # -- segments ----------------------------------------------------------------------------------------------

    def _flush_head(self) -> None:
        """Before the first document: what has been read so far is the head of the file."""
        if not self.segments:
            kept = [
                piece
                for piece in self.pieces
                if not (isinstance(piece, Aside) and piece.kind is AsideKind.CONTROL_LINE)
            ]
            if len(kept) == len(self.pieces):
                self.head, self.pieces = self.pieces, []

    def _begin_segment(self, start: int) -> None:
        if self.began:
            self._end_segment(start)
        else:
            self.began = True
            self._flush_head()
        self.number, self.title, self.level, self.worded = None, None, 1, False
        self.numbering = Numbering()
        self.last_text = ""

    def _end_segment(self, end: int) -> None:
        self._close(end)
        if not self.pieces:
            return
        if self.began:
            self.segments.append(Segment(tuple(self.pieces), self.number, self.title))
        else:
            self.head.extend(self.pieces)
        self.pieces = []


def _joined(segments: list[Segment]) -> list[Segment]:
    """Put a title under which nothing stands before the next title into the document that follows."""
    joined: list[Segment] = []
    waiting: tuple[Piece, ...] = ()
    for place, segment in enumerate(segments):
        bodiless = not any(isinstance(piece, (Clause, Table, Island)) for piece in segment.pieces)
        if bodiless and place + 1 < len(segments):
            waiting += segment.pieces
            continue
        joined.append(Segment(waiting + segment.pieces, segment.number, segment.title) if waiting else segment)
        waiting = ()
    return joined
