"""文件库. The procedures, rules and duty documents of the workspace: list, show, import (ISO 13485 4.2.4).

Everything is read from the approved content of branch `main`. Gap notes are handed out beside a document for the
screen; nothing that prints takes them. Checking the whole library is `services.document_check`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller.domain.document import CLASS_WORDS, ControlledDocument
from controller.domain.errors import DamagedError, MisconfiguredError, NotFoundError, RefusedError
from controller.domain.identifiers import Digest, DocumentNumber, InvalidIdentifierError, Revision, nearest
from controller.domain.text import T
from controller.file_formats.clause_ids import clause_digest, first_ids, read_clause_ids, write_clause_ids
from controller.file_formats.clause_text import parse_text
from controller.file_formats.document_file import (
    read_checklist,
    read_document,
    read_external_documents,
    read_notes,
    write_document,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.domain.clause import Segment
    from controller.domain.conformity import Finding
    from controller.domain.document import ExternalDocumentList, GapNote, InspectionChecklist
    from controller.domain.record import Signatory
    from controller.domain.text import Text
    from controller.services.ports import Clock, ControlledFiles
    from controller.services.text_reading import ReadText

FOLDER = "procedures"
EXTERNAL_FILE = f"{FOLDER}/external_documents.yml"
CHECKLIST_FILE = f"{FOLDER}/inspection_checklist.yml"
FORMS_FOLDER = "templates/forms"
REGISTERS_FOLDER = "templates/registers"
_FIRST_REVISION = Revision("A/0")
_TITLE_LENGTH = 80
_OWNER_LENGTH = 40


class UnknownDocumentError(NotFoundError):
    """没有这份文件. No controlled document has that number."""

    code = "document-unknown"

    def __init__(self, *, number: str, close: str | None) -> None:
        hint = T("是否想写 {close}?", close=close) if close else T("用 qms doc list 查看全部文件编号。")
        super().__init__(T("没有编号为“{number}”的文件。", number=number[:60]), hint=hint)


class DocumentIncompleteError(DamagedError):
    """文件缺少部件. A document's folder lacks a file, or a file in it cannot be read as text."""

    code = "document-incomplete"

    def __init__(self, *, path: str) -> None:
        super().__init__(
            T("文件库缺少 {path},或它不是 UTF-8 文本。", path=path), hint=T("从版本库恢复该文件。"), where=path
        )


class LibraryListMissingError(MisconfiguredError):
    """缺少清单. The list of external documents or the checklist is not there."""

    code = "library-list-missing"

    def __init__(self, *, path: str) -> None:
        super().__init__(T("工作区没有 {path}。", path=path), hint=T("从起步文件库或备份恢复该文件。"), where=path)


class NumberTakenError(RefusedError):
    """编号已使用. Numbers are never used a second time."""

    code = "document-number-taken"

    def __init__(self, *, number: str, title: str, free: str) -> None:
        super().__init__(
            T("编号 {number} 已用于《{title}》,没有导入。", number=number, title=title),
            hint=T("换一个编号,例如 {free};修订现有文件请走文件更改。", free=free),
        )


class NumberNeededError(RefusedError):
    """需要编号. Neither the text nor the command says which number the document gets."""

    code = "document-number-needed"

    def __init__(self, *, free: str) -> None:
        super().__init__(T("文本里没有文件编号。"), hint=T("加上 --number,例如 --number {free}。", free=free))


class NumberUnlikeTextError(RefusedError):
    """编号与正文不一致. The text carries another number than the command."""

    code = "document-number-differs"

    def __init__(self, *, number: str, typed: str) -> None:
        super().__init__(
            T("正文写的编号是 {typed},与 --number {number} 不一致,没有导入。", typed=typed, number=number),
            hint=T("去掉 --number,或先在正文里改好编号。"),
        )


class TitleNeededError(RefusedError):
    """需要标题. The text has no title, or it cannot stand in a control block."""

    code = "document-title-needed"

    def __init__(self) -> None:
        super().__init__(
            T("这一篇没有可用的标题(1 到 {limit} 个字,不换行)。", limit=_TITLE_LENGTH), hint=T("加上 --title 标题。")
        )


