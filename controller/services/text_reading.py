"""读取外来文本. Turns an uploaded file (text or docx) into documents with clauses and findings; needs no workspace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.clause_findings import text_findings
from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import DamagedError, RefusedError
from controller.domain.text import T
from controller.file_formats.clause_text import parse_text, print_text
from controller.file_formats.text_encoding import DAMAGED, decode_text, encode_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.domain.clause import ParsedText
    from controller.domain.identifiers import Digest
    from controller.services.print_ports import WordReader

MAX_BYTES = 30 * 1024 * 1024
_MAX_TEXT = 5 * 1024 * 1024
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0"
_PDF = b"%PDF-"
_CONTROL = frozenset(chr(code) for code in range(32)) - {"\t", "\n", "\r", "\f", "\v"}


class FileTooLargeError(RefusedError):
    """文件太大. Larger than any procedure."""

    code = "file-too-large"

    def __init__(self, *, name: str, limit: int) -> None:
        super().__init__(
            T("“{name}”太大，超过 {limit} MB。", name=name, limit=limit // 1024 // 1024),
            hint=T("只放入文件正文；图片请压缩后再插入。"),
            where=name,
        )


class NotTextError(DamagedError):
    """不是文本文件. Neither text nor docx."""

    code = "file-not-text"

    def __init__(self, *, name: str) -> None:
        super().__init__(
            T("“{name}”不是文本文件，也不是 docx。", name=name),
            hint=T("在 Word 或 WPS 中另存为“Word 文档（*.docx）”或纯文本（UTF-8）后再试；PDF 请先转成 Word。"),
            where=name,
        )


@dataclass(frozen=True)
class ReadText:
    """读到的文本. A file as documents with clauses, and everything found in it."""

    name: str
    text: str
    encoding: str
    """`utf-8`, `gb18030`, `utf-16-le`, `utf-16-be`, `utf-8-damaged`, or `docx`."""
    parsed: ParsedText
    islands: Mapping[Digest, bytes]
    findings: tuple[Finding, ...]

    def printed(self) -> bytes:
        """Return the text put together again from its pieces; for a text file, the bytes that were read."""
        return encode_text(print_text(self.parsed), "utf-8" if self.encoding == "docx" else self.encoding)


def read_uploaded_text(data: bytes, *, name: str, word: WordReader) -> ReadText:
    """Read a text file or docx.

    Args:
        data: its bytes.
        name: how it is called in messages.
        word: reads docx.

    Raises:
        FileTooLargeError: larger than any procedure.
        NotTextError: neither text nor docx.
        QmsError: a docx that `file_formats.docx_package` refuses.
    """
    if len(data) > MAX_BYTES:
        raise FileTooLargeError(name=name, limit=MAX_BYTES)
    # What is called .docx and is no ZIP goes the same way, to be refused as what it is not.
    if data.startswith((_ZIP, _OLE)) or name.lower().endswith(".docx"):
        found = word.read(data, name=name)
        parsed = parse_text(found.text)
        findings = (*found.findings, *text_findings(parsed, path=name))
        return ReadText(name, found.text, "docx", parsed, found.islands, findings)
    text, encoding, notes = plain_text(data, name=name)
    parsed = parse_text(text)
    return ReadText(name, text, encoding, parsed, {}, (*notes, *text_findings(parsed, path=name)))


def plain_text(data: bytes, *, name: str) -> tuple[str, str, list[Finding]]:
    """Return the text of a text file, its encoding, and what there is to say about that.

    Raises:
        FileTooLargeError: larger than any procedure.
        NotTextError: not text.
    """
    if len(data) > _MAX_TEXT:
        raise FileTooLargeError(name=name, limit=_MAX_TEXT)
    if data.startswith(_PDF):
        raise NotTextError(name=name)
    text, encoding = decode_text(data)
    if any(character in _CONTROL for character in text):
        raise NotTextError(name=name)
    return text, encoding, _encoding_notes(text, encoding, name)


def _encoding_notes(text: str, encoding: str, name: str) -> list[Finding]:
    if encoding == DAMAGED:
        message = T("有些字节不是 UTF-8，也不是 GB 18030，按损坏的字符保留。")
        return [Finding("text-encoding", Gravity.WARNING, message, path=name, hint=T("用原件重新导出为 UTF-8 文本。"))]
    if encoding != "utf-8":
        message = T("文件编码是 {encoding}，导入后保存为 UTF-8，文字不变。", encoding=encoding.upper())
        return [Finding("text-encoding", Gravity.NOTE, message, path=name)]
    if not text.strip():
        return [Finding("text-empty", Gravity.WARNING, T("文件里没有文字。"), path=name)]
    return []
