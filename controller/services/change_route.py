"""更改的签署路线. Who may submit, review and approve a change, and who stands in for whom (ISO 13485 4.2.4 a)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from controller.domain.route import ANYBODY, DEFAULT_ROUTE, RouteProblem, StepTaken, may_sign, stand_ins
from controller.domain.statement import Event
from controller.domain.text import T
from controller.services.document_signing import SamePersonError, SigningOrderError
from controller.services.staff_directory import PostNeededError

if TYPE_CHECKING:
    from controller.domain.change_request import ChangeRequest
    from controller.domain.errors import RefusedError
    from controller.domain.person import Staff
    from controller.domain.record import Signatory
    from controller.domain.route import Route, RouteAnswer, Routes, RouteStep
    from controller.services.document_exemption import DocumentExemption


class ChangeRoutes:
    """更改的签署路线."""

    def __init__(self, routes: Routes, staff: Staff, exemption: DocumentExemption) -> None:
        self._routes = routes
        self._staff = staff
        self._exemption = exemption

    def route(self, request: ChangeRequest) -> Route:
        """Return the route of a change: that of its items, or the general one where they have different ones."""
        found = {self._routes.for_document(item.class_word).key for item in request.items}
        key = found.pop() if len(found) == 1 else DEFAULT_ROUTE
        return self._routes.documents[key]

    def allowed(
        self, request: ChangeRequest, route: Route, meaning: str, by: Signatory
    ) -> tuple[RouteStep, bool, frozenset[str]]:
        """Return the step that `by` may sign now, whether only the exemption allows it, and who stands in.

        Raises:
            SigningOrderError, SamePersonError, PostNeededError: the route does not allow it.
        """
        stand_in = self.stand_in(request, route, meaning)
        person = self._staff.people.get(by.person)
        answer = may_sign(
            route,
            meaning,
            person=by.person,
            held=person.posts if person is not None else (),
            taken=[StepTaken(item.step, item.by.person, item.by.name) for item in request.counting],
            exempt=self._exemption.in_force() is not None,
            post_names=self._post_names(),
            stand_in=stand_in,
            authors=[StepTaken(route.steps[0].key, item.person, item.name) for item in request.drafters],
        )
        if answer.step is None or answer.why is not None:
            raise self._refusal(request, answer, by, stand_in)
        return answer.step, answer.exempted, stand_in

    def stand_in(self, request: ChangeRequest, route: Route, meaning: str) -> frozenset[str]:
        """Return the posts that may take a step because who drafted holds its post, and nobody else does."""
        step = route.step(meaning)
        if step is None or step is route.steps[0] or request.signed(Event.CHANGE_SUBMITTED) is None:
            return frozenset()
        drafters = {item.person for item in request.drafters}
        active = [person for person in self._staff.people.values() if person.active]
        owners = {item.owner for item in request.items}
        return stand_ins(
            step,
            drafter_held={post for person in active if person.id in drafters for post in person.posts},
            owner_posts=[key for key, post in self._staff.posts.items() if post.department in owners],
            left={post for person in active if person.id not in drafters for post in person.posts},
        )

    def in_post(self, by: Signatory, step: RouteStep, stand_in: frozenset[str]) -> Signatory:
        """Return the person in the post that allows the step, the main post where that does."""
        person = self._staff.people.get(by.person)
        names = self._post_names()
        allowed = [post for post in (person.posts if person is not None else ()) if post in {*step.by, *stand_in}]
        if not allowed or ANYBODY in step.by or by.post in {names.get(post) for post in allowed}:
            return by
        return replace(by, post=names.get(allowed[0], allowed[0]))

    def exemption(self) -> str | None:
        """Return the statement of the exemption that is in force."""
        found = self._exemption.in_force()
        return found.statement.text if found is not None else None

    def told_exemption(self) -> str:
        """Return the exemption in force in a line, as the forms want it."""
        found = self._exemption.in_force()
        return f"{found.by.name}签署的两人企业豁免，有效至 {found.until}：{found.reason}" if found is not None else ""

    def next_step(self, request: ChangeRequest) -> tuple[RouteStep, str] | None:
        """Return the step that is to be signed next and the posts that may, None when all are."""
        route = self.route(request)
        done = {item.step for item in request.counting}
        step = next((item for item in route.steps if item.key not in done), None)
        if step is None:
            return None
        posts = [*step.by, *sorted(self.stand_in(request, route, step.meaning))]
        names = self._post_names()
        return step, "在册人员" if ANYBODY in posts else "、".join(names.get(key, key) for key in posts)

    def _refusal(
        self, request: ChangeRequest, answer: RouteAnswer, by: Signatory, stand_in: frozenset[str]
    ) -> RefusedError:
        number = f"更改 {request.number}"
        if answer.problem is RouteProblem.POST and answer.step is not None:
            names = self._post_names()
            posts = [names.get(key, key) for key in (*answer.step.by, *sorted(stand_in))]
            act = T("{number} 的“{step}”", number=number, step=answer.step.label)
            return PostNeededError(act=act, name=by.name, posts=posts)
        why = answer.why if answer.why is not None else T("这一步不能签")
        kind = SamePersonError if answer.problem is RouteProblem.SAME_PERSON else SigningOrderError
        return kind(number=number, why=why, hint=answer.hint)

    def _post_names(self) -> dict[str, str]:
        return {key: post.name for key, post in self._staff.posts.items()}
