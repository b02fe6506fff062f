"""Filling, continuing, correcting, importing, printing and finding records, as a person at the command line does it."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.telephone_call import CALL

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Workspace


def numbers(workspace: Workspace) -> list[str]:
    answer = workspace.qms("--json", "record", "list")
    return [item["number"] for item in json.loads(answer.out)]


def test_a_phone_call_is_filed_and_gets_the_first_number_of_the_year(workspace: Workspace) -> None:
    answer = workspace.qms("--json", "record", "new", "XX-YLQXJL-013", "--values", workspace.values("call.yml", CALL))
    assert answer.code == 0, answer.err
    number = json.loads(answer.out)["number"]
    assert number.startswith("XX-YLQXJL-013-")
    assert number.endswith("-0001")
    assert numbers(workspace) == [number]


def test_every_problem_is_told_at_once_and_nothing_changes(workspace: Workspace) -> None:
    wrong = {**CALL, "mode": "传真", "detail": "问", "injury_flag": None, "contact_phone": "abc", "colour": "红"}
    before = workspace.tree()
    answer = workspace.qms("record", "new", "XX-YLQXJL-013", "--values", workspace.values("call.yml", wrong))
    assert answer.code == 4
    assert "values-refused" in answer.err
    for label in ("方式", "问题描述", "是否涉及人身伤害", "联系方式", "colour"):
        assert label in answer.err
    assert workspace.tree() == before


def test_a_sensitive_value_is_never_repeated_in_a_message(workspace: Workspace) -> None:
    answer = workspace.qms(
        "record", "new", "XX-YLQXJL-013", "--values", workspace.values("call.yml", {**CALL, "detail": "癌症"})
    )
    assert answer.code == 4
    assert "癌症" not in answer.err + answer.out


def test_an_unknown_form_names_the_nearest_and_exits_with_3(workspace: Workspace) -> None:
    answer = workspace.qms("record", "new", "XX-YLQXJL-0113", "--values", workspace.values("call.yml", CALL))
    assert answer.code == 3
    assert "XX-YLQXJL-013" in answer.err


def test_an_unknown_person_names_the_nearest_and_exits_with_3(workspace: Workspace) -> None:
    values = workspace.values("call.yml", CALL)
    answer = workspace.qms("record", "new", "XX-YLQXJL-013", "--values", values, person="陈小")
    assert answer.code == 3
    assert "陈晓" in answer.err


def test_without_a_person_nobody_is_guessed(workspace: Workspace) -> None:
    values = workspace.values("call.yml", CALL)
    answer = workspace.qms("record", "new", "XX-YLQXJL-013", "--values", values, person=None)
    assert answer.code == 4
    assert "person-needed" in answer.err


def test_a_missing_values_file_is_named(workspace: Workspace) -> None:
    answer = workspace.qms("record", "new", "XX-YLQXJL-013", "--values", "没有这个文件.yml")
    assert answer.code == 3
    assert "没有这个文件.yml" in answer.err


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("mode: 电话\nmode: 来访\n", "yaml"),
        ("mode: &a 电话\nkind: *a\n", "yaml"),
        ("\tmode: 电话\n", "yaml"),
        ("mode: !!python/object/apply:os.system ['true']\n", "yaml"),
        ("- 电话\n", "import-file-invalid"),
    ],
    ids=["duplicate key", "anchor", "tab", "tag", "a list"],
)
def test_hostile_or_wrong_yaml_is_refused_with_its_place(workspace: Workspace, text: str, code: str) -> None:
    path = workspace.folder.parent / "bad.yml"
    path.write_text(text, encoding="utf-8")
    before = workspace.tree()
    answer = workspace.qms("record", "new", "XX-YLQXJL-013", "--values", str(path))
    assert answer.code == 4
    assert code in answer.err
    assert workspace.tree() == before


def test_a_record_shows_its_content_masked_until_asked(workspace: Workspace) -> None:
    workspace.qms("record", "new", "XX-YLQXJL-013", "--values", workspace.values("call.yml", CALL))
    number = numbers(workspace)[0]
    masked = workspace.qms("record", "show", number)
    assert "江城市第一人民医院" in masked.out
    assert "滴速校准" not in masked.out
    assert "滴速校准" in workspace.qms("record", "show", number, "--unmask").out


@pytest.mark.parametrize("how", ["show", "print", "attachments"])
def test_sensitive_values_open_only_to_the_posts_of_the_signing_rules(
    workspace: Workspace, tmp_path: Path, how: str
) -> None:
    workspace.qms("record", "new", "XX-YLQXJL-013", "--values", workspace.values("call.yml", CALL))
    number = numbers(workspace)[0]
    target = [] if how == "show" else ["--out", str(tmp_path / "handed over")]
    refused = workspace.qms("record", how, number, "--unmask", *target, person="王强")
    assert (refused.code, "滴速校准" in refused.out) == (4, False)
    assert "unmasking-refused" in refused.err
    assert "售后服务管理人员" in refused.err
    assert not (tmp_path / "handed over").exists()
    tried = json.loads(workspace.qms("--json", "audit-trail", "--failures").out)["events"][0]
    assert (tried["name"], tried["object"]) == ("王强", number)
    assert workspace.qms("record", how, number, "--unmask", *target, person="赵敏").code == 0


def test_a_correction_keeps_the_earlier_value_in_the_chain(workspace: Workspace) -> None:
    workspace.qms("record", "new", "XX-YLQXJL-013", "--values", workspace.values("call.yml", CALL))
    number = numbers(workspace)[0]
    change = workspace.values("fix.yml", {"customer_name": "江城市第二人民医院"})
    refused = workspace.qms("record", "correct", number, "--values", change, "--reason", "错")
    assert refused.code == 4
    assert "reason-needed" in refused.err
    done = workspace.qms("record", "correct", number, "--values", change, "--reason", "客户名称听错")
    assert done.code == 0, done.err
    shown = json.loads(workspace.qms("--json", "record", "show", number).out)
    assert shown["values"]["customer_name"] == "江城市第二人民医院"
    assert [entry["act"] for entry in shown["entries"]] == ["opened", "corrected"]
    assert workspace.qms("verify", "--rerender").code == 0


def test_a_void_record_stays_readable_and_takes_no_more_acts(workspace: Workspace) -> None:
    workspace.qms("record", "new", "XX-YLQXJL-013", "--values", workspace.values("call.yml", CALL))
    number = numbers(workspace)[0]
    assert workspace.qms("record", "void", number, "--reason", "重复登记,以另一份为准").code == 0
    assert "已作废" in workspace.qms("record", "show", number).out
    change = workspace.values("fix.yml", {"customer_name": "别的医院"})
    again = workspace.qms("record", "correct", number, "--values", change, "--reason", "不应允许的更正")
    assert again.code == 4
    assert "stage-refused" in again.err


def test_a_stage_cannot_be_skipped_and_the_right_post_is_asked_for(workspace: Workspace) -> None:
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
    }
    made = workspace.qms("record", "new", "XX-YLQXJL-018", "--values", workspace.values("c.yml", complaint))
    assert made.code == 0, made.err
    number = numbers(workspace)[0]
    skipped = workspace.qms("record", "advance", number, "--stage", "closed")
    assert skipped.code == 4
    assert "下一阶段" in skipped.err
    wrong_post = workspace.qms("record", "advance", number, "--stage", "accepted", person="王强")
    assert wrong_post.code == 4
    assert "售后服务管理人员" in wrong_post.err


def test_only_quality_posts_void_and_correct_what_is_not_theirs(workspace: Workspace) -> None:
    workspace.qms("record", "new", "XX-YLQXJL-013", "--values", workspace.values("call.yml", CALL), person="赵敏")
    number = numbers(workspace)[0]
    change = workspace.values("fix.yml", {"customer_name": "江城市第二人民医院"})
    correction = ("record", "correct", number, "--values", change, "--reason", "客户名称听错")
    foreign = workspace.qms(*correction, person="刘洋")
    assert foreign.code == 4
    assert "别人的记录" in foreign.err
    assert workspace.qms(*correction, person="赵敏").code == 0
    refused = workspace.qms("record", "void", number, "--reason", "重复登记一次", person="赵敏")
    assert refused.code == 4
    assert "质管员" in refused.err
    assert workspace.qms("record", "void", number, "--reason", "重复登记一次", person="林静").code == 0


def csv_of(rows: list[dict[str, str]]) -> bytes:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode("utf-8-sig")


def rows(count: int) -> list[dict[str, str]]:
    return [
        {
            "来电/来访时间": "2026-11-20 09:30",
            "方式": "电话",
            "用户/客户单位名称": f"第{position}人民医院",
            "联系方式(电话)": "13800000001",
            "事由类别": "咨询、报修",
            "问题描述": f"第{position}个来电的问题描述",
            "是否涉及人身伤害/死亡": "否",
            "补记原因": "批量补录",
        }
        for position in range(1, count + 1)
    ]


def test_an_import_is_all_or_nothing_unless_good_rows_are_asked_for(workspace: Workspace, tmp_path: Path) -> None:
    table = rows(5)
    table[2]["方式"] = "传真"
    path = tmp_path / "calls.csv"
    path.write_bytes(csv_of(table))
    refused = workspace.qms("--json", "record", "import", "XX-YLQXJL-013", str(path))
    assert refused.code == 1
    report = json.loads(refused.out)
    assert report["filed"] == []
    assert [item["row"] for item in report["refused"]] == [4]
    assert numbers(workspace) == []
    good = workspace.qms("--json", "record", "import", "XX-YLQXJL-013", str(path), "--good-only")
    assert good.code == 1
    assert len(json.loads(good.out)["filed"]) == 4
    assert len(numbers(workspace)) == 4
    assert workspace.qms("verify", "--rerender").code == 0


def test_json_lines_import_like_csv(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    lines = [json.dumps({**CALL, "customer_name": f"第{position}医院"}, ensure_ascii=False) for position in range(3)]
    path.write_text("\n".join(lines), encoding="utf-8")
    answer = workspace.qms("--json", "record", "import", "XX-YLQXJL-013", str(path))
    assert answer.code == 0, answer.err + answer.out
    assert len(json.loads(answer.out)["filed"]) == 3


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "是空的"),
        ("方式,方式\n电话,来访\n".encode(), "两次"),
        ("颜色\n红\n".encode(), "不是这张表的字段"),
        ("方式\n电话,多一格\n".encode(), "2 格"),
        (b"\x00\x01\x02", "不是文字文件"),
    ],
    ids=["empty", "doubled heading", "unknown heading", "too many cells", "binary"],
)
def test_a_file_that_is_no_table_of_this_form_is_refused(
    workspace: Workspace, tmp_path: Path, content: bytes, says: str
) -> None:
    path = tmp_path / "calls.csv"
    path.write_bytes(content)
    answer = workspace.qms("record", "import", "XX-YLQXJL-013", str(path))
    assert answer.code == 4
    assert says in answer.err


def test_a_file_from_a_chinese_excel_in_gb18030_is_read(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    path.write_bytes(csv_of(rows(1)).decode("utf-8-sig").encode("gb18030"))
    assert workspace.qms("record", "import", "XX-YLQXJL-013", str(path)).code == 0


def test_a_print_is_a_word_file_and_never_overwrites_by_accident(workspace: Workspace, tmp_path: Path) -> None:
    workspace.qms("record", "new", "XX-YLQXJL-013", "--values", workspace.values("call.yml", CALL))
    number = numbers(workspace)[0]
    target = tmp_path / "来电.docx"
    assert workspace.qms("record", "print", number, "--out", str(target)).code == 0
    with zipfile.ZipFile(target) as docx:
        text = docx.read("word/document.xml").decode("utf-8")
    assert "江城市第一人民医院" in text
    assert number in text
    assert "滴速校准" not in text
    again = workspace.qms("record", "print", number, "--out", str(target))
    assert again.code == 4
    assert "file-exists" in again.err


def test_two_character_words_are_found_and_sensitive_ones_are_not(workspace: Workspace) -> None:
    workspace.qms("record", "new", "XX-YLQXJL-013", "--values", workspace.values("call.yml", CALL))
    number = numbers(workspace)[0]
    assert number in workspace.qms("record", "search", "江城").out
    assert workspace.qms("record", "search", "滴速").code == 1


def test_the_browsing_copy_is_masked_and_replaces_only_what_it_made(workspace: Workspace, tmp_path: Path) -> None:
    workspace.qms("record", "new", "XX-YLQXJL-013", "--values", workspace.values("call.yml", CALL))
    target = tmp_path / "浏览"
    for _ in range(2):
        assert workspace.qms("record", "browse", "--out", str(target)).code == 0
    files = list(target.rglob("*.docx"))
    assert len(files) == 1
    assert "滴速校准".encode() not in zipfile.ZipFile(files[0]).read("word/document.xml")
    foreign = tmp_path / "我的文件"
    foreign.mkdir()
    (foreign / "重要.txt").write_text("不能丢", encoding="utf-8")
    answer = workspace.qms("record", "browse", "--out", str(foreign))
    assert answer.code == 4
    assert (foreign / "重要.txt").read_text(encoding="utf-8") == "不能丢"


@pytest.mark.parametrize("number", ["../../etc/passwd", "XX-YLQXJL-013-2026-0001/..", "", "XX'; DROP TABLE", "记录"])
def test_path_and_query_tricks_in_numbers_are_refused(workspace: Workspace, number: str) -> None:
    answer = workspace.qms("record", "show", number)
    assert answer.code == 4
    assert "identifier-invalid" in answer.err


def test_an_attachment_outside_the_folder_is_refused(workspace: Workspace) -> None:
    values = workspace.values("a.yml", {"notice_evidence": "../../../../etc/hostname"})
    answer = workspace.qms("record", "new", "XX-YLQXJL-018", "--values", values)
    assert answer.code == 4
    assert "attachment-outside" in answer.err
