"""条款溯源. For every clause of a revision: when, by whom and why its wording came about, and who approved it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.clause import Clause
from controller.domain.document_comparison import clause_places
from controller.domain.document_timeline import DRAFTED, REVIEWED, approved_since
from controller.domain.procedure_print import as_printed
from controller.domain.statement import Event
from controller.domain.text_difference import differences

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.domain.document_timeline import DocumentVersion, VersionSignature
    from controller.domain.text_difference import Stretch


@dataclass(frozen=True)
class ClauseWording:
    """条款的一种写法. The clause from one change of the document until the next that touched it."""

    version: DocumentVersion
    clause: Clause | None
    """None: the clause was taken out by this change."""
    place: str
    stretches: tuple[Stretch, ...]
    """Marks against the wording before; empty for the first."""
    renumbered_only: bool = False
    """Only the number changed, not a word of the text."""


@dataclass(frozen=True)
class ClauseBlame:
    """一条的溯源."""

    id: str
    clause: Clause
    place: str
    changed: DocumentVersion
    """The change that gave the text its present wording."""
    renumbered: DocumentVersion | None
    """The later change that gave it its present number; None: none did."""
    approved_in: DocumentVersion | None
    approved: VersionSignature | None
    """The first approval of the present wording; None: nobody has approved it in this system."""
    wordings: tuple[ClauseWording, ...]
    """Every wording, oldest first."""

    @property
    def drafted_by(self) -> str:
        """Who drafted the present wording; else who stated it."""
        signature = self.changed.signed(DRAFTED)
        return signature.by.name if signature is not None else self.changed.author

    @property
    def reviewed_by(self) -> tuple[str, ...]:
        """Who reviewed the change, or the document as it was approved first with this wording."""
        change = self.changed.change
        if change is not None:
            reviewed = (item.by.name for item in change.counting if item.event is Event.CHANGE_REVIEWED)
            return tuple(dict.fromkeys(reviewed))
        signature = (self.approved_in or self.changed).signed(REVIEWED)
        return (signature.by.name,) if signature is not None else ()


def blame(versions: Sequence[DocumentVersion]) -> list[ClauseBlame]:
    """Return where every clause of the last of `versions` comes from, in its order.

    Args:
        versions: readable versions of one document, oldest first, up to the one that is asked about.
    """
    seen = [_clauses(version) for version in versions]
    if not seen:
        return []
    return [_blame(identifier, versions, seen) for identifier in seen[-1]]


def wordings_of(identifier: str, versions: Sequence[DocumentVersion]) -> tuple[ClauseWording, ...]:
    """Return every wording of one clause, also of one that is gone, oldest first."""
    return tuple(_wordings(identifier, versions, [_clauses(version) for version in versions]))


def find_clauses(wanted: str, versions: Sequence[DocumentVersion]) -> list[str]:
    """Return the ids of the clauses called `wanted`: an id, a number as typed or counted (`5.1`); the newest first.

    A number that the newest version has is looked for there only; otherwise in the versions before, one by one.
    """
    name = wanted.strip()
    for version in reversed(versions):
        found = [
            identifier
            for identifier, (clause, place) in _clauses(version).items()
            if name == identifier or _bare(name) in {_bare(clause.label), _bare(place), _counted(clause)} - {""}
        ]
        if found:
            return found
    return []


def _clauses(version: DocumentVersion) -> dict[str, tuple[Clause, str]]:
    pieces = version.text.printed if version.text is not None else ()
    places = clause_places(pieces)
    return {
        piece.id: (piece, place)
        for piece, place in zip(pieces, places, strict=True)
        if isinstance(piece, Clause) and piece.id is not None
    }


def _bare(label: str) -> str:
    return "".join(label.split()).rstrip(".．、")


def _counted(clause: Clause) -> str:
    return ".".join(str(part) for part in clause.number)


def _blame(
    identifier: str, versions: Sequence[DocumentVersion], seen: Sequence[Mapping[str, tuple[Clause, str]]]
) -> ClauseBlame:
    wordings = tuple(_wordings(identifier, versions, seen))
    clause, place = seen[-1][identifier]
    worded = [item for item in wordings if not item.renumbered_only]
    changed = worded[-1].version
    last = wordings[-1]
    start = versions.index(changed)
    now = _body(clause)
    holds = [identifier in clauses and _body(clauses[identifier][0]) == now for clauses in seen]
    approval = approved_since(versions, start, holds)
    return ClauseBlame(
        id=identifier,
        clause=clause,
        place=place,
        changed=changed,
        renumbered=last.version if last.renumbered_only else None,
        approved_in=approval[0] if approval else None,
        approved=approval[1] if approval else None,
        wordings=wordings,
    )


def _wordings(
    identifier: str, versions: Sequence[DocumentVersion], seen: Sequence[Mapping[str, tuple[Clause, str]]]
) -> list[ClauseWording]:
    found: list[ClauseWording] = []
    before: Clause | None = None
    for version, clauses in zip(versions, seen, strict=True):
        clause, place = clauses.get(identifier, (None, ""))
        if clause is None and before is not None:
            gone = differences(as_printed(before), "")
            found.append(ClauseWording(version, None, found[-1].place, gone))
        elif clause is not None and (before is None or as_printed(before) != as_printed(clause)):
            marks = differences(as_printed(before), as_printed(clause)) if before is not None else ()
            only = before is not None and _body(before) == _body(clause)
            found.append(ClauseWording(version, clause, place, marks, only))
        before = clause
    return found


def _body(clause: Clause) -> str:
    return as_printed(clause).removeprefix(clause.label.strip()).strip()
