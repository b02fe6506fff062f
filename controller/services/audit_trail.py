"""审计追踪. Gathers record entries and statements of every chain, in order of time (21 CFR 11.10 e; ALCOA+).

The archive is read once in path order and sorted through a spool, so that any number of events needs little memory.
Sensitive values are `***` unless they were asked for and the record's key is here; whoever asks is written down first,
by `services.trail`. What cannot be read is an event of its own and never passed over.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from controller.domain.errors import QmsError
from controller.domain.identifiers import Digest
from controller.domain.record import Act
from controller.domain.statement import (
    AUTHORITY,
    CHANGES,
    COPIES,
    DOCUMENTS,
    REVIEWS,
    TIMESTAMPS,
    TRAIL,
    TRAINING,
    Event,
)
from controller.domain.trail_event import (
    UNREADABLE,
    ObjectKind,
    ShownChange,
    Signed,
    TrailEvent,
    TrailFilter,
    instant,
    one_line,
)
from controller.file_formats.entry_file import decode_entry
from controller.file_formats.statement_file import decode_statement
from controller.services.entry_telling import EntryTelling
from controller.services.statement_telling import statement_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from controller.services.archive_ports import ExaminedArchive
    from controller.services.archived_forms import ArchivedForms
    from controller.services.index_ports import SortedSpool
    from controller.services.ports import Progress, RecordKeys

PEOPLE = "people"
CHAINS = frozenset({TRAIL, TIMESTAMPS, AUTHORITY, PEOPLE, CHANGES, COPIES, DOCUMENTS, REVIEWS, TRAINING})
"""Folders of the archive that hold statements."""
_NO_EVENTS = frozenset({"controlled-forms", "certificates", "site.json"})
_FOLDER_PARTS = 5
"""Parts of the path of a record's folder."""
_EVERY = 500
_ACTS = frozenset(act.value for act in Act)
_FINGERPRINT = 16
_NAMES = tuple(TrailEvent.__dataclass_fields__)


class SelectedTrail:
    """选出的审计追踪. The events that a filter admits; to be closed after use."""

    def __init__(
        self, wanted: TrailFilter, tip: str, spool: SortedSpool, *, unreadable: int, unopened: int, unmasked: bool
    ) -> None:
        self.wanted = wanted
        self.tip = tip
        """The archive commit that was read."""
        self.unreadable = unreadable
        """Files that could not be read; each is an event of its own."""
        self.unopened = unopened
        """Entries whose sealed values could not be opened although they were asked for."""
        self.unmasked = unmasked
        self._spool = spool

    def __len__(self) -> int:
        return len(self._spool)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def fingerprint(self) -> str:
        """档案指纹. The beginning of `tip`, as `qms verify` shows it."""
        return self.tip[:_FINGERPRINT]

    def events(self, *, newest_first: bool = False, most: int | None = None) -> Iterator[TrailEvent]:
        """Yield the events in order of time, those of one second by chain and sequence."""
        for item in self._spool.items(newest_first=newest_first, most=most):
            yield _unpacked(item)

    def close(self) -> None:
        """Let the spool go."""
        self._spool.close()


class AuditTrail:
    """审计追踪. Reads the whole trail of one site."""

    def __init__(
        self,
        *,
        archive: ExaminedArchive,
        definitions: ArchivedForms,
        keys: RecordKeys,
        spool: Callable[[], SortedSpool],
        post_names: Mapping[str, str] | None = None,
    ) -> None:
        """`post_names`: key of a post → its Chinese name."""
        self._archive = archive
        self._definitions = definitions
        self._keys = keys
        self._spool = spool
        self._post_names = dict(post_names or {})

    def select(
        self, wanted: TrailFilter | None = None, *, unmask: bool = False, progress: Progress | None = None
    ) -> SelectedTrail:
        """Return the events that `wanted` admits; with `unmask` sensitive values are shown where the key is here.

        Raises:
            TemporarySpaceError: there is no room to sort.
        """
        wanted = wanted or TrailFilter()
        spool = self._spool()
        telling = EntryTelling(self._definitions, self._keys, unmask=unmask)
        reading = _Reading(self._archive, wanted, spool, telling, self._post_names, progress)
        try:
            reading.read()
        except BaseException:
            spool.close()
            raise
        return SelectedTrail(
            wanted,
            reading.tip,
            spool,
            unreadable=reading.unreadable,
            unopened=telling.unopened,
            unmasked=unmask,
        )


