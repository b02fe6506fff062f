"""文件改动. Everything done to the files in the folder of a workspace, the repository's own files included."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from tests.tampering.cases import Case
from tests.tampering.operations import BYTE, DELETED, OLDER, SWAPPED, TRUNCATED, cut, sibling, with_byte
from tests.tampering.signed_company import git, write

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.tampering.signed_company import SignedCompany

LEFT_OUT = {
    ".qms/locks/archive.lock": "empty; made again by whoever locks",
    ".qms/locks/controlled-files.lock": "empty; made again by whoever locks",
    ".qms/index.sqlite-shm": "made again by SQLite whenever somebody reads",
    ".qms/index.sqlite-wal": "empty once the writer has closed; what it holds is read as part of the index",
}
"""Files that hold nothing, with the reason."""


INDEX = ".qms/index.sqlite"
NEEDS_NO_NOTICE = {
    (INDEX, DELETED): "made anew at its next use; nothing rests on it",
    (INDEX, OLDER): "brought up to date at its next use, as after every act that files no record",
}
"""What is no defect at all, with the reason."""


def index_content(company: SignedCompany) -> object:
    """Return what can be read from the search index: bytes of its pages that no row uses change nothing."""
    try:
        with closing(sqlite3.connect(company.workspace / INDEX)) as index:
            tables = [
                index.execute("SELECT * FROM record ORDER BY id").fetchall(),
                index.execute("SELECT * FROM reference ORDER BY source, field, target").fetchall(),
            ]
            words = "CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab('main', 'words', 'row')"
            index.execute(words)
            return [*tables, index.execute("SELECT * FROM temp.vocabulary ORDER BY term").fetchall()]
    except sqlite3.Error:
        return None


def file_cases(company: SignedCompany) -> Iterator[Case]:
    """Yield every case about the files of the workspace, object by object for what lies loose."""
    files = {
        path.relative_to(company.workspace).as_posix(): path.read_bytes()
        for path in sorted(company.workspace.rglob("*"))
        if path.is_file()
    }
    content = _content_of_packs(company.workspace)
    paths = object_paths(company.workspace)
    for name, data in files.items():
        if name in LEFT_OUT:
            continue
        oids = content.get(name.rpartition(".")[0], ())
        loose = name.replace("/", "")[-40:] if name.startswith(".git/objects/") and not oids else ""
        stem = [name.rpartition(".")[0]] if oids else []
        named = [name, *_other_names(name), *stem, *oids, *([loose] if loose else [])]
        for oid in (*oids, loose):
            named += paths.get(oid, ())
        notes = not name.startswith(".git/") or name == ".git/index"
        for case in _of_file(name, data, files, [item for item in named if item], company, notes=notes):
            if (name, case.operation) not in NEEDS_NO_NOTICE:
                yield replace(case, unchanged=index_content) if name == INDEX else case


def _of_file(
    name: str, data: bytes, files: Mapping[str, bytes], named: Sequence[str], company: SignedCompany, *, notes: bool
) -> Iterator[Case]:
    def change(operation: str, apply: object, also: Sequence[str] = ()) -> Case:
        return Case(name, operation, apply, (*named, *also), notes)  # type: ignore[arg-type]

    yield change(BYTE, partial(_byte, name, data))
    yield change(TRUNCATED, partial(_cut, name, data))
    yield change(DELETED, partial(_put, {name: None}))
    folder, suffix = name.rpartition("/")[0], name.rpartition(".")[2]
    near = [item for item in files if item.rpartition("/")[0] == folder and item.rpartition(".")[2] == suffix]
    other = sibling(name, files, near=near)
    if other is not None:
        yield change(SWAPPED, partial(_put, {name: files[other], other: data}), (other,))
    for home in company.earlier:
        older = home / "workspace" / name
        if older.is_file() and older.read_bytes() != data:
            yield change(OLDER, partial(_put, {name: older.read_bytes()}))
            break


def _other_names(name: str) -> list[str]:
    """How else a finding may name a file of the repository: by the branch it is."""
    if name.startswith(".git/refs/heads/"):
        return [name.removeprefix(".git/refs/heads/"), "没有站点 main 的档案分支"]
    if name == ".git/packed-refs":
        return ["main"]
    return []


def _byte(name: str, data: bytes, company: SignedCompany, chance: random.Random) -> None:
    write(company.workspace / name, with_byte(data, chance))


def _cut(name: str, data: bytes, company: SignedCompany, chance: random.Random) -> None:
    write(company.workspace / name, cut(data, chance))


def _put(files: Mapping[str, bytes | None], company: SignedCompany, _chance: random.Random) -> None:
    for name, data in files.items():
        if data is None:
            (company.workspace / name).unlink()
        else:
            write(company.workspace / name, data)


def _content_of_packs(workspace: Path) -> dict[str, list[str]]:
    """Return the objects in each pack, by its path without suffix."""
    found = {}
    for path in (workspace / ".git" / "objects" / "pack").glob("*.idx"):
        listed = git(workspace, "show-index", stdin=path.read_bytes()).decode().splitlines()
        stem = path.with_suffix("").relative_to(workspace).as_posix()
        found[stem] = [line.split()[1] for line in listed]
    return found


def object_paths(workspace: Path) -> dict[str, list[str]]:
    """Return the paths at which each object lies in any commit."""
    found: dict[str, list[str]] = {}
    for commit in git(workspace, "rev-list", "--all").decode().split():
        listed = git(workspace, "-c", "core.quotePath=false", "ls-tree", "-r", "-t", "--full-tree", commit).decode()
        for line in listed.splitlines():
            facts, _, path = line.partition("\t")
            paths = found.setdefault(facts.split()[2], [])
            if path not in paths:
                paths.append(path)
    return found
