"""文字对比. What was added and removed between two texts, so that a Chinese reader follows it at a glance.

Chinese is compared by character, words of Latin letters and numbers as wholes. Common characters that lie between two
larger changes by chance are taken into the change: three short marks in one sentence read worse than one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TOKEN = re.compile(r"[A-Za-z]+(?:[-'][A-Za-z]+)*|\d+(?:[.,]\d+)*%?|[ \t\u3000]+|.", re.DOTALL)
_SENTENCE = re.compile(r"[^。；;！？!?\n]*[。；;！？!?\n]+|[^。；;！？!?\n]+")
_ENDS = frozenset("。；;！？!?\n")
_PAUSES = frozenset("，,、：:）)》”")
_LONG = 3000
"""Tokens beyond which a text is compared by sentence first: comparing characters takes time by the square."""
_TINY = 2
"""Common characters that a change on either side takes in when it is at least as long itself."""
_CHANCE = 3
"""A longer common stretch is taken in when the changes on both sides are this many times as long."""
_LEAST_COMMON = 0.15
"""Share of common characters below which a text counts as written anew."""


class Mark(StrEnum):
    """标记."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True)
class Stretch:
    """一段文字. Characters that were kept, added or removed."""

    mark: Mark
    text: str


def differences(old: str, new: str) -> tuple[Stretch, ...]:
    """Return how `old` became `new`.

    Kept and removed stretches put together are `old`, kept and added ones `new`; at one place the removed comes first.
    No two neighbours have the same mark, none is empty.
    """
    if old == new:
        return (Stretch(Mark.SAME, old),) if old else ()
    edits = _without_chance(_shifted(_compared(old, new)))
    if 2 * sum(len(edit.same) for edit in edits) < _LEAST_COMMON * (len(old) + len(new)):
        edits = [_Edit("", old, new)]
    return tuple(_stretches(edits))


@dataclass
class _Edit:
    """Common characters, then what was removed and added after them."""

    same: str
    removed: str
    added: str


def _compared(old: str, new: str) -> list[_Edit]:
    one, other = _TOKEN.findall(old), _TOKEN.findall(new)
    if len(one) + len(other) <= _LONG:
        return _edits(one, other)
    found: list[_Edit] = []
    for edit in _edits(_SENTENCE.findall(old), _SENTENCE.findall(new)):
        removed, added = _TOKEN.findall(edit.removed), _TOKEN.findall(edit.added)
        found.append(_Edit(edit.same, "", ""))
        found += _edits(removed, added) if len(removed) + len(added) <= _LONG else [_Edit("", edit.removed, edit.added)]
    return _joined(found)


def _edits(old: Sequence[str], new: Sequence[str]) -> list[_Edit]:
    found: list[_Edit] = []
    for tag, start, end, begin, finish in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            found.append(_Edit("".join(old[start:end]), "", ""))
        else:
            found.append(_Edit("", "".join(old[start:end]), "".join(new[begin:finish])))
    return _joined(found)


def _joined(edits: Sequence[_Edit]) -> list[_Edit]:
    """Put neighbours together, so that common characters stand only before a change."""
    found: list[_Edit] = []
    for edit in edits:
        last = found[-1] if found else None
        if last is None or (edit.same and (last.removed or last.added)):
            found.append(_Edit(edit.same, edit.removed, edit.added))
        else:
            if edit.same:
                last.same += edit.same
            last.removed += edit.removed
            last.added += edit.added
    return found


def _shifted(edits: list[_Edit]) -> list[_Edit]:
    """Move a pure insertion or deletion to where a reader would set it: whole sentences before parts of two.

    `甲。〔乙。〕丙` reads better than `甲〔。乙〕。丙`, though both say the same.
    """
    for place, edit in enumerate(edits):
        text = edit.removed or edit.added
        if not text or (edit.removed and edit.added):
            continue
        following = edits[place + 1] if place + 1 < len(edits) else _Edit("", "", "")
        best = max(_shifts(edit.same, text, following.same), key=lambda item: (_fit(item), item[0]))
        offset, before, moved, after = best
        if offset == 0:
            continue
        edit.same = before
        edit.removed, edit.added = (moved, "") if edit.removed else ("", moved)
        if place + 1 < len(edits):
            following.same = after
        elif after:
            edits.append(_Edit(after, "", ""))
        if not before and place:
            # Nothing is left between this change and the one before: they are one change.
            return _shifted(_joined(edits))
        if not after and place + 1 < len(edits):
            return _shifted(_joined(edits))
    return edits


def _shifts(before: str, text: str, after: str) -> Iterator[tuple[int, str, str, str]]:
    """Yield the places where `text` may stand as well: distance, what is before, the text there, what is after."""
    yield 0, before, text, after
    left, moved, right, offset = before, text, after, 0
    while left and moved and left[-1] == moved[-1] and not _cuts(left):
        left, moved, right, offset = left[:-1], left[-1] + moved[:-1], left[-1] + right, offset - 1
        yield offset, left, moved, right
    left, moved, right, offset = before, text, after, 0
    while right and moved and right[0] == moved[0] and not _cuts(right[:2][::-1]):
        left, moved, right, offset = left + right[0], moved[1:] + right[0], right[1:], offset + 1
        yield offset, left, moved, right


def _cuts(text: str) -> bool:
    """Tell whether taking the last character off `text` would cut a word or number."""
    return len(text) > 1 and _wordy(text[-1]) and _wordy(text[-2])


def _wordy(character: str) -> bool:
    return character.isascii() and (character.isalnum() or character in "-'.,%")


def _fit(shift: tuple[int, str, str, str]) -> int:
    _offset, before, text, _after = shift
    if text[-1] in _ENDS and (not before or before[-1] in _ENDS):
        return 4
    if text[-1] in _ENDS | _PAUSES and (not before or before[-1] in _ENDS | _PAUSES):
        return 3
    if text[0] in _ENDS | _PAUSES:
        return 2
    return 1 if text[-1] in _ENDS | _PAUSES else 0


def _without_chance(edits: list[_Edit]) -> list[_Edit]:
    """Take common characters that lie between two larger changes by chance into one change."""
    found: list[_Edit] = []
    for edit in edits:
        last = found[-1] if found else None
        if last is not None and _by_chance(last, edit):
            last.removed += edit.same + edit.removed
            last.added += edit.same + edit.added
        else:
            found.append(_Edit(edit.same, edit.removed, edit.added))
    return found if len(found) == len(edits) else _without_chance(found)


def _by_chance(before: _Edit, edit: _Edit) -> bool:
    if not (edit.removed or edit.added) or not edit.same or any(sign in _ENDS for sign in edit.same):
        return False
    sizes = [max(len(item.removed), len(item.added)) for item in (before, edit)]
    both = [(before.removed or edit.removed), (before.added or edit.added)]
    if not all(both):
        return False  # two pure insertions (or deletions) around common words are clearer as two
    if len(edit.same) <= _TINY:
        return min(sizes) >= len(edit.same)
    return min(sizes) >= _CHANCE * len(edit.same)


def _stretches(edits: Sequence[_Edit]) -> Iterator[Stretch]:
    for edit in edits:
        if edit.same:
            yield Stretch(Mark.SAME, edit.same)
        if edit.removed:
            yield Stretch(Mark.REMOVED, edit.removed)
        if edit.added:
            yield Stretch(Mark.ADDED, edit.added)
