"""The forms about documents are filled from what the program knows, as their own rules demand."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from controller.domain.document_comparison import ChangeKind
from controller.domain.form_additions import replaced_values
from controller.domain.form_check import check_values
from controller.domain.identifiers import Digest
from controller.domain.record import Signatory
from controller.domain.working_days import WorkingDays
from controller.file_formats.compiled_form import read_compiled
from controller.file_formats.staff_file import read_staff
from controller.services.change_paperwork import (
    MOST_CHARACTERS,
    MOST_ROWS,
    Trainee,
    application_values,
    change_values,
    destruction_values,
    issue_values,
    loss_values,
    recall_values,
    return_values,
    review_values,
    training_held_values,
    training_result_values,
    training_values,
)
from controller.services.changed_texts import ChangedText, changed_files, compared_texts
from tests.revised_documents import compared

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.domain.form import FormDefinition
    from controller.domain.person import Staff
    from controller.domain.record import Wire

ROOT = Path(__file__).parents[2]
BEIJING = ZoneInfo("Asia/Shanghai")
TODAY = date(2026, 10, 1)
ZHOU = Signatory("p001", "周明", "企业负责人")
LIN = Signatory("p002", "林静", "质量负责人")
CHEN = Signatory("p003", "陈晓", "质管员")
ZHAO = Signatory("p005", "赵敏", "售后服务管理人员")
SUN = Signatory("p007", "孙丽", "仓储养护员")

OLD = """\
1.目的:规范售后回访工作。
2.职责:售后部负责回访,质管部负责监督。
3.内容:
3.1.每半年回访一次重点客户。
3.2.回访记录保存五年。
"""
NEW = OLD.replace("每半年", "每季度").replace("3.2.", "3.2.新客户一个月内回访。\n3.3.")


@cache
def form(short: str) -> FormDefinition:
    folder = ROOT / "templates" / "forms" / f"XX-YLQX{short}"
    return read_compiled((folder / "compiled.json").read_bytes()).definition


@cache
def staff() -> Staff:
    people = (ROOT / "records" / "samples" / "people.yml").read_text(encoding="utf-8")
    posts = (ROOT / "signatures" / "posts.yml").read_text(encoding="utf-8")
    return read_staff(posts, people).require()


class Paper:
    """A form that is filled stage by stage, as the archive would have it."""

    def __init__(self, short: str) -> None:
        self.form = form(short)
        self.state: dict[str, Wire] = {}
        self.opened = False

    def fill(self, values: Mapping[str, object], stage: str, by: Signatory) -> list[str]:
        """Return what is wrong with the values, as `field: rule or code`; what is right is kept."""
        checked = check_values(
            self.form,
            values,
            stage=stage,
            now=datetime(TODAY.year, TODAY.month, TODAY.day, 10, 0, tzinfo=BEIJING),
            performer=by,
            staff=staff(),
            calendar=WorkingDays(frozenset(), frozenset()),
            before=self.state if self.opened else None,
        )
        found = [f"{item.field}: {item.id or item.code}" for item in checked.problems if item.level == "error"]
        if self.opened:
            found += [f"{item.field}: {item.code}" for item in replaced_values(self.form, self.state, checked.wire)]
        if not found:
            self.state |= checked.wire
            self.opened = True
        return found


def application(**other: object) -> dict[str, object]:
    values: dict[str, object] = {
        "kind": "修订",
        "class_word": "程序",
        "title": "售后服务质量控制管理程序",
        "number": "XX-YLQXCX-014",
        "before": "A/0",
        "after": "A/1",
        "reason": "投诉中多次发现回访不及时",
        "triggers": ["投诉/不良事件"],
        "drafter": ZHAO,
        "due": date(2026, 10, 20),
        "change": "2026-0001",
        "effective": date(2026, 11, 1),
        "laws": ["WL-R3 第二十条"],
        "documents": ["XX-YLQXCX-015", "XX-YLQXJL-020", "WL"],
        "posts": ["售后服务员", "售后服务技术人员", "临时岗位"],
        "impact": ["未结的回访记录 2 份"],
        "workload": ["售后服务员每人每年约 120 次回访"],
    }
    return application_values(**{**values, **other})  # type: ignore[arg-type]


# -- 申请审批表


def test_an_application_goes_from_drafting_to_effect_with_three_people() -> None:
    paper = Paper("JL-001")
    assert paper.fill(application(), "submitted", ZHAO) == []
    assert paper.fill({"review_comment": "同意"}, "reviewed", LIN) == []
    assert paper.fill({}, "approved", ZHOU) == []
    assert paper.fill({}, "issued", CHEN) == []
    assert paper.fill({}, "effective", CHEN) == []
    assert paper.state["impact_docs"] == ["XX-YLQXCX-015", "XX-YLQXJL-020"]
    assert paper.state["impact"] == "未结的回访记录 2 份\n另涉及：WL"
    assert paper.state["impact_training"] == ["售后服务员", "技术人员", "其他岗位"]
    assert paper.state["approver"] == {"person": "p001", "name": "周明"}


@pytest.mark.parametrize(
    ("stages", "problem"),
    [
        ([("reviewed", ZHAO)], "drafter: reviewer-differs"),
        ([("reviewed", LIN), ("approved", ZHAO)], "drafter: approver-differs"),
        ([("reviewed", LIN), ("approved", LIN)], "drafter: approver-differs"),
    ],
)
def test_one_person_cannot_take_two_steps_of_an_application(stages: list[tuple[str, Signatory]], problem: str) -> None:
    paper = Paper("JL-001")
    assert paper.fill(application(), "submitted", ZHAO) == []
    found: list[str] = []
    for stage, by in stages:
        found = paper.fill({}, stage, by)
    assert found == [problem]


def test_with_an_exemption_the_drafter_reviews_and_never_approves() -> None:
    paper = Paper("JL-001")
    values = application(drafter=LIN, exemption="企业负责人 2026-01-05 签署的豁免")
    assert paper.fill(values, "submitted", LIN) == []
    assert paper.fill({}, "reviewed", LIN) == []
    assert paper.fill({}, "approved", LIN) == ["drafter: approver-differs"]


@pytest.mark.parametrize(
    "other",
    [
        {"kind": "新增", "before": None, "after": "A/0"},
        {"kind": "作废", "after": None},
        {"class_word": "台账", "number": "XX-YLQXTZ-07"},
        {"class_word": "外来文件", "number": "WL", "title": "外来文件清单"},
        {"class_word": "手册", "documents": [], "posts": [], "impact": [], "workload": [], "laws": []},
        {"title": "长" * 300, "reason": "第一行\x07\r\n第二行" * 3000, "laws": ["WL-R3"] * 500},
    ],
)
def test_every_kind_of_change_of_every_kind_of_item_can_be_applied_for(other: dict[str, object]) -> None:
    assert Paper("JL-001").fill(application(**other), "submitted", ZHAO) == []


def test_an_application_can_be_withdrawn_with_a_reason() -> None:
    paper = Paper("JL-001")
    assert paper.fill(application(), "submitted", ZHAO) == []
    assert paper.fill({}, "withdrawn", ZHAO) == ["withdraw_reason: required"]
    assert paper.fill({"withdraw_reason": "补充内容后重新送审"}, "withdrawn", ZHAO) == []


# -- 更改申请单


def change(changes: object = None, **other: object) -> dict[str, object]:
    values: dict[str, object] = {
        "number": "XX-YLQXCX-014",
        "title": "售后服务质量控制管理程序",
        "before": "A/0",
        "after": "A/1",
        "reason": "投诉中多次发现回访不及时",
        "change": "2026-0001",
        "effective": date(2026, 11, 1),
    }
    return change_values(changes or compared(OLD, NEW), **{**values, **other})  # type: ignore[arg-type]


def test_a_change_form_says_clause_by_clause_what_was_and_what_will_be() -> None:
    values = change()
    assert values["changes"] == [
        {
            "clause": "3.1.",
            "kind": "修改",
            "before": "3.1.每半年回访一次重点客户。",
            "after": "3.1.每季度回访一次重点客户。",
        },
        {"clause": "3.2.", "kind": "新增", "before": "无", "after": "3.2.新客户一个月内回访。"},
        {"clause": "3.3.", "kind": "改编号", "before": "3.2.回访记录保存五年。", "after": "3.3.回访记录保存五年。"},
    ]
    paper = Paper("JL-002")
    assert paper.fill(values, "submitted", ZHAO) == []
    assert paper.fill({}, "reviewed", LIN) == []
    assert paper.fill({}, "approved", ZHOU) == []
    assert paper.fill(recall_values(due=4, recalled=4), "effective", CHEN) == []


def test_a_change_form_ends_when_all_old_copies_are_back_or_somebody_says_why_not() -> None:
    for values, problems in (
        ({}, True),
        (recall_values(due=4, recalled=3), True),
        (recall_values(due=4, recalled=5), True),
        (recall_values(due=0, recalled=0), False),
        (recall_values(due=4, recalled=3, waiver="03 号副本遗失，已登记"), False),
    ):
        paper = Paper("JL-002")
        assert paper.fill(change(), "submitted", ZHAO) == []
        assert paper.fill({}, "reviewed", LIN) == []
        assert paper.fill({}, "approved", ZHOU) == []
        assert bool(paper.fill(values, "effective", CHEN)) is problems


def test_a_change_form_needs_three_people() -> None:
    paper = Paper("JL-002")
    assert paper.fill(change(), "submitted", ZHAO) == []
    assert paper.fill({}, "reviewed", ZHAO) == ["exemption: reviewer-differs"]
    assert paper.fill({}, "reviewed", LIN) == []
    assert paper.fill({}, "approved", LIN) == ["approve_comment: approver-differs"]


def test_long_lists_and_long_clauses_stay_within_what_a_form_holds() -> None:
    rows = [ChangedText(f"5.{place}." * 20, "修改", "旧" * 9000, "新" * 9000) for place in range(900)]
    values = change(rows, impact=["影响" * 20_000])
    stored = values["changes"]
    assert isinstance(stored, list)
    assert len(stored) == MOST_ROWS
    assert stored[-1]["before"] == f"另有 {900 - MOST_ROWS + 1} 处更改"
    assert stored[0]["after"] == "新" * MOST_CHARACTERS + "……（共 9000 字，全文见修订对照）"
    assert Paper("JL-002").fill(values, "submitted", ZHAO) == []


def test_a_new_revision_with_the_same_words_is_still_a_change() -> None:
    values = change(compared(OLD, OLD))
    assert Paper("JL-002").fill(values, "submitted", ZHAO) == []


def test_moved_clauses_tables_and_other_files_have_their_row() -> None:
    lines = OLD.splitlines(keepends=True)
    moved = compared_texts(compared(OLD, "".join([lines[1], lines[0], *lines[2:]])))
    assert [row.kind for row in moved] == ["移动"]
    assert moved[0].after == f"（位置移动）{moved[0].before}"
    table = "1.期限见下表:\n|记录|期限|\n|---|---|\n|回访记录|五年|\n|投诉记录|五年|\n"
    (row,) = compared_texts(compared(table, table.replace("|投诉记录|五年|", "|投诉记录|六年|")))
    assert (row.kind, row.before, row.after) == ("修改", "投诉记录｜五年", "投诉记录｜六年")
    one, two = Digest.of(b"1"), Digest.of(b"2")
    files = changed_files(
        {"t/form.yml": one, "t/a.yml": one, "t/same": one}, {"t/form.yml": two, "t/b.yml": two, "t/same": one}
    )
    assert [(item.place, item.kind) for item in files] == [
        ("文件：a.yml", "删除"), ("文件：b.yml", "新增"), ("文件：form.yml", "修改")
    ]  # fmt: skip
    for rows in (moved, [row], files):
        assert Paper("JL-002").fill(change(rows), "submitted", ZHAO) == []


def test_every_kind_of_change_has_a_word_of_the_form() -> None:
    kinds = next(field for field in form("JL-002").fields if field.key == "changes").columns[1].choices
    found = {row.kind for row in compared_texts(compared(OLD, NEW + "4.附则:无。\n"))}
    assert found <= set(kinds)
    assert len(kinds) == len(ChangeKind)


# -- 发放、培训、评审、销毁


def issue(**other: object) -> dict[str, object]:
    values: dict[str, object] = {
        "number": "XX-YLQXCX-014", "title": "售后服务质量控制管理程序", "revision": "A/1", "copy": "01",
        "department": "售后服务部", "paper": True, "issued": TODAY, "holder": "p005",
    }  # fmt: skip
    return issue_values(**{**values, **other})  # type: ignore[arg-type]


def test_a_copy_is_issued_signed_for_by_its_holder_and_comes_back() -> None:
    paper = Paper("JL-003")
    assert paper.fill(issue(), "issued", CHEN) == []
    assert paper.fill({}, "acknowledged", LIN) == ["holder: holder-signs"]
    assert paper.fill({}, "acknowledged", ZHAO) == []
    assert paper.fill(return_values(on=TODAY, reason="换版"), "returned", CHEN) == []


@pytest.mark.parametrize(
    "other",
    [
        {"holder": "", "department": "外部", "holder_name": "江城市市场监督管理局"},
        {"holder": "", "paper": False},
        {"department": "研发部", "controlled": False},
    ],
)
def test_a_copy_goes_to_departments_and_outside_and_can_be_lost(other: dict[str, object]) -> None:
    paper = Paper("JL-003")
    assert paper.fill(issue(**other), "issued", CHEN) == []
    assert paper.fill(loss_values(on=TODAY, note="搬迁中遗失，已通知各部门"), "lost", CHEN) == []


PEOPLE = [
    Trainee(
        "p005", "赵敏", "售后服务管理人员", "合格", date(2026, 9, 28), Decimal(90), "training/XX-YLQXCX-014/A-1 第3号"
    ),
    Trainee("p006", "刘洋", "售后服务技术人员", "已阅知", date(2026, 9, 29)),
    Trainee("p007", "孙丽", "验收员", "免训"),
]


@pytest.mark.parametrize("tested", [True, False])
def test_reading_a_new_revision_is_planned_held_and_judged(tested: bool) -> None:
    paper = Paper("JL-006")
    planned = training_values(
        number="XX-YLQXCX-014", title="售后服务质量控制管理程序" * 9, revision="A/1", class_word="程序",
        planned=date(2026, 10, 20), tested=tested, change="2026-0001",
    )  # fmt: skip
    assert paper.fill(planned, "planned", CHEN) == []
    assert paper.fill(training_held_values(PEOPLE, held=TODAY), "held", CHEN) == []
    assert paper.fill(training_result_values(PEOPLE), "evaluated", CHEN) == []
    assert paper.state["effect"] == "应参加 3 人：合格 1 人、已阅知 1 人、免训 1 人"


def test_a_review_that_keeps_a_document_names_the_next_one_and_no_bad_judgement() -> None:
    def review(**other: object) -> list[str]:
        values: dict[str, object] = {
            "number": "XX-YLQXCX-014", "title": "售后服务质量控制管理程序", "revision": "A/0", "on": TODAY,
            "reviewers": ["p005", "p003"], "evidence": ["引用的法规均为现行", "期间投诉 3 起"], "suitability": "适宜",
            "adequacy": "充分", "effectiveness": "有效", "outcome": "继续有效", "next_review": date(2027, 10, 1),
        }  # fmt: skip
        return Paper("JL-035").fill(review_values(**{**values, **other}), "reviewed", ZHAO)  # type: ignore[arg-type]

    assert review() == []
    assert review(next_review=None) == ["next_review: required"]
    assert review(next_review=TODAY) == ["next_review: next-after-review"]
    assert review(adequacy="不充分", improvement="补充") == ["outcome: judged-bad-is-not-kept"]
    assert review(outcome="修订", next_review=None) == ["improvement: required"]
    assert review(outcome="作废", next_review=None, improvement="并入 XX-YLQXCX-015", change="2026-0002") == []


def test_copies_are_destroyed_by_two_and_approved_by_another() -> None:
    values = destruction_values(
        number="XX-YLQXCX-014", revision="A/0", copies=["01", "03"], withdrawn=TODAY, reason="换版收回"
    )
    paper = Paper("JL-005")
    assert paper.fill(values, "requested", CHEN) == []
    assert paper.fill({"method": "粉碎"}, "approved", CHEN) == ["reason: another-approves"]
    assert paper.fill({"method": "粉碎"}, "approved", LIN) == []
    assert paper.fill({"destroyed_on": TODAY.isoformat()}, "destroyed", CHEN) == []
    assert paper.fill({}, "witnessed", CHEN) == ["destroyed_on: two-people-destroy"]
    assert paper.fill({}, "witnessed", SUN) == []
