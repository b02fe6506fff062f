"""记录验证. Examines one filed record: entries, chain, form, sealed values, attachments and, on request, its prints."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import QmsError
from controller.domain.identifiers import Digest
from controller.domain.record_chain import chain_findings
from controller.domain.text import T, Text
from controller.file_formats.entry_file import decode_entry
from controller.file_formats.sealed_file import mismatches, unseal, unseal_bytes
from controller.services.signature_verification import SignedThing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from controller.domain.form import FormDefinition
    from controller.domain.identifiers import RecordNumber
    from controller.domain.record import Entry, Wire
    from controller.services.ports import RecordKeys
    from controller.services.signature_verification import SignatureVerification
    from controller.services.workspace_identity import WorkspaceIdentity

_ENTRY = re.compile(r"(\d{4,6})\.json")
_BESIDE_ENTRY = re.compile(r"(\d{4,6})\.(?:sealed|p7s)")
_ATTACHMENT = re.compile(r"attachments/([0-9a-f]{64})(\.sealed)?")


class Rerender(Protocol):
    """重新排版. Makes a record's print again."""

    def __call__(self, chain: Sequence[tuple[Entry, Digest]], opened: Mapping[str, Wire] | None) -> Digest | None:
        """Return the digest of the docx as it stood after `chain`; masked when `opened` is None; None: impossible."""
        ...


@dataclass
class RecordFiles:
    """一份记录的文件. What the archive holds of one record; attachments in clear only as digests."""

    folder: str
    entries: dict[int, bytes] = field(default_factory=dict)
    sealed: dict[int, bytes] = field(default_factory=dict)
    signatures: dict[int, bytes] = field(default_factory=dict)
    attachments: dict[str, Digest] = field(default_factory=dict)
    """Digest in the file's name → digest of its bytes."""
    sealed_attachments: dict[str, bytes] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    damaged: set[str] = field(default_factory=set)
    """Names of files that cannot be read; they have a finding of their own."""

    def add(self, name: str, data: bytes) -> None:
        """Take one file, named relative to the folder."""
        if match := _ENTRY.fullmatch(name):
            self.entries[int(match[1])] = data
        elif match := _BESIDE_ENTRY.fullmatch(name):
            (self.sealed if name.endswith(".sealed") else self.signatures)[int(match[1])] = data
        elif match := _ATTACHMENT.fullmatch(name):
            if match[2]:
                self.sealed_attachments[match[1]] = data
            else:
                self.attachments[match[1]] = Digest.of(data)
        else:
            self.unknown.append(name)


