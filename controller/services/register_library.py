"""台账库. The register definitions of the workspace: find one by id, number or title; check them all.

Definitions are controlled content in `templates/registers/<id>/register.yml`; building is `services.register_building`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import DamagedError, NotFoundError, QmsError
from controller.domain.identifiers import nearest
from controller.domain.register_lint import register_findings
from controller.domain.text import T
from controller.file_formats.register_file import examine_register, read_register

if TYPE_CHECKING:
    from collections.abc import Iterable

    from controller.domain.form import FormDefinition
    from controller.domain.register import RegisterDefinition
    from controller.services.archived_forms import KnownForms
    from controller.services.ports import LibraryFiles

REGISTERS_FOLDER = "templates/registers"


class UnknownRegisterError(NotFoundError):
    """没有这个台账. No register has that id, number or title."""

    code = "register-unknown"

    def __init__(self, *, wanted: str, known: Iterable[str]) -> None:
        close = nearest(wanted, known)
        super().__init__(
            T("没有台账“{wanted}”。", wanted=wanted[:60]),
            hint=T("是否想写 {close}？", close=close) if close else T("用 qms register list 查看全部台账。"),
        )


class RegisterTextError(DamagedError):
    """台账定义不是文字. The file is missing or not UTF-8."""

    code = "register-not-text"

    def __init__(self, *, path: str) -> None:
        super().__init__(T("{path} 不是 UTF-8 文字。", path=path), hint=T("用 UTF-8 编码另存该文件。"), where=path)


class RegisterLibrary:
    """台账库. Reads register definitions from the approved content."""

    def __init__(self, files: LibraryFiles, forms: KnownForms) -> None:
        self._files = files
        self._forms = forms

    def ids(self) -> list[str]:
        """Return the ids of all registers, in order."""
        folders = self._files.folders(REGISTERS_FOLDER)
        return [name for name in folders if self._files.read(_path(name)) is not None]

    def definition(self, wanted: str) -> RegisterDefinition:
        """Return the register called `wanted`: its id (`TZ-07`), its number or its title.

        Raises:
            UnknownRegisterError: there is none.
            RegisterFileError: its definition cannot be used.
        """
        return self._read(self.resolve(wanted))

    def resolve(self, wanted: str) -> str:
        """Return the id of the register called `wanted`, also when its definition has errors.

        Raises:
            UnknownRegisterError: there is none.
        """
        name = wanted.strip()
        ids = self.ids()
        if name.upper() in ids:
            return name.upper()
        known = list(ids)
        for item in ids:
            definition = examine_register(self._text(item), where=_path(item)).definition
            if definition is None:
                continue
            if name in {definition.title, definition.number.text, definition.number.short}:
                return item
            known += [definition.title, definition.number.text]
        raise UnknownRegisterError(wanted=name, known=known)

    def definitions(self) -> list[RegisterDefinition]:
        """Return every register.

        Raises:
            RegisterFileError: a definition cannot be used.
        """
        return [self._read(item) for item in self.ids()]

    def findings(self, only: str | None = None) -> list[Finding]:
        """Return everything wrong in the definitions (of register `only`), also where they do not fit the forms."""
        forms = self._form_definitions()
        found: list[Finding] = []
        numbers: dict[str, str] = {}
        for item in self.ids():
            path = _path(item)
            reading = examine_register(self._text(item), where=path)
            found += reading.findings
            definition = reading.definition
            if definition is None:
                continue
            if definition.id != item:
                message = T("文件夹 {folder} 里的台账 id 是 {id}", folder=item, id=definition.id)
                found.append(Finding("register-folder", Gravity.ERROR, message, path=path, subject=item))
            other = numbers.setdefault(definition.number.text, item)
            if other != item:
                message = T("编号 {number} 已用于 {other}", number=definition.number, other=other)
                found.append(Finding("register-number-twice", Gravity.ERROR, message, path=path, subject=item))
            found += register_findings(definition, forms)
        return found if only is None else [finding for finding in found if finding.path == _path(only)]

    def _form_definitions(self) -> dict[str, FormDefinition]:
        found = {}
        for number in self._forms.numbers():
            try:
                found[number] = self._forms.definition(number)
            except QmsError:
                # A broken form is reported by `qms form lint`; here it only counts as unknown.
                continue
        return found

    def _read(self, item: str) -> RegisterDefinition:
        return read_register(self._text(item), where=_path(item))

    def _text(self, item: str) -> str:
        path = _path(item)
        data = self._files.read(path)
        try:
            return (data or b"").decode("utf-8")
        except UnicodeDecodeError as exc:
            raise RegisterTextError(path=path) from exc


def _path(item: str) -> str:
    return f"{REGISTERS_FOLDER}/{item}/register.yml"
