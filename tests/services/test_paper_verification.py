"""Verification knows scans of signatures on paper: missing, changed and smuggled ones are named by their place."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from controller.adapters.git_folder_walk import GitFolderWalk
from controller.adapters.git_history import GitBranchHistory
from controller.adapters.record_key_store import SqliteRecordKeys
from controller.domain.identifiers import Digest
from controller.domain.paper_signature import TAKEN_IN, PaperSignature
from controller.domain.record import Attachment
from controller.domain.statement import Event
from controller.services.archive_verification import ArchiveVerification, VerificationTools
from controller.services.statement_filing import StatementDraft
from controller.services.workspace_identity import WorkspaceIdentity
from tests.scans import small_png
from tests.signed_archive import LIBRARY, SignedArchive, found
from tests.signers import COMPANY, WORKSPACE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from controller.domain.record import Wire

CHAIN = "documents/XX-YLQXCX-014/A-0"
SOURCE = "procedures/XX-YLQXCX-014/clauses.txt"
SCAN = small_png()
FILES = {SOURCE: Digest.of(LIBRARY[SOURCE]), f"{CHAIN}/0001.png": Digest.of(SCAN)}
SIGNED = PaperSignature(
    meaning="批准",
    kind="纸质签字",
    name="张伟",
    covers=Digest.of(b"contents"),
    sequence=0,
    scan=Attachment("扫描.png", Digest.of(SCAN), len(SCAN)),
    person="p001",
)
ALWAYS = {"time-not-proven", "enrolment-witness-missing"}


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[SignedArchive]:
    made = found(tmp_path / "ws")
    yield made
    made.close()


def take_in(
    archive: SignedArchive,
    beside: Mapping[str, bytes],
    *,
    facts: Mapping[str, Wire] | None = None,
    files: Mapping[str, Digest] = FILES,
    by: str = "p002",
) -> None:
    new = SIGNED.wire() if facts is None else dict(facts)
    draft = StatementDraft(CHAIN, Event.DOCUMENT_SIGNED_ON_PAPER, "XX-YLQXCX-014", TAKEN_IN, new=new, files=dict(files))
    archive.statements.file(draft, archive.signer(by), beside=lambda _data: beside)


def findings(archive: SignedArchive, tmp_path: Path) -> list[tuple[str, str]]:
    tip = archive.archive.tip() or ""
    identity = WorkspaceIdentity(WORKSPACE, "main", COMPANY)
    with closing(GitFolderWalk(archive.folder, tip)) as walk, closing(GitBranchHistory(archive.folder)) as history:
        keys = SqliteRecordKeys(tmp_path / "keys")
        tools = VerificationTools(history=history, keys=keys, walk=walk, zone=ZoneInfo("Asia/Shanghai"))
        told = list(ArchiveVerification(archive.archive, identity, tools).findings())
    return [(item.code, item.path or "") for item in told if item.code not in ALWAYS]


def test_a_scan_that_lies_where_the_statement_says_is_fine(archive: SignedArchive, tmp_path: Path) -> None:
    take_in(archive, {".png": SCAN})
    assert findings(archive, tmp_path) == []


def test_a_refusal_without_scan_is_fine(archive: SignedArchive, tmp_path: Path) -> None:
    declined = replace(SIGNED, kind="拒签", scan=None, reason="须修改第三条")
    take_in(archive, {}, facts=declined.wire(), files={SOURCE: FILES[SOURCE]})
    assert findings(archive, tmp_path) == []


@pytest.mark.parametrize(
    ("beside", "expected"),
    [
        ({}, [("paper-scan-missing", ".png")]),
        ({".png": SCAN + b"\0"}, [("paper-scan-differs", ".png")]),
        ({".png": SCAN, ".pdf": b"%PDF-1.7"}, [("file-unknown", ".pdf")]),
        ({".jpg": SCAN}, [("file-unknown", ".jpg"), ("paper-scan-missing", ".png")]),
    ],
)
def test_missing_changed_and_smuggled_scans_are_named(
    archive: SignedArchive, tmp_path: Path, beside: dict[str, bytes], expected: list[tuple[str, str]]
) -> None:
    take_in(archive, beside)
    assert sorted(findings(archive, tmp_path)) == [(code, f"{CHAIN}/0001{suffix}") for code, suffix in expected]


def test_a_signature_that_contradicts_itself_is_named(archive: SignedArchive, tmp_path: Path) -> None:
    take_in(archive, {".png": SCAN}, facts={"step": "approve"})
    take_in(archive, {}, by="p001", files={SOURCE: FILES[SOURCE]})
    another = {SOURCE: FILES[SOURCE], f"{CHAIN}/0003.png": Digest.of(b"other")}
    take_in(archive, {".png": b"other"}, files=another)
    assert sorted(findings(archive, tmp_path)) == [
        ("paper-signature-wrong", f"{CHAIN}/0001.json"),
        ("paper-signature-wrong", f"{CHAIN}/0002.json"),  # no scan
        ("paper-signature-wrong", f"{CHAIN}/0002.json"),  # filed by the one who signed on paper
        ("paper-signature-wrong", f"{CHAIN}/0003.json"),
    ]


def test_what_was_never_in_force_cannot_have_been_signed(archive: SignedArchive, tmp_path: Path) -> None:
    take_in(archive, {".png": SCAN}, files={**FILES, SOURCE: Digest.of(b"another text")})
    assert findings(archive, tmp_path) == [("document-file-differs", f"{CHAIN}/0001.json")]
