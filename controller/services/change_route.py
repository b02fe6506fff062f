"""更改的签署路线. Who may submit, review and approve a change, and who stands in for whom (ISO 13485 4.2.4 a)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.route import ANYBODY, DEFAULT_ROUTE, StepTaken, stand_ins
from controller.domain.statement import Event

if TYPE_CHECKING:
    from controller.domain.change_request import ChangeRequest
    from controller.domain.record import Signatory
    from controller.domain.route import Route, Routes, RouteStep
    from controller.services.route_permission import RoutePermission


class ChangeRoutes:
    """更改的签署路线."""

    def __init__(self, routes: Routes, permission: RoutePermission) -> None:
        self._routes = routes
        self._permission = permission

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
        step, exempted = self._permission.allowed(
            f"更改 {request.number}",
            route,
            meaning,
            by,
            taken=[StepTaken(item.step, item.by.person, item.by.name) for item in request.counting],
            authors=[StepTaken(route.steps[0].key, item.person, item.name) for item in request.drafters],
            stand_in=stand_in,
        )
        return step, exempted, stand_in

    def stand_in(self, request: ChangeRequest, route: Route, meaning: str) -> frozenset[str]:
        """Return the posts that may take a step because who drafted holds its post, and nobody else does."""
        step = route.step(meaning)
        if step is None or step is route.steps[0] or request.signed(Event.CHANGE_SUBMITTED) is None:
            return frozenset()
        drafters = {item.person for item in request.drafters}
        active = [person for person in self._permission.staff.people.values() if person.active]
        owners = {item.owner for item in request.items}
        return stand_ins(
            step,
            drafter_held={post for person in active if person.id in drafters for post in person.posts},
            owner_posts=[key for key, post in self._permission.staff.posts.items() if post.department in owners],
            left={post for person in active if person.id not in drafters for post in person.posts},
        )

    def in_post(self, by: Signatory, step: RouteStep, stand_in: frozenset[str]) -> Signatory:
        """Return the person in the post that allows the step, the main post where that does."""
        return self._permission.in_post(by, step, stand_in)

    def exemption(self) -> str | None:
        """Return the statement of the exemption that is in force."""
        found = self._permission.exemption.in_force()
        return found.statement.text if found is not None else None

    def told_exemption(self) -> str:
        """Return the exemption in force in a line, as the forms want it."""
        found = self._permission.exemption.in_force()
        return f"{found.by.name}签署的两人企业豁免，有效至 {found.until}：{found.reason}" if found is not None else ""

    def next_step(self, request: ChangeRequest) -> tuple[RouteStep, str] | None:
        """Return the step that is to be signed next and the posts that may, None when all are."""
        route = self.route(request)
        done = {item.step for item in request.counting}
        step = next((item for item in route.steps if item.key not in done), None)
        if step is None:
            return None
        posts = [*step.by, *sorted(self.stand_in(request, route, step.meaning))]
        names = self._permission.post_names()
        return step, "在册人员" if ANYBODY in posts else "、".join(names.get(key, key) for key in posts)
