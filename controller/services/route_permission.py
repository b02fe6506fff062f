"""签署权限. Whether somebody may take a step of a signing route, in which post, or why not (ISO 13485 4.2.4 a).

Serves documents and changes alike; which signatures count already is for them to say.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller.domain.errors import RefusedError
from controller.domain.route import ANYBODY, RouteProblem, may_sign
from controller.domain.text import T
from controller.services.staff_directory import PostNeededError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.domain.person import Staff
    from controller.domain.record import Signatory
    from controller.domain.route import Route, RouteAnswer, RouteStep, StepTaken
    from controller.domain.text import Text
    from controller.services.document_exemption import DocumentExemption


class SigningOrderError(RefusedError):
    """不能这样签署. Another step comes first, the step is signed already, or the route has no such step."""

    code = "signing-order"

    def __init__(self, *, number: str, why: Text, hint: Text | None) -> None:
        super().__init__(T("{number}：{why}。", number=number, why=why), hint=hint)


class SamePersonError(RefusedError):
    """须由不同的人签署. The person has signed a step that this one must be kept apart from."""

    code = "signing-same-person"
    unauthorised = True

    def __init__(self, *, number: str, why: Text, hint: Text | None) -> None:
        super().__init__(T("{number}：{why}。", number=number, why=why), hint=hint)


@dataclass(frozen=True)
class RoutePermission:
    """签署权限."""

    staff: Staff
    exemption: DocumentExemption

    def allowed(
        self,
        subject: str,
        route: Route,
        meaning: str,
        by: Signatory,
        *,
        taken: Sequence[StepTaken],
        authors: Sequence[StepTaken] = (),
        stand_in: frozenset[str] = frozenset(),
    ) -> tuple[RouteStep, bool]:
        """Return the step of `route` that `by` may sign now, and whether only the exemption allows it.

        Args:
            subject: what is signed, as messages call it.
            route: the route.
            meaning: meaning, label or key of the step.
            by: who wants to sign.
            taken: the steps that are signed and count.
            authors: people whose edits are in what is signed, each as if he had taken the named step.
            stand_in: posts that may take the step besides its own.

        Raises:
            SigningOrderError, SamePersonError, PostNeededError: the route does not allow it.
        """
        answer = may_sign(
            route,
            meaning,
            person=by.person,
            held=self._held(by),
            taken=taken,
            exempt=self.exemption.in_force() is not None,
            post_names=self.post_names(),
            stand_in=stand_in,
            authors=authors,
        )
        if answer.step is None or answer.why is not None:
            raise self._refusal(subject, answer, by, stand_in)
        return answer.step, answer.exempted

    def in_post(self, by: Signatory, step: RouteStep, stand_in: frozenset[str] = frozenset()) -> Signatory:
        """Return the person in the post that allows the step, the main post where that does."""
        names = self.post_names()
        allowed = [post for post in self._held(by) if post in {*step.by, *stand_in}]
        if not allowed or ANYBODY in step.by or by.post in {names.get(post) for post in allowed}:
            return by
        return replace(by, post=names.get(allowed[0], allowed[0]))

    def post_names(self) -> dict[str, str]:
        """Return post key → name."""
        return {key: post.name for key, post in self.staff.posts.items()}

    def _held(self, by: Signatory) -> Sequence[str]:
        person = self.staff.people.get(by.person)
        return person.posts if person is not None else ()

    def _refusal(self, subject: str, answer: RouteAnswer, by: Signatory, stand_in: frozenset[str]) -> RefusedError:
        if answer.problem is RouteProblem.POST and answer.step is not None:
            names = self.post_names()
            posts = [names.get(key, key) for key in (*answer.step.by, *sorted(stand_in))]
            act = T("{number} 的“{step}”", number=subject, step=answer.step.label)
            return PostNeededError(act=act, name=by.name, posts=posts)
        why = answer.why if answer.why is not None else T("这一步不能签")
        kind = SamePersonError if answer.problem is RouteProblem.SAME_PERSON else SigningOrderError
        return kind(number=subject, why=why, hint=answer.hint)
