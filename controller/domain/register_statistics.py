"""台账统计. Derived figures over the rows of a register, each with its numerator and denominator (ISO 13485 8.4).

Rows are told one by one while the register streams; memory grows with what a figure needs (a median keeps its
values, a count does not). A denominator of 0 gives 不适用, never 0 % or 100 %.
"""

from __future__ import annotations

import itertools
from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, TypeAlias

from controller.domain.expression import Expression, ExpressionEvaluationError
from controller.domain.register import Statistic, StatisticKind, cell_text

if TYPE_CHECKING:
    from controller.domain.working_days import WorkingDays

NOT_APPLICABLE = "不适用"
_SCALES = {"percent": (Decimal(100), "%"), "permille": (Decimal(1000), "‰"), "plain": (Decimal(1), "")}
_NUMBERS_SHOWN = 20
_NINETIETH = Decimal("0.9")

Names: TypeAlias = Mapping[str, object]


class Reckoner:
    """计算器. Evaluates expressions on rows; what cannot be worked out is none and counted by place."""

    def __init__(self, calendar: WorkingDays) -> None:
        self._calendar = calendar
        self.failures: Counter[str] = Counter()
        """Place (column or statistic) → rows for which it could not be worked out."""

    def value(self, expression: Expression, names: Names, place: str) -> object:
        """Return the value of `expression`, None when it cannot be worked out."""
        try:
            return expression.evaluate(names, calendar=self._calendar)
        except ExpressionEvaluationError:
            self.failures[place] += 1
            return None

    def holds(self, expression: Expression | None, names: Names, place: str) -> bool:
        """Return whether a condition is true; one that is not given is."""
        return True if expression is None else bool(self.value(expression, names, place))


@dataclass(frozen=True)
class StatisticLine:
    """统计结果的一行."""

    group: str
    """The value it is split by; empty when it is not."""
    numerator: str
    denominator: str
    result: str
    detail: str = ""


@dataclass(frozen=True)
class StatisticResult:
    """统计结果."""

    id: str
    label: str
    lines: tuple[StatisticLine, ...]
    note: str = ""
    as_it_should_be: bool | None = None
    """Whether the result is what `should_be` demands; None when nothing is demanded."""


@dataclass
class _Sums:
    """What one figure (or one group of it) has seen."""

    rows: int = 0
    hits: int = 0
    total: Decimal = Decimal(0)
    values: list[Decimal] = field(default_factory=list)
    counted: int = 0
    top: Decimal = Decimal(0)
    bottom: Decimal = Decimal(0)


