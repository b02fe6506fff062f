"""阅知. Who has to read which revision, what is read, the notice of what changed, and the gate at the forms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from controller.services.training import Training
    from controller.services.training_gate import ReadingGate
    from controller.services.training_notices import TrainingNotices
    from controller.services.training_text import LibraryTrainingTexts

from controller.bootstrap.importing import Importing


@dataclass
class Reading(Importing):
    """阅知. Who has to read which revision, what is read, the notice of what changed, and the gate at the forms."""

    @cached_property
    def training(self) -> Training:
        """Assigns the reading of revisions and takes in who has understood them."""
        from controller.services.training import Training

        return Training(
            statements=self.statements,
            archive=self.archive,
            staff=self.staff,
            rules=self.document_rules,
            begins=self._begins,
            texts=lambda: self.training_texts,
        )

    def _begins(self, number: str, revision: str) -> str | None:
        """Return from which day a revision governs that waits for it, as last stated."""
        waiting = self.controlled_files.schedule().of(number, self.clock.now().date())
        return next((item.begins.isoformat() for item in waiting if item.revision == revision), None)

    @cached_property
    def training_texts(self) -> LibraryTrainingTexts:
        """What there is to read: of the newest approved library, else of what is in force."""
        from controller.services.document_library import DocumentLibrary
        from controller.services.form_library import FormLibrary
        from controller.services.training_text import LibraryTrainingTexts, ReadableLibrary

        approved = DocumentLibrary(self.approved_files)
        signing = replace(
            self.document_signing,
            files=self.approved_files,
            library=approved,
            printing=self.document_prints.printing(approved),
        )
        libraries = [
            ReadableLibrary(signing, FormLibrary(self.approved_files)),
            ReadableLibrary(self.document_signing, self.forms),
        ]
        return LibraryTrainingTexts(libraries, self.renderer)

    @cached_property
    def training_gate(self) -> ReadingGate:
        """Refuses stages of forms to whoever has not read the procedure that owns them."""
        from controller.services.training_gate import ReadingGate

        return ReadingGate(self.documents, self.training)

    @cached_property
    def training_notices(self) -> TrainingNotices:
        """Notices of what a revision changes, by post."""
        from controller.services.training_notices import TrainingNotices

        return TrainingNotices(
            history=self.document_history,
            library=self.documents,
            approved=self.approved_files,
            in_force=self.controlled_files,
            training=self.training,
            staff=self.staff,
            rules=self.document_rules,
            clock=self.clock,
            company=self.settings.company,
        )
