"""测试用档案. A small real workspace and its archive in a folder of the test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.adapters.git_archive import GitArchive
from controller.adapters.git_controlled_files import init_repository
from controller.adapters.workspace_lock import WorkspaceLock
from controller.domain.identifiers import RecordNumber
from controller.file_formats.canonical_json import encode
from controller.services.archive_ports import ArchiveChange
from tests.builders import FORM, MORNING, WANG, WORKSPACE, entry, record_files

if TYPE_CHECKING:
    from pathlib import Path

SITE_FILE = encode({"format": "wenkong/site/1", "workspace": WORKSPACE, "site": "main", "company": "XX"})


def make_workspace(folder: Path, files: dict[str, bytes] | None = None) -> Path:
    """Make a workspace with these controlled files and an archive that holds no record yet."""
    for name, data in (files or {"procedures/XX-YLQXCX-014/clauses.txt": "一、目的\n".encode()}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    init_repository(folder, site="main", begin=[{"site.json": SITE_FILE}], by=WANG, at=MORNING)
    return folder


def open_archive(folder: Path, *, patience: float = 60.0) -> GitArchive:
    """Open the archive as another process would."""
    return GitArchive(folder, lock=WorkspaceLock(folder / ".qms" / "locks"), patience=patience)


def change(*numbers: RecordNumber) -> ArchiveChange:
    """Return one commit that opens these records."""
    files: dict[str, bytes] = {}
    for number in numbers:
        files |= record_files([entry(number.serial, form=number.form, year=number.year)])
    return ArchiveChange(files, WANG, MORNING, str(numbers[0]), {"QMS-Action": "open", "QMS-Signer": WANG.person})


def file_next(archive: GitArchive, form: str = FORM, year: int = 2026) -> RecordNumber:
    """File one record under the next number and return it."""
    with archive.writing() as writer:
        number = RecordNumber.of(form, year, writer.last_serial(form, year) + 1)
        writer.append(change(number))
    return number
