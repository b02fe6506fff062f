"""记录的显示. A record on the screen and as a JSON document: fields, what each entry changed, attachments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.field_values import display
from controller.domain.form import FieldType
from controller.domain.form_problem import MASK as MASK_WIRE
from controller.domain.paper_signature import paper_of
from controller.domain.record import Act
from controller.domain.record_changes import changes
from controller.domain.record_view import MASK
from controller.domain.text import T, moment_text
from controller.domain.trail_event import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller.cli.output import Output
    from controller.domain.form import Field, FormDefinition
    from controller.domain.record import RecordState, Wire
    from controller.domain.record_changes import Change
    from controller.domain.record_view import RecordView
    from controller.services.record_reading import StoredRecord

_KILO = 1024


def show_record(out: Output, stored: StoredRecord, view: RecordView) -> None:
    """Print a record for people: its fields as they stand, then every act with what it changed."""
    definition, state = stored.package.definition, stored.state
    out.line(f"{definition.title}  {state.number}  {definition.revision}")
    out.line(T("已作废") if state.voided else T("阶段：{stage}", stage=view.stage_label))
    for item in definition.fields:
        masked = item.key in view.masked
        value = view.values.get(item.key)
        if value is not None or masked:
            out.line(T("  {label}：{value}", label=item.label, value=MASK if masked else shown_value(item, value)))
    out.line(T("经过："))
    told = changes([entry for entry, _ in stored.entries])
    for (entry, _), changed in zip(stored.entries, told, strict=True):
        aside = [T("（原因：{reason}）", reason=entry.reason)] if entry.reason else []
        aside += [T("（代 {name} 录入）", name=entry.entered_for)] if entry.entered_for else []
        stage = definition.stage(entry.stage)
        label = stage.label if stage else entry.stage
        asides = "".join(out.text(item) for item in aside)
        out.line(f"  {moment_text(entry.at)}  {entry.by.name}（{entry.by.post}）  {entry.meaning}  {label}{asides}")
        paper = paper_of(entry.source) if entry.act is Act.SIGNED_ON_PAPER else None
        if paper is not None:
            out.line("    " + one_line(paper.told(entry.by, last=entry.sequence - 1)))
        for change in changed:
            out.line("    " + _change_line(out, definition, change))
    if view.masked:
        out.line(T("敏感个人信息已遮蔽；有权限时加 --unmask 查看。"))


def record_data(stored: StoredRecord, view: RecordView) -> dict[str, object]:
    """Return the stable JSON shape of one record; sensitive values in `changes` are never shown."""
    told = changes([entry for entry, _ in stored.entries])
    definition = stored.package.definition
    return {
        **state_data(stored.state),
        "values": {**dict(view.values), **dict.fromkeys(sorted(view.masked), MASK_WIRE)},
        "entries": [
            {
                "sequence": entry.sequence,
                "act": entry.act.value,
                "at": entry.at,
                "by": {"person": entry.by.person, "name": entry.by.name, "post": entry.by.post},
                "meaning": entry.meaning,
                "stage": entry.stage,
                "reason": entry.reason,
                "entered_for": entry.entered_for,
                "source": entry.source,
                "changes": [
                    {"field": item.field, "label": _label(definition, item.field), "old": item.old, "new": item.new}
                    for item in changed
                ],
                "digest": digest.text,
            }
            for (entry, digest), changed in zip(stored.entries, told, strict=True)
        ],
    }


def state_data(state: RecordState) -> dict[str, object]:
    """Return the stable JSON shape of a record in a list."""
    return {
        "number": state.number.text,
        "form": state.form.number.text,
        "revision": state.form.revision.text,
        "stage": state.stage,
        "voided": state.voided,
        "opened_at": state.opened_at,
        "opened_by": state.opened_by.name,
        "changed_at": state.changed_at,
    }


def minute(moment: str) -> str:
    """Return a machine time to the minute, as people write it."""
    return moment[:16].replace("T", " ")


def shown_value(item: Field, value: Wire) -> str:
    """Return a stored value as shown on screen; an attachment with its size."""
    if item.type is FieldType.ATTACHMENT:
        found = list(_attachments(value))
        if found:
            return "、".join(found)
    return display(item, value)


def size_text(size: int) -> str:
    """Return a number of bytes as people read it."""
    if size < _KILO:
        return f"{size} B"
    return f"{size / _KILO:.0f} KB" if size < _KILO**2 else f"{size / _KILO**2:.1f} MB"


def _attachments(value: Wire) -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict) and "digest" in item:
            size = str(item.get("size"))
            aside = f"（{size_text(int(size))}）" if size.isdecimal() else ""
            yield f"{item.get('name')}{aside}"


def _label(definition: FormDefinition, key: str) -> str:
    item = definition.field(key)
    return item.label if item else key


def _change_line(out: Output, definition: FormDefinition, change: Change) -> str:
    item = definition.field(change.field)

    def told(value: Wire) -> str:
        if value is None:
            return out.text(T("（空）"))
        if value == MASK_WIRE:
            return MASK
        return shown_value(item, value) if item else str(value)

    label = _label(definition, change.field)
    return out.text(T("{label}：{old} → {new}", label=label, old=told(change.old), new=told(change.new)))
