"""用密钥签名. Signs with an unlocked key and asks nobody: founding, a new certificate, samples, what was asked already.

Who signs in and is asked again before a signature: `signing_in`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller.domain.identifiers import Digest
from controller.file_formats.signature_file import detached_signature

if TYPE_CHECKING:
    from datetime import datetime

    from controller.domain.record import Signatory
    from controller.domain.signature import Origin, SigningKey


@dataclass
class KeySigner:
    """用密钥签名的人. Implements `Signer` for whoever gave the passphrase a moment ago."""

    signatory: Signatory
    origin: Origin
    key: SigningKey = field(repr=False)

    @property
    def certificate(self) -> Digest:
        """SHA-256 of the person's certificate."""
        return Digest.of(self.key.certificate)

    def ready(self, meaning: str) -> None:
        """Nothing to ask."""

    def sign(self, data: bytes, *, at: datetime) -> bytes:
        """Return the detached CMS over `data`."""
        return detached_signature(data, at=at, key=self.key)
