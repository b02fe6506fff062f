"""命令 `doc checkout` 和 `doc checkin`. A document out to Word and back, with every tracked change and comment."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller.cli.commands import M, acting, command, option
from controller.cli.files import read_bytes, write_output
from controller.cli.output import shortened
from controller.domain.text import T
from controller.domain.trail_event import one_line
from controller.domain.word_changes import CHANGE_LABELS, CLAUSE_CHANGE_LABELS

if TYPE_CHECKING:
    from controller.cli.main import Session
    from controller.cli.output import Output
    from controller.domain.change_request import ChangeRequest
    from controller.domain.identifiers import Digest
    from controller.services.document_checkin import PreparedCheckin

_LISTED = 40
_SHOWN = 60


@command("checkout", M("签出一份文件为 Word 文件，供修改；登记谁签出了它。"))
@click.argument("number", metavar="NUMBER")
@option("--out", "target", type=click.Path(path_type=Path, dir_okay=False), required=True, help=M("输出的 docx 文件。"))
@option("--plain", is_flag=True, help=M("不打开 Word 的修订功能。"))
@option("--force", is_flag=True, help=M("文件已存在时覆盖。"))
@acting
@click.pass_obj
def checkout(session: Session, number: str, target: Path, *, plain: bool, force: bool) -> int:
    out, application = session.output, session.application
    by = application.person(session.person)
    with application.withdrawn_documents.told(number):
        made = application.document_checkout.check_out(number, by=by, tracked=not plain)

    def note(_shown: Digest) -> None:
        application.document_checkout.state(made, by=by)

    write_output(target, made.docx, force=force, before=note)
    document = made.document.document
    out.line(T("已签出 {number}《{title}》{revision}：{file}", number=document.number, title=document.title,
               revision=document.revision, file=target))  # fmt: skip
    if made.change is not None:
        out.line(T("这是更改 {change} 的草稿，“修订”已打开。", change=made.change) if made.tracked
                 else T("这是更改 {change} 的草稿。", change=made.change))  # fmt: skip
    elif made.is_draft:
        out.line(T("这是工作文件夹里的草稿，与现行版本不同。"))
    for other in made.others:
        out.line(
            T("注意：{holder}在 {at} 也签出了这份文件，还没有签入；先签入的为准。", holder=other.holder, at=other.at)
        )
    out.line(T("在 Word、WPS 或 LibreOffice 中改好并保存，再运行：qms doc checkin {file}", file=target))
    out.document(
        {
            "number": document.number.text,
            "revision": document.revision.text,
            "file": str(target),
            "checkout": made.name,
            "draft": made.is_draft,
            "change": made.change,
            "tracked": made.tracked,
            "others": [{"person": other.person, "name": other.holder, "at": other.at} for other in made.others],
        }
    )
    return 0


@command("checkin", M("签入改好的 Word 文件：列出谁改了哪一条，收进草稿。"))
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@option("--reason", metavar="TEXT", default="", help=M("修改原因（换版或接手时必填）。"))
@option("--revise", is_flag=True, help=M("换版：版本进一，写入修订记录。"))
@option("--takeover", is_flag=True, help=M("接手他人签出的文件；须写 --reason，记录在案。"))
@option("--accept-uncertain", is_flag=True, help=M("有疑点时按列出的处理办法签入，不再询问。"))
@acting
@click.pass_obj
def checkin(session: Session, file: Path, reason: str, *, revise: bool, takeover: bool, accept_uncertain: bool) -> int:
    from dataclasses import replace

    from controller.services.document_checkin import CheckinOrder
    from controller.services.text_reading import MAX_BYTES

    out, application = session.output, session.application
    by = application.person(session.person)
    order = CheckinOrder(reason=reason, revise=revise, takeover=takeover, accept_uncertain=accept_uncertain)
    data = read_bytes(file, limit=MAX_BYTES)
    made = application.document_checkin.prepare(data, name=file.name, by=by, order=order)
    _show(made, out)
    if made.doubts and not accept_uncertain and not out.as_json and sys.stdin.isatty():
        out.findings(made.doubts)
        question = T("以上 {count} 处拿不准，都按“→”后的办法处理？", count=len(made.doubts))
        click.confirm(out.text(question), abort=True)
        made = replace(made, order=replace(order, accept_uncertain=True))
    elif made.doubts and accept_uncertain:
        out.findings(made.doubts)
    number = made.document.number
    change = application.document_checkout.desk(number.text).change
    before = application.changes.read(change) if change is not None else None
    application.document_checkin.take_in(made, by=by)
    facts = {"number": number, "revision": made.document.revision}
    if before is not None:
        _tell_change(session, before, facts, changed=bool(made.files))
    elif made.files:
        out.line(T("已签入 {number} {revision}，写入工作文件夹；尚未生效。", **facts))
        out.line(T("查看：qms change status；生效：qms change adopt --reason 原因"))
    else:
        out.line(T("{number} 没有改动，已登记签入。", number=number))
    out.document(_data(made, out) | {"change": change})
    return 0


def _tell_change(session: Session, before: ChangeRequest, facts: dict[str, object], *, changed: bool) -> None:
    """Say that the draft of a change was saved, whose signatures it cost, and what comes next."""
    from controller.cli.change_next_step import tell_next, tell_voided

    out, application = session.output, session.application
    if changed:
        out.line(T("已签入 {number} {revision}，收入更改 {change} 的草稿；尚未生效。", change=before.number, **facts))
    else:
        out.line(T("{number} 的文字没有改动，已登记签入。", number=facts["number"]))
    after = application.changes.read(before.number)
    tell_voided(before, after, out)
    tell_next(application, after, out)


def _show(made: PreparedCheckin, out: Output) -> None:
    compared = made.compared
    called = {clause.id: clause.label.strip() for clause in compared.segment.clauses}
    called |= {item.clause: item.old_label.strip() for item in compared.clauses if item.kind == "removed"}
    if compared.clauses:
        out.line(T("条款的改动（{count} 处）：", count=len(compared.clauses)))
        rows = [
            (
                item.new_label or item.old_label or called.get(item.clause) or item.clause,
                CLAUSE_CHANGE_LABELS[item.kind],
                shortened(one_line(item.old), _SHOWN),
                shortened(one_line(item.new), _SHOWN),
            )
            for item in compared.clauses
        ]
        out.table([T("条款"), T("情况"), T("原文"), T("新文")], rows)
    if compared.changes:
        out.line(T("Word 修订（{count} 处，姓名和时间为文件所写）：", count=len(compared.changes)))
        rows_of = [
            (
                item.author,
                _moment(item.at),
                CHANGE_LABELS[item.kind],
                called.get(item.clause or "") or "",
                shortened(item.text, _SHOWN),
            )
            for item in compared.changes[:_LISTED]
        ]
        out.table([T("谁"), T("时间"), T("做了什么"), T("条款"), T("文字")], rows_of)
        if len(compared.changes) > _LISTED:
            out.line(T("…… 其余 {count} 处见 --json 输出和签入陈述。", count=len(compared.changes) - _LISTED))
    if compared.comments:
        out.line(T("批注（{count} 条，不进入正文）：", count=len(compared.comments)))
        told = [
            (item.author, _moment(item.at), called.get(item.clause or "") or "", item.text)
            for item in compared.comments
        ]
        out.table([T("谁"), T("时间"), T("条款"), T("批注")], told)
    out.findings(made.notes)


def _moment(at: str) -> str:
    """Return a moment without seconds and zone: Word writes the author's own time and calls it UTC."""
    return at[:16].replace("T", " ")


def _data(made: PreparedCheckin, out: Output) -> dict[str, Any]:
    compared = made.compared
    return {
        "number": made.document.number.text,
        "revision": made.document.revision.text,
        "checkout": made.checkout.name,
        "taken_over_from": made.checkout.holder if made.taken_over else None,
        "files": sorted(made.files),
        "clauses": [
            {
                "clause": item.clause,
                "kind": item.kind,
                "old_label": item.old_label,
                "new_label": item.new_label,
                "old": item.old,
                "new": item.new,
                "tracked": item.tracked,
            }
            for item in compared.clauses
        ],
        "changes": [
            {"kind": item.kind.value, "author": item.author, "at": item.at, "text": item.text, "clause": item.clause}
            for item in compared.changes
        ],
        "comments": [
            {"author": item.author, "at": item.at, "text": item.text, "clause": item.clause}
            for item in compared.comments
        ],
        "accepted": [out.finding_data(item) for item in made.doubts],
        "findings": [out.finding_data(item) for item in made.notes],
    }
