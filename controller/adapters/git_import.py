"""提交写入. Writes commits with `git fast-import`, without an index, and then moves branches in one transaction.

The commits go to a private ref first. Only when they are durable does one `git update-ref` transaction compare the old
value of every branch and move it: a process killed at any instant leaves either the old or the new branch, whole.
"""

from __future__ import annotations

import contextlib
import secrets
import tempfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.adapters.git_program import RefMovedError, sync_folder
from controller.adapters.stored_path import check_path
from controller.domain.errors import MisconfiguredError
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from controller.adapters.git_objects import GitObjects

INBOX = "refs/wenkong/inbox"
"""Where unfinished writes hold their commits."""
GRACE = 1.0
"""Seconds for which an unchanged lock file of git is respected; a ref transaction takes milliseconds."""
_GRACE_STEP = 0.02
NOTHING = "0" * 40
"""Git's way to say that a ref does not exist."""


class LockStuckError(MisconfiguredError):
    """锁文件清除不了. What lies where git makes its lock file cannot be taken away; nothing was written."""

    code = "lock-stuck"

    def __init__(self, *, path: Path) -> None:
        super().__init__(
            T("“{path}”占着锁文件的位置，清除不了，没有写入任何内容。", path=path),
            hint=T("请先关闭使用这个工作区的其他程序，再把它移到工作区以外，然后重试。"),
            where=str(path),
        )


@dataclass(frozen=True)
class Commit:
    """一次提交. What one commit changes and who is named in it."""

    files: Mapping[str, bytes | None]
    """Path → bytes; None deletes."""
    name: str
    person: str
    at: datetime
    message: str


def message(subject: str, trailers: Mapping[str, str], note: str = "") -> str:
    """Return a commit message; line breaks in its parts cannot forge trailers."""
    parts = [_line(subject) or "-"]
    if note.strip():
        # An indented line is never read as a trailer.
        parts.append("\n".join(f"    {line}".rstrip() for line in note.strip().splitlines()))
    if trailers:
        parts.append("\n".join(f"{_line(key)}: {_line(value)}" for key, value in trailers.items()))
    return "\n\n".join(parts) + "\n"


