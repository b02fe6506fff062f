"""文末附注. Adds lines at the end of a docx's text: what its template has no place for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

_LAST_SECTION = re.compile(
    rb"(?s)<w:sectPr\b(?:(?!<w:sectPr\b).)*?</w:sectPr>\s*</w:body>|<w:sectPr\b[^<>]*/>\s*</w:body>"
)
_FORBIDDEN = re.compile(r"[^\u0020-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")
_PARAGRAPH = (
    '<w:p><w:pPr><w:spacing w:before="0" w:after="0"/></w:pPr><w:r><w:rPr><w:sz w:val="17"/></w:rPr>'
    '<w:t xml:space="preserve">{text}</w:t></w:r></w:p>'
)
"""Smaller than the form's text: 8.5 pt."""


def with_closing_lines(main: bytes, lines: Sequence[str]) -> bytes:
    """Return a docx's main part with a paragraph for each of `lines` after its text; same input, same bytes."""
    drawn = "".join(_PARAGRAPH.format(text=escape(_FORBIDDEN.sub("", line))) for line in lines)
    end = main.rindex(b"</w:body>")
    section = _LAST_SECTION.search(main, max(0, main.rfind(b"<w:sectPr", 0, end)))
    place = section.start() if section is not None else end
    return main[:place] + drawn.encode() + main[place:]
