"""测试用签出件. A document checked out to Word, edited as an office program would, and read back."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, cast

from lxml import etree

from controller.adapters.checkout_layout import CheckoutLayout
from controller.adapters.checkout_reading import CheckoutReading
from controller.domain.document import ControlledDocument
from controller.domain.identifiers import DocumentNumber, Revision
from controller.file_formats.clause_ids import clause_ids_of_text
from controller.file_formats.document_file import write_document
from controller.file_formats.docx_package import open_docx, write_docx
from controller.services.document_checkout import DocumentCheckout
from controller.services.returned_text import ReturnedText, compare
from tests.memory_files import MemoryFiles
from tests.real_tools import need

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from controller.services.checkout_ports import DocumentDrafts
    from controller.services.ports import Clock
    from controller.services.statement_filing import StatementFiling

NUMBER = "AB-YLQXCX-031"
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
WHO = 'w:id="7" w:author="王芳" w:date="2026-03-02T10:05:00Z"'
TEXT = """\
AB-YLQXCX-031退机消毒管理程序
1.目的:防止交叉污染,保护人员安全。
2.范围:适用于客户退回的全部设备。
3.内容:
3.1.收到退机后放入待消毒区。
3.2.按说明书选用消毒剂,作用时间不少于30分钟。
"""


class Sent:
    """A document of the library as it was given out."""

    def __init__(self, text: str = TEXT, islands: Mapping[str, bytes] | None = None) -> None:
        document = ControlledDocument(
            DocumentNumber(NUMBER), "退机消毒管理程序", Revision("A/0"), "程序", "质管部", links={"3.2": (NUMBER,)}
        )
        folder = f"procedures/{NUMBER}"
        self.files = MemoryFiles(
            {
                f"{folder}/document.yml": write_document(document).encode(),
                f"{folder}/clauses.txt": text.encode(),
                f"{folder}/clauses.yml": clause_ids_of_text(text).encode(),
                **{f"{folder}/islands/{name}.json": data for name, data in (islands or {}).items()},
            }
        )
        drafts = cast("DocumentDrafts", self.files)
        self.checkouts = DocumentCheckout(
            drafts,
            self.files,
            cast("StatementFiling", None),
            CheckoutLayout(),
            CheckoutReading(),
            cast("Clock", None),
            "某某医疗器械有限公司",
        )
        self.document, self.docx = self.checkouts.sheet(NUMBER, "abcdef012345")
        self.sent = self.checkouts.sent(self.document, self.docx)

    def back(self, docx: bytes) -> ReturnedText:
        """Compare a file that came back with what was sent."""
        returned = CheckoutReading().read(docx, name="改.docx")
        return compare(
            self.document, self.sent, returned, next_serial=self.checkouts.ids(NUMBER).next_serial, name="改.docx"
        )

    def edited(self, *replacements: tuple[str, str], parts: Mapping[str, bytes] | None = None) -> bytes:
        """Return the file with the XML of its body changed; every replacement must fit."""
        body = open_docx(self.docx).contents["word/document.xml"].decode()
        for old, new in replacements:
            assert old in body, old
            body = body.replace(old, new, 1)
        return with_body(self.docx, body, parts)


def with_body(docx: bytes, body: str, parts: Mapping[str, bytes] | None = None) -> bytes:
    """Return a docx with another body and other or further parts."""
    return write_docx({**open_docx(docx).contents, **(parts or {}), "word/document.xml": body.encode()})


def inserted(text: str, who: str = WHO) -> str:
    return (
        f'</w:t></w:r><w:ins {who}><w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:ins>'
        '<w:r><w:t xml:space="preserve">'
    )


def deleted(text: str, who: str = WHO) -> str:
    return (
        f'</w:t></w:r><w:del {who}><w:r><w:delText xml:space="preserve">{text}</w:delText></w:r></w:del>'
        '<w:r><w:t xml:space="preserve">'
    )


def new_paragraph(text: str, *, tracked: bool = True, properties: str = "") -> str:
    mark = f"<w:rPr><w:ins {WHO}/></w:rPr>" if tracked else ""
    run = f"<w:r><w:t>{text}</w:t></w:r>"
    run = f"<w:ins {WHO}>{run}</w:ins>" if tracked else run
    return f"<w:p><w:pPr>{properties}{mark}</w:pPr>{run}</w:p>"


def paragraph_with(docx: bytes, words: str) -> str:
    """Return the XML of the one paragraph that holds these words."""
    body = open_docx(docx).contents["word/document.xml"].decode()
    (found,) = [item for item in re.findall(r"<w:p>.*?</w:p>", body) if words in re.sub("<[^>]*>", "", item)]
    return str(found)


def office(docx: bytes, folder: Path) -> bytes:
    """Return the file as LibreOffice writes it after opening it."""
    source, target = folder / "in.docx", folder / "out"
    source.write_bytes(docx)
    subprocess.run(
        [need("soffice"), f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless", "--convert-to",
         "docx:MS Word 2007 XML", "--outdir", str(target), str(source)],
        check=True, capture_output=True, timeout=170,
    )  # fmt: skip
    return (target / "in.docx").read_bytes()


def body_of(docx: bytes) -> etree._Element:
    return etree.fromstring(open_docx(docx).contents["word/document.xml"])


def lines_of(returned: ReturnedText) -> list[str]:
    return returned.text.splitlines()


def doubts(returned: ReturnedText) -> list[str]:
    return [item.code for item in returned.doubts]
