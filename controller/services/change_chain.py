"""更改的读取. Reads changes from their chains, and shows a draft as if it were in the library already."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from controller.domain.change_folding import fold_change
from controller.domain.change_request import STATUS_LABELS
from controller.domain.errors import DamagedError, NotFoundError, RefusedError
from controller.domain.identifiers import Digest
from controller.domain.statement import CHANGES, Event
from controller.domain.text import T
from controller.services.controlled_items import SCREEN_ONLY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from controller.domain.change_request import ChangeRequest
    from controller.domain.text import Text
    from controller.services.archive_ports import Archive
    from controller.services.ports import LibraryFiles
    from controller.services.statement_filing import StatementFiling

_NUMBER = re.compile(r"(?P<year>\d{4})-(?P<serial>\d{1,4})")


_ENDS = frozenset(
    {
        Event.CHANGE_APPROVED,
        Event.EFFECT_POSTPONED,
        Event.CHANGE_ISSUED,
        Event.CHANGE_CLOSED,
        Event.CHANGE_CANCELLED,
    }
)
"""The newest statement of a change that nobody drafts any more."""


class UnknownChangeError(NotFoundError):
    """没有这项更改."""

    code = "change-number-unknown"

    def __init__(self, *, number: str) -> None:
        super().__init__(
            T("没有编号为“{number}”的更改。", number=number[:40]), hint=T("用 qms change list 查看全部更改。")
        )


class ChangeDamagedError(DamagedError):
    """更改已损坏. Its chain says something that no change can say, or a file of its draft is gone."""

    code = "change-damaged"

    def __init__(self, *, number: str, path: str) -> None:
        super().__init__(
            T("更改 {number} 不能读出。", number=number),
            hint=T("运行 qms verify 查看全部问题，并从备份恢复。"),
            where=path,
        )


class ChangeNotOpenError(RefusedError):
    """更改不在办理中. It is approved, given up or done."""

    code = "change-not-open"

    def __init__(self, *, number: str, status: Text) -> None:
        super().__init__(
            T("更改 {number} 的状态是“{status}”，不能再改。", number=number, status=status),
            hint=T("要继续修改，请提出新的更改（qms change open）。"),
        )


class ChangeRequests:
    """文件更改. Reads the changes of one site."""

    def __init__(self, archive: Archive, statements: StatementFiling) -> None:
        self._archive = archive
        self._statements = statements

    def numbers(self) -> list[str]:
        """Return the numbers of all changes, oldest first."""
        return self._archive.listing(CHANGES)

    def resolve(self, wanted: str) -> str:
        """Return the number meant by `wanted`: `2026-0003`, `2026-3`, or `3` of the year that has changes last.

        Raises:
            UnknownChangeError: there is none.
        """
        numbers, text = self.numbers(), wanted.strip()
        if text.isdecimal() and numbers:
            text = f"{numbers[-1][:4]}-{text}"
        match = _NUMBER.fullmatch(text)
        number = f"{match['year']}-{int(match['serial']):04d}" if match else text
        if number not in numbers:
            raise UnknownChangeError(number=wanted)
        return number

    def read(self, wanted: str) -> ChangeRequest:
        """Return one change.

        Raises:
            UnknownChangeError: there is none of that number.
            ChangeDamagedError: its chain cannot be read.
        """
        number = self.resolve(wanted)
        chain = chain_of(number)
        found = [item.statement for item in self._statements.chain(chain)]
        try:
            return fold_change(number, found)
        except (ValueError, TypeError, AssertionError) as exc:
            raise ChangeDamagedError(number=number, path=chain) from exc

    def all(self) -> Iterator[ChangeRequest]:
        """Yield every change, the newest first."""
        for number in reversed(self.numbers()):
            yield self.read(number)

    def open(self) -> Iterator[ChangeRequest]:
        """Yield what is neither approved nor given up, the newest first; of other changes only the end is read."""
        for number in reversed(self.numbers()):
            newest = self._statements.newest(chain_of(number))
            if newest is not None and newest.statement.event not in _ENDS:
                yield self.read(number)

    def open_of(self, item: str) -> ChangeRequest | None:
        """Return the change that an item is in and that is neither approved nor given up, None when there is none."""
        return next((found for found in self.open() if found.item(item) is not None), None)

    def content(self, number: str, digest: Digest) -> bytes:
        """Return a file of a draft by its digest.

        Raises:
            ChangeDamagedError: the archive does not hold it.
        """
        path = content_path(number, digest)
        data = self._archive.read(path)
        if data is None:
            raise ChangeDamagedError(number=number, path=path)
        return data

    def draft(self, request: ChangeRequest, library: LibraryFiles) -> DraftFiles:
        """Return the library as it will be with the draft of `request`."""
        return DraftFiles(library, self, request)


class DraftFiles:
    """草稿文件. Implements `LibraryFiles`: the draft of a change laid over the library."""

    def __init__(self, library: LibraryFiles, requests: ChangeRequests, request: ChangeRequest) -> None:
        self._library = library
        self._requests = requests
        self.request = request

    @property
    def _files(self) -> Mapping[str, Digest]:
        return self.request.files

    def revision(self) -> str:
        """Return what tells two states of the draft apart."""
        return f"{self.request.number}/{self.request.sequence}"

    def read(self, path: str) -> bytes | None:
        """Return the file's bytes, or None when there is none."""
        if path in self._files:
            return self._requests.content(self.request.number, self._files[path])
        return None if self._drafted(path) else self._library.read(path)

    def folders(self, path: str) -> list[str]:
        """Return the names directly below folder `path` that are folders, sorted."""
        hidden = {own for item in self.request.items for own in item.paths}
        found = {name for name in self._library.folders(path) if f"{path}/{name}" not in hidden}
        if self._drafted(path):
            found = set()
        inside = (name.removeprefix(f"{path}/") for name in self._files if name.startswith(f"{path}/"))
        return sorted(found | {name.split("/", maxsplit=1)[0] for name in inside if "/" in name})

    def files(self, path: str) -> list[str]:
        """Return the paths of all files below folder `path`, sorted."""
        found = {name for name in self._library.files(path) if not self._drafted(name)}
        return sorted(found | {name for name in self._files if name.startswith(f"{path}/")})

    def _drafted(self, path: str) -> bool:
        """Tell whether a path belongs to the draft alone; what is for the screen only stays as it is."""
        return any(item.holds(path) for item in self.request.items) and path.rpartition("/")[2] not in SCREEN_ONLY


def check_open(request: ChangeRequest) -> None:
    """Make sure that a change can still be worked on; raises `ChangeNotOpenError`."""
    if not request.open:
        raise ChangeNotOpenError(number=request.number, status=STATUS_LABELS[request.status])


def chain_of(number: str) -> str:
    """Return the chain of a change."""
    return f"{CHANGES}/{number}"


def content_path(number: str, digest: Digest) -> str:
    """Return where the archive keeps a file of a draft."""
    return f"{chain_of(number)}/files/{digest.hex}"


def missing_contents(archive: Archive, number: str, contents: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the archive files that a saved draft needs and that are not there yet; `contents` by path on `main`."""
    wanted = {content_path(number, Digest.of(data)): data for data in contents.values()}
    return {path: data for path, data in wanted.items() if archive.read(path) is None}
