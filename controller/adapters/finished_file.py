"""完整的文件. Writes a file beside its place and puts it there only when it is whole."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from controller.domain.errors import MisconfiguredError, RefusedError
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class FileExistsRefusedError(RefusedError):
    """文件已存在. A file of that name is there and nobody said that it may be replaced."""

    code = "file-exists"

    def __init__(self, *, path: Path) -> None:
        super().__init__(
            T("文件“{path}”已存在，没有改动。", path=path), hint=T("换一个文件名，或加 --force 覆盖。"), where=str(path)
        )


class FileUnwritableError(MisconfiguredError):
    """文件无法写入. No permission, no space, or the folder is not there."""

    code = "file-unwritable"

    def __init__(self, *, path: Path, detail: str) -> None:
        super().__init__(
            T("无法写入“{path}”（{detail}）。", path=path, detail=detail),
            hint=T("检查文件夹是否存在、磁盘空间和权限；文件若在 Excel 或 Word 中打开，请先关闭。"),
            where=str(path),
        )


@contextmanager
def finished_file(path: Path) -> Iterator[Path]:
    """Give the place to write to; on success it becomes `path`, on any failure nothing is left.

    Raises:
        FileUnwritableError: writing failed.
    """
    unfinished = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield unfinished
        unfinished.replace(path)
    except OSError as exc:
        raise FileUnwritableError(path=path, detail=exc.strerror or str(exc)) from exc
    finally:
        # When this fails too, the failure that matters is on its way already.
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
