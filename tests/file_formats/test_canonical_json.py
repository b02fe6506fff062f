from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from controller.file_formats.canonical_json import DEEPEST, NotCanonicalError, decode, encode

if TYPE_CHECKING:
    from controller.domain.record import Wire

wire_values: st.SearchStrategy[Wire] = st.recursive(
    st.none() | st.booleans() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(wire_values)
def test_decoding_what_was_encoded_gives_the_value_back(value: Wire) -> None:
    assert decode(encode(value)) == value


@given(wire_values)
def test_the_bytes_are_those_of_the_reference_implementation(value: Any) -> None:
    assert encode(value) == rfc8785.dumps(value)


def test_keys_beyond_the_basic_plane_are_ordered_by_utf16_unit() -> None:
    assert encode({"\uff5e": "1", "\U00020bb7": "2"}) == '{"\U00020bb7":"2","\uff5e":"1"}'.encode()


@pytest.mark.parametrize(
    "value", [1, 1.5, float("nan"), b"x", {"a": 1}, ["a", 0.1], {1: "a"}, "\ud800", {"\ud800": "a"}]
)
def test_what_is_not_a_wire_value_is_refused(value: Any) -> None:
    with pytest.raises(NotCanonicalError):
        encode(value)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'{"a":"1","a":"2"}', "键“a”重复"),
        (b'{"a":1}', "数字 1 没有写成文字"),
        (b'{"a":1.50}', "数字 1.50 没有写成文字"),
        (b'{"a":NaN}', "数字 NaN 没有写成文字"),
        (b'{"b":"1","a":"2"}', "第 3 字节起与规范写法不同"),
        (b'{"a": "1"}', "第 6 字节起与规范写法不同"),
        (b'{"a":"\\u4e2d"}', "第 7 字节起与规范写法不同"),
        (b'{"a":"1"}\n', "第 10 字节起与规范写法不同"),
        (b'{"a":"1"', "第 1 行第 9 列无法读懂"),
        (b'"\xff"', "第 2 字节起不是 UTF-8"),
        (b"", "无法读懂"),
        (b'"\\ud800"', "代理字符"),
        (b"[" * 100_000, "嵌套太深"),
    ],
)
def test_other_spellings_are_damage_and_the_message_tells_where(data: bytes, told: str) -> None:
    with pytest.raises(NotCanonicalError) as caught:
        decode(data, where="0001.json")
    assert told in str(caught.value)
    assert caught.value.where == "0001.json"


def test_nesting_has_a_limit_for_writers_and_readers_alike() -> None:
    value: Any = "x"
    for _ in range(DEEPEST):
        value = [value]
    assert decode(encode(value)) == value
    with pytest.raises(NotCanonicalError, match="嵌套太深"):
        encode([value])
