"""文件更改历史. Reads every change of a document on branch `main` and joins it with what was stated and signed (4.2.4).

The order is that of the commits; who and why come from the signed statement that each commit names, approvals from the
signatures whose digests are those of the version. Whether certificates were trusted is told by `qms verify`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from controller.domain.document_comparison import Comparison, DocumentText, compare
from controller.domain.document_timeline import DocumentTimeline, DocumentVersion, StatedChange, VersionSignature
from controller.domain.errors import DamagedError, NotFoundError, QmsError, RefusedError
from controller.domain.identifiers import Digest, nearest
from controller.domain.paper_signature import paper_of
from controller.domain.record import Signatory
from controller.domain.statement import TRAIL, Event, statement_path
from controller.domain.text import T
from controller.file_formats.canonical_json import encode
from controller.file_formats.clause_ids import ClauseIds, clause_digest, first_ids, read_clause_ids, realigned
from controller.file_formats.document_file import read_document
from controller.file_formats.effect_file import EFFECT_FILE, EffectFileError, PastEffects
from controller.file_formats.statement_file import decode_statement
from controller.file_formats.text_encoding import utf8_text
from controller.services.change_chain import ChangeRequests
from controller.services.controlled_items import SCREEN_ONLY
from controller.services.document_library import FOLDER, DocumentIncompleteError, UnknownDocumentError, whole_segment
from controller.services.effect_history import EffectHistory
from controller.services.examination_ports import HistoryUnreadable
from controller.services.signed_statement import flaw_of
from controller.services.statement_filing import StoredStatement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import tzinfo

    from controller.domain.change_request import ChangeRequest
    from controller.domain.clause import Clause, Segment
    from controller.domain.effect_schedule import PendingEffect
    from controller.domain.revision_timeline import RevisionEvent
    from controller.domain.text import Text
    from controller.services.archive_ports import Archive
    from controller.services.document_library import DocumentLibrary
    from controller.services.examination_ports import HistoricCommit
    from controller.services.history_ports import LibraryHistory
    from controller.services.ports import Clock, LibraryFiles
    from controller.services.statement_filing import StatementFiling

MAIN = "main"
CURRENT = "现行"
"""How people call the content in force today."""
NEWEST = "最新"
"""How people call the newest approved content, in force or not."""
_SIGNATURES = frozenset({Event.DOCUMENT_SIGNED, Event.DOCUMENT_SIGNED_ON_PAPER})


class HistoryDamagedError(DamagedError):
    """历史读不出来. A commit or folder of the library's history is missing or damaged."""

    code = "history-damaged"

    def __init__(self, *, commit: str) -> None:
        super().__init__(
            T("受控文件的历史从更改 {commit} 起读不出来。", commit=commit[:12]),
            hint=T("请运行 qms verify 查看影响范围，并从备份恢复。"),
            where=commit,
        )


class UnknownRevisionError(NotFoundError):
    """没有这个版本. The document never had a revision of that name."""

    code = "revision-unknown"

    def __init__(self, *, number: str, wanted: str, known: Sequence[str]) -> None:
        super().__init__(
            T("{number} 没有版本“{wanted}”。", number=number, wanted=wanted[:40]),
            hint=T(
                "已有版本：{known}；也可写更改序号（见 qms doc history {number}）。", known=list(known), number=number
            ),
        )


class NoEarlierRevisionError(RefusedError):
    """没有更早的版本. The first revision can be compared with nothing before it."""

    code = "revision-first"

    def __init__(self, *, number: str, revision: str) -> None:
        super().__init__(
            T("{number} {revision} 是第一个版本，之前没有可对比的内容。", number=number, revision=revision),
            hint=T("请写明要对比的两个版本，或用 --working、--change 与文件夹里的内容、更改的草稿对比。"),
        )


@dataclass(frozen=True)
class VersionDifference:
    """两次内容的差别. The two versions, what changed, and which change touched each clause last."""

    number: str
    old: DocumentVersion
    new: DocumentVersion
    comparison: Comparison
    origins: Mapping[str, DocumentVersion]
    """Clause id → the change after `old`, up to `new`, that touched it last."""


