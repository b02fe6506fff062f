"""汇编的装订. Binds the PDFs of a set: pages before, documents, page of the set on every page, links and bookmarks."""

from __future__ import annotations

import io
from hashlib import sha256
from typing import TYPE_CHECKING

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader

from controller.adapters.pdf_addition import NewPdf, numbers
from controller.adapters.pdf_lettering import Lettering, embed_font, shared_subset
from controller.adapters.pdf_pages import pages_of, paint
from controller.adapters.pdf_stamping import PdfStampError
from controller.adapters.set_page_drawing import HEIGHT, WIDTH, front, front_page_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.adapters.pdf_pages import FoundPage
    from controller.adapters.set_page_drawing import Front
    from controller.domain.document_set import SetPrint

_FONT = "/WkSetFont"
_FROM_RIGHT, _FROM_BELOW, _SIZE = 57.0, 20.0, 9.0
"""Where the page of the set stands: below the document's own page number, at the right."""


class SetBinding:
    """汇编的装订. Implements the port `SetDrawing`."""

    def bind(
        self,
        shown: SetPrint,
        bodies: Sequence[bytes],
        counts: Sequence[int],
        *,
        order_file: str,
        front_only: bool = False,
    ) -> bytes:
        """Return the set as one PDF; same input, same bytes.

        Args:
            shown: what stands before the documents.
            bodies: the PDF of each document, in order.
            counts: pages of each.
            order_file: file of the order of release, for messages.
            front_only: leave the documents out; the pages that are there are numbered as in the whole.

        Raises:
            ReleaseOrderLongError: the order of release does not fit on its page.
            PdfStampError: a PDF cannot be read.
        """
        before = front_page_count(shown)
        starts = [before + 1 + sum(counts[:place]) for place in range(len(counts))]
        made = front(shown, starts, path=order_file)
        try:
            return _bound(shown, made, [] if front_only else bodies, starts, before + sum(counts))
        except (PdfError, KeyError, ValueError, TypeError, AttributeError, IndexError, RecursionError) as exc:
            raise PdfStampError from exc


def _bound(shown: SetPrint, made: Front, bodies: Sequence[bytes], starts: Sequence[int], total: int) -> bytes:
    seed = sha256(repr(shown).encode())
    for body in bodies:
        seed.update(body)
    writer = NewPdf(seed.digest(), f"{shown.number} {shown.company} {shown.title} {shown.edition}")
    marks = [f"第{number}页 共{total}页" for number in range(1, total + 1)]
    digits = Lettering()
    digits.text(0, 0, _SIZE, "".join(marks))
    subset = shared_subset([digits, *(page.drawn for page in made.pages)])
    font = embed_font(writer, subset)
    tree = writer.root["/Pages"]
    kids = generic.ArrayObject()
    for page in made.pages:
        content = generic.StreamObject(stream_data=page.drawn.content(subset))
        content.compress()
        fonts = generic.DictionaryObject({pdf_name("/F"): font})
        kids.append(
            writer.add_object(
                generic.DictionaryObject(
                    {
                        pdf_name("/Type"): pdf_name("/Page"),
                        pdf_name("/Parent"): writer.root.raw_get("/Pages"),
                        pdf_name("/MediaBox"): numbers(0, 0, WIDTH, HEIGHT),
                        pdf_name("/Contents"): writer.add_object(content),
                        pdf_name("/Resources"): generic.DictionaryObject({pdf_name("/Font"): fonts}),
                    }
                )
            )
        )
    count = len(made.pages)
    for body in bodies:
        reader = PdfFileReader(io.BytesIO(body), strict=False)
        branch = writer.import_object(reader.root.raw_get("/Pages"))
        node = branch.get_object()
        node[pdf_name("/Parent")] = writer.root.raw_get("/Pages")
        count += int(node["/Count"])
        kids.append(branch)
    tree[pdf_name("/Kids")] = kids
    tree[pdf_name("/Count")] = generic.NumberObject(count)
    pages = list(pages_of(writer))
    for found, mark in zip(pages, marks, strict=False):
        width, _ = found.size
        drawn = Lettering()
        drawn.right(width - _FROM_RIGHT, _FROM_BELOW, _SIZE, mark)
        operators = drawn.content(subset).decode().replace("/F ", f"{_FONT} ")
        paint(writer, found, f"q {found.upright} cm {operators} Q", fonts={_FONT: font})
    _link(writer, made, pages, starts)
    _bookmark(writer, shown, made, pages, starts)
    out = io.BytesIO()
    writer.write(out)  # type: ignore[no-untyped-call]
    return out.getvalue()


