"""Control tables, lines of facts and revision tables as companies draw them, and tables that only look alike."""

from __future__ import annotations

import pytest

from controller.domain.document import HistoryRow
from controller.file_formats.control_block import Fact, Grid, grid_lines, read_grid, read_history, read_line


def facts(grid: Grid) -> dict[Fact, str]:
    found = read_grid(grid)
    assert found is not None
    return dict(found.facts)


def test_a_line_of_labels_and_values_is_read() -> None:
    found = read_line("编 制：张三审核：李四 日期：2019.3.1 批准：王五")
    assert found is not None
    assert found.facts == (
        (Fact.DRAFTED, "张三"), (Fact.REVIEWED, "李四"), (Fact.REVIEWED_ON, "2019.3.1"), (Fact.APPROVED, "王五"),
    )  # fmt: skip


@pytest.mark.parametrize(
    "line", ["编制：由质管部负责。", "职责：采购部", "见版本：A/0", "", "1.目的：规范", "批准：" + "长" * 90]
)
def test_a_sentence_is_no_line_of_facts(line: str) -> None:
    assert read_line(line) is None


def test_labels_beside_above_and_inside_cells_are_read() -> None:
    beside = facts((("文件编号", "QP-1", "版 本", "A/0"), ("批准", "周明", "日期", "2019.1.1")))
    assert beside == {Fact.NUMBER: "QP-1", Fact.REVISION: "A/0", Fact.APPROVED: "周明", Fact.APPROVED_ON: "2019.1.1"}
    above = facts((("", "编制", "审核"), ("签名", "张三", "李四"), ("日期", "2019.1.1", "2019.1.2")))
    assert above[Fact.DRAFTED] == "张三"
    assert above[Fact.REVIEWED_ON] == "2019.1.2"
    inside = facts((("文件编号：QP-1\n版本：02",), ("某程序",)))
    assert inside == {Fact.NUMBER: "QP-1", Fact.REVISION: "02"}


@pytest.mark.parametrize(
    "grid",
    [
        (("岗位", "职责"), ("经理", "负责全面工作")),
        (("文件名称", "文件编号"), ("采购程序", "QP-2"), ("仓储程序", "QP-3")),
        (("编制", "审核", "批准"), ("", "", "")),
        (),
        tuple(("版本", "A/0", "批准", "周明") for _ in range(40)),
    ],
    ids=["duties", "list-of-documents", "blank", "empty", "too-large"],
)
def test_tables_of_the_text_are_no_control_blocks(grid: Grid) -> None:
    assert read_grid(grid) is None


def test_a_revision_table_is_read_row_by_row() -> None:
    found = read_history(
        (
            ("文件修订记录", "", "", "", ""),
            ("版本", "日期", "修改条款", "修改原因", "修改人"),
            ("A/0", "2019.1.1", "全部", "首次发布", "赵敏"),
            ("", "", "", "", ""),
        ),
        headed=False,
    )
    assert found is not None
    assert found.rows == (HistoryRow("A/0", "2019.1.1", "全部", "首次发布", "赵敏"),)
    assert found.whole is True


def test_more_signers_stand_with_who_made_the_change_and_unknown_columns_are_told() -> None:
    grid = (
        ("序号", "版次", "日期", "修订内容", "修订人", "批准", "培训"),
        ("1", "", "2019", "首次", "赵敏", "周明", "已训"),
    )
    found = read_history(grid, headed=False)
    assert found is not None
    assert found.rows == (HistoryRow("未写明", "2019", "", "首次", "赵敏，批准 周明"),)
    assert (found.whole, found.nameless) == (False, 1)


def test_other_tables_are_no_revision_tables() -> None:
    assert read_history((("项目", "要求"), ("温度", "2–8 ℃")), headed=True) is None
    assert read_history((("版本", "说明"), ("A/0", "首次")), headed=False) is None


def test_a_table_is_kept_word_for_word() -> None:
    assert grid_lines((("版本", "", "A/0"), ("", ""), ("批准", "周明\n2019"))) == ["版本 | A/0", "批准 | 周明 2019"]
