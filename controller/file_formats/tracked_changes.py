"""修订标记. What a Word document with tracked changes says when all of them are accepted, and when all are rejected.

Runs, paragraph marks, table rows and paragraph styles are followed, moved passages too. A paragraph whose mark goes
flows into the one after it, as in Word; one that is left without content goes as a whole.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lxml.etree import _Element

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_COMES = (f"{_W}ins", f"{_W}moveTo")
_GOES = (f"{_W}del", f"{_W}moveFrom")
_RANGES = tuple(f"{_W}{name}Range{end}" for name in ("moveFrom", "moveTo") for end in ("Start", "End"))
_FORMER = tuple(f"{_W}{name}Change" for name in ("rPr", "pPr", "tblPr", "trPr", "tcPr", "sectPr", "tblGrid"))
_PROPERTIES = frozenset({f"{_W}rPr", f"{_W}trPr", f"{_W}tcPr", f"{_W}numPr"})
_GRAPHICS = frozenset({f"{_W}drawing", f"{_W}pict", f"{_W}object"})

Block = str | tuple[tuple[str, ...], ...]
"""A paragraph's text, or the texts of a table's cells row by row; a picture is `\\ufffc`."""


def accepted(document: bytes) -> _Element:
    """Return the tree of a `word/document.xml` with every tracked change accepted."""
    return _resolved(document, kept=_COMES, dropped=_GOES, restore=False)


def rejected(document: bytes) -> _Element:
    """Return the tree of a `word/document.xml` with every tracked change rejected."""
    return _resolved(document, kept=_GOES, dropped=_COMES, restore=True)


def serialized(root: _Element) -> bytes:
    """Return a tree as the bytes of a part."""
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))


def body_blocks(root: _Element) -> list[Block]:
    """Return what the body of a `word/document.xml` says, paragraph by paragraph and table by table."""
    body = root.find(f"{_W}body")
    return blocks_of(list(body)) if body is not None else []


def blocks_of(elements: Sequence[_Element]) -> list[Block]:
    """Return what some elements of a body say."""
    found: list[Block] = []
    for element in elements:
        if element.tag == f"{_W}tbl":
            rows = element.iterchildren(f"{_W}tr")
            found.append(tuple(tuple(_cell_text(cell) for cell in row.iterchildren(f"{_W}tc")) for row in rows))
        elif element.tag == f"{_W}p":
            found.append(paragraph_text(element))
        elif element.tag == f"{_W}sdt":
            content = element.find(f"{_W}sdtContent")
            found += blocks_of(list(content) if content is not None else [])
    return found


def paragraph_text(paragraph: _Element) -> str:
    """Return the characters of a paragraph, tabs and line ends included."""
    return "".join(_characters(paragraph))


def _cell_text(cell: _Element) -> str:
    return "\n".join(_block_text(block) for block in blocks_of(list(cell)))


def _block_text(block: Block) -> str:
    return block if isinstance(block, str) else "\n".join("|".join(row) for row in block)


def _characters(element: _Element) -> Iterator[str]:
    for child in element:
        if child.tag == f"{_W}t":
            yield child.text or ""
        elif child.tag == f"{_W}tab" and element.tag == f"{_W}r":
            yield "\t"
        elif child.tag in {f"{_W}br", f"{_W}cr"}:
            yield "\n"
        elif child.tag in _GRAPHICS:
            yield "\ufffc"
        elif child.tag not in {f"{_W}pPr", f"{_W}rPr"}:
            yield from _characters(child)


def _resolved(document: bytes, *, kept: Sequence[str], dropped: Sequence[str], restore: bool) -> _Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    root = etree.fromstring(document, parser)
    for row in list(root.iter(f"{_W}tr")):
        if any(row.find(f"{_W}trPr/{tag}") is not None for tag in dropped):
            _remove(row)
    for table in list(root.iter(f"{_W}tbl")):
        if table.find(f".//{_W}tr") is None:
            _remove(table)
    ending = [
        paragraph
        for paragraph in root.iter(f"{_W}p")
        if any(paragraph.find(f"{_W}pPr/{_W}rPr/{tag}") is not None for tag in dropped)
    ]
    for tag in (*kept, *dropped):
        for element in list(root.iter(tag)):
            parent = element.getparent()
            if parent is None:
                continue
            if parent.tag in _PROPERTIES or tag in dropped:
                _remove(element)
            else:
                _unwrap(element)
    for paragraph in ending:
        _let_end(paragraph)
    for tag in _RANGES:
        for element in list(root.iter(tag)):
            _remove(element)
    for tag in _FORMER:
        for change in list(root.iter(tag)):
            _former(change, restore=restore)
    for text in root.iter(f"{_W}delText"):
        text.tag = f"{_W}t"
    for text in root.iter(f"{_W}delInstrText"):
        text.tag = f"{_W}instrText"
    return root


def _remove(element: _Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _unwrap(element: _Element) -> None:
    parent = element.getparent()
    assert parent is not None
    place = parent.index(element)
    for child in list(element):
        parent.insert(place, child)
        place += 1
    parent.remove(element)


def _let_end(paragraph: _Element) -> None:
    """Take a paragraph's mark away: what is left of it flows into the paragraph after it."""
    parent = paragraph.getparent()
    if parent is None:
        return
    content = [child for child in paragraph if child.tag != f"{_W}pPr"]
    following = paragraph.getnext()
    if content and following is not None and following.tag == f"{_W}p":
        properties = following.find(f"{_W}pPr")
        place = 0 if properties is None else 1
        for offset, child in enumerate(content):
            following.insert(place + offset, child)
    elif content:
        return
    only = parent.tag == f"{_W}tc" and len(parent.findall(f"{_W}p")) == 1
    if not only:
        parent.remove(paragraph)


def _former(change: _Element, *, restore: bool) -> None:
    """Take a change of properties away; with `restore` the properties before it come back."""
    owner = change.getparent()
    if owner is None:
        return
    owner.remove(change)
    if not restore or not len(change):
        return
    kept = [child for child in owner if child.tag in {f"{_W}rPr", f"{_W}sectPr"}] if owner.tag == f"{_W}pPr" else []
    for child in list(owner):
        owner.remove(child)
    for child in [*change[0], *kept]:
        owner.append(deepcopy(child))
