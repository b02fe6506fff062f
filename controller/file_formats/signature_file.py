"""签名文件. A detached signature: CMS SignedData beside the bytes it covers (`docs/signatures.md`; 21 CFR 11.70).

`openssl cms -verify -binary -inform DER -in x.p7s -content x.json -CAfile root.pem -purpose any -attime <seconds>`
checks what is written here. One shape is written and read: DER, version 1, SHA-256, one signer, ECDSA P-256 or RSA, and
four signed attributes. Signing-certificate-v2 names the signer's certificate and then every other one in the file, so
that nothing in the file can be exchanged. Who the signer is and whether the certificate counts is for others to say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING

from controller.domain.errors import DamagedError, MisconfiguredError
from controller.domain.identifiers import Digest
from controller.domain.signature import CheckedSignature
from controller.domain.text import T, Text
from controller.file_formats.certificate_file import CertificateDamagedError, CertificateKey, certificate_key
from controller.file_formats.der import (
    CONTEXT_0,
    CONTEXT_4,
    GENERALIZED_TIME,
    INTEGER,
    NULL,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    SET,
    UTC_TIME,
    DerReader,
    NotDerError,
    encoded,
    object_identifier,
    set_of,
)

if TYPE_CHECKING:
    from controller.domain.signature import SigningKey

LARGEST = 64 * 1024
"""Bytes that a signature file may have at most."""
_MOST_CERTIFICATES = 10
_CACHED = 512

_SIGNED_DATA = object_identifier("1.2.840.113549.1.7.2")
_DATA = object_identifier("1.2.840.113549.1.7.1")
_CONTENT_TYPE = object_identifier("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST = object_identifier("1.2.840.113549.1.9.4")
_SIGNING_TIME = object_identifier("1.2.840.113549.1.9.5")
_SIGNING_CERTIFICATE_V2 = object_identifier("1.2.840.113549.1.9.16.2.47")
_ATTRIBUTES = frozenset({_CONTENT_TYPE, _MESSAGE_DIGEST, _SIGNING_TIME, _SIGNING_CERTIFICATE_V2})

_VERSION_1 = encoded(INTEGER, b"\x01")
_SHA256 = encoded(SEQUENCE, object_identifier("2.16.840.1.101.3.4.2.1"))
_DETACHED = encoded(SEQUENCE, _DATA)
_ECDSA = encoded(SEQUENCE, object_identifier("1.2.840.10045.4.3.2"))
_RSA = encoded(SEQUENCE, object_identifier("1.2.840.113549.1.1.1"), encoded(NULL))
_RSA_SHA256 = encoded(SEQUENCE, object_identifier("1.2.840.113549.1.1.11"), encoded(NULL))
_ALGORITHMS = {_ECDSA: "ecdsa", _RSA: "rsa", _RSA_SHA256: "rsa"}
_CONTENT_TYPE_ATTRIBUTE = encoded(SEQUENCE, _CONTENT_TYPE, encoded(SET, _DATA))
_FIRST_UTC_YEAR, _FIRST_GENERALIZED_YEAR = 1950, 2050
_UTC_MOMENT, _GENERALIZED_MOMENT = re.compile(rb"[0-9]{12}Z"), re.compile(rb"[0-9]{14}Z")


class SignatureDamagedError(DamagedError):
    """签名损坏. The bytes are not a detached signature of the one shape that is written here."""

    code = "signature-damaged"

    def __init__(self, *, problem: Text, where: str | None = None) -> None:
        super().__init__(
            T("签名文件无法读取：{problem}。", problem=problem),
            hint=T("签名归档后不会改变；请用备份核对，并运行 qms verify 查看影响范围。"),
            where=where,
        )


class KeyNotOfCertificateError(MisconfiguredError):
    """密钥与证书不配. The key does not belong to the certificate it came with; nothing was signed."""

    code = "key-not-of-certificate"

    def __init__(self) -> None:
        super().__init__(
            T("签名密钥与证书不是一对，没有签名。"),
            hint=T("密钥文件可能损坏；请恢复密钥备份，或办理新证书。"),
        )


@dataclass(frozen=True)
class _Embedded:
    """The certificates of one signature file, each with its digest."""

    certificates: tuple[tuple[bytes, bytes, CertificateKey | None], ...]
    """DER, SHA-256, and the key where it is one that can sign here."""


@dataclass(frozen=True)
class _Parts:
    """What a signature file holds, taken apart but not yet checked."""

    embedded: _Embedded
    signer: tuple[bytes, bytes, CertificateKey]
    signed: bytes
    """The signed attributes as they are signed: a DER SET OF."""
    digest: bytes
    at: datetime
    named: tuple[bytes, ...]
    """The certificates that signing-certificate-v2 names, by SHA-256, the signer's first."""
    kind: str
    signature: bytes


