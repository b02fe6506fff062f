"""PDF 文字. What can be read back from a finished PDF: the text of each page and the fonts it is set in."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.errors import DamagedError
from controller.domain.text import T

if TYPE_CHECKING:
    from pypdf import PageObject

_MARKS = re.compile(r"^/?(?:[A-Z]{6}\+)?|-Identity-[HV]$")


class PdfUnreadableError(DamagedError):
    """PDF 无法读取. The bytes are no PDF, or one that cannot be read back."""

    code = "pdf-unreadable"

    def __init__(self) -> None:
        super().__init__(T("PDF 文件无法读取。"), hint=T("请重新生成该 PDF；若反复出现，请换用另一个 PDF 引擎。"))


@dataclass(frozen=True)
class PdfText:
    """PDF 的文字. Texts of the pages in order, and the fonts by name without subset marks, sorted."""

    pages: tuple[str, ...]
    fonts: tuple[str, ...]


def read_pdf(pdf: bytes) -> PdfText:
    """Read back the text and fonts of a PDF.

    Raises:
        PdfUnreadableError: it is none.
    """
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        pages = PdfReader(io.BytesIO(pdf)).pages
        texts = tuple(page.extract_text() for page in pages)
        fonts = {name for page in pages for name in _fonts(page)}
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as exc:
        raise PdfUnreadableError from exc
    return PdfText(pages=texts, fonts=tuple(sorted(fonts)))


def pdf_fonts(pdf: bytes) -> tuple[str, ...]:
    """Return the fonts of a PDF by name, sorted, without reading its text.

    Raises:
        PdfUnreadableError: it is no PDF.
    """
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        return tuple(sorted({name for page in PdfReader(io.BytesIO(pdf)).pages for name in _fonts(page)}))
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as exc:
        raise PdfUnreadableError from exc


def pdf_page_count(pdf: bytes) -> int:
    """Return how many pages a PDF has.

    Raises:
        PdfUnreadableError: it is no PDF.
    """
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        return len(PdfReader(io.BytesIO(pdf)).pages)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as exc:
        raise PdfUnreadableError from exc


def _fonts(page: PageObject) -> list[str]:
    resources = page.get("/Resources")
    listed = resources.get_object().get("/Font") if resources is not None else None
    if listed is None:
        return []
    found = [font.get_object() for font in listed.get_object().values()]
    return [_MARKS.sub("", str(font.get("/BaseFont", ""))) for font in found]
