"""纸质签署单的版式. Draws the sheet for a signature on paper as a Word page in the house style, with its QR code.

The code is a picture of whole pixels at 600 dots per inch, so that every printer sets its edges sharp.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from lxml import etree

from controller.adapters.house_style import HEI, MARGIN_SIDE, PAGE_WIDTH, house_file
from controller.adapters.word_markup import (
    HEADING_SHADE,
    LABEL_SHADE,
    NAMESPACES,
    Cell,
    gap,
    mm,
    paragraph,
    row,
    table,
    text_run,
)
from controller.file_formats.docx_package import CONTENT_TYPES, open_docx, write_docx

if TYPE_CHECKING:
    from controller.services.paper_sheet import PaperSheet

_WIDTH = PAGE_WIDTH - 2 * MARGIN_SIDE
_HEADER, _FOOTER, _PICTURE = "word/header1.xml", "word/footer1.xml", "word/media/code.png"
_RELATIONS = "word/_rels/document.xml.rels"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_DPI, _EMU = 600, 914_400
_MODULE = 13
"""Pixels of a module: 0.55 mm, large enough for a phone's camera and a scan of 150 dpi."""
_QUIET = 4
_MONO = '<w:rFonts w:ascii="Courier New" w:hAnsi="Courier New" w:cs="Courier New"/><w:sz w:val="17"/>'
_BOLD = f"{HEI}<w:b/>"
_HOW = (
    "1. 请在签署前核对上列内容；摘要随内容改变，内容改过须重新打印本单。",
    "2. 请用不褪色的笔亲笔签名，写明日期；需要盖章时盖在“（公章）”处，不要遮住二维码。",
    "3. 本单签署后由收件人核对原件、扫描归档；系统中显示为“纸质签名（扫描件）”，不是电子签名。原件请另行保管。",
)


def draw_paper_sheet(sheet: PaperSheet) -> bytes:
    """Return the sheet as docx; same input, same bytes."""
    package = open_docx(house_file("procedure"))
    parts = dict(package.contents)
    root = etree.fromstring(parts[package.main])
    body = root[0]
    section = body[-1]
    for child in list(body)[:-1]:
        body.remove(child)
    picture, size = code_picture(sheet.code.text)
    drawn = "".join(_drawn(sheet, size))
    for place, child in enumerate(etree.fromstring(f"<w:body {NAMESPACES}>{drawn}</w:body>")):
        body.insert(place, child)
    assert body[-1] is section
    parts[package.main] = bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))
    parts[_PICTURE] = picture
    head = paragraph(text_run(f"纸质签署单　{sheet.subject}"), "WkHeader")
    parts[_HEADER] = (_XML + f"<w:hdr {NAMESPACES}>{head}</w:hdr>").encode()
    foot = text_run(f"由 {sheet.by.name}（{sheet.by.post}）于 {sheet.printed_at} 打印")
    centred = '<w:jc w:val="center"/>'
    parts[_FOOTER] = (_XML + f"<w:ftr {NAMESPACES}>{paragraph(foot, 'WkFooter', centred)}</w:ftr>").encode()
    image = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/image"
    added = f'<Relationship Id="rIdCode" Type="{image}" Target="media/code.png"/></Relationships>'
    parts[_RELATIONS] = parts[_RELATIONS].decode().replace("</Relationships>", added).encode()
    png = '<Default Extension="png" ContentType="image/png"/></Types>'
    parts[CONTENT_TYPES] = parts[CONTENT_TYPES].decode().replace("</Types>", png).encode()
    return write_docx(parts)


def code_picture(text: str) -> tuple[bytes, int]:
    """Return the QR code of `text` as PNG and its side in EMU; a quarter of it may be covered and it still reads."""
    import segno

    code = segno.make(text, error="q", micro=False, boost_error=False)
    target = io.BytesIO()
    code.save(target, kind="png", scale=_MODULE, border=_QUIET, dpi=_DPI)
    pixels = int(code.symbol_size(scale=_MODULE, border=_QUIET)[0])
    return target.getvalue(), pixels * _EMU // _DPI


