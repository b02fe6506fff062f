"""文件的评审和副本. What is said of reviews and copies wherever a document is shown (ISO 13485 4.2.4 b, e)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from controller.domain.controlled_copies import OUT, OWED, STATE_LABELS
from controller.domain.errors import QmsError
from controller.domain.text import T

if TYPE_CHECKING:
    from controller.bootstrap import Application
    from controller.cli.output import Output
    from controller.domain.text import Text


def review_flag(application: Application, number: str) -> Text | str:
    """Return what must be said of a document's review, empty where nothing is or nobody can tell."""
    try:
        return application.periodic_review.flag(number) or ""
    except QmsError:
        return ""  # a damaged history is told by `qms verify`; the document is shown all the same


def standing_rows(application: Application, number: str) -> list[list[object]]:
    """Return the rows about the next review and the copies of a document in force."""
    rows: list[list[object]] = []
    try:
        standing = application.periodic_review.standing(number)
    except QmsError:
        standing = None
    if standing is not None:
        rows.append([T("下次评审"), review_flag(application, number) or standing.due])
    reading = application.copies
    governing = reading.governing(number)
    states = Counter(item.state(reading.today, governing) for item in reading.held(number).copies)
    if states:
        told = [
            T("{state} {count} 份", state=label, count=states[state])
            for state, label in STATE_LABELS.items()
            if states[state]
        ]
        rows.append([T("受控副本"), told])
    out = [item for item in reading.held(number).copies if item.state(reading.today, governing) in OWED]
    if out:
        rows.append([T("待签收、待收回"), [f"{item.copy} {item.revision} {item.holder.told}" for item in out]])
    return rows


def standing_facts(application: Application, number: str, out: Output) -> dict[str, Any]:
    """Return the same as data."""
    reading = application.copies
    governing = reading.governing(number)
    copies = reading.held(number).copies
    flag = review_flag(application, number)
    try:
        due = application.periodic_review.standing(number).due.isoformat()
    except QmsError:
        due = None
    return {
        "next_review": due,
        "review_flag": (out.text(flag) if not isinstance(flag, str) else flag) or None,
        "copies": {
            "out": sum(item.state(reading.today, governing) in OUT for item in copies),
            "outstanding": sum(item.state(reading.today, governing) in OWED for item in copies),
        },
    }
