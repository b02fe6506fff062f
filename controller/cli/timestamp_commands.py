"""命令 `qms timestamp`. Daily heads and their stamps; comparing with what lies off the machine; a wrong clock."""

from __future__ import annotations

from datetime import datetime
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.cli.commands import M, group, option
from controller.domain.conformity import Gravity
from controller.domain.errors import QmsError
from controller.domain.text import T, Text
from controller.file_formats.timestamp_file import StampDamagedError, check_stamp
from controller.services.signing_in import SignInNeededError
from controller.services.timestamping import TimestampingNotSetUpError, stamp_message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller.bootstrap import Application
    from controller.cli.main import Session
    from controller.services.signing_ports import Signer
    from controller.services.timestamping import DailyStatement, StampOutcome


@group("timestamp", M("时间戳：每日摘要、机器外的副本、时钟校正。"))
def timestamp() -> None:
    pass


def stamp_if_due(application: Application, signer: Signer) -> Text | None:
    """Make the statement of the day when it is still to be made; return what the person should be told, if anything.

    For the end of signing in: nothing that fails here makes the login fail.
    """
    try:
        if not application.timestamping.due():
            return None
        outcome = application.timestamping.stamp(signer)
    except QmsError as exc:
        return T("今天的时间戳没有取到：{problem}", problem=exc.message)
    warnings = [item.message for item in outcome.findings if item.gravity is Gravity.ERROR]
    if outcome.delivery_problem is not None:
        warnings.append(outcome.delivery_problem.message)
    if outcome.problem is not None:
        warnings.insert(0, stamp_message(outcome))
    return reduce(_then, warnings) if warnings else None


def _then(first: Text, following: Text) -> Text:
    return T("{first}{following}", first=first, following=following)


@timestamp.command("now", help=M("现在就归档今天的摘要，取时间戳，并送到机器外。"))
@click.pass_obj
def now(session: Session) -> int:
    application = session.application
    out = session.output
    signer = application.person(session.person)
    signer.ready("")
    with out.progress(T("正在取时间戳")):
        outcome = application.timestamping.stamp(signer)
    out.line(stamp_message(outcome))
    if outcome.problem is not None and outcome.problem.hint is not None:
        out.line(T("下一步：{hint}", hint=outcome.problem.hint))
    if outcome.delivered:
        out.line(T("已把 {count} 份摘要送到机器外。", count=outcome.delivered))
    if outcome.delivery_problem is not None:
        out.line(outcome.delivery_problem.message)
    out.findings(outcome.findings)
    out.document(_outcome_data(session, outcome))
    failed = outcome.problem is not None or outcome.delivery_problem is not None
    return 1 if failed or any(item.gravity is Gravity.ERROR for item in outcome.findings) else 0


def _outcome_data(session: Session, outcome: StampOutcome) -> dict[str, object]:
    out = session.output

    def told(problem: QmsError | None) -> dict[str, object] | None:
        return {"code": problem.code, "message": out.text(problem.message)} if problem is not None else None

    return {
        "statement": outcome.filed.path if outcome.filed else None,
        "stamped_at": outcome.stamp.at.isoformat() if outcome.stamp else None,
        "authority": outcome.stamp.authority if outcome.stamp else None,
        "problem": told(outcome.problem),
        "delivered": outcome.delivered,
        "delivery_problem": told(outcome.delivery_problem),
        "findings": [out.finding_data(item) for item in outcome.findings],
    }


@timestamp.command("list", help=M("列出每日摘要，新的在前。"))
@option("--limit", type=click.IntRange(1, 10_000), default=31, show_default=True, help=M("最多列出多少份。"))
@click.pass_obj
def list_(session: Session, limit: int) -> int:
    out = session.output
    rows = list(_rows(session.application, limit))
    out.table(
        [T("编号"), T("时间"), T("经手人"), T("新归档文件"), T("时间戳"), T("机构")],
        [
            (
                item.stored.statement.sequence,
                item.stored.statement.at,
                item.stored.statement.by.name if item.stored.statement.by else "",
                item.said.files if item.said else "",
                stamped_at or T("无"),
                authority,
            )
            for item, stamped_at, authority in rows
        ],
    )
    out.document(
        [
            {
                "sequence": item.stored.statement.sequence,
                "path": item.stored.path,
                "at": item.stored.statement.at,
                "by": item.stored.statement.by.person if item.stored.statement.by else None,
                "heads": dict(item.said.heads) if item.said else {},
                "files": item.said.files if item.said else None,
                "stamped_at": stamped_at or None,
                "authority": authority or None,
            }
            for item, stamped_at, authority in rows
        ]
    )
    return 0


def _rows(application: Application, limit: int) -> Iterator[tuple[DailyStatement, str, str]]:
    for item in application.timestamping.recent(limit):
        stamped_at, authority = "", ""
        if item.stamp is not None:
            try:
                stamp = check_stamp(item.stamp, item.stored.data, ())
                stamped_at = stamp.at.astimezone(application.zone).isoformat(timespec="seconds")
                authority = stamp.authority
            except StampDamagedError as exc:
                stamped_at = str(exc.message)
        yield item, stamped_at, authority


@timestamp.command("compare", help=M("与机器外保存的每日摘要核对（默认用设定的文件夹）。"))
@click.argument("folder", metavar="[FOLDER]", required=False, type=click.Path(path_type=Path))
@click.pass_obj
def compare(session: Session, folder: Path | None) -> int:
    comparison = session.application.witness_comparison(folder.absolute() if folder is not None else None)
    if comparison is None:
        raise TimestampingNotSetUpError
    out = session.output
    findings = list(comparison.findings())
    out.findings(findings)
    if not findings:
        out.line(T("{count} 份机器外的摘要都在档案中，没有不符。", count=comparison.compared))
    out.document({"compared": comparison.compared, "findings": [out.finding_data(item) for item in findings]})
    return 1 if findings else 0


def _anybody(session: Session) -> Signer:
    """Return the signed-in person, or one who gives the passphrase now: nobody can sign in while the clock is wrong."""
    application = session.application
    try:
        return application.person(session.person)
    except SignInNeededError:
        if session.person is None:
            raise
        known = application.signing_in.person(session.person)
        prompt = session.output.text(T("{name}的签名口令", name=known.name))
        passphrase = session.passphrases.of(known.id, prompt, name=known.name)
        if passphrase is None:
            raise
        return application.signing_in.for_one_act(known.id, passphrase)


@timestamp.command("clock", help=M("时钟曾经走快，校准后不能归档时：写明原因，恢复归档。"))
@option("--reason", required=True, metavar="TEXT", help=M("时钟为什么曾经走快。"))
@click.pass_obj
def clock(session: Session, reason: str) -> int:
    application = session.application
    out = session.output
    filed = application.clock_correction.correct(_anybody(session), reason=reason)
    at = datetime.fromisoformat(filed.statement.at).strftime("%Y-%m-%d %H:%M:%S")
    out.line(T("已记录时钟校正，从 {at} 起继续归档。", at=at))
    out.document({"statement": filed.path, "at": filed.statement.at, "old": dict(filed.statement.old)})
    return 0
