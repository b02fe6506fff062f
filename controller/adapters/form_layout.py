"""表单版面. Decides how the fields of a form lie on paper: what shares a row, how wide columns are.

Pure measuring and arranging; drawing is `form_page`. Widths are twips.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from controller.adapters.word_markup import em_width
from controller.domain.form import Field, FieldType, FormDefinition, Section

if TYPE_CHECKING:
    from collections.abc import Sequence

LATE_ENTRY = "late_entry_reason"
"""The field that every form with an event time gets; it has a line of its own at the foot."""
BLOCK_TITLES = {"product": "产品信息", "customer": "客户信息"}
"""Section titles of the shared blocks where a form names no sections of its own."""

_CHINESE_ORDER = "一二三四五六七八九十"
_NUMBERED = re.compile(r"^[一二三四五六七八九十]{1,3}、")
_VALUE_EM = 210
"""One em of filled text (10.5 pt) in twips."""
_LABEL_EM = 200
_CELL_MARGINS = 170
_LONG_TEXT_LENGTH = 200
"""Texts that may be longer than this get a row of their own."""
_WIDEST_LABEL = 7.6
"""Ems; longer labels break onto two lines."""
_SCALE = 4
"""Answers that make a scale; fewer are an ordinary choice."""
_WIDE = {FieldType.LONG_TEXT, FieldType.MULTI_CHOICE, FieldType.EXTERNAL_SIGNATURE, FieldType.ATTACHMENT}
_COLUMN_WEIGHTS = {
    FieldType.INTEGER: 4.0,
    FieldType.DECIMAL: 5.0,
    FieldType.DATE: 6.0,
    FieldType.DATETIME: 8.5,
    FieldType.BOOL: 4.0,
    FieldType.LONG_TEXT: 14.0,
    FieldType.TEXT: 9.0,
}


@dataclass(frozen=True)
class GridRow:
    """一行栏目. One field across the whole row, or two side by side."""

    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Grid:
    """栏目表. A titled grid of labels and values."""

    title: str | None
    rows: tuple[GridRow, ...]


@dataclass(frozen=True)
class Rows:
    """明细表. A table field with a repeated header."""

    title: str | None
    field: Field


@dataclass(frozen=True)
class Rating:
    """评分表. Questions that share the same choices, one row each."""

    title: str | None
    choices: tuple[str, ...]
    questions: tuple[Field, ...]


Piece: TypeAlias = "Grid | Rows | Rating"


def inside_sections(definition: FormDefinition) -> list[Section]:
    """Return the sections for the company's own pages, fields that no section names in a last one.

    Sections whose fields all stand on the customer's page are left out, and Chinese numerals in the titles that
    remain are counted anew.
    """
    sections = _declared_sections(definition)
    named = {key for section in sections for key in section.fields}
    rest = tuple(field.key for field in definition.fields if field.key not in named)
    rest = tuple(key for key in rest if key not in definition.customer_page and key != LATE_ENTRY)
    customer = set(definition.customer_page)
    shown = [section for section in sections if not customer.issuperset(section.fields)]
    if rest:
        shown.append(Section("其他" if sections else "", rest))
    if all(_NUMBERED.match(section.title) for section in sections) and sections:
        shown = [
            Section(f"{_numeral(place)}、{_NUMBERED.sub('', section.title)}", section.fields)
            for place, section in enumerate(shown, 1)
        ]
    return shown


def _declared_sections(definition: FormDefinition) -> list[Section]:
    if definition.sections:
        return list(definition.sections)
    blocks: dict[str, list[str]] = {}
    own: list[str] = []
    for field in definition.fields:
        if field.key == LATE_ENTRY:
            continue
        (own if field.block is None else blocks.setdefault(field.block, [])).append(field.key)
    sections = [Section(BLOCK_TITLES.get(block, block), tuple(keys)) for block, keys in blocks.items()]
    if sections and own:
        sections.append(Section("记录内容", tuple(own)))
    return sections


def _numeral(number: int) -> str:
    tens, ones = divmod(number, 10)
    head = ("" if tens == 1 else _CHINESE_ORDER[tens - 1]) + "十" if tens else ""
    return head + (_CHINESE_ORDER[ones - 1] if ones else "")


def arrange(fields: Sequence[Field], *, title: str | None, half: int) -> list[Piece]:
    """Return the pieces that a section is drawn with, in field order.

    Args:
        fields: the section's fields.
        title: its heading; it stands over the first piece.
        half: width of a value cell when two fields share a row.
    """
    arranging = _Arranging(title or None)
    for group in _rating_runs(fields):
        if len(group) > 1:
            arranging.close()
            arranging.add(Rating(arranging.heading, group[0].choices, tuple(group)))
            continue
        field = group[0]
        if field.type is FieldType.TABLE:
            arranging.close()
            arranging.add(Rows(arranging.heading, field))
        elif needs_whole_row(field, half=half):
            arranging.whole(field)
        else:
            arranging.share(field)
    arranging.close()
    return arranging.pieces


class _Arranging:
    """A section while its fields are being laid out."""

    def __init__(self, heading: str | None) -> None:
        self.heading = heading
        self.pieces: list[Piece] = []
        self._rows: list[GridRow] = []
        self._waiting: Field | None = None

    def add(self, piece: Piece) -> None:
        self.pieces.append(piece)
        self.heading = None

    def share(self, field: Field) -> None:
        if self._waiting is None:
            self._waiting = field
        else:
            self._rows.append(GridRow((self._waiting, field)))
            self._waiting = None

    def whole(self, field: Field) -> None:
        self._end_row()
        self._rows.append(GridRow((field,)))

    def close(self) -> None:
        self._end_row()
        if self._rows:
            self.add(Grid(self.heading, tuple(self._rows)))
            self._rows = []

    def _end_row(self) -> None:
        if self._waiting is not None:
            self._rows.append(GridRow((self._waiting,)))
            self._waiting = None


def _rating_runs(fields: Sequence[Field]) -> list[list[Field]]:
    """Group neighbouring questions that offer the same scale of answers; every other field stands alone."""
    groups: list[list[Field]] = []
    for field in fields:
        rated = field.type is FieldType.CHOICE and len(field.choices) >= _SCALE
        if rated and groups and groups[-1][-1].choices == field.choices:
            groups[-1].append(field)
        else:
            groups.append([field])
    return groups


def needs_whole_row(field: Field, *, half: int) -> bool:
    """Tell whether the field's answer is too wide for half a row."""
    if field.type is FieldType.CHOICE:
        return choices_width(field.choices) > half - _CELL_MARGINS
    if field.type is FieldType.TEXT:
        return (field.max_length or 0) > _LONG_TEXT_LENGTH or "地址" in field.label
    return field.type in _WIDE


