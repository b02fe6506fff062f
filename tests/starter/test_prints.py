"""Every form and procedure of the starter library prints whole: blank and filled to the brim, no word lost."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from controller.adapters.docx_renderer import JinjaDocxRenderer
from controller.adapters.pdf_libreoffice import LibreOfficeConverter
from controller.adapters.pdf_office2pdf import Office2PdfConverter
from controller.adapters.procedure_layout import ProcedureLayout
from controller.adapters.working_files import WorkingFiles
from controller.domain.errors import QmsError
from controller.domain.form import Field, FieldType, FormDefinition
from controller.domain.identifiers import Digest, DocumentNumber
from controller.domain.record import Signatory
from controller.domain.record_view import RecordView
from controller.file_formats.compiled_form import read_compiled
from controller.file_formats.pdf_text import read_pdf
from controller.services.document_library import DocumentLibrary
from controller.services.form_library import FormPackage, form_numbers
from controller.services.form_rendering import FormRenderer
from controller.services.pdf_printing import PdfPrinting
from controller.services.procedure_printing import ProcedurePrinting
from tests.real_tools import need

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from controller.domain.record import Wire

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
FILES = WorkingFiles(ROOT)
COMPANY = "安泽医疗器械有限公司"
LONG = "用户反映设备开机自检报警E05,重启后仍然报警,已停用并挂牌;现场温度、电源均正常。" * 3


@pytest.fixture(scope="module")
def office2pdf() -> Iterator[PdfPrinting]:
    with closing(Office2PdfConverter()) as engine:
        yield PdfPrinting([engine])


def package(number: str) -> FormPackage:
    folder = ROOT / "templates" / "forms" / number
    compiled = (folder / "compiled.json").read_bytes()
    form = read_compiled(compiled)
    return FormPackage(form.definition, (folder / "form.docx").read_bytes(), form.parts, compiled, Digest.of(compiled))


def answer(field: Field) -> Wire:
    texts: dict[FieldType, Wire] = {
        FieldType.LONG_TEXT: LONG,
        FieldType.INTEGER: "12",
        FieldType.DECIMAL: "12.50",
        FieldType.DATE: "2026-05-01",
        FieldType.DATETIME: "2026-05-01T09:30+08:00",
        FieldType.BOOL: True,
        FieldType.TABLE: [{column.key: answer(column) for column in field.columns} for _ in range(9)],
        FieldType.ASSIGNEE: {"person": "p003", "name": "王芳"},
        FieldType.PERFORMER: {"person": "p003", "name": "王芳"},
        FieldType.ATTACHMENT: {"name": "送货签收单.pdf", "digest": "sha256:" + "0" * 64, "size": "12"},
        FieldType.EXTERNAL_SIGNATURE: {"kind": "拒签", "name": "张敏", "at": "2026-05-02", "reason": "对结果不认可"},
    }
    if field.choices:
        return list(field.choices) if field.type is FieldType.MULTI_CHOICE else field.choices[-1]
    value = texts.get(field.type, "国械注准20193070001 <多参数>&监护仪")
    return [value] if field.many else value


def filled(definition: FormDefinition) -> RecordView:
    who = Signatory(person="p003", name="王芳", post="售后服务员")
    return RecordView(
        number=f"{definition.number}-2026-0001",
        stage_label=definition.stages[-1].label,
        opened_at="2026-05-03T10:00:00+08:00",
        opened_by="王芳",
        values={field.key: answer(field) for field in definition.fields},
        signed={stage.key: (who, "2026-05-03T10:00:00+08:00") for stage in definition.stages},
        late_entry_reason="停电,当日不能登记",
    )


@pytest.mark.parametrize("number", form_numbers(FILES))
def test_a_form_prints_whole_blank_and_filled(number: str, office2pdf: PdfPrinting) -> None:
    form = package(number)
    renderer = FormRenderer(JinjaDocxRenderer(), COMPANY)
    for view in (None, filled(form.definition)):
        made = office2pdf.print(renderer.render(form, view))
        assert made.engine == "office2pdf"
        assert f"共 {made.pages} 页".replace(" ", "") in read_pdf(made.data).pages[0].replace(" ", "").replace(
            "\u00a0", ""
        )


def test_the_survey_page_for_the_customer_is_one_side(office2pdf: PdfPrinting) -> None:
    form = package("XX-YLQXJL-021")
    made = office2pdf.print(FormRenderer(JinjaDocxRenderer(), COMPANY).render(form, None))
    first, second = read_pdf(made.data).pages[:2]
    questions = [field.label for key in form.definition.customer_page if (field := form.definition.field(key))]
    assert 6 <= sum(key.startswith("q_") for key in form.definition.customer_page) <= 7
    assert [
        label for label in questions if label.replace("/", "") not in first.replace("/", "").replace("\n", "")
    ] == []
    assert "以下由本公司填写" in second


class OneStart(LibreOfficeConverter):
    """LibreOffice run as the program runs it, but for all of these documents at once: its start is what takes long."""

    def __init__(self, documents: Sequence[bytes], folder: Path) -> None:
        super().__init__(timeout=600)
        self._sources = {document: folder / f"{place}.docx" for place, document in enumerate(documents)}
        for document, path in self._sources.items():
            path.write_bytes(document)
        self._made: dict[bytes, bytes] = {}

    def _run(self, command: list[str]) -> None:
        super()._run([*command, *map(str, self._sources.values())])
        made = Path(command[-1]).parent
        for document, path in self._sources.items():
            self._made[document] = (made / path.with_suffix(".pdf").name).read_bytes()

    def convert(self, docx: bytes) -> bytes:
        """Return what was made of `docx`."""
        if not self._made:
            super().convert(docx)
        return self._made[docx]


def test_libreoffice_opens_every_form_and_prints_it_whole_blank_and_filled(tmp_path: Path) -> None:
    need("soffice")
    renderer = FormRenderer(JinjaDocxRenderer(), COMPANY)
    forms = [package(number) for number in form_numbers(FILES)]
    documents = {
        renderer.render(form, view): f"{form.definition.number} {'filled' if view else 'blank'}"
        for form in forms
        for view in (None, filled(form.definition))
    }
    assert len(documents) == 2 * len(forms)
    printing = PdfPrinting([OneStart([*documents], tmp_path)])
    incomplete: dict[str, str] = {}
    for document, told in documents.items():
        try:
            assert printing.print(document).engine == "libreoffice"
        except QmsError as exc:
            incomplete[told] = str(exc)
    assert incomplete == {}


def test_every_procedure_prints_whole(office2pdf: PdfPrinting) -> None:
    library = DocumentLibrary(FILES)
    printing = ProcedurePrinting(library, ProcedureLayout(), COMPANY)
    numbers = [number for number in library.numbers() if DocumentNumber(number).class_code == "CX"]
    assert len(numbers) == 13
    engines = {office2pdf.print(printing.docx(number)).engine for number in numbers}
    assert engines == {"office2pdf"}
