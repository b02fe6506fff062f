"""受控副本的销毁. Approved by the quality head, done by one person under the eyes of another (CX-001 5.9; JL-005).

Only copies are ever destroyed: the archived revision stays, and so does everything that was stated of the copies.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from controller.domain.controlled_copies import check_follows, find_copy
from controller.domain.errors import NotFoundError, RefusedError
from controller.domain.statement import COPIES, Event, statement_path
from controller.domain.text import T
from controller.services.change_paperwork import DESTRUCTION
from controller.services.copy_desk import SHORTEST_REASON, checked_reason
from controller.services.copy_paperwork import OBSOLETE_COPY, PAPER_COPY
from controller.services.statement_filing import StatementDraft

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from controller.domain.controlled_copies import ControlledCopy
    from controller.domain.identifiers import RecordNumber
    from controller.domain.record import Wire
    from controller.services.act_filing import ActMoment
    from controller.services.copy_desk import CopyAct, CopyDesk
    from controller.services.copy_paperwork import DestructionOrder
    from controller.services.copy_reading import HeldCopies
    from controller.services.record_filing import Filed
    from controller.services.signing_ports import Signer

DESTROYING, WITNESSING = "执行", "监督"
"""Meanings of the two signatures."""
_APPROVED = "approved"


class CopyHoldError(RefusedError):
    """没有核对保全. Nothing is destroyed before somebody made sure that nothing holds it."""

    code = "copy-hold-unchecked"

    def __init__(self) -> None:
        super().__init__(
            T("销毁之前须核对没有保全、在查或诉讼。"), hint=T("核对无误后加 --no-hold；有保全、在查或诉讼的不得销毁。")
        )


class DestructionEarlyError(RefusedError):
    """保存期没有届满. A copy is kept until its revision is obsolete."""

    code = "copy-destruction-early"

    def __init__(self, *, number: str, copy: str, due: date) -> None:
        super().__init__(
            T("{number} 的 {copy} 号副本须保存到 {due}，还没有届满，不能申请销毁。", number=number, copy=copy, due=due),
            hint=T("请从 {due} 起再申请。", due=due),
        )


class MixedRevisionsError(RefusedError):
    """一次只销毁一个版本的副本. One record names the copies of one revision."""

    code = "copy-revisions-mixed"

    def __init__(self, *, number: str, revisions: Sequence[str]) -> None:
        super().__init__(
            T("所列副本属于 {number} 的不同版本：{revisions}。", number=number, revisions=list(revisions)),
            hint=T("每个版本各申请一次。"),
        )


class DestructionFormMissingError(NotFoundError):
    """没有销毁审批表单."""

    code = "copy-destruction-form"

    def __init__(self) -> None:
        super().__init__(
            T("文件库里没有《文件销毁审批记录》（{form}），不能销毁副本。", form=DESTRUCTION),
            hint=T("从起步文件库恢复这张表单，经文件更改程序采用。"),
        )


class NotDestructionOrderError(RefusedError):
    """不是副本的销毁审批. The record is another form's, void, or does not say which copies."""

    code = "copy-destruction-order"

    def __init__(self, *, record: RecordNumber) -> None:
        super().__init__(
            T("记录 {record} 不是副本的销毁审批，或已作废。", record=record),
            hint=T("用 qms copy request-destruction 申请，批准后用它的记录编号。"),
        )


class DestructionUnapprovedError(RefusedError):
    """销毁没有批准."""

    code = "copy-destruction-unapproved"

    def __init__(self, *, record: RecordNumber) -> None:
        super().__init__(
            T("销毁审批 {record} 还没有批准，或已经办理。", record=record),
            hint=T("由质量负责人批准：qms record advance {record} --stage 已批准 --set method=粉碎", record=record),
        )


class NothingDestroyedError(NotFoundError):
    """没有待监销的销毁."""

    code = "copy-nothing-destroyed"

    def __init__(self, *, record: RecordNumber) -> None:
        super().__init__(
            T("{record} 没有待监销人确认的销毁。", record=record),
            hint=T("先由销毁人用 qms copy destroy {record} 登记。", record=record),
        )


class OwnDestructionError(RefusedError):
    """不能监销自己的销毁. Who destroyed a copy cannot be the one who watched."""

    code = "copy-own-destruction"
    unauthorised = True

    def __init__(self, *, name: str) -> None:
        super().__init__(T("{name}是销毁人，不能兼作监销人。", name=name), hint=T("请在场的另一位人员登录确认。"))


