"""Documents as companies have them: imported, checked out and in again, through an office program and not."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from lxml import etree

from controller.adapters.word_document import DocxWordReader
from controller.adapters.word_islands import shown_words
from controller.domain.clause import Island, Table
from controller.file_formats.clause_text import parse_text
from controller.file_formats.docx_package import open_docx
from controller.file_formats.island_file import read_island
from controller.file_formats.visible_text import normalised, visible_passages
from tests.checked_out import Sent
from tests.docx_files import document, docx
from tests.foreign_documents import in_office, written_files
from tests.foreign_documents.word_files import word_files

if TYPE_CHECKING:
    from controller.services.print_ports import WordText
    from controller.services.returned_text import ReturnedText

NEEDS_MATH = {"formula", "formula by LibreOffice", "odf-formula by LibreOffice"}
"""LibreOffice keeps formulas only where its part for formulas is installed."""
CONTENTS = {"odf-fields by LibreOffice", "contents", "contents by LibreOffice"}


def read(name: str) -> WordText:
    return DocxWordReader().read(word_files()[name], name="旧程序.docx")


def lines(name: str) -> list[str]:
    return read(name).text.splitlines()


def sent(word: WordText) -> Sent:
    return Sent(word.text, {digest.hex: data for digest, data in word.islands.items()})


def told(word: WordText) -> list[str]:
    return [item.code for item in word.findings]


def unseen(word: WordText, data: bytes) -> Counter[str]:
    """Return the characters that a reader of the body sees and the text lacks."""
    package = open_docx(data)
    pieces = [piece for piece in parse_text(word.text).pieces() if not isinstance(piece, Island)]
    kept = ["".join("".join(row) for row in item.rows) if isinstance(item, Table) else item.source for item in pieces]
    kept += [shown_words(etree.fromstring(read_island(data).xml)) for data in word.islands.values()]
    seen = [item.text for item in visible_passages(package) if item.part == package.main]
    return Counter(normalised("".join(seen))) - Counter(normalised("".join(kept)))


def exact(given: Sent, back: ReturnedText) -> None:
    ids = tuple(clause.id for clause in given.document.segment.clauses)
    assert (back.text, back.unchanged) == (given.document.text, True)
    assert (back.traced.ids, back.clauses, back.doubts, back.notes) == (ids, (), (), ())


@pytest.mark.slow
def test_what_office_programs_write_is_read_whole_and_comes_back_from_them_to_the_byte(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    files = written_files(tmp_path_factory.mktemp("written"))
    assert len(files) >= 75
    given = {}
    for name, data in files.items():
        word = DocxWordReader().read(data, name=name)
        assert word.text.strip(), name
        assert name in CONTENTS or not unseen(word, data), name
        given[name] = sent(word)
        exact(given[name], given[name].back(given[name].docx))
    through = in_office(
        {f"{name}.docx": item.docx for name, item in given.items()}, tmp_path_factory.mktemp("checked-out")
    )
    for name, item in given.items():
        back = item.back(through[f"{name}.docx"])
        if name in NEEDS_MATH and not back.unchanged:
            assert [doubt.code for doubt in back.doubts] == ["checkin-island-gone"]
        else:
            exact(item, back)


def test_rows_paragraphs_and_moves_that_are_tracked_are_read_as_accepted() -> None:
    assert lines("revised") == [
        "消毒程序", "1.作用六十分钟。", "2.新的一条。", "3.格式改过。", "|甲|乙|", "|丙|丁|", "4.完。",
    ]  # fmt: skip
    assert lines("moved") == ["走访程序", "2.范围:全部设备。", "1.目的:了解使用情况。", "3.记录。"]
    assert told(read("moved")) == ["docx-tracked-changes"]


def test_a_table_of_contents_is_left_out_and_fields_are_typed_and_both_are_said() -> None:
    assert lines("contents") == ["1.目的", "2.范围1.目的所述。", "3.打印于2026年3月2日9页"]
    assert told(read("contents")) == ["docx-fields-typed", "docx-contents-left-out"]


def test_a_table_of_contents_that_never_ends_takes_no_text_with_it() -> None:
    body = (
        '<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> TOC </w:instrText></w:r></w:p>'
        "<w:p><w:r><w:t>1.目的</w:t></w:r></w:p>"
    )
    assert DocxWordReader().read(docx(parts={"word/document.xml": document(body)}), name="x").text == "\n1.目的\n"


def test_formats_that_mean_something_are_said_and_known_symbols_are_typed() -> None:
    assert lines("signs") == [
        "1.合格☑不合格□。",
        "2.型号A-7，软连字，\u200f右向\u200e，\u3000全角\u00a0空格\u2003。",
        "3.右起\t末尾",
        "4.旳扺⼀，≥25℃±2，隐藏2。",
        "5.消（xiāo）毒。",
    ]
    found = read("signs").findings
    assert [item.code for item in found] == ["docx-symbol-typed", "docx-format-means"]
    assert str(found[1].message) == "正文不保留会改变意思的格式，文字原样留下：“隐藏”（隐藏文字）、“2”（上标）。"


def test_boxes_of_old_forms_are_typed() -> None:
    assert lines("form-fields") == ["1.选择：☑合格", "2.填写：未填。"]


def test_a_kept_table_points_to_nothing_outside_it_and_its_numbers_are_typed() -> None:
    word = read("table-with-links")
    assert [line.partition(" ")[0] for line in word.text.splitlines()] == ["1.见表。", "〔图表", "3)表后接着编号"]
    (content,) = word.islands.values()
    kept = read_island(content)
    assert kept.parts == ()
    assert shown_words(etree.fromstring(kept.xml)) == "1)条目甲2)条目乙网页话废粗"
    for gone in ("r:id", "comment", "footnote", "numPr"):
        assert gone not in kept.xml
    assert "docx-notes-left-out" in told(word)


def test_an_edit_in_a_nested_table_is_kept_with_the_table() -> None:
    given = sent(read("nested"))
    back = given.back(given.edited(("内乙", "内丙")))
    (content,) = back.islands.values()
    assert shown_words(etree.fromstring(read_island(content).xml)) == "外前内甲内丙后合并跨一二"
    assert [item.kind for item in back.clauses] == ["beside-removed", "beside-added"]
    assert back.doubts == ()


def test_a_passage_struck_out_in_a_kept_table_is_an_edit() -> None:
    given = sent(read("nested"))
    run = '<w:r><w:t xml:space="preserve">内乙</w:t></w:r>'
    back = given.back(given.edited((run, run.replace("<w:r>", "<w:r><w:rPr><w:strike/></w:rPr>"))))
    (content,) = back.islands.values()
    assert "<w:strike/>" in read_island(content).xml


@pytest.mark.parametrize(
    ("name", "edit", "called"),
    [
        ("picture-anchored", ('cx="720000" cy="720000"', 'cx="1440000" cy="1440000"'), "图片 流程图"),
        ("nested", ("</w:tcPr>", '<w:shd w:val="clear" w:fill="FF0000"/></w:tcPr>'), "表格 外前内甲内乙后合并跨一二"),
        ("nested", ("<w:r><w:t", "<w:r><w:rPr><w:b/></w:rPr><w:t"), "表格 外前内甲内乙后合并跨一二"),
        (
            "content-controls",
            ("</w:tcPr>", '<w:shd w:val="clear" w:fill="FF0000"/></w:tcPr>'),
            "表格 整行控件单格控件格内段落",
        ),
    ],
)
def test_a_picture_or_table_that_only_looks_different_is_named(name: str, edit: tuple[str, str], called: str) -> None:
    given = sent(read(name))
    body = open_docx(given.docx).contents["word/document.xml"].decode()
    at = body.index("整行") - 400 if name == "content-controls" else body.index("1.见")
    start = body.index(edit[0], at)
    changed = body[:start] + edit[1] + body[start + len(edit[0]) :]
    back = given.back(given.edited((body, changed)))
    assert (back.unchanged, back.doubts) == (True, ())
    assert [(item.code, called in str(item.message)) for item in back.notes] == [("checkin-island-format", True)]


def test_a_picture_that_is_gone_without_a_trace_is_asked_and_a_tracked_deletion_is_not() -> None:
    given = sent(read("picture-anchored"))
    body = open_docx(given.docx).contents["word/document.xml"].decode()
    start = body.rindex("<w:r>", 0, body.index("<w:drawing"))
    end = body.index("</w:drawing></w:r>") + len("</w:drawing></w:r>")
    run = body[start:end]
    back = given.back(given.edited((run, "")))
    assert [item.code for item in back.doubts] == ["checkin-island-gone"]
    assert "图片 流程图" in str(back.doubts[0].message)
    tracked = f'<w:del w:id="7" w:author="王芳" w:date="2026-03-02T10:05:00Z">{run}</w:del>'
    back = given.back(given.edited((run, tracked)))
    assert (back.unchanged, back.doubts) == (False, ())
