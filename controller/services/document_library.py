"""文件库. The procedures, rules and duty documents of the workspace, as they are read (ISO 13485 4.2.4).

Gap notes are handed out beside a document for the screen; nothing that prints takes them. Adding a document is
`services.document_import`, checking the whole library `services.document_check`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from controller.domain.errors import DamagedError, MisconfiguredError, NotFoundError
from controller.domain.identifiers import Digest, DocumentNumber, InvalidIdentifierError, nearest
from controller.domain.text import T
from controller.file_formats.clause_ids import clause_digest, first_ids, read_clause_ids
from controller.file_formats.clause_text import parse_text
from controller.file_formats.document_file import (
    read_checklist,
    read_document,
    read_external_documents,
    read_notes,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.domain.clause import Segment
    from controller.domain.document import ControlledDocument, ExternalDocumentList, GapNote, InspectionChecklist
    from controller.services.ports import LibraryFiles

FOLDER = "procedures"
EXTERNAL_FILE = f"{FOLDER}/external_documents.yml"
CHECKLIST_FILE = f"{FOLDER}/inspection_checklist.yml"
FORMS_FOLDER = "templates/forms"
REGISTERS_FOLDER = "templates/registers"
_KEPT = 160
"""Texts whose reading is kept: an act compares a library of some sixty documents with its draft, several times."""


class UnknownDocumentError(NotFoundError):
    """没有这份文件. No controlled document has that number."""

    code = "document-unknown"

    def __init__(self, *, number: str, close: str | None, several: Sequence[str] = ()) -> None:
        hint = T("是否想写 {close}？", close=close) if close else T("用 qms doc list 查看全部文件编号。")
        if several:
            hint = T("“{wanted}”可以指多份：{numbers}。", wanted=number[:60], numbers=list(several))
        super().__init__(T("没有编号为“{number}”的文件。", number=number[:60]), hint=hint)


class DocumentIncompleteError(DamagedError):
    """文件缺少部件. A document's folder lacks a file, or a file in it cannot be read as text."""

    code = "document-incomplete"

    def __init__(self, *, path: str) -> None:
        super().__init__(
            T("文件库缺少 {path}，或它不是 UTF-8 文本。", path=path), hint=T("从版本库恢复该文件。"), where=path
        )


class LibraryListMissingError(MisconfiguredError):
    """缺少清单. The list of external documents or the checklist is not there."""

    code = "library-list-missing"

    def __init__(self, *, path: str) -> None:
        super().__init__(T("工作区没有 {path}。", path=path), hint=T("从起步文件库或备份恢复该文件。"), where=path)


@dataclass(frozen=True)
class LibraryDocument:
    """文件库中的一份文件. Its control block, its clauses with their ids, and the notes kept beside it."""

    document: ControlledDocument
    text: str
    """`clauses.txt`, exactly."""
    segment: Segment
    notes: tuple[GapNote, ...]
    """Screen only: never printed, never in a pack."""
    islands: frozenset[str]
    """Digests of the islands kept beside the text, checked against their bytes."""
    ids_fit: bool
    """Whether `clauses.yml` fits the text; when it does not, clauses carry no ids."""


