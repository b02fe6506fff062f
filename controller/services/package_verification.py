"""表单包验证. Examines the form packages of the archive: whole, readable, named by their digest."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import QmsError
from controller.domain.identifiers import Digest
from controller.domain.text import T
from controller.file_formats.compiled_form import read_compiled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from controller.domain.form import FormDefinition
    from controller.domain.text import Text

PACKAGES = "controlled-forms"
_HEX = re.compile(r"[0-9a-f]{64}")


def _error(code: str, message: Text, path: str) -> Finding:
    return Finding(code, Gravity.ERROR, message, path=path)


class PackageVerification:
    """表单包验证. Reads the packages and keeps their definitions."""

    def __init__(self) -> None:
        self.forms: dict[Digest, FormDefinition] = {}
        """Digest of the definition → the form, of every package that is in order."""

    def findings(self, files: Iterable[tuple[str, bytes]], damaged: Sequence[str]) -> Iterator[Finding]:
        """Yield what is wrong with the packages among `files` (path order); `damaged` grows while they are read."""
        for folder, group in groupby(files, key=lambda item: "/".join(item[0].split("/")[:2])):
            content = {path[len(folder) + 1 :]: data for path, data in group}
            lost = {path[len(folder) + 1 :] for path in damaged if path.startswith(f"{folder}/")}
            yield from self._package(folder, content, lost)

    def _package(self, folder: str, content: dict[str, bytes], lost: set[str]) -> Iterator[Finding]:
        name = folder.rpartition("/")[2]
        for extra in sorted(content.keys() - {"compiled.json", "form.docx"}):
            yield _error("file-unknown", T("档案中有来历不明的文件。"), f"{folder}/{extra}".rstrip("/"))
        compiled, docx = content.get("compiled.json"), content.get("form.docx")
        if {"compiled.json", "form.docx"} - content.keys() - lost or not _HEX.fullmatch(name):
            yield _error("form-package-incomplete", T("归档的表单不完整。"), folder)
        if compiled is None or not _HEX.fullmatch(name):
            return
        if Digest.of(compiled).hex != name:
            yield _error("form-package-differs", T("归档的表单被改动过（摘要不符）。"), f"{folder}/compiled.json")
            return
        try:
            form = read_compiled(compiled)
        except QmsError as exc:
            yield _error("form-package-unreadable", exc.message, f"{folder}/compiled.json")
            return
        if docx is not None and form.docx != Digest.of(docx):
            yield _error("form-package-differs", T("归档的表单模板被改动过（摘要不符）。"), f"{folder}/form.docx")
        self.forms[Digest.of(compiled)] = form.definition
