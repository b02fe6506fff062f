"""岗位与人员文件. `signatures/posts.yml` and `signatures/people.yml` → `Staff`, with everything that is wrong in them.

Who may do what is decided by the posts; who is who by the ids. Entries that cannot be used are left out of the
`Staff` and named in the findings, so that one slip does not lock everybody out of looking at the rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import MisconfiguredError
from controller.domain.identifiers import DocumentNumber, InvalidIdentifierError, nearest
from controller.domain.person import Person, Post, PostHeld, Staff
from controller.domain.text import T, Text
from controller.file_formats.yaml_text import Lines, dump_yaml, load_yaml, load_yaml_with_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

POSTS_FILE = "signatures/posts.yml"
PEOPLE_FILE = "signatures/people.yml"
POSTS_FORMAT = "wenkong/posts/1"
PEOPLE_FORMAT = "wenkong/people/1"

_POST_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_PERSON_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_RESERVED_POSTS = frozenset({"any"})
"""Words the form language uses for itself (`by: [any]`)."""
_POST_KEYS = ("name", "department", "duty", "key_post", "business", "note")
_PERSON_KEYS = ("id", "name", "posts", "active", "note")
_HELD_KEYS = ("post", "since", "until")
_PEOPLE_HEAD = """\
format: wenkong/people/1
# 在册人员。由 qms person 写入，与档案中每个人的登记一致；手工改动会被 qms verify 指出。
# id 一经使用永不改给别人；离职用 qms person retire，不删行。
"""
_NAME_LENGTH = 60


class StaffFileError(MisconfiguredError):
    """岗位或人员文件有误. Somebody cannot be told from somebody else, or a post does not exist."""

    code = "staff-invalid"

    def __init__(self, *, errors: Sequence[Finding]) -> None:
        first = errors[0]
        super().__init__(
            T("岗位与人员文件有 {count} 处错误，第一处：{problem}", count=len(errors), problem=first.message),
            hint=first.hint or T("改正后再试。"),
            where=first.place,
        )
        self.errors = tuple(errors)


@dataclass(frozen=True)
class StaffReading:
    """读取结果. The usable people and posts, and all findings."""

    staff: Staff
    findings: tuple[Finding, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that must be mended."""
        return tuple(item for item in self.findings if item.gravity is Gravity.ERROR)

    def require(self) -> Staff:
        """Return the staff when the files are in order.

        Raises:
            StaffFileError: there are findings that must be mended.
        """
        if self.errors:
            raise StaffFileError(errors=self.errors)
        return self.staff


def read_staff(
    posts: str,
    people: str,
    *,
    posts_where: str = POSTS_FILE,
    people_where: str = PEOPLE_FILE,
    on: date | None = None,
) -> StaffReading:
    """Read both files; with `on`, people have only the posts that they hold on that day.

    Raises:
        YamlTextError: a text is not YAML of the accepted kind.
    """
    post_reader = _PostsReader(posts, posts_where)
    known = post_reader.read()
    people_reader = _PeopleReader(people, people_where, known, on)
    persons = people_reader.read()
    findings = (*post_reader.findings, *people_reader.findings)
    return StaffReading(Staff(people=persons, posts=known), findings)


