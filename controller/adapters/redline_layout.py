"""修订对照稿的绘制. A procedure as Word pages with true tracked changes between two revisions, in the house layout.

Both revisions are drawn as they are printed and then laid over each other, paragraph by paragraph and row by row, so
that accepting or rejecting everything gives either print. That is checked on the finished file, each time; a file that
fails is not handed out. Changed pictures and whole tables stand as deleted and inserted, so do moved clauses.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import groupby
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from lxml import etree

from controller.adapters.house_style import house_file
from controller.adapters.procedure_layout import Islands, ProcedurePages, on_house
from controller.adapters.word_markup import NAMESPACES, W_NAMESPACE, text_run
from controller.domain.clause import Clause, Table
from controller.domain.clause_alignment import similarity
from controller.domain.errors import DamagedError
from controller.domain.text import T
from controller.domain.text_difference import Mark, differences
from controller.file_formats.docx_package import open_docx, write_docx
from controller.file_formats.tracked_changes import accepted, blocks_of, body_blocks, paragraph_text, rejected

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lxml.etree import _Element

    from controller.domain.document_comparison import Placed
    from controller.domain.redline_print import ChangeAuthor, RedlinePrint

_W = f"{{{W_NAMESPACE}}}"
_FIRST_ID = 100_000
"""Ids of tracked changes begin here, clear of any that a kept picture or table brings along."""
_LIKE_ROWS = 0.3


class RedlineInexactError(DamagedError):
    """修订对照稿不准确. Accepting or rejecting all changes would not give the two texts exactly."""

    code = "redline-inexact"

    def __init__(self, *, number: str) -> None:
        super().__init__(
            T("{number} 的修订对照稿核对不一致，没有输出。", number=number),
            hint=T("请改用 --html 查看对比，并把两个版本的文件交给软件维护人员。"),
            where=number,
        )


class RedlineLayout:
    """修订对照稿的绘制. Implements the port `RedlineDrawing`."""

    def draw(self, shown: RedlinePrint, house: bytes) -> bytes:
        """Return the docx with tracked changes; same input, same bytes.

        Raises:
            RedlineInexactError: the finished file does not hold both texts exactly.
            QmsError: the house file is not an acceptable docx, or an island is damaged.
        """
        drawn: dict[str, list[_Element]] = {}

        def body(width: int, islands: Islands) -> list[_Element]:
            old, new = ProcedurePages(shown.old, width, islands), ProcedurePages(shown.new, width, islands)
            drawn["old"], drawn["new"] = old.body(), new.body()
            return _Redline(shown, old, new).body()

        revisions = f"{shown.old.revision} → {shown.new.revision}（修订对照）"
        docx = write_docx(on_house(replace(shown.new, revision=revisions), house, body))
        package = open_docx(docx)
        document = package.contents[package.main]
        exact = body_blocks(accepted(document)) == blocks_of(drawn["new"])
        if not exact or body_blocks(rejected(document)) != blocks_of(drawn["old"]):
            raise RedlineInexactError(number=shown.new.number)
        return docx

    def house(self) -> bytes:
        """Return the house file for procedures that the product ships."""
        return house_file("procedure")


class _Redline:
    def __init__(self, shown: RedlinePrint, old: ProcedurePages, new: ProcedurePages) -> None:
        self._shown = shown
        self._old = old
        self._new = new
        self._pen = _Pen(shown.author)

    def body(self) -> list[_Element]:
        elements = self._overlaid(self._old.head(), self._new.head())
        for placed in self._shown.comparison.sequence:
            self._pen.author = self._shown.author_of(placed.change)
            elements += self._placed(placed)
        self._pen.author = self._shown.author
        return [*elements, *self._overlaid(self._old.tail(), self._new.tail())]

    def _placed(self, placed: Placed) -> list[_Element]:
        old, new = placed.change.old, placed.change.new
        before = self._old.piece(old) if placed.shows_old and old is not None else []
        after = self._new.piece(new) if placed.shows_new and new is not None else []
        if before and after:
            return self._overlaid(before, after) if isinstance(new, (Clause, Table)) else after
        marked = [self._pen.whole(element, "del") for element in before]
        return marked + [self._pen.whole(element, "ins") for element in after]

    def _overlaid(self, before: Sequence[_Element], after: Sequence[_Element]) -> list[_Element]:
        laid = []
        for old, new in zip(before, after, strict=True):
            laid.append(self._pen.table(old, new) if new.tag == f"{_W}tbl" else self._pen.paragraph(old, new))
        return laid


class _Pen:
    """Writes tracked changes in the name of `author`."""

    def __init__(self, author: ChangeAuthor) -> None:
        self.author = author
        self._last = _FIRST_ID

    def _stamp(self) -> str:
        self._last += 1
        # Word shows the clock time it reads here as it stands, whatever the letter behind it says.
        at = self.author.at.strftime("%Y-%m-%dT%H:%M:%SZ")
        return f'w:id="{self._last}" w:author={quoteattr(self.author.name)} w:date="{at}"'

    def _mark(self, kind: str) -> _Element:
        return _element(f"<w:{kind} {self._stamp()}/>")

    # -- whole blocks ------------------------------------------------------------------------------------------

    def whole(self, block: _Element, kind: str) -> _Element:
        """Mark a paragraph or table as inserted (`ins`) or deleted (`del`) as a whole."""
        if block.tag == f"{_W}tbl":
            for line in block.iterchildren(f"{_W}tr"):
                self._row(line, kind)
        else:
            self._paragraph(block, kind)
        return block

    def _paragraph(self, block: _Element, kind: str) -> None:
        self._runs(block, kind)
        properties = block.find(f"{_W}pPr")
        if properties is None:
            properties = etree.Element(f"{_W}pPr")
            block.insert(0, properties)
        of_mark = properties.find(f"{_W}rPr")
        if of_mark is None:
            of_mark = etree.Element(f"{_W}rPr")
            later = [child for child in properties if child.tag in {f"{_W}sectPr", f"{_W}pPrChange"}]
            properties.insert(properties.index(later[0]) if later else len(properties), of_mark)
        of_mark.insert(0, self._mark(kind))

    def _row(self, line: _Element, kind: str) -> None:
        properties = line.find(f"{_W}trPr")
        if properties is None:
            properties = etree.Element(f"{_W}trPr")
            own = line.find(f"{_W}tblPrEx")
            line.insert(0 if own is None else 1, properties)
        properties.append(self._mark(kind))
        for block in line.iter(f"{_W}p"):
            if not any(above.tag in {f"{_W}r", f"{_W}txbxContent"} for above in block.iterancestors()):
                self._runs(block, kind)

    def _runs(self, block: _Element, kind: str) -> None:
        content = [child for child in block if child.tag != f"{_W}pPr"]
        if not content:
            return
        mark = self._mark(kind)
        block.insert(block.index(content[0]), mark)
        for child in content:
            mark.append(child)
        if kind == "del":
            for text in mark.iter(f"{_W}t"):
                text.tag = f"{_W}delText"
            for text in mark.iter(f"{_W}instrText"):
                text.tag = f"{_W}delInstrText"

    # -- changed blocks ----------------------------------------------------------------------------------------

    def paragraph(self, old: _Element, new: _Element) -> _Element:
        """Return `new` with what it takes to get from `old` to it as tracked changes."""
        style_old, style_new = _style(old), _style(new)
        if style_old != style_new:
            properties = new.find(f"{_W}pPr")
            if properties is not None:
                former = f"<w:pPrChange {self._stamp()}><w:pPr>{style_old}</w:pPr></w:pPrChange>"
                properties.append(_element(former))
        if paragraph_text(old) == paragraph_text(new):
            return new
        before, after = list(_signs(old)), list(_signs(new))
        for child in [child for child in new if child.tag != f"{_W}pPr"]:
            new.remove(child)
        at_old = at_new = 0
        for stretch in differences("".join(sign for sign, _ in before), "".join(sign for sign, _ in after)):
            length = len(stretch.text)
            if stretch.mark is Mark.REMOVED:
                inner = _drawn(before[at_old : at_old + length]).replace("<w:t ", "<w:delText ")
                inner = inner.replace("</w:t>", "</w:delText>")
                markup = f"<w:del {self._stamp()}>{inner}</w:del>"
            else:
                markup = _drawn(after[at_new : at_new + length])
                if stretch.mark is Mark.ADDED:
                    markup = f"<w:ins {self._stamp()}>{markup}</w:ins>"
            at_old += 0 if stretch.mark is Mark.ADDED else length
            at_new += 0 if stretch.mark is Mark.REMOVED else length
            new.extend(_elements(markup))
        return new

    def table(self, old: _Element, new: _Element) -> _Element:
        """Return `new` with its rows laid over those of `old`, which has the same columns."""
        before, after = list(old.iterchildren(f"{_W}tr")), list(new.iterchildren(f"{_W}tr"))
        rows: list[_Element] = []
        keys_old, keys_new = [_key(line) for line in before], [_key(line) for line in after]
        matcher = SequenceMatcher(None, keys_old, keys_new, autojunk=False)
        for tag, start, end, begin, finish in matcher.get_opcodes():
            if tag == "equal":
                rows += after[begin:finish]
                continue
            paired = min(end - start, finish - begin)
            for one, other in zip(before[start : start + paired], after[begin : begin + paired], strict=True):
                rows += self._lines(one, other)
            for line in before[start + paired : end]:
                self._row(line, "del")
                rows.append(line)
            for line in after[begin + paired : finish]:
                self._row(line, "ins")
                rows.append(line)
        for line in after:
            new.remove(line)
        new.extend(rows)
        return new

    def _lines(self, old: _Element, new: _Element) -> list[_Element]:
        key_old, key_new = _key(old), _key(new)
        alike = key_old[:1] == key_new[:1] or similarity("".join(key_old), "".join(key_new)) >= _LIKE_ROWS
        cells_old, cells_new = list(old.iterchildren(f"{_W}tc")), list(new.iterchildren(f"{_W}tc"))
        single = all(len(cell.findall(f"{_W}p")) == 1 for cell in (*cells_old, *cells_new))
        if not alike or not single or len(cells_old) != len(cells_new):
            self._row(old, "del")
            self._row(new, "ins")
            return [old, new]
        for one, other in zip(cells_old, cells_new, strict=True):
            (before,), (after,) = one.findall(f"{_W}p"), other.findall(f"{_W}p")
            self.paragraph(before, after)
        return [new]


def _key(line: _Element) -> tuple[str, ...]:
    return tuple(
        "\n".join(paragraph_text(block) for block in cell.iter(f"{_W}p")) for cell in line.iterchildren(f"{_W}tc")
    )


def _style(block: _Element) -> str:
    """Return the markup that names a paragraph's style."""
    style = block.find(f"{_W}pPr/{_W}pStyle")
    return f"<w:pStyle w:val={quoteattr(style.get(f'{_W}val', ''))}/>" if style is not None else ""


def _signs(block: _Element) -> Iterator[tuple[str, str]]:
    """Yield every character of a drawn paragraph with the markup of its run's properties."""
    for run in block.iterchildren(f"{_W}r"):
        properties = run.find(f"{_W}rPr")
        markup = "".join(
            etree.tostring(_bare(child), encoding="unicode") for child in (properties if properties is not None else ())
        )
        for sign in paragraph_text(_alone(run)):
            yield sign, markup


def _alone(run: _Element) -> _Element:
    block = etree.Element(f"{_W}p")
    block.append(deepcopy(run))
    return block


def _bare(element: _Element) -> _Element:
    copied = deepcopy(element)
    copied.tail = None
    return copied


def _drawn(signs: Sequence[tuple[str, str]]) -> str:
    return "".join(
        text_run("".join(sign for sign, _ in group), markup)
        for markup, group in groupby(signs, key=lambda item: item[1])
    )


def _elements(markup: str) -> list[_Element]:
    return list(etree.fromstring(f"<w:p {NAMESPACES}>{markup}</w:p>"))


def _element(markup: str) -> _Element:
    (found,) = _elements(markup)
    return found
