"""命令 `qms doc links`. What a document refers to, who refers to it, and which references lead nowhere any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from controller.cli.commands import M, command, option
from controller.domain.conformity import Gravity
from controller.domain.library_day import ItemKind
from controller.domain.references import STATE_LABELS, SourceKind, TargetState, Via, told_once
from controller.domain.text import T
from controller.services.withdrawn_documents import DocumentWithdrawnError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from controller.cli.main import Session
    from controller.cli.output import Output
    from controller.domain.references import Reference
    from controller.services.reference_keeping import ReferenceKeeping

_VIA = {
    Via.TEXT: T("正文"),
    Via.BASIS: T("依据"),
    Via.FORMS: T("名下表单"),
    Via.LINKS: T("条款关联"),
    Via.RELATED: T("相关文件"),
    Via.PROCEDURE: T("归口程序"),
    Via.SOURCES: T("数据来源"),
    Via.DUTY: T("职责文件"),
    Via.EVIDENCE: T("检查证据"),
}
_SOURCES = {
    SourceKind.POST: T("岗位"),
    SourceKind.CHECKLIST: T("现场检查对照表"),
    SourceKind.ROUTE: T("签署路线"),
    SourceKind.RETENTION: T("保存期限"),
}


@command("links", M("引用关系：一份文件引用了谁、被谁引用，哪些引用已失效。"))
@click.argument("number", metavar="[NUMBER]", required=False)
@option("--to", "target", metavar="NUMBER", help=M("反查：谁引用了这份文件、表单、台账或外来文件。"))
@option("--working/--approved", "working", default=False, help=M("查文件夹里的文件，或现行有效的版本（默认）。"))
@click.pass_obj
def links(session: Session, number: str | None, target: str | None, *, working: bool) -> int:
    out = session.output
    keeping = session.application.reference_keeping(working=working)
    if number is not None:
        with session.application.withdrawn_documents.told(number):
            number = keeping.resolve(number)
    if target is not None:
        wanted = _target(session, keeping, target)
        found = [item for item in keeping.to(wanted) if number is None or item.source.number == number]
        _show_citing(found, out)
    elif number is not None:
        found = keeping.of(number)
        _show(found, out)
    else:
        found = keeping.references()
        _show_all(keeping, out)
    findings = [item for item in keeping.findings() if target is None and (number is None or item.subject == number)]
    out.findings(findings)
    out.document(
        {"references": [reference_data(item) for item in found], "findings": [out.finding_data(i) for i in findings]}
    )
    return 1 if any(item.gravity is Gravity.ERROR for item in findings) else 0


def _target(session: Session, keeping: ReferenceKeeping, wanted: str) -> str:
    """Tell whose references are looked for, withdrawn or not, and return its number."""
    out = session.output
    try:
        with session.application.withdrawn_documents.told(wanted):
            number = keeping.resolve(wanted)
    except DocumentWithdrawnError as exc:
        out.line(exc.message)
        if exc.hint is not None:
            out.line(exc.hint)
        out.line(T("仍引用 {number} 的地方：", number=exc.number))
        return exc.number
    out.line(T("引用 {number}《{title}》的地方：", number=number, title=keeping.targets.items[number].title))
    return number


def _show(found: Iterable[Reference], out: Output) -> None:
    rows = [
        [
            item.clause or T("全文"),
            item.target,
            item.title,
            item.articles,
            [_VIA[via] for via in ways],
            STATE_LABELS[item.state],
        ]
        for item, ways in told_once(found)
    ]
    out.table([T("条款"), T("引用"), T("名称"), T("引用的条款"), T("引用方式"), T("状况")], rows)
    out.line(T("共引用 {count} 处。", count=len(rows)))


def _show_citing(found: Iterable[Reference], out: Output) -> None:
    rows = [
        [
            _SOURCES.get(item.source.kind, item.source.number),
            item.source.title,
            item.clause or T("全文"),
            item.articles,
            [_VIA[via] for via in ways],
            STATE_LABELS[item.state],
        ]
        for item, ways in told_once(found)
    ]
    out.table([T("引用者"), T("名称"), T("条款"), T("引用的条款"), T("引用方式"), T("状况")], rows)
    out.line(T("共被引用 {count} 处。", count=len(rows)))


def _show_all(keeping: ReferenceKeeping, out: Output) -> None:
    rows: list[Sequence[object]] = []
    for target in keeping.targets.items.values():
        own = [item for item, _ in told_once(keeping.of(target.number))]
        broken = sum(item.broken for item in own)
        citing = len([item for item, _ in told_once(keeping.to(target.number))])
        if target.kind is not ItemKind.EXTERNAL or citing:
            rows.append([target.number, target.title, len(own), citing, broken or ""])
    out.table([T("编号"), T("名称"), T("引用"), T("被引用"), T("要核对")], rows)


def reference_data(item: Reference) -> dict[str, Any]:
    """Return one reference as data."""
    return {
        "source": {"kind": item.source.kind.value, "number": item.source.number, "title": item.source.title},
        "clause": item.clause or None,
        "via": item.via.value,
        "wording": item.wording,
        "kind": item.kind.value if item.kind is not None else None,
        "target": item.target,
        "title": item.title or None,
        "articles": list(item.articles),
        "state": item.state.value,
        "now": item.now if item.state not in {TargetState.VALID, TargetState.MISSING} else None,
        "line": item.line,
    }
