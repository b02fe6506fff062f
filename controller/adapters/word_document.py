"""读取 Word 文档. docx → clause text: automatic numbers typed out, plain tables in our notation, the rest as islands.

What the clause grammar cannot express (merged cells, text boxes, pictures, formulas) is kept verbatim and shown in its
place. Headers, footers and comments are not text of the document; that they were left out is said in the findings.
Files are opened only through `file_formats.docx_package`, which refuses macros, embedded programs and XML bombs.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from lxml import etree

from controller.adapters.word_numbering import W, WordNumbering
from controller.adapters.word_revisions import MARK
from controller.domain.conformity import Finding, Gravity
from controller.domain.identifiers import Digest
from controller.domain.text import T, Text
from controller.file_formats.clause_text import island_line, table_text
from controller.file_formats.docx_package import open_docx, relationships
from controller.file_formats.island_file import IslandFile, IslandPart, write_island
from controller.services.print_ports import WordText

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element

    from controller.file_formats.docx_package import DocxPackage, Relationship

_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_GRAPHIC = {f"{W}drawing", f"{W}pict", f"{W}object", f"{_MC}AlternateContent", f"{_M}oMath", f"{_M}oMathPara"}
_DELETED = {f"{W}del", f"{W}moveFrom"}
_CHANGED = {f"{W}ins", f"{W}del", f"{W}moveFrom", f"{W}moveTo"}
_WRAPPERS = {f"{W}sdt", f"{W}sdtContent", f"{W}customXml", f"{W}smartTag", f"{W}ins", f"{W}moveTo"}
_MERGED = (f"{W}gridSpan", f"{W}vMerge", f"{W}hMerge")
POINTS = {f"{W}bookmarkStart", f"{W}bookmarkEnd", f"{W}commentRangeStart", MARK}
"""Elements that stand at a place in the text without being text; whoever needs them reads on with `point`."""
_CAPTION = 24
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
    """读取一份文档. Goes through one opened docx; `point`, `block` and `paragraph_text` may be built upon."""

    def __init__(self, package: DocxPackage, name: str) -> None:
        self.package = package
        self.name = name
        self.islands: dict[Digest, bytes] = {}
        self.findings: list[Finding] = []
        self.said: set[str] = set()
        self.lines: list[str] = []
        self.count = 0
        """Lines so far."""
        parts = {kind.removeprefix(_WORDPROCESSING): part for part, kind in package.types.items()}
        self.numbering = WordNumbering(self.tree(parts.get("numbering+xml")), self.tree(parts.get("styles+xml")))

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
        self.left_out()
        return WordText("".join(self.lines), self.islands, tuple(self.findings))

    def body(self) -> _Element | None:
        """Return the body that is read."""
        root = self.tree(self.package.main)
        return root.find(f"{W}body") if root is not None else None

    def line(self, text: str) -> None:
        """Add one or more lines to the text, each with its end."""
        self.lines.append(text)
        self.count += text.count("\n")

    # -- blocks ------------------------------------------------------------------------------------------------

    def block(self, block: _Element) -> None:
        """Read one paragraph, table, graphic or point of the body."""
        if block.tag == f"{W}p":
            self._paragraph(block)
        elif block.tag == f"{W}tbl":
            self._table(block)
        elif block.tag in _GRAPHIC:
            self.island(block)
        else:
            self.point(block)

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
        label = self.numbering.label(paragraph)
        return label + "".join(self.runs(paragraph))

    def runs(self, element: _Element) -> Iterator[str]:
        """Yield the text below `element`, and what `point` gives for each point in it."""
        for child in element:
            if child.tag in POINTS:
                yield self.point(child)
                continue
            if child.tag in _DELETED or child.tag in _GRAPHIC or child.tag == f"{W}p":
                self._changed(child)
                continue
            self._changed(child)
            if child.tag == f"{W}t":
                yield (child.text or "").replace("\r", " ").replace("\n", " ")
            elif child.tag == f"{W}tab":
                if element.tag == f"{W}r":
                    yield "\t"
            elif child.tag == f"{W}cr" or (child.tag == f"{W}br" and child.get(f"{W}type") in {None, "textWrapping"}):
                yield "\n"
            elif child.tag == f"{W}noBreakHyphen":
                yield "-"
            elif child.tag == f"{W}sym":
                yield self._symbol(child)
            elif child.tag in {f"{W}footnoteReference", f"{W}endnoteReference"}:
                self.say(
                    "docx-notes-left-out",
                    Gravity.WARNING,
                    T("脚注和尾注没有读入。"),
                    T("把需要的内容写进正文后再导入。"),
                )
            elif child.tag == f"{W}commentReference":
                self.say("docx-comments-left-out", Gravity.NOTE, T("批注没有读入。"))
            else:
                yield from self.runs(child)

    def _symbol(self, symbol: _Element) -> str:
        code = symbol.get(f"{W}char") or ""
        self.say("docx-symbol", Gravity.WARNING, T("有用符号字体写的字符，请核对。"), T("改用普通字符，例如 □ ☑ ≥。"))
        try:
            return chr(int(code, 16))
        except (ValueError, OverflowError):
            return "\ufffd"

    def _changed(self, element: _Element) -> None:
        if element.tag in _CHANGED:
            message = T("文档里有未处理的修订，按接受修订后的文字读入。")
            self.say("docx-tracked-changes", Gravity.WARNING, message, T("在 Word 中先接受或拒绝全部修订。"))

    def _table(self, table: _Element) -> None:
        rows = _plain_rows(table)
        if rows is None:
            self.island(table)
            return
        cells = tuple(tuple(self._cell(cell) for cell in row) for row in rows)
        first = table.find(f"{W}tr/{W}trPr/{W}tblHeader")
        self.line(table_text(cells, header=first is not None))

    def _cell(self, cell: _Element) -> str:
        return "\n".join(self.paragraph_text(block) for block in _blocks(cell) if block.tag == f"{W}p")

    # -- islands -----------------------------------------------------------------------------------------------

    def island(self, element: _Element) -> None:
        """Keep an element verbatim and put its line into the text."""
        element = self.kept(element)
        xml = etree.tostring(element, encoding="unicode", with_tail=False)
        content = write_island(IslandFile(xml, tuple(self._parts_of(element))))
        digest = Digest.of(content)
        self.islands[digest] = content
        self.line(island_line(digest, _caption(element)))
        message = T("“{caption}”无法写成条款文本，按原样保存在原位。", caption=_caption(element))
        line = self.count
        self.findings.append(Finding("docx-island", Gravity.NOTE, message, path=self.name, line=line))

    def kept(self, element: _Element) -> _Element:
        """Return an element as it is kept verbatim."""
        return element

    def _parts_of(self, element: _Element) -> Iterator[IslandPart]:
        used = {str(value) for item in element.iter() for key, value in item.attrib.items() if str(key).startswith(_R)}
        waiting: list[tuple[str, str, set[str] | None]] = [("", self.package.main, used)]
        seen: set[tuple[str, str]] = set()
        while waiting:
            owner, part, wanted = waiting.pop()
            for relation in sorted(self._relations(part), key=lambda item: item.id):
                name = posixpath.normpath(posixpath.join(posixpath.dirname(part), relation.target))
                name = relation.target.lstrip("/") if relation.target.startswith("/") else name
                if (
                    relation.external
                    or (wanted is not None and relation.id not in wanted)
                    or (owner, relation.id) in seen
                ):
                    continue
                if name not in self.package.contents:
                    continue
                seen.add((owner, relation.id))
                kind = self.package.types.get(name, "")
                yield IslandPart(owner, relation.id, relation.type, name, kind, self.package.contents[name])
                waiting.append((name, name, None))

    def _relations(self, part: str) -> list[Relationship]:
        folder, _slash, base = part.rpartition("/")
        name = f"{folder}/_rels/{base}.rels" if folder else f"_rels/{base}.rels"
        content = self.package.contents.get(name)
        return relationships(content) if content is not None else []

    # -- what was left out -------------------------------------------------------------------------------------

    def say(self, code: str, gravity: Gravity, message: Text, hint: Text | None = None) -> None:
        """Add a finding once."""
        if code not in self.said:
            self.said.add(code)
            self.findings.append(Finding(code, gravity, message, path=self.name, hint=hint))

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
                texts += [text for text in (_words(item) for item in tree.iter(f"{W}p")) if text]
        return texts


def _blocks(element: _Element) -> Iterator[_Element]:
    """Yield paragraphs, tables, graphics and points directly in `element`, looking through wrappers."""
    for child in element:
        if child.tag in _WRAPPERS:
            yield from _blocks(child)
        elif child.tag in {f"{W}p", f"{W}tbl"} or child.tag in _GRAPHIC or child.tag in POINTS:
            yield child


def _graphics(paragraph: _Element) -> Iterator[_Element]:
    """Yield what in a paragraph is not text, outermost elements only."""
    for child in paragraph:
        if child.tag in _DELETED:
            continue
        if child.tag in _GRAPHIC:
            yield child
        else:
            yield from _graphics(child)


def _plain_rows(table: _Element) -> list[list[_Element]] | None:
    """Return the cells of a table that our notation can express, None for any other."""
    if any(next(table.iter(tag), None) is not None for tag in (*_MERGED, *_GRAPHIC)):
        return None
    rows = [list(row.iter(f"{W}tc")) for row in table.iter(f"{W}tr")]
    if len(list(table.iter(f"{W}tbl"))) > 1 or not rows or not rows[0] or len({len(row) for row in rows}) > 1:
        return None
    return rows


def _words(element: _Element) -> str:
    return " ".join("".join(item.text or "" for item in element.iter(f"{W}t")).split())


def _caption(element: _Element) -> str:
    choice = element.find(f"{_MC}Choice")
    text = _words(element if choice is None else choice)[:_CAPTION]
    if element.tag == f"{W}tbl":
        return f"表格 {text}".strip()
    if element.tag.startswith(_M):
        return "公式"
    described = next(
        (item.get("descr") for item in element.iter() if item.tag.endswith("}docPr") and item.get("descr")), None
    )
    return f"文本框 {text}".strip() if text else f"图片 {described or ''}"[:_CAPTION].strip()
