"""检查. `qms verify`: the whole archive examined, with how much was examined, so that silence means something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.errors import QmsError
from controller.domain.identifiers import Digest
from controller.services.archive_verification import ArchiveVerification

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.domain.conformity import Finding
    from controller.domain.record import Entry, Wire
    from controller.services.archive_witness import ArchiveWitness
    from controller.services.entry_making import EntryMaking
    from controller.services.ports import ExaminedArchive, Progress, RecordKeys
    from controller.services.record_control import RecordControl
    from controller.services.workspace_identity import WorkspaceIdentity

_WRITTEN_DOWN = 16


@dataclass(frozen=True)
class VerificationReport:
    """检查结果. Every finding, and how much was looked at."""

    findings: Sequence[Finding]
    records: int
    entries: int
    rendered: int
    """Prints made again: the masked one of every entry, and the full one where the record's key is here."""
    rendered_same: int
    """Those that came out as stated."""
    unopened: int
    """Records whose sealed content could not be opened for want of a key."""
    tip: str
    """Id of the newest archive commit: as long as it is the same, so is everything before it."""

    @property
    def fingerprint(self) -> str:
        """档案指纹. The beginning of `tip`, short enough to be written down by hand."""
        return self.tip[:_WRITTEN_DOWN]


class _PrintsAgain:
    """重新排版并计数. Makes prints again from the archived form and counts how many."""

    def __init__(self, records: RecordControl, making: EntryMaking) -> None:
        self._records = records
        self._making = making
        self.made = 0

    def __call__(self, chain: Sequence[tuple[Entry, Digest]], opened: Mapping[str, Wire] | None) -> Digest | None:
        try:
            package = self._records.package(chain[0][0].record, chain[0][0].form.digest)
            made = self._making.render(package, chain, opened=opened)
        except QmsError:
            return None
        self.made += 1
        return Digest.of(made)


def verify_archive(
    archive: ExaminedArchive,
    keys: RecordKeys,
    identity: WorkspaceIdentity,
    *,
    prints: tuple[RecordControl, EntryMaking] | None = None,
    progress: Progress | None = None,
    witness: ArchiveWitness | None = None,
) -> VerificationReport:
    """Examine the whole archive; with `prints`, also make every print again and compare its digest."""
    again = _PrintsAgain(*prints) if prints else None
    examined = ArchiveVerification(archive, keys, identity, rerender=again, progress=progress, witness=witness)
    tip = archive.tip()
    findings = list(examined.findings())
    if witness is not None and not examined.rewritten:
        witness.remember(examined.records_seen)
    made = again.made if again else 0
    different = sum(1 for item in findings if item.code == "print-differs")
    return VerificationReport(
        findings=findings,
        records=examined.records_seen,
        entries=examined.entries_seen,
        rendered=made,
        rendered_same=made - different,
        unopened=examined.unopened_seen,
        tip=tip or "",
    )
