"""测试用小公司. A small but complete workspace for tampering: everything that the program files, signed by its people.

Made once for a run by the product itself, with a time-stamping authority on loopback; tests work on linked copies.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from controller.adapters.pack_upkeep import PackUpkeep
from controller.adapters.this_computer import origin_here
from controller.bootstrap import NewCompany, make_workspace, open_workspace
from controller.domain.change_request import ChangeKind
from controller.domain.errors import QmsError
from controller.domain.identifiers import Digest, RecordNumber
from controller.domain.person import PostHeld
from controller.domain.statement import TRAIL, Event
from controller.services.change_drafting import ChangeOrder
from controller.services.key_signing import KeySigner
from controller.services.personal_signer import PassphraseAnswer
from controller.services.print_ports import PdfDocument
from controller.services.record_filing import OpeningAct
from controller.services.statement_filing import StatementDraft
from tests.adapters.test_pdf_signing import print_out
from tests.real_tools import need
from tests.timestamp_server import OpensslAuthority, serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from controller.bootstrap import Application
    from controller.domain.conformity import Finding

ZONE = ZoneInfo("Asia/Shanghai")
PASSPHRASE = "窗台纸船17只海棠3株"  # noqa: S105 - of keys that tests make
PEOPLE = """format: wenkong/people/1
people:
  - {id: p001, name: 周明, posts: [general_manager, legal_representative], active: true}
  - {id: p002, name: 林静, posts: [quality_head], active: true}
  - {id: p003, name: 陈晓, posts: [quality_officer, document_controller], active: true}
  - {id: p005, name: 赵敏, posts: [after_sales_manager, after_sales_officer], active: true}
