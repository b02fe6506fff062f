"""Which regular expressions a form may use."""

from __future__ import annotations

import pytest

from controller.domain.pattern_safety import pattern_problem


@pytest.mark.parametrize(
    "regex",
    [
        r"[一-龥]{1,3}械(注(准|进|许)\d{11}|备\d{8})号?",
        r"[A-Za-z0-9]{1,10}(-[A-Za-z0-9]{1,20}){1,4}",
        r"1\d{10}|0\d{2,3}-?\d{7,8}",
        r"\d+(\.\d{1,2})?",
        r"[^\]()]*",
        r"20\d\d(H[12]|Q[1-4])?",
    ],
)
def test_ordinary_number_formats_are_accepted(regex: str) -> None:
    assert pattern_problem(regex) is None


@pytest.mark.parametrize(
    "regex",
    [
        "(a+)+",
        "(a|a)*b",
        "((a{1,30})+)+",
        "(x*){20}",
        "[a]{1,40}" * 6,
        "a?" * 40 + "a" * 40,
        ".*.*.*.*.*x",
        r"(a)\1",
        "(?=a)a",
        "(?P<n>a)",
        "(",
        "a{1,2}{3}",
        "[a",
    ],
)
def test_patterns_that_can_run_for_minutes_or_are_broken_are_refused(regex: str) -> None:
    assert pattern_problem(regex) is not None
