"""文件各版的文字. Reads the text of one version of a document from its files, with clause ids that hold through all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.clause import Clause
from controller.domain.document_comparison import DocumentText
from controller.domain.errors import QmsError
from controller.domain.identifiers import Digest
from controller.file_formats.canonical_json import encode
from controller.file_formats.clause_ids import (
    ClauseIds,
    ClauseMark,
    clause_digest,
    first_ids,
    read_clause_ids,
    realigned,
)
from controller.file_formats.document_file import read_document
from controller.file_formats.text_encoding import utf8_text
from controller.services.controlled_items import SCREEN_ONLY
from controller.services.document_library import FOLDER, DocumentIncompleteError, whole_segment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.domain.clause import Segment
    from controller.domain.document_timeline import DocumentVersion


@dataclass(frozen=True)
class TextIds:
    """条款标识. The clause ids of a version, and the clauses they belong to."""

    ids: ClauseIds | None = None
    clauses: Sequence[Clause] = ()

    @classmethod
    def of(cls, version: DocumentVersion | None) -> TextIds:
        """Return the ids that a version's clauses carry."""
        if version is None or version.text is None:
            return cls()
        clauses = [piece for piece in version.text.pieces if isinstance(piece, Clause)]
        marks = tuple(ClauseMark(item.id or "", item.label, clause_digest(item)) for item in clauses)
        return cls(ClauseIds(marks), clauses)


class DocumentTexts:
    """文件各版的文字. Keeps the clauses it has read."""

    def __init__(self) -> None:
        self._segments: dict[str, Segment] = {}

    def text(self, number: str, files: Mapping[str, bytes], before: TextIds) -> tuple[DocumentText, TextIds]:
        """Return the text of a version from its files by path, with ids carried on from the version before.

        Raises:
            DocumentIncompleteError: a file that every document has is missing.
            QmsError: a file cannot be read.
        """
        folder = f"{FOLDER}/{number}"
        read: dict[str, str] = {}
        for name in ("document.yml", "clauses.txt"):
            path = f"{folder}/{name}"
            if path not in files:
                raise DocumentIncompleteError(path=path)
            read[name] = utf8_text(files[path], where=path)
        document = read_document(read["document.yml"], where=f"{folder}/document.yml")
        segment = self._segments.get(read["clauses.txt"]) or whole_segment(read["clauses.txt"])
        self._segments[read["clauses.txt"]] = segment
        ids = _ids(segment.clauses, files.get(f"{folder}/clauses.yml"), before, where=f"{folder}/clauses.yml")
        segment = segment.with_ids(tuple(mark.id for mark in ids.marks))
        inside = {path.removeprefix(f"{folder}/"): Digest.of(data) for path, data in files.items()}
        return DocumentText(document, segment.pieces, inside), TextIds(ids, segment.clauses)


def _ids(clauses: Sequence[Clause], data: bytes | None, before: TextIds, *, where: str) -> ClauseIds:
    """Return the ids of a version: its own where they fit its text, else carried on from the version before."""
    if data is not None:
        try:
            own = read_clause_ids(utf8_text(data, where=where), where=where)
        except QmsError:
            own = ClauseIds()
        if [mark.digest for mark in own.marks] == [clause_digest(clause) for clause in clauses]:
            return own
    if before.ids is None:
        return first_ids(clauses)
    return realigned(before.ids, before.clauses, clauses)[0]


def belongs(path: str, number: str) -> bool:
    """Tell whether a library path is part of a document, and not for the screen only."""
    inside = path.removeprefix(f"{FOLDER}/{number}/")
    return inside != path and inside not in SCREEN_ONLY


def contents_digest(files: Mapping[str, Digest]) -> Digest:
    """Return the digest over all source files, as on the signature page."""
    return Digest.of(encode({path: digest.text for path, digest in files.items()}))
