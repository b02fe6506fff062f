"""Exports of the audit trail: what stands on top, every event in it, no formula, handed over only when written down."""

from __future__ import annotations

import csv
import json
import re
from typing import TYPE_CHECKING

import openpyxl
import pytest

from controller.adapters.audit_trail_files import AuditTrailFiles, TrailFormat
from controller.adapters.docx_renderer import JinjaDocxRenderer
from controller.adapters.docx_template import DocxtplCompiler
from controller.adapters.finished_file import FileExistsRefusedError
from controller.adapters.house_style import house_file
from controller.adapters.register_document import RegisterDocuments
from controller.adapters.register_workbook import fill_workbook
from controller.adapters.sorted_spool import SqliteSpool
from controller.domain.errors import RefusedError
from controller.domain.identifiers import Digest
from controller.domain.text import T
from controller.file_formats.docx_package import open_docx
from controller.services.archived_forms import ArchivedForms
from controller.services.audit_trail import AuditTrail, SelectedTrail
from controller.services.print_ports import PdfDocument
from controller.services.trail_listing import PrintedContent, TrailParticulars, TrailTable
from tests.builders import MORNING, WANG, WORKSPACE, entry, record_files
from tests.memory_archive import MemoryArchive, MemoryForms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

COMPANY = "安泽医疗器械有限公司"
MADE = TrailParticulars(COMPANY, WORKSPACE, "main", WANG, MORNING)
FORMULA = '=HYPERLINK("http://example.invalid","点我")'
HOSTILE = {"a": FORMULA, "b": "+1+1|cmd", "c": "@SUM(1)", "d": "-2+3"}


