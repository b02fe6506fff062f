"""The library of forms in force: finding, defining, packaging; and the inspection of the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.domain.identifiers import Digest
from controller.file_formats.compiled_form import CompiledForm, write_compiled
from controller.services.form_inspection import FormInspection
from controller.services.form_library import FormLibrary, FormNotCompiledError, FormStaleError, UnknownFormError
from tests.form_samples import BLOCK, FORM, sample_form

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = "templates/forms/AB-YLQXJL-001"
DOCX = b"a docx"
SOURCE = (
    "<w:p>"
    + " ".join(f"{{{{ {field.key} }}}}" for field in sample_form().fields if field.key != "late_entry_reason")
    + "{{ record.late_entry_reason }}{{ sig.prepared.name }}</w:p>"
)
LIBRARY = {
    f"{FOLDER}/form.yml": FORM.encode(),
    f"{FOLDER}/form.docx": DOCX,
    f"{FOLDER}/compiled.json": write_compiled(
        CompiledForm(sample_form(), Digest.of(DOCX), {"word/document.xml": SOURCE})
    ),
    "templates/blocks/goods.yml": BLOCK.encode(),
    "templates/forms/notes/readme.txt": b"",
    "procedures/AB-YLQXCX-001/document.yml": b"status_note: null\n",
    "signatures/posts.yml": "format: wenkong/posts/1\nposts:\n  manager: {name: 主管}\n".encode(),
    "records/retention.yml": (
        "format: wenkong/retention/1\nclasses:\n"
        "  complaint: {label: 投诉, min: 5y, basis: [{text: 公司, certainty: 企业自定}]}\n"
    ).encode(),
}


class Files:
    """Files in memory that implement the port."""

    def __init__(self, files: Mapping[str, bytes | None]) -> None:
        self.stored = {path: data for path, data in files.items() if data is not None}
        self.reads = 0

    def revision(self) -> str:
        return str(hash(frozenset(self.stored)))

    def read(self, path: str) -> bytes | None:
        self.reads += 1
        return self.stored.get(path)

    def folders(self, path: str) -> list[str]:
        below = [name.removeprefix(path + "/") for name in self.stored if name.startswith(path + "/")]
        return sorted({name.split("/")[0] for name in below if "/" in name})

    def files(self, path: str) -> list[str]:
        return sorted(name for name in self.stored if name.startswith(path + "/"))


class Compiler:
    """A compiler that takes the docx for its own source."""

    def compile(self, docx: bytes) -> Mapping[str, str]:
        return {"word/document.xml": docx.decode()}


def library(**changes: bytes | None) -> FormLibrary:
    return FormLibrary(
        Files({**LIBRARY, **{f"{FOLDER}/{name.replace('_', '.')}": data for name, data in changes.items()}})
    )


@pytest.mark.parametrize("wanted", ["AB-YLQXJL-001", "JL-001", "jl-001", " 来电处理单 "])
def test_a_form_is_found_by_number_short_number_or_title(wanted: str) -> None:
    assert library().definition(wanted) == sample_form()


@pytest.mark.parametrize("wanted", ["JL-01", "AB-YLQXJL-010", "../../etc/passwd", "notes", ""])
def test_an_unknown_form_is_told_with_the_nearest_known(wanted: str) -> None:
    with pytest.raises(UnknownFormError) as caught:
        library().package(wanted)
    assert caught.value.hint is not None


def test_only_folders_with_a_form_number_are_forms() -> None:
    assert library().numbers() == ["AB-YLQXJL-001"]


def test_the_package_is_named_by_the_digest_of_its_compiled_form() -> None:
    package = library().package("JL-001")
    assert package.digest == Digest.of(LIBRARY[f"{FOLDER}/compiled.json"])
    assert (package.definition, package.docx, dict(package.parts)) == (
        sample_form(),
        DOCX,
        {"word/document.xml": SOURCE},
    )


def test_a_package_is_read_once_while_the_library_stands_still() -> None:
    files = Files(LIBRARY)
    forms = FormLibrary(files)
    first = forms.package("AB-YLQXJL-001")
    reads = files.reads
    assert forms.package("AB-YLQXJL-001") is first
    assert files.reads == reads


def test_without_a_compiled_form_the_written_definition_counts_but_nothing_can_be_filled() -> None:
    forms = library(compiled_json=None)
    assert forms.definition("JL-001") == sample_form()
    with pytest.raises(FormNotCompiledError):
        forms.package("JL-001")
    with pytest.raises(FormNotCompiledError):
        library(form_docx=None).package("JL-001")


def test_a_docx_that_was_changed_after_compiling_is_refused() -> None:
    with pytest.raises(FormStaleError):
        library(form_docx=b"another").package("JL-001")


def inspect(**changes: bytes | None) -> list[str]:
    files = Files({**LIBRARY, **{f"{FOLDER}/{name.replace('_', '.')}": data for name, data in changes.items()}})
    return [finding.code for finding in FormInspection(files, Compiler()).inspect()]


def test_a_library_in_order_has_no_findings() -> None:
    assert inspect() == []


def test_an_edit_that_was_not_compiled_is_found() -> None:
    assert inspect(form_yml=FORM.replace("title: 来电处理单", "title: 来电单").encode()) == ["compiled-stale"]
    assert inspect(form_docx=SOURCE.encode()) == ["compiled-stale"]


def test_names_are_held_against_the_docx_as_it_is_now() -> None:
    docx = SOURCE.replace("{{ channel }}", "{{ chanel }}").encode()
    assert sorted(inspect(form_docx=docx)) == ["compiled-stale", "field-not-printed", "placeholder-undeclared"]


def test_what_is_missing_is_told() -> None:
    assert inspect(compiled_json=None, form_docx=SOURCE.encode()) == ["compiled-missing"]
    assert inspect(form_docx=None) == ["form-docx-missing"]
    assert inspect(form_yml=None) == ["form-file-missing"]
    assert inspect(form_yml="标题".encode("gb18030")) == ["form-file-encoding"]
    assert inspect(compiled_json=b"{}", form_docx=SOURCE.encode()) == ["compiled-form-invalid"]


def test_a_definition_in_the_wrong_folder_is_found() -> None:
    other = FORM.replace("number: AB-YLQXJL-001", "number: AB-YLQXJL-002").encode()
    assert "form-folder" in inspect(form_yml=other)


def test_references_are_held_against_the_library() -> None:
    withdrawn = {**LIBRARY, "procedures/AB-YLQXCX-001/document.yml": "status_note: 作废\n".encode()}
    assert [item.code for item in FormInspection(Files(withdrawn), Compiler()).inspect()] == ["number-obsolete"]
    without = {key: data for key, data in LIBRARY.items() if not key.startswith("procedures")}
    assert [item.code for item in FormInspection(Files(without), Compiler()).inspect()] == ["number-unknown"]
    broken = {**LIBRARY, "records/retention.yml": b"format: x\n"}
    assert "definition-format" in [item.code for item in FormInspection(Files(broken), Compiler()).inspect()]
