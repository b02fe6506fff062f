"""创立. What the archive of a new workspace begins with: the root, the first people, the library (docs/signatures.md).

Everybody is registered and enrolled in one go, each witnessed by those who came before, as it would happen at the first
meeting around one computer. Each person's statements are one commit, so that their order is the archive's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller.domain.errors import RefusedError
from controller.domain.identifiers import Digest
from controller.domain.statement import AUTHORITY, TRAIL, Event, Statement, statement_path
from controller.domain.text import T
from controller.domain.trust_events import posts_wire
from controller.file_formats.canonical_json import encode
from controller.file_formats.certificate_file import to_pem
from controller.file_formats.signature_file import detached_signature
from controller.file_formats.statement_file import encode_statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from controller.domain.person import Person, Staff
    from controller.domain.record import Signatory, Wire
    from controller.domain.signature import Origin, SigningKey
    from controller.domain.signing_rules import SigningRules
    from controller.services.signing_ports import AuthorityKey, PersonalKeys

AUTHORITY_PASSPHRASE = "authority"  # noqa: S105 - the name under which it is given, not a passphrase
WITNESSES = 2
"""Witnesses of an enrolment, as soon as there are so many (21 CFR 11.200 a 3)."""
ACKNOWLEDGEMENT = T(
    "本人知悉并同意：以本人签名密钥所作的电子签名与手写签名具有同等效力，本人对其后果负责；"
    "本人的签名口令不告诉任何人，也不让他人代签；口令或密钥泄露、遗失时立即报告并停止使用。"
)
"""What everybody states at enrolment (21 CFR 11.10 j; 电子签名法 14, 15)."""


class FounderPostError(RefusedError):
    """第一位人员岗位不符. Who founds the company must be able to register everybody else."""

    code = "founder-post-wrong"

    def __init__(self, *, name: str, posts: Sequence[str]) -> None:
        super().__init__(
            T("{name}的岗位不能为别人登记，所以不能是第一位人员。", name=name),
            hint=T("第一位人员须任以下岗位之一：{posts}。", posts=list(posts)),
        )


class InactiveFounderError(RefusedError):
    """建立工作区时有停用的人员. Nobody's account can end before the workspace begins."""

    code = "founder-inactive"

    def __init__(self, *, names: Sequence[str]) -> None:
        super().__init__(
            T("人员文件中的{names}写为已停用；新的工作区只能有在册人员，没有建立任何内容。", names=list(names)),
            hint=T("从人员文件中去掉他们；以后离职的用 qms person retire 停用。"),
        )


def check_all_active(staff: Staff) -> None:
    """Refuse to found a company with people who have left already.

    Raises:
        InactiveFounderError: there are such.
    """
    gone = [person.name for person in staff.people.values() if not person.active]
    if gone:
        raise InactiveFounderError(names=gone)


@dataclass(frozen=True)
class Founder:
    """创立时的人员. A person of the people file, the passphrase of the new key, and how identity was checked."""

    person: Person
    passphrase: str = field(repr=False)
    identity_check: str


@dataclass(frozen=True)
class Founding:
    """创立. What the archive begins with, commit by commit, and the keys that were made."""

    begin: Sequence[Mapping[str, bytes]]
    root: bytes
    """DER of the root certificate."""
    keys: Mapping[str, SigningKey] = field(repr=False)
    """Person id → unlocked key."""


