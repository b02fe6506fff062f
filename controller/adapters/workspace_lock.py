"""工作区锁. Locks between processes that the operating system releases when their holder dies, however it dies."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
from typing import TYPE_CHECKING

from controller.adapters.git_program import NoSpaceError, StorageDeniedError
from controller.domain.errors import RefusedError
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PAUSE = 0.004
_LONGEST_PAUSE = 0.05


class WorkspaceBusyError(RefusedError):
    """工作区正被占用. Another program writes to the workspace and did not finish in time."""

    code = "workspace-busy"

    def __init__(self, *, seconds: float) -> None:
        super().__init__(
            T("工作区正被另一个程序使用，等了 {seconds} 秒仍未空出。", seconds=f"{seconds:g}"),
            hint=T("请等另一个程序（如批量导入）结束后重试；没有改动任何内容。"),
        )


class WorkspaceLock:
    """工作区锁. Implements `FileLockFactory`: one file per name in `folder`, which is made when needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextlib.contextmanager
    def __call__(self, name: str, timeout: float) -> Iterator[None]:
        """Hold the lock `name`; not reentrant, also not between threads.

        Raises:
            WorkspaceBusyError: it was not free within `timeout` seconds.
            StorageDeniedError, NoSpaceError: the workspace cannot be written, so that nothing in it can be changed.
        """
        handle = self._opened(self._folder / f"{name}.lock")
        try:
            _wait(handle, timeout)
            try:
                yield
            finally:
                _unlock(handle)
        finally:
            os.close(handle)

    def _opened(self, path: Path) -> int:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            return os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
        except OSError as exc:
            if exc.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise NoSpaceError(where=str(path)) from exc
            raise StorageDeniedError(where=str(self._folder), detail=exc.strerror or str(exc)) from exc


def _wait(handle: int, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    pause = _PAUSE
    while not _lock(handle):
        if time.monotonic() >= deadline:
            raise WorkspaceBusyError(seconds=timeout)
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> bool:
        try:
            os.lseek(handle, 0, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(handle: int) -> None:
        os.lseek(handle, 0, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _unlock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)
