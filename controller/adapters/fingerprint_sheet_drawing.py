"""指纹单版式. Draws the sealed fingerprint sheet as a Word page: fingerprints, signatures, how to compare."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from controller.services.fingerprint_sheet import FingerprintSheet

_SONG, _HEI, _MONO = "宋体", "黑体", "Courier New"
_HOW = (
    "一、本单打印后由下列人员核对、签名，加盖公章，装入信封封存，与营业执照等重要文件一起保管；不要存放在电脑旁。",
    "二、签名前逐组核对：在存有工作区的电脑上运行“qms person sheet”再打印一份，两份的指纹应逐组相同。",
    "三、以后怀疑档案被整体替换时拆封核对。不用本程序也能核对：对 signatures/ca/ca.pem 运行以下命令，结果应相同：",
    "　　openssl x509 -in ca.pem -noout -fingerprint -sha256",
    "四、个人证书在档案的 certificates 目录，核对方法相同。更换根证书后须重新打印、签名、封存；旧单不要销毁。",
)


def draw_fingerprint_sheet(sheet: FingerprintSheet) -> bytes:
    """Return the sheet as docx."""
    from docx import Document
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Mm, Pt

    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(22)
    section.top_margin = section.bottom_margin = Mm(15)
    document.core_properties.title = "证书指纹单"
    document.core_properties.author = sheet.company

    def line(text: str, *, size: float = 10.5, font: str = _SONG, bold: bool = False, centre: bool = False) -> Any:
        paragraph = document.add_paragraph()
        paragraph.paragraph_format.space_before = Pt(6 if font == _HEI else 0)
        paragraph.paragraph_format.space_after = Pt(3)
        paragraph.paragraph_format.line_spacing = 1.15
        _write(paragraph, text, size=size, font=font, bold=bold)
        if centre:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        return paragraph

    line(sheet.company, size=12, font=_HEI, centre=True)
    line("电子签名证书指纹单", size=18, font=_HEI, bold=True, centre=True)
    line(f"工作区编号：{sheet.workspace}　站点：{sheet.site}　打印时间：{sheet.printed_at}", size=9)
    line("企业根证书指纹（SHA-256）", size=12, font=_HEI, bold=True)
    for part in sheet.root.splitlines():
        line(part, size=13, font=_MONO, bold=True, centre=True)
    line(f"有效期：{sheet.root_since} 至 {sheet.root_until}", size=9, centre=True)
    for earlier in sheet.earlier_roots:
        line(f"已更换的根证书：{' '.join(earlier.split())}", size=8, font=_MONO)
    line("人员证书指纹（SHA-256）", size=12, font=_HEI, bold=True)
    table = document.add_table(rows=1, cols=5)
    table.style = "Table Grid"
    table.autofit = False
    widths = (Mm(14), Mm(22), Mm(82), Mm(22), Mm(26))
    for cell, title in zip(table.rows[0].cells, ("工号", "姓名", "指纹", "有效至", "本人签名"), strict=True):
        _write(cell.paragraphs[0], title, size=9, font=_HEI, bold=True)
    for person in sheet.people:
        cells = table.add_row().cells
        for cell, text in zip(cells, (person.id, person.name, person.fingerprint, person.valid_until, ""), strict=True):
            font = _MONO if text == person.fingerprint else _SONG
            for number, part in enumerate(text.splitlines() or [""]):
                paragraph = cell.paragraphs[0] if number == 0 else cell.add_paragraph()
                _write(paragraph, part, size=8 if font == _MONO else 9, font=font)
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
    for row in table.rows:
        for cell, width in zip(row.cells, widths, strict=True):
            cell.width = width
            for paragraph in cell.paragraphs:
                paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(1)
                paragraph.paragraph_format.line_spacing = 1.1
    line("")
    line("核对人（两位，不同岗位）：____________________　____________________")
    line("企业负责人：____________________　　　　　　（公章）")
    line("封存日期：________年____月____日　　封存地点：____________________")
    line("怎样使用本单", size=12, font=_HEI, bold=True)
    for text in _HOW:
        line(text, size=9.5)
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def _write(paragraph: Any, text: str, *, size: float, font: str, bold: bool = False) -> None:
    from docx.oxml.ns import qn
    from docx.shared import Pt

    run = paragraph.add_run(text)
    run.bold = bold
    run.font.size = Pt(size)
    run.font.name = font
    run._element.rPr.rFonts.set(qn("w:eastAsia"), _SONG if font == _MONO else font)  # noqa: SLF001 - python-docx has no way to set the Chinese font
