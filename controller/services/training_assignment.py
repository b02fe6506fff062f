"""阅知的布置. The statement that asks people and posts to read a revision; the approver of the revision signs it.

The questions lie beside it, `NNNN.yml`, named by their digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.identifiers import Digest
from controller.domain.statement import Event
from controller.domain.training_standing import training_chain
from controller.file_formats.question_file import read_questions
from controller.file_formats.text_encoding import utf8_text
from controller.services.person_control import UnknownPostError
from controller.services.staff_directory import active_person
from controller.services.statement_filing import StatementDraft

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from controller.domain.document_control_rules import DocumentControlRules
    from controller.domain.person import Person, Staff
    from controller.domain.record import Wire

ASSIGN = "布置"
"""Meaning of the signature with which reading is assigned outside an approval."""
QUESTIONS_SUFFIX = ".yml"
"""Of the question file beside the assignment that brought it."""
_QUESTIONS = "questions.yml"
"""What a question file is called while it has no name of its own."""


@dataclass(frozen=True)
class AssignedRevision:
    """要阅知的版本."""

    number: str
    revision: str
    """Such as `A/1`."""
    title: str
    effective: str | None = None
    """Day from which it governs, ISO 8601."""


@dataclass(frozen=True)
class TrainingAssignment:
    """待归档的阅知安排. The draft, and what lies beside it: for a `StatementPart(draft, beside)`."""

    draft: StatementDraft
    beside: Callable[[bytes], Mapping[str, bytes]] | None = None


def training_assignment(
    assigned: AssignedRevision,
    *,
    posts: Sequence[str],
    people: Sequence[str],
    questions: bytes | None,
    reason: str | None,
    staff: Staff,
    rules: DocumentControlRules,
) -> TrainingAssignment:
    """Return the statement that asks the holders of `posts` and `people` besides to read a revision.

    Raises:
        UnknownPostError, UnknownPersonError, PersonRetiredError: somebody or a post is not on file.
        QuestionFileError, NotUtf8Error: the questions are not acceptable.
    """
    keys = list(dict.fromkeys(_post(item, staff) for item in posts))
    if questions is not None:
        read_questions(utf8_text(questions, where=_QUESTIONS), where=_QUESTIONS)
    named = [active_person(staff, item) for item in people]
    holders = [item for item in staff.people.values() if item.active and set(item.posts) & set(keys)]
    listed = {item.id: item for item in [*named, *holders]}
    wanted: list[Wire] = [_person(item, keys, staff) for item in listed.values()]
    new: dict[str, Wire] = {
        "revision": assigned.revision,
        "title": assigned.title,
        "people": wanted,
        "posts": [*keys],
        "questions": Digest.of(questions).text if questions is not None else None,
        "pass_mark": str(rules.pass_mark),
        "attempts": str(rules.attempts),
        "effective": assigned.effective,
    }
    draft = StatementDraft(
        chain=training_chain(assigned.number, assigned.revision),
        event=Event.TRAINING_ASSIGNED,
        subject=assigned.number,
        meaning=ASSIGN,
        reason=reason,
        new=new,
    )
    if questions is None:
        return TrainingAssignment(draft)
    kept = questions
    return TrainingAssignment(draft, lambda _data: {QUESTIONS_SUFFIX: kept})


def _post(wanted: str, staff: Staff) -> str:
    for key, post in staff.posts.items():
        if wanted in {key, post.name}:
            return key
    raise UnknownPostError(wanted=wanted, known=[post.name for post in staff.posts.values()])


def _person(person: Person, keys: Sequence[str], staff: Staff) -> dict[str, Wire]:
    held = next((key for key in keys if key in person.posts), None)
    return {"person": person.id, "name": person.name, "post": staff.signatory(person, held).post}
