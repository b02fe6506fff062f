from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest

from controller.adapters.sorted_spool import SqliteSpool
from controller.adapters.sqlite_index import SqliteIndex
from controller.domain.document import ControlledDocument
from controller.domain.identifiers import DocumentNumber, RecordNumber, Revision
from controller.domain.record import Act, Entry, Wire
from controller.domain.register import Period, cell_text
from controller.domain.register_lint import register_findings
from controller.domain.working_days import WorkingDays
from controller.file_formats.form_file import read_form
from controller.file_formats.register_file import read_register
from controller.services.archived_forms import ArchivedForms
from controller.services.indexing import Indexing
from controller.services.register_building import RegisterBuilding, RegisterTable
from tests.builders import MORNING, WORKSPACE, entry, record_files
from tests.memory_archive import MemoryArchive, MemoryForms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from controller.domain.register_statistics import StatisticResult

COMPLAINT_FORM = """
format: wenkong/form/1
number: XX-YLQXJL-018
title: 质量投诉处理记录
revision: A/0
owner: 质管部
retention: complaint
event_time: received_at
fields:
  received_at: {label: 接收时间, type: datetime}
  customer: {label: 客户, type: text}
  model: {label: 型号, type: text}
  lot_no: {label: 批号, type: text}
  category: {label: 类别, type: multi_choice, choices: [产品质量, 服务态度, 其他]}
  content: {label: 投诉内容, type: long_text, personal: sensitive}
  handler: {label: 处理人, type: assignee}
  cost: {label: 费用, type: decimal, unit: 元}
  closed_on: {label: 结案日期, type: date}
  sale_ref: {label: 销售记录, type: record_ref, forms: [XX-YLQXJL-010]}
  parts:
    label: 配件
    type: table
    columns:
      part_no: {label: 配件编号, type: text}
      qty: {label: 数量, type: integer}
stages:
  registered: {label: 已登记, by: [any]}
  closed: {label: 已结案, after: registered, by: [any], final: true}
"""
SALE_FORM = """
format: wenkong/form/1
number: XX-YLQXJL-010
title: 销售记录
revision: A/0
owner: 经营部
retention: sale
fields:
  customer: {label: 客户, type: text}
  sale_date: {label: 销售日期, type: date}
  quantity: {label: 数量, type: decimal}
stages:
  filed: {label: 已归档, by: [any]}
"""
HEAD = """
format: wenkong/register/1
id: TZ-07
number: XX-YLQXTZ-07
title: 质量投诉台账
revision: A/0
owner: 质管部
"""
NOW = MORNING.replace(month=6, day=1)


