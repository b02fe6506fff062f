"""Word 目录和域. Finds what Word works out by itself: tables of contents, page numbers, cross-references, dates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.adapters.word_numbering import W

if TYPE_CHECKING:
    from lxml.etree import _Element

_LISTS = {"TOC", "TOA", "INDEX"}
_QUIET = {"", "HYPERLINK", "PAGEREF", "TC", "XE", "TA", "EQ", "SYMBOL", "ADVANCE", "FORMTEXT", "FORMCHECKBOX"}
"""Fields whose result does not change, or that belong to a table of contents."""


@dataclass
class _Field:
    paragraphs: list[_Element]
    """Those it reaches over so far."""
    code: str = ""


def contents_paragraphs(body: _Element) -> set[_Element]:
    """Return the paragraphs of tables of contents and indexes, which follow from the text and its pages."""
    found: set[_Element] = set()
    for control in body.iter(f"{W}sdt"):
        gallery = control.find(f"{W}sdtPr/{W}docPartObj/{W}docPartGallery")
        if gallery is not None and gallery.get(f"{W}val") == "Table of Contents":
            found.update(control.iter(f"{W}p"))
    fields: list[_Field] = []
    for paragraph in body.iter(f"{W}p"):
        for field in fields:
            field.paragraphs.append(paragraph)
        for item in paragraph.iter(f"{W}fldChar", f"{W}instrText", f"{W}fldSimple"):
            if item.tag == f"{W}fldSimple":
                if _kind(item.get(f"{W}instr") or "") in _LISTS:
                    found.add(paragraph)
            elif item.tag == f"{W}instrText":
                if fields:
                    fields[-1].code += item.text or ""
            elif item.get(f"{W}fldCharType") == "begin":
                fields.append(_Field([paragraph]))
            elif item.get(f"{W}fldCharType") == "end" and fields:
                ended = fields.pop()  # a field that never ends takes nothing with it
                found.update(ended.paragraphs if _kind(ended.code) in _LISTS else ())
    return found


def changing_fields(body: _Element) -> list[str]:
    """Return the kinds of the fields whose shown text Word would work out anew: `PAGE`, `DATE`, `REF` …"""
    kinds = [_kind(item.get(f"{W}instr") or "") for item in body.iter(f"{W}fldSimple")]
    open_fields: list[str] = []
    for item in body.iter(f"{W}fldChar", f"{W}instrText"):
        if item.tag == f"{W}instrText":
            if open_fields:
                open_fields[-1] += item.text or ""
        elif item.get(f"{W}fldCharType") == "begin":
            open_fields.append("")
        elif item.get(f"{W}fldCharType") == "end" and open_fields:
            kinds.append(_kind(open_fields.pop()))
    return [kind for kind in dict.fromkeys(kinds) if kind not in _QUIET | _LISTS]


def _kind(code: str) -> str:
    return next(iter(code.split()), "").upper()
