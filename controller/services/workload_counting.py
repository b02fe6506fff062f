"""工作量测算. What a document asks of each person in a year, from its text, the staff and the records filed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.library_day import ItemKind
from controller.domain.post_naming import PostNames
from controller.domain.workload import LoadChange, load, load_changes, named_forms, timed_duties

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from controller.domain.clause import Segment
    from controller.domain.document import ControlledDocument
    from controller.domain.person import Staff
    from controller.domain.references import Targets
    from controller.domain.workload import Load
    from controller.services.document_library import LibraryDocument
    from controller.services.index_ports import RecordIndex
    from controller.services.ports import Clock

_LEAP_DAY = (2, 29)


@dataclass(frozen=True)
class DocumentWorkload:
    """一份文件的工作量."""

    number: str
    title: str
    revision: str
    loads: tuple[Load, ...]


@dataclass
class WorkloadCounting:
    """工作量测算服务."""

    targets: Targets
    """Titles and numbers of forms."""
    staff: Staff
    index: RecordIndex
    clock: Clock
    catch_up: Callable[[], object]
    """Brings the index to the archive's tip."""

    def __post_init__(self) -> None:
        self._names = PostNames(self.staff.posts.values())
        self._counts: dict[str, int] = {}

    def of(self, shown: LibraryDocument) -> DocumentWorkload:
        """Return the workload of a document, in force or drafted."""
        return self.of_text(shown.document, shown.segment)

    def of_text(self, document: ControlledDocument, segment: Segment) -> DocumentWorkload:
        """Return the workload of a text with its control block."""
        self.catch_up()
        owner_posts = [key for key, post in self.staff.posts.items() if post.department == document.owner]

        def forms(clause: str, sentence: str) -> list[str]:
            linked = [item.split()[0] for item in document.links.get(clause, ()) if self._form(item.split()[0])]
            linked.sort(key=lambda number: number not in document.forms)
            return named_forms(sentence, linked, self._form)

        duties = timed_duties(segment, self._names, owner=document.owner, owner_posts=owner_posts, forms=forms)
        loads = [load(duty, self._holders(duty.posts), self._records(duty.forms)) for duty in duties]
        return DocumentWorkload(document.number.text, document.title, document.revision.text, tuple(loads))

    def difference(self, before: LibraryDocument | None, after: LibraryDocument | None) -> list[LoadChange]:
        """Return what a revision changes; None: the document is new, or withdrawn."""
        old: Sequence[Load] = self.of(before).loads if before is not None else ()
        new: Sequence[Load] = self.of(after).loads if after is not None else ()
        return load_changes(old, new)

    def _form(self, name: str) -> str | None:
        found = self.targets.find(name) or self.targets.titled(name)
        return found.number if found is not None and found.kind is ItemKind.FORM else None

    def _holders(self, posts: Sequence[str]) -> list[str]:
        held = set(posts)
        return [person.name for person in self.staff.people.values() if person.active and held & set(person.posts)]

    def _records(self, forms: Sequence[str]) -> dict[str, int]:
        first = year_before(self.clock.now().date()).isoformat()
        for form in forms:
            if form not in self._counts:
                states = self.index.records(forms=[form], opened_from=first)
                self._counts[form] = sum(not state.voided for state in states)
        return {form: self._counts[form] for form in forms}


def year_before(day: date) -> date:
    """Return the same day a year earlier; of a leap day the 28th."""
    if (day.month, day.day) == _LEAP_DAY:
        return day.replace(year=day.year - 1, day=28)
    return day.replace(year=day.year - 1)
