"""Word 编辑. Changes a docx as a person does in Word with tracked changes on, and comments on it; for `qms demo`.

What comes out is what Word saves: deletions and insertions with author and time, a comments part, and nothing else
touched.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

from controller.adapters.word_markup import W_NAMESPACE
from controller.domain.errors import NotFoundError
from controller.domain.text import T
from controller.file_formats.docx_package import CONTENT_TYPES, open_docx, relationships, write_docx

if TYPE_CHECKING:
    from datetime import datetime

_W = f"{{{W_NAMESPACE}}}"
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_BODY, _RELATIONS, _COMMENTS = "word/document.xml", "word/_rels/document.xml.rels", "word/comments.xml"
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/comments"
_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.comments+xml"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


class PlaceInWordMissingError(NotFoundError):
    """Word 里找不到这些文字. The words to edit stand in no paragraph, or in several."""

    code = "word-place-missing"

    def __init__(self, *, words: str) -> None:
        super().__init__(
            T("Word 文件里没有唯一的一处“{words}”。", words=words[:40]), hint=T("写得长一些，使它只出现一次。")
        )


@dataclass(frozen=True)
class WordAuthor:
    """Word 的作者. The name and the moment that Word writes beside a change: the author's own time, called UTC."""

    name: str
    at: datetime

    def marks(self, number: int) -> dict[str, str]:
        """Return the attributes of a tracked change or comment."""
        return {f"{_W}id": str(number), f"{_W}author": self.name, f"{_W}date": self.at.strftime("%Y-%m-%dT%H:%M:%SZ")}


class WordEditing:
    """Word 编辑. One sitting over one file; `saved` gives the file."""

    def __init__(self, docx: bytes) -> None:
        self._parts = dict(open_docx(docx).contents)
        self._root = etree.fromstring(self._parts[_BODY])
        self._comments: list[etree._Element] = []
        self._next = 1

    def replace(self, old: str, new: str, by: WordAuthor) -> None:
        """Write `new` for `old`; what both begin and end with stays untouched.

        Raises:
            PlaceInWordMissingError: `old` does not stand in exactly one paragraph.
        """
        paragraph, at = self._place(old)
        begun = next((n for n, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), len(old))
        begun = min(begun, len(new))
        ended = 0
        while ended < min(len(old), len(new)) - begun and old[-1 - ended] == new[-1 - ended]:
            ended += 1
        taken, written = old[begun : len(old) - ended], new[begun : len(new) - ended]
        runs = _runs_between(paragraph, at + begun, at + begun + len(taken))
        place = _place_of(paragraph, at + begun) if not runs else paragraph.index(runs[0])
        style = _style_before(paragraph, place)
        if runs:
            deleted = etree.Element(f"{_W}del", by.marks(self._number()))
            paragraph.insert(place, deleted)
            for run in runs:
                for text in run.iter(f"{_W}t"):
                    text.tag = f"{_W}delText"
                deleted.append(run)
            place += 1
        if written:
            inserted = etree.Element(f"{_W}ins", by.marks(self._number()))
            inserted.append(_run(written, style))
            paragraph.insert(place, inserted)

    def add_paragraph(self, after: str, text: str, by: WordAuthor) -> None:
        """Type a new paragraph after the one that holds `after`, in its style.

        Raises:
            PlaceInWordMissingError: `after` does not stand in exactly one paragraph.
        """
        paragraph, _ = self._place(after)
        added = etree.Element(f"{_W}p")
        own = paragraph.find(f"{_W}pPr")
        properties = deepcopy(own) if own is not None else etree.Element(f"{_W}pPr")
        mark = properties.find(f"{_W}rPr")
        if mark is None:
            mark = etree.SubElement(properties, f"{_W}rPr")
        mark.insert(0, etree.Element(f"{_W}ins", by.marks(self._number())))
        inserted = etree.Element(f"{_W}ins", by.marks(self._number()))
        inserted.append(_run(text, None))
        added.extend([properties, inserted])
        paragraph.addnext(added)

    def comment(self, about: str, text: str, by: WordAuthor) -> None:
        """Put a comment on the words `about`.

        Raises:
            PlaceInWordMissingError: they do not stand in exactly one paragraph.
        """
        paragraph, at = self._place(about)
        number = len(self._comments)
        runs = _runs_between(paragraph, at, at + len(about))
        runs[0].addprevious(etree.Element(f"{_W}commentRangeStart", {f"{_W}id": str(number)}))
        ended = etree.Element(f"{_W}commentRangeEnd", {f"{_W}id": str(number)})
        runs[-1].addnext(ended)
        reference = etree.Element(f"{_W}r")
        etree.SubElement(reference, f"{_W}commentReference", {f"{_W}id": str(number)})
        ended.addnext(reference)
        comment = etree.Element(f"{_W}comment", by.marks(number))
        comment.set(f"{_W}initials", by.name[:1])
        etree.SubElement(comment, f"{_W}p").append(_run(text, None))
        self._comments.append(comment)

    def saved(self) -> bytes:
        """Return the file."""
        parts = dict(self._parts)
        parts[_BODY] = _bytes(self._root)
        if self._comments:
            root = etree.Element(f"{_W}comments", nsmap={"w": W_NAMESPACE})
            root.extend(deepcopy(self._comments))
            parts[_COMMENTS] = _bytes(root)
            types = etree.fromstring(parts[CONTENT_TYPES])
            kind = {"PartName": f"/{_COMMENTS}", "ContentType": _TYPE}
            etree.SubElement(types, f"{{{_PACKAGE}/content-types}}Override", kind)
            parts[CONTENT_TYPES] = _bytes(types)
            listed = etree.fromstring(parts[_RELATIONS])
            taken = {item.id for item in relationships(parts[_RELATIONS])}
            free = next(name for name in (f"rId{number}" for number in range(1, 10_000)) if name not in taken)
            relation = {"Id": free, "Type": _RELATION, "Target": "comments.xml"}
            etree.SubElement(listed, f"{{{_PACKAGE}/relationships}}Relationship", relation)
            parts[_RELATIONS] = _bytes(listed)
        return write_docx(parts)

    def _place(self, words: str) -> tuple[etree._Element, int]:
        """Return the one paragraph that holds `words`, and where they begin in its present text."""
        found = [(item, _text(item)) for item in self._root.iter(f"{_W}p")]
        found = [(item, text) for item, text in found if words in text]
        if len(found) != 1 or found[0][1].count(words) != 1:
            raise PlaceInWordMissingError(words=words)
        return found[0][0], found[0][1].index(words)

    def _number(self) -> int:
        self._next += 1
        return self._next


