"""台账定义文件. `register.yml` → `RegisterDefinition`, with every problem at once and its line.

The language is described in `docs/form-language.md` §2. Whether expressions fit the forms is `domain.register_lint`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import MisconfiguredError
from controller.domain.expression import Expression
from controller.domain.identifiers import DocumentNumber, InvalidIdentifierError, Revision
from controller.domain.register import (
    Column,
    ColumnType,
    Lookup,
    RegisterDefinition,
    Source,
    Statistic,
    StatisticKind,
    Take,
    Tally,
)
from controller.domain.text import T
from controller.file_formats.definition_reading import Part, Reading
from controller.file_formats.form_fields import FIELD_KEY, expression

if TYPE_CHECKING:
    from collections.abc import Sequence

REGISTER_FORMAT = "wenkong/register/1"
SCALES = ("percent", "permille", "plain")
OPENED_AT = "record.opened_at"

_ID = re.compile(r"TZ-\d{2,4}")
_KEYS = (
    "format", "id", "number", "title", "revision", "procedure", "owner", "source", "forms", "available",
    "unavailable_reason", "note", "row_if", "period", "one_row_per", "each", "lookups", "columns", "statistics",
)  # fmt: skip
_COLUMN_KEYS = ("key", "label", "value", "type", "width")
_LOOKUP_KEYS = ("form", "forms", "match", "where", "take", "value")
_TALLY_KEYS = ("form", "where", "sum", "period")
_STATISTIC_KEYS = (
    "id", "label", "kind", "of", "where", "value", "by", "scale", "digits", "unit", "note", "basis", "should_be", "top",
    "date", "days", "at_least", "without", "numerator", "denominator",
)  # fmt: skip
_VALUED = {
    StatisticKind.SUM, StatisticKind.MEAN, StatisticKind.MEDIAN, StatisticKind.P90, StatisticKind.MIN,
    StatisticKind.MAX, StatisticKind.GROUPS, StatisticKind.RANKING,
}  # fmt: skip
_KEYED = {StatisticKind.RECURRENCE, StatisticKind.CLUSTER}
_NUMBER = re.compile(r"-?\d{1,12}(?:\.\d{1,6})?")
_Identifier = TypeVar("_Identifier", DocumentNumber, Revision)


class RegisterFileError(MisconfiguredError):
    """台账定义有误. `register.yml` cannot be used; `findings` has every problem with its line."""

    code = "register-invalid"

    def __init__(self, *, findings: Sequence[Finding], where: str) -> None:
        errors = [finding for finding in findings if finding.gravity is Gravity.ERROR]
        first = errors[0]
        super().__init__(
            T("{where} 有 {count} 处错误，第一处：{problem}", where=where, count=len(errors), problem=first.message),
            hint=T("用 qms register lint 查看全部问题。"),
            where=f"{where}:{first.line}" if first.line else where,
        )
        self.findings = tuple(findings)


@dataclass(frozen=True)
class RegisterReading:
    """读取结果. The definition, None when it cannot be used, and every finding."""

    definition: RegisterDefinition | None
    findings: tuple[Finding, ...]


def read_register(text: str, *, where: str) -> RegisterDefinition:
    """Return the definition in `text`.

    Raises:
        RegisterFileError: it has errors.
    """
    reading = examine_register(text, where=where)
    if reading.definition is None:
        raise RegisterFileError(findings=reading.findings, where=where)
    return reading.definition


def examine_register(text: str, *, where: str) -> RegisterReading:
    """Return the definition if it can be used, and everything that is wrong in the file."""
    reading = Reading()
    register = reading.file(text, where=where, title=T("台账"), expected=REGISTER_FORMAT)
    definition = _RegisterReader(reading, register).read() if register is not None else None
    return RegisterReading(None if reading.broken else definition, tuple(reading.findings))


class _RegisterReader:
    """Reads one register; every method notes problems in the shared reading."""

    def __init__(self, reading: Reading, register: Part) -> None:
        self.reading = reading
        self.register = register

    def read(self) -> RegisterDefinition | None:
        register = self.register
        register.check_keys(_KEYS)
        short = register.text("id", needed=True, limit=20)
        if short is not None and not _ID.fullmatch(short):
            register.wrong("id", "register-id", T("id“{id}”写法不对", id=short), hint=T("例如 TZ-07。"))
        number = self._identifier("number", DocumentNumber)
        revision = self._identifier("revision", Revision)
        procedure = (
            self._identifier("procedure", DocumentNumber) if register.data.get("procedure") is not None else None
        )
        if number is not None and number.class_code != "TZ":
            register.wrong("number", "register-number", T("{number} 不是台账编号（类别应为 TZ）", number=number))
        title, owner = register.text("title", needed=True, limit=100), register.text("owner", needed=True, limit=100)
        source = Source(register.one_of("source", [item.value for item in Source], Source.RECORDS.value))
        forms = register.texts("forms", single=True)
        self._check_forms(source, forms)
        columns, lookups, statistics = self._columns(), self._lookups(), self._statistics()
        row_if, per = self._expression(register, "row_if"), self._expressions(register, "one_row_per")
        period, each = register.text("period", limit=60) or OPENED_AT, register.text("each", limit=40)
        available = register.flag("available") if register.data.get("available") is not None else True
        reason, note = register.text("unavailable_reason", limit=300), register.text("note", limit=300)
        if self.reading.broken or short is None or number is None or revision is None or not title or not owner:
            return None
        return RegisterDefinition(
            id=short,
            number=number,
            title=title,
            revision=revision,
            procedure=procedure,
            owner=owner,
            source=source,
            columns=columns,
            forms=() if forms == ("all",) else forms,
            all_forms=forms == ("all",),
            available=available and source is not Source.NONE,
            unavailable_reason=reason,
            note=note,
            row_if=row_if,
            period=period,
            one_row_per=per,
            each=each,
            lookups=lookups,
            statistics=statistics,
            path=register.where,
        )

    def _identifier(self, key: str, kind: type[_Identifier]) -> _Identifier | None:
        text = self.register.text(key, needed=True)
        if text is None:
            return None
        try:
            return kind(text)
        except InvalidIdentifierError as exc:
            self.register.wrong(key, "definition-value", exc.message, hint=exc.hint)
            return None

    def _check_forms(self, source: Source, forms: Sequence[str]) -> None:
        register = self.register
        if source is Source.RECORDS and not forms:
            hint = T("列出表单编号，或写 forms: all。")
            register.wrong(None, "definition-key-missing", T("缺少 forms（记录所用的表单）"), hint=hint)
        if source is not Source.RECORDS:
            for key in ("forms", "each", "one_row_per", "lookups"):
                if register.data.get(key) is not None:
                    register.wrong(key, "definition-value", T("{key} 只用于来源为 records 的台账", key=key))

    def _expressions(self, part: Part, key: str) -> tuple[Expression, ...]:
        """Return a list of expressions; one text stands for a list of one."""
        value = part.data.get(key)
        items = value if isinstance(value, list) else [value]
        found = []
        for position, item in enumerate(items if value is not None else []):
            place = (*part.path, key, position)
            inner = replace(
                part, data={key: item}, moved={key: (part.where, part.lines.get(place) or part.place(key)[1])}
            )
            compiled = expression(inner, key)
            if compiled is not None:
                found.append(Expression.compile(compiled))
        return tuple(found)

    def _expression(self, part: Part, key: str, *, needed: bool = False) -> Expression | None:
        if needed and part.data.get(key) is None:
            part.wrong(None, "definition-key-missing", T("缺少 {key}", key=key))
        text = expression(part, key)
        return Expression.compile(text) if text is not None else None

    def _columns(self) -> tuple[Column, ...]:
        found: list[Column] = []
        for part in self.register.listed("columns"):
            part.check_keys(_COLUMN_KEYS)
            key, label = part.text("key", needed=True, limit=40), part.text("label", needed=True, limit=60)
            kind = part.text("type")
            kinds = [item.value for item in ColumnType]
            value = self._expression(part, "value") if part.data.get("value") is not None else None
            width = part.whole("width", least=2, most=120)
            typed = ColumnType(part.one_of("type", kinds, ColumnType.TEXT.value)) if kind is not None else None
            if key is None or label is None:
                continue
            if not self._key_is_free(part, key, [column.key for column in found]):
                continue
            if value is None and part.data.get("value") is None:
                value = Expression.compile(key)
            if value is not None:
                found.append(Column(key, label, value, typed, width, part.place()[1]))
        if not found and not self.reading.broken:
            self.register.wrong(None, "definition-key-missing", T("没有任何列"))
        return tuple(found)

    def _key_is_free(self, part: Part, key: str, taken: Sequence[str]) -> bool:
        if not FIELD_KEY.fullmatch(key):
            hint = T("用小写字母开头，只含小写字母、数字和下划线，不超过 40 个字符。")
            part.wrong(None, "register-key", T("名称 {key} 不可用", key=key[:60]), hint=hint)
            return False
        if key in taken:
            part.wrong(None, "register-key", T("名称 {key} 重复", key=key), hint=T("换一个名称。"))
            return False
        return True

    def _lookups(self) -> tuple[Lookup, ...]:
        found = []
        for name, given in self.register.parts("lookups"):
            part = replace(given, title=T("查找 {name}", name=name))
            part.check_keys(_LOOKUP_KEYS)
            self._key_is_free(part, name, ())
            forms = self._form_numbers(part)
            if not forms:
                part.wrong(None, "definition-key-missing", T("缺少 form"))
            match: dict[str, Expression] = {}
            keys = part.part("match", T("{title} 的 match", title=part.title))
            for key in keys.data if keys is not None else ():
                assert keys is not None
                compiled = self._expression(keys, key)
                if compiled is not None:
                    match[key] = compiled
            if not match and not self.reading.broken:
                part.wrong(
                    None, "definition-key-missing", T("缺少 match"), hint=T("例如 {customer_name: customer_name}。")
                )
            take = Take(part.one_of("take", [item.value for item in Take], Take.LAST.value))
            value = self._expression(part, "value", needed=take is not Take.COUNT)
            where = self._expression(part, "where")
            found.append(Lookup(name, forms, match, take, value, where, part.place()[1]))
        return tuple(found)

    def _form_numbers(self, part: Part) -> tuple[str, ...]:
        numbers = (*part.texts("form", single=True), *part.texts("forms", single=True))
        for number in numbers:
            self._form_number(part, number)
        return tuple(dict.fromkeys(numbers))

    @staticmethod
    def _form_number(part: Part, number: str) -> None:
        try:
            DocumentNumber(number)
        except InvalidIdentifierError as exc:
            part.wrong("form" if "form" in part.data else "forms", "definition-value", exc.message, hint=exc.hint)

    def _statistics(self) -> tuple[Statistic, ...]:
        found: list[Statistic] = []
        for part in self.register.listed("statistics"):
            name, label = part.text("id", needed=True, limit=40), part.text("label", needed=True, limit=60)
            titled = replace(part, title=T("统计 {id}", id=name or "?"))
            statistic = self._statistic(titled, name or "", label or "")
            if name is not None and self._key_is_free(titled, name, [item.id for item in found]):
                found.append(statistic)
        return tuple(found)

    def _statistic(self, part: Part, name: str, label: str) -> Statistic:
        part.check_keys(_STATISTIC_KEYS)
        part.text("kind", needed=True)
        kind = StatisticKind(part.one_of("kind", [item.value for item in StatisticKind], StatisticKind.COUNT.value))
        by = self._expressions(part, "by")
        numerator, denominator = self._tally(part, "numerator"), self._tally(part, "denominator")
        if kind not in _KEYED and len(by) > 1:
            part.wrong("by", "definition-value", T("{kind} 的 by 只能写一个表达式", kind=kind.value))
        if kind in _KEYED and not by:
            part.wrong(None, "definition-key-missing", T("缺少 by（重复的依据）"))
        if (numerator or denominator) is not None and kind is not StatisticKind.RATIO:
            part.wrong(None, "definition-value", T("numerator、denominator 只用于 ratio"))
        if by and any(tally is not None and tally.form is not None for tally in (numerator, denominator)):
            part.wrong("by", "definition-value", T("分子或分母来自其他表单时不能用 by"))
        return Statistic(
            id=name,
            label=label,
            kind=kind,
            of=self._expression(part, "of"),
            where=self._expression(part, "where"),
            value=self._expression(part, "value", needed=kind in _VALUED),
            by=by,
            scale=part.one_of("scale", SCALES, "percent"),
            digits=_or(part.whole("digits", most=6), 1),
            unit=part.text("unit", limit=20) or "",
            note=part.text("note", limit=300),
            basis=part.text("basis", limit=300),
            should_be=self._number(part, "should_be"),
            top=_or(part.whole("top", least=1, most=1000), 10),
            date=self._expression(part, "date", needed=kind in _KEYED),
            days=_or(part.whole("days", least=1, most=3660), 30),
            at_least=_or(part.whole("at_least", least=2, most=1000), 3),
            without=part.flag("without"),
            numerator=numerator,
            denominator=denominator,
            line=part.place()[1],
        )

    def _number(self, part: Part, key: str) -> Decimal | None:
        text = part.text(key)
        if text is None:
            return None
        if not _NUMBER.fullmatch(text):
            part.wrong(key, "definition-value", T("{key} 应为数字", key=key))
            return None
        return Decimal(text)

    def _tally(self, part: Part, key: str) -> Tally | None:
        inner = part.part(key, T("{title} 的 {key}", title=part.title, key=key))
        if inner is None:
            return None
        inner.check_keys(_TALLY_KEYS)
        form = inner.text("form")
        if form is not None:
            self._form_number(inner, form)
        elif inner.data.get("period") is not None:
            inner.wrong("period", "definition-value", T("period 只与 form 一起使用"))
        where, total = self._expression(inner, "where"), self._expression(inner, "sum")
        return Tally(form, where, total, inner.text("period", limit=60) or OPENED_AT)


def _or(value: int | None, default: int) -> int:
    return default if value is None else value
