"""Rendering: the same bytes everywhere, valid files, and errors that name the field and the place."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from docx import Document
from docxtpl import InlineImage, RichText
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from controller.adapters.docx_pictures import PictureUnreadableError
from controller.adapters.docx_renderer import JinjaDocxRenderer
from controller.adapters.docx_template import DocxtplCompiler
from controller.adapters.template_errors import (
    TemplateOutputBrokenError,
    UndefinedInTemplateError,
    UnprintableCharacterError,
)
from controller.domain.identifiers import Digest
from controller.file_formats.docx_package import open_docx
from tests.docx_files import docx

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]


def render(template: bytes, context: Mapping[str, object], renderer: JinjaDocxRenderer | None = None) -> bytes:
    parts = DocxtplCompiler().compile(template)
    chosen = renderer or JinjaDocxRenderer()
    return chosen.render(docx=template, parts=parts, key=Digest.of(template), context=context)


def shown(data: bytes) -> list[str]:
    return [paragraph.text for paragraph in Document(io.BytesIO(data)).paragraphs]


ELSEWHERE = """
import io, locale, sys, time
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.adapters.test_docx_renderer import everything
sys.stdout.buffer.write(everything())
"""


def everything() -> bytes:
    """One docx with text, tables, header, properties, pictures and breaks."""
    file = Document()
    file.core_properties.title = "{{ number }}"
    file.sections[0].header.paragraphs[0].text = "{{ company }}"
    file.add_paragraph("{{ text }} {{ photo }} {{ rich }}")
    file.add_paragraph("{% for key, value in box.items() %}{{ key }}{{ value }}{% endfor %}")
    table = file.add_table(3, 2)
    for place, text in enumerate(("{%tr for row in rows %}", "{{ row.name }}", "{%tr endfor %}")):
        table.cell(place, 0).text = text
    stream = io.BytesIO()
    file.save(stream)
    template = fixed_dates(stream.getvalue())
    picture = (ROOT / "tests" / "adapters" / "stamp.png").read_bytes()
    context: dict[str, Any] = {
        "number": "XX-YLQXJL-018-2026-0001",
        "company": "某某医疗器械有限公司",
        "text": "第一行\n第二行\t<&>",
        "photo": InlineImage(None, io.BytesIO(picture)),
        "rich": RichText("粗体", bold=True),
        "box": {"电话": "☑", "来访": "□", "邮件": "□"},
        "rows": [{"name": name} for name in "甲乙丙"],
    }
    return render(template, context)


def fixed_dates(data: bytes) -> bytes:
    """python-docx stamps its files with the present; the same template is needed in every process."""
    from controller.file_formats.docx_package import write_docx

    return write_docx(open_docx(data).contents)


@pytest.mark.slow
def test_the_same_values_give_the_same_bytes_in_any_process_zone_locale_and_hash_seed() -> None:
    script = ELSEWHERE.format(root=str(ROOT))
    surroundings = [
        {"TZ": "Asia/Shanghai", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0"},
        {"TZ": "America/New_York", "LC_ALL": "C", "PYTHONHASHSEED": "1234", "PYTHONUTF8": "0"},
    ]
    results = {
        subprocess.run(
            [sys.executable, "-c", script], env={**os.environ, **around}, check=True, capture_output=True, cwd=ROOT
        ).stdout
        for around in surroundings
    }
    assert results == {everything()}


def test_a_rendered_docx_is_a_sound_zip_whose_parts_are_well_formed() -> None:
    data = everything()
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    for name in archive.namelist():
        if name.endswith((".xml", ".rels")):
            etree.fromstring(archive.read(name))
    assert len(Document(io.BytesIO(data)).inline_shapes) == 1


def test_only_rendered_parts_are_new_all_others_keep_their_compressed_bytes() -> None:
    template = docx("{{ a }}", parts={"word/styles.xml": "<a>" + "样式" * 300 + "</a>"})
    before, after = open_docx(template), open_docx(render(template, {"a": "值"}))
    changed = {name for name in before.parts if before.parts[name] != after.parts[name]}
    assert changed == {"word/document.xml"}
    assert after.parts["word/styles.xml"].method == zipfile.ZIP_DEFLATED
    assert after.parts["word/document.xml"].method == zipfile.ZIP_STORED


def test_the_order_of_the_values_does_not_matter() -> None:
    template = docx("{{ a }}{{ b }}")
    assert render(template, {"a": "1", "b": "2"}) == render(template, {"b": "2", "a": "1"})


def test_one_key_with_another_template_never_prints_the_first_one() -> None:
    renderer, key = JinjaDocxRenderer(), Digest.of(b"one")
    for text in ("甲{{ a }}", "乙{{ a }}"):
        template = docx(text)
        parts = DocxtplCompiler().compile(template)
        result = renderer.render(docx=template, parts=parts, key=key, context={"a": "!"})
        assert shown(result) == [text.replace("{{ a }}", "!")]


def test_an_error_leaves_the_renderer_usable() -> None:
    renderer, template = JinjaDocxRenderer(), docx("{{ a }}")
    with pytest.raises(UndefinedInTemplateError):
        render(template, {}, renderer)
    assert shown(render(template, {"a": "好"}, renderer)) == ["好"]


def test_more_forms_than_are_kept_compiled_still_render() -> None:
    renderer = JinjaDocxRenderer()
    for round_ in range(2):
        for number in range(70):
            assert shown(render(docx(f"{number} {{{{ a }}}}"), {"a": round_}, renderer)) == [f"{number} {round_}"]


UNDEFINED = [
    ("{{ custmer }}", {"customer": "x"}, "custmer", "customer"),
    ("{{ record.nmber }}", {"record": {"number": "x"}}, "nmber", "record.number"),
    ("{{ box.channel['电活'] }}", {"box": {"channel": {"电话": "☑"}}}, "电活", "box.channel.电话"),
    ("{% for r in rows %}{{ r.qyt }}{% endfor %}", {"rows": [{"qty": 1}]}, "qyt", "rows.qty"),
    ("{{ rows[3].qty }}", {"rows": [{"qty": 1}]}, "3", None),
]


@pytest.mark.parametrize(("text", "context", "name", "close"), UNDEFINED)
def test_an_undefined_name_is_told_with_its_place_and_the_nearest_one(
    text: str, context: dict[str, object], name: str, close: str | None
) -> None:
    with pytest.raises(UndefinedInTemplateError) as caught:
        render(docx("第一段", f"这里 {text} 错了", "第三段"), context)
    assert f"“{name}”" in str(caught.value)
    assert "这里" in str(caught.value)
    assert "第三段" not in str(caught.value)
    assert (close or "qms form lint") in str(caught.value.hint)


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x0c", "\x1b", "￾", "\ud800"])
def test_a_character_that_xml_cannot_hold_is_refused_naming_the_field(character: str) -> None:
    context: dict[str, object] = {
        "content": "正常",
        "parts": [{"name": "手柄", "note": f"坏{character}字"}],
    }
    with pytest.raises(UnprintableCharacterError) as caught:
        render(docx("{{ content }}{% for row in parts %}{{ row.note }}{% endfor %}"), context)
    assert "parts.note" in str(caught.value)
    assert f"U+{ord(character):04X}" in str(caught.value)


def test_line_ends_of_windows_and_old_macs_are_line_breaks_too() -> None:
    assert shown(render(docx("{{ a }}"), {"a": "一\r\n二\r三\n四"})) == ["一\n二\n三\n四"]


def test_tags_that_cut_through_the_structure_are_an_error_not_a_broken_file() -> None:
    template = docx("前{% if yes %}中{{r x }}", "后{% endif %}")
    broken = template
    assert shown(render(broken, {"yes": True, "x": ""})) != []
    with pytest.raises(TemplateOutputBrokenError):
        render(docx("{%p if yes %}", "甲{% endif %}乙"), {"yes": False})


def test_rich_text_that_is_not_xml_is_an_error_not_a_broken_file() -> None:
    rich = RichText("x")
    rich.xml = "<w:r><w:t>"
    with pytest.raises(TemplateOutputBrokenError):
        render(docx("{{r rich }}"), {"rich": rich})


def test_a_picture_that_is_none_is_refused() -> None:
    with pytest.raises(PictureUnreadableError):
        render(docx("{{ photo }}"), {"photo": InlineImage(None, io.BytesIO(b"no picture"))})


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="￾￿"), max_size=60))
def test_every_text_is_printed_as_it_is(text: str) -> None:
    template = docx("[{{ text }}]")
    assert shown(render(template, {"text": text})) == [f"[{text}]"]
