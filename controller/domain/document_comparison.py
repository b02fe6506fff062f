"""文件对比. How one revision of a document became another: clause by clause, with marks in each changed text.

Clauses are told apart by their stable ids, so a renumbered or moved clause is not taken for a new one. The pieces are
those that a print shows (`domain.procedure_print`); what else a file may say stands in the control block.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.domain.clause import Clause, Island, NumberingStyle, Table, TitleLine
from controller.domain.clause_alignment import KnownClause, align, similarity
from controller.domain.procedure_print import as_printed, printed_pieces
from controller.domain.text import T
from controller.domain.text_difference import differences

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from controller.domain.clause import Piece
    from controller.domain.document import ControlledDocument, SigningStep
    from controller.domain.identifiers import Digest
    from controller.domain.text import Text
    from controller.domain.text_difference import Stretch

Shown = Clause | Table | Island
"""What a print shows of a text."""
_LIKE_ROWS = 0.3
"""Likeness from which two rows at the same place of a table count as one that was edited."""
_WHOLE_NUMBER = frozenset({NumberingStyle.DECIMAL, NumberingStyle.ARTICLE, NumberingStyle.CHAPTER})
"""Styles whose number says by itself where in the document the clause is."""


@dataclass(frozen=True)
class DocumentText:
    """文件内容. One version of a document: control block, pieces with clause ids, digests of its other files."""

    document: ControlledDocument
    pieces: tuple[Piece, ...]
    files: Mapping[str, Digest]
    """Every source file by its path inside the document's folder."""

    @property
    def printed(self) -> tuple[Shown, ...]:
        """What a print shows of the text, in order."""
        return tuple(printed_pieces(self.pieces))


class ChangeKind(StrEnum):
    """变化的种类."""

    ADDED = "added"
    REMOVED = "removed"
    EDITED = "changed"
    RENUMBERED = "renumbered"
    MOVED = "moved"


CHANGE_WORDS: Mapping[ChangeKind, Text] = {
    ChangeKind.ADDED: T("新增"),
    ChangeKind.REMOVED: T("删除"),
    ChangeKind.EDITED: T("修改"),
    ChangeKind.RENUMBERED: T("改编号"),
    ChangeKind.MOVED: T("移动"),
}


@dataclass(frozen=True)
class RowChange:
    """表格一行的变化. Cells before and after, None where the row is not there, and the marks of each cell."""

    old: tuple[str, ...] | None
    new: tuple[str, ...] | None
    cells: tuple[tuple[Stretch, ...], ...]

    @property
    def same(self) -> bool:
        """Whether nothing changed."""
        return self.old == self.new


@dataclass(frozen=True)
class PieceChange:
    """一条的变化. A clause, table or picture before and after."""

    old: Shown | None
    new: Shown | None
    place: str
    """Number with the numbers above it where they are needed to find it, as typed; empty without any."""
    kinds: frozenset[ChangeKind]
    """Empty: nothing changed."""
    stretches: tuple[Stretch, ...] = ()
    """Marks over number and text of a clause."""
    rows: tuple[RowChange, ...] = ()
    """Rows of a table that is on both sides."""

    @property
    def id(self) -> str | None:
        """The stable id of a clause."""
        piece = self.new or self.old
        return piece.id if isinstance(piece, Clause) else None


@dataclass(frozen=True)
class Placed:
    """对照中的一处. A change where a reader of both texts meets it; a moved clause is met twice."""

    change: PieceChange
    shows_old: bool
    shows_new: bool


@dataclass(frozen=True)
class ControlChange:
    """控制栏的变化. One item of the control block before and after, as people read it."""

    item: Text
    old: str
    new: str


@dataclass(frozen=True)
class Comparison:
    """对比结果. Explains itself: what changed, in the order of the new text, and both texts in one sequence."""

    old: DocumentText
    new: DocumentText
    sequence: tuple[Placed, ...]
    control: tuple[ControlChange, ...]
    files: tuple[tuple[str, ChangeKind], ...]
    """Pictures and attachments that were added, removed or changed, by path inside the document's folder."""

    @property
    def changes(self) -> tuple[PieceChange, ...]:
        """What changed, in the order of the new text, removed pieces where they stood."""
        return tuple(
            item.change for item in self.sequence if item.change.kinds and (item.shows_new or item.change.new is None)
        )

    @property
    def counts(self) -> dict[ChangeKind, int]:
        """How many pieces underwent each kind of change."""
        return {kind: sum(kind in item.kinds for item in self.changes) for kind in ChangeKind}

    @property
    def equal(self) -> bool:
        """Whether nothing that a reader sees changed."""
        return not (self.changes or self.control or self.files)

    def explain(self) -> Text:
        """Return the changes in one sentence."""
        told: list[Text] = [
            T("{kind} {count} 条", kind=CHANGE_WORDS[kind], count=count) for kind, count in self.counts.items() if count
        ]
        if self.control:
            told.append(T("控制栏 {count} 项", count=len(self.control)))
        if self.files:
            told.append(T("附件 {count} 个", count=len(self.files)))
        if told:
            return T("{changes}", changes=told)
        if self.old.files != self.new.files:
            return T("正文和控制栏没有变化，只有版面标记不同")
        return T("没有变化")


