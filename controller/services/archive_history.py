"""档案历史. One pass over every commit of the archive, oldest first (21 CFR 11.10 c, e).

Proves that the archive only ever grew, in one line, with times that never go back, each signature and sealed part
together with its entry; and gives the order in which everything was filed.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import QmsError
from controller.domain.statement import Event
from controller.domain.text import T
from controller.file_formats.statement_file import decode_statement
from controller.services.commit_order import CommitOrder, in_zone
from controller.services.examination_ports import ORDINARY, HistoryUnreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import tzinfo

    from controller.domain.text import Text
    from controller.services.examination_ports import BranchHistory, HistoricCommit
    from controller.services.ports import Progress

_BESIDE = re.compile(r"(.*/\d{4,8})\.(?:p7s|sealed)")
_ATTACHMENT = re.compile(r"(.*)/attachments/[^/]+")
_ENTRY = re.compile(r"(.*)/(\d{4,8})\.json")
_RECORD_DEPTH = 5
_EVERY = 500


class ArchiveHistory:
    """档案历史. Reads the history of one archive branch and tells what is wrong with it."""

    def __init__(
        self,
        history: BranchHistory,
        branch: str,
        *,
        tip: str | None,
        zone: tzinfo,
        read: Callable[[str], bytes | None],
        progress: Progress | None = None,
    ) -> None:
        self._history = history
        self._branch = branch
        self._tip = tip
        self._zone = zone
        self._read = read
        self._progress = progress
        self.order = CommitOrder(secrets.token_bytes(16), zone)
        """When each file was added; complete after `findings` has been read to its end."""

    def findings(self) -> Iterator[Finding]:
        """Yield what is wrong, commit by commit."""
        before: HistoricCommit | None = None
        try:
            for commit in self._history.commits(self._branch, tip=self._tip):
                place = self.order.add_commit(commit.commit, commit.at)
                yield from self._commit(commit, before)
                before = commit
                if self._progress is not None and not place % _EVERY:
                    self._progress(place, None)
            self.order.complete = True
        except HistoryUnreadable as exc:
            message = T("档案历史从归档 {commit} 起读不出来。", commit=exc.commit[:12])
            yield Finding("history-unreadable", Gravity.ERROR, message, hint=_restore())
        finally:
            self.order.close()

    def _commit(self, commit: HistoricCommit, before: HistoricCommit | None) -> Iterator[Finding]:
        since = in_zone(commit.at, self._zone)
        name = commit.commit[:12]

        def wrong(code: str, message: Text, path: str | None = None) -> Finding:
            return Finding(code, Gravity.ERROR, message, path=path, since=since)

        if not commit.follows(before):
            yield wrong("history-not-one-line", T("归档 {commit} 没有接在唯一的前一次归档之后。", commit=name))
        if before is not None and commit.at < before.at and not self._corrects_clock(commit):
            message = T(
                "归档 {commit} 的时间 {at} 早于前一次的 {before}，也没有校正时钟的陈述。",
                commit=name,
                at=since,
                before=in_zone(before.at, self._zone),
            )
            yield wrong("commit-time-backwards", message)
        added = {change.path for change in commit.changes if change.kind == "A"}
        entered = {match[1] for path in added if (match := _ENTRY.fullmatch(path))}
        for change in commit.changes:
            if change.kind != "A":
                message = T("归档 {commit} 改动或删除了已归档的“{path}”。", commit=name, path=change.path)
                yield wrong("history-rewritten", message, change.path)
                continue
            if change.mode != ORDINARY:
                message = T("“{path}”不是普通文件（种类 {mode}）。", path=change.path, mode=change.mode)
                yield wrong("file-kind-wrong", message, change.path)
            yield from self._added(change.path, added, entered, since)

    def _added(self, path: str, added: set[str], entered: set[str], since: str | None) -> Iterator[Finding]:
        if match := _BESIDE.fullmatch(path):
            if f"{match[1]}.json" in added:
                return  # found by its entry
            message = T("“{path}”不是与它所属的内容同时归档的。", path=path)
            yield Finding("file-added-later", Gravity.ERROR, message, path=path, since=since)
        elif (match := _ATTACHMENT.fullmatch(path)) and match[1] not in entered:
            message = T("“{path}”不是与它所属的内容同时归档的。", path=path)
            yield Finding("file-added-later", Gravity.ERROR, message, path=path, since=since)
        elif (match := _ENTRY.fullmatch(path)) and match[2] == "0001" and match[1].count("/") == _RECORD_DEPTH - 1:
            self.order.records += 1
        self.order.add_path(path)

    def _corrects_clock(self, commit: HistoricCommit) -> bool:
        for change in commit.changes:
            if not change.path.startswith("trail/") or not change.path.endswith(".json"):
                continue
            try:
                data = self._read(change.path)
                if data is not None and decode_statement(data).event is Event.CLOCK_CORRECTED:
                    return True
            except QmsError:
                continue
        return False


def _restore() -> Text:
    return T("从备份恢复工作区后再验证。")
