"""What counts as visible in a docx, and how texts of a docx and a PDF are compared."""

from __future__ import annotations

import pytest

from controller.file_formats.docx_package import open_docx
from controller.file_formats.visible_text import Passage, normalised, visible_passages
from tests.docx_files import CONTENT_TYPES, document, document_relationships, docx, paragraph

MC = "http://schemas.openxmlformats.org/markup-compatibility/2006"
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml"

TEXT_BOX = (
    f'<w:p><w:r><mc:AlternateContent xmlns:mc="{MC}"><mc:Choice Requires="x"><w:drawing><w:txbxContent>'
    f"{paragraph('框中')}</w:txbxContent></w:drawing></mc:Choice><mc:Fallback><w:pict><w:txbxContent>"
    f"{paragraph('框中')}</w:txbxContent></w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>"
)


def seen(body: str, **parts: str) -> list[str]:
    return [passage.text for passage in passages(body, **parts)]


def passages(body: str, **parts: str) -> list[Passage]:
    files = {"word/document.xml": document(body)}
    overrides, lines = [], []
    for number, (name, content) in enumerate(parts.items(), 1):
        kind = name.rstrip("0123456789")
        files[f"word/{name}.xml"] = content
        overrides.append(f'<Override PartName="/word/{name}.xml" ContentType="{TYPE}.{kind}+xml"/>')
        lines.append(f'<Relationship Id="rId{number}" Type="{RELATION}/{kind}" Target="{name}.xml"/>')
    files["[Content_Types].xml"] = CONTENT_TYPES.replace("</Types>", "".join(overrides) + "</Types>")
    return visible_passages(open_docx(docx(parts={**files, **document_relationships(*lines)})))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (paragraph("正文"), ["正文"]),
        ("<w:p><w:r><w:t>看见</w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:t>看不见</w:t></w:r></w:p>", ["看见"]),
        ('<w:p><w:r><w:rPr><w:vanish w:val="0"/></w:rPr><w:t>看见</w:t></w:r></w:p>', ["看见"]),
        ('<w:p><w:ins w:id="1" w:author="a"><w:r><w:t>增补</w:t></w:r></w:ins></w:p>', ["增补"]),
        ('<w:p><w:del w:id="1" w:author="a"><w:r><w:delText>删去</w:delText></w:r></w:del></w:p>', []),
        ("<w:sdt><w:sdtContent>" + paragraph("控件") + "</w:sdtContent></w:sdt>", ["控件"]),
        ("<w:tbl><w:tr><w:tc>" + paragraph("格") + "</w:tc></w:tr></w:tbl>", ["格"]),
        ("<w:tbl><w:tr><w:trPr><w:hidden/></w:trPr><w:tc>" + paragraph("格") + "</w:tc></w:tr></w:tbl>", []),
        ("<w:p><w:r><w:t>甲</w:t><w:tab/><w:t>乙</w:t><w:br/><w:t>丙</w:t></w:r></w:p>", ["甲乙丙"]),
        ('<w:p><w:fldSimple w:instr=" PAGE "><w:r><w:t>7</w:t></w:r></w:fldSimple></w:p>', []),
        ('<w:p><w:fldSimple w:instr=" TITLE "><w:r><w:t>标题</w:t></w:r></w:fldSimple></w:p>', ["标题"]),
        (TEXT_BOX, ["框中"]),
    ],
)
def test_what_a_reader_of_the_page_sees(body: str, expected: list[str]) -> None:
    assert seen(body) == expected


def test_page_numbers_are_not_compared_but_the_words_around_them_are() -> None:
    body = (
        "<w:p><w:r><w:t>第 </w:t></w:r><w:r><w:fldChar w:fldCharType='begin'/></w:r>"
        "<w:r><w:instrText> PAGE </w:instrText></w:r><w:r><w:fldChar w:fldCharType='separate'/></w:r>"
        "<w:r><w:t>12</w:t></w:r><w:r><w:fldChar w:fldCharType='end'/></w:r><w:r><w:t> 页</w:t></w:r></w:p>"
    )
    (only,) = passages(body)
    assert only.segments == ("第", "页")


def test_a_hidden_style_hides_its_text() -> None:
    style = '<w:style w:type="character" w:styleId="Gone"><w:rPr><w:vanish/></w:rPr></w:style>'
    styles = f'<w:styles xmlns:w="{W}">{style}</w:styles>'
    body = '<w:p><w:r><w:rPr><w:rStyle w:val="Gone"/></w:rPr><w:t>隐</w:t></w:r><w:r><w:t>显</w:t></w:r></w:p>'
    assert seen(body, styles=styles) == ["显"]


def test_only_notes_that_are_referred_to_are_visible() -> None:
    notes = (
        f'<w:footnotes xmlns:w="{W}"><w:footnote w:id="1">{paragraph("有用")}</w:footnote>'
        f'<w:footnote w:id="2">{paragraph("没用")}</w:footnote></w:footnotes>'
    )
    body = '<w:p><w:r><w:t>正文</w:t></w:r><w:r><w:footnoteReference w:id="1"/></w:r></w:p>'
    assert seen(body, footnotes=notes) == ["正文", "有用"]


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ('<w:headerReference w:type="default" r:id="rId1"/>', [("页眉", True)]),
        ('<w:headerReference w:type="first" r:id="rId1"/>', []),
        ('<w:headerReference w:type="first" r:id="rId1"/><w:titlePg/>', [("页眉", False)]),
        ('<w:headerReference w:type="default" r:id="rId1"/><w:titlePg/>', []),
        ("", []),
    ],
)
def test_headers_count_where_they_are_in_use(section: str, expected: list[tuple[str, bool]]) -> None:
    header = f'<w:hdr xmlns:w="{W}">{paragraph("页眉")}</w:hdr>'
    found = passages(f"<w:sectPr>{section}</w:sectPr>", header1=header)
    assert [(passage.text, passage.every_page) for passage in found] == expected


def test_header_rows_of_tables_are_marked_because_engines_print_them_again() -> None:
    row = "<w:tr><w:trPr>{}</w:trPr><w:tc>" + paragraph("格") + "</w:tc></w:tr>"
    found = passages("<w:tbl>" + row.format("<w:tblHeader/>") + row.format("") + "</w:tbl>")
    assert [passage.repeats for passage in found] == [True, False]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("⼯⼚", "工厂"),
        ("⻓期", "长期"),
        ("ﬁle", "file"),
        ("ＡＢＣ１２３", "abc123"),
        ("A B\u00a0C\u3000D", "abcd"),
        ("re\u00adport", "report"),
        ("ABC", "abc"),
        ("—", "―"),
        ("…", "..."),
    ],
)
def test_texts_that_look_alike_compare_equal(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(("one", "other"), [("土", "士"), ("未", "末"), ("0", "o"), ("的", "旳"), ("□", "☑")])
def test_texts_that_differ_stay_different(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)
