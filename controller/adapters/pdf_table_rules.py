"""PDF 表格线. Mends the table rules that office2pdf draws too short.

office2pdf draws a cell's upright rules as two bars, one hanging from the top and one standing on the bottom, each only
as long as one line of text is high: in a taller row the rule has a hole. And where a table runs on to the next page,
the last row of a page has no rule below. Only these bars are touched; text and everything else stays as it is.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pypdf import PdfReader, PdfWriter
from pypdf.generic import NameObject, StreamObject

if TYPE_CHECKING:
    from collections.abc import Iterator

_NUMBER = rb"(-?\d+(?:\.\d+)?)"
_BAR = re.compile(
    rb"q 1 0 0 -1 " + _NUMBER + rb" " + _NUMBER + rb" cm\s*(/\S+ cs [\d. ]+ scn?)\s+0 0 m "
    + _NUMBER + rb" 0 l " + _NUMBER + rb" " + _NUMBER + rb" l 0 " + _NUMBER + rb" l\s+h\s+f\s+Q"
)  # fmt: skip
_THICKEST = 3.0
"""Points; what is thicker is a filled area, not a rule."""
_NEAR = 1.5
"""Points within which two ends are at the same place."""


@dataclass(frozen=True)
class _Bar:
    start: int
    end: int
    x: float
    top: float
    width: float
    height: float
    colour: bytes

    @property
    def bottom(self) -> float:
        return self.top - self.height

    @property
    def upright(self) -> bool:
        return self.width <= _THICKEST < self.height

    def markup(self, x: float, top: float, width: float, height: float) -> bytes:
        return (
            f"q 1 0 0 -1 {x:g} {top:.5f} cm".encode()
            + self.colour
            + f" 0 0 m {width:g} 0 l {width:g} {height:.5f} l 0 {height:.5f} l\nh\nf\nQ".encode()
        )


def mend_table_rules(pdf: bytes) -> bytes:
    """Return `pdf` with whole table rules; unchanged when nothing needs mending."""
    writer: PdfWriter | None = None
    reader = PdfReader(io.BytesIO(pdf))
    for number, page in enumerate(reader.pages):
        contents = page.get_contents()
        if contents is None:
            continue
        mended = _mend_page(contents.get_data())
        if mended is None:
            continue
        if writer is None:
            writer = PdfWriter(clone_from=reader)
        stream = StreamObject()
        stream.set_data(mended)
        writer.pages[number][NameObject("/Contents")] = writer._add_object(stream.flate_encode())  # noqa: SLF001 - pypdf has no public call to set a page's contents
    if writer is None:
        return pdf
    writer.compress_identical_objects(remove_duplicates=False, remove_unreferenced=True)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _mend_page(content: bytes) -> bytes | None:
    bars = list(_bars(content))
    pieces: list[bytes] = []
    position = 0
    whole: list[_Bar] = []
    place = 0
    while place < len(bars):
        bar = bars[place]
        partner = bars[place + 1] if place + 1 < len(bars) else None
        place += 1
        if not bar.upright:
            continue
        if partner is not None and _is_pair(bar, partner):
            place += 1
            height = bar.top - partner.bottom
            whole.append(_Bar(bar.start, partner.end, bar.x, bar.top, bar.width, height, bar.colour))
            if bar.bottom > partner.top:
                pieces += [content[position : bar.start], bar.markup(bar.x, bar.top, bar.width, height)]
                position = bar.end
        else:
            whole.append(bar)
    closing = _closing_rule(whole, [bar for bar in bars if not bar.upright])
    if not pieces and closing is None:
        return None
    pieces.append(content[position:])
    if closing is not None:
        pieces.append(b"\n" + closing)
    return b"".join(pieces)


def _bars(content: bytes) -> Iterator[_Bar]:
    for match in _BAR.finditer(content):
        x, top, width, right, height, bottom = (float(match[group]) for group in (1, 2, 4, 5, 6, 7))
        if width == right and height == bottom and min(width, height) <= _THICKEST:
            yield _Bar(match.start(), match.end(), x, top, width, height, match[3])


def _is_pair(bar: _Bar, partner: _Bar) -> bool:
    return (
        partner.upright
        and (partner.x, partner.width, partner.height) == (bar.x, bar.width, bar.height)
        and partner.top <= bar.top
    )


def _closing_rule(upright: list[_Bar], level: list[_Bar]) -> bytes | None:
    """Return the rule that is missing below the last row of a page, None when none is."""
    if not upright:
        return None
    lowest = min(bar.bottom for bar in upright)
    ends = [bar for bar in upright if bar.bottom - lowest <= _NEAR]
    left, right = min(bar.x for bar in ends), max(bar.x + bar.width for bar in ends)
    if right - left <= _THICKEST or any(
        abs(bar.top - lowest) <= _NEAR and bar.x < right and bar.x + bar.width > left for bar in level
    ):
        return None
    return ends[0].markup(left, lowest, right - left, ends[0].width)
