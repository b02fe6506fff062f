"""受控副本的发放与签收. Hands out numbered copies and has them signed for, with their record JL-003 (CX-001 5.5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller.domain.controlled_copies import OUTSIDE, CopyHolder, CopyState, Medium, next_copy
from controller.domain.errors import RefusedError
from controller.domain.identifiers import RecordNumber
from controller.domain.statement import COPIES, Event
from controller.domain.text import T
from controller.services.act_filing import StatementPart
from controller.services.change_paperwork import ISSUE
from controller.services.copy_desk import copy_statement
from controller.services.copy_paperwork import record_of
from controller.services.staff_directory import UnknownPersonError, active_person
from controller.services.statement_filing import StatementDraft

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.domain.controlled_copies import ControlledCopy
    from controller.domain.identifiers import Digest
    from controller.domain.person import Person
    from controller.domain.record import Signatory, Wire
    from controller.domain.text import Text
    from controller.services.act_filing import ActMoment, Part
    from controller.services.copy_desk import CopyAct, CopyDesk
    from controller.services.copy_reading import HeldCopies
    from controller.services.paper_signing import PaperSigning, TakenPaper
    from controller.services.signing_ports import Signer

ISSUING, RECEIVING = "发放", "已阅知"
"""Meanings of the signatures under what is stated."""
_LONGEST_NAME = 60


class CopyRevisionError(RefusedError):
    """版本不能发放. Only what is in force, or approved for a later day, is handed out as controlled."""

    code = "copy-revision"

    def __init__(self, *, number: str, revision: str, possible: Sequence[str]) -> None:
        subject = f"{number} {revision}".strip()
        super().__init__(
            T("{subject} 不是现行版本，也不是已批准待生效的版本，不能发放受控副本。", subject=subject),
            hint=T("可以发放的版本：{revisions}。", revisions=list(possible))
            if possible
            else T("先完成文件的审批；作废的文件不再发放。"),
        )


class CopyHolderError(RefusedError):
    """领用部门或领用人不明. Neither a person on file, nor a department, nor somebody outside with a name."""

    code = "copy-holder"

    def __init__(self, *, wanted: str, departments: Sequence[str]) -> None:
        super().__init__(
            T("“{wanted}”不是在册人员，也不是本企业的部门。", wanted=wanted[:60]),
            hint=T(
                "写人员姓名或工号，或这些部门之一：{departments}；企业以外的写“外部：单位名称”。",
                departments=list(departments),
            ),
        )


class NotHolderError(RefusedError):
    """不是领用人. A copy is signed for by its holder: the person, or somebody of the department."""

    code = "copy-not-holder"
    unauthorised = True

    def __init__(self, *, copy: ControlledCopy, name: str) -> None:
        super().__init__(
            T(
                "{number} 的 {copy} 号副本由“{holder}”领用，应由其签收；{name}不能代签。",
                number=copy.number,
                copy=copy.copy,
                holder=copy.holder.told,
                name=name,
            ),
            hint=T("请领用人本人登录签收；没有账号的在纸上签收，由文件管理员用 --scan 归档扫描件。"),
        )


class PaperReceiptError(RefusedError):
    """不能归档纸质签收. The copy has no record that could take the scan, or the holder can sign here."""

    code = "copy-paper-receipt"

    def __init__(self, *, problem: Text, hint: Text) -> None:
        super().__init__(problem, hint=hint)


@dataclass(frozen=True)
class PlannedCopy:
    """待发放的副本. Everything about a copy that is to be handed out, before anything is filed."""

    held: HeldCopies
    """The copies there are: nobody else may have taken the number meanwhile."""
    number: str
    title: str
    revision: str
    copy: str
    holder: CopyHolder
    medium: str
    waiting: bool
    """Whether the revision is approved and waits for its day."""
    beside: tuple[str, ...] = ()
    """Numbers of the copies of this revision that the same holder has already."""
    leaving: bool = False
    """Whether the document is approved to be withdrawn."""


@dataclass
class CopyIssuing:
    """受控副本的发放与签收服务."""

    desk: CopyDesk
    paper: PaperSigning

    def plan(
        self, wanted: str, to: str, by: Signatory, *, revision: str | None = None, medium: str = Medium.PAPER
    ) -> PlannedCopy:
        """Return the copy that would be handed out next; nothing is filed.

        `to` is a person, a department, or `外部：名称`. Without `revision` it is the newest that is approved.

        Raises:
            UnknownDocumentError: there is no such document.
            PostNeededError: `by` does not hold a post that hands out copies.
            CopyRevisionError: the revision may not be worked by.
            CopyHolderError, PersonRetiredError: nobody to hand it to.
        """
        reading = self.desk.reading
        number = reading.resolve(wanted)
        self.desk.check_controller(by, T("{number} 受控副本的发放", number=number))
        governing = reading.governing(number)
        asked = (revision or "").strip().upper().replace("／", "/")
        if not governing or (asked and asked not in governing):
            raise CopyRevisionError(number=number, revision=asked, possible=governing)
        chosen = asked or governing[-1]
        in_force = number in reading.library.numbers() and reading.library.document(number).revision.text == chosen
        source = reading.library if in_force else reading.approved
        held, holder = reading.held(number), self._holder(to)
        own = [item for item in held.copies if item.holder.told == holder.told and item.revision == chosen]
        return PlannedCopy(
            held=held,
            number=number,
            title=source.document(number).title,
            revision=chosen,
            copy=next_copy(held.copies),
            holder=holder,
            medium=Medium(medium).value,
            waiting=not in_force,
            beside=tuple(item.copy for item in own if item.last in {CopyState.ISSUED, CopyState.RECEIVED}),
            leaving=number not in reading.approved.numbers(),
        )

    def issue(self, planned: PlannedCopy, by: Signer, *, shown: Digest | None = None) -> CopyAct:
        """Hand out the planned copy; `shown` is the digest of the print that is handed over.

        Raises:
            ActOvertakenError: somebody else stated something of the document's copies meanwhile.
            ValuesRefusedError: the company's form JL-003 asks for something more.
        """
        by.ready(ISSUING)
        holder = planned.holder
        facts: dict[str, Wire] = {
            "copy": planned.copy,
            "revision": planned.revision,
            "department": holder.department,
            "medium": planned.medium,
        }
        facts |= {key: value for key, value in (("holder", holder.name), ("person", holder.person)) if value}
        chain = f"{COPIES}/{planned.number}"

        def draft(moment: ActMoment) -> StatementDraft:
            new = {**facts, **record_of(moment, ISSUE)}
            return StatementDraft(chain, Event.COPY_ISSUED, planned.number, ISSUING, new=new, shown=shown)

        document = (planned.number, planned.title, planned.revision)
        today = self.desk.reading.today
        opening = self.desk.paperwork.issued(document, planned.copy, holder, planned.medium, today)
        parts: list[Part] = [*([opening] if opening is not None else []), StatementPart(draft)]
        act = self.desk.acts.file(by, parts, expects={chain: planned.held.sequence})
        return self.desk.done(planned.number, [planned.copy], act)

    def receive(self, wanted: str, copy: str, by: Signer) -> CopyAct:
        """Sign for a copy as its holder, or for the department that holds it.

        Raises:
            UnknownDocumentError, UnknownCopyError, CopyStateError: there is no such copy to sign for.
            NotHolderError: `by` is not the holder, nor of the holding department.
        """
        found, held = self.desk.found(wanted, copy, Event.COPY_RECEIVED)
        if not holds(self.desk, found, by.signatory):
            raise NotHolderError(copy=found, name=by.signatory.name)
        by.ready(RECEIVING)
        record = self.desk.paperwork.received(found)
        draft = copy_statement(Event.COPY_RECEIVED, found, RECEIVING)
        return self.desk.file(held, by, draft, [found.copy], record)

    def receive_on_paper(self, wanted: str, copy: str, by: Signer, paper: TakenPaper) -> CopyAct:
        """Take in what a holder without an account signed on paper, or why there is no signature.

        The sheet is that of the copy's record JL-003 (`qms record sheet`), and the scan is kept with it.

        Raises:
            UnknownDocumentError, UnknownCopyError, CopyStateError: there is no such copy to sign for.
            PostNeededError: `by` does not hold a post that looks after copies.
            PaperReceiptError: the holder takes in the own signature, or no record takes the scan.
            PaperFactsError, ScanRefusedError, PaperCodeUnreadError, PaperCodeDiffersError: the scan cannot be filed.
        """
        found, held = self.desk.found(wanted, copy, Event.COPY_RECEIVED)
        self.desk.check_controller(by.signatory, T("{number} 纸质签收的归档", number=held.number))
        if by.signatory.person == found.holder.person:
            raise PaperReceiptError(
                problem=T("{name}是领用人，不能归档自己的纸质签收。", name=by.signatory.name),
                hint=T("请直接用 qms copy receive 签收。"),
            )
        if not found.record:
            raise PaperReceiptError(
                problem=T("{copy} 号副本没有发放回收记录，纸质签收无处归档。", copy=found.copy),
                hint=T("请领用人登录签收；以后发放前先恢复《文件发放回收记录》表单。"),
            )
        signature, _stored = self.paper.checked(
            RecordNumber(found.record), replace(paper, meaning=RECEIVING, field=None)
        )
        record = self.desk.paperwork.received(found, paper=signature, scan=paper.scan)
        if record is None:
            raise PaperReceiptError(
                problem=T("记录 {record} 的表单没有纸质签收这一步。", record=found.record),
                hint=T("请领用人登录签收，或修订《文件发放回收记录》表单。"),
            )
        by.ready(RECEIVING)
        draft = copy_statement(Event.COPY_RECEIVED, found, RECEIVING, signature.wire(), reason=signature.reason or "")
        if signature.scan is not None:
            draft = replace(draft, shown=signature.scan.digest)
        return self.desk.file(held, by, draft, [found.copy], record)

    def _holder(self, wanted: str) -> CopyHolder:
        """Return who is meant: a person on file, a department, or somebody outside."""
        text = wanted.strip()
        departments = self.desk.paperwork.departments()
        head, _, rest = text.replace("：", ":").partition(":")
        if head.strip() == OUTSIDE:
            name = rest.strip()
            if name and len(name) <= _LONGEST_NAME and name.isprintable():
                return CopyHolder(OUTSIDE, name)
        elif text in departments:
            return CopyHolder(text)
        else:
            try:
                person = active_person(self.desk.staff, text)
            except UnknownPersonError:
                pass
            else:
                return CopyHolder(_department(self.desk, person), person.name, person.id)
        raise CopyHolderError(wanted=wanted, departments=[item for item in departments if item != OUTSIDE])


def holds(desk: CopyDesk, copy: ControlledCopy, by: Signatory) -> bool:
    """Tell whether `by` is the person who holds a copy, or belongs to the department that does."""
    if copy.holder.person or copy.holder.outside:
        return by.person == copy.holder.person
    person = desk.staff.people.get(by.person)
    posts = [desk.staff.posts[key] for key in person.posts if key in desk.staff.posts] if person is not None else []
    return copy.holder.department in {post.department for post in posts}


def _department(desk: CopyDesk, person: Person) -> str:
    """Return the department of a person's main post."""
    posts = [desk.staff.posts[key] for key in person.posts if key in desk.staff.posts]
    return next((post.department for post in posts if post.department), "")
