"""The state of the system on a past day: agrees with a replay of the changes, in the company's time zone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.effect_schedule import EffectOrderError, PendingEffect
from controller.domain.library_day import ItemKind
from controller.file_formats.effect_file import EFFECT_FILE, read_effect, write_effect
from controller.services.files_in_force import FilesInForce
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
        (ItemKind.EXTERNAL, "外来文件清单", "A/0"),
    ]
    later = state(history).on(BEGIN.date() + timedelta(days=3))
    assert [item.kind for item in later.items] == [ItemKind.DOCUMENT, ItemKind.REGISTER, ItemKind.EXTERNAL]


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
        state(history).on(NOW.date(), known=NOW.date() + timedelta(days=1))
    with pytest.raises(DayBeforeWorkspaceError, match="2026-01-04"):
        state(history).on(NOW.date(), known=date(2026, 1, 4))
    assert state(history).on(NOW.date()).known == NOW
    assert state(history).on(NOW.date() + timedelta(days=400)).known == NOW


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


@dataclass
class Replay:
    """A company that approves, postpones and withdraws: its commits, and the plain list of what happened."""

    history: MemoryHistory = field(default_factory=MemoryHistory)
    states: list[tuple[datetime, str, dict[str, bytes]]] = field(default_factory=list)
    told: list[tuple[datetime, str, str, str | None, date]] = field(default_factory=list)
    """Moment, item, change, revision (None: withdrawn), first day."""

    def commit(self, moment: datetime, files: dict[str, bytes | None], change: str) -> None:
        self.history.commit(stamp(moment), files, statement=f"changes/{change}/0007" if change else "")
        content = {path: self.history.blobs[oid] for path, oid in self.history.present.items()}
        self.states.append((moment, self.history.commits[-1].commit, content))

    def governs(self, item: str, on: date, known: datetime) -> str | None:
        found: dict[str, tuple[str | None, date]] = {}
        for place, (moment, name, change, revision, day) in enumerate(self.told):
            if name == item and moment <= known:
                found[change or str(place)] = (revision, day)
        return next((revision for revision, day in reversed(found.values()) if day <= on), None)


@dataclass
class Committed:
    """Port `DatedFiles` over the commits of a replay, its newest commit being number `tip`."""

    replay: Replay
    tip: int

    def revision(self) -> str:
        return self.replay.states[self.tip][1]

    def _content(self, at: str | None) -> dict[str, bytes]:
        return next(content for _, commit, content in self.replay.states if commit == (at or self.revision()))

    def read(self, path: str, *, at: str | None = None) -> bytes | None:
        return self._content(at).get(path)

    def files(self, path: str, *, at: str | None = None) -> list[str]:
        return sorted(name for name in self._content(at) if name.startswith(f"{path}/"))

    def folders(self, path: str, *, at: str | None = None) -> list[str]:
        inside = (name.removeprefix(f"{path}/") for name in self.files(path, at=at))
        return sorted({name.split("/")[0] for name in inside if "/" in name})


ACTS = st.lists(
    st.tuples(
        st.integers(0, 5 * 24),
        st.sampled_from(["adopt", "approve", "approve", "approve", "postpone", "withdraw"]),
        st.sampled_from("AB"),
        st.integers(0, 9),
    ),
    min_size=1,
    max_size=12,
)


def described(number: str, revision: str) -> bytes:
    return f"number: {number}\ntitle: t\nrevision: {revision}\n".encode()


def replayed(acts: list[tuple[int, str, str, int]]) -> Replay:
    """Let the acts happen as far as the rules allow: what is under change control is adopted no more."""
    replay, moment = Replay(), BEGIN
    replay.commit(moment, {"procedures/OTHER/document.yml": described("OTHER", "A/0")}, "")
    under_control: set[str] = set()
    for place, (hours, kind, item, days) in enumerate(acts):
        moment += timedelta(hours=hours, seconds=1)
        path, today, change = f"procedures/{item}/document.yml", moment.date(), f"2026-{place:04d}"
        schedule = read_effect(replay.states[-1][2].get(EFFECT_FILE))
        waiting = schedule.of(item, today)
        present = path in replay.history.present
        if kind == "adopt":
            if item not in under_control:
                replay.commit(moment, {path: described(item, f"A/{place}")}, "")
                replay.told.append((moment, item, "", f"A/{place}", today))
        elif kind == "postpone":
            day = today + timedelta(days=2 * days)
            try:
                schedule, old = schedule.postponed(item, waiting[days % len(waiting)].change, day, today)
            except (EffectOrderError, ZeroDivisionError):
                continue
            replay.commit(moment, {EFFECT_FILE: write_effect(schedule)}, old.change)
            replay.told.append((moment, item, old.change, old.revision, day))
        elif (kind == "approve" or (present and not waiting)) and (present or item not in under_control):
            under_control.add(item)
            revision = f"A/{place}" if kind == "approve" else None
            day = today + timedelta(days=days)
            tip = replay.states[-1][1] if present else None
            folder = f"procedures/{item}"
            coming = PendingEffect((folder,), ItemKind.DOCUMENT, item, revision, day, tip, change)
            effect = write_effect(schedule.with_approved([coming], today))
            new = described(item, revision) if revision is not None else None
            replay.commit(moment, {path: new, EFFECT_FILE: effect}, change)
            replay.told.append((moment, item, change, revision, day))
    return replay


@given(ACTS, st.integers(-3, 60), st.integers(0, 60))
def test_any_pair_of_dates_agrees_with_a_replay_and_with_what_everybody_reads(
    acts: list[tuple[int, str, str, int]], true_on: int, known_on: int
) -> None:
    replay = replayed(acts)
    on, known_day = BEGIN.date() + timedelta(days=true_on), BEGIN.date() + timedelta(days=known_on)
    known = datetime.combine(known_day, time(23, 59, 59), ZONE)
    plain = {item: replay.governs(item, on, known) for item in "AB"}
    expected = {item: revision for item, revision in plain.items() if revision is not None}
    if on < BEGIN.date():
        with pytest.raises(DayBeforeWorkspaceError):
            state(replay.history).on(on, known=known_day)
        return
    told = state(replay.history).on(on, known=known_day).items
    assert {item.number: item.revision for item in told if item.number in "AB"} == expected
    # What governs a day was settled by the end of it: nothing is approved or postponed into the past.
    settled = min(known, datetime.combine(on, time(23, 59, 59), ZONE))
    tip = max(place for place, (moment, _, _) in enumerate(replay.states) if moment <= settled)
    files = FilesInForce(Committed(replay, tip), StandingClock(settled), on=on)
    read = {name: files.read(f"procedures/{name}/document.yml") for name in "AB"}
    assert read == {name: described(name, expected[name]) if name in expected else None for name in "AB"}
    assert files.folders("procedures") == sorted([*expected, "OTHER"])