def detached_signature(data: bytes, *, at: datetime, key: SigningKey) -> bytes:
    """Return the CMS by `key` over `data` with signing time `at` (aware, cut to seconds).

    Raises:
        KeyNotOfCertificateError: the key does not fit its certificate.
        CertificateDamagedError: a certificate that comes with the key cannot be read.
    """
    if at.tzinfo is None:
        message = "signing time without zone"
        raise ValueError(message)
    fixed = _fixed_parts(bytes(key.certificate), tuple(key.issuers), key.kind)
    attributes = [
        _CONTENT_TYPE_ATTRIBUTE,
        encoded(SEQUENCE, _MESSAGE_DIGEST, encoded(SET, encoded(OCTET_STRING, sha256(data).digest()))),
        encoded(SEQUENCE, _SIGNING_TIME, encoded(SET, _encoded_moment(at))),
        fixed.naming,
    ]
    signed = set_of(SET, attributes)
    signature = key.sign_raw(signed)
    if not _holds(fixed.key, key.kind, signature, signed):
        raise KeyNotOfCertificateError
    return encoded(
        SEQUENCE,
        _SIGNED_DATA,
        encoded(
            CONTEXT_0,
            encoded(
                SEQUENCE,
                fixed.head,
                encoded(
                    SET,
                    encoded(
                        SEQUENCE,
                        fixed.signer,
                        bytes((CONTEXT_0,)),
                        signed[1:],
                        fixed.algorithm,
                        encoded(OCTET_STRING, signature),
                    ),
                ),
            ),
        ),
    )


def check_signature(p7s: bytes, data: bytes, *, where: str | None = None) -> CheckedSignature:
    """Return who signed `data` when, and whether the signature is right for exactly these bytes.

    Raises:
        SignatureDamagedError: the bytes are not a detached signature of the shape written here.
    """
    parts = _taken_apart(p7s, where)
    certificate, digest, key = parts.signer
    intact = (
        parts.digest == sha256(data).digest()
        and parts.named[0] == digest
        and sorted(parts.named) == sorted(each for _, each, _ in parts.embedded.certificates)
        and _holds(key, parts.kind, parts.signature, parts.signed)
    )
    return CheckedSignature(certificate=_digest(certificate), signed_at=parts.at, intact=intact)


def certificates_in(p7s: bytes, *, where: str | None = None) -> list[bytes]:
    """Return the certificates in the file (DER), the signer's first, then in the order the signature names them.

    Raises:
        SignatureDamagedError: the bytes are not a detached signature of the shape written here.
    """
    parts = _taken_apart(p7s, where)
    place = {digest: index for index, digest in enumerate(parts.named, 1)} | {parts.signer[1]: 0}
    last = len(place) + 1
    ordered = sorted(parts.embedded.certificates, key=lambda item: place.get(item[1], last))
    return [certificate for certificate, _, _ in ordered]


@dataclass(frozen=True)
class _Fixed:
    """What is the same in every signature by one key."""

    key: CertificateKey
    head: bytes
    signer: bytes
    naming: bytes
    algorithm: bytes


