"""台账定义. What a register lists, from where, and which statistics it derives (ISO 13485 4.2.5, 8.4).

A register is a view over records and never typed. The notation is `docs/form-language.md` §2, read by
`file_formats.register_file`, checked against the forms by `domain.register_lint`, built by
`services.register_building`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from controller.domain.expression import Expression
    from controller.domain.identifiers import DocumentNumber, Revision

Cell: TypeAlias = "str | Decimal | date | datetime | bool | None"
"""One cell of a register: identifiers and words are text, numbers are exact."""


class Source(StrEnum):
    """来源. What the rows of a register stand for."""

    RECORDS = "records"
    ENTRIES = "entries"
    DOCUMENTS = "documents"
    FORMS = "forms"
    NONE = "none"


class ColumnType(StrEnum):
    """列的类型. How a spreadsheet holds the column."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"
    DATETIME = "datetime"
    BOOL = "bool"


class StatisticKind(StrEnum):
    """统计方式."""

    RATIO = "ratio"
    COUNT = "count"
    SUM = "sum"
    MEAN = "mean"
    MEDIAN = "median"
    P90 = "p90"
    MIN = "min"
    MAX = "max"
    GROUPS = "groups"
    RANKING = "ranking"
    RECURRENCE = "recurrence"
    CLUSTER = "cluster"


class Take(StrEnum):
    """取值方式. Which of several found records answers a lookup."""

    LAST = "last"
    FIRST = "first"
    COUNT = "count"
    SUM = "sum"
    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    ALL = "all"


@dataclass(frozen=True)
class Column:
    """列."""

    key: str
    label: str
    value: Expression
    type: ColumnType | None = None
    """None: the type of the field it shows, else text."""
    width: int | None = None
    """Characters; a Chinese character counts two."""
    line: int | None = field(default=None, compare=False)

    @property
    def field_name(self) -> str | None:
        """The name when the column shows one name and nothing else."""
        text = self.value.text.strip()
        return text if text in self.value.names else None


@dataclass(frozen=True)
class Lookup:
    """查找. An answer from other records, found by a shared key."""

    name: str
    forms: tuple[str, ...]
    match: Mapping[str, Expression]
    """Their field → expression on this record."""
    take: Take
    value: Expression | None = None
    where: Expression | None = None
    line: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Tally:
    """计数口径. What a numerator or denominator counts: rows of this register, or records of another form."""

    form: str | None = None
    where: Expression | None = None
    sum: Expression | None = None
    """None: rows are counted."""
    period: str = "record.opened_at"
    """With `form`: the time of those records that the period filters on."""


@dataclass(frozen=True)
class Statistic:
    """统计项."""

    id: str
    label: str
    kind: StatisticKind
    of: Expression | None = None
    where: Expression | None = None
    value: Expression | None = None
    by: tuple[Expression, ...] = ()
    scale: str = "percent"
    """For ratios: `percent`, `permille` or `plain`."""
    digits: int = 1
    unit: str = ""
    note: str | None = None
    basis: str | None = None
    should_be: Decimal | None = None
    top: int = 10
    date: Expression | None = None
    days: int = 30
    at_least: int = 3
    without: bool = False
    numerator: Tally | None = None
    denominator: Tally | None = None
    line: int | None = field(default=None, compare=False)

    @property
    def expressions(self) -> Iterator[Expression]:
        """Every expression on rows of this register; those on other forms stand in the tallies."""
        tallies = [t for t in (self.numerator, self.denominator) if t is not None and t.form is None]
        own = (self.of, self.where, self.value, self.date, *self.by)
        for item in (*own, *(part for tally in tallies for part in (tally.where, tally.sum))):
            if item is not None:
                yield item


@dataclass(frozen=True)
class RegisterDefinition:
    """台账定义."""

    id: str
    """Short id and folder name: `TZ-07`."""
    number: DocumentNumber
    title: str
    revision: Revision
    procedure: DocumentNumber | None
    owner: str
    source: Source
    columns: tuple[Column, ...]
    forms: tuple[str, ...] = ()
    all_forms: bool = False
    available: bool = True
    unavailable_reason: str | None = None
    note: str | None = None
    row_if: Expression | None = None
    period: str = "record.opened_at"
    one_row_per: tuple[Expression, ...] = ()
    each: str | None = None
    lookups: tuple[Lookup, ...] = ()
    statistics: tuple[Statistic, ...] = ()
    path: str | None = field(default=None, compare=False)
    """The file it was read from, for findings."""

    @property
    def expressions(self) -> Iterator[Expression]:
        """Every expression that is evaluated on a row."""
        if self.row_if is not None:
            yield self.row_if
        yield from self.one_row_per
        for column in self.columns:
            yield column.value
        for lookup in self.lookups:
            yield from lookup.match.values()
        for statistic in self.statistics:
            yield from statistic.expressions


@dataclass(frozen=True)
class Period:
    """期间. From and to are both included; None is open."""

    first: date | None = None
    last: date | None = None

    def holds(self, moment: object) -> bool:
        """Tell whether a date or time lies in the period; something without a time only lies in the open one."""
        if self.first is None and self.last is None:
            return True
        day = moment.date() if isinstance(moment, datetime) else moment
        if not isinstance(day, date):
            return False
        return (self.first is None or day >= self.first) and (self.last is None or day <= self.last)

    def __str__(self) -> str:
        if self.first is None and self.last is None:
            return "全部"
        return f"{self.first or '建档'} 至 {self.last or '今日'}"


@dataclass(frozen=True)
class Heading:
    """表头. One column as it is written out."""

    label: str
    type: ColumnType
    width: int


def cell_text(cell: Cell) -> str:
    """Return a cell as people read it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, Decimal):
        return f"{cell:f}"
    return cell
