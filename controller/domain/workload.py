"""工作量. What the deadlines and frequencies of a text ask of whom, and how much that is for each person in a year.

A frequency counts by the calendar; a deadline counts as often as the form of its clause was opened in the last twelve
months, and where nothing is known, each time (每次). Unsure is said wherever the words leave something open.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.domain.clause import Clause, Table
from controller.domain.document_comparison import clause_places
from controller.domain.post_naming import duty_holder
from controller.domain.reference_mentions import mentions
from controller.domain.text import T
from controller.domain.time_expressions import TimeKind, time_expressions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from controller.domain.clause import Segment
    from controller.domain.post_naming import NamedPost, PostNames
    from controller.domain.text import Text
    from controller.domain.time_expressions import TimeExpression

_SENTENCE = re.compile(r"[^。；;！!？?\n]{1,1000}")
_NO_DUTY = re.compile(r"\s*(?:目的|宗旨|依据|范围|适用范围|定义)\s*[:：]")
_DUTIES = re.compile(r"\s*(?:职责|责任|权责)(?:权限|分工)?\s*[:：]")
_OBJECT = re.compile(
    r"(?P<thing>客户|用户|购货者|供货者|供货商|供应商|服务机构|经销商|设备|器具|产品|文件|合同|协议|库房|冷库|批次)"
    r"(?:[（(][^（）()]*[）)])?(?:应|须|均|都|至少|要)?$"
)
_EACH_PERSON = re.compile(r"考核|培训合格|健康检查|体检|再授权|继续教育")
_ORGANISING = re.compile(r"计划|组织|汇总|分析|统计|制定|编制|评估")
_CENT = Decimal("0.1")


class WhoFrom(StrEnum):
    """责任岗位从何得知."""

    SENTENCE = "sentence"
    CLAUSE = "clause"
    DUTIES = "duties"
    OWNER = "owner"


@dataclass(frozen=True)
class TimedDuty:
    """一项有时间要求的工作."""

    clause: str
    clause_id: str | None
    sentence: str
    time: TimeExpression
    who: str
    """Name of the post or department; empty: nobody can be named."""
    posts: tuple[str, ...]
    """Keys of the posts."""
    who_from: WhoFrom
    sure: bool
    """Whether the words say both the time and who it falls to."""
    each: str = ""
    """What it is done for one by one: 人, 客户, 供货者 …; empty: once for all."""
    forms: tuple[str, ...] = ()
    """Forms that the sentence names, or else the clause; the most fitting first."""


@dataclass(frozen=True)
class Load:
    """一项工作量."""

    duty: TimedDuty
    people: tuple[str, ...]
    """Names of those it falls to."""
    times: Decimal | None
    """How often a year in all; None: not known."""
    per_person: Decimal | None
    form: str = ""
    """Form whose records of the last twelve months were counted."""
    records: int = 0

    @property
    def told(self) -> Text:
        """How the load comes about, in a few words."""
        duty, each = self.duty, self.duty.each
        if duty.time.kind is TimeKind.FREQUENCY and duty.time.per_year is None:
            return T("未写明次数")
        if each and each != "人":
            return T("每{each}每年{times}次", each=each, times=plain(duty.time.per_year))
        if self.times is None:
            return T("每次发生时")
        if self.form:
            return T("近12个月 {form} 有 {count} 条记录", form=self.form, count=self.records)
        if each == "人":
            return T("每人每年{times}次，共{count}人", times=plain(duty.time.per_year), count=len(self.people))
        if len(self.people) > 1:
            return T("每年{times}次，{count}人分担", times=plain(self.times), count=len(self.people))
        return T("每年{times}次", times=plain(self.times))


@dataclass(frozen=True)
class LoadChange:
    """工作量的变化. Old None: added; new None: dropped."""

    old: Load | None
    new: Load | None

    @property
    def shown(self) -> Load:
        """The new load, or the one that is dropped."""
        found = self.new or self.old
        assert found is not None
        return found


def plain(value: Decimal | None) -> str:
    """Return a number without needless zeros; empty for none."""
    if value is None:
        return ""
    shown = value.quantize(_CENT, rounding=ROUND_HALF_UP)
    return f"{shown:f}".removesuffix(".0")


def timed_duties(
    segment: Segment,
    names: PostNames,
    *,
    owner: str,
    owner_posts: Sequence[str] = (),
    forms: Callable[[str, str], Sequence[str]],
) -> list[TimedDuty]:
    """Return every deadline and frequency of a document with who has to keep it.

    Args:
        segment: the document's text.
        names: finds posts in texts.
        owner: the department that owns the document, to whom falls what names nobody.
        owner_posts: keys of its posts.
        forms: (clause, sentence) → the forms they are linked to, the most fitting first.
    """
    pieces = [piece for piece in segment.pieces if isinstance(piece, (Clause, Table))]
    places = ["".join(place.split()).rstrip(".．、") for place in clause_places(pieces)]
    duties: list[tuple[NamedPost, str]] = []
    for piece in pieces:
        if isinstance(piece, Clause) and (match := _DUTIES.match(piece.text)):
            duties += names.duties(piece.text[match.end() :])
    fallback = _Fallback(owner, tuple(owner_posts), duties)
    found: list[TimedDuty] = []
    for piece, place in zip(pieces, places, strict=True):
        words = piece.text if isinstance(piece, Clause) else "\n".join(cell for row in piece.rows for cell in row)
        if not _NO_DUTY.match(words):
            identifier = piece.id if isinstance(piece, Clause) else None
            found += _of_clause(place, identifier, words, names, fallback, forms)
    return found


@dataclass(frozen=True)
class _Fallback:
    """Who acts where the sentence names nobody."""

    owner: str
    owner_posts: tuple[str, ...]
    duties: Sequence[tuple[NamedPost, str]]


def _of_clause(
    place: str,
    identifier: str | None,
    words: str,
    names: PostNames,
    fallback: _Fallback,
    forms: Callable[[str, str], Sequence[str]],
) -> Iterator[TimedDuty]:
    before: NamedPost | None = None
    for sentence in _SENTENCE.finditer(words):
        text = sentence[0]
        for time in time_expressions(text):
            actor = names.actor(text, time.start)
            who_from, sure = WhoFrom.SENTENCE, True
            if actor is None and before is not None:
                actor, who_from, sure = before, WhoFrom.CLAUSE, False
            if actor is None:
                actor, who_from, sure = duty_holder(fallback.duties, text), WhoFrom.DUTIES, False
            name, posts = (actor.name, actor.posts) if actor is not None else (fallback.owner, fallback.owner_posts)
            yield TimedDuty(
                clause=place,
                clause_id=identifier,
                sentence=text.strip(),
                time=time,
                who=name,
                posts=posts,
                who_from=who_from if actor is not None else WhoFrom.OWNER,
                sure=sure and time.sure,
                each=_each(text, time),
                forms=tuple(forms(place, text)),
            )
        acting = [item for item in names.named(text) if item.acts]
        before = acting[0] if acting else before


def _each(sentence: str, time: TimeExpression) -> str:
    """Return what a frequency is kept for one by one."""
    if time.kind is not TimeKind.FREQUENCY:
        return ""
    thing = _OBJECT.search(sentence[: time.start])
    if thing is not None:
        return thing["thing"]
    after = sentence[time.end : time.end + 8]
    return "人" if _EACH_PERSON.search(after) and not _ORGANISING.search(after) else ""


def load(duty: TimedDuty, people: Sequence[str], records: Mapping[str, int]) -> Load:
    """Return how much one duty is.

    Args:
        duty: what has to be done.
        people: names of those who hold the posts.
        records: form → records opened in the last twelve months.
    """
    holders = tuple(people)
    if duty.time.per_year is not None:
        if duty.each and duty.each != "人":
            return Load(duty, holders, None, None)
        times = duty.time.per_year * (max(len(holders), 1) if duty.each == "人" else 1)
        return Load(duty, holders, times, _share(times, holders))
    if duty.time.kind is TimeKind.DEADLINE:
        form = next((number for number in duty.forms if records.get(number)), "")
        if form:
            times = Decimal(records[form])
            return Load(duty, holders, times, _share(times, holders), form, records[form])
    return Load(duty, holders, None, None)


def _share(times: Decimal, people: Sequence[str]) -> Decimal | None:
    return (times / len(people)).quantize(_CENT, rounding=ROUND_HALF_UP) if people else None


def per_holder(loads: Sequence[Load]) -> Mapping[str, tuple[Decimal, int]]:
    """Return person → times a year of what can be counted, and how many duties cannot."""
    known: dict[str, Decimal] = defaultdict(Decimal)
    open_ended: dict[str, int] = defaultdict(int)
    for item in loads:
        for person in item.people:
            known[person] += item.per_person or 0
            open_ended[person] += item.per_person is None
    return {person: (known[person], open_ended[person]) for person in known}


def load_changes(before: Sequence[Load], after: Sequence[Load]) -> list[LoadChange]:
    """Return what a revision changes: duties added, dropped, or with another time, person or form, in order.

    The same clause (by its id, where both texts have ids) is compared with itself, also where it was renumbered.
    """
    old, new = list(before), list(after)
    by_id = all(item.duty.clause_id for item in (*before, *after))

    def where(item: Load) -> tuple[str, TimeKind]:
        return (item.duty.clause_id if by_id else None) or item.duty.clause, item.duty.time.kind

    for item in before:
        same = next((other for other in new if where(item) == where(other) and _same(item, other)), None)
        if same is not None:
            old.remove(item)
            new.remove(same)
    changes: list[LoadChange] = []
    for item in after:
        if item not in new:
            continue
        partner = next((other for other in old if where(other) == where(item)), None)
        if partner is not None:
            old.remove(partner)
        new.remove(item)
        changes.append(LoadChange(partner, item))
    return changes + [LoadChange(item, None) for item in old]


def load_change_text(change: LoadChange) -> Text:
    """Return what a revision changes of one duty in a line, as the application for a change says it."""
    old, new, shown = change.old, change.new, change.shown
    where = {"clause": shown.duty.clause, "who": shown.duty.who or T("未写明")}
    if old is None:
        return T("条款 {clause}（{who}）新增“{new}”：{told}", new=shown.duty.time.wording, told=shown.told, **where)
    if new is None:
        return T("条款 {clause}（{who}）取消“{old}”", old=old.duty.time.wording, **where)
    return T(
        "条款 {clause}（{who}）由“{old}”改为“{new}”：{told}",
        old=old.duty.time.wording, new=new.duty.time.wording, told=new.told, **where,
    )  # fmt: skip


def _same(one: Load, other: Load) -> bool:
    mine, theirs = one.duty, other.duty
    return (mine.time.wording, mine.who, mine.each, one.times) == (
        theirs.time.wording,
        theirs.who,
        theirs.each,
        other.times,
    )


def named_forms(sentence: str, linked: Sequence[str], titled: Callable[[str], str | None]) -> list[str]:
    """Return the forms a sentence names, then those its clause is linked to, each once."""
    named = [titled(item.title or item.number) for item in mentions(sentence) if not item.own]
    return list(dict.fromkeys([*(number for number in named if number), *linked]))
