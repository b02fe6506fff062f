"""导入. Brings documents in from elsewhere: one file at a time, or a company's folder of old ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from controller.domain.text import Text
    from controller.services.document_import import DocumentImport
    from controller.services.document_library import DocumentLibrary
    from controller.services.legacy_import import LegacyImport
    from controller.services.legacy_plan import LegacyPlan, LegacyPlanning
    from controller.services.legacy_reading import LegacyReading

from controller.bootstrap.adopting import Adopting


@dataclass
class Importing(Adopting):
    """导入. Brings documents in from elsewhere: one file at a time, or a company's folder of old ones."""

    @cached_property
    def document_import(self) -> DocumentImport:
        """Adds documents."""
        from controller.services.document_import import DocumentImport

        return DocumentImport(self.approved_files, self.statements, self.staff, self.used_numbers)

    def used_numbers(self) -> set[str]:
        """Return every number that documents and forms ever had, whatever became of them."""
        from controller.services.document_import import ever_used

        return ever_used(self.history, self.statements)

    @cached_property
    def legacy_reading(self) -> LegacyReading:
        """Old files into documents."""
        from controller.adapters.legacy_word import LegacyDocxReader
        from controller.adapters.pdf_libreoffice import LibreOfficeConverter
        from controller.services.legacy_reading import LegacyReading

        return LegacyReading(LegacyDocxReader(), LibreOfficeConverter())

    @cached_property
    def legacy_planning(self) -> LegacyPlanning:
        """Proposes what a folder of old files becomes."""
        from controller.services.document_import import taken_numbers
        from controller.services.document_library import FORMS_FOLDER, DocumentLibrary
        from controller.services.legacy_plan import LegacyPlanning

        library = DocumentLibrary(self.approved_files)
        return LegacyPlanning(
            library=library,
            reading=self.legacy_reading,
            taken=lambda: taken_numbers(library, self.used_numbers()),
            forms=lambda: _unowned(library, library.files.folders(FORMS_FOLDER)),
            prefix=self.settings.prefix,
        )

    def legacy_report(self, plan: LegacyPlan, *, pdf: bool, translate: Callable[[Text], str]) -> bytes:
        """Return the printed report of a plan as docx or PDF."""
        from controller.adapters.verification_document import verification_docx
        from controller.services.legacy_report import legacy_report

        at = self.clock.now().strftime("%Y-%m-%d %H:%M")
        docx = verification_docx(legacy_report(plan, company=self.settings.company, at=at), translate)
        return self.printing.print(docx).data if pdf else docx

    @cached_property
    def legacy_import(self) -> LegacyImport:
        """Brings a folder of old files in, as it was mapped."""
        from controller.adapters.scan_reading import ScanReading
        from controller.services.legacy_import import LegacyImport

        return LegacyImport(
            files=self.approved_files,
            statements=self.statements,
            staff=self.staff,
            reading=self.legacy_reading,
            scan_reader=ScanReading(),
            used=self.used_numbers,
        )


def _unowned(library: DocumentLibrary, forms: Sequence[str]) -> list[str]:
    """Return the forms that no document owns yet."""
    owned = {number for document in library.documents() for number in document.forms}
    return [number for number in forms if number not in owned]
