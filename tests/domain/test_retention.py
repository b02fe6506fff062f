"""How long records are kept, and the reason in words."""

from __future__ import annotations

from datetime import date

import pytest

from controller.domain.retention import FromEvent, RetentionClass, RetentionRules, Span, retention_of

RULES = RetentionRules(expiry_fields=("exp_date", "items.exp_date"), warranty_fields=("warranty_to",))
SALE = RetentionClass(
    "sale",
    "销售记录",
    expiry_plus=Span(2, "y"),
    warranty_plus=Span(2, "y"),
    least=Span(5, "y"),
    permanent_if="is_implant",
)
STAFF = RetentionClass(
    "staff", "人员档案", from_event=FromEvent("离职", ("left_on",), Span(5, "y")), least=Span(5, "y")
)
OPENED = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("values", "until"),
    [
        ({}, date(2031, 3, 1)),
        ({"exp_date": date(2028, 2, 29)}, date(2031, 3, 1)),
        ({"exp_date": date(2032, 2, 29)}, date(2034, 2, 28)),
        (
            {"items": [{"exp_date": date(2030, 1, 1)}, {"exp_date": None}, {"exp_date": date(2033, 6, 30)}]},
            date(2035, 6, 30),
        ),
        ({"exp_date": date(2030, 1, 1), "warranty_to": date(2031, 12, 31)}, date(2033, 12, 31)),
        ({"is_implant": False}, date(2031, 3, 1)),
    ],
)
def test_the_latest_of_all_dates_wins(values: dict[str, object], until: date) -> None:
    assert retention_of(RULES, SALE, values, opened_on=OPENED).until == until


def test_an_implant_is_kept_for_ever() -> None:
    kept = retention_of(RULES, SALE, {"is_implant": True, "exp_date": date(2027, 1, 1)}, opened_on=OPENED)
    assert kept.permanent
    assert kept.until is None


def test_an_unanswered_question_keeps_the_record_until_it_is_answered() -> None:
    kept = retention_of(RULES, SALE, {"is_implant": None}, opened_on=OPENED)
    assert not kept.permanent
    assert not kept.known


def test_a_personnel_file_waits_for_the_person_to_leave() -> None:
    assert not retention_of(RULES, STAFF, {"left_on": None}, opened_on=OPENED).known
    gone = retention_of(RULES, STAFF, {"left_on": date(2030, 6, 30)}, opened_on=OPENED)
    assert gone.until == date(2035, 6, 30)


def test_the_explanation_says_every_part_that_was_weighed() -> None:
    kept = retention_of(RULES, SALE, {"exp_date": date(2030, 1, 1)}, opened_on=OPENED)
    assert str(kept.explanation) == (
        "销售记录：保存至 2032-01-01（失效日期 2030-01-01 之后 2 年、记录日期 2026-03-01 起不少于 5 年，取最晚）"
    )


def test_months_and_days_are_counted_by_the_calendar() -> None:
    assert Span(18, "m").after(date(2026, 8, 31)) == date(2028, 2, 29)
    assert Span(90, "d").after(date(2026, 1, 1)) == date(2026, 4, 1)
    assert Span(9000, "y").after(date(2026, 1, 1)) == date.max
