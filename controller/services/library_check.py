"""规则文件检查. Reads the files that govern filing, as they would be adopted: people, posts, retention, calendars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import QmsError
from controller.domain.text import T
from controller.file_formats.calendar_file import COMPANY_FILE, WORKDAYS_FILE, read_company_calendar, read_workdays
from controller.file_formats.retention_file import RETENTION_FILE, read_retention
from controller.file_formats.staff_file import PEOPLE_FILE, POSTS_FILE, read_staff

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller.services.ports import LibraryFiles


def check_rules(files: LibraryFiles) -> list[Finding]:
    """Return everything that is wrong with people, posts, retention and calendars."""
    findings: list[Finding] = []
    readers: dict[str, Callable[[str], object]] = {
        RETENTION_FILE: lambda text: read_retention(text, where=RETENTION_FILE),
        WORKDAYS_FILE: lambda text: read_workdays(text, where=WORKDAYS_FILE),
        COMPANY_FILE: lambda text: read_company_calendar(text, where=COMPANY_FILE),
    }
    for path, read in readers.items():
        _read(files, path, read, findings)
    posts, people = files.read(POSTS_FILE), files.read(PEOPLE_FILE)
    if posts is None or people is None:
        findings.append(_missing(POSTS_FILE if posts is None else PEOPLE_FILE))
    else:
        reading = read_staff(
            posts.decode("utf-8", "replace"),
            people.decode("utf-8", "replace"),
            posts_where=POSTS_FILE,
            people_where=PEOPLE_FILE,
        )
        findings.extend(reading.findings)
    return findings


def _read(files: LibraryFiles, path: str, read: Callable[[str], object], findings: list[Finding]) -> None:
    data = files.read(path)
    if data is None:
        findings.append(_missing(path))
        return
    try:
        read(data.decode("utf-8", "replace"))
    except QmsError as exc:
        findings.append(Finding(exc.code, Gravity.ERROR, exc.message, path=exc.where or path, hint=exc.hint))


def _missing(path: str) -> Finding:
    return Finding("library-file-missing", Gravity.ERROR, T("缺少受控文件 {path}。", path=path), path=path)
