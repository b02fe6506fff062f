"""工作目录检查. Tells which files of the folder are not what is in force; allowed, but whoever verifies should know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import QmsError
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from controller.domain.text import Text
    from controller.services.library_adoption import LibraryChange
    from controller.services.ports import ControlledFiles, LibraryFiles

_LISTED = 50
"""Edited files that are named one by one."""


class WorkingCopyExamination:
    """工作目录检查. Implements `WorkspaceExamination` for the files beside the repository."""

    def __init__(
        self, changes: Callable[[], Sequence[LibraryChange]], controlled: ControlledFiles, working: LibraryFiles
    ) -> None:
        self._changes = changes
        self._controlled = controlled
        self._working = working

    def findings(self) -> Iterator[Finding]:
        """Yield files that were edited, added or deleted and are not in force so."""
        changes = list(self._changes())
        hint = T("用 qms change status 查看，用 qms change adopt 采用，或用 qms change discard 还原。")
        for item in changes[:_LISTED]:
            kinds: dict[str, Text] = {
                "added": T("文件夹里新增了这个文件，尚未采用。"),
                "deleted": T("文件夹里删除了这个文件，尚未采用。"),
            }
            message = kinds.get(item.kind, T("文件夹里的这个文件改过，尚未采用；以已批准的为准。"))
            yield Finding("working-file-differs", Gravity.NOTE, message, path=item.path, hint=hint)
        if len(changes) > _LISTED:
            message = T("文件夹里还有 {count} 个文件与已批准的不同。", count=len(changes) - _LISTED)
            yield Finding("working-file-differs", Gravity.NOTE, message, hint=hint)
        known = {item.path for item in changes}
        for path in self._controlled.files(""):
            if path in known:
                continue
            try:
                here = self._working.read(path)
            except QmsError as exc:
                yield Finding("working-file-differs", Gravity.WARNING, exc.message, path=path, hint=exc.hint)
                continue
            if here != self._controlled.read(path):
                message = T("文件夹里的文件与已批准的不同。") if here is not None else T("文件夹里缺少这个文件。")
                yield Finding(
                    "working-file-differs",
                    Gravity.WARNING,
                    message,
                    path=path,
                    hint=T("查明是谁改动的，从备份或版本库还原。"),
                )
