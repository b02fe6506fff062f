"""旧文件的端口. What importing a company's old documents needs from the world: a folder, Word files old and new."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.domain.conformity import Finding
    from controller.domain.identifiers import Digest
    from controller.domain.text import Text
    from controller.file_formats.control_block import Grid


@dataclass(frozen=True)
class LegacyFile:
    """旧文件夹里的一个文件. Where it lies, and why it is not read, where that is known beforehand."""

    path: str
    """Relative to the folder, with `/`."""
    problem: Text | None = None
    hint: Text | None = None


class LegacyFolder(Protocol):
    """旧文件夹. Files that somebody else made; nothing is ever written there."""

    @property
    def name(self) -> str:
        """Return what the folder is called."""
        ...

    def files(self) -> list[LegacyFile]:
        """Return every file, in order of path; what cannot be taken has its problem."""
        ...

    def read(self, path: str, *, limit: int) -> bytes:
        """Return a file's bytes.

        Raises:
            LegacyFileMissingError: it is not there, or no file of this folder.
            FileTooLargeError: it is larger than `limit`.
        """
        ...


@dataclass(frozen=True)
class LegacyText:
    """旧文件的内容. Its text as clause text, and what stands in tables and margins besides."""

    text: str
    islands: Mapping[Digest, bytes] = field(default_factory=dict)
    findings: Sequence[Finding] = ()
    grids: Mapping[Digest, Grid] = field(default_factory=dict)
    """The cells of each table that is kept verbatim, by its digest."""
    margins: Sequence[str] = ()
    """Lines of headers and footers."""
    margin_grids: Sequence[Grid] = ()
    """Tables of headers and footers."""


class LegacyWordReader(Protocol):
    """旧 Word 文件读取."""

    def read(self, docx: bytes, *, name: str) -> LegacyText:
        """Return what a docx says; raises a `QmsError` of `file_formats.docx_package` when it is not acceptable."""
        ...


class OldWordConverter(Protocol):
    """旧版 Word 转换. Turns a binary .doc into docx with a program of this computer."""

    def available(self) -> bool:
        """Tell whether there is such a program."""
        ...

    def to_docx(self, doc: bytes, /) -> bytes:
        """Return the docx; raises `PdfEngineError` when it cannot be converted."""
        ...
