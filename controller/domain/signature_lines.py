"""打印件上的签名. Every signature of a record in one line: who, when, meaning, stage and why (21 CFR 11.50 b).

Forms have slots for some signatures only, and there only for the day. What is printed after a form leaves none out:
also corrections, voids and signatures on paper.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.paper_signature import paper_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.domain.form import FormDefinition
    from controller.domain.identifiers import Digest
    from controller.domain.record import Entry

HEADING = "电子签名（姓名和时间由系统写入，签名文件在企业档案中）"
_CLOCK = slice(11, 19)
_ZONE = slice(19, None)


def signed_moment(at: str) -> str:
    """Return a machine time as people read it, to the second and with its zone: `2026-05-01 09:30:00 +08:00`."""
    return f"{at[:10]} {at[_CLOCK]} {at[_ZONE]}".rstrip()


def signature_lines(definition: FormDefinition, entries: Sequence[tuple[Entry, Digest]]) -> list[str]:
    """Return a heading and a line for each entry's signature, then one for each signature on paper."""
    lines = [HEADING]
    for entry, _ in entries:
        stage = definition.stage(entry.stage)
        by = f"{entry.by.name}（{entry.by.post}）"
        label = stage.label if stage else entry.stage
        parts = [f"{entry.sequence}.", signed_moment(entry.at), by, entry.meaning, label]
        if entry.entered_for:
            parts.append(f"代 {entry.entered_for} 录入")
        if entry.reason:
            parts.append(f"原因：{entry.reason}")
        lines.append("\u3000".join(parts))
    return [*lines, *paper_lines(entries)]
