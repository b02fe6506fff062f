"""生效日程. What is approved and not yet in force: until a day, these paths read as of an earlier commit of `main`.

So nothing has to run at midnight: whoever reads on the day sees what governs on it (ISO 13485 4.2.4; docs/adr/0014).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller.domain.errors import RefusedError
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from controller.domain.library_day import ItemKind


class EffectUnknownError(RefusedError):
    """没有待生效的版本. The revision is not waiting for its day: in force already, withdrawn, or never approved."""

    code = "effect-not-pending"

    def __init__(self, *, number: str) -> None:
        super().__init__(
            T("{number} 没有已批准、待生效的版本。", number=number),
            hint=T("用 qms change list 查看更改的状态；已经生效的版本要改，请提出新的更改。"),
        )


class EffectOrderError(RefusedError):
    """生效次序不对. Revisions come into force in the order in which they were approved."""

    code = "effect-order"

    def __init__(self, *, number: str, other: PendingEffect, earlier: bool) -> None:
        what = T("版本 {revision}", revision=other.revision) if other.revision else T("作废")
        message = (
            T(
                "{number} 的{what}先批准，定于 {day} 生效，这一版只能晚于那天。",
                number=number,
                what=what,
                day=other.begins,
            )
            if earlier
            else T(
                "{number} 的{what}后批准，定于 {day} 生效，这一版只能早于那天。",
                number=number,
                what=what,
                day=other.begins,
            )
        )
        hint = T("先改定前一版的生效日期，再改这一版。") if earlier else T("先推迟后一版，再推迟这一版。")
        super().__init__(message, hint=hint)


@dataclass(frozen=True)
class PendingEffect:
    """待生效. One item that reads as before until a day."""

    paths: tuple[str, ...]
    """Folders or files of the library that belong to the item."""
    kind: ItemKind
    number: str
    revision: str | None
    """None: withdrawn from that day."""
    begins: date
    """First day in force, 00:00 company time."""
    before: str | None
    """Commit of `main` with what is in force until then; None: there was none."""
    change: str
    """Number of the change."""

    def covers(self, path: str) -> bool:
        """Tell whether a library path belongs to the item."""
        return any(path == own or path.startswith(f"{own}/") for own in self.paths)


@dataclass(frozen=True)
class EffectSchedule:
    """生效日程. What waits, in the order of approval."""

    pending: tuple[PendingEffect, ...] = ()

    def waiting(self, today: date) -> tuple[PendingEffect, ...]:
        """Return what is not in force on `today`, of each path at most one: the first that waits decides."""
        found: dict[tuple[str, ...], PendingEffect] = {}
        for item in self.pending:
            if item.begins > today:
                found.setdefault(item.paths, item)
        return tuple(found.values())

    def of(self, number: str, today: date) -> tuple[PendingEffect, ...]:
        """Return what waits of one item, in the order of approval."""
        return tuple(item for item in self.pending if item.number == number and item.begins > today)

    def with_approved(self, approved: Sequence[PendingEffect], today: date) -> EffectSchedule:
        """Return the schedule after an approval; what has come into force is left out.

        A waiting revision of the same item whose day is not before that of the new one never comes into force.
        """
        kept = [item for item in self.pending if item.begins > today]
        for new in approved:
            passed_over = [item for item in kept if item.number == new.number and item.begins >= new.begins]
            kept = [item for item in kept if item not in passed_over]
            if passed_over:
                new = replace(new, before=passed_over[0].before)  # noqa: PLW2901 - what is in force until its day
            if new.begins > today:
                kept.append(new)
        return EffectSchedule(tuple(kept))

    def postponed(self, number: str, change: str, begins: date, today: date) -> tuple[EffectSchedule, PendingEffect]:
        """Return the schedule with what `change` makes of `number` begun on another day, and what it was.

        Raises:
            EffectUnknownError: nothing of the item waits that the change brought.
            EffectOrderError: another revision of it would come first.
        """
        waiting = self.of(number, today)
        place = next((place for place, item in enumerate(waiting) if item.change == change), None)
        if place is None:
            raise EffectUnknownError(number=number)
        old = waiting[place]
        for item in waiting[:place]:
            if item.begins >= begins:
                raise EffectOrderError(number=number, other=item, earlier=True)
        for item in waiting[place + 1 :]:
            if item.begins <= begins:
                raise EffectOrderError(number=number, other=item, earlier=False)
        kept = (replace(item, begins=begins) if item is old else item for item in self.pending if item.begins > today)
        return EffectSchedule(tuple(kept)), old
