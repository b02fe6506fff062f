"""存储路径. Which paths may be stored: names that every file system takes and no program reads as something else."""

from __future__ import annotations

import re
import unicodedata

from controller.domain.errors import RefusedError
from controller.domain.text import T, Text

_LONGEST = 240
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|]')
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?")
_GIT_NAMES = re.compile(r"(?i)\.git|git~[0-9]+|\.gitmodules")

DEEPEST = 12
"""Folders within each other at most; git goes on for ever where an exchanged folder holds itself."""


class PathRefusedError(RefusedError):
    """路径不可用. A path that leaves its folder, or that some computer cannot store."""

    code = "path-refused"

    def __init__(self, *, path: str, problem: Text) -> None:
        super().__init__(
            T("路径“{path}”不可用：{problem}。", path=path[:120], problem=problem),
            hint=T('请改用普通的文件名：不含 \\ / : * ? " < > |，不以点或空格结尾。'),
        )


def check_path(path: str) -> str:
    """Return `path`, relative and with `/`, when every file system can hold it.

    Raises:
        PathRefusedError: it is empty, absolute, too long, climbs out, or has a name that is special somewhere.
    """
    if len(path) > _LONGEST:
        raise PathRefusedError(path=path, problem=T("超过 {limit} 个字符", limit=_LONGEST))
    if _FORBIDDEN.search(path):
        raise PathRefusedError(path=ascii(path), problem=T("含有不可用的字符"))
    try:
        path.encode("utf-8")
    except UnicodeEncodeError as exc:
        raise PathRefusedError(path=ascii(path), problem=T("含有不可用的字符")) from exc
    for name in path.split("/"):
        if name in {"", ".", ".."}:
            raise PathRefusedError(path=path, problem=T("不是目录内的相对路径"))
        if name[-1] in ". " or name[0] == " " or _DEVICES.fullmatch(name):
            raise PathRefusedError(path=path, problem=T("名称“{name}”在有些系统上不能使用", name=name))
        # macOS ignores some invisible characters and folds width when it compares names.
        plain = "".join(char for char in unicodedata.normalize("NFKC", name) if unicodedata.category(char) != "Cf")
        if _GIT_NAMES.fullmatch(plain.rstrip(". ")):
            raise PathRefusedError(path=path, problem=T("名称“{name}”是版本库专用的", name=name))
    return path
