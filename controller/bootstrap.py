"""组装. Builds the real adapters for one workspace and hands the services to `cli` and `web`.

Everything is made at first use, so that a command pays only for what it needs.
"""

from __future__ import annotations

import time
import uuid
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from controller.domain.errors import MisconfiguredError, QmsError
from controller.domain.text import T
from controller.settings import (
    FIXED,
    SETTINGS_FILE,
    WORKSPACE_FORMAT,
    Settings,
    find_workspace,
    load_settings,
    read_settings,
    write_settings,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from controller.adapters.audit_trail_files import AuditTrailFiles
    from controller.adapters.git_archive import GitArchive
    from controller.adapters.git_controlled_files import GitControlledFiles
    from controller.adapters.git_history import GitBranchHistory
    from controller.adapters.key_backup import KeyBackup
    from controller.adapters.personal_keys import FileAuthorityKey, Pkcs12Keys
    from controller.adapters.register_document import RegisterDocuments
    from controller.adapters.register_files import RegisterFiles
    from controller.adapters.sittings import FileSittings
    from controller.adapters.sqlite_index import SqliteIndex
    from controller.domain.conformity import Finding
    from controller.domain.identifiers import Digest
    from controller.domain.person import Staff
    from controller.domain.record import RecordState
    from controller.domain.retention import RetentionRules
    from controller.domain.route import Routes
    from controller.domain.signing_rules import SigningRules
    from controller.domain.text import Text
    from controller.domain.working_days import WorkingDays
    from controller.file_formats.calendar_file import CompanyCalendar
    from controller.services.archive_witness import ArchiveWitness
    from controller.services.audit_trail import AuditTrail
    from controller.services.authority_control import AuthorityControl
    from controller.services.clock_correction import ClockCorrection
    from controller.services.document_exemption import DocumentExemption
    from controller.services.document_import import DocumentImport
    from controller.services.document_library import DocumentLibrary
    from controller.services.document_signing import DocumentSigning
    from controller.services.entry_making import EntryMaking
    from controller.services.examination_ports import WorkspaceExamination
    from controller.services.form_inspection import FormInspection
    from controller.services.form_library import FormLibrary
    from controller.services.form_rendering import FormRenderer
    from controller.services.form_scaffolding import FormScaffolding
    from controller.services.indexing import Indexing
    from controller.services.library_adoption import LibraryAdoption, LibraryChange
    from controller.services.paper_signing import PaperSigning
    from controller.services.pdf_printing import PdfPrinting
    from controller.services.people_standing import PeopleStanding
    from controller.services.person_control import PersonControl
    from controller.services.person_enrolment import PersonEnrolment
    from controller.services.ports import (
        BranchHeads,
        Clock,
        FileLockFactory,
        OutsideWitness,
        PdfConverter,
        Progress,
        RecordKeys,
    )
    from controller.services.print_signing import PrintSigning
    from controller.services.procedure_printing import ProcedurePrinting
    from controller.services.record_control import RecordControl
    from controller.services.record_filing import RecordFiling
    from controller.services.register_building import RegisterBuilding
    from controller.services.register_library import RegisterLibrary
    from controller.services.signing_in import PassphraseAnswer, PassphraseQuestion, PersonalSigner, SigningIn
    from controller.services.statement_filing import StatementFiling
    from controller.services.text_reading import ReadText
    from controller.services.timestamp_verification import StampVerification
    from controller.services.timestamping import Timestamping
    from controller.services.trail import Trail
    from controller.services.verification import VerificationReport
    from controller.services.witness_comparison import WitnessComparison
    from controller.services.workspace_identity import WorkspaceIdentity

POSTS_FILE = "signatures/posts.yml"
PEOPLE_FILE = "signatures/people.yml"
WORKDAYS_FILE = "records/calendars/cn-workdays.yml"
COMPANY_RULES_FILE = "records/calendars/company.yml"


class LibraryFileMissingError(MisconfiguredError):
    """缺少受控文件. A file that governs the workspace is not on branch `main`."""

    code = "library-file-missing"

    def __init__(self, *, path: str) -> None:
        hint = T("从备份或起步文件库恢复该文件并提交。")
        super().__init__(T("工作区缺少 {path}。", path=path), hint=hint, where=path)


@dataclass
class Application:
    """一个打开的工作区. Its settings and its services."""

    folder: Path
    settings: Settings
    clock_override: Clock | None = field(default=None, repr=False)
    ask: Callable[[PassphraseQuestion], PassphraseAnswer | None] = field(default=lambda _question: None, repr=False)
    """Asks the person at the screen for the passphrase; None when nobody can be asked."""
    wait: Callable[[float], None] = field(default=time.sleep, repr=False)
    """Waits after failed logins."""

    @cached_property
    def local_folder(self) -> Path:
        """`.qms/`: local, disposable, never committed."""
        return self.folder / ".qms"

    @cached_property
    def zone(self) -> ZoneInfo:
        """The company's time zone."""
        return ZoneInfo(self.settings.time_zone)

    @cached_property
    def clock(self) -> Clock:
        """The only source of time."""
        from controller.adapters.system_clock import SystemClock

        return self.clock_override or SystemClock(self.settings.time_zone)

    @cached_property
    def lock(self) -> FileLockFactory:
        """Locks between the programs that use this workspace."""
        from controller.adapters.workspace_lock import WorkspaceLock

        return WorkspaceLock(self.local_folder / "locks")

    @cached_property
    def controlled_files(self) -> GitControlledFiles:
        """The approved content of branch `main`."""
        from controller.adapters.git_controlled_files import GitControlledFiles

        return GitControlledFiles(self.folder, lock=self.lock)

    def controlled_text(self, path: str) -> str:
        """Return the text of a file that governs the workspace.

        Raises:
            LibraryFileMissingError: it is not there.
            NotUtf8Error: it is in another encoding.
        """
        from controller.file_formats.text_encoding import utf8_text

        data = self.controlled_files.read(path)
        if data is None:
            raise LibraryFileMissingError(path=path)
        return utf8_text(data, where=path)

    @cached_property
    def staff(self) -> Staff:
        """People and posts."""
        from controller.file_formats.staff_file import read_staff

        posts, people = self.controlled_text(POSTS_FILE), self.controlled_text(PEOPLE_FILE)
        today = self.clock.now().date()
        return read_staff(posts, people, posts_where=POSTS_FILE, people_where=PEOPLE_FILE, on=today).require()

    def person(self, wanted: str | None) -> PersonalSigner:
        """Return who acts: the signed-in person, `wanted` by id or name where several are signed in."""
        return self.signing_in.signer(wanted)

    @cached_property
    def signing_rules(self) -> SigningRules:
        """The company's rules for signing in and signing."""
        from controller.file_formats.signing_rules_file import SIGNING_FILE, read_signing_rules

        return read_signing_rules(self.controlled_text(SIGNING_FILE), where=SIGNING_FILE)

    @cached_property
    def personal_keys(self) -> Pkcs12Keys:
        """The private keys of people that this computer keeps."""
        from controller.adapters.personal_keys import Pkcs12Keys

        return Pkcs12Keys(self.private_folder / "keys")

    @cached_property
    def key_backup(self) -> KeyBackup:
        """Copies keys to another folder and back, still encrypted."""
        from controller.adapters.key_backup import KeyBackup

        return KeyBackup(self.private_folder)

    @cached_property
    def authority_key(self) -> FileAuthorityKey:
        """The key of the company's certificate authority, where this computer keeps it."""
        from controller.adapters.personal_keys import FileAuthorityKey

        return FileAuthorityKey(self.private_folder)

    @cached_property
    def statements(self) -> StatementFiling:
        """Files signed statements: everything outside the records."""
        from controller.adapters.this_computer import origin_here
        from controller.services.statement_filing import StatementFiling

        return StatementFiling(self.archive, self.identity, self.clock, origin_here())

    @cached_property
    def trail(self) -> Trail:
        """Writes prints, exports, unmasking and refusals to the audit trail."""
        from controller.services.trail import Trail

        return Trail(self.statements)

    @cached_property
    def audit_trail(self) -> AuditTrail:
        """Reads the audit trail."""
        from controller.adapters.sorted_spool import SqliteSpool
        from controller.services.archived_forms import ArchivedForms
        from controller.services.audit_trail import AuditTrail

        return AuditTrail(
            archive=self.archive,
            definitions=ArchivedForms(self.archive, self.forms),
            keys=self.keys,
            spool=SqliteSpool,
            post_names=self._post_names(),
        )

    def _post_names(self) -> dict[str, str]:
        """Return the names of posts; none where the file is damaged, since the trail must still come out."""
        try:
            return {key: post.name for key, post in self.staff.posts.items()}
        except QmsError:
            return {}

    @property
    def audit_trail_files(self) -> AuditTrailFiles:
        """Writes exports of the audit trail; not kept, because it holds on to the application itself."""
        from controller.adapters.audit_trail_files import AuditTrailFiles

        try:
            definition = self.registers.definition("TZ-16")
        except QmsError:
            definition = None
        return AuditTrailFiles(
            documents=lambda: self.register_documents, printing=self.new_printing, definition=definition
        )

    @cached_property
    def signing_in(self) -> SigningIn:
        """Opens and finds sittings."""
        from controller.adapters.attempt_counter import FileAttemptCounter
        from controller.adapters.this_computer import origin_here
        from controller.services.signing_in import SigningIn

        return SigningIn(
            staff=self.staff,
            keys=self.personal_keys,
            sittings=self.sittings,
            attempts=FileAttemptCounter(self.private_folder),
            rules=self.signing_rules,
            clock=self.clock,
            statements=self.statements,
            standing=self.certificate_problem,
            origin=origin_here,
            wait=self.wait,
            ask=self.ask,
        )

    @cached_property
    def people_standing(self) -> PeopleStanding:
        """Who may sign now, as the archive tells it."""
        from controller.adapters.file_versions import file_versions
        from controller.file_formats.signing_rules_file import SIGNING_FILE
        from controller.services.people_standing import PeopleStanding

        folder = self.folder
        versions = partial(file_versions, folder, SIGNING_FILE)
        return PeopleStanding(self.archive, self.clock, self.signing_rules, versions)

    def certificate_problem(self, person: str, certificate: Digest) -> Text | None:
        """Return why the person cannot sign with `certificate` now, None when they can."""
        return self.people_standing.problem(person, certificate)

    @cached_property
    def people(self) -> PersonControl:
        """Registers people, changes their posts."""
        from controller.services.person_control import PersonControl

        return PersonControl(
            statements=self.statements,
            standing=self.people_standing,
            controlled=self.controlled_files,
            staff=self.staff,
            rules=self.signing_rules,
            keys=self.personal_keys,
            clock=self.clock,
        )

    @cached_property
    def enrolment(self) -> PersonEnrolment:
        """Gives people keys and certificates."""
        from controller.adapters.this_computer import origin_here
        from controller.services.person_enrolment import PersonEnrolment

        return PersonEnrolment(
            people=self.people,
            statements=self.statements,
            standing=self.people_standing,
            staff=self.staff,
            rules=self.signing_rules,
            keys=self.personal_keys,
            authority=self.authority_key,
            clock=self.clock,
            identity=self.identity,
            origin=origin_here,
        )

    @cached_property
    def authority_control(self) -> AuthorityControl:
        """Changes the root of the company's certificate authority."""
        from controller.services.authority_control import AuthorityControl

        return AuthorityControl(
            statements=self.statements,
            standing=self.people_standing,
            staff=self.staff,
            rules=self.signing_rules,
            authority=self.authority_key,
            clock=self.clock,
            identity=self.identity,
        )

    @cached_property
    def sittings(self) -> FileSittings:
        """The open sittings of this computer."""
        from platformdirs import user_runtime_path

        from controller.adapters.sittings import FileSittings

        chosen = self.settings.key_folder
        secrets = self.private_folder / "runtime" if chosen else user_runtime_path("wenkong", appauthor=False)
        return FileSittings(self.private_folder / "sittings", secrets / self.settings.workspace_id)

    @cached_property
    def company_calendar(self) -> CompanyCalendar:
        """The company's own rules about days (企业自定)."""
        from controller.file_formats.calendar_file import read_company_calendar

        return read_company_calendar(self.controlled_text(COMPANY_RULES_FILE), where=COMPANY_RULES_FILE)

    @cached_property
    def calendar(self) -> WorkingDays:
        """The Chinese working-day calendar with the company's own days."""
        from controller.file_formats.calendar_file import read_workdays

        national = read_workdays(self.controlled_text(WORKDAYS_FILE), where=WORKDAYS_FILE)
        return self.company_calendar.applied_to(national.days)

    @cached_property
    def identity(self) -> WorkspaceIdentity:
        """What entries say about where they were made."""
        from controller.services.workspace_identity import WorkspaceIdentity

        return WorkspaceIdentity(
            id=self.settings.workspace_id,
            site=self.settings.site,
            company=self.settings.company,
            late_entry_workdays=self.company_calendar.late_entry_workdays,
        )

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
    def archive(self) -> GitArchive:
        """The archive branch of this site."""
        from controller.adapters.git_archive import GitArchive

        archive = GitArchive(self.folder, lock=self.lock, site=self.settings.site, controlled=self.controlled_files)
        archive.require()
        return archive

    @cached_property
    def private_folder(self) -> Path:
        """Where this computer keeps what must not lie in the workspace: record keys, how far the archive was seen."""
        from platformdirs import user_data_path

        chosen = self.settings.key_folder
        folder = self.folder / chosen if chosen else user_data_path("wenkong", appauthor=False)
        return folder.resolve() / self.settings.workspace_id

    @cached_property
    def keys(self) -> RecordKeys:
        """The keys of records that hold sensitive values."""
        from controller.adapters.record_key_store import SqliteRecordKeys

        return SqliteRecordKeys(self.private_folder)

    @property
    def witness(self) -> ArchiveWitness:
        """Remembers how far this computer has seen the archive."""
        from controller.adapters.seen_heads import SeenHeadsFile
        from controller.services.archive_witness import ArchiveWitness

        heads = SeenHeadsFile(self.private_folder)
        return ArchiveWitness(self.archive, heads, self.settings.site, history=self.history)

    @cached_property
    def branch_heads(self) -> BranchHeads:
        """Where every branch stands."""
        from controller.adapters.branch_heads import GitBranchHeads

        return GitBranchHeads(self.folder)

    def outside_witness(self, folder: Path | None = None) -> OutsideWitness | None:
        """The folder off the machine: `folder`, or that of the settings; None when there is none."""
        from controller.adapters.outside_witness import WitnessFolder

        chosen = self.settings.witness_folder
        if folder is None and not chosen:
            return None
        return WitnessFolder(
            folder or self.folder / chosen,
            workspace=self.settings.workspace_id,
            site=self.settings.site,
            outbox=self.local_folder / "outbox",
            apart_from=[self.folder, self.private_folder],
        )

    def witness_comparison(self, folder: Path | None = None) -> WitnessComparison | None:
        """Compares the archive with the copies off the machine; None when there is no such folder."""
        from controller.services.witness_comparison import WitnessComparison

        witness = self.outside_witness(folder)
        return WitnessComparison(self.archive, witness) if witness is not None else None

    @cached_property
    def timestamping(self) -> Timestamping:
        """States, stamps and keeps elsewhere the daily heads."""
        from controller.adapters.timestamp_authority import HttpTimestampAuthority
        from controller.services.timestamping import Timestamping

        address = self.settings.timestamp_authority
        return Timestamping(
            archive=self.archive,
            branches=self.branch_heads,
            statements=self.statements,
            clock=self.clock,
            controlled=self.controlled_files,
            site=self.settings.site,
            authority=HttpTimestampAuthority(address) if address else None,
            witness=self.outside_witness(),
            comparison=self.witness_comparison(),
        )

    @cached_property
    def stamp_verification(self) -> StampVerification:
        """Checks the daily statements and their stamps."""
        from controller.services.timestamp_verification import StampVerification
        from controller.services.timestamping import trusted_roots

        try:
            roots = trusted_roots(self.controlled_files)
        except QmsError:
            # What is damaged is told by the examination of the library; nobody is trusted then.
            roots = []
        return StampVerification(roots, zone=self.zone, now=self.clock.now())

    @cached_property
    def clock_correction(self) -> ClockCorrection:
        """States that the clock ran ahead."""
        from controller.services.clock_correction import ClockCorrection

        return ClockCorrection(
            statements=self.statements,
            branches=self.branch_heads,
            clock=self.clock,
            staff=self.staff,
            posts=self.signing_rules.informed_posts,
            site=self.settings.site,
        )

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
    def index(self) -> SqliteIndex:
        """The disposable index."""
        from controller.adapters.sqlite_index import SqliteIndex

        path = self.local_folder / "index.sqlite"
        return SqliteIndex(path, workspace=self.settings.workspace_id, elsewhere=True)

    @cached_property
    def indexing(self) -> Indexing:
        """Keeps the index in step with the archive."""
        from controller.services.indexing import Indexing

        return Indexing(self.archive, self.index, self.forms)

    @cached_property
    def making(self) -> EntryMaking:
        """Makes entries."""
        from controller.services.entry_making import EntryMaking

        return EntryMaking(self.identity, self.renderer)

    @cached_property
    def filing(self) -> RecordFiling:
        """Opens records."""
        from controller.services.record_filing import RecordFiling

        return RecordFiling(
            identity=self.identity,
            forms=self.forms,
            archive=self.archive,
            keys=self.keys,
            making=self.making,
            indexing=self.indexing,
            staff=self.staff,
            calendar=self.calendar,
            clock=self.clock,
        )

    @cached_property
    def records(self) -> RecordControl:
        """Reads and continues records."""
        from controller.services.record_control import RecordControl

        return RecordControl(
            identity=self.identity,
            archive=self.archive,
            keys=self.keys,
            making=self.making,
            indexing=self.indexing,
            staff=self.staff,
            calendar=self.calendar,
            clock=self.clock,
        )

    @cached_property
    def paper_signing(self) -> PaperSigning:
        """Takes in what was signed on paper for a record."""
        from controller.adapters.scan_reading import ScanReading
        from controller.services.paper_signing import PaperSigning

        return PaperSigning(self.records, ScanReading(), self.clock, self.settings.workspace_id)

    @cached_property
    def documents(self) -> DocumentLibrary:
        """Procedures, rules and duty documents as approved."""
        from controller.services.document_library import DocumentLibrary

        return DocumentLibrary(self.controlled_files)

    def document_library(self, *, working: bool) -> DocumentLibrary:
        """Documents to check: those in the folder as they are now, or the approved ones."""
        from controller.adapters.working_files import WorkingFiles
        from controller.services.document_library import DocumentLibrary

        return DocumentLibrary(WorkingFiles(self.folder)) if working else self.documents

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
    def register_building(self) -> RegisterBuilding:
        """Builds registers from the index."""
        from controller.adapters.sorted_spool import SqliteSpool
        from controller.services.archived_forms import ArchivedForms
        from controller.services.register_building import RegisterBuilding

        return RegisterBuilding(
            index=self.index,
            archive=self.archive,
            forms=self.forms,
            definitions=ArchivedForms(self.archive, self.forms),
            documents=self.documents,
            calendar=self.calendar,
            spool=SqliteSpool,
            retention=self.retention,
        )

    @property
    def register_files(self) -> RegisterFiles:
        """Writes registers to files; not kept, because it holds on to the application itself."""
        from controller.adapters.register_files import RegisterFiles

        return RegisterFiles(
            indexing=self.indexing,
            building=self.register_building,
            documents=lambda: self.register_documents,
            printing=self.new_printing,
            clock=self.clock,
            company=self.settings.company,
        )

    @cached_property
    def register_documents(self) -> RegisterDocuments:
        """Draws registers as docx in the company's house style, or ours where it has none."""
        from controller.adapters.docx_renderer import JinjaDocxRenderer
        from controller.adapters.docx_template import DocxtplCompiler
        from controller.adapters.house_style import house_file
        from controller.adapters.register_document import HOUSE_FILE, RegisterDocuments

        house = self.controlled_files.read(HOUSE_FILE) or house_file("register")
        return RegisterDocuments(
            house=house, compiler=DocxtplCompiler(), renderer=JinjaDocxRenderer(), company=self.settings.company
        )

    @cached_property
    def document_printing(self) -> ProcedurePrinting:
        """Approved documents as Word pages."""
        from controller.adapters.procedure_layout import ProcedureLayout
        from controller.services.procedure_printing import ProcedurePrinting

        return ProcedurePrinting(self.documents, ProcedureLayout(), self.settings.company)

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
            staff=self.staff,
            routes=self.routes,
            exemption=self.document_exemption,
            company=self.settings.company,
        )

    @cached_property
    def print_signing(self) -> PrintSigning:
        """Signatures on the PDF of a record."""
        from controller.adapters.pdf_signing import PadesSigning
        from controller.services.print_signing import PrintSigning

        return PrintSigning(PadesSigning(), self.clock, self.settings.company)

    @cached_property
    def document_import(self) -> DocumentImport:
        """Adds documents."""
        from controller.services.document_import import DocumentImport

        return DocumentImport(self.controlled_files, self.statements, self.staff)

    @cached_property
    def adoption(self) -> LibraryAdoption:
        """Takes edited library files into force."""
        from controller.adapters.working_files import WorkingFiles
        from controller.adapters.working_folder import WorkingFolder
        from controller.services.library_adoption import LibraryAdoption

        working, folder = WorkingFiles(self.folder), WorkingFolder(self.folder)
        return LibraryAdoption(
            working, self.controlled_files, folder, self.clock, self.statements, self.staff, self._check_changes
        )

    def _check_changes(self, changes: Sequence[LibraryChange]) -> list[Finding]:
        from controller.adapters.working_files import WorkingFiles
        from controller.services.document_check import check_documents
        from controller.services.form_library import FormLibrary
        from controller.services.library_check import (
            check_encoding,
            check_people_unedited,
            check_revisions,
            check_rules,
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
        if SETTINGS_FILE in paths:
            findings += self._check_settings()
        if forms or blocks:
            findings += self.form_inspection(working=True).inspect([] if blocks else forms)
            findings += check_revisions(working, self.controlled_files, forms)
        if any(item.path.startswith("procedures/") for item in changes):
            findings += check_documents(self.document_library(working=True))
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

    def verify(
        self, *, rerender: bool = False, progress: Progress | None = None, spread: bool = True
    ) -> VerificationReport:
        """Examine the whole workspace; with `rerender`, make every print again and compare.

        Without `spread` everything is examined in this process.
        """
        from controller.adapters.git_folder_walk import GitFolderWalk
        from controller.adapters.git_index_examination import GitIndexExamination
        from controller.adapters.index_heads import SqliteIndexHeads
        from controller.adapters.pdf_signature_check import PadesCheck
        from controller.adapters.record_processes import ExaminedPlace, RecordProcesses
        from controller.adapters.repository_examination import RepositoryExamination
        from controller.adapters.working_files import WorkingFiles
        from controller.services.archive_verification import VerificationTools
        from controller.services.verification import PrintsAgain, unopened_report, verify_workspace
        from controller.services.working_copy_examination import WorkingCopyExamination
        from controller.services.workspace_identity import WorkspaceIdentity

        surroundings: list[WorkspaceExamination] = [RepositoryExamination(self.folder)]
        try:
            working = WorkingFiles(self.folder)
            surroundings.append(GitIndexExamination(self.folder))
            surroundings.append(WorkingCopyExamination(self.library_changes, self.controlled_files, working))
            tip = self.archive.tip()
        except QmsError as exc:
            return unopened_report(exc, surroundings)
        comparison = self.witness_comparison()
        if comparison is not None:
            surroundings.append(comparison)
        stamps: StampVerification | None = None
        with suppress(QmsError):  # where `main` cannot be read its own verification says so
            stamps = self.stamp_verification
        # Without the rules that filing needs: they are files too, and may be the damaged ones.
        settings = self.settings
        identity = WorkspaceIdentity(id=settings.workspace_id, site=settings.site, company=settings.company)
        place = ExaminedPlace(self.folder, tip or "", self.private_folder)
        with ExitStack() as closing:
            walk = GitFolderWalk(self.folder, tip or "")
            closing.callback(walk.close)
            tools = VerificationTools(
                history=self.history,
                keys=self.keys,
                walk=walk,
                zone=self.zone,
                witness=self.witness,
                spread=RecordProcesses(place) if spread else None,
                index=SqliteIndexHeads(self.local_folder / "index.sqlite"),
                timestamps=stamps,
                pdf=PadesCheck(),
                rerender=PrintsAgain(self.records, self.making) if rerender else None,
            )
            return verify_workspace(self.archive, identity, tools, surroundings=surroundings, progress=progress)

    def verification_report(self, report: VerificationReport, *, pdf: bool, translate: Callable[[Text], str]) -> bytes:
        """Return the printed report of `verify` as docx or PDF."""
        from importlib.metadata import version

        from controller.adapters.verification_document import verification_docx
        from controller.services.verification_report import report_page

        page = report_page(
            report,
            company=self.settings.company,
            site=self.settings.site,
            at=self.clock.now().isoformat(timespec="seconds"),
            program=f"wenkong {version('wenkong')}",
        )
        docx = verification_docx(page, translate)
        return self.new_printing().print(docx).data if pdf else docx

    def library_changes(self) -> list[LibraryChange]:
        """Return the library files of the folder that are not in force as they are."""
        from controller.adapters.working_files import WorkingFiles
        from controller.services.library_adoption import library_changes

        return library_changes(WorkingFiles(self.folder), self.controlled_files)

    @cached_property
    def history(self) -> GitBranchHistory:
        """The history of the branches."""
        from controller.adapters.git_history import GitBranchHistory

        return GitBranchHistory(self.folder)

    def browsing_copy(self, folder: Path, *, progress: Progress | None = None) -> int:
        """Write the masked browsing copy of the archive to `folder`; return how many records it holds."""
        from controller.adapters.browsing_folder import write_browsing_copy
        from controller.services.browsing_copy import browsing_files

        self.indexing.catch_up()
        return write_browsing_copy(folder, browsing_files(self.index, self.records, progress=progress))

    def close(self) -> None:
        """Remember how far the archive was seen, and let go of the processes and files that were opened."""
        with ExitStack() as closing:
            closing.callback(self._let_go)
            if "archive" in self.__dict__:
                with suppress(QmsError):  # the command has done its work: not remembering must not make it fail
                    self.witness.remember(self.index.count(at=self.archive.tip()) if "index" in self.__dict__ else None)

    def _let_go(self) -> None:
        with ExitStack() as closing:
            for name in ("archive", "history", "controlled_files", "keys", "index"):
                if name in self.__dict__:
                    closing.callback(self.__dict__[name].close)
                    closing.callback(self.__dict__.pop, name)

    def stage_label(self, state: RecordState) -> str:
        """Return the Chinese name of the stage a record is in."""
        from controller.services.archived_forms import ArchivedForms

        definition = ArchivedForms(self.archive, self.forms).definition(state.form)
        stage = definition.stage(state.stage) if definition else None
        return stage.label if stage else state.stage


def read_document_file(data: bytes, *, name: str) -> ReadText:
    """Read a text file or docx as documents with clauses; needs no workspace.

    Raises:
        QmsError: as `services.text_reading.read_uploaded_text`.
    """
    from controller.adapters.word_document import DocxWordReader
    from controller.services.text_reading import read_uploaded_text

    return read_uploaded_text(data, name=name, word=DocxWordReader())


def open_workspace(start: Path, *, clock: Clock | None = None) -> Application:
    """Open the workspace in `start` or above it.

    Raises:
        NotAWorkspaceError: there is none.
        SettingsError: its `qms.toml` is not acceptable.
    """
    folder = find_workspace(start.resolve())
    return Application(folder=folder, settings=load_settings(folder), clock_override=clock)


@dataclass(frozen=True)
class NewCompany:
    """新企业. What `qms init` is told about the company and its first people."""

    company: str
    prefix: str
    people: str
    """Text of `signatures/people.yml`; everybody in it gets a key, the first one founds the company."""
    passphrases: Mapping[str, str] = field(repr=False)
    """Person id → passphrase of the new key; `authority` for the company's certificate authority."""
    identity_check: str = "建立工作区时当面核对身份证件"
    site: str = "main"
    key_folder: str = ""
    """Where keys are kept; empty: the user's data directory."""


def make_workspace(folder: Path, new: NewCompany, *, clock: Clock | None = None) -> Application:
    """Make a new workspace with the starter library and its first people, and open it (`qms init`).

    Raises:
        FolderNotEmptyError: something is in the folder already.
        InvalidCompanyNameError: the company's name is not acceptable.
        InvalidIdentifierError: the prefix is not.
        PassphraseTooWeakError: a passphrase breaks the rules.
    """
    from controller.adapters.personal_keys import FileAuthorityKey, Pkcs12Keys
    from controller.adapters.starter_library import PackagedStarterLibrary
    from controller.adapters.system_clock import SystemClock
    from controller.adapters.this_computer import origin_here
    from controller.adapters.workspace_maker import FolderWorkspaceMaker, check_free
    from controller.domain.passphrase import check_passphrase
    from controller.file_formats.certificate_file import to_pem
    from controller.file_formats.signing_rules_file import SIGNING_FILE, read_signing_rules
    from controller.file_formats.staff_file import read_staff
    from controller.services.document_import import renew_clause_ids
    from controller.services.founding import AUTHORITY_PASSPHRASE, CompanyFounding, Founder
    from controller.services.workspace_setup import IGNORED, check_company, check_prefix, library_files

    settings = Settings(
        format=WORKSPACE_FORMAT,
        workspace_id=str(uuid.uuid4()),
        company=check_company(new.company),
        prefix=check_prefix(new.prefix),
        site=new.site,
        key_folder=new.key_folder,
    )
    check_free(folder.resolve())
    files = library_files(PackagedStarterLibrary(), new.prefix, renew=renew_clause_ids)
    files[PEOPLE_FILE] = new.people.encode("utf-8")
    staff = read_staff(files[POSTS_FILE].decode("utf-8"), new.people, people_where=PEOPLE_FILE).require()
    files["qms.toml"] = write_settings(settings).encode("utf-8")
    files[".gitignore"] = IGNORED.encode("utf-8")
    rules = read_signing_rules(files[SIGNING_FILE].decode("utf-8"), where=SIGNING_FILE)
    founders = [
        Founder(person, new.passphrases[person.id], new.identity_check)
        for person in staff.people.values()
        if person.active
    ]
    for founder in founders:
        check_passphrase(founder.passphrase, rules=rules, person=founder.person.id, name=founder.person.name)
    at = (clock or SystemClock(settings.time_zone)).now()
    private = Application(folder.resolve(), settings).private_folder
    founding = CompanyFounding(
        workspace=settings.workspace_id,
        site=new.site,
        prefix=new.prefix,
        company=settings.company,
        staff=staff,
        keys=Pkcs12Keys(private / "keys"),
        authority=FileAuthorityKey(private),
        rules=rules,
        origin=origin_here(),
    ).found(
        founders,
        authority_passphrase=new.passphrases[AUTHORITY_PASSPHRASE],
        at=at,
        kept_at=SystemClock(settings.time_zone).now(),
        library=files,
    )
    files["signatures/ca/ca.pem"] = to_pem(founding.root)
    FolderWorkspaceMaker().make(
        folder.resolve(), files, site=new.site, begin=founding.begin, by=staff.signatory(founders[0].person), at=at
    )
    return open_workspace(folder, clock=clock)