class Figure:
    """一项统计. Collects what one statistic needs from each row."""

    def __init__(self, statistic: Statistic, reckoner: Reckoner) -> None:
        self.statistic = statistic
        self._reckon = reckoner
        self._place = statistic.label
        self._sums: defaultdict[str, _Sums] = defaultdict(_Sums)
        self._groups: Counter[str] = Counter()
        self._grouped_rows = 0
        self._order: dict[str, object] = {}
        self._keyed: defaultdict[tuple[str, ...], list[tuple[date, int, str]]] = defaultdict(list)
        self._seen = 0
        self.outside: dict[str, Decimal] = {}
        """Tallies over other forms: `numerator`, `denominator` → what they came to."""

    def add(self, names: Names, number: str) -> None:
        """Take in one row, whose record is `number`."""
        self._seen += 1
        reckon, statistic, place = self._reckon, self.statistic, self._place
        kind = statistic.kind
        if kind is StatisticKind.COUNT and statistic.by:
            self._by_groups(names)
            return
        if kind is StatisticKind.COUNT:
            sums = self._sums[""]
            sums.rows += 1
            sums.hits += reckon.holds(statistic.of, names, place) and reckon.holds(statistic.where, names, place)
            return
        if not reckon.holds(statistic.of, names, place):
            return
        if kind in {StatisticKind.GROUPS, StatisticKind.RANKING}:
            assert statistic.value is not None
            keys = self._keys(reckon.value(statistic.value, names, place))
            self._groups.update(keys)
            self._grouped_rows += bool(keys)
        elif kind in {StatisticKind.RECURRENCE, StatisticKind.CLUSTER}:
            self._add_keyed(names, number)
        else:
            self._by_groups(names)

    def _by_groups(self, names: Names) -> None:
        groups = [""]
        if self.statistic.by:
            groups = self._keys(self._reckon.value(self.statistic.by[0], names, self._place))
        for group in groups:
            self._add_sums(self._sums[group], names)

    def _add_sums(self, sums: _Sums, names: Names) -> None:
        reckon, statistic, place = self._reckon, self.statistic, self._place
        sums.rows += 1
        if statistic.kind is StatisticKind.COUNT:
            sums.hits += reckon.holds(statistic.of, names, place) and reckon.holds(statistic.where, names, place)
            return
        if statistic.kind is StatisticKind.RATIO:
            sums.hits += reckon.holds(statistic.where, names, place)
            for tally, is_top in ((statistic.numerator, True), (statistic.denominator, False)):
                if tally is None or tally.form is not None or not reckon.holds(tally.where, names, place):
                    continue
                amount = Decimal(1) if tally.sum is None else _decimal(reckon.value(tally.sum, names, place))
                if is_top:
                    sums.top += amount or 0
                else:
                    sums.bottom += amount or 0
            return
        assert statistic.value is not None
        number = _decimal(reckon.value(statistic.value, names, place))
        if number is None:
            return
        sums.counted += 1
        sums.total += number
        if statistic.kind not in {StatisticKind.SUM, StatisticKind.MEAN}:
            sums.values.append(number)

    def _add_keyed(self, names: Names, number: str) -> None:
        reckon, statistic, place = self._reckon, self.statistic, self._place
        assert statistic.date is not None
        key = tuple(shown(reckon.value(part, names, place)) for part in statistic.by)
        moment = reckon.value(statistic.date, names, place)
        if all(key) and isinstance(moment, date):
            insort(self._keyed[key], (_comparable(moment), self._seen, number))

    def _keys(self, value: object) -> list[str]:
        items = value if isinstance(value, list) else [value]
        found = []
        for item in items:
            text = shown(item)
            if text:
                self._order.setdefault(text, item)
                found.append(text)
        return list(dict.fromkeys(found))

    def result(self) -> StatisticResult:
        """Return the figure over all rows told so far."""
        statistic = self.statistic
        raw: Decimal | None = None
        if statistic.kind in {StatisticKind.GROUPS, StatisticKind.RANKING}:
            lines = self._group_lines()
        elif statistic.kind is StatisticKind.CLUSTER:
            lines, raw = self._cluster_lines()
        elif statistic.kind is StatisticKind.RECURRENCE:
            lines, raw = self._recurrence_lines()
        else:
            lines, raw = self._sum_lines()
        kept = None
        if statistic.should_be is not None and raw is not None:
            kept = raw == statistic.should_be
        notes = [statistic.note or "", f"依据：{statistic.basis}" if statistic.basis else ""]
        if statistic.should_be is not None:
            notes.append(f"应为 {statistic.should_be:f}")
        return StatisticResult(statistic.id, statistic.label, tuple(lines), "；".join(filter(None, notes)), kept)

    def _sum_lines(self) -> tuple[list[StatisticLine], Decimal | None]:
        groups = self._sorted(self._sums) if self.statistic.by else [""]
        lines, raw = [], None
        for group in groups:
            line, raw = self._line(group, self._sums[group])
            lines.append(line)
        if not lines:
            return [StatisticLine("", "0", "0", NOT_APPLICABLE)], None
        return lines, raw if not self.statistic.by else None

    def _line(self, group: str, sums: _Sums) -> tuple[StatisticLine, Decimal | None]:
        statistic = self.statistic
        kind = statistic.kind
        if kind is StatisticKind.COUNT:
            raw = Decimal(sums.hits)
            return StatisticLine(group, str(sums.hits), str(sums.rows), self._with_unit(str(sums.hits))), raw
        if kind is StatisticKind.RATIO:
            top = self._side("numerator", sums.top, Decimal(sums.hits))
            bottom = self._side("denominator", sums.bottom, Decimal(sums.rows))
            return self._share(group, top, bottom)
        # A value picked from the middle or an end is no quotient: only how many values it was picked from is told.
        picked = kind not in {StatisticKind.SUM, StatisticKind.MEAN}
        numerator, denominator = "" if picked else plain(sums.total), str(sums.counted)
        if not sums.counted:
            return StatisticLine(group, numerator, denominator, NOT_APPLICABLE), None
        raw = self._figure(sums)
        shown_value = (
            plain(raw) if kind in {StatisticKind.SUM, StatisticKind.MIN, StatisticKind.MAX} else self._round(raw)
        )
        return StatisticLine(group, numerator, denominator, self._with_unit(shown_value)), raw

    def _side(self, name: str, tallied: Decimal, rows: Decimal) -> Decimal:
        tally = self.statistic.numerator if name == "numerator" else self.statistic.denominator
        if tally is None:
            return rows
        return tallied if tally.form is None else self.outside.get(name, Decimal(0))

    def _figure(self, sums: _Sums) -> Decimal:
        kind = self.statistic.kind
        if kind is StatisticKind.SUM:
            return sums.total
        if kind is StatisticKind.MEAN:
            return sums.total / sums.counted
        values = sorted(sums.values)
        if kind is StatisticKind.MIN:
            return values[0]
        if kind is StatisticKind.MAX:
            return values[-1]
        if kind is StatisticKind.P90:
            # Nearest rank: the smallest value that at least nine in ten do not exceed.
            rank = int((_NINETIETH * len(values)).to_integral_value(ROUND_CEILING))
            return values[rank - 1]
        middle = len(values) // 2
        return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2

    def _share(self, group: str, top: Decimal, bottom: Decimal) -> tuple[StatisticLine, Decimal | None]:
        if not bottom:
            return StatisticLine(group, plain(top), plain(bottom), NOT_APPLICABLE), None
        factor, sign = _SCALES[self.statistic.scale]
        raw = top / bottom * factor
        return StatisticLine(group, plain(top), plain(bottom), self._round(raw) + (sign or self._unit())), raw

    def _group_lines(self) -> list[StatisticLine]:
        names = self._sorted(self._groups)
        if self.statistic.kind is StatisticKind.RANKING:
            names = sorted(names, key=lambda name: -self._groups[name])[: self.statistic.top]
        if not names:
            return [StatisticLine("", "0", "0", NOT_APPLICABLE)]
        total = Decimal(self._grouped_rows)
        return [self._share(name, Decimal(self._groups[name]), total)[0] for name in names]

    def _recurrence_lines(self) -> tuple[list[StatisticLine], Decimal | None]:
        limit = timedelta(days=self.statistic.days)
        rows = followed = 0
        for moments in self._keyed.values():
            rows += len(moments)
            followed += sum(later[0] - earlier[0] <= limit for earlier, later in itertools.pairwise(moments))
        hits = rows - followed if self.statistic.without else followed
        line, raw = self._share("", Decimal(hits), Decimal(rows))
        return [line], raw

    def _cluster_lines(self) -> tuple[list[StatisticLine], Decimal]:
        limit = timedelta(days=self.statistic.days)
        rows = sum(map(len, self._keyed.values()))
        lines = []
        for key in sorted(self._keyed):
            for window in _windows(self._keyed[key], limit, self.statistic.at_least):
                numbers = [number for _, _, number in window]
                more = f" 等 {len(numbers)} 条" if len(numbers) > _NUMBERS_SHOWN else ""
                detail = (
                    f"{window[0][0]:%Y-%m-%d} 至 {window[-1][0]:%Y-%m-%d}：{'、'.join(numbers[:_NUMBERS_SHOWN])}{more}"
                )
                size = str(len(window))
                lines.append(StatisticLine(" / ".join(key), size, str(rows), f"{size} 起", detail))
        found = Decimal(len(lines))
        return lines or [StatisticLine("", "0", str(rows), "无" if rows else NOT_APPLICABLE)], found

    def _sorted(self, names: Iterable[str]) -> list[str]:
        def order(name: str) -> tuple[int, Decimal, str]:
            value = self._order.get(name)
            number = _decimal(value)
            return (0, number, name) if number is not None else (1, Decimal(0), name)

        return sorted(names, key=order)

    def _round(self, number: Decimal) -> str:
        return f"{number.quantize(Decimal(1).scaleb(-self.statistic.digits), ROUND_HALF_UP):f}"

    def _unit(self) -> str:
        return f" {self.statistic.unit}" if self.statistic.unit else ""

    def _with_unit(self, text: str) -> str:
        return text + self._unit()


def _windows(
    moments: list[tuple[date, int, str]], limit: timedelta, at_least: int
) -> Iterable[list[tuple[date, int, str]]]:
    """Yield the longest runs whose first and last lie within `limit`; a run inside another is not told again."""
    start = 0
    told = 0
    for end in range(len(moments)):
        while moments[end][0] - moments[start][0] > limit:
            start += 1
        last = end + 1 == len(moments) or moments[end + 1][0] - moments[start][0] > limit
        if last and end + 1 - start >= at_least and end + 1 > told:
            yield moments[start : end + 1]
            told = end + 1


def _comparable(moment: date) -> date:
    """Return the day of a date or time, so that both kinds can stand in one list."""
    return moment.date() if isinstance(moment, datetime) else moment


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    return None


def plain(number: Decimal) -> str:
    """Return a number without exponent and without trailing zeros after the point."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def shown(value: object) -> str:
    """Return a value as it is grouped and listed: people and files by name, lists joined; empty for none."""
    if isinstance(value, dict):
        return str(value.get("name") or value.get("kind") or "")
    if isinstance(value, list):
        return "、".join(filter(None, map(shown, value)))
    if value is None or isinstance(value, (str, bool, Decimal, date)):
        return cell_text(value)
    return str(value)
