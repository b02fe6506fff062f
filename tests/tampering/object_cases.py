"""对象改动. Everything done to each object of the repository, all of them lying loose."""

from __future__ import annotations

import itertools
import shutil
from functools import partial
from typing import TYPE_CHECKING

from tests.tampering.cases import Case
from tests.tampering.file_cases import object_paths
from tests.tampering.operations import BYTE, DELETED, OLDER, SWAPPED, TRUNCATED, cut, with_byte
from tests.tampering.signed_company import SignedCompany, git, write

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator
    from pathlib import Path


def unpacked(company: SignedCompany, to: Path) -> SignedCompany:
    """Return a copy in which every object lies loose."""
    copy = company.copy(to)
    folder = copy.workspace / ".git" / "objects" / "pack"
    aside = to / "packs"
    shutil.move(folder, aside)
    folder.mkdir()
    for path in sorted(aside.glob("*.pack")):
        git(copy.workspace, "unpack-objects", "-q", stdin=path.read_bytes())
    shutil.rmtree(aside)
    return copy


def object_cases(company: SignedCompany) -> Iterator[Case]:
    """Yield every case about the objects of a company made by `unpacked`."""
    workspace = company.workspace
    listed = git(workspace, "cat-file", "--batch-all-objects", "--batch-check").decode().splitlines()
    kinds = {line.split()[0]: line.split()[1] for line in listed}
    paths = object_paths(workspace)
    commits = git(workspace, "rev-list", "--all").decode().split()
    older = dict(itertools.pairwise(commits)) | _older_contents(workspace, paths)
    before: dict[str, str] = {}
    for oid, kind in kinds.items():
        names = (oid, *paths.get(oid, ()))
        name = f"{kind} {oid}"
        yield Case(name, BYTE, partial(_byte, oid), names)
        yield Case(name, TRUNCATED, partial(_cut, oid), names)
        yield Case(name, DELETED, partial(_delete, oid), names)
        if kind in before:
            yield Case(name, SWAPPED, partial(_swap, oid, before[kind]), names)
        if oid in older:
            yield Case(name, OLDER, partial(_replace, oid, older[oid]), names)
        before[kind] = oid


def _older_contents(workspace: Path, paths: dict[str, list[str]]) -> dict[str, str]:
    """Return for each content that replaced another at the same path the one before."""
    found: dict[str, str] = {}
    last: dict[str, str] = {}
    for commit in git(workspace, "rev-list", "--reverse", "main").decode().split():
        listed = git(workspace, "-c", "core.quotePath=false", "ls-tree", "-r", "-t", "--full-tree", commit).decode()
        for line in listed.splitlines():
            facts, _, path = line.partition("\t")
            oid = facts.split()[2]
            if path in last and last[path] != oid and oid in paths:
                found.setdefault(oid, last[path])
            last[path] = oid
    return found


def _path(company: SignedCompany, oid: str) -> Path:
    return company.workspace / ".git" / "objects" / oid[:2] / oid[2:]


def _byte(oid: str, company: SignedCompany, chance: random.Random) -> None:
    write(_path(company, oid), with_byte(_path(company, oid).read_bytes(), chance))


def _cut(oid: str, company: SignedCompany, chance: random.Random) -> None:
    write(_path(company, oid), cut(_path(company, oid).read_bytes(), chance))


def _delete(oid: str, company: SignedCompany, _chance: random.Random) -> None:
    _path(company, oid).unlink()


def _swap(oid: str, other: str, company: SignedCompany, _chance: random.Random) -> None:
    mine, theirs = _path(company, oid).read_bytes(), _path(company, other).read_bytes()
    write(_path(company, oid), theirs)
    write(_path(company, other), mine)


def _replace(oid: str, other: str, company: SignedCompany, _chance: random.Random) -> None:
    write(_path(company, oid), _path(company, other).read_bytes())