class OwnerInvalidError(RefusedError):
    """归口部门不可用."""

    code = "document-owner-invalid"

    def __init__(self) -> None:
        super().__init__(
            T("归口部门应为 1 到 {limit} 个字,不换行。", limit=_OWNER_LENGTH), hint=T("例如 --owner 质管部。")
        )


class WrongClassError(RefusedError):
    """类别不符. The class does not exist here, or the number is of another class."""

    code = "document-class-wrong"

    def __init__(self, *, number: str, word: str) -> None:
        super().__init__(
            T("编号 {number} 不属于“{word}”类。", number=number, word=word),
            hint=T("程序用 CX,制度用 ZD,职责用 ZZ,手册用 SC;表单和台账不在这里导入。"),
        )


class SegmentNeededError(RefusedError):
    """需要指明哪一篇. The file holds several documents, or not the one named."""

    code = "document-segment-needed"

    def __init__(self, *, count: int, titles: Sequence[Text]) -> None:
        super().__init__(
            T("文件里有 {count} 篇:{titles}。", count=count, titles=list(titles)),
            hint=T("用 --segment 1 到 {count} 指明导入哪一篇。", count=count),
        )


class NothingToImportError(RefusedError):
    """没有条款. The text holds nothing that could be a document."""

    code = "document-empty"

    def __init__(self, *, name: str) -> None:
        super().__init__(T("“{name}”里没有条款,没有导入。", name=name), hint=T("用 qms doc parse 查看解析结果。"))


class GarbledTextError(DamagedError):
    """文字已损坏. The text holds characters that could not be read."""

    code = "document-text-garbled"

    def __init__(self, *, name: str) -> None:
        super().__init__(
            T("“{name}”有读不出来的字符,没有导入。", name=name), hint=T("用原件重新导出为 UTF-8 文本或 docx 后再试。")
        )


@dataclass(frozen=True)
class LibraryDocument:
    """文件库中的一份文件. Its control block, its clauses with their ids, and the notes kept beside it."""

    document: ControlledDocument
    text: str
    """`clauses.txt`, exactly."""
    segment: Segment
    notes: tuple[GapNote, ...]
    """Screen only: never printed, never in a pack."""
    islands: frozenset[str]
    """Digests of the islands kept beside the text, checked against their bytes."""
    ids_fit: bool
    """Whether `clauses.yml` fits the text; when it does not, clauses carry no ids."""


@dataclass(frozen=True)
class ImportOrder:
    """导入要求. What the person who imports decides; what is None comes from the text."""

    number: str | None = None
    title: str | None = None
    class_word: str | None = None
    owner: str | None = None
    segment: int | None = None
    """Which document of the file, from 1."""


@dataclass(frozen=True)
class Imported:
    """导入结果."""

    document: ControlledDocument
    clauses: int
    commit: str
    findings: tuple[Finding, ...]


