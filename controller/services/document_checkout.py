"""签出. Gives a document out as a Word file to be edited, and states who has it (ISO 13485 4.2.4).

A check-out locks nothing: two people may each have a copy, but a check-in names the state it started from, and the
second one is refused. What is given out is the draft as it lies in `DocumentDrafts`, or the text in force.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller.domain.clause import Island
from controller.domain.errors import DamagedError
from controller.domain.identifiers import Digest
from controller.domain.line_merge import typed_lines
from controller.domain.procedure_print import ProcedurePrint
from controller.domain.statement import TRAIL, Event
from controller.domain.text import T
from controller.file_formats.clause_ids import (
    ClauseIds,
    ClauseMark,
    clause_digest,
    first_ids,
    read_clause_ids,
    realigned,
)
from controller.file_formats.clause_text import parse_text
from controller.file_formats.document_file import read_document
from controller.services.checkout_ports import CheckoutSheet, DraftDesk
from controller.services.document_library import FOLDER, DocumentIncompleteError, DocumentLibrary, LibraryDocument
from controller.services.procedure_printing import HOUSE_PROCEDURE
from controller.services.statement_filing import StatementDraft

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.domain.record import Wire
    from controller.domain.statement import Statement
    from controller.services.checkout_ports import (
        CheckoutDrawing,
        DocumentDrafts,
        DraftDesks,
        ReturnedWord,
        ReturnedWordReader,
    )
    from controller.services.ports import Clock, LibraryFiles
    from controller.services.signing_ports import Signer
    from controller.services.statement_filing import StatementFiling

STATE_FILES = ("clauses.txt", "clauses.yml", "document.yml", "notes.yml")
"""Files of a document, besides its islands, that a check-in may change."""
_NAME_LENGTH = 12
_RECENT = 2_000
"""Statements of the trail that are looked through for check-outs still open."""
_OLDEST = 200_000
"""Statements that are looked through for the check-out that a file names."""


class CheckoutNotExactError(DamagedError):
    """不能签出. The text could not be read back from its Word file line by line, so a check-in would be guesswork."""

    code = "checkout-not-exact"

    def __init__(self, *, number: str, line: int) -> None:
        super().__init__(
            T("{number} 的正文第 {line} 行放进 Word 后读不回来，没有签出。", number=number, line=line),
            hint=T("用 qms doc show 查看这一行附近的表格和图表，改正后再签出；或把情况告诉维护人员。"),
            where=f"{FOLDER}/{number}/clauses.txt:{line}",
        )


@dataclass(frozen=True)
class Checkout:
    """一次签出. Who has a document, since when, and the state it was given out in."""

    name: str
    """12 hexadecimal digits, in the file too."""
    number: str
    person: str
    holder: str
    """Full name."""
    at: str
    draft: Mapping[str, str]
    """Path → digest of the draft's files."""
    approved: Mapping[str, str]
    """Path → digest of the files in force."""
    returned: Mapping[str, str] | None = None
    """Path → digest of what its last check-in left behind; None before."""


@dataclass(frozen=True)
class CheckedOut:
    """签出结果. The Word file, which is handed over only once `DocumentCheckout.state` has stated it."""

    document: LibraryDocument
    docx: bytes
    name: str
    draft: Mapping[str, str]
    approved: Mapping[str, str]
    others: tuple[Checkout, ...]
    """Check-outs of the same document that were not checked in yet, newest first."""
    tracked: bool
    change: str | None = None
    """Number of the change that the draft belongs to; None: it lies in the folder."""

    @property
    def is_draft(self) -> bool:
        """Whether the text given out is not the one in force."""
        return self.draft != self.approved