class Bench:
    """An archive with two forms, its index, and what registers are built from."""

    def __init__(self, folder: Path) -> None:
        self.archive = MemoryArchive()
        self.forms = MemoryForms(*(read_form(text, {}, where="form.yml") for text in (COMPLAINT_FORM, SALE_FORM)))
        self.index = SqliteIndex(folder / "index.sqlite", workspace=WORKSPACE)
        self.files: dict[str, bytes] = {}
        self.documents_known: list[ControlledDocument] = []

    def documents(self) -> Sequence[ControlledDocument]:
        """Return the documents."""
        return self.documents_known

    def file(self, *entries: Entry) -> None:
        """Add one record."""
        self.files |= record_files(entries)

    def complaint(
        self, serial: int, *later: Entry, at: str | None = None, stage: str = "registered", **values: Wire
    ) -> None:
        """Add one complaint."""
        opening = entry(serial, values=values, stage=stage)
        self.file(replace(opening, at=at) if at else opening, *later)

    def sale(self, serial: int, *, at: str = MORNING.isoformat(), **values: Wire) -> None:
        """Add one sale."""
        self.file(entry(serial, form="XX-YLQXJL-010", stage="filed", values=values, at=at))

    def build(self, text: str, period: Period | None = None) -> RegisterTable:
        """Index everything and build the register described by `text` after `HEAD`."""
        definition = read_register(HEAD + text, where="register.yml")
        assert [str(f.message) for f in register_findings(definition, self.forms.definitions)] == []
        self.archive.file(self.files)
        Indexing(self.archive, self.index, self.forms).catch_up()
        kit = RegisterBuilding(
            index=self.index,
            archive=self.archive,
            forms=self.forms,
            definitions=ArchivedForms(self.archive, self.forms),
            documents=self,
            calendar=WorkingDays(),
            spool=SqliteSpool,
        )
        return kit.build(definition, period or Period(), NOW)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_entries_come_in_order_of_time_with_old_and_new_values(bench: Bench) -> None:
    first = entry(1, values={"lot_no": "L001", "customer": "甲医院"}, at="2026-05-02T09:00:00+08:00")
    corrected = replace(first, act=Act.CORRECTED, values={"lot_no": "L002"}, at="2026-05-04T09:00:00+08:00")
    bench.file(first, corrected)
    bench.complaint(2, at="2026-05-03T09:00:00+08:00", lot_no="L009")
    table = bench.build("""
source: entries
columns:
  - {key: at, label: 时间, value: entry.at, type: datetime}
  - {key: record, label: 记录, value: entry.record}
  - {key: old, label: 原值, value: entry.old}
  - {key: new, label: 新值, value: entry.new}
""")
    assert texts(table) == [
        ["2026-05-02 09:00", "XX-YLQXJL-018-2026-0001", "", "客户：甲医院\n批号：L001"],
        ["2026-05-03 09:00", "XX-YLQXJL-018-2026-0002", "", "批号：L009"],
        ["2026-05-04 09:00", "XX-YLQXJL-018-2026-0001", "批号：L001", "批号：L002"],
    ]


def texts(table: RegisterTable) -> list[list[str]]:
    return [[cell_text(cell) for cell in row] for row in table.rows()]


def result(table: RegisterTable, name: str) -> StatisticResult:
    return next(item for item in table.summary().statistics if item.id == name)


def figures(table: RegisterTable, name: str) -> list[tuple[str, str, str, str]]:
    return [(line.group, line.numerator, line.denominator, line.result) for line in result(table, name).lines]


LIST = """
source: records
forms: [XX-YLQXJL-018]
columns:
  - {key: received_at, label: 接收时间}
  - {key: customer, label: 客户}
  - {key: category, label: 类别}
  - {key: handler, label: 处理人}
  - {key: cost, label: 费用}
  - {key: overdue, label: 逾期, value: "closed_on is none and days_between(received_at, now) > 20", type: bool}
"""


def test_every_row_has_its_record_number_form_revision_and_condition(bench: Bench) -> None:
    bench.complaint(
        1,
        received_at="2026-05-01T09:00+08:00",
        customer="第一医院",
        category=["产品质量", "其他"],
        handler={"person": "p003", "name": "王芳"},
        cost="12.50",
    )
    table = bench.build(LIST)
    assert [heading.label for heading in table.headings] == [
        "记录编号", "接收时间", "客户", "类别", "处理人", "费用", "逾期", "表单版本", "记录状况",
    ]  # fmt: skip
    assert [heading.type.value for heading in table.headings[1:7]] == [
        "datetime", "text", "text", "text", "decimal", "bool",
    ]  # fmt: skip
    assert texts(table) == [
        [
            "XX-YLQXJL-018-2026-0001",
            "2026-05-01 09:00",
            "第一医院",
            "产品质量、其他",
            "王芳",
            "12.50",
            "是",
            "A/0",
            "有效",
        ]
    ]


def test_values_still_to_come_are_shown_as_such_and_blank_ones_as_blank(bench: Bench) -> None:
    bench.complaint(1, customer={"pending": True})
    assert texts(bench.build(LIST))[0][1:5] == ["", "待补", "", ""]


