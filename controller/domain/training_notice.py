"""更改通知. One page for one post: what changed that concerns it, from which day, what to do, whom to ask.

Which clauses concern a post is told from the text: it names the post, its department or everybody; it stands under a
heading that does; or it leads to a form that the post fills. Whatever else changed stands below, shorter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller.domain.clause import Clause, Table
from controller.domain.document_comparison import CHANGE_WORDS, ChangeKind
from controller.domain.text import T
from controller.domain.text_difference import Mark, Stretch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from controller.domain.document import ControlledDocument
    from controller.domain.document_comparison import Comparison, PieceChange, Shown
    from controller.domain.text import Text

EVERYBODY = (
    "任何员工",
    "每位员工",
    "全员",
    "各部门",
    "各岗位",
    "全体员工",
    "全体人员",
    "所有人员",
    "相关人员",
    "相关岗位",
)
"""Words that mean every post."""
_HEADING = 30
"""A clause up to this length is a heading to those below it."""
_AROUND, _LONGEST = 28, 110
"""Characters that are kept beside a change, and of one change."""
_LINES, _LINE = 22, 37
"""Lines that changes may take on the page, and characters in one."""
_ITEMS = frozenset({"文件名称", "归口部门", "适用条件"})
"""Items of the control block whose change matters to whoever works by the document."""


@dataclass(frozen=True)
class NoticePost:
    """通知的岗位. How texts name a post, and which forms it fills."""

    key: str
    name: str
    department: str = ""
    duty: str = ""
    """How the duty document calls the post; empty: the same."""
    forms: Mapping[str, str] | None = None
    """Number → title of the forms whose stages the post signs."""

    def named_in(self, text: str) -> str | None:
        """Return the word with which `text` names the post, None when it does not."""
        words = (self.name, self.duty, self.department, *EVERYBODY)
        return next((word for word in words if word and word in text), None)


@dataclass(frozen=True)
class NoticeChange:
    """通知中的一处更改."""

    place: Text | str
    """Number of the clause, or item of the control block."""
    kinds: tuple[Text, ...]
    stretches: tuple[Stretch, ...]
    """Old and new in short, with marks."""
    because: Text | None = None
    """Why it concerns the post; None: it concerns the document as a whole."""

    @property
    def lines(self) -> float:
        """How many lines it takes on the page, about."""
        words = -(-sum(len(item.text) for item in self.stretches) // _LINE)
        return 0.1 + max(2.0, words + (0.8 if self.because is not None else 0.0))


@dataclass(frozen=True)
class NoticeForm:
    """通知中的表单."""

    number: str
    title: str
    told: Text
    """What happens to it."""
    own: bool
    """Whether the post fills it."""


@dataclass(frozen=True)
class TrainingNotice:
    """更改通知. Everything that stands on the page."""

    company: str
    number: str
    title: str
    before: str | None
    """Revision before; None: the document is new."""
    after: str
    post: str
    effective: str | None
    """Day from which the revision governs; None: not known yet."""
    reason: str
    own: tuple[NoticeChange, ...]
    """Changes that concern the post."""
    general: tuple[NoticeChange, ...]
    more: int
    """Further changes that the page has no room for."""
    renumbered: int
    """Clauses of which nothing but the number changed."""
    forms: tuple[NoticeForm, ...]
    to_do: tuple[Text, ...]
    ask: Text
    made: str
    """Day on which the notice was made."""


@dataclass(frozen=True)
class SortedChanges:
    """按岗位分开的更改."""

    own: tuple[NoticeChange, ...]
    general: tuple[NoticeChange, ...]
    more: int
    renumbered: int
    """Clauses of which nothing but the number changed."""


def sorted_changes(comparison: Comparison, post: NoticePost) -> SortedChanges:
    """Return what changed, that which concerns the post first, as much as one page has room for."""
    own: list[NoticeChange] = []
    general = list(_control(comparison))
    above = {**_above(comparison.old.printed), **_above(comparison.new.printed)}
    renumbered = 0
    for change in comparison.changes:
        if change.kinds == {ChangeKind.RENUMBERED}:
            renumbered += 1
            continue
        because = _because(change, comparison, post, above)
        told = NoticeChange(change.place, _kinds(change), shortened(_without_place(change)), because)
        (own if because is not None else general).append(told)
    room = float(_LINES)
    kept_own, room = _fitting(own, room)
    kept_general, room = _fitting(general, room)
    more = len(own) - len(kept_own) + len(general) - len(kept_general)
    return SortedChanges(kept_own, kept_general, more, renumbered)


def changed_forms(old: ControlledDocument | None, new: ControlledDocument) -> tuple[list[str], list[str], list[str]]:
    """Return the forms that a document owns from now on, no longer, and as before."""
    before = old.forms if old is not None else ()
    added = [number for number in new.forms if number not in before]
    removed = [number for number in before if number not in new.forms]
    return added, removed, [number for number in new.forms if number in before]


def shortened(stretches: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """Return what changed with a few characters around it; whole changes, unless one is very long."""
    found = []
    last = len(stretches) - 1
    for place, item in enumerate(stretches):
        text = " ".join(item.text.split())
        if item.mark is Mark.SAME:
            head = "" if place == 0 else text[:_AROUND]
            tail = "" if place == last else text[-_AROUND:]
            text = text if len(text) <= len(head) + len(tail) + 2 else f"{head}…{tail}"
        elif len(text) > _LONGEST:
            text = f"{text[:_LONGEST]}…"
        if text:
            found.append(replace(item, text=text))
    return tuple(found)


# -- what concerns a post --------------------------------------------------------------------------------------


def _because(
    change: PieceChange, comparison: Comparison, post: NoticePost, above: Mapping[int, tuple[str, ...]]
) -> Text | None:
    pieces = [piece for piece in (change.new, change.old) if piece is not None]
    for piece in pieces:
        word = post.named_in(_words(piece))
        if word is not None:
            return T("写到“{word}”", word=word)
    for piece in pieces:
        for heading in above.get(id(piece), ()):
            if post.named_in(heading) is not None:
                return T("在“{heading}”之下", heading=heading)
    forms = post.forms or {}
    for side, document in ((change.new, comparison.new.document), (change.old, comparison.old.document)):
        if isinstance(side, Clause):
            key = ".".join(str(part) for part in side.number)
            for target in document.links.get(key) or document.links.get(side.label.strip()) or ():
                if target in forms:
                    return T("用到本岗位填的《{title}》", title=forms[target])
    return None


def _above(pieces: Sequence[Shown]) -> dict[int, tuple[str, ...]]:
    """Return, for each clause, the headings that it stands under, the nearest first."""
    stack: list[Clause] = []
    found = {}
    for piece in pieces:
        if isinstance(piece, Clause) and piece.label.strip():
            stack = [item for item in stack if item.level < piece.level]
        headings = [item for item in stack if item is not piece and len(item.content) <= _HEADING]
        found[id(piece)] = tuple(item.content.strip() for item in reversed(headings))
        if isinstance(piece, Clause) and piece.label.strip():
            stack.append(piece)
    return found


def _words(piece: Shown) -> str:
    if isinstance(piece, Clause):
        return piece.content
    return "\n".join("|".join(row) for row in piece.rows) if isinstance(piece, Table) else piece.caption


# -- in short --------------------------------------------------------------------------------------------------


def _kinds(change: PieceChange) -> tuple[Text, ...]:
    return tuple(word for kind, word in CHANGE_WORDS.items() if kind in change.kinds)


def _marks(change: PieceChange) -> tuple[Stretch, ...]:
    if change.stretches:
        return change.stretches
    found: list[Stretch] = []
    for row in change.rows:
        if not row.same:
            for cell in row.cells:
                found += [Stretch(Mark.SAME, " ｜ ")] if found else []
                found += cell
    if found:
        return tuple(found)
    piece = change.new or change.old
    words = _words(piece) if piece is not None else ""
    mark = Mark.ADDED if change.old is None else Mark.REMOVED if change.new is None else Mark.SAME
    return (Stretch(mark, words or "〔图表〕"),)


def _without_place(change: PieceChange) -> tuple[Stretch, ...]:
    """Return the marks without a number that stayed the same: it stands beside them."""
    marks = _marks(change)
    place = change.place.strip()
    if marks and marks[0].mark is Mark.SAME and place and marks[0].text.lstrip().startswith(place):
        rest = marks[0].text.lstrip().removeprefix(place)
        return ((Stretch(Mark.SAME, rest),) if rest.strip() else ()) + marks[1:]
    if len(marks) == 1 and place:  # added or removed as a whole
        return (replace(marks[0], text=marks[0].text.strip().removeprefix(place)),)
    return marks


def _control(comparison: Comparison) -> Iterator[NoticeChange]:
    for item in comparison.control:
        if str(item.item) in _ITEMS:
            marks = [Stretch(Mark.REMOVED, item.old), Stretch(Mark.ADDED, item.new)]
            yield NoticeChange(item.item, (), tuple(mark for mark in marks if mark.text))


def _fitting(changes: Sequence[NoticeChange], room: float) -> tuple[tuple[NoticeChange, ...], float]:
    kept = []
    for item in changes:
        if item.lines > room:
            break
        kept.append(item)
        room -= item.lines
    return tuple(kept), room
