"""PKCS#12 文件. Private keys under a passphrase, as `openssl pkcs12` reads them too (RFC 7292, RFC 8018).

The key is encrypted with PBES2 (PBKDF2-HMAC-SHA256, AES-256-CBC); the certificates, which are public, lie in the clear
beside it, so that a computer can tell whose keys it keeps. The seal over everything (HMAC-SHA256) derives its key in
twice as many rounds: each of them costs half as much, so that guessing by the seal is no shorter way than by the key.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from asn1crypto import cms, pkcs12
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12 as library

from controller.domain.personal_key import KeyUnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
LEAST_RSA = 2048
_MOST_ROUNDS = 20_000_000
"""More rounds than this only keep the computer busy; such a file is refused."""
_SALT = 16
_BLOCK = 64
"""Block size of SHA-256 in bytes."""
_MAC_KEY = b"\x03"
"""Purpose byte of the key derivation: message authentication (RFC 7292 B.3)."""


class UnreadablePkcs12Error(Exception):
    """读不出的 PKCS#12. The bytes are no such file, or not of the kind that is asked for."""


class WrongPassphraseError(Exception):
    """口令不符. The seal does not fit: another passphrase, or changed bytes."""


@dataclass(frozen=True)
class Pkcs12Facts:
    """不用口令就能看到的内容. Of a file that `protect` made."""

    label: str
    certificate: bytes
    """DER."""
    issuers: Sequence[bytes]
    rounds: int
    """Rounds that derive the key of the seal or of the encryption, whichever is fewer."""


def key_kind(key: object) -> str:
    """Return `ecdsa` or `rsa`; takes private and public keys.

    Raises:
        KeyUnsupportedError: it is neither P-256 nor RSA of at least 2048 bits.
    """
    if isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey):
        if isinstance(key.curve, ec.SECP256R1):
            return "ecdsa"
        raise KeyUnsupportedError(kind=key.curve.name)
    if isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey):
        if key.key_size >= LEAST_RSA:
            return "rsa"
        raise KeyUnsupportedError(kind=f"RSA {key.key_size}")
    raise KeyUnsupportedError(
        kind=type(key).__name__.removesuffix("Key").removesuffix("Public").removesuffix("Private")
    )


def protect(
    key: PrivateKey, certificate: bytes, issuers: Sequence[bytes], *, label: str, passphrase: str, rounds: int
) -> bytes:
    """Return the PKCS#12 file with `key` under `passphrase`; `label` is its readable name."""
    encryption = (
        serialization.PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(rounds)
        .key_cert_algorithm(library.PBES.PBESv2SHA256AndAES256CBC)
        .hmac_hash(hashes.SHA256())
        .build(passphrase.encode("utf-8"))
    )
    encrypted = library.serialize_key_and_certificates(label.encode("utf-8"), key, None, None, encryption)
    keys = list(pkcs12.Pfx.load(encrypted).authenticated_safe)
    bags = [
        {"bag_id": "cert_bag", "bag_value": {"cert_id": "x509", "cert_value": asn1_x509.Certificate.load(der)}}
        for der in (certificate, *issuers)
    ]
    contents = cms.ContentInfo({"content_type": "data", "content": pkcs12.SafeContents(bags).dump()})
    safe: bytes = pkcs12.AuthenticatedSafe([contents, *keys]).dump()
    salt = secrets.token_bytes(_SALT)
    seal = hmac.digest(_seal_key(passphrase, salt, 2 * rounds), safe, "sha256")
    file = pkcs12.Pfx(
        {
            "version": "v3",
            "auth_safe": {"content_type": "data", "content": safe},
            "mac_data": {
                "mac": {"digest_algorithm": {"algorithm": "sha256"}, "digest": seal},
                "mac_salt": salt,
                "iterations": 2 * rounds,
            },
        }
    )
    return cast("bytes", file.dump())


def facts(data: bytes) -> Pkcs12Facts:
    """Read what a file made by `protect` shows without its passphrase: it is whole in its structure and encrypted.

    Raises:
        UnreadablePkcs12Error: it is not such a file.
    """
    certificates: list[bytes] = []
    encrypted: list[tuple[str, int]] = []
    try:
        file = pkcs12.Pfx.load(data, strict=True)
        seal_rounds = int(file["mac_data"]["iterations"].native)
        for bag in _open_bags(file):
            if bag["bag_id"].native == "cert_bag":
                der = bytes(bag["bag_value"]["cert_value"])
                x509.load_der_x509_certificate(der)
                certificates.append(der)
            elif bag["bag_id"].native == "pkcs8_shrouded_key_bag":
                encrypted.append(_encrypted_key(bag))
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError, RecursionError) as exc:
        raise UnreadablePkcs12Error from exc
    if len(encrypted) != 1 or not certificates or not 0 < seal_rounds <= _MOST_ROUNDS:
        raise UnreadablePkcs12Error
    ((label, rounds),) = encrypted
    return Pkcs12Facts(label, certificates[0], tuple(certificates[1:]), min(rounds, seal_rounds))


