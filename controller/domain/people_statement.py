"""人员陈述的内容. What is stated when a person is registered and a certificate is enrolled (docs/signatures.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.text import T
from controller.domain.trust_events import posts_wire

if TYPE_CHECKING:
    from controller.domain.identifiers import Digest
    from controller.domain.person import Person
    from controller.domain.record import Wire

ACKNOWLEDGEMENT = T(
    "本人知悉并同意：以本人签名密钥所作的电子签名与手写签名具有同等效力，本人对其后果负责；"
    "本人的签名口令不告诉任何人，也不让他人代签；口令或密钥泄露、遗失时立即报告并停止使用。"
)
"""What everybody states at enrolment (21 CFR 11.10 j; 电子签名法 14, 15)."""


def registered_wire(person: Person, *, identity_check: str) -> dict[str, Wire]:
    """Return what is stated of a new person; `identity_check` says how identity was checked."""
    return {"name": person.name, "posts": posts_wire(person.held), "identity_check": identity_check}


def enrolled_wire(certificate: Digest, *, replaces: Digest | None) -> dict[str, Wire]:
    """Return what a person states of the own new certificate and of that which counted before."""
    return {
        "certificate": certificate.text,
        "acknowledgement": ACKNOWLEDGEMENT.template,
        "replaces": replaces.text if replaces else None,
    }
