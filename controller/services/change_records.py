"""更改的记录. The forms JL-001, JL-002 and JL-006 of a change, filed with its acts as real signed records (4.2.5).

Nobody types what the system knows: who, which revision, what stood before and after, whom it touches.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from controller.domain.change_request import ChangeKind
from controller.domain.errors import NotFoundError
from controller.domain.identifiers import RecordNumber
from controller.domain.library_day import ItemKind
from controller.domain.statement import Event
from controller.domain.text import T
from controller.domain.training_standing import TrainingState
from controller.services.act_filing import AdvancingPart, OpeningPart
from controller.services.change_desk import compared
from controller.services.change_paperwork import (
    APPLICATION,
    CHANGE,
    TRAINING,
    Trainee,
    application_values,
    change_values,
    recall_values,
    training_held_values,
    training_result_values,
    training_values,
)
from controller.services.changed_texts import ChangedText, changed_files
from controller.services.controlled_items import EXTERNAL_CLASS
from controller.services.document_library import DocumentLibrary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from controller.domain.change_impact import ChangeImpact
    from controller.domain.change_request import ChangedItem, ChangeRequest
    from controller.domain.record import Signatory
    from controller.domain.text import Text
    from controller.domain.training_standing import PersonTraining, TrainingStanding
    from controller.services.act_filing import Part
    from controller.services.files_in_force import DatedFiles
    from controller.services.form_library import FormLibrary
    from controller.services.ports import LibraryFiles

_STAGES = {Event.CHANGE_REVIEWED: "reviewed", Event.CHANGE_APPROVED: "approved", Event.CHANGE_RETURNED: "returned"}


@dataclass(frozen=True)
class ToldImpact:
    """影响. What a change touches, in lines for people and lists for forms."""

    found: ChangeImpact
    """Everything that is touched, as data."""
    lines: tuple[Text, ...] = ()
    """One for each thing that is touched, and why."""
    documents: tuple[str, ...] = ()
    """Numbers of the documents and forms that are touched."""
    posts: tuple[str, ...] = ()
    """Keys of the posts to train."""
    laws: tuple[str, ...] = ()
    """External documents that the items rest on."""
    workload: tuple[Text, ...] = ()
    """One for each deadline and frequency that is new or changed."""


class ChangeRecords:
    """更改的记录. Implements the ports `ChangePaperwork` and `ChangeAftermath`."""

    def __init__(
        self,
        forms: FormLibrary,
        approved: DatedFiles,
        impact: Callable[[ChangeRequest, LibraryFiles], ToldImpact],
        standing: Callable[[str, str], TrainingStanding | None],
        copies: Callable[[str, str], tuple[int, int]],
        post_names: Callable[[], dict[str, str]],
    ) -> None:
        """`standing` tells who has read a revision; `copies` how many copies a change calls back, and how many came."""
        self._forms = forms
        self._approved = approved
        self._impact = impact
        self._standing = standing
        self._copies = copies
        self._post_names = post_names

    # -- up to the approval ------------------------------------------------------------------------------------

    def submitted(self, request: ChangeRequest, draft: LibraryFiles, by: Signatory, effective: date) -> Sequence[Part]:
        """Return the parts that open JL-001 and JL-002 of every item; those of an earlier round are withdrawn."""
        parts: list[Part] = [
            AdvancingPart(RecordNumber(record), {"withdraw_reason": "提交之后又修改，重新提交"}, "withdrawn")
            for record in self._present(request)
        ]
        impact = self._impact(request, draft)
        names, lines = self._post_names(), [str(line) for line in impact.lines]
        for item in request.items:
            if item.class_word == EXTERNAL_CLASS:
                continue  # identified by their own route, not applied for
            values = application_values(
                kind=request.kind.value if item.before is not None else ChangeKind.NEW.value,
                class_word=item.class_word,
                title=item.title,
                number=item.number,
                before=item.before,
                after=item.after,
                reason=request.reason,
                triggers=request.triggers,
                drafter=by,
                due=date.fromisoformat(request.plan) if request.plan else effective,
                change=request.number,
                effective=effective,
                laws=impact.laws,
                documents=impact.documents,
                posts=[names.get(post, post) for post in impact.posts],
                impact=lines,
                workload=[str(line) for line in impact.workload],
            )
            parts += self._opened(APPLICATION, item, values)
            if item.before is not None:
                parts += self._opened(CHANGE, item, self._before_after(request, item, draft, lines))
        return parts

    def _opened(self, form: str, item: ChangedItem, values: dict[str, object]) -> list[Part]:
        number = self._form(form)
        if number is None:
            return []
        key = f"{form}:{item.number}"
        return [OpeningPart(number, values, "drafted", key=key), AdvancingPart(key, {}, "submitted")]

    def _before_after(
        self, request: ChangeRequest, item: ChangedItem, draft: LibraryFiles, impact: Sequence[str]
    ) -> dict[str, object]:
        assert item.before is not None
        after = item.after or item.before
        if request.kind is ChangeKind.WITHDRAW:
            changes: object = [ChangedText("全文", "删除", f"{item.before} 版现行有效", "作废，不再使用")]
            after = f"{item.before[0]}/{int(item.before[2:]) + 1}"
        elif item.kind is ItemKind.DOCUMENT:
            changes = compared(DocumentLibrary(self._approved), DocumentLibrary(draft), item.number)
        else:
            then, now = (
                {path: digest for path, digest in files.items() if item.holds(path)}
                for files in (request.base, request.files)
            )
            changes = changed_files(then, now)
        return change_values(
            changes,  # type: ignore[arg-type]
            number=item.number,
            title=item.title,
            before=item.before,
            after=after,
            reason=request.reason,
            impact=impact,
            change=request.number,
        )

    def signed(self, request: ChangeRequest, event: Event, effective: date, *, exemption: str = "") -> Sequence[Part]:
        """Return the parts that take the records on at review, approval or return; `exemption` allows the step."""
        parts: list[Part] = []
        for item, forms in request.records.items():
            del item
            for form, record in forms.items():
                values: dict[str, object] = {"exemption": exemption} if exemption else {}
                if event is Event.CHANGE_RETURNED:
                    values["review_comment"] = "退回修改，原因见更改的退回陈述"
                if event is Event.CHANGE_APPROVED and form == CHANGE:
                    values["effective_on"] = effective.isoformat()
                parts.append(AdvancingPart(RecordNumber(record), values, _STAGES[event]))
        return parts

    def cancelled(self, request: ChangeRequest, reason: str) -> Sequence[Part]:
        """Return the parts that withdraw the records of a change that is given up."""
        return [
            AdvancingPart(RecordNumber(item), {"withdraw_reason": reason}, "withdrawn")
            for item in self._present(request)
        ]

    # -- afterwards --------------------------------------------------------------------------------------------

    def untrained(self, request: ChangeRequest) -> Sequence[Text]:
        """Return, for each item, who has not yet understood it and was not excused."""
        found = []
        for item, standing in self._trained(request):
            if not standing.complete:
                found.append(T("{number} {standing}", number=item.number, standing=standing.explain()))
        return found

    def copies_out(self, request: ChangeRequest) -> tuple[int, int]:
        """Return how many old copies had to come back, and how many did."""
        counts = [self._copies(item.number, request.number) for item in request.items if item.before is not None]
        return sum(due for due, _ in counts), sum(back for _, back in counts)

    def issued(self, request: ChangeRequest, by: Signatory) -> Sequence[Part]:
        """Return the parts of the act that issues: JL-001 goes on, JL-006 is opened for each item to be read."""
        del by
        parts: list[Part] = [
            AdvancingPart(RecordNumber(forms[APPLICATION]), {}, "issued")
            for forms in request.records.values()
            if APPLICATION in forms
        ]
        form = self._form(TRAINING)
        for item, standing in self._trained(request):
            if form is None:
                break
            values = training_values(
                number=item.number,
                title=item.title,
                revision=item.after or "",
                class_word=item.class_word,
                planned=date.fromisoformat(request.effective or request.at[:10]),
                tested=standing.questions is not None,
                change=request.number,
            )
            parts.append(OpeningPart(form, values, "planned", key=f"{TRAINING}:{item.number}"))
        return parts

    def closed(self, request: ChangeRequest, by: Signatory, reason: str, today: date) -> Sequence[Part]:
        """Return the parts of the act that ends the records of the change."""
        del by
        parts: list[Part] = []
        for item in request.items:
            forms = request.records.get(item.number, {})
            if APPLICATION in forms:
                parts.append(AdvancingPart(RecordNumber(forms[APPLICATION]), {}, "effective"))
            if CHANGE in forms and item.before is not None:
                due, back = self._copies(item.number, request.number)
                waiver = reason if back < due else "" if due else "旧版没有发放受控副本"
                values = recall_values(due=due, recalled=back, waiver=waiver)
                parts.append(AdvancingPart(RecordNumber(forms[CHANGE]), values, "effective"))
        for item, standing in self._trained(request):
            record = request.records.get(item.number, {}).get(TRAINING)
            if record is None or not standing.people:
                continue
            people = [_trainee(person, standing) for person in standing.people]
            held = max((one.signed_on for one in people if one.signed_on is not None), default=today)
            follow_up = reason if not standing.complete else ""
            number = RecordNumber(record)
            parts.append(AdvancingPart(number, training_held_values(people, held=held), "held"))
            parts.append(AdvancingPart(number, training_result_values(people, follow_up=follow_up), "evaluated"))
        return parts

    def _trained(self, request: ChangeRequest) -> list[tuple[ChangedItem, TrainingStanding]]:
        found = ((item, self._standing(item.number, item.after)) for item in request.items if item.after is not None)
        return [(item, standing) for item, standing in found if standing is not None]

    def _present(self, request: ChangeRequest) -> list[str]:
        return [record for forms in request.records.values() for record in forms.values()]

    def _form(self, short: str) -> str | None:
        """Return the company's form of that short number, None where it keeps none."""
        try:
            return self._forms.resolve(short)
        except NotFoundError:
            return None


def _trainee(person: PersonTraining, standing: TrainingStanding) -> Trainee:
    words = {
        TrainingState.UNDERSTOOD: "合格" if standing.questions is not None else "已阅知",
        TrainingState.FAILED: "不合格",
        TrainingState.WAIVED: "免训",
    }
    return Trainee(
        person=person.person,
        name=person.name,
        post=person.post,
        outcome=words.get(person.state, "缺考"),
        signed_on=date.fromisoformat(person.at[:10]) if person.at else None,
        score=Decimal(person.score) if person.score is not None else None,
        proof=person.proof,
    )
