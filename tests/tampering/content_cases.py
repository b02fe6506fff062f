"""内容改动. Everything done to each file of a branch by somebody who makes history anew, so that Git is content."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from tests.tampering.cases import Case
from tests.tampering.operations import BYTE, DELETED, OLDER, SWAPPED, TRUNCATED, cut, sibling, with_byte
from tests.tampering.rewriting import Branch, Written

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping

    from tests.tampering.rewriting import Commit
    from tests.tampering.signed_company import SignedCompany

SOMEWHERE = frozenset(
    {
        "archive-rewritten", "library-rewritten", "heads-not-in-history", "heads-added-differs", "witness-differs",
        "witness-missing",
    }
)  # fmt: skip
"""What says that the archive differs from what was seen or stated, but not where; each file must tell for itself."""
HELD_BY_HEADS = re.compile(r"people/[^/]+/\d+\.[^/]+\.p7s|trail/.*/\d+\.json")
"""What no later statement of its own chain names when it is taken away: a witness's signature, the end of the trail.

That it is gone is told by the daily statements over all heads, which name nothing but the day.
"""
_PLACE = re.compile(r"[0-9a-f]{64}|[0-9]+")


def archive_cases(company: SignedCompany) -> Iterator[Case]:
    """Yield every case about the files of the archive; the computer remembers nothing, the stamps do not count."""
    branch = Branch(company.workspace, "archive/main")
    files = branch.files
    for name, data in files.items():
        kind = _PLACE.sub("#", name.rpartition("/")[2])
        near = [item for item in files if _PLACE.sub("#", item.rpartition("/")[2]) == kind]
        near.sort(key=lambda item: (item.split("/")[:-1] != name.split("/")[:-1], item))
        other = sibling(name, files, near=near)

        def case(operation: str, change: object, also: tuple[str, ...] = (), *, name: str = name) -> Case:
            names = (name, *_subjects(name), *also)
            return Case(name, operation, partial(_rewrite, branch, change), names, but=SOMEWHERE, forgotten=True)

        changed = case(BYTE, partial(_with_byte, name))
        yield _held_by_heads(changed) if name.endswith((".pdf", ".tsr")) else changed
        yield case(TRUNCATED, partial(_shorter, name))
        gone = case(DELETED, partial(_without, name))
        yield _held_by_heads(gone) if HELD_BY_HEADS.fullmatch(name) else gone
        if other is not None:
            exchanged = {name: files[other], other: data}
            yield case(SWAPPED, partial(_with, exchanged), (other, *_subjects(other)))
        older = sibling(name, files, near=[item for item in near if item < name][::-1])
        if older is not None:
            yield case(OLDER, partial(_with, {name: files[older]}))


def _held_by_heads(case: Case) -> Case:
    """Let what the daily statements say count too.

    For bytes of PDF and stamp: the wrapping of a signature (version, names of algorithms, certificates that came along)
    is signed by nobody and says nothing.
    """
    return replace(case, names=(*case.names, "每日摘要"), but=frozenset())


def library_cases(company: SignedCompany) -> Iterator[Case]:
    """Yield every case about what the commits of `main` put there."""
    branch = Branch(company.workspace, "main")
    before: dict[str, bytes] = {}
    for commit in branch.commits:
        for name, written in commit.files.items():
            data = written.data
            place = f"main {commit.oid[:8]} {name}"
            assert data is not None

            def case(
                operation: str, change: object, *, place: str = place, name: str = name, oid: str = commit.oid
            ) -> Case:
                apply = partial(_rewrite_one, branch, oid, name, change)
                return Case(place, operation, apply, (name,), but=SOMEWHERE, forgotten=True)

            yield case(BYTE, with_byte)
            yield case(TRUNCATED, cut)
            yield case(DELETED, None)
            near = [item for item in commit.files if item.rpartition(".")[2] == name.rpartition(".")[2]]
            other = sibling(name, {key: item.data or b"" for key, item in commit.files.items()}, near=near)
            if other is not None:
                exchanged = commit.files[other].data
                yield case(SWAPPED, lambda _data, _chance, exchanged=exchanged: exchanged)
            if name in before:
                yield case(OLDER, lambda _data, _chance, older=before[name]: older)
            before[name] = data


def commit_cases(company: SignedCompany) -> Iterator[Case]:
    """Yield every case about the commits of the archive themselves: time, order, kind of file, one left out.

    What a commit says about itself (author, words) is signed nowhere; a changed word is told by whoever saw the commit.
    """
    branch = Branch(company.workspace, "archive/main")
    commits = branch.commits
    for number, commit in enumerate(commits):
        names = tuple({name for path in commit.files for name in (path, *_subjects(path))})

        def case(
            operation: str,
            changed: list[Commit],
            also: tuple[str, ...] = (),
            *,
            place: str = commit.oid[:12],
            names: tuple[str, ...] = names,
        ) -> Case:
            apply = partial(_put, branch, changed)
            return Case(f"commit {place}", operation, apply, (*names, *also), but=SOMEWHERE, forgotten=True)

        before, after = list(commits[:number]), list(commits[number + 1 :])
        if not number:
            continue
        yield case("dated back", [*before, commit.moved(-1), *after])
        yield case("dated later", [*before, commit.moved(1), *after])
        wrong_kind = {path: replace(written, mode="100755") for path, written in commit.files.items()}
        yield case("executable", [*before, replace(commit, files=wrong_kind), *after])
        reworded = replace(commit, message=b"x" + commit.message)
        yield replace(
            case("reworded", [*before, reworded, *after], ("archive/main",)), but=frozenset(), forgotten=False
        )
        yield replace(case("left out", [*before, *after], ("archive/main",)), but=frozenset(), forgotten=False)
        if after:
            swapped = [*before, after[0], commit, *after[1:]]
            also = tuple({name for path in after[0].files for name in (path, *_subjects(path))})
            yield replace(case("exchanged", swapped, (*also, "archive/main")), but=frozenset(), forgotten=False)


def _put(branch: Branch, commits: list[Commit], company: SignedCompany, _chance: random.Random) -> None:
    branch.put(company.workspace, commits)


def _subjects(name: str) -> tuple[str, ...]:
    """Names of the thing a file belongs to: record, chain or folder, and what lies beside it."""
    parts = name.split("/")
    stem = name.rpartition("/")[0] + "/" + parts[-1].split(".")[0]
    found = [f"{stem}."]
    if parts[0] in {"trail", "timestamps"}:
        found.append(f"陈述链 {parts[0]} 缺少第 {int(parts[-1].split('.')[0])} 份陈述")
    if len(parts) > 5 and parts[0].startswith("XX-"):
        found.append(parts[4])
    if parts[0] == "certificates":
        found.append(parts[1][:16])
    if parts[0] == "controlled-forms":
        found.append("/".join(parts[:2]))
    return tuple(found)


def _rewrite(branch: Branch, change: object, company: SignedCompany, chance: random.Random) -> None:
    commits = branch.with_files(lambda path, written: change(path, written, chance))  # type: ignore[operator]
    branch.put(company.workspace, commits)


def _rewrite_one(
    branch: Branch, oid: str, name: str, change: object, company: SignedCompany, chance: random.Random
) -> None:
    def changed(commit: Commit) -> Commit:
        if commit.oid != oid:
            return commit
        files = dict(commit.files)
        data = files.pop(name).data
        if change is not None:
            files[name] = Written(change(data, chance))  # type: ignore[operator]
        return replace(commit, files=files)

    branch.put(company.workspace, [changed(commit) for commit in branch.commits])


def _with_byte(name: str, path: str, written: Written, chance: random.Random) -> dict[str, Written]:
    return {path: Written(with_byte(written.data or b"", chance)) if path == name else written}


def _shorter(name: str, path: str, written: Written, chance: random.Random) -> dict[str, Written]:
    return {path: Written(cut(written.data or b"", chance)) if path == name else written}


def _without(name: str, path: str, written: Written, _chance: random.Random) -> dict[str, Written]:
    return {} if path == name else {path: written}


def _with(contents: Mapping[str, bytes], path: str, written: Written, _chance: random.Random) -> dict[str, Written]:
    return {path: Written(contents[path]) if path in contents else written}
