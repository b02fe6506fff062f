"""Word 修订与批注. What people did in a document that came back from Word: tracked changes and comments.

Names, times and texts are what the file says; anybody can write anything there. They are cut to a sensible length and
stripped of what a screen would obey, and shown as what the file says, never as a signature.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.domain.text import T, Text
from controller.domain.trail_event import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NAME = 60
_WORDS = 200
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)?")


class ChangeKind(StrEnum):
    """修订的种类."""

    INSERTED = "inserted"
    DELETED = "deleted"
    MOVED_FROM = "moved-from"
    MOVED_TO = "moved-to"
    FORMATTED = "formatted"


CHANGE_LABELS: Mapping[ChangeKind, Text] = {
    ChangeKind.INSERTED: T("插入"),
    ChangeKind.DELETED: T("删除"),
    ChangeKind.MOVED_FROM: T("移走"),
    ChangeKind.MOVED_TO: T("移来"),
    ChangeKind.FORMATTED: T("改格式"),
}
"""What was done, in words."""


FORMAT_MEANINGS: Mapping[str, Text] = {
    "superscript": T("上标"),
    "subscript": T("下标"),
    "strike": T("删除线"),
    "hidden": T("隐藏文字"),
}
"""Formats that change what a text means."""
FORMAT_LOOKS: Mapping[str, Text] = {
    "bold": T("粗体"),
    "italic": T("斜体"),
    "underline": T("下划线"),
    "highlight": T("突出显示"),
}
"""Formats that change only how a text looks."""


@dataclass(frozen=True)
class TrackedChange:
    """一处修订. One tracked change, as the file tells it."""

    kind: ChangeKind
    author: str
    at: str
    """As written, ISO 8601 without a zone as a rule; empty when it is no time."""
    text: str
    offset: int | None = None
    """Where it stands in the text that was read; None inside a picture or table kept verbatim, or in the margins."""
    clause: str | None = None
    """Id of the clause, where there is one."""


@dataclass(frozen=True)
class WordComment:
    """一条批注."""

    author: str
    at: str
    text: str
    offset: int | None = None
    clause: str | None = None


@dataclass(frozen=True)
class ClauseChange:
    """一条条款的改动. What became of one clause between check-out and check-in."""

    clause: str
    """Its id."""
    kind: str
    """`added`, `removed`, `edited`, `renumbered`, `moved`; `beside-added`, `beside-removed` for a table or picture."""
    old_label: str
    new_label: str
    old: str
    new: str
    tracked: bool
    """Whether a tracked change of the file tells of it."""


CLAUSE_CHANGE_LABELS: Mapping[str, Text] = {
    "added": T("新增"),
    "removed": T("删去"),
    "edited": T("修改"),
    "renumbered": T("改号"),
    "moved": T("移动"),
    "beside-added": T("新增表格、图表或标题"),
    "beside-removed": T("删去表格、图表或标题"),
}


def named(author: str | None) -> str:
    """Return the name of an author as it may be shown and kept."""
    return one_line(author or "").strip()[:_NAME]


def moment(at: str | None) -> str:
    """Return the time of a change as written, empty when it is none."""
    return at if at is not None and _AT.fullmatch(at) else ""


def words(text: str) -> str:
    """Return the beginning of a changed text as it may be shown and kept; line ends are shown as `↵`."""
    shown = one_line(text)
    return shown if len(shown) <= _WORDS else shown[: _WORDS - 1] + "…"


def joined(changes: Iterable[TrackedChange]) -> list[TrackedChange]:
    """Return the changes with those put together that one person made in one go; Word writes one for every run."""
    found: list[TrackedChange] = []
    for change in changes:
        last = found[-1] if found else None
        if last is not None and _same_go(last, change):
            found[-1] = replace(last, text=last.text + change.text)
        else:
            found.append(change)
    return [replace(change, text=words(change.text)) for change in found if change.text.strip() or _alone(change)]


def _alone(change: TrackedChange) -> bool:
    return bool(change.text) or change.kind is ChangeKind.FORMATTED


def _same_go(one: TrackedChange, other: TrackedChange) -> bool:
    same = (one.kind, one.author, one.at[:16], one.clause) == (other.kind, other.author, other.at[:16], other.clause)
    if not same or one.offset is None or other.offset is None:
        return False
    grown = len(one.text) if one.kind in {ChangeKind.INSERTED, ChangeKind.MOVED_TO} else 0
    return 0 <= other.offset - one.offset <= grown + 1
