"""封存文件. Sensitive values and files, encrypted with their record's key as CMS EncryptedData (PIPL Art. 28).

`openssl cms -EncryptedData_decrypt -inform DER -secretkey <hex>` opens what is sealed here. AES-256 in CBC mode hides;
it does not prove: integrity comes from the signed entry, which carries the salted digest of each value and the digest
of each stored file. Destroying the key disposes of the values and leaves the chain verifiable.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from controller.domain.errors import DamagedError
from controller.domain.identifiers import Digest, InvalidIdentifierError
from controller.domain.record import SealedValue
from controller.domain.text import T, Text
from controller.file_formats import canonical_json
from controller.file_formats.canonical_json import NotCanonicalError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from controller.domain.record import Wire

KEY_SIZE = 32
"""Bytes in a record key (256 bit)."""
_BLOCK = 16
_SALT = 16


class SealDamagedError(DamagedError):
    """封存内容打不开. Not a sealed file, damaged, or sealed with another key."""

    code = "seal-damaged"

    def __init__(self, *, problem: Text, where: str | None = None) -> None:
        super().__init__(
            T("封存内容打不开：{problem}。", problem=problem),
            hint=T("请核对记录密钥库与工作区是否属于同一备份。"),
            where=where,
        )


@dataclass(frozen=True)
class SealedPart:
    """封存部分. The sensitive values of one entry with their salts."""

    values: Mapping[str, Wire]
    salts: Mapping[str, str]
    """Field → 32 hexadecimal digits."""
    docx: Digest | None = field(default=None)
    """Digest of the docx with every value shown; inside, since it would let values be guessed."""

    def digests(self) -> dict[str, SealedValue]:
        """Return what the entry states about each value."""
        return {key: SealedValue(salted_digest(key, self.salts[key], value)) for key, value in self.values.items()}


def salted_digest(key: str, salt: str, value: Wire) -> Digest:
    """Return the digest of one sensitive value, which only holders of `salt` can check."""
    return Digest.of(canonical_json.encode({"field": key, "salt": salt, "value": value}))


def salted(
    values: Mapping[str, Wire], *, docx: Digest | None = None, random: Callable[[int], bytes] = secrets.token_bytes
) -> SealedPart:
    """Return `values` as a part to seal, each with a fresh salt."""
    return SealedPart(values=dict(values), salts={key: random(_SALT).hex() for key in values}, docx=docx)


def seal(part: SealedPart, key: bytes, *, random: Callable[[int], bytes] = secrets.token_bytes) -> bytes:
    """Return `part` encrypted with the record's key."""
    content: dict[str, Wire] = {
        "salts": dict(part.salts),
        "values": dict(part.values),
        "docx": part.docx.text if part.docx else None,
    }
    return seal_bytes(canonical_json.encode(content), key, random=random)


def unseal(data: bytes, key: bytes, *, where: str | None = None) -> SealedPart:
    """Return the part that `seal` encrypted.

    Raises:
        SealDamagedError: damaged, of another key, or not a sealed part.
    """
    plain = unseal_bytes(data, key, where=where)
    try:
        content = canonical_json.decode(plain, where=where)
    except NotCanonicalError as exc:
        raise SealDamagedError(problem=T("内容损坏，或密钥不是这份记录的"), where=where) from exc
    if not isinstance(content, dict) or content.keys() != {"salts", "values", "docx"}:
        raise SealDamagedError(problem=T("内容不是封存的字段值"), where=where)
    salts, values, docx = content["salts"], content["values"], content["docx"]
    good = isinstance(salts, dict) and isinstance(values, dict) and salts.keys() == values.keys()
    if not good or not all(
        isinstance(salt, str) and len(salt) == 2 * _SALT for salt in cast("dict[str, Wire]", salts).values()
    ):
        raise SealDamagedError(problem=T("盐值与字段不相符"), where=where)
    try:
        digest = Digest(cast("str", docx)) if docx is not None else None
    except (InvalidIdentifierError, TypeError) as exc:
        raise SealDamagedError(problem=T("文件摘要写法不对"), where=where) from exc
    return SealedPart(values=cast("dict[str, Wire]", values), salts=cast("dict[str, str]", salts), docx=digest)


def mismatches(part: SealedPart, stated: Mapping[str, SealedValue]) -> list[str]:
    """Return the fields whose sealed value is missing, superfluous or not the one the entry states."""
    held = part.digests()
    return sorted(key for key in held.keys() | stated.keys() if held.get(key) != stated.get(key))


def seal_bytes(data: bytes, key: bytes, *, random: Callable[[int], bytes] = secrets.token_bytes) -> bytes:
    """Return any file's bytes encrypted with the record's key (DER of a CMS ContentInfo)."""
    from asn1crypto import cms
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    _check_key(key)
    vector = random(_BLOCK)
    padding = _BLOCK - len(data) % _BLOCK
    cipher = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    encrypted = cipher.update(data) + cipher.update(bytes([padding]) * padding) + cipher.finalize()
    info = cms.ContentInfo(
        {
            "content_type": "encrypted_data",
            "content": {
                "version": "v0",
                "encrypted_content_info": {
                    "content_type": "data",
                    "content_encryption_algorithm": {"algorithm": "aes256_cbc", "parameters": vector},
                    "encrypted_content": encrypted,
                },
            },
        }
    )
    return cast("bytes", info.dump())


def unseal_bytes(data: bytes, key: bytes, *, where: str | None = None) -> bytes:
    """Return the bytes that `seal_bytes` encrypted.

    Raises:
        SealDamagedError: not such a file, damaged, or the padding shows another key.
    """
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    _check_key(key)
    vector, encrypted = _parts(data, where)
    cipher = Cipher(algorithms.AES(key), modes.CBC(vector)).decryptor()
    padded = cipher.update(encrypted) + cipher.finalize()
    padding = padded[-1]
    if not 1 <= padding <= _BLOCK or padded[-padding:] != bytes([padding]) * padding:
        raise SealDamagedError(problem=T("内容损坏，或密钥不是这份记录的"), where=where)
    return padded[:-padding]


def _parts(data: bytes, where: str | None) -> tuple[bytes, bytes]:
    from asn1crypto import cms

    try:
        info = cms.ContentInfo.load(data, strict=True)
        if info["content_type"].native != "encrypted_data":
            raise SealDamagedError(problem=T("不是 CMS EncryptedData"), where=where)
        inner = info["content"]["encrypted_content_info"]
        algorithm = inner["content_encryption_algorithm"]
        name, vector = algorithm["algorithm"].native, algorithm["parameters"].native
        encrypted = inner["encrypted_content"].native
    except (ValueError, TypeError, KeyError) as exc:
        raise SealDamagedError(problem=T("不是 CMS EncryptedData"), where=where) from exc
    if name != "aes256_cbc" or not isinstance(vector, bytes) or len(vector) != _BLOCK:
        raise SealDamagedError(problem=T("加密算法“{name}”不是 AES-256-CBC", name=str(name)), where=where)
    if not isinstance(encrypted, bytes) or not encrypted or len(encrypted) % _BLOCK:
        raise SealDamagedError(problem=T("密文不完整"), where=where)
    return vector, encrypted


def _check_key(key: bytes) -> None:
    if len(key) != KEY_SIZE:
        raise SealDamagedError(problem=T("记录密钥应为 {size} 字节", size=KEY_SIZE))
