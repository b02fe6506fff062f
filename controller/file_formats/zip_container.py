"""压缩包. ZIP as OOXML uses it: a reader that trusts no header, and a writer whose bytes are the same everywhere.

The reader follows the central directory, checks it against every local header, and unpacks with limits that count
what really comes out. The writer knows no clock and no compressor: a part is copied in the compressed form it already
has, or stored as it is, because deflate differs between builds of zlib (docs/adr/0005). What the parts mean is the
business of `docx_package`.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.errors import DamagedError, RefusedError
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_PARTS = 2_000
MAX_TOTAL = 100 * 1024 * 1024
"""Bytes that all parts together may unpack to."""
MAX_RATIO = 200
"""Unpacked ÷ packed; ordinary office files stay below 100."""
_RATIO_FREE = 64 * 1024
"""Parts this small may have any ratio; they cannot hurt."""

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_STORED, _DEFLATED = 0, 8
_UTF8_FLAG, _ENCRYPTED_FLAGS = 0x800, 0x2041
_DOS_TIME, _DOS_DATE = 0, 0x21
"""1980-01-01 00:00, the first moment ZIP can name."""
_UNSAFE_NAME = re.compile(r"[\x00-\x1f\x7f\\:]|^/|(?:^|/)\.{1,2}(?:/|$)|//|[. ](?:/|$)")
_MAX_NAME = 400
_ZIP64_COUNT, _ZIP64_OFFSET = 0xFFFF, 0xFFFFFFFF


class NotAZipError(DamagedError):
    """不是压缩包. The file is of another kind."""

    code = "file-not-zip"

    def __init__(self) -> None:
        super().__init__(
            T("文件不是 docx：内容不是 OOXML 压缩包。"),
            hint=T("请在 Word 或 WPS 中打开原文件，另存为“Word 文档（*.docx）”后再试。"),
        )


class TruncatedZipError(DamagedError):
    """文件不完整. The end or the middle of the file is missing."""

    code = "file-truncated"

    def __init__(self, *, detail: Text) -> None:
        super().__init__(
            T("文件不完整或已损坏：{detail}。", detail=detail),
            hint=T("请重新复制或下载该文件；若 Word 也打不开，请从备份取回。"),
        )


class PartDamagedError(DamagedError):
    """部件损坏. One part's bytes are not what the file says they are."""

    code = "part-damaged"

    def __init__(self, *, part: str, detail: Text) -> None:
        super().__init__(
            T("文件中的部件“{part}”已损坏：{detail}。", part=part[:200], detail=detail),
            hint=T("请在 Word 或 WPS 中打开并另存为新的 docx 后再试。"),
            where=part[:200],
        )


class EncryptedFileError(RefusedError):
    """文件有密码. Encrypted content cannot be checked, so it cannot be controlled."""

    code = "file-encrypted"

    def __init__(self) -> None:
        super().__init__(
            T("文件有打开密码（已加密），无法检查其内容。"),
            hint=T("请在 Word 中取消“用密码进行加密”，另存为 docx 后再试。"),
        )


class UnsafePartNameError(RefusedError):
    """部件名不安全. A name that points outside the file or that some file system cannot take."""

    code = "part-name-unsafe"

    def __init__(self, *, part: str) -> None:
        super().__init__(
            T("文件中有不安全的部件名“{part}”（绝对路径、上级目录或非法字符）。", part=_printable(part)),
            hint=T("这不是 Word 或 WPS 正常保存的文件；请向提供者核实来源，并另存为新的 docx。"),
            where=_printable(part),
        )


class DuplicatePartError(RefusedError):
    """部件名重复. Two parts of one name: different programs would read different contents."""

    code = "part-name-duplicate"

    def __init__(self, *, part: str) -> None:
        super().__init__(
            T("文件中的部件“{part}”出现了两次，不同软件会读到不同内容。", part=part[:200]),
            hint=T("请在 Word 或 WPS 中打开核对内容，再另存为新的 docx。"),
            where=part[:200],
        )


class ZipBombError(RefusedError):
    """解压后过大. The file unpacks to far more than it is, or to more than we take."""

    code = "file-expands-too-far"

    def __init__(self, *, part: str, detail: Text) -> None:
        super().__init__(
            T("文件解压后过大：部件“{part}”{detail}。", part=part[:200], detail=detail),
            hint=T("请删去或压缩过大的图片后另存；若不知道内容为何这样大，请不要使用该文件。"),
            where=part[:200],
        )


