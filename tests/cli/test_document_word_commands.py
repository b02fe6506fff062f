"""`qms doc checkout` and `checkin`: out to Word, back into the draft, stated, and never over anybody's work."""

from __future__ import annotations

import json
import re
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from controller.cli.output import shortened
from controller.domain.conformity import Gravity
from controller.domain.identifiers import Digest
from controller.domain.statement import Event
from controller.file_formats.clause_ids import read_clause_ids
from controller.file_formats.document_file import read_document
from controller.file_formats.docx_package import open_docx
from tests.checked_out import WHO, deleted, inserted, with_body

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Workspace

NUMBER = "XX-YLQXCX-014"
FOLDER = f"procedures/{NUMBER}"


def check_out(workspace: Workspace, *words: str, person: str = "陈晓") -> Path:
    target = workspace.folder.parent / f"{person}.docx"
    answer = workspace.qms("doc", "checkout", "CX-014", "--out", str(target), "--force", *words, person=person)
    assert answer.code == 0, answer.err
    return target


def edit(file: Path, old: str, new: str) -> None:
    body = open_docx(file.read_bytes()).contents["word/document.xml"].decode()
    assert body.count(old) == 1
    file.write_bytes(with_body(file.read_bytes(), body.replace(old, new)))


def read(workspace: Workspace, name: str) -> str:
    return (workspace.folder / FOLDER / name).read_bytes().decode()


def test_an_unedited_file_changes_nothing_and_both_acts_are_stated(workspace: Workspace) -> None:
    before = {path: data for path, data in workspace.tree().items() if path.startswith("procedures/")}
    file = check_out(workspace)
    answer = workspace.qms("--json", "doc", "checkin", str(file))
    assert answer.code == 0, answer.err + answer.out
    shown = json.loads(answer.out)
    assert (shown["files"], shown["clauses"], shown["changes"]) == ([], [], [])
    assert {path: data for path, data in workspace.tree().items() if path.startswith("procedures/")} == before
    with closing(workspace.open()) as application:
        stated = [stored.statement for stored in application.statements.recent("trail", 2)]
        verified = application.verify(spread=False)
    assert [(item.event, item.subject, item.by and item.by.name) for item in stated] == [
        (Event.CHECKED_IN, NUMBER, "陈晓"),
        (Event.CHECKED_OUT, NUMBER, "陈晓"),
    ]
    assert stated[1].shown == Digest.of(file.read_bytes())
    assert [item for item in verified.findings if item.gravity is Gravity.ERROR] == []


def test_the_file_tracks_changes_unless_asked_not_to(workspace: Workspace) -> None:
    settings = open_docx(check_out(workspace).read_bytes()).contents["word/settings.xml"]
    assert settings.count(b"<w:trackRevisions/>") == 1
    plain = open_docx(check_out(workspace, "--plain").read_bytes()).contents["word/settings.xml"]
    assert b"trackRevisions" not in plain


def test_an_edit_goes_into_the_draft_and_from_there_into_force(workspace: Workspace) -> None:
    file = check_out(workspace)
    edit(file, "稳定和扩大", "稳定" + deleted("和") + inserted("并") + "扩大")
    answer = workspace.qms("doc", "checkin", str(file), "--revise", "--reason", "按内审意见改正用词")
    assert answer.code == 0, answer.err
    assert "王芳" in answer.out
    assert "稳定并扩大" in read(workspace, "clauses.txt")
    assert [mark.id for mark in read_clause_ids(read(workspace, "clauses.yml"), where="").marks] == [
        f"c{place}" for place in range(1, 9)
    ]
    document = read_document(read(workspace, "document.yml"), where="")
    assert document.revision.text == "A/1"
    assert [(row.revision, row.clauses, row.reason, row.by) for row in document.history] == [
        ("A/1", "1.", "按内审意见改正用词", "陈晓")
    ]
    with closing(workspace.open()) as application:
        stated = next(iter(application.statements.recent("trail", 1))).statement
    assert stated.reason == "按内审意见改正用词"
    assert stated.new["changes"] == [
        {"kind": "deleted", "name": "王芳", "at": "2026-03-02T10:05:00Z", "text": "和", "clause": "c1"},
        {"kind": "inserted", "name": "王芳", "at": "2026-03-02T10:05:00Z", "text": "并", "clause": "c1"},
    ]
    adopted = workspace.qms("change", "adopt", "--reason", "按内审意见改正用词", person="林静")
    assert adopted.code == 0, adopted.err
    assert "稳定并扩大" in workspace.qms("doc", "show", "CX-014").out


