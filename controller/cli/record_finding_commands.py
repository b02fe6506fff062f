"""命令 `qms record list`、`search`、`browse`. Finds records by form and day, by words, or in a folder to browse."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.cli.commands import M, acting, command, option
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.cli.main import Session
    from controller.cli.output import Output
    from controller.domain.record import RecordState

_BROWSED = "档案浏览副本"
"""Names the browsing copy in the audit trail."""


@command("list", M("列出记录，新的在前。"))
@click.argument("form", metavar="[FORM]", required=False)
@option("--from", "since", metavar="DATE", help=M("从哪一天起（立卷日期，如 2026-01-01）。"))
@option("--to", "until", metavar="DATE", help=M("到哪一天止。"))
@option("--limit", type=click.IntRange(1, 1_000_000), default=50, show_default=True, help=M("最多列出多少份。"))
@click.pass_obj
def list_(session: Session, form: str | None, since: str | None, until: str | None, limit: int) -> int:
    from controller.cli.record_page import state_data

    application = session.application
    application.indexing.catch_up()
    forms = [application.forms.definition(form).number.text] if form else []
    states = list(
        application.index.records(
            forms=forms,
            opened_from=since,
            opened_to=f"{until}T99" if until else None,
            newest_first=True,
            limit=limit + 1,
        )
    )
    cut = len(states) > limit
    del states[limit:]
    out = session.output
    numbers = {item.form.number.text for item in states}
    titles = {number: application.forms.definition(number).title for number in numbers}
    rows = [_row(state, titles, application.stage_label(state)) for state in states]
    out.table([T("编号"), T("表单"), T("立卷时间"), T("阶段"), T("记录人")], rows)
    if not rows:
        out.line(T("还没有记录。用 qms record new 表单编号 填写第一份。"))
    _tell_cut(out, cut, limit)
    out.document([state_data(state) for state in states])
    return 0


@command("search", M("在全部记录中检索词语（敏感个人信息不在检索范围内）。"))
@click.argument("words", nargs=-1, required=True)
@option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help=M("最多列出多少份。"))
@click.pass_obj
def search(session: Session, words: Sequence[str], limit: int) -> int:
    application = session.application
    application.indexing.catch_up()
    hits = application.index.search(" ".join(words), limit=limit + 1)
    cut = len(hits) > limit
    hits = hits[:limit]
    out = session.output
    out.table(
        [T("编号"), T("表单"), T("立卷时间"), T("内容")],
        [(hit.number, hit.title, hit.opened_at[:16].replace("T", " "), hit.excerpt) for hit in hits],
    )
    if not hits:
        out.line(T("没有找到含有这些词语的记录。敏感个人信息不在检索范围内，可按编号、日期或单位名称查找。"))
    _tell_cut(out, cut, limit)
    out.document(
        [
            {"number": hit.number.text, "title": hit.title, "opened_at": hit.opened_at, "excerpt": hit.excerpt}
            for hit in hits
        ]
    )
    return 0 if hits else 1


@command("browse", M("把档案导出为可浏览的只读文件夹（敏感信息遮蔽）。"))
@option("--out", "target", type=click.Path(path_type=Path), default=None, help=M("导出到哪里（默认：records/浏览）。"))
@acting
@click.pass_obj
def browse(session: Session, target: Path | None) -> int:
    application = session.application
    out = session.output
    folder = target or application.folder / "records" / "浏览"
    application.trail.exported(application.person(session.person), _BROWSED)
    with out.progress(T("正在导出")) as progress:
        count = application.browsing_copy(folder, progress=progress)
    out.line(T("已导出 {count} 份记录到 {folder}（只供浏览，可随时删除重建）。", count=count, folder=folder))
    out.document({"records": count, "folder": str(folder)})
    return 0


def _tell_cut(out: Output, cut: bool, limit: int) -> None:
    if cut:
        out.line(T("只列出最新 {limit} 份，加 --limit 查看更多。", limit=limit))


def _row(state: RecordState, titles: Mapping[str, str], stage: str) -> tuple[object, ...]:
    from controller.cli.record_page import minute

    shown = T("已作废") if state.voided else stage
    return (
        state.number.text,
        titles.get(state.form.number.text, ""),
        minute(state.opened_at),
        shown,
        state.opened_by.name,
    )
