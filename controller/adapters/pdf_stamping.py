"""打印标识的绘制. Puts watermark and ribbon on every page of a PDF, whatever its size and however it is turned.

The watermark is multiplied into the page: where text stands the text stays as black as it was. A signed PDF is never
written into: its copy is made anew, shows the signatures as pictures and says that it is a copy.
"""

from __future__ import annotations

import io
import logging
import math
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer

from controller.adapters.pdf_addition import PdfAddition, numbers
from controller.adapters.pdf_lettering import Lettering, embed_font, shared_subset
from controller.adapters.pdf_pages import entry, pages_of, paint
from controller.domain.errors import DamagedError
from controller.domain.print_stamp import COPY_OF_SIGNED, SEPARATOR
from controller.domain.text import T

if TYPE_CHECKING:
    from pyhanko.pdf_utils.writer import BasePdfFileWriter

    from controller.adapters.pdf_pages import FoundPage
    from controller.domain.print_stamp import PrintStamp

_MARK, _PICTURE = "/WkStamp", "/WkSigned"
_PALE, _BAND, _INK = 0.89, 0.93, 0.2
_LARGEST, _SHARE = 150.0, 0.62
"""Size of the watermark: at most so many points, and so much of the page's diagonal."""
_EDGE, _BREADTH, _CLEAR = 12.0, 12.0, 28.0
"""Ribbon: from the paper's edge (printers leave about 4 mm white), its breadth, and free at either end."""
_SIZES = (7.5, 7.0, 6.5, 6.0, 5.5)
_UNREAD = b"/Span <</ActualText <FEFF>>> BDC\n"
"""The word of the watermark, which the ribbon has too, must not break into sentences that are searched or copied."""


class PdfStampError(DamagedError):
    """PDF 无法加盖标识. The file is no PDF whose pages can be marked."""

    code = "pdf-stamp-failed"

    def __init__(self) -> None:
        super().__init__(T("PDF 无法加盖打印标识：文件结构不完整。"), hint=T("请重新打印；没有生成任何文件。"))


class PdfStamping:
    """打印标识. Implements the port `PrintStamping` for PDFs."""

    def stamped(self, data: bytes, stamp: PrintStamp) -> bytes:
        """Return a copy of the PDF `data` with `stamp` on every page; see the function of that name."""
        return stamped(data, stamp)


def stamped(pdf: bytes, stamp: PrintStamp) -> bytes:
    """Return a copy of `pdf` with `stamp` on every page; same input, same bytes.

    Raises:
        PdfStampError: it is no PDF, or damaged.
        FontUnusableError: the packaged font is missing.
    """
    try:
        writer, signed = _opened(pdf)
        if signed:
            note = SEPARATOR.join(part for part in (stamp.note, COPY_OF_SIGNED) if part)
            stamp = replace(stamp, note=note)
        _mark_pages(writer, stamp)
        out = io.BytesIO()
        writer.write(out)
    except (PdfError, KeyError, ValueError, TypeError, AttributeError, IndexError, RecursionError) as exc:
        raise PdfStampError from exc
    return out.getvalue()


def _opened(pdf: bytes) -> tuple[BasePdfFileWriter, bool]:
    """Return what the marked copy is written with, and whether the PDF carries signatures."""
    reader = PdfFileReader(io.BytesIO(pdf), strict=False)
    places = _signature_places(reader.root)
    if not places:
        return PdfAddition(io.BytesIO(pdf), strict=False), False
    told = logging.getLogger("pyhanko.pdf_utils.writer")
    before = told.level
    told.setLevel(logging.ERROR)  # that the copy's signatures do not count is just what is wanted
    try:
        copy = copy_into_new_writer(reader)
    finally:
        told.setLevel(before)
    digest = sha256(pdf).digest()
    identity = (generic.ByteStringObject(digest[:16]), generic.ByteStringObject(digest[16:]))
    copy._document_id = generic.ArrayObject(identity)  # noqa: SLF001 - else it is random
    copy._update_meta = lambda: None  # type: ignore[method-assign]  # noqa: SLF001 - else it holds the time of day
    for found in pages_of(copy):
        _flatten(copy, found)
    for key in ("/AcroForm", "/Perms", "/DSS"):
        if key in copy.root:
            del copy.root[key]
    return copy, True


def _signature_places(root: generic.DictionaryObject) -> list[generic.DictionaryObject]:
    fields = entry(entry(root, "/AcroForm"), "/Fields")
    found = [field.get_object() for field in fields] if isinstance(fields, generic.ArrayObject) else []
    return [place for place in found if entry(place, "/FT") == pdf_name("/Sig")]


