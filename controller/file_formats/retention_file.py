"""保存期限文件. `records/retention.yml` → `RetentionRules`, with every problem at once and its line."""

from __future__ import annotations

import re

from controller.domain.errors import MisconfiguredError
from controller.domain.retention import Basis, FromEvent, RetentionClass, RetentionRules, Span
from controller.domain.text import T
from controller.file_formats.definition_reading import DefinitionFileError, Part, Reading
from controller.file_formats.form_fields import FIELD_KEY, expression

RETENTION_FILE = "records/retention.yml"
RETENTION_FORMAT = "wenkong/retention/1"
CERTAINTIES = ("已核对", "待核对", "行业惯例", "企业自定")

_CLASS_KEYS = (
    "label",
    "permanent",
    "permanent_if",
    "expiry_plus",
    "warranty_plus",
    "from_event",
    "min",
    "basis",
    "note",
)
_SPAN = re.compile(r"([1-9]\d{0,3})([ymd])")
_FIELD_PATH = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?")


class RetentionFileError(DefinitionFileError, MisconfiguredError):
    """保存期限文件有误. `records/retention.yml` cannot be used; `findings` has every problem with its line."""

    code = "retention-invalid"
    says = T("保存期限文件有 {count} 处错误，第一处：{problem}")


def read_retention(text: str, *, where: str = RETENTION_FILE) -> RetentionRules:
    """Return the retention rules in `text`.

    Raises:
        RetentionFileError: the file has errors; carries all of them.
    """
    reading = Reading()
    top = reading.file(text, where=where, title=T("保存期限"), expected=RETENTION_FORMAT)
    if top is None:
        raise RetentionFileError(findings=reading.findings)
    top.check_keys(("format", "expiry_fields", "warranty_fields", "classes", "note"))
    rules = RetentionRules(
        classes={key: _class(key, part) for key, part in top.parts("classes")},
        expiry_fields=_paths(top, "expiry_fields"),
        warranty_fields=_paths(top, "warranty_fields"),
    )
    if not rules.classes:
        top.wrong(None, "definition-key-missing", T("没有任何类别（classes）"))
    if reading.broken:
        raise RetentionFileError(findings=reading.findings)
    return rules


def _class(key: str, part: Part) -> RetentionClass:
    part.check_keys(_CLASS_KEYS)
    if not FIELD_KEY.fullmatch(key):
        part.wrong(
            None, "retention-class", T("类别名 {key} 不可用", key=key[:60]), hint=T("用小写字母、数字和下划线。")
        )
    made = RetentionClass(
        key=key,
        label=part.text("label", needed=True, limit=100) or key,
        permanent=part.flag("permanent"),
        permanent_if=expression(part, "permanent_if"),
        expiry_plus=_span(part, "expiry_plus"),
        warranty_plus=_span(part, "warranty_plus"),
        from_event=_event(part),
        least=_span(part, "min"),
        basis=tuple(_basis(item) for item in part.listed("basis")),
    )
    dated = (made.expiry_plus, made.warranty_plus, made.from_event, made.least)
    if not made.permanent and not any(dated):
        hint = T("写 min、expiry_plus、warranty_plus、from_event 中至少一项，或 permanent: true。")
        part.wrong(None, "retention-class", T("没有写保存多久"), hint=hint)
    if made.permanent and (any(dated) or made.permanent_if):
        part.wrong("permanent", "retention-class", T("永久保存不能同时写其他年限"))
    if not made.basis:
        part.wrong(None, "definition-key-missing", T("缺少 basis（依据）"))
    return made


def _span(part: Part, key: str) -> Span | None:
    text = part.text(key)
    if text is None:
        return None
    match = _SPAN.fullmatch(text)
    if match is None:
        part.wrong(
            key,
            "definition-value",
            T("{key} 的“{text}”写法不对", key=key, text=text[:20]),
            hint=T("例如 2y、18m、90d。"),
        )
        return None
    return Span(int(match[1]), match[2])


def _event(part: Part) -> FromEvent | None:
    inner = part.part("from_event", T("{title} 的 from_event", title=part.title))
    if inner is None:
        return None
    inner.check_keys(("label", "fields", "plus"))
    label, fields, span = inner.text("label", needed=True), _paths(inner, "fields"), _span(inner, "plus")
    if not fields or span is None:
        inner.wrong(None, "definition-key-missing", T("缺少 fields 或 plus"))
        return None
    return FromEvent(label or "", fields, span)


def _paths(part: Part, key: str) -> tuple[str, ...]:
    paths = part.texts(key, single=True)
    for path in paths:
        if not _FIELD_PATH.fullmatch(path):
            part.wrong(key, "definition-value", T("{key} 里的“{path}”不是字段名", key=key, path=path[:40]))
    return paths


def _basis(part: Part) -> Basis:
    part.check_keys(("text", "certainty"))
    return Basis(part.text("text", needed=True, limit=500) or "", part.one_of("certainty", CERTAINTIES, "待核对"))