class DocumentCheckout:
    """签出.

    Args:
        drafts: where documents are edited.
        approved: what is in force.
    """

    def __init__(
        self,
        drafts: DocumentDrafts,
        approved: LibraryFiles,
        statements: StatementFiling,
        drawing: CheckoutDrawing,
        reader: ReturnedWordReader,
        clock: Clock,
        company: str,
        desks: DraftDesks | None = None,
    ) -> None:
        self._folder = drafts
        self._desks = desks
        self._approved = approved
        self._statements = statements
        self._drawing = drawing
        self._reader = reader
        self._clock = clock
        self._company = company

    def desk(self, wanted: str) -> DraftDesk:
        """Return where the draft of a document is worked on."""
        return self._desks.of(wanted) if self._desks is not None else DraftDesk(self._folder)

    def check_out(self, wanted: str, *, by: Signer, tracked: bool = True) -> CheckedOut:
        """Return a document as a Word file for editing.

        Raises:
            UnknownDocumentError: there is no such document.
            DocumentIncompleteError: its folder is damaged, or an island is missing.
            CheckoutNotExactError: its text cannot be put into Word so that it can be read back.
        """
        desk = self.desk(wanted)
        number = DocumentLibrary(desk.files).resolve(wanted)
        draft, approved = document_state(desk.files, number), document_state(self._approved, number)
        facts = "\n".join([number, by.signatory.person, self._clock.now().isoformat(), *draft.values()])
        name = hashlib.sha256(facts.encode()).hexdigest()[:_NAME_LENGTH]
        document, docx = self.sheet(number, name, tracked=tracked)
        self.sent(document, docx)
        return CheckedOut(document, docx, name, draft, approved, tuple(self.open(number)), tracked, desk.change)

    def state(self, made: CheckedOut, *, by: Signer) -> None:
        """State that the file is given out; it is handed over only afterwards."""
        by.ready("")
        number = made.document.document.number.text
        new: dict[str, Wire] = {
            "checkout": made.name,
            "revision": made.document.document.revision.text,
            "approved": dict(made.approved),
        }
        files = {path: Digest(text) for path, text in made.draft.items()}
        draft = StatementDraft(
            TRAIL, Event.CHECKED_OUT, subject=number, new=new, files=files, shown=Digest.of(made.docx)
        )
        self._statements.file(draft, by)

    # -- what was given out

    def sheet(
        self, number: str, name: str, *, tracked: bool = True, since: Checkout | None = None
    ) -> tuple[LibraryDocument, bytes]:
        """Return the draft with its clause ids, and the Word file it is given out as.

        `since`: the check-out whose control block the file shows, as it was then; None shows the draft's own.
        """
        desk = self.desk(number)
        library = DocumentLibrary(desk.files)
        document = library.show(number)
        if not document.ids_fit:
            ids = self.ids(number)
            segment = document.segment.with_ids(tuple(mark.id for mark in ids.marks))
            document = replace(document, segment=segment)
        islands = {}
        for piece in document.segment.pieces:
            if isinstance(piece, Island):
                kept = library.island(number, piece.digest)
                if kept is None:
                    raise DocumentIncompleteError(path=f"{FOLDER}/{number}/islands/{piece.digest.hex}.json")
                islands[piece.digest] = kept
        path = f"{FOLDER}/{number}/document.yml"
        told = desk.earlier(Digest(since.draft[path])) if since is not None and path in since.draft else None
        control = read_document(told.decode(), where=path) if told is not None else document.document
        shown = ProcedurePrint.of(control, document.segment.pieces, company=self._company, islands=islands)
        source = Digest.of(document.text.encode())
        sheet = CheckoutSheet(shown, document.segment, source, name, tracked)
        house = self._approved.read(HOUSE_PROCEDURE) or self._drawing.house()
        return document, self._drawing.draw(sheet, house)

    def sent(self, document: LibraryDocument, docx: bytes) -> ReturnedWord:
        """Return how the given-out file reads when nothing is done to it.

        Raises:
            CheckoutNotExactError: not line by line as the text.
        """
        number = document.document.number.text
        read = self._reader.read(docx, name=number)
        _, lines = typed_lines(document.text)
        _, back = typed_lines(read.text)
        starts = [document.text.count("\n", 0, line.start) + 1 for line in lines]
        if len(lines) != len(back):
            wrong = next((place for place, pair in enumerate(zip(lines, back, strict=False)) if _unlike(*pair)), -1)
            raise CheckoutNotExactError(number=number, line=starts[wrong] if starts else 1)
        marked = {item.clause for item in read.clauses}
        for clause in document.segment.clauses:
            if clause.id not in marked and clause.source.strip():
                raise CheckoutNotExactError(number=number, line=clause.span.line)
        return read

    def ids(self, number: str) -> ClauseIds:
        """Return the ids of the draft's clauses, aligned anew with the text in force where they do not fit."""
        files = self.desk(number).files
        draft = DocumentLibrary(files).show(number)
        clauses = draft.segment.clauses
        path = f"{FOLDER}/{number}/clauses.yml"
        data = files.read(path)
        if data is not None and draft.ids_fit:
            return read_clause_ids(data.decode(), where=path)
        approved = DocumentLibrary(self._approved)
        kept = self._approved.read(path)
        if kept is not None and number in approved.numbers():
            return realigned(
                read_clause_ids(kept.decode(), where=path), approved.show(number).segment.clauses, clauses
            )[0]
        return first_ids(clauses)

    # -- who has what

    def find(self, name: str) -> Checkout | None:
        """Return the check-out called so, None when the trail has none."""
        returned: Mapping[str, str] | None = None
        for stored in self._statements.recent(TRAIL, _OLDEST):
            statement = stored.statement
            if statement.new.get("checkout") != name:
                continue
            if statement.event is Event.CHECKED_IN and returned is None:
                returned = {path: digest.text for path, digest in statement.files.items()}
            if statement.event is Event.CHECKED_OUT:
                return _checkout(statement, returned)
        return None

    def open(self, number: str) -> list[Checkout]:
        """Return the check-outs of a document that were not checked in, newest first, of the recent past."""
        closed: set[Wire] = set()
        found = []
        for stored in self._statements.recent(TRAIL, _RECENT):
            statement = stored.statement
            if statement.subject != number:
                continue
            if statement.event is Event.CHECKED_IN:
                closed.add(str(statement.new.get("checkout")))
            elif statement.event is Event.CHECKED_OUT and str(statement.new.get("checkout")) not in closed:
                found.append(_checkout(statement, None))
        return found


