"""采用修改. Takes what was edited in the workspace folder into the controlled library, checked and with a reason.

How rules, posts and calendars come into force, and, while a company sets up, documents, forms and registers: what a
change has approved goes through changes only (docs/adr/0012, 0014). Nothing is adopted that the product's own checks
refuse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.conformity import Gravity
from controller.domain.errors import NotFoundError, RefusedError
from controller.domain.identifiers import Digest, nearest
from controller.domain.stated_text import stated_text
from controller.domain.statement import TRAIL, Event
from controller.domain.text import T
from controller.services.archive_ports import ControlledChange
from controller.services.library_check import LEADING_POSTS, LIBRARY_FOLDERS, SETTINGS_FILE, is_library_file
from controller.services.staff_directory import check_post
from controller.services.statement_filing import StatementDraft

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from controller.domain.conformity import Finding
    from controller.domain.person import Staff
    from controller.domain.record import Wire
    from controller.services.ports import Clock, ControlledFiles, LibraryFiles, LibraryFolder
    from controller.services.signing_ports import Signer
    from controller.services.statement_filing import StatementFiling

DISCARDED = ".qms/discarded"
"""Where edited files that were put back are kept, by time."""
_REASON_AT_LEAST = 5
_MEANING = "批准"


class NothingToAdoptError(RefusedError):
    """没有可采用的修改."""

    code = "nothing-to-adopt"

    def __init__(self) -> None:
        super().__init__(
            T("工作目录与受控内容一致，没有可采用的修改。"), hint=T("用 qms change status 查看；先修改文件再采用。")
        )


class AdoptionRefusedError(RefusedError):
    """修改没有通过检查. Carries every finding; nothing was adopted."""

    code = "adoption-refused"

    def __init__(self, *, findings: Sequence[Finding]) -> None:
        super().__init__(
            T("修改有 {count} 处不符合，没有采用。", count=len(findings)), hint=T("按下面逐项改正后再采用。")
        )
        self.findings = tuple(findings)


class AdoptionReasonError(RefusedError):
    """需要写明修改原因 (ISO 13485 4.2.4)."""

    code = "adoption-reason-needed"

    def __init__(self) -> None:
        super().__init__(
            T("采用修改必须写明原因（至少 {count} 个字）。", count=_REASON_AT_LEAST),
            hint=T("例如 --reason “新员工入职，登记人员”。"),
        )


class NoSuchChangeError(NotFoundError):
    """没有这处修改. No edited file of the library is called so."""

    code = "change-unknown"

    def __init__(self, *, path: str, close: str | None) -> None:
        hint = T("是否想写 {path}？", path=close) if close else T("用 qms change status 查看尚未采用的修改。")
        super().__init__(T("“{path}”没有尚未采用的修改。", path=path[:200]), hint=hint)


@dataclass(frozen=True)
class LibraryChange:
    """一处修改. A library file that differs between the folder and the controlled content."""

    path: str
    kind: str
    """`added`, `edited` or `deleted`."""


class LibraryAdoption:
    """采用修改. Compares the folder with the controlled library and takes the difference in."""

    def __init__(
        self,
        working: LibraryFiles,
        controlled: ControlledFiles,
        folder: LibraryFolder,
        clock: Clock,
        statements: StatementFiling,
        staff: Staff,
        check: Callable[[Sequence[LibraryChange]], Sequence[Finding]],
    ) -> None:
        self._working = working
        self._controlled = controlled
        self._folder = folder
        self._clock = clock
        self._statements = statements
        self._staff = staff
        self._check = check

    def changes(self) -> list[LibraryChange]:
        """Return every file that was edited, added or deleted in the folder and is not yet in force, by path."""
        return library_changes(self._working, self._controlled)

    def adopt(self, by: Signer, *, reason: str) -> list[LibraryChange]:
        """Take every change in, in one step with the signed statement that names each file with its digest.

        Raises:
            PostNeededError: the person is not in charge of the system (GSP 2023 Art. 20).
            AdoptionReasonError, StatedTextError: no reason was given, or none that can be read.
            NothingToAdoptError: nothing was changed.
            AdoptionRefusedError: the checks found something wrong.
        """
        check_post(self._staff, by.signatory, LEADING_POSTS, T("采用修改"))
        reason = stated_text(reason)
        if len(reason) < _REASON_AT_LEAST:
            raise AdoptionReasonError
        changes = self.changes()
        if not changes:
            raise NothingToAdoptError
        errors = [item for item in self._check(changes) if item.gravity is Gravity.ERROR]
        if errors:
            raise AdoptionRefusedError(findings=errors)
        contents = {item.path: None if item.kind == "deleted" else self._working.read(item.path) for item in changes}
        subject = changes[0].path if len(changes) == 1 else f"{len(changes)} files"
        by.ready(_MEANING)
        self._statements.file(
            library_statement(self._controlled, contents, subject=subject, reason=reason.strip(), meaning=_MEANING),
            by,
            controlled=ControlledChange(contents, action="adopt", subject=subject, note=reason.strip()),
        )
        return changes

    def changes_at(self, paths: Sequence[str]) -> list[LibraryChange]:
        """Return the changes at `paths`, each a file or a folder as `changes` names them, also with backslashes.

        Raises:
            NoSuchChangeError: a path names no change.
        """
        every = self.changes()
        found: dict[str, LibraryChange] = {}
        for path in paths:
            wanted = path.strip().replace("\\", "/").removeprefix("./").rstrip("/")
            meant = [item for item in every if item.path == wanted or item.path.startswith(f"{wanted}/")]
            if not meant or not wanted:
                raise NoSuchChangeError(path=path, close=nearest(wanted, [item.path for item in every]))
            found |= {item.path: item for item in meant}
        return sorted(found.values(), key=lambda change: change.path)

    def discard(self, paths: Sequence[str]) -> list[tuple[LibraryChange, str | None]]:
        """Put the edited files at `paths` back to what is in force; return each with the place of its kept copy.

        Raises:
            NoSuchChangeError: a path names no change.
            QmsError: a file is held by another program; what was put back before it stays so.
        """
        stamp = self._clock.now().strftime("%Y%m%d-%H%M%S")
        done: list[tuple[LibraryChange, str | None]] = []
        for item in self.changes_at(paths):
            edited = self._working.read(item.path)
            kept = f"{DISCARDED}/{stamp}/{item.path}" if edited is not None else None
            if kept is not None and edited is not None:
                self._folder.write(kept, edited)
            approved = self._controlled.read(item.path)
            if approved is None:
                self._folder.remove(item.path)
            else:
                self._folder.write(item.path, approved)
            done.append((item, kept))
        return done


def library_changes(working: LibraryFiles, controlled: ControlledFiles) -> list[LibraryChange]:
    """Return every library file that differs between the folder and the controlled content, by path."""
    found: list[LibraryChange] = []
    for folder in LIBRARY_FOLDERS:
        here = {path for path in working.files(folder) if is_library_file(path)}
        there = {path for path in controlled.files(folder) if is_library_file(path)}
        found.extend(LibraryChange(path, "deleted") for path in there - here)
        found.extend(LibraryChange(path, "added") for path in here - there)
        found.extend(
            LibraryChange(path, "edited") for path in here & there if working.read(path) != controlled.read(path)
        )
    settings = working.read(SETTINGS_FILE)
    if settings is not None and settings != controlled.read(SETTINGS_FILE):
        found.append(LibraryChange(SETTINGS_FILE, "edited"))
    return sorted(found, key=lambda change: change.path)


def library_statement(
    before: LibraryFiles, contents: Mapping[str, bytes | None], *, subject: str, reason: str | None, meaning: str
) -> StatementDraft:
    """Return what a signer states about a change of library files: each path with its old and new digest.

    `contents` gives the new bytes by path, None for a file that goes (docs/signatures.md, Library).
    """
    old: dict[str, Wire] = {}
    for path in contents:
        data = before.read(path)
        if data is not None:
            old[path] = Digest.of(data).text
    gone: list[Wire] = [path for path, data in contents.items() if data is None]
    return StatementDraft(
        chain=TRAIL,
        event=Event.LIBRARY_CHANGED,
        subject=subject,
        meaning=meaning,
        reason=reason,
        old={"files": old},
        new={"deleted": gone},
        files={path: Digest.of(data) for path, data in contents.items() if data is not None},
    )
