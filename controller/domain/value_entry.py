"""录入值. Reads one value as people type it, field type by field type, into the form in which it is stored.

Text from CSV and native values from YAML or JSON are read alike; numbers keep the digits that were typed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, cast

from controller.domain.field_values import (
    SIGNATURE_KINDS,
    UNSIGNED_KINDS,
    NotThisTypeError,
    datetime_text,
    is_pending,
)
from controller.domain.form import FieldType
from controller.domain.identifiers import DocumentNumber, InvalidIdentifierError, RecordNumber, nearest
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from datetime import tzinfo

    from controller.domain.form import Field, FormDefinition
    from controller.domain.person import Staff
    from controller.domain.record import Attachment, Wire

MAX_TEXT = 20_000
MAX_LINE = 1_000
MAX_ITEMS = 500
MAX_NAME = 200
MAX_TIME = 40

_NUMBER = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,20})?")
_WHOLE = re.compile(r"-?[0-9]{1,40}")
_DAY = r"(\d{4})\s{0,2}[-./年]\s{0,2}(\d{1,2})\s{0,2}[-./月]\s{0,2}(\d{1,2})"
_CLOCK = (
    r"(\d{1,2})\s{0,2}[:：时]\s{0,2}(\d{1,2})(?:\s{0,2}[:：分]\s{0,2}(\d{1,2})?)?(?:\.0{1,6})?秒?(Z|[+-]\d\d:\d\d)?"
)
_DATE = re.compile(_DAY + "日?")
_DATETIME = re.compile(_DAY + r"(?:日\s{0,2}|\s{1,2}|T)" + _CLOCK)
_PHONE = re.compile(r"[+0-9][0-9()（） \-]{4,24}[0-9)）](?:\s?(?:转|x|ext\.?)\s?[0-9]{1,6})?")
_EMAIL = re.compile(r"[^@\s,;<>()\[\]\"']{1,64}@(?:[A-Za-z0-9][A-Za-z0-9-]{0,62}\.){1,8}[A-Za-z]{2,24}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff\ud800-\udfff]")
_SEPARATORS = re.compile("[、,\uff0c;\uff1b\n]")
_LOOKS_CONTROLLED = re.compile(r"[A-Z0-9]{1,8}-[A-Z]{4,10}-\d+.*")
_DIGITS = str.maketrans("０１２３４５６７８９．－／：", "0123456789.-/:")
_TRUE = frozenset({"是", "true", "True", "TRUE", "1", "√", "Y", "y", "yes"})
_FALSE = frozenset({"否", "false", "False", "FALSE", "0", "×", "N", "n", "no"})


@dataclass(frozen=True)
class Surroundings:
    """What reading a value may need to know beside the value."""

    zone: tzinfo | None
    staff: Staff
    attachments: Mapping[str, Attachment]
    """Path as typed → the file, already read and digested by the caller."""


def is_blank(typed: object) -> bool:
    """Tell whether nothing was entered: none, blank text, an empty list."""
    return typed is None or (isinstance(typed, str) and not typed.strip()) or (isinstance(typed, list) and not typed)


def parse(field: Field, typed: object, around: Surroundings) -> Wire:
    """Return the stored form of one typed value that is neither blank nor pending; tables are the checker's.

    Raises:
        NotThisTypeError: the value is not of the field's type.
    """
    kind = field.type
    if field.many and kind is not FieldType.MULTI_CHOICE:
        return _many(field, typed, around)
    return _one(field, typed, around)


def _many(field: Field, typed: object, around: Surroundings) -> Wire:
    if isinstance(typed, str):
        items: Sequence[object] = [part for part in _SEPARATORS.split(typed) if part.strip()]
    elif isinstance(typed, list):
        items = typed
    else:
        items = [typed]
    if len(items) > MAX_ITEMS:
        raise NotThisTypeError(T("项目过多"), T("最多 {limit} 项", limit=MAX_ITEMS))
    result: list[Wire] = []
    for item in items:
        value = _one(field, item, around)
        if value not in result:
            result.append(value)
    return result


def _one(field: Field, typed: object, around: Surroundings) -> Wire:
    match field.type:
        case FieldType.TEXT | FieldType.LONG_TEXT | FieldType.UDI:
            return _text(typed, lines=field.type is FieldType.LONG_TEXT)
        case FieldType.INTEGER | FieldType.DECIMAL:
            return number_text(typed, whole=field.type is FieldType.INTEGER)
        case FieldType.DATE:
            return _date(typed).isoformat()
        case FieldType.DATETIME:
            return datetime_text(_datetime(typed, around.zone))
        case FieldType.BOOL:
            return _bool(typed)
        case FieldType.CHOICE:
            return _choice(field, typed)
        case FieldType.MULTI_CHOICE:
            return _choices(field, typed)
        case FieldType.PHONE:
            return _shaped(typed, _PHONE, T("不是电话号码"), T("例如 13800138000 或 0571-88886666"))
        case FieldType.EMAIL:
            return _shaped(typed, _EMAIL, T("不是电子邮箱"), T("例如 name@example.com"))
        case FieldType.ASSIGNEE:
            return _person(typed, around.staff)
        case FieldType.RECORD_REF:
            return _record(field, typed)
        case FieldType.DOCUMENT_REF:
            return _document(typed)
        case FieldType.ATTACHMENT:
            return _attachment(typed, around)
        case FieldType.EXTERNAL_SIGNATURE:
            return _external_signature(typed, around)
        case _:
            message = f"not read here: {field.type}"
            raise AssertionError(message)


def _as_text(typed: object) -> str:
    """Return the text of a scalar as it was typed; YAML's exact numbers included."""
    if isinstance(typed, str):
        return typed
    if isinstance(typed, bool):
        return "是" if typed else "否"
    if isinstance(typed, int):
        return str(typed)
    if isinstance(typed, Decimal) and typed.is_finite():
        return f"{typed:f}"
    if isinstance(typed, datetime):
        return typed.isoformat(sep=" ")
    if isinstance(typed, date):
        return typed.isoformat()
    raise NotThisTypeError(T("不是文字"), T("写成一行文字（必要时加引号）"))


