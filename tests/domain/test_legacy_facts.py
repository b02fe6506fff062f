"""What old documents write for revision, number, day and name, and what that becomes."""

from __future__ import annotations

import pytest

from controller.domain.document import SigningStep
from controller.domain.legacy_facts import (
    Reading,
    class_of,
    leading_number,
    like_a_form,
    own_number,
    propose_number,
    read_day,
    read_number,
    read_revision,
    read_step,
)


@pytest.mark.parametrize(
    ("typed", "amendment", "expected"),
    [
        ("A/0", "", Reading("A/0", sure=True)),
        ("b／12", "", Reading("B/12", sure=True)),
        ("A", "3", Reading("A/3", sure=True)),
        ("V1.0", "", Reading("A/0", sure=False)),
        ("Ver 2.3", "", Reading("B/3", sure=False)),
        ("REV B", "", Reading("B/0", sure=False)),
        ("第2版", "", Reading("B/0", sure=False)),
        ("第三版第1次修改", "", Reading("C/1", sure=False)),
        ("第2版", "1", Reading("B/1", sure=False)),
        ("00", "", Reading("A/0", sure=False)),
        ("02", "", Reading("A/2", sure=False)),
        ("2", "", Reading("B/0", sure=False)),
        ("2019版", "", None),
        ("第99版", "", None),
        ("修订版", "", None),
        ("", "", None),
    ],
)
def test_old_revisions_become_edition_and_amendment(typed: str, amendment: str, expected: Reading | None) -> None:
    assert read_revision(typed, amendment) == expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("QMST-QP-001", "QMST-QP-001"),
        (" qmst－qp－001 ", "QMST-QP-001"),
        ("W-001", "W-001"),
        ("Q/AZ 01-2019", "Q/AZ 01-2019"),
        ("质管部", None),
        ("ABC", None),
        ("A" * 41 + "-1", None),
    ],
)
def test_numbers_of_any_scheme_are_evened_out(typed: str, expected: str | None) -> None:
    assert read_number(typed) == expected


def test_a_number_at_the_head_of_a_file_name_is_told_from_the_title() -> None:
    assert leading_number("QMST-QP-001 采购控制程序") == ("QMST-QP-001", "采购控制程序")
    assert leading_number("采购控制程序") is None


def test_only_numbers_of_the_own_scheme_stay() -> None:
    assert own_number("XX-YLQXCX-014", "XX") == "XX-YLQXCX-014"
    assert own_number("AB-YLQXCX-014", "XX") is None
    assert own_number("XX-YLQXJL-014", "XX") is None
    assert own_number("QMST-QP-001", "XX") is None


def test_the_serial_is_kept_where_it_is_free_and_gaps_are_left_alone() -> None:
    taken = {"XX-YLQXCX-001", "XX-YLQXCX-007"}
    assert propose_number("QMST-QP-003", "程序", "XX-YLQX", taken) == "XX-YLQXCX-003"
    assert propose_number("QMST-QP-007", "程序", "XX-YLQX", taken) == "XX-YLQXCX-008"
    assert propose_number(None, "程序", "XX-YLQX", taken) == "XX-YLQXCX-008"
    assert propose_number(None, "手册", "XX-YLQX", taken) == "XX-YLQXSC-001"


@pytest.mark.parametrize(
    ("number", "title", "expected"),
    [
        ("QMST-QP-001", "采购控制程序", Reading("程序", sure=True)),
        ("QMST-QP-001", "采购管理制度", Reading("程序", sure=False)),
        (None, "库房管理规定", Reading("制度", sure=False)),
        (None, "售后程序(2020年版)", Reading("程序", sure=True)),
        ("W-001", "采购", None),
    ],
)
def test_number_and_title_tell_the_class(number: str | None, title: str, expected: Reading | None) -> None:
    assert class_of(number, title) == expected


def test_forms_are_told_from_documents() -> None:
    assert like_a_form("QMST-QR-001", "采购") is True
    assert like_a_form(None, "采购申请单") is True
    assert like_a_form("QMST-QP-001", "采购控制程序") is False


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("2019年3月1日", "2019-03-01"),
        ("2019.03.01", "2019-03-01"),
        ("20190301", "2019-03-01"),
        ("二〇一九年十二月二十五日", "2019-12-25"),
        ("2019-13-01", None),
        ("2019年3月", None),
        ("去年", None),
    ],
)
def test_days_are_read_in_every_usual_manner(typed: str, expected: str | None) -> None:
    assert read_day(typed) == expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("张三 2019.3.1", SigningStep("张三", "2019-03-01")),
        ("张 三　日期：2019年3月1日", SigningStep("张三", "2019-03-01")),
        ("张三", SigningStep("张三")),
        ("　年　月　日", None),
        ("2019-03-01", None),
        ("", None),
    ],
)
def test_name_and_day_are_told_apart(typed: str, expected: SigningStep | None) -> None:
    assert read_step(typed) == expected