class CompanyFounding:
    """企业创立. Makes authority, keys, certificates and first statements of one new workspace."""

    def __init__(
        self,
        *,
        workspace: str,
        site: str,
        prefix: str,
        company: str,
        staff: Staff,
        keys: PersonalKeys,
        authority: AuthorityKey,
        rules: SigningRules,
        origin: Origin,
    ) -> None:
        self._workspace = workspace
        self._site = site
        self._prefix = prefix
        self._company = company
        self._staff = staff
        self._keys = keys
        self._authority = authority
        self._rules = rules
        self._origin = origin
        self._made: dict[str, SigningKey] = {}

    def found(
        self,
        founders: Sequence[Founder],
        *,
        authority_passphrase: str,
        at: datetime,
        kept_at: datetime,
        library: Mapping[str, bytes],
        root_years: int = 20,
    ) -> Founding:
        """Return the beginning of the archive; `library` is every file of the first commit of `main`.

        `kept_at` is when the passphrases were set on this computer; it decides about their age.

        `library` gets the root certificate as `signatures/ca/ca.pem` from the caller before it is digested here.
        """
        first = founders[0].person
        if not set(self._rules.registrar_posts) & set(first.posts):
            names = {key: self._staff.posts[key].name for key in self._staff.posts}
            raise FounderPostError(name=first.name, posts=[names.get(key, key) for key in self._rules.registrar_posts])
        root = self._authority.found(
            company=self._company, workspace=self._workspace, passphrase=authority_passphrase, at=at, years=root_years
        )
        digest = Digest.of(root)
        site_file = encode(
            {
                "format": "wenkong/site/1",
                "workspace": self._workspace,
                "site": self._site,
                "prefix": self._prefix,
                "root": digest.text,
            }
        )
        begin: list[dict[str, bytes]] = [{"site.json": site_file, f"certificates/{digest.hex}.pem": to_pem(root)}]
        witnesses: list[Person] = []
        for founder in founders:
            begin.append(self._person(founder, root, witnesses, authority_passphrase, at, kept_at))
            if set(founder.person.posts) & set(self._rules.witness_posts):
                witnesses.append(founder.person)
        library = {**library, "signatures/ca/ca.pem": to_pem(root)}
        opened = self._statement(
            TRAIL,
            1,
            None,
            Event.SITE_OPENED,
            first,
            at,
            subject=self._site,
            meaning="批准",
            files={path: Digest.of(data) for path, data in library.items()},
        )
        begin.append(self._signed(opened, first, at))
        return Founding(begin, root, dict(self._made))

    def _person(
        self,
        founder: Founder,
        root: bytes,
        witnesses: Sequence[Person],
        authority_passphrase: str,
        at: datetime,
        kept_at: datetime,
    ) -> dict[str, bytes]:
        person = founder.person

        def issue(public_key: bytes) -> Sequence[bytes]:
            return self._authority.issue(
                public_key,
                person=person.id,
                name=person.name,
                company=self._company,
                workspace=self._workspace,
                passphrase=authority_passphrase,
                at=at,
                years=self._rules.certificate_years,
            )

        key = self._keys.make(person.id, passphrase=founder.passphrase, issue=issue, at=kept_at)
        self._made[person.id] = key
        registrar = next((item for item in self._registrars() if item != person.id), person.id)
        by = self._staff.people[registrar]
        chain = f"people/{person.id}"
        posts = posts_wire(person.held)
        registered = self._statement(
            chain,
            1,
            None,
            Event.PERSON_REGISTERED,
            by,
            at,
            subject=person.id,
            new={"name": person.name, "posts": posts, "identity_check": founder.identity_check},
        )
        before = encode_statement(registered)
        enrolled = self._statement(
            chain,
            2,
            Digest.of(before),
            Event.PERSON_ENROLLED,
            person,
            at,
            subject=person.id,
            reason="建立工作区",
            new={
                "certificate": Digest.of(key.certificate).text,
                "acknowledgement": ACKNOWLEDGEMENT.template,
                "replaces": None,
            },
        )
        files = self._signed(registered, by, at) | self._signed(enrolled, person, at)
        for witness in self._chosen(witnesses):
            path = statement_path(chain, 2)
            signature = detached_signature(encode_statement(enrolled), at=at, key=self._made[witness.id])
            files[f"{path}.{witness.id}.p7s"] = signature
        certificate = Digest.of(key.certificate)
        files[f"certificates/{certificate.hex}.pem"] = to_pem(key.certificate)
        if len(self._made) == 1:
            founded = self._statement(
                AUTHORITY,
                1,
                None,
                Event.AUTHORITY_FOUNDED,
                person,
                at,
                subject=self._company,
                new={"root": Digest.of(root).text},
            )
            files |= self._signed(founded, person, at)
        return files

    def _registrars(self) -> list[str]:
        """Return who is enrolled already and may register others."""
        allowed = set(self._rules.registrar_posts)
        return [person for person in self._made if allowed & set(self._staff.people[person].posts)]

    def _chosen(self, witnesses: Sequence[Person]) -> list[Person]:
        """Return two witnesses who do not hold only the same post, fewer while there are not so many."""
        if len(witnesses) < WITNESSES:
            return list(witnesses)
        first = witnesses[0]
        other = next((item for item in witnesses[1:] if set(item.posts) != set(first.posts)), witnesses[1])
        return [first, other]

    def _statement(
        self,
        chain: str,
        sequence: int,
        previous: Digest | None,
        event: Event,
        by: Person,
        at: datetime,
        *,
        subject: str,
        meaning: str = "",
        reason: str | None = None,
        new: Mapping[str, Wire] | None = None,
        files: Mapping[str, Digest] | None = None,
    ) -> Statement:
        return Statement(
            workspace=self._workspace,
            site=self._site,
            chain=chain,
            sequence=sequence,
            previous=previous,
            event=event,
            by=self._signatory(by),
            certificate=Digest.of(self._made[by.id].certificate),
            origin=self._origin,
            at=at.isoformat(timespec="seconds"),
            subject=subject,
            meaning=meaning,
            reason=reason,
            new=new or {},
            files=files or {},
        )

    def _signatory(self, person: Person) -> Signatory:
        return self._staff.signatory(person)

    def _signed(self, statement: Statement, by: Person, at: datetime) -> dict[str, bytes]:
        data = encode_statement(statement)
        path = statement_path(statement.chain, statement.sequence)
        return {f"{path}.json": data, f"{path}.p7s": detached_signature(data, at=at, key=self._made[by.id])}
