"""台账 Word 文件. A register as docx in parts, for printing: house header and footer, heading row on every page.

Header and footer come from `templates/house/register.docx`, which a company may restyle; the table is drawn here.
Parts keep every file small enough for Word and for the PDF engine, whose memory grows with the length of a table.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from controller.adapters.house_style import ensure_styles
from controller.adapters.word_markup import (
    HEADING_SHADE,
    Cell,
    em_width,
    paragraph,
    row,
    table,
    text_run,
)
from controller.domain.errors import MisconfiguredError
from controller.domain.identifiers import Digest
from controller.domain.register import ColumnType, cell_text
from controller.domain.text import T
from controller.file_formats.docx_package import open_docx, write_docx
from controller.services.register_report import Sheet, preface_sheet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from controller.domain.register import Heading
    from controller.services.print_ports import DocxRenderer, TemplateCompiler
    from controller.services.register_report import ListedTable

HOUSE_FILE = "templates/house/register.docx"
ROWS_PER_PART = 300

_SECTION = re.compile(r"<w:sectPr\b.*?</w:sectPr>|<w:sectPr\b[^>]*/>", re.DOTALL)
_ROOT = re.compile(r"<w:document\b[^>]*>")
_NUMBER = r'\bw:{name}="(\d+)"'
_SIZES = (19, 17, 15, 13)
"""Half-points tried for the rows, largest first."""
_CELL_PADDING = 170
_TIGHT = 1.3
"""How many times its width a row may ask for before the next smaller size is taken: some cells may wrap."""
_UNBROKEN = {ColumnType.DATE: 10, ColumnType.DATETIME: 10}
"""Characters that must stand on one line: a day."""
_NUMBER_WIDTH, _NUMBER_HEAD = 20, 15
"""A column wide enough for record numbers breaks them after the form, not inside: `XX-YLQXJL-018-`."""
_CENTRED = {ColumnType.DATE, ColumnType.DATETIME, ColumnType.BOOL}
_LEAST_COLUMN = 200
_MAX_CELL = 2000


_MAY_BREAK = "\u200b"
_LONG_NUMBER = re.compile(r"[0-9A-Za-z./-]{8,}[\u4e00-\u9fff]|[\u4e00-\u9fff][0-9A-Za-z./-]{8,}")
_INSIDE_NUMBERS = re.compile(r"(?<=[0-9A-Za-z])[-/](?=[0-9A-Za-z])|(?<=[0-9A-Za-z])(?=[\u4e00-\u9fff])")


class RegisterHouseFileError(MisconfiguredError):
    """台账版式不可用. The house file has no page settings, or its page is too narrow for a table."""

    code = "register-house-file"

    def __init__(self) -> None:
        super().__init__(
            T("台账版式 {path} 没有可用的页面设置。", path=HOUSE_FILE),
            hint=T("从起步文件库恢复该文件，再在 Word 中修改。"),
            where=HOUSE_FILE,
        )


class RegisterDocuments:
    """台账 Word 文件. Draws registers in the house style."""

    def __init__(self, *, house: bytes, compiler: TemplateCompiler, renderer: DocxRenderer, company: str) -> None:
        self._house = house
        self._compiler = compiler
        self._renderer = renderer
        self._company = company

    def parts(self, register: ListedTable, *, rows_per_part: int = ROWS_PER_PART) -> Iterator[bytes]:
        """Yield the register as docx files of at most `rows_per_part` rows; the last one has statistics and proof.

        Raises:
            RegisterHouseFileError: the house file cannot be used.
        """
        drawing = _Drawing(register, self._empty(register), self._company)
        waiting: list[str] = []
        number = 1
        for cells in register.rows():
            if len(waiting) == rows_per_part:
                yield drawing.file(waiting, number, last=False)
                waiting, number = [], number + 1
            waiting.append(drawing.row([cell_text(cell) for cell in cells]))
        yield drawing.file(waiting, number, last=True)

    def _empty(self, register: ListedTable) -> bytes:
        """Return the house file with its header and footer filled in."""
        definition = register.definition
        bounded = register.period.first is not None or register.period.last is not None
        context = {
            "company": {"name": self._company},
            "register": {
                "number": definition.number.text,
                "title": f"{definition.title}（{register.period}）" if bounded else definition.title,
                "revision": definition.revision.text,
                "period": str(register.period),
                "owner": definition.owner,
            },
        }
        sources = self._compiler.compile(self._house)
        key = Digest.of(self._house)
        return self._renderer.render(docx=self._house, parts=sources, key=key, context=context)


class _Drawing:
    """One register on its way into docx files."""

    def __init__(self, register: ListedTable, empty: bytes, company: str) -> None:
        self.register = register
        self.company = company
        package = open_docx(empty)
        self.main = package.main
        self.contents = dict(package.contents)
        styles = next(name for name, kind in package.types.items() if kind.endswith(".styles+xml"))
        self.contents[styles] = ensure_styles(self.contents[styles])
        body = self.contents[self.main].decode("utf-8")
        sections, root = _SECTION.findall(body), _ROOT.search(body)
        if not sections or root is None:
            raise RegisterHouseFileError
        self.root = root[0]
        self.section = sections[-1]
        self.width = self._text_width()
        least = [_least(heading) for heading in register.headings]
        self.columns, self.size = _fit([heading.width for heading in register.headings], least, self.width)
        self.aligned = [
            '<w:jc w:val="right"/>'
            if heading.type in {ColumnType.INTEGER, ColumnType.DECIMAL}
            else '<w:jc w:val="center"/>'
            if heading.type in _CENTRED
            else ""
            for heading in register.headings
        ]

    def _text_width(self) -> int:
        found = [re.search(_NUMBER.format(name=name), self.section) for name in ("w", "left", "right")]
        if any(match is None for match in found):
            raise RegisterHouseFileError
        page, left, right = (int(match[1]) for match in found if match is not None)
        if page - left - right < 1000:  # noqa: PLR2004 - 18 mm: no table fits
            raise RegisterHouseFileError
        return page - left - right

    def row(self, texts: Sequence[str]) -> str:
        """Return one row of the register."""
        return self._row(texts, self.columns, self.size, self.aligned)

    @staticmethod
    def _row(texts: Sequence[str], columns: Sequence[int], size: int, aligned: Sequence[str]) -> str:
        font = f'<w:sz w:val="{size}"/><w:szCs w:val="{size}"/>'
        cells = [
            Cell(
                paragraph(text_run(_breakable(_cut(text)), font), "WkTableCell", _line_height(size) + alignment), width
            )
            for text, width, alignment in zip(texts, columns, aligned, strict=True)
        ]
        return row(cells, height=size * 13, may_split=True)

    @staticmethod
    def _heading(labels: Sequence[str], columns: Sequence[int], size: int) -> str:
        font = f'<w:sz w:val="{size}"/><w:szCs w:val="{size}"/>'
        cells = [
            Cell(paragraph(text_run(label, font), "WkTableHead"), width, shade=HEADING_SHADE)
            for label, width in zip(labels, columns, strict=True)
        ]
        return row(cells, height=size * 15, header=True)

    def file(self, rows: Sequence[str], number: int, *, last: bool) -> bytes:
        """Return one part as docx."""
        definition = self.register.definition
        whole = number == 1 and last
        built = f"{self.register.now:%Y-%m-%d %H:%M}"
        line = f"期间：{self.register.period}　　生成：{built}　　归口：{definition.owner}"
        body = [
            paragraph(text_run(definition.title), "WkTitle"),
            paragraph(text_run(line if whole else f"{line}　　第 {number} 部分"), "WkSubtitle"),
        ]
        if number == 1 and self.register.preface:
            body += [*self._supplement(_side_by_side(preface_sheet(self.register))), paragraph("", "WkSmall")]
        if not definition.available:
            body.append(paragraph(text_run(definition.unavailable_reason or "所需数据随后续功能提供"), "WkValue"))
        elif rows:
            labels = [heading.label for heading in self.register.headings]
            body.append(table(self.columns, [self._heading(labels, self.columns, self.size), *rows]))
        else:
            body.append(paragraph(text_run("期间内没有记录。"), "WkValue"))
        if last:
            for sheet in self.register.sheets(company=self.company):
                if sheet.rows:
                    body += self._supplement(sheet)
        contents = dict(self.contents)
        contents[self.main] = (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            f"{self.root}<w:body>{''.join(body)}{self.section}</w:body></w:document>"
        ).encode()
        return write_docx(contents)

    def _supplement(self, sheet: Sheet) -> list[str]:
        columns, size = _fit(sheet.widths, [0] * len(sheet.widths), self.width)
        plain = [""] * len(columns)
        rows = [self._row(texts, columns, size, plain) for texts in sheet.rows]
        # The title is a heading row of its own table: it can neither be parted from it nor get lost on a further page.
        title = row(
            [Cell(paragraph(text_run(sheet.title), "WkSection"), sum(columns), span=len(columns))],
            height=340,
            header=True,
        )
        return [paragraph("", "WkSmall"), table(columns, [title, self._heading(sheet.headings, columns, size), *rows])]


def _least(heading: Heading) -> int:
    if heading.type is ColumnType.TEXT and heading.width >= _NUMBER_WIDTH:
        return _NUMBER_HEAD
    return _UNBROKEN.get(heading.type, 0)


def _fit(characters: Sequence[int], least: Sequence[int], width: int) -> tuple[list[int], int]:
    """Return column widths in twips that fill `width`, and the size of type in half-points that suits them.

    `least` gives the characters of each column that must not be broken; the other columns give way to them.
    """
    total = sum(characters)
    size = _SIZES[-1]
    for size in _SIZES:
        # A Western character is half as wide as its type is high: half-points times five, in twips.
        if total * size * 5 + len(characters) * _CELL_PADDING <= width * _TIGHT:
            break
    needed = [count * size * 5 + _CELL_PADDING + 20 if count else 0 for count in least]
    fixed = [want if want > width * count // total else 0 for count, want in zip(characters, needed, strict=True)]
    left, share = width - sum(fixed), sum(count for count, want in zip(characters, fixed, strict=True) if not want)
    if not share or left < _LEAST_COLUMN * fixed.count(0):
        fixed, left, share = [0] * len(characters), width, total
    columns = [want or max(_LEAST_COLUMN, left * count // share) for count, want in zip(characters, fixed, strict=True)]
    spare = width - sum(columns)
    widest = max(range(len(columns)), key=columns.__getitem__)
    if columns[widest] + spare < _LEAST_COLUMN:
        return [width // len(columns)] * len(columns), size
    columns[widest] += spare
    return columns, size


def _line_height(size: int) -> str:
    """Return the height of a line for a size of type smaller than the style's own."""
    return f'<w:spacing w:line="{size * 13}" w:lineRule="exact"/>' if size < _SIZES[0] else ""


def _side_by_side(sheet: Sheet) -> Sheet:
    """Return a sheet of two columns as one of four, half as high."""
    half = (len(sheet.rows) + 1) // 2
    right = (*sheet.rows[half:], *[("", "")] * (half * 2 - len(sheet.rows)))
    rows = tuple((*left, *other) for left, other in zip(sheet.rows[:half], right, strict=True))
    return Sheet(sheet.title, sheet.headings * 2, sheet.widths * 2, rows)


def _cut(text: str) -> str:
    """Return a cell that a printed page can hold; the full text stands in the record."""
    if em_width(text) <= _MAX_CELL:
        return text
    return text[:_MAX_CELL] + "…（全文见记录）"


def _breakable(text: str) -> str:
    """Return `text` with places to break a line inside a long number that Chinese text touches.

    Converters let such a run go over the edge of its cell; numbers that stand alone they break themselves, and those
    people copy, so they are left as they are.
    """
    return _INSIDE_NUMBERS.sub(lambda match: match[0] + _MAY_BREAK, text) if _LONG_NUMBER.search(text) else text
