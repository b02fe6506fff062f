"""修订记录的一行. One row of the revision table as it is printed: typed in `document.yml`, or told by signed events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from controller.domain.document import HistoryRow

ELSEWHERE = "（系统外）"
"""Stands after names that come from an old file: nobody of them signed here."""


@dataclass(frozen=True)
class RevisionRow:
    """修订记录的一行. Days as printed; empty where nothing is known yet."""

    revision: str
    date: str
    """Day of the approval."""
    clauses: str
    reason: str
    by: str
    approved_by: str = ""
    effective: str = ""


def typed_row(row: HistoryRow, *, elsewhere: bool | None = None) -> RevisionRow:
    """Return a row as somebody typed it; marked when it is from before this system."""
    marked = row.elsewhere if elsewhere is None else elsewhere
    return RevisionRow(row.revision, row.date or "", row.clauses, row.reason, f"{row.by}{ELSEWHERE if marked else ''}")
