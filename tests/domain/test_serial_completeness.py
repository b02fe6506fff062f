from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from controller.domain.serial_completeness import GivenNumber, serial_runs

FORM = "XX-YLQXJL-018"


def given_number(serial: int, *, voided: bool = False, year: int = 2026, form: str = FORM) -> GivenNumber:
    return GivenNumber(f"{form}-{year}-{serial:04d}", form, year, serial, voided)


def test_numbers_without_a_gap_are_complete() -> None:
    (run,) = serial_runs([given_number(1), given_number(2, voided=True), given_number(3)])
    assert (run.given, run.filed, run.voided, run.missing, run.complete) == (3, 2, 1, [], True)


def test_gaps_at_the_beginning_and_in_the_middle_are_missing() -> None:
    (run,) = serial_runs([given_number(3), given_number(4), given_number(9)])
    assert run.missing == [(1, 2), (5, 8)]
    assert run.missing_text == "0001–0002、0005–0008"
    assert not run.complete


def test_a_serial_written_with_more_digits_is_the_same_serial_twice() -> None:
    twice = GivenNumber(f"{FORM}-2026-00001", FORM, 2026, 1, voided=False)
    (run,) = serial_runs([given_number(1), twice])
    assert (run.given, run.filed, run.doubled, run.complete) == (1, 1, [f"{FORM}-2026-00001"], False)


def test_every_form_and_year_is_counted_for_itself() -> None:
    numbers = [given_number(1, year=2025), given_number(1), given_number(1, form="XX-YLQXJL-019")]
    assert [(run.form, run.year, run.given) for run in serial_runs(numbers)] == [
        (FORM, 2025, 1), (FORM, 2026, 1), ("XX-YLQXJL-019", 2026, 1),
    ]  # fmt: skip


def test_an_enormous_gap_is_told_in_one_stretch() -> None:
    (run,) = serial_runs([given_number(1), given_number(9_999_999)])
    assert (run.missing_count, run.missing) == (9_999_997, [(2, 9_999_998)])


@given(st.lists(st.tuples(st.integers(1, 60), st.booleans()), min_size=1, max_size=40))
def test_given_is_always_filed_and_void_and_missing(serials: list[tuple[int, bool]]) -> None:
    numbers = [given_number(serial, voided=voided) for serial, voided in sorted(serials)]
    (run,) = serial_runs(numbers)
    assert run.given == run.filed + run.voided + run.missing_count == max(serial for serial, _ in serials)
    assert len(run.doubled) == len(serials) - len({serial for serial, _ in serials})
