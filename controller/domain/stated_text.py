"""所写的文字. What people type with an act: how long it may be, and that everybody can see all of it (21 CFR 11.50 b).

A statement is signed and shown for ever: signs that cannot be seen, or that turn the text around them, have no place
in it. Blanks that come along with copied text are taken out, they say nothing.
"""

from __future__ import annotations

import unicodedata

from controller.domain.errors import RefusedError
from controller.domain.text import T

LONGEST_REASON = 2_000
"""Characters of a reason, a comment or an answer."""
LONGEST_TITLE = 100
"""Characters of a title or the name of a department."""
_SPEECHLESS = dict.fromkeys(map(ord, "\u200b\u2060\ufeff\u00ad"))
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"})


class StatedTextError(RefusedError):
    """文字不能这样写. It is too long, or has signs that cannot be seen."""

    code = "stated-text-refused"

    def __init__(self, *, count: int, most: int) -> None:
        message = (
            T("所写的文字有 {count} 个字，最多 {most} 个字。", count=count, most=most)
            if count > most
            else T("所写的文字里有看不见的控制字符。")
        )
        super().__init__(message, hint=T("请重新写一遍；较长的说明请作为附件另存。"))


def stated_text(text: str, *, most: int = LONGEST_REASON, lines: bool = True) -> str:
    """Return `text` without blanks around it and without signs of no width; `lines` allows more than one line.

    Raises:
        StatedTextError: it is longer than `most` characters, or has hidden signs.
    """
    plain = text.translate(_SPEECHLESS).replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").strip()
    if not lines:
        plain = " ".join(plain.split("\n"))
    if len(plain) > most or any(sign != "\n" and unicodedata.category(sign) in _HIDDEN for sign in plain):
        raise StatedTextError(count=len(plain), most=most)
    return plain
