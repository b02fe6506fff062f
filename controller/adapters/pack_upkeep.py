"""存储整理. Keeps the number of Git packs small, so that filing costs the same after ten thousand filings.

Every filing leaves one small pack. When many have piled up, a separate process rolls the small ones together
(`git repack --geometric`), while filing goes on; a lock keeps it alone.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from controller.adapters.workspace_lock import WorkspaceBusyError, WorkspaceLock
from controller.domain.errors import QmsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from controller.adapters.git_program import GitProgram

PACKS_AT_MOST = 48
"""Packs that may pile up before the small ones are rolled together."""
_STALE_AFTER = 3600.0
"""Seconds after which a temporary file of git belongs to nobody."""
_LOCK = "upkeep"
_PATIENCE = 60.0
"""Seconds to wait for the upkeep of somebody else."""
_DETACHED = 0x00000008 | 0x00000200  # DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP


_children: list[subprocess.Popen[bytes]] = []
"""Background processes that were started here, kept so that finished ones can be laid to rest."""


class PackUpkeep:
    """存储整理. Decides after each filing whether it is time, and has it done in the background."""

    def __init__(
        self, program: GitProgram, common_folder: Path, *, most: int = PACKS_AT_MOST, background: bool = True
    ) -> None:
        self._program = program
        self._common_folder = common_folder
        self._most = most
        self._background = background

    def after_filing(self) -> None:
        """Start the upkeep when packs have piled up; never raises, for the filing is done."""
        packs = self._common_folder / "objects" / "pack"
        with contextlib.suppress(OSError, QmsError):
            names = [item.name for item in os.scandir(packs)]
            # A kept pack is never rolled up, so it is no reason to begin.
            count = sum(name.endswith(".pack") for name in names) - sum(name.endswith(".keep") for name in names)
            if count > self._most:
                if self._background:
                    self._start()
                else:
                    self.tidy()

    def tidy(self) -> bool:
        """Roll small packs together and sweep up after killed processes; False when somebody else is at it."""
        try:
            with WorkspaceLock(self._common_folder / "wenkong")(_LOCK, 0):
                self._sweep()
                self._program.run("repack", "--geometric=2", "-d", "--quiet")
        except WorkspaceBusyError:
            return False
        return True

    @contextlib.contextmanager
    def at_rest(self) -> Iterator[None]:
        """Wait until nobody rolls packs together, and keep it so; where that cannot be had, go on all the same."""
        with contextlib.ExitStack() as holding:
            with contextlib.suppress(QmsError):
                holding.enter_context(WorkspaceLock(self._common_folder / "wenkong")(_LOCK, _PATIENCE))
            yield

    def _start(self) -> None:
        lock = WorkspaceLock(self._common_folder / "wenkong")
        _children[:] = [child for child in _children if child.poll() is None]
        try:
            with lock(_LOCK, 0):
                pass
        except WorkspaceBusyError:
            return
        command = [
            sys.executable,
            "-m",
            "controller.adapters.pack_upkeep",
            str(self._common_folder),
            str(self._program.work_folder),
        ]
        quiet = subprocess.DEVNULL
        if sys.platform == "win32":
            child = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, creationflags=_DETACHED)
        else:
            child = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
        _children.append(child)

    def _sweep(self) -> None:
        """Delete what killed git processes left: unfinished packs and crash reports."""
        packs = self._common_folder / "objects" / "pack"
        oldest = time.time() - _STALE_AFTER
        for path in [*packs.glob("tmp_*"), *packs.glob(".tmp-*"), *self._common_folder.glob("fast_import_crash_*")]:
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < oldest:
                    path.unlink()


def main(arguments: list[str]) -> None:
    """Do the upkeep of the repository named by its folder and the workspace's; run as a separate process."""
    from pathlib import Path

    from controller.adapters.git_program import GitProgram

    common_folder, work_folder = (Path(argument) for argument in arguments)
    with contextlib.suppress(QmsError, OSError):
        PackUpkeep(GitProgram(common_folder, work_folder), common_folder).tidy()


if __name__ == "__main__":
    main(sys.argv[1:])
