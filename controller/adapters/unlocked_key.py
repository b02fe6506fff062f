"""已解锁的密钥. A private key in memory; implements `SigningKey`. It shows in no message, log or pickle."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NoReturn, cast

from controller.domain.identifiers import Digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.adapters.pkcs12_file import PrivateKey


class UnlockedKey:
    """已解锁的密钥. Made from the key's unencrypted PKCS#8 bytes, which are read when they are first needed."""

    def __init__(self, private: bytes, certificate: bytes, issuers: Sequence[bytes]) -> None:
        self._bytes = private
        self._certificate = certificate
        self._issuers = tuple(issuers)

    @property
    def certificate(self) -> bytes:
        """The certificate in DER."""
        return self._certificate

    @property
    def issuers(self) -> Sequence[bytes]:
        """The certificates above it in DER, the root last."""
        return self._issuers

    @cached_property
    def kind(self) -> str:
        """`ecdsa` or `rsa`."""
        from controller.adapters.pkcs12_file import key_kind

        return key_kind(self._private)

    def sign_raw(self, data: bytes) -> bytes:
        """Return the signature over the SHA-256 of `data`."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, padding

        if isinstance(self._private, ec.EllipticCurvePrivateKey):
            return self._private.sign(data, ec.ECDSA(hashes.SHA256()))
        return self._private.sign(data, padding.PKCS1v15(), hashes.SHA256())

    def unprotected(self) -> bytes:
        """Return the private key as PKCS#8 DER in the clear; only for keeping it in a sitting."""
        return self._bytes

    @cached_property
    def _private(self) -> PrivateKey:
        from cryptography.hazmat.primitives.serialization import load_der_private_key

        return cast("PrivateKey", load_der_private_key(self._bytes, None))

    def __repr__(self) -> str:
        return f"UnlockedKey({Digest.of(self._certificate)})"

    def __reduce__(self) -> NoReturn:
        raise TypeError(repr(self))
