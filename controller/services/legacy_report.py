"""旧文件导入报告. What is told of a plan on paper: every document with its proposal, and everything that is unsure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.conformity import Gravity
from controller.domain.text import T
from controller.services.verification_report import GRAVITIES, MOST_ROWS, ReportPage, ReportSection, ReportTable

if TYPE_CHECKING:
    from controller.services.legacy_plan import LegacyPlan


def legacy_report(plan: LegacyPlan, *, company: str, at: str) -> ReportPage:
    """Return the printed report of a plan; `at` is when it was made."""
    doubtful = [item for item in plan.findings if item.gravity is not Gravity.NOTE]
    verdict = T("有 {count} 处拿不准，导入前须逐项核对。", count=len(doubtful)) if doubtful else T("没有拿不准的地方。")
    facts = (
        (T("文件夹"), plan.folder),
        (T("时间"), at),
        (T("看过的文件"), plan.files),
        (T("没有读入的文件"), len(plan.refused)),
        (T("找到的文件"), len(plan.documents)),
        (T("建议导入"), plan.wanted),
    )
    documents = ReportTable(
        (T("来源"), T("原编号"), T("编号"), T("名称"), T("版本"), T("导入")),
        [
            (
                item.document.place,
                item.document.number or "—",
                item.proposal.number,
                item.proposal.title or "—",
                item.proposal.revision,
                T("是") if item.proposal.wanted else T("否"),
            )
            for item in plan.documents
        ],
        (5, 3, 4, 6, 2, 1),
    )
    told = ReportTable(
        (T("轻重"), T("文件"), T("行"), T("内容"), T("怎样处理")),
        [
            (
                GRAVITIES[item.gravity],
                item.path or "",
                item.line or "",
                item.message,
                item.hint if item.hint is not None else "",
            )
            for item in plan.findings[:MOST_ROWS]
        ],
        (2, 4, 1, 8, 6),
    )
    more = len(plan.findings) - MOST_ROWS
    cut = (T("另有 {count} 处没有印出，--json 列出全部。", count=more),) if more > 0 else ()
    sections = [
        ReportSection(T("找到的文件"), table=documents if plan.documents else None),
        ReportSection(T("拿不准的地方"), cut, told if plan.findings else None),
    ]
    return ReportPage(company, T("旧文件导入计划"), verdict, facts, sections)
