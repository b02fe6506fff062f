"""记录检查. Examines the records below some folders of the archive, here or in other processes.

The archive is cut into parts; each part gives one result, and the results together, in the order of the parts, are the
same however many processes made them.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from hashlib import blake2b, sha256
from itertools import groupby
from typing import TYPE_CHECKING, Protocol

from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import QmsError
from controller.domain.identifiers import Digest, InvalidIdentifierError, RecordNumber
from controller.domain.text import T
from controller.services.record_verification import RecordFiles, RecordVerification
from controller.services.signature_verification import SignatureVerification

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from controller.domain.form import FormDefinition
    from controller.services.commit_order import CommitOrder
    from controller.services.examination_ports import FolderWalk
    from controller.services.ports import RecordKeys
    from controller.services.record_verification import Rerender
    from controller.services.signature_verification import Trust
    from controller.services.workspace_identity import WorkspaceIdentity

RECORD_DEPTH = 5
"""Parts of the path of a record's folder."""


@dataclass(frozen=True)
class RecordExamination:
    """检查所需. What must be known to examine records: plain data, the same in every process."""

    identity: WorkspaceIdentity
    forms: Mapping[Digest, FormDefinition]
    compiled: frozenset[tuple[str, Digest]] | None
    """Form number and digest of every compiled form that was ever on `main`; None: unknown."""
    trust: Trust
    order: CommitOrder
    bounds: Sequence[int] = ()
    """Positions of the archive heads that the daily statements name, ascending."""


@dataclass
class Examined:
    """一部分的检查结果."""

    findings: list[Finding] = field(default_factory=list)
    records: int = 0
    entries: int = 0
    signatures: int = 0
    unopened: int = 0
    serials: list[tuple[str, int, int]] = field(default_factory=list)
    """Form, year and serial of every record found, damaged ones too."""
    lost: list[tuple[str, int, int]] = field(default_factory=list)
    """Those of which something cannot be read."""
    heads: int = 0
    """All records with their heads in one number (`head_mark`), whatever their order."""
    added: dict[int, bytes] = field(default_factory=dict)
    """Daily statement → lines `<sha256>  <path>` of the files here that it covers."""


class RecordExaminers(Protocol):
    """检查进程. Runs the examination of records, here or spread over processes; results come in order."""

    def examine(self, examination: RecordExamination, parts: Sequence[Sequence[str]]) -> Iterator[Examined]:
        """Yield the result for each part (a list of folders of the archive) in the order of `parts`."""
        ...


