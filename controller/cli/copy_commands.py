"""命令 `qms copy`. Controlled copies: hand out, sign for, call back, take in, destroy with a witness, list."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller.cli.commands import M, acting, group, option
from controller.cli.files import read_bytes, write_output
from controller.domain.controlled_copies import OWED, Medium
from controller.domain.identifiers import RecordNumber
from controller.domain.paper_signature import OUTCOMES, SIGNED
from controller.domain.text import T, moment_text

if TYPE_CHECKING:
    from datetime import datetime

    from controller.bootstrap import Application
    from controller.cli.main import Session
    from controller.cli.output import Output
    from controller.domain.controlled_copies import ControlledCopy
    from controller.domain.identifiers import Digest
    from controller.services.copy_desk import CopyAct

_NUMBER = click.argument("number", metavar="NUMBER")
_RECORD = click.argument("record", metavar="NUMBER")
_COPY = option("--copy", metavar="N", required=True, help=M("发放号，例如 01。"))
_COPIES = option("--copy", "copies", metavar="N", multiple=True, help=M("发放号；可重复。"))
_REASON = option("--reason", metavar="TEXT", default="", help=M("原因。"))


@group("copy", M("受控副本：发放、签收、收回、遗失、销毁，查看谁持有哪一份。"))
def copy() -> None:
    pass


@copy.command("issue", help=M("发放一份受控副本：编发放号、填发放回收记录、打印每页注明发放号和领用人的 PDF。"))
@_NUMBER
@option("--to", "to", metavar="PERSON", required=True, help=M("领用人（姓名或工号）、部门，或“外部：单位名称”。"))
@option("--revision", metavar="REV", help=M("版本（默认：已批准的最新版本）。"))
@option(
    "--medium",
    type=click.Choice([item.value for item in Medium]),
    default=Medium.PAPER.value,
    metavar="TEXT",
    help=M("载体：纸质（默认）或电子。"),
)
@option(
    "--out", "target", type=click.Path(path_type=Path, dir_okay=False), help=M("打印为哪个 PDF 文件（纸质副本必填）。")
)
@option("--force", is_flag=True, help=M("文件已存在时覆盖。"))
@acting
@click.pass_obj
def issue(
    session: Session, number: str, to: str, revision: str | None, medium: str, target: Path | None, *, force: bool
) -> int:
    application, out = session.application, session.output
    by = application.person(session.person)
    if target is not None and target.suffix.lower() != ".pdf":
        raise click.UsageError(out.text(T("受控副本的文件名应以 .pdf 结尾。")))
    planned = application.copy_issuing.plan(number, to, by.signatory, revision=revision, medium=medium)
    if target is None and planned.medium == Medium.PAPER.value:
        raise click.UsageError(
            out.text(T("纸质副本要打印出来：请用 --out 副本.pdf 写明打印为哪个文件；电子副本请写 --medium 电子。"))
        )
    if target is None:
        done = application.copy_issuing.issue(planned, by)
    else:
        acts: list[CopyAct] = []

        def file(shown: Digest) -> None:
            acts.append(application.copy_issuing.issue(planned, by, shown=shown))

        pdf = application.controlled_print(planned, by.signatory.name)
        write_output(target, pdf, force=force, before=file)
        done = acts[0]
    out.line(
        T(
            "已发放 {number} {revision}《{title}》第 {copy} 号受控副本（{medium}），领用：{holder}。",
            number=planned.number,
            revision=planned.revision,
            title=planned.title,
            copy=planned.copy,
            medium=planned.medium,
            holder=planned.holder.told,
        )
    )
    if planned.beside:
        told = {"holder": planned.holder.told, "copies": list(planned.beside)}
        out.line(T("注意：{holder}已经持有这一版的第 {copies} 号副本。", **told))
    if planned.leaving:
        out.line(T("注意：{number} 已批准作废，作废之日须收回这一份。", number=planned.number))
    if planned.waiting:
        out.line(T("这一版已批准、尚未生效，生效日之前不得据此作业。"))
    _say_records(done, out)
    if target is not None:
        out.line(T("已生成 {file}，每页注明受控号和领用人。", file=target))
    record = done.copies[0].record
    if planned.holder.outside and record:
        out.line(
            T(
                "在纸上签收：qms record sheet {record} --meaning 已阅知 --out 签署单.pdf，签好后 qms copy receive "
                "{number} --copy {copy} --signer 姓名 --scan 扫描件",
                record=record,
                number=planned.number,
                copy=planned.copy,
            )
        )
    elif not planned.holder.outside:
        out.line(T("请领用人签收：qms copy receive {number} --copy {copy}", number=planned.number, copy=planned.copy))
    out.document(_done(application, done) | {"file": str(target) if target is not None else None})
    return 0


@copy.command("receive", help=M("签收一份副本：领用人（或领用部门的人）登录签收；没有账号的归档纸质签收。"))
@_NUMBER
@_COPY
@option("--scan", type=click.Path(path_type=Path, dir_okay=False), help=M("纸上签收的扫描件（PDF、JPEG 或 PNG）。"))
@option("--signer", metavar="NAME", help=M("在纸上签收（或被请求签收）的人的姓名；写了就按纸质签收归档。"))
@option("--organisation", metavar="ORGANISATION", default="", help=M("签收人的单位。"))
@option(
    "--outcome",
    type=click.Choice(list(OUTCOMES)),
    default=SIGNED,
    metavar="OUTCOME",
    help=M("结果：“已签”（默认）、“拒签”或“无法取得”。"),
)
@option("--reason", metavar="TEXT", help=M("拒签或无法取得的原因。"))
@option("--date", "on", type=click.DateTime(["%Y-%m-%d"]), help=M("纸上所写的签名日期（默认：今天），如 2026-01-01。"))
@option("--unread", is_flag=True, help=M("二维码读不出时：确认已人工核对编号和摘要。"))
@acting
@click.pass_obj
def receive(
    session: Session,
    number: str,
    copy: str,
    scan: Path | None,
    signer: str | None,
    organisation: str,
    outcome: str,
    reason: str | None,
    on: datetime | None,
    *,
    unread: bool,
) -> int:
    application, out = session.application, session.output
    by = application.person(session.person)
    if signer is None:
        if scan is not None or outcome != SIGNED or reason:
            raise click.UsageError(out.text(T("归档纸质签收要用 --signer 写明签收人。")))
        done = application.copy_issuing.receive(number, copy, by)
    else:
        from controller.file_formats.scan_file import LARGEST
        from controller.services.paper_signing import TakenPaper

        paper = TakenPaper(
            meaning="",
            signer=signer,
            outcome=outcome,
            name=scan.name if scan is not None else "",
            scan=read_bytes(scan, limit=LARGEST + 1) if scan is not None else None,
            organisation=organisation,
            on=on.date() if on is not None else None,
            reason=reason,
            unread=unread,
        )
        done = application.copy_issuing.receive_on_paper(number, copy, by, paper)
    return _say(application, out, done)


@copy.command("recall", help=M("通知收回副本：版本已不再有效的全部，或用 --copy 指定的（写明原因）。"))
@_NUMBER
@_COPIES
@_REASON
@acting
@click.pass_obj
def recall(session: Session, number: str, copies: tuple[str, ...], reason: str) -> int:
    application, out = session.application, session.output
    by = application.person(session.person)
    return _say(application, out, application.copy_recall.recall(number, by, copies=copies, reason=reason))


@copy.command("return", help=M("登记收回了一份副本。"))
@_NUMBER
@_COPY
@option("--why", metavar="TEXT", help=M("换版、作废、离岗、破损或其他（默认：按版本是否仍有效）。"))
@acting
@click.pass_obj
def return_(session: Session, number: str, copy: str, why: str | None) -> int:
    application, out = session.application, session.output
    by = application.person(session.person)
    done = application.copy_recall.take_back(number, copy, by, why=why)
    _say(application, out, done)
    standing = application.copies.recall_standing(done.copies[0].number)
    if standing.out:
        out.line(
            T(
                "还有 {count} 份没有收回：{copies}。",
                count=len(standing.out),
                copies=[f"{item.copy} {item.holder.told}" for item in standing.out],
            )
        )
    return 0


@copy.command("lost", help=M("登记一份副本遗失，写明经过。"))
@_NUMBER
@_COPY
@option("--reason", metavar="TEXT", required=True, help=M("遗失经过与处理。"))
@acting
@click.pass_obj
def lost(session: Session, number: str, copy: str, reason: str) -> int:
    application, out = session.application, session.output
    by = application.person(session.person)
    return _say(application, out, application.copy_recall.lose(number, copy, by, reason=reason))


@copy.command("request-destruction", help=M("申请销毁已收回的副本：填写文件销毁审批记录，由质量负责人批准。"))
@_NUMBER
@option("--copy", "copies", metavar="N", multiple=True, required=True, help=M("发放号；可重复。"))
@option("--reason", metavar="TEXT", required=True, help=M("销毁原因。"))
@option("--no-hold", is_flag=True, help=M("已核对没有保全、在查或诉讼。"))
@acting
@click.pass_obj
def request_destruction(session: Session, number: str, copies: tuple[str, ...], reason: str, *, no_hold: bool) -> int:
    application, out = session.application, session.output
    by = application.person(session.person)
    filed = application.copy_destruction.request(number, copies, by, reason=reason, no_hold=no_hold)
    out.line(T("已申请销毁：{record}", record=filed.number))
    out.line(T("由质量负责人批准：qms record advance {record} --stage 已批准 --set method=粉碎", record=filed.number))
    out.line(T("批准后由销毁人登记：qms copy destroy {record}", record=filed.number))
    out.document({"record": filed.number.text, "stage": filed.state.stage, "copies": list(copies)})
    return 0


@copy.command("destroy", help=M("登记已销毁副本（按批准的文件销毁审批记录）；另一人确认后才算销毁。"))
@_RECORD
@acting
@click.pass_obj
def destroy(session: Session, record: str) -> int:
    application, out = session.application, session.output
    by = application.person(session.person)
    done = application.copy_destruction.destroy(RecordNumber(record), by)
    _say(application, out, done)
    out.line(T("请在场的监销人确认：qms copy confirm-destroyed {record} --as 监销人", record=record))
    return 0


@copy.command("confirm-destroyed", help=M("作为监销人确认副本已销毁；不得与销毁人为同一人。"))
@_RECORD
@acting
@click.pass_obj
def confirm_destroyed(session: Session, record: str) -> int:
    application, out = session.application, session.output
    by = application.person(session.person)
    done = application.copy_destruction.confirm(RecordNumber(record), by)
    _say(application, out, done)
    out.line(T("归档的版本仍然保存在档案中。"))
    return 0


@copy.command("list", help=M("列出副本：发放号、版本、持有者、状态；--outstanding 只列待签收和待收回的。"))
@click.argument("number", metavar="[NUMBER]", required=False)
@option("--outstanding", is_flag=True, help=M("只列待签收、待收回和待监销人确认的。"))
@click.pass_obj
def list_copies(session: Session, number: str | None, *, outstanding: bool) -> int:
    application, out = session.application, session.output
    reading = application.copies
    numbers = [reading.resolve(number)] if number is not None else reading.numbers()
    rows: list[list[object]] = []
    told = []
    for one in numbers:
        governing = reading.governing(one)
        for item in reading.held(one).copies:
            state = item.state(reading.today, governing)
            if outstanding and state not in OWED and not item.unwitnessed:
                continue
            words = item.told_state(reading.today, governing)
            rows.append([one, item.copy, item.revision, item.holder.told, item.medium, words, moment_text(item.since)])
            told.append(copy_data(item) | {"state": state.value})
    headings = [T("编号"), T("发放号"), T("版本"), T("持有者"), T("载体"), T("状态"), T("自")]
    if rows:
        out.table(headings, rows)
    else:
        out.line(T("没有待签收或待收回的副本。") if outstanding else T("没有发放过受控副本。"))
    standings = [standing for standing in map(reading.recall_standing, numbers) if standing.recalled or standing.lost]
    for standing in standings:
        out.line(
            T(
                "{number}：应收回 {recalled} 份，已收回 {back} 份，遗失 {lost} 份。",
                number=standing.number,
                recalled=standing.recalled,
                back=standing.back,
                lost=standing.lost,
            )
        )
    out.document(
        {
            "copies": told,
            "recalls": [
                {"number": item.number, "recalled": item.recalled, "back": item.back, "lost": item.lost}
                for item in standings
            ],
        }
    )
    return 1 if outstanding and rows else 0


def _say(application: Application, out: Output, done: CopyAct) -> int:
    """Say how the copies stand after an act."""
    for item in done.copies:
        out.line(
            T(
                "{number} {revision} 第 {copy} 号副本（{holder}）：{state}",
                number=item.number,
                revision=item.revision,
                copy=item.copy,
                holder=item.holder.told,
                state=application.copies.told_state(item),
            )
        )
    _say_records(done, out)
    out.document(_done(application, done))
    return 0


def _say_records(done: CopyAct, out: Output) -> None:
    for filed in done.act.records:
        out.line(T("记录：{record}", record=filed.number))


def _done(application: Application, done: CopyAct) -> dict[str, Any]:
    return {
        "copies": [copy_data(item) | {"state": application.copies.state(item).value} for item in done.copies],
        "records": [item.number.text for item in done.act.records],
        "commit": done.act.commit,
    }


def copy_data(item: ControlledCopy) -> dict[str, Any]:
    """Return one copy as data."""
    destroyed = item.destruction
    return {
        "number": item.number,
        "copy": item.copy,
        "revision": item.revision,
        "department": item.holder.department,
        "holder": item.holder.name,
        "person": item.holder.person or None,
        "medium": item.medium,
        "issued_at": item.issued_at,
        "issued_by": item.issued_by,
        "since": item.since,
        "by": item.by,
        "reason": item.reason or None,
        "on_paper": item.on_paper or None,
        "record": item.record or None,
        "recalls": [
            {"from": one.begins.isoformat(), "change": one.change or None, "reason": one.reason or None}
            for one in item.recalls
        ],
        "destruction": {
            "by": destroyed.by.person,
            "at": destroyed.at,
            "method": destroyed.method,
            "record": destroyed.record,
            "witness": destroyed.witness or None,
        }
        if destroyed is not None
        else None,
    }