def _to(page: FoundPage) -> generic.ArrayObject:
    return generic.ArrayObject([page.reference, pdf_name("/Fit")])


def _link(writer: NewPdf, made: Front, pages: Sequence[FoundPage], starts: Sequence[int]) -> None:
    """Let each line of the contents lead to its document, as far as that is bound here."""
    for front_page, found in zip(made.pages, pages, strict=False):
        links = generic.ArrayObject()
        for box, place in front_page.links:
            if starts[place] > len(pages):
                continue
            links.append(
                writer.add_object(
                    generic.DictionaryObject(
                        {
                            pdf_name("/Type"): pdf_name("/Annot"),
                            pdf_name("/Subtype"): pdf_name("/Link"),
                            pdf_name("/Rect"): numbers(*box),
                            pdf_name("/Border"): numbers(0, 0, 0),
                            pdf_name("/Dest"): _to(pages[starts[place] - 1]),
                        }
                    )
                )
            )
        if links:
            found.page[pdf_name("/Annots")] = links


def _bookmark(writer: NewPdf, shown: SetPrint, made: Front, pages: Sequence[FoundPage], starts: Sequence[int]) -> None:
    """Add bookmarks: the parts before, and the documents below their classes."""
    top: list[tuple[str, int, list[tuple[str, int]]]] = [(title, place, []) for title, place in made.parts]
    group = ""
    for item, start in zip(shown.documents, starts, strict=True):
        if start > len(pages):
            break
        if item.class_name != group:
            group = item.class_name
            top.append((group, start - 1, []))
        top[-1][2].append((f"{item.number} {item.title}", start - 1))
    root = generic.DictionaryObject({pdf_name("/Type"): pdf_name("/Outlines")})
    reference = writer.add_object(root)
    entries = []
    for title, place, below in top:
        entry = _entry(title, pages[place], reference)
        own = writer.add_object(entry)
        _chain(entry, [writer.add_object(_entry(name, pages[at], own)) for name, at in below], shut=True)
        entries.append(own)
    _chain(root, entries, shut=False)
    writer.root[pdf_name("/Outlines")] = reference
    writer.root[pdf_name("/PageMode")] = pdf_name("/UseOutlines")


def _entry(title: str, page: FoundPage, parent: generic.IndirectObject) -> generic.DictionaryObject:
    return generic.DictionaryObject(
        {
            pdf_name("/Title"): generic.pdf_string(title),
            pdf_name("/Parent"): parent,
            pdf_name("/Dest"): _to(page),
        }
    )


def _chain(parent: generic.DictionaryObject, entries: Sequence[generic.IndirectObject], *, shut: bool) -> None:
    """Put bookmarks below `parent` in order."""
    if not entries:
        return
    parent[pdf_name("/First")], parent[pdf_name("/Last")] = entries[0], entries[-1]
    parent[pdf_name("/Count")] = generic.NumberObject(-len(entries) if shut else len(entries))
    for place, entry in enumerate(entries):
        node = entry.get_object()
        if place:
            node[pdf_name("/Prev")] = entries[place - 1]
        if place + 1 < len(entries):
            node[pdf_name("/Next")] = entries[place + 1]
