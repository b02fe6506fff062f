"""排序暂存. Sorts any number of items by time through SQLite's private temporary database.

SQLite removes that file's name as soon as it is open (on Windows when it is closed, also by a crash), so that nothing
that was shown to one person lies about afterwards.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from controller.domain.errors import MisconfiguredError
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Iterator

_BATCH = 500
_CACHE_KILOBYTES = 16_000


class TemporarySpaceError(MisconfiguredError):
    """临时空间不足. The folder for temporary files is full or cannot be written."""

    code = "temporary-space"

    def __init__(self, *, detail: str) -> None:
        super().__init__(
            T("系统临时目录无法写入（{detail}）。", detail=detail), hint=T("清理系统临时目录所在的磁盘后重试。")
        )


class SqliteSpool:
    """排序暂存. Implements `SortedSpool`."""

    def __init__(self) -> None:
        with _told():
            # An empty name: a database of its own in a temporary file that nobody else can open.
            self._database = sqlite3.connect("", isolation_level=None)
            for pragma in (
                f"cache_size = -{_CACHE_KILOBYTES}",
                "journal_mode = OFF",
                "synchronous = OFF",
                "temp_store = FILE",
            ):
                self._database.execute(f"PRAGMA {pragma}")
            self._database.execute(
                "CREATE TABLE item"
                " (instant INTEGER, chain TEXT, sequence INTEGER, place INTEGER PRIMARY KEY, data BLOB)"
            )
        self._waiting: list[tuple[int, str, int, bytes]] = []
        self._count = 0
        self._ordered = False

    def add(self, instant: int, chain: str, sequence: int, item: bytes) -> None:
        """Take one item."""
        self._waiting.append((instant, chain, sequence, item))
        self._count += 1
        if len(self._waiting) == _BATCH:
            self._store()

    def __len__(self) -> int:
        """Return how many were taken."""
        return self._count

    def items(self, *, newest_first: bool = False, most: int | None = None) -> Iterator[bytes]:
        """Yield the items in order of time."""
        self._store()
        way = "DESC" if newest_first else "ASC"
        keys = ", ".join(f"{key} {way}" for key in ("instant", "chain", "sequence", "place"))
        with _told():
            if not self._ordered:
                # Only keys are sorted; each item is then fetched by its place and never goes through the sorter.
                self._database.execute("CREATE INDEX in_time ON item (instant, chain, sequence, place)")
                self._ordered = True
            places = self._database.execute(
                f"SELECT data FROM item INDEXED BY in_time ORDER BY {keys} LIMIT ?",  # noqa: S608 - fixed words only
                (-1 if most is None else most,),
            )
            for (data,) in places:
                yield data

    def close(self) -> None:
        """Let everything go."""
        self._waiting.clear()
        self._database.close()

    def _store(self) -> None:
        if self._waiting:
            with _told():
                self._database.execute("BEGIN")
                self._database.executemany(
                    "INSERT INTO item (instant, chain, sequence, data) VALUES (?, ?, ?, ?)", self._waiting
                )
                self._database.execute("COMMIT")
            self._waiting.clear()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as exc:
        raise TemporarySpaceError(detail=str(exc)) from exc
