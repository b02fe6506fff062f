"""动作归档. One signed act that files several statements and record entries, and a change of `main`, or nothing at all.

Who approves a document also signs the pages that say so: everything is checked before, made inside one lock, signed by
the same person at the same moment, and one commit holds it. A record is never without its statement, nor the reverse.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from controller.domain.errors import RefusedError
from controller.domain.text import T
from controller.services.archive_ports import ArchiveChange, ControlledChange
from controller.services.entry_making import Chain, ValuesRefusedError, sensitive_keys
from controller.services.gathered_files import GatheredFiles
from controller.services.record_control import Standing
from controller.services.record_filing import Filed, OpeningAct
from controller.services.statement_filing import FiledStatement, StatementDraft, last_sequence

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from controller.domain.identifiers import RecordNumber
    from controller.domain.record import RecordState, Wire
    from controller.services.archive_ports import ArchiveReader
    from controller.services.entry_making import MadeEntry
    from controller.services.record_control import RecordControl
    from controller.services.record_desk import PreparedEntry, RecordDesk
    from controller.services.record_filing import RecordFiling
    from controller.services.signing_ports import Signer
    from controller.services.statement_filing import MadeStatement, StatementFiling


class ActOvertakenError(RefusedError):
    """已被抢先. Somebody else went on with the matter after the signer looked at it (21 CFR 11.70)."""

    code = "act-overtaken"

    def __init__(self, *, chain: str) -> None:
        super().__init__(
            T("在您查看之后，{chain} 已由他人继续办理；没有签名，也没有归档。", chain=chain),
            hint=T("重新查看后再操作。"),
        )


class ActMoment:
    """动作的时刻. When an act takes place, and what it can see: the archive as of then and what it has made so far."""

    def __init__(self, at: datetime, archive: ArchiveReader, records: Mapping[str, RecordNumber]) -> None:
        self.at = at
        self.records = records
        """The key of an `OpeningPart` → the number its record was given; only of parts that stand before."""
        self._archive = archive

    def read(self, path: str) -> bytes | None:
        """Return a file of the archive or of this act, None when there is none."""
        return self._archive.read(path)

    def listing(self, path: str) -> list[str]:
        """Return the names directly below `path`, sorted."""
        return self._archive.listing(path)


@dataclass(frozen=True)
class StatementPart:
    """动作中的陈述. A draft, or what makes it at the moment of the act; files `beside` it by suffix, from its bytes."""

    draft: StatementDraft | Callable[[ActMoment], StatementDraft]
    beside: Callable[[bytes], Mapping[str, bytes]] | None = None


@dataclass(frozen=True)
class OpeningPart:
    """动作中新立的记录."""

    form: str
    values: Mapping[str, object]
    stage: str | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Attachment files by the path that the values name."""
    source: Mapping[str, Wire] | None = None
    key: str = ""
    """How later parts of the act call the record."""


@dataclass(frozen=True)
class AdvancingPart:
    """动作中继续填写的记录. Its number, or the key of an `OpeningPart` before it."""

    record: RecordNumber | str
    values: Mapping[str, object]
    stage: str | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)


Part = StatementPart | OpeningPart | AdvancingPart


@dataclass(frozen=True)
class FiledAct:
    """已归档的动作. What came of it, in the order of its parts."""

    commit: str
    at: datetime
    statements: Sequence[FiledStatement]
    records: Sequence[Filed]


@dataclass
class _Underway:
    """A record as the act has taken it so far."""

    standing: Standing
    number: RecordNumber | None = None
    chain: Chain = field(default_factory=Chain)

    def planned(self, entry: PreparedEntry) -> None:
        before = {**self.standing.before, **entry.values}
        self.standing = replace(self.standing, stage=entry.stage, before=before)

    def took(self, made: MadeEntry, entry: PreparedEntry) -> None:
        secret = sensitive_keys(entry.package.definition)
        opened = {name: value for name, value in entry.values.items() if name in secret}
        self.chain = Chain([*self.chain.entries, (made.entry, made.digest)], {**self.chain.opened, **opened})


@dataclass(frozen=True)
class _PlannedEntry:
    """An entry that is checked, and the record it belongs to."""

    entry: PreparedEntry
    record: _Underway
    key: str = ""


@dataclass
class _Made:
    """What an act has made inside the lock."""

    gathered: GatheredFiles
    moment: ActMoment
    numbers: dict[str, RecordNumber]
    statements: list[MadeStatement] = field(default_factory=list)
    records: list[Filed] = field(default_factory=list)


