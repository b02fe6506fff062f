"""生效日程验证. Each schedule of effect on `main` must follow from the one before and the act that wrote it."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from controller.domain.change_folding import fold_change
from controller.domain.conformity import Finding, Gravity
from controller.domain.effect_schedule import EffectSchedule, PendingEffect
from controller.domain.errors import QmsError
from controller.domain.statement import Event, statement_path
from controller.domain.text import T
from controller.file_formats.effect_file import EFFECT_FILE, read_effect
from controller.file_formats.statement_file import decode_statement

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from controller.domain.statement import Statement
    from controller.domain.text import Text
    from controller.services.archive_ports import Archive
    from controller.services.examination_ports import HistoricCommit


class EffectVerification:
    """生效日程验证. Told of every commit of `main` in order, with the statement that covers it."""

    def __init__(self, archive: Archive, *, zone: tzinfo) -> None:
        self._archive = archive
        self._zone = zone
        self._before = EffectSchedule()

    def findings(self, commit: HistoricCommit, statement: Statement | None, data: bytes | None) -> Iterator[Finding]:
        """Yield what is wrong with the schedule as `commit` has it; `data` None: it did not change."""
        before = self._before
        try:
            now = read_effect(data) if data is not None else before
        except QmsError as exc:
            yield self._wrong(exc.message, commit)
            return
        self._before = now
        try:
            expected = self._expected(before, commit, statement)
        except (QmsError, ValueError, TypeError, KeyError):
            expected = None
        if expected != now:
            yield self._wrong(T("生效日程与更改 {commit} 的签名陈述不符。", commit=commit.commit[:12]), commit)

    def _expected(
        self, before: EffectSchedule, commit: HistoricCommit, statement: Statement | None
    ) -> EffectSchedule | None:
        """Return the schedule that follows; a change that has nothing to do with effect leaves it alone."""
        if statement is None or statement.event not in {Event.CHANGE_APPROVED, Event.EFFECT_POSTPONED}:
            return before
        today = datetime.fromisoformat(statement.at).astimezone(self._zone).date()
        day = date.fromisoformat(str(statement.new["effective"]))
        number = statement.chain.partition("/")[2]
        if statement.event is Event.EFFECT_POSTPONED:
            return before.postponed(str(statement.new["number"]), number, day, today)[0]
        opened = self._archive.read(f"{statement_path(statement.chain, 1)}.json")
        if opened is None:
            return None
        request = fold_change(number, [decode_statement(opened)])
        tip = commit.parents[0] if commit.parents else None
        coming = [
            PendingEffect(item.paths, item.kind, item.number, item.after, day, tip if item.before else None, number)
            for item in request.items
        ]
        return before.with_approved(coming, today)

    def _wrong(self, message: Text, commit: HistoricCommit) -> Finding:
        at = datetime.fromtimestamp(commit.at, self._zone).isoformat()
        return Finding("effect-differs", Gravity.ERROR, message, path=EFFECT_FILE, since=at)
