"""Verification names every defect of a signed archive, each by its place and kind."""

from __future__ import annotations

import os
import subprocess
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from controller.adapters.git_folder_walk import GitFolderWalk
from controller.adapters.git_history import GitBranchHistory
from controller.adapters.record_key_store import SqliteRecordKeys
from controller.adapters.record_processes import ExaminedPlace, RecordProcesses
from controller.domain.conformity import Finding, Gravity
from controller.domain.form import FormDefinition, Stage
from controller.domain.identifiers import Digest, DocumentNumber, RecordNumber, Revision
from controller.domain.record import Act, Attachment, Entry, FormBinding, SealedValue
from controller.domain.statement import Event, Statement, statement_path
from controller.file_formats.certificate_file import to_pem
from controller.file_formats.compiled_form import CompiledForm, write_compiled
from controller.file_formats.entry_file import encode_entry
from controller.file_formats.sealed_file import salted, seal, seal_bytes
from controller.file_formats.statement_file import encode_statement
from controller.services import archive_verification
from controller.services.archive_verification import ArchiveVerification, VerificationTools
from controller.services.workspace_identity import WorkspaceIdentity
from tests.builders import FORM, chain, entry
from tests.real_tools import need
from tests.signed_archive import LIBRARY, NAMES, SignedArchive, found
from tests.signers import COMPANY, ORIGIN, WORKSPACE, TestCompany, TestSigner, company

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from controller.domain.record import Wire

IDENTITY = WorkspaceIdentity(WORKSPACE, "main", COMPANY)
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
FIRST = RecordNumber.of(FORM, 2025, 1)
PART = salted({"content": "患者姓名"}, docx=Digest.of(b"full print"))
AT = datetime.fromisoformat("2025-05-02T09:30:00+08:00")
ALWAYS = {"time-not-proven", "enrolment-witness-missing"}
"""Notes on every archive without stamps, whose first people nobody could witness."""


class Workspace:
    """A real signed archive and key store; `file` adds what it is given, right or wrong."""

    def __init__(self, folder: Path) -> None:
        need("git")
        library = {**LIBRARY, f"templates/forms/{FORM}/compiled.json": COMPILED}
        self.made = found(folder / "ws", library=library)
        self.folder = self.made.folder
        self.keys = SqliteRecordKeys(folder / "keys")
        self.key = self.keys.create([FIRST])[FIRST]
        self.keys_folder = folder / "keys"

    def file(self, files: Mapping[str, bytes], *, at: datetime = AT) -> None:
        self.made.file(files, self.made.signer("p003").signatory, at=at)

    def all_findings(self, *, spread: bool = False, progress: Any = None, **options: Any) -> list[Finding]:
        tip = self.made.archive.tip() or ""
        place = ExaminedPlace(self.folder, tip, self.keys_folder)
        with closing(GitFolderWalk(self.folder, tip)) as walk, closing(GitBranchHistory(self.folder)) as history:
            tools = VerificationTools(
                history=history,
                keys=self.keys,
                walk=walk,
                zone=ZoneInfo("Asia/Shanghai"),
                spread=RecordProcesses(place) if spread else None,
                **{key: value for key, value in options.items() if key != "identity"},
            )
            identity = options.get("identity", IDENTITY)
            return list(ArchiveVerification(self.made.archive, identity, tools, progress=progress).findings())

    def findings(self, **options: Any) -> list[tuple[str, str]]:
        told = self.all_findings(**options)
        return [(item.code, item.path or item.subject or "") for item in told if item.code not in ALWAYS]


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(tmp_path)
    made.file({f"{PACKAGE}/compiled.json": COMPILED, f"{PACKAGE}/form.docx": DOCX})
    yield made
    made.made.close()


def opened(serial: int = 1, **changes: Any) -> Entry:
    signer = P003
    fixed: dict[str, Any] = {
        "binding": BINDING,
        "year": 2025,
        "by": signer.signatory,
        "certificate": signer.certificate,
        "origin": ORIGIN,
        "at": AT.isoformat(),
        "workspace": WORKSPACE,
    }
    return entry(serial, **(fixed | changes))


