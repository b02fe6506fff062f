"""From definition, template and record to a docx; and templates that a manager restyled elsewhere."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from lxml import etree

from controller.adapters.docx_renderer import JinjaDocxRenderer
from controller.adapters.docx_template import DocxtplCompiler
from controller.adapters.form_scaffold import scaffold_form
from controller.adapters.house_style import house_file
from controller.domain.identifiers import Digest
from controller.file_formats.compiled_form import read_compiled
from controller.file_formats.docx_package import open_docx
from controller.services.form_compiling import FormCompiling, UndeclaredNamesError
from controller.services.form_library import FormPackage
from controller.services.form_rendering import FormRenderer
from tests.docx_files import docx
from tests.domain.test_record_view import COMPLAINT, FILED
from tests.real_tools import need

if TYPE_CHECKING:
    from pathlib import Path

    from controller.domain.record_view import RecordView

RENDERER = FormRenderer(JinjaDocxRenderer(), "某某医疗器械有限公司")


def package(template: bytes) -> FormPackage:
    compiled = FormCompiling(DocxtplCompiler()).compile(COMPLAINT, template)
    form = read_compiled(compiled)
    return FormPackage(form.definition, template, form.parts, compiled, Digest.of(compiled))


def texts(data: bytes) -> list[str]:
    """Return the visible text of every part, paragraph by paragraph."""
    found: list[str] = []
    package = open_docx(data)
    for part in package.text_parts():
        for paragraph in etree.fromstring(package.contents[part]).iter("{*}p"):
            text = "".join(
                "\t" if piece.tag.endswith("}tab") else piece.text or ""
                for run in paragraph.iter("{*}r")
                for piece in run
                if piece.tag.endswith(("}t", "}tab"))
            )
            found.append(text)
    return [text for text in found if text.strip()]


TEMPLATE = docx(
    "{{ company.name }} {{ form.title }} {{ form.number }} {{ form.revision }}",
    "编号 {{ record.number }} 状态 {{ record.stage }} {{ record.late_entry_reason }}",
    "内容:{{ content }} 渠道:{{ boxes.channel }} 电话{{ box.channel['电话'] }}",
    "{%p for row in parts %}",
    "{{ row.no }}.{{ row.name }}×{{ row.qty }}",
    "{%p endfor %}",
    "{% if raw.quantity is not none and raw.quantity > 2 %}多台{% endif %}",
    "记录人 {{ sig.sig_prepared.name }} {{ sig.sig_prepared.date }} {{ sig.sig_prepared.meaning }}",
)


def test_a_record_is_printed_with_everything_the_template_asks_for() -> None:
    assert texts(RENDERER.render(package(TEMPLATE), FILED)) == [
        "某某医疗器械有限公司 质量投诉处理记录 XX-YLQXJL-018 A/0",
        "编号 XX-YLQXJL-018-2026-0001 状态 已登记 ",
        "内容:手柄过热 渠道:□\u00a0电话\u3000☑\u00a0来访\u3000□\u00a0邮件 电话□",
        "1.手柄×1",
        "2.滤光片×2",
        "多台",
        "记录人 王芳 2026-05-01 记录",
    ]


def test_without_a_record_the_blank_form_is_printed() -> None:
    shown = texts(RENDERER.render(package(TEMPLATE), None))
    assert shown[1:6] == [
        "编号  状态  ",
        "内容: 渠道:□\u00a0电话\u3000□\u00a0来访\u3000□\u00a0邮件 电话□",
        "1.×",
        "2.×",
        "3.×",
    ]


def test_a_masked_print_holds_nothing_of_the_sensitive_value() -> None:
    masked = RENDERER.render(package(TEMPLATE), replace(FILED, masked=frozenset({"content"})))
    assert "内容:＊＊＊" in texts(masked)[2]
    assert "手柄过热".encode() not in masked
    assert "手柄过热".encode() in RENDERER.render(package(TEMPLATE), FILED)


def test_records_are_printed_in_the_name_they_were_made_under() -> None:
    former = RENDERER.for_company("旧名称公司")
    assert texts(former.render(package(TEMPLATE), FILED))[0].startswith("旧名称公司 ")
    assert texts(RENDERER.render(package(TEMPLATE), FILED))[0].startswith("某某医疗器械有限公司 ")


def test_compiling_twice_gives_the_same_form() -> None:
    assert package(TEMPLATE).digest == package(TEMPLATE).digest


def test_all_undeclared_names_are_told_at_once_with_place_and_nearest() -> None:
    template = docx("客户 {{ custmer }}", "内容 {{ conten }}", "{% for r in parts %}{{ r.qyt }}{% endfor %}")
    with pytest.raises(UndeclaredNamesError) as caught:
        package(template)
    assert [(item.name, item.nearest) for item in caught.value.undeclared] == [
        ("custmer", None),
        ("conten", "content"),
        ("parts.qyt", "parts.qty"),
    ]
    assert "内容 {{ conten }}" in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("view", [None, FILED], ids=["blank", "filled"])
def test_a_template_saved_by_another_office_program_keeps_working(tmp_path: Path, view: RecordView | None) -> None:
    drawn = scaffold_form(COMPLAINT, house_file("form"))
    (tmp_path / "form.docx").write_bytes(drawn)
    office = [need("soffice"), f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless"]
    convert = [*office, "--convert-to", "docx", "--outdir", str(tmp_path / "out"), str(tmp_path / "form.docx")]
    subprocess.run(convert, check=True, capture_output=True, timeout=120)
    restyled = (tmp_path / "out" / "form.docx").read_bytes()
    assert restyled != drawn
    assert texts(RENDERER.render(package(restyled), view)) == texts(RENDERER.render(package(drawn), view))
