"""条目的说明. Tells what one entry of a record did: every field with its old and new value as printed (21 CFR 11.10 e).

Old values come from folding the record's chain; labels and choices from the form that the record was filled on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from controller.domain.errors import QmsError
from controller.domain.field_values import display
from controller.domain.form import Personal
from controller.domain.form_problem import MASK
from controller.domain.paper_signature import paper_of
from controller.domain.record import Act
from controller.domain.text import T
from controller.domain.trail_event import ObjectKind, ShownChange, TrailEvent, one_line
from controller.file_formats.sealed_file import mismatches, unseal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.domain.form import Field, FormDefinition
    from controller.domain.identifiers import Digest
    from controller.domain.record import Entry, Wire
    from controller.domain.trail_event import Signed
    from controller.services.archived_forms import ArchivedForms
    from controller.services.ports import RecordKeys

STAGE = "@stage"
"""Key of the change that tells of the record's stage; no field can be called so."""

_STAGE_LABEL = T("阶段")


class _KnownForm(NamedTuple):
    """What telling needs of a form."""

    title: str
    fields: Mapping[str, Field]
    places: Mapping[str, int]
    stages: Mapping[str, str]


class EntryTelling:
    """条目的说明. Told the entries of a record in order; `begin` comes before the first of each record."""

    def __init__(self, definitions: ArchivedForms, keys: RecordKeys | None = None, *, unmask: bool = False) -> None:
        self.unmask = unmask
        self.unopened = 0
        """Entries whose sealed values were asked for and could not be opened."""
        self._definitions = definitions
        self._keys = keys
        self._forms: dict[str, _KnownForm] = {}
        self._now: dict[str, str] = {}
        self._stage = ""

    def begin(self) -> None:
        """Forget the record before."""
        self._now = {}
        self._stage = ""

    def event(self, entry: Entry, sequence: int, digest: Digest, signed: Signed, sealed: bytes | None) -> TrailEvent:
        """Return what `entry` did; `sealed` is the file of sealed values beside it."""
        form = self._form(entry)
        stage = form.stages.get(entry.stage, one_line(entry.stage))
        changes = self.changes(entry, sealed)
        source = entry.source or {}
        aside = [f"代 {one_line(entry.entered_for)} 录入"] if entry.entered_for else []
        paper = paper_of(source) if entry.act is Act.SIGNED_ON_PAPER else None
        if paper is not None:
            aside.append(one_line(paper.told(entry.by, last=entry.sequence - 1)))
        elif source:
            row = f" 第 {one_line(str(source['row']))} 行" if source.get("row") else ""
            aside.append(f"来自 {one_line(str(source.get('file') or ''))}{row}")
        return TrailEvent(
            at=entry.at,
            person=one_line(entry.by.person),
            name=one_line(entry.by.name),
            post=one_line(entry.by.post),
            claimed="",
            computer=one_line(entry.origin.computer),
            account=one_line(entry.origin.account),
            sitting=one_line(entry.origin.sitting),
            kind=ObjectKind.RECORD,
            object=entry.record.text,
            title=form.title,
            code=entry.act.value,
            stage=stage,
            changes=changes,
            reason=one_line(entry.reason or ""),
            meaning=one_line(entry.meaning),
            aside=tuple(aside),
            signed=signed,
            witnesses=(),
            chain=entry.record.text,
            sequence=sequence,
            digest=digest.text,
        )

    def changes(self, entry: Entry, sealed: bytes | None = None) -> tuple[ShownChange, ...]:
        """Return what `entry` set, in the order of the form; what it cleared has an empty new value."""
        form = self._form(entry)
        stage = form.stages.get(entry.stage, one_line(entry.stage))
        found = []
        if self._stage and stage != self._stage:
            found.append(ShownChange(STAGE, str(_STAGE_LABEL), self._stage, stage))
        self._stage = stage
        told: dict[str, str] = {}
        for key, value in entry.values.items():
            field = form.fields.get(key)
            hidden = field is not None and field.personal is Personal.SENSITIVE and not self.unmask
            told[key] = _shown(field, value, hidden=hidden)
        if entry.sealed:
            opened = self._opened(entry, sealed) if self.unmask else None
            for key in entry.sealed:
                told[key] = MASK if opened is None else _shown(form.fields.get(key), opened[key])
        last = len(form.places)
        for key in sorted(told, key=lambda one: (form.places.get(one, last), one)):
            old, new = self._now.get(key, ""), told[key]
            if old or new:
                field = form.fields.get(key)
                found.append(ShownChange(key, field.label if field is not None else one_line(key), old, new))
        self._now.update(told)
        return tuple(found)

    def _form(self, entry: Entry) -> _KnownForm:
        digest = entry.form.digest.text
        if digest not in self._forms:
            self._forms[digest] = _known(self._definitions.definition(entry.form))
        return self._forms[digest]

    def _opened(self, entry: Entry, sealed: bytes | None) -> Mapping[str, Wire] | None:
        """Return the sealed values, proven by the entry; None when they cannot be opened."""
        key = self._keys.get(entry.record) if self._keys is not None else None
        try:
            part = unseal(sealed, key) if sealed is not None and key is not None else None
        except QmsError:
            part = None
        if part is None or mismatches(part, entry.sealed):
            self.unopened += 1
            return None
        return part.values


def _known(definition: FormDefinition | None) -> _KnownForm:
    if definition is None:
        return _KnownForm("", {}, {}, {})
    return _KnownForm(
        definition.title,
        {field.key: field for field in definition.fields},
        {field.key: place for place, field in enumerate(definition.fields)},
        {stage.key: stage.label for stage in definition.stages},
    )


def _shown(field: Field | None, value: Wire, *, hidden: bool = False) -> str:
    if value is None or value in ("", []):
        return ""
    if hidden:
        return MASK
    return one_line(display(field, value) if field is not None else plain(value))


def plain(value: Wire) -> str:
    """Return a stored value whose meaning is not known."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list):
        return "、".join(map(plain, value))
    if isinstance(value, dict):
        return "，".join(f"{key}={plain(item)}" for key, item in value.items())
    return value or ""
