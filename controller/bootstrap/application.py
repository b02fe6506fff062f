"""工作区. The opened workspace with all its services, examined as a whole and let go again."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.conformity import Gravity
from controller.domain.errors import QmsError
from controller.settings import (
    find_workspace,
    load_settings,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from controller.domain.identifiers import RecordNumber
    from controller.domain.text import Text
    from controller.services.archive_witness import ArchiveWitness
    from controller.services.examination_ports import WorkspaceExamination
    from controller.services.ports import Clock, Progress
    from controller.services.record_standing import RecordStanding
    from controller.services.timestamp_verification import StampVerification
    from controller.services.verification import VerificationReport
    from controller.services.workspace_identity import WorkspaceIdentity

from controller.bootstrap.changes import Changes


@dataclass
class Application(Changes):
    """一个打开的工作区. Its settings and its services."""

    doubted: bool = False
    """Whether an examination found something wrong: then nothing of it is remembered as seen."""

    @property
    def witness(self) -> ArchiveWitness:
        """Remembers how far this computer has seen the archive."""
        from controller.adapters.seen_heads import SeenHeadsFile
        from controller.services.archive_witness import ArchiveWitness

        heads = SeenHeadsFile(self.private_folder, self.folder, together=bool(self.settings.key_folder))
        return ArchiveWitness(self.archive, heads, self.settings.site, history=self.history)

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

        surroundings: list[WorkspaceExamination] = [RepositoryExamination(self.folder)]
        damage: list[str] = []
        try:
            # First of all: in a store that was tampered with, other gits may never come to an end.
            damage += self.archive.damage()
            if damage:
                self.archive.check_ends()
            working = WorkingFiles(self.folder)
            surroundings.append(GitIndexExamination(self.folder))
            surroundings.append(WorkingCopyExamination(self.library_changes, self.approved_files, working))
            tip = self.archive.tip()
        except QmsError as exc:
            return unopened_report(exc, surroundings, damage)
        comparison = self.witness_comparison()
        if comparison is not None:
            surroundings.append(comparison)
        stamps: StampVerification | None = None
        with suppress(QmsError):  # where `main` cannot be read its own verification says so
            stamps = self.stamp_verification
        with ExitStack() as closing:
            walk = GitFolderWalk(self.folder, tip or "")
            closing.callback(walk.close)
            tools = VerificationTools(
                history=self.history,
                keys=self.keys,
                walk=walk,
                zone=self.zone,
                witness=self.witness,
                spread=RecordProcesses(ExaminedPlace(self.folder, tip or "", self.private_folder)) if spread else None,
                index=SqliteIndexHeads(self.local_folder / "index.sqlite", fresh=self._index_anew),
                timestamps=stamps,
                pdf=PadesCheck(),
                rerender=PrintsAgain(self.records, self.making) if rerender else None,
                damage=damage,
            )
            report = verify_workspace(
                self.archive, self._examined_identity(), tools, surroundings=surroundings, progress=progress
            )
        self.doubted = bool(report.of_gravity(Gravity.ERROR))
        return report

    def _examined_identity(self) -> WorkspaceIdentity:
        """Return the identity without the rules that filing needs: they are files too, and may be the damaged ones."""
        from controller.services.workspace_identity import WorkspaceIdentity

        settings = self.settings
        return WorkspaceIdentity(id=settings.workspace_id, site=settings.site, company=settings.company)

    def verify_record(self, number: RecordNumber) -> RecordStanding:
        """Return who has signed a record, what each signature is worth, and who is still missing.

        Raises:
            RecordNotArchivedError: there is no such record.
        """
        from controller.adapters.git_folder_walk import GitFolderWalk
        from controller.services.archive_verification import VerificationTools
        from controller.services.verification import verify_record

        with ExitStack() as closing:
            walk = GitFolderWalk(self.folder, self.archive.tip() or "")
            closing.callback(walk.close)
            tools = VerificationTools(history=self.history, keys=self.keys, walk=walk, zone=self.zone)
            return verify_record(self.archive, self._examined_identity(), tools, number)

    def _index_anew(self, place: Path) -> None:
        """Make the index anew in a file of its own."""
        from controller.adapters.sqlite_index import SqliteIndex
        from controller.services.indexing import Indexing

        anew = SqliteIndex(place, workspace=self.settings.workspace_id)
        try:
            Indexing(self.archive, anew, self.forms).catch_up()
        finally:
            anew.close()

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

    def close(self) -> None:
        """Remember how far the archive was seen, and let go of the processes and files that were opened."""
        with ExitStack() as closing:
            closing.callback(self._let_go)
            if "archive" in self.__dict__ and not self.doubted:
                with suppress(QmsError):  # the command has done its work: not remembering must not make it fail
                    self.witness.remember(self.index.count(at=self.archive.tip()) if "index" in self.__dict__ else None)

    def _let_go(self) -> None:
        with ExitStack() as closing:
            for name in ("archive", "history", "approved_files", "keys", "index"):
                if name in self.__dict__:
                    closing.callback(self.__dict__[name].close)
                    closing.callback(self.__dict__.pop, name)


def open_workspace(start: Path, *, clock: Clock | None = None) -> Application:
    """Open the workspace in `start` or above it.

    Raises:
        NotAWorkspaceError: there is none.
        SettingsError: its `qms.toml` is not acceptable.
    """
    folder = find_workspace(start.resolve())
    return Application(folder=folder, settings=load_settings(folder), clock_override=clock)
