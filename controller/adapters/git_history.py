"""Git 历史. Streams the commits of a branch, oldest first, each with exactly what it changed; one git at work."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

from controller.adapters.git_objects import GitObjects, ObjectDamagedError
from controller.adapters.stored_path import DEEPEST
from controller.services.examination_ports import HistoricCommit, HistoryUnreadable, PathChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

_COMMIT = re.compile(r"[0-9a-f]{40}")
_HEAD = b"\x01"
_BLOCK = 1 << 16
_TRAILER = "%(trailers:key=QMS-Statement,valueonly,separator=%x2C)"


class GitBranchHistory:
    """Git 历史. Implements `BranchHistory` for the workspace in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._objects = GitObjects(folder)

    def close(self) -> None:
        """Let the reading process go."""
        self._objects.close()

    def tip(self, branch: str) -> str | None:
        """Return the id of the newest commit of `branch`, None when there is none."""
        return self._objects.ref(f"refs/heads/{branch}")

    def holds(self, branch: str, commit: str) -> bool:
        """Tell whether `commit` is part of the branch's present history.

        Raises:
            ObjectDamagedError, GitFailedError: history cannot be read.
        """
        tip = self.tip(branch)
        if tip is None or not _COMMIT.fullmatch(commit):
            return False
        if tip == commit:
            return True
        if self._objects.get(commit) is None:
            return False
        return not self._objects.program.run("rev-list", "--max-count=1", commit, f"^{tip}")

    def commits(self, branch: str, *, tip: str | None = None, statements: bool = False) -> Iterator[HistoricCommit]:
        """Yield every commit oldest first; a merge once, with what it changed against each predecessor.

        Raises:
            HistoryUnreadable: a commit or one of its folders is missing or damaged.
        """
        tip = tip or self.tip(branch)
        if tip is not None:
            yield from self.log(tip, statements=statements)

    def newest(self, branch: str) -> HistoricCommit | None:
        """Return the newest commit of `branch` with what it changed; None when there is none.

        Raises:
            HistoryUnreadable: it is missing or damaged.
        """
        tip = self.tip(branch)
        return next(iter(list(self.log(tip, statements=True, most=1))), None) if tip is not None else None

    def log(
        self,
        tip: str,
        *,
        without: str | None = None,
        paths: Sequence[str] = (),
        statements: bool = False,
        most: int | None = None,
    ) -> Iterator[HistoricCommit]:
        """Yield commits up to `tip` oldest first, without those up to `without`; with `paths` only what touches them.

        `most` stops at that many, counted from `tip`.

        Raises:
            HistoryUnreadable: a commit or one of its folders is missing or damaged.
        """
        shown = "%x01%H %ct %P" + (f"%x01{_TRAILER}" if statements else "")
        arguments = [
            "log", "--reverse", "--topo-order", f"--format={shown}", "--raw", "--no-abbrev", "--no-renames",
            "-m", "--root", "-z", tip, *([f"^{without}"] if without else []),
            *([f"--max-count={most}"] if most is not None else []), "--", *paths,
        ]  # fmt: skip
        last = ""
        with self._objects.program.running(*arguments, stdin=subprocess.DEVNULL) as process:
            assert process.stdout is not None
            for found in _parsed(process.stdout):
                yield found
                last = found.commit
            if process.wait() != 0:
                raise HistoryUnreadable(last or self._last_readable(tip))

    def contents(self, named: Iterable[tuple[str, str]]) -> Iterator[tuple[str, bytes | None]]:
        """Yield name and bytes for each (name, content); None for what cannot be read."""
        for name, oid in named:
            try:
                found = self._objects.get(oid) if _COMMIT.fullmatch(oid) else None
            except ObjectDamagedError:
                found = None
            yield name, found[2] if found and found[1] == "blob" else None

    def many(self, contents: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield each of many contents with its bytes, in order, without those that cannot be read."""
        named = ((oid, oid) for oid in contents if _COMMIT.fullmatch(oid))
        yield from self._objects.contents(named, damaged=lambda _name: None)

    def _last_readable(self, tip: str) -> str:
        """Return the oldest commit that can be reached from the newest one."""
        last = tip
        with self._objects.program.running("rev-list", "--topo-order", tip, stdin=subprocess.DEVNULL) as process:
            assert process.stdout is not None
            for line in process.stdout:
                last = line.decode("ascii", "replace").strip()
        return last


def _parsed(pipe: Iterable[bytes]) -> Iterator[HistoricCommit]:
    """Turn what git prints into commits; a merge, which git prints once for each predecessor, comes out once."""
    commit, at, statement = "", 0, ""
    parents: tuple[str, ...] = ()
    changes: list[PathChange] = []
    raw: list[str] | None = None
    for part in _parts(pipe):
        if raw is not None:
            if part.count(b"/") > DEEPEST:
                raise HistoryUnreadable(commit)
            changes.append(PathChange(part.decode("utf-8", "surrogateescape"), raw[4][:1], raw[3], raw[1]))
            raw = None
        elif (line := part.lstrip(b"\n")).startswith(_HEAD):
            words = line[1:].split(_HEAD)
            told = words[0].decode("ascii", "replace").split()
            if told[0] == commit:
                continue
            if commit:
                yield HistoricCommit(commit, parents, at, tuple(changes), statement)
            commit, at, parents, changes = told[0], int(told[1]), tuple(told[2:]), []
            statement = words[1].decode("utf-8", "replace").strip() if len(words) > 1 else ""
        elif line.startswith(b":"):
            raw = line.decode("ascii", "replace")[1:].split(" ")
    if commit:
        yield HistoricCommit(commit, parents, at, tuple(changes), statement)


def _parts(pipe: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    read = pipe.read  # type: ignore[attr-defined]
    while block := read(_BLOCK):
        *parts, rest = (rest + block).split(b"\0")
        yield from parts
    if rest.strip():
        yield rest
