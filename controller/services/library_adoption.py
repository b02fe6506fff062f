"""采用修改. Takes what was edited in the workspace folder into the controlled library, checked and with a reason.

Until documents have their approval life cycle this is how an edited form, a restyled template or a new colleague comes
into force (docs/adr/0010). Nothing is adopted that the product's own checks refuse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.conformity import Gravity
from controller.domain.errors import RefusedError
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from controller.domain.conformity import Finding
    from controller.domain.record import Signatory
    from controller.services.ports import Clock, ControlledFiles, LibraryFiles

FOLDERS = ("procedures", "templates", "records", "signatures")
_LOCAL = ("records/浏览/", "records/samples/")
_REASON_AT_LEAST = 5


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
        clock: Clock,
        check: Callable[[Sequence[LibraryChange]], Sequence[Finding]],
    ) -> None:
        self._working = working
        self._controlled = controlled
        self._clock = clock
        self._check = check

    def changes(self) -> list[LibraryChange]:
        """Return every file that was edited, added or deleted in the folder and is not yet in force, by path."""
        found: list[LibraryChange] = []
        for folder in FOLDERS:
            here = {path for path in self._working.files(folder) if not path.startswith(_LOCAL) and _kept(path)}
            there = {path for path in self._controlled.files(folder) if not path.startswith(_LOCAL)}
            found.extend(LibraryChange(path, "deleted") for path in there - here)
            found.extend(LibraryChange(path, "added") for path in here - there)
            found.extend(
                LibraryChange(path, "edited")
                for path in here & there
                if self._working.read(path) != self._controlled.read(path)
            )
        return sorted(found, key=lambda change: change.path)

    def adopt(self, by: Signatory, *, reason: str) -> list[LibraryChange]:
        """Take every change in, in one step.

        Raises:
            AdoptionReasonError: no reason was given.
            NothingToAdoptError: nothing was changed.
            AdoptionRefusedError: the checks found something wrong.
        """
        if len(reason.strip()) < _REASON_AT_LEAST:
            raise AdoptionReasonError
        changes = self.changes()
        if not changes:
            raise NothingToAdoptError
        errors = [item for item in self._check(changes) if item.gravity is Gravity.ERROR]
        if errors:
            raise AdoptionRefusedError(findings=errors)
        contents = {item.path: None if item.kind == "deleted" else self._working.read(item.path) for item in changes}
        self._controlled.record_change(
            contents,
            by=by,
            at=self._clock.now(),
            action="adopt",
            subject=changes[0].path if len(changes) == 1 else f"{len(changes)} files",
            note=reason.strip(),
        )
        return changes


def _kept(path: str) -> bool:
    """Tell whether a file belongs to the library: not a lock file of Word, not a hidden one."""
    name = path.rsplit("/", maxsplit=1)[-1]
    return not name.startswith(("~$", "."))
