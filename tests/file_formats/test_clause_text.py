from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.domain.clause import Aside, AsideKind, Clause, Island, Table
from controller.domain.clause import NumberingStyle as Style
from controller.domain.identifiers import Digest
from controller.file_formats.clause_text import (
    island_line,
    parse_text,
    print_text,
    table_text,
)
from controller.file_formats.text_encoding import decode_text, encode_text
from tests.invented_documents import (
    BLOB,
    CALIBRATION,
    DISINFECTION,
    DISINFECTION_NUMBERED,
    HEAD,
    KEYS,
    SAMPLES_LENT,
    SHOWROOM,
    SPARE_PARTS,
    TRAINING,
    VISITS,
)


def outline(text: str) -> list[tuple[int, str, str]]:
    """Return level, label and the first characters of every clause of the only document in `text`."""
    (segment,) = parse_text(text).segments
    return [(clause.level, clause.label, clause.text[:6]) for clause in segment.clauses]


def test_a_blob_is_split_into_its_documents_with_their_lines_titles_and_numbers() -> None:
    parsed = parse_text(BLOB)
    assert [(s.first_line, s.last_line, s.number, s.title) for s in parsed.segments] == [
        (5, 10, None, "样机借用管理程序"),
        (11, 18, None, "展厅设备保养制度"),
        (19, 23, None, "仓库钥匙管理规程"),
        (24, 29, None, "仪器校准管理的规定"),
        (30, 37, None, "培训中心管理制度范本"),
        (38, 44, None, "客户走访程序"),
        (45, 50, None, None),
        (51, 57, None, "退机消毒管理程序(2021年文件汇编)"),
        (58, 65, "AB-YLQXCX-031", "退机消毒管理程序"),
    ]
    assert "".join(piece.source for piece in parsed.head) == HEAD
    assert {piece.kind for piece in parsed.head if isinstance(piece, Aside)} == {AsideKind.PAGE_METADATA}
    assert [segment.source for segment in parsed.segments] == [
        SAMPLES_LENT,
        SHOWROOM,
        KEYS,
        CALIBRATION,
        TRAINING,
        VISITS,
        SPARE_PARTS,
        DISINFECTION,
        DISINFECTION_NUMBERED,
    ]
    assert print_text(parsed) == BLOB


def test_a_title_run_together_with_chinese_and_arabic_numbers_is_taken_apart() -> None:
    assert outline(SAMPLES_LENT) == [
        (1, "一、", "借用前的准备"),
        (2, "1.", "登记样机:登"),
        (2, "2.", "检查样机:通"),
        (1, "二、", "借用与归还"),
        (2, "1.", "借出:借用人"),
        (2, "2.", "归还:按照第"),
        (2, "3.", "消毒:归还后"),
    ]


def test_numbers_inside_sentences_stay_text() -> None:
    (segment,) = parse_text(SAMPLES_LENT).segments
    texts = [clause.text for clause in segment.clauses]
    assert texts[2] == "检查样机:通电检查3.5mm接口和电池,电量不低于80分。"
    assert texts[4] == "借出:借用人签字领取,借期不超过2020年版合同约定的天数。"
    assert texts[5] == "归还:按照第5.3条和附件(1)的要求清点附件,缺件当场写明。"


@pytest.mark.parametrize(
    "sentence",
    [
        "误差不超过0.5%,重复性优于1.2倍。",
        "按照5.1条和第5.3条执行,详见附件(1)、附件(2)。",
        "二、三类医疗器械分区存放。",
        "得分在80、90分之间的重新考核。",
        "依照第三条规定的期限和第四条、第五条的要求办理。",
        "接口为3.5mm,软件版本为V2.1.3。",
        "2020年起每年校准1次,周期12个月。",
        "其一、其二各有侧重。",
        "执行GB9706.1标准和YY/T0287。",
    ],
)
def test_a_wrapped_or_continuing_line_with_numbers_begins_no_clause(sentence: str) -> None:
    (segment,) = parse_text(
        f"1.目的:说明。\n2.要求:应当符合下列规定并且保持记录完整,\n{sentence}\n3.记录:保存。\n"
    ).segments
    assert [clause.label for clause in segment.clauses] == ["1.", "2.", "3."]
    assert segment.clauses[1].text.endswith(sentence)


def test_text_lines_without_a_number_continue_the_clause_above() -> None:
    (segment,) = parse_text(SHOWROOM).segments
    daily = next(clause for clause in segment.clauses if clause.text.startswith("每日保养"))
    assert daily.text == "每日保养开馆前擦拭外壳,检查电源。\n外壳有划痕的除外。"
    assert (daily.span.line, daily.span.last_line) == (3, 4)