def _text(typed: object, *, lines: bool) -> str:
    text = _as_text(typed).replace("\r\n", "\n").replace("\r", "\n").strip()
    limit = MAX_TEXT if lines else MAX_LINE
    if len(text) > limit:
        raise NotThisTypeError(T("文字过长"), T("最多 {limit} 个字符", limit=limit), code="too-long")
    if _CONTROL.search(text):
        raise NotThisTypeError(T("含有不可打印的控制字符"), T("删去看不见的字符后重新输入"))
    if not lines and "\n" in text:
        raise NotThisTypeError(T("应为一行文字"), T("去掉换行"))
    return text


def number_text(typed: object, *, whole: bool) -> str:
    """Return the exact digits of a typed number; full-width digits become plain ones.

    Raises:
        NotThisTypeError: not a number, or a binary float whose typed digits are lost.
    """
    right = T("只写整数，例如 12") if whole else T("只写数字，例如 12.50")
    if isinstance(typed, (bool, float, list, dict)) or typed is None:
        raise NotThisTypeError(T("不是整数") if whole else T("不是数字"), right)
    text = _as_text(typed).strip().translate(_DIGITS)
    if not (_WHOLE if whole else _NUMBER).fullmatch(text):
        raise NotThisTypeError(T("不是整数") if whole else T("不是数字"), right)
    return text


def _date(typed: object) -> date:
    if isinstance(typed, datetime):
        typed = typed.date()
    if isinstance(typed, date):
        return typed
    text = typed.strip()[: MAX_TIME + 1].translate(_DIGITS) if isinstance(typed, str) else ""
    match = _DATE.fullmatch(text)
    if match is None:
        raise NotThisTypeError(T("不是日期"), T("例如 2026-05-01"))
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError as exc:
        raise NotThisTypeError(T("没有这一天"), T("例如 2026-05-01")) from exc