def _flatten(writer: BasePdfFileWriter, found: FoundPage) -> None:
    """Paint the places for signatures into the page and take them away."""
    kept = generic.ArrayObject()
    pictures: dict[str, generic.PdfObject] = {}
    drawn: list[str] = []
    notes = entry(found.page, "/Annots")
    for reference in list(notes) if isinstance(notes, generic.ArrayObject) else []:
        place = reference.get_object()
        seen, box = entry(place, "/AP"), entry(place, "/Rect")
        if entry(place, "/FT") != pdf_name("/Sig"):
            kept.append(reference)
        elif isinstance(seen, generic.DictionaryObject) and "/N" in seen and isinstance(box, generic.ArrayObject):
            name = f"{_PICTURE}{len(pictures)}"
            left, bottom, *_ = (float(side.get_object()) for side in box)
            pictures[name] = seen.raw_get("/N")
            drawn.append(f"q 1 0 0 1 {left:.2f} {bottom:.2f} cm {name} Do Q")
    if pictures:
        found.page[pdf_name("/Annots")] = kept
        paint(writer, found, " ".join(drawn), objects=pictures)


def _mark_pages(writer: BasePdfFileWriter, stamp: PrintStamp) -> None:
    """Draw the stamp once for each size of page, and place it on every page."""
    pages = list(pages_of(writer))
    layers = {size: _layers(stamp, *size) for size in sorted({found.size for found in pages})}
    subset = shared_subset([drawn for pair in layers.values() for drawn, _ in pair])
    font = embed_font(writer, subset)
    marks: dict[tuple[float, float], generic.IndirectObject] = {}
    for (width, height), drawn in layers.items():
        watermark, ribbon = (f"q {turned} cm\n".encode() + part.content(subset) + b"\nQ\n" for part, turned in drawn)
        form = generic.StreamObject(
            {
                pdf_name("/Type"): pdf_name("/XObject"),
                pdf_name("/Subtype"): pdf_name("/Form"),
                pdf_name("/BBox"): numbers(0, 0, width, height),
                pdf_name("/Resources"): generic.DictionaryObject(
                    {
                        pdf_name("/Font"): generic.DictionaryObject({pdf_name("/F"): font}),
                        pdf_name("/ExtGState"): generic.DictionaryObject(
                            {pdf_name("/M"): generic.DictionaryObject({pdf_name("/BM"): pdf_name("/Multiply")})}
                        ),
                    }
                ),
            },
            stream_data=b"/M gs\n" + _UNREAD + watermark + b"EMC\n" + ribbon,
        )
        form.compress()
        marks[width, height] = writer.add_object(form)
    for found in pages:
        paint(writer, found, f"q {found.upright} cm {_MARK} Do Q", objects={_MARK: marks[found.size]})


def _layers(stamp: PrintStamp, width: float, height: float) -> tuple[tuple[Lettering, str], tuple[Lettering, str]]:
    """Return watermark and ribbon for pages of one size, each with how it is turned and where it begins."""
    watermark = Lettering()
    diagonal = math.hypot(width, height)
    size = min(_LARGEST, _SHARE * diagonal / max(watermark.width(stamp.watermark, 1.0), 1.0))
    watermark.centred(0, -size * 0.36, size, stamp.watermark, grey=_PALE)
    cosine, sine = width / diagonal, height / diagonal
    across = f"{cosine:.5f} {sine:.5f} {-sine:.5f} {cosine:.5f} {width / 2:.2f} {height / 2:.2f}"

    ribbon = Lettering()
    room = max(height - 2 * _CLEAR, 1.0)
    fitting = [size for size in _SIZES if ribbon.width(stamp.ribbon, size) <= room]
    lines = [stamp.ribbon] if fitting else ribbon.wrapped(stamp.ribbon, _SIZES[-1], room, most=2)
    letters = fitting[0] if fitting else _SIZES[-1]
    breadth = _BREADTH if len(lines) == 1 else _BREADTH * 1.4
    ribbon.shade(0, 0, height - 2 * _CLEAR, breadth, _BAND)
    first = breadth - (breadth - letters * (1.3 * len(lines) - 0.3)) / 2 - letters * 0.86
    for place, line in enumerate(lines):
        ribbon.centred(room / 2, first - place * letters * 1.3, letters, line, grey=_INK)
    # Read from the bottom up, along the right edge: headers and footers, holes and staples are elsewhere.
    return (watermark, across), (ribbon, f"0 1 -1 0 {width - _EDGE:.2f} {_CLEAR:.2f}")
