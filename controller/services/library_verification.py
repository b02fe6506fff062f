"""受控文件验证. Every change of `main` must be covered by a signed statement, exactly (ISO 13485 4.2.4).

Reads the history of `main` once and compares what each commit changed with what its statement names.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import QmsError
from controller.domain.identifiers import Digest
from controller.domain.statement import TRAIL, Event, statement_path
from controller.domain.text import T
from controller.file_formats.effect_file import EFFECT_FILE
from controller.file_formats.signing_rules_file import SIGNING_FILE
from controller.file_formats.statement_file import decode_statement
from controller.services.commit_order import in_zone
from controller.services.effect_verification import EffectVerification
from controller.services.examination_ports import ORDINARY, HistoryUnreadable
from controller.services.people_verification import PEOPLE_FILE, POSTS_FILE, ROOT_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from controller.domain.statement import Statement
    from controller.domain.text import Text
    from controller.services.archive_ports import Archive
    from controller.services.commit_order import CommitOrder
    from controller.services.examination_ports import BranchHistory, HeldStatement, HistoricCommit

MAIN = "main"
_STATEMENT = re.compile(r"[a-z]+(?:/[A-Za-z0-9._-]+)+")
_COMPILED = re.compile(r"templates/forms/([^/]+)/compiled\.json")
_CHANGES = frozenset(
    {
        Event.SITE_OPENED,
        Event.LIBRARY_CHANGED,
        Event.AUTHORITY_REPLACED,
        Event.CHANGE_APPROVED,
        Event.EFFECT_POSTPONED,
    }
)
"""Events, besides those about people, that change files of `main`."""
_KEPT = frozenset({POSTS_FILE, PEOPLE_FILE, ROOT_FILE, SIGNING_FILE})
_NAMED = 5
"""Paths that one message names at most."""


def covers_library(statement: Statement) -> bool:
    """Tell whether a statement says that files of `main` changed."""
    if not statement.files and not statement.new.get("deleted"):
        return False
    return statement.event in _CHANGES or statement.event.value.startswith("person-")


class LibraryVerification:
    """受控文件验证. Examines branch `main` of one workspace."""

    def __init__(self, history: BranchHistory, archive: Archive, order: CommitOrder, *, zone: tzinfo) -> None:
        self._history = history
        self._archive = archive
        self._order = order
        self._zone = zone
        self._effect = EffectVerification(archive, zone=zone)
        self._waiting: dict[str, tuple[str, str]] = {}
        self._used: set[str] = set()
        self.contents: dict[str, Digest] = {}
        """Path → digest of every file of `main` as it stands."""
        self.compiled: set[tuple[str, Digest]] = set()
        """Every compiled form that was ever on `main`: number and digest."""
        self.ever: set[tuple[str, Digest]] = set()
        """Every (path, digest) that was ever on `main`."""
        self.rules: list[tuple[int, bytes]] = []
        """Every version of the signing rules, with the place in the archive's order from which on it was in force."""
        self.posts: list[bytes] = []
        """Every version of the list of posts."""
        self.kept: dict[str, bytes] = {}
        """The files about people as they stand."""
        self.complete = False

    def expect(self, held: HeldStatement) -> None:
        """Note a statement that says that `main` was changed."""
        if covers_library(held.statement):
            self._waiting[held.path] = (held.statement.at, held.statement.subject)

    def findings(self) -> Iterator[Finding]:
        """Yield what is wrong, commit by commit."""
        if self._history.tip(MAIN) is None:
            message = T("工作区没有受控文件分支 main，或读不出来。")
            yield Finding("library-missing", Gravity.ERROR, message, path=MAIN, hint=T("从备份恢复工作区后再验证。"))
            return
        before: HistoricCommit | None = None
        try:
            for commit in self._history.commits(MAIN, statements=True):
                yield from self._commit(commit, before)
                before = commit
            self.complete = True
        except HistoryUnreadable as exc:
            message = T("受控文件的历史从更改 {commit} 起读不出来。", commit=exc.commit[:12])
            yield Finding("library-history-unreadable", Gravity.ERROR, message, hint=T("从备份恢复工作区后再验证。"))

    def missing(self) -> Iterator[Finding]:
        """Yield the statements, of all that were told to `expect`, whose change is not part of `main`."""
        if not self.complete:
            return
        hint = T("受控文件的历史可能被退回或改写；请从备份恢复工作区，并查明是谁改动的。")
        for path, (at, subject) in sorted(self._waiting.items()):
            if path not in self._used:
                message = T("陈述所写的更改不在受控文件的历史中。")
                yield Finding(
                    "library-change-missing",
                    Gravity.ERROR,
                    message,
                    path=path,
                    subject=subject or None,
                    hint=hint,
                    since=at,
                )

    def _commit(self, commit: HistoricCommit, before: HistoricCommit | None) -> Iterator[Finding]:
        since = in_zone(commit.at, self._zone)
        name = commit.commit[:12]

        def wrong(code: str, message: Text, path: str | None = None) -> Finding:
            return Finding(code, Gravity.ERROR, message, path=path, since=since)

        if not commit.follows(before):
            yield wrong(
                "library-history-not-one-line", T("受控文件更改 {commit} 没有接在唯一的前一次更改之后。", commit=name)
            )
        added: dict[str, Digest | None] = {}
        deleted: set[str] = set()
        for change in commit.changes:
            if change.kind == "D":
                deleted.add(change.path)
            elif change.mode != ORDINARY:
                message = T("“{path}”不是普通文件（种类 {mode}）。", path=change.path, mode=change.mode)
                yield wrong("file-kind-wrong", message, change.path)
        effect: bytes | None = None
        wanted = ((change.path, change.content) for change in commit.changes if change.kind != "D")
        for path, data in self._history.contents(wanted):
            added[path] = Digest.of(data) if data is not None else None
            if path == EFFECT_FILE:
                effect = data
            if data is not None and path in _KEPT:
                self._keep(path, data, commit)
            if data is None:
                message = T("“{path}”的内容丢失或损坏，读不出来。", path=path)
                yield wrong("object-damaged", message, path)
        self._note(added, deleted)
        yield from self._covered(commit, added, deleted, since)
        named = commit.statement.removesuffix(".json")
        yield from self._effect.findings(commit, self._statement(f"{named}.json")[0] if named else None, effect)

    def _note(self, added: dict[str, Digest | None], deleted: set[str]) -> None:
        for path in deleted:
            self.contents.pop(path, None)
            self.kept.pop(path, None)
        for path, digest in added.items():
            if digest is None:
                continue
            self.contents[path] = digest
            self.ever.add((path, digest))
            if match := _COMPILED.fullmatch(path):
                self.compiled.add((match[1], digest))

    def _keep(self, path: str, data: bytes, commit: HistoricCommit) -> None:
        self.kept[path] = data
        if path == POSTS_FILE:
            self.posts.append(data)
        elif path == SIGNING_FILE:
            order = self._order.of(f"{commit.statement.removesuffix('.json')}.json") if commit.statement else None
            if not self.rules:
                self.rules.append((0, data))
            elif order is not None:  # rules that no statement covers never came into force
                self.rules.append((order, data))

    def _covered(
        self, commit: HistoricCommit, added: dict[str, Digest | None], deleted: set[str], since: str | None
    ) -> Iterator[Finding]:
        name = commit.commit[:12]
        # The founding of a workspace is stated by the first statement of its trail, which its own commit cannot name.
        named = commit.statement.removesuffix(".json") or (statement_path(TRAIL, 1) if not commit.parents else "")
        if not named:
            message = T(
                "受控文件更改 {commit} 没有签名陈述，改动了 {paths}。", commit=name, paths=_some({*added, *deleted})
            )
            hint = T("受控文件只能通过 qms 更改；查明改动的人，用 qms change 重新采用。")
            yield Finding("library-change-unsigned", Gravity.ERROR, message, path=MAIN, since=since, hint=hint)
            return
        path = f"{named}.json"
        statement, problem = self._statement(path)
        if statement is None:
            message = T(
                "受控文件更改 {commit} 所依据的陈述 {path} 不可用：{problem}", commit=name, path=path, problem=problem
            )
            yield Finding("library-change-unsigned", Gravity.ERROR, message, path=path, since=since)
            return
        if path in self._used:
            message = T("陈述已用于另一次受控文件更改，不能再用于 {commit}。", commit=name)
            yield Finding("library-statement-used-twice", Gravity.ERROR, message, path=path, since=since)
        self._used.add(path)
        if statement.by is None or not covers_library(statement):
            message = T("受控文件更改 {commit} 所依据的陈述不是关于文件更改的。", commit=name)
            yield Finding("library-change-unsigned", Gravity.ERROR, message, path=path, since=since)
            return
        gone = statement.new.get("deleted")
        stated_deleted = {item for item in gone if isinstance(item, str)} if isinstance(gone, list) else set()
        differing = {
            item for item, digest in added.items() if digest is not None and statement.files.get(item) != digest
        }
        differing |= {item for item in statement.files if item not in added}
        differing |= deleted ^ stated_deleted
        if differing:
            message = T("受控文件更改 {commit} 与签名陈述不符：{paths}。", commit=name, paths=_some(differing))
            yield Finding("library-change-differs", Gravity.ERROR, message, path=path, since=since)
        if int(datetime.fromisoformat(statement.at).timestamp()) != commit.at:
            message = T(
                "受控文件更改 {commit} 的时间 {at} 与签名陈述的时间 {stated} 不同。",
                commit=name,
                at=since,
                stated=statement.at,
            )
            yield Finding("library-time-differs", Gravity.ERROR, message, path=path, since=since)

    def _statement(self, path: str) -> tuple[Statement | None, Text | None]:
        if not _STATEMENT.fullmatch(path):
            return None, T("名称不对")
        try:
            data = self._archive.read(path)
            if data is None:
                return None, T("档案中没有它")
            return decode_statement(data, where=path), None
        except QmsError as exc:
            return None, exc.message


def _some(paths: set[str]) -> list[object]:
    """Return the first few of `paths`, for a message."""
    shown: list[object] = list(sorted(paths)[:_NAMED])
    return [*shown, T("等 {count} 个文件", count=len(paths))] if len(paths) > _NAMED else shown
