from __future__ import annotations

import pytest

from controller.domain.clause_findings import text_findings
from controller.domain.conformity import Gravity
from controller.file_formats.clause_text import parse_text
from tests.invented_documents import (
    BLOB,
    CALIBRATION,
    DISINFECTION,
    DISINFECTION_NUMBERED,
    KEYS,
    SAMPLES_LENT,
    SHOWROOM,
    SPARE_PARTS,
    TRAINING,
    VISITS,
)


def found(text: str) -> list[tuple[str, str, int | None]]:
    return [(item.gravity.value, item.code, item.line) for item in text_findings(parse_text(text))]


@pytest.mark.parametrize("text", [SAMPLES_LENT, DISINFECTION])
def test_nothing_is_found_in_a_complete_document(text: str) -> None:
    assert found(text) == []


def test_a_missing_article_is_named_and_where_it_should_stand() -> None:
    messages = [str(item.message) for item in text_findings(parse_text(KEYS)) if item.code == "clause-number-missing"]
    assert messages == ["缺第四条：“第三条”之后是“第五条”。"]


def test_an_article_that_lost_its_head_is_found_with_its_tail() -> None:
    assert found(CALIBRATION) == [("warning", "clause-number-missing", 4), ("warning", "clause-head-lost", 3)]
    tail = text_findings(parse_text(CALIBRATION))[1]
    assert str(tail.message) == "“业资格并经授权的人员进行。”没有编号，可能是第三条丢了开头后剩下的部分。"


def test_blank_lines_between_the_clauses_make_no_difference() -> None:
    spaced = text_findings(parse_text(CALIBRATION.replace("\n", "\n\n")))
    assert [(item.code, item.line) for item in spaced] == [("clause-number-missing", 7), ("clause-head-lost", 5)]


def test_a_document_without_an_ending_gets_a_note_with_the_reason() -> None:
    (finding,) = text_findings(parse_text(SHOWROOM))
    assert (finding.code, finding.gravity, finding.line) == ("document-end-unclear", Gravity.NOTE, 8)
    assert "没有看到结尾" in str(finding.message)


def test_a_last_list_with_a_single_item_is_a_sign_of_a_cut() -> None:
    assert found(TRAINING) == [("warning", "document-cut-off", 8)]
    assert "“3.2考核”之下只有“3.2.1”一条" in str(text_findings(parse_text(TRAINING))[0].message)


def test_a_last_part_of_one_sentence_is_a_sign_of_a_cut() -> None:
    assert found(VISITS) == [("warning", "document-cut-off", 7)]


def test_a_text_without_title_and_with_odd_glyphs_is_noted() -> None:
    assert found(SPARE_PARTS) == [
        ("note", "document-title-missing", 1),
        ("warning", "document-cut-off", 6),
        ("note", "glyph-variant", 1),
    ]
    assert "“旳”出现5次" in str(text_findings(parse_text(SPARE_PARTS))[2].message)


@pytest.mark.parametrize(
    "ending",
    ["4.处理:问题分三类,分别是", "4.处理:按下列步骤进行:", "4.处理步骤如下。", "4."],
    ids=["half", "colon", "announced", "empty"],
)
def test_a_text_that_stops_in_the_middle_is_cut_off(ending: str) -> None:
    text = "设备报废程序\n1.目的:规范报废。\n2.范围:全部设备。\n3.职责:设备部负责。\n" + ending
    assert ("warning", "document-cut-off", 5) in found(text)


def test_the_same_text_twice_is_found_whatever_its_title() -> None:
    twins = [item for item in text_findings(parse_text(BLOB)) if item.code == "document-duplicate"]
    assert [(item.line, str(item.message)) for item in twins] == [
        (58, "第9篇“AB-YLQXCX-031”的条款与第8篇“退机消毒管理程序(2021年文件汇编)”完全相同。")
    ]


def test_a_page_footer_is_noted() -> None:
    assert found(DISINFECTION_NUMBERED) == [("note", "page-mark", 8)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1.甲。\n2.乙。\n2.丙。\n", "clause-number-repeated"),
        ("1.甲。\n3.乙。\n2.丙。\n", "clause-number-order"),
        ("2.甲。\n3.乙。\n", "clause-number-missing"),
        ("5.甲\n5.1.子。\n5.3.丑。\n", "clause-number-missing"),
        ("1.甲\ufffd乙。\n", "text-garbled"),
    ],
)
def test_other_oddities_are_found(text: str, code: str) -> None:
    assert code in [item.code for item in text_findings(parse_text(text))]


def test_many_missing_numbers_make_one_finding() -> None:
    messages = [str(item.message) for item in text_findings(parse_text("第一条甲。\n第三十条乙。\n"))]
    assert (
        messages[1] == "缺第二条、第三条、第四条、第五条、第六条、第七条、第八条、第九条…：“第一条”之后是“第三十条”。"
    )
