"""更改验证. What lies beside the chains of changes: every file of a draft, named by its digest and by a statement."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.identifiers import Digest
from controller.domain.statement import Event
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from controller.domain.text import Text
    from controller.services.commit_order import CommitOrder
    from controller.services.examination_ports import HeldStatement

_CONTENT = re.compile(r"(changes/\d{4}-\d{4})/files/([0-9a-f]{64})")
_DRAFTS = frozenset({Event.CHANGE_OPENED, Event.DRAFT_SAVED})


def is_draft_content(path: str) -> bool:
    """Tell whether an archive path is where a file of a draft lies."""
    return _CONTENT.fullmatch(path) is not None


class ChangeVerification:
    """更改验证. Compares what the statements of changes name with what lies beside them."""

    def __init__(self, order: CommitOrder) -> None:
        self._order = order
        self._there: dict[tuple[str, str], Digest] = {}
        self._named: dict[tuple[str, str], str] = {}
        self.saved: set[tuple[str, Digest]] = set()
        """Every (path on `main`, digest) that a draft ever had."""

    def passing(self, files: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
        """Yield the files that belong to chains, and note those that belong to drafts."""
        for path, data in files:
            match = _CONTENT.fullmatch(path)
            if match is None:
                yield path, data
            else:
                self._there[match[1], match[2]] = Digest.of(data)

    def note(self, held: HeldStatement) -> None:
        """Take in what a statement of a change names."""
        statement = held.statement
        if statement.event in _DRAFTS:
            for path, digest in statement.files.items():
                self._named.setdefault((statement.chain, digest.hex), held.path)
                self.saved.add((path, digest))

    def findings(self, damaged: Iterable[str] = ()) -> Iterator[Finding]:
        """Yield what differs, is missing, or came from nowhere; `damaged` paths have a finding of their own."""
        unreadable = set(damaged)
        for (chain, name), digest in sorted(self._there.items()):
            path = f"{chain}/files/{name}"
            if digest.hex != name:
                yield self._wrong("change-content-differs", T("草稿的文件被改动过（摘要不符）。"), path)
            elif (chain, name) not in self._named:
                yield self._wrong("file-unknown", T("档案中有来历不明的文件。"), path)
        for (chain, name), stated in sorted(self._named.items()):
            path = f"{chain}/files/{name}"
            if (chain, name) not in self._there and path not in unreadable:
                message = T("陈述 {path} 所写的草稿文件不见了。", path=stated)
                yield self._wrong("change-content-missing", message, path, told=stated)

    def _wrong(self, code: str, message: Text, path: str, *, told: str = "") -> Finding:
        """Return a finding as old as `told`: what is missing is so since the statement that names it."""
        return Finding(code, Gravity.ERROR, message, path=path, since=self._order.since(told or path))
