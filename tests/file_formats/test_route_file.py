"""`signatures/routes.yml`: the starter library's routes, and every mistake told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.file_formats.route_file import RouteFileError, read_routes

GOOD = """\
format: wenkong/routes/1
documents:
  default:
    label: 审批
    applies_to: [程序]
    steps:
      - {step: drafted, label: 起草, meaning: 起草, by: [any]}
      - {step: approved, label: 批准, meaning: 批准, by: [general_manager]}
    different_people: [[drafted, approved]]
    within: {approved: 5 workdays}
exemption:
  label: 豁免
  signed_by: [general_manager]
  text: 人员不足。
  valid_months: 6
"""
POSTS = ("general_manager", "quality_head")


def test_the_starter_library_is_drafted_reviewed_and_approved_by_three_people() -> None:
    routes = read_routes((Path(__file__).parents[2] / "signatures" / "routes.yml").read_text(encoding="utf-8"))
    route = routes.for_document("程序")
    assert [step.meaning for step in route.steps] == ["起草", "审核", "批准"]
    assert len(route.apart()) == 3
    assert routes.for_document("手册") == routes.documents["default"]
    assert routes.exemption is not None
    assert routes.exemption.valid_months == 12


def test_a_good_file_is_read() -> None:
    routes = read_routes(GOOD, posts=POSTS)
    assert routes.documents["default"].within == {"approved": "5 workdays"}
    assert routes.documents["default"].step("批准") == routes.documents["default"].steps[1]


@pytest.mark.parametrize(
    ("old", "new", "told", "line"),
    [
        ("wenkong/routes/1", "wenkong/routes/9", "format 应为", 1),
        ("  default:", "  usual:", "缺少 default 路线", 2),
        ("step: approved", "step: drafted", "step 重复", 6),
        ("meaning: 批准", "meaning: 起草", "meaning 重复", 6),
        ("step: drafted", "step: Drafted!", "不可用", 7),
        ("by: [general_manager]}", "by: [general_manger]}", "不在岗位文件中", 8),
        ("by: [general_manager]}", "by: []}", "至少写一个岗位键", 8),
        ("[[drafted, approved]]", "[[drafted]]", "different_people", 9),
        ("[[drafted, approved]]", "[[drafted, signed]]", "different_people", 9),
        ("5 workdays", "soon", "时限不可用", 10),
        ("valid_months: 6", "valid_months: 13", "1 到 12", 15),
        ("    applies_to", "    aplies_to", "不认识的键", 5),
    ],
)
def test_a_mistake_is_told_with_its_line(old: str, new: str, told: str, line: int) -> None:
    with pytest.raises(RouteFileError) as caught:
        read_routes(GOOD.replace(old, new, 1), posts=POSTS)
    assert any(told in str(finding.message) and finding.line == line for finding in caught.value.findings), [
        (str(finding.message), finding.line) for finding in caught.value.findings
    ]


@pytest.mark.parametrize("text", ["", "[]", "format: [", "format: wenkong/routes/1\ndocuments: 3\n"])
def test_what_is_no_routes_file_is_refused(text: str) -> None:
    with pytest.raises(RouteFileError):
        read_routes(text)
