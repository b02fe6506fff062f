"""Reading the working-day calendar and the company's own days."""

from __future__ import annotations

from datetime import date

import pytest

from controller.file_formats.calendar_file import CalendarFileError, read_company_calendar, read_workdays

NATIONAL = """\
format: wenkong/workdays/1
years:
  2026:
    basis: 放假通知
    certainty: 待核对
    holidays: [2026-01-01/2026-01-03, 2026-05-01]
    workdays: [2026-01-04]
"""


def test_single_days_and_spans_are_read() -> None:
    found = read_workdays(NATIONAL)
    assert found.days.holidays == {date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3), date(2026, 5, 1)}
    assert found.days.extra_workdays == {date(2026, 1, 4)}
    assert found.years == {2026}


def test_the_company_may_override_the_national_days() -> None:
    text = (
        "format: wenkong/company-calendar/1\nlate_entry_workdays: 5\nholidays: [2026-01-04]\nworkdays: [2026-05-01]\n"
    )
    company = read_company_calendar(text)
    assert company.late_entry_workdays == 5
    days = company.applied_to(read_workdays(NATIONAL).days)
    assert not days.is_workday(date(2026, 1, 4))
    assert days.is_workday(date(2026, 5, 1))


def test_three_working_days_is_the_default_limit_for_late_entry() -> None:
    assert read_company_calendar("format: wenkong/company-calendar/1\n").late_entry_workdays == 3


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("2026-05-01]", "2026-05-32]", 6),
        ("2026-01-01/2026-01-03", "2026-01-03/2026-01-01", 6),
        ("2026-01-01/2026-01-03", "2026-01-01/2027-01-01", 6),
        ("2026-05-01]", "2020-05-01]", 3),
        ("[2026-01-04]", "[2026-05-01]", 7),
        ("  2026:", "  next:", 3),
        ("holidays:", "holiday:", 6),
        ("certainty: 待核对", "certainty: 肯定", 5),
        ("format: wenkong/workdays/1", "format: x", 1),
        ("years:", "\tyears:", 2),
    ],
)
def test_mistakes_are_told_with_their_line(old: str, new: str, line: int) -> None:
    with pytest.raises(CalendarFileError) as caught:
        read_workdays(NATIONAL.replace(old, new, 1))
    assert line in [finding.line for finding in caught.value.findings]


def test_a_limit_that_is_no_number_of_days_is_refused() -> None:
    with pytest.raises(CalendarFileError):
        read_company_calendar("format: wenkong/company-calendar/1\nlate_entry_workdays: 三\n")
