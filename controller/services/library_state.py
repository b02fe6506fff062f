"""某日的体系状态. Which items of the library were in force on a day, by what was known at a moment (4.2.4).

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
from controller.domain.revision_timeline import RevisionTimeline
from controller.domain.statement import TRAIL, Event, Statement, statement_path
from controller.domain.text import T
from controller.file_formats.canonical_json import encode
from controller.file_formats.effect_file import EFFECT_FILE, EffectFileError
from controller.file_formats.statement_file import decode_statement
from controller.file_formats.yaml_text import load_yaml
from controller.services.change_chain import chain_of as change_chain
from controller.services.controlled_items import EXTERNAL, EXTERNAL_FILE, SCREEN_ONLY, path_of
from controller.services.document_history import MAIN, HistoryDamagedError
from controller.services.effect_history import EffectHistory
from controller.services.examination_ports import HistoryUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import tzinfo

    from controller.domain.revision_timeline import RevisionEvent, RevisionPeriod
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
_REVISION_LINE = re.compile(rb"^revision: ([A-Z]/[0-9]{1,3})\r?$", re.MULTILINE)
"""As the program writes it; anything else is read as YAML."""


class DayInFutureError(RefusedError):
    """日期还没有到. What will be known on a day that has not come cannot be known."""

    code = "day-in-future"

    def __init__(self, *, day: date, today: date) -> None:
        super().__init__(
            T("{day} 还没有到（公司时间今天是 {today}），那时所知的现在无法知道。", day=day, today=today),
            hint=T("--known 请写今天或以前的日期。"),
        )


class DayBeforeWorkspaceError(RefusedError):
    """那时还没有本工作区. Nothing is known of a day before the workspace was made."""

    code = "day-before-workspace"

    def __init__(self, *, day: date, first: datetime) -> None:
        super().__init__(
            T("{day} 时本工作区还没有建立，系统里没有那天的内容。", day=day),
            hint=T("最早可查的日期是 {first}；更早的情况见各文件的修订记录。", first=first.date()),
        )


@dataclass(frozen=True)
class _State:
    """What one commit left of an item."""

    commit: HistoricCommit
    files: Mapping[str, str]
    """Library path → name of the content in the store."""


@dataclass
class _Item:
    """One item of the library while its history goes by."""

    files: dict[str, str] = field(default_factory=dict)
    events: list[RevisionEvent] = field(default_factory=list)
    states: list[_State] = field(default_factory=list)
    """One for each event."""

    def add(self, event: RevisionEvent, commit: HistoricCommit) -> None:
        self.events.append(event)
        self.states.append(_State(commit, dict(self.files)))


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

    def on(self, day: date, *, known: date | None = None) -> LibraryDay:
        """Return what is in force on `day`, by what was known at the end of `known`.

        Without `known`, by what was known when the day ended; for a day that has not ended, by what is known now.

        Raises:
            DayInFutureError: `known` has not come.
            DayBeforeWorkspaceError: there was no workspace yet.
            HistoryDamagedError: the history cannot be read.
        """
        now = self._clock.now().astimezone(self._zone)
        if known is not None and known > now.date():
            raise DayInFutureError(day=known, today=now.date())
        moment = min(self._end(known or day), now)
        items: dict[tuple[ItemKind, str], _Item] = {}
        first: HistoricCommit | None = None
        for commit in self._passing(items, moment):
            first = first or commit
        if first is None or first.at > self._end(day).timestamp():
            began = next(iter(self._commits()), None)
            opened = datetime.fromtimestamp(began.at, self._zone) if began is not None else now
            raise DayBeforeWorkspaceError(day=min(day, moment.date()), first=opened)
        order = list(ItemKind)
        found = [
            told
            for (kind, name), item in sorted(items.items(), key=lambda entry: (order.index(entry[0][0]), entry[0][1]))
            if (told := self._told(kind, name, item, day, moment)) is not None
        ]
        return LibraryDay(day, moment, tuple(found))

    def _end(self, day: date) -> datetime:
        return datetime.combine(day + timedelta(days=1), time(), self._zone) - timedelta(seconds=1)

    def _commits(self) -> Iterator[HistoricCommit]:
        tip = self._history.tip(MAIN)
        if tip is None:
            return
        try:
            yield from self._history.log(tip, paths=(*_FOLDERS, EFFECT_FILE), statements=True)
        except HistoryUnreadable as exc:
            raise HistoryDamagedError(commit=exc.commit) from exc

    def _passing(self, items: dict[tuple[ItemKind, str], _Item], moment: datetime) -> Iterator[HistoricCommit]:
        """Let the history go by up to a moment; what lies in a folder of the library by itself belongs to no item."""
        effect = EffectHistory(self._content)
        revisions: dict[str, str] = {}
        for commit in self._commits():
            if commit.at > moment.timestamp():
                continue
            touched: dict[tuple[ItemKind, str], None] = {}
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
                    touched[kind, name] = None
            try:
                stated = effect.passed(commit)
            except EffectFileError as exc:
                raise HistoryDamagedError(commit=commit.commit) from exc
            at = datetime.fromtimestamp(commit.at, self._zone)
            for kind, name in touched:
                item = items[kind, name]
                content = item.files.get(_control_file(kind, name))
                if content is not None and content not in revisions:
                    revisions[content] = self._revision(kind, content)
                if content is not None or (item.events and item.events[-1].revision is not None):
                    revision = revisions[content] if content is not None else None
                    item.add(stated.event(path_of(kind, name), revision, at), commit)
            if stated.moved:
                for (kind, name), item in items.items():
                    anew = stated.anew(path_of(kind, name), at)
                    if anew is not None:
                        item.add(anew, commit)
            yield commit

    def _content(self, content: str) -> bytes | None:
        return next((data for _name, data in self._history.contents([("", content)])), None)

    def _revision(self, kind: ItemKind, content: str) -> str:
        found = _REVISION_LINE.findall(self._content(content) or b"")
        if len(found) == 1:
            return str(found[0].decode("ascii"))
        return self._control(kind, content).get("revision", "")

    def _control(self, kind: ItemKind, content: str) -> dict[str, str]:
        """Return number, title and revision of a description, without reading the rest of it where that can be."""
        usual = {"number": EXTERNAL, "title": "外来文件清单", "revision": "A/0"} if kind is ItemKind.EXTERNAL else {}
        text = (self._content(content) or b"").decode("utf-8", "replace").replace("\r\n", "\n").removeprefix("\ufeff")
        for part in ("\n".join(_CONTROL_LINE.findall(text)), text):
            try:
                found = load_yaml(part, where=content) if part else {}
            except QmsError:
                continue
            told = usual | {key: str(found[key]) for key in ("number", "title", "revision") if key in (found or {})}
            if len(told) == 3:  # noqa: PLR2004 - all three are there
                return told
        return usual

    def _told(self, kind: ItemKind, name: str, item: _Item, day: date, known: datetime) -> ItemOnDay | None:
        timeline = RevisionTimeline(name, tuple(item.events))
        period = timeline.in_force(day, known=known)
        if period is None:
            return None
        state = item.states[period.place]
        control = self._control(kind, state.files[_control_file(kind, name)])
        run = _run(timeline.periods(known), period)
        stated = self._statement(state.commit)
        reason = (stated.reason or "") if stated is not None else ""
        if period.event.change:
            opened = self._read(f"{change_chain(period.event.change)}/0001")
            reason = (opened.reason or "") if opened is not None else reason
        files = self._digests({path: content for path, content in state.files.items() if _counts(kind, path)})
        approved = _approved(stated, self._zone)
        if approved is None and kind is ItemKind.DOCUMENT:
            approved = self._approval(name, period.revision or "", files, known)
        return ItemOnDay(
            kind=kind,
            number=control.get("number", name),
            title=control.get("title", ""),
            revision=period.revision or "",
            since=run[0].event.known,
            effective=run[0].since,
            until=run[-1].until,
            change=period.event.change,
            changed=period.event.known,
            changed_by=stated.by.name if stated is not None and stated.by is not None else "",
            reason=reason,
            contents=Digest.of(encode({path: digest.text for path, digest in files.items()})),
            approved=approved,
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
    if path == EXTERNAL_FILE:
        return ItemKind.EXTERNAL, EXTERNAL, ""
    for folder, (kind, _file) in _FOLDERS.items():
        name, slash, inside = path.removeprefix(f"{folder}/").partition("/")
        if path.startswith(f"{folder}/") and slash:
            return kind, name, inside
    return None


def _control_file(kind: ItemKind, name: str) -> str:
    if kind is ItemKind.EXTERNAL:
        return EXTERNAL_FILE
    return f"{path_of(kind, name)}/{next(file for of, file in _FOLDERS.values() if of is kind)}"


def _counts(kind: ItemKind, path: str) -> bool:
    return kind is not ItemKind.DOCUMENT or path.split("/", 2)[2] not in SCREEN_ONLY


def _run(periods: Sequence[RevisionPeriod], period: RevisionPeriod) -> Sequence[RevisionPeriod]:
    """Return the period with its neighbours of the same revision: changes of the content under one name."""
    at = next(place for place, item in enumerate(periods) if item.place == period.place)
    first = last = at
    while first > 0 and periods[first - 1].revision == period.revision:
        first -= 1
    while last + 1 < len(periods) and periods[last + 1].revision == period.revision:
        last += 1
    return periods[first : last + 1]


def _approved(stated: Statement | None, zone: tzinfo) -> StatedApproval | None:
    """Return the approval that a statement of a change is."""
    if stated is None or stated.event is not Event.CHANGE_APPROVED or stated.by is None:
        return None
    return StatedApproval(stated.by.name, stated.by.post, datetime.fromisoformat(stated.at).astimezone(zone))
