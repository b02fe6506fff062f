"""表单模板生成. Draws a form's docx template from its definition and the house file, in the Chinese official manner.

The result is an ordinary docxtpl template (`docs/form-language.md` §1) that a manager may restyle in Word; the house
file's header, footer, fonts and logo are kept. What goes where is decided by `form_layout`. Same definition and same
house file give the same bytes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import etree

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
from controller.adapters.house_style import ensure_styles, house_file
from controller.adapters.template_text import literal_text, string_literal
from controller.adapters.word_markup import (
    HEADING_SHADE,
    LABEL_SHADE,
    NAMESPACES,
    W_NAMESPACE,
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
from controller.domain.errors import QmsError
from controller.domain.field_values import PENDING
from controller.domain.form import Field, FieldType, FormDefinition
from controller.domain.identifiers import Digest
from controller.file_formats.docx_package import open_docx, write_docx

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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


def scaffold_form(definition: FormDefinition, house: bytes) -> bytes:
    """Return the docx template of `definition`, drawn on the house file.

    Raises:
        QmsError: the house file is not an acceptable docx (the errors of `open_docx`).
    """
    package = open_docx(house)
    root = etree.fromstring(package.contents[package.main])
    body = root.find(f"{{{W_NAMESPACE}}}body")
    assert body is not None
    section = body.find(f"{{{W_NAMESPACE}}}sectPr")
    for child in list(body):
        if child is not section:
            body.remove(child)
    landscape = definition.orientation == "landscape"
    width = _turn(section, landscape=landscape) if section is not None else mm(170)
    drawn = etree.fromstring(f"<w:body {NAMESPACES}>{_Drawing(definition, width).page()}</w:body>")
    for place, child in enumerate(drawn):
        body.insert(place, child)
    etree.cleanup_namespaces(root, keep_ns_prefixes=["w", "r"])
    parts = dict(package.contents)
    parts[package.main] = _bytes(root)
    styles = package.main.rpartition("/")[0] + "/styles.xml"
    if styles in parts:
        parts[styles] = ensure_styles(parts[styles])
    if landscape:
        for name in package.text_parts()[1:]:
            parts[name] = _widen(parts[name], width)
    properties = package.core_properties()
    if properties is not None:
        parts[properties] = _marked(parts[properties], _mark(parts, properties))
    return write_docx(parts)


class ScaffoldDrawing:
    """表单版式. Implements the port `FormDrawing`."""

    def draw(self, definition: FormDefinition, house: bytes) -> bytes:
        """Return `scaffold_form(definition, house)`."""
        return scaffold_form(definition, house)

    def house(self) -> bytes:
        """Return the house file for forms that the product ships."""
        return house_file("form")

    def is_untouched(self, docx: bytes) -> bool:
        """Tell whether `docx` still carries the mark of its own parts; Word keeps the mark but changes the parts."""
        try:
            package = open_docx(docx)
        except QmsError:
            return False
        properties = package.core_properties()
        if properties is None:
            return False
        return _mark(package.contents, properties).encode() in package.contents[properties]


_MARK = "wenkong-scaffold-"


def _mark(parts: Mapping[str, bytes], properties: str) -> str:
    """Return the mark of a drawn template: a digest over everything but the properties that carry it."""
    lines = "".join(f"{name} {Digest.of(data)}\n" for name, data in sorted(parts.items()) if name != properties)
    return _MARK + Digest.of(lines.encode()).hex


def _marked(properties: bytes, mark: str) -> bytes:
    root = etree.fromstring(properties)
    tag = "{http://schemas.openxmlformats.org/package/2006/metadata/core-properties}keywords"
    words = root.find(tag)
    if words is None:
        words = etree.SubElement(root, tag)
    words.text = mark
    return _bytes(root)


def _bytes(root: etree._Element) -> bytes:
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))


def _turn(section: etree._Element, *, landscape: bool) -> int:
    """Turn the page as asked and return the width between its margins."""
    size = section.find(f"{{{W_NAMESPACE}}}pgSz")
    margins = section.find(f"{{{W_NAMESPACE}}}pgMar")
    if size is None or margins is None:
        return mm(170)
    wide, high = f"{{{W_NAMESPACE}}}w", f"{{{W_NAMESPACE}}}h"
    short, long = sorted((int(size.get(wide, "11906")), int(size.get(high, "16838"))))
    size.set(wide, str(long if landscape else short))
    size.set(high, str(short if landscape else long))
    size.set(f"{{{W_NAMESPACE}}}orient", "landscape" if landscape else "portrait")
    sides = sum(int(margins.get(f"{{{W_NAMESPACE}}}{side}", "1134")) for side in ("left", "right"))
    return (long if landscape else short) - sides


def _widen(part: bytes, width: int) -> bytes:
    """Stretch the tables of a header or footer to `width`, so that what stood at the right margin stays there."""
    root = etree.fromstring(part)
    for drawn in root.iter(f"{{{W_NAMESPACE}}}tbl"):
        columns = drawn.findall(f"{{{W_NAMESPACE}}}tblGrid/{{{W_NAMESPACE}}}gridCol")
        total = sum(int(column.get(f"{{{W_NAMESPACE}}}w", "0")) for column in columns)
        if not total:
            continue
        tags = {f"{{{W_NAMESPACE}}}{name}" for name in ("tblW", "gridCol", "tcW")}
        for sized in drawn.iter(*tags):
            if sized.get(f"{{{W_NAMESPACE}}}type", "dxa") == "dxa":
                length = int(sized.get(f"{{{W_NAMESPACE}}}w", "0"))
                sized.set(f"{{{W_NAMESPACE}}}w", str(length * width // total))
    return _bytes(root)


class _Drawing:
    """One form being drawn on pages of a given text width."""

    def __init__(self, definition: FormDefinition, width: int) -> None:
        self._form = definition
        self._width = width
        self._label = label_width(definition.fields)
        half = width // 2
        self._columns = (self._label, half - self._label, self._label, width - half - self._label)

    @property
    def _half(self) -> int:
        return self._columns[1]

    def page(self) -> str:
        """Return the whole body."""
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
