"""台账定义的检查. Whether a register's expressions speak of things that its forms have; all findings at once.

A register whose expressions fit no form would print empty columns without a word; this is how that is noticed before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.form import FieldType, Personal
from controller.domain.identifiers import nearest
from controller.domain.register import Source
from controller.domain.register_scope import ROOTS, SUPPLIED, parts_used
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from controller.domain.expression import Expression
    from controller.domain.form import Field, FormDefinition
    from controller.domain.register import RegisterDefinition, Statistic, Tally

_TIMES = {FieldType.DATE, FieldType.DATETIME, FieldType.COMPUTED}


def register_findings(register: RegisterDefinition, forms: Mapping[str, FormDefinition]) -> Iterator[Finding]:
    """Yield everything in `register` that does not fit `forms` (number → definition)."""
    yield from _Lint(register, forms).findings()


class _Scope:
    """The names that stand in one place: fields of some forms and what comes with the row."""

    def __init__(self, definitions: Sequence[FormDefinition], root: tuple[str, tuple[str, ...]] | None) -> None:
        self.fields: dict[str, Field] = {}
        self.sensitive: set[str] = set()
        for definition in definitions:
            for field in definition.fields:
                self.fields.setdefault(field.key, field)
                if field.personal is Personal.SENSITIVE:
                    self.sensitive.add(field.key)
        self.names = {*self.fields, "today", "now"}
        self.parts: dict[str, Collection[str]] = {}
        if root is not None:
            self.names.add(root[0])
            self.parts[root[0]] = root[1]
            if root[0] == "record":
                self.names.add("stage")


class _Lint:
    def __init__(self, register: RegisterDefinition, forms: Mapping[str, FormDefinition]) -> None:
        self.register = register
        self.forms = forms
        own = list(forms.values()) if register.all_forms else self._definitions(register.forms)
        self.bare = _Scope(own, ROOTS.get(register.source))
        self.scope = _Scope(own, ROOTS.get(register.source))
        self.scope.names.update(lookup.name for lookup in register.lookups)
        each = self.bare.fields.get(register.each) if register.each else None
        if each is not None:
            self.scope.names.add("row")
            self.scope.parts["row"] = [column.key for column in each.columns]

    def _definitions(self, numbers: Sequence[str]) -> list[FormDefinition]:
        return [self.forms[number] for number in numbers if number in self.forms]

    def findings(self) -> Iterator[Finding]:
        register = self.register
        yield from self._form_numbers(register.forms, T("台账"), None)
        if register.source is Source.RECORDS:
            yield from self._period(register.period, self.bare, T("period"), None)
        if register.each is not None:
            field = self.bare.fields.get(register.each)
            if field is None or field.type is not FieldType.TABLE:
                yield self._wrong("register-each", T("each 应指向表格字段，{name} 不是", name=register.each), None)
        for expression in (register.row_if, *register.one_row_per):
            if expression is not None:
                yield from self._expression(expression, self.scope, T("row_if 或 one_row_per"), None)
        for column in register.columns:
            yield from self._expression(column.value, self.scope, T("列 {key}", key=column.key), column.line)
        yield from self._lookups()
        for statistic in register.statistics:
            yield from self._statistic(statistic)

    def _lookups(self) -> Iterator[Finding]:
        for lookup in self.register.lookups:
            title = T("查找 {name}", name=lookup.name)
            if lookup.name in self.bare.names:
                yield self._wrong("register-name", T("{title} 与已有名称重复", title=title), lookup.line)
            yield from self._form_numbers(lookup.forms, title, lookup.line)
            theirs = _Scope(self._definitions(lookup.forms), ROOTS[Source.RECORDS])
            for key, expression in lookup.match.items():
                if theirs.fields and key not in theirs.fields:
                    yield self._unknown(key, theirs.fields, title, lookup.line)
                if key in theirs.sensitive:
                    yield self._secret(key, title, lookup.line)
                yield from self._expression(expression, self.bare, title, lookup.line)
            for part in (lookup.where, lookup.value):
                if part is not None and theirs.fields:
                    yield from self._expression(part, theirs, title, lookup.line)

    def _statistic(self, statistic: Statistic) -> Iterator[Finding]:
        title = T("统计 {id}", id=statistic.id)
        for expression in statistic.expressions:
            yield from self._expression(expression, self.scope, title, statistic.line)
        for tally in (statistic.numerator, statistic.denominator):
            if tally is not None and tally.form is not None:
                yield from self._tally(tally, tally.form, title, statistic.line)

    def _tally(self, tally: Tally, form: str, title: Text, line: int | None) -> Iterator[Finding]:
        yield from self._form_numbers((form,), title, line)
        theirs = _Scope(self._definitions((form,)), ROOTS[Source.RECORDS])
        if theirs.fields:
            yield from self._period(tally.period, theirs, title, line)
            for part in (tally.where, tally.sum):
                if part is not None:
                    yield from self._expression(part, theirs, title, line)

    def _form_numbers(self, numbers: Sequence[str], title: Text, line: int | None) -> Iterator[Finding]:
        for number in numbers:
            if number not in self.forms:
                close = nearest(number, self.forms)
                hint = T("是否想写 {key}？", key=close) if close else None
                message = T("{title}：没有表单 {form}", title=title, form=number)
                yield self._wrong("register-form-unknown", message, line, hint)

    def _period(self, name: str, scope: _Scope, title: Text, line: int | None) -> Iterator[Finding]:
        if name == "record.opened_at":
            return
        field = scope.fields.get(name)
        if field is None:
            yield self._unknown(name, {key for key, f in scope.fields.items() if f.type in _TIMES}, title, line)
        elif field.type not in _TIMES:
            yield self._wrong("register-period", T("{title}：{name} 不是日期或时间", title=title, name=name), line)
        elif name in scope.sensitive:
            yield self._secret(name, title, line)

    def _expression(self, expression: Expression, scope: _Scope, title: Text, line: int | None) -> Iterator[Finding]:
        for name in sorted(expression.names):
            if name not in scope.names:
                yield self._unknown(name, scope.names, title, line)
            elif name in scope.sensitive:
                yield self._secret(name, title, line)
        for name in sorted(expression.functions - set(SUPPLIED)):
            close = nearest(name, SUPPLIED)
            hint = T("是否想写 {key}？", key=close) if close else None
            yield self._wrong("register-name", T("{title}：没有函数 {name}", title=title, name=name), line, hint)
        for root, parts in parts_used(expression).items():
            known = scope.parts.get(root)
            for part in sorted(parts - set(known)) if known is not None else ():
                yield self._unknown(f"{root}.{part}", [f"{root}.{item}" for item in known or ()], title, line)

    def _unknown(self, name: str, known: Collection[str], title: Text, line: int | None) -> Finding:
        close = nearest(name, known)
        hint = T("是否想写 {key}？", key=close) if close else None
        return self._wrong("register-name", T("{title}：没有名称 {name}", title=title, name=name), line, hint)

    def _secret(self, name: str, title: Text, line: int | None) -> Finding:
        message = T("{title}：{name} 是敏感个人信息，台账中不可用", title=title, name=name)
        return self._wrong("register-sensitive", message, line, T("改用不涉及个人的字段。"))

    def _wrong(self, code: str, message: Text, line: int | None, hint: Text | None = None) -> Finding:
        register = self.register
        return Finding(code, Gravity.ERROR, message, path=register.path, line=line, subject=register.id, hint=hint)
