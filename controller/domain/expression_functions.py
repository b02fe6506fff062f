"""表达式里的函数. The functions that expressions may call; each is small, exact and bounded.

A function of several arguments gives none when one of them is none, so that a value that is not there yet makes the
result not there yet. Sums, lists and tests of presence (`total`, `count`, `filled` …) say themselves what none means.
"""

from __future__ import annotations

import calendar as month_lengths
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from controller.domain.check_characters import gtin_ok, uscc_ok
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from controller.domain.working_days import WorkingDays

_MAX_DAYS = 40_000
_MAX_PLACES = 10
_MANY = 20
_HOUR = Decimal(3600)


class FunctionMisuseError(Exception):
    """A function was given values it cannot use; `problem` names the function and what it needs."""

    def __init__(self, problem: Text) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(frozen=True)
class Function:
    """一个函数. How it is called and how it is written in messages."""

    call: Callable[..., object]
    usage: Text
    least: int
    most: int


def _misuse(name: str, needs: Text) -> FunctionMisuseError:
    return FunctionMisuseError(T("函数 {name} 需要{needs}", name=name, needs=needs))


def _day(value: object, name: str) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    raise _misuse(name, T("日期"))


def _moment(value: object, other: object, name: str) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        zone = other.tzinfo if isinstance(other, datetime) else None
        return datetime.combine(value, time.min, tzinfo=zone)
    raise _misuse(name, T("时间"))


def _number(value: object, name: str) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    raise _misuse(name, T("数字"))


def _whole(value: object, name: str, limit: int) -> int:
    number = _number(value, name)
    if number != number.to_integral_value() or abs(number) > limit:
        raise _misuse(name, T("不超过 {limit} 的整数", limit=limit))
    return int(number)


def _items(value: object, name: str) -> list[object]:
    if isinstance(value, list):
        return value
    raise _misuse(name, T("列表"))


def days_between(first: object, last: object) -> object:
    """Days from `first` to `last`, by calendar day; negative when reversed."""
    if first is None or last is None:
        return None
    return Decimal((_day(last, "days_between") - _day(first, "days_between")).days)


def hours_between(first: object, last: object) -> object:
    """Hours from `first` to `last`, to two decimals, without trailing zeros."""
    if first is None or last is None:
        return None
    start, end = _moment(first, last, "hours_between"), _moment(last, first, "hours_between")
    if (start.tzinfo is None) != (end.tzinfo is None):
        raise _misuse("hours_between", T("带时区的时间"))
    hours = Decimal(int((end - start).total_seconds())) / _HOUR
    return trimmed(hours.quantize(Decimal("0.01"), ROUND_HALF_UP))


def trimmed(number: Decimal) -> Decimal:
    """Return the number without trailing zeros after the point and without an exponent: `2.50` → `2.5`."""
    short = number.normalize()
    exponent = short.as_tuple().exponent
    return short.quantize(Decimal(1)) if isinstance(exponent, int) and exponent > 0 else short


def _workdays_between(calendar: WorkingDays, first: object, last: object) -> object:
    if first is None or last is None:
        return None
    return Decimal(calendar.between(_day(first, "workdays_between"), _day(last, "workdays_between")))


def _add_workdays(calendar: WorkingDays, day: object, number: object) -> object:
    if day is None or number is None:
        return None
    return calendar.add(_day(day, "add_workdays"), _whole(number, "add_workdays", _MAX_DAYS))


def _moved(value: object, name: str, move: Callable[[date], date]) -> object:
    try:
        if isinstance(value, datetime):
            return datetime.combine(move(value.date()), value.timetz())
        return move(_day(value, name))
    except (OverflowError, ValueError) as exc:
        raise _misuse(name, T("公元 1 年至 9999 年之间的日期")) from exc


def add_days(day: object, number: object) -> object:
    """`day` moved by `number` days; a time keeps its time of day."""
    if day is None or number is None:
        return None
    step = timedelta(days=_whole(number, "add_days", _MAX_DAYS))
    return _moved(day, "add_days", lambda start: start + step)


