"""文末附注. Adds lines at the end of a finished docx: what its template has no place for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from controller.file_formats.docx_package import open_docx, write_docx

if TYPE_CHECKING:
    from collections.abc import Sequence

_LAST_SECTION = re.compile(
    rb"(?s)<w:sectPr\b(?:(?!<w:sectPr\b).)*?</w:sectPr>\s*</w:body>|<w:sectPr\b[^<>]*/>\s*</w:body>"
)
_FORBIDDEN = re.compile(r"[^\u0020-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


def with_closing_lines(docx: bytes, lines: Sequence[str]) -> bytes:
    """Return the docx with a paragraph for each of `lines` after its text; same input, same bytes.

    Raises:
        QmsError: the file is no docx.
    """
    package = open_docx(docx)
    contents = dict(package.contents)
    main = contents[package.main]
    drawn = "".join(
        f'<w:p><w:r><w:t xml:space="preserve">{escape(_FORBIDDEN.sub("", line))}</w:t></w:r></w:p>' for line in lines
    )
    end = main.rindex(b"</w:body>")
    section = _LAST_SECTION.search(main, max(0, main.rfind(b"<w:sectPr", 0, end)))
    place = section.start() if section is not None else end
    contents[package.main] = main[:place] + drawn.encode() + main[place:]
    return write_docx({**package.parts, **contents})
