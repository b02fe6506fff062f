"""阅知. Who has to read a revision, who has understood it, who failed or was waived: the fold of one training chain.

Everybody who was named, and everybody who holds a post that was named, has to read (GSP; ISO 13485 6.2, 4.2.4 d). Who
has left does not count. The text that was read is named by digest in each statement (`shown`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.domain.identifiers import Digest
from controller.domain.statement import TRAINING, Event, statement_path
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from controller.domain.person import Person, Staff
    from controller.domain.record import Wire
    from controller.domain.statement import Statement
    from controller.domain.text import Text

READ_AND_UNDERSTOOD = "阅知"
"""Meaning of the signature with which somebody states to have read and understood a revision."""
_NAMED = 5
"""People who are named one by one in a line."""


class TrainingState(StrEnum):
    """阅知状态."""

    WAITING = "待阅知"
    UNDERSTOOD = "已阅知"
    FAILED = "未通过"
    WAIVED = "已豁免"


@dataclass(frozen=True)
class PersonTraining:
    """一人的阅知情况."""

    person: str
    name: str
    post: str
    """Name of the post for which the person has to read."""
    state: TrainingState = TrainingState.WAITING
    at: str = ""
    """When it came to this state: ISO 8601; empty while nothing happened."""
    score: int | None = None
    """Percent of the last answers; None: no questions were asked."""
    attempts: int = 0
    """Failed attempts since the person was last assigned."""
    reason: str = ""
    """Why it was waived."""
    decided_by: str = ""
    """Name of who waived it."""
    proof: str = ""
    """Archive path of the newest statement about it, without suffix."""

    @property
    def settled(self) -> bool:
        """Whether nothing more is asked of the person."""
        return self.state in {TrainingState.UNDERSTOOD, TrainingState.WAIVED}


@dataclass(frozen=True)
class TrainingStanding:
    """一个版本的阅知情况. Explains itself: how many have read it, who is missing."""

    number: str
    revision: str
    title: str = ""
    assigned_at: str = ""
    """When reading was first asked for."""
    effective: str | None = None
    """Day from which the revision governs, as the assignment says."""
    people: tuple[PersonTraining, ...] = ()
    left: tuple[PersonTraining, ...] = ()
    """Who was assigned and has left since."""
    posts: tuple[str, ...] = ()
    """Keys of the posts that have to read it; who gets one later has to read it too."""
    questions: Digest | None = None
    """Digest of the question file, None when nothing is asked."""
    questions_path: str = ""
    """Where it lies in the archive."""
    pass_mark: int = 100
    """Percent."""
    most_attempts: int = 1

    @property
    def assigned(self) -> int:
        """How many have to read it."""
        return len(self.people)

    @property
    def settled(self) -> int:
        """How many have understood it or were waived."""
        return sum(item.settled for item in self.people)

    @property
    def waived(self) -> int:
        """How many of them were waived: they have not read it."""
        return sum(item.state is TrainingState.WAIVED for item in self.people)

    @property
    def share(self) -> int:
        """Percent of the assigned who have understood it or were waived; whole, a hundred only when it is everybody."""
        return 100 * self.settled // self.assigned if self.people else 100

    @property
    def complete(self) -> bool:
        """Whether nobody is missing."""
        return self.settled == self.assigned

    @property
    def missing(self) -> tuple[PersonTraining, ...]:
        """Who has still to read it."""
        return tuple(item for item in self.people if not item.settled)

    def of(self, person: str) -> PersonTraining | None:
        """Return how it stands with a person, None when it is not asked of them."""
        return next((item for item in self.people if item.person == person), None)

    def used_up(self, person: PersonTraining) -> bool:
        """Whether the person may not answer again before somebody has decided."""
        return person.state is TrainingState.FAILED and person.attempts >= self.most_attempts

    def explain(self) -> Text:
        """Return the standing in one sentence."""
        if self.waived:
            return self._explain_with_waivers()
        counts = {"done": self.settled, "all": self.assigned, "share": self.share}
        if self.complete:
            return T("阅知 {done}/{all} 人（{share}%）", **counts)
        names = [item.name for item in self.missing]
        if len(names) > _NAMED:
            few, count = names[:_NAMED], len(names)
            return T("阅知 {done}/{all} 人（{share}%），还缺：{names}等 {count} 人", **counts, names=few, count=count)
        return T("阅知 {done}/{all} 人（{share}%），还缺：{names}", **counts, names=names)

    def _explain_with_waivers(self) -> Text:
        """Return the standing in one sentence, those who were waived counted apart."""
        read = self.settled - self.waived
        counts = {"done": read, "waived": self.waived, "all": self.assigned}
        names = [item.name for item in self.missing]
        if not names:
            return T("应阅知 {all} 人：已阅知 {done} 人、豁免 {waived} 人", **counts)
        return T("应阅知 {all} 人：已阅知 {done} 人、豁免 {waived} 人，还缺：{names}", **counts, names=names)


def training_chain(number: str, revision: str) -> str:
    """Return the chain about who has read a revision."""
    return f"{TRAINING}/{number}/{revision.replace('/', '-')}"


@dataclass
class _Underway:
    """What a chain says so far."""

    people: dict[str, PersonTraining] = field(default_factory=dict)
    posts: list[str] = field(default_factory=list)
    newest: Mapping[str, Wire] = field(default_factory=dict)
    questions: Digest | None = None
    questions_path: str = ""
    assigned_at: str = ""


def training_standing(
    number: str, revision: str, statements: Sequence[Statement], staff: Staff, *, usual: tuple[int, int]
) -> TrainingStanding:
    """Return how reading a revision stands by the statements of its chain, oldest first.

    `usual` are pass mark (percent) and attempts where an assignment says nothing readable of them.
    """
    state = _Underway()
    for statement in statements:
        if statement.event is Event.TRAINING_ASSIGNED:
            _assign(state, statement)
        elif statement.by is not None:
            _settle(state, statement, staff)
    for person in staff.people.values():
        if person.id not in state.people and person.active:
            held = _held(person, state.posts)
            if held is not None:
                state.people[person.id] = PersonTraining(person.id, person.name, _post_name(staff, held))
    mark, attempts = _number(state.newest.get("pass_mark"), usual[0]), _number(state.newest.get("attempts"), usual[1])
    present: list[PersonTraining] = []
    left: list[PersonTraining] = []
    for item in state.people.values():
        on_file = staff.people.get(item.person)
        (present if on_file is not None and on_file.active else left).append(item)
    return TrainingStanding(
        number=number,
        revision=revision,
        title=_text(state.newest.get("title")),
        assigned_at=state.assigned_at,
        effective=_text(state.newest.get("effective")) or None,
        people=tuple(present),
        left=tuple(left),
        posts=tuple(state.posts),
        questions=state.questions,
        questions_path=state.questions_path,
        pass_mark=mark,
        most_attempts=attempts,
    )


def _assign(state: _Underway, statement: Statement) -> None:
    new = statement.new
    state.assigned_at = state.assigned_at or statement.at
    state.newest = {**state.newest, **{key: value for key, value in new.items() if value is not None}}
    for post in _texts(new.get("posts")):
        if post not in state.posts:
            state.posts.append(post)
    digest = _digest(new.get("questions"))
    if digest is not None:
        state.questions = digest
        state.questions_path = f"{statement_path(statement.chain, statement.sequence)}.yml"
    listed = new.get("people")
    for item in listed if isinstance(listed, list) else []:
        if not isinstance(item, dict) or not (person := _text(item.get("person"))):
            continue
        known = state.people.get(person)
        if known is None or known.state is TrainingState.FAILED:
            # Whoever failed and is assigned anew begins again.
            state.people[person] = PersonTraining(person, _text(item.get("name")), _text(item.get("post")))


def _settle(state: _Underway, statement: Statement, staff: Staff) -> None:
    """Take in what somebody stated of themself, or a deciding post of somebody else."""
    by, new = statement.by, statement.new
    assert by is not None
    waived = statement.event is Event.TRAINING_WAIVED
    person = _text(new.get("person")) if waived else by.person
    before = state.people.get(person)
    if before is None:
        on_file = staff.people.get(person)
        name = on_file.name if on_file is not None else _text(new.get("name")) or by.name
        before = PersonTraining(person, name, by.post if not waived else _text(new.get("post")))
    score = _number(new.get("score"), -1)
    told = replace(
        before,
        at=statement.at,
        score=score if score >= 0 else None,
        reason="",
        decided_by="",
        proof=statement_path(statement.chain, statement.sequence),
    )
    if waived and person != by.person:
        state.people[person] = replace(
            told, state=TrainingState.WAIVED, score=None, reason=statement.reason or "", decided_by=by.name
        )
    elif statement.event is Event.TRAINING_UNDERSTOOD:
        state.people[person] = replace(told, state=TrainingState.UNDERSTOOD)
    elif statement.event is Event.TRAINING_FAILED and not before.settled:
        state.people[person] = replace(told, state=TrainingState.FAILED, attempts=before.attempts + 1)


def _held(person: Person, posts: Iterable[str]) -> str | None:
    return next((post for post in posts if post in person.posts), None)


def _post_name(staff: Staff, key: str) -> str:
    known = staff.posts.get(key)
    return known.name if known is not None else key


def _text(value: Wire) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: Wire) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _number(value: Wire, otherwise: int) -> int:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() else otherwise


def _digest(value: Wire) -> Digest | None:
    from controller.domain.errors import QmsError

    try:
        return Digest(value) if isinstance(value, str) else None
    except QmsError:
        return None
