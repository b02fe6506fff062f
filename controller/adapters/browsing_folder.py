"""浏览文件夹. Writes the browsing copy to a folder that is recognisably ours, replacing only what we made."""

from __future__ import annotations

import os
import shutil
import stat
import uuid
from typing import TYPE_CHECKING

from controller.domain.errors import RefusedError
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MARKER = "此文件夹由文控生成,只供浏览.txt"


class ForeignFolderError(RefusedError):
    """不是浏览副本. The folder holds something that the program did not make."""

    code = "folder-foreign"

    def __init__(self, *, folder: Path) -> None:
        super().__init__(
            T("“{folder}”里有别的内容，没有改动它。", folder=folder), hint=T("用 --out 指定一个新的文件夹。")
        )


class BrowsingNotWrittenError(RefusedError):
    """浏览副本没有写成. The disk refused; the earlier copy is untouched."""

    code = "browsing-not-written"

    def __init__(self, *, folder: Path, reason: OSError) -> None:
        super().__init__(
            T("不能写出浏览副本“{folder}”：{reason}", folder=folder, reason=reason.strerror or str(reason)),
            hint=T("检查磁盘空间和目录权限；原有的副本没有改动。"),
        )


def write_browsing_copy(folder: Path, files: Iterable[tuple[str, bytes]]) -> int:
    """Write `files` below `folder`, replacing an earlier copy whole; return how many were written.

    Raises:
        ForeignFolderError: the folder exists and is not an earlier copy.
        BrowsingNotWrittenError: the disk refused.
    """
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / MARKER).is_file())):
        raise ForeignFolderError(folder=folder)
    fresh = folder.parent / f".wenkong-browse-{uuid.uuid4().hex[:12]}"
    count = 0
    try:
        fresh.mkdir(parents=True)
        (fresh / MARKER).write_text("需要最新内容时,重新运行 qms record browse。\n", encoding="utf-8")
        for name, data in files:
            path = fresh / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            path.chmod(stat.S_IRUSR | stat.S_IRGRP)
            count += 1
        if folder.exists():
            _remove(folder)
        fresh.rename(folder)
    except OSError as exc:
        raise BrowsingNotWrittenError(folder=folder, reason=exc) from exc
    finally:
        if fresh.exists():
            _remove(fresh)
    return count


def _remove(folder: Path) -> None:
    for root, _folders, names in os.walk(folder):
        for name in names:
            os.chmod(os.path.join(root, name), stat.S_IRUSR | stat.S_IWUSR)  # noqa: PTH101, PTH118 - Windows refuses to delete read-only files
    shutil.rmtree(folder)
