"""签署页版式. Draws the signature page, what a waiting place shows, and what a signature shows in its place.

Seals are never drawn: where one goes stands “（公章）”.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.adapters.pdf_lettering import Lettering

if TYPE_CHECKING:
    from datetime import datetime

    from controller.domain.signature_page import SignatureMark, SignaturePage, SignatureSlot

WIDTH, HEIGHT = 595.28, 841.89
"""A4."""
_LEFT, _RIGHT = 56.7, WIDTH - 56.7
_TABLE = _RIGHT - _LEFT
_LABEL = 52.0
_SLOT_HEIGHT = 62.0
_COLUMNS = (("姓名", 78.0), ("岗位", 84.0), ("日期和时间", 104.0), ("理由", 0.0))
"""Headings and widths of the columns right of the label; the last takes what is left."""
_PAD = 6.0
_GREY = 0.35
_FAINT = 0.45
_SHADE, _SHADE_HEAD = 0.95, 0.9
_SHORT = 16
"""Digits of a digest shown."""


def page_content(page: SignaturePage, *, before: int) -> Lettering:
    """Return the page as it is before anybody signs; `before` pages stand before it, which count by themselves."""
    drawn = Lettering()
    _head(drawn, page)
    top = _facts(drawn, page)
    _table(drawn, page, top)
    bottom = slot_box(page, len(page.slots) - 1)[1]
    _foot(drawn, page, bottom)
    pages = f"签署页　第 {before + 1} 页（正文共 {before} 页，连本页共 {before + 1} 页）"
    drawn.centred(WIDTH / 2, 38, 9, pages)
    return drawn


def slot_box(page: SignaturePage, place: int) -> tuple[float, float, float, float]:
    """Return where the `place`-th signature stands: left, bottom, right, top."""
    top = _table_top(page) - 24 - place * _SLOT_HEIGHT
    return _LEFT + _LABEL, top - _SLOT_HEIGHT, _RIGHT, top


def waiting_content(slot: SignatureSlot) -> Lettering:
    """Return what a place shows while nobody has signed there, drawn from its own lower left corner."""
    drawn = Lettering()
    drawn.text(_PAD, _SLOT_HEIGHT / 2 + 2, 11, "待签", grey=_FAINT)
    if slot.posts:
        drawn.text(_PAD, _SLOT_HEIGHT / 2 - 14, 8, f"应由：{slot.posts}", grey=_FAINT)
    return drawn


def mark_content(mark: SignatureMark) -> Lettering:
    """Return what a signature shows, drawn from the lower left corner of its place."""
    drawn = Lettering()
    day, clock = shown_time(mark.at)
    edges = _edges()
    for edge in edges[1:-1]:
        drawn.rule(edge, 16, edge, _SLOT_HEIGHT)
    drawn.rule(0, 16, edges[-1], 16, thick=0.25)
    reason = mark.reason or "—"
    _cell(drawn, edges, 0, mark.name, 12, most=2)
    _cell(drawn, edges, 1, mark.post, 9.5, most=3)
    _lines(drawn, edges, 2, [day, clock], 9.5)
    _cell(drawn, edges, 3, reason, 9, most=3)
    facts = f"签名含义：{mark.meaning}　证书 {mark.certificate.hex[:_SHORT]}"
    if mark.statement is not None:
        facts += f"　陈述 {mark.statement.hex[:_SHORT]}"
    drawn.text(_PAD, 5, 7, facts, grey=_GREY)
    return drawn


def shown_time(at: datetime) -> tuple[str, str]:
    """Return day and time of day with the zone, as printed."""
    offset = at.strftime("%z")
    return at.strftime("%Y-%m-%d"), f"{at:%H:%M:%S} UTC{offset[:3]}:{offset[3:5]}"


def _edges() -> list[float]:
    """Return the left edge of each column inside a place, and the right edge of the last."""
    edges = [0.0]
    for _, width in _COLUMNS[:-1]:
        edges.append(edges[-1] + width)
    return [*edges, _TABLE - _LABEL]


def _cell(drawn: Lettering, edges: list[float], column: int, text: str, size: float, *, most: int) -> None:
    width = edges[column + 1] - edges[column] - 2 * _PAD
    _lines(drawn, edges, column, drawn.wrapped(text, size, width, most=most), size)


def _lines(drawn: Lettering, edges: list[float], column: int, lines: list[str], size: float) -> None:
    pitch = size * 1.35
    middle = 16 + (_SLOT_HEIGHT - 16) / 2
    y = middle + (len(lines) - 1) * pitch / 2 - size * 0.36
    for number, line in enumerate(lines):
        drawn.text(edges[column] + _PAD, y - number * pitch, size, line)


def _head(drawn: Lettering, page: SignaturePage) -> None:
    top = HEIGHT - 42
    drawn.text(_LEFT + 4, top, 9, page.company, bold=True)
    drawn.right(_RIGHT - 4, top, 9, f"{'文件' if page.revision else '记录'}编号：{page.number}")
    drawn.text(_LEFT + 4, top - 15, 9, *drawn.wrapped(page.title, 9, _TABLE * 0.7, most=1))
    if page.revision:
        drawn.right(_RIGHT - 4, top - 15, 9, f"版本：{page.revision}")
    drawn.rule(_LEFT, top - 21, _RIGHT, top - 21, thick=1)
    drawn.centred(WIDTH / 2, HEIGHT - 108, 18, "签 署 页", bold=True)


def _facts(drawn: Lettering, page: SignaturePage) -> float:
    """Draw what is signed; return where the table of signatures begins."""
    y = HEIGHT - 140
    for line in _fact_lines(drawn, page):
        drawn.text(_LEFT + 4, y, 9.5, line)
        y -= 16
    return _table_top(page)


def _fact_lines(drawn: Lettering, page: SignaturePage) -> list[str]:
    named = f"《{page.title}》{page.number}" + (f"　版本 {page.revision}" if page.revision else "")
    return [
        *drawn.wrapped(named, 9.5, _TABLE - 8, most=2),
        *drawn.wrapped(f"{page.contents_label}（SHA-256）：", 9.5, _TABLE - 8, most=3),
        page.contents.grouped,
    ]


def _table_top(page: SignaturePage) -> float:
    return HEIGHT - 140 - 16 * len(_fact_lines(Lettering(), page)) - 4


def _table(drawn: Lettering, page: SignaturePage, top: float) -> None:
    bottom = top - 24 - len(page.slots) * _SLOT_HEIGHT
    drawn.shade(_LEFT, top - 24, _TABLE, 24, _SHADE_HEAD)
    drawn.shade(_LEFT, bottom, _LABEL, top - 24 - bottom, _SHADE)
    edges = [_LEFT + _LABEL + edge for edge in _edges()]
    drawn.centred(_LEFT + _LABEL / 2, top - 15.5, 9.5, "签署", bold=True)
    for (heading, _), left, right in zip(_COLUMNS, edges, edges[1:], strict=False):
        drawn.centred((left + right) / 2, top - 15.5, 9.5, heading, bold=True)
        if left > edges[0]:
            drawn.rule(left, top, left, top - 24)
    for place, slot in enumerate(page.slots):
        y = top - 24 - place * _SLOT_HEIGHT
        drawn.rule(_LEFT, y, _RIGHT, y)
        lines = drawn.wrapped(slot.label, 11, _LABEL - 8, most=3)
        for number, line in enumerate(lines):
            at = y - _SLOT_HEIGHT / 2 + (len(lines) - 1) * 7.5 - 4 - number * 15
            drawn.centred(_LEFT + _LABEL / 2, at, 11, line, bold=True)
    drawn.rule(_LEFT + _LABEL, top, _LEFT + _LABEL, bottom)
    for x, y, to_x, to_y in (
        (_LEFT, top, _RIGHT, top),
        (_LEFT, bottom, _RIGHT, bottom),
        (_LEFT, top, _LEFT, bottom),
        (_RIGHT, top, _RIGHT, bottom),
    ):
        drawn.rule(x, y, to_x, to_y, thick=1)


def _foot(drawn: Lettering, page: SignaturePage, bottom: float) -> None:
    y = bottom - 20
    explained = (
        "本页签名为电子签名（《中华人民共和国电子签名法》），姓名和时间由系统写入；签名之后对本文件的任何改动，"
        "用 PDF 阅读器的签名验证都能看出。“证书”“陈述”为其 SHA-256 摘要的前 16 位，完整内容在企业档案中。"
    )
    for sentence in (*page.notes, explained):
        for line in drawn.wrapped(sentence, 8, _TABLE - 8, most=4):
            drawn.text(_LEFT + 4, y, 8, line, grey=_GREY)
            y -= 12.5
        y -= 3
    drawn.right(_RIGHT - 24, y - 26, 10, page.company)
    drawn.right(_RIGHT - 24, y - 44, 10, "（公章）")
