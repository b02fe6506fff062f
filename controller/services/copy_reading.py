"""受控副本的现状. Reads from the archive which copies of documents are where, and which must come back (4.2.4 e, h)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.controlled_copies import (
    OUT,
    OWED,
    ControlledCopy,
    CopyEvent,
    CopyState,
    fold_copies,
)
from controller.domain.errors import QmsError
from controller.domain.recall_standing import RecallStanding, recall_standing
from controller.domain.statement import COPIES, Event
from controller.file_formats.signature_file import check_signature
from controller.services.document_library import UnknownDocumentError
from controller.services.form_library import number_meant
from controller.services.signed_statement import flaw_of
from controller.services.statement_filing import StatementDraft

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import date

    from controller.domain.effect_schedule import EffectSchedule
    from controller.domain.identifiers import Digest
    from controller.domain.record import Wire
    from controller.domain.text import Text
    from controller.services.archive_ports import Archive
    from controller.services.document_library import DocumentLibrary
    from controller.services.ports import Clock
    from controller.services.statement_filing import StatementFiling, StoredStatement

RECALLING = "收回通知"
"""Meaning of the signature under a recall."""


@dataclass(frozen=True)
class HeldCopies:
    """一份文件的全部副本. With the last statement of their chain: an act names what it has seen."""

    number: str
    copies: tuple[ControlledCopy, ...]
    sequence: int


@dataclass
class CopyReading:
    """受控副本的现状服务."""

    statements: StatementFiling
    archive: Archive
    library: DocumentLibrary
    """What is in force today."""
    approved: DocumentLibrary
    """The newest approved content."""
    schedule: Callable[[], EffectSchedule]
    clock: Clock
    certificates: Callable[[str], Collection[Digest]]
    """Person → the certificates they ever had: nobody else signs for them as a witness."""

    @property
    def today(self) -> date:
        """The day of the company's clock."""
        return self.clock.now().date()

    def resolve(self, wanted: str) -> str:
        """Return the number of the document meant: one of the library, or one whose copies are still on file.

        Raises:
            UnknownDocumentError: there is neither.
        """
        for library in (self.library, self.approved):
            try:
                return library.resolve(wanted)
            except UnknownDocumentError as exc:
                unknown = exc
        meant = number_meant(wanted, self.numbers())
        if meant is None:
            raise unknown
        return meant

    def numbers(self) -> list[str]:
        """Return the numbers of all documents of which copies were ever handed out."""
        return self.archive.listing(COPIES)

    def held(self, number: str) -> HeldCopies:
        """Return all copies of a document (exact number) that were ever handed out."""
        chain = self.statements.chain(f"{COPIES}/{number}")
        last = chain[-1].statement.sequence if chain else 0
        return HeldCopies(number, fold_copies(number, [self._event(item) for item in chain]), last)

    def governing(self, number: str) -> tuple[str, ...]:
        """Return the revisions of a document that may be worked by: in force first, then what is approved for later."""
        found = []
        if number in self.library.numbers():
            found.append(self.library.document(number).revision.text)
        waiting = self.schedule().of(number, self.today)
        return tuple(dict.fromkeys([*found, *(item.revision for item in waiting if item.revision is not None)]))

    def state(self, copy: ControlledCopy) -> CopyState:
        """Return where a copy is today."""
        return copy.state(self.today, self.governing(copy.number))

    def told_state(self, copy: ControlledCopy) -> Text:
        """Return where a copy is today, in words."""
        return copy.told_state(self.today, self.governing(copy.number))

    def outstanding(self, number: str | None = None) -> list[ControlledCopy]:
        """Return the copies of a document (all when None) that are not signed for yet, or must come back."""
        found: list[ControlledCopy] = []
        for one in self.numbers() if number is None else [number]:
            governing = self.governing(one)
            found += [item for item in self.held(one).copies if item.state(self.today, governing) in OWED]
        return found

    def unwitnessed(self, number: str | None = None) -> list[ControlledCopy]:
        """Return the copies that somebody says are destroyed and nobody has countersigned."""
        numbers = self.numbers() if number is None else [number]
        return [item for one in numbers for item in self.held(one).copies if item.unwitnessed]

    def recall_standing(self, number: str, *, change: str = "") -> RecallStanding:
        """Return how many of the copies that `change` (or anything) calls back have come, and which are still out."""
        copies, governing = self.held(number).copies, self.governing(number)
        return recall_standing(number, copies, today=self.today, governing=governing, change=change)

    def recall_draft(
        self, number: str, old_revision: str | None, change: str, *, effective: date, reason: str = ""
    ) -> StatementDraft | None:
        """Return what recalls the copies of `old_revision` that are out, from the day the change takes effect.

        It belongs into the act that approves the change. None: no copy is out. `old_revision` None: all revisions.
        """
        out = [item for item in self.held(number).copies if item.last in OUT and old_revision in {None, item.revision}]
        return recall_statement(number, out, change=change, effective=effective, reason=reason) if out else None

    def _event(self, stored: StoredStatement) -> CopyEvent:
        """Return a statement with the people whose further signatures are over these bytes; unsigned, it counts not.

        Whether their certificates counted at that moment is for `qms verify`.
        """
        witnesses = []
        for person, data in stored.signatures.items():
            try:
                checked = check_signature(data, stored.data) if person else None
            except QmsError:
                continue
            if checked is not None and checked.intact and checked.certificate in self.certificates(person):
                witnesses.append(person)
        return CopyEvent(stored.statement, tuple(witnesses), sound=flaw_of(stored) is None)


def recall_statement(
    number: str, copies: Sequence[ControlledCopy], *, change: str, effective: date, reason: str
) -> StatementDraft:
    """Return the statement that calls copies back."""
    revisions: list[Wire] = [*dict.fromkeys(item.revision for item in copies)]
    new: dict[str, Wire] = {
        "copies": [item.copy for item in copies],
        "revision": revisions[0] if len(revisions) == 1 else revisions,
        "effective": effective.isoformat(),
    }
    if change:
        new["change"] = change
    return StatementDraft(
        f"{COPIES}/{number}", Event.COPY_RECALLED, number, RECALLING, reason=reason.strip() or None, new=new
    )
