"""单值检查. One typed value against its own field: type, limits, length, pattern, choices; tables row by row."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from controller.domain.field_values import NotThisTypeError, is_pending
from controller.domain.form import FieldType, Level, Personal
from controller.domain.form_problem import Problem, shown
from controller.domain.identifiers import nearest
from controller.domain.pattern_safety import MAX_VALUE
from controller.domain.text import T, Text
from controller.domain.value_entry import MAX_ITEMS, is_blank, parse

if TYPE_CHECKING:
    from controller.domain.form import Field
    from controller.domain.record import Wire
    from controller.domain.value_entry import Surroundings


class ValueCheck:
    """Checks single values and adds what is wrong to `problems`."""

    def __init__(self, now: datetime, around: Surroundings, problems: list[Problem]) -> None:
        self.now = now
        self.around = around
        self.problems = problems

    def value(self, field: Field, typed: object, *, key: str = "") -> Wire:
        """Return the stored form of a value that is not blank, None when it cannot be used."""
        key = key or field.key
        if is_pending(typed):
            return {"pending": True}
        if field.type is FieldType.TABLE:
            return self._table(field, typed)
        try:
            stored = parse(field, typed, self.around)
        except NotThisTypeError as exc:
            rule = exc.rule
            if field.personal is Personal.SENSITIVE and exc.code == "external-signature":
                rule = T("外部签名的内容不完整")
            self._add(exc.code, key, field, typed, rule, exc.right)
            return None
        before = len(self.problems)
        if isinstance(stored, str):
            self._limits(key, field, stored)
            self._length(key, field, stored)
            self._pattern(key, field, stored)
        wrong = any(problem.level is Level.ERROR for problem in self.problems[before:])
        return None if wrong else stored

    def _add(self, code: str, key: str, field: Field, value: object, rule: Text, right: Text) -> None:
        self.problems.append(Problem(code, key, field.label, shown(field, value), rule, right))

    def _limits(self, key: str, field: Field, stored: str) -> None:
        for limit, sign in ((field.min, -1), (field.max, 1)):
            if limit is None or not self._beyond(field.type, stored, limit, sign):
                continue
            if field.type in {FieldType.INTEGER, FieldType.DECIMAL}:
                rule = T("小于下限 {limit}", limit=limit) if sign < 0 else T("大于上限 {limit}", limit=limit)
            else:
                names = {"today": T("今天"), "now": T("现在")}
                edge: object = names.get(limit, limit.replace("T", " "))
                rule = T("早于{limit}", limit=edge) if sign < 0 else T("晚于{limit}", limit=edge)
            self._add("range", key, field, stored, rule, self._range(field))

    def _beyond(self, kind: FieldType, stored: str, limit: str, sign: int) -> bool:
        if kind in {FieldType.INTEGER, FieldType.DECIMAL}:
            return (Decimal(stored) - Decimal(limit)) * sign > 0
        if kind is FieldType.DATE or limit == "today" or len(limit) == len("2026-05-01"):
            edge = self.now.date() if limit == "today" else date.fromisoformat(limit)
            return (date.fromisoformat(stored[:10]) - edge).days * sign > 0
        moment = datetime.fromisoformat(stored)
        other = self.now if limit == "now" else datetime.fromisoformat(limit).replace(tzinfo=self.now.tzinfo)
        return (moment - other).total_seconds() * sign > 0

    def _range(self, field: Field) -> Text:
        def edge(limit: str) -> str:
            if limit == "today":
                return self.now.date().isoformat()
            return self.now.strftime("%Y-%m-%d %H:%M") if limit == "now" else limit.replace("T", " ")

        if field.min is not None and field.max is not None:
            return T("应在 {least} 到 {most} 之间", least=edge(field.min), most=edge(field.max))
        if field.min is not None:
            return T("应不小于 {least}", least=edge(field.min)) if field.unit or field.type in {
                FieldType.INTEGER, FieldType.DECIMAL,
            } else T("应不早于 {least}", least=edge(field.min))  # fmt: skip
        assert field.max is not None
        if field.type in {FieldType.INTEGER, FieldType.DECIMAL}:
            return T("应不大于 {most}", most=edge(field.max))
        return T("应不晚于 {most}", most=edge(field.max))

    def _length(self, key: str, field: Field, stored: str) -> None:
        if field.min_length is not None and len(stored) < field.min_length:
            right = T("至少 {count} 个字", count=field.min_length)
            self._add("too-short", key, field, stored, T("只有 {count} 个字", count=len(stored)), right)
        if field.max_length is not None and len(stored) > field.max_length:
            right = T("最多 {count} 个字", count=field.max_length)
            self._add("too-long", key, field, stored, T("有 {count} 个字，过长", count=len(stored)), right)

    def _pattern(self, key: str, field: Field, stored: str) -> None:
        pattern = field.pattern
        if pattern is None:
            return
        if len(stored) <= MAX_VALUE and re.fullmatch(pattern.regex, stored):
            return
        right = T("{message}", message=pattern.message)
        problem = Problem(
            "pattern",
            key,
            field.label,
            shown(field, stored),
            T("写法与要求不符"),
            right,
            pattern.level,
            f"pattern-{field.key}",
        )
        self.problems.append(problem)

    # -- tables

    def _table(self, field: Field, typed: object) -> Wire:
        rows = self._rows(field, typed)
        if rows is None:
            example = [column.label for column in field.columns]
            self._add("type", field.key, field, None, T("不是表格"), T("每行写各列：{columns}", columns=example))
            return None
        if len(rows) > MAX_ITEMS:
            self._add("too-long", field.key, field, None, T("行数过多"), T("最多 {limit} 行", limit=MAX_ITEMS))
            return None
        before = len(self.problems)
        stored: list[Wire] = []
        for number, row in enumerate(rows, start=1):
            if isinstance(row, Mapping) and all(is_blank(value) for value in row.values()):
                continue
            stored.append(self._row(field, number, row))
        self._presets(field, stored)
        wrong = any(problem.level is Level.ERROR for problem in self.problems[before:])
        return None if wrong else stored

    @staticmethod
    def _rows(field: Field, typed: object) -> list[object] | None:
        if isinstance(typed, str) and typed.lstrip().startswith("["):
            try:
                typed = json.loads(typed, parse_float=Decimal)
            except (ValueError, RecursionError):
                return None
        if isinstance(typed, Mapping) and field.rows:
            # A check list may be written short: {外观: 合格, 附件: 合格}.
            first, *others = field.columns
            typed = [
                {first.key: name, **(value if isinstance(value, Mapping) else {others[0].key: value} if others else {})}
                for name, value in typed.items()
            ]
        if not isinstance(typed, list):
            return None
        if field.rows:
            first = field.columns[0]
            typed = [
                {first.key: field.rows[position], **row}
                if isinstance(row, Mapping)
                and position < len(field.rows)
                and is_blank(row.get(first.key))
                and is_blank(row.get(first.label))
                else row
                for position, row in enumerate(typed)
            ]
        return typed

    def _row(self, field: Field, number: int, row: object) -> Wire:
        title = f"{field.label} 第{number}行"
        if not isinstance(row, Mapping):
            named = replace(field, label=title)
            self._add("type", f"{field.key}.{number}", named, None, T("不是一行"), T("写成“列: 值”"))
            return {}
        labels = {column.label: column.key for column in field.columns}
        keys = {column.key for column in field.columns}
        values: dict[str, object] = {}
        for name, value in row.items():
            key = labels.get(str(name), str(name))
            if key in keys:
                if not is_blank(value):
                    values[key] = value
            elif not is_blank(value):
                self._unknown_column(field, number, str(name), [*keys, *labels])
        stored: dict[str, Wire] = {}
        for column in field.columns:
            secret = field.personal is Personal.SENSITIVE
            named = replace(
                column, label=f"{title} {column.label}", personal=field.personal if secret else column.personal
            )
            place = f"{field.key}.{number}.{column.key}"
            if column.key not in values:
                if column.required_from is not None:
                    self._add("required", place, named, None, T("必填"), T("填写这一格，或删去整行"))
                continue
            if is_pending(values[column.key]) and column.required_from is not None:
                self._add("pending", place, named, values[column.key], T("必填，不能是“待补”"), T("填写这一格"))
                continue
            found = self.value(named, values[column.key], key=place)
            if found is not None:
                stored[column.key] = found
        return stored

    def _unknown_column(self, field: Field, number: int, name: str, known: list[str]) -> None:
        columns = [column.label for column in field.columns]
        close = nearest(name, known)
        right = T("是否想写 {key}？", key=close) if close else T("可用的列：{columns}", columns=columns)
        title = f"{field.label} 第{number}行"
        if field.personal is not Personal.SENSITIVE:
            title += f" {name[:40]}"
        self.problems.append(Problem("field-unknown", f"{field.key}.{number}", title, "", T("表格没有这一列"), right))

    def _presets(self, field: Field, stored: list[Wire]) -> None:
        if not field.rows or not stored:
            return
        first = field.columns[0].key
        named = [row.get(first) for row in stored if isinstance(row, dict)]
        missing = [name for name in field.rows if name not in named]
        if missing:
            rule = T("缺少规定的行：{names}", names=missing)
            self._add("min-rows", field.key, field, None, rule, T("每一项都要填写"))