def signer_of(of: TestCompany, person: str = "p003", post: str = "售后服务员") -> TestSigner:
    return of.signer(person, NAMES[person], post)


def signed(files: Mapping[str, bytes], signer: TestSigner | None = None, at: datetime = AT) -> dict[str, bytes]:
    """Return the files with a signature beside each entry."""
    by = signer or P003
    return {
        **files,
        **{
            path.removesuffix(".json") + ".p7s": by.sign(data, at=at)
            for path, data in files.items()
            if path.endswith(".json") and path[-9:-5].isdecimal()
        },
    }


def plain(*entries: Entry) -> dict[str, bytes]:
    return {f"{item.record.folder}/{item.sequence:04d}.json": encode_entry(item) for item, _ in chain(*entries)}


def stored(*entries: Entry, signer: TestSigner | None = None) -> dict[str, bytes]:
    return signed(plain(*entries), signer)


P003 = signer_of(company())
FILE = f"{FIRST.folder}/0001.json"
SIGNATURE = f"{FIRST.folder}/0001.p7s"
FILLED = opened(act=Act.FILLED, values={"severity": "一般"})
PHOTO = Attachment("照片.jpg", Digest.of(b"photo"), 5)
PHOTO_PATH = f"{FIRST.folder}/attachments/{Digest.of(b'photo').hex}"


