"""命令 `qms register`. List the registers, check their definitions, build them as Excel, CSV, Word or PDF files."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller.cli.commands import M, acting, group, option
from controller.domain.conformity import Gravity
from controller.domain.register import Period
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.adapters.register_files import WrittenRegister
    from controller.cli.main import Session
    from controller.cli.output import Output
    from controller.domain.register import RegisterDefinition

_FORMATS = ("xlsx", "csv", "docx", "pdf")


@group("register", M("台账：列出、检查、生成。"))
def register() -> None:
    pass


@register.command("list", help=M("列出全部台账。"))
@click.pass_obj
def list_(session: Session) -> int:
    definitions = session.application.registers.definitions()
    out = session.output
    out.table(
        [T("编号"), T("名称"), T("版本"), T("依据程序"), T("归口"), T("状态")],
        [
            (
                item.id,
                item.title,
                item.revision,
                item.procedure.short if item.procedure else "",
                item.owner,
                T("可生成") if item.available else T("随后续功能提供"),
            )
            for item in definitions
        ],
    )
    out.document({"registers": [_described(item) for item in definitions]})
    return 0


def _described(item: RegisterDefinition) -> dict[str, object]:
    return {
        "id": item.id,
        "number": item.number.text,
        "title": item.title,
        "revision": item.revision.text,
        "procedure": item.procedure.text if item.procedure else None,
        "owner": item.owner,
        "source": item.source.value,
        "forms": ["all"] if item.all_forms else list(item.forms),
        "available": item.available,
        "columns": [{"key": column.key, "label": column.label} for column in item.columns],
        "statistics": [{"id": statistic.id, "label": statistic.label} for statistic in item.statistics],
    }


@register.command("lint", help=M("检查台账定义是否与表单相符。ID 可写 TZ-07、完整编号或名称（默认：全部）。"))
@click.argument("register_id", metavar="[ID]", required=False)
@click.pass_obj
def lint(session: Session, register_id: str | None) -> int:
    registers = session.application.registers
    only = registers.resolve(register_id) if register_id is not None else None
    findings = registers.findings(only)
    out = session.output
    out.findings(findings)
    if not findings:
        out.line(T("台账定义没有问题。"))
    out.document({"findings": [out.finding_data(item) for item in findings]})
    return 1 if any(item.gravity is Gravity.ERROR for item in findings) else 0


@register.command("build", help=M("生成台账。ID 可写 TZ-07、完整编号或名称。"))
@click.argument("register_id", metavar="ID", required=False)
@option("--all", "every", is_flag=True, help=M("生成全部台账。"))
@option("--format", "kind", type=click.Choice(_FORMATS), default="xlsx", show_default=True, help=M("文件格式。"))
@option(
    "--out", type=click.Path(path_type=Path), metavar="FILE_OR_DIR", help=M("写到哪个文件或目录（默认：当前目录）。")
)
@option("--from", "since", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help=M("从哪一天起，例如 2026-01-01。"))
@option("--to", "until", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help=M("到哪一天止（含当天）。"))
@option("--year", type=click.IntRange(1990, 9998), metavar="Y", help=M("只要这一年。"))
@option("--month", type=click.DateTime(["%Y-%m"]), metavar="YYYY-MM", help=M("只要这一个月，例如 2026-05。"))
@option(
    "--rows-per-part",
    type=click.IntRange(1, 2000),
    default=300,
    show_default=True,
    help=M("docx、pdf 每个文件最多多少行。"),
)
@option("--force", is_flag=True, help=M("覆盖已有的文件。"))
@acting
@click.pass_obj
def build(
    session: Session,
    register_id: str | None,
    *,
    every: bool,
    kind: str,
    out: Path | None,
    since: Any,
    until: Any,
    year: int | None,
    month: Any,
    rows_per_part: int,
    force: bool,
) -> int:
    from controller.adapters.register_files import RegisterFormat

    output = session.output
    if every == (register_id is not None):
        raise click.UsageError(output.text(T("请写一个台账编号，或用 --all 生成全部。")))
    period = _period(output, since, until, year, month)
    application = session.application
    signer = application.person(session.person)
    if every:
        chosen: Sequence[RegisterDefinition] = application.registers.definitions()
        target = out or Path.cwd()
        target.mkdir(parents=True, exist_ok=True)
    else:
        chosen = [application.registers.definition(register_id or "")]
        target = out or Path.cwd()
    built = []
    for definition in chosen:
        note = partial(
            application.trail.exported,
            signer,
            definition.number.text,
            facts={"format": kind, "period": str(period)},
        )
        with output.progress(T("正在生成《{title}》", title=definition.title)) as progress:
            written = application.register_files.write(
                definition,
                RegisterFormat(kind),
                target,
                period=period,
                force=force,
                rows_per_part=rows_per_part,
                progress=progress,
                before=note,
            )
        built.append(written)
        _show(output, written)
    output.document({"registers": [_written_data(item) for item in built]})
    return 0


def _period(output: Output, since: Any, until: Any, year: int | None, month: Any) -> Period:
    ways = [since is not None or until is not None, year is not None, month is not None]
    if sum(ways) > 1:
        raise click.UsageError(output.text(T("期间只能用一种写法：--from/--to、--year 或 --month。")))
    if year is not None:
        return Period(date(year, 1, 1), date(year, 12, 31))
    if month is not None:
        first = month.date()
        following = (first + timedelta(days=31)).replace(day=1)
        return Period(first, following - timedelta(days=1))
    period = Period(since.date() if since else None, until.date() if until else None)
    if period.first is not None and period.last is not None and period.first > period.last:
        raise click.UsageError(output.text(T("--from 不能晚于 --to。")))
    return period


def _show(output: Output, written: WrittenRegister) -> None:
    summary, definition = written.summary, written.definition
    for path in written.files:
        output.line(T("已生成：{path}", path=path))
    if not definition.available:
        reason = definition.unavailable_reason or T("所需数据随后续功能提供")
        output.line(T("《{title}》暂无数据：{reason}", title=definition.title, reason=reason))
        return
    output.line(
        T(
            "《{title}》共 {rows} 行，其中作废 {voided}。",
            title=definition.title,
            rows=summary.rows,
            voided=summary.voided,
        )
    )
    found = summary.completeness
    missing = sum(run.missing_count for run in found.runs)
    if found.complete:
        if found.runs:
            output.line(T("编号完整：没有缺号、重号，引用的记录都在。"))
        return
    output.line(
        T(
            "完整性待查：缺号 {missing}，重号 {doubled}，引用无着 {dangling}"
            "，未知表单 {unknown}，未能算出 {failures} 处。",
            missing=missing,
            doubled=sum(len(run.doubled) for run in found.runs),
            dangling=found.dangling_count,
            unknown=len(found.unknown_forms),
            failures=len(found.failures),
        )
    )


def _written_data(written: WrittenRegister) -> dict[str, object]:
    summary, definition, period = written.summary, written.definition, written.period
    found = summary.completeness
    return {
        "id": definition.id,
        "number": definition.number.text,
        "title": definition.title,
        "revision": definition.revision.text,
        "available": definition.available,
        "period": {"from": _iso(period.first), "to": _iso(period.last)},
        "files": [str(path) for path in written.files],
        "rows": summary.rows,
        "voided": summary.voided,
        "statistics": [
            {
                "id": item.id,
                "label": item.label,
                "as_it_should_be": item.as_it_should_be,
                "lines": [
                    {
                        "group": line.group or None,
                        "numerator": line.numerator,
                        "denominator": line.denominator,
                        "result": line.result,
                        "detail": line.detail or None,
                    }
                    for line in item.lines
                ],
            }
            for item in summary.statistics
        ],
        "completeness": {
            "complete": found.complete,
            "numbers": [
                {
                    "form": run.form,
                    "year": run.year,
                    "given": run.given,
                    "filed": run.filed,
                    "voided": run.voided,
                    "missing": [list(gap) for gap in run.missing],
                    "doubled": run.doubled,
                }
                for run in found.runs
            ],
            "dangling": [{"record": a, "field": b, "number": c} for a, b, c in found.dangling],
            "unknown_forms": [{"form": form, "records": count} for form, count in found.unknown_forms],
            "not_worked_out": [{"place": place, "rows": count} for place, count in found.failures],
        },
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None
