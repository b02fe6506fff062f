"""What docxtpl does with a template, our compiler and renderer do too: both are run and their documents compared.

Compared is the content of every text part: paragraphs, runs with their properties and text, tables with grid, spans,
merges and shading, pictures by their bytes. Left out is what carries no content: run borders, ids of drawings.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from docx import Document
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm
from docxtpl import DocxTemplate, InlineImage, Listing, RichText, RichTextParagraph
from lxml import etree

from controller.adapters.docx_renderer import JinjaDocxRenderer
from controller.adapters.docx_template import DocxtplCompiler
from controller.domain.identifiers import Digest
from controller.file_formats.docx_package import DocxPackage, open_docx, relationships, write_docx
from tests.docx_files import document, document_relationships, docx

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from docx.document import Document as DocumentFile
    from docx.table import Table

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
SKIPPED = {f"{W}rsidR", f"{W}rsidRDefault", "{http://www.w3.org/XML/1998/namespace}space"}


def saved(file: DocumentFile) -> bytes:
    stream = io.BytesIO()
    file.save(stream)
    return stream.getvalue()


def with_paragraphs(*texts: str) -> bytes:
    file = Document()
    for text in texts:
        file.add_paragraph(text)
    return saved(file)


def with_table(*rows: list[str]) -> bytes:
    file = Document()
    fill(file.add_table(len(rows), max(len(row) for row in rows)), rows)
    return saved(file)


def fill(table: Table, rows: tuple[list[str], ...]) -> None:
    for number, row in enumerate(rows):
        for place, text in enumerate(row):
            table.cell(number, place).text = text


def ours(template: bytes, context: Mapping[str, object]) -> bytes:
    parts = DocxtplCompiler().compile(template)
    return JinjaDocxRenderer().render(docx=template, parts=parts, key=Digest.of(template), context=context)


def theirs(template: bytes, context: Mapping[str, object]) -> bytes:
    file = DocxTemplate(io.BytesIO(template))
    file.render(dict(context), autoescape=True)
    return saved(file)


def content(data: bytes) -> dict[str, Any]:
    package = open_docx(data)
    found: dict[str, Any] = {}
    for name in package.text_parts():
        root = etree.fromstring(package.contents[name], etree.XMLParser(remove_blank_text=True))
        found[name] = simplified(root, package, name)
    return found


def simplified(element: etree._Element, package: DocxPackage, part: str) -> Any:
    attributes = {
        key: media(value, package, part) if key.endswith(("}embed", "}id")) and value.startswith("rId") else value
        for key, value in ((str(key), str(value)) for key, value in element.attrib.items())
        if key not in SKIPPED
    }
    if element.tag.endswith(("}docPr", "}cNvPr")):
        attributes = {key: value for key, value in attributes.items() if key not in {"id", "name"}}
    children: list[Any] = []
    for child in element:
        if child.tag == f"{W}r":
            for piece in run_pieces(child, package, part):
                if piece[0] == "text" and children and children[-1][:2] == piece[:2]:
                    children[-1] = (*piece[:2], children[-1][2] + piece[2])
                else:
                    children.append(piece)
        else:
            children.append(simplified(child, package, part))
    return (etree.QName(element).localname, tuple(sorted(attributes.items())), tuple(children), element.text or "")


def run_pieces(run: etree._Element, package: DocxPackage, part: str) -> list[Any]:
    look = run.find(f"{W}rPr")
    properties = "" if look is None else str(simplified(look, package, part))
    pieces: list[Any] = []
    for child in run:
        if child.tag == f"{W}t":
            pieces.append(("text", properties, child.text or ""))
        elif child.tag == f"{W}tab":
            pieces.append(("text", properties, "\t"))
        elif child.tag == f"{W}br" and child.get(f"{W}type") is None:
            pieces.append(("text", properties, "\n"))
        elif child.tag != f"{W}rPr":
            pieces.append(("other", properties, simplified(child, package, part)))
    return [piece for piece in pieces if piece[2] != ""]


def media(identifier: str, package: DocxPackage, part: str) -> str:
    folder, _, file = part.rpartition("/")
    for line in relationships(package.contents[f"{folder}/_rels/{file}.rels"]):
        if line.id == identifier:
            if line.external:
                return line.target
            target = line.target.removeprefix("/") if line.target.startswith("/") else f"{folder}/{line.target}"
            return Digest.of(package.contents[target]).text if "/media/" in target else target
    return identifier


def text_of(data: bytes) -> str:
    root = etree.fromstring(open_docx(data).contents["word/document.xml"])
    return "\n".join("".join(piece.text or "" for piece in paragraph.iter(f"{W}t")) for paragraph in root.iter(f"{W}p"))


def cell_texts(data: bytes) -> list[list[str]]:
    root = etree.fromstring(open_docx(data).contents["word/document.xml"])
    return [
        ["".join(piece.text or "" for piece in cell.iter(f"{W}t")) for cell in row.findall(f"{W}tc")]
        for row in root.iter(f"{W}tr")
    ]


def split_runs() -> bytes:
    file = Document()
    paragraph = file.add_paragraph()
    for piece in ("客户:{", "{ cust", "omer", " }", "} 电话:{{", "phone}}。"):
        paragraph.add_run(piece).bold = True
    return saved(file)


def nested_tables() -> bytes:
    file = Document()
    outer = file.add_table(3, 1)
    outer.cell(0, 0).text = "{%tr for group in groups %}"
    outer.cell(1, 0).text = "{{ group.name }}"
    inner = outer.cell(1, 0).add_table(3, 2)
    fill(inner, (["{%tr for item in group.rows %}"], ["{{ item.name }}", "{{ item.qty }}"], ["{%tr endfor %}"]))
    outer.cell(1, 0).add_paragraph("小计")
    outer.cell(2, 0).text = "{%tr endfor %}"
    return saved(file)


def merged_cells() -> bytes:
    file = Document()
    table = file.add_table(4, 3)
    table.cell(0, 0).merge(table.cell(0, 2)).text = "{{ title }}"
    table.cell(1, 0).text = "{%tr for row in rows %}"
    fill(table, ([], [], ["{% vm %}{{ owner }}", "{{ row.name }}", "{{ row.qty }}"]))
    table.cell(3, 0).text = "{%tr endfor %}"
    return saved(file)


def horizontal_merge() -> bytes:
    file = Document()
    table = file.add_table(2, 3)
    texts = ["{%tc for col in cols %}", "{% hm %}合计", "{%tc endfor %}"]
    fill(table, (["{%tc for col in cols %}", "{{ col }}", "{%tc endfor %}"], texts))
    return saved(file)


def header_and_footer() -> bytes:
    file = Document()
    section = file.sections[0]
    section.header.paragraphs[0].text = "{{ company }}　{{ number }}"
    section.footer.add_table(1, 2, Mm(100)).cell(0, 1).text = "{% if voided %}已作废{% endif %}"
    file.add_paragraph("正文 {{ number }}")
    return saved(file)


def styled_paragraphs() -> bytes:
    file = Document()
    for style, text in (("Heading 1", "{{ title }}"), ("List Bullet", "{{ text }}"), ("Quote", "{{ text }}")):
        run = file.add_paragraph(style=style).add_run(text)
        run.italic = True
    return saved(file)


def with_footnotes() -> bytes:
    note = (
        '<?xml version="1.0" encoding="UTF-8"?><w:footnotes xmlns:w='
        '"http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:footnote w:id="1"><w:p><w:r>'
        "<w:t>依据:{{ basis }}</w:t></w:r></w:p></w:footnote></w:footnotes>"
    )
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
    package = open_docx(with_paragraphs("正文{{ basis }}"))
    types = package.contents["[Content_Types].xml"].decode()
    rels = package.contents["word/_rels/document.xml.rels"].decode()
    line = (
        '<Relationship Id="rId99" Target="footnotes.xml" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"/>'
    )
    override = f'<Override PartName="/word/footnotes.xml" ContentType="{kind}"/>'
    return write_docx(
        {
            **package.contents,
            "word/footnotes.xml": note.encode(),
            "[Content_Types].xml": types.replace("</Types>", override + "</Types>").encode(),
            "word/_rels/document.xml.rels": rels.replace("</Relationships>", line + "</Relationships>").encode(),
        }
    )


def shaded_cell() -> bytes:
    file = Document()
    table = file.add_table(1, 2)
    table.cell(0, 0).text = "{% cellbg colour %}{{ text }}"
    table.cell(0, 1).text = "不变"
    return saved(file)


def spanned_cell() -> bytes:
    file = Document()
    table = file.add_table(2, 4)
    table.cell(0, 0).text = "{% colspan width %}{{ text }}"
    for place in (3, 2):
        cell = table.rows[0].cells[place]._tc
        cell.getparent().remove(cell)
    return saved(file)


def comments_everywhere() -> bytes:
    file = Document()
    file.add_paragraph("前{# 这句不打印 #}后")
    file.add_paragraph("{#p 整段不打印 #}")
    table = file.add_table(2, 1)
    fill(table, (["{#tr 整行不打印 #}"], ["{{ text }}"]))
    return saved(file)


def drawing_in_loop() -> bytes:
    file = Document()
    file.add_paragraph("{%p for item in items %}")
    file.add_paragraph("{{ item }}").add_run().add_picture(io.BytesIO(png(3)), width=Mm(10))
    file.add_paragraph("{%p endfor %}")
    return saved(file)


def page_break_between() -> bytes:
    file = Document()
    file.add_paragraph("{%p for item in items %}")
    file.add_paragraph("{{ item }}")
    breaking = file.add_paragraph()
    mark = OxmlElement("w:br")
    mark.set(qn("w:type"), "page")
    breaking.add_run()._r.append(mark)
    file.add_paragraph("{%p endfor %}")
    return saved(file)


def png(colour: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">LLBBBBB", 4, 4, 8, 0, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes([0, *[colour] * 4]) * 4)) + chunk(b"IEND", b"")
    )


ROWS = [{"name": "手柄", "qty": 2}, {"name": "滤光片 <B&C>", "qty": 10}]
CASES: dict[str, tuple[Callable[[], bytes], dict[str, object]]] = {
    "names in one run": (lambda: with_paragraphs("编号 {{ number }},共 {{ count }} 台"), {"number": "A-1", "count": 3}),
    "names split over runs": (split_runs, {"customer": "华东医院", "phone": "021-5555"}),
    "dotted and indexed names": (
        lambda: with_paragraphs("{{ a.b }} {{ a['b'] }} {{ list[1].name }}"),
        {"a": {"b": "乙"}, "list": ROWS},
    ),
    "typographic quotes in a tag": (lambda: with_paragraphs("{{ a[‘b’] }} {{ a[“b”] }}"), {"a": {"b": "乙"}}),
    "characters of xml in values": (lambda: with_paragraphs("{{ text }}"), {"text": "<w:p> & \"q\" 'q' ]]>"}),
    "characters of xml in expressions": (
        lambda: with_paragraphs("{% if count > 2 and count < 5 %}中{% endif %}"),
        {"count": 3},
    ),
    "condition inside a paragraph": (
        lambda: with_paragraphs(
            "{% if yes %}是{% else %}否{% endif %}。", "{% if not yes %}是{% else %}否{% endif %}。"
        ),
        {"yes": True},
    ),
    "condition over paragraphs": (
        lambda: with_paragraphs("一", "{%p if yes %}", "二", "{%p else %}", "三", "{%p endif %}", "四"),
        {"yes": False},
    ),
    "condition from one paragraph into another": (
        lambda: with_paragraphs("一{% if yes %}二", "三{% endif %}四"),
        {"yes": True},
    ),
    "loop over paragraphs": (
        lambda: with_paragraphs("{%p for row in rows %}", "{{ loop.index }}. {{ row.name }}", "{%p endfor %}"),
        {"rows": ROWS},
    ),
    "loop inside a paragraph": (
        lambda: with_paragraphs(
            "配件:{% for row in rows %}{{ row.name }}{% if not loop.last %}、{% endif %}{% endfor %}"
        ),
        {"rows": ROWS},
    ),
    "loop over nothing": (
        lambda: with_paragraphs("{%p for row in rows %}", "{{ row.name }}", "{%p else %}", "无", "{%p endfor %}"),
        {"rows": []},
    ),
    "nested loops": (
        lambda: with_paragraphs(
            "{%p for a in '甲乙' %}", "{% for b in [1, 2] %}{{ a }}{{ b }} {% endfor %}", "{%p endfor %}"
        ),
        {},
    ),
    "loop over rows": (
        lambda: with_table(
            ["名称", "数量"],
            ["{%tr for row in rows %}", ""],
            ["{{ row.name }}", "{{ row.qty }}"],
            ["{%tr endfor %}", ""],
        ),
        {"rows": ROWS},
    ),
    "conditional rows": (
        lambda: with_table(["{%tr if yes %}", ""], ["甲", "{{ text }}"], ["{%tr endif %}", ""], ["乙", "丙"]),
        {"yes": False, "text": "x"},
    ),
    "loop over columns": (
        lambda: with_table(
            ["名称", "{%tc for col in cols %}", "{{ col }}", "{%tc endfor %}"],
            ["值", "{%tc for col in cols %}", "{{ col }}!", "{%tc endfor %}"],
        ),
        {"cols": ["甲", "乙", "丙", "丁", "戊"]},
    ),
    "loop over fewer columns than drawn": (
        lambda: with_table(["{%tc for col in cols %}", "{{ col }}", "{%tc endfor %}", "末"]),
        {"cols": ["甲"]},
    ),
    "runs of their own": (
        lambda: with_paragraphs("前{%r if yes %}中{%r endif %}后"),
        {"yes": True},
    ),
    "merged and vertically merged cells": (merged_cells, {"title": "配件清单", "owner": "王芳", "rows": ROWS}),
    "horizontally merged cells": (horizontal_merge, {"cols": ["甲", "乙", "丙"]}),
    "a cell over several columns": (spanned_cell, {"width": 3, "text": "宽"}),
    "cell colour": (shaded_cell, {"colour": "D9D9D9", "text": "灰"}),
    "headers and footers": (header_and_footer, {"company": "某某公司", "number": "A-1", "voided": True}),
    "footnotes": (with_footnotes, {"basis": "《医疗器械监督管理条例》"}),
    "styles stay": (styled_paragraphs, {"title": "标题", "text": "正文"}),
    "filters": (
        lambda: with_paragraphs(
            "{{ text|upper }} {{ none|default('无', true) }} {{ names|join('、') }} {{ 3.14159|round(2) }}",
            "{{ rows|length }} {{ rows|map(attribute='name')|first }} {{ rows|sum(attribute='qty') }}",
            "{{ text|replace('b', 'c') }}",
            "{% for row in rows|sort(attribute='qty', reverse=true) %}{{ row.qty }} {% endfor %}{{ '%03d'|format(7) }}",
            "{{ text.upper() }} {{ '{:.1f}'.format(2.55) }} {{ '%s/%s' % (1, 2) }} {{ text ~ '-' ~ 1 }} {{ 'a' * 3 }}",
        ),
        {"text": "abc", "none": None, "names": ["甲", "乙"], "rows": ROWS},
    ),
    "tests and arithmetic": (
        lambda: with_paragraphs(
            "{{ 7 // 2 }} {{ 2 ** 5 }} {{ 7 % 4 }} {% if x is defined %}x{% endif %}{{ -n + 1 }}",
            "{% if 'b' in 'abc' and n is not none %}在{% endif %}",
        ),
        {"n": 3},
    ),
    "assignments, macros and namespaces": (
        lambda: with_paragraphs(
            "{% set s = namespace(n=0) %}{% for row in rows %}{% set s.n = s.n + row.qty %}{% endfor %}{{ s.n }}",
            "{% macro star(x) %}*{{ x }}*{% endmacro %}{{ star('<a>') }}{% with y = 2 %}{{ y }}{% endwith %}",
            "{% set text %}块{{ rows|length }}{% endset %}{{ text }}",
        ),
        {"rows": ROWS},
    ),
    "comments": (comments_everywhere, {"text": "正文"}),
    "escaped braces": (lambda: with_paragraphs("{_{ 不是变量 }_} {_% 不是标签 %_} {{ text }}"), {"text": "是"}),
    "raw": (lambda: with_paragraphs("{% raw %}原样{% endraw %}"), {}),
    "trimmed with the text before and after": (
        lambda: with_paragraphs("甲", "{%- if yes %}", "乙", "{% endif -%}", "丙"),
        {"yes": True},
    ),
    "spaces are kept": (lambda: with_paragraphs("  前 {{ text }}  后  "), {"text": "  中  "}),
    "chinese names": (
        lambda: with_paragraphs("{{ 客户名称 }}于{{ 日期 }}来访"),
        {"客户名称": "华东医院", "日期": "5月1日"},
    ),
    "line breaks and tabs in values": (lambda: with_paragraphs("甲:{{ text }}。"), {"text": "一\n二\t三\n\n四"}),
    "rich text": (
        lambda: with_paragraphs("前{{r rich }}后"),
        {"rich": RichText("红", color="FF0000", bold=True)},
    ),
    "rich text paragraphs": (
        lambda: with_paragraphs("前", "{{p rich }}", "后"),
        {"rich": RichTextParagraph(RichText("段 <1>", size=28), parastyle="Quote")},
    ),
    "listing": (lambda: with_paragraphs("甲 {{ text }} 乙"), {"text": Listing("一\n二\t三\a新段\f新页 <&>")}),
    "drawings repeated by a loop": (drawing_in_loop, {"items": ["甲", "乙", "丙"]}),
    "page breaks repeated by a loop": (page_break_between, {"items": ["甲", "乙"]}),
}


@pytest.mark.parametrize("name", CASES)
def test_a_template_gives_the_content_that_docxtpl_gives(name: str) -> None:
    make, context = CASES[name]
    template = make()
    assert content(ours(template, context)) == content(theirs(template, context))


GROUPS = [{"name": "甲组", "rows": ROWS}, {"name": "乙组", "rows": ROWS[:1]}]


def test_nested_tables_have_the_rows_docxtpl_makes_and_keep_their_own_grids() -> None:
    # docxtpl counts the columns of an inner table as the outer one's, which Word then has to mend.
    result = ours(nested_tables(), {"groups": GROUPS})
    assert cell_texts(result) == cell_texts(theirs(nested_tables(), {"groups": GROUPS}))
    grids = [len(Document(io.BytesIO(result)).tables[0]._tbl.tblGrid)]
    grids += [len(table._tbl.tblGrid) for table in Document(io.BytesIO(result)).tables[0].cell(0, 0).tables]
    assert grids == [1, 2]


def test_a_table_whose_rows_all_fall_away_leaves_no_empty_table() -> None:
    result = ours(nested_tables(), {"groups": [{"name": "乙组", "rows": []}]})
    assert cell_texts(result) == [["乙组小计"]]
    assert len(Document(io.BytesIO(result)).tables[0].cell(0, 0).tables) == 0


def test_a_cell_whose_paragraphs_all_fall_away_keeps_the_one_that_word_needs() -> None:
    file = Document()
    cell = file.add_table(1, 1).cell(0, 0)
    cell.text = "{%p if no %}"
    cell.add_paragraph("内容")
    cell.add_paragraph("{%p endif %}")
    result = Document(io.BytesIO(ours(saved(file), {"no": False})))
    assert [paragraph.text for paragraph in result.tables[0].cell(0, 0).paragraphs] == [""]


def test_the_comparison_sees_a_difference_of_one_property() -> None:
    template = with_paragraphs("{{r rich }}")
    red, blue = ({"rich": RichText("字", color=colour)} for colour in ("FF0000", "0000FF"))
    assert content(ours(template, red)) != content(ours(template, blue))


def test_the_rows_of_a_loop_are_really_there() -> None:
    make, context = CASES["loop over rows"]
    assert cell_texts(ours(make(), context)) == [["名称", "数量"], ["手柄", "2"], ["滤光片 <B&C>", "10"]]


def pictured(tpl: Any, **where: Any) -> dict[str, object]:
    return {
        "one": InlineImage(tpl, io.BytesIO(png(10)), width=Mm(12), **where),
        "two": InlineImage(tpl, io.BytesIO(png(200)), width=Mm(12), height=Mm(5)),
        "again": InlineImage(tpl, io.BytesIO(png(10)), width=Mm(12)),
    }


@pytest.mark.parametrize("anchor", [None, "https://example.com/?a=1&b=2"])
def test_pictures_are_those_docxtpl_puts_in(anchor: str | None) -> None:
    template = with_paragraphs("照片 {{ one }} 和 {{ two }} 和 {{ again }}")
    tpl = DocxTemplate(io.BytesIO(template))
    where = {"anchor": anchor} if anchor else {}
    tpl.render(pictured(tpl, **where), autoescape=True)
    result = ours(template, pictured(None, **where))
    assert content(result) == content(saved(tpl))
    assert len([name for name in open_docx(result).parts if "/media/" in name]) == 2


def test_pictures_may_stand_in_headers_and_in_loops() -> None:
    file = Document()
    file.sections[0].header.paragraphs[0].text = "{{ logo }}"
    file.add_paragraph("{%p for item in items %}")
    file.add_paragraph("{{ item }}")
    file.add_paragraph("{%p endfor %}")
    template = saved(file)
    logo = InlineImage(None, io.BytesIO(png(1)), width=Mm(5))
    result = ours(template, {"logo": logo, "items": [logo, InlineImage(None, io.BytesIO(png(2)))]})
    package = open_docx(result)
    assert package.contents["word/header1.xml"].count(b"<pic:pic") == 1
    assert package.contents["word/document.xml"].count(b"<pic:pic") == 2
    assert len(Document(io.BytesIO(result)).inline_shapes) == 2


def test_drawings_have_numbers_of_their_own_after_a_loop() -> None:
    root = etree.fromstring(open_docx(ours(drawing_in_loop(), {"items": list("甲乙丙")})).contents["word/document.xml"])
    numbers = [drawing.get("id") for drawing in root.iter("{*}docPr")]
    assert len(numbers) == 3
    assert len(set(numbers)) == 3


def test_document_properties_are_rendered_as_docxtpl_does() -> None:
    file = Document()
    file.core_properties.title = "{{ number }} & {% if count > 2 %}多{% endif %}"
    file.core_properties.keywords = "{{ 不渲染 }}"
    template = saved(file)
    context = {"number": "<A-1>", "count": 3}
    ours_file = Document(io.BytesIO(ours(template, context)))
    assert ours_file.core_properties.title == "<A-1> & 多"
    assert ours_file.core_properties.keywords == "{{ 不渲染 }}"


def test_endnotes_are_rendered_too() -> None:
    package = open_docx(with_footnotes())
    renamed = {
        name.replace("footnotes", "endnotes"): data.replace(b"footnote", b"endnote")
        for name, data in package.contents.items()
    }
    result = open_docx(ours(write_docx(renamed), {"basis": "法规"}))
    assert "依据:法规" in result.contents["word/endnotes.xml"].decode()


def test_missing_names_are_errors_where_docxtpl_prints_nothing() -> None:
    from controller.adapters.template_errors import UndefinedInTemplateError

    template = with_paragraphs("第一段", "客户 {{ custmer }} 的电话")
    assert "客户  的电话" in text_of(theirs(template, {"customer": "华东医院"}))
    with pytest.raises(UndefinedInTemplateError) as caught:
        ours(template, {"customer": "华东医院"})
    assert "custmer" in str(caught.value)
    assert "客户 {{ custmer }} 的电话" in str(caught.value)
    assert "customer" in str(caught.value.hint)


def test_text_boxes_and_hyperlinks_of_the_template_stay() -> None:
    body = (
        '<w:p><w:hyperlink r:id="rId5"><w:r><w:t>{{ text }}</w:t></w:r></w:hyperlink></w:p>'
        "<w:p><w:r><w:pict><w:txbxContent><w:p><w:r><w:t>框 {{ text }}</w:t></w:r></w:p></w:txbxContent></w:pict>"
        "</w:r></w:p>"
    )
    line = (
        '<Relationship Id="rId5" Target="https://example.com/" TargetMode="External" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"/>'
    )
    template = docx(parts={"word/document.xml": document(body), **document_relationships(line)})
    context = {"text": "一\n二"}
    assert content(ours(template, context)) == content(theirs(template, context))
