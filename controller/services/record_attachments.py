"""附件取出. The files filed with a record, proven by their digest, under names that any computer can store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.identifiers import Digest
from controller.domain.text import T
from controller.file_formats.sealed_file import unseal_bytes
from controller.services.record_reading import RecordDamagedError, RecordKeyMissingError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from controller.domain.record import Attachment, RecordState
    from controller.services.archive_ports import Archive
    from controller.services.ports import RecordKeys

_NOT_IN_NAMES = frozenset('<>:"|?*')
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))})
_LONGEST_STEM, _LONGEST_SUFFIX = 60, 12


@dataclass(frozen=True)
class TakenOut:
    """取出的附件. `data` is None for a sealed file that was not asked to be opened."""

    attachment: Attachment
    data: bytes | None


def taken_out(state: RecordState, archive: Archive, keys: RecordKeys, *, unmask: bool = False) -> Iterator[TakenOut]:
    """Yield the record's attachments one by one; sealed ones are opened only with `unmask`.

    Raises:
        RecordKeyMissingError: `unmask` was asked for, a file is sealed, and the record's key is not here.
        RecordDamagedError: a file is missing or is not the one that was filed.
    """
    for item in state.attachments:
        path = f"{state.number.folder}/attachments/{item.digest.hex}"
        if item.sealed and not unmask:
            yield TakenOut(item, None)
            continue
        data = archive.read(path + ".sealed" if item.sealed else path)
        if item.sealed and data is not None:
            key = keys.get(state.number)
            if key is None:
                raise RecordKeyMissingError(number=state.number)
            data = unseal_bytes(data, key, where=path)
        if data is None or Digest.of(data) != item.digest:
            raise RecordDamagedError(
                number=state.number.text, problem=T("附件“{name}”缺失或被改动", name=item.name[:120])
            )
        yield TakenOut(item, data)


def storable_name(name: str, taken: Collection[str] = ()) -> str:
    """Return `name` as a plain file name for Windows, macOS and Linux, different from all in `taken` (lower case)."""
    last = name.replace("\\", "/").rsplit("/", maxsplit=1)[-1]
    clean = "".join(
        "_" if character in _NOT_IN_NAMES or not character.isprintable() else character for character in last
    )
    stem, dot, suffix = clean.strip(". ").rpartition(".")
    if not dot or len(suffix) > _LONGEST_SUFFIX:
        stem, suffix = clean.strip(". "), ""
    stem = stem[:_LONGEST_STEM].strip(". ") or "附件"
    if stem.split(".")[0].strip().lower() in _DEVICES:
        stem = "_" + stem
    ending = f".{suffix}" if suffix else ""
    candidate, serial = stem + ending, 2
    while candidate.lower() in taken:
        candidate, serial = f"{stem}({serial}){ending}", serial + 1
    return candidate