@dataclass(frozen=True)
class PackedPart:
    """压缩包中的一个部件. Its bytes as they lie in the file, ready to be copied into another one."""

    name: str
    method: int
    """0 stored, 8 deflated."""
    crc: int
    size: int
    """Bytes when unpacked."""
    packed: bytes

    @classmethod
    def stored(cls, name: str, data: bytes) -> PackedPart:
        """Return a part that holds `data` uncompressed."""
        return cls(name, _STORED, zlib.crc32(data), len(data), data)

    def unpack(self, limit: int = MAX_TOTAL) -> bytes:
        """Return the part's content, never more than `limit` bytes.

        Raises:
            PartDamagedError: wrong length, checksum or stream.
            ZipBombError: more comes out than the header says or than the limits allow.
        """
        allowed = min(self.size, limit)
        if self.size > limit:
            raise ZipBombError(part=self.name, detail=T("超过 {limit} MB 的上限", limit=MAX_TOTAL // 1024 // 1024))
        if self.size > _RATIO_FREE and self.size >= MAX_RATIO * max(1, len(self.packed)):
            raise ZipBombError(part=self.name, detail=T("解压后是原来的 {ratio} 倍以上", ratio=MAX_RATIO))
        data = self.packed if self.method == _STORED else self._inflate(allowed)
        if len(data) != self.size:
            raise PartDamagedError(part=self.name, detail=T("长度与目录不符"))
        if zlib.crc32(data) != self.crc:
            raise PartDamagedError(part=self.name, detail=T("校验和不符"))
        return data

    def _inflate(self, allowed: int) -> bytes:
        stream = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            data = stream.decompress(self.packed, allowed + 1)
        except zlib.error as exc:
            raise PartDamagedError(part=self.name, detail=T("压缩数据无法解开")) from exc
        if len(data) > allowed:
            raise ZipBombError(part=self.name, detail=T("解压出的内容多于文件目录所写"))
        if not stream.eof:
            raise PartDamagedError(part=self.name, detail=T("压缩数据不完整"))
        return data


def read_zip(data: bytes) -> list[PackedPart]:
    """Return the parts of a ZIP file in directory order, still packed; folders are left out.

    Raises:
        NotAZipError: something else.
        TruncatedZipError: cut off, or its directory contradicts itself.
        EncryptedFileError: parts are encrypted.
        UnsafePartNameError, DuplicatePartError: names no ordinary program writes.
        ZipBombError: more than `MAX_PARTS` parts or, by its own account, `MAX_TOTAL` bytes.
        PartDamagedError: a part's local header contradicts the directory.
    """
    if not data.startswith(b"PK"):
        raise NotAZipError
    count, offset, end = _find_directory(data)
    parts: list[PackedPart] = []
    spans: list[tuple[int, int, str]] = []
    seen: set[str] = set()
    total = 0
    for _ in range(count):
        if offset + _CENTRAL.size > end:
            raise TruncatedZipError(detail=T("目录不完整"))
        fields = _CENTRAL.unpack_from(data, offset)
        signature, flags, method, crc, packed_size, size = (fields[0], *fields[3:5], *fields[7:10])
        name_length, extra_length, comment_length, local = (*fields[10:13], fields[16])
        name_bytes = data[offset + _CENTRAL.size : offset + _CENTRAL.size + name_length]
        offset += _CENTRAL.size + name_length + extra_length + comment_length
        if signature != b"PK\x01\x02" or offset > end:
            raise TruncatedZipError(detail=T("目录不完整"))
        name = _decode_name(name_bytes, flags)
        if flags & _ENCRYPTED_FLAGS:
            raise EncryptedFileError
        start = _data_start(data, local, name_bytes, name)
        if start + packed_size > len(data):
            raise TruncatedZipError(detail=T("部件“{part}”被截断", part=name[:200]))
        spans.append((local, start + packed_size, name))
        if name.endswith("/"):
            continue
        if name.casefold() in seen:
            raise DuplicatePartError(part=name)
        seen.add(name.casefold())
        if method not in {_STORED, _DEFLATED}:
            raise PartDamagedError(part=name, detail=T("压缩方式不受支持"))
        total += size
        if total > MAX_TOTAL:
            raise ZipBombError(part=name, detail=T("使总大小超过 {limit} MB", limit=MAX_TOTAL // 1024 // 1024))
        parts.append(PackedPart(name, method, crc, size, data[start : start + packed_size]))
    _refuse_overlaps(spans)
    return parts


def _find_directory(data: bytes) -> tuple[int, int, int]:
    """Return number of entries, start and end of the central directory."""
    position = data.rfind(b"PK\x05\x06", max(0, len(data) - _END.size - 0xFFFF))
    if position < 0 or position + _END.size > len(data):
        raise TruncatedZipError(detail=T("找不到文件结尾"))
    _, disk, first_disk, here, count, size, offset, comment = _END.unpack_from(data, position)
    if disk or first_disk or here != count or count == _ZIP64_COUNT or offset == _ZIP64_OFFSET:
        raise TruncatedZipError(detail=T("目录写法不受支持"))
    if offset + size != position or position + _END.size + comment != len(data):
        raise TruncatedZipError(detail=T("目录的位置与内容不符"))
    if count > MAX_PARTS:
        raise ZipBombError(part="", detail=T("共有 {count} 个，超过 {limit} 个", count=count, limit=MAX_PARTS))
    return count, offset, position


def _decode_name(raw: bytes, flags: int) -> str:
    try:
        name = raw.decode("utf-8" if flags & _UTF8_FLAG else "ascii")
    except UnicodeDecodeError:
        name = raw.decode("utf-8", errors="replace")
        raise UnsafePartNameError(part=name) from None
    if not name or len(name) > _MAX_NAME or _UNSAFE_NAME.search(name.removesuffix("/")):
        raise UnsafePartNameError(part=name)
    return name


def _data_start(data: bytes, local: int, name_bytes: bytes, name: str) -> int:
    if local + _LOCAL.size > len(data):
        raise TruncatedZipError(detail=T("部件“{part}”被截断", part=name[:200]))
    fields = _LOCAL.unpack_from(data, local)
    name_length, extra_length = fields[9], fields[10]
    begin = local + _LOCAL.size
    if fields[0] != b"PK\x03\x04" or data[begin : begin + name_length] != name_bytes:
        raise PartDamagedError(part=name, detail=T("部件开头与目录不符"))
    if fields[2] & _ENCRYPTED_FLAGS:
        raise EncryptedFileError
    return begin + int(name_length) + int(extra_length)


def _refuse_overlaps(spans: list[tuple[int, int, str]]) -> None:
    # Overlapping parts are how a few kilobytes unpack to gigabytes while each ratio looks harmless.
    last_end = 0
    for begin, end, name in sorted(spans):
        if begin < last_end:
            raise ZipBombError(part=name, detail=T("与另一部件共用同一段数据"))
        last_end = end


def write_zip(parts: Iterable[PackedPart]) -> bytes:
    """Return a ZIP file of `parts` in the order given: same parts, same bytes, on every machine."""
    plan = ZipPlan(parts)
    return plan.write({})


class ZipPlan:
    """写出计划. Headers of parts that do not change, made once, so that writing many variants of a file is cheap."""

    def __init__(self, parts: Iterable[PackedPart], *, changing: Iterable[str] = ()) -> None:
        """Plan a file of `parts`, of which those named in `changing` are given anew each time."""
        replaced = frozenset(changing)
        self._rows: list[tuple[str, bytes, bytes | None, bytes]] = []
        for part in parts:
            encoded = part.name.encode()
            if part.name in replaced:
                self._rows.append((part.name, b"", None, encoded))
            else:
                self._rows.append((part.name, _fixed(part, encoded), part.packed, encoded))

    def write(self, contents: Mapping[str, bytes], added: Iterable[PackedPart] = ()) -> bytes:
        """Return the file with `contents` in the places of the changing parts and `added` parts at the end."""
        pieces: list[bytes] = []
        directory: list[bytes] = []
        offset = 0
        rows: list[tuple[str, bytes, bytes | None, bytes]] = self._rows
        extra = list(added)
        if extra:
            rows = [
                *rows,
                *((part.name, _fixed(part, part.name.encode()), part.packed, part.name.encode()) for part in extra),
            ]
        for name, known, packed, encoded in rows:
            if packed is None:
                body = contents[name]
                fixed = _fields(_STORED, zlib.crc32(body), len(body), len(body), encoded)
            else:
                body, fixed = packed, known
            pieces += (b"PK\x03\x04\x14\x00", fixed, encoded, body)
            directory += (
                b"PK\x01\x02\x14\x00\x14\x00",
                fixed,
                b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
                offset.to_bytes(4, "little"),
                encoded,
            )
            offset += 6 + len(fixed) + len(encoded) + len(body)
        listing = b"".join(directory)
        end = _END.pack(b"PK\x05\x06", 0, 0, len(rows), len(rows), len(listing), offset, 0)
        return b"".join((*pieces, listing, end))


def _fixed(part: PackedPart, encoded: bytes) -> bytes:
    return _fields(part.method, part.crc, len(part.packed), part.size, encoded)


_FIELDS = struct.Struct("<4H3L2H")


def _fields(method: int, crc: int, packed_size: int, size: int, encoded: bytes) -> bytes:
    """The header fields that local header and directory share, from flags to the length of the extra field."""
    flags = 0 if encoded.isascii() else _UTF8_FLAG
    return _FIELDS.pack(flags, method, _DOS_TIME, _DOS_DATE, crc, packed_size, size, len(encoded), 0)


def _printable(name: str) -> str:
    return "".join(sign if sign.isprintable() else "�" for sign in name[:200])
