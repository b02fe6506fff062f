"""测试用签名人. A made-up company with a certificate authority and people who sign, all in memory.

`company().signer("p002", "林静", "质量负责人")` is a `Signer`; its signatures are real, its key is
made once a session.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from controller.domain.identifiers import Digest
from controller.domain.record import Signatory
from controller.domain.signature import Origin
from controller.file_formats.signature_file import detached_signature

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.domain.errors import QmsError

COMPANY = "安泽医疗器械有限公司"
WORKSPACE = "6a1f6a1e-7c52-4d0e-9b42-6a4f0f3f9f10"
ORIGIN = Origin(computer="pc-01", account="office", sitting="s-0001")
SINCE, UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
_PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, repr=False, eq=False)
class TestKey:
    """An unlocked key in memory (`SigningKey`)."""

    __test__: ClassVar[bool] = False
    private: _PrivateKey
    certificate: bytes
    issuers: Sequence[bytes]

    @property
    def kind(self) -> str:
        return "rsa" if isinstance(self.private, rsa.RSAPrivateKey) else "ecdsa"

    @property
    def digest(self) -> Digest:
        return Digest.of(self.certificate)

    def sign_raw(self, data: bytes) -> bytes:
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return self.private.sign(data, ec.ECDSA(hashes.SHA256()))

    def pem(self) -> bytes:
        """The private key in PEM, unprotected; for programs that tests run."""
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


@dataclass
class TestSigner:
    """A person who is signed in (`Signer`)."""

    __test__: ClassVar[bool] = False
    signatory: Signatory
    key: TestKey
    origin: Origin = ORIGIN
    asked: list[str] = field(default_factory=list)
    """Every meaning that `ready` was called with."""
    refusal: QmsError | None = None
    """Raised by `ready` when set."""

    @property
    def certificate(self) -> Digest:
        return self.key.digest

    def ready(self, meaning: str) -> None:
        self.asked.append(meaning)
        if self.refusal is not None:
            raise self.refusal

    def sign(self, data: bytes, *, at: datetime) -> bytes:
        return detached_signature(data, at=at, key=self.key)


class TestCompany:
    """A company's certificate authority; the same person always gets the same key."""

    __test__ = False

    def __init__(self, name: str = COMPANY, workspace: str = WORKSPACE, kind: str = "ecdsa") -> None:
        self.name = name
        self.workspace = workspace
        self.kind = kind
        self._private = new_key(kind)
        self._keys: dict[tuple[str, str, datetime, datetime], TestKey] = {}
        self.root = self._certify(self._private.public_key(), self._subject(), SINCE, UNTIL, authority=True)
        """The root certificate in DER."""

    @property
    def root_key(self) -> TestKey:
        return TestKey(self._private, self.root, ())

    @property
    def root_pem(self) -> bytes:
        return pem(self.root)

    def signer(self, person: str, name: str, post: str = "") -> TestSigner:
        """The person, signed in; a new object each time, with the person's one key."""
        return TestSigner(Signatory(person=person, name=name, post=post), self.key(person, name))

    def key(self, person: str, name: str, *, since: datetime = SINCE, until: datetime = UNTIL) -> TestKey:
        """The person's key, certified from `since` to `until`."""
        wanted = (person, name, since, until)
        if wanted not in self._keys:
            self._keys[wanted] = self.new_key(person, name, since=since, until=until)
        return self._keys[wanted]

    def new_key(self, person: str, name: str, *, since: datetime = SINCE, until: datetime = UNTIL) -> TestKey:
        """Another key for the person, as after a lost one; not remembered."""
        private = new_key(self.kind)
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, name),
                x509.NameAttribute(NameOID.SERIAL_NUMBER, person),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, self.name),
                x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, self.workspace),
            ]
        )
        certificate = self._certify(private.public_key(), subject, since, until, authority=False)
        return TestKey(private, certificate, (self.root,))

    def _subject(self) -> x509.Name:
        return x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, self.name),
                x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, self.workspace),
            ]
        )

    def _certify(
        self,
        public: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
        subject: x509.Name,
        since: datetime,
        until: datetime,
        *,
        authority: bool,
    ) -> bytes:
        usage = x509.KeyUsage(
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
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._subject())
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(since)
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._private.public_key()), critical=False
            )
        )
        return builder.sign(self._private, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def new_key(kind: str) -> _PrivateKey:
    if kind == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


def pem(certificate: bytes) -> bytes:
    return x509.load_der_x509_certificate(certificate).public_bytes(serialization.Encoding.PEM)


@cache
def company() -> TestCompany:
    """The company of this test session."""
    return TestCompany()


@cache
def other_company() -> TestCompany:
    """Another company whose signatures count nowhere here."""
    return TestCompany("别家医疗器械有限公司", "00000000-0000-4000-8000-000000000002")


@cache
def outside_authority() -> TestCompany:
    """An outside certificate authority with RSA keys."""
    return TestCompany("某某电子认证服务有限公司", "外部机构", kind="rsa")
