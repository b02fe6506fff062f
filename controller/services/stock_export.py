"""无程序核对的导出. What a stranger needs to check everything without this program (docs/signatures.md).

The export is the archive as it was filed, file by file, with the order of filing, the root certificate and scripts that
use only `openssl` and `sha256sum`, or .NET. Sealed values stay sealed: no key and nothing decrypted leaves.

A damaged archive is exported too, because whoever looks into the damage needs it: every file as it was first filed,
what was put in its place beside it, and a list of what is wrong, to which the scripts point.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from controller.domain.errors import NotFoundError, QmsError
from controller.domain.identifiers import Digest, InvalidIdentifierError
from controller.domain.statement import AUTHORITY
from controller.domain.text import T
from controller.domain.trail_event import one_line
from controller.file_formats.certificate_file import to_pem
from controller.file_formats.signing_rules_file import SIGNING_FILE
from controller.services.examination_ports import HistoryUnreadable
from controller.services.timestamping import trusted_roots

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from controller.services.examination_ports import BranchHistory, HistoricCommit, PathChange
    from controller.services.ports import LibraryFiles, Progress
    from controller.services.statement_filing import StatementFiling

ORDER_FILE = "chain.txt"
ROOT_FILE = "ca.pem"
STAMP_ROOTS_FILE = "timestamp-roots.pem"
SUMS_FILE = "SHA256SUMS"
DAMAGE_FILE = "damage.txt"
CHANGED_FOLDER = "changed"
_LIBRARY = (SIGNING_FILE, "signatures/people.yml", "signatures/posts.yml")
_EVERY = 200
_HEADING = """\
# 归档次序：commit 行是一次归档（序号、版本库提交、时间秒数、时间），
# 其后的 file 行是那次归档的文件，第三列是它接在哪一份之后。
# 版本库提交可与时间证明（archive/timestamps）和机器外保存的总摘要核对。
"""
_DAMAGED = f"""\
# 导出时档案已有不符，逐条写在下面。archive 中是每个文件最初归档的内容；
# 后来被换上的内容在 {CHANGED_FOLDER}/归档序号/ 下。
"""


class StockFolder(Protocol):
    """导出目录. Takes files one after another; nothing is in place until all of it is."""

    def add(self, path: str, data: bytes) -> None:
        """Write one whole file; `path` uses `/`.

        Raises:
            RefusedError: no file can have that name everywhere.
        """
        ...

    def holds(self, path: str) -> bool:
        """Tell whether the name is taken: by a file, or because one of its folders is a file."""
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
    damage: int = 0
    """How many things are wrong with the archive, as `damage.txt` lists them."""


class StockExporting:
    """导出. Writes the archive of one site with everything that checking it takes."""

    def __init__(
        self,
        history: BranchHistory,
        branch: str,
        statements: StatementFiling,
        library: LibraryFiles,
        *,
        tools: Callable[[int], Mapping[str, bytes]],
    ) -> None:
        """`tools` gives the scripts and the explanation, by name, for an archive with so many things wrong."""
        self._history = history
        self._branch = branch
        self._statements = statements
        self._library = library
        self._tools = tools

    def write(
        self, folder: StockFolder, *, damage: Iterable[str] = (), progress: Progress | None = None
    ) -> StockExport:
        """Write everything to `folder`, in the order in which it was filed; `damage` tells what the store lacks.

        Raises:
            RootMissingError: there is no root certificate.
        """
        root = self.root()
        writing = _Writing(folder, self._history)
        for words in damage:
            writing.wrong(f"存储的内容有损坏或缺失（Git：{words}）")
        folder.line(ORDER_FILE, _HEADING)
        try:
            for commit in self._history.commits(self._branch):
                writing.take(commit)
                if progress is not None and not writing.commits % _EVERY:
                    progress(writing.commits, None)
        except HistoryUnreadable as exc:
            writing.wrong(f"档案历史从归档 {exc.commit[:12]} 起读不出来，以后归档的不在导出中")
        certificate = self._history.contents([(ROOT_FILE, writing.certificates.get(root.hex, ""))])
        beside = {name: data for name, data in certificate if data is not None}
        if not beside and not writing.damage:
            raise RootMissingError
        try:
            beside |= self._rules()
        except QmsError as exc:
            writing.wrong(f"受控文件读不出来：{exc.message}")
        beside |= self._tools(writing.damage)
        for path, data in beside.items():
            folder.add(path, data)
        files = writing.files + len(beside)
        return StockExport(
            files, writing.statements, writing.commits, writing.tip, root, folder.finish(), writing.damage
        )

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

    def _rules(self) -> dict[str, bytes]:
        found = {f"library/{path}": data for path in _LIBRARY if (data := self._library.read(path)) is not None}
        if roots := trusted_roots(self._library):
            found[STAMP_ROOTS_FILE] = b"".join(to_pem(root) for root in roots)
        return found


class _Writing:
    """One export on its way: what was written, and what is wrong with the archive."""

    def __init__(self, folder: StockFolder, history: BranchHistory) -> None:
        self._folder = folder
        self._history = history
        self._before: HistoricCommit | None = None
        self.files = self.statements = self.commits = self.damage = 0
        self.tip = ""
        self.certificates: dict[str, str] = {}
        """Fingerprint → content in the store."""

    def wrong(self, message: str) -> None:
        """Note what is wrong with the archive."""
        if not self.damage:
            self._folder.line(DAMAGE_FILE, _DAMAGED)
        self.damage += 1
        self._folder.line(DAMAGE_FILE, one_line(message) + "。\n")

    def take(self, commit: HistoricCommit) -> None:
        """Write what one commit filed."""
        name = f"第 {self.commits} 次归档（{commit.commit[:12]}）"
        if not commit.follows(self._before):
            self.wrong(f"{name}没有接在唯一的前一次归档之后")
        place = f"commit\t{self.commits}\t{commit.commit}\t{commit.at}\t{_moment(commit.at)}\n"
        self._folder.line(ORDER_FILE, place)
        changes = {change.path: change for change in commit.changes}
        for path, data in self._history.contents((path, change.content) for path, change in changes.items()):
            self._file(changes[path], data, name)
        self._before = commit
        self.commits += 1
        self.tip = commit.commit

    def _file(self, change: PathChange, data: bytes | None, name: str) -> None:
        path = change.path
        if change.kind == "D":
            self.wrong(f"{name}删除了“{path}”")
            return
        filed = f"archive/{path}"
        if change.kind != "A" or self._folder.holds(filed):
            filed = f"{CHANGED_FOLDER}/{self.commits}/{path}"
            self.wrong(f"{name}改动了已归档的“{path}”")
        else:
            self._folder.line(ORDER_FILE, f"file\t{filed}\t{_follows(path)}\n")
            top, _, rest = path.partition("/")
            if top == "certificates":
                self.certificates[rest.removesuffix(".pem")] = change.content
        if data is None:
            self.wrong(f"{name}的“{path}”丢失或损坏，读不出来")
            return
        try:
            self._folder.add(filed, data)
        except QmsError as exc:
            self.wrong(f"{name}的“{path}”没有导出：{exc.message}")
            return
        self.files += 1
        if filed.startswith("archive/"):
            self.statements += path.endswith(".json") and not path.startswith(("controlled-forms/", "site.json"))


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
