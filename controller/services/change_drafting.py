"""更改的提出. Opens changes, with the drafts that they begin with (ISO 13485 4.2.4)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller.domain.change_folding import item_wire
from controller.domain.change_request import BEGUN, TRIGGERS, ChangedItem, ChangeKind
from controller.domain.document import ControlledDocument, HistoryRow
from controller.domain.errors import RefusedError
from controller.domain.identifiers import Digest, DocumentNumber, InvalidIdentifierError, Revision
from controller.domain.library_day import ItemKind
from controller.domain.stated_text import LONGEST_TITLE, stated_text
from controller.domain.statement import CHANGES, Event
from controller.domain.text import T
from controller.file_formats.clause_ids import first_ids, write_clause_ids
from controller.file_formats.document_file import write_document
from controller.services.act_filing import StatementPart
from controller.services.change_chain import chain_of, missing_contents
from controller.services.change_reason import checked_reason
from controller.services.controlled_items import ControlledItems, UnknownItemError, document_class, path_of
from controller.services.document_library import DocumentLibrary, whole_segment
from controller.services.draft_saving import saved_statement
from controller.services.statement_filing import StatementDraft

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from controller.domain.change_request import ChangeRequest
    from controller.services.act_filing import ActFiling, ActMoment
    from controller.services.archive_ports import Archive
    from controller.services.change_chain import ChangeRequests
    from controller.services.controlled_items import ItemState
    from controller.services.files_in_force import DatedFiles
    from controller.services.ports import LibraryFiles
    from controller.services.signing_ports import Signer

_MOST_ITEMS = 60
_FIRST = "A/0"
"""Revision of whatever is new."""
_SKELETON = "1.目的：\n2.依据：\n3.范围：\n4.职责：\n5.内容：\n"
"""Clauses that a new document begins with, in the order of the company's procedures."""


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
    """文件的新版或作废待生效. What waits for its day is not withdrawn, what waits to go not changed."""

    code = "item-waiting"

    def __init__(self, *, number: str, day: date, withdrawn: bool = False) -> None:
        if withdrawn:
            message = T("{number} 已批准作废，定于 {day} 作废，不能再更改；那天以前照常有效。", number=number, day=day)
            hint = T("现行内容用 qms doc show {number} 查看；以后还要用的，请用新的编号发布。", number=number)
        else:
            message = T("{number} 有一版定于 {day} 生效，不能同时作废。", number=number, day=day)
            hint = T("等它生效后再提出作废。")
        super().__init__(message, hint=hint, where=number)


class NewNumberError(RefusedError):
    """编号不能用于新文件. Numbers are never used twice."""

    code = "change-number-taken"

    def __init__(self, *, number: str) -> None:
        super().__init__(
            T("编号 {number} 已经用过，不能用于新文件。", number=number),
            hint=T("编号一经使用，作废后也不再用；请换一个编号。"),
        )


class NewItemUnknownError(RefusedError):
    """没有这份新文件. A new form or register is made in the folder before a change takes it in."""

    code = "change-new-unknown"

    def __init__(self, *, number: str) -> None:
        super().__init__(
            T("“{number}”不是制度、程序、职责的编号，文件夹里也没有这张新表单或这个新台账。", number=number[:60]),
            hint=T(
                "新文件的编号写全，如 XX-YLQXCX-050；新表单先写好 templates/forms/编号/form.yml 并运行 "
                "qms form scaffold 编号，新台账先写好 templates/registers/编号/register.yml，再提出更改。"
            ),
        )


class NewTitleError(RefusedError):
    """新文件没有名称."""

    code = "change-title-needed"

    def __init__(self, *, number: str) -> None:
        super().__init__(T("新文件 {number} 还没有名称。", number=number), hint=T("用 --title 写明名称。"))


class LastRevisionError(RefusedError):
    """没有下一个版本号. Revisions go from A/0 to Z/99."""

    code = "change-last-revision"

    def __init__(self, *, number: str, revision: str) -> None:
        super().__init__(
            T("{number} 的版本 {revision} 之后没有这种更改的版本号了。", number=number, revision=revision),
            hint=T("版本号到 Z/99 为止；请作废这份文件，用新的编号发布。"),
            where=number,
        )


class ChangeItemsError(RefusedError):
    """更改的文件不对. The list of items is empty, too long, or names one twice."""

    code = "change-items"

    def __init__(self, *, count: int) -> None:
        super().__init__(
            T("一次更改写明 1 至 {most} 份不同的文件；这里有 {count} 份。", most=_MOST_ITEMS, count=count),
            hint=T("每份只写一次；更多的分几次提出。"),
        )


