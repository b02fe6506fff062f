"""Git 暂存区检查. Whether Git's own index shows the content in force; nothing of the program depends on it."""

from __future__ import annotations

from hashlib import sha1
from typing import TYPE_CHECKING

from controller.adapters.git_controlled_files import MAIN
from controller.adapters.git_program import GitProgram
from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import QmsError
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_INDEX = ".git/index"
_NAMED = 5
_CHECKSUM = 20


class GitIndexExamination:
    """Git 暂存区检查. Implements `WorkspaceExamination` for the index of the workspace in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def findings(self) -> Iterator[Finding]:
        """Yield one finding when the index cannot be read or differs from `main`."""
        git = self._folder / ".git"
        if not git.is_dir():
            return
        hint = T("请维护人员运行 git read-tree main 重建；已批准的受控文件不受影响。")
        if not (git / "index").is_file():
            yield Finding(
                "git-index-differs", Gravity.NOTE, T("工作区的文件登记表（Git 暂存区）不见了。"), path=_INDEX, hint=hint
            )
            return
        try:
            whole = _closed_by_its_checksum((git / "index").read_bytes())
        except OSError:
            whole = False
        if not whole:
            # Git itself looks at the checksum only when it writes.
            message = T("工作区的文件登记表（Git 暂存区）损坏（校验值不符）。")
            yield Finding("git-index-differs", Gravity.WARNING, message, path=_INDEX, hint=hint)
            return
        try:
            program = GitProgram(git, self._folder)
            answer = program.run("diff-index", "--cached", "--name-only", "--no-renames", "-z", MAIN, "--")
        except QmsError as exc:
            message = T("工作区的文件登记表（Git 暂存区）读不出来：{problem}", problem=exc.message)
            yield Finding("git-index-differs", Gravity.WARNING, message, path=_INDEX, hint=hint)
            return
        paths = [item for item in answer.decode("utf-8", "replace").split("\0") if item]
        if paths:
            message = T(
                "工作区的文件登记表（Git 暂存区）与受控文件不同：{paths} 等 {count} 个文件。",
                paths=paths[:_NAMED],
                count=len(paths),
            )
            yield Finding("git-index-differs", Gravity.NOTE, message, path=_INDEX, hint=hint)


def _closed_by_its_checksum(data: bytes) -> bool:
    """Tell whether the last twenty bytes are the SHA-1 of the rest, or zeros (people may switch the checksum off)."""
    end = data[-_CHECKSUM:]
    return end in {bytes(_CHECKSUM), sha1(data[:-_CHECKSUM], usedforsecurity=False).digest()}
