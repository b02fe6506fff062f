"""Listing, checking and building registers, as a person at the command line does it."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Workspace

CALL: dict[str, Any] = {
    "contact_at": "2024-01-05 09:30",
    "mode": "电话",
    "customer_name": "江城市第一人民医院",
    "contact_phone": "13800000001",
    "kind": ["咨询"],
    "detail": "询问输液泵滴速校准周期",
    "injury_flag": "否",
    "late_entry_reason": "补录旧台账",
}


def file_calls(workspace: Workspace, *customers: str) -> None:
    for customer in customers:
        values = workspace.values("call.yml", {**CALL, "customer_name": customer})
        assert workspace.qms("record", "new", "XX-YLQXJL-013", "--values", values).code == 0


def test_all_sixteen_registers_are_listed(workspace: Workspace) -> None:
    found = json.loads(workspace.qms("--json", "register", "list").out)["registers"]
    assert [item["id"] for item in found] == [f"TZ-{number:02d}" for number in range(1, 17)]
    assert "质量投诉台账" in workspace.qms("register", "list").out


def test_the_registers_of_a_new_workspace_fit_its_forms(workspace: Workspace) -> None:
    answer = workspace.qms("register", "lint")
    assert (answer.code, answer.out.strip()) == (0, "台账定义没有问题。")


def test_a_register_shows_what_was_filed_and_proves_that_nothing_is_missing(
    workspace: Workspace, tmp_path: Path
) -> None:
    file_calls(workspace, "江城市第一人民医院", "江城市中医医院")
    answer = workspace.qms("--json", "register", "build", "TZ-06", "--format", "csv", "--out", str(tmp_path / "a.csv"))
    assert answer.code == 0, answer.err
    (built,) = json.loads(answer.out)["registers"]
    assert (built["rows"], built["voided"], built["files"]) == (2, 0, [str(tmp_path / "a.csv")])
    (run,) = built["completeness"]["numbers"]
    assert (run["given"], run["filed"], run["missing"], built["completeness"]["complete"]) == (2, 2, [], True)
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["客户"] for row in rows] == ["江城市第一人民医院", "江城市中医医院"]


def test_the_words_for_people_name_file_rows_and_completeness(workspace: Workspace, tmp_path: Path) -> None:
    file_calls(workspace, "江城市第一人民医院")
    answer = workspace.qms("register", "build", "来电来访与售后服务台账", "--out", str(tmp_path / "a.xlsx"))
    assert answer.out.splitlines() == [
        f"已生成：{tmp_path / 'a.xlsx'}",
        "《来电来访与售后服务台账》共 1 行，其中作废 0。",
        "编号完整：没有缺号、重号，引用的记录都在。",
    ]


def test_every_register_of_the_starter_library_can_be_built(workspace: Workspace, tmp_path: Path) -> None:
    file_calls(workspace, "江城市第一人民医院")
    answer = workspace.qms("--json", "register", "build", "--all", "--out", str(tmp_path / "台账"))
    assert answer.code == 0, answer.err
    built = json.loads(answer.out)["registers"]
    assert len(built) == len(list((tmp_path / "台账").glob("TZ-*.xlsx"))) == 16
    assert [item["completeness"]["not_worked_out"] for item in built if item["completeness"]["not_worked_out"]] == []
    book = openpyxl.load_workbook(tmp_path / "台账" / "TZ-16审计追踪.xlsx")
    assert book.worksheets[0].max_row == 2


@pytest.mark.parametrize("kind", ["docx", "pdf"])
def test_a_register_can_be_printed(workspace: Workspace, tmp_path: Path, kind: str) -> None:
    file_calls(workspace, "江城市第一人民医院")
    answer = workspace.qms("register", "build", "TZ-06", "--format", kind, "--out", str(tmp_path))
    assert answer.code == 0, answer.err
    (path,) = tmp_path.glob(f"TZ-06*.{kind}")
    assert path.read_bytes()[:4] == {"docx": b"PK\x03\x04", "pdf": b"%PDF"}[kind]


def test_a_period_is_given_as_year_month_or_days(workspace: Workspace, tmp_path: Path) -> None:
    for words, first, last in (
        (["--year", "2026"], "2026-01-01", "2026-12-31"),
        (["--month", "2024-02"], "2024-02-01", "2024-02-29"),
        (["--from", "2026-03-05"], "2026-03-05", None),
        (["--from", "2026-03-05", "--to", "2026-03-05"], "2026-03-05", "2026-03-05"),
        ([], None, None),
    ):
        out = str(tmp_path / f"{first}{last}.csv")
        answer = workspace.qms("--json", "register", "build", "TZ-06", "--format", "csv", "--out", out, *words)
        assert json.loads(answer.out)["registers"][0]["period"] == {"from": first, "to": last}


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["TZ-07", "--all"],
        ["TZ-07", "--year", "2026", "--month", "2026-05"],
        ["TZ-07", "--from", "2026-05-02", "--to", "2026-05-01"],
        ["TZ-07", "--month", "2026-13"],
        ["TZ-07", "--format", "exe"],
    ],
)
def test_words_that_contradict_each_other_are_a_usage_error(
    workspace: Workspace, tmp_path: Path, words: list[str]
) -> None:
    answer = workspace.qms("register", "build", *words, "--out", str(tmp_path / "x"))
    assert answer.code == 2
    assert list(tmp_path.glob("x*")) == []


def test_an_unknown_register_is_not_found(workspace: Workspace) -> None:
    answer = workspace.qms("register", "build", "TZ-99")
    assert answer.code == 3
    assert "register-unknown" in answer.err


def test_a_file_that_is_there_is_kept_unless_forced(workspace: Workspace, tmp_path: Path) -> None:
    target = tmp_path / "a.xlsx"
    target.write_bytes(b"mine")
    assert workspace.qms("register", "build", "TZ-07", "--out", str(target)).code == 4
    assert target.read_bytes() == b"mine"
    assert workspace.qms("register", "build", "TZ-07", "--out", str(target), "--force").code == 0
    assert openpyxl.load_workbook(target).sheetnames[0] == "质量投诉台账"


def test_no_sensitive_value_reaches_a_register_or_the_index(workspace: Workspace, tmp_path: Path) -> None:
    file_calls(workspace, "江城市第一人民医院")
    workspace.qms("register", "build", "--all", "--format", "csv", "--out", str(tmp_path / "t"))
    index = b"".join(path.read_bytes() for path in (workspace.folder / ".qms").glob("index.sqlite*"))
    everything = index + b"".join(path.read_bytes() for path in (tmp_path / "t").iterdir())
    assert CALL["customer_name"].encode() in everything
    assert CALL["detail"].encode() not in everything
