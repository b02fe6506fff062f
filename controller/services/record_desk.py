"""归档台. What filing records takes, in one place: who may sign what, on which form, when, and where it is kept.

Opening a record, continuing it and acts that do several things at once prepare and make their entries here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from controller.domain.form_check import check_values
from controller.services.entry_making import ActDraft, ValuesRefusedError, package_files, sensitive_keys

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from controller.domain.form import FormDefinition
    from controller.domain.form_check import CheckedValues, Problem
    from controller.domain.identifiers import RecordNumber
    from controller.domain.person import Staff
    from controller.domain.record import Act, Signatory, Wire
    from controller.domain.working_days import WorkingDays
    from controller.services.archive_ports import Archive, ArchiveReader
    from controller.services.attached_files import AttachedFiles
    from controller.services.entry_making import Chain, EntryMaking, MadeEntry
    from controller.services.form_library import FormLibrary, FormPackage
    from controller.services.indexing import Indexing
    from controller.services.ports import Clock, RecordKeys
    from controller.services.signing_ports import Signer
    from controller.services.workspace_identity import WorkspaceIdentity


@dataclass(frozen=True)
class PreparedEntry:
    """备好的条目. Checked in every respect; only its number, its moment and its signature are missing."""

    package: FormPackage
    act: Act
    stage: str
    meaning: str
    asked: str
    """What the person is asked to sign it as."""
    values: Mapping[str, Wire] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    told: Sequence[Problem] = ()
    """Warnings as the person is told them."""
    contents: Mapping[str, bytes] = field(default_factory=dict)
    """Digest hex → bytes of attachments."""
    reason: str | None = None
    entered_for: str | None = None
    source: Mapping[str, Wire] | None = None
    secret_files: Collection[str] = frozenset()

    def draft(self, by: Signer, at: datetime) -> ActDraft:
        """Return the act as `by` does it at `at`."""
        return ActDraft(
            act=self.act,
            by=by,
            at=at,
            meaning=self.meaning,
            stage=self.stage,
            values=self.values,
            reason=self.reason,
            entered_for=self.entered_for,
            source=self.source,
            warnings=self.warnings,
            attachments=self.contents,
            secret_files=self.secret_files,
        )


class TrainingGate(Protocol):
    """阅知关卡. Keeps from a form's stages whoever has not read the procedure that owns it."""

    def check(self, definition: FormDefinition, subject: str, by: Signatory) -> None:
        """Make sure that `by` may sign a stage of the form; `subject` is the record's number or the form's title.

        Raises:
            TrainingMissingError: the person has not read the procedure's revision in force.
        """
        ...


@dataclass(frozen=True)
class RecordDesk:
    """归档台. The collaborators of everything that files records in one workspace."""

    identity: WorkspaceIdentity
    forms: FormLibrary
    archive: Archive
    keys: RecordKeys
    making: EntryMaking
    indexing: Indexing
    staff: Staff
    calendar: WorkingDays
    clock: Clock
    training: TrainingGate

    def check(
        self,
        definition: FormDefinition,
        values: Mapping[str, object],
        *,
        stage: str,
        now: datetime,
        by: Signatory,
        attached: AttachedFiles,
        before: Mapping[str, Wire] | None = None,
    ) -> CheckedValues:
        """Check values against the form as they stand at `stage`; `before` is what the record holds already."""
        return check_values(
            definition,
            values,
            stage=stage,
            now=now,
            performer=by,
            staff=self.staff,
            calendar=self.calendar,
            before=before,
            late_entry_workdays=self.identity.late_entry_workdays,
            attachments=attached.named,
        )

    def make(
        self, prepared: PreparedEntry, number: RecordNumber, by: Signer, *, at: datetime, chain: Chain
    ) -> MadeEntry:
        """Make the next entry of `chain`; a record that seals something gets its key here, durably."""
        key = None
        if prepared.secret_files or sensitive_keys(prepared.package.definition) & prepared.values.keys():
            key = self.keys.get(number) or self.keys.create([number])[number]
        return self.making.make(prepared.package, number, prepared.draft(by, at), chain=chain, key=key)

    @staticmethod
    def missing_package(archive: ArchiveReader, package: FormPackage) -> dict[str, bytes]:
        """Return the files of the form that the archive does not keep yet."""
        return {path: data for path, data in package_files(package).items() if archive.read(path) is None}


def refusal(definition: FormDefinition, problems: Sequence[Problem]) -> ValuesRefusedError:
    """Return the error that tells every problem of values that were refused."""
    errors = [item for item in problems if item.level == "error"]
    return ValuesRefusedError(form=definition.number.text, title=definition.title, problems=errors)
