"""Git 受控文件. The approved content on branch `main`, read from its commit, changed by exact paths (ISO 13485 4.2.4).

A half-edited folder never governs: everything is read from the commit. A change is committed together with the working
files and the index entries of the same paths, so that what the user sees is what is in force.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from controller.adapters.archive_branch import archive_branch
from controller.adapters.git_import import (
    BranchMove,
    Commit,
    clear_after_killed,
    commit_stream,
    message,
    move_branches,
)
from controller.adapters.git_objects import GitObjects, NotARepositoryError, parse_tree
from controller.adapters.git_program import (
    GitFailedError,
    GitProgram,
    NoSpaceError,
    StorageDeniedError,
    durable_settings,
    git_version,
    sync_folder,
)
from controller.adapters.stored_path import PathRefusedError, check_path
from controller.domain.errors import RefusedError
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from controller.domain.record import Signatory
    from controller.services.archive_ports import ControlledChange
    from controller.services.ports import FileLockFactory

MAIN = "refs/heads/main"
LOCK = "controlled-files"
_LABEL = "controlled"
_KEPT_MOST = 8 << 20
_KEPT_ENTRY = 300
"""Bytes that an entry takes beside what it holds."""
_NO_SPACE = frozenset({28, 122, 27})  # ENOSPC, EDQUOT, EFBIG


class EditedFileError(RefusedError):
    """文件有未受控的修改. A working file was edited by hand; writing the approved content would lose the edit."""

    code = "file-edited"

    def __init__(self, *, path: str) -> None:
        super().__init__(
            T("文件“{path}”有尚未受控的修改，没有覆盖它。", path=path),
            hint=T("撤销这处修改并另存一份：qms change discard {path}；然后重试。", path=path),
            where=path,
        )


class FileInUseError(RefusedError):
    """文件被占用. Another program, usually Word or WPS, holds the working file open."""

    code = "file-in-use"

    def __init__(self, *, path: str) -> None:
        super().__init__(
            T("文件“{path}”正被其他程序打开，没有改动任何内容。", path=path),
            hint=T("请在 Word 或 WPS 中关闭该文件后重试。"),
            where=path,
        )


class RepositoryExistsError(RefusedError):
    """已有版本库. The folder already is, or was, a workspace."""

    code = "repository-exists"

    def __init__(self, *, folder: Path) -> None:
        super().__init__(
            T("“{folder}”里已有版本库，没有改动它。", folder=folder),
            hint=T("若这里已是工作区，直接使用即可；否则换一个新目录。"),
            where=str(folder),
        )


class GitControlledFiles:
    """Git 受控文件. Implements `ControlledFiles` for the workspace in `folder`."""

    def __init__(self, folder: Path, *, lock: FileLockFactory, patience: float = 60.0) -> None:
        self.folder = folder
        self._objects = GitObjects(folder)
        self._lock = lock
        self._patience = patience
        self._folders: dict[tuple[str, str], list[str]] = {}
        self._kept: dict[tuple[str, str], tuple[str, str, bytes] | None] = {}
        self._kept_bytes = 0

    def close(self) -> None:
        """Let the reading process go."""
        self._objects.close()

    def revision(self) -> str:
        """Return the id of the commit that is read.

        Raises:
            NotARepositoryError: the workspace has no branch `main`.
        """
        commit = self._objects.ref(MAIN)
        if commit is None:
            raise NotARepositoryError(folder=self.folder, problem=T("没有受控文件分支 main"))
        return commit

    def read(self, path: str, *, at: str | None = None) -> bytes | None:
        """Return the file's bytes, or None when there is none; `at` is an earlier commit."""
        found = self._object(at or self.revision(), path)
        return found[2] if found and found[1] == "blob" else None

    def folders(self, path: str, *, at: str | None = None) -> list[str]:
        """Return the names directly below folder `path` that are folders, sorted; empty when it does not exist."""
        found = self._object(at or self.revision(), path)
        entries = parse_tree(found[2]) if found and found[1] == "tree" else []
        return sorted(entry.name for entry in entries if entry.is_folder)

    def _object(self, commit: str, path: str) -> tuple[str, str, bytes] | None:
        """Return what `path` is in `commit`, which never changes: a check of the library reads it many times over."""
        key = (commit, path)
        if key not in self._kept:
            found = self._objects.get(f"{commit}:{path}")
            self._kept_bytes += _KEPT_ENTRY + (len(found[2]) if found else 0)
            if self._kept_bytes > _KEPT_MOST:
                self._kept, self._kept_bytes = {}, 0
            self._kept[key] = found
            return found
        return self._kept[key]

    def files(self, path: str, *, at: str | None = None) -> list[str]:
        """Return the paths of all files below folder `path`, sorted."""
        now = self.revision()
        key = (at or now, path)
        if key not in self._folders:
            self._folders = {known: value for known, value in self._folders.items() if known[0] in {now, at}}
            self._folders[key] = sorted(name for name, _ in self._objects.blobs(*key))
        return list(self._folders[key])

    @contextlib.contextmanager
    def prepared(self, change: ControlledChange, *, by: Signatory, at: datetime) -> Iterator[Sequence[BranchMove]]:
        """Make the commit of `change`, put its files into the folder, and give the move of `main` for the block to do.

        When the block fails, the folder is as it was. Nothing to change gives no move.

        Raises:
            EditedFileError: a working file of these paths was edited by hand.
            FileInUseError: a working file is open in another program.
            PathRefusedError: a path cannot be stored.
            NoSpaceError, StorageDeniedError: nothing was changed.
        """
        for path in change.changes:
            check_path(path)
        with self._lock(LOCK, self._patience):
            clear_after_killed(self._objects, MAIN, _LABEL)
            old = self.revision()
            wanted = {path: data for path, data in change.changes.items() if self.read(path) != data}
            if not wanted:
                yield ()
                return
            trailers = {
                "QMS-Action": change.action,
                "QMS-Subject": change.subject,
                "QMS-Signer": by.person,
                "QMS-Statement": change.statement,
            }
            text = message(f"{change.action}: {change.subject}", trailers, change.note)
            shown = self._objects.repository.head.reference.path == MAIN if self._on_branch() else False
            with commit_stream(self._objects, old, label=_LABEL) as (stream, ref):
                stream.add(Commit(wanted, by.name, by.person, at, text))
                new = stream.finish()
            with self._replaced(wanted if shown else {}):
                yield (BranchMove(MAIN, old, new, ref),)
            if shown:
                self._enter_in_index(wanted, new)

    def _on_branch(self) -> bool:
        return not self._objects.repository.head.is_detached

    @contextlib.contextmanager
    def _replaced(self, changes: Mapping[str, bytes | None]) -> Iterator[None]:
        """Put the new files in place for the block; when it fails, the old ones come back."""
        before: dict[str, bytes | None] = {}
        for path, data in changes.items():
            self._check_unlinked(path)
            before[path] = self._working_bytes(path)
            unedited = before[path] is None or before[path] == data or _same_text(before[path], self.read(path))
            if not unedited:
                raise EditedFileError(path=path)
        done: list[str] = []
        try:
            for path, data in changes.items():
                done.append(path)
                self._put(path, data)
            yield
        except BaseException:
            for path in done:
                with contextlib.suppress(OSError, RefusedError, StorageDeniedError, NoSpaceError):
                    self._put(path, before[path])
            raise

    def _check_unlinked(self, path: str) -> None:
        """Refuse a path that a link would lead out of the workspace."""
        place = self.folder
        for name in path.split("/"):
            place /= name
            if place.is_symlink():
                raise PathRefusedError(path=path, problem=T("“{name}”是链接，不是普通的文件或目录", name=name))

    def _working_bytes(self, path: str) -> bytes | None:
        try:
            return (self.folder / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except IsADirectoryError as exc:
            raise EditedFileError(path=path) from exc
        except PermissionError as exc:
            raise FileInUseError(path=path) from exc

    def _put(self, path: str, data: bytes | None) -> None:
        target = self.folder / path
        try:
            if data is None:
                target.unlink(missing_ok=True)
                self._leave_no_empty_folder(target.parent)
            else:
                write_file(target, data)
        except PermissionError as exc:
            if os.name == "nt" and target.exists():
                raise FileInUseError(path=path) from exc
            raise StorageDeniedError(where=path, detail=exc.strerror or str(exc)) from exc
        except OSError as exc:
            if exc.errno in _NO_SPACE:
                raise NoSpaceError(where=path) from exc
            raise StorageDeniedError(where=path, detail=exc.strerror or str(exc)) from exc

    def _leave_no_empty_folder(self, folder: Path) -> None:
        """Take away folders that hold nothing any more: whoever looks at the folder would miss files in them."""
        with contextlib.suppress(OSError):
            while folder != self.folder:
                folder.rmdir()
                folder = folder.parent

    def _enter_in_index(self, changes: Mapping[str, bytes | None], commit: str) -> None:
        """Bring the user's index up to date for these paths only; other staged changes stay as they are."""
        lines = []
        for path in changes:
            found = self._objects.get(f"{commit}:{path}")
            mode, oid = ("100644", found[0]) if found else ("0", "0" * 40)
            lines.append(f"{mode} {oid}\t{path}\0".encode())
        # The act is done; an index that another Git program holds just now only shows it later.
        with contextlib.suppress(GitFailedError):
            self._objects.program.run("update-index", "-z", "--index-info", stdin=b"".join(lines))
            self._objects.program.run("update-index", "-q", "--refresh", codes=(0, 1))


def init_repository(
    folder: Path, *, site: str, begin: Sequence[Mapping[str, bytes]], by: Signatory, at: datetime
) -> None:
    """Make the repository of a new workspace whose files lie in `folder`, in one step that happens or does not.

    Every file becomes part of the first commit of `main`; `archive/<site>` begins with one commit for each of `begin`.

    Raises:
        RepositoryExistsError: `folder` already has a repository.
        GitMissingError, GitTooOldError, NoSpaceError, StorageDeniedError, PathRefusedError: no repository was made.
    """
    if (folder / ".git").exists():
        raise RepositoryExistsError(folder=folder)
    branch = archive_branch(site)
    made = folder / f".wenkong-init-{secrets.token_hex(6)}"
    files: dict[str, bytes | None] = {name: (folder / name).read_bytes() for name in _files_below(folder)}
    try:
        made.mkdir()
        GitProgram(made / ".git", made).run("init", "--quiet", "--template=", "--initial-branch=main")
        objects = GitObjects(made)
        try:
            _begin_branch(objects, MAIN, Commit(files, by.name, by.person, at, message("init: 新建工作区", {}, "")))
            text = message(f"init: {site}", {}, "")
            _begin_branch(objects, branch, *(Commit(dict(files), by.name, by.person, at, text) for files in begin))
        finally:
            objects.close()
        program = GitProgram(made / ".git", folder)
        for key, value in _local_settings().items():
            program.run("config", key, value)
        program.run("read-tree", MAIN)
        program.run("update-index", "-q", "--refresh", codes=(0, 1))
        (made / ".git").rename(folder / ".git")
        sync_folder(folder)
    except OSError as exc:
        if exc.errno in _NO_SPACE:
            raise NoSpaceError(where=str(folder)) from exc
        raise StorageDeniedError(where=str(folder), detail=exc.strerror or str(exc)) from exc
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _begin_branch(objects: GitObjects, branch: str, *commits: Commit) -> None:
    with commit_stream(objects, None, label="init") as (stream, ref):
        for commit in commits:
            stream.add(commit)
        new = stream.finish()
    move_branches(objects, [BranchMove(branch, None, new, ref)])


def _files_below(folder: Path) -> list[str]:
    found = []
    for root, folders, names in os.walk(folder):
        here = Path(root)
        folders[:] = sorted(name for name in folders if name not in {".git", ".qms"})
        found += [(here / name).relative_to(folder).as_posix() for name in names]
    return sorted(found)


def _local_settings() -> dict[str, str]:
    """Return what the repository itself says, for people who look at it with their own Git."""
    settings = {
        "core.autocrlf": "false",
        "core.longpaths": "true",
        "core.quotePath": "false",
        "gc.auto": "0",
        "maintenance.auto": "false",
        "user.email": "wenkong@localhost",
        "user.name": "文控",
    }
    return settings | durable_settings(git_version())


def write_file(target: Path, data: bytes) -> None:
    """Write `data` so that `target` is, at every instant, either the old file or the new one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name[:40]}.{secrets.token_hex(4)}.tmp")
    try:
        with draft.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def _same_text(ours: bytes | None, theirs: bytes | None) -> bool:
    """Tell whether two files differ at most in line ends, which an editor may have changed."""
    if ours is None or theirs is None:
        return ours is theirs
    return ours == theirs or re.sub(rb"\r\n", b"\n", ours) == re.sub(rb"\r\n", b"\n", theirs)
