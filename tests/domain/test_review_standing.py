"""When a document is to be reviewed next: after the company's months, or sooner when something it cites is void."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.document_control_rules import DocumentControlRules
from controller.domain.identifiers import Digest
from controller.domain.record import Signatory
from controller.domain.review_standing import LapsedBasis, Outcome, ReviewStanding, review_standing, reviews_of
from controller.domain.signature import Origin
from controller.domain.statement import Event, Statement

if TYPE_CHECKING:
    from controller.domain.record import Wire

NUMBER = "XX-YLQXCX-014"
RULES = DocumentControlRules(review_months=12, law_change_days=30)
LIN = Signatory("p002", "林静", "质量负责人")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00+08:00")


def reviewed(at: str, outcome: Wire = "继续有效", revision: str = "A/0", *, by: Signatory | None = LIN) -> Statement:
    return Statement(
        workspace="w", site="main", chain=f"reviews/{NUMBER}", sequence=1, previous=None,
        event=Event.DOCUMENT_REVIEWED, by=by, certificate=Digest.of(b""), origin=Origin("pc", "a", "s"),
        at=moment(at).isoformat(), subject=NUMBER, new={"outcome": outcome, "revision": revision},
    )  # fmt: skip


def standing(begun: str, *reviews: Statement, lapsed: str = "", made: str = "") -> ReviewStanding:
    gone = [LapsedBasis("WL-R3", "医疗器械经营质量管理规范", moment(lapsed))] if lapsed else []
    return review_standing(
        NUMBER, "售后", "A/0",
        begun=moment(begun), made=moment(made or begun), reviews=reviews_of(reviews), lapsed=gone, rules=RULES,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("begun", "reviews", "due"),
    [
        ("2026-01-05T09:00", [], date(2027, 1, 5)),
        ("2024-02-29T09:00", [], date(2025, 2, 28)),
        ("2026-01-05T09:00", ["2026-12-01T10:00"], date(2027, 12, 1)),
        ("2026-01-05T09:00", ["2026-06-01T10:00", "2026-12-01T10:00"], date(2027, 12, 1)),
        ("2026-03-01T00:00", ["2025-12-01T10:00"], date(2027, 3, 1)),
    ],
)
def test_the_next_review_is_some_months_after_the_last_look(begun: str, reviews: list[str], due: date) -> None:
    found = standing(begun, *(reviewed(at) for at in reviews))
    assert found.due == due
    assert found.overdue(due) == 0
    assert found.overdue(due + timedelta(days=3)) == 3


def test_a_law_that_is_void_makes_the_review_due_until_somebody_looked() -> None:
    found = standing("2026-01-05T09:00", lapsed="2026-07-01T09:00")
    assert found.due == date(2026, 7, 31)
    assert "《医疗器械经营质量管理规范》" in str(found.told(12))
    before = standing("2026-01-05T09:00", reviewed("2026-06-30T09:00"), lapsed="2026-07-01T09:00")
    assert before.due == date(2026, 7, 31)
    after = standing("2026-01-05T09:00", reviewed("2026-07-01T09:01"), lapsed="2026-07-01T09:00")
    assert (after.due, after.lapsed) == (date(2027, 7, 1), ())
    revised = standing("2026-08-01T00:00", lapsed="2026-07-01T09:00")
    assert (revised.due, revised.lapsed) == (date(2027, 8, 1), ())


def test_a_revision_that_was_approved_before_the_law_fell_was_not_made_knowing_of_it() -> None:
    waiting = standing("2026-08-01T00:00", made="2026-06-20T09:00", lapsed="2026-07-01T09:00")
    assert waiting.due == date(2026, 7, 31)
    assert standing("2026-08-01T00:00", made="2026-07-02T09:00", lapsed="2026-07-01T09:00").lapsed == ()


def test_a_law_that_was_void_when_the_document_came_is_told() -> None:
    assert standing("2026-01-05T09:00", lapsed="2026-01-05T09:00").due == date(2026, 2, 4)


def test_a_law_never_makes_a_review_later() -> None:
    assert standing("2026-01-05T09:00", lapsed="2026-12-31T09:00").due == date(2027, 1, 5)


def test_a_review_that_came_to_a_change_stays_open_until_another_revision_is_in_force() -> None:
    for outcome in (Outcome.REVISE, Outcome.WITHDRAW):
        found = standing("2026-01-05T09:00", reviewed("2026-06-01T09:00", outcome.value))
        assert found.undone is outcome
        assert outcome.value in str(found.told(12))
    kept = standing("2026-01-05T09:00", reviewed("2026-06-01T09:00", "修订"), reviewed("2026-06-02T09:00"))
    assert kept.undone is None
    assert standing("2026-01-05T09:00", reviewed("2026-06-01T09:00", "修订", "A/1")).undone is None


def test_what_makes_no_sense_is_no_review() -> None:
    nonsense = [reviewed("2026-06-01T09:00", None), reviewed("2026-06-01T09:00", "很好")]
    assert reviews_of([*nonsense, reviewed("2026-06-01T09:00", by=None)]) == ()