class AddedLines:
    """新增文件的行. Collects `<sha256>  <path>` lines of files by the daily statement that covers them."""

    def __init__(self, order: CommitOrder, bounds: Sequence[int]) -> None:
        self._order = order
        self._bounds = bounds
        self.lines: dict[int, bytearray] = {}

    def passing(self, files: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
        """Yield `files` (in path order) as they are, taking note of each."""
        if not self._bounds:
            yield from files
            return
        for path, data in files:
            order = self._order.of(path)
            place = len(self._bounds) if order is None else bisect_left(self._bounds, order)
            if place < len(self._bounds):
                line = f"{sha256(data).hexdigest()}  {path}\n".encode("utf-8", "surrogateescape")
                self.lines.setdefault(place, bytearray()).extend(line)
            yield path, data


class RecordExaminer:
    """记录检查. Examines one part after another in this process."""

    def __init__(
        self, walk: FolderWalk, keys: RecordKeys, examination: RecordExamination, *, rerender: Rerender | None = None
    ) -> None:
        self._walk = walk
        self._examination = examination
        self._signatures = SignatureVerification(examination.trust, examination.order)
        self._records = RecordVerification(
            keys, examination.identity, examination.forms, self._signatures, rerender, examination.compiled
        )

    def examine(self, folders: Sequence[str]) -> Examined:
        """Return everything about the records below `folders`, given in path order."""
        made = Examined()
        damaged: list[str] = []
        signatures, unopened = self._signatures.checked, self._records.unopened
        added = AddedLines(self._examination.order, self._examination.bounds)
        walked = added.passing(self._walk.files(folders, damaged.append))
        for folder, files in groupby(walked, key=lambda item: "/".join(item[0].split("/")[:RECORD_DEPTH])):
            self._record(folder, files, damaged, made)
        self._damage(damaged, made)
        made.signatures = self._signatures.checked - signatures
        made.unopened = self._records.unopened - unopened
        made.added = {place: bytes(lines) for place, lines in added.lines.items()}
        return made

    def _record(self, folder: str, files: Iterable[tuple[str, bytes]], damaged: list[str], made: Examined) -> None:
        order = self._examination.order
        record = RecordFiles(folder)
        path = folder
        for path, data in files:
            record.add(path[len(folder) + 1 :], data)
        record.damaged.update(item[len(folder) + 1 :] for item in damaged if item.startswith(f"{folder}/"))
        self._damage(damaged, made)
        number = record_number(folder.rpartition("/")[2])
        if number is None or path == folder:
            message = T("档案中有来历不明的文件。")
            made.findings.append(Finding("file-unknown", Gravity.ERROR, message, path=folder, since=order.since(path)))
            return
        made.records += 1
        made.entries += len(record.entries)
        made.serials.append((number.form, number.year, number.serial))
        if record.entries:
            made.heads ^= head_mark(number.text, Digest.of(record.entries[max(record.entries)]).text)
        opened = order.since(f"{folder}/0001.json")
        if number.folder != folder:
            message = T("记录 {number} 不在它应在的位置 {place}。", number=number, place=number.folder)
            made.findings.append(
                Finding("record-misplaced", Gravity.ERROR, message, path=folder, subject=number.text, since=opened)
            )
        try:
            made.findings.extend(self._records.findings(number, record))
        except QmsError as exc:
            made.findings.append(Finding(exc.code, Gravity.ERROR, exc.message, path=exc.where or folder, hint=exc.hint))

    def _damage(self, damaged: list[str], made: Examined) -> None:
        for path in damaged:
            made.findings.append(damage(path))
            parts = path.split("/")
            number = record_number(parts[RECORD_DEPTH - 1]) if len(parts) >= RECORD_DEPTH else None
            if number is not None:
                # The number is accounted for: its damage is told, it is no gap.
                made.lost.append((number.form, number.year, number.serial))
        damaged.clear()


def head_mark(number: str, head: str) -> int:
    """Return a number for a record and the digest of its last entry; those of many records are joined by `^`."""
    return int.from_bytes(blake2b(f"{number} {head}".encode(), digest_size=16).digest(), "big")


def record_number(text: str) -> RecordNumber | None:
    """Return the record number that `text` is, None when it is none."""
    try:
        return RecordNumber(text)
    except InvalidIdentifierError:
        return None


def damage(path: str) -> Finding:
    """Return the finding for what cannot be read at `path`."""
    return Finding(
        code="object-damaged",
        gravity=Gravity.ERROR,
        message=T("内容丢失或损坏，读不出来。"),
        path=path or None,
        hint=T("从备份恢复工作区后再验证。"),
    )


def parts_of(listing: Callable[[str], list[str]], forms: Sequence[str], *, weight: int) -> list[list[str]]:
    """Cut the folders of `forms` into parts of about `weight` folders of a hundred records, in path order.

    `listing` gives the names directly below a path. With weight 0 each form is one part.
    """
    if not weight:
        return [[form] for form in forms]
    parts: list[list[str]] = []
    room = 0
    for form in forms:
        for folders, size in _cut(listing, form, weight):
            if room < size or not parts:
                parts.append([])
                room = weight
            parts[-1].extend(folders)
            room -= size
    return parts


def _cut(listing: Callable[[str], list[str]], form: str, weight: int) -> Iterator[tuple[list[str], int]]:
    """Yield groups of folders below one form, each with its weight, that together are all of the form."""
    for year in _below(listing, form):
        for thousands in _below(listing, year):
            hundreds = _below(listing, thousands)
            if hundreds == [thousands] or len(hundreds) <= weight:
                yield [thousands], len(hundreds)
                continue
            for begin in range(0, len(hundreds), weight):
                group = hundreds[begin : begin + weight]
                yield group, len(group)


def _below(listing: Callable[[str], list[str]], path: str) -> list[str]:
    """Return the paths directly below `path` in path order, or itself where it cannot be cut further."""
    try:
        names = listing(path)
    except QmsError:
        return [path]
    if not names or any("." in name for name in names):
        return [path]  # a file among folders sorts in its own way: such a folder stays whole
    return [f"{path}/{name}" for name in names]
