"""Checking what people entered: all problems at once, each with label, value, rule and what would be right."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.domain.form import Level
from controller.domain.identifiers import Digest
from controller.domain.record import Attachment
from tests.form_samples import GOOD, check, sample_form, told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.domain.record import Wire


def test_good_values_become_what_is_stored() -> None:
    checked = check(
        {**GOOD, "quantity": 3, "price": Decimal("12.50"), "topics": "其他、质量", "made_on": "2026年2月1日"}
    )
    assert told(checked) == []
    assert checked.ok
    assert checked.wire == {
        "goods_name": "输液泵",
        "lot_no": "A1",
        "made_on": "2026-02-01",
        "called_at": "2026-05-19T09:30+08:00",
        "channel": "电话",
        "topics": ["质量", "其他"],
        "content": "开机后报警不停",
        "urgent": False,
        "slow": False,
        "quantity": "3",
        "price": "12.50",
        "writer": {"person": "p1", "name": "王芳"},
    }


def test_all_problems_are_told_at_once_with_label_value_rule_and_what_would_be_right() -> None:
    checked = check(
        {
            "goods_name": "泵",
            "chanel": "x",
            "called_at": "2026-05-21 10:00",
            "channel": "电活",
            "quantity": "101",
            "price": "十元",
            "made_on": "2026-02-30",
            "email": "a@b",
            "code": "ab12",
        }
    )
    assert not checked.ok
    assert told(checked) == [
        "chanel：本表单没有这个字段。是否想写 channel（方式）？",
        "品名：“泵”只有 1 个字。至少 2 个字",
        "生产日期：“2026-02-30”没有这一天。例如 2026-05-01",
        "来电时间：“2026-05-21T10:00+08:00”晚于现在。应不晚于 2026-05-20 10:00",
        "方式：“电活”不在可选项之中。是否想选“电话”？可选：电话、来访、邮件",
        "邮箱：“a@b”不是电子邮箱。例如 name@example.com",
        "数量：“101”大于上限 100。应在 1 到 100 之间",
        "单价：“十元”不是数字。只写数字，例如 12.50",
        "代码：“ab12”写法与要求不符。例如 AB12",
        "批号：在现在的情况下必填（“序列号”未填）。批号、序列号至少填一项",
        "内容：从“已登记”阶段起必填。请填写这一项",
    ]


def test_values_may_stand_under_the_printed_label() -> None:
    checked = check(
        {"品名": "输液泵", "批号": "A1", "来电时间": "2026-05-19 09:30", "方式": "电话", "内容": "报警不停"}
    )
    assert told(checked) == []
    assert checked.wire["goods_name"] == "输液泵"


@pytest.mark.parametrize("place", ["content", "内容"])
@pytest.mark.parametrize("secret", ["张三三", "张三三" * 40, "张三三\x00甲"])
def test_a_sensitive_value_never_stands_in_a_problem(place: str, secret: str) -> None:
    values = {key: value for key, value in GOOD.items() if key != "content"}
    checked = check({**values, place: secret})
    assert not checked.ok
    for problem in checked.problems:
        assert "张" not in f"{problem.text}{problem.value}{problem.rule}{problem.right}{problem.label}"
    assert "***" in told(checked)[0]


def test_a_value_under_an_unknown_name_is_not_repeated() -> None:
    checked = check({**GOOD, "patient": "张三三"})
    assert "张三三" not in str(checked.problems)


@pytest.mark.parametrize(
    ("key", "typed", "rule"),
    [
        ("quantity", "0", "小于下限 1"),
        ("quantity", "1.5", "不是整数"),
        ("quantity", True, "不是整数"),
        ("price", 12.5, "不是数字"),
        ("price", "-1", "小于下限 0"),
        ("price", "1e5", "不是数字"),
        ("price", "１２,000", "不是数字"),
        ("called_at", "2026-05-19", "只有日期，缺少时间"),
        ("called_at", "昨天", "不是日期和时间"),
        ("called_at", "2026-05-19 25:00", "没有这个时间"),
        ("made_on", "2026-05-21", "晚于今天"),
        ("urgent", "也许", "不是“是”或“否”"),
        ("goods_name", "两\n行", "应为一行文字"),
        ("goods_name", ["a"], "不是文字"),
        ("goods_name", "a\x07b", "含有不可打印的控制字符"),
        ("goods_name", "长" * 21, "有 21 个字，过长"),
        ("topics", ["质量", "物流"], "不在可选项之中"),
        ("phone", "12", "不是电话号码"),
        ("handler", "王方", "没有这位在册人员"),
        ("handler", "赵敏", "有几位同名人员"),
        ("handler", "钱进", "该人员已不在册"),
        ("earlier", "AB-YLQXJL-002-2026-0001", "不是所要求表单的记录"),
        ("earlier", "18号", "不是记录编号"),
        ("rule_text", "AB-YLQXXX-001", "不是文件编号"),
        ("photo", "没有.jpg", "找不到附件文件"),
        ("sign", "已签", "不是外部签名"),
        ("sign", {"kind": "口头"}, "外部签名的方式（kind）不对"),
        ("sign", {"kind": "拒签"}, "没有签名时缺少原因"),
        ("sign", {"kind": "纸质签字", "name": "张"}, "外部签名缺少 at"),
        ("sign", {"kind": "纸质签字", "name": "张", "at": "2026-05-01"}, "外部签名缺少扫描件或截图"),
        ("hours", "3", "由系统计算，不能填写"),
        ("writer", "李强", "由系统写入当前登录人，不能填写"),
        ("scan", "ABC", "不认识的应用标识“ABC”"),
        ("parts", "三个", "不是表格"),
    ],
)
def test_each_kind_of_wrong_value_has_its_own_words(key: str, typed: object, rule: str) -> None:
    checked = check({**GOOD, key: typed})
    assert not checked.ok
    assert [str(problem.rule) for problem in checked.problems] == [rule]
    assert str(checked.problems[0].right)


def test_numbers_keep_the_digits_that_were_typed() -> None:
    assert check({**GOOD, "price": "012.500"}).wire["price"] == "012.500"
    assert check({**GOOD, "price": Decimal("12.50")}).wire["price"] == "12.50"
    assert check({**GOOD, "price": "１２．５"}).wire["price"] == "12.5"


def test_people_are_found_by_name_or_number() -> None:
    assert check({**GOOD, "handler": "李强"}).wire["handler"] == {"person": "p2", "name": "李强"}
    assert check({**GOOD, "helpers": "李强、p3"}).wire["helpers"] == [
        {"person": "p2", "name": "李强"},
        {"person": "p3", "name": "赵敏"},
    ]


def test_attachments_are_named_by_digest() -> None:
    photo = Attachment("1.jpg", Digest.of(b"jpg"), 3)
    checked = check({**GOOD, "photo": "照片/1.jpg"}, attachments={"照片/1.jpg": photo})
    assert checked.wire["photo"] == [{"name": "1.jpg", "digest": Digest.of(b"jpg").text, "size": "3"}]


# ---- stages


def test_a_later_stage_asks_for_everything_on_the_way_to_it() -> None:
    checked = check(GOOD, stage="closed")
    assert [problem.label for problem in checked.problems if problem.code == "required"] == [
        "答复时间",
        "处理人",
        "更换配件",
    ]


def test_a_stage_on_another_branch_asks_for_nothing() -> None:
    answered = {**GOOD, "answered_at": "2026-05-19 12:00", "handler": "李强", "parts": [{"part_no": "P1", "qty": 1}]}
    assert told(check(answered, stage="closed")) == []


def test_the_guard_of_the_stage_is_checked() -> None:
    values = {
        **GOOD,
        "channel": "邮件",
        "answered_at": "2026-05-19 12:00",
        "handler": "p2",
        "parts": [{"part_no": "P", "qty": 1}],
    }
    assert [problem.code for problem in check(values, stage="closed").problems] == ["guard"]
    assert told(check(values, stage="answered")) == []


def test_pending_is_a_value_until_the_stage_that_needs_the_real_one() -> None:
    values = {**GOOD, "handler": "待补", "answered_at": "2026-05-19 12:00"}
    assert check(values).wire["handler"] == {"pending": True}
    refused = check(values, stage="answered")
    assert told(refused) == ["处理人：“待补”到“已答复”阶段不能再是“待补”。请填写这一项"]


def test_a_rule_counts_from_its_stage_on() -> None:
    values = {**GOOD, "checks": {"外观": "合格", "通电": "不合格"}}
    assert told(check(values)) == []
    later = {**values, "answered_at": "2026-05-19 12:00", "handler": "p2", "parts": [{"part_no": "P", "qty": 1}]}
    assert told(check(later, stage="closed")) == ["检查项：“外观 合格;通电 不合格”检查项应全部合格。请核对后改正"]


def test_the_performer_is_written_by_the_entry_that_reaches_the_stage() -> None:
    before: Mapping[str, Wire] = {
        **check(
            {**GOOD, "answered_at": "2026-05-19 12:00", "handler": "p2", "parts": [{"part_no": "P", "qty": 1}]}
        ).wire,
        "writer": {"person": "p9", "name": "孙红"},
    }
    assert "closer" not in check({}, stage="answered", before=before).wire
    assert check({}, stage="closed", before=before).wire == {"closer": {"person": "p1", "name": "王芳"}}


# ---- later entries


def test_a_later_entry_stores_only_what_it_changes() -> None:
    before = check(GOOD).wire
    checked = check({"goods_name": "输液泵", "lot_no": "A2"}, before=before)
    assert told(checked) == []
    assert checked.wire == {"lot_no": "A2"}


def test_a_blank_cell_leaves_a_value_alone_and_an_explicit_null_clears_it() -> None:
    before = check({**GOOD, "serial_no": "S1"}).wire
    assert check({"serial_no": "  "}, before=before).wire == {}
    assert check({"serial_no": None}, before=before).wire == {"serial_no": None}
    assert [problem.code for problem in check({"content": None}, before=before).problems] == ["required"]


def test_computed_values_follow_what_they_are_computed_from() -> None:
    before = check(GOOD).wire
    checked = check({"answered_at": "2026-05-19 12:00", "handler": "p2"}, stage="answered", before=before)
    assert checked.wire["hours"] == "2.5"
    later = check({"answered_at": "2026-05-20 09:31", "handler": "p2"}, stage="answered", before=before)
    assert (later.wire["hours"], later.wire["slow"]) == ("24.02", True)


# ---- conditions and rules


def test_a_value_in_a_field_that_is_not_asked_is_contradictory() -> None:
    checked = check({**GOOD, "no_expiry": "是", "expires_on": "2027-01-01"})
    assert told(checked) == [
        "失效日期：“2027-01-01”在现在的情况下不适用（“无有效期”未填或“无有效期”不为是）。清空这一项，或改正与它矛盾的内容"
    ]


def test_required_if_asks_only_when_its_condition_holds() -> None:
    assert told(check({**GOOD, "urgent": "否"})) == []
    assert told(check({**GOOD, "urgent": True})) == ["上报对象：在现在的情况下必填（“紧急”为是）。请填写这一项"]


def test_a_broken_rule_refuses_and_a_warning_only_speaks() -> None:
    early = check({**GOOD, "answered_at": "2026-05-18 09:00"})
    assert told(early) == ["答复时间：“2026-05-18 09:00”答复不能早于来电。请核对后改正"]
    values = {**GOOD, "called_at": "2026-05-15 09:00", "answered_at": "2026-05-19 12:00", "permit": "X"}
    late = check(values)
    assert late.ok
    assert [problem.level for problem in late.problems] == [Level.WARNING, Level.WARNING]
    assert late.warnings == ("pattern-permit", "soon")


def test_a_rule_about_a_value_that_could_not_be_read_is_not_told_as_well() -> None:
    checked = check({**GOOD, "answered_at": "明天"})
    assert [problem.code for problem in checked.problems] == ["type"]


# ---- late entry


@pytest.mark.parametrize(
    ("called", "limit", "asked"),
    [
        # 18 May is a holiday here: from the 14th to the 20th three working days pass, from the 13th four.
        ("2026-05-14 09:00", 3, False),
        ("2026-05-13 09:00", 3, True),
        ("2026-05-13 09:00", 4, False),
    ],
)
def test_an_entry_made_late_needs_a_reason(called: str, limit: int, *, asked: bool) -> None:
    checked = check({**GOOD, "called_at": called}, late_entry_workdays=limit)
    assert [problem.code for problem in checked.problems] == (["late-entry"] if asked else [])
    assert told(check({**GOOD, "called_at": called, "late_entry_reason": "外出服务"}, late_entry_workdays=limit)) == []


def test_a_later_entry_is_not_late_for_an_old_event() -> None:
    before = {**check(GOOD).wire, "called_at": "2026-01-05T09:00+08:00"}
    assert told(check({"lot_no": "A3"}, before=before)) == []


# ---- tables


def test_problems_in_a_table_name_row_and_column() -> None:
    rows = [
        {"part_no": "P1", "qty": "2"},
        {"配件编号": "P2", "数量": "零"},
        {"qty": 0},
        {"part_no": "P4", "qty": 1, "数目": 3},
    ]
    checked = check({**GOOD, "parts": rows})
    assert told(checked) == [
        "更换配件 第2行 数量：“零”不是整数。只写整数，例如 12",
        "更换配件 第3行 配件编号：必填。填写这一格，或删去整行",
        "更换配件 第3行 数量：“0”小于下限 1。应不小于 1",
        "更换配件 第4行 数目：表格没有这一列。是否想写 数量？",
    ]


def test_empty_rows_are_left_out() -> None:
    checked = check({**GOOD, "parts": [{"part_no": "P1", "qty": 2}, {"part_no": "", "qty": None}]})
    assert checked.wire["parts"] == [{"part_no": "P1", "qty": "2"}]


def test_a_check_list_may_be_written_short_but_must_be_whole() -> None:
    whole = [{"item": "外观", "result": "合格"}, {"item": "通电", "result": "合格"}]
    assert check({**GOOD, "checks": {"外观": "合格", "通电": "合格"}}).wire["checks"] == whole
    assert check({**GOOD, "checks": [{"result": "合格"}, {"result": "合格"}]}).wire["checks"] == whole
    assert told(check({**GOOD, "checks": {"外观": "合格"}})) == ["检查项：缺少规定的行：通电。每一项都要填写"]


def test_a_table_in_a_csv_cell_is_read_as_json() -> None:
    checked = check({**GOOD, "parts": '[{"part_no": "P1", "qty": 2}]'})
    assert checked.wire["parts"] == [{"part_no": "P1", "qty": "2"}]


# ---- UDI


def test_one_scan_fills_the_fields_that_are_blank() -> None:
    values = {key: value for key, value in GOOD.items() if key != "lot_no"}
    checked = check({**values, "scan": "(01)06901234567892(11)260201(17)280500(10)B7(21)S9"})
    assert told(checked) == []
    found = {key: checked.wire[key] for key in ("di", "lot_no", "serial_no", "expires_on", "made_on")}
    assert found == {
        "di": "06901234567892",
        "lot_no": "B7",
        "serial_no": "S9",
        "expires_on": "2028-05-31",
        "made_on": "2026-02-01",
    }


def test_a_scan_that_disagrees_with_what_was_typed_is_told() -> None:
    checked = check({**GOOD, "scan": "(01)06901234567892(10)B7"})
    assert told(checked) == ["批号：“A1”与“扫描”扫描的内容不一致。扫描得到“B7”，请核对标签"]


_anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.decimals(allow_nan=False), st.text(max_size=30)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)


@settings(max_examples=150)
@given(st.dictionaries(st.sampled_from([field.key for field in sample_form().fields]), _anything, max_size=6))
def test_whatever_is_typed_is_answered_with_problems_never_a_crash(values: dict[str, object]) -> None:
    checked = check({**GOOD, **values}, stage="closed")
    for problem in checked.problems:
        assert str(problem.text)
    if checked.ok:
        assert told(check({}, stage="closed", before=checked.wire)) == []
