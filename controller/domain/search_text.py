"""检索用文字. Turns text and search words into tokens: one per Chinese character, one per run of letters or digits.

Chinese has no blanks between words, so every character is a token and a word is a phrase: 投诉 is found wherever
the two stand side by side. Used for search only; stored texts stay byte for byte.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

FIELD_BREAK = "¶"
"""Token between two fields, so that a phrase never reaches from one field into the next."""
MAX_WORDS = 12
"""Search words looked at; more is not a search but an accident."""

_VARIANTS = str.maketrans({"旳": "的", "扺": "抵", "曰": "日", "㕥": "以"})
"""Odd glyphs that scanned and retyped procedures contain, and what was meant."""

_CJK = (
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3040-\u30ff\u3100-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_TOKEN = re.compile(f"[{_CJK}]|[^\\W_{_CJK}]+|[\\n\\x1e]")


def normalised(text: str) -> str:
    """Return `text` as search compares it: NFKC, lower case, known odd glyphs replaced."""
    return unicodedata.normalize("NFKC", text).translate(_VARIANTS).casefold()


def tokens(text: str) -> list[str]:
    """Return the tokens of `text` in order; line ends become `FIELD_BREAK`."""
    return [FIELD_BREAK if found in {"\n", "\x1e"} else found for found in _TOKEN.findall(normalised(text))]


@dataclass(frozen=True)
class SearchWord:
    """检索词. One word of a query as a phrase of tokens."""

    tokens: tuple[str, ...]
    open_end: bool
    """Whether the last token may go on: `YLQXJL-0` finds `YLQXJL-018`, but 投 stands for itself only."""


def search_words(query: str) -> list[SearchWord]:
    """Return the words of a query, duplicates dropped; empty when it holds nothing that can be searched."""
    found: dict[SearchWord, None] = {}
    for word in normalised(query).split():
        parts = tuple(token for token in tokens(word) if token != FIELD_BREAK)
        if parts:
            found[SearchWord(parts, open_end=not re.fullmatch(f"[{_CJK}]", parts[-1]))] = None
        if len(found) == MAX_WORDS:
            break
    return list(found)


def excerpt(text: str, query: str, *, width: int = 40) -> str:
    """Return about `width` characters of `text` around the first search word found in it, on one line."""
    flat = " ".join(text.split())
    folded = normalised(flat)
    # Normalising can change the length (ﬁ → fi); positions are then only near, which is enough for an excerpt.
    place = -1
    for word in search_words(query):
        pattern = r"[\W_]*".join(re.escape(token) for token in word.tokens)
        match = re.search(pattern, folded)
        if match:
            place = min(match.start(), len(flat))
            break
    if place < 0:
        return flat[:width] + ("…" if len(flat) > width else "")
    start = max(0, place - width // 4)
    end = start + width
    return ("…" if start else "") + flat[start:end] + ("…" if end < len(flat) else "")
