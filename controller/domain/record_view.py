"""记录的打印视图. What a print shows of a record, as names for templates; also the blank form.

The names are those of `docs/form-language.md` §1. Sensitive values that the reader may not see are shown as `＊＊＊`,
so that a masked print never looks like an empty one. Turning names into a docx is `services.form_rendering`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller.domain.field_values import PENDING, display, display_rows, is_pending, typed_values
from controller.domain.form import Field, FieldType, FormDefinition

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.domain.record import Signatory, Wire

MASK = "＊＊＊"
"""Stands for a value that is there but not shown."""
VOIDED = "已作废"
TICKED, EMPTY_BOX, MASKED_BOX = "☑", "□", "＊"
BLANK_ROWS = 3
"""Empty rows of a table on a blank form, unless the table presets rows or needs more."""
_BETWEEN_BOXES = "\u3000"
_BOXED = frozenset({FieldType.CHOICE, FieldType.MULTI_CHOICE, FieldType.BOOL})
_YES_NO = ("是", "否")
RECORD_NAMES = ("number", "revision", "stage", "opened_at", "opened_by", "late_entry_reason", "voided")
FORM_NAMES = ("number", "title", "revision", "blank")
SIGNATURE_NAMES = ("name", "date", "meaning")


@dataclass(frozen=True)
class RecordView:
    """一份记录给人看的样子. The state that is printed, with what may not be shown left out."""

    number: str
    stage_label: str
    opened_at: str
    """Machine time, ISO 8601."""
    opened_by: str
    """Full name."""
    values: Mapping[str, Wire]
    masked: frozenset[str] = frozenset()
    """Fields that hold a value which this reader may not see."""
    signed: Mapping[str, tuple[Signatory, str]] = field(default_factory=dict)
    """Stage key → who performed it and when (ISO 8601)."""
    voided: bool = False
    late_entry_reason: str = ""
    closing: Sequence[str] = ()
    """Every signature with name, time and meaning, a line each; printed after the form's own text."""


def template_context(definition: FormDefinition, view: RecordView | None, *, company: str) -> dict[str, object]:
    """Return every name a template of this form may use; `view` None gives the blank form."""
    values = {} if view is None else view.values
    masked = frozenset() if view is None else view.masked
    open_values = {key: value for key, value in values.items() if key not in masked}
    context: dict[str, object] = {}
    box: dict[str, dict[str, str]] = {}
    boxes: dict[str, str] = {}
    for item in definition.fields:
        hidden = item.key in masked
        value = open_values.get(item.key)
        if item.type is FieldType.TABLE:
            context[item.key] = _rows(item, value, hidden=hidden, blank=view is None)
        else:
            context[item.key] = MASK if hidden else display(item, value)
        if item.type in _BOXED:
            box[item.key] = _boxes(item, value, hidden=hidden)
            boxes[item.key] = MASK if hidden else _boxes_line(box[item.key], value)
    context.update(
        raw=typed_values(definition, open_values),
        box=box,
        boxes=boxes,
        record=_record_names(definition, view),
        company={"name": company},
        form={
            "number": definition.number.text,
            "title": definition.title,
            "revision": definition.revision.text,
            "blank": view is None,
        },
        sig=_signatures(definition, view),
    )
    return context


def options(item: Field) -> Sequence[str]:
    """Return the texts a field's boxes stand for."""
    return _YES_NO if item.type is FieldType.BOOL else item.choices


def has_boxes(item: Field) -> bool:
    """Tell whether the field is printed with tick boxes."""
    return item.type in _BOXED


def _rows(item: Field, value: Wire, *, hidden: bool, blank: bool) -> list[dict[str, object]]:
    if hidden:
        return [{"no": 1, **{column.key: MASK for column in item.columns}}]
    rows = display_rows(item, value)
    if blank:
        first = item.columns[0].key if item.columns else ""
        empty = {column.key: "" for column in item.columns}
        rows = [{**empty, first: text} for text in item.rows] or [
            dict(empty) for _ in range(max(BLANK_ROWS, item.min_rows or 0))
        ]
    return [{"no": number, **row} for number, row in enumerate(rows, 1)]


def _boxes(item: Field, value: Wire, *, hidden: bool) -> dict[str, str]:
    if hidden:
        return dict.fromkeys(options(item), MASKED_BOX)
    chosen = _chosen(value)
    found = {option: TICKED if option in chosen else EMPTY_BOX for option in options(item)}
    # What was chosen stays visible even when a later revision of the form no longer offers it.
    found.update(dict.fromkeys((text for text in chosen if text not in found), TICKED))
    return found


def _chosen(value: Wire) -> list[str]:
    if value is None or value in ("", []) or is_pending(value):
        return []
    if isinstance(value, bool):
        return [_YES_NO[0] if value else _YES_NO[1]]
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _boxes_line(marks: Mapping[str, str], value: Wire) -> str:
    # The space inside an option never breaks: a box stays with its text.
    line = _BETWEEN_BOXES.join(f"{mark}\u00a0{option}" for option, mark in marks.items())
    return f"{line}{_BETWEEN_BOXES}{PENDING}" if is_pending(value) else line


def _record_names(definition: FormDefinition, view: RecordView | None) -> dict[str, object]:
    if view is None:
        return {**dict.fromkeys(RECORD_NAMES, ""), "revision": definition.revision.text, "voided": False}
    return {
        # A template may leave out the stage; the number is on every print.
        "number": f"{view.number}（{VOIDED}）" if view.voided else view.number,
        "revision": definition.revision.text,
        "stage": VOIDED if view.voided else view.stage_label,
        "opened_at": view.opened_at[:16].replace("T", " "),
        "opened_by": view.opened_by,
        "late_entry_reason": view.late_entry_reason,
        "voided": view.voided,
    }


def _signatures(definition: FormDefinition, view: RecordView | None) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for slot in definition.signatures:
        done = view.signed.get(slot.stage) if view is not None and slot.stage is not None else None
        found[slot.key] = {
            "name": done[0].name if done else "",
            "date": done[1][:10] if done else "",
            "meaning": slot.meaning,
        }
    return found
