"""扫描件的检查与读码. Looks through a scanned PDF for anything that acts, and reads QR codes off scans.

Reading codes needs the libraries zxing-cpp and Pillow; without them nothing is read and a person has to confirm.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from controller.domain.text import T
from controller.file_formats.scan_file import MOST_PIXELS, ScanKind, ScanRefusedError, check_pixels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL.Image import Image
    from pypdf import PdfReader

MOST_PAGES = 20
_MOST_OBJECTS = 20_000
_MOST_PICTURES = 40
_ACTIVE_KEYS = {
    "/JS": "JavaScript",
    "/JavaScript": "JavaScript",
    "/EmbeddedFiles": "EmbeddedFiles",
    "/EmbeddedFile": "EmbeddedFile",
    "/EF": "EmbeddedFile",
    "/AF": "EmbeddedFile",
    "/AA": "AdditionalActions",
    "/AcroForm": "AcroForm",
    "/XFA": "XFA",
    "/RichMediaContent": "RichMedia",
    "/Collection": "Collection",
}
"""Keys under which a PDF does or carries something, and how it is told."""
_ACTIVE_TYPES = {
    "/S": {
        "/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/GoToR", "/GoToE", "/Movie", "/Sound", "/Rendition",
        "/Hide", "/SetOCGState", "/RichMediaExecute", "/GoTo3DView", "/URI", "/Named", "/Thread", "/Trans",
    },
    "/Subtype": {"/FileAttachment", "/RichMedia", "/Screen", "/Movie", "/Sound", "/3D", "/Link"},
    "/Type": {"/EmbeddedFile", "/Filespec", "/F"},
}  # fmt: skip
"""Kinds of actions, annotations and objects that no scan has."""
_WRITTEN = re.compile(rb"/(?:JavaScript|Launch|EmbeddedFiles?|RichMedia|SubmitForm|ImportData|FileAttachment)\b")
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")


class ScanReading:
    """扫描件读取. Implements the port `ScanReader`."""

    def check_pdf(self, data: bytes) -> None:
        """Make sure that a PDF is a scan and nothing else.

        Raises:
            ScanRefusedError: it cannot be read, is encrypted, or holds active content, with its place.
        """
        _check_written(data)
        reader = _opened(data)
        try:
            _check_pages(len(reader.pages))
            for number, found in _objects(reader):
                _check_object(number, found)
        except ScanRefusedError:
            raise
        except Exception as exc:
            raise ScanRefusedError(problem=T("PDF 无法读取")) from exc

    def codes(self, data: bytes, kind: ScanKind) -> list[str] | None:
        """Return the texts of all QR codes on a checked scan; None when this computer cannot read codes at all."""
        try:
            import zxingcpp
            from PIL import Image
        except ImportError:
            return None
        found: list[str] = []
        for picture in _pictures(data, kind, Image):
            for code in zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)):
                if code.text not in found:
                    found.append(code.text)
        return found


def _check_written(data: bytes) -> None:
    """Refuse names of active content as they stand in the file, whatever a reader makes of its structure."""
    plain = _ESCAPED.sub(lambda match: bytes((int(match[1], 16),)), data) if b"#" in data else data
    match = _WRITTEN.search(plain)
    if match is not None:
        raise _active(match[0][1:].decode("ascii"), f"第 {match.start()} 字节")


def _check_pages(pages: int) -> None:
    if not 1 <= pages <= MOST_PAGES:
        raise ScanRefusedError(problem=T("PDF 有 {pages} 页，应为 1 至 {limit} 页", pages=pages, limit=MOST_PAGES))


def _opened(data: bytes) -> PdfReader:
    from pypdf import PdfReader

    try:
        reader = PdfReader(io.BytesIO(data))
        encrypted = reader.is_encrypted
    except Exception as exc:
        raise ScanRefusedError(problem=T("PDF 无法读取")) from exc
    if encrypted:
        raise ScanRefusedError(problem=T("PDF 已加密"), hint=T("请去掉密码后再归档，档案要能长期打开。"))
    return reader


def _objects(reader: PdfReader) -> Iterator[tuple[int, Any]]:
    """Yield every object that can be reached, with the number of the object it lies in (0: the trailer)."""
    from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

    waiting: list[tuple[int, Any]] = [(0, reader.trailer)]
    seen: set[tuple[int, int]] = set()
    looked_at = 0
    while waiting:
        number, found = waiting.pop()
        if isinstance(found, IndirectObject):
            key = (found.idnum, found.generation)
            if key in seen:
                continue
            seen.add(key)
            number, found = found.idnum, found.get_object()
        looked_at += 1
        if looked_at > _MOST_OBJECTS:
            raise ScanRefusedError(problem=T("PDF 的内容超过 {limit} 个对象，不像扫描件", limit=_MOST_OBJECTS))
        if isinstance(found, DictionaryObject):
            yield number, found
            waiting += [(number, value) for value in (found.raw_get(key) for key in found)]
        elif isinstance(found, ArrayObject):
            waiting += [(number, value) for value in list.__iter__(found)]


def _check_object(number: int, found: Any) -> None:
    place = f"第 {number} 个对象" if number else "文件目录"
    for key, told in _ACTIVE_KEYS.items():
        if key in found:
            raise _active(told, place)
    for key, kinds in _ACTIVE_TYPES.items():
        value = found.get(key)
        if isinstance(value, str) and value in kinds:
            raise _active(value[1:], place)
    opened = found.get("/OpenAction")
    if isinstance(opened, dict) and opened.get("/S") != "/GoTo":
        raise _active("OpenAction", place)
    if found.get("/Subtype") == "/Image":
        width, height = found.get("/Width"), found.get("/Height")
        if not isinstance(width, int) or not isinstance(height, int):
            raise ScanRefusedError(problem=T("PDF {place}中的图片没有尺寸", place=place))
        check_pixels(width, height, place=f"（{place}）")


def _active(what: str, place: str) -> ScanRefusedError:
    return ScanRefusedError(
        problem=T("PDF {place}含有会执行或夹带的内容（{what}）", place=place, what=what),
        hint=T("扫描件不应含有脚本、链接、动作或附件。请打印后重新扫描。"),
    )


def _pictures(data: bytes, kind: ScanKind, image: Any) -> Iterator[Image]:
    """Yield the pictures of a scan in grey; those that cannot be shown are left out: reading codes is a convenience."""
    sources: Iterator[bytes] = iter((data,)) if kind is not ScanKind.PDF else _pdf_pictures(data)
    while True:
        try:
            source = next(sources, None)
            if source is None:
                return
            with image.open(io.BytesIO(source)) as opened:
                width, height = opened.size
                if width * height > MOST_PIXELS:
                    continue
                grey = opened.convert("L")
        except Exception:  # noqa: BLE001, S112 - a picture that no code can be read from
            continue
        yield grey


def _pdf_pictures(data: bytes) -> Iterator[bytes]:
    taken = 0
    for page in _opened(data).pages:
        for name in page.images.keys():  # noqa: SIM118 - iterating the list itself would decode every picture
            if taken == _MOST_PICTURES:
                return
            taken += 1
            yield page.images[name].data
