"""格式规则的安全. Keeps regular expressions that could run for minutes out of form definitions.

Python's matcher tries every way to split a text between nested or neighbouring repeats. A pattern is refused when these
ways are too many, and when it refers back or looks around. Values checked by a pattern are at most `MAX_VALUE`
characters long.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from controller.domain.text import T

if TYPE_CHECKING:
    from controller.domain.text import Text

MAX_VALUE = 200
"""Longest value, in characters, that is matched against a pattern."""
_TOO_MANY = 1e7
"""Estimated ways to split; real matching of such a pattern takes well under a second."""
_WIDEST = 40
"""Ways that one repeat counts for at most: neighbouring open repeats share the text, so not all combinations occur."""
_POWERS = 40
"""Repeats of a group that count; more cannot be told apart from endless."""
_QUANTIFIER = re.compile(r"\*|\+|\?|\{(\d*)(,?)(\d*)\}")


def pattern_problem(regex: str) -> Text | None:
    """Return why `regex` is not accepted, None when it is."""
    try:
        compiled = re.compile(regex)
    except re.error as exc:
        return T("不是有效的正则表达式（第 {position} 个字符附近）", position=(exc.pos or 0) + 1)
    except (OverflowError, RecursionError):
        return T("正则表达式过于复杂")
    if compiled.groups > 20 or re.search(r"\\[1-9]|\(\?(?!:)", regex):  # noqa: PLR2004 - far more than any number format needs
        return T("正则表达式用了反向引用、环视或命名组，只支持 ( ) 和 (?: )")
    return _repeat_problem(regex)


def _repeat_problem(regex: str) -> Text | None:
    """Estimate in how many ways a text could be split among the repeats; a repeated group counts to a power."""
    ways = [1.0]
    """Per open group, outermost first."""
    position = 0
    while position < len(regex):
        character = regex[position]
        atom, step = 1.0, 1
        if character == "\\":
            step = 2
        elif character == "[":
            step = _class_length(regex, position)
        elif character == "(":
            ways.append(1.0)
            position += 3 if regex.startswith("(?:", position) else 1
            continue
        elif character == "|":
            ways[-1] *= 2
            position += 1
            continue
        elif character == ")":
            atom = ways.pop()
        position += step
        quantifier = _QUANTIFIER.match(regex, position)
        if quantifier is not None:
            position = quantifier.end()
            if position < len(regex) and regex[position] in "?+":
                position += 1
            least, most = _reach(quantifier)
            atom = min(atom, _TOO_MANY) ** min(most, _POWERS) * min(most - least + 1, _WIDEST)
        ways[-1] *= atom
        if ways[-1] > _TOO_MANY:
            return T("正则表达式里的重复太多或互相嵌套，可能极慢")
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


def _reach(quantifier: re.Match[str]) -> tuple[int, int]:
    """Return how often at least and at most a quantifier repeats."""
    sign = quantifier[0][0]
    if sign in "?*+":
        return int(sign == "+"), 1 if sign == "?" else MAX_VALUE
    least = int(quantifier[1] or 0)
    return least, least if not quantifier[2] else int(quantifier[3]) if quantifier[3] else max(least, MAX_VALUE)
