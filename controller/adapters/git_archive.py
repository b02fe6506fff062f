"""Git 档案. The append-only archive branch of one site: numbers, entries and files that are never changed.

Filing uses no Git index, so its cost does not grow with the archive. Reading goes through `GitObjects`, writing through
`git_import`, and `pack_upkeep` keeps the number of packs small.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from controller.adapters.archive_branch import archive_branch
from controller.adapters.endless_folder import check_no_endless_folder
from controller.adapters.git_import import (
    BranchMove,
    Commit,
    clear_after_killed,
    commit_stream,
    message,
    move_branches,
)
from controller.adapters.git_objects import GitObjects, NotARepositoryError, ObjectDamagedError
from controller.adapters.git_program import store_damage
from controller.adapters.pack_upkeep import PACKS_AT_MOST, PackUpkeep
from controller.adapters.stored_path import check_path
from controller.domain.errors import RefusedError
from controller.domain.text import T
from controller.services.archive_ports import ArchiveRewrittenError, IrregularCommit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from controller.adapters.git_controlled_files import GitControlledFiles
    from controller.adapters.git_import import CommitStream
    from controller.services.archive_ports import ArchiveChange, ControlledChange
    from controller.services.ports import FileLockFactory

LOCK = "archive"
"""Name of the lock that writers hold."""
_COMMIT = re.compile(r"[0-9a-f]{40}")
_RECORD_DEPTH = 4
"""Folders above a record's own: `<form>/<year>/<ten-thousands>/<hundreds>`."""
_LAG = timedelta(minutes=2)
"""How far a clock may be behind the newest commit: waiting for the lock and small adjustments, not more."""
_COMMITTED = re.compile(rb"^committer .* (\d+) [+-]\d{4}$", re.MULTILINE)


class PathTakenError(RefusedError):
    """已有同名内容. The archive never changes what it holds."""

    code = "archive-path-taken"

    def __init__(self, *, path: str) -> None:
        super().__init__(
            T("档案中已有“{path}”，不能改写。", path=path),
            hint=T("归档内容只能追加；请用更正或新的记录。"),
            where=path,
        )


class ClockBackwardsError(RefusedError):
    """时钟倒退. The computer's clock is behind what has already been filed."""

    code = "clock-backwards"

    def __init__(self, *, now: datetime, newest: datetime) -> None:
        super().__init__(
            T(
                "本机时间是 {now}，早于最近一次归档的时间 {newest}，没有归档。",
                now=now.isoformat(timespec="minutes"),
                newest=newest.astimezone(now.tzinfo).isoformat(timespec="minutes"),
            ),
            hint=T("请先校准本机时间；若以前的时间确实走快了，由有权的岗位用 qms timestamp clock 校正并写明原因。"),
        )


class NothingToFileError(RefusedError):
    """没有可归档的内容."""

    code = "nothing-to-file"

    def __init__(self) -> None:
        super().__init__(T("没有可归档的内容。"), hint=T("检查导入文件是否为空。"))


