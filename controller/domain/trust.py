"""可信. Who held which certificate that counted, when, and who vouched for it (21 CFR 11.100, 11.200 a 3).

The answer comes from the statements in the archive alone: neither from the list of people, which is compared with it,
nor from the certificates, which anybody who holds the authority's key can issue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.certificate_standing import Standing, standing_of
from controller.domain.conformity import Finding, Gravity
from controller.domain.people_chains import PeopleChains
from controller.domain.people_state import MOST_WITNESSES
from controller.domain.signer_judgement import TrustMaterial
from controller.domain.signing_rules import SigningRules
from controller.domain.text import T
from controller.domain.trust_events import person_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from controller.domain.identifiers import Digest
    from controller.domain.people_state import Enrolment, KnownPerson, PeopleState
    from controller.domain.person import PostHeld, Staff
    from controller.domain.signature import CertificateFacts
    from controller.domain.text import Text
    from controller.domain.trust_events import TrustEvent


@dataclass(frozen=True)
class TrustedPerson:
    """人员. One person as the chains tell it."""

    id: str
    name: str
    posts: tuple[PostHeld, ...]
    active: bool
    certificate: Digest | None
    """The certificate that counts now."""
    witnesses: tuple[str, ...] = ()
    """Ids of who witnessed it."""
    enrolled_at: datetime | None = None
    """When it began to count."""


@dataclass(frozen=True)
class OpenEnrolment:
    """待见证的登记. An enrolment that does not count yet."""

    person: str
    name: str
    certificate: Digest
    sequence: int
    """In the chain of the person."""
    path: str
    at: datetime
    needed: int
    witnesses: tuple[str, ...]
    """Who has signed."""


class TrustHistory:
    """证书效力的历史. What the fold found; asked for standings at any place of the archive's order."""

    def __init__(
        self, state: PeopleState, certificates: Mapping[Digest, CertificateFacts], findings: Sequence[Finding]
    ) -> None:
        self._state = state
        self._certificates = certificates
        self._findings = tuple(findings)

    def standing(self, certificate: Digest, *, order: int, at: datetime) -> Standing:
        """Return whether `certificate` counted at place `order` and time `at` (aware), and if not, why not."""
        return standing_of(self._state, self._certificates, certificate, order=order, at=at)

    def people(self) -> list[TrustedPerson]:
        """Return everybody who was ever registered, by id."""
        return [
            _person(known) for _, known in sorted(self._state.people.items(), key=lambda item: person_order(item[0]))
        ]

    def person(self, person: str) -> TrustedPerson | None:
        """Return one of them."""
        known = self._state.people.get(person)
        return _person(known) if known else None

    def certificates_of(self, person: str) -> list[Digest]:
        """Return every certificate that counted for the person, the oldest first."""
        return [item.certificate for item in self._state.periods.values() if item.person == person]

    def findings(self) -> Iterator[Finding]:
        """Yield everything in the chains that does not follow the rules, or that people should know."""
        yield from self._findings

    @property
    def roots(self) -> tuple[Digest, ...]:
        """Every root that was in force, the newest last."""
        return tuple(root for _, root in self._state.roots)

    @property
    def waiting_root(self) -> str | None:
        """The archive path of a change of root that waits for its second signature."""
        return self._state.next_root[2] if self._state.next_root else None

    def open_enrolments(self) -> list[OpenEnrolment]:
        """Return the enrolments that still need witnesses, by person."""
        found = []
        for known in sorted(self._state.people.values(), key=lambda item: person_order(item.id)):
            enrolment = known.enrolment
            if enrolment is not None and not enrolment.effective and not enrolment.closed:
                found.append(_open(known, enrolment))
        return found

    def missing_witnesses(self, person: str) -> int:
        """Return how many witnesses the person's newest enrolment still needs; 0 when it counts or there is none."""
        known = self._state.people.get(person)
        enrolment = known.enrolment if known else None
        if enrolment is None or enrolment.effective or enrolment.closed:
            return 0
        return max(1, enrolment.needed - len(enrolment.witnesses))

    def witnesses_for(self, person: str, posts: Sequence[str], *, at: datetime) -> list[str]:
        """Return the ids of who can witness for the person at `at`: other people with such a post who count."""
        return sorted(self._state.witnesses_for(person, posts, at, self._certificates), key=person_order)

    def lately_removed(self, person: str, *, at: datetime) -> list[str]:
        """Return who still counts for the number of witnesses, because one person alone put them out only lately."""
        return sorted(self._state.lately_removed(person, at), key=person_order)

    def differences(self, staff: Staff, *, path: str) -> Iterator[Finding]:
        """Yield where the list of people (`signatures/people.yml`) is not what the chains say."""
        for person in self.people():
            listed = staff.people.get(person.id)
            if listed is None:
                yield _differs(path, person.name, T("{name}（{id}）已登记，却不在其中", name=person.name, id=person.id))
            elif (listed.name, listed.active, listed.held) != (person.name, person.active, person.posts):
                what = T("{name}（{id}）的姓名、岗位或在册状态与登记不同", name=person.name, id=person.id)
                yield _differs(path, person.name, what)
        for listed in staff.people.values():
            if listed.id not in self._state.people:
                yield _differs(path, listed.name, T("{name}（{id}）从未登记", name=listed.name, id=listed.id))


