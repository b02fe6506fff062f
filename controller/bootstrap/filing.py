"""记录. Filing, reading and finding records; registers and the audit trail."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from controller.domain.errors import QmsError

if TYPE_CHECKING:
    from pathlib import Path

    from controller.adapters.audit_trail_files import AuditTrailFiles
    from controller.adapters.register_document import RegisterDocuments
    from controller.adapters.register_files import RegisterFiles
    from controller.adapters.sqlite_index import SqliteIndex
    from controller.domain.record import RecordState
    from controller.domain.register import RegisterDefinition
    from controller.services.act_filing import ActFiling
    from controller.services.audit_trail import AuditTrail
    from controller.services.document_facts import DocumentFacts
    from controller.services.entry_making import EntryMaking
    from controller.services.indexing import Indexing
    from controller.services.paper_signing import PaperSigning
    from controller.services.ports import Progress
    from controller.services.record_control import RecordControl
    from controller.services.record_desk import RecordDesk
    from controller.services.record_filing import RecordFiling
    from controller.services.register_building import RegisterBuilding

from controller.bootstrap.reading import Reading


@dataclass
class Filing(Reading):
    """记录. Filing, reading and finding records; registers and the audit trail."""

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
    def desk(self) -> RecordDesk:
        """What filing records takes."""
        from controller.services.record_desk import RecordDesk

        return RecordDesk(
            identity=self.identity,
            forms=self.forms,
            archive=self.archive,
            keys=self.keys,
            making=self.making,
            indexing=self.indexing,
            staff=self.staff,
            calendar=self.calendar,
            clock=self.clock,
            training=self.training_gate,
        )

    @cached_property
    def filing(self) -> RecordFiling:
        """Opens records."""
        from controller.services.record_filing import RecordFiling

        return RecordFiling(self.desk)

    @cached_property
    def records(self) -> RecordControl:
        """Reads and continues records."""
        from controller.services.record_control import RecordControl

        return RecordControl(self.desk)

    @cached_property
    def acts(self) -> ActFiling:
        """Files acts of several statements and records."""
        from controller.services.act_filing import ActFiling

        return ActFiling(self.desk, self.filing, self.records, self.statements)

    @cached_property
    def paper_signing(self) -> PaperSigning:
        """Takes in what was signed on paper for a record."""
        from controller.adapters.scan_reading import ScanReading
        from controller.services.paper_signing import PaperSigning

        return PaperSigning(self.records, ScanReading(), self.clock, self.settings.workspace_id)

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
            facts=lambda: self.document_facts,
            registers=self.register_definitions,
        )

    @property
    def document_facts(self) -> DocumentFacts | None:
        """What the master lists say besides control lines; known in a later room."""
        return None

    def register_definitions(self) -> list[RegisterDefinition]:
        """Return the registers whose definitions can be read; the others are told by `qms register lint`."""
        found = []
        for item in self.registers.ids():
            try:
                found.append(self.registers.definition(item))
            except QmsError:
                continue
        return found

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

    def browsing_copy(self, folder: Path, *, progress: Progress | None = None) -> int:
        """Write the masked browsing copy of the archive to `folder`; return how many records it holds."""
        from controller.adapters.browsing_folder import write_browsing_copy
        from controller.services.browsing_copy import browsing_files

        self.indexing.catch_up()
        return write_browsing_copy(folder, browsing_files(self.index, self.records, progress=progress))

    def stage_label(self, state: RecordState) -> str:
        """Return the Chinese name of the stage a record is in."""
        from controller.services.archived_forms import ArchivedForms

        definition = ArchivedForms(self.archive, self.forms).definition(state.form)
        stage = definition.stage(state.stage) if definition else None
        return stage.label if stage else state.stage
