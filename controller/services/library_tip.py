"""受控文件的最新更改. Before anybody acts: the rules in force must be those that somebody signed (21 CFR 11.10 d).

Only the newest change of `main` is looked at, because it is looked at before every act; `qms verify` examines all.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from controller.domain.errors import DamagedError, QmsError
from controller.domain.identifiers import Digest
from controller.domain.text import T
from controller.file_formats.signature_file import check_signature
from controller.file_formats.statement_file import decode_statement
from controller.services.examination_ports import ORDINARY, HistoryUnreadable
from controller.services.library_verification import MAIN, covers_library

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from controller.domain.statement import Statement
    from controller.services.archive_ports import Archive
    from controller.services.examination_ports import HistoricCommit, NewestChange

_STATEMENT = re.compile(r"[a-z]+(?:/[A-Za-z0-9._-]+)+")
_SHORT = 12


class LibraryUnsignedError(DamagedError):
    """受控文件未经签名. Files in force were changed past the program; nobody acts by rules that nobody signed."""

    code = "library-unsigned-now"

    def __init__(self, *, commit: str, before: str) -> None:
        super().__init__(
            T(
                "受控文件最近一次更改 {commit} 没有有效的签名陈述，不能据此办理任何业务，没有归档。",
                commit=commit[:_SHORT],
            ),
            hint=T(
                "运行 qms verify 查明改动；请系统管理员在工作区执行 git reset {before}（只退回历史，文件不动），"
                "再用 qms change status 查看，采用或撤销。",
                before=before[:_SHORT],
            ),
            where=MAIN,
        )


class LibraryTip:
    """受控文件的最新更改. Remembers which one it found signed, so that one command looks once."""

    def __init__(
        self, history: NewestChange, archive: Archive, certificates_of: Callable[[str], Sequence[Digest]]
    ) -> None:
        """`certificates_of` gives every certificate that ever counted for a person."""
        self._history = history
        self._archive = archive
        self._certificates_of = certificates_of
        self._sound: str | None = None

    def check(self) -> None:
        """Make sure that the newest change of `main` is the first, or what a counting signature says.

        Raises:
            LibraryUnsignedError: it is not.
        """
        tip = self._history.tip(MAIN)
        if tip is None or tip == self._sound:
            return
        try:
            newest = self._history.newest(MAIN)
        except HistoryUnreadable:
            newest = None
        if newest is None or (newest.parents and not self._signed(newest)):
            raise LibraryUnsignedError(commit=tip, before=newest.parents[0] if newest and newest.parents else tip)
        self._sound = tip

    def _signed(self, commit: HistoricCommit) -> bool:
        if len(commit.parents) != 1 or not _STATEMENT.fullmatch(commit.statement):
            return False
        try:
            statement = self._statement(commit.statement)
        except QmsError:
            return False
        return statement is not None and covers_library(statement) and self._same(commit, statement)

    def _statement(self, path: str) -> Statement | None:
        """Return the statement at `path` when a certificate of who states it has signed it."""
        data, signature = self._archive.read(f"{path}.json"), self._archive.read(f"{path}.p7s")
        if data is None or signature is None:
            return None
        statement, checked = decode_statement(data, where=path), check_signature(signature, data, where=path)
        if statement.by is None or not checked.intact or checked.certificate != statement.certificate:
            return None
        return statement if checked.certificate in self._certificates_of(statement.by.person) else None

    def _same(self, commit: HistoricCommit, statement: Statement) -> bool:
        kept = [item for item in commit.changes if item.kind != "D"]
        if any(item.mode != ORDINARY for item in kept):
            return False
        contents = self._history.contents([(item.path, item.content) for item in kept])
        added = {path: Digest.of(data) if data is not None else None for path, data in contents}
        gone = statement.new.get("deleted")
        stated = {item for item in gone if isinstance(item, str)} if isinstance(gone, list) else set()
        deleted = {item.path for item in commit.changes if item.kind == "D"}
        return added == dict(statement.files) and deleted == stated
