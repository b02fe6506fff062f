"""字段的写法. The `fields:` and `rules:` of a form or a block → `Field` and `Rule`, with all findings.

What may stand in a field is described in `docs/form-language.md`; this module knows nothing of stages but their keys.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from controller.domain.expression import Expression, ExpressionSyntaxError
from controller.domain.expression_functions import CALENDAR_FUNCTIONS, FUNCTIONS
from controller.domain.field_values import NotThisTypeError
from controller.domain.form import Field, FieldType, Level, Pattern, Personal, Rule
from controller.domain.identifiers import DocumentNumber, InvalidIdentifierError, nearest
from controller.domain.pattern_safety import pattern_problem
from controller.domain.text import T
from controller.domain.value_entry import number_text

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from controller.file_formats.definition_reading import Part

FIELD_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_OPERATORS = frozenset({"and", "or", "not", "in", "is", "if", "elif", "else", "true", "false", "none"})
_TEMPLATE_WORDS = (
    "record company form sig box boxes raw today now stage row document linked loop late_entry_reason range"
)
RESERVED_KEYS = _OPERATORS.union(_TEMPLATE_WORDS.split(), FUNCTIONS, CALENDAR_FUNCTIONS)
"""Names that templates and expressions use themselves."""

FIELD_KEYS = (
    "label", "type", "required", "required_if", "required_from", "relevant_if", "choices", "min", "max", "min_length",
    "max_length", "pattern", "unit", "columns", "rows", "min_rows", "value", "default", "personal", "reported", "fills",
    "forms", "many", "help",
)  # fmt: skip
RULE_KEYS = ("id", "check", "message", "fields", "level", "from", "basis")

_TEXTS = frozenset({FieldType.TEXT, FieldType.LONG_TEXT})
_NUMBERS = frozenset({FieldType.INTEGER, FieldType.DECIMAL})
_TIMES = frozenset({FieldType.DATE, FieldType.DATETIME})
_CHOICES = frozenset({FieldType.CHOICE, FieldType.MULTI_CHOICE})
_COMPLEX = frozenset(
    {FieldType.TABLE, FieldType.COMPUTED, FieldType.PERFORMER, FieldType.EXTERNAL_SIGNATURE, FieldType.UDI}
)
_ONLY_FOR: dict[str, frozenset[FieldType]] = {
    "choices": _CHOICES,
    "min": _NUMBERS | _TIMES,
    "max": _NUMBERS | _TIMES,
    "min_length": _TEXTS,
    "max_length": _TEXTS,
    "pattern": _TEXTS | {FieldType.PHONE, FieldType.EMAIL, FieldType.UDI},
    "unit": _NUMBERS | {FieldType.COMPUTED},
    "columns": frozenset({FieldType.TABLE}),
    "rows": frozenset({FieldType.TABLE}),
    "min_rows": frozenset({FieldType.TABLE}),
    "value": frozenset({FieldType.COMPUTED}),
    "reported": _TIMES,
    "fills": frozenset({FieldType.UDI}),
    "forms": frozenset({FieldType.RECORD_REF}),
    "many": frozenset({FieldType.RECORD_REF, FieldType.DOCUMENT_REF, FieldType.ASSIGNEE, FieldType.ATTACHMENT}),
}
_FILLS = ("di", "lot", "expiry", "serial", "production")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_DATETIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d")


def read_field(key: str, part: Part, stages: Sequence[str], *, block: str | None = None) -> Field | None:
    """Return the field called `key`, None when it cannot be made; problems are noted in the reading."""
    part = replace(part, title=T("字段 {key}", key=key))
    if not FIELD_KEY.fullmatch(key):
        hint = T("用小写字母开头，只含小写字母、数字和下划线，不超过 40 个字符。")
        part.wrong(None, "field-key", T("字段名 {key} 不可用", key=key[:60]), hint=hint)
        return None
    if key in RESERVED_KEYS:
        part.wrong(None, "field-key", T("字段名 {key} 由系统使用", key=key), hint=T("换一个名称。"))
        return None
    return _field(key, part, stages, FIELD_KEYS, block)


def _field(key: str, part: Part, stages: Sequence[str], known: Sequence[str], block: str | None) -> Field | None:
    part.check_keys(known)
    label = part.text("label", needed=True, limit=100)
    kind_name = part.text("type", needed=True)
    kinds = [kind.value for kind in FieldType]
    if kind_name is not None and kind_name not in kinds:
        close = nearest(kind_name, kinds)
        hint = T("是否想写 {key}？", key=close) if close else T("可用的类型：{keys}。", keys=kinds)
        part.wrong("type", "field-type", T("没有类型“{kind}”", kind=kind_name[:40]), hint=hint)
        return None
    if label is None or kind_name is None:
        return None
    kind = FieldType(kind_name)
    for attribute, kinds_for in _ONLY_FOR.items():
        if part.data.get(attribute) is not None and kind not in kinds_for:
            names = sorted(item.value for item in kinds_for)
            message = T("{key} 不能用于类型 {kind}", key=attribute, kind=kind.value)
            part.wrong(
                attribute, "field-attribute", message, hint=T("{key} 用于：{kinds}。", key=attribute, kinds=names)
            )
    required_if = expression(part, "required_if")
    required_if_from = _stage(part, "required_from", stages)
    if part.data.get("required_from") is not None and required_if is None and part.data.get("required_if") is None:
        part.wrong(
            "required_from",
            "field-attribute",
            T("required_from 只与 required_if 一起用"),
            hint=T("从某阶段起必填请写 required: 阶段。"),
        )
    value = expression(part, "value")
    if kind is FieldType.COMPUTED:
        if part.data.get("value") is None:
            part.wrong(None, "definition-key-missing", T("计算字段缺少 value（算式）"))
        for attribute in ("required", "required_if", "default"):
            if part.data.get(attribute) is not None:
                part.wrong(attribute, "field-attribute", T("计算字段不能写 {key}", key=attribute))
    choices = part.texts("choices")
    if kind in _CHOICES and not part.data.get("choices"):
        part.wrong(None, "definition-key-missing", T("选择字段缺少 choices（选项）"))
    default = part.text("default")
    if default is not None and kind is FieldType.CHOICE and default not in choices:
        part.wrong("default", "definition-value", T("默认值“{value}”不在选项之中", value=default))
    columns = _columns(part) if kind is FieldType.TABLE else ()
    wants = {
        FieldType.CHOICE: choices,
        FieldType.MULTI_CHOICE: choices,
        FieldType.TABLE: columns,
        FieldType.COMPUTED: value,
    }
    if not wants.get(kind, True) or (value is not None and kind is not FieldType.COMPUTED):
        return None
    return Field(
        key=key,
        label=label,
        type=kind,
        required_from=_required(part, stages) if kind is not FieldType.COMPUTED else None,
        required_if=required_if,
        required_if_from=required_if_from,
        relevant_if=expression(part, "relevant_if"),
        choices=choices,
        min=_limit(part, "min", kind),
        max=_limit(part, "max", kind),
        min_length=part.whole("min_length"),
        max_length=part.whole("max_length", least=1, most=20_000),
        pattern=_pattern(part),
        unit=part.text("unit", limit=20),
        columns=columns,
        rows=part.texts("rows"),
        min_rows=part.whole("min_rows", most=500),
        value=value,
        default=default,
        personal=Personal(part.one_of("personal", [item.value for item in Personal], "none")),
        reported=part.flag("reported"),
        fills=_fills(part),
        forms=_forms(part),
        many=part.flag("many"),
        help=part.text("help", limit=300),
        block=block,
        line=part.place()[1],
    )


def _columns(part: Part) -> tuple[Field, ...]:
    found: list[Field] = []
    for key, column in part.parts("columns"):
        titled = replace(column, title=T("{title} 的列 {key}", title=part.title, key=key))
        if not FIELD_KEY.fullmatch(key) or key in _OPERATORS or key == "no":
            titled.wrong(
                None,
                "field-key",
                T("列名 {key} 不可用", key=key[:60]),
                hint=T("用小写字母、数字和下划线，避开系统用词（如 no）。"),
            )
            continue
        made = _field(key, titled, (), FIELD_KEYS, None)
        if made is None:
            continue
        if made.type in _COMPLEX:
            titled.wrong("type", "field-type", T("表格的列不能是类型 {kind}", kind=made.type.value))
            continue
        if made.required_if or made.relevant_if:
            titled.wrong(
                "required_if",
                "field-attribute",
                T("列不支持 required_if 和 relevant_if"),
                hint=T("用 rules 写整表的规则。"),
            )
        if made.personal is Personal.SENSITIVE:
            titled.wrong("personal", "field-attribute", T("敏感标记写在表格上，不写在列上"))
        found.append(made)
    if not found:
        part.wrong("columns" if "columns" in part.data else None, "definition-key-missing", T("表格缺少 columns（列）"))
    if part.data.get("rows") is not None and found and found[0].type is not FieldType.TEXT:
        part.wrong("rows", "field-attribute", T("rows 预置第一列，第一列应为 text"))
    return tuple(found)


def _required(part: Part, stages: Sequence[str]) -> str | None:
    value = part.data.get("required")
    if value is None or value is False:
        return None
    if value is True:
        return stages[0] if stages else "true"
    if not stages:
        part.wrong("required", "definition-value", T("列的 required 只能是 true"))
        return None
    return _stage(part, "required", stages)


def _stage(part: Part, key: str, stages: Sequence[str]) -> str | None:
    value = part.data.get(key)
    if value is None:
        return None
    if isinstance(value, str) and value in stages:
        return value
    close = nearest(str(value), stages)
    hint = T("是否想写 {key}？", key=close) if close else T("本表单的阶段：{stages}。", stages=list(stages))
    part.wrong(key, "stage-unknown", T("{key} 所写的阶段“{value}”不存在", key=key, value=str(value)[:40]), hint=hint)
    return None


def expression(part: Part, key: str) -> str | None:
    """Return the expression at `key`, None when absent; a syntax error is noted."""
    value = part.data.get(key)
    if value is None:
        return None
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else part.text(key)
    if text is None:
        return None
    try:
        Expression.compile(text)
    except ExpressionSyntaxError as exc:
        part.wrong(
            key, "expression-syntax", T("{key} 的表达式有误：{problem}", key=key, problem=exc.problem), hint=exc.hint
        )
        return None
    return text


def _limit(part: Part, key: str, kind: FieldType) -> str | None:
    text = part.text(key)
    if text is None or kind not in _NUMBERS | _TIMES:
        return None
    if kind in _NUMBERS:
        try:
            return number_text(text, whole=kind is FieldType.INTEGER)
        except NotThisTypeError as exc:
            part.wrong(key, "definition-value", T("{key} {rule}", key=key, rule=exc.rule), hint=exc.right)
            return None
    if text == "today" or (text == "now" and kind is FieldType.DATETIME):
        return text
    try:
        date.fromisoformat(text[:10])
        if _DATE.fullmatch(text) or (kind is FieldType.DATETIME and _DATETIME.fullmatch(text)):
            return text.replace(" ", "T")
    except ValueError:
        pass
    part.wrong(
        key,
        "definition-value",
        T("{key} 应为日期、today 或（时间字段）now", key=key),
        hint=T("例如 {key}: today", key=key),
    )
    return None


def _pattern(part: Part) -> Pattern | None:
    inner = part.part("pattern", T("{title} 的 pattern", title=part.title))
    if inner is None:
        return None
    if "pattern" in part.moved:
        inner = replace(inner, moved=dict.fromkeys(inner.data, part.moved["pattern"]))
    inner.check_keys(("regex", "message", "level"))
    regex = inner.text("regex", needed=True, limit=500)
    message = inner.text("message", needed=True, limit=200)
    level = Level(inner.one_of("level", [item.value for item in Level], "error"))
    if regex is None or message is None:
        return None
    problem = pattern_problem(regex)
    if problem is not None:
        inner.wrong("regex", "pattern-unsafe", problem, hint=T("写得更具体、更短，例如 [0-9]{4,8}。"))
        return None
    return Pattern(regex, message, level)


def _fills(part: Part) -> dict[str, str]:
    inner = part.part("fills", T("{title} 的 fills", title=part.title))
    if inner is None:
        return {}
    inner.check_keys(_FILLS)
    return {key: text for key in _FILLS if (text := inner.text(key)) is not None}


def _forms(part: Part) -> tuple[str, ...]:
    forms = part.texts("forms", single=True)
    for number in forms:
        try:
            DocumentNumber(number)
        except InvalidIdentifierError as exc:
            part.wrong("forms", "definition-value", exc.message, hint=exc.hint)
    return forms


def read_rules(part: Part, stages: Sequence[str], taken: Collection[str] = ()) -> list[Rule]:
    """Return the rules listed at `rules`; problems are noted in the reading."""
    found: list[Rule] = []
    seen = set(taken)
    for item in part.listed("rules"):
        item.check_keys(RULE_KEYS)
        rule_id = item.text("id", needed=True, limit=60)
        check = expression(item, "check")
        message = item.text("message", needed=True, limit=300)
        if item.data.get("check") is None:
            item.wrong(None, "definition-key-missing", T("缺少 check"))
        if rule_id is None or check is None or message is None:
            continue
        if not re.fullmatch(r"[a-z][a-z0-9-]*", rule_id):
            item.wrong(
                "id",
                "rule-id",
                T("规则名“{id}”不可用", id=rule_id),
                hint=T("用小写字母、数字和连字符，例如 reply-after-receipt。"),
            )
        if rule_id in seen:
            item.wrong("id", "rule-id", T("规则名 {id} 重复", id=rule_id), hint=T("换一个名称。"))
        seen.add(rule_id)
        found.append(
            Rule(
                id=rule_id,
                check=check,
                message=message,
                fields=item.texts("fields", single=True),
                level=Level(item.one_of("level", [level.value for level in Level], "error")),
                from_stage=_stage(item, "from", stages),
                basis=item.text("basis", limit=300),
                line=item.place()[1],
            )
        )
    return found
