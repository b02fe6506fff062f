"""修订对照稿. Everything that stands on the pages of a redline: both prints, what changed, and whose change it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from controller.domain.document_comparison import Comparison, PieceChange
    from controller.domain.procedure_print import ProcedurePrint


@dataclass(frozen=True)
class ChangeAuthor:
    """修订人. Name and moment of a change as Word shows them beside it."""

    name: str
    at: datetime


@dataclass(frozen=True)
class RedlinePrint:
    """修订对照稿. Accepting every change gives `new`, rejecting every change gives `old`."""

    old: ProcedurePrint
    new: ProcedurePrint
    comparison: Comparison
    author: ChangeAuthor
    """Of whatever has no author of its own."""
    authors: Mapping[str, ChangeAuthor] = field(default_factory=dict)
    """Clause id → who changed that clause last."""

    def author_of(self, change: PieceChange) -> ChangeAuthor:
        """Return whose change it is."""
        return self.authors.get(change.id or "", self.author)