class CommitStream:
    """提交流. A running `git fast-import` that takes commits one after another."""

    def __init__(self, objects: GitObjects, ref: str, parent: str | None) -> None:
        self._objects = objects
        self._ref = ref
        self._parent = parent
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        try:
            self._process = objects.program.start(
                "fast-import", "--quiet", "--done", "--date-format=raw", stderr=self._errors.fileno()
            )
        except BaseException:
            self._errors.close()
            raise
        self.commits = 0

    def add(self, commit: Commit) -> None:
        """Send one commit.

        Raises:
            PathRefusedError: a path cannot be stored.
            NoSpaceError, StorageDeniedError, GitFailedError: git has given up.
        """
        who = f"{_name(commit.name)} <{_name(commit.person)}> {int(commit.at.timestamp())} {commit.at.strftime('%z')}"
        parts = [
            f"commit {self._ref}\nmark :1\nauthor {who}\ncommitter {who}\n".encode(),
            _data(commit.message.encode("utf-8")),
        ]
        if self.commits == 0 and self._parent is not None:
            parts.append(f"from {self._parent}\n".encode())
        for path, data in commit.files.items():
            quoted = check_path(path).encode("utf-8")
            if data is None:
                parts.append(b'D "%b"\n' % quoted)
            else:
                parts.append(b'M 100644 inline "%b"\n' % quoted)
                parts.append(_data(data))
        self._send(b"".join(parts))
        self.commits += 1

    def finish(self) -> str:
        """End the stream, wait until everything is durable, and return the id of the last commit."""
        self._send(b"get-mark :1\ndone\n")
        try:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.close()
            answer = self._process.stdout.read()
        except OSError:
            answer = b""
        if self._process.wait() != 0 or not answer:
            raise self._failure()
        return answer.strip().decode()

    def close(self) -> None:
        """Stop git if it still runs; what it wrote belongs to nobody and is swept up."""
        self._process.stop()
        self._errors.close()
        crash = self._objects.program.git_folder / f"fast_import_crash_{self._process.pid}"
        with contextlib.suppress(OSError):
            crash.unlink(missing_ok=True)

    def _send(self, data: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(data)
        except OSError as exc:
            raise self._failure() from exc

    def _failure(self) -> Exception:
        code = self._process.wait()
        self._errors.seek(0)
        return self._objects.program.failure(self._errors.read(), code)


@contextlib.contextmanager
def commit_stream(objects: GitObjects, parent: str | None, *, label: str) -> Iterator[tuple[CommitStream, str]]:
    """Give a stream on top of commit `parent` and the private ref it writes; both are gone when the block fails."""
    ref = f"{INBOX}/{label}-{secrets.token_hex(8)}"
    packs = objects.common_folder / "objects" / "pack"
    before = _unfinished(packs)
    stream = CommitStream(objects, ref, parent)
    try:
        yield stream, ref
    except BaseException:
        stream.close()
        # What a dead fast-import leaves would only take space, which may be what is missing.
        for path in _unfinished(packs) - before:
            with contextlib.suppress(OSError):
                path.unlink()
        raise
    finally:
        stream.close()
    sync_folder(packs)


@dataclass(frozen=True)
class BranchMove:
    """分支移动. One branch from `old` (None: it must not exist) to `new`, and the private ref that held `new`."""

    branch: str
    old: str | None
    new: str
    held: str


def move_branches(objects: GitObjects, moves: Sequence[BranchMove]) -> None:
    """Move every branch and drop the private refs, all or nothing, durably.

    Raises:
        RefMovedError: a branch is no longer at its old place.
    """
    steps = [f"update {move.branch}\0{move.new}\0{move.old or NOTHING}\0".encode() for move in moves]
    steps += [f"delete {move.held}\0{move.new}\0".encode() for move in moves]
    try:
        objects.program.run("update-ref", "--stdin", "-z", stdin=b"".join(steps))
    except Exception as exc:
        for move in moves:
            if objects.ref(move.branch) not in {move.old, move.new}:
                raise RefMovedError(branch=move.branch.removeprefix("refs/heads/")) from exc
        raise
    for folder in {(objects.common_folder / move.branch).parent for move in moves}:
        sync_folder(folder)


def clear_after_killed(objects: GitObjects, branch: str, label: str) -> None:
    """Remove what killed writers called `label` left in the way; the caller holds their lock.

    Git's own lock files outlive a killed git. Those of private refs can only be theirs; those that other programs use
    too are taken for dead when the same file is still there after `GRACE` seconds.

    Raises:
        LockStuckError: something in the way cannot be removed; it is no file, or belongs to somebody else.
    """
    folder = objects.common_folder / INBOX
    if folder.is_dir():
        left = [path for path in folder.iterdir() if path.name.rsplit("-", 1)[0] == label]
        for path in left:
            if path.suffix == ".lock":
                _clear(path)
        refs = [(name, value) for path in left if (value := objects.ref(name := f"{INBOX}/{path.name}")) is not None]
    else:
        refs = []
    common = objects.common_folder
    shared = [common / name for name in (f"{branch}.lock", "packed-refs.lock", "packed-refs.new")]
    keeps = (common / "objects" / "pack").glob("*.keep")
    _remove_dead([path for path in shared if path.exists()] + [path for path in keeps if _of_import(path)])
    if refs:
        steps = b"".join(f"delete {ref}\0{value}\0".encode() for ref, value in refs)
        objects.program.run("update-ref", "--stdin", "-z", stdin=steps)


def _of_import(keep: Path) -> bool:
    """Tell whether a pack is kept apart by a fast-import that is or was at work; others keep theirs for good."""
    try:
        content = keep.read_bytes()
    except OSError:
        return False
    # A fast-import killed between making the file and writing into it leaves it empty.
    return not content or content.startswith(b"fast-import")


def _remove_dead(paths: Sequence[Path]) -> None:
    """Delete those of `paths` that stay as they are for `GRACE` seconds; what is alive finishes or changes."""
    if not paths:
        return
    before = {path: _identity(path) for path in paths}
    until = time.monotonic() + GRACE
    while time.monotonic() < until and any(path.exists() for path in paths):
        time.sleep(_GRACE_STEP)
    for path, identity in before.items():
        if identity is not None and _identity(path) == identity:
            _clear(path)


def _clear(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as exc:
        raise LockStuckError(path=path) from exc


def _identity(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _unfinished(packs: Path) -> set[Path]:
    return set(packs.glob("tmp_*")) if packs.is_dir() else set()


def _data(data: bytes) -> bytes:
    return b"data %d\n%b\n" % (len(data), data)


def _name(text: str) -> str:
    return " ".join("".join(char for char in text if char not in "<>\0").split()) or "-"


def _line(text: str) -> str:
    return " ".join(text.replace("\0", " ").split())
