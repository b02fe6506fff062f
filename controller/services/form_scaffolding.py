"""表单版式生成. Definition and house file → `form.docx` and `compiled.json` in the workspace folder.

A template that somebody restyled in Word is never overwritten unless asked for, and then a copy is kept. Whether it
was restyled is told by the mark that the drawing leaves in the file. The files are working files: they come into force
with the form's approval, not here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller.domain.errors import MisconfiguredError, RefusedError
from controller.domain.identifiers import Digest
from controller.domain.text import T
from controller.file_formats.compiled_form import read_compiled
from controller.services.form_library import FORMS_FOLDER, FormPackage, form_numbers, written_definition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.domain.form import FormDefinition
    from controller.domain.identifiers import Revision
    from controller.services.form_compiling import FormCompiling
    from controller.services.ports import LibraryFiles, LibraryWriter
    from controller.services.print_ports import FormDrawing

HOUSE_FORM = "templates/house/form.docx"
_REVISION_LINE = re.compile(
    rb"^((?:\xef\xbb\xbf)?revision:[ \t]*[\"']?)[A-Z]/[0-9]{1,3}([\"']?[ \t]*(?:#[^\r\n]*)?\r?)$", re.MULTILINE
)


class TemplateRestyledError(RefusedError):
    """模板已人工修改. `form.docx` is not as the scaffold drew it."""

    code = "template-restyled"

    def __init__(self, *, number: str) -> None:
        super().__init__(
            T("表单 {number} 的 form.docx 已在 Word 中修改过，没有覆盖它。", number=number),
            hint=T(
                "确认要重新生成时加 --force（原文件会另存一份）；只需编译时运行 qms form compile {number}。",
                number=number,
            ),
            where=f"{FORMS_FOLDER}/{number}/form.docx",
        )


class TemplateMissingError(MisconfiguredError):
    """没有模板. There is no `form.docx` to compile."""

    code = "template-missing"

    def __init__(self, *, number: str) -> None:
        super().__init__(
            T("表单 {number} 还没有 form.docx。", number=number),
            hint=T("运行 qms form scaffold {number} 生成。", number=number),
            where=f"{FORMS_FOLDER}/{number}/form.docx",
        )


@dataclass(frozen=True)
class ScaffoldResult:
    """生成结果. What was done to one form."""

    number: str
    title: str
    revision: Revision
    digest: Digest
    """The form's digest: SHA-256 of `compiled.json`."""
    changed: bool
    """False when both files already were as they should be."""
    kept: str | None = None
    """Where the restyled template that was replaced is kept."""


class FormScaffolding:
    """表单版式服务. Draws and compiles the forms of a workspace folder."""

    def __init__(
        self, files: LibraryFiles, writer: LibraryWriter, drawing: FormDrawing, compiling: FormCompiling
    ) -> None:
        self._files = files
        self._writer = writer
        self._drawing = drawing
        self._compiling = compiling

    def numbers(self) -> Sequence[str]:
        """Return the numbers of all forms in the folder."""
        return form_numbers(self._files)

    def scaffold(self, number: str, *, force: bool = False) -> ScaffoldResult:
        """Draw `form.docx` from `form.yml` and the house file, and compile it.

        Raises:
            UnknownFormError, FormFileError: there is no such form, or its definition has errors.
            TemplateRestyledError: the template was changed by hand, and `force` was not given.
        """
        definition = written_definition(self._files, number)
        house = self._files.read(HOUSE_FORM) or self._drawing.house()
        docx = self._drawing.draw(definition, house)
        path = f"{FORMS_FOLDER}/{number}/form.docx"
        present = self._files.read(path)
        kept = None
        if present is not None and present != docx and not self._drawing.is_untouched(present):
            if not force:
                raise TemplateRestyledError(number=number)
            kept = f"{FORMS_FOLDER}/{number}/form-{Digest.of(present).hex[:8]}.docx"
        compiled = self._compiling.compile(definition, docx)
        if kept is not None and present is not None:
            self._writer.write(kept, present)
        return self._store(definition, docx, compiled, kept=kept)

    def compile(self, number: str, *, above: Revision | None = None) -> ScaffoldResult:
        """Compile the template that is there, restyled or not.

        With `above`, the revision in force, the revision in `form.yml` is raised first unless it is higher already;
        nothing else in that file changes, and nothing at all when the form cannot be compiled.

        Raises:
            UnknownFormError, FormFileError: there is no such form, or its definition has errors.
            TemplateMissingError: there is no template.
            QmsError: the template cannot be compiled or does not agree with the definition.
        """
        definition, docx = self._written(number)
        revised = above is not None and not definition.revision > above
        if above is not None and revised:
            definition = replace(definition, revision=above.following)
        compiled = self._compiling.compile(definition, docx)
        if revised:
            path = f"{FORMS_FOLDER}/{number}/form.yml"
            self._writer.write(path, _with_revision(self._files.read(path) or b"", definition.revision))
        return self._store(definition, docx, compiled, kept=None)

    def preview(self, number: str) -> FormPackage:
        """Return the form as its files in the folder are now, compiled or not; nothing is written.

        Raises:
            As `compile`.
        """
        definition, docx = self._written(number)
        compiled = self._compiling.compile(definition, docx)
        return FormPackage(definition, docx, read_compiled(compiled).parts, compiled, Digest.of(compiled))

    def _written(self, number: str) -> tuple[FormDefinition, bytes]:
        definition = written_definition(self._files, number)
        docx = self._files.read(f"{FORMS_FOLDER}/{number}/form.docx")
        if docx is None:
            raise TemplateMissingError(number=number)
        return definition, docx

    def _store(self, definition: FormDefinition, docx: bytes, compiled: bytes, *, kept: str | None) -> ScaffoldResult:
        number = definition.number.text
        changed = False
        for name, data in (("form.docx", docx), ("compiled.json", compiled)):
            path = f"{FORMS_FOLDER}/{number}/{name}"
            if self._files.read(path) != data:
                self._writer.write(path, data)
                changed = True
        return ScaffoldResult(number, definition.title, definition.revision, Digest.of(compiled), changed, kept)


def _with_revision(form: bytes, revision: Revision) -> bytes:
    """Return `form.yml` with another revision; every other byte, comments and line ends too, stays."""
    return _REVISION_LINE.sub(lambda line: line[1] + revision.text.encode("ascii") + line[2], form, count=1)
