"""签入. Takes a Word file that was checked out back into the draft: no edit is overwritten, nothing lost silently.

The draft is where documents are edited (`DocumentDrafts`); nothing comes into force by a check-in. What was done in
Word, by whom as the file says, stands in the signed statement of the check-in.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from controller.domain.clause import Clause, TitleLine
from controller.domain.conformity import Finding, Gravity
from controller.domain.document import HistoryRow
from controller.domain.errors import NotFoundError, QmsError, RefusedError
from controller.domain.identifiers import Digest
from controller.domain.statement import TRAIL, Event
from controller.domain.text import T
from controller.file_formats.clause_ids import write_clause_ids
from controller.file_formats.document_file import write_document, write_notes
from controller.services.document_checkout import changed_state, document_state, marks_of
from controller.services.document_library import FOLDER, DocumentLibrary
from controller.services.returned_text import compare
from controller.services.statement_filing import StatementDraft

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.domain.clause import Segment
    from controller.domain.document import ControlledDocument
    from controller.domain.record import Wire
    from controller.services.checkout_ports import DocumentDrafts, ReturnedWordReader
    from controller.services.document_checkout import Checkout, DocumentCheckout
    from controller.services.document_library import LibraryDocument
    from controller.services.ports import LibraryFiles
    from controller.services.returned_text import ReturnedText
    from controller.services.signing_ports import Signer
    from controller.services.statement_filing import StatementFiling

_Value = TypeVar("_Value")
_REASON_AT_LEAST = 5
_STATED = 300
"""Tracked changes, comments or clauses that a statement lists; of more, the number."""


class CheckoutUnknownError(NotFoundError):
    """不是签出的文件. The file does not say, or not truly, which check-out it came from."""

    code = "checkout-unknown"

    def __init__(self, *, name: str) -> None:
        super().__init__(
            T("“{name}”不是从本工作区签出的文件，或签出标记丢失了。", name=name),
            hint=T("用 qms doc checkout 签出后在那个文件里改；新文件用 qms doc import 导入。"),
        )


class CheckoutOfOtherError(RefusedError):
    """别人签出的文件. Only who checked a document out checks it in, unless it is handed over."""

    code = "checkout-of-other"
    unauthorised = True

    def __init__(self, *, number: str, holder: str) -> None:
        super().__init__(
            T("{number} 是{holder}签出的，只能由{holder}签入。", number=number, holder=holder),
            hint=T("由本人签入；确需接手，加 --takeover 和 --reason 写明原因，接手会记录在案。"),
            where=number,
        )


class CheckinReasonError(RefusedError):
    """需要写明原因. A hand-over or a new revision needs a reason."""

    code = "checkin-reason-needed"

    def __init__(self) -> None:
        super().__init__(
            T("接手他人的签出或换版必须写明原因（至少 {count} 个字）。", count=_REASON_AT_LEAST),
            hint=T("例如 --reason “按新规范增加回访要求”。"),
        )


class CheckinOutdatedError(RefusedError):
    """签出之后文件又改过. The draft or the text in force is no longer the one that was edited."""

    code = "checkin-outdated"

    def __init__(self, *, number: str, findings: Sequence[Finding]) -> None:
        super().__init__(
            T("{number} 在签出之后又有改动，没有签入，什么也没有覆盖。", number=number),
            hint=T("重新签出现在的文本，把您的改动移过去再签入。"),
            where=number,
        )
        self.findings = tuple(findings)


class CheckinUncertainError(RefusedError):
    """签入有疑点. Carries every doubt; nothing was changed."""

    code = "checkin-uncertain"

    def __init__(self, *, findings: Sequence[Finding]) -> None:
        super().__init__(
            T("有 {count} 处拿不准，没有签入。", count=len(findings)),
            hint=T("逐项核对；同意下面的处理办法就加 --accept-uncertain，不同意请在 Word 中改好再签入。"),
        )
        self.findings = tuple(findings)


@dataclass(frozen=True)
class CheckinOrder:
    """签入要求. What the person who checks in decides."""

    reason: str = ""
    revise: bool = False
    """Whether the document gets its next revision."""
    takeover: bool = False
    accept_uncertain: bool = False


@dataclass(frozen=True)
class PreparedCheckin:
    """备好的签入. Everything that a check-in would do, nothing of it done."""

    checkout: Checkout
    document: ControlledDocument
    """As it will be."""
    compared: ReturnedText
    files: Mapping[str, bytes | None]
    """Path → new bytes of the draft's files that change; None takes one away."""
    docx: Digest
    order: CheckinOrder
    taken_over: bool
    notes: tuple[Finding, ...]

    @property
    def doubts(self) -> tuple[Finding, ...]:
        """What has to be confirmed before it is done."""
        return self.compared.doubts


