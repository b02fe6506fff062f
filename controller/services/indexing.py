"""建立索引. Keeps the record index in step with the archive: applies what was added, or starts over.

The index is a pure function of the archive: catching up in any number of steps gives what rebuilding gives. When the
index is missing, damaged, foreign or the archive's history was rewritten, it is rebuilt without asking.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import DamagedError, QmsError
from controller.domain.form import FieldType, Personal
from controller.domain.identifiers import Digest
from controller.domain.record_chain import BrokenChainError, fold
from controller.domain.text import T
from controller.file_formats.entry_file import decode_entry
from controller.services.archive_ports import ArchiveRewrittenError
from controller.services.archived_forms import ArchivedForms
from controller.services.index_ports import IndexedRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from controller.domain.form import Field, FormDefinition
    from controller.domain.record import Entry, RecordState, Wire
    from controller.domain.text import Text
    from controller.services.archive_ports import Archive
    from controller.services.archived_forms import KnownForms
    from controller.services.index_ports import IndexStatus, RecordIndex
    from controller.services.ports import Progress

ENTRY_PATH = re.compile(r"(?P<folder>[^/]+/(?:\d+/)+[^/]+-\d{4}-\d{4,7})/(?P<sequence>\d{4,6})\.json")
"""Where entries lie in the archive (`RecordNumber.folder`)."""
_BATCH = 1000
"""Records held in memory while files stream in."""
_SUBJECT_LENGTH = 60
_NAMED = (
    frozenset({"person", "name"}),
    frozenset({"name", "digest", "size"}),
    frozenset({"kind", "name", "at", "attachment", "reason"}),
)
"""Stored objects of which only the name is searched: people, files, signatures from outside."""
_ATTEMPTS = 5
"""How often to try when other processes move the index at the same time."""


@dataclass(frozen=True)
class IndexReport:
    """索引更新结果."""

    records: int
    """Records that were written."""
    rebuilt: bool
    findings: Sequence[Finding] = ()
    """Records that could not be read to their end; `qms verify` says more."""


class Indexing:
    """建立索引. The one writer of the record index."""

    def __init__(self, archive: Archive, index: RecordIndex, forms: KnownForms) -> None:
        self._archive = archive
        self._index = index
        self._definitions = ArchivedForms(archive, forms)

    def status(self) -> IndexStatus:
        """Return how far and how large the index is."""
        return self._index.status()

    def behind(self) -> bool:
        """Tell whether the archive has moved on since the index was written."""
        return self._index.archive_commit() != self._archive.tip()

    def catch_up(self, progress: Progress | None = None) -> IndexReport:
        """Bring the index to the archive's tip, from where it is or from the beginning.

        Raises:
            IndexUnwritableError: the index file cannot be written.
        """
        for attempt in range(_ATTEMPTS):
            base, tip = self._index.archive_commit(), self._archive.tip()
            if base == tip:
                return IndexReport(records=0, rebuilt=False)
            if tip is None:
                self._index.clear()
                return IndexReport(records=0, rebuilt=True)
            reading = _Reading(self._archive, self._definitions, progress)
            try:
                if self._index.apply(reading.records(base), commit=tip, after=base):
                    return IndexReport(reading.count, rebuilt=base is None, findings=tuple(reading.findings))
            except ArchiveRewrittenError:
                self._index.clear()
            except DamagedError:
                # The index threw its damaged file away; the next attempt fills a new one.
                if attempt == _ATTEMPTS - 1:
                    raise
        return IndexReport(records=0, rebuilt=False)

    def rebuild(self, progress: Progress | None = None) -> IndexReport:
        """Throw the index away and make it again from the archive."""
        self._index.clear()
        return self.catch_up(progress)

    def note(self, states: Iterable[RecordState], *, previous: str | None, commit: str) -> bool:
        """Take in records that were just filed by `commit` on top of `previous`; catch up when the index is elsewhere.

        Never fails the filing that went before: when the index cannot be written it is found to be behind later, and
        False is returned.
        """
        try:
            records = [self._definitions_applied(state) for state in states]
            if not self._index.apply(records, commit=commit, after=previous):
                self.catch_up()
        except QmsError:
            return False
        return True

    def _definitions_applied(self, state: RecordState) -> IndexedRecord:
        return indexed(state, self._definitions.definition(state.form))


class _Reading:
    """One pass over added files: groups entries by record, folds chains, counts and notes what is unreadable."""

    def __init__(self, archive: Archive, definitions: ArchivedForms, progress: Progress | None) -> None:
        self._archive = archive
        self._definitions = definitions
        self._progress = progress
        self.count = 0
        self.findings: list[Finding] = []

    def records(self, base: str | None) -> Iterator[IndexedRecord]:
        """Yield every record that has entries added after commit `base`, as it stands with them."""
        waiting: dict[str, dict[int, bytes]] = {}
        for path, data in self._archive.added_since(base):
            match = ENTRY_PATH.fullmatch(path)
            if match is None:
                continue
            folder = match["folder"]
            if folder not in waiting and len(waiting) >= _BATCH:
                yield from self._folded(waiting)
                waiting.clear()
            waiting.setdefault(folder, {})[int(match["sequence"])] = data
        yield from self._folded(waiting)

    def _folded(self, waiting: dict[str, dict[int, bytes]]) -> Iterator[IndexedRecord]:
        for folder, added in waiting.items():
            state = self._state(folder, added)
            if state is None:
                continue
            self.count += 1
            if self._progress is not None and not self.count % 100:
                self._progress(self.count, None)
            yield indexed(state, self._definitions.definition(state.form))

    def _state(self, folder: str, added: dict[int, bytes]) -> RecordState | None:
        """Return the state after the longest readable run of entries, None when not even the first can be read."""
        number = folder.rsplit("/", maxsplit=1)[-1]
        chain: list[tuple[Entry, Digest]] = []
        problem = T("记录 {number} 第 {place} 个条目缺失", number=number, place=1)
        for sequence in range(1, max(added) + 1):
            path = f"{folder}/{sequence:04d}.json"
            data = added[sequence] if sequence in added else self._archive.read(path)
            if data is None:
                problem = T("记录 {number} 第 {place} 个条目缺失", number=number, place=sequence)
                break
            try:
                entry = decode_entry(data, where=path)
            except QmsError as exc:
                problem = exc.message
                break
            chain.append((entry, Digest.of(data)))
        else:
            state, broken = _longest(chain)
            if broken is None and _at_home(state, folder):
                return state
            problem = broken or T("记录 {number} 的条目属于另一条记录", number=number)
            self._note(number, problem)
            return state if _at_home(state, folder) else None
        self._note(number, problem)
        state = _longest(chain)[0]
        return state if _at_home(state, folder) else None

    def _note(self, number: str, problem: Text) -> None:
        message = T("记录 {number} 无法完整读取：{problem}", number=number, problem=problem)
        hint = T("用 qms verify 查看全部问题，并用备份核对。")
        self.findings.append(Finding("record-unreadable", Gravity.ERROR, message, subject=number, hint=hint))


def _longest(chain: Sequence[tuple[Entry, Digest]]) -> tuple[RecordState | None, Text | None]:
    """Return the fold of the longest unbroken run from the first entry, and what broke it."""
    broken: Text | None = None
    for length in range(len(chain), 0, -1):
        try:
            return fold(chain[:length]), broken
        except BrokenChainError as exc:
            broken = exc.message
    return None, broken


def _at_home(state: RecordState | None, folder: str) -> bool:
    """Tell whether the folder is that of the record its entries speak of."""
    return state is not None and state.number.folder == folder


def indexed(state: RecordState, definition: FormDefinition | None) -> IndexedRecord:
    """Return what the index keeps of a record: open values only, searchable text, and where it points."""
    from dataclasses import replace

    fields = {field.key: field for field in definition.fields} if definition else {}
    hidden = {key for key, field in fields.items() if field.personal is Personal.SENSITIVE}
    # Sensitive values are never among the open ones; should an old form have said otherwise, they still stay out.
    values = {key: value for key, value in state.values.items() if key not in hidden and key not in state.sealed}
    stage = definition.stage(state.stage) if definition else None
    title = definition.title if definition else ""
    lines = [state.number.text, title, state.opened_by.name]
    lines += [_plain(value) for _, value in sorted(values.items())]
    lines += [item.name for item in state.attachments if not item.sealed]
    return IndexedRecord(
        state=replace(state, values=values),
        text="\n".join(line for line in lines if line),
        title=title,
        subject=_subject(definition, values),
        stage_label=stage.label if stage else state.stage,
        references=tuple(_references(fields, values)),
    )


def _plain(value: Wire) -> str:
    """Return the words in a stored value: names of people and files, cells of tables, texts; no marks.

    Cells come by key, as they are stored: a record that was just filed still has them in the order they were typed.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(part for part in map(_plain, value) if part)
    if isinstance(value, dict):
        if any(value.keys() <= known and value.keys() & {"person", "digest", "kind"} for known in _NAMED):
            return _plain(value.get("name"))
        return "\n".join(part for _, item in sorted(value.items()) if (part := _plain(item)))
    return ""


def _subject(definition: FormDefinition | None, values: dict[str, Wire]) -> str:
    if definition is None:
        return ""
    texts = {FieldType.TEXT, FieldType.LONG_TEXT}
    keys = [definition.subject] if definition.subject else []
    keys += [field.key for field in definition.fields if field.type in texts]
    for key in keys:
        words = " ".join(_plain(values.get(key)).split())
        if words:
            return words if len(words) <= _SUBJECT_LENGTH else words[: _SUBJECT_LENGTH - 1] + "…"
    return ""


def _references(fields: dict[str, Field], values: dict[str, Wire]) -> Iterator[tuple[str, str]]:
    for key, field in fields.items():
        value = values.get(key)
        if field.type is FieldType.RECORD_REF:
            yield from ((key, number) for number in _texts(value))
        elif field.type is FieldType.TABLE and isinstance(value, list):
            columns = [column.key for column in field.columns if column.type is FieldType.RECORD_REF]
            for row in value:
                if isinstance(row, dict):
                    yield from ((key, number) for column in columns for number in _texts(row.get(column)))


def _texts(value: Wire) -> list[str]:
    if isinstance(value, str):
        return [value] if value else []
    if isinstance(value, list):
        return [item for item in value if isinstance(item, str) and item]
    return []
