"""更改的起草. Opens changes and saves drafts: every state that anybody may sign or review stays on file (4.2.4, 4.2.5).

A draft is changed only by whoever names the state that he started from; nobody writes over anybody.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller.domain.change_request import BEGUN, STATUS_LABELS, TRIGGERS, ChangedItem, ChangeKind, item_wire
from controller.domain.document import ControlledDocument, HistoryRow
from controller.domain.errors import RefusedError
from controller.domain.identifiers import Digest, DocumentNumber, Revision
from controller.domain.library_day import ItemKind
from controller.domain.statement import CHANGES, Event
from controller.domain.text import T
from controller.file_formats.clause_ids import first_ids, write_clause_ids
from controller.file_formats.document_file import write_document
from controller.services.act_filing import StatementPart
from controller.services.change_chain import chain_of, missing_contents
from controller.services.controlled_items import ControlledItems, document_class, path_of
from controller.services.document_library import DocumentLibrary, whole_segment
from controller.services.library_check import is_library_file
from controller.services.statement_filing import StatementDraft

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from controller.domain.change_request import ChangeRequest
    from controller.domain.record import Wire
    from controller.domain.text import Text
    from controller.services.act_filing import ActFiling, ActMoment
    from controller.services.archive_ports import Archive
    from controller.services.change_chain import ChangeRequests
    from controller.services.controlled_items import ItemState
    from controller.services.files_in_force import DatedFiles
    from controller.services.ports import Clock, LibraryFiles
    from controller.services.signing_ports import Signer

REASON_AT_LEAST = 5
_MOST_ITEMS = 60
_SKELETON = "1.目的：\n2.依据：\n3.范围：\n4.职责：\n5.内容：\n"
"""Clauses that a new document begins with, in the order of the company's procedures."""


class ChangeReasonError(RefusedError):
    """需要写明原因 (ISO 13485 4.2.4)."""

    code = "change-reason-needed"

    def __init__(self) -> None:
        super().__init__(
            T("必须写明原因（至少 {count} 个字）。", count=REASON_AT_LEAST),
            hint=T("例如 --reason “新规范要求每半年回访一次”。"),
        )


class TriggerUnknownError(RefusedError):
    """触发原因不在表中."""

    code = "change-trigger-unknown"

    def __init__(self, *, trigger: str) -> None:
        super().__init__(
            T("没有“{trigger}”这种触发原因。", trigger=trigger[:40]), hint=T("可写：{known}。", known=list(TRIGGERS))
        )


class ItemInChangeError(RefusedError):
    """文件正在更改中. Two changes of one item at the same time would overwrite each other."""

    code = "item-in-change"

    def __init__(self, *, number: str, change: str, name: str) -> None:
        super().__init__(
            T("{number} 已在更改 {change}（{name}提出）中，不能同时再改。", number=number, change=change, name=name),
            hint=T("在那项更改里一起改；或先批准、取消它（qms change show {change}）。", change=change),
            where=number,
        )


class ItemWaitingError(RefusedError):
    """文件的新版待生效. A document is withdrawn only when nothing of it waits to come into force."""

    code = "item-waiting"

    def __init__(self, *, number: str, day: date) -> None:
        super().__init__(
            T("{number} 有一版定于 {day} 生效，不能同时作废。", number=number, day=day),
            hint=T("等它生效后再提出作废；或先推迟。"),
            where=number,
        )


class NewNumberError(RefusedError):
    """编号不能用于新文件. Numbers are never used twice, and tell the class."""

    code = "change-number-taken"

    def __init__(self, *, number: str, why: Text) -> None:
        super().__init__(
            T("编号 {number} 不能用于新文件：{why}。", number=number, why=why),
            hint=T("编号一经使用，作废后也不再用；请换一个编号。"),
        )


class ChangeNotOpenError(RefusedError):
    """更改不在办理中. It is approved, given up or done."""

    code = "change-not-open"

    def __init__(self, *, number: str, status: Text) -> None:
        super().__init__(
            T("更改 {number} 的状态是“{status}”，不能再改。", number=number, status=status),
            hint=T("要继续修改，请提出新的更改（qms change open）。"),
        )


class NothingToTakeError(RefusedError):
    """没有可收入的修改. The folder holds nothing of the change's items that the draft does not have."""

    code = "change-nothing-to-take"

    def __init__(self, *, number: str) -> None:
        super().__init__(
            T("文件夹里没有更改 {number} 所列文件的新修改。", number=number),
            hint=T("先改文件夹里的文件；程序文件请用 qms doc checkout 和 checkin。"),
        )


class DraftBaseError(RefusedError):
    """草稿的依据变了. What is approved is no longer what the folder's edit began from."""

    code = "change-base-moved"

    def __init__(self, *, number: str, path: str) -> None:
        super().__init__(
            T("{path} 在别处改过，没有收入更改 {number}。", path=path, number=number),
            hint=T("用 qms change show {number} 核对草稿，再决定保留哪一份。", number=number),
            where=path,
        )


