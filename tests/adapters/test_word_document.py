from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from controller.adapters.word_document import DocxWordReader
from controller.adapters.word_numbering import format_number
from controller.domain.clause import Clause, Island, Table
from controller.file_formats.clause_text import parse_text
from controller.file_formats.docx_package import EmbeddedObjectError, MacroError
from controller.file_formats.island_file import read_island
from tests.docx_files import CONTENT_TYPES, document, docx, paragraph

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.services.print_ports import WordText

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml."
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def read(data: bytes) -> WordText:
    return DocxWordReader().read(data, name="旧程序.docx")


def word(*blocks: str, parts: Mapping[str, str | bytes] | None = None) -> bytes:
    """Return a docx with these blocks of WordprocessingML as its body."""
    return docx(parts={"word/document.xml": document("".join(blocks)), **(parts or {})})


def numbered(text: str, *, level: int = 0, number: int = 1) -> str:
    return (
        f'<w:p><w:pPr><w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr></w:pPr>'
        f"<w:r><w:t>{text}</w:t></w:r></w:p>"
    )


def with_numbering(*paragraphs: str, levels: list[tuple[str, str]], more: str = "") -> bytes:
    """Return a docx whose list 1 has these (format, text) levels; `more` adds further `w:num`."""
    described = "".join(
        f'<w:lvl w:ilvl="{place}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/><w:lvlText w:val="{text}"/></w:lvl>'
        for place, (kind, text) in enumerate(levels)
    )
    numbering = (
        f'<w:numbering {W}><w:abstractNum w:abstractNumId="7">{described}</w:abstractNum>'
        f'<w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num>{more}</w:numbering>'
    )
    return with_part("word/numbering.xml", WORD + "numbering+xml", numbering, *paragraphs)


def with_part(name: str, kind: str, content: str, *paragraphs: str) -> bytes:
    types = CONTENT_TYPES.replace("</Types>", f'<Override PartName="/{name}" ContentType="{kind}"/></Types>')
    return word(*paragraphs, parts={"[Content_Types].xml": types, name: content})


def test_paragraphs_become_lines_as_typed() -> None:
    found = read(
        word(paragraph("AB-YLQXCX-031退机消毒管理程序"), paragraph("1.目的:防止交叉污染。"), paragraph("含一处说明"))
    )
    assert found.text == "AB-YLQXCX-031退机消毒管理程序\n1.目的:防止交叉污染。\n含一处说明\n"
    assert (found.islands, found.findings) == ({}, ())


def test_automatic_chinese_numbers_are_typed_out_level_by_level() -> None:
    data = with_numbering(
        numbered("目的"),
        numbered("范围"),
        numbered("适用产品", level=1),
        numbered("适用人员", level=1),
        numbered("仓储", level=2),
        numbered("职责"),
        numbered("质管部", level=1),
        levels=[("chineseCounting", "%1、"), ("chineseCountingThousand", "（%2）"), ("decimal", "%3.")],
    )
    assert read(data).text.splitlines() == [
        "一、目的", "二、范围", "（一）适用产品", "（二）适用人员", "1.仓储", "三、职责", "（一）质管部",
    ]  # fmt: skip


def test_multi_level_decimal_numbers_are_put_together() -> None:
    data = with_numbering(
        numbered("目的"),
        numbered("内容"),
        numbered("登记", level=1),
        numbered("2020年起", level=1),
        numbered("拍照", level=2),
        levels=[("decimal", "%1."), ("decimal", "%1.%2"), ("decimal", "%1.%2.%3")],
    )
    found = read(data)
    assert found.text.splitlines() == ["1.目的", "2.内容", "2.1 登记", "2.2 2020年起", "2.2.1 拍照"]
    (segment,) = parse_text(found.text).segments
    assert [(clause.level, clause.number) for clause in segment.clauses] == [
        (1, (1,)), (1, (2,)), (2, (2, 1)), (2, (2, 2)), (3, (2, 2, 1)),
    ]  # fmt: skip


