"""`qms training` as people run it: assigned, read, answered, signed, waived, told of, and what is closed till then."""

from __future__ import annotations

import io
import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

from tests.compliance.evidence import call

if TYPE_CHECKING:
    import pytest

    from tests.conftest import Workspace

NUMBER = "XX-YLQXCX-014"
QUESTIONS = """format: wenkong/questions/1
questions:
  - {ask: 谁受理投诉？, choices: [售后服务管理人员, 仓储养护员], answer: A}
  - {ask: 记录可以事后补写日期。, answer: 错}
"""


class Terminal(io.StringIO):
    """What somebody types."""

    def isatty(self) -> bool:
        return True


def told(workspace: Workspace, *words: str, person: str | None = "陈晓") -> Any:
    answer = workspace.qms("--json", "training", *words, person=person)
    assert answer.code == 0, answer.err + answer.out
    return json.loads(answer.out)


def assign(workspace: Workspace, *more: str) -> None:
    words = ("training", "assign", "CX-014", "--post", "售后服务技术人员", "--effective", "2026-12-01")
    answer = workspace.qms(*words, *more)
    assert answer.code == 0, answer.err
    assert "阅知 0/1 人（0%），还缺：刘洋" in answer.out


def new_call(workspace: Workspace) -> tuple[int, str]:
    values = workspace.values("call.yml", call())
    answer = workspace.qms("record", "new", "XX-YLQXJL-013", "--values", values, person="刘洋")
    return answer.code, answer.err


def test_reading_hands_out_the_text_and_signs_only_when_that_is_said(workspace: Workspace) -> None:
    assign(workspace)
    code, err = new_call(workspace)
    assert code == 4
    assert "刘洋尚未阅知现行的《售后服务质量控制管理程序》XX-YLQXCX-014 A/0" in err
    assert "qms training read XX-YLQXCX-014" in err
    file = workspace.folder.parent / "014.docx"
    looked = workspace.qms("training", "read", "CX-014", "--out", str(file), person="刘洋")
    assert looked.code == 0
    assert "还没有签名" in looked.out
    assert file.read_bytes().startswith(b"PK")
    assert told(workspace, "list", "--mine", person="刘洋")["training"][0]["share"] == 0
    signed = workspace.qms("training", "read", "CX-014", "--understood", person="刘洋")
    assert signed.code == 0, signed.err
    assert "已签名：刘洋阅知 XX-YLQXCX-014 A/0" in signed.out
    assert new_call(workspace) == (0, "")
    again = workspace.qms("training", "read", "CX-014", "--understood", person="刘洋")
    assert (again.code, "刘洋已于" in again.err) == (4, True)
    shown = workspace.qms("doc", "show", "CX-014").out
    assert "阅知 1/1 人（100%）" in shown
    assert "1/1（100%）" in workspace.qms("doc", "list").out
    with closing(workspace.open()) as application:
        printed = [
            item.statement
            for item in application.statements.recent("trail", 20)
            if item.statement.event.value == "printed" and item.statement.subject == NUMBER
        ]
        text = application.training.text(NUMBER, "A/0").digest.text
        assert {item.new["text"] for item in printed} == {text}
        assert {item.by.name for item in printed if item.by is not None} == {"刘洋"}