def _datetime(typed: object, zone: tzinfo | None) -> datetime:
    right = T("例如 2026-05-01 09:30")
    if isinstance(typed, datetime):
        return typed if typed.tzinfo else typed.replace(tzinfo=zone)
    text = typed.strip()[: MAX_TIME + 1].translate(_DIGITS) if isinstance(typed, str) else ""
    match = _DATETIME.fullmatch(text)
    if match is None:
        if _DATE.fullmatch(text) or isinstance(typed, date):
            raise NotThisTypeError(T("只有日期，缺少时间"), right)
        raise NotThisTypeError(T("不是日期和时间"), right)
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    try:
        moment = datetime.combine(date(year, month, day), time(hour, minute, second), tzinfo=zone)
        if match[7]:
            offset = datetime.fromisoformat(f"2000-01-01T00:00:00{match[7]}").tzinfo
            moment = moment.replace(tzinfo=offset).astimezone(zone)
    except (ValueError, OverflowError) as exc:
        raise NotThisTypeError(T("没有这个时间"), right) from exc
    return moment


def _bool(typed: object) -> bool:
    if isinstance(typed, bool):
        return typed
    text = _as_text(typed).strip() if isinstance(typed, (str, int)) else ""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise NotThisTypeError(T("不是“是”或“否”"), T("写 是 或 否"))


def _choice(field: Field, typed: object) -> str:
    text = _as_text(typed).strip()
    if text in field.choices:
        return text
    close = nearest(text, field.choices)
    right = T("可选：{choices}", choices=list(field.choices))
    if close:
        right = T("是否想选“{close}”？可选：{choices}", close=close, choices=list(field.choices))
    raise NotThisTypeError(T("不在可选项之中"), right, code="choice")


def _choices(field: Field, typed: object) -> Wire:
    if isinstance(typed, str) and typed.strip() in field.choices:
        return [typed.strip()]
    if isinstance(typed, str):
        parts: list[object] = [part for part in _SEPARATORS.split(typed) if part.strip()]
    else:
        parts = typed if isinstance(typed, list) else [typed]
    if len(parts) > MAX_ITEMS:
        raise NotThisTypeError(T("选项过多"), T("最多选 {limit} 项", limit=len(field.choices)))
    chosen = {_choice(field, part) for part in parts}
    return [choice for choice in field.choices if choice in chosen]


def _shaped(typed: object, pattern: re.Pattern[str], rule: Text, right: Text) -> str:
    text = _text(typed, lines=False)
    if not pattern.fullmatch(text):
        raise NotThisTypeError(rule, right)
    return text


def _person(typed: object, staff: Staff) -> Wire:
    if isinstance(typed, Mapping):
        typed = typed.get("person")
    if not isinstance(typed, str):
        raise NotThisTypeError(T("不是人员"), T("写在册人员的姓名或工号"), code="person")
    text = typed.strip()
    known = staff.people.get(text)
    found = [known] if known else [person for person in staff.people.values() if person.name == text]
    active = [person for person in found if person.active]
    if len(active) == 1:
        return {"person": active[0].id, "name": active[0].name}
    if len(active) > 1:
        ids = [person.id for person in active]
        raise NotThisTypeError(T("有几位同名人员"), T("写工号：{ids}", ids=ids), code="person")
    if found:
        raise NotThisTypeError(T("该人员已不在册"), T("选择在册人员"), code="person")
    names = [person.name for person in staff.people.values() if person.active]
    close = nearest(text, names)
    right = T("是否想写“{close}”？", close=close) if close else T("写在册人员的姓名或工号")
    raise NotThisTypeError(T("没有这位在册人员"), right, code="person")


def _record(field: Field, typed: object) -> str:
    text = _as_text(typed).strip()
    try:
        number = RecordNumber(text)
    except InvalidIdentifierError as exc:
        raise NotThisTypeError(T("不是记录编号"), T("例如 XX-YLQXJL-018-2026-0001")) from exc
    if field.forms and number.form not in field.forms:
        raise NotThisTypeError(T("不是所要求表单的记录"), T("应为以下表单的记录：{forms}", forms=list(field.forms)))
    return text


