"""含有自己的目录. Finds a stored folder that holds itself, before any git tries to read it to its end.

No honest store has one: an object's name is made of its content. Who exchanges the files of two folders makes one, and
git, which looks at names only in `fsck`, would fill all memory with a path that never ends.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from controller.adapters.git_objects import ObjectDamagedError, parse_tree
from controller.domain.errors import DamagedError
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller.adapters.git_objects import GitObjects

_TREE = re.compile(rb"tree ([0-9a-f]{40})\n")
_ANY_CODE = tuple(range(256))


class FolderHoldsItselfError(DamagedError):
    """目录含有自己. The store was tampered with so that reading it would never end."""

    code = "folder-holds-itself"

    def __init__(self, *, name: str) -> None:
        super().__init__(
            T("存储的内容被调换过：文件夹 {name} 含有它自己，永远读不完，没有继续检查。", name=name),
            hint=T("从备份恢复工作区后再验证。"),
            where=name,
        )


def check_no_endless_folder(objects: GitObjects) -> None:
    """Make sure that no folder of any commit holds itself.

    Raises:
        FolderHoldsItselfError: one does.
    """
    known: set[str] = set()
    listed = objects.program.run("rev-list", "--all", codes=_ANY_CODE)
    for commit in listed.decode("ascii", "replace").split():
        tree = _TREE.match(_content(objects, commit) or b"")
        if tree is not None:
            _check(objects, tree[1].decode(), known)


def _check(objects: GitObjects, top: str, known: set[str]) -> None:
    """Walk down from `top`; `known` are folders below which nothing is endless."""
    above: list[tuple[str, Iterator[str]]] = [(top, _folders(objects, top))]
    entered = {top}
    while above:
        tree, below = above[-1]
        child = next((item for item in below if item not in known), None)
        if child is None:
            known.add(tree)
            entered.discard(tree)
            above.pop()
        elif child in entered:
            raise FolderHoldsItselfError(name=child)
        else:
            entered.add(child)
            above.append((child, _folders(objects, child)))


def _folders(objects: GitObjects, tree: str) -> Iterator[str]:
    try:
        return iter([entry.oid for entry in parse_tree(_content(objects, tree) or b"") if entry.is_folder])
    except ValueError:
        return iter(())  # no folder at all, which is damage of another kind


def _content(objects: GitObjects, name: str) -> bytes | None:
    try:
        found = objects.get(name)
    except ObjectDamagedError:
        return None
    return found[2] if found is not None and found[1] in {"commit", "tree"} else None
