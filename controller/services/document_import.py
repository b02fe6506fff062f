"""导入文件. Puts one document of a text that was read into the library, whole or not at all, its text untouched."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.clause import Aside
from controller.domain.document import CLASS_WORDS, ControlledDocument
from controller.domain.errors import DamagedError, RefusedError
from controller.domain.identifiers import DocumentNumber, InvalidIdentifierError, Revision
from controller.domain.text import T
from controller.file_formats.clause_ids import first_ids, renewed, write_clause_ids
from controller.file_formats.document_file import write_document
from controller.file_formats.document_titles import control_line
from controller.services.archive_ports import ControlledChange
from controller.services.document_history import MAIN, HistoryDamagedError
from controller.services.document_library import (
    FOLDER,
    FORMS_FOLDER,
    REGISTERS_FOLDER,
    DocumentLibrary,
    whole_segment,
)
from controller.services.examination_ports import HistoryUnreadable
from controller.services.library_adoption import library_statement
from controller.services.staff_directory import check_post

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from controller.domain.clause import Segment
    from controller.domain.conformity import Finding
    from controller.domain.identifiers import Digest
    from controller.domain.person import Staff
    from controller.domain.text import Text
    from controller.services.history_ports import LibraryHistory
    from controller.services.ports import ControlledFiles
    from controller.services.signing_ports import Signer
    from controller.services.statement_filing import StatementFiling
    from controller.services.text_reading import ReadText

_FIRST_REVISION = Revision("A/0")
_MEANING = "批准"
IMPORTING_POSTS = ("document_controller", "quality_officer", "quality_head", "general_manager")
"""Posts that may bring documents into the library (company default)."""
_REVISION_WORDS = ("版本", "版次")
_REVISION = re.compile(r"[A-Za-z]/[0-9]+(?![0-9A-Za-z/])")
_TITLE_LENGTH = 80
_OWNER_LENGTH = 40


class NumberTakenError(RefusedError):
    """编号已使用. Numbers are never used a second time."""

    code = "document-number-taken"

    def __init__(self, *, number: str, title: str, free: str) -> None:
        super().__init__(
            T("编号 {number} 已用于《{title}》，没有导入。", number=number, title=title),
            hint=T("换一个编号，例如 {free}；修订现有文件请走文件更改。", free=free),
        )


class NumberNeededError(RefusedError):
    """需要编号. Neither the text nor the command says which number the document gets."""

    code = "document-number-needed"

    def __init__(self, *, free: str) -> None:
        super().__init__(T("文本里没有文件编号。"), hint=T("加上 --number，例如 --number {free}。", free=free))


class NumberUnlikeTextError(RefusedError):
    """编号与正文不一致. The text carries another number than the command."""

    code = "document-number-differs"

    def __init__(self, *, number: str, typed: str) -> None:
        super().__init__(
            T("正文写的编号是 {typed}，与 --number {number} 不一致，没有导入。", typed=typed, number=number),
            hint=T("去掉 --number，或先在正文里改好编号。"),
        )


class TitleNeededError(RefusedError):
    """需要标题. The text has no title, or it cannot stand in a control block."""

    code = "document-title-needed"

    def __init__(self) -> None:
        super().__init__(
            T("这一篇没有可用的标题（1 到 {limit} 个字，不换行）。", limit=_TITLE_LENGTH), hint=T("加上 --title 标题。")
        )


class OwnerInvalidError(RefusedError):
    """归口部门不可用."""

    code = "document-owner-invalid"

    def __init__(self) -> None:
        super().__init__(
            T("归口部门应为 1 到 {limit} 个字，不换行。", limit=_OWNER_LENGTH), hint=T("例如 --owner 质管部。")
        )


class WrongClassError(RefusedError):
    """类别不符. The class does not exist here, or the number is of another class."""

    code = "document-class-wrong"

    def __init__(self, *, number: str, word: str) -> None:
        super().__init__(
            T("编号 {number} 不属于“{word}”类。", number=number, word=word),
            hint=T("程序用 CX，制度用 ZD，职责用 ZZ，手册用 SC；表单和台账不在这里导入。"),
        )


class SegmentNeededError(RefusedError):
    """需要指明哪一篇. The file holds several documents, or not the one named."""

    code = "document-segment-needed"

    def __init__(self, *, count: int, titles: Sequence[Text]) -> None:
        super().__init__(
            T("文件里有 {count} 篇：{titles}。", count=count, titles=list(titles)),
            hint=T("用 --segment 1 到 {count} 指明导入哪一篇。", count=count),
        )


class NothingToImportError(RefusedError):
    """没有条款. The text holds nothing that could be a document."""

    code = "document-empty"

    def __init__(self, *, name: str) -> None:
        super().__init__(T("“{name}”里没有条款，没有导入。", name=name), hint=T("用 qms doc parse 查看解析结果。"))


class GarbledTextError(DamagedError):
    """文字已损坏. The text holds characters that could not be read."""

    code = "document-text-garbled"

    def __init__(self, *, name: str) -> None:
        super().__init__(
            T("“{name}”有读不出来的字符，没有导入。", name=name), hint=T("用原件重新导出为 UTF-8 文本或 docx 后再试。")
        )


@dataclass(frozen=True)
class ImportOrder:
    """导入要求. What the person who imports decides; what is None comes from the text."""

    number: str | None = None
    title: str | None = None
    class_word: str | None = None
    owner: str | None = None
    segment: int | None = None
    """Which document of the file, from 1."""
    revision: str | None = None


@dataclass(frozen=True)
class Imported:
    """导入结果."""

    document: ControlledDocument
    clauses: int
    commit: str
    findings: tuple[Finding, ...]
    stated: str | None = None
    """The revision as the text states it (`版本：B/1`), None when it states none."""


class DocumentImport:
    """导入.

    Args:
        files: the approved content, which is changed.
        statements: where what is imported is stated and signed.
        staff: who may import.
        used: gives every number that was ever used, whatever became of it.
    """

    def __init__(
        self,
        files: ControlledFiles,
        statements: StatementFiling,
        staff: Staff,
        used: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        self._used = used
        self._files = files
        self._library = DocumentLibrary(files)
        self._statements = statements
        self._staff = staff

    def import_document(self, source: ReadText, order: ImportOrder, *, by: Signer) -> Imported:
        """Put one document of a file that was read into the library, whole or not at all.

        Raises:
            PostNeededError: the person's posts do not allow it.
            SegmentNeededError, NothingToImportError, GarbledTextError: what is to be imported cannot be told or read.
            NumberNeededError, NumberUnlikeTextError, NumberTakenError, InvalidIdentifierError, WrongClassError,
            TitleNeededError, OwnerInvalidError: the control block cannot be made.
        """
        check_post(self._staff, by.signatory, IMPORTING_POSTS, T("导入文件"))
        segment = self._chosen(source, order)
        number = self._free_number(segment, order)
        word = CLASS_WORDS.get(number.class_code)
        if word is None or (order.class_word is not None and order.class_word != word):
            raise WrongClassError(number=str(number), word=order.class_word or number.class_code)
        stated = stated_revision(source, segment)
        document = ControlledDocument(
            number=number,
            title=_one_line(order.title or segment.title, _TITLE_LENGTH, TitleNeededError),
            revision=Revision(order.revision.strip()) if order.revision else _revision_in(stated) or _FIRST_REVISION,
            class_word=word,
            owner=_one_line(order.owner or "待定", _OWNER_LENGTH, OwnerInvalidError),
            status_note="导入稿,待企业核对",
        )
        try:
            text = segment.source.encode("utf-8")
        except UnicodeEncodeError as exc:
            raise GarbledTextError(name=source.name) from exc
        changes = document_files(document, segment.source, text, source.islands)
        note = f"{number} {document.title}"
        by.ready(_MEANING)
        filed = self._statements.file(
            library_statement(self._files, changes, subject=number.text, reason=note, meaning=_MEANING),
            by,
            controlled=ControlledChange(changes, action="import", subject=number.text, note=note),
        )
        commit = filed.commit
        findings = tuple(
            item
            for item in source.findings
            if item.line is None or segment.first_line <= item.line <= segment.last_line
        )
        return Imported(document, len(segment.clauses), commit, findings, stated)

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
        taken = taken_numbers(self._library, self._used())
        wanted = order.number or segment.number
        if wanted is None:
            raise NumberNeededError(free=_next_free(taken, order.class_word, "XX-YLQXCX-001"))
        number = DocumentNumber(wanted)
        if order.number is not None and segment.number not in {None, order.number}:
            raise NumberUnlikeTextError(number=order.number, typed=str(segment.number))
        if wanted in taken:
            raise NumberTakenError(number=wanted, title=taken[wanted], free=_next_free(taken, None, wanted))
        return number


def document_files(
    document: ControlledDocument, text: str, data: bytes, islands: Mapping[Digest, bytes]
) -> dict[str, bytes | None]:
    """Return the files of a new document by library path; `data` is its text as bytes."""
    folder = f"{FOLDER}/{document.number}"
    files: dict[str, bytes | None] = {
        f"{folder}/document.yml": write_document(document).encode("utf-8"),
        f"{folder}/clauses.txt": data,
        f"{folder}/clauses.yml": write_clause_ids(first_ids(whole_segment(text).clauses)).encode("utf-8"),
    }
    for digest, content in islands.items():
        if str(digest) in text:
            files[f"{folder}/islands/{digest.hex}.json"] = content
    return files


def taken_numbers(library: DocumentLibrary, used: Iterable[str]) -> dict[str, str]:
    """Return every number that cannot be given again, with the title it stands for; `used` are those of the past."""
    taken = {item: library.document(item).title for item in library.numbers()}
    for folder in (FORMS_FOLDER, REGISTERS_FOLDER):
        for name in library.files.folders(folder):
            taken.setdefault(name, name)
    for name in used:
        taken.setdefault(name, name)
    return taken


def ever_used(history: LibraryHistory, statements: StatementFiling) -> set[str]:
    """Return the numbers of all documents and forms that ever were in the library, and those that were signed.

    Raises:
        HistoryDamagedError: the history cannot be read.
    """
    found = {chain.split("/")[1] for chain in statements.chains() if chain.startswith("documents/")}
    tip = history.tip(MAIN)
    try:
        for commit in history.log(tip, paths=(FOLDER, FORMS_FOLDER)) if tip is not None else ():
            found |= {
                change.path.removeprefix(f"{FORMS_FOLDER}/").removeprefix(f"{FOLDER}/").split("/")[0]
                for change in commit.changes
            }
    except HistoryUnreadable as exc:
        raise HistoryDamagedError(commit=exc.commit) from exc
    return {name for name in found if is_document_number(name)}


def renew_clause_ids(files: dict[str, bytes], changed: Iterable[str]) -> None:
    """Make the digests in `clauses.yml` fit again where a text of the starter library got the company's own prefix.

    Args:
        files: path → bytes of the library; changed in place.
        changed: paths of the files whose wording was changed.
    """
    for path in changed:
        folder, _slash, name = path.rpartition("/")
        ids = files.get(f"{folder}/clauses.yml")
        if name == "clauses.txt" and ids is not None:
            text = files[path].decode("utf-8")
            files[f"{folder}/clauses.yml"] = renewed(ids.decode("utf-8"), text, where=path).encode("utf-8")


def stated_revision(source: ReadText, segment: Segment) -> str | None:
    """Return what a control line above the clauses says of the revision (`版本：B/1`, `版次:2`), None without one."""
    for piece in (*segment.pieces, *source.parsed.head):
        found = control_line(piece.source) if isinstance(piece, Aside) else None
        if found is not None and found[0].startswith(_REVISION_WORDS) and found[1]:
            return found[1]
    return None


def _revision_in(stated: str | None) -> Revision | None:
    """Return the revision that a stated text begins with; `B/1` counts, `第二版` is for a person to decide."""
    found = _REVISION.match(stated or "")
    try:
        return Revision(found[0].upper()) if found else None
    except InvalidIdentifierError:
        return None


def _one_line(value: str | None, limit: int, error: type[TitleNeededError | OwnerInvalidError]) -> str:
    text = (value or "").strip()
    if not 0 < len(text) <= limit or not text.isprintable():
        raise error
    return text


def is_document_number(text: str) -> bool:
    """Tell whether `text` is a number of the scheme."""
    try:
        DocumentNumber(text)
    except InvalidIdentifierError:
        return False
    return True


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