def test_answers_come_from_the_command_or_a_file_and_wrong_ones_end_with_code_one(workspace: Workspace) -> None:
    sheet = workspace.folder.parent / "题.yml"
    sheet.write_text(QUESTIONS, encoding="utf-8")
    assign(workspace)
    asked = workspace.qms("training", "questions", "CX-014", str(sheet))
    assert "配了 2 道考题，80 分及格" in asked.out
    shown = told(workspace, "read", "CX-014", person="刘洋")
    assert shown["questions"] == [
        {"ask": "谁受理投诉？", "kind": "单选", "choices": ["售后服务管理人员", "仓储养护员"]},
        {"ask": "记录可以事后补写日期。", "kind": "判断", "choices": []},
    ]
    said = workspace.qms("training", "read", "CX-014", person="刘洋").out
    assert said.index("谁受理投诉？") < said.index('--understood --answers "1A 2B"')
    sheet.with_name("坏题.yml").write_text(QUESTIONS.replace("answer: 错", "answer: 对错"), encoding="utf-8")
    bad = workspace.qms("training", "questions", "CX-014", str(sheet.with_name("坏题.yml")))
    assert (bad.code, "坏题.yml:4" in bad.err, "questions.yml" in bad.err) == (6, True, False), bad.err
    read = ("training", "read", "CX-014", "--understood", "--answers")
    wrong = workspace.qms(*read, "1A 2对", person="刘洋")
    assert wrong.code == 1
    assert "答对 1/2 题，得 50 分" in wrong.out
    assert "还可以答 2 次" in wrong.out
    assert workspace.qms(*read, "1A", person="刘洋").code == 4
    answers = workspace.folder.parent / "答案.txt"
    answers.write_text("1A\n2错\n", encoding="utf-8")
    right = workspace.qms(*read, str(answers), person="刘洋")
    assert (right.code, "已签名" in right.out) == (0, True)
    people = workspace.qms("training", "list", "--number", "CX-014").out
    assert "100" in people


def test_at_a_terminal_every_question_is_asked_and_the_signature_confirmed(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = workspace.folder.parent / "题.yml"
    sheet.write_text(QUESTIONS, encoding="utf-8")
    assign(workspace, "--questions", str(sheet))
    monkeypatch.setattr("sys.stdin", Terminal("是\nC\nA\n错\n否\n"))
    given_up = workspace.qms("training", "read", "CX-014", person="刘洋")
    assert given_up.code != 0
    assert "选项是 A 到 B" in given_up.err
    assert "answer" not in given_up.out
    monkeypatch.setattr("sys.stdin", Terminal("是\nA\n错\n是\n"))
    signed = workspace.qms("training", "read", "CX-014", person="刘洋")
    assert (signed.code, "得 100 分" in signed.out) == (0, True)


def test_a_waiver_needs_another_who_decides(workspace: Workspace) -> None:
    assign(workspace)
    words = ("training", "waive", "CX-014", "刘洋", "--reason", "产假至年底，返岗后补读")
    assert workspace.qms(*words, person="王强").code == 4
    done = workspace.qms(*words, person="林静")
    assert done.code == 0, done.err
    assert "已豁免 刘洋" in done.out
    assert "应阅知 1 人：已阅知 0 人、豁免 1 人" in done.out
    assert "0/1，豁免 1" in workspace.qms("training", "list").out
    assert "0/1，豁免 1" in workspace.qms("doc", "list").out
    assert new_call(workspace)[0] == 0


def test_without_posts_those_are_asked_whom_the_document_concerns(workspace: Workspace) -> None:
    data = told(workspace, "assign", "CX-014")
    assert {"after_sales_officer", "after_sales_manager"} <= set(data["posts"])
    assert "system_admin" not in data["posts"]
    assert workspace.qms("training", "assign", "CX-014", "--person", "王强", person="王强").code == 4


def test_a_notice_leaves_its_trace_and_is_refused_as_another_kind_of_file(workspace: Workspace) -> None:
    page = workspace.folder.parent / "通知.html"
    words = ("training", "notice", "CX-014", "--post", "售后服务管理人员", "--out")
    assert workspace.qms(*words, str(page.with_suffix(".txt"))).code == 4
    data = json.loads(workspace.qms("--json", *words, str(page)).out)
    assert data["notices"][0]["post"] == "售后服务管理人员"
    assert "更改通知" in page.read_text("utf-8")
    with closing(workspace.open()) as application:
        newest = application.statements.newest("trail")
        assert newest is not None
        assert (newest.statement.event.value, newest.statement.new["view"]) == ("printed", "training-notice")
