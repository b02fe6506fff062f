"""汇编首部版式. Draws what stands before the documents of a set: cover, order of release, contents, revision page.

How many pages each part takes depends on what is listed alone, so that the contents can name the pages they stand
before. Seals are never drawn: where one goes stands “（公章）”.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller.adapters.pdf_lettering import Lettering
from controller.domain.errors import RefusedError
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.domain.document_set import SetDocument, SetPrint

WIDTH, HEIGHT = 595.28, 841.89
"""A4."""
_LEFT, _RIGHT = 62.0, WIDTH - 62.0
_TOP, _BOTTOM = HEIGHT - 78, 70.0
_GREY, _FAINT = 0.35, 0.6
_HEAD, _LINE, _GROUP = 17.0, 19.0, 27.0
_ORDER_SIZE, _ORDER_PITCH = 13.0, 25.0
_SIGNED_ROOM = 120.0
"""Height kept below the order of release for name, date and seal."""
_COLUMNS = (
    ("序号", 30.0),
    ("文件编号", 92.0),
    ("文件名称", 0.0),
    ("版本", 36.0),
    ("批准", 54.0),
    ("批准日期", 62.0),
    ("生效日期", 62.0),
)
_ROW, _DIGEST_ROW, _TABLE_HEAD = 16.0, 11.0, 20.0
_PAD = 4.0


class ReleaseOrderLongError(RefusedError):
    """发布令太长. The order of release does not fit on its page."""

    code = "release-order-long"

    def __init__(self, *, path: str) -> None:
        super().__init__(
            T("发布令超过一页。"), hint=T("请缩短 {path}，再用 qms change adopt 采用。", path=path), where=path
        )


@dataclass
class FrontPage:
    """首部的一页. What is drawn, and which places lead to which document (by its place in the set)."""

    drawn: Lettering = field(default_factory=Lettering)
    links: list[tuple[tuple[float, float, float, float], int]] = field(default_factory=list)


@dataclass(frozen=True)
class Front:
    """首部. The pages before the documents, and where each part begins (from 0)."""

    pages: Sequence[FrontPage]
    parts: Sequence[tuple[str, int]]


def front_page_count(shown: SetPrint) -> int:
    """Return how many pages stand before the documents."""
    return 2 + len(_contents_pages(shown)) + len(_revision_pages(shown))


def front(shown: SetPrint, starts: Sequence[int], *, path: str) -> Front:
    """Return the pages before the documents.

    Args:
        shown: what is bound.
        starts: first page of each document in the set, from 1.
        path: file of the order of release, for messages.

    Raises:
        ReleaseOrderLongError: the order of release does not fit on its page.
    """
    contents, revisions = _contents_pages(shown), _revision_pages(shown)
    pages = [_cover(shown), _order(shown, path)]
    parts = [("封面", 0), ("发布令", 1), ("目录", 2)]
    pages += [_contents(shown, rows, starts, first=number == 0) for number, rows in enumerate(contents)]
    parts.append(("修订页", len(pages)))
    pages += [_revisions(shown, rows, first=number == 0) for number, rows in enumerate(revisions)]
    return Front(pages, parts)


def _cover(shown: SetPrint) -> FrontPage:
    page = FrontPage()
    drawn, middle = page.drawn, WIDTH / 2
    drawn.text(_LEFT, HEIGHT - 96, 11, f"编号：{shown.number}")
    drawn.right(_RIGHT, HEIGHT - 96, 11, f"版次：{shown.edition}")
    drawn.rule(_LEFT, HEIGHT - 106, _RIGHT, HEIGHT - 106, thick=1)
    y = HEIGHT - 216
    for line in drawn.wrapped(shown.company, 22, _RIGHT - _LEFT, most=2):
        drawn.centred(middle, y, 22, line)
        y -= 34
    y -= 26
    drawn.centred(middle, y, 34, shown.title, bold=True)
    y -= 44
    if shown.selection:
        for line in drawn.wrapped(f"选编：{shown.selection}", 14, _RIGHT - _LEFT, most=2):
            drawn.centred(middle, y, 14, line)
            y -= 22
    drawn.centred(middle, y - 6, 14, f"共收录 {len(shown.documents)} 份文件")
    y = HEIGHT / 2 - 60
    for sentence in shown.notice:
        for line in drawn.wrapped(sentence, 10.5, _RIGHT - _LEFT - 40, most=6):
            drawn.text(_LEFT + 20, y, 10.5, line)
            y -= 17
        y -= 5
    y = 214.0
    drawn.text(middle - 110, y, 13, f"批　　准：{shown.released_by or '________________'}")
    drawn.text(middle - 110, y - 26, 13, f"批准日期：{shown.released_on or '________________'}")
    drawn.centred(middle, y - 84, 13, shown.company)
    drawn.centred(middle, y - 106, 12, "（公章）")
    return page


def _order(shown: SetPrint, path: str) -> FrontPage:
    page = FrontPage()
    drawn = page.drawn
    drawn.centred(WIDTH / 2, HEIGHT - 130, 26, "发 布 令", bold=True)
    y = HEIGHT - 190
    for paragraph in shown.order:
        # Two characters of indent, as Chinese paragraphs have.
        for line in _indented(drawn, paragraph, _ORDER_SIZE, _RIGHT - _LEFT):
            if y < _BOTTOM + _SIGNED_ROOM:
                raise ReleaseOrderLongError(path=path)
            drawn.text(_LEFT + (2 * _ORDER_SIZE if line[1] else 0), y, _ORDER_SIZE, line[0])
            y -= _ORDER_PITCH
        y -= 4
    y -= 26
    drawn.right(_RIGHT - 30, y, _ORDER_SIZE, f"{shown.releaser}：{shown.released_by or '________________'}")
    drawn.right(_RIGHT - 30, y - 26, _ORDER_SIZE, f"日期：{shown.released_on or '________________'}")
    drawn.right(_RIGHT - 30, y - 60, _ORDER_SIZE, shown.company)
    drawn.right(_RIGHT - 30, y - 82, _ORDER_SIZE, "（公章）")
    return page


def _indented(drawn: Lettering, text: str, size: float, width: float) -> list[tuple[str, bool]]:
    """Return the lines of a paragraph; the first is shorter by two characters."""
    first = drawn.wrapped(text, size, width - 2 * size, most=1_000)
    if not first:
        return []
    rest = text.strip()[len(first[0]) :]
    return [(first[0], True), *((line, False) for line in drawn.wrapped(rest, size, width, most=1_000) if rest)]


# -- contents --------------------------------------------------------------------------------------------------

_Row = tuple[int, "SetDocument", list[str]]
"""Place in the set, the document, the lines of its title."""


def _contents_pages(shown: SetPrint) -> list[list[_Row]]:
    measure = Lettering()
    pages: list[list[_Row]] = [[]]
    y, group = _TOP - 60, ""
    for place, item in enumerate(shown.documents):
        lines = measure.wrapped(item.title, 11, _RIGHT - _LEFT - 190, most=2)
        head = _GROUP if item.class_name != group or not pages[-1] else 0
        need = head + _LINE + _HEAD * (len(lines) - 1)
        if pages[-1] and y - need < _BOTTOM:
            pages.append([])
            y = _TOP - 10
            need += _GROUP - head
        pages[-1].append((place, item, lines))
        y -= need
        group = item.class_name
    return pages


def _contents(shown: SetPrint, rows: Sequence[_Row], starts: Sequence[int], *, first: bool) -> FrontPage:
    page = FrontPage()
    drawn = page.drawn
    _page_head(drawn, shown)
    y = _TOP - 10
    if first:
        drawn.centred(WIDTH / 2, _TOP - 22, 22, "目　录", bold=True)
        y = _TOP - 60
    group = ""
    for place, item, lines in rows:
        if item.class_name != group:
            group = item.class_name
            y -= 6
            drawn.text(_LEFT, y, 12, group, bold=True)
            y -= _GROUP - 6
        bottom = y - _HEAD * (len(lines) - 1) - 5
        number = str(starts[place])
        drawn.text(_LEFT, y, 10.5, item.number)
        for line in lines:
            drawn.text(_LEFT + 98, y, 11, line)
            y -= _HEAD
        y += _HEAD
        drawn.text(_RIGHT - 78, y, 10.5, item.revision)
        drawn.right(_RIGHT, y, 11, number)
        end = _LEFT + 98 + drawn.width(lines[-1] if lines else "", 11) + 6
        dots = int((_RIGHT - 84 - end) / max(drawn.width(".", 9) * 2, 1))
        drawn.text(end, y, 9, ". " * max(dots, 0), grey=_FAINT)
        page.links.append(((_LEFT, bottom, _RIGHT, y + _HEAD * len(lines) - 5), place))
        y -= _LINE
    return page


# -- revision page ---------------------------------------------------------------------------------------------


def _edges() -> list[float]:
    free = _RIGHT - _LEFT - sum(width for _, width in _COLUMNS)
    edges = [_LEFT]
    for _, width in _COLUMNS:
        edges.append(edges[-1] + (width or free))
    return edges


def _revision_pages(shown: SetPrint) -> list[list[_Row]]:
    measure = Lettering()
    edges = _edges()
    pages: list[list[_Row]] = [[]]
    y = _TOP - 60 - _TABLE_HEAD
    for place, item in enumerate(shown.documents):
        lines = measure.wrapped(item.title, 9, edges[3] - edges[2] - 2 * _PAD, most=3)
        need = _row_height(lines)
        if pages[-1] and y - need < _BOTTOM + 30:
            pages.append([])
            y = _TOP - 10 - _TABLE_HEAD
        pages[-1].append((place, item, lines))
        y -= need
    return pages


def _row_height(lines: Sequence[str]) -> float:
    return _ROW + 12.0 * (max(len(lines), 1) - 1) + _DIGEST_ROW


def _revisions(shown: SetPrint, rows: Sequence[_Row], *, first: bool) -> FrontPage:
    page = FrontPage()
    drawn, edges = page.drawn, _edges()
    _page_head(drawn, shown)
    y = _TOP - 10
    if first:
        drawn.centred(WIDTH / 2, _TOP - 22, 22, "修 订 页", bold=True)
        y = _TOP - 60
    top = y
    drawn.shade(_LEFT, y - _TABLE_HEAD, _RIGHT - _LEFT, _TABLE_HEAD, 0.92)
    for (heading, _), left, right in zip(_COLUMNS, edges, edges[1:], strict=False):
        drawn.centred((left + right) / 2, y - 13.5, 9, heading, bold=True)
    y -= _TABLE_HEAD
    drawn.rule(_LEFT, y, _RIGHT, y)
    for place, item, lines in rows:
        base = y - 11.5
        approved = item.approved_on.isoformat() if item.approved_on is not None else "—"
        cells = (
            str(place + 1),
            item.number,
            "",
            item.revision,
            item.approved_by or "—",
            approved,
            item.effective or "—",
        )
        for text, left, right in zip(cells, edges, edges[1:], strict=False):
            shown_text = drawn.wrapped(text, 9, right - left - 2, most=1)
            drawn.centred((left + right) / 2, base, 9, shown_text[0] if shown_text else "")
        for number, line in enumerate(lines):
            drawn.text(edges[2] + _PAD, base - 12 * number, 9, line)
        height = _row_height(lines)
        drawn.text(edges[1] + _PAD, y - height + 3.5, 6.5, f"SHA-256 {item.contents.grouped}", grey=_GREY)
        page.links.append(((_LEFT, y - height, _RIGHT, y), place))
        y -= height
        drawn.rule(_LEFT, y, _RIGHT, y, thick=0.3)
    for edge in (_LEFT, _RIGHT):
        drawn.rule(edge, top, edge, y, thick=0.8)
    for level in (top, y):
        drawn.rule(_LEFT, level, _RIGHT, level, thick=0.8)
    if rows[-1][0] == len(shown.documents) - 1:
        for sentence in drawn.wrapped(_RECOMPUTED, 8, _RIGHT - _LEFT, most=3):
            y -= 13
            drawn.text(_LEFT, y, 8, sentence, grey=_GREY)
    return page


_RECOMPUTED = (
    "“SHA-256”为该文件全部源文件合在一起的摘要；日期为“—”的，见该文件的控制栏或签署页。"
    "汇编批准之后各文件的修订，以该文件自身的批准为准，并在下一次编印时列入本页。"
)


def _page_head(drawn: Lettering, shown: SetPrint) -> None:
    drawn.text(_LEFT, HEIGHT - 42, 9, shown.company, bold=True)
    drawn.right(_RIGHT, HEIGHT - 42, 9, f"编号：{shown.number}")
    drawn.text(_LEFT, HEIGHT - 57, 9, shown.title)
    drawn.right(_RIGHT, HEIGHT - 57, 9, f"版次：{shown.edition}")
    drawn.rule(_LEFT, HEIGHT - 63, _RIGHT, HEIGHT - 63, thick=1)
