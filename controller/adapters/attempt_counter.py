"""登录失败计数. Failed attempts of each person, outside the workspace; `AttemptCounter` (21 CFR 11.300 d).

What it can and cannot do: it stops guessing through this program, by however many processes. Somebody who may write to
the account's files can delete a counter, or copy the key file and guess elsewhere without any counter; against that
stand the rounds between passphrase and key. The failed attempts themselves stay in the audit trail of the archive,
whatever becomes of the counter. A counter that is there but cannot be understood counts as many failures at the time
its file was changed last, so that damaging it opens nothing.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from controller.adapters.private_file import (
    person_name,
    private_folder,
    read_private,
    remove_private,
    sweep,
    unusable,
    write_private,
)
from controller.adapters.workspace_lock import WorkspaceLock
from controller.services.signing_ports import FailedAttempts

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

_SUFFIX = ".attempts.json"
_FORMAT = "wenkong/attempts/1"
_PATIENCE = 30.0
UNKNOWN = 1000
"""Failures that a damaged counter stands for."""


class FileAttemptCounter:
    """登录失败计数. One small file a person in `folder`; written through to the disk before the answer is given."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def failures(self, person: str) -> FailedAttempts:
        """Return the failed attempts since the last success.

        Raises:
            KeyOwnerRefusedError: `person` is no id that can name a file.
            PrivateFolderUnusableError: the counter is there and cannot be read.
        """
        path = self._path(person)
        data = read_private(path)
        if data is None:
            return FailedAttempts(0, "")
        found = _understood(data)
        if found is not None:
            return found
        try:
            changed = datetime.fromtimestamp(path.lstat().st_mtime, UTC)
        except OSError as exc:
            raise unusable(path, exc) from exc
        return FailedAttempts(UNKNOWN, changed.isoformat(timespec="seconds"))

    def note(self, person: str, *, at: datetime) -> FailedAttempts:
        """Count one more; returns only when it is on the disk.

        Raises:
            KeyOwnerRefusedError, PrivateFolderUnusableError, NoSpaceError: it was not counted.
        """
        path = self._path(person)
        with self._writing():
            sweep(path)
            counted = FailedAttempts(self.failures(person).count + 1, at.isoformat(timespec="seconds"))
            content = {"format": _FORMAT, "count": counted.count, "last_at": counted.last_at}
            write_private(path, json.dumps(content).encode("ascii"))
        return counted

    def clear(self, person: str) -> None:
        """Begin at nothing again."""
        path = self._path(person)
        if not self._folder.is_dir() or read_private(path) is None:
            return
        with self._writing():
            remove_private(path)

    def _writing(self) -> AbstractContextManager[None]:
        return WorkspaceLock(private_folder(self._folder))("attempts", _PATIENCE)

    def _path(self, person: str) -> Path:
        # Ids that differ in case only share a file on Windows and macOS: there they share the count.
        return self._folder / f"{person_name(person)}{_SUFFIX}"


def _understood(data: bytes) -> FailedAttempts | None:
    try:
        content = json.loads(data)
        if content["format"] == _FORMAT and type(content["count"]) is int and content["count"] > 0:
            datetime.fromisoformat(content["last_at"])
            return FailedAttempts(content["count"], content["last_at"])
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    return None
