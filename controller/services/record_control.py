"""记录控制. What happens to a record once it is opened: next stage, correction, void, reading (ISO 13485 4.2.5).

Earlier values are never overwritten: each act is one more entry in the record's chain (21 CFR 11.10 e).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.errors import DamagedError, NotFoundError, RefusedError
from controller.domain.form_check import check_values
from controller.domain.identifiers import Digest, RecordNumber
from controller.domain.record import Act
from controller.domain.record_chain import fold
from controller.domain.text import T, Text
from controller.file_formats.compiled_form import read_compiled
from controller.file_formats.entry_file import decode_entry
from controller.file_formats.sealed_file import unseal
from controller.services.attached_files import attach
from controller.services.entry_making import ActDraft, Chain, ValuesRefusedError, sensitive_keys, view_of
from controller.services.form_library import FormPackage
from controller.services.ports import ArchiveChange
from controller.services.record_filing import Filed, find_stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.domain.form import FormDefinition
    from controller.domain.form_check import CheckedValues, Problem
    from controller.domain.person import Staff
    from controller.domain.record import Entry, RecordState, Signatory, Wire
    from controller.domain.record_view import RecordView
    from controller.domain.working_days import WorkingDays
    from controller.services.attached_files import AttachedFiles
    from controller.services.entry_making import EntryMaking
    from controller.services.indexing import Indexing
    from controller.services.ports import Archive, Clock, RecordKeys
    from controller.services.workspace_identity import WorkspaceIdentity

_REASON_AT_LEAST = 5


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
            T("记录 {number} 不能读出:{problem}", number=number, problem=problem),
            hint=T("运行 qms verify 查看全部问题,并从备份恢复。"),
        )


class StageRefusedError(RefusedError):
    """阶段不能这样进行. Wrong order, wrong post, a guard that is not met, or a record that is void (21 CFR 11.10 f)."""

    code = "stage-refused"

    def __init__(self, *, number: RecordNumber, problem: Text, hint: Text) -> None:
        super().__init__(T("记录 {number}:{problem}", number=number, problem=problem), hint=hint)


class ReasonNeededError(RefusedError):
    """需要写明原因. Corrections and voids need a reason of at least five characters (GSP, ALCOA)."""

    code = "reason-needed"

    def __init__(self) -> None:
        super().__init__(
            T("更正和作废必须写明原因(至少 {count} 个字)。", count=_REASON_AT_LEAST),
            hint=T("例如 --reason “批号录错,以实物标签为准”。"),
        )


@dataclass(frozen=True)
class StoredRecord:
    """一份已归档的记录. Its chain, its state, the form it was made on, and the sensitive values that opened."""

    entries: Sequence[tuple[Entry, Digest]]
    state: RecordState
    package: FormPackage
    opened: Mapping[str, Wire]
    """Sensitive values, by field; empty when the key is not here."""


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
        """Return the record as it is stored; with `unmask` its sensitive values too, when their key is here.

        Raises:
            UnknownRecordError: there is none of that number.
            RecordDamagedError: its chain or its form is not whole.
        """
        entries: list[tuple[Entry, Digest]] = []
        sealed: list[bytes] = []
        for name in self._archive.listing(number.folder):
            data = self._archive.read(f"{number.folder}/{name}")
            if name.endswith(".json") and data is not None:
                entries.append((decode_entry(data), Digest.of(data)))
            elif name.endswith(".sealed") and data is not None:
                sealed.append(data)
        if not entries:
            raise UnknownRecordError(number=number.text)
        state = fold(entries)
        package = self.package(number, entries[0][0].form.digest)
        opened: dict[str, Wire] = {}
        key = self._keys.get(number) if unmask and sealed else None
        if key is not None:
            for data in sealed:
                opened.update(unseal(data, key).values)
        return StoredRecord(entries, state, package, opened)

    def package(self, number: RecordNumber, digest: Digest) -> FormPackage:
        """Return the form package `digest` as the archive keeps it."""
        if digest in self._packages:
            return self._packages[digest]
        folder = f"controlled-forms/{digest.hex}"
        compiled = self._archive.read(f"{folder}/compiled.json")
        docx = self._archive.read(f"{folder}/form.docx")
        if compiled is None or docx is None or Digest.of(compiled) != digest:
            raise RecordDamagedError(number=number.text, problem=T("归档的表单 {digest} 缺失或被改动", digest=digest))
        form = read_compiled(compiled)
        found = FormPackage(definition=form.definition, docx=docx, parts=form.parts, compiled=compiled, digest=digest)
        self._packages[digest] = found
        return found

    def view(self, number: RecordNumber, *, unmask: bool = False) -> tuple[StoredRecord, RecordView]:
        """Return the record and what a screen shows of it."""
        record = self.read(number, unmask=unmask)
        return record, view_of(record.package.definition, record.state, opened=record.opened if unmask else None)

    def print(self, number: RecordNumber, *, unmask: bool = False) -> bytes:
        """Return the record as docx on the form it was made on; sensitive values masked unless `unmask`."""
        record = self.read(number, unmask=unmask)
        return self._making.render(record.package, record.entries, opened=record.opened if unmask else None)

    def advance(
        self,
        number: RecordNumber,
        values: Mapping[str, object],
        by: Signatory,
        *,
        stage: str | None = None,
        files: Mapping[str, bytes] | None = None,
    ) -> Filed:
        """Fill more fields and, with `stage`, take the record to that stage.

        Raises:
            StageRefusedError: the stage cannot follow, or the person's posts do not allow it.
            ValuesRefusedError: the values break the form's rules as they stand at that stage.
        """
        record = self.read(number, unmask=True)
        definition = record.package.definition
        target = record.state.stage if stage is None else find_stage(definition, stage)
        self._check_open(record)
        self._check_move(record, target, by)
        act = Act.FILLED if target == record.state.stage else Act.ADVANCED
        return self._append(record, act, values, by, stage=target, files=files or {}, reason=None)

    def correct(self, number: RecordNumber, values: Mapping[str, object], by: Signatory, *, reason: str) -> Filed:
        """Correct values with a reason; the earlier values stay in the chain (GSP Art. 22; 21 CFR 11.10 e)."""
        if len(reason.strip()) < _REASON_AT_LEAST:
            raise ReasonNeededError
        record = self.read(number, unmask=True)
        self._check_open(record)
        return self._append(
            record, Act.CORRECTED, values, by, stage=record.state.stage, files={}, reason=reason.strip()
        )

    def void(self, number: RecordNumber, by: Signatory, *, reason: str) -> Filed:
        """Void the record with a reason; it stays readable and its number stays used (ISO 13485 4.2.5)."""
        if len(reason.strip()) < _REASON_AT_LEAST:
            raise ReasonNeededError
        record = self.read(number, unmask=True)
        self._check_open(record)
        return self._append(record, Act.VOIDED, {}, by, stage=record.state.stage, files={}, reason=reason.strip())

    def _append(
        self,
        record: StoredRecord,
        act: Act,
        values: Mapping[str, object],
        by: Signatory,
        *,
        stage: str,
        files: Mapping[str, bytes],
        reason: str | None,
    ) -> Filed:
        definition = record.package.definition
        number = record.state.number
        now = self._clock.now()
        before = {**record.state.values, **record.opened}
        attached = attach(files)
        wire: dict[str, Wire] = {}
        warnings: Sequence[str] = ()
        shown: tuple[Problem, ...] = ()
        if act is not Act.VOIDED:
            checked = self._checked(definition, values, stage, by, before, attached)
            wire = {key: value for key, value in checked.wire.items() if before.get(key) != value}
            warnings, shown = checked.warnings, tuple(item for item in checked.problems if item.level == "warning")
        draft = ActDraft(
            act=act,
            by=by,
            at=now.isoformat(timespec="seconds"),
            meaning="作废" if act is Act.VOIDED else "更正" if act is Act.CORRECTED else "记录",
            stage=stage,
            values=wire,
            reason=reason,
            warnings=warnings,
            attachments=attached.contents,
        )
        key = None
        if sensitive_keys(definition) & wire.keys():
            key = self._keys.get(number) or self._keys.create([number])[number]
        with self._archive.writing() as writer:
            tip = self._archive.tip()
            if writer.read(f"{number.folder}/{len(record.entries) + 1:04d}.json") is not None:
                raise StageRefusedError(
                    number=number,
                    problem=T("刚刚被其他人更新过"),
                    hint=T("重新查看这份记录后再操作。"),
                )
            made = self._making.make(record.package, number, draft, chain=Chain(record.entries, record.opened), key=key)
            trailers = {"QMS-Action": act.value, "QMS-Signer": by.person}
            commit = writer.append(
                ArchiveChange(files=made.files, by=by, at=now, subject=f"{number} {act.value}", trailers=trailers)
            )
        self._indexing.note([made.state], previous=tip, commit=commit)
        return Filed(number, made.state, made.digest, shown)

    def _checked(
        self,
        definition: FormDefinition,
        values: Mapping[str, object],
        stage: str,
        by: Signatory,
        before: Mapping[str, Wire],
        attached: AttachedFiles,
    ) -> CheckedValues:
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
        if not checked.ok:
            errors = [item for item in checked.problems if item.level == "error"]
            raise ValuesRefusedError(form=definition.number.text, title=definition.title, problems=errors)
        return checked

    @staticmethod
    def _check_open(record: StoredRecord) -> None:
        if record.state.voided:
            raise StageRefusedError(
                number=record.state.number,
                problem=T("已作废,不能再填写或更正"),
                hint=T("需要时另立一份新记录,并引用本编号。"),
            )

    def _check_move(self, record: StoredRecord, target: str, by: Signatory) -> None:
        definition, state = record.package.definition, record.state
        stage = definition.stage(target)
        assert stage is not None
        current = definition.stage(state.stage)
        here = current.label if current else state.stage
        if target != state.stage and state.stage not in stage.after:
            following = [item.label for item in definition.stages if state.stage in item.after]
            raise StageRefusedError(
                number=state.number,
                problem=T("不能从“{here}”直接到“{there}”", here=here, there=stage.label),
                hint=T("可以进行的下一阶段:{stages}。", stages=following) if following else T("这份记录已经办结。"),
            )
        person = self._staff.people.get(by.person)
        held = set(person.posts) if person else set()
        if "any" not in stage.by and not held & set(stage.by):
            names = [self._staff.posts[key].name if key in self._staff.posts else key for key in stage.by]
            raise StageRefusedError(
                number=state.number,
                problem=T("“{stage}”应由以下岗位进行:{posts}", stage=stage.label, posts=names),
                hint=T("请相应岗位的人员操作。"),
            )
