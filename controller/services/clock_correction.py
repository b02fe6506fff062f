"""时钟校正. The way out when the clock once ran ahead: somebody who may, states it and why (21 CFR 11.10 e).

The statement is the only thing that may lie earlier than what was filed before it; afterwards filing goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.errors import RefusedError
from controller.domain.statement import TRAIL, Event
from controller.domain.text import T
from controller.services.staff_directory import check_post
from controller.services.statement_filing import StatementDraft

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from controller.domain.person import Staff
    from controller.services.archive_ports import BranchHeads
    from controller.services.ports import Clock
    from controller.services.signing_ports import Signer
    from controller.services.statement_filing import FiledStatement, StatementFiling

MEANING = "更正"
"""Asks for the passphrase under every profile."""
_REASON_AT_LEAST = 5


class ClockNotBehindError(RefusedError):
    """时钟没有落后. There is nothing to correct."""

    code = "clock-not-behind"

    def __init__(self, *, now: datetime, newest: datetime) -> None:
        super().__init__(
            T(
                "本机时间 {now} 不早于最近一次归档的 {newest}，无需校正。",
                now=now.strftime("%Y-%m-%d %H:%M:%S"),
                newest=newest.strftime("%Y-%m-%d %H:%M:%S"),
            ),
            hint=T("本机时间不准的，先在操作系统中校准。"),
        )


class ClockReasonError(RefusedError):
    """需要写明原因."""

    code = "clock-reason-missing"

    def __init__(self) -> None:
        super().__init__(
            T("请用 --reason 写明时钟为什么曾经超前（至少 {least} 个字）。", least=_REASON_AT_LEAST),
            hint=T("例如 --reason 换主板后日期错设为明年，现已校准。"),
        )


class ClockCorrection:
    """时钟校正. For one site."""

    def __init__(
        self,
        *,
        statements: StatementFiling,
        branches: BranchHeads,
        clock: Clock,
        staff: Staff,
        posts: Sequence[str],
        site: str,
    ) -> None:
        """`posts`: who may."""
        self._statements = statements
        self._branches = branches
        self._branch = f"archive/{site}"
        self._clock = clock
        self._staff = staff
        self._posts = posts

    def correct(self, signer: Signer, *, reason: str) -> FiledStatement:
        """State that the clock ran ahead until now, and why.

        Raises:
            ClockReasonError, ClockNotBehindError, PostNeededError: nothing was filed.
        """
        now = self._clock.now()
        if len(reason.strip()) < _REASON_AT_LEAST:
            raise ClockReasonError
        check_post(self._staff, signer.signatory, self._posts, T("校正时钟"))
        newest = self._branches.newest(self._branch)
        if newest is None or newest <= now:
            raise ClockNotBehindError(now=now, newest=(newest or now).astimezone(now.tzinfo))
        signer.ready(MEANING)
        draft = StatementDraft(
            TRAIL,
            Event.CLOCK_CORRECTED,
            subject=signer.origin.computer,
            meaning=MEANING,
            reason=reason.strip(),
            old={"at": newest.astimezone(now.tzinfo).isoformat(timespec="seconds")},
            new={"at": now.isoformat(timespec="seconds")},
        )
        return self._statements.file(draft, signer, clock_corrected=True)
