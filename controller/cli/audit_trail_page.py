"""审计追踪的显示. The audit trail on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.adapters.audit_trail_files import event_data
from controller.domain.text import T, Text
from controller.domain.trail_event import SIGNED_LABELS, ObjectKind, Signed, TrailEvent, TrailFilter, for_people
from controller.services.trail_listing import moment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from controller.bootstrap import Application
    from controller.cli.output import Output
    from controller.domain.trail_event import ShownChange
    from controller.services.audit_trail import SelectedTrail

_CHANGES_SHOWN = 4
_LONG = 120
"""Characters of one change in a list."""


def show_trail(
    out: Output, selected: SelectedTrail, events: Iterable[TrailEvent], *, whole: bool = False
) -> list[dict[str, object]]:
    """Print events as a table, what each changed in short, in full with `whole`; return their JSON shape."""
    shown = list(events)
    if out.as_json:
        return [event_data(event) for event in shown]
    out.table(
        [T("时间"), T("人员"), T("来自"), T("对象"), T("操作"), T("内容"), T("原因"), T("签名")],
        [_row(out, event, whole=whole) for event in shown],
    )
    if selected.unreadable:
        out.line(T("有 {count} 个文件无法读出，用 qms verify 查看。", count=selected.unreadable))
    if selected.unopened:
        out.line(T("有 {count} 个条目的敏感信息没有显示：本机没有密钥，或内容与条目不符。", count=selected.unopened))
    return []


def show_trail_of(application: Application, out: Output, number: str, *, unmask: bool) -> None:
    """Print the trail of one record in full, oldest first."""
    with application.audit_trail.select(TrailFilter(object=number), unmask=unmask) as selected:
        data = show_trail(out, selected, selected.events(), whole=True)
        out.document(trail_data(selected, data))


def trail_data(selected: SelectedTrail, events: list[dict[str, object]]) -> dict[str, object]:
    """Return the stable JSON shape of shown events."""
    return {
        "total": len(selected),
        "fingerprint": selected.fingerprint,
        "unmasked": selected.unmasked,
        "unreadable": selected.unreadable,
        "unopened": selected.unopened,
        "events": events,
    }


def _row(out: Output, event: TrailEvent, *, whole: bool) -> tuple[object, ...]:
    changes = for_people(event.changes)
    limit = len(changes) if whole else _CHANGES_SHOWN
    told = [_change(out, item) for item in changes[:limit]]
    if not whole:
        told = [item if len(item) <= _LONG else item[: _LONG - 1] + "…" for item in told]
    if len(changes) > limit:
        told.append(out.text(T("等 {count} 项", count=len(changes))))
    told += event.aside
    stage = event.stage or (event.meaning if event.kind == ObjectKind.DOCUMENT else "")
    action = out.text(event.action) + (f"（{stage}）" if stage else "")
    signed = SIGNED_LABELS[Signed(event.signed)]
    return (
        moment(event),
        _who(event),
        " ".join(part for part in (event.computer, event.account) if part),
        event.object,
        action,
        "；".join(told),
        event.reason,
        T("{signed}，见证：{names}", signed=signed, names=list(event.witnesses)) if event.witnesses else signed,
    )


def _who(event: TrailEvent) -> Text | str:
    if event.name or not event.at:
        return f"{event.name}（{event.post}）" if event.post else event.name
    return T("未登录（自称 {name}）", name=event.claimed) if event.claimed else T("未登录")


def _change(out: Output, item: ShownChange) -> str:
    label = Text(item.label)  # the name of a fact has its translation, that of a form's field none
    if not item.old:
        return out.text(T("{label}：{value}", label=label, value=item.new))
    new = item.new or T("（空）")
    return out.text(T("{label}：{old} → {new}", label=label, old=item.old, new=new))
