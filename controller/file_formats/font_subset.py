"""字体子集. Takes the few glyphs that a signature needs out of a large Chinese font, as a font program for a PDF.

Reads OpenType collections with CID-keyed outlines (CFF), such as the packaged one, without taking them apart as a
whole: only the glyphs asked for are touched, so that a collection of 20 MB costs a few milliseconds. Subroutines are
written out in place; hints stay. Same text, same bytes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from controller.domain.errors import MisconfiguredError
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ROS, _FD_ARRAY, _FD_SELECT, _FONT_MATRIX = 1230, 1236, 1237, 1207
_CID_COUNT = 1234
_CHARSET, _CHAR_STRINGS, _PRIVATE, _SUBRS = 15, 17, 18, 19
_FIRST_OWN_STRING = 391
"""String ids below are the standard's own."""
_STEMS = frozenset({1, 3, 18, 23})
_MASKS = frozenset({19, 20})
_CALL_LOCAL, _RETURN, _ESCAPE, _END, _SHORT, _CALL_GLOBAL, _FIXED = 10, 11, 12, 14, 28, 29, 255
_FLEXES = frozenset({34, 35, 36, 37})
_DEEPEST = 10
_ENDS_DECIMAL = 0x0F


class FontUnusableError(MisconfiguredError):
    """字体不可用. The font that signature pages are set in is missing or of another kind than expected."""

    code = "pdf-font-unusable"

    def __init__(self) -> None:
        super().__init__(
            T("签署页所用的中文字体无法读取。"), hint=T("请重新安装本软件（含 noto-cjk-sans-otc 字体包）。")
        )


@dataclass(frozen=True)
class FontSubset:
    """字体子集. The glyphs of some characters; each character is numbered from 1 in order of code point."""

    name: str
    """PostScript name with the mark of a subset."""
    program: bytes
    """CFF, CID-keyed."""
    numbers: dict[str, int]
    """Character → its number in the program."""
    widths: tuple[int, ...]
    """Advance widths in thousandths of an em, by number; the first is that of the missing glyph."""


