"""逐项询问. Asks one field on the terminal, in the way people answer: numbers or names, any comma, 是 or 否."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from controller.cli.questions import agreed
from controller.domain.field_values import PENDING, SIGNATURE_KINDS, UNSIGNED_KINDS, is_pending
from controller.domain.form import FieldType
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from controller.cli.output import Output
    from controller.domain.form import Field
    from controller.domain.form_check import Problem

_BETWEEN = re.compile("[,\uff0c、;\uff1b]")


def ask_field(item: Field, out: Output, *, blank: Text | None = None) -> Any:
    """Return what the person typed for a field, as a values file would have it; None for a blank where `blank` allows.

    `blank` says what an empty answer means; without it an empty answer is asked again.
    """
    if item.help:
        out.line(T("  （{help}）", help=item.help))
    if item.type is FieldType.TABLE:
        return _ask_table(item, out)
    if item.type is FieldType.EXTERNAL_SIGNATURE:
        return _ask_signature(item, out)
    if item.choices:
        return ask_choice(
            item.label, item.choices, out, several=item.type is FieldType.MULTI_CHOICE, blank=blank, pending=True
        )
    label = item.label + (f"\uff08{item.unit}\uff09" if item.unit else "")
    question = T("{label}（是/否）", label=label) if item.type is FieldType.BOOL else T("{label}", label=label)
    return _answer(question, out, blank=blank)


def ask_choice(
    label: str, choices: Sequence[str], out: Output, *, several: bool, blank: Text | None = None, pending: bool = False
) -> Any:
    """Return the choice, or with `several` the list of choices, picked by number or by name.

    None stands for a blank, where `blank` allows it; with `pending` the answer may be 待补.
    """
    for position, choice in enumerate(choices, start=1):
        out.line(f"  {position}. {choice}")
    question = (
        T("{label}（填序号，可填多个，用逗号分开）", label=label) if several else T("{label}（填序号）", label=label)
    )
    while True:
        answer = _answer(question, out, blank=blank)
        if answer is None or (pending and is_pending(answer)):
            return answer
        picked = picked_choices(answer, choices)
        if picked and (several or len(picked) == 1):
            return picked if several else picked[0]
        out.line(T("请填 1 到 {count} 的序号，或写选项名称。", count=len(choices)))


def picked_choices(answer: str, choices: Sequence[str]) -> list[str]:
    """Return the choices that an answer names, each once; empty when a part of it is none of them."""
    picked: list[str] = []
    for part in _parts(answer.strip(), choices):
        if part in choices:
            picked.append(part)
        elif part.isdecimal() and 0 < int(part[:9]) <= len(choices):
            picked.append(choices[int(part[:9]) - 1])
        else:
            return []
    return list(dict.fromkeys(picked))


def _parts(answer: str, choices: Sequence[str]) -> Iterable[str]:
    if answer in choices:
        yield answer
        return
    for piece in (part.strip() for part in _BETWEEN.split(answer)):
        if piece in choices:
            yield piece
        else:
            yield from piece.split()


def ask_cells(item: Field, rows: list[dict[str, Any]], problems: Sequence[Problem], out: Output) -> bool:
    """Ask the cells that `problems` name again, in place; False when they name none of them."""
    columns = {column.key: column for column in item.columns}
    asked = False
    for place in dict.fromkeys(problem.field for problem in problems):
        key, _, rest = place.partition(".")
        row, _, column = rest.partition(".")
        if key != item.key or column not in columns or not row.isdecimal() or not 0 < int(row) <= len(rows):
            continue
        asked = True
        where = T("{label} 第{row}行", label=item.label, row=int(row))
        out.line(where)
        typed = ask_field(columns[column], out, blank=T("清空"))
        rows[int(row) - 1].pop(column, None)
        if typed is not None:
            rows[int(row) - 1][column] = typed
    return asked


def _answer(question: Text, out: Output, *, blank: Text | None = None) -> str | None:
    shown = out.text(question)
    if blank is not None:
        shown = out.text(T("{question}（直接回车：{blank}）", question=shown, blank=blank))
    while True:
        answer = str(click.prompt(shown, default="", show_default=False, type=str, prompt_suffix="\uff1a")).strip()
        if answer:
            return answer
        if blank is not None:
            return None
        out.line(T("这一项不能为空，请填写；要放弃按 Ctrl-C。"))


def _ask_signature(item: Field, out: Output) -> Any:
    kind = ask_choice(item.label, SIGNATURE_KINDS, out, several=False, pending=True)
    if is_pending(kind):
        return PENDING
    if kind in UNSIGNED_KINDS:
        return {"kind": kind, "reason": _answer(T("原因"), out)}
    return {
        "kind": kind,
        "name": _answer(T("签名人"), out),
        "at": _answer(T("签名日期（如 2026-05-01）"), out),
        "file": _answer(T("扫描件或截图的文件"), out),
    }


def _ask_table(item: Field, out: Output) -> list[dict[str, Any]]:
    out.line(item.label)
    rows: list[dict[str, Any]] = []
    preset = list(item.rows)
    while True:
        row: dict[str, Any] = {}
        out.line(T("{label} 第{row}行", label=item.label, row=len(rows) + 1))
        for position, column in enumerate(item.columns):
            if position == 0 and len(rows) < len(preset):
                row[column.key] = preset[len(rows)]
                out.line(f"  {preset[len(rows)]}")
                continue
            if column.type in {FieldType.COMPUTED, FieldType.PERFORMER}:
                continue
            typed = ask_field(column, out, blank=T("不填"))
            if typed is not None:
                row[column.key] = typed
        rows.append(row)
        if len(rows) >= len(preset) and not agreed(out, T("再填一行？")):
            return rows
