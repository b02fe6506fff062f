from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from controller.domain.expression import Expression
from controller.domain.register import Lookup, Take
from controller.domain.register_lookup import LookupTable, key_of

VALUES: list[tuple[object, str]] = [
    (Decimal(3), "2026-05-02"), (Decimal(5), "2026-05-03"), (Decimal(2), "2026-05-01"), (None, "2026-05-04"),
    (Decimal(3), "2026-05-02"),
]  # fmt: skip


def table(take: Take) -> LookupTable:
    value = None if take is Take.COUNT else Expression.compile("quantity")
    return LookupTable(Lookup("found", ("XX-YLQXJL-010",), {"buyer": Expression.compile("customer")}, take, value))


@pytest.mark.parametrize(
    ("take", "answer", "nothing"),
    [
        (Take.COUNT, Decimal(5), Decimal(0)),
        (Take.LAST, Decimal(5), None),
        (Take.FIRST, Decimal(2), None),
        (Take.SUM, Decimal(13), None),
        (Take.MEAN, Decimal("3.25"), None),
        (Take.MIN, Decimal(2), None),
        (Take.MAX, Decimal(5), None),
        (Take.ALL, [Decimal(3), Decimal(5), Decimal(2)], None),
    ],
)
def test_each_way_of_taking_gives_its_answer_and_its_own_nothing(take: Take, answer: object, nothing: object) -> None:
    found = table(take)
    for place, (value, opened) in enumerate(VALUES):
        found.add(("甲",), value, (opened, f"{place:04d}"))
    assert found.find(("甲",)) == answer
    assert found.find(("乙",)) == nothing
    assert found.find(None) == nothing


def test_a_key_with_a_blank_part_is_no_key() -> None:
    assert key_of(["甲", None]) is None
    assert key_of(["甲", ""]) is None
    assert key_of([[]]) is None
    assert key_of(["甲", date(2026, 5, 1)]) == ("甲", date(2026, 5, 1))


def test_the_same_person_is_the_same_key_under_a_new_name() -> None:
    assert key_of([{"person": "p003", "name": "王芳"}]) == key_of([{"person": "p003", "name": "王芳芳"}])
