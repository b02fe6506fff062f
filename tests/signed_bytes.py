"""Detached signatures for tests: by somebody of the company, by an outsider, and taken apart and signed anew."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import cache
from typing import TYPE_CHECKING, Any

from asn1crypto import cms

from controller.file_formats.signature_file import (
    SignatureDamagedError,
    check_signature,
    detached_signature,
)
from tests.signers import TestKey, company, outside_authority

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = '{"act":"opened","at":"2026-05-01T09:30:00+08:00"}\n第二行\r\n'.encode()
AT = datetime(2026, 5, 1, 9, 30, tzinfo=timezone(timedelta(hours=8)))


def lin() -> TestKey:
    return company().key("p002", "林静")


def outside() -> TestKey:
    return outside_authority().key("", "外部持证人")


def signed(data: bytes = DATA, *, at: datetime = AT, key: TestKey | None = None) -> bytes:
    return detached_signature(data, at=at, key=key or lin())


def outcome(p7s: bytes, data: bytes = DATA) -> str:
    """What checking says: `intact`, `not intact` or `damaged`; any other exception fails the test."""
    try:
        return "intact" if check_signature(p7s, data).intact else "not intact"
    except SignatureDamagedError:
        return "damaged"


@cache
def filed(key: TestKey) -> bytes:
    """One signature by `key` that stays the same; ECDSA signatures differ each time."""
    return signed(key=key)


def resigned(change: Callable[[Any], None], *, key: TestKey | None = None) -> bytes:
    """The signature taken apart by another library, changed, and signed anew by the same key."""
    key = key or lin()
    info = cms.ContentInfo.load(signed(key=key))
    content = info["content"]
    change(content)
    for signer in content["signer_infos"]:
        signer["signature"] = key.sign_raw(signer["signed_attrs"].untag().dump())
    data: bytes = info.dump()
    return data


def attribute(content: Any, name: str) -> Any:
    """The signed attribute called `name` of a signature taken apart."""
    attributes = content["signer_infos"][0]["signed_attrs"]
    return next(item for item in attributes if item["type"].native == name)
