"""人员陈述的判断. Whether a statement about a person follows the rules, and what it then changes."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING

from controller.domain.certificate_standing import short
from controller.domain.conformity import Finding, Gravity
from controller.domain.people_state import MOST_WITNESSES, REMOVAL_RESTS, Enrolment, KnownPerson, Period, Removal
from controller.domain.signer_judgement import Refusal, SignerJudgement, digest_stated, filled, who
from controller.domain.text import T, Text
from controller.domain.trust_events import posts_stated, posts_wire

if TYPE_CHECKING:
    from controller.domain.identifiers import Digest
    from controller.domain.trust_events import TrustEvent


class PeopleJudgement(SignerJudgement):
    """人员陈述的判断. Each method returns why the statement does not count, or changes the state and returns None."""

    def _subject(self, event: TrustEvent) -> KnownPerson | Refusal:
        known = self.state.people.get(event.person)
        if known is None:
            return self.wrong(event, T("人员 {id} 没有注册", id=event.person))
        if known.retired:
            return Refusal("person-id-reused", T("{path}：{name}（{id}）已停用，编号不得再用", **who(event, known)))
        return known

    # People

    def registered(self, event: TrustEvent, order: int) -> Refusal | None:
        """Judge `person-registered`."""
        new, by = event.statement.new, event.statement.by
        earlier = next(
            (item for item in self.state.people.values() if item.id.casefold() == event.person.casefold()), None
        )
        if earlier is not None:
            message = T("{path}：编号 {id} 早已属于{name}，不得再用", **who(event, earlier))
            return Refusal("person-id-reused", message)
        name, posts, check = new.get("name"), posts_stated(new), new.get("identity_check")
        if not isinstance(name, str) or not name.strip() or posts is None or not filled(check):
            return self.wrong(event, T("没有写明姓名、岗位或身份核对"))
        founding = (
            not self.state.people
            and by is not None
            and self.material.founder == (event.person, event.statement.certificate)
        )
        if founding and by is not None and (by.person, by.name) == (event.person, name):
            self.state.people[event.person] = KnownPerson(event.person, name, posts, event.path)
            return None
        if by is not None and by.person == event.person:
            return Refusal("registrar-is-person", T("{path}：{name}不得为自己注册", path=event.path, name=name))
        signer = self.registrar(event, order)
        if isinstance(signer, Refusal):
            return signer
        self.state.people[event.person] = KnownPerson(event.person, name, posts, event.path)
        return None

    def enrolled(self, event: TrustEvent, order: int) -> Refusal | None:
        """Judge `person-enrolled`; it takes effect at once only where nobody is there to witness."""
        statement, known = event.statement, self._subject(event)
        if isinstance(known, Refusal):
            return known
        certificate, by = statement.certificate, statement.by
        if certificate is None or by is None or digest_stated(statement.new.get("certificate")) != certificate:
            return self.wrong(event, T("登记的证书不是签名所用的证书"))
        if (by.person, by.name) != (known.id, known.name):
            message = T("{path}：{name}的证书只能由本人登记", path=event.path, name=known.name)
            return Refusal("enrolment-not-by-person", message)
        if not filled(statement.new.get("acknowledgement")):
            return self.wrong(event, T("没有本人的责任承诺"))
        refusal = self._certificate_fits(event, known, certificate) or self._replaces_fits(event, known)
        if refusal is not None:
            return refusal
        self._close(known)
        self.state.claimed[certificate] = known.id
        known.enrolment = Enrolment(
            person=known.id,
            certificate=certificate,
            sequence=statement.sequence,
            path=event.path,
            at=event.at,
            needed=0,
            apart=False,
            replaces=digest_stated(statement.new.get("replaces")),
        )
        self.take_effect(known, known.enrolment, order, event.at)
        return None

    def _certificate_fits(self, event: TrustEvent, known: KnownPerson, certificate: Digest) -> Refusal | None:
        facts = self.material.certificates.get(certificate)
        shown = {"path": event.path, "name": known.name, "certificate": short(certificate)}
        if facts is None:
            return Refusal("certificate-missing", T("{path}：{name}的证书 {certificate} 不在档案中", **shown))
        if certificate in self.state.claimed:
            return Refusal("certificate-enrolled-twice", T("{path}：{name}的证书 {certificate} 早已登记过", **shown))
        if not facts.not_before <= event.at <= facts.not_after:
            code = "certificate-expired" if event.at > facts.not_after else "certificate-not-yet-valid"
            return Refusal(code, T("{path}：登记时{name}的证书 {certificate} 不在有效期内", **shown))
        own = self.state.root is not None and self.material.issued(certificate, self.state.root)
        if facts.authority or not (own or self._from_outside(event, certificate)):
            message = T("{path}：{name}的证书 {certificate} 不是由现行根证书或所写的外部机构签发", **shown)
            return Refusal("certificate-issuer-wrong", message)
        fits = (facts.name, facts.person) == (known.name, known.id) if own else facts.name in {"", known.name}
        if not fits:
            message = T("{path}：证书 {certificate} 写的是“{other}”，不是{name}", **shown, other=facts.name)
            return Refusal("certificate-names-other", message)
        return None

    def _from_outside(self, event: TrustEvent, certificate: Digest) -> bool:
        named = event.statement.new.get("issuers")
        issuers = [digest_stated(item) for item in named] if isinstance(named, list) else []
        return any(
            item is not None and item in self.material.certificates and self.material.issued(certificate, item)
            for item in issuers
        )

    def _replaces_fits(self, event: TrustEvent, known: KnownPerson) -> Refusal | None:
        stated = event.statement.new.get("replaces")
        replaces = digest_stated(stated)
        if known.counting is not None:
            right = replaces == known.counting.certificate
        else:
            right = stated is None or (replaces is not None and self.state.claimed.get(replaces) == known.id)
        if right:
            return None
        return Refusal("enrolment-replaces-wrong", T("{path}：没有写对它取代{name}的哪张证书", **who(event, known)))

    def take_effect(self, known: KnownPerson, enrolment: Enrolment, order: int, at: datetime) -> None:
        """Let the enrolment count when enough witnesses have signed; the older certificate ends with it."""
        if enrolment.effective or enrolment.closed:
            return
        self._count_needed(enrolment, order, at)
        if not enrolment.satisfied():
            return
        enrolment.effective = True
        self._end(known, order, at, "certificate-replaced", enrolment.path)
        known.counting = Period(known.id, enrolment.certificate, order, at, tuple(enrolment.witnesses))
        self.state.periods[enrolment.certificate] = known.counting
        self.state.removals.pop(known.id, None)
        if len(enrolment.witnesses) < MOST_WITNESSES:
            message = (
                T(
                    "{name}的证书登记时只有 {count} 位见证人（当时没有更多可以见证的人）",
                    name=known.name,
                    count=len(enrolment.witnesses),
                )
                if enrolment.witnesses
                else T("{name}的证书登记时没有见证人（当时没有更多可以见证的人）", name=known.name)
            )
            self._remark("enrolment-witness-missing", Gravity.NOTE, message, enrolment, known)
        elif len(frozenset().union(*enrolment.witnesses.values())) == 1:
            message = T("{name}的证书登记的两位见证人只有同一个岗位", name=known.name)
            self._remark("enrolment-witnesses-same-post", Gravity.NOTE, message, enrolment, known)

    def count_needed(self, order: int, at: datetime) -> None:
        """Let every open enrolment need as many witnesses as there could be by now.

        Otherwise whoever is registered while only one person counts would be vouched for by one person for ever.
        """
        for known in self.state.people.values():
            enrolment = known.enrolment
            if enrolment is not None and not enrolment.effective and not enrolment.closed:
                self._count_needed(enrolment, order, at)

    def _count_needed(self, enrolment: Enrolment, order: int, at: datetime) -> None:
        """Raise what the enrolment needs; it never needs less again, whoever leaves meanwhile."""
        posts = self.material.rules(order).witness_posts
        others = self.state.witnesses_for(enrolment.person, posts, at, self.material.certificates)
        circle = set(others) | self.state.lately_removed(enrolment.person, at)
        enrolment.needed = max(enrolment.needed, min(MOST_WITNESSES, len(circle)))
        enrolment.apart = enrolment.apart or len(frozenset().union(*others.values())) > 1

    def _close(self, known: KnownPerson) -> None:
        """Close the person's open enrolment; people should know of it, because a witness may have been taken away."""
        enrolment = known.enrolment
        if enrolment is None or enrolment.effective or enrolment.closed:
            return
        enrolment.closed = True
        message = T("{name}的证书登记从未生效：见证人不够", name=known.name)
        self._remark("enrolment-never-counted", Gravity.NOTE, message, enrolment, known)

    def _remark(self, code: str, gravity: Gravity, message: Text, enrolment: Enrolment, known: KnownPerson) -> None:
        self.findings.append(
            Finding(code, gravity, message, path=enrolment.path, subject=known.name, since=enrolment.at.isoformat())
        )

    @staticmethod
    def _end(known: KnownPerson, order: int, at: datetime, code: str, path: str) -> None:
        period = known.counting
        if period is not None:
            period.until, period.until_at, period.ended_by, period.ended_path = order, at, code, path
            known.counting = None

    def posts_changed(self, event: TrustEvent, order: int) -> Refusal | None:
        """Judge `person-posts-changed`."""
        known = self._subject(event)
        if isinstance(known, Refusal):
            return known
        if event.statement.by is not None and event.statement.by.person == known.id:
            return Refusal("registrar-is-person", T("{path}：{name}不得更改自己的岗位", **who(event, known)))
        signer = self.registrar(event, order)
        if isinstance(signer, Refusal):
            return signer
        posts = posts_stated(event.statement.new)
        if posts is None or event.statement.old.get("posts") != posts_wire(known.posts):
            return self.wrong(event, T("原岗位或新岗位没有写对"))
        was_witness = self._in_circle(known, event, order)
        known.posts = posts
        if was_witness:
            self._rest(known, signer, event, order)
        return None

    def revoked(self, event: TrustEvent, order: int) -> Refusal | None:
        """Judge `person-revoked`."""
        known = self.state.people.get(event.person)
        if known is None:
            return self.wrong(event, T("人员 {id} 没有注册", id=event.person))
        signer = self.signer(event, order)
        if isinstance(signer, Refusal):
            return signer
        if signer.id != known.id and not signer.holds(self.material.rules(order).witness_posts, event.day):
            message = T("{path}：{signer}的岗位无权吊销{name}的证书", **who(event, known), signer=signer.name)
            return Refusal("revoked-by-wrong-post", message)
        certificate = digest_stated(event.statement.new.get("certificate"))
        if certificate is None or self.state.claimed.get(certificate) != known.id:
            return self.wrong(event, T("要吊销的证书不是{name}的", name=known.name))
        was_witness = self._in_circle(known, event, order)
        if known.counting is not None and known.counting.certificate == certificate:
            self._end(known, order, event.at, "certificate-revoked", event.path)
            if was_witness and signer.id != known.id:
                self._rest(known, signer, event, order)
        if known.enrolment is not None and known.enrolment.certificate == certificate:
            self._close(known)
        return None

    def retired(self, event: TrustEvent, order: int) -> Refusal | None:
        """Judge `person-retired`."""
        known = self._subject(event)
        if isinstance(known, Refusal):
            return known
        signer = self.registrar(event, order)
        if isinstance(signer, Refusal):
            return signer
        was_witness = self._in_circle(known, event, order)
        self._end(known, order, event.at, "person-retired", event.path)
        known.retired = True
        self._close(known)
        if was_witness and signer.id != known.id:
            self._rest(known, signer, event, order)
        return None

    def _in_circle(self, known: KnownPerson, event: TrustEvent, order: int) -> bool:
        posts = self.material.rules(order).witness_posts
        return known.id in self.state.witnesses_for("", posts, event.at, self.material.certificates)

    def _rest(self, known: KnownPerson, signer: KnownPerson, event: TrustEvent, order: int) -> None:
        """Go on counting `known` for a while among those who could witness, since `signer` alone ended it."""
        ends = event.at
        posts = self.material.rules(order).witness_posts
        if known.counting is not None and known.holds(posts, event.day):
            last = known.last_day(posts, event.day)
            if last is None:
                self.state.removals.pop(known.id, None)
                return
            ends = max(ends, datetime.combine(last, time.max, tzinfo=event.at.tzinfo))
        self.state.removals[known.id] = Removal(known.id, signer.id, event.path, ends + REMOVAL_RESTS)
