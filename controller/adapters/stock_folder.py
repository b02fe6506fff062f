"""导出目录. Writes an export beside its place, and moves it there when all of it is written."""

from __future__ import annotations

import shutil
import uuid
from contextlib import ExitStack, contextmanager, suppress
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, BinaryIO

from controller.adapters.finished_file import FileUnwritableError
from controller.adapters.stored_path import PathRefusedError, check_path
from controller.domain.errors import RefusedError
from controller.domain.identifiers import Digest
from controller.domain.text import T
from controller.services.stock_export import CHANGED_FOLDER, DAMAGE_FILE, SUMS_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from hashlib import _Hash
    from pathlib import Path

_EXPLANATION = "怎样核对.txt"
_TOOLS = ("verify.sh", "verify.ps1", _EXPLANATION)
_WARNING = f"""\
！！！　注意：导出时档案已有 {{damage}} 处不符，不能当作完好的档案　！！！

哪里不符，逐条写在 {DAMAGE_FILE} 中。archive 中是每个文件最初归档的内容，后来换上的内容在 {CHANGED_FOLDER} 中。
脚本仍可运行，第 1 步会指出这份清单。请查明是谁、何时、为什么改动，并要求企业出示备份。

----------------------------------------------------------------------

"""
_BOM = b"\xef\xbb\xbf"
_LONGEST_NAME = 255
"""Bytes of a name that usual disks take; git takes more."""


class ExportFolderNotEmptyError(RefusedError):
    """导出目录不是空的. An export never mixes with something else."""

    code = "export-folder-not-empty"

    def __init__(self, *, folder: Path) -> None:
        super().__init__(
            T("“{folder}”已存在，里面有内容，没有导出。", folder=folder),
            hint=T("请换一个新的文件夹名称。"),
            where=str(folder),
        )


class StockFolderWriter:
    """导出目录的写入. Implements `StockFolder`; keeps digests in a file, so that memory does not grow."""

    def __init__(self, folder: Path, sums: BinaryIO) -> None:
        self._folder = folder
        self._sums = sums
        self._digest = sha256()
        self._growing: dict[str, tuple[BinaryIO, _Hash]] = {}
        self._closing = ExitStack()

    def add(self, path: str, data: bytes) -> None:
        """Write one whole file."""
        place = self._place(path)
        with place.open("xb") as file:
            file.write(data)
        self._listed(path, sha256(data).hexdigest())

    def holds(self, path: str) -> bool:
        """Tell whether the name is taken: by a file, or because one of its folders is a file."""
        place = self._folder / path
        with suppress(OSError):  # a name that no disk takes is refused when it is added
            return place.exists() or any(folder.is_file() for folder in place.parents)
        return False

    def line(self, path: str, text: str) -> None:
        """Append to a text file."""
        if path not in self._growing:
            self._growing[path] = (self._closing.enter_context(self._place(path).open("xb")), sha256())
        file, digest = self._growing[path]
        data = text.encode("utf-8", "surrogateescape")
        file.write(data)
        digest.update(data)

    def finish(self) -> Digest:
        """Close everything and write what is still missing in `SHA256SUMS`."""
        self.close()
        for path, (_, digest) in self._growing.items():
            self._listed(path, digest.hexdigest())
        self._sums.flush()
        return Digest("sha256:" + self._digest.hexdigest())

    def close(self) -> None:
        """Close the text files."""
        self._closing.close()

    def _place(self, path: str) -> Path:
        if any(len(name.encode("utf-8", "surrogateescape")) > _LONGEST_NAME for name in path.split("/")):
            raise PathRefusedError(path=path, problem=T("名称超过 {limit} 个字节", limit=_LONGEST_NAME))
        place = self._folder / check_path(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def _listed(self, path: str, digest: str) -> None:
        line = f"{digest}  {path}\n".encode()
        self._sums.write(line)
        self._digest.update(line)


@contextmanager
def new_stock_folder(folder: Path) -> Iterator[StockFolderWriter]:
    """Give a writer; when the block succeeds, `folder` is there, whole; otherwise nothing is left.

    Raises:
        ExportFolderNotEmptyError: there is something at `folder` already.
        FileUnwritableError: the disk refused.
    """
    fresh = folder.parent / f".wenkong-export-{uuid.uuid4().hex[:12]}"
    try:
        if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
            raise ExportFolderNotEmptyError(folder=folder)
        fresh.mkdir(parents=True)
        with (fresh / SUMS_FILE).open("xb") as sums:
            writer = StockFolderWriter(fresh, sums)
            try:
                yield writer
            finally:
                writer.close()
        if folder.exists():
            folder.rmdir()
        fresh.rename(folder)
    except OSError as exc:
        raise FileUnwritableError(path=folder, detail=exc.strerror or str(exc)) from exc
    finally:
        # When this fails too, the failure that matters is on its way already.
        with suppress(OSError):
            if fresh.exists():
                shutil.rmtree(fresh)


def stock_tools(damage: int = 0) -> dict[str, bytes]:
    """Return the scripts and the explanation that go with every export, as other systems expect them.

    Where `damage` things are wrong with the archive, the explanation begins with that.
    """
    folder = files("controller.adapters") / "stock_tools"
    tools = {name: (folder / name).read_bytes() for name in _TOOLS}
    if damage:
        tools[_EXPLANATION] = _WARNING.format(damage=damage).encode() + tools[_EXPLANATION].removeprefix(_BOM)
    for name in _TOOLS[1:]:
        # Windows PowerShell 5.1 and Notepad take a file without the mark for the local code page.
        tools[name] = _BOM + tools[name].removeprefix(_BOM).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return tools