@lru_cache(_CACHED)
def _fixed_parts(certificate: bytes, issuers: tuple[bytes, ...], kind: str) -> _Fixed:
    embedded = list(dict.fromkeys((certificate, *issuers)))
    try:
        key = certificate_key(certificate)
    except NotDerError as exc:
        raise CertificateDamagedError(problem=exc.problem) from exc
    named = [encoded(SEQUENCE, encoded(OCTET_STRING, sha256(each).digest())) for each in embedded]
    certificates = set_of(CONTEXT_0, embedded)
    return _Fixed(
        key=key,
        head=_VERSION_1 + encoded(SET, _SHA256) + _DETACHED + certificates,
        signer=_VERSION_1 + encoded(SEQUENCE, key.issuer, key.serial) + _SHA256,
        naming=encoded(SEQUENCE, _SIGNING_CERTIFICATE_V2, encoded(SET, encoded(SEQUENCE, encoded(SEQUENCE, *named)))),
        algorithm=_RSA if kind == "rsa" else _ECDSA,
    )


def _holds(key: CertificateKey, kind: str, signature: bytes, signed: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, padding
    from cryptography.hazmat.primitives.hashes import SHA256

    public = key.public
    try:
        if isinstance(public, ec.EllipticCurvePublicKey):
            if kind != "ecdsa":
                return False
            public.verify(signature, signed, ec.ECDSA(SHA256()))
        else:
            if kind != "rsa":
                return False
            public.verify(signature, signed, padding.PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def _taken_apart(p7s: bytes, where: str | None) -> _Parts:
    if len(p7s) > LARGEST:
        raise SignatureDamagedError(problem=T("文件过大"), where=where)
    try:
        return _parts(p7s)
    except NotDerError as exc:
        raise SignatureDamagedError(problem=exc.problem, where=where) from exc


def _parts(p7s: bytes) -> _Parts:
    outer = DerReader(p7s).only(SEQUENCE)
    outer.fixed(_SIGNED_DATA, T("不是 CMS 签名（SignedData）"))
    whole = outer.only(CONTEXT_0).only(SEQUENCE)
    whole.fixed(_VERSION_1, T("CMS 版本不是 1"))
    whole.fixed(encoded(SET, _SHA256), T("摘要算法不是 SHA-256"))
    whole.fixed(_DETACHED, T("不是与原文分开的签名"))
    embedded = _embedded(whole.content(CONTEXT_0))
    signer = whole.only(SET).only(SEQUENCE, T("签名人多于一个"))
    signer.fixed(_VERSION_1, T("签名人写法不是颁发者加序列号"))
    identity = signer.content(SEQUENCE)
    signer.fixed(_SHA256, T("摘要算法不是 SHA-256"))
    signed = bytes((SET,)) + signer.whole(CONTEXT_0)[1:]
    kind = _ALGORITHMS.get(signer.whole(SEQUENCE))
    if kind is None:
        raise NotDerError(T("签名算法不支持"))
    signature = signer.content(OCTET_STRING)
    signer.done(T("含有未经签名的属性"))
    values = _attributes(signed)
    if values[_CONTENT_TYPE] != _DATA:
        raise NotDerError(T("签名属性 content-type 不是 data"))
    found = _signer(embedded, identity)
    return _Parts(
        embedded=embedded,
        signer=found,
        signed=signed,
        digest=_only(values[_MESSAGE_DIGEST], OCTET_STRING),
        at=_moment(values[_SIGNING_TIME]),
        named=_named(values[_SIGNING_CERTIFICATE_V2], found[2]),
        kind=kind,
        signature=signature,
    )


@lru_cache(_CACHED)
def _embedded(content: bytes) -> _Embedded:
    """Take apart the certificates of a file; most files of an archive hold the same few."""
    found = DerReader(content).elements()
    if not found or len(found) > _MOST_CERTIFICATES or any(b <= a for a, b in pairwise(found)):
        raise NotDerError(T("所附证书缺失、过多、重复或次序不对"))
    certificates = []
    for certificate in found:
        try:
            key: CertificateKey | None = certificate_key(certificate)
        except NotDerError:
            key = None  # an issuer may have any key; a signer without a usable one is refused where it is looked for
        certificates.append((certificate, sha256(certificate).digest(), key))
    return _Embedded(tuple(certificates))


def _signer(embedded: _Embedded, identity: bytes) -> tuple[bytes, bytes, CertificateKey]:
    matching = [
        (certificate, digest, key)
        for certificate, digest, key in embedded.certificates
        if key is not None and key.issuer + key.serial == identity
    ]
    if len(matching) != 1:
        raise NotDerError(T("其中没有签名人的证书，或其公钥不能使用"))
    return matching[0]


def _attributes(signed: bytes) -> dict[bytes, bytes]:
    """Return the one value of each signed attribute; exactly the four that are written here."""
    found: dict[bytes, bytes] = {}
    reader = DerReader(signed).only(SET)
    before = b""
    while reader.more():
        attribute = reader.whole(SEQUENCE)
        if attribute <= before:
            raise NotDerError(T("签名属性重复或次序不对"))
        before = attribute
        inner = DerReader(attribute).only(SEQUENCE)
        name = inner.whole(OBJECT_IDENTIFIER)
        if name not in _ATTRIBUTES or name in found:
            raise NotDerError(T("签名属性重复或不认识"))
        values = inner.only(SET)
        found[name] = values.whole(values.tag())
        values.done()
    if found.keys() != _ATTRIBUTES:
        raise NotDerError(T("缺少签名属性"))
    return found


def _named(value: bytes, key: CertificateKey) -> tuple[bytes, ...]:
    """Return the digests in signing-certificate-v2; issuer and serial, where given, must be the signer's."""
    named = []
    reader = DerReader(value).only(SEQUENCE).only(SEQUENCE)
    while reader.more():
        item = reader.inside(SEQUENCE)
        named.append(item.content(OCTET_STRING))
        if item.more() and len(named) == 1:
            name = encoded(SEQUENCE, encoded(CONTEXT_4, key.issuer))
            item.fixed(encoded(SEQUENCE, name, key.serial), T("签名属性中的证书不是签名人的证书"))
        item.done()
    if not named:
        raise NotDerError(T("签名属性中没有签名人的证书"))
    return tuple(named)


def _only(value: bytes, tag: int) -> bytes:
    reader = DerReader(value)
    content = reader.content(tag)
    reader.done()
    return content


def _encoded_moment(at: datetime) -> bytes:
    moment = at.astimezone(UTC)
    if _FIRST_UTC_YEAR <= moment.year < _FIRST_GENERALIZED_YEAR:
        return encoded(UTC_TIME, moment.strftime("%y%m%d%H%M%SZ").encode())
    return encoded(GENERALIZED_TIME, f"{moment.year:04d}{moment:%m%d%H%M%S}Z".encode())


def _moment(value: bytes) -> datetime:
    """Return a signing time: UTCTime from 1950 to 2049, GeneralizedTime otherwise (RFC 5652 11.3)."""
    text = value[2:]
    utc = value[0] == UTC_TIME and _UTC_MOMENT.fullmatch(text) is not None
    if utc:
        text = (b"19" if text[:2] >= b"50" else b"20") + text
    if not utc and (value[0] != GENERALIZED_TIME or not _GENERALIZED_MOMENT.fullmatch(text)):
        raise NotDerError(T("签名时间写法不对"))
    if utc != (_FIRST_UTC_YEAR <= int(text[:4]) < _FIRST_GENERALIZED_YEAR):
        raise NotDerError(T("签名时间写法不对"))
    month, day, hour, minute, second = (int(text[at : at + 2]) for at in range(4, 14, 2))
    try:
        return datetime(int(text[:4]), month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as exc:
        raise NotDerError(T("签名时间写法不对")) from exc


@lru_cache(_CACHED)
def _digest(certificate: bytes) -> Digest:
    return Digest.of(certificate)
