"""文件签名验证. Compares what was signed on documents with what was in force (ISO 13485 4.2.4 a, b)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.statement import Event
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller.services.examination_ports import HeldStatement
    from controller.services.library_verification import LibraryVerification


class DocumentVerification:
    """文件签名验证. Every file that a signature covers must have been on `main`, with just that content."""

    def __init__(self, library: LibraryVerification) -> None:
        self._library = library
        self._signed: list[HeldStatement] = []

    def note(self, held: HeldStatement) -> None:
        """Take a statement of the archive; only those about documents are kept."""
        if held.statement.event in {Event.DOCUMENT_SIGNED, Event.DOCUMENT_SIGNED_ON_PAPER}:
            self._signed.append(held)

    def findings(self) -> Iterator[Finding]:
        """Yield signatures that cover something that was never in force."""
        if not self._library.complete:
            return
        for held in self._signed:
            statement = held.statement
            for path, digest in statement.files.items():
                if path.startswith("procedures/") and (path, digest) not in self._library.ever:
                    message = T("签名所覆盖的“{path}”从来不是这个内容的受控文件。", path=path)
                    yield Finding(
                        "document-file-differs",
                        Gravity.ERROR,
                        message,
                        path=held.path,
                        subject=statement.subject or None,
                        since=statement.at,
                    )