class _Reading:
    """One pass over the archive as it is at its tip."""

    def __init__(
        self,
        archive: ExaminedArchive,
        wanted: TrailFilter,
        spool: SortedSpool,
        telling: EntryTelling,
        post_names: Mapping[str, str],
        progress: Progress | None,
    ) -> None:
        self.tip = archive.tip() or ""
        self.unreadable = 0
        self._archive = archive
        self._wanted = wanted
        self._spool = spool
        self._telling = telling
        self._post_names = post_names
        self._progress = progress
        self._seen = 0
        self._people: dict[str, str] = {}
        """Person id → name, as registered."""

    def read(self) -> None:
        if not self.tip:
            return
        for name in self._archive.listing("", at=self.tip):
            if name in CHAINS or name in _NO_EVENTS:
                continue
            if self._records_wanted(name):
                for year in self._archive.listing(name, at=self.tip):
                    if self._year_wanted(year):
                        self._records(self._walk(f"{name}/{year}"))
        self._learn_people()
        for chain in sorted(CHAINS):
            self._statements(self._walk(chain))

    def _walk(self, folder: str) -> Iterator[tuple[str, bytes]]:
        return self._archive.walk(folder, at=self.tip, damaged=lambda path: self._unreadable(path, b"", ""))

    def _records_wanted(self, form: str) -> bool:
        """Tell whether records of `form` can be among the events wanted."""
        action, wanted = self._wanted.action, self._wanted.object
        if action is not None and action not in _ACTS and action != UNREADABLE:
            return False
        return wanted is None or wanted == form or wanted.startswith(f"{form}-") or form.startswith(f"{wanted}-")

    def _year_wanted(self, year: str) -> bool:
        """A record has no entry before the year of its number."""
        last = self._wanted.period.last
        return last is None or not year.isdecimal() or int(year) <= last.year

    # -- records

    def _records(self, files: Iterable[tuple[str, bytes]]) -> None:
        folder, held = "", _RecordFolder({}, set(), {})
        for path, data in files:
            parts = path.split("/", _FOLDER_PARTS)
            if len(parts) <= _FOLDER_PARTS:
                continue  # no part of any record; `qms verify` tells
            name = parts[_FOLDER_PARTS]
            here = path[: -len(name) - 1]
            if here != folder:
                self._record(folder, held)
                folder, held = here, _RecordFolder({}, set(), {})
            stem, _, kind = name.partition(".")
            if "/" in name or not stem.isdecimal():
                continue
            if kind == "json":
                held.entries[int(stem)] = data
            elif kind == "p7s":
                held.signed.add(int(stem))
            elif kind == "sealed":
                held.sealed[int(stem)] = data
        self._record(folder, held)

    def _record(self, folder: str, held: _RecordFolder) -> None:
        self._telling.begin()
        for sequence in sorted(held.entries):
            data, path = held.entries[sequence], f"{folder}/{sequence:04d}.json"
            try:
                entry = decode_entry(data, where=path)
            except QmsError as exc:
                self._unreadable(path, data, str(exc.message))
                continue
            signed = Signed.YES if sequence in held.signed else Signed.MISSING
            event = self._telling.event(entry, sequence, Digest.of(data), signed, held.sealed.get(sequence))
            self._take(event, (event.chain, entry.form.number.text))

    # -- statements

    def _learn_people(self) -> None:
        for path, data in self._archive.walk(PEOPLE, at=self.tip, damaged=lambda _path: None):
            if path.endswith(".json"):
                try:
                    statement = decode_statement(data, where=path)
                except QmsError:
                    continue
                name = statement.new.get("name")
                if statement.event is Event.PERSON_REGISTERED and isinstance(name, str):
                    self._people[statement.chain.partition("/")[2]] = name

    def _statements(self, files: Iterable[tuple[str, bytes]]) -> None:
        stem, signers = "", set[str]()
        held: bytes | None = None
        for path, data in files:
            folder, _, name = path.rpartition("/")
            place, _, kind = name.partition(".")
            here = f"{folder}/{place}"
            if here != stem:
                self._statement(stem, held, signers)
                stem, held, signers = here, None, set()
            if kind == "json":
                held = data
            elif kind == "p7s" or kind.endswith(".p7s"):
                signers.add(kind.removesuffix("p7s").rstrip("."))
        self._statement(stem, held, signers)

    def _statement(self, stem: str, data: bytes | None, signers: set[str]) -> None:
        if data is None:
            return
        path = f"{stem}.json"
        try:
            statement = decode_statement(data, where=path)
        except QmsError as exc:
            self._unreadable(path, data, str(exc.message))
            return
        signed = Signed.YES if "" in signers else Signed.MISSING if statement.by is not None else Signed.NOBODY
        witnesses = tuple(f"{self._people.get(one, '')} {one}".strip() for one in sorted(signers - {""}))
        event, names = statement_event(
            statement,
            Digest.of(data),
            signed,
            witnesses,
            people=self._people,
            post_names=self._post_names,
            unmask=self._telling.unmask,
        )
        self._take(event, names)

    # -- both

    def _unreadable(self, path: str, data: bytes, problem: str) -> None:
        self.unreadable += 1
        event = TrailEvent(
            at="",
            person="",
            name="",
            post="",
            claimed="",
            computer="",
            account="",
            sitting="",
            kind=ObjectKind.SYSTEM,
            object=one_line(path),
            title="",
            code=UNREADABLE,
            stage="",
            changes=(),
            reason=one_line(problem),
            meaning="",
            aside=(),
            signed=Signed.MISSING,
            witnesses=(),
            chain=one_line(path.rpartition("/")[0]),
            sequence=0,
            digest=Digest.of(data).text if data else "",
        )
        self._take(event, (path, *path.split("/")))

    def _take(self, event: TrailEvent, names: Sequence[str]) -> None:
        self._seen += 1
        if self._progress is not None and not self._seen % _EVERY:
            self._progress(self._seen, None)
        if self._wanted.admits(event, names):
            self._spool.add(instant(event.at), event.chain, event.sequence, _packed(event))


@dataclass
class _RecordFolder:
    """What lies in the folder of one record, by sequence."""

    entries: dict[int, bytes]
    signed: set[int]
    sealed: dict[int, bytes]


def _packed(event: TrailEvent) -> bytes:
    values = [getattr(event, name) for name in _NAMES]
    values[_CHANGES] = [(item.key, item.label, item.old, item.new) for item in event.changes]
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _unpacked(item: bytes) -> TrailEvent:
    values = json.loads(item.decode("utf-8", "surrogatepass"))
    values[_CHANGES] = tuple(ShownChange(*change) for change in values[_CHANGES])
    for place in _TUPLES:
        values[place] = tuple(values[place])
    return TrailEvent(*values)


_CHANGES = _NAMES.index("changes")
_TUPLES = (_NAMES.index("aside"), _NAMES.index("witnesses"))