class RecordVerification:
    """记录验证. Knows what every record of the archive must agree with."""

    def __init__(
        self,
        keys: RecordKeys,
        identity: WorkspaceIdentity,
        forms: Mapping[Digest, FormDefinition],
        signatures: SignatureVerification,
        rerender: Rerender | None = None,
        compiled: frozenset[tuple[str, Digest]] | None = None,
    ) -> None:
        self._keys = keys
        self._identity = identity
        self._forms = forms
        self._signatures = signatures
        self._rerender = rerender
        self._compiled = compiled
        self.unopened = 0
        """Records so far whose sealed content could not be opened for want of a key."""

    def findings(self, number: RecordNumber, files: RecordFiles) -> Iterator[Finding]:
        """Yield everything that is wrong with one record."""
        report = _Report(number, files.folder)
        for name in files.unknown:
            yield report("file-unknown", T("档案中有来历不明的文件。"), name)
        chain: list[tuple[Entry, Digest]] = []
        whole = not any(_ENTRY.fullmatch(name) for name in files.damaged)
        for place in sorted(files.entries):
            name = f"{place:04d}.json"
            try:
                entry = decode_entry(files.entries[place], where=f"{files.folder}/{name}")
            except QmsError as exc:
                whole = False
                yield report("entry-unreadable", exc.message, name)
                continue
            if entry.sequence != place or entry.record != number:
                message = T(
                    "文件名与内容不符：内容是 {record} 的第 {sequence} 个条目。",
                    record=entry.record,
                    sequence=entry.sequence,
                )
                yield report("entry-misplaced", message, name)
            chain.append((entry, Digest.of(files.entries[place])))
            yield from self._signature(entry, place, files)
        for place in sorted(files.signatures.keys() - files.entries.keys()):
            if f"{place:04d}.json" not in files.damaged:
                yield report("signature-unexpected", T("有签名，但没有它所签的条目。"), f"{place:04d}.p7s")
        if not chain:
            if whole:
                yield report("record-without-entries", T("记录没有任何条目。"))
            return
        yield from self._chain(report, chain, whole=whole)
        yield from self._sealed(report, chain, files, whole=whole)
        yield from self._attachments(report, chain, files)

    def _signature(self, entry: Entry, place: int, files: RecordFiles) -> Iterator[Finding]:
        path = f"{files.folder}/{place:04d}.json"
        thing = SignedThing(path, files.entries[place], entry.by, entry.certificate, entry.at, entry.record.text)
        signature = files.signatures.get(place)
        if signature is None and f"{place:04d}.p7s" in files.damaged:
            yield from self._signatures.filed_when_stated(thing)
        else:
            yield from self._signatures.findings(thing, signature)

    def _chain(self, report: _Report, chain: Sequence[tuple[Entry, Digest]], *, whole: bool) -> Iterator[Finding]:
        first = chain[0][0]
        if first.workspace != self._identity.id or first.site != self._identity.site:
            yield report("record-of-another-workspace", T("记录不属于这个工作区或站点。"))
        form = self._forms.get(first.form.digest)
        if form is None:
            message = T(
                "记录所用的表单 {form} {revision} 没有归档。", form=first.form.number, revision=first.form.revision
            )
            yield report("form-package-missing", message)
        elif (form.number, form.revision) != (first.form.number, first.form.revision):
            message = T(
                "记录所称的表单 {form} {revision} 与归档的不是同一个。",
                form=first.form.number,
                revision=first.form.revision,
            )
            yield report("form-binding-differs", message)
        elif self._compiled is not None and (first.form.number.text, first.form.digest) not in self._compiled:
            message = T(
                "记录所用的表单 {form} {revision} 从来不是受控文件。",
                form=first.form.number,
                revision=first.form.revision,
            )
            yield report("form-package-never-controlled", message)
        if whole:
            yield from chain_findings(chain, form=form)

    def _sealed(
        self, report: _Report, chain: Sequence[tuple[Entry, Digest]], files: RecordFiles, *, whole: bool
    ) -> Iterator[Finding]:
        expected = {entry.sequence for entry, _ in chain if entry.sealed}
        for place in sorted(files.sealed.keys() - expected):
            yield report("sealed-unexpected", T("有封存内容，但条目没有提到它。"), f"{place:04d}.sealed")
        key = self._keys.get(chain[0][0].record) if expected or files.sealed_attachments else None
        if (expected & files.sealed.keys() or files.sealed_attachments) and key is None:
            self.unopened += 1
            message = T("封存的内容打不开：密钥已处置或缺失。")
            yield report("sealed-key-missing", message, gravity=Gravity.NOTE)
        opened: dict[str, Wire] = {}
        readable = whole
        for place, (entry, _) in enumerate(chain):
            full: Digest | None = None
            name = f"{entry.sequence:04d}.sealed"
            if entry.sealed and entry.sequence not in files.sealed:
                readable = False
                if name not in files.damaged:
                    yield report("sealed-missing", T("条目提到的封存内容不见了。"), name)
            elif entry.sealed and key is not None:
                try:
                    part = unseal(files.sealed[entry.sequence], key, where=f"{files.folder}/{name}")
                except QmsError as exc:
                    readable = False
                    yield report("sealed-unreadable", exc.message, name)
                else:
                    wrong = mismatches(part, entry.sealed)
                    if wrong:
                        yield report("sealed-differs", T("封存的值与条目不符：{fields}。", fields=wrong), name)
                    opened.update(part.values)
                    full = part.docx
            if self._rerender is not None and whole:
                yield from self._prints(report, chain[: place + 1], opened if readable else None, full)

    def _prints(
        self,
        report: _Report,
        chain: Sequence[tuple[Entry, Digest]],
        opened: Mapping[str, Wire] | None,
        full: Digest | None,
    ) -> Iterator[Finding]:
        assert self._rerender is not None
        entry = chain[-1][0]
        name = f"{entry.sequence:04d}.json"
        prints: list[tuple[Digest, Mapping[str, Wire] | None]] = []
        if entry.shown is not None:
            prints.append((entry.shown, None))
        if full is not None and opened is not None:
            prints.append((full, opened))
        for stated, values in prints:
            made = self._rerender(chain, values)
            if made is None:
                yield report("print-impossible", T("第 {place} 个条目不能重新排版。", place=entry.sequence), name)
            elif made != stated:
                yield report(
                    "print-differs", T("第 {place} 个条目重新排版的结果与当时不同。", place=entry.sequence), name
                )

    def _attachments(
        self, report: _Report, chain: Sequence[tuple[Entry, Digest]], files: RecordFiles
    ) -> Iterator[Finding]:
        stated = {item.digest.hex: item for entry, _ in chain for item in entry.attachments}
        key = self._keys.get(chain[0][0].record) if files.sealed_attachments else None
        for name, item in stated.items():
            path = f"attachments/{name}" + (".sealed" if item.sealed else "")
            if path in files.damaged:
                continue
            held = files.sealed_attachments if item.sealed else files.attachments
            if name not in held:
                yield report("attachment-missing", T("附件“{name}”不见了。", name=item.name), path)
            elif not item.sealed and files.attachments[name] != item.digest:
                yield report("attachment-differs", T("附件“{name}”被改动过（摘要不符）。", name=item.name), path)
            elif item.sealed and key is not None:
                yield from self._sealed_attachment(report, path, files.sealed_attachments[name], key, item.digest)
        for name in sorted(files.attachments.keys() | files.sealed_attachments.keys()):
            path = f"attachments/{name}" + ("" if name in files.attachments else ".sealed")
            if name not in stated or stated[name].sealed == (name in files.attachments):
                yield report("attachment-unexpected", T("有附件，但条目没有提到它。"), path)

    @staticmethod
    def _sealed_attachment(report: _Report, path: str, data: bytes, key: bytes, digest: Digest) -> Iterator[Finding]:
        try:
            same = Digest.of(unseal_bytes(data, key, where=path)) == digest
        except QmsError as exc:
            yield report("sealed-unreadable", exc.message, path)
            return
        if not same:
            yield report("attachment-differs", T("封存的附件被改动过（摘要不符）。"), path)


@dataclass(frozen=True)
class _Report:
    number: RecordNumber
    folder: str

    def __call__(self, code: str, message: Text, name: str = "", *, gravity: Gravity = Gravity.ERROR) -> Finding:
        path = f"{self.folder}/{name}".rstrip("/")
        return Finding(code=code, gravity=gravity, message=message, path=path, subject=self.number.text)
