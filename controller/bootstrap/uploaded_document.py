"""读取文件. Reads a file as documents with clauses; needs no workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from controller.services.text_reading import ReadText


def read_document_file(data: bytes, *, name: str) -> ReadText:
    """Read a text file or docx as documents with clauses; needs no workspace.

    Raises:
        QmsError: as `services.text_reading.read_uploaded_text`.
    """
    from controller.adapters.word_document import DocxWordReader
    from controller.services.text_reading import read_uploaded_text

    return read_uploaded_text(data, name=name, word=DocxWordReader())
