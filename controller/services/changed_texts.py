"""更改前后对照. Every change of an item as a row of words: where, what kind, before, after (ISO 13485 4.2.4 c)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.clause import Clause, Table
from controller.domain.document_comparison import ChangeKind
from controller.domain.procedure_print import as_printed
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.domain.document_comparison import Comparison, PieceChange, Shown
    from controller.domain.identifiers import Digest

NOTHING = "无"
"""What stands where there is no text before, or none after."""
_REVISION = T("版本")
_KINDS = {
    ChangeKind.ADDED: "新增",
    ChangeKind.REMOVED: "删除",
    ChangeKind.EDITED: "修改",
    ChangeKind.RENUMBERED: "改编号",
    ChangeKind.MOVED: "移动",
}
"""In the order in which one of several is named."""


@dataclass(frozen=True)
class ChangedText:
    """更改前后的一处. One row of the before/after list."""

    place: str
    kind: str
    before: str
    after: str


def compared_texts(comparison: Comparison) -> list[ChangedText]:
    """Return every change of a document, clause by clause, then its control block and its other files.

    Its revision is left out: the form has a place of its own for that.
    """
    rows = [_piece(change) for change in comparison.changes]
    rows += [
        ChangedText(f"控制栏：{item.item}", "修改", item.old or NOTHING, item.new or NOTHING)
        for item in comparison.control
        if item.item != _REVISION
    ]
    for path, kind in comparison.files:
        old, new = comparison.old.files.get(path), comparison.new.files.get(path)
        rows.append(_file(path, kind, old, new))
    return rows


def changed_files(old: Mapping[str, Digest], new: Mapping[str, Digest]) -> list[ChangedText]:
    """Return the changes of an item that is no document (a form, a register): file by file, told by digest."""
    rows = []
    for path in sorted({*old, *new}):
        before, after = old.get(path), new.get(path)
        if before != after:
            kind = ChangeKind.EDITED if before and after else ChangeKind.ADDED if after else ChangeKind.REMOVED
            rows.append(_file(path, kind, before, after))
    return rows


def _piece(change: PieceChange) -> ChangedText:
    kind = next(kind for kind in _KINDS if kind in change.kinds)
    before, after = _words(change.old), _words(change.new)
    if change.rows:
        before = "\n".join(_row(row.old) for row in change.rows if row.old is not None and not row.same)
        after = "\n".join(_row(row.new) for row in change.rows if row.new is not None and not row.same)
    if before == after:
        after = f"（位置移动）{after}" if kind is ChangeKind.MOVED else f"（版面改动）{after}"
    return ChangedText(change.place, _KINDS[kind], before or NOTHING, after or NOTHING)


def _words(piece: Shown | None) -> str:
    if piece is None:
        return ""
    if isinstance(piece, Clause):
        return as_printed(piece)
    if isinstance(piece, Table):
        return "\n".join(_row(row) for row in piece.rows)
    return f"（图表）{piece.caption} {piece.digest.hex[:12]}"


def _row(cells: tuple[str, ...]) -> str:
    return "｜".join(cells)


def _file(path: str, kind: ChangeKind, old: Digest | None, new: Digest | None) -> ChangedText:
    name = path.rsplit("/", maxsplit=1)[-1]
    before = f"摘要 {old.hex[:12]}" if old else NOTHING
    after = f"摘要 {new.hex[:12]}" if new else NOTHING
    return ChangedText(f"文件：{name}", _KINDS[kind], before, after)
