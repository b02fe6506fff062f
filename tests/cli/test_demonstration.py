"""The demonstration is what a newcomer sees first: the whole chain, on records that look real, giving nothing away."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from controller.bootstrap import Application, open_workspace
from controller.domain.form import FormDefinition, Personal
from controller.domain.identifiers import RecordNumber
from controller.file_formats.yaml_text import load_yaml
from tests.real_tools import need

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow
PROGRAM = """
from controller.adapters import personal_keys
from controller.cli.main import run
personal_keys.ROUNDS = 1000
run()
"""
"""The program in a process of its own, with keys that open quickly, as everywhere in these tests."""


@dataclass
class Demonstration:
    folder: Path
    summary: dict[str, Any]
    said: str
    application: Application


def qms(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    folder = tmp_path_factory.mktemp("demonstration") / "demo"
    done = qms("--json", "demo", str(folder))
    assert done.returncode == 0, done.stderr + done.stdout
    with closing(open_workspace(folder)) as application:
        yield Demonstration(folder, json.loads(done.stdout), done.stdout + done.stderr, application)


def test_a_year_of_records_over_many_forms_is_filed(demonstration: Demonstration) -> None:
    assert demonstration.summary["records"] >= 60
    assert demonstration.summary["forms"] >= 15
    opened = sorted(state.opened_at for state in demonstration.application.index.records())
    assert len(opened) == demonstration.summary["records"]
    assert int(opened[-1][:4]) * 12 + int(opened[-1][5:7]) - int(opened[0][:4]) * 12 - int(opened[0][5:7]) >= 11


def test_every_form_is_printed_and_every_register_built(demonstration: Demonstration) -> None:
    prints = list((demonstration.folder / "演示输出" / "打印件").glob("*.pdf"))
    registers = list((demonstration.folder / "演示输出" / "台账").glob("*.xlsx"))
    assert len(prints) == len(demonstration.application.forms.numbers()) == 35
    assert len(registers) == 16
    assert all(path.read_bytes().startswith(b"%PDF") for path in prints)
    assert all(zipfile.ZipFile(path).testzip() is None for path in registers)


def test_every_print_comes_out_the_same_elsewhere(demonstration: Demonstration) -> None:
    done = qms(
        "--workspace",
        str(demonstration.folder),
        "--json",
        "verify",
        "--rerender",
        TZ="America/New_York",
        LC_ALL="C",
        PYTHONHASHSEED="7",
    )
    report = json.loads(done.stdout)
    assert done.returncode == 0, report["findings"]
    assert {item["code"] for item in report["findings"]} == {"enrolment-witness-missing", "time-not-proven"}
    assert report["rendered"] == report["rendered_same"] >= report["entries"] > report["records"]


def test_git_itself_finds_the_repository_whole(demonstration: Demonstration) -> None:
    need("git")
    done = subprocess.run(
        ["git", "-C", str(demonstration.folder), "fsck", "--full", "--strict"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "error" not in done.stderr


def texts_in(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts_in(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts_in(item)]
    return []


OPEN_ELSEWHERE = {"说明书、合格证明、随货同行单", "合格证明、随货同行单"}
"""Sealed in a request for correction, but in the sale that it is about an open choice, which registers show."""


def secret_keys(definition: FormDefinition) -> set[str]:
    return {
        item.key
        for item in definition.fields
        if Personal.SENSITIVE in {item.personal, *(column.personal for column in item.columns)}
    }


def telling(text: str) -> bool:
    """Long enough, and no mere date or amount, so that finding it elsewhere is no accident."""
    return len(text) >= (11 if re.fullmatch(r"[\d\s.:/-]+", text) else 6)


def sensitive_texts(application: Application) -> set[str]:
    """Every telling sensitive text of the samples."""
    found: set[str] = set()
    for path in sorted((ROOT / "records" / "samples").glob("0*.yml")):
        for record in load_yaml(path.read_text(encoding="utf-8"), where=path.name):
            secret = secret_keys(application.forms.definition(record["form"]))
            for step in [record, *record.get("then", [])]:
                for key, value in (step.get("values") or {}).items():
                    if key in secret:
                        found.update(text.strip() for text in texts_in(value) if telling(text.strip()))
    return found


def test_no_sensitive_value_lies_in_clear_anywhere(demonstration: Demonstration) -> None:
    from pypdf import PdfReader

    need("git")
    application = demonstration.application
    secrets = sensitive_texts(application) - OPEN_ELSEWHERE
    assert len(secrets) >= 30
    places: dict[str, str] = {"what the demonstration said": demonstration.said}
    dump = subprocess.run(
        ["git", "-C", str(demonstration.folder), "cat-file", "--batch-all-objects", "--batch", "--unordered"],
        capture_output=True,
        check=True,
    ).stdout
    places["a Git object"] = dump.decode("utf-8", "replace")
    for path in demonstration.folder.rglob("*"):
        if not path.is_file() or "objects" in path.parts:
            continue
        if path.suffix == ".pdf":
            places[path.name] = "".join(page.extract_text() for page in PdfReader(path).pages)
        elif path.suffix == ".xlsx":
            with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as book:
                places[path.name] = "".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())
        else:
            places[str(path)] = path.read_bytes().decode("utf-8", "replace")
    leaks = [(place, secret) for secret in secrets for place, text in places.items() if secret in text]
    assert leaks == []
    spaced = [(place, secret) for secret in secrets for place, text in places.items() if " ".join(secret) in text]
    assert spaced == []


def test_the_open_part_of_an_entry_never_names_a_sensitive_field(demonstration: Demonstration) -> None:
    application = demonstration.application
    wrong = []
    sealed = 0
    for state in application.index.records():
        secret = secret_keys(application.forms.definition(state.form.number.text))
        stored = application.records.read(state.number)
        for entry, _digest in stored.entries:
            wrong += [(state.number.text, key) for key in secret & set(entry.values)]
            sealed += len(entry.sealed)
    assert wrong == []
    assert sealed >= 50


def test_the_sealed_values_can_be_read_where_the_key_is(demonstration: Demonstration) -> None:
    application = demonstration.application
    complaint = next(iter(application.index.records(forms=["XX-YLQXJL-018"])))
    stored = application.records.read(complaint.number, unmask=True)
    assert len(str(stored.opened["content"])) >= 10


def test_an_earlier_demonstration_is_never_overwritten(demonstration: Demonstration) -> None:
    again = qms("demo", str(demonstration.folder))
    assert again.returncode == 4
    assert "folder-not-empty" in again.stderr


# -- the change of a procedure ---------------------------------------------------------------------------------


def test_a_procedure_went_from_one_revision_to_the_next_and_everything_about_it_is_settled(
    demonstration: Demonstration,
) -> None:
    application, told = demonstration.application, demonstration.summary["change"]
    assert (told["item"], told["from"], told["to"]) == ("XX-YLQXCX-014", "A/0", "A/1")
    request = application.changes.read(told["number"])
    assert request.status.value == "closed"
    assert request.effective == told["effective"] == "2026-10-12"
    assert [item.meaning for item in request.counting] == ["起草", "审核", "批准"]
    assert len({item.by.person for item in request.counting}) == 3
    assert len(request.comments) == told["comments"] == 2
    assert not request.unresolved
    standing = application.training.standing("XX-YLQXCX-014", "A/1")
    assert standing.complete
    assert standing.assigned == told["readers"] >= 3
    assert {person.score for person in standing.people} == {100}
    old, new = application.copies.held("XX-YLQXCX-014").copies
    assert (old.revision, old.last.value) == ("A/0", "returned")
    assert (new.revision, new.last.value) == ("A/1", "received")
    stages = [application.records.read(RecordNumber(record)).state.stage for record in told["records"]]
    assert stages == ["effective", "effective", "evaluated"]


def test_the_redline_accepts_to_the_new_text_and_rejects_to_the_old(demonstration: Demonstration) -> None:
    from controller.file_formats.docx_package import open_docx
    from controller.file_formats.tracked_changes import accepted, body_blocks, rejected

    file = demonstration.folder / "演示输出" / "文件更改" / "XX-YLQXCX-014修订标记.docx"
    body = open_docx(file.read_bytes()).contents["word/document.xml"]
    new, old = (str(body_blocks(change(body))) for change in (accepted, rejected))
    assert "医疗器械经营监督管理办法" in new
    assert "5.4.安装后30日内" in new
    assert "医疗器械监督管理办法" in old
    assert "5.4.安装后30日内" not in old


def test_what_people_hold_in_their_hands_after_the_change_says_what_it_is(demonstration: Demonstration) -> None:
    from pypdf import PdfReader

    folder = demonstration.folder / "演示输出" / "文件更改"
    assert sorted(path.name for path in folder.iterdir()) == sorted(demonstration.summary["change"]["files"])

    def said(name: str) -> str:
        text = "".join(page.extract_text() for page in PdfReader(folder / name).pages)
        return text.replace(" ", "").replace("\n", "")

    assert all(word in said("XX-YLQXCX-014已签署.pdf") for word in ("签署页", "2026-0001", "A/1"))
    assert all(word in said("XX-YLQXCX-014受控副本.pdf") for word in ("受控", "02", "赵敏", "起生效"))
    assert all(word in said("XX-YLQXCX-014更改通知.pdf") for word in ("更改通知", "2026-10-12", "购销员"))
    assert len(PdfReader(folder / "体系文件汇编（程序）.pdf").pages) == demonstration.summary["change"]["set_pages"]
    page = (folder / "XX-YLQXCX-014更改历史.html").read_text(encoding="utf-8")
    assert all(word in page for word in ("A/0", "A/1", "赵敏", "年度评审结论为修订", "现行有效"))
