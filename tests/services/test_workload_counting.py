"""What a text asks of whom, how much it is a year, and what a revision changes in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

import pytest

from controller.domain.person import Person, Post, Staff
from controller.domain.post_naming import PostNames
from controller.domain.workload import per_holder, plain
from controller.services.document_library import DocumentLibrary, LibraryDocument
from controller.services.reference_keeping import ReferenceKeeping
from controller.services.workload_counting import WorkloadCounting, year_before
from tests.conftest import StandingClock
from tests.memory_files import MemoryFiles

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from controller.domain.workload import Load
    from controller.services.index_ports import RecordIndex

POSTS = [
    Post("officer", "质管员", department="质管部"),
    Post("head", "质量负责人", department="质管部"),
    Post("monitor", "不良事件监测员", department="质管部"),
    Post("service", "售后服务员", department="售后服务部"),
]
STAFF = Staff(
    {
        "p1": Person("p1", "林静", ["head"]),
        "p2": Person("p2", "陈晓", ["officer", "monitor"]),
        "p3": Person("p3", "王芳", ["service"]),
        "p4": Person("p4", "赵磊", ["service"]),
        "p5": Person("p5", "离职者", ["service"], active=False),
    },
    {post.key: post for post in POSTS},
)
DOCUMENT = """\
format: wenkong/document/1
number: AB-YLQXCX-015
title: 投诉程序
revision: A/0
class: 程序
owner: 售后服务部
forms: [AB-YLQXJL-018]
links:
  '5.1': [AB-YLQXJL-020, AB-YLQXJL-018]
"""
TEXT = """\
AB-YLQXCX-015投诉程序
1.目的：每年少出差错。
4.职责：售后服务员受理；质管部调查。
5.内容：
5.1.接到投诉2小时内受理。
5.2.质管员每月汇总一次，质量负责人每季度审批。
5.3.调查5个工作日内完成。
5.4.客户每年回访一次。
5.5.售后服务员、质管员每年考核。
"""


@dataclass
class _State:
    voided: bool = False


@dataclass
class CountedIndex:
    """Port `RecordIndex`, as far as records are counted; remembers what was asked for."""

    counts: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def records(self, *, forms: Sequence[str], opened_from: str | None = None) -> Iterator[_State]:
        self.asked.append((forms[0], opened_from))
        yield _State(voided=True)
        for _ in range(self.counts.get(forms[0], 0)):
            yield _State()


def shown(text: str = TEXT) -> LibraryDocument:
    folder = "procedures/AB-YLQXCX-015"
    files = MemoryFiles({f"{folder}/document.yml": DOCUMENT.encode(), f"{folder}/clauses.txt": text.encode()})
    return DocumentLibrary(files).show("AB-YLQXCX-015")


def counting(**counts: int) -> WorkloadCounting:
    files = MemoryFiles(
        {f"templates/forms/AB-YLQXJL-0{n}/form.yml": f"title: 表单{n}\n".encode() for n in ("18", "20")}
    )
    index: RecordIndex = CountedIndex(counts)  # type: ignore[assignment]
    clock = StandingClock(datetime.fromisoformat("2026-05-01T09:00:00+08:00"))
    return WorkloadCounting(ReferenceKeeping(DocumentLibrary(files)).targets, STAFF, index, clock, lambda: None)


def told(loads: Sequence[Load]) -> list[tuple[str, str, str, str, str]]:
    return [
        (item.duty.clause, item.duty.time.wording, item.duty.who, str(item.told), plain(item.per_person))
        for item in loads
    ]


def test_every_duty_is_told_with_who_has_it_and_how_much_it_is() -> None:
    assert told(counting().of(shown()).loads) == [
        ("5.1", "2小时内", "售后服务员", "每次发生时", ""),
        ("5.2", "每月", "质管员", "每年12次", "12"),
        ("5.2", "每季度", "质量负责人", "每年4次", "4"),
        ("5.3", "5个工作日内", "质管部", "每次发生时", ""),
        ("5.4", "每年", "售后服务员", "每客户每年1次", ""),
        ("5.5", "每年", "售后服务员、质管员", "每人每年1次，共3人", "1"),
    ]


def test_only_what_the_sentence_itself_says_is_sure() -> None:
    assert [(item.duty.clause, item.duty.sure) for item in counting().of(shown()).loads] == [
        ("5.1", False), ("5.2", True), ("5.2", True), ("5.3", False), ("5.4", False), ("5.5", True),
    ]  # fmt: skip


def test_a_deadline_counts_as_often_as_its_own_form_was_opened_in_twelve_months() -> None:
    kit = counting(**{"AB-YLQXJL-018": 30, "AB-YLQXJL-020": 500})
    first = kit.of(shown()).loads[0]
    assert (str(first.told), plain(first.per_person)) == ("近12个月 AB-YLQXJL-018 有 30 条记录", "15")
    assert ("AB-YLQXJL-018", "2025-05-01") in kit.index.asked  # type: ignore[attr-defined]


def test_loads_add_up_for_each_person_and_what_cannot_be_counted_is_told() -> None:
    sums = per_holder(counting().of(shown()).loads)
    assert {person: (plain(known), unknown) for person, (known, unknown) in sums.items()} == {
        "林静": ("4", 1), "陈晓": ("13", 1), "王芳": ("1", 2), "赵磊": ("1", 2),
    }  # fmt: skip


def test_a_revision_shows_what_it_adds_drops_and_changes() -> None:
    edits = {
        "2小时内": "1小时内",
        "，质量负责人每季度审批": "",
        "5.4.客户": "5.4.供货者每半年评估一次。\n5.5.客户",
        "5.5.售": "5.6.售",
    }
    text = TEXT
    for old, new in edits.items():
        text = text.replace(old, new)
    changes = [
        (item.old.duty.time.wording if item.old else None, item.new.duty.time.wording if item.new else None)
        for item in counting().difference(shown(), shown(text))
    ]
    assert ("2小时内", "1小时内") in changes
    assert ("每季度", None) in changes
    assert any(new is not None and new.startswith("每半年") for _old, new in changes)
    assert not [item for item in changes if "5个工作日内" in item or "每月" in item]


def test_a_document_that_stays_as_it_is_changes_no_load() -> None:
    assert counting().difference(shown(), shown()) == []


def test_a_new_document_brings_all_its_duties() -> None:
    assert [item.old for item in counting().difference(None, shown())] == [None] * 6


@pytest.mark.parametrize(
    ("sentence", "at", "who"),
    [
        ("员工得知线索2小时内告知监测员", 6, "全体人员"),
        ("重大投诉当日报质量负责人", 4, None),
        ("每年由质量负责人对质管员作一次评价", 0, "质量负责人"),
        ("售后服务员当日转质管部", 5, "售后服务员"),
        ("《质管员手册》每年更新", 7, None),
        ("监测员7日内报告", 3, "不良事件监测员"),
        ("经质量负责人批准后，质管员3日内销毁", 13, "质管员"),
    ],
)
def test_who_acts_is_told_apart_from_who_is_only_told(sentence: str, at: int, who: str | None) -> None:
    found = PostNames(POSTS).actor(sentence, at)
    assert (found.name if found is not None else None) == who


def test_a_year_before_a_leap_day_is_the_day_before() -> None:
    assert (year_before(date(2028, 2, 29)), year_before(date(2026, 5, 1))) == (date(2027, 2, 28), date(2025, 5, 1))
