"""台账的查找. Answers from other records, gathered once and then found by key.

Two values are the same key when they are equal as people see them: the same person under the same id, the same text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from controller.domain.register import Lookup, Take

if TYPE_CHECKING:
    from collections.abc import Iterable

Key: TypeAlias = tuple[object, ...]


def key_of(values: Iterable[object]) -> Key | None:
    """Return the key that these values make, None when one of them is blank."""
    found = tuple(_part(value) for value in values)
    return None if any(part is None or part in {"", ()} for part in found) else found


def _part(value: object) -> object:
    if isinstance(value, Mapping):
        return value.get("person") or value.get("name")
    if isinstance(value, list):
        return tuple(_part(item) for item in value)
    if isinstance(value, datetime):
        return value.isoformat()
    return value


@dataclass
class _Answer:
    count: int = 0
    total: Decimal = Decimal(0)
    numbers: int = 0
    chosen: object = None
    order: tuple[str, str] = ("", "")
    values: list[object] = field(default_factory=list)


class LookupTable:
    """查找表. What one lookup found, by key."""

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup
        self._answers: dict[Key, _Answer] = {}

    def add(self, key: Key, value: object, order: tuple[str, str]) -> None:
        """Take in one of their records; `order` is when it was opened, and its number."""
        answer = self._answers.setdefault(key, _Answer())
        answer.count += 1
        take = self.lookup.take
        if value is None or take is Take.COUNT:
            return
        if take in {Take.LAST, Take.FIRST}:
            newer = order > answer.order
            if answer.chosen is None or newer == (take is Take.LAST):
                answer.chosen, answer.order = value, order
        elif take in {Take.MIN, Take.MAX}:
            answer.chosen = value if answer.chosen is None else _extreme(answer.chosen, value, take)
        elif take is Take.ALL:
            answer.values += [item for item in _items(value) if item not in answer.values]
        elif isinstance(value, Decimal):
            answer.total += value
            answer.numbers += 1

    def find(self, key: Key | None) -> object:
        """Return the answer for `key`: 0 for counts and none otherwise when nothing was found."""
        answer = self._answers.get(key) if key is not None else None
        take = self.lookup.take
        if take is Take.COUNT:
            return Decimal(answer.count if answer is not None else 0)
        if answer is None:
            return None
        if take is Take.SUM:
            return answer.total if answer.numbers else None
        if take is Take.MEAN:
            return answer.total / answer.numbers if answer.numbers else None
        return (answer.values or None) if take is Take.ALL else answer.chosen


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _extreme(one: object, other: object, take: Take) -> object:
    """Return the smaller or larger of two values of one kind; of different kinds, the one that was there."""
    for kind in (Decimal, datetime, date, str):
        if isinstance(one, kind) and isinstance(other, kind):
            smaller = other < one  # type: ignore[operator]
            return other if smaller == (take is Take.MIN) and other != one else one
    return one