class GitArchive:
    """Git 档案. Implements `Archive` for one site of the workspace in `folder`."""

    def __init__(
        self,
        folder: Path,
        *,
        lock: FileLockFactory,
        site: str = "main",
        patience: float = 60.0,
        packs_at_most: int = PACKS_AT_MOST,
        upkeep_in_background: bool = True,
        controlled: GitControlledFiles | None = None,
    ) -> None:
        """`controlled` is branch `main` of the same workspace, for acts that touch both."""
        self.branch = archive_branch(site)
        self._controlled = controlled
        self._site = site
        self._objects = GitObjects(folder)
        self._lock = lock
        self._patience = patience
        self._upkeep = PackUpkeep(
            self._objects.program,
            self._objects.common_folder,
            most=packs_at_most,
            background=upkeep_in_background,
        )

    def close(self) -> None:
        """Let the reading process go."""
        self._objects.close()

    @contextlib.contextmanager
    def writing(self) -> Iterator[GitArchiveWriter]:
        """Take the archive's write lock and give a writer on the present tip.

        Raises:
            WorkspaceBusyError: another program holds it for longer than this archive's patience (seconds).
            NotARepositoryError: the workspace has no archive of this site.
        """
        with self._lock(LOCK, self._patience):
            tip = self.tip()
            if tip is None:
                # Beginning anew would give numbers a second time: a lost archive is for the backup to bring back.
                raise self._missing()
            clear_after_killed(self._objects, self.branch, self._site)
            writer = GitArchiveWriter(self._objects, self.branch, self._site, tip, self._controlled)
            yield writer
            written = writer.tip != tip
        if written:
            self._upkeep.after_filing()

    def require(self) -> None:
        """Make sure that there is an archive.

        Raises:
            NotARepositoryError: the workspace has no archive of this site.
        """
        if self.tip() is None:
            raise self._missing()

    def _missing(self) -> NotARepositoryError:
        main = self._objects.ref("refs/heads/main")
        problem = T("没有站点 {site} 的档案分支", site=self._site) if main else T("没有受控文件分支 main")
        return NotARepositoryError(folder=self._objects.folder, problem=problem)

    def tip(self) -> str | None:
        """Return the id of the newest archive commit, None while the archive is empty."""
        return self._objects.ref(self.branch)

    def read(self, path: str, *, at: str | None = None) -> bytes | None:
        """Return a file of the archive (at commit `at`, or the tip), None when there is none."""
        commit = self._commit(at)
        found = self._objects.get(f"{commit}:{path}") if commit else None
        return found[2] if found and found[1] == "blob" else None

    def listing(self, path: str, *, at: str | None = None) -> list[str]:
        """Return the names directly below `path`, sorted."""
        commit = self._commit(at)
        return sorted(entry.name for entry in self._objects.folder_entries(f"{commit}:{path}")) if commit else []

    def walk(
        self, path: str = "", *, at: str | None = None, damaged: Callable[[str], None] | None = None
    ) -> Iterator[tuple[str, bytes]]:
        """Yield every file below `path` with its bytes in path order, streaming.

        What cannot be read is told to `damaged` by path, or raises `ObjectDamagedError` without it.
        """
        commit = self._commit(at)
        if commit is not None:
            yield from self._objects.contents(self._objects.blobs(commit, path, damaged), damaged)

    def added_since(self, commit: str | None) -> Iterator[tuple[str, bytes]]:
        """Yield the files added after `commit` (all when None) in path order.

        Raises:
            ArchiveRewrittenError: `commit` is not part of the archive's history, or a file of it was changed.
        """
        tip = self.tip()
        if commit is None:
            yield from self.walk(at=tip)
        elif commit != tip:
            if tip is None or not self._is_ancestor(commit, tip):
                raise ArchiveRewrittenError(commit=commit)
            yield from self._objects.contents(self._added(commit, tip))

    def irregular_commits(self) -> Iterator[IrregularCommit]:
        """Yield every commit of the archive that does more than add files on top of exactly one other."""
        tip = self.tip()
        if tip is None:
            return
        program = self._objects.program
        arguments = ["rev-list", "--topo-order", "--parents", tip]
        with program.running(*arguments, stdin=subprocess.DEVNULL) as lister:
            assert lister.stdout is not None
            previous: str | None = None
            roots = 0
            for line in lister.stdout:
                commit, *parents = line.decode().split()
                roots += not parents
                if len(parents) > 1 or roots > 1 or previous not in {None, commit}:
                    yield IrregularCommit(commit, (), merge=True)
                previous = parents[0] if parents else None
            if lister.wait() != 0:
                yield IrregularCommit(tip, (), unreadable=True)
                return
        yield from self._changing_commits(tip)

    def holds(self, commit: str) -> bool:
        """Tell whether `commit` is part of the archive's present history.

        Raises:
            ObjectDamagedError, GitFailedError: history cannot be read.
        """
        tip = self.tip()
        return tip is not None and (commit == tip or self._is_ancestor(commit, tip))

    def damage(self) -> Iterator[str]:
        """Yield, in git's own words, everything that is broken anywhere in the object store."""
        found = list(store_damage(self._objects.program))
        if found:
            # Packs that were being rolled together meanwhile look lost to git.
            with self._upkeep.at_rest():
                found = list(store_damage(self._objects.program))
        yield from found

    def check_ends(self) -> None:
        """Make sure that reading the store comes to an end.

        Raises:
            FolderHoldsItselfError: objects were exchanged so that it would not.
        """
        check_no_endless_folder(self._objects)

    def _changing_commits(self, tip: str) -> Iterator[IrregularCommit]:
        arguments = ["log", "--format=%x00%H", "--diff-filter=a", "--name-only", "--no-renames", "-z", "-m", tip, "--"]
        with self._objects.program.running(*arguments, stdin=subprocess.DEVNULL) as process:
            assert process.stdout is not None
            rest = b""
            commit = ""
            while block := process.stdout.read(1 << 16):
                *parts, rest = (rest + block).split(b"\0")
                for part in parts:
                    text = part.decode("utf-8", "replace").strip("\n")
                    if _COMMIT.fullmatch(text):
                        commit = text
                    elif text:
                        yield IrregularCommit(commit, (text,))
            if process.wait() != 0:
                yield IrregularCommit(commit or tip, (), unreadable=True)

    def _commit(self, at: str | None) -> str | None:
        if at is None:
            return self.tip()
        return at if _COMMIT.fullmatch(at) else None

    def _is_ancestor(self, commit: str, tip: str) -> bool:
        if not _COMMIT.fullmatch(commit) or self._objects.get(commit) is None:
            return False
        found = self._objects.program.run("rev-list", "--max-count=1", commit, f"^{tip}")
        return not found

    def _added(self, old: str, new: str) -> Iterator[tuple[str, str]]:
        with self._objects.program.running(
            "diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", old, new, stdin=subprocess.DEVNULL
        ) as process:
            assert process.stdout is not None
            rest, head = b"", b""
            while block := process.stdout.read(1 << 16):
                *parts, rest = (rest + block).split(b"\0")
                for part in parts:
                    if not head:
                        head = part
                        continue
                    words, path = head.decode().split(" "), part.decode("utf-8", "surrogateescape")
                    head = b""
                    if words[4] != "A":
                        raise ArchiveRewrittenError(commit=old)
                    yield path, words[3]
            if process.wait() != 0:
                raise ObjectDamagedError(name=new)


