"""索引端口. The disposable index and the sorting of many things, as the use cases see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from controller.domain.identifiers import RecordNumber
    from controller.domain.record import RecordState
    from controller.domain.serial_completeness import GivenNumber


@dataclass(frozen=True)
class SearchHit:
    """检索结果."""

    number: RecordNumber
    title: str
    subject: str
    opened_at: str
    stage: str
    excerpt: str


@dataclass(frozen=True)
class IndexedRecord:
    """索引中的记录. The state of one record as the index keeps it; open values only."""

    state: RecordState
    text: str
    """Searchable open text, one field a line."""
    title: str = ""
    """Title of the form, for lists."""
    subject: str = ""
    """What names the record in lists."""
    stage_label: str = ""
    references: Sequence[tuple[str, str]] = ()
    """(field, record number) of every record this one refers to."""


@dataclass(frozen=True)
class FormUse:
    """表单使用情况. How often and when a form was filled."""

    records: int
    voided: int
    first_opened_at: str
    last_opened_at: str


@dataclass(frozen=True)
class IndexStatus:
    """索引状况."""

    archive_commit: str | None
    records: int
    entries: int
    size: int
    """Bytes on disk."""


class RecordIndex(Protocol):
    """记录索引. Disposable: everything in it can be rebuilt from the archive; holds no sensitive value."""

    def archive_commit(self) -> str | None:
        """Return the archive commit the index is at, None when empty or unusable."""
        ...

    def apply(self, records: Iterable[IndexedRecord], *, commit: str, after: str | None = "*") -> bool:
        """Insert or replace these records and remember `commit`, in one transaction.

        `after` names the commit the index must be at (`*`: wherever it is); when another process has moved it on,
        nothing is written and False comes back: catch up instead.
        """
        ...

    def clear(self) -> None:
        """Forget everything."""
        ...

    def record(self, number: RecordNumber) -> RecordState | None:
        """Return one record's state."""
        ...

    def records(
        self,
        *,
        forms: Sequence[str] = (),
        opened_from: str | None = None,
        opened_to: str | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> Iterator[RecordState]:
        """Yield records of these forms (all when empty) opened in [from, to], in number order, streaming.

        Limits are dates or times as text; a date covers its whole day.
        """
        ...

    def search(self, words: str, *, limit: int = 50) -> list[SearchHit]:
        """Return records that contain every word, newest first; two-character Chinese words are found."""
        ...

    def given_numbers(self, forms: Sequence[str] = ()) -> Iterator[GivenNumber]:
        """Yield every number in use of these forms (all when empty) by form, year and serial."""
        ...

    def dangling_references(self, forms: Sequence[str] = ()) -> Iterator[tuple[str, str, str]]:
        """Yield (record, field, number) of references from records of these forms to records that do not exist."""
        ...

    def form_use(self) -> Mapping[str, FormUse]:
        """Return form number → how it was used, for every form that has a record."""
        ...

    def status(self) -> IndexStatus:
        """Return how far and how large the index is."""
        ...


class SortedSpool(Protocol):
    """排序暂存. Takes items in any order and gives them back by time; any number of them in little memory."""

    def add(self, instant: int, chain: str, sequence: int, item: bytes) -> None:
        """Take one item; items of the same second come by chain and sequence."""
        ...

    def __len__(self) -> int:
        """Return how many were taken."""
        ...

    def items(self, *, newest_first: bool = False, most: int | None = None) -> Iterator[bytes]:
        """Yield the items in order of time; at most `most`."""
        ...

    def close(self) -> None:
        """Let everything go; nothing stays on the disk."""
        ...
