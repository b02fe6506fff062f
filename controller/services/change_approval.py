"""更改的签批. Submit, review, approve: one act signs every document of a change and files its paperwork (4.2.4 a, b).

Approved is not effective: with the approval `main` gets the new revision and the day from which it governs; until then
everybody reads what was in force before (docs/document-control.md).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Protocol

from controller.domain.change_request import ChangeKind
from controller.domain.conformity import Gravity
from controller.domain.effect_schedule import PendingEffect
from controller.domain.errors import RefusedError
from controller.domain.identifiers import Digest
from controller.domain.library_day import ItemKind
from controller.domain.stated_text import stated_text
from controller.domain.statement import Event
from controller.domain.text import T
from controller.file_formats.effect_file import EFFECT_FILE, read_effect, write_effect
from controller.services.act_filing import ActOvertakenError, StatementPart
from controller.services.archive_ports import ControlledChange
from controller.services.change_chain import chain_of, check_open
from controller.services.controlled_items import ControlledItems
from controller.services.document_library import DocumentLibrary
from controller.services.key_signing import KeySigner
from controller.services.statement_filing import StatementDraft

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from controller.domain.change_request import ChangedItem, ChangeRequest, ReviewComment
    from controller.domain.conformity import Finding
    from controller.domain.document_control_rules import DocumentControlRules
    from controller.domain.record import Signatory, Wire
    from controller.domain.route import Route, RouteStep
    from controller.services.act_filing import ActFiling, ActMoment, FiledAct, Part
    from controller.services.change_chain import ChangeRequests
    from controller.services.change_route import ChangeRoutes
    from controller.services.document_signing import DocumentSigning, PreparedSignature
    from controller.services.files_in_force import DatedFiles
    from controller.services.ports import Clock, LibraryFiles
    from controller.services.signing_ports import Signer


_CONTROL = ("clauses.yml", "document.yml")
"""Files of a document that change with its revision alone."""


class CommentsOpenError(RefusedError):
    """审核意见未答复. Comments are resolved before anybody reviews or approves."""

    code = "change-comments-open"

    def __init__(self, *, number: str, comments: Sequence[ReviewComment]) -> None:
        super().__init__(
            T("更改 {number} 还有 {count} 条审核意见没有答复。", number=number, count=len(comments)),
            hint=T("用 qms change resolve {number} 序号 --answer 答复 逐条答复。", number=number),
        )
        self.comments = tuple(comments)


class ChangeCheckError(RefusedError):
    """草稿没有通过检查. Carries every finding; nothing was signed."""

    code = "change-check-failed"

    def __init__(self, *, number: str, findings: Sequence[Finding]) -> None:
        super().__init__(
            T("更改 {number} 的草稿有 {count} 处不符合，没有签署。", number=number, count=len(findings)),
            hint=T("按下面逐项改正后再提交。"),
        )
        self.findings = tuple(findings)


class EffectPassedError(RefusedError):
    """生效日期已过. Nothing comes into force before it is approved (GSP 2023 Art. 20)."""

    code = "effect-day-passed"

    def __init__(self, *, day: date, today: date, option: str = "--effective") -> None:
        super().__init__(
            T("生效日期 {day} 早于今天（{today}）。", day=day, today=today),
            hint=T("用 {option} 另定生效日期，须在今天或以后。", option=option),
        )


class DraftBaseError(RefusedError):
    """草稿的依据变了. What is approved is no longer what the draft began from."""

    code = "change-base-moved"

    def __init__(self, *, number: str, path: str) -> None:
        super().__init__(
            T("更改 {number} 提出之后，{path} 的现行内容变了，草稿不能签署。", number=number, path=path),
            hint=T("取消这项更改（qms change cancel {number}），重新提出，把修改做在现在的文本上。", number=number),
            where=path,
        )


class NothingDraftedError(RefusedError):
    """没有改动. A change that changes nothing is not signed."""

    code = "change-nothing-drafted"

    def __init__(self, *, number: str, item: str) -> None:
        super().__init__(
            T("{item} 的草稿与现行文本没有差别，更改 {number} 不能提交。", number=number, item=item),
            hint=T("先用 qms doc checkout 和 checkin 修改；不需要改的文件，请取消后重新提出更改。"),
        )


class ChangePaperwork(Protocol):
    """更改的记录. What the forms JL-001 and JL-002 get at each act, as parts of that act."""

    def submitted(self, request: ChangeRequest, draft: LibraryFiles, by: Signatory, effective: date) -> Sequence[Part]:
        """Return the parts that open the records; the key of each is `<form number>:<item number>`."""
        ...

    def signed(self, request: ChangeRequest, event: Event, effective: date, *, exemption: str = "") -> Sequence[Part]:
        """Return the parts that take the records on at review, approval or return; `exemption` allows the step."""
        ...


@dataclass(frozen=True)
class SignedChange:
    """已签的更改. What one act of signing gave."""

    request: ChangeRequest
    """After it."""
    act: FiledAct
    step: RouteStep
    exempted: bool


@dataclass(frozen=True)
class ToSign:
    """待签内容. What a person is shown before signing."""

    request: ChangeRequest
    step: RouteStep
    documents: Sequence[PreparedSignature]
    effective: date
    findings: Sequence[Finding]


class ChangeApproval:
    """更改的签批."""

    def __init__(
        self,
        requests: ChangeRequests,
        acts: ActFiling,
        approved: DatedFiles,
        routes: ChangeRoutes,
        signing_on: Callable[[LibraryFiles, ChangeRequest, date], DocumentSigning],
        check: Callable[[ChangeRequest, LibraryFiles], Sequence[Finding]],
        paperwork: ChangePaperwork,
        clock: Clock,
        rules: DocumentControlRules,
        follows: Callable[[ChangeRequest, date], Sequence[StatementPart]],
    ) -> None:
        """`signing_on` signs the documents of a change as their drafts are, to be in force from a day.

        `check` finds what is wrong with a draft; `follows` are the statements that an approval brings with it: who has
        to be trained, which copies come back.
        """
        self._requests = requests
        self._acts = acts
        self._approved = approved
        self._routes = routes
        self._signing_on = signing_on
        self._check = check
        self._paperwork = paperwork
        self._clock = clock
        self._rules = rules
        self._follows = follows

    def sign(
        self,
        wanted: str,
        event: Event,
        by: Signer,
        *,
        effective: date | None = None,
        reason: str | None = None,
        show: Callable[[ToSign], object] | None = None,
    ) -> SignedChange:
        """Submit (`CHANGE_SUBMITTED`), review or approve a change, as the route wants it next.

        Args:
            wanted: number of the change.
            event: which of the three.
            by: the signed-in person.
            effective: day from which it is to be in force; None: as wanted before, else some days after today.
            reason: what there is to say with the signature.
            show: is given what will be signed, before anything is asked for; raises when the person declines.

        Raises:
            ChangeNotOpenError: it is approved or given up.
            SigningOrderError, SamePersonError, PostNeededError: the route does not allow it.
            NothingDraftedError, ChangeCheckError, CommentsOpenError, DraftBaseError: the draft cannot be signed.
            EffectPassedError: the day has passed.
            ActOvertakenError: somebody went on with the change meanwhile.
        """
        request = self._requests.read(wanted)
        check_open(request)
        reason = stated_text(reason) or None if reason is not None else None
        route = self._routes.route(request)
        step, exempted, stand_in = self._routes.allowed(request, route, _step_of(route, request, event), by.signatory)
        draft = self._requests.draft(request, self._approved)
        self._check_base(request)
        findings = self._checked(request, draft)
        if event is not Event.CHANGE_SUBMITTED and request.unresolved:
            raise CommentsOpenError(number=request.number, comments=request.unresolved)
        day = self._effective(request, effective)
        signing = self._signing_on(draft, request, day)
        documents = [
            signing.prepare(item.number, step.meaning, by, reason=reason, stand_in=stand_in)
            for item in request.items
            if item.kind is ItemKind.DOCUMENT and item.after is not None
        ]
        if show is not None:
            show(ToSign(request, step, documents, day, findings))
        by.ready(step.meaning)
        acting = KeySigner(self._routes.in_post(by.signatory, step, stand_in), by.origin, by.key)
        parts: list[Part] = (
            list(self._paperwork.submitted(request, draft, acting.signatory, day))
            if event is Event.CHANGE_SUBMITTED
            else list(
                self._paperwork.signed(request, event, day, exemption=self._routes.told_exemption() if exempted else "")
            )
        )
        parts += [StatementPart(item.draft, item.beside(acting)) for item in documents]
        covering = len(documents)
        facts = self._facts(request, step, day, exempted=exempted)
        controlled: ControlledChange | None = None
        if event is Event.CHANGE_APPROVED:
            contents = self._contents(request, day)
            tip = self._approved.revision()
            facts["deleted"] = [path for path, data in contents.items() if data is None]
            controlled = ControlledChange(contents, "change", request.number, request.reason)
            files = {path: Digest.of(data) for path, data in contents.items() if data is not None}
        else:
            tip, files = None, dict(request.files)

        def stated(moment: ActMoment) -> StatementDraft:
            if tip is not None and self._approved.revision() != tip:
                raise ActOvertakenError(chain="main")
            records = opened_records(moment)
            return StatementDraft(
                chain=chain_of(request.number),
                event=event,
                subject=request.number,
                meaning=step.meaning,
                reason=reason,
                new=facts | ({"records": records} if records else {}),
                files=files,
            )

        parts.append(StatementPart(stated))
        if event is Event.CHANGE_APPROVED:
            parts += self._follows(request, day)
        act = self._acts.file(
            acting,
            parts,
            controlled=controlled,
            covered_by=covering,
            expects={chain_of(request.number): request.sequence},
        )
        return SignedChange(self._requests.read(request.number), act, step, exempted)

    def findings(self, request: ChangeRequest) -> Sequence[Finding]:
        """Return what is wrong with, or worth knowing of, the draft of a change."""
        return self._check(request, self._requests.draft(request, self._approved))

    def _checked(self, request: ChangeRequest, draft: LibraryFiles) -> Sequence[Finding]:
        for item in request.items if request.kind is not ChangeKind.WITHDRAW else ():
            own = {path: digest for path, digest in request.files.items() if item.holds(path)}
            moved = {
                path for path in {*own, *request.base} if item.holds(path) and own.get(path) != request.base.get(path)
            }
            if not {path for path in moved if path.rpartition("/")[2] not in _CONTROL} and not self._described(
                request, item, draft
            ):
                raise NothingDraftedError(number=request.number, item=item.number)
        findings = self._check(request, draft)
        errors = [item for item in findings if item.gravity is Gravity.ERROR]
        if errors:
            raise ChangeCheckError(number=request.number, findings=errors)
        return findings

    def _described(self, request: ChangeRequest, item: ChangedItem, draft: LibraryFiles) -> bool:
        """Tell whether the control block of a document says more than that it is another revision."""
        if item.kind is not ItemKind.DOCUMENT or item.before is None:
            return item.before is None
        then = DocumentLibrary(self._approved).document(item.number)
        now = DocumentLibrary(draft).document(item.number)
        same = replace(
            now,
            revision=then.revision,
            history=then.history,
            drafted=then.drafted,
            reviewed=then.reviewed,
            approved=then.approved,
            effective=then.effective,
            status_note=then.status_note,
        )
        return same != then or request.kind is ChangeKind.EDITION

    def _check_base(self, request: ChangeRequest) -> None:
        """Make sure that what is approved is still what the drafts began from."""
        items = ControlledItems(self._approved)
        now = {path: digest for item in request.items for path, digest in items.contents(item.paths).items()}
        for path in sorted({*now, *request.base}):
            if now.get(path) != request.base.get(path):
                raise DraftBaseError(number=request.number, path=path)

    def _effective(self, request: ChangeRequest, asked: date | None) -> date:
        today = self._clock.now().date()
        usual = today + timedelta(days=self._rules.lead_days)
        day = asked or (date.fromisoformat(request.wanted) if request.wanted else usual)
        if day < today:
            raise EffectPassedError(day=day, today=today)
        return day

    def _facts(self, request: ChangeRequest, step: RouteStep, day: date, *, exempted: bool) -> dict[str, Wire]:
        facts: dict[str, Wire] = {
            "step": step.key,
            "signed": {path: digest.text for path, digest in request.files.items()},
            "effective": day.isoformat(),
        }
        if exempted:
            facts |= {"exemption": self._routes.exemption()}
        return facts

    def _contents(self, request: ChangeRequest, day: date) -> dict[str, bytes | None]:
        """Return what the approval changes on `main`: the items and the schedule of effect."""
        contents: dict[str, bytes | None] = {}
        for item in request.items:
            there = {path for own in item.paths for path in (self._approved.files(own) or [own])}
            if item.after is None:
                contents |= {path: None for path in there if self._approved.read(path) is not None}
                continue
            kept = {path: digest for path, digest in request.files.items() if item.holds(path)}
            contents |= {path: self._requests.content(request.number, digest) for path, digest in kept.items()}
            contents |= {path: None for path in request.base if item.holds(path) and path not in kept}
        contents = {path: data for path, data in contents.items() if data != self._approved.read(path)}
        schedule = read_effect(self._approved.read(EFFECT_FILE))
        tip, today = self._approved.revision(), self._clock.now().date()
        coming = [
            PendingEffect(
                item.paths, item.kind, item.number, item.after, day, tip if item.before else None, request.number
            )
            for item in request.items
        ]
        effect = write_effect(schedule.with_approved(coming, today))
        if effect != (self._approved.read(EFFECT_FILE) or write_effect(read_effect(None))):
            contents[EFFECT_FILE] = effect
        return contents


def _step_of(route: Route, request: ChangeRequest, event: Event) -> str:
    """Return the meaning of the route's step that an event signs: the first, the last, or the next in between."""
    if event is Event.CHANGE_SUBMITTED:
        return route.steps[0].meaning
    if event is Event.CHANGE_APPROVED:
        return route.steps[-1].meaning
    done = {item.step for item in request.counting}
    between = (
        [step for step in route.steps[1:-1] if step.key not in done] or list(route.steps[1:-1]) or [route.steps[-1]]
    )
    return between[0].meaning


def opened_records(moment: ActMoment) -> dict[str, Wire]:
    """Return the records opened in this act: item number → form number → record number."""
    found: dict[str, dict[str, Wire]] = {}
    for key, number in moment.records.items():
        form, _, item = key.partition(":")
        found.setdefault(item, {})[form] = number.text
    return dict(found.items())