class WrittenDown:
    """What an export was stated to be, before it was handed over."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.files: Mapping[str, Digest] = {}
        self.refuses = refuses

    def __call__(self, files: Mapping[str, Digest]) -> None:
        if self.refuses:
            raise TrailFullError
        self.files = files


class TrailFullError(RefusedError):
    code = "trail-full-in-test"

    def __init__(self) -> None:
        super().__init__(T("不能写入"))


class Printing:
    """Stands in for the PDF engine: the text of the docx."""

    def print(self, docx: bytes) -> PdfDocument:
        text = "\n".join(re.findall(r"<w:t[^>]*>([^<]*)</w:t>", open_docx(docx).contents["word/document.xml"].decode()))
        return PdfDocument(text.encode(), "test", "1", (), 1)


@pytest.fixture
def selected() -> Iterator[SelectedTrail]:
    archive = MemoryArchive()
    files: dict[str, bytes] = {}
    for serial in range(1, 4):
        files |= record_files([entry(serial, values={"lot_no": f"L00{serial}"})])
    files |= record_files([entry(4, values=dict(HOSTILE), reason=FORMULA)])
    archive.file(files)
    trail = AuditTrail(
        archive=archive,
        definitions=ArchivedForms(archive, MemoryForms()),
        keys=None,  # type: ignore[arg-type]
        spool=SqliteSpool,
    )
    with trail.select() as found:
        yield found


def writer() -> AuditTrailFiles:
    house = RegisterDocuments(
        house=house_file("register"), compiler=DocxtplCompiler(), renderer=JinjaDocxRenderer(), company=COMPANY
    )
    return AuditTrailFiles(documents=lambda: house, printing=Printing)  # type: ignore[arg-type]


PREFACE = {
    "公司": COMPANY,
    "工作区": f"{WORKSPACE}（站点 main）",
    "期间": "全部",
    "筛选条件": "无",
    "导出人": "王芳（p003，售后主管）",
    "导出时间": "2026-05-01 09:30:00 +08:00",
    "行数": "4",
    "档案指纹": "commit-1",
    "敏感个人信息": "已遮蔽（***）",
}


def test_a_csv_tells_on_top_what_it_is_and_then_every_event(tmp_path: Path, selected: SelectedTrail) -> None:
    noted = WrittenDown()
    path = tmp_path / "trail.csv"
    assert writer().write(selected, TrailFormat.CSV, path, MADE, before=noted) == (path,)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    blank = rows.index([])
    assert PREFACE.items() <= dict(rows[:blank]).items()
    head, *events = rows[blank + 1 :]
    assert [row[head.index("新值")] for row in events[:3]] == ["lot_no：L001", "lot_no：L002", "lot_no：L003"]
    assert events[3][head.index("原因")] == "'" + FORMULA
    assert noted.files == {"trail.csv": Digest.of(path.read_bytes())}


def test_no_cell_of_the_csv_begins_as_a_formula_does(tmp_path: Path, selected: SelectedTrail) -> None:
    path = tmp_path / "trail.csv"
    writer().write(selected, TrailFormat.CSV, path, MADE, before=WrittenDown())
    with path.open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert [cell for cell in cells if cell[:1] in set("=+-@\t\r\n＝＋－＠")] == []
    assert "'" + FORMULA in cells


def test_a_workbook_begins_with_what_it_is_and_goes_on_in_further_sheets(
    tmp_path: Path, selected: SelectedTrail
) -> None:
    path = tmp_path / "trail.xlsx"
    noted = WrittenDown()
    writer().write(selected, TrailFormat.XLSX, path, MADE, before=noted)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["说明", "审计追踪"]
    told = {row[0].value: row[1].value for row in book["说明"].iter_rows(min_row=2)}
    assert PREFACE.items() <= told.items()
    assert not [cell for row in book["审计追踪"].iter_rows() for cell in row if cell.data_type == "f"]
    assert noted.files == {"trail.xlsx": Digest.of(path.read_bytes())}
    fill_workbook(TrailTable(selected, MADE), tmp_path / "small.xlsx", company=COMPANY, sheet_rows=3)
    small = openpyxl.load_workbook(tmp_path / "small.xlsx")
    assert [(sheet.title, sheet.max_row) for sheet in small.worksheets[1:]] == [("审计追踪", 3), ("审计追踪 (2)", 3)]


def test_json_lines_have_the_particulars_first_and_exact_changes(tmp_path: Path, selected: SelectedTrail) -> None:
    path = tmp_path / "trail.jsonl"
    writer().write(selected, TrailFormat.JSONL, path, MADE, before=WrittenDown())
    head, *events = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert head["format"] == "wenkong/audit-trail/1"
    assert PREFACE.items() <= head.items()
    assert events[0]["changes"] == [{"field": "lot_no", "label": "lot_no", "old": None, "new": "L001"}]
    assert [item["new"] for item in events[3]["changes"]] == list(HOSTILE.values())
    assert {(item["action"], item["signed"], item["failure"]) for item in events} == {("登记", "missing", False)}


def test_a_pdf_says_on_top_what_it_is_and_goes_into_numbered_parts(
    tmp_path: Path, selected: SelectedTrail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.adapters.audit_trail_files._ROWS_PER_PDF", 3)
    noted = WrittenDown()
    files = writer().write(selected, TrailFormat.PDF, tmp_path / "trail.pdf", MADE, before=noted)
    assert [path.name for path in files] == ["trail-001.pdf", "trail-002.pdf"]
    first, second = (path.read_text(encoding="utf-8") for path in files)
    assert all(value in first for value in ("导出人", "王芳（p003，售后主管）", "commit-1", "L003"))
    assert "导出人" not in second
    assert "2026-0004" in second
    assert set(noted.files) == {"trail-001.pdf", "trail-002.pdf"}


def test_a_long_text_is_printed_once_in_each_part_and_referred_to_after_that() -> None:
    said = "以本人签名密钥所作的电子签名与手写签名具有同等效力，本人对其后果负责，口令不告诉任何人" * 2
    archive = MemoryArchive()
    for serial in range(1, 4):
        archive.file(record_files([entry(serial, values={"lot_no": said, "model": f"M{serial}"})]))
    trail = AuditTrail(archive=archive, definitions=ArchivedForms(archive, MemoryForms()), keys=None, spool=SqliteSpool)  # type: ignore[arg-type]
    content = PrintedContent(2)
    with trail.select() as found:
        cells = [content(event) for event in found.events()]
    number = "XX-YLQXJL-018-2026-0001 2026-05-01 09:30:00"
    assert cells[0] == f"lot_no：{said}；model：M1"
    assert cells[1] == f"lot_no：同上文 {number}；model：M2"
    assert cells[2] == f"lot_no：{said}；model：M3"


@pytest.mark.parametrize("kind", list(TrailFormat))
def test_nothing_is_handed_over_when_it_cannot_be_written_down(
    tmp_path: Path, selected: SelectedTrail, kind: TrailFormat
) -> None:
    with pytest.raises(TrailFullError):
        writer().write(selected, kind, tmp_path / f"trail.{kind}", MADE, before=WrittenDown(refuses=True))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_stays_and_nothing_is_written_down(tmp_path: Path, selected: SelectedTrail) -> None:
    path, noted = tmp_path / "trail.csv", WrittenDown()
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsRefusedError):
        writer().write(selected, TrailFormat.CSV, path, MADE, before=noted)
    assert (path.read_text(encoding="utf-8"), noted.files) == ("mine", {})
    writer().write(selected, TrailFormat.CSV, path, MADE, before=noted, force=True)
    assert set(noted.files) == {"trail.csv"}
