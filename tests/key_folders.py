"""测试用密钥文件夹. A certificate authority and key files of people, as tests of both have them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from controller.adapters.personal_keys import FileAuthorityKey

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

COMPANY, WORKSPACE = "安泽医疗器械有限公司", "6a1f6a1e-7c52-4d0e-9b42-6a4f0f3f9f10"
AT = datetime(2026, 3, 1, 9, 0, tzinfo=timezone(timedelta(hours=8)))
LATER = AT + timedelta(days=200)
ROOT_WORDS, WORDS, NEW_WORDS = "封存在保险柜里的七个词", "西湖边的柳树绿了三次", "Tulip Kettle Orbit 91"


def made_authority(folder: Path) -> FileAuthorityKey:
    """Found the authority of a company in `folder`, for twenty years."""
    authority = FileAuthorityKey(folder)
    authority.found(company=COMPANY, workspace=WORKSPACE, passphrase=ROOT_WORDS, at=AT, years=20)
    return authority


def issuing(
    authority: FileAuthorityKey, person: str = "p002", name: str = "林静", at: datetime = AT, years: int = 3
) -> Callable[[bytes], Sequence[bytes]]:
    """Return what asks `authority` for a certificate of this person."""

    def issue(public_key: bytes) -> Sequence[bytes]:
        return authority.issue(
            public_key,
            person=person,
            name=name,
            company=COMPANY,
            workspace=WORKSPACE,
            passphrase=ROOT_WORDS,
            at=at,
            years=years,
        )

    return issue


def public_key(curve: ec.EllipticCurve | None = None) -> bytes:
    """Return a new public key."""
    key = ec.generate_private_key(curve or ec.SECP256R1()).public_key()
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def names(folder: Path) -> list[str]:
    """Return the files of a folder of keys, without locks."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")
