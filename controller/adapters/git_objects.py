"""Git 对象读取. Reads files and folders of commits from the object database, one by one or in a stream.

GitPython opens the repository; one `git cat-file --batch` is kept at work, so that a read costs a fraction of a
millisecond at any size of the archive. Nothing here looks at the working folder or at an index.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from controller.adapters.git_program import GitProgram
from controller.adapters.stored_path import DEEPEST
from controller.domain.errors import DamagedError, MisconfiguredError
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from controller.adapters.git_program import RunningGit

_COMMIT = re.compile(r"[0-9a-f]{40}")
_AT_ONCE = 64
"""Objects asked for in one go: their names fit any pipe, so that neither side can block the other."""


class NotARepositoryError(MisconfiguredError):
    """不是完整的工作区. The folder has no repository, or one without the branches it must have."""

    code = "workspace-incomplete"

    def __init__(self, *, folder: Path, problem: Text) -> None:
        super().__init__(
            T("工作区“{folder}”不完整：{problem}。", folder=folder, problem=problem),
            hint=T("新建时被中断的，删除该目录后重新运行 qms init；原来能用的，请从备份恢复。"),
            where=str(folder),
        )


class ObjectDamagedError(DamagedError):
    """存储的内容读不出. An object of the repository is missing or corrupt."""

    code = "object-damaged"

    def __init__(self, *, name: str) -> None:
        super().__init__(
            T("“{name}”的内容丢失或损坏，读不出来。", name=name[:200]),
            hint=T("请运行 qms verify 查看影响范围，并从备份恢复。"),
            where=name,
        )


@dataclass(frozen=True)
class TreeEntry:
    """目录中的一项."""

    name: str
    oid: str
    is_folder: bool


class GitObjects:
    """Git 对象. The object database and the refs of one repository; safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
        import git

        try:
            self.repository: Any = git.Repo(folder, search_parent_directories=False, expand_vars=False)
        except (git.InvalidGitRepositoryError, git.NoSuchPathError) as exc:
            raise NotARepositoryError(folder=folder, problem=T("没有版本库（.git）")) from exc
        self.folder = folder
        self.common_folder: Path = Path(self.repository.common_dir).resolve()
        """Where refs and objects lie, also when `folder` is a linked working folder."""
        self.program = GitProgram(Path(self.repository.git_dir).resolve(), folder)
        self.repository.git.update_environment(**self.program.environment)
        self._reader: RunningGit | None = None
        self._loose: set[str] = set()
        """Refs that GitPython found sound to read: their files are read again and again, and most often lie loose."""
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let the reading process go."""
        with self._lock:
            self._drop_reader()

    def ref(self, name: str) -> str | None:
        """Return the commit that the full ref `name` points to, None when there is none or it is damaged."""
        if name in self._loose:
            with contextlib.suppress(OSError, ValueError):
                there = (self.common_folder / name).read_text(encoding="ascii").rstrip()
                if _COMMIT.fullmatch(there):
                    return there
        import git

        try:
            found = git.SymbolicReference.dereference_recursive(self.repository, name)
        except (ValueError, AssertionError, OSError):
            return None  # GitPython meets an empty or unreadable file with whatever comes first
        commit = str(found)
        if not _COMMIT.fullmatch(commit):
            return None
        self._loose.add(name)
        return commit

    def get(self, name: str) -> tuple[str, str, bytes] | None:
        """Return id, type and bytes of the object `name` (`<commit>:<path>` too), None when there is none.

        Raises:
            ObjectDamagedError: it is there but cannot be read.
        """
        if "\n" in name or "\0" in name:
            return None
        with self._lock:
            reader = self._reader
            if reader is None:
                reader = self._reader = self.program.start("cat-file", "--batch")
            assert reader.stdin is not None
            assert reader.stdout is not None
            try:
                reader.stdin.write(name.encode() + b"\n")
                reader.stdin.flush()
                found = _reply(reader.stdout)
            except (OSError, _ReaderDied) as exc:
                self._drop_reader()
                raise ObjectDamagedError(name=name) from exc
            except BaseException:
                self._drop_reader()
                raise
        return found

    def _drop_reader(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.stop()

    def folder_entries(self, name: str) -> list[TreeEntry]:
        """Return what the folder (tree object) `name` holds, in Git's order; empty when there is no such folder."""
        found = self.get(name)
        return parse_tree(found[2]) if found and found[1] == "tree" else []

    def blobs(self, commit: str, path: str, damaged: Callable[[str], None] | None = None) -> Iterator[tuple[str, str]]:
        """Yield path and object id of every file below `path` in `commit`, in path order.

        Folders that cannot be read are told to `damaged`, or raise `ObjectDamagedError` without it.
        """
        top = self.get(f"{commit}:{path}")
        if top is None or top[1] != "tree":
            return
        arguments = ["ls-tree", "-r", "-z", "--full-tree", top[0]]
        prefix = f"{path}/" if path else ""
        done: str | None = None
        with self.program.running(*arguments, stdin=subprocess.DEVNULL) as process:
            assert process.stdout is not None
            for line in _zero_lines(process.stdout):
                head, _, name = line.partition(b"\t")
                if name.count(b"/") > DEEPEST:
                    break
                done = prefix + name.decode("utf-8", "surrogateescape")
                yield done, head.split(b" ")[2].decode()
            else:
                if process.wait() == 0:
                    return
        for path_below, oid in self._walk_slowly(top[0], prefix, damaged):
            if done is None or path_below > done:
                yield path_below, oid

    def _walk_slowly(
        self, tree: str, prefix: str, damaged: Callable[[str], None] | None, above: frozenset[str] = frozenset()
    ) -> Iterator[tuple[str, str]]:
        try:
            found = self.get(tree) if tree not in above else None
        except ObjectDamagedError:
            found = None
        if found is None:
            if damaged is None:
                raise ObjectDamagedError(name=prefix.rstrip("/"))
            damaged(prefix.rstrip("/"))
            return
        for entry in parse_tree(found[2]):
            if entry.is_folder:
                yield from self._walk_slowly(entry.oid, f"{prefix}{entry.name}/", damaged, above | {tree})
            else:
                yield prefix + entry.name, entry.oid

    def contents(
        self, named: Iterable[tuple[str, str]], damaged: Callable[[str], None] | None = None
    ) -> Iterator[tuple[str, bytes]]:
        """Yield name and bytes for each (name, object id), streaming, in order.

        Objects that cannot be read are told to `damaged` by name, or raise `ObjectDamagedError` without it.
        """
        waiting: deque[tuple[str, str]] = deque()
        source = iter(named)
        process: RunningGit | None = None
        try:
            while True:
                while len(waiting) < _AT_ONCE and (item := next(source, None)) is not None:
                    waiting.append(item)
                if not waiting:
                    return
                if process is None:
                    process = self.program.start("cat-file", "--batch")
                assert process.stdin is not None
                assert process.stdout is not None
                try:
                    process.stdin.write(b"".join(oid.encode() + b"\n" for _, oid in waiting))
                    process.stdin.flush()
                    while waiting:
                        found = _reply(process.stdout)
                        name = waiting.popleft()[0]
                        if found is None:
                            _tell(name, damaged)
                        else:
                            yield name, found[2]
                except (OSError, _ReaderDied):
                    # git gives up on a corrupt object; the next process goes on behind it.
                    process.stop()
                    process = None
                    _tell(waiting.popleft()[0], damaged)
        finally:
            if process is not None:
                process.stop()