"""
IDS = ("p001", "p002", "p003", "p005")
LIBRARY = (
    ".gitignore", "qms.toml", "records/", "signatures/", "templates/blocks/", "procedures/XX-YLQXCX-014/",
    "templates/forms/XX-YLQXJL-006/", "templates/forms/XX-YLQXJL-018/", "templates/forms/XX-YLQXJL-033/",
)  # fmt: skip
"""What of the starter library the small company keeps."""
DOCUMENT = "XX-YLQXCX-014"
CLAUSES = f"procedures/{DOCUMENT}/clauses.txt"
COMPLAINT, TRAINING, MANDATE = "XX-YLQXJL-018", "XX-YLQXJL-006", "XX-YLQXJL-033"
COMPLAINED: Mapping[str, object] = {
    "customer_name": "江城市第一人民医院", "contact_name": "何志远", "contact_phone": "0599-5561201",
    "product_name": "输液泵", "model": "SP-500", "serial_no": "SP5-260112-01", "channel": "电话", "injury": "无",
}  # fmt: skip
ACCEPTED: Mapping[str, object] = {
    "customer_type": "医疗机构", "category": ["性能故障"], "severity": "重要", "is_quality": "是",
    "sample_kept": "已取回", "stop_sale": "否", "handler": "p005",
}  # fmt: skip
PLANNED: Mapping[str, object] = {
    "train_type": "继续", "topic": "医疗器械经营质量管理规范", "content_cats": ["质量管理制度"],
    "trainer": "质量负责人 林静", "place": "现场", "assess_mode": "笔试",
}  # fmt: skip
AUTHORISED: Mapping[str, object] = {
    "salesperson": "p005", "salesperson_name": "赵敏", "id_number": "350702199003072218",
    "product_scope": "输液泵", "area": "江城市",
}  # fmt: skip
DISPOSABLE = (".qms/locks",)


@dataclass
class Ticking:
    """A minute passes between two acts."""

    moment: datetime

    def now(self) -> datetime:
        self.moment += timedelta(minutes=1)
        return self.moment


@dataclass
class SignedCompany:
    """Folder with `workspace`, `keys` and `stick`, as it was finished; `earlier` as it was some acts before."""

    home: Path
    earlier: Sequence[Path] = ()
    passphrase: str = field(default=PASSPHRASE, repr=False)

    @property
    def workspace(self) -> Path:
        return self.home / "workspace"

    @property
    def private(self) -> Path:
        """Folder with keys and with what this computer remembers."""
        (seen,) = (self.home / "keys").rglob("seen.json")
        return seen.parent

    def copy(self, to: Path) -> SignedCompany:
        """Copy for one case; files that nobody writes in place are shared."""
        link_tree(self.home, to)
        return SignedCompany(to, self.earlier)

    def verify(self) -> list[Finding]:
        """What `qms verify` finds, without remembering it."""
        with closing(open_workspace(self.workspace)) as application:
            return list(application.verify(spread=False).findings)


def link_tree(source: Path, to: Path) -> None:
    """Copy a tree by hard links; what programs change in place, really."""
    for folder, _, names in os.walk(source):
        there = to / Path(folder).relative_to(source)
        there.mkdir(parents=True, exist_ok=True)
        for name in names:
            path = Path(folder) / name
            if name.endswith((".sqlite", ".sqlite-wal", ".sqlite-shm", ".json", ".lock")):
                shutil.copy2(path, there / name)
            else:
                os.link(path, there / name)


def write(path: Path, data: bytes) -> None:
    """Write a file of a linked copy without touching the original."""
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def git(folder: Path, *words: str, stdin: bytes | None = None, at: int | None = None) -> bytes:
    """What the real git says; with `at` commits are made at that moment."""
    who = {f"GIT_{role}_{what}": "x@x" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    dates = {} if at is None else {"GIT_AUTHOR_DATE": f"{at} +0800", "GIT_COMMITTER_DATE": f"{at} +0800"}
    command = [need("git"), "-C", str(folder), *words]
    return subprocess.run(
        command, input=stdin, capture_output=True, check=True, env={**os.environ, **who, **dates}
    ).stdout


class _Id(str):
    """In place of a random UUID."""

    __slots__ = ()

    @property
    def hex(self) -> str:
        return self.replace("-", "")


class _Small:
    """In place of the whole starter library."""

    def __init__(self, whole: object) -> None:
        self._whole = whole

    def files(self) -> Iterator[tuple[str, bytes]]:
        for path, data in self._whole.files():  # type: ignore[attr-defined]
            if path.startswith(LIBRARY):
                yield path, data


class Acting:
    """The people of the company at work in one open workspace."""

    def __init__(self, application: Application, clock: Ticking) -> None:
        self.application = application
        self.clock = clock
        self.people = {person: self._signer(person) for person in IDS}

    def _signer(self, person: str) -> KeySigner:
        key = self.application.personal_keys.unlock(person, PASSPHRASE)
        signatory = self.application.staff.signatory(self.application.staff.people[person])
        return KeySigner(signatory, origin_here("test"), key)

    def renew(self, person: str) -> None:
        """Give the person a new key, witnessed by two others."""
        enrolment = self.application.enrolment
        enrolment.certify(
            person, passphrase=PASSPHRASE, authority_passphrase=PASSPHRASE, reason="新的签名证书", acknowledged=True
        )
        enrolment.confirm(self.people["p001"], person)
        enrolment.confirm(self.people["p002"], person)
        if person in self.people:
            self.people[person] = self._signer(person)

    def open(self, form: str, values: Mapping[str, object], person: str, **files: bytes) -> str:
        act = OpeningAct(by=self.people[person], files={f"附件/{name}.txt": data for name, data in files.items()})
        return self.application.filing.open(form, values, act).number.text

    def complaint(self) -> str:
        at = (self.clock.moment - timedelta(minutes=5)).replace(tzinfo=None).isoformat(" ", "minutes")
        content = {"received_at": at, "content": "护士长反映误报阻塞，要求说明原因"}
        return self.open(COMPLAINT, {**COMPLAINED, **content}, "p005")

    def training(self, **files: bytes) -> str:
        day = self.clock.moment.date().isoformat()
        materials = {"materials": [f"附件/{name}.txt" for name in files]} if files else {}
        return self.open(TRAINING, {**PLANNED, "planned_on": day, **materials}, "p003", **files)

    def mandate(self, **files: bytes) -> str:
        day = self.clock.moment.date()
        copies = {"id_copy": [f"附件/{name}.txt" for name in files]}
        dates = {"valid_from": day.isoformat(), "valid_to": (day + timedelta(days=300)).isoformat()}
        return self.open(MANDATE, {**AUTHORISED, **dates, **copies}, "p003", **files)

    def close(self) -> None:
        self.application.close()


def make_company(folder: Path, *, workspace_id: str = "") -> SignedCompany:
    """Make the company in `folder`, with an id of its own or this one; takes some seconds."""
    patch = pytest.MonkeyPatch()
    patch.setattr("controller.adapters.personal_keys.ROUNDS", 1000)
    patch.setenv("no_proxy", "127.0.0.1")
    # Packs are rolled together in the background after so many acts; copies made meanwhile would differ each time.
    patch.setattr(PackUpkeep, "after_filing", lambda _self: None)
    if workspace_id:
        patch.setattr("uuid.uuid4", lambda: _Id(workspace_id))
    try:
        return _made(folder, patch)
    finally:
        patch.undo()


def _made(folder: Path, patch: pytest.MonkeyPatch) -> SignedCompany:
    from controller.adapters import starter_library

    whole = starter_library.PackagedStarterLibrary()
    patch.setattr(starter_library, "PackagedStarterLibrary", lambda: _Small(whole))
    home = folder / "company"
    workspace = home / "workspace"
    clock = Ticking(datetime.now(UTC).astimezone(ZONE).replace(microsecond=0))
    passphrases = dict.fromkeys(IDS, PASSPHRASE)
    new = NewCompany("安泽医疗器械有限公司", "XX", PEOPLE, passphrases, PASSPHRASE, key_folder="../keys")
    make_workspace(workspace, new, clock=clock).close()
    authority = OpensslAuthority(folder / "tsa", rsa=True)
    (home / "stick").mkdir()
    earlier: list[Path] = []
    with serving(lambda question: authority.reply_at(question, clock.moment)) as running:
        for place, stage in enumerate((_founding, _working, _finishing)):
            acting = Acting(_opened(workspace, clock), clock)
            with closing(acting):
                stage(acting, authority, running.address)
            if place < 2:
                earlier.append(folder / f"earlier-{place}")
                shutil.copytree(home, earlier[-1])
    _mix_storage(workspace)
    company = SignedCompany(home, tuple(reversed(earlier)))
    with closing(open_workspace(workspace)) as application:
        application.witness.remember()
    return company


def _opened(workspace: Path, clock: Ticking) -> Application:
    application = open_workspace(workspace, clock=clock)
    application.ask = lambda _question: PassphraseAnswer(PASSPHRASE)
    application.wait = lambda _seconds: None
    return application


def _founding(acting: Acting, authority: OpensslAuthority, address: str) -> None:
    application, folder = acting.application, acting.application.folder
    roots = folder / "signatures" / "timestamp-roots"
    roots.mkdir()
    shutil.copy(authority.root_file, roots / "tsa.pem")
    settings = (folder / "qms.toml").read_text(encoding="utf-8")
    for name, value in (("timestamp_authority", address), ("witness_folder", "../stick")):
        settings = settings.replace(f'{name} = ""', f'{name} = "{value}"')
    write(folder / "qms.toml", settings.encode())
    application.adoption.adopt(acting.people["p002"], reason="登记时间戳机构和机器外的副本")
    application.signing_in.sign_in("林静", PASSPHRASE)
    with suppress(QmsError):
        application.signing_in.sign_in("陈晓", "记错了的口令十二字以上")
    acting.complaint()
    acting.training(签到表="签到".encode())
    acting.mandate(身份证="身份证扫描".encode(), 身份证反面="反面扫描".encode())


def _working(acting: Acting, _authority: OpensslAuthority, _address: str) -> None:
    application, people = acting.application, acting.people
    signing = application.document_signing
    signing.to_pdf = lambda _docx: PdfDocument(print_out(), "blank", "1", (), 1)
    for person, meaning in (("p003", "起草"), ("p002", "审核"), ("p001", "批准")):
        signing.sign(DOCUMENT, meaning, people[person])
    application.timestamping.stamp(people["p002"])
    first = acting.complaint()
    number = RecordNumber(first)
    application.records.advance(number, ACCEPTED, people["p005"])
    application.records.correct(number, {"severity": "一般"}, people["p003"], reason="复核后调整严重程度")
    second = RecordNumber(acting.training(教材="教材".encode(), 试卷="试卷".encode()))
    application.records.void(second, people["p002"], reason="培训取消，另行安排")
    application.people.register(
        people["p002"], person="p006", name="刘洋", posts=[PostHeld("service_engineer")], identity_check="身份证 1234"
    )
    acting.renew("p006")
    _changing(acting)


def _changing(acting: Acting) -> None:
    """Take the document to its next revision: drafted twice, approved, read, a copy of it handed out."""
    application, people = acting.application, acting.people
    # The small library lacks most of what its one document refers to.
    application.change_check = SimpleNamespace(findings=lambda _request, _draft: [])  # type: ignore[assignment]
    request = application.change_drafting.open(
        ChangeOrder(ChangeKind.REVISE, "内审发现用语不准确", ("其他",), (DOCUMENT,)), people["p003"]
    )
    text = (application.folder / CLAUSES).read_text(encoding="utf-8")
    for old, new in (("稳定和扩大", "稳定与扩大"), ("稳定与扩大", "稳定并扩大")):
        assert text.count(old) == 1
        text = text.replace(old, new)
        request = application.draft_saving.save(request, {CLAUSES: text.encode()}, people["p003"])
    effective = acting.clock.moment.date() + timedelta(days=30)
    for event, person in (
        (Event.CHANGE_SUBMITTED, "p003"), (Event.CHANGE_REVIEWED, "p002"), (Event.CHANGE_APPROVED, "p001"),
    ):  # fmt: skip
        application.change_approval.sign(request.number, event, people[person], effective=effective)
    if application.training.find(DOCUMENT, "A/1") is None:
        application.training.assign(DOCUMENT, "A/1", people["p003"], people=["p005"])
    shown = application.training.text(DOCUMENT, "A/1").digest
    application.training.understood(DOCUMENT, "A/1", people["p005"], shown=shown)
    planned = application.copy_issuing.plan(DOCUMENT, "赵敏", people["p003"].signatory)
    application.copy_issuing.issue(planned, people["p003"])
    application.copy_issuing.receive(DOCUMENT, planned.copy, people["p005"])


def _finishing(acting: Acting, _authority: OpensslAuthority, _address: str) -> None:
    application, people = acting.application, acting.people
    rules = application.folder / "signatures" / "signing.yml"
    write(rules, rules.read_bytes().replace(b"sitting_hours: 4", b"sitting_hours: 6"))
    application.adoption.adopt(people["p002"], reason="登录后最长六小时")
    acting.renew("p005")
    application.enrolment.revoke(people["p002"], "p006", reason="离职，证书停用")
    application.people.retire(people["p002"], "p006", reason="员工离职，账号停用")
    with suppress(QmsError):
        application.signing_in.sign_in("林静", "记错了的口令十二字以上")
    application.signing_in.sign_in("林静", PASSPHRASE)
    application.trail.printed(people["p002"], COMPLAINT, Digest.of(b"print"))
    application.timestamping.stamp(people["p002"])
    acting.training()
    acting.mandate(身份证="又一份身份证".encode())
    acting.complaint()
    application.statements.file(StatementDraft(TRAIL, Event.REFUSED, subject="qms change adopt"), None)
    application.timestamping.stamp(people["p002"])
    application.indexing.catch_up()


def _mix_storage(workspace: Path) -> None:
    """Store some objects loose and one branch among the packed refs, as other Git programs leave them."""
    packs = workspace / ".git" / "objects" / "pack"
    smallest = min(packs.glob("*.pack"), key=lambda path: path.stat().st_size)
    aside = workspace.parent / smallest.name
    smallest.rename(aside)
    for path in packs.glob(f"{smallest.stem}.*"):
        path.unlink()
    git(workspace, "unpack-objects", "-q", stdin=aside.read_bytes())
    aside.unlink()
    tip = git(workspace, "rev-parse", "main").decode().strip()
    (workspace / ".git" / "packed-refs").write_text(
        f"# pack-refs with: peeled fully-peeled sorted \n{tip} refs/heads/main\n"
    )
    (workspace / ".git" / "refs" / "heads" / "main").unlink()
