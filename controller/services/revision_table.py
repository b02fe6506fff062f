"""修订记录. The revision table of a document, generated from what was signed; typed rows stay, and must agree with it.

A row says what was known when the page was made: the revision that is being signed has no approval yet, so the print
that people sign is the same each time (ISO 13485 4.2.4 c).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.document import SigningStep
from controller.domain.document_comparison import compare
from controller.domain.document_timeline import DRAFTED, REVIEWED, RevisionStatus
from controller.domain.errors import QmsError
from controller.domain.identifiers import InvalidIdentifierError, Revision
from controller.domain.procedure_print import SignedBlock
from controller.domain.revision_row import RevisionRow, typed_row
from controller.domain.statement import DOCUMENTS, Event
from controller.domain.text import T
from controller.services.change_desk import clauses_changed
from controller.services.document_library import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from controller.domain.change_request import ChangeRequest
    from controller.domain.document import ControlledDocument, HistoryRow
    from controller.domain.document_timeline import DocumentTimeline, RevisionHistory, VersionSignature
    from controller.domain.text import Text
    from controller.services.archive_ports import Archive
    from controller.services.document_history import DocumentHistory

_FIRST = "首次发布"
"""Reason of a revision that the library began with, as printed."""


class RevisionTable:
    """修订记录服务.

    Args:
        history: what each revision went through.
        archive: tells cheaply whether anything of a document was ever signed.
    """

    def __init__(self, history: DocumentHistory, archive: Archive) -> None:
        self._history = history
        self._archive = archive

    def rows(self, document: ControlledDocument) -> list[RevisionRow]:
        """Return the rows that a print of `document` shows, up to its own revision."""
        typed = [row for row in document.history if row.elsewhere or not _later(row.revision, document)]
        timeline = self._timeline(document)
        if timeline is None:
            return [typed_row(row) for row in typed]
        signed = _signed(timeline)
        here = {item.revision for item in timeline.revisions} | {document.revision.text}
        told: list[RevisionRow] = []
        for row in typed:
            life = signed.pop(row.revision, None) if not row.elsewhere else None
            outside = row.elsewhere or row.revision not in here
            told.append(_told(timeline, life, row) if life is not None else typed_row(row, elsewhere=outside))
        told += [_told(timeline, life, None) for life in signed.values() if not _later(life.revision, document)]
        former = [row for row in told if row.revision not in here]
        own = sorted((row for row in told if row.revision in here), key=lambda row: Revision(row.revision))
        return [*former, *own]

    def signed(self, document: ControlledDocument) -> SignedBlock | None:
        """Return who signed the revision of `document` and since when it governs; None: nobody did here."""
        timeline = self._timeline(document) if not document.approved_elsewhere else None
        life = timeline.revision(document.revision.text) if timeline is not None else None
        if life is None or life.approved is None:
            return None
        name, at = life.approved
        drafted, reviewed = _step(life.signed(DRAFTED)), _step(life.signed(REVIEWED))
        return SignedBlock(drafted, reviewed, SigningStep(name, at.date().isoformat()), _effective(life))

    def effective(self, document: ControlledDocument) -> str:
        """Return the day from which the revision of `document` governs, as stated last; empty when none is known."""
        if document.approved_elsewhere and document.effective:
            return document.effective
        timeline = self._timeline(document)
        life = timeline.revision(document.revision.text) if timeline is not None else None
        return _effective(life) if life is not None else ""

    def findings(self, document: ControlledDocument, drafted: ChangeRequest | None = None) -> list[Finding]:
        """Return what the typed rows say otherwise than what was signed, or what `drafted` says that drafts it."""
        timeline = self._timeline(document)
        changes = {
            item.revision: (item.change, item.approved[1].date().isoformat() if item.approved is not None else None)
            for item in (timeline.revisions if timeline is not None else ())
            if item.change is not None
        }
        if drafted is not None:
            changes[document.revision.text] = (drafted, None)
        found: list[Finding] = []
        for row in document.history:
            change, day = changes.get(row.revision, (None, None))
            if change is None or row.elsewhere:
                continue
            for what, said, right in _differences(row, change, day):
                message = T(
                    "{number} 修订记录 {revision} 的{what}写的是“{said}”，更改 {change} 签署的是“{right}”。",
                    number=document.number,
                    revision=row.revision,
                    what=what,
                    said=said,
                    change=change.number,
                    right=right,
                )
                path = f"{FOLDER}/{document.number}/document.yml"
                hint = T("修订记录由系统按签名生成；请把 document.yml 里的这一行改成与签署的一致，或删去它。")
                code = "revision-row-differs"
                found.append(Finding(code, Gravity.ERROR, message, path=path, subject=document.number.text, hint=hint))
        return found

    def _timeline(self, document: ControlledDocument) -> DocumentTimeline | None:
        """Return the history of a document that anybody ever signed; None of any other."""
        if not self._archive.listing(f"{DOCUMENTS}/{document.number}"):
            return None
        try:
            return self._history.timeline(document.number.text)
        except QmsError:
            return None  # not yet in the library, or damaged, which `qms verify` tells


def _step(signature: VersionSignature | None) -> SigningStep | None:
    return SigningStep(signature.by.name, signature.at.date().isoformat()) if signature is not None else None


def _effective(life: RevisionHistory) -> str:
    """Return since when a revision governs; empty for one that was put off until it never did."""
    return life.since.isoformat() if life.status(life.since) is not RevisionStatus.NEVER else ""


def _later(revision: str, document: ControlledDocument) -> bool:
    """Tell whether a revision comes after that of the document; one that is named in another way is an old one."""
    try:
        return document.revision < Revision(revision)
    except InvalidIdentifierError:
        return False


def _signed(timeline: DocumentTimeline) -> dict[str, RevisionHistory]:
    return {item.revision: item for item in timeline.revisions if item.approved is not None}


def _told(timeline: DocumentTimeline, life: RevisionHistory, row: HistoryRow | None) -> RevisionRow:
    """Return the row of an approved revision: of its change, else as typed with what was signed beside."""
    assert life.approved is not None
    name, at = life.approved
    reason, day = str(life.first.why), at.date().isoformat()
    if life.change is None:
        stated = life.first.stated
        founded = stated is not None and stated.event == Event.SITE_OPENED
        reason = _FIRST if founded else reason
        signature = life.signed(DRAFTED)
        by = signature.by.name if signature is not None else life.last.author
        if row is not None:
            reason, by, day = row.reason, row.by, row.date or day
    else:
        by = life.change.drafter.name
    clauses = row.clauses if row is not None and row.clauses else _clauses(timeline, life)
    return RevisionRow(life.revision, day, clauses, reason, by, name, life.since.isoformat())


def _clauses(timeline: DocumentTimeline, life: RevisionHistory) -> str:
    """Return the numbers of the clauses that differ from the revision before; empty for the first."""
    before = [item for item in timeline.readable if item.serial < life.first.serial]
    old, new = (before[-1].text if before else None), life.last.text
    return clauses_changed(compare(old, new)) if old is not None and new is not None else ""


def _differences(row: HistoryRow, change: ChangeRequest, day: str | None) -> Iterator[tuple[Text, str, str]]:
    """Yield what a typed row says otherwise than the change: what, as typed, as signed."""
    if row.reason.strip() != change.reason.strip():
        yield T("原因"), row.reason, change.reason
    names: Sequence[str] = [by.name for by in (change.drafter, change.saved_by, change.by) if by is not None]
    if row.by not in names:
        yield T("修改人"), row.by, names[0]
    if row.date is not None and row.date != day:
        yield T("日期"), row.date, day or ""
