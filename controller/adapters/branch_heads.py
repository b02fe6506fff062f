"""分支现状. Reads where every branch of the repository stands; implements `BranchHeads`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from controller.adapters.git_objects import GitObjects

if TYPE_CHECKING:
    from pathlib import Path


class GitBranchHeads:
    """分支现状. The branches of the workspace in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def newest(self, branch: str) -> datetime | None:
        """Return the time of the branch's newest commit (UTC), None when there is none."""
        told = self._told("%(committerdate:unix)", f"refs/heads/{branch}")
        return datetime.fromtimestamp(int(told[0]), UTC) if told else None

    def all(self) -> dict[str, str]:
        """Return branch name → id of its newest commit, in the order of the names."""
        lines = (line.partition(" ") for line in self._told("%(objectname) %(refname:lstrip=2)", "refs/heads/"))
        return {name: commit for commit, _, name in sorted(lines, key=lambda line: line[2])}

    def _told(self, form: str, refs: str) -> list[str]:
        objects = GitObjects(self._folder)
        try:
            return objects.program.run("for-each-ref", f"--format={form}", refs).decode("utf-8", "replace").splitlines()
        finally:
            objects.close()
