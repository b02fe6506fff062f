"""唯一标识 UDI. Reads a GS1 element string as scanners give it: with FNC1, with brackets, or bare.

Understood are 01 (product identifier), 10 (lot), 11 (production), 17 (expiry) and 21 (serial); other identifiers of
known length are passed over. Codes of other issuers (MA, 阿里健康) have no public grammar here and are refused.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from controller.domain.check_characters import gtin_ok
from controller.domain.text import T

if TYPE_CHECKING:
    from controller.domain.text import Text

GROUP_SEPARATOR = "\x1d"
"""FNC1 between elements as scanners send it."""
_SYMBOLOGY = re.compile(r"\](?:C1|d2|Q3|e0)")
_BRACKETED = re.compile(r"\((\d{2,4})\)([^()]+)")
_FIXED = {"00": 18, "01": 14, "02": 14, "11": 6, "12": 6, "13": 6, "15": 6, "16": 6, "17": 6, "20": 2}
_VARIABLE = {"10": 20, "21": 20, "22": 20, "30": 8, "37": 8, "240": 30, "241": 30, "250": 30, "251": 30, "710": 20}
_LOT = re.compile(r"[!-~]{1,20}")
_MAX = 200
_CENTURY_AHEAD = 50
"""GS1: a two-digit year more than 50 years ahead belongs to the last century."""


class UdiError(ValueError):
    """Not a GS1 element string; `problem` says why. Turned into a problem of the field by the checker."""

    def __init__(self, problem: Text, right: Text) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.right = right


@dataclass(frozen=True)
class Udi:
    """一次扫描的内容. What one scan tells; the parts are None where the code does not carry them."""

    di: str
    """Product identifier (UDI-DI), 14 digits with a right check digit."""
    lot: str | None = None
    serial: str | None = None
    expiry: date | None = None
    production: date | None = None


def parse_udi(text: str, *, today: date) -> Udi:
    """Return the parts of a scanned code; `today` decides the century of two-digit years.

    Raises:
        UdiError: it is no GS1 element string, or a part of it is wrong.
    """
    code = _SYMBOLOGY.sub("", text.strip(), count=1)
    if not code or len(code) > _MAX:
        raise UdiError(T("不是 UDI 条码的内容"), T("用扫码枪重新扫描，或照标签抄录 (01)…(17)…(10)…"))
    parts = _bracketed(code) if code.startswith("(") else _plain(code)
    if "01" not in parts:
        raise UdiError(T("条码里没有产品标识 (01)"), T("请扫描含 (01) 的 UDI 条码"))
    if not gtin_ok(parts["01"]):
        raise UdiError(T("产品标识的校验位不符"), T("重新扫描或核对 (01) 后的 14 位数字"))
    return Udi(
        di=parts["01"],
        lot=parts.get("10"),
        serial=parts.get("21"),
        expiry=_day(parts["17"], today) if "17" in parts else None,
        production=_day(parts["11"], today) if "11" in parts else None,
    )


def _add(parts: dict[str, str], identifier: str, value: str) -> None:
    length = _FIXED.get(identifier)
    if length is not None and (len(value) != length or not (value.isascii() and value.isdigit())):
        raise UdiError(
            T("({identifier}) 后应为 {length} 位数字", identifier=identifier, length=length), T("重新扫描或核对标签")
        )
    if identifier in _VARIABLE and (not _LOT.fullmatch(value) or len(value) > _VARIABLE[identifier]):
        raise UdiError(
            T("({identifier}) 后的内容过长或含有不允许的字符", identifier=identifier), T("重新扫描或核对标签")
        )
    if parts.get(identifier, value) != value:
        raise UdiError(T("({identifier}) 出现两次且内容不同", identifier=identifier), T("重新扫描，一次只扫一个条码"))
    parts[identifier] = value


def _bracketed(code: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    position = 0
    for match in _BRACKETED.finditer(code):
        if match.start() != position:
            break
        _add(parts, match[1], match[2].rstrip(GROUP_SEPARATOR).strip())
        position = match.end()
    if position != len(code):
        raise UdiError(T("括号写法不完整"), T("照标签抄录，例如 (01)06901234567892(17)280531(10)A123"))
    return parts


def _plain(code: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    rest = code.lstrip(GROUP_SEPARATOR)
    while rest:
        identifier = next((rest[:size] for size in (2, 3) if rest[:size] in _FIXED or rest[:size] in _VARIABLE), None)
        if identifier is None:
            raise UdiError(
                T("不认识的应用标识“{start}”", start=rest[:4]), T("只接受 GS1 编码；其他编码请直接填写各字段")
            )
        rest = rest[len(identifier) :]
        if identifier in _FIXED:
            value, rest = rest[: _FIXED[identifier]], rest[_FIXED[identifier] :]
        else:
            value, _, rest = rest.partition(GROUP_SEPARATOR)
        _add(parts, identifier, value)
        rest = rest.lstrip(GROUP_SEPARATOR)
    return parts


def _day(text: str, today: date) -> date:
    """Return the day of YYMMDD; day 00 means the last day of the month (GS1 General Specifications)."""
    year, month, day = today.year - today.year % 100 + int(text[:2]), int(text[2:4]), int(text[4:])
    if year - today.year > _CENTURY_AHEAD:
        year -= 100
    elif today.year - year >= _CENTURY_AHEAD:
        year += 100
    try:
        return date(year, month, day or calendar.monthrange(year, month)[1])
    except (ValueError, calendar.IllegalMonthError) as exc:
        raise UdiError(T("日期 {text} 不存在", text=text), T("日期为 6 位 年月日，例如 280531")) from exc
