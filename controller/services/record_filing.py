"""记录归档. Opens records: checks values, allocates the number, makes and files the first entry (ISO 13485 4.2.5).

One record or thousands go the same way. Nothing is filed unless everything about it is right, and what is filed is
durable before the number is told to anybody.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller.domain.form_check import check_values
from controller.domain.identifiers import RecordNumber
from controller.domain.record import Act
from controller.services.archive_ports import ArchiveChange
from controller.services.attached_files import attach
from controller.services.entry_making import (
    ActDraft,
    Chain,
    ValuesRefusedError,
    asked_meaning,
    meaning_of,
    package_files,
    sensitive_keys,
)
from controller.services.stage_control import check_opening, find_stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from controller.domain.form import FormDefinition
    from controller.domain.form_check import CheckedValues, Problem
    from controller.domain.identifiers import Digest
    from controller.domain.person import Staff
    from controller.domain.record import RecordState, Signatory, Wire
    from controller.domain.working_days import WorkingDays
    from controller.services.archive_ports import Archive, ArchiveWriter
    from controller.services.attached_files import AttachedFiles
    from controller.services.entry_making import EntryMaking, MadeEntry
    from controller.services.form_library import FormLibrary, FormPackage
    from controller.services.indexing import Indexing
    from controller.services.ports import Clock, Progress, RecordKeys
    from controller.services.signing_ports import Signer
    from controller.services.workspace_identity import WorkspaceIdentity

BATCH = 500
"""Records in one commit of an import: few enough for little memory, enough for little overhead."""


@dataclass(frozen=True)
class Filed:
    """已归档. What came of an act: the number, the state it leads to, and what the person should know."""

    number: RecordNumber
    state: RecordState
    digest: Digest
    warnings: Sequence[Problem] = ()


@dataclass(frozen=True)
class ImportRow:
    """导入的一行. Values of one record as they stood in the source, and where they stood."""

    row: int
    values: Mapping[str, object]


@dataclass(frozen=True)
class RefusedRow:
    """未导入的一行. The row and every problem found in it."""

    row: int
    problems: Sequence[Problem]


@dataclass(frozen=True)
class ImportReport:
    """导入结果."""

    filed: Sequence[RecordNumber]
    refused: Sequence[RefusedRow]
    rows: int
    nothing_filed: bool = False
    """True when rows were refused and the import was all-or-nothing."""


@dataclass(frozen=True)
class OpeningAct:
    """立卷动作. Who opens a record and how, apart from the values."""

    by: Signer
    stage: str | None = None
    entered_for: str | None = None
    source: Mapping[str, Wire] | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Attachment files by the path that the values name."""


