from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.chinese_numeral import read_numeral, write_numeral


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("一", 1),
        ("十", 10),
        ("十一", 11),
        ("二十", 20),
        ("二十五", 25),
        ("一百零五", 105),
        ("一〇五", 105),
        ("１２", 12),
        ("7", 7),
    ],
)
def test_a_clause_numeral_is_read_however_it_is_written(text: str, value: int) -> None:
    assert read_numeral(text) == value


@pytest.mark.parametrize("text", ["", "第", "十十", "百千", "一个", "1a", "二百三千"])
def test_what_is_no_numeral_has_no_value(text: str) -> None:
    assert read_numeral(text) is None


@given(st.integers(min_value=1, max_value=9999))
def test_every_written_numeral_is_read_back(value: int) -> None:
    assert read_numeral(write_numeral(value)) == value


def test_ten_and_hundred_are_written_as_in_clauses() -> None:
    assert [write_numeral(value) for value in (8, 10, 14, 20, 31, 105, 110)] == [
        "八", "十", "十四", "二十", "三十一", "一百零五", "一百一十",
    ]  # fmt: skip
