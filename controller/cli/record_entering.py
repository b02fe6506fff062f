"""录入. Gathers what an act says: values file, `--set`, and on a terminal questions until everything is right.

Nothing that was typed is lost when the form refuses it: the problems are shown and only the wrong fields asked again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller.cli.files import attachment_files, read_input
from controller.cli.record_page import shown_value
from controller.cli.record_prompts import ask_cells, ask_choice, ask_field
from controller.domain.errors import QmsError
from controller.domain.expression import Expression, ExpressionEvaluationError
from controller.domain.field_values import is_pending, typed_values
from controller.domain.form import FieldType, Level
from controller.domain.form_problem import Problem
from controller.domain.form_stages import stages_passed
from controller.domain.identifiers import nearest
from controller.domain.record_view import MASK
from controller.domain.text import T
from controller.domain.value_check import ValueCheck
from controller.domain.value_entry import Surroundings, is_blank
from controller.services.attached_files import attach
from controller.services.entry_making import ValuesRefusedError, is_sensitive

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.bootstrap import Application
    from controller.cli.output import Output
    from controller.domain.form import Field, FormDefinition
    from controller.domain.record import Wire
    from controller.services.record_filing import Filed

_Values = dict[str, Any]
_Files = dict[str, bytes]
_Preview = Callable[[_Values, _Files], "Mapping[str, Wire]"]
_MACHINE = frozenset({FieldType.COMPUTED, FieldType.PERFORMER})
_HALF_WIDTH = str.maketrans("\uff08\uff09\uff0c\uff1a", "(),:")


def at_terminal(out: Output) -> bool:
    """Tell whether a person can be asked: a terminal, and no program waiting for JSON."""
    return sys.stdin.isatty() and not out.as_json


def given_values(
    file: Path | None, settings: Sequence[str], definition: FormDefinition, out: Output
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the values of `--values` and `--set` by field key, and the attachment files they name; `--set` wins.

    Raises:
        click.UsageError: a setting is not `字段=值`, or names no field of the form.
    """
    values, files = read_input(file, definition) if file is not None else ({}, {})
    keys = {item.key: item.key for item in definition.fields}
    names = {**{item.label.translate(_HALF_WIDTH): item.key for item in reversed(definition.fields)}, **keys}
    chosen: dict[str, Any] = {}
    for setting in settings:
        name, sign, value = setting.replace("\uff1d", "=", 0 if "=" in setting else 1).partition("=")
        if not sign:
            raise click.UsageError(out.text(T("--set 应写成 字段=值，例如 --set 方式=电话。")))
        key = names.get(name.strip().translate(_HALF_WIDTH))
        if key is None:
            close = nearest(name.strip(), names)
            hint = T("是否想写“{close}”？", close=close) if close else T("用 qms form show 查看字段名称。")
            raise click.UsageError(
                out.text(T("--set 的“{name}”不是这张表的字段。{hint}", name=name.strip()[:60], hint=hint))
            )
        chosen[key] = value.strip()
    # People name files of their own where they work; only a values file is held to its own folder.
    files.update(attachment_files(chosen, definition, Path.cwd(), anywhere=True))
    return {**values, **chosen}, files