def test_a_voided_record_is_listed_and_counted_nowhere(bench: Bench) -> None:
    bench.complaint(1, customer="甲")
    bench.complaint(2, entry(2, act=Act.VOIDED, values={}, reason="重复登记"), customer="乙")
    table = bench.build(LIST + "statistics: [{id: all, label: 总数, kind: count}]\n")
    assert [(row[2], row[-1]) for row in texts(table)] == [("甲", "有效"), ("乙", "已作废")]
    assert figures(table, "all") == [("", "1", "1", "1")]
    assert (table.summary().rows, table.summary().voided) == (2, 1)


def test_late_and_corrected_records_say_so(bench: Bench) -> None:
    change = entry(1, act=Act.CORRECTED, values={"customer": "甲医院"}, reason="名称写错")
    bench.complaint(1, change, customer="甲", late_entry_reason="出差")
    assert texts(bench.build(LIST))[0][-1] == "补记、有更正"


def test_rows_come_in_number_order_whatever_the_order_of_filing(bench: Bench) -> None:
    for serial in (3, 1, 2):
        bench.complaint(serial, customer=str(serial))
    assert [row[2] for row in texts(bench.build(LIST))] == ["1", "2", "3"]


def test_a_period_filters_on_opening_or_on_the_field_that_is_named(bench: Bench) -> None:
    may = Period(date(2026, 5, 1), date(2026, 5, 31))
    bench.complaint(1, at="2026-05-31T23:59:59+08:00", customer="五月", received_at="2026-04-30T09:00+08:00")
    bench.complaint(2, at="2026-06-01T00:00:00+08:00", customer="六月", received_at="2026-05-31T09:00+08:00")
    bench.complaint(3, at="2026-06-01T00:00:00+08:00", customer="无日期")
    assert [row[2] for row in texts(bench.build(LIST, may))] == ["五月"]
    assert [row[2] for row in texts(bench.build(LIST + "period: received_at\n", may))] == ["六月"]


def test_rows_can_be_limited_by_a_condition(bench: Bench) -> None:
    bench.complaint(1, customer="甲")
    bench.complaint(2, customer="乙")
    assert [row[2] for row in texts(bench.build(LIST + "row_if: customer != '甲'\n"))] == ["乙"]


def test_a_ratio_shows_numerator_and_denominator_and_is_not_applicable_over_nothing(bench: Bench) -> None:
    statistics = """statistics:
  - id: closing
    label: 按时结案率
    kind: ratio
    of: filled(closed_on)
    where: days_between(received_at, closed_on) <= 5
"""
    table = bench.build(LIST + statistics)
    assert figures(table, "closing") == [("", "0", "0", "不适用")]
    for serial, day in ((1, "2026-05-03"), (2, "2026-05-20"), (3, "2026-05-05")):
        bench.complaint(serial, received_at="2026-05-01T09:00+08:00", closed_on=day)
    bench.complaint(4, received_at="2026-05-01T09:00+08:00")
    assert figures(bench.build(LIST + statistics), "closing") == [("", "2", "3", "66.7%")]


def test_a_ratio_can_be_taken_of_another_forms_total_in_the_same_period(bench: Bench) -> None:
    rate = """period: received_at
statistics:
  - id: rate
    label: 投诉率
    kind: ratio
    scale: permille
    denominator: {form: XX-YLQXJL-010, sum: quantity, period: sale_date}
"""
    bench.complaint(1, received_at="2026-05-02T09:00+08:00")
    bench.sale(1, sale_date="2026-05-02", quantity="120")
    bench.sale(2, sale_date="2026-05-30", quantity="80.0")
    bench.sale(3, sale_date="2026-04-30", quantity="1000")
    may = Period(date(2026, 5, 1), date(2026, 5, 31))
    assert figures(bench.build(LIST + rate, may), "rate") == [("", "1", "200", "5.0‰")]
    june = Period(date(2026, 6, 1), date(2026, 6, 30))
    assert figures(bench.build(LIST + rate, june), "rate") == [("", "0", "0", "不适用")]


