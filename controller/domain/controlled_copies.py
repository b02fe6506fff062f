"""受控副本. The copies of one document that were handed out, folded from the chain `copies/<number>` (ISO 13485 4.2.4).

Every copy has a number that is given once for the document and never again, whatever its revision; where each copy is,
and which ones must come back, is computed from what was stated and from the revisions that may be worked by.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.domain.errors import NotFoundError, RefusedError
from controller.domain.field_values import UNSIGNED_KINDS
from controller.domain.paper_signature import paper_of
from controller.domain.statement import Event
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from controller.domain.record import Signatory, Wire
    from controller.domain.statement import Statement
    from controller.domain.text import Text

OUTSIDE = "外部"
"""Department of holders outside the company."""
_COPY = re.compile(r"\d{2,5}")
_WIDTH = 2


class CopyState(StrEnum):
    """副本状态. The value is stable; the Chinese word is in `STATE_LABELS`."""

    ISSUED = "issued"
    RECEIVED = "received"
    RECALLED = "recalled"
    RETURNED = "returned"
    LOST = "lost"
    DESTROYED = "destroyed"


STATE_LABELS: Mapping[CopyState, Text] = {
    CopyState.ISSUED: T("已发放待签收"),
    CopyState.RECEIVED: T("已签收"),
    CopyState.RECALLED: T("待收回"),
    CopyState.RETURNED: T("已收回"),
    CopyState.LOST: T("遗失"),
    CopyState.DESTROYED: T("已销毁"),
}
OUT = frozenset({CopyState.ISSUED, CopyState.RECEIVED, CopyState.RECALLED})
"""States of copies that somebody holds."""
OWED = frozenset({CopyState.ISSUED, CopyState.RECALLED})
"""States in which something is still to be done: sign for the copy, or bring it back."""


class Medium(StrEnum):
    """载体."""

    PAPER = "纸质"
    ELECTRONIC = "电子"


class UnknownCopyError(NotFoundError):
    """没有这份副本. No copy of the document has that number."""

    code = "copy-unknown"

    def __init__(self, *, number: str, copy: str) -> None:
        super().__init__(
            T("{number} 没有发放号为“{copy}”的副本。", number=number, copy=copy[:20]),
            hint=T("用 qms copy list {number} 查看全部发放号。", number=number),
        )


class CopyStateError(RefusedError):
    """副本状态不允许. What is asked for does not follow from where the copy is."""

    code = "copy-state"

    def __init__(self, *, number: str, copy: str, state: Text, problem: Text) -> None:
        super().__init__(
            T(
                "{number} 的 {copy} 号副本（{state}）{problem}。",
                number=number,
                copy=copy,
                state=state,
                problem=problem,
            ),
            hint=T("用 qms copy list {number} 查看每份副本的状态。", number=number),
        )


@dataclass(frozen=True)
class CopyHolder:
    """副本持有者. A department, a person of it, or somebody outside."""

    department: str
    """归属部门; `OUTSIDE` for somebody who does not belong to the company."""
    name: str = ""
    """Of the person or the organisation outside; empty: the department as such."""
    person: str = ""
    """Id of the person, where it is one on file."""

    @property
    def outside(self) -> bool:
        """Whether the holder does not belong to the company."""
        return self.department == OUTSIDE

    @property
    def told(self) -> str:
        """The holder as lists and prints name it."""
        return " ".join(part for part in (self.department, self.name) if part)


@dataclass(frozen=True)
class Recall:
    """收回通知. From which day a copy must come back, and why."""

    begins: date
    change: str = ""
    """Number of the change that makes the revision obsolete; empty: for a reason of its own."""
    reason: str = ""
    by: str = ""


@dataclass(frozen=True)
class Destruction:
    """销毁. Who destroyed a copy, and who watched; without a witness it is not done."""

    sequence: int
    """Of its statement."""
    by: Signatory
    at: str
    method: str
    record: str
    """Number of the record JL-005 that allowed it."""
    witness: str = ""
    """Id of who countersigned."""


@dataclass(frozen=True)
class ControlledCopy:
    """受控副本. One copy and where it is."""

    number: str
    """Of the document."""
    copy: str
    """发放号, `01`."""
    revision: str
    holder: CopyHolder
    medium: str
    issued_at: str
    issued_by: str
    since: str
    """When it came into the state it is in, ISO 8601."""
    by: str
    """Name of who brought it there."""
    record: str = ""
    """Number of its record JL-003."""
    last: CopyState = CopyState.ISSUED
    """The state that was stated last; a recall shows in `state`."""
    reason: str = ""
    on_paper: str = ""
    """How it was signed for on paper, or why it was not (拒签, 无法取得); empty: electronically, or not yet."""
    recalls: tuple[Recall, ...] = ()
    destruction: Destruction | None = None
    """Also one that nobody has witnessed yet."""

    def recall(self, today: date, governing: Collection[str] | None = None) -> Recall | None:
        """Return the recall that is due on `today`, None while the copy may stay where it is.

        A change recalls what it makes obsolete on the day it takes effect: as long as the revision is among those
        `governing` (in force or approved for later; None: not known) its recall is not due, though its day was another.
        """
        due = [
            item
            for item in self.recalls
            if (item.begins <= today and (not item.change or governing is None or self.revision not in governing))
        ]
        if due:
            return min(due, key=lambda item: item.begins)
        if governing is None or self.revision in governing:
            return None
        waiting = min(self.recalls, key=lambda item: item.begins, default=None)
        return waiting if waiting is not None else Recall(today)

    def state(self, today: date, governing: Collection[str] | None = None) -> CopyState:
        """Return where the copy is on `today`; `governing` as for `recall`."""
        if self.last in {CopyState.ISSUED, CopyState.RECEIVED} and self.recall(today, governing) is not None:
            return CopyState.RECALLED
        return self.last

    def told_state(self, today: date, governing: Collection[str] | None = None) -> Text:
        """Return the state in words, with what is still missing."""
        state = self.state(today, governing)
        if self.unwitnessed:
            return T("{state}，销毁待监销人确认", state=STATE_LABELS[state])
        if state is CopyState.RECEIVED and self.on_paper in UNSIGNED_KINDS:
            return T("已发放（{why}）", why=self.on_paper)
        return STATE_LABELS[state]

    @property
    def unwitnessed(self) -> bool:
        """Whether the copy is said to be destroyed and nobody has countersigned."""
        return self.destruction is not None and not self.destruction.witness


@dataclass(frozen=True)
class CopyEvent:
    """副本陈述. A statement of the chain, and who else signed it soundly."""

    statement: Statement
    witnesses: tuple[str, ...] = ()
    """Ids of people."""
    sound: bool = True
    """Whether it carries the signature of who states it; else it counts not."""


def next_copy(copies: Sequence[ControlledCopy]) -> str:
    """Return the number of the next copy: never one that was given before."""
    return f"{max((int(item.copy) for item in copies), default=0) + 1:0{_WIDTH}d}"


def find_copy(copies: Sequence[ControlledCopy], number: str, wanted: str) -> ControlledCopy:
    """Return the copy with number `wanted`, with or without zeros before it.

    Raises:
        UnknownCopyError: there is none.
    """
    text = wanted.strip()
    if text.isdecimal() and text.isascii():
        for item in copies:
            if int(item.copy) == int(text):
                return item
    raise UnknownCopyError(number=number, copy=text)


_FOLLOWS: Mapping[Event, frozenset[CopyState]] = {
    Event.COPY_RECEIVED: frozenset({CopyState.ISSUED}),
    Event.COPY_RECALLED: frozenset({CopyState.ISSUED, CopyState.RECEIVED}),
    Event.COPY_RETURNED: frozenset({CopyState.ISSUED, CopyState.RECEIVED, CopyState.LOST}),
    Event.COPY_LOST: frozenset({CopyState.ISSUED, CopyState.RECEIVED}),
    Event.COPY_DESTROYED: frozenset({CopyState.RETURNED}),
}
"""What may be stated of a copy → states it may be in, recalls left aside."""
_LEADS = {
    Event.COPY_RECEIVED: CopyState.RECEIVED,
    Event.COPY_RETURNED: CopyState.RETURNED,
    Event.COPY_LOST: CopyState.LOST,
}


def check_follows(copy: ControlledCopy, event: Event, *, today: date, governing: Collection[str] | None) -> None:
    """Make sure that `event` may be stated of a copy now.

    Raises:
        CopyStateError: it does not follow from where the copy is.
    """
    state = copy.state(today, governing)
    problem = {
        Event.COPY_RECEIVED: T("不能再签收"),
        Event.COPY_RECALLED: T("不需要再收回"),
        Event.COPY_RETURNED: T("不能再收回"),
        Event.COPY_LOST: T("不能登记为遗失"),
        Event.COPY_DESTROYED: T("不能销毁：只销毁已经收回的副本"),
    }[event]
    shown = STATE_LABELS[state]
    if copy.unwitnessed:
        shown, problem = T("已销毁，待监销人确认"), T("正在销毁，不能再办理")
    elif event is Event.COPY_RECEIVED and state is CopyState.RECALLED:
        problem = T("不能签收：版本已作废或已通知收回，请交回")
    elif copy.last in _FOLLOWS[event] and not (event is Event.COPY_RECALLED and state is CopyState.RECALLED):
        return
    raise CopyStateError(number=copy.number, copy=copy.copy, state=shown, problem=problem)


def fold_copies(number: str, events: Sequence[CopyEvent]) -> tuple[ControlledCopy, ...]:
    """Return the copies of a document, in the order of their numbers, from its chain; what makes no sense counts not.

    A statement that names a number given before, or that does not follow from where the copy was, changes nothing.
    """
    copies: dict[str, ControlledCopy] = {}
    for event in events:
        statement = event.statement
        if statement.by is None or not event.sound:
            continue
        if statement.event is Event.COPY_ISSUED:
            made = _issued(number, statement, statement.by)
            if made is not None and made.copy not in copies:
                copies[made.copy] = made
            continue
        for name in _named(statement.new):
            if name in copies and copies[name].last in _FOLLOWS.get(statement.event, frozenset()):
                copies[name] = _after(copies[name], event, statement.by)
    return tuple(copies[name] for name in sorted(copies, key=int))


def _issued(number: str, statement: Statement, by: Signatory) -> ControlledCopy | None:
    copy, revision = _word(statement.new, "copy"), _word(statement.new, "revision")
    if not _COPY.fullmatch(copy) or not revision:
        return None
    return ControlledCopy(
        number=number,
        copy=copy,
        revision=revision,
        holder=CopyHolder(
            department=_word(statement.new, "department"),
            name=_word(statement.new, "holder"),
            person=_word(statement.new, "person"),
        ),
        medium=_word(statement.new, "medium"),
        issued_at=statement.at,
        issued_by=by.name,
        since=statement.at,
        by=by.name,
        record=_word(statement.new, "record"),
    )


def _after(copy: ControlledCopy, event: CopyEvent, by: Signatory) -> ControlledCopy:
    """Return the copy as it is after a statement that follows."""
    statement, reason = event.statement, event.statement.reason or ""
    if statement.event is Event.COPY_RECALLED:
        begins = _day(_word(statement.new, "effective")) or datetime.fromisoformat(statement.at).date()
        recall = Recall(begins, _word(statement.new, "change"), reason, by.name)
        return replace(copy, recalls=(*copy.recalls, recall))
    if statement.event is Event.COPY_DESTROYED:
        return copy if copy.destruction is not None else _destroyed(copy, event, by)
    if statement.event is Event.COPY_RECEIVED:
        paper = paper_of(statement.new)
        copy = replace(copy, on_paper=paper.kind if paper is not None else "")
    return replace(copy, last=_LEADS[statement.event], since=statement.at, by=by.name, reason=reason)


def _destroyed(copy: ControlledCopy, event: CopyEvent, by: Signatory) -> ControlledCopy:
    """Return the copy after somebody said that it is destroyed; it is only when somebody else signed that too."""
    statement = event.statement
    witness = next((person for person in event.witnesses if person != by.person), "")
    method, record = _word(statement.new, "method"), _word(statement.new, "record")
    copy = replace(copy, destruction=Destruction(statement.sequence, by, statement.at, method, record, witness))
    if not witness:
        return copy
    return replace(copy, last=CopyState.DESTROYED, since=statement.at, by=by.name, reason=statement.reason or "")


def _named(facts: Mapping[str, Wire]) -> list[str]:
    """Return the numbers of the copies that a statement is about, each once."""
    several = facts.get("copies")
    found = [item for item in several if isinstance(item, str)] if isinstance(several, list) else []
    return list(dict.fromkeys([*found, _word(facts, "copy")] if _word(facts, "copy") else found))


def _word(facts: Mapping[str, Wire], key: str) -> str:
    value = facts.get(key)
    return value if isinstance(value, str) else ""


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
