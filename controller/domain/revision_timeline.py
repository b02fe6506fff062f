"""版本时间线. Which revision of an item was in force on a day, by what was known at a moment.

Two dates are kept apart: *true on* a day and *known on* a day. What became known of an item is a row of
events in the order of the commits of `main`: a revision came, or is withdrawn, from a stated day on; or that day was
stated anew. What governs follows from them alone (docs/document-control.md, In force).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime


@dataclass(frozen=True)
class RevisionEvent:
    """版本事件. What became known of an item at one moment."""

    known: datetime
    """When it became part of the controlled library, in company time."""
    revision: str | None
    """None: the item is withdrawn."""
    begins: date | None = None
    """Stated first day, 00:00 company time; None: at once, as what comes without a change does."""
    change: str = ""
    """Number of the change that brought it; empty: none did."""
    moves: bool = False
    """Only the first day of what `change` brought before is stated anew (`effect-postponed`)."""
    commit: str = ""
    """Commit of `main` that made it known."""

    @property
    def first_day(self) -> date:
        """First day in force, unless stated anew later."""
        return self.begins or self.known.date()


@dataclass(frozen=True)
class RevisionPeriod:
    """一个版本的有效期. What one event brought, with the days on which it governs."""

    event: RevisionEvent
    place: int
    """Which event of the item it is, from 0."""
    since: date
    """First day in force, as stated last."""
    until: date | None = None
    """First day on which something later governs; None: nothing later is known."""

    @property
    def revision(self) -> str | None:
        """None: withdrawn."""
        return self.event.revision


@dataclass(frozen=True)
class RevisionTimeline:
    """版本时间线. What became known of one item, in the order of the commits."""

    number: str
    events: tuple[RevisionEvent, ...]

    def periods(self, known: datetime | None = None) -> tuple[RevisionPeriod, ...]:
        """Return when what governs, by what was known at a moment (None: by everything), in the order of approval."""
        found: list[RevisionPeriod] = []
        for place, event in enumerate(self.events):
            if known is not None and event.known > known:
                continue
            if not event.moves:
                found.append(RevisionPeriod(event, place, event.first_day))
            elif (meant := _brought_by(event.change, found)) is not None:
                found[meant] = replace(found[meant], since=event.first_day)
        return tuple(_ended(found))

    def in_force(self, on: date, *, known: datetime) -> RevisionPeriod | None:
        """Return what governs on a day by what was known at a moment; None when nothing does.

        Of several whose day has come the one that was approved last governs: exactly one, or none, on any day.
        """
        for period in reversed(self.periods(known)):
            if period.since <= on:
                return period if period.revision is not None else None
        return None


def _brought_by(change: str, periods: Sequence[RevisionPeriod]) -> int | None:
    return next((at for at in reversed(range(len(periods))) if periods[at].event.change == change), None)


def _ended(periods: Sequence[RevisionPeriod]) -> list[RevisionPeriod]:
    """Return the periods with their ends: each lasts until the first day of any that was approved after it."""
    found: list[RevisionPeriod] = []
    until: date | None = None
    for period in reversed(periods):
        found.append(replace(period, until=until))
        until = period.since if until is None else min(until, period.since)
    return found[::-1]
