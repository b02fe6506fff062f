"""证书文件. What a certificate (X.509, DER or PEM) says about itself, and who issued it.

Whether a certificate counts is for `domain.trust`: the authority's word alone makes nobody a signer.
"""

from __future__ import annotations

import base64
import binascii
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from controller.domain.errors import DamagedError
from controller.domain.identifiers import Digest
from controller.domain.signature import CertificateFacts
from controller.domain.text import T, Text
from controller.file_formats.der import BIT_STRING, CONTEXT_0, INTEGER, SEQUENCE, DerReader, NotDerError, encoded

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.x509 import Certificate, ObjectIdentifier
    from cryptography.x509 import Name as X509Name

LARGEST = 16 * 1024
"""Bytes that a certificate file may have at most."""
LEAST_RSA_BITS, MOST_RSA_BITS = 2048, 8192
_BEGIN, _END = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"
_VERSION_3 = encoded(CONTEXT_0, encoded(INTEGER, b"\x02"))
_CACHED = 1024
_LONGEST_NAME = 200
_NOT_X509 = T("内容不是 X.509 证书")


class CertificateDamagedError(DamagedError):
    """证书损坏. The bytes are no certificate, or one with a key that cannot be used here."""

    code = "certificate-damaged"

    def __init__(self, *, problem: Text, where: str | None = None) -> None:
        super().__init__(
            T("证书无法读取：{problem}。", problem=problem),
            hint=T("请从备份恢复证书文件，或请证书持有人重新提供。"),
            where=where,
        )


class UnusableKeyError(NotDerError):
    """公钥不能使用. A certificate whose key can sign nothing here."""


@dataclass(frozen=True)
class CertificateKey:
    """证书中的公钥. The parts of a certificate that checking a signature needs, as encoded in it."""

    issuer: bytes
    """DER of the issuer's name."""
    serial: bytes
    """DER of the serial number."""
    public: EllipticCurvePublicKey | RSAPublicKey
    """ECDSA P-256, or RSA from an outside authority."""


def read_certificate(data: bytes, *, where: str | None = None) -> CertificateFacts:
    """Return what the certificate in `data` (DER or PEM) says; `where` names the file in messages.

    Raises:
        CertificateDamagedError: not exactly one certificate, or a person's with a key that cannot be used here.
    """
    try:
        return _facts(_der(data))
    except NotDerError as exc:
        raise CertificateDamagedError(problem=exc.problem, where=where) from exc


def to_pem(der: bytes) -> bytes:
    """Return the certificate as PEM, always written the same way: lines of 64 characters, LF."""
    text = base64.b64encode(der)
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return b"\n".join([_BEGIN, *lines, _END, b""])


def to_der(pem: bytes) -> bytes:
    """Return the DER in `pem`, which may have other text around its one certificate.

    Raises:
        CertificateDamagedError: not exactly one certificate.
    """
    try:
        return _from_pem(pem)
    except NotDerError as exc:
        raise CertificateDamagedError(problem=exc.problem) from exc


def issued_by(der: bytes, issuer: bytes) -> bool:
    """Tell whether `issuer` is an authority that signed the certificate `der`, by name and by cryptography.

    Signatures with MD5 or SHA-1 do not count. A root is issued by itself.

    Raises:
        CertificateDamagedError: one of them is no certificate.
    """
    try:
        return _facts(issuer).authority and _issued_by(der, issuer)
    except NotDerError as exc:
        raise CertificateDamagedError(problem=exc.problem) from exc


@lru_cache(_CACHED)
def certificate_key(der: bytes) -> CertificateKey:
    """Return the public key of a certificate with what identifies it.

    Raises:
        NotDerError: not a certificate.
        UnusableKeyError: neither ECDSA P-256 nor RSA of a sound size.
    """
    if len(der) > LARGEST:
        raise NotDerError(T("文件过大"))
    outer = DerReader(der).only(SEQUENCE)
    stated = outer.inside(SEQUENCE)
    outer.inside(SEQUENCE)
    outer.only(BIT_STRING)
    stated.fixed(_VERSION_3, T("不是第 3 版 X.509 证书"))
    serial = stated.whole(INTEGER)
    if serial[2:3] >= b"\x80":
        raise NotDerError(T("序列号是负数"))
    stated.inside(SEQUENCE)
    issuer = stated.whole(SEQUENCE)
    stated.inside(SEQUENCE)
    stated.inside(SEQUENCE)
    return CertificateKey(issuer=issuer, serial=serial, public=_public_key(stated.whole(SEQUENCE)))


