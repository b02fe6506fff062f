"""定期评审. When a document in force is to be reviewed next, and whether that day has passed (ISO 13485 4.2.4 b).

A document is looked at again some months after it came into force or was reviewed last; sooner when something it cites
is no longer valid (CX-001 5.7). What a review came to is a signed statement in `reviews/<number>`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.domain.expression_functions import plus_months
from controller.domain.statement import Event
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.domain.document_control_rules import DocumentControlRules
    from controller.domain.record import Signatory
    from controller.domain.statement import Statement
    from controller.domain.text import Text


class Outcome(StrEnum):
    """评审结论, in the words of the form JL-035."""

    KEPT = "继续有效"
    REVISE = "修订"
    WITHDRAW = "作废"


@dataclass(frozen=True)
class DocumentReview:
    """一次评审. What a signed statement says of it."""

    at: datetime
    by: Signatory
    revision: str
    outcome: Outcome
    record: str = ""
    """Number of the record JL-035."""
    improvement: str = ""


def reviews_of(statements: Sequence[Statement]) -> tuple[DocumentReview, ...]:
    """Return the reviews that a chain tells of, oldest first; what makes no sense counts not."""
    found = []
    for item in statements:
        outcome, revision = item.new.get("outcome"), item.new.get("revision")
        if item.event is not Event.DOCUMENT_REVIEWED or item.by is None or outcome not in list(Outcome):
            continue
        record, improvement = item.new.get("record"), item.reason
        found.append(
            DocumentReview(
                at=datetime.fromisoformat(item.at),
                by=item.by,
                revision=revision if isinstance(revision, str) else "",
                outcome=Outcome(str(outcome)),
                record=record if isinstance(record, str) else "",
                improvement=improvement or "",
            )
        )
    return tuple(found)


@dataclass(frozen=True)
class LapsedBasis:
    """失效的依据. An external document that is no longer valid, and since when the list says so."""

    id: str
    title: str
    known: datetime


@dataclass(frozen=True)
class ReviewStanding:
    """评审情况. When a document in force is to be reviewed next, and why then."""

    number: str
    title: str
    revision: str
    begun: datetime
    """When the revision came into force."""
    last: DocumentReview | None
    """The last review of the document, of whatever revision."""
    due: date
    lapsed: tuple[LapsedBasis, ...] = ()
    """What it cites that is no longer valid, and nobody has looked at it since."""
    undone: Outcome | None = None
    """修订 or 作废, when the last review came to that and the same revision is still in force."""

    def overdue(self, today: date) -> int:
        """Return how many days the review is late, 0 while it is not."""
        return max((today - self.due).days, 0)

    def told(self, months: int) -> Text:
        """Return why it is due then; `months` is the company's own period."""
        if self.lapsed:
            return T("引用的{titles}已失效", titles=[f"《{item.title}》" for item in self.lapsed])
        if self.undone is not None:
            return T("上次评审结论为“{outcome}”，还没有更改", outcome=self.undone.value)
        if self.last is not None and self.last.at >= self.begun:
            return T("距上次评审 {months} 个月", months=months)
        return T("生效满 {months} 个月", months=months)


def review_standing(
    number: str,
    title: str,
    revision: str,
    *,
    begun: datetime,
    made: datetime,
    reviews: Sequence[DocumentReview],
    lapsed: Sequence[LapsedBasis],
    rules: DocumentControlRules,
) -> ReviewStanding:
    """Return when a document is to be reviewed next; moments are in company time.

    `begun` is when the revision came into force, `made` when it was approved. A lapsed law counts from the day the list
    told of it, unless somebody reviewed the document since, or the revision was approved after that, knowing of it.
    """
    last = reviews[-1] if reviews else None
    looked = max(begun, last.at) if last is not None else begun
    due = plus_months(looked.date(), rules.review_months)
    open_ones = tuple(item for item in lapsed if item.known >= made and (last is None or last.at < item.known))
    if open_ones:
        due = min(due, min(item.known for item in open_ones).date() + timedelta(days=rules.law_change_days))
    decided = last is not None and last.outcome is not Outcome.KEPT and last.revision == revision and last.at >= begun
    return ReviewStanding(
        number=number,
        title=title,
        revision=revision,
        begun=begun,
        last=last,
        due=due,
        lapsed=open_ones,
        undone=last.outcome if last is not None and decided else None,
    )
