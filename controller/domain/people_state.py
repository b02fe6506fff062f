"""人员状态. What the chains of people and of the authority have established so far; `domain.people_chains` moves it on.

A certificate counts in periods: from the act that made it count until the act that ended it, both as places in the
order of the archive's commits, because times can be claimed and order cannot.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from controller.domain.identifiers import Digest
    from controller.domain.person import PostHeld
    from controller.domain.signature import CertificateFacts

MOST_WITNESSES = 2
"""Witnesses of an enrolment, where there are as many (21 CFR 11.200 a 3)."""
REMOVAL_RESTS = timedelta(days=7)
"""企业自定: so long somebody whom another person alone put out of the circle of witnesses is still counted in it.

Otherwise one witness could revoke the other and then vouch alone for a certificate in a third person's name. Seven days
are enough for whoever was put out to notice; a second signature under the removal ends the wait.
"""


@dataclass
class Period:
    """有效期间. A certificate counted for a person from one act until another."""

    person: str
    certificate: Digest
    since: int
    """Order of the act that made it count."""
    since_at: datetime
    witnesses: tuple[str, ...] = ()
    until: int | None = None
    until_at: datetime | None = None
    ended_by: str = ""
    """Code of the finding for later signatures: `certificate-revoked`, `certificate-replaced`, `person-retired`."""
    ended_path: str = ""


@dataclass
class Enrolment:
    """登记. A person's statement that a certificate is theirs, with the witnesses it has and needs."""

    person: str
    certificate: Digest
    sequence: int
    path: str
    at: datetime
    needed: int
    """As many as others could witness when it was stated, or at any moment since; at most `MOST_WITNESSES`."""
    apart: bool
    """Whether the two witnesses must hold different posts."""
    replaces: Digest | None
    witnesses: dict[str, frozenset[str]] = field(default_factory=dict)
    """Witness → the witness posts held at signing."""
    effective: bool = False
    closed: bool = False
    """Overtaken by a newer enrolment, a revocation or a retirement before it took effect."""

    def satisfied(self) -> bool:
        """Tell whether enough of the right people have signed."""
        if len(self.witnesses) < self.needed:
            return False
        return not self.apart or self.needed < MOST_WITNESSES or len(frozenset().union(*self.witnesses.values())) > 1


@dataclass
class KnownPerson:
    """已登记人员."""

    id: str
    name: str
    posts: tuple[PostHeld, ...]
    path: str
    """Where the person was registered."""
    retired: bool = False
    counting: Period | None = None
    enrolment: Enrolment | None = None
    """The newest one."""

    def holds(self, posts: Sequence[str], day: date) -> frozenset[str]:
        """Return which of `posts` the person holds on `day`."""
        return frozenset(item.post for item in self.posts if item.post in posts and item.on(day))

    def last_day(self, posts: Sequence[str], day: date) -> date | None:
        """Return the last day on which, seen from `day`, one of `posts` is held; None when there is no last day."""
        ends = [item.until for item in self.posts if item.post in posts and item.on(day)]
        if not ends or None in ends:
            return None
        return max(end for end in ends if end is not None)


@dataclass
class Removal:
    """移出见证人. Somebody was put out of the circle of witnesses by another person alone."""

    person: str
    by: str
    path: str
    rests_until: datetime


@dataclass
class PeopleState:
    """人员状态. The whole of it."""

    people: dict[str, KnownPerson] = field(default_factory=dict)
    periods: dict[Digest, Period] = field(default_factory=dict)
    claimed: dict[Digest, str] = field(default_factory=dict)
    """Every certificate that an enrolment named → whose it said it is."""
    roots: list[tuple[int, Digest]] = field(default_factory=list)
    """From which order on which root issued certificates."""
    next_root: tuple[Digest, str, str] | None = None
    """A replaced root that waits for its second signature: root, who stated it, archive path."""
    removals: dict[str, Removal] = field(default_factory=dict)

    @property
    def root(self) -> Digest | None:
        """The root in force."""
        return self.roots[-1][1] if self.roots else None

    def witnesses_for(
        self, person: str, posts: Sequence[str], at: datetime, certificates: Mapping[Digest, CertificateFacts]
    ) -> dict[str, frozenset[str]]:
        """Return who else can witness for `person` at `at`, each with the witness posts held."""
        found: dict[str, frozenset[str]] = {}
        for other in self.people.values():
            if other.id == person or other.retired or other.counting is None:
                continue
            held = other.holds(posts, at.date())
            facts = certificates.get(other.counting.certificate)
            if held and facts is not None and facts.not_before <= at <= facts.not_after:
                found[other.id] = held
        return found

    def lately_removed(self, person: str, at: datetime) -> set[str]:
        """Return who else still counts as a witness for the number needed, although put out."""
        return {item.person for item in self.removals.values() if item.person != person and at < item.rests_until}