def test_an_untouched_archive_has_no_findings(workspace: Workspace) -> None:
    workspace.file(stored(opened(), FILLED))
    workspace.file(stored(opened(2)))
    third = RecordNumber.of(FORM, 2025, 3).folder
    workspace.file(
        {**stored(opened(3, attachments=(PHOTO,))), f"{third}/attachments/{Digest.of(b'photo').hex}": b"photo"}
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
    (finding,) = [item for item in workspace.all_findings() if item.code not in ALWAYS]
    assert (finding.code, finding.gravity, finding.subject) == ("sealed-key-missing", Gravity.NOTE, FIRST.text)
    assert "已处置或缺失" in str(finding.message)


def one_entry_changed() -> dict[str, bytes]:
    files = plain(opened(), FILLED)
    return signed({**files, FILE: encode_entry(replace(opened(), values={"channel": "邮件"}))})


SECOND_FOLDER = RecordNumber.of(FORM, 2025, 2).folder


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (one_entry_changed(), [("entry-previous-wrong", FIRST.text)]),
        (signed({FILE: plain(opened())[FILE] + b"\n"}), [("entry-unreadable", FILE)]),
        (signed({FILE: b"\xff"}), [("entry-unreadable", FILE)]),
        (signed({**plain(opened(), FILLED), FILE: b"{}"}), [("entry-unreadable", FILE)]),
        (stored(opened(2)), [("serial-gap", FIRST.text)]),
        ({**stored(opened(1)), **stored(opened(4))}, [("serial-gap", f"{FORM}-2025-0002")]),
        (
            {path.replace("/00/00/", "/00/07/"): data for path, data in stored(opened()).items()},
            [("record-misplaced", FIRST.folder.replace("/00/00/", "/00/07/"))],
        ),
        (
            signed({**plain(opened()), f"{SECOND_FOLDER}/0001.json": plain(opened())[FILE]}),
            [("entry-misplaced", f"{SECOND_FOLDER}/0001.json")],
        ),
        (
            signed(plain(opened(), FILLED) | {f"{FIRST.folder}/0003.json": b"?"}),
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
        ({"trail/notes.txt": b"x"}, [("file-unknown", "trail/notes.txt")]),
        ({"people/p003/notes.txt": b"x"}, [("file-unknown", "people/p003/notes.txt")]),
        ({"people/p003/0002.tsr": b"x"}, [("file-unknown", "people/p003/0002.tsr")]),
        ({"certificates/notes.pem": b"x"}, [("certificate-unreadable", "certificates/notes.pem")]),
        (
            {f"certificates/{'0' * 64}.pem": to_pem(P003.key.certificate)},
            [("certificate-misnamed", f"certificates/{'0' * 64}.pem")],
        ),
        (
            {SIGNATURE: b"x"},
            [
                ("file-added-later", SIGNATURE),
                ("signature-unexpected", SIGNATURE),
                ("record-without-entries", FIRST.folder),
            ],
        ),
        ({"controlled-forms/abc/compiled.json": b"x"}, [("form-package-incomplete", "controlled-forms/abc")]),
        (
            {f"controlled-forms/{'0' * 64}/compiled.json": COMPILED, f"controlled-forms/{'0' * 64}/form.docx": DOCX},
            [("form-package-differs", f"controlled-forms/{'0' * 64}/compiled.json")],
        ),
        ({f"{PACKAGE}/extra.txt": b"x"}, [("file-unknown", f"{PACKAGE}/extra.txt")]),
        ({**stored(opened(attachments=(PHOTO,))), PHOTO_PATH: b"other"}, [("attachment-differs", PHOTO_PATH)]),
        (stored(opened(attachments=(PHOTO,))), [("attachment-missing", PHOTO_PATH)]),
        (
            {**stored(opened()), f"{FIRST.folder}/attachments/{'0' * 64}": b"x"},
            [("attachment-unexpected", f"{FIRST.folder}/attachments/{'0' * 64}")],
        ),
        # Signatures, each exchanged for something else.
        (plain(opened()), [("signature-missing", SIGNATURE)]),
        ({**plain(opened()), SIGNATURE: b"x"}, [("signature-unreadable", SIGNATURE)]),
        ({**plain(opened()), SIGNATURE: P003.sign(b"other", at=AT)}, [("signature-not-intact", SIGNATURE)]),
        (
            signed(plain(opened()), at=AT + timedelta(seconds=1)),
            [("signature-time-differs", SIGNATURE)],
        ),
        (
            stored(opened(), signer=signer_of(company(), "p002")),
            [
                ("signature-wrong-certificate", SIGNATURE),
                ("signature-of-another-person", SIGNATURE),
            ],
        ),
        (
            stored(opened(by=replace(P003.signatory, name="王方"))),
            [("name-differs", SIGNATURE)],
        ),
        (
            stored(opened(by=replace(P003.signatory, post="企业负责人"))),
            [("post-differs", SIGNATURE)],
        ),
        (
            signed(plain(opened(at="2025-05-02T09:30:01+08:00")), at=AT + timedelta(seconds=1)),
            [("time-differs-from-commit", FILE)],
        ),
    ],
)
def test_each_defect_is_found_and_named(
    workspace: Workspace, files: dict[str, bytes], expected: list[tuple[str, str]]
) -> None:
    workspace.file(files)
    assert workspace.findings() == expected


def test_every_finding_about_a_record_says_since_when(workspace: Workspace) -> None:
    workspace.file(plain(opened()), at=AT)
    (finding,) = [item for item in workspace.all_findings() if item.code not in ALWAYS]
    assert (finding.since, finding.subject) == (AT.isoformat(), FIRST.text)


def test_a_signature_moved_to_another_record_is_found(workspace: Workspace) -> None:
    workspace.file(stored(opened()))
    files = plain(opened(2))
    workspace.file({**files, f"{SECOND_FOLDER}/0001.p7s": P003.sign(plain(opened())[FILE], at=AT)})
    assert workspace.findings() == [("signature-not-intact", f"{SECOND_FOLDER}/0001.p7s")]


def foreign() -> TestSigner:
    return TestCompany("别的公司").signer("p003", NAMES["p003"], "售后服务员")


def freshly_issued() -> TestSigner:
    """The keeper of the authority issues a certificate in somebody else's name."""
    return TestSigner(P003.signatory, company().new_key("p003", NAMES["p003"]))


