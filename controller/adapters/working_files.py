"""工作目录的文件. The library in the workspace folder as it is now, edited or not; for checks while editing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.adapters.stored_path import check_path
from controller.domain.errors import RefusedError
from controller.domain.text import T

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 50 * 1024 * 1024
"""Largest file that is read, in bytes."""


class WorkingFileError(RefusedError):
    """工作目录里的文件不能读取. It is too large, a link out of the folder, or held by another program."""

    code = "working-file-refused"

    def __init__(self, *, path: str) -> None:
        super().__init__(
            T("文件 {path} 不能读取。", path=path),
            hint=T("检查是否被其他程序占用、是否为快捷方式，或大于 50 MB。"),
            where=path,
        )


class WorkingFiles:
    """工作目录. Implements the port `LibraryFiles` on the folder; never leaves it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def revision(self) -> str:
        """Return a name for the folder's present content; what was read counts for one check only."""
        return "working"

    def read(self, path: str) -> bytes | None:
        """Return the file's bytes, None when there is none.

        Raises:
            WorkingFileError: it is no plain file of this folder, or too large.
        """
        target = self._folder / check_path(path)
        try:
            if not target.exists():
                return None
            if self._has_link(target) or not target.is_file() or target.stat().st_size > LARGEST:
                raise WorkingFileError(path=path)
            return target.read_bytes()
        except OSError as exc:
            raise WorkingFileError(path=path) from exc

    def _has_link(self, target: Path) -> bool:
        """Tell whether a link would lead to another file than the path says, in this folder or out of it."""
        above = [item for item in target.parents if item.is_relative_to(self._folder) and item != self._folder]
        return any(item.is_symlink() for item in (target, *above)) or not (
            target.resolve().is_relative_to(self._folder)
        )

    def folders(self, path: str) -> list[str]:
        """Return the names directly below folder `path` that are folders with a file in them, sorted."""
        target = self._folder / check_path(path)
        if not target.is_dir():
            return []
        return sorted(item.name for item in target.iterdir() if item.is_dir() and _holds_a_file(item))

    def files(self, path: str) -> list[str]:
        """Return the paths of all files below folder `path`, sorted."""
        target = self._folder / check_path(path)
        if not target.is_dir():
            return []
        found = (item for item in target.rglob("*") if item.is_file())
        return sorted(item.relative_to(self._folder).as_posix() for item in found)


def _holds_a_file(folder: Path) -> bool:
    """Tell whether there is anything in a folder: what is approved has no empty ones."""
    return any(item.is_file() for item in folder.rglob("*"))
