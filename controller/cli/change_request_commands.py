"""命令 `qms change` 的更改部分. Open a change, submit, review, return, approve, postpone, issue and close it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller.cli.change_next_step import tell_drafting, tell_next, tell_nobody_reads, tell_voided
from controller.cli.change_request_view import (
    request_data,
    show_impact,
    show_request,
    show_workload,
    told_items,
)
from controller.cli.commands import M, acting, command, option
from controller.cli.files import write_output
from controller.cli.questions import agreed
from controller.domain.change_request import STATUS_LABELS, TRIGGERS, ChangeKind
from controller.domain.library_day import ItemKind
from controller.domain.statement import Event
from controller.domain.text import T

if TYPE_CHECKING:
    from datetime import date, datetime

    from controller.cli.main import Session
    from controller.services.change_approval import SignedChange, ToSign

_KINDS = [kind.value for kind in ChangeKind]
_DAY = click.DateTime(formats=["%Y-%m-%d"])


def _day(value: datetime | None) -> date | None:
    return value.date() if value is not None else None


@command("open", M("提出文件更改：写明改哪些文件、为什么；可以一次改几份。"))
@option("--document", "documents", metavar="NUMBER", multiple=True, help=M("要更改的文件、表单、台账的编号；可重复。"))
@option("--new", "new", metavar="NUMBER", multiple=True, help=M("新增文件的编号；可重复，与 --title 一一对应。"))
@option("--title", "titles", metavar="TEXT", multiple=True, help=M("新增文件的名称。"))
@option("--owner", metavar="DEPARTMENT", default="质管部", help=M("新增文件的归口部门（默认质管部）。"))
@option(
    "--kind",
    type=click.Choice(_KINDS),
    metavar="KIND",
    default=ChangeKind.REVISE.value,
    help=M("类型：修订（默认）、换版、作废。"),
)
@option("--reason", metavar="TEXT", required=True, help=M("更改原因。"))
@option(
    "--trigger",
    "triggers",
    type=click.Choice(TRIGGERS),
    metavar="TRIGGER",
    multiple=True,
    help=M("触发原因：法规变化、自查/检查发现、投诉/不良事件、组织或业务变化、定期复审、其他；可重复。"),
)
@option("--plan", type=_DAY, help=M("计划完成日期。"))
@option("--effective", type=_DAY, help=M("希望从哪天起生效（默认批准后按规则定）。"))
@acting
@click.pass_obj
def open_change(
    session: Session,
    documents: tuple[str, ...],
    new: tuple[str, ...],
    titles: tuple[str, ...],
    owner: str,
    kind: str,
    reason: str,
    triggers: tuple[str, ...],
    plan: datetime | None,
    effective: datetime | None,
) -> int:
    from controller.services.change_drafting import ChangeOrder, NewDocument

    out, application = session.output, session.application
    if not documents and not new:
        raise click.UsageError(out.text(T("请用 --document 写明要改的文件，或用 --new 和 --title 新增文件。")))
    if len(new) != len(titles):
        raise click.UsageError(out.text(T("--new 和 --title 要一一对应。")))
    by = application.person(session.person)
    order = ChangeOrder(
        kind=ChangeKind(kind),
        reason=reason,
        triggers=triggers or ("其他",),
        items=documents,
        new=tuple(NewDocument(number, title, owner) for number, title in zip(new, titles, strict=True)),
        plan=_day(plan),
        effective=_day(effective),
    )
    request = application.change_drafting.open(order, by)
    out.line(T("已提出更改 {number}：{items}", number=request.number, items=told_items(request)))
    show_impact(application, request, out)
    tell_drafting(request, out)
    out.document(request_data(application, request, out))
    return 0


@command("list", M("列出文件更改和它们的状态。"))
@option("--open", "only_open", is_flag=True, help=M("只列没有批准、取消的。"))
@click.pass_obj
def list_changes(session: Session, *, only_open: bool) -> int:
    out, changes = session.output, session.application.changes
    found = list(changes.open() if only_open else changes.all())
    rows = [
        (item.number, item.kind.value, told_items(item), STATUS_LABELS[item.status], item.by.name, item.reason[:30])
        for item in found
    ]
    out.table([T("更改"), T("类型"), T("文件"), T("状态"), T("提出人"), T("原因")], rows)
    if not found:
        out.line(T("没有文件更改。"))
    out.document([request_data(session.application, item, out) for item in found])
    return 0


@command("show", M("查看一项更改：文件、影响、意见、签署、下一步。"))
@click.argument("number", metavar="NUMBER")
@click.pass_obj
def show(session: Session, number: str) -> int:
    out, application = session.output, session.application
    request = application.changes.read(number)
    show_request(application, request, out)
    out.document(request_data(application, request, out, whole=True))
    return 0


@command("take", M("把文件夹里改好的表单、台账、清单收入更改的草稿。"))
@click.argument("number", metavar="NUMBER")
@option("--undo", "paths", metavar="PATH", multiple=True, help=M("反过来：把草稿里的这个文件恢复成现行内容；可重复。"))
@acting
@click.pass_obj
def take(session: Session, number: str, paths: tuple[str, ...]) -> int:
    out, application = session.output, session.application
    before = application.changes.read(number)
    by, saving = application.person(session.person), application.draft_saving
    request = saving.undo(number, paths, by) if paths else saving.take(number, by)
    changed = sorted(
        path for path in {*before.files, *request.files} if before.files.get(path) != request.files.get(path)
    )
    for path in changed:
        out.line(f"  {path}")
    count = len(changed)
    if paths:
        out.line(T("更改 {number} 的草稿里 {count} 个文件已恢复成现行内容。", number=request.number, count=count))
    else:
        out.line(T("已收入更改 {number} 的草稿 {count} 个文件。", number=request.number, count=count))
    tell_voided(before, request, out)
    tell_next(application, request, out)
    out.document(request_data(application, request, out))
    return 0


@command("submit", M("提交审核：起草人签名，同时生成申请审批表和更改申请单。"))
@click.argument("number", metavar="NUMBER")
@option("--effective", type=_DAY, help=M("从哪天起生效。"))
@option("--out", "folder", type=click.Path(), metavar="DIR", help=M("把要签的 PDF 放到这个文件夹里看。"))
@option("--yes", is_flag=True, help=M("不再询问。"))
@acting
@click.pass_obj
def submit(session: Session, number: str, effective: datetime | None, folder: str | None, *, yes: bool) -> int:
    done = _sign(session, number, Event.CHANGE_SUBMITTED, effective=_day(effective), folder=folder, yes=yes)
    out = session.output
    out.line(T("更改 {number} 已提交审核。", number=done.request.number))
    for filed in done.act.records:
        if filed.state.stage == "submitted":
            out.line(T("  已归档记录 {number}", number=filed.number))
    return _finish(session, done)


@command("review", M("审核更改：意见全部答复之后，由审核人签名。"))
@click.argument("number", metavar="NUMBER")
@option("--reason", metavar="TEXT", help=M("审核意见。"))
@option("--out", "folder", type=click.Path(), metavar="DIR", help=M("把要签的 PDF 放到这个文件夹里看。"))
@option("--yes", is_flag=True, help=M("不再询问。"))
@acting
@click.pass_obj
def review(session: Session, number: str, reason: str | None, folder: str | None, *, yes: bool) -> int:
    done = _sign(session, number, Event.CHANGE_REVIEWED, reason=reason, folder=folder, yes=yes)
    session.output.line(T("更改 {number} 已审核。", number=done.request.number))
    return _finish(session, done)


@command("approve", M("批准更改：签名，定下生效日期；到那天自动生效。"))
@click.argument("number", metavar="NUMBER")
@option("--effective", type=_DAY, help=M("从哪天起生效（默认按提交时所定）。"))
@option("--reason", metavar="TEXT", help=M("批准意见。"))
@option("--out", "folder", type=click.Path(), metavar="DIR", help=M("把要签的 PDF 放到这个文件夹里看。"))
@option("--yes", is_flag=True, help=M("不再询问。"))
@acting
@click.pass_obj
def approve(
    session: Session, number: str, effective: datetime | None, reason: str | None, folder: str | None, *, yes: bool
) -> int:
    day = _day(effective)
    done = _sign(session, number, Event.CHANGE_APPROVED, effective=day, reason=reason, folder=folder, yes=yes)
    out, request = session.output, done.request
    out.line(T("更改 {number} 已批准，从 {day} 起生效。", number=request.number, day=request.effective or ""))
    for item in request.items:
        standing = session.application.training.find(item.number, item.after) if item.after else None
        if standing is not None:
            out.line(T("  {number} {standing}", number=item.number, standing=standing.explain()))
    tell_nobody_reads(session.application, request, out)
    return _finish(session, done)


@command("comment", M("对草稿提意见；答复之后才能审核、批准。"))
@click.argument("number", metavar="NUMBER")
@click.argument("text", metavar="TEXT")
@option("--document", "item", metavar="NUMBER", help=M("对哪份文件（只改一份时不用写）。"))
@option("--clause", metavar="TEXT", default="", help=M("对哪一条。"))
@acting
@click.pass_obj
def comment(session: Session, number: str, text: str, item: str | None, clause: str) -> int:
    out, application = session.output, session.application
    by = application.person(session.person)
    request = application.change_steps.comment(number, text, by, item=item, clause=clause)
    out.line(T("意见已记下，序号 {id}。", id=request.comments[-1].id))
    tell_next(application, request, out)
    out.document(request_data(application, request, out))
    return 0


@command("resolve", M("答复一条意见。"))
@click.argument("number", metavar="NUMBER")
@click.argument("comment_id", metavar="N")
@option("--answer", metavar="TEXT", required=True, help=M("答复：改在哪里，或为什么不改。"))
@acting
@click.pass_obj
def resolve(session: Session, number: str, comment_id: str, answer: str) -> int:
    out, application = session.output, session.application
    request = application.change_steps.resolve(number, comment_id, answer, application.person(session.person))
    out.line(T("已答复；还有 {count} 条待答复。", count=len(request.unresolved)))
    tell_next(application, request, out)
    out.document(request_data(application, request, out))
    return 0


@command("return", M("退回更改：写明原因，原来的签名全部作废。"))
@click.argument("number", metavar="NUMBER")
@option("--reason", metavar="TEXT", required=True, help=M("退回的原因。"))
@acting
@click.pass_obj
def send_back(session: Session, number: str, reason: str) -> int:
    out, application = session.output, session.application
    before = application.changes.read(number)
    request = application.change_steps.send_back(number, application.person(session.person), reason=reason)
    out.line(T("更改 {number} 已退回给{name}。", number=request.number, name=(before.saved_by or before.by).name))
    tell_voided(before, request, out)
    tell_next(application, request, out)
    out.document(request_data(application, request, out))
    return 0


@command("cancel", M("取消一项没有批准的更改；编号不再使用。"))
@click.argument("number", metavar="NUMBER")
@option("--reason", metavar="TEXT", required=True, help=M("取消的原因。"))
@acting
@click.pass_obj
def cancel(session: Session, number: str, reason: str) -> int:
    out, application = session.output, session.application
    request = application.change_steps.cancel(number, application.person(session.person), reason=reason)
    out.line(T("更改 {number} 已取消。", number=request.number))
    out.document(request_data(application, request, out))
    return 0


@command("postpone", M("更改已批准版本的生效日期。"))
@click.argument("number", metavar="NUMBER")
@option("--document", "item", metavar="NUMBER", help=M("哪份文件（只改一份时不用写）。"))
@option("--to", "day", type=_DAY, required=True, help=M("改为哪天起生效。"))
@option("--reason", metavar="TEXT", required=True, help=M("原因。"))
@acting
@click.pass_obj
def postpone(session: Session, number: str, item: str | None, day: datetime, reason: str) -> int:
    out, application = session.output, session.application
    by = application.person(session.person)
    request = application.change_steps.postpone(number, item, day.date(), by, reason=reason)
    for one in request.items:
        if item is None or one.number.endswith(item.strip().upper()):
            out.line(T("{item} 改为从 {day} 起生效。", item=one.number, day=day.date()))
    out.document(request_data(application, request, out))
    return 0


@command("issue", M("发放：文件管理员登记发放，安排培训记录。"))
@click.argument("number", metavar="NUMBER")
@acting
@click.pass_obj
def issue(session: Session, number: str) -> int:
    out, application = session.output, session.application
    request = application.change_steps.issue(number, application.person(session.person))
    out.line(T("更改 {number} 已发放。", number=request.number))
    tell_nobody_reads(application, request, out)
    for item in request.items:
        if item.kind is ItemKind.DOCUMENT and item.after is not None:
            out.line(
                T(
                    "  发给使用的部门或人：qms copy issue {number} --to 部门或姓名 --out 副本.pdf；"
                    "更改通知：qms training notice {number} --out 更改通知.pdf",
                    number=item.number,
                )
            )
    tell_next(application, request, out)
    out.document(request_data(application, request, out))
    return 0


@command("close", M("办结：生效、培训完成、旧版收回之后，由文件管理员办结。"))
@click.argument("number", metavar="NUMBER")
@option("--reason", metavar="TEXT", default="", help=M("还有未完成的事项时，写明为什么先办结。"))
@acting
@click.pass_obj
def close(session: Session, number: str, reason: str) -> int:
    out, application = session.output, session.application
    request = application.change_steps.close(number, application.person(session.person), reason=reason)
    out.line(T("更改 {number} 已办结。", number=request.number))
    out.document(request_data(application, request, out))
    return 0


def _sign(
    session: Session,
    number: str,
    event: Event,
    *,
    effective: date | None = None,
    reason: str | None = None,
    folder: str | None = None,
    yes: bool,
) -> SignedChange:
    application = session.application

    def show(shown: ToSign) -> None:
        _show_what_is_signed(session, shown, folder, ask=not yes)

    by = application.person(session.person)
    return application.change_approval.sign(number, event, by, effective=effective, reason=reason, show=show)


def _show_what_is_signed(session: Session, shown: ToSign, folder: str | None, *, ask: bool) -> None:
    out, application = session.output, session.application
    request = shown.request
    out.line(
        T(
            "签署：{step}，更改 {number}：{items}",
            step=shown.step.label,
            number=request.number,
            items=told_items(request),
        )
    )
    place = Path(folder) if folder else application.local_folder / "待签" / request.number
    for prepared in shown.documents:
        target = place / f"{prepared.draft.subject}.pdf"
        write_output(target, prepared.pdf, force=True)
        out.line(T("  {number} 的 PDF：{file}", number=prepared.draft.subject, file=target))
    out.line(T("  生效日期：{day}", day=shown.effective))
    show_impact(application, request, out)
    if not out.as_json:
        show_workload(application, request, out)
    out.findings(shown.findings)
    if ask and not out.as_json and sys.stdin.isatty() and not agreed(out, T("已看过，签署？")):
        raise click.Abort


def _finish(session: Session, done: SignedChange) -> int:
    out, application = session.output, session.application
    if done.exempted:
        out.line(T("依两人企业豁免签署。"))
    tell_next(application, done.request, out)
    data: dict[str, Any] = request_data(application, done.request, out)
    data["records_filed"] = sorted({filed.number.text for filed in done.act.records})
    data["exempted"] = done.exempted
    out.document(data)
    return 0