class GitArchiveWriter:
    """档案写入者. Adds to the archive while its lock is held."""

    def __init__(
        self, objects: GitObjects, branch: str, site: str, tip: str | None, controlled: GitControlledFiles | None = None
    ) -> None:
        self.tip = tip
        self._controlled = controlled
        self._objects = objects
        self._branch = branch
        self._site = site
        self._serials: dict[tuple[str, int], int] = {}

    def last_serial(self, form: str, year: int) -> int:
        """Return the highest serial allocated on the tip (0 when none), pending changes of this writer included."""
        key = (form, year)
        if key not in self._serials:
            self._serials[key] = self._stored_serial(form, year)
        return self._serials[key]

    def read(self, path: str) -> bytes | None:
        """Return a file as of the tip, None when there is none."""
        found = self._objects.get(f"{self.tip}:{path}") if self.tip else None
        return found[2] if found and found[1] == "blob" else None

    def listing(self, path: str) -> list[str]:
        """Return the names directly below `path` as of the tip, sorted."""
        return sorted(entry.name for entry in self._objects.folder_entries(f"{self.tip}:{path}")) if self.tip else []

    def moment(self, now: datetime, *, corrected: bool = False) -> datetime:
        """Return the time for the next entry: `now`, or that of the tip when the clock lags a little behind it.

        With `corrected` the clock is believed: a signed statement says that it ran ahead before.

        Raises:
            ClockBackwardsError: the clock is more than two minutes behind the tip.
        """
        found = self._objects.get(self.tip) if self.tip else None
        stamp = _COMMITTED.search(found[2]) if found else None
        newest = datetime.fromtimestamp(int(stamp[1]), UTC) if stamp else None
        if newest is None or newest <= now or corrected:
            return now
        if newest - now > _LAG:
            raise ClockBackwardsError(now=now, newest=newest)
        return newest.astimezone(now.tzinfo)

    def append(self, change: ArchiveChange, *, controlled: ControlledChange | None = None) -> str:
        """Make the change durable as one commit and move the branch by compare-and-swap; return the commit id.

        With `controlled`, branch `main` and the working files change in the same step.

        Raises:
            PathTakenError: a path is taken.
            NothingToFileError: there is nothing to add.
            PathRefusedError: a path cannot be stored.
            RefMovedError: the branch was moved by somebody who does not take the lock.
            EditedFileError, FileInUseError: a working file stands in the way of `controlled`.
            NoSpaceError, StorageDeniedError, GitFailedError: nothing was filed.
        """
        return self._append([change], controlled)

    def append_many(self, changes: Iterable[ArchiveChange]) -> str:
        """Do the same for a stream of changes, one commit each, in one run; all become visible together or none."""
        return self._append(changes, None)

    def _append(self, changes: Iterable[ArchiveChange], controlled: ControlledChange | None) -> str:
        serials = dict(self._serials)
        free = _FreePaths(self._objects, self.tip)
        try:
            with commit_stream(self._objects, self.tip, label=self._site) as (stream, ref):
                last = self._send(changes, free, stream)
                new = stream.finish()
            move = BranchMove(self._branch, self.tip, new, ref)
            if controlled is None:
                move_branches(self._objects, [move])
            else:
                assert self._controlled is not None
                with self._controlled.prepared(controlled, by=last.by, at=last.at) as moves:
                    move_branches(self._objects, [move, *moves])
        except BaseException:
            self._serials = serials
            raise
        self.tip = new
        return new

    def _send(self, changes: Iterable[ArchiveChange], free: _FreePaths, stream: CommitStream) -> ArchiveChange:
        last: ArchiveChange | None = None
        for change in changes:
            if not change.files:
                raise NothingToFileError
            free.take(change.files)
            stream.add(
                Commit(
                    files=change.files,
                    name=change.by.name,
                    person=change.by.person,
                    at=change.at,
                    message=message(change.subject, change.trailers),
                )
            )
            self._note_serials(change.files)
            last = change
        if last is None:
            raise NothingToFileError
        return last

    def _stored_serial(self, form: str, year: int) -> int:
        if self.tip is None:
            return 0
        year_folder = f"{self.tip}:{form}/{year:04d}"
        pattern = re.compile(re.escape(f"{form}-{year:04d}-") + r"(\d{4,7})")
        for ten_thousands in self._numbered_folders(year_folder):
            for hundreds in self._numbered_folders(ten_thousands):
                entries = self._objects.folder_entries(hundreds)
                serials = [int(match[1]) for item in entries if (match := pattern.fullmatch(item.name))]
                if serials:
                    return max(serials)
        return 0

    def _numbered_folders(self, above: str) -> list[str]:
        names = [item.name for item in self._objects.folder_entries(above) if item.name.isdecimal()]
        return [f"{above}/{name}" for name in sorted(names, key=int, reverse=True)]

    def _note_serials(self, paths: Iterable[str]) -> None:
        for path in paths:
            parts = path.split("/")
            if len(parts) <= _RECORD_DEPTH or not parts[1].isdecimal():
                continue
            serial = parts[_RECORD_DEPTH].rpartition("-")[2]
            if serial.isdecimal():
                year = int(parts[1])
                self._serials[parts[0], year] = max(self.last_serial(parts[0], year), int(serial))


