"""旧文件. One document found in a company's old files: what it says of itself, its text, and what is doubtful."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.domain.conformity import Finding
    from controller.domain.document import HistoryRow, SigningStep
    from controller.domain.identifiers import Digest


@dataclass(frozen=True)
class LegacyDocument:
    """一篇旧文件. As it was read, before anybody decided anything."""

    source: str
    """Its file, relative to the folder."""
    part: int
    """Which document of that file, from 1."""
    first_line: int
    last_line: int
    text: str
    """What is imported: everything but the control block and the revision table."""
    clauses: int
    number: str | None = None
    title: str | None = None
    typed_revision: str | None = None
    revision: str | None = None
    """What `typed_revision` becomes; None: it is not understood, or there is none."""
    class_word: str | None = None
    owner: str | None = None
    drafted: SigningStep | None = None
    reviewed: SigningStep | None = None
    approved: SigningStep | None = None
    effective: str | None = None
    history: tuple[HistoryRow, ...] = ()
    cites: tuple[str, ...] = ()
    """Forms that the text names."""
    former_block: tuple[str, ...] = ()
    """Everything that was taken out of the text, line by line as written."""
    sure: tuple[str, ...] = ()
    """Names of the entries that are beyond doubt."""
    findings: tuple[Finding, ...] = ()

    @property
    def place(self) -> str:
        """File and lines, as people look them up."""
        return f"{self.source}:{self.first_line}-{self.last_line}"


@dataclass(frozen=True)
class LegacySource:
    """一个旧文件的内容. The documents in one file."""

    path: str
    digest: Digest
    documents: tuple[LegacyDocument, ...]
    findings: tuple[Finding, ...] = ()
    """What concerns the file as a whole."""
    islands: Mapping[Digest, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class MappedDocument:
    """对照表的一项. What a person decided about one old document."""

    source: str
    digest: Digest
    """Of the file."""
    part: int
    text: Digest
    """Of the text that was shown when the mapping was made."""
    wanted: bool
    number: str
    title: str
    revision: str
    class_word: str
    owner: str
    former_number: str | None = None
    former_revision: str | None = None
    drafted: SigningStep | None = None
    reviewed: SigningStep | None = None
    approved: SigningStep | None = None
    effective: str | None = None
    history: tuple[HistoryRow, ...] = ()
    forms: tuple[str, ...] = ()
    scan: str | None = None
    """File name of the scan of the old approval."""
    line: int | None = None
    """Where the entry stands in the mapping."""

    @property
    def approved_elsewhere(self) -> bool:
        """Whether it carries anything of an approval outside this system."""
        return bool(
            self.drafted or self.reviewed or self.approved or self.effective or self.history or self.scan is not None
        )
