"""签署页. What stands on the page of signatures at the end of a print (21 CFR 11.50).

Every signature has its place from the start, so that signing later adds to the file and changes nothing in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from controller.domain.identifiers import Digest

MOST_SLOTS = 8
"""As many signatures as the page has room for."""


@dataclass(frozen=True)
class SignatureSlot:
    """签署栏. The place kept for one signature."""

    field: str
    """Name of the signature field in the PDF: Latin letters, digits, `_`."""
    label: str
    """起草, 审核, 批准 …"""
    posts: str = ""
    """Who is to sign, as shown while nobody has."""


@dataclass(frozen=True)
class SignaturePage:
    """签署页. The page as it is before anybody signs."""

    company: str
    title: str
    number: str
    """Number of the document or record."""
    revision: str
    """Empty for a record."""
    contents: Digest
    """What is signed: digest of the source files, or of a record's newest entry."""
    contents_label: str
    """What `contents` is the digest of, in a few words."""
    slots: Sequence[SignatureSlot]
    notes: Sequence[str] = ()
    """Sentences below the table, such as an exemption that was used."""


@dataclass(frozen=True)
class SignatureMark:
    """签名内容. What one signature says on the page: who, as what, meaning what, when and why."""

    name: str
    post: str
    meaning: str
    at: datetime
    """Aware."""
    certificate: Digest
    statement: Digest | None = None
    """The filed statement that this signature belongs to; None for a print that only carries a signature."""
    reason: str | None = None