class DocumentHistory:
    """文件更改历史服务. Reads the history of documents; keeps what it has read.

    Args:
        library: the approved documents, to find out what number is meant.
        working: the documents as they lie in the folder.
        history: the commits of the controlled library.
        archive: where statements lie.
        statements: reads the signatures on documents.
        clock: for the moment of what is not in force yet.
        zone: the company's time zone; all times are given in it.
    """

    def __init__(
        self,
        library: DocumentLibrary,
        working: DocumentLibrary,
        history: LibraryHistory,
        archive: Archive,
        statements: StatementFiling,
        clock: Clock,
        zone: tzinfo,
    ) -> None:
        self._library = library
        self._working = working
        self._history = history
        self._archive = archive
        self._statements = statements
        self._clock = clock
        self._zone = zone
        self._requests = ChangeRequests(archive, statements)
        self._data: dict[str, bytes] = {}
        self._loose: dict[Digest, bytes] = {}
        self._names: dict[tuple[str, int], Mapping[str, str]] = {}
        self._segments: dict[str, Segment] = {}

    # -- reading -----------------------------------------------------------------------------------------------

    def timeline(self, wanted: str) -> DocumentTimeline:
        """Return every change of a document, oldest first.

        Raises:
            UnknownDocumentError: there is and was no such document.
            HistoryDamagedError: the history cannot be read.
        """
        try:
            number = self._library.resolve(wanted)
        except UnknownDocumentError:
            number = self._formerly(wanted)
        found, events = self._versions(number)
        versions = self._signed(number, found)
        titles = [item.text.document.title for item in versions if item.text is not None]
        return DocumentTimeline(number, titles[-1] if titles else "", tuple(versions), tuple(events))

    def version(self, timeline: DocumentTimeline, wanted: str) -> DocumentVersion:
        """Return the version called `wanted`: a revision as it stood last, 现行, 最新, or the serial of a change.

        Of what is no longer in force at all, 现行 is what was in force last.

        Raises:
            UnknownRevisionError: there is none.
        """
        name = wanted.strip().upper().replace("／", "/").removeprefix("#")
        readable = timeline.readable
        if name == CURRENT:
            now = self._clock.now().astimezone(self._zone)
            governing = timeline.governing(now.date(), known=now)
            found = [governing] if governing in readable and governing is not None else list(readable[-1:])
        elif name == NEWEST:
            found = list(readable[-1:])
        else:
            found = [item for item in readable if name in {item.revision, str(item.serial)}]
        if not found:
            known = dict.fromkeys(item.revision for item in readable)
            raise UnknownRevisionError(number=timeline.number, wanted=wanted, known=list(known))
        return found[-1]

    def before(self, timeline: DocumentTimeline, version: DocumentVersion, *, wanted: str) -> DocumentVersion:
        """Return what comes before a version: the revision before, or the change before when `wanted` is a serial.

        Raises:
            NoEarlierRevisionError: nothing does.
        """
        by_serial = wanted.strip().removeprefix("#").isdecimal()
        earlier = [
            item
            for item in timeline.readable
            if item.serial < version.serial and (by_serial or item.revision != version.revision)
        ]
        if not earlier:
            raise NoEarlierRevisionError(number=timeline.number, revision=version.revision)
        return earlier[-1]

    def working_version(self, timeline: DocumentTimeline) -> DocumentVersion:
        """Return the document as it lies in the working folder.

        Raises:
            QmsError: it is not there or cannot be read.
        """
        return self._outside(timeline, self._working.files, None)

    def draft_version(self, timeline: DocumentTimeline, draft: LibraryFiles, change: ChangeRequest) -> DocumentVersion:
        """Return the document as the draft of a change has it; `draft` is the library with that draft.

        Raises:
            QmsError: it is not there or cannot be read.
        """
        return self._outside(timeline, draft, change)

    def _outside(
        self, timeline: DocumentTimeline, library: LibraryFiles, change: ChangeRequest | None
    ) -> DocumentVersion:
        """Return a version that is not part of `main`."""
        number = timeline.number
        files = {
            path: data
            for path in library.files(f"{FOLDER}/{number}")
            if (data := library.read(path)) is not None and _belongs(path, number)
        }
        last = timeline.readable[-1] if timeline.readable else None
        text, _ids = self._text(number, files, _Ids.of(last))
        digests = {path: Digest.of(data) for path, data in sorted(files.items())}
        self._loose |= {digests[path]: data for path, data in files.items()}
        return DocumentVersion(
            serial=(timeline.versions[-1].serial if timeline.versions else 0) + 1,
            at=self._clock.now().astimezone(self._zone),
            commit="",
            revision=text.document.revision.text,
            text=text,
            contents=_contents(digests),
            files=digests,
            stated=None,
            change=change,
        )

    def difference(self, timeline: DocumentTimeline, old: DocumentVersion, new: DocumentVersion) -> VersionDifference:
        """Return what changed between two readable versions."""
        assert old.text is not None
        assert new.text is not None
        between = [item for item in timeline.readable if old.serial < item.serial <= new.serial]
        if new.commit == "":
            between.append(new)
        return VersionDifference(timeline.number, old, new, compare(old.text, new.text), _origins([old, *between]))

    def islands(self, number: str, version: DocumentVersion) -> dict[Digest, bytes]:
        """Return what is kept verbatim of a version's pictures and tables.

        Raises:
            DocumentIncompleteError: one is missing or altered.
        """
        found = {}
        folder = f"{FOLDER}/{number}/islands/"
        for path in version.files:
            if path.startswith(folder):
                data = self._file(number, version, path)
                if data is None or not path.endswith(f"/{Digest.of(data).hex}.json"):
                    raise DocumentIncompleteError(path=path)
                found[Digest.of(data)] = data
        return found

    # -- versions ----------------------------------------------------------------------------------------------

    def _formerly(self, wanted: str) -> str:
        """Return the number of a document that is no longer in the library."""
        numbers = sorted({path.split("/")[1] for _at, path in self._deleted()})
        text = wanted.strip().upper()
        short = "-" in text  # as people say it: CX-014
        meant = [number for number in numbers if text == number or (short and number.endswith(text))]
        if len(meant) != 1:
            raise UnknownDocumentError(
                number=wanted, close=nearest(text, [*self._library.numbers(), *numbers]), several=meant
            )
        return meant[0]

    def _deleted(self) -> Iterator[tuple[int, str]]:
        for commit in self._commits(FOLDER):
            for change in commit.changes:
                if change.kind == "D" and change.path.endswith("/document.yml"):
                    yield commit.at, change.path

    def _commits(self, folder: str) -> list[HistoricCommit]:
        tip = self._history.tip(MAIN)
        if tip is None:
            return []
        try:
            return list(self._history.log(tip, paths=(folder, EFFECT_FILE), statements=True))
        except HistoryUnreadable as exc:
            raise HistoryDamagedError(commit=exc.commit) from exc

    def _versions(self, number: str) -> tuple[list[DocumentVersion], list[RevisionEvent]]:
        """Return every version of a document and what became known of the days from which they govern."""
        folder = f"{FOLDER}/{number}"
        past = PastEffects()

        def schedule(content: str) -> Mapping[tuple[str, str], PendingEffect] | None:
            data = self._blob(content)
            return past.read(data) if data is not None else None

        effect = EffectHistory(schedule)
        named: dict[str, str] = {}
        found: list[DocumentVersion] = []
        events: list[RevisionEvent] = []
        before = _Ids()
        for commit in self._commits(folder):
            at = datetime.fromtimestamp(commit.at, self._zone)
            try:
                days = effect.passed(commit)
            except EffectFileError as exc:
                raise HistoryDamagedError(commit=commit.commit) from exc
            anew = days.anew(folder, at)
            if anew is not None:
                events.append(anew)
            touched = [change for change in commit.changes if _belongs(change.path, number)]
            for change in touched:
                if change.kind == "D":
                    named.pop(change.path, None)
                else:
                    named[change.path] = change.content
            if not touched:
                continue
            version, before = self._version(number, len(found) + 1, commit, dict(named), before)
            if found and found[-1].files == version.files:
                continue
            self._names[number, version.serial] = dict(named)
            stated = self._stated(commit, [change.path for change in touched], version.files)
            found.append(replace(version, stated=stated, change=self._change(days.change)))
            events.append(days.event(folder, None if version.gone else version.revision, at))
        return found, events

    def _change(self, number: str) -> ChangeRequest | None:
        """Return a change; None where there was none, or where `qms verify` has to tell what is wrong with it."""
        try:
            return self._requests.read(number) if number else None
        except QmsError:
            return None

    def _version(
        self, number: str, serial: int, commit: HistoricCommit, named: Mapping[str, str], before: _Ids
    ) -> tuple[DocumentVersion, _Ids]:
        files: dict[str, bytes] = {}
        missing = None
        for path, content in named.items():
            data = self._blob(content)
            if data is None:
                missing = missing or path
            else:
                files[path] = data
        digests = {path: Digest.of(data) for path, data in sorted(files.items())}
        text: DocumentText | None = None
        problem: Text | None = T("{path} 的内容丢失或损坏", path=missing) if missing else None
        ids = before
        if files and problem is None:
            try:
                text, ids = self._text(number, files, before)
            except QmsError as exc:
                problem = exc.message
        revision = text.document.revision.text if text is not None else ""
        at = datetime.fromtimestamp(commit.at, self._zone)
        return (
            DocumentVersion(
                serial, at, commit.commit, revision, text, _contents(digests), digests, None, problem=problem
            ),
            ids,
        )

    def _text(self, number: str, files: Mapping[str, bytes], before: _Ids) -> tuple[DocumentText, _Ids]:
        folder = f"{FOLDER}/{number}"
        read: dict[str, str] = {}
        for name in ("document.yml", "clauses.txt"):
            path = f"{folder}/{name}"
            if path not in files:
                raise DocumentIncompleteError(path=path)
            read[name] = utf8_text(files[path], where=path)
        document = read_document(read["document.yml"], where=f"{folder}/document.yml")
        segment = self._segments.get(read["clauses.txt"]) or whole_segment(read["clauses.txt"])
        self._segments[read["clauses.txt"]] = segment
        ids = _ids(segment.clauses, files.get(f"{folder}/clauses.yml"), before, where=f"{folder}/clauses.yml")
        segment = segment.with_ids(tuple(mark.id for mark in ids.marks))
        inside = {path.removeprefix(f"{folder}/"): Digest.of(data) for path, data in files.items()}
        return DocumentText(document, segment.pieces, inside), _Ids(ids, segment.clauses)

    def _blob(self, content: str) -> bytes | None:
        if content not in self._data:
            for _name, data in self._history.contents([("", content)]):
                if data is None:
                    return None
                self._data[content] = data
        return self._data[content]

    def _file(self, number: str, version: DocumentVersion, path: str) -> bytes | None:
        if not version.commit:
            return self._loose.get(version.files[path])
        content = self._names[number, version.serial].get(path)
        return self._blob(content) if content is not None else None

    # -- statements --------------------------------------------------------------------------------------------

    def _stated(
        self, commit: HistoricCommit, touched: Sequence[str], files: Mapping[str, Digest]
    ) -> StatedChange | None:
        path = commit.statement or ("" if commit.parents else statement_path(TRAIL, 1))
        data = self._archive.read(f"{path}.json") if path else None
        if data is None:
            return None
        try:
            stated = decode_statement(data, where=path)
        except QmsError:
            return None
        if not commit.statement and stated.event is not Event.SITE_OPENED:
            return None
        signature = self._archive.read(f"{path}.p7s")
        stored = StoredStatement(stated, Digest.of(data), data, {"": signature} if signature else {}, path)
        flaw = flaw_of(stored)
        if flaw is None and commit.statement and any(stated.files.get(item) != files.get(item) for item in touched):
            flaw = T("陈述所写的内容与这次更改不符")
        return StatedChange(stated.event.value, stated.by, stated.reason, stored.digest, path, flaw)

    def _signed(self, number: str, versions: Sequence[DocumentVersion]) -> list[DocumentVersion]:
        given: dict[int, list[VersionSignature]] = {}
        for revision in dict.fromkeys(item.revision for item in versions if item.revision):
            for stored in self._statements.chain(f"documents/{number}/{revision.replace('/', '-')}"):
                if stored.statement.event not in _SIGNATURES:
                    continue
                covered = {
                    path: digest
                    for path, digest in stored.statement.files.items()
                    if not path.startswith(f"{stored.statement.chain}/")
                }
                at = datetime.fromisoformat(stored.statement.at).astimezone(self._zone)
                same = [item for item in versions if dict(item.files) == covered]
                # Who signs, signs what stands, or the draft of what comes; another change may follow in that second.
                meant = [item for item in same if item.at <= at][-1:] or same[:1]
                signature = _signature(stored, at)
                if meant and signature is not None:
                    given.setdefault(meant[0].serial, []).append(signature)
        return [replace(item, signatures=tuple(given.get(item.serial, ()))) for item in versions]


