"""人员链. Folds the statements about people and the authority into who held which counting certificate when.

Nothing counts because a certificate was issued: an enrolment counts, signed with its own key and by witnesses who
themselves count at that point. Whatever does not follow the rules of `docs/signatures.md` changes nothing and is a
finding; only what takes somebody's certificate away is obeyed even behind a gap in the chain.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.people_state import PeopleState
from controller.domain.signer_judgement import Refusal, TrustMaterial
from controller.domain.statement import AUTHORITY
from controller.domain.statement_judgement import TAKES_AWAY, StatementJudgement
from controller.domain.text import T
from controller.domain.trust_events import TrustEvent, WitnessSignature, person_order

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from controller.domain.identifiers import Digest


@dataclass(frozen=True)
class _Item:
    """A statement, or a witness's signature under it, at its place."""

    order: int
    event: TrustEvent
    witness: WitnessSignature | None = None

    @property
    def at(self) -> datetime:
        return self.event.at if self.witness is None else self.witness.signature.signed_at

    @property
    def takes_away(self) -> bool:
        return self.witness is None and self.event.statement.event in TAKES_AWAY

    def place(self) -> tuple[object, ...]:
        statement = self.event.statement
        about = (0, ()) if statement.chain == AUTHORITY else (1, person_order(self.event.person))
        return (about, statement.sequence, person_order(self.witness.person) if self.witness else ())


class PeopleChains:
    """人员链的折叠. Use once: `run`, then read `state` and `findings`."""

    def __init__(self, events: Iterable[TrustEvent], material: TrustMaterial) -> None:
        self._events = list(events)
        self._material = replace(material, founder=_founder(self._events))
        self.state = PeopleState()
        self.findings: list[Finding] = []
        self._judgement = StatementJudgement(self.state, self._material, self.findings)
        self._ends: dict[str, tuple[int, Digest | None]] = {}

    def run(self) -> None:
        """Go through everything in the order of the archive; what lies in one commit, in the order that makes sense."""
        groups: dict[int, list[_Item]] = {}
        for item in self._items():
            groups.setdefault(item.order, []).append(item)
        for order in sorted(groups):
            pending = sorted(groups[order], key=_Item.place)
            while pending:
                if self._accept_some(pending):
                    continue
                self._pass_over(pending.pop(0))
        self._unfinished()

    def _items(self) -> Iterable[_Item]:
        """Yield every item; a statement never comes before its predecessor in the chain, whatever time it claims."""
        reached: dict[str, int] = {}
        for event in sorted(self._events, key=lambda item: (item.statement.chain, item.statement.sequence)):
            chain = event.statement.chain
            order = reached[chain] = max(event.order, reached.get(chain, event.order))
            yield _Item(order, event)
            for witness in event.witnesses:
                yield _Item(max(order, witness.order), event, witness)

    def _accept_some(self, pending: list[_Item]) -> bool:
        """Accept what can be accepted now; what takes away comes last, so that it does not undo its own commit."""
        before = len(pending)
        for item in list(pending):
            if not item.takes_away and self._attempt(item) is None:
                pending.remove(item)
        if len(pending) < before:
            return True
        for item in list(pending):
            if item.takes_away and self._attempt(item) is None:
                pending.remove(item)
                return True
        return False

    def _attempt(self, item: _Item) -> Refusal | None:
        if item.witness is not None:
            refusal = self._judgement.witnessed(item.event, item.witness, item.order)
        else:
            refusal = self._linked(item.event) or self._judgement.judged(item.event, item.order)
            if refusal is None:
                self._advance(item.event)
        if refusal is None:
            self._judgement.count_needed(item.order, item.at)
        return refusal

    def _advance(self, event: TrustEvent) -> None:
        self._ends[event.statement.chain] = (event.statement.sequence, event.digest)

    def _pass_over(self, item: _Item) -> None:
        """Note why `item` does not count, and go on behind it."""
        if item.witness is not None:
            refusal = self._judgement.witnessed(item.event, item.witness, item.order)
            if refusal is not None and not refusal.quiet:
                self._note(refusal, item.witness.path, item.event)
            return
        broken = self._linked(item.event)
        if broken is not None:
            self._note(broken, item.event.path, item.event)
        if broken is None or item.takes_away:
            refusal = self._judgement.judged(item.event, item.order)
            if refusal is not None:
                self._note(refusal, item.event.path, item.event)
        self._advance(item.event)

    def _note(self, refusal: Refusal, path: str, event: TrustEvent) -> None:
        known = self.state.people.get(event.person)
        subject = known.name if known else event.person
        self.findings.append(
            Finding(
                refusal.code, refusal.gravity, refusal.message, path=path, subject=subject, since=event.statement.at
            )
        )

    def _linked(self, event: TrustEvent) -> Refusal | None:
        statement = event.statement
        sequence, head = self._ends.get(statement.chain, (0, None))
        if not event.in_place:
            message = T("陈述 {path} 不在它自己所说的位置", path=event.path)
        elif statement.sequence != sequence + 1:
            message = T("陈述 {path} 之前缺少第 {number} 份陈述", path=event.path, number=sequence + 1)
        elif statement.previous != head:
            message = T("陈述 {path} 没有接在前一份陈述之后", path=event.path)
        else:
            return None
        return Refusal("person-chain-wrong", message)

    # At the end

    def _unfinished(self) -> None:
        for known in self.state.people.values():
            enrolment = known.enrolment
            if enrolment is not None and not enrolment.effective and not enrolment.closed:
                message = T(
                    "{name}的证书登记还差 {count} 位见证人，在此之前不算数",
                    name=known.name,
                    count=max(1, enrolment.needed - len(enrolment.witnesses)),
                )
                self.findings.append(
                    Finding(
                        "enrolment-open",
                        Gravity.WARNING,
                        message,
                        path=enrolment.path,
                        subject=known.name,
                        since=enrolment.at.isoformat(),
                    )
                )
            if known.counting is not None and self._under_old_root(known.counting.certificate):
                message = T("{name}的证书由已更换的根证书签发，应重新登记", name=known.name)
                self.findings.append(
                    Finding("certificate-under-old-root", Gravity.WARNING, message, path=known.path, subject=known.name)
                )
        if self.state.next_root is not None:
            path = self.state.next_root[2]
            message = T("根证书更换还差第二人签名，在此之前不算数")
            self.findings.append(Finding("authority-replacement-open", Gravity.WARNING, message, path=path))

    def _under_old_root(self, certificate: Digest) -> bool:
        root = self.state.root
        older = [known for _, known in self.state.roots if known != root]
        return root is not None and any(self._material.issued(certificate, known) for known in older)


def _founder(events: Iterable[TrustEvent]) -> tuple[str, Digest | None] | None:
    for event in events:
        statement = event.statement
        if statement.chain == AUTHORITY and statement.sequence == 1 and statement.by is not None:
            return statement.by.person, statement.certificate
    return None
