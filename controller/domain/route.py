"""签署路线. Who signs a document, in which order, and who must be different people (ISO 13485 4.2.4 a).

Pure decisions: what was signed comes in, what may be signed next or why not comes out. Which signatures count for the
present bytes of a document is for `services.document_signing` to find out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations
from typing import TYPE_CHECKING

from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from controller.domain.text import Text

ANYBODY = "any"
"""In a step's posts: everybody on file may take it."""
OWNER = "owner"
"""Among those who stand in: the posts of the department that owns the document."""
DRAFT, REVIEW, APPROVE = "起草", "审核", "批准"
"""Meanings whose people are kept apart whatever a file says."""
DEFAULT_ROUTE = "default"


@dataclass(frozen=True)
class RouteStep:
    """签署步骤. One signature that a route asks for."""

    key: str
    """Latin letters, digits, `_`; also the name of its place in a PDF."""
    label: str
    meaning: str
    by: tuple[str, ...]
    """Post keys, or `any`."""
    stand_in: tuple[str, ...] = ()
    """Post keys, or `owner`, that take the step where the drafter holds its post himself."""


@dataclass(frozen=True)
class Route:
    """签署路线. The signatures a kind of document or form needs, in order."""

    key: str
    label: str
    steps: tuple[RouteStep, ...]
    applies_to: tuple[str, ...] = ()
    """Words of document classes."""
    basis: tuple[str, ...] = ()
    different_people: tuple[tuple[str, ...], ...] = ()
    """Groups of step keys; no two steps of a group may be signed by the same person."""
    within: Mapping[str, str] = field(default_factory=dict)
    """Step key → how long it may take (`5 workdays`)."""
    within_basis: str = ""

    def step(self, meaning: str) -> RouteStep | None:
        """Return the step with that meaning, label or key."""
        return next((step for step in self.steps if meaning in {step.meaning, step.label, step.key}), None)

    def apart(self) -> set[frozenset[str]]:
        """Return the pairs of step keys that different people must sign; drafting and approving always are one."""
        pairs = {frozenset(pair) for group in self.different_people for pair in combinations(group, 2)}
        drafts = [step.key for step in self.steps if step.meaning == DRAFT]
        approves = [step.key for step in self.steps if step.meaning == APPROVE]
        return pairs | {frozenset((draft, approve)) for draft in drafts for approve in approves}


@dataclass(frozen=True)
class Exemption:
    """两人企业豁免. What a company with too few people may do differently, once it has been signed for."""

    label: str
    allows: str
    never: str
    text: str
    signed_by: tuple[str, ...]
    valid_months: int
    basis: str = ""


@dataclass(frozen=True)
class Routes:
    """全部签署路线."""

    documents: Mapping[str, Route]
    forms: Mapping[str, Route] = field(default_factory=dict)
    exemption: Exemption | None = None

    def for_document(self, class_word: str) -> Route:
        """Return the route for documents of a class; classes that no route names take the default one."""
        named = (route for route in self.documents.values() if class_word in route.applies_to)
        return next(named, self.documents[DEFAULT_ROUTE])


@dataclass(frozen=True)
class StepTaken:
    """已签步骤. A signature that counts."""

    step: str
    person: str
    name: str


class RouteProblem(StrEnum):
    """为何不能签. The kind of reason why somebody may not sign a step."""

    UNKNOWN = "unknown"
    TAKEN = "taken"
    ORDER = "order"
    POST = "post"
    SAME_PERSON = "same-person"


@dataclass(frozen=True)
class RouteAnswer:
    """能否签署. The answer to “may this person sign this step now?”; explains itself."""

    step: RouteStep | None
    problem: RouteProblem | None = None
    why: Text | None = None
    hint: Text | None = None
    exempted: bool = False
    """True when only the exemption allows it."""


