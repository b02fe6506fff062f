"""公司版式. Makes the house files `templates/house/*.docx`: paper, margins, fonts, styles, header and footer.

A house file is a Word file that a company may restyle (logo, fonts, header text); everything drawn later starts from
it and keeps what it finds. The styles that the layouts draw with are `STYLES`; `ensure_styles` puts back any that a
company has deleted.
"""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from controller.adapters.word_markup import (
    NAMESPACES,
    W_NAMESPACE,
    Cell,
    field_runs,
    mm,
    paragraph,
    row,
    table,
    text_run,
)
from controller.file_formats.docx_package import write_docx

SONG = '<w:rFonts w:ascii="Times New Roman" w:hAnsi="Times New Roman" w:eastAsia="宋体" w:cs="Times New Roman"/>'
HEI = '<w:rFonts w:ascii="Arial" w:hAnsi="Arial" w:eastAsia="黑体" w:cs="Arial"/>'

PAGE_WIDTH, PAGE_HEIGHT = 11906, 16838
"""A4, twips."""
MARGIN_SIDE = mm(20)
_TOP, _BOTTOM, _HEADER, _FOOTER = mm(27), mm(20), mm(11), mm(10)


@dataclass(frozen=True)
class ParagraphStyle:
    """段落样式. One named style as Word shows it in its list."""

    id: str
    name: str
    font: str
    half_points: int
    line: int
    """Least line pitch in twips; “at least”, so that neither large characters nor restyled fonts are cut off."""
    align: str = "left"
    bold: bool = False
    before: int = 0
    after: int = 0
    indent: int = 0
    first_line: int = 0
    keep_next: bool = False

    @property
    def markup(self) -> str:
        """The style as WordprocessingML."""
        bold = "<w:b/><w:bCs/>" if self.bold else ""
        keep = "<w:keepNext/>" if self.keep_next else ""
        indented = self.indent or self.first_line
        indent = f'<w:ind w:left="{self.indent}" w:firstLine="{self.first_line}"/>' if indented else ""
        return (
            f'<w:style w:type="paragraph" w:customStyle="1" w:styleId="{self.id}"><w:name w:val="{self.name}"/>'
            f'<w:basedOn w:val="Normal"/><w:qFormat/><w:pPr>{keep}'
            f'<w:spacing w:before="{self.before}" w:after="{self.after}" w:line="{self.line}" w:lineRule="atLeast"/>'
            f'{indent}<w:jc w:val="{self.align}"/></w:pPr><w:rPr>{self.font}{bold}'
            f'<w:sz w:val="{self.half_points}"/><w:szCs w:val="{self.half_points}"/></w:rPr></w:style>'
        )


STYLES: tuple[ParagraphStyle, ...] = (
    ParagraphStyle("WkTitle", "文控标题", HEI, 36, 520, "center", bold=True, before=60, after=80),
    ParagraphStyle("WkCompany", "文控公司名称", HEI, 30, 460, "center", before=60, after=160),
    ParagraphStyle("WkSubtitle", "文控副标题", SONG, 24, 360, "center", after=60),
    ParagraphStyle("WkNumberLine", "文控编号行", SONG, 20, 340),
    ParagraphStyle("WkSection", "文控分组", HEI, 22, 300, bold=True, keep_next=True),
    ParagraphStyle("WkLabel", "文控栏目", SONG, 20, 250, "center", before=30),
    ParagraphStyle("WkValue", "文控填写", SONG, 21, 300, before=40),
    ParagraphStyle("WkTableHead", "文控表头", SONG, 19, 260, "center", bold=True),
    ParagraphStyle("WkTableCell", "文控表格内容", SONG, 19, 260),
    ParagraphStyle("WkTableCentre", "文控表格居中", SONG, 19, 260, "center"),
    ParagraphStyle("WkBox", "文控评分框", SONG, 28, 320, "center"),
    ParagraphStyle("WkSmall", "文控小字", SONG, 18, 270, before=40),
    ParagraphStyle("WkGap", "文控间隔", SONG, 8, 120),
    ParagraphStyle("WkHeader", "文控页眉", SONG, 18, 250),
    ParagraphStyle("WkFooter", "文控页脚", SONG, 18, 250),
    ParagraphStyle("WkHeading", "文控条款标题", SONG, 24, 420, bold=True, before=60, after=60, keep_next=True),
    ParagraphStyle("WkClause1", "文控条款一级", SONG, 24, 420, "both", before=30, after=30),
    ParagraphStyle("WkClause2", "文控条款二级", SONG, 24, 420, "both", before=30, after=30, first_line=480),
    ParagraphStyle("WkClause3", "文控条款三级", SONG, 24, 420, "both", before=30, after=30, indent=480, first_line=480),
    ParagraphStyle("WkClause4", "文控条款四级", SONG, 24, 420, "both", before=30, after=30, indent=960, first_line=480),
)
"""What the layouts draw with; sizes in half-points, pitches in twips."""

