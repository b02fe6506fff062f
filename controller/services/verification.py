"""检查. `qms verify`: the whole workspace examined, with how much was examined, so that silence means something."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import QmsError
from controller.domain.identifiers import Digest
from controller.domain.text import T
from controller.services.archive_verification import ArchiveVerification, Counts, store_findings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from controller.domain.identifiers import RecordNumber
    from controller.domain.record import Entry, Wire
    from controller.services.archive_ports import ExaminedArchive
    from controller.services.archive_verification import VerificationTools
    from controller.services.entry_making import EntryMaking
    from controller.services.examination_ports import WorkspaceExamination
    from controller.services.ports import Progress
    from controller.services.record_reading import RecordReading
    from controller.services.record_standing import RecordStanding
    from controller.services.workspace_identity import WorkspaceIdentity

_WRITTEN_DOWN = 16


@dataclass(frozen=True)
class VerificationReport:
    """检查结果. Every finding, and how much was looked at."""

    findings: Sequence[Finding]
    counts: Counts = field(default_factory=Counts)
    rendered: int = 0
    """Prints made again: the masked one of every entry, and the full one where the record's key is here."""
    rendered_same: int = 0
    """Those that came out as stated."""
    rerendered: bool = False
    """Whether prints were to be made again."""
    tip: str = ""
    """Id of the newest archive commit: as long as it is the same, so is everything before it."""
    root: Digest | None = None
    """Fingerprint of the company's root certificate, to be compared with the sealed sheet."""
    signers: int = 0
    """People who could sign at some time."""

    @property
    def fingerprint(self) -> str:
        """档案指纹. The beginning of `tip`, short enough to be written down by hand."""
        return self.tip[:_WRITTEN_DOWN]

    @property
    def records(self) -> int:
        """Records examined."""
        return self.counts.records

    @property
    def entries(self) -> int:
        """Entries examined."""
        return self.counts.entries

    @property
    def unopened(self) -> int:
        """Records whose sealed content could not be opened for want of a key."""
        return self.counts.unopened

    def of_gravity(self, gravity: Gravity) -> list[Finding]:
        """Return the findings of one gravity."""
        return [item for item in self.findings if item.gravity is gravity]


class PrintsAgain:
    """重新排版并计数. Makes prints again from the archived form and counts how many."""

    def __init__(self, records: RecordReading, making: EntryMaking) -> None:
        self._records = records
        self._making = making
        self.made = 0

    def __call__(self, chain: Sequence[tuple[Entry, Digest]], opened: Mapping[str, Wire] | None) -> Digest | None:
        """Return the digest of the docx as it stood after `chain`; masked when `opened` is None; None: impossible."""
        try:
            package = self._records.package(chain[0][0].record, chain[0][0].form.digest)
            made = self._making.render(package, chain, opened=opened)
        except QmsError:
            return None
        self.made += 1
        return Digest.of(made)


def verify_workspace(
    archive: ExaminedArchive,
    identity: WorkspaceIdentity,
    tools: VerificationTools,
    *,
    surroundings: Sequence[WorkspaceExamination] = (),
    progress: Progress | None = None,
) -> VerificationReport:
    """Examine the whole archive, `main`, and what lies around them."""
    findings = [item for examination in surroundings for item in _safely(examination)]
    examined = ArchiveVerification(archive, identity, tools, progress=progress)
    findings += examined.findings()
    wrong = any(item.gravity is Gravity.ERROR for item in findings)
    if tools.witness is not None and examined.readable and not examined.rewritten and not wrong:
        # Of what is not in order nothing is remembered: the right one, restored, would seem taken back.
        tools.witness.remember(examined.counts.records)
    again = tools.rerender
    made = again.made if isinstance(again, PrintsAgain) else 0
    findings = without_repeats(findings)
    different = sum(1 for item in findings if item.code == "print-differs")
    signers = examined.signers
    return VerificationReport(
        findings=findings,
        counts=examined.counts,
        rendered=made,
        rendered_same=made - different,
        rerendered=again is not None,
        tip=examined.tip or "",
        root=signers.history.roots[-1] if signers and signers.history.roots else None,
        signers=len(signers.history.people()) if signers else 0,
    )


def verify_record(
    archive: ExaminedArchive, identity: WorkspaceIdentity, tools: VerificationTools, number: RecordNumber
) -> RecordStanding:
    """Return who has signed one record, what each signature is worth, and who is still missing.

    Raises:
        RecordNotArchivedError: there is no such record.
    """
    return ArchiveVerification(archive, identity, tools).standing(number)


def unopened_report(
    error: QmsError, surroundings: Sequence[WorkspaceExamination], damage: Sequence[str] = ()
) -> VerificationReport:
    """Return the report on a workspace whose archive cannot even be opened, for `error`."""
    findings = [item for examination in surroundings for item in _safely(examination)]
    findings.extend(store_findings(damage))
    findings.append(Finding(error.code, Gravity.ERROR, error.message, path=error.where, hint=error.hint))
    return VerificationReport(findings=without_repeats(findings))


def without_repeats(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings in order, each said once."""
    seen: set[tuple[str, str | None, str | None, str]] = set()
    kept = []
    for item in findings:
        key = (item.code, item.path, item.subject, str(item.message))
        if key not in seen:
            seen.add(key)
            kept.append(item)
    return kept


def _safely(examination: WorkspaceExamination) -> Iterator[Finding]:
    """Yield what an examination finds; where it cannot go on, that is a finding too."""
    try:
        yield from examination.findings()
    except QmsError as exc:
        message = T("有一项检查没有做完：{problem}", problem=exc.message)
        yield replace(Finding(exc.code, Gravity.ERROR, message, path=exc.where), hint=exc.hint)