@dataclass(frozen=True)
class NewDocument:
    """新增的文件. Of a form or register only the number counts; the folder says the rest."""

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
    """更改的提出."""

    def __init__(
        self,
        requests: ChangeRequests,
        acts: ActFiling,
        archive: Archive,
        approved: DatedFiles,
        working: LibraryFiles,
        waits: Callable[[str], date | None],
        ever_used: Callable[[str], bool],
        check_withdrawn: Callable[[str], None],
    ) -> None:
        """`waits` tells how long an approved revision waits, `ever_used` whether a number was used.

        `check_withdrawn` raises for a number that is, or will be, withdrawn.
        """
        self._requests = requests
        self._acts = acts
        self._archive = archive
        self._approved = approved
        self._working = working
        self._waits = waits
        self._ever_used = ever_used
        self._check_withdrawn = check_withdrawn

    def open(self, order: ChangeOrder, by: Signer) -> ChangeRequest:
        """Open a change; the drafts of what is revised begin as the approved text with the next revision.

        Raises:
            ChangeReasonError, StatedTextError, TriggerUnknownError: what was said does not suffice.
            UnknownItemError, ChangeItemsError: an item is not there, or named twice.
            ItemInChangeError, ItemWaitingError: an item is in another change, or waits.
            NewNumberError, NewItemUnknownError, NewTitleError: the number of a new item cannot be used.
            LastRevisionError: no revision follows.
        """
        order = replace(order, reason=checked_reason(order.reason))
        for trigger in order.triggers:
            if trigger not in TRIGGERS:
                raise TriggerUnknownError(trigger=trigger)
        items = [self._existing(wanted, order.kind) for wanted in order.items]
        items += [self._new(document) for document in order.new]
        if not 0 < len(items) <= _MOST_ITEMS or len({item.number for item in items}) < len(items):
            raise ChangeItemsError(count=len(items))
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
            for item in items:
                self._check_free(item.number)  # somebody may have opened one meanwhile
            number = _next_number(moment)
            return StatementDraft(
                chain=chain_of(number),
                event=Event.CHANGE_OPENED,
                subject=number,
                reason=order.reason,
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
            stated = saved_statement(number, base, {path: Digest.of(data) for path, data in draft.items()})
            return replace(stated, new={**stated.new, BEGUN: True})

        def along(_moment: ActMoment) -> Mapping[str, bytes]:
            kept = missing_contents(self._archive, number, contents)
            return kept | missing_contents(self._archive, number, draft)

        parts = [StatementPart(opened)]
        if draft != contents:
            parts.append(StatementPart(began))
        self._acts.file(by, parts, along=along)
        return self._requests.read(number)

    # -- what a draft begins as

    def _existing(self, wanted: str, kind: ChangeKind) -> ChangedItem:
        items = ControlledItems(self._approved)
        try:
            state = items.find(wanted)
        except UnknownItemError:
            self._check_withdrawn(wanted)
            raise
        self._check_free(state.number)
        waiting = self._waits(state.number)
        if kind is ChangeKind.WITHDRAW and waiting is not None:
            raise ItemWaitingError(number=state.number, day=waiting)
        try:
            return _changed(state, _following(state.revision, kind))
        except InvalidIdentifierError as exc:
            raise LastRevisionError(number=state.number, revision=state.revision) from exc

    def _new(self, new: NewDocument) -> ChangedItem:
        wanted = new.number.strip().upper()
        self._check_free(wanted)
        word = document_class(wanted)
        item = self._new_in_folder(wanted) if word is None else _new_document(new, wanted, word)
        if ControlledItems(self._approved).taken(item.number) or self._ever_used(item.number):
            raise NewNumberError(number=item.number)
        return item

    def _new_in_folder(self, number: str) -> ChangedItem:
        """Return a new form or register as the folder has it."""
        try:
            state = ControlledItems(self._working).find(number)
        except UnknownItemError as exc:
            raise NewItemUnknownError(number=number) from exc
        if number not in {state.number, state.paths[0].rpartition("/")[2]}:
            raise NewItemUnknownError(number=number)
        return replace(_changed(state, _FIRST), before=None)

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
        row = HistoryRow(revision.text, None, "", order.reason, by.signatory.name)
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


def _next_number(moment: ActMoment) -> str:
    year = moment.at.year
    taken = [name for name in moment.listing(CHANGES) if name.startswith(f"{year}-")]
    return f"{year}-{int(taken[-1].partition('-')[2]) + 1 if taken else 1:04d}"


def _new_document(new: NewDocument, number: str, word: str) -> ChangedItem:
    title, owner = (stated_text(text, most=LONGEST_TITLE, lines=False) for text in (new.title, new.owner))
    if not title:
        raise NewTitleError(number=number)
    return ChangedItem(
        ItemKind.DOCUMENT, number, title, None, _FIRST, word, owner, (path_of(ItemKind.DOCUMENT, number),)
    )


def _changed(state: ItemState, after: str | None) -> ChangedItem:
    return ChangedItem(
        state.kind, state.number, state.title, state.revision, after, state.class_word, state.owner, state.paths
    )


def _following(revision: str, kind: ChangeKind) -> str | None:
    if kind is ChangeKind.WITHDRAW:
        return None
    current = Revision(revision)
    if kind is ChangeKind.EDITION:
        return Revision(f"{chr(ord(current.text[0]) + 1)}/0").text
    return current.following.text
