from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from controller.domain.identifiers import Digest, InvalidIdentifierError
from controller.domain.person import Person, Post, Staff
from controller.domain.record import Signatory
from controller.domain.statement import Event
from controller.file_formats.clause_ids import clause_ids_of_text
from controller.file_formats.clause_text import island_line, parse_text
from controller.file_formats.signature_file import check_signature
from controller.file_formats.statement_file import decode_statement
from controller.services.document_import import (
    DocumentImport,
    GarbledTextError,
    ImportOrder,
    NothingToImportError,
    NumberNeededError,
    NumberTakenError,
    NumberUnlikeTextError,
    OwnerInvalidError,
    SegmentNeededError,
    TitleNeededError,
    WrongClassError,
    renew_clause_ids,
)
from controller.services.document_library import DocumentIncompleteError, DocumentLibrary, UnknownDocumentError
from controller.services.print_ports import WordText
from controller.services.staff_directory import PostNeededError
from controller.services.statement_filing import StatementFiling
from controller.services.text_reading import FileTooLargeError, NotTextError, ReadText, read_uploaded_text
from controller.services.workspace_identity import WorkspaceIdentity
from tests.builders import MORNING
from tests.invented_documents import BLOB, DISINFECTION, DISINFECTION_NUMBERED, SHOWROOM
from tests.memory_files import MemoryFiles
from tests.memory_site import MemorySite
from tests.signers import COMPANY, ORIGIN, WORKSPACE, company

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from controller.domain.errors import QmsError
    from controller.services.document_import import Imported


class _Morning:
    def now(self) -> datetime:
        return MORNING


class _Word:
    """A docx whose text is what the test says."""

    def __init__(self, text: str = "", islands: Mapping[Digest, bytes] | None = None) -> None:
        self.found = WordText(text, islands or {}, ())

    def read(self, docx: bytes, *, name: str) -> WordText:
        assert docx.startswith(b"PK")
        assert name
        return self.found


def uploaded(text: str | bytes, *, word: _Word | None = None) -> ReadText:
    data = text if isinstance(text, bytes) else text.encode()
    return read_uploaded_text(data, name="旧文件.txt", word=word or _Word())


@dataclass
class Shelf(MemoryFiles):
    """The approved content of a workspace, and the archive of its site, in memory."""

    site: MemorySite = field(init=False)

    def __post_init__(self) -> None:
        self.site = MemorySite(self)


def empty() -> tuple[DocumentLibrary, Shelf]:
    files = Shelf()
    return DocumentLibrary(files), files


IDENTITY = WorkspaceIdentity(id=WORKSPACE, site="main", company=COMPANY)
STAFF = Staff(
    {
        "p003": Person("p003", "王芳", ("document_controller",)),
        "p004": Person("p004", "王强", ("sales_clerk",)),
    },
    {"document_controller": Post("document_controller", "文件管理员"), "sales_clerk": Post("sales_clerk", "购销员")},
)


def bring(files: Shelf, source: ReadText, order: ImportOrder | None = None, *, by: str = "p003") -> Imported:
    person = STAFF.people[by]
    statements = StatementFiling(files.site, IDENTITY, _Morning(), ORIGIN)
    signer = company().signer(person.id, person.name, STAFF.signatory(person).post)
    return DocumentImport(files, statements, STAFF).import_document(source, order or ImportOrder(), by=signer)


def test_a_numbered_text_is_imported_byte_for_byte() -> None:
    _library, files = empty()
    done = bring(files, uploaded(DISINFECTION_NUMBERED), ImportOrder(owner="质管部"))
    assert files.content["procedures/AB-YLQXCX-031/clauses.txt"] == DISINFECTION_NUMBERED.encode()
    assert files.content["procedures/AB-YLQXCX-031/clauses.yml"].decode() == clause_ids_of_text(DISINFECTION_NUMBERED)
    assert files.content["procedures/AB-YLQXCX-031/document.yml"].decode() == (
        "format: wenkong/document/1\nnumber: AB-YLQXCX-031\ntitle: 退机消毒管理程序\nrevision: A/0\nclass: 程序\n"
        "owner: 质管部\nstatus_note: 导入稿,待企业核对\n"
    )
    assert files.changes == [("王芳", "import", "AB-YLQXCX-031")]
    assert (done.clauses, done.commit) == (6, "commit-1")


def test_an_import_is_a_signed_statement_that_names_every_file_with_its_digest() -> None:
    _library, files = empty()
    bring(files, uploaded(DISINFECTION_NUMBERED))
    trail = "trail/0000/00/00000001"
    assert sorted(dict(files.site.walk())) == [f"{trail}.json", f"{trail}.p7s"]
    data, signature = files.site.read(f"{trail}.json") or b"", files.site.read(f"{trail}.p7s") or b""
    statement = decode_statement(data, where=trail)
    assert (statement.event, statement.subject) == (Event.LIBRARY_CHANGED, "AB-YLQXCX-031")
    assert statement.meaning == "批准"
    assert statement.by == Signatory("p003", "王芳", "文件管理员")
    assert statement.files == {path: Digest.of(content) for path, content in files.content.items()}
    checked = check_signature(signature, data)
    assert (checked.intact, checked.certificate) == (True, company().signer("p003", "王芳").certificate)


