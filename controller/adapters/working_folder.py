"""工作目录的写入. Writes working files into the workspace folder, whole or not at all."""

from __future__ import annotations

import tempfile
from pathlib import Path

from controller.adapters.stored_path import check_path
from controller.adapters.working_files import WorkingFileError


class WorkingFolder:
    """工作目录. Implements the port `LibraryWriter`; never leaves the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def write(self, path: str, data: bytes) -> None:
        """Write the file, replacing an older one in one step.

        Raises:
            WorkingFileError: the place is outside the folder, or the file is held by another program.
        """
        target = self._folder / check_path(path)
        if not target.parent.resolve().is_relative_to(self._folder) or target.is_symlink():
            raise WorkingFileError(path=path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".new-", delete=False) as stream:
                stream.write(data)
            Path(stream.name).replace(target)
        except OSError as exc:
            raise WorkingFileError(path=path) from exc
