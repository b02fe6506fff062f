"""Who counts as drafter of a change: everybody whose edits are in the draft, whoever submits it."""

from __future__ import annotations

import pytest

from controller.domain.route import Route, RouteProblem, RouteStep, StepTaken, may_sign, stand_ins

STEPS = (
    RouteStep("drafted", "起草", "起草", ("any",)),
    RouteStep("reviewed", "审核", "审核", ("quality_head",), ("quality_officer", "owner")),
    RouteStep("approved", "批准", "批准", ("general_manager",)),
)
ROUTE = Route("default", "体系文件审批", STEPS, different_people=(("drafted", "reviewed", "approved"),))
NAMES = {"quality_head": "质量负责人", "general_manager": "企业负责人"}


@pytest.mark.parametrize(
    ("meaning", "person", "exempt", "problem", "told"),
    [
        ("审核", "乙", False, RouteProblem.SAME_PERSON, "乙改过草稿"),
        ("审核", "乙", True, None, ""),
        ("审核", "甲", False, RouteProblem.SAME_PERSON, "甲已签“起草”"),
        ("审核", "丁", False, None, ""),
    ],
)
def test_whoever_edited_reviews_only_under_the_exemption(
    meaning: str, person: str, problem: RouteProblem | None, told: str, *, exempt: bool
) -> None:
    signed = StepTaken("drafted", "甲", "甲")
    found = may_sign(
        ROUTE, meaning, person=person, held=("quality_head",), taken=[signed], exempt=exempt, post_names=NAMES,
        authors=[signed, StepTaken("drafted", "乙", "乙")],
    )  # fmt: skip
    assert (found.problem, found.exempted) == (problem, exempt and person == "乙")
    assert told in str(found.why or "")


def test_whoever_edited_never_approves_and_is_told_the_way_out() -> None:
    taken = [StepTaken("drafted", "甲", "甲"), StepTaken("reviewed", "乙", "乙")]
    found = may_sign(
        ROUTE, "批准", person="丙", held=("general_manager",), taken=taken, exempt=True, post_names=NAMES,
        authors=[StepTaken("drafted", "丙", "丙")],
    )  # fmt: skip
    assert found.problem is RouteProblem.SAME_PERSON
    assert "qms change cancel" in str(found.hint)


@pytest.mark.parametrize(
    ("drafter", "left", "expected"),
    [
        (("quality_head",), (), {"quality_officer", "general_office"}),
        (("quality_head",), ("quality_head",), set()),
        (("quality_officer",), (), set()),
    ],
)
def test_another_post_stands_in_only_when_who_drafted_is_the_only_holder(
    drafter: tuple[str, ...], left: tuple[str, ...], expected: set[str]
) -> None:
    assert stand_ins(STEPS[1], drafter_held=drafter, owner_posts=("general_office",), left=left) == expected
