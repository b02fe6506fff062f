"""测试用历史. The commits of a library in memory, for tests of what reads history."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller.services.examination_ports import HistoricCommit, PathChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


@dataclass
class MemoryHistory:
    """Port `LibraryHistory`."""

    commits: list[HistoricCommit] = field(default_factory=list)
    blobs: dict[str, bytes] = field(default_factory=dict)
    present: dict[str, str] = field(default_factory=dict)

    def commit(self, at: int, files: Mapping[str, bytes | None], *, statement: str = "") -> None:
        """Add a commit with these files; None takes one away."""
        changes = []
        for path, data in files.items():
            if data is None:
                del self.present[path]
                changes.append(PathChange(path, "D", "0" * 40))
                continue
            oid = hashlib.sha256(data).hexdigest()[:40]
            changes.append(PathChange(path, "M" if path in self.present else "A", oid))
            self.blobs[oid] = data
            self.present[path] = oid
        parents = (self.commits[-1].commit,) if self.commits else ()
        self.commits.append(HistoricCommit(f"{len(self.commits) + 1:040x}", parents, at, tuple(changes), statement))

    def tip(self, branch: str) -> str | None:
        """Return the newest commit."""
        return self.commits[-1].commit if self.commits and branch == "main" else None

    def log(
        self, tip: str, *, without: str | None = None, paths: Sequence[str] = (), statements: bool = False
    ) -> Iterator[HistoricCommit]:
        """Yield the commits that touch `paths`, with only these changes."""
        del tip, without, statements
        for commit in self.commits:
            touched = [item for item in commit.changes if any(f"{item.path}/".startswith(f"{path}/") for path in paths)]
            if touched:
                yield HistoricCommit(commit.commit, commit.parents, commit.at, tuple(touched), commit.statement)

    def contents(self, named: Iterable[tuple[str, str]]) -> Iterator[tuple[str, bytes | None]]:
        """Yield the bytes that were committed."""
        for name, oid in named:
            yield name, self.blobs.get(oid)

    def many(self, contents: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the bytes that were committed."""
        for oid in contents:
            yield oid, self.blobs[oid]