class ChineseFont:
    """中文字体. One font of an OpenType collection.

    Args:
        data: the collection; may be memory-mapped.
        name: PostScript name of the font wanted.

    Raises:
        FontUnusableError: the collection does not hold it, or not with outlines of this kind.
    """

    def __init__(self, data: memoryview, name: str) -> None:
        self._data = data
        self.name = name
        try:
            self._open()
        except (struct.error, IndexError, KeyError, ValueError) as exc:
            raise FontUnusableError from exc

    def widths(self, text: str) -> list[int]:
        """Return the advance width of each character in thousandths of an em."""
        return [self._width(self._glyph(character)) for character in text]

    def subset(self, text: str) -> FontSubset:
        """Return a font program that holds the characters of `text`.

        Raises:
            FontUnusableError: an outline is damaged or of a kind that fonts of this sort do not use.
        """
        characters = sorted(set(text))
        glyphs = [0, *(self._glyph(character) for character in characters)]
        mark = "".join(chr(65 + byte % 26) for byte in sha256("".join(characters).encode()).digest()[:6])
        name = f"{mark}+{self.name}"
        try:
            program = self._program(name, glyphs)
        except (struct.error, IndexError, KeyError, ValueError) as exc:
            raise FontUnusableError from exc
        numbers = {character: number for number, character in enumerate(characters, 1)}
        return FontSubset(name, program, numbers, tuple(self._width(glyph) for glyph in glyphs))

    # -- reading -----------------------------------------------------------------------------------------------

    def _open(self) -> None:
        tables = self._tables()
        self._em = self._number(">H", tables["head"] + 18)
        self._metrics, self._measured = tables["hmtx"], self._number(">H", tables["hhea"] + 34)
        self._cmap = self._character_map(tables["cmap"])
        self._cff = tables["CFF "]
        names = _Index(self._data, self._cff + self._data[self._cff + 2])
        tops = _Index(self._data, names.end)
        strings = _Index(self._data, tops.end)
        self._global = _Index(self._data, strings.end)
        top = dict(_operators(tops[0]))
        self._outlines = _Index(self._data, self._cff + _integers(top[_CHAR_STRINGS])[0])
        self._select = self._cff + _integers(top[_FD_SELECT])[0]
        self._matrix = top.get(_FONT_MATRIX)
        parts = _Index(self._data, self._cff + _integers(top[_FD_ARRAY])[0])
        self._parts = [dict(_operators(parts[number])) for number in range(len(parts))]
        if _ROS not in top or self._em == 0:
            raise ValueError

    def _tables(self) -> dict[str, int]:
        """Return the place of each table of the font that has the wanted name."""
        if bytes(self._data[:4]) != b"ttcf":
            raise ValueError
        for number in range(self._number(">I", 8)):
            start = self._number(">I", 12 + 4 * number)
            count = self._number(">H", start + 4)
            tables = {}
            for place in range(start + 12, start + 12 + 16 * count, 16):
                tables[bytes(self._data[place : place + 4]).decode("latin-1")] = self._number(">I", place + 8)
            if self._postscript_name(tables["name"]) == self.name:
                return tables
        raise ValueError

    def _postscript_name(self, table: int) -> str:
        count, strings = struct.unpack_from(">HH", self._data, table + 2)
        for place in range(table + 6, table + 6 + 12 * count, 12):
            _, _, _, kind, size, offset = struct.unpack_from(">6H", self._data, place)
            if kind == 6:  # noqa: PLR2004 - PostScript name
                start = table + strings + offset
                return bytes(self._data[start : start + size]).replace(b"\0", b"").decode("latin-1")
        return ""

    def _character_map(self, table: int) -> int:
        for place in range(table + 4, table + 4 + 8 * self._number(">H", table + 2), 8):
            start = table + self._number(">I", place + 4)
            if self._number(">H", start) == 12:  # noqa: PLR2004 - the format that covers all of Unicode
                return start
        raise ValueError

    def _number(self, shape: str, place: int) -> int:
        found: int = struct.unpack_from(shape, self._data, place)[0]
        return found

    def _glyph(self, character: str) -> int:
        """Return the glyph of a character; 0, the missing glyph, when the font has none."""
        code = ord(character)
        low, high = 0, self._number(">I", self._cmap + 12)
        while low < high:
            middle = (low + high) // 2
            first, last, glyph = struct.unpack_from(">III", self._data, self._cmap + 16 + 12 * middle)
            if code < first:
                high = middle
            elif code > last:
                low = middle + 1
            else:
                return int(glyph) + code - int(first)
        return 0

    def _width(self, glyph: int) -> int:
        place = self._metrics + 4 * min(glyph, self._measured - 1)
        return round(self._number(">H", place) * 1000 / self._em)

    def _part(self, glyph: int) -> int:
        """Return which part of the font (FD) a glyph belongs to."""
        if self._data[self._select] == 0:
            return self._data[self._select + 1 + glyph]
        low, high = 0, self._number(">H", self._select + 1) - 1
        while low < high:
            middle = (low + high + 1) // 2
            if self._number(">H", self._select + 3 + 3 * middle) <= glyph:
                low = middle
            else:
                high = middle - 1
        return self._data[self._select + 5 + 3 * low]

    def _private(self, part: int) -> tuple[dict[int, bytes], _Index | None]:
        """Return the private dictionary of a part without its subroutines, and those."""
        size, offset = _integers(self._parts[part][_PRIVATE])
        start = self._cff + offset
        private = dict(_operators(bytes(self._data[start : start + size])))
        subroutines = private.pop(_SUBRS, None)
        return private, _Index(self._data, start + _integers(subroutines)[0]) if subroutines is not None else None

    # -- writing -----------------------------------------------------------------------------------------------

    def _program(self, name: str, glyphs: Sequence[int]) -> bytes:
        owners = [self._part(glyph) for glyph in glyphs]
        parts = sorted(set(owners))
        privates = {part: self._private(part) for part in parts}
        outlines = [
            _WrittenOut(self._global, privates[part][1]).outline(self._outlines[glyph])
            for glyph, part in zip(glyphs, owners, strict=True)
        ]
        head = b"\x01\x00\x04\x04" + _index([name.encode("latin-1")])
        strings = _index([b"Adobe", b"Identity"]) + _index([])
        # Offsets are written in five bytes, so the top dictionary is as long whatever they are.
        size = len(_index([self._top(0, 0, 0, 0, len(glyphs))]))
        charset_at = len(head) + size + len(strings)
        charset = struct.pack(">BHH", 2, 1, max(len(glyphs) - 2, 0))
        select = b"\x00" + bytes(parts.index(part) for part in owners)
        select_at = charset_at + len(charset)
        outlines_at = select_at + len(select)
        stored = _index(outlines)
        private_at = outlines_at + len(stored)
        fonts, tails = [], b""
        for part in parts:
            private = b"".join(operands + _operator(key) for key, operands in privates[part][0].items())
            matrix = self._parts[part].get(_FONT_MATRIX)
            font = matrix + _operator(_FONT_MATRIX) if matrix is not None else b""
            at = private_at + len(tails)
            fonts.append(font + _long(len(private)) + _long(at) + _operator(_PRIVATE))
            tails += private
        top = self._top(charset_at, select_at, outlines_at, private_at + len(tails), len(glyphs))
        return b"".join([head, _index([top]), strings, charset, select, stored, tails, _index(fonts)])

    def _top(self, charset: int, select: int, outlines: int, fonts: int, count: int) -> bytes:
        matrix = self._matrix + _operator(_FONT_MATRIX) if self._matrix is not None else b""
        ordering = _long(_FIRST_OWN_STRING) + _long(_FIRST_OWN_STRING + 1) + _long(0) + _operator(_ROS)
        return b"".join(
            [
                ordering,
                matrix,
                _long(count) + _operator(_CID_COUNT),
                _long(charset) + _operator(_CHARSET),
                _long(select) + _operator(_FD_SELECT),
                _long(outlines) + _operator(_CHAR_STRINGS),
                _long(fonts) + _operator(_FD_ARRAY),
            ]
        )


