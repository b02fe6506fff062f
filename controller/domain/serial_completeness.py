"""编号完整性. Every number that was given must be accounted for: filed, void or missing, and none twice.

A register proves with it that nothing was taken out: numbers given = filed + void + missing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SHOWN = 50
"""Gaps written out; more are counted only."""


@dataclass(frozen=True)
class GivenNumber:
    """已占用的编号. One record number as completeness counts it."""

    number: str
    form: str
    year: int
    serial: int
    voided: bool


@dataclass
class SerialRun:
    """编号区间. All numbers of one form and year."""

    form: str
    year: int
    given: int = 0
    """The highest serial."""
    filed: int = 0
    voided: int = 0
    missing: list[tuple[int, int]] = field(default_factory=list)
    """Gaps as (first, last)."""
    doubled: list[str] = field(default_factory=list)
    """Numbers whose serial another number already has."""

    @property
    def missing_count(self) -> int:
        """How many serials are missing."""
        return sum(last - first + 1 for first, last in self.missing)

    @property
    def complete(self) -> bool:
        """Whether nothing is missing and nothing is doubled."""
        return not self.missing and not self.doubled

    @property
    def missing_text(self) -> str:
        """The gaps as people read them: `0003、0007–0009`."""
        shown = [f"{a:04d}" if a == b else f"{a:04d}–{b:04d}" for a, b in self.missing[:_SHOWN]]
        return "、".join(shown) + ("…" if len(self.missing) > _SHOWN else "")


def serial_runs(numbers: Iterable[GivenNumber]) -> Iterator[SerialRun]:
    """Yield one run for each form and year of `numbers`, which come sorted by form, year and serial.

    A doubled serial is counted once among filed or void, so that the sum holds for every run.
    """
    run: SerialRun | None = None
    for item in numbers:
        if run is None or (run.form, run.year) != (item.form, item.year):
            if run is not None:
                yield run
            run = SerialRun(item.form, item.year)
        if item.serial == run.given:
            run.doubled.append(item.number)
            continue
        if item.serial > run.given + 1:
            run.missing.append((run.given + 1, item.serial - 1))
        run.given = item.serial
        if item.voided:
            run.voided += 1
        else:
            run.filed += 1
    if run is not None:
        yield run
