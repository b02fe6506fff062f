"""命令 `qms doc workload`. What the deadlines and frequencies of a document ask of each person in a year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from controller.cli.commands import M, command, option
from controller.domain.text import T
from controller.domain.time_expressions import TimeKind
from controller.domain.workload import WhoFrom, per_holder, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.cli.main import Session
    from controller.cli.output import Output
    from controller.domain.text import Text
    from controller.domain.workload import Load, LoadChange

_KINDS = {TimeKind.FREQUENCY: T("频次"), TimeKind.DEADLINE: T("时限")}
_WHO_FROM = {
    WhoFrom.SENTENCE: T("本句写明"),
    WhoFrom.CLAUSE: T("本条前文"),
    WhoFrom.DUTIES: T("按“职责”条款推断"),
    WhoFrom.OWNER: T("按归口部门推断"),
}


@command("workload", M("工作量：文件里的时限和频次落到谁身上，每人每年多少次。"))
@click.argument("number", metavar="NUMBER")
@option("--working", is_flag=True, help=M("看文件夹里正在修改的文本，并列出与现行版本的差别。"))
@click.pass_obj
def workload(session: Session, number: str, *, working: bool) -> int:
    out, application = session.output, session.application
    library = application.document_library(working=working)
    shown = library.show(library.resolve(number))
    counting = application.workload_counting
    found = counting.of(shown)
    out.line(T("《{title}》{number} {revision}", title=found.title, number=found.number, revision=found.revision))
    show_loads(found.loads, out)
    changes: list[LoadChange] = []
    if working:
        known = found.number in application.documents.numbers()
        changes = counting.difference(application.documents.show(found.number) if known else None, shown)
        show_load_changes(changes, out)
    out.document(
        {
            "number": found.number,
            "revision": found.revision,
            "loads": [load_data(item, out) for item in found.loads],
            "people": people_data(found.loads),
            "changes": [load_change_data(item, out) for item in changes] if working else None,
        }
    )
    return 0


def show_loads(loads: Sequence[Load], out: Output) -> None:
    """Print every duty, and the sum for each person."""
    out.table(
        [T("条款"), T("时限或频次"), T("类别"), T("责任"), T("责任依据"), T("工作量"), T("每人每年")],
        [
            [
                item.duty.clause,
                item.duty.time.wording,
                _KINDS[item.duty.time.kind],
                item.duty.who or T("未写明"),
                _WHO_FROM[item.duty.who_from] if item.duty.time.sure else T("不确定，请核对"),
                item.told,
                plain(item.per_person),
            ]
            for item in loads
        ],
    )
    for person, (times, open_ended) in per_holder(loads).items():
        if not times:
            out.line(T("{name}：{count} 项随事件发生，次数看客户、产品或事件有多少。", name=person, count=open_ended))
            continue
        out.line(
            T(
                "{name}：每年约 {times} 次；另有 {count} 项随事件发生。",
                name=person,
                times=plain(times),
                count=open_ended,
            )
        )
    unheld = list(dict.fromkeys(item.duty.who for item in loads if not item.people and item.duty.who))
    if unheld:
        out.line(T("没有人任职：{posts}。", posts=unheld))
    out.line(T("每日按365天、每个工作日按250天计；部门或岗位有多人的按平均分担计。"))


def show_load_changes(changes: Sequence[LoadChange], out: Output) -> None:
    """Print what a revision changes in the load."""
    if not changes:
        out.line(T("与现行版本相比，工作量没有变化。"))
        return
    out.line()
    out.line(T("与现行版本相比："))
    out.table(
        [T("条款"), T("现行"), T("修改后"), T("责任"), T("每人每年")],
        [
            [
                item.shown.duty.clause,
                item.old.duty.time.wording if item.old is not None else T("（无）"),
                item.new.duty.time.wording if item.new is not None else T("（取消）"),
                item.shown.duty.who,
                T("{old} → {new}", old=_times(item.old), new=_times(item.new)),
            ]
            for item in changes
        ],
    )


def _times(item: Load | None) -> Text | str:
    if item is None:
        return "0"
    return plain(item.per_person) or T("每次")


def load_data(item: Load, out: Output) -> dict[str, Any]:
    """Return one duty as data."""
    duty, time = item.duty, item.duty.time
    return {
        "clause": duty.clause,
        "kind": time.kind.value,
        "relation": time.relation.value,
        "wording": time.wording,
        "amount": plain(time.low) or None,
        "to": plain(time.high) or None,
        "unit": time.unit or None,
        "sentence": duty.sentence,
        "who": duty.who or None,
        "posts": list(duty.posts),
        "who_from": duty.who_from.value,
        "sure": duty.sure,
        "each": duty.each or None,
        "form": item.form or None,
        "records": item.records if item.form else None,
        "people": list(item.people),
        "times_per_year": plain(item.times) or None,
        "times_per_person": plain(item.per_person) or None,
        "told": out.text(item.told),
    }


def people_data(loads: Sequence[Load]) -> list[dict[str, Any]]:
    """Return the sums as data."""
    return [
        {"name": name, "times_per_year": plain(times), "each_time": open_ended}
        for name, (times, open_ended) in per_holder(loads).items()
    ]


def load_change_data(item: LoadChange, out: Output) -> dict[str, Any]:
    """Return what a revision changes as data."""
    return {
        "old": load_data(item.old, out) if item.old is not None else None,
        "new": load_data(item.new, out) if item.new is not None else None,
    }
