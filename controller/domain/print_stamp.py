"""打印标识. What every page of a copy of a controlled document says about the copy itself (ISO 13485 4.2.4).

Whoever holds a page sees without asking what document and revision it is, and whether it may be worked by.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime

SEPARATOR = " · "
COPY_OF_SIGNED = "副本，电子签名以原件为准"
"""Said on a copy made of a signed PDF: the signatures can be checked in the original alone."""


class StampKind(StrEnum):
    """打印件类别. The value is stable; `label` is what stands on the page."""

    CONTROLLED = "controlled"
    UNCONTROLLED = "uncontrolled"
    DRAFT = "draft"
    OBSOLETE = "obsolete"
    TRAINING = "training"
    PENDING = "pending"

    @property
    def label(self) -> str:
        """The word across the page."""
        return _LABELS[self]

    @property
    def warning(self) -> str:
        """What the holder must not do with the copy; empty where nothing needs to be said."""
        return _WARNINGS.get(self, "")


_LABELS = {
    StampKind.CONTROLLED: "受控",
    StampKind.UNCONTROLLED: "非受控",
    StampKind.DRAFT: "草案",
    StampKind.OBSOLETE: "作废",
    StampKind.TRAINING: "培训用",
    StampKind.PENDING: "未生效",
}
_WARNINGS = {
    StampKind.DRAFT: "未批准，不得据此作业",
    StampKind.OBSOLETE: "仅供查考，不得据此作业",
    StampKind.PENDING: "已批准未生效，不得据此作业",
}


@dataclass(frozen=True)
class PrintStamp:
    """打印标识. One copy: which document, what kind of copy, whose, since when and until when."""

    kind: StampKind
    number: str
    revision: str
    copy_no: str | None
    """受控号; only controlled copies have one."""
    holder: str | None
    """领用部门或领用人 of a controlled copy."""
    printed_at: datetime
    """Aware, in the company's time zone."""
    valid_until: date | None
    """Last day on which the copy may be looked at; None: as long as the document stands."""
    by: str
    """Name of who printed it."""
    note: str = ""
    """One thing more to say, such as the day on which the revision takes effect."""

    @property
    def watermark(self) -> str:
        """What stands large and pale across the page."""
        return self.kind.label

    @property
    def ribbon(self) -> str:
        """The line along the edge."""
        parts = [f"{self.number} {self.revision}".strip(), self.kind.label, self.kind.warning, self.note]
        if self.copy_no:
            parts.append(f"受控号 {self.copy_no}")
        if self.holder:
            parts.append(f"领用 {self.holder}")
        parts.append(f"打印 {self.printed_at:%Y-%m-%d} {self.by}".strip())
        if self.valid_until is not None:
            parts.append(f"有效至 {self.valid_until.isoformat()}")
        return SEPARATOR.join(part for part in parts if part)
