"""记录控制. What happens to a record once it is opened: next stage, correction, void (ISO 13485 4.2.5).

Earlier values are never overwritten: each act is one more entry in the record's chain (21 CFR 11.10 e).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller.domain.errors import RefusedError
from controller.domain.form_additions import replaced_values
from controller.domain.paper_signature import TAKEN_IN
from controller.domain.record import Act
from controller.domain.text import T, Text
from controller.services.archive_ports import ArchiveChange
from controller.services.attached_files import attach
from controller.services.entry_making import Chain, asked_meaning, meaning_of
from controller.services.record_desk import PreparedEntry, refusal
from controller.services.record_filing import Filed
from controller.services.record_reading import RecordReading
from controller.services.stage_control import StageRefusedError, check_move, find_stage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from controller.domain.form_check import CheckedValues
    from controller.domain.identifiers import Digest, RecordNumber
    from controller.domain.paper_signature import PaperSignature
    from controller.domain.record import Signatory, Wire
    from controller.services.archive_ports import ArchiveReader
    from controller.services.attached_files import AttachedFiles
    from controller.services.entry_making import MadeEntry
    from controller.services.form_library import FormPackage
    from controller.services.record_reading import StoredRecord
    from controller.services.signing_ports import Signer

_REASON_AT_LEAST = 5
_QUALITY_POSTS = frozenset({"quality_officer", "quality_head", "general_manager"})
"""Posts that may void any record and correct one that is closed or another's (GSP Art. 22; company default)."""


_MEANINGS = {Act.VOIDED: "作废", Act.CORRECTED: "更正", Act.FILLED: "记录", Act.SIGNED_ON_PAPER: TAKEN_IN}
"""Meaning of acts that do not take the record to another stage."""


class NothingChangedError(RefusedError):
    """没有改动. The act would say nothing that the record does not say already."""

    code = "nothing-changed"

    def __init__(self, *, number: RecordNumber | str) -> None:
        super().__init__(
            T("记录 {number} 没有任何改动，没有归档。", number=number),
            hint=T("写出要补充或更正的内容，或用 --stage 推进到下一阶段。"),
        )


class ReasonNeededError(RefusedError):
    """需要写明原因. Corrections and voids need a reason of at least five characters (GSP, ALCOA)."""

    code = "reason-needed"

    def __init__(self) -> None:
        super().__init__(
            T("更正和作废必须写明原因（至少 {count} 个字）。", count=_REASON_AT_LEAST),
            hint=T("例如 --reason “批号录错，以实物标签为准”。"),
        )


class ShownChangedError(RefusedError):
    """所见已变. Somebody went on with the record after it was shown to the signer (21 CFR 11.70; 电子签名法 13)."""

    code = "shown-changed"

    def __init__(self, *, number: RecordNumber) -> None:
        super().__init__(
            T("记录 {number} 在您查看之后已被其他人更新，没有签名。", number=number),
            hint=T("重新查看这份记录后再操作。"),
            where=number.text,
        )


@dataclass(frozen=True)
class Standing:
    """记录现状. Where a record stands that is to go on: as it is stored, or as an act under way has made it so far."""

    name: str
    """Its number; the form's title while it has none."""
    package: FormPackage
    stage: str
    before: Mapping[str, Wire]
    """What it says so far, open and sealed values together."""

    @classmethod
    def of(cls, record: StoredRecord) -> Standing:
        """Return where a stored record stands."""
        return cls(record.state.number.text, record.package, record.state.stage, record.before)