class ActFiling:
    """动作归档. Files acts of several parts in one workspace."""

    def __init__(
        self, desk: RecordDesk, filing: RecordFiling, records: RecordControl, statements: StatementFiling
    ) -> None:
        self._desk = desk
        self._filing = filing
        self._records = records
        self._statements = statements

    def file(
        self,
        by: Signer,
        parts: Sequence[Part],
        *,
        along: Mapping[str, bytes] | Callable[[ActMoment], Mapping[str, bytes]] | None = None,
        controlled: ControlledChange | Callable[[ActMoment], ControlledChange] | None = None,
        covered_by: int = 0,
        expects: Mapping[str, int] | None = None,
    ) -> FiledAct:
        """File all `parts` in this order, signed by `by`, with archive files `along` and a change of `main`.

        The caller has asked `by.ready` once for the whole act. The statement part at place `covered_by` (counted among
        statements) covers the change of `main`. `expects` names chains with the last sequence that the caller saw.
        What is given as a function is called inside the lock: `controlled` and `along` after all parts are made.

        Raises:
            ActOvertakenError: a chain went on after the caller looked at it.
            ShownChangedError: a record did.
            ValuesRefusedError: values break the rules of their forms; carries the problems of all parts.
            UnknownFormError, UnknownStageError, StageRefusedError, NothingChangedError: as for each record alone.
            ClockBackwardsError: the clock is behind what was already filed.
            WorkspaceBusyError: another program holds the site too long.
        """
        seen = expects or {}
        try:
            planned = self._plan(by, parts)
        except RefusedError:
            # Where somebody else went on meanwhile, that is the reason to tell, not what it did to a record.
            _check_seen(self._desk.archive, seen)
            raise
        with self._desk.archive.writing() as writer:
            at = writer.moment(self._desk.clock.now())
            tip = self._desk.archive.tip()
            gathered = GatheredFiles(writer)
            _check_seen(gathered, seen)
            numbers: dict[str, RecordNumber] = {}
            made = _Made(gathered, ActMoment(at, gathered, numbers), numbers)
            for part in planned:
                if isinstance(part, StatementPart):
                    self._state(part, by, made)
                else:
                    self._enter(part, by, made)
            gathered.add(along(made.moment) if callable(along) else along or {})
            change = controlled(made.moment) if callable(controlled) else controlled
            if change is not None:
                change = replace(change, statement=made.statements[covered_by].path)
            commit = writer.append(_archive_change(by, made, covered_by), controlled=change)
        states: dict[RecordNumber, RecordState] = {item.number: item.state for item in made.records}
        self._desk.indexing.note(states.values(), previous=tip, commit=commit)
        statements = [FiledStatement(item.statement, item.digest, item.path, commit) for item in made.statements]
        return FiledAct(commit, at, statements, made.records)

    def _plan(self, by: Signer, parts: Sequence[Part]) -> list[StatementPart | _PlannedEntry]:
        """Check every part; what a part does to a record counts for the parts after it."""
        planned: list[StatementPart | _PlannedEntry] = []
        records: dict[RecordNumber | str, _Underway] = {}
        refused: list[ValuesRefusedError] = []
        lost: set[RecordNumber | str] = set()
        for part in parts:
            if isinstance(part, StatementPart):
                planned.append(part)
                continue
            name = part.key if isinstance(part, OpeningPart) else part.record
            if name in lost:
                continue
            try:
                if isinstance(part, OpeningPart):
                    planned.append(self._plan_opening(part, by, records))
                else:
                    planned.append(self._plan_advancing(part, by, records))
            except ValuesRefusedError as exc:
                refused.append(exc)
                lost |= {name} if name else set()
        if refused:
            raise ValuesRefusedError.of_all(refused)
        return planned

    def _plan_opening(
        self, part: OpeningPart, by: Signer, records: dict[RecordNumber | str, _Underway]
    ) -> _PlannedEntry:
        if part.key in records:
            raise ValueError(part.key)
        act = OpeningAct(by=by, stage=part.stage, source=part.source, files=part.files)
        entry = self._filing.prepare(part.form, part.values, act)
        record = _Underway(Standing(entry.package.definition.title, entry.package, entry.stage, entry.values))
        if part.key:
            records[part.key] = record
        return _PlannedEntry(entry, record, part.key)

    def _plan_advancing(
        self, part: AdvancingPart, by: Signer, records: dict[RecordNumber | str, _Underway]
    ) -> _PlannedEntry:
        if part.record not in records and not isinstance(part.record, str):
            stored = self._records.stored(part.record)
            chain = Chain(stored.entries, stored.opened)
            records[part.record] = _Underway(Standing.of(stored), part.record, chain)
        record = records[part.record]
        entry = self._records.prepare_advance(
            record.standing, part.values, by.signatory, stage=part.stage, files=part.files
        )
        record.planned(entry)
        return _PlannedEntry(entry, record)

    def _state(self, part: StatementPart, by: Signer, made: _Made) -> None:
        draft = part.draft(made.moment) if callable(part.draft) else part.draft
        one = self._statements.make(draft, by, at=made.moment.at, archive=made.gathered, beside=part.beside)
        made.gathered.add(one.files)
        made.statements.append(one)

    def _enter(self, part: _PlannedEntry, by: Signer, made: _Made) -> None:
        record, at = part.record, made.moment.at
        if record.number is None:
            serial = made.gathered.next_serial(part.entry.package.definition.number.text, at.year)
            number, one, files = self._filing.make_first(part.entry, by, at=at, serial=serial, archive=made.gathered)
            record.number = number
            if part.key:
                made.numbers[part.key] = number
        else:
            number = record.number
            one = self._records.make_next(part.entry, number, by, at=at, chain=record.chain, archive=made.gathered)
            files = dict(one.files)
        made.gathered.add(files)
        record.took(one, part.entry)
        made.records.append(Filed(number, one.state, one.digest, part.entry.told))


def _check_seen(archive: ArchiveReader, seen: Mapping[str, int]) -> None:
    """Make sure that chains end where the caller saw them end."""
    for chain, last in seen.items():
        if last_sequence(archive, chain) != last:
            raise ActOvertakenError(chain=chain)


def _archive_change(by: Signer, made: _Made, covered_by: int) -> ArchiveChange:
    """Return the commit of the act, named after its chief statement, or after its first record."""
    if made.statements:
        chief = made.statements[covered_by]
        subject, action = f"{chief.path} {chief.statement.event}", chief.statement.event.value
    else:
        first = made.records[0]
        action = first.state.stage
        subject = f"{first.number} {action}"
    trailers = {"QMS-Action": action, "QMS-Signer": by.signatory.person}
    return ArchiveChange(made.gathered.files, by.signatory, made.moment.at, subject, trailers)
