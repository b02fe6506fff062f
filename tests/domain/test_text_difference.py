"""What was added and removed between two texts: exact for any pair, and marked so that it reads well."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.text_difference import Mark, differences

TEXT = st.text("甲乙丙的。，、a1. %\n", max_size=30)


def marked(old: str, new: str) -> str:
    signs = {Mark.SAME: "{}", Mark.ADDED: "+{}+", Mark.REMOVED: "-{}-"}
    return "".join(signs[item.mark].format(item.text) for item in differences(old, new))


@given(TEXT, TEXT)
def test_both_texts_come_back_exactly_and_no_two_neighbours_are_alike(old: str, new: str) -> None:
    found = differences(old, new)
    assert "".join(item.text for item in found if item.mark is not Mark.ADDED) == old
    assert "".join(item.text for item in found if item.mark is not Mark.REMOVED) == new
    assert all(item.text for item in found)
    assert all(one.mark is not other.mark for one, other in pairwise(found))
    assert (Mark.ADDED, Mark.REMOVED) not in [(one.mark, other.mark) for one, other in pairwise(found)]


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("每半年回访一次。", "每季度回访两次。", "每-半年-+季度+回访-一-+两+次。"),
        ("甲。丙。", "甲。乙。丙。", "甲。+乙。+丙。"),
        ("保存2年", "保存25年", "保存-2-+25+年"),
        ("按 ISO 9001 执行", "按 ISO 13485 执行", "按 ISO -9001-+13485+ 执行"),
        ("温度2.5℃到8.0℃", "温度2℃到8.5℃", "温度-2.5℃到8.0-+2℃到8.5+℃"),
        ("考试合格后上岗", "考试合格后上岗", "考试合格后上岗"),
        ("负责用户访问", "财务报表每月五日前提交", "-负责用户访问-+财务报表每月五日前提交+"),
        ("", "新增", "+新增+"),
    ],
)
def test_marks_read_as_a_person_would_set_them(old: str, new: str, shown: str) -> None:
    assert marked(old, new) == shown


def test_a_very_long_text_is_compared_by_sentence_and_still_exact() -> None:
    old = "".join(f"第{number}句说明记录的保存。" for number in range(900))
    new = old.replace("第450句说明记录", "第450句说明文件").replace("第7句说明记录的保存。", "")
    assert marked(old, new).count("-记录-+文件+") == 1
    assert "".join(item.text for item in differences(old, new) if item.mark is not Mark.REMOVED) == new
