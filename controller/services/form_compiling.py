"""表单编译. Definition and Word template → `compiled.json`, after checking that the two agree.

This is how a template that a manager restyled in Word comes in, and how the starter library is built. What is wrong
with the template itself is said by the `TemplateCompiler`; here its names are held against the definition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.errors import MisconfiguredError
from controller.domain.identifiers import Digest
from controller.domain.template_vocabulary import TemplateVocabulary
from controller.domain.text import T, Text
from controller.file_formats.compiled_form import CompiledForm, write_compiled
from controller.file_formats.template_source import template_uses

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.domain.form import FormDefinition
    from controller.services.print_ports import TemplateCompiler


@dataclass(frozen=True)
class UndeclaredName:
    """未声明的名称. A name in the template that the form does not declare."""

    name: str
    part: str
    place: str
    """Visible text around it."""
    nearest: str | None


class UndeclaredNamesError(MisconfiguredError):
    """模板用了未声明的名称. All of them at once, each with its place and the nearest declared name."""

    code = "template-names-undeclared"

    def __init__(self, *, form: str, undeclared: Sequence[UndeclaredName]) -> None:
        super().__init__(
            T(
                "表单 {form} 的 Word 模板用了未声明的名称：{names}",
                form=form,
                names=[_told(name) for name in undeclared],
            ),
            hint=T("改正模板中的名称，或在 form.yml 中声明该字段。"),
            where=f"templates/forms/{form}/form.docx",
        )
        self.undeclared = tuple(undeclared)


def _told(item: UndeclaredName) -> Text:
    if item.nearest:
        return T("{name}（在“{place}”，是否想写 {nearest}?）", name=item.name, place=item.place, nearest=item.nearest)
    return T("{name}（在“{place}”）", name=item.name, place=item.place)


class FormCompiling:
    """表单编译. Shared by `qms form compile`, the scaffold and the starter build."""

    def __init__(self, compiler: TemplateCompiler) -> None:
        self._compiler = compiler

    def compile(self, definition: FormDefinition, docx: bytes) -> bytes:
        """Return the bytes of `compiled.json`.

        Raises:
            QmsError: the docx is not acceptable or its template cannot be read.
            UndeclaredNamesError: the template uses names that the definition does not declare.
        """
        parts = self._compiler.compile(docx)
        undeclared = undeclared_names(definition, parts)
        if undeclared:
            raise UndeclaredNamesError(form=definition.number.text, undeclared=undeclared)
        return write_compiled(CompiledForm(definition=definition, docx=Digest.of(docx), parts=dict(parts)))


def undeclared_names(definition: FormDefinition, parts: Mapping[str, str]) -> list[UndeclaredName]:
    """Return the names of the compiled template that the form does not declare, each once, in document order."""
    vocabulary = TemplateVocabulary(definition)
    found: dict[tuple[str, str], UndeclaredName] = {}
    for use in template_uses(parts):
        if not vocabulary.knows(use.name) and (use.name, use.part) not in found:
            close = vocabulary.nearest(use.name)
            found[use.name, use.part] = UndeclaredName(use.name, use.part, use.place, close)
    return list(found.values())