def test_articles_numbered_by_a_style_are_typed_out() -> None:
    styles = (
        f'<w:styles {W}><w:style w:type="paragraph" w:styleId="Article"><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr>'
        '</w:pPr></w:style><w:style w:type="paragraph" w:styleId="Own"><w:basedOn w:val="Article"/></w:style>'
        "</w:styles>"
    )
    numbering = (
        f'<w:numbering {W}><w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:start w:val="1"/>'
        '<w:numFmt w:val="chineseCountingThousand"/><w:lvlText w:val="第%1条"/></w:lvl></w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>'
    )
    types = CONTENT_TYPES.replace(
        "</Types>",
        f'<Override PartName="/word/styles.xml" ContentType="{WORD}styles+xml"/>'
        f'<Override PartName="/word/numbering.xml" ContentType="{WORD}numbering+xml"/></Types>',
    )
    styled = [
        f'<w:p><w:pPr><w:pStyle w:val="Own"/></w:pPr><w:r><w:t>规定{place}</w:t></w:r></w:p>' for place in range(1, 13)
    ]
    parts = {"[Content_Types].xml": types, "word/styles.xml": styles, "word/numbering.xml": numbering}
    lines = read(word(*styled, parts=parts)).text.splitlines()
    assert (lines[0], lines[9], lines[11]) == ("第一条规定1", "第十条规定10", "第十二条规定12")


def test_a_list_that_starts_over_counts_from_its_own_start() -> None:
    more = (
        '<w:num w:numId="2"><w:abstractNumId w:val="7"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/>'
        "</w:lvlOverride></w:num>"
    )
    data = with_numbering(
        numbered("甲"),
        numbered("乙"),
        numbered("丙", number=2),
        numbered("丁", number=2),
        levels=[("decimal", "%1、")],
        more=more,
    )
    assert read(data).text.splitlines() == ["1、甲", "2、乙", "1、丙", "2、丁"]


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("decimal", "12"),
        ("chineseCounting", "十二"),
        ("ideographDigital", "一二"),
        ("chineseLegalSimplified", "拾贰"),
        ("decimalEnclosedCircle", "⑫"),
        ("decimalFullWidth", "１２"),
        ("upperRoman", "XII"),
        ("lowerLetter", "l"),
        ("decimalZero", "12"),
        ("none", ""),
        ("someLaterFormat", "12"),
    ],
)
def test_every_number_format_is_written_as_word_shows_it(kind: str, shown: str) -> None:
    assert format_number(12, kind) == shown


def cell(text: str, extra: str = "") -> str:
    return f"<w:tc><w:tcPr>{extra}</w:tcPr><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>"


def test_a_plain_table_becomes_our_notation() -> None:
    table = (
        f"<w:tbl><w:tr><w:trPr><w:tblHeader/></w:trPr>{cell('项目')}{cell('要求')}</w:tr>"
        f"<w:tr>{cell('温度')}{cell('2~8℃|冷藏')}</w:tr></w:tbl>"
    )
    found = read(word(paragraph("1.条件"), table, paragraph("2.记录")))
    assert found.text == "1.条件\n|项目|要求|\n|---|---|\n|温度|2~8℃\\|冷藏|\n2.记录\n"
    (segment,) = parse_text(found.text).segments
    tables = [piece for piece in segment.pieces if isinstance(piece, Table)]
    assert tables[0].rows == (("项目", "要求"), ("温度", "2~8℃|冷藏"))


def test_a_table_with_merged_cells_is_kept_verbatim_in_its_place() -> None:
    merged = '<w:gridSpan w:val="2"/>'
    table = f"<w:tbl><w:tr>{cell('合并的标题', merged)}</w:tr><w:tr>{cell('甲')}{cell('乙')}</w:tr></w:tbl>"
    found = read(word(paragraph("1.流程"), table, paragraph("2.记录")))
    (segment,) = parse_text(found.text).segments
    assert [type(piece) for piece in segment.pieces] == [Clause, Island, Clause]
    island = segment.pieces[1]
    assert isinstance(island, Island)
    assert island.caption == "表格 合并的标题甲乙"
    kept = read_island(found.islands[island.digest])
    assert '<w:gridSpan w:val="2"/>' in kept.xml
    assert [(item.code, item.line) for item in found.findings] == [("docx-island", 2)]