HOUSE_FILES = ("form", "procedure", "register")
"""Names below `templates/house/`: for forms, for procedures, for registers (landscape)."""

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml."
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/"


def house_file(kind: str) -> bytes:
    """Return the house file `kind` (one of `HOUSE_FILES`) as docx bytes, the same on every machine."""
    width = PAGE_HEIGHT if kind == "register" else PAGE_WIDTH
    text_width = width - 2 * MARGIN_SIDE
    body = {
        "form": "表单版式：表单的正文由“qms form scaffold”生成；请在本文件中修改字体、页眉、页脚和公司标志。",
        "procedure": "程序文件版式：正文由程序文件生成；请在本文件中修改字体、页眉、页脚和公司标志。",
        "register": "台账版式：台账由记录生成；请在本文件中修改字体、页眉、页脚和公司标志。",
    }[kind]
    parts = {
        "[Content_Types].xml": _content_types(),
        "_rels/.rels": _relations(
            ("officeDocument", _RELATION + "officeDocument", "word/document.xml"),
            ("core", _PACKAGE + "relationships/metadata/core-properties", "docProps/core.xml"),
        ),
        "docProps/core.xml": _core_properties(kind),
        "word/document.xml": _document(paragraph(text_run(body), "WkSmall"), kind),
        "word/_rels/document.xml.rels": _relations(
            *((name, _RELATION + kind_of, f"{name}.xml") for name, kind_of in _PARTS.items())
        ),
        "word/styles.xml": _styles(),
        "word/settings.xml": _settings(),
        "word/header1.xml": _XML + f"<w:hdr {NAMESPACES}>{_header(kind, text_width)}</w:hdr>",
        "word/footer1.xml": _XML + f"<w:ftr {NAMESPACES}>{_footer(kind)}</w:ftr>",
    }
    return write_docx({name: text.encode() for name, text in parts.items()})


_PARTS = {"styles": "styles", "settings": "settings", "header1": "header", "footer1": "footer"}


def ensure_styles(styles: bytes) -> bytes:
    """Return `word/styles.xml` with every missing style of `STYLES` added; styles that are there stay as they are."""
    root = etree.fromstring(styles)
    present = {style.get(f"{{{W_NAMESPACE}}}styleId") for style in root.iter(f"{{{W_NAMESPACE}}}style")}
    missing = [style.markup for style in STYLES if style.id not in present]
    if not missing:
        return styles
    for markup in missing:
        wrapped = etree.fromstring(f"<w:styles {NAMESPACES}>{markup}</w:styles>")
        root.append(wrapped[0])
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def _content_types() -> str:
    overrides = {
        "word/document.xml": _WORD + "document.main+xml",
        "word/styles.xml": _WORD + "styles+xml",
        "word/settings.xml": _WORD + "settings+xml",
        "word/header1.xml": _WORD + "header+xml",
        "word/footer1.xml": _WORD + "footer+xml",
        "docProps/core.xml": "application/vnd.openxmlformats-package.core-properties+xml",
    }
    rows = "".join(f'<Override PartName="/{name}" ContentType="{kind}"/>' for name, kind in overrides.items())
    return (
        _XML + f'<Types xmlns="{_PACKAGE}content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{rows}</Types>'
    )


def _relations(*rows: tuple[str, str, str]) -> str:
    lines = "".join(
        f'<Relationship Id="rId{number}" Type="{kind}" Target="{target}"/>'
        for number, (_, kind, target) in enumerate(rows, 1)
    )
    return _XML + f'<Relationships xmlns="{_PACKAGE}relationships">{lines}</Relationships>'


def _core_properties(kind: str) -> str:
    title = {"form": "{{ form.number }} {{ form.title }}", "procedure": "程序文件", "register": "台账"}[kind]
    return (
        _XML + f'<cp:coreProperties xmlns:cp="{_PACKAGE}metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<dc:title>{title}</dc:title><dc:creator></dc:creator><dc:language>zh-CN</dc:language></cp:coreProperties>"
    )


