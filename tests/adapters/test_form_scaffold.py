"""A template drawn from a definition: Word can open it, the compiler knows its names, and restyling is noticed."""

from __future__ import annotations

import re
from dataclasses import replace
from io import BytesIO

import pytest
from docx import Document

from controller.adapters.docx_template import DocxtplCompiler
from controller.adapters.form_scaffold import ScaffoldDrawing, scaffold_form
from controller.adapters.house_style import HOUSE_FILES, STYLES, ensure_styles, house_file
from controller.domain.form import Field, FieldType, FormDefinition, Section, SignatureSlot, Stage
from controller.domain.identifiers import DocumentNumber, Revision
from controller.file_formats.docx_package import open_docx, write_docx
from controller.services.form_compiling import undeclared_names

HOUSE = house_file("form")
SCALE = ("5=非常满意", "4=满意", "3=一般", "2=不满意", "1=“很差”")
FORM = FormDefinition(
    number=DocumentNumber("AB-YLQXJL-001"),
    title="来电登记表",
    revision=Revision("A/0"),
    procedure=None,
    owner="售后部",
    retention="other",
    fields=(
        Field("called_at", "来电时间", FieldType.DATETIME),
        Field(
            "channel",
            "方式",
            FieldType.CHOICE,
            choices=("电话", "来访", "微信/在线", "信函", "意见簿", "{{ 7*7 }}", "平台", "监管部门", "售后转报"),
        ),
        Field("urgent", "紧急", FieldType.BOOL),
        Field("content", "内容{% raw %}", FieldType.LONG_TEXT),
        Field("hours", "用时", FieldType.DECIMAL, unit="小时"),
        Field("q1", "态度", FieldType.CHOICE, choices=SCALE),
        Field("q2", "技能", FieldType.CHOICE, choices=SCALE),
        Field(
            "parts",
            "更换配件",
            FieldType.TABLE,
            columns=(Field("name", "名称", FieldType.TEXT), Field("count", "数量", FieldType.INTEGER)),
        ),
    ),
    stages=(Stage("opened", "已登记"),),
    signatures=(SignatureSlot("sig_a", "登记人", "记录", "opened"), SignatureSlot("sig_b", "复核人", "复核")),
    sections=(Section("一、来电", ("called_at", "channel", "urgent")),),
    event_time="called_at",
    print_note="本表一式一份。",
)


def body(docx: bytes) -> str:
    package = open_docx(docx)
    return package.contents[package.main].decode()


def printed(docx: bytes) -> str:
    return "\n".join(re.findall(r"<w:t[^>]*>([^<]*)</w:t>", body(docx)))


def test_the_template_uses_only_names_the_form_declares() -> None:
    parts = DocxtplCompiler().compile(scaffold_form(FORM, HOUSE))
    assert undeclared_names(FORM, parts) == []


def test_every_field_has_its_place() -> None:
    text = printed(scaffold_form(FORM, HOUSE))
    for name in ("{{ called_at }}", "{{ boxes.urgent }}", "{{ content }}", "{{ row.name }}", "{{ sig.sig_b.date }}"):
        assert name in text
    assert text.count("box.q1[") == len(SCALE)
    assert text.count("box.channel[") == 9
    assert "{%tr for row in parts %}" in text
    assert "本表一式一份。" in text


def test_words_of_the_definition_cannot_act_as_template() -> None:
    text = printed(scaffold_form(FORM, HOUSE))
    assert "{{ 7*7 }}" not in text
    assert "{% raw %}" not in text


def test_same_definition_and_house_give_the_same_bytes() -> None:
    assert scaffold_form(FORM, HOUSE) == scaffold_form(FORM, HOUSE)
    assert house_file("form") == HOUSE


def test_word_library_opens_it_with_repeated_headers_and_rows_that_stay_whole() -> None:
    document = Document(BytesIO(scaffold_form(FORM, HOUSE)))
    assert document.paragraphs[0].style is not None
    assert document.paragraphs[0].style.name == "文控标题"
    xml = body(scaffold_form(FORM, HOUSE))
    assert xml.count("<w:tblHeader/>") >= 4
    assert "<w:cantSplit/>" in xml
    assert 'w:fill="F2F2F2"' in xml


def test_fonts_name_the_chinese_face_for_chinese_text() -> None:
    styles = open_docx(HOUSE).contents["word/styles.xml"].decode()
    assert 'w:eastAsia="宋体"' in styles
    assert 'w:eastAsia="黑体"' in styles


def test_a_landscape_form_turns_the_page_and_stretches_the_header() -> None:
    package = open_docx(scaffold_form(replace(FORM, orientation="landscape"), HOUSE))
    assert 'w:w="16838" w:h="11906" w:orient="landscape"' in package.contents["word/document.xml"].decode()
    widths = re.findall(r'gridCol w:w="(\d+)"', package.contents["word/header1.xml"].decode())
    assert abs(sum(map(int, widths)) - (16838 - 2 * 1134)) <= 2


def test_the_customers_page_comes_first_and_alone() -> None:
    text = printed(scaffold_form(replace(FORM, customer_page=("q1", "q2", "content")), HOUSE))
    customer, company = text.split("（以下由本公司填写）")
    assert "box.q1[" in customer
    assert "{{ content }}" in customer
    assert "{{ called_at }}" not in customer
    assert "{{ called_at }}" in company
    assert body(scaffold_form(replace(FORM, customer_page=("q1", "q2")), HOUSE)).count("pageBreakBefore") == 1


def test_a_restyled_house_keeps_its_header_and_gets_missing_styles_back() -> None:
    package = open_docx(HOUSE)
    header = package.contents["word/header1.xml"].replace("版本：".encode(), "修订状态：".encode())
    styles = package.contents["word/styles.xml"]
    gone = re.sub(rb'<w:style [^>]*w:styleId="WkLabel">.*?</w:style>', b"", styles)
    bold = gone.replace('w:eastAsia="宋体"'.encode(), 'w:eastAsia="仿宋"'.encode())
    house = write_docx({**package.contents, "word/header1.xml": header, "word/styles.xml": bold})
    drawn = open_docx(scaffold_form(FORM, house)).contents
    assert "修订状态：" in drawn["word/header1.xml"].decode()
    assert b'w:styleId="WkLabel"' in drawn["word/styles.xml"]
    assert 'w:eastAsia="仿宋"' in drawn["word/styles.xml"].decode()


def test_styles_that_are_all_there_are_left_byte_for_byte() -> None:
    styles = open_docx(HOUSE).contents["word/styles.xml"]
    assert ensure_styles(styles) == styles
    assert all(f'w:styleId="{style.id}"'.encode() in styles for style in STYLES)


def test_a_drawn_template_is_known_as_untouched_until_any_part_changes() -> None:
    drawing = ScaffoldDrawing()
    docx = drawing.draw(FORM, HOUSE)
    parts = open_docx(docx).contents
    assert drawing.is_untouched(docx)
    changed = write_docx(
        {**parts, "word/document.xml": parts["word/document.xml"].replace("登记人".encode(), "记录人".encode())}
    )
    assert not drawing.is_untouched(changed)
    assert not drawing.is_untouched(write_docx({**parts, "word/styles.xml": parts["word/styles.xml"] + b"<!-- -->"}))
    assert not drawing.is_untouched(b"no docx")


@pytest.mark.parametrize("kind", HOUSE_FILES)
def test_house_files_of_the_library_are_what_the_generator_makes(kind: str, pytestconfig: pytest.Config) -> None:
    assert (pytestconfig.rootpath / "templates" / "house" / f"{kind}.docx").read_bytes() == house_file(kind)
