"""表单页面. Draws the body of a form: title, grids, tables, ratings, signatures and foot.

What goes where is decided by `form_layout`; into which package it comes, by `form_scaffold`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from controller.adapters.form_layout import (
    Grid,
    Piece,
    Rating,
    Rows,
    arrange,
    broken_label,
    choice_lines,
    choices_width,
    column_widths,
    inside_sections,
    label_width,
)
from controller.adapters.template_text import literal_text, string_literal
from controller.adapters.word_markup import (
    HEADING_SHADE,
    LABEL_SHADE,
    Cell,
    directive_row,
    em_width,
    gap,
    mm,
    page_break,
    paragraph,
    row,
    table,
    text_run,
)
from controller.domain.field_values import PENDING
from controller.domain.form import Field, FieldType, FormDefinition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.domain.form import SignatureSlot

_BOXED = {FieldType.CHOICE, FieldType.MULTI_CHOICE, FieldType.BOOL}
_PLAIN_UNIT = re.compile(r"[0-9A-Za-z\u4e00-\u9fff%℃°/·㎡]{1,8}")
_HEAD_HEIGHT = mm(7)
_LINE_HEIGHT = mm(8)
"""Room for one line of handwriting."""
_LONG_HEIGHT = mm(16)
_CUSTOMER_LONG_HEIGHT = mm(32)
_SIGN_HEIGHT = mm(11)
_STAMP_HEIGHT = mm(14)
_RATING_HEIGHT, _CUSTOMER_RATING_HEIGHT = mm(7.5), mm(11)
_NUMBER_COLUMN = 600
_TITLE_WIDTH_EMS = 20
_CUSTOMER_HINT = "请在符合您意见的方框内打“√”。您的意见将用于改进我们的产品和服务，感谢您的支持！"
_COMPANY_PART = "（以下由本公司填写）"


class FormPage:
    """表单页面. One form being drawn on pages of a given text width, in twips."""

    def __init__(self, definition: FormDefinition, width: int) -> None:
        self._form = definition
        self._width = width
        self._label = label_width(definition.fields)
        half = width // 2
        self._columns = (self._label, half - self._label, self._label, width - half - self._label)

    @property
    def _half(self) -> int:
        return self._columns[1]

    def markup(self) -> str:
        """Return the whole body as WordprocessingML."""
        parts: list[str] = []
        customer = [field for key in self._form.customer_page if (field := self._form.field(key)) is not None]
        if customer:
            parts += [self._title(), self._number_line(), paragraph(text_run(_CUSTOMER_HINT), "WkSmall"), gap()]
            pieces = arrange(customer, title=None, half=self._half)
            parts += [self._piece(piece, for_customer=True) + gap() for piece in pieces]
            parts += [page_break(), self._title(), paragraph(text_run(_COMPANY_PART), "WkSubtitle")]
        else:
            parts += [self._title(), self._number_line()]
        for section in inside_sections(self._form):
            fields = [field for key in section.fields if (field := self._form.field(key)) is not None]
            for piece in arrange(fields, title=section.title, half=self._half):
                parts.append(self._piece(piece) + gap())
        if self._form.event_time is not None:
            parts.append(self._late_entry())
        if self._form.signatures:
            parts.append(self._signatures())
        parts.append(self._foot())
        return "".join(parts)

    def _title(self) -> str:
        ems = em_width(self._form.title)
        smaller = "" if ems <= _TITLE_WIDTH_EMS else '<w:sz w:val="32"/><w:szCs w:val="32"/>'
        return paragraph(text_run("{{ form.title }}", smaller), "WkTitle")

    def _number_line(self) -> str:
        half = self._width // 2
        left = "编号：{{ record.number }}"
        right = "版本：{{ form.revision }}　状态：{{ record.stage }}"
        cells = [
            Cell(paragraph(text_run(left), "WkNumberLine"), half, bordered=False),
            Cell(
                paragraph(text_run(right), "WkNumberLine", '<w:jc w:val="right"/>'), self._width - half, bordered=False
            ),
        ]
        return table((half, self._width - half), [row(cells, height=340)], bordered=False) + gap()

    def _piece(self, piece: Piece, *, for_customer: bool = False) -> str:
        if isinstance(piece, Grid):
            return self._grid(piece, long_height=_CUSTOMER_LONG_HEIGHT if for_customer else _LONG_HEIGHT)
        if isinstance(piece, Rows):
            return self._rows(piece)
        return self._rating(piece, height=_CUSTOMER_RATING_HEIGHT if for_customer else _RATING_HEIGHT)

    def _heading(self, title: str, columns: Sequence[int], *, header: bool = False) -> str:
        content = paragraph(text_run(literal_text(title)), "WkSection")
        cell = Cell(content, sum(columns), span=len(columns), shade=HEADING_SHADE)
        return row([cell], height=_HEAD_HEIGHT, header=header)

    def _grid(self, grid: Grid, *, long_height: int) -> str:
        # The heading repeats where a section runs on to the next page, and never stands alone at the foot of one.
        rows = [self._heading(grid.title, self._columns, header=True)] if grid.title else []
        for line in grid.rows:
            height = max(_height(field, long_height) for field in line.fields)
            cells: list[Cell] = []
            for place, field in enumerate(line.fields):
                label, value = self._columns[2 * place], self._columns[2 * place + 1]
                alone = len(line.fields) == 1
                room = sum(self._columns[1:]) if alone else value
                cells += [
                    Cell(self._label_text(field.label), label, shade=LABEL_SHADE),
                    Cell(
                        paragraph(text_run(_answer(field, room)), "WkValue"),
                        room,
                        span=3 if alone else 1,
                        align="top" if field.type is FieldType.LONG_TEXT else "center",
                    ),
                ]
            # A row of single lines cannot split anyway, and LibreOffice 7.4 may lose a row that must not.
            rows.append(row(cells, height=height, may_split=height <= _LINE_HEIGHT))
        return table(self._columns, rows)

    def _label_text(self, label: str) -> str:
        return paragraph(text_run(literal_text(broken_label(label, self._label))), "WkLabel")

    def _rows(self, piece: Rows) -> str:
        field = piece.field
        columns = column_widths(field.columns, self._width, numbered=_NUMBER_COLUMN)
        title = field.label if not piece.title or piece.title.endswith(field.label) else f"{piece.title}　{field.label}"
        heads = ["序号", *(literal_text(column.label) for column in field.columns)]
        header = [
            Cell(paragraph(text_run(head), "WkTableHead"), width, shade=LABEL_SHADE)
            for head, width in zip(heads, columns, strict=True)
        ]
        names = ["row.no", *(f"row.{column.key}" for column in field.columns)]
        styles = ["WkTableCentre", *(_column_style(column) for column in field.columns)]
        line = [
            Cell(paragraph(text_run(f"{{{{ {name} }}}}"), style), width)
            for name, style, width in zip(names, styles, columns, strict=True)
        ]
        nothing = Cell(paragraph(text_run("（无）"), "WkTableCentre"), self._width, span=len(columns))
        return table(
            columns,
            [
                self._heading(title, columns, header=True),
                row(header, height=_HEAD_HEIGHT, header=True),
                directive_row(f"{{%tr for row in {field.key} %}}", columns),
                row(line, height=_LINE_HEIGHT),
                directive_row("{%tr else %}", columns),
                row([nothing], height=_LINE_HEIGHT),
                directive_row("{%tr endfor %}", columns),
            ],
        )

    def _rating(self, piece: Rating, *, height: int) -> str:
        box = min(1150, self._width * 2 // (2 * len(piece.choices) + 5))
        columns = [self._width - box * len(piece.choices), *[box] * len(piece.choices)]
        heads = ["评价项目", *("\n".join(choice.split("=", 1)) for choice in piece.choices)]
        rows = [self._heading(piece.title, columns, header=True)] if piece.title else []
        rows += [
            row(
                [
                    Cell(paragraph(text_run(literal_text(head)), "WkTableHead"), width, shade=LABEL_SHADE)
                    for head, width in zip(heads, columns, strict=True)
                ],
                height=_HEAD_HEIGHT,
                header=True,
            )
        ]
        for number, question in enumerate(piece.questions, 1):
            label = f"{number}. {literal_text(question.label)}"
            cells = [Cell(paragraph(text_run(label), "WkValue"), columns[0])]
            cells += [
                Cell(paragraph(text_run(f"{{{{ box.{question.key}[{string_literal(choice)}] }}}}"), "WkBox"), box)
                for choice in piece.choices
            ]
            rows.append(row(cells, height=height))
        return table(columns, rows)

    def _late_entry(self) -> str:
        label, value = self._columns[0], self._width - self._columns[0]
        columns = (label, value)
        cells = [
            Cell(self._label_text("补记原因"), label, shade=LABEL_SHADE),
            Cell(paragraph(text_run("{{ record.late_entry_reason }}"), "WkValue"), value),
        ]
        # On a blank form there must be room for it; on a filled one it stands only when there is one.
        asked = paragraph(text_run("{%p if form.blank or record.late_entry_reason %}"), "WkGap")
        end = paragraph(text_run("{%p endif %}"), "WkGap")
        return asked + table(columns, [row(cells, height=_LINE_HEIGHT)]) + gap() + end

    def _signatures(self) -> str:
        small, meaning = 800, 1250
        rest = self._width - self._label - 2 * small - meaning
        name = rest // 2
        columns = (self._label, name, small, rest - name, small, meaning)
        last = self._form.signatures[-1]
        rows = [self._signature(slot, columns, with_next=slot is not last) for slot in self._form.signatures]
        return table(columns, rows)

    def _signature(self, slot: SignatureSlot, columns: Sequence[int], *, with_next: bool) -> str:
        keep = "<w:keepNext/>" if with_next else ""
        texts = (
            literal_text(broken_label(slot.label, self._label)),
            f"{{{{ sig.{slot.key}.name }}}}",
            "日期",
            f"{{{{ sig.{slot.key}.date }}}}",
            "含义",
            f"{{{{ sig.{slot.key}.meaning }}}}",
        )
        cells = [
            Cell(
                paragraph(text_run(text), "WkLabel" if place % 2 == 0 else "WkValue", keep),
                width,
                shade=LABEL_SHADE if place % 2 == 0 else None,
            )
            for place, (text, width) in enumerate(zip(texts, columns, strict=True))
        ]
        # Converters that know no “keep with next” still keep header rows with the row below.
        return row(cells, height=_SIGN_HEIGHT, header=with_next)

    def _foot(self) -> str:
        lines = []
        if self._form.print_note:
            lines.append(paragraph(text_run(literal_text(f"注：{self._form.print_note}")), "WkSmall"))
        entered = "{% if record.opened_by %}登记：{{ record.opened_by }}　{{ record.opened_at }}{% endif %}"
        lines.append(paragraph(text_run(entered), "WkSmall"))
        return "".join(lines)


def _height(field: Field, long_height: int) -> int:
    if field.type is FieldType.LONG_TEXT:
        return long_height
    if field.type is FieldType.EXTERNAL_SIGNATURE or "盖章" in field.label:
        return _STAMP_HEIGHT
    return _LINE_HEIGHT


def _answer(field: Field, room: int) -> str:
    if field.type in {FieldType.CHOICE, FieldType.MULTI_CHOICE} and choices_width(field.choices) > room:
        lines = (
            "　".join(
                f"{{{{ box.{field.key}[{string_literal(choice)}] }}}}\u00a0{literal_text(choice)}" for choice in line
            )
            for line in choice_lines(field.choices, room)
        )
        # `boxes` says for itself that an answer is still to come; boxes set one by one do not.
        pending = f"{{% if {field.key} == {string_literal(PENDING)} %}}　{PENDING}{{% endif %}}"
        return "\n".join(lines) + pending
    if field.type in _BOXED:
        return f"{{{{ boxes.{field.key} }}}}"
    if field.unit and _PLAIN_UNIT.fullmatch(field.unit):
        # On a blank form the unit stands where the writer needs it.
        blank = string_literal("\u3000" * 5 + field.unit)
        return f"{{{{ {field.key} or {blank} }}}}"
    return f"{{{{ {field.key} }}}}"


def _column_style(column: Field) -> str:
    centred = {
        FieldType.INTEGER,
        FieldType.DECIMAL,
        FieldType.DATE,
        FieldType.DATETIME,
        FieldType.BOOL,
        FieldType.CHOICE,
    }
    return "WkTableCentre" if column.type in centred else "WkTableCell"
