"""Frequencies and deadlines as Chinese texts write them, and what looks like one and is none."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.chinese_numeral import write_numeral
from controller.domain.time_expressions import PER_YEAR, TimeKind, time_expressions

FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


def told(text: str) -> list[tuple[str, str]]:
    """Return what was found: its words, and `F` with times a year, or `D` with amount and unit."""
    found = []
    for item in time_expressions(text):
        amount = f"{item.low:f}{item.unit}" if item.low is not None else item.relation.value
        per_year = f"F{item.per_year.normalize():f}" if item.per_year is not None else "F?"
        shown = per_year if item.kind is TimeKind.FREQUENCY else f"D{amount}"
        found.append((item.wording, shown + ("" if item.sure else "?")))
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("数据每日备份", [("每日", "F365")]),
        ("每个工作日核对", [("每个工作日", "F250")]),
        ("每周检查两次", [("每周", "F104")]),
        ("每月抽查一次", [("每月", "F12")]),
        ("每季度做一次恢复演练", [("每季度做一次", "F4")]),
        ("每半年一次", [("每半年一次", "F2")]),
        ("每年不少于2次", [("每年不少于2次", "F2")]),
        ("每年向客户发放一次征询表", [("每年", "F1")]),
        ("每12个月复审一次", [("每12个月", "F1")]),
        ("每两年再验证", [("每两年", "F0.5")]),
        ("三个月一次", [("三个月一次", "F4")]),
        ("半年一次", [("半年一次", "F2")]),
        ("一年两次", [("一年两次", "F2")]),
        ("质量目标按月统计，逐季汇总", [("按月", "F12"), ("逐季", "F4")]),
        ("定期备份", [("定期", "F??")]),
        ("2小时内响应", [("2小时内", "D2小时")]),
        ("三十日内完成评审", [("三十日内", "D30日")]),
        ("3至5个工作日内答复", [("3至5个工作日内", "D3工作日")]),
        ("半小时内到场", [("半小时内", "D0.5小时")]),
        ("一级24小时、二级48小时、三级72小时内通知", [
            ("24小时", "D24小时"), ("48小时", "D48小时"), ("72小时内", "D72小时"),
        ]),
        ("内部限24小时", [("限24小时", "D24小时")]),
        ("到期前90天和30天提醒", [("前90天", "D90日"), ("30天", "D30日")]),
        ("至少提前 5 个工作日通知", [("提前 5 个工作日", "D5工作日")]),
        ("当日登记，立即上报", [("当日", "Don-the-day"), ("立即", "Dat-once")]),
        ("3月31日前提交自查报告", [("3月31日前", "Dby-date")]),
        ("外地48小时到场", [("48小时", "D48小时?")]),
        ("超过3个工作日才补记的", [("超过3个工作日", "D3工作日?")]),
    ],
)  # fmt: skip
def test_frequencies_and_deadlines_are_read(text: str, expected: list[tuple[str, str]]) -> None:
    assert told(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "保存至有效期后2年，没有有效期的不少于5年",
        "授权有效期一般为12个月",
        "同型号同批次30日内3起及以上",
        "停业一年以上重新经营",
        "距失效日期6个月",
        "计量器具按周期检定，按日期排列",
        "提供24小时服务热线和7×24小时值守",
        "培训不少于24小时",
        "作用时间不少于30分钟",
        "保修期1年内免费维修",
        "同一文件任一日只有一个版本有效",
        "第3日龄，共5天",
        "温度2至8度，每批查验，每名人员登记",
        "年度自查报告",
    ],
)
def test_what_is_kept_valid_or_counted_is_no_deadline(text: str) -> None:
    assert told(text) == []


@given(
    value=st.integers(1, 999),
    written=st.sampled_from(("digits", "full-width", "chinese")),
    unit=st.sampled_from(("分钟", "小时", "个工作日", "日", "天", "个月")),
    mark=st.sampled_from(("内", "以内", "之内")),
    spaced=st.booleans(),
)
def test_a_deadline_is_read_however_its_number_is_written(
    value: int, written: str, unit: str, mark: str, spaced: bool
) -> None:
    number = {
        "digits": str(value), "full-width": str(value).translate(FULL_WIDTH), "chinese": write_numeral(value),
    }[written]  # fmt: skip
    wording = f"{number}{' ' if spaced else ''}{unit}{mark}"
    found = time_expressions(f"受理后{wording}答复客户。")
    assert [(item.wording, item.low, item.kind, item.sure) for item in found] == [
        (wording, Decimal(value), TimeKind.DEADLINE, True)
    ]


@given(count=st.integers(1, 60), times=st.integers(1, 30), unit=st.sampled_from(("日", "周", "月", "季度", "年")))
def test_every_so_many_periods_so_many_times_adds_up_to_the_year(count: int, times: int, unit: str) -> None:
    often = write_numeral(times)
    for text in (f"每{count}个{unit}检查{often}次", f"{write_numeral(count)}个{unit}{times}次"):
        (found,) = time_expressions(text)
        assert found.per_year == (PER_YEAR[unit] / count * times).quantize(Decimal("0.01"))


@given(st.text(alphabet="每一二十半0123456789个小时工作日月年内前后至、，。次当立即保存不少于提限", max_size=40))
def test_no_text_breaks_the_reading_and_nothing_overlaps(text: str) -> None:
    found = time_expressions(text)
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert all(item.wording == text[item.start : item.end].strip() for item in found)
