"""推送中的版本库. Reads a shared repository inside git's `pre-receive` hook, with what is in quarantine.

Until the hook allows it, what is pushed lies in a folder that git names in the environment of the hook.
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

from controller.adapters.git_history import GitBranchHistory
from controller.adapters.stored_path import check_path
from controller.domain.errors import MisconfiguredError, RefusedError
from controller.domain.identifiers import Digest
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_QUARANTINE = ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH")
_ROOT, _SITE = "wenkong.root", "wenkong.site"
_AT_ONCE = 200
"""Folders named to one git: a command line has its limits."""
_COMMIT = re.compile(r"[0-9a-f]{40}")
_OURS = "# wenkong-guard"
_HEX = re.compile(r"[0-9a-f]{64}")


class GuardNotSetError(MisconfiguredError):
    """把关没有设定. The repository does not say which root certificate counts, so nothing can be judged."""

    code = "guard-not-set"

    def __init__(self, *, folder: Path) -> None:
        super().__init__(
            T("版本库“{folder}”没有设定认可的根证书，不接收任何内容。", folder=folder),
            hint=T("管理员核对封存的指纹单后，运行 qms guard install。"),
            where=str(folder),
        )


class ForeignHookError(RefusedError):
    """已有别的钩子. The repository has a `pre-receive` hook that the program did not write."""

    code = "hook-foreign"

    def __init__(self, *, path: Path) -> None:
        super().__init__(
            T("版本库已有别的接收程序（pre-receive），没有改动它。"),
            hint=T("请管理员把原有的接收程序移走或合并后再安装。"),
            where=str(path),
        )


class FingerprintInvalidError(RefusedError):
    """指纹写法不对. Not the SHA-256 of a certificate."""

    code = "fingerprint-invalid"

    def __init__(self, *, text: str) -> None:
        super().__init__(
            T("“{text}”不是根证书的指纹。", text=text[:100]),
            hint=T("照封存的指纹单输入 64 位数字和字母（0–9、A–F），冒号和空格可有可无。"),
        )


def read_fingerprint(text: str) -> Digest:
    """Return the digest that a person copied from the sealed sheet.

    Raises:
        FingerprintInvalidError: it has not 64 hexadecimal digits.
    """
    digits = re.sub(r"[\s:]", "", text.strip().lower().removeprefix("sha256:"))
    if not _HEX.fullmatch(digits):
        raise FingerprintInvalidError(text=text)
    return Digest(f"sha256:{digits}")


class PushedGit(GitBranchHistory):
    """推送中的版本库. Implements `PushedRepository` for the repository in `folder`."""

    def __init__(self, folder: Path, *, environment: Mapping[str, str] | None = None) -> None:
        """`environment` is that of the hook; without it nothing is in quarantine."""
        super().__init__(folder)
        self._folder = folder
        given = os.environ if environment is None else environment
        for name in _QUARANTINE:
            if value := given.get(name):
                place = value if name == _QUARANTINE[1] else str((folder / value).resolve())
                self._objects.program.environment[name] = place

    def root(self) -> Digest:
        """Return the root certificate that the server's administrator pinned.

        Raises:
            GuardNotSetError: none was.
        """
        try:
            return read_fingerprint(self._setting(_ROOT))
        except FingerprintInvalidError as exc:
            raise GuardNotSetError(folder=self._folder) from exc

    def site(self) -> str:
        """Return the site whose archive covers `main`."""
        return self._setting(_SITE) or "main"

    def branches(self) -> dict[str, str]:
        """Return every ref of the server with its commit."""
        lines = self._objects.program.run("for-each-ref", "--format=%(objectname) %(refname)").decode().splitlines()
        return {name: commit for commit, _, name in (line.partition(" ") for line in lines)}

    def contains(self, commit: str, ancestor: str) -> bool:
        """Tell whether `ancestor` is part of the history of `commit`."""
        if not _COMMIT.fullmatch(commit) or not _COMMIT.fullmatch(ancestor):
            return False
        found = self._objects.get(ancestor)
        if found is None or found[1] != "commit":
            return False
        return not self._objects.program.run("rev-list", "--max-count=1", ancestor, f"^{commit}")

    def read(self, commit: str, path: str) -> bytes | None:
        """Return a file as of `commit`, None when there is none."""
        found = self._objects.get(f"{commit}:{path}")
        return found[2] if found and found[1] == "blob" else None

    def files(self, commit: str, folders: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Yield every file below `folders`, which are in path order, as of `commit`, in path order."""
        return self._objects.contents(self._named(commit, folders))

    def _named(self, commit: str, folders: Sequence[str]) -> Iterator[tuple[str, str]]:
        for begin in range(0, len(folders), _AT_ONCE):
            arguments = ["ls-tree", "-r", "-z", "--full-tree", commit, "--", *folders[begin : begin + _AT_ONCE]]
            for line in self._objects.program.run(*arguments).split(b"\0"):
                head, tab, name = line.partition(b"\t")
                if tab:
                    yield name.decode("utf-8", "surrogateescape"), head.split(b" ")[2].decode()

    def _setting(self, name: str) -> str:
        return self._objects.program.run("config", "--get", name, codes=(0, 1)).decode("utf-8", "replace").strip()


def install_guard(folder: Path, *, root: Digest, site: str, command: str) -> Path:
    """Set up the guard in the shared repository `folder`; return the hook's path. Doing it again renews it.

    `command` is the shell command that the hook runs.

    Raises:
        NotARepositoryError: the folder is no repository.
        ForeignHookError: it has another `pre-receive` hook.
    """
    repository = PushedGit(folder, environment={})
    try:
        program = repository._objects.program  # noqa: SLF001 - the same module
        hook = program.git_folder / "hooks" / "pre-receive"
        if hook.exists() and _OURS not in hook.read_text(encoding="utf-8", errors="replace"):
            raise ForeignHookError(path=hook)
        for name, value in ((_ROOT, root.hex), (_SITE, check_path(site)), ("receive.fsckObjects", "true")):
            program.run("config", name, value)
        hook.parent.mkdir(exist_ok=True)
        draft = hook.with_name("pre-receive.part")
        draft.write_text(f"#!/bin/sh\n{_OURS}\nexec {command}\n", encoding="utf-8", newline="\n")
        draft.chmod(draft.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        draft.replace(hook)
    finally:
        repository.close()
    return hook
