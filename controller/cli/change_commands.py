"""命令 `qms change`. What was edited in the folder and is not in force yet, taking it into force or putting it back."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from controller.cli.commands import M, acting, group, option
from controller.cli.questions import agreed
from controller.domain.text import T

if TYPE_CHECKING:
    from controller.cli.main import Session

KINDS = {"added": T("新增"), "edited": T("修改"), "deleted": T("删除")}


_REQUESTS = "controller.cli.change_request_commands"


@group(
    "change",
    M("文件更改：提出、起草、审核、批准、生效；建库时检查后采用文件夹里的修改。"),
    lazy={
        "open": (f"{_REQUESTS}:open_change", M("提出文件更改：写明改哪些文件、为什么；可以一次改几份。")),
        "list": (f"{_REQUESTS}:list_changes", M("列出文件更改和它们的状态。")),
        "show": (f"{_REQUESTS}:show", M("查看一项更改：文件、影响、意见、签署、下一步。")),
        "take": (f"{_REQUESTS}:take", M("把文件夹里改好的表单、台账、清单收入更改的草稿。")),
        "submit": (f"{_REQUESTS}:submit", M("提交审核：起草人签名，同时生成申请审批表和更改申请单。")),
        "comment": (f"{_REQUESTS}:comment", M("对草稿提意见；答复之后才能审核、批准。")),
        "resolve": (f"{_REQUESTS}:resolve", M("答复一条意见。")),
        "return": (f"{_REQUESTS}:send_back", M("退回更改：写明原因，原来的签名全部作废。")),
        "review": (f"{_REQUESTS}:review", M("审核更改：意见全部答复之后，由审核人签名。")),
        "approve": (f"{_REQUESTS}:approve", M("批准更改：签名，定下生效日期；到那天自动生效。")),
        "postpone": (f"{_REQUESTS}:postpone", M("更改已批准版本的生效日期。")),
        "issue": (f"{_REQUESTS}:issue", M("发放：文件管理员登记发放，安排培训记录。")),
        "close": (f"{_REQUESTS}:close", M("办结：生效、培训完成、旧版收回之后，由文件管理员办结。")),
        "cancel": (f"{_REQUESTS}:cancel", M("取消一项没有批准的更改；编号不再使用。")),
    },
)
def change() -> None:
    pass


@change.command("status", help=M("列出在文件夹里改过、尚未采用的受控文件。"))
@click.pass_obj
def status(session: Session) -> int:
    out = session.output
    found = session.application.adoption.changes()
    out.table([T("文件"), T("情况")], [(item.path, KINDS[item.kind]) for item in found])
    if not found:
        out.line(T("没有尚未采用的修改。"))
    out.document([{"path": item.path, "kind": item.kind} for item in found])
    return 0


@change.command("adopt", help=M("检查并采用文件夹里的修改（由质量负责人或企业负责人签名）。"))
@option("--reason", required=True, help=M("修改原因。"))
@acting
@click.pass_obj
def adopt(session: Session, reason: str) -> int:
    application = session.application
    out = session.output
    by = application.person(session.person)
    adopted = application.adoption.adopt(by, reason=reason)
    for item in adopted:
        out.line(f"  {out.text(KINDS[item.kind])} {item.path}")
    out.line(T("已采用 {count} 处修改，立即生效；签名陈述已归档。", count=len(adopted)))
    out.document([{"path": item.path, "kind": item.kind} for item in adopted])
    return 0


@change.command("discard", help=M("撤销文件夹里的修改，恢复成现行的内容；改过的文件另存一份。"))
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@option("--yes", is_flag=True, help=M("不再询问。"))
@acting
@click.pass_obj
def discard(session: Session, paths: tuple[str, ...], *, yes: bool) -> int:
    adoption = session.application.adoption
    out = session.output
    found = adoption.changes_at(paths)
    if not yes:
        if out.as_json or not sys.stdin.isatty():
            raise click.UsageError(out.text(T("确认要撤销请加 --yes。")))
        for item in found:
            out.line(f"  {out.text(KINDS[item.kind])} {item.path}")
        if not agreed(out, T("撤销以上 {count} 处修改？", count=len(found))):
            raise click.Abort
    done = adoption.discard(paths)
    for item, kept in done:
        out.line(T("已恢复 {path}", path=item.path))
        if kept is not None:
            out.line(T("    改过的文件另存为 {path}", path=kept))
    out.document([{"path": item.path, "kind": item.kind, "kept": kept} for item, kept in done])
    return 0