def document_state(files: LibraryFiles, number: str) -> dict[str, str]:
    """Return path → digest of the files of a document that a check-in may change."""
    folder = f"{FOLDER}/{number}"
    paths = [f"{folder}/{name}" for name in STATE_FILES] + files.files(f"{folder}/islands")
    return {path: Digest.of(data).text for path in paths if (data := files.read(path)) is not None}


def changed_state(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return the paths that differ between two states, in order."""
    return sorted(path for path in {*before, *now} if before.get(path) != now.get(path))


def marks_of(ids: tuple[str, ...], text: str, next_serial: int, extra: Mapping[str, object]) -> ClauseIds:
    """Return what `clauses.yml` keeps of a text whose clauses have these ids, in order."""
    parsed = parse_text(text)
    clauses = [clause for segment in parsed.segments for clause in segment.clauses]
    marks = [ClauseMark(one, item.label, clause_digest(item)) for one, item in zip(ids, clauses, strict=True)]
    return ClauseIds(tuple(marks), next_serial, extra)


def _checkout(statement: Statement, returned: Mapping[str, str] | None) -> Checkout:
    approved = statement.new.get("approved")
    return Checkout(
        name=str(statement.new.get("checkout")),
        number=statement.subject,
        person=statement.by.person if statement.by else "",
        holder=statement.by.name if statement.by else "",
        at=statement.at,
        draft={path: digest.text for path, digest in statement.files.items()},
        approved={path: str(value) for path, value in approved.items()} if isinstance(approved, dict) else {},
        returned=returned,
    )


def _unlike(line: object, back: object) -> bool:
    one, other = getattr(line, "text", ""), getattr(back, "text", "")
    return "".join(one.split()) != "".join(other.split()) and not one.startswith("〔图表")
