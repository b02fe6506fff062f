"""更改的显示. One change on the screen, and as JSON: items, comments, signatures, where it stands item by item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from controller.cli.change_next_step import clause_names, tell_next
from controller.domain.change_impact import impact_data
from controller.domain.change_request import STATUS_LABELS
from controller.domain.library_day import ItemKind
from controller.domain.text import T, moment_text

if TYPE_CHECKING:
    from controller.bootstrap import Application
    from controller.cli.output import Output
    from controller.domain.change_request import ChangedItem, ChangeRequest, ChangeSignature


def told_items(request: ChangeRequest) -> str:
    """Return the items with the revisions they go from and to, as people say them."""
    return "、".join(_told(item) for item in request.items)


def _told(item: ChangedItem) -> str:
    if item.after is None:
        return f"{item.number} {item.before} 作废"
    return f"{item.number} {item.before}→{item.after}" if item.before else f"{item.number} {item.after}（新增）"


def show_request(application: Application, request: ChangeRequest, out: Output) -> None:
    """Print everything about a change that decides what comes next."""
    out.line(
        T(
            "更改 {number}（{kind}）：{status}",
            number=request.number,
            kind=request.kind.value,
            status=STATUS_LABELS[request.status],
        )
    )
    out.line(T("  提出：{name}（{post}）{at}", name=request.by.name, post=request.by.post, at=request.at))
    out.line(T("  原因：{reason}（{triggers}）", reason=request.reason, triggers=list(request.triggers)))
    if request.returned is not None:
        out.line(T("  退回原因：{reason}", reason=request.returned))
    if request.cancelled is not None and request.cancelled_by is not None:
        facts = {"name": request.cancelled_by.name, "post": request.cancelled_by.post, "reason": request.cancelled}
        out.line(T("  取消：{name}（{post}）{at}，原因：{reason}", at=moment_text(request.cancelled_at), **facts))
    if request.effective:
        out.line(T("  生效日期：{day}", day=request.effective))
    for moved in request.postponements:
        facts = {"item": moved.item, "before": moved.before, "after": moved.after, "reason": moved.reason}
        out.line(
            T(
                "  改期：{item} 由 {before} 改为 {after} 生效，{name}（{post}）{at}，原因：{reason}",
                name=moved.by.name,
                post=moved.by.post,
                at=moment_text(moved.at),
                **facts,
            )
        )
    out.table(
        [T("文件"), T("名称"), T("版本"), T("归口部门"), T("情况")],
        [
            (item.number, item.title, _told(item).partition(" ")[2], item.owner, _now(application, request, item))
            for item in request.items
        ],
    )
    if request.open:
        show_impact(application, request, out)
    if request.comments:
        names = {item.number: clause_names(application, request, item.number) for item in request.items}
        rows = [
            (
                item.id,
                item.by,
                names.get(item.item, {}).get(item.clause, item.clause),
                item.text,
                item.answer or T("待答复"),
            )
            for item in request.comments
        ]
        out.table([T("序号"), T("提出人"), T("条款"), T("意见"), T("答复")], rows)
    signed = [
        (item.meaning, item.by.name, item.by.post, moment_text(item.at), _aside(item)) for item in request.signatures
    ]
    if signed:
        out.table([T("签署"), T("姓名"), T("岗位"), T("时间"), T("备注")], signed)
    records = [record for forms in request.records.values() for record in forms.values()]
    if records:
        out.line(T("  记录：{numbers}", numbers=records))
    if request.former_records:
        out.line(T("  以前各轮的记录（已退回或重新提交）：{numbers}", numbers=list(request.former_records)))
    tell_next(application, request, out)


def show_impact(application: Application, request: ChangeRequest, out: Output) -> None:
    """Print what a change touches, and what it asks of whom besides."""
    impact = application.told_impact(request, application.changes.draft(request, application.approved_files))
    for line in (*impact.lines, *impact.workload):
        out.line(T("  {line}", line=line))


def show_workload(application: Application, request: ChangeRequest, out: Output) -> None:
    """Print what the deadlines and frequencies of the drafts will ask of each person in a year."""
    from controller.cli.workload_commands import show_loads
    from controller.services.document_library import DocumentLibrary

    library = DocumentLibrary(application.changes.draft(request, application.approved_files))
    for item in request.items:
        if item.kind is ItemKind.DOCUMENT and item.after is not None:
            loads = application.workload_counting.of(library.show(item.number)).loads
            if loads:
                out.line(T("{number} {revision} 的工作量：", number=item.number, revision=item.after))
                show_loads(loads, out)


def _aside(item: ChangeSignature) -> object:
    """Return what else there is to say of a signature: why it is void, the exemption it was made under, its reason."""
    if item.void_because is not None:
        return item.void_because
    if item.exempted:
        return T("依两人企业豁免；{reason}", reason=item.reason) if item.reason else T("依两人企业豁免")
    return item.reason or ""


def _now(application: Application, request: ChangeRequest, item: ChangedItem) -> object:
    if request.effective is None:
        return STATUS_LABELS[request.status]
    today = application.clock.now().date().isoformat()
    waiting = request.effective > today
    if item.after is None:
        return T("{day} 起作废", day=request.effective)
    standing = application.training.find(item.number, item.after)
    state = (
        T("已批准，待生效（{day}）", day=request.effective) if waiting else T("已生效（{day}）", day=request.effective)
    )
    return T("{state}，{training}", state=state, training=standing.explain()) if standing is not None else state


def request_data(
    application: Application, request: ChangeRequest, out: Output, *, whole: bool = False
) -> dict[str, Any]:
    """Return a change as JSON; `whole` with comments, signatures and what it touches."""
    data: dict[str, Any] = {
        "number": request.number,
        "kind": request.kind.value,
        "status": request.status.value,
        "reason": request.reason,
        "triggers": list(request.triggers),
        "by": request.by.name,
        "at": request.at,
        "effective": request.effective or request.wanted,
        "items": [
            {
                "kind": item.kind.value,
                "number": item.number,
                "title": item.title,
                "from": item.before,
                "to": item.after,
                "owner": item.owner,
            }
            for item in request.items
        ],
        "records": {item: dict(forms) for item, forms in request.records.items()},
        "unresolved": len(request.unresolved),
    }
    if not whole:
        return data
    draft = application.changes.draft(request, application.approved_files)
    impact = application.told_impact(request, draft)
    following = application.change_routes.next_step(request) if request.open else None
    return data | {
        "cancelled": {
            "by": request.cancelled_by.name,
            "post": request.cancelled_by.post,
            "at": request.cancelled_at,
            "reason": request.cancelled or "",
        }
        if request.cancelled_by is not None
        else None,
        "postponements": [
            {
                "item": moved.item,
                "from": moved.before,
                "to": moved.after,
                "by": moved.by.name,
                "post": moved.by.post,
                "at": moved.at,
                "reason": moved.reason,
            }
            for moved in request.postponements
        ],
        "former_records": list(request.former_records),
        "comments": [
            {
                "id": item.id,
                "item": item.item,
                "clause": item.clause,
                "text": item.text,
                "by": item.by,
                "at": item.at,
                "answer": item.answer,
            }
            for item in request.comments
        ],
        "signatures": [
            {
                "step": item.step,
                "meaning": item.meaning,
                "name": item.by.name,
                "post": item.by.post,
                "at": item.at,
                "void_because": out.text(item.void_because) if item.void_because is not None else None,
            }
            for item in request.signatures
        ],
        "impact": [out.text(line) for line in impact.lines],
        "touched": impact_data(impact.found, out.text),
        "documents": list(impact.documents),
        "posts": list(impact.posts),
        "workload": [out.text(line) for line in impact.workload],
        "next": {"step": following[0].key, "posts": following[1]} if following is not None else None,
    }
