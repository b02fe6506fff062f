"""测试用旧文件. Word files as companies have them: control tables of every kind, headers, revision tables."""

from __future__ import annotations

import io
import subprocess
from typing import TYPE_CHECKING, Any

import docx as python_docx
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from tests.real_tools import need

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BODY = (
    "1.目的：规范采购活动，保证所采购医疗器械的质量。",
    "2.范围：适用于本公司全部医疗器械的采购。",
    "3.职责：采购部负责采购，质管部负责审核供货单位资质。",
    "4.内容：",
    "4.1.采购员按《采购申请单》提出采购，填写采购数量和到货日期。",
    "4.2.首次采购的品种应当经质管部审核，填写《首营品种审批表》。",
    "4.3.采购记录保存至有效期后两年。",
    "5.附则：本程序自发布之日起实施。",
)
HISTORY = (
    ("版本", "日期", "修改条款", "修改原因", "修改人"),
    ("第1版", "2015-03-01", "全部", "首次发布", "赵敏"),
    ("第2版", "2019年6月1日", "4.2", "首营审核改由质管部负责", "赵敏"),
)


class OldFile:
    """One Word file being made."""

    def __init__(self) -> None:
        self.document: Any = python_docx.Document()

    def lines(self, *texts: str) -> OldFile:
        for text in texts:
            self.document.add_paragraph(text)
        return self

    def table(self, *rows: Sequence[str]) -> OldFile:
        made = self.document.add_table(len(rows), len(rows[0]))
        for cells, texts in zip(made.rows, rows, strict=True):
            for cell, text in zip(cells.cells, texts, strict=True):
                cell.text = text
        return self

    def merged(self, *rows: Sequence[str]) -> OldFile:
        """Add a table whose first row is one cell over all columns."""
        self.table(*rows)
        first = self.document.tables[-1].rows[0].cells
        text = first[0].text
        joined = first[0].merge(first[-1])
        joined.text = text
        return self

    def header(self, *texts: str) -> OldFile:
        self.document.sections[0].header.paragraphs[0].text = "\n".join(texts)
        return self

    def header_table(self, *rows: Sequence[str]) -> OldFile:
        header = self.document.sections[0].header
        made = header.add_table(len(rows), len(rows[0]), python_docx.shared.Cm(16))
        for cells, texts in zip(made.rows, rows, strict=True):
            for cell, text in zip(cells.cells, texts, strict=True):
                cell.text = text
        return self

    def tracked(self, text: str) -> OldFile:
        """Add a paragraph that was inserted and not yet accepted."""
        self.document.element.body.insert(
            len(self.document.element.body) - 1,
            parse_xml(
                f'<w:p {nsdecls("w")}><w:ins w:id="1" w:author="王强" w:date="2020-01-01T00:00:00Z">'
                f"<w:r><w:t>{text}</w:t></w:r></w:ins></w:p>"
            ),
        )
        return self

    def picture(self, png: bytes) -> OldFile:
        self.document.add_picture(io.BytesIO(png))
        return self

    def bytes(self) -> bytes:
        target = io.BytesIO()
        self.document.save(target)
        return target.getvalue()


def control_table() -> OldFile:
    """A control table of four columns, a heading, the text, and a revision table under its heading."""
    return (
        OldFile()
        .lines("采购控制程序")
        .table(
            ("文件编号", "QMST-QP-001", "版本", "第2版"),
            ("编 制", "赵敏", "日期", "2019年5月20日"),
            ("审 核", "林静", "日期", "2019.5.25"),
            ("批 准", "周明", "日期", "2019-05-30"),
            ("归口部门", "采购部", "生效日期", "2019年6月1日"),
            ("受控状态", "受控", "分发号", "03"),
        )
        .lines("", *BODY, "", "修订记录")
        .table(*HISTORY)
        .header("安泽医疗器械有限公司  文件编号：QMST-QP-001")
    )


def merged_table() -> OldFile:
    """A control table with merged cells, signers in columns, `V1.0`."""
    return (
        OldFile()
        .merged(
            ("仓储管理制度", "", "", ""),
            ("文件编号：JZQX-014", "", "版本：V1.0", ""),
        )
        .lines("")
        .table(
            ("", "编制", "审核", "批准"), ("签名", "陈晓", "林静", "周明"), ("日期", "2020/1/2", "2020/1/3", "2020/1/4")
        )
        .lines("第一条 库房应当分区存放。", "第二条 温湿度每日记录两次。", "第三条 本制度自2020年2月1日起施行。")
    )


def cover_lines() -> OldFile:
    """A cover with lines of facts, and who signed on the last line."""
    return OldFile().lines(
        "安泽医疗器械有限公司",
        "程序文件",
        "不合格品控制程序",
        "文件编号：W-001    版次：第3版",
        "发布日期：2018年4月1日    实施日期：2018年4月15日",
        "1.目的：防止不合格品流出。",
        "2.范围：全部产品。",
        "3.职责：质管部。",
        "4.内容：不合格品隔离存放，贴红色标签。不合格品由质管部处置。",
        "编制：陈晓  审核：林静  批准：周明",
    )


def header_only() -> OldFile:
    """All facts stand in a table of the header."""
    return (
        OldFile()
        .header_table(
            ("安泽医疗器械有限公司", "文件编号", "XX-YLQXCX-901"),
            ("培训管理程序", "版本/修改状态", "A/1"),
            ("", "页次", "1/3"),
        )
        .lines("1.目的：提高员工能力。", "2.范围：全体员工。", "3.职责：办公室。", "4.内容：每年培训两次。记录存档。")
    )


def two_in_one() -> OldFile:
    """Two procedures in one file, each with its own control table."""
    made = OldFile()
    for number, title in (("QP-21", "标签管理程序"), ("QP-22", "召回管理程序")):
        made.lines(title).table(("文件名称", title, "文件编号", number), ("版本", "01", "批准", "周明"))
        made.lines(
            "1.目的：规范工作。", f"2.范围：{title}适用于全公司。", "3.职责：质管部。", "4.内容：按要求执行。做好记录。"
        )
    return made


def as_doc(docx: bytes, folder: Path, name: str) -> Path:
    """Return the binary Word file that an office program makes of a docx."""
    source = folder / f"{name}.docx"
    source.write_bytes(docx)
    profile = (folder / "profile").as_uri()
    words = [need("soffice"), f"-env:UserInstallation={profile}", "--headless", "--convert-to", "doc:MS Word 97"]
    subprocess.run([*words, "--outdir", str(folder), str(source)], check=True, capture_output=True, timeout=120)
    return folder / f"{name}.doc"