class RecordControl(RecordReading):
    """记录控制. Reads and continues the records of one workspace."""

    def advance(
        self,
        number: RecordNumber,
        values: Mapping[str, object],
        by: Signer,
        *,
        stage: str | None = None,
        files: Mapping[str, bytes] | None = None,
        seen: Digest | None = None,
    ) -> Filed:
        """Fill more fields and, with `stage`, take the record to that stage.

        Raises:
            StageRefusedError: the stage cannot follow, or the person's posts do not allow it.
            TrainingMissingError: the person has not read the procedure that owns the form.
            ValuesRefusedError: the values break the form's rules as they stand at that stage, or would replace what
                was entered before.
            NothingChangedError: there is nothing to add and no stage to go to.
        """
        record = self.read(number, unmask=True)
        _check_seen(record, seen)
        self._check_open(record)
        prepared = self.prepare_advance(Standing.of(record), values, by.signatory, stage=stage, files=files)
        return self._append(record, prepared, by)

    def stored(self, number: RecordNumber) -> StoredRecord:
        """Return a record that may go on, opened.

        Raises:
            StageRefusedError: the record is void.
        """
        record = self.read(number, unmask=True)
        self._check_open(record)
        return record

    def prepare_advance(
        self,
        standing: Standing,
        values: Mapping[str, object],
        by: Signatory,
        *,
        stage: str | None = None,
        files: Mapping[str, bytes] | None = None,
    ) -> PreparedEntry:
        """Check in every respect what would fill in more, or take the record to `stage`; nothing is filed.

        Raises:
            UnknownStageError, StageRefusedError, ValuesRefusedError, NothingChangedError: as `advance`.
        """
        target = standing.stage if stage is None else find_stage(standing.package.definition, stage)
        check_move(standing.package.definition, standing.name, standing.stage, target, by, self._desk.staff)
        self._desk.training.check(standing.package.definition, standing.name, by)
        act = Act.FILLED if target == standing.stage else Act.ADVANCED
        return self._prepared(standing, act, values, by, stage=target, attached=attach(files or {}))

    def make_next(
        self,
        prepared: PreparedEntry,
        number: RecordNumber,
        by: Signer,
        *,
        at: datetime,
        chain: Chain,
        archive: ArchiveReader,
    ) -> MadeEntry:
        """Make the next entry of a record, signed; `archive` is what the writer sees.

        Raises:
            ShownChangedError: somebody else went on with the record in between.
        """
        if archive.read(f"{number.folder}/{len(chain.entries) + 1:04d}.json") is not None:
            raise ShownChangedError(number=number)
        return self._desk.make(prepared, number, by, at=at, chain=chain)

    def correct(
        self,
        number: RecordNumber,
        values: Mapping[str, object],
        by: Signer,
        *,
        reason: str,
        files: Mapping[str, bytes] | None = None,
        seen: Digest | None = None,
    ) -> Filed:
        """Correct values with a reason; the earlier values stay in the chain (GSP Art. 22; 21 CFR 11.10 e).

        Raises:
            ReasonNeededError: the reason is too short to be one.
            StageRefusedError: the record is void, or the person may not correct it.
            ValuesRefusedError: the corrected values break the form's rules.
            NothingChangedError: the record already says so.
        """
        if len(reason.strip()) < _REASON_AT_LEAST:
            raise ReasonNeededError
        record = self.read(number, unmask=True)
        _check_seen(record, seen)
        self._check_open(record)
        self._check_may_correct(record, by.signatory)
        standing, attached = Standing.of(record), attach(files or {})
        prepared = self._prepared(
            standing,
            Act.CORRECTED,
            values,
            by.signatory,
            stage=standing.stage,
            attached=attached,
            reason=reason.strip(),
        )
        return self._append(record, prepared, by)

    def void(self, number: RecordNumber, by: Signer, *, reason: str, seen: Digest | None = None) -> Filed:
        """Void the record with a reason; it stays readable and its number stays used (ISO 13485 4.2.5)."""
        if len(reason.strip()) < _REASON_AT_LEAST:
            raise ReasonNeededError
        record = self.read(number)
        _check_seen(record, seen)
        self._check_open(record)
        if not self._holds_quality_post(by.signatory):
            raise self._wrong_post(number, T("作废应由质管员或质量负责人进行"))
        meaning = _MEANINGS[Act.VOIDED]
        prepared = PreparedEntry(
            record.package, Act.VOIDED, record.state.stage, meaning, asked=meaning, reason=reason.strip()
        )
        return self._append(record, prepared, by)

    def sign_on_paper(
        self,
        number: RecordNumber,
        paper: PaperSignature,
        by: Signer,
        *,
        scan: bytes | None = None,
        secret: bool = False,
        seen: Digest | None = None,
    ) -> Filed:
        """File a signature on paper, or why there is none; `by` attests to have seen the original of the scan.

        It leaves the record in its stage. With `paper.field` it fills that field too. With `secret` the scan shows
        sensitive information and is sealed.

        Raises:
            StageRefusedError: the record is void, or the field is not open to the person.
            ValuesRefusedError: the field is filled already, or takes no signature from outside.
            ShownChangedError: the record went on after the caller looked at it.
        """
        record = self.read(number, unmask=True)
        _check_seen(record, seen)
        self._check_open(record)
        values: dict[str, object] = {}
        if paper.field is not None:
            here = record.state.stage
            check_move(record.package.definition, number.text, here, here, by.signatory, self._desk.staff)
            value: dict[str, object] = {**paper.value()}
            if paper.scan is not None:
                value["attachment"] = paper.scan.name
            values[paper.field] = value
        files = {paper.scan.name: scan} if paper.scan is not None and scan is not None else {}
        standing, attached = Standing.of(record), attach(files)
        prepared = self._prepared(
            standing,
            Act.SIGNED_ON_PAPER,
            values,
            by.signatory,
            stage=standing.stage,
            attached=attached,
            reason=paper.reason,
            paper=paper,
        )
        secret_files = frozenset(attached.contents) if secret else frozenset()
        return self._append(record, replace(prepared, secret_files=secret_files), by)

    def _prepared(
        self,
        standing: Standing,
        act: Act,
        values: Mapping[str, object],
        by: Signatory,
        *,
        stage: str,
        attached: AttachedFiles,
        reason: str | None = None,
        paper: PaperSignature | None = None,
    ) -> PreparedEntry:
        prepared = PreparedEntry(
            package=standing.package,
            act=act,
            stage=stage,
            meaning=_MEANINGS.get(act) or meaning_of(standing.package.definition, stage),
            asked=_MEANINGS.get(act) or asked_meaning(standing.package.definition, stage),
            contents=attached.contents,
            reason=reason,
        )
        if paper is not None:
            prepared = replace(prepared, asked=paper.meaning, source=paper.wire())
            if not values:
                return prepared
        checked = self._checked(standing, act, values, stage, by, attached)
        if not checked.wire and act is not Act.ADVANCED:
            raise NothingChangedError(number=standing.name)
        told = tuple(item for item in checked.problems if item.level == "warning")
        return replace(prepared, values=dict(checked.wire), warnings=checked.warnings, told=told)

    def _append(self, record: StoredRecord, prepared: PreparedEntry, by: Signer) -> Filed:
        number = record.state.number
        now = self._desk.clock.now()
        by.ready(prepared.asked)
        with self._desk.archive.writing() as writer:
            tip = self._desk.archive.tip()
            now = writer.moment(now)
            chain = Chain(record.entries, record.opened)
            made = self.make_next(prepared, number, by, at=now, chain=chain, archive=writer)
            trailers = {"QMS-Action": prepared.act.value, "QMS-Signer": by.signatory.person}
            change = ArchiveChange(made.files, by.signatory, now, f"{number} {prepared.act.value}", trailers)
            commit = writer.append(change)
        self._desk.indexing.note([made.state], previous=tip, commit=commit)
        return Filed(number, made.state, made.digest, prepared.told)

    def _checked(
        self,
        standing: Standing,
        act: Act,
        values: Mapping[str, object],
        stage: str,
        by: Signatory,
        attached: AttachedFiles,
    ) -> CheckedValues:
        definition, before = standing.package.definition, standing.before
        now = self._desk.clock.now()
        checked = self._desk.check(definition, values, stage=stage, now=now, by=by, attached=attached, before=before)
        errors = [item for item in checked.problems if item.level == "error"]
        if act is not Act.CORRECTED:
            errors += replaced_values(definition, before, checked.wire)
        if errors:
            raise refusal(definition, errors)
        return checked

    def _check_may_correct(self, record: StoredRecord, by: Signatory) -> None:
        if self._holds_quality_post(by):
            return
        number, definition = record.state.number, record.package.definition
        stage = definition.stage(record.state.stage)
        if stage is not None and stage.final:
            raise self._wrong_post(number, T("已办结的记录应由质管员或质量负责人更正"))
        if by.person not in {entry.by.person for entry, _ in record.entries}:
            raise self._wrong_post(number, T("别人的记录应由本人、质管员或质量负责人更正"))

    def _holds_quality_post(self, by: Signatory) -> bool:
        person = self._desk.staff.people.get(by.person)
        return person is not None and bool(_QUALITY_POSTS & set(person.posts))

    @staticmethod
    def _wrong_post(number: RecordNumber, problem: Text) -> StageRefusedError:
        return StageRefusedError(subject=number.text, problem=problem, hint=T("请相应岗位的人员操作。"))

    @staticmethod
    def _check_open(record: StoredRecord) -> None:
        if record.state.voided:
            raise StageRefusedError(
                subject=record.state.number.text,
                problem=T("已作废，不能再填写或更正"),
                hint=T("需要时另立一份新记录，并引用本编号。"),
            )


def _check_seen(record: StoredRecord, seen: Digest | None) -> None:
    """Refuse when the record is no longer what the signer saw; `seen` is the digest of the last entry then."""
    if seen is not None and seen != record.state.head:
        raise ShownChangedError(number=record.state.number)
