"""版本时间线. Which revision of a document was in force on a day, by what was known at a moment.

Two dates are kept apart: *true on* a day and *known on* a day (design §4). A revision is known from the moment its
change was stated; it is in force from its effective day, or where none is stated, from that moment on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime


@dataclass(frozen=True)
class RevisionPeriod:
    """一个版本. When it became known, and from which day to which it is in force."""

    revision: str
    known: datetime
    """When it was first part of the controlled library, in company time."""
    effective: date | None = None
    """Stated effective day, 00:00 company time; None: in force as soon as it is known."""
    ended: date | None = None
    """Stated first day on which it is no longer in force; None: until another revision is."""
    ended_known: datetime | None = None
    """When the end became known."""

    @property
    def since(self) -> date:
        """First day in force."""
        return self.effective or self.known.date()


@dataclass(frozen=True)
class RevisionTimeline:
    """版本时间线. The revisions of one document, in the order in which they became known."""

    number: str
    periods: tuple[RevisionPeriod, ...]

    def in_force(self, on: date, *, known: datetime) -> RevisionPeriod | None:
        """Return the revision in force on a day by what was known at a moment; None when there was none.

        Of several whose day has come the one that became known last governs: exactly one is in force on any day.
        """
        for period in reversed(self.periods):
            if period.known > known or period.since > on:
                continue
            ended = period.ended if period.ended_known is None or period.ended_known <= known else None
            return None if ended is not None and ended <= on else period
        return None
