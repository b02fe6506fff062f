"""测试用签名工作区. A small real workspace of people with certificates; it only grows by signed acts.

Made with the product's own founding and filing, with keys in memory, so that it is there in a moment.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from controller.adapters.git_archive import GitArchive
from controller.adapters.git_controlled_files import GitControlledFiles, init_repository
from controller.adapters.workspace_lock import WorkspaceLock
from controller.domain.identifiers import Digest, RecordNumber
from controller.domain.person import Person, Post, PostHeld, Staff
from controller.domain.record import Act, FormBinding, Signatory
from controller.domain.signing_rules import SigningRules
from controller.domain.statement import Event
from controller.file_formats.certificate_file import to_pem
from controller.file_formats.compiled_form import read_compiled
from controller.file_formats.entry_file import encode_entry
from controller.file_formats.staff_file import write_people
from controller.services.archive_ports import ArchiveChange, ControlledChange
from controller.services.founding import CompanyFounding, Founder
from controller.services.library_adoption import library_statement
from controller.services.people_verification import PEOPLE_FILE
from controller.services.statement_filing import StatementDraft, StatementFiling
from controller.services.workspace_identity import WorkspaceIdentity
from tests.builders import BEIJING, FORM, entry
from tests.signers import COMPANY, ORIGIN, WORKSPACE, TestCompany, TestKey, TestSigner, company

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.domain.record import Entry, Wire
    from controller.services.signing_ports import AuthorityKey, PersonalKeys

BEGUN = datetime(2025, 5, 1, 8, 0, tzinfo=BEIJING)
YEAR = BEGUN.year
PEOPLE = tuple(
    Person(person, name, (post,), held=(PostHeld(post, BEGUN.date()),))
    for person, name, post in (
        ("p001", "张伟", "general_manager"),
        ("p002", "林静", "quality_head"),
        ("p003", "王芳", "after_sales_officer"),
    )
)
POSTS = {"general_manager": "企业负责人", "quality_head": "质量负责人", "after_sales_officer": "售后服务员"}
NAMES = {person.id: person.name for person in PEOPLE} | {"p004": "赵敏"}
LIBRARY = {
    "procedures/XX-YLQXCX-014/clauses.txt": "一、目的\n".encode(),
    PEOPLE_FILE: write_people("format: wenkong/people/1\npeople: []\n", PEOPLE).encode(),
    "signatures/posts.yml": (
        "format: wenkong/posts/1\nposts:\n" + "".join(f"  {key}: {{name: {name}}}\n" for key, name in POSTS.items())
    ).encode(),
    "signatures/signing.yml": (
        b"format: wenkong/signing/1\nregistrar_posts: [general_manager, quality_head]\n"
        b"witness_posts: [general_manager, quality_head]\n"
    ),
}


class _Keys:
    """In place of the key files: the keys of the test company."""

    def __init__(self, of: TestCompany) -> None:
        self._of = of

    def make(self, person: str, **_rest: object) -> TestKey:
        return self._of.key(person, NAMES[person])


class _Authority:
    def __init__(self, of: TestCompany) -> None:
        self._of = of

    def found(self, **_rest: object) -> bytes:
        return self._of.root


@dataclass
class TickingClock:
    """A minute passes between two acts."""

    moment: datetime = BEGUN

    def now(self) -> datetime:
        self.moment += timedelta(minutes=1)
        return self.moment


@dataclass
class SignedArchive:
    """The workspace in `folder`, opened."""

    folder: Path
    of: TestCompany = field(default_factory=company)
    clock: TickingClock = field(default_factory=TickingClock)

    def __post_init__(self) -> None:
        lock = WorkspaceLock(self.folder / ".qms" / "locks")
        self.library = GitControlledFiles(self.folder, lock=lock)
        self.archive = GitArchive(self.folder, lock=lock, controlled=self.library, upkeep_in_background=False)
        identity = WorkspaceIdentity(id=WORKSPACE, site="main", company=COMPANY)
        self.statements = StatementFiling(self.archive, identity, self.clock, ORIGIN)

    def close(self) -> None:
        self.archive.close()
        self.library.close()

    def signer(self, person: str, post: str = "") -> TestSigner:
        """The person, signed in, in their main post."""
        return self.of.signer(person, NAMES[person], post or POSTS[_MAIN_POST[person]])

    def file(self, files: Mapping[str, bytes], by: Signatory, *, at: datetime | None = None) -> str:
        """Add files to the archive, whatever they are."""
        change = ArchiveChange(files, by, at or self.clock.now(), "test", {"QMS-Action": "test"})
        with self.archive.writing() as writer:
            return writer.append(change)

    def open_record(self, serial: int, *, person: str = "p003") -> Entry:
        """File a signed record with one entry."""
        signer, at = self.signer(person), self.clock.now()
        made = signed_entry(serial, signer, at)
        self.file(entry_files(made, signer, at) | self._package(), signer.signatory, at=at)
        return made

    def continue_record(self, before: Entry, *, person: str = "p003") -> Entry:
        """File the next entry of a record."""
        signer, at = self.signer(person), self.clock.now()
        previous = Digest.of(encode_entry(before))
        made = signed_entry(
            int(before.record.text[-4:]),
            signer,
            at,
            act=Act.FILLED,
            sequence=before.sequence + 1,
            previous=previous,
            stage=before.stage,
        )
        self.file(entry_files(made, signer, at), signer.signatory, at=at)
        return made

    def _package(self) -> dict[str, bytes]:
        files, _ = form_package()
        return {} if self.archive.read(next(iter(files))) is not None else files

    def change_library(self, changes: Mapping[str, bytes | None], *, person: str = "p002") -> None:
        """Change `main` with the signed statement that covers it."""
        draft = library_statement(self.library, changes, subject="test", reason="改", meaning="批准")
        self.statements.file(
            draft, self.signer(person), controlled=ControlledChange(changes, action="adopt", subject="test", note="")
        )

    def enrol(self, person: str, witnesses: Sequence[str], *, post: str = "general_manager", by: str = "p002") -> None:
        """Register and enrol a person with these witnesses; the certificate comes with the enrolment."""
        key = self.of.key(person, NAMES[person])
        chain = f"people/{person}"
        new: dict[str, Wire] = {
            "name": NAMES[person],
            "posts": [{"post": post, "since": None, "until": None}],
            "identity_check": "身份证 1234",
        }
        text = (self.library.read(PEOPLE_FILE) or b"").decode()
        people = write_people(text, [Person(person, NAMES[person], (post,), held=(PostHeld(post),))]).encode()
        self.statements.file(
            StatementDraft(
                chain, Event.PERSON_REGISTERED, subject=person, new=new, files={PEOPLE_FILE: Digest.of(people)}
            ),
            self.signer(by),
            controlled=ControlledChange({PEOPLE_FILE: people}, action="register", subject=person, note=""),
        )
        certificate = Digest.of(key.certificate)
        self.statements.file(
            StatementDraft(
                chain,
                Event.PERSON_ENROLLED,
                subject=person,
                reason="入职",
                new={"certificate": certificate.text, "acknowledgement": "本人负责", "replaces": None},
            ),
            self.signer(person, POSTS[post]),
            along={f"certificates/{certificate.hex}.pem": to_pem(key.certificate)},
        )
        for witness in witnesses:
            self.statements.countersign(chain, 2, self.signer(witness))

    def revoke(self, person: str) -> None:
        """Revoke the person's certificate, by the person."""
        certificate = Digest.of(self.of.key(person, NAMES[person]).certificate)
        draft = StatementDraft(
            f"people/{person}",
            Event.PERSON_REVOKED,
            subject=person,
            reason="遗失",
            new={"certificate": certificate.text, "reason": "遗失"},
        )
        self.statements.file(draft, self.signer(person))


