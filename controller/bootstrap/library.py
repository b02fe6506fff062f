"""文件库. Forms, documents and registers as approved, and what comes into force."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from controller.domain.retention import RetentionRules
    from controller.domain.route import Routes
    from controller.services.document_exemption import DocumentExemption
    from controller.services.document_history import DocumentHistory
    from controller.services.document_library import DocumentLibrary
    from controller.services.document_paper import DocumentPaper
    from controller.services.document_prints import DocumentPrints
    from controller.services.document_signing import DocumentSigning
    from controller.services.files_in_force import EditedFiles
    from controller.services.form_inspection import FormInspection
    from controller.services.form_library import FormLibrary
    from controller.services.form_rendering import FormRenderer
    from controller.services.form_scaffolding import FormScaffolding
    from controller.services.former_items import FormerItems
    from controller.services.library_state import LibraryState
    from controller.services.pdf_printing import PdfPrinting
    from controller.services.ports import LibraryFiles
    from controller.services.print_ports import PdfConverter, PrintStamping
    from controller.services.print_signing import PrintSigning
    from controller.services.procedure_printing import ProcedurePrinting
    from controller.services.redline_printing import RedlinePrinting
    from controller.services.reference_keeping import ReferenceKeeping
    from controller.services.register_library import RegisterLibrary
    from controller.services.revision_table import RevisionTable
    from controller.services.route_permission import RoutePermission
    from controller.services.set_approval import SetApproving
    from controller.services.set_printing import DocumentApproval, DocumentSetPrinting

from controller.bootstrap.signing import Signing


@dataclass
class Library(Signing):
    """文件库. Forms, documents and registers as approved, and what comes into force."""

    _kept_references: tuple[str, ReferenceKeeping] | None = field(default=None, init=False, repr=False)

    @cached_property
    def forms(self) -> FormLibrary:
        """The forms in force."""
        from controller.services.form_library import FormLibrary

        return FormLibrary(self.controlled_files)

    def form_inspection(self, *, working: bool) -> FormInspection:
        """Checks forms: those in the folder as they are now, or the approved ones."""
        from controller.adapters.docx_template import DocxtplCompiler
        from controller.adapters.working_files import WorkingFiles
        from controller.services.form_inspection import FormInspection

        files = WorkingFiles(self.folder) if working else self.controlled_files
        return FormInspection(files, DocxtplCompiler())

    @cached_property
    def form_scaffolding(self) -> FormScaffolding:
        """Draws and compiles the forms of the folder."""
        from controller.adapters.docx_template import DocxtplCompiler
        from controller.adapters.form_scaffold import ScaffoldDrawing
        from controller.adapters.working_files import WorkingFiles
        from controller.adapters.working_folder import WorkingFolder
        from controller.services.form_compiling import FormCompiling
        from controller.services.form_scaffolding import FormScaffolding

        compiling = FormCompiling(DocxtplCompiler())
        return FormScaffolding(WorkingFiles(self.folder), WorkingFolder(self.folder), ScaffoldDrawing(), compiling)

    @cached_property
    def renderer(self) -> FormRenderer:
        """Forms and values into docx."""
        from controller.adapters.docx_renderer import JinjaDocxRenderer
        from controller.services.form_rendering import FormRenderer

        return FormRenderer(JinjaDocxRenderer(), self.settings.company)

    @cached_property
    def printing(self) -> PdfPrinting:
        """Docx into PDF, checked for completeness."""
        return self.new_printing()

    def new_printing(self) -> PdfPrinting:
        """Docx into PDF with engines of its own, the one of the settings first; they end when it is let go."""
        from controller.adapters.pdf_libreoffice import LibreOfficeConverter
        from controller.adapters.pdf_office2pdf import Office2PdfConverter
        from controller.services.pdf_printing import PdfPrinting

        engines: list[PdfConverter] = [Office2PdfConverter(), LibreOfficeConverter()]
        engines.sort(key=lambda engine: engine.name != self.settings.pdf_engine)
        return PdfPrinting(engines)

    @cached_property
    def documents(self) -> DocumentLibrary:
        """Procedures, rules and duty documents as approved."""
        from controller.services.document_library import DocumentLibrary

        return DocumentLibrary(self.controlled_files)

    def document_library(self, *, working: bool) -> DocumentLibrary:
        """Documents to check: those in the folder as they are now, or the approved ones."""
        from controller.services.document_library import DocumentLibrary

        return DocumentLibrary(self.edited_files) if working else self.documents

    @cached_property
    def edited_files(self) -> EditedFiles:
        """The folder as it is now, with what is in force and withdrawn only from a later day."""
        from controller.adapters.working_files import WorkingFiles
        from controller.services.files_in_force import EditedFiles

        return EditedFiles(WorkingFiles(self.folder), self.approved_files, self.controlled_files)

    @cached_property
    def former_items(self) -> FormerItems:
        """Every number and title the library ever had."""
        from controller.services.former_items import FormerItems

        return FormerItems(self.history)

    def reference_keeping(self, *, working: bool = False) -> ReferenceKeeping:
        """Every reference of the library as it is now: in force, or in the folder."""
        from controller.services.reference_keeping import ReferenceKeeping

        if working:
            return ReferenceKeeping(self.document_library(working=True), self.former_items)
        revision = self.controlled_files.revision()
        if self._kept_references is None or self._kept_references[0] != revision:
            self._kept_references = revision, ReferenceKeeping(self.documents, self.former_items)
        return self._kept_references[1]

    @cached_property
    def registers(self) -> RegisterLibrary:
        """The register definitions."""
        from controller.services.register_library import RegisterLibrary

        return RegisterLibrary(self.controlled_files, self.forms)

    @cached_property
    def retention(self) -> RetentionRules:
        """How long records are kept."""
        from controller.file_formats.retention_file import RETENTION_FILE, read_retention

        return read_retention(self.controlled_text(RETENTION_FILE), where=RETENTION_FILE)

    @cached_property
    def document_printing(self) -> ProcedurePrinting:
        """Approved documents as Word pages."""
        from controller.adapters.procedure_layout import ProcedureLayout
        from controller.services.procedure_printing import ProcedurePrinting

        table = self.revision_table
        return ProcedurePrinting(self.documents, ProcedureLayout(), self.settings.company, table.rows, table.signed)

    @cached_property
    def document_prints(self) -> DocumentPrints:
        """Copies of documents, in force or not."""
        from controller.adapters.procedure_layout import ProcedureLayout
        from controller.services.change_chain import ChangeRequests
        from controller.services.document_prints import DocumentPrints

        requests = ChangeRequests(self.archive, self.statements)

        def draft_of(number: str) -> tuple[LibraryFiles, str] | None:
            found = requests.open_of(number)
            return (requests.draft(found, self.approved_files), found.number) if found is not None else None

        return DocumentPrints(
            self.approved_files,
            self.controlled_files,
            self.document_history,
            draft_of,
            ProcedureLayout(),
            self.settings.company,
            self.clock,
            self.document_rules.uncontrolled_days,
            self.revision_table.rows,
            self.revision_table.signed,
            self.revision_table.effective,
        )

    @cached_property
    def pdf_stamping(self) -> PrintStamping:
        """Marks PDFs."""
        from controller.adapters.pdf_stamping import PdfStamping

        return PdfStamping()

    @cached_property
    def docx_stamping(self) -> PrintStamping:
        """Marks Word copies."""
        from controller.adapters.docx_stamping import DocxStamping

        return DocxStamping()

    @cached_property
    def document_history(self) -> DocumentHistory:
        """Every change of every document, with what was stated and signed."""
        from controller.services.document_history import DocumentHistory

        return DocumentHistory(
            self.documents,
            self.document_library(working=True),
            self.history,
            self.archive,
            self.statements,
            self.clock,
            self.zone,
        )

    @cached_property
    def revision_table(self) -> RevisionTable:
        """The revision tables of documents."""
        from controller.services.revision_table import RevisionTable

        return RevisionTable(self.document_history, self.archive)

    @cached_property
    def library_state(self) -> LibraryState:
        """What was in force on a day."""
        from controller.services.library_state import LibraryState

        return LibraryState(self.history, self.archive, self.clock, self.zone)

    @cached_property
    def redlines(self) -> RedlinePrinting:
        """Documents with tracked changes between two versions."""
        from controller.adapters.redline_layout import RedlineLayout
        from controller.services.redline_printing import RedlinePrinting

        return RedlinePrinting(
            self.controlled_files,
            self.document_history,
            RedlineLayout(),
            self.settings.company,
            self.revision_table.rows,
        )

    @cached_property
    def routes(self) -> Routes:
        """Who signs what in which order."""
        from controller.file_formats.route_file import ROUTES_FILE, read_routes

        return read_routes(self.controlled_text(ROUTES_FILE), where=ROUTES_FILE, posts=self.staff.posts)

    @cached_property
    def document_exemption(self) -> DocumentExemption:
        """The exemption for companies with too few people."""
        from controller.services.document_exemption import DocumentExemption

        return DocumentExemption(
            statements=self.statements,
            files=self.controlled_files,
            routes=self.routes,
            staff=self.staff,
            clock=self.clock,
        )

    @cached_property
    def route_permission(self) -> RoutePermission:
        """Who may take which step of a route."""
        from controller.services.route_permission import RoutePermission

        return RoutePermission(self.staff, self.document_exemption)

    @cached_property
    def document_signing(self) -> DocumentSigning:
        """Signatures on documents."""
        from controller.adapters.pdf_signing import PadesSigning
        from controller.services.document_signing import DocumentSigning

        return DocumentSigning(
            files=self.controlled_files,
            archive=self.archive,
            statements=self.statements,
            library=self.documents,
            printing=self.document_printing,
            to_pdf=self.printing.print,
            signing=PadesSigning(),
            permission=self.route_permission,
            routes=self.routes,
            company=self.settings.company,
        )

    @cached_property
    def document_sets(self) -> DocumentSetPrinting:
        """The documents in force, bound as one."""
        from controller.adapters.pdf_assembly import SetBinding
        from controller.services.set_printing import DocumentSetPrinting

        return DocumentSetPrinting(
            self.documents,
            self.document_printing,
            self.printing.print,
            SetBinding(),
            self.statements,
            self.staff,
            self.routes,
            self._document_approvals,
            self.document_signing.lacking,
            self.settings.company,
        )

    def _document_approvals(self) -> dict[str, DocumentApproval]:
        from controller.domain.library_day import ItemKind
        from controller.services.set_printing import DocumentApproval

        today = self.library_state.on(self.clock.now().astimezone(self.zone).date())
        return {
            item.number: DocumentApproval(item.approved.name, item.approved.at.date(), item.effective)
            for item in today.of(ItemKind.DOCUMENT)
            if item.approved is not None
        }

    @cached_property
    def set_approving(self) -> SetApproving:
        """One approval for all documents in force."""
        from controller.adapters.pdf_signing import PadesSigning
        from controller.services.set_approval import SetApproving

        return SetApproving(self.document_sets, self.document_signing, self.archive, self.statements, PadesSigning())

    @cached_property
    def document_paper(self) -> DocumentPaper:
        """Takes in what was signed on paper for a document."""
        from controller.adapters.scan_reading import ScanReading
        from controller.services.document_paper import DocumentPaper

        return DocumentPaper(self.document_signing, ScanReading(), self.clock, self.identity)

    @cached_property
    def print_signing(self) -> PrintSigning:
        """Signatures on the PDF of a record."""
        from controller.adapters.pdf_signing import PadesSigning
        from controller.services.print_signing import PrintSigning

        return PrintSigning(PadesSigning(), self.clock, self.settings.company)
