"""打印完整性. Whether a PDF's text holds every visible passage of the docx it was made from (docs/adr/0006).

A record that loses a word is worthless. Every passage takes its own place in the PDF's text, so that no text counts
twice; what is left over is looked at character by character, and a passage that still lacks one is reported.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.file_formats.visible_text import normalised

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.file_formats.visible_text import Passage

_TAKEN = "\x00"
_OVERSHOOT = 4
"""Characters by which the part before a page end may seem longer than it is, when like text follows by chance."""


@dataclass(frozen=True)
class Loss:
    """缺失. A passage that is not wholly in the print, and the characters of it that are missing."""

    passage: Passage
    missing: str


def losses(passages: Sequence[Passage], pages: Sequence[str]) -> list[Loss]:
    """Return the passages that the PDF text `pages` (one text a page) does not wholly hold, in reading order."""
    sheets = _Sheets([normalised(page) for page in pages])
    furniture = [
        (order, segment, number)
        for order, passage in enumerate(passages)
        if passage.every_page
        for segment in passage.segments
        for number in range(len(pages))
    ]
    # Headers and footers first, then header rows with their copies, then long before short: copies and fragments
    # must not stand in for other words of the body.
    furniture.sort(key=lambda row: -len(row[1]))
    broken = [(order, segment) for order, segment, number in furniture if not sheets.take(segment, page=number)]
    done = {order for run in _header_runs(passages) if sheets.take_with_copies(_joined(passages, run)) for order in run}
    body = [
        (order, segment)
        for order, passage in enumerate(passages)
        if not passage.every_page and order not in done
        for segment in passage.segments
    ]
    body.sort(key=lambda row: -len(row[1]))
    unplaced = [(order, segment) for order, segment in body if not sheets.take(segment)]
    broken += [(order, segment) for order, segment in unplaced if not sheets.take_across_pages(segment)]
    found: dict[int, str] = {}
    for order, segment in broken:
        missing = sheets.take_letters(segment)
        if missing:
            found[order] = found.get(order, "") + missing
    return [Loss(passages[order], found[order]) for order in sorted(found)]


def _header_runs(passages: Sequence[Passage]) -> list[list[int]]:
    """Return the header rows of each table as places in `passages`."""
    runs: list[list[int]] = []
    for order, passage in enumerate(passages):
        if passage.repeats:
            if runs and runs[-1][-1] == order - 1:
                runs[-1].append(order)
            else:
                runs.append([order])
    return runs


def _joined(passages: Sequence[Passage], run: Sequence[int]) -> str:
    return "".join(segment for order in run for segment in passages[order].segments)


class _Sheets:
    """The text of the pages, of which passages take their places."""

    def __init__(self, pages: list[str]) -> None:
        self._pages = pages
        self._letters: Counter[str] | None = None

    def take(self, segment: str, *, page: int | None = None) -> bool:
        """Take one unbroken place of `segment`, on `page` or anywhere; tell whether there was one."""
        for number in range(len(self._pages)) if page is None else (page,):
            place = self._pages[number].find(segment)
            if place >= 0:
                self._cross_out(number, place, len(segment))
                return True
        return False

    def take_across_pages(self, segment: str) -> bool:
        """Take a place of `segment` that begins on one page and goes on on the next ones."""
        for number in range(len(self._pages) - 1):
            before = list(self._pages)
            if self._take_from(number, segment):
                return True
            self._pages[:] = before
        return False

    def _take_from(self, number: int, segment: str) -> bool:
        place = self._pages[number].find(segment)
        if place >= 0:
            self._cross_out(number, place, len(segment))
            return True
        if number + 1 >= len(self._pages):
            return False
        longest = self._longest_start(number, segment)
        for length in range(longest, max(0, longest - _OVERSHOOT), -1):
            before = list(self._pages)
            place = self._pages[number].rfind(segment[:length])
            self._cross_out(number, place, length)
            if self._take_from(number + 1, segment[length:]):
                return True
            self._pages[:] = before
        return False

    def _longest_start(self, number: int, segment: str) -> int:
        low, high = 0, len(segment)
        while low < high:
            middle = (low + high + 1) // 2
            if segment[:middle] in self._pages[number]:
                low = middle
            else:
                high = middle - 1
        return low

    def take_with_copies(self, run: str) -> bool:
        """Take the header rows `run` of a table, and their copies at the head of the pages that follow."""
        for number, text in enumerate(self._pages):
            place = text.find(run)
            if place < 0:
                continue
            self._cross_out(number, place, len(run))
            for later in range(number + 1, len(self._pages)):
                blank = len(self._pages[later]) - len(self._pages[later].lstrip(_TAKEN))
                if not self._pages[later].startswith(run, blank):
                    break
                self._cross_out(later, blank, len(run))
            return True
        return False

    def take_letters(self, segment: str) -> str:
        """Take the letters of `segment` from what is left over; return those that are not there."""
        if self._letters is None:
            self._letters = Counter(sign for page in self._pages for sign in page if sign != _TAKEN)
        missing = ""
        for sign in segment:
            if self._letters[sign] > 0:
                self._letters[sign] -= 1
            else:
                missing += sign
        return missing

    def _cross_out(self, number: int, place: int, length: int) -> None:
        text = self._pages[number]
        self._pages[number] = text[:place] + _TAKEN + text[place + length :]
