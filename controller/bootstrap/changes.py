"""文件更改. Changes of controlled items: drafting, review, approval, effect, and the paperwork of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from controller.domain.change_request import ChangeRequest
    from controller.domain.conformity import Finding
    from controller.services.act_filing import StatementPart
    from controller.services.archived_forms import KnownForms
    from controller.services.change_approval import ChangeApproval
    from controller.services.change_chain import ChangeRequests
    from controller.services.change_check import ChangeCheck
    from controller.services.change_desk import ChangeDesks
    from controller.services.change_drafting import ChangeDrafting
    from controller.services.change_records import ChangeRecords, ToldImpact
    from controller.services.change_route import ChangeRoutes
    from controller.services.change_steps import ChangeSteps
    from controller.services.document_checkin import DocumentCheckin
    from controller.services.document_checkout import DocumentCheckout
    from controller.services.document_signing import DocumentSigning
    from controller.services.draft_saving import DraftSaving
    from controller.services.ports import LibraryFiles
    from controller.services.withdrawn_documents import WithdrawnDocuments

from controller.bootstrap.keeping import Keeping


@dataclass
class Changes(Keeping):
    """文件更改. Changes of controlled items: drafting, review, approval, effect, and the paperwork of it."""

    _told: tuple[tuple[str, int, str], ToldImpact] | None = field(default=None, init=False, repr=False)

    @cached_property
    def changes(self) -> ChangeRequests:
        """Reads changes."""
        from controller.services.change_chain import ChangeRequests

        return ChangeRequests(self.archive, self.statements)

    @cached_property
    def change_drafting(self) -> ChangeDrafting:
        """Opens changes."""
        from controller.adapters.working_files import WorkingFiles
        from controller.services.change_drafting import ChangeDrafting

        return ChangeDrafting(
            self.changes,
            self.acts,
            self.archive,
            self.approved_files,
            WorkingFiles(self.folder),
            waits=self._waits,
            ever_used=self._ever_used,
            check_withdrawn=self.withdrawn_documents.check,
        )

    @cached_property
    def withdrawn_documents(self) -> WithdrawnDocuments:
        """What became of numbers that are in force no more."""
        from controller.services.withdrawn_documents import WithdrawnDocuments

        return WithdrawnDocuments(self.document_history, self.controlled_files, self.clock, self.zone)

    @cached_property
    def draft_saving(self) -> DraftSaving:
        """Saves drafts of changes."""
        from controller.adapters.working_files import WorkingFiles
        from controller.services.draft_saving import DraftSaving

        working = WorkingFiles(self.folder)
        return DraftSaving(self.changes, self.acts, self.archive, self.approved_files, working)

    def _waits(self, number: str) -> date | None:
        """Return until which day an approved revision of an item waits, None when none does."""
        waiting = self.controlled_files.schedule().of(number, self.clock.now().date())
        return waiting[-1].begins if waiting else None

    def _ever_used(self, number: str) -> bool:
        """Tell whether a document or form of that number ever was in the library, or was to be."""
        from controller.services.document_library import FOLDER, FORMS_FOLDER

        tip = self.approved_files.revision()
        if any(True for _ in self.history.log(tip, paths=(f"{FOLDER}/{number}", f"{FORMS_FOLDER}/{number}"))):
            return True
        return any(request.item(number) is not None for request in self.changes.all())

    @cached_property
    def change_routes(self) -> ChangeRoutes:
        """Who may submit, review and approve a change."""
        from controller.services.change_route import ChangeRoutes

        return ChangeRoutes(self.routes, self.route_permission)

    @cached_property
    def change_records(self) -> ChangeRecords:
        """The forms that are filed with a change."""
        from controller.services.change_records import ChangeRecords

        return ChangeRecords(
            self.forms,
            self.approved_files,
            impact=self.told_impact,
            standing=self.training.find,
            copies=self._copies_called_back,
            post_names=lambda: {key: post.name for key, post in self.staff.posts.items()},
        )

    def _copies_called_back(self, number: str, change: str) -> tuple[int, int]:
        standing = self.copies.recall_standing(number, change=change)
        return standing.recalled, standing.back + standing.lost

    def told_impact(self, request: ChangeRequest, draft: LibraryFiles) -> ToldImpact:
        """Return what a change touches; found once for each state of it."""
        key = (request.number, request.sequence, self.approved_files.revision())
        if self._told is None or self._told[0] != key:
            self._told = (key, self._found_impact(request, draft))
        return self._told[1]

    def _found_impact(self, request: ChangeRequest, draft: LibraryFiles) -> ToldImpact:
        from controller.domain.change_impact import impact_text
        from controller.domain.library_day import ItemKind
        from controller.domain.workload import load_change_text
        from controller.services.change_records import ToldImpact
        from controller.services.document_library import DocumentLibrary

        then, now = DocumentLibrary(self.approved_files), DocumentLibrary(draft)
        before, after = set(then.numbers()), set(now.numbers())  # an approved withdrawal is in neither
        found = self.change_impact(draft).impact([item.number for item in request.items])
        found = replace(found, posts=tuple(post for post in found.posts if post.sure))
        documents = [item for item in request.items if item.kind is ItemKind.DOCUMENT]
        loads = [
            change
            for item in documents
            for change in self.workload_counting.difference(
                then.show(item.number) if item.number in before else None,
                now.show(item.number) if item.number in after and item.after is not None else None,
            )
        ]
        laws = [law for item in documents if item.number in after for law in now.document(item.number).basis]
        return ToldImpact(
            found=found,
            lines=tuple(impact_text(found)),
            documents=found.documents,
            posts=tuple(post.key for post in found.posts),
            laws=tuple(dict.fromkeys(laws)),
            workload=tuple(map(load_change_text, loads)),
        )

    @cached_property
    def change_check(self) -> ChangeCheck:
        """Finds what is wrong with a draft."""
        from controller.services.change_check import ChangeCheck

        return ChangeCheck(self._form_findings, self._forms_of, self.revision_table.findings, self.former_items)

    @staticmethod
    def _form_findings(files: LibraryFiles, numbers: Sequence[str]) -> Sequence[Finding]:
        from controller.adapters.docx_template import DocxtplCompiler
        from controller.services.form_inspection import FormInspection

        return FormInspection(files, DocxtplCompiler()).inspect(list(numbers))

    @staticmethod
    def _forms_of(files: LibraryFiles) -> KnownForms:
        from controller.services.change_chain import DraftFiles
        from controller.services.form_library import FormLibrary

        assert isinstance(files, DraftFiles)
        return FormLibrary(files)

    def signing_on(self, files: LibraryFiles) -> DocumentSigning:
        """Signatures on documents as they are in another state of the library."""
        from controller.services.document_library import DocumentLibrary

        library = DocumentLibrary(files)
        printing = self.document_prints.printing(library)
        return replace(self.document_signing, files=files, library=library, printing=printing)

    def _signing_drafts(self, files: LibraryFiles, request: ChangeRequest, day: date) -> DocumentSigning:
        planned = request.number, day.isoformat()
        return replace(self.signing_on(files), void_until=request.returned_at, planned=planned)

    @cached_property
    def change_approval(self) -> ChangeApproval:
        """Submits, reviews and approves changes."""
        from controller.services.change_approval import ChangeApproval

        return ChangeApproval(
            self.changes,
            self.acts,
            self.approved_files,
            self.change_routes,
            self._signing_drafts,
            self.change_check.findings,
            self.change_records,
            self.clock,
            self.document_rules,
            follows=self._follows,
        )

    def _follows(self, request: ChangeRequest, day: date) -> list[StatementPart]:
        """Return what an approval brings with it: who has to read what, and which copies come back."""
        from controller.domain.library_day import ItemKind
        from controller.services.act_filing import StatementPart

        posts = self.told_impact(request, self.changes.draft(request, self.approved_files)).posts
        parts: list[StatementPart] = []
        for item in request.items:
            if item.after is not None and posts and item.kind in {ItemKind.DOCUMENT, ItemKind.FORM}:
                asked = self.training.assignment(
                    item.number, item.after, item.title, posts=posts, effective=day.isoformat(), reason=request.reason
                )
                parts.append(StatementPart(asked.draft, asked.beside))
            recall = (
                self.copies.recall_draft(item.number, None, request.number, effective=day, reason=request.reason)
                if item.before is not None
                else None
            )
            if recall is not None:
                parts.append(StatementPart(recall))
        return parts

    @cached_property
    def change_steps(self) -> ChangeSteps:
        """Comments, returns, postponements, issue, closing."""
        from controller.services.change_steps import ChangeSteps

        return ChangeSteps(
            self.changes,
            self.acts,
            self.approved_files,
            self.change_routes,
            self.staff,
            self.clock,
            self.document_rules,
            self.change_records,
            self.change_records,
        )

    @cached_property
    def change_desks(self) -> ChangeDesks:
        """Where the draft of a document is worked on."""
        from controller.adapters.draft_folder import DraftFolder
        from controller.services.change_desk import ChangeDesks

        return ChangeDesks(self.changes, self.draft_saving, self.approved_files, DraftFolder(self.folder))

    @cached_property
    def document_checkout(self) -> DocumentCheckout:
        """Gives documents out as Word files to be edited."""
        from controller.adapters.checkout_layout import CheckoutLayout
        from controller.adapters.checkout_reading import CheckoutReading
        from controller.adapters.draft_folder import DraftFolder
        from controller.services.document_checkout import DocumentCheckout

        return DocumentCheckout(
            DraftFolder(self.folder),
            self.approved_files,
            self.statements,
            CheckoutLayout(),
            CheckoutReading(),
            self.clock,
            self.settings.company,
            self.change_desks,
        )

    @cached_property
    def document_checkin(self) -> DocumentCheckin:
        """Takes edited Word files back."""
        from controller.adapters.checkout_reading import CheckoutReading
        from controller.adapters.draft_folder import DraftFolder
        from controller.services.document_checkin import DocumentCheckin

        return DocumentCheckin(
            self.document_checkout,
            DraftFolder(self.folder),
            self.approved_files,
            self.statements,
            CheckoutReading(),
        )