def _public_key(information: bytes) -> EllipticCurvePublicKey | RSAPublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        public = load_der_public_key(information)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise UnusableKeyError(T("公钥无法读取")) from exc
    if isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP256R1):
        return public
    if isinstance(public, rsa.RSAPublicKey) and LEAST_RSA_BITS <= public.key_size <= MOST_RSA_BITS:
        return public
    raise UnusableKeyError(
        T("公钥既不是 ECDSA P-256，也不是 {least} 至 {most} 位的 RSA", least=LEAST_RSA_BITS, most=MOST_RSA_BITS)
    )


@lru_cache(_CACHED)
def _facts(der: bytes) -> CertificateFacts:
    unusable: UnusableKeyError | None = None
    try:
        certificate_key(der)
    except UnusableKeyError as exc:
        unusable = exc
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is odd in a certificate is for our checks to say, in Chinese
            facts = _stated(_loaded(der), Digest.of(der))
    except (ValueError, TypeError) as exc:
        if isinstance(exc, NotDerError):
            raise
        raise NotDerError(_NOT_X509) from exc
    if unusable is not None and not facts.authority:  # outside authorities use many kinds of keys; who signs here, two
        raise unusable
    return facts


def _stated(certificate: Certificate, digest: Digest) -> CertificateFacts:
    from cryptography.x509.oid import NameOID

    return CertificateFacts(
        digest=digest,
        name=_attribute(certificate.subject, NameOID.COMMON_NAME),
        person=_attribute(certificate.subject, NameOID.SERIAL_NUMBER),
        organisation=_attribute(certificate.subject, NameOID.ORGANIZATION_NAME),
        serial=f"{certificate.serial_number:x}",
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        issuer=_attribute(certificate.issuer, NameOID.COMMON_NAME),
        authority=_may_issue(certificate),
    )


def _may_issue(certificate: Certificate) -> bool:
    from cryptography import x509

    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return False
    except (x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as exc:
        raise NotDerError(_NOT_X509) from exc
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return constraints.ca
    return constraints.ca and usage.key_cert_sign


def _attribute(name: X509Name, oid: ObjectIdentifier) -> str:
    """Return the one value of a name's attribute; a name with two of them says nothing certain."""
    found = [item.value for item in name.get_attributes_for_oid(oid)]
    if len(found) > 1:
        raise NotDerError(T("名称中同一属性写了两次"))
    value = found[0] if found else ""
    if not isinstance(value, str) or len(value) > _LONGEST_NAME or not value.isprintable():
        raise NotDerError(T("名称含有不可显示的字符"))
    return value


@lru_cache(_CACHED)
def _issued_by(der: bytes, issuer: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes

    _facts(der)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        certificate, above = _loaded(der), _loaded(issuer)
    try:
        algorithm = certificate.signature_hash_algorithm
        if algorithm is None or isinstance(algorithm, (hashes.MD5, hashes.SHA1)):
            return False
        certificate.verify_directly_issued_by(above)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _loaded(der: bytes) -> Certificate:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.x509 import load_der_x509_certificate

    try:
        return load_der_x509_certificate(der)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise NotDerError(_NOT_X509) from exc


def _der(data: bytes) -> bytes:
    return data if data[:1] == bytes((SEQUENCE,)) else _from_pem(data)


def _from_pem(data: bytes) -> bytes:
    if len(data) > 2 * LARGEST:
        raise NotDerError(T("文件过大"))
    _, begin, rest = data.partition(_BEGIN)
    body, end, after = rest.partition(_END)
    if not begin or not end or _BEGIN in body or _BEGIN in after:
        raise NotDerError(T("文件中应恰好有一张证书"))
    try:
        return base64.b64decode(b"".join(body.split()), validate=True)
    except binascii.Error as exc:
        raise NotDerError(T("PEM 编码不完整")) from exc