def trust(
    events: Iterable[TrustEvent],
    certificates: Mapping[Digest, CertificateFacts],
    rules: SigningRules | Sequence[tuple[int, SigningRules]],
    *,
    issued: Callable[[Digest, Digest], bool],
    root: Digest | None = None,
) -> TrustHistory:
    """Fold the statements of `authority` and of all `people/…` chains.

    Args:
        events: in any order.
        certificates: every certificate in the archive, by the digest of its DER.
        rules: those in force, or (order from which, rules) where they changed.
        issued: certificate, issuer → whether the one was really signed by the other's key.
        root: the root in `site.json`; a founding with another one does not count.
    """
    material = TrustMaterial(certificates=certificates, rules=_rules(rules), issued=issued, root=root)
    chains = PeopleChains(events, material)
    chains.run()
    return TrustHistory(chains.state, certificates, chains.findings)


def _rules(rules: SigningRules | Sequence[tuple[int, SigningRules]]) -> Callable[[int], SigningRules]:
    """Return order → the rules in force there; the first ones count before they begin, too."""
    if isinstance(rules, SigningRules):
        only = rules
        return lambda _order: only
    ordered = sorted(rules, key=lambda item: item[0])

    def at(order: int) -> SigningRules:
        return next((item for since, item in reversed(ordered) if since <= order), ordered[0][1])

    return at


def _person(known: KnownPerson) -> TrustedPerson:
    counting = known.counting
    return TrustedPerson(
        id=known.id,
        name=known.name,
        posts=known.posts,
        active=not known.retired,
        certificate=counting.certificate if counting else None,
        witnesses=counting.witnesses if counting else (),
        enrolled_at=counting.since_at if counting else None,
    )


def _open(known: KnownPerson, enrolment: Enrolment) -> OpenEnrolment:
    return OpenEnrolment(
        person=known.id,
        name=known.name,
        certificate=enrolment.certificate,
        sequence=enrolment.sequence,
        path=enrolment.path,
        at=enrolment.at,
        needed=min(MOST_WITNESSES, max(enrolment.needed, len(enrolment.witnesses) + 1)),
        witnesses=tuple(enrolment.witnesses),
    )


def _differs(path: str, name: str, what: Text) -> Finding:
    message = T("{path} 与档案中的人员登记不一致：{what}", path=path, what=what)
    hint = T("人员只用 qms person 增改；用 git 恢复该文件。")
    return Finding("people-file-differs", Gravity.ERROR, message, path=path, subject=name, hint=hint)