def unprotect(data: bytes, passphrase: str) -> tuple[PrivateKey, bytes, tuple[bytes, ...]]:
    """Return key, certificate and issuers (nearest first) of any PKCS#12 file.

    Raises:
        UnreadablePkcs12Error: there is no key with a certificate of its own in it.
        WrongPassphraseError: the passphrase does not open it.
        KeyUnsupportedError: the key is of another kind.
    """
    _check_rounds(data)
    try:
        key, certificate, others = library.load_key_and_certificates(data, passphrase.encode("utf-8"))
    except UnsupportedAlgorithm as exc:
        raise UnreadablePkcs12Error from exc
    except (ValueError, TypeError) as exc:
        raise WrongPassphraseError from exc
    if key is None or certificate is None:
        raise UnreadablePkcs12Error
    key_kind(key)
    if _public(key) != _public(certificate):
        raise UnreadablePkcs12Error
    der = serialization.Encoding.DER
    chain = tuple(issuer.public_bytes(der) for issuer in _above(certificate, others))
    return cast("PrivateKey", key), certificate.public_bytes(der), chain


def _public(holder: Any) -> bytes:
    der, spki = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return cast("bytes", holder.public_key().public_bytes(der, spki))


def _above(certificate: x509.Certificate, others: Sequence[x509.Certificate]) -> Iterator[x509.Certificate]:
    """Yield the issuers of `certificate` among `others`, upwards, each proven by its signature."""
    left = list(others)
    below = certificate
    while (found := next((other for other in left if _issued(below, other)), None)) is not None:
        left.remove(found)
        yield found
        below = found


def _issued(below: x509.Certificate, issuer: x509.Certificate) -> bool:
    if below == issuer:
        return False
    try:
        below.verify_directly_issued_by(issuer)
    except Exception:  # noqa: BLE001 - a foreign certificate may fail in any way; then it is not the issuer
        return False
    return True


def _open_bags(file: Any) -> Iterator[Any]:
    for content in file.authenticated_safe:
        if content["content_type"].native == "data":
            yield from pkcs12.SafeContents.load(content["content"].native, strict=True)


def _encrypted_key(bag: Any) -> tuple[str, int]:
    """Return label and rounds of a key bag; raises `ValueError` when it is not encrypted as it should be."""
    algorithm = bag["bag_value"]["encryption_algorithm"]
    if algorithm["algorithm"].native != "pbes2" or algorithm.encryption_cipher != "aes":
        raise ValueError
    rounds = int(algorithm.kdf_iterations)
    if algorithm.kdf_hmac != "sha256" or not 0 < rounds <= _MOST_ROUNDS:
        raise ValueError
    names = [
        attribute["values"][0].native
        for attribute in bag["bag_attributes"]
        if attribute["type"].native == "friendly_name"
    ]
    return str(names[0]), rounds


def _check_rounds(data: bytes) -> None:
    """Look, before any key is derived, at how much work an unknown file asks for."""
    try:
        file = pkcs12.Pfx.load(data, strict=True)
        asked = [int(file["mac_data"]["iterations"].native or 0)]
        asked += [
            _rounds(content["content"]["encrypted_content_info"]["content_encryption_algorithm"])
            for content in file.authenticated_safe
            if content["content_type"].native == "encrypted_data"
        ]
        asked += [
            _rounds(bag["bag_value"]["encryption_algorithm"])
            for bag in _open_bags(file)
            if bag["bag_id"].native == "pkcs8_shrouded_key_bag"
        ]
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError, RecursionError) as exc:
        raise UnreadablePkcs12Error from exc
    if max(asked) > _MOST_ROUNDS:
        raise UnreadablePkcs12Error


def _rounds(algorithm: Any) -> int:
    return int(algorithm.kdf_iterations)


def _seal_key(passphrase: str, salt: bytes, rounds: int) -> bytes:
    """Derive the key of the seal as RFC 7292 B.2 says, for SHA-256, whose output is as long as the key."""
    password = passphrase.encode("utf-16-be") + b"\0\0"
    block = hashlib.sha256(_MAC_KEY * _BLOCK + _filled(salt) + _filled(password)).digest()
    sha256 = hashlib.sha256
    for _ in range(rounds - 1):
        block = sha256(block).digest()
    return block


def _filled(text: bytes) -> bytes:
    """Repeat `text` to a whole number of blocks."""
    size = -(-len(text) // _BLOCK) * _BLOCK
    return (text * (size // len(text) + 1))[:size]
