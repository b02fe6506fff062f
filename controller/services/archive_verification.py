"""档案验证. Examines the whole archive and yields every finding; it never stops at the first (21 CFR 11.10 a, c).

One pass over history, one over the files, with memory that does not grow with the number of records: first how the
archive came to be, then who could sign when, then everything that was signed.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import DamagedError, QmsError
from controller.domain.identifiers import Digest, InvalidIdentifierError, RecordNumber
from controller.domain.statement import AUTHORITY, CHANGES, TIMESTAMPS, Event
from controller.domain.text import T
from controller.file_formats import canonical_json
from controller.services.added_digests import AddedDigests, archive_heads
from controller.services.archive_history import ArchiveHistory
from controller.services.change_verification import ChangeVerification
from controller.services.document_verification import DocumentVerification
from controller.services.library_verification import LibraryVerification
from controller.services.package_verification import PACKAGES, PackageVerification
from controller.services.people_verification import (
    CERTIFICATES,
    PEOPLE_FILE,
    POSTS_FILE,
    ROOT_FILE,
    CertificateFiles,
    PeopleVerification,
)
from controller.services.record_examination import RecordExamination, RecordExaminer, damage, head_mark, parts_of
from controller.services.record_standing import RecordStandings
from controller.services.serial_verification import SerialVerification
from controller.services.signature_verification import SignatureVerification
from controller.services.statement_verification import CHAIN_FOLDERS, PEOPLE, StatementVerification, judged
from controller.services.timestamp_verification import time_not_proven

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import tzinfo

    from controller.domain.form import FormDefinition
    from controller.domain.text import Text
    from controller.services.archive_ports import ExaminedArchive
    from controller.services.archive_witness import ArchiveWitness
    from controller.services.commit_order import CommitOrder
    from controller.services.examination_ports import (
        BranchHistory,
        FolderWalk,
        HeldStatement,
        IndexedHeads,
        PdfSignatureCheck,
        TimestampVerification,
    )
    from controller.services.people_verification import SignerHistory
    from controller.services.ports import Progress, RecordKeys
    from controller.services.record_examination import Examined, RecordExaminers
    from controller.services.record_standing import RecordStanding
    from controller.services.record_verification import Rerender
    from controller.services.workspace_identity import WorkspaceIdentity

SITE_FILE = "site.json"
INDEX_FILE = ".qms/index.sqlite"
SPREAD_FROM = 5_000
"""Records from which on several processes examine them."""
_PART = 10
"""Folders of a hundred records in one part, when several processes work."""
_CHAINS = frozenset(CHAIN_FOLDERS) - {AUTHORITY, PEOPLE, TIMESTAMPS}
"""Chains that are examined once it is known who could sign when."""
_NO_RECORDS = frozenset({PACKAGES, SITE_FILE, CERTIFICATES, *CHAIN_FOLDERS})


@dataclass(frozen=True)
class VerificationTools:
    """验证所用. What verification reaches the workspace through, beside the archive itself."""

    history: BranchHistory
    keys: RecordKeys
    walk: FolderWalk
    """Reads the archive at its newest commit."""
    zone: tzinfo
    witness: ArchiveWitness | None = None
    spread: RecordExaminers | None = None
    """Several processes; None: all in this one."""
    index: IndexedHeads | None = None
    pdf: PdfSignatureCheck | None = None
    timestamps: TimestampVerification | None = None
    rerender: Rerender | None = None
    damage: Sequence[str] | None = None
    """What is broken in the store, where that is known already."""


@dataclass
class Counts:
    """检查数量. How much was looked at."""

    records: int = 0
    entries: int = 0
    statements: int = 0
    signatures: int = 0
    unopened: int = 0
    commits: int = 0


def _error(code: str, message: Text, *, path: str | None = None, subject: str | None = None) -> Finding:
    return Finding(code=code, gravity=Gravity.ERROR, message=message, path=path, subject=subject)


class ArchiveVerification:
    """档案验证. Verifies the archive of one site, and branch `main`, which its statements cover."""

    def __init__(
        self,
        archive: ExaminedArchive,
        identity: WorkspaceIdentity,
        tools: VerificationTools,
        *,
        progress: Progress | None = None,
    ) -> None:
        self._archive = archive
        self._identity = identity
        self._tools = tools
        self._progress = progress
        self.tip = archive.tip()
        """The commit that is examined; what is filed meanwhile is for the next time."""
        self.counts = Counts()
        self.rewritten = False
        """True when the archive is not what this computer has seen before."""
        self.readable = False
        """True when history could be read to its end."""
        self.signers: SignerHistory | None = None
        """Who could sign when; there after `findings` was read to its end."""
        self._forms: dict[Digest, FormDefinition] = {}
        self._serials = SerialVerification()
        self._damaged: list[str] = []
        self._found: list[Finding] = []
        self._root: Digest | None = None
        self._held: dict[str, list[HeldStatement]] = {}
        self._certificates = CertificateFiles()
        self._passed = ArchiveHistory(
            tools.history,
            f"archive/{identity.site}",
            tip=self.tip,
            zone=tools.zone,
            read=self._read,
            progress=progress,
        )
        self._order: CommitOrder = self._passed.order
        self._statements = StatementVerification(identity, self._order)
        self._library = LibraryVerification(tools.history, archive, self._order, zone=tools.zone)
        self._changes = ChangeVerification(self._order)
        self._documents = DocumentVerification(self._library, tools.pdf, self._certificates.der, self._changes.saved)
        self._added = AddedDigests(self._order, [])
        self._heads = 0

    def findings(self) -> Iterator[Finding]:
        """Yield everything that is wrong or worth knowing, in the order it is met."""
        if self.tip is None:
            yield _error("archive-missing", T("找不到站点 {site} 的档案。", site=self._identity.site))
            return
        steps = (
            self._memory, self._passed.findings, self._site, self._establishing, self._library.findings, self._people,
            self._packages, self._content, self._library.missing, self._documents.findings, self._numbers,
            self._missing_keys, self._index, self._times, self._store,
        )  # fmt: skip
        for step in steps:
            try:
                yield from step()
            except DamagedError as exc:
                # So broken that this step ends here: what the others find still helps whoever restores the rest.
                yield Finding(exc.code, Gravity.ERROR, exc.message, path=exc.where, hint=exc.hint)
        self.counts.commits = self._order.commits
        self.counts.statements = self._statements.seen
        self.readable = self._order.complete

    def standing(self, number: RecordNumber) -> RecordStanding:
        """Return who has signed one record and who is missing; use once, instead of `findings`.

        Raises:
            RecordNotArchivedError: there is no such record.
        """
        steps = (
            self._passed.findings, self._site, self._establishing, self._library.findings, self._people, self._packages
        )  # fmt: skip
        for step in steps:
            with suppress(DamagedError):  # about the workspace as a whole: `findings` tells it
                deque(step(), maxlen=0)
        return RecordStandings(self._known(), self._tools.walk, self._tools.keys).of(number)

    def _known(self) -> RecordExamination:
        """Return what must be known to examine records."""
        assert self.signers is not None
        return RecordExamination(
            identity=self._identity,
            forms=self._forms,
            compiled=frozenset(self._library.compiled) if self._library.complete else None,
            trust=self.signers,
            order=self._order,
            bounds=self._added.bounds,
        )

    def _read(self, path: str) -> bytes | None:
        return self._archive.read(path, at=self.tip)

    def _memory(self) -> Iterator[Finding]:
        if self._tools.witness is None:
            return
        # History that cannot be read is told by the examination of history.
        with suppress(QmsError):
            for finding in self._tools.witness.findings():
                self.rewritten = True
                yield finding

    def _site(self) -> Iterator[Finding]:
        try:
            data = self._read(SITE_FILE)
            content = canonical_json.decode(data, where=SITE_FILE) if data is not None else None
        except QmsError as exc:
            yield _error("site-file-wrong", exc.message, path=SITE_FILE)
            return
        found = content if isinstance(content, dict) else {}
        for key, expected in (("workspace", self._identity.id), ("site", self._identity.site)):
            if found.get(key) != expected:
                message = T(
                    "档案不属于这个工作区：{key} 是 {found}，应为 {expected}。",
                    key=key,
                    found=found.get(key),
                    expected=expected,
                )
                yield _error("site-file-wrong", message, path=SITE_FILE)
        root = found.get("root")
        try:
            self._root = Digest(root) if isinstance(root, str) else None
        except InvalidIdentifierError:
            self._root = None
        if self._root is None:
            yield _error("site-file-wrong", T("档案没有写明企业根证书。"), path=SITE_FILE)

    def _establishing(self) -> Iterator[Finding]:
        """Read what establishes who can sign: certificates, authority, people; and the daily heads."""
        for top in (AUTHORITY, PEOPLE, TIMESTAMPS):
            self._held[top] = list(self._chain(self._walked(top)))
            yield from self._flushed()
        yield from self._certificates.read(self._walked(CERTIFICATES), self._order)
        yield from self._flushed()
        self._added = AddedDigests(self._order, archive_heads(self._held[TIMESTAMPS], self._identity.site))
        for held in (*self._held[AUTHORITY], *self._held[PEOPLE]):
            self._library.expect(held)

    def _people(self) -> Iterator[Finding]:
        library = self._library
        posts, people = library.kept.get(POSTS_FILE, b""), library.kept.get(PEOPLE_FILE, b"")
        held = [*self._held.get(AUTHORITY, ()), *self._held.get(PEOPLE, ())]
        verification = PeopleVerification(self._certificates, held, self._root)
        signers = self.signers = verification.signers(library.rules, library.posts, people)
        yield from (self._dated(finding) for finding in signers.history.findings())
        pinned = self._tools.witness.pinned() if self._tools.witness else None
        # Without order nobody knows what counted; that history is unreadable is told.
        if self._order.complete and library.complete:
            yield from verification.root_findings(signers, library.kept.get(ROOT_FILE), pinned)
            yield from verification.list_findings(signers, posts, people)
        signatures = SignatureVerification(signers, self._order)
        for top in (AUTHORITY, PEOPLE, TIMESTAMPS):
            for item in self._held.get(top, ()):
                yield from judged(item, signatures)
        self.counts.signatures += signatures.checked

    def _dated(self, finding: Finding) -> Finding:
        if finding.since is not None or finding.path is None:
            return finding
        return replace(finding, since=self._order.since(finding.path))

    def _packages(self) -> Iterator[Finding]:
        packages = PackageVerification()
        for finding in packages.findings(self._walked(PACKAGES), self._damaged):
            yield self._dated(finding)
        self._forms.update(packages.forms)
        yield from self._flushed()

    def _content(self) -> Iterator[Finding]:
        """Examine everything else of the archive in path order, in which the daily heads are computed too."""
        assert self.signers is not None
        signatures = SignatureVerification(self.signers, self._order)
        tops = sorted(self._archive.listing("", at=self.tip), key=_as_folder)
        for kept, group in groupby(tops, key=lambda top: top in _NO_RECORDS):
            if not kept:
                yield from self._records(list(group))
                continue
            for top in group:
                if top in _CHAINS:
                    for held in self._chain(self._changes.passing(self._added.passing(self._walked(top)))):
                        yield from self._flushed()
                        self._library.expect(held)
                        self._changes.note(held)
                        yield from self._documents.note(held)
                        yield from judged(held, signatures)
                    if top == CHANGES:
                        yield from self._changes.findings(self._damaged)
                    yield from self._flushed()
                elif self._added.wanted:
                    # Examined before; read once more, because the daily heads are computed in path order.
                    for _ in self._added.passing(self._tools.walk.files([top], lambda _path: None)):
                        pass
        self.counts.signatures += signatures.checked

    def _records(self, tops: Sequence[str]) -> Iterator[Finding]:
        tools, examination = self._tools, self._known()
        spread = tools.spread if self._order.records > SPREAD_FROM and tools.rerender is None else None

        def listing(path: str) -> list[str]:
            return self._archive.listing(path, at=self.tip)

        parts = parts_of(listing, tops, weight=_PART if spread is not None else 0)
        if spread is not None:
            results = spread.examine(examination, parts)
        else:
            examiner = RecordExaminer(tools.walk, tools.keys, examination, rerender=tools.rerender)
            results = (examiner.examine(part) for part in parts)
        for result in results:
            yield from result.findings
            self._count(result)
        if self._progress is not None:
            self._progress(self.counts.records, self.counts.records)

    def _count(self, result: Examined) -> None:
        counts = self.counts
        counts.records += result.records
        counts.entries += result.entries
        counts.signatures += result.signatures
        counts.unopened += result.unopened
        self._serials.take(result.serials, lost=result.lost)
        self._heads ^= result.heads
        self._added.feed(result.added)
        if self._progress is not None:
            self._progress(counts.records, self._order.records or None)

    def _numbers(self) -> Iterator[Finding]:
        return self._serials.findings()

    def _missing_keys(self) -> Iterator[Finding]:
        if self.counts.unopened and not self._tools.keys.present():
            yield Finding(
                code="record-keys-missing",
                gravity=Gravity.WARNING,
                message=T("本机没有记录密钥，{count} 份记录的敏感内容打不开，未能核对。", count=self.counts.unopened),
                hint=T("请从密钥备份恢复密钥文件夹，再检查一次。"),
            )

    def _index(self) -> Iterator[Finding]:
        """Compare the search index, by all its records' heads at once; it is disposable, so this is never grave."""
        if self._tools.index is None or self.tip is None:
            return
        try:
            heads = self._tools.index.heads(self.tip)
            if heads is None:
                return  # behind: it is brought up to date at its next use
            marks, count = 0, 0
            for number, head in heads:
                marks ^= head_mark(number, head)
                count += 1
            same = (marks, count) == (self._heads, self.counts.records)
        except QmsError:
            same = False
        if not same:
            message = T("检索索引与档案不一致。档案不受影响。")
            yield Finding(
                "search-index-differs",
                Gravity.WARNING,
                message,
                path=INDEX_FILE,
                hint=T("运行 qms index rebuild 重建索引。"),
            )

    def _times(self) -> Iterator[Finding]:
        held = [item for item in self._held.get(TIMESTAMPS, ()) if item.statement.event is Event.HEADS_STAMPED]
        if self._tools.timestamps is not None:
            yield from self._tools.timestamps.findings(held, self._added.results(), self._tools.history.holds)
        else:
            yield time_not_proven()

    def _store(self) -> Iterator[Finding]:
        damage = self._tools.damage
        yield from store_findings(damage if damage is not None else self._archive.damage())

    def _walked(self, top: str) -> Iterator[tuple[str, bytes]]:
        if top not in self._archive.listing("", at=self.tip):
            return iter(())
        return self._tools.walk.files([top], self._damaged.append)

    def _chain(self, files: Iterable[tuple[str, bytes]]) -> Iterator[HeldStatement]:
        return self._statements.read(files, _Known(self._damaged), self._found.append)

    def _flushed(self) -> Iterator[Finding]:
        """Yield what was found while reading, and what could not be read."""
        found, self._found[:] = list(self._found), []
        damaged, self._damaged[:] = list(self._damaged), []
        yield from found
        yield from (damage(path) for path in damaged)


def store_findings(damage: Iterable[str]) -> Iterator[Finding]:
    """Yield a finding for each thing that is broken in the store, told in git's own words."""
    for words in damage:
        yield Finding(
            code="store-damaged",
            gravity=Gravity.ERROR,
            message=T("存储的内容有损坏或缺失（Git：{words}）。", words=words[:300]),
            hint=T("从备份恢复工作区后再验证。"),
        )


class _Known(set[str]):
    """Paths that are damaged, as they are met."""

    def __init__(self, paths: list[str]) -> None:
        super().__init__()
        self._paths = paths

    def __contains__(self, path: object) -> bool:
        return path in self._paths


def _as_folder(name: str) -> bytes:
    """Return what sorts the names at the top of the archive as their paths sort."""
    return (name if name == SITE_FILE else f"{name}/").encode("utf-8", "surrogateescape")
