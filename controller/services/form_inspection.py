"""表单核对. `qms form lint`: looks at forms with everything around them and returns all findings, none raised.

Works on the approved library and equally on the folder as it is now, so that a manager sees the effect of an edit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import QmsError
from controller.domain.form_lint import KnownLibrary, lint_form
from controller.domain.identifiers import Digest
from controller.domain.text import T
from controller.file_formats.compiled_form import CompiledForm, read_compiled
from controller.file_formats.form_file import block_path, examine_form
from controller.file_formats.retention_file import RETENTION_FILE, RetentionFileError, read_retention
from controller.file_formats.template_source import template_names
from controller.file_formats.yaml_text import YamlTextError, load_yaml
from controller.services.form_library import FORMS_FOLDER, block_texts, form_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.domain.form import FormDefinition
    from controller.services.ports import LibraryFiles, Progress
    from controller.services.print_ports import TemplateCompiler

_POSTS_FILE = "signatures/posts.yml"
_WITHDRAWN = "作废"


class FormInspection:
    """表单核对. Checks the forms among `files`."""

    def __init__(self, files: LibraryFiles, compiler: TemplateCompiler) -> None:
        self._files = files
        self._compiler = compiler

    def numbers(self) -> list[str]:
        """Return the numbers of all forms, sorted."""
        return form_numbers(self._files)

    def inspect(self, numbers: Sequence[str] = (), *, progress: Progress | None = None) -> list[Finding]:
        """Return the findings on these forms (all when empty), in the order of forms and lines."""
        wanted = list(numbers) or self.numbers()
        findings: list[Finding] = []
        around, blocks = self._surroundings(findings), block_texts(self._files)
        for position, number in enumerate(wanted):
            findings += self._form(number, around, blocks)
            if progress is not None:
                progress(position + 1, len(wanted))
        # A slip in a shared block is met once per form that uses it, and told once.
        told = {(item.path, item.line, item.code, str(item.message)): item for item in reversed(findings)}
        return list(reversed(told.values()))

    def _form(self, number: str, around: KnownLibrary, blocks: dict[str, str]) -> list[Finding]:
        where = f"{FORMS_FOLDER}/{number}/form.yml"
        data = self._files.read(where)
        if data is None:
            return [_finding("form-file-missing", T("缺少 form.yml"), where, number)]
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            return [_finding("form-file-encoding", T("form.yml 不是 UTF-8 文字"), where, number)]
        reading = examine_form(text, blocks, where=where)
        findings = [replace(finding, subject=number) for finding in reading.findings]
        definition = reading.definition
        if definition is None:
            return findings
        if definition.number.text != number:
            message = T("目录名 {folder} 与表单编号 {number} 不一致", folder=number, number=definition.number)
            findings.append(_finding("form-folder", message, where, number))
        parts = self._template(number, definition, findings)
        names = None if parts is None else {part: frozenset(found) for part, found in template_names(parts).items()}
        around = replace(around, template_names=names, blocks={name: block_path(name) for name in blocks})
        return findings + lint_form(definition, where=where, around=around)

    def _template(self, number: str, definition: FormDefinition, findings: list[Finding]) -> dict[str, str] | None:
        """Return the Jinja sources of the docx as it is now; note what is missing or out of date."""
        path = f"{FORMS_FOLDER}/{number}/form.docx"
        docx = self._files.read(path)
        if docx is None:
            hint = T("运行 qms form scaffold {number} 生成版式。", number=number)
            findings.append(_finding("form-docx-missing", T("缺少版式文件 form.docx，不能打印"), path, number, hint))
            return None
        compiled = self._compiled(number, findings)
        if compiled is not None and compiled.docx == Digest.of(docx):
            parts = dict(compiled.parts)
        else:
            try:
                parts = dict(self._compiler.compile(docx))
            except QmsError as exc:
                findings.append(Finding(exc.code, Gravity.ERROR, exc.message, path=path, subject=number, hint=exc.hint))
                return None
        if compiled is not None and (compiled.docx != Digest.of(docx) or compiled.definition != definition):
            message = T("compiled.json 已过时：form.yml 或 form.docx 改过后还没有重新编译")
            hint = T("运行 qms form compile {number}。", number=number)
            place = f"{FORMS_FOLDER}/{number}/compiled.json"
            findings.append(_finding("compiled-stale", message, place, number, hint))
        return parts

    def _compiled(self, number: str, findings: list[Finding]) -> CompiledForm | None:
        path = f"{FORMS_FOLDER}/{number}/compiled.json"
        data = self._files.read(path)
        if data is None:
            hint = T("运行 qms form compile {number}。", number=number)
            findings.append(_finding("compiled-missing", T("还没有编译，不能填写"), path, number, hint))
            return None
        try:
            return read_compiled(data, where=path)
        except QmsError as exc:
            findings.append(Finding(exc.code, Gravity.ERROR, exc.message, path=path, subject=number, hint=exc.hint))
            return None

    # -- what the forms refer to

    def _surroundings(self, findings: list[Finding]) -> KnownLibrary:
        documents = self._files.folders("procedures")
        withdrawn = {number for number in documents if self._withdrawn(number)}
        return KnownLibrary(
            documents=frozenset(documents) - withdrawn,
            forms=frozenset(self.numbers()),
            obsolete=frozenset(withdrawn),
            posts=self._posts(),
            retention_classes=self._retention(findings),
        )

    def _withdrawn(self, number: str) -> bool:
        data = self._yaml(f"procedures/{number}/document.yml")
        note = data.get("status_note")
        return isinstance(note, str) and note.startswith(_WITHDRAWN)

    def _posts(self) -> frozenset[str] | None:
        posts = self._yaml(_POSTS_FILE).get("posts")
        return frozenset(posts) if isinstance(posts, dict) else None

    def _retention(self, findings: list[Finding]) -> frozenset[str] | None:
        data = self._files.read(RETENTION_FILE)
        if data is None:
            findings.append(_finding("retention-missing", T("缺少保存期限文件"), RETENTION_FILE, None))
            return None
        try:
            return frozenset(read_retention(data.decode("utf-8", "replace")).classes)
        except RetentionFileError as exc:
            findings += exc.findings
            return None

    def _yaml(self, path: str) -> dict[str, Any]:
        data = self._files.read(path)
        try:
            found = load_yaml(data.decode("utf-8", "replace"), where=path) if data is not None else None
        except YamlTextError:
            # Said by the check of that file; here only what it lists is missed.
            return {}
        return found if isinstance(found, dict) else {}


def _finding(code: str, message: Any, path: str, number: str | None, hint: Any = None) -> Finding:
    return Finding(code, Gravity.ERROR, message, path=path, subject=number, hint=hint)
