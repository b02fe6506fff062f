"""端口. Time, files, locks, keys of records as the use cases see them; larger topics have their own (`*_ports`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from controller.domain.identifiers import RecordNumber


class Clock(Protocol):
    """时钟. The only source of time."""

    def now(self) -> datetime:
        """Return the present moment, aware, in the company's time zone, cut to whole seconds."""
        ...


class LibraryFiles(Protocol):
    """库文件. Reads the files of the library, be it the approved ones or those in the folder as they are now."""

    def read(self, path: str) -> bytes | None:
        """Return the file's bytes, or None when there is none; `path` uses `/` and is relative to the workspace."""
        ...

    def folders(self, path: str) -> list[str]:
        """Return the names directly below folder `path` that are folders, sorted; empty when it does not exist."""
        ...

    def files(self, path: str) -> list[str]:
        """Return the paths of all files below folder `path`, sorted."""
        ...


class ApprovedFiles(LibraryFiles, Protocol):
    """已批准的库文件. Library files that stand still: what was read counts as long as the revision is the same."""

    def revision(self) -> str:
        """Return the id of the commit that is read."""
        ...


class ControlledFiles(Protocol):
    """受控文件. The approved content of branch `main`, read from its commit, never from a half-edited folder."""

    def revision(self) -> str:
        """Return the id of the commit that is read."""
        ...

    def read(self, path: str) -> bytes | None:
        """Return the file's bytes, or None when there is none; `path` uses `/` and is relative to the workspace."""
        ...

    def folders(self, path: str) -> list[str]:
        """Return the names directly below folder `path` that are folders, sorted; empty when it does not exist."""
        ...

    def files(self, path: str) -> list[str]:
        """Return the paths of all files below folder `path`, sorted."""
        ...


class RecordKeys(Protocol):
    """记录密钥. One random 256-bit key per record with sensitive values; kept outside Git and the workspace."""

    def create(self, numbers: Sequence[RecordNumber]) -> Mapping[RecordNumber, bytes]:
        """Make and durably store a key for each record, keeping one that is already there."""
        ...

    def present(self) -> bool:
        """Tell whether this computer has a key store of the workspace at all."""
        ...

    def get(self, number: RecordNumber) -> bytes | None:
        """Return the record's key, None when it was never made or has been destroyed."""
        ...

    def destroy(self, number: RecordNumber) -> None:
        """Erase the key: the sealed values can never be read again (disposal)."""
        ...


class Progress(Protocol):
    """进度. Told how far long work has come."""

    def __call__(self, done: int, total: int | None, /) -> None:
        """Report `done` of `total` steps (None: unknown)."""
        ...


class FileLockFactory(Protocol):
    """文件锁."""

    def __call__(self, name: str, timeout: float) -> AbstractContextManager[None]:
        """Hold the named lock of the workspace; raises `WorkspaceBusyError` after `timeout` seconds."""
        ...


class LibraryWriter(Protocol):
    """工作文件写入. Writes into the workspace folder; nothing comes into force by it."""

    def write(self, path: str, data: bytes) -> None:
        """Write the file, replacing an older one in one step; `path` uses `/` and is relative to the workspace."""
        ...


class LibraryFolder(LibraryWriter, Protocol):
    """工作目录. The workspace folder, where files are also taken away."""

    def remove(self, path: str) -> None:
        """Take the file away; nothing happens when there is none."""
        ...
