"""副本与复审. Controlled copies of documents, and their periodic review."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from controller.services.copy_desk import CopyDesk
    from controller.services.copy_destruction import CopyDestruction
    from controller.services.copy_issuing import CopyIssuing, PlannedCopy
    from controller.services.copy_reading import CopyReading
    from controller.services.copy_recall import CopyRecall
    from controller.services.periodic_review import PeriodicReview

from controller.bootstrap.filing import Filing


@dataclass
class Copies(Filing):
    """副本与复审. Controlled copies of documents, and their periodic review."""

    @cached_property
    def copies(self) -> CopyReading:
        """Tells which copies are where and which must come back."""
        from controller.services.copy_reading import CopyReading
        from controller.services.document_library import DocumentLibrary

        return CopyReading(
            statements=self.statements,
            archive=self.archive,
            library=self.documents,
            approved=DocumentLibrary(self.approved_files),
            schedule=self.controlled_files.schedule,
            clock=self.clock,
            certificates=lambda person: self.people_standing.history().certificates_of(person),
        )

    @cached_property
    def copy_desk(self) -> CopyDesk:
        """What every act on a copy takes."""
        from controller.services.copy_desk import CopyDesk
        from controller.services.copy_paperwork import CopyPaperwork

        paperwork = CopyPaperwork(self.forms, self.records, self.staff)
        return CopyDesk(self.copies, self.acts, paperwork, self.staff, self.document_rules)

    @cached_property
    def copy_issuing(self) -> CopyIssuing:
        """Hands out copies and has them signed for."""
        from controller.services.copy_issuing import CopyIssuing

        return CopyIssuing(self.copy_desk, self.paper_signing)

    @cached_property
    def copy_recall(self) -> CopyRecall:
        """Calls copies back and takes them in."""
        from controller.services.copy_recall import CopyRecall

        return CopyRecall(self.copy_desk)

    @cached_property
    def copy_destruction(self) -> CopyDestruction:
        """Has copies destroyed by two people."""
        from controller.services.copy_destruction import CopyDestruction

        return CopyDestruction(self.copy_desk)

    @cached_property
    def periodic_review(self) -> PeriodicReview:
        """Tells which documents are to be reviewed, and files reviews."""
        from controller.services.periodic_review import PeriodicReview

        return PeriodicReview(
            statements=self.statements,
            library=self.documents,
            in_force=lambda: self.library_state.on(self.clock.now().date()),
            history=self.history,
            acts=self.acts,
            forms=self.forms,
            staff=self.staff,
            rules=self.document_rules,
            clock=self.clock,
            zone=self.zone,
        )

    def controlled_print(self, planned: PlannedCopy, by: str) -> bytes:
        """Return the PDF of a copy with its number and holder on every page; where all have signed, of the signed one.

        Raises:
            QmsError: the document cannot be printed.
        """
        from controller.domain.print_stamp import PrintStamp, StampKind

        prints = self.document_prints
        shown = prints.find(planned.number, revision=planned.revision)
        signing = replace(
            self.document_signing,
            files=shown.library.files,
            library=shown.library,
            printing=prints.printing(shown.library),
        )
        standing = signing.standing(planned.number)
        if standing.complete and any(item.counts and item.paper is None for item in standing.signatures):
            pdf, note = signing.shown(planned.number), prints.dated(shown).note
        else:
            lacking = signing.lacking(planned.number)
            notice = str(lacking) if lacking is not None else ""
            docx = prints.docx(shown, notice=notice, copy_no=planned.copy)
            pdf, note = self.printing.print(docx).data, shown.note
        stamp = PrintStamp(
            StampKind.CONTROLLED,
            planned.number,
            planned.revision,
            planned.copy,
            planned.holder.told,
            self.clock.now(),
            None,
            by,
            note,
        )
        return self.pdf_stamping.stamped(pdf, stamp)
