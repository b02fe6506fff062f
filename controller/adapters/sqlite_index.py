"""记录索引(SQLite). `.qms/index.sqlite`: record states and full-text search, derived from the archive and disposable.

Chinese is indexed character by character and asked for as phrases; hits come newest first by row id, because ranking
a hundred thousand hits costs more than finding them. A file that is damaged, older than this program or from another
workspace is put aside without a word: `services.indexing` fills it again. Holds what it is given: open values only.
"""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
import zlib
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from controller.domain.errors import DamagedError, MisconfiguredError
from controller.domain.identifiers import Digest, DocumentNumber, RecordNumber, Revision
from controller.domain.record import Attachment, FormBinding, RecordState, SealedValue, Signatory
from controller.domain.search_text import SearchWord, excerpt, search_words, tokens
from controller.domain.serial_completeness import GivenNumber
from controller.domain.text import T
from controller.services.index_ports import FormUse, IndexedRecord, IndexStatus, SearchHit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

SCHEMA_VERSION = "1"
_BATCH = 1000
"""Records written at a time: full-text rows must arrive in row-id order, or each opens a segment of its own."""
_DAMAGED_CODES = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_UNWRITABLE_CODES = {
    sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN,
}  # fmt: skip
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE record (
    id INTEGER PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    form TEXT NOT NULL,
    year INTEGER NOT NULL,
    serial INTEGER NOT NULL,
    opened_at TEXT NOT NULL,
    voided INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    title TEXT NOT NULL,
    subject TEXT NOT NULL,
    stage_label TEXT NOT NULL,
    state TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX record_by_number ON record (form, year, serial, number, voided, opened_at);
CREATE TABLE reference (
    source TEXT NOT NULL, field TEXT NOT NULL, target TEXT NOT NULL, PRIMARY KEY (source, field, target)
) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5 (text, content='', columnsize=0, tokenize='ascii');
"""


class IndexDamagedError(DamagedError):
    """索引损坏. The index file could not be read; it has been emptied and is filled again at the next command."""

    code = "index-damaged"

    def __init__(self, *, path: Path) -> None:
        super().__init__(
            T("检索索引“{path}”已损坏，已清空；档案不受影响。", path=path),
            hint=T("再执行一次，或用 qms index rebuild 重建。"),
        )


class IndexUnwritableError(MisconfiguredError):
    """索引不可写. The index cannot be opened or written: disk full, no permission, or held by another program."""

    code = "index-unwritable"

    def __init__(self, *, path: Path, detail: str) -> None:
        super().__init__(
            T("检索索引“{path}”无法写入（{detail}）；档案不受影响。", path=path, detail=detail),
            hint=T("检查磁盘空间和文件夹权限，关闭占用它的程序，再用 qms index rebuild 重建。"),
        )


class SqliteIndex:
    """SQLite 记录索引. Implements the port `RecordIndex`.

    With `elsewhere`, a workspace that can only be read gets an index in a temporary folder for as long as it is open.
    """

    def __init__(self, path: Path, *, workspace: str, elsewhere: bool = False) -> None:
        self._place = path
        self._elsewhere = elsewhere
        self._aside: tempfile.TemporaryDirectory[str] | None = None
        self._workspace = workspace
        self._open: sqlite3.Connection | None = None

    def close(self) -> None:
        """Close the file; it is opened again when needed."""
        if self._open is not None:
            self._open.close()
            self._open = None
        if self._aside is not None:
            self._aside.cleanup()
            self._aside = None

    @property
    def _path(self) -> Path:
        return Path(self._aside.name) / self._place.name if self._aside else self._place

    def archive_commit(self) -> str | None:
        """Return the archive commit the index is at, None when empty or unusable."""
        try:
            with self._guarded() as db:
                return _meta(db, "archive_commit")
        except IndexDamagedError:
            return None

    def count(self, *, at: str | None) -> int | None:
        """Return how many records there are, None unless the index is in use, at archive commit `at`, and can tell."""
        if self._open is None:
            return None
        try:
            with self._guarded() as db:
                known = at is not None and _meta(db, "archive_commit") == at
                return int(db.execute("SELECT COUNT(*) FROM record").fetchone()[0]) if known else None
        except (IndexDamagedError, IndexUnwritableError, sqlite3.Error):
            return None

    def apply(self, records: Iterable[IndexedRecord], *, commit: str, after: str | None = "*") -> bool:
        """Insert or replace these records and remember `commit`, in one transaction; False when not at `after`."""
        with self._guarded() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                if after != "*" and _meta(db, "archive_commit") != after:
                    db.execute("ROLLBACK")
                    return False
                batch: list[IndexedRecord] = []
                for record in records:
                    batch.append(record)
                    if len(batch) >= _BATCH:
                        _write(db, batch)
                        batch.clear()
                _write(db, batch)
                db.execute("INSERT OR REPLACE INTO meta VALUES ('archive_commit', ?)", (commit,))
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            return True

    def clear(self) -> None:
        """Forget everything, by making a new file."""
        self._make_new()

    def record(self, number: RecordNumber) -> RecordState | None:
        """Return one record's state."""
        with self._guarded() as db:
            row = db.execute("SELECT state FROM record WHERE number = ?", (number.text,)).fetchone()
        return _state_from(row[0]) if row else None

    def records(
        self,
        *,
        forms: Sequence[str] = (),
        opened_from: str | None = None,
        opened_to: str | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> Iterator[RecordState]:
        """Yield records of these forms (all when empty) opened in [from, to], in number order, streaming."""
        where, values = _form_filter(forms)
        if opened_from is not None:
            where.append("opened_at >= ?")
            values.append(opened_from)
        if opened_to is not None:
            where.append("opened_at <= ?")
            values.append(opened_to + "\uffff")
        order = "id DESC" if newest_first else "form, year, serial, number"
        sql = f"SELECT state FROM record{_where(where)} ORDER BY {order} LIMIT ?"  # noqa: S608 - fixed pieces only
        for (state,) in self._rows(sql, [*values, -1 if limit is None else max(0, limit)]):
            yield _state_from(state)

    def search(self, words: str, *, limit: int = 50) -> list[SearchHit]:
        """Return records that contain every word, newest first; two-character Chinese words are found."""
        wanted = search_words(words)
        if not wanted:
            return []
        query = " AND ".join(_phrase(word) for word in wanted)
        sql = """SELECT number, title, subject, opened_at,
            CASE voided WHEN 1 THEN '已作废' ELSE stage_label END, record.text
            FROM words CROSS JOIN record ON record.id = words.rowid
            WHERE words MATCH ? ORDER BY words.rowid DESC LIMIT ?"""
        return [
            SearchHit(RecordNumber(number), title, subject, opened_at, stage, excerpt(text, words))
            for number, title, subject, opened_at, stage, text in self._rows(sql, [query, max(0, limit)])
        ]

    def given_numbers(self, forms: Sequence[str] = ()) -> Iterator[GivenNumber]:
        """Yield every number in use of these forms (all when empty) by form, year and serial."""
        where, values = _form_filter(forms)
        sql = f"""SELECT number, form, year, serial, voided FROM record{_where(where)}
            ORDER BY form, year, serial, number"""  # noqa: S608 - fixed pieces only
        for number, form, year, serial, voided in self._rows(sql, values):
            yield GivenNumber(number, form, year, serial, bool(voided))

    def dangling_references(self, forms: Sequence[str] = ()) -> Iterator[tuple[str, str, str]]:
        """Yield (record, field, number) of references from records of these forms to records that do not exist."""
        where, values = _form_filter(forms)
        where.append("NOT EXISTS (SELECT 1 FROM record AS other WHERE other.number = reference.target)")
        sql = f"""SELECT source, field, target FROM reference JOIN record ON record.number = reference.source
            {_where(where)} ORDER BY source, field, target"""  # noqa: S608 - fixed pieces only
        yield from self._rows(sql, values)

    def form_use(self) -> dict[str, FormUse]:
        """Return form number → how it was used, for every form that has a record."""
        sql = """SELECT form, COUNT(*), SUM(voided), MIN(opened_at), MAX(opened_at) FROM record
            GROUP BY form ORDER BY form"""
        return {form: FormUse(*counts) for form, *counts in self._rows(sql, [])}

    def status(self) -> IndexStatus:
        """Return how far and how large the index is."""
        with self._guarded() as db:
            records, entries = db.execute("SELECT COUNT(*), COALESCE(SUM(entries), 0) FROM record").fetchone()
            pages, page_size = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
            return IndexStatus(_meta(db, "archive_commit"), records, entries, pages * page_size)

    def _rows(self, sql: str, values: Sequence[object]) -> Iterator[tuple[Any, ...]]:
        with self._guarded() as db:
            cursor = db.execute(sql, values)
        while True:
            with self._guarded():
                rows = cursor.fetchmany(500)
            if not rows:
                return
            yield from rows

    @contextmanager
    def _guarded(self) -> Iterator[sqlite3.Connection]:
        """Give the open connection, and translate what SQLite raises."""
        try:
            yield self._connection()
        except sqlite3.DatabaseError as exc:
            if _is_damage(exc):
                self._make_new()
                raise IndexDamagedError(path=self._path) from exc
            if _code(exc) in _UNWRITABLE_CODES:
                raise IndexUnwritableError(path=self._path, detail=str(exc)) from exc
            raise

    def _connection(self) -> sqlite3.Connection:
        if self._open is None:
            connection = self._connect()
            if not self._usable(connection):
                connection.close()
                self._make_new()
            else:
                self._open = connection
        assert self._open is not None
        return self._open

    def _usable(self, connection: sqlite3.Connection) -> bool:
        """Tell whether the file is ours, undamaged at first sight, and of this schema."""
        try:
            return _meta(connection, "schema") == SCHEMA_VERSION and _meta(connection, "workspace") == self._workspace
        except sqlite3.DatabaseError as exc:
            if _is_damage(exc) or "no such table" in str(exc) or "no such column" in str(exc):
                return False
            raise

    def _connect(self) -> sqlite3.Connection:
        if self._elsewhere and self._aside is None and not _writable(self._place):
            self._aside = tempfile.TemporaryDirectory(prefix="qms-index-", ignore_cleanup_errors=True)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise IndexUnwritableError(path=self._path, detail=str(exc)) from exc
        connection = sqlite3.connect(self._path, timeout=10, isolation_level=None)
        try:
            # Write-ahead log without a sync per commit: after power loss the newest commits may be missing, never half
            # there; `archive_commit` then says that the index is behind. Measured: 0.4 ms a record, 9 ms with syncs.
            for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "secure_delete = OFF", "temp_store = MEMORY"):
                connection.execute(f"PRAGMA {pragma}")
        except sqlite3.DatabaseError as exc:
            if not _is_damage(exc):
                connection.close()
                raise
        return connection

    def _make_new(self) -> None:
        """Throw the file away and start an empty one."""
        if self._open is not None:
            self._open.close()
            self._open = None
        for suffix in ("", "-wal", "-shm", "-journal"):
            try:
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
            except OSError as exc:
                raise IndexUnwritableError(path=self._path, detail=str(exc)) from exc
        connection = self._connect()
        connection.execute("BEGIN IMMEDIATE")
        if not self._usable(connection):  # another process may have been quicker
            for statement in _SCHEMA.strip().split(";\n"):
                connection.execute(statement)
            values = [("schema", SCHEMA_VERSION), ("workspace", self._workspace)]
            connection.executemany("INSERT INTO meta VALUES (?, ?)", values)
        connection.execute("COMMIT")
        self._open = connection


def _writable(path: Path) -> bool:
    """Tell whether the index file, and the log beside it, can be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("ab").close()
    except OSError:
        return False
    return os.access(path.parent, os.W_OK)


def _code(exc: sqlite3.Error) -> int:
    return int(getattr(exc, "sqlite_errorcode", 0)) & 0xFF


def _is_damage(exc: sqlite3.Error) -> bool:
    return _code(exc) in _DAMAGED_CODES


def _meta(db: sqlite3.Connection, key: str) -> str | None:
    row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return str(row[0]) if row else None


def _phrase(word: SearchWord) -> str:
    """Return a word as an FTS5 phrase; tokens hold letters and digits only, so nothing in it can be syntax."""
    return '"' + " ".join(word.tokens) + '"' + ("*" if word.open_end else "")


def _form_filter(forms: Sequence[str]) -> tuple[list[str], list[object]]:
    wanted = sorted(set(forms))
    return ([f"form IN ({', '.join('?' * len(wanted))})"], list(wanted)) if wanted else ([], [])


def _where(conditions: Sequence[str]) -> str:
    return " WHERE " + " AND ".join(conditions) if conditions else ""


def _row_id(state: RecordState) -> int:
    """Return a number that orders records by the second they were opened in, then by serial; 63 bits."""
    try:
        second = int(datetime.fromisoformat(state.opened_at).timestamp())
    except ValueError:
        second = 0
    second = min(max(second, 0), 2**32 - 1)
    return (second << 31) | ((state.number.serial & 0xFFFFFF) << 7) | (zlib.crc32(state.number.form.encode()) & 0x7F)


def _write(db: sqlite3.Connection, records: Sequence[IndexedRecord]) -> None:
    # A record may come twice in one batch; the later one counts.
    latest = {item.state.number.text: item for item in records}
    old: list[tuple[int, str]] = []
    new: list[tuple[int, IndexedRecord]] = []
    taken: set[int] = set()
    for number, item in latest.items():
        row = db.execute("SELECT id, text FROM record WHERE number = ?", (number,)).fetchone()
        if row is not None:
            old.append((row[0], row[1]))
            new.append((row[0], item))
            continue
        place = _row_id(item.state)
        while place in taken or db.execute("SELECT 1 FROM record WHERE id = ?", (place,)).fetchone():
            place += 1
        taken.add(place)
        new.append((place, item))
    old.sort()
    new.sort(key=lambda pair: pair[0])
    db.executemany(
        "INSERT INTO words (words, rowid, text) VALUES ('delete', ?, ?)", [(i, " ".join(tokens(t))) for i, t in old]
    )
    db.executemany("DELETE FROM reference WHERE source = ?", [(item.state.number.text,) for _, item in new])
    db.executemany(
        "INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [_record_row(place, item) for place, item in new],
    )
    db.executemany("INSERT INTO words (rowid, text) VALUES (?, ?)", [(i, " ".join(tokens(x.text))) for i, x in new])
    db.executemany(
        "INSERT OR IGNORE INTO reference VALUES (?, ?, ?)",
        [(item.state.number.text, field, target) for _, item in new for field, target in item.references],
    )


def _record_row(place: int, item: IndexedRecord) -> tuple[object, ...]:
    state = item.state
    number = state.number
    return (
        place,
        number.text,
        number.form,
        number.year,
        number.serial,
        state.opened_at,
        int(state.voided),
        state.entries,
        item.title,
        item.subject,
        item.stage_label,
        _state_to(state),
        item.text,
    )


def _state_to(state: RecordState) -> str:
    data = {
        "number": state.number.text,
        "form": [state.form.number.text, state.form.revision.text, state.form.digest.text],
        "stage": state.stage,
        "values": dict(state.values),
        "sealed": {key: value.digest.text for key, value in state.sealed.items()},
        "opened": [state.opened_at, *_signatory_to(state.opened_by)],
        "changed": [state.changed_at, *_signatory_to(state.changed_by)],
        "entries": state.entries,
        "head": state.head.text,
        "voided": state.voided,
        "signed": {key: [at, *_signatory_to(by)] for key, (by, at) in state.signed.items()},
        "attachments": [[a.name, a.digest.text, a.size, a.sealed] for a in state.attachments],
        "corrected": sorted(state.corrected),
    }
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _signatory_to(signatory: Signatory) -> tuple[str, str, str]:
    return signatory.person, signatory.name, signatory.post


def _state_from(text: str) -> RecordState:
    data = json.loads(text)
    return RecordState(
        number=RecordNumber(data["number"]),
        form=_binding(*data["form"]),
        stage=data["stage"],
        values=data["values"],
        sealed={key: SealedValue(Digest(value)) for key, value in data["sealed"].items()},
        opened_at=data["opened"][0],
        opened_by=_signatory(*data["opened"][1:]),
        changed_at=data["changed"][0],
        changed_by=_signatory(*data["changed"][1:]),
        entries=data["entries"],
        head=Digest(data["head"]),
        voided=data["voided"],
        signed={key: (_signatory(*by), at) for key, (at, *by) in data["signed"].items()},
        attachments=tuple(Attachment(n, Digest(d), size, sealed) for n, d, size, sealed in data["attachments"]),
        corrected=frozenset(data["corrected"]),
    )


@lru_cache(maxsize=1024)
def _binding(number: str, revision: str, digest: str) -> FormBinding:
    return FormBinding(DocumentNumber(number), Revision(revision), Digest(digest))


@lru_cache(maxsize=1024)
def _signatory(person: str, name: str, post: str) -> Signatory:
    return Signatory(person, name, post)
