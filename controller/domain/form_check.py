"""填写检查. Checks everything a person entered against the form and says all that is wrong at once.

Each problem names the field as printed, the value, the rule it breaks and what would be right. Values of sensitive
fields never appear in a problem. What is checked: type and limits of each value (`domain.value_check`), what is
required by the stage, what contradicts, the cross-field rules, the guard of the stage, and late entry. The machine
itself fills computed fields, the performer and what a UDI scan tells.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from controller.domain.expression import Expression, ExpressionEvaluationError
from controller.domain.field_values import NotThisTypeError, computed_wire, display, is_pending, reckoned, typed_values
from controller.domain.form import FieldType, Personal
from controller.domain.form_expressions import computing_order, in_words
from controller.domain.form_problem import CheckedValues, Problem, shown
from controller.domain.form_stages import stages_passed
from controller.domain.identifiers import nearest
from controller.domain.text import T, Text
from controller.domain.udi import UdiError, parse_udi
from controller.domain.value_check import ValueCheck
from controller.domain.value_entry import Surroundings, is_blank

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.domain.form import Field, FormDefinition, Rule
    from controller.domain.person import Staff
    from controller.domain.record import Attachment, Signatory, Wire
    from controller.domain.working_days import WorkingDays

__all__ = ["CheckedValues", "Problem", "check_values", "keyed"]

DEFAULT_LATE_ENTRY_WORKDAYS = 3
"""Company default (企业自定): later than this many working days an entry needs a reason."""


def keyed(definition: FormDefinition, typed: Mapping[str, object]) -> dict[str, object]:
    """Return the typed values under field keys; a value may also stand under the field's printed label."""
    labels = {field.label: field.key for field in definition.fields}
    keys = {field.key for field in definition.fields}
    result: dict[str, object] = {}
    for name, value in typed.items():
        clean = name.strip()
        key = clean if clean in keys else labels.get(clean, clean)
        if key in result and not is_blank(result[key]):
            continue
        result[key] = value
    return result


def check_values(
    definition: FormDefinition,
    typed: Mapping[str, object],
    *,
    stage: str,
    now: datetime,
    performer: Signatory,
    staff: Staff,
    calendar: WorkingDays,
    before: Mapping[str, Wire] | None = None,
    late_entry_workdays: int = DEFAULT_LATE_ENTRY_WORKDAYS,
    attachments: Mapping[str, Attachment] | None = None,
) -> CheckedValues:
    """Check what was typed for an entry that takes the record to `stage`, and return what it stores.

    `before` are the stored values so far (None for a new record). A blank is “not entered”; an explicit null clears an
    earlier value. `wire` holds only what this entry sets.
    """
    around = Surroundings(now.tzinfo, staff, attachments or {})
    check = _Check(
        definition,
        stage=stage,
        now=now,
        performer=performer,
        calendar=calendar,
        before=before,
        late_entry_workdays=late_entry_workdays,
        around=around,
    )
    return check.run(keyed(definition, typed))


