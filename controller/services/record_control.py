"""记录控制. What happens to a record once it is opened: next stage, correction, void, reading (ISO 13485 4.2.5).

Earlier values are never overwritten: each act is one more entry in the record's chain (21 CFR 11.10 e).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.closing_lines import closing_lines
from controller.domain.errors import DamagedError, NotFoundError, RefusedError
from controller.domain.form_additions import replaced_values
from controller.domain.form_check import check_values
from controller.domain.identifiers import Digest, RecordNumber
from controller.domain.paper_signature import TAKEN_IN
from controller.domain.record import Act
from controller.domain.record_chain import fold
from controller.domain.text import T, Text
from controller.file_formats.compiled_form import read_compiled
from controller.file_formats.entry_file import decode_entry
from controller.file_formats.sealed_file import mismatches, unseal
from controller.services.archive_ports import ArchiveChange
from controller.services.attached_files import attach
from controller.services.entry_making import (
    ActDraft,
    Chain,
    ValuesRefusedError,
    asked_meaning,
    meaning_of,
    sensitive_keys,
    view_of,
)
from controller.services.form_library import FormPackage
from controller.services.record_filing import Filed
from controller.services.stage_control import StageRefusedError, check_move, find_stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.domain.form_check import CheckedValues, Problem
    from controller.domain.paper_signature import PaperSignature
    from controller.domain.person import Staff
    from controller.domain.record import Entry, RecordState, Signatory, Wire
    from controller.domain.record_view import RecordView
    from controller.domain.working_days import WorkingDays
    from controller.services.archive_ports import Archive
    from controller.services.attached_files import AttachedFiles
    from controller.services.entry_making import EntryMaking
    from controller.services.indexing import Indexing
    from controller.services.ports import Clock, RecordKeys
    from controller.services.signing_ports import Signer
    from controller.services.workspace_identity import WorkspaceIdentity

_REASON_AT_LEAST = 5
_QUALITY_POSTS = frozenset({"quality_officer", "quality_head", "general_manager"})
"""Posts that may void any record and correct one that is closed or another's (GSP Art. 22; company default)."""


_MEANINGS = {Act.VOIDED: "作废", Act.CORRECTED: "更正", Act.FILLED: "记录", Act.SIGNED_ON_PAPER: TAKEN_IN}
"""Meaning of acts that do not take the record to another stage."""


class UnknownRecordError(NotFoundError):
    """没有这份记录. The archive holds no record of that number."""

    code = "record-unknown"

    def __init__(self, *, number: str) -> None:
        super().__init__(
            T("档案中没有记录 {number}。", number=number[:60]),
            hint=T("用 qms record list 或 qms record search 查找编号。"),
        )


class RecordDamagedError(DamagedError):
    """记录已损坏. The record's chain or its form cannot be read."""

    code = "record-damaged"

    def __init__(self, *, number: str, problem: Text) -> None:
        super().__init__(
            T("记录 {number} 不能读出：{problem}", number=number, problem=problem),
            hint=T("运行 qms verify 查看全部问题，并从备份恢复。"),
        )


class RecordKeyMissingError(RefusedError):
    """缺少记录密钥. The record holds sealed values and their key is not on this machine, or was destroyed."""

    code = "record-key-missing"

    def __init__(self, *, number: RecordNumber) -> None:
        super().__init__(
            T("记录 {number} 有加密保存的内容，本机没有它的密钥，不能打开。", number=number),
            hint=T("在存有密钥的电脑上操作，或从密钥备份恢复；查看时不加 --unmask 可看其余内容。"),
        )


class NothingChangedError(RefusedError):
    """没有改动. The act would say nothing that the record does not say already."""

    code = "nothing-changed"

    def __init__(self, *, number: RecordNumber) -> None:
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
class StoredRecord:
    """一份已归档的记录. Its chain, its state, the form it was made on, and the sensitive values that opened."""

    entries: Sequence[tuple[Entry, Digest]]
    state: RecordState
    package: FormPackage
    opened: Mapping[str, Wire]
    """Sensitive values, by field; empty unless they were asked for."""


