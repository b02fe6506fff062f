"""Word 字体格式. The formats of runs: those that mean something, and those that only look different."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.adapters.word_numbering import W
from controller.domain.word_changes import FORMAT_MEANINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element

_SWITCHES = (
    ("b", "bold"),
    ("i", "italic"),
    ("u", "underline"),
    ("strike", "strike"),
    ("dstrike", "strike"),
    ("vanish", "hidden"),
    ("highlight", "highlight"),
)


def formats(block: _Element) -> Iterator[tuple[str, str]]:
    """Yield (kind of format, text) of each passage below `block` that has one format without a gap."""
    for paragraph in block.iter(f"{W}p"):
        last: tuple[str, ...] = ()
        texts: dict[str, str] = {}
        for run in paragraph.iter(f"{W}r"):
            kinds, text = _kinds(run), "".join(item.text or "" for item in run.iter(f"{W}t"))
            for kind in last:
                if kind not in kinds and kind in texts:
                    yield kind, texts.pop(kind)
            for kind in kinds:
                texts[kind] = texts.get(kind, "") + text
            last = kinds
        yield from texts.items()


def meanings(block: _Element) -> Iterator[tuple[str, str]]:
    """Yield those of `formats` that mean something."""
    for kind, text in formats(block):
        if kind in FORMAT_MEANINGS and text.strip():
            yield kind, text


def page_breaks(block: _Element) -> int:
    """Return how many pages are begun by hand below `block`."""
    before = sum(item.find(f"{W}pPr/{W}pageBreakBefore") is not None for item in block.iter(f"{W}p"))
    return before + sum(item.get(f"{W}type") == "page" for item in block.iter(f"{W}br"))


def _kinds(run: _Element) -> tuple[str, ...]:
    properties = run.find(f"{W}rPr")
    if properties is None:
        return ()
    found = []
    for tag, kind in _SWITCHES:
        item = properties.find(f"{W}{tag}")
        if item is not None and item.get(f"{W}val") not in {"0", "false", "none", "off"}:
            found.append(kind)
    raised = properties.find(f"{W}vertAlign")
    if raised is not None and raised.get(f"{W}val") in {"superscript", "subscript"}:
        found.append(str(raised.get(f"{W}val")))
    return tuple(dict.fromkeys(found))
