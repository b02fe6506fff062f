"""检查报告. What a printed report of `qms verify` says, for people who were not there; drawn by an adapter."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.conformity import Gravity
from controller.domain.text import T, Text, moment_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.domain.conformity import Finding
    from controller.services.verification import VerificationReport

MOST_ROWS = 2_000
"""Findings that are printed; `--json` gives all of them."""
GRAVITIES = {Gravity.ERROR: T("不符合"), Gravity.WARNING: T("注意"), Gravity.NOTE: T("提示")}
_NOTHING = T("没有")


@dataclass(frozen=True)
class ReportTable:
    """报告中的表."""

    headings: Sequence[Text]
    rows: Sequence[Sequence[object]]
    """`Text`, or text as it is."""
    shares: Sequence[int]
    """Widths of the columns in relation to each other."""


@dataclass(frozen=True)
class ReportSection:
    """报告的一节."""

    heading: Text
    lines: Sequence[Text] = ()
    table: ReportTable | None = None


@dataclass(frozen=True)
class ReportPage:
    """检查报告. Title, the facts on top, and sections."""

    company: str
    title: Text
    verdict: Text
    facts: Sequence[tuple[Text, object]]
    sections: Sequence[ReportSection]


def report_page(report: VerificationReport, *, company: str, site: str, at: str, program: str) -> ReportPage:
    """Return what the printed report of an examination says; `at` is when it was made."""
    errors = report.of_gravity(Gravity.ERROR)
    verdict = (
        T("发现 {count} 处不符合，须查明并处理。", count=len(errors))
        if errors
        else T("没有发现不符合：摘要、链条、签名、证书、编号和表单绑定全部相符。")
    )
    counts = report.counts
    facts: list[tuple[Text, object]] = [
        (T("检查时间"), moment_text(at)),
        (T("站点"), site),
        (T("程序"), program),
        (T("档案指纹"), report.tip or "-"),
        (T("根证书指纹"), report.root.grouped if report.root else "-"),
        (T("记录"), T("{records} 份，{entries} 个条目", records=counts.records, entries=counts.entries)),
        (T("陈述"), T("{count} 份", count=counts.statements)),
        (T("签名"), T("核对 {count} 个", count=counts.signatures)),
        (T("归档次数"), T("{count} 次", count=counts.commits)),
        (T("登记人员"), T("{count} 人", count=report.signers)),
    ]
    if counts.unopened:
        facts.append((T("未能核对"), T("{count} 份记录的敏感内容在本机没有密钥", count=counts.unopened)))
    if report.rerendered:
        facts.append(
            (T("重新排版"), T("{count} 个，与归档摘要一致 {same} 个", count=report.rendered, same=report.rendered_same))
        )
    sections = [_summary(report), _method(report), _limits(), _findings(report.findings)]
    return ReportPage(company, T("档案检查报告"), verdict, facts, sections)


def _summary(report: VerificationReport) -> ReportSection:
    found = Counter(item.gravity for item in report.findings)
    rows = [(label, str(found[gravity])) for gravity, label in GRAVITIES.items() if found[gravity]]
    table = ReportTable((T("轻重"), T("数量")), rows, (3, 2)) if rows else None
    return ReportSection(T("一、结果"), () if rows else (T("没有任何发现。"),), table)


def _method(report: VerificationReport) -> ReportSection:
    lines = [
        T("1. 档案历史：逐次归档核对，只增不改、前后相接、时间不倒退，签名与所签内容同时归档。"),
        T("2. 签名：逐个核对签名与内容、所用证书、签名时间与写明的时间；证书须当时有效、已登记并经见证、未吊销。"),
        T("3. 人员与证书机构：由归档的陈述推算谁在何时可以签名，与人员名单、根证书比对。"),
        T("4. 记录：编号连续，条目相接，表单归档且曾是受控文件，附件和封存内容与条目相符。"),
        T("5. 受控文件：每次更改都有签名陈述，所列文件与实际更改一致。"),
        T("6. 审计追踪及其他陈述：各链从 1 起连续、相接，事件出现在应在的链中。"),
        T("7. 版本库：逐个读取存储的内容；核对设置、分支，以及会自动运行或替换内容的东西。"),
    ]
    if report.rerendered:
        lines.append(T("8. 版面：按归档的表单重新排版，与归档时的摘要比对。"))
    return ReportSection(T("二、检查了什么"), lines)


def _limits() -> ReportSection:
    lines = [
        T("整个工作区连同密钥目录一起退回到更早的状态，或用新的根证书全部重做，从内部无法发现。"),
        T("请把本报告的档案指纹与上次抄写的、机器外保存的摘要核对，把根证书指纹与封存的指纹单核对。"),
    ]
    return ReportSection(T("三、从内部看不出的"), lines)


def _findings(findings: Sequence[Finding]) -> ReportSection:
    order = list(GRAVITIES)
    sorted_ = sorted(findings, key=lambda item: order.index(item.gravity))
    rows: list[tuple[object, ...]] = []
    for place, item in enumerate(sorted_[:MOST_ROWS], 1):
        what = T("{message}（下一步：{hint}）", message=item.message, hint=item.hint) if item.hint else item.message
        where, since = item.path or item.subject or "", moment_text(item.since or "")[:16]
        rows.append((str(place), GRAVITIES[item.gravity], where, what, since, item.code))
    lines: list[Text] = [] if rows else [_NOTHING]
    if len(sorted_) > MOST_ROWS:
        lines.append(
            T(
                "共 {count} 处，这里列出最重的 {shown} 处；运行 qms --json verify 可得到全部。",
                count=len(sorted_),
                shown=MOST_ROWS,
            )
        )
    headings = (T("序号"), T("轻重"), T("位置"), T("内容"), T("始于"), T("代码"))
    return ReportSection(T("四、发现"), lines, ReportTable(headings, rows, (6, 7, 21, 37, 12, 17)) if rows else None)
