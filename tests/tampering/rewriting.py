"""改写历史. Makes a branch anew as somebody would who knows Git well: consistent, with authors and times kept."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from tests.tampering.signed_company import git

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

ORDINARY = "100644"
_HEADER = re.compile(rb"^(author|committer) (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Written:
    """A file that a commit puts somewhere; None as data: it takes it away."""

    data: bytes | None
    mode: str = ORDINARY


@dataclass(frozen=True)
class Commit:
    """A commit as it can be made again."""

    oid: str
    author: bytes
    committer: bytes
    message: bytes
    files: dict[str, Written] = field(default_factory=dict)
    root: bool = False
    """It has no predecessor, wherever it stands."""

    @property
    def at(self) -> int:
        return int(self.committer.split()[-2])

    def moved(self, seconds: int) -> Commit:
        """The same at another time."""
        return replace(self, author=_moved(self.author, seconds), committer=_moved(self.committer, seconds))


def _moved(who: bytes, seconds: int) -> bytes:
    head, at, zone = who.rsplit(b" ", 2)
    return b" ".join((head, str(int(at) + seconds).encode(), zone))


class Branch:
    """A branch of the repository in `workspace`, read once."""

    def __init__(self, workspace: Path, name: str) -> None:
        self.name = name
        self._workspace = workspace

    @cached_property
    def commits(self) -> tuple[Commit, ...]:
        """Oldest first."""
        oids = git(self._workspace, "rev-list", "--reverse", self.name).decode().split()
        return tuple(self._commit(oid) for oid in oids)

    def _commit(self, oid: str) -> Commit:
        raw = git(self._workspace, "cat-file", "commit", oid)
        head, _, message = raw.partition(b"\n\n")
        who = dict(_HEADER.findall(head))
        changed = git(self._workspace, "diff-tree", "-r", "-z", "--root", "--no-commit-id", "--no-renames", oid)
        parts = changed.decode().split("\0")
        files: dict[str, Written] = {}
        for facts, path in zip(parts[::2], parts[1::2], strict=False):
            words = facts.split()
            gone = words[4] == "D"
            data = None if gone else git(self._workspace, "cat-file", "blob", words[3])
            files[path] = Written(data, ORDINARY if gone else words[1])
        return Commit(oid, who[b"author"], who[b"committer"], message, files)

    @cached_property
    def files(self) -> dict[str, bytes]:
        """What the newest commit holds."""
        found: dict[str, bytes] = {}
        for commit in self.commits:
            for path, written in commit.files.items():
                if written.data is None:
                    found.pop(path)
                else:
                    found[path] = written.data
        return found

    def with_files(self, change: Callable[[str, Written], dict[str, Written]]) -> list[Commit]:
        """Return the commits with each file as `change` gives it: nothing, itself, or others."""
        made = []
        for commit in self.commits:
            files: dict[str, Written] = {}
            for path, written in commit.files.items():
                files |= change(path, written)
            made.append(replace(commit, files=files))
        return made

    def put(self, workspace: Path, commits: Sequence[Commit]) -> str:
        """Let the branch in `workspace` be these commits; return the newest. Those that did not change stay."""
        same = 0
        while same < min(len(commits), len(self.commits)) and commits[same] == self.commits[same]:
            same += 1
        parts: list[bytes] = []
        before = self.commits[same - 1].oid.encode() if same else b""
        for mark, commit in enumerate(commits[same:], 1):
            parts.append(b"reset refs/heads/tampered\n" if not before or commit.root else b"")
            parts.append(b"commit refs/heads/tampered\nmark :%d\n" % mark)
            parts.append(b"author %s\ncommitter %s\n" % (commit.author, commit.committer))
            parts.append(b"data %d\n%s\n" % (len(commit.message), commit.message))
            if before and not commit.root:
                parts.append(b"from %s\n" % before)
            for path, written in commit.files.items():
                if written.data is None:
                    parts.append(b"D %s\n" % path.encode())
                else:
                    parts.append(b"M %s inline %s\n" % (written.mode.encode(), path.encode()))
                    parts.append(b"data %d\n%s\n" % (len(written.data), written.data))
            before = b":%d" % mark
        if same < len(commits):
            quick = ("-c", "core.fsync=none", "fast-import", "--quiet", "--force", "--done")
            git(workspace, *quick, stdin=b"".join([*parts, b"done\n"]))
            tip = git(workspace, "rev-parse", "tampered").decode().strip()
            git(workspace, "update-ref", "-d", "refs/heads/tampered")
        else:
            tip = self.commits[same - 1].oid
        point(workspace, self.name, tip)
        return tip


def point(workspace: Path, branch: str, tip: str) -> None:
    """Let a branch be at `tip`."""
    git(workspace, "update-ref", f"refs/heads/{branch}", tip)
