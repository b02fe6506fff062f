"""文件说明的读写. `document.yml`, `notes.yml`, `external_documents.yml`, `inspection_checklist.yml` ↔ domain values.

Reading is strict: every refusal names file and line. Keys this version does not know are kept and written back.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from controller.domain.document import (
    ChecklistItem,
    ControlledDocument,
    ExternalDocument,
    ExternalDocumentList,
    GapNote,
    HistoryRow,
    InspectionChecklist,
    SigningStep,
    Validity,
)
from controller.domain.errors import MisconfiguredError, RefusedError
from controller.domain.identifiers import DocumentNumber, Revision, nearest
from controller.domain.text import T, Text
from controller.file_formats.yaml_text import Lines, dump_yaml, load_yaml_with_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

DOCUMENT_FORMAT = "wenkong/document/1"
NOTES_FORMAT = "wenkong/notes/1"
EXTERNAL_FORMAT = "wenkong/external-documents/1"
CHECKLIST_FORMAT = "wenkong/inspection-checklist/1"

DOCUMENT_KEYS = (
    "format", "number", "title", "revision", "class", "owner", "status_note", "applies_if", "related", "basis",
    "forms", "links", "company_set", "drafted", "reviewed", "approved", "effective", "history",
    "former_number", "former_revision", "former_block",
)  # fmt: skip


class DocumentFileError(MisconfiguredError):
    """文件说明有误. A key of a document description is missing or of the wrong kind."""

    code = "document-file-invalid"

    def __init__(self, *, where: str, line: int | None, problem: Text, hint: Text | None = None) -> None:
        super().__init__(
            T("{where}：{problem}", where=where, problem=problem),
            hint=hint or T("按 docs/form-language.md 第 3 节改正后再试。"),
            where=f"{where}:{line}" if line else where,
        )
        self.problem = problem
        self.line = line


@dataclass
class _Map:
    """A mapping being read: knows its place in the file, and which keys have been asked for."""

    data: Mapping[str, Any]
    where: str
    lines: Lines
    path: tuple[str | int, ...] = ()

    def line(self, key: str | int | None = None) -> int | None:
        path = self.path if key is None else (*self.path, key)
        return self.lines.get(path) or self.lines.get(self.path)

    def refuse(self, key: str, problem: Text, hint: Text | None = None) -> DocumentFileError:
        return DocumentFileError(where=self.where, line=self.line(key), problem=problem, hint=hint)

    def text(self, key: str) -> str:
        value = self.optional_text(key)
        if value is None or not value.strip():
            raise self.refuse(key, T("缺少 {key}", key=key))
        return value

    def optional_text(self, key: str) -> str | None:
        value = self.data.get(key)
        if value is None:
            return None
        if isinstance(value, (bool, dict, list)):
            raise self.refuse(key, T("{key} 应为文字", key=key))
        return str(value)

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.data.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or any(isinstance(item, (dict, list, bool)) or item is None for item in value):
            raise self.refuse(key, T("{key} 应为文字的列表", key=key))
        return tuple(str(item) for item in value)

    def map(self, key: str) -> _Map | None:
        value = self.data.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.refuse(key, T("{key} 应为“名称: 值”的写法", key=key))
        return _Map(value, self.where, self.lines, (*self.path, key))

    def rows(self, key: str) -> list[_Map]:
        value = self.data.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.refuse(key, T("{key} 应为列表", key=key))
        made = []
        for place, row in enumerate(value):
            if not isinstance(row, dict):
                raise self.refuse(key, T("{key} 第{place}项应为“名称: 值”的写法", key=key, place=place + 1))
            made.append(_Map(row, self.where, self.lines, (*self.path, key, place)))
        return made

    def unknown(self, known: Iterable[str]) -> dict[str, object]:
        names = set(known)
        return {key: value for key, value in self.data.items() if key not in names}


def _open(text: str, where: str, form: str) -> _Map:
    data, lines = load_yaml_with_lines(text, where=where)
    if not isinstance(data, dict):
        raise DocumentFileError(where=where, line=1, problem=T("文件是空的或不是“名称: 值”的写法"))
    found = _Map(data, where, lines)
    if data.get("format") != form:
        raise found.refuse("format", T("format 应为 {format}", format=form))
    return found


# -- document.yml ----------------------------------------------------------------------------------------------


def read_document(text: str, *, where: str) -> ControlledDocument:
    """Read `document.yml`.

    Raises:
        YamlTextError: not acceptable YAML.
        DocumentFileError: a key is missing or of the wrong kind.
    """
    data = _open(text, where, DOCUMENT_FORMAT)
    try:
        number, revision = DocumentNumber(data.text("number")), Revision(data.text("revision"))
    except RefusedError as exc:
        key = "revision" if "number" in data.data and "版本" in str(exc) else "number"
        raise data.refuse(key, exc.message, exc.hint) from exc
    links = data.map("links")
    company_set = data.map("company_set")
    return ControlledDocument(
        number=number,
        title=data.text("title"),
        revision=revision,
        class_word=data.text("class"),
        owner=data.text("owner"),
        status_note=data.optional_text("status_note"),
        applies_if=data.optional_text("applies_if"),
        related=data.texts("related"),
        basis=data.texts("basis"),
        forms=data.texts("forms"),
        links={key: links.texts(key) for key in links.data} if links else {},
        company_set={key: company_set.text(key) for key in company_set.data} if company_set else {},
        drafted=_step(data, "drafted"),
        reviewed=_step(data, "reviewed"),
        approved=_step(data, "approved"),
        effective=data.optional_text("effective"),
        history=tuple(_history(row) for row in data.rows("history")),
        former_number=data.optional_text("former_number"),
        former_revision=data.optional_text("former_revision"),
        former_block=data.texts("former_block"),
        extra=data.unknown(DOCUMENT_KEYS),
    )


def _step(data: _Map, key: str) -> SigningStep | None:
    step = data.map(key)
    return SigningStep(step.text("name"), step.optional_text("date")) if step else None


def _history(row: _Map) -> HistoryRow:
    return HistoryRow(
        revision=row.text("revision"),
        date=row.optional_text("date"),
        clauses=row.optional_text("clauses") or "",
        reason=row.optional_text("reason") or "",
        by=row.optional_text("by") or "",
        elsewhere=row.data.get("elsewhere") is True,
    )


def write_document(document: ControlledDocument) -> str:
    """Return `document.yml`; what is empty is left out."""
    data: dict[str, Any] = {
        "format": DOCUMENT_FORMAT,
        "number": str(document.number),
        "title": document.title,
        "revision": str(document.revision),
        "class": document.class_word,
        "owner": document.owner,
        "status_note": document.status_note,
        "applies_if": document.applies_if,
        "related": list(document.related),
        "basis": list(document.basis),
        "forms": list(document.forms),
        "links": {key: list(targets) for key, targets in document.links.items()},
        "company_set": dict(document.company_set),
    }
    for key, step in (("drafted", document.drafted), ("reviewed", document.reviewed), ("approved", document.approved)):
        data[key] = _without_empty({"name": step.name, "date": step.date}) if step else None
    data["effective"] = document.effective
    data["history"] = [_without_empty(_plain(row) | {"elsewhere": row.elsewhere or None}) for row in document.history]
    data |= {
        "former_number": document.former_number,
        "former_revision": document.former_revision,
        "former_block": list(document.former_block),
    }
    return dump_yaml(_without_empty(data) | dict(document.extra))


def unknown_keys(document: ControlledDocument) -> dict[str, str | None]:
    """Return the keys this version does not know, each with the nearest known one."""
    return {key: nearest(key, DOCUMENT_KEYS) for key in document.extra}


def _plain(row: Any) -> dict[str, Any]:
    return {item.name: getattr(row, item.name) for item in fields(row) if item.name != "extra"}


def _without_empty(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if value not in (None, [], {}, ())}


# -- notes.yml -------------------------------------------------------------------------------------------------


def read_notes(text: str, *, where: str) -> tuple[GapNote, ...]:
    """Read the gap notes that lie beside a document.

    Raises:
        YamlTextError, DocumentFileError: as `read_document`.
    """
    data = _open(text, where, NOTES_FORMAT)
    known = [item.name for item in fields(GapNote)]
    return tuple(
        GapNote(
            id=row.text("id"),
            clause=row.optional_text("clause"),
            flag=row.text("flag"),
            statement=row.optional_text("statement") or "",
            issue=row.optional_text("issue") or "",
            suggestion=row.optional_text("suggestion") or "",
            certainty=row.optional_text("certainty") or "",
            basis=row.texts("basis"),
            extra=row.unknown(known),
        )
        for row in data.rows("notes")
    )


def write_notes(notes: Sequence[GapNote], *, document: str) -> str:
    """Return `notes.yml`."""
    rows = [_without_empty(_plain(note) | {"basis": list(note.basis)}) | dict(note.extra) for note in notes]
    return dump_yaml({"format": NOTES_FORMAT, "document": document, "notes": rows})


# -- external_documents.yml ------------------------------------------------------------------------------------


def read_external_documents(text: str, *, where: str) -> ExternalDocumentList:
    """Read the list of external documents.

    Raises:
        YamlTextError, DocumentFileError: as `read_document`; also for an id that stands twice.
    """
    data = _open(text, where, EXTERNAL_FORMAT)
    known = [item.name for item in fields(ExternalDocument)]
    documents: dict[str, ExternalDocument] = {}
    for row in data.rows("documents"):
        identifier, validity = row.text("id"), row.text("validity")
        if identifier in documents:
            raise row.refuse("id", T("编号 {id} 出现两次", id=identifier))
        if validity not in list(Validity):
            choices = [str(item) for item in Validity]
            raise row.refuse(
                "validity", T("有效性“{value}”不认识", value=validity), T("可用：{choices}。", choices=choices)
            )
        documents[identifier] = ExternalDocument(
            id=identifier,
            title=row.text("title").strip("《》"),
            validity=Validity(validity),
            certainty=row.text("certainty"),
            issuer=row.optional_text("issuer"),
            document_no=row.optional_text("document_no"),
            issued=row.optional_text("issued"),
            effective=row.optional_text("effective"),
            concerns=row.optional_text("concerns"),
            note=row.optional_text("note"),
            extra=row.unknown(known),
        )
    checked = data.optional_text("checked_on")
    revision = data.optional_text("revision") or "A/0"
    unknown = data.unknown(("format", "revision", "checked_on", "documents"))
    return ExternalDocumentList(tuple(documents.values()), checked, revision, unknown)


def write_external_documents(external: ExternalDocumentList) -> str:
    """Return `external_documents.yml`."""
    rows = [
        _without_empty(_plain(item) | {"validity": str(item.validity)}) | dict(item.extra)
        for item in external.documents
    ]
    head = _without_empty({"format": EXTERNAL_FORMAT, "revision": external.revision, "checked_on": external.checked_on})
    return dump_yaml(head | dict(external.extra) | {"documents": rows})


# -- inspection_checklist.yml ----------------------------------------------------------------------------------


def read_checklist(text: str, *, where: str) -> InspectionChecklist:
    """Read the inspection checklist.

    Raises:
        YamlTextError, DocumentFileError: as `read_document`.
    """
    data = _open(text, where, CHECKLIST_FORMAT)
    known = [item.name for item in fields(ChecklistItem)]
    items = []
    for row in data.rows("items"):
        number, key = row.data.get("no"), row.data.get("key", False)
        if not isinstance(number, int) or isinstance(number, bool):
            raise row.refuse("no", T("no 应为整数"))
        if not isinstance(key, bool):
            raise row.refuse("key", T("key 应为 true 或 false"))
        items.append(
            ChecklistItem(
                no=number,
                clause=row.text("clause"),
                key=key,
                topic=row.text("topic"),
                looks_at=row.optional_text("looks_at") or "",
                evidence=row.texts("evidence"),
                self_check=row.optional_text("self_check"),
                extra=row.unknown(known),
            )
        )
    return InspectionChecklist(tuple(items), data.optional_text("source"), data.unknown(("format", "source", "items")))


def write_checklist(checklist: InspectionChecklist) -> str:
    """Return `inspection_checklist.yml`."""
    rows = [
        _without_empty(_plain(item) | {"evidence": list(item.evidence)}) | dict(item.extra) for item in checklist.items
    ]
    head = _without_empty({"format": CHECKLIST_FORMAT, "source": checklist.source})
    return dump_yaml(head | dict(checklist.extra) | {"items": rows})
