"""记录的改动经过. What each entry of a record changed, old value and new (21 CFR 11.10 e)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.form_problem import MASK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.domain.record import Entry, Wire


@dataclass(frozen=True)
class Change:
    """一处改动. One field that an entry filled later or corrected."""

    field: str
    """Field key."""
    old: Wire
    """Stored value before; None when there was none; `***` for a sensitive one."""
    new: Wire


def changes(entries: Sequence[Entry]) -> list[tuple[Change, ...]]:
    """Return for each entry, in order, what it changed; the first entry opens the record and changes nothing."""
    now: dict[str, Wire] = {}
    found: list[tuple[Change, ...]] = []
    for position, entry in enumerate(entries):
        told: dict[str, Wire] = {**entry.values, **dict.fromkeys(entry.sealed, MASK)}
        changed = tuple(Change(key, now.get(key), value) for key, value in told.items()) if position else ()
        found.append(tuple(item for item in changed if item.old is not None or item.new is not None))
        now.update(told)
    return found
