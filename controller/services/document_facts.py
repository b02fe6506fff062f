"""受控文件的事实. What the master lists say of an item besides its own control lines: approval, effect, status, review.

The one place where the lists meet the life cycle: whoever knows more of it implements `DocumentFacts` and is given to
`RegisterBuilding`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from controller.domain.change_request import STATUS_LABELS
from controller.domain.controlled_copies import OUT, OWED, CopyState
from controller.domain.document import Validity
from controller.domain.errors import QmsError
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from controller.domain.change_request import ChangeRequest
    from controller.domain.document import ControlledDocument
    from controller.domain.effect_schedule import EffectSchedule
    from controller.domain.library_day import ItemOnDay, LibraryDay
    from controller.domain.person import Staff
    from controller.domain.text import Text
    from controller.services.copy_reading import CopyReading
    from controller.services.document_library import DocumentLibrary
    from controller.services.periodic_review import PeriodicReview
    from controller.services.ports import Clock

_WITHDRAWN = "作废"


class DocumentFacts(Protocol):
    """受控文件的事实. All by exact number; None or empty: not known, or there is nothing."""

    def approved(self, number: str) -> date | None:
        """Return the day on which the revision in force was approved."""
        ...

    def effective(self, number: str) -> date | None:
        """Return the first day in force of the revision in force."""
        ...

    def status(self, number: str) -> str:
        """Return how the item stands today, in words."""
        ...

    def review_due(self, number: str) -> date | None:
        """Return the day by which it is to be reviewed."""
        ...

    def distribution(self, number: str) -> str:
        """Return which departments hold how many controlled copies."""
        ...

    def copies(self, number: str) -> tuple[int, int]:
        """Return how many controlled copies are out, and how many of these must come back."""
        ...

    def approval_days(self, number: str) -> int | None:
        """Return how many days the revision in force took from the opening of its change to its approval."""
        ...

    def invalid_basis(self, number: str) -> int:
        """Return how many of the external documents it rests on are repealed or not yet in force."""
        ...

    def note(self, number: str) -> str:
        """Return what must be said beside it."""
        ...

    def department(self, name: str) -> str:
        """Return the department of a post called so; any other name as it is."""
        ...


class KnownChanges(Protocol):
    """文件更改 (`services.change_chain.ChangeRequests`)."""

    def open(self) -> Iterable[ChangeRequest]:
        """Return the changes that are neither approved nor given up."""
        ...

    def read(self, wanted: str) -> ChangeRequest:
        """Return one change; raises `UnknownChangeError`."""
        ...


@dataclass
class LifecycleFacts:
    """受控文件的事实. Implements `DocumentFacts` from changes, signatures, copies and reviews."""

    day: Callable[[], LibraryDay]
    """What is in force today."""
    library: DocumentLibrary
    schedule: Callable[[], EffectSchedule]
    changes: KnownChanges
    held: CopyReading
    review: PeriodicReview
    staff: Staff
    clock: Clock

    @cached_property
    def _items(self) -> Mapping[str, ItemOnDay]:
        return {item.number: item for item in self.day().items}

    @cached_property
    def _open(self) -> list[ChangeRequest]:
        return list(self.changes.open())

    @cached_property
    def _documents(self) -> Mapping[str, ControlledDocument]:
        return {item.number.text: item for item in self.library.documents()}

    @cached_property
    def _invalid(self) -> frozenset[str]:
        try:
            listed = self.library.external_documents().documents
        except QmsError:
            return frozenset()  # told by `qms doc lint`
        return frozenset(item.id for item in listed if item.validity in {Validity.REPEALED, Validity.NOT_YET})

    def approved(self, number: str) -> date | None:
        """Return the day on which the revision in force was approved, here or before this system."""
        item, document = self._items.get(number), self._documents.get(number)
        if item is not None and item.approved is not None:
            return item.approved.at.date()
        return _day(document.approved.date) if document is not None and document.approved is not None else None

    def effective(self, number: str) -> date | None:
        """Return its first day: by its change, as written before this system, else when the library got it."""
        item, document = self._items.get(number), self._documents.get(number)
        if item is not None and item.change:
            return item.effective
        stated = _day(document.effective) if document is not None else None
        return stated or (item.effective if item is not None else None)

    def status(self, number: str) -> str:
        """Return whether it is in force and approved, what waits for its day, and which change is under way."""
        said = [self._standing(number)]
        for waiting in self.schedule().of(number, self.clock.now().date()):
            if waiting.revision is None:
                said.append(T("{day} 起作废", day=waiting.begins))
            else:
                said.append(T("{revision} 已批准，{day} 生效", revision=waiting.revision, day=waiting.begins))
        for request in self._open:
            if request.item(number) is not None:
                words = STATUS_LABELS[request.status]
                said.append(T("更改 {change}（{status}）", change=request.number, status=words))
        return "；".join(str(part) for part in said)

    def _standing(self, number: str) -> Text:
        document = self._documents.get(number)
        if document is not None and (document.status_note or "").startswith(_WITHDRAWN):
            return T("作废")
        item = self._items.get(number)
        if item is not None and item.approved is not None:
            return T("现行有效")
        if document is not None and document.approved is not None:
            return T("现行有效（系统外批准）")
        return T("现行，未在本系统批准")

    def review_due(self, number: str) -> date | None:
        """Return the day by which a document is to be reviewed; forms and registers have none."""
        return self.review.standing(number).due if number in self._documents else None

    def distribution(self, number: str) -> str:
        """Return departments with the number of copies they hold: `质管部 1、售后服务部 2`."""
        counts = Counter(copy.holder.department for copy in self.held.held(number).copies if copy.last in OUT)
        return "、".join(f"{department} {count}" for department, count in counts.items())

    def copies(self, number: str) -> tuple[int, int]:
        """Return how many controlled copies are out, and how many of these must come back."""
        states = [self.held.state(copy) for copy in self.held.held(number).copies]
        out = sum(state in OUT for state in states)
        return out, sum(state in OWED and state is not CopyState.ISSUED for state in states)

    def approval_days(self, number: str) -> int | None:
        """Return the days from the opening of its change to the approval; None: not made by a change."""
        item = self._items.get(number)
        if item is None or item.approved is None or not item.change:
            return None
        try:
            opened = datetime.fromisoformat(self.changes.read(item.change).at)
        except QmsError:
            return None  # a damaged change is told by `qms verify`; the list must still come out
        return (item.approved.at.date() - opened.astimezone(item.approved.at.tzinfo).date()).days

    def invalid_basis(self, number: str) -> int:
        """Return how many of the external documents it rests on are repealed or not yet in force."""
        document = self._documents.get(number)
        return sum(item in self._invalid for item in document.basis) if document is not None else 0

    def note(self, number: str) -> str:
        """Return the note in its control block, and why its review is late or called for."""
        document = self._documents.get(number)
        if document is None:
            return ""
        standing = self.review.standing(number)
        called = standing.overdue(self.clock.now().date()) or standing.lapsed or standing.undone is not None
        flag = self.review.flag(number) if called else None
        said = [document.status_note, str(flag) if flag is not None else None]
        return "；".join(part for part in said if part)

    def department(self, name: str) -> str:
        """Return the department of a post called so; any other name as it is."""
        post = next((item for item in self.staff.posts.values() if item.name == name), None)
        return (post.department if post is not None else None) or name


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
