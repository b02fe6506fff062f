"""Strict YAML: what is read, what is refused, and that writing reads back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.file_formats.yaml_text import (
    MAX_BYTES,
    YamlAnchorError,
    YamlDuplicateKeyError,
    YamlManyDocumentsError,
    YamlTabError,
    YamlTagError,
    YamlTextError,
    YamlTooDeepError,
    YamlTooLargeError,
    dump_yaml,
    load_yaml,
    load_yaml_with_lines,
)


def test_words_that_mean_yes_in_old_yaml_stay_text() -> None:
    assert load_yaml("[yes, no, on, off, y, 是, 否, 否-非质量问题]", where="a") == [
        "yes", "no", "on", "off", "y", "是", "否", "否-非质量问题",
    ]  # fmt: skip


def test_true_false_and_null_are_read_in_the_spellings_of_yaml_1_2() -> None:
    assert load_yaml("[true, False, TRUE, null, ~, '', 'true']", where="a") == [
        True,
        False,
        True,
        None,
        None,
        "",
        "true",
    ]


def test_numbers_keep_the_digits_that_were_typed() -> None:
    value = load_yaml("[12, 12.50, -3, 0.10, 007, 1e3, +5, .5, 0x10, 1_000, 12:30, -0]", where="a")
    assert value == [
        12,
        Decimal("12.50"),
        -3,
        Decimal("0.10"),
        "007",
        "1e3",
        "+5",
        ".5",
        "0x10",
        "1_000",
        "12:30",
        "-0",
    ]
    assert str(value[1]) == "12.50"


def test_dates_stay_text() -> None:
    assert load_yaml("d: 2026-05-01", where="a") == {"d": "2026-05-01"}


def test_keys_are_text_as_typed() -> None:
    assert load_yaml("1: a\ntrue: b\n电话: c", where="a") == {"1": "a", "true": "b", "电话": "c"}


def test_an_empty_file_is_nothing() -> None:
    assert load_yaml("# 只有注释\n", where="a") is None


@pytest.mark.parametrize(
    ("text", "error", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", YamlDuplicateKeyError, 3),
        ("a: {x: 1, x: 2}", YamlDuplicateKeyError, 1),
        ("a:\n\tb: 1\n", YamlTabError, 2),
        ("a:\n  \tb: 1\n", YamlTabError, 2),
        ("a: 1\nb: &x [1]\n", YamlAnchorError, 2),
        ("a: *x\n", YamlAnchorError, 1),
        ("&k a: 1\n", YamlAnchorError, 1),
        ("a: !!python/object/apply:os.system [ls]\n", YamlTagError, 1),
        ("a: !!int '3'\n", YamlTagError, 1),
        ("---\na: 1\n---\nb: 2\n", YamlManyDocumentsError, 3),
        ("a: 1\n<<: {b: 2}\n", YamlTextError, 2),
        ("? [a, b]\n: 1\n", YamlTextError, 1),
        ("a: [1, 2\nb: 3\n", YamlTextError, 2),
        ("a: 'open\n", YamlTextError, 2),
        ("a: \x00\n", YamlTextError, 1),
        ("a: b: c\n", YamlTextError, 1),
        ("a: 1\nx: " + "[" * 30 + "]" * 30, YamlTooDeepError, 2),
        ("a: \ud800\n", YamlTextError, 1),
        ("a" * (MAX_BYTES + 1), YamlTooLargeError, 1),
        ("药" * (MAX_BYTES // 3 + 1), YamlTooLargeError, 1),
    ],
)
def test_a_dangerous_or_broken_text_is_refused_with_its_line(text: str, error: type[YamlTextError], line: int) -> None:
    with pytest.raises(YamlTextError) as caught:
        load_yaml(text, where="form.yml")
    assert type(caught.value) is error
    assert caught.value.line == line
    assert caught.value.hint is not None
    assert str(caught.value).startswith(f"form.yml 第 {line} 行：")


def test_a_bomb_of_aliases_is_refused_before_it_grows() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
    with pytest.raises(YamlAnchorError):
        load_yaml(bomb, where="bomb.yml")


def test_deep_nesting_is_refused_however_deep_it_is() -> None:
    with pytest.raises(YamlTooDeepError):
        load_yaml("[" * 400_000, where="deep.yml")


def test_every_key_and_item_knows_its_line() -> None:
    data, lines = load_yaml_with_lines("a: 1\nb:\n  - x\n  - {c: 2}\n# 注\nd: {e: 3}\n", where="a")
    assert data == {"a": 1, "b": ["x", {"c": 2}], "d": {"e": 3}}
    assert lines == {
        ("a",): 1, ("b",): 2, ("b", 0): 3, ("b", 1): 4, ("b", 1, "c"): 4, ("d",): 6, ("d", "e"): 6,
    }  # fmt: skip


_values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(min_value=-(10**30), max_value=10**30),
        st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9),
        st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=20),
        st.sampled_from(
            ["true", "null", "~", "12", "1.50", "<<", "- a", "a: b", "#", "&x", "*y", "!t", "是", "2026-05-01"]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@given(_values)
def test_what_is_written_reads_back_the_same(data: Any) -> None:
    back = load_yaml(dump_yaml({"data": data}), where="a")["data"]
    assert back == data
    assert repr(back) == repr(data)


def test_chinese_stays_readable_and_keys_keep_their_order() -> None:
    assert dump_yaml({"标题": "质量投诉", "a": [Decimal("1.50"), "1.50"]}) == "标题: 质量投诉\na:\n- 1.50\n- '1.50'\n"