class DocumentLibrary:
    """文件库. Reads and adds controlled documents.

    Args:
        files: the approved content.
        clock: the time of an import.
    """

    def __init__(self, files: ControlledFiles, clock: Clock) -> None:
        self.files = files
        self._clock = clock

    def numbers(self) -> list[str]:
        """Return the numbers of all documents, in order."""
        return [name for name in self.files.folders(FOLDER) if _is_number(name)]

    def resolve(self, wanted: str) -> str:
        """Return the number meant by `wanted`: a number, or its end as people say it (`CX-014`).

        Raises:
            UnknownDocumentError: no document is called so.
        """
        numbers = self.numbers()
        meant = [number for number in numbers if wanted in {number, DocumentNumber(number).short}]
        if len(meant) != 1:
            raise UnknownDocumentError(number=wanted, close=nearest(wanted, numbers))
        return meant[0]

    def documents(self) -> list[ControlledDocument]:
        """Return the control blocks of all documents, in order of number."""
        return [self.document(number) for number in self.numbers()]

    def document(self, number: str) -> ControlledDocument:
        """Return one control block.

        Raises:
            UnknownDocumentError: there is no such document.
            DocumentFileError, YamlTextError: its description is not acceptable.
        """
        self._known(number)
        path = f"{FOLDER}/{number}/document.yml"
        return read_document(self._text(path), where=path)

    def show(self, number: str) -> LibraryDocument:
        """Return one document whole.

        Raises:
            UnknownDocumentError: there is no such document.
            DocumentIncompleteError, ClauseIdsError: its folder is damaged.
            DocumentFileError, YamlTextError: its description is not acceptable.
        """
        document = self.document(number)
        text = self._text(f"{FOLDER}/{number}/clauses.txt")
        segment = whole_segment(text)
        path = f"{FOLDER}/{number}/clauses.yml"
        data = self.files.read(path)
        fits = False
        if data is None:
            segment = segment.with_ids(tuple(mark.id for mark in first_ids(segment.clauses).marks))
            fits = True
        else:
            marks = read_clause_ids(self._text(path), where=path).marks
            fits = [mark.digest for mark in marks] == [clause_digest(clause) for clause in segment.clauses]
            if fits:
                segment = segment.with_ids(tuple(mark.id for mark in marks))
        return LibraryDocument(document, text, segment, self.notes(number), self._islands(number), fits)

    def notes(self, number: str) -> tuple[GapNote, ...]:
        """Return the gap notes of a document, none when there is no file of them."""
        path = f"{FOLDER}/{number}/notes.yml"
        return read_notes(self._text(path), where=path) if self.files.read(path) is not None else ()

    def external_documents(self) -> ExternalDocumentList:
        """Return the list of external documents.

        Raises:
            LibraryListMissingError: the workspace has none.
        """
        if self.files.read(EXTERNAL_FILE) is None:
            raise LibraryListMissingError(path=EXTERNAL_FILE)
        return read_external_documents(self._text(EXTERNAL_FILE), where=EXTERNAL_FILE)

    def checklist(self) -> InspectionChecklist:
        """Return the inspection checklist.

        Raises:
            LibraryListMissingError: the workspace has none.
        """
        if self.files.read(CHECKLIST_FILE) is None:
            raise LibraryListMissingError(path=CHECKLIST_FILE)
        return read_checklist(self._text(CHECKLIST_FILE), where=CHECKLIST_FILE)

    def import_document(self, source: ReadText, order: ImportOrder, *, by: Signatory) -> Imported:
        """Put one document of a file that was read into the library, whole or not at all.

        Raises:
            SegmentNeededError, NothingToImportError, GarbledTextError: what is to be imported cannot be told or read.
            NumberNeededError, NumberUnlikeTextError, NumberTakenError, InvalidIdentifierError, WrongClassError,
            TitleNeededError, OwnerInvalidError: the control block cannot be made.
        """
        segment = self._chosen(source, order)
        number = self._free_number(segment, order)
        word = CLASS_WORDS.get(number.class_code)
        if word is None or (order.class_word is not None and order.class_word != word):
            raise WrongClassError(number=str(number), word=order.class_word or number.class_code)
        document = ControlledDocument(
            number=number,
            title=_one_line(order.title or segment.title, _TITLE_LENGTH, TitleNeededError),
            revision=_FIRST_REVISION,
            class_word=word,
            owner=_one_line(order.owner or "待定", _OWNER_LENGTH, OwnerInvalidError),
            status_note="导入稿,待企业核对",
        )
        try:
            text = segment.source.encode("utf-8")
        except UnicodeEncodeError as exc:
            raise GarbledTextError(name=source.name) from exc
        folder = f"{FOLDER}/{number}"
        changes: dict[str, bytes | None] = {
            f"{folder}/document.yml": write_document(document).encode("utf-8"),
            f"{folder}/clauses.txt": text,
            f"{folder}/clauses.yml": write_clause_ids(first_ids(whole_segment(segment.source).clauses)).encode("utf-8"),
        }
        for digest, content in source.islands.items():
            if str(digest) in segment.source:
                changes[f"{folder}/islands/{digest.hex}.json"] = content
        commit = self.files.record_change(
            changes,
            by=by,
            at=self._clock.now(),
            action="import",
            subject=str(number),
            note=f"{number} {document.title}",
        )
        findings = tuple(
            item
            for item in source.findings
            if item.line is None or segment.first_line <= item.line <= segment.last_line
        )
        return Imported(document, len(segment.clauses), commit, findings)

    def island(self, number: str, digest: Digest) -> bytes | None:
        """Return the verbatim OOXML of an island, None when it is missing or is not what its digest says."""
        data = self.files.read(f"{FOLDER}/{number}/islands/{digest.hex}.json")
        return data if data is not None and Digest.of(data) == digest else None

    def _islands(self, number: str) -> frozenset[str]:
        kept = set()
        for path in self.files.files(f"{FOLDER}/{number}/islands"):
            data = self.files.read(path)
            if data is not None and path.endswith(f"/{Digest.of(data).hex}.json"):
                kept.add(str(Digest.of(data)))
        return frozenset(kept)

    # -- parts of it -------------------------------------------------------------------------------------------

    def _known(self, number: str) -> None:
        numbers = self.numbers()
        if number not in numbers:
            raise UnknownDocumentError(number=number, close=nearest(number, numbers))

    def _text(self, path: str) -> str:
        data = self.files.read(path)
        if data is None:
            raise DocumentIncompleteError(path=path)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as exc:
            raise DocumentIncompleteError(path=path) from exc

    def _chosen(self, source: ReadText, order: ImportOrder) -> Segment:
        segments = [segment for segment in source.parsed.segments if segment.clauses]
        if not segments:
            raise NothingToImportError(name=source.name)
        every = source.parsed.segments
        if order.segment is not None:
            if 1 <= order.segment <= len(every) and every[order.segment - 1].clauses:
                return every[order.segment - 1]
        elif len(segments) == 1:
            return segments[0]
        else:
            named = [segment for segment in segments if order.number is not None and segment.number == order.number]
            if len(named) == 1:
                return named[0]
        titles = [
            T("{place} {title}", place=place, title=(item.number or "") + item.title if item.title else T("无标题"))
            for place, item in enumerate(every, start=1)
        ]
        raise SegmentNeededError(count=len(every), titles=titles)

    def _free_number(self, segment: Segment, order: ImportOrder) -> DocumentNumber:
        taken = self._taken()
        wanted = order.number or segment.number
        if wanted is None:
            raise NumberNeededError(free=_next_free(taken, order.class_word, "XX-YLQXCX-001"))
        number = DocumentNumber(wanted)
        if order.number is not None and segment.number not in {None, order.number}:
            raise NumberUnlikeTextError(number=order.number, typed=str(segment.number))
        if wanted in taken:
            raise NumberTakenError(number=wanted, title=taken[wanted], free=_next_free(taken, None, wanted))
        return number

    def _taken(self) -> dict[str, str]:
        taken = {item: self.document(item).title for item in self.numbers()}
        for folder in (FORMS_FOLDER, REGISTERS_FOLDER):
            for name in self.files.folders(folder):
                taken.setdefault(name, name)
        return taken


