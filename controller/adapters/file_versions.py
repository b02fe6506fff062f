"""文件历史. Every version of one controlled file, for rules that judge an act by what was in force at that time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.adapters.git_objects import GitObjects

if TYPE_CHECKING:
    from pathlib import Path


def file_versions(folder: Path, path: str, *, branch: str = "main") -> list[tuple[int, bytes]]:
    """Return every version of `path` on `branch`, oldest first: time of its commit in seconds since 1970, bytes.

    Raises:
        QmsError: git cannot read the history.
    """
    objects = GitObjects(folder)
    try:
        shown = objects.program.run("log", "--reverse", "--format=%ct %H", f"refs/heads/{branch}", "--", path)
        found = []
        for line in shown.decode("ascii").splitlines():
            at, commit = line.split()
            blob = objects.get(f"{commit}:{path}")
            if blob is not None and blob[1] == "blob":
                found.append((int(at), blob[2]))
        return found
    finally:
        objects.close()
