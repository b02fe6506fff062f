"""测试用受检档案. A real signed archive and its keys, filed into right or wrong, and what verification finds."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from controller.adapters.git_folder_walk import GitFolderWalk
from controller.adapters.git_history import GitBranchHistory
from controller.adapters.record_key_store import SqliteRecordKeys
from controller.adapters.record_processes import ExaminedPlace, RecordProcesses
from controller.domain.form import FormDefinition, Stage
from controller.domain.identifiers import Digest, DocumentNumber, RecordNumber, Revision
from controller.domain.record import Act, Attachment, Entry, FormBinding
from controller.file_formats.compiled_form import CompiledForm, write_compiled
from controller.file_formats.entry_file import encode_entry
from controller.file_formats.sealed_file import salted
from controller.services.archive_verification import ArchiveVerification, VerificationTools
from controller.services.workspace_identity import WorkspaceIdentity
from tests.builders import FORM, chain, entry
from tests.real_tools import need
from tests.signed_archive import LIBRARY, NAMES, found
from tests.signers import COMPANY, ORIGIN, WORKSPACE, TestCompany, TestSigner, company

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from controller.domain.conformity import Finding


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


class ExaminedArchive:
    """A real signed archive and key store; `file` adds what it is given, right or wrong."""

    def __init__(self, folder: Path) -> None:
        need("git")
        library = {**LIBRARY, f"templates/forms/{FORM}/compiled.json": COMPILED}
        self.made = found(folder / "ws", library=library)
        self.folder = self.made.folder
        self.keys = SqliteRecordKeys(folder / "keys")
        self.key = self.keys.create([FIRST])[FIRST]
        self.keys_folder = folder / "keys"
        self.file({f"{PACKAGE}/compiled.json": COMPILED, f"{PACKAGE}/form.docx": DOCX})

    def close(self) -> None:
        self.made.close()

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


SECOND_FOLDER = RecordNumber.of(FORM, 2025, 2).folder
