"""检查用端口. The workspace as `qms verify` sees it: history, raw repository, processes, stamps.

Beside `services.ports`, because nothing but verification looks at the workspace in this way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from controller.domain.conformity import Finding
    from controller.domain.identifiers import Digest
    from controller.domain.signature import CheckedSignature
    from controller.domain.statement import Statement

ORDINARY = "100644"
"""The only kind of file that the program stores."""


@dataclass(frozen=True)
class PathChange:
    """一处文件变化. What a commit does to one path."""

    path: str
    kind: str
    """`A` added, `M` changed, `D` deleted, `T` another kind of file."""
    content: str
    """Name of the new content in the store; zeros when deleted."""
    mode: str = ORDINARY


@dataclass(frozen=True)
class HistoricCommit:
    """历史中的提交. One commit of a branch with what it changed."""

    commit: str
    parents: Sequence[str]
    at: int
    """Time of the commit in seconds since 1970."""
    changes: Sequence[PathChange]
    statement: str = ""
    """Archive path of the statement that the commit names (trailer `QMS-Statement`)."""

    def follows(self, before: HistoricCommit | None) -> bool:
        """Tell whether this commit stands on `before` alone (None: on nothing), so that history is one line."""
        return tuple(self.parents) == ((before.commit,) if before is not None else ())


class HistoryUnreadable(Exception):  # noqa: N818 - a signal between adapter and service, never shown
    """历史读不出来. History cannot be read any further."""

    def __init__(self, commit: str) -> None:
        super().__init__(commit)
        self.commit = commit
        """The last commit that could be read, or the branch's newest."""


class NewestChange(Protocol):
    """最近的更改. The newest commit of a branch, looked at before every act."""

    def tip(self, branch: str) -> str | None:
        """Return the id of the newest commit of `branch`, None when there is none."""
        ...

    def newest(self, branch: str) -> HistoricCommit | None:
        """Return the newest commit of `branch` with what it changed and what its trailer names; None without any.

        Raises:
            HistoryUnreadable: it is missing or damaged.
        """
        ...

    def contents(self, named: Iterable[tuple[str, str]]) -> Iterator[tuple[str, bytes | None]]:
        """Yield name and bytes for each (name, content); None for what cannot be read."""
        ...


class BranchHistory(Protocol):
    """分支历史. The commits of a branch."""

    def tip(self, branch: str) -> str | None:
        """Return the id of the newest commit of `branch` (`main`, `archive/main`), None when there is none."""
        ...

    def commits(self, branch: str, *, tip: str | None = None, statements: bool = False) -> Iterator[HistoricCommit]:
        """Yield every commit oldest first, streaming; with `statements` also what each one's trailer names.

        `tip` is the newest commit to yield, by default the branch's.

        Raises:
            HistoryUnreadable: a commit or one of its folders is missing or damaged.
        """
        ...

    def holds(self, branch: str, commit: str) -> bool:
        """Tell whether `commit` is part of the branch's present history."""
        ...

    def contents(self, named: Iterable[tuple[str, str]]) -> Iterator[tuple[str, bytes | None]]:
        """Yield name and bytes for each (name, content); None for what cannot be read."""
        ...


class WorkspaceExamination(Protocol):
    """工作区检查. Looks at the repository as a folder of files, and at the working folder beside `main`."""

    def findings(self) -> Iterator[Finding]:
        """Yield what does not belong there or differs from what the program wrote."""
        ...


class IndexedHeads(Protocol):
    """索引中的记录头. What the disposable index says of every record."""

    def heads(self, tip: str) -> Iterator[tuple[str, str]] | None:
        """Yield record number and digest of the last entry; None when the index is not at archive commit `tip`.

        Raises:
            QmsError: the index is damaged.
        """
        ...


@dataclass(frozen=True)
class HeldStatement:
    """档案中的陈述. A statement of the archive with what lies beside it, as verification found it."""

    path: str
    """Archive path with `.json`."""
    statement: Statement
    digest: Digest
    data: bytes
    signature: CheckedSignature | None
    """The stating person's signature; None when there is none or it is unreadable."""
    witnesses: Mapping[str, CheckedSignature] = field(default_factory=dict)
    """Person id → the signature of a witness."""
    stamp: bytes | None = None
    """The bytes of `.tsr` beside it."""
    pdf: bytes | None = None
    """The bytes of `.pdf` beside it: the document with all signatures so far."""
    order: int | None = None
    """Position of its commit in the archive, from 0; None when history cannot be read."""
    witness_orders: Mapping[str, int] = field(default_factory=dict)
    """Person id → position of the commit that added the witness's signature."""


@dataclass(frozen=True)
class AddedFiles:
    """一段时间加入的文件. What was added to the archive up to a head, recomputed from the archive's bytes."""

    digest: Digest
    """SHA-256 over the lines `<sha256 of file>  <path>\\n` in path order."""
    files: int


class TimestampVerification(Protocol):
    """时间证明的验证. Checks the daily statements over all heads and the stamps of the outside authority."""

    def findings(
        self,
        heads: Sequence[HeldStatement],
        added: Sequence[AddedFiles | None],
        holds: Callable[[str, str], bool],
    ) -> Iterator[Finding]:
        """Yield everything about the chain `timestamps`, given in sequence order, and that no time is proven.

        `added` holds, for each statement, what was added between the archive head of the statement before and its own
        (None: that head is not in the archive's history); `holds(branch, commit)` tells whether a branch's history
        has a commit.
        """
        ...


@dataclass(frozen=True)
class PdfSignatureFacts:
    """PDF 中的签名. What checking one signature inside a PDF found."""

    certificate: Digest
    intact: bool
    """It is right for the bytes it covers, and nothing was changed since but what may be."""
    whole: bool
    """Nothing comes after the newest signature."""
    others: frozenset[Digest] = frozenset()
    """Certificates that came along; no signature covers them."""


class PdfSignatureCheck(Protocol):
    """PDF 签名核对."""

    def signatures(self, pdf: bytes) -> Sequence[PdfSignatureFacts] | None:
        """Return every signature of `pdf`, the oldest first; None when the PDF cannot be read."""
        ...


class FolderWalk(Protocol):
    """读取档案目录. Reads folders of the archive as it was at one commit."""

    def files(self, folders: Sequence[str], damaged: Callable[[str], None]) -> Iterator[tuple[str, bytes]]:
        """Yield every readable file below `folders` with its bytes, in path order; a file may stand for a folder.

        The path of what cannot be read is told to `damaged`.
        """
        ...