def compare(old: DocumentText, new: DocumentText) -> Comparison:
    """Compare two versions of a document whose clause ids come from one history."""
    before, after = old.printed, new.printed
    match = _matched(before, after)
    stays = _in_order(match)
    places_old, places_new = clause_places(before), clause_places(after)
    taken = set(match.values())
    sequence: list[Placed] = []

    def left_behind(start: int) -> None:
        """Tell of the old pieces from `start` up to the next one that stayed in its place."""
        for place in range(start, len(before)):
            if place in kept:
                return
            if place in taken:
                sequence.append(Placed(moved[place], shows_old=True, shows_new=False))
            else:
                gone = _change(before[place], None, places_old[place])
                sequence.append(Placed(gone, shows_old=True, shows_new=False))

    kept = {match[place] for place in stays}
    changes = {
        place: _change(
            before[match[place]] if place in match else None,
            piece,
            places_new[place],
            moved=place in match and place not in stays,
        )
        for place, piece in enumerate(after)
    }
    moved = {match[place]: change for place, change in changes.items() if place in match and place not in stays}
    left_behind(0)
    for place in range(len(after)):
        sequence.append(Placed(changes[place], shows_old=place in stays, shows_new=True))
        if place in stays:
            left_behind(match[place] + 1)
    return Comparison(old, new, tuple(sequence), tuple(_control(old, new)), tuple(_files(old, new)))


def clause_places(pieces: Sequence[Shown]) -> list[str]:
    """Return, for each piece, where it stands: its number, with those above it where it does not say so by itself."""
    above: dict[int, str] = {}
    found = []
    for piece in pieces:
        if not isinstance(piece, Clause):
            found.append(above[max(above)] if above else "")
            continue
        label = piece.label.strip()
        if not label:
            found.append("".join(above[level] for level in sorted(above) if level < piece.level))
            continue
        above = {level: text for level, text in above.items() if level < piece.level}
        higher = "" if piece.style in _WHOLE_NUMBER else "".join(above[level] for level in sorted(above))
        above = {piece.level: f"{higher}{label}"}
        found.append(above[piece.level])
    return found


# -- which piece is which --------------------------------------------------------------------------------------


def _matched(old: Sequence[Shown], new: Sequence[Shown]) -> dict[int, int]:
    """Return new place → old place of what is the same piece."""
    by_id = {piece.id: place for place, piece in enumerate(old) if isinstance(piece, Clause) and piece.id}
    found = {
        place: by_id[piece.id]
        for place, piece in enumerate(new)
        if isinstance(piece, Clause) and piece.id is not None and piece.id in by_id
    }
    groups: dict[object, tuple[list[int], list[int]]] = {}
    for side, pieces in enumerate((old, new)):
        for place, piece in enumerate(pieces):
            if (key := _group(piece)) is not None:
                groups.setdefault(key, ([], []))[side].append(place)
    for olds, news in groups.values():
        known = [KnownClause(f"c{place + 1}", "", _words(old[place])) for place in olds]
        ids = align(known, [("", _words(new[place])) for place in news], next_serial=len(old) + 1).ids
        by_id = {f"c{place + 1}": place for place in olds}
        found |= {place: by_id[given] for place, given in zip(news, ids, strict=True) if given in by_id}
    return found


def _group(piece: Shown) -> object:
    """Return among which pieces a piece without an id is looked for; None for a clause with its id."""
    if isinstance(piece, Clause):
        return None if piece.id else "paragraph"
    if isinstance(piece, Island):
        return piece.digest
    return "table", max((len(row) for row in piece.rows), default=0)


def _words(piece: Shown) -> str:
    if isinstance(piece, Clause):
        return piece.content
    return piece.digest.text if isinstance(piece, Island) else "\n".join("|".join(row) for row in piece.rows)


def _in_order(match: Mapping[int, int]) -> set[int]:
    """Return the new places of the longest run of pieces that kept their order; the others were moved."""
    tails: list[int] = []
    ends: list[int] = []
    before: dict[int, int] = {}
    for place in sorted(match):
        at = bisect_left(tails, match[place])
        if at:
            before[place] = ends[at - 1]
        tails[at : at + 1] = [match[place]]
        ends[at : at + 1] = [place]
    kept = set()
    place_kept = ends[-1] if ends else None
    while place_kept is not None:
        kept.add(place_kept)
        place_kept = before.get(place_kept)
    return kept


