"""无程序核对的导出. What a stranger needs to check everything without this program (design §8, docs/signatures.md).

The export is the archive as it was filed, file by file, with the order of filing, the root certificate and scripts that
use only `openssl` and `sha256sum`, or .NET. Sealed values stay sealed: no key and nothing decrypted leaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from controller.domain.errors import NotFoundError
from controller.domain.identifiers import Digest, InvalidIdentifierError
from controller.domain.statement import AUTHORITY
from controller.domain.text import T
from controller.file_formats.certificate_file import to_pem
from controller.file_formats.signing_rules_file import SIGNING_FILE
from controller.services.archive_ports import ArchiveRewrittenError
from controller.services.examination_ports import HistoryUnreadable
from controller.services.timestamping import trusted_roots

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from controller.services.examination_ports import BranchHistory, HistoricCommit
    from controller.services.ports import LibraryFiles, Progress
    from controller.services.statement_filing import StatementFiling

ORDER_FILE = "chain.txt"
ROOT_FILE = "ca.pem"
STAMP_ROOTS_FILE = "timestamp-roots.pem"
SUMS_FILE = "SHA256SUMS"
_LIBRARY = (SIGNING_FILE, "signatures/people.yml", "signatures/posts.yml")
_EVERY = 200
_HEADING = """\
# 归档次序：commit 行是一次归档（序号、版本库提交、时间秒数、时间），
# 其后的 file 行是那次归档的文件，第三列是它接在哪一份之后。
# 版本库提交可与时间证明（archive/timestamps）和机器外保存的总摘要核对。
"""


class StockFolder(Protocol):
    """导出目录. Takes files one after another; nothing is in place until all of it is."""

    def add(self, path: str, data: bytes) -> None:
        """Write one whole file; `path` uses `/`."""
        ...

    def line(self, path: str, text: str) -> None:
        """Append to a text file."""
        ...

    def finish(self) -> Digest:
        """Write the list of all files with their digests (`SHA256SUMS`); return the digest of the list."""
        ...


class RootMissingError(NotFoundError):
    """没有根证书. The archive has no founding of the company's certificate authority, so nobody could check it."""

    code = "root-missing"

    def __init__(self) -> None:
        super().__init__(
            T("档案中没有企业根证书，导出的内容无法由他人核对。"), hint=T("请运行 qms verify 查看缺了什么。")
        )


@dataclass(frozen=True)
class StockExport:
    """导出结果. What was written."""

    files: int
    statements: int
    """Entries and statements."""
    commits: int
    tip: str
    """The newest archive commit in the export."""
    root: Digest
    """SHA-256 of the root certificate in force; stands on the sealed sheet."""
    sums: Digest
    """SHA-256 of `SHA256SUMS`: whoever keeps this number can recognise the export."""


class StockExporting:
    """导出. Writes the archive of one site with everything that checking it takes."""

    def __init__(
        self,
        history: BranchHistory,
        branch: str,
        statements: StatementFiling,
        library: LibraryFiles,
        *,
        tools: Mapping[str, bytes],
    ) -> None:
        """`tools` are the scripts and the explanation, by name."""
        self._history = history
        self._branch = branch
        self._statements = statements
        self._library = library
        self._tools = tools

    def write(self, folder: StockFolder, *, progress: Progress | None = None) -> StockExport:
        """Write everything to `folder`, in the order in which it was filed.

        Raises:
            RootMissingError: there is no root certificate.
            ArchiveRewrittenError: the archive was not only added to, or cannot be read to its end.
        """
        files = statements = commits = 0
        tip, root = "", self.root()
        certificates: dict[str, bytes] = {}
        folder.line(ORDER_FILE, _HEADING)
        for commit in self._commits():
            folder.line(ORDER_FILE, f"commit\t{commits}\t{commit.commit}\t{commit.at}\t{_moment(commit.at)}\n")
            for path, data in self._added(commit):
                folder.add(f"archive/{path}", data)
                folder.line(ORDER_FILE, f"file\tarchive/{path}\t{_follows(path)}\n")
                files += 1
                statements += path.endswith(".json") and not path.startswith(("controlled-forms/", "site.json"))
                if path == f"certificates/{root.hex}.pem":
                    certificates[root.hex] = data
            commits += 1
            tip = commit.commit
            if progress is not None and not commits % _EVERY:
                progress(commits, None)
        if root.hex not in certificates:
            raise RootMissingError
        beside = {ROOT_FILE: certificates[root.hex], **self._rules(), **self._tools}
        for path, data in beside.items():
            folder.add(path, data)
        return StockExport(files + len(beside), statements, commits, tip, root, folder.finish())

    def root(self) -> Digest:
        """Return the root certificate in force.

        Raises:
            RootMissingError: the archive states none.
        """
        stated: Digest | None = None
        for item in self._statements.chain(AUTHORITY):
            value = item.statement.new.get("root")
            if isinstance(value, str):
                try:
                    stated = Digest(value)
                except InvalidIdentifierError:
                    continue
        if stated is None:
            raise RootMissingError
        return stated

    def _commits(self) -> Iterator[HistoricCommit]:
        before: tuple[str, ...] = ()
        try:
            for commit in self._history.commits(self._branch):
                if tuple(commit.parents) != before or any(change.kind != "A" for change in commit.changes):
                    raise ArchiveRewrittenError(commit=commit.commit)
                before = (commit.commit,)
                yield commit
        except HistoryUnreadable as exc:
            raise ArchiveRewrittenError(commit=exc.commit) from exc

    def _added(self, commit: HistoricCommit) -> Iterator[tuple[str, bytes]]:
        named = ((change.path, change.content) for change in commit.changes)
        for path, data in self._history.contents(named):
            if data is None:
                raise ArchiveRewrittenError(commit=commit.commit)
            yield path, data

    def _rules(self) -> dict[str, bytes]:
        found = {f"library/{path}": data for path in _LIBRARY if (data := self._library.read(path)) is not None}
        if roots := trusted_roots(self._library):
            found[STAMP_ROOTS_FILE] = b"".join(to_pem(root) for root in roots)
        return found


def _follows(path: str) -> str:
    """Return which file this one follows: the statement or entry before it in its chain; empty for the first."""
    folder, _, name = path.rpartition("/")
    stem, _, suffix = name.partition(".")
    if suffix != "json" or not stem.isdecimal() or int(stem) <= 1:
        return ""
    before = int(stem) - 1
    top = folder.partition("/")[0]
    if top in {"trail", "timestamps"}:
        return f"archive/{top}/{before // 10_000:04d}/{before // 100 % 100:02d}/{before:08d}.json"
    return f"archive/{folder}/{before:04d}.json"


def _moment(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    except (OverflowError, OSError, ValueError):
        return "-"
