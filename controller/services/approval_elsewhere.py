"""系统外批准. Reads what was stated about approvals from before this system (event `approved-elsewhere`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.document_signatures import ElsewhereApproval
from controller.domain.statement import Event
from controller.services.signed_statement import flaw_of

if TYPE_CHECKING:
    from controller.domain.record import Wire
    from controller.services.statement_filing import StoredStatement

_STEPS = {"elsewhere_drafted": "起草", "elsewhere_reviewed": "审核", "elsewhere_approved": "批准"}
"""Keys of the statement → what was done."""


def elsewhere_of(stored: StoredStatement) -> ElsewhereApproval | None:
    """Return the approval that a statement attests to, None for a statement about anything else."""
    stated = stored.statement
    if stated.event is not Event.APPROVED_ELSEWHERE or stated.by is None:
        return None
    steps = [(meaning, *_named(stated.new.get(key))) for key, meaning in _STEPS.items() if key in stated.new]
    scans = [(path, digest) for path, digest in stated.files.items() if path.startswith(f"{stated.chain}/")]
    name = _text(stated.new.get("scan"))
    return ElsewhereApproval(
        steps=steps,
        effective=_text(stated.new.get("effective")),
        by=stated.by,
        at=stated.at,
        path=stored.path,
        scan=(name or "扫描件", scans[0][0]) if scans else None,
        scan_digest=scans[0][1] if scans else None,
        flaw=flaw_of(stored),
    )


def _named(value: Wire) -> tuple[str, str]:
    return (_text(value.get("name")), _text(value.get("at"))) if isinstance(value, dict) else ("", "")


def _text(value: Wire) -> str:
    return value if isinstance(value, str) else ""
