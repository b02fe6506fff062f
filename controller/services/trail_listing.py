"""审计追踪的列表. The trail as columns, and what every export says on top of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.identifiers import DocumentNumber, Revision
from controller.domain.register import Column, ColumnType, Heading, RegisterDefinition, Source
from controller.domain.text import moment_text
from controller.domain.trail_event import (
    KIND_LABELS,
    SIGNED_LABELS,
    ObjectKind,
    Signed,
    for_people,
    new_values,
    old_values,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from controller.domain.record import Signatory
    from controller.domain.register import Cell, Period
    from controller.domain.trail_event import ShownChange, TrailEvent
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
        ("导出时间", moment_text(made.made_at.isoformat(timespec="seconds"))),
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


def _who_and_where(event: TrailEvent) -> str:
    where = " ".join(part for part in (event.computer, event.account, event.sitting) if part)
    person = f"{who(event)}（{event.post}）" if event.post else who(event)
    return "\n".join(part for part in (person, where) if part)


def _what(event: TrailEvent) -> str:
    between = "\n" if len(event.object) + len(event.title) > _ONE_LINE else " "
    return between.join(part for part in (event.object, event.title) if part)


def _act(event: TrailEvent) -> str:
    detail = "，".join(dict.fromkeys(part for part in (event.stage, event.meaning) if part))
    return f"{event.action}（{detail}）" if detail else str(event.action)


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
_ONE_LINE = 12
"""Characters of an object and its name that stand on one line."""
_LONG = 60
"""Characters from which a text that stands in an earlier row is not printed again."""


class PrintedContent:
    """打印的内容栏. What each event set and changed; a long text that stands above is referred to, not said again.

    Args:
        rows_per_part: rows of each file, for none may refer to what stands in another.
    """

    def __init__(self, rows_per_part: int) -> None:
        self._rows_per_part = rows_per_part
        self._rows = 0
        self._said: dict[tuple[str, str], str] = {}

    def __call__(self, event: TrailEvent) -> str:
        """Return the cell of the next row."""
        if self._rows % self._rows_per_part == 0:
            self._said = {}
        self._rows += 1
        place = " ".join(part for part in (event.object, moment(event)[:19]) if part)
        changes = for_people(event.changes)
        told = ["；".join(self._once(item, place).rstrip("。") for item in changes if not item.old)]
        told += [self._once(item, place) for item in changes if item.old]
        return "\n".join(filter(None, told))

    def _once(self, item: ShownChange, place: str) -> str:
        told = f"{item.old} → {item.new or '（空）'}" if item.old else item.new
        if len(told) >= _LONG:
            earlier = self._said.setdefault((item.key, told), place)
            if earlier != place:
                told = f"同上文 {earlier}"
        return f"{item.label}：{told}"


def printed_columns(rows_per_part: int, made: TrailParticulars) -> tuple[TrailColumn, ...]:
    """Return the columns of one pdf export, where the width of a page is all there is."""
    zone = moment_text(made.made_at.isoformat(timespec="seconds"))[20:]
    return (
        TrailColumn(f"时间（{zone}）", 16, lambda event: moment(event).removesuffix(f" {zone}").replace(" ", "\n", 1)),
        TrailColumn("人员和来源", 26, _who_and_where),
        TrailColumn("对象", 30, _what),
        TrailColumn("操作", 17, _act),
        TrailColumn("内容（原值 → 新值）", 88, PrintedContent(rows_per_part)),
        TrailColumn("原因", 20, lambda event: "\n".join(part for part in (event.reason, *event.aside) if part)),
        TrailColumn("签名", 24, signature),
    )


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
