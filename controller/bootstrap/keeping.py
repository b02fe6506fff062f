"""引用与影响. What cites what, what a change touches, how much work a text makes, and the facts of the master lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from controller.domain.change_impact import CopyOut
    from controller.services.document_facts import DocumentFacts
    from controller.services.impact_finding import ChangeImpactFinding
    from controller.services.ports import LibraryFiles
    from controller.services.workload_counting import WorkloadCounting

from controller.bootstrap.copies import Copies


@dataclass
class Keeping(Copies):
    """引用与影响. What cites what, what a change touches, how much work a text makes."""

    def change_impact(self, draft: LibraryFiles | None = None) -> ChangeImpactFinding:
        """Finds what a change touches: of the library in force, or as `draft` would have it."""
        from controller.services.archived_forms import ArchivedForms
        from controller.services.document_library import DocumentLibrary
        from controller.services.impact_finding import ChangeImpactFinding
        from controller.services.reference_keeping import ReferenceKeeping

        library = self.documents if draft is None else DocumentLibrary(draft)
        return ChangeImpactFinding(
            keeping=self.reference_keeping() if draft is None else ReferenceKeeping(library, self.former_items),
            library=library,
            forms=self.forms,
            registers=self.register_definitions,
            index=self.index,
            definitions=ArchivedForms(self.archive, self.forms),
            staff=self.staff,
            copies=self._copies_out,
            catch_up=self.indexing.catch_up,
        )

    @property
    def workload_counting(self) -> WorkloadCounting:
        """Works out what a text asks of each person in a year."""
        from controller.services.workload_counting import WorkloadCounting

        targets = self.reference_keeping().targets
        return WorkloadCounting(targets, self.staff, self.index, self.clock, self.indexing.catch_up)

    @property
    def document_facts(self) -> DocumentFacts | None:
        """What the master lists say of the life of each item, as it is now."""
        from controller.services.change_chain import ChangeRequests
        from controller.services.document_facts import LifecycleFacts

        return LifecycleFacts(
            day=lambda: self.library_state.on(self.clock.now().date()),
            library=self.documents,
            schedule=self.controlled_files.schedule,
            changes=ChangeRequests(self.archive, self.statements),
            held=self.copies,
            review=self.periodic_review,
            staff=self.staff,
            clock=self.clock,
        )

    def _copies_out(self, number: str) -> list[CopyOut]:
        from controller.domain.change_impact import CopyOut
        from controller.domain.controlled_copies import OUT
        from controller.domain.text import T

        why = T("新版生效后须收回")
        return [
            CopyOut(number, copy.copy, copy.revision, copy.holder.told, why)
            for copy in self.copies.held(number).copies
            if copy.last in OUT
        ]