class DocumentCheckin:
    """签入."""

    def __init__(
        self,
        checkouts: DocumentCheckout,
        drafts: DocumentDrafts,
        approved: LibraryFiles,
        statements: StatementFiling,
        reader: ReturnedWordReader,
    ) -> None:
        self._checkouts = checkouts
        self._folder = drafts
        self._approved = approved
        self._statements = statements
        self._reader = reader

    def prepare(self, docx: bytes, *, name: str, by: Signer, order: CheckinOrder) -> PreparedCheckin:
        """Work out what checking in a file would do.

        Raises:
            QmsError: the file is not safe (`file_formats.docx_package`).
            CheckoutUnknownError: it did not come from here.
            CheckoutOfOtherError, CheckinReasonError: the person may not, or not without a reason.
            CheckinOutdatedError: the document changed since it was checked out.
            CheckinIncompleteError, CheckinEmptyError, CheckinTooLongError: as `returned_text.compare`.
        """
        returned = self._reader.read(docx, name=name)
        checkout = self._checkouts.find(returned.checkout) if returned.checkout else None
        if checkout is None or returned.number not in {None, checkout.number}:
            raise CheckoutUnknownError(name=name)
        number = checkout.number
        reason = order.reason.strip()
        other = checkout.person != by.signatory.person
        if other and not order.takeover:
            raise CheckoutOfOtherError(number=number, holder=checkout.holder)
        if (other or order.revise) and len(reason) < _REASON_AT_LEAST:
            raise CheckinReasonError
        self._check_unmoved(checkout)
        draft, docx_sent = self._checkouts.sheet(number, checkout.name, since=checkout)
        sent = self._checkouts.sent(draft, docx_sent)
        ids = self._checkouts.ids(number)
        compared = compare(draft, sent, returned, next_serial=ids.next_serial, name=name)
        document, notes = draft.document, list[Finding]()
        files: dict[str, bytes | None] = {}
        if not compared.unchanged:
            document = self._described(draft, compared, by, replace(order, reason=reason), notes)
            marks = marks_of(compared.traced.ids, compared.text, compared.traced.next_serial, ids.extra)
            folder = f"{FOLDER}/{number}"
            files[f"{folder}/clauses.txt"] = compared.text.encode()
            files[f"{folder}/clauses.yml"] = write_clause_ids(marks).encode()
            if document != draft.document:
                files[f"{folder}/document.yml"] = write_document(document).encode()
            files |= self._note_file(draft, compared, folder)
            for digest, content in compared.islands.items():
                files[f"{folder}/islands/{digest.hex}.json"] = content
        desk = self._checkouts.desk(number)
        files = {path: data for path, data in files.items() if data != desk.files.read(path)}
        every = (*compared.notes, *notes)
        return PreparedCheckin(checkout, document, compared, files, Digest.of(docx), order, other, every)

    def take_in(self, made: PreparedCheckin, *, by: Signer) -> None:
        """Do what was prepared: state it, signed, and write the draft.

        Raises:
            CheckinUncertainError: there are doubts that nobody confirmed.
            CheckinOutdatedError: the document changed meanwhile.
        """
        if made.doubts and not made.order.accept_uncertain:
            raise CheckinUncertainError(findings=made.doubts)
        self._check_unmoved(made.checkout)
        number = made.checkout.number
        desk = self._checkouts.desk(number)
        before = document_state(desk.files, number)
        after = before | {path: Digest.of(data).text for path, data in made.files.items() if data is not None}
        old: dict[str, Wire] = {path: before[path] for path in made.files if path in before}
        stated = StatementDraft(
            TRAIL,
            Event.CHECKED_IN,
            subject=number,
            reason=made.order.reason.strip() or None,
            old={"files": old} if old else {},
            new=_stated(made),
            files={path: Digest(text) for path, text in after.items()},
            shown=made.docx,
        )
        if desk.save is not None:
            desk.save(made.files, stated, by)
            return
        by.ready("")
        self._statements.file(stated, by)
        kept = {path: self._folder.read(path) for path in made.files}
        try:
            for path, data in made.files.items():
                self._put(path, data)
        except QmsError:
            with suppress(QmsError):  # what the other program holds was not written either
                for path, data in kept.items():
                    self._put(path, data)
            raise

    def _put(self, path: str, data: bytes | None) -> None:
        if data is None:
            self._folder.remove(path)
        else:
            self._folder.write(path, data)

    def _check_unmoved(self, checkout: Checkout) -> None:
        """Make sure that nobody's work is overwritten: the draft is as it was given out, or as this file left it.

        Raises:
            CheckinOutdatedError: it is not.
        """
        draft = document_state(self._checkouts.desk(checkout.number).files, checkout.number)
        approved = document_state(self._approved, checkout.number)
        found = []
        if draft not in (checkout.draft, checkout.returned):
            for path in changed_state(checkout.draft, draft):
                message = T("草稿的这个文件在签出之后改过。")
                found.append(Finding("checkin-draft-changed", Gravity.ERROR, message, path=path))
        for path in changed_state(checkout.approved, approved):
            message = T("现行的这个文件在签出之后换过。")
            found.append(Finding("checkin-approved-changed", Gravity.ERROR, message, path=path))
        if found:
            raise CheckinOutdatedError(number=checkout.number, findings=found)

    # -- what goes with the text

    def _described(
        self, draft: LibraryDocument, compared: ReturnedText, by: Signer, order: CheckinOrder, notes: list[Finding]
    ) -> ControlledDocument:
        """Return the control block that goes with the new text."""
        document = draft.document
        names = _renamed(draft.segment, compared.segment)
        lost = [key for key in {**document.links, **document.company_set} if names.get(key, key) is None]
        if lost:
            message = T("条款 {clauses} 删去了，它们的引用和企业自定说明也不再保留。", clauses=sorted(lost))
            notes.append(Finding("checkin-links-dropped", Gravity.NOTE, message))
        document = replace(
            document, links=_moved(document.links, names), company_set=_moved(document.company_set, names)
        )
        title = _title(compared.segment)
        if title is not None and title != _title(draft.segment):
            document = replace(document, title=title)
        base = self._base(document)
        if order.revise:
            document = _revised(document, base, compared, by.signatory.name, order.reason)
        elif base is not None and base.revision == document.revision:
            message = T("正文改了，版本仍是 {revision}。", revision=document.revision)
            notes.append(
                Finding(
                    "checkin-revision-same", Gravity.NOTE, message, hint=T("要换版，签入时加 --revise 和 --reason。")
                )
            )
        return document

    def _base(self, document: ControlledDocument) -> ControlledDocument | None:
        library = DocumentLibrary(self._approved)
        number = document.number.text
        return library.document(number) if number in library.numbers() else None

    def _note_file(self, draft: LibraryDocument, compared: ReturnedText, folder: str) -> dict[str, bytes | None]:
        names = _renamed(draft.segment, compared.segment)
        notes = [
            replace(note, clause=names.get(note.clause, note.clause)) if note.clause is not None else note
            for note in draft.notes
        ]
        if notes == list(draft.notes):
            return {}
        return {f"{folder}/notes.yml": write_notes(notes, document=draft.document.number.text).encode()}


