from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from controller.adapters.record_key_store import SqliteRecordKeys
from controller.domain.conformity import Gravity
from controller.domain.form import FormDefinition, Stage
from controller.domain.identifiers import Digest, DocumentNumber, RecordNumber, Revision
from controller.domain.record import Act, Attachment, Entry, FormBinding, SealedValue
from controller.file_formats.compiled_form import CompiledForm, write_compiled
from controller.file_formats.entry_file import encode_entry
from controller.file_formats.sealed_file import salted, seal, seal_bytes
from controller.services.archive_verification import verify
from controller.services.ports import ArchiveChange
from controller.services.workspace_identity import WorkspaceIdentity
from tests.archives import make_workspace, open_archive
from tests.builders import FORM, MORNING, WANG, WORKSPACE, chain, entry
from tests.real_tools import need

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from controller.domain.record import Wire

IDENTITY = WorkspaceIdentity(WORKSPACE, "main", "安泽医疗器械有限公司")
DOCX = b"docx of the form"
DEFINITION = FormDefinition(
    number=DocumentNumber(FORM),
    title="质量投诉处理记录",
    revision=Revision("A/0"),
    procedure=DocumentNumber("XX-YLQXCX-015"),
    owner="售后服务部",
    retention="complaint",
    fields=(),
    stages=(Stage("registered", "已登记"), Stage("accepted", "已受理", after=("registered",))),
)
COMPILED = write_compiled(CompiledForm(DEFINITION, Digest.of(DOCX), {}))
PACKAGE = f"controlled-forms/{Digest.of(COMPILED).hex}"
BINDING = FormBinding(DEFINITION.number, DEFINITION.revision, Digest.of(COMPILED))
FIRST = RecordNumber.of(FORM, 2026, 1)
PART = salted({"content": "患者姓名"}, docx=Digest.of(b"full print"))


class Workspace:
    """A real archive and key store; `files` goes into the archive as it is, right or wrong."""

    def __init__(self, folder: Path) -> None:
        need("git")
        self.folder = make_workspace(folder / "ws")
        self.keys = SqliteRecordKeys(folder / "keys")
        self.key = self.keys.create([FIRST])[FIRST]

    def file(self, files: Mapping[str, bytes]) -> None:
        archive = open_archive(self.folder)
        with archive.writing() as writer:
            writer.append(ArchiveChange(files, WANG, MORNING, "files", {}))
        archive.close()

    def findings(self, **options: Any) -> list[tuple[str, str]]:
        archive = open_archive(self.folder)
        found = [
            (item.code, item.path or item.subject or "") for item in verify(archive, self.keys, IDENTITY, **options)
        ]
        archive.close()
        return found


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = Workspace(tmp_path)
    made.file({f"{PACKAGE}/compiled.json": COMPILED, f"{PACKAGE}/form.docx": DOCX})
    return made


def opened(serial: int = 1, **changes: Any) -> Entry:
    return entry(serial, **({"binding": BINDING} | changes))


def stored(*entries: Entry) -> dict[str, bytes]:
    return {f"{item.record.folder}/{item.sequence:04d}.json": encode_entry(item) for item, _ in chain(*entries)}


FILE = f"{FIRST.folder}/0001.json"
FILLED = opened(act=Act.FILLED, values={"severity": "一般"})


def test_an_untouched_archive_has_no_findings(workspace: Workspace) -> None:
    workspace.file(stored(opened(), FILLED))
    workspace.file(stored(opened(2)))
    workspace.file(
        {
            **stored(opened(3, attachments=(Attachment("照片.jpg", Digest.of(b"photo"), 5),))),
            f"{RecordNumber.of(FORM, 2026, 3).folder}/attachments/{Digest.of(b'photo').hex}": b"photo",
        }
    )
    assert workspace.findings() == []


def test_sealed_values_are_checked_when_the_key_is_here(workspace: Workspace) -> None:
    sealed = Attachment("知情同意书.pdf", Digest.of(b"scan"), 4, sealed=True)
    workspace.file(
        {
            **stored(opened(sealed=PART.digests(), attachments=(sealed,))),
            f"{FIRST.folder}/0001.sealed": seal(PART, workspace.key),
            f"{FIRST.folder}/attachments/{sealed.digest.hex}.sealed": seal_bytes(b"scan", workspace.key),
        }
    )
    assert workspace.findings() == []


def test_after_disposal_the_rest_still_verifies_and_a_note_says_so(workspace: Workspace) -> None:
    workspace.file({**stored(opened(sealed=PART.digests())), f"{FIRST.folder}/0001.sealed": seal(PART, workspace.key)})
    workspace.keys.destroy(FIRST)
    archive = open_archive(workspace.folder)
    (finding,) = verify(archive, workspace.keys, IDENTITY)
    archive.close()
    assert (finding.code, finding.gravity, finding.subject) == ("sealed-key-missing", Gravity.NOTE, FIRST.text)
    assert "已处置或缺失" in str(finding.message)


