"""Reading GS1 element strings."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.check_characters import gs1_check_digit, gtin_ok
from controller.domain.udi import Udi, UdiError, parse_udi

TODAY = date(2026, 5, 20)
WHOLE = Udi("06901234567892", lot="A123", serial="S-9", expiry=date(2028, 5, 31), production=date(2026, 2, 1))


@pytest.mark.parametrize(
    "code",
    [
        "(01)06901234567892(11)260201(17)280531(10)A123(21)S-9",
        "010690123456789211260201172805311" + "0A123\x1d21S-9",
        "]C1010690123456789211260201172805311" + "0A123\x1d21S-9",
        "]d2010690123456789221S-9\x1d10A123\x1d1126020117280531",
        "\x1d010690123456789211260201172805311" + "0A123\x1d\x1d21S-9\x1d",
        "  (01)06901234567892(11)260201(17)280500(10)A123(21)S-9  ",
    ],
)
def test_one_scan_gives_all_parts_however_the_scanner_writes_them(code: str) -> None:
    assert parse_udi(code, today=TODAY) == WHOLE


def test_day_00_means_the_last_day_of_the_month() -> None:
    assert parse_udi("(01)06901234567892(17)280200", today=TODAY).expiry == date(2028, 2, 29)


def test_two_digit_years_lie_within_half_a_century() -> None:
    assert parse_udi("(01)06901234567892(11)990101", today=TODAY).production == date(1999, 1, 1)
    assert parse_udi("(01)06901234567892(17)760101", today=TODAY).expiry == date(2076, 1, 1)


@pytest.mark.parametrize(
    "code",
    [
        "",
        "A123",
        "06901234567892",
        "(10)A123",
        "(01)06901234567893",
        "(01)0690123456789",
        "(01)06901234567892(17)281331",
        "(01)06901234567892(17)280230",
        "(01)06901234567892(17)28053",
        "(01)06901234567892(10)",
        "(01)06901234567892(10)A1(10)B2",
        "(01)06901234567892 (10)A1 x",
        "(01)06901234567892(10)批号",
        "010690123456789210" + "A" * 21,
        "010690123456789299XX",
        "(01)" + "0" * 300,
    ],
)
def test_what_is_no_element_string_is_refused_with_a_reason(code: str) -> None:
    with pytest.raises(UdiError) as caught:
        parse_udi(code, today=TODAY)
    assert str(caught.value.problem)
    assert str(caught.value.right)


@given(st.text(alphabet="0123456789", min_size=13, max_size=13), st.integers(0, 12), st.integers(1, 9))
def test_a_changed_digit_is_always_noticed(body: str, place: int, change: int) -> None:
    number = body + gs1_check_digit(body)
    assert gtin_ok(number)
    other = number[:place] + str((int(number[place]) + change) % 10) + number[place + 1 :]
    assert not gtin_ok(other)


@given(st.text(max_size=40))
def test_any_text_is_read_with_a_right_product_identifier_or_refused(code: str) -> None:
    try:
        found = parse_udi(code, today=TODAY)
    except UdiError:
        return
    assert gtin_ok(found.di)
