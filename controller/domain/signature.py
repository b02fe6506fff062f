"""签名. What an electronic signature says and what checking one found (电子签名法 13; 21 CFR 11.50, 11.70).

A signature is a detached CMS beside the bytes it covers. Those bytes name the certificate, so that a signature can
neither be moved to another statement nor be exchanged for another one of the same person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from controller.domain.identifiers import Digest


@dataclass(frozen=True)
class Origin:
    """来源. Where an act came from: the machine writes it, people never type it (21 CFR 11.10 h)."""

    computer: str
    """Name of the computer."""
    account: str
    """Operating system account."""
    sitting: str
    """Id of the sitting that `qms login` opened; empty when nobody was signed in."""


@dataclass(frozen=True)
class CheckedSignature:
    """核对过的签名. What one detached CMS says, its cryptography checked against the bytes it should cover."""

    certificate: Digest
    """SHA-256 of the signer's certificate in DER."""
    signed_at: datetime
    """The CMS signing time, aware."""
    intact: bool
    """The signature is mathematically right for exactly these bytes and names its own certificate."""


@dataclass(frozen=True)
class CertificateFacts:
    """证书内容. What a certificate says about itself; whether it counts is for `domain.trust`."""

    digest: Digest
    """SHA-256 of the DER."""
    name: str
    """Common name of the holder: the full name, or the company for a root."""
    person: str
    """Person id (attribute serialNumber); empty for a root or an outside certificate."""
    organisation: str
    serial: str
    """Serial number in hexadecimal."""
    not_before: datetime
    not_after: datetime
    issuer: str
    """Common name of who issued it."""
    authority: bool
    """True when it may issue others."""


SENSITIVE_MEANINGS = frozenset({"审核", "批准", "授权", "判定", "办结", "结案", "解除停售", "销毁", "作废", "更正"})
"""Meanings for which profile `gsp-cn` asks for the passphrase again (GSP 2023 Art. 51; company default)."""


class SigningKey(Protocol):
    """签名密钥. A person's unlocked private key with its certificate; never leaves this computer."""

    @property
    def certificate(self) -> bytes:
        """The certificate in DER."""
        ...

    @property
    def issuers(self) -> Sequence[bytes]:
        """The certificates above it in DER, the root last."""
        ...

    @property
    def kind(self) -> str:
        """`ecdsa` (P-256) or `rsa` (from an outside authority)."""
        ...

    def sign_raw(self, data: bytes) -> bytes:
        """Return the signature over the SHA-256 of `data` (DER for ECDSA, PKCS#1 v1.5 for RSA)."""
        ...