class _Reader:
    """What both files share: format line, unknown keys, findings with their place."""

    def __init__(self, text: str, where: str) -> None:
        self.where = where
        self.findings: list[Finding] = []
        self.data: Any
        self.lines: Lines
        self.data, self.lines = load_yaml_with_lines(text, where=where)

    def report(
        self,
        code: str,
        message: Text,
        place: tuple[str | int, ...],
        *,
        hint: Text | None = None,
        gravity: Gravity = Gravity.ERROR,
    ) -> None:
        line = None
        for depth in range(len(place), 0, -1):
            line = self.lines.get(place[:depth])
            if line is not None:
                break
        self.findings.append(Finding(code, gravity, message, path=self.where, line=line, hint=hint))

    def body(self, wanted_format: str, key: str) -> Any:
        if not isinstance(self.data, dict) or self.data.get("format") != wanted_format:
            hint = T("文件开头应为 format: {format}。", format=wanted_format)
            self.report("staff-format", T("不是可识别的岗位或人员文件。"), ("format",), hint=hint)
            return None
        self.unknown_keys(self.data, ("format", key), ())
        return self.data.get(key)

    def unknown_keys(self, data: Iterable[str], known: Sequence[str], place: tuple[str | int, ...]) -> None:
        for name in data:
            if name not in known:
                close = nearest(name, known)
                hint = T("是否想写 {key}？", key=close) if close else T("可用的键：{keys}。", keys=list(known))
                self.report("staff-key-unknown", T("不认识的键“{key}”。", key=name[:60]), (*place, name), hint=hint)

    def name(self, value: object, place: tuple[str | int, ...], what: Text) -> str | None:
        if not isinstance(value, str) or not value.strip():
            self.report("staff-name-missing", T("{what}缺少名称（name）。", what=what), place)
            return None
        if value != value.strip() or not value.isprintable() or len(value) > _NAME_LENGTH:
            hint = T("名称不超过 {limit} 个字，首尾没有空格，不含不可见字符。", limit=_NAME_LENGTH)
            self.report("staff-name-invalid", T("{what}的名称不可用。", what=what), place, hint=hint)
            return None
        return value

    def flag(self, data: dict[str, Any], key: str, place: tuple[str | int, ...], *, default: bool) -> bool:
        value = data.get(key, default)
        if isinstance(value, bool):
            return value
        self.report("staff-flag-invalid", T("{key} 应为 true 或 false。", key=key), (*place, key))
        return default

    def text(self, data: dict[str, Any], key: str, place: tuple[str | int, ...]) -> str | None:
        value = data.get(key)
        if value is None or isinstance(value, str):
            return value
        self.report("staff-text-invalid", T("{key} 应为文字。", key=key), (*place, key))
        return None


class _PostsReader(_Reader):
    """`posts.yml`."""

    def read(self) -> dict[str, Post]:
        posts: dict[str, Post] = {}
        entries = self.body(POSTS_FORMAT, "posts")
        if entries is None and self.findings:
            return posts
        if not isinstance(entries, dict) or not entries:
            self.report("posts-missing", T("没有任何岗位。"), ("posts",), hint=T("至少写一个岗位：键、name。"))
            return posts
        for key, data in entries.items():
            post = self._post(key, data)
            if post is None:
                continue
            twin = next((other.key for other in posts.values() if other.name == post.name), None)
            if twin is not None:
                problem = T("岗位名称“{name}”与 {other} 重复。", name=post.name, other=twin)
                self.report("post-name-duplicate", problem, ("posts", key), hint=T("每个岗位的名称应不同。"))
                continue
            posts[key] = post
        return posts

    def _post(self, key: str, data: object) -> Post | None:
        place = ("posts", key)
        if not _POST_KEY.fullmatch(key) or key in _RESERVED_POSTS:
            hint = T("岗位键用小写英文字母、数字和下划线，例如 quality_head;any 是保留字。")
            self.report("post-key-invalid", T("岗位键“{key}”不可用。", key=key[:60]), place, hint=hint)
            return None
        if not isinstance(data, dict):
            hint = T("写成 {key}: 下一行缩进 name: 岗位名称。", key=key)
            self.report("post-invalid", T("岗位 {key} 的内容不是键值对。", key=key), place, hint=hint)
            return None
        self.unknown_keys(data, _POST_KEYS, place)
        name = self.name(data.get("name"), place, T("岗位 {key}", key=key))
        if name is None:
            return None
        return Post(
            key=key,
            name=name,
            note=self.text(data, "note", place),
            department=self.text(data, "department", place),
            duty=self._duty(data, place),
            key_post=self.flag(data, "key_post", place, default=False),
            business=self.flag(data, "business", place, default=True),
        )

    def _duty(self, data: dict[str, Any], place: tuple[str | int, ...]) -> str | None:
        value = self.text(data, "duty", place)
        if value is None:
            return None
        try:
            return DocumentNumber(value).text
        except InvalidIdentifierError as exc:
            self.report("post-duty-invalid", exc.message, (*place, "duty"), hint=exc.hint)
            return None


