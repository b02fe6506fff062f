"""台账文件. Writes a register in any format to its place: one xlsx or csv, or docx and pdf in numbered parts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.adapters.finished_file import FileExistsRefusedError, finished_file
from controller.adapters.register_document import ROWS_PER_PART
from controller.domain.register import Period

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from controller.adapters.register_document import RegisterDocuments
    from controller.domain.register import RegisterDefinition
    from controller.services.indexing import Indexing
    from controller.services.pdf_printing import PdfPrinting
    from controller.services.ports import Clock, Progress
    from controller.services.register_building import RegisterBuilding, RegisterTable
    from controller.services.register_summary import RegisterSummary

_UNFIT = re.compile(r'[\\/:*?"<>|\x00-\x1f]+')
_PROGRESS_STEP = 200
CELLS_PER_PDF = 3600
"""Cells in one PDF: the engine needs 0.14 MB for each, measured; 300 rows of 12 columns, 180 of 20."""


class RegisterFormat(StrEnum):
    """文件格式."""

    XLSX = "xlsx"
    CSV = "csv"
    DOCX = "docx"
    PDF = "pdf"


@dataclass(frozen=True)
class WrittenRegister:
    """生成的台账. The files that were written and what is in them."""

    definition: RegisterDefinition
    period: Period
    files: tuple[Path, ...]
    summary: RegisterSummary


class RegisterFiles:
    """台账文件. Builds and writes registers of one workspace."""

    def __init__(
        self,
        *,
        indexing: Indexing,
        building: RegisterBuilding,
        documents: Callable[[], RegisterDocuments],
        printing: Callable[[], PdfPrinting],
        clock: Clock,
        company: str,
    ) -> None:
        """`printing` gives a fresh engine for every part: the memory an engine took it never gives back."""
        self._indexing = indexing
        self._building = building
        self._documents = documents
        self._printing = printing
        self._clock = clock
        self._company = company

    def write_xlsx(self, definition: RegisterDefinition, path: Path) -> WrittenRegister:
        """Write a register over all time as xlsx, replacing what stood there."""
        return self.write(definition, RegisterFormat.XLSX, path, force=True)

    def write(
        self,
        definition: RegisterDefinition,
        kind: RegisterFormat,
        target: Path,
        *,
        period: Period | None = None,
        force: bool = False,
        rows_per_part: int = ROWS_PER_PART,
        progress: Progress | None = None,
        before: Callable[[], object] | None = None,
    ) -> WrittenRegister:
        """Build `definition` and write it to `target`, a file or an existing folder.

        `before` is called when nothing is written yet and nothing stands in the way; when it raises, nothing will be.

        A docx or pdf of several parts goes to `name-001`, `name-002` … beside the name asked for.

        Raises:
            FileExistsRefusedError: something stands there and `force` is not set; nothing was written.
            FileUnwritableError: the place cannot be written.
            PrintIncompleteError: a PDF would lose text.
        """
        period = period or Period()
        path = target / file_name(definition, kind, period) if target.is_dir() else target
        there = [*parts_of(path), *([path] if path.exists() else [])]
        if there and not force:
            raise FileExistsRefusedError(path=there[0])
        self._indexing.catch_up()
        if before is not None:
            before()
        table = self._building.build(definition, period, self._clock.now())
        if progress is not None:
            table.watch(progress, _PROGRESS_STEP)
        if kind is RegisterFormat.XLSX:
            from controller.adapters.register_workbook import write_workbook

            return WrittenRegister(definition, period, (path,), write_workbook(table, path, company=self._company))
        if kind is RegisterFormat.CSV:
            from controller.adapters.register_csv import write_csv

            return WrittenRegister(definition, period, (path,), write_csv(table, path))
        if kind is RegisterFormat.PDF:
            rows_per_part = min(rows_per_part, max(1, CELLS_PER_PDF // len(table.headings)))
        files = tuple(self._write_parts(table, kind, path, rows_per_part))
        for old in there:
            if old not in files:
                old.unlink(missing_ok=True)
        return WrittenRegister(definition, period, files, table.summary())

    def _write_parts(self, table: RegisterTable, kind: RegisterFormat, path: Path, rows: int) -> Iterator[Path]:
        parts = self._documents().parts(table, rows_per_part=rows)
        first = next(parts)
        second = next(parts, None)
        if second is None:
            yield self._write_part(first, kind, path)
            return
        yield self._write_part(first, kind, part_path(path, 1))
        yield self._write_part(second, kind, part_path(path, 2))
        for number, part in enumerate(parts, 3):
            yield self._write_part(part, kind, part_path(path, number))

    def _write_part(self, docx: bytes, kind: RegisterFormat, path: Path) -> Path:
        data = docx if kind is RegisterFormat.DOCX else self._printing().print(docx).data
        with finished_file(path) as unfinished:
            unfinished.write_bytes(data)
        return path


def file_name(definition: RegisterDefinition, kind: RegisterFormat, period: Period) -> str:
    """Return the name of a register's file: `TZ-07质量投诉台账 2026-01-01至2026-12-31.xlsx`."""
    span = ""
    if period.first is not None or period.last is not None:
        span = f" {period.first or ''}至{period.last or ''}"
    return f"{definition.id}{_UNFIT.sub(' ', definition.title).strip()[:60]}{span}.{kind.value}"


def part_path(path: Path, number: int) -> Path:
    """Return where one of several parts goes."""
    return path.with_name(f"{path.stem}-{number:03d}{path.suffix}")


def parts_of(path: Path) -> list[Path]:
    """Return the parts of an earlier build that stand beside `path`."""
    if not path.parent.is_dir():
        return []
    named = re.compile(re.escape(path.stem) + r"-\d{3,}" + re.escape(path.suffix))
    return sorted(item for item in path.parent.iterdir() if named.fullmatch(item.name))
