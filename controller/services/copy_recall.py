"""受控副本的收回. Calls copies back, takes them in, and notes those that are lost (ISO 13485 4.2.4 h)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.controlled_copies import OUT, check_follows, find_copy
from controller.domain.errors import RefusedError
from controller.domain.statement import Event
from controller.domain.text import T
from controller.services.copy_desk import SHORTEST_REASON, CopyReasonError, checked_reason, copy_statement
from controller.services.copy_paperwork import RETURN_REASONS
from controller.services.copy_reading import RECALLING, recall_statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.services.copy_desk import CopyAct, CopyDesk
    from controller.services.signing_ports import Signer

RETURNING, LOSING = "回收", "遗失登记"
"""Meanings of the signatures under what is stated."""


class NothingToRecallError(RefusedError):
    """没有要收回的副本."""

    code = "copy-nothing-to-recall"

    def __init__(self, *, number: str) -> None:
        super().__init__(
            T("{number} 没有须收回而未通知的副本。", number=number),
            hint=T("现行版本的副本要收回（如离岗），请用 --copy 写明发放号，并写 --reason。"),
        )


@dataclass
class CopyRecall:
    """受控副本的收回服务."""

    desk: CopyDesk

    def recall(self, wanted: str, by: Signer, *, copies: Sequence[str] = (), reason: str = "") -> CopyAct:
        """Call copies back now: those named, with a reason, or all that may not be worked by any more.

        Raises:
            UnknownDocumentError, UnknownCopyError, CopyStateError: there is no such copy, or it is not out.
            PostNeededError: `by` does not hold a post that looks after copies.
            CopyReasonError: copies are called back by number without a reason.
            NothingToRecallError: no copy needs to come back that was not called back already.
        """
        reading = self.desk.reading
        held = reading.held(reading.resolve(wanted))
        number, today, governing = held.number, reading.today, reading.governing(held.number)
        self.desk.check_controller(by.signatory, T("{number} 副本的收回", number=number))
        if copies:
            chosen = list(dict.fromkeys(find_copy(held.copies, number, item) for item in copies))
            for item in chosen:
                if item.recalls or item.revision in governing or item.last not in OUT:
                    check_follows(item, Event.COPY_RECALLED, today=today, governing=governing)
            reason = checked_reason(
                reason,
                missing=T(
                    "收回 {number} 的副本须写明原因（至少 {count} 个字）。", number=number, count=SHORTEST_REASON
                ),
                hint=T("例如 --reason 领用人离岗。"),
            )
        else:
            chosen = [
                item for item in held.copies if item.last in OUT and item.revision not in governing and not item.recalls
            ]
            if not chosen:
                raise NothingToRecallError(number=number)
            reason = reason.strip() or "版本已不再有效"
        by.ready(RECALLING)
        draft = recall_statement(number, chosen, change="", effective=today, reason=reason)
        return self.desk.file(held, by, draft, [item.copy for item in chosen])

    def take_back(self, wanted: str, copy: str, by: Signer, *, why: str | None = None) -> CopyAct:
        """State that a copy came back; `why` is one of `RETURN_REASONS`, worked out for an obsolete revision.

        Raises:
            UnknownDocumentError, UnknownCopyError, CopyStateError: there is no such copy, or it is back already.
            PostNeededError: `by` does not hold a post that looks after copies.
            CopyReasonError: the revision is still good and no reason is given.
        """
        found, held = self.desk.found(wanted, copy, Event.COPY_RETURNED)
        self.desk.check_controller(by.signatory, T("{number} 副本的回收", number=held.number))
        governing = self.desk.reading.governing(held.number)
        if why is None and found.revision not in governing:
            why = "换版" if governing else "作废"
        if why not in RETURN_REASONS:
            raise CopyReasonError(
                problem=T("{copy} 号副本的版本仍然有效，请写明收回原因。", copy=found.copy),
                hint=T("用 --why 写明：{reasons}。", reasons=list(RETURN_REASONS)),
            )
        by.ready(RETURNING)
        draft = copy_statement(Event.COPY_RETURNED, found, RETURNING, {"why": why})
        record = self.desk.paperwork.returned(found, why=why, on=self.desk.reading.today)
        return self.desk.file(held, by, draft, [found.copy], record)

    def lose(self, wanted: str, copy: str, by: Signer, *, reason: str) -> CopyAct:
        """State that a copy is lost, as its holder told whoever looks after copies.

        Raises:
            UnknownDocumentError, UnknownCopyError, CopyStateError: there is no such copy, or nobody has it.
            PostNeededError: `by` does not hold a post that looks after copies.
            CopyReasonError: no reason is given.
        """
        found, held = self.desk.found(wanted, copy, Event.COPY_LOST)
        self.desk.check_controller(by.signatory, T("{number} 副本的遗失登记", number=held.number))
        why = checked_reason(
            reason,
            missing=T("副本遗失须写明经过（至少 {count} 个字）。", count=SHORTEST_REASON),
            hint=T("例如 --reason 搬迁时丢失，已查找三天。"),
        )
        by.ready(LOSING)
        draft = copy_statement(Event.COPY_LOST, found, LOSING, reason=why)
        record = self.desk.paperwork.lost(found, note=why, on=self.desk.reading.today)
        return self.desk.file(held, by, draft, [found.copy], record)
