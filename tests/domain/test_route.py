"""Who may sign what in which order: different people, posts, and the exemption for companies with too few people."""

from __future__ import annotations

from datetime import date

import pytest

from controller.domain.route import Route, RouteProblem, RouteStep, StepTaken, may_sign, months_later

STEPS = (
    RouteStep("drafted", "起草", "起草", ("any",)),
    RouteStep("reviewed", "审核", "审核", ("quality_head",)),
    RouteStep("approved", "批准", "批准", ("general_manager",)),
)
ROUTE = Route("default", "体系文件审批", STEPS, different_people=(("drafted", "reviewed", "approved"),))
NAMES = {"quality_head": "质量负责人", "general_manager": "企业负责人"}
HEAD, MANAGER, BOTH = ("quality_head",), ("general_manager",), ("quality_head", "general_manager")


def answer(
    meaning: str,
    person: str,
    held: tuple[str, ...],
    taken: dict[str, str],
    *,
    exempt: bool = False,
    route: Route = ROUTE,
) -> tuple[RouteProblem | None, bool]:
    done = [StepTaken(step, who, who) for step, who in taken.items()]
    found = may_sign(route, meaning, person=person, held=held, taken=done, exempt=exempt, post_names=NAMES)
    assert (found.why is None) == (found.problem is None)
    return found.problem, found.exempted


@pytest.mark.parametrize(
    ("meaning", "person", "held", "taken", "problem"),
    [
        ("起草", "甲", (), {}, None),
        ("drafted", "甲", (), {}, None),
        ("会签", "甲", (), {}, RouteProblem.UNKNOWN),
        ("审核", "乙", HEAD, {}, RouteProblem.ORDER),
        ("批准", "丙", MANAGER, {"drafted": "甲"}, RouteProblem.ORDER),
        ("起草", "乙", (), {"drafted": "甲"}, RouteProblem.TAKEN),
        ("审核", "乙", (), {"drafted": "甲"}, RouteProblem.POST),
        ("审核", "乙", MANAGER, {"drafted": "甲"}, RouteProblem.POST),
        ("审核", "乙", HEAD, {"drafted": "甲"}, None),
        ("审核", "甲", HEAD, {"drafted": "甲"}, RouteProblem.SAME_PERSON),
        ("批准", "乙", BOTH, {"drafted": "甲", "reviewed": "乙"}, RouteProblem.SAME_PERSON),
        ("批准", "甲", BOTH, {"drafted": "甲", "reviewed": "乙"}, RouteProblem.SAME_PERSON),
        ("批准", "丙", MANAGER, {"drafted": "甲", "reviewed": "乙"}, None),
    ],
)
def test_a_step_is_signed_in_its_turn_by_the_right_post_and_another_person(
    meaning: str, person: str, held: tuple[str, ...], taken: dict[str, str], problem: RouteProblem | None
) -> None:
    assert answer(meaning, person, held, taken) == (problem, False)


def test_the_exemption_lets_the_drafter_review_and_says_so() -> None:
    assert answer("审核", "甲", HEAD, {"drafted": "甲"}, exempt=True) == (None, True)
    assert answer("审核", "乙", HEAD, {"drafted": "甲"}, exempt=True) == (None, False)


@pytest.mark.parametrize("taken", [{"drafted": "甲", "reviewed": "甲"}, {"drafted": "甲", "reviewed": "乙"}])
def test_the_drafter_never_approves_not_even_with_the_exemption(taken: dict[str, str]) -> None:
    assert answer("批准", "甲", BOTH, taken, exempt=True) == (RouteProblem.SAME_PERSON, False)


def test_the_drafter_never_approves_even_where_the_file_forgets_to_say_so() -> None:
    careless = Route("default", "体系文件审批", STEPS)
    taken = {"drafted": "甲", "reviewed": "乙"}
    assert answer("批准", "甲", BOTH, taken, route=careless) == (RouteProblem.SAME_PERSON, False)
    assert answer("批准", "乙", BOTH, taken, route=careless) == (None, False)


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [("2026-01-31", 1, "2026-02-28"), ("2028-01-31", 1, "2028-02-29"), ("2026-12-05", 12, "2027-12-05")],
)
def test_months_end_on_a_day_that_exists(day: str, months: int, later: str) -> None:
    assert months_later(date.fromisoformat(day), months) == date.fromisoformat(later)
