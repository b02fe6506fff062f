"""文件打印件. Everything that stands on the printed pages of one procedure, and nothing else.

Gap notes and status notes are for the screen; they have no place in here, so no print can show them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from controller.domain.clause import Aside, AsideKind, Clause, Island, NumberingStyle, Table
from controller.domain.revision_row import ELSEWHERE, typed_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from controller.domain.document import ControlledDocument, SigningStep
    from controller.domain.identifiers import Digest
    from controller.domain.revision_row import RevisionRow

CLASS_NAMES = {"手册": "质量手册", "制度": "管理制度", "程序": "程序文件", "职责": "岗位职责"}
"""Word in `document.yml` → the class as printed."""
ELSEWHERE_NOTE = "编制、审核、批准为启用本系统之前在系统外所作，不是本系统的签名；原件由企业保存。"
HEADING_LENGTH = 20
"""A first-level clause up to this length that is no sentence is printed as a heading."""


@dataclass(frozen=True)
class SignedBlock:
    """签署事实. Who signed the revision that is printed, and since when it governs, as history tells."""

    drafted: SigningStep | None
    reviewed: SigningStep | None
    approved: SigningStep | None
    effective: str
    """Empty: it never took effect."""


@dataclass(frozen=True)
class ProcedurePrint:
    """文件打印件. Control block, clauses exactly as typed, revision history."""

    company: str
    number: str
    title: str
    revision: str
    class_name: str
    owner: str
    drafted: SigningStep | None
    reviewed: SigningStep | None
    approved: SigningStep | None
    effective: str | None
    applies_if: str | None
    pieces: Sequence[Clause | Table | Island]
    history: Sequence[RevisionRow]
    islands: Mapping[Digest, bytes] = field(default_factory=dict)
    """The file kept for each island among the pieces, by digest."""
    notice: str = ""
    """A line above everything that whoever holds the print must not miss; empty: nothing to say."""
    elsewhere: bool = False
    """Whether the names in the control block are of an approval from before this system."""
    copy_no: str = ""
    """受控号 of a controlled copy; empty: any other print."""

    @classmethod
    def of(
        cls,
        document: ControlledDocument,
        pieces: Sequence[object],
        *,
        company: str,
        islands: Mapping[Digest, bytes],
        notice: str = "",
        revisions: Sequence[RevisionRow] | None = None,
    ) -> ProcedurePrint:
        """Return the print of `document`; title lines and page marks of the source are left out, all else is kept.

        `revisions` is its revision table; None: as typed in `document.yml`.
        """
        return cls(
            company=company,
            number=document.number.text,
            title=document.title,
            revision=document.revision.text,
            class_name=CLASS_NAMES.get(document.class_word, document.class_word),
            owner=document.owner,
            drafted=_elsewhere(document.drafted),
            reviewed=_elsewhere(document.reviewed),
            approved=_elsewhere(document.approved),
            effective=document.effective,
            applies_if=document.applies_if,
            pieces=tuple(printed_pieces(pieces)),
            history=list(revisions) if revisions is not None else [typed_row(row) for row in document.history],
            islands=islands,
            notice=notice,
            elsewhere=document.approved_elsewhere,
        )

    def with_signed(self, block: SignedBlock) -> ProcedurePrint:
        """Return the print with what was signed in its control block."""
        return replace(
            self,
            drafted=block.drafted or self.drafted,
            reviewed=block.reviewed or self.reviewed,
            approved=block.approved or self.approved,
            effective=block.effective or self.effective,
        )


def _elsewhere(step: SigningStep | None) -> SigningStep | None:
    """Return who signed before this system, marked so that nobody takes it for a signature here."""
    return replace(step, name=f"{step.name}{ELSEWHERE}") if step is not None else None


def printed_pieces(pieces: Sequence[object]) -> Iterator[Clause | Table | Island]:
    """Yield what is printed; a line such as `版本:B/1` under the title is text of the document and stays visible."""
    for piece in pieces:
        if isinstance(piece, (Clause, Table, Island)):
            yield piece
        elif isinstance(piece, Aside) and piece.kind is AsideKind.CONTROL_LINE:
            yield Clause(piece.source, piece.span, 1, "", NumberingStyle.NONE, (), piece.text)


def as_printed(clause: Clause) -> str:
    """Return the characters of a clause as they stand on paper: as typed, outer blanks cut, one kind of line end."""
    return clause.source.strip().replace("\r\n", "\n").replace("\r", "\n")


def is_heading(clause: Clause) -> bool:
    """Tell whether a clause is printed as a heading: a short numbered line of the first level that is no sentence."""
    text = clause.source.strip()
    return clause.level == 1 and bool(clause.label) and len(text) <= HEADING_LENGTH and text[-1:] not in "。；;."


def lead_length(clause: Clause) -> int:
    """Return how many characters of a first-level clause are its lead (`1.目的:`), 0 when it has none."""
    text = clause.source.strip()
    if clause.level != 1 or not clause.label:
        return 0
    for place, sign in enumerate(text[:HEADING_LENGTH]):
        if sign in ":：":
            return place + 1
    return 0
