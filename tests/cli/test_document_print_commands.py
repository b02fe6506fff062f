"""`qms doc print` and `doc approve-set`: the mark on every copy, what may not be combined, the bound set."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from controller.file_formats.docx_package import open_docx
from controller.file_formats.pdf_text import read_pdf
from tests.real_tools import need

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Workspace

NUMBER = "XX-YLQXCX-014"
CONTROL = f"procedures/{NUMBER}/document.yml"


def header(path: Path) -> str:
    return open_docx(path.read_bytes()).contents["word/header1.xml"].decode()


def revise(workspace: Workspace) -> None:
    control = workspace.folder / CONTROL
    control.write_bytes(control.read_bytes().replace(b"revision: A/0", b"revision: A/1"))
    text = control.with_name("clauses.txt")
    text.write_text(text.read_text(encoding="utf-8") + "本程序每年评审一次。\n", encoding="utf-8", newline="")
    assert workspace.qms("change", "adopt", "--reason", "补充评审周期", person="林静").code == 0


def test_what_is_in_force_is_printed_uncontrolled_with_its_last_day(workspace: Workspace, tmp_path: Path) -> None:
    word = tmp_path / "014.docx"
    answer = workspace.qms("--json", "doc", "print", "CX-014", "--out", str(word), person="周明")
    assert answer.code == 0, answer.err
    told = json.loads(answer.out)
    assert (told["number"], told["revision"], told["kind"]) == (NUMBER, "A/0", "uncontrolled")
    assert f"{NUMBER} A/0 · 非受控 · 打印 " in header(word)
    assert f"周明 · 有效至 {told['valid_until']}" in header(word)
    with closing(workspace.open()) as application:
        newest = application.statements.newest("trail")
        assert newest is not None
        stated = newest.statement
    assert (stated.subject, stated.new["stamp"], stated.new["valid_until"]) == (
        NUMBER, "非受控", told["valid_until"],
    )  # fmt: skip


@pytest.mark.slow
def test_a_superseded_revision_is_printed_as_obsolete_with_its_own_text(workspace: Workspace, tmp_path: Path) -> None:
    revise(workspace)
    old, new = tmp_path / "old.pdf", tmp_path / "new.pdf"
    assert workspace.qms("doc", "print", "CX-014", "--revision", "A/0", "--out", str(old)).code == 0
    assert workspace.qms("doc", "print", "CX-014", "--revision", "A/1", "--out", str(new)).code == 0
    before, after = ("".join(read_pdf(path.read_bytes()).pages) for path in (old, new))
    assert (f"{NUMBER} A/0 · 作废 · 仅供查考" in before, "每年评审一次" in before) == (True, False)
    assert (f"{NUMBER} A/1 · 非受控" in after, "每年评审一次" in after) == (True, True)
    unknown = workspace.qms("doc", "print", "CX-014", "--revision", "C/0", "--out", str(tmp_path / "x.pdf"))
    assert (unknown.code, "revision-unknown" in unknown.err) == (3, True)


@pytest.mark.slow
def test_a_document_that_was_taken_away_is_printed_as_obsolete(workspace: Workspace, tmp_path: Path) -> None:
    rules = tmp_path / "rules.txt"
    rules.write_text("第一条 钥匙由仓库主管保管。\n第二条 借用须登记。\n", encoding="utf-8")
    words = ("doc", "import", str(rules), "--number", "XX-YLQXCX-088", "--title", "仓库钥匙管理规程")
    assert workspace.qms(*words, person="林静").code == 0
    shutil.rmtree(workspace.folder / "procedures" / "XX-YLQXCX-088")
    gone = workspace.qms("change", "adopt", "--reason", "改由仓库制度规定", person="林静")
    assert gone.code == 0, gone.err
    word = tmp_path / "088.docx"
    answer = workspace.qms("doc", "print", "CX-088", "--out", str(word))
    assert answer.code == 0, answer.err
    assert "XX-YLQXCX-088 A/0 · 作废 · 仅供查考，不得据此作业" in header(word)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), 4),
        (("CX-014", "--set"), 4),
        (("CX-014", "--class", "程序"), 4),
        (("CX-014", "--signed", "--training"), 4),
        (("CX-014", "--draft", "--revision", "A/0"), 4),
        (("--set", "--draft"), 4),
        (("CX-014", "--draft"), 4),
        (("--set", "--edition", "首版"), 4),
        (("--set", "--class", "无此类"), 3),
        (("--set", "--documents", "CX-999"), 3),
    ],
)
def test_what_cannot_be_printed_is_refused_and_nothing_is_written(
    workspace: Workspace, tmp_path: Path, words: tuple[str, ...], code: int
) -> None:
    target = tmp_path / "x.pdf"
    answer = workspace.qms("doc", "print", *words, "--out", str(target))
    assert (answer.code, target.exists()) == (code, False), answer.err


@pytest.mark.slow
def test_where_all_have_signed_the_pdf_is_a_marked_copy_and_the_original_keeps_its_signatures(
    workspace: Workspace, tmp_path: Path
) -> None:
    for person, meaning in (("陈晓", "起草"), ("林静", "审核"), ("周明", "批准")):
        assert workspace.qms("doc", "sign", "CX-014", "--meaning", meaning, person=person).code == 0
    original, copy = tmp_path / "original.pdf", tmp_path / "copy.pdf"
    assert workspace.qms("doc", "print", "CX-014", "--signed", "--out", str(original)).code == 0
    answer = workspace.qms("doc", "print", "CX-014", "--out", str(copy))
    assert "签署件的副本" in answer.out
    run = subprocess.run([need("pdfsig"), "-nocert", str(original)], capture_output=True, text=True, check=True)
    assert run.stdout.count("Signature is Valid") == 3
    assert "· 非受控" not in "".join(read_pdf(original.read_bytes()).pages)
    pages = read_pdf(copy.read_bytes()).pages
    told = re.compile(r"非受控 · 自 \d{4}-\d\d-\d\d 起生效 · 副本，电子签名以原件为准")
    assert [page for page in pages if not told.search(page)] == []
    assert [name for name in ("陈晓", "林静", "周明") if name not in pages[-1]] == []


@pytest.mark.slow
def test_a_choice_of_documents_is_bound_with_every_word_of_each(workspace: Workspace, tmp_path: Path) -> None:
    target = tmp_path / "set.pdf"
    words = ("doc", "print", "--set", "--documents", "CX-014", "--documents", "ZZ-001", "--out", str(target))
    answer = workspace.qms("--json", *words)
    assert answer.code == 0, answer.err
    told = json.loads(answer.out)
    assert told["documents"] == [NUMBER, "XX-YLQXZZ-001"]
    run = subprocess.run([need("pdftotext"), str(target), "-"], capture_output=True, text=True, check=True)
    assert run.stderr == ""
    pages = run.stdout.split("\f")[:-1]
    assert len(pages) == told["pages"]
    for place, page in enumerate(pages, 1):
        assert f"第{place}页 共{len(pages)}页" in page
        assert "XX-YLQXHB A/0 · 非受控" in page
    read = "".join("".join(pages[4:]).split())
    clauses = (workspace.folder / f"procedures/{NUMBER}/clauses.txt").read_text(encoding="utf-8").splitlines()[1:]
    assert [line for line in clauses if "".join(line.split())[:16] not in read] == []
    again = workspace.qms(*words[:-1], str(tmp_path / "set.docx"))
    assert (again.code, "print-options" in again.err) == (4, True)
