"""读取 Word 文档. docx → clause text: automatic numbers typed out, plain tables in our notation, the rest as islands.

What the clause grammar cannot express (merged cells, text boxes, pictures, formulas) is kept verbatim and shown in its
place. Headers, footers, notes, comments and tables of contents are not text of the document; that they were left out is
said in the findings, and so is what the text does not keep as it was. Tracked changes are read as accepted.
Files are opened only through `file_formats.docx_package`, which refuses macros, embedded programs and XML bombs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from controller.adapters.word_contents import changing_fields, contents_paragraphs
from controller.adapters.word_islands import GRAPHIC, NOTES, IslandCutting, caption, paragraphs_of, shown_words
from controller.adapters.word_looks import meanings
from controller.adapters.word_numbering import W, WordNumbering
from controller.adapters.word_symbols import ordinary_character
from controller.domain.conformity import Finding, Gravity
from controller.domain.identifiers import Digest
from controller.domain.text import T, Text
from controller.domain.word_changes import FORMAT_MEANINGS, words
from controller.file_formats.change_settling import MARK, settle
from controller.file_formats.clause_text import island_line, table_text
from controller.file_formats.docx_package import open_docx
from controller.file_formats.island_file import IslandFile, write_island
from controller.services.print_ports import WordText

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lxml.etree import _Element

    from controller.file_formats.docx_package import DocxPackage
    from controller.file_formats.island_file import IslandPart

_DELETED = {f"{W}del", f"{W}moveFrom"}
_WRAPPERS = {f"{W}sdt", f"{W}sdtContent", f"{W}customXml", f"{W}smartTag", f"{W}ins", f"{W}moveTo"}
_MERGED = tuple(f"{W}{name}" for name in ("gridSpan", "vMerge", "hMerge", "gridBefore", "gridAfter"))
POINTS = {f"{W}bookmarkStart", f"{W}bookmarkEnd", f"{W}commentRangeStart", MARK}
"""Elements that stand at a place in the text without being text; whoever needs them reads on with `point`."""
_LISTED = 12
_OFF = {"0", "false", "off"}
_HIGHEST_CODE = 0x10FFFF
_WORDPROCESSING = "application/vnd.openxmlformats-officedocument.wordprocessingml."


class DocxWordReader:
    """Word 读取器. The port `WordReader` with lxml."""

    def read(self, docx: bytes, *, name: str) -> WordText:
        """Return the text of `docx`, its islands, and what was left out.

        Raises:
            QmsError: as `file_formats.docx_package.open_docx`.
        """
        return WordReading(open_docx(docx), name).result()


class WordReading:
    """读取一份文档. Goes through one opened docx; the methods without an underscore may be built upon."""

    def __init__(self, package: DocxPackage, name: str) -> None:
        self.package = package
        self.name = name
        self.islands: dict[Digest, bytes] = {}
        self.findings: list[Finding] = []
        self.said: set[str] = set()
        self.lines: list[str] = []
        self.count = 0
        """Lines so far."""
        self.typed = 0
        """Automatic numbers typed out so far."""
        self.left: list[str] = []
        """Words that were seen and deliberately not read."""
        parts = {kind.removeprefix(_WORDPROCESSING): part for part, kind in package.types.items()}
        self.numbering = WordNumbering(self.tree(parts.get("numbering+xml")), self.tree(parts.get("styles+xml")))
        self._cutting = IslandCutting(package)
        self._contents: set[_Element] = set()
        self._meant: dict[tuple[str, str], Text] = {}

    def tree(self, part: str | None) -> _Element | None:
        """Return a part as a tree, None when there is none."""
        if part is None:
            return None
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        return etree.fromstring(self.package.contents[part], parser)

    def result(self) -> WordText:
        """Return what was read."""
        body = self.body()
        if body is not None:
            for block in _blocks(body):
                self.block(block)
        while self.lines and not self.lines[-1].strip():
            self.lines.pop()
        self._say_contents()
        self.not_as_it_was()
        self.left_out()
        return WordText("".join(self.lines), self.islands, tuple(self.findings))

    def body(self) -> _Element | None:
        """Return the body that is read, without tracked changes."""
        root = self.tree(self.package.main)
        body = root.find(f"{W}body") if root is not None else None
        if body is None:
            return None
        self.settle(body)
        self._contents = contents_paragraphs(body)
        fields = changing_fields(body)
        if fields:
            message = T("会自动更新的内容（域 {kinds}）按现在显示的文字读入。", kinds=fields[:_LISTED])
            self.say("docx-fields-typed", Gravity.NOTE, message, T("页码、日期、引用的条款号以后不会自己变，请核对。"))
        return body

    def settle(self, body: _Element) -> None:
        """Accept all tracked changes before the body is read."""
        if settle(body, accept=True):
            message = T("文档里有未处理的修订，按接受修订后的文字读入。")
            self.say("docx-tracked-changes", Gravity.WARNING, message, T("在 Word 中先接受或拒绝全部修订。"))

    def line(self, text: str) -> None:
        """Add one or more lines to the text, each with its end."""
        self.lines.append(text)
        self.count += text.count("\n")

    # -- blocks ------------------------------------------------------------------------------------------------

    def block(self, block: _Element) -> None:
        """Read one paragraph, table, graphic or point of the body."""
        if block in self._contents:
            self.left.append(shown_words(block))
            return
        if block.tag == f"{W}p":
            self.look(block)
            self._paragraph(block)
        elif block.tag == f"{W}tbl":
            self._table(block)
        elif block.tag in GRAPHIC:
            self.island(block)
        else:
            self.point(block)

    def look(self, block: _Element) -> None:
        """Remember the formats of a block that mean something and that the text does not keep."""
        for kind, text in meanings(block):
            told = T("“{text}”（{kind}）", text=words(text)[:20], kind=FORMAT_MEANINGS[kind])
            self._meant.setdefault((kind, text), told)

    def look_at(self, table: _Element) -> None:
        """Learn how a table looks that becomes text; nothing, unless it is built upon."""

    def point(self, element: _Element) -> str:
        """Return what stands for an element of `POINTS`; nothing, unless it is built upon."""
        del element
        return ""

    def _paragraph(self, paragraph: _Element) -> None:
        text = self.paragraph_text(paragraph)
        graphics = list(_graphics(paragraph))
        if text.strip() or not graphics:
            self.line(text + "\n")
        for graphic in graphics:
            self.island(graphic)

    def paragraph_text(self, paragraph: _Element) -> str:
        """Return the text of a paragraph, its automatic number typed out."""
        return self.label(paragraph) + "".join(self.runs(paragraph))

    def label(self, paragraph: _Element) -> str:
        """Return the automatic number of a paragraph; counts it."""
        label = self.numbering.label(paragraph)
        self.typed += bool(label)
        return label

    def runs(self, element: _Element) -> Iterator[str]:
        """Yield the text below `element`, and what `point` gives for each point in it."""
        for child in element:
            if child.tag in POINTS:
                yield self.point(child)
            elif child.tag in _DELETED or child.tag in GRAPHIC or child.tag == f"{W}p":
                continue
            elif child.tag == f"{W}t":
                yield (child.text or "").replace("\r", " ").replace("\n", " ")
            elif child.tag in {f"{W}tab", f"{W}ptab"}:
                if element.tag == f"{W}r":
                    yield "\t"
            elif child.tag == f"{W}cr" or (child.tag == f"{W}br" and child.get(f"{W}type") in {None, "textWrapping"}):
                yield "\n"
            elif child.tag == f"{W}noBreakHyphen":
                yield "-"
            elif child.tag == f"{W}sym":
                yield self._symbol(child)
            elif child.tag == f"{W}ruby":
                yield from self._ruby(child)
            elif child.tag == f"{W}fldChar":
                yield _box(child)
            elif child.tag in NOTES:
                self._say_notes()
            elif child.tag == f"{W}commentReference":
                self.say("docx-comments-left-out", Gravity.NOTE, T("批注没有读入。"))
            else:
                yield from self.runs(child)

    def _symbol(self, symbol: _Element) -> str:
        try:
            code = int(symbol.get(f"{W}char") or "", 16)
        except ValueError:
            code = -1
        known = ordinary_character(symbol.get(f"{W}font"), code) if code >= 0 else None
        if known is not None:
            message = T("用符号字体写的字符换成了普通字符，例如“{sign}”。", sign=known)
            self.say("docx-symbol-typed", Gravity.NOTE, message)
            return known
        self.say("docx-symbol", Gravity.WARNING, T("有用符号字体写的字符，请核对。"), T("改用普通字符，例如 □ ☑ ≥。"))
        return chr(code) if 0 <= code <= _HIGHEST_CODE else "\ufffd"

    def _ruby(self, ruby: _Element) -> Iterator[str]:
        """Yield a word, and behind it what stands above it."""
        for name, before, after in (("rubyBase", "", ""), ("rt", "（", "）")):
            found = ruby.find(f"{W}{name}")
            if found is not None:
                yield before
                yield from self.runs(found)
                yield after

    def _table(self, table: _Element) -> None:
        rows = _plain_rows(table)
        if rows is None:
            self.island(table)
            return
        self.look(table)
        self.look_at(table)
        cells = tuple(tuple(self._cell(cell) for cell in row) for row in rows)
        first = next(table.iter(f"{W}tr")).find(f"{W}trPr/{W}tblHeader")
        self.line(table_text(cells, header=first is not None and first.get(f"{W}val") not in _OFF))

    def _cell(self, cell: _Element) -> str:
        return "\n".join(self.paragraph_text(block) for block in _blocks(cell) if block.tag == f"{W}p")

    # -- islands -----------------------------------------------------------------------------------------------

    def island(self, element: _Element) -> None:
        """Keep an element verbatim and put its line into the text."""
        if next(element.iter(*NOTES), None) is not None:
            self._say_notes()
        element = self._cutting.cut(element, [self.label(item) for item in paragraphs_of(element)])
        parts = tuple(self._cutting.parts(element))
        xml = etree.tostring(element, encoding="unicode", with_tail=False)
        content = write_island(IslandFile(xml, parts))
        digest = Digest.of(content)
        self.islands[digest] = content
        self.recognised(digest, element, parts)
        called = caption(element)
        self.line(island_line(digest, called))
        message = T("“{caption}”无法写成条款文本，按原样保存在原位。", caption=called)
        line = self.count
        self.findings.append(Finding("docx-island", Gravity.NOTE, message, path=self.name, line=line))

    def recognised(self, digest: Digest, element: _Element, parts: Sequence[IslandPart]) -> None:
        """Learn by what an island is known again; nothing, unless it is built upon."""

    # -- what was left out -------------------------------------------------------------------------------------

    def say(self, code: str, gravity: Gravity, message: Text, hint: Text | None = None) -> None:
        """Add a finding once."""
        if code not in self.said:
            self.said.add(code)
            self.findings.append(Finding(code, gravity, message, path=self.name, hint=hint))

    def _say_notes(self) -> None:
        hint = T("把需要的内容写进正文后再导入。")
        self.say("docx-notes-left-out", Gravity.WARNING, T("脚注和尾注没有读入。"), hint)

    def not_as_it_was(self) -> None:
        """Say what stands in the text otherwise than in the file."""
        if self._meant:
            message = T(
                "正文不保留会改变意思的格式，文字原样留下：{formats}。",
                formats=list(self._meant.values())[:_LISTED],
            )
            hint = T("改成不靠格式也看得懂的写法（例如 m²、删去文字）。")
            self.say("docx-format-means", Gravity.WARNING, message, hint)
        if self.typed:
            message = T("{count} 处自动编号按显示的号写成了文字。", count=self.typed)
            self.say("docx-numbers-typed", Gravity.NOTE, message, T("以后增删条款时，编号要自己改。"))

    def _say_contents(self) -> None:
        if self.left:
            message = T(
                "目录没有读入（{count} 行，从“{text}”起）。", count=len(self.left), text=words(self.left[0])[:20]
            )
            hint = T("目录随标题和页码变化，不属于正文；若这不是目录，请改成普通段落。")
            self.say("docx-contents-left-out", Gravity.NOTE, message, hint)

    def left_out(self) -> None:
        """Say what of the margins was left out."""
        texts = self.margins()
        if texts:
            shown = "、".join(dict.fromkeys(texts))[:60]
            message = T("页眉页脚没有读入：{text}。", text=shown)
            self.say("docx-header-left-out", Gravity.NOTE, message, T("页眉页脚由系统按文件编号和版本生成。"))

    def margins(self) -> list[str]:
        """Return the texts of all headers and footers, one a paragraph."""
        texts: list[str] = []
        for part in self.package.text_parts():
            kind = self.package.types[part].removeprefix(_WORDPROCESSING)
            tree = self.tree(part) if kind in {"header+xml", "footer+xml"} else None
            if tree is not None:
                texts += [text for text in (shown_words(item) for item in tree.iter(f"{W}p")) if text]
        return texts


def _blocks(element: _Element) -> Iterator[_Element]:
    """Yield paragraphs, tables, graphics and points directly in `element`, looking through wrappers."""
    for child in element:
        if child.tag in _WRAPPERS:
            yield from _blocks(child)
        elif child.tag in {f"{W}p", f"{W}tbl"} or child.tag in GRAPHIC or child.tag in POINTS:
            yield child


def _graphics(paragraph: _Element) -> Iterator[_Element]:
    """Yield what in a paragraph is not text, outermost elements only."""
    for child in paragraph:
        if child.tag in _DELETED:
            continue
        if child.tag in GRAPHIC:
            yield child
        else:
            yield from _graphics(child)


def _plain_rows(table: _Element) -> list[list[_Element]] | None:
    """Return the cells of a table that our notation can express, None for any other."""
    if any(next(table.iter(tag), None) is not None for tag in (*_MERGED, *GRAPHIC)):
        return None
    rows = [list(row.iter(f"{W}tc")) for row in table.iter(f"{W}tr")]
    if len(list(table.iter(f"{W}tbl"))) > 1 or not rows or not rows[0] or len({len(row) for row in rows}) > 1:
        return None
    return rows


def _box(field: _Element) -> str:
    """Return the box of an old form field, which has no text of its own."""
    box = field.find(f"{W}ffData/{W}checkBox")
    if box is None:
        return ""
    state = box.find(f"{W}checked")
    state = box.find(f"{W}default") if state is None else state
    return "☑" if state is not None and state.get(f"{W}val") not in _OFF else "□"