class _Index:
    """A CFF INDEX: many objects of any length, each found without reading the others."""

    def __init__(self, data: memoryview, start: int) -> None:
        self._data = data
        self._count = int.from_bytes(data[start : start + 2], "big")
        self._size = data[start + 2] if self._count else 0
        self._offsets = start + 3
        self._base = start + 2 + (self._count + 1) * self._size
        self.end = start + 2 if not self._count else self._base + self._offset(self._count)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> bytes:
        if not 0 <= number < self._count:
            raise IndexError(number)
        return bytes(self._data[self._base + self._offset(number) : self._base + self._offset(number + 1)])

    def _offset(self, number: int) -> int:
        place = self._offsets + number * self._size
        return int.from_bytes(self._data[place : place + self._size], "big")


class _WrittenOut:
    """One outline with its subroutines written out in place."""

    def __init__(self, shared: _Index, own: _Index | None) -> None:
        self._shared = shared
        self._own = own
        self._out: list[bytes] = []
        self._waiting: list[bytes] = []
        """Numbers on the stack, as they stand in the outline."""
        self._stems = 0

    def outline(self, code: bytes) -> bytes:
        self._run(code, 0)
        return b"".join(self._out)

    def _run(self, code: bytes, depth: int) -> bool:
        """Write `code` out; return True when the outline has ended."""
        if depth > _DEEPEST:
            raise ValueError
        place = 0
        while place < len(code):
            first = code[place]
            size = _number_size(first)
            if size:
                self._waiting.append(code[place : place + size])
                place += size
                continue
            place += 1
            if first in {_CALL_LOCAL, _CALL_GLOBAL}:
                called = self._own if first == _CALL_LOCAL else self._shared
                if called is None:
                    raise ValueError
                if self._run(called[_value(self._waiting.pop()) + _bias(len(called))], depth + 1):
                    return True
                continue
            if first == _RETURN:
                return False
            operator = code[place - 1 : place]
            if first == _ESCAPE:
                operator = code[place - 1 : place + 1]
                if operator[1] not in _FLEXES:
                    raise ValueError
                place += 1
            elif first in _STEMS | _MASKS:
                self._stems += len(self._waiting) // 2
                if first in _MASKS:
                    length = (self._stems + 7) // 8
                    operator += code[place : place + length]
                    place += length
            self._out += [*self._waiting, operator]
            self._waiting.clear()
            if first == _END:
                return True
        return False


def _number_size(first: int) -> int:
    """Return how many bytes a number takes that begins with `first`, 0 when it is an operator."""
    if first == _SHORT:
        return 3
    if first < 32:  # noqa: PLR2004 - as the format says
        return 0
    if first < 247:  # noqa: PLR2004
        return 1
    return 5 if first == _FIXED else 2


def _value(number: bytes) -> int:
    first = number[0]
    if first == _SHORT:
        return int.from_bytes(number[1:3], "big", signed=True)
    if first < 247:  # noqa: PLR2004 - as the format says
        return first - 139
    if first < 251:  # noqa: PLR2004
        return (first - 247) * 256 + number[1] + 108
    if first < _FIXED:
        return -(first - 251) * 256 - number[1] - 108
    raise ValueError


def _bias(count: int) -> int:
    return 107 if count < 1240 else 1131 if count < 33900 else 32768  # noqa: PLR2004 - as the format says


def _operators(dictionary: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield operator and operands of a CFF dictionary; operators of two bytes are 1200 and the second byte."""
    start = place = 0
    while place < len(dictionary):
        first = dictionary[place]
        if first <= 21:  # noqa: PLR2004 - as the format says
            operands = dictionary[start:place]
            if first == _ESCAPE:
                place += 1
                first = 1200 + dictionary[place]
            place += 1
            yield first, operands
            start = place
        elif first == 30:  # noqa: PLR2004 - a decimal number, ended by a half byte of ones
            place += 1
            while _ENDS_DECIMAL not in {dictionary[place] & 0x0F, dictionary[place] >> 4}:
                place += 1
            place += 1
        else:
            place += 5 if first == 29 else _number_size(first)  # noqa: PLR2004 - as the format says


def _integers(operands: bytes) -> list[int]:
    found, place = [], 0
    while place < len(operands):
        if operands[place] == 29:  # noqa: PLR2004 - as the format says
            found.append(int.from_bytes(operands[place + 1 : place + 5], "big", signed=True))
            place += 5
        else:
            size = _number_size(operands[place])
            found.append(_value(operands[place : place + size]))
            place += size
    return found


def _operator(key: int) -> bytes:
    return bytes([_ESCAPE, key - 1200]) if key >= 1200 else bytes([key])  # noqa: PLR2004 - see `_operators`


def _long(number: int) -> bytes:
    return struct.pack(">Bi", 29, number)


def _index(items: Sequence[bytes]) -> bytes:
    if not items:
        return b"\x00\x00"
    offsets = [1]
    for item in items:
        offsets.append(offsets[-1] + len(item))
    return b"".join([struct.pack(">HB", len(items), 4), *(offset.to_bytes(4, "big") for offset in offsets), *items])
