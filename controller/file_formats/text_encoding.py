"""文字编码. Reads a text file of any usual Chinese encoding so that the very same bytes can be written again."""

from __future__ import annotations

from controller.domain.errors import DamagedError
from controller.domain.text import T

DAMAGED = "utf-8-damaged"
"""The encoding of bytes that are no known text: UTF-8 with the impossible bytes kept aside."""


def decode_text(data: bytes) -> tuple[str, str]:
    """Return the text of a file and the encoding it was in; `encode_text` gives the same bytes back.

    UTF-8 (with or without mark), UTF-16 with mark, and GB 18030 are recognised. What is none of them is read as UTF-8
    whose impossible bytes are kept aside in lone surrogates; encoding is then `utf-8-damaged`.
    """
    attempts = ["utf-8", "gb18030"]
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        attempts.insert(0, "utf-16-le" if data[:2] == b"\xff\xfe" else "utf-16-be")
    for encoding in attempts:
        try:
            text = data.decode(encoding)
            if text.encode(encoding) == data and (encoding == "utf-8" or "\x00" not in text):
                return text, encoding
        except UnicodeError:
            continue
    return data.decode("utf-8", "surrogateescape"), DAMAGED


def encode_text(text: str, encoding: str) -> bytes:
    """Return the bytes that `decode_text` read."""
    if encoding == DAMAGED:
        return text.encode("utf-8", "surrogateescape")
    return text.encode(encoding)


class NotUtf8Error(DamagedError):
    """文件不是 UTF-8. A text file of the library was saved in another encoding."""

    code = "text-not-utf8"

    def __init__(self, *, where: str, line: int) -> None:
        super().__init__(
            T("文件 {path} 第 {line} 行起不是 UTF-8 文字。", path=where, line=line),
            hint=T("用记事本或编辑器打开，选“另存为”，编码选 UTF-8。"),
            where=f"{where}:{line}",
        )
        self.line = line


def utf8_text(data: bytes, *, where: str) -> str:
    """Return the text of a library file.

    Raises:
        NotUtf8Error: it is in another encoding, such as GBK (ANSI).
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise NotUtf8Error(where=where, line=data.count(b"\n", 0, exc.start) + 1) from exc
