"""命令 `qms doc history`, `diff`, `blame`, `as-of`. Who changed what, when, why, approved by whom; what governed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.cli.commands import M, acting, command, option
from controller.cli.document_history_view import (
    blame_data,
    comparison_data,
    moment,
    show_blame,
    show_comparison,
    show_timeline,
    show_wordings,
    version_data,
    version_name,
    wording_data,
)
from controller.cli.document_revision_view import revision_data, show_revisions, told_status
from controller.cli.files import write_output
from controller.cli.library_day_view import KIND_NAMES, item_data, show_day
from controller.domain.errors import NotFoundError, RefusedError
from controller.domain.text import T

if TYPE_CHECKING:
    from datetime import datetime

    from controller.cli.main import Session
    from controller.domain.clause_blame import ClauseBlame
    from controller.domain.document_timeline import DocumentTimeline
    from controller.domain.identifiers import Digest
    from controller.file_formats.history_page import HistoryPage
    from controller.services.document_history import VersionDifference

_NUMBER = click.argument("number", metavar="NUMBER")
_PATH = click.Path(path_type=Path, dir_okay=False)
_FORCE = option("--force", is_flag=True, help=M("文件已存在时覆盖。"))
_DAY = click.DateTime(["%Y-%m-%d"])
_PAIR = 2


class UnknownClauseError(NotFoundError):
    """没有这一条. No version of the document has a clause of that number."""

    code = "clause-unknown"

    def __init__(self, *, number: str, wanted: str) -> None:
        super().__init__(
            T("{number} 的各个版本都没有条款“{wanted}”。", number=number, wanted=wanted[:40]),
            hint=T("用 qms doc blame {number} 查看全部条款。", number=number),
        )


class ComparisonUnclearError(RefusedError):
    """要对比的版本不明确. Too many versions were named."""

    code = "comparison-unclear"

    def __init__(self) -> None:
        super().__init__(
            T("要对比的版本不明确。"),
            hint=T(
                "写一个版本（与上一版对比）或两个版本；与工作目录或更改的草稿对比时用 --working 或 --change，"
                "最多再写一个版本。"
            ),
        )


class NotInChangeError(NotFoundError):
    """文件不在这项更改里. The change has no draft of the document."""

    code = "document-not-in-change"

    def __init__(self, *, number: str, change: str) -> None:
        super().__init__(
            T("更改 {change} 里没有 {number} 的草稿。", change=change, number=number),
            hint=T("用 qms change show {change} 查看它改哪些文件。", change=change),
        )


@command("history", M("一份文件的更改历史：每次更改的时间、更改人、原因和签署；可生成网页。"))
@_NUMBER
@option("--html", type=_PATH, metavar="FILE", help=M("把时间线、逐次对比和条款溯源写成一个网页。"))
@_FORCE
@acting
@click.pass_obj
def history(session: Session, number: str, html: Path | None, *, force: bool) -> int:
    from controller.domain.clause_blame import blame as blame_of

    out, application = session.output, session.application
    timeline = application.document_history.timeline(number)
    today = application.clock.now().astimezone(application.zone).date()
    reading = {item.revision: item for item in application.training.all(timeline.number)}
    out.line(f"《{timeline.title}》{timeline.number}")
    show_revisions(timeline, reading, today, out)
    show_timeline(timeline, out)
    noted = [item for item in timeline.versions if item.problem is not None]
    told = [T("{count} 次更改", count=len(timeline.versions)), T("{count} 个版本", count=len(timeline.revisions))]
    out.line(T("共 {told}。", told=told))
    if html is not None:
        from controller.file_formats.history_page import HistoryPage

        page = HistoryPage(
            company=application.settings.company,
            number=timeline.number,
            title=timeline.title,
            made=application.clock.now().astimezone(application.zone),
            comparisons=timeline.comparisons(),
            timeline=timeline,
            blame=blame_of(timeline.readable),
            statuses={item.revision: told_status(item, today) for item in timeline.revisions},
        )
        _write_page(session, page, html, force=force)
    out.document(
        {
            "number": timeline.number,
            "title": timeline.title,
            "revisions": [revision_data(item, reading, today) for item in timeline.revisions],
            "changes": [version_data(item, out) for item in timeline.versions],
            "file": str(html) if html is not None else None,
        }
    )
    return 1 if noted else 0


def _write_page(session: Session, page: HistoryPage, target: Path, *, force: bool) -> None:
    from controller.file_formats.history_page import history_page

    out = session.output
    data = history_page(page, out.text, language=out.language)
    _hand_out(session, page.number, data, target, view="history" if page.timeline is not None else "diff", force=force)


def _hand_out(session: Session, number: str, data: bytes, target: Path, *, view: str, force: bool) -> None:
    """Write a file that shows a document to `target`, after the trail says so."""
    application = session.application
    signer = application.person(session.person)
    facts = {"format": target.suffix.removeprefix(".").lower() or "file", "view": view}

    def note(shown: Digest) -> None:
        application.trail.printed(signer, number, shown, facts=facts)

    write_output(target, data, force=force, before=note)
    session.output.line(T("已生成 {file}。", file=target))


@command("diff", M("对比两个版本：条款的增删、修改、移动、改编号；可生成网页或 Word 修订稿。"))
@_NUMBER
@click.argument("versions", metavar="[REVISION]...", nargs=-1)
@option("--working", is_flag=True, help=M("与工作目录里尚未采用的内容对比（默认以最新批准的内容为旧）。"))
@option("--change", metavar="NUMBER", help=M("与一项更改的草稿对比（默认以现行内容为旧）：审核的人看到的就是这些。"))
@option("--html", type=_PATH, metavar="FILE", help=M("写成一个自成一体的网页。"))
@option("--docx", type=_PATH, metavar="FILE", help=M("写成带修订标记的 Word 文件：全部接受即新版，全部拒绝即旧版。"))
@_FORCE
@acting
@click.pass_obj
def diff(
    session: Session,
    number: str,
    versions: tuple[str, ...],
    *,
    working: bool,
    change: str | None,
    html: Path | None,
    docx: Path | None,
    force: bool,
) -> int:
    out, application = session.output, session.application
    timeline = application.document_history.timeline(number)
    difference = _difference(session, timeline, versions, working=working, change=change)
    title = difference.new.text.document.title if difference.new.text is not None else timeline.title
    out.line(f"《{title}》{timeline.number}")
    names = {"old": version_name(difference.old), "new": version_name(difference.new)}
    out.line(T("{old} → {new}：{changes}。", changes=difference.comparison.explain(), **names))
    show_comparison(difference.comparison, out)
    if html is not None:
        from controller.file_formats.history_page import HistoryPage

        page = HistoryPage(
            company=application.settings.company,
            number=timeline.number,
            title=title,
            made=application.clock.now().astimezone(application.zone),
            comparisons=[(difference.old, difference.new, difference.comparison)],
        )
        _write_page(session, page, html, force=force)
    if docx is not None:
        _hand_out(session, timeline.number, application.redlines.docx(difference), docx, view="redline", force=force)
        out.line(T("已核对：全部接受修订即新版，全部拒绝即旧版。"))
    out.document(
        {
            "number": timeline.number,
            "old": version_data(difference.old, out),
            "new": version_data(difference.new, out),
            **comparison_data(difference.comparison, out),
            "html": str(html) if html is not None else None,
            "docx": str(docx) if docx is not None else None,
        }
    )
    return 0


def _difference(
    session: Session, timeline: DocumentTimeline, versions: tuple[str, ...], *, working: bool, change: str | None
) -> VersionDifference:
    from controller.services.document_history import CURRENT, NEWEST

    application = session.application
    service = application.document_history
    alone = working or change is not None
    if len(versions) > (1 if alone else _PAIR) or (working and change is not None):
        raise ComparisonUnclearError
    if change is not None:
        request = application.changes.read(change)
        item = request.item(timeline.number)
        if item is None or item.after is None:
            raise NotInChangeError(number=timeline.number, change=request.number)
        old = service.version(timeline, versions[0] if versions else CURRENT)
        draft = application.changes.draft(request, application.approved_files)
        return service.difference(timeline, old, service.draft_version(timeline, draft, request))
    if working:
        old = service.version(timeline, versions[0] if versions else NEWEST)
        return service.difference(timeline, old, service.working_version(timeline))
    wanted = versions[-1] if versions else NEWEST
    new = service.version(timeline, wanted)
    if len(versions) == _PAIR:
        old = service.version(timeline, versions[0])
    else:
        old = service.before(timeline, new, wanted=wanted)
    return service.difference(timeline, old, new)


@command("blame", M("条款溯源：每一条最近在哪个版本、由谁、为何更改，谁批准；可查以前的写法。"))
@_NUMBER
@option("--revision", metavar="REVISION", help=M("按哪个版本（默认：现行）。"))
@option("--clause", metavar="CLAUSE", help=M("只看一条的全部写法，例如 5.1。"))
@click.pass_obj
def blame(session: Session, number: str, revision: str | None, clause: str | None) -> int:
    from controller.domain.clause_blame import blame as blame_of
    from controller.domain.clause_blame import find_clauses, wordings_of
    from controller.services.document_history import CURRENT

    out, service = session.output, session.application.document_history
    timeline = service.timeline(number)
    version = service.version(timeline, revision or CURRENT)
    versions = [item for item in timeline.readable if item.serial <= version.serial]
    out.line(f"《{timeline.title}》{timeline.number}")
    found: list[ClauseBlame] = blame_of(versions)
    wordings = []
    if clause is None:
        show_blame(found, out)
    else:
        ids = find_clauses(clause, versions)
        if not ids:
            raise UnknownClauseError(number=timeline.number, wanted=clause)
        found = [item for item in found if item.id in ids]
        show_blame(found, out)
        for identifier in ids:
            told = wordings_of(identifier, versions)
            show_wordings(told, out)
            wordings += [wording_data(item) | {"id": identifier} for item in told]
    out.document(
        {
            "number": timeline.number,
            "revision": version.revision,
            "clauses": [blame_data(item) for item in found],
            "wordings": wordings,
        }
    )
    return 0


@command("as-of", M("某一天的体系状态：当天有效的文件、表单、台账、清单及其版本；也可写将来的日期。"))
@click.argument("day", metavar="DATE", type=_DAY)
@option("--known", type=_DAY, metavar="DATE", help=M("按哪一天所知（默认当天；将来的日期按现在）。"))
@click.pass_obj
def as_of(session: Session, day: datetime, known: datetime | None) -> int:
    out = session.output
    found = session.application.library_state.on(day.date(), known=known.date() if known is not None else None)
    out.line(T("{day}（按 {known} 时所知）", day=found.day, known=moment(found.known)))
    show_day(found, out)
    counts = [T("{kind} {count} 份", kind=name, count=len(found.of(kind))) for kind, name in KIND_NAMES.items()]
    out.line(T("共 {told}。", told=counts))
    out.document(
        {
            "day": found.day.isoformat(),
            "known": found.known.isoformat(),
            "items": [item_data(item) for item in found.items],
        }
    )
    return 0
