"""审计追踪的列表. The trail as columns, and what every export says on top of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.identifiers import DocumentNumber, Revision
from controller.domain.register import Column, ColumnType, Heading, RegisterDefinition, Source
from controller.domain.text import moment_text
from controller.domain.trail_event import KIND_LABELS, SIGNED_LABELS, ObjectKind, Signed, new_values, old_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from controller.domain.record import Signatory
    from controller.domain.register import Cell, Period
    from controller.domain.trail_event import TrailEvent
    from controller.services.audit_trail import SelectedTrail
    from controller.services.ports import Progress
    from controller.services.register_report import Sheet

NOBODY = "未登录"
"""Stands for the person of an event at which nobody was signed in."""


@dataclass(frozen=True)
class TrailParticulars:
    """导出说明. What stands on top of an exported trail."""

    company: str
    workspace: str
    site: str
    by: Signatory
    made_at: datetime


def particulars(selected: SelectedTrail, made: TrailParticulars) -> tuple[tuple[str, str], ...]:
    """Return what stands on top of an export, as names and values."""
    wanted = selected.wanted
    conditions = "；".join(str(item) for item in wanted.described())
    rows = [
        ("公司", made.company),
        ("工作区", f"{made.workspace}（站点 {made.site}）"),
        ("内容", "审计追踪：全部记录条目和全部签名陈述，按时间先后"),
        ("期间", str(wanted.period)),
        ("筛选条件", conditions or "无"),
        ("导出人", f"{made.by.name}（{made.by.person}，{made.by.post}）" if made.by.post else made.by.name),
        ("导出时间", made.made_at.isoformat(sep=" ", timespec="seconds")),
        ("行数", str(len(selected))),
        ("档案指纹", selected.fingerprint),
        ("敏感个人信息", "已显示" if selected.unmasked else "已遮蔽（***）"),
        ("签名", "本表只说明有无签名；签名是否有效用 qms verify 检查"),
    ]
    if selected.unreadable:
        rows.append(("无法读出", f"{selected.unreadable} 个文件，排在最前；用 qms verify 查看"))
    if selected.unopened:
        rows.append(("未能打开", f"{selected.unopened} 个条目的敏感信息，本机没有密钥或内容不符"))
    return tuple(rows)


def moment(event: TrailEvent) -> str:
    """Return the machine time with seconds and zone."""
    return moment_text(event.at)


def who(event: TrailEvent) -> str:
    """Return the full name of who acted, or who was claimed to."""
    if event.name or not event.at:
        return event.name
    return f"{NOBODY}（自称 {event.claimed}）" if event.claimed else NOBODY


def signature(event: TrailEvent) -> str:
    """Return whether the event is signed, and who signed beside."""
    label = str(SIGNED_LABELS[Signed(event.signed)])
    return f"{label}，见证：{'、'.join(event.witnesses)}" if event.witnesses else label


def _kind(event: TrailEvent) -> str:
    return str(KIND_LABELS[ObjectKind(event.kind)])


def _where_from(event: TrailEvent) -> str:
    return " ".join(part for part in (event.computer, event.account, event.sitting) if part)


@dataclass(frozen=True)
class TrailColumn:
    """一列."""

    label: str
    width: int
    cell: Callable[[TrailEvent], str]


COLUMNS = (
    TrailColumn("时间", 25, moment),
    TrailColumn("人员", 10, who),
    TrailColumn("工号", 8, lambda event: event.person),
    TrailColumn("岗位", 14, lambda event: event.post),
    TrailColumn("电脑", 12, lambda event: event.computer),
    TrailColumn("账户", 10, lambda event: event.account),
    TrailColumn("登录号", 10, lambda event: event.sitting),
    TrailColumn("对象类别", 9, _kind),
    TrailColumn("对象", 26, lambda event: event.object),
    TrailColumn("名称", 20, lambda event: event.title),
    TrailColumn("操作", 14, lambda event: str(event.action)),
    TrailColumn("阶段", 10, lambda event: event.stage),
    TrailColumn("原值", 36, lambda event: old_values(event.changes)),
    TrailColumn("新值", 36, lambda event: new_values(event.changes)),
    TrailColumn("原因", 24, lambda event: event.reason),
    TrailColumn("签名含义", 9, lambda event: event.meaning),
    TrailColumn("备注", 18, lambda event: "；".join(event.aside)),
    TrailColumn("签名", 16, signature),
    TrailColumn("链", 26, lambda event: event.chain),
    TrailColumn("序号", 6, lambda event: str(event.sequence)),
    TrailColumn("摘要", 24, lambda event: event.digest),
)
"""Columns of csv and xlsx."""
PRINTED_COLUMNS = (
    TrailColumn("时间", 13, lambda event: event.at.replace("T", "\n")),
    TrailColumn("人员", 10, lambda event: "\n".join(part for part in (who(event), event.post) if part)),
    TrailColumn("来源", 12, _where_from),
    TrailColumn("对象", 18, lambda event: "\n".join(part for part in (event.object, event.title) if part)),
    TrailColumn(
        "操作", 10, lambda event: "\n".join(part for part in (str(event.action), event.stage, event.meaning) if part)
    ),
    TrailColumn("原值", 24, lambda event: old_values(event.changes)),
    TrailColumn("新值", 24, lambda event: new_values(event.changes)),
    TrailColumn("原因", 16, lambda event: "\n".join(part for part in (event.reason, *event.aside) if part)),
    TrailColumn("签名", 9, signature),
)
"""Columns of pdf, where the width of a page is all there is."""


class TrailTable:
    """审计追踪表. The selected trail as a table that the writers of registers can write."""

    def __init__(
        self,
        selected: SelectedTrail,
        made: TrailParticulars,
        columns: Sequence[TrailColumn] = COLUMNS,
        *,
        definition: RegisterDefinition | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.definition = definition or _definition()
        self.headings = tuple(Heading(column.label, ColumnType.TEXT, column.width) for column in columns)
        self.preface = particulars(selected, made)
        self.now = made.made_at
        self._selected = selected
        self._columns = tuple(columns)
        self._progress = progress

    @property
    def period(self) -> Period:
        """The period that was asked for."""
        return self._selected.wanted.period

    def rows(self) -> Iterator[tuple[Cell, ...]]:
        """Yield one row an event."""
        cells = [column.cell for column in self._columns]
        for number, event in enumerate(self._selected.events(), 1):
            if self._progress is not None and not number % 200:
                self._progress(number, len(self._selected))
            yield tuple(cell(event) for cell in cells)

    def sheets(self, *, company: str) -> list[Sheet]:
        """Return what follows the rows: nothing, the particulars stand on top."""
        del company
        return []


def _definition() -> RegisterDefinition:
    """Return what heads an export where the library has no register of the audit trail."""
    from controller.domain.expression import Expression

    column = Column("at", "时间", Expression.compile("entry.at"))
    return RegisterDefinition(
        id="TZ-16",
        number=DocumentNumber("XX-YLQXTZ-16"),
        title="审计追踪",
        revision=Revision("A/0"),
        procedure=None,
        owner="质管部",
        source=Source.ENTRIES,
        columns=(column,),
    )
