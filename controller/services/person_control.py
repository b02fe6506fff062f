"""人员管理. Registers people, changes their posts, ends their accounts; the people file follows in the same step.

Who does so must hold a registrar's post and is never the person concerned (21 CFR 11.10 g, 11.100; GSP 2023 Art. 51).
Ids are never used again. Certificates: `person_enrolment`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller.domain.errors import NotFoundError, RefusedError
from controller.domain.identifiers import Digest, nearest
from controller.domain.people_statement import registered_wire
from controller.domain.person import Person, PostHeld
from controller.domain.statement import Event
from controller.domain.text import T
from controller.domain.trust_events import posts_wire
from controller.file_formats.staff_file import PEOPLE_FILE, write_people
from controller.file_formats.text_encoding import utf8_text
from controller.services.archive_ports import ControlledChange
from controller.services.library_check import LEADING_POSTS
from controller.services.staff_directory import PersonRetiredError, PostNeededError, UnknownPersonError
from controller.services.statement_filing import StatementDraft

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.domain.person import Staff
    from controller.domain.record import Wire
    from controller.domain.signing_rules import SigningRules
    from controller.domain.text import Text
    from controller.domain.trust import TrustedPerson
    from controller.services.people_standing import PeopleStanding
    from controller.services.ports import Clock, ControlledFiles
    from controller.services.signing_ports import PersonalKeys, Signer
    from controller.services.statement_filing import FiledStatement, StatementFiling

MEANING = "授权"
"""Registering people and giving posts is authorising (GSP 2023 Art. 51)."""
_PERSON_ID = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,39}")
_NUMBERED = re.compile(r"p(\d{3,6})")
_NAME_LENGTH = 60
_LEAST_WORDS = 2


class PersonIdTakenError(RefusedError):
    """工号已用过. Ids are never given to another person (21 CFR 11.100 a)."""

    code = "person-id-taken"

    def __init__(self, *, person: str, name: str) -> None:
        super().__init__(
            T("工号 {id} 已属于{name}，用过的工号不再给别人。", id=person, name=name),
            hint=T("省略 --id，由程序给出下一个工号。"),
        )


class PersonDetailsError(RefusedError):
    """人员资料不可用. A name, id, date or note that cannot stand in the people file."""

    code = "person-details-invalid"

    def __init__(self, *, problem: Text) -> None:
        super().__init__(T("人员资料不可用：{problem}。", problem=problem), hint=T("改正后再试，没有登记任何内容。"))


class PersonNameTakenError(RefusedError):
    """姓名与在册人员相同. Signatures must tell who signed (21 CFR 11.50 a 1)."""

    code = "person-name-taken"

    def __init__(self, *, name: str, person: str) -> None:
        super().__init__(
            T("在册人员 {id} 也叫“{name}”。", id=person, name=name),
            hint=T("在姓名后加部门区分，例如 {name}（售后）；签名须能认出是谁。", name=name),
        )


class UnknownPostError(NotFoundError):
    """没有这个岗位."""

    code = "post-unknown"

    def __init__(self, *, wanted: str, known: Sequence[str]) -> None:
        close = nearest(wanted, known)
        hint = T("是否想写“{close}”？", close=close) if close else T("可用的岗位：{posts}。", posts=list(known))
        super().__init__(T("岗位文件中没有“{wanted}”。", wanted=wanted[:60]), hint=hint)


class OwnPersonError(RefusedError):
    """不能为本人办理. Nobody registers, promotes or retires themself."""

    code = "own-person"
    unauthorised = True

    def __init__(self, *, name: str, act: Text) -> None:
        super().__init__(
            T("{name}不能为自己办理：{act}。", name=name, act=act), hint=T("请另一位有权岗位的人员登录后办理。")
        )


class ReasonNeededError(RefusedError):
    """须写明原因."""

    code = "person-reason-needed"

    def __init__(self, *, act: Text) -> None:
        super().__init__(T("{act}须写明原因。", act=act), hint=T("加上 --reason 原因。"))


class LastInChargeError(RefusedError):
    """须有负责人. Without anybody in charge nothing could be approved any more (GSP 2023 Art. 20)."""

    code = "last-in-charge"
    unauthorised = True

    def __init__(self, *, name: str, posts: Sequence[str]) -> None:
        super().__init__(
            T("{name}是最后一位能签名的负责人，不能停用，也不能免去该岗位。", name=name),
            hint=T("请先让接任的人员任以下岗位之一，并领取证书、完成见证：{posts}。", posts=list(posts)),
        )


@dataclass(frozen=True)
class PersonFiled:
    """办理结果. The person as on file now, and the statement that says so."""

    person: Person
    filed: FiledStatement


def check_reason(reason: str, act: Text) -> str:
    """Return the trimmed reason.

    Raises:
        ReasonNeededError: it says nothing.
    """
    if len(reason.strip()) < _LEAST_WORDS:
        raise ReasonNeededError(act=act)
    return reason.strip()


class PersonControl:
    """人员管理. Acts of signed-in people about other people."""

    def __init__(
        self,
        *,
        statements: StatementFiling,
        standing: PeopleStanding,
        controlled: ControlledFiles,
        staff: Staff,
        rules: SigningRules,
        keys: PersonalKeys,
        clock: Clock,
    ) -> None:
        self._statements = statements
        self._standing = standing
        self._controlled = controlled
        self._staff = staff
        self._rules = rules
        self._keys = keys
        self._clock = clock

    def known(self, wanted: str) -> TrustedPerson:
        """Return the person called `wanted` (id or full name), active ones first.

        Raises:
            UnknownPersonError: nobody is.
        """
        people = self._standing.history().people()
        for person in people:
            if wanted == person.id or (person.active and wanted == person.name):
                return person
        retired = [person for person in people if wanted == person.name]
        if retired:
            return retired[-1]
        names = [item.name for item in people if item.active] + [item.id for item in people]
        raise UnknownPersonError(wanted=wanted, close=nearest(wanted, names))

    def register(
        self, by: Signer, *, name: str, posts: Sequence[PostHeld], identity_check: str, person: str | None = None
    ) -> PersonFiled:
        """Register a new person; the person signs nothing before a certificate is enrolled (`PersonEnrolment`).

        Posts may be named by key or by Chinese name.

        Raises:
            PostNeededError: who acts holds no registrar's post.
            PersonIdTakenError, PersonNameTakenError, PersonDetailsError, UnknownPostError: nothing was registered.
        """
        act = T("登记人员")
        self._check_registrar(by, act)
        people = self._standing.history().people()
        ident = person if person is not None else self._next_id(people)
        self._check_new(ident, name, identity_check, people)
        made = Person(ident, name.strip(), (), active=True, held=self._posts(posts))
        by.ready(MEANING)
        new = registered_wire(made, identity_check=identity_check.strip())
        return self._file(Event.PERSON_REGISTERED, by, made, reason=None, old={}, new=new)

    def change_posts(self, by: Signer, wanted: str, posts: Sequence[PostHeld], *, reason: str) -> PersonFiled:
        """Give the person exactly these posts; their certificate stays.

        Raises:
            PostNeededError, OwnPersonError: who acts may not do so.
            PersonRetiredError, UnknownPersonError, UnknownPostError, ReasonNeededError: nothing was changed.
        """
        act = T("更改岗位")
        known = self._other(by, wanted, act)
        held = self._posts(posts)
        why = check_reason(reason, act)
        self._check_in_charge(known, held)
        by.ready(MEANING)
        old: dict[str, Wire] = {"posts": posts_wire(known.posts)}
        person = Person(known.id, known.name, (), active=True, held=held)
        return self._file(Event.PERSON_POSTS_CHANGED, by, person, reason=why, old=old, new={"posts": posts_wire(held)})

    def retire(self, by: Signer, wanted: str, *, reason: str) -> PersonFiled:
        """End the person's account for good; what they signed stays valid, the id is never used again.

        Raises:
            PostNeededError, OwnPersonError: who acts may not do so.
            PersonRetiredError, UnknownPersonError, ReasonNeededError: nothing was changed.
        """
        act = T("停用人员")
        known = self._other(by, wanted, act)
        why = check_reason(reason, act)
        self._check_in_charge(known, ())
        by.ready(MEANING)
        person = Person(known.id, known.name, (), active=False, held=known.posts)
        done = self._file(Event.PERSON_RETIRED, by, person, reason=why, old={}, new={"reason": why})
        self._keys.put_away(known.id)
        self._keys.drop_pending(known.id)
        return done

    def _file(
        self,
        event: Event,
        by: Signer,
        person: Person,
        *,
        reason: str | None,
        old: Mapping[str, Wire],
        new: Mapping[str, Wire],
    ) -> PersonFiled:
        before = self._controlled.read(PEOPLE_FILE) or b""
        text = write_people(utf8_text(before, where=PEOPLE_FILE), [person]).encode("utf-8")
        draft = StatementDraft(
            chain=f"people/{person.id}",
            event=event,
            subject=person.id,
            meaning=MEANING,
            reason=reason,
            old=old,
            new=new,
            files={PEOPLE_FILE: Digest.of(text)},
        )
        change = ControlledChange(
            {PEOPLE_FILE: text}, action=event.value, subject=person.id, note=reason or person.name
        )
        filed = self._statements.file(draft, by, controlled=change)
        today = self._clock.now().date()
        return PersonFiled(replace(person, posts=[item.post for item in person.held if item.on(today)]), filed)

    def _check_registrar(self, by: Signer, act: Text) -> None:
        check_holder(self._staff, self._standing, by, self._rules.registrar_posts, act, self._clock)

    def _other(self, by: Signer, wanted: str, act: Text) -> TrustedPerson:
        self._check_registrar(by, act)
        known = self.known(wanted)
        if not known.active:
            raise PersonRetiredError(name=known.name)
        if known.id == by.signatory.person:
            raise OwnPersonError(name=known.name, act=act)
        return known

    def _check_in_charge(self, known: TrustedPerson, posts: Sequence[PostHeld]) -> None:
        """Make sure that somebody in charge who can sign remains when `known` holds only `posts`."""
        today = self._clock.now().date()

        def leads(held: Sequence[PostHeld]) -> bool:
            return any(item.post in LEADING_POSTS and item.on(today) for item in held)

        if not leads(known.posts) or leads(posts):
            return
        others = (item for item in self._standing.history().people() if item.id != known.id)
        if not any(item.active and item.certificate is not None and leads(item.posts) for item in others):
            names = [self._staff.posts[key].name if key in self._staff.posts else key for key in LEADING_POSTS]
            raise LastInChargeError(name=known.name, posts=names)

    def _posts(self, posts: Sequence[PostHeld]) -> tuple[PostHeld, ...]:
        keys = {post.name: key for key, post in self._staff.posts.items()} | {key: key for key in self._staff.posts}
        if not posts:
            raise PersonDetailsError(problem=T("没有写岗位"))
        found: list[PostHeld] = []
        for item in posts:
            if item.post not in keys:
                raise UnknownPostError(wanted=item.post, known=list(keys))
            if item.since is not None and item.until is not None and item.until < item.since:
                raise PersonDetailsError(problem=T("岗位“{post}”的结束日期早于开始日期", post=item.post))
            held = replace(item, post=keys[item.post])
            if held not in found:
                found.append(held)
        return tuple(found)

    @staticmethod
    def _check_new(ident: str, name: str, identity_check: str, people: Sequence[TrustedPerson]) -> None:
        if not _PERSON_ID.fullmatch(ident) or ident.endswith((".", ".old", ".pending")):
            raise PersonDetailsError(problem=T("工号“{id}”应以字母开头，只含字母、数字、点和横线", id=ident[:60]))
        taken = next((item for item in people if item.id.casefold() == ident.casefold()), None)
        if taken is not None:
            raise PersonIdTakenError(person=taken.id, name=taken.name)
        said = name.strip()
        if not said or not said.isprintable() or len(said) > _NAME_LENGTH:
            raise PersonDetailsError(problem=T("姓名应为 1 到 {limit} 个可见的字", limit=_NAME_LENGTH))
        twin = next((item for item in people if item.active and item.name == said), None)
        if twin is not None:
            raise PersonNameTakenError(name=said, person=twin.id)
        if len(identity_check.strip()) < _LEAST_WORDS or not identity_check.isprintable():
            raise PersonDetailsError(problem=T("没有写明怎样核对了身份（证件名称和末几位）"))

    @staticmethod
    def _next_id(people: Sequence[TrustedPerson]) -> str:
        numbers = [int(match[1]) for item in people if (match := _NUMBERED.fullmatch(item.id.lower()))]
        return f"p{max(numbers, default=0) + 1:03d}"


def check_holder(
    staff: Staff, standing: PeopleStanding, by: Signer, posts: Sequence[str], act: Text, clock: Clock
) -> frozenset[str]:
    """Return which of `posts` the signed-in person holds today, as the archive says.

    Raises:
        PostNeededError: none of them.
    """
    person = standing.history().person(by.signatory.person)
    today = clock.now().date()
    held = frozenset(item.post for item in person.posts if item.post in posts and item.on(today)) if person else None
    if not held:
        names = [staff.posts[key].name if key in staff.posts else key for key in posts]
        raise PostNeededError(act=act, name=by.signatory.name, posts=names)
    return held
