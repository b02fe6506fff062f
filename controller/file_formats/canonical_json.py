"""规范 JSON. The one canonical encoding (RFC 8785) of statements, and the strict reader that accepts nothing else.

Values are `Wire`: texts, booleans, null, lists and objects. Numbers are refused, because every reader of JSON has its
own idea of them; in a statement they are exact text. Two readers of the same statement therefore see the same thing.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NoReturn, cast

from controller.domain.errors import DamagedError
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from controller.domain.record import Wire

DEEPEST = 32
"""How deep lists and objects may nest; a form's value needs four."""


_UNUSUAL = re.compile("[\U00010000-\U0010ffff]|\\\\u[dD]")
"""Characters that make RFC 8785's order of keys its own, and escapes that may be half of one."""


class NotCanonicalError(DamagedError):
    """不是规范 JSON. The bytes are not the one canonical encoding of a value, or the value has none."""

    code = "canonical-json-invalid"

    def __init__(self, *, problem: Text, where: str | None = None) -> None:
        super().__init__(
            T("内容的写法不规范：{problem}。", problem=problem),
            hint=T("该内容可能被改动过或传输有误；请从备份或原件重新取得。"),
            where=where,
        )


class _NumberFoundError(ValueError):
    pass


class _DuplicateKeyError(ValueError):
    pass


def encode(value: Wire) -> bytes:
    """Return the canonical bytes (RFC 8785, UTF-8) of `value`.

    Raises:
        NotCanonicalError: a number, a lone surrogate, too deep, or anything that is not a `Wire` value.
    """
    if _check(value, 0):
        # Python orders keys by code point, RFC 8785 by UTF-16 unit; they differ only above U+D7FF.
        import rfc8785

        return rfc8785.dumps(cast("Any", value))
    return _written(value).encode("utf-8")


def decode(data: bytes, *, where: str | None = None) -> Wire:
    """Return the value of canonical `data`; `where` names the file in messages.

    Raises:
        NotCanonicalError: not UTF-8, not JSON, a number, a duplicate key, or any other spelling than the canonical one.
    """
    try:
        text = data.decode("utf-8")
        value = cast("Wire", json.loads(text, parse_int=_no_number, parse_float=_no_number, parse_constant=_no_number))
        if _plain(text) and _written(value) == text:
            return value
        canonical = encode(value)
    except UnicodeDecodeError as exc:
        raise NotCanonicalError(
            problem=T("第 {position} 字节起不是 UTF-8 文字", position=exc.start + 1), where=where
        ) from exc
    except _NumberFoundError as exc:
        raise NotCanonicalError(problem=T("数字 {number} 没有写成文字", number=str(exc)[:40]), where=where) from exc
    except json.JSONDecodeError as exc:
        problem = T("第 {line} 行第 {column} 列无法读懂", line=exc.lineno, column=exc.colno)
        raise NotCanonicalError(problem=problem, where=where) from exc
    except RecursionError as exc:
        raise NotCanonicalError(problem=T("嵌套太深"), where=where) from exc
    except NotCanonicalError as exc:
        exc.where = where
        raise
    if canonical != data:
        raise NotCanonicalError(problem=_difference(data, canonical), where=where)
    return value


def _written(value: Wire) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)


def _plain(text: str) -> bool:
    """Tell whether JSON `text` can have no deep nesting and no key or escape that would need a closer look."""
    return text.count("{") + text.count("[") <= DEEPEST and not _UNUSUAL.search(text)


def _check(value: object, depth: int) -> bool:
    """Refuse what is no `Wire` value; tell whether some key needs RFC 8785's own order."""
    if value is None or isinstance(value, bool):
        return False
    if isinstance(value, str):
        _check_text(value)
        return False
    if depth >= DEEPEST:
        raise NotCanonicalError(problem=T("嵌套太深"))
    if isinstance(value, list):
        found = [_check(item, depth + 1) for item in value]
        return any(found)
    if isinstance(value, dict):
        special = False
        for key, item in value.items():
            if not isinstance(key, str):
                raise NotCanonicalError(problem=T("键“{key}”不是文字", key=str(key)[:40]))
            if not key.isascii():
                _check_text(key)
                special = special or max(key) > "\ud7ff"
            special = _check(item, depth + 1) or special
        return special
    raise NotCanonicalError(problem=T("值“{value}”既不是文字、是否，也不是列表", value=str(value)[:40]))


def _check_text(text: str) -> None:
    if text.isascii():
        return
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as exc:
        raise NotCanonicalError(problem=T("文字中有不成对的代理字符")) from exc


def _no_number(text: str) -> NoReturn:
    raise _NumberFoundError(text)


def _difference(data: bytes, canonical: bytes) -> Text:
    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs):
            seen: set[str] = set()
            raise _DuplicateKeyError(next(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]
        return found

    try:
        json.loads(data, object_pairs_hook=once)
    except _DuplicateKeyError as exc:
        return T("键“{key}”重复", key=str(exc)[:40])
    place = next(
        (index for index, (ours, theirs) in enumerate(zip(canonical, data, strict=False)) if ours != theirs),
        min(len(canonical), len(data)),
    )
    return T("第 {position} 字节起与规范写法不同（键的次序、空白或转义）", position=place + 1)