def test_a_list_in_parentheses_below_a_heading_is_one_level_deeper() -> None:
    assert outline(SHOWROOM)[4:8] == [
        (2, "2.", "每月保养流程"),
        (3, "(1)", "断电并悬挂标"),
        (3, "(2)", "清洁滤网,更"),
        (3, "(3)", "填写保养卡片"),
    ]


def test_chapters_and_articles_count_on_and_missing_ones_are_not_made_up() -> None:
    assert [(level, label) for level, label, _text in outline(KEYS)] == [
        (1, "第一章"), (2, "第一条"), (2, "第二条"), (1, "第二章"), (2, "第三条"), (2, "第五条"), (2, "第六条"),
    ]  # fmt: skip


def test_an_article_with_a_list_in_one_line_is_taken_apart() -> None:
    (segment,) = parse_text(CALIBRATION).segments
    fourth = [clause for clause in segment.clauses if clause.span.line == 4]
    assert [(clause.label, clause.style, clause.text) for clause in fourth] == [
        ("第四条", Style.ARTICLE, "下列仪器应当校准:"),
        ("(一)", Style.PAREN_CHINESE, "温湿度记录仪;"),
        ("(二)", Style.PAREN_CHINESE, "电子天平;"),
        ("(三)", Style.PAREN_CHINESE, "验证用的数据记录仪。"),
    ]


def test_decimal_numbers_hang_below_chinese_ones() -> None:
    assert [(level, label) for level, label, _text in outline(TRAINING)] == [
        (1, "一、"), (2, "1.1"), (2, "1.2"),
        (1, "二、"), (2, "2.1"), (2, "2.2"), (3, "2.2.1"), (3, "2.2.2"),
        (1, "三、"), (2, "3.1"), (3, "3.1.1"), (3, "3.1.2"), (2, "3.2"), (3, "3.2.1"),
    ]  # fmt: skip


def test_a_title_that_the_first_sentence_repeats_is_found() -> None:
    (segment,) = parse_text(VISITS).segments
    assert segment.title == "客户走访程序"
    assert segment.clauses[0].style is Style.NONE
    assert segment.clauses[0].text.startswith("客户走访程序是指")


def test_a_document_number_is_told_from_the_title_and_a_footer_is_no_clause() -> None:
    (segment,) = parse_text(DISINFECTION_NUMBERED).segments
    assert (segment.number, segment.title) == ("AB-YLQXCX-031", "退机消毒管理程序")
    assert [(clause.level, clause.label, clause.number) for clause in segment.clauses][3:] == [
        (1, "4.", (4,)),
        (2, "4.1.", (4, 1)),
        (2, "4.2.", (4, 2)),
    ]
    last = segment.pieces[-1]
    assert isinstance(last, Aside)
    assert (last.kind, last.text) == (AsideKind.PAGE_MARK, "第7 页共12。")


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("（一）甲。\n（二）乙。\n", ["（一）", "（二）"]),
        ("１．甲\n２．乙\n", ["１．", "２．"]),
        ("1、甲\r\n2、乙\r\n", ["1、", "2、"]),
        ("①甲。\n②乙。\n", ["①", "②"]),
        ("第十五条甲。\n第十五条之一乙。\n第一百零二条丙。\n", ["第十五条", "第十五条之一", "第一百零二条"]),
        ("　　一、甲\n　　二、乙\n", ["一、", "二、"]),
        ("第一条甲。第二条乙。第三条丙。", ["第一条", "第二条", "第三条"]),
        ("1.甲:(1)子;(2)丑;(3)寅。2.乙。", ["1.", "(1)", "(2)", "(3)", "2."]),
        ("5.内容:\n5.1.甲\n5.1.1.子\n5.2.乙\n6.记录:\n", ["5.", "5.1.", "5.1.1.", "5.2.", "6."]),
    ],
)
def test_every_numbering_style_is_read_as_typed(text: str, labels: list[str]) -> None:
    (segment,) = parse_text(text).segments
    assert [clause.label for clause in segment.clauses] == labels


@pytest.mark.parametrize("words", ["及时告知", "与供货者签约", "到期停售", "个人防护", "日常检查"])
def test_a_number_with_its_point_begins_a_clause_whatever_word_follows(words: str) -> None:
    (segment,) = parse_text(f"5.内容\n5.1.登记。\n5.2.{words}。\n5.3.归档。\n").segments
    assert [clause.label for clause in segment.clauses] == ["5.", "5.1.", "5.2.", "5.3."]


