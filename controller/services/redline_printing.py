"""修订对照稿. The redline of a document between two of its versions, as docx with tracked changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.clause import Island
from controller.domain.procedure_print import ProcedurePrint
from controller.domain.redline_print import ChangeAuthor, RedlinePrint
from controller.services.document_library import FOLDER, DocumentIncompleteError
from controller.services.procedure_printing import HOUSE_PROCEDURE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from controller.domain.document import ControlledDocument
    from controller.domain.document_timeline import DocumentVersion
    from controller.domain.revision_row import RevisionRow
    from controller.services.document_history import DocumentHistory, VersionDifference
    from controller.services.history_ports import RedlineDrawing
    from controller.services.ports import LibraryFiles

NOT_IN_FORCE = "尚未采用的修改"
"""Stands for the author of what nobody has stated yet."""
UNSTATED = "无签名陈述"
"""Stands for the author of a change without a signed statement."""


class RedlinePrinting:
    """修订对照稿服务.

    Args:
        files: the approved content, for the house file.
        history: where the kept pictures and tables of each version come from.
        drawing: draws the pages.
        company: as printed at the head.
        revisions: gives the revision table of a document.
    """

    def __init__(
        self,
        files: LibraryFiles,
        history: DocumentHistory,
        drawing: RedlineDrawing,
        company: str,
        revisions: Callable[[ControlledDocument], Sequence[RevisionRow]],
    ) -> None:
        self._revisions = revisions
        self._files = files
        self._history = history
        self._drawing = drawing
        self._company = company

    def docx(self, difference: VersionDifference) -> bytes:
        """Return the redline as docx; each clause's change bears the name and time of whoever changed it last.

        Raises:
            RedlineInexactError: accepting or rejecting all changes would not give the two texts exactly.
            DocumentIncompleteError: a picture or table that was kept verbatim is missing or altered.
            QmsError: the house file is not acceptable.
        """
        shown = RedlinePrint(
            self._print(difference, difference.old),
            self._print(difference, difference.new),
            difference.comparison,
            _author(difference.new),
            {clause: _author(version) for clause, version in difference.origins.items()},
        )
        house = self._files.read(HOUSE_PROCEDURE) or self._drawing.house()
        return self._drawing.draw(shown, house)

    def _print(self, difference: VersionDifference, version: DocumentVersion) -> ProcedurePrint:
        text = version.text
        assert text is not None
        islands = self._history.islands(difference.number, version)
        for piece in text.pieces:
            if isinstance(piece, Island) and piece.digest not in islands:
                path = f"{FOLDER}/{difference.number}/islands/{piece.digest.hex}.json"
                raise DocumentIncompleteError(path=path)
        rows = self._revisions(text.document)
        return ProcedurePrint.of(text.document, text.pieces, company=self._company, islands=islands, revisions=rows)


def _author(version: DocumentVersion) -> ChangeAuthor:
    return ChangeAuthor(version.author or (UNSTATED if version.commit else NOT_IN_FORCE), version.at)
