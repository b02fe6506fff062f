"""Drawing and compiling the forms of a folder; what somebody restyled is not overwritten."""

from __future__ import annotations

import pytest

from controller.adapters.docx_template import DocxtplCompiler
from controller.adapters.form_scaffold import ScaffoldDrawing
from controller.domain.identifiers import Digest, Revision
from controller.file_formats.compiled_form import read_compiled
from controller.file_formats.docx_package import open_docx, write_docx
from controller.services.form_compiling import FormCompiling, UndeclaredNamesError
from controller.services.form_library import UnknownFormError
from controller.services.form_scaffolding import FormScaffolding, TemplateMissingError, TemplateRestyledError
from tests.memory_files import MemoryFiles

NUMBER = "AB-YLQXJL-001"
FOLDER = f"templates/forms/{NUMBER}"
FORM = f"""\
format: wenkong/form/1
number: {NUMBER}
title: 来电登记
revision: A/0
procedure: AB-YLQXCX-001
owner: 售后部
retention: complaint
fields:
  content: {{label: 内容, type: long_text, required: opened}}
  channel: {{label: 方式, type: choice, choices: [电话, 来访], required: opened}}
stages:
  opened: {{label: 已登记, by: [any], final: true}}
"""


class Folder(MemoryFiles):
    """A folder in memory that can be written to."""

    def write(self, path: str, data: bytes) -> None:
        self.content[path] = data


def folder(**more: bytes) -> Folder:
    return Folder({f"{FOLDER}/form.yml": FORM.encode(), **more})


def service(files: Folder) -> FormScaffolding:
    return FormScaffolding(files, files, ScaffoldDrawing(), FormCompiling(DocxtplCompiler()))


def restyled(docx: bytes, *, old: str = "来电登记", new: str = "来电登记") -> bytes:
    parts = dict(open_docx(docx).contents)
    main = "word/document.xml"
    parts[main] = parts[main].replace(old.encode(), new.encode()).replace(b"</w:body>", b"<w:p/></w:body>")
    return write_docx(parts)


def test_the_template_and_its_compiled_form_are_written_and_belong_together() -> None:
    files = folder()
    result = service(files).scaffold(NUMBER)
    compiled = files.content[f"{FOLDER}/compiled.json"]
    assert result.changed
    assert result.digest == Digest.of(compiled)
    assert read_compiled(compiled).docx == Digest.of(files.content[f"{FOLDER}/form.docx"])


def test_scaffolding_again_changes_nothing() -> None:
    files = folder()
    service(files).scaffold(NUMBER)
    before = dict(files.content)
    assert not service(files).scaffold(NUMBER).changed
    assert files.content == before


def test_a_changed_definition_is_drawn_anew_over_an_untouched_template() -> None:
    files = folder()
    service(files).scaffold(NUMBER)
    files.content[f"{FOLDER}/form.yml"] = FORM.replace("label: 内容", "label: 来电内容").encode()
    assert service(files).scaffold(NUMBER).changed
    assert "来电内容" in open_docx(files.content[f"{FOLDER}/form.docx"]).contents["word/document.xml"].decode()


def test_a_restyled_template_is_not_overwritten() -> None:
    files = folder()
    service(files).scaffold(NUMBER)
    files.content[f"{FOLDER}/form.docx"] = restyled(files.content[f"{FOLDER}/form.docx"])
    before = dict(files.content)
    with pytest.raises(TemplateRestyledError, match=NUMBER):
        service(files).scaffold(NUMBER)
    assert files.content == before


def test_force_overwrites_it_and_keeps_a_copy() -> None:
    files = folder()
    service(files).scaffold(NUMBER)
    mine = restyled(files.content[f"{FOLDER}/form.docx"])
    files.content[f"{FOLDER}/form.docx"] = mine
    result = service(files).scaffold(NUMBER, force=True)
    assert result.kept is not None
    assert files.content[result.kept] == mine
    assert files.content[f"{FOLDER}/form.docx"] != mine


def test_a_restyled_template_is_compiled_as_it_is() -> None:
    files = folder()
    service(files).scaffold(NUMBER)
    mine = restyled(files.content[f"{FOLDER}/form.docx"])
    files.content[f"{FOLDER}/form.docx"] = mine
    assert service(files).compile(NUMBER).changed
    assert files.content[f"{FOLDER}/form.docx"] == mine
    assert read_compiled(files.content[f"{FOLDER}/compiled.json"]).docx == Digest.of(mine)


def test_a_restyled_template_with_a_misspelt_name_changes_nothing() -> None:
    files = folder()
    service(files).scaffold(NUMBER)
    files.content[f"{FOLDER}/form.docx"] = restyled(
        files.content[f"{FOLDER}/form.docx"], old="{{ content }}", new="{{ contents }}"
    )
    before = dict(files.content)
    with pytest.raises(UndeclaredNamesError, match="contents"):
        service(files).compile(NUMBER)
    assert files.content == before


def test_compiling_needs_a_template_and_scaffolding_a_form() -> None:
    with pytest.raises(TemplateMissingError):
        service(folder()).compile(NUMBER)
    with pytest.raises(UnknownFormError):
        service(folder()).scaffold("AB-YLQXJL-002")


def test_the_house_file_of_the_workspace_is_used_where_there_is_one() -> None:
    parts = dict(open_docx(ScaffoldDrawing().house()).contents)
    parts["word/header1.xml"] = parts["word/header1.xml"].replace("文件编号".encode(), "编号".encode())
    files = folder(**{"templates/house/form.docx": write_docx(parts)})
    service(files).scaffold(NUMBER)
    header = open_docx(files.content[f"{FOLDER}/form.docx"]).contents["word/header1.xml"].decode()
    assert "文件编号" not in header


def test_revising_changes_the_revision_and_no_other_byte_of_the_definition() -> None:
    written = FORM.replace("revision: A/0", 'revision: "A/9"  # 现行').replace("\n", "\r\n").encode()
    files = folder(**{f"{FOLDER}/form.yml": written})
    service(files).scaffold(NUMBER)
    result = service(files).compile(NUMBER, above=Revision("A/9"))
    assert files.content[f"{FOLDER}/form.yml"] == written.replace(b"A/9", b"A/10")
    assert result.revision == Revision("A/10")
    assert read_compiled(files.content[f"{FOLDER}/compiled.json"]).definition.revision == Revision("A/10")
    assert service(files).compile(NUMBER, above=Revision("A/9")).revision == Revision("A/10")


def test_a_form_that_cannot_be_compiled_is_not_revised() -> None:
    files = folder()
    service(files).scaffold(NUMBER)
    files.content[f"{FOLDER}/form.docx"] = restyled(
        files.content[f"{FOLDER}/form.docx"], old="{{ content", new="{{ cantent"
    )
    before = dict(files.content)
    with pytest.raises(UndeclaredNamesError):
        service(files).compile(NUMBER, above=Revision("A/0"))
    assert files.content == before


def test_the_preview_shows_the_files_as_they_are_and_writes_nothing() -> None:
    files = folder()
    service(files).scaffold(NUMBER)
    files.content[f"{FOLDER}/form.docx"] = restyled(files.content[f"{FOLDER}/form.docx"], new="来电与来访登记")
    before = dict(files.content)
    package = service(files).preview(NUMBER)
    assert package.docx == before[f"{FOLDER}/form.docx"]
    assert files.content == before