def _tell(name: str, damaged: Callable[[str], None] | None) -> None:
    if damaged is None:
        raise ObjectDamagedError(name=name)
    damaged(name)


def parse_tree(data: bytes) -> list[TreeEntry]:
    """Return the entries of a tree object's bytes."""
    entries, place = [], 0
    while place < len(data):
        space = data.index(b" ", place)
        end = data.index(b"\0", space)
        name = data[space + 1 : end].decode("utf-8", "surrogateescape")
        entries.append(TreeEntry(name, data[end + 1 : end + 21].hex(), data[place:space] == b"40000"))
        place = end + 21
    return entries


class _ReaderDied(Exception):  # noqa: N818 - a signal inside this module, never an error anybody sees
    pass


def _reply(pipe: Any) -> tuple[str, str, bytes] | None:
    line: bytes = pipe.readline()
    if not line.endswith(b"\n"):
        raise _ReaderDied
    words = line.split()
    if len(words) != 3 or words[1] not in {b"blob", b"tree", b"commit", b"tag"}:  # noqa: PLR2004 - id, type, size
        return None
    size = int(words[2])
    data: bytes = pipe.read(size + 1)
    if len(data) != size + 1:
        raise _ReaderDied
    return words[0].decode(), words[1].decode(), data[:-1]


def _zero_lines(pipe: Any) -> Iterator[bytes]:
    rest = b""
    with contextlib.closing(pipe):
        while block := pipe.read(1 << 16):
            *lines, rest = (rest + block).split(b"\0")
            yield from lines
