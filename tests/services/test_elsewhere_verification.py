"""An approval from before this system is attested to, lies with its scan, and never counts as a signature here."""

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
from controller.services.approval_elsewhere import elsewhere_of
from controller.services.archive_verification import ArchiveVerification, VerificationTools
from controller.services.statement_filing import StatementDraft
from controller.services.workspace_identity import WorkspaceIdentity
from tests.scans import small_png
from tests.signed_archive import LIBRARY, SignedArchive, found
from tests.signers import COMPANY, WORKSPACE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

CHAIN = "documents/XX-YLQXCX-014/A-0"
SOURCE = "procedures/XX-YLQXCX-014/clauses.txt"
SCAN = small_png()
COVERED = {SOURCE: Digest.of(LIBRARY[SOURCE])}
WITH_SCAN = {**COVERED, f"{CHAIN}/0001.png": Digest.of(SCAN)}
ALWAYS = {"time-not-proven", "enrolment-witness-missing"}


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[SignedArchive]:
    made = found(tmp_path / "ws")
    yield made
    made.close()


def attest(
    archive: SignedArchive, files: Mapping[str, Digest], *, beside: Mapping[str, bytes], chain: str = CHAIN
) -> None:
    draft = StatementDraft(
        chain,
        Event.APPROVED_ELSEWHERE,
        "XX-YLQXCX-014",
        "系统外批准归档",
        new={
            "elsewhere_approved": {"name": "周明", "at": "2019-05-30"},
            "scan": "批准页.png",
            "effective": "2019-06-01",
        },
        files=dict(files),
    )
    archive.statements.file(draft, archive.signer("p002"), beside=lambda _data: beside)


def findings(archive: SignedArchive, tmp_path: Path) -> list[tuple[str, str]]:
    tip = archive.archive.tip() or ""
    identity = WorkspaceIdentity(WORKSPACE, "main", COMPANY)
    with closing(GitFolderWalk(archive.folder, tip)) as walk, closing(GitBranchHistory(archive.folder)) as history:
        keys = SqliteRecordKeys(tmp_path / "keys")
        tools = VerificationTools(history=history, keys=keys, walk=walk, zone=ZoneInfo("Asia/Shanghai"))
        told = list(ArchiveVerification(archive.archive, identity, tools).findings())
    return [(item.code, item.path or "") for item in told if item.code not in ALWAYS]


def test_it_is_accepted_with_its_scan_and_read_back(archive: SignedArchive, tmp_path: Path) -> None:
    attest(archive, WITH_SCAN, beside={".png": SCAN})
    assert findings(archive, tmp_path) == []
    (stored,) = archive.statements.chain(CHAIN)
    approval = elsewhere_of(stored)
    assert approval is not None
    assert approval.steps == [("批准", "周明", "2019-05-30")]
    assert approval.scan == ("批准页.png", f"{CHAIN}/0001.png")
    assert approval.told.startswith("系统外批准：批准 周明 2019-05-30、生效 2019-06-01，原件扫描件“批准页.png”")
    assert approval.flaw is None


@pytest.mark.parametrize(
    ("beside", "expected"),
    [
        ({}, [("paper-scan-missing", ".png")]),
        ({".png": SCAN + b"\0"}, [("paper-scan-differs", ".png")]),
        ({".png": SCAN, ".pdf": b"%PDF-1.7"}, [("file-unknown", ".pdf")]),
    ],
)
def test_missing_changed_and_smuggled_scans_are_named(
    archive: SignedArchive, tmp_path: Path, beside: dict[str, bytes], expected: list[tuple[str, str]]
) -> None:
    attest(archive, WITH_SCAN, beside=beside)
    assert sorted(findings(archive, tmp_path)) == [(code, f"{CHAIN}/0001{suffix}") for code, suffix in expected]


def test_it_attests_only_to_what_was_in_the_library(archive: SignedArchive, tmp_path: Path) -> None:
    attest(archive, {SOURCE: Digest.of(b"another text")}, beside={})
    assert findings(archive, tmp_path) == [("document-file-differs", f"{CHAIN}/0001.json")]


def test_it_belongs_to_the_chain_of_a_document(archive: SignedArchive, tmp_path: Path) -> None:
    attest(archive, COVERED, beside={}, chain="trail")
    assert [code for code, _path in findings(archive, tmp_path)] == ["statement-event-misplaced"]