class _PeopleReader(_Reader):
    """`people.yml`, checked against the posts."""

    def __init__(self, text: str, where: str, posts: dict[str, Post], on: date | None) -> None:
        super().__init__(text, where)
        self.posts = posts
        self.on = on

    def read(self) -> dict[str, Person]:
        people: dict[str, Person] = {}
        entries = self.body(PEOPLE_FORMAT, "people")
        if entries is None:
            return people
        if not isinstance(entries, list):
            hint = T("写成 people: 后面每人一行，以 - 开头。")
            self.report("people-invalid", T("people 应为列表。"), ("people",), hint=hint)
            return people
        for position, data in enumerate(entries):
            place = ("people", position)
            person = self._person(data, place)
            if person is None:
                continue
            known = people.get(person.id)
            if known is not None:
                problem = T("人员编号 {id} 重复：{one}、{two}。", id=person.id, one=known.name, two=person.name)
                hint = T("给其中一人换新编号；用过的编号不再给别人。")
                self.report("person-id-duplicate", problem, place, hint=hint)  # 21 CFR 11.100 a
                continue
            self._same_name(person, people, place)
            people[person.id] = person
        return people

    def _person(self, data: object, place: tuple[str | int, ...]) -> Person | None:
        if not isinstance(data, dict):
            hint = T("例如 - {example}", example="{id: p001, name: 张三, posts: [quality_head], active: true}")
            self.report(
                "person-invalid", T("第 {number} 位人员的内容不是键值对。", number=_ordinal(place)), place, hint=hint
            )
            return None
        self.unknown_keys(data, _PERSON_KEYS, place)
        ident = data.get("id")
        if not isinstance(ident, str) or not _PERSON_ID.fullmatch(ident):
            problem = T("第 {number} 位人员的编号（id）缺少或不可用。", number=_ordinal(place))
            hint = T("用字母开头的编号，例如 p001；纯数字请加引号。")
            self.report("person-id-invalid", problem, (*place, "id"), hint=hint)
            return None
        name = self.name(data.get("name"), place, T("人员 {id}", id=ident))
        if name is None:
            return None
        held = self._posts(data.get("posts"), name, place)
        now = [item.post for item in held if self.on is None or item.on(self.on)]
        active = self.flag(data, "active", place, default=True)
        return Person(ident, name, tuple(dict.fromkeys(now)), active=active, held=held)

    def _posts(self, value: object, name: str, place: tuple[str | int, ...]) -> tuple[PostHeld, ...]:
        if not isinstance(value, list) or not value:
            hint = T("写 posts: [岗位键]，主要岗位放在最前；可用：{keys}。", keys=list(self.posts))
            self.report("person-without-post", T("{name}没有岗位。", name=name), place, hint=hint)
            return ()
        kept: list[PostHeld] = []
        names = {post.name: key for key, post in self.posts.items()}
        for position, written in enumerate(value):
            here = (*place, "posts", position)
            named = written.get("post") if isinstance(written, dict) else written
            key = names.get(named, named) if isinstance(named, str) else named
            if not isinstance(key, str) or key not in self.posts:
                close = nearest(str(key), [*self.posts, *names])
                hint = T("是否想写 {key}？", key=close) if close else T("可用的岗位键：{keys}。", keys=list(self.posts))
                problem = T("{name}的岗位“{key}”不在岗位文件中。", name=name, key=str(key)[:60])
                self.report("person-post-unknown", problem, here, hint=hint)
                continue
            held = self._held(key, written, name, here)
            if held is None:
                continue
            if any(item.post == key and held in (item, PostHeld(key)) for item in kept):
                problem = T("{name}的岗位“{key}”写了两次。", name=name, key=key)
                self.report("person-post-repeated", problem, here, gravity=Gravity.WARNING)
            else:
                kept.append(held)
        self._apart(list(dict.fromkeys(item.post for item in kept)), name, place)
        return tuple(kept)

    def _held(self, key: str, written: object, name: str, place: tuple[str | int, ...]) -> PostHeld | None:
        """Return a post with its days: `{post: quality_head, since: 2026-01-01, until: 2026-12-31}`."""
        if not isinstance(written, dict):
            return PostHeld(key)
        self.unknown_keys(written, _HELD_KEYS, place)
        days: dict[str, date | None] = {}
        for word in ("since", "until"):
            value = written.get(word)
            try:
                days[word] = date.fromisoformat(value) if value is not None else None
            except (TypeError, ValueError):
                problem = T("{name}的岗位“{key}”的 {word} 不是日期。", name=name, key=key, word=word)
                self.report("person-post-date", problem, (*place, word), hint=T("写成 2026-01-31。"))
                return None
        held = PostHeld(key, days["since"], days["until"])
        if held.since is not None and held.until is not None and held.until < held.since:
            problem = T("{name}的岗位“{key}”的结束日期早于开始日期。", name=name, key=key)
            self.report("person-post-date", problem, (*place, "until"))
            return None
        return held

    def _apart(self, posts: Sequence[str], name: str, place: tuple[str | int, ...]) -> None:
        """系统管理员不承担业务角色 (GSP inspection item 5.51); a warning, because very small companies need time."""
        technical = [self.posts[key].name for key in posts if not self.posts[key].business]
        if technical and len(posts) > len(technical):
            self.report(
                "person-posts-conflict",
                T("{name}既是{technical}，又有业务岗位。", name=name, technical=technical),
                place,
                hint=T("系统管理由不承担业务的人员或外部服务商担任；暂时做不到的，由企业负责人书面说明。"),
                gravity=Gravity.WARNING,
            )

    def _same_name(self, person: Person, people: dict[str, Person], place: tuple[str | int, ...]) -> None:
        if not person.active:
            return
        twin = next((other for other in people.values() if other.active and other.name == person.name), None)
        if twin is not None:
            problem = T("在册的 {one} 和 {two} 都叫“{name}”。", one=twin.id, two=person.id, name=person.name)
            hint = T("在姓名后加部门区分，例如 {name}（售后）；签名须能认出是谁。", name=person.name)
            self.report("person-name-duplicate", problem, place, hint=hint)  # 21 CFR 11.50 a 1


def write_people(text: str, people: Sequence[Person]) -> str:
    """Return `text`, the people file, with these people changed or added; other people and notes stay.

    Raises:
        YamlTextError: `text` is not YAML of the accepted kind.
    """
    data = load_yaml(text, where=PEOPLE_FILE)
    listed = data.get("people") if isinstance(data, dict) else None
    entries = [dict(item) for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    for person in people:
        written = {
            "id": person.id,
            "name": person.name,
            "posts": [_written(item) for item in person.held],
            "active": person.active,
        }
        known = next((item for item in entries if item.get("id") == person.id), None)
        if known is None:
            entries.append(written)
        else:
            known.update(written)
    return _PEOPLE_HEAD + dump_yaml({"people": entries})


def _written(held: PostHeld) -> str | dict[str, str]:
    days = {"since": held.since, "until": held.until}
    written = {word: day.isoformat() for word, day in days.items() if day is not None}
    return {"post": held.post, **written} if written else held.post


def _ordinal(place: tuple[str | int, ...]) -> int:
    last = place[-1]
    return last + 1 if isinstance(last, int) else 1
