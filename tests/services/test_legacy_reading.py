"""Old files become documents: control blocks and revision tables out of the text, and not a word lost."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.adapters.legacy_word import LegacyDocxReader
from controller.domain.document import HistoryRow, SigningStep
from controller.domain.text import T
from controller.file_formats.docx_package import MacroError
from controller.services.legacy_reading import LegacyReading, OldWordMacroError, OldWordUnreadableError
from controller.services.pdf_printing import PdfEngineError
from controller.services.text_reading import NotTextError
from tests.docx_files import docx
from tests.invented_documents import BLOB
from tests.legacy_files import (
    BODY,
    HISTORY,
    OldFile,
    control_table,
    cover_lines,
    header_only,
    merged_table,
    two_in_one,
)
from tests.scans import small_png

if TYPE_CHECKING:
    from controller.domain.legacy_document import LegacyDocument, LegacySource

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


class NoOffice:
    """A computer without LibreOffice, or with one that cannot read the file."""

    def __init__(self, *, installed: bool = False) -> None:
        self.installed = installed

    def available(self) -> bool:
        return self.installed

    def to_docx(self, _doc: bytes) -> bytes:
        raise PdfEngineError(engine="libreoffice", problem=T("不能读取"))


def read(data: bytes, name: str = "旧文件.docx") -> LegacySource:
    return LegacyReading(LegacyDocxReader(), NoOffice()).read(data, path=name)


def only(made: OldFile) -> LegacyDocument:
    (document,) = read(made.bytes()).documents
    return document


def codes(document: LegacyDocument) -> set[str]:
    return {item.code for item in document.findings}


def words(*texts: str) -> list[str]:
    """Every run of letters and figures."""
    return re.findall(r"\w+", "\n".join(texts))


def kept(source: LegacySource) -> set[str]:
    return {word for document in source.documents for word in words(document.text, *document.former_block)}


def test_a_control_table_and_a_revision_table_leave_the_text() -> None:
    document = only(control_table())
    assert document.text.split() == ["采购控制程序", *BODY]
    assert (document.number, document.title, document.typed_revision, document.revision) == (
        "QMST-QP-001", "采购控制程序", "第2版", "B/0",
    )  # fmt: skip
    assert (document.class_word, document.owner, document.effective) == ("程序", "采购部", "2019-06-01")
    assert document.drafted == SigningStep("赵敏", "2019-05-20")
    assert document.reviewed == SigningStep("林静", "2019-05-25")
    assert document.approved == SigningStep("周明", "2019-05-30")
    assert document.history == tuple(HistoryRow(*row) for row in HISTORY[1:])
    assert document.cites == ("《采购申请单》", "《首营品种审批表》")
    assert "受控状态 | 受控 | 分发号 | 03" in document.former_block
    assert codes(document) == {"legacy-revision-unclear"}


def test_merged_cells_and_signers_in_columns_are_read() -> None:
    document = only(merged_table())
    assert (document.number, document.title, document.revision) == ("JZQX-014", "仓储管理制度", "A/0")
    assert document.approved == SigningStep("周明", "2020-01-04")
    assert document.effective == "2020-02-01"
    assert document.text.split()[0] == "第一条"


def test_lines_of_a_cover_and_signers_below_the_text_are_read() -> None:
    document = only(cover_lines())
    assert (document.number, document.title, document.revision) == ("W-001", "不合格品控制程序", "C/0")
    assert document.effective == "2018-04-15"
    assert (document.drafted, document.approved) == (SigningStep("陈晓"), SigningStep("周明"))
    assert document.former_block[-1] == "编制：陈晓  审核：林静  批准：周明"
    assert "document-cut-off" not in codes(document)


def test_a_table_in_the_header_gives_number_title_and_revision() -> None:
    document = only(header_only())
    assert (document.number, document.title, document.revision) == ("XX-YLQXCX-901", "培训管理程序", "A/1")
    assert "revision" in document.sure
    assert "legacy-title-unclear" in codes(document)


def test_two_procedures_in_one_file_are_told_apart_by_their_control_tables() -> None:
    documents = read(two_in_one().bytes()).documents
    assert [(item.number, item.title, item.part) for item in documents] == [
        ("QP-21", "标签管理程序", 1),
        ("QP-22", "召回管理程序", 2),
    ]
    assert documents[1].first_line > documents[0].last_line


def test_a_blob_of_procedures_is_split_as_qms_doc_parse_splits_it() -> None:
    source = read(BLOB.encode(), "网页文本.txt")
    assert len(source.documents) == 9
    assert source.documents[8].number == "AB-YLQXCX-031"
    assert "clause-number-missing" in codes(source.documents[2])


@pytest.mark.parametrize("made", [control_table, merged_table, cover_lines, header_only, two_in_one])
def test_no_word_of_the_body_is_lost(made: object) -> None:
    assert callable(made)
    old = made()
    texts = [paragraph.text for paragraph in old.document.paragraphs]
    texts += [cell.text for table in old.document.tables for row in table.rows for cell in row.cells]
    assert set(words(*texts)) <= kept(read(old.bytes()))


LINES = st.sampled_from(
    [
        *("采购控制程序", "仓储管理制度", "文件编号：QP-7", "版本：第2版  生效日期：2019.1.1", "编制：张三", ""),
        *("1.目的：规范。", "2.范围：全公司", "一、总则", "1.1 采购员下单。", "第一条 为了规范，制定本规定。"),
        *("修订记录", "|版本|日期|修改内容|修改人|", "|A/0|2019|首次|赵敏|", "|文件编号|QP-8|版本|B/0|"),
        *("|项目|要求|", "第 3 页 共 9 页", "批准：周明 2019-1-1"),
    ]
)


@given(st.lists(LINES, max_size=25))
@settings(max_examples=60)
def test_no_word_of_any_arrangement_is_lost_and_each_document_reads_the_same_again(lines: list[str]) -> None:
    text = "\n".join(lines)
    source = read(text.encode(), "任意.txt")
    assert not source.documents or set(words(text)) <= kept(source)
    assert read(text.encode(), "任意.txt") == source


def test_what_differs_between_places_is_told() -> None:
    document = only(control_table().header("文件编号：QMST-QP-002"))
    (told,) = [str(item.message) for item in document.findings if item.code == "legacy-number-differs"]
    assert told == "编号不一致：控制栏是“QMST-QP-001”，页眉页脚是“QMST-QP-002”；按前者处理。"
    assert document.number == "QMST-QP-001"


def test_what_cannot_be_read_is_told_and_kept_as_written() -> None:
    made = OldFile().table(("文件编号", "第七号", "版本", "试行版"), ("批准", "周明", "日期", "去年春天"))
    document = only(made.lines(*BODY))
    assert document.approved == SigningStep("周明", "去年春天")
    assert codes(document) >= {
        "legacy-number-unclear", "legacy-title-missing", "legacy-revision-unclear", "legacy-date-unclear",
    }  # fmt: skip


def test_a_revision_table_in_the_middle_of_the_text_stays_there() -> None:
    made = OldFile().lines("文件更改程序", *BODY[:4], "修订记录").table(*HISTORY).lines(*BODY[4:])
    source = read(made.bytes())
    assert source.documents[0].history == ()
    assert "首营审核改由质管部负责" in source.documents[0].text
    assert [item.code for item in source.findings] == ["legacy-history-inside"]


def test_tracked_changes_and_pictures_are_told_with_their_place() -> None:
    source = read(OldFile().lines("采购控制程序", *BODY).tracked("4.4.新增一条。").picture(small_png()).bytes())
    assert "4.4.新增一条。" in source.documents[0].text
    assert {(item.code, item.line) for item in source.findings} == {
        ("docx-tracked-changes", None),
        ("docx-island", 11),
    }


def test_hostile_files_are_refused() -> None:
    with pytest.raises(MacroError):
        read(docx("1.目的", parts={"word/vbaProject.bin": b"x"}))
    with pytest.raises(OldWordMacroError):
        read(OLE + "_VBA_PROJECT".encode("utf-16-le"), "宏.doc")
    with pytest.raises(OldWordUnreadableError, match="没有 LibreOffice"):
        read(OLE + bytes(512), "旧.doc")
    with pytest.raises(OldWordUnreadableError, match="不能读取这个"):
        LegacyReading(LegacyDocxReader(), NoOffice(installed=True)).read(OLE + bytes(512), path="旧.doc")
    with pytest.raises(NotTextError):
        read(b"%PDF-1.7", "扫描.txt")
    with pytest.raises(NotTextError):
        read(b"MZ\0\0\0", "程序.doc")
