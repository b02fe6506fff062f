from __future__ import annotations

import pytest
from asn1crypto import core
from hypothesis import example, given
from hypothesis import strategies as st

from controller.file_formats.der import (
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    SET,
    DerReader,
    NotDerError,
    encoded,
    object_identifier,
    set_of,
)


@given(st.integers(0, 70_000))
@example(127)
@example(128)
@example(255)
@example(256)
@example(65_535)
@example(65_536)
def test_what_is_encoded_another_library_and_the_reader_take_back(size: int) -> None:
    content = bytes(size)
    element = encoded(OCTET_STRING, content[: size // 2], content[size // 2 :])
    assert core.OctetString.load(element, strict=True).native == content
    assert DerReader(element).content(OCTET_STRING) == content


@given(st.lists(st.integers(0, 2**70), max_size=5), st.integers(0, 2), st.integers(0, 39))
def test_object_identifiers_are_those_of_another_library(rest: list[int], first: int, second: int) -> None:
    dotted = ".".join(str(number) for number in (first, second, *rest))
    assert object_identifier(dotted) == core.ObjectIdentifier(dotted).dump()
    assert object_identifier(dotted)[0] == OBJECT_IDENTIFIER


def test_a_set_is_written_in_ascending_order() -> None:
    one, two = encoded(INTEGER, b"\x01"), encoded(INTEGER, b"\x02")
    assert set_of(SET, [two, one]) == set_of(SET, [one, two]) == b"\x31\x06" + one + two


def test_elements_are_taken_in_turn() -> None:
    reader = DerReader(encoded(SEQUENCE, encoded(INTEGER, b"\x05"), encoded(SEQUENCE), encoded(OCTET_STRING, b"ab")))
    inner = reader.only(SEQUENCE)
    assert inner.tag() == INTEGER
    assert inner.whole(INTEGER) == b"\x02\x01\x05"
    assert not inner.inside(SEQUENCE).more()
    assert inner.elements() == [b"\x04\x02ab"]
    assert inner.tag() == -1
    inner.done()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x04",
        b"\x04\x02a",
        b"\x04\x80a\x00\x00",
        b"\x04\x81\x01a",
        b"\x04\x81\x7f" + bytes(127),
        b"\x04\x82\x00\x80" + bytes(128),
        b"\x04\x85\x00\x00\x00\x00\x01a",
        b"\x04\x84\xff\xff\xff\xff",
        b"\x04\x82\x01",
        b"\x24\x03\x04\x01a",
        b"\x05\x00",
    ],
    ids=[
        "nothing",
        "no length",
        "cut off",
        "indefinite length",
        "long form of a short length",
        "127 in long form",
        "leading zero",
        "five length bytes",
        "longer than the file",
        "length cut off",
        "in pieces",
        "another tag",
    ],
)
def test_what_der_does_not_allow_is_refused(data: bytes) -> None:
    with pytest.raises(NotDerError):
        DerReader(data).content(OCTET_STRING)


def test_what_is_left_over_is_refused() -> None:
    data = b"\x05\x00\x05\x00"
    with pytest.raises(NotDerError):
        DerReader(data).only(0x05)
    reader = DerReader(data)
    reader.fixed(b"\x05\x00")
    with pytest.raises(NotDerError):
        reader.done()
    with pytest.raises(NotDerError):
        reader.fixed(b"\x05\x00\x05")


def test_an_inner_element_cannot_reach_beyond_its_outer_one() -> None:
    inner = DerReader(b"\x30\x03\x04\x02ab").inside(SEQUENCE)
    with pytest.raises(NotDerError):
        inner.content(OCTET_STRING)


@given(st.binary(max_size=60))
@example(b"\x1f\x81\x01\x00")
def test_hostile_bytes_raise_nothing_else(data: bytes) -> None:
    try:
        found = DerReader(data).elements()
    except NotDerError:
        return
    assert b"".join(found) == data