def plus_months(day: date, months: int) -> date:
    """Return the same day `months` later, the month's last day where it has no such day: 31 Jan + 1 → 28 Feb."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    length = month_lengths.monthrange(year, month + 1)[1]
    return day.replace(year=year, month=month + 1, day=min(day.day, length))


def add_months(day: object, number: object) -> object:
    """`day` moved by `number` months, to the end of a shorter month."""
    if day is None or number is None:
        return None
    months = _whole(number, "add_months", 12 * 200)
    return _moved(day, "add_months", lambda start: plus_months(start, months))


def add_years(day: object, number: object) -> object:
    """`day` moved by `number` years; 29 February becomes the 28th."""
    if day is None or number is None:
        return None
    years = _whole(number, "add_years", 200)
    return _moved(day, "add_years", lambda start: plus_months(start, 12 * years))


def total(items: object) -> object:
    """Sum of the numbers in a list, none skipped; 0 for an empty list."""
    if items is None:
        return None
    return sum((_number(item, "total") for item in _items(items, "total") if item is not None), Decimal(0))


def column(table: object, key: object) -> object:
    """The values of one column of a table, in row order."""
    if table is None or key is None:
        return None
    values = []
    for row in _items(table, "column"):
        if not isinstance(row, Mapping) or key not in row:
            raise FunctionMisuseError(T("表格没有列“{key}”", key=key))
        values.append(row[key])
    return values


def count(items: object) -> object:
    """How many items a list has; 0 for none."""
    return Decimal(0) if items is None else Decimal(len(_items(items, "count")))


def filled(value: object) -> object:
    """Whether something is there: not none, not empty."""
    return value is not None and value not in ("", [], {})


def _least_or_most(name: str, pick: Callable[..., object], values: tuple[object, ...]) -> object:
    if len(values) == 1:
        if values[0] is None:
            return None
        candidates = [item for item in _items(values[0], name) if item is not None]
    else:
        candidates = list(values)
    if not candidates or any(item is None for item in candidates):
        return None
    try:
        return pick(candidates)
    except TypeError as exc:
        raise _misuse(name, T("同一类的值")) from exc


def min_of(*values: object) -> object:
    """The least of several values or of a list."""
    return _least_or_most("min_of", min, values)


def max_of(*values: object) -> object:
    """The greatest of several values or of a list."""
    return _least_or_most("max_of", max, values)


def rounded(number: object, places: object = 0) -> object:
    """`number` rounded half up (四舍五入) to `places` decimals."""
    if number is None or places is None:
        return None
    digits = _whole(places, "rounded", _MAX_PLACES)
    return _number(number, "rounded").quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def percent(part: object, whole: object) -> object:
    """`part` as a percentage of `whole`; none when `whole` is 0."""
    if part is None or whole is None or not _number(whole, "percent"):
        return None
    return _number(part, "percent") * 100 / _number(whole, "percent")


def _check(name: str, test: Callable[[str], bool]) -> Callable[[object], object]:
    def check(value: object) -> object:
        if value is None:
            return None
        if not isinstance(value, str):
            raise _misuse(name, T("文字"))
        return test(value)

    return check


def all_of(items: object, value: object) -> object:
    """Whether a list has items and every one equals `value`."""
    if items is None or value is None:
        return None
    listed = _items(items, "all_of")
    return bool(listed) and all(item == value for item in listed)


def date_of(moment: object) -> object:
    """The day of a time."""
    return None if moment is None else _day(moment, "date_of")


def year_of(day: object) -> object:
    """The year of a date or time, as a number."""
    return None if day is None else Decimal(_day(day, "year_of").year)


def month_of(day: object) -> object:
    """The month of a date or time, 1 to 12."""
    return None if day is None else Decimal(_day(day, "month_of").month)


def length(text: object) -> object:
    """How many characters a text has; 0 for none."""
    if text is None:
        return Decimal(0)
    if not isinstance(text, str):
        raise _misuse("length", T("文字"))
    return Decimal(len(text))


FUNCTIONS: Mapping[str, Function] = {
    "days_between": Function(days_between, T("days_between(起, 止)"), 2, 2),
    "hours_between": Function(hours_between, T("hours_between(起, 止)"), 2, 2),
    "add_days": Function(add_days, T("add_days(日期, 天数)"), 2, 2),
    "add_months": Function(add_months, T("add_months(日期, 月数)"), 2, 2),
    "add_years": Function(add_years, T("add_years(日期, 年数)"), 2, 2),
    "total": Function(total, T("total(列表)"), 1, 1),
    "column": Function(column, T("column(表格, '列')"), 2, 2),
    "count": Function(count, T("count(列表)"), 1, 1),
    "filled": Function(filled, T("filled(值)"), 1, 1),
    "min_of": Function(min_of, T("min_of(甲, 乙, …)"), 1, _MANY),
    "max_of": Function(max_of, T("max_of(甲, 乙, …)"), 1, _MANY),
    "rounded": Function(rounded, T("rounded(数, 位数)"), 1, 2),
    "percent": Function(percent, T("percent(分子, 分母)"), 2, 2),
    "uscc_ok": Function(_check("uscc_ok", uscc_ok), T("uscc_ok(文字)"), 1, 1),
    "gtin_ok": Function(_check("gtin_ok", gtin_ok), T("gtin_ok(文字)"), 1, 1),
    "all_of": Function(all_of, T("all_of(列表, 值)"), 2, 2),
    "date_of": Function(date_of, T("date_of(时间)"), 1, 1),
    "year_of": Function(year_of, T("year_of(日期)"), 1, 1),
    "month_of": Function(month_of, T("month_of(日期)"), 1, 1),
    "length": Function(length, T("length(文字)"), 1, 1),
}
"""Function name → how it is called."""

CALENDAR_FUNCTIONS: Mapping[str, Function] = {
    "workdays_between": Function(_workdays_between, T("workdays_between(起, 止)"), 2, 2),
    "add_workdays": Function(_add_workdays, T("add_workdays(日期, 工作日数)"), 2, 2),
}
"""Functions that need the working-day calendar, given to `Expression.evaluate`."""
