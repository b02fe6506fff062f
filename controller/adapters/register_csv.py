"""台账 CSV 文件. A register as csv for other programs, written as a stream.

UTF-8 with a mark at the beginning, so that Excel shows Chinese; lines end in CR LF. A spreadsheet takes a cell that
begins with = + - @ for a formula, whoever wrote it: such text gets a ' in front, unless it is a number.
"""

from __future__ import annotations

import csv
import re
from decimal import Decimal
from typing import TYPE_CHECKING

from controller.adapters.finished_file import finished_file
from controller.domain.register import Cell, cell_text

if TYPE_CHECKING:
    from pathlib import Path

    from controller.services.register_building import RegisterTable
    from controller.services.register_summary import RegisterSummary

_DANGEROUS = tuple("=+-@\t\r\n=+-@")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")


def write_csv(table: RegisterTable, path: Path) -> RegisterSummary:
    """Write the rows of the register to `path` and return its summary.

    Raises:
        FileUnwritableError: the place cannot be written, or the disk is full.
    """
    with finished_file(path) as unfinished, unfinished.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([harmless(heading.label) for heading in table.headings])
        writer.writerows([harmless(cell) for cell in row] for row in table.rows())
        file.flush()
    return table.summary()


def harmless(cell: Cell) -> str:
    """Return the cell as text that no spreadsheet takes for a formula."""
    text = cell_text(cell)
    if isinstance(cell, Decimal) or not text.startswith(_DANGEROUS) or _NUMBER.fullmatch(text):
        return text
    return "'" + text