def _drawn(sheet: PaperSheet, size: int) -> list[str]:
    label, code = mm(34), mm(40)
    value = _WIDTH - label
    rows = [_heading("签署内容", (label, value))]
    rows += [_pair(name, text, label, value) for name, text in sheet.facts]
    text_width = value - code
    told = "".join(
        paragraph(text_run(name), "WkSmall")
        + "".join(paragraph(text_run(line, _MONO), "WkTableCell") for line in lines.split("\n"))
        for name, lines in sheet.digests
    )
    bound = row(
        (
            Cell(paragraph(text_run("内容摘要\n（SHA-256）"), "WkLabel"), label, shade=LABEL_SHADE),
            Cell(told, text_width),
            Cell(paragraph(_picture(size), "WkTableCentre"), code),
        ),
        height=mm(38),
    )
    sign = [
        _heading("签署", (label, value)),
        _pair("签名含义", sheet.meaning, label, value),
        _pair("意见", "", label, value, height=mm(12)),
    ]
    half = (_WIDTH - 2 * label) // 2
    quarters = (label, half, label, _WIDTH - 2 * label - half)
    written = [
        _four("签名人", "（亲笔签名）", "日期", "　　　　年　　　月　　　日", quarters, height=mm(16)),
        _four("姓名/单位", sheet.signer, "岗位/职务", "", quarters, height=mm(11)),
    ]
    seal = row(
        (
            Cell(paragraph(text_run("单位盖章"), "WkLabel"), label, shade=LABEL_SHADE),
            Cell(paragraph(text_run("（公章）"), "WkValue", '<w:jc w:val="center"/>'), value),
        ),
        height=mm(24),
    )
    return [
        paragraph(text_run(sheet.company), "WkCompany"),
        paragraph(text_run("纸质签署单"), "WkTitle"),
        table((label, value), rows),
        gap(),
        table((label, text_width, code), [bound]),
        gap(),
        table((label, value), sign),
        table(quarters, written),
        table((label, value), [seal]),
        *(paragraph(text_run(line), "WkSmall") for line in _HOW),
    ]


def _heading(text: str, columns: tuple[int, int]) -> str:
    return row((Cell(paragraph(text_run(text), "WkSection"), sum(columns), span=2, shade=HEADING_SHADE),), height=320)


def _pair(name: str, text: str, label: int, value: int, *, height: int = 320) -> str:
    return row(
        (
            Cell(paragraph(text_run(name), "WkLabel"), label, shade=LABEL_SHADE),
            Cell(paragraph(text_run(text), "WkTableCell"), value),
        ),
        height=height,
    )


def _four(name: str, text: str, other: str, more: str, columns: tuple[int, ...], *, height: int) -> str:
    cells = [
        Cell(paragraph(text_run(content), "WkLabel" if place % 2 == 0 else "WkTableCell"), width, shade=shade)
        for place, (content, width, shade) in enumerate(
            zip((name, text, other, more), columns, (LABEL_SHADE, None, LABEL_SHADE, None), strict=True)
        )
    ]
    return row(cells, height=height)


def _picture(size: int) -> str:
    drawing = "http://schemas.openxmlformats.org/drawingml/2006"
    return (
        f'<w:r><w:drawing><wp:inline xmlns:wp="{drawing}/wordprocessingDrawing"'
        ' distT="0" distB="0" distL="0" distR="0">'
        f'<wp:extent cx="{size}" cy="{size}"/><wp:docPr id="1" name="签署单二维码" descr="签署单二维码"/>'
        f'<a:graphic xmlns:a="{drawing}/main"><a:graphicData uri="{drawing}/picture">'
        f'<pic:pic xmlns:pic="{drawing}/picture">'
        '<pic:nvPicPr><pic:cNvPr id="1" name="code.png"/><pic:cNvPicPr/></pic:nvPicPr>'
        '<pic:blipFill><a:blip r:embed="rIdCode"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill>'
        f'<pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="{size}" cy="{size}"/></a:xfrm>'
        '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic>'
        "</a:graphicData></a:graphic></wp:inline></w:drawing></w:r>"
    )
