"""机器外的见证. Keeps the daily statements on a network share or a stick; implements `OutsideWitness`.

What cannot be brought there waits in the outbox, so that it is brought even if the archive was taken back meanwhile.
Nothing that lies there is ever replaced.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from controller.domain.errors import QmsError
from controller.domain.identifiers import Digest
from controller.domain.text import T, Text
from controller.file_formats.certificate_file import to_der, to_pem
from controller.services.timestamp_ports import WitnessCopy, WitnessUnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

_NAME = re.compile(r"(\d{8})-([0-9a-f]{16})(\.json|\.p7s|\.tsr)")
_ROOT = re.compile(r"root-[0-9a-f]{64}\.pem")
_LARGEST = 4 * 1024 * 1024
_SUFFIXES = (".p7s", ".tsr", ".json")
"""The statement comes last: where it is, the others are."""
README = "说明.txt"
_TOLD = (
    "这里是文控工作区每日摘要的机器外副本。qms verify 用它发现整个工作区被退回或重做。\n"
    "请勿修改或删除；最好由不管理文控电脑的人保管。\n"
)


class WitnessFolder:
    """机器外的文件夹. One site's part of it; `folder` itself must exist, so that a missing stick is noticed."""

    def __init__(self, folder: Path, *, workspace: str, site: str, outbox: Path, apart_from: Sequence[Path]) -> None:
        """`apart_from`: trees that the folder must not lie in or around."""
        self._top = folder
        self._folder = folder / f"wenkong-{workspace}" / site
        self._roots = folder / f"wenkong-{workspace}"
        self._outbox = outbox
        self._apart_from = apart_from

    @property
    def place(self) -> str:
        """The folder, for people."""
        return str(self._top)

    def deliver(self, copies: Sequence[WitnessCopy], roots: Sequence[bytes]) -> int:
        """Bring the copies and roots there, with those that waited; return how many statements were new.

        Raises:
            WitnessUnreachableError: they wait on this computer.
        """
        named = {name: data for copy in copies for name, data in _named(copy)}
        try:
            there = self._there()
            for name, data in named.items():
                if name not in there:
                    _put(self._outbox / name, data)
            self._require()
            _put(self._roots / README, _TOLD.encode())
            for root in roots:
                _put(self._roots / f"root-{Digest.of(root).hex}.pem", to_pem(root))
            return self._empty_outbox()
        except OSError as exc:
            raise self._unusable(exc) from exc

    def sequences(self) -> set[int]:
        """Return the numbers of the statements kept there; none when it cannot be reached."""
        return {int(name[:8]) for name in self._there() if name.endswith(".json")}

    def copies(self, *, newest: int | None = None) -> list[WitnessCopy]:
        """Return the statements kept there, in order of sequence; the `newest` of them, or all.

        Raises:
            WitnessUnreachableError: the folder is not there or cannot be read.
        """
        self._require()
        found: dict[tuple[int, str], dict[str, bytes]] = {}
        try:
            present = self._present()
            numbers = sorted({name[:8] for name in present})
            chosen = set(numbers if newest is None else numbers[-newest:])
            for name in sorted(present):
                if name[:8] not in chosen:
                    continue
                match = _NAME.fullmatch(name)
                assert match is not None
                found.setdefault((int(match[1]), match[2]), {})[match[3]] = _read(self._folder / name)
        except OSError as exc:
            raise self._unusable(exc) from exc
        # What was not brought whole has no statement, and is brought again the next time.
        return [WitnessCopy(sequence, files) for (sequence, _), files in found.items() if ".json" in files]

    def roots(self) -> list[bytes]:
        """Return every company root kept there.

        Raises:
            WitnessUnreachableError: the folder is not there or cannot be read.
        """
        self._require()
        try:
            found = [_read(self._roots / name) for name in sorted(_names(self._roots)) if _ROOT.fullmatch(name)]
        except OSError as exc:
            raise self._unusable(exc) from exc
        return [_der(data) for data in found]

    def _there(self) -> set[str]:
        try:
            return self._present() if self._unreachable() is None else set()
        except OSError:
            return set()

    def _present(self) -> set[str]:
        return {name for name in _names(self._folder) if _NAME.fullmatch(name)}

    def _empty_outbox(self) -> int:
        count = 0
        waiting = [name for name in _names(self._outbox) if _NAME.fullmatch(name)]
        for name in sorted(waiting, key=lambda item: (item[:25], _SUFFIXES.index(item[25:]))):
            new = _put(self._folder / name, _read(self._outbox / name))
            count += new and name.endswith(".json")
        for name in waiting:
            (self._outbox / name).unlink(missing_ok=True)
        return count

    def _unreachable(self) -> Text | None:
        top = self._top.resolve()
        for other in self._apart_from:
            tree = other.resolve()
            if top == tree or tree in top.parents or top in tree.parents:
                return T("它与“{other}”在同一个文件夹里，不能算另一个地方", other=str(other))
        return None if top.is_dir() else T("找不到这个文件夹")

    def _require(self) -> None:
        problem = self._unreachable()
        if problem is not None:
            raise WitnessUnreachableError(folder=str(self._top), problem=problem)

    def _unusable(self, exc: OSError) -> WitnessUnreachableError:
        return WitnessUnreachableError(folder=str(self._top), problem=T("{detail}", detail=exc.strerror or str(exc)))


def _named(copy: WitnessCopy) -> Iterator[tuple[str, bytes]]:
    stem = f"{copy.sequence:08d}-{Digest.of(copy.files['.json']).hex[:16]}"
    return ((stem + suffix, copy.files[suffix]) for suffix in _SUFFIXES if suffix in copy.files)


def _names(folder: Path) -> Iterable[str]:
    try:
        return [item.name for item in os.scandir(folder) if item.is_file(follow_symlinks=False)]
    except FileNotFoundError:
        return []


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise OSError(None, path.name)
    return data


def _der(data: bytes) -> bytes:
    try:
        return to_der(data)
    except QmsError:
        # What is no certificate is no root that anybody knows; the comparison says so.
        return data


def _put(path: Path, data: bytes) -> bool:
    """Write a file whole, unless one of that name is there; tell whether it was new."""
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with unfinished.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return True
