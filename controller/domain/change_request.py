"""文件更改. One change of one or many controlled items, folded from its chain of signed statements (ISO 13485 4.2.4).

What may come next, whose signatures an edit voided, and how a change stands are computed here from what was stated;
nothing of it is stored (docs/document-control.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.domain.statement import Event
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.domain.identifiers import Digest
    from controller.domain.library_day import ItemKind
    from controller.domain.record import Signatory
    from controller.domain.text import Text


class ChangeKind(StrEnum):
    """更改类型. The value is the word of the form JL-001."""

    NEW = "新增"
    REVISE = "修订"
    EDITION = "换版"
    WITHDRAW = "作废"


TRIGGERS = ("法规变化", "自查/检查发现", "投诉/不良事件", "组织或业务变化", "定期复审", "其他")
"""触发原因. What gives rise to a change, in the words of the form JL-001."""


class ChangeStatus(StrEnum):
    """更改状态. How far a change has come until it is approved; what follows is told item by item."""

    DRAFT = "draft"
    RETURNED = "returned"
    IN_REVIEW = "in-review"
    AWAITING_APPROVAL = "awaiting-approval"
    APPROVED = "approved"
    ISSUED = "issued"
    CLOSED = "closed"
    CANCELLED = "cancelled"


STATUS_LABELS: Mapping[ChangeStatus, Text] = {
    ChangeStatus.DRAFT: T("草稿"),
    ChangeStatus.RETURNED: T("已退回"),
    ChangeStatus.IN_REVIEW: T("审核中"),
    ChangeStatus.AWAITING_APPROVAL: T("待批准"),
    ChangeStatus.APPROVED: T("已批准"),
    ChangeStatus.ISSUED: T("培训/发放中"),
    ChangeStatus.CLOSED: T("已办结"),
    ChangeStatus.CANCELLED: T("已取消"),
}
OPEN = frozenset({ChangeStatus.DRAFT, ChangeStatus.RETURNED, ChangeStatus.IN_REVIEW, ChangeStatus.AWAITING_APPROVAL})
"""While a change is in one of these nobody else can begin another of the same item."""
BEGUN = "begun"
"""In what a saved draft states: it is what the opening of the change itself began, an edit of nobody."""
SIGNATURES = frozenset({Event.CHANGE_SUBMITTED, Event.CHANGE_REVIEWED, Event.CHANGE_APPROVED})


@dataclass(frozen=True)
class ChangedItem:
    """更改的一项. A controlled item and the revision that the change takes it to."""

    kind: ItemKind
    number: str
    title: str
    before: str | None
    """Revision on `main` when the change was opened; None: new."""
    after: str | None
    """Revision it becomes; None: withdrawn."""
    class_word: str
    owner: str
    """归口部门."""
    paths: tuple[str, ...]
    """Folders or files of the library that belong to it."""

    def holds(self, path: str) -> bool:
        """Tell whether a library path belongs to the item."""
        return any(path == own or path.startswith(f"{own}/") for own in self.paths)


@dataclass(frozen=True)
class ReviewComment:
    """审核意见. A comment on a draft, and the answer to it."""

    id: str
    """Its place among the comments of the change, from 1; a chain only grows, so it never changes."""
    item: str
    clause: str
    text: str
    by: str
    at: str
    answer: str | None = None
    answered_by: str = ""

    @property
    def resolved(self) -> bool:
        """Whether somebody answered it."""
        return self.answer is not None


@dataclass(frozen=True)
class ChangeSignature:
    """更改上的签名. A signature on a whole change, and why it no longer counts."""

    sequence: int
    event: Event
    step: str
    meaning: str
    by: Signatory
    at: str
    files: Mapping[str, Digest]
    """Every file of the draft as it was signed."""
    reason: str | None = None
    void_because: Text | None = None
    exempted: bool = False

    @property
    def counts(self) -> bool:
        """Whether it counts for the draft as it stands."""
        return self.void_because is None


@dataclass(frozen=True)
class Postponement:
    """改期. An approved revision was given another day to come into force on."""

    item: str
    before: str
    """Day it was to come into force, ISO 8601; empty: not stated."""
    after: str
    by: Signatory
    at: str
    reason: str


@dataclass(frozen=True)
class ChangeRequest:
    """一次文件更改."""

    number: str
    kind: ChangeKind
    reason: str
    triggers: tuple[str, ...]
    items: tuple[ChangedItem, ...]
    by: Signatory
    """Who opened it."""
    at: str
    sequence: int
    """Last statement of its chain: an act names it, so that nobody acts on an older state."""
    plan: str | None = None
    """Day by which it is to be done."""
    wanted: str | None = None
    """Day from which it is to be in force, as asked for."""
    base: Mapping[str, Digest] = field(default_factory=dict)
    """Files of the items on `main` when the change was opened."""
    files: Mapping[str, Digest] = field(default_factory=dict)
    """The draft: path on `main` → digest of its present content."""
    saved_by: Signatory | None = None
    """Who saved the draft last."""
    authors: tuple[Signatory, ...] = ()
    """Everybody whose edits came into the draft: each counts as drafter, whoever submits it (4.2.4 a)."""
    edited: Mapping[str, str] = field(default_factory=dict)
    """Path that somebody edited → computer whose folder it was taken from; empty: it came in otherwise."""
    signatures: tuple[ChangeSignature, ...] = ()
    comments: tuple[ReviewComment, ...] = ()
    returned: str | None = None
    """Why it was returned last; None when it was submitted again since, or never."""
    returned_at: str = ""
    """When it was returned last; empty: never. Signatures up to then do not count any more."""
    effective: str | None = None
    """First day in force, once it is approved."""
    records: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Item number → form number → record number of the paperwork that belongs to the present round."""
    former_records: tuple[str, ...] = ()
    """Record numbers of the paperwork of rounds that were returned, or begun anew after an edit."""
    postponements: tuple[Postponement, ...] = ()
    issued: Signatory | None = None
    issued_at: str = ""
    closed: Signatory | None = None
    cancelled: str | None = None
    """Why it was given up."""
    cancelled_by: Signatory | None = None
    cancelled_at: str = ""

    @property
    def counting(self) -> tuple[ChangeSignature, ...]:
        """The signatures that count for the draft as it stands."""
        return tuple(item for item in self.signatures if item.counts)

    @property
    def voided(self) -> tuple[ChangeSignature, ...]:
        """The signatures that an edit or a return made void."""
        return tuple(item for item in self.signatures if not item.counts)

    @property
    def unresolved(self) -> tuple[ReviewComment, ...]:
        """Comments that nobody answered."""
        return tuple(item for item in self.comments if not item.resolved)

    @property
    def status(self) -> ChangeStatus:
        """How far the change has come."""
        events = {item.event for item in self.counting}
        if self.cancelled is not None:
            return ChangeStatus.CANCELLED
        if self.closed is not None:
            return ChangeStatus.CLOSED
        if self.issued is not None:
            return ChangeStatus.ISSUED
        if Event.CHANGE_APPROVED in events:
            return ChangeStatus.APPROVED
        if Event.CHANGE_REVIEWED in events:
            return ChangeStatus.AWAITING_APPROVAL
        if Event.CHANGE_SUBMITTED in events:
            return ChangeStatus.IN_REVIEW
        return ChangeStatus.RETURNED if self.returned is not None else ChangeStatus.DRAFT

    @property
    def open(self) -> bool:
        """Whether it is neither approved nor given up."""
        return self.status in OPEN

    def signed(self, event: Event) -> ChangeSignature | None:
        """Return the newest signature of that kind that counts."""
        return next((item for item in reversed(self.signatures) if item.counts and item.event is event), None)

    @property
    def drafter(self) -> Signatory:
        """Who submitted the draft, else who saved it last, else who opened the change."""
        submitted = self.signed(Event.CHANGE_SUBMITTED)
        return submitted.by if submitted is not None else self.saved_by or self.by

    @property
    def drafters(self) -> tuple[Signatory, ...]:
        """Everybody who counts as drafter: who submitted the draft as it stands, and whose edits are in it."""
        submitted = self.signed(Event.CHANGE_SUBMITTED)
        everybody = (*((submitted.by,) if submitted is not None else ()), *self.authors)
        return tuple({person.person: person for person in reversed(everybody)}.values())[::-1]

    def item(self, number: str) -> ChangedItem | None:
        """Return the item of that number."""
        return next((item for item in self.items if item.number == number), None)
