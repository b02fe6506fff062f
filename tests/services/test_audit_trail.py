"""The audit trail: entries and statements of every chain in order of time, told in words."""

from __future__ import annotations

import gc
import tracemalloc
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.adapters.sorted_spool import SqliteSpool
from controller.domain.identifiers import Digest, RecordNumber
from controller.domain.record import Act, Entry, Signatory, Wire
from controller.domain.register import Period
from controller.domain.signature import Origin
from controller.domain.statement import Event, Statement, statement_path
from controller.domain.trail_event import (
    EVENT_LABELS,
    TrailFilter,
    UnknownTrailActionError,
    concerns,
    find_action,
    new_values,
    old_values,
    one_line,
)
from controller.file_formats.entry_file import encode_entry
from controller.file_formats.form_file import read_form
from controller.file_formats.sealed_file import salted, seal
from controller.file_formats.statement_file import encode_statement
from controller.services.archived_forms import ArchivedForms
from controller.services.audit_trail import AuditTrail
from controller.services.trail_listing import who
from tests.builders import FORM, WORKSPACE, chain, entry, record_files
from tests.memory_archive import MemoryArchive, MemoryForms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from controller.domain.trail_event import TrailEvent

COMPLAINT = """
format: wenkong/form/1
number: XX-YLQXJL-018
title: 质量投诉处理记录
revision: A/0
owner: 质管部
retention: complaint
fields:
  channel: {label: 投诉渠道, type: choice, choices: [电话, 来访]}
  lot_no: {label: 批号, type: text}
  cost: {label: 费用, type: decimal, unit: 元}
  content: {label: 投诉内容, type: long_text, personal: sensitive}
stages:
  registered: {label: 已登记, by: [any]}
  closed: {label: 已结案, after: registered, by: [any], final: true}
"""
WANG = Signatory("p003", "王芳", "售后服务管理人员")
LIN = Signatory("p002", "林静", "质量负责人")
ORIGIN = Origin("pc-01", "office", "s-0001")
NOWHERE = Origin("pc-02", "lobby", "")
KEY = bytes(range(32))
FIRST = f"{FORM}-2026-0001"


class Keys:
    """Record keys of a test (`RecordKeys` for reading)."""

    def __init__(self, *numbers: str) -> None:
        self.numbers = numbers

    def get(self, number: RecordNumber) -> bytes | None:
        return KEY if number.text in self.numbers else None


def statement(
    chain_name: str, sequence: int, event: Event, at: str, by: Signatory | None = LIN, **more: object
) -> Statement:
    fields: dict[str, object] = {
        "workspace": WORKSPACE,
        "site": "main",
        "chain": chain_name,
        "sequence": sequence,
        "previous": Digest.of(b"the one before") if sequence > 1 else None,
        "event": event,
        "by": by,
        "certificate": Digest.of(b"certificate") if by else None,
        "origin": ORIGIN if by else NOWHERE,
        "at": at,
        "subject": "",
    }
    return Statement(**(fields | more))  # type: ignore[arg-type]


def stated(*statements: Statement, witnesses: Sequence[str] = ()) -> dict[str, bytes]:
    files = {}
    for item in statements:
        path = statement_path(item.chain, item.sequence)
        files[f"{path}.json"] = encode_statement(item)
        if item.by is not None:
            files[f"{path}.p7s"] = b"signature"
        files |= {f"{path}.{one}.p7s": b"signature" for one in witnesses}
    return files


def complaint() -> dict[str, bytes]:
    """One complaint: opened with a sealed content, its lot corrected, closed."""
    part = salted({"content": "张女士来电"})
    opened = entry(
        by=WANG,
        at="2026-05-01T09:30:00+08:00",
        origin=ORIGIN,
        values={"lot_no": "L001", "channel": "电话", "cost": "12.50"},
        sealed=part.digests(),
    )
    corrected = replace(
        opened,
        act=Act.CORRECTED,
        by=LIN,
        at="2026-05-02T08:00:00+08:00",
        meaning="更正",
        values={"lot_no": "L002", "cost": None},
        sealed={},
        reason="批号录错，以实物标签为准",
    )
    closed = replace(
        opened, act=Act.ADVANCED, at="2026-05-03T10:00:00+08:00", values={}, sealed={}, stage="closed", meaning="办结"
    )
    files = record_files([opened, corrected, closed])
    folder = opened.record.folder
    return {
        **files,
        f"{folder}/0001.sealed": seal(part, KEY),
        **{f"{folder}/{place:04d}.p7s": b"signature" for place in (1, 2)},
    }