def one_entry_changed() -> dict[str, bytes]:
    files = stored(opened(), FILLED)
    return {**files, FILE: encode_entry(replace(opened(), values={"channel": "邮件"}))}


SECOND_FOLDER = RecordNumber.of(FORM, 2026, 2).folder


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (one_entry_changed(), [("entry-previous-wrong", FIRST.text)]),
        ({FILE: stored(opened())[FILE] + b"\n"}, [("entry-unreadable", FILE)]),
        ({FILE: b"\xff"}, [("entry-unreadable", FILE)]),
        ({**stored(opened(), FILLED), FILE: b"{}"}, [("entry-unreadable", FILE)]),
        (stored(opened(2)), [("serial-gap", FIRST.text)]),
        ({**stored(opened(1)), **stored(opened(4))}, [("serial-gap", f"{FORM}-2026-0002")]),
        (
            {path.replace("/00/00/", "/00/07/"): data for path, data in stored(opened()).items()},
            [("record-misplaced", FIRST.folder.replace("/00/00/", "/00/07/"))],
        ),
        (
            {**stored(opened()), f"{SECOND_FOLDER}/0001.json": stored(opened())[FILE]},
            [("entry-misplaced", f"{SECOND_FOLDER}/0001.json")],
        ),
        (
            stored(opened(), FILLED) | {f"{FIRST.folder}/0003.json": b"?"},
            [("entry-unreadable", f"{FIRST.folder}/0003.json")],
        ),
        (stored(opened(workspace="other")), [("record-of-another-workspace", FIRST.folder)]),
        (stored(opened(site="shanghai")), [("record-of-another-workspace", FIRST.folder)]),
        (stored(opened(binding=replace(BINDING, digest=Digest.of(b"?")))), [("form-package-missing", FIRST.folder)]),
        (stored(opened(binding=replace(BINDING, revision=Revision("A/1")))), [("form-binding-differs", FIRST.folder)]),
        (stored(opened(stage="closed")), [("entry-stage-wrong", FIRST.text)]),
        (stored(opened(sealed=PART.digests())), [("sealed-missing", f"{FIRST.folder}/0001.sealed")]),
        (
            {**stored(opened()), f"{FIRST.folder}/0001.sealed": b"x"},
            [("sealed-unexpected", f"{FIRST.folder}/0001.sealed")],
        ),
        ({**stored(opened()), f"{FIRST.folder}/notes.txt": b"x"}, [("file-unknown", f"{FIRST.folder}/notes.txt")]),
        ({"notes.txt": b"x"}, [("file-unknown", "notes.txt")]),
        ({"notes/a/b/c/d/e": b"x"}, [("file-unknown", "notes/a/b/c/d")]),
        ({f"{FIRST.folder}/0001.p7s": b"x"}, [("record-without-entries", FIRST.folder)]),
        ({"controlled-forms/abc/compiled.json": b"x"}, [("form-package-incomplete", "controlled-forms/abc")]),
        (
            {f"controlled-forms/{'0' * 64}/compiled.json": COMPILED, f"controlled-forms/{'0' * 64}/form.docx": DOCX},
            [("form-package-differs", f"controlled-forms/{'0' * 64}/compiled.json")],
        ),
        ({f"{PACKAGE}/extra.txt": b"x"}, [("file-unknown", f"{PACKAGE}/extra.txt")]),
        (
            {
                **stored(opened(attachments=(Attachment("照片.jpg", Digest.of(b"photo"), 5),))),
                f"{FIRST.folder}/attachments/{Digest.of(b'photo').hex}": b"other",
            },
            [("attachment-differs", f"{FIRST.folder}/attachments/{Digest.of(b'photo').hex}")],
        ),
        (
            stored(opened(attachments=(Attachment("照片.jpg", Digest.of(b"photo"), 5),))),
            [("attachment-missing", f"{FIRST.folder}/attachments/{Digest.of(b'photo').hex}")],
        ),
        (
            {**stored(opened()), f"{FIRST.folder}/attachments/{'0' * 64}": b"x"},
            [("attachment-unexpected", f"{FIRST.folder}/attachments/{'0' * 64}")],
        ),
    ],
)
def test_each_defect_is_found_and_named(
    workspace: Workspace, files: dict[str, bytes], expected: list[tuple[str, str]]
) -> None:
    workspace.file(files)
    assert workspace.findings() == [(code, path) for code, path in expected]


def test_sealed_bytes_of_another_content_or_key_are_found(workspace: Workspace) -> None:
    other = salted({"content": "别的内容"})
    path = f"{FIRST.folder}/0001.sealed"
    workspace.file({**stored(opened(sealed=PART.digests())), path: seal(other, workspace.key)})
    second = RecordNumber.of(FORM, 2026, 2)
    workspace.keys.create([second])
    workspace.file(
        {**stored(opened(2, sealed=PART.digests())), f"{second.folder}/0001.sealed": seal(PART, workspace.key)}
    )
    assert workspace.findings() == [("sealed-differs", path), ("sealed-unreadable", f"{second.folder}/0001.sealed")]


