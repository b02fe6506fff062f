"""旧文件的控制栏. Reads what old documents say of themselves: control tables, `版本：A/0` lines, revision tables.

A grid is a table as rows of cell texts, whatever it was drawn with. What is read is never guessed from the place alone:
a cell counts only beside a label that people use for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.domain.document import HistoryRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Grid = tuple[tuple[str, ...], ...]


class Fact(StrEnum):
    """控制栏的一项. What a label stands for."""

    NUMBER = "number"
    TITLE = "title"
    REVISION = "revision"
    AMENDMENT = "amendment"
    CLASS = "class"
    OWNER = "owner"
    DRAFTED = "drafted"
    REVIEWED = "reviewed"
    APPROVED = "approved"
    DRAFTED_ON = "drafted-on"
    REVIEWED_ON = "reviewed-on"
    APPROVED_ON = "approved-on"
    EFFECTIVE = "effective"
    ISSUED = "issued"
    DAY = "day"
    """A bare 日期: it belongs to whoever signed before it."""
    KEPT = "kept"
    """Something with no place of its own here, such as 受控状态; kept as written."""


SIGNED_ON = {Fact.DRAFTED: Fact.DRAFTED_ON, Fact.REVIEWED: Fact.REVIEWED_ON, Fact.APPROVED: Fact.APPROVED_ON}
_LABELS = {
    Fact.NUMBER: "文件编号 编号 文件编码 文件号 文件代号 程序编号 制度编号 规程编号",
    Fact.TITLE: "文件名称 文件标题 名称 标题 题目 程序名称 制度名称 文件题目",
    Fact.REVISION: (
        "版本 版本号 版次 版号 版本状态 现行版本 文件版本 版本/修改状态 版本/修订状态 版本/修改 版本/状态 "
        "版次/修改状态 版本/版次"
    ),
    Fact.AMENDMENT: "修改状态 修订状态 修改次数 修订次数 修订号 修改码 修改号",
    Fact.CLASS: "文件类别 文件类型 文件种类",
    Fact.OWNER: "归口部门 归口管理部门 编制部门 起草部门 颁发部门 主管部门 责任部门 制定部门 编写部门 主责部门",
    Fact.DRAFTED: "编制 编制人 编制者 起草 起草人 拟制 拟制人 拟稿 拟稿人 制定 制定人 编写 编写人 修订人",
    Fact.REVIEWED: "审核 审核人 审核者 审查 审查人",
    Fact.APPROVED: "批准 批准人 批准者 审批 审批人 审定 核准 核准人 签发 签发人",
    Fact.DRAFTED_ON: "编制日期 起草日期 拟制日期 制定日期 编写日期 修订日期 编制时间",
    Fact.REVIEWED_ON: "审核日期 审查日期 审核时间",
    Fact.APPROVED_ON: "批准日期 审批日期 核准日期 签发日期 批准时间",
    Fact.EFFECTIVE: "生效日期 实施日期 执行日期 施行日期 生效时间 实施时间 执行时间",
    Fact.ISSUED: "发布日期 颁布日期 颁发日期 发放日期 发行日期",
    Fact.DAY: "日期 时间",
    Fact.KEPT: (
        "页码 页次 页数 总页数 共页 受控状态 受控 受控号 受控编号 分发号 发放号 发放编号 分发部门 发放部门 密级 副本号 "
        "会签 会签人 会签部门 保管部门 使用部门 适用部门 适用范围部门 文件级别 文件层次 起止日期 存档编号 单位名称 "
        "公司名称 签名 签字 姓名 职务 变更原因 变更记录"
    ),
}
"""The words that people use for each."""
_BY_LABEL = {label: fact for fact, labels in _LABELS.items() for label in labels.split()}
_PAIR = re.compile(
    "(?:"
    + "|".join(r"[ \t\u3000\xa0]*".join(map(re.escape, label)) for label in sorted(_BY_LABEL, key=len, reverse=True))
    + r")[ \t\u3000\xa0]*[:：][ \t\u3000\xa0]*"
)
_MAIN = frozenset(Fact) - {Fact.KEPT, Fact.DAY, Fact.ISSUED, Fact.CLASS}
_BLANK = re.compile(r"[\s\u3000\xa0]+")
_LINE_LENGTH = 200
_VALUE_LENGTH = 80
_CELL_LENGTH = 60
_MOST_CELLS = 120
_LEAST_FACTS = 2
_COLUMNS = (
    ("revision", re.compile(r"版本|版次|版号|修订号|修改状态|修订状态|修订次数|修改次数")),
    ("by", re.compile(r"(?:修改|更改|修订|变更|编制|起草|拟制|制定|编写|经办)(?:人|者)$|^(?:编制|起草|拟制)$")),
    ("others", re.compile(r"^(?:审核|批准|审批|核准|审定|会签)(?:人|者)?$")),
    ("date", re.compile(r"日期|时间")),
    ("clauses", re.compile(r"条款|章节|条号|页次|页码|页号|修改处|位置|编号")),
    ("reason", re.compile(r"原因|理由|内容|说明|摘要|事项|记录|描述|概要|备注")),
)
_ORDINAL = re.compile(r"序号|序|No\.?|№", re.IGNORECASE)
_HISTORY_HEAD = re.compile(
    r"(?:文件)?(?:修订|修改|更改|变更|改版|换版|版本)(?:历史|履历|记录|履历表|记录表|历史记录|状况|一览表?|控制页?|页)[:：]?"
)
_LEAST_COLUMNS = 3


@dataclass(frozen=True)
class ControlFacts:
    """读到的控制栏. Each item with what stands beside its label, in order; and the cells beside no label."""

    facts: tuple[tuple[Fact, str], ...]
    rest: tuple[str, ...] = ()

    @property
    def main(self) -> frozenset[Fact]:
        """The items, with a value, that tell documents apart or say who answers for them."""
        return frozenset(fact for fact, value in self.facts if value) & _MAIN

    @property
    def convinces(self) -> bool:
        """Whether it is the control block of a document and not just some table or line."""
        return len(self.main) >= _LEAST_FACTS and all(len(cell) <= _CELL_LENGTH for cell in self.rest)


@dataclass(frozen=True)
class OldHistory:
    """旧修订记录. The rows of a revision table, and whether every cell has a place in them."""

    rows: tuple[HistoryRow, ...]
    whole: bool
    nameless: int = 0
    """Rows without a revision."""


def label_of(text: str) -> Fact | None:
    """Return what a cell such as `编 制` or `版本号：` is the label of, None for any other text."""
    return _BY_LABEL.get(_BLANK.sub("", text).strip(":：*＊"))


def read_line(line: str) -> ControlFacts | None:
    """Return the facts of a line such as `版本：A/0  修改状态：1`; None unless all of it is labels and short values."""
    text = line.strip()
    if not 0 < len(text) <= _LINE_LENGTH:
        return None
    found = list(_PAIR.finditer(text))
    if not found or found[0].start() != 0:
        return None
    facts: list[tuple[Fact, str]] = []
    for match, following in zip(found, [*found[1:], None], strict=True):
        value = text[match.end() : following.start() if following else len(text)].strip(" \t\u3000\xa0,，;；|")
        if len(value) > _VALUE_LENGTH or any(sign in value for sign in "。！？"):
            return None
        label = label_of(match[0])
        assert label is not None
        facts.append((label, value))
    return ControlFacts(tuple(_dated(facts)))


def _dated(facts: Sequence[tuple[Fact, str]]) -> Iterator[tuple[Fact, str]]:
    """Yield the facts, a bare 日期 given to whoever signed before it."""
    signer: Fact | None = None
    for fact, value in facts:
        if fact in SIGNED_ON:
            signer = fact
        if fact is Fact.DAY:
            yield (SIGNED_ON[signer], value) if signer is not None else (Fact.KEPT, value)
        else:
            yield fact, value


def read_grid(grid: Grid) -> ControlFacts | None:
    """Return the facts of a control table, None for a table that is none."""
    if not grid or sum(map(len, grid)) > _MOST_CELLS:
        return None
    facts: list[tuple[Fact, str]] = []
    rest: list[str] = []
    place = 0
    while place < len(grid):
        taken = _columns(grid, place, facts)
        if not taken:
            _row(grid[place], facts, rest)
            taken = 1
        place += taken
    found = ControlFacts(tuple(facts), tuple(rest))
    return found if found.convinces else None


def _columns(grid: Grid, place: int, facts: list[tuple[Fact, str]]) -> int:
    """Read labels that stand above their values; return how many rows that took, 0 when they do not."""
    heads = [label_of(cell) for cell in grid[place]]
    if sum(head in SIGNED_ON for head in heads) < _LEAST_FACTS or place + 1 == len(grid):
        return 0
    if any(head is None and cell.strip() for head, cell in zip(heads, grid[place], strict=True)):
        return 0
    taken = 1
    for row in grid[place + 1 :]:
        if len(row) != len(heads) or any(label_of(cell) for cell in row[1:]):
            break
        on_days = label_of(row[0]) is Fact.DAY
        for head, cell in zip(heads, row, strict=True):
            if head is None or not cell.strip():
                continue
            facts.append((SIGNED_ON[head] if on_days and head in SIGNED_ON else head, cell.strip()))
        taken += 1
    return taken if taken > 1 else 0


def _row(row: Sequence[str], facts: list[tuple[Fact, str]], rest: list[str]) -> None:
    """Read labels with their values beside them, or in the same cell."""
    found: list[tuple[Fact, str]] = []
    label: Fact | None = None
    for cell in row:
        text = cell.strip()
        if not text:
            continue
        itself = label_of(text)
        if itself is not None:
            if label is not None:
                found.append((label, ""))
            label = itself
            continue
        lines = [read_line(line) for line in text.splitlines() if line.strip()]
        if lines and all(line is not None for line in lines):
            if label is not None:
                found.append((label, ""))
            label = None
            found += [fact for line in lines if line is not None for fact in line.facts]
        elif label is not None:
            found.append((label, text))
            label = None
        else:
            rest.append(text)
    if label is not None:
        found.append((label, ""))
    facts += _dated(found)


def is_history_heading(line: str) -> bool:
    """Tell whether a line is the heading of a revision table: 修订记录, 文件更改记录."""
    return _HISTORY_HEAD.fullmatch(_BLANK.sub("", line)) is not None


def read_history(grid: Grid, *, headed: bool) -> OldHistory | None:
    """Return the rows of a revision table, None for a table that is none.

    `headed`: a line before it says that it is one.
    """
    place = 0
    while place < len(grid) and len(named := [cell for cell in grid[place] if cell.strip()]) <= 1:
        headed = headed or (bool(named) and is_history_heading(named[0]))
        place += 1
    if place >= len(grid):
        return None
    columns = [_column(cell) for cell in grid[place]]
    named_columns = {column for column in columns if column}
    if "revision" not in named_columns or not named_columns & {"clauses", "reason"}:
        return None
    if len(named_columns - {"others"}) < (_LEAST_COLUMNS - 1 if headed else _LEAST_COLUMNS):
        return None
    rows, whole, nameless = [], True, 0
    for row in grid[place + 1 :]:
        cells: dict[str, list[str]] = {}
        for column, cell, head in zip(columns, row, grid[place], strict=False):
            text = " ".join(cell.split())
            if not text:
                continue
            if column is None:
                whole = whole and _ORDINAL.fullmatch(head.strip()) is not None
            elif column == "others":
                cells.setdefault("by", []).append(f"{head.strip()} {text}")
            else:
                cells.setdefault(column, []).append(text)
        whole = whole and len(row) == len(columns)
        if not cells:
            continue
        nameless += "revision" not in cells
        joined = {column: "，".join(texts) for column, texts in cells.items()}
        rows.append(
            HistoryRow(
                revision=joined.get("revision", "未写明"),
                date=joined.get("date"),
                clauses=joined.get("clauses", ""),
                reason=joined.get("reason", ""),
                by=joined.get("by", ""),
            )
        )
    return OldHistory(tuple(rows), whole, nameless)


def _column(cell: str) -> str | None:
    text = _BLANK.sub("", cell)
    return next((name for name, words in _COLUMNS if words.search(text)), None) if text else None


def grid_lines(grid: Grid) -> list[str]:
    """Return a table as lines of text with nothing left out, one a row, empty cells omitted."""
    rows = (" | ".join(" ".join(cell.split()) for cell in row if cell.strip()) for row in grid)
    return [row for row in rows if row]
