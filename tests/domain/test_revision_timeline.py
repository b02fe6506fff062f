"""Which revision was in force on a day, by what was known: agrees with a plain replay for any pair of dates."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from controller.domain.revision_timeline import RevisionEvent, RevisionTimeline

BEGIN = date(2026, 1, 1)
DAYS = st.integers(0, 40).map(lambda days: BEGIN + timedelta(days=days))
MOMENTS = st.integers(0, 40 * 24).map(lambda hours: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours))


def day(month: int, number: int) -> date:
    return date(2026, month, number)


def at(month: int, number: int) -> datetime:
    return datetime(2026, month, number, 9, tzinfo=UTC)


def governing(timeline: RevisionTimeline, on: date, known: datetime) -> str | None:
    found = timeline.in_force(on, known=known)
    return found.revision if found is not None else None


def test_a_future_day_switches_by_itself_and_the_old_revision_governs_until_then() -> None:
    events = (RevisionEvent(at(1, 5), "A/0"), RevisionEvent(at(3, 1), "A/1", day(4, 1), "2026-0001"))
    timeline = RevisionTimeline("XX-YLQXCX-014", events)
    found = [governing(timeline, on, at(3, 1)) for on in (day(1, 4), day(3, 31), day(4, 1))]
    assert found == [None, "A/0", "A/1"]
    assert governing(timeline, day(4, 1), at(2, 28)) == "A/0"
    assert [(item.revision, item.since, item.until) for item in timeline.periods()] == [
        ("A/0", day(1, 5), day(4, 1)),
        ("A/1", day(4, 1), None),
    ]


def test_a_postponed_revision_governs_from_the_day_that_was_stated_last() -> None:
    events = (
        RevisionEvent(at(1, 5), "A/0"),
        RevisionEvent(at(3, 1), "A/1", day(4, 1), "2026-0001"),
        RevisionEvent(at(3, 20), "A/1", day(5, 1), "2026-0001", moves=True),
    )
    timeline = RevisionTimeline("XX-YLQXCX-014", events)
    assert governing(timeline, day(4, 15), at(3, 10)) == "A/1"
    assert governing(timeline, day(4, 15), at(3, 20)) == "A/0"
    assert governing(timeline, day(5, 1), at(3, 20)) == "A/1"


def test_what_is_withdrawn_governs_until_its_last_day_once_that_is_known() -> None:
    events = (RevisionEvent(at(1, 5), "A/0"), RevisionEvent(at(2, 1), None, day(2, 10), "2026-0001"))
    timeline = RevisionTimeline("XX-YLQXCX-014", events)
    assert governing(timeline, day(2, 9), at(2, 1)) == "A/0"
    assert governing(timeline, day(2, 10), at(2, 1)) is None
    assert governing(timeline, day(2, 10), at(1, 31)) == "A/0"


def test_a_revision_that_a_later_one_overtakes_never_governs() -> None:
    events = (
        RevisionEvent(at(1, 5), "A/0"),
        RevisionEvent(at(2, 1), "A/1", day(3, 1), "2026-0001"),
        RevisionEvent(at(2, 5), "A/2", day(2, 20), "2026-0002"),
    )
    timeline = RevisionTimeline("XX-YLQXCX-014", events)
    assert [governing(timeline, on, at(2, 6)) for on in (day(2, 19), day(2, 20), day(3, 1))] == ["A/0", "A/2", "A/2"]


@given(
    st.lists(st.tuples(MOMENTS, st.none() | DAYS, st.sampled_from(["comes", "withdrawn", "moved"])), max_size=10),
    DAYS,
    MOMENTS,
)
def test_it_agrees_with_a_replay_of_the_events_day_by_day(
    told: list[tuple[datetime, date | None, str]], on: date, known: datetime
) -> None:
    told.sort(key=lambda item: item[0])
    events: list[RevisionEvent] = []
    replayed: dict[str, tuple[str | None, date]] = {}
    for place, (moment, begins, kind) in enumerate(told):
        change = f"2026-{place:04d}"
        if kind == "moved":
            if not events:
                continue
            change = events[-1].change
            events.append(RevisionEvent(moment, events[-1].revision, begins, change, moves=True))
        else:
            events.append(RevisionEvent(moment, f"A/{place}" if kind == "comes" else None, begins, change))
        if moment <= known:
            revision = replayed[change][0] if kind == "moved" else events[-1].revision
            replayed[change] = (revision, begins or moment.date())
    governs = None
    for revision, first in replayed.values():
        if first <= on:
            governs = revision
    assert governing(RevisionTimeline("N", tuple(events)), on, known) == governs
    periods = RevisionTimeline("N", tuple(events)).periods(known)
    held = [item for item in periods if item.since <= on and (item.until is None or on < item.until)]
    assert [item.revision for item in held] == ([governs] if any(day <= on for _, day in replayed.values()) else [])