def trail_of(*files: Mapping[str, bytes], keys: Keys | None = None) -> AuditTrail:
    archive = MemoryArchive()
    for some in files:
        archive.file(some)
    definitions = ArchivedForms(archive, MemoryForms(read_form(COMPLAINT, {}, where="form.yml")))
    return AuditTrail(
        archive=archive,
        definitions=definitions,
        keys=keys or Keys(),  # type: ignore[arg-type]
        spool=SqliteSpool,
        post_names={"quality_head": "质量负责人"},
    )


def events(trail: AuditTrail, wanted: TrailFilter | None = None, *, unmask: bool = False) -> list[TrailEvent]:
    with trail.select(wanted, unmask=unmask) as selected:
        found = list(selected.events())
        assert len(found) == len(selected)
    return found


def line(event: TrailEvent) -> str:
    """One event as one line of a hand-written expectation."""
    changes = "；".join(f"{item.label}：{item.old}→{item.new}" for item in event.changes)
    parts = (
        event.at[5:16], who(event), event.computer, event.object, str(event.action), changes, event.reason,
        event.meaning, event.signed + "".join(f"+{one}" for one in event.witnesses),
    )  # fmt: skip
    return " | ".join(parts)


PEOPLE = (
    stated(
        statement(
            "people/p003", 1, Event.PERSON_REGISTERED, "2026-04-01T09:00:00+08:00", subject="p003",
            new={"name": "王芳", "posts": [{"post": "quality_head", "since": "2026-04-01", "until": None}],
                 "identity_check": "身份证 末四位 1234"},
        ),
    )
    | stated(
        statement(
            "people/p003", 2, Event.PERSON_ENROLLED, "2026-04-01T09:05:00+08:00", WANG, subject="p003",
            new={"certificate": "sha256:" + "ab" * 32},
        ),
        witnesses=["p002", "p003"],
    )
)  # fmt: skip
SITE = stated(
    statement("trail", 1, Event.SIGNED_IN, "2026-05-01T09:29:00+08:00", WANG, subject="p003"),
    statement("trail", 2, Event.SIGN_IN_FAILED, "2026-05-01T12:00:00+08:00", None, subject="p002",
              new={"claimed": "林静", "count": "1"}),
    statement("trail", 3, Event.PRINTED, "2026-05-02T08:00:00+08:00", subject=FIRST, shown=Digest.of(b"docx"),
              new={"format": "docx"}),
    statement("trail", 4, Event.REFUSED, "2026-05-04T00:30:00+08:00", WANG, subject=FIRST,
              new={"code": "stage-refused", "message": "作废应由质管员进行"}),
    statement("trail", 5, Event.LIBRARY_CHANGED, "2026-05-04T01:00:00+09:00", reason="修订第三条",
              files={"procedures/XX-YLQXCX-014/clauses.txt": Digest.of(b"text")},
              new={"deleted": ["procedures/a.txt"]}),
)  # fmt: skip

EXPECTED = [
    (
        "04-01T09:00 | 林静 | pc-01 | p003 | 登记人员 |"
        " 身份核对：→***；姓名：→王芳；岗位：→质量负责人 起 2026-04-01 |  |  | signed"
    ),
    (
        "04-01T09:05 | 王芳 | pc-01 | p003 | 申请签名证书（见证后生效） | 证书：→abababababab |  |  "
        "| signed+p002+王芳 p003"
    ),
    "05-01T09:29 | 王芳 | pc-01 | p003 | 登录 |  |  |  | signed",
    (
        f"05-01T09:30 | 王芳 | pc-01 | {FIRST} | 登记 |"
        " 投诉渠道：→电话；批号：→L001；费用：→12.50元；投诉内容：→*** |  | 记录 | signed"
    ),
    "05-01T12:00 | 未登录（自称 林静） | pc-02 | p002 | 登录失败 | 累计次数：→1 |  |  | nobody",
    (
        f"05-02T08:00 | 林静 | pc-01 | {FIRST} | 更正 |"
        " 批号：L001→L002；费用：12.50元→ | 批号录错，以实物标签为准 | 更正 | signed"
    ),
    (
        f"05-02T08:00 | 林静 | pc-01 | {FIRST} | 打印 |"
        f" 格式：→docx；所示内容摘要：→{Digest.of(b'docx').hex[:12]} |  |  | signed"
    ),
    f"05-03T10:00 | 王芳 | pc-01 | {FIRST} | 推进 | 阶段：已登记→已结案 |  | 办结 | missing",
    (
        "05-04T01:00 | 林静 | pc-01 |  | 变更受控文件 | 删除的文件：→procedures/a.txt；"
        f"涉及的文件：→procedures/XX-YLQXCX-014/clauses.txt（{Digest.of(b'text').hex[:12]}） | 修订第三条 |  | signed"
    ),
    (
        f"05-04T00:30 | 王芳 | pc-01 | {FIRST} | 操作被拒绝 |"
        " 错误代码：→stage-refused；提示：→作废应由质管员进行 |  |  | signed"
    ),
]


