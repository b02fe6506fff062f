"""陈述与见证的判断. Sends each statement to whoever judges it, and judges the signatures of witnesses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.authority_judgement import AuthorityJudgement
from controller.domain.conformity import Finding, Gravity
from controller.domain.people_judgement import PeopleJudgement
from controller.domain.signer_judgement import Refusal, SignerJudgement, TrustMaterial
from controller.domain.statement import Event
from controller.domain.text import T

if TYPE_CHECKING:
    from datetime import datetime

    from controller.domain.people_state import PeopleState
    from controller.domain.trust_events import TrustEvent, WitnessSignature

TAKES_AWAY = frozenset({Event.PERSON_REVOKED, Event.PERSON_RETIRED})
"""What ends somebody's certificate."""
_NEEDS_WITNESSES = frozenset({Event.PERSON_ENROLLED, Event.AUTHORITY_REPLACED})
_MAY_BE_WITNESSED = frozenset({*_NEEDS_WITNESSES, *TAKES_AWAY, Event.PERSON_POSTS_CHANGED})


class StatementJudgement(SignerJudgement):
    """陈述与见证的判断."""

    def __init__(self, state: PeopleState, material: TrustMaterial, findings: list[Finding]) -> None:
        super().__init__(state, material, findings)
        self._people = PeopleJudgement(state, material, findings)
        self._authority = AuthorityJudgement(state, material, findings)
        self.accepted: set[str] = set()
        """Paths of the statements that count."""

    def judged(self, event: TrustEvent, order: int) -> Refusal | None:
        """Judge a statement, whatever it is about."""
        statement = event.statement
        refusal = self.sound(event.path, event.signature)
        if refusal is not None:
            return refusal
        if event.signature is None or event.signature.certificate != statement.certificate:
            message = T("{path} 的签名所用的证书与陈述所写的不同", path=event.path)
            return Refusal("person-signature-wrong", message)
        if event.signature.signed_at != event.at:
            return Refusal("person-signature-wrong", T("{path} 的签名时间与陈述所写的不同", path=event.path))
        judge = {
            Event.PERSON_REGISTERED: self._people.registered,
            Event.PERSON_ENROLLED: self._people.enrolled,
            Event.PERSON_POSTS_CHANGED: self._people.posts_changed,
            Event.PERSON_REVOKED: self._people.revoked,
            Event.PERSON_RETIRED: self._people.retired,
            Event.AUTHORITY_FOUNDED: self._authority.founded,
            Event.AUTHORITY_REPLACED: self._authority.replaced,
        }.get(statement.event)
        if judge is None or statement.event.value.startswith("person-") != bool(event.person):
            return self.wrong(event, T("事件“{event}”不属于这条链", event=statement.event.value))
        refusal = judge(event, order)
        if refusal is None:
            self.accepted.add(event.path)
        return refusal

    def count_needed(self, order: int, at: datetime) -> None:
        """Look again how many witnesses every open enrolment needs, after something was accepted at `order`, `at`."""
        self._people.count_needed(order, at)

    def witnessed(self, event: TrustEvent, witness: WitnessSignature, order: int) -> Refusal | None:
        """Judge a signature of somebody else under a statement."""
        path = witness.path
        if event.path not in self.accepted:
            return Refusal("person-chain-wrong", T("{path} 所见证的陈述不算数", path=path), quiet=True)
        if event.statement.event not in _MAY_BE_WITNESSED:
            return Refusal("witness-needless", T("{path}：这种陈述不需要见证", path=path), Gravity.WARNING)
        by = event.statement.by
        if by is not None and witness.person == by.person:
            return Refusal("witness-is-person", T("{path}：{id}不得为自己的陈述作见证", path=path, id=witness.person))
        refusal = self.sound(path, witness.signature)
        if refusal is not None:
            return refusal
        standing = self.standing(witness.signature.certificate, order, witness.signature.signed_at)
        if standing is None:
            return None
        found = self.counted(path, standing, witness.person, None)
        if isinstance(found, Refusal):
            return found
        if event.statement.event not in _NEEDS_WITNESSES:
            removal = self.state.removals.get(event.person)
            if removal is not None and removal.path == event.path:
                del self.state.removals[event.person]
            return None
        held = found.holds(self.material.rules(order).witness_posts, event.witnessed_on(witness))
        if not held:
            message = T("{path}：{name}的岗位无权作见证", path=path, name=found.name)
            return Refusal("enrolment-by-wrong-post", message)
        if event.statement.event is Event.AUTHORITY_REPLACED:
            self._authority.new_root(event, order)
            return None
        known = self.state.people[event.person]
        enrolment = known.enrolment
        if enrolment is not None and enrolment.path == event.path and not known.retired:
            if not enrolment.effective:
                enrolment.witnesses[found.id] = held
            self._people.take_effect(known, enrolment, order, witness.signature.signed_at)
        return None
