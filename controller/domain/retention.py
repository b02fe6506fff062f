"""保存期限. How long a record must be kept, worked out from its own fields, with the reason in words (ISO 13485 4.2.5).

All parts of a class apply together and the latest date wins; what is not certain yet keeps the record.
Legal hold and disposal are other topics; this module only says until when.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from controller.domain.expression import Expression, ExpressionEvaluationError
from controller.domain.expression_functions import plus_months
from controller.domain.text import T, Text


@dataclass(frozen=True)
class Span:
    """一段时间. A number of years, months or days."""

    amount: int
    unit: str
    """`y`, `m` or `d`."""

    def after(self, day: date) -> date:
        """Return the day this long after `day`; 31 January and one month is the end of February."""
        try:
            if self.unit == "d":
                return day + timedelta(days=self.amount)
            return plus_months(day, self.amount * (12 if self.unit == "y" else 1))
        except (OverflowError, ValueError):
            # Beyond year 9999: the last day there is, so that nothing is ever disposed of too early.
            return date.max

    @property
    def text(self) -> Text:
        """The span in words."""
        if self.unit == "y":
            return T("{amount} 年", amount=self.amount)
        return T("{amount} 个月", amount=self.amount) if self.unit == "m" else T("{amount} 天", amount=self.amount)


@dataclass(frozen=True)
class FromEvent:
    """事件之后. Kept for `span` after an event; while it has not happened, kept without limit."""

    label: str
    fields: tuple[str, ...]
    span: Span


@dataclass(frozen=True)
class Basis:
    """依据. A law, a clause or the company's own decision, and how certain that is."""

    text: str
    certainty: str
    """`已核对`, `待核对`, `行业惯例` or `企业自定`."""


@dataclass(frozen=True)
class RetentionClass:
    """保存期限类别. One key of `records/retention.yml`."""

    key: str
    label: str
    permanent: bool = False
    permanent_if: str | None = None
    """Expression over the record's values; true means for ever."""
    expiry_plus: Span | None = None
    warranty_plus: Span | None = None
    from_event: FromEvent | None = None
    least: Span | None = None
    """Minimum from the day the record was opened."""
    basis: tuple[Basis, ...] = ()


@dataclass(frozen=True)
class RetentionRules:
    """保存期限规则. All classes, and which fields hold expiry and end of warranty."""

    classes: Mapping[str, RetentionClass] = field(default_factory=dict)
    expiry_fields: tuple[str, ...] = ()
    """Field keys; `items.exp_date` names a column of a table."""
    warranty_fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Retention:
    """一份记录的保存期限. Until when, and why."""

    until: date | None
    """Last day it must be kept; None: permanent or not yet known."""
    permanent: bool
    explanation: Text
    basis: tuple[Basis, ...] = ()

    @property
    def known(self) -> bool:
        """Whether a date is certain; a record without one is never due for disposal."""
        return self.until is not None


def retention_of(
    rules: RetentionRules, kind: RetentionClass, values: Mapping[str, object], *, opened_on: date
) -> Retention:
    """Return how long a record of class `kind` with these reckoned values (`typed_values`) is kept."""
    if kind.permanent:
        return Retention(None, permanent=True, explanation=T("{label}：永久保存", label=kind.label), basis=kind.basis)
    if kind.permanent_if is not None:
        forever = _holds(kind.permanent_if, values)
        if forever is None:
            text = T("{label}：是否永久保存还不能判断，先一直保存", label=kind.label)
            return Retention(None, permanent=False, explanation=text, basis=kind.basis)
        if forever:
            text = T("{label}：符合永久保存的条件，永久保存", label=kind.label)
            return Retention(None, permanent=True, explanation=text, basis=kind.basis)
    parts: list[tuple[date, Text]] = []
    expiry = _latest(values, rules.expiry_fields)
    if kind.expiry_plus is not None and expiry is not None:
        text = T("失效日期 {day} 之后 {span}", day=expiry, span=kind.expiry_plus.text)
        parts.append((kind.expiry_plus.after(expiry), text))
    warranty = _latest(values, rules.warranty_fields)
    if kind.warranty_plus is not None and warranty is not None:
        text = T("保修期满 {day} 之后 {span}", day=warranty, span=kind.warranty_plus.text)
        parts.append((kind.warranty_plus.after(warranty), text))
    if kind.from_event is not None:
        event = _latest(values, kind.from_event.fields)
        if event is None:
            text = T("{label}：“{event}”尚未发生，一直保存", label=kind.label, event=kind.from_event.label)
            return Retention(None, permanent=False, explanation=text, basis=kind.basis)
        text = T("{event} {day} 之后 {span}", event=kind.from_event.label, day=event, span=kind.from_event.span.text)
        parts.append((kind.from_event.span.after(event), text))
    if kind.least is not None:
        text = T("记录日期 {day} 起不少于 {span}", day=opened_on, span=kind.least.text)
        parts.append((kind.least.after(opened_on), text))
    if not parts:
        text = T("{label}：所需日期尚未填写，一直保存", label=kind.label)
        return Retention(None, permanent=False, explanation=text, basis=kind.basis)
    until = max(day for day, _ in parts)
    reasons = [reason for _, reason in parts]
    if len(parts) == 1:
        text = T("{label}：保存至 {until}（{reasons}）", label=kind.label, until=until, reasons=reasons)
    else:
        text = T("{label}：保存至 {until}（{reasons}，取最晚）", label=kind.label, until=until, reasons=reasons)
    return Retention(until, permanent=False, explanation=text, basis=kind.basis)


def _holds(text: str, values: Mapping[str, object]) -> bool | None:
    """Evaluate a condition; fields the form does not have count as none; None while an answer it needs is missing."""
    expression = Expression.compile(text)
    names = {name: values.get(name) for name in expression.names}
    try:
        if expression.holds(names):
            return True
    except ExpressionEvaluationError:
        return None
    open_answers = any(name in values and values[name] is None for name in expression.names)
    return None if open_answers else False


def _latest(values: Mapping[str, object], fields: Sequence[str]) -> date | None:
    days: list[date] = []
    for path in fields:
        key, _, column = path.partition(".")
        value = values.get(key)
        rows = value if isinstance(value, list) else []
        found = [row.get(column) for row in rows if isinstance(row, Mapping)] if column else [value]
        for day in found:
            if isinstance(day, datetime):
                days.append(day.date())
            elif isinstance(day, date):
                days.append(day)
    return max(days, default=None)
