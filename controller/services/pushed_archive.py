"""推送的档案. Judges what a push would add to an archive branch of the shared server, before the server takes it.

Every rule is that of `qms verify`; only what is new is read, with the chains and records it belongs to. What the server
already holds was judged when it came.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, cast

from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import QmsError
from controller.domain.identifiers import Digest, InvalidIdentifierError, RecordNumber
from controller.domain.statement import TIMESTAMPS, TRAIL, statement_path
from controller.domain.text import T
from controller.file_formats import canonical_json
from controller.file_formats.compiled_form import read_compiled
from controller.file_formats.signing_rules_file import SIGNING_FILE
from controller.services.archive_history import ArchiveHistory
from controller.services.change_verification import ChangeVerification, is_draft_content
from controller.services.library_verification import LibraryVerification
from controller.services.package_verification import PACKAGES, PackageVerification
from controller.services.people_verification import (
    CERTIFICATES,
    PEOPLE_FILE,
    CertificateFiles,
    PeopleVerification,
)
from controller.services.pushed_branch import BranchAt
from controller.services.record_examination import RECORD_DEPTH, record_number
from controller.services.record_verification import RecordFiles, RecordVerification
from controller.services.signature_verification import SignatureVerification
from controller.services.statement_verification import CHAIN_FOLDERS, PEOPLE, StatementVerification, judged
from controller.services.workspace_identity import WorkspaceIdentity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from controller.domain.form import FormDefinition
    from controller.domain.text import Text
    from controller.services.archive_ports import Archive
    from controller.services.commit_order import CommitOrder
    from controller.services.examination_ports import HeldStatement, HistoricCommit
    from controller.services.people_verification import SignerHistory
    from controller.services.pushed_branch import ArchivePush, GuardRules, PushedRepository

SITE_FILE = "site.json"
_ESTABLISHING = ("authority", PEOPLE)
_STEM = re.compile(r"(.*/\d{4,8})\.[^/]*")
_CERTIFICATE = re.compile(r"certificates/[0-9a-f]{64}\.pem")


class _NoKeys:
    """The server has no record keys: sealed content is checked only by its digests in the entries."""

    def create(self, numbers: Sequence[RecordNumber]) -> Mapping[RecordNumber, bytes]:
        del numbers
        return {}

    def present(self) -> bool:
        return False

    def get(self, number: RecordNumber) -> bytes | None:
        del number
        return None

    def destroy(self, number: RecordNumber) -> None:
        del number


class _Forms(Mapping["Digest", "FormDefinition"]):
    """Forms of the archive, read when a record asks for them."""

    def __init__(self, read: Callable[[str], bytes | None]) -> None:
        self._read = read
        self._known: dict[Digest, FormDefinition | None] = {}

    def __getitem__(self, digest: Digest) -> FormDefinition:
        if digest not in self._known:
            data = self._read(f"{PACKAGES}/{digest.hex}/compiled.json")
            try:
                self._known[digest] = read_compiled(data).definition if data is not None else None
            except QmsError:
                self._known[digest] = None
        found = self._known[digest]
        if found is None:
            raise KeyError(digest)
        return found

    def __iter__(self) -> Iterator[Digest]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


class _NewCommits:
    """The new commits, after those older ones that established who can sign; in one line, as history is read."""

    def __init__(
        self, repository: PushedRepository, push: ArchivePush, older: Sequence[str], rules: GuardRules
    ) -> None:
        self._repository = repository
        self._push = push
        self._older = older
        self._rules = rules
        self.contents = repository.contents
        self.reached = False
        """True from the first new commit on."""
        self.count = 0
        """Older commits that were read."""
        self.ahead: list[Finding] = []
        """What is wrong with the clock of new commits."""
        self.records: set[str] = set()
        self.packages: set[str] = set()
        self.folders: set[str] = set()
        """Folders of statements in which something is new."""
        self.first: dict[str, int] = {}
        """Long chain → its first new statement."""
        self.unknown: list[str] = []

    def tip(self, branch: str) -> str | None:
        del branch
        return self._push.new

    def holds(self, branch: str, commit: str) -> bool:
        del branch
        return self._repository.contains(self._push.new, commit)

    def commits(self, branch: str, *, tip: str | None = None, statements: bool = False) -> Iterator[HistoricCommit]:
        del branch, tip
        push = self._push
        before: tuple[str, ...] = ()
        if push.old is not None:
            paths = [*_ESTABLISHING, *self._older]
            for commit in self._repository.log(push.old, paths=paths):
                if commit.commit != push.old:
                    yield replace(commit, parents=before)
                    before = (commit.commit,)
                    self.count += 1
            newest = next(self._repository.log(push.old, without=f"{push.old}^@"))
            yield replace(newest, parents=before)
            self.count += 1
        self.reached = True
        for commit in self._repository.log(push.new, without=push.old, statements=statements):
            self.ahead.extend(self._rules.ahead(commit))
            for change in commit.changes:
                if change.kind == "A":
                    self._sort(change.path)
            yield commit

    def _sort(self, path: str) -> None:
        parts = path.split("/")
        if parts[0] in CHAIN_FOLDERS and (match := _STEM.fullmatch(path)):
            self.folders.add(path.rpartition("/")[0])
            sequence = int(match[1].rpartition("/")[2])
            if parts[0] in {TRAIL, TIMESTAMPS}:
                self.first[parts[0]] = min(sequence, self.first.get(parts[0], sequence))
        elif parts[0] == PACKAGES and len(parts) > 1:
            self.packages.add(f"{PACKAGES}/{parts[1]}")
        elif is_draft_content(path):
            self.folders.add(path.rpartition("/files/")[0])
        elif _CERTIFICATE.fullmatch(path) or (path == SITE_FILE and self._push.old is None):
            return
        elif len(parts) > RECORD_DEPTH and parts[0] not in {*CHAIN_FOLDERS, CERTIFICATES}:
            self.records.add("/".join(parts[:RECORD_DEPTH]))
        else:
            self.unknown.append(path)


class PushedArchive:
    """推送的档案. Judges one archive branch of a push; `signers` is there after `findings` was read to its end."""

    def __init__(self, repository: PushedRepository, push: ArchivePush, rules: GuardRules) -> None:
        self._repository = repository
        self._push = push
        self._rules = rules
        self._at = BranchAt(repository, push.new)
        self.signers: SignerHistory | None = None

    def findings(self) -> Iterator[Finding]:
        """Yield everything for which the push is refused."""
        push, rules = self._push, self._rules
        if push.old is not None and not self._repository.contains(push.new, push.old):
            yield _error("push-rewrites", T("档案只能追加：送来的内容不是接在服务器现有的档案之后。"))
            return
        commits = _NewCommits(self._repository, push, self._rule_statements(), rules)
        passed = ArchiveHistory(commits, f"archive/{push.site}", tip=push.new, zone=rules.zone, read=self._at.read)
        for finding in passed.findings():
            if commits.reached:
                yield finding
        if not passed.order.complete:
            return
        yield from commits.ahead
        for path in commits.unknown:
            yield _error("file-unknown", T("档案中有来历不明的文件。"), path)
        identity, root, problem = self._site()
        if identity is None:
            yield _error("site-file-wrong", problem or T("内容读不懂"), SITE_FILE)
            return
        is_new = _New(passed.order, commits.count)
        yield from (
            finding for finding in self._content(commits, passed.order, identity, root, is_new)
            if finding.gravity is Gravity.ERROR
        )  # fmt: skip

    def _content(
        self,
        commits: _NewCommits,
        order: CommitOrder,
        identity: WorkspaceIdentity,
        root: Digest | None,
        is_new: _New,
    ) -> Iterator[Finding]:
        found: list[Finding] = []
        certificates = CertificateFiles()
        found.extend(certificates.read(self._files([CERTIFICATES]), order))
        statements = StatementVerification(identity, order)
        establishing = [
            held for top in _ESTABLISHING for held in statements.read(self._files([top]), set(), found.append)
        ]
        signers = self.signers = self._signers(certificates, establishing, root, order)
        found.extend(signers.history.findings())
        signatures = SignatureVerification(signers, order)
        for held in establishing:
            found.extend(judged(held, signatures))
        yield from is_new.only(found)
        yield from self._root(signers, root)
        changes = ChangeVerification(order)
        for held in statements.read(changes.passing(self._files(self._chains(commits))), set(), found.append):
            changes.note(held)
            found.extend(judged(held, signatures))
            yield from is_new.only(found)
        # A file of a draft that is missing came with no commit at all; a statement that the push brings names it.
        yield from (item for item in changes.findings() if item.path is None or is_new.not_old(item.path))
        yield from PackageVerification().findings(self._files(sorted(commits.packages)), ())
        records = RecordVerification(_NoKeys(), identity, _Forms(self._at.read), signatures)
        walked = self._files(sorted(commits.records))
        for folder, files in groupby(walked, key=lambda item: "/".join(item[0].split("/")[:RECORD_DEPTH])):
            yield from self._record(folder, files, records, is_new)

    def _rule_statements(self) -> list[str]:
        """Return the archive paths of the statements by which the signing rules came into force."""
        if self._push.main is None:
            return []
        log = self._repository.log(self._push.main, paths=[SIGNING_FILE], statements=True)
        return sorted({f"{commit.statement.removesuffix('.json')}.json" for commit in log if commit.statement})

    def _signers(
        self, certificates: CertificateFiles, held: Sequence[HeldStatement], root: Digest | None, order: CommitOrder
    ) -> SignerHistory:
        main = BranchAt(self._repository, self._push.main, paths=["signatures"])
        library = LibraryVerification(main, cast("Archive", self._at), order, zone=self._rules.zone)
        for _ in library.findings():
            pass  # `main` is judged by itself, where it is pushed; here only the rules are wanted
        posts, people = library.posts, library.kept.get(PEOPLE_FILE, b"")
        return PeopleVerification(certificates, held, root).signers(library.rules, posts, people)

    def _site(self) -> tuple[WorkspaceIdentity | None, Digest | None, Text | None]:
        data = self._at.read(SITE_FILE)
        try:
            content = canonical_json.decode(data, where=SITE_FILE) if data is not None else None
        except QmsError as exc:
            return None, None, exc.message
        found = content if isinstance(content, dict) else {}
        workspace, site, root = found.get("workspace"), found.get("site"), found.get("root")
        if not isinstance(workspace, str) or not isinstance(root, str):
            return None, None, T("没有写明工作区或根证书。")
        if site != self._push.site:
            return None, None, T("站点是 {found}，分支却是 archive/{site}。", found=site, site=self._push.site)
        try:
            return WorkspaceIdentity(id=workspace, site=self._push.site, company=""), Digest(root), None
        except InvalidIdentifierError as exc:
            return None, None, exc.message

    def _root(self, signers: SignerHistory, root: Digest | None) -> Iterator[Finding]:
        roots = signers.history.roots
        if not roots or roots[0] != root or roots[-1] != self._rules.root:
            message = T(
                "档案的根证书 {found} 不是服务器认可的 {pinned}。",
                found=roots[-1].hex if roots else T("（没有）"),
                pinned=self._rules.root.hex,
            )
            hint = T("确实更换了根证书的，由服务器管理员核对新的封存指纹单后，用 qms guard install 重新设定指纹。")
            yield Finding("root-replaced", Gravity.ERROR, message, path=SITE_FILE, hint=hint)

    def _chains(self, commits: _NewCommits) -> list[str]:
        """Return the folders of chains to read, in path order: where something is new, and what it follows."""
        folders = {folder for folder in commits.folders if folder.split("/")[0] not in _ESTABLISHING}
        for chain, first in commits.first.items():
            if first > 1:
                folders.add(statement_path(chain, first - 1).rpartition("/")[0])
        return sorted(folders)

    def _files(self, folders: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        return self._repository.files(self._push.new, folders)

    def _record(
        self, folder: str, stored: Iterable[tuple[str, bytes]], records: RecordVerification, is_new: _New
    ) -> Iterator[Finding]:
        number = record_number(folder.rpartition("/")[2])
        if number is None or number.folder != folder:
            yield _error("record-misplaced", T("这里不能有记录。"), folder)
            return
        files = RecordFiles(folder)
        for path, data in stored:
            files.add(path[len(folder) + 1 :], data)
        yield from records.findings(number, files)
        text = number.text
        serial = int(text.rpartition("-")[2])
        before = RecordNumber.of(number.form, number.year, serial - 1) if serial > 1 else None
        if before is not None and is_new(f"{folder}/0001.json") and self._at.read(f"{before.folder}/0001.json") is None:
            yield Finding("serial-gap", Gravity.ERROR, T("缺少记录 {first}。", first=before), path=folder, subject=text)


class _New:
    """Tells what is new, by the commit that added it."""

    def __init__(self, order: CommitOrder, older: int) -> None:
        self._order = order
        self._older = older

    def __call__(self, path: str) -> bool:
        order = self._order.of(path)
        return order is not None and order >= self._older

    def not_old(self, path: str) -> bool:
        """Tell whether no older commit added `path`."""
        order = self._order.of(path)
        return order is None or order >= self._older

    def only(self, found: list[Finding]) -> Iterator[Finding]:
        """Yield the findings about new files, and empty the list."""
        told, found[:] = list(found), []
        yield from (finding for finding in told if finding.path is None or self(finding.path))


def _error(code: str, message: Text, path: str | None = None) -> Finding:
    return Finding(code, Gravity.ERROR, message, path=path)
