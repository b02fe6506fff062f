"""记录的签署情况. Who has signed one record, what each signature is worth, who is missing (21 CFR 11.50).

Four answers are kept apart for each signature. *Intact*: the bytes are what was signed, with the stated certificate.
*Valid*: the certificate was in its time. *Trusted*: it counted for that person, under that name and post. *Timely*: the
stated time is that of the commit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.errors import NotFoundError, QmsError
from controller.domain.record import Act
from controller.domain.text import T
from controller.file_formats.entry_file import decode_entry
from controller.services.record_examination import RecordExaminer
from controller.services.signature_verification import SignatureVerification, SignedThing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from controller.domain.conformity import Finding
    from controller.domain.form import FormDefinition
    from controller.domain.identifiers import RecordNumber
    from controller.domain.record import Entry, Signatory
    from controller.services.examination_ports import FolderWalk
    from controller.services.ports import RecordKeys
    from controller.services.record_examination import RecordExamination

_INTACT = frozenset(
    {"signature-missing", "signature-unreadable", "signature-not-intact", "signature-wrong-certificate"}
)
_VALID = frozenset({"certificate-expired", "certificate-not-yet-valid"})
_TIMELY = frozenset({"signature-time-differs", "time-differs-from-commit"})


class RecordNotArchivedError(NotFoundError):
    """档案中没有这份记录."""

    code = "record-not-archived"

    def __init__(self, *, number: str) -> None:
        super().__init__(
            T("档案中没有记录 {number}。", number=number), hint=T("用 qms record list 查看已归档的记录。"), where=number
        )


@dataclass(frozen=True)
class SignatureVerdict:
    """一个签名的结论. What one entry's signature is worth; `findings` say why where an answer is no."""

    sequence: int
    act: Act
    by: Signatory
    at: str
    meaning: str
    stage: str
    """Label of the stage."""
    intact: bool
    valid: bool
    trusted: bool
    timely: bool
    findings: Sequence[Finding] = ()

    @property
    def counts(self) -> bool:
        """Whether all four are so."""
        return self.intact and self.valid and self.trusted and self.timely


@dataclass(frozen=True)
class MissingStep:
    """还缺的一步. A stage that the record has not been through."""

    stage: str
    posts: Sequence[str]
    """Names of the posts that may sign it; empty: anybody."""
    following: bool
    """True when it can be next."""


@dataclass(frozen=True)
class RecordStanding:
    """记录的签署情况."""

    number: str
    title: str
    stage: str
    voided: bool
    signed: Sequence[SignatureVerdict]
    missing: Sequence[MissingStep]
    findings: Sequence[Finding] = ()
    """What is wrong with the record beside its signatures."""

    @property
    def sound(self) -> bool:
        """Whether every signature counts and nothing else is wrong."""
        return not self.findings and all(item.counts for item in self.signed)


class RecordStandings:
    """记录的签署情况. Works out the standing of records of one archive."""

    def __init__(self, known: RecordExamination, walk: FolderWalk, keys: RecordKeys) -> None:
        self._known = known
        self._walk = walk
        self._keys = keys

    def of(self, number: RecordNumber) -> RecordStanding:
        """Return the standing of a record.

        Raises:
            RecordNotArchivedError: not even one entry of it can be read.
        """
        inside = f"{number.folder}/"
        walked = self._walk.files([number.folder], lambda _path: None)
        files = {path.removeprefix(inside): data for path, data in walked}
        entries = _entries(number, files)
        if not entries:
            raise RecordNotArchivedError(number=number.text)
        form = self._known.forms.get(entries[0][0].form.digest)
        labels = {stage.key: stage.label for stage in form.stages} if form else {}
        signatures = SignatureVerification(self._known.trust, self._known.order)
        signed = []
        told: set[tuple[str, str | None]] = set()
        for entry, data in entries:
            stem = f"{entry.sequence:04d}"
            path = f"{number.folder}/{stem}.json"
            thing = SignedThing(path, data, entry.by, entry.certificate, entry.at, entry.record.text)
            found = list(signatures.findings(thing, files.get(f"{stem}.p7s")))
            told |= {(item.code, item.path) for item in found}
            signed.append(_verdict(entry, found, labels))
        every = RecordExaminer(self._walk, self._keys, self._known).examine([number.folder]).findings
        last = entries[-1][0]
        voided = last.act is Act.VOIDED
        return RecordStanding(
            number=number.text,
            title=form.title if form else "",
            stage=labels.get(last.stage, last.stage),
            voided=voided,
            signed=signed,
            missing=[] if voided or form is None else _missing(form, last.stage, self._known.trust.post_name),
            findings=[item for item in every if (item.code, item.path) not in told],
        )


def _entries(number: RecordNumber, files: Mapping[str, bytes]) -> list[tuple[Entry, bytes]]:
    found = []
    for name in sorted(files):
        if name.endswith(".json") and name.removesuffix(".json").isdecimal():
            try:
                found.append((decode_entry(files[name], where=f"{number.folder}/{name}"), files[name]))
            except QmsError:
                continue  # among the findings about the record
    return found


def _verdict(entry: Entry, found: Sequence[Finding], labels: Mapping[str, str]) -> SignatureVerdict:
    codes = {item.code for item in found}
    return SignatureVerdict(
        sequence=entry.sequence,
        act=entry.act,
        by=entry.by,
        at=entry.at,
        meaning=entry.meaning,
        stage=labels.get(entry.stage, entry.stage),
        intact=not codes & _INTACT,
        valid=not codes & _VALID,
        trusted=not codes - _INTACT - _VALID - _TIMELY,
        timely=not codes & _TIMELY,
        findings=tuple(found),
    )


def _missing(form: FormDefinition, here: str, name: Callable[[str], str]) -> list[MissingStep]:
    """Return the stages that can still follow before the record is closed, in the order of the form."""
    closing = {stage.key for stage in form.stages if stage.final}
    ahead: set[str] = set()
    reached = {here} - closing
    while reached:
        found = {stage.key for stage in form.stages if set(stage.after) & reached} - ahead - {here}
        ahead |= found
        reached = found - closing
    return [
        MissingStep(
            stage.label,
            [] if "any" in stage.by else [name(key) for key in stage.by],
            here in stage.after,
        )
        for stage in form.stages
        if stage.key in ahead
    ]
