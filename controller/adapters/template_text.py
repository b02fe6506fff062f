"""模板文字. Words of a definition inside a docxtpl template: literal text that cannot act, literals that survive Word.

A label or choice is somebody's text; written into a template as it is, `{{ … }}` in it would run. And the template
compiler rewrites quotes and angle brackets inside `{{ … }}`, so that a choice with “quotes” would no longer be found.
"""

from __future__ import annotations

import re

_ACTIVE = re.compile(r"\{(?=[{%#])")
_PLAIN = re.compile(r"[0-9A-Za-z\u4e00-\u9fff_ ]")


def literal_text(text: str) -> str:
    """Return `text` as template text that prints itself, whatever it holds."""
    return _ACTIVE.sub("{{ '{' }}", text)


def string_literal(text: str) -> str:
    """Return a Jinja string literal for `text` that neither Word nor the template compiler changes."""
    body = "".join(character if _PLAIN.fullmatch(character) else f"\\U{ord(character):08x}" for character in text)
    return f"'{body}'"
