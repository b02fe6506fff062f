"""日历文件. `records/calendars/cn-workdays.yml` and `company.yml` → working days and the company's late-entry limit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from controller.domain.errors import MisconfiguredError
from controller.domain.text import T
from controller.domain.working_days import WorkingDays
from controller.file_formats.definition_reading import DefinitionFileError, Part, Reading

WORKDAYS_FILE = "records/calendars/cn-workdays.yml"
COMPANY_FILE = "records/calendars/company.yml"
WORKDAYS_FORMAT = "wenkong/workdays/1"
COMPANY_FORMAT = "wenkong/company-calendar/1"
DEFAULT_LATE_ENTRY_WORKDAYS = 3

_LONGEST_SPAN = 60
_CERTAINTIES = ("已核对", "待核对", "行业惯例", "企业自定")


class CalendarFileError(DefinitionFileError, MisconfiguredError):
    """日历文件有误. A calendar file cannot be used; `findings` has every problem with its line."""

    code = "calendar-invalid"
    says = T("日历文件有 {count} 处错误，第一处：{problem}")


@dataclass(frozen=True)
class NationalCalendar:
    """国家工作日历. The days by years, and which years are known."""

    days: WorkingDays
    years: frozenset[int]
    """Years that are listed; in others only weekends are free."""


@dataclass(frozen=True)
class CompanyCalendar:
    """企业日历. The company's own days and its late-entry limit (企业自定)."""

    late_entry_workdays: int = DEFAULT_LATE_ENTRY_WORKDAYS
    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()

    def applied_to(self, days: WorkingDays) -> WorkingDays:
        """Return `days` with the company's own days, which override the national ones."""
        return WorkingDays(
            holidays=(days.holidays | self.holidays) - self.workdays,
            extra_workdays=(days.extra_workdays | self.workdays) - self.holidays,
        )


def read_workdays(text: str, *, where: str = WORKDAYS_FILE) -> NationalCalendar:
    """Return the national working-day calendar in `text`.

    Raises:
        CalendarFileError: the file has errors; carries all of them.
    """
    reading = Reading()
    top = _mapping(reading, text, where, WORKDAYS_FORMAT)
    top.check_keys(("format", "years", "note"))
    holidays: set[date] = set()
    workdays: set[date] = set()
    years: set[int] = set()
    for name, part in top.parts("years"):
        part.check_keys(("holidays", "workdays", "basis", "certainty", "note"))
        if not (name.isascii() and name.isdigit() and len(name) == len("2026")):
            part.wrong(None, "calendar-year", T("“{name}”不是年份", name=name[:20]))
            continue
        part.text("basis", needed=True)
        part.one_of("certainty", _CERTAINTIES, "待核对")
        years.add(int(name))
        free, worked = _days(part, "holidays"), _days(part, "workdays")
        for day in sorted(free | worked):
            if abs(day.year - int(name)) > 1:
                part.wrong(None, "calendar-day", T("{day} 不属于 {year} 年的安排", day=day, year=name))
        for day in sorted(free & worked):
            part.wrong("workdays", "calendar-day", T("{day} 同时列为放假和上班", day=day))
        holidays |= free
        workdays |= worked
    _refuse(reading)
    return NationalCalendar(WorkingDays(frozenset(holidays), frozenset(workdays)), frozenset(years))


def read_company_calendar(text: str, *, where: str = COMPANY_FILE) -> CompanyCalendar:
    """Return the company's calendar in `text`; keys of other topics are left to their own readers.

    Raises:
        CalendarFileError: the file has errors; carries all of them.
    """
    reading = Reading()
    top = _mapping(reading, text, where, COMPANY_FORMAT)
    made = CompanyCalendar(
        late_entry_workdays=top.whole_or("late_entry_workdays", DEFAULT_LATE_ENTRY_WORKDAYS, (0, 365)),
        holidays=_days(top, "holidays"),
        workdays=_days(top, "workdays"),
    )
    _refuse(reading)
    return made


def _mapping(reading: Reading, text: str, where: str, expected: str) -> Part:
    part = reading.file(text, where=where, title=T("日历"), expected=expected)
    if part is None:
        raise CalendarFileError(findings=reading.findings)
    return part


def _refuse(reading: Reading) -> None:
    if reading.broken:
        raise CalendarFileError(findings=reading.findings)


def _days(part: Part, key: str) -> frozenset[date]:
    found: set[date] = set()
    for text in part.texts(key):
        first, _, last = text.partition("/")
        try:
            start = date.fromisoformat(first)
            end = date.fromisoformat(last) if last else start
        except ValueError:
            hint = T("写一天 2026-01-01，或起止 2026-05-01/2026-05-05。")
            part.wrong(key, "calendar-day", T("{key} 里的“{text}”不是日期", key=key, text=text[:30]), hint=hint)
            continue
        if not start <= end <= start + timedelta(days=_LONGEST_SPAN):
            part.wrong(key, "calendar-day", T("{key} 里的“{text}”起止颠倒或过长", key=key, text=text[:30]))
            continue
        found |= {start + timedelta(days=step) for step in range((end - start).days + 1)}
    return frozenset(found)
