"""Git 程序. Runs git for one repository: no shell, no foreign configuration, no hooks, every exit code looked at.

Git's own words never reach the user: each failure becomes an error with a stable code and a next step.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import weakref
from functools import cache
from typing import TYPE_CHECKING

from controller.domain.errors import DamagedError, MisconfiguredError, RefusedError
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

OLDEST = (2, 34)
"""Oldest git that is known to keep what this program promises."""
_FSYNC_SINCE = (2, 36)

_NO_SPACE = ("No space left on device", "Out of diskspace", "Disk quota exceeded", "File too large", "not enough space")
_DENIED = ("Permission denied", "Read-only file system", "insufficient permission")
_HARMLESS = ("notice:", "warning", "dangling ", "Checking ")
"""How lines of `git fsck` begin that tell of no damage."""
_TOO_LARGE = frozenset({-signal.SIGXFSZ} if sys.platform != "win32" else ())
"""How git ends when a limit on file sizes stops it."""

_SETTINGS = {
    "advice.detachedHead": "false",
    "commit.gpgSign": "false",
    "core.autocrlf": "false",
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.logAllRefUpdates": "false",
    "core.longpaths": "true",
    "core.quotePath": "false",
    "fastimport.unpackLimit": "1",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "repack.updateServerInfo": "false",
}


class GitMissingError(MisconfiguredError):
    """没有安装 Git. The program git cannot be found or started."""

    code = "git-missing"

    def __init__(self) -> None:
        super().__init__(
            T("这台电脑上找不到 Git 程序。"),
            hint=T(
                "请安装 Git {version} 或更高版本（https://git-scm.com），重新打开窗口后再试。", version=_dotted(OLDEST)
            ),
        )


class GitTooOldError(MisconfiguredError):
    """Git 版本太旧."""

    code = "git-too-old"

    def __init__(self, *, found: str) -> None:
        super().__init__(
            T("Git 版本 {found} 太旧。", found=found),
            hint=T("请升级到 Git {version} 或更高版本。", version=_dotted(OLDEST)),
        )


class NoSpaceError(MisconfiguredError):
    """磁盘空间不足. Nothing was filed; what was there before is unchanged."""

    code = "no-space-left"

    def __init__(self, *, where: str) -> None:
        super().__init__(
            T("磁盘空间不足，没有写入“{where}”。", where=where),
            hint=T("请清理磁盘后重做；原有内容没有改变。"),
            where=where,
        )


class StorageDeniedError(MisconfiguredError):
    """没有写入权限. The folder belongs to somebody else or is read-only."""

    code = "storage-denied"

    def __init__(self, *, where: str, detail: str) -> None:
        super().__init__(
            T("没有权限写入“{where}”（{detail}）。", where=where, detail=detail[:200]),
            hint=T("请检查目录的权限，或换用有权限的系统用户。"),
            where=where,
        )


class RefMovedError(RefusedError):
    """内容已被他人更新. A branch moved while this act was being prepared; nothing was changed."""

    code = "branch-moved"

    def __init__(self, *, branch: str) -> None:
        super().__init__(
            T("“{branch}”刚被其他程序更新，本次操作没有执行。", branch=branch),
            hint=T("请直接重试一次。"),
        )


class GitFailedError(DamagedError):
    """版本库出错. Git could not do what it always can on a sound repository."""

    code = "repository-damaged"

    def __init__(self, *, detail: str, where: str) -> None:
        super().__init__(
            T("版本库读写出错：{detail}", detail=detail[:400]),
            hint=T("请运行 qms verify 查看影响范围；必要时从备份恢复工作区。"),
            where=where,
        )


class RunningGit:
    """在运行的 Git. A started git with its pipes.

    It ends with `stop`, or else quietly when nobody holds it any more: a reader that was forgotten, or a generator that
    was not read to its end, leaves no program behind.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.stdin = process.stdin
        self.stdout = process.stdout
        self.pid = process.pid
        self.wait = process.wait
        self.stop = weakref.finalize(self, _stop, process)
        """Close the pipes, end git if it still runs, and wait for it; may be called any number of times."""


