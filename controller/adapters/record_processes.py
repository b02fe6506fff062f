"""检查进程. Spreads the examination of records over two processes; results come in the order of the parts.

Each process opens the archive for itself, at the same commit. Where processes cannot be started, or one dies, the rest
is examined here.
"""

from __future__ import annotations

import signal
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future, ProcessPoolExecutor
    from pathlib import Path

    from controller.services.record_examination import Examined, RecordExamination, RecordExaminer

PROCESSES = 2
_AHEAD = 3
"""Parts given out to each process in advance: enough to keep it busy, few enough to keep results small."""


@dataclass(frozen=True)
class ExaminedPlace:
    """检查地点. Where a process finds the archive and the record keys."""

    folder: Path
    commit: str
    keys: Path
    """Folder of the record keys."""

    def examiner(self, examination: RecordExamination) -> RecordExaminer:
        """Return an examiner for this process."""
        from controller.adapters.git_folder_walk import GitFolderWalk
        from controller.adapters.record_key_store import SqliteRecordKeys
        from controller.services.record_examination import RecordExaminer

        return RecordExaminer(GitFolderWalk(self.folder, self.commit), SqliteRecordKeys(self.keys), examination)


class RecordProcesses:
    """检查进程. Implements `RecordExaminers` with processes of its own."""

    def __init__(self, place: ExaminedPlace, *, processes: int = PROCESSES) -> None:
        self._place = place
        self._processes = processes

    def examine(self, examination: RecordExamination, parts: Sequence[Sequence[str]]) -> Iterator[Examined]:
        """Yield the result for each part in order."""
        from concurrent.futures.process import BrokenProcessPool

        done = 0
        try:
            for result in self._spread(examination, parts):
                yield result
                done += 1
        except (BrokenProcessPool, OSError):
            here = self._place.examiner(examination)
            for part in parts[done:]:
                yield here.examine(part)

    def _spread(self, examination: RecordExamination, parts: Sequence[Sequence[str]]) -> Iterator[Examined]:
        from collections import deque
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context

        pool = ProcessPoolExecutor(
            self._processes,
            mp_context=get_context("spawn"),
            initializer=_begin,
            initargs=(self._place, examination),
        )
        waiting: deque[Future[Examined]] = deque()
        ahead = iter(parts)
        try:
            while True:
                while len(waiting) < self._processes * _AHEAD and (part := next(ahead, None)) is not None:
                    waiting.append(pool.submit(_examine, part))
                if not waiting:
                    return
                yield waiting.popleft().result()
        finally:
            _end(pool)


_examiner: RecordExaminer | None = None
"""The examiner of a child process."""


def _begin(place: ExaminedPlace, examination: RecordExamination) -> None:
    global _examiner  # noqa: PLW0603 - a pool's processes keep what they need between calls in their module
    with suppress(ValueError, OSError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears Ctrl-C and ends its children
    _examiner = place.examiner(examination)


def _examine(part: Sequence[str]) -> Examined:
    assert _examiner is not None
    return _examiner.examine(part)


def _end(pool: ProcessPoolExecutor) -> None:
    """End the processes; what they have not finished is not wanted any more."""
    pool.shutdown(wait=True, cancel_futures=True)
