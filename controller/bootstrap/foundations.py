"""基础. Clock, locks, branch `main`, the archive, identity and calendars: what every other room stands on."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from controller.domain.errors import MisconfiguredError
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from controller.adapters.git_archive import GitArchive
    from controller.adapters.git_controlled_files import GitControlledFiles
    from controller.adapters.git_history import GitBranchHistory
    from controller.domain.document_control_rules import DocumentControlRules
    from controller.domain.person import Staff
    from controller.domain.signing_rules import SigningRules
    from controller.domain.working_days import WorkingDays
    from controller.file_formats.calendar_file import CompanyCalendar
    from controller.services.archive_ports import BranchHeads
    from controller.services.files_in_force import FilesInForce
    from controller.services.personal_signer import PassphraseAnswer, PassphraseQuestion
    from controller.services.ports import Clock, FileLockFactory, RecordKeys
    from controller.services.statement_filing import StatementFiling
    from controller.services.trail import Trail
    from controller.services.workspace_identity import WorkspaceIdentity
    from controller.settings import (
        Settings,
    )

POSTS_FILE = "signatures/posts.yml"
PEOPLE_FILE = "signatures/people.yml"
WORKDAYS_FILE = "records/calendars/cn-workdays.yml"
COMPANY_RULES_FILE = "records/calendars/company.yml"


class LibraryFileMissingError(MisconfiguredError):
    """缺少受控文件. A file that governs the workspace is not on branch `main`."""

    code = "library-file-missing"

    def __init__(self, *, path: str) -> None:
        hint = T("请从备份或起步文件库恢复该文件，再用 qms change adopt 采用。")
        super().__init__(T("工作区缺少 {path}。", path=path), hint=hint, where=path)


@dataclass
class Foundations:
    """基础. Clock, locks, branch `main`, the archive, identity and calendars: what every other room stands on."""

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
    def approved_files(self) -> GitControlledFiles:
        """The newest approved content, branch `main`; some of it may wait for its day."""
        from controller.adapters.git_controlled_files import GitControlledFiles

        return GitControlledFiles(self.folder, lock=self.lock)

    @cached_property
    def controlled_files(self) -> FilesInForce:
        """The approved content that is in force today."""
        from controller.services.files_in_force import FilesInForce

        return FilesInForce(self.approved_files, self.clock)

    @cached_property
    def document_rules(self) -> DocumentControlRules:
        """The company's own numbers for controlling documents."""
        from controller.domain.document_control_rules import DocumentControlRules
        from controller.file_formats.document_control_file import DOCUMENT_CONTROL_FILE, read_document_control

        if self.controlled_files.read(DOCUMENT_CONTROL_FILE) is None:
            return DocumentControlRules()
        return read_document_control(self.controlled_text(DOCUMENT_CONTROL_FILE), posts=self.staff.posts)

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

    @cached_property
    def signing_rules(self) -> SigningRules:
        """The company's rules for signing in and signing."""
        from controller.file_formats.signing_rules_file import SIGNING_FILE, read_signing_rules

        return read_signing_rules(self.controlled_text(SIGNING_FILE), where=SIGNING_FILE)

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
    def archive(self) -> GitArchive:
        """The archive branch of this site."""
        from controller.adapters.git_archive import GitArchive

        archive = GitArchive(self.folder, lock=self.lock, site=self.settings.site, controlled=self.approved_files)
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

    @cached_property
    def branch_heads(self) -> BranchHeads:
        """Where every branch stands."""
        from controller.adapters.branch_heads import GitBranchHeads

        return GitBranchHeads(self.folder)

    @cached_property
    def history(self) -> GitBranchHistory:
        """The history of the branches."""
        from controller.adapters.git_history import GitBranchHistory

        return GitBranchHistory(self.folder)
