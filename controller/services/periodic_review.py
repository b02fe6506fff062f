"""定期评审服务. Tells which documents are to be reviewed when, and files what a review came to (CX-001 5.7; JL-035).

The signed statement in `reviews/<number>` names the files that were looked at; JL-035 is filed in the same act.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from controller.domain.document import Validity
from controller.domain.errors import QmsError, RefusedError
from controller.domain.expression_functions import plus_months
from controller.domain.library_day import ItemKind
from controller.domain.review_standing import (
    DocumentReview,
    LapsedBasis,
    Outcome,
    ReviewStanding,
    review_standing,
    reviews_of,
)
from controller.domain.statement import REVIEWS, Event
from controller.domain.text import T
from controller.file_formats.document_file import read_external_documents
from controller.services.act_filing import OpeningPart, StatementPart
from controller.services.change_paperwork import REVIEW, review_values
from controller.services.controlled_items import ControlledItems, path_of
from controller.services.document_history import MAIN
from controller.services.document_library import EXTERNAL_FILE, LibraryListMissingError
from controller.services.form_library import number_meant
from controller.services.signed_statement import flaw_of
from controller.services.staff_directory import check_post
from controller.services.statement_filing import StatementDraft

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import tzinfo

    from controller.domain.document import ControlledDocument, ExternalDocumentList
    from controller.domain.document_control_rules import DocumentControlRules
    from controller.domain.library_day import LibraryDay
    from controller.domain.person import Staff
    from controller.domain.record import Wire
    from controller.domain.text import Text
    from controller.services.act_filing import ActFiling, ActMoment, FiledAct, Part
    from controller.services.document_library import DocumentLibrary
    from controller.services.form_library import FormLibrary
    from controller.services.history_ports import LibraryHistory
    from controller.services.ports import Clock
    from controller.services.signing_ports import Signer
    from controller.services.statement_filing import StatementFiling

REVIEWING = "评审"
"""Meaning of the signature under a review."""
_SHORTEST_REASON = 4


class ReviewImprovementError(RefusedError):
    """须写明改什么. A review that comes to a change says what is to change and why."""

    code = "review-improvement"

    def __init__(self, *, outcome: str) -> None:
        super().__init__(
            T("结论为“{outcome}”的，须写明改进内容和理由。", outcome=outcome),
            hint=T("例如 --improvement 第5.3条引用的法规已废止，应改引新规定。"),
        )


class ReviewRepeatedError(RefusedError):
    """今天已登记过. The same came out of a review of the same revision on the same day."""

    code = "review-repeated"

    def __init__(self, *, number: str, review: DocumentReview) -> None:
        super().__init__(
            T(
                "{number} {revision} 的评审今天已由{name}登记过，结论同样是“{outcome}”。",
                number=number,
                revision=review.revision,
                name=review.by.name,
                outcome=review.outcome.value,
            ),
            hint=T("不必再登记；qms review list {number} 列出历次评审。", number=number),
        )


@dataclass(frozen=True)
class Judgement:
    """评审意见. What a reviewer says of a document, in the words of the form."""

    outcome: Outcome
    suitability: str
    adequacy: str
    effectiveness: str
    improvement: str = ""
    reason: str = ""
    """评审原因; empty: 法规变化 where something cited is no longer valid, else 定期复审."""


@dataclass(frozen=True)
class Reviewed:
    """评审结果."""

    standing: ReviewStanding
    """After it."""
    review: DocumentReview
    act: FiledAct


@dataclass
class PeriodicReview:
    """定期评审服务."""

    statements: StatementFiling
    library: DocumentLibrary
    """What is in force today."""
    in_force: Callable[[], LibraryDay]
    """Since when what is in force."""
    history: LibraryHistory
    acts: ActFiling
    forms: FormLibrary
    staff: Staff
    rules: DocumentControlRules
    clock: Clock
    zone: tzinfo

    @property
    def today(self) -> date:
        """The day of the company's clock."""
        return self.clock.now().date()

    def standing(self, number: str) -> ReviewStanding:
        """Return when a document (exact number) is to be reviewed next.

        Raises:
            UnknownDocumentError: there is no such document in force.
        """
        document = self.library.document(number)
        begun, made = self._begun(document)
        return review_standing(
            number,
            document.title,
            document.revision.text,
            begun=begun,
            made=made,
            reviews=self.reviews(number),
            lapsed=[self._lapsed[item] for item in document.basis if item in self._lapsed],
            rules=self.rules,
        )

    def due(self, within: int | None = None) -> list[ReviewStanding]:
        """Return the documents whose review is due within so many days (the company's own number when None).

        Overdue ones are among them, and those whose review came to a change that was not made; the earliest first.
        """
        until = self.today + timedelta(days=self.rules.review_warning_days if within is None else within)
        found = [self.standing(number) for number in self.library.numbers()]
        wanted = [item for item in found if item.due <= until or item.undone is not None or item.lapsed]
        return sorted(wanted, key=lambda item: (item.due, item.number))

    def flag(self, number: str) -> Text | None:
        """Return what must be said wherever the document is shown, None when nothing is."""
        standing = self.standing(number)
        late = standing.overdue(self.today)
        if late:
            return T("评审逾期 {days} 天（{why}）", days=late, why=standing.told(self.rules.review_months))
        if standing.lapsed or standing.undone is not None:
            return T("{due} 前评审：{why}", due=standing.due, why=standing.told(self.rules.review_months))
        if standing.due <= self.today + timedelta(days=self.rules.review_warning_days):
            return T("应于 {due} 前评审", due=standing.due)
        return None

    def reviews(self, number: str) -> tuple[DocumentReview, ...]:
        """Return the reviews of a document that are on file, oldest first."""
        chain = self.statements.chain(f"{REVIEWS}/{number}")
        return reviews_of([item.statement for item in chain if flaw_of(item) is None])

    def record(self, wanted: str, judgement: Judgement, by: Signer) -> Reviewed:
        """File what a review of the revision in force came to.

        Raises:
            UnknownDocumentError: there is no such document in force.
            PostNeededError: `by` holds no post that reviews documents.
            ReviewImprovementError: it comes to a change and does not say what is to change.
            ReviewRepeatedError: the same was filed today.
            ValuesRefusedError: the judgements do not go together (JL-035).
        """
        number = self.library.resolve(wanted)
        posts = list(dict.fromkeys([*self.rules.controller_posts, *self.rules.deciding_posts]))
        check_post(self.staff, by.signatory, posts, T("{number} 的评审", number=number))
        improvement = judgement.improvement.strip()
        if judgement.outcome is not Outcome.KEPT and len(improvement) < _SHORTEST_REASON:
            raise ReviewImprovementError(outcome=judgement.outcome.value)
        before = self.standing(number)
        last = before.last
        same = last is not None and (last.revision, last.outcome) == (before.revision, judgement.outcome)
        if last is not None and same and last.at.astimezone(self.zone).date() == self.today:
            raise ReviewRepeatedError(number=number, review=last)
        chain = f"{REVIEWS}/{number}"
        newest = self.statements.newest(chain)
        by.ready(REVIEWING)
        files = ControlledItems(self.library.files).contents((path_of(ItemKind.DOCUMENT, number),))
        facts: dict[str, Wire] = {
            "revision": before.revision,
            "outcome": judgement.outcome.value,
            "suitability": judgement.suitability,
            "adequacy": judgement.adequacy,
            "effectiveness": judgement.effectiveness,
        }

        def draft(moment: ActMoment) -> StatementDraft:
            record: dict[str, Wire] = {"record": moment.records[REVIEW].text} if REVIEW in moment.records else {}
            return StatementDraft(
                chain,
                Event.DOCUMENT_REVIEWED,
                number,
                REVIEWING,
                reason=improvement or None,
                new=facts | record,
                files=files,
            )

        parts: list[Part] = [*self._record(before, judgement, by, improvement), StatementPart(draft)]
        act = self.acts.file(by, parts, expects={chain: newest.statement.sequence if newest is not None else 0})
        after = self.standing(number)
        assert after.last is not None
        return Reviewed(after, after.last, act)

    def _record(
        self, standing: ReviewStanding, judgement: Judgement, by: Signer, improvement: str
    ) -> Iterator[OpeningPart]:
        """Yield the opening of JL-035; nothing when the company has no such form."""
        form = number_meant(REVIEW, self.forms.numbers())
        if form is None:
            return
        kept = judgement.outcome is Outcome.KEPT
        values = review_values(
            number=standing.number,
            title=standing.title,
            revision=standing.revision,
            on=self.today,
            reviewers=[by.signatory.person],
            suitability=judgement.suitability,
            adequacy=judgement.adequacy,
            effectiveness=judgement.effectiveness,
            outcome=judgement.outcome.value,
            reason=judgement.reason or ("法规变化" if standing.lapsed else "定期复审"),
            evidence=self._evidence(standing),
            improvement=improvement,
            next_review=plus_months(self.today, self.rules.review_months) if kept else None,
        )
        keys = {item.key for item in self.forms.definition(form).fields}
        yield OpeningPart(form, {key: value for key, value in values.items() if key in keys}, key=REVIEW)

    def _evidence(self, standing: ReviewStanding) -> list[str]:
        """Return what the program knows that a reviewer should."""
        found = [f"{standing.revision} 版自 {standing.begun.date().isoformat()} 起现行"]
        elsewhere = self.library.document(standing.number).told_elsewhere
        found += [elsewhere] if elsewhere else []
        last = standing.last
        if last is not None:
            found.append(f"上次评审：{last.at.date().isoformat()}，{last.by.name}，结论“{last.outcome.value}”")
        if standing.lapsed:
            found += [
                f"引用的《{item.title}》（{item.id}）已失效，{item.known.date().isoformat()} 识别"
                for item in standing.lapsed
            ]
        else:
            found.append("引用的外来文件没有已失效的")
        return found

    # -- since when --------------------------------------------------------------------------------------------

    def _begun(self, document: ControlledDocument) -> tuple[datetime, datetime]:
        """Return when the revision came into force (as written, or as known here), and when it was approved."""
        now = self.clock.now()
        effective, made = self._since.get(document.number.text, (now.date(), now))
        stated = document.effective_day
        if stated is not None and stated <= self.today:
            effective = stated
        begun = made if made.date() == effective else datetime.combine(effective, time(), self.zone)
        return begun, made

    @cached_property
    def _since(self) -> dict[str, tuple[date, datetime]]:
        return {item.number: (item.effective, item.since) for item in self.in_force().of(ItemKind.DOCUMENT)}

    @cached_property
    def _lapsed(self) -> Mapping[str, LapsedBasis]:
        """Return what the list of external documents calls no longer valid, and since when it does."""
        try:
            listed = self.library.external_documents()
        except LibraryListMissingError:
            return {}
        cited = {item for number in self.library.numbers() for item in self.library.document(number).basis}
        gone = {item.id: item.title for item in listed.documents if item.validity is Validity.REPEALED}
        wanted = {identifier: title for identifier, title in gone.items() if identifier in cited}
        known = self._known_since(wanted) if wanted else {}
        return {name: LapsedBasis(name, title, known.get(name, self.clock.now())) for name, title in wanted.items()}

    def _known_since(self, wanted: Mapping[str, str]) -> dict[str, datetime]:
        """Return the moment of the earliest version from which on the list calls each of them no longer valid."""
        tip = self.history.tip(MAIN)
        commits = list(self.history.log(tip, paths=(EXTERNAL_FILE,))) if tip is not None else []
        versions = [
            (datetime.fromtimestamp(commit.at, self.zone), change.content)
            for commit in commits
            for change in commit.changes
            if change.path == EXTERNAL_FILE and change.kind != "D"
        ]
        known: dict[str, datetime] = {}
        left = set(wanted)
        for at, content in reversed(versions):
            listed = self._version(content)
            if listed is not None:
                left &= {item.id for item in listed.documents if item.validity is Validity.REPEALED}
            known.update(dict.fromkeys(left, at))
            if not left:
                break
        return known

    def _version(self, content: str) -> ExternalDocumentList | None:
        data = next((data for _name, data in self.history.contents([("", content)])), None)
        try:
            return read_external_documents((data or b"").decode("utf-8"), where=EXTERNAL_FILE)
        except (QmsError, UnicodeDecodeError):
            return None  # what an older list says cannot be read: the newer ones stand
