"""逐项询问. Asks on the terminal for what the first stage needs, and nothing the system already knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from controller.domain.form import FieldType
from controller.domain.text import T

if TYPE_CHECKING:
    from controller.cli.output import Output
    from controller.domain.form import Field, FormDefinition

_NEVER_ASKED = frozenset({FieldType.COMPUTED, FieldType.PERFORMER})


def ask_values(definition: FormDefinition, out: Output) -> dict[str, Any]:
    """Return typed values for every field that must be filled to open a record of this form."""
    first = definition.first_stage.key
    out.line(
        T(
            "《{title}》{number} {revision}",
            title=definition.title,
            number=definition.number,
            revision=definition.revision,
        )
    )
    if definition.note:
        out.line(definition.note)
    values: dict[str, Any] = {}
    for item in definition.fields:
        if item.type in _NEVER_ASKED or item.required_from != first or item.default is not None:
            continue
        values[item.key] = _ask_table(item, out) if item.type is FieldType.TABLE else _ask(item, out)
    return values


def _ask(item: Field, out: Output) -> Any:
    if item.help:
        out.line(f"  ({item.help})")
    if item.type is FieldType.BOOL:
        return click.confirm(item.label)
    if item.type is FieldType.CHOICE:
        return _pick(item, out, several=False)
    if item.type is FieldType.MULTI_CHOICE:
        return _pick(item, out, several=True)
    return click.prompt(item.label + (f"({item.unit})" if item.unit else ""), type=str)


def _pick(item: Field, out: Output, *, several: bool) -> Any:
    for position, choice in enumerate(item.choices, start=1):
        out.line(f"  {position}. {choice}")
    question = (
        T("{label}（填序号，可填多个，用逗号分开）", label=item.label)
        if several
        else T("{label}（填序号）", label=item.label)
    )
    while True:
        answer = click.prompt(out.text(question), type=str)
        parts = [part.strip() for part in answer.replace(",", ",").replace("、", ",").split(",") if part.strip()]
        picked = [
            item.choices[int(part) - 1] if part.isdecimal() and 0 < int(part) <= len(item.choices) else part
            for part in parts
        ]
        if picked and all(choice in item.choices for choice in picked) and (several or len(picked) == 1):
            return picked if several else picked[0]
        out.line(T("请填 1 到 {count} 的序号。", count=len(item.choices)))


def _ask_table(item: Field, out: Output) -> list[dict[str, Any]]:
    out.line(item.label)
    rows: list[dict[str, Any]] = []
    preset = list(item.rows)
    while True:
        row: dict[str, Any] = {}
        for position, column in enumerate(item.columns):
            if position == 0 and len(rows) < len(preset):
                row[column.key] = preset[len(rows)]
                out.line(f"  {preset[len(rows)]}")
                continue
            answer = click.prompt(f"  {column.label}", default="", show_default=False, type=str)
            if answer:
                row[column.key] = answer
        rows.append(row)
        if len(rows) >= len(preset) and not click.confirm(out.text(T("再填一行？")), default=False):
            return rows
