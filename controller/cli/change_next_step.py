"""更改的下一步. What has to be done next about a change, by whom, and the command for it as one types it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.change_request import ChangeStatus
from controller.domain.library_day import ItemKind
from controller.domain.text import T

if TYPE_CHECKING:
    from controller.bootstrap import Application
    from controller.cli.output import Output
    from controller.domain.change_request import ChangeRequest
    from controller.domain.route import Route, RouteStep
    from controller.domain.text import Text


def tell_next(application: Application, request: ChangeRequest, out: Output) -> None:
    """Print what comes next, nothing for a change that is done."""
    for line in next_steps(application, request):
        out.line(T("下一步：{line}", line=line))


def next_steps(application: Application, request: ChangeRequest) -> list[Text]:
    """Return what has to be done next about a change, each with its command and who may."""
    if request.open:
        return _until_approved(application, request)
    if request.status is ChangeStatus.APPROVED:
        command = f"qms change issue {request.number}"
        return [T("{command}（发放：{posts}）", command=command, posts=_controllers(application))]
    return _until_closed(application, request) if request.status is ChangeStatus.ISSUED else []


def tell_drafting(request: ChangeRequest, out: Output) -> None:
    """Print how the drafts of a change that was just opened are edited."""
    items = [item for item in request.items if item.after is not None]
    for item in items:
        if item.kind is ItemKind.DOCUMENT:
            facts = {"number": item.number, "file": f"{item.number}.docx"}
            out.line(T("  改 {number}：qms doc checkout {number} --out {file}", **facts))
            out.line(T("  改好保存后：qms doc checkin {file}", **facts))
        else:
            out.line(
                T(
                    "  改 {number}：在文件夹 {path} 里改好后 qms change take {change}",
                    number=item.number,
                    path=item.paths[0],
                    change=request.number,
                )
            )
    if items:
        out.line(T("下一步：都改好后，由起草人 qms change submit {number}", number=request.number))
    else:
        out.line(T("下一步：qms change submit {number}", number=request.number))


def tell_voided(before: ChangeRequest, after: ChangeRequest, out: Output) -> None:
    """Say whose signatures counted before and do not any more."""
    counting = {item.sequence for item in before.counting}
    for item in after.voided:
        if item.sequence in counting:
            out.line(T("  {name}的“{meaning}”签名已作废。", name=item.by.name, meaning=item.meaning))


def tell_nobody_reads(application: Application, request: ChangeRequest, out: Output) -> None:
    """Say for which items of an approved change nobody was found who has to read them."""
    for item in request.items:
        reads = item.kind in {ItemKind.DOCUMENT, ItemKind.FORM}
        if reads and item.after is not None and application.training.find(item.number, item.after) is None:
            out.line(
                T(
                    "  {number}：没有查到必须阅知的岗位；需要阅知的，用 qms training assign {number} --post 岗位 布置",
                    number=item.number,
                )
            )


def clause_names(application: Application, request: ChangeRequest, item: str) -> dict[str, str]:
    """Return clause id → number as people read it, of the draft of a document; empty for other items."""
    from controller.services.document_library import DocumentLibrary

    library = DocumentLibrary(application.changes.draft(request, application.approved_files))
    if item not in library.numbers():
        return {}
    return {clause.id: clause.label.strip() for clause in library.show(item).segment.clauses if clause.id is not None}


def _until_approved(application: Application, request: ChangeRequest) -> list[Text]:
    following = application.change_routes.next_step(request)
    if following is None:
        return []
    step, posts = following
    lines: list[Text] = []
    if request.status is ChangeStatus.RETURNED:
        why = request.returned or ""
        lines.append(T("先按退回原因修改草稿（{why}）：重新签出、签入，或 qms change cancel 取消", why=why))
    if request.unresolved:
        drafter = request.saved_by or request.by
        ids = "、".join(item.id for item in request.unresolved)
        command = f"qms change resolve {request.number} {request.unresolved[0].id} --answer"
        lines.append(
            T("先答复意见 {ids}：{command} 怎样处理（起草人{name}）", ids=ids, command=command, name=drafter.name)
        )
    command = f"qms change {_word(application.change_routes.route(request), step)} {request.number}"
    lines.append(T("{command}（{step}：{posts}）", command=command, step=step.label, posts=posts))
    return lines


def _until_closed(application: Application, request: ChangeRequest) -> list[Text]:
    lines: list[Text] = []
    back: list[str] = []
    waiting = (request.effective or "") > application.clock.now().date().isoformat()
    for item in request.items:
        standing = application.training.find(item.number, item.after) if item.after is not None else None
        if standing is not None and not standing.complete:
            names = "、".join(person.name for person in standing.missing)
            lines.append(T("qms training read {number}（阅知：{names}）", number=standing.number, names=names))
        if item.kind is ItemKind.DOCUMENT:
            copies = application.copies.recall_standing(item.number, change=request.number).out
            back += [f"qms copy return {item.number} --copy {copy.copy}" for copy in copies]
    if not waiting:
        lines += [T("收回旧版后 {command}", command=command) for command in back]
    facts = {"number": request.number, "posts": _controllers(application), "day": request.effective or ""}
    if waiting and back:
        lines.append(T("{day} 生效后收回旧版副本，再 qms change close {number}（办结：{posts}）", **facts))
    elif waiting:
        lines.append(T("{day} 生效后 qms change close {number}（办结：{posts}）", **facts))
    else:
        lines.append(T("qms change close {number}（办结：{posts}）", **facts))
    return lines


def _word(route: Route, step: RouteStep) -> str:
    """Return the word of the command that takes a step of the route."""
    if step is route.steps[0]:
        return "submit"
    return "approve" if step is route.steps[-1] else "review"


def _controllers(application: Application) -> str:
    posts = application.staff.posts
    return "、".join(posts[key].name for key in application.document_rules.controller_posts if key in posts)