def _document(typed: object) -> str:
    text = _text(typed, lines=False)
    if len(text) > MAX_NAME:
        raise NotThisTypeError(T("文件编号过长"), T("例如 XX-YLQXCX-014"))
    if _LOOKS_CONTROLLED.fullmatch(text):
        try:
            DocumentNumber(text.split(" ", maxsplit=1)[0])
        except InvalidIdentifierError as exc:
            raise NotThisTypeError(T("不是文件编号"), T("例如 XX-YLQXCX-014")) from exc
    return text


def _attachment(typed: object, around: Surroundings) -> Wire:
    right = T("写文件的相对路径，例如 照片/1.jpg")
    if isinstance(typed, Mapping):
        name, digest, size = typed.get("name"), typed.get("digest"), typed.get("size")
        if isinstance(name, str) and isinstance(digest, str) and re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
            return {"name": _text(name, lines=False), "digest": digest, "size": number_text(size, whole=True)}
        raise NotThisTypeError(T("不是附件"), right, code="attachment")
    if not isinstance(typed, str):
        raise NotThisTypeError(T("不是文件路径"), right, code="attachment")
    file = around.attachments.get(typed.strip())
    if file is None:
        raise NotThisTypeError(T("找不到附件文件"), right, code="attachment")
    return {"name": _text(file.name, lines=False), "digest": file.digest.text, "size": str(file.size)}


def _external_signature(typed: object, around: Surroundings) -> Wire:
    kinds = list(SIGNATURE_KINDS)
    right = T("写 kind({kinds})、name、at、file；拒签或无法取得时写 reason", kinds=kinds)
    if not isinstance(typed, Mapping):
        raise NotThisTypeError(T("不是外部签名"), right, code="external-signature")
    unknown = sorted(str(key) for key in typed if key not in {"kind", "name", "at", "file", "attachment", "reason"})
    if unknown:
        raise NotThisTypeError(T("外部签名里有不认识的项 {keys}", keys=unknown), right, code="external-signature")
    kind = typed.get("kind")
    if kind not in SIGNATURE_KINDS:
        raise NotThisTypeError(
            T("外部签名的方式（kind）不对"), T("可选：{kinds}", kinds=kinds), code="external-signature"
        )
    result: dict[str, Wire] = {"kind": cast("str", kind)}
    for key in ("name", "reason"):
        if not is_blank(typed.get(key)):
            result[key] = _text(typed[key], lines=False)
    if not is_blank(typed.get("at")):
        result["at"] = _date(typed["at"]).isoformat()
    file = typed.get("attachment") or typed.get("file")
    if not is_blank(file):
        result["attachment"] = _attachment(file, around)
    if kind in UNSIGNED_KINDS:
        if "reason" not in result:
            raise NotThisTypeError(T("没有签名时缺少原因"), T("补写 reason（原因）"), code="external-signature")
    else:
        missing = [key for key in ("name", "at") if key not in result]
        if missing:
            raise NotThisTypeError(T("外部签名缺少 {keys}", keys=missing), right, code="external-signature")
        if "attachment" not in result:
            raise NotThisTypeError(T("外部签名缺少扫描件或截图"), T("补写 file（文件路径）"), code="external-signature")
    return result


def attachment_paths(definition: FormDefinition, typed: Mapping[str, object]) -> list[str]:
    """Return the file paths that the typed values name, so that the caller can read them before checking."""
    paths: list[str] = []

    def collect(fields: Sequence[Field], values: Mapping[str, object]) -> None:
        for field in fields:
            value = values.get(field.key)
            if field.type is FieldType.TABLE and isinstance(value, list):
                for row in value:
                    if isinstance(row, Mapping):
                        collect(field.columns, row)
            elif field.type is FieldType.EXTERNAL_SIGNATURE and isinstance(value, Mapping):
                paths.extend(item for item in (value.get("file"),) if isinstance(item, str))
            elif field.type is FieldType.ATTACHMENT and not is_blank(value) and not is_pending(value):
                paths.extend(_paths_in(field, value))

    collect(definition.fields, typed)
    return list(dict.fromkeys(path.strip() for path in paths if path.strip()))


def _paths_in(field: Field, value: object) -> list[str]:
    if isinstance(value, str):
        return [part for part in _SEPARATORS.split(value) if part.strip()] if field.many else [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
