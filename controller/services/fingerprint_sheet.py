"""指纹单. What the company prints, signs, seals and keeps: fingerprints to compare with later.

Whoever made the whole workspace anew, with another root, could not be noticed from inside; this sheet shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from controller.domain.identifiers import Digest
    from controller.services.people_standing import PeopleStanding
    from controller.services.workspace_identity import WorkspaceIdentity


@dataclass(frozen=True)
class SheetPerson:
    """指纹单上的人员."""

    id: str
    name: str
    fingerprint: Digest
    valid_until: str


@dataclass(frozen=True)
class FingerprintSheet:
    """指纹单."""

    company: str
    workspace: str
    site: str
    printed_at: str
    root: Digest | None
    root_since: str
    root_until: str
    earlier_roots: Sequence[Digest]
    people: Sequence[SheetPerson]


def fingerprint_sheet(standing: PeopleStanding, identity: WorkspaceIdentity, *, at: datetime) -> FingerprintSheet:
    """Return the sheet of the root in force and of everybody whose certificate counts."""
    history = standing.history()
    roots = history.roots
    root = standing.certificate(roots[-1]) if roots else None
    people = []
    for person in history.people():
        found = standing.certificate(person.certificate) if person.certificate is not None else None
        if found is not None:
            facts = found[1]
            until = f"{facts.not_after.astimezone(at.tzinfo):%Y-%m-%d}"
            people.append(SheetPerson(person.id, person.name, facts.digest, until))
    return FingerprintSheet(
        company=identity.company,
        workspace=identity.id,
        site=identity.site,
        printed_at=f"{at:%Y-%m-%d %H:%M}",
        root=roots[-1] if roots else None,
        root_since=f"{root[1].not_before.astimezone(at.tzinfo):%Y-%m-%d}" if root else "",
        root_until=f"{root[1].not_after.astimezone(at.tzinfo):%Y-%m-%d}" if root else "",
        earlier_roots=roots[:-1],
        people=people,
    )
