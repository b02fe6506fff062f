"""体系状态的显示. How the state of the system on a day is shown: lines for people, data for `--json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from controller.domain.library_day import ItemKind
from controller.domain.text import T

if TYPE_CHECKING:
    from controller.cli.output import Output
    from controller.domain.library_day import ItemOnDay, LibraryDay
    from controller.domain.text import Text

KIND_NAMES = {
    ItemKind.DOCUMENT: T("文件"),
    ItemKind.FORM: T("表单"),
    ItemKind.REGISTER: T("台账"),
    ItemKind.EXTERNAL: T("外来文件清单"),
}


def show_day(day: LibraryDay, out: Output) -> None:
    """Print what was in force on a day."""
    rows = []
    for item in day.items:
        approved: Text | str = ""
        if item.approved is not None:
            approved = f"{item.approved.name} {item.approved.at:%Y-%m-%d}"
        elif item.kind is ItemKind.DOCUMENT:
            approved = item.elsewhere or T("没有签署")
        rows.append(
            [
                KIND_NAMES[item.kind],
                item.number,
                item.title,
                item.revision,
                item.effective,
                item.until or "",
                item.change,
                f"{item.changed:%Y-%m-%d}",
                item.changed_by,
                approved,
            ]
        )
    heads = [
        *(T("种类"), T("编号"), T("名称"), T("版本"), T("生效"), T("失效")),
        *(T("更改"), T("最近更改"), T("更改人"), T("批准")),
    ]
    out.table(heads, rows)


def item_data(item: ItemOnDay) -> dict[str, Any]:
    """Return one item of a day as data."""
    return {
        "kind": item.kind.value,
        "number": item.number,
        "title": item.title,
        "revision": item.revision,
        "since": item.since.isoformat(),
        "effective": item.effective.isoformat(),
        "until": item.until.isoformat() if item.until is not None else None,
        "change": item.change or None,
        "changed": item.changed.isoformat(),
        "changed_by": item.changed_by or None,
        "reason": item.reason or None,
        "contents": item.contents.text,
        "elsewhere": item.elsewhere or None,
        "approved": None
        if item.approved is None
        else {"by": item.approved.name, "post": item.approved.post, "at": item.approved.at.isoformat()},
    }
