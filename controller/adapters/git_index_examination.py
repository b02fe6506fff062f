"""Git 暂存区检查. Whether Git's own index shows the content in force; nothing of the program depends on it."""

from __future__ import annotations

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


class GitIndexExamination:
    """Git 暂存区检查. Implements `WorkspaceExamination` for the index of the workspace in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def findings(self) -> Iterator[Finding]:
        """Yield one finding when the index cannot be read or differs from `main`."""
        git = self._folder / ".git"
        if not git.is_dir():
            return
        hint = T("用 git read-tree main 重建暂存区；受控文件以 main 为准，不受影响。")
        if not (git / "index").is_file():
            yield Finding("git-index-differs", Gravity.NOTE, T("Git 的暂存区不见了。"), path=_INDEX, hint=hint)
            return
        try:
            program = GitProgram(git, self._folder)
            answer = program.run("diff-index", "--cached", "--name-only", "--no-renames", "-z", MAIN, "--")
        except QmsError as exc:
            message = T("Git 的暂存区读不出来：{problem}", problem=exc.message)
            yield Finding("git-index-differs", Gravity.WARNING, message, path=_INDEX, hint=hint)
            return
        paths = [item for item in answer.decode("utf-8", "replace").split("\0") if item]
        if paths:
            message = T("Git 的暂存区与 main 不同：{paths} 等 {count} 个文件。", paths=paths[:_NAMED], count=len(paths))
            yield Finding("git-index-differs", Gravity.NOTE, message, path=_INDEX, hint=hint)