# -- what changed ----------------------------------------------------------------------------------------------


def _change(old: Shown | None, new: Shown | None, place: str, *, moved: bool = False) -> PieceChange:
    if old is None or new is None:
        piece = old or new
        kind = ChangeKind.ADDED if old is None else ChangeKind.REMOVED
        text = as_printed(piece) if isinstance(piece, Clause) else ""
        marks = differences(text, "") if new is None else differences("", text)
        return PieceChange(old, new, place, frozenset({kind}), marks)
    kinds = {ChangeKind.MOVED} if moved else set()
    stretches: tuple[Stretch, ...] = ()
    rows: tuple[RowChange, ...] = ()
    if isinstance(old, Clause) and isinstance(new, Clause):
        before, after = as_printed(old), as_printed(new)
        stretches = differences(before, after)
        if old.label.strip() != new.label.strip():
            kinds.add(ChangeKind.RENUMBERED)
        if before.removeprefix(old.label.strip()) != after.removeprefix(new.label.strip()):
            kinds.add(ChangeKind.EDITED)
    elif isinstance(old, Table) and isinstance(new, Table):
        rows = tuple(_rows(old.rows, new.rows))
        if any(not row.same for row in rows) or old.header != new.header:
            kinds.add(ChangeKind.EDITED)
    return PieceChange(old, new, place, frozenset(kinds), stretches, rows)


def _rows(old: Sequence[tuple[str, ...]], new: Sequence[tuple[str, ...]]) -> Iterator[RowChange]:
    for tag, start, end, begin, finish in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        paired = min(end - start, finish - begin) if tag != "delete" else 0
        for offset in range(paired):
            yield from _row(old[start + offset], new[begin + offset])
        for row in old[start + paired : end]:
            yield RowChange(row, None, tuple(differences(cell, "") for cell in row))
        for row in new[begin + paired : finish]:
            yield RowChange(None, row, tuple(differences("", cell) for cell in row))


def _row(old: tuple[str, ...], new: tuple[str, ...]) -> Iterator[RowChange]:
    if old == new or (len(old) == len(new) and similarity("".join(old), "".join(new)) >= _LIKE_ROWS):
        yield RowChange(old, new, tuple(differences(*pair) for pair in zip(old, new, strict=True)))
    else:
        yield RowChange(old, None, tuple(differences(cell, "") for cell in old))
        yield RowChange(None, new, tuple(differences("", cell) for cell in new))


def _control(old: DocumentText, new: DocumentText) -> Iterator[ControlChange]:
    for (item, before), (_item, after) in zip(_control_items(old), _control_items(new), strict=True):
        if before != after:
            yield ControlChange(item, before, after)


def _control_items(text: DocumentText) -> list[tuple[Text, str]]:
    document = text.document
    titles = [piece.source.strip() for piece in text.pieces if isinstance(piece, TitleLine)]
    return [
        (T("文件名称"), document.title),
        (T("正文标题"), " ".join(titles)),
        (T("版本"), document.revision.text),
        (T("类别"), document.class_word),
        (T("归口部门"), document.owner),
        (T("适用条件"), document.applies_if or ""),
        (T("起草"), _step(document.drafted)),
        (T("审核"), _step(document.reviewed)),
        (T("批准"), _step(document.approved)),
        (T("生效日期"), document.effective or ""),
        (T("引用外来文件"), "、".join(document.basis)),
        (T("名下表单"), "、".join(document.forms)),
        (T("相关文件"), "、".join(document.related)),
        (T("条款的引用"), "；".join(f"{key} → {'、'.join(found)}" for key, found in document.links.items())),
        (T("企业自定"), "；".join(f"{key} {what}" for key, what in document.company_set.items())),
        (T("说明"), document.status_note or ""),
    ]


def _step(step: SigningStep | None) -> str:
    return f"{step.name} {step.date or ''}".strip() if step is not None else ""


_TEXT_FILES = frozenset({"clauses.txt", "clauses.yml", "document.yml"})


def _files(old: DocumentText, new: DocumentText) -> Iterator[tuple[str, ChangeKind]]:
    for path in sorted({*old.files, *new.files} - _TEXT_FILES):
        if path.startswith("islands/"):
            continue  # told where it stands in the text
        before, after = old.files.get(path), new.files.get(path)
        if before is None:
            yield path, ChangeKind.ADDED
        elif after is None:
            yield path, ChangeKind.REMOVED
        elif before != after:
            yield path, ChangeKind.EDITED
