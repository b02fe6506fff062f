"""收回情况. How far the recall of a document's copies has come: n of m, and which are still out (ISO 13485 4.2.4 h)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.controlled_copies import ControlledCopy, CopyState

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date


@dataclass(frozen=True)
class RecallStanding:
    """收回情况. How far the recall of a document's copies has come: n of m, and which are still out."""

    number: str
    recalled: int
    """m: copies that had to come back."""
    back: int
    """n: copies that came back, destroyed ones among them."""
    lost: int
    """Copies that are lost: of the change, else all of the document, recalled before or not."""
    out: tuple[ControlledCopy, ...]
    """Copies that are still with their holders."""

    @property
    def complete(self) -> bool:
        """Whether every copy came back or is known to be lost."""
        return not self.out


def recall_standing(
    number: str, copies: Sequence[ControlledCopy], *, today: date, governing: Collection[str] | None, change: str = ""
) -> RecallStanding:
    """Return how far the recall has come: of the copies that `change` recalled, or of all that had to come back.

    A copy that had come back before its recall took effect is counted with those of the change only.
    """
    if change:
        wanted = [item for item in copies if any(recall.change == change for recall in item.recalls)]
    else:
        wanted = [item for item in copies if item.recall(today, governing) is not None]
    return RecallStanding(
        number=number,
        recalled=len(wanted),
        back=sum(item.last in {CopyState.RETURNED, CopyState.DESTROYED} for item in wanted),
        lost=sum(item.last is CopyState.LOST for item in (wanted if change else copies)),
        out=tuple(item for item in wanted if item.last in {CopyState.ISSUED, CopyState.RECEIVED}),
    )