@dataclass(frozen=True)
class _Ids:
    """The clause ids of a version, and the clauses they belong to."""

    ids: ClauseIds | None = None
    clauses: Sequence[Clause] = ()

    @classmethod
    def of(cls, version: DocumentVersion | None) -> _Ids:
        """Return the ids that a version's clauses carry."""
        from controller.domain.clause import Clause
        from controller.file_formats.clause_ids import ClauseMark

        if version is None or version.text is None:
            return cls()
        clauses = [piece for piece in version.text.pieces if isinstance(piece, Clause)]
        marks = tuple(ClauseMark(item.id or "", item.label, clause_digest(item)) for item in clauses)
        return cls(ClauseIds(marks), clauses)


def _ids(clauses: Sequence[Clause], data: bytes | None, before: _Ids, *, where: str) -> ClauseIds:
    """Return the ids of a version: its own where they fit its text, else carried on from the version before."""
    if data is not None:
        try:
            own = read_clause_ids(utf8_text(data, where=where), where=where)
        except QmsError:
            own = ClauseIds()
        if [mark.digest for mark in own.marks] == [clause_digest(clause) for clause in clauses]:
            return own
    if before.ids is None:
        return first_ids(clauses)
    return realigned(before.ids, before.clauses, clauses)[0]


def _belongs(path: str, number: str) -> bool:
    inside = path.removeprefix(f"{FOLDER}/{number}/")
    return inside != path and inside not in SCREEN_ONLY


