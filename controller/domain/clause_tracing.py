"""条款追踪. Which clause of a text that came back from Word is which clause of the text that went out.

A bookmark says it, and the wording must not contradict it: where text was typed at the edge of a bookmark, a clause cut
in two or two made one, the wording decides and a question is asked. What lost its bookmark is found by its wording.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.domain.clause_alignment import KnownClause, align, clause_id, similarity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_SURE = 0.6
"""Likeness from which a clause without its bookmark is taken for an old one without asking."""
_CLEARLY = 0.8
_UNLIKE = 0.3
"""A bookmark over several clauses: one at least so alike, all others at most so, needs no question."""


class Doubt(StrEnum):
    """疑点. What is not certain about a clause."""

    SPLIT = "clause-split"
    MERGED = "clause-merged"
    DOUBLED = "clause-bookmark-doubled"
    LIKENESS = "clause-by-likeness"


@dataclass(frozen=True)
class Question:
    """待确认. One thing that a person has to decide, with what is proposed."""

    doubt: Doubt
    clauses: tuple[str, ...]
    """Ids concerned."""
    place: int
    """Place of the new clause concerned."""


@dataclass(frozen=True)
class Traced:
    """追踪结果."""

    ids: tuple[str, ...]
    """The id of every new clause, in order."""
    added: tuple[str, ...]
    removed: tuple[str, ...]
    next_serial: int
    questions: tuple[Question, ...] = ()


@dataclass
class _Tracing:
    known: Sequence[KnownClause]
    clauses: Sequence[tuple[str, str]]
    match: dict[int, str] = field(default_factory=dict)
    """Place of a new clause → id."""
    questions: list[Question] = field(default_factory=list)

    def likeness(self, identifier: str, place: int) -> float:
        text = next(item.text for item in self.known if item.id == identifier)
        return similarity(_plain(text), _plain(self.clauses[place][1]))


def trace(
    known: Sequence[KnownClause],
    clauses: Sequence[tuple[str, str]],
    covered: Iterable[tuple[str, Mapping[int, int]]],
    *,
    next_serial: int,
) -> Traced:
    """Give ids to the clauses of a returned text.

    Args:
        known: the clauses that went out, in order.
        clauses: label and text of every clause that came back, in order.
        covered: for each bookmark that came back, the id it names and how many characters of which clause it covers.
        next_serial: the first serial that has never been used.
    """
    tracing = _Tracing(known, clauses)
    ids = {item.id for item in known}
    texts = {item.id: (item.label.strip(), _plain(item.text)) for item in known}
    reached: dict[str, list[Mapping[int, int]]] = {}
    for identifier, places in covered:
        if identifier in ids:
            reached.setdefault(identifier, []).append(places)
    claims: dict[int, list[str]] = {}
    for identifier in (item.id for item in known):
        bookmarks = [bookmark for bookmark in reached.get(identifier, []) if bookmark]
        if not bookmarks:
            continue
        spots = sorted({place for bookmark in bookmarks for place in bookmark})
        doubled = len(bookmarks) > 1
        chosen = spots[0] if len(spots) == 1 else _chosen(tracing, identifier, spots, texts, doubled=doubled)
        claims.setdefault(chosen, []).append(identifier)
    for place, claiming in sorted(claims.items()):
        best = max(claiming, key=lambda identifier: (tracing.likeness(identifier, place), -claiming.index(identifier)))
        tracing.match[place] = best
        if len(claiming) > 1:
            tracing.questions.append(Question(Doubt.MERGED, tuple(claiming), place))
    _by_wording(tracing)
    return _numbered(tracing, next_serial)


def _chosen(
    tracing: _Tracing,
    identifier: str,
    places: Sequence[int],
    texts: Mapping[str, tuple[str, str]],
    *,
    doubled: bool,
) -> int:
    """Return which of several clauses under its bookmark an old clause has become."""
    clauses = tracing.clauses
    label, text = texts[identifier]
    equal = [place for place in places if _plain(clauses[place][1]) == text]
    if len(equal) == 1 and text:
        return equal[0]
    scores = {place: tracing.likeness(identifier, place) for place in places}
    best = max(places, key=lambda place: (scores[place], clauses[place][0].strip() == label, -place))
    others = max(score for place, score in scores.items() if place != best)
    if doubled:
        tracing.questions.append(Question(Doubt.DOUBLED, (identifier,), best))
    elif scores[best] < _CLEARLY or others > _UNLIKE:
        tracing.questions.append(Question(Doubt.SPLIT, (identifier,), best))
    return best


def _by_wording(tracing: _Tracing) -> None:
    """Find the clauses whose bookmark is gone among those that have none."""
    taken = set(tracing.match.values()) | {item for asked in tracing.questions for item in asked.clauses}
    left = [item for item in tracing.known if item.id not in taken]
    places = [place for place in range(len(tracing.clauses)) if place not in tracing.match]
    if not left or not places:
        return
    found = align(left, [tracing.clauses[place] for place in places], next_serial=1)
    known = {item.id for item in left} - set(found.added)
    for place, identifier in zip(places, found.ids, strict=True):
        if identifier not in known or identifier in set(found.added):
            continue
        tracing.match[place] = identifier
        if tracing.likeness(identifier, place) < _SURE:
            tracing.questions.append(Question(Doubt.LIKENESS, (identifier,), place))


def _numbered(tracing: _Tracing, next_serial: int) -> Traced:
    serial = max([next_serial, 1, *(int(item.id[1:]) + 1 for item in tracing.known if item.id[1:].isdecimal())])
    ids, added = [], []
    for place in range(len(tracing.clauses)):
        identifier = tracing.match.get(place)
        if identifier is None:
            identifier = clause_id(serial)
            added.append(identifier)
            serial += 1
        ids.append(identifier)
    removed = tuple(item.id for item in tracing.known if item.id not in set(tracing.match.values()))
    order = sorted(tracing.questions, key=lambda item: item.place)
    return Traced(tuple(ids), tuple(added), removed, serial, tuple(order))


def _plain(text: str) -> str:
    return "".join(text.split())
