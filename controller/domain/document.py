"""受控文件. A procedure, rule or duty document as `document.yml` describes it, and what is kept beside it.

What a document says is in its clauses (`domain.clause`); who signed it and when it is in force is told by signed
statements, so the names and dates here are only what is known from elsewhere, for print (ISO 13485 4.2.4).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.domain.identifiers import DocumentNumber, Revision

CLASS_WORDS = {"SC": "手册", "ZD": "制度", "CX": "程序", "ZZ": "职责"}
"""Class code inside a document number → the word in `document.yml`; forms and registers are kept elsewhere."""


@dataclass(frozen=True)
class SigningStep:
    """起草、审核、批准. Who did it, and on which day as written."""

    name: str
    date: str | None = None


@dataclass(frozen=True)
class HistoryRow:
    """修订记录. One line of the revision history."""

    revision: str
    date: str | None
    clauses: str
    """Clauses changed, as written."""
    reason: str
    by: str
    elsewhere: bool = False
    """系统外. Recovered from an old file: nobody signed it here."""


@dataclass(frozen=True)
class ControlledDocument:
    """受控文件. The control block of one document."""

    number: DocumentNumber
    title: str
    revision: Revision
    class_word: str
    """制度, 程序, 职责 or 手册."""
    owner: str
    """归口部门."""
    status_note: str | None = None
    """Such as 待企业修改; screen only."""
    applies_if: str | None = None
    """适用条件. The business that needs the document, such as 冷链业务; None: every company."""
    related: tuple[str, ...] = ()
    """Numbers of documents that belong to it as a whole."""
    basis: tuple[str, ...] = ()
    """Ids of the external documents it cites."""
    forms: tuple[str, ...] = ()
    """Numbers of the forms it owns."""
    links: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Clause number → numbers of forms, registers, documents, or external document and article (`WL-R3 第二十条`)."""
    company_set: Mapping[str, str] = field(default_factory=dict)
    """Clause number → what in it is 企业自定, not law."""
    drafted: SigningStep | None = None
    reviewed: SigningStep | None = None
    approved: SigningStep | None = None
    effective: str | None = None
    """生效日期 as known from elsewhere."""
    history: tuple[HistoryRow, ...] = ()
    former_number: str | None = None
    """原编号. The number it had before this system, as written."""
    former_revision: str | None = None
    """原版本. The revision it came in with, as written then: 第2版, V1.0."""
    former_block: tuple[str, ...] = ()
    """原控制栏. What an imported file said of itself, line by line as written; screen only."""
    extra: Mapping[str, object] = field(default_factory=dict)
    """Unknown keys, kept so that a newer file survives a read and write."""

    @property
    def approved_elsewhere(self) -> bool:
        """系统外批准. Whether it carries names from before this system; no signature of ours."""
        return any((self.drafted, self.reviewed, self.approved))

    @property
    def effective_day(self) -> date | None:
        """The day of `effective`; None: none is written, or it is no day."""
        try:
            return date.fromisoformat(self.effective) if self.effective else None
        except ValueError:
            return None

    @property
    def told_elsewhere(self) -> str:
        """系统外批准 in one line: who drafted, checked and approved on which day; empty when nobody is named."""
        steps = (("起草", self.drafted), ("审核", self.reviewed), ("批准", self.approved))
        told = [f"{word} {step.name} {step.date or ''}".strip() for word, step in steps if step is not None]
        return f"系统外批准：{'、'.join(told)}" if told else ""


@dataclass(frozen=True)
class GapNote:
    """对标提示. Where a text differs from current law; on screen only, never printed, never put right by itself."""

    id: str
    clause: str | None
    flag: str
    statement: str
    issue: str
    suggestion: str
    certainty: str
    basis: tuple[str, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)


class Validity(StrEnum):
    """外来文件的有效性."""

    CURRENT = "现行"
    NOT_YET = "未施行"
    REPEALED = "废止"
    UNCHECKED = "待核实"


@dataclass(frozen=True)
class ExternalDocument:
    """外来文件. A law, rule or standard the documents cite, with how sure we are of what is written here."""

    id: str
    title: str
    validity: Validity
    certainty: str
    """已核对原文, 二手核对, 待核实."""
    issuer: str | None = None
    document_no: str | None = None
    issued: str | None = None
    effective: str | None = None
    concerns: str | None = None
    note: str | None = None
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class ExternalDocumentList:
    """外来文件清单."""

    documents: tuple[ExternalDocument, ...]
    checked_on: str | None = None
    revision: str = "A/0"
    """版本. Raised by each change of the list."""
    extra: Mapping[str, object] = field(default_factory=dict)

    def find(self, identifier: str) -> ExternalDocument | None:
        """Return the document with that id, None when it is not in the list."""
        return next((item for item in self.documents if item.id == identifier), None)

    def titled(self, title: str) -> ExternalDocument | None:
        """Return the document with that title, the full name of the state left out or not."""
        wanted = title.removeprefix("中华人民共和国")
        return next((item for item in self.documents if item.title.removeprefix("中华人民共和国") == wanted), None)


@dataclass(frozen=True)
class ChecklistItem:
    """检查项. One item of the on-site inspection checklist and our evidence for it."""

    no: int
    clause: str
    key: bool
    """※ 关键项目."""
    topic: str
    looks_at: str
    evidence: tuple[str, ...]
    """Numbers of our documents, forms and registers."""
    self_check: str | None = None
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class InspectionChecklist:
    """现场检查对照表."""

    items: tuple[ChecklistItem, ...]
    source: str | None = None
    extra: Mapping[str, object] = field(default_factory=dict)
