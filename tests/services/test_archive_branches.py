"""Verification of the branches themselves: history, main and its statements, kinds of files, lost content."""

from __future__ import annotations

import os
import subprocess
from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from controller.services.workspace_identity import WorkspaceIdentity
from tests.examined_archive import (
    AT,
    FILE,
    PACKAGE,
    SECOND_FOLDER,
    SIGNATURE,
    ExaminedArchive,
    opened,
    plain,
    signed,
    stored,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[ExaminedArchive]:
    with closing(ExaminedArchive(tmp_path)) as made:
        yield made


def git(folder: Path, *words: str, at: datetime | None = None) -> str:
    dates = {"GIT_COMMITTER_DATE": at.isoformat(), "GIT_AUTHOR_DATE": at.isoformat()} if at else {}
    who = ("-c", "user.name=x", "-c", "user.email=x")
    done = subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, check=True, env=os.environ | dates)
    return done.stdout.decode().strip()


def _with(folder: Path, tree: str, above: list[str], old: str, new: str) -> str:
    """Return `tree` with the object `old` below folders `above` replaced by `new`."""
    listing = git(folder, "ls-tree", tree)
    if above:
        child = next(line.split()[2] for line in listing.splitlines() if line.endswith(f"\t{above[0]}"))
        listing = listing.replace(child, _with(folder, child, above[1:], old, new))
    done = subprocess.run(
        ["git", "mktree"], cwd=folder, input=listing.replace(old, new).encode() + b"\n", capture_output=True, check=True
    )
    return done.stdout.decode().strip()


def test_a_commit_whose_time_goes_back_is_found(archive: ExaminedArchive) -> None:
    archive.file(stored(opened()), at=AT)
    early = AT - timedelta(hours=3)
    archive.file(signed(plain(opened(2, at=early.isoformat())), at=early), at=early)
    assert [code for code, _ in archive.findings()] == ["commit-time-backwards"]


def test_main_is_covered_by_statements_exactly(archive: ExaminedArchive) -> None:
    archive.made.clock.moment = AT
    archive.made.change_library({"procedures/XX-YLQXCX-014/clauses.txt": "一、目的\n二、范围\n".encode()})
    archive.made.change_library({"procedures/XX-YLQXCX-014/clauses.txt": None})
    assert archive.findings() == []


def test_a_commit_on_main_that_nobody_signed_is_found(archive: ExaminedArchive) -> None:
    tree = git(archive.folder, "rev-parse", "main:procedures")
    made = git(archive.folder, "commit-tree", tree, "-p", "main", "-m", "quietly")
    git(archive.folder, "update-ref", "refs/heads/main", made)
    codes = [code for code, _ in archive.findings()]
    assert codes[0] == "library-change-unsigned"


def test_a_commit_on_main_that_differs_from_its_statement_is_found(archive: ExaminedArchive) -> None:
    archive.made.clock.moment = AT
    archive.made.change_library({"procedures/XX-YLQXCX-014/clauses.txt": "二、范围\n".encode()})
    blob = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"], cwd=archive.folder, input=b"x", capture_output=True, check=True
    ).stdout.decode()
    listing = git(archive.folder, "ls-tree", "main:procedures/XX-YLQXCX-014").split()
    tree = git(archive.folder, "rev-parse", "main^{tree}")
    replaced = _with(archive.folder, tree, ["procedures", "XX-YLQXCX-014"], listing[2], blob.strip())
    message = git(archive.folder, "show", "-s", "--format=%B", "main")
    at = datetime.fromisoformat(git(archive.folder, "show", "-s", "--format=%cI", "main"))
    made = git(archive.folder, "commit-tree", replaced, "-p", "main~1", "-m", message, at=at)
    git(archive.folder, "update-ref", "refs/heads/main", made)
    assert [code for code, _ in archive.findings()] == ["library-change-differs"]


def test_main_taken_back_leaves_its_statement_behind(archive: ExaminedArchive) -> None:
    archive.made.clock.moment = AT
    archive.made.change_library({"procedures/XX-YLQXCX-014/clauses.txt": "二、范围\n".encode()})
    git(archive.folder, "update-ref", "refs/heads/main", "main~1")
    assert [code for code, _ in archive.findings()] == ["library-change-missing"]


def test_an_archive_of_another_workspace_is_noticed(archive: ExaminedArchive) -> None:
    codes = {code for code, _ in archive.findings(identity=WorkspaceIdentity("another", "main", ""))}
    assert codes == {"site-file-wrong", "statement-of-another-workspace"}


def test_a_site_without_archive_is_one_finding(archive: ExaminedArchive) -> None:
    git(archive.folder, "update-ref", "-d", "refs/heads/archive/main")
    assert [code for code, _ in archive.findings()] == ["archive-missing"]


def test_a_rewritten_history_is_found_although_every_file_is_right(archive: ExaminedArchive) -> None:
    archive.file(stored(opened()))
    without = git(archive.folder, "commit-tree", "archive/main~1^{tree}", "-p", "archive/main", "-m", "x", at=AT)
    again = git(archive.folder, "commit-tree", "archive/main^{tree}", "-p", without, "-m", "x", at=AT)
    git(archive.folder, "update-ref", "refs/heads/archive/main", again)
    assert archive.findings() == [("history-rewritten", FILE), ("history-rewritten", SIGNATURE)]


def test_a_file_that_is_no_ordinary_one_is_found(archive: ExaminedArchive) -> None:
    archive.file({"trail/notes.txt": b"x"})
    tree = git(archive.folder, "rev-parse", "archive/main:trail")
    listing = git(archive.folder, "ls-tree", tree)
    made = subprocess.run(
        ["git", "mktree"],
        cwd=archive.folder,
        input=listing.replace("100644 blob", "120000 blob").encode() + b"\n",
        capture_output=True,
        check=True,
    ).stdout.decode()
    top = git(archive.folder, "rev-parse", "archive/main^{tree}")
    whole = _with(archive.folder, top, [], tree, made.strip())
    commit = git(archive.folder, "commit-tree", whole, "-p", "archive/main~1", "-m", "x", at=AT)
    git(archive.folder, "update-ref", "refs/heads/archive/main", commit)
    assert ("file-kind-wrong", "trail/notes.txt") in archive.findings()


def test_lost_content_is_a_finding_for_each_file_and_no_gap(archive: ExaminedArchive) -> None:
    for serial in (1, 2, 3):
        archive.file(stored(opened(serial)))
    packs = list((archive.folder / ".git/objects/pack").glob("*.pack"))
    for pack in packs:
        data = pack.read_bytes()
        for path in pack.parent.glob(f"{pack.stem}.*"):
            path.unlink()
        subprocess.run(["git", "unpack-objects", "-q"], cwd=archive.folder, input=data, check=True)
    for name in (f"{SECOND_FOLDER}/0001.json", f"{PACKAGE}/form.docx"):
        oid = git(archive.folder, "rev-parse", f"archive/main:{name}")
        (archive.folder / ".git/objects" / oid[:2] / oid[2:]).unlink()
    findings = archive.findings()
    assert ("object-damaged", f"{SECOND_FOLDER}/0001.json") in findings
    assert ("object-damaged", f"{PACKAGE}/form.docx") in findings
    assert "serial-gap" not in {code for code, _ in findings}
