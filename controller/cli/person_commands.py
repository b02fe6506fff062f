"""命令 `qms person`. Who is on file with which posts; registering, changing and ending accounts.

Certificates of people: `certificate_commands`.
"""

from __future__ import annotations

import sys
from datetime import date
from typing import TYPE_CHECKING

import click

from controller.cli import certificate_commands
from controller.cli.commands import M, acting, group, option
from controller.cli.person_view import certificate_state, person_data, posts_shown
from controller.domain.person import PostHeld
from controller.domain.text import T

if TYPE_CHECKING:
    from controller.cli.main import Session
    from controller.cli.output import Output
    from controller.services.person_control import PersonFiled


@group("person", M("人员：登记、岗位、证书、见证、停用、密钥备份。"))
def person() -> None:
    pass


@person.command("list", help=M("列出在册人员、岗位和证书状况。"))
@option("--all", "everybody", is_flag=True, help=M("也列出已停用的人员。"))
@click.pass_obj
def list_people(session: Session, *, everybody: bool) -> int:
    application, out = session.application, session.output
    people = [item for item in application.people_standing.history().people() if everybody or item.active]
    rows = [
        (item.id, item.name, posts_shown(application, item, out), certificate_state(application, item))
        for item in people
    ]
    out.table([T("工号"), T("姓名"), T("岗位"), T("证书")], rows)
    for waiting in application.people_standing.open_enrolments():
        count = application.people_standing.history().missing_witnesses(waiting.person)
        out.line(T("{name}的证书还差 {count} 位见证人：qms person confirm {name}", name=waiting.name, count=count))
    out.document([person_data(application, item) for item in people])
    return 0


@person.command("show", help=M("查看一位人员：岗位及任职日期、证书、见证人。"))
@click.argument("name", metavar="NAME")
@click.pass_obj
def show(session: Session, name: str) -> int:
    application, out = session.application, session.output
    known = application.people.known(name)
    data = person_data(application, known)
    out.line(T("{name}（{id}）{state}", name=known.name, id=known.id, state="" if known.active else T("，已停用")))
    out.line(T("  岗位：{posts}", posts=posts_shown(application, known, out)))
    out.line(T("  证书：{state}", state=certificate_state(application, known)))
    certificate = data["certificate"]
    if isinstance(certificate, dict):
        out.line(T("  指纹：{fingerprint}", fingerprint=certificate["fingerprint"]))
        names = {item.id: item.name for item in application.people_standing.history().people()}
        witnesses: list[object] = [names.get(item, item) for item in known.witnesses]
        out.line(T("  见证人：{names}", names=witnesses or T("无（当时没有可以见证的人）")))
    notes = [item for item in application.people_standing.history().findings() if item.subject == known.name]
    out.findings(notes)
    out.document(data | {"findings": [out.finding_data(item) for item in notes]})
    return 0


@person.command("add", help=M("登记一位新人员；随后由本人用 qms person certify 设口令、领证书。"))
@click.argument("name", metavar="[NAME]", required=False)
@option(
    "--post",
    "posts",
    multiple=True,
    metavar="POST",
    help=M("岗位名称，例如 质管员（可写多次；可写 岗位:开始日期..结束日期）。"),
)
@option("--check", metavar="TEXT", help=M("怎样核对的身份：证件名称和末几位，例如 身份证 尾号 1234。"))
@option("--id", "ident", metavar="ID", help=M("工号（默认取下一个）；用过的不再给别人。"))
@acting
@click.pass_obj
def add(session: Session, name: str | None, posts: tuple[str, ...], check: str | None, ident: str | None) -> int:
    application, out = session.application, session.output
    by = application.person(session.person)
    name = name or _asked(out, out.text(T("姓名（签名用的全名）")), out.text(T("姓名")))
    if not posts:
        known = "、".join(post.name for post in application.staff.posts.values())
        out.line(T("可用的岗位：{posts}", posts=known))
        posts = tuple(_asked(out, out.text(T("岗位，主要岗位写在前，用空格隔开")), "--post").split())
    check = check or _asked(out, out.text(T("怎样核对的身份（证件名称和末几位）")), "--check")
    today = application.clock.now().date()
    held = [_held(out, item, today) for item in posts]
    done = application.people.register(by, name=name, posts=held, identity_check=check, person=ident)
    out.line(T("已登记{name}，工号 {id}。", name=done.person.name, id=done.person.id))
    out.line(T("下一步：请本人在这台电脑上运行 qms person certify {name}，设口令、领证书。", name=done.person.name))
    _show_filed(session, done)
    return 0


