"""归档的表单. The definition a record was really filled on, by the digest its entries name.

The archive holds every form package that was ever used; the library on `main` may since have moved on. What depends
on this only (index, registers) is a pure function of the archive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from controller.domain.errors import QmsError
from controller.file_formats.compiled_form import read_compiled

if TYPE_CHECKING:
    from controller.domain.form import FormDefinition
    from controller.domain.identifiers import Digest
    from controller.domain.record import FormBinding
    from controller.services.archive_ports import Archive


class KnownForms(Protocol):
    """表单库. The forms in force (`services.form_library.FormLibrary`)."""

    def numbers(self) -> list[str]:
        """Return the numbers of all forms, sorted."""
        ...

    def definition(self, number: str) -> FormDefinition:
        """Return the form's definition; raises `UnknownFormError`."""
        ...


class ArchivedForms:
    """归档的表单. Looks definitions up by digest, and in the library where the archive has none."""

    def __init__(self, archive: Archive, forms: KnownForms) -> None:
        self._archive = archive
        self._forms = forms
        self._known: dict[Digest, FormDefinition | None] = {}

    def definition(self, binding: FormBinding) -> FormDefinition | None:
        """Return the definition that `binding` names, the library's when it is not archived, None when neither is."""
        if binding.digest not in self._known:
            found = self._archived(binding)
            if found is None:
                return self._current(binding)
            self._known[binding.digest] = found
        return self._known[binding.digest]

    def _archived(self, binding: FormBinding) -> FormDefinition | None:
        data = self._archive.read(f"controlled-forms/{binding.digest.hex}/compiled.json")
        if data is None:
            return None
        try:
            return read_compiled(data).definition
        except QmsError:
            # A damaged package is what `qms verify` reports; finding records must go on.
            return None

    def _current(self, binding: FormBinding) -> FormDefinition | None:
        try:
            return self._forms.definition(binding.number.text)
        except QmsError:
            return None