def _styles() -> str:
    defaults = (
        f'<w:docDefaults><w:rPrDefault><w:rPr>{SONG}<w:sz w:val="21"/><w:szCs w:val="21"/>'
        '<w:lang w:val="en-US" w:eastAsia="zh-CN" w:bidi="ar-SA"/></w:rPr></w:rPrDefault>'
        '<w:pPrDefault><w:pPr><w:spacing w:before="0" w:after="0"/></w:pPr></w:pPrDefault></w:docDefaults>'
    )
    normal = (
        '<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/><w:qFormat/></w:style>'
        '<w:style w:type="table" w:default="1" w:styleId="TableNormal"><w:name w:val="Normal Table"/><w:tblPr>'
        '<w:tblInd w:w="0" w:type="dxa"/><w:tblCellMar><w:top w:w="0" w:type="dxa"/><w:left w:w="108" w:type="dxa"/>'
        '<w:bottom w:w="0" w:type="dxa"/><w:right w:w="108" w:type="dxa"/></w:tblCellMar></w:tblPr></w:style>'
    )
    return _XML + f"<w:styles {NAMESPACES}>{defaults}{normal}{''.join(style.markup for style in STYLES)}</w:styles>"


def _settings() -> str:
    return (
        _XML + f'<w:settings {NAMESPACES}><w:defaultTabStop w:val="420"/>'
        '<w:characterSpacingControl w:val="compressPunctuation"/><w:compat>'
        '<w:compatSetting w:name="compatibilityMode" w:uri="http://schemas.microsoft.com/office/word" w:val="15"/>'
        '</w:compat><w:themeFontLang w:val="en-US" w:eastAsia="zh-CN"/></w:settings>'
    )


def _document(body: str, kind: str) -> str:
    return (
        _XML + f"<w:document {NAMESPACES}><w:body>{body}"
        '<w:sectPr><w:headerReference w:type="default" r:id="rId3"/><w:footerReference w:type="default" r:id="rId4"/>'
        f"{page_size(landscape=kind == 'register')}</w:sectPr></w:body></w:document>"
    )


def page_size(*, landscape: bool) -> str:
    """Return size and margins of an A4 page, upright or across."""
    width, height = (PAGE_HEIGHT, PAGE_WIDTH) if landscape else (PAGE_WIDTH, PAGE_HEIGHT)
    turned = ' w:orient="landscape"' if landscape else ""
    return (
        f'<w:pgSz w:w="{width}" w:h="{height}"{turned}/><w:pgMar w:top="{_TOP}" w:right="{MARGIN_SIDE}" '
        f'w:bottom="{_BOTTOM}" w:left="{MARGIN_SIDE}" w:header="{_HEADER}" w:footer="{_FOOTER}" w:gutter="0"/>'
    )


def _header(kind: str, width: int) -> str:
    number, title, revision = {
        "form": ("{{ form.number }}", "{{ form.title }}", "{{ form.revision }}"),
        "procedure": ("{{ document.number }}", "{{ document.title }}", "{{ document.revision }}"),
        "register": ("{{ register.number }}", "{{ register.title }}", "{{ register.revision }}"),
    }[kind]
    left = width * 3 // 5
    right = width - left
    bold = "<w:b/>"
    rows = (
        _pair(text_run("{{ company.name }}", bold), left, text_run(f"文件编号：{number}"), right),
        _pair(text_run(title), left, text_run(f"版本：{revision}"), right),
    )
    ruled = '<w:tblBorders><w:bottom w:val="single" w:sz="8" w:space="0" w:color="000000"/></w:tblBorders>'
    return table((left, right), rows, bordered=False, borders=ruled) + paragraph("", "WkGap")


def _pair(left: str, left_width: int, right: str, right_width: int) -> str:
    to_the_right = '<w:jc w:val="right"/>'
    cells = (
        Cell(paragraph(left, "WkHeader"), left_width, bordered=False),
        Cell(paragraph(right, "WkHeader", to_the_right), right_width, bordered=False),
    )
    return row(cells, height=250)


def _footer(kind: str) -> str:
    left = {
        "form": "{% if record.number %}记录编号：{{ record.number }}　　{% endif %}",
        "procedure": "",
        "register": "",
    }[kind]
    return paragraph(text_run(left) + page_numbers(), "WkFooter", '<w:jc w:val="center"/>')


def page_numbers() -> str:
    """Return the runs of “第 1 页　共 2 页”, which Word and the PDF engines fill in."""
    return text_run("第 ") + field_runs("PAGE") + text_run(" 页　共 ") + field_runs("NUMPAGES") + text_run(" 页")
