"""工作日. Counting days on the Chinese calendar: weekends, public holidays and the weekend days worked in exchange."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from controller.domain.errors import RefusedError
from controller.domain.text import T

_WEEK = 7
_SATURDAY = 5
_MAX_DAYS = 40_000
"""More than a hundred years of working days: nothing a quality system counts is longer."""


class WorkingDaysRangeError(RefusedError):
    """工作日数超出范围. Counting further than the calendar can mean anything."""

    code = "working-days-range"

    def __init__(self, *, days: int) -> None:
        super().__init__(
            T("无法推算 {days} 个工作日之后的日期。", days=days),
            hint=T("请把工作日数限制在 {limit} 以内。", limit=_MAX_DAYS),
        )


@dataclass(frozen=True)
class WorkingDays:
    """工作日历. Monday to Friday, less `holidays`, plus `extra_workdays` (调休上班)."""

    holidays: frozenset[date] = frozenset()
    extra_workdays: frozenset[date] = frozenset()

    def is_workday(self, day: date) -> bool:
        """Tell whether `day` is worked; a day in both sets is worked."""
        if day in self.extra_workdays:
            return True
        return day.weekday() < _SATURDAY and day not in self.holidays

    def between(self, first: date, last: date) -> int:
        """Return how many working days lie after `first` up to and including `last`; negative when reversed.

        The day something happened does not count: registered on Friday and answered on Monday is one working day.
        """
        if last < first:
            return -self.between(last, first)
        weeks, rest = divmod((last - first).days, _WEEK)
        count = weeks * _SATURDAY
        start = first + timedelta(days=weeks * _WEEK)
        count += sum((start + timedelta(days=step)).weekday() < _SATURDAY for step in range(1, rest + 1))
        for day in self.holidays:
            if first < day <= last and day.weekday() < _SATURDAY and day not in self.extra_workdays:
                count -= 1
        for day in self.extra_workdays:
            if first < day <= last and day.weekday() >= _SATURDAY:
                count += 1
        return count

    def add(self, day: date, workdays: int) -> date:
        """Return the `workdays`-th working day after `day` (before it when negative; `day` itself for 0).

        Raises:
            WorkingDaysRangeError: that is more than a hundred years away.
        """
        if abs(workdays) > _MAX_DAYS:
            raise WorkingDaysRangeError(days=workdays)
        step = timedelta(days=1 if workdays > 0 else -1)
        left = abs(workdays)
        try:
            while left:
                day += step
                if self.is_workday(day):
                    left -= 1
        except OverflowError as exc:
            raise WorkingDaysRangeError(days=workdays) from exc
        return day
