"""档案端口. The archive branch, its writer, and what this computer remembers of it, as the use cases see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from controller.domain.errors import DamagedError
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from controller.domain.identifiers import Digest
    from controller.domain.record import Signatory


@dataclass(frozen=True)
class ArchiveChange:
    """归档写入. Files that one or many acts add to the archive in one commit; paths are never overwritten."""

    files: Mapping[str, bytes]
    by: Signatory
    at: datetime
    subject: str
    """First line of the commit message."""
    trailers: Mapping[str, str]


@dataclass(frozen=True)
class ControlledChange:
    """受控文件的更改. Files of branch `main` that change together with an archive commit, in one step or not at all."""

    changes: Mapping[str, bytes | None]
    """Path → new bytes; None deletes."""
    action: str
    subject: str
    note: str
    statement: str = ""
    """Archive path of the signed statement that covers the change; set where it is filed."""


class ArchiveRewrittenError(DamagedError):
    """档案历史被改写. A commit that was known before is no longer part of the archive's history."""

    code = "archive-rewritten"

    def __init__(self, *, commit: str) -> None:
        super().__init__(
            T("档案的历史被改写：归档 {commit} 已不在其中。", commit=commit[:12]),
            hint=T("档案只能追加。请运行 qms verify，并用备份或机器外的摘要核对。"),
        )


@dataclass(frozen=True)
class IrregularCommit:
    """不合规的提交. A commit of the archive that did not just add files on top of its one predecessor."""

    commit: str
    paths: tuple[str, ...]
    """Files that were changed, deleted or replaced."""
    merge: bool = False
    """True when it does not have exactly one predecessor."""
    unreadable: bool = False
    """True when history cannot be read from here on."""


class Archive(Protocol):
    """档案. The append-only archive branch of one site (docs/record-storage.md)."""

    def writing(self) -> AbstractContextManager[ArchiveWriter]:
        """Take the site's write lock, and give a writer on the present tip; raises `WorkspaceBusyError` on timeout."""
        ...

    def tip(self) -> str | None:
        """Return the id of the newest archive commit, None while the archive is empty."""
        ...

    def read(self, path: str, *, at: str | None = None) -> bytes | None:
        """Return a file of the archive (at commit `at`, or the tip), None when there is none."""
        ...

    def listing(self, path: str, *, at: str | None = None) -> list[str]:
        """Return the names directly below `path`, sorted."""
        ...

    def walk(self, path: str = "", *, at: str | None = None) -> Iterator[tuple[str, bytes]]:
        """Yield every file below `path` with its bytes in path order, streaming; fit for hundreds of thousands."""
        ...

    def added_since(self, commit: str | None) -> Iterator[tuple[str, bytes]]:
        """Yield the files added after `commit` (all when None); raises `ArchiveRewrittenError` if it is no ancestor."""
        ...


class ExaminedArchive(Archive, Protocol):
    """可检查的档案. An archive that can be read although parts of it are damaged, and that shows its history."""

    def walk(
        self, path: str = "", *, at: str | None = None, damaged: Callable[[str], None] | None = None
    ) -> Iterator[tuple[str, bytes]]:
        """Yield every readable file below `path`; the path of what cannot be read is told to `damaged`."""
        ...

    def irregular_commits(self) -> Iterator[IrregularCommit]:
        """Yield every commit that does more than add files on top of exactly one other."""
        ...

    def holds(self, commit: str) -> bool:
        """Tell whether `commit` is part of the archive's present history."""
        ...

    def damage(self) -> Iterator[str]:
        """Yield, in the storage program's own words, everything that is broken anywhere in the object store."""
        ...


@dataclass(frozen=True)
class SeenHead:
    """见过的档案状态."""

    tip: str
    """Id of the archive commit."""
    records: int | None = None
    """How many records there were, where known."""
    main: str | None = None
    """Id of the newest commit of branch `main`, where known."""


class SeenHeads(Protocol):
    """见过的档案. How far this computer has seen the workspace, kept outside of it; no method ever fails."""

    @property
    def place(self) -> str:
        """Where it is kept, for people."""
        ...

    def last(self, site: str) -> SeenHead | None:
        """Return the archive tip of `site` that was seen last, None when none was."""
        ...

    def before(self, site: str) -> Sequence[tuple[str, SeenHead]]:
        """Return the other folders in which the workspace was seen before it was in this one, with the tips there."""
        ...

    def remember(self, site: str, head: SeenHead) -> None:
        """Keep `head` as the last one seen of `site`."""
        ...

    def root(self) -> Digest | None:
        """Return the fingerprint of the root certificate that was seen first, None when none was."""
        ...

    def pin(self, root: Digest) -> None:
        """Keep `root` as the root of this workspace."""
        ...


class ArchiveReader(Protocol):
    """档案所见. The archive as it stands for whoever is about to add to it."""

    def read(self, path: str) -> bytes | None:
        """Return a file, None when there is none."""
        ...

    def listing(self, path: str) -> list[str]:
        """Return the names directly below `path`, sorted."""
        ...


class ArchiveWriter(Protocol):
    """档案写入者. Valid inside `Archive.writing()`; knows the last serial of every form and year."""

    def last_serial(self, form: str, year: int) -> int:
        """Return the highest serial allocated on the tip (0 when none), pending changes of this writer included."""
        ...

    def read(self, path: str) -> bytes | None:
        """Return a file as of the tip, None when there is none."""
        ...

    def listing(self, path: str) -> list[str]:
        """Return the names directly below `path` as of the tip, sorted."""
        ...

    def moment(self, now: datetime, *, corrected: bool = False) -> datetime:
        """Return the time for the next entry: `now`, or that of the tip when the clock lags a little behind it.

        With `corrected` the clock is believed: a signed statement says that it ran ahead before.

        Raises:
            ClockBackwardsError: the clock is far behind the tip.
        """
        ...

    def append(self, change: ArchiveChange, *, controlled: ControlledChange | None = None) -> str:
        """Make the change durable as one commit and move the branch by compare-and-swap; return the commit id.

        With `controlled`, branch `main` and the working files change in the same step.
        """
        ...

    def append_many(self, changes: Iterable[ArchiveChange]) -> str:
        """The same for a stream of changes, one commit each, in one run; all become visible together or none."""
        ...


class BranchHeads(Protocol):
    """分支现状. Where every branch of the repository stands."""

    def all(self) -> Mapping[str, str]:
        """Return branch name (`main`, `archive/main`) → id of its newest commit."""
        ...

    def newest(self, branch: str) -> datetime | None:
        """Return the time of the branch's newest commit, None when there is no such branch."""
        ...