def expired() -> TestSigner:
    key = company().new_key("p003", NAMES["p003"], until=AT - timedelta(days=1))
    return TestSigner(P003.signatory, key)


@pytest.mark.parametrize(
    ("who", "along", "code"),
    [
        (foreign, False, "certificate-missing"),
        (foreign, True, "certificate-not-enrolled"),
        (freshly_issued, True, "certificate-not-enrolled"),
        (expired, True, "certificate-not-enrolled"),
    ],
)
def test_a_certificate_that_nobody_witnessed_signs_nothing(
    workspace: Workspace, who: Any, along: bool, code: str
) -> None:
    signer = who()
    files = stored(opened(certificate=signer.certificate), signer=signer)
    if along:
        files[f"certificates/{signer.certificate.hex}.pem"] = to_pem(signer.key.certificate)
    workspace.file(files)
    assert workspace.findings() == [(code, SIGNATURE)]


def test_after_revocation_old_signatures_count_and_new_ones_do_not(workspace: Workspace) -> None:
    workspace.file(stored(opened()))
    workspace.made.clock.moment = AT + timedelta(days=1)
    workspace.made.revoke("p003")
    assert workspace.findings() == []
    later = AT + timedelta(days=2)
    entry_ = opened(2, at=later.isoformat())
    workspace.file(signed(plain(entry_), at=later), at=later)
    assert workspace.findings() == [("certificate-revoked", f"{SECOND_FOLDER}/0001.p7s")]


def test_an_entry_backdated_before_the_revocation_is_found(workspace: Workspace) -> None:
    workspace.made.clock.moment = AT
    workspace.made.revoke("p003")
    workspace.file(stored(opened()), at=AT + timedelta(days=2))
    assert workspace.findings() == [("time-differs-from-commit", FILE), ("certificate-revoked", SIGNATURE)]


def test_a_commit_whose_time_goes_back_is_found(workspace: Workspace) -> None:
    workspace.file(stored(opened()), at=AT)
    early = AT - timedelta(hours=3)
    workspace.file(signed(plain(opened(2, at=early.isoformat())), at=early), at=early)
    assert [code for code, _ in workspace.findings()] == ["commit-time-backwards"]


def statement(of: SignedArchive, event: Event, sequence: int, **changes: Any) -> tuple[str, bytes, bytes]:
    signer = of.signer("p002")
    made = Statement(
        workspace=WORKSPACE,
        site="main",
        chain="trail",
        sequence=sequence,
        previous=None,
        event=event,
        by=signer.signatory,
        certificate=signer.certificate,
        origin=ORIGIN,
        at=AT.isoformat(),
        subject="x",
    )
    data = encode_statement(replace(made, **changes))
    return statement_path(made.chain, sequence), data, signer.sign(data, at=AT)


def last_of_trail(of: SignedArchive) -> tuple[int, Digest]:
    newest = of.statements.newest("trail")
    assert newest is not None
    return newest.statement.sequence, newest.digest


@pytest.mark.parametrize(
    ("changes", "ahead", "code"),
    [
        ({}, 1, "statement-previous-wrong"),
        ({}, 2, "statement-gap"),
        ({"workspace": "other", "right": True}, 1, "statement-of-another-workspace"),
        ({"site": "other", "right": True}, 1, "statement-of-another-workspace"),
        ({"chain": "timestamps", "right": True}, 1, "statement-misplaced"),
        ({"event": Event.PERSON_RETIRED, "right": True}, 1, "statement-event-misplaced"),
        ({"event": Event.SITE_OPENED, "right": True}, 1, "statement-event-misplaced"),
    ],
)
def test_a_statement_out_of_its_chain_is_found(
    workspace: Workspace, changes: dict[str, Any], ahead: int, code: str
) -> None:
    last, digest = last_of_trail(workspace.made)
    given = {key: value for key, value in changes.items() if key != "right"}
    if changes.get("right"):
        given["previous"] = digest
    path, data, signature = statement(workspace.made, given.pop("event", Event.PRINTED), last + ahead, **given)
    workspace.file({f"{path}.json": data, f"{path}.p7s": signature})
    assert workspace.findings() == [(code, f"{path}.json")]