def test_sums_means_medians_and_ninetieths_leave_out_rows_without_a_value(bench: Bench) -> None:
    kinds = ["sum", "mean", "median", "p90", "min", "max"]
    lines = [f"  - {{id: {kind}, label: {kind}, kind: {kind}, value: cost, unit: 元}}" for kind in kinds]
    for serial, cost in enumerate(["1", "2", "3", "4.5", None], 1):
        bench.complaint(serial, cost=cost)
    table = bench.build(LIST + "statistics:\n" + "\n".join(lines))
    assert {kind: figures(table, kind)[0][1:] for kind in kinds} == {
        "sum": ("10.5", "4", "10.5 元"),
        "mean": ("10.5", "4", "2.6 元"),
        "median": ("", "4", "2.5 元"),
        "p90": ("", "4", "4.5 元"),
        "min": ("", "4", "1 元"),
        "max": ("", "4", "4.5 元"),
    }


def test_groups_come_in_order_and_rankings_by_frequency(bench: Bench) -> None:
    for serial, (category, month) in enumerate([("其他", 4), ("产品质量", 5), ("其他", 5)], 1):
        bench.complaint(serial, category=[category], received_at=f"2026-{month:02d}-01T09:00+08:00", customer="甲")
    table = bench.build(
        LIST
        + """statistics:
  - {id: month, label: 每月, kind: groups, value: year_month(received_at)}
  - {id: category, label: 类别排名, kind: ranking, value: category, top: 1}
  - {id: split, label: 每类客户数, kind: count, where: filled(customer), by: category}
"""
    )
    assert figures(table, "month") == [("2026-04", "1", "3", "33.3%"), ("2026-05", "2", "3", "66.7%")]
    assert figures(table, "category") == [("其他", "2", "3", "66.7%")]
    assert figures(table, "split") == [("产品质量", "1", "1", "1"), ("其他", "2", "2", "2")]


def test_three_of_one_lot_within_thirty_days_are_a_cluster(bench: Bench) -> None:
    days = ["2026-01-01", "2026-03-01", "2026-03-20", "2026-03-31", "2026-06-01"]
    for serial, day in enumerate(days, 1):
        bench.complaint(serial, model="T1", lot_no="L9", received_at=f"{day}T09:00+08:00")
    bench.complaint(6, model="T1", received_at="2026-03-02T09:00+08:00")
    table = bench.build(
        LIST
        + """statistics:
  - {id: cluster, label: 聚集, kind: cluster, by: [model, lot_no], date: received_at, should_be: 0}
"""
    )
    (line,) = result(table, "cluster").lines
    assert (line.group, line.numerator, line.denominator, line.result) == ("T1 / L9", "3", "5", "3 起")
    assert line.detail == "2026-03-01 至 2026-03-31：" + "、".join(f"XX-YLQXJL-018-2026-{n:04d}" for n in (2, 3, 4))
    assert result(table, "cluster").as_it_should_be is False


def test_repeated_rows_are_those_followed_by_another_of_the_same_key_in_time(bench: Bench) -> None:
    for serial, (model, day) in enumerate([("T1", "01-01"), ("T1", "01-20"), ("T1", "06-01"), ("T2", "01-05")], 1):
        bench.complaint(serial, model=model, received_at=f"2026-{day}T09:00+08:00")
    table = bench.build(
        LIST
        + """statistics:
  - {id: again, label: 重复, kind: recurrence, by: model, date: received_at, days: 30}
  - {id: once, label: 一次, kind: recurrence, by: model, date: received_at, days: 30, without: true}
"""
    )
    assert figures(table, "again") == [("", "1", "4", "25.0%")]
    assert figures(table, "once") == [("", "3", "4", "75.0%")]


