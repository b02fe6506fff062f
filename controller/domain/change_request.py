"""文件更改. One change of one or many controlled items, folded from its chain of signed statements (ISO 13485 4.2.4).

What may come next, whose signatures an edit voided, and how a change stands are computed here from what was stated;
nothing of it is stored (docs/document-control.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.domain.library_day import ItemKind
from controller.domain.statement import Event
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.domain.identifiers import Digest
    from controller.domain.record import Signatory, Wire
    from controller.domain.statement import Statement
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
    issued: Signatory | None = None
    issued_at: str = ""
    closed: Signatory | None = None
    cancelled: str | None = None
    """Why it was given up."""

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


def fold_change(number: str, statements: Sequence[Statement]) -> ChangeRequest:
    """Return the change that a chain tells of.

    Raises:
        ValueError: the chain does not begin with the opening of a change, or says something that none can say.
    """
    if not statements or statements[0].event is not Event.CHANGE_OPENED or statements[0].by is None:
        raise ValueError(number)
    request = _opened(number, statements[0])
    for stated in statements[1:]:
        request = replace(_folded(request, stated), sequence=stated.sequence)
    return request


def _opened(number: str, stated: Statement) -> ChangeRequest:
    assert stated.by is not None
    items = stated.new.get("items")
    if not isinstance(items, list) or not items:
        raise ValueError(number)
    triggers = stated.new.get("triggers")
    return ChangeRequest(
        number=number,
        kind=ChangeKind(_text(stated.new, "kind")),
        reason=stated.reason or "",
        triggers=tuple(str(item) for item in triggers) if isinstance(triggers, list) else (),
        items=tuple(_item(item) for item in items),
        by=stated.by,
        at=stated.at,
        sequence=stated.sequence,
        plan=_optional(stated.new, "plan"),
        wanted=_optional(stated.new, "effective"),
        base=dict(stated.files),
        files=dict(stated.files),
    )


def _folded(request: ChangeRequest, stated: Statement) -> ChangeRequest:
    by, event = stated.by, stated.event
    assert by is not None
    if event is Event.DRAFT_SAVED:
        request = _saved(request, stated)
        return replace(request, comments=(*request.comments, *_word_comments(request, stated)))
    if event in SIGNATURES:
        return _signed(request, stated)
    if event is Event.CHANGE_COMMENTED:
        said = ReviewComment(
            str(len(request.comments) + 1),
            _text(stated.new, "item"),
            _optional(stated.new, "clause") or "",
            _text(stated.new, "text"),
            by.name,
            stated.at,
        )
        return replace(request, comments=(*request.comments, said))
    if event is Event.CHANGE_COMMENT_RESOLVED:
        wanted, answer = _text(stated.new, "comment"), _text(stated.new, "answer")
        answered = (
            replace(item, answer=answer, answered_by=by.name) if item.id == wanted else item
            for item in request.comments
        )
        return replace(request, comments=tuple(answered))
    if event is Event.CHANGE_RETURNED:
        why = T("{name}退回：{reason}", name=by.name, reason=stated.reason or "")
        return replace(_void(request, why), returned=stated.reason or "", returned_at=stated.at, records={})
    if event is Event.EFFECT_POSTPONED:
        return replace(request, effective=_text(stated.new, "effective"))
    if event is Event.CHANGE_ISSUED:
        return replace(request, issued=by, issued_at=stated.at, records=_records(request, stated))
    if event is Event.CHANGE_CLOSED:
        return replace(request, closed=by)
    if event is Event.CHANGE_CANCELLED:
        return replace(request, cancelled=stated.reason or "")
    raise ValueError(event)


def _saved(request: ChangeRequest, stated: Statement) -> ChangeRequest:
    now = dict(stated.files)
    if now == dict(request.files):
        return replace(request, saved_by=stated.by)
    changed = sorted(path for path in {*now, *request.files} if now.get(path) != request.files.get(path))
    names = list(dict.fromkeys(path.rsplit("/", maxsplit=1)[-1] for path in changed))
    assert stated.by is not None
    why = T("{name}在签署之后改动了：{files}", name=stated.by.name, files=names)
    known = {person.person for person in request.authors}
    own = () if BEGUN in stated.new or stated.by.person in known else (stated.by,)
    return replace(_void(request, why), files=now, saved_by=stated.by, authors=(*request.authors, *own))


def _void(request: ChangeRequest, why: Text) -> ChangeRequest:
    voided = (item if item.void_because is not None else replace(item, void_because=why) for item in request.signatures)
    return replace(request, signatures=tuple(voided))


def _signed(request: ChangeRequest, stated: Statement) -> ChangeRequest:
    assert stated.by is not None
    signed = stated.new.get("signed")
    if not isinstance(signed, dict):
        raise TypeError(stated.event)
    same = {path: digest.text for path, digest in request.files.items()} == signed
    signature = ChangeSignature(
        sequence=stated.sequence,
        event=stated.event,
        step=_text(stated.new, "step"),
        meaning=stated.meaning,
        by=stated.by,
        at=stated.at,
        files=dict(request.files) if same else {},
        reason=stated.reason,
        void_because=None if same else T("签的不是当时的草稿"),
        exempted="exemption" in stated.new,
    )
    return replace(
        request,
        signatures=(*request.signatures, signature),
        returned=None if stated.event is Event.CHANGE_SUBMITTED else request.returned,
        wanted=_optional(stated.new, "effective") or request.wanted,
        effective=_optional(stated.new, "effective") if stated.event is Event.CHANGE_APPROVED else request.effective,
        records=_records(request, stated),
    )


def _records(request: ChangeRequest, stated: Statement) -> dict[str, Mapping[str, str]]:
    """Return the records of the present round; submitting begins with new ones."""
    listed = stated.new.get("records")
    found: dict[str, Mapping[str, str]] = (
        {} if stated.event is Event.CHANGE_SUBMITTED else {item: dict(forms) for item, forms in request.records.items()}
    )
    for item, forms in listed.items() if isinstance(listed, dict) else ():
        if isinstance(forms, dict):
            new = {form: str(record) for form, record in forms.items()}
            found[item] = {**found.get(item, {}), **new}
    return found


def _word_comments(request: ChangeRequest, stated: Statement) -> list[ReviewComment]:
    """Return the comments that a checked-in Word file brought; one asked before is not asked twice."""
    listed = stated.new.get("comments")
    known = {(item.by, item.text, item.clause) for item in request.comments}
    found: list[ReviewComment] = []
    for said in listed if isinstance(listed, list) else ():
        if not isinstance(said, dict):
            raise TypeError(stated.event)
        name, text, clause = (str(said.get(key, "")) for key in ("name", "text", "clause"))
        if (name, text, clause) not in known:
            about = _optional(stated.new, "item") or stated.subject
            place = str(len(request.comments) + len(found) + 1)
            found.append(ReviewComment(place, about, clause, text, name, stated.at))
    return found


def _item(wire: Wire) -> ChangedItem:
    if not isinstance(wire, dict):
        raise TypeError(wire)
    paths = wire.get("paths")
    return ChangedItem(
        kind=ItemKind(_text(wire, "kind")),
        number=_text(wire, "number"),
        title=_text(wire, "title"),
        before=_optional(wire, "from"),
        after=_optional(wire, "to"),
        class_word=_text(wire, "class"),
        owner=_optional(wire, "owner") or "",
        paths=tuple(str(path) for path in paths) if isinstance(paths, list) else (),
    )


def item_wire(item: ChangedItem) -> dict[str, Wire]:
    """Return what the opening of a change states about an item."""
    return {
        "kind": item.kind.value,
        "number": item.number,
        "title": item.title,
        "from": item.before,
        "to": item.after,
        "class": item.class_word,
        "owner": item.owner,
        "paths": list(item.paths),
    }


def _text(wire: Mapping[str, Wire], key: str) -> str:
    found = wire.get(key)
    if not isinstance(found, str):
        raise TypeError(key)
    return found


def _optional(wire: Mapping[str, Wire], key: str) -> str | None:
    found = wire.get(key)
    return found if isinstance(found, str) else None
