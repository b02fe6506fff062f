"""受控项目. Whatever has number and revision: documents, forms, registers, the list of external documents (4.2.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.document import CLASS_WORDS
from controller.domain.errors import NotFoundError
from controller.domain.identifiers import Digest, DocumentNumber, InvalidIdentifierError, nearest
from controller.domain.library_day import ItemKind
from controller.domain.text import T
from controller.file_formats.register_file import read_register
from controller.file_formats.text_encoding import utf8_text
from controller.services.document_library import FOLDER, DocumentLibrary, UnknownDocumentError
from controller.services.form_library import FORMS_FOLDER, form_numbers, number_meant, written_definition
from controller.services.register_library import REGISTERS_FOLDER

if TYPE_CHECKING:
    from controller.services.ports import LibraryFiles

EXTERNAL = "WL"
"""Number of the list of external documents, which has no other."""
EXTERNAL_FILE = f"{FOLDER}/external_documents.yml"
EXTERNAL_CLASS, FORM_CLASS, REGISTER_CLASS = "外来文件", "记录表单", "台账"
_FOLDERS = {FOLDER: ItemKind.DOCUMENT, FORMS_FOLDER: ItemKind.FORM, REGISTERS_FOLDER: ItemKind.REGISTER}
SCREEN_ONLY = frozenset({"notes.yml"})
"""Gap notes are for the screen, no part of the document."""


class UnknownItemError(NotFoundError):
    """没有这份受控文件. No document, form, register or list is called so."""

    code = "item-unknown"

    def __init__(self, *, wanted: str, close: str | None) -> None:
        hint = (
            T("是否想写 {close}？", close=close)
            if close
            else T("用 qms doc list、qms form list 和 qms register list 查看编号。")
        )
        super().__init__(T("没有编号为“{wanted}”的受控文件。", wanted=wanted[:60]), hint=hint)


@dataclass(frozen=True)
class ItemState:
    """一份受控文件的控制信息."""

    kind: ItemKind
    number: str
    title: str
    revision: str
    class_word: str
    owner: str
    paths: tuple[str, ...]
    """Folders or files of the library that belong to it."""


class ControlledItems:
    """受控项目. Finds items in a library as it stands: in force, approved, or with the drafts of a change."""

    def __init__(self, files: LibraryFiles) -> None:
        self.files = files

    def resolve(self, wanted: str) -> tuple[ItemKind, str]:
        """Return kind and number of what is called `wanted`: a number, its end (`CX-014`, `JL-018`), a register's id.

        Raises:
            UnknownItemError: nothing is called so, or several are.
        """
        text = wanted.strip().upper()
        if text == EXTERNAL:
            return ItemKind.EXTERNAL, EXTERNAL
        registers = self._registers()
        for item in registers:
            if text in {item, self.state(ItemKind.REGISTER, item).number}:
                return ItemKind.REGISTER, item
        try:
            return ItemKind.DOCUMENT, DocumentLibrary(self.files).resolve(text)
        except UnknownDocumentError:
            form = number_meant(text, form_numbers(self.files))
        if form is not None:
            return ItemKind.FORM, form
        known = [*DocumentLibrary(self.files).numbers(), *form_numbers(self.files), *registers]
        raise UnknownItemError(wanted=wanted, close=nearest(text, known))

    def find(self, wanted: str) -> ItemState:
        """Return the item called `wanted`; raises `UnknownItemError`, and the errors of its description."""
        return self.state(*self.resolve(wanted))

    def state(self, kind: ItemKind, name: str) -> ItemState:
        """Return an item by kind and folder name; raises the errors of its description."""
        paths = (path_of(kind, name),)
        if kind is ItemKind.DOCUMENT:
            document = DocumentLibrary(self.files).document(name)
            revision = document.revision.text
            return ItemState(kind, name, document.title, revision, document.class_word, document.owner, paths)
        if kind is ItemKind.FORM:
            form = written_definition(self.files, name)
            return ItemState(kind, name, form.title, form.revision.text, FORM_CLASS, form.owner, paths)
        if kind is ItemKind.REGISTER:
            where = f"{paths[0]}/register.yml"
            register = read_register(utf8_text(self.files.read(where) or b"", where=where), where=where)
            number, revision = register.number.text, register.revision.text
            return ItemState(kind, number, register.title, revision, REGISTER_CLASS, register.owner, paths)
        external = DocumentLibrary(self.files).external_documents()
        return ItemState(kind, EXTERNAL, "外来文件清单", external.revision, EXTERNAL_CLASS, "质管部", paths)

    def contents(self, paths: tuple[str, ...]) -> dict[str, Digest]:
        """Return the files of an item with their digests, without what is for the screen only."""
        found = {}
        for own in paths:
            for path in self.files.files(own) or [own]:
                data = self.files.read(path)
                if data is not None and path.rsplit("/", maxsplit=1)[-1] not in SCREEN_ONLY:
                    found[path] = Digest.of(data)
        return found

    def taken(self, number: str) -> bool:
        """Tell whether a document, form or register has that number."""
        folders = (*self.files.folders(FOLDER), *self.files.folders(FORMS_FOLDER))
        return number in folders or any(
            number == self.state(ItemKind.REGISTER, item).number for item in self._registers()
        )

    def _registers(self) -> list[str]:
        folders = self.files.folders(REGISTERS_FOLDER)
        return [name for name in folders if self.files.read(f"{REGISTERS_FOLDER}/{name}/register.yml") is not None]


def path_of(kind: ItemKind, name: str) -> str:
    """Return the folder or file of the library where an item lies; a register by its id."""
    if kind is ItemKind.EXTERNAL:
        return EXTERNAL_FILE
    return f"{next(folder for folder, of in _FOLDERS.items() if of is kind)}/{name}"


def item_of(path: str) -> tuple[ItemKind, str, str] | None:
    """Return kind, folder name and path inside the folder of the item that a library path belongs to, None for none."""
    if path == EXTERNAL_FILE:
        return ItemKind.EXTERNAL, EXTERNAL, ""
    for folder, kind in _FOLDERS.items():
        name, slash, inside = path.removeprefix(f"{folder}/").partition("/")
        if path.startswith(f"{folder}/") and slash:
            return kind, name, inside
    return None


def document_class(number: str) -> str | None:
    """Return the word of a document number's class (程序, 制度 …), None when it is no number of a document."""
    try:
        return CLASS_WORDS.get(DocumentNumber(number).class_code)
    except InvalidIdentifierError:
        return None
