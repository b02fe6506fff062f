"""生成台账. Builds any register from its definition: rows as a stream, then statistics and proof of completeness.

Rows come in a fixed order (form, year, serial), each with its record number and form revision. A voided record stays
in the list and counts in no statistic. Nothing here writes files; that is what the register writers do.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from controller.domain.errors import QmsError
from controller.domain.expression import Expression
from controller.domain.form import FieldType
from controller.domain.register import Cell, Column, ColumnType, Heading, Period, Source, cell_text
from controller.domain.register_lookup import Key, LookupTable, key_of
from controller.domain.register_statistics import Figure, Reckoner, shown
from controller.domain.serial_completeness import serial_runs
from controller.services.master_lists import document_rows, form_rows
from controller.services.register_report import supplements
from controller.services.register_rows import RecordRows, Row, entry_rows
from controller.services.register_summary import Completeness, RegisterSummary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from controller.domain.form import Field
    from controller.domain.register import RegisterDefinition, Tally
    from controller.domain.retention import RetentionRules
    from controller.domain.working_days import WorkingDays
    from controller.services.archive_ports import Archive
    from controller.services.archived_forms import ArchivedForms, KnownForms
    from controller.services.document_facts import DocumentFacts
    from controller.services.index_ports import RecordIndex, SortedSpool
    from controller.services.ports import Progress
    from controller.services.register_report import Sheet
    from controller.services.register_rows import DocumentList

_OF_FIELDS = {
    FieldType.INTEGER: ColumnType.INTEGER,
    FieldType.DECIMAL: ColumnType.DECIMAL,
    FieldType.DATE: ColumnType.DATE,
    FieldType.DATETIME: ColumnType.DATETIME,
    FieldType.BOOL: ColumnType.BOOL,
}
_WIDTHS = {
    ColumnType.TEXT: 16, ColumnType.INTEGER: 9, ColumnType.DECIMAL: 10, ColumnType.DATE: 12, ColumnType.DATETIME: 17,
    ColumnType.BOOL: 8,
}  # fmt: skip
_RECORD_COLUMN = Column("record_number", "记录编号", Expression.compile("record.number"), ColumnType.TEXT, 24)
_ADDED = (Heading("表单版本", ColumnType.TEXT, 9), Heading("记录状况", ColumnType.TEXT, 10))
_DANGLING_SHOWN = 1000
"""References that lead nowhere written out; more are counted only."""


class RegisterTable:
    """台账. Headings, rows (a stream that can be read once), and then the summary."""

    def __init__(
        self, definition: RegisterDefinition, period: Period, now: datetime, headings: Sequence[Heading], run: _Run
    ) -> None:
        self.definition = definition
        self.period = period
        self.now = now
        self.headings = tuple(headings)
        self.preface: tuple[tuple[str, str], ...] = ()
        self._run = run
        self._rows = run.rows()

    def rows(self) -> Iterator[tuple[Cell, ...]]:
        """Yield the rows; each is made when it is asked for and given once."""
        return self._rows

    def watch(self, progress: Progress, step: int) -> None:
        """Tell `progress` every `step` rows how many were made."""
        self._rows = _watched(self._rows, progress, step)

    def sheets(self, *, company: str) -> list[Sheet]:
        """Return the sheets that follow the rows."""
        return supplements(self, self.summary(), company=company)

    def summary(self) -> RegisterSummary:
        """Return statistics and completeness; rows that were not read yet are worked through first."""
        for _ in self._rows:
            pass
        return self._run.summary()


def _watched(rows: Iterator[tuple[Cell, ...]], progress: Progress, step: int) -> Iterator[tuple[Cell, ...]]:
    for number, row in enumerate(rows, 1):
        if not number % step:
            progress(number, None)
        yield row


class RegisterBuilding:
    """生成台账. Everything that registers are made from."""

    def __init__(
        self,
        *,
        index: RecordIndex,
        archive: Archive,
        forms: KnownForms,
        definitions: ArchivedForms,
        documents: DocumentList,
        calendar: WorkingDays,
        spool: Callable[[], SortedSpool],
        retention: RetentionRules | None = None,
        facts: Callable[[], DocumentFacts | None] = lambda: None,
        registers: Callable[[], Sequence[RegisterDefinition]] = tuple,
    ) -> None:
        """`spool` sorts what has to be told in order of time; `facts` and `registers` are for the master lists."""
        self.index = index
        self.archive = archive
        self.forms = forms
        self.definitions = definitions
        self.documents = documents
        self.calendar = calendar
        self.spool = spool
        self.retention = retention
        self.facts = facts
        self.registers = registers

    def build(self, definition: RegisterDefinition, period: Period, now: datetime) -> RegisterTable:
        """Return the register over `period` as it is at `now`."""
        run = _Run(self, definition, period, now)
        return RegisterTable(definition, period, now, list(run.headings()), run)

    def record_rows(
        self, expressions: Sequence[Expression], period: str, now: datetime, extra: Sequence[str] = ()
    ) -> RecordRows:
        """Return the maker of rows for these expressions."""
        return RecordRows(
            index=self.index,
            definitions=self.definitions,
            retention=self.retention,
            expressions=expressions,
            period=period,
            now=now,
            extra=extra,
        )


class _Run:
    """One build: what is gathered while the rows stream."""

    def __init__(self, kit: RegisterBuilding, definition: RegisterDefinition, period: Period, now: datetime) -> None:
        self.kit = kit
        self.definition = definition
        self.period = period
        self.now = now
        self.reckoner = Reckoner(kit.calendar)
        self.figures = [Figure(statistic, self.reckoner) for statistic in definition.statistics]
        self.columns = self._columns()
        self.count = self.voided = 0
        self.unreadable: Counter[str] = Counter()
        self.lookups: list[LookupTable] = []

    def _columns(self) -> tuple[Column, ...]:
        definition = self.definition
        if definition.source is not Source.RECORDS:
            return definition.columns
        if any(column.value.text.strip() == "record.number" for column in definition.columns):
            return definition.columns
        return (_RECORD_COLUMN, *definition.columns)

    def headings(self) -> Iterator[Heading]:
        """Yield the headings in order."""
        fields = self._fields()
        for column in self.columns:
            kind = column.type
            if kind is None:
                field = fields.get(column.field_name or "")
                kind = _OF_FIELDS.get(field.type, ColumnType.TEXT) if field is not None else ColumnType.TEXT
            yield Heading(column.label, kind, column.width or max(_WIDTHS[kind], 2 * len(column.label)))
        if self.definition.source is Source.RECORDS:
            yield from _ADDED

    def _fields(self) -> dict[str, Field]:
        """Every field of the forms of this register as they are in force."""
        numbers = self.kit.forms.numbers() if self.definition.all_forms else self.definition.forms
        found: dict[str, Field] = {}
        for number in numbers:
            try:
                form = self.kit.forms.definition(number)
            except QmsError:
                continue  # told under 完整性, and by lint
            for field in form.fields:
                found.setdefault(field.key, field)
        return found

    # -- rows

    def rows(self) -> Iterator[tuple[Cell, ...]]:
        """Yield every row, and tell each to the statistics."""
        if not self.definition.available:
            return
        self._prepare()
        own = {lookup.name for lookup in self.definition.lookups}
        columns = [
            (column, column.field_name if column.field_name not in own else None, heading.type)
            for column, heading in zip(self.columns, self.headings(), strict=False)
        ]
        listed = self.definition.source is Source.RECORDS
        for row in self._source_rows():
            self.count += 1
            cells = [_typed(self._cell(column, name, row), kind) for column, name, kind in columns]
            if listed:
                cells += [row.revision, row.condition]
            if row.voided:
                self.voided += 1
            else:
                for figure in self.figures:
                    figure.add(row.names, row.number)
            yield tuple(cells)

    def _cell(self, column: Column, name: str | None, row: Row) -> Cell:
        if name is not None and row.fields is not None and name in row.fields:
            return _as_cell(row.field_cell(name))
        return _as_cell(self.reckoner.value(column.value, row.names, f"列 {column.label}"))

    def _source_rows(self) -> Iterator[Row]:
        source, condition = self.definition.source, self.definition.row_if
        if source is Source.RECORDS:
            rows = self._record_rows()
        elif source is Source.ENTRIES:
            rows = entry_rows(self.kit.archive, self.kit.definitions, self.period, self.now, self.kit.spool)
        elif source is Source.DOCUMENTS:
            rows = document_rows(self.kit.documents, self.now, self.kit.facts(), self.kit.registers())
        else:
            kit = self.kit
            rows = form_rows(kit.forms, kit.index, kit.retention, self.now, facts=kit.facts(), documents=kit.documents)
        for row in rows:
            if source is Source.RECORDS or self.reckoner.holds(condition, row.names, "row_if"):
                yield row

    def _record_rows(self) -> Iterator[Row]:
        definition = self.definition
        shown_fields = [column.field_name for column in self.columns if column.field_name is not None]
        each = [definition.each] if definition.each is not None else []
        maker = self.kit.record_rows(
            [*definition.expressions, _RECORD_COLUMN.value], definition.period, self.now, [*shown_fields, *each]
        )
        newest = self._newest(maker) if definition.one_row_per else None
        for row in self._kept(maker):
            if newest is not None and not self._is_newest(row, newest):
                continue
            if definition.each is None:
                yield row
                continue
            table = row.names.get(definition.each)
            for item in table if isinstance(table, list) else []:
                yield replace(row, names={**row.names, "row": item})
        self.unreadable["记录中的值"] += maker.unreadable

    def _kept(self, maker: RecordRows) -> Iterator[Row]:
        """Yield the records of the period that the register lists, with what was looked up for them."""
        for row in maker.rows(self.definition.forms, self.period):
            for table in self.lookups:
                wanted = (
                    self.reckoner.value(item, row.names, table.lookup.name) for item in table.lookup.match.values()
                )
                row.names[table.lookup.name] = table.find(key_of(wanted))
            if self.reckoner.holds(self.definition.row_if, row.names, "row_if"):
                yield row

    def _group_key(self, row: Row) -> Key | None:
        return key_of(self.reckoner.value(part, row.names, "one_row_per") for part in self.definition.one_row_per)

    def _newest(self, maker: RecordRows) -> dict[Key, str]:
        """Find for every key the record that was opened last; a first pass over the records."""
        newest: dict[Key, tuple[str, str]] = {}
        failures = Counter(self.reckoner.failures)
        for row in self._kept(maker):
            key = self._group_key(row)
            if row.voided or key is None or row.state is None:
                continue
            order = (row.state.opened_at, row.number)
            if key not in newest or order > newest[key]:
                newest[key] = order
        self.reckoner.failures = failures  # the second pass meets the same ones again
        return {key: number for key, (_, number) in newest.items()}

    def _is_newest(self, row: Row, newest: dict[Key, str]) -> bool:
        key = self._group_key(row)
        return not row.voided and (key is None or newest.get(key) == row.number)

    # -- what rows need from elsewhere

    def _prepare(self) -> None:
        everything = Period()
        for lookup in self.definition.lookups:
            table = LookupTable(lookup)
            parts = [part for part in (lookup.value, lookup.where) if part is not None]
            maker = self.kit.record_rows(parts, "record.opened_at", self.now, list(lookup.match))
            for row in maker.rows(lookup.forms, everything):
                if row.voided or not self.reckoner.holds(lookup.where, row.names, lookup.name) or row.state is None:
                    continue
                key = key_of(row.names[name] for name in lookup.match)
                if key is not None:
                    value = None if lookup.value is None else self.reckoner.value(lookup.value, row.names, lookup.name)
                    table.add(key, value, (row.state.opened_at, row.number))
            self.lookups.append(table)
        for figure in self.figures:
            for side in ("numerator", "denominator"):
                tally = getattr(figure.statistic, side)
                if tally is not None and tally.form is not None:
                    figure.outside[side] = self._outside(tally, tally.form, figure.statistic.label)

    def _outside(self, tally: Tally, form: str, place: str) -> Decimal:
        parts = [part for part in (tally.where, tally.sum) if part is not None]
        maker = self.kit.record_rows(parts, tally.period, self.now)
        total = Decimal(0)
        for row in maker.rows((form,), self.period):
            if row.voided or not self.reckoner.holds(tally.where, row.names, place):
                continue
            amount = Decimal(1) if tally.sum is None else self.reckoner.value(tally.sum, row.names, place)
            if isinstance(amount, (Decimal, int)):
                total += amount
        return total

    # -- afterwards

    def summary(self) -> RegisterSummary:
        """Return what is known now."""
        statistics = tuple(figure.result() for figure in self.figures) if self.definition.available else ()
        return RegisterSummary(self.count, self.voided, statistics, self._completeness())

    def _completeness(self) -> Completeness:
        kit, definition = self.kit, self.definition
        if definition.source not in {Source.RECORDS, Source.ENTRIES} or not definition.available:
            return Completeness((), {}, (), 0, (), self._failures())
        forms = () if definition.all_forms or definition.source is Source.ENTRIES else definition.forms
        years = [day.year if day is not None else None for day in (self.period.first, self.period.last)]
        runs = tuple(
            run
            for run in serial_runs(kit.index.given_numbers(forms))
            if (years[0] is None or run.year >= years[0]) and (years[1] is None or run.year <= years[1])
        )
        dangling, count = [], 0
        for item in kit.index.dangling_references(forms):
            count += 1
            if count <= _DANGLING_SHOWN:
                dangling.append(item)
        known = set(kit.forms.numbers())
        titles = {run.form: self._title(run.form) for run in runs}
        use = kit.index.form_use()
        unknown = tuple((form, use[form].records) for form in forms or sorted(use) if form in use and form not in known)
        return Completeness(runs, titles, tuple(dangling), count, unknown, self._failures())

    def _title(self, form: str) -> str:
        try:
            return self.kit.forms.definition(form).title
        except QmsError:
            return ""

    def _failures(self) -> tuple[tuple[str, int], ...]:
        return tuple(
            sorted((place, rows) for place, rows in (self.reckoner.failures + self.unreadable).items() if rows)
        )


def _as_cell(value: object) -> Cell:
    if value is None or isinstance(value, (str, bool, Decimal, date)):
        return value
    if isinstance(value, int):
        return Decimal(value)
    return shown(value)


def _typed(cell: Cell, kind: ColumnType) -> Cell:
    """Return the cell as its column holds it; what does not fit stays as it is, nothing is lost."""
    if kind is ColumnType.DATE and isinstance(cell, datetime):
        return cell.date()
    if kind is ColumnType.TEXT and not isinstance(cell, str):
        return cell_text(cell) or None
    if kind in {ColumnType.INTEGER, ColumnType.DECIMAL} and isinstance(cell, str):
        try:
            number = Decimal(cell)
        except InvalidOperation:
            return cell
        return number if number.is_finite() and f"{number:f}" == cell else cell
    return cell
