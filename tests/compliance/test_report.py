"""The page about compliance says what the tests show, no more and no less."""

from __future__ import annotations

from tests.compliance.report import PAGE, page, shown
from tests.compliance.requirements import PART11, REQUIREMENTS


def test_the_page_is_the_one_that_the_tests_make() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_requirement_has_a_test_or_is_the_companys_alone() -> None:
    tests = shown()
    assert [key for key, item in REQUIREMENTS.items() if bool(tests[key]) == item.alone] == []


def test_what_software_cannot_meet_is_said() -> None:
    assert [item.id for item in REQUIREMENTS.values() if item.alone and not item.company] == []


def test_all_34_phrases_are_there() -> None:
    assert [item.id for item in PART11] == [f"P11-{number:02d}" for number in range(1, 35)]


def test_every_proof_is_told_in_chinese() -> None:
    tests = [test for found in shown().values() for test in found]
    assert [test.__name__ for test in tests if not any("一" <= char <= "鿿" for char in test.__doc__ or "")] == []
