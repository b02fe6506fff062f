"""台账的行. Turns records and entries into rows that a register's expressions can speak of.

Only the names that a register uses are worked out, one row at a time, so that a register of any length needs little
memory. Sensitive values are not in the index and therefore in no row.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Protocol

from controller.domain.errors import QmsError
from controller.domain.field_values import display, is_pending, reckoned, typed_values
from controller.domain.form import Field, FieldType, Personal
from controller.domain.identifiers import Digest, InvalidIdentifierError, RecordNumber
from controller.domain.register_scope import REGISTER_FUNCTIONS, parts_used
from controller.domain.retention import retention_of
from controller.domain.trail_event import ACT_LABELS, instant, new_values, old_values
from controller.file_formats.entry_file import decode_entry
from controller.services.entry_telling import EntryTelling
from controller.services.indexing import ENTRY_PATH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from controller.domain.document import ControlledDocument
    from controller.domain.expression import Expression
    from controller.domain.form import FormDefinition
    from controller.domain.record import Entry, RecordState, Wire
    from controller.domain.register import Period
    from controller.domain.retention import RetentionRules
    from controller.domain.trail_event import ShownChange
    from controller.services.archive_ports import Archive
    from controller.services.archived_forms import ArchivedForms
    from controller.services.index_ports import RecordIndex, SortedSpool

_LINKED_KEPT = 2000
"""Referenced records kept in memory."""
_SHOWN_AS_STORED = {
    FieldType.TEXT, FieldType.LONG_TEXT, FieldType.CHOICE, FieldType.PHONE, FieldType.EMAIL, FieldType.UDI,
    FieldType.RECORD_REF, FieldType.DOCUMENT_REF,
}  # fmt: skip
_TYPED = {FieldType.INTEGER, FieldType.DECIMAL, FieldType.DATE, FieldType.DATETIME, FieldType.BOOL, FieldType.COMPUTED}


class DocumentList(Protocol):
    """文件清单. All controlled documents (`services.document_library.DocumentLibrary`)."""

    def documents(self) -> Sequence[ControlledDocument]:
        """Return the control blocks of all documents, in order of number."""
        ...


@dataclass
class Row:
    """一行的来历. The names its expressions may use, and what the product itself says about it."""

    names: dict[str, object]
    number: str
    """The record the row leads back to; empty where there is none."""
    revision: str = ""
    condition: str = ""
    voided: bool = False
    state: RecordState | None = None
    fields: Mapping[str, Field] | None = None

    def field_cell(self, name: str) -> object:
        """Return the field `name` as it is listed: typed where a spreadsheet can count with it, else as printed."""
        assert self.fields is not None
        assert self.state is not None
        field, wire = self.fields.get(name), self.state.values.get(name)
        if field is None or wire is None:
            return None
        if field.type in _SHOWN_AS_STORED and isinstance(wire, str):
            return wire
        if field.type in _TYPED and not is_pending(wire):
            value = self.names.get(name)
            # A computed text such as 007 looks like a number; it keeps its own digits.
            if not isinstance(value, Decimal) or f"{value:f}" == wire:
                return value
        return display(field, wire)


class RecordRows:
    """记录的行. Rows for the records of some forms, with the names that a set of expressions uses."""

    def __init__(
        self,
        *,
        index: RecordIndex,
        definitions: ArchivedForms,
        retention: RetentionRules | None,
        expressions: Iterable[Expression],
        period: str,
        now: datetime,
        extra: Iterable[str] = (),
    ) -> None:
        used = list(expressions)
        self._index = index
        self._definitions = definitions
        self._retention = retention
        self._period = period
        self._now = now
        self._names = {*extra, *(name for item in used for name in item.names)} - {"record", "today", "now", "stage"}
        if period != "record.opened_at":
            self._names.add(period)
        self._parts: set[str] = set()
        for item in used:
            self._parts |= parts_used(item).get("record", set())
        self._fixed = {"today": now.date(), "now": now, **REGISTER_FUNCTIONS, "linked": self._linked}
        self._fields: dict[Digest, dict[str, Field]] = {}
        self._linked_records: dict[str, dict[str, object] | None] = {}
        self.unreadable = 0
        """Stored values that are not what their field's type says."""

    def rows(self, forms: Sequence[str], period: Period) -> Iterator[Row]:
        """Yield the records of these forms (all when empty) in the period, in order of number."""
        opened = self._period == "record.opened_at"
        states = self._index.records(
            forms=forms,
            opened_from=period.first.isoformat() if opened and period.first else None,
            opened_to=period.last.isoformat() if opened and period.last else None,
        )
        for state in states:
            row = self.row(state)
            if opened or period.holds(row.names.get(self._period)):
                yield row

    def row(self, state: RecordState) -> Row:
        """Return the row of one record."""
        definition = self._definitions.definition(state.form)
        fields = self._fields_of(state, definition)
        names: dict[str, object] = dict(self._fixed)
        names["stage"] = state.stage
        for name in self._names:
            field = fields.get(name)
            names[name] = None if field is None else self._reckoned(field, state.values.get(name))
        if self._parts:
            names["record"] = self._record(state, definition)
        late = bool(state.values.get("late_entry_reason"))
        marks = [mark for mark, said in (("补记", late), ("有更正", bool(state.corrected))) if said]
        return Row(
            names=names,
            number=state.number.text,
            revision=state.form.revision.text,
            condition="已作废" if state.voided else "、".join(marks) or "有效",
            voided=state.voided,
            state=state,
            fields=fields,
        )

    def _fields_of(self, state: RecordState, definition: FormDefinition | None) -> dict[str, Field]:
        digest = state.form.digest
        if digest not in self._fields:
            known = definition.fields if definition is not None else ()
            self._fields[digest] = {f.key: f for f in known if f.personal is not Personal.SENSITIVE}
        return self._fields[digest]

    def _reckoned(self, field: Field, wire: Wire) -> object:
        try:
            return reckoned(field, wire)
        except (ValueError, InvalidOperation):
            self.unreadable += 1
            return None

    def _record(self, state: RecordState, definition: FormDefinition | None) -> dict[str, object]:
        stage = definition.stage(state.stage) if definition is not None else None
        found: dict[str, object] = {
            "number": state.number.text,
            "form": state.number.form,
            "form_title": definition.title if definition is not None else "",
            "form_revision": state.form.revision.text,
            "year": Decimal(state.number.year),
            "serial": Decimal(state.number.serial),
            "stage": state.stage,
            "stage_label": stage.label if stage is not None else state.stage,
            "opened_at": _moment(state.opened_at),
            "opened_by": state.opened_by.name,
            "changed_at": _moment(state.changed_at),
            "changed_by": state.changed_by.name,
            "voided": state.voided,
            "late": bool(state.values.get("late_entry_reason")),
            "retention": self._retention_label(definition.retention) if definition is not None else "",
            "retention_until": None,
            "retention_permanent": None,
            "retention_reason": None,
            "entries": Decimal(state.entries),
        }
        if self._parts & {"retention_until", "retention_permanent", "retention_reason"}:
            self._add_retention(found, state, definition)
        return found

    def _retention_label(self, key: str) -> str:
        kind = self._retention.classes.get(key) if self._retention is not None else None
        return kind.label if kind is not None else key

    def _add_retention(self, found: dict[str, object], state: RecordState, definition: FormDefinition | None) -> None:
        rules = self._retention
        kind = rules.classes.get(definition.retention) if rules is not None and definition is not None else None
        opened = _moment(state.opened_at)
        if rules is None or kind is None or definition is None or not isinstance(opened, datetime):
            return
        try:
            answer = retention_of(rules, kind, typed_values(definition, state.values), opened_on=opened.date())
        except (ValueError, InvalidOperation):
            self.unreadable += 1
            return
        found["retention_until"] = answer.until
        found["retention_permanent"] = answer.permanent
        found["retention_reason"] = str(answer.explanation)

    def _linked(self, reference: object) -> object:
        """The open values of the record that `reference` names, None when there is none."""
        number = reference[0] if isinstance(reference, list) and reference else reference
        if not isinstance(number, str):
            return None
        if number not in self._linked_records:
            if len(self._linked_records) >= _LINKED_KEPT:
                self._linked_records.clear()
            self._linked_records[number] = self._values_of(number)
        return self._linked_records[number]

    def _values_of(self, number: str) -> dict[str, object] | None:
        try:
            state = self._index.record(RecordNumber(number))
        except InvalidIdentifierError:
            return None
        definition = self._definitions.definition(state.form) if state is not None else None
        if state is None or definition is None:
            return None
        return {
            field.key: self._reckoned(field, state.values.get(field.key))
            for field in definition.fields
            if field.personal is not Personal.SENSITIVE
        }