def _text(paragraph: etree._Element) -> str:
    """Return the untracked text of a paragraph's own runs."""
    return "".join(_own(run) for run in paragraph.findall(f"{_W}r"))


def _own(run: etree._Element) -> str:
    return "".join(text.text or "" for text in run.findall(f"{_W}t"))


def _runs_between(paragraph: etree._Element, start: int, end: int) -> list[etree._Element]:
    """Return the runs of exactly this stretch of text; runs that reach over its ends are parted."""
    _part(paragraph, start)
    _part(paragraph, end)
    found, at = [], 0
    for run in paragraph.findall(f"{_W}r"):
        own = _own(run)
        if own and start <= at and at + len(own) <= end:
            found.append(run)
        at += len(own)
    return found


def _part(paragraph: etree._Element, place: int) -> None:
    at = 0
    for run in paragraph.findall(f"{_W}r"):
        own = _own(run)
        if at < place < at + len(own):
            rest = deepcopy(run)
            _write(run, own[: place - at])
            _write(rest, own[place - at :])
            run.addnext(rest)
            return
        at += len(own)


def _place_of(paragraph: etree._Element, place: int) -> int:
    """Return the index among the children at which text at `place` is inserted."""
    _part(paragraph, place)
    at = 0
    for run in paragraph.findall(f"{_W}r"):
        at += len(_own(run))
        if at >= place:
            return paragraph.index(run) + 1
    return len(paragraph)


def _style_before(paragraph: etree._Element, place: int) -> etree._Element | None:
    """Return the properties of the run that ends before `place`, or the one that begins there."""
    runs = [item for item in list(paragraph)[: place + 1] if item.tag == f"{_W}r"]
    return runs[-1].find(f"{_W}rPr") if runs else None


def _run(text: str, style: etree._Element | None) -> etree._Element:
    run = etree.Element(f"{_W}r")
    if style is not None:
        run.append(deepcopy(style))
    _write(run, text)
    return run


def _write(run: etree._Element, text: str) -> None:
    for old in run.findall(f"{_W}t"):
        run.remove(old)
    written = etree.SubElement(run, f"{_W}t")
    written.text = text
    written.set(_SPACE, "preserve")


def _bytes(root: etree._Element) -> bytes:
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))
