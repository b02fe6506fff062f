"""人员故事. Builds chains of people and the authority step by step, without cryptography, for tests of what counts.

Every step is one commit, a minute after the last; `loose` writes what the rules forbid just as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from controller.domain.identifiers import Digest
from controller.domain.person import PostHeld
from controller.domain.record import Signatory, Wire
from controller.domain.signature import CertificateFacts, CheckedSignature, Origin
from controller.domain.signing_rules import SigningRules
from controller.domain.statement import AUTHORITY, Event, Statement, statement_path
from controller.domain.trust import TrustHistory, trust
from controller.domain.trust_events import TrustEvent, WitnessSignature, posts_wire

BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def digest(text: str) -> Digest:
    return Digest.of(text.encode())


def held(*posts: str | PostHeld) -> tuple[PostHeld, ...]:
    return tuple(item if isinstance(item, PostHeld) else PostHeld(item, date(2026, 1, 1)) for item in posts)


@dataclass
class Story:
    """What was filed so far."""

    rules: SigningRules | list[tuple[int, SigningRules]] = field(default_factory=SigningRules)
    now: datetime = BEGIN
    order: int = 0
    events: dict[str, TrustEvent] = field(default_factory=dict)
    certificates: dict[Digest, CertificateFacts] = field(default_factory=dict)
    issuers: dict[Digest, Digest] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    posts: dict[str, tuple[PostHeld, ...]] = field(default_factory=dict)
    keys: dict[str, Digest] = field(default_factory=dict)
    """Person → the certificate that the person signs with."""
    root: Digest = field(default_factory=lambda: digest("root"))

    def __post_init__(self) -> None:
        self.new_root("root")

    def new_root(self, label: str) -> Digest:
        root = digest(label)
        self.certificates[root] = self._facts(root, "公司", "", authority=True)
        self.issuers[root] = root
        return root

    def certificate(
        self,
        person: str,
        *,
        name: str | None = None,
        serial: str | None = None,
        issuer: Digest | None = None,
        label: str = "",
        days: int = 1095,
        authority: bool = False,
    ) -> Digest:
        """Issue a certificate; a new one at every call."""
        made = digest(f"{person} {label} {len(self.certificates)}")
        facts = self._facts(made, self.names[person] if name is None else name, person if serial is None else serial)
        self.certificates[made] = replace(facts, not_after=self.now + timedelta(days=days), authority=authority)
        self.issuers[made] = issuer or self.root
        return made

    def wait(self, **span: float) -> None:
        self.now += timedelta(**span)

    def file(
        self,
        chain: str,
        event: Event,
        by: str,
        *,
        certificate: Digest | None = None,
        old: dict[str, Wire] | None = None,
        new: dict[str, Wire] | None = None,
        same_commit: bool = False,
    ) -> str:
        """File a statement signed by `by` with the key in use (or `certificate`); return its path."""
        if not same_commit:
            self.order += 1
            self.now += timedelta(minutes=1)
        before = [item for item in self.events.values() if item.statement.chain == chain]
        used = certificate or self.keys[by]
        statement = Statement(
            workspace="w",
            site="main",
            chain=chain,
            sequence=len(before) + 1,
            previous=before[-1].digest if before else None,
            event=event,
            by=Signatory(by, self.names.get(by, by), ""),
            certificate=used,
            origin=Origin("pc", "user", "s"),
            at=self.now.isoformat(timespec="seconds"),
            subject=chain.rpartition("/")[2],
            old=old or {},
            new=new or {},
        )
        path = statement_path(chain, statement.sequence) + ".json"
        signature = CheckedSignature(used, self.now, intact=True)
        self.events[path] = TrustEvent(statement, digest(repr(statement)), path, self.order, signature)
        return path

    def change(self, path: str, **changes: object) -> None:
        """Change a statement after it was signed (the chain behind it is left as it was)."""
        event = self.events[path]
        self.events[path] = replace(event, **changes)  # type: ignore[arg-type]

    def found(self, person: str, name: str, *posts: str | PostHeld) -> None:
        self.names[person], self.posts[person] = name, held(*posts)
        self.keys[person] = self.certificate(person)
        self._registered(person, by=person)
        self.file(AUTHORITY, Event.AUTHORITY_FOUNDED, person, new={"root": self.root.text}, same_commit=True)
        self.enrol(person, self.keys[person], same_commit=True)

    def register(self, person: str, name: str, *posts: str | PostHeld, by: str, same_commit: bool = False) -> str:
        self.names[person], self.posts[person] = name, held(*posts)
        return self._registered(person, by=by, same_commit=same_commit)

    def _registered(self, person: str, *, by: str, same_commit: bool = False) -> str:
        new: dict[str, Wire] = {
            "name": self.names[person],
            "posts": posts_wire(self.posts[person]),
            "identity_check": "身份证 尾号 0012",
        }
        return self.file(f"people/{person}", Event.PERSON_REGISTERED, by, new=new, same_commit=same_commit)

    def enrol(
        self,
        person: str,
        certificate: Digest | None = None,
        *,
        replaces: Digest | None = None,
        by: str | None = None,
        same_commit: bool = False,
        **more: Wire,
    ) -> str:
        made = certificate or self.certificate(person)
        new: dict[str, Wire] = {
            "certificate": made.text,
            "acknowledgement": "本人知悉",
            "replaces": replaces.text if replaces else None,
            **more,
        }
        path = self.file(
            f"people/{person}",
            Event.PERSON_ENROLLED,
            by or person,
            certificate=made,
            new=new,
            same_commit=same_commit,
        )
        self.keys[person] = made
        return path

    def witness(self, path: str, by: str, *, certificate: Digest | None = None, same_commit: bool = False) -> None:
        if not same_commit:
            self.order += 1
            self.now += timedelta(minutes=1)
        signature = CheckedSignature(certificate or self.keys[by], self.now, intact=True)
        beside = path.replace(".json", f".{by}.p7s")
        event = self.events[path]
        made = WitnessSignature(by, signature, beside, self.order)
        self.events[path] = replace(event, witnesses=(*event.witnesses, made))

    def revoke(self, person: str, certificate: Digest, *, by: str) -> str:
        return self.file(f"people/{person}", Event.PERSON_REVOKED, by, new={"certificate": certificate.text})

    def retire(self, person: str, *, by: str) -> str:
        return self.file(f"people/{person}", Event.PERSON_RETIRED, by)

    def repost(self, person: str, *posts: str | PostHeld, by: str) -> str:
        old, new = posts_wire(self.posts[person]), posts_wire(held(*posts))
        self.posts[person] = held(*posts)
        chain = f"people/{person}"
        return self.file(chain, Event.PERSON_POSTS_CHANGED, by, old={"posts": old}, new={"posts": new})

    def join(self, person: str, name: str, *posts: str, by: str, witnesses: tuple[str, ...]) -> str:
        """Register, enrol and witness in one go; return the path of the enrolment."""
        self.register(person, name, *posts, by=by)
        path = self.enrol(person)
        for other in witnesses:
            self.witness(path, other)
        return path

    def history(self) -> TrustHistory:
        return trust(
            self.events.values(),
            self.certificates,
            self.rules,
            issued=lambda certificate, issuer: self.issuers.get(certificate) == issuer,
            root=digest("root"),
        )

    def counts(self, person: str) -> bool:
        """Whether the key the person uses counts now."""
        return self.history().standing(self.keys[person], order=self.order + 1, at=self.now).trusted

    def codes(self) -> set[str]:
        return {item.code for item in self.history().findings()}

    def _facts(self, made: Digest, name: str, person: str, *, authority: bool = False) -> CertificateFacts:
        return CertificateFacts(
            digest=made,
            name=name,
            person=person,
            organisation="公司",
            serial="01",
            not_before=self.now - timedelta(days=1),
            not_after=self.now + timedelta(days=7300),
            issuer="公司",
            authority=authority,
        )


def small_company() -> Story:
    """Three people who count: 王总 (head, registrar), 林静 (quality), 何洁 (staff affairs); p001 is the first."""
    story = Story()
    story.found("p001", "王总", "general_manager")
    story.join("p002", "林静", "quality_head", by="p001", witnesses=("p001",))
    story.join("p003", "何洁", "hr_clerk", by="p001", witnesses=("p001", "p002"))
    return story
