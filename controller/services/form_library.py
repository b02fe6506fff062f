"""表单库. The controlled forms in force: their definitions and the packages that records are made on.

A form's package is `form.docx` and `compiled.json`; its digest is that of `compiled.json`. `form.yml` is what people
edit; `qms form compile` makes the package from it, and `qms form lint` says when the two differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.errors import MisconfiguredError, NotFoundError
from controller.domain.identifiers import Digest, DocumentNumber, InvalidIdentifierError, nearest
from controller.domain.text import T
from controller.file_formats.compiled_form import read_compiled
from controller.file_formats.form_file import read_form

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, MutableMapping, Sequence

    from controller.domain.form import FormDefinition
    from controller.services.ports import ApprovedFiles, LibraryFiles

FORMS_FOLDER = "templates/forms"
BLOCKS_FOLDER = "templates/blocks"


class UnknownFormError(NotFoundError):
    """没有这张表单. The library has no form of that number, short number or title."""

    code = "form-unknown"

    def __init__(self, *, number: str, known: Sequence[str]) -> None:
        close = nearest(number.upper(), known)
        hint = T("是否想写 {number}？", number=close) if close else T("用 qms form list 查看全部表单。")
        super().__init__(T("没有表单“{number}”。", number=number[:60]), hint=hint)


class FormNotCompiledError(MisconfiguredError):
    """表单还没有编译. `form.docx` or `compiled.json` is missing, so nothing can be filled or printed."""

    code = "form-not-compiled"

    def __init__(self, *, number: str, missing: str) -> None:
        super().__init__(
            T("表单 {number} 缺少 {missing}，还不能填写和打印。", number=number, missing=missing),
            hint=T("运行 qms form scaffold {number} 生成版式，再运行 qms form compile {number}。", number=number),
            where=f"{FORMS_FOLDER}/{number}/{missing}",
        )


class FormStaleError(MisconfiguredError):
    """表单的编译结果已过时. `compiled.json` was made from another `form.docx`."""

    code = "form-stale"

    def __init__(self, *, number: str) -> None:
        super().__init__(
            T("表单 {number} 的 form.docx 与 compiled.json 不一致。", number=number),
            hint=T("运行 qms form compile {number} 重新编译。", number=number),
            where=f"{FORMS_FOLDER}/{number}/compiled.json",
        )


@dataclass(frozen=True)
class FormPackage:
    """表单包. Everything that filling and printing a form needs, and what it was approved as."""

    definition: FormDefinition
    docx: bytes
    parts: Mapping[str, str]
    """Part name in the docx → Jinja source."""
    compiled: bytes
    digest: Digest
    """SHA-256 of `compiled`: the digest of the form."""


class FormLibrary:
    """表单库. Reads forms of the approved library; keeps what it has read while the library stands still."""

    def __init__(self, files: ApprovedFiles, cache: MutableMapping[tuple[str, str], FormPackage] | None = None) -> None:
        self._files = files
        self._packages: MutableMapping[tuple[str, str], FormPackage] = {} if cache is None else cache
        self._definitions: dict[tuple[str, str], FormDefinition] = {}

    def numbers(self) -> list[str]:
        """Return the numbers of all forms, sorted."""
        return form_numbers(self._files)

    def resolve(self, wanted: str) -> str:
        """Return the form number that `wanted` means: a number, a short number (`JL-018`) or a title.

        Raises:
            UnknownFormError: none is meant.
        """
        known = self.numbers()
        number = number_meant(wanted, known)
        if number is not None:
            return number
        text = wanted.strip()
        titled = [number for number in known if self._title(number) == text]
        if len(titled) == 1:
            return titled[0]
        raise UnknownFormError(number=wanted, known=known)

    def definition(self, number: str) -> FormDefinition:
        """Return the form's definition: the compiled one, or that of `form.yml` where nothing is compiled yet.

        Raises:
            UnknownFormError: there is no such form.
            FormFileError: it is not compiled, and `form.yml` has errors.
        """
        found = self.resolve(number)
        key = (self._files.revision(), found)
        if key not in self._definitions:
            compiled = self._files.read(f"{FORMS_FOLDER}/{found}/compiled.json")
            if compiled is not None:
                where = f"{FORMS_FOLDER}/{found}/compiled.json"
                self._definitions[key] = read_compiled(compiled, where=where).definition
            else:
                self._definitions[key] = written_definition(self._files, found)
        return self._definitions[key]

    def package(self, number: str) -> FormPackage:
        """Return the form's package.

        Raises:
            UnknownFormError: there is no such form.
            FormNotCompiledError: its docx or its compiled form is missing.
            FormStaleError: the two do not belong together.
        """
        found = self.resolve(number)
        key = (self._files.revision(), found)
        if key not in self._packages:
            self._packages[key] = self._read_package(found)
        return self._packages[key]

    def _read_package(self, number: str) -> FormPackage:
        folder = f"{FORMS_FOLDER}/{number}"
        docx = self._files.read(f"{folder}/form.docx")
        compiled = self._files.read(f"{folder}/compiled.json")
        if docx is None:
            raise FormNotCompiledError(number=number, missing="form.docx")
        if compiled is None:
            raise FormNotCompiledError(number=number, missing="compiled.json")
        form = read_compiled(compiled, where=f"{folder}/compiled.json")
        if form.docx != Digest.of(docx) or form.definition.number.text != number:
            raise FormStaleError(number=number)
        return FormPackage(form.definition, docx, form.parts, compiled, Digest.of(compiled))

    def _title(self, number: str) -> str | None:
        try:
            return self.definition(number).title
        except MisconfiguredError:
            return None


def number_meant(wanted: str, known: Iterable[str]) -> str | None:
    """Return which of `known` is meant by a number, a short number (`JL-018`) or a serial only one has (`018`)."""
    text = wanted.strip().upper()
    known = list(known)
    exact = next((number for number in known if text in {number, DocumentNumber(number).short}), None)
    ending = [number for number in known if text == DocumentNumber(number).serial]
    return exact or (ending[0] if len(ending) == 1 else None)


def form_numbers(files: LibraryFiles) -> list[str]:
    """Return the numbers of the forms among `files`; folders with other names are no forms."""
    found = []
    for name in files.folders(FORMS_FOLDER):
        try:
            DocumentNumber(name)
        except InvalidIdentifierError:
            continue
        found.append(name)
    return sorted(found)


def block_texts(files: LibraryFiles) -> dict[str, str]:
    """Return the text of every shared block by name."""
    found = {}
    for path in files.files(BLOCKS_FOLDER):
        name = path.rsplit("/", maxsplit=1)[-1]
        data = files.read(path)
        if name.endswith(".yml") and data is not None:
            found[name.removesuffix(".yml")] = data.decode("utf-8", "replace")
    return found


def written_definition(files: LibraryFiles, number: str) -> FormDefinition:
    """Return the definition as `form.yml` has it now.

    Raises:
        UnknownFormError: there is no such form.
        FormFileError: it has errors.
    """
    where = f"{FORMS_FOLDER}/{number}/form.yml"
    data = files.read(where) if number in form_numbers(files) else None
    if data is None:
        raise UnknownFormError(number=number, known=form_numbers(files))
    return read_form(data.decode("utf-8", "replace"), block_texts(files), where=where)
