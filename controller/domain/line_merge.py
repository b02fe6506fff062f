"""行的合并. Puts a text that came back from an office program into the text it was made from.

Lines that came back as they went out are taken from the original, byte for byte; only the others are new. Empty lines
belong to the line before them: office programs add and drop them as they like.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_END = re.compile(r"(?:\r\n|\r|\n)$")


@dataclass(frozen=True)
class TypedLine:
    """一行. A line that is not empty, and the empty ones after it."""

    text: str
    """Without its end."""
    start: int
    """Where it begins in its text."""
    end: str
    """How it ends; empty for a last line without an end."""
    blanks: str = ""


@dataclass(frozen=True)
class MergedText:
    """合并结果."""

    text: str
    starts: Sequence[int]
    """For each line of the returned text that is not empty, where it begins in the merged one."""
    unchanged: bool
    changed: frozenset[int]
    """Places of the returned lines that are not taken from the original."""


def typed_lines(text: str) -> tuple[str, list[TypedLine]]:
    """Return the empty lines before the first line, and the lines that are not empty."""
    head, lines = "", list[TypedLine]()
    for match in _LINE.finditer(text):
        line = match[0]
        bare = _END.sub("", line)
        if bare.strip():
            lines.append(TypedLine(bare, match.start(), line[len(bare) :]))
        elif lines:
            last = lines[-1]
            lines[-1] = TypedLine(last.text, last.start, last.end, last.blanks + line)
        else:
            head += line
    return head, lines


def merge_lines(original: str, sent: Sequence[str], returned: Sequence[tuple[str, str]]) -> MergedText:
    """Merge a returned text into its original.

    Args:
        original: the text that was sent out.
        sent: how each of its lines that is not empty is known when nothing was done to it.
        returned: the lines that came back, without empty ones: how each is known, and how it is written if it is new.
    """
    head, lines = typed_lines(original)
    if len(lines) != len(sent):
        raise ValueError(len(lines), len(sent))
    ends = Counter(line.end for line in lines if line.end)
    usual = ends.most_common(1)[0][0] if ends else "\n"
    closed = not lines or bool(lines[-1].end)
    pieces, starts, changed = [head], list[int](), set[int]()
    at = len(head)
    matcher = SequenceMatcher(None, list(sent), [known for known, _ in returned], autojunk=False)
    for kind, old_from, _, new_from, new_to in matcher.get_opcodes():
        for place in range(new_from, new_to):
            last = place == len(returned) - 1
            if kind == "equal":
                line = lines[old_from + place - new_from]
                piece = line.text + (line.end or ("" if last else usual)) + line.blanks
            else:
                piece = returned[place][1] + ("" if last and not closed else usual)
                changed.add(place)
            starts.append(at)
            pieces.append(piece)
            at += len(piece)
    text = "".join(pieces)
    return MergedText(text, starts, text == original, frozenset(changed))
