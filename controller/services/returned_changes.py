"""签入的改动. What became of each clause, table and picture between check-out and check-in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.clause import Clause, Island, Table, TitleLine
from controller.domain.word_changes import ClauseChange

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from controller.domain.clause import Piece, Segment
    from controller.domain.clause_tracing import Traced
    from controller.domain.identifiers import Digest
    from controller.services.checkout_ports import ReturnedWord
    from controller.services.document_library import LibraryDocument


@dataclass(frozen=True)
class Compared:
    """比对过的文本. A returned Word file laid beside the draft it was made from."""

    draft: LibraryDocument
    sent: ReturnedWord
    """How the file reads when nothing is done to it."""
    returned: ReturnedWord
    text: str
    """The new text."""
    segment: Segment
    """The new text, with ids."""
    traced: Traced
    islands: Mapping[Digest, bytes]
    """Islands that are new in the text."""

    @property
    def unchanged(self) -> bool:
        """Whether the text is the same to the byte."""
        return self.text == self.draft.text

    @property
    def old(self) -> dict[str, Clause]:
        """The clauses that went out, by id."""
        return {clause.id or "": clause for clause in self.draft.segment.clauses}

    @property
    def new(self) -> dict[str, Clause]:
        """The clauses that came back, by id."""
        return {clause.id or "": clause for clause in self.segment.clauses}


def clause_changes(compared: Compared) -> Iterator[ClauseChange]:
    """Yield every change of a clause, then of what stands beside the clauses."""
    if compared.unchanged:
        return
    gone, come = compared.old, compared.new
    before = plain(compared.returned.untracked)
    stay = _in_order([one for one in gone if one in come], [one for one in come if one in gone])
    for identifier, new in come.items():
        old = gone.get(identifier)
        if old is None:
            yield ClauseChange(identifier, "added", "", new.label, "", new.text, plain(new.content) not in before)
            continue
        tracked = plain(old.content) in before
        if plain(old.text) != plain(new.text) or old.text != new.text:
            kind = "edited"
        elif old.label != new.label:
            kind = "renumbered"
        elif identifier not in stay:
            kind = "moved"
        else:
            continue
        yield ClauseChange(identifier, kind, old.label, new.label, old.text, new.text, tracked)
    for identifier in compared.traced.removed:
        old = gone[identifier]
        yield ClauseChange(identifier, "removed", old.label, "", old.text, "", plain(old.content) in before)
    for kind, one, other in (
        ("beside-removed", compared.draft.segment, compared.segment),
        ("beside-added", compared.segment, compared.draft.segment),
    ):
        there = Counter(beside(piece) for _, piece in apart(other))
        for clause, piece in apart(one):
            there[beside(piece)] -= 1
            if there[beside(piece)] < 0:
                label = clause.label if clause is not None else ""
                old_text, new_text = (shown(piece), "") if kind == "beside-removed" else ("", shown(piece))
                tracked = (plain(piece.source) in before) == (kind == "beside-removed")
                identifier = clause.id or "" if clause is not None else ""
                yield ClauseChange(identifier, kind, label, label, old_text, new_text, tracked)


def plain(text: str) -> str:
    """Return a text as it is compared, without blanks."""
    return "".join(text.split())


def shown(piece: object) -> str:
    """Return what a reader sees of a piece."""
    if isinstance(piece, Table):
        return "".join("".join(row) for row in piece.rows)
    return str(getattr(piece, "source", ""))


def apart(segment: Segment) -> Iterator[tuple[Clause | None, Piece]]:
    """Yield the tables, islands and titles of a text, each with the clause before it."""
    clause = None
    for piece in segment.pieces:
        if isinstance(piece, Clause):
            clause = piece
        elif isinstance(piece, (Table, Island, TitleLine)):
            yield clause, piece


def beside(piece: object) -> str:
    """Return what a piece beside the clauses is known by."""
    return plain(str(getattr(piece, "source", "")))


def _in_order(old: Sequence[str], new: Sequence[str]) -> set[str]:
    """Return the longest run of ids that stand in the same order in both: what was not moved."""
    places = {identifier: place for place, identifier in enumerate(old)}
    tails: list[int] = []
    chain: list[tuple[int, int]] = []
    at: list[int] = []
    for number, identifier in enumerate(new):
        place = places[identifier]
        low, high = 0, len(tails)
        while low < high:
            middle = (low + high) // 2
            if places[new[tails[middle]]] < place:
                low = middle + 1
            else:
                high = middle
        chain.append((number, tails[low - 1] if low else -1))
        if low == len(tails):
            tails.append(number)
        else:
            tails[low] = number
    last = tails[-1] if tails else -1
    while last >= 0:
        at.append(last)
        last = chain[last][1]
    return {new[number] for number in at}
