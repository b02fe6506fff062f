# ruff: noqa: E501 - one line of markup a passage reads better than five
"""Documents with the OOXML that Word and WPS write and LibreOffice does not: each is read as it is, and saved anew."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import docx as python_docx
from docx.shared import Cm

from tests.docx_files import CONTENT_TYPES, RELATIONSHIPS, zipped
from tests.foreign_documents.opendocument import picture

if TYPE_CHECKING:
    from collections.abc import Mapping

_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml."
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006"
_NAMES = {
    "w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "r": _OFFICE,
    "wp": f"{_DRAWING}/wordprocessingDrawing",
    "a": f"{_DRAWING}/main",
    "pic": f"{_DRAWING}/picture",
    "m": "http://schemas.openxmlformats.org/officeDocument/2006/math",
    "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
    "v": "urn:schemas-microsoft-com:vml",
    "o": "urn:schemas-microsoft-com:office:office",
    "w10": "urn:schemas-microsoft-com:office:word",
    "w14": "http://schemas.microsoft.com/office/word/2010/wordml",
    "wps": "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
    "wpsCustomData": "http://www.wps.cn/officeDocument/2013/wpsCustomData",
}
_HEAD = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in _NAMES.items())
_WHO = 'w:id="7" w:author="王芳" w:date="2026-03-02T10:05:00Z"'
_SECTION = (
    '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1440" w:right="1800" w:bottom="1440" w:left="1800"'
    ' w:header="851" w:footer="992" w:gutter="0"/><w:cols w:space="425"/><w:docGrid w:type="lines"'
    ' w:linePitch="312"/></w:sectPr>'
)


def _docx(body: str, parts: Mapping[str, tuple[str, str, str | bytes]] | None = None) -> bytes:
    """Return a docx; `parts` gives name → (content type, relation, content) of further parts of the document."""
    types, relations = CONTENT_TYPES, []
    files: dict[str, str | bytes] = {}
    for place, (name, (kind, relation, content)) in enumerate((parts or {}).items()):
        override = f'<Override PartName="/word/{name}" ContentType="{kind}"/></Types>'
        types = types.replace("</Types>", override)
        target = f'Target="{name}" Type="{_OFFICE}/{relation}"'
        relations.append(f'<Relationship Id="x{place}" {target}/>')
        files[f"word/{name}"] = content
    listed = "".join(relations) + (
        f'<Relationship Id="x9" Type="{_OFFICE}/hyperlink" Target="https://example.org/" TargetMode="External"/>'
    )
    namespace = "http://schemas.openxmlformats.org/package/2006/relationships"
    return zipped(
        {
            "[Content_Types].xml": types,
            "_rels/.rels": RELATIONSHIPS,
            "word/document.xml": f'<w:document {_HEAD} mc:Ignorable="w14 wpsCustomData"><w:body>{body}{_SECTION}'
            "</w:body></w:document>",
            "word/_rels/document.xml.rels": f'<Relationships xmlns="{namespace}">{listed}</Relationships>',
            **files,
        }
    )


def _run(text: str, properties: str = "") -> str:
    head = f"<w:rPr>{properties}</w:rPr>" if properties else ""
    return f'<w:r>{head}<w:t xml:space="preserve">{text}</w:t></w:r>'


def _line(*content: str, properties: str = "") -> str:
    head = f"<w:pPr>{properties}</w:pPr>" if properties else ""
    return f"<w:p>{head}{''.join(item if item.startswith('<') else _run(item) for item in content)}</w:p>"


def _cell(*blocks: str, properties: str = "") -> str:
    lines = "".join(item if item.startswith("<") else _line(item) for item in blocks)
    return f'<w:tc><w:tcPr><w:tcW w:w="2800" w:type="dxa"/>{properties}</w:tcPr>{lines}</w:tc>'


def _row(*cells: str, properties: str = "") -> str:
    head = f"<w:trPr>{properties}</w:trPr>" if properties else ""
    return f"<w:tr>{head}{''.join(cells)}</w:tr>"


def _table(*rows: str, columns: int = 2, properties: str = "") -> str:
    grid = '<w:gridCol w:w="2800"/>' * columns
    return f"<w:tbl><w:tblPr>{properties}</w:tblPr><w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl>"


def _numbering(*levels: tuple[str, str]) -> dict[str, tuple[str, str, str | bytes]]:
    inner = "".join(
        f'<w:lvl w:ilvl="{place}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/><w:lvlText w:val="{text}"/></w:lvl>'
        for place, (kind, text) in enumerate(levels)
    )
    content = (
        f'<w:numbering {_HEAD}><w:abstractNum w:abstractNumId="0"><w:multiLevelType w:val="multilevel"/>{inner}'
        '</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>'
    )
    return {"numbering.xml": (_WORD + "numbering+xml", "numbering", content)}


def _listed(text: str, level: int = 0, more: str = "") -> str:
    number = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="1"/></w:numPr>'
    return _line(text, properties=number + more)


def _field(code: str, shown: str) -> str:
    return (
        f'<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText xml:space="preserve"> {code} </w:instrText>'
        f'</w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>{_run(shown)}<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )


_PICTURE = (
    '<a:graphic><a:graphicData uri="' + _NAMES["pic"] + '"><pic:pic><pic:nvPicPr><pic:cNvPr id="1" name="图"/>'
    '<pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip r:embed="x0"/><a:stretch><a:fillRect/></a:stretch>'
    '</pic:blipFill><pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="720000" cy="720000"/></a:xfrm><a:prstGeom'
    ' prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic>'
)
_SIZE = '<wp:extent cx="720000" cy="720000"/>'
_NAME = '<wp:docPr id="1" name="图 1" descr="流程图"/>'
_ANCHOR = (
    '<wp:anchor distT="0" distB="0" distL="0" distR="0" simplePos="0" relativeHeight="2" behindDoc="0" locked="0"'
    ' layoutInCell="1" allowOverlap="1"><wp:simplePos x="0" y="0"/><wp:positionH relativeFrom="column"><wp:posOffset>0'
    '</wp:posOffset></wp:positionH><wp:positionV relativeFrom="paragraph"><wp:posOffset>0</wp:posOffset></wp:positionV>'
    f'{_SIZE}<wp:effectExtent l="0" t="0" r="0" b="0"/><wp:wrapSquare wrapText="bothSides"/>{_NAME}'
)
_IMAGE_PART: dict[str, tuple[str, str, str | bytes]] = {"media/image1.png": ("image/png", "image", picture())}
_MOVED = "2.范围:全部设备。"


def word_files() -> dict[str, bytes]:
    """Return name → docx with what Word and WPS write."""
    mark = f"<w:rPr><w:ins {_WHO}/></w:rPr>"
    gone = f"<w:rPr><w:del {_WHO}/></w:rPr>"
    box = "<w:txbxContent>" + _line("申请") + _line("批准") + "</w:txbxContent>"
    styles = (
        f'<w:styles {_HEAD}><w:style w:type="paragraph" w:default="1" w:styleId="a"><w:name w:val="Normal"/></w:style>'
        '<w:style w:type="paragraph" w:styleId="Tiao"><w:name w:val="条"/><w:basedOn w:val="a"/><w:pPr><w:numPr>'
        '<w:numId w:val="1"/></w:numPr></w:pPr></w:style></w:styles>'
    )
    notes = f'<w:footnotes {_HEAD}><w:footnote w:id="2"><w:p>{_run("依据计量法")}</w:p></w:footnote></w:footnotes>'
    comments = (
        f'<w:comments {_HEAD}><w:comment w:id="0" w:author="李强" w:date="2026-03-02T10:05:00Z"><w:p>{_run("写清楚")}'
        "</w:p></w:comment></w:comments>"
    )
    return {
        "moved": _docx(
            _line("走访程序")
            + f'<w:p><w:pPr><w:rPr><w:moveTo {_WHO}/></w:rPr></w:pPr><w:moveToRangeStart {_WHO} w:name="move1"/>'
            f'<w:moveTo {_WHO}>{_run(_MOVED)}</w:moveTo></w:p><w:moveToRangeEnd w:id="7"/>'
            + _line("1.目的:了解使用情况。")
            + f'<w:p><w:pPr><w:rPr><w:moveFrom {_WHO}/></w:rPr></w:pPr><w:moveFromRangeStart {_WHO} w:name="move1"/>'
            f'<w:moveFrom {_WHO}>{_run(_MOVED)}</w:moveFrom></w:p><w:moveFromRangeEnd w:id="7"/>' + _line("3.记录。")
        ),
        "revised": _docx(
            _line("消毒程序")
            + _line("1.作用", f"<w:del {_WHO}><w:r><w:delText>三十</w:delText></w:r></w:del>",
                    f"<w:ins {_WHO}>{_run('六十')}</w:ins>", "分钟。")
            + _line(f"<w:ins {_WHO}>{_run('2.新的一条。')}</w:ins>", properties=mark)
            + _line(f"<w:del {_WHO}><w:r><w:delText>旧的一条。</w:delText></w:r></w:del>", properties=gone)
            + _line(_run("3.格式", f"<w:b/><w:rPrChange {_WHO}><w:rPr/></w:rPrChange>"), "改过。",
                    properties=f'<w:jc w:val="center"/><w:pPrChange {_WHO}><w:pPr/></w:pPrChange>')
            + _table(
                _row(_cell("甲"), _cell("乙")),
                _row(_cell(f"<w:p><w:ins {_WHO}>{_run('丙')}</w:ins></w:p>"), _cell("丁"), properties=f"<w:ins {_WHO}/>"),
                _row(_cell("戊"), _cell("己"), properties=f"<w:del {_WHO}/>"),
            )
            + _line("4.完。")
        ),
        "content-controls": _docx(
            f'<w:sdt><w:sdtPr><w:alias w:val="标题"/></w:sdtPr><w:sdtContent>{_line("控件程序")}</w:sdtContent></w:sdt>'
            + _line("1.由", f"<w:sdt><w:sdtPr/><w:sdtContent>{_run('质管部')}</w:sdtContent></w:sdt>", "负责。")
            + _table(
                f"<w:sdt><w:sdtPr/><w:sdtContent>{_row(_cell('整行'), _cell('控件'))}</w:sdtContent></w:sdt>",
                _row(_cell("单格"), f"<w:sdt><w:sdtPr/><w:sdtContent>{_cell('控件')}</w:sdtContent></w:sdt>"),
                _row(_cell("格内"), _cell(f"<w:sdt><w:sdtPr/><w:sdtContent>{_line('段落')}</w:sdtContent></w:sdt>")),
            )
            + f'<w:customXml w:uri="u" w:element="e">{_line("2.自定义标记里的段落。")}</w:customXml>'
            + _line('<w:smartTag w:uri="u" w:element="date">' + _run("3.2026年") + "</w:smartTag>", "起施行。")
        ),
        "wps": _docx(
            '<w:p w14:paraId="5A0E5D5F"><w:pPr><w:snapToGrid w:val="0"/><w:rPr><w:rFonts w:hint="eastAsia"/>'
            '<w:lang w:eastAsia="zh-CN"/></w:rPr></w:pPr>'
            + _run("一、目的", '<w:rFonts w:hint="eastAsia" w:ascii="宋体" w:eastAsia="宋体"/><w:woUserID w:val="1"/>')
            + '<w:bookmarkStart w:id="0" w:name="_GoBack"/><w:bookmarkEnd w:id="0"/></w:p>'
            + _line("1、", _run("加粗", '<w:b/><w:bCs/><w:u w:val="single"/>'), "，", _run("下划线", '<w:u w:val="wave"/>'))
            + "<w:p><w:pPr><w:widowControl/><wpsCustomData:x/></w:pPr><w:r><w:t>2、</w:t></w:r><w:r><w:lastRenderedPageBreak/>"
            "<w:t>续页</w:t></w:r></w:p>"
        ),
        "contents": _docx(
            '<w:sdt><w:sdtPr><w:docPartObj><w:docPartGallery w:val="Table of Contents"/></w:docPartObj></w:sdtPr>'
            "<w:sdtContent>" + _line("目  录")
            + '<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> TOC \\o "1-2" \\h </w:instrText></w:r>'
            '<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:hyperlink w:anchor="_Toc1">' + _run("1.目的")
            + "<w:r><w:tab/></w:r>" + _field("PAGEREF _Toc1 \\h", "1") + "</w:hyperlink></w:p>"
            + '<w:p><w:hyperlink w:anchor="_Toc2">' + _run("2.范围") + "<w:r><w:tab/></w:r>"
            + _field("PAGEREF _Toc2 \\h", "1") + '</w:hyperlink><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
            + "</w:sdtContent></w:sdt>"
            + '<w:p><w:bookmarkStart w:id="1" w:name="_Toc1"/>' + _run("1.目的") + '<w:bookmarkEnd w:id="1"/></w:p>'
            + _line("2.范围", _field("REF _Toc1 \\h", "1.目的"), "所述。")
            + _line("3.打印于", _field("DATE", "2026年3月2日"), '<w:fldSimple w:instr=" NUMPAGES "><w:r><w:t>9</w:t></w:r></w:fldSimple>', "页")
        ),
        "picture-anchored": _docx(
            _line("1.见图。")
            + _line(f"<w:r><w:drawing>{_ANCHOR}{_PICTURE}</wp:anchor></w:drawing></w:r>", "图旁文字。")
            + _line("2.完。"), _IMAGE_PART,
        ),
        "picture-in-table": _docx(
            _line("1.见表。")
            + _table(_row(_cell("图"), _cell(_line(f"<w:r><w:drawing><wp:inline>{_SIZE}{_NAME}{_PICTURE}</wp:inline></w:drawing></w:r>"))))
            + _line("2.完。"), _IMAGE_PART,
        ),
        "text-box-vml": _docx(
            _line("1.流程:")
            + '<w:p><w:r><w:pict><v:shape id="s1" style="width:120pt;height:60pt"><v:textbox>' + box
            + "</v:textbox><w10:wrap/></v:shape></w:pict></w:r></w:p>" + _line("2.完。")
        ),
        "text-box-choice": _docx(
            _line("1.流程:")
            + f'<w:p><w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing>{_ANCHOR}<a:graphic><a:graphicData'
            ' uri="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"><wps:wsp><wps:cNvSpPr txBox="1"/>'
            '<wps:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="720000" cy="720000"/></a:xfrm><a:prstGeom prst="rect">'
            f"<a:avLst/></a:prstGeom></wps:spPr><wps:txbx>{box}</wps:txbx><wps:bodyPr/></wps:wsp></a:graphicData>"
            "</a:graphic></wp:anchor></w:drawing></mc:Choice><mc:Fallback><w:pict><v:shape"
            f' style="width:120pt;height:60pt"><v:textbox>{box}</v:textbox></v:shape></w:pict></mc:Fallback>'
            "</mc:AlternateContent></w:r>" + _run("框旁。") + "</w:p>" + _line("2.完。")
        ),
        "formula": _docx(
            _line("1.按下式:") + "<w:p><m:oMathPara><m:oMath><m:r><m:t>y=2x</m:t></m:r></m:oMath></m:oMathPara></w:p>"
            + _line("2.其中", "<m:oMath><m:r><m:t>x</m:t></m:r></m:oMath>", "为读数。")
        ),
        "notes": _docx(
            _line("1.每年校准", '<w:r><w:footnoteReference w:id="2"/></w:r>', "一次。") + _line("2.完。"),
            {"footnotes.xml": (_WORD + "footnotes+xml", "footnotes", notes)},
        ),
        "comments": _docx(
            _line("1.每年", '<w:commentRangeStart w:id="0"/>', "校准。")
            + _line("2.记录", '<w:commentRangeEnd w:id="0"/>', '<w:r><w:commentReference w:id="0"/></w:r>', "存档。"),
            {"comments.xml": (_WORD + "comments+xml", "comments", comments)},
        ),
        "articles": _docx(
            _line("钥匙规程") + "".join(_line(text, properties='<w:pStyle w:val="Tiao"/>') for text in ("保管。", "领用。", "遗失。")),
            {"styles.xml": (_WORD + "styles+xml", "styles", styles)} | _numbering(("chineseCountingThousand", "第%1条")),
        ),
        "multilevel": _docx(
            _listed("总则") + _listed("目的", 1) + _listed("范围", 1) + _listed("细目", 2) + _line("接着的话。")
            + _listed("职责") + _listed("部门", 1),
            _numbering(("chineseCounting", "%1、"), ("decimal", "%2."), ("decimal", "（%3）")),
        ),
        "bullets": _docx(
            _line("1.携带:") + _listed("工具") + _listed("备件") + _line("2.登记。"), _numbering(("bullet", "\uf06c"))
        ),
        "signs": _docx(
            _line("1.合格", '<w:r><w:sym w:font="Wingdings" w:char="F0FE"/></w:r>', "不合格",
                  '<w:r><w:sym w:font="Wingdings" w:char="F0A8"/></w:r>', "。")
            + _line("2.型号A", "<w:r><w:noBreakHyphen/></w:r>", "7，软", "<w:r><w:softHyphen/></w:r>", "连字，\u200f右向\u200e，"
                    "\u3000全角\u00a0空格\u2003。")
            + _line("3.右起", '<w:r><w:ptab w:relativeTo="margin" w:alignment="right" w:leader="none"/></w:r>', "末尾",
                    properties='<w:bidi/><w:tabs><w:tab w:val="left" w:pos="420"/></w:tabs>')
            + _line("4.旳扺⼀，≥25℃±2，", _run("隐藏", "<w:vanish/>"), _run("2", '<w:vertAlign w:val="superscript"/>'), "。")
            + _line("<w:r><w:ruby><w:rubyPr/><w:rt>" + _run("xiāo") + "</w:rt><w:rubyBase>" + _run("5.消")
                    + "</w:rubyBase></w:ruby></w:r>", "毒。")
        ),
        "bookmarks": _docx(
            '<w:bookmarkStart w:id="1" w:name="all"/>' + _line("1.一", '<w:bookmarkStart w:id="2" w:name="two"/>', "段。")
            + _line("2.二", '<w:bookmarkEnd w:id="2"/>', "段。") + _line() + _line() + '<w:bookmarkEnd w:id="1"/>'
            + _line("3.三段。")
        ),
        "sections": _docx(
            _line("1.第一节。")
            + '<w:p><w:pPr><w:sectPr><w:pgSz w:w="16838" w:h="11906" w:orient="landscape"/></w:sectPr></w:pPr></w:p>'
            + _line("2.", '<w:r><w:br w:type="page"/></w:r>', "换页后。") + _line("3.", '<w:r><w:br w:type="column"/></w:r>', "换栏。")
        ),
        "nested": _docx(
            _line("1.见表。")
            + _table(_row(_cell("外"), _cell("前", _table(_row(_cell("内甲"), _cell("内乙"))), "后")),
                     _row(_cell("合并", properties='<w:gridSpan w:val="2"/>')),
                     _row(_cell("跨", properties='<w:vMerge w:val="restart"/>'), _cell("一")),
                     _row(_cell("", properties="<w:vMerge/>"), _cell("二")))
            + _line("2.完。")
        ),
        "table-with-links": _docx(
            _line("1.见表。")
            + _table(
                _row(_cell(_listed("条目甲"), _listed("条目乙")), _cell(
                    _line('<w:hyperlink r:id="x9">' + _run("网页") + "</w:hyperlink>",
                          '<w:commentRangeStart w:id="0"/>', "话", '<w:commentRangeEnd w:id="0"/>',
                          '<w:r><w:commentReference w:id="0"/></w:r>', '<w:r><w:footnoteReference w:id="2"/></w:r>'))),
                _row(_cell(_line(_run("废", "<w:strike/>"), _run("粗", "<w:b/>")), properties='<w:gridSpan w:val="2"/>')),
            )
            + _listed("表后接着编号"),
            {"comments.xml": (_WORD + "comments+xml", "comments", comments),
             "footnotes.xml": (_WORD + "footnotes+xml", "footnotes", notes)} | _numbering(("decimal", "%1)")),
        ),
        "form-fields": _docx(
            _line("1.选择：", '<w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:checkBox><w:default w:val="0"/><w:checked/>'
                  '</w:checkBox></w:ffData></w:fldChar></w:r><w:r><w:instrText> FORMCHECKBOX </w:instrText></w:r>'
                  '<w:r><w:fldChar w:fldCharType="end"/></w:r>', "合格")
            + _line("2.填写：", _field("FORMTEXT", "未填"), "。")
        ),
        "floating-table": _docx(
            _line("1.见表。")
            + _table(_row(_cell("甲"), _cell("乙", "两段")), _row(_cell(""), _cell("\u3000空\u3000")),
                     properties='<w:tblpPr w:leftFromText="180" w:vertAnchor="text" w:tblpX="1" w:tblpY="1"/>')
            + _table(_row(_cell("紧接着的表"), _cell("乙"), properties="<w:tblHeader/>"), _row(_cell("a|b"), _cell("\\n")))
            + _line("2.完。")
        ),
    }  # fmt: skip


def python_docx_files() -> dict[str, bytes]:
    """Return name → docx made with python-docx."""
    made: dict[str, bytes] = {}
    document = python_docx.Document()
    document.add_heading("备件管理程序", 0)
    for text, style in (("目的", "List Number"), ("入库", "List Number"), ("核对", "List Number 2"),
                        ("工具", "List Bullet"), ("正文。", None), ("标题", "Heading 1")):  # fmt: skip
        document.add_paragraph(text, style)
    document.add_page_break()  # type: ignore[no-untyped-call]
    document.add_paragraph("2.打印后盖章。").add_run("重要").bold = True
    made["python-styles"] = _saved(document)
    document = python_docx.Document()
    document.add_paragraph("1.见表:")
    table = document.add_table(3, 3, "Table Grid")
    for place, cell in enumerate(item for row in table.rows for item in row.cells):
        cell.text = f"格{place}"
    document.add_paragraph("2.见合并的表:")
    other = document.add_table(2, 2)
    other.cell(0, 0).merge(other.cell(0, 1)).text = "合并"
    other.cell(1, 0).text = "左"
    other.cell(1, 1).add_table(1, 1).cell(0, 0).text = "内表"
    document.add_paragraph("3.完。")
    made["python-tables"] = _saved(document)
    document = python_docx.Document()
    document.sections[0].header.paragraphs[0].text = "页眉"
    document.sections[0].footer.paragraphs[0].text = "页脚"
    document.add_paragraph("1.图前").add_run().add_picture(BytesIO(picture()), Cm(2))
    document.add_section()
    run = document.add_paragraph("2.有批注的").add_run("文字。")
    document.add_comment(run, text="改一改", author="赵六")
    made["python-picture"] = _saved(document)
    return made


def _saved(document: object) -> bytes:
    stream = BytesIO()
    document.save(stream)  # type: ignore[attr-defined]
    return stream.getvalue()