class _Check:
    """One checking; collects problems while it builds the state after the entry."""

    def __init__(
        self,
        definition: FormDefinition,
        *,
        stage: str,
        now: datetime,
        performer: Signatory,
        calendar: WorkingDays,
        before: Mapping[str, Wire] | None,
        late_entry_workdays: int,
        around: Surroundings,
    ) -> None:
        self.definition = definition
        self.stage = stage
        self.now = now
        self.performer = performer
        self.calendar = calendar
        self.opening = before is None
        self.before: Mapping[str, Wire] = before or {}
        self.late_entry_workdays = late_entry_workdays
        self.around = around
        self.fields = {field.key: field for field in definition.fields}
        self.passed = stages_passed(definition, stage)
        self.state: dict[str, Wire] = dict(self.before)
        self.problems: list[Problem] = []
        self.failed: set[str] = set()
        """Fields whose typed value cannot be used; nothing further is said about them."""
        self.by_default: set[str] = set()
        self.names: dict[str, object] = {}

    def run(self, typed: Mapping[str, object]) -> CheckedValues:
        self._unknown(typed)
        for field in self.definition.fields:
            if field.key in typed:
                self._enter(field, typed[field.key])
        if self.opening:
            self._defaults()
        self._scans()
        self._performers()
        self.names = {
            **typed_values(self.definition, self.state),
            "today": self.now.date(),
            "now": self.now,
            "stage": self.stage,
        }
        self._compute()
        irrelevant = self._relevance()
        self._required(irrelevant)
        self._late_entry()
        for rule in self.definition.rules:
            self._rule(rule)
        self._guard()
        wire = {
            field.key: self.state[field.key]
            for field in self.definition.fields
            if field.key in self.state and self.state[field.key] != self.before.get(field.key)
        }
        return CheckedValues(wire=wire, problems=tuple(self.problems))

    # -- what was typed

    def _unknown(self, typed: Mapping[str, object]) -> None:
        labels = {field.label: field.key for field in self.definition.fields}
        for name, value in typed.items():
            if name in self.fields or is_blank(value):
                continue
            close = nearest(name, self.fields)
            by_label = nearest(name, labels)
            if close is None and by_label is not None:
                close = labels[by_label]
            right = T("用 qms form show {form} 查看字段", form=self.definition.number.text)
            if close is not None:
                right = T("是否想写 {key}（{label}）？", key=close, label=self.fields[close].label)
            self._add(Problem("field-unknown", name[:60], name[:60], "", T("本表单没有这个字段"), right))

    def _enter(self, field: Field, value: object) -> None:
        if is_blank(value):
            if value is None and field.key in self.state:
                self.state[field.key] = None
            return
        if field.type in {FieldType.COMPUTED, FieldType.PERFORMER}:
            self.failed.add(field.key)
            rule = (
                T("由系统计算，不能填写") if field.type is FieldType.COMPUTED else T("由系统写入当前登录人，不能填写")
            )
            self._add(self._problem("machine-written", field, value, rule, T("删去这一项")))
            return
        check = ValueCheck(self.now, self.around, self.problems)
        stored = check.value(field, value)
        if stored is None:
            self.failed.add(field.key)
        else:
            self.state[field.key] = stored

    def _defaults(self) -> None:
        for field in self.definition.fields:
            if field.default is not None and field.key not in self.state and field.key not in self.failed:
                self._enter(field, field.default)
                self.by_default.add(field.key)

    def _scans(self) -> None:
        for field in self.definition.fields:
            code = self.state.get(field.key)
            if field.type is not FieldType.UDI or not isinstance(code, str) or code == self.before.get(field.key):
                continue
            try:
                scanned = parse_udi(code, today=self.now.date())
            except UdiError as exc:
                self._add(self._problem("udi", field, code, exc.problem, exc.right))
                self.failed.add(field.key)
                continue
            for part, target in field.fills.items():
                found = getattr(scanned, part)
                if found is not None and target in self.fields:
                    self._fill(field, self.fields[target], found if isinstance(found, str) else found.isoformat())

    def _fill(self, scan: Field, target: Field, found: str) -> None:
        current = self.state.get(target.key)
        if target.key in self.failed:
            return
        if current is None or is_pending(current) or target.key in self.by_default:
            self._enter(target, found)
        elif current != found:
            rule = T("与“{label}”扫描的内容不一致", label=scan.label)
            right = (
                T("核对标签；以扫描为准时清空这一项")
                if self._secret(target)
                else T("扫描得到“{value}”，请核对标签", value=found)
            )
            self._add(self._problem("udi-mismatch", target, current, rule, right))

    def _performers(self) -> None:
        for field in self.definition.fields:
            if field.type is not FieldType.PERFORMER or self.state.get(field.key) is not None:
                continue
            due = field.required_from or self.definition.first_stage.key
            if due == self.stage or (self.opening and due in self.passed):
                self.state[field.key] = {"person": self.performer.person, "name": self.performer.name}

    # -- what follows from it

    def _compute(self) -> None:
        for field in computing_order(self.definition):
            assert field.value is not None
            self.names[field.key] = None
            try:
                result = Expression.compile(field.value).evaluate(self.names, calendar=self.calendar)
                stored = computed_wire(result)
            except ExpressionEvaluationError as exc:
                stored = None
                if not self._lacks(field.value):
                    self._add(self._problem("computed", field, None, exc.problem, _ASK_MANAGER))
            except NotThisTypeError as exc:
                stored = None
                self._add(self._problem("computed", field, None, exc.rule, _ASK_MANAGER))
            if stored is not None or field.key in self.state:
                self.state[field.key] = stored
            self.names[field.key] = reckoned(field, stored)

    def _relevance(self) -> set[str]:
        irrelevant: set[str] = set()
        for field in self.definition.fields:
            if field.relevant_if is None or self._holds(field.relevant_if, when_unknown=True):
                continue
            irrelevant.add(field.key)
            value = self.state.get(field.key)
            if field.type is FieldType.COMPUTED or field.key in self.by_default:
                # An earlier entry may have stored a value, which has to go.
                self.state[field.key] = None
                self.names[field.key] = None
            elif value is not None and value is not False:
                rule = T("在现在的情况下不适用（{condition}）", condition=self._condition(field.relevant_if))
                self._add(self._problem("contradictory", field, value, rule, T("清空这一项，或改正与它矛盾的内容")))
        return irrelevant

    def _required(self, irrelevant: set[str]) -> None:
        for field in self.definition.fields:
            if field.key in irrelevant or field.key in self.failed or field.type is FieldType.COMPUTED:
                continue
            value = self.state.get(field.key)
            missing = value is None or value in ("", [])
            if not missing and not is_pending(value):
                continue
            why = self._why_required(field)
            if why is None:
                continue
            if missing:
                self._add(self._problem("required", field, None, why, _entry_help(field)))
            else:
                rule = T("到“{stage}”阶段不能再是“待补”", stage=self._stage_label(self.stage))
                self._add(self._problem("pending", field, value, rule, _entry_help(field)))
        for field in self.definition.fields:
            value = self.state.get(field.key)
            if _short(field, value) and field.key not in self.failed:
                rule = T("行数不足")
                self._add(self._problem("min-rows", field, None, rule, T("至少 {count} 行", count=field.min_rows)))

    def _why_required(self, field: Field) -> Text | None:
        """Return why a value must be there now, None when it need not."""
        if field.required_from in self.passed:
            return T("从“{stage}”阶段起必填", stage=self._stage_label(field.required_from))
        since = field.required_if_from or self.definition.first_stage.key
        if field.required_if is None or since not in self.passed:
            return None
        if not self._holds(field.required_if, when_unknown=False):
            return None
        return T("在现在的情况下必填（{condition}）", condition=self._condition(field.required_if))

    def _late_entry(self) -> None:
        event = self.definition.event_time
        reason = self.fields.get("late_entry_reason")
        if event is None or reason is None or not self.opening or event in self.failed:
            return
        happened = self.names.get(event)
        if happened is None or self.state.get(reason.key) is not None:
            return
        day = happened.date() if isinstance(happened, datetime) else happened
        assert hasattr(day, "year")
        days = self.calendar.between(day, self.now.date())  # type: ignore[arg-type]
        if days > self.late_entry_workdays:
            rule = T(
                "“{label}”已过去 {days} 个工作日，超过 {limit} 个工作日（企业自定）的补记须写明原因",
                label=self.fields[event].label,
                days=days,
                limit=self.late_entry_workdays,
            )
            self._add(self._problem("late-entry", reason, None, rule, T("填写补记原因，或改正日期")))

    def _rule(self, rule: Rule) -> None:
        if rule.from_stage is not None and rule.from_stage not in self.passed:
            return
        expression = Expression.compile(rule.check)
        if expression.names & self.failed:
            return
        try:
            if expression.holds(self.names, calendar=self.calendar):
                return
        except ExpressionEvaluationError as exc:
            if not self._lacks(rule.check):
                text = T("规则“{message}”无法判断：{problem}", message=rule.message, problem=exc.problem)
                self._add(Problem("rule-unusable", rule.id, rule.id, "", text, _ASK_MANAGER))
            return
        named = [self.fields[key] for key in rule.fields if key in self.fields]
        label = "、".join(field.label for field in named) or rule.message
        values = "、".join(self._display(field) for field in named if self.state.get(field.key) is not None)
        basis = T("依据：{basis}", basis=rule.basis) if rule.basis else T("请核对后改正")
        key = rule.fields[0] if rule.fields else rule.id
        self._add(Problem("rule", key, label, values, T("{message}", message=rule.message), basis, rule.level, rule.id))

    def _guard(self) -> None:
        entered = [self.definition.stage(self.stage)]
        if self.opening:
            entered = [self.definition.stage(key) for key in self.passed]
        for stage in entered:
            if stage is None or stage.guard is None or Expression.compile(stage.guard).names & self.failed:
                continue
            if not self._holds(stage.guard, when_unknown=False):
                rule = T(
                    "不满足进入“{stage}”阶段的条件（{condition}）",
                    stage=stage.label,
                    condition=self._condition(stage.guard),
                )
                self._add(Problem("guard", stage.key, stage.label, "", rule, T("先补齐或改正有关内容，或选择其他阶段")))

    # -- saying it

    def _holds(self, text: str, *, when_unknown: bool) -> bool:
        expression = Expression.compile(text)
        if expression.names & self.failed:
            return when_unknown
        try:
            return expression.holds(self.names, calendar=self.calendar)
        except ExpressionEvaluationError:
            return when_unknown

    def _lacks(self, text: str) -> bool:
        """Tell whether a name the expression reads has no value: it then says nothing yet."""
        return any(self.names.get(name) is None for name in Expression.compile(text).names if name in self.names)

    def _condition(self, text: str) -> Text:
        """Return an expression in words, with field labels instead of keys."""
        return in_words(text, {key: field.label for key, field in self.fields.items()})

    def _stage_label(self, key: str | None) -> str:
        stage = self.definition.stage(key or "")
        return stage.label if stage else str(key)

    @staticmethod
    def _secret(field: Field) -> bool:
        return field.personal is Personal.SENSITIVE

    def _display(self, field: Field) -> str:
        return display(field, self.state.get(field.key), masked=self._secret(field))

    def _problem(self, code: str, field: Field, value: object, rule: Text, right: Text) -> Problem:
        return Problem(code, field.key, field.label, shown(field, value), rule, right)

    def _add(self, problem: Problem) -> None:
        self.problems.append(problem)


_ASK_MANAGER = T("请告知文件管理员检查表单定义")


def _short(field: Field, value: Wire) -> bool:
    return field.min_rows is not None and isinstance(value, list) and 0 < len(value) < field.min_rows


def _entry_help(field: Field) -> Text:
    if field.choices:
        return T("可选：{choices}", choices=list(field.choices))
    if field.help:
        return T("{help}", help=field.help)
    if field.type is FieldType.TABLE:
        return T("至少填写一行")
    return T("请填写这一项")
