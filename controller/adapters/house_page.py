"""公司版式的页面. Sets pages of our own (sheets, reports) on the shipped house file: body, header, footer.

Not for what a company restyles: procedures are set on its own house file (`procedure_layout.on_house`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from controller.adapters.house_style import MARGIN_SIDE, PAGE_WIDTH, house_file, page_numbers
from controller.adapters.word_markup import NAMESPACES, paragraph, text_run
from controller.file_formats.docx_package import open_docx

if TYPE_CHECKING:
    from collections.abc import Iterable

TEXT_WIDTH = PAGE_WIDTH - 2 * MARGIN_SIDE
"""Between the margins, twips."""
_HEADER, _FOOTER = "word/header1.xml", "word/footer1.xml"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def house_page(drawn: Iterable[str], *, header: str, footer: str = "") -> dict[str, bytes]:
    """Return the parts of a docx whose body is `drawn` (paragraphs and tables); same input, same bytes.

    Args:
        drawn: WordprocessingML made with `word_markup`.
        header: line above every page.
        footer: what stands below every page, before the page number.
    """
    package = open_docx(house_file("procedure"))
    parts = dict(package.contents)
    root = etree.fromstring(parts[package.main])
    body = root[0]
    section = body[-1]
    for child in list(body)[:-1]:
        body.remove(child)
    for place, child in enumerate(etree.fromstring(f"<w:body {NAMESPACES}>{''.join(drawn)}</w:body>")):
        body.insert(place, child)
    assert body[-1] is section
    etree.cleanup_namespaces(root, keep_ns_prefixes=["w", "r"])
    parts[package.main] = bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))
    head = paragraph(text_run(header), "WkHeader")
    parts[_HEADER] = (_XML + f"<w:hdr {NAMESPACES}>{head}</w:hdr>").encode()
    foot = paragraph(
        text_run(f"{footer}\u3000\u3000" if footer else "") + page_numbers(), "WkFooter", '<w:jc w:val="center"/>'
    )
    parts[_FOOTER] = (_XML + f"<w:ftr {NAMESPACES}>{foot}</w:ftr>").encode()
    return parts
