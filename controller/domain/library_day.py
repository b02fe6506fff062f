"""体系状态. Every document, form and register of the system as it stood on one day, by what was known then."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime

    from controller.domain.identifiers import Digest


class ItemKind(StrEnum):
    """受控内容的种类."""

    DOCUMENT = "document"
    FORM = "form"
    REGISTER = "register"
    EXTERNAL = "external"


@dataclass(frozen=True)
class StatedApproval:
    """批准. Who approved, as the filed statement says; whether the signature is sound is told by `qms verify`."""

    name: str
    post: str
    at: datetime


@dataclass(frozen=True)
class ItemOnDay:
    """一份受控内容在某日的状态."""

    kind: ItemKind
    number: str
    title: str
    revision: str
    since: datetime
    """When this revision came into the controlled library, in company time."""
    effective: date
    """First day in force; of what came in with names from before this system, the day that it says itself."""
    until: date | None
    """First day on which it governs no longer, by what was known; None: no end is known."""
    change: str
    """Number of the change that brought it; empty: none did."""
    changed: datetime
    """When what governs on that day came into the controlled library."""
    changed_by: str
    """Name of who drafted that change, as its history tells, else of who stated it; empty where nobody did."""
    reason: str
    contents: Digest
    """Digest over all files as they stood."""
    approved: StatedApproval | None
    """The approval of what governs: of its change, else of the document; None: none was filed by then."""
    elsewhere: str = ""
    """系统外批准. The names and days from before this system, in one line; empty when there are none."""


@dataclass(frozen=True)
class LibraryDay:
    """体系状态. What is in force on a day (true on), by what was known at a moment (known on)."""

    day: date
    known: datetime
    """The moment up to which everything that was stated counts."""
    items: tuple[ItemOnDay, ...]

    def of(self, kind: ItemKind) -> tuple[ItemOnDay, ...]:
        """Return the items of one kind."""
        return tuple(item for item in self.items if item.kind is kind)