class RecordFiling:
    """记录归档. Opens records in one workspace."""

    def __init__(
        self,
        *,
        identity: WorkspaceIdentity,
        forms: FormLibrary,
        archive: Archive,
        keys: RecordKeys,
        making: EntryMaking,
        indexing: Indexing,
        staff: Staff,
        calendar: WorkingDays,
        clock: Clock,
    ) -> None:
        self._identity = identity
        self._forms = forms
        self._archive = archive
        self._keys = keys
        self._making = making
        self._indexing = indexing
        self._staff = staff
        self._calendar = calendar
        self._clock = clock

    def open(self, form: str, values: Mapping[str, object], act: OpeningAct) -> Filed:
        """Open one record of `form` and return its number.

        Raises:
            UnknownFormError: there is no such form.
            UnknownStageError: it has no such stage.
            StageRefusedError: a later stage was asked for that belongs to other posts.
            ValuesRefusedError: the values break the form's rules; carries every problem.
            WorkspaceBusyError: another program holds the site too long.
        """
        package = self._forms.package(form)
        now = self._clock.now()
        stage = find_stage(package.definition, act.stage)
        check_opening(package.definition, stage, act.by.signatory, self._staff)
        attached = attach(act.files)
        checked = self._check(package.definition, values, stage, now, act.by.signatory, attached)
        if not checked.ok:
            raise self._refusal(package.definition, checked.problems)
        meaning = meaning_of(package.definition, stage)
        act.by.ready(asked_meaning(package.definition, stage))
        with self._archive.writing() as writer:
            now = writer.moment(now)
            draft = self._draft(act, stage, now, meaning, checked.wire, checked.warnings, attached.contents)
            tip = self._archive.tip()
            number = RecordNumber.of(package.definition.number.text, now.year, self._next(writer, package, now.year))
            made = self._make(package, number, draft)
            files = {**self._missing_package(writer, package), **made.files}
            commit = writer.append(
                self._change(files, act.by.signatory, now, f"{number} {package.definition.title}", "open")
            )
        self._indexing.note([made.state], previous=tip, commit=commit)
        warnings = [item for item in checked.problems if item.level == "warning"]
        return Filed(number, made.state, made.digest, warnings)

    def import_rows(
        self,
        form: str,
        rows: Callable[[], Iterable[ImportRow]],
        act: OpeningAct,
        *,
        good_only: bool = False,
        progress: Progress | None = None,
    ) -> ImportReport:
        """File many records of one form: all of them or none, or with `good_only` those that are right.

        Every row is checked before the first is filed. All become visible in one step; a process killed in the middle
        leaves the archive as it was.
        """
        package = self._forms.package(form)
        now = self._clock.now()
        stage = find_stage(package.definition, act.stage)
        check_opening(package.definition, stage, act.by.signatory, self._staff)
        attached = attach(act.files)
        good: list[tuple[int, bytes]] = []
        refused: list[RefusedRow] = []
        total = 0
        for row in rows():
            total += 1
            checked = self._check(package.definition, row.values, stage, now, act.by.signatory, attached)
            if checked.ok:
                packed = json.dumps([checked.wire, list(checked.warnings)], ensure_ascii=False).encode()
                good.append((row.row, zlib.compress(packed, 1)))
            else:
                refused.append(RefusedRow(row.row, checked.problems))
            if progress is not None and not total % 50:
                progress(total, None)
        if (refused and not good_only) or not good:
            return ImportReport([], refused, total, nothing_filed=bool(refused))
        filed = self._file_rows(package, stage, good, act, now, progress)
        return ImportReport(filed, refused, total)

    def _file_rows(
        self,
        package: FormPackage,
        stage: str,
        good: Sequence[tuple[int, bytes]],
        act: OpeningAct,
        now: datetime,
        progress: Progress | None,
    ) -> list[RecordNumber]:
        form = package.definition.number.text
        act.by.ready(asked_meaning(package.definition, stage))
        with self._archive.writing() as writer:
            now = writer.moment(now)
            first = self._next(writer, package, now.year)
            numbers = [RecordNumber.of(form, now.year, first + offset) for offset in range(len(good))]
            if sensitive_keys(package.definition):
                self._keys.create(numbers)
            writer.append_many(self._batches(writer, package, stage, good, numbers, act, now, progress))
        self._indexing.catch_up()
        return numbers

    def _batches(
        self,
        writer: ArchiveWriter,
        package: FormPackage,
        stage: str,
        good: Sequence[tuple[int, bytes]],
        numbers: Sequence[RecordNumber],
        act: OpeningAct,
        now: datetime,
        progress: Progress | None,
    ) -> Iterator[ArchiveChange]:
        files: dict[str, bytes] = dict(self._missing_package(writer, package))
        contents = attach(act.files).contents
        meaning = meaning_of(package.definition, stage)
        since = 0
        for position, (row, packed) in enumerate(good):
            wire, warnings = json.loads(zlib.decompress(packed))
            source = {**(act.source or {}), "row": str(row)}
            draft = self._draft(act, stage, now, meaning, wire, warnings, contents, source=source)
            files.update(self._make(package, numbers[position], draft).files)
            if progress is not None:
                progress(position + 1, len(good))
            if position + 1 - since == BATCH or position + 1 == len(good):
                subject = f"{numbers[since]} … {numbers[position]} {package.definition.title}"
                yield self._change(files, act.by.signatory, now, subject, "import")
                files, since = {}, position + 1

    def _check(
        self,
        definition: FormDefinition,
        values: Mapping[str, object],
        stage: str,
        now: datetime,
        by: Signatory,
        attached: AttachedFiles,
    ) -> CheckedValues:
        return check_values(
            definition,
            values,
            stage=stage,
            now=now,
            performer=by,
            staff=self._staff,
            calendar=self._calendar,
            late_entry_workdays=self._identity.late_entry_workdays,
            attachments=attached.named,
        )

    @staticmethod
    def _refusal(definition: FormDefinition, problems: Sequence[Problem]) -> ValuesRefusedError:
        errors = [item for item in problems if item.level == "error"]
        return ValuesRefusedError(form=definition.number.text, title=definition.title, problems=errors)

    @staticmethod
    def _draft(
        act: OpeningAct,
        stage: str,
        now: datetime,
        meaning: str,
        wire: Mapping[str, Wire],
        warnings: Sequence[str],
        contents: Mapping[str, bytes],
        source: Mapping[str, Wire] | None = None,
    ) -> ActDraft:
        return ActDraft(
            act=Act.OPENED,
            by=act.by,
            at=now,
            meaning=meaning,
            stage=stage,
            values=wire,
            entered_for=act.entered_for,
            source=source or act.source,
            warnings=warnings,
            attachments=contents,
        )

    def _make(self, package: FormPackage, number: RecordNumber, draft: ActDraft) -> MadeEntry:
        key = None
        if sensitive_keys(package.definition) & draft.values.keys():
            key = self._keys.get(number) or self._keys.create([number])[number]
        return self._making.make(package, number, draft, chain=Chain(), key=key)

    @staticmethod
    def _next(writer: ArchiveWriter, package: FormPackage, year: int) -> int:
        return writer.last_serial(package.definition.number.text, year) + 1

    @staticmethod
    def _missing_package(writer: ArchiveWriter, package: FormPackage) -> dict[str, bytes]:
        return {path: data for path, data in package_files(package).items() if writer.read(path) is None}

    @staticmethod
    def _change(files: Mapping[str, bytes], by: Signatory, now: datetime, subject: str, action: str) -> ArchiveChange:
        return ArchiveChange(
            files=files, by=by, at=now, subject=subject, trailers={"QMS-Action": action, "QMS-Signer": by.person}
        )
