"""审计追踪文件. Writes the trail as csv, xlsx, pdf or JSON lines, and hands it over only when that is written down.

Any number of events: csv and JSON lines are streams, xlsx goes on in further sheets, pdf in numbered parts. What people
entered can become no formula, no link and no second line of a table.
"""

from __future__ import annotations

import csv
import hashlib
import json
from contextlib import ExitStack
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.adapters.finished_file import FileExistsRefusedError, finished_file
from controller.adapters.register_csv import harmless
from controller.adapters.register_files import part_path, parts_of
from controller.domain.identifiers import Digest
from controller.domain.trail_event import TrailEvent
from controller.services.trail_listing import COLUMNS, TrailTable, particulars, printed_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from controller.adapters.register_document import RegisterDocuments
    from controller.domain.register import RegisterDefinition
    from controller.services.audit_trail import SelectedTrail
    from controller.services.pdf_printing import PdfPrinting
    from controller.services.ports import Progress
    from controller.services.trail_listing import TrailParticulars

JSON_LINES_FORMAT = "wenkong/audit-trail/1"
_ROWS_PER_PDF = 150
"""At most: a cell of the trail holds several lines."""
_BLOCK = 1 << 20
_FACTS = tuple(name for name in TrailEvent.__dataclass_fields__ if name != "changes")


class TrailFormat(StrEnum):
    """文件格式."""

    CSV = "csv"
    XLSX = "xlsx"
    PDF = "pdf"
    JSONL = "jsonl"


class AuditTrailFiles:
    """审计追踪文件. Writes exports of one workspace."""

    def __init__(
        self,
        *,
        documents: Callable[[], RegisterDocuments],
        printing: Callable[[], PdfPrinting],
        definition: RegisterDefinition | None = None,
    ) -> None:
        """`definition`: the register that names the trail; `printing` gives a fresh engine for every part."""
        self._documents = documents
        self._printing = printing
        self._definition = definition

    def write(
        self,
        selected: SelectedTrail,
        kind: TrailFormat,
        path: Path,
        made: TrailParticulars,
        *,
        before: Callable[[Mapping[str, Digest]], object],
        force: bool = False,
        progress: Progress | None = None,
    ) -> tuple[Path, ...]:
        """Write the export to `path` and return its files; a pdf of several parts goes to `name-001`, `name-002` ….

        `before` is told the name and digest of every file when all are written and none is handed over yet; when it
        raises, nothing is left of them.

        Raises:
            FileExistsRefusedError: something stands there and `force` is not set; nothing was written.
            FileUnwritableError: the place cannot be written, or the disk is full.
            PrintIncompleteError: a PDF would lose text.
        """
        there = [*parts_of(path), *([path] if path.exists() else [])]
        if there and (path.is_dir() or not force):
            raise FileExistsRefusedError(path=there[0])
        with ExitStack() as handing_over:

            def place(final: Path) -> Path:
                return handing_over.enter_context(finished_file(final))

            if kind is TrailFormat.PDF:
                written = dict(self._write_pdf(selected, path, made, place, progress))
            else:
                unfinished = place(path)
                written = {path: unfinished}
                if kind is TrailFormat.CSV:
                    _write_csv(selected, unfinished, made, progress)
                elif kind is TrailFormat.JSONL:
                    _write_json_lines(selected, unfinished, made, progress)
                else:
                    from controller.adapters.register_workbook import fill_workbook

                    table = TrailTable(selected, made, definition=self._definition, progress=progress)
                    fill_workbook(table, unfinished, company=made.company)
            before({final.name: _digest(unfinished) for final, unfinished in written.items()})
        for old in there:
            if old not in written:
                old.unlink(missing_ok=True)
        return tuple(written)

    def _write_pdf(
        self,
        selected: SelectedTrail,
        path: Path,
        made: TrailParticulars,
        place: Callable[[Path], Path],
        progress: Progress | None,
    ) -> Iterator[tuple[Path, Path]]:
        columns = printed_columns(_ROWS_PER_PDF, made)
        table = TrailTable(selected, made, columns, definition=self._definition, progress=progress)
        several = len(selected) > _ROWS_PER_PDF
        for number, docx in enumerate(self._documents().parts(table, rows_per_part=_ROWS_PER_PDF), 1):
            final = part_path(path, number) if several else path
            unfinished = place(final)
            unfinished.write_bytes(self._printing().print(docx).data)
            yield final, unfinished


def _write_csv(selected: SelectedTrail, path: Path, made: TrailParticulars, progress: Progress | None) -> None:
    table = TrailTable(selected, made, COLUMNS, progress=progress)
    with path.open("w", encoding="utf-8-sig", newline="", errors="replace") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerows((harmless(name), harmless(value)) for name, value in table.preface)
        writer.writerow([])
        writer.writerow([harmless(heading.label) for heading in table.headings])
        writer.writerows([harmless(cell) for cell in row] for row in table.rows())


def _write_json_lines(selected: SelectedTrail, path: Path, made: TrailParticulars, progress: Progress | None) -> None:
    with path.open("w", encoding="utf-8", newline="\n", errors="replace") as file:
        head: dict[str, object] = {"format": JSON_LINES_FORMAT, **dict(particulars(selected, made))}
        file.write(json.dumps(head, ensure_ascii=False) + "\n")
        for number, event in enumerate(selected.events(), 1):
            if progress is not None and not number % 200:
                progress(number, len(selected))
            file.write(json.dumps(event_data(event), ensure_ascii=False) + "\n")


def event_data(event: TrailEvent) -> dict[str, object]:
    """Return the stable JSON shape of one event."""
    return {
        **{name: getattr(event, name) for name in _FACTS},
        "action": str(event.action),
        "failure": event.failure,
        "changes": [
            {"field": item.key, "label": item.label, "old": item.old or None, "new": item.new or None}
            for item in event.changes
        ],
    }


def _digest(path: Path) -> Digest:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return Digest("sha256:" + found.hexdigest())
