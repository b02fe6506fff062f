"""字段值. Stored values as rules reckon with them and as they are printed.

Three notations of one value: *typed* (text from CSV, native YAML values; read by `domain.value_entry`), *wire* (`Wire`,
JSON without numbers, as it is filed) and *reckoned* (text, `Decimal`, dates, lists) for expressions. Whether a value is
allowed is `domain.form_check`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from controller.domain.form import FieldType
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from controller.domain.form import Field, FormDefinition
    from controller.domain.record import Wire

PENDING = "待补"
"""What people type for a value that will be supplied later."""
SIGNATURE_KINDS = ("纸质签字", "盖章扫描", "手写屏", "聊天截图", "拒签", "无法取得")
"""How somebody outside signed, or why there is no signature."""
UNSIGNED_KINDS = ("拒签", "无法取得")
"""The kinds that need a reason instead of a file."""

_NUMBER = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,20})?")
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_ISO_DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(?:[+-]\d\d:\d\d)?")


class NotThisTypeError(Exception):
    """The typed value cannot be read as the field's type; `right` says what would be right. Internal to checking."""

    def __init__(self, rule: Text, right: Text, *, code: str = "type") -> None:
        super().__init__(str(rule))
        self.rule = rule
        self.right = right
        self.code = code


def is_pending(value: object) -> bool:
    """Tell whether a typed or stored value is 待补."""
    if isinstance(value, str):
        return value.strip() == PENDING
    return isinstance(value, Mapping) and value.get("pending") is True and len(value) == 1


def typed_values(definition: FormDefinition, wire: Mapping[str, Wire]) -> dict[str, object]:
    """Return every field of the form as expressions reckon with it; missing and pending values are None."""
    return {field.key: reckoned(field, wire.get(field.key)) for field in definition.fields}


def reckoned(field: Field, value: Wire) -> object:
    """Return one stored value as expressions reckon with it."""
    if value is None or value in ("", []) or is_pending(value):
        return None
    if field.type is FieldType.TABLE:
        rows = value if isinstance(value, list) else []
        return [
            {column.key: reckoned(column, row.get(column.key)) for column in field.columns}
            for row in rows
            if isinstance(row, dict)
        ]
    if field.type is FieldType.COMPUTED:
        return _reckoned_computed(value)
    if isinstance(value, list):
        return [_reckoned_one(field.type, item) for item in value]
    return _reckoned_one(field.type, value)


def _reckoned_one(kind: FieldType, value: Wire) -> object:
    if isinstance(value, str):
        if kind in {FieldType.INTEGER, FieldType.DECIMAL}:
            return Decimal(value)
        if kind is FieldType.DATE:
            return date.fromisoformat(value)
        if kind is FieldType.DATETIME:
            return datetime.fromisoformat(value)
    return value


def _reckoned_computed(value: Wire) -> object:
    """A computed value has no declared type: its stored text shows whether it is a number, a date or text."""
    if isinstance(value, str):
        if _NUMBER.fullmatch(value):
            return Decimal(value)
        if _ISO_DATE.fullmatch(value):
            return date.fromisoformat(value)
        if _ISO_DATETIME.fullmatch(value):
            return datetime.fromisoformat(value)
    return value


def display(field: Field, value: Wire, *, masked: bool = False) -> str:
    """Return a stored value as printed: blank → empty, 待补 as such, `masked` → `***`."""
    if value is None or value in ("", []):
        return ""
    if masked:
        return "***"
    if is_pending(value):
        return PENDING
    if field.type is FieldType.TABLE:
        return ";".join(_row_text(field, row) for row in value) if isinstance(value, list) else ""
    if isinstance(value, list):
        return "、".join(_display_one(field, item) for item in value)
    return _display_one(field, value)


def display_rows(field: Field, value: Wire, *, masked: bool = False) -> list[dict[str, str]]:
    """Return the rows of a table field with each cell as printed."""
    rows = value if isinstance(value, list) else []
    return [
        {column.key: display(column, row.get(column.key), masked=masked) for column in field.columns}
        for row in rows
        if isinstance(row, dict)
    ]


def _row_text(field: Field, row: Wire) -> str:
    if not isinstance(row, dict):
        return ""
    cells = (display(column, row.get(column.key)) for column in field.columns)
    return " ".join(cell for cell in cells if cell)


def _display_one(field: Field, value: Wire) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, dict):
        return _display_object(value)
    text = str(value)
    if field.type is FieldType.DATETIME or (field.type is FieldType.COMPUTED and _ISO_DATETIME.fullmatch(text)):
        return text[:10] + " " + re.split(r"[+-]", text[11:])[0]
    if field.unit and (field.type is not FieldType.COMPUTED or _NUMBER.fullmatch(text)):
        gap = " " if field.unit[0].isascii() and field.unit[0].isalpha() else ""
        return f"{text}{gap}{field.unit}"
    return text


def _display_object(value: Mapping[str, Wire]) -> str:
    if "person" in value or "digest" in value:
        return str(value.get("name", ""))
    kind, name, at, reason = (str(value.get(key) or "") for key in ("kind", "name", "at", "reason"))
    if kind in UNSIGNED_KINDS:
        return f"{kind}:{reason}"
    return " ".join(part for part in (f"{name}({kind})" if name else kind, at) if part)


def datetime_text(moment: datetime) -> str:
    """Return the stored form of a moment: minutes, seconds only where there are some, with offset."""
    return moment.isoformat(timespec="seconds" if moment.second else "minutes")


def computed_wire(value: object) -> Wire:
    """Return the result of a computed field as it is stored; numbers keep at most six decimals.

    Raises:
        NotThisTypeError: the expression gave something that cannot be stored.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, Decimal)):
        from controller.domain.expression_functions import trimmed

        number = Decimal(value)
        exponent = number.as_tuple().exponent
        if isinstance(exponent, int) and exponent < -6:  # noqa: PLR2004 - the six decimals of the docstring
            number = trimmed(round(number, 6))
        return f"{number:f}"
    if isinstance(value, datetime):
        return datetime_text(value)
    if isinstance(value, date):
        return value.isoformat()
    raise NotThisTypeError(T("算式的结果不能保存"), T("算式应得出数字、文字、日期或是否"), code="computed")