_MAIN_POST = {person.id: person.posts[0] for person in PEOPLE} | {"p004": "general_manager"}


def signed_entry(serial: int, signer: TestSigner, at: datetime, **changes: Any) -> Entry:
    """Return an entry as `signer` would make it at `at`."""
    _, binding = form_package()
    return entry(
        serial,
        **{
            "year": YEAR,
            "binding": binding,
            "by": signer.signatory,
            "certificate": signer.certificate,
            "origin": ORIGIN,
            "at": at.isoformat(),
            "workspace": WORKSPACE,
            "stage": form_stage(),
            **changes,
        },
    )


@cache
def form_package() -> tuple[dict[str, bytes], FormBinding]:
    """Return the archive files of the form that records here are filled on, and what entries say of it."""
    folder = Path(__file__).resolve().parents[1] / "templates" / "forms" / FORM
    compiled, docx = (folder / "compiled.json").read_bytes(), (folder / "form.docx").read_bytes()
    form, digest = read_compiled(compiled).definition, Digest.of(compiled)
    there = f"controlled-forms/{digest.hex}"
    binding = FormBinding(form.number, form.revision, digest)
    return {f"{there}/compiled.json": compiled, f"{there}/form.docx": docx}, binding


@cache
def form_stage() -> str:
    """Return the stage in which records of that form begin."""
    files, _ = form_package()
    return read_compiled(next(iter(files.values()))).definition.stages[0].key


def entry_files(made: Entry, signer: TestSigner, at: datetime) -> dict[str, bytes]:
    """Return the files of a signed entry."""
    data = encode_entry(made)
    name = f"{made.record.folder}/{made.sequence:04d}"
    return {f"{name}.json": data, f"{name}.p7s": signer.sign(data, at=at)}


def staff() -> Staff:
    return Staff({person.id: person for person in PEOPLE}, {key: Post(key, name) for key, name in POSTS.items()})


def found(folder: Path, *, of: TestCompany | None = None, library: Mapping[str, bytes] = LIBRARY) -> SignedArchive:
    """Make the workspace; nothing is filed yet but its founding."""
    of = of or company()
    founding = CompanyFounding(
        identity=WorkspaceIdentity(id=WORKSPACE, site="main", company=COMPANY),
        prefix="XX",
        staff=staff(),
        keys=cast("PersonalKeys", _Keys(of)),
        authority=cast("AuthorityKey", _Authority(of)),
        rules=SigningRules(witness_posts=("general_manager", "quality_head")),
        origin=ORIGIN,
    )
    founders = [Founder(person, "", "身份证 1234") for person in PEOPLE]
    made = founding.found(founders, authority_passphrase="", at=BEGUN, kept_at=BEGUN, library=dict(library))
    for name, data in {**library, "signatures/ca/ca.pem": to_pem(of.root)}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    by = Signatory("p001", "张伟", "企业负责人")
    init_repository(folder, site="main", begin=made.begin, by=by, at=BEGUN)
    return SignedArchive(folder, of)


def number(serial: int) -> RecordNumber:
    return RecordNumber.of(FORM, YEAR, serial)
