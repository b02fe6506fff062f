"""修订标记. What a Word document with tracked changes says when all of them are accepted, and when all are rejected.

Settling itself is `change_settling`; here is what a document says afterwards, block by block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from controller.file_formats.change_settling import MARK, settle

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lxml.etree import _Element

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_GRAPHICS = frozenset({f"{_W}drawing", f"{_W}pict", f"{_W}object"})

Block = str | tuple[tuple[str, ...], ...]
"""A paragraph's text, or the texts of a table's cells row by row; a picture is `\\ufffc`."""


def accepted(document: bytes) -> _Element:
    """Return the tree of a `word/document.xml` with every tracked change accepted."""
    return _settled(document, accept=True)


def rejected(document: bytes) -> _Element:
    """Return the tree of a `word/document.xml` with every tracked change rejected."""
    return _settled(document, accept=False)


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


def _settled(document: bytes, *, accept: bool) -> _Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    root = etree.fromstring(document, parser)
    settle(root, accept=accept)
    for mark in list(root.iter(MARK)):
        parent = mark.getparent()
        if parent is not None:
            parent.remove(mark)
    return root
