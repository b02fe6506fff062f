"""Word 文件包. Opens any uploaded docx safely and writes docx files whose bytes are the same everywhere.

Every docx that enters the system passes `open_docx` before any other program part reads it: macros, embedded programs,
links that fetch things, XML declarations and decompression bombs are refused, each with its own message. What the
document says is left to others; reading and writing the container itself is `zip_container`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from xml.parsers import expat

from controller.domain.errors import DamagedError, RefusedError
from controller.domain.text import T
from controller.file_formats.field_codes import FieldCodes
from controller.file_formats.zip_container import (
    MAX_TOTAL,
    EncryptedFileError,
    NotAZipError,
    PackedPart,
    PartDamagedError,
    ZipBombError,
    read_zip,
    write_zip,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CONTENT_TYPES = "[Content_Types].xml"
_ROOT_RELATIONSHIPS = "_rels/.rels"
_MAX_XML_PART = 20 * 1024 * 1024
_MAX_XML_DEPTH = 250
_OLE_HEAD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml."
MAIN_TYPE = _WORD + "document.main+xml"
_STRICT = b"http://purl.oclc.org/ooxml/wordprocessingml/main"
_STRICT_HEAD = 8_000
"""Bytes in which the names of a part are declared."""
CORE_PROPERTIES_TYPE = "application/vnd.openxmlformats-package.core-properties+xml"
TEXT_TYPES = frozenset(_WORD + kind + "+xml" for kind in ("header", "footer", "footnotes", "endnotes")) | {MAIN_TYPE}
"""Content types of the parts that hold the document's text."""
_DECLARATION = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)", re.IGNORECASE)
_ENCODING = re.compile(rb"""^<\?xml[^>]{0,200}?\bencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_MACRO = re.compile(
    r"macroenabled|vbaproject|vbadata|keymapcustomizations|attachedtoolbars|customui|ui/extensibility", re.IGNORECASE
)
_EMBEDDED = re.compile(
    r"oleobject|activex|ax\.control|package$|/control$|afchunk|subdocument$|webextension", re.IGNORECASE
)
_EMBEDDED_NAME = re.compile(
    r"^word/(?:embeddings|activex|afchunks?)/|\.(?:exe|dll|js|vbs|ps1|bat|cmd|hta|lnk|jar)$", re.IGNORECASE
)
_FONT = re.compile(r"font", re.IGNORECASE)
_FONT_KEY = re.compile(r"""fontKey=["']\{([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\}["']""")
_FONT_HEADS = (b"\x00\x01\x00\x00", b"OTTO", b"true", b"ttcf", b"wOFF", b"wOF2")


class OldWordFormatError(RefusedError):
    """旧版 Word 文件. A binary .doc, which may carry macros and cannot be a template."""

    code = "docx-old-format"

    def __init__(self) -> None:
        super().__init__(
            T("文件是旧版 Word 格式（.doc），不是 docx。"),
            hint=T("请在 Word 或 WPS 中打开，另存为“Word 文档（*.docx）”后再试。"),
        )


class NotAWordDocumentError(DamagedError):
    """不是 Word 文档. An OOXML container without a Word document in it."""

    code = "docx-not-word"

    def __init__(self, *, part: str) -> None:
        super().__init__(
            T("文件里没有 Word 文档：缺少或无法识别部件“{part}”。", part=part),
            hint=T("请确认不是 xlsx、pptx 或模板 dotx，并在 Word 中另存为 docx。"),
            where=part,
        )


class StrictFormatError(RefusedError):
    """严格格式. The rarely used strict kind of docx, whose elements have other names."""

    code = "docx-strict"

    def __init__(self, *, part: str) -> None:
        super().__init__(
            T("文件是“严格 Open XML”格式，本系统和许多办公软件读不全。"),
            hint=T("请在 Word 中另存为“Word 文档（*.docx）”，不要选“严格”。"),
            where=part,
        )


class MacroError(RefusedError):
    """含有宏. Programs are not allowed in controlled files."""

    code = "docx-macro"

    def __init__(self, *, part: str) -> None:
        super().__init__(
            T("文件含有宏（部件“{part}”），受控文件不允许带宏。", part=part),
            hint=T("请在 Word 中另存为不含宏的“Word 文档（*.docx）”。"),
            where=part,
        )


class EmbeddedObjectError(RefusedError):
    """嵌入对象. An embedded program, OLE object, ActiveX control or foreign file."""

    code = "docx-embedded-object"

    def __init__(self, *, part: str) -> None:
        super().__init__(
            T("文件嵌入了其他程序的对象（部件“{part}”），无法检查其内容。", part=part),
            hint=T("请删除该对象，或在 Word 中“选择性粘贴”为图片后再试。"),
            where=part,
        )


class ExternalLinkError(RefusedError):
    """外部链接. Something that Word would fetch from elsewhere when the file is opened."""

    code = "docx-external-link"

    def __init__(self, *, part: str, target: str) -> None:
        super().__init__(
            T("文件（部件“{part}”）引用了外部内容“{target}”，打开时会向外读取。", part=part, target=target[:200]),
            hint=T("请断开链接：图片改为嵌入，去掉外部模板和域；普通网页和邮件超链接可以保留。"),
            where=part,
        )


class XmlDeclarationError(RefusedError):
    """XML 声明. A document type or entity declaration, the way to XML bombs and to reading local files."""

    code = "docx-xml-declaration"

    def __init__(self, *, part: str) -> None:
        super().__init__(
            T("文件的部件“{part}”含有 DTD 或实体声明，可能是恶意文件。", part=part),
            hint=T("Word 和 WPS 不会写出这样的内容；请核实文件来源，重新另存为 docx。若是 SVG 图片，请换成 PNG。"),
            where=part,
        )


@dataclass(frozen=True)
class DocxPackage:
    """打开的 docx. Checked parts in a fixed order, with the type of each."""

    parts: Mapping[str, PackedPart]
    """In the order in which they are written: content types, package relationships, then by name."""
    contents: Mapping[str, bytes]
    """The same parts unpacked."""
    types: Mapping[str, str]
    """Part name → content type."""
    main: str
    """Name of the part that holds the document's body."""

    def text_parts(self) -> list[str]:
        """Return the parts that hold text: the document first, then headers, footers and notes by name."""
        others = sorted(name for name, kind in self.types.items() if kind in TEXT_TYPES and name != self.main)
        return [self.main, *others]

    def core_properties(self) -> str | None:
        """Return the name of the part with title, subject and author, None when there is none."""
        found = sorted(name for name, kind in self.types.items() if kind == CORE_PROPERTIES_TYPE)
        return found[0] if found else None


@dataclass(frozen=True)
class Relationship:
    """关系. One line of a `.rels` part."""

    id: str
    type: str
    target: str
    external: bool


def open_docx(data: bytes) -> DocxPackage:
    """Open an uploaded docx after checking everything in it that could harm or mislead.

    Raises:
        NotAZipError, TruncatedZipError, PartDamagedError: not a whole docx.
        OldWordFormatError, EncryptedFileError: a kind of Word file that cannot be checked.
        UnsafePartNameError, DuplicatePartError, ZipBombError: a container no ordinary program writes.
        MacroError, EmbeddedObjectError, ExternalLinkError, XmlDeclarationError: content that acts or fetches.
        NotAWordDocumentError, StrictFormatError: another kind of OOXML file.
    """
    if data.startswith(_OLE_HEAD):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise EncryptedFileError
        raise OldWordFormatError
    if not data:
        raise NotAZipError
    packed = {part.name: part for part in read_zip(data)}
    contents: dict[str, bytes] = {}
    left = MAX_TOTAL
    for name in sorted(packed, key=_order):
        contents[name] = packed[name].unpack(left)
        left -= len(contents[name])
    for name in (CONTENT_TYPES, _ROOT_RELATIONSHIPS):
        if name not in contents:
            raise NotAWordDocumentError(part=name)
    for name, content in contents.items():
        if name.endswith((".xml", ".rels", ".vml")) or _looks_like_xml(content):
            check_xml(content, part=name)
    types = _content_types(contents)
    for name, kind in types.items():
        if _MACRO.search(kind) or _MACRO.search(name.rpartition("/")[2]):
            raise MacroError(part=name)
        if _FONT.search(kind.replace("fontTable", "")) or name.lower().endswith(".odttf"):
            _check_font(name, contents)
        if _EMBEDDED.search(kind) or _EMBEDDED_NAME.search(name) or contents[name].startswith((_OLE_HEAD, b"MZ")):
            raise EmbeddedObjectError(part=name)
    for name, content in contents.items():
        if name.endswith(".rels"):
            _check_relationships(name, content)
    return DocxPackage(
        parts={name: packed[name] for name in contents},
        contents=contents,
        types=types,
        main=_main_part(contents, types),
    )


def write_docx(parts: Mapping[str, bytes | PackedPart] | Mapping[str, bytes] | Iterable[PackedPart]) -> bytes:
    """Return a docx of these parts: fixed order, fixed dates, plain bytes stored, packed parts copied as they are."""
    if hasattr(parts, "items"):
        rows = [part if isinstance(part, PackedPart) else PackedPart.stored(name, part) for name, part in parts.items()]
    else:
        rows = list(parts)
    return write_zip(sorted(rows, key=lambda part: _order(part.name)))


def _check_font(name: str, contents: Mapping[str, bytes]) -> None:
    """Refuse what is called a font and is none: Word lays a key from the font table over its first 32 bytes."""
    data = contents[name]
    keys = [
        bytes.fromhex(found.replace("-", "")) for found in _FONT_KEY.findall(b"".join(_font_tables(contents)).decode())
    ]
    heads = [data[:32], *(_unhidden(data[:32], key) for key in keys)]
    if not any(head.startswith(_FONT_HEADS) for head in heads):
        raise EmbeddedObjectError(part=name)


def _font_tables(contents: Mapping[str, bytes]) -> list[bytes]:
    return [content for name, content in contents.items() if name.lower().endswith("fonttable.xml")]


def _unhidden(head: bytes, key: bytes) -> bytes:
    """Return the first bytes of a font as they were before its key was laid over them, last byte of the key first."""
    return bytes(byte ^ key[::-1][place % len(key)] for place, byte in enumerate(head))


def _order(name: str) -> tuple[int, str]:
    return (
        (CONTENT_TYPES, _ROOT_RELATIONSHIPS).index(name) if name in {CONTENT_TYPES, _ROOT_RELATIONSHIPS} else 2,
        name,
    )


def _looks_like_xml(content: bytes) -> bool:
    head = content[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith(b"<") or content.startswith((b"\xff\xfe", b"\xfe\xff"))


def check_xml(content: bytes, *, part: str) -> None:
    """Check that a part is well-formed XML of a plain kind, before any tree is built from it.

    Raises:
        XmlDeclarationError: it declares a document type or entities, or hides its text in an unusual encoding.
        ExternalLinkError: a Word field in it fetches something.
        PartDamagedError: not well-formed, too deep or not in its encoding.
        ZipBombError: larger than any part of a real document.
    """
    if len(content) > _MAX_XML_PART:
        raise ZipBombError(part=part, detail=T("超过 {limit} MB 的上限", limit=_MAX_XML_PART // 1024 // 1024))
    plain = content
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            plain = content.decode("utf-16").encode()
        except (UnicodeDecodeError, UnicodeEncodeError) as exc:
            raise PartDamagedError(part=part, detail=T("文字编码有误")) from exc
    else:
        named = _ENCODING.match(content.removeprefix(b"\xef\xbb\xbf"))
        if named and named[1].lower() not in {b"utf-8", b"us-ascii", b"ascii"}:
            raise XmlDeclarationError(part=part)
        try:
            content.decode()
        except UnicodeDecodeError as exc:
            raise PartDamagedError(part=part, detail=T("文字编码不是 UTF-8")) from exc
    if _DECLARATION.search(plain) or b"\x00" in plain:
        raise XmlDeclarationError(part=part)
    _Watch(part).read(content)


class _Watch:
    """Streams through a part, refusing depth, and fields that fetch something."""

    def __init__(self, part: str) -> None:
        self._part = part
        self._depth = 0
        self._codes = FieldCodes()

    def read(self, content: bytes) -> None:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        if any(name.encode(code) in content for name in ("instrText", "InstrText") for code in ("ascii", "utf-16-le")):
            parser.CharacterDataHandler = self._codes.text
        try:
            parser.Parse(content, True)
        except expat.ExpatError as exc:
            detail = T("第 {line} 行不是有效的 XML", line=exc.lineno)
            raise PartDamagedError(part=self._part, detail=detail) from exc
        self._codes.finish()
        if self._codes.fetching is not None:
            raise ExternalLinkError(part=self._part, target=self._codes.fetching)

    def _start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth > _MAX_XML_DEPTH:
            raise PartDamagedError(part=self._part, detail=T("嵌套超过 {limit} 层", limit=_MAX_XML_DEPTH))
        self._codes.start(tag.rpartition(":")[2], attributes)

    def _end(self, _tag: str) -> None:
        self._depth -= 1
        self._codes.end()


def _elements(content: bytes) -> list[tuple[str, dict[str, str]]]:
    """Return local name and attributes of every element of a checked part, in document order."""
    found: list[tuple[str, dict[str, str]]] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda tag, attributes: found.append((tag.rpartition(":")[2], attributes))
    parser.Parse(content, True)
    return found


def _content_types(contents: Mapping[str, bytes]) -> dict[str, str]:
    defaults: dict[str, str] = {}
    overrides: dict[str, str] = {}
    for tag, attributes in _elements(contents[CONTENT_TYPES]):
        kind = attributes.get("ContentType", "")
        if tag == "Default":
            defaults[attributes.get("Extension", "").lower()] = kind
        elif tag == "Override":
            overrides[attributes.get("PartName", "").removeprefix("/").casefold()] = kind
    return {
        name: overrides.get(name.casefold(), defaults.get(name.rpartition(".")[2].lower(), "")) for name in contents
    }


def relationships(content: bytes) -> list[Relationship]:
    """Return the lines of a checked `.rels` part."""
    return [
        Relationship(
            id=attributes.get("Id", ""),
            type=attributes.get("Type", ""),
            target=attributes.get("Target", ""),
            external=attributes.get("TargetMode", "").lower() == "external",
        )
        for tag, attributes in _elements(content)
        if tag == "Relationship"
    ]


def _check_relationships(part: str, content: bytes) -> None:
    for relation in relationships(content):
        if _MACRO.search(relation.type):
            raise MacroError(part=part)
        if _EMBEDDED.search(relation.type):
            raise EmbeddedObjectError(part=part)
        target = relation.target.strip()
        if relation.external:
            scheme = urlsplit(target).scheme.lower() if "\\" not in target else "file"
            allowed = scheme in {"http", "https", "mailto"} or target.startswith("#")
            if not relation.type.endswith("/hyperlink") or not allowed:
                raise ExternalLinkError(part=part, target=target)
        elif ":" in unquote(target).partition("/")[0]:
            raise ExternalLinkError(part=part, target=target)


def _main_part(contents: Mapping[str, bytes], types: Mapping[str, str]) -> str:
    for relation in relationships(contents[_ROOT_RELATIONSHIPS]):
        if relation.type.endswith("/officeDocument"):
            name = relation.target.removeprefix("/")
            if types.get(name) == MAIN_TYPE:
                if _STRICT in contents[name][:_STRICT_HEAD]:
                    raise StrictFormatError(part=name)
                return name
    raise NotAWordDocumentError(part="word/document.xml")