class DocumentLibrary:
    """文件库. Reads controlled documents.

    Args:
        files: the approved content, or the folder as it is now.
    """

    def __init__(self, files: LibraryFiles) -> None:
        self.files = files

    def numbers(self) -> list[str]:
        """Return the numbers of all documents, in order."""
        return [name for name in self.files.folders(FOLDER) if _is_number(name)]

    def resolve(self, wanted: str) -> str:
        """Return the number meant by `wanted`: a number, its end as people say it (`CX-014`), or an only serial.

        Raises:
            UnknownDocumentError: no document is called so.
        """
        numbers = self.numbers()
        text = wanted.strip().upper()
        meant = [number for number in numbers if text in {number, DocumentNumber(number).short}]
        meant = meant or [number for number in numbers if text == DocumentNumber(number).serial]
        if len(meant) != 1:
            raise UnknownDocumentError(number=wanted, close=nearest(text, numbers), several=meant)
        return meant[0]

    def documents(self) -> list[ControlledDocument]:
        """Return the control blocks of all documents, in order of number."""
        return [self.document(number) for number in self.numbers()]

    def document(self, number: str) -> ControlledDocument:
        """Return one control block.

        Raises:
            UnknownDocumentError: there is no such document.
            DocumentFileError, YamlTextError: its description is not acceptable.
        """
        self._known(number)
        path = f"{FOLDER}/{number}/document.yml"
        return _document_of(self._text(path), path)

    def show(self, number: str) -> LibraryDocument:
        """Return one document whole.

        Raises:
            UnknownDocumentError: there is no such document.
            DocumentIncompleteError, ClauseIdsError: its folder is damaged.
            DocumentFileError, YamlTextError: its description is not acceptable.
        """
        document = self.document(number)
        text = self._text(f"{FOLDER}/{number}/clauses.txt")
        segment = whole_segment(text)
        path = f"{FOLDER}/{number}/clauses.yml"
        data = self.files.read(path)
        fits = False
        if data is None:
            segment = segment.with_ids(tuple(mark.id for mark in first_ids(segment.clauses).marks))
            fits = True
        else:
            marks = read_clause_ids(self._text(path), where=path).marks
            fits = [mark.digest for mark in marks] == [clause_digest(clause) for clause in segment.clauses]
            if fits:
                segment = segment.with_ids(tuple(mark.id for mark in marks))
        return LibraryDocument(document, text, segment, self.notes(number), self._islands(number), fits)

    def notes(self, number: str) -> tuple[GapNote, ...]:
        """Return the gap notes of a document, none when there is no file of them."""
        path = f"{FOLDER}/{number}/notes.yml"
        return read_notes(self._text(path), where=path) if self.files.read(path) is not None else ()

    def external_documents(self) -> ExternalDocumentList:
        """Return the list of external documents.

        Raises:
            LibraryListMissingError: the workspace has none.
        """
        if self.files.read(EXTERNAL_FILE) is None:
            raise LibraryListMissingError(path=EXTERNAL_FILE)
        return read_external_documents(self._text(EXTERNAL_FILE), where=EXTERNAL_FILE)

    def checklist(self) -> InspectionChecklist:
        """Return the inspection checklist.

        Raises:
            LibraryListMissingError: the workspace has none.
        """
        if self.files.read(CHECKLIST_FILE) is None:
            raise LibraryListMissingError(path=CHECKLIST_FILE)
        return read_checklist(self._text(CHECKLIST_FILE), where=CHECKLIST_FILE)

    def island(self, number: str, digest: Digest) -> bytes | None:
        """Return the verbatim OOXML of an island, None when it is missing or is not what its digest says."""
        data = self.files.read(f"{FOLDER}/{number}/islands/{digest.hex}.json")
        return data if data is not None and Digest.of(data) == digest else None

    def _islands(self, number: str) -> frozenset[str]:
        kept = set()
        for path in self.files.files(f"{FOLDER}/{number}/islands"):
            data = self.files.read(path)
            if data is not None and path.endswith(f"/{Digest.of(data).hex}.json"):
                kept.add(str(Digest.of(data)))
        return frozenset(kept)

    def _known(self, number: str) -> None:
        if _is_number(number) and self.files.read(f"{FOLDER}/{number}/document.yml") is not None:
            return
        numbers = self.numbers()
        if number not in numbers:
            raise UnknownDocumentError(number=number, close=nearest(number, numbers))

    def _text(self, path: str) -> str:
        data = self.files.read(path)
        if data is None:
            raise DocumentIncompleteError(path=path)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as exc:
            raise DocumentIncompleteError(path=path) from exc


@lru_cache(maxsize=_KEPT)
def _document_of(text: str, path: str) -> ControlledDocument:
    return read_document(text, where=path)


@lru_cache(maxsize=_KEPT)
def whole_segment(text: str) -> Segment:
    """Return a library text as one document, whatever looks like a second title inside it."""
    parsed = parse_text(text)
    pieces = (*parsed.head, *(piece for segment in parsed.segments for piece in segment.pieces))
    first = parsed.segments[0] if parsed.segments else None
    if first is None:
        from controller.domain.clause import Segment

        return Segment(pieces)
    return replace(first, pieces=pieces)


def _is_number(name: str) -> bool:
    try:
        DocumentNumber(name)
    except InvalidIdentifierError:
        return False
    return True
