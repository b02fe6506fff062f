"""每日时间戳. Once a day states where every branch stands, has it stamped outside, and keeps it off the machine.

The network is never waited for while the archive is locked: the statement is made and stamped first, and filed only if
the archive is still where it was. A failure leaves nothing half done: it is written to the trail and tried again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from controller.domain.daily_heads import DailyHeads, daily_heads
from controller.domain.errors import MisconfiguredError, QmsError, RefusedError
from controller.domain.identifiers import Digest
from controller.domain.statement import TIMESTAMPS, TRAIL, Event, statement_path
from controller.domain.text import T, Text
from controller.file_formats.timestamp_file import certificate_or_none, check_stamp
from controller.services.statement_filing import StatementDraft
from controller.services.timestamp_ports import (
    TimestampRefusedError,
    TimestampUnreachableError,
    WitnessCopy,
    WitnessUnreachableError,
)
from controller.services.timestamp_verification import ROOTS_FOLDER, TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from controller.domain.conformity import Finding
    from controller.file_formats.timestamp_file import CheckedStamp
    from controller.services.archive_ports import Archive, BranchHeads
    from controller.services.ports import Clock, LibraryFiles
    from controller.services.signing_ports import Signer
    from controller.services.statement_filing import FiledStatement, StatementFiling, StoredStatement
    from controller.services.timestamp_ports import OutsideWitness, TimestampAuthority
    from controller.services.witness_comparison import WitnessComparison

_COMPARED = 30
"""Newest copies off the machine that are compared every day; `qms verify` compares them all."""
_TRIES = 5
"""How often to begin again because somebody filed meanwhile."""


class TimestampingNotSetUpError(MisconfiguredError):
    """没有设定时间戳. Neither an authority nor a folder off the machine is set."""

    code = "timestamping-not-set-up"

    def __init__(self) -> None:
        super().__init__(
            T("没有设定时间戳机构，也没有设定机器外的摘要文件夹。"),
            hint=T("在 qms.toml 中写明 timestamp_authority（网址）或 witness_folder（文件夹），至少一项。"),
        )


class StampOvertakenError(RefusedError):
    """归档太频繁. Others kept filing while the stamp was being fetched."""

    code = "stamp-overtaken"

    def __init__(self) -> None:
        super().__init__(
            T("取时间戳时其他人一直在归档，这次没有归档时间戳。"), hint=T("稍后再运行 qms timestamp now。")
        )


@dataclass(frozen=True)
class StampOutcome:
    """取时间戳的结果."""

    filed: FiledStatement | None = None
    stamp: CheckedStamp | None = None
    """None when there is no authority or it gave none."""
    problem: QmsError | None = None
    """Why there is no stamp."""
    delivered: int = 0
    """How many statements were brought off the machine."""
    delivery_problem: QmsError | None = None
    findings: Sequence[Finding] = field(default_factory=tuple)
    """What the archive and the copies off the machine do not agree about."""


@dataclass(frozen=True)
class DailyStatement:
    """档案中的每日摘要."""

    stored: StoredStatement
    said: DailyHeads | None
    stamp: bytes | None


def trusted_roots(files: LibraryFiles) -> list[bytes]:
    """Return the root certificates (DER) of the authorities that the company trusts; what is no certificate is none."""
    read = (files.read(path) for path in files.files(ROOTS_FOLDER) if path.endswith(".pem"))
    return [der for data in read if data is not None and (der := certificate_or_none(data)) is not None]


class Timestamping:
    """每日时间戳. For one site."""

    def __init__(
        self,
        *,
        archive: Archive,
        branches: BranchHeads,
        statements: StatementFiling,
        clock: Clock,
        controlled: LibraryFiles,
        site: str,
        authority: TimestampAuthority | None,
        witness: OutsideWitness | None,
        comparison: WitnessComparison | None,
    ) -> None:
        self._archive = archive
        self._branches = branches
        self._statements = statements
        self._clock = clock
        self._controlled = controlled
        self._branch = f"archive/{site}"
        self._authority = authority
        self._witness = witness
        self._comparison = comparison

    def due(self) -> bool:
        """Tell whether the statement of today, and its stamp where there is an authority, is still to be made."""
        if self._authority is None and self._witness is None:
            return False
        return not any(item.stamp is not None or self._authority is None for item in self._of_today())

    def _stated_today(self) -> bool:
        return any(True for _ in self._of_today())

    def _of_today(self) -> Iterator[DailyStatement]:
        now = self._clock.now()
        for item in self.recent():
            made = datetime.fromisoformat(item.stored.statement.at).astimezone(now.tzinfo)
            if made.date() < now.date():
                return
            yield item

    def recent(self, most: int = 400) -> Iterator[DailyStatement]:
        """Yield the daily statements, the newest first."""
        for stored in self._statements.recent(TIMESTAMPS, most):
            stamp = self._archive.read(f"{stored.path}.tsr")
            yield DailyStatement(stored, daily_heads(stored.statement.new), stamp)

    def stamp(self, signer: Signer) -> StampOutcome:
        """Make, stamp and file the statement, and bring it off the machine; what failed stands in the outcome.

        The caller sees to it that the signer may sign (`Signer.ready`).

        Raises:
            TimestampingNotSetUpError: there is nothing to do it with.
            ClockBackwardsError, WorkspaceBusyError, StampOvertakenError: nothing was filed.
        """
        if self._authority is None and self._witness is None:
            raise TimestampingNotSetUpError
        filed, stamp, problem = None, None, None
        try:
            filed, stamp = self._file(signer, self._authority)
        except (TimestampUnreachableError, TimestampRefusedError) as exc:
            problem = exc
            self._note_failure(exc)
            if self._witness is not None and not self._stated_today():
                # The copy off the machine proves the order of things even on a day without a stamp.
                filed, _ = self._file(signer, None)
        delivered, delivery_problem, findings = self._deliver()
        return StampOutcome(filed, stamp, problem, delivered, delivery_problem, findings)

    def _file(self, signer: Signer, authority: TimestampAuthority | None) -> tuple[FiledStatement, CheckedStamp | None]:
        for _ in range(_TRIES):
            prepared = self._statements.prepare(self._draft(authority), signer)
            made = prepared.made
            if daily_heads(made.statement.new) is None or self._head(made.statement.new) != prepared.tip:
                continue
            stamp, beside = None, {}
            if authority is not None:
                answer = authority.stamp(made.data)
                at = datetime.fromisoformat(made.statement.at)
                stamp = self._checked(authority.address, answer, made.data, at)
                beside[".tsr"] = answer
            filed = self._statements.file_prepared(prepared, beside)
            if filed is not None:
                return filed, stamp
        raise StampOvertakenError

    def _draft(self, authority: TimestampAuthority | None) -> StatementDraft:
        before = next(self.recent(1), None)
        since = before.said.heads.get(self._branch) if before and before.said else None
        heads = self._branches.all()
        digest, files = hashlib.sha256(), 0
        for path, data in self._archive.added_since(since):
            line = f"{hashlib.sha256(data).hexdigest()}  {path}\n"
            digest.update(line.encode("utf-8", "surrogateescape"))
            files += 1
        # Named and signed, so that the stamp cannot be taken away later without a trace.
        address = authority.address if authority is not None else None
        said = DailyHeads(heads, Digest(f"sha256:{digest.hexdigest()}"), files, address)
        return StatementDraft(TIMESTAMPS, Event.HEADS_STAMPED, subject=self._branch, new=said.as_values())

    def _head(self, values: object) -> str | None:
        said = daily_heads(values) if isinstance(values, dict) else None
        return said.heads.get(self._branch) if said else None

    def _checked(self, address: str, answer: bytes, data: bytes, at: datetime) -> CheckedStamp:
        roots = trusted_roots(self._controlled)
        stamp = check_stamp(answer, data, roots)
        if not stamp.trusted:
            raise TimestampRefusedError(
                address=address,
                problem=T("“{authority}”的证书不在信任之列", authority=stamp.authority),
                hint=T(
                    "核对该机构的根证书后，存为 {folder}/机构名.pem，再用 qms change adopt 采用。", folder=ROOTS_FOLDER
                ),
            )
        if abs(stamp.at - at) > TOLERANCE:
            raise TimestampRefusedError(
                address=address,
                problem=T(
                    "它的时间 {theirs} 与本机时间 {ours} 相差过大",
                    theirs=stamp.at.astimezone(at.tzinfo).strftime("%Y-%m-%d %H:%M:%S"),
                    ours=at.strftime("%Y-%m-%d %H:%M:%S"),
                ),
                hint=T("请先校准本机的日期和时间；时钟曾经超前的，再用 qms timestamp clock 说明。"),
            )
        return stamp

    def _note_failure(self, problem: QmsError) -> None:
        assert self._authority is not None
        # Nobody signs this: the machine alone failed, and a passphrase must not be asked for it.
        draft = StatementDraft(
            TRAIL, Event.STAMP_FAILED, subject=self._authority.address, new={"code": problem.code}, reason=str(problem)
        )
        self._statements.file(draft, None)

    def _deliver(self) -> tuple[int, QmsError | None, Sequence[Finding]]:
        if self._witness is None:
            return 0, None, ()
        try:
            delivered = self._witness.deliver(list(self._copies()), self._roots())
        except WitnessUnreachableError as exc:
            return 0, exc, ()
        findings = tuple(self._comparison.findings(newest=_COMPARED)) if self._comparison else ()
        return delivered, None, findings

    def _copies(self) -> Iterator[WitnessCopy]:
        assert self._witness is not None
        newest = self._statements.newest(TIMESTAMPS)
        there = self._witness.sequences()
        last = newest.statement.sequence if newest else 0
        for sequence in range(1, last + 1):
            if sequence in there and sequence != last:
                continue
            path = statement_path(TIMESTAMPS, sequence)
            read = ((suffix, self._archive.read(path + suffix)) for suffix in (".json", ".p7s", ".tsr"))
            files = {suffix: data for suffix, data in read if data is not None}
            if ".json" in files:
                yield WitnessCopy(sequence, files)

    def _roots(self) -> list[bytes]:
        known = sorted(self._comparison.known_roots(), key=lambda digest: digest.hex) if self._comparison else []
        found = (self._archive.read(f"certificates/{digest.hex}.pem") for digest in known)
        return [der for data in found if data is not None and (der := certificate_or_none(data)) is not None]


def stamp_message(outcome: StampOutcome) -> Text:
    """Return what a person is told about `outcome` in one sentence."""
    if outcome.problem is not None:
        return T("今天的时间戳没有取到：{problem}", problem=outcome.problem.message)
    if outcome.stamp is not None:
        return T("已取得 {authority} 的时间戳。", authority=outcome.stamp.authority)
    return T("已归档今天的摘要（没有设定时间戳机构）。")
