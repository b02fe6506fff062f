"""索引中的记录头. Reads the disposable search index beside everything else, without repairing or making it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from controller.domain.errors import DamagedError
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


_BUSY = {
    sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN,
}  # fmt: skip
"""Nothing is wrong with the index; it just cannot be read now."""


class _NotNow(Exception):  # noqa: N818 - a signal inside this module, never an error anybody sees
    pass


class SearchIndexUnreadableError(DamagedError):
    """检索索引读不出来. Disposable: `qms index rebuild` makes it anew."""

    code = "search-index-unreadable"

    def __init__(self, *, where: str) -> None:
        super().__init__(T("检索索引读不出来。"), hint=T("运行 qms index rebuild 重建索引。"), where=where)


class SqliteIndexHeads:
    """索引中的记录头. Implements `IndexedHeads` on the file of the index."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def heads(self, tip: str) -> Iterator[tuple[str, str]] | None:
        """Yield record number and digest of the last entry; None when there is no index or it is elsewhere.

        Raises:
            SearchIndexUnreadableError: the file is damaged.
        """
        if not self._path.is_file():
            return None
        try:
            at = [row[0] for row in self._rows("SELECT value FROM meta WHERE key = 'archive_commit'")]
        except _NotNow:
            return None
        if at != [tip]:
            return None
        return self._heads()

    def _heads(self) -> Iterator[tuple[str, str]]:
        for number, head in self._rows("SELECT number, json_extract(state, '$.head') FROM record"):
            yield str(number), str(head)

    def _rows(self, sql: str) -> Iterator[tuple[object, ...]]:
        try:
            with closing(sqlite3.connect(f"{self._path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
                yield from connection.execute(sql)
        except (sqlite3.Error, ValueError) as exc:
            if getattr(exc, "sqlite_errorcode", None) in _BUSY:
                raise _NotNow from exc
            raise SearchIndexUnreadableError(where=str(self._path)) from exc
