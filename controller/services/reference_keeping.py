"""引用管理. Finds every reference of the library: of documents, forms, registers, posts, checklist, routes, retention.

What cannot be read is told by the lint of that kind of item; here it only refers to nothing.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from controller.domain.clause import Clause, Table
from controller.domain.conformity import Finding, Gravity
from controller.domain.document_comparison import clause_places
from controller.domain.errors import QmsError
from controller.domain.identifiers import nearest
from controller.domain.library_day import ItemKind
from controller.domain.reference_findings import owner_findings, reference_findings
from controller.domain.reference_mentions import mentions
from controller.domain.references import Source, SourceKind, Target, Targets, Via, cited_by, short_number
from controller.domain.text import T
from controller.file_formats.yaml_text import YamlTextError, load_yaml
from controller.services.document_library import (
    CHECKLIST_FILE,
    FOLDER,
    FORMS_FOLDER,
    REGISTERS_FOLDER,
    UnknownDocumentError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from controller.domain.clause import Segment
    from controller.domain.references import FormerItem, Reference
    from controller.services.document_library import DocumentLibrary, LibraryDocument

_POSTS_FILE = "signatures/posts.yml"
_ROUTES_FILE = "signatures/routes.yml"
_RETENTION_FILE = "records/retention.yml"
_WITHDRAWN = "作废"
_DEEPEST = 12
_KEPT = 160


class ReferenceKeeping:
    """引用管理服务. Reads the library once; make another one when the library may have moved on.

    Args:
        library: the documents, and through their files everything else.
        former: gives the numbers and titles the library once had; None: nothing is known of the past.
    """

    def __init__(self, library: DocumentLibrary, former: Callable[[], Sequence[FormerItem]] | None = None) -> None:
        self._library = library
        self._files = library.files
        self.unreadable: list[Finding] = []
        """Descriptions that could not be read, as far as no other check tells."""
        self._shown = dict(self._documents())
        self._descriptions = {
            SourceKind.FORM: dict(self._described(FORMS_FOLDER, "form.yml")),
            SourceKind.REGISTER: dict(self._described(REGISTERS_FOLDER, "register.yml")),
        }
        self.targets = self._targets(tuple(former()) if former is not None else ())
        self._found = [*self._all()]

    def references(self) -> list[Reference]:
        """Return every reference, in order of item and clause."""
        return list(self._found)

    def of(self, number: str) -> list[Reference]:
        """Return what one item refers to, itself included."""
        return [item for item in self._found if item.source.number == number]

    def to(self, number: str) -> list[Reference]:
        """Return who refers to an item, a form, a register or an external document."""
        return cited_by(self._found, number)

    def resolve(self, wanted: str) -> str:
        """Return the number meant: full, short (`JL-018`), an external document's id, or a title.

        Raises:
            UnknownDocumentError: nothing is called so.
        """
        text = wanted.strip()
        target = self.targets.find(text.upper()) or self.targets.titled(text.strip("《》"))
        if target is None:
            known = [*self.targets.items, *self.targets.aliases]
            raise UnknownDocumentError(number=wanted, close=nearest(text.upper(), known))
        return target.number

    def findings(self) -> list[Finding]:
        """Return what is wrong with the references, in order of the items that refer."""
        noted = {
            (number, note.clause): note.id
            for number, shown in self._shown.items()
            for note in shown.notes
            if note.clause is not None
        }
        found = reference_findings(self._found, self.targets, noted)
        return self.unreadable + found + owner_findings(self._found, self.targets)

    # -- what can be referred to -------------------------------------------------------------------------------

    def _documents(self) -> Iterator[tuple[str, LibraryDocument]]:
        for number in self._library.numbers():
            try:
                yield number, self._library.show(number)
            except QmsError:
                continue  # told where the document itself is checked

    def _described(self, folder: str, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for entry in self._files.folders(folder):
            path = f"{folder}/{entry}/{name}"
            data = self._files.read(path)
            if data is None:
                continue
            try:
                content = _description(data, path)
            except (YamlTextError, UnicodeDecodeError) as exc:
                message = exc.message if isinstance(exc, YamlTextError) else T("不是 UTF-8 文本")
                self.unreadable.append(Finding("linked-file-unreadable", Gravity.WARNING, message, path=path))
                content = {}
            yield entry, content if isinstance(content, dict) else {}

    def _targets(self, former: tuple[FormerItem, ...]) -> Targets:
        targets = Targets(former=former)
        for number in self._library.numbers():
            shown = self._shown.get(number)
            if shown is None:
                targets.add(Target(ItemKind.DOCUMENT, number, ""), short_number(number))
                continue
            document = shown.document
            clauses = frozenset(clause.number for clause in shown.segment.clauses if clause.number)
            gone = (document.status_note or "").startswith(_WITHDRAWN)
            target = Target(
                ItemKind.DOCUMENT, number, document.title, document.revision.text, clauses, withdrawn=gone
            )  # fmt: skip
            targets.add(target, short_number(number))
        for kind, item_kind in ((SourceKind.FORM, ItemKind.FORM), (SourceKind.REGISTER, ItemKind.REGISTER)):
            for entry, content in self._descriptions[kind].items():
                number = _text(content.get("number")) or entry
                target = Target(
                    item_kind,
                    number,
                    _text(content.get("title")),
                    _text(content.get("revision")),
                    procedure=_text(content.get("procedure")) if kind is SourceKind.FORM else "",
                )
                targets.add(target, short_number(number) or entry, entry)
        try:
            external = self._library.external_documents().documents
        except QmsError:
            external = ()  # told where the list itself is checked
        for item in external:
            targets.add(Target(ItemKind.EXTERNAL, item.id, item.title, external=item))
        return targets

    # -- what refers -------------------------------------------------------------------------------------------

    def _all(self) -> Iterator[Reference]:
        for number, shown in self._shown.items():
            order = {place: at for at, (place, _words, _line) in enumerate(clause_texts(shown.segment))}
            yield from sorted(self._of_document(number, shown), key=lambda item: order.get(item.clause, -1))
        for kind, contents in self._descriptions.items():
            for entry, content in contents.items():
                yield from self._of_description(kind, entry, content)
        yield from self._of_posts()
        yield from self._of_checklist()
        yield from self._of_list(_ROUTES_FILE, SourceKind.ROUTE, "signatures/routes")
        yield from self._of_list(_RETENTION_FILE, SourceKind.RETENTION, "records/retention")

    def _of_document(self, number: str, shown: LibraryDocument) -> Iterator[Reference]:
        document = shown.document
        folder = f"{FOLDER}/{number}"
        source = Source(SourceKind.DOCUMENT, number, document.title, f"{folder}/document.yml")
        explicit = self.targets.explicit
        for clause, listed in document.links.items():
            yield from (explicit(source, clause, Via.LINKS, wording) for wording in listed)
        yield from (explicit(source, "", Via.RELATED, wording) for wording in document.related)
        yield from (explicit(source, "", Via.FORMS, wording) for wording in document.forms)
        yield from (explicit(source, "", Via.BASIS, wording) for wording in document.basis)
        text = Source(SourceKind.DOCUMENT, number, document.title, f"{folder}/clauses.txt")
        for clause, words, line in clause_texts(shown.segment):
            yield from self._in_text(text, clause, words, line)

    def _in_text(self, source: Source, clause: str, words: str, line: int | None = None) -> Iterator[Reference]:
        for mention in mentions(words):
            found = self.targets.mentioned(source, clause, mention, line)
            if found is not None:
                yield found

    def _of_description(self, kind: SourceKind, entry: str, content: dict[str, Any]) -> Iterator[Reference]:
        """Yield what a form or register refers to: its procedure, the forms it reads, and what its notes name."""
        folder, name = {
            SourceKind.FORM: (FORMS_FOLDER, "form.yml"),
            SourceKind.REGISTER: (REGISTERS_FOLDER, "register.yml"),
        }[kind]
        source = Source(
            kind, _text(content.get("number")) or entry, _text(content.get("title")), f"{folder}/{entry}/{name}"
        )
        procedure = _text(content.get("procedure"))
        if procedure:
            yield self.targets.explicit(source, "", Via.PROCEDURE, procedure)
        seen: set[str] = set()
        for where, value in _leaves(content, "", 0):
            if where in {"forms", "form"} and value not in seen and value != "all":
                seen.add(value)
                yield self.targets.explicit(source, "", Via.SOURCES, value)
            elif where in {"basis", "note", "print_note", "help", "message", "text"} and value not in seen:
                seen.add(value)
                yield from self._in_text(source, "", value)

    def _of_posts(self) -> Iterator[Reference]:
        for key, post in self._entries(_POSTS_FILE, "posts"):
            source = Source(SourceKind.POST, key, _text(post.get("name")), _POSTS_FILE)
            duty = _text(post.get("duty"))
            if duty:
                yield self.targets.explicit(source, "", Via.DUTY, duty)
            yield from self._in_text(source, "", _text(post.get("note")))

    def _of_checklist(self) -> Iterator[Reference]:
        try:
            checklist = self._library.checklist()
        except QmsError:
            return  # told where the list itself is checked
        for item in checklist.items:
            source = Source(SourceKind.CHECKLIST, item.clause, item.topic, CHECKLIST_FILE)
            yield from (self.targets.explicit(source, item.clause, Via.EVIDENCE, wording) for wording in item.evidence)

    def _of_list(self, path: str, kind: SourceKind, name: str) -> Iterator[Reference]:
        content = self._yaml(path)
        source = Source(kind, name, "", path)
        for where, value in _leaves(content, "", 0):
            if where in {"basis", "text"}:
                yield from self._in_text(source, "", value)

    def _entries(self, path: str, key: str) -> Iterator[tuple[str, dict[str, Any]]]:
        listed = self._yaml(path).get(key)
        for name, entry in listed.items() if isinstance(listed, dict) else ():
            if isinstance(entry, dict):
                yield str(name), entry

    def _yaml(self, path: str) -> dict[str, Any]:
        data = self._files.read(path)
        if data is None:
            return {}
        try:
            content = load_yaml(data.decode("utf-8", "replace"), where=path)
        except QmsError:
            return {}  # told where the list itself is checked
        return content if isinstance(content, dict) else {}


@lru_cache(maxsize=_KEPT)
def _description(data: bytes, path: str) -> Any:
    """Return what a form or register is described by; only to be read, as it is kept."""
    return load_yaml(data.decode("utf-8"), where=path)


def clause_texts(segment: Segment) -> Iterator[tuple[str, str, int]]:
    """Yield every clause and table of a text: its place (`5.1`, `第三条`), its words, its line."""
    pieces = [piece for piece in segment.pieces if isinstance(piece, (Clause, Table))]
    for piece, place in zip(pieces, clause_places(pieces), strict=True):
        words = piece.text if isinstance(piece, Clause) else "\n".join(cell for row in piece.rows for cell in row)
        yield "".join(place.split()).rstrip(".．、"), words, piece.span.line


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _leaves(content: object, key: str, depth: int) -> Iterator[tuple[str, str]]:
    """Yield every text with the name of the key under which it stands."""
    if depth > _DEEPEST:
        return
    if isinstance(content, dict):
        for name, value in content.items():
            yield from _leaves(value, str(name), depth + 1)
    elif isinstance(content, list):
        for value in content:
            yield from _leaves(value, key, depth + 1)
    elif isinstance(content, str) and content:
        yield key, content