def test_a_sealed_attachment_that_was_exchanged_is_found(workspace: Workspace) -> None:
    scan = Attachment("知情同意书.pdf", Digest.of(b"scan"), 4, sealed=True)
    path = f"{FIRST.folder}/attachments/{scan.digest.hex}.sealed"
    workspace.file({**stored(opened(attachments=(scan,))), path: seal_bytes(b"other", workspace.key)})
    assert workspace.findings() == [("attachment-differs", path)]


def test_an_archive_of_another_workspace_is_noticed(workspace: Workspace) -> None:
    archive = open_archive(workspace.folder)
    other = WorkspaceIdentity("another", "main", "")
    assert [item.code for item in verify(archive, workspace.keys, other)] == ["site-file-wrong"]
    archive.close()


def test_a_site_without_archive_is_one_finding(workspace: Workspace) -> None:
    subprocess.run(["git", "update-ref", "-d", "refs/heads/archive/main"], cwd=workspace.folder, check=True)
    assert [code for code, _ in workspace.findings()] == ["archive-missing"]


def test_a_rewritten_history_is_found_although_every_file_is_right(workspace: Workspace) -> None:
    workspace.file(stored(opened()))

    def git(*arguments: str) -> str:
        who = ("-c", "user.name=x", "-c", "user.email=x")
        done = subprocess.run(["git", *who, *arguments], cwd=workspace.folder, capture_output=True, check=True)
        return done.stdout.decode().strip()

    without = git("commit-tree", "archive/main~1^{tree}", "-p", "archive/main", "-m", "x")
    again = git("commit-tree", "archive/main^{tree}", "-p", without, "-m", "x")
    git("update-ref", "refs/heads/archive/main", again)
    assert workspace.findings() == [("history-rewritten", FILE)]


def test_lost_content_is_a_finding_for_each_file_and_no_gap(workspace: Workspace) -> None:
    for serial in (1, 2, 3):
        workspace.file(stored(opened(serial)))
    packs = list((workspace.folder / ".git/objects/pack").glob("*.pack"))
    for pack in packs:
        data = pack.read_bytes()
        for path in pack.parent.glob(f"{pack.stem}.*"):
            path.unlink()
        subprocess.run(["git", "unpack-objects", "-q"], cwd=workspace.folder, input=data, check=True)
    second = RecordNumber.of(FORM, 2026, 2).folder
    for name in (f"{second}/0001.json", f"{PACKAGE}/form.docx"):
        found = subprocess.run(
            ["git", "rev-parse", f"archive/main:{name}"], cwd=workspace.folder, capture_output=True, check=True
        )
        oid = found.stdout.decode().strip()
        (workspace.folder / ".git/objects" / oid[:2] / oid[2:]).unlink()
    findings = workspace.findings()
    assert ("object-damaged", f"{second}/0001.json") in findings
    assert ("object-damaged", f"{PACKAGE}/form.docx") in findings
    assert "serial-gap" not in {code for code, _ in findings}


def test_prints_are_made_again_and_compared_on_request(workspace: Workspace) -> None:
    masked, full = Digest.of(b"masked print"), Digest.of(b"full print")
    first = opened(sealed=PART.digests(), shown=masked)
    second = replace(FILLED, shown=Digest.of(b"second print"))
    workspace.file({**stored(first, second), f"{FIRST.folder}/0001.sealed": seal(PART, workspace.key)})
    asked: list[tuple[int, Wire]] = []

    def honest(entries: Sequence[tuple[Entry, Digest]], values: Mapping[str, Wire] | None) -> Digest:
        asked.append((len(entries), dict(values) if values is not None else None))
        if values is not None:
            return full
        return masked if len(entries) == 1 else Digest.of(b"second print")

    assert workspace.findings(rerender=honest) == []
    assert asked == [(1, None), (1, {"content": "患者姓名"}), (2, None)]
    assert workspace.findings(rerender=lambda _entries, _values: Digest.of(b"")) == [
        ("print-differs", FILE),
        ("print-differs", FILE),
        ("print-differs", f"{FIRST.folder}/0002.json"),
    ]
    assert {code for code, _ in workspace.findings(rerender=lambda _entries, _values: None)} == {"print-impossible"}


def test_a_value_that_is_both_open_and_sealed_is_found(workspace: Workspace) -> None:
    both = opened(values={"content": "明文"}, sealed={"content": SealedValue(PART.digests()["content"].digest)})
    workspace.file({**stored(both), f"{FIRST.folder}/0001.sealed": seal(PART, workspace.key)})
    assert workspace.findings() == [("entry-value-twice", FIRST.text)]


def test_progress_is_told_how_many_records_were_examined(workspace: Workspace) -> None:
    workspace.file({path: data for serial in range(1, 6) for path, data in stored(opened(serial)).items()})
    told: list[tuple[int, int | None]] = []
    assert workspace.findings(progress=lambda done, total: told.append((done, total))) == []
    assert told == [(5, 5)]