class _FreePaths:
    """Which paths are still free on the tip and in what was already sent."""

    def __init__(self, objects: GitObjects, tip: str | None) -> None:
        self._objects = objects
        self._tip = tip
        self._folders: dict[str, bool] = {}
        """Folder → whether the tip has it; a record's own folder is asked for once and not kept."""
        self._taken: set[int] = set()
        self._added_folders: set[int] = set()

    def take(self, paths: Iterable[str]) -> None:
        for path in paths:
            parts = check_path(path).split("/")
            above = ["/".join(parts[:depth]) for depth in range(1, len(parts))]
            if hash(path) in self._taken or hash(path) in self._added_folders or self._stored(path, above):
                raise PathTakenError(path=path)
            for folder in above:
                if hash(folder) in self._taken:
                    raise PathTakenError(path=folder)
                self._added_folders.add(hash(folder))
            self._taken.add(hash(path))

    def _stored(self, path: str, above: list[str]) -> bool:
        if self._tip is None:
            return False
        for folder in above:
            if folder not in self._folders:
                found = self._objects.get(f"{self._tip}:{folder}")
                if found is not None and found[1] != "tree":
                    raise PathTakenError(path=folder)
                known = found is not None
                if folder.count("/") < _RECORD_DEPTH:
                    self._folders[folder] = known
            else:
                known = self._folders[folder]
            if not known:
                return False
        return self._objects.get(f"{self._tip}:{path}") is not None
