"""文件库检查. `qms doc lint`: every reference of every document leads somewhere, and what it cites is still valid.

All findings at once. A cited external document that is not in force is a finding with the certainty of that statement:
the product points out, it never rewrites.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller.domain.clause import Island
from controller.domain.clause_findings import segment_findings
from controller.domain.conformity import Finding, Gravity
from controller.domain.document import CLASS_WORDS, Validity
from controller.domain.errors import QmsError
from controller.domain.identifiers import nearest
from controller.domain.text import T, Text
from controller.file_formats.document_file import unknown_keys
from controller.file_formats.yaml_text import YamlTextError, load_yaml
from controller.services.document_library import (
    CHECKLIST_FILE,
    EXTERNAL_FILE,
    FOLDER,
    FORMS_FOLDER,
    REGISTERS_FOLDER,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.domain.clause import Clause
    from controller.domain.document import ControlledDocument, ExternalDocument, ExternalDocumentList
    from controller.services.document_library import DocumentLibrary, LibraryDocument
    from controller.services.ports import LibraryFiles

_TITLE = re.compile(r"《([^《》\n]{2,60})》")
_LAW_WORDS = ("条例", "办法", "规范", "规定", "法", "规则", "指导原则", "通知", "公告")
_FORM_WORDS = ("表", "单", "记录", "台账", "清单", "卡", "报告", "书", "簿")


@dataclass
class _Library:
    """Everything that can be referred to."""

    documents: dict[str, str] = field(default_factory=dict)
    forms: dict[str, str] = field(default_factory=dict)
    registers: dict[str, str] = field(default_factory=dict)
    external: ExternalDocumentList | None = None

    def has(self, number: str) -> bool:
        return number in self.documents or number in self.forms or number in self.registers

    def numbers(self) -> list[str]:
        return [*self.documents, *self.forms, *self.registers]

    def titled(self, title: str) -> bool:
        return any(title in names.values() for names in (self.documents, self.forms, self.registers))


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


def check_documents(library: DocumentLibrary) -> list[Finding]:
    """Return everything found in the documents of the workspace, in order of number.

    Forms and registers are only looked up here; their own lint checks them.
    """
    found: list[Finding] = []
    known = _known(library, found)
    for number in library.numbers():
        try:
            shown = library.show(number)
        except QmsError as exc:
            path = exc.where or f"{FOLDER}/{number}"
            found.append(_problem(exc, path, number))
            continue
        found.extend(_document(shown, known))
        found.extend(_unclaimed_folder(shown.document, number))
    found.extend(_checklist(library, known))
    return found


def _problem(exc: QmsError, path: str, subject: str | None) -> Finding:
    file, _colon, line = path.partition(":")
    at = int(line) if line.isdecimal() else None
    return Finding(exc.code, Gravity.ERROR, exc.message, path=file, line=at, subject=subject, hint=exc.hint)


def _known(library: DocumentLibrary, found: list[Finding]) -> _Library:
    known = _Library(
        forms=_titles(library.files, FORMS_FOLDER, "form.yml", found),
        registers=_titles(library.files, REGISTERS_FOLDER, "register.yml", found),
    )
    for number in library.numbers():
        try:
            known.documents[number] = library.document(number).title
        except QmsError:
            known.documents[number] = ""  # told where the document itself is checked
    try:
        known.external = library.external_documents()
    except QmsError as exc:
        found.append(_problem(exc, exc.where or EXTERNAL_FILE, None))
    return known


def _titles(files: LibraryFiles, folder: str, name: str, found: list[Finding]) -> dict[str, str]:
    """Return number → title of what lies below `folder`; a register may be referred to by its id as well."""
    titles: dict[str, str] = {}
    for entry in files.folders(folder):
        path = f"{folder}/{entry}/{name}"
        data = files.read(path)
        if data is None:
            continue
        try:
            content = load_yaml(data.decode("utf-8"), where=path)
        except (YamlTextError, UnicodeDecodeError) as exc:
            message = exc.message if isinstance(exc, YamlTextError) else T("不是 UTF-8 文本")
            found.append(Finding("linked-file-unreadable", Gravity.WARNING, message, path=path))
            titles[entry] = ""
            continue
        if isinstance(content, dict):
            title = str(content.get("title") or "")
            titles[entry] = title
            titles[str(content.get("number") or entry)] = title
    return titles


def _document(shown: LibraryDocument, known: _Library) -> list[Finding]:
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
    _links(document, shown, known, report)
    _basis(document, known, report)
    _cited_titles(shown, known, report)
    return report.found


def _unclaimed_folder(document: ControlledDocument, folder: str) -> list[Finding]:
    if str(document.number) == folder:
        return []
    message = T("目录名 {folder} 与编号 {number} 不同。", folder=folder, number=document.number)
    path = f"{FOLDER}/{folder}/document.yml"
    return [Finding("document-folder-wrong", Gravity.ERROR, message, path=path, subject=folder)]


def _links(document: ControlledDocument, shown: LibraryDocument, known: _Library, report: _Report) -> None:
    typed = {_count(clause) for clause in shown.segment.clauses if clause.number}
    typed |= {clause.label.strip() for clause in shown.segment.clauses}
    for kind, keys in (("links", document.links), ("company_set", document.company_set)):
        for clause in keys:
            if clause not in typed:
                message = T("{kind} 提到的条款 {clause} 在正文里没有。", kind=kind, clause=clause)
                report.add("link-clause-missing", Gravity.WARNING, message)
    for clause, targets in document.links.items():
        for target in targets:
            _target(target, T("条款 {clause}", clause=clause), known, report)
    for target in document.related:
        _target(target, T("相关文件"), known, report)
    for form in document.forms:
        if form not in known.forms:
            message = T("名下的表单 {form} 不存在。", form=form)
            report.add("link-target-missing", Gravity.ERROR, message, hint=_near(form, known))


def _count(clause: Clause) -> str:
    return ".".join(str(part) for part in clause.number)


def _target(target: str, place: Text, known: _Library, report: _Report) -> None:
    identifier = target.split(maxsplit=1)[0] if target.strip() else target
    if identifier.startswith("WL-"):
        if known.external is not None and known.external.find(identifier) is None:
            report.add(
                "link-target-missing",
                Gravity.ERROR,
                T("{place}引用的外来文件 {id} 不在清单里。", place=place, id=identifier),
            )
        return
    if not known.has(identifier):
        message = T("{place}指向的 {target} 不存在。", place=place, target=target)
        report.add("link-target-missing", Gravity.ERROR, message, hint=_near(identifier, known))


def _near(wanted: str, known: _Library) -> Text | None:
    close = nearest(wanted, known.numbers())
    return T("是否想写 {number}？", number=close) if close else None


def _basis(document: ControlledDocument, known: _Library, report: _Report) -> None:
    if known.external is None:
        return
    for identifier in document.basis:
        cited = known.external.find(identifier)
        if cited is None:
            report.add("link-target-missing", Gravity.ERROR, T("依据 {id} 不在外来文件清单里。", id=identifier))
        elif cited.validity is not Validity.CURRENT:
            report.add("basis-not-valid", _validity_gravity(cited), _validity_message(cited))


def _validity_gravity(cited: ExternalDocument) -> Gravity:
    return Gravity.WARNING if cited.validity is Validity.REPEALED else Gravity.NOTE


def _validity_message(cited: ExternalDocument) -> Text:
    return T(
        "依据《{title}》的有效性是“{validity}”（{certainty}）。",
        title=cited.title,
        validity=cited.validity.value,
        certainty=cited.certainty,
    )


def _cited_titles(shown: LibraryDocument, known: _Library, report: _Report) -> None:
    """Every 《…》 in the text is a form, a register, a document or an external document that we know."""
    noted = {note.clause: note.id for note in shown.notes}
    seen: set[str] = set()
    for clause in shown.segment.clauses:
        for title in _TITLE.findall(clause.text):
            if title in seen or known.titled(title):
                continue
            seen.add(title)
            cited = known.external.titled(title) if known.external else None
            if cited is not None:
                if cited.validity is not Validity.CURRENT and cited.id not in shown.document.basis:
                    message = _validity_message(cited)
                    report.add(
                        "basis-not-valid", _validity_gravity(cited), message, file="clauses.txt", line=clause.span.line
                    )
                continue
            _unknown_title(title, clause, noted, known, report)


def _unknown_title(
    title: str, clause: Clause, noted: Mapping[str | None, str], known: _Library, report: _Report
) -> None:
    line = clause.span.line
    note = noted.get(_count(clause))
    if title.endswith(_LAW_WORDS):
        if note is not None:
            message = T("引用的《{title}》不在外来文件清单里；已有提示 {note}。", title=title, note=note)
            report.add("citation-unknown", Gravity.NOTE, message, file="clauses.txt", line=line)
            return
        message = T("引用的《{title}》不在外来文件清单里，是否现行无法判断。", title=title)
        close = nearest(title, [item.title for item in known.external.documents]) if known.external else None
        hint = T("是否指《{title}》？核实后登记到外来文件清单。", title=close) if close else None
        report.add("citation-unknown", Gravity.WARNING, message, file="clauses.txt", line=line, hint=hint)
    elif title.endswith(_FORM_WORDS):
        close = nearest(title, [*known.forms.values(), *known.registers.values()])
        hint = T("名称最接近的是《{title}》。", title=close) if close else None
        message = T("正文要求的《{title}》没有同名的表单或台账。", title=title)
        report.add("required-form-missing", Gravity.WARNING, message, file="clauses.txt", line=line, hint=hint)
    else:
        message = T("正文提到的《{title}》不在文件库和外来文件清单里。", title=title)
        report.add("citation-unknown", Gravity.NOTE, message, file="clauses.txt", line=line)


def _checklist(library: DocumentLibrary, known: _Library) -> list[Finding]:
    try:
        checklist = library.checklist()
    except QmsError as exc:
        return [_problem(exc, exc.where or CHECKLIST_FILE, None)]
    found = []
    for item in checklist.items:
        for target in item.evidence:
            missing = not known.has(target)
            if target.startswith("WL-"):
                missing = known.external is not None and known.external.find(target.split(maxsplit=1)[0]) is None
            if missing:
                message = T("检查项 {clause} 的证据 {target} 不存在。", clause=item.clause, target=target)
                found.append(
                    Finding(
                        "evidence-missing", Gravity.WARNING, message, path=CHECKLIST_FILE, hint=_near(target, known)
                    )
                )
    return found
