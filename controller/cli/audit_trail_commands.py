"""命令 `qms audit-trail`. Shows and exports the audit trail: who, when, where from, what, old and new value, why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller.cli.commands import M, acting, command, option
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.cli.main import Session
    from controller.domain.identifiers import Digest
    from controller.domain.record import Wire
    from controller.domain.trail_event import TrailFilter
    from controller.services.signing_ports import Signer

_FORMATS = ("csv", "xlsx", "pdf", "jsonl")


@command("audit-trail", M("审计追踪：谁、何时、从哪里、对什么、做了什么，原值、新值和原因。"))
@option("--from", "since", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help=M("从哪一天起，例如 2026-01-01。"))
@option("--to", "until", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help=M("到哪一天止（含当天）。"))
@option("--person", "who", metavar="PERSON", help=M("只看这个人的（姓名或工号）。"))
@option("--object", "wanted", metavar="NUMBER", help=M("只看这个对象的：记录、文件、表单编号，工号，或文件路径。"))
@option("--action", metavar="ACTION", help=M("只看这种操作，例如 更正、导出、登录失败。"))
@option("--failures", is_flag=True, help=M("只看失败和被拒绝的。"))
@option("--text", "words", metavar="WORDS", help=M("只看含有这些字的。"))
@option("--unmask", is_flag=True, help=M("显示敏感个人信息（限质管岗位，本机须存有记录密钥；查看也会记入审计追踪）。"))
@option("--format", "kind", type=click.Choice(_FORMATS), help=M("导出为哪种文件（不写时按 --out 的文件名）。"))
@option("--out", "target", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help=M("导出到哪个文件。"))
@option("--force", is_flag=True, help=M("文件已存在时覆盖。"))
@option("--limit", type=click.IntRange(1, 1_000_000), default=50, show_default=True, help=M("屏幕上最多列出多少条。"))
@acting
@click.pass_obj
def audit_trail(
    session: Session,
    since: Any,
    until: Any,
    who: str | None,
    wanted: str | None,
    action: str | None,
    *,
    failures: bool,
    words: str | None,
    unmask: bool,
    kind: str | None,
    target: Path | None,
    force: bool,
    limit: int,
) -> int:
    from controller.cli.audit_trail_page import show_trail, trail_data
    from controller.domain.register import Period
    from controller.domain.trail_event import TrailFilter, find_action
    from controller.services.trail import WHOLE_TRAIL, check_may_unmask

    out = session.output
    kind = kind or (target.suffix.lower().lstrip(".") if target is not None else None)
    if (kind is None) != (target is None) or (kind is not None and kind not in _FORMATS):
        raise click.UsageError(out.text(T("导出时用 --out 写明文件，格式为 csv、xlsx、pdf 或 jsonl。")))
    period = Period(since.date() if since else None, until.date() if until else None)
    if period.first is not None and period.last is not None and period.first > period.last:
        raise click.UsageError(out.text(T("--from 不能晚于 --to。")))
    chosen = TrailFilter(
        period=period,
        person=who,
        object=wanted,
        action=find_action(action) if action is not None else None,
        failures=failures,
        text=words,
    )
    application = session.application
    signer = application.person(session.person) if unmask or target is not None else None
    if unmask and signer is not None:
        check_may_unmask(application.staff, signer.signatory, application.signing_rules.unmask_posts)
    if target is not None and kind is not None and signer is not None:
        return _export(session, chosen, kind, target, signer, unmask=unmask, force=force)
    if unmask and signer is not None:
        application.trail.unmasked(signer, WHOLE_TRAIL, facts=_facts(chosen))
    with (
        out.progress(T("正在读取审计追踪")) as progress,
        application.audit_trail.select(chosen, unmask=unmask, progress=progress) as selected,
    ):
        events = show_trail(out, selected, selected.events(newest_first=True, most=limit))
        if not len(selected):
            out.line(T("没有符合条件的审计追踪。"))
        elif len(selected) > limit:
            out.line(
                T(
                    "共 {total} 条，只列出最新 {limit} 条；加 --limit 查看更多，或用 --out 导出全部。",
                    total=len(selected),
                    limit=limit,
                )
            )
        out.document(trail_data(selected, events))
    return 0


def _export(
    session: Session, chosen: TrailFilter, kind: str, target: Path, signer: Signer, *, unmask: bool, force: bool
) -> int:
    from controller.adapters.audit_trail_files import TrailFormat
    from controller.services.trail import WHOLE_TRAIL
    from controller.services.trail_listing import TrailParticulars

    application, out = session.application, session.output
    settings = application.settings
    made = TrailParticulars(
        settings.company, settings.workspace_id, settings.site, signer.signatory, application.clock.now()
    )
    with (
        out.progress(T("正在导出审计追踪")) as progress,
        application.audit_trail.select(chosen, unmask=unmask, progress=progress) as selected,
    ):

        def note(files: Mapping[str, Digest]) -> None:
            facts = {
                **_facts(chosen),
                "format": kind,
                "rows": str(len(selected)),
                "fingerprint": selected.fingerprint,
            }
            application.trail.exported(signer, WHOLE_TRAIL, files=files, facts=facts, unmasked=unmask)

        files = application.audit_trail_files.write(
            selected, TrailFormat(kind), target, made, before=note, force=force, progress=progress
        )
        for path in files:
            out.line(T("已导出：{path}", path=path))
        out.line(T("共 {rows} 条，档案指纹 {fingerprint}。", rows=len(selected), fingerprint=selected.fingerprint))
        if selected.unreadable:
            out.line(T("有 {count} 个文件无法读出，用 qms verify 查看。", count=selected.unreadable))
        out.document(
            {
                "files": [str(path) for path in files],
                "rows": len(selected),
                "fingerprint": selected.fingerprint,
                "unmasked": unmask,
                "unreadable": selected.unreadable,
                "unopened": selected.unopened,
            }
        )
    return 0


def _facts(chosen: TrailFilter) -> dict[str, Wire]:
    conditions = "；".join(str(item) for item in chosen.described())
    return {"period": str(chosen.period), **({"filter": conditions} if conditions else {})}
