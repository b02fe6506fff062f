"""创立. What the archive of a new workspace begins with: the root, the first people, the library (docs/signatures.md).

Everybody is registered and enrolled in one go, each witnessed by those who came before, as it would happen at the first
meeting around one computer. Each person's statements are one commit, so that their order is the archive's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller.domain.errors import RefusedError
from controller.domain.identifiers import Digest
from controller.domain.people_statement import enrolled_wire, registered_wire
from controller.domain.statement import AUTHORITY, TRAIL, Event
from controller.domain.text import T
from controller.file_formats.canonical_json import encode
from controller.file_formats.certificate_file import to_pem
from controller.services.authority_control import ROOT_YEARS
from controller.services.key_signing import KeySigner
from controller.services.library_check import ROOT_FILE
from controller.services.people_standing import SITE_FILE, certificate_path
from controller.services.statement_filing import StatementDraft, make_statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from controller.domain.person import Person, Staff
    from controller.domain.signature import Origin, SigningKey
    from controller.domain.signing_rules import SigningRules
    from controller.services.signing_ports import AuthorityKey, PersonalKeys, Signer
    from controller.services.statement_filing import MadeStatement
    from controller.services.workspace_identity import WorkspaceIdentity

WITNESSES = 2
"""Witnesses of an enrolment, as soon as there are so many (21 CFR 11.200 a 3)."""


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
    library: Mapping[str, bytes]
    """Every file of the first commit of `main`, the root certificate among them."""
    keys: Mapping[str, SigningKey] = field(repr=False)
    """Person id → unlocked key."""


class CompanyFounding:
    """企业创立. Makes authority, keys, certificates and first statements of one new workspace."""

    def __init__(
        self,
        *,
        identity: WorkspaceIdentity,
        prefix: str,
        staff: Staff,
        keys: PersonalKeys,
        authority: AuthorityKey,
        rules: SigningRules,
        origin: Origin,
    ) -> None:
        self._identity = identity
        self._prefix = prefix
        self._staff = staff
        self._keys = keys
        self._authority = authority
        self._rules = rules
        self._origin = origin
        self._signers: dict[str, Signer] = {}

    def found(
        self,
        founders: Sequence[Founder],
        *,
        authority_passphrase: str,
        at: datetime,
        kept_at: datetime,
        library: Mapping[str, bytes],
    ) -> Founding:
        """Return the beginning of the archive; `library` is every file of the first commit of `main` but the root.

        `founders` are everybody in the list of people, in its order; the first founds the company. `kept_at` is when
        the passphrases were set on this computer; it decides about their age.

        Raises:
            FounderPostError: the first may not register the others.
        """
        first = founders[0].person
        if not set(self._rules.registrar_posts) & set(first.posts):
            names = {key: self._staff.posts[key].name for key in self._staff.posts}
            raise FounderPostError(name=first.name, posts=[names.get(key, key) for key in self._rules.registrar_posts])
        root = self._authority.found(
            company=self._identity.company,
            workspace=self._identity.id,
            passphrase=authority_passphrase,
            at=at,
            years=ROOT_YEARS,
        )
        digest = Digest.of(root)
        site_file = encode(
            {
                "format": "wenkong/site/1",
                "workspace": self._identity.id,
                "site": self._identity.site,
                "prefix": self._prefix,
                "root": digest.text,
            }
        )
        begin: list[Mapping[str, bytes]] = [{SITE_FILE: site_file, certificate_path(digest): to_pem(root)}]
        witnesses: list[Person] = []
        for founder in founders:
            begin.append(self._person(founder, root, witnesses, authority_passphrase, at, kept_at))
            if set(founder.person.posts) & set(self._rules.witness_posts):
                witnesses.append(founder.person)
        library = {**library, ROOT_FILE: to_pem(root)}
        opened = StatementDraft(
            TRAIL,
            Event.SITE_OPENED,
            subject=self._identity.site,
            meaning="批准",
            files={path: Digest.of(data) for path, data in library.items()},
        )
        begin.append(self._stated(opened, self._signers[first.id], at).files)
        return Founding(begin, library, {person: signer.key for person, signer in self._signers.items()})

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
                company=self._identity.company,
                workspace=self._identity.id,
                passphrase=authority_passphrase,
                at=at,
                years=self._rules.certificate_years,
            )

        key = self._keys.make(person.id, passphrase=founder.passphrase, issue=issue, at=kept_at)
        signer = KeySigner(self._staff.signatory(person), self._origin, key)
        self._signers[person.id] = signer
        registrar = next((item for item in self._registrars() if item != person.id), person.id)
        chain = f"people/{person.id}"
        said = registered_wire(person, identity_check=founder.identity_check)
        draft = StatementDraft(chain, Event.PERSON_REGISTERED, subject=person.id, new=said)
        registered = self._stated(draft, self._signers[registrar], at)
        said = enrolled_wire(signer.certificate, replaces=None)
        draft = StatementDraft(chain, Event.PERSON_ENROLLED, subject=person.id, reason="建立工作区", new=said)
        enrolled = self._stated(draft, signer, at, after=registered)
        files = {**registered.files, **enrolled.files, certificate_path(signer.certificate): to_pem(key.certificate)}
        for witness in self._chosen(witnesses):
            files[f"{enrolled.path}.{witness.id}.p7s"] = self._signers[witness.id].sign(enrolled.data, at=at)
        if len(self._signers) == 1:
            said = {"root": Digest.of(root).text}
            draft = StatementDraft(AUTHORITY, Event.AUTHORITY_FOUNDED, subject=self._identity.company, new=said)
            files.update(self._stated(draft, signer, at).files)
        return files

    def _registrars(self) -> list[str]:
        """Return who is enrolled already and may register others."""
        allowed = set(self._rules.registrar_posts)
        return [person for person in self._signers if allowed & set(self._staff.people[person].posts)]

    def _chosen(self, witnesses: Sequence[Person]) -> list[Person]:
        """Return two witnesses who do not hold only the same post, fewer while there are not so many."""
        if len(witnesses) < WITNESSES:
            return list(witnesses)
        first = witnesses[0]
        other = next((item for item in witnesses[1:] if set(item.posts) != set(first.posts)), witnesses[1])
        return [first, other]

    def _stated(
        self, draft: StatementDraft, signer: Signer, at: datetime, *, after: MadeStatement | None = None
    ) -> MadeStatement:
        end = (after.statement.sequence, after.digest) if after is not None else (0, None)
        return make_statement(self._identity, draft, signer, at=at, origin=self._origin, after=end)
