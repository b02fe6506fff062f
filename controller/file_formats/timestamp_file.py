"""时间戳文件. RFC 3161 requests and answers: makes the one, reads and checks the other (`.tsr` beside a statement).

What is kept is the authority's whole answer as it came: what `openssl ts -verify -data NNNN.json -in NNNN.tsr` takes.
Whom to believe is not decided here: `roots` come from the controlled files of the company.
"""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from controller.domain.errors import DamagedError
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

LARGEST = 256 * 1024
"""Bytes of the largest answer that is looked at; real ones have 2 to 12 thousand."""
_HASHES = {"sha256", "sha384", "sha512"}
_GRANTED = "granted"


class StampDamagedError(DamagedError):
    """时间戳损坏. The bytes are no answer of a time-stamping authority, or the answer does not hold together."""

    code = "stamp-damaged"

    def __init__(self, *, problem: Text, where: str | None = None) -> None:
        super().__init__(
            T("时间戳无法读取：{problem}。", problem=problem),
            hint=T("时间戳归档后不会改变；请用备份或机器外的副本核对。"),
            where=where,
        )


@dataclass(frozen=True)
class StampRequest:
    """时间戳请求. What is sent, and the random number that the answer must bring back."""

    data: bytes
    nonce: int


@dataclass(frozen=True)
class CheckedStamp:
    """核对过的时间戳. What an answer says, its cryptography checked against the bytes it should cover."""

    at: datetime
    """When the authority made it, aware (UTC)."""
    authority: str
    """Common name in the certificate of the authority."""
    nonce: int | None
    intact: bool
    """It is for exactly these bytes, and mathematically right with the certificate it names."""
    trusted: bool
    """That certificate is for time stamps, was valid then, and comes from one of the roots."""


def make_request(data: bytes) -> StampRequest:
    """Return the request for a stamp over `data` (SHA-256, certificates wanted, with a fresh nonce)."""
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    request = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).build()
    assert request.nonce is not None
    return StampRequest(request.as_bytes(), request.nonce)


def refusal(answer: bytes, *, where: str | None = None) -> str | None:
    """Return the authority's own words when it granted no stamp, None when it did.

    Raises:
        StampDamagedError: the bytes are no such answer.
    """
    try:
        from asn1crypto import parser, tsp

        # A refusal has no stamp in it, which the library's type for whole answers insists on.
        status = tsp.PKIStatusInfo.load(parser.parse(answer, strict=True)[4])
        if status["status"].native == _GRANTED:
            return None
        words = [str(word) for word in status["status_string"].native or ()]
        failures = status["fail_info"].native or ()
        return " ".join([str(status["status"].native), *words, *sorted(failures)])[:300]
    except Exception as exc:
        raise _unreadable(where) from exc


def check_stamp(answer: bytes, data: bytes, roots: Sequence[bytes], *, where: str | None = None) -> CheckedStamp:
    """Return what the stamp in `answer` says about `data`; `roots` are the trusted certificates in DER.

    Raises:
        StampDamagedError: the bytes are no granted answer of a time-stamping authority.
    """
    if len(answer) > LARGEST:
        raise StampDamagedError(problem=T("文件过大"), where=where)
    if refusal(answer, where=where) is not None:
        raise StampDamagedError(problem=T("机构没有给出时间戳"), where=where)
    try:
        token = _Token(answer)
        at, nonce = token.info["gen_time"].native, token.info["nonce"].native
        authority = str(token.signer.subject.native.get("common_name") or token.signer.subject.human_friendly)
        intact = token.covers(data) and token.holds()
    except Exception as exc:
        # Hostile bytes: the readers raise whatever their parts raise.
        raise _unreadable(where) from exc
    if not isinstance(at, datetime) or at.tzinfo is None:
        raise _unreadable(where)
    return CheckedStamp(at, authority[:200], nonce, intact, intact and token.comes_from(roots, data))