def may_sign(
    route: Route,
    meaning: str,
    *,
    person: str,
    held: Iterable[str],
    taken: Sequence[StepTaken],
    exempt: bool,
    post_names: Mapping[str, str],
    stand_in: frozenset[str] = frozenset(),
    authors: Sequence[StepTaken] = (),
) -> RouteAnswer:
    """Tell whether `person`, who holds the posts `held`, may sign the step called `meaning` now.

    Args:
        route: the document's route.
        meaning: meaning, label or key of the step.
        person: id of the person.
        held: keys of the posts that the person holds.
        taken: the steps that are signed for the present bytes.
        exempt: whether a signed exemption is in force.
        post_names: post key → name, for messages.
        stand_in: posts that may take the step besides its own, because the drafter holds that post (`stand_ins`).
        authors: people whose edits are in what is signed; each is kept apart as if he had taken the named step.
    """
    step = route.step(meaning)
    if step is None:
        known = [item.meaning for item in route.steps]
        return RouteAnswer(
            None,
            RouteProblem.UNKNOWN,
            T("路线“{route}”没有“{meaning}”这一步", route=route.label, meaning=meaning[:20]),
            T("这条路线的签署：{known}。", known=known),
        )
    done = {item.step: item for item in taken}
    if step.key in done:
        why = T("{name}已经签过“{step}”", name=done[step.key].name, step=step.label)
        return RouteAnswer(step, RouteProblem.TAKEN, why, T("文件没有改动，不必重签。"))
    first = next(item for item in route.steps if item.key not in done)
    if first.key != step.key:
        why = T("应先签“{first}”，再签“{step}”", first=first.label, step=step.label)
        return RouteAnswer(step, RouteProblem.ORDER, why, T("请按顺序签署：{who}。", who=_who(first, post_names)))
    if ANYBODY not in step.by and not set(held) & {*step.by, *stand_in}:
        why = T("“{step}”应由以下岗位进行：{posts}", step=step.label, posts=_posts(step, post_names))
        return RouteAnswer(step, RouteProblem.POST, why, T("请相应岗位的人员操作。"))
    people = (*taken, *authors)
    same = [item for item in people if item.person == person and frozenset((item.step, step.key)) in route.apart()]
    if not same:
        return RouteAnswer(step)
    meanings = {item.key: item.meaning for item in route.steps}
    barred = [item for item in same if {meanings.get(item.step), step.meaning} != {DRAFT, REVIEW}]
    if not barred and exempt:
        return RouteAnswer(step, exempted=True)
    other = next(item for item in route.steps if item.key == (barred or same)[0].step)
    why = T("{name}已签“{other}”，“{step}”须由另一人签", name=same[0].name, other=other.label, step=step.label)
    if not any(item in taken for item in barred or same):
        why = T("{name}改过草稿，“{step}”须由另一人签", name=same[0].name, step=step.label)
    if not barred:
        hint = T("请相应岗位的其他人员签署；人员不足三人的企业可先由企业负责人签署豁免（qms doc exempt）。")
    elif any(item in taken for item in barred):
        hint = T("请相应岗位的其他人员签署。")
    else:
        hint = T("请相应岗位的其他人员签署；没有其他人时，取消这项更改（qms change cancel），另由别人起草。")
    return RouteAnswer(step, RouteProblem.SAME_PERSON, why, hint)


def stand_ins(
    step: RouteStep, *, drafter_held: Iterable[str], owner_posts: Iterable[str], left: Iterable[str] = ()
) -> frozenset[str]:
    """Return the posts that take `step` in place of its own, because who drafted holds it and nobody else does.

    Args:
        step: the step.
        drafter_held: posts of who drafted.
        owner_posts: posts of the department that owns the document.
        left: posts of everybody else.
    """
    if not set(drafter_held) & set(step.by) or set(left) & set(step.by):
        return frozenset()
    found = {post for post in step.stand_in if post != OWNER}
    return frozenset(found | set(owner_posts) if OWNER in step.stand_in else found)


def months_later(day: date, months: int) -> date:
    """Return the day `months` later, the last of the month where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return day.replace(year=year, month=month + 1, day=last)
        except ValueError:
            continue
    raise AssertionError  # every month has a 28th


def shown_posts(step: RouteStep, post_names: Mapping[str, str]) -> str:
    """Return who is to take a step, as printed on the signature page."""
    return "、".join(_posts(step, post_names)) if ANYBODY not in step.by else "在册人员"


def _posts(step: RouteStep, post_names: Mapping[str, str]) -> list[str]:
    return [post_names.get(key, key) for key in step.by]


def _who(step: RouteStep, post_names: Mapping[str, str]) -> Text:
    if ANYBODY in step.by:
        return T("{step}（在册人员）", step=step.label)
    return T("{step}（{posts}）", step=step.label, posts=_posts(step, post_names))