def test_a_statement_without_signature_counts_only_where_nobody_could_sign(workspace: Workspace) -> None:
    last, digest = last_of_trail(workspace.made)
    path, data, _ = statement(workspace.made, Event.PRINTED, last + 1, previous=digest)
    workspace.file({f"{path}.json": data})
    assert workspace.findings() == [("signature-missing", f"{path}.p7s")]


def test_main_is_covered_by_statements_exactly(workspace: Workspace) -> None:
    workspace.made.clock.moment = AT
    workspace.made.change_library({"procedures/XX-YLQXCX-014/clauses.txt": "一、目的\n二、范围\n".encode()})
    workspace.made.change_library({"procedures/XX-YLQXCX-014/clauses.txt": None})
    assert workspace.findings() == []


def git(folder: Path, *words: str, at: datetime | None = None) -> str:
    dates = {"GIT_COMMITTER_DATE": at.isoformat(), "GIT_AUTHOR_DATE": at.isoformat()} if at else {}
    who = ("-c", "user.name=x", "-c", "user.email=x")
    done = subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, check=True, env=os.environ | dates)
    return done.stdout.decode().strip()


def test_a_commit_on_main_that_nobody_signed_is_found(workspace: Workspace) -> None:
    tree = git(workspace.folder, "rev-parse", "main:procedures")
    made = git(workspace.folder, "commit-tree", tree, "-p", "main", "-m", "quietly")
    git(workspace.folder, "update-ref", "refs/heads/main", made)
    codes = [code for code, _ in workspace.findings()]
    assert codes[0] == "library-change-unsigned"


def test_a_commit_on_main_that_differs_from_its_statement_is_found(workspace: Workspace) -> None:
    workspace.made.clock.moment = AT
    workspace.made.change_library({"procedures/XX-YLQXCX-014/clauses.txt": "二、范围\n".encode()})
    blob = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"], cwd=workspace.folder, input=b"x", capture_output=True, check=True
    ).stdout.decode()
    listing = git(workspace.folder, "ls-tree", "main:procedures/XX-YLQXCX-014").split()
    tree = git(workspace.folder, "rev-parse", "main^{tree}")
    replaced = _with(workspace.folder, tree, ["procedures", "XX-YLQXCX-014"], listing[2], blob.strip())
    message = git(workspace.folder, "show", "-s", "--format=%B", "main")
    at = datetime.fromisoformat(git(workspace.folder, "show", "-s", "--format=%cI", "main"))
    made = git(workspace.folder, "commit-tree", replaced, "-p", "main~1", "-m", message, at=at)
    git(workspace.folder, "update-ref", "refs/heads/main", made)
    assert [code for code, _ in workspace.findings()] == ["library-change-differs"]


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


def test_main_taken_back_leaves_its_statement_behind(workspace: Workspace) -> None:
    workspace.made.clock.moment = AT
    workspace.made.change_library({"procedures/XX-YLQXCX-014/clauses.txt": "二、范围\n".encode()})
    git(workspace.folder, "update-ref", "refs/heads/main", "main~1")
    assert [code for code, _ in workspace.findings()] == ["library-change-missing"]


def test_a_form_that_was_never_controlled_is_found(workspace: Workspace) -> None:
    other = write_compiled(CompiledForm(replace(DEFINITION, title="另一张表"), Digest.of(DOCX), {}))
    folder = f"controlled-forms/{Digest.of(other).hex}"
    workspace.file(
        {
            f"{folder}/compiled.json": other,
            f"{folder}/form.docx": DOCX,
            **stored(opened(binding=replace(BINDING, digest=Digest.of(other)))),
        }
    )
    assert workspace.findings() == [("form-package-never-controlled", FIRST.folder)]


