"""PDF 页面. Pages of a PDF as the reader sees them, and drawing on top of what they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyhanko.pdf_utils.writer import BasePdfFileWriter

Inherited = dict[str, generic.PdfObject]
_DEEPEST = 32
"""Levels of a page tree; no program makes so many."""
_INHERITED = ("/Resources", "/MediaBox", "/CropBox", "/Rotate")
_QUARTER, _HALF, _FULL = 90, 180, 360


class FoundPage(NamedTuple):
    """找到的页. A page with what it has or inherits of resources, boxes and rotation."""

    reference: generic.PdfObject
    page: generic.DictionaryObject
    held: Inherited

    @property
    def size(self) -> tuple[float, float]:
        """Width and height as the reader sees the page."""
        left, bottom, right, top = _box(self.held)
        width, height = round(right - left, 2), round(top - bottom, 2)
        return (height, width) if _turn(self.held) % _HALF == _QUARTER else (width, height)

    @property
    def upright(self) -> str:
        """The matrix from what the reader sees, from its lower left corner, to the page's own coordinates."""
        left, bottom, right, top = _box(self.held)
        numbers = {
            90: (0, 1, -1, 0, right, bottom),
            180: (-1, 0, 0, -1, right, top),
            270: (0, -1, 1, 0, left, top),
        }.get(_turn(self.held), (1, 0, 0, 1, left, bottom))
        return " ".join(f"{number:g}" for number in numbers)


def pages_of(writer: BasePdfFileWriter) -> Iterator[FoundPage]:
    """Yield every page in order.

    Raises:
        ValueError: the page tree is endless.
    """
    yield from _below(writer.root.raw_get("/Pages"), {}, 0)


def _below(reference: generic.PdfObject, inherited: Inherited, depth: int) -> Iterator[FoundPage]:
    if depth > _DEEPEST:
        raise ValueError(depth)
    node = reference.get_object() if isinstance(reference, generic.IndirectObject) else reference
    if not isinstance(node, generic.DictionaryObject):
        raise TypeError(node)
    held = inherited | {key: node[key] for key in _INHERITED if key in node}
    if "/Kids" not in node:
        yield FoundPage(reference, node, held)
        return
    for kid in list(node["/Kids"]):
        yield from _below(kid, held, depth + 1)


def paint(
    writer: BasePdfFileWriter,
    found: FoundPage,
    operators: str,
    *,
    objects: Mapping[str, generic.PdfObject] | None = None,
    fonts: Mapping[str, generic.PdfObject] | None = None,
) -> None:
    """Add operators, and what they name, on top of a page; what is there is closed in, whatever it leaves set."""
    page = found.page
    present = page.raw_get("/Contents") if "/Contents" in page else generic.ArrayObject()
    seen = present.get_object() if isinstance(present, generic.IndirectObject) else present
    parts = list(seen) if isinstance(seen, generic.ArrayObject) else [present]
    before = writer.add_object(generic.StreamObject(stream_data=b"q\n"))
    after = writer.add_object(generic.StreamObject(stream_data=f"\nQ\n{operators}\n".encode()))
    page[pdf_name("/Contents")] = generic.ArrayObject([before, *parts, after])
    # Resources may be shared with other pages: this page gets a dictionary of its own.
    own_resources = entry(page, "/Resources")
    resources = generic.DictionaryObject(_raw(found.held.get("/Resources") if own_resources is None else own_resources))
    for key, named in (("/XObject", objects), ("/Font", fonts)):
        if named:
            own = generic.DictionaryObject(_raw(entry(resources, key)))
            own.update({pdf_name(name): thing for name, thing in named.items()})
            resources[pdf_name(key)] = own
    page[pdf_name("/Resources")] = resources
    writer.update_container(page)


def entry(dictionary: object, key: str) -> generic.PdfObject | None:
    """Return what a dictionary holds, references resolved; None where it holds nothing or is no dictionary."""
    if not isinstance(dictionary, generic.DictionaryObject) or key not in dictionary:
        return None
    held = dictionary.raw_get(key)
    found: generic.PdfObject = held.get_object() if isinstance(held, generic.IndirectObject) else held
    return found


def _raw(dictionary: object) -> dict[generic.NameObject, generic.PdfObject]:
    """Return the entries of a dictionary as they stand, references unresolved."""
    if not isinstance(dictionary, generic.DictionaryObject):
        return {}
    return {key: dictionary.raw_get(key) for key in dictionary}


def _box(held: Inherited) -> tuple[float, float, float, float]:
    """Return the part of the page that is seen."""
    media = _sides(held["/MediaBox"])
    crop = _sides(held["/CropBox"]) if "/CropBox" in held else media
    left, bottom = max(media[0], crop[0]), max(media[1], crop[1])
    right, top = min(media[2], crop[2]), min(media[3], crop[3])
    return (left, bottom, right, top) if left < right and bottom < top else media


def _sides(box: object) -> tuple[float, float, float, float]:
    if not isinstance(box, generic.ArrayObject):
        raise TypeError(box)
    one, two, three, four = (float(side.get_object()) for side in box)
    return min(one, three), min(two, four), max(one, three), max(two, four)


def _turn(held: Inherited) -> int:
    turned = held.get("/Rotate", 0)
    return int(turned) % _FULL if isinstance(turned, (int, float)) else 0
