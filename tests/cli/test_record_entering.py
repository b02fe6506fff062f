"""Answering questions at a terminal, `--set`, and what a record shows of its corrections and attachments."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from controller.cli.record_prompts import picked_choices
from controller.services.record_attachments import storable_name
from tests.telephone_call import CALL

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Workspace

CHOICES = ("咨询", "报修", "微信/在线", "其他 情况")
NUMBER = "XX-YLQXJL-013-2026-0001"
ASKED = {key: value for key, value in CALL.items() if key != "mode"}
"""What a person is asked; the rest has a value of its own."""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def answers(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("".join(line + "\n" for line in lines)))


def file_call(workspace: Workspace, **more: object) -> None:
    answer = workspace.qms("record", "new", "JL-013", "--values", workspace.values("call.yml", {**ASKED, **more}))
    assert answer.code == 0, answer.err


def shown(workspace: Workspace, *options: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(workspace.qms("--json", "record", "show", NUMBER, *options).out)
    return document


@pytest.mark.parametrize(
    "answer", ["1\uff0c2", "1、2", "1,2", "1 2", "咨询\uff0c报修", "１\uff1b２", "咨询 2", "1, 2, 1"], ids=str
)
def test_several_choices_are_picked_with_any_comma_spaces_or_names(answer: str) -> None:
    assert picked_choices(answer, CHOICES) == ["咨询", "报修"]


@pytest.mark.parametrize(
    ("answer", "picked"), [("其他 情况", ["其他 情况"]), ("0", []), ("5", []), ("咨询\uff0c别的", [])]
)
def test_a_choice_is_taken_whole_or_not_at_all(answer: str, picked: list[str]) -> None:
    assert picked_choices(answer, CHOICES) == picked


def test_what_was_typed_is_kept_when_the_form_refuses_and_only_the_wrong_is_asked_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ["--set", "customer_name=江城市第一人民医院", "--set", "联系方式（电话）=13800000001"]
    answers(
        monkeypatch,
        "2026-01-05 09:30",  # long ago: asks why it is entered so late, at the end
        "",  # an empty answer is asked again
        "1\uff0c2",
        "问",  # too short
        "询问输液泵滴速校准周期",
        "1",
        "年初漏登,现补记",
        "",  # what the form filled in by itself is right
    )
    answer = workspace.qms("record", "new", "JL-013", *given)
    assert answer.code == 0, answer.err + answer.out
    assert "不能为空" in answer.out
    assert "补记原因" in answer.out
    assert f"已归档：{NUMBER}，阶段：已登记" in answer.out
    values = shown(workspace, "--unmask")["values"]
    assert values["kind"] == ["咨询", "报修"]
    assert values["detail"] == "询问输液泵滴速校准周期"
    assert values["late_entry_reason"] == "年初漏登,现补记"


def test_what_the_form_fills_in_is_shown_and_may_be_changed_before_it_is_signed(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = [word for key, value in ASKED.items() if key != "kind" for word in ("--set", f"{key}={value}")]
    answers(monkeypatch, "咨询", "方式", "来访", "")
    answer = workspace.qms("record", "new", "JL-013", *given)
    assert answer.code == 0, answer.err + answer.out
    asked, _, filed = answer.out.partition("已归档")
    assert "方式：电话" in asked
    assert "紧急事件：否" in asked
    assert filed
    assert shown(workspace)["values"]["mode"] == "来访"


def test_giving_up_half_way_files_nothing(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    before = workspace.tree()
    answers(monkeypatch, "2026-11-20 09:30")
    answer = workspace.qms("record", "new", "JL-013")
    assert answer.code == 2
    assert workspace.tree() == before


def test_advancing_at_a_terminal_asks_for_what_the_stage_needs(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_call(workspace, customer_type="医疗机构")
    answers(monkeypatch, "1", "已当场说明校准周期", "2026-11-20 10:00")
    answer = workspace.qms("record", "advance", NUMBER, "--stage", "已办结")
    assert answer.code == 0, answer.err + answer.out
    assert "阶段：已办结" in answer.out
    assert shown(workspace)["values"]["route_to"] == "当场答复"
    assert shown(workspace)["values"]["answer"] == "已当场说明校准周期"


def test_correcting_at_a_terminal_shows_the_old_value_but_never_a_sensitive_one(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_call(workspace)
    listed = "用户/客户单位名称：江城市第一人民医院"
    answers(monkeypatch, listed, "江城市第二人民医院")
    answer = workspace.qms("record", "correct", NUMBER, "--reason", "客户名称听错", person="林静")
    assert answer.code == 0, answer.err + answer.out
    assert listed in answer.out
    assert "滴速校准" not in answer.out
    assert shown(workspace)["values"]["customer_name"] == "江城市第二人民医院"


@pytest.mark.parametrize("words", [("new", "JL-013"), ("correct", NUMBER, "--reason", "客户名称听错")])
def test_without_a_terminal_the_ways_to_give_values_are_named(workspace: Workspace, words: tuple[str, ...]) -> None:
    file_call(workspace)
    answer = workspace.qms("record", *words, person="林静")
    assert answer.code == 2
    assert "--values" in answer.err
    assert "--set" in answer.err


def test_set_wins_over_the_values_file_and_takes_labels(workspace: Workspace) -> None:
    words = ["--values", workspace.values("call.yml", ASKED), "--set", "事由类别=咨询\uff0c报修", "--set", "mode=来访"]
    answer = workspace.qms("record", "new", "JL-013", *words, "--set", "科室=待补")
    assert answer.code in {0, 2}, answer.err
    if answer.code == 2:
        assert workspace.qms("record", "new", "JL-013", *words).code == 0
    values = shown(workspace)["values"]
    assert values["kind"] == ["咨询", "报修"]
    assert values["mode"] == "来访"


@pytest.mark.parametrize(("setting", "says"), [("mode", "字段=值"), ("方试=电话", "方式"), ("colour=红", "colour")])
def test_a_setting_that_is_none_is_a_usage_error(workspace: Workspace, setting: str, says: str) -> None:
    answer = workspace.qms("record", "new", "JL-013", "--set", setting)
    assert answer.code == 2
    assert says in answer.err


def test_a_correction_is_visible_and_a_sensitive_one_is_masked(workspace: Workspace) -> None:
    file_call(workspace)
    words = [
        "--set",
        "customer_name=江城市第二人民医院",
        "--set",
        "detail=询问注射泵的校准周期",
        "--reason",
        "听错了名称",
    ]
    assert workspace.qms("record", "correct", NUMBER, *words, person="林静").code == 0
    told = workspace.qms("record", "show", NUMBER).out
    assert "    用户/客户单位名称：江城市第一人民医院 → 江城市第二人民医院" in told
    assert "    问题描述：＊＊＊ → ＊＊＊" in told
    opened, corrected = shown(workspace, "--unmask")["entries"]
    assert opened["changes"] == []
    assert {item["field"]: (item["old"], item["new"]) for item in corrected["changes"]} == {
        "customer_name": ("江城市第一人民医院", "江城市第二人民医院"),
        "detail": ("***", "***"),
    }
    assert opened["at"][:16].replace("T", " ") in told


def test_a_list_shows_what_is_void_and_says_when_it_is_cut(workspace: Workspace) -> None:
    file_call(workspace)
    file_call(workspace)
    workspace.qms("record", "void", NUMBER, "--reason", "与另一份重复", person="林静")
    assert "已作废" in workspace.qms("record", "list").out
    assert "只列出" not in workspace.qms("record", "list", "--limit", "2").out
    assert "只列出最新 1 份" in workspace.qms("record", "list", "--limit", "1").out
    assert "只列出最新 1 份" in workspace.qms("record", "search", "江城市", "--limit", "1").out
    assert len(json.loads(workspace.qms("--json", "record", "list", "--limit", "1").out)) == 1


def test_a_search_without_a_hit_and_a_masked_print_say_that_something_is_hidden(
    workspace: Workspace, tmp_path: Path
) -> None:
    file_call(workspace)
    assert "敏感个人信息不在检索范围内" in workspace.qms("record", "search", "滴速校准").out
    assert "--unmask" in workspace.qms("record", "print", NUMBER, "--out", str(tmp_path / "a.docx")).out
    full = workspace.qms("record", "print", NUMBER, "--unmask", "--out", str(tmp_path / "b.docx"))
    assert "遮蔽" not in full.out


def test_attachments_are_shown_with_their_size_and_taken_out_over_nothing(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "通知.txt").write_bytes(b"x" * 2048)
    complaint = {
        "received_at": "2026-11-20 09:30",
        "channel": "电话",
        "content": "输液泵运行中自动停机,病房已换用备用机",
        "injury": "无",
        "customer_name": "江城市第一人民医院",
        "contact_phone": "13800000001",
        "product_name": "输液泵",
        "serial_no": "SP5-01",
        "late_entry_reason": "周末接到电话",
        "notice_evidence": ["通知.txt"],
    }
    made = workspace.qms("record", "new", "JL-018", "--values", workspace.values("c.yml", complaint))
    assert made.code == 0, made.err
    number = "XX-YLQXJL-018-2026-0001"
    assert "通知.txt（2 KB）" in workspace.qms("record", "show", number).out
    folder = tmp_path / "附件"
    folder.mkdir()
    (folder / "通知.txt").write_bytes(b"mine")
    for _ in range(2):
        assert workspace.qms("record", "attachments", number, "--out", str(folder)).code == 0
    assert (folder / "通知.txt").read_bytes() == b"mine"
    assert (folder / "通知(2).txt").read_bytes() == b"x" * 2048


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\照片\\1.jpg", "1.jpg"),
        ("con.txt", "_con.txt"),
        ("a\u202etxt.exe", "a_txt.exe"),
        ("...", "附件"),
        ("图?.png. ", "图_.png"),
        ("长" * 200 + ".jpg", "长" * 60 + ".jpg"),
    ],
)
def test_any_name_becomes_one_that_every_computer_can_store(name: str, stored: str) -> None:
    assert storable_name(name) == stored


def test_the_demonstration_names_the_program_that_is_running(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from controller.cli.demonstration import own_name

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.argv", [str(tmp_path / ".venv" / "bin" / "qms")])
    assert own_name().replace("\\", "/") == ".venv/bin/qms"
