"""记录归档. Opens records: checks values, allocates the number, makes and files the first entry (ISO 13485 4.2.5).

One record or thousands go the same way. Nothing is filed unless everything about it is right, and what is filed is
durable before the number is told to anybody.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from controller.domain.identifiers import RecordNumber
from controller.domain.record import Act
from controller.services.archive_ports import ArchiveChange
from controller.services.attached_files import attach
from controller.services.entry_making import Chain, asked_meaning, meaning_of, sensitive_keys
from controller.services.record_desk import PreparedEntry, refusal
from controller.services.stage_control import check_opening, find_stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from controller.domain.form_check import Problem
    from controller.domain.identifiers import Digest
    from controller.domain.record import RecordState, Signatory, Wire
    from controller.services.archive_ports import ArchiveReader, ArchiveWriter
    from controller.services.entry_making import MadeEntry
    from controller.services.form_library import FormPackage
    from controller.services.ports import Progress
    from controller.services.record_desk import RecordDesk
    from controller.services.signing_ports import Signer

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

    def __init__(self, desk: RecordDesk) -> None:
        self._desk = desk

    def open(self, form: str, values: Mapping[str, object], act: OpeningAct) -> Filed:
        """Open one record of `form` and return its number.

        Raises:
            UnknownFormError: there is no such form.
            UnknownStageError: it has no such stage.
            StageRefusedError: a later stage was asked for that belongs to other posts.
            TrainingMissingError: the person has not read the procedure that owns the form.
            ValuesRefusedError: the values break the form's rules; carries every problem.
            WorkspaceBusyError: another program holds the site too long.
        """
        prepared = self.prepare(form, values, act)
        now = self._desk.clock.now()
        act.by.ready(prepared.asked)
        with self._desk.archive.writing() as writer:
            now = writer.moment(now)
            tip = self._desk.archive.tip()
            serial = writer.last_serial(prepared.package.definition.number.text, now.year) + 1
            number, made, files = self.make_first(prepared, act.by, at=now, serial=serial, archive=writer)
            subject = f"{number} {prepared.package.definition.title}"
            commit = writer.append(self._change(files, act.by.signatory, now, subject, "open"))
        self._desk.indexing.note([made.state], previous=tip, commit=commit)
        return Filed(number, made.state, made.digest, prepared.told)

    def prepare(self, form: str, values: Mapping[str, object], act: OpeningAct) -> PreparedEntry:
        """Check in every respect what would open a record of `form`; nothing is filed.

        Raises:
            UnknownFormError, UnknownStageError, StageRefusedError, ValuesRefusedError: as `open`.
        """
        package = self._desk.forms.package(form)
        definition, by = package.definition, act.by.signatory
        stage = find_stage(definition, act.stage)
        check_opening(definition, stage, by, self._desk.staff)
        self._desk.training.check(definition, definition.title, by)
        attached = attach(act.files)
        now = self._desk.clock.now()
        checked = self._desk.check(definition, values, stage=stage, now=now, by=by, attached=attached)
        if not checked.ok:
            raise refusal(definition, checked.problems)
        return self._prepared(package, stage, act, checked.wire, checked.warnings, attached.contents, checked.problems)

    def make_first(
        self, prepared: PreparedEntry, by: Signer, *, at: datetime, serial: int, archive: ArchiveReader
    ) -> tuple[RecordNumber, MadeEntry, dict[str, bytes]]:
        """Make the first entry of the record `serial` of the year, signed, and all files that file it.

        `archive` is what the writer sees.
        """
        number = RecordNumber.of(prepared.package.definition.number.text, at.year, serial)
        made = self._desk.make(prepared, number, by, at=at, chain=Chain())
        return number, made, {**self._desk.missing_package(archive, prepared.package), **made.files}

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
        package = self._desk.forms.package(form)
        now = self._desk.clock.now()
        stage = find_stage(package.definition, act.stage)
        check_opening(package.definition, stage, act.by.signatory, self._desk.staff)
        self._desk.training.check(package.definition, package.definition.title, act.by.signatory)
        attached = attach(act.files)
        good: list[tuple[int, bytes]] = []
        refused: list[RefusedRow] = []
        total = 0
        for row in rows():
            total += 1
            checked = self._desk.check(
                package.definition, row.values, stage=stage, now=now, by=act.by.signatory, attached=attached
            )
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
        with self._desk.archive.writing() as writer:
            now = writer.moment(now)
            first = writer.last_serial(form, now.year) + 1
            numbers = [RecordNumber.of(form, now.year, first + offset) for offset in range(len(good))]
            if sensitive_keys(package.definition):
                self._desk.keys.create(numbers)
            writer.append_many(self._batches(writer, package, stage, good, numbers, act, now, progress))
        self._desk.indexing.catch_up()
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
        files: dict[str, bytes] = dict(self._desk.missing_package(writer, package))
        contents = attach(act.files).contents
        since = 0
        for position, (row, packed) in enumerate(good):
            wire, warnings = json.loads(zlib.decompress(packed))
            source = {**(act.source or {}), "row": str(row)}
            prepared = self._prepared(package, stage, replace(act, source=source), wire, warnings, contents)
            made = self._desk.make(prepared, numbers[position], act.by, at=now, chain=Chain())
            files.update(made.files)
            if progress is not None:
                progress(position + 1, len(good))
            if position + 1 - since == BATCH or position + 1 == len(good):
                subject = f"{numbers[since]} … {numbers[position]} {package.definition.title}"
                yield self._change(files, act.by.signatory, now, subject, "import")
                files, since = {}, position + 1

    @staticmethod
    def _prepared(
        package: FormPackage,
        stage: str,
        act: OpeningAct,
        wire: Mapping[str, Wire],
        warnings: Sequence[str],
        contents: Mapping[str, bytes],
        problems: Sequence[Problem] = (),
    ) -> PreparedEntry:
        return PreparedEntry(
            package=package,
            act=Act.OPENED,
            stage=stage,
            meaning=meaning_of(package.definition, stage),
            asked=asked_meaning(package.definition, stage),
            values=wire,
            warnings=warnings,
            told=[item for item in problems if item.level == "warning"],
            contents=contents,
            entered_for=act.entered_for,
            source=act.source,
        )

    @staticmethod
    def _change(files: Mapping[str, bytes], by: Signatory, now: datetime, subject: str, action: str) -> ArchiveChange:
        return ArchiveChange(
            files=files, by=by, at=now, subject=subject, trailers={"QMS-Action": action, "QMS-Signer": by.person}
        )
