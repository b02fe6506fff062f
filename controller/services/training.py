"""阅知服务. Assigns the reading of a revision, takes in who has understood it, waives (GSP; ISO 13485 6.2, 4.2.4).

Everything is a signed statement in `training/<number>/<A-1>`. What is signed as read is named by its digest; questions
lie beside the assignment that brought them, `NNNN.yml`, and are never shown with their answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.identifiers import Digest
from controller.domain.route import APPROVE
from controller.domain.statement import Event
from controller.domain.text import T
from controller.domain.training_questions import written
from controller.domain.training_standing import (
    READ_AND_UNDERSTOOD,
    PersonTraining,
    TrainingStanding,
    TrainingState,
    training_chain,
)
from controller.file_formats.question_file import read_questions
from controller.services.staff_directory import active_person, check_post
from controller.services.statement_filing import StatementDraft
from controller.services.training_assignment import ASSIGN, AssignedRevision, training_assignment
from controller.services.training_errors import (
    AnswersNeededError,
    AttemptsUsedError,
    NotAssignedError,
    NothingAssignedError,
    OwnWaiverError,
    QuestionsDamagedError,
    TrainingOvertakenError,
    TrainingReasonError,
    TrainingSettledError,
    TrainingTextChangedError,
)
from controller.services.training_reading import TrainingReading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from controller.domain.document_control_rules import DocumentControlRules
    from controller.domain.person import Staff
    from controller.domain.record import Wire
    from controller.domain.training_questions import QuestionSheet
    from controller.services.archive_ports import Archive
    from controller.services.signing_ports import Signer
    from controller.services.statement_filing import FiledStatement, StatementFiling
    from controller.services.training_assignment import TrainingAssignment
    from controller.services.training_text import TrainingText, TrainingTexts

_SHORTEST_REASON = 5


@dataclass(frozen=True)
class TrainingOutcome:
    """阅知的结果. What was filed, and what came of the answers."""

    filed: FiledStatement
    passed: bool
    right: int
    """Questions that were answered rightly."""
    asked: int
    """Questions; 0: none were asked."""
    standing: TrainingStanding
    """After it."""
    own: PersonTraining


class Training(TrainingReading):
    """阅知服务.

    Args:
        statements: files and reads the chains.
        archive: which chains there are, and the question files.
        staff: people and posts as of today.
        rules: pass mark, attempts, and the posts that assign and waive.
        texts: gives what there is to read of a revision; called only when something is read.
    """

    def __init__(
        self,
        *,
        statements: StatementFiling,
        archive: Archive,
        staff: Staff,
        rules: DocumentControlRules,
        texts: Callable[[], TrainingTexts],
        begins: Callable[[str, str], str | None] = lambda _number, _revision: None,
    ) -> None:
        super().__init__(statements=statements, archive=archive, staff=staff, rules=rules, begins=begins)
        self._texts = texts

    def text(self, number: str, revision: str) -> TrainingText:
        """Return what there is to read of a revision; raises `TrainingTextGoneError`."""
        return self._texts().text(number, revision)

    def questions(self, standing: TrainingStanding) -> QuestionSheet | None:
        """Return the questions of a revision, None when nothing is asked.

        Raises:
            QuestionsDamagedError: the file is missing, or is not the one that was assigned.
        """
        if standing.questions is None:
            return None
        path = standing.questions_path
        data = self._archive.read(path)
        if data is None or Digest.of(data) != standing.questions:
            raise QuestionsDamagedError(path=path)
        return read_questions(data.decode("utf-8"), where=path)

    # -- assigning ---------------------------------------------------------------------------------------------

    def assignment(
        self,
        number: str,
        revision: str,
        title: str,
        *,
        posts: Sequence[str] = (),
        people: Sequence[str] = (),
        questions: bytes | None = None,
        effective: str | None = None,
        reason: str | None = None,
    ) -> TrainingAssignment:
        """Return the statement that asks people to read a revision, for whoever approves it to sign.

        `posts` and `people` are keys, names or ids; whoever holds one of the posts, now or later, has to read it.
        `effective` is the day from which the revision governs, ISO 8601.

        Raises:
            UnknownPostError, UnknownPersonError, PersonRetiredError: somebody or a post is not on file.
            QuestionFileError: the questions are not acceptable.
        """
        return training_assignment(
            AssignedRevision(number, revision, title, effective),
            posts=posts,
            people=people,
            questions=questions,
            reason=reason,
            staff=self._staff,
            rules=self._rules,
        )

    def assign(
        self,
        number: str,
        revision: str,
        by: Signer,
        *,
        title: str = "",
        posts: Sequence[str] = (),
        people: Sequence[str] = (),
        questions: bytes | None = None,
        effective: str | None = None,
        reason: str | None = None,
    ) -> TrainingStanding:
        """Ask people to read a revision, or further ones; with `questions` these are asked from now on.

        Raises:
            PostNeededError: the signer holds no post that may; for who used up all attempts, none that decides.
            NothingAssignedError: there is nobody new and there are no questions.
            UnknownPostError, UnknownPersonError, QuestionFileError: as `assignment`.
        """
        rules = self._rules
        check_post(self._staff, by.signatory, [*rules.controller_posts, *rules.deciding_posts], T("布置阅知"))
        before = self.find(number, revision)
        made = self.assignment(
            number,
            revision,
            title or (before.title if before is not None else ""),
            posts=posts,
            people=people,
            questions=questions,
            effective=effective or (before.effective if before is not None else None),
            reason=reason,
        )
        self._check_new(made.draft.new, before, by)
        by.ready(ASSIGN)
        self._statements.file(made.draft, by, beside=made.beside)
        return self.standing(number, revision)

    def _check_new(self, new: Mapping[str, Wire], before: TrainingStanding | None, by: Signer) -> None:
        """Make sure that an assignment asks for something, and that used-up attempts are given again by who decides."""
        listed, posts = new.get("people"), new.get("posts")
        ids = [str(item["person"]) for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
        if before is None:
            if not ids and not posts:
                raise NothingAssignedError
            return
        again = [item for item in (before.of(person) for person in ids) if item is not None and before.used_up(item)]
        if again:
            act = T("给{names}再次答题的机会", names=[item.name for item in again])
            check_post(self._staff, by.signatory, self._rules.deciding_posts, act)
        unknown = [person for person in ids if before.of(person) is None]
        further = set(posts if isinstance(posts, list) else []) - set(before.posts)
        if not (again or unknown or further or new.get("questions")):
            raise NothingAssignedError

    # -- reading -----------------------------------------------------------------------------------------------

    def to_read(self, number: str, revision: str, by: Signer) -> tuple[TrainingStanding, PersonTraining]:
        """Return how it stands for whoever is going to read a revision.

        Raises:
            TrainingUnknownError: nobody was asked to read it.
            NotAssignedError: the person was not.
            TrainingSettledError: the person has read it already.
            AttemptsUsedError: the person has failed as often as the rules allow.
        """
        standing = self.standing(number, revision)
        own = standing.of(by.signatory.person)
        if own is None:
            raise NotAssignedError(number=number, revision=revision, name=by.signatory.name)
        if own.state is TrainingState.UNDERSTOOD:
            raise TrainingSettledError(number=number, revision=revision, who=own)
        if standing.used_up(own):
            posts = [self._staff.posts[key].name for key in self._rules.deciding_posts if key in self._staff.posts]
            raise AttemptsUsedError(number=number, name=own.name, attempts=own.attempts, posts=posts)
        return standing, own

    def understood(
        self, number: str, revision: str, by: Signer, *, shown: Digest, answers: str | None = None
    ) -> TrainingOutcome:
        """File that the signer has read and understood a revision, or that the answers were not good enough.

        Args:
            number: of the item.
            revision: such as `A/1`.
            by: who has read it.
            shown: digest of what was read, as `text` gave it.
            answers: to the questions, where there are any, such as `1A 2BC 3对`.

        Raises:
            TrainingUnknownError, NotAssignedError, TrainingSettledError, AttemptsUsedError: as `to_read`.
            TrainingTextGoneError, TrainingTextChangedError: what was read is not the revision as it stands.
            AnswersNeededError, AnswersUnclearError: the questions are not answered; no attempt is counted.
            TrainingOvertakenError: it was settled in the meantime.
        """
        standing, own = self.to_read(number, revision, by)
        if self.text(number, revision).digest != shown:
            raise TrainingTextChangedError(number=number, revision=revision)
        sheet = self.questions(standing)
        new: dict[str, Wire] = {"revision": revision}
        right = asked = 0
        passed = True
        if sheet is not None:
            if answers is None:
                raise AnswersNeededError(number=number, count=len(sheet.questions))
            given = sheet.read_answers(answers)
            right, asked = sheet.right(given), len(given)
            score = 100 * right // asked
            passed = score >= standing.pass_mark
            new |= {
                "questions": standing.questions.text if standing.questions is not None else None,
                "answers": written(given),
                "right": str(right),
                "asked": str(asked),
                "score": str(score),
                "attempt": str(own.attempts + 1),
            }
        by.ready(READ_AND_UNDERSTOOD)
        draft = StatementDraft(
            chain=training_chain(number, revision),
            event=Event.TRAINING_UNDERSTOOD if passed else Event.TRAINING_FAILED,
            subject=number,
            meaning=READ_AND_UNDERSTOOD if passed else "",
            new=new,
            shown=shown,
        )
        filed = self._file(draft, by, own)
        after = self.standing(number, revision)
        return TrainingOutcome(filed, passed, right, asked, after, after.of(own.person) or own)

    def waive(self, number: str, revision: str, person: str, by: Signer, *, reason: str) -> TrainingStanding:
        """File that somebody need not read a revision, with a reason; never for oneself.

        Raises:
            TrainingUnknownError, NotAssignedError, TrainingSettledError: there is nothing to waive.
            PostNeededError: the signer holds no post that decides.
            OwnWaiverError: the signer is the person.
            TrainingReasonError: the reason is too short to be one.
        """
        standing = self.standing(number, revision)
        check_post(self._staff, by.signatory, self._rules.deciding_posts, T("豁免阅知"))
        wanted = active_person(self._staff, person)
        if wanted.id == by.signatory.person:
            raise OwnWaiverError(name=wanted.name)
        own = standing.of(wanted.id)
        if own is None:
            raise NotAssignedError(number=number, revision=revision, name=wanted.name)
        if own.settled:
            raise TrainingSettledError(number=number, revision=revision, who=own)
        if len(reason.strip()) < _SHORTEST_REASON:
            raise TrainingReasonError(least=_SHORTEST_REASON)
        by.ready(APPROVE)
        draft = StatementDraft(
            chain=training_chain(number, revision),
            event=Event.TRAINING_WAIVED,
            subject=number,
            meaning=APPROVE,
            reason=reason.strip(),
            new={"revision": revision, "person": own.person, "name": own.name, "post": own.post},
        )
        self._file(draft, by, own)
        return self.standing(number, revision)

    def _file(self, draft: StatementDraft, by: Signer, own: PersonTraining) -> FiledStatement:
        def unchanged(_data: bytes) -> Mapping[str, bytes]:
            # Inside the lock: nobody settles or answers twice at once.
            revision = str(draft.new["revision"])
            if self.standing(draft.subject, revision).of(own.person) != own:
                raise TrainingOvertakenError(number=draft.subject, name=own.name)
            return {}

        return self._statements.file(draft, by, beside=unchanged)
