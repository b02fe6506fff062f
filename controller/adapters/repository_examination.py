"""版本库检查. Looks at `.git` as a folder of files: what is there beside what the program made.

A repository can be sound and yet lie: settings and hooks run foreign programs, replaced objects and grafts show another
history, a moved HEAD shows other files. The program itself is not misled by them; people and their tools may be.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from controller.adapters.git_controlled_files import MAIN, _local_settings
from controller.adapters.git_program import GitProgram
from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import QmsError
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from controller.domain.text import Text

_BY_GIT = frozenset(
    {
        "core.repositoryformatversion",
        "core.filemode",
        "core.bare",
        "core.ignorecase",
        "core.precomposeunicode",
        "core.symlinks",
        "core.logallrefupdates",
        "core.fsync",
        "core.fsyncobjectfiles",
    }
)
"""Settings that `git init` writes for the file system it finds."""
_PEOPLE_S = re.compile(r"(?:remote|branch)\..+|user\.(?:name|email)|gui\..+|i18n\..+|color\..+|wenkong\..+")
"""Settings by which people's own Git programs remember servers, names and looks."""
_RUNS_PROGRAMS = re.compile(
    r"alias\..+|filter\..+|include\..*|includeif\..*|diff\..+\.(?:command|textconv)|merge\..+\.driver|credential\..*"
    r"|core\.(?:hookspath|fsmonitor|sshcommand|editor|pager|askpass|gitproxy|alternaterefscommand|worktree|attributesfile)"
    r"|remote\..+\.(?:vcs|uploadpack|receivepack|proxy)|url\..+|uploadpack\.packobjectshook|sequence\.editor"
    r"|gpg\..*|trailer\..+\.(?:command|cmd)|extensions\..+|submodule\..+|protocol\..+|pager\..+|difftool\..+|mergetool\..+"
)
_TOP = frozenset(
    {
        "HEAD", "config", "index", "objects", "refs", "info", "branches", "description", "packed-refs", "logs", "hooks",
        "wenkong", "COMMIT_EDITMSG", "FETCH_HEAD", "ORIG_HEAD", "gc.log", "gc.pid", "worktrees", "lost-found",
        "gitk.cache",
    }
)  # fmt: skip
_PACK = re.compile(r"pack-[0-9a-f]{40}\.(?:pack|idx|rev|keep|bitmap|mtimes)|multi-pack-index(?:-[0-9a-f]{40}\.\w+)?")
_OWN_REFS = re.compile(r"refs/heads/(?:main|archive/[a-z0-9-]+|draft/.+)|refs/wenkong/.+|refs/remotes/.+|refs/tags/.+")
_VALUE = re.compile(rb"[0-9a-f]{40}\n?|ref: refs/[!-~]+\n?")
_LARGEST = 1 << 20


