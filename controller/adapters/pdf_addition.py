"""PDF 增补. Writers of PDFs whose bytes depend on nothing but what goes in: no random id, no time of day."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.writer import PdfFileWriter


class PdfAddition(IncrementalPdfFileWriter):
    """An addition at the end of a PDF; what is there stays byte for byte."""

    @classmethod
    def _handle_id(cls, prev: Any) -> generic.ArrayObject:
        prev.stream.seek(0)
        digest = sha256(prev.stream.read()).digest()
        try:
            first = prev.trailer["/ID"][0]
            kept = first.original_bytes
        except (KeyError, IndexError, AttributeError):
            kept = digest[:16]
        return generic.ArrayObject([generic.ByteStringObject(kept), generic.ByteStringObject(digest[16:])])

    def _update_meta(self) -> None:
        """Leave title, producer and dates as the print has them."""


class NewPdf(PdfFileWriter):
    """A new PDF.

    Args:
        seed: what the file is made of; its id is the digest of that.
        title: as readers show it in place of the file's name.
        empty: with a page tree of no pages.
    """

    def __init__(self, seed: bytes, title: str = "", *, empty: bool = True) -> None:
        info = generic.DictionaryObject({pdf_name("/Title"): generic.pdf_string(title)}) if title else None
        super().__init__(stream_xrefs=False, init_page_tree=empty, info=info)  # type: ignore[no-untyped-call]
        digest = sha256(seed).digest()
        self._document_id = generic.ArrayObject(
            [generic.ByteStringObject(digest[:16]), generic.ByteStringObject(digest[16:])]
        )

    def _update_meta(self) -> None:
        """Write no dates and no producer."""


def numbers(*values: float) -> generic.ArrayObject:
    """Return an array of numbers with two decimals."""
    return generic.ArrayObject([generic.FloatObject(f"{value:.2f}") for value in values])