def test_a_picture_is_kept_with_its_bytes_beside_the_text_of_its_paragraph() -> None:
    from docx import Document

    picture = bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63fcffff3f030005fe02fe"
        "a7357e5a0000000049454e44ae426082"
    )
    made = Document()
    made.add_paragraph("1.流程见图:")
    made.add_paragraph("图前文字").add_run().add_picture(BytesIO(picture))
    buffer = BytesIO()
    made.save(buffer)
    found = read(buffer.getvalue())
    lines = found.text.splitlines()
    assert lines[:2] == ["1.流程见图:", "图前文字"]
    assert lines[2].startswith("〔图表 sha256:")
    (content,) = found.islands.values()
    kept = read_island(content)
    assert [part.data for part in kept.parts] == [picture]
    assert f'r:embed="{kept.parts[0].relation}"' in kept.xml


def test_tracked_changes_are_read_as_accepted_and_said() -> None:
    changed = (
        '<w:p><w:r><w:t>1.保存</w:t></w:r><w:del w:id="1" w:author="a"><w:r><w:delText>两</w:delText></w:r></w:del>'
        '<w:ins w:id="2" w:author="a"><w:r><w:t>五</w:t></w:r></w:ins><w:r><w:t>年。</w:t></w:r></w:p>'
    )
    found = read(word(changed))
    assert found.text == "1.保存五年。\n"
    assert [item.code for item in found.findings] == ["docx-tracked-changes"]


def test_line_breaks_tabs_and_wrapped_content_are_read_and_field_codes_are_not() -> None:
    body = (
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>1.甲</w:t><w:br/><w:t>乙</w:t><w:tab/><w:t>丙</w:t></w:r>"
        '<w:hyperlink><w:r><w:t>丁</w:t></w:r></w:hyperlink><w:r><w:fldChar w:fldCharType="begin"/></w:r>'
        '<w:r><w:instrText>PAGE</w:instrText></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
        "</w:sdtContent></w:sdt>"
    )
    assert read(word(body)).text == "1.甲\n乙\t丙丁\n"


def test_headers_and_footers_are_left_out_and_named() -> None:
    footer = f"<w:ftr {W}><w:p><w:r><w:t>第1页</w:t></w:r></w:p></w:ftr>"
    found = read(with_part("word/footer1.xml", WORD + "footer+xml", footer, paragraph("1.目的")))
    assert found.text == "1.目的\n"
    assert [str(item.message) for item in found.findings] == ["页眉页脚没有读入：第1页。"]


def test_a_text_box_is_kept_verbatim_with_its_words_as_caption() -> None:
    box = (
        '<w:p><w:r><w:pict><v:textbox xmlns:v="urn:schemas-microsoft-com:vml"><w:txbxContent>'
        "<w:p><w:r><w:t>审批流程</w:t></w:r></w:p></w:txbxContent></v:textbox></w:pict></w:r></w:p>"
    )
    found = read(word(paragraph("1.目的"), box))
    assert found.text.splitlines()[1].endswith(" 文本框 审批流程〕")
    assert found.text.splitlines()[0] == "1.目的"


def test_macros_and_embedded_programs_are_refused() -> None:
    with pytest.raises(MacroError):
        read(word(paragraph("1.目的"), parts={"word/vbaProject.bin": b"x"}))
    with pytest.raises(EmbeddedObjectError):
        read(word(paragraph("1.目的"), parts={"word/embeddings/tool.exe": b"MZ"}))


def test_the_same_docx_gives_the_same_text_and_digests_each_time() -> None:
    table = f"<w:tbl><w:tr>{cell('甲', '<w:vMerge/>')}{cell('乙')}</w:tr></w:tbl>"
    data = word(paragraph("1.目的"), table)
    assert read(data) == read(data)
