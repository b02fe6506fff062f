"""文件库检查. `qms doc lint`: every reference of every document leads somewhere, and what it cites is still valid.

All findings at once. A cited external document that is not in force is a finding with the certainty of that statement:
the product points out, it never rewrites.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller.domain.clause import Island
from controller.domain.clause_findings import segment_findings
from controller.domain.conformity import Finding, Gravity
from controller.domain.document import CLASS_WORDS
from controller.domain.errors import QmsError
from controller.domain.text import T, Text
from controller.file_formats.document_file import unknown_keys
from controller.services.document_library import CHECKLIST_FILE, EXTERNAL_FILE, FOLDER
from controller.services.reference_keeping import ReferenceKeeping

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from controller.domain.clause import Clause
    from controller.domain.document import ControlledDocument
    from controller.domain.references import FormerItem
    from controller.services.document_library import DocumentLibrary, LibraryDocument


@dataclass
class _Report:
    """The findings about one document."""

    number: str
    found: list[Finding] = field(default_factory=list)

    def add(
        self,
        code: str,
        gravity: Gravity,
        message: Text,
        *,
        file: str = "document.yml",
        line: int | None = None,
        hint: Text | None = None,
    ) -> None:
        path = f"{FOLDER}/{self.number}/{file}"
        self.found.append(Finding(code, gravity, message, path=path, line=line, subject=self.number, hint=hint))


def check_documents(
    library: DocumentLibrary, former: Callable[[], Sequence[FormerItem]] | None = None
) -> list[Finding]:
    """Return everything found in the documents of the workspace, in order of number, then in what else refers.

    Forms and registers are checked here only for what they refer to; their own lint checks the rest.

    Args:
        library: the documents.
        former: gives the numbers and titles the library once had, to explain names that are gone.
    """
    keeping = ReferenceKeeping(library, former)
    references = keeping.findings()
    found: list[Finding] = []
    numbers = library.numbers()
    for number in numbers:
        try:
            shown = library.show(number)
        except QmsError as exc:
            path = exc.where or f"{FOLDER}/{number}"
            found.append(_problem(exc, path, number))
            continue
        found.extend(_document(shown))
        found.extend(item for item in references if item.subject == number)
        found.extend(_unclaimed_folder(shown.document, number))
    found.extend(item for item in references if item.subject not in numbers)
    for read, path in ((library.external_documents, EXTERNAL_FILE), (library.checklist, CHECKLIST_FILE)):
        try:
            read()
        except QmsError as exc:
            found.append(_problem(exc, exc.where or path, None))
    return found


def _problem(exc: QmsError, path: str, subject: str | None) -> Finding:
    file, _colon, line = path.partition(":")
    at = int(line) if line.isdecimal() else None
    return Finding(exc.code, Gravity.ERROR, exc.message, path=file, line=at, subject=subject, hint=exc.hint)


def _document(shown: LibraryDocument) -> list[Finding]:
    document = shown.document
    number = str(document.number)
    report = _Report(number)
    add = report.add
    for key, close in unknown_keys(document).items():
        hint = T("是否想写 {key}？", key=close) if close else None
        add("document-key-unknown", Gravity.WARNING, T("不认识的项目 {key}，原样保留。", key=key), hint=hint)
    if CLASS_WORDS.get(document.number.class_code) != document.class_word:
        message = T("类别“{word}”与编号 {number} 不符。", word=document.class_word, number=number)
        add("document-class-wrong", Gravity.ERROR, message)
    if not shown.segment.clauses:
        add("document-empty", Gravity.ERROR, T("没有条款。"), file="clauses.txt")
    if shown.segment.number not in {None, number}:
        message = T("正文写的编号是 {typed}。", typed=shown.segment.number)
        add("document-number-differs", Gravity.ERROR, message, file="clauses.txt", line=shown.segment.first_line)
    if shown.segment.title is not None and shown.segment.title != document.title:
        message = T("正文标题“{typed}”与说明里的“{title}”不同。", typed=shown.segment.title, title=document.title)
        add("document-title-differs", Gravity.WARNING, message, file="clauses.txt", line=shown.segment.first_line)
    if not shown.ids_fit:
        message = T("条款标识与正文不一致，条款的历史会断开。")
        add("clause-ids-stale", Gravity.WARNING, message, file="clauses.yml", hint=T("正文只通过文件更改修改。"))
    text_findings = segment_findings(shown.segment, name=number, path=f"{FOLDER}/{number}/clauses.txt")
    report.found.extend(item for item in text_findings if item.gravity is not Gravity.NOTE)
    for piece in shown.segment.pieces:
        if isinstance(piece, Island) and str(piece.digest) not in shown.islands:
            message = T("图表“{caption}”的原件不在文件夹里。", caption=piece.caption)
            add("island-missing", Gravity.ERROR, message, file="clauses.txt", line=piece.span.line)
    _links(document, shown, report)
    return report.found


def _unclaimed_folder(document: ControlledDocument, folder: str) -> list[Finding]:
    if str(document.number) == folder:
        return []
    message = T("目录名 {folder} 与编号 {number} 不同。", folder=folder, number=document.number)
    path = f"{FOLDER}/{folder}/document.yml"
    return [Finding("document-folder-wrong", Gravity.ERROR, message, path=path, subject=folder)]


def _links(document: ControlledDocument, shown: LibraryDocument, report: _Report) -> None:
    typed = {_count(clause) for clause in shown.segment.clauses if clause.number}
    typed |= {clause.label.strip() for clause in shown.segment.clauses}
    for kind, keys in (("links", document.links), ("company_set", document.company_set)):
        for clause in keys:
            if clause not in typed:
                message = T("{kind} 提到的条款 {clause} 在正文里没有。", kind=kind, clause=clause)
                report.add("link-clause-missing", Gravity.WARNING, message)


def _count(clause: Clause) -> str:
    return ".".join(str(part) for part in clause.number)