@dataclass(frozen=True)
class NewDocument:
    """新增的文件."""

    number: str
    title: str
    owner: str


@dataclass(frozen=True)
class ChangeOrder:
    """提出更改的要求. What the person says; everything else the system knows."""

    kind: ChangeKind
    reason: str
    triggers: tuple[str, ...] = ("其他",)
    items: tuple[str, ...] = ()
    """Numbers of what is there already."""
    new: tuple[NewDocument, ...] = ()
    plan: date | None = None
    effective: date | None = None


class ChangeDrafting:
    """更改的起草."""

    def __init__(
        self,
        requests: ChangeRequests,
        acts: ActFiling,
        archive: Archive,
        approved: DatedFiles,
        working: LibraryFiles,
        clock: Clock,
        waits: Callable[[str], date | None],
        ever_used: Callable[[str], bool],
    ) -> None:
        """`waits` tells how long an approved revision waits, `ever_used` whether a number was used."""
        self._requests = requests
        self._acts = acts
        self._archive = archive
        self._approved = approved
        self._working = working
        self._clock = clock
        self._waits = waits
        self._ever_used = ever_used

    def open(self, order: ChangeOrder, by: Signer) -> ChangeRequest:
        """Open a change; the drafts of what is revised begin as the approved text with the next revision.

        Raises:
            ChangeReasonError, TriggerUnknownError: what was said does not suffice.
            UnknownItemError: an item is not there.
            ItemInChangeError, ItemWaitingError: an item is in another change, or waits.
            NewNumberError: the number of a new document cannot be used.
        """
        if len(order.reason.strip()) < REASON_AT_LEAST:
            raise ChangeReasonError
        for trigger in order.triggers:
            if trigger not in TRIGGERS:
                raise TriggerUnknownError(trigger=trigger)
        items = [self._existing(wanted, order.kind) for wanted in order.items]
        items += [self._new(document) for document in order.new]
        if not items or len(items) > _MOST_ITEMS or len({item.number for item in items}) < len(items):
            raise ChangeReasonError if not items else NewNumberError(number=items[-1].number, why=T("重复"))
        base = {path: digest for item in items if item.before for path, digest in self._contents(item).items()}
        contents = {path: self._approved.read(path) or b"" for path in base}
        draft = dict(contents)
        if order.kind is not ChangeKind.WITHDRAW:
            for item in items:
                draft |= self._begun(item, order, by)
        kind = order.kind if order.items or order.kind is ChangeKind.WITHDRAW else ChangeKind.NEW
        by.ready("")
        number = ""

        def opened(moment: ActMoment) -> StatementDraft:
            nonlocal number
            number = _next_number(moment)
            return StatementDraft(
                chain=chain_of(number),
                event=Event.CHANGE_OPENED,
                subject=number,
                reason=order.reason.strip(),
                new={
                    "kind": kind.value,
                    "triggers": list(order.triggers),
                    "items": [item_wire(item) for item in items],
                    "plan": order.plan.isoformat() if order.plan else None,
                    "effective": order.effective.isoformat() if order.effective else None,
                },
                files=base,
            )

        def began(_moment: ActMoment) -> StatementDraft:
            stated = self._stated(number, base, {path: Digest.of(data) for path, data in draft.items()})
            return replace(stated, new={**stated.new, BEGUN: True})

        def along(_moment: ActMoment) -> Mapping[str, bytes]:
            kept = missing_contents(self._archive, number, contents)
            return kept | missing_contents(self._archive, number, draft)

        parts = [StatementPart(opened)]
        if draft != contents:
            parts.append(StatementPart(began))
        self._acts.file(by, parts, along=along)
        return self._requests.read(number)

    def take(self, wanted: str, by: Signer) -> ChangeRequest:
        """Take what was edited in the folder of the change's items into its draft (forms, registers, lists).

        Raises:
            ChangeNotOpenError: the change is approved or given up.
            NothingToTakeError: nothing was edited.
        """
        request = self._requests.read(wanted)
        check_open(request)
        found: dict[str, bytes | None] = {}
        for item in request.items:
            here = {path for own in item.paths for path in (self._working.files(own) or [own]) if is_library_file(path)}
            there = {path for path in request.files if item.holds(path)}
            tip = {path for own in item.paths for path in (self._approved.files(own) or [own])}
            for path in sorted(here | there | tip):
                edited, approved = self._working.read(path), self._approved.read(path)
                if edited != approved:
                    found[path] = edited
        return self.save(request, found, by)

    def save(
        self,
        request: ChangeRequest,
        changes: Mapping[str, bytes | None],
        by: Signer,
        *,
        beside: Sequence[StatementDraft] = (),
        said: Mapping[str, Wire] | None = None,
    ) -> ChangeRequest:
        """Save new contents of files of the draft (None takes one away), with further statements of the same act.

        `said` is what else the statement says, such as the comments that a Word file brought.

        Raises:
            ChangeNotOpenError: the change is approved or given up.
            NothingToTakeError: the draft has it all already.
            ActOvertakenError: somebody saved or signed since `request` was read.
        """
        check_open(request)
        old = request.files
        changed = {
            path: data
            for path, data in changes.items()
            if (Digest.of(data) if data is not None else None) != old.get(path)
        }
        if not changed and not beside:
            raise NothingToTakeError(number=request.number)
        contents = {path: data for path, data in changed.items() if data is not None}
        now = {path: digest for path, digest in old.items() if path not in changed}
        now |= {path: Digest.of(data) for path, data in contents.items()}
        parts = [StatementPart(draft) for draft in beside]
        if changed or said:
            stated = self._stated(request.number, old, now)
            parts.append(StatementPart(replace(stated, new={**stated.new, **(said or {})})))
        by.ready("")
        self._acts.file(
            by,
            parts,
            along=missing_contents(self._archive, request.number, contents),
            expects={chain_of(request.number): request.sequence},
        )
        return self._requests.read(request.number)

    # -- what a draft begins as

    def _existing(self, wanted: str, kind: ChangeKind) -> ChangedItem:
        items = ControlledItems(self._approved)
        state = items.find(wanted)
        self._check_free(state.number)
        waiting = self._waits(state.number)
        if kind is ChangeKind.WITHDRAW and waiting is not None:
            raise ItemWaitingError(number=state.number, day=waiting)
        return _changed(state, _following(state.revision, kind))

    def _new(self, document: NewDocument) -> ChangedItem:
        number = DocumentNumber(document.number.strip().upper())
        word = document_class(number.text)
        if word is None:
            raise NewNumberError(number=number.text, why=T("不是制度、程序、职责或手册的编号"))
        if ControlledItems(self._approved).taken(number.text) or self._ever_used(number.text):
            raise NewNumberError(number=number.text, why=T("已经用过"))
        self._check_free(number.text)
        paths = (path_of(ItemKind.DOCUMENT, number.text),)
        return ChangedItem(
            ItemKind.DOCUMENT, number.text, document.title.strip(), None, "A/0", word, document.owner.strip(), paths
        )

    def _check_free(self, number: str) -> None:
        other = self._requests.open_of(number)
        if other is not None:
            raise ItemInChangeError(number=number, change=other.number, name=other.by.name)

    def _contents(self, item: ChangedItem) -> dict[str, Digest]:
        return ControlledItems(self._approved).contents(item.paths)

    def _begun(self, item: ChangedItem, order: ChangeOrder, by: Signer) -> dict[str, bytes]:
        """Return the files with which the draft of an item differs from the approved ones from the start."""
        if item.kind is not ItemKind.DOCUMENT or item.after is None:
            return {}
        revision, folder = Revision(item.after), item.paths[0]
        row = HistoryRow(revision.text, None, "", order.reason.strip(), by.signatory.name)
        if item.before is None:
            document = ControlledDocument(
                DocumentNumber(item.number), item.title, revision, item.class_word, item.owner or "待定", history=(row,)
            )
            clauses = whole_segment(_SKELETON).clauses
            return {
                f"{folder}/document.yml": write_document(document).encode(),
                f"{folder}/clauses.txt": _SKELETON.encode(),
                f"{folder}/clauses.yml": write_clause_ids(first_ids(clauses)).encode(),
            }
        document = DocumentLibrary(self._approved).document(item.number)
        document = replace(
            document,
            revision=revision,
            history=(*document.history, row),
            drafted=None,
            reviewed=None,
            approved=None,
            effective=None,
            status_note=None,
        )
        return {f"{folder}/document.yml": write_document(document).encode()}

    @staticmethod
    def _stated(number: str, old: Mapping[str, Digest], now: Mapping[str, Digest]) -> StatementDraft:
        before: dict[str, Wire] = {path: old[path].text for path in old if old[path] != now.get(path)}
        gone: list[Wire] = [path for path in old if path not in now]
        return StatementDraft(
            chain=chain_of(number),
            event=Event.DRAFT_SAVED,
            subject=number,
            old={"files": before} if before else {},
            new={"deleted": gone} if gone else {},
            files=dict(now),
        )


def check_open(request: ChangeRequest) -> None:
    """Make sure that a change can still be worked on; raises `ChangeNotOpenError`."""
    if not request.open:
        raise ChangeNotOpenError(number=request.number, status=STATUS_LABELS[request.status])


def _next_number(moment: ActMoment) -> str:
    year = moment.at.year
    taken = [name for name in moment.listing(CHANGES) if name.startswith(f"{year}-")]
    return f"{year}-{int(taken[-1].partition('-')[2]) + 1 if taken else 1:04d}"


def _changed(state: ItemState, after: str | None) -> ChangedItem:
    return ChangedItem(
        state.kind, state.number, state.title, state.revision, after, state.class_word, state.owner, state.paths
    )


def _following(revision: str, kind: ChangeKind) -> str | None:
    if kind is ChangeKind.WITHDRAW:
        return None
    current = Revision(revision)
    if kind is ChangeKind.EDITION:
        return f"{chr(ord(current.text[0]) + 1)}/0"
    return current.following.text
