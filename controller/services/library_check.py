"""规则文件检查. Reads the files that govern filing, as they would be adopted: people, posts, signing, retention, days.

Also what adopting asks of every file: text in UTF-8, somebody in charge, a new revision for a changed form.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import QmsError
from controller.domain.text import T
from controller.file_formats.calendar_file import COMPANY_FILE, WORKDAYS_FILE, read_company_calendar, read_workdays
from controller.file_formats.compiled_form import read_compiled
from controller.file_formats.document_control_file import DOCUMENT_CONTROL_FILE, read_document_control
from controller.file_formats.effect_file import EFFECT_FILE
from controller.file_formats.retention_file import RETENTION_FILE, read_retention
from controller.file_formats.route_file import ROUTES_FILE, read_routes
from controller.file_formats.signing_rules_file import SIGNING_FILE, read_signing_rules
from controller.file_formats.staff_file import PEOPLE_FILE, POSTS_FILE, read_staff
from controller.file_formats.text_encoding import NotUtf8Error, utf8_text
from controller.services.timestamp_verification import ROOTS_FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from controller.services.ports import LibraryFiles

LIBRARY_FOLDERS = ("procedures", "templates", "records", "signatures")
ROOT_FILE = "signatures/ca/ca.pem"
"""The root certificate in force, for whoever looks for it; the archive is what decides."""
SETTINGS_FILE = "qms.toml"
"""Machine settings: tracked with the library, so that a change of them has a name and a reason too."""
LEADING_POSTS = ("quality_head", "general_manager")
"""Posts of which one at least must be held, so that somebody can answer for the system (企业自定)."""
_SIGNATURES = "signatures/"
_SIGNATURE_FILES = frozenset({DOCUMENT_CONTROL_FILE, PEOPLE_FILE, POSTS_FILE, ROUTES_FILE, SIGNING_FILE})
"""What the program reads there; of people and the root other checks say more."""
_STAMP_ROOT = re.compile(rf"{ROOTS_FOLDER}/[^/]+\.pem")
_TEXT_ENDINGS = (".yml", ".txt", ".json")


def check_encoding(files: LibraryFiles) -> list[Finding]:
    """Return a finding for every text file of the library that is not UTF-8, with the line where it stops being so."""
    findings: list[Finding] = []
    for folder in LIBRARY_FOLDERS:
        for path in files.files(folder):
            data = files.read(path) if is_library_file(path) and path.endswith(_TEXT_ENDINGS) else None
            try:
                utf8_text(data or b"", where=path)
            except NotUtf8Error as exc:
                findings.append(Finding(exc.code, Gravity.ERROR, exc.message, path=path, line=exc.line, hint=exc.hint))
    return findings


def is_library_file(path: str) -> bool:
    """Tell whether a file of these folders belongs to the library: no copy for looking at, no lock file of Word."""
    name = path.rsplit("/", maxsplit=1)[-1]
    return not path.startswith(("records/浏览/", "records/samples/")) and not name.startswith(("~$", "."))


def check_people_unedited(paths: Iterable[str]) -> list[Finding]:
    """Return a finding when the list of people was edited by hand: people come and go by signed acts only.

    The list is written by the same acts that state them (docs/signatures.md; 21 CFR 11.100).
    """
    if PEOPLE_FILE not in paths:
        return []
    message = T("人员不能在文件里直接增加或修改。")
    hint = T("请用 qms change discard {path} 恢复，再用 qms person 的 add、posts 或 retire 办理。", path=PEOPLE_FILE)
    return [Finding("people-edited-by-hand", Gravity.ERROR, message, path=PEOPLE_FILE, hint=hint)]


def check_signature_files(paths: Iterable[str], *, gone: Collection[str] = ()) -> list[Finding]:
    """Return a finding for every file of `signatures/` that does not come into force by adopting it.

    `gone` are those of the paths that were deleted; an unknown file may always go.
    """
    findings: list[Finding] = []
    for path in paths:
        if not path.startswith(_SIGNATURES) or path in _SIGNATURE_FILES or _STAMP_ROOT.fullmatch(path):
            continue
        if path == ROOT_FILE:
            message = T("企业根证书不能在文件里更改。")
            hint = T("用 qms change discard {path} 恢复；更换根证书用 qms person replace-authority。", path=path)
            findings.append(Finding("root-edited-by-hand", Gravity.ERROR, message, path=path, hint=hint))
        elif path == EFFECT_FILE:
            message = T("生效日程不能在文件里更改。")
            hint = T("用 qms change discard {path} 恢复；生效日期随更改批准，推迟用 qms change postpone。", path=path)
            findings.append(Finding("effect-edited-by-hand", Gravity.ERROR, message, path=path, hint=hint))
        elif path not in gone:
            message = T("{folder} 里不认识这个文件，不能采用。", folder=_SIGNATURES)
            roots = f"{ROOTS_FOLDER}/*.pem"
            hint = T("用 qms change discard {path} 撤走；时间戳机构的根证书放在 {roots}。", path=path, roots=roots)
            findings.append(Finding("signature-file-unknown", Gravity.ERROR, message, path=path, hint=hint))
    return findings


def check_revisions(working: LibraryFiles, controlled: LibraryFiles, forms: Iterable[str]) -> list[Finding]:
    """Return a finding for every form that differs from the one in force and still has its revision (ISO 13485 4.2.4).

    Two different forms of one revision could not be told apart on paper.
    """
    findings: list[Finding] = []
    for number in forms:
        path = f"templates/forms/{number}/compiled.json"
        new, old = working.read(path), controlled.read(path)
        if new is None or old is None or new == old:
            continue
        try:
            ours, theirs = (read_compiled(data, where=path).definition.revision for data in (new, old))
        except QmsError:
            continue  # said by the inspection of the form
        if not ours > theirs:
            message = T("表单 {number} 已改动，版本仍是 {revision}。", number=number, revision=ours)
            hint = T("运行 qms form compile {number} --revise 提高版本，再采用。", number=number)
            where = f"templates/forms/{number}/form.yml"
            findings.append(
                Finding("form-revision-kept", Gravity.ERROR, message, path=where, subject=number, hint=hint)
            )
    return findings


def check_rules(files: LibraryFiles) -> list[Finding]:
    """Return everything that is wrong with people, posts, signing rules, routes, retention and calendars."""
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
            utf8_text(posts, where=POSTS_FILE),
            utf8_text(people, where=PEOPLE_FILE),
            posts_where=POSTS_FILE,
            people_where=PEOPLE_FILE,
        )
        findings.extend(reading.findings)
        known = reading.staff.posts
        _read(files, SIGNING_FILE, lambda text: read_signing_rules(text, posts=known), findings)
        if files.read(DOCUMENT_CONTROL_FILE) is not None:
            _read(files, DOCUMENT_CONTROL_FILE, lambda text: read_document_control(text, posts=known), findings)
        if files.read(ROUTES_FILE) is not None:
            _read(files, ROUTES_FILE, lambda text: read_routes(text, posts=known), findings)
    return findings


def _read(files: LibraryFiles, path: str, read: Callable[[str], object], findings: list[Finding]) -> None:
    data = files.read(path)
    if data is None:
        findings.append(_missing(path))
        return
    try:
        read(utf8_text(data, where=path))
    except QmsError as exc:
        alone = Finding(exc.code, Gravity.ERROR, exc.message, path=exc.where or path, hint=exc.hint)
        findings.extend(exc.findings or [alone])


def _missing(path: str) -> Finding:
    return Finding("library-file-missing", Gravity.ERROR, T("缺少受控文件 {path}。", path=path), path=path)
