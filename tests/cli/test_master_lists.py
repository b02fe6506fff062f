"""The master lists TZ-01 and TZ-02, built as any register, with what the life cycle knows of each item."""

from __future__ import annotations

import csv
from datetime import date
from typing import TYPE_CHECKING

import openpyxl
import pytest

from tests.cli.test_change_request_commands import acted, approved, today

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Workspace


def listed(workspace: Workspace, register: str, folder: Path) -> dict[str, dict[str, str]]:
    """Build a register as csv and return number → its row by heading."""
    target = folder / f"{register}.csv"
    acted(workspace, "register", "build", register, "--format", "csv", "--out", str(target), "--force")
    with target.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row.get("编号") or row["表单编号"]: row for row in rows}


def test_every_document_and_register_is_in_the_list_of_controlled_documents(
    workspace: Workspace, tmp_path: Path
) -> None:
    rows = listed(workspace, "TZ-01", tmp_path)
    assert list(next(iter(rows.values()))) == [
        "序号", "编号", "名称", "类别", "版本", "批准日期", "生效日期", "归口部门", "分发范围", "状态", "复审日期",
        "备注",
    ]  # fmt: skip
    assert [int(row["序号"]) for row in rows.values()] == list(range(1, len(rows) + 1))
    assert (rows["XX-YLQXTZ-07"]["类别"], rows["XX-YLQXTZ-07"]["复审日期"]) == ("台账", "")
    row = rows["XX-YLQXCX-015"]
    assert (row["批准日期"], row["生效日期"], row["复审日期"]) == ("", "2026-01-05", "2027-01-05")
    assert row["状态"] == "现行，未在本系统批准"
    assert row["备注"].startswith("起步稿，使用前请按企业实际核对")


def test_the_list_of_forms_tells_department_keeper_and_retention(workspace: Workspace, tmp_path: Path) -> None:
    rows = listed(workspace, "TZ-02", tmp_path)
    row = rows["XX-YLQXJL-018"]
    assert (row["归口部门"], row["保存部门"], row["关联程序"]) == ("售后服务部", "售后服务部", "XX-YLQXCX-015")
    assert row["保存期限"] == "植入类永久，有效期满后 2 年，不少于 5 年"
    assert rows["XX-YLQXJL-001"]["保存期限"] == "永久"


@pytest.mark.slow
def test_approval_effect_copies_and_changes_show_in_the_list(workspace: Workspace, tmp_path: Path) -> None:
    number = approved(workspace, "--effective", today().isoformat())
    acted(workspace, "copy", "issue", "CX-014", "--to", "售后服务部", "--medium", "电子")
    acted(workspace, "change", "open", "--document", "CX-015", "--reason", "内审发现用语不准确")
    rows = listed(workspace, "TZ-01", tmp_path)
    row = rows["XX-YLQXCX-014"]
    assert (row["版本"], row["状态"], row["分发范围"]) == ("A/1", "现行有效", "售后服务部 1")
    assert row["批准日期"] == row["生效日期"] == today().isoformat()
    assert date.fromisoformat(row["复审日期"]).year == today().year + 1
    following = f"{number[:4]}-{int(number[5:]) + 1:04d}"
    assert rows["XX-YLQXCX-015"]["状态"] == f"现行，未在本系统批准；更改 {following}（草稿）"


def test_the_workbook_has_dates_as_dates(workspace: Workspace, tmp_path: Path) -> None:
    target = tmp_path / "受控文件清单.xlsx"
    acted(workspace, "register", "build", "TZ-01", "--out", str(target))
    sheet = openpyxl.load_workbook(target).worksheets[0]
    cells = {str(cell.value): cell for row in sheet.iter_rows() for cell in row if cell.value is not None}
    assert any(getattr(cell, "is_date", False) for cell in cells.values())
    assert "XX-YLQXTZ-16" in cells
