"""归档进程. Processes that file, for tests in which many file at once or are killed in the middle."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from controller.adapters import git_import
from controller.adapters.git_archive import GitArchive
from controller.adapters.record_key_store import SqliteRecordKeys
from controller.adapters.workspace_lock import WorkspaceLock
from controller.domain.errors import QmsError
from controller.domain.identifiers import RecordNumber
from controller.services.archive_ports import ArchiveChange
from tests.archives import file_next, open_archive
from tests.builders import FORM, MORNING, WANG

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection


def processes() -> Any:
    """Return the quickest way to start clean processes here."""
    if sys.platform == "win32":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "git", "asn1crypto.cms"])
    return context


def file_some(folder: str, count: int, answers: Connection) -> None:
    """File `count` records on two forms in turn and send their numbers."""
    archive = open_archive(Path(folder))
    forms = [FORM, "XX-YLQXJL-019"]
    answers.send([file_next(archive, forms[index % 2]).text for index in range(count)])
    archive.close()


def file_until_killed(folder: str, answers: Connection) -> None:
    """File one record after another, sending each number once it is filed; packs are rolled together often."""
    if sys.platform != "win32":
        os.setsid()
    git_import.GRACE = 0.2
    lock = WorkspaceLock(Path(folder) / ".qms" / "locks")
    archive = GitArchive(Path(folder), lock=lock, packs_at_most=6, upkeep_in_background=False)
    answers.send("ready")
    while True:
        answers.send(file_next(archive).text)


def create_keys(folder: str, numbers: list[str], answers: Connection) -> None:
    """Make keys for these records, one by one, and send them."""
    keys = SqliteRecordKeys(Path(folder))
    answers.send([keys.create([RecordNumber(number)])[RecordNumber(number)] for number in numbers])
    keys.close()


def file_with_little_space(folder: str, answers: Connection) -> None:
    """File something larger than this process may write, and send the error's code and hint."""
    import resource

    archive = open_archive(Path(folder))
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
    big = ArchiveChange({"big": os.urandom(400_000)}, WANG, MORNING, "big", {})
    try:
        with archive.writing() as writer:
            writer.append(big)
    except QmsError as exc:
        answers.send((exc.code, str(exc), str(exc.hint)))
    else:
        answers.send(("filed", "", ""))
    archive.close()


def start(target: Callable[..., None], *arguments: Any) -> tuple[Any, Connection]:
    """Start `target(*arguments, answers)` in a process; return it and the receiving end of `answers`."""
    context = processes()
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=target, args=(*arguments, sender), daemon=True)
    process.start()
    sender.close()
    return process, receiver


def kill_with_children(process: Any) -> None:
    """Kill the process and everything it started, at once and without warning."""
    if sys.platform == "win32":
        import psutil

        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
    process.join()


def hold_lock(folder: str, answers: Connection) -> None:
    """Take the archive lock and keep it until killed."""
    with WorkspaceLock(Path(folder))("archive", 5):
        answers.send("held")
        threading.Event().wait()
