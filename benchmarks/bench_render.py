"""渲染速度. One realistic form to docx: ours, compiled once, against docxtpl with a fresh template per document.

The form is the product's own 质量投诉处理记录 (XX-YLQXJL-018) with every field filled and rows in its tables; both
sides print the same names, and their text is compared before anything is timed.
"""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from controller.adapters.docx_renderer import JinjaDocxRenderer
from controller.adapters.docx_template import DocxtplCompiler
from controller.adapters.form_scaffold import scaffold_form
from controller.adapters.house_style import house_file
from controller.adapters.working_files import WorkingFiles
from controller.domain.form import Field, FieldType, FormDefinition
from controller.domain.identifiers import Digest
from controller.domain.record_view import RecordView, template_context
from controller.file_formats.compiled_form import read_compiled
from controller.services.form_compiling import FormCompiling
from controller.services.form_library import FormPackage, written_definition
from controller.services.form_rendering import FormRenderer

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller.domain.record import Wire

ROOT = Path(__file__).resolve().parents[1]
FORM = "XX-YLQXJL-018"
COMPANY = "某某医疗器械有限公司"
GOAL = 20
_ROUNDS, _OURS_PER_ROUND = 9, 40


def filled(definition: FormDefinition) -> RecordView:
    """Return a record with a value in every field."""
    values = {field.key: value_of(field) for field in definition.fields}
    return RecordView(
        number=f"{FORM}-2026-0001",
        stage_label=definition.stages[-1].label,
        opened_at="2026-05-01T09:30:00+08:00",
        opened_by="王芳",
        values=values,
    )


def value_of(field: Field) -> Wire:
    match field.type:
        case FieldType.TABLE:
            return [{column.key: value_of(column) for column in field.columns} for _ in range(6)]
        case FieldType.INTEGER | FieldType.DECIMAL:
            return "12"
        case FieldType.DATE:
            return "2026-05-01"
        case FieldType.DATETIME:
            return "2026-05-01T09:30+08:00"
        case FieldType.BOOL:
            return True
        case FieldType.CHOICE:
            return field.choices[0]
        case FieldType.MULTI_CHOICE:
            return list(field.choices[:2])
        case FieldType.ASSIGNEE | FieldType.PERFORMER:
            return {"person": "p003", "name": "王芳"}
        case FieldType.ATTACHMENT:
            return {"name": "照片.jpg", "digest": "sha256:" + "0" * 64, "size": "1234"}
        case FieldType.EXTERNAL_SIGNATURE:
            return {"kind": "纸质签字", "name": "李明", "at": "2026-05-02"}
        case FieldType.LONG_TEXT:
            return "客户反映设备开机后手柄温度偏高,约十分钟后自动停机。\n已告知暂停使用,并安排上门检测 <A&B>。"
        case _:
            return "示例内容"


def package() -> FormPackage:
    definition = written_definition(WorkingFiles(ROOT), FORM)
    docx = scaffold_form(definition, house_file("form"))
    compiled = FormCompiling(DocxtplCompiler()).compile(definition, docx)
    form = read_compiled(compiled)
    return FormPackage(form.definition, docx, form.parts, compiled, Digest.of(compiled))


def plain(docx: bytes, context: dict[str, object]) -> bytes:
    from docxtpl import DocxTemplate

    template = DocxTemplate(io.BytesIO(docx))
    template.render(context, autoescape=True)
    stream = io.BytesIO()
    template.save(stream)
    return stream.getvalue()


def visible(docx: bytes) -> list[str]:
    from docx import Document

    body = Document(io.BytesIO(docx)).element.body
    return ["".join(text.text or "" for text in paragraph.iter("{*}t")) for paragraph in body.iter("{*}p")]


def milliseconds(work: Callable[[], object], times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - start) * 1000 / times


def run(*, quick: bool = False) -> list[dict[str, Any]]:
    """Measure alternately, so that a busy machine slows both sides, and return medians."""
    form = package()
    view = filled(form.definition)
    renderer = FormRenderer(JinjaDocxRenderer(), COMPANY)
    context = template_context(form.definition, view, company=COMPANY)
    assert visible(renderer.render(form, view)) == visible(plain(form.docx, context))
    ours, theirs = [], []
    for _ in range(3 if quick else _ROUNDS):
        ours.append(milliseconds(lambda: renderer.render(form, view), _OURS_PER_ROUND))
        theirs.append(milliseconds(lambda: plain(form.docx, context), 2))
    first = milliseconds(lambda: FormRenderer(JinjaDocxRenderer(), COMPANY).render(form, view), 3)
    ours_ms, plain_ms = median(ours), median(theirs)
    return [
        row(f"one form to docx ({FORM}, {len(form.definition.fields)} fields)", ours_ms, plain_ms, GOAL),
        row("  the first one of a process, template compiled", first, plain_ms, None),
    ]


def row(name: str, ours_ms: float, plain_ms: float, goal: int | None) -> dict[str, Any]:
    return {
        "name": name,
        "ours_ms": ours_ms,
        "plain_ms": plain_ms,
        "ratio": plain_ms / ours_ms,
        "goal": f"≥ {goal} ×" if goal else "",
        "reached": plain_ms / ours_ms >= goal if goal else None,
        "unit": "ms",
    }


if __name__ == "__main__":
    print(json.dumps(run(), ensure_ascii=False, indent=2))