@person.command("posts", help=M("更改一位人员的岗位：写出以后的全部岗位。"))
@click.argument("name", metavar="NAME")
@option(
    "--post",
    "posts",
    multiple=True,
    required=True,
    metavar="POST",
    help=M("岗位名称，例如 质管员（可写多次；可写 岗位:开始日期..结束日期）。"),
)
@option("--reason", metavar="TEXT", help=M("更改原因，例如任命文件编号。"))
@acting
@click.pass_obj
def change_posts(session: Session, name: str, posts: tuple[str, ...], reason: str | None) -> int:
    application, out = session.application, session.output
    by = application.person(session.person)
    before = {item.post: item for item in application.people.known(name).posts}
    today = application.clock.now().date()
    keys = {post.name: key for key, post in application.staff.posts.items()}
    # A post that goes on keeps the day on which it began.
    held = [before.get(keys.get(item, item)) or _held(out, item, today) for item in posts]
    reason = reason or _asked(out, out.text(T("更改原因")), "--reason")
    done = application.people.change_posts(by, name, held, reason=reason)
    out.line(T("{name}的岗位已更改。", name=done.person.name))
    _show_filed(session, done)
    return 0


@person.command("retire", help=M("停用一位人员（离职）：不能再签名，工号不再使用，以前的签名不受影响。"))
@click.argument("name", metavar="NAME")
@option("--reason", metavar="TEXT", help=M("停用原因。"))
@option("--yes", is_flag=True, help=M("不再询问。"))
@acting
@click.pass_obj
def retire(session: Session, name: str, reason: str | None, *, yes: bool) -> int:
    application, out = session.application, session.output
    by = application.person(session.person)
    known = application.people.known(name)
    reason = reason or _asked(out, out.text(T("停用原因")), "--reason")
    if not yes:
        certificate_commands.sure(out, T("停用{name}（{id}）？停用后不能恢复。", name=known.name, id=known.id))
    done = application.people.retire(by, name, reason=reason)
    out.line(T("{name}已停用；工号 {id} 不再使用。", name=done.person.name, id=done.person.id))
    _show_filed(session, done)
    return 0


for _command in certificate_commands.COMMANDS:
    person.add_command(_command)


def _show_filed(session: Session, done: PersonFiled) -> None:
    application, out = session.application, session.output
    known = application.people.known(done.person.id)
    out.document(
        person_data(application, known) | {"statement": f"{done.filed.path}.json", "commit": done.filed.commit}
    )


def _asked(out: Output, prompt: str, option_name: str) -> str:
    if out.as_json or not sys.stdin.isatty():
        raise click.UsageError(out.text(T("请写明 {option}。", option=option_name)))
    answer: str = click.prompt(prompt, err=True)
    return answer


def _held(out: Output, written: str, today: date) -> PostHeld:
    """Return the post that `key`, `key:2026-01-01` or `key:2026-01-01..2026-12-31` names; it begins today by itself."""
    post, _, days = written.strip().replace("：", ":").partition(":")
    since, _, until = days.partition("..")
    try:
        return PostHeld(
            post.strip(),
            date.fromisoformat(since.strip()) if since.strip() else today,
            date.fromisoformat(until.strip()) if until.strip() else None,
        )
    except ValueError as exc:
        example = "quality_head:2026-01-01..2026-12-31"
        raise click.UsageError(out.text(T("日期写法不对，例如 {example}。", example=example))) from exc
