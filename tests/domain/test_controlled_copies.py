"""Copies are folded from their statements: numbers are given once, recalls wait for their day, two people destroy."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.controlled_copies import (
    ControlledCopy,
    CopyEvent,
    CopyState,
    CopyStateError,
    UnknownCopyError,
    check_follows,
    find_copy,
    fold_copies,
    next_copy,
)
from controller.domain.identifiers import Digest
from controller.domain.recall_standing import recall_standing
from controller.domain.record import Signatory
from controller.domain.signature import Origin
from controller.domain.statement import Event, Statement

if TYPE_CHECKING:
    from controller.domain.record import Wire

NUMBER = "XX-YLQXCX-014"
CHEN, SUN, WU = (
    Signatory("p003", "陈晓", "文件管理员"),
    Signatory("p007", "孙丽", "仓储养护员"),
    Signatory("p008", "吴涛", "质管员"),
)
DAY = date(2026, 12, 1)
BEFORE, AFTER = date(2026, 11, 30), date(2026, 12, 2)


def stated(
    event: Event, by: Signatory = CHEN, *, at: str = "2026-11-01T09:00:00+08:00", sequence: int = 1, **facts: Wire
) -> Statement:
    return Statement(
        workspace="w", site="main", chain=f"copies/{NUMBER}", sequence=sequence, previous=None, event=event, by=by,
        certificate=Digest.of(b""), origin=Origin("pc", "a", "s"), at=at, subject=NUMBER, new=facts,
    )  # fmt: skip


def issued(copy: str = "01", revision: str = "A/0") -> CopyEvent:
    return CopyEvent(
        stated(Event.COPY_ISSUED, copy=copy, revision=revision, department="质管部", holder="陈晓", medium="纸质")
    )


def of(copy: str, event: Event, by: Signatory = CHEN) -> CopyEvent:
    return CopyEvent(stated(event, by, copy=copy))


def fold(*events: CopyEvent) -> tuple[ControlledCopy, ...]:
    return fold_copies(NUMBER, events)


def test_a_number_given_before_is_not_given_again_whatever_became_of_the_copy() -> None:
    copies = fold(issued("01"), of("01", Event.COPY_RETURNED), issued("02", "A/1"))
    assert next_copy(copies) == "03"
    twice = fold(issued("01"), issued("01", "B/0"))
    assert [(item.copy, item.revision) for item in twice] == [("01", "A/0")]
    assert next_copy(fold(*(issued(f"{place:02d}") for place in range(1, 100)))) == "100"


def test_a_recall_by_a_change_waits_until_the_revision_governs_no_more() -> None:
    (copy,) = fold(
        issued(),
        of("01", Event.COPY_RECEIVED),
        CopyEvent(stated(Event.COPY_RECALLED, copies=["01"], change="2026-0001", effective=DAY.isoformat())),
    )
    assert copy.state(BEFORE, ["A/0", "A/1"]) is CopyState.RECEIVED
    assert copy.state(DAY, ["A/1"]) is CopyState.RECALLED
    assert copy.state(AFTER, ["A/0", "A/1"]) is CopyState.RECEIVED, "the change was postponed"
    assert copy.state(BEFORE) is CopyState.RECEIVED
    assert copy.state(AFTER) is CopyState.RECALLED


def test_a_recall_for_a_reason_of_its_own_is_due_though_the_revision_governs() -> None:
    (copy,) = fold(issued(), CopyEvent(stated(Event.COPY_RECALLED, copies=["01"], effective="2026-11-10")))
    assert copy.state(date(2026, 11, 9), ["A/0"]) is CopyState.ISSUED
    assert copy.state(date(2026, 11, 10), ["A/0"]) is CopyState.RECALLED


def test_a_copy_of_what_governs_no_more_must_come_back_though_nobody_recalled_it() -> None:
    (copy,) = fold(issued())
    assert copy.state(DAY, ["A/1"]) is CopyState.RECALLED
    assert copy.state(DAY, []) is CopyState.RECALLED
    assert copy.state(DAY, ["A/0"]) is CopyState.ISSUED


def test_a_destruction_counts_when_somebody_else_signed_it_too() -> None:
    destroyed = stated(Event.COPY_DESTROYED, SUN, copies=["01"], method="粉碎", record="XX-YLQXJL-005-2026-0001")
    back = (issued(), of("01", Event.COPY_RETURNED))
    for witnesses in ((), ("p007",)):
        (open_one,) = fold(*back, CopyEvent(destroyed, witnesses))
        assert open_one.unwitnessed
        assert open_one.last is CopyState.RETURNED
        for event in (Event.COPY_DESTROYED, Event.COPY_RETURNED):
            with pytest.raises(CopyStateError):
                check_follows(open_one, event, today=DAY, governing=[])
    (done,) = fold(*back, CopyEvent(destroyed, ("p007", "p008")))
    assert done.last is CopyState.DESTROYED
    assert not done.unwitnessed
    assert done.destruction is not None
    assert (done.destruction.by, done.destruction.witness) == (SUN, "p008")


def test_what_nobody_soundly_signed_and_what_does_not_follow_changes_nothing() -> None:
    lost = of("01", Event.COPY_LOST)
    forged = CopyEvent(lost.statement, sound=False)
    assert fold(issued(), forged) == fold(issued())
    assert fold(issued(), of("01", Event.COPY_DESTROYED, WU)) == fold(issued())
    assert fold(lost, of("07", Event.COPY_RETURNED)) == ()
    assert fold(CopyEvent(stated(Event.COPY_ISSUED, copy="x1", revision="A/0"))) == ()


def test_a_lost_copy_that_turns_up_comes_back_and_is_counted_once() -> None:
    events = [issued("01"), issued("02"), issued("03"), of("01", Event.COPY_LOST), of("02", Event.COPY_RETURNED)]
    recall = CopyEvent(stated(Event.COPY_RECALLED, copies=["03"], change="2026-0001", effective=DAY.isoformat()))
    copies = fold(*events, recall)
    standing = recall_standing(NUMBER, copies, today=DAY, governing=["A/1"])
    assert (standing.recalled, standing.back, standing.lost) == (3, 1, 1)
    assert [item.copy for item in standing.out] == ["03"]
    of_change = recall_standing(NUMBER, copies, today=DAY, governing=["A/1"], change="2026-0001")
    assert (of_change.recalled, of_change.back, of_change.complete) == (1, 0, False)
    found = fold(*events, recall, of("01", Event.COPY_RETURNED), of("03", Event.COPY_RETURNED))
    after = recall_standing(NUMBER, found, today=DAY, governing=["A/1"])
    assert (after.recalled, after.back, after.lost, after.complete) == (3, 3, 0, True)


def test_a_copy_that_was_lost_before_anything_was_recalled_is_counted_as_lost() -> None:
    copies = fold(issued("01"), issued("02"), of("01", Event.COPY_LOST))
    standing = recall_standing(NUMBER, copies, today=DAY, governing=["A/0"])
    assert (standing.recalled, standing.back, standing.lost) == (0, 0, 1)


def test_a_copy_is_found_by_its_number_with_or_without_zeros() -> None:
    copies = fold(issued("01"), issued("12"))
    assert find_copy(copies, NUMBER, "1").copy == "01"
    assert find_copy(copies, NUMBER, " 12 ").copy == "12"
    for wanted in ("3", "", "一", "１"):
        with pytest.raises(UnknownCopyError):
            find_copy(copies, NUMBER, wanted)


_EVENTS = st.sampled_from(
    [Event.COPY_RECEIVED, Event.COPY_RECALLED, Event.COPY_RETURNED, Event.COPY_LOST, Event.COPY_DESTROYED]
)


@given(st.lists(st.tuples(_EVENTS, st.integers(1, 4), st.booleans()), max_size=25), st.integers(1, 3))
def test_whatever_is_stated_copies_are_neither_made_nor_doubled_by_it(
    steps: list[tuple[Event, int, bool]], count: int
) -> None:
    begun = [issued(f"{place:02d}") for place in range(1, count + 1)]
    later = [
        CopyEvent(stated(event, SUN, copies=[f"{copy:02d}"]), ("p008",) if seen else ()) for event, copy, seen in steps
    ]
    copies = fold(*begun, *later)
    assert [item.copy for item in copies] == [f"{place:02d}" for place in range(1, count + 1)]
    for item in copies:
        assert (item.last is CopyState.DESTROYED) == (item.destruction is not None and not item.unwitnessed)
        allowed = []
        for event in (Event.COPY_RECEIVED, Event.COPY_RETURNED, Event.COPY_LOST, Event.COPY_DESTROYED):
            try:
                check_follows(item, event, today=DAY, governing=["A/0"])
            except CopyStateError:
                continue
            (after,) = [one for one in fold(*begun, *later, of(item.copy, event, WU)) if one.copy == item.copy]
            assert after != item
            allowed.append(event)
        assert not allowed or item.last is not CopyState.DESTROYED
