"""PDF 文字与线. Text in the packaged Chinese font and thin rules as the content of a PDF page or appearance.

All coordinates and sizes are points, from the lower left. What is drawn is gathered first, so that the font embedded
at the end holds exactly the characters used.
"""

from __future__ import annotations

import mmap
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name

from controller.file_formats.font_subset import ChineseFont, FontUnusableError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyhanko.pdf_utils.writer import BasePdfFileWriter

    from controller.file_formats.font_subset import FontSubset

FONT = "NotoSansCJKsc-Regular"
_ELLIPSIS = "…"
_WIDE_SPACE = "\u3000"
_NO_LINE_START = "，。；：、！？）》〉】”’,.;:!?)]}%"
_ASCENT, _DESCENT, _CAP_HEIGHT, _STEM = 880, -120, 733, 80
_BOX = (-250, -300, 1500, 1100)
_SYMBOLIC = 4
_BOLD_STROKE = 0.028
"""Width of the stroke that makes the regular font bold, in ems."""


@cache
def chinese_font() -> ChineseFont:
    """Return the packaged font; opened once, read only where needed.

    Raises:
        FontUnusableError: it is not installed, or damaged.
    """
    try:
        path = import_module("noto_cjk_sans_otc").FONT_PATH
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (ImportError, OSError, ValueError) as exc:
        raise FontUnusableError from exc
    return ChineseFont(memoryview(mapped), FONT)


class Lettering:
    """PDF 内容. Gathers text, rules and shades, and gives them as a content stream with its font."""

    def __init__(self) -> None:
        self._font = chinese_font()
        self._drawn: list[str | tuple[float, float, float, str, bool, float]] = []

    def width(self, text: str, size: float) -> float:
        """Return how wide `text` is."""
        return sum(self._font.widths(text)) * size / 1000

    def text(self, x: float, y: float, size: float, text: str, *, bold: bool = False, grey: float = 0) -> None:
        """Draw one line of text with its base line at `y`."""
        shown = readable(text)
        if shown:
            self._drawn.append((x, y, size, shown, bold, grey))

    def centred(self, x: float, y: float, size: float, text: str, *, bold: bool = False, grey: float = 0) -> None:
        """Draw one line of text around `x`."""
        self.text(x - self.width(readable(text), size) / 2, y, size, text, bold=bold, grey=grey)

    def right(self, x: float, y: float, size: float, text: str, *, grey: float = 0) -> None:
        """Draw one line of text that ends at `x`."""
        self.text(x - self.width(readable(text), size), y, size, text, grey=grey)

    def wrapped(self, text: str, size: float, width: float, *, most: int) -> list[str]:
        """Break `text` into at most `most` lines of `width`; what does not fit is left out and shown as `…`."""
        lines: list[str] = []
        line = ""
        for character in readable(text):
            if line and self.width(line + character, size) > width:
                kept = _before_break(line) if character in _NO_LINE_START else len(line)
                lines.append(line[:kept])
                line = line[kept:]
            line += character
        lines.append(line)
        if len(lines) <= most:
            return [line for line in lines if line]
        last = lines[most - 1]
        while last and self.width(last + _ELLIPSIS, size) > width:
            last = last[:-1]
        return [*lines[: most - 1], last + _ELLIPSIS]

    def rule(self, x: float, y: float, to_x: float, to_y: float, *, thick: float = 0.5) -> None:
        """Draw a straight black line."""
        self._drawn.append(f"{thick:g} w {x:g} {y:g} m {to_x:g} {to_y:g} l S")

    def shade(self, x: float, y: float, width: float, height: float, grey: float) -> None:
        """Fill a rectangle; 0 is black, 1 white."""
        self._drawn.append(f"{grey:g} g {x:g} {y:g} {width:g} {height:g} re f 0 g")

    def finish(self) -> tuple[bytes, FontSubset]:
        """Return the content stream, in which the font is called `/F`, and the font."""
        subset = shared_subset([self])
        return self.content(subset), subset

    def content(self, subset: FontSubset) -> bytes:
        """Return the content stream for a font that several share, called `/F`."""
        return "\n".join(self._operators(item, subset) for item in self._drawn).encode()

    @property
    def characters(self) -> str:
        """All text drawn so far."""
        return "".join(item[3] for item in self._drawn if isinstance(item, tuple))

    @staticmethod
    def _operators(item: str | tuple[float, float, float, str, bool, float], subset: FontSubset) -> str:
        if isinstance(item, str):
            return item
        x, y, size, text, bold, grey = item
        codes = "".join(f"{subset.numbers[character]:04X}" for character in text)
        stroke = f" 2 Tr {size * _BOLD_STROKE:g} w {grey:g} G" if bold else ""
        return f"q BT {grey:g} g{stroke} /F {size:g} Tf {x:.2f} {y:.2f} Td <{codes}> Tj ET Q"