def test_who_has_none_of_the_posts_for_it_imports_nothing() -> None:
    _library, files = empty()
    with pytest.raises(PostNeededError, match="王强"):
        bring(files, uploaded(DISINFECTION_NUMBERED), by="p004")
    assert (files.content, files.site.commits) == ({}, [])


def test_an_imported_document_is_listed_and_shown_with_its_clause_ids() -> None:
    library, files = empty()
    bring(files, uploaded(DISINFECTION_NUMBERED))
    shown = library.show(library.resolve("CX-031"))
    assert [item.title for item in library.documents()] == ["退机消毒管理程序"]
    assert shown.text == DISINFECTION_NUMBERED
    assert [(clause.id, clause.label) for clause in shown.segment.clauses][:2] == [("c1", "1."), ("c2", "2.")]
    assert shown.ids_fit


def test_one_document_of_a_blob_is_imported_by_its_place() -> None:
    _library, files = empty()
    bring(files, uploaded(BLOB), ImportOrder(segment=2, number="AB-YLQXZD-002"))
    assert files.content["procedures/AB-YLQXZD-002/clauses.txt"] == SHOWROOM.encode()


def test_one_document_of_a_blob_is_imported_by_its_number() -> None:
    _library, files = empty()
    done = bring(files, uploaded(BLOB), ImportOrder(number="AB-YLQXCX-031"))
    assert done.document.title == "退机消毒管理程序"
    assert {item.code for item in done.findings} == {"page-mark", "document-duplicate"}


def test_a_gb18030_text_is_imported_as_utf_8() -> None:
    _library, files = empty()
    bring(files, uploaded(DISINFECTION_NUMBERED.encode("gb18030")))
    assert files.content["procedures/AB-YLQXCX-031/clauses.txt"] == DISINFECTION_NUMBERED.encode()


def test_islands_of_a_docx_are_kept_beside_the_text() -> None:
    picture = b'{"format":"wenkong/island/1","parts":[],"xml":"<w:drawing/>"}'
    digest, other = Digest.of(picture), Digest.of(b"not in the text")
    text = f"AB-YLQXCX-040流程图程序\n1.目的:说明。\n{island_line(digest, '流程')}2.记录:保存。\n"
    library, files = empty()
    source = uploaded(b"PK\x03\x04", word=_Word(text, {digest: picture, other: b"x"}))
    bring(files, source)
    islands = [path for path in files.content if "/islands/" in path]
    assert islands == [f"procedures/AB-YLQXCX-040/islands/{digest.hex}.json"]
    assert library.island("AB-YLQXCX-040", digest) == picture
    files.content[islands[0]] = b"changed"
    assert library.island("AB-YLQXCX-040", digest) is None
    assert library.show("AB-YLQXCX-040").islands == frozenset()


UNNUMBERED = "1.目的:规范借用。\n2.内容:登记。\n"


@pytest.mark.parametrize(
    ("text", "order", "error"),
    [
        (BLOB, ImportOrder(), SegmentNeededError),
        (BLOB, ImportOrder(segment=99, number="AB-YLQXCX-032"), SegmentNeededError),
        ("\n\n", ImportOrder(number="AB-YLQXCX-032"), NothingToImportError),
        (DISINFECTION, ImportOrder(), NumberNeededError),
        (UNNUMBERED, ImportOrder(number="AB-YLQXCX-032"), TitleNeededError),
        (UNNUMBERED, ImportOrder(number="AB-YLQXCX-032", title="甲\n乙"), TitleNeededError),
        (UNNUMBERED, ImportOrder(number="AB-YLQXCX-032", title="字" * 81), TitleNeededError),
        (UNNUMBERED, ImportOrder(number="AB-YLQXCX-032", title="程序", owner="质\x1b管"), OwnerInvalidError),
        (UNNUMBERED, ImportOrder(number="../../AB-YLQXCX-032", title="程序"), InvalidIdentifierError),
        (UNNUMBERED, ImportOrder(number="AB-YLQXCX-032/..", title="程序"), InvalidIdentifierError),
        (UNNUMBERED, ImportOrder(number="AB-YLQXCX-032", title="程序", class_word="制度"), WrongClassError),
        (UNNUMBERED, ImportOrder(number="AB-YLQXCX-032", title="程序", class_word="别的"), WrongClassError),
        (UNNUMBERED, ImportOrder(number="AB-YLQXJL-032", title="记录"), WrongClassError),
        (DISINFECTION_NUMBERED, ImportOrder(number="AB-YLQXCX-032"), NumberUnlikeTextError),
        (
            b"AB-YLQXCX-033\xe6\x98\xe5\xba\x8f\n1.\xff\xff\xff\n",
            ImportOrder(title="程序", number="AB-YLQXCX-033"),
            GarbledTextError,
        ),
    ],
)
def test_what_cannot_be_imported_is_refused_and_nothing_is_written(
    text: str | bytes, order: ImportOrder, error: type[QmsError]
) -> None:
    _library, files = empty()
    with pytest.raises(error):
        bring(files, uploaded(text), order)
    assert (files.content, files.site.commits) == ({}, [])