def test_the_trail_of_a_scenario_reads_line_by_line_as_expected() -> None:
    assert [line(event) for event in events(trail_of(complaint(), PEOPLE, SITE))] == EXPECTED


@pytest.mark.parametrize(
    ("wanted", "places"),
    [
        (TrailFilter(period=Period(date(2026, 5, 2), date(2026, 5, 3))), [5, 6, 7]),
        (TrailFilter(person="p003"), [1, 2, 3, 7, 9]),
        (TrailFilter(person="林静"), [0, 4, 5, 6, 8]),
        (TrailFilter(object=FIRST), [3, 5, 6, 7, 9]),
        (TrailFilter(object=FORM), [3, 5, 6, 7, 9]),
        (TrailFilter(object="XX-YLQXCX-014"), [8]),
        (TrailFilter(object="XX-YLQXCX-01"), []),
        (TrailFilter(object="p003"), [0, 1, 2]),
        (TrailFilter(action="corrected"), [5]),
        (TrailFilter(action="signed-in"), [2]),
        (TrailFilter(failures=True), [4, 9]),
        (TrailFilter(text="l002"), [5]),
        (TrailFilter(text="张女士"), []),
        (TrailFilter(text="售后服务管理", failures=True), [9]),
    ],
)
def test_filters_choose_exactly_what_they_say(wanted: TrailFilter, places: list[int]) -> None:
    found = [line(event) for event in events(trail_of(complaint(), PEOPLE, SITE), wanted)]
    assert found == [EXPECTED[place] for place in places]


def test_sensitive_values_are_shown_only_when_asked_for_and_proven_by_their_entry() -> None:
    files = [complaint(), PEOPLE]
    shown = events(trail_of(*files, keys=Keys(FIRST)), TrailFilter(action="opened"), unmask=True)
    assert new_values(shown[0].changes).splitlines()[-1] == "投诉内容：张女士来电"
    registered = events(trail_of(*files), TrailFilter(action="person-registered"), unmask=True)
    assert "身份核对：身份证 末四位 1234" in new_values(registered[0].changes)
    with trail_of(*files).select(unmask=True) as without_key:
        assert without_key.unopened == 1
        assert "张女士" not in "".join(new_values(event.changes) for event in without_key.events())
    swapped = complaint()
    swapped[f"{RecordNumber(FIRST).folder}/0001.sealed"] = seal(salted({"content": "别的话"}), KEY)
    with trail_of(swapped, keys=Keys(FIRST)).select(unmask=True) as not_as_stated:
        assert not_as_stated.unopened == 1
        assert "别的话" not in "".join(new_values(event.changes) for event in not_as_stated.events())


def test_a_sensitive_value_that_an_old_form_left_open_is_masked_too() -> None:
    files = record_files([entry(values={"content": "张女士来电"})])
    assert new_values(events(trail_of(files))[0].changes) == "投诉内容：***"


def test_what_cannot_be_read_stands_first_and_passes_every_period() -> None:
    files = complaint()
    damaged = f"{RecordNumber(FIRST).folder}/0002.json"
    files[damaged] = files[damaged][:-5]
    files[statement_path("trail", 1) + ".json"] = b""
    with trail_of(files).select(TrailFilter(period=Period(date(2026, 1, 1), date(2026, 1, 2)), failures=True)) as found:
        told = [(event.object, event.code) for event in found.events()]
        assert found.unreadable == 2
    assert told == [(damaged, "unreadable"), ("trail/0000/00/00000001.json", "unreadable")]


def test_old_values_go_on_behind_an_entry_that_cannot_be_read() -> None:
    opened = entry(values={"lot_no": "L1"})
    later = [replace(opened, act=Act.CORRECTED, values={"lot_no": lot}) for lot in ("L2", "L3")]
    files = record_files([opened, *later])
    files[f"{opened.record.folder}/0002.json"] = b"{}"
    told = [event for event in events(trail_of(files)) if event.code == "corrected"]
    assert [(old_values(event.changes), new_values(event.changes)) for event in told] == [("批号：L1", "批号：L3")]


