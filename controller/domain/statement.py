"""陈述. A signed statement outside the records: about people, documents, the library, time, logins.

Statements form chains like the entries of a record: each names the digest of the one before it. The site's own chain is
its audit trail (审计追踪); every person, every document revision and the company's certificate authority has one too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.domain.errors import RefusedError
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.domain.identifiers import Digest
    from controller.domain.record import Signatory, Wire
    from controller.domain.signature import Origin

TRAIL = "trail"
"""The site's audit trail: what concerns no single person or document."""
AUTHORITY = "authority"
"""The company's certificate authority: founding, change of root."""
TIMESTAMPS = "timestamps"
"""The daily statements over all heads that an outside authority stamps."""
CHANGES, COPIES, DOCUMENTS, REVIEWS, TRAINING = "changes", "copies", "documents", "reviews", "training"
"""Folders of the chains about changes, controlled copies, signatures, periodic reviews, and who read what."""
_ITEM = r"[A-Z0-9-]{1,40}"
_CHAIN = re.compile(
    r"trail|authority|timestamps|people/[A-Za-z0-9][A-Za-z0-9._-]{0,39}"
    rf"|(?:documents|training)/{_ITEM}/[A-Z]-\d{{1,3}}|(?:copies|reviews)/{_ITEM}|changes/\d{{4}}-\d{{4}}"
)


class Event(StrEnum):
    """事件. What a statement is about. The value is stable; the Chinese word is in `EVENT_LABELS`."""

    SITE_OPENED = "site-opened"
    AUTHORITY_FOUNDED = "authority-founded"
    AUTHORITY_REPLACED = "authority-replaced"
    PERSON_REGISTERED = "person-registered"
    PERSON_ENROLLED = "person-enrolled"
    PERSON_POSTS_CHANGED = "person-posts-changed"
    PERSON_REVOKED = "person-revoked"
    PERSON_RETIRED = "person-retired"
    SIGNED_IN = "signed-in"
    SIGN_IN_FAILED = "sign-in-failed"
    SIGN_IN_LOCKED = "sign-in-locked"
    SIGNING_FAILED = "signing-failed"
    SIGNED_OUT = "signed-out"
    PASSPHRASE_CHANGED = "passphrase-changed"  # noqa: S105 - the name of an event
    REFUSED = "refused"
    PRINTED = "printed"
    EXPORTED = "exported"
    UNMASKED = "unmasked"
    CHECKED_OUT = "checked-out"
    CHECKED_IN = "checked-in"
    LIBRARY_CHANGED = "library-changed"
    DOCUMENT_SIGNED = "document-signed"
    DOCUMENT_SIGNED_ON_PAPER = "document-signed-on-paper"
    APPROVED_ELSEWHERE = "approved-elsewhere"
    CHANGE_OPENED = "change-opened"
    DRAFT_SAVED = "draft-saved"
    CHANGE_SUBMITTED = "change-submitted"
    CHANGE_COMMENTED = "change-commented"
    CHANGE_COMMENT_RESOLVED = "change-comment-resolved"
    CHANGE_RETURNED = "change-returned"
    CHANGE_REVIEWED = "change-reviewed"
    CHANGE_APPROVED = "change-approved"
    EFFECT_POSTPONED = "effect-postponed"
    CHANGE_ISSUED = "change-issued"
    CHANGE_CLOSED = "change-closed"
    CHANGE_CANCELLED = "change-cancelled"
    TRAINING_ASSIGNED = "training-assigned"
    TRAINING_UNDERSTOOD = "training-understood"
    TRAINING_FAILED = "training-failed"
    TRAINING_WAIVED = "training-waived"
    COPY_ISSUED = "copy-issued"
    COPY_RECEIVED = "copy-received"
    COPY_RECALLED = "copy-recalled"
    COPY_RETURNED = "copy-returned"
    COPY_LOST = "copy-lost"
    COPY_DESTROYED = "copy-destroyed"
    DOCUMENT_REVIEWED = "document-reviewed"
    HEADS_STAMPED = "heads-stamped"
    STAMP_FAILED = "stamp-failed"
    CLOCK_CORRECTED = "clock-corrected"
    KEYS_BACKED_UP = "keys-backed-up"
    KEYS_RESTORED = "keys-restored"


UNSIGNED_EVENTS = frozenset(
    {Event.SIGN_IN_FAILED, Event.SIGN_IN_LOCKED, Event.SIGNING_FAILED, Event.REFUSED, Event.STAMP_FAILED}
)
"""Events that nobody may be there to sign; they are held by the chain, which later signed statements close."""


class InvalidChainError(RefusedError):
    """陈述链名称不可用."""

    code = "chain-invalid"

    def __init__(self, *, chain: str) -> None:
        super().__init__(
            T("“{chain}”不是有效的陈述链名称。", chain=chain[:60]),
            hint=T("正确写法示例：{example}", example="people/p001"),
        )


@dataclass(frozen=True)
class Statement:
    """陈述. One statement; its bytes are made by `file_formats.statement_file` and signed as they are."""

    workspace: str
    site: str
    chain: str
    """`trail`, `authority`, `timestamps`, `people/<id>` or `documents/<number>/<A-0>`."""
    sequence: int
    """From 1, without gaps."""
    previous: Digest | None
    """Digest of the statement before it in its chain; None for the first."""
    event: Event
    by: Signatory | None
    """Who states it; None for the events nobody may be there to sign."""
    certificate: Digest | None
    """The certificate of `by`; None exactly when `by` is."""
    origin: Origin
    at: str
    """Machine time, ISO 8601 with offset, to the second."""
    subject: str
    """What it is about: a record, document or person number, a file, a command."""
    meaning: str = ""
    """起草, 审核, 批准 … for signatures on documents."""
    reason: str | None = None
    old: Mapping[str, Wire] = field(default_factory=dict)
    """Earlier values, by name."""
    new: Mapping[str, Wire] = field(default_factory=dict)
    """New values, by name."""
    files: Mapping[str, Digest] = field(default_factory=dict)
    """Files the statement covers, by path, each with its digest."""
    shown: Digest | None = None
    """Digest of what the signer was shown (a docx or PDF)."""


def check_chain(chain: str) -> str:
    """Return `chain` when it is a name that a chain can have; raises `InvalidChainError`."""
    if not _CHAIN.fullmatch(chain):
        raise InvalidChainError(chain=chain)
    return chain


def statement_path(chain: str, sequence: int) -> str:
    """Return the archive path of a statement without its suffix; `.json`, `.p7s`, `.<person>.p7s`, `.tsr` follow.

    Long chains are spread over folders of a hundred; those of a person or document stay in one.
    """
    if chain in {TRAIL, TIMESTAMPS}:
        return f"{chain}/{sequence // 10_000:04d}/{sequence // 100 % 100:02d}/{sequence:08d}"
    return f"{chain}/{sequence:04d}"