def test_several_processes_find_the_same_in_the_same_order(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for serial in range(1, 13):
        files = stored(opened(serial), FILLED if serial == 1 else replace(opened(serial), act=Act.FILLED))
        if serial % 3 == 0:
            files = {path: data for path, data in files.items() if not path.endswith("0002.p7s")}
        workspace.file(files)
    monkeypatch.setattr(archive_verification, "SPREAD_FROM", 5)
    alone = workspace.all_findings()
    assert [item.code for item in alone].count("signature-missing") == 4
    assert workspace.all_findings(spread=True) == alone


def test_sealed_bytes_of_another_content_or_key_are_found(workspace: Workspace) -> None:
    other = salted({"content": "别的内容"})
    path = f"{FIRST.folder}/0001.sealed"
    workspace.file({**stored(opened(sealed=PART.digests())), path: seal(other, workspace.key)})
    second = RecordNumber.of(FORM, 2025, 2)
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
    codes = {code for code, _ in workspace.findings(identity=WorkspaceIdentity("another", "main", ""))}
    assert codes == {"site-file-wrong", "statement-of-another-workspace"}


def test_a_site_without_archive_is_one_finding(workspace: Workspace) -> None:
    git(workspace.folder, "update-ref", "-d", "refs/heads/archive/main")
    assert [code for code, _ in workspace.findings()] == ["archive-missing"]


def test_a_rewritten_history_is_found_although_every_file_is_right(workspace: Workspace) -> None:
    workspace.file(stored(opened()))
    without = git(workspace.folder, "commit-tree", "archive/main~1^{tree}", "-p", "archive/main", "-m", "x", at=AT)
    again = git(workspace.folder, "commit-tree", "archive/main^{tree}", "-p", without, "-m", "x", at=AT)
    git(workspace.folder, "update-ref", "refs/heads/archive/main", again)
    assert workspace.findings() == [("history-rewritten", FILE), ("history-rewritten", SIGNATURE)]


def test_a_file_that_is_no_ordinary_one_is_found(workspace: Workspace) -> None:
    workspace.file({"trail/notes.txt": b"x"})
    tree = git(workspace.folder, "rev-parse", "archive/main:trail")
    listing = git(workspace.folder, "ls-tree", tree)
    made = subprocess.run(
        ["git", "mktree"],
        cwd=workspace.folder,
        input=listing.replace("100644 blob", "120000 blob").encode() + b"\n",
        capture_output=True,
        check=True,
    ).stdout.decode()
    top = git(workspace.folder, "rev-parse", "archive/main^{tree}")
    whole = _with(workspace.folder, top, [], tree, made.strip())
    commit = git(workspace.folder, "commit-tree", whole, "-p", "archive/main~1", "-m", "x", at=AT)
    git(workspace.folder, "update-ref", "refs/heads/archive/main", commit)
    assert ("file-kind-wrong", "trail/notes.txt") in workspace.findings()


def test_lost_content_is_a_finding_for_each_file_and_no_gap(workspace: Workspace) -> None:
    for serial in (1, 2, 3):
        workspace.file(stored(opened(serial)))
    packs = list((workspace.folder / ".git/objects/pack").glob("*.pack"))
    for pack in packs:
        data = pack.read_bytes()
        for path in pack.parent.glob(f"{pack.stem}.*"):
            path.unlink()
        subprocess.run(["git", "unpack-objects", "-q"], cwd=workspace.folder, input=data, check=True)
    for name in (f"{SECOND_FOLDER}/0001.json", f"{PACKAGE}/form.docx"):
        oid = git(workspace.folder, "rev-parse", f"archive/main:{name}")
        (workspace.folder / ".git/objects" / oid[:2] / oid[2:]).unlink()
    findings = workspace.findings()
    assert ("object-damaged", f"{SECOND_FOLDER}/0001.json") in findings
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
    assert told[-1] == (5, 5)
