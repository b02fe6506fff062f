"""签名人的判断. Who signed a statement or witnessed one, and whether that signature counts at that point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.certificate_standing import Standing, standing_of
from controller.domain.conformity import Finding, Gravity
from controller.domain.identifiers import Digest, InvalidIdentifierError
from controller.domain.people_state import KnownPerson, PeopleState
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from controller.domain.record import Wire
    from controller.domain.signature import CertificateFacts, CheckedSignature
    from controller.domain.signing_rules import SigningRules
    from controller.domain.trust_events import TrustEvent


@dataclass(frozen=True)
class Refusal:
    """不计的原因. Why a statement or a witness's signature changes nothing."""

    code: str
    message: Text
    gravity: Gravity = Gravity.ERROR
    quiet: bool = False
    """Told already by another finding."""


@dataclass(frozen=True)
class TrustMaterial:
    """判断所用的材料. Certificates and rules, and what cryptography says about who issued what."""

    certificates: Mapping[Digest, CertificateFacts]
    rules: Callable[[int], SigningRules]
    """Place in the order → the rules in force there."""
    issued: Callable[[Digest, Digest], bool]
    """Certificate, issuer → whether the one was really signed by the other."""
    root: Digest | None = None
    """The root with which the workspace began, where it is known from elsewhere."""
    founder: tuple[str, Digest | None] | None = None
    """Who states the founding of the authority, with which certificate."""


class SignerJudgement:
    """签名人的判断. Shared by the judgements of people and of the authority, which move one state."""

    def __init__(self, state: PeopleState, material: TrustMaterial, findings: list[Finding]) -> None:
        self.state = state
        self.material = material
        self.findings = findings

    @staticmethod
    def sound(path: str, signature: CheckedSignature | None) -> Refusal | None:
        """Return why the signature in file `path` is none, whoever made it."""
        if signature is None:
            return Refusal("person-signature-wrong", T("{path} 没有签名", path=path))
        if not signature.intact:
            return Refusal("person-signature-wrong", T("{path} 的签名与内容不符", path=path))
        return None

    @staticmethod
    def wrong(event: TrustEvent, problem: Text) -> Refusal:
        """Return the refusal of a statement that does not say what it must."""
        return Refusal("person-chain-wrong", T("{path}：{problem}", path=event.path, problem=problem))

    def standing(self, certificate: Digest | None, order: int, at: datetime) -> Standing | None:
        """Return the standing of a certificate as of now, None without one."""
        if certificate is None:
            return None
        return standing_of(self.state, self.material.certificates, certificate, order=order, at=at)

    def signer(self, event: TrustEvent, order: int) -> KnownPerson | Refusal:
        """Return who signed the statement, when the certificate counts and is that person's."""
        by, standing = event.statement.by, self.standing(event.statement.certificate, order, event.at)
        if by is None or standing is None:
            return self.wrong(event, T("没有陈述人"))
        return self.counted(event.path, standing, by.person, by.name)

    def counted(self, path: str, standing: Standing, person: str, name: str | None) -> KnownPerson | Refusal:
        """Return the holder of a certificate that counts, when that is the `person` (and `name`) stated."""
        if standing.why is not None:
            return Refusal(standing.code, T("{path}：{why}", path=path, why=standing.why))
        if standing.person != person or (name is not None and standing.name != name):
            message = T(
                "{path} 以 {stated} 的名义，却用{name}（{id}）的证书签名",
                path=path,
                stated=person,
                name=standing.name,
                id=standing.person,
            )
            return Refusal("signer-not-holder", message)
        return self.state.people[person]

    def registrar(self, event: TrustEvent, order: int) -> KnownPerson | Refusal:
        """Return who signed, when that person may register people and change posts."""
        signer = self.signer(event, order)
        if isinstance(signer, KnownPerson) and not signer.holds(self.material.rules(order).registrar_posts, event.day):
            message = T("{path}：{name}的岗位无权注册人员、更改岗位", path=event.path, name=signer.name)
            return Refusal("registrar-post-wrong", message)
        return signer


def who(event: TrustEvent, known: KnownPerson) -> dict[str, str]:
    """Return what nearly every message names."""
    return {"path": event.path, "name": known.name, "id": known.id}


def filled(value: Wire) -> bool:
    """Tell whether a value is text with something in it."""
    return isinstance(value, str) and bool(value.strip())


def digest_stated(value: Wire) -> Digest | None:
    """Return the digest that a value states, None when it states none."""
    if not isinstance(value, str):
        return None
    try:
        return Digest(value)
    except InvalidIdentifierError:
        return None
