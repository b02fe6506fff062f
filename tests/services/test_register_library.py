from __future__ import annotations

from pathlib import Path

import pytest

from controller.adapters.working_files import WorkingFiles
from controller.domain.errors import QmsError
from controller.services.form_library import FormLibrary
from controller.services.register_library import RegisterLibrary, UnknownRegisterError
from tests.memory_archive import MemoryForms

ROOT = Path(__file__).resolve().parents[2]
REGISTER = """format: wenkong/register/1
id: {id}
number: {number}
title: {title}
revision: A/0
owner: 质管部
source: forms
columns: [{{key: number, label: 编号, value: form.number}}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    add(tmp_path, "TZ-07", "XX-YLQXTZ-07", "质量投诉台账")
    add(tmp_path, "TZ-08", "XX-YLQXTZ-08", "维修与保修台账")
    return tmp_path


def add(root: Path, id_: str, number: str, title: str, folder: str | None = None) -> None:
    place = root / "templates" / "registers" / (folder or id_)
    place.mkdir(parents=True)
    (place / "register.yml").write_text(REGISTER.format(id=id_, number=number, title=title), encoding="utf-8")


def library(root: Path) -> RegisterLibrary:
    return RegisterLibrary(WorkingFiles(root), MemoryForms())


@pytest.mark.parametrize("wanted", ["TZ-07", "tz-07", " TZ-07 ", "XX-YLQXTZ-07", "质量投诉台账"])
def test_a_register_is_found_by_id_number_or_title(folder: Path, wanted: str) -> None:
    assert library(folder).definition(wanted).id == "TZ-07"


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ("TZ-77", "TZ-07"),
        ("质量投拆台账", "质量投诉台账"),
        ("../../etc", "qms register list"),
        ("", "qms register list"),
    ],
)
def test_an_unknown_register_is_refused_with_the_nearest_one(folder: Path, wanted: str, hint: str) -> None:
    with pytest.raises(UnknownRegisterError) as caught:
        library(folder).definition(wanted)
    assert hint in str(caught.value.hint)


def test_a_register_that_stands_in_the_wrong_folder_or_takes_a_used_number_is_found(folder: Path) -> None:
    add(folder, "TZ-09", "XX-YLQXTZ-08", "重号台账", folder="TZ-10")
    assert [(f.code, f.subject) for f in library(folder).findings()] == [
        ("register-folder", "TZ-10"), ("register-number-twice", "TZ-10"),
    ]  # fmt: skip


def test_a_definition_that_is_not_text_is_said_so(folder: Path) -> None:
    (folder / "templates/registers/TZ-07/register.yml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(QmsError) as caught:
        library(folder).definition("TZ-07")
    assert caught.value.code == "register-not-text"


def test_the_starter_librarys_registers_fit_its_forms() -> None:
    files = WorkingFiles(ROOT)
    found = RegisterLibrary(files, FormLibrary(files)).findings()
    assert [f"{f.path}:{f.line} {f.message}" for f in found] == []