def choices_width(choices: Sequence[str]) -> float:
    """Return the width of the options in one line, each with its box, in twips."""
    return sum(em_width(choice) + 1.4 for choice in choices) * _VALUE_EM + (len(choices) - 1) * _VALUE_EM


def choice_lines(choices: Sequence[str], width: int) -> list[list[str]]:
    """Return the options line by line, so that none breaks inside; `width` is the width of the value cell."""
    lines: list[list[str]] = [[]]
    for choice in choices:
        if lines[-1] and choices_width([*lines[-1], choice]) > width - _CELL_MARGINS:
            lines.append([])
        lines[-1].append(choice)
    return lines


def label_width(fields: Sequence[Field]) -> int:
    """Return one label column width for the whole form: short labels on one line, long ones on two or three."""
    widths = [em_width(field.label) for field in fields if field.type is not FieldType.TABLE]
    longest = max(widths, default=4.0)
    return round(max(4.0, min(longest, _WIDEST_LABEL)) * _LABEL_EM) + _CELL_MARGINS + 30


def broken_label(label: str, width: int) -> str:
    """Return `label` with line ends where it should break in a label cell of `width`: balanced, at a natural place."""
    ems = (width - _CELL_MARGINS) / _LABEL_EM
    whole = em_width(label)
    if whole <= ems:
        return label
    lines = math.ceil(whole / ems)
    best = min(
        (
            place
            for place in range(1, len(label))
            if _may_break(label, place) and em_width(label[:place].rstrip()) <= ems
        ),
        key=lambda place: abs(em_width(label[:place]) - whole / lines) - _break_bonus(label, place),
        default=None,
    )
    if best is None:
        return label
    return label[:best].rstrip() + "\n" + broken_label(label[best:].lstrip(), width)


def _may_break(label: str, place: int) -> bool:
    before, after = label[place - 1], label[place]
    narrow = before.isascii() and after.isascii() and before not in " /-"
    return not (narrow or after in "/、)）％%，。：" or before in "(（《“")


def _break_bonus(label: str, place: int) -> float:
    return 2.0 if label[place - 1] in "/、 )）" or label[place] in "(（" else 0.0


def column_widths(columns: Sequence[Field], total: int, *, numbered: int) -> list[int]:
    """Return the widths of a table field's columns; `numbered` is the width of the 序号 column, 0 for none."""
    space = total - numbered
    weights = [_column_weight(column) for column in columns]
    least = [round((_longest_part(column.label) * 190) + _CELL_MARGINS) for column in columns]
    if sum(least) > space:
        least = [round(width * space / sum(least)) for width in least]
    spare = space - sum(least)
    wanted = [max(0.0, weight * 190 + _CELL_MARGINS - width) for weight, width in zip(weights, least, strict=True)]
    share = sum(wanted) or 1.0
    widths = [width + int(spare * want / share) for width, want in zip(least, wanted, strict=True)]
    widths[-1] += space - sum(widths)
    return ([numbered] if numbered else []) + widths


def _column_weight(column: Field) -> float:
    if column.choices:
        return max(em_width(choice) for choice in column.choices) + 2
    return _COLUMN_WEIGHTS.get(column.type, 8.0)


def _longest_part(label: str) -> float:
    """Ems a heading needs when it may break onto two lines (three for very long ones)."""
    width = em_width(label)
    lines = 1 if width <= 4 else 2 if width <= 10 else 3  # noqa: PLR2004 - ems, as read on paper
    return max(2.0, width / lines + (0.5 if lines > 1 else 0.0))
