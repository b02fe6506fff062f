"""命令 `qms review`. Periodic review of documents: what is due, what a review came to, what is on file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from controller.cli.commands import M, acting, group, option
from controller.domain.review_standing import Outcome
from controller.domain.text import T

if TYPE_CHECKING:
    from controller.cli.main import Session
    from controller.cli.output import Output
    from controller.domain.review_standing import DocumentReview, ReviewStanding
    from controller.services.periodic_review import PeriodicReview

_REASONS = ("定期复审", "法规变化", "投诉/不良事件", "自查/检查发现", "组织或业务变化", "其他")


@group("review", M("文件评审：哪些到期、登记评审结论、查看历次评审。"))
def review() -> None:
    pass


@review.command("due", help=M("列出到期和逾期的文件评审，及其原因。"))
@option(
    "--within", type=click.IntRange(0, 3650), help=M("多少天内到期（默认：文件控制规则的提醒天数；0：只列已到期的）。")
)
@click.pass_obj
def due(session: Session, within: int | None) -> int:
    application, out = session.application, session.output
    service = application.periodic_review
    found = service.due(within)
    rows: list[list[object]] = []
    for item in found:
        last = item.last.at.date() if item.last is not None else ""
        late = item.overdue(service.today)
        told = T("逾期 {days} 天", days=late) if late else ""
        rows.append(
            [item.number, item.title, item.revision, last, item.due, told, item.told(service.rules.review_months)]
        )
    if rows:
        headings = [T("编号"), T("名称"), T("版本"), T("上次评审"), T("应评审日期"), T("逾期"), T("原因")]
        out.table(headings, rows)
        out.line(T("登记评审：qms review record 编号 --outcome 继续有效 --suitability 适宜 --adequacy 充分 …"))
    else:
        out.line(T("没有到期的文件评审。"))
    out.document({"due": [standing_data(item, service, out) for item in found]})
    return 1 if any(item.overdue(service.today) for item in found) else 0


@review.command("record", help=M("登记一份文件的评审结论，签名归档，同时填写文件评审记录。"))
@click.argument("number", metavar="NUMBER")
@option(
    "--outcome",
    type=click.Choice([item.value for item in Outcome]),
    required=True,
    metavar="OUTCOME",
    help=M("结论：继续有效、修订或作废。"),
)
@option("--suitability", metavar="TEXT", required=True, help=M("适宜性：适宜、基本适宜或不适宜。"))
@option("--adequacy", metavar="TEXT", required=True, help=M("充分性：充分、基本充分或不充分。"))
@option("--effectiveness", metavar="TEXT", required=True, help=M("有效性：有效、基本有效或无效。"))
@option("--improvement", metavar="TEXT", default="", help=M("改进：要改什么、为什么（结论为修订、作废时必填）。"))
@option(
    "--because",
    type=click.Choice(_REASONS),
    metavar="TEXT",
    help=M("评审原因（默认：定期复审；引用的外来文件失效时为法规变化）。"),
)
@acting
@click.pass_obj
def record(
    session: Session,
    number: str,
    outcome: str,
    suitability: str,
    adequacy: str,
    effectiveness: str,
    improvement: str,
    because: str | None,
) -> int:
    from controller.services.periodic_review import Judgement

    application, out = session.application, session.output
    by = application.person(session.person)
    service = application.periodic_review
    judgement = Judgement(Outcome(outcome), suitability, adequacy, effectiveness, improvement, because or "")
    done = service.record(number, judgement, by)
    standing = done.standing
    out.line(
        T(
            "已登记 {number} {revision}《{title}》的评审：{outcome}。",
            number=standing.number,
            revision=standing.revision,
            title=standing.title,
            outcome=outcome,
        )
    )
    for filed in done.act.records:
        out.line(T("记录：{record}", record=filed.number))
    if done.review.record:
        out.line(T("由质量负责人确认：qms record advance {record} --stage 已确认", record=done.review.record))
    if done.review.outcome is Outcome.KEPT:
        out.line(T("下次评审：{day}", day=standing.due))
    else:
        out.line(
            T(
                "请提出更改：qms change open --document {number} --kind {kind} --reason {reason}",
                number=standing.number,
                kind=outcome,
                reason=improvement,
            )
        )
    out.document(
        standing_data(standing, service, out) | {"review": review_data(done.review), "commit": done.act.commit}
    )
    return 0


@review.command("list", help=M("列出一份文件（不写编号：全部文件）历次评审的结论。"))
@click.argument("number", metavar="[NUMBER]", required=False)
@click.pass_obj
def list_reviews(session: Session, number: str | None) -> int:
    application, out = session.application, session.output
    service, library = application.periodic_review, application.documents
    numbers = [library.resolve(number)] if number is not None else library.numbers()
    found = [(one, item) for one in numbers for item in service.reviews(one)]
    if found:
        out.table(
            [T("编号"), T("版本"), T("评审日期"), T("评审人"), T("结论"), T("改进"), T("记录")],
            [
                [one, item.revision, item.at.date(), item.by.name, item.outcome.value, item.improvement, item.record]
                for one, item in found
            ],
        )
    else:
        out.line(T("没有登记过评审。"))
    out.document({"reviews": [{"number": one} | review_data(item) for one, item in found]})
    return 0


def review_data(item: DocumentReview) -> dict[str, Any]:
    """Return one review as data."""
    return {
        "at": item.at.isoformat(),
        "by": {"person": item.by.person, "name": item.by.name, "post": item.by.post},
        "revision": item.revision,
        "outcome": item.outcome.value,
        "improvement": item.improvement or None,
        "record": item.record or None,
    }


def standing_data(item: ReviewStanding, service: PeriodicReview, out: Output) -> dict[str, Any]:
    """Return when a document is to be reviewed as data."""
    return {
        "number": item.number,
        "title": item.title,
        "revision": item.revision,
        "in_force_since": item.begun.date().isoformat(),
        "last": review_data(item.last) if item.last is not None else None,
        "due": item.due.isoformat(),
        "overdue_days": item.overdue(service.today),
        "why": out.text(item.told(service.rules.review_months)),
        "lapsed": [{"id": one.id, "title": one.title, "known": one.known.isoformat()} for one in item.lapsed],
        "undone": item.undone.value if item.undone is not None else None,
    }
