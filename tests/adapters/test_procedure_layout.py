"""A printed procedure: control block, clauses exactly as typed, tables, islands, history; never a gap note."""

from __future__ import annotations

import re
from dataclasses import replace
from io import BytesIO

from docx import Document

from controller.adapters.house_style import house_file
from controller.adapters.procedure_layout import ProcedureLayout, procedure_docx
from controller.domain.clause import Island
from controller.domain.document import ControlledDocument, HistoryRow, SigningStep
from controller.domain.identifiers import Digest, DocumentNumber, Revision
from controller.domain.procedure_print import ELSEWHERE_NOTE, ProcedurePrint, SignedBlock
from controller.file_formats.clause_text import parse_text
from controller.file_formats.docx_package import open_docx, relationships, write_docx
from controller.file_formats.island_file import IslandFile, IslandPart, write_island

HOUSE = house_file("procedure")
TEXT = """\
AB-YLQXCX-001回访管理程序
1.目的:了解用户旳意见。
2.内容:
2.1. 每半年回访一次。
2.3.不得遗漏;编号照原样。
|项目|周期|
|---|---|
|重点客户|半年|
第 3 页 共 9 页
"""
DOCUMENT = ControlledDocument(
    number=DocumentNumber("AB-YLQXCX-001"),
    title="回访管理程序",
    revision=Revision("A/1"),
    class_word="程序",
    owner="售后部",
    status_note="起步稿,待企业修改",
    drafted=SigningStep("王芳", "2026-01-05"),
    effective="2026-02-01",
    history=(HistoryRow("A/1", "2026-01-20", "2.1", "增加频次", "王芳"),),
)


def printed(text: str = TEXT) -> ProcedurePrint:
    (segment,) = parse_text(text).segments
    return ProcedurePrint.of(DOCUMENT, segment.pieces, company="某某医疗器械有限公司", islands={})


def texts(docx: bytes) -> list[str]:
    document = Document(BytesIO(docx))
    return [line.text for line in document.paragraphs if line.text]


def cells(docx: bytes, table: int) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in Document(BytesIO(docx)).tables[table].rows]


def test_clauses_stand_exactly_as_typed_with_their_numbers_and_glyphs() -> None:
    assert texts(procedure_docx(printed(), HOUSE)) == [
        "某某医疗器械有限公司",
        "回访管理程序",
        "1.目的:了解用户旳意见。",
        "2.内容:",
        "2.1. 每半年回访一次。",
        "2.3.不得遗漏;编号照原样。",
    ]


def test_word_never_counts_for_itself() -> None:
    xml = open_docx(procedure_docx(printed(), HOUSE)).contents["word/document.xml"].decode()
    assert "numPr" not in xml


def test_the_control_block_names_what_is_known_and_leaves_the_rest_for_handwriting() -> None:
    block = cells(procedure_docx(printed(), HOUSE), 0)
    assert block[1] == ["文件编号", "AB-YLQXCX-001", "版本/修改", "A/1"]
    assert block[2] == ["文件类别", "程序文件", "归口部门", "售后部"]
    assert block[3] == ["编制", "王芳（系统外）", "日期", "2026-01-05"]
    assert block[5] == ["批准", "", "日期", ""]
    assert block[6][1] == "2026-02-01"
    assert block[7][:2] == ["系统外批准", ELSEWHERE_NOTE]


def test_a_controlled_copy_is_ticked_and_numbered_and_names_who_signed() -> None:
    layout = ProcedureLayout()
    block = SignedBlock(None, SigningStep("林静", "2026-01-19"), SigningStep("周明", "2026-01-20"), "2026-02-10")
    signed = replace(printed(), copy_no="03").with_signed(block)
    told = {text for line in cells(layout.draw(signed, layout.house()), 0) for text in line}
    assert {"☑ 受控　□ 非受控　分发号：03", "王芳（系统外）", "林静", "周明", "2026-01-20", "2026-02-10"} <= told
    assert "2026-02-01" not in told


def test_tables_and_the_revision_history_are_drawn() -> None:
    docx = procedure_docx(printed(), HOUSE)
    assert cells(docx, 1) == [["项目", "周期"], ["重点客户", "半年"]]
    history = cells(docx, 2)
    assert history[1] == ["版本", "日期", "修改条款", "原因", "修改人", "批准人", "生效日期"]
    assert history[2] == ["A/1", "2026-01-20", "2.1", "增加频次", "王芳", "", ""]
    assert history[-1] == [""] * 7


def test_status_notes_and_page_marks_of_the_source_are_not_printed() -> None:
    xml = open_docx(procedure_docx(printed(), HOUSE)).contents["word/document.xml"].decode()
    assert "待企业修改" not in xml
    assert "共 9 页" not in xml


def test_the_header_is_filled_even_where_word_has_cut_a_name_over_several_runs() -> None:
    package = open_docx(HOUSE)
    header = package.contents["word/header1.xml"].decode()
    cut = header.replace("{{ document.number }}", '{{ document.</w:t></w:r><w:r><w:t xml:space="preserve">number }}')
    assert cut != header
    house = write_docx({**package.contents, "word/header1.xml": cut.encode()})
    filled = open_docx(procedure_docx(printed(), house)).contents["word/header1.xml"].decode()
    words = "".join(re.findall(r"<w:t[^>]*>([^<]*)</w:t>", filled))
    assert words == "某某医疗器械有限公司文件编号：AB-YLQXCX-001回访管理程序版本：A/1"


def test_same_input_gives_the_same_bytes() -> None:
    layout = ProcedureLayout()
    assert layout.draw(printed(), layout.house()) == layout.draw(printed(), layout.house())


def test_an_island_comes_back_with_its_picture() -> None:
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    island = write_island(
        IslandFile(
            xml=(
                f'<w:p xmlns:w="{word}" xmlns:r="{relation}"><w:r><w:t>流程图</w:t></w:r>'
                '<w:r><w:drawing><blip r:embed="rId1"/></w:drawing></w:r></w:p>'
            ),
            parts=(
                IslandPart("", "rId1", f"{relation}/image", "word/media/image1.png", "image/png", b"\x89PNG picture"),
            ),
        )
    )
    digest = Digest.of(island)
    shown = printed(f"{TEXT}〔图表 {digest} 流程图〕\n")
    assert any(isinstance(piece, Island) for piece in shown.pieces)
    package = open_docx(procedure_docx(replace(shown, islands={digest: island}), HOUSE))
    used = re.search(r'embed="(\w+)"', package.contents["word/document.xml"].decode())
    assert used is not None
    rows = relationships(package.contents["word/_rels/document.xml.rels"])
    (target,) = [row.target for row in rows if row.id == used[1]]
    assert package.contents[target.removeprefix("/")] == b"\x89PNG picture"
    assert len({row.id for row in rows}) == len(rows)