@given(st.text(max_size=60))
def test_a_value_can_never_pass_for_two_lines_or_steer_a_terminal(value: str) -> None:
    shown = one_line(value)
    assert len(shown.splitlines()) <= 1
    assert not any(ord(sign) < 0x20 or 0x7F <= ord(sign) < 0xA0 or 0x202A <= ord(sign) <= 0x202E for sign in shown)
    assert one_line(shown) == shown


def test_a_value_with_line_ends_stays_one_line_of_the_trail() -> None:
    files = record_files([entry(values={"lot_no": "L1\n费用：0元\x1b[2J\u202e"})])
    assert new_values(events(trail_of(files))[0].changes) == "批号：L1↵费用：0元\ufffd[2J\ufffd"


def test_every_event_has_words_and_is_found_by_them() -> None:
    assert set(EVENT_LABELS) == set(Event)
    assert {find_action(str(label)) for label in EVENT_LABELS.values()} == {event.value for event in Event}
    assert find_action("纸质签字") == Act.SIGNED_ON_PAPER.value
    with pytest.raises(UnknownTrailActionError) as refused:
        find_action("删除")
    assert "登录失败" in str(refused.value.hint)


@pytest.mark.parametrize(
    ("name", "wanted", "answer"),
    [
        (FIRST, FIRST, True),
        (FIRST, FORM, True),
        (FIRST, "XX-YLQXJL-01", False),
        ("procedures/XX-YLQXCX-014/clauses.txt", "XX-YLQXCX-014", True),
        ("procedures/XX-YLQXCX-014/clauses.txt", "procedures", True),
        ("documents/XX-YLQXCX-014/A-0", "A-0", True),
        ("procedures/XX-YLQXCX-014/clauses.txt", "clauses", False),
    ],
)
def test_an_object_is_what_it_is_called_or_what_it_belongs_to(name: str, wanted: str, answer: bool) -> None:
    assert concerns(name, wanted) is answer


def test_newest_first_with_a_limit_is_the_end_of_the_trail_turned_round() -> None:
    with trail_of(complaint(), PEOPLE, SITE).select() as selected:
        newest = [line(event) for event in selected.events(newest_first=True, most=3)]
    assert newest == list(reversed(EXPECTED[-3:]))


class _Synthetic(MemoryArchive):
    """Entries that are made while they are read."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._count = count

    def tip(self) -> str | None:
        return "0" * 40

    def listing(self, path: str, **_: object) -> list[str]:
        return {"": [FORM], FORM: ["2026"]}.get(path, [])

    def walk(self, path: str = "", **_: object) -> Iterator[tuple[str, bytes]]:
        values: dict[str, Wire] = {"lot_no": "L" * 200, "channel": "电话"}
        for serial in range(1, self._count + 1) if path.startswith(FORM) else ():
            made: Entry = entry(serial, values=values, at=f"2026-05-{1 + serial % 28:02d}T09:30:00+08:00")
            yield f"{made.record.folder}/0001.json", encode_entry(made)


def memory_for(entries: int) -> int:
    """Return how many bytes reading a trail of so many entries took at most."""
    archive = _Synthetic(entries)
    definitions = ArchivedForms(archive, MemoryForms(read_form(COMPLAINT, {}, where="form.yml")))
    trail = AuditTrail(archive=archive, definitions=definitions, keys=Keys(), spool=SqliteSpool)  # type: ignore[arg-type]
    gc.collect()
    tracemalloc.start()
    try:
        last, count = "", 0
        with trail.select() as selected:
            for event in selected.events():
                assert event.at >= last
                last, count = event.at, count + 1
        assert count == entries
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_more_entries_need_no_more_memory() -> None:
    few = memory_for(1000)
    assert few < 2**20
    assert memory_for(4000) < few + 3000 * 50, "an entry kept, however small, takes more"


def test_a_chain_of_ten_thousand_statements_keeps_its_order() -> None:
    """Statements of the same second come by chain and place, whatever the archive's path order says."""
    made = [
        statement("trail", place, Event.SIGNED_OUT, "2026-05-01T09:00:00+08:00") for place in (2, 99, 100, 10_001, 1)
    ]
    assert [event.sequence for event in events(trail_of(stated(*made)))] == [1, 2, 99, 100, 10_001]


def test_a_record_linked_by_digest_gives_each_entry_its_digest() -> None:
    linked = chain(entry(values={"lot_no": "L1"}))
    assert [event.digest for event in events(trail_of(record_files([item for item, _ in linked])))] == [
        digest.text for _, digest in linked
    ]