class Entering:
    """一次录入. The values of one act while they are asked for, checked and corrected."""

    def __init__(
        self,
        application: Application,
        out: Output,
        definition: FormDefinition,
        *,
        stage: str,
        given: tuple[dict[str, Any], dict[str, bytes]],
        before: Mapping[str, Wire] | None = None,
    ) -> None:
        self._application = application
        self._out = out
        self._definition = definition
        self._stage = stage
        self._opening = before is None
        self._before: Mapping[str, Wire] = before or {}
        self.values, self.files = given
        self._wire: dict[str, Wire] = {}
        """Answers as they would be stored; what questions depend on."""
        for item in definition.fields:
            if not is_blank(self.values.get(item.key)) and item.type not in _MACHINE:
                self._check(item, self.values[item.key])

    def ask_missing(self) -> None:
        """Ask for every field that the stage needs and that is still empty."""
        for item in self._definition.fields:
            if self._needed(item):
                self._ask(item)

    def ask_corrections(self) -> None:
        """Ask which filled fields are wrong, and for each its right value."""
        filled = [
            item
            for item in self._definition.fields
            if item.type not in _MACHINE and self._before.get(item.key) is not None
        ]
        if not filled:
            return
        old = {item.key: MASK if is_sensitive(item) else shown_value(item, self._before[item.key]) for item in filled}
        rows = [self._out.text(T("{label}：{value}", label=item.label, value=old[item.key])) for item in filled]
        for row in ask_choice(self._out.text(T("更正哪一项")), rows, self._out, several=True):
            item = filled[rows.index(row)]
            self._out.line(T("{label} 原值：{value}", label=item.label, value=old[item.key]))
            self._ask(item)

    def file(self, act: Callable[[_Values, _Files], Filed], *, preview: _Preview | None = None) -> Filed:
        """Perform `act` with the values; whenever the form refuses them, show why and ask the wrong ones again.

        `preview` gives everything that would be signed; what nobody was asked is shown before `act`.
        """
        while True:
            try:
                while preview is not None and self._changes_unasked(preview(self.values, self.files)):
                    pass
                return act(self.values, self.files)
            except ValuesRefusedError as refused:
                self._out.line(T("有 {count} 处需要改正（要放弃按 Ctrl-C）：", count=len(refused.problems)))
                self._again(refused.problems)

    def _changes_unasked(self, signed: Mapping[str, Wire]) -> bool:
        """Show what the form fills in by itself; tell whether the person gave another value for any of it."""
        unasked = [
            item
            for item in self._definition.fields
            if item.key not in self.values and signed.get(item.key) is not None and item.type is not FieldType.PERFORMER
        ]
        if not unasked:
            return False
        self._out.line(T("以下内容由表单填写，与您填的一起签名："))
        for item in unasked:
            value = MASK if is_sensitive(item) else shown_value(item, signed[item.key])
            self._out.line("  " + self._out.text(T("{label}：{value}", label=item.label, value=value)))
        open_ones = {item.label: item for item in unasked if item.type not in _MACHINE}
        if not open_ones:
            return False
        labels = list(open_ones)
        question = self._out.text(T("改哪一项"))
        picked = ask_choice(question, labels, self._out, several=True, blank=T("都对"))
        for label in picked or ():
            self._ask(open_ones[label])
        return bool(picked)

    def _again(self, problems: Sequence[Problem]) -> None:
        self._show(problems)
        wrong: dict[str, list[Problem]] = {}
        for problem in problems:
            rule = next((item for item in self._definition.rules if item.id == problem.id), None)
            named = rule.fields if rule is not None and problem.code == "rule" else (problem.field.partition(".")[0],)
            for key in named:
                item = self._definition.field(key)
                if problem.code in {"machine-written", "already-entered", "field-unknown"}:
                    self.values.pop(problem.field, None)
                elif item is not None and item.type not in _MACHINE:
                    wrong.setdefault(key, []).append(problem)
        asked = [item for item in self._definition.fields if item.key in wrong]
        for item in asked or self._chosen():
            self._ask(item, wrong.get(item.key, ()), again=True)

    def _chosen(self) -> list[Field]:
        """Return the fields that the person wants to change, where the problem names none."""
        fields = [item for item in self._definition.fields if item.type not in _MACHINE]
        labels = [item.label for item in fields]
        picked = ask_choice(self._out.text(T("改哪一项")), labels, self._out, several=True)
        return [item for item in fields if item.label in picked]

    def _ask(self, item: Field, problems: Sequence[Problem] = (), *, again: bool = False) -> None:
        codes = {problem.code for problem in problems}
        filled = item.key in self.values or item.key in self._before
        blank = None
        if again and codes <= {"rule"} and filled:
            blank = T("不改")
        elif "contradictory" in codes or "udi-mismatch" in codes:
            blank = T("清空")
        typed: Any = self.values.get(item.key)
        if not (again and isinstance(typed, list) and ask_cells(item, typed, problems, self._out)):
            typed = ask_field(item, self._out, blank=blank)
        while typed is not None:
            wrong = self._read_files(item, typed) or self._check(item, typed)
            if not wrong:
                self.values[item.key] = typed
                return
            self._show(wrong)
            if not (isinstance(typed, list) and ask_cells(item, typed, wrong, self._out)):
                typed = ask_field(item, self._out, blank=blank)
        if "rule" not in codes or codes - {"rule"}:
            self._clear(item)

    def _clear(self, item: Field) -> None:
        self._wire.pop(item.key, None)
        self.values.pop(item.key, None)
        if not self._opening and self._before.get(item.key) is not None:
            self.values[item.key] = None

    def _read_files(self, item: Field, typed: Any) -> list[Problem]:
        """Read the files that an answer names; return why they cannot be taken."""
        try:
            named = attachment_files({item.key: typed}, self._definition, Path.cwd(), anywhere=True)
            attach(named)
        except QmsError as error:
            return [Problem("attachment", item.key, item.label, "", error.message, error.hint or T("换一个文件"))]
        self.files.update(named)
        return []

    def _check(self, item: Field, typed: Any) -> list[Problem]:
        """Return what is wrong with one value by itself; remember it for the questions that follow."""
        self._wire.pop(item.key, None)
        problems: list[Problem] = []
        application = self._application
        now = application.clock.now()
        around = Surroundings(now.tzinfo, application.staff, attach(self.files).named)
        stored = ValueCheck(now, around, problems).value(item, typed)
        if stored is not None:
            self._wire[item.key] = stored
        return [problem for problem in problems if problem.level is Level.ERROR]

    def _show(self, problems: Sequence[Problem]) -> None:
        for line in self._out.problem_lines(problems):
            self._out.line(line)

    def _needed(self, item: Field) -> bool:
        if item.type in _MACHINE or (item.default is not None and self._opening):
            return False
        earlier = self._before.get(item.key)
        if not is_blank(self.values.get(item.key)) or not (is_blank(earlier) or is_pending(earlier)):
            return False
        if item.relevant_if is not None and not self._holds(item.relevant_if, when_unknown=True):
            return False
        passed = stages_passed(self._definition, self._stage)
        if item.required_from in passed:
            return True
        since = item.required_if_from or self._definition.first_stage.key
        return item.required_if is not None and since in passed and self._holds(item.required_if, when_unknown=False)

    def _holds(self, condition: str, *, when_unknown: bool) -> bool:
        now = self._application.clock.now()
        known = typed_values(self._definition, {**self._before, **self._wire})
        names = {**known, "today": now.date(), "now": now, "stage": self._stage}
        try:
            return Expression.compile(condition).holds(names, calendar=self._application.calendar)
        except ExpressionEvaluationError:
            return when_unknown
