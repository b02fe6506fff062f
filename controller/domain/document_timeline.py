"""文件更改历史. Every change of one document in order: what it became, who stated the change and why, who signed it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from controller.domain.document_comparison import compare
from controller.domain.revision_timeline import RevisionTimeline
from controller.domain.statement import Event
from controller.domain.text import T
from controller.domain.trail_event import EVENT_LABELS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from controller.domain.change_request import ChangeRequest
    from controller.domain.document import HistoryRow
    from controller.domain.document_comparison import Comparison, DocumentText
    from controller.domain.identifiers import Digest
    from controller.domain.record import Signatory
    from controller.domain.revision_timeline import RevisionEvent
    from controller.domain.text import Text

DRAFTED, REVIEWED, APPROVED = "起草", "审核", "批准"
"""Meanings of the signatures on a document, as `signatures/routes.yml` has them."""


@dataclass(frozen=True)
class VersionSignature:
    """对一次内容的签名. A filed signature that covers exactly the files of one version."""

    meaning: str
    by: Signatory
    at: datetime
    statement: Digest
    reason: str | None = None
    on_paper: str = ""
    """What was signed on paper and who took it in, in one line; empty for an electronic signature."""
    flaw: Text | None = None
    """What is wrong with it; None: nothing that can be seen here."""

    @property
    def counts(self) -> bool:
        """Whether nothing speaks against it."""
        return self.flaw is None


@dataclass(frozen=True)
class StatedChange:
    """更改陈述. Who changed the library, as the signed statement of the change says."""

    event: str
    by: Signatory | None
    reason: str | None
    statement: Digest
    path: str
    """Archive path of the statement, without suffix."""
    flaw: Text | None = None
    """What is wrong with its signature or with what it says of the files; None: nothing that can be seen here."""


@dataclass(frozen=True)
class DocumentVersion:
    """一次更改之后的文件. The document as one change left it."""

    serial: int
    """Which change of the document this is, from 1."""
    at: datetime
    """When it became part of the controlled library, in company time."""
    commit: str
    revision: str
    text: DocumentText | None
    """None: the document was taken away by this change, or what it left cannot be read (`problem`)."""
    contents: Digest
    """Digest over all source files, as on the signature page."""
    files: Mapping[str, Digest]
    """Source files by library path."""
    stated: StatedChange | None
    """None: no signed statement is behind this change."""
    signatures: tuple[VersionSignature, ...] = ()
    problem: Text | None = None
    change: ChangeRequest | None = None
    """The change that brought it, or whose draft it is; None: it came without one."""

    @property
    def draft(self) -> bool:
        """Whether it is the draft of a change, not yet approved."""
        return self.change is not None and not self.commit

    @property
    def gone(self) -> bool:
        """Whether the document was taken away by this change."""
        return not self.files

    @property
    def why(self) -> Text | str:
        """The stated reason; for a change without one, what was stated instead, such as 建立站点."""
        if self.change is not None:
            return self.change.reason
        if self.stated is None:
            return ""
        return self.stated.reason or EVENT_LABELS[Event(self.stated.event)]

    @property
    def author(self) -> str:
        """Name of who drafted it, or stated the change; empty when nobody did."""
        if self.change is not None:
            return self.change.drafter.name
        return self.stated.by.name if self.stated is not None and self.stated.by is not None else ""

    def signed(self, meaning: str) -> VersionSignature | None:
        """Return the last signature with `meaning` that counts."""
        found = [item for item in self.signatures if item.meaning == meaning and item.counts]
        return found[-1] if found else None

    @property
    def recovered(self) -> tuple[HistoryRow, ...]:
        """What the document itself says of this revision: approvals and changes from before this system."""
        if self.change is not None:
            return ()
        rows = self.text.document.history if self.text is not None else ()
        former = self.text.document.former_revision if self.text is not None else None
        return tuple(row for row in rows if row.revision in {self.revision, former})

    @property
    def elsewhere(self) -> str:
        """系统外批准. The names and days from before this system, in one line; empty when there are none."""
        return self.text.document.told_elsewhere if self.text is not None else ""


class RevisionStatus(StrEnum):
    """版本状态."""

    PENDING = "pending"
    IN_FORCE = "in-force"
    OBSOLETE = "obsolete"
    NEVER = "never"


STATUS_LABELS: Mapping[RevisionStatus, Text] = {
    RevisionStatus.PENDING: T("待生效"),
    RevisionStatus.IN_FORCE: T("现行有效"),
    RevisionStatus.OBSOLETE: T("作废"),
    RevisionStatus.NEVER: T("未曾生效"),
}


@dataclass(frozen=True)
class RevisionHistory:
    """一个版本的历史. A revision with every change that was made under its name; the last one is its text."""

    revision: str
    versions: tuple[DocumentVersion, ...]
    since: date
    """First day in force, as stated last."""
    until: date | None
    """First day on which it governs no longer; None: no end is known."""
    followed_by: str | None
    """Revision that governs from that day; None: nothing does, it is withdrawn."""

    @property
    def first(self) -> DocumentVersion:
        """The change with which the revision came."""
        return self.versions[0]

    @property
    def last(self) -> DocumentVersion:
        """The revision as it stood last."""
        return self.versions[-1]

    def status(self, on: date) -> RevisionStatus:
        """Return how the revision stands on a day."""
        if self.until is not None and self.until <= self.since and self.last.at.date() < self.since:
            return RevisionStatus.NEVER
        if self.until is not None and self.until <= on:
            return RevisionStatus.OBSOLETE
        return RevisionStatus.PENDING if self.since > on else RevisionStatus.IN_FORCE

    def signed(self, meaning: str) -> VersionSignature | None:
        """Return the signature with `meaning` on the revision as it stood last."""
        return self.last.signed(meaning)

    @property
    def approved(self) -> tuple[str, datetime] | None:
        """Name and moment of the approval of the revision as it stood last; None: nobody approved it here."""
        signature = self.signed(APPROVED)
        if signature is not None:
            return signature.by.name, signature.at
        change = self.last.change
        stated = change.signed(Event.CHANGE_APPROVED) if change is not None else None
        return (stated.by.name, datetime.fromisoformat(stated.at)) if stated is not None else None

    @property
    def elsewhere(self) -> str:
        """系统外批准. The names and days from before this system, in one line; empty for what a change brought."""
        return self.last.elsewhere if self.change is None else ""

    @property
    def effective(self) -> date:
        """First day in force; of what came in from before this system, the day that it says itself."""
        text = self.last.text if self.change is None else None
        stated = text.document.effective_day if text is not None else None
        return stated if stated is not None and stated <= self.since else self.since

    @property
    def change(self) -> ChangeRequest | None:
        """The change that brought the revision."""
        return self.last.change


@dataclass(frozen=True)
class DocumentTimeline:
    """文件时间线. All changes of one document, oldest first, with clause ids that hold through all of them."""

    number: str
    title: str
    versions: tuple[DocumentVersion, ...]
    events: tuple[RevisionEvent, ...] = ()
    """What became known of its revisions and of the days from which they govern."""

    @property
    def readable(self) -> tuple[DocumentVersion, ...]:
        """The versions that have a text."""
        return tuple(item for item in self.versions if item.text is not None)

    @property
    def revisions(self) -> tuple[RevisionHistory, ...]:
        """The revisions in order, each with its changes and the days on which it governs."""
        periods = self.periods.periods()
        of = {item.event.commit: item for item in periods}
        begin = {item.since: item.revision for item in periods}
        grouped = groupby((item for item in self.versions if item.commit in of), key=lambda item: item.revision)
        found = []
        for revision, group in grouped:
            versions = tuple(group)
            if not revision:
                continue
            until = of[versions[-1].commit].until
            followed = begin.get(until) if until is not None else None
            since = of[versions[0].commit].since
            found.append(RevisionHistory(revision, versions, since, until, followed))
        return tuple(found)

    @property
    def periods(self) -> RevisionTimeline:
        """When which revision was in force."""
        return RevisionTimeline(self.number, self.events)

    def governing(self, on: date, *, known: datetime) -> DocumentVersion | None:
        """Return the version that governs on a day by what was known at a moment."""
        period = self.periods.in_force(on, known=known)
        commit = period.event.commit if period is not None else None
        return next((item for item in self.versions if item.commit == commit), None) if commit else None

    def revision(self, name: str) -> RevisionHistory | None:
        """Return the revision of that name, as it stood last."""
        return next((item for item in reversed(self.revisions) if item.revision == name), None)

    def comparisons(self) -> list[tuple[DocumentVersion, DocumentVersion, Comparison]]:
        """Return each version with the one before it and what changed between them."""
        readable = self.readable
        return [
            (before, after, compare(before.text, after.text))
            for before, after in pairwise(readable)
            if before.text is not None and after.text is not None
        ]


def approved_since(
    versions: Sequence[DocumentVersion], start: int, holds: Sequence[bool]
) -> tuple[DocumentVersion, VersionSignature] | None:
    """Return the first approval that covers something since version `start`, as long as it `holds` unchanged."""
    for place in range(start, len(versions)):
        if not holds[place]:
            return None
        signature = versions[place].signed(APPROVED)
        if signature is not None:
            return versions[place], signature
    return None
