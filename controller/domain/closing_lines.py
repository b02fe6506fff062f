"""打印件文末. What is printed after every form: each signature (21 CFR 11.50 b), then each correction (11.10 e).

Forms have slots for some signatures only, and there only for the day; a corrected field shows its last value. What is
printed after a form leaves none out: also voids and signatures on paper, and each value before a correction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.field_values import display
from controller.domain.form_problem import MASK as MASKED
from controller.domain.paper_signature import paper_lines
from controller.domain.record import Act
from controller.domain.record_changes import changes
from controller.domain.record_view import MASK
from controller.domain.text import moment_text
from controller.domain.trail_event import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from controller.domain.form import Field, FormDefinition
    from controller.domain.identifiers import Digest
    from controller.domain.record import Entry, Wire

SIGNATURES = "电子签名（姓名和时间由系统写入，签名文件在企业档案中）"
CORRECTIONS = "更正（序号为上列签名的序号；箭头前是原来写的）"
_GAP = "\u3000"


def closing_lines(definition: FormDefinition, entries: Sequence[tuple[Entry, Digest]]) -> list[str]:
    """Return the signatures of a record under their heading, then its corrections under theirs, a line each.

    Sensitive values are masked, also on a print that shows them: what they were stays in the sealed parts.
    """
    corrections = list(_corrections(definition, [entry for entry, _ in entries]))
    headed = [CORRECTIONS, *corrections] if corrections else []
    return [SIGNATURES, *_signatures(definition, entries), *paper_lines(entries), *headed]


def _signatures(definition: FormDefinition, entries: Sequence[tuple[Entry, Digest]]) -> Iterator[str]:
    for entry, _ in entries:
        stage = definition.stage(entry.stage)
        label = stage.label if stage else entry.stage
        parts = [f"{entry.sequence}.", moment_text(entry.at), _by(entry), entry.meaning, label]
        if entry.entered_for:
            parts.append(f"代 {entry.entered_for} 录入")
        if entry.reason:
            parts.append(f"原因：{entry.reason}")
        yield _GAP.join(parts)


def _corrections(definition: FormDefinition, entries: Sequence[Entry]) -> Iterator[str]:
    for entry, changed in zip(entries, changes(entries), strict=True):
        if entry.act is not Act.CORRECTED:
            continue
        for change in changed:
            item = definition.field(change.field)
            label = item.label if item is not None else change.field
            told = f"{label}：{_value(item, change.old)} → {_value(item, change.new)}"
            aside = f"原因：{entry.reason or ''}；{_by(entry)} {moment_text(entry.at)}"
            yield f"{entry.sequence}.{_GAP}{one_line(told)}（{aside}）"


def _by(entry: Entry) -> str:
    return f"{entry.by.name}（{entry.by.post}）"


def _value(item: Field | None, value: Wire) -> str:
    if value == MASKED:
        return MASK
    return (display(item, value) if item is not None else str(value or "")) or "（空）"