def test_a_pipe_gets_the_changed_text_whole_and_a_screen_sees_where_it_is_cut(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = check_out(workspace)
    long = "稳定和扩大" + "重点客户每半年一次、其他客户每年一次、" * 20 + "到此为止"
    edit(file, "稳定和扩大", long)
    answer = workspace.qms("doc", "checkin", str(file))
    row = next(line for line in answer.out.splitlines() if "到此为止" in line)
    assert long in row.split("\t")[3]
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert shortened("一二三四五六", 5) == "一二三四…"
    assert shortened("一二三四五", 5) == "一二三四五"


def test_links_follow_their_clause_to_its_new_number(workspace: Workspace) -> None:
    before = read_document(read(workspace, "document.yml"), where="").links
    file = check_out(workspace)
    body = open_docx(file.read_bytes()).contents["word/document.xml"].decode()
    (place,) = [item for item in re.findall(r"<w:p>.*?</w:p>", body) if "制定投诉处理程序" in item]
    new = f"<w:p><w:ins {WHO}><w:r><w:t>5.2.登记每次来电。</w:t></w:r></w:ins></w:p>"
    body = body.replace(place, new + place.replace("5.2.", "5.3.")).replace("5.3.医疗", "5.4.医疗")
    file.write_bytes(with_body(file.read_bytes(), body))
    answer = workspace.qms("--json", "doc", "checkin", str(file))
    assert answer.code == 0, answer.out
    after = read_document(read(workspace, "document.yml"), where="").links
    assert (after["5.3"], after["5.4"]) == (before["5.2"], before["5.3"])
    assert "5.2" not in after


def test_only_who_checked_out_checks_in_unless_it_is_handed_over(workspace: Workspace) -> None:
    file = check_out(workspace)
    edit(file, "稳定和扩大", "稳定并扩大")
    before = workspace.tree()
    refused = workspace.qms("--json", "doc", "checkin", str(file), person="林静")
    assert (refused.code, json.loads(refused.out)["error"]["code"]) == (4, "checkout-of-other")
    bare = workspace.qms("--json", "doc", "checkin", str(file), "--takeover", person="林静")
    assert (bare.code, json.loads(bare.out)["error"]["code"]) == (4, "checkin-reason-needed")
    assert {k: v for k, v in workspace.tree().items() if k.startswith("procedures/")} == {
        k: v for k, v in before.items() if k.startswith("procedures/")
    }
    taken = workspace.qms("doc", "checkin", str(file), "--takeover", "--reason", "陈晓休产假，由我接手", person="林静")
    assert taken.code == 0, taken.err
    with closing(workspace.open()) as application:
        stated = next(iter(application.statements.recent("trail", 1))).statement
    assert stated.new["holder"] == {"person": "p003", "name": "陈晓"}


def test_the_second_of_two_edits_is_refused_and_overwrites_nothing(workspace: Workspace) -> None:
    mine, other = check_out(workspace), check_out(workspace, person="林静")
    edit(mine, "稳定和扩大", "稳定并扩大")
    edit(other, "稳定和扩大", "巩固和扩大")
    assert workspace.qms("doc", "checkin", str(mine)).code == 0
    refused = workspace.qms("--json", "doc", "checkin", str(other), person="林静")
    error = json.loads(refused.out)["error"]
    assert (refused.code, error["code"]) == (4, "checkin-outdated")
    assert {item["path"] for item in error["findings"]} == {f"{FOLDER}/clauses.txt", f"{FOLDER}/clauses.yml"}
    assert "稳定并扩大" in read(workspace, "clauses.txt")
    edit(mine, "稳定并扩大", "稳定并且扩大")
    again = workspace.qms("doc", "checkin", str(mine))
    assert again.code == 0, again.err
    assert "稳定并且扩大" in read(workspace, "clauses.txt")


def test_a_file_is_refused_once_another_text_is_in_force(workspace: Workspace) -> None:
    file = check_out(workspace)
    path = workspace.folder / FOLDER / "clauses.txt"
    text = path.read_bytes()
    path.write_bytes(text.replace("稳定和扩大".encode(), "稳定并扩大".encode()))
    assert workspace.qms("change", "adopt", "--reason", "按内审意见改正用词", person="林静").code == 0
    refused = workspace.qms("--json", "doc", "checkin", str(file))
    assert {item["code"] for item in json.loads(refused.out)["error"]["findings"]} == {
        "checkin-approved-changed",
        "checkin-draft-changed",
    }


def test_doubts_are_listed_and_done_only_when_accepted(workspace: Workspace) -> None:
    file = check_out(workspace)
    edit(file, "3.范围", "4.范围")
    before = workspace.tree()
    refused = workspace.qms("--json", "doc", "checkin", str(file))
    error = json.loads(refused.out)["error"]
    assert (refused.code, error["code"]) == (4, "checkin-uncertain")
    assert "checkin-renumbered" in {item["code"] for item in error["findings"]}
    assert {k: v for k, v in workspace.tree().items() if k.startswith("procedures/")} == {
        k: v for k, v in before.items() if k.startswith("procedures/")
    }
    done = workspace.qms("doc", "checkin", str(file), "--accept-uncertain")
    assert done.code == 0, done.err
    assert "4.范围" in read(workspace, "clauses.txt")


def test_a_file_that_was_never_checked_out_is_unknown(workspace: Workspace) -> None:
    target = workspace.folder.parent / "print.docx"
    assert workspace.qms("doc", "print", "CX-014", "--out", str(target)).code == 0
    answer = workspace.qms("--json", "doc", "checkin", str(target))
    assert (answer.code, json.loads(answer.out)["error"]["code"]) == (3, "checkout-unknown")


@pytest.mark.parametrize("name", ["checkout", "checkin"])
def test_help_is_shown(workspace: Workspace, name: str) -> None:
    answer = workspace.qms("doc", name, "--help")
    assert answer.code == 0
    assert "Word" in answer.out
