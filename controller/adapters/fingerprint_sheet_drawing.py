"""指纹单版式. Draws the sealed fingerprint sheet as a Word page: fingerprints, signatures, how to compare.

Every fingerprint is written as `qms verify` writes it, so that two sheets can be compared digit by digit; that of the
root once more as openssl does, for whoever compares without this program.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.adapters.house_page import TEXT_WIDTH, house_page
from controller.adapters.word_markup import HEADING_SHADE, MONO, Cell, gap, mm, paragraph, row, table, text_run
from controller.file_formats.docx_package import write_docx

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller.domain.identifiers import Digest
    from controller.services.fingerprint_sheet import FingerprintSheet

_COLUMNS = (mm(14), mm(22), mm(88), mm(22))
_TITLES = ("工号", "姓名", "指纹", "有效至", "本人签名")
_CENTRED = '<w:jc w:val="center"/>'
_LARGE, _SMALL = 24, 16
"""Half-points."""
_HOW = (
    "一、本单打印后由下列人员核对、签名，加盖公章，装入信封封存，与营业执照等重要文件一起保管；不要存放在电脑旁。",
    "二、签名前逐组核对：在存有工作区的电脑上运行“qms person sheet”再打印一份，两份的指纹应逐组相同。",
    "三、以后怀疑档案被整体替换时拆封核对：“qms verify”末尾列出的根证书指纹应与本单逐组相同。",
    "四、不用本程序也能核对：对 signatures/ca/ca.pem 运行“openssl x509 -in ca.pem -noout -fingerprint -sha256”。",
    "五、个人证书在档案的 certificates 目录，核对方法相同。更换根证书后须重新打印、签名、封存；旧单不要销毁。",
)


def draw_fingerprint_sheet(sheet: FingerprintSheet) -> bytes:
    """Return the sheet as docx; same input, same bytes."""
    return write_docx(house_page(_drawn(sheet), header=f"{sheet.company}　电子签名证书指纹单"))


def _drawn(sheet: FingerprintSheet) -> Iterator[str]:
    yield paragraph(text_run(sheet.company), "WkCompany")
    yield paragraph(text_run("电子签名证书指纹单"), "WkTitle")
    place = f"工作区编号：{sheet.workspace}　站点：{sheet.site}　打印时间：{sheet.printed_at}"
    yield paragraph(text_run(place), "WkSmall", _CENTRED)
    yield gap()
    yield paragraph(text_run("企业根证书指纹（SHA-256）"), "WkSection")
    if sheet.root is not None:
        for line in _halves(sheet.root.grouped):
            yield paragraph(text_run(line, f"{MONO}<w:b/>{_size(_LARGE)}"), "WkValue", _CENTRED)
        yield paragraph(text_run(f"有效期：{sheet.root_since} 至 {sheet.root_until}"), "WkSmall", _CENTRED)
        yield paragraph(text_run("openssl 的写法："), "WkSmall")
        for line in _halves(sheet.root.paired):
            yield paragraph(text_run(line, MONO + _size(_SMALL)), "WkSmall", _CENTRED)
    for earlier in sheet.earlier_roots:
        yield _earlier(earlier)
    yield gap()
    yield paragraph(text_run("人员证书指纹（SHA-256）"), "WkSection")
    yield gap()
    yield _people(sheet)
    yield gap()
    yield paragraph(text_run("核对人（两位，不同岗位）：____________________　____________________"), "WkValue")
    yield paragraph(text_run("企业负责人：____________________　　　　　　（公章）"), "WkValue")
    yield paragraph(text_run("封存日期：________年____月____日　　封存地点：____________________"), "WkValue")
    yield gap()
    yield paragraph(text_run("怎样使用本单"), "WkSection")
    yield from (paragraph(text_run(line), "WkSmall") for line in _HOW)


def _earlier(root: Digest) -> str:
    shown = text_run("已更换的根证书：") + text_run(root.grouped, MONO + _size(_SMALL))
    return paragraph(shown, "WkSmall")


def _people(sheet: FingerprintSheet) -> str:
    columns = (*_COLUMNS, TEXT_WIDTH - sum(_COLUMNS))
    head = [
        Cell(paragraph(text_run(title), "WkTableHead"), width, shade=HEADING_SHADE)
        for title, width in zip(_TITLES, columns, strict=True)
    ]
    rows = [row(head, height=mm(7), header=True)]
    for person in sheet.people:
        digits = "".join(
            paragraph(text_run(line, MONO + _size(_SMALL)), "WkTableCentre")
            for line in _halves(person.fingerprint.grouped)
        )
        cells = [
            paragraph(text_run(person.id), "WkTableCentre"),
            paragraph(text_run(person.name), "WkTableCentre"),
            digits,
            paragraph(text_run(person.valid_until), "WkTableCentre"),
            paragraph("", "WkTableCentre"),
        ]
        rows.append(row([Cell(cell, width) for cell, width in zip(cells, columns, strict=True)], height=mm(9)))
    return table(columns, rows)


def _halves(digits: str) -> tuple[str, str]:
    """Return a fingerprint as two lines of 32 digits; between them stands a space or colon."""
    middle = len(digits) // 2
    return digits[:middle], digits[middle + 1 :]


def _size(half_points: int) -> str:
    return f'<w:sz w:val="{half_points}"/>'
