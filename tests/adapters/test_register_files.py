"""Registers as files: xlsx, csv, docx, pdf. The rows come from a small table, whatever it stands for."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from controller.adapters.docx_renderer import JinjaDocxRenderer
from controller.adapters.docx_template import DocxtplCompiler
from controller.adapters.finished_file import FileExistsRefusedError, FileUnwritableError
from controller.adapters.house_style import house_file
from controller.adapters.register_csv import harmless, write_csv
from controller.adapters.register_document import RegisterDocuments, RegisterHouseFileError
from controller.adapters.register_files import RegisterFiles, RegisterFormat, file_name
from controller.adapters.register_workbook import write_workbook
from controller.domain.register import Cell, ColumnType, Heading, Period
from controller.domain.register_statistics import StatisticLine, StatisticResult
from controller.domain.serial_completeness import SerialRun
from controller.file_formats.docx_package import open_docx
from controller.file_formats.register_file import read_register
from controller.services.register_building import RegisterTable
from controller.services.register_summary import Completeness, RegisterSummary
from tests.builders import MORNING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from controller.services.print_ports import PdfDocument

COMPANY = "某某医疗器械有限公司"
REGISTER = read_register(
    """format: wenkong/register/1
id: TZ-07
number: XX-YLQXTZ-07
title: 质量投诉/台账
revision: A/0
owner: 质管部
forms: [XX-YLQXJL-018]
columns: [{key: a, label: 甲}]
""",
    where="register.yml",
)
HEADINGS = (
    Heading("编号", ColumnType.TEXT, 24),
    Heading("接收时间", ColumnType.DATETIME, 17),
    Heading("日期", ColumnType.DATE, 12),
    Heading("费用", ColumnType.DECIMAL, 10),
    Heading("逾期", ColumnType.BOOL, 6),
    Heading("说明", ColumnType.TEXT, 30),
)


def record_row(number: int, remark: str = "已电话指导", cost: str = "12.50") -> tuple[Cell, ...]:
    return (
        f"XX-YLQXJL-018-2026-{number:04d}", datetime.fromisoformat("2026-05-01T09:30+08:00"), date(2026, 5, 2),
        Decimal(cost), True, remark,
    )  # fmt: skip


@dataclass
class Run:
    """What a table is made from: fixed rows and a fixed summary."""

    cells: Sequence[tuple[Cell, ...]]
    made: int = 0
    fails: Exception | None = None

    def rows(self) -> Iterator[tuple[Cell, ...]]:
        for row in self.cells:
            self.made += 1
            yield row
        if self.fails is not None:
            raise self.fails

    def summary(self) -> RegisterSummary:
        figure = StatisticResult(
            "rate", "投诉率", (StatisticLine("", "5", "200", "25.0‰"),), "=说明", as_it_should_be=False
        )
        run = SerialRun("XX-YLQXJL-018", 2026, given=7, filed=5, voided=1, missing=[(3, 3)])
        dangling = (("XX-YLQXJL-018-2026-0001", "sale_ref", "XX-YLQXJL-010-2026-0077"),)
        completeness = Completeness((run,), {"XX-YLQXJL-018": "质量投诉处理记录"}, dangling, 1, (), ())
        return RegisterSummary(self.made, 1, (figure,), completeness)


def table(*rows: tuple[Cell, ...], headings: Sequence[Heading] = HEADINGS) -> RegisterTable:
    return RegisterTable(REGISTER, Period(date(2026, 1, 1), date(2026, 12, 31)), MORNING, headings, Run(rows))  # type: ignore[arg-type]


def documents() -> RegisterDocuments:
    return RegisterDocuments(
        house=house_file("register"), compiler=DocxtplCompiler(), renderer=JinjaDocxRenderer(), company=COMPANY
    )


def text_of(docx: bytes, part: str = "word/document.xml") -> str:
    return "".join(re.findall(r"<w:t[^>]*>([^<]*)</w:t>", open_docx(docx).contents[part].decode()))


# -- xlsx


def test_a_workbook_has_rows_statistics_completeness_and_particulars(tmp_path: Path) -> None:
    summary = write_workbook(table(record_row(1), record_row(2)), tmp_path / "a.xlsx", company=COMPANY)
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["质量投诉 台账", "统计", "完整性", "说明"]
    sheet = book["质量投诉 台账"]
    assert [cell.value for cell in sheet[1]] == ["编号", "接收时间", "日期", "费用", "逾期", "说明"]
    number, received, day, *rest = (cell.value for cell in sheet[2])
    assert (number, rest) == ("XX-YLQXJL-018-2026-0001", [12.5, "是", "已电话指导"])
    assert (str(received), str(day)) == ("2026-05-01 09:30:00", "2026-05-02 00:00:00")
    assert (sheet["D2"].number_format, sheet.freeze_panes, sheet.auto_filter.ref) == ("0.00", "A2", "A1:F3")
    assert [cell.value for cell in book["统计"][2]] == ["投诉率", None, "5", "200", "25.0‰", "不符合", "=说明"]
    assert [cell.value for cell in book["完整性"][2]] == [
        "XX-YLQXJL-018 质量投诉处理记录", "2026", "已用 7 号 = 有效 5 + 作废 1 + 缺号 1", "缺号 0003",
    ]  # fmt: skip
    assert ("期间", "2026-01-01 至 2026-12-31") in list(book["说明"].iter_rows(values_only=True))
    assert summary.rows == 2


@pytest.mark.parametrize(
    "text", ["=1+1", '=HYPERLINK("http://x")', "{=1}", "http://example.org", "+1", "@SUM(1)", "0012345"]
)
def test_what_people_entered_is_text_in_a_workbook_and_never_a_formula_or_link(tmp_path: Path, text: str) -> None:
    write_workbook(table(record_row(1, text)), tmp_path / "a.xlsx", company="=1")
    cell = openpyxl.load_workbook(tmp_path / "a.xlsx").worksheets[0]["F2"]
    assert (cell.value, cell.data_type, cell.hyperlink) == (text, "s", None)
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        assert not any(b"<f>" in archive.read(name) for name in archive.namelist() if "sheet" in name)


def test_numbers_that_a_spreadsheet_would_change_stay_text(tmp_path: Path) -> None:
    long = "12345678901234567.89"
    write_workbook(table(record_row(1, cost=long), record_row(2, cost="-0.10")), tmp_path / "a.xlsx", company=COMPANY)
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").worksheets[0]
    assert (sheet["D2"].value, sheet["D3"].value, sheet["D3"].number_format) == (long, -0.1, "0.00")


def test_a_full_sheet_continues_on_the_next_with_its_heading(tmp_path: Path) -> None:
    rows = [record_row(number) for number in range(1, 8)]
    write_workbook(table(*rows), tmp_path / "a.xlsx", company=COMPANY, sheet_rows=4)
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames[:3] == ["质量投诉 台账", "质量投诉 台账 (2)", "质量投诉 台账 (3)"]
    assert [sheet.max_row for sheet in book.worksheets[:3]] == [4, 4, 2]
    assert [sheet["A1"].value for sheet in book.worksheets[:3]] == ["编号"] * 3
    assert book.worksheets[2]["A2"].value == "XX-YLQXJL-018-2026-0007"


def test_a_register_without_rows_still_has_its_heading(tmp_path: Path) -> None:
    write_workbook(table(), tmp_path / "a.xlsx", company=COMPANY)
    assert openpyxl.load_workbook(tmp_path / "a.xlsx").worksheets[0].max_row == 1


def test_the_same_register_gives_the_same_workbook_bytes(tmp_path: Path) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        write_workbook(table(record_row(1)), tmp_path / name, company=COMPANY)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_a_text_longer_than_a_cell_is_cut_and_says_so(tmp_path: Path) -> None:
    write_workbook(table(record_row(1, "长" * 40_000)), tmp_path / "a.xlsx", company=COMPANY)
    value = openpyxl.load_workbook(tmp_path / "a.xlsx").worksheets[0]["F2"].value
    assert isinstance(value, str)
    assert len(value) == 32_767
    assert value.endswith("全文见记录）")


def test_nothing_is_left_when_writing_fails(tmp_path: Path) -> None:
    broken = RegisterTable(REGISTER, Period(), MORNING, HEADINGS, Run([record_row(1)], fails=RuntimeError("x")))  # type: ignore[arg-type]
    with pytest.raises(RuntimeError):
        write_workbook(broken, tmp_path / "a.xlsx", company=COMPANY)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("write", [lambda t, p: write_workbook(t, p, company=COMPANY), write_csv])
def test_a_place_that_cannot_be_written_is_said_so(tmp_path: Path, write: object) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileUnwritableError):
        write(table(record_row(1)), tmp_path / "file" / "a.out")  # type: ignore[operator]


# -- csv


def test_a_csv_begins_with_a_mark_for_excel_and_its_lines_end_in_cr_lf(tmp_path: Path) -> None:
    write_csv(table(record_row(1, '引号"和,逗号\n换行')), tmp_path / "a.csv")
    data = (tmp_path / "a.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf" + "编号,接收时间".encode())
    assert data.endswith(b"\r\n")
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert rows[1] == [
        "XX-YLQXJL-018-2026-0001", "2026-05-01 09:30", "2026-05-02", "12.50", "是", '引号"和,逗号\n换行',
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"), ("+86 21", "'+86 21"), ("-附件", "'-附件"), ("@x", "'@x"), ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("=1", "'=1"), ("-12.5", "-12.5"), (Decimal("-12.50"), "-12.50"), ("甲=乙", "甲=乙"), (None, ""), (False, "否"),
    ],
)  # fmt: skip
def test_a_csv_cell_is_never_taken_for_a_formula(cell: Cell, written: str) -> None:
    assert harmless(cell) == written


# -- docx and pdf


def test_a_register_document_has_the_house_header_its_period_and_every_row() -> None:
    (docx,) = documents().parts(table(record_row(1), record_row(2, "<换手柄> & {{ x }}")))
    body = text_of(docx)
    for wanted in (
        "质量投诉/台账",
        "2026-01-01 至 2026-12-31",
        "XX-YLQXJL-018-2026-0002",
        "投诉率",
        "25.0‰",
        "缺号 0003",
    ):
        assert wanted in body
    assert "&lt;换手柄&gt; &amp; {{ x }}" in body
    header = text_of(docx, "word/header1.xml")
    for wanted in (COMPANY, "XX-YLQXTZ-07", "A/0", "（2026-01-01 至 2026-12-31）"):
        assert wanted in header
    assert "PAGE" in open_docx(docx).contents["word/footer1.xml"].decode()
    assert open_docx(docx).contents["word/document.xml"].count(b"<w:tblHeader/>") >= 3


def test_long_registers_come_in_parts_and_only_the_last_has_statistics() -> None:
    parts = list(documents().parts(table(*(record_row(number) for number in range(1, 8))), rows_per_part=3))
    texts = [text_of(part) for part in parts]
    assert [len(re.findall(r"XX-YLQXJL-018-2026-\d{4}", text.split("投诉率")[0])) for text in texts] == [3, 3, 1]
    assert ["投诉率" in text for text in texts] == [False, False, True]
    assert ["第 1 部分" in texts[0], "第 3 部分" in texts[2]] == [True, True]


def test_as_many_rows_as_fit_in_a_part_make_one_part() -> None:
    assert len(list(documents().parts(table(*(record_row(n) for n in range(3))), rows_per_part=3))) == 1


def test_an_empty_register_says_that_there_is_nothing() -> None:
    (docx,) = documents().parts(table())
    assert "期间内没有记录。" in text_of(docx)


def test_the_columns_of_a_wide_register_fill_the_page_exactly() -> None:
    headings = [Heading(f"第{number}列", kind, 4 + number) for number, kind in enumerate([*ColumnType] * 4)]
    (docx,) = documents().parts(table(("x",) * 24, headings=headings))
    xml = open_docx(docx).contents["word/document.xml"].decode()
    grid = [int(width) for width in re.findall(r'<w:gridCol w:w="(\d+)"/>', xml.split("</w:tblGrid>")[0])]
    assert (len(grid), sum(grid)) == (24, 14570)


def test_a_house_file_without_a_page_is_refused() -> None:
    package = open_docx(house_file("register"))
    from controller.file_formats.docx_package import write_docx

    body = re.sub(rb"<w:sectPr>.*</w:sectPr>", b"", package.contents["word/document.xml"])
    broken = write_docx({**package.contents, "word/document.xml": body})
    drawing = RegisterDocuments(house=broken, compiler=DocxtplCompiler(), renderer=JinjaDocxRenderer(), company=COMPANY)
    with pytest.raises(RegisterHouseFileError):
        list(drawing.parts(table(record_row(1))))


# -- places


@dataclass
class Kit:
    """The services that `RegisterFiles` asks, in memory."""

    rows: int = 2
    caught_up: int = 0
    printed: list[bytes] = field(default_factory=list)

    def catch_up(self) -> None:
        self.caught_up += 1

    def build(self, *_: object) -> RegisterTable:
        return table(*(record_row(number) for number in range(1, self.rows + 1)))

    def now(self) -> datetime:
        return MORNING

    def print(self, docx: bytes) -> PdfDocument:
        from controller.services.print_ports import PdfDocument

        self.printed.append(docx)
        return PdfDocument(b"%PDF-1.7 " + str(len(self.printed)).encode(), "test", "1", [], 1)

    def files(self) -> RegisterFiles:
        kit: Any = self
        return RegisterFiles(
            indexing=kit, building=kit, documents=documents, printing=lambda: kit, clock=self, company=COMPANY
        )


def test_a_folder_gets_a_file_named_after_register_and_period(tmp_path: Path) -> None:
    period = Period(date(2026, 1, 1), date(2026, 12, 31))
    written = Kit().files().write(REGISTER, RegisterFormat.CSV, tmp_path, period=period)
    assert [path.name for path in written.files] == ["TZ-07质量投诉 台账 2026-01-01至2026-12-31.csv"]
    assert file_name(REGISTER, RegisterFormat.PDF, Period()) == "TZ-07质量投诉 台账.pdf"


def test_the_index_is_brought_up_to_date_before_a_register_is_built(tmp_path: Path) -> None:
    kit = Kit()
    kit.files().write(REGISTER, RegisterFormat.XLSX, tmp_path / "a.xlsx")
    assert kit.caught_up == 1


@pytest.mark.parametrize("kind", [*RegisterFormat])
def test_a_file_that_is_there_is_not_replaced_unless_asked(tmp_path: Path, kind: RegisterFormat) -> None:
    target = tmp_path / f"a.{kind}"
    target.write_bytes(b"mine")
    with pytest.raises(FileExistsRefusedError):
        Kit().files().write(REGISTER, kind, target)
    assert target.read_bytes() == b"mine"
    Kit().files().write(REGISTER, kind, target, force=True)
    assert target.read_bytes() != b"mine"


def test_parts_are_numbered_and_parts_of_an_older_build_go_with_force(tmp_path: Path) -> None:
    kit = Kit(rows=5)
    first = kit.files().write(REGISTER, RegisterFormat.PDF, tmp_path / "a.pdf", rows_per_part=2)
    assert [path.name for path in first.files] == ["a-001.pdf", "a-002.pdf", "a-003.pdf"]
    with pytest.raises(FileExistsRefusedError):
        kit.files().write(REGISTER, RegisterFormat.PDF, tmp_path / "a.pdf", rows_per_part=3)
    kit.files().write(REGISTER, RegisterFormat.PDF, tmp_path / "a.pdf", rows_per_part=3, force=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-001.pdf", "a-002.pdf"]
    assert len(kit.printed) == 5


def test_progress_is_told_while_rows_are_made(tmp_path: Path) -> None:
    seen: list[int] = []
    Kit(rows=450).files().write(
        REGISTER, RegisterFormat.CSV, tmp_path / "a.csv", progress=lambda done, _total: seen.append(done)
    )
    assert seen == [200, 400]


def test_a_wide_pdf_has_fewer_rows_in_a_part_so_that_the_engine_can_hold_it(tmp_path: Path) -> None:
    written = Kit(rows=700).files().write(REGISTER, RegisterFormat.PDF, tmp_path / "a.pdf", rows_per_part=2000)
    assert len(written.files) == 2
