"""文件的打印件. Which text a copy of a controlled document shows, and what every page of it says about the copy.

In force, approved for a later day, draft, or obsolete: that is read off the library and its history, never told by
whoever prints. Controlled copies are handed out elsewhere; everything printed here is uncontrolled or worse.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from controller.domain.errors import RefusedError
from controller.domain.print_stamp import PrintStamp, StampKind
from controller.domain.text import T
from controller.services.document_history import CURRENT
from controller.services.document_library import DocumentLibrary, UnknownDocumentError
from controller.services.procedure_printing import ProcedurePrinting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from controller.domain.document import ControlledDocument
    from controller.domain.document_set import SetStanding
    from controller.domain.effect_schedule import PendingEffect
    from controller.domain.procedure_print import SignedBlock
    from controller.domain.revision_row import RevisionRow
    from controller.services.document_history import DocumentHistory
    from controller.services.files_in_force import DatedFiles, FilesInForce
    from controller.services.ports import Clock, LibraryFiles
    from controller.services.print_ports import ProcedureDrawing


_BEGINS = "起生效"


class NoDraftError(RefusedError):
    """没有草稿. Nothing of the document is being changed."""

    code = "document-draft-missing"

    def __init__(self, *, number: str) -> None:
        super().__init__(
            T("{number} 没有正在修改的草稿。", number=number),
            hint=T("去掉 --draft 打印现行版本；要修改文件，请先提出更改。"),
        )


@dataclass(frozen=True)
class DocumentCopy:
    """一份打印件的内容. What is printed, and why it is marked as it is."""

    number: str
    title: str
    revision: str
    kind: StampKind
    library: DocumentLibrary
    """Where the text comes from."""
    note: str = ""
    in_force: bool = False
    """Whether this is the text that governs today."""


class FilesAt:
    """某次更改时的受控文件. Implements `LibraryFiles` for one commit of `main`."""

    def __init__(self, approved: DatedFiles, commit: str) -> None:
        self._approved = approved
        self._commit = commit

    def read(self, path: str) -> bytes | None:
        """Return the file's bytes, None when there was none."""
        return self._approved.read(path, at=self._commit)

    def folders(self, path: str) -> list[str]:
        """Return the names of the folders directly below `path`, sorted."""
        return self._approved.folders(path, at=self._commit)

    def files(self, path: str) -> list[str]:
        """Return the paths of all files below folder `path`, sorted."""
        return self._approved.files(path, at=self._commit)


