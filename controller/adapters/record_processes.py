"""检查进程. Spreads the examination of records over two processes; results come in the order of the parts.

Each process opens the archive for itself, at the same commit. Where processes cannot be started, or one dies, the rest
is examined here. A process ends when this one does, however that ends.
"""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.connection import Connection
    from pathlib import Path

    from controller.services.record_examination import Examined, RecordExamination, RecordExaminer

PROCESSES = 2
_AHEAD = 2
"""Parts given out to each process in advance, so that it never waits for the next one."""
_FAR = 12
"""How many parts may be examined ahead of the one whose turn it is: results that wait take memory."""
_PATIENCE = 5.0
"""Seconds in which a process ends that has nothing more to do."""


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
        done = 0
        try:
            for result in self._spread(examination, parts):
                yield result
                done += 1
        except (EOFError, OSError):
            here = self._place.examiner(examination)
            for part in parts[done:]:
                yield here.examine(part)

    def _spread(self, examination: RecordExamination, parts: Sequence[Sequence[str]]) -> Iterator[Examined]:
        workers: list[_Worker] = []
        try:
            for _ in range(self._processes):
                with _held_back():
                    workers.append(_Worker())
            for worker in workers:
                worker.connection.send((self._place, examination))
            results: dict[int, Examined] = {}
            given = done = 0
            while done < len(parts):
                for worker in workers:
                    while given < min(len(parts), done + _FAR) and worker.busy < _AHEAD:
                        worker.connection.send((given, parts[given]))
                        worker.busy += 1
                        given += 1
                for ready in wait([worker.connection for worker in workers if worker.busy]):
                    worker = next(item for item in workers if item.connection is ready)
                    place, result = worker.connection.recv()
                    worker.busy -= 1
                    results[place] = result
                while done in results:
                    yield results.pop(done)
                    done += 1
        finally:
            for worker in workers:
                worker.end()


class _Worker:
    """One process with the line to it."""

    def __init__(self) -> None:
        context = get_context("spawn")
        self.connection: Connection[Any, Any]
        self.connection, theirs = context.Pipe()
        self.busy = 0
        """Parts that it has and has not answered."""
        self._process = context.Process(target=_work, args=(theirs,), daemon=True)
        try:
            self._process.start()
        finally:
            theirs.close()  # now only the process holds it: when either side goes the other one notices

    def end(self) -> None:
        """End the process; what it has not finished is not wanted any more."""
        self.connection.close()
        if self.busy:
            self._process.terminate()
        self._process.join(_PATIENCE)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()
        self._process.close()


def _work(connection: Connection[Any, Any]) -> None:
    with suppress(ValueError, OSError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears Ctrl-C and ends its processes
    try:
        place, examination = connection.recv()
        examiner = place.examiner(examination)
        while True:
            number, part = connection.recv()
            connection.send((number, examiner.examine(part)))
    except (EOFError, OSError):
        return  # nobody wants anything more


@contextmanager
def _held_back() -> Iterator[None]:
    """Begin a process that does not hear Ctrl-C, so that only this one ends the work, and quietly.

    Here it is only held back until the process has begun. Windows has no such thing: there it says that it was stopped.
    """
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
