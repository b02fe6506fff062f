"""台账的汇总. What is known of a register after its last row: counts, statistics, and the proof of completeness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.domain.register_statistics import StatisticResult
    from controller.domain.serial_completeness import SerialRun


@dataclass(frozen=True)
class Completeness:
    """完整性. What proves that nothing was left out of a register."""

    runs: tuple[SerialRun, ...]
    titles: Mapping[str, str]
    """Form number → title."""
    dangling: tuple[tuple[str, str, str], ...]
    """(record, field, number it names) of references that lead nowhere, the first thousand."""
    dangling_count: int
    unknown_forms: tuple[tuple[str, int], ...]
    """(form, records) of forms that the library does not know."""
    failures: tuple[tuple[str, int], ...]
    """(column or statistic, rows) that could not be worked out."""

    @property
    def complete(self) -> bool:
        """Whether every number is accounted for and every reference leads somewhere."""
        serials = all(run.complete for run in self.runs)
        return serials and not self.dangling_count and not self.unknown_forms and not self.failures


@dataclass(frozen=True)
class RegisterSummary:
    """台账汇总. What is known after the last row."""

    rows: int
    voided: int
    statistics: tuple[StatisticResult, ...]
    completeness: Completeness
