"""文件打印. A controlled document as Word or PDF pages: control block, clauses as typed, revision history.

Gap notes and status notes never reach the drawing: they are no part of `ProcedurePrint`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from controller.domain.clause import Island
from controller.domain.document import SigningStep
from controller.domain.procedure_print import ProcedurePrint
from controller.services.document_library import FOLDER, DocumentIncompleteError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from controller.domain.document import ControlledDocument
    from controller.domain.procedure_print import SignedBlock
    from controller.domain.revision_row import RevisionRow
    from controller.services.document_library import DocumentLibrary
    from controller.services.print_ports import ProcedureDrawing

HOUSE_PROCEDURE = "templates/house/procedure.docx"
ON_SIGNATURE_PAGE = SigningStep("见签署页", "见签署页")
"""Stands for a name in the control block of a print that carries a signature page."""


class ProcedurePrinting:
    """文件打印服务. Draws the documents of one library in the name of one company.

    Args:
        library: the documents.
        drawing: draws the pages.
        company: as printed at the head.
        revisions: gives the revision table of a document; None: as typed in `document.yml`.
        signed: tells who signed a revision and since when it governs; None: nobody is named who is not typed.
    """

    def __init__(
        self,
        library: DocumentLibrary,
        drawing: ProcedureDrawing,
        company: str,
        revisions: Callable[[ControlledDocument], Sequence[RevisionRow]] | None = None,
        signed: Callable[[ControlledDocument], SignedBlock | None] | None = None,
    ) -> None:
        self._signed = signed
        self._revisions = revisions
        self._library = library
        self._drawing = drawing
        self._company = company

    def docx(
        self, number: str, *, to_sign: bool = False, notice: str = "", effective: str = "", copy_no: str = ""
    ) -> bytes:
        """Return the printed document as docx, the same bytes each time.

        With `to_sign`, places for names that are not on file say that they stand on the signature page. `notice` is
        printed above everything, `effective` as the day from which it is to be in force, where no other is on
        file. `copy_no` is the number of a controlled copy.

        Raises:
            UnknownDocumentError: there is no such document.
            DocumentIncompleteError: a picture or table that was kept verbatim is missing or altered.
            QmsError: its folder is damaged, or the house file is not acceptable.
        """
        shown = self._library.show(self._library.resolve(number))
        document, pieces = shown.document, shown.segment.pieces
        islands = {}
        for piece in pieces:
            if isinstance(piece, Island):
                kept = self._library.island(document.number.text, piece.digest)
                if kept is None:
                    path = f"{FOLDER}/{document.number}/islands/{piece.digest.hex}.json"
                    raise DocumentIncompleteError(path=path)
                islands[piece.digest] = kept
        house = self._library.files.read(HOUSE_PROCEDURE) or self._drawing.house()
        rows = self._revisions(document) if self._revisions is not None else None
        printed = ProcedurePrint.of(
            document, pieces, company=self._company, islands=islands, notice=notice, revisions=rows
        )
        if copy_no:
            printed = replace(printed, copy_no=copy_no)
        block = self._signed(document) if self._signed is not None and not to_sign else None
        if block is not None:
            printed = printed.with_signed(block)
        if effective:
            printed = replace(printed, effective=printed.effective or effective)
        if to_sign:
            printed = replace(
                printed,
                drafted=printed.drafted or ON_SIGNATURE_PAGE,
                reviewed=printed.reviewed or ON_SIGNATURE_PAGE,
                approved=printed.approved or ON_SIGNATURE_PAGE,
            )
        return self._drawing.draw(printed, house)