def whole_segment(text: str) -> Segment:
    """Return a library text as one document, whatever looks like a second title inside it."""
    parsed = parse_text(text)
    pieces = (*parsed.head, *(piece for segment in parsed.segments for piece in segment.pieces))
    first = parsed.segments[0] if parsed.segments else None
    if first is None:
        from controller.domain.clause import Segment

        return Segment(pieces)
    return replace(first, pieces=pieces)


def _is_number(name: str) -> bool:
    try:
        DocumentNumber(name)
    except InvalidIdentifierError:
        return False
    return True


def _one_line(value: str | None, limit: int, error: type[TitleNeededError | OwnerInvalidError]) -> str:
    text = (value or "").strip()
    if not 0 < len(text) <= limit or not text.isprintable():
        raise error
    return text


def _next_free(taken: dict[str, str], class_word: str | None, like: str) -> str:
    """Return the first unused number of a class, in the manner of `like` or of the numbers in use."""
    codes = {word: code for code, word in CLASS_WORDS.items()}
    stem = like.rpartition("-")[0]
    wanted = codes.get(class_word or "")
    if wanted is not None:
        stem = next(
            (item.rpartition("-")[0] for item in taken if item.rpartition("-")[0].endswith(wanted)), stem[:-2] + wanted
        )
    serial = 1
    while f"{stem}-{serial:03d}" in taken:
        serial += 1
    return f"{stem}-{serial:03d}"
