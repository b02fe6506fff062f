"""命令 `qms login`、`logout`、`passphrase`、`who`. Signing in with one's own passphrase, and out again."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from controller.cli.commands import M, acting, command, option
from controller.domain.identifiers import Digest
from controller.domain.passphrase import check_passphrase
from controller.domain.statement import Event
from controller.domain.text import T
from controller.services.personal_signer import PassphraseNeededError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.bootstrap import Application
    from controller.cli.main import Session
    from controller.domain.person import Person
    from controller.domain.statement import Statement
    from controller.domain.text import Text


def _wanted(application: Application, name: str | None, session: Session) -> Person:
    """Return who wants to act here: named, or the only one whose key this computer keeps."""
    wanted = name or session.person
    if wanted is None:
        held = [item.person for item in application.personal_keys.held()]
        if len(held) == 1:
            wanted = held[0]
        else:
            raise click.UsageError(session.output.text(T("请写明姓名或工号，例如 qms login 张三。")))
    return application.signing_in.person(wanted)


def failure_notices(failures: Sequence[Statement]) -> list[Text]:
    """Return one line for each computer and name that somebody failed with, the most recent first."""
    grouped: dict[tuple[bool, str, str], list[str]] = {}
    for item in failures:
        claimed = item.new.get("claimed")
        key = (item.event is Event.SIGNING_FAILED, item.origin.computer, claimed if isinstance(claimed, str) else "")
        grouped.setdefault(key, []).append(item.at)
    found = []
    for (signing, computer, who), times in grouped.items():
        first, last = (datetime.fromisoformat(at).strftime("%m-%d %H:%M") for at in (min(times), max(times)))
        when = T("{first} 至 {last}", first=first, last=last) if first != last else first
        facts = {"at": when, "computer": computer, "who": who, "count": len(times)}
        if signing:
            found.append(T("注意：{at} 在 {computer} “{who}”签名时口令或工号错误 {count} 次。", **facts))
        elif who:
            found.append(T("注意：{at} 在 {computer} 有人以“{who}”登录失败 {count} 次。", **facts))
        else:
            found.append(T("注意：{at} 在 {computer} 有人以不在册的姓名登录失败 {count} 次。", **facts))
    return found


@command("login", M("登录：输入本人的签名口令，之后的操作都记在本人名下。"))
@click.argument("name", metavar="[NAME]", required=False)
@click.pass_obj
def login(session: Session, name: str | None) -> int:
    application = session.application
    out = session.output
    known = _wanted(application, name, session)
    passphrase = session.passphrases.of(known.id, out.text(T("{name}的签名口令", name=known.name)), name=known.name)
    if passphrase is None:
        raise PassphraseNeededError(meaning=out.text(T("登录")))
    done = application.signing_in.sign_in(known.id, passphrase)
    by = done.signer.signatory
    until = done.until.strftime("%H:%M")
    out.line(T("{name}（{post}）已登录，最迟到 {until}。", name=by.name, post=by.post, until=until))
    for notice in failure_notices([stored.statement for stored in done.failures]):
        out.line(notice)
    if any(item.person == by.person for item in application.people_standing.open_enrolments()):
        out.line(
            T(
                "注意：有一份以{name}的名义申请、还没有生效的新证书。不是本人申请的，请撤回："
                "qms person certify {name} --cancel --reason 原因",
                name=by.name,
            )
        )
    from controller.cli.timestamp_commands import stamp_if_due

    stamped = stamp_if_due(application, done.signer)
    if stamped is not None:
        out.line(stamped)
    out.document(
        {
            "person": by.person,
            "name": by.name,
            "post": by.post,
            "until": done.until.isoformat(timespec="seconds"),
            "failures": [
                {
                    "at": item.statement.at,
                    "claimed": item.statement.new.get("claimed", ""),
                    "event": item.statement.event.value,
                }
                for item in done.failures
            ],
        }
    )
    return 0


@command("logout", M("退出登录。"))
@click.argument("name", metavar="[NAME]", required=False)
@option("--all", "everybody", is_flag=True, help=M("让本机登录的所有人都退出。"))
@acting
@click.pass_obj
def logout(session: Session, name: str | None, *, everybody: bool) -> int:
    application = session.application
    out = session.output
    names = [person.id for person, _, _ in application.signing_in.present()] if everybody else [name or session.person]
    done = [application.signing_in.sign_out(wanted) for wanted in names]
    for by in done:
        out.line(T("{name}已退出。", name=by.name))
    if not done:
        out.line(T("本机没有人登录。用 qms login 姓名 登录。"))
    out.document([{"person": by.person, "name": by.name} for by in done])
    return 0


@command("passphrase", M("更换本人的签名口令。"))
@click.argument("name", metavar="[NAME]", required=False)
@click.pass_obj
def passphrase(session: Session, name: str | None) -> int:
    application = session.application
    out = session.output
    person = _wanted(application, name, session)
    old = session.passphrases.of(person.id, out.text(T("{name}现在的口令", name=person.name)), name=person.name)
    rules = application.signing_rules
    new = session.passphrases.new(
        person.id,
        out.text(T("新口令")),
        out.text(T("再输入一次新口令")),
        name=person.name,
        rules=rules,
        check=lambda text: check_passphrase(text, rules=rules, person=person.id, name=person.name),
    )
    if old is None or new is None:
        raise PassphraseNeededError(meaning=out.text(T("更换口令")))
    by = application.signing_in.change_passphrase(person.id, old=old, new=new)
    out.line(T("{name}的签名口令已更换。", name=by.name))
    out.document({"person": by.person, "name": by.name})
    return 0


@command("who", M("查看本机登录了哪些人。"))
@click.pass_obj
def who(session: Session) -> int:
    out = session.output
    application = session.application
    found = application.signing_in.present()
    problems = {
        person.id: application.certificate_problem(person.id, Digest.of(sitting.key.certificate))
        for person, sitting, _ in found
        if sitting.key is not None
    }
    for person, _, until in found:
        problem = problems[person.id]
        if problem is not None:
            out.line(
                T("{name}（{id}）：登录已失效，不能再签名：{problem}", name=person.name, id=person.id, problem=problem)
            )
            continue
        out.line(
            T(
                "{name}（{id}）：不再操作的话，{until} 自动退出。",
                name=person.name,
                id=person.id,
                until=until.strftime("%H:%M"),
            )
        )
    if not found:
        out.line(T("本机没有人登录。用 qms login 姓名 登录。"))
    out.document(
        [
            {
                "person": person.id,
                "name": person.name,
                "until": until.isoformat(timespec="seconds"),
                "counts": problems[person.id] is None,
            }
            for person, _, until in found
        ]
    )
    return 0
