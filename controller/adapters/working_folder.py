"""工作目录的写入. Writes working files into the workspace folder, whole or not at all."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from controller.adapters.stored_path import check_path
from controller.adapters.working_files import WorkingFileError

if TYPE_CHECKING:
    from pathlib import Path


class WorkingFolder:
    """工作目录. Implements the ports `LibraryWriter` and `LibraryFolder`; never leaves the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def write(self, path: str, data: bytes) -> None:
        """Write the file, replacing an older one in one step.

        Raises:
            WorkingFileError: the place is outside the folder, or the file is held by another program.
        """
        target = self._target(path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            fresh = target.with_name(f".new-{target.name}")
            fresh.unlink(missing_ok=True)
            with fresh.open("xb") as stream:
                stream.write(data)
            fresh.replace(target)
        except OSError as exc:
            raise WorkingFileError(path=path) from exc

    def remove(self, path: str) -> None:
        """Take the file away, and its folder when nothing is left in it; nothing happens when there is none.

        Raises:
            WorkingFileError: the place is outside the folder, or the file is held by another program.
        """
        target = self._target(path)
        try:
            target.unlink(missing_ok=True)
        except OSError as exc:
            raise WorkingFileError(path=path) from exc
        with contextlib.suppress(OSError):  # something is left in it, or another program looks at it
            if target.parent.parent != self._folder:
                target.parent.rmdir()

    def _target(self, path: str) -> Path:
        target = self._folder / check_path(path)
        if not target.parent.resolve().is_relative_to(self._folder) or target.is_symlink():
            raise WorkingFileError(path=path)
        return target