@dataclass
class DocumentPrints:
    """文件打印件服务."""

    approved: DatedFiles
    """The newest approved content."""
    in_force: FilesInForce
    history: DocumentHistory
    draft_of: Callable[[str], tuple[LibraryFiles, str] | None]
    """Number → the library with the document's draft, and the number of the change; None: nobody changes it."""
    drawing: ProcedureDrawing
    company: str
    clock: Clock
    uncontrolled_days: int
    """How long a copy may be looked at that nobody recalls."""
    revisions: Callable[[ControlledDocument], Sequence[RevisionRow]] | None = None
    """Gives the revision table of a document; None: as typed."""
    signed: Callable[[ControlledDocument], SignedBlock | None] | None = None
    """Tells who signed a revision and since when it governs; None: nobody is named who is not typed."""
    effective: Callable[[ControlledDocument], str] | None = None
    """Tells the day from which a revision governs."""

    def find(
        self, wanted: str, *, revision: str | None = None, draft: bool = False, training: bool = False
    ) -> DocumentCopy:
        """Return what a copy of a document shows.

        Args:
            wanted: number of the document.
            revision: the revision wanted; None: the one in force, else the newest there is.
            draft: the draft of the change that the document is in.
            training: the copy is for training and says so, whatever it shows.

        Raises:
            UnknownDocumentError, UnknownRevisionError: there is and was none.
            NoDraftError: nobody changes the document.
        """
        if draft:
            return self._draft(wanted)
        newest = revision is None or revision.strip() == CURRENT
        found = self._newest(wanted) if newest else self._revision(wanted, revision or "")
        if not training:
            return found
        note = "" if found.kind is StampKind.UNCONTROLLED else found.kind.label
        told = "，".join(part for part in (note, found.note) if part)
        return DocumentCopy(
            found.number, found.title, found.revision, StampKind.TRAINING, found.library, told, found.in_force
        )

    def docx(self, copy: DocumentCopy, *, notice: str = "", copy_no: str = "") -> bytes:
        """Return the copy as docx, not yet marked; `copy_no` is the number of a controlled copy.

        Raises:
            QmsError: the errors of `ProcedurePrinting.docx`.
        """
        return self.printing(copy.library).docx(copy.number, notice=notice, copy_no=copy_no)

    def dated(self, copy: DocumentCopy) -> DocumentCopy:
        """Return the copy with the day from which its text governs: pages signed before tell the day then planned."""
        if self.effective is None or _BEGINS in copy.note:
            return copy
        day = self.effective(copy.library.document(copy.number))
        return replace(copy, note="，".join(filter(None, (copy.note, _begins(day))))) if day else copy

    def printing(self, library: DocumentLibrary) -> ProcedurePrinting:
        """Return what draws the documents of another state of the library."""
        return ProcedurePrinting(library, self.drawing, self.company, self.revisions, self.signed)

    def stamp(self, copy: DocumentCopy, by: str) -> PrintStamp:
        """Return what every page says about the copy that `by` prints now."""
        now = self.clock.now()
        until = now.date() + timedelta(days=self.uncontrolled_days)
        return PrintStamp(copy.kind, copy.number, copy.revision, None, None, now, until, by, copy.note)

    def set_stamp(self, standing: SetStanding, by: str, *, training: bool = False) -> PrintStamp:
        """Return what every page of a print of the set says about it."""
        now = self.clock.now()
        until = now.date() + timedelta(days=self.uncontrolled_days)
        kind = StampKind.TRAINING if training else StampKind.UNCONTROLLED
        return PrintStamp(kind, standing.number, standing.edition, None, None, now, until, by)

    # -- which text --------------------------------------------------------------------------------------------

    def _newest(self, wanted: str) -> DocumentCopy:
        library = DocumentLibrary(self.in_force)
        try:
            return self._copy(library, library.resolve(wanted), StampKind.UNCONTROLLED, in_force=True)
        except UnknownDocumentError:
            approved = DocumentLibrary(self.approved)
        try:
            number = approved.resolve(wanted)
        except UnknownDocumentError:
            return self._past(wanted, CURRENT)
        return self._pending(approved, number)

    def _revision(self, wanted: str, revision: str) -> DocumentCopy:
        name = revision.strip().upper().replace("／", "/")
        for library, kind in (
            (DocumentLibrary(self.in_force), StampKind.UNCONTROLLED),
            (DocumentLibrary(self.approved), StampKind.PENDING),
        ):
            try:
                number = library.resolve(wanted)
            except UnknownDocumentError:
                continue
            if library.document(number).revision.text != name:
                continue
            if kind is StampKind.PENDING:
                return self._pending(library, number)
            return self._copy(library, number, kind, in_force=True)
        return self._past(wanted, name)

    def _past(self, wanted: str, revision: str) -> DocumentCopy:
        timeline = self.history.timeline(wanted)
        version = self.history.version(timeline, revision)
        library = DocumentLibrary(FilesAt(self.approved, version.commit))
        waiting = self._waiting(timeline.number, version.revision)
        if waiting is not None:
            return self._pending(library, timeline.number)
        return self._copy(library, timeline.number, StampKind.OBSOLETE)

    def _draft(self, wanted: str) -> DocumentCopy:
        try:
            number = DocumentLibrary(self.approved).resolve(wanted)
        except UnknownDocumentError:
            number = wanted.strip().upper()
        found = self.draft_of(number)
        if found is None:
            raise NoDraftError(number=number)
        files, change = found
        return self._copy(DocumentLibrary(files), number, StampKind.DRAFT, note=f"更改 {change}")

    def _pending(self, library: DocumentLibrary, number: str) -> DocumentCopy:
        waiting = self._waiting(number, library.document(number).revision.text)
        note = _begins(waiting.begins.isoformat()) if waiting is not None else ""
        return self._copy(library, number, StampKind.PENDING, note=note)

    def _waiting(self, number: str, revision: str) -> PendingEffect | None:
        found = self.in_force.schedule().of(number, self.clock.now().date())
        return next((item for item in found if item.revision == revision), None)

    @staticmethod
    def _copy(
        library: DocumentLibrary, number: str, kind: StampKind, *, note: str = "", in_force: bool = False
    ) -> DocumentCopy:
        document: ControlledDocument = library.document(number)
        return DocumentCopy(number, document.title, document.revision.text, kind, library, note, in_force)


def _begins(day: str) -> str:
    return f"自 {day} {_BEGINS}"
