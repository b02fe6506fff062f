"""Which revision was in force on a day, by what was known: agrees with a plain replay for any pair of dates."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from controller.domain.revision_timeline import RevisionPeriod, RevisionTimeline

BEGIN = date(2026, 1, 1)
DAYS = st.integers(0, 40).map(lambda days: BEGIN + timedelta(days=days))
MOMENTS = st.integers(0, 40 * 24).map(lambda hours: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours))


def test_a_future_day_switches_by_itself_and_the_old_revision_governs_until_then() -> None:
    known = datetime(2026, 3, 1, 9, tzinfo=UTC)
    periods = (
        RevisionPeriod("A/0", datetime(2026, 1, 5, tzinfo=UTC)),
        RevisionPeriod("A/1", known, effective=date(2026, 4, 1)),
    )
    timeline = RevisionTimeline("XX-YLQXCX-014", periods)
    found = [timeline.in_force(date(2026, month, day), known=known) for month, day in ((1, 4), (3, 31), (4, 1))]
    assert [item.revision if item else None for item in found] == [None, "A/0", "A/1"]
    earlier = timeline.in_force(date(2026, 4, 1), known=known - timedelta(days=1))
    assert earlier is not None
    assert earlier.revision == "A/0"


def test_what_was_withdrawn_is_in_force_no_longer_once_that_is_known() -> None:
    told = datetime(2026, 2, 1, tzinfo=UTC)
    period = RevisionPeriod("A/0", datetime(2026, 1, 5, tzinfo=UTC), ended=date(2026, 2, 1), ended_known=told)
    timeline = RevisionTimeline("XX-YLQXCX-014", (period,))
    assert timeline.in_force(date(2026, 2, 1), known=told) is None
    assert timeline.in_force(date(2026, 2, 1), known=told - timedelta(hours=1)) is period
    assert timeline.in_force(date(2026, 1, 31), known=told) is period


@given(st.lists(st.tuples(MOMENTS, st.none() | DAYS), max_size=8), DAYS, MOMENTS)
def test_it_agrees_with_a_replay_of_the_events_day_by_day(
    events: list[tuple[datetime, date | None]], on: date, known: datetime
) -> None:
    events.sort(key=lambda event: event[0])
    periods = tuple(RevisionPeriod(f"A/{place}", at, day) for place, (at, day) in enumerate(events))
    governs = None
    for period, (at, day) in zip(periods, events, strict=True):
        if at <= known and (day or at.date()) <= on:
            governs = period
    assert RevisionTimeline("N", periods).in_force(on, known=known) is governs
