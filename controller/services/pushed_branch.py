"""推送的分支. What a push brings to the shared server, the rules it is judged by, and a branch as it would become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from controller.domain.conformity import Finding, Gravity
from controller.domain.text import T
from controller.services.commit_order import in_zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import tzinfo

    from controller.domain.identifiers import Digest
    from controller.services.examination_ports import HistoricCommit

_AHEAD = 600
"""Seconds by which a commit may be ahead of the server's clock."""


class PushedRepository(Protocol):
    """推送中的版本库. The server's repository together with what is being pushed and not yet part of it."""

    def contains(self, commit: str, ancestor: str) -> bool:
        """Tell whether `ancestor` is part of the history of `commit`."""
        ...

    def log(
        self, tip: str, *, without: str | None = None, paths: Sequence[str] = (), statements: bool = False
    ) -> Iterator[HistoricCommit]:
        """Yield commits up to `tip` oldest first, without those up to `without`; with `paths` only what touches them.

        Raises:
            HistoryUnreadable: a commit or one of its folders is missing or damaged.
        """
        ...

    def contents(self, named: Iterable[tuple[str, str]]) -> Iterator[tuple[str, bytes | None]]:
        """Yield name and bytes for each (name, content); None for what cannot be read."""
        ...

    def read(self, commit: str, path: str) -> bytes | None:
        """Return a file as of `commit`, None when there is none."""
        ...

    def files(self, commit: str, folders: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Yield every file below `folders`, which are in path order, as of `commit`, in path order."""
        ...


@dataclass(frozen=True)
class GuardRules:
    """把关规则. What the server was set up with, and its clock."""

    root: Digest
    """The root certificate in force, from the sealed sheet."""
    now: int
    """The server's time in seconds since 1970."""
    zone: tzinfo
    """For times in messages."""

    def ahead(self, commit: HistoricCommit) -> Iterator[Finding]:
        """Yield that a commit claims to be of a time that is still to come, where it does."""
        if commit.at > self.now + _AHEAD:
            message = T(
                "归档 {commit} 的时间 {at} 晚于服务器的时间 {now}。",
                commit=commit.commit[:12],
                at=in_zone(commit.at, self.zone),
                now=in_zone(self.now, self.zone),
            )
            yield Finding("commit-time-ahead", Gravity.ERROR, message)


class BranchAt:
    """某一提交处的分支. A branch as the push would make it; implements `BranchHistory` and the reading of archives."""

    def __init__(self, repository: PushedRepository, commit: str | None, *, paths: Sequence[str] = ()) -> None:
        self._repository = repository
        self._commit = commit
        self._paths = paths
        self.contents = repository.contents

    def tip(self, branch: str) -> str | None:
        """Return the commit."""
        del branch
        return self._commit

    def commits(self, branch: str, *, tip: str | None = None, statements: bool = False) -> Iterator[HistoricCommit]:
        """Yield its commits oldest first."""
        del branch
        commit = tip or self._commit
        if commit is not None:
            yield from self._repository.log(commit, paths=self._paths, statements=statements)

    def holds(self, branch: str, commit: str) -> bool:
        """Tell whether `commit` is part of it."""
        del branch
        return self._commit is not None and self._repository.contains(self._commit, commit)

    def read(self, path: str, *, at: str | None = None) -> bytes | None:
        """Return a file."""
        commit = at or self._commit
        return self._repository.read(commit, path) if commit is not None else None


@dataclass(frozen=True)
class ArchivePush:
    """档案的推送. One archive branch of a push."""

    site: str
    old: str | None
    """The branch's commit on the server, None when it is new."""
    new: str
    main: str | None
    """The commit that `main` has after the push, None when there is none."""