class RepositoryExamination:
    """版本库检查. Implements `WorkspaceExamination` for the repository of the workspace in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._git = folder / ".git"

    def findings(self) -> Iterator[Finding]:
        """Yield what does not belong there."""
        if not self._git.is_dir():
            if not self._git.exists():
                yield _found("repository-missing", T("工作区没有版本库（.git）。"), ".git", Gravity.ERROR)
            return
        yield from self._settings()
        yield from self._head()
        yield from self._hooks()
        yield from self._refs()
        yield from self._substitutes()
        yield from self._packs()
        for path in sorted(self._git.iterdir()):
            if path.name not in _TOP and not path.name.endswith((".lock", ".txt")):
                message = T("版本库目录中有来历不明的文件“{name}”。", name=path.name)
                yield _found("repository-file-unknown", message, f".git/{path.name}", Gravity.NOTE)

    def _settings(self) -> Iterator[Finding]:
        where = ".git/config"
        try:
            listed = GitProgram(self._git, self._folder).run(
                "config", "--file", str(self._git / "config"), "--list", "-z"
            )
        except QmsError as exc:
            yield _found("repository-setting-wrong", T("版本库的设置读不出来：{problem}", problem=exc.message), where)
            return
        found: dict[str, str] = {}
        for item in listed.decode("utf-8", "replace").split("\0"):
            key, _, value = item.partition("\n")
            if key:
                found[key.lower()] = value
        expected = {key.lower(): value for key, value in _local_settings().items()}
        for key, value in sorted(found.items()):
            if _RUNS_PROGRAMS.fullmatch(key):
                message = T("版本库设置 {key} 会让 Git 运行别的程序或读写别的地方：{value}", key=key, value=value[:100])
                yield _found("repository-setting-dangerous", message, where, Gravity.ERROR)
            elif key == "core.repositoryformatversion" and value != "0":
                message = T("版本库设置 {key} 是 {value}，应为 {expected}。", key=key, value=value[:100], expected="0")
                yield _found("repository-setting-wrong", message, where)
            elif key == "core.bare" and value != "false":
                message = T(
                    "版本库设置 {key} 是 {value}，应为 {expected}。", key=key, value=value[:100], expected="false"
                )
                yield _found("repository-setting-wrong", message, where)
            elif key not in _BY_GIT and key not in expected and not _PEOPLE_S.fullmatch(key):
                message = T("版本库多了一项设置 {key}：{value}", key=key, value=value[:100])
                yield _found("repository-setting-wrong", message, where)
        for key in ("core.repositoryformatversion", "core.bare"):
            if key not in found:
                yield _found("repository-setting-wrong", T("版本库缺少设置 {key}。", key=key), where)
        for key, value in sorted(expected.items()):
            if found.get(key) == value:
                continue
            if key.startswith("user.") and key in found:
                message = T(
                    "版本库设置 {key} 由 {expected} 改成了 {value}。", key=key, expected=value, value=found[key][:100]
                )
                yield _found("repository-setting-wrong", message, where, Gravity.NOTE)
                continue
            if key.startswith("core.fsync") and found.keys() & {"core.fsync", "core.fsyncobjectfiles"}:
                continue  # written by another version of git
            message = T(
                "版本库设置 {key} 是 {value}，应为 {expected}。",
                key=key,
                value=found.get(key, "")[:100],
                expected=value,
            )
            yield _found("repository-setting-wrong", message, where)

    def _head(self) -> Iterator[Finding]:
        content = _read(self._git / "HEAD")
        if content is None or content.strip() != f"ref: {MAIN}".encode():
            message = T("版本库没有停在受控文件（main）上，现在是 {found}。", found=_shown(content))
            hint = T("请维护人员运行 git switch main 换回；已批准的受控文件不受影响。")
            yield _found("head-not-on-main", message, ".git/HEAD", hint=hint)

    def _hooks(self) -> Iterator[Finding]:
        folder = self._git / "hooks"
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.suffix != ".sample":
                message = T("版本库中有会自动运行的程序（钩子）“{name}”。", name=path.name)
                yield _found("repository-hook", message, f".git/hooks/{path.name}")

    def _refs(self) -> Iterator[Finding]:
        names: dict[str, bytes | None] = {}
        top = self._git / "refs"
        for path in sorted(top.rglob("*")) if top.is_dir() else ():
            if path.is_dir():
                continue
            name = "refs/" + path.relative_to(top).as_posix()
            if not name.endswith(".lock"):
                names[name] = _read(path)
        for name, value in names.items():
            if value is None or not _VALUE.fullmatch(value):
                message = T("分支“{name}”没有指向一次归档或更改。", name=name)
                yield _found("ref-damaged", message, f".git/{name}", Gravity.ERROR, hint=_restore())
            elif value.startswith(b"ref:"):
                yield _found("ref-damaged", T("分支“{name}”指向另一个分支。", name=name), f".git/{name}", Gravity.ERROR)
        packed = _read(self._git / "packed-refs") or b""
        for line in packed.splitlines():
            if line.startswith((b"#", b"^")) or not line.strip():
                continue
            value, _, found = line.partition(b" ")
            if not _VALUE.fullmatch(value) or not found.startswith(b"refs/"):
                yield _found(
                    "ref-damaged",
                    T("版本库的分支清单（packed-refs）中有一行读不懂。"),
                    ".git/packed-refs",
                    Gravity.ERROR,
                )
                continue
            names.setdefault(found.decode("utf-8", "replace"), value)
        for name in sorted(names):
            if name.startswith("refs/replace/"):
                message = T("“{name}”把存储的一份内容换成了另一份：用别的程序查看时会看到假的内容。", name=name)
                yield _found("objects-replaced", message, f".git/{name}", Gravity.ERROR)
            elif not _OWN_REFS.fullmatch(name):
                message = T("版本库中有来历不明的分支“{name}”。", name=name)
                yield _found("ref-unknown", message, f".git/{name}", Gravity.NOTE)

    def _substitutes(self) -> Iterator[Finding]:
        for name, what in (
            ("info/grafts", T("“{name}”让 Git 显示另一个历史。", name=".git/info/grafts")),
            ("shallow", T("“{name}”让 Git 隐去较早的历史。", name=".git/shallow")),
            ("objects/info/alternates", T("“{name}”让 Git 从别处读取内容。", name=".git/objects/info/alternates")),
            ("info/attributes", T("“{name}”会改变 Git 读写文件的方式。", name=".git/info/attributes")),
        ):
            if (self._git / name).exists():
                yield _found("objects-replaced", what, f".git/{name}", Gravity.ERROR)

    def _packs(self) -> Iterator[Finding]:
        folder = self._git / "objects" / "pack"
        names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        for name in sorted(names):
            stem, _, kind = name.rpartition(".")
            partner = {"idx": "pack", "pack": "idx"}.get(kind)
            if not _PACK.fullmatch(name):
                if not name.startswith(("tmp_", ".tmp-")):
                    message = T("内容库中有来历不明的文件“{name}”。", name=name)
                    yield _found("repository-file-unknown", message, f".git/objects/pack/{name}", Gravity.NOTE)
            elif partner is not None and f"{stem}.{partner}" not in names:
                message = T("内容库缺少“{name}”。", name=f"{stem}.{partner}")
                yield _found("pack-incomplete", message, f".git/objects/pack/{name}", Gravity.ERROR, hint=_restore())


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST)
    except OSError:
        return None


def _shown(content: bytes | None) -> str:
    return "" if content is None else content[:60].decode("utf-8", "replace").strip()


def _restore() -> Text:
    return T("从备份恢复工作区后再验证。")


def _found(
    code: str, message: Text, path: str, gravity: Gravity = Gravity.WARNING, *, hint: Text | None = None
) -> Finding:
    return Finding(code, gravity, message, path=path, hint=hint)
