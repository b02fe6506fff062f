"""私密文件. Writes files that only their owner may read: whole or not at all, and there to stay (0600 in 0700).

Leaves what the bytes mean, and their encryption, to others.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from controller.adapters.git_program import NoSpaceError, sync_folder
from controller.adapters.stored_path import PathRefusedError, check_path
from controller.domain.errors import MisconfiguredError
from controller.domain.personal_key import KeyOwnerRefusedError
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 1024 * 1024
"""Largest private file that is read, in bytes."""
_PART = ".part"
_PATIENCE = 2.0
"""Seconds to wait for another program (a virus scanner) to let a file go on Windows."""
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}
_NO_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EBADF}
"""What network and memory card file systems answer that cannot sync a folder."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_PERSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


class PrivateFolderUnusableError(MisconfiguredError):
    """密钥目录不能使用. It cannot be read or written."""

    code = "private-folder-unusable"

    def __init__(self, *, path: Path, problem: Text) -> None:
        super().__init__(
            T("“{path}”不能使用：{problem}。", path=path, problem=problem),
            hint=T("请检查磁盘和该目录的权限，它应只属于当前系统用户；原有内容没有改变。"),
            where=str(path),
        )


def person_name(person: str) -> str:
    """Return `person` when it is an id that every file system can hold as part of a name.

    Raises:
        KeyOwnerRefusedError: it is not.
    """
    try:
        if _PERSON.fullmatch(person):
            return check_path(person)
    except PathRefusedError as exc:
        raise KeyOwnerRefusedError(person=person) from exc
    raise KeyOwnerRefusedError(person=person)


def private_folder(folder: Path, *, owned: bool = False) -> Path:
    """Return `folder`, made when absent, closed to everybody but the owner.

    With `owned` it must belong to this account and be no link: it may lie in a place that others write to as well.

    Raises:
        PrivateFolderUnusableError, NoSpaceError: it cannot be made, or belongs to somebody else.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if sys.platform != "win32":
            found = folder.lstat()
            if owned and (not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid()):
                raise PrivateFolderUnusableError(path=folder, problem=T("它不属于当前系统用户"))
            if stat.S_IMODE(found.st_mode) & 0o077:
                with suppress(PermissionError):
                    folder.chmod(0o700)
    except OSError as exc:
        raise unusable(folder, exc) from exc
    return folder


def write_private(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Put `data` at `path` in one step; whatever happens, the file is the old or the new one.

    `durable` false spares the wait for the disk, for what a restart ends anyway.

    Raises:
        PrivateFolderUnusableError, NoSpaceError: nothing was changed.
    """
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(6)}{_PART}")
    try:
        try:
            _write_new(unfinished, data, durable=durable)
            _replace(unfinished, path)
        finally:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
        if durable:
            _sync(path.parent)
    except OSError as exc:
        raise unusable(path, exc) from exc


def read_private(path: Path) -> bytes | None:
    """Return the file's bytes, None when there is none; one that is no plain file, or too large, reads as empty.

    Raises:
        PrivateFolderUnusableError: it is there and cannot be read.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return b""
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as exc:
        raise unusable(path, exc) from exc
    return data if len(data) <= LARGEST else b""


def remove_private(path: Path) -> None:
    """Take the file away for good; nothing happens when there is none."""
    try:
        path.unlink(missing_ok=True)
        if path.parent.is_dir():
            _sync(path.parent)
    except OSError as exc:
        raise unusable(path, exc) from exc


def sweep(*paths: Path) -> None:
    """Remove what killed programs left half-written of these files; call it while no other program writes them."""
    for path in paths:
        begin = f".{path.name}."
        with suppress(OSError):
            for left in path.parent.glob(f".*{_PART}"):
                if left.name.startswith(begin):
                    left.unlink(missing_ok=True)


def unusable(path: Path, exc: OSError) -> NoSpaceError | PrivateFolderUnusableError:
    """Return the error that a refusal of the operating system stands for."""
    if exc.errno in _FULL:
        return NoSpaceError(where=str(path))
    if exc.errno in _DENIED:
        return PrivateFolderUnusableError(path=path, problem=T("没有权限"))
    return PrivateFolderUnusableError(path=path, problem=T("系统提示 {detail}", detail=exc.strerror or str(exc)))


def _write_new(path: Path, data: bytes, *, durable: bool) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        if durable:
            file.flush()
            os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    try:
        sync_folder(folder)
    except OSError as exc:
        if exc.errno not in _NO_SYNC:
            raise


def _replace(unfinished: Path, path: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            unfinished.replace(path)
        except PermissionError:
            if sys.platform != "win32" or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
