"""更改的其他步骤. Comment, answer, return, cancel, postpone, issue and close a change, each a signed statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from controller.domain.change_request import STATUS_LABELS, ChangeStatus
from controller.domain.errors import NotFoundError, RefusedError
from controller.domain.identifiers import Digest
from controller.domain.stated_text import LONGEST_REASON, stated_text
from controller.domain.statement import Event
from controller.domain.text import T
from controller.file_formats.effect_file import EFFECT_FILE, read_effect, write_effect
from controller.services.act_filing import ActOvertakenError, StatementPart
from controller.services.archive_ports import ControlledChange
from controller.services.change_approval import EffectPassedError, opened_records
from controller.services.change_chain import chain_of, check_open
from controller.services.change_reason import REASON_AT_LEAST, checked_reason
from controller.services.document_library import DocumentLibrary
from controller.services.staff_directory import PostNeededError, check_post
from controller.services.statement_filing import StatementDraft

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from controller.domain.change_request import ChangeRequest
    from controller.domain.document_control_rules import DocumentControlRules
    from controller.domain.person import Staff
    from controller.domain.record import Signatory, Wire
    from controller.domain.text import Text
    from controller.services.act_filing import ActFiling, ActMoment, Part
    from controller.services.change_approval import ChangePaperwork
    from controller.services.change_chain import ChangeRequests
    from controller.services.change_route import ChangeRoutes
    from controller.services.files_in_force import DatedFiles
    from controller.services.ports import Clock
    from controller.services.signing_ports import Signer

_COMMENT_LENGTH = LONGEST_REASON
_PLACE_LENGTH = 60
_RETURN, _ISSUE, _CLOSE, _DECIDE = "审核", "发放", "办结", "批准"
"""Meanings under which the person is asked."""


class CommentUnknownError(NotFoundError):
    """没有这条意见."""

    code = "change-comment-unknown"

    def __init__(self, *, number: str, comment: str) -> None:
        super().__init__(
            T("更改 {number} 没有序号为“{comment}”的待答复意见。", number=number, comment=comment[:20]),
            hint=T("用 qms change show {number} 查看各条意见的序号。", number=number),
        )


class ChangeItemUnknownError(NotFoundError):
    """更改里没有这份文件. Or it is not said which of several."""

    code = "change-item-unknown"

    def __init__(self, *, number: str, wanted: str) -> None:
        message = (
            T("更改 {number} 里没有编号为“{wanted}”的文件。", number=number, wanted=wanted[:60])
            if wanted
            else T("更改 {number} 有几份文件，没有写明是哪一份。", number=number)
        )
        super().__init__(
            message, hint=T("用 --document 写明编号；qms change show {number} 列出各份文件。", number=number)
        )


class SameDayError(RefusedError):
    """生效日期没有变."""

    code = "effect-day-same"

    def __init__(self, *, number: str, day: date) -> None:
        super().__init__(T("{number} 本来就定于 {day} 生效。", number=number, day=day), hint=T("用 --to 写明另一天。"))


class CommentClauseError(NotFoundError):
    """没有这一条. A comment is about a clause that the draft has, or about the whole document."""

    code = "change-comment-clause"

    def __init__(self, *, item: str, wanted: str, known: Sequence[str]) -> None:
        super().__init__(
            T("{item} 的草稿里没有条款“{wanted}”。", item=item, wanted=wanted[:_PLACE_LENGTH]),
            hint=T("有这些条款：{known}；对整份文件提意见时不写 --clause。", known=list(known)),
        )


class CommentTextError(RefusedError):
    """意见或答复为空、太长."""

    code = "change-comment-text"

    def __init__(self) -> None:
        super().__init__(
            T("意见和答复要写 1 至 {most} 个字。", most=_COMMENT_LENGTH), hint=T("写清哪里、为什么、建议怎样改。")
        )


class ChangeNotReadyError(RefusedError):
    """更改还没到这一步. What has to come first is said."""

    code = "change-not-ready"

    def __init__(self, *, number: str, why: Text, hint: Text) -> None:
        super().__init__(T("更改 {number}：{why}。", number=number, why=why), hint=hint)


class ChangeAftermath(Protocol):
    """批准之后. What training and controlled copies still want of a change, and the records they leave."""

    def untrained(self, request: ChangeRequest) -> Sequence[Text]:
        """Return, for each document, who has not yet understood it and was not excused."""
        ...

    def copies_out(self, request: ChangeRequest) -> tuple[int, int]:
        """Return how many old copies had to come back, and how many did."""
        ...

    def issued(self, request: ChangeRequest, by: Signatory) -> Sequence[Part]:
        """Return the parts of the act that issues the documents."""
        ...

    def closed(self, request: ChangeRequest, by: Signatory, reason: str, today: date) -> Sequence[Part]:
        """Return the parts of the act that ends the records of the change."""
        ...

    def cancelled(self, request: ChangeRequest, reason: str) -> Sequence[Part]:
        """Return the parts that withdraw the records of a change that is given up."""
        ...


class ChangeSteps:
    """更改的其他步骤."""

    def __init__(
        self,
        requests: ChangeRequests,
        acts: ActFiling,
        approved: DatedFiles,
        routes: ChangeRoutes,
        staff: Staff,
        clock: Clock,
        rules: DocumentControlRules,
        paperwork: ChangePaperwork,
        aftermath: ChangeAftermath,
    ) -> None:
        self._requests = requests
        self._acts = acts
        self._approved = approved
        self._routes = routes
        self._staff = staff
        self._clock = clock
        self._rules = rules
        self._paperwork = paperwork
        self._aftermath = aftermath

    def comment(
        self, wanted: str, text: str, by: Signer, *, item: str | None = None, clause: str = ""
    ) -> ChangeRequest:
        """File a comment on a draft; it must be answered before anybody reviews or approves.

        Raises:
            ChangeNotOpenError: the change is approved or given up.
            CommentTextError: there is nothing to say.
            ChangeItemUnknownError, CommentClauseError: the change has no such item, its draft no such clause.
        """
        request = self._requests.read(wanted)
        check_open(request)
        about = _item_of(request, item)
        self._check_clause(request, about, clause)
        new: dict[str, Wire] = {
            "item": about,
            "clause": stated_text(clause, most=_PLACE_LENGTH, lines=False),
            "text": _said(text),
        }
        return self._state(request, by, Event.CHANGE_COMMENTED, new=new)

    def _check_clause(self, request: ChangeRequest, item: str, clause: str) -> None:
        """Make sure that the draft of a document has a clause of that number or mark; nothing: the whole document."""
        library = DocumentLibrary(self._requests.draft(request, self._approved))
        if not clause.strip() or item not in library.numbers():
            return
        clauses = library.show(item).segment.clauses
        known = [found.label.strip() for found in clauses if found.label.strip()]
        marks = {found.id for found in clauses if found.id is not None}
        if clause.strip() not in marks and _bare(clause) not in {_bare(label) for label in known}:
            raise CommentClauseError(item=item, wanted=clause.strip(), known=known)

    def resolve(self, wanted: str, comment: str, answer: str, by: Signer) -> ChangeRequest:
        """Answer a comment; who drafts, opened the change, or made the comment may.

        Raises:
            CommentUnknownError: no such comment waits for an answer.
            ChangeNotOpenError, CommentTextError: as `comment`.
        """
        request = self._requests.read(wanted)
        check_open(request)
        found = next((item for item in request.unresolved if item.id == comment.strip()), None)
        if found is None:
            raise CommentUnknownError(number=request.number, comment=comment)
        person = by.signatory
        drafters = {item.person for item in (request.by, request.drafter, *request.drafters)}
        if person.person not in drafters and person.name != found.by:
            raise PostNeededError(
                act=T("答复更改 {number} 的意见", number=request.number),
                name=person.name,
                posts=[f"起草人{request.saved_by.name if request.saved_by else request.by.name}", f"提出人{found.by}"],
            )
        new: dict[str, Wire] = {"comment": found.id, "answer": _said(answer)}
        return self._state(request, by, Event.CHANGE_COMMENT_RESOLVED, new=new)

    def send_back(self, wanted: str, by: Signer, *, reason: str) -> ChangeRequest:
        """Return a submitted change to who drafted it, with the reason; all signatures become void.

        Raises:
            ChangeNotReadyError: it is not submitted.
            PostNeededError: the person may neither review nor approve.
            ChangeReasonError: the reason is too short to be one.
        """
        request = self._requests.read(wanted)
        check_open(request)
        if not request.counting:
            raise ChangeNotReadyError(
                number=request.number, why=T("还没有提交，谈不上退回"), hint=T("可以用 qms change comment 提意见。")
            )
        route = self._routes.route(request)
        posts = {post for step in route.steps[1:] for post in step.by}
        posts |= {post for step in route.steps[1:] for post in self._routes.stand_in(request, route, step.meaning)}
        check_post(self._staff, by.signatory, sorted(posts), T("退回更改"))
        said = checked_reason(reason)
        day = self._clock.now().date()
        parts = self._paperwork.signed(request, Event.CHANGE_RETURNED, day)
        by.ready(_RETURN)
        return self._state(request, by, Event.CHANGE_RETURNED, reason=said, before=parts, asked=True)

    def cancel(self, wanted: str, by: Signer, *, reason: str) -> ChangeRequest:
        """Give a change up; its number stays used. Who opened it, or a post that decides, may.

        Raises:
            ChangeNotOpenError: it is approved or given up already.
            PostNeededError: it is somebody else's.
            ChangeReasonError: the reason is too short to be one.
        """
        request = self._requests.read(wanted)
        check_open(request)
        if by.signatory.person != request.by.person:
            check_post(self._staff, by.signatory, self._rules.deciding_posts, T("取消他人的更改"))
        said = checked_reason(reason)
        parts = self._aftermath.cancelled(request, said)
        return self._state(request, by, Event.CHANGE_CANCELLED, reason=said, before=parts)

    def postpone(self, wanted: str, item: str | None, day: date, by: Signer, *, reason: str) -> ChangeRequest:
        """Let an approved revision come into force on another day; the approving or deciding posts may.

        Raises:
            EffectUnknownError, EffectOrderError: nothing of the item waits, or another revision would come first.
            EffectPassedError, SameDayError: the day has passed, or is the day already.
            ChangeItemUnknownError: the change has no such item.
            PostNeededError, ChangeReasonError: as `cancel`.
        """
        request = self._requests.read(wanted)
        number = _item_of(request, item)
        today = self._clock.now().date()
        if day < today:
            raise EffectPassedError(day=day, today=today, option="--to")
        check_post(self._staff, by.signatory, self._rules.deciding_posts, T("更改生效日期"))
        said = checked_reason(reason)
        schedule = read_effect(self._approved.read(EFFECT_FILE))
        later, old = schedule.postponed(number, request.number, day, today)
        if old.begins == day:
            raise SameDayError(number=number, day=day)
        content, tip = write_effect(later), self._approved.revision()
        by.ready(_DECIDE)

        def stated(_moment: ActMoment) -> StatementDraft:
            if self._approved.revision() != tip:
                raise ActOvertakenError(chain="main")
            return StatementDraft(
                chain=chain_of(request.number),
                event=Event.EFFECT_POSTPONED,
                subject=number,
                meaning=_DECIDE,
                reason=said,
                old={"effective": old.begins.isoformat()},
                new={"number": number, "effective": day.isoformat()},
                files={EFFECT_FILE: Digest.of(content)},
            )

        self._acts.file(
            by,
            [StatementPart(stated)],
            controlled=ControlledChange({EFFECT_FILE: content}, "postpone", number, said),
            expects={chain_of(request.number): request.sequence},
        )
        return self._requests.read(request.number)

    def issue(self, wanted: str, by: Signer) -> ChangeRequest:
        """Issue what was approved: from here on copies may be handed out, and everybody concerned has been told.

        Raises:
            ChangeNotReadyError: it is not approved, or issued already.
            PostNeededError: the person does not issue documents.
        """
        request = self._requests.read(wanted)
        check_post(self._staff, by.signatory, self._rules.controller_posts, T("发放文件"))
        if request.issued is not None:
            raise self._not_yet(request, T("已由{name}发放，不必再发放", name=request.issued.name))
        if request.status is not ChangeStatus.APPROVED:
            raise self._not_yet(request, T("批准之后才能发放"))
        by.ready(_ISSUE)
        parts = self._aftermath.issued(request, by.signatory)
        return self._state(request, by, Event.CHANGE_ISSUED, meaning=_ISSUE, before=parts, asked=True)

    def close(self, wanted: str, by: Signer, *, reason: str = "") -> ChangeRequest:
        """Close a change whose day has come: everybody trained or excused, old copies back; else with a reason.

        Raises:
            ChangeNotReadyError: it is not issued, its day has not come, or something is outstanding without a reason.
            PostNeededError: the person does not close changes.
        """
        request = self._requests.read(wanted)
        check_post(self._staff, by.signatory, self._rules.controller_posts, T("办结更改"))
        if request.closed is not None:
            raise self._not_yet(request, T("已由{name}办结，不必再办结", name=request.closed.name))
        if request.status is not ChangeStatus.ISSUED:
            raise self._not_yet(request, T("发放之后才能办结"))
        if request.effective is not None and request.effective > self._clock.now().date().isoformat():
            why = T("{day} 才生效，生效后再办结", day=request.effective)
            raise ChangeNotReadyError(number=request.number, why=why, hint=T("到生效日再运行一次。"))
        wanted_back, back = self._aftermath.copies_out(request)
        untrained = list(self._aftermath.untrained(request))
        said = stated_text(reason)
        if (untrained or back < wanted_back) and len(said) < REASON_AT_LEAST:
            hint = T("完成后再办结；确需先办结，请用 --reason 写明原因。")
            missing: list[object] = list(untrained)
            if back < wanted_back:
                missing.append(T("旧版副本应收回 {wanted}，已收回 {back}", wanted=wanted_back, back=back))
            raise ChangeNotReadyError(
                number=request.number, why=T("还有未完成的：{missing}", missing=missing), hint=hint
            )
        by.ready(_CLOSE)
        parts = self._aftermath.closed(request, by.signatory, said, self._clock.now().date())
        new: dict[str, Wire] = {"copies": f"{back}/{wanted_back}"}
        return self._state(
            request, by, Event.CHANGE_CLOSED, meaning=_CLOSE, reason=said or None, new=new, before=parts, asked=True
        )

    def _not_yet(self, request: ChangeRequest, why: Text) -> ChangeNotReadyError:
        status = STATUS_LABELS[request.status]
        hint = T(
            "现在的状态是“{status}”；用 qms change show {number} 查看下一步。", status=status, number=request.number
        )
        return ChangeNotReadyError(number=request.number, why=why, hint=hint)

    def _state(
        self,
        request: ChangeRequest,
        by: Signer,
        event: Event,
        *,
        meaning: str = "",
        reason: str | None = None,
        new: dict[str, Wire] | None = None,
        before: Sequence[Part] = (),
        asked: bool = False,
    ) -> ChangeRequest:
        if not asked:
            by.ready(meaning)

        def stated(moment: ActMoment) -> StatementDraft:
            records = opened_records(moment)
            return StatementDraft(
                chain=chain_of(request.number),
                event=event,
                subject=request.number,
                meaning=meaning,
                reason=reason,
                new={**(new or {}), **({"records": records} if records else {})},
            )

        parts: list[Part] = [*before, StatementPart(stated)]
        self._acts.file(by, parts, expects={chain_of(request.number): request.sequence})
        return self._requests.read(request.number)


def _bare(label: str) -> str:
    """Return the number of a clause without what is written around it."""
    return label.strip().removeprefix("第").rstrip(".．。、条款 ")


def _said(text: str) -> str:
    said = stated_text(text)
    if not 1 <= len(said) <= _COMMENT_LENGTH:
        raise CommentTextError
    return said


def _item_of(request: ChangeRequest, wanted: str | None) -> str:
    """Return the number of the item called `wanted`; None: of the only one."""
    text = (wanted or "").strip().upper()
    found = [item.number for item in request.items if not text or item.number == text or item.number.endswith(text)]
    if len(found) != 1:
        raise ChangeItemUnknownError(number=request.number, wanted=text)
    return found[0]
