"""采用修改. What was edited in the folder: which files, whether they are sound, and taking them into force."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

from controller.domain.text import T
from controller.settings import FIXED, SETTINGS_FILE, read_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.domain.conformity import Finding
    from controller.services.library_adoption import LibraryAdoption, LibraryChange

from controller.bootstrap.library import Library


@dataclass
class Adopting(Library):
    """采用修改. What was edited in the folder: which files, whether they are sound, and taking them into force."""

    @cached_property
    def adoption(self) -> LibraryAdoption:
        """Takes edited library files into force."""
        from controller.adapters.working_files import WorkingFiles
        from controller.adapters.working_folder import WorkingFolder
        from controller.services.library_adoption import LibraryAdoption

        working, folder = WorkingFiles(self.folder), WorkingFolder(self.folder)
        return LibraryAdoption(
            working, self.approved_files, folder, self.clock, self.statements, self.staff, self._check_changes
        )

    def _check_changes(self, changes: Sequence[LibraryChange]) -> list[Finding]:
        from controller.adapters.working_files import WorkingFiles
        from controller.services.change_chain import ChangeRequests
        from controller.services.document_check import check_documents
        from controller.services.document_revision_check import (
            check_change_control,
            check_document_revisions,
            signed_revision,
        )
        from controller.services.form_library import FormLibrary
        from controller.services.library_check import (
            check_encoding,
            check_people_unedited,
            check_revisions,
            check_rules,
            check_signature_files,
        )
        from controller.services.register_library import RegisterLibrary

        working = WorkingFiles(self.folder)
        forms = sorted({item.path.split("/")[2] for item in changes if item.path.startswith("templates/forms/")})
        blocks = any(item.path.startswith("templates/blocks/") for item in changes)
        findings = check_encoding(working)
        if findings:
            return findings  # what cannot be read as text cannot be checked any further
        findings = check_rules(working)
        paths = {item.path for item in changes}
        findings += check_people_unedited(paths)
        findings += check_signature_files(paths, gone={item.path for item in changes if item.kind == "deleted"})
        findings += check_change_control(paths, self.history, ChangeRequests(self.archive, self.statements).open)
        if SETTINGS_FILE in paths:
            findings += self._check_settings()
        if forms or blocks:
            findings += self.form_inspection(working=True).inspect([] if blocks else forms)
            findings += check_revisions(working, self.approved_files, forms)
        if any(item.path.startswith("procedures/") for item in changes):
            edited = self.document_library(working=True)
            findings += check_documents(edited, self.former_items)
            signed = partial(signed_revision, self.statements)
            findings += check_document_revisions(edited, self.documents, paths, signed)
        if any(item.path.startswith("templates/registers/") for item in changes):
            findings += RegisterLibrary(working, FormLibrary(working)).findings()
        return findings

    def _check_settings(self) -> list[Finding]:
        """Return what of `qms.toml` can never change: every number and signature rests on it."""
        from controller.domain.conformity import Finding, Gravity

        old = read_settings(self.controlled_text(SETTINGS_FILE))
        fixed = [name for name in FIXED if getattr(old, name) != getattr(self.settings, name)]
        message = T("这些设置建立后不能更改：{names}。", names=fixed)
        return [Finding("settings-fixed", Gravity.ERROR, message, path=SETTINGS_FILE)] if fixed else []

    def library_changes(self) -> list[LibraryChange]:
        """Return the library files of the folder that are not in force as they are."""
        from controller.adapters.working_files import WorkingFiles
        from controller.services.library_adoption import library_changes

        return library_changes(WorkingFiles(self.folder), self.approved_files)
