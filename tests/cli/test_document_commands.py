"""Listing, showing, parsing, importing and checking procedures, as a person at the command line does it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from controller.bootstrap import read_document_file
from controller.cli.main import main
from tests.docx_files import docx
from tests.invented_documents import BLOB, DISINFECTION_NUMBERED, KEYS, SHOWROOM

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Workspace


@pytest.fixture
def blob(tmp_path: Path) -> Path:
    path = tmp_path / "网页文本.txt"
    path.write_bytes(BLOB.encode())
    return path


def test_parsing_needs_no_workspace_and_shows_documents_clauses_and_findings(
    blob: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--workspace", str(blob.parent), "doc", "parse", str(blob)], "zh") == 0
    shown = capsys.readouterr().out
    assert "网页文本.txt：9 篇文件" in shown
    assert "第3篇 仓库钥匙管理规程（第19–23行，7 条）" in shown
    assert "    第三条 钥匙由仓库主管统一保管,按照第一条的规定编号。" in shown
    assert "[注意] 网页文本.txt:22 缺第四条：“第三条”之后是“第五条”。" in shown


def test_parsing_as_json_gives_segments_clauses_and_findings(blob: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", "doc", "parse", str(blob)], "zh") == 0
    data = json.loads(capsys.readouterr().out)
    assert [(item["first_line"], item["last_line"]) for item in data["segments"]][:3] == [(5, 10), (11, 18), (19, 23)]
    assert data["segments"][8]["number"] == "AB-YLQXCX-031"
    assert data["segments"][2]["clauses"][1] == {
        "kind": "clause",
        "id": None,
        "level": 2,
        "label": "第一条",
        "style": "article",
        "number": [1],
        "text": "为规范仓库钥匙的保管和使用,制定本规程。",
        "line": 19,
        "last_line": 19,
    }
    assert [item["code"] for item in data["findings"] if item["line"] == 22] == ["clause-number-missing"]


@pytest.mark.parametrize(
    "data",
    [
        BLOB.encode(),
        b"\xef\xbb\xbf" + BLOB.replace("\n", "\r\n").encode(),
        KEYS.encode("gb18030"),
        SHOWROOM.encode("utf-16"),
        b"1.\xff\xfe\xe4\xb8\r\n2.",
        b"",
    ],
    ids=["utf-8", "bom-crlf", "gb18030", "utf-16", "damaged", "empty"],
)
def test_the_text_is_given_back_byte_for_byte(
    data: bytes, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = tmp_path / "原文.txt"
    path.write_bytes(data)
    assert main(["doc", "parse", str(path), "--print"], "zh") == 0
    assert capsysbinary.readouterr().out == data


def test_a_docx_is_parsed_and_given_back_as_clause_text(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = tmp_path / "旧程序.docx"
    path.write_bytes(docx("AB-YLQXCX-050退货程序", "1.目的:规范退货。"))
    assert main(["doc", "parse", str(path), "--print"], "zh") == 0
    assert capsysbinary.readouterr().out.decode() == "AB-YLQXCX-050退货程序\n1.目的:规范退货。\n"


@pytest.mark.parametrize(
    ("content", "code", "exit_code"),
    [(b"PK\x03\x04 no zip", None, 5), (b"%PDF-1.7\n", "file-not-text", 5), (None, "input-file-missing", 3)],
)
def test_a_file_that_cannot_be_parsed_is_refused_with_a_next_step(
    content: bytes | None, code: str | None, exit_code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "文件"
    if content is not None:
        path.write_bytes(content)
    assert main(["doc", "parse", str(path)], "zh") == exit_code
    shown = capsys.readouterr().err
    assert code is None or code in shown
    assert "下一步：" in shown


def test_the_starter_procedures_are_listed(workspace: Workspace) -> None:
    answer = workspace.qms("--json", "doc", "list", "--class", "程序")
    titles = {item["number"]: item["title"] for item in json.loads(answer.out)["documents"]}
    assert len(titles) == 13
    assert titles["XX-YLQXCX-014"] == "售后服务质量控制管理程序"


def test_a_procedure_is_shown_with_its_clauses_forms_and_screen_only_notes(workspace: Workspace) -> None:
    answer = workspace.qms("doc", "show", "CX-014")
    assert answer.code == 0, answer.err
    assert "文件编号\tXX-YLQXCX-014" in answer.out
    assert "5.3.医疗器械购销员必须熟练掌握医疗器械有关知识" in answer.out
    assert "XX-YLQXJL-021" in answer.out
    assert "对标提示（仅屏幕显示，不打印，不进入资料包）：" in answer.out
    assert "G4 条款 2" in answer.out


def test_a_procedure_as_json_carries_text_ids_and_notes_apart(workspace: Workspace) -> None:
    shown = json.loads(workspace.qms("--json", "doc", "show", "XX-YLQXCX-014").out)
    assert shown["text"] == (workspace.folder / "procedures/XX-YLQXCX-014/clauses.txt").read_bytes().decode()
    clauses = [piece for piece in shown["pieces"] if piece["kind"] == "clause"]
    assert [(clause["id"], clause["label"]) for clause in clauses][-1] == ("c8", "5.3.")
    assert "G4" in {note["id"] for note in shown["screen_only_notes"]}


def test_an_unknown_number_is_not_found_and_the_nearest_is_named(workspace: Workspace) -> None:
    answer = workspace.qms("doc", "show", "XX-YLQCX-014")
    assert answer.code == 3
    assert "document-unknown" in answer.err
    assert "XX-YLQXCX-014" in answer.err


def test_the_starter_library_has_no_errors(workspace: Workspace) -> None:
    answer = workspace.qms("--json", "doc", "lint")
    found = json.loads(answer.out)
    assert (answer.code, found["errors"]) == (0, 0), found["findings"]
    cited = [item["message"] for item in found["findings"] if item["code"] == "citation-unknown"]
    assert cited == ["引用的《医疗器械监督管理办法》不在外来文件清单里；已有提示 G4。"]


def test_a_broken_reference_in_the_folder_is_found_and_the_approved_library_is_still_sound(
    workspace: Workspace,
) -> None:
    path = workspace.folder / "procedures/XX-YLQXCX-014/document.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("XX-YLQXJL-021", "XX-YLQXJL-921"), encoding="utf-8")
    edited = workspace.qms("doc", "lint", "CX-014")
    assert edited.code == 1
    assert "指向的 XX-YLQXJL-921 不存在" in edited.out
    assert workspace.qms("doc", "lint", "--approved").code == 0


def test_the_checklist_and_the_external_documents_are_listed(workspace: Workspace) -> None:
    checklist = json.loads(workspace.qms("--json", "doc", "checklist").out)
    assert len(checklist["items"]) == 49
    assert sum(item["key"] for item in checklist["items"]) == 23
    assert len(json.loads(workspace.qms("--json", "doc", "checklist", "--key").out)["items"]) == 23
    external = json.loads(workspace.qms("--json", "doc", "external").out)
    marks = {item["id"]: (item["validity"], item["certainty"]) for item in external["documents"]}
    assert marks["WL-R1"] == ("现行", "已核对原文")
    assert "※9.110" in workspace.qms("doc", "checklist").out
    assert "有效性" in workspace.qms("doc", "external").out


def test_an_imported_document_is_in_the_library_and_the_folder_byte_for_byte(workspace: Workspace, blob: Path) -> None:
    answer = workspace.qms("doc", "import", str(blob), "--number", "AB-YLQXCX-031", "--owner", "质管部")
    assert answer.code == 0, answer.err
    assert "已导入 AB-YLQXCX-031《退机消毒管理程序》，6 条。" in answer.out
    written = workspace.folder / "procedures/AB-YLQXCX-031/clauses.txt"
    assert written.read_bytes() == DISINFECTION_NUMBERED.encode()
    listed = json.loads(workspace.qms("--json", "doc", "list").out)["documents"]
    assert "AB-YLQXCX-031" in {item["number"] for item in listed}
    assert workspace.qms("doc", "lint", "--approved").code == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], "document-segment-needed"),
        (["--segment", "2"], "document-number-needed"),
        (["--segment", "2", "--number", "XX-YLQXCX-014"], "document-number-taken"),
        (["--segment", "2", "--number", "XX-YLQXJL-018"], "document-number-taken"),
        (["--segment", "2", "--number", "../../../etc"], "identifier-invalid"),
        (["--segment", "2", "--number", "XX-YLQXZD-090", "--class", "程序"], "document-class-wrong"),
        (["--segment", "2", "--number", "XX-YLQXZD-090", "--title", "甲\n乙"], "document-title-needed"),
    ],
)
def test_a_refused_import_changes_nothing(workspace: Workspace, blob: Path, arguments: list[str], code: str) -> None:
    before = workspace.tree()
    answer = workspace.qms("doc", "import", str(blob), *arguments)
    assert answer.code == 4
    assert code in answer.err
    assert workspace.tree() == before


def test_a_procedure_is_printed_without_its_gap_notes_and_never_over_another_file(
    workspace: Workspace, tmp_path: Path
) -> None:
    target = tmp_path / "014.docx"
    answer = workspace.qms("doc", "print", "CX-014", "--out", str(target))
    assert answer.code == 0, answer.err
    printed = read_document_file(target.read_bytes(), name="014.docx").text
    clauses = (workspace.folder / "procedures/XX-YLQXCX-014/clauses.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in clauses[1:] if line.strip() not in printed] == []
    assert "依据待确认" not in printed
    before = target.read_bytes()
    again = workspace.qms("doc", "print", "CX-014", "--out", str(target))
    assert (again.code, target.read_bytes()) == (4, before)
    assert workspace.qms("doc", "print", "CX-014", "--out", str(target), "--force").code == 0
    assert target.read_bytes() == before


def test_a_procedure_is_printed_as_pdf(workspace: Workspace, tmp_path: Path) -> None:
    target = tmp_path / "014.pdf"
    answer = workspace.qms("--json", "doc", "print", "XX-YLQXCX-014", "--out", str(target))
    assert answer.code == 0, answer.err
    assert target.read_bytes().startswith(b"%PDF-")
    assert json.loads(answer.out)["pages"] >= 1