class RecordControl:
    """记录控制. Reads and continues the records of one workspace."""

    def __init__(
        self,
        *,
        identity: WorkspaceIdentity,
        archive: Archive,
        keys: RecordKeys,
        making: EntryMaking,
        indexing: Indexing,
        staff: Staff,
        calendar: WorkingDays,
        clock: Clock,
    ) -> None:
        self._identity = identity
        self._archive = archive
        self._keys = keys
        self._making = making
        self._indexing = indexing
        self._staff = staff
        self._calendar = calendar
        self._clock = clock
        self._packages: dict[Digest, FormPackage] = {}

    def read(self, number: RecordNumber, *, unmask: bool = False) -> StoredRecord:
        """Return the record as it is stored; with `unmask` its sensitive values too.

        Raises:
            UnknownRecordError: there is none of that number.
            RecordKeyMissingError: `unmask` was asked for and the key is not here.
            RecordDamagedError, BrokenChainError: its chain, its form or its sealed values are not whole.
        """
        entries: list[tuple[Entry, Digest]] = []
        sealed: dict[str, bytes] = {}
        for name in self._archive.listing(number.folder):
            path = f"{number.folder}/{name}"
            data = self._archive.read(path)
            if name.endswith(".json") and data is not None:
                entries.append((decode_entry(data, where=path), Digest.of(data)))
            elif name.endswith(".sealed") and data is not None:
                sealed[path] = data
        if not entries:
            raise UnknownRecordError(number=number.text)
        package = self.package(number, entries[0][0].form.digest)
        state = fold(entries, form=package.definition)
        return StoredRecord(entries, state, package, self._opened(number, entries, sealed) if unmask else {})

    def _opened(
        self, number: RecordNumber, entries: Sequence[tuple[Entry, Digest]], sealed: Mapping[str, bytes]
    ) -> dict[str, Wire]:
        """Return the sensitive values, each proven by the entry that states it."""
        opened: dict[str, Wire] = {}
        key = self._keys.get(number)
        for entry, _ in entries:
            if not entry.sealed:
                continue
            if key is None:
                raise RecordKeyMissingError(number=number)
            path = f"{number.folder}/{entry.sequence:04d}.sealed"
            if path not in sealed:
                raise RecordDamagedError(number=number.text, problem=T("封存内容 {path} 缺失", path=path))
            part = unseal(sealed[path], key, where=path)
            if mismatches(part, entry.sealed):
                raise RecordDamagedError(number=number.text, problem=T("封存内容 {path} 与条目不符", path=path))
            opened.update(part.values)
        return opened

    def package(self, number: RecordNumber, digest: Digest) -> FormPackage:
        """Return the form package `digest` as the archive keeps it."""
        if digest in self._packages:
            return self._packages[digest]
        folder = f"controlled-forms/{digest.hex}"
        compiled = self._archive.read(f"{folder}/compiled.json")
        docx = self._archive.read(f"{folder}/form.docx")
        if compiled is None or docx is None or Digest.of(compiled) != digest:
            raise RecordDamagedError(number=number.text, problem=T("归档的表单 {digest} 缺失或被改动", digest=digest))
        form = read_compiled(compiled, where=f"{folder}/compiled.json")
        if Digest.of(docx) != form.docx:
            raise RecordDamagedError(number=number.text, problem=T("归档的表单 {digest} 缺失或被改动", digest=digest))
        found = FormPackage(definition=form.definition, docx=docx, parts=form.parts, compiled=compiled, digest=digest)
        self._packages[digest] = found
        return found

    def view(self, number: RecordNumber, *, unmask: bool = False) -> tuple[StoredRecord, RecordView]:
        """Return the record and what a screen shows of it."""
        record = self.read(number, unmask=unmask)
        closing = closing_lines(record.package.definition, record.entries)
        opened = record.opened if unmask else None
        return record, view_of(record.package.definition, record.state, opened=opened, closing=closing)

    def print(self, number: RecordNumber, *, unmask: bool = False) -> bytes:
        """Return the record as docx on the form it was made on; sensitive values masked unless `unmask`."""
        record = self.read(number, unmask=unmask)
        return self._making.render(record.package, record.entries, opened=record.opened if unmask else None)

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
            ValuesRefusedError: the values break the form's rules as they stand at that stage, or would replace what
                was entered before.
            NothingChangedError: there is nothing to add and no stage to go to.
        """
        record = self.read(number, unmask=True)
        _check_seen(record, seen)
        definition = record.package.definition
        target = record.state.stage if stage is None else find_stage(definition, stage)
        self._check_open(record)
        check_move(definition, number.text, record.state.stage, target, by.signatory, self._staff)
        act = Act.FILLED if target == record.state.stage else Act.ADVANCED
        return self._append(record, act, values, by, stage=target, files=files or {}, reason=None)

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
        return self._append(
            record, Act.CORRECTED, values, by, stage=record.state.stage, files=files or {}, reason=reason.strip()
        )

    def void(self, number: RecordNumber, by: Signer, *, reason: str, seen: Digest | None = None) -> Filed:
        """Void the record with a reason; it stays readable and its number stays used (ISO 13485 4.2.5)."""
        if len(reason.strip()) < _REASON_AT_LEAST:
            raise ReasonNeededError
        record = self.read(number)
        _check_seen(record, seen)
        self._check_open(record)
        if not self._holds_quality_post(by.signatory):
            raise self._wrong_post(number, T("作废应由质管员或质量负责人进行"))
        return self._append(record, Act.VOIDED, {}, by, stage=record.state.stage, files={}, reason=reason.strip())

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
            check_move(record.package.definition, number.text, here, here, by.signatory, self._staff)
            value: dict[str, object] = {**paper.value()}
            if paper.scan is not None:
                value["attachment"] = paper.scan.name
            values[paper.field] = value
        files = {paper.scan.name: scan} if paper.scan is not None and scan is not None else {}
        return self._append(
            record,
            Act.SIGNED_ON_PAPER,
            values,
            by,
            stage=record.state.stage,
            files=files,
            reason=paper.reason,
            paper=paper,
            secret=secret,
        )

    def _append(
        self,
        record: StoredRecord,
        act: Act,
        values: Mapping[str, object],
        by: Signer,
        *,
        stage: str,
        files: Mapping[str, bytes],
        reason: str | None,
        paper: PaperSignature | None = None,
        secret: bool = False,
    ) -> Filed:
        definition = record.package.definition
        number = record.state.number
        now = self._clock.now()
        attached = attach(files)
        wire: dict[str, Wire] = {}
        warnings: Sequence[str] = ()
        shown: tuple[Problem, ...] = ()
        if act is not Act.VOIDED and (values or paper is None):
            checked = self._checked(record, act, values, stage, by.signatory, attached)
            wire = dict(checked.wire)
            if not wire and act is not Act.ADVANCED:
                raise NothingChangedError(number=number)
            warnings, shown = checked.warnings, tuple(item for item in checked.problems if item.level == "warning")
        key = None
        if secret or sensitive_keys(definition) & wire.keys():
            key = self._keys.get(number) or self._keys.create([number])[number]
        meaning = _MEANINGS.get(act) or meaning_of(definition, stage)
        asked = _MEANINGS.get(act) or asked_meaning(definition, stage)
        by.ready(paper.meaning if paper is not None else asked)
        with self._archive.writing() as writer:
            tip = self._archive.tip()
            if writer.read(f"{number.folder}/{len(record.entries) + 1:04d}.json") is not None:
                raise ShownChangedError(number=number)
            now = writer.moment(now)
            draft = ActDraft(
                act=act,
                by=by,
                at=now,
                meaning=meaning,
                stage=stage,
                values=wire,
                reason=reason,
                warnings=warnings,
                attachments=attached.contents,
                source=paper.wire() if paper is not None else None,
                secret_files=frozenset(attached.contents) if secret else frozenset(),
            )
            made = self._making.make(record.package, number, draft, chain=Chain(record.entries, record.opened), key=key)
            trailers = {"QMS-Action": act.value, "QMS-Signer": by.signatory.person}
            change = ArchiveChange(made.files, by.signatory, now, f"{number} {act.value}", trailers)
            commit = writer.append(change)
        self._indexing.note([made.state], previous=tip, commit=commit)
        return Filed(number, made.state, made.digest, shown)

    def _checked(
        self,
        record: StoredRecord,
        act: Act,
        values: Mapping[str, object],
        stage: str,
        by: Signatory,
        attached: AttachedFiles,
    ) -> CheckedValues:
        definition = record.package.definition
        before = {**record.state.values, **record.opened}
        checked = check_values(
            definition,
            values,
            stage=stage,
            now=self._clock.now(),
            performer=by,
            staff=self._staff,
            calendar=self._calendar,
            before=before,
            late_entry_workdays=self._identity.late_entry_workdays,
            attachments=attached.named,
        )
        errors = [item for item in checked.problems if item.level == "error"]
        if act is not Act.CORRECTED:
            errors += replaced_values(definition, before, checked.wire)
        if errors:
            raise ValuesRefusedError(form=definition.number.text, title=definition.title, problems=errors)
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
        person = self._staff.people.get(by.person)
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
