"""记录读取. Records as the archive keeps them: the chain, its form, what is sealed, and prints of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.closing_lines import closing_lines
from controller.domain.errors import DamagedError, NotFoundError, RefusedError
from controller.domain.identifiers import Digest
from controller.domain.record_chain import fold
from controller.domain.text import T, Text
from controller.file_formats.compiled_form import read_compiled
from controller.file_formats.entry_file import decode_entry
from controller.file_formats.sealed_file import mismatches, unseal
from controller.services.entry_making import view_of
from controller.services.form_library import FormPackage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.domain.identifiers import RecordNumber
    from controller.domain.record import Entry, RecordState, Wire
    from controller.domain.record_view import RecordView
    from controller.services.record_desk import RecordDesk


class UnknownRecordError(NotFoundError):
    """没有这份记录. The archive holds no record of that number."""

    code = "record-unknown"

    def __init__(self, *, number: str) -> None:
        super().__init__(
            T("档案中没有记录 {number}。", number=number[:60]),
            hint=T("用 qms record list 或 qms record search 查找编号。"),
        )


class RecordDamagedError(DamagedError):
    """记录已损坏. The record's chain or its form cannot be read."""

    code = "record-damaged"

    def __init__(self, *, number: str, problem: Text) -> None:
        super().__init__(
            T("记录 {number} 不能读出：{problem}", number=number, problem=problem),
            hint=T("运行 qms verify 查看全部问题，并从备份恢复。"),
        )


class RecordKeyMissingError(RefusedError):
    """缺少记录密钥. The record holds sealed values and their key is not on this machine, or was destroyed."""

    code = "record-key-missing"

    def __init__(self, *, number: RecordNumber) -> None:
        super().__init__(
            T("记录 {number} 有加密保存的内容，本机没有它的密钥，不能打开。", number=number),
            hint=T("在存有密钥的电脑上操作，或从密钥备份恢复；查看时不加 --unmask 可看其余内容。"),
        )


@dataclass(frozen=True)
class StoredRecord:
    """一份已归档的记录. Its chain, its state, the form it was made on, and the sensitive values that opened."""

    entries: Sequence[tuple[Entry, Digest]]
    state: RecordState
    package: FormPackage
    opened: Mapping[str, Wire]
    """Sensitive values, by field; empty unless they were asked for."""

    @property
    def before(self) -> dict[str, Wire]:
        """What the record says so far, open and opened together."""
        return {**self.state.values, **self.opened}


class RecordReading:
    """记录读取. Reads and prints the records of one workspace."""

    def __init__(self, desk: RecordDesk) -> None:
        self._desk = desk
        self._packages: dict[Digest, FormPackage] = {}

    def read(self, number: RecordNumber, *, unmask: bool = False) -> StoredRecord:
        """Return the record as it is stored; with `unmask` its sensitive values too.

        Raises:
            UnknownRecordError: there is none of that number.
            RecordKeyMissingError: `unmask` was asked for and the key is not here.
            RecordDamagedError, BrokenChainError: its chain, its form or its sealed values are not whole.
        """
        entries: list[tuple[Entry, Digest]] = []
        sealed: dict[str, bytes] = {}
        for name in self._desk.archive.listing(number.folder):
            path = f"{number.folder}/{name}"
            data = self._desk.archive.read(path)
            if name.endswith(".json") and data is not None:
                entries.append((decode_entry(data, where=path), Digest.of(data)))
            elif name.endswith(".sealed") and data is not None:
                sealed[path] = data
        if not entries:
            raise UnknownRecordError(number=number.text)
        package = self.package(number, entries[0][0].form.digest)
        state = fold(entries, form=package.definition)
        return StoredRecord(entries, state, package, self._opened(number, entries, sealed) if unmask else {})

    def _opened(
        self, number: RecordNumber, entries: Sequence[tuple[Entry, Digest]], sealed: Mapping[str, bytes]
    ) -> dict[str, Wire]:
        """Return the sensitive values, each proven by the entry that states it."""
        opened: dict[str, Wire] = {}
        key = self._desk.keys.get(number)
        for entry, _ in entries:
            if not entry.sealed:
                continue
            if key is None:
                raise RecordKeyMissingError(number=number)
            path = f"{number.folder}/{entry.sequence:04d}.sealed"
            if path not in sealed:
                raise RecordDamagedError(number=number.text, problem=T("封存内容 {path} 缺失", path=path))
            part = unseal(sealed[path], key, where=path)
            if mismatches(part, entry.sealed):
                raise RecordDamagedError(number=number.text, problem=T("封存内容 {path} 与条目不符", path=path))
            opened.update(part.values)
        return opened

    def package(self, number: RecordNumber, digest: Digest) -> FormPackage:
        """Return the form package `digest` as the archive keeps it."""
        if digest in self._packages:
            return self._packages[digest]
        folder = f"controlled-forms/{digest.hex}"
        compiled = self._desk.archive.read(f"{folder}/compiled.json")
        docx = self._desk.archive.read(f"{folder}/form.docx")
        if compiled is None or docx is None or Digest.of(compiled) != digest:
            raise RecordDamagedError(number=number.text, problem=T("归档的表单 {digest} 缺失或被改动", digest=digest))
        form = read_compiled(compiled, where=f"{folder}/compiled.json")
        if Digest.of(docx) != form.docx:
            raise RecordDamagedError(number=number.text, problem=T("归档的表单 {digest} 缺失或被改动", digest=digest))
        found = FormPackage(definition=form.definition, docx=docx, parts=form.parts, compiled=compiled, digest=digest)
        self._packages[digest] = found
        return found

    def view(self, number: RecordNumber, *, unmask: bool = False) -> tuple[StoredRecord, RecordView]:
        """Return the record and what a screen shows of it."""
        record = self.read(number, unmask=unmask)
        closing = closing_lines(record.package.definition, record.entries)
        opened = record.opened if unmask else None
        return record, view_of(record.package.definition, record.state, opened=opened, closing=closing)

    def print(self, number: RecordNumber, *, unmask: bool = False) -> bytes:
        """Return the record as docx on the form it was made on; sensitive values masked unless `unmask`."""
        record = self.read(number, unmask=unmask)
        return self._desk.making.render(record.package, record.entries, opened=record.opened if unmask else None)
