"""签出签入的端口. What checking a document out to Word and in again needs of the world.

`DocumentDrafts` is the one place that knows where an edited document lies until it comes into force.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from controller.services.ports import LibraryFiles, LibraryFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from controller.domain.clause import Segment
    from controller.domain.conformity import Finding
    from controller.domain.identifiers import Digest
    from controller.domain.procedure_print import ProcedurePrint
    from controller.domain.word_changes import TrackedChange, WordComment
    from controller.services.signing_ports import Signer
    from controller.services.statement_filing import StatementDraft

MARGINS = "margins"
"""Name of header and footer among the furniture."""


class DocumentDrafts(LibraryFiles, LibraryFolder, Protocol):
    """草稿. Where documents are edited: read as they are now, written whole, not in force by it."""


@dataclass(frozen=True)
class DraftDesk:
    """草稿所在. Where the draft of one document lies, and what keeps a new state of it together with its statement."""

    files: LibraryFiles
    save: Callable[[Mapping[str, bytes | None], StatementDraft, Signer], object] | None = None
    """Files the statement and the new contents (None takes a file away) in one step; None: a folder is written to."""
    change: str | None = None
    """Number of the change that the draft belongs to."""
    earlier: Callable[[Digest], bytes | None] = lambda _digest: None
    """Returns what a file of the draft held before, by digest; None where that is not kept."""


class DraftDesks(Protocol):
    """草稿的查找. Tells where the draft of a document is worked on: in a change, else in the folder."""

    def of(self, wanted: str) -> DraftDesk:
        """Return the place of the document called `wanted`."""
        ...


@dataclass(frozen=True)
class CheckoutSheet:
    """签出件. Everything that a checked-out Word file is drawn from."""

    shown: ProcedurePrint
    segment: Segment
    """The whole text, with ids."""
    source: Digest
    """Digest of `clauses.txt`."""
    checkout: str
    """Name of the check-out, 12 hexadecimal digits."""
    tracked: bool = True
    """Whether Word begins to track changes by itself."""


@dataclass(frozen=True)
class MarkedClause:
    """带书签的条款. Where the bookmark of a clause lies in the text that was read."""

    clause: str
    start: int
    end: int


@dataclass(frozen=True)
class Look:
    """外观. How a table or graphic looks, as far as every office program keeps it."""

    caption: str
    words: str
    """What it is found again by: its words, of an island its likeness."""
    exact: tuple[str, ...] = ()
    """Shades of cells, crops and turns of pictures, formats of words."""
    measures: tuple[float, ...] = ()
    """Sizes in mm, widths of columns in percent."""

    def like(self, other: Look) -> bool:
        """Tell whether both look the same, but for what a program rounds or writes in another way."""
        if self.exact != other.exact:
            return False
        if len(self.measures) != len(other.measures):
            return True
        return all(abs(one - two) <= 1 + 0.03 * one for one, two in zip(self.measures, other.measures, strict=True))


@dataclass(frozen=True)
class TypedNumber:
    """写成文字的自动编号. An automatic number as it is now, and as it was before the tracked changes."""

    before: str
    """Empty where the paragraph was not there, or had no number."""
    now: str
    text: str


@dataclass(frozen=True)
class ReturnedWord:
    """回收的 Word 文件. A Word file as it came back, all tracked changes accepted, nothing yet compared."""

    checkout: str | None
    """Name of the check-out it says it came from."""
    number: str | None
    text: str
    """The text as lines; a table as its notation, an island as its line with the digest of what came back."""
    untracked: str
    """The same with all tracked changes rejected: what it was, but for what was changed without a trace."""
    islands: Mapping[Digest, bytes]
    likeness: Mapping[Digest, str]
    """Digest of an island → what of it survives an office program: its words, its cells, its pictures."""
    clauses: Sequence[MarkedClause]
    changes: Sequence[TrackedChange]
    comments: Sequence[WordComment]
    furniture: Mapping[str, str]
    """What surrounds the text (control block, revision history, header and footer), by name, as words."""
    formats: Mapping[tuple[str, str], int]
    """How often (kind of format, text) stands in the text."""
    page_breaks: int
    looks: Sequence[Look]
    """Of every table and graphic of the text, in order."""
    numbers: Sequence[TypedNumber]
    """Automatic numbers that became text, in order."""
    visible: Sequence[str]
    """Every passage that a reader of the file sees in its body, read a second way."""
    kept: Sequence[str]
    """Words inside islands and furniture, which `visible` has too."""
    findings: Sequence[Finding] = field(default_factory=tuple)


class CheckoutDrawing(Protocol):
    """签出版式. Draws a document for editing in Word."""

    def draw(self, sheet: CheckoutSheet, house: bytes) -> bytes:
        """Return the docx drawn on the house file; same input, same bytes."""
        ...

    def house(self) -> bytes:
        """Return the house file that stands in where the workspace has none."""
        ...


class ReturnedWordReader(Protocol):
    """签入读取. Reads a checked-out Word file that came back."""

    def read(self, docx: bytes, *, name: str) -> ReturnedWord:
        """Return what it holds; raises the errors of `file_formats.docx_package` for a file that is not safe."""
        ...
