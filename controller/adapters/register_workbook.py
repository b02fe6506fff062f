"""台账 Excel 文件. A register as xlsx, written as a stream: any number of rows in little memory.

What people entered can never become a formula or a link; identifiers stay text, digits included; numbers and dates
become real ones where a spreadsheet holds them exactly. The same register gives the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from controller.adapters.finished_file import finished_file
from controller.domain.register import Cell, ColumnType, Heading, cell_text
from controller.services.register_report import preface_sheet

if TYPE_CHECKING:
    from pathlib import Path

    from controller.services.register_building import RegisterTable
    from controller.services.register_report import ListedTable, Sheet
    from controller.services.register_summary import RegisterSummary

SHEET_ROWS = 1_048_576
"""Rows in an Excel sheet, heading included."""
_CELL_CHARACTERS = 32_767
_CUT = "…（超出单元格长度，全文见记录）"
_EXACT_DIGITS = 15
_FIRST_YEAR = 1900
_FORBIDDEN_IN_NAME = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))


def write_workbook(table: RegisterTable, path: Path, *, company: str, sheet_rows: int = SHEET_ROWS) -> RegisterSummary:
    """Write the register to `path` and return its summary; nothing stands at `path` until the file is whole.

    Raises:
        FileUnwritableError: the place cannot be written, or the disk is full.
    """
    with finished_file(path) as unfinished:
        fill_workbook(table, unfinished, company=company, sheet_rows=sheet_rows)
    return table.summary()


def fill_workbook(table: ListedTable, path: Path, *, company: str, sheet_rows: int = SHEET_ROWS) -> None:
    """Write any table to `path` as it goes."""
    import xlsxwriter

    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(str(path), options)
    definition = table.definition
    book.set_properties(
        {
            "title": f"{definition.number} {definition.title}",
            "company": company,
            "created": table.now.astimezone(UTC).replace(tzinfo=None),
        }
    )
    writer = _Book(book, table, company, sheet_rows)
    try:
        if table.preface:
            writer.supplement(preface_sheet(table))
        writer.rows()
        for sheet in table.sheets(company=company):
            writer.supplement(sheet)
    finally:
        # Also removes the temporary files of the rows when something went wrong.
        _close(book)


def _close(book: Any) -> None:
    from xlsxwriter.exceptions import FileCreateError

    try:
        book.close()
    except FileCreateError as exc:
        raise OSError(*exc.args) from exc


@dataclass
class _Book:
    book: Any
    table: ListedTable
    company: str
    sheet_rows: int
    numbers: dict[int, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # One font size and thin lines, as a printed register looks.
        shared = {"font_size": 10, "border": 1, "valign": "top", "text_wrap": True}
        self.text = self.book.add_format({**shared, "num_format": "@"})
        self.head = self.book.add_format({**shared, "bold": True, "align": "center", "bg_color": "#E4E8EE"})
        self.day = self.book.add_format({**shared, "num_format": "yyyy-mm-dd", "align": "center"})
        self.moment = self.book.add_format({**shared, "num_format": "yyyy-mm-dd hh:mm", "align": "center"})
        self.shared = shared

    def rows(self) -> None:
        """Write the rows, beginning a further sheet where one is full."""
        line, sheet, part = self.sheet_rows, None, 0
        for row in self.table.rows():
            if line >= self.sheet_rows:
                self._finish(sheet, line)
                part += 1
                sheet, line = self._begin(part), 1
            for column, cell in enumerate(row):
                self._write(sheet, line, column, cell)
            line += 1
        if sheet is None:
            sheet, line = self._begin(1), 1
        self._finish(sheet, line)

    def _begin(self, part: int) -> Any:
        name = self.table.definition.title.translate(_FORBIDDEN_IN_NAME).strip()[:25] or "台账"
        headings = self.table.headings
        sheet = self._sheet(f"{name} ({part})" if part > 1 else name, [heading.label for heading in headings])
        for column, heading in enumerate(headings):
            sheet.set_column(column, column, _width(heading))
        return sheet

    def _sheet(self, name: str, labels: list[str]) -> Any:
        definition = self.table.definition
        sheet = self.book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        left = f"{self.company}".replace("&", "&&")
        title = f"{definition.title}（{self.table.period}）".replace("&", "&&")
        sheet.set_header(f"&L{left}&C{title}&R{definition.number} {definition.revision}")
        sheet.set_footer("&C第 &P 页　共 &N 页")
        for column, label in enumerate(labels):
            sheet.write_string(0, column, label, self.head)
        return sheet

    def _finish(self, sheet: Any, lines: int) -> None:
        if sheet is not None and self.table.headings:
            sheet.autofilter(0, 0, max(lines - 1, 1), len(self.table.headings) - 1)

    def _write(self, sheet: Any, line: int, column: int, cell: Cell) -> None:
        if isinstance(cell, Decimal) and _is_exact(cell):
            sheet.write_number(line, column, float(cell), self._number_format(cell))
        elif isinstance(cell, datetime) and cell.year >= _FIRST_YEAR:
            sheet.write_datetime(line, column, cell.replace(tzinfo=None), self.moment)
        elif isinstance(cell, date) and not isinstance(cell, datetime) and cell.year >= _FIRST_YEAR:
            sheet.write_datetime(line, column, cell, self.day)
        else:
            self._write_text(sheet, line, column, cell_text(cell))

    def _write_text(self, sheet: Any, line: int, column: int, text: str) -> None:
        if not text:
            sheet.write_blank(line, column, None, self.text)
            return
        if len(text) > _CELL_CHARACTERS:
            text = text[: _CELL_CHARACTERS - len(_CUT)] + _CUT
        sheet.write_string(line, column, text, self.text)

    def _number_format(self, number: Decimal) -> Any:
        exponent = number.as_tuple().exponent
        decimals = max(0, -exponent) if isinstance(exponent, int) else 0
        if decimals not in self.numbers:
            pattern = "0." + "0" * decimals if decimals else "0"
            self.numbers[decimals] = self.book.add_format({**self.shared, "num_format": pattern, "align": "right"})
        return self.numbers[decimals]

    def supplement(self, sheet: Sheet) -> None:
        """Write one sheet that follows the rows."""
        page = self._sheet(sheet.title, list(sheet.headings))
        for column, width in enumerate(sheet.widths):
            page.set_column(column, column, width)
        for line, row in enumerate(sheet.rows, 1):
            for column, text in enumerate(row):
                self._write_text(page, line, column, text)


def _width(heading: Heading) -> int:
    return max(heading.width, {ColumnType.DATE: 11, ColumnType.DATETIME: 16}.get(heading.type, 4))


def _is_exact(number: Decimal) -> bool:
    """Tell whether a spreadsheet, which reckons in binary to 15 digits, shows this number digit for digit."""
    return len(number.as_tuple().digits) <= _EXACT_DIGITS and abs(number) < Decimal(10) ** _EXACT_DIGITS
