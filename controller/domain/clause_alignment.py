"""条款对应. Keeps a clause's id when it is renumbered, moved or edited, so that its history goes on.

Ids are `c1`, `c2` …; the next free one is remembered, so an id is never used a second time, not even after its clause
has been deleted. Two clauses are taken for the same by their text: equal texts first, then the most similar ones.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ALIKE = 0.5
"""Share of common character pairs from which two texts count as one clause that was edited."""
_ALIKE_IN_PLACE = 0.25
"""The same where number or neighbours agree as well."""


@dataclass(frozen=True)
class KnownClause:
    """已有编号的条款. A clause of the earlier text: its id, its number as typed and its text."""

    id: str
    label: str
    text: str


@dataclass(frozen=True)
class Alignment:
    """对应结果. The id of every new clause in order, the ids that are new or gone, and the next free serial."""

    ids: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    next_serial: int


def clause_id(serial: int) -> str:
    """Return the id with that serial, from 1."""
    return f"c{serial}"


def align(known: Sequence[KnownClause], clauses: Sequence[tuple[str, str]], *, next_serial: int) -> Alignment:
    """Give ids to the clauses of a new text.

    Args:
        known: the clauses of the earlier text, in order.
        clauses: label and text of every clause of the new text, in order.
        next_serial: the first serial that has never been used.
    """
    new = [(label.strip(), _plain(text)) for label, text in clauses]
    old = [(item.label.strip(), _plain(item.text)) for item in known]
    match: dict[int, int] = {}
    _match_equal(old, new, match, by_label=True)
    _match_equal(old, new, match, by_label=False)
    _match_similar(old, new, match)
    serial = max([next_serial, 1, *(_serial(item.id) + 1 for item in known)])
    ids, added = [], []
    for place in range(len(new)):
        if place in match:
            ids.append(known[match[place]].id)
        else:
            ids.append(clause_id(serial))
            added.append(ids[-1])
            serial += 1
    kept = set(match.values())
    removed = tuple(item.id for place, item in enumerate(known) if place not in kept)
    return Alignment(tuple(ids), tuple(added), removed, serial)


def similarity(one: str, other: str) -> float:
    """Return how alike two texts are, from 0 to 1: the share of character pairs they have in common."""
    return _dice(_pairs(one), _pairs(other))


def _serial(identifier: str) -> int:
    match = re.fullmatch(r"c([1-9][0-9]{0,8})", identifier)
    return int(match[1]) if match else 0


def _plain(text: str) -> str:
    return "".join(text.split())


def _pairs(text: str) -> Counter[str]:
    return Counter(text[place : place + 2] for place in range(len(text) - 1)) if len(text) > 1 else Counter([text])


def _dice(one: Mapping[str, int], other: Counter[str]) -> float:
    total = sum(one.values()) + sum(other.values())
    return 2 * sum(min(count, other[pair]) for pair, count in one.items()) / total if total else 1.0


def _match_equal(
    old: Sequence[tuple[str, str]], new: Sequence[tuple[str, str]], match: dict[int, int], *, by_label: bool
) -> None:
    """Match equal texts in order, first those whose number is also equal."""
    waiting: defaultdict[object, deque[int]] = defaultdict(deque)
    taken = set(match.values())
    for place, (label, text) in enumerate(old):
        if place not in taken:
            waiting[(label, text) if by_label else text].append(place)
    for place, (label, text) in enumerate(new):
        queue = waiting.get((label, text) if by_label else text)
        if place not in match and queue:
            match[place] = queue.popleft()


def _match_similar(old: Sequence[tuple[str, str]], new: Sequence[tuple[str, str]], match: dict[int, int]) -> None:
    """Match what is left by likeness, the most alike first."""
    taken = set(match.values())
    left_old = [place for place in range(len(old)) if place not in taken]
    left_new = [place for place in range(len(new)) if place not in match]
    pairs_old = {place: _pairs(old[place][1]) for place in left_old}
    offers = []
    for place in left_new:
        pairs = _pairs(new[place][1])
        for other in left_old:
            score = _dice(pairs, pairs_old[other])
            in_place = old[other][0] == new[place][0] != "" or _between_same_neighbours(place, other, match)
            if score >= (_ALIKE_IN_PLACE if in_place else _ALIKE):
                offers.append((-(score + (0.1 if in_place else 0.0)), abs(place - other), place, other))
    for _score, _distance, place, other in sorted(offers):
        if place not in match and other not in taken:
            match[place] = other
            taken.add(other)


def _between_same_neighbours(place: int, other: int, match: Mapping[int, int]) -> bool:
    before, after = match.get(place - 1), match.get(place + 1)
    return (before == other - 1 and before is not None) and (after == other + 1 and after is not None)
