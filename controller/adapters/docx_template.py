"""Word 模板的编译. docxtpl turns a Word template into Jinja source, part by part, once; rendering needs it no more.

docxtpl knows how Word tears placeholders apart and what `{%p`, `{%tr`, `{%tc`, `{%r`, `colspan`, `cellbg`, `hm` and
`vm` mean; this module gives it the parts, checks what comes back and names the place of every mistake. Rendering is
`docx_renderer`; which names a template may use is decided by `services.form_compiling`.
"""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

from docxtpl import DocxTemplate
from jinja2 import TemplateSyntaxError
from lxml import etree

from controller.adapters.template_errors import ForbiddenInTemplateError, TemplateSyntaxProblemError
from controller.adapters.template_sandbox import TemplateSandbox
from controller.domain.text import T, Text
from controller.file_formats.docx_package import open_docx
from controller.file_formats.template_source import has_tags, place_at, with_lines
from controller.file_formats.zip_container import PartDamagedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_XML_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_MAX_SOURCE = 4 * 1024 * 1024
"""Characters of one part; the largest form of the starter library has a twentieth of it."""
_PROPERTIES = frozenset({"creator", "description", "identifier", "language", "subject", "title"})
"""The document properties that docxtpl renders."""
_MAX_PLACE = 60
_OPEN, _CLOSE = {"{{": "}}", "{%": "%}", "{#": "#}"}, re.compile(r"\{\{|\{%|\{#")
_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


class DocxtplCompiler:
    """模板编译器. Implements the port `TemplateCompiler` with docxtpl's own preprocessing."""

    def compile(self, docx: bytes) -> Mapping[str, str]:
        """Return part name → Jinja source for the document, headers, footers, notes and properties that hold tags.

        Raises:
            QmsError: whatever `open_docx` refuses.
            TemplateSyntaxProblemError: a tag that cannot be read.
            ForbiddenInTemplateError: a statement or filter that reaches outside the template.
        """
        package = open_docx(docx)
        docxtpl = DocxTemplate("")
        parts: dict[str, str] = {}
        for name in package.text_parts():
            root = _parsed(package.contents[name], name)
            xml = etree.tostring(root, encoding="unicode")
            if len(xml) > _MAX_SOURCE:
                problem = T("内容过大（超过 {limit} MB）", limit=_MAX_SOURCE // 1024 // 1024)
                raise TemplateSyntaxProblemError(part=name, place="", problem=problem)
            if not has_tags(_visible(xml)):
                continue
            _refuse_unclosed(xml, name)
            parts[name] = _XML_HEAD + docxtpl.patch_xml(xml)
        properties = package.core_properties()
        if properties is not None and has_tags(package.contents[properties].decode("utf-8", "replace")):
            parts[properties] = _XML_HEAD + _properties_source(package.contents[properties], properties)
        sandbox = TemplateSandbox(finalize=_unused)
        for name, source in parts.items():
            check_source(sandbox, source, name)
        return parts


def _unused(value: object) -> object:
    return value


def _parsed(content: bytes, part: str) -> etree._Element:
    parser = etree.XMLParser(
        remove_blank_text=True, resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(content, parser)
    except etree.XMLSyntaxError as exc:
        raise PartDamagedError(part=part, detail=T("不是有效的 XML")) from exc


def _visible(xml: str) -> str:
    return re.sub(r"<[^>]*>", "", xml)


def _refuse_unclosed(xml: str, part: str) -> None:
    # docxtpl's patterns look for the end of every tag; without one they would search the whole part again and again.
    text = re.sub(r"</w:p>|<w:p[ >][^>]*>?", "\n", xml)
    text = _visible(text)
    position = 0
    while found := _CLOSE.search(text, position):
        end = text.find(_OPEN[found[0]], found.end())
        if end < 0:
            paragraph = text[text.rfind("\n", 0, found.start()) + 1 :].partition("\n")[0]
            place = unescape(paragraph).strip()[:_MAX_PLACE]
            problem = T("“{opening}”没有对应的“{closing}”", opening=found[0], closing=_OPEN[found[0]])
            raise TemplateSyntaxProblemError(part=part, place=place, problem=problem)
        position = end + 2


def _properties_source(content: bytes, part: str) -> str:
    root = _parsed(content, part)
    for child in root:
        if child.text and etree.QName(child).localname not in _PROPERTIES:
            child.text = re.sub(r"\{[{%#]", lambda sign: "{{ '" + sign[0] + "' }}", child.text)
    xml = etree.tostring(root, encoding="unicode")
    return _TAG.sub(lambda tag: tag[0].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"), xml)


def check_source(sandbox: TemplateSandbox, source: str, part: str) -> None:
    """Check that `source` compiles.

    Raises:
        TemplateSyntaxProblemError, ForbiddenInTemplateError: with the visible text of the place.
    """
    lines = with_lines(source)
    try:
        sandbox.compile_template(lines)
    except TemplateSyntaxError as exc:
        raise TemplateSyntaxProblemError(
            part=part, place=place_at(lines, exc.lineno), problem=_problem(exc.message or "")
        ) from exc
    except ForbiddenInTemplateError as exc:
        raise exc.at(part=part, place=place_at(lines, exc.line or 1)) from exc
    except (RecursionError, MemoryError, SyntaxError, ValueError, OverflowError) as exc:
        raise TemplateSyntaxProblemError(part=part, place="", problem=T("嵌套过深或数字过大")) from exc


_TOKENS = {
    "end of print statement": "}}",
    "end of statement block": "%}",
    "end of template": "",
    "begin of statement block": "{%",
}


def _token(word: str) -> str:
    """Return what stands in the template for Jinja's name of a token."""
    return _TOKENS.get(word, word)


_PROBLEMS: tuple[tuple[str, Callable[[re.Match[str]], Text]], ...] = (
    (
        r"innermost block that needs to be closed is '(\w+)'",
        lambda match: T("“{tag}”没有对应的“end{tag}”", tag=match[1]),
    ),
    (r"[Ee]ncountered unknown tag '(\w+)'", lambda match: T("不认识的标签“{tag}”", tag=match[1])),
    (r"Unexpected end of template", lambda _match: T("有标签没有结束")),
    (
        r"expected token '(.+?)', got '(.+?)'",
        lambda match: T("应为“{right}”，却是“{wrong}”", right=_token(match[1]), wrong=_token(match[2])),
    ),
    (r"unexpected '(.+?)'", lambda match: T("多了“{sign}”", sign=match[1])),
    (r"unexpected char '?(.+?)'? at", lambda match: T("不能用字符“{sign}”", sign=match[1])),
    (r"Expected an expression, got 'end of print statement'", lambda _match: T("花括号里是空的")),
    (r"No filter named '(\w+)'", lambda match: T("没有过滤器“{name}”", name=match[1])),
    (r"No test named '(\w+)'", lambda match: T("没有判断“is {name}”", name=match[1])),
)


def _problem(message: str) -> Text:
    """Say in Chinese what Jinja found."""
    for pattern, make in _PROBLEMS:
        match = re.search(pattern, message, re.DOTALL)
        if match:
            return make(match)
    return T("写法有误（{detail}）", detail=message)