def _before_break(line: str) -> int:
    """Return how much of a full line stays before a sign that begins no line: what it follows goes with it."""
    last = len(line) - 1
    while last > 0 and line[last] in _NO_LINE_START:
        last -= 1
    return last or len(line)


def shared_subset(drawn: Iterable[Lettering]) -> FontSubset:
    """Return one font for everything drawn."""
    return chinese_font().subset("".join(item.characters for item in drawn))


def readable(text: str) -> str:
    """Return `text` as one line without anything invisible: nobody signs with a name that paints over the page."""
    return "".join(
        character if character.isprintable() or character == _WIDE_SPACE else " " for character in text
    ).strip()


def embed_font(writer: BasePdfFileWriter, subset: FontSubset) -> generic.IndirectObject:
    """Write a font program into a PDF and return the font."""
    name = pdf_name(f"/{subset.name}")
    program = generic.StreamObject({pdf_name("/Subtype"): pdf_name("/CIDFontType0C")}, stream_data=subset.program)
    program.compress()
    descriptor = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/FontDescriptor"),
            pdf_name("/FontName"): name,
            pdf_name("/Flags"): generic.NumberObject(_SYMBOLIC),
            pdf_name("/FontBBox"): generic.ArrayObject([generic.NumberObject(side) for side in _BOX]),
            pdf_name("/ItalicAngle"): generic.NumberObject(0),
            pdf_name("/Ascent"): generic.NumberObject(_ASCENT),
            pdf_name("/Descent"): generic.NumberObject(_DESCENT),
            pdf_name("/CapHeight"): generic.NumberObject(_CAP_HEIGHT),
            pdf_name("/StemV"): generic.NumberObject(_STEM),
            pdf_name("/FontFile3"): writer.add_object(program),
        }
    )
    widths = generic.ArrayObject([generic.NumberObject(width) for width in subset.widths[1:]])
    descendant = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Font"),
            pdf_name("/Subtype"): pdf_name("/CIDFontType0"),
            pdf_name("/BaseFont"): name,
            pdf_name("/CIDSystemInfo"): generic.DictionaryObject(
                {
                    pdf_name("/Registry"): generic.pdf_string("Adobe"),
                    pdf_name("/Ordering"): generic.pdf_string("Identity"),
                    pdf_name("/Supplement"): generic.NumberObject(0),
                }
            ),
            pdf_name("/FontDescriptor"): writer.add_object(descriptor),
            pdf_name("/DW"): generic.NumberObject(subset.widths[0]),
            pdf_name("/W"): generic.ArrayObject([generic.NumberObject(1), widths]),
        }
    )
    meant = generic.StreamObject(stream_data=_meant(subset))
    meant.compress()
    return writer.add_object(
        generic.DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/Font"),
                pdf_name("/Subtype"): pdf_name("/Type0"),
                pdf_name("/BaseFont"): name,
                pdf_name("/Encoding"): pdf_name("/Identity-H"),
                pdf_name("/DescendantFonts"): generic.ArrayObject([writer.add_object(descendant)]),
                pdf_name("/ToUnicode"): writer.add_object(meant),
            }
        )
    )


def _meant(subset: FontSubset) -> bytes:
    """Return the map from numbers to characters, so that text can be searched and copied."""
    rows = [
        f"<{number:04X}> <{character.encode('utf-16-be').hex().upper()}>"
        for character, number in subset.numbers.items()
    ]
    blocks = [rows[place : place + 100] for place in range(0, len(rows), 100)]
    pairs = "".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar\n" for block in blocks)
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
        f"1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n{pairs}endcmap\n"
        "CMapName currentdict /CMap defineresource pop\nend\nend\n"
    ).encode()
