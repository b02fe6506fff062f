"""Verification knows question files: missing, changed and smuggled ones are named by their place."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from controller.adapters.git_folder_walk import GitFolderWalk
from controller.adapters.git_history import GitBranchHistory
from controller.adapters.record_key_store import SqliteRecordKeys
from controller.domain.identifiers import Digest
from controller.domain.statement import Event
from controller.services.archive_verification import ArchiveVerification, VerificationTools
from controller.services.statement_filing import StatementDraft
from controller.services.workspace_identity import WorkspaceIdentity
from tests.signed_archive import SignedArchive, found
from tests.signers import COMPANY, WORKSPACE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

CHAIN = "training/XX-YLQXCX-014/A-1"
QUESTIONS = b"format: wenkong/questions/1\n"
ALWAYS = {"time-not-proven", "enrolment-witness-missing"}


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[SignedArchive]:
    made = found(tmp_path / "ws")
    yield made
    made.close()


def assign(archive: SignedArchive, beside: Mapping[str, bytes], *, named: bytes | None = QUESTIONS) -> None:
    digest = Digest.of(named).text if named is not None else None
    draft = StatementDraft(CHAIN, Event.TRAINING_ASSIGNED, "XX-YLQXCX-014", new={"questions": digest})
    archive.statements.file(draft, archive.signer("p002"), beside=lambda _data: beside)


def findings(archive: SignedArchive, tmp_path: Path) -> list[tuple[str, str]]:
    identity = WorkspaceIdentity(WORKSPACE, "main", COMPANY)
    tip = archive.archive.tip() or ""
    with closing(GitFolderWalk(archive.folder, tip)) as walk, closing(GitBranchHistory(archive.folder)) as history:
        keys = SqliteRecordKeys(tmp_path / "keys")
        tools = VerificationTools(history=history, keys=keys, walk=walk, zone=ZoneInfo("Asia/Shanghai"))
        told = list(ArchiveVerification(archive.archive, identity, tools).findings())
    return [(item.code, item.path or "") for item in told if item.code not in ALWAYS]


def test_questions_that_lie_where_the_statement_says_are_fine(archive: SignedArchive, tmp_path: Path) -> None:
    assign(archive, {".yml": QUESTIONS})
    assign(archive, {}, named=None)
    assert findings(archive, tmp_path) == []


@pytest.mark.parametrize(
    ("beside", "named", "code"),
    [
        ({}, QUESTIONS, "training-questions-missing"),
        ({".yml": b"others"}, QUESTIONS, "training-questions-differ"),
        ({".yml": QUESTIONS}, None, "file-unknown"),
    ],
)
def test_other_questions_are_found(
    archive: SignedArchive, tmp_path: Path, beside: Mapping[str, bytes], named: bytes | None, code: str
) -> None:
    assign(archive, beside, named=named)
    assert findings(archive, tmp_path) == [(code, f"{CHAIN}/0001.yml")]
