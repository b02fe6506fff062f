"""Documents in LibreOffice's own format (flat ODF), which LibreOffice then writes as docx."""

from __future__ import annotations

import base64
import zlib

_NAMES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in (
        *(("office", "office"), ("style", "style"), ("text", "text"), ("table", "table"), ("draw", "drawing")),
        *(("fo", "xsl-fo-compatible"), ("svg", "svg-compatible"), ("loext", "loext")),
    )
)
_NAMES += (
    ' xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:math="http://www.w3.org/1998/Math/MathML"'
)
_STYLES = (
    '<style:style style:name="H" style:family="paragraph"/>'
    '<style:style style:name="Break" style:family="paragraph"><style:paragraph-properties fo:break-before="page"/>'
    "</style:style>"
    '<style:style style:name="B" style:family="text"><style:text-properties fo:font-weight="bold"'
    ' style:font-weight-asian="bold" style:text-underline-style="solid"/></style:style>'
    '<style:style style:name="Two" style:family="section"><style:section-properties><style:columns'
    ' fo:column-count="2" fo:column-gap="0.5cm"/></style:section-properties></style:style>'
)
WHO = "<office:change-info><dc:creator>王芳</dc:creator><dc:date>2026-03-02T10:05:00</dc:date></office:change-info>"


def picture(width: int = 2, height: int = 2, shade: int = 120) -> bytes:
    """Return a grey PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes((8, 0, 0, 0, 0))
    rows = b"".join(b"\0" + bytes([shade]) * width for _ in range(height))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def _document(body: str, *, styles: str = "", common: str = "", master: str = "") -> bytes:
    layout = (
        '<style:page-layout style:name="P"><style:page-layout-properties fo:margin-left="2cm"/></style:page-layout>'
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document {_NAMES} office:version="1.3"'
        f' office:mimetype="application/vnd.oasis.opendocument.text"><office:styles>{common}</office:styles>'
        f"<office:automatic-styles>{_STYLES}{layout}{styles}</office:automatic-styles><office:master-styles>"
        f'<style:master-page style:name="Standard" style:page-layout-name="P">{master}</style:master-page>'
        f"</office:master-styles><office:body><office:text>{body}</office:text></office:body></office:document>"
    ).encode()


def _lines(*lines: str) -> str:
    return "".join(f'<text:p text:style-name="H">{line}</text:p>' for line in lines)


def _levels(*formats: tuple[str, str, str, int]) -> str:
    """Return a list style whose levels are (number format, before, after, levels shown)."""
    return (
        '<text:list-style style:name="L">'
        + "".join(
            f'<text:list-level-style-number text:level="{place}" style:num-format="{kind}" style:num-prefix="{before}"'
            f' style:num-suffix="{after}" text:display-levels="{shown}"/>'
            for place, (kind, before, after, shown) in enumerate(formats, start=1)
        )
        + "</text:list-style>"
    )


def _list(*items: str | tuple[str, str]) -> str:
    """Return a list; an item with a second text has that below it, one level deeper."""
    made = []
    for item in items:
        text, below = item if isinstance(item, tuple) else (item, "")
        made.append(f"<text:list-item><text:p>{text}</text:p>{below}</text:list-item>")
    return f'<text:list text:style-name="L">{"".join(made)}</text:list>'


def _cell(text: str, extra: str = "") -> str:
    return f"<table:table-cell {extra}><text:p>{text}</text:p></table:table-cell>"


def _row(*cells: str) -> str:
    return f"<table:table-row>{''.join(cells)}</table:table-row>"


def _frame(content: str, anchor: str = "as-char") -> str:
    return (
        f'<draw:frame draw:name="F" text:anchor-type="{anchor}" svg:width="4cm" svg:height="2cm">{content}</draw:frame>'
    )


_IMAGE = (
    "<draw:image><office:binary-data>" + base64.b64encode(picture()).decode() + "</office:binary-data></draw:image>"
)
_CHANGES = (
    '<text:tracked-changes><text:changed-region text:id="a"><text:insertion>' + WHO + "</text:insertion>"
    '</text:changed-region><text:changed-region text:id="b"><text:deletion>' + WHO + "<text:p>三十</text:p>"
    '</text:deletion></text:changed-region><text:changed-region text:id="c"><text:format-change>' + WHO + ""
    '</text:format-change></text:changed-region><text:changed-region text:id="d"><text:insertion>' + WHO + ""
    "</text:insertion></text:changed-region></text:tracked-changes>"
)


def opendocument_files() -> dict[str, bytes]:
    """Return name → flat ODF text."""
    return {
        "chinese-typed": _document(
            _lines(
                "展厅设备保养制度", "一、目的", "为保持展厅设备完好，制定本制度。", "二、保养",
                "1.每日开馆前擦拭外壳。", "（1）断电；", "（2）挂牌。", "2．每月清洁滤网。",
            )
        ),
        "decimal-list": _document(
            _lines("备件管理程序")
            + _list(
                "目的",
                ("内容", _list(("入库", _list("核对名称", "核对数量")), "出库")),
                "记录",
            ),
            styles=_levels(("1", "", ".", 1), ("1", "", "", 2), ("1", "", "", 3)),
        ),
        "chinese-list": _document(
            _lines("钥匙管理规程") + _list(("总则", _list("专人保管", "当日归还")), "领用", "遗失"),
            styles=_levels(("一, 二, 三, ...", "", "、", 1), ("一, 二, 三, ...", "（", "）", 1)),
        ),
        "article-list": _document(
            _lines("校准规定") + _list("为保证测量可靠，制定本规定。", "证书由质管部保存。", "自发布之日起施行。"),
            styles=_levels(("一, 二, 三, ...", "第", "条", 1)),
        ),
        "tracked": _document(
            _CHANGES
            + _lines(
                "消毒程序",
                '1.作用时间不少于<text:change text:change-id="b"/><text:change-start text:change-id="a"/>六十'
                '<text:change-end text:change-id="a"/>分钟。', '2.<text:change-start text:change-id="c"/>'
                '<text:span text:style-name="B">戴手套</text:span><text:change-end text:change-id="c"/>操作。',
            )
            + '<text:p>3.登记。</text:p><text:p><text:change-start text:change-id="d"/>4.贴上标签。</text:p>'
            '<text:p><text:change-end text:change-id="d"/>5.存档。</text:p>'
        ),
        "comments": _document(
            _lines(
                "回访程序", '1.<office:annotation office:name="n1"><dc:creator>李强</dc:creator>'
                '<dc:date>2026-03-03T08:00:00</dc:date><text:p>范围再写清楚</text:p></office:annotation>每半年回访一次。',
                '2.填写记录<office:annotation-end office:name="n1"/>。', "3.<office:annotation>"
                "<dc:creator>赵六</dc:creator><dc:date>2026-03-03T09:00:00</dc:date><text:p>好</text:p>"
                "</office:annotation>存档。",
            )
        ),
        "merged-table": _document(
            _lines("验收程序", "1.按下表验收:")
            + '<table:table table:name="T"><table:table-column table:number-columns-repeated="3"/>'
            + "<table:table-header-rows>"
            + _row(_cell("项目"), _cell("要求", 'table:number-columns-spanned="2"'), "<table:covered-table-cell/>")
            + "</table:table-header-rows>"
            + _row(_cell("外观", 'table:number-rows-spanned="2"'), _cell("无划痕"), _cell("目视"))
            + _row("<table:covered-table-cell/>", _cell("无裂纹"), _cell("目视"))
            + "</table:table>"
            + _lines("2.填写记录。")
        ),
        "nested-table": _document(
            _lines("包装程序", "1.按下表包装:")
            + '<table:table table:name="T"><table:table-column table:number-columns-repeated="2"/>'
            + _row(
                _cell("外箱"),
                '<table:table-cell><text:p>内含:</text:p><table:table table:name="U"><table:table-column'
                ' table:number-columns-repeated="2"/>' + _row(_cell("主机"), _cell("一台")) + "</table:table>"
                "<text:p>封口</text:p></table:table-cell>",
            )
            + "</table:table>"
            + _lines("2.贴标签。")
        ),
        "header-rows": _document(
            _lines("保存期限", "1.期限如下:")
            + '<table:table table:name="T"><table:table-column table:number-columns-repeated="2"/>'
            + "<table:table-header-rows>" + _row(_cell("记录"), _cell("年限")) + "</table:table-header-rows>"
            + _row(
                _cell("回访|投诉"),
                "<table:table-cell><text:p>五年</text:p><text:p>起算：填写日</text:p></table:table-cell>",
            )
            + _row(_cell(""), _cell("---"))
            + "</table:table>"
        ),
        "pictures": _document(
            _lines("流程", "1.见图" + _frame(_IMAGE) + "所示。")
            + "<text:p>" + _frame(_IMAGE, "paragraph") + "2.锚在段落上的图。</text:p>"
            + "<text:p>" + _frame(_IMAGE, "char") + "</text:p>" + _lines("3.结束。")
        ),
        "text-box": _document(
            _lines("流程框", "1.审批流程如下:")
            + "<text:p>"
            + _frame("<draw:text-box><text:p>申请</text:p><text:p>1.批准</text:p></draw:text-box>", "paragraph")
            + "框旁的话。</text:p>" + _lines("2.结束。")
        ),
        "notes": _document(
            _lines(
                "注释程序", '1.每年校准<text:note text:note-class="footnote"><text:note-citation>1</text:note-citation>'
                '<text:note-body><text:p>依据计量法</text:p></text:note-body></text:note>一次。',
                '2.保存<text:note text:note-class="endnote"><text:note-citation>i</text:note-citation><text:note-body>'
                '<text:p>不少于五年</text:p></text:note-body></text:note>证书。',
            )
        ),
        "furniture": _document(
            _lines("页眉页脚", "1.页眉不是正文。") + '<text:p text:style-name="Break">2.新的一页。</text:p>',
            master="<style:header><text:p>某某公司 <text:title/></text:p></style:header><style:footer><text:p>第"
            "<text:page-number/>页 共<text:page-count/>页</text:p></style:footer>",
        ),
        "fields": _document(
            '<text:table-of-content text:name="C"><text:table-of-content-source text:outline-level="2"/>'
            "<text:index-body><text:index-title><text:p>目录</text:p></text:index-title><text:p>1.目的<text:tab/>1"
            "</text:p><text:p>2.引用<text:tab/>1</text:p></text:index-body></text:table-of-content>"
            '<text:h text:outline-level="1"><text:bookmark-start text:name="mark"/>1.目的'
            '<text:bookmark-end text:name="mark"/></text:h><text:h text:outline-level="1">2.引用</text:h>'
            '<text:p>见<text:bookmark-ref text:reference-format="text" text:ref-name="mark">1.目的</text:bookmark-ref>,'
            '第<text:page-number/>页,<text:a xlink:href="https://www.nmpa.gov.cn/">药监局</text:a>网站。</text:p>'
        ),
        "bookmarks": _document(
            '<text:p><text:bookmark-start text:name="one"/>1.跨段的书签</text:p><text:p>'
            '<text:bookmark-start text:name="two"/>2.从这里<text:bookmark-end text:name="one"/>到</text:p>'
            '<text:p>3.那里<text:bookmark-end text:name="two"/>。</text:p>'
        ),
        "columns": _document(
            _lines("分栏", "1.通栏。") + '<text:section text:style-name="Two" text:name="S">'
            + _lines("2.左栏。", "3.右栏。") + "</text:section>" + _lines("4.通栏。")
        ),
        "formula": _document(
            _lines("换算", "1.按下式:")
            + "<text:p>"
            + _frame("<draw:object><math:math><math:mrow><math:mi>y</math:mi><math:mo>=</math:mo><math:mn>2</math:mn>"
                     "<math:mi>x</math:mi></math:mrow></math:math></draw:object>")
            + "</text:p>" + _lines("2.记录结果。")
        ),
        "blanks": _document(
            '<text:p/><text:p/><text:p>1.前有空段，含<text:s text:c="3"/>空格<text:tab/>制表<text:line-break/>换行。'
            "</text:p><text:p/><text:p>\u3000\u30002.全角缩进。</text:p><text:p>\u3000</text:p><text:p>3.软\u00ad连\u200b字"
            "\u200f右\u00a0空。</text:p><text:p/>"
        ),
    }  # fmt: skip