def test_a_number_is_never_used_a_second_time_and_a_free_one_is_named() -> None:
    _library, files = empty()
    bring(files, uploaded(DISINFECTION_NUMBERED))
    before = dict(files.content)
    with pytest.raises(NumberTakenError) as caught:
        bring(files, uploaded(DISINFECTION_NUMBERED), ImportOrder(title="另一份"))
    assert str(caught.value) == "编号 AB-YLQXCX-031 已用于《退机消毒管理程序》，没有导入。"
    assert "AB-YLQXCX-001" in str(caught.value.hint)
    assert files.content == before


def test_an_unknown_document_is_told_with_the_nearest_number() -> None:
    library, files = empty()
    bring(files, uploaded(DISINFECTION_NUMBERED))
    with pytest.raises(UnknownDocumentError) as caught:
        library.show("AB-YLQXCX-013")
    assert "AB-YLQXCX-031" in str(caught.value.hint)


def test_clauses_changed_behind_their_ids_are_shown_without_ids() -> None:
    library, files = empty()
    bring(files, uploaded(DISINFECTION_NUMBERED))
    path = "procedures/AB-YLQXCX-031/clauses.txt"
    files.content[path] = files.content[path].replace("抽查".encode(), "检查".encode())
    shown = library.show("AB-YLQXCX-031")
    assert not shown.ids_fit
    assert {clause.id for clause in shown.segment.clauses} == {None}


def test_a_missing_or_unreadable_text_is_damage() -> None:
    library, files = empty()
    bring(files, uploaded(DISINFECTION_NUMBERED))
    files.content["procedures/AB-YLQXCX-031/clauses.txt"] = b"\xff\xfe\xff"
    with pytest.raises(DocumentIncompleteError):
        library.show("AB-YLQXCX-031")
    del files.content["procedures/AB-YLQXCX-031/clauses.txt"]
    with pytest.raises(DocumentIncompleteError):
        library.show("AB-YLQXCX-031")


@pytest.mark.parametrize(
    ("data", "error"),
    [(b"%PDF-1.7", NotTextError), (b"\x00\x01\x02", NotTextError), (b"a" * (5 * 1024 * 1024 + 1), FileTooLargeError)],
)
def test_a_file_that_is_no_text_is_refused(data: bytes, error: type[QmsError]) -> None:
    with pytest.raises(error):
        uploaded(data)


@pytest.mark.parametrize(
    ("data", "codes"), [(b"", ["text-empty"]), ("1.目的。\n".encode("gb18030"), ["text-encoding"])]
)
def test_an_empty_file_and_another_encoding_are_noted(data: bytes, codes: list[str]) -> None:
    read = uploaded(data)
    assert [item.code for item in read.findings if item.code.startswith("text-")] == codes
    assert read.printed() == data


def test_ids_fit_again_after_the_starter_text_got_the_companys_prefix() -> None:
    library, files = empty()
    bring(files, uploaded(DISINFECTION_NUMBERED.replace("待消毒区", "待消毒区(见AB-YLQXJL-040)")))
    path = "procedures/AB-YLQXCX-031/clauses.txt"
    files.content[path] = files.content[path].replace(b"AB-YLQXJL", b"XX-YLQXJL")
    assert not library.show("AB-YLQXCX-031").ids_fit
    renew_clause_ids(files.content, [path, "procedures/AB-YLQXCX-031/document.yml", "records/retention.yml"])
    shown = library.show("AB-YLQXCX-031")
    assert shown.ids_fit
    assert [clause.id for clause in shown.segment.clauses] == ["c1", "c2", "c3", "c4", "c5", "c6"]


def test_a_text_with_a_second_title_inside_stays_one_document_in_the_library() -> None:
    library, files = empty()
    bring(files, uploaded(DISINFECTION_NUMBERED))
    files.content["procedures/AB-YLQXCX-031/clauses.txt"] = BLOB.encode()
    files.content["procedures/AB-YLQXCX-031/clauses.yml"] = clause_ids_of_text(BLOB).encode()
    shown = library.show("AB-YLQXCX-031")
    assert shown.segment.source == BLOB
    assert len(shown.segment.clauses) == sum(len(segment.clauses) for segment in parse_text(BLOB).segments)
    assert shown.ids_fit
