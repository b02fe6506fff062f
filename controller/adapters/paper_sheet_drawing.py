"""纸质签署单的版式. Draws the sheet for a signature on paper as a Word page in the house style, with its QR code.

The code is a picture of whole pixels at 600 dots per inch, so that every printer sets its edges sharp.
"""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

from controller.adapters.house_page import TEXT_WIDTH, house_page
from controller.adapters.word_markup import (
    HEADING_SHADE,
    LABEL_SHADE,
    MONO,
    Cell,
    em_width,
    gap,
    mm,
    page_break,
    paragraph,
    row,
    table,
    text_run,
)
from controller.file_formats.docx_package import CONTENT_TYPES, write_docx

if TYPE_CHECKING:
    from controller.services.paper_sheet import PaperSheet

_RELATIONS, _PICTURE = "word/_rels/document.xml.rels", "word/media/code.png"
_DPI, _EMU = 600, 914_400
_MODULE = 13
"""Pixels of a module: 0.55 mm, large enough for a phone's camera and a scan of 150 dpi."""
_QUIET = 4
_LABEL, _CODE = mm(34), mm(40)
_VALUE = TEXT_WIDTH - _LABEL
_FIRST_PAGE, _PAGE, _SIGNING = 36, 39, 24
"""Rows of one line that fit on the first page and on a further one, and as many as digests and signature take."""
_FURTHER_LINE = 0.75
_LABEL_LINE, _VALUE_LINE = 9.0, 36.0
"""Chinese characters that fit on a line."""
_HOW = (
    "1. 请在签署前核对“签署内容”各项；摘要随内容改变，内容改过须重新打印本单。",
    "2. 请用不褪色的笔亲笔签名，写明日期；需要盖章时盖在“（公章）”处，不要遮住二维码。",
    "3. 本单签署后由收件人核对原件、各页一并扫描归档；系统中显示为“纸质签名（扫描件）”，不是电子签名。原件请另行保管。",
)


def draw_paper_sheet(sheet: PaperSheet) -> bytes:
    """Return the sheet as docx; same input, same bytes."""
    picture, size = code_picture(sheet.code.text)
    parts = house_page(
        _drawn(sheet, size),
        header=f"纸质签署单　{sheet.subject}",
        footer=f"由 {sheet.by.name}（{sheet.by.post}）于 {sheet.printed_at} 打印",
    )
    parts[_PICTURE] = picture
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
    text_width = _VALUE - _CODE
    told = "".join(
        paragraph(text_run(name), "WkSmall")
        + paragraph(text_run(digest.grouped, f'{MONO}<w:sz w:val="17"/>'), "WkTableCell")
        for name, digest in sheet.digests
    )
    bound = row(
        (
            Cell(paragraph(text_run("内容摘要\n（SHA-256）"), "WkLabel"), _LABEL, shade=LABEL_SHADE),
            Cell(told, text_width),
            Cell(paragraph(_picture(size), "WkTableCentre"), _CODE),
        ),
        height=mm(38),
    )
    sign = [
        _heading("签署"),
        _pair("签名含义", sheet.meaning),
        _pair("意见", "", height=mm(12)),
    ]
    half = (TEXT_WIDTH - 2 * _LABEL) // 2
    quarters = (_LABEL, half, _LABEL, TEXT_WIDTH - 2 * _LABEL - half)
    written = [
        _four("签名人", "（亲笔签名）", "日期", "　　　　年　　　月　　　日", quarters, height=mm(16)),
        _four("姓名/单位", sheet.signer, "岗位/职务", "", quarters, height=mm(11)),
    ]
    seal = row(
        (
            Cell(paragraph(text_run("单位盖章"), "WkLabel"), _LABEL, shade=LABEL_SHADE),
            Cell(paragraph(text_run("（公章）"), "WkValue", '<w:jc w:val="center"/>'), _VALUE),
        ),
        height=mm(24),
    )
    return [
        paragraph(text_run(sheet.company), "WkCompany"),
        paragraph(text_run("纸质签署单"), "WkTitle"),
        table((_LABEL, _VALUE), [_heading("签署内容"), *(_pair(name, text) for name, text in sheet.facts)]),
        page_break() if _apart(sheet) else gap(),
        table((_LABEL, text_width, _CODE), [bound]),
        gap(),
        table((_LABEL, _VALUE), sign),
        table(quarters, written),
        table((_LABEL, _VALUE), [seal]),
        *(paragraph(text_run(line), "WkSmall") for line in _HOW),
    ]


def _apart(sheet: PaperSheet) -> bool:
    """Tell whether digests and signature go to a page of their own, because what is signed leaves too little room."""
    filled = 1 + sum(map(_rows, sheet.facts))
    if filled > _FIRST_PAGE:
        return (filled - _FIRST_PAGE) % _PAGE + _SIGNING > _PAGE
    return filled + _SIGNING > _FIRST_PAGE


def _rows(fact: tuple[str, str]) -> float:
    """Return how many rows of one line a row takes as much room as."""
    label, value = (
        sum(max(math.ceil(em_width(line) / width), 1) for line in text.split("\n"))
        for text, width in zip(fact, (_LABEL_LINE, _VALUE_LINE), strict=True)
    )
    return 1 + _FURTHER_LINE * (max(label, value) - 1)


def _heading(text: str) -> str:
    return row((Cell(paragraph(text_run(text), "WkSection"), TEXT_WIDTH, span=2, shade=HEADING_SHADE),), height=320)


def _pair(name: str, text: str, *, height: int = 320) -> str:
    return row(
        (
            Cell(paragraph(text_run(name), "WkLabel"), _LABEL, shade=LABEL_SHADE),
            Cell(paragraph(text_run(text), "WkTableCell"), _VALUE),
        ),
        height=height,
        may_split=True,
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