def test_one_row_per_key_shows_the_newest_record_and_what_is_looked_up_for_it(bench: Bench) -> None:
    bench.complaint(1, at="2026-05-02T09:00:00+08:00", customer="甲", model="旧")
    bench.complaint(2, at="2026-05-03T09:00:00+08:00", customer="甲", model="新")
    bench.complaint(3, at="2026-05-04T09:00:00+08:00", customer="乙", model="乙型")
    bench.complaint(4, entry(4, act=Act.VOIDED, values={}, reason="x"), customer="甲", model="作废的")
    bench.sale(1, customer="甲", sale_date="2026-02-01", quantity="2")
    bench.sale(2, customer="甲", sale_date="2026-01-01", quantity="3")
    table = bench.build("""
source: records
forms: [XX-YLQXJL-018]
one_row_per: [customer]
lookups:
  sales: {form: XX-YLQXJL-010, match: {customer: customer}, take: count}
  sold: {form: XX-YLQXJL-010, match: {customer: customer}, take: sum, value: quantity}
  last_sale: {form: XX-YLQXJL-010, match: {customer: customer}, take: max, value: sale_date}
  every: {form: XX-YLQXJL-010, match: {customer: customer}, take: all, value: sale_date, where: quantity > 2}
columns:
  - {key: customer, label: 客户}
  - {key: model, label: 型号}
  - {key: sales, label: 次数, type: integer}
  - {key: sold, label: 数量}
  - {key: last_sale, label: 最近, type: date}
  - {key: every, label: 各次}
statistics:
  - {id: none, label: 没有销售, kind: count, of: sales == 0, should_be: 0}
""")
    assert [row[1:-2] for row in texts(table)] == [
        ["甲", "新", "2", "5", "2026-02-01", "2026-01-01"],
        ["乙", "乙型", "0", "", "", ""],
    ]
    assert figures(table, "none") == [("", "1", "2", "1")]
    assert result(table, "none").as_it_should_be is False


def test_one_row_for_every_row_of_a_table(bench: Bench) -> None:
    bench.complaint(1, parts=[{"part_no": "P-1", "qty": "2"}, {"part_no": "P-2", "qty": "1"}])
    bench.complaint(2)
    table = bench.build("""
source: records
forms: [XX-YLQXJL-018]
each: parts
columns:
  - {key: part, label: 配件, value: row.part_no}
  - {key: qty, label: 数量, value: row.qty, type: integer}
statistics: [{id: used, label: 用量, kind: sum, value: row.qty}]
""")
    assert [row[:3] for row in texts(table)] == [
        ["XX-YLQXJL-018-2026-0001", "P-1", "2"],
        ["XX-YLQXJL-018-2026-0001", "P-2", "1"],
    ]
    assert figures(table, "used") == [("", "3", "2", "3")]


def test_values_of_a_linked_record_can_be_shown(bench: Bench) -> None:
    bench.sale(1, customer="甲", sale_date="2026-02-01")
    bench.complaint(1, sale_ref="XX-YLQXJL-010-2026-0001")
    bench.complaint(2, sale_ref="XX-YLQXJL-010-2026-0077")
    table = bench.build("""
source: records
forms: [XX-YLQXJL-018]
columns: [{key: sold, label: 销售日期, value: linked(sale_ref).sale_date, type: date}]
""")
    assert [row[1] for row in texts(table)] == ["2026-02-01", ""]


def test_gaps_references_that_lead_nowhere_and_unknown_forms_are_reported(bench: Bench) -> None:
    bench.complaint(1, sale_ref="XX-YLQXJL-010-2026-0077")
    bench.complaint(4, entry(4, act=Act.VOIDED, values={}, reason="x"))
    bench.file(entry(1, form="XX-YLQXJL-099", values={}))
    found = bench.build("source: records\nforms: all\ncolumns: [{key: customer, label: 客户}]\n").summary().completeness
    assert [(r.form, r.year, r.given, r.filed, r.voided, r.missing_text) for r in found.runs] == [
        ("XX-YLQXJL-018", 2026, 4, 1, 1, "0002–0003"),
        ("XX-YLQXJL-099", 2026, 1, 1, 0, ""),
    ]
    assert found.dangling == (("XX-YLQXJL-018-2026-0001", "sale_ref", "XX-YLQXJL-010-2026-0077"),)
    assert found.unknown_forms == (("XX-YLQXJL-099", 1),)
    assert not found.complete