def _renamed(old: Segment, new: Segment) -> dict[str, str | None]:
    """Return how the clauses that got another number are now called; None for those that are gone."""
    now = {clause.id: clause for clause in new.clauses}
    found: dict[str, str | None] = {}
    for clause in old.clauses:
        other = now.get(clause.id)
        for name, renamed in ((_count(clause), _count(other)), (clause.label.strip(), _label(other))):
            if name and (other is None or renamed != name):
                found.setdefault(name, renamed)
    kept = {_count(clause) for clause in old.clauses if clause.id in now and _count(clause) == _count(now[clause.id])}
    return {name: renamed for name, renamed in found.items() if name not in kept}


def _count(clause: Clause | None) -> str | None:
    return ".".join(str(part) for part in clause.number) if clause is not None else None


def _label(clause: Clause | None) -> str | None:
    return clause.label.strip() if clause is not None else None


def _moved(values: Mapping[str, _Value], names: Mapping[str, str | None]) -> dict[str, _Value]:
    found: dict[str, _Value] = {}
    for key, value in values.items():
        name = names.get(key, key)
        if name:
            found[name] = value
    return found


def _title(segment: Segment) -> str | None:
    return next((piece.title for piece in segment.pieces if isinstance(piece, TitleLine)), None)


def _revised(
    document: ControlledDocument, base: ControlledDocument | None, compared: ReturnedText, name: str, reason: str
) -> ControlledDocument:
    """Return the control block of the next revision; who signed the earlier one says nothing of this one."""
    labels = list(dict.fromkeys(item.new_label or item.old_label for item in compared.clauses))
    history = list(document.history)
    revision = document.revision
    if base is None or base.revision < revision:
        history = [row for row in history if row.revision != revision.text]
    else:
        revision = revision.following
    history.append(HistoryRow(revision.text, None, "、".join(label for label in labels if label), reason, name))
    return replace(
        document,
        revision=revision,
        history=tuple(history),
        drafted=None,
        reviewed=None,
        approved=None,
        effective=None,
        former_revision=None,
        former_block=(),
    )


def _stated(made: PreparedCheckin) -> dict[str, Wire]:
    """Return what the statement of a check-in says of it."""
    compared = made.compared
    new: dict[str, Wire] = {"checkout": made.checkout.name, "revision": made.document.revision.text}
    if made.taken_over:
        new["holder"] = {"person": made.checkout.person, "name": made.checkout.holder}
    clauses: list[Wire] = [
        {"clause": item.clause, "kind": item.kind, "label": item.new_label or item.old_label, "tracked": item.tracked}
        for item in compared.clauses
    ]
    changes: list[Wire] = [
        {"kind": item.kind.value, "name": item.author, "at": item.at, "text": item.text, "clause": item.clause or ""}
        for item in compared.changes
    ]
    comments: list[Wire] = [
        {"name": item.author, "at": item.at, "text": item.text, "clause": item.clause or ""}
        for item in compared.comments
    ]
    accepted: list[Wire] = [{"code": item.code, "message": str(item.message)} for item in compared.doubts]
    for key, listed in (("clauses", clauses), ("changes", changes), ("comments", comments), ("accepted", accepted)):
        if listed:
            new[key] = listed[:_STATED]
        if len(listed) > _STATED:
            new[f"{key}_count"] = str(len(listed))
    return new
