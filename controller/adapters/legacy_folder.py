"""旧文件夹. Walks a folder that somebody made over the years, without leaving it and without following links."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from controller.adapters.stored_path import check_path
from controller.domain.errors import NotFoundError, RefusedError
from controller.domain.text import T
from controller.services.legacy_ports import LegacyFile
from controller.services.text_reading import FileTooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_FILES = 2_000
"""Files that one folder may hold, below it included."""
DEEPEST = 12


class LegacyFolderTooLargeError(RefusedError):
    """文件夹太大. More files than any set of procedures."""

    code = "legacy-folder-too-large"

    def __init__(self, *, folder: str) -> None:
        super().__init__(
            T("文件夹“{folder}”里超过 {limit} 个文件。", folder=folder, limit=MOST_FILES),
            hint=T("只放入体系文件，分几个文件夹分次导入。"),
        )


class LegacyFileMissingError(NotFoundError):
    """找不到旧文件. It is not in the folder, or not as a plain file."""

    code = "legacy-file-missing"

    def __init__(self, *, path: str) -> None:
        super().__init__(
            T("文件夹里没有“{path}”，或不能读取。", path=path[:200]), hint=T("检查文件名，以及文件是否被其他程序占用。")
        )


class FolderOfFiles:
    """一个文件夹. Implements the port `LegacyFolder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    @property
    def name(self) -> str:
        """What the folder is called."""
        return self._folder.name

    def files(self) -> list[LegacyFile]:
        """Return every file, in order of path; lock files of Office and what systems leave behind are no files.

        Raises:
            LegacyFolderTooLargeError: there are too many.
        """
        found: list[LegacyFile] = []
        for file in self._walk():
            if len(found) == MOST_FILES:
                raise LegacyFolderTooLargeError(folder=self.name)
            found.append(file)
        return sorted(found, key=lambda item: item.path)

    def _walk(self) -> Iterator[LegacyFile]:
        waiting = [(self._folder, 0)]
        while waiting:
            folder, depth = waiting.pop()
            try:
                entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
            except OSError:
                yield LegacyFile(self._told(folder), T("文件夹不能读取"), T("检查访问权限。"))
                continue
            for entry in entries:
                path = folder / entry.name
                name = self._told(path)
                if entry.is_symlink() or not (entry.is_dir() or entry.is_file()):
                    yield LegacyFile(name, T("是链接，没有跟随"), T("把文件本身复制到文件夹里。"))
                elif entry.is_dir():
                    if depth == DEEPEST:
                        yield LegacyFile(name, T("文件夹嵌套超过 {limit} 层，没有读入", limit=DEEPEST))
                    elif not entry.name.startswith("."):
                        waiting.append((path, depth + 1))
                elif not _left_behind(entry.name):
                    yield self._file(name)

    def _told(self, path: Path) -> str:
        """Return a path inside the folder; what no text can hold is replaced."""
        inside = path.relative_to(self._folder).as_posix() or "."
        return inside.encode("utf-8", "replace").decode("utf-8")

    def _file(self, name: str) -> LegacyFile:
        try:
            check_path(name)
        except RefusedError as exc:
            return LegacyFile(name, exc.message, exc.hint)
        return LegacyFile(name)

    def read(self, path: str, *, limit: int) -> bytes:
        """Return a file's bytes.

        Raises:
            PathRefusedError: the path leads out of the folder or cannot be one.
            LegacyFileMissingError: it is not there, a link, or cannot be read.
            FileTooLargeError: it is larger than `limit`.
        """
        target = self._folder / check_path(path)
        try:
            if target.resolve() != target or not target.is_file():
                raise LegacyFileMissingError(path=path)
            with target.open("rb") as file:
                data = file.read(limit + 1)
        except OSError as exc:
            raise LegacyFileMissingError(path=path) from exc
        if len(data) > limit:
            raise FileTooLargeError(name=path, limit=limit)
        return data


def _left_behind(name: str) -> bool:
    """Tell whether a file is none of the person's: a lock file (`~$…`, `.~lock…`) or one that the system keeps."""
    return name.startswith(("~$", ".", "~WRL")) or name.lower() in {"thumbs.db", "desktop.ini"} or name.endswith(".tmp")
