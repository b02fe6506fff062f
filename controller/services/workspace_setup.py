"""新建工作区. `qms init`: a new workspace with the starter library, whole or not at all, never over something else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from controller.domain.errors import RefusedError
from controller.domain.identifiers import InvalidIdentifierError
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from controller.domain.record import Signatory

IGNORED = "# 本机文件,不进入受控范围\n.qms/\nrecords/浏览/\n~$*\n"
"""`.gitignore` of a workspace: local files, the browsing copy, and the lock files of Word."""
_PREFIX = re.compile(r"[A-Z][A-Z0-9]{0,7}")
_STARTER_PREFIX = re.compile(rb"(?<![A-Z0-9])XX-(?=YLQX)")
_COMPANY_LIMIT = 60
_TEXT_SUFFIXES = (".yml", ".txt", ".json")


class FolderNotEmptyError(RefusedError):
    """目录里已有东西. `init` never overwrites anything."""

    code = "folder-not-empty"

    def __init__(self, *, folder: Path) -> None:
        super().__init__(
            T("目录“{folder}”已存在且不是空的，没有改动它。", folder=folder),
            hint=T("换一个新目录名；若这里已是工作区，直接使用即可。"),
        )


class InvalidCompanyNameError(RefusedError):
    """公司名称不可用. Empty, too long, or with control characters."""

    code = "company-name-invalid"

    def __init__(self) -> None:
        super().__init__(
            T("公司名称应为 1 到 {limit} 个字，且不含换行等控制字符。", limit=_COMPANY_LIMIT),
            hint=T("用营业执照上的名称，例如 --company 安泽医疗器械有限公司。"),
        )


class StarterLibrary(Protocol):
    """起步文件库."""

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield workspace-relative path and bytes of every file."""
        ...


class WorkspaceMaker(Protocol):
    """工作区建造者. Makes the folder and its repository in one step that either happens or does not."""

    def make(
        self,
        folder: Path,
        files: Mapping[str, bytes],
        *,
        site: str,
        begin: Sequence[Mapping[str, bytes]],
        by: Signatory,
        at: datetime,
    ) -> None:
        """Write `files` and the repository with branches; raises `FolderNotEmptyError`, leaves nothing half made."""
        ...


def check_company(name: str) -> str:
    """Return the trimmed company name.

    Raises:
        InvalidCompanyNameError: it is empty, too long or holds control characters.
    """
    name = name.strip()
    if not name or len(name) > _COMPANY_LIMIT or any(ord(char) < ord(" ") for char in name):
        raise InvalidCompanyNameError
    return name


def check_prefix(prefix: str) -> str:
    """Return the company short code.

    Raises:
        InvalidIdentifierError: it is not 1 to 8 capital letters and digits that begin with a letter.
    """
    if not _PREFIX.fullmatch(prefix):
        raise InvalidIdentifierError(kind=T("公司简码"), value=prefix, example="XX")
    return prefix


def library_files(
    library: StarterLibrary, prefix: str, *, renew: Callable[[dict[str, bytes], Iterable[str]], None] | None = None
) -> dict[str, bytes]:
    """Return the starter library under the company's own number prefix.

    `renew` is told which texts changed, so that digests over them can be made anew.
    """
    made: dict[str, bytes] = {}
    changed: list[str] = []
    own = prefix.encode() + b"-"
    for path, data in library.files():
        target = _STARTER_PREFIX.sub(own, path.encode()).decode()
        content = data
        if path.endswith(_TEXT_SUFFIXES):
            content = _STARTER_PREFIX.sub(own, data)
            if content != data:
                changed.append(target)
        made[target] = content
    if renew is not None and changed:
        renew(made, changed)
    return made