def _contents(files: Mapping[str, Digest]) -> Digest:
    return Digest.of(encode({path: digest.text for path, digest in files.items()}))


def _signature(stored: StoredStatement, at: datetime) -> VersionSignature | None:
    """Return the signature that a statement files; None when a signature on paper was asked for in vain."""
    stated = stored.statement
    assert stated.by is not None  # `decode_statement` lets nobody sign without a name
    flaw = flaw_of(stored)
    if stated.event is Event.DOCUMENT_SIGNED:
        return VersionSignature(stated.meaning, stated.by, at, stored.digest, stated.reason, flaw=flaw)
    paper = paper_of(stated.new)
    if paper is None:
        flaw = flaw or T("没有写明纸质签名")
        return VersionSignature(stated.meaning, stated.by, at, stored.digest, stated.reason, flaw=flaw)
    if not paper.signed:
        return None
    by = Signatory(paper.person, paper.name, paper.post)
    told = paper.told(stated.by)
    return VersionSignature(paper.meaning, by, at, stored.digest, stated.reason, on_paper=told, flaw=flaw)


def _origins(versions: Sequence[DocumentVersion]) -> dict[str, DocumentVersion]:
    """Return clause id → the last of `versions` after the first that added, changed or removed the clause."""
    from controller.domain.clause import Clause

    found: dict[str, DocumentVersion] = {}
    before: dict[str, str] | None = None
    for version in versions:
        pieces = version.text.pieces if version.text is not None else ()
        now = {piece.id: piece.content for piece in pieces if isinstance(piece, Clause) and piece.id is not None}
        if before is not None:
            touched = {item for item in {*before, *now} if before.get(item) != now.get(item)}
            found |= dict.fromkeys(touched, version)
        before = now
    return found
