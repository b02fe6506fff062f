"""命令 `qms verify`. Examines the whole workspace: what was looked at, what is wrong, what cannot be known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.cli.commands import M, command, option
from controller.domain.conformity import Gravity
from controller.domain.errors import RefusedError
from controller.domain.identifiers import RecordNumber
from controller.domain.text import T

if TYPE_CHECKING:
    from controller.cli.main import Session
    from controller.cli.output import Output
    from controller.services.verification import VerificationReport


class ReportKindError(RefusedError):
    """报告格式不支持."""

    code = "report-kind-unknown"

    def __init__(self, *, path: Path) -> None:
        super().__init__(
            T("检查报告不能写成“{name}”这种文件。", name=path.name),
            hint=T("文件名以 .pdf 或 .docx 结尾。"),
            where=str(path),
        )


@command("verify", M("检查档案、签名、人员和受控文件是否完整、可信。"))
@option("--rerender", is_flag=True, help=M("同时重新生成每份记录的 Word 版面，与归档时的摘要比对。"))
@option(
    "--report",
    "report_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help=M("把检查结果写成报告（.pdf 或 .docx）。"),
)
@option("--force", is_flag=True, help=M("报告文件已存在时覆盖它。"))
@option(
    "--stock",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help=M("不在这里检查，而是导出全部档案和核对方法，供他人不用本程序自行核对。"),
)
@click.argument("record", metavar="[NUMBER]", required=False)
@click.pass_obj
def verify(
    session: Session, *, record: str | None, rerender: bool, report_file: Path | None, force: bool, stock: Path | None
) -> int:
    from controller.cli.files import write_output

    out = session.output
    if record is not None:
        return _one_record(session, record)
    if stock is not None:
        from controller.cli.stock_output import write_stock

        return write_stock(session.application, stock, out, person=session.person)
    if report_file is not None:
        _check_report(report_file, force=force)
    application = session.application
    with out.progress(T("正在检查")) as progress:
        report = application.verify(rerender=rerender, progress=progress)
    out.findings(report.findings)
    _summary(out, report)
    if report_file is not None:
        pdf = report_file.suffix.lower() == ".pdf"
        write_output(report_file, application.verification_report(report, pdf=pdf, translate=out.text), force=force)
        out.line(T("检查报告：{file}", file=report_file))
    counts = report.counts
    out.document(
        {
            "records": report.records,
            "entries": report.entries,
            "statements": counts.statements,
            "signatures": counts.signatures,
            "commits": counts.commits,
            "unopened": report.unopened,
            "fingerprint": report.fingerprint,
            "root": report.root.text if report.root else None,
            "rendered": report.rendered,
            "rendered_same": report.rendered_same,
            "report": str(report_file) if report_file is not None else None,
            "findings": [out.finding_data(item) | {"since": item.since} for item in report.findings],
        }
    )
    return 1 if report.of_gravity(Gravity.ERROR) else 0


def _one_record(session: Session, record: str) -> int:
    """Print who has signed one record, what each signature is worth, and who is still missing."""
    out = session.output
    standing = session.application.verify_record(RecordNumber(record))
    yes, no = T("是"), T("否")
    out.line(T("{number} {title}，现在：{stage}", number=standing.number, title=standing.title, stage=standing.stage))
    columns = [
        T("条目"),
        T("时间"),
        T("姓名"),
        T("岗位"),
        T("含义"),
        T("阶段"),
        T("完整"),
        T("有效"),
        T("可信"),
        T("准时"),
    ]
    rows: list[list[object]] = []
    for item in standing.signed:
        worth = [yes if answer else no for answer in (item.intact, item.valid, item.trusted, item.timely)]
        at = item.at.replace("T", " ")
        rows.append([item.sequence, at, item.by.name, item.by.post, item.meaning, item.stage, *worth])
    out.table(columns, rows)
    out.findings([finding for item in standing.signed for finding in item.findings])
    out.findings(standing.findings)
    for step in standing.missing:
        posts: object = list(step.posts) or T("任何人")
        out.line(
            T("尚未签署：{stage}（{posts}），现在就可以办理", stage=step.stage, posts=posts)
            if step.following
            else T("尚未签署：{stage}（{posts}）", stage=step.stage, posts=posts)
        )
    if standing.voided:
        out.line(T("这份记录已作废。"))
    elif not standing.missing:
        out.line(T("各阶段都已签署。"))
    out.document(
        {
            "number": standing.number,
            "stage": standing.stage,
            "voided": standing.voided,
            "sound": standing.sound,
            "signed": [
                {
                    "sequence": item.sequence,
                    "act": item.act.value,
                    "by": {"person": item.by.person, "name": item.by.name, "post": item.by.post},
                    "at": item.at,
                    "meaning": item.meaning,
                    "stage": item.stage,
                    "intact": item.intact,
                    "valid": item.valid,
                    "trusted": item.trusted,
                    "timely": item.timely,
                    "findings": [out.finding_data(finding) | {"since": finding.since} for finding in item.findings],
                }
                for item in standing.signed
            ],
            "missing": [
                {"stage": step.stage, "posts": list(step.posts), "following": step.following}
                for step in standing.missing
            ],
            "findings": [out.finding_data(finding) | {"since": finding.since} for finding in standing.findings],
        }
    )
    return 0 if standing.sound else 1


def _check_report(path: Path, *, force: bool) -> None:
    """Refuse a report that could not be written before anything is examined."""
    from controller.adapters.finished_file import FileExistsRefusedError

    if path.suffix.lower() not in {".pdf", ".docx"}:
        raise ReportKindError(path=path)
    if path.exists() and (path.is_dir() or not force):
        raise FileExistsRefusedError(path=path)


def _summary(out: Output, report: VerificationReport) -> None:
    counts = report.counts
    out.line(T("检查了 {records} 份记录、{entries} 个条目。", records=report.records, entries=report.entries))
    out.line(
        T(
            "另有 {statements} 份陈述；核对了 {signatures} 个签名、{commits} 次归档。",
            statements=counts.statements,
            signatures=counts.signatures,
            commits=counts.commits,
        )
    )
    if report.unopened:
        out.line(T("其中 {count} 份记录的敏感内容在本机没有密钥，未能核对。", count=report.unopened))
    if report.rerendered:
        out.line(
            T("重新生成版面 {count} 个，与归档摘要一致 {same} 个。", count=report.rendered, same=report.rendered_same)
        )
    errors = report.of_gravity(Gravity.ERROR)
    if errors:
        out.line(T("发现 {count} 处不符合。", count=len(errors)))
    else:
        out.line(T("摘要、链条、签名、证书、编号和表单绑定全部相符。"))
    out.line(T("整个工作区连同密钥目录一起退回到更早的状态，从内部无法发现，请把档案指纹抄写保存，下次核对。"))
    out.line(T("档案指纹：{fingerprint}（{records} 份记录）", fingerprint=report.fingerprint, records=report.records))
    if report.root is not None:
        out.line(T("根证书指纹：{root}（与封存的指纹单核对）", root=report.root.grouped))
