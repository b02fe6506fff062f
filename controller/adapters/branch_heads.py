"""分支现状. Reads where every branch of the repository stands; implements `BranchHeads`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.adapters.git_objects import GitObjects

if TYPE_CHECKING:
    from pathlib import Path


class GitBranchHeads:
    """分支现状. The branches of the workspace in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> dict[str, str]:
        """Return branch name → id of its newest commit, in the order of the names."""
        objects = GitObjects(self._folder)
        try:
            told = objects.program.run("for-each-ref", "--format=%(objectname) %(refname:lstrip=2)", "refs/heads")
        finally:
            objects.close()
        lines = (line.partition(" ") for line in told.decode("utf-8", "replace").splitlines())
        return {name: commit for commit, _, name in sorted(lines, key=lambda line: line[2])}
