"""修订的接受与拒绝. Accepts or rejects every tracked change of a document part, and tells who made which, where.

Where a change stood, an element `MARK` stays behind with the number of the change, so that whoever reads the text
afterwards can say in which clause it was. The tree is changed in place; what is kept of the file is never this tree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from lxml import etree

from controller.domain.word_changes import ChangeKind, TrackedChange, moment, named

if TYPE_CHECKING:
    from lxml.etree import _Element

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
MARK = "{urn:wenkong:mark}mark"
"""Left behind where a change was; attribute `n` is its place in the list."""
_INLINE = {
    f"{W}ins": ChangeKind.INSERTED,
    f"{W}del": ChangeKind.DELETED,
    f"{W}moveFrom": ChangeKind.MOVED_FROM,
    f"{W}moveTo": ChangeKind.MOVED_TO,
}
_COMES = {ChangeKind.INSERTED, ChangeKind.MOVED_TO}
_RANGE_MARKS = {
    f"{W}{name}"
    for name in ("bookmarkStart", "bookmarkEnd", "commentRangeStart", "commentRangeEnd", "permStart", "permEnd")
} | {MARK}
_MOVE_RANGES = {
    f"{W}{name}"
    for name in (
        *("moveFromRangeStart", "moveFromRangeEnd", "moveToRangeStart", "moveToRangeEnd"),
        *("customXmlInsRangeStart", "customXmlInsRangeEnd", "customXmlDelRangeStart", "customXmlDelRangeEnd"),
        *("customXmlMoveFromRangeStart", "customXmlMoveFromRangeEnd"),
        *("customXmlMoveToRangeStart", "customXmlMoveToRangeEnd"),
    )
}
_PROPERTY_CHANGES = {
    f"{W}{name}"
    for name in (
        *("rPrChange", "pPrChange", "sectPrChange", "tblPrChange", "tblGridChange", "trPrChange", "tcPrChange"),
        *("tblPrExChange", "numberingChange"),
    )
}
_KEPT_ON_REJECT = {f"{W}rPr", f"{W}sectPr"}
"""Children of paragraph properties that an older version of them does not repeat."""
_CELL_CHANGES = {f"{W}cellIns": ChangeKind.INSERTED, f"{W}cellDel": ChangeKind.DELETED}


def settle(root: _Element, *, accept: bool) -> list[TrackedChange]:
    """Accept (or reject) every tracked change below `root`, in place; return them in reading order."""
    return _Settling(root, accept=accept).run()


class _Settling:
    def __init__(self, root: _Element, *, accept: bool) -> None:
        self._root = root
        self._accept = accept
        self._places = {element: place for place, element in enumerate(root.iter())}
        """Reading order, from before anything was moved."""
        self._found: list[tuple[int, TrackedChange]] = []

    def run(self) -> list[TrackedChange]:
        root = self._root
        for element in list(root.iter(*_MOVE_RANGES)):
            _lift(element)
        for element in reversed(list(root.iter(*_PROPERTY_CHANGES))):
            self._properties(element)
        for row in reversed(list(root.iter(f"{W}tr"))):
            self._row(row)
        for cell in reversed(list(root.iter(f"{W}tc"))):
            self._cell(cell)
        ended = self._paragraph_marks()
        for element in reversed(list(root.iter(*_INLINE))):
            self._inline(element)
        for paragraph in reversed(ended):
            _run_on(paragraph)
        if not self._accept:
            for text in root.iter(f"{W}delText"):
                text.tag = f"{W}t"
            for code in root.iter(f"{W}delInstrText"):
                code.tag = f"{W}instrText"
        order = sorted(range(len(self._found)), key=lambda number: (self._found[number][0], number))
        renumbered = {str(old): str(new) for new, old in enumerate(order)}
        for mark in root.iter(MARK):
            mark.set("n", renumbered[mark.get("n") or ""])
        return [self._found[number][1] for number in order]

    def _note(self, element: _Element, kind: ChangeKind, text: str) -> _Element:
        """Remember a change and return the mark that stands for its place."""
        change = TrackedChange(kind, named(element.get(f"{W}author")), moment(element.get(f"{W}date")), text)
        mark = etree.Element(MARK)
        mark.set("n", str(len(self._found)))
        self._found.append((self._places.get(element, 0), change))
        return mark

    def _goes(self, kind: ChangeKind) -> bool:
        return (kind in _COMES) != self._accept

    # -- one kind after the other

    def _properties(self, element: _Element) -> None:
        properties = element.getparent()
        if properties is None:
            return
        holder = properties.getparent()
        paragraph = holder if holder is not None and holder.tag == f"{W}p" else None
        if holder is not None and holder.tag == f"{W}pPr":
            paragraph = holder.getparent()
        if holder is not None and holder.tag == f"{W}r":
            mark = self._note(element, ChangeKind.FORMATTED, _text(holder))
            holder.addprevious(mark)
        elif paragraph is not None:
            mark = self._note(element, ChangeKind.FORMATTED, _text(paragraph))
            _first(paragraph, mark)
        else:
            mark = self._note(
                element, ChangeKind.FORMATTED, " ".join(_text(holder).split()) if _of_table(holder) else ""
            )
            self._beside(element, mark)
        old = element[0] if len(element) else None
        properties.remove(element)
        if not self._accept and element.tag != f"{W}numberingChange":
            for child in list(properties):
                if not (properties.tag == f"{W}pPr" and child.tag in _KEPT_ON_REJECT):
                    properties.remove(child)
            for place, child in enumerate(list(old) if old is not None else []):
                properties.insert(place, child)

    def _row(self, row: _Element) -> None:
        for tag, kind in _INLINE.items():
            change = row.find(f"{W}trPr/{tag}")
            if change is None:
                continue
            mark = self._note(change, kind, " | ".join(_text(cell) for cell in row.iter(f"{W}tc")))
            parent = change.getparent()
            assert parent is not None
            parent.remove(change)
            if self._goes(kind):
                self._beside(row, mark)
                table = row.getparent()
                _lift(row)
                if table is not None and table.find(f"{W}tr") is None:
                    _lift(table)
            else:
                first = next(row.iter(f"{W}p"), None)
                if first is not None:
                    _first(first, mark)

    def _cell(self, cell: _Element) -> None:
        for tag, kind in _CELL_CHANGES.items():
            change = cell.find(f"{W}tcPr/{tag}")
            if change is None:
                continue
            mark = self._note(change, kind, _text(cell))
            self._beside(cell, mark)
            parent = change.getparent()
            assert parent is not None
            parent.remove(change)
            if self._goes(kind):
                _lift(cell)

    @staticmethod
    def _beside(element: _Element, mark: _Element) -> None:
        """Put the mark of what goes away before its table, where text can stand."""
        table = next(element.iterancestors(f"{W}tbl"), None)
        if table is not None:
            table.addprevious(mark)

    def _paragraph_marks(self) -> list[_Element]:
        """Note the paragraph ends that came or went; return the paragraphs that run on into the next."""
        ended: list[_Element] = []
        for paragraph in self._root.iter(f"{W}p"):
            for tag, kind in _INLINE.items():
                change = paragraph.find(f"{W}pPr/{W}rPr/{tag}")
                if change is None:
                    continue
                paragraph.append(self._note(change, kind, "\n"))
                parent = change.getparent()
                assert parent is not None
                parent.remove(change)
                if self._goes(kind) and paragraph not in ended[-1:]:
                    ended.append(paragraph)
        return ended

    def _inline(self, element: _Element) -> None:
        parent = element.getparent()
        if parent is None:
            return
        kind = _INLINE[str(element.tag)]
        if parent.tag in {f"{W}rPr", f"{W}trPr", f"{W}numPr", f"{W}ctrlPr"}:
            parent.remove(element)
            return
        element.addprevious(self._note(element, kind, _text(element)))
        if self._goes(kind):
            _lift(element)
        else:
            for child in list(element):
                element.addprevious(child)
            parent.remove(element)


def _text(element: _Element) -> str:
    """Return the characters below `element`, deleted ones too."""
    found = []
    for item in element.iter(f"{W}t", f"{W}delText", f"{W}tab", f"{W}br", f"{W}cr"):
        if item.tag in {f"{W}t", f"{W}delText"}:
            found.append(item.text or "")
        elif item.tag == f"{W}tab":
            parent = item.getparent()
            if parent is not None and parent.tag == f"{W}r":  # others are tab stops
                found.append("\t")
        else:
            found.append("\n")
    return "".join(found)


def _of_table(holder: _Element | None) -> TypeGuard[_Element]:
    return holder is not None and holder.tag in {f"{W}tbl", f"{W}tr", f"{W}tc"}


def _lift(element: _Element) -> None:
    """Take `element` away, but not the ends of bookmarks, comments and marks in it."""
    parent = element.getparent()
    if parent is None:
        return
    for mark in [item for item in element.iter(*_RANGE_MARKS) if item is not element]:
        element.addprevious(mark)
    parent.remove(element)


def _first(paragraph: _Element, mark: _Element) -> None:
    properties = paragraph.find(f"{W}pPr")
    if properties is not None:
        properties.addnext(mark)
    else:
        paragraph.insert(0, mark)


def _run_on(paragraph: _Element) -> None:
    """Put a paragraph whose end is gone before the text of the next one, whose properties count."""
    parent = paragraph.getparent()
    if parent is None:
        return
    between = []
    following = paragraph.getnext()
    while following is not None and following.tag in _RANGE_MARKS:
        between.append(following)
        following = following.getnext()
    content = [child for child in paragraph if child.tag != f"{W}pPr"]
    if following is not None and following.tag == f"{W}p":
        properties = following.find(f"{W}pPr")
        at = 0 if properties is None else following.index(properties) + 1
        for place, child in enumerate([*content, *between]):
            following.insert(at + place, child)
        parent.remove(paragraph)
        return
    graphic = next(paragraph.iter(f"{W}drawing", f"{W}pict", f"{W}object"), None)
    only = parent.tag == f"{W}tc" and len(parent.findall(f"{W}p")) == 1
    if not only and graphic is None and not _text(paragraph).strip():
        _lift(paragraph)