def test_what_cannot_be_worked_out_is_blank_and_counted(bench: Bench) -> None:
    bench.complaint(1, customer="甲")
    bench.complaint(2, customer="乙", received_at="2026-05-01T09:00+08:00")
    table = bench.build("""
source: records
forms: [XX-YLQXJL-018]
columns: [{key: late, label: 晚, value: received_at > now, type: bool}]
""")
    assert [row[1] for row in texts(table)] == ["", "否"]
    assert table.summary().completeness.failures == (("列 晚", 1),)


def test_forms_are_listed_with_how_they_were_used(bench: Bench) -> None:
    bench.complaint(1)
    bench.complaint(2, entry(2, act=Act.VOIDED, values={}, reason="x"))
    table = bench.build("""
source: forms
columns:
  - {key: number, label: 编号, value: form.number}
  - {key: records, label: 记录数, value: form.records, type: integer}
  - {key: voided, label: 作废, value: form.voided, type: integer}
  - {key: last, label: 最近, value: date_of(form.last_used), type: date}
statistics: [{id: unused, label: 未使用, kind: count, of: form.records == 0}]
""")
    assert texts(table) == [["XX-YLQXJL-010", "0", "0", ""], ["XX-YLQXJL-018", "2", "1", "2026-05-01"]]
    assert figures(table, "unused") == [("", "1", "2", "1")]


def test_documents_are_listed_and_what_later_work_adds_is_blank(bench: Bench) -> None:
    number = DocumentNumber("XX-YLQXCX-014")
    bench.documents_known = [
        ControlledDocument(number, "售后服务质量控制管理程序", Revision("A/0"), "程序", "售后服务部")
    ]
    table = bench.build("""
source: documents
columns:
  - {key: number, label: 编号, value: document.number}
  - {key: class, label: 类别, value: document.class}
  - {key: approved_on, label: 批准日期, value: document.approved_on, type: date}
""")
    assert texts(table) == [["XX-YLQXCX-014", "程序", ""]]


def test_every_entry_of_every_chain_is_listed_for_the_audit_trail(bench: Bench) -> None:
    bench.complaint(
        1, entry(1, act=Act.CORRECTED, values={"customer": "甲医院"}, reason="写错"), customer="甲", content="x"
    )
    table = bench.build("""
source: entries
columns:
  - {key: record, label: 记录, value: entry.record}
  - {key: seq, label: 序号, value: entry.sequence, type: integer}
  - {key: act, label: 操作, value: entry.act_label}
  - {key: stage, label: 阶段, value: entry.stage}
  - {key: fields, label: 字段, value: entry.fields}
  - {key: reason, label: 原因, value: entry.reason}
  - {key: at, label: 时间, value: entry.at, type: datetime}
statistics: [{id: corrections, label: 更正率, kind: ratio, where: entry.act == 'corrected'}]
""")
    number = RecordNumber("XX-YLQXJL-018-2026-0001").text
    assert texts(table) == [
        [number, "1", "登记", "已登记", "投诉内容、客户", "", "2026-05-01 09:30"],
        [number, "2", "更正", "已登记", "客户", "写错", "2026-05-01 09:30"],
    ]
    assert figures(table, "corrections") == [("", "1", "2", "50.0%")]


def test_a_register_whose_source_is_not_there_yet_builds_empty(bench: Bench) -> None:
    bench.complaint(1)
    table = bench.build("""
source: none
unavailable_reason: 随采购入库功能提供
columns: [{key: number, label: 编号, value: "''"}]
statistics: [{id: all, label: 总数, kind: count}]
""")
    assert texts(table) == []
    assert (table.summary().rows, table.summary().statistics) == (0, ())
    assert table.definition.unavailable_reason == "随采购入库功能提供"


def test_a_sensitive_value_is_in_no_row(bench: Bench) -> None:
    bench.complaint(1, content="患者张三丰", customer="甲")
    definition = read_register(HEAD + LIST + "row_if: filled(content)\n", where="register.yml")
    assert [f.code for f in register_findings(definition, bench.forms.definitions)] == ["register-sensitive"]
    table = bench.build(LIST)
    assert "张三丰" not in str(texts(table))
