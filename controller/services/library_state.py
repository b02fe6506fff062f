"""某日的体系状态. Which items of the library were in force on a day, by what was known at a moment (4.2.4).

Read from the history of branch `main` in one pass, without reading more of a file than its control lines: the state of
any day is there at once, however many revisions there are.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field, replace
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
from controller.file_formats.document_file import read_document
from controller.file_formats.effect_file import EFFECT_FILE, EffectFileError, PastEffects
from controller.file_formats.statement_file import decode_statement
from controller.file_formats.yaml_text import load_yaml
from controller.services.change_chain import chain_of as change_chain
from controller.services.controlled_items import EXTERNAL, EXTERNAL_FILE, SCREEN_ONLY, item_of, path_of
from controller.services.document_history import MAIN, HistoryDamagedError
from controller.services.effect_history import EffectHistory
from controller.services.examination_ports import HistoryUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import tzinfo

    from controller.domain.effect_schedule import PendingEffect
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
_OUTSIDE_LINE = re.compile(rb"^(?:drafted|reviewed|approved|effective):", re.MULTILINE)
"""What only documents from before this system say of themselves."""
_CONTROL = "history"


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


@dataclass(frozen=True)
class _Governing:
    """An item that governs on a day, as its commit left it."""

    kind: ItemKind
    name: str
    period: RevisionPeriod
    run: Sequence[RevisionPeriod]
    """With the neighbours of the same revision: changes of the content under one name."""
    commit: HistoricCommit
    files: Mapping[str, str]
    control: str
    """Content that says number and title."""


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
        commits = self._commits()
        settled = min(self._end(day), moment)
        if not commits or commits[0].at > settled.timestamp():
            first = datetime.fromtimestamp(commits[0].at, self._zone) if commits else now
            raise DayBeforeWorkspaceError(day=settled.date(), first=first)
        items = self._items([commit for commit in commits if commit.at <= moment.timestamp()])
        order = list(ItemKind)
        governing = [
            found
            for (kind, name), item in sorted(items.items(), key=lambda entry: (order.index(entry[0][0]), entry[0][1]))
            if (found := _governing(kind, name, item, day, moment)) is not None
        ]
        controls: dict[str, dict[str, str]] = {}
        digests: dict[str, Digest] = {}
        outside: dict[str, tuple[date | None, str]] = {}
        of = {found.control: found.kind for found in governing}
        for content, data in self._history.many({name: None for found in governing for name in found.files.values()}):
            digests[content] = Digest.of(data)
            if content in of:
                controls[content] = _control(of[content], data)
                if of[content] is ItemKind.DOCUMENT and _OUTSIDE_LINE.search(data):
                    outside[content] = _outside(data)
        told = [self._told(found, controls.get(found.control, {}), digests, moment) for found in governing]
        return LibraryDay(day, moment, tuple(_with_outside(told, governing, outside)))

    def _end(self, day: date) -> datetime:
        return datetime.combine(day + timedelta(days=1), time(), self._zone) - timedelta(seconds=1)

    def _commits(self) -> list[HistoricCommit]:
        tip = self._history.tip(MAIN)
        if tip is None:
            return []
        try:
            return list(self._history.log(tip, paths=(*_FOLDERS, EFFECT_FILE), statements=True))
        except HistoryUnreadable as exc:
            raise HistoryDamagedError(commit=exc.commit) from exc

    def _items(self, commits: Sequence[HistoricCommit]) -> dict[tuple[ItemKind, str], _Item]:
        """Let the history go by; what lies directly in a folder of the library belongs to no item."""
        revisions, schedules = self._read_ahead(commits)
        effect = EffectHistory(schedules.get)
        items: dict[tuple[ItemKind, str], _Item] = {}
        for commit in commits:
            touched: dict[tuple[ItemKind, str], None] = {}
            for change in commit.changes:
                found = item_of(change.path)
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
                if content is not None or (item.events and item.events[-1].revision is not None):
                    revision = revisions.get(content, "") if content is not None else None
                    item.add(stated.event(path_of(kind, name), revision, at), commit)
            if stated.moved:
                for (kind, name), item in items.items():
                    anew = stated.anew(path_of(kind, name), at)
                    if anew is not None:
                        item.add(anew, commit)
        return items

    def _read_ahead(
        self, commits: Sequence[HistoricCommit]
    ) -> tuple[dict[str, str], dict[str, Mapping[tuple[str, str], PendingEffect]]]:
        """Return the revision that each description says, and each schedule of effect, by content."""
        kinds: dict[str, ItemKind | None] = {}
        for commit in commits:
            for change in commit.changes:
                found = item_of(change.path)
                if change.kind == "D":
                    continue
                if change.path == EFFECT_FILE:
                    kinds[change.content] = None
                elif found is not None and change.path == _control_file(found[0], found[1]):
                    kinds[change.content] = found[0]
        revisions: dict[str, str] = {}
        schedules: dict[str, Mapping[tuple[str, str], PendingEffect]] = {}
        past = PastEffects()
        for content, data in self._history.many(kinds):
            kind = kinds[content]
            if kind is not None:
                plain = _REVISION_LINE.findall(data)
                said = plain[0].decode("ascii") if len(plain) == 1 else _control(kind, data).get("revision", "")
                revisions[content] = str(said)
                continue
            with suppress(EffectFileError):  # told where its commit is passed
                schedules[content] = past.read(data)
        return revisions, schedules

    def _told(
        self, found: _Governing, control: Mapping[str, str], digests: Mapping[str, Digest], known: datetime
    ) -> ItemOnDay:
        kind, period, run = found.kind, found.period, found.run
        stated = self._statement(found.commit)
        reason = (stated.reason or "") if stated is not None else ""
        author = stated.by.name if stated is not None and stated.by is not None else ""
        if period.event.change:
            opened = self._read(f"{change_chain(period.event.change)}/0001")
            reason = (opened.reason or "") if opened is not None else reason
            author = self._drafter(period.event.change, found.commit) or author
        files = {path: digests[content] for path, content in sorted(found.files.items()) if content in digests}
        approved = _approved(stated, self._zone)
        if approved is None and kind is ItemKind.DOCUMENT:
            approved = self._approval(found.name, period.revision or "", files, known)
        return ItemOnDay(
            kind=kind,
            number=control.get("number", found.name),
            title=control.get("title", ""),
            revision=period.revision or "",
            since=run[0].event.known,
            effective=run[0].since,
            until=run[-1].until,
            change=period.event.change,
            changed=period.event.known,
            changed_by=author,
            reason=reason,
            contents=Digest.of(encode({path: digest.text for path, digest in files.items()})),
            approved=approved,
        )

    def _statement(self, commit: HistoricCommit) -> Statement | None:
        """Return what was stated with a commit; for the first one, the founding of the site."""
        path = commit.statement or ("" if commit.parents else statement_path(TRAIL, 1))
        if path not in self._stated:
            self._stated[path] = self._read(path) if path else None
        found = self._stated[path]
        return found if commit.statement or (found is not None and found.event is Event.SITE_OPENED) else None

    def _drafter(self, change: str, commit: HistoricCommit) -> str:
        """Return the name of who submitted the draft that a commit brought; empty when nobody can be named."""
        chain = change_chain(change)
        names = sorted({name.split(".")[0] for name in self._archive.listing(chain)}, reverse=True)
        for name in names:
            stated = self._read(f"{chain}/{name}") if f"{chain}/{name}" < commit.statement else None
            if stated is not None and stated.event is Event.CHANGE_SUBMITTED and stated.by is not None:
                return stated.by.name
        return ""

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


def _control_file(kind: ItemKind, name: str) -> str:
    if kind is ItemKind.EXTERNAL:
        return EXTERNAL_FILE
    return f"{path_of(kind, name)}/{next(file for of, file in _FOLDERS.values() if of is kind)}"


def _counts(kind: ItemKind, path: str) -> bool:
    return kind is not ItemKind.DOCUMENT or path.split("/", 2)[2] not in SCREEN_ONLY


def _governing(kind: ItemKind, name: str, item: _Item, day: date, known: datetime) -> _Governing | None:
    timeline = RevisionTimeline(name, tuple(item.events))
    period = timeline.in_force(day, known=known)
    if period is None:
        return None
    state = item.states[period.place]
    files = {path: content for path, content in state.files.items() if _counts(kind, path)}
    periods = timeline.periods(known)
    first = last = next(place for place, found in enumerate(periods) if found.place == period.place)
    while first > 0 and periods[first - 1].revision == period.revision:
        first -= 1
    while last + 1 < len(periods) and periods[last + 1].revision == period.revision:
        last += 1
    control = state.files[_control_file(kind, name)]
    return _Governing(kind, name, period, periods[first : last + 1], state.commit, files, control)


def _control(kind: ItemKind, data: bytes) -> dict[str, str]:
    """Return number, title and revision of a description, without reading the rest of it where that can be."""
    usual = {"number": EXTERNAL, "title": "外来文件清单", "revision": "A/0"} if kind is ItemKind.EXTERNAL else {}
    text = data.decode("utf-8", "replace").replace("\r\n", "\n").removeprefix("\ufeff")
    for part in ("\n".join(_CONTROL_LINE.findall(text)), text):
        try:
            found = load_yaml(part, where=_CONTROL) if part else {}
        except QmsError:
            continue
        if not isinstance(found, dict):
            continue
        told = usual | {key: str(found[key]) for key in ("number", "title", "revision") if key in found}
        if len(told) == 3:  # noqa: PLR2004 - all three are there
            return told
    return usual


def _outside(data: bytes) -> tuple[date | None, str]:
    """Return the first day in force and the approval that a document from before this system says of itself."""
    try:
        document = read_document(data.decode("utf-8"), where=_CONTROL)
    except (QmsError, UnicodeDecodeError):
        return None, ""  # told by `qms doc lint`; the state of the day stands without it
    return document.effective_day, document.told_elsewhere


def _with_outside(
    told: Sequence[ItemOnDay], governing: Sequence[_Governing], outside: Mapping[str, tuple[date | None, str]]
) -> Iterator[ItemOnDay]:
    """Yield the items, those that came from outside with what they say of themselves."""
    for item, found in zip(told, governing, strict=True):
        if item.change or found.control not in outside:
            yield item
            continue
        stated, elsewhere = outside[found.control]
        since = stated if stated is not None and stated <= item.effective else item.effective
        yield replace(item, effective=since, elsewhere=elsewhere)


def _approved(stated: Statement | None, zone: tzinfo) -> StatedApproval | None:
    """Return the approval that a statement of a change is."""
    if stated is None or stated.event is not Event.CHANGE_APPROVED or stated.by is None:
        return None
    return StatedApproval(stated.by.name, stated.by.post, datetime.fromisoformat(stated.at).astimezone(zone))
