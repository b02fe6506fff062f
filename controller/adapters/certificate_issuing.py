"""签发证书. Makes the company's root certificate and the certificates of its people (docs/signatures.md; RFC 5280)."""

from __future__ import annotations

import re
import secrets
import unicodedata
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from controller.adapters.pkcs12_file import key_kind
from controller.domain.personal_key import AuthorityOutOfTimeError, CertificateNameRefusedError, KeyUnsupportedError
from controller.domain.text import T

if TYPE_CHECKING:
    from controller.domain.text import Text

_LONGEST = 64
"""Characters a name in a certificate may have (RFC 5280 appendix A)."""
_PRINTABLE = re.compile(r"[A-Za-z0-9 '()+,./:=?-]+")
_LAST_MOMENT = datetime(9999, 12, 31, tzinfo=UTC)


def root_certificate(
    key: ec.EllipticCurvePrivateKey, *, company: str, workspace: str, at: datetime, years: int
) -> bytes:
    """Return the self-signed certificate (DER) of a company's own authority, which issues to people only.

    Raises:
        CertificateNameRefusedError: the company has no name that can be printed.
    """
    title = _attribute(NameOID.COMMON_NAME, company, T("企业名称"))
    name = x509.Name([title, *_organisation(company, workspace)])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), _serial(), at, _years_later(at, years))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.DER)


def person_certificate(
    public_key: bytes,
    *,
    root: bytes,
    root_key: ec.EllipticCurvePrivateKey,
    person: str,
    name: str,
    company: str,
    workspace: str,
    at: datetime,
    years: int,
) -> bytes:
    """Return a person's certificate (DER) from `at` on, never beyond the end of the root.

    Raises:
        KeyUnsupportedError: the public key is not P-256.
        CertificateNameRefusedError: a name is empty or cannot be printed.
        AuthorityOutOfTimeError: the root is not valid at `at`.
    """
    issuer = x509.load_der_x509_certificate(root)
    if not issuer.not_valid_before_utc <= at < issuer.not_valid_after_utc:
        raise AuthorityOutOfTimeError(since=issuer.not_valid_before_utc, until=issuer.not_valid_after_utc)
    holder = _public_key(public_key)
    subject = x509.Name(
        [
            _attribute(NameOID.COMMON_NAME, name, T("姓名")),
            _attribute(NameOID.SERIAL_NUMBER, person, T("人员编号")),
            *_organisation(company, workspace),
        ]
    )
    until = min(_years_later(at, years), issuer.not_valid_after_utc)
    certificate = (
        x509.CertificateBuilder(issuer.subject, subject, holder, _serial(), at, until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(holder), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
                issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
            ),
            critical=False,
        )
        .sign(root_key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.DER)


def serial_of(certificate: bytes) -> str:
    """Return the serial number of a certificate (DER) in hexadecimal."""
    return f"{x509.load_der_x509_certificate(certificate).serial_number:x}"


def _public_key(der: bytes) -> ec.EllipticCurvePublicKey:
    try:
        key = serialization.load_der_public_key(der)
    except Exception as exc:
        raise KeyUnsupportedError(kind="SubjectPublicKeyInfo") from exc
    key_kind(key)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise KeyUnsupportedError(kind="RSA")
    return key


def _organisation(company: str, workspace: str) -> list[x509.NameAttribute[str]]:
    return [
        _attribute(NameOID.ORGANIZATION_NAME, company, T("企业名称")),
        _attribute(NameOID.ORGANIZATIONAL_UNIT_NAME, workspace, T("工作区标识")),
    ]


def _attribute(oid: x509.ObjectIdentifier, value: str, what: Text) -> x509.NameAttribute[str]:
    shown = unicodedata.normalize("NFC", value).strip()[:_LONGEST]
    if not shown or any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in shown):
        raise CertificateNameRefusedError(what=what)
    if oid == NameOID.SERIAL_NUMBER and not _PRINTABLE.fullmatch(shown):
        # By default this attribute is a PrintableString, which has no underscore.
        return x509.NameAttribute(oid, shown, _ASN1Type.UTF8String)
    return x509.NameAttribute(oid, shown)


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=not authority,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _serial() -> int:
    return secrets.randbelow((1 << 128) - 1) + 1


def _years_later(at: datetime, years: int) -> datetime:
    moment = at.astimezone(UTC).replace(microsecond=0)
    if moment.year + years > _LAST_MOMENT.year:
        return _LAST_MOMENT
    try:
        return moment.replace(year=moment.year + years)
    except ValueError:  # 29 February
        return moment.replace(year=moment.year + years, day=28)
