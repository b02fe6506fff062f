"""Git 目录读取. Reads many folders of one archive commit in a single stream, past whatever is damaged."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from controller.adapters.git_objects import GitObjects, ObjectDamagedError
from controller.adapters.stored_path import DEEPEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

_BLOCK = 1 << 16
_AT_ONCE = 200
"""Folders named to one git: a command line has its limits."""


class GitFolderWalk:
    """Git 目录读取. Implements `FolderWalk` on one commit."""

    def __init__(self, folder: Path, commit: str) -> None:
        self._objects = GitObjects(folder)
        self._commit = commit

    def close(self) -> None:
        """Let the reading process go."""
        self._objects.close()

    def files(self, folders: Sequence[str], damaged: Callable[[str], None]) -> Iterator[tuple[str, bytes]]:
        """Yield every readable file below `folders` with its bytes, in path order."""
        return self._objects.contents(self._named(folders, damaged), damaged)

    def _named(self, folders: Sequence[str], damaged: Callable[[str], None]) -> Iterator[tuple[str, str]]:
        for begin in range(0, len(folders), _AT_ONCE):
            some = folders[begin : begin + _AT_ONCE]
            arguments = ["ls-tree", "-r", "-z", "--full-tree", self._commit, "--", *some]
            done: str | None = None
            met: set[str] = set()
            place = 0
            endless = False
            with self._objects.program.running(*arguments, stdin=subprocess.DEVNULL) as process:
                assert process.stdout is not None
                for path, oid in _lines(process.stdout.read):
                    endless = path.count("/") > DEEPEST
                    if endless:
                        break
                    while place < len(some) and not _inside(path, some[place]):
                        place += 1
                    if place < len(some):
                        met.add(some[place])
                    done = path
                    yield path, oid
                sound = not endless and process.wait() == 0
            left = [item for item in some if not sound or item not in met]
            if left:
                yield from self._one_by_one(left, done, damaged)

    def _one_by_one(
        self, folders: Sequence[str], done: str | None, damaged: Callable[[str], None]
    ) -> Iterator[tuple[str, str]]:
        """Yield what comes after `done`, asking for each folder by itself."""
        for folder in folders:
            some = False
            try:
                for path, oid in self._objects.blobs(self._commit, folder, damaged):
                    some = True
                    if done is None or path > done:
                        yield path, oid
                if not some:
                    damaged(folder)
            except ObjectDamagedError:
                damaged(folder)


def _inside(path: str, folder: str) -> bool:
    return path.startswith(folder) and path[len(folder) :][:1] in {"", "/"}


def _lines(read: Callable[[int], bytes]) -> Iterator[tuple[str, str]]:
    rest = b""
    while block := read(_BLOCK):
        *lines, rest = (rest + block).split(b"\0")
        for line in lines:
            head, _, name = line.partition(b"\t")
            yield name.decode("utf-8", "surrogateescape"), head.split(b" ")[2].decode()