class GitProgram:
    """Git 程序. One repository and the way to run git on it."""

    def __init__(self, git_folder: Path, work_folder: Path, *, extra: Mapping[str, str] | None = None) -> None:
        self.git_folder = git_folder
        """The repository itself, usually `.git`."""
        self.work_folder = work_folder
        self.environment = _environment(
            git_folder, work_folder, {**_SETTINGS, **durable_settings(git_version()), **(extra or {})}
        )

    def run(self, *arguments: str, stdin: bytes | None = None, codes: Sequence[int] = (0,)) -> bytes:
        """Run git and return what it printed.

        Raises:
            GitMissingError, NoSpaceError, StorageDeniedError, GitFailedError: by cause; exit codes in `codes` are fine.
        """
        try:
            done = subprocess.run(
                ["git", *arguments],
                input=stdin,
                capture_output=True,
                env=self.environment,
                cwd=self.work_folder,
                check=False,
            )
        except FileNotFoundError as exc:
            raise GitMissingError from exc
        if done.returncode not in codes:
            raise self.failure(done.stderr, done.returncode)
        return done.stdout

    def start(self, *arguments: str, stderr: int | None = None, stdin: int = subprocess.PIPE) -> RunningGit:
        """Start git with pipes for its input and output; the caller waits for it or stops it."""
        try:
            process = subprocess.Popen(
                ["git", *arguments],
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL if stderr is None else stderr,
                env=self.environment,
                cwd=self.work_folder,
            )
        except FileNotFoundError as exc:
            raise GitMissingError from exc
        return RunningGit(process)

    @contextlib.contextmanager
    def running(self, *arguments: str, stdin: int = subprocess.PIPE) -> Iterator[RunningGit]:
        """Start git for the length of the block; it is stopped when the block is left early."""
        process = self.start(*arguments, stdin=stdin)
        try:
            yield process
        finally:
            process.stop()

    def failure(self, stderr: bytes, code: int) -> MisconfiguredError | DamagedError:
        """Return the error that git's message and exit code stand for."""
        text = stderr.decode("utf-8", "replace").strip()
        where = str(self.work_folder)
        if code in _TOO_LARGE or any(phrase in text for phrase in _NO_SPACE):
            return NoSpaceError(where=where)
        if any(phrase in text for phrase in _DENIED):
            return StorageDeniedError(where=where, detail=text.splitlines()[-1])
        lines = [line for line in text.splitlines() if line.startswith(("fatal:", "error:"))] or text.splitlines()
        return GitFailedError(detail=lines[0] if lines else "git", where=where)


def _stop(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    if process.poll() is None:
        process.kill()
    process.wait()


def store_damage(program: GitProgram) -> Iterator[str]:
    """Yield, in git's own words, what `git fsck` finds broken in the repository: every object of every pack is read.

    Git's index is left out: it is disposable, and a damaged one would end the examination of everything else.
    """
    no_index = {"GIT_INDEX_FILE": str(program.git_folder / "no-index")}
    try:
        done = subprocess.run(
            ["git", "fsck", "--full", "--no-dangling", "--no-progress"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=program.environment | no_index,
            cwd=program.work_folder,
            check=False,
        )
    except FileNotFoundError as exc:
        raise GitMissingError from exc
    if done.returncode == 0:
        return
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    told = [line.strip() for line in lines if line.strip() and not line.startswith(_HARMLESS)]
    yield from dict.fromkeys(told or [f"git fsck: {done.returncode}"])


@cache
def git_version() -> tuple[int, ...]:
    """Return the version of the installed git, such as (2, 39, 5).

    Raises:
        GitMissingError: there is none.
        GitTooOldError: it is older than `OLDEST`.
    """
    try:
        done = subprocess.run(["git", "--version"], capture_output=True, check=False, env=_clean_environment())
    except FileNotFoundError as exc:
        raise GitMissingError from exc
    text = done.stdout.decode("utf-8", "replace")
    match = re.search(r"(\d+(?:\.\d+)+)", text)
    if done.returncode != 0 or match is None:
        raise GitMissingError
    version = tuple(int(part) for part in match[1].split("."))
    if version < OLDEST:
        raise GitTooOldError(found=match[1])
    return version


def durable_settings(version: tuple[int, ...]) -> dict[str, str]:
    """Return the settings that make this git write through to the disk."""
    if version >= _FSYNC_SINCE:
        return {"core.fsync": "all"}
    # Packs were always synced; loose objects only on request; the folder of the ref is synced by the caller.
    return {"core.fsyncObjectFiles": "true"}


def sync_folder(folder: Path) -> None:
    """Make renames inside `folder` outlast a power loss, where the system lets folders be synced."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _clean_environment() -> dict[str, str]:
    """Return the environment without Git's own variables: hooks and other tools set them for another repository."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith("GIT_") or name.upper().startswith(("GIT_TRACE", "GIT_EXEC_PATH"))
    }
    return kept | {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_DEFAULT_HASH": "sha1",
        "GIT_DEFAULT_REF_FORMAT": "files",
        "LC_ALL": "C",
        "LANGUAGE": "",
    }


def _environment(git_folder: Path, work_folder: Path, settings: Mapping[str, str]) -> dict[str, str]:
    environment = _clean_environment()
    # Naming the folder outright also means that no repository further up is ever taken by mistake.
    environment["GIT_DIR"] = str(git_folder)
    environment["GIT_WORK_TREE"] = str(work_folder)
    environment["GIT_CONFIG_COUNT"] = str(len(settings))
    for index, (name, value) in enumerate(settings.items()):
        environment[f"GIT_CONFIG_KEY_{index}"] = name
        environment[f"GIT_CONFIG_VALUE_{index}"] = value
    return environment


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
