"""扫描件. What a scan really is, by its content: PDF, JPEG or PNG, whole, and of a size that can be looked at.

Names and declared types are never believed. What a PDF could do when opened is looked for by `adapters.scan_reading`.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.domain.errors import RefusedError
from controller.domain.text import T

if TYPE_CHECKING:
    from controller.domain.text import Text

LARGEST = 20 * 1024 * 1024
"""Bytes of a scan."""
MOST_PIXELS = 40_000_000
"""Of one picture: A4 at 600 dots per inch is 35 million."""

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_JPEG_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_STANDING_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_PDF_HEAD = 1024
"""Readers accept the PDF mark anywhere in the first kilobyte; we only at the very beginning."""


class ScanKind(StrEnum):
    """扫描件类型. By content; the value is the suffix it is stored under."""

    PDF = ".pdf"
    JPEG = ".jpg"
    PNG = ".png"


class ScanRefusedError(RefusedError):
    """扫描件不能用. Not a PDF, JPEG or PNG, not whole, too large, or it holds what a scan never does."""

    code = "scan-refused"

    def __init__(self, *, problem: Text, hint: Text | None = None) -> None:
        super().__init__(
            T("扫描件不能使用：{problem}。", problem=problem),
            hint=hint or T("请用扫描仪或手机重新扫描，保存为 PDF、JPEG 或 PNG。"),
        )


@dataclass(frozen=True)
class PictureSize:
    """图片尺寸. In pixels."""

    width: int
    height: int


def scan_kind(data: bytes) -> ScanKind:
    """Return what a scan is, after looking through a picture's structure to its end.

    Raises:
        ScanRefusedError: it is none of the three, too large, damaged, or has something behind its end.
    """
    if len(data) > LARGEST:
        size, limit = len(data) / 2**20, LARGEST // 2**20
        raise ScanRefusedError(
            problem=T("文件有 {size} MB，超过 {limit} MB", size=f"{size:.1f}", limit=limit),
            hint=T("请用 300 dpi、灰度重新扫描。"),
        )
    if data.startswith(_PNG):
        _check_pixels(_png_size(data))
        return ScanKind.PNG
    if data.startswith(b"\xff\xd8\xff"):
        _check_pixels(_jpeg_size(data))
        return ScanKind.JPEG
    if data.startswith((b"%PDF-1.", b"%PDF-2.")):
        if b"%%EOF" not in data[-_PDF_HEAD:]:
            raise ScanRefusedError(problem=T("PDF 不完整，缺少结尾"))
        return ScanKind.PDF
    raise ScanRefusedError(problem=T("内容不是 PDF、JPEG 或 PNG（文件名的后缀不作数）"))


def check_pixels(width: int, height: int, *, place: str = "") -> None:
    """Make sure a picture is of a size that can be looked at; raises `ScanRefusedError`."""
    if width < 1 or height < 1 or width * height > MOST_PIXELS:
        raise ScanRefusedError(
            problem=T(
                "图片 {place}的尺寸 {width} × {height} 超过 {limit} 万像素",
                place=place,
                width=width,
                height=height,
                limit=MOST_PIXELS // 10_000,
            ),
            hint=T("请用 300 dpi 重新扫描。"),
        )


def _check_pixels(size: PictureSize) -> None:
    check_pixels(size.width, size.height)


def _png_size(data: bytes) -> PictureSize:
    """Walk through all chunks, each with its checksum, to the end of the file."""
    place, size, seen_data = len(_PNG), None, False
    while place < len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        kind = data[place + 4 : place + 8]
        end = place + 12 + length
        if end > len(data) or int.from_bytes(data[end - 4 : end], "big") != zlib.crc32(data[place + 4 : end - 4]):
            raise ScanRefusedError(problem=T("PNG 在第 {place} 字节处损坏", place=place))
        body = data[place + 8 : end - 4]
        if size is None:
            if kind != b"IHDR" or len(body) != 13 or body[8] not in _PNG_DEPTHS.get(body[9], ()):  # noqa: PLR2004 - bytes of IHDR
                raise ScanRefusedError(problem=T("PNG 在第 {place} 字节处损坏", place=place))
            size = PictureSize(int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big"))
        if kind == b"acTL":
            raise ScanRefusedError(problem=T("PNG 是动画（第 {place} 字节）", place=place))
        seen_data = seen_data or kind == b"IDAT"
        if kind == b"IEND":
            _nothing_behind(data, end)
            if not seen_data:
                break
            return size
        place = end
    raise ScanRefusedError(problem=T("PNG 不完整"))


def _jpeg_size(data: bytes) -> PictureSize:
    """Walk through the segments up to the picture data; the file must end where the picture does."""
    place, size = 2, None
    while place + 4 <= len(data):
        if data[place] != 0xFF:  # noqa: PLR2004 - every marker begins so
            break
        marker = data[place + 1]
        if marker == 0xFF:  # noqa: PLR2004 - filling
            place += 1
            continue
        if marker in _STANDING_ALONE:
            place += 2
            continue
        length = int.from_bytes(data[place + 2 : place + 4], "big")
        if marker in _JPEG_FRAMES and length >= 8:  # noqa: PLR2004 - bytes up to the width
            height = int.from_bytes(data[place + 5 : place + 7], "big")
            size = PictureSize(int.from_bytes(data[place + 7 : place + 9], "big"), height)
        if marker == _START_OF_SCAN:
            end = data.rfind(bytes((0xFF, _END_OF_IMAGE)))
            if end < place or size is None:
                raise ScanRefusedError(problem=T("JPEG 不完整"))
            _nothing_behind(data, end + 2)
            return size
        if length < 2:  # noqa: PLR2004 - the length counts itself
            break
        place += 2 + length
    raise ScanRefusedError(problem=T("JPEG 在第 {place} 字节处损坏", place=place))


def _nothing_behind(data: bytes, end: int) -> None:
    """Another file hidden behind the picture would be filed with it; padding with zeros is what scanners write."""
    if data[end:].strip(b"\0\r\n\t "):
        raise ScanRefusedError(
            problem=T("图片结尾（第 {place} 字节）之后还有别的内容", place=end),
            hint=T("手机拍照时请关闭“动态照片”，或用“扫描文稿”功能，保存为 PDF、JPEG 或 PNG。"),
        )
