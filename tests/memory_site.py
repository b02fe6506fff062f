"""测试用站点档案. The archive of a site in memory that can be written to, with branch `main` beside it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from controller.adapters.git_archive import PathTakenError
from controller.domain.identifiers import RecordNumber
from tests.memory_archive import MemoryArchive

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from controller.services.archive_ports import ArchiveChange, ArchiveWriter, ControlledChange
    from tests.memory_files import MemoryFiles


class MemorySite(MemoryArchive):
    """Port `Archive`; the clock is always believed."""

    def __init__(self, controlled: MemoryFiles | None = None) -> None:
        super().__init__()
        self.controlled = controlled

    @contextmanager
    def writing(self) -> Iterator[ArchiveWriter]:
        """Give a writer; nobody else is there to wait for."""
        yield _MemoryWriter(self)


class _MemoryWriter:
    def __init__(self, site: MemorySite) -> None:
        self._site = site

    def last_serial(self, form: str, year: int) -> int:
        numbers = {path.split("/")[4] for path, _data in self._site.walk() if path.startswith(f"{form}/{year}/")}
        return max((RecordNumber(number).serial for number in numbers), default=0)

    def read(self, path: str) -> bytes | None:
        return self._site.read(path)

    def listing(self, path: str) -> list[str]:
        return self._site.listing(path)

    def moment(self, now: datetime, *, corrected: bool = False) -> datetime:
        del corrected
        return now

    def append(self, change: ArchiveChange, *, controlled: ControlledChange | None = None) -> str:
        for path in change.files:
            if self.read(path) is not None:
                raise PathTakenError(path=path)
        if controlled is not None:
            library = self._site.controlled
            assert library is not None
            assert controlled.statement + ".json" in change.files
            for path, data in controlled.changes.items():
                if data is None:
                    del library.content[path]
                else:
                    library.content[path] = data
            library.changes.append((change.by.name, controlled.action, controlled.subject))
        return self._site.file(change.files)

    def append_many(self, changes: Iterable[ArchiveChange]) -> str:
        return [self.append(change) for change in changes][-1]
