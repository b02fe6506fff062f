"""DER 编码. Reads and writes the strict binary encoding of certificates and signatures (ITU-T X.690).

Only what DER allows is read: definite, shortest lengths and nothing left over, so that one content has one encoding
and every changed byte is noticed. General ASN.1 is not the business of this module.
"""

from __future__ import annotations

from controller.domain.text import T, Text

INTEGER, BIT_STRING, OCTET_STRING, NULL, OBJECT_IDENTIFIER = 0x02, 0x03, 0x04, 0x05, 0x06
UTC_TIME, GENERALIZED_TIME, SEQUENCE, SET = 0x17, 0x18, 0x30, 0x31
CONTEXT_0, CONTEXT_4 = 0xA0, 0xA4
"""Constructed, context-specific tags."""
_LONG, _MOST_LENGTH_BYTES = 0x80, 4
_MULTI_BYTE_TAG = 0x1F


class NotDerError(ValueError):
    """不是所要的 DER. The bytes are not strict DER or not of the expected shape; callers say of which file."""

    def __init__(self, problem: Text | None = None) -> None:
        self.problem = problem or T("内容不是规范的 DER 编码，或有多余、缺少的字节")
        super().__init__(str(self.problem))


class DerReader:
    """DER 读取. Takes the elements of one span of bytes in turn; whatever is not as expected raises `NotDerError`."""

    __slots__ = ("at", "data", "end")

    def __init__(self, data: bytes, at: int = 0, end: int | None = None) -> None:
        self.data = data
        self.at = at
        self.end = len(data) if end is None else end

    def _span(self, tag: int) -> tuple[int, int]:
        """Return where the content of the next element begins and ends, and step over it."""
        data, at, end = self.data, self.at, self.end
        if at + 2 > end or data[at] != tag:
            raise NotDerError
        length = data[at + 1]
        begin = at + 2
        if length >= _LONG:
            size = length - _LONG
            begin += size
            if not 1 <= size <= _MOST_LENGTH_BYTES or begin > end:
                raise NotDerError
            length = int.from_bytes(data[at + 2 : begin], "big")
            if length < _LONG or length < 1 << 8 * (size - 1):
                raise NotDerError
        stop = begin + length
        if stop > end:
            raise NotDerError
        self.at = stop
        return begin, stop

    def content(self, tag: int) -> bytes:
        """Return the content of the next element, which must have `tag`."""
        begin, stop = self._span(tag)
        return self.data[begin:stop]

    def whole(self, tag: int) -> bytes:
        """Return the next element with its tag and length."""
        at = self.at
        self._span(tag)
        return self.data[at : self.at]

    def inside(self, tag: int) -> DerReader:
        """Return a reader of what is inside the next element."""
        begin, stop = self._span(tag)
        return DerReader(self.data, begin, stop)

    def only(self, tag: int, problem: Text | None = None) -> DerReader:
        """The same, when that element must be the last one here."""
        begin, stop = self._span(tag)
        if stop != self.end:
            raise NotDerError(problem)
        return DerReader(self.data, begin, stop)

    def fixed(self, encoded: bytes, problem: Text | None = None) -> None:
        """Step over exactly these bytes."""
        stop = self.at + len(encoded)
        if stop > self.end or not self.data.startswith(encoded, self.at):
            raise NotDerError(problem)
        self.at = stop

    def more(self) -> bool:
        """Tell whether anything is left."""
        return self.at < self.end

    def tag(self) -> int:
        """Return the tag of the next element, -1 when none is left."""
        return self.data[self.at] if self.at < self.end else -1

    def done(self, problem: Text | None = None) -> None:
        """Make sure that nothing is left."""
        if self.at != self.end:
            raise NotDerError(problem)

    def elements(self) -> list[bytes]:
        """Return all elements that are left, each whole, whatever their tags."""
        found = []
        while self.at < self.end:
            tag = self.data[self.at]
            if tag & _MULTI_BYTE_TAG == _MULTI_BYTE_TAG:
                raise NotDerError
            found.append(self.whole(tag))
        return found


def encoded(tag: int, *parts: bytes) -> bytes:
    """Return one element with `tag` and the parts as its content."""
    content = b"".join(parts)
    length = len(content)
    if length < _LONG:
        return bytes((tag, length)) + content
    size = (length.bit_length() + 7) // 8
    return bytes((tag, _LONG + size)) + length.to_bytes(size, "big") + content


def set_of(tag: int, parts: list[bytes]) -> bytes:
    """Return a SET OF: its parts in the ascending order that DER demands."""
    return encoded(tag, *sorted(parts))


def object_identifier(dotted: str) -> bytes:
    """Return the element for an object identifier such as `1.2.840.113549.1.7.2`."""
    first, second, *rest = (int(number) for number in dotted.split("."))
    content = bytearray()
    for number in (first * 40 + second, *rest):
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(0x80 | number & 0x7F)
        content += bytes(reversed(groups))
    return encoded(OBJECT_IDENTIFIER, bytes(content))
