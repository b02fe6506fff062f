"""某日的体系状态. Which documents, forms and registers were in force on a day, by what was known then (4.2.4).

Read from the history of branch `main` in one pass, without reading more of a file than its control lines: the state of
any day is there at once, however many revisions there are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from controller.domain.document_timeline import APPROVED
from controller.domain.errors import QmsError, RefusedError
from controller.domain.identifiers import Digest
from controller.domain.library_day import ItemKind, ItemOnDay, LibraryDay, StatedApproval
from controller.domain.paper_signature import paper_of
from controller.domain.revision_timeline import RevisionPeriod, RevisionTimeline
from controller.domain.statement import TRAIL, Event, Statement, statement_path
from controller.domain.text import T
from controller.file_formats.canonical_json import encode
from controller.file_formats.statement_file import decode_statement
from controller.file_formats.yaml_text import load_yaml
from controller.services.controlled_items import SCREEN_ONLY
from controller.services.document_history import MAIN, HistoryDamagedError
from controller.services.examination_ports import HistoryUnreadable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import tzinfo

    from controller.services.archive_ports import Archive
    from controller.services.examination_ports import HistoricCommit
    from controller.services.history_ports import LibraryHistory
    from controller.services.ports import Clock

_FOLDERS: Mapping[str, tuple[ItemKind, str]] = {
    "procedures": (ItemKind.DOCUMENT, "document.yml"),
    "templates/forms": (ItemKind.FORM, "form.yml"),
    "templates/registers": (ItemKind.REGISTER, "register.yml"),
}
"""Folder → what lies in it, and the file whose control lines say number, title and revision."""
_CONTROL_LINE = re.compile(r"^(?:number|title|revision):[^\n]*(?=\n(?![ \t])|\n?\Z)", re.MULTILINE)


class DayInFutureError(RefusedError):
    """日期还没有到. The state of a day that has not come cannot be known."""

    code = "day-in-future"

    def __init__(self, *, day: date, today: date) -> None:
        super().__init__(
            T("{day} 还没有到（公司时间今天是 {today}）。", day=day, today=today),
            hint=T("请写今天或以前的日期。"),
        )


class DayBeforeWorkspaceError(RefusedError):
    """那时还没有本工作区. Nothing is known of a day before the workspace was made."""

    code = "day-before-workspace"

    def __init__(self, *, day: date, first: datetime) -> None:
        super().__init__(
            T("{day} 时本工作区还没有建立，系统里没有那天的内容。", day=day),
            hint=T("最早可查的日期是 {first}；更早的情况见各文件的修订记录。", first=first.date()),
        )


@dataclass
class _Item:
    """One folder of the library while its history goes by."""

    files: dict[str, str] = field(default_factory=dict)
    periods: list[RevisionPeriod] = field(default_factory=list)
    last: HistoricCommit | None = None
    control: dict[str, str] = field(default_factory=dict)


class LibraryState:
    """某日的体系状态服务.

    Args:
        history: the commits of the controlled library.
        archive: where statements lie.
        clock: what day it is.
        zone: the company's time zone: days begin at 00:00 there.
    """

    def __init__(self, history: LibraryHistory, archive: Archive, clock: Clock, zone: tzinfo) -> None:
        self._history = history
        self._archive = archive
        self._clock = clock
        self._zone = zone
        self._stated: dict[str, Statement | None] = {}

    def on(self, day: date) -> LibraryDay:
        """Return what was in force on `day`, by what was known when it ended.

        Raises:
            DayInFutureError: the day has not come.
            DayBeforeWorkspaceError: there was no workspace yet.
            HistoryDamagedError: the history cannot be read.
        """
        now = self._clock.now().astimezone(self._zone)
        if day > now.date():
            raise DayInFutureError(day=day, today=now.date())
        end = datetime.combine(day + timedelta(days=1), time(), self._zone) - timedelta(seconds=1)
        known = min(end, now)
        commits = self._commits()
        if not commits or commits[0].at > known.timestamp():
            first = datetime.fromtimestamp(commits[0].at, self._zone) if commits else now
            raise DayBeforeWorkspaceError(day=day, first=first)
        items = self._items([commit for commit in commits if commit.at <= known.timestamp()])
        found = [
            told
            for (kind, name), item in sorted(
                items.items(), key=lambda entry: (list(ItemKind).index(entry[0][0]), entry[0][1])
            )
            if (told := self._told(kind, name, item, day, known)) is not None
        ]
        return LibraryDay(day, known, tuple(found))

    def _commits(self) -> list[HistoricCommit]:
        tip = self._history.tip(MAIN)
        if tip is None:
            return []
        try:
            return list(self._history.log(tip, paths=tuple(_FOLDERS), statements=True))
        except HistoryUnreadable as exc:
            raise HistoryDamagedError(commit=exc.commit) from exc

    def _items(self, commits: Sequence[HistoricCommit]) -> dict[tuple[ItemKind, str], _Item]:
        """Let the history go by; what lies directly in a folder of the library belongs to no item."""
        items: dict[tuple[ItemKind, str], _Item] = {}
        read: dict[str, dict[str, str]] = {}
        for commit in commits:
            touched: set[tuple[ItemKind, str]] = set()
            for change in commit.changes:
                found = _item_of(change.path)
                if found is None:
                    continue
                kind, name, inside = found
                item = items.setdefault((kind, name), _Item())
                if change.kind == "D":
                    item.files.pop(change.path, None)
                else:
                    item.files[change.path] = change.content
                if kind is not ItemKind.DOCUMENT or inside not in SCREEN_ONLY:
                    touched.add((kind, name))
            at = datetime.fromtimestamp(commit.at, self._zone)
            for key in touched:
                self._pass(items[key], key, commit, at, read)
        return items

    def _pass(
        self,
        item: _Item,
        key: tuple[ItemKind, str],
        commit: HistoricCommit,
        at: datetime,
        read: dict[str, dict[str, str]],
    ) -> None:
        kind, name = key
        item.last = commit
        folder, control_file = next((folder, file) for folder, (of, file) in _FOLDERS.items() if of is kind)
        content = item.files.get(f"{folder}/{name}/{control_file}")
        last = item.periods[-1] if item.periods else None
        if content is None:
            if last is not None and last.ended is None:
                item.periods[-1] = RevisionPeriod(last.revision, last.known, last.effective, at.date(), at)
            return
        if content not in read:
            read[content] = self._control_lines(content)
        item.control = read[content]
        revision = item.control.get("revision", "")
        if last is None or last.ended is not None or last.revision != revision:
            item.periods.append(RevisionPeriod(revision, at))

    def _control_lines(self, content: str) -> dict[str, str]:
        """Return number, title and revision of a description, without reading the rest of it where that can be."""
        data = next((data for _name, data in self._history.contents([("", content)])), None)
        text = (data or b"").decode("utf-8", "replace").replace("\r\n", "\n").removeprefix("\ufeff")
        for part in ("\n".join(_CONTROL_LINE.findall(text)), text):
            try:
                found = load_yaml(part, where=content)
            except QmsError:
                continue
            if isinstance(found, dict) and {"number", "title", "revision"} <= set(found):
                return {key: str(found[key]) for key in ("number", "title", "revision")}
        return {}

    def _told(self, kind: ItemKind, name: str, item: _Item, day: date, known: datetime) -> ItemOnDay | None:
        period = RevisionTimeline(name, tuple(item.periods)).in_force(day, known=known)
        if period is None or item.last is None:
            return None
        stated = self._statement(item.last)
        files = self._digests({path: content for path, content in item.files.items() if _counts(kind, path)})
        return ItemOnDay(
            kind=kind,
            number=item.control.get("number", name),
            title=item.control.get("title", ""),
            revision=period.revision,
            since=period.known,
            changed=datetime.fromtimestamp(item.last.at, self._zone),
            changed_by=stated.by.name if stated is not None and stated.by is not None else "",
            reason=(stated.reason or "") if stated is not None else "",
            contents=Digest.of(encode({path: digest.text for path, digest in files.items()})),
            approved=self._approval(name, period.revision, files, known) if kind is ItemKind.DOCUMENT else None,
        )

    def _digests(self, named: Mapping[str, str]) -> dict[str, Digest]:
        return {
            path: Digest.of(data) for path, data in self._history.contents(sorted(named.items())) if data is not None
        }

    def _statement(self, commit: HistoricCommit) -> Statement | None:
        """Return what was stated with a commit; for the first one, the founding of the site."""
        path = commit.statement or ("" if commit.parents else statement_path(TRAIL, 1))
        if path not in self._stated:
            self._stated[path] = self._read(path) if path else None
        found = self._stated[path]
        return found if commit.statement or (found is not None and found.event is Event.SITE_OPENED) else None

    def _read(self, path: str) -> Statement | None:
        data = self._archive.read(f"{path}.json")
        try:
            return decode_statement(data, where=path) if data is not None else None
        except QmsError:
            return None  # a damaged statement is told by `qms verify`; the state of the day stands without it

    def _approval(
        self, number: str, revision: str, files: Mapping[str, Digest], known: datetime
    ) -> StatedApproval | None:
        """Return the last approval of exactly these files that was filed by then."""
        chain = f"documents/{number}/{revision.replace('/', '-')}"
        names = sorted({name.split(".")[0] for name in self._archive.listing(chain)}, reverse=True)
        for name in names:
            stated = self._read(f"{chain}/{name}")
            if stated is None or stated.by is None:
                continue
            at = datetime.fromisoformat(stated.at).astimezone(self._zone)
            covered = {path: digest for path, digest in stated.files.items() if not path.startswith(f"{chain}/")}
            if at > known or covered != files:
                continue
            if stated.event is Event.DOCUMENT_SIGNED and stated.meaning == APPROVED:
                return StatedApproval(stated.by.name, stated.by.post, at)
            paper = paper_of(stated.new) if stated.event is Event.DOCUMENT_SIGNED_ON_PAPER else None
            if paper is not None and paper.signed and paper.meaning == APPROVED:
                return StatedApproval(paper.name, paper.post, at)
        return None


def _item_of(path: str) -> tuple[ItemKind, str, str] | None:
    """Return kind, folder name and path inside the folder of what a library path belongs to."""
    for folder, (kind, _file) in _FOLDERS.items():
        name, slash, inside = path.removeprefix(f"{folder}/").partition("/")
        if path.startswith(f"{folder}/") and slash:
            return kind, name, inside
    return None


def _counts(kind: ItemKind, path: str) -> bool:
    return kind is not ItemKind.DOCUMENT or path.split("/", 2)[2] not in SCREEN_ONLY
