"""The state of the system on a past day: agrees with a replay of the changes, in the company's time zone."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.library_day import ItemKind
from controller.services.library_state import DayBeforeWorkspaceError, DayInFutureError, LibraryState
from tests.conftest import StandingClock
from tests.memory_archive import MemoryArchive
from tests.memory_history import MemoryHistory

ZONE = ZoneInfo("Asia/Shanghai")
BEGIN = datetime(2026, 1, 5, 9, tzinfo=ZONE)
NOW = BEGIN + timedelta(days=60)
PATH = "procedures/XX-YLQXCX-001/document.yml"


def control(revision: str, title: str = "文件控制程序") -> bytes:
    return f"format: wenkong/document/1\nnumber: XX-YLQXCX-001\ntitle: {title}\nrevision: {revision}\n".encode()


def stamp(moment: datetime) -> int:
    return int(moment.timestamp())


def state(history: MemoryHistory) -> LibraryState:
    return LibraryState(history, MemoryArchive(), StandingClock(NOW), ZONE)


def test_a_day_ends_at_midnight_of_the_company() -> None:
    history = MemoryHistory()
    history.commit(stamp(BEGIN), {PATH: control("A/0")})
    history.commit(stamp(datetime(2026, 1, 20, 23, 59, 59, tzinfo=ZONE)), {PATH: control("A/1", "文件管理程序")})
    history.commit(stamp(datetime(2026, 1, 21, 0, 0, 0, tzinfo=ZONE)), {PATH: control("A/2")})
    found = {day: state(history).on(date(2026, 1, day)).items for day in (19, 20, 21)}
    assert [(items[0].revision, items[0].title) for items in found.values()] == [
        ("A/0", "文件控制程序"),
        ("A/1", "文件管理程序"),
        ("A/2", "文件控制程序"),
    ]


def test_forms_and_registers_belong_to_it_and_what_was_taken_away_does_not() -> None:
    history = MemoryHistory()
    form = "templates/forms/XX-YLQXJL-001/form.yml"
    register = "templates/registers/TZ-01/register.yml"
    history.commit(
        stamp(BEGIN),
        {
            PATH: control("A/0"),
            "procedures/external_documents.yml": b"format: x\n",
            form: "number: XX-YLQXJL-001\ntitle: '审批: 表'\nrevision: A/0\n".encode(),
            register: "number: XX-YLQXTZ-01\ntitle:\n  清单\nrevision: B/2\n".encode(),
        },
    )
    history.commit(stamp(BEGIN + timedelta(days=3)), {form: None})
    first = state(history).on(BEGIN.date())
    assert [(item.kind, item.title, item.revision) for item in first.items] == [
        (ItemKind.DOCUMENT, "文件控制程序", "A/0"),
        (ItemKind.FORM, "审批: 表", "A/0"),
        (ItemKind.REGISTER, "清单", "B/2"),
    ]
    later = state(history).on(BEGIN.date() + timedelta(days=3))
    assert [item.kind for item in later.items] == [ItemKind.DOCUMENT, ItemKind.REGISTER]


def test_gap_notes_for_the_screen_are_no_change_of_a_document() -> None:
    history = MemoryHistory()
    history.commit(stamp(BEGIN), {PATH: control("A/0")})
    before = state(history).on(NOW.date()).items
    history.commit(stamp(BEGIN + timedelta(days=1)), {"procedures/XX-YLQXCX-001/notes.yml": b"notes: []\n"})
    assert state(history).on(NOW.date()).items == before


def test_days_that_cannot_be_known_are_refused() -> None:
    history = MemoryHistory()
    history.commit(stamp(BEGIN), {PATH: control("A/0")})
    with pytest.raises(DayBeforeWorkspaceError, match="2026-01-04"):
        state(history).on(date(2026, 1, 4))
    with pytest.raises(DayInFutureError, match="公司时间今天是"):
        state(history).on(NOW.date() + timedelta(days=1))
    assert state(history).on(NOW.date()).known == NOW


@given(
    st.lists(
        st.tuples(st.integers(1, 59 * 24), st.sampled_from(["A", "B"]), st.sampled_from(["A/0", "A/1", "B/0", None])),
        max_size=12,
    ),
    st.integers(0, 60),
)
def test_any_day_agrees_with_a_plain_replay(events: list[tuple[int, str, str | None]], days: int) -> None:
    events.sort(key=lambda event: event[0])
    history = MemoryHistory()
    history.commit(stamp(BEGIN), {PATH: control("A/0")})
    day = BEGIN.date() + timedelta(days=days)
    expected: dict[str, str] = {"XX-YLQXCX-001": "A/0"}
    for hours, name, revision in events:
        path = f"procedures/XX-YLQXCX-10{name}/document.yml"
        if revision is None and path not in history.present:
            continue
        at = BEGIN + timedelta(hours=hours)
        text = f"number: 10{name}\ntitle: t\nrevision: {revision}\n".encode()
        history.commit(stamp(at), {path: None if revision is None else text})
        if at.date() <= day and at <= NOW:
            expected.pop(f"10{name}", None)
            if revision is not None:
                expected[f"10{name}"] = revision
    assert {item.number: item.revision for item in state(history).on(day).items} == expected
