"""记录. A record is a chain of immutable entries; its state is their fold (ISO 13485 4.2.5, 21 CFR 11.10 e).

An entry is a canonical statement: who did what, when, to which record, with which values, bound to the entry
before it by digest. Its bytes are made by `file_formats.entry_file`; earlier values stay readable in the chain.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.domain.identifiers import Digest, DocumentNumber, RecordNumber, Revision
    from controller.domain.signature import Origin

Wire: TypeAlias = "bool | str | list[Wire] | dict[str, Wire] | None"
"""A value as it is stored: JSON without numbers (numbers are exact text)."""


class Act(StrEnum):
    """动作. What an entry does to its record."""

    OPENED = "opened"
    FILLED = "filled"
    ADVANCED = "advanced"
    CORRECTED = "corrected"
    ATTACHED = "attached"
    VOIDED = "voided"
    SIGNED_ON_PAPER = "signed-on-paper"


@dataclass(frozen=True)
class Signatory:
    """行为人. Who acts: the person's id, full name and post at that moment; taken from the sign-in, never typed."""

    person: str
    name: str
    post: str


@dataclass(frozen=True)
class FormBinding:
    """表单绑定. Which form, revision and exact package an entry was made on."""

    number: DocumentNumber
    revision: Revision
    digest: Digest
    """SHA-256 of the form's `compiled.json`, which itself names the digest of `form.docx`."""


@dataclass(frozen=True)
class SealedValue:
    """封存值的公开部分. The salted digest of a sensitive value: SHA-256 over salt and canonical value."""

    digest: Digest


@dataclass(frozen=True)
class Attachment:
    """附件. A file that belongs to an entry, named by digest; stored sealed when it may show sensitive data."""

    name: str
    digest: Digest
    size: int
    sealed: bool = False


@dataclass(frozen=True)
class Entry:
    """条目. One immutable statement in a record's chain."""

    workspace: str
    """The workspace's UUID; an entry cannot be moved to another company's archive."""
    site: str
    record: RecordNumber
    sequence: int
    """From 1, without gaps."""
    previous: Digest | None
    """Digest of the previous entry's bytes; None for the first."""
    act: Act
    form: FormBinding
    by: Signatory
    certificate: Digest
    """SHA-256 of the certificate of `by`, whose signature lies beside the entry."""
    origin: Origin
    at: str
    """Machine time, ISO 8601 with offset, to the second."""
    meaning: str
    """记录, 复核, 批准 … (21 CFR 11.50 a 3)."""
    stage: str
    """The stage the record is in after this entry."""
    company: str = ""
    """Company name at that moment, as printed on the form; a later change of name does not change old prints."""
    values: Mapping[str, Wire] = field(default_factory=dict)
    """Open values that this entry sets; a field set to None is cleared."""
    sealed: Mapping[str, SealedValue] = field(default_factory=dict)
    """Sensitive fields that this entry sets."""
    attachments: Sequence[Attachment] = ()
    reason: str | None = None
    entered_for: str | None = None
    """Whose words these are, when the person entering is only the scribe (代录)."""
    source: Mapping[str, Wire] | None = None
    """Where imported values came from: file name, digest, row."""
    warnings: Sequence[str] = ()
    """Rules of level `warning` that were shown and passed over, by id."""
    shown: Digest | None = None
    """Digest of the rendered docx with sensitive values masked; `verify --rerender` makes it again."""


@dataclass(frozen=True)
class RecordState:
    """记录的当前状态. The fold of a chain: last value of every field, and how it came to be."""

    number: RecordNumber
    form: FormBinding
    stage: str
    values: Mapping[str, Wire]
    sealed: Mapping[str, SealedValue]
    opened_at: str
    opened_by: Signatory
    changed_at: str
    changed_by: Signatory
    entries: int
    head: Digest
    """Digest of the last entry."""
    voided: bool = False
    signed: Mapping[str, tuple[Signatory, str]] = field(default_factory=dict)
    """Stage key → who performed it and when."""
    attachments: Sequence[Attachment] = ()
    corrected: frozenset[str] = frozenset()
    """Fields that were corrected at least once."""
