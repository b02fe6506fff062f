"""中文数字. Reading and writing the numerals of clause numbers: 一 … 九百九十九, 〇 and 两 included."""

from __future__ import annotations

_DIGITS = {"〇": 0, "零": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_WRITTEN = "零一二三四五六七八九"

_LONGEST = 6
"""Digits in the longest number that is read."""
_FIRST_NOT_WRITTEN = 10_000

NUMERAL_CHARACTERS = "〇零一二两三四五六七八九十百千"


def read_numeral(text: str) -> int | None:
    """Return the value of a Chinese or decimal numeral (full-width digits too), None when it is not one.

    Both 一百零五 and the digit-by-digit 一〇五 are read.
    """
    if not text:
        return None
    if all("0" <= c <= "9" or "０" <= c <= "９" for c in text):
        return int(text) if len(text) <= _LONGEST else None
    if any(c not in NUMERAL_CHARACTERS for c in text):
        return None
    if not any(c in _UNITS for c in text):
        return int("".join(str(_DIGITS[c]) for c in text)) if len(text) <= _LONGEST else None
    total, digit, last_unit = 0, None, _FIRST_NOT_WRITTEN
    for c in text:
        if c in _UNITS:
            if _UNITS[c] >= last_unit or digit == 0:
                return None
            last_unit = _UNITS[c]
            total += (1 if digit is None else digit) * last_unit
            digit = None
        else:
            if digit is not None and digit != 0:
                return None
            digit = _DIGITS[c]
    return total + (digit or 0)


def write_numeral(value: int) -> str:
    """Return `value` (1 … 9999) as Chinese clause numbers are written: 十, 十一, 二十, 一百零五."""
    if not 0 < value < _FIRST_NOT_WRITTEN:
        return str(value)
    text, rest, gap = "", value, False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, rest = divmod(rest, unit)
        if digit:
            text += ("零" if gap and text else "") + _WRITTEN[digit] + name
            gap = False
        elif text and rest:
            gap = True
    return text.removeprefix("一") if text.startswith("一十") else text