def entry_rows(
    archive: Archive,
    definitions: ArchivedForms,
    period: Period,
    now: datetime,
    spool: Callable[[], SortedSpool],
) -> Iterator[Row]:
    """Yield every entry of every chain in the period in order of time, those of one second by record and sequence."""
    fixed = {"today": now.date(), "now": now, **REGISTER_FUNCTIONS}
    waiting = spool()
    try:
        for entry, parts in _entries_told(archive, definitions, period):
            item = json.dumps(parts, ensure_ascii=False).encode("utf-8", "surrogatepass")
            waiting.add(instant(entry.at), entry.record.text, entry.sequence, item)
        for item in waiting.items():
            parts = json.loads(item.decode("utf-8", "surrogatepass"))
            parts |= {"sequence": Decimal(parts["sequence"]), "at": _moment(parts["at"])}
            yield Row(names={**fixed, "entry": parts}, number=parts["record"])
    finally:
        waiting.close()


def _entries_told(
    archive: Archive, definitions: ArchivedForms, period: Period
) -> Iterator[tuple[Entry, dict[str, object]]]:
    telling = EntryTelling(definitions)
    folder = ""
    for path, data in archive.walk():
        match = ENTRY_PATH.fullmatch(path)
        if match is None:
            continue
        if match["folder"] != folder:
            folder = match["folder"]
            telling.begin()
        try:
            entry = decode_entry(data, where=path)
        except QmsError:
            # `qms verify` reports damaged entries; the list of the others must still come out.
            continue
        changes = telling.changes(entry)
        if period.holds(_moment(entry.at)):
            yield entry, _entry_parts(entry, definitions.definition(entry.form), Digest.of(data), changes)


def _entry_parts(
    entry: Entry, definition: FormDefinition | None, digest: Digest, changes: Sequence[ShownChange]
) -> dict[str, object]:
    labels = {field.key: field.label for field in definition.fields} if definition is not None else {}
    stage = definition.stage(entry.stage) if definition is not None else None
    return {
        "record": entry.record.text,
        "form": entry.form.number.text,
        "sequence": entry.sequence,
        "act": entry.act.value,
        "act_label": str(ACT_LABELS[entry.act]),
        "at": entry.at,
        "by": entry.by.name,
        "person": entry.by.person,
        "post": entry.by.post,
        "meaning": entry.meaning,
        "stage": stage.label if stage is not None else entry.stage,
        "reason": entry.reason,
        "entered_for": entry.entered_for,
        "fields": [labels.get(key, key) for key in sorted({*entry.values, *entry.sealed})],
        "old": old_values(changes) or None,
        "new": new_values(changes) or None,
        "digest": digest.text,
        "previous": entry.previous.text if entry.previous is not None else None,
    }


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