@dataclass
class CopyDestruction:
    """受控副本的销毁服务."""

    desk: CopyDesk

    def request(self, wanted: str, copies: Sequence[str], by: Signer, *, reason: str, no_hold: bool = False) -> Filed:
        """Ask for approval to destroy copies that came back; opens the record JL-005.

        Raises:
            UnknownDocumentError, UnknownCopyError, CopyStateError: there is no such copy, or it is not back.
            PostNeededError: `by` does not hold a post that looks after copies.
            CopyHoldError, DestructionEarlyError, CopyReasonError: it may not be destroyed, or not yet.
            MixedRevisionsError: the copies are of several revisions.
            DestructionFormMissingError: the company has no form for it.
        """
        reading = self.desk.reading
        held = reading.held(reading.resolve(wanted))
        number = held.number
        self.desk.check_controller(by.signatory, T("{number} 副本销毁的申请", number=number))
        chosen = self._chosen(held, copies)
        governing = reading.governing(number)
        why = checked_reason(
            reason,
            missing=T("销毁须写明原因（至少 {count} 个字）。", count=SHORTEST_REASON),
            hint=T("例如 --reason 旧版已全部收回。"),
        )
        if not no_hold:
            raise CopyHoldError
        due = max(self._kept_until(item) for item in chosen)
        revisions = list(dict.fromkeys(item.revision for item in chosen))
        if len(revisions) > 1:
            raise MixedRevisionsError(number=number, revisions=revisions)
        obsolete = revisions[0] not in governing
        opening = self.desk.paperwork.request(
            number, chosen, kind=OBSOLETE_COPY if obsolete else PAPER_COPY, due=due, reason=why
        )
        if opening is None:
            raise DestructionFormMissingError
        by.ready("申请")
        return self.desk.acts.file(by, [opening], expects={f"{COPIES}/{number}": held.sequence}).records[0]

    def destroy(self, record: RecordNumber, by: Signer) -> CopyAct:
        """State that the copies of an approved JL-005 are destroyed; counts when somebody else confirms it.

        Raises:
            RecordNotArchivedError, NotDestructionOrderError, DestructionUnapprovedError: nothing allows it.
            StageRefusedError: `by` does not hold a post that destroys.
            CopyStateError: a copy is not here any more.
        """
        order = self._order(record)
        if order.stage != _APPROVED:
            raise DestructionUnapprovedError(record=record)
        held = self.desk.reading.held(order.number)
        chosen = self._chosen(held, order.copies)
        by.ready(DESTROYING)
        new: dict[str, Wire] = {
            "copies": [item.copy for item in chosen],
            "method": order.method,
            "record": record.text,
        }
        draft = StatementDraft(f"{COPIES}/{order.number}", Event.COPY_DESTROYED, order.number, DESTROYING, new=new)
        part = self.desk.paperwork.destroyed(record, on=self.desk.reading.today)
        return self.desk.file(held, by, draft, order.copies, part)

    def confirm(self, record: RecordNumber, by: Signer) -> CopyAct:
        """Confirm as the witness that the copies of a JL-005 were destroyed.

        Raises:
            RecordNotArchivedError, NotDestructionOrderError, NothingDestroyedError: there is nothing to confirm.
            OwnDestructionError: `by` destroyed them.
        """
        order = self._order(record)
        held = self.desk.reading.held(order.number)
        waiting = [
            item
            for item in held.copies
            if item.unwitnessed and item.destruction is not None and item.destruction.record == record.text
        ]
        done = waiting[0].destruction if waiting else None
        if done is None:
            raise NothingDestroyedError(record=record)
        if done.by.person == by.signatory.person:
            raise OwnDestructionError(name=by.signatory.name)
        by.ready(WITNESSING)
        chain, path = f"{COPIES}/{order.number}", statement_path(f"{COPIES}/{order.number}", done.sequence)

        def countersigned(moment: ActMoment) -> Mapping[str, bytes]:
            data = moment.read(f"{path}.json")
            if data is None:
                raise NothingDestroyedError(record=record)
            return {f"{path}.{by.signatory.person}.p7s": by.sign(data, at=moment.at)}

        act = self.desk.acts.file(
            by, [self.desk.paperwork.witnessed(record)], along=countersigned, expects={chain: held.sequence}
        )
        return self.desk.done(order.number, [item.copy for item in waiting], act)

    def _order(self, record: RecordNumber) -> DestructionOrder:
        order = self.desk.paperwork.order(record)
        if order is None:
            raise NotDestructionOrderError(record=record)
        return order

    def _chosen(self, held: HeldCopies, copies: Sequence[str]) -> list[ControlledCopy]:
        governing, today = self.desk.reading.governing(held.number), self.desk.reading.today
        chosen = list(dict.fromkeys(find_copy(held.copies, held.number, item) for item in copies))
        for item in chosen:
            check_follows(item, Event.COPY_DESTROYED, today=today, governing=governing)
        return chosen

    def _kept_until(self, copy: ControlledCopy) -> date:
        """Return the day until which a copy is kept: that on which it came back, or its revision ends, if later."""
        due = max([datetime.fromisoformat(copy.since).date(), *(item.begins for item in copy.recalls)])
        if due > self.desk.reading.today:
            raise DestructionEarlyError(number=copy.number, copy=copy.copy, due=due)
        return due
