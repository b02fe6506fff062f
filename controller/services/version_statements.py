"""各版的陈述和签名. What was stated with the changes of a document, and which signatures cover each of its versions."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from controller.domain.document_timeline import StatedChange, VersionSignature
from controller.domain.errors import QmsError
from controller.domain.identifiers import Digest
from controller.domain.paper_signature import paper_of
from controller.domain.record import Signatory
from controller.domain.statement import TRAIL, Event, statement_path
from controller.domain.text import T
from controller.file_formats.statement_file import decode_statement
from controller.services.signed_statement import flaw_of
from controller.services.statement_filing import StoredStatement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import tzinfo

    from controller.domain.document_timeline import DocumentVersion
    from controller.services.archive_ports import Archive
    from controller.services.examination_ports import HistoricCommit
    from controller.services.statement_filing import StatementFiling

_SIGNATURES = frozenset({Event.DOCUMENT_SIGNED, Event.DOCUMENT_SIGNED_ON_PAPER})


class VersionStatements:
    """各版的陈述和签名.

    Args:
        archive: where statements lie.
        statements: reads the signatures on documents.
        zone: the company's time zone.
    """

    def __init__(self, archive: Archive, statements: StatementFiling, zone: tzinfo) -> None:
        self._archive = archive
        self._statements = statements
        self._zone = zone

    def stated(
        self, commit: HistoricCommit, touched: Sequence[str], files: Mapping[str, Digest]
    ) -> StatedChange | None:
        """Return what was stated with a commit that `touched` these paths and left these files; None: nothing was."""
        path = commit.statement or ("" if commit.parents else statement_path(TRAIL, 1))
        data = self._archive.read(f"{path}.json") if path else None
        if data is None:
            return None
        try:
            stated = decode_statement(data, where=path)
        except QmsError:
            return None
        if not commit.statement and stated.event is not Event.SITE_OPENED:
            return None
        signature = self._archive.read(f"{path}.p7s")
        stored = StoredStatement(stated, Digest.of(data), data, {"": signature} if signature else {}, path)
        flaw = flaw_of(stored)
        if flaw is None and commit.statement and any(stated.files.get(item) != files.get(item) for item in touched):
            flaw = T("陈述所写的内容与这次更改不符")
        return StatedChange(stated.event.value, stated.by, stated.reason, stored.digest, path, flaw)

    def signed(self, number: str, versions: Sequence[DocumentVersion]) -> list[DocumentVersion]:
        """Return the versions with the signatures that cover exactly their files."""
        given: dict[int, list[VersionSignature]] = {}
        for revision in dict.fromkeys(item.revision for item in versions if item.revision):
            for stored in self._statements.chain(f"documents/{number}/{revision.replace('/', '-')}"):
                if stored.statement.event not in _SIGNATURES:
                    continue
                covered = {
                    path: digest
                    for path, digest in stored.statement.files.items()
                    if not path.startswith(f"{stored.statement.chain}/")
                }
                at = datetime.fromisoformat(stored.statement.at).astimezone(self._zone)
                same = [item for item in versions if dict(item.files) == covered]
                # Who signs, signs what stands, or the draft of what comes; another change may follow in that second.
                meant = [item for item in same if item.at <= at][-1:] or same[:1]
                signature = _signature(stored, at)
                if meant and signature is not None:
                    given.setdefault(meant[0].serial, []).append(signature)
        return [replace(item, signatures=tuple(given.get(item.serial, ()))) for item in versions]


def _signature(stored: StoredStatement, at: datetime) -> VersionSignature | None:
    """Return the signature that a statement files; None when a signature on paper was asked for in vain."""
    stated = stored.statement
    assert stated.by is not None  # `decode_statement` lets nobody sign without a name
    flaw = flaw_of(stored)
    if stated.event is Event.DOCUMENT_SIGNED:
        return VersionSignature(stated.meaning, stated.by, at, stored.digest, stated.reason, flaw=flaw)
    paper = paper_of(stated.new)
    if paper is None:
        flaw = flaw or T("没有写明纸质签名")
        return VersionSignature(stated.meaning, stated.by, at, stored.digest, stated.reason, flaw=flaw)
    if not paper.signed:
        return None
    by = Signatory(paper.person, paper.name, paper.post)
    told = paper.told(stated.by)
    return VersionSignature(paper.meaning, by, at, stored.digest, stated.reason, on_paper=told, flaw=flaw)