@pytest.mark.parametrize("words", [" 及时告知", " 个人防护", "日常检查"])
def test_the_expected_number_begins_a_clause_also_without_a_point(words: str) -> None:
    (segment,) = parse_text(f"5.内容\n5.1 登记。\n5.2{words}。\n5.3 归档。\n").segments
    assert [clause.label for clause in segment.clauses] == ["5.", "5.1", "5.2", "5.3"]


def test_control_lines_below_the_title_are_no_clauses() -> None:
    text = "AB-YLQXZD-002校准管理制度\n版本:A/0\n批准人:张三\n一、目的\n规范校准。\n版本:以封面为准。\n"
    (segment,) = parse_text(text).segments
    assert [piece.text for piece in segment.pieces if isinstance(piece, Aside)] == ["版本:A/0", "批准人:张三"]
    assert [clause.text for clause in segment.clauses] == ["目的\n规范校准。\n版本:以封面为准。"]


def test_a_table_between_bars_is_read_with_its_heading_and_escapes() -> None:
    rows = (("项目", "要求"), ("温度|湿度", "2~8℃\n35%~75%"), ("路径", "C:\\a"))
    text = "1.条件如下:\n" + table_text(rows, header=True) + "2.记录:保存。\n"
    (segment,) = parse_text(text).segments
    table = segment.pieces[1]
    assert isinstance(table, Table)
    assert (table.rows, table.header) == (rows, True)
    assert text.splitlines()[1:3] == ["|项目|要求|", "|---|---|"]
    assert [clause.label for clause in segment.clauses] == ["1.", "2."]
    assert print_text(parse_text(text)) == text


def test_an_island_is_a_line_with_its_digest() -> None:
    digest = Digest.of(b"picture")
    (segment,) = parse_text("1.流程见图。\n" + island_line(digest, "流程〔图〕") + "2.记录。\n").segments
    island = segment.pieces[1]
    assert isinstance(island, Island)
    assert (island.digest, island.caption) == (digest, "流程 图")


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("1.目的。\n".encode(), "utf-8"),
        ("\ufeff1.目的。\r\n".encode(), "utf-8"),
        ("1.目的。\n".encode("gb18030"), "gb18030"),
        ("\ufeff1.目的。\n".encode("utf-16-le"), "utf-16-le"),
        (b"1.\xff\xff\x81", "utf-8-damaged"),
    ],
)
def test_a_file_in_any_usual_encoding_is_read_and_given_back(data: bytes, encoding: str) -> None:
    text, found = decode_text(data)
    assert found == encoding
    assert encode_text(print_text(parse_text(text)), found) == data


@given(st.binary(max_size=80))
def test_any_bytes_come_back_unchanged(data: bytes) -> None:
    text, encoding = decode_text(data)
    assert encode_text(print_text(parse_text(text)), encoding) == data


_BLANKS = "\ufeff \t\u3000\xa0"
_ODD = "\n \r\n \r \u2028 \x85 \x00 \ufeff \u3000 \\ \ud800 | |甲|乙| |---| -格式:pdf 第3页共9页 版本:A/0"
_NUMBERS = (
    "一、 二、 1. 2. 1、 (1) （2） (一) 第一章 第一条 第三条 5.1. 2.3.1 ① 3.5mm 总则 维修管理制度 AB-YLQXCX-014 。 : ;"
)
_scraps = st.sampled_from(f"{_ODD} {_NUMBERS}".split(" ") + [" ", "〔图表 sha256:" + "a" * 64 + "〕"])  # noqa: RUF005 - reads best


@settings(max_examples=400)
@given(st.lists(st.one_of(_scraps, st.text(max_size=5)), max_size=25).map("".join))
def test_pieces_lie_end_to_end_and_print_back_as_any_text_was_typed(text: str) -> None:
    parsed = parse_text(text)
    assert print_text(parsed) == text
    position = 0
    for piece in parsed.pieces():
        assert piece.span.start == position < piece.span.end
        assert text[piece.span.start : piece.span.end] == piece.source
        assert not isinstance(piece, Clause) or (
            piece.level >= 1 and piece.source.lstrip(_BLANKS).startswith(piece.label)
        )
        position = piece.span.end
    assert position == len(text)
    assert all(segment.first_line <= segment.last_line for segment in parsed.segments)


_cells = st.text(max_size=6).map(lambda cell: cell.replace("\r", ""))


@given(
    st.integers(1, 3).flatmap(lambda width: st.lists(st.tuples(*[_cells] * width), min_size=1, max_size=4)),
    st.booleans(),
)
def test_any_table_comes_back_cell_by_cell(rows: list[tuple[str, ...]], header: bool) -> None:
    (segment,) = parse_text(table_text(tuple(rows), header=header)).segments
    (table,) = segment.pieces
    assert isinstance(table, Table)
    assert (list(table.rows), table.header) == (rows, header)
