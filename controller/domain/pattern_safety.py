"""格式规则的安全. Keeps regular expressions that could run for minutes out of form definitions.

Python's matcher tries every way to split a text between nested or neighbouring repeats. A pattern is refused when it
repeats a group that itself repeats or offers alternatives more than a few times, refers back, looks around, or has many
open repeats. Values checked by a pattern are at most `MAX_VALUE` characters long.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from controller.domain.text import T

if TYPE_CHECKING:
    from controller.domain.text import Text

MAX_VALUE = 200
"""Longest value, in characters, that is matched against a pattern."""
_MAX_OPEN = 4
"""Open repeats in one pattern; a short repeat of a group that varies counts as often as it may repeat."""
_OPEN_FROM = 40
_ENDLESS = 10**6
_QUANTIFIER = re.compile(r"\*|\+|\?|\{(\d*)(,?)(\d*)\}")


def pattern_problem(regex: str) -> Text | None:
    """Return why `regex` is not accepted, None when it is."""
    try:
        compiled = re.compile(regex)
    except re.error as exc:
        return T("不是有效的正则表达式(第 {position} 个字符附近)", position=(exc.pos or 0) + 1)
    except (OverflowError, RecursionError):
        return T("正则表达式过于复杂")
    if compiled.groups > 20 or re.search(r"\\[1-9]|\(\?(?!:)", regex):  # noqa: PLR2004 - far more than any number format needs
        return T("正则表达式用了反向引用、环视或命名组,只支持 ( ) 和 (?: )")
    return _repeat_problem(regex)


def _repeat_problem(regex: str) -> Text | None:
    opened: list[list[bool]] = []
    """Per open group: does it vary (repeat or alternative) inside?"""
    last_varies = False
    open_repeats = 0
    position = 0
    while position < len(regex):
        character = regex[position]
        step = 1
        atom_varies = False
        if character == "\\":
            step = 2
        elif character == "[":
            step = _class_length(regex, position)
        elif character == "(":
            opened.append([False])
            position += 3 if regex.startswith("(?:", position) else 1
            continue
        elif character == "|":
            if opened:
                opened[-1][0] = True
            position += 1
            continue
        elif character == ")":
            atom_varies = opened.pop()[0]
        last_varies = atom_varies
        position += step
        quantifier = _QUANTIFIER.match(regex, position)
        if quantifier is not None:
            position = quantifier.end()
            if position < len(regex) and regex[position] in "?+":
                position += 1
            varies, most, unbounded = _reach(quantifier)
            if most > 1 and last_varies:
                if most > _MAX_OPEN:
                    return T("正则表达式里重复的组内还有重复或多选,可能极慢")
                open_repeats += most
            open_repeats += unbounded
            last_varies = last_varies or varies
        if opened and last_varies:
            opened[-1][0] = True
    if open_repeats > _MAX_OPEN:
        return T("正则表达式里不限次数的重复超过 {limit} 处,可能极慢", limit=_MAX_OPEN)
    return None


def _class_length(regex: str, start: int) -> int:
    position = start + 1
    if regex.startswith("^", position):
        position += 1
    if regex.startswith("]", position):
        position += 1
    while regex[position] != "]":
        position += 2 if regex[position] == "\\" else 1
    return position + 1 - start


def _reach(quantifier: re.Match[str]) -> tuple[bool, int, bool]:
    """Tell whether a quantifier varies, how often it may repeat, and whether it is open-ended (more than 40 times)."""
    sign = quantifier[0][0]
    if sign == "?":
        return True, 1, False
    if sign in "*+":
        return True, _ENDLESS, True
    least = int(quantifier[1] or 0)
    most = least if not quantifier[2] else int(quantifier[3]) if quantifier[3] else _ENDLESS
    return most != least, most, most != least and most > _OPEN_FROM
