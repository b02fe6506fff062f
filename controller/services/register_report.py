"""台账的附页. Statistics, completeness and particulars of a register as plain tables, the same in every file format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from controller.domain.register import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from controller.domain.register import Cell, Heading, Period, RegisterDefinition
    from controller.services.register_summary import Completeness, RegisterSummary

_SOURCES = {
    Source.RECORDS: "归档记录",
    Source.ENTRIES: "归档记录的全部条目",
    Source.DOCUMENTS: "受控文件",
    Source.FORMS: "受控表单",
    Source.NONE: "尚无来源",
}


@dataclass(frozen=True)
class Sheet:
    """附页. A titled table of texts; `widths` in characters."""

    title: str
    headings: tuple[str, ...]
    widths: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]


class ListedTable(Protocol):
    """可写出的表. What the writers of files need of a register, or of the audit trail."""

    @property
    def definition(self) -> RegisterDefinition:
        """Number, title and revision."""
        ...

    @property
    def period(self) -> Period:
        """The time it is over."""
        ...

    @property
    def now(self) -> datetime:
        """When it was made."""
        ...

    @property
    def headings(self) -> tuple[Heading, ...]:
        """The columns."""
        ...

    @property
    def preface(self) -> tuple[tuple[str, str], ...]:
        """What stands above the rows, as names and values."""
        ...

    def rows(self) -> Iterator[tuple[Cell, ...]]:
        """Yield the rows, once."""
        ...

    def sheets(self, *, company: str) -> list[Sheet]:
        """Return what follows the rows."""
        ...


def preface_sheet(table: ListedTable) -> Sheet:
    """Return what stands above the rows as a sheet of its own."""
    return Sheet("说明", ("项目", "内容"), (14, 70), table.preface)


def supplements(table: ListedTable, summary: RegisterSummary, *, company: str) -> list[Sheet]:
    """Return the sheets that follow the rows of a register: 统计, 完整性, 说明."""
    return [statistics_sheet(summary), completeness_sheet(summary.completeness), particulars(table, summary, company)]


def statistics_sheet(summary: RegisterSummary) -> Sheet:
    """Return every figure with numerator, denominator and result; 与要求 says whether it is as it should be."""
    rows = []
    for item in summary.statistics:
        kept = {None: "", True: "符合", False: "不符合"}[item.as_it_should_be]
        for position, line in enumerate(item.lines):
            first = not position
            note = "；".join(filter(None, (line.detail, item.note if first else "")))
            label = item.label if first else ""
            rows.append((label, line.group, line.numerator, line.denominator, line.result, kept if first else "", note))
    headings = ("统计项", "分组", "分子", "分母", "结果", "与要求", "说明")
    return Sheet("统计", headings, (30, 22, 12, 12, 14, 9, 60), tuple(rows))


def completeness_sheet(found: Completeness) -> Sheet:
    """Return how the numbers of every form and year add up, and everything that does not lead anywhere."""
    rows = [
        (
            f"{run.form} {found.titles.get(run.form, '')}".strip(),
            f"{run.year}",
            f"已用 {run.given} 号 = 有效 {run.filed} + 作废 {run.voided} + 缺号 {run.missing_count}",
            "完整" if run.complete else "；".join(_troubles(run.missing_text, run.doubled)),
        )
        for run in found.runs
    ]
    rows += [(source, "", f"{field} 指向 {target}", "找不到该记录") for source, field, target in found.dangling]
    if found.dangling_count > len(found.dangling):
        rows.append(("", "", f"另有 {found.dangling_count - len(found.dangling)} 处引用找不到记录", "未逐条列出"))
    rows += [(form, "", f"{count} 条记录", "表单库中没有该表单") for form, count in found.unknown_forms]
    rows += [(place, "", f"{count} 行", "未能算出，留空") for place, count in found.failures]
    return Sheet("完整性", ("表单或记录", "年份", "清点", "结论"), (44, 8, 52, 40), tuple(rows))


def _troubles(missing: str, doubled: Sequence[str]) -> Iterator[str]:
    if missing:
        yield f"缺号 {missing}"
    if doubled:
        yield f"重号 {'、'.join(doubled[:50])}"


def particulars(table: ListedTable, summary: RegisterSummary, company: str) -> Sheet:
    """Return what the register is, over which time, when it was built and what stands in it."""
    definition = table.definition
    complete = "完整" if summary.completeness.complete else "有待查项，见“完整性”"
    rows = [
        ("公司", company),
        ("台账", definition.title),
        ("编号", definition.number.text),
        ("版本", definition.revision.text),
        ("依据程序", definition.procedure.text if definition.procedure is not None else ""),
        ("归口", definition.owner),
        ("来源", _SOURCES[definition.source]),
        ("期间", str(table.period)),
        ("生成时间", table.now.strftime("%Y-%m-%d %H:%M")),
        ("行数", f"{summary.rows}（其中作废 {summary.voided}，不计入统计）"),
        ("完整性", complete if definition.available else ""),
    ]
    if not definition.available:
        rows.append(("暂无数据", definition.unavailable_reason or "所需数据随后续功能提供"))
    if definition.note:
        rows.append(("备注", definition.note))
    return Sheet("说明", ("项目", "内容"), (14, 70), tuple(rows))
