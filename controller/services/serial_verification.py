"""编号核对. Every number of a form and year is accounted for: no gap, none given twice (ISO 13485 4.2.5)."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.identifiers import RecordNumber
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_Given = tuple[str, int, int]
"""Form, year and serial."""


class SerialVerification:
    """编号核对. Takes the numbers found, in a few bytes each; then tells what is missing."""

    def __init__(self) -> None:
        self._serials: dict[tuple[str, int], array[int]] = {}
        self._lost: set[_Given] = set()

    def take(self, found: Iterable[_Given], *, lost: Iterable[_Given]) -> None:
        """Take numbers of records that are there, and of those of which something cannot be read."""
        for form, year, serial in found:
            self._serials.setdefault((form, year), array("I")).append(serial)
        self._lost.update(lost)

    def findings(self) -> Iterator[Finding]:
        """Yield every gap and every number that was given twice."""
        for form, year, serial in self._lost:
            # Accounted for: its damage is told, it is no gap.
            serials = self._serials.setdefault((form, year), array("I"))
            if serial not in serials:
                serials.append(serial)
        for (form, year), found in sorted(self._serials.items()):
            expected = 1
            for serial in sorted(found):
                if serial < expected:
                    number = RecordNumber.of(form, year, serial)
                    message = T("记录编号 {number} 出现了两次。", number=number)
                    yield Finding("serial-duplicate", Gravity.ERROR, message, subject=number.text)
                    continue
                if serial > expected:
                    first, last = RecordNumber.of(form, year, expected), RecordNumber.of(form, year, serial - 1)
                    message = (
                        T("缺少记录 {first}。", first=first)
                        if first == last
                        else T("缺少记录 {first} 至 {last}。", first=first, last=last)
                    )
                    yield Finding("serial-gap", Gravity.ERROR, message, subject=first.text)
                expected = serial + 1
