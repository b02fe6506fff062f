"""Working days on the Chinese calendar."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.working_days import WorkingDays, WorkingDaysRangeError

LABOUR_DAY = WorkingDays(
    holidays=frozenset(date(2026, 5, day) for day in range(1, 6)), extra_workdays=frozenset({date(2026, 5, 9)})
)
_days = st.dates(min_value=date(2026, 3, 1), max_value=date(2026, 8, 1))


def test_a_holiday_is_free_and_a_weekend_day_worked_in_exchange_is_not() -> None:
    assert not LABOUR_DAY.is_workday(date(2026, 5, 4))
    assert LABOUR_DAY.is_workday(date(2026, 5, 9))
    assert not LABOUR_DAY.is_workday(date(2026, 5, 10))


def test_the_day_it_happened_does_not_count() -> None:
    plain = WorkingDays()
    assert plain.between(date(2026, 6, 5), date(2026, 6, 8)) == 1
    assert plain.between(date(2026, 6, 5), date(2026, 6, 5)) == 0
    assert plain.between(date(2026, 6, 8), date(2026, 6, 5)) == -1


def test_a_deadline_skips_the_holidays() -> None:
    assert LABOUR_DAY.add(date(2026, 4, 30), 1) == date(2026, 5, 6)
    assert LABOUR_DAY.add(date(2026, 5, 6), -1) == date(2026, 4, 30)
    assert LABOUR_DAY.add(date(2026, 5, 2), 0) == date(2026, 5, 2)


def test_counting_further_than_a_century_is_refused() -> None:
    with pytest.raises(WorkingDaysRangeError):
        LABOUR_DAY.add(date(2026, 1, 1), 10**9)
    with pytest.raises(WorkingDaysRangeError):
        LABOUR_DAY.add(date(9999, 12, 1), 300)


@given(_days, _days)
def test_counting_agrees_with_looking_at_every_day(first: date, last: date) -> None:
    first, last = min(first, last), max(first, last)
    each = sum(LABOUR_DAY.is_workday(first + timedelta(days=step)) for step in range(1, (last - first).days + 1))
    assert LABOUR_DAY.between(first, last) == each


@given(_days, st.integers(min_value=1, max_value=60))
def test_the_nth_working_day_is_n_working_days_away(day: date, number: int) -> None:
    found = LABOUR_DAY.add(day, number)
    assert LABOUR_DAY.is_workday(found)
    assert LABOUR_DAY.between(day, found) == number
