"""写入审计追踪. States prints, exports, unmasking and refusals in the site's trail before they happen (21 CFR 11.10 e).

Each function files one statement. When it raises, nothing was written and the act must not go on: whoever prints,
exports or shows calls it first and hands nothing over otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.statement import TRAIL, Event
from controller.services.statement_filing import StatementDraft

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.domain.identifiers import Digest
    from controller.domain.record import Wire
    from controller.services.ports import Signer
    from controller.services.statement_filing import FiledStatement, StatementFiling

_CLAIM = 60
_MESSAGE = 300


class Trail:
    """写入审计追踪. Writes to the trail of one site."""

    def __init__(self, filing: StatementFiling) -> None:
        self._filing = filing

    def printed(
        self, signer: Signer, subject: str, shown: Digest, *, facts: Mapping[str, Wire] | None = None
    ) -> FiledStatement:
        """State that `subject` is printed or drawn for use; `shown` is the digest of the file that is handed over."""
        signer.ready("")
        return self._filing.file(
            StatementDraft(TRAIL, Event.PRINTED, subject=subject, new=dict(facts or {}), shown=shown), signer
        )

    def exported(
        self, signer: Signer, subject: str, *, files: Mapping[str, Digest], facts: Mapping[str, Wire] | None = None
    ) -> FiledStatement:
        """State that `subject` is exported to `files` (name → digest)."""
        signer.ready("")
        return self._filing.file(
            StatementDraft(TRAIL, Event.EXPORTED, subject=subject, new=dict(facts or {}), files=dict(files)), signer
        )

    def unmasked(self, signer: Signer, subject: str, *, facts: Mapping[str, Wire] | None = None) -> FiledStatement:
        """State that sensitive values of `subject` are shown to the signed-in person."""
        signer.ready("")
        return self._filing.file(
            StatementDraft(TRAIL, Event.UNMASKED, subject=subject, new=dict(facts or {})), signer
        )

    def refused(
        self, signer: Signer | None, subject: str, code: str, *, claimed: str = "", message: str = ""
    ) -> FiledStatement:
        """State that an act was refused: `code` of the error, and with nobody signed in who was claimed to act.

        Never asks for a passphrase: being refused is no act of the person.
        """
        new: dict[str, Wire] = {"code": code}
        if message:
            new["message"] = message[:_MESSAGE]
        if claimed and signer is None:
            new["claimed"] = claimed[:_CLAIM]
        return self._filing.file(StatementDraft(TRAIL, Event.REFUSED, subject=subject, new=new), signer)
