"""文件更改历史. Reads every change of a document on branch `main` and joins it with what was stated and signed (4.2.4).

The order is that of the commits; who and why come from the signed statement that each commit names, approvals from the
signatures whose digests are those of the version. Whether certificates were trusted is told by `qms verify`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from controller.domain.document_comparison import Comparison, DocumentText, compare
from controller.domain.document_timeline import DocumentTimeline, DocumentVersion
from controller.domain.errors import DamagedError, NotFoundError, QmsError, RefusedError
from controller.domain.identifiers import Digest, nearest
from controller.domain.text import T
from controller.file_formats.effect_file import EFFECT_FILE, EffectFileError, PastEffects
from controller.services.change_chain import ChangeRequests
from controller.services.document_library import FOLDER, DocumentIncompleteError, UnknownDocumentError
from controller.services.document_texts import DocumentTexts, TextIds, belongs, contents_digest
from controller.services.effect_history import EffectHistory
from controller.services.examination_ports import HistoryUnreadable
from controller.services.version_statements import VersionStatements

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import tzinfo

    from controller.domain.change_request import ChangeRequest
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
        self._clock = clock
        self._zone = zone
        self._requests = ChangeRequests(archive, statements)
        self._data: dict[str, bytes] = {}
        self._loose: dict[Digest, bytes] = {}
        self._names: dict[tuple[str, int], Mapping[str, str]] = {}
        self._texts = DocumentTexts()
        self._said = VersionStatements(archive, statements, zone)

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
        versions = self._said.signed(number, found)
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
            if (data := library.read(path)) is not None and belongs(path, number)
        }
        last = timeline.readable[-1] if timeline.readable else None
        text, _ids = self._texts.text(number, files, TextIds.of(last))
        digests = {path: Digest.of(data) for path, data in sorted(files.items())}
        self._loose |= {digests[path]: data for path, data in files.items()}
        return DocumentVersion(
            serial=(timeline.versions[-1].serial if timeline.versions else 0) + 1,
            at=self._clock.now().astimezone(self._zone),
            commit="",
            revision=text.document.revision.text,
            text=text,
            contents=contents_digest(digests),
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
        before = TextIds()
        for commit in self._commits(folder):
            at = datetime.fromtimestamp(commit.at, self._zone)
            try:
                days = effect.passed(commit)
            except EffectFileError as exc:
                raise HistoryDamagedError(commit=commit.commit) from exc
            anew = days.anew(folder, at)
            if anew is not None:
                events.append(anew)
            touched = [change for change in commit.changes if belongs(change.path, number)]
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
            stated = self._said.stated(commit, [change.path for change in touched], version.files)
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
        self, number: str, serial: int, commit: HistoricCommit, named: Mapping[str, str], before: TextIds
    ) -> tuple[DocumentVersion, TextIds]:
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
                text, ids = self._texts.text(number, files, before)
            except QmsError as exc:
                problem = exc.message
        revision = text.document.revision.text if text is not None else ""
        at = datetime.fromtimestamp(commit.at, self._zone)
        return (
            DocumentVersion(
                serial, at, commit.commit, revision, text, contents_digest(digests), digests, None, problem=problem
            ),
            ids,
        )

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
