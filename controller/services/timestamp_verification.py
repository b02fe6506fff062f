"""时间证明的验证. Checks the daily statements and the stamps over them; implements `TimestampVerification`.

A stamp proves that everything the statement covers existed at its time, whatever the clock of this computer says.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.daily_heads import daily_heads
from controller.domain.text import T, Text
from controller.file_formats.timestamp_file import StampDamagedError, check_stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date, tzinfo

    from controller.domain.daily_heads import DailyHeads
    from controller.file_formats.timestamp_file import CheckedStamp
    from controller.services.examination_ports import AddedFiles, HeldStatement

ROOTS_FOLDER = "signatures/timestamp-roots"
"""Controlled folder with the root certificates (PEM) of the time-stamping authorities that the company trusts."""
TOLERANCE = timedelta(minutes=5)
"""How far this computer's clock and the authority's may be apart."""


def time_not_proven() -> Finding:
    """Return what is to be said as long as no stamp proves a time."""
    message = T("时间未经独立证明：还没有外部时间戳机构的时间戳。")
    hint = T("在 qms.toml 中设定时间戳机构后，每天取一次时间戳。")
    return Finding("time-not-proven", Gravity.NOTE, message, hint=hint)


class StampVerification:
    """时间证明的验证. Trusts the authorities whose root certificates (DER) are given."""

    def __init__(self, roots: Sequence[bytes], *, zone: tzinfo, now: datetime) -> None:
        self._roots = list(roots)
        self._zone = zone
        self._today = now.astimezone(zone).date()

    def findings(
        self,
        heads: Sequence[HeldStatement],
        added: Sequence[AddedFiles | None],
        holds: Callable[[str, str], bool],
    ) -> Iterator[Finding]:
        """Yield everything about the chain `timestamps`, given in sequence order; see `TimestampVerification`."""
        known: dict[tuple[str, str], bool] = {}
        proven: list[datetime] = []
        for place, item in enumerate(heads):
            said = daily_heads(item.statement.new)
            if said is None:
                yield _error(item, "heads-malformed", T("每日摘要的内容不完整。"))
            else:
                yield from self._added(item, said, added[place] if place < len(added) else None)
                yield from self._heads(item, said, holds, known)
            stamp, finding = self._stamp(item, expected=said is not None and said.authority is not None)
            if finding is not None:
                yield finding
            if stamp is not None:
                yield from self._time(item, stamp, proven[-1] if proven else None)
                proven.append(stamp.at)
        if not proven:
            yield time_not_proven()
        else:
            yield from self._gaps([at.astimezone(self._zone).date() for at in proven])

    def _stamp(self, item: HeldStatement, *, expected: bool) -> tuple[CheckedStamp | None, Finding | None]:
        """Return the stamp where it proves a time, or what is wrong with it."""
        where = item.path.removesuffix(".json") + ".tsr"
        if item.stamp is None:
            message = T("每日摘要写明有时间戳，时间戳却不见了。")
            return None, _error(item, "stamp-missing", message, path=where) if expected else None
        try:
            stamp = check_stamp(item.stamp, item.data, self._roots)
        except StampDamagedError as exc:
            return None, _error(item, exc.code, exc.message, path=where, hint=exc.hint)
        if not stamp.intact:
            return None, _error(item, "stamp-invalid", T("时间戳与它证明的内容不符，或签名有误。"), path=where)
        if not stamp.trusted:
            message = T("时间戳机构“{authority}”的证书不在信任之列，或当时已失效。", authority=stamp.authority)
            hint = T("核对后把该机构的根证书放入 {folder}/ 并采用。", folder=ROOTS_FOLDER)
            return None, _error(item, "stamp-untrusted", message, path=where, hint=hint)
        return stamp, None

    def _time(self, item: HeldStatement, stamp: CheckedStamp, before: datetime | None) -> Iterator[Finding]:
        proven = stamp.at.astimezone(self._zone).isoformat(timespec="seconds")
        if abs(stamp.at - datetime.fromisoformat(item.statement.at)) > TOLERANCE:
            message = T("写明的时间 {at} 与时间戳证明的 {proven} 不符。", at=item.statement.at, proven=proven)
            yield _error(item, "stamp-time-differs", message)
        if before is not None and stamp.at < before - TOLERANCE:
            message = T("时间戳证明的 {proven} 早于前一份摘要的时间戳。", proven=proven)
            yield _error(item, "stamp-order-wrong", message)

    @staticmethod
    def _added(item: HeldStatement, said: DailyHeads, found: AddedFiles | None) -> Iterator[Finding]:
        branch = f"archive/{item.statement.site}"
        if branch not in said.heads:
            yield _error(item, "heads-malformed", T("每日摘要没有写明 {branch}。", branch=branch))
        elif found is None:
            message = T(
                "每日摘要写明的档案状态 {commit} 不在现在的历史中：档案被退回或改写。", commit=said.heads[branch][:12]
            )
            yield _error(item, "heads-not-in-history", message)
        elif found.digest != said.added or found.files != said.files:
            message = T(
                "到这一天为止新归档的内容与当时的摘要不符（当时 {then} 个文件，现在 {now} 个）。",
                then=said.files,
                now=found.files,
            )
            yield _error(item, "heads-added-differs", message)

    @staticmethod
    def _heads(
        item: HeldStatement,
        said: DailyHeads,
        holds: Callable[[str, str], bool],
        known: dict[tuple[str, str], bool],
    ) -> Iterator[Finding]:
        own = f"archive/{item.statement.site}"
        for branch, commit in said.heads.items():
            # Other branches are drafts, which people may drop.
            if branch == own or not (branch == "main" or branch.startswith("archive/")):
                continue
            if (branch, commit) not in known:
                known[branch, commit] = holds(branch, commit)
                if not known[branch, commit]:
                    message = T("每日摘要写明的 {commit} 不在 {branch} 的历史中。", commit=commit[:12], branch=branch)
                    yield _error(item, "heads-not-in-history", message)

    def _gaps(self, days: Sequence[date]) -> Iterator[Finding]:
        stamped = sorted({*days, self._today})
        gaps = [(b - a, a, b) for a, b in pairwise(stamped) if (b - a).days > 1]
        missing = sum(length.days - 1 for length, _, _ in gaps)
        if missing:
            _, first, last = max(gaps)
            message = T(
                "自第一次取得时间戳以来，有 {count} 天没有时间戳，最长的一段在 {first} 与 {last} 之间。",
                count=missing,
                first=first.isoformat(),
                last=last.isoformat(),
            )
            yield Finding("stamp-days-missing", Gravity.NOTE, message)


def _error(
    item: HeldStatement, code: str, message: Text, *, path: str | None = None, hint: Text | None = None
) -> Finding:
    hint = hint or T("从备份恢复工作区，或与机器外的副本核对。")
    return Finding(code, Gravity.ERROR, message, path=path or item.path, hint=hint, since=item.statement.at)