def certificate_or_none(data: bytes) -> bytes | None:
    """Return the DER of the certificate that `data` (PEM or DER) holds, None when it holds none."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        found = x509.load_pem_x509_certificate(data) if b"-----BEGIN" in data else x509.load_der_x509_certificate(data)
    except ValueError:
        return None
    return found.public_bytes(Encoding.DER)


def _unreadable(where: str | None) -> StampDamagedError:
    return StampDamagedError(problem=T("不是 RFC 3161 时间戳"), where=where)


class _Token:
    """The signed part of an answer, taken apart."""

    def __init__(self, answer: bytes) -> None:
        from asn1crypto import tsp

        self._answer = answer
        token = tsp.TimeStampResp.load(answer, strict=True)["time_stamp_token"]
        if token["content_type"].native != "signed_data":
            raise ValueError
        self._signed: Any = token["content"]
        content = self._signed["encap_content_info"]
        if content["content_type"].native != "tst_info" or len(self._signed["signer_infos"]) != 1:
            raise ValueError
        if self._signed["version"].native != "v3":  # RFC 5652, 5.1; nobody signs it, so no other is let through
            raise ValueError
        self._content: bytes = content["content"].contents
        self.info: Any = tsp.TSTInfo.load(self._content, strict=True)
        self._signature: Any = self._signed["signer_infos"][0]
        named_so = "v1" if self._signature["sid"].name == "issuer_and_serial_number" else "v3"
        if self._signature["version"].native != named_so:  # RFC 5652, 5.3
            raise ValueError
        self.certificates = [item.chosen for item in self._signed["certificates"] if item.name == "certificate"]
        self.signer: Any = next(item for item in self.certificates if self._named(item))

    def _named(self, certificate: Any) -> bool:
        named = self._signature["sid"]
        if named.name == "issuer_and_serial_number":
            serial: int = named.chosen["serial_number"].native
            return bool(certificate.issuer == named.chosen["issuer"] and certificate.serial_number == serial)
        return bool(certificate.key_identifier == named.chosen.native)

    def covers(self, data: bytes) -> bool:
        """Tell whether the stamp is over `data`."""
        imprint = self.info["message_imprint"]
        name = imprint["hash_algorithm"]["algorithm"].native
        return name in _HASHES and imprint["hashed_message"].native == hashlib.new(name, data).digest()

    def holds(self) -> bool:
        """Tell whether the authority's signature is right and names its own certificate."""
        digest = self._signature["digest_algorithm"]["algorithm"].native
        attributes = self._signature["signed_attrs"]
        said = {item["type"].native: item["values"][0] for item in attributes}
        if digest not in _HASHES or len(said) != len(attributes):
            return False
        return (
            said["content_type"].native == "tst_info"
            and said["message_digest"].native == hashlib.new(digest, self._content).digest()
            and self._names_its_certificate(said)
            and self._mathematics(attributes.untag().dump(), digest)
        )

    def _names_its_certificate(self, said: dict[str, Any]) -> bool:
        der = self.signer.dump()
        if "signing_certificate_v2" in said:
            first = said["signing_certificate_v2"]["certs"][0]
            name = first["hash_algorithm"]["algorithm"].native
            return name in _HASHES and first["cert_hash"].native == hashlib.new(name, der).digest()
        first = said["signing_certificate"]["certs"][0]
        # RFC 3161 as written in 2001 names the certificate by SHA-1; the signature itself never uses it.
        return bool(first["cert_hash"].native == hashlib.sha1(der, usedforsecurity=False).digest())

    def _mathematics(self, signed: bytes, digest: str) -> bool:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
        from cryptography.hazmat.primitives.serialization import load_der_public_key

        kinds = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
        algorithm = self._signature["signature_algorithm"]
        kind = algorithm.signature_algo
        if algorithm["algorithm"].native not in {"rsassa_pkcs1v15", "ecdsa"}:
            digest = algorithm.hash_algo
        key = load_der_public_key(self.signer.public_key.dump())
        value: bytes = self._signature["signature"].native
        try:
            if isinstance(key, ec.EllipticCurvePublicKey) and kind == "ecdsa":
                key.verify(value, signed, ec.ECDSA(kinds[digest]))
            elif isinstance(key, rsa.RSAPublicKey) and kind == "rsassa_pkcs1v15":
                key.verify(value, signed, padding.PKCS1v15(), kinds[digest])
            elif isinstance(key, rsa.RSAPublicKey) and kind == "rsassa_pss":
                salt = algorithm["parameters"]["salt_length"].native
                key.verify(value, signed, padding.PSS(padding.MGF1(kinds[digest]), salt), kinds[digest])
            else:
                return False
        except InvalidSignature:
            return False
        return True

    def comes_from(self, roots: Sequence[bytes], data: bytes) -> bool:
        """Tell whether the certificate leads to one of `roots` and was valid, for time stamps, at that moment."""
        from cryptography import x509
        from rfc3161_client import VerifierBuilder, decode_timestamp_response

        if not roots:
            return False
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                trusted = [x509.load_der_x509_certificate(root) for root in roots]
                verifier = VerifierBuilder(roots=trusted).build()
                return bool(verifier.verify_message(decode_timestamp_response(self._in_order()), data))
            except Exception:  # noqa: BLE001 - whatever the library finds wrong, the answer is no
                return False

    def _in_order(self) -> bytes:
        # Authorities do not sort their certificates as DER asks for; the library insists, and nobody signed the order.
        found = [item.dump() for item in self._signed["certificates"]]
        return self._answer.replace(b"".join(found), b"".join(sorted(found)), 1)
