"""记录密钥库. One random key per record with sensitive values, in SQLite, outside Git and the workspace.

Destroying a key is how sensitive values are disposed of: their sealed bytes stay in the archive and are unreadable for
good. A destroyed number is remembered, so that its key is never made again.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
import threading
from typing import TYPE_CHECKING

from controller.adapters.git_program import NoSpaceError
from controller.domain.errors import DamagedError, MisconfiguredError, RefusedError
from controller.domain.text import T
from controller.file_formats.sealed_file import KEY_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from controller.domain.identifiers import RecordNumber

FILE = "record-keys.sqlite"
_FORMAT = 1
_PATIENCE = 60.0
_AT_ONCE = 500


class KeyStoreDamagedError(DamagedError):
    """密钥库损坏. The key file cannot be read."""

    code = "key-store-damaged"

    def __init__(self, *, path: Path, detail: str) -> None:
        super().__init__(
            T("记录密钥库“{path}”读不出来（{detail}）。", path=path, detail=detail),
            hint=T("请从密钥备份恢复该文件；没有密钥，已封存的内容无法解开。"),
            where=str(path),
        )


class KeyStoreUnavailableError(MisconfiguredError):
    """密钥库不能使用. Its folder cannot be written, or the disk is full."""

    code = "key-store-unavailable"

    def __init__(self, *, path: Path, detail: str) -> None:
        super().__init__(
            T("记录密钥库“{path}”不能写入（{detail}）。", path=path, detail=detail),
            hint=T("请检查磁盘空间和该目录的权限；没有改动任何内容。"),
            where=str(path),
        )


class KeyDestroyedError(RefusedError):
    """密钥已销毁. The record's sensitive values were disposed of; nothing can be sealed for it any more."""

    code = "record-key-destroyed"

    def __init__(self, *, number: RecordNumber) -> None:
        super().__init__(
            T("记录 {number} 的封存密钥已销毁，不能再写入敏感内容。", number=number),
            hint=T("需要时另立一份新记录，并引用本编号。"),
            where=number.text,
        )


class SqliteRecordKeys:
    """记录密钥库. Implements `RecordKeys`; any number of processes may use it at once."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let the file go."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def create(self, numbers: Sequence[RecordNumber]) -> Mapping[RecordNumber, bytes]:
        """Make and durably store a key for each record, keeping one that is already there.

        Raises:
            KeyDestroyedError: a key of these was destroyed; none was made.
            NoSpaceError, KeyStoreUnavailableError, KeyStoreDamagedError: the file cannot be used; none was made.
        """
        fresh = [(number.text, secrets.token_bytes(KEY_SIZE)) for number in numbers]
        with self._using() as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT OR IGNORE INTO record_key (number, key) VALUES (?, ?)", fresh)
            found = {number: self._stored(connection, number) for number in numbers}
            for number, key in found.items():
                if key is None:
                    raise KeyDestroyedError(number=number)
        return {number: key for number, key in found.items() if key is not None}

    def present(self) -> bool:
        """Tell whether this computer has a key store of the workspace at all."""
        return self.path.exists()

    def get(self, number: RecordNumber) -> bytes | None:
        """Return the record's key, None when it was never made or has been destroyed."""
        if self._connection is None and not self.path.exists():
            return None
        with self._using() as connection:
            return self._stored(connection, number)

    def destroy(self, number: RecordNumber) -> None:
        """Erase the key: the sealed values can never be read again (disposal). Erasing twice is no error.

        Raises:
            KeyStoreUnavailableError: another process reads without end, so that traces may remain; erase again.
        """
        with self._using() as connection:
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("INSERT OR IGNORE INTO record_key (number, key) VALUES (?, NULL)", (number.text,))
                connection.execute("UPDATE record_key SET key = NULL WHERE number = ?", (number.text,))
            # The log still holds the page with the key: write it back, empty the log, and overwrite freed pages.
            busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            raise KeyStoreUnavailableError(path=self.path, detail="wal")

    @staticmethod
    def _stored(connection: sqlite3.Connection, number: RecordNumber) -> bytes | None:
        row = connection.execute("SELECT key FROM record_key WHERE number = ?", (number.text,)).fetchone()
        return bytes(row[0]) if row and row[0] is not None else None

    @contextlib.contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._open()
                yield self._connection
            except sqlite3.OperationalError as exc:
                if exc.sqlite_errorcode == sqlite3.SQLITE_FULL:
                    raise NoSpaceError(where=str(self.path)) from exc
                raise KeyStoreUnavailableError(path=self.path, detail=str(exc)) from exc
            except OSError as exc:
                raise KeyStoreUnavailableError(path=self.path, detail=exc.strerror or str(exc)) from exc
            except sqlite3.DatabaseError as exc:
                raise KeyStoreDamagedError(path=self.path, detail=str(exc)) from exc

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The file exists with its mode before SQLite writes a key into it; its log takes the mode from it.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            version: int = connection.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS record_key (number TEXT PRIMARY KEY, key BLOB) WITHOUT ROWID"
                )
                connection.execute(f"PRAGMA user_version = {_FORMAT}")
        except BaseException:
            connection.close()
            raise
        if version not in {0, _FORMAT}:
            connection.close()
            raise KeyStoreDamagedError(path=self.path, detail=f"format {version}")
        return connection
