"""版本一览的显示. Each revision of a document: approved, issued, in force from when to when, why, who has read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from controller.cli.training_view import share_shown
from controller.domain.document_timeline import STATUS_LABELS, RevisionStatus
from controller.domain.statement import Event
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from controller.cli.output import Output
    from controller.domain.document_timeline import DocumentTimeline, RevisionHistory
    from controller.domain.text import Text
    from controller.domain.training_standing import TrainingStanding

    Reading = Mapping[str, TrainingStanding]
    """Revision → who has read it."""


def show_revisions(timeline: DocumentTimeline, reading: Reading, today: date, out: Output) -> None:
    """Print the revisions, oldest first."""
    rows = []
    for item in timeline.revisions:
        read = reading.get(item.revision)
        rows.append(
            [
                item.revision,
                told_status(item, today),
                _who(item.approved) or item.elsewhere,
                _who(_issued(item)),
                item.effective if item.status(today) is not RevisionStatus.NEVER else "",
                item.change.number if item.change is not None else "",
                item.first.why,
                share_shown(read) if read is not None else "",
            ]
        )
    heads = [T("版本"), T("状态"), T("批准"), T("发放"), T("生效"), T("更改"), T("原因"), T("阅知")]
    out.table(heads, rows)
    out.line()


def told_status(item: RevisionHistory, today: date) -> Text:
    """Return how a revision stands, with the day on which it ended."""
    status = item.status(today)
    if item.until is None or status is RevisionStatus.NEVER:
        return STATUS_LABELS[status]
    if status is RevisionStatus.OBSOLETE and item.followed_by is not None:
        return T("作废（{day} 起由 {revision} 代替）", day=item.until, revision=item.followed_by)
    if status is RevisionStatus.OBSOLETE:
        return T("作废（{day} 起）", day=item.until)
    if item.followed_by is not None:
        return T(
            "{status}（{day} 起由 {revision} 代替）",
            status=STATUS_LABELS[status],
            day=item.until,
            revision=item.followed_by,
        )
    return T("{status}（{day} 起作废）", status=STATUS_LABELS[status], day=item.until)


def revision_data(item: RevisionHistory, reading: Reading, today: date) -> dict[str, Any]:
    """Return a revision as data."""
    change, read = item.change, reading.get(item.revision)
    return {
        "revision": item.revision,
        "status": item.status(today).value,
        "approved": _who_data(item.approved),
        "issued": _who_data(_issued(item)),
        "elsewhere": item.elsewhere or None,
        "effective": item.effective.isoformat(),
        "until": item.until.isoformat() if item.until is not None else None,
        "replaced_by": item.followed_by if item.until is not None else None,
        "change": change.number if change is not None else None,
        "reason": change.reason if change is not None else None,
        "drafted": change.drafter.name if change is not None else None,
        "reviewed": [stated.by.name for stated in change.counting if stated.event is Event.CHANGE_REVIEWED]
        if change is not None
        else [],
        "read": None
        if read is None
        else {"settled": read.settled, "assigned": read.assigned, "waived": read.waived, "percent": read.share},
    }


def _issued(item: RevisionHistory) -> tuple[str, str] | None:
    change = item.change
    return (change.issued.name, change.issued_at) if change is not None and change.issued is not None else None


def _who(found: tuple[str, object] | None) -> str:
    return f"{found[0]} {str(found[1])[:10]}" if found is not None else ""


def _who_data(found: tuple[str, object] | None) -> dict[str, str] | None:
    return {"name": found[0], "at": str(found[1]).replace(" ", "T")} if found is not None else None
