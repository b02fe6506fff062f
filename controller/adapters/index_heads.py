"""索引中的记录头. Reads the disposable search index beside everything else, without repairing or making it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from controller.domain.errors import DamagedError, QmsError
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COMPARED_UP_TO = 2_000
"""Records up to which the whole index is compared; making it anew takes about half a millisecond for each."""
_COLUMNS = "state, form, year, serial, opened_at, voided, title, subject, stage_label, text"

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

    def __init__(self, path: Path, *, fresh: Callable[[Path], object] | None = None) -> None:
        """`fresh` makes the index anew in a given file; a small index is compared with that, word for word."""
        self._path = path
        self._fresh = fresh

    def heads(self, tip: str) -> Iterator[tuple[str, str]] | None:
        """Yield record number and digest of the last entry; None when there is no index or it is elsewhere.

        Raises:
            SearchIndexUnreadableError: the file is damaged.
        """
        if not self._path.is_file():
            return None
        try:
            at = [row[0] for row in self._rows("SELECT value FROM meta WHERE key = 'archive_commit'")]
            self._compare(whole=at == [tip])
        except _NotNow:
            return None
        if at != [tip]:
            return None
        return self._heads()

    def _compare(self, *, whole: bool) -> None:
        """Compare a small index with one made anew.

        Unless it should be the `whole`, records that went on since are left out: they are replaced at the next use.
        """
        count = int(str(next(self._rows("SELECT COUNT(*) FROM record"))[0]))
        if self._fresh is None or count > COMPARED_UP_TO:
            return
        if [row[0] for row in self._rows("PRAGMA integrity_check")] != ["ok"]:
            raise SearchIndexUnreadableError(where=str(self._path))
        with TemporaryDirectory(prefix="qms-index-") as folder:
            anew = Path(folder) / self._path.name
            try:
                self._fresh(anew)
            except QmsError:
                return  # the archive is damaged, which is told elsewhere
            right, words = SqliteIndexHeads(anew).contents(), SqliteIndexHeads(anew).words()
        if whole and words != self.words():
            raise SearchIndexUnreadableError(where=str(self._path))
        for number, (entries, content) in self.contents().items():
            if number not in right or (right[number][0] == entries and right[number][1] != content):
                raise SearchIndexUnreadableError(where=str(self._path))

    def words(self) -> list[tuple[object, ...]]:
        """Return every word that can be searched for, with how often and in how many records it stands."""
        view = "CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab('main', 'words', 'row')"
        return list(self._rows("SELECT term, doc, cnt FROM temp.vocabulary ORDER BY term", before=view))

    def contents(self) -> dict[str, tuple[object, object]]:
        """Return what the index says of each record: number of entries, and everything."""
        found: dict[str, tuple[object, object]] = {}
        references: dict[object, list[object]] = {}
        for source, *rest in self._rows("SELECT source, field, target FROM reference ORDER BY source, field, target"):
            references.setdefault(source, []).append(rest)
        for number, entries, state, *rest in self._rows(f"SELECT number, entries, {_COLUMNS} FROM record"):  # noqa: S608 - fixed
            found[str(number)] = (entries, (state, rest, references.get(number)))
        return found

    def _heads(self) -> Iterator[tuple[str, str]]:
        for number, head in self._rows("SELECT number, json_extract(state, '$.head') FROM record"):
            yield str(number), str(head)

    def _rows(self, sql: str, *, before: str = "") -> Iterator[tuple[object, ...]]:
        try:
            with closing(sqlite3.connect(f"{self._path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
                if before:
                    connection.execute(before)
                yield from connection.execute(sql)
        except (sqlite3.Error, ValueError) as exc:
            if getattr(exc, "sqlite_errorcode", None) in _BUSY:
                raise _NotNow from exc
            raise SearchIndexUnreadableError(where=str(self._path)) from exc
