"""网页中的文字. What people typed, as a web page may show it: escaped, without what would turn or hide text."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from controller.domain.text_difference import Mark

if TYPE_CHECKING:
    from collections.abc import Iterable

    from controller.domain.text_difference import Stretch

_UNSEEN = {
    code: "\ufffd"
    for code in (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFFFE, 0xFFFF)
    if chr(code) not in "\n\t"
} | dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
_TAGS = {Mark.ADDED: "ins", Mark.REMOVED: "del"}


def safe_html(text: str) -> str:
    """Return `text` escaped; characters that would turn or hide text are replaced."""
    return escape(text.translate(_UNSEEN))


def marked_html(stretches: Iterable[Stretch]) -> str:
    """Return a text with what was added in `ins` and what was removed in `del`."""
    return "".join(
        f"<{_TAGS[item.mark]}>{safe_html(item.text)}</{_TAGS[item.mark]}>"
        if item.mark in _TAGS
        else safe_html(item.text)
        for item in stretches
    )
