"""导入结果的显示. Tells what came of an import: which rows were refused and why, which records were filed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.text import T

if TYPE_CHECKING:
    from controller.cli.output import Output
    from controller.services.record_filing import ImportReport


def tell_import(out: Output, report: ImportReport) -> None:
    """Print the report of an import, for people or as the one JSON document."""
    for refused in report.refused[:200]:
        out.line(T("第 {row} 行没有导入：", row=refused.row))
        for line in out.problem_lines(refused.problems):
            out.line(line)
    if report.nothing_filed:
        out.line(T("共 {rows} 行，{bad} 行有问题，全部没有导入。", rows=report.rows, bad=len(report.refused)))
        out.line(T("改正后重新导入；或加 --good-only 只导入没有问题的行。"))
    elif report.filed:
        out.line(
            T(
                "共 {rows} 行，已归档 {good} 份（{first} 至 {last}），未导入 {bad} 行。",
                rows=report.rows,
                good=len(report.filed),
                first=report.filed[0],
                last=report.filed[-1],
                bad=len(report.refused),
            )
        )
    else:
        out.line(T("文件中没有可以导入的行。"))
    out.document(
        {
            "rows": report.rows,
            "filed": [number.text for number in report.filed],
            "refused": [
                {"row": item.row, "problems": [out.problem_data(problem) for problem in item.problems]}
                for item in report.refused
            ],
        }
    )
