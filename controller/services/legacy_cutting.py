"""旧文件的剪裁. What of an old text is no text: covers, lines and tables of control blocks, and whose they are."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller.domain.clause import Aside, Clause, NumberingStyle, TitleLine
from controller.file_formats.control_block import SIGNED_ON, ControlFacts, Fact, OldHistory, read_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.domain.clause import Piece, Segment

_FRONT_LINES = 40
"""Lines of a document without clause numbers in which a control block is looked for."""
_TAIL_LINES = 8
_COVER_LINES = 15
_ENDING = frozenset({*SIGNED_ON, *SIGNED_ON.values(), Fact.EFFECTIVE, Fact.ISSUED, Fact.KEPT, Fact.OWNER})
LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
"""Lines as `clause_text` counts them."""


@dataclass
class Cut:
    """Lines taken out of the text: a table or a line of the control block, or a revision table."""

    first: int
    last: int
    words: list[str]
    facts: ControlFacts | None = None
    history: OldHistory | None = None
    identity: tuple[str, str] = ("", "")


def with_covers(segments: Sequence[Segment]) -> list[Segment]:
    """Return the documents that say something, each with its cover: a few lines without number or sentence."""
    found: list[Segment] = []
    cover: tuple[Piece, ...] = ()
    for place, segment in enumerate(segments):
        if not any(piece.source.strip() for piece in segment.pieces):
            continue
        if place + 1 < len(segments) and _is_cover(segment):
            cover += segment.pieces
            continue
        found.append(replace(segment, pieces=cover + segment.pieces) if cover else segment)
        cover = ()
    return found


def _is_cover(segment: Segment) -> bool:
    lines = [line for piece in segment.pieces for line in piece.source.splitlines() if line.strip()]
    words = all(isinstance(piece, (Aside, TitleLine)) or _unlabelled(piece) for piece in segment.pieces)
    return words and segment.number is None and len(lines) <= _COVER_LINES and not any("。" in line for line in lines)


def _unlabelled(piece: Piece) -> bool:
    return isinstance(piece, Clause) and piece.style is NumberingStyle.NONE


def owned_cuts(segments: Sequence[Segment], kept: Sequence[int], cuts: Sequence[Cut]) -> list[list[Cut]]:
    """Share what was cut out among the documents: a control block goes with the text below it, the rest above."""
    owned: list[list[Cut]] = [[] for _ in segments]
    if not segments:
        return owned
    firsts = [kept[item.first_line - 1] for item in segments]
    for cut in cuts:
        above = sum(first <= cut.first for first in firsts)
        place = above - 1
        ends = place >= 0 and kept[min(segments[place].last_line, len(kept)) - 1] < cut.first
        if place < 0 or (ends and cut.facts is not None and any(cut.identity) and above < len(segments)):
            place = above
        owned[min(place, len(segments) - 1)].append(cut)
    return owned


def without_control_lines(segment: Segment) -> tuple[str, list[Cut], list[int]]:
    """Return a document's text without the lines of its control block, these, and which lines (from 0) are left."""
    lines = LINES.findall(segment.source)
    base = segment.pieces[0].span.line
    titles = {
        number - base
        for piece in segment.pieces
        if isinstance(piece, TitleLine)
        for number in range(piece.span.line, piece.span.last_line + 1)
    }
    numbered = [
        piece.span.line - base
        for piece in segment.pieces
        if isinstance(piece, Clause) and piece.style is not NumberingStyle.NONE
    ]
    front = numbered[0] if numbered else min(len(lines), _FRONT_LINES)
    cuts: list[Cut] = []
    for place in range(min(front, len(lines))):
        facts = read_line(lines[place]) if place not in titles else None
        if facts is not None:
            cuts.append(Cut(place, place, [lines[place].strip()], facts=facts))
    cuts += _closing_lines(lines, max([front, *(cut.last + 1 for cut in cuts)]))
    gone = {cut.first for cut in cuts}
    left = [place for place in range(len(lines)) if place not in gone]
    return "".join(lines[place] for place in left), cuts, left


def _closing_lines(lines: Sequence[str], earliest: int) -> list[Cut]:
    """Return the last lines of a document where these name who wrote, checked and approved it."""
    cuts: list[Cut] = []
    inked = [place for place in range(earliest, len(lines)) if lines[place].strip()]
    for place in reversed(inked[-_TAIL_LINES:]):
        facts = read_line(lines[place])
        if facts is None or any(fact not in _ENDING for fact, _value in facts.facts):
            break
        cuts.append(Cut(place, place, [lines[place].strip()], facts=facts))
    count = sum(fact in SIGNED_ON for cut in cuts if cut.facts is not None for fact, _value in cut.facts.facts)
    return cuts[::-1] if count > 1 else []


def evened(text: str) -> str:
    """Return a name without blanks and title marks, to compare it."""
    return "".join(text.split()).strip("《》")


def same_document(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Tell whether two control blocks are those of one document, as on each of its pages."""
    pairs = [(a, b) for a, b in zip(one, other, strict=True) if a and b]
    return bool(pairs) and all(evened(a) == evened(b) for a, b in pairs)
