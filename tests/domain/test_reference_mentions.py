"""What a sentence refers to, and what only looks like it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.chinese_numeral import write_numeral
from controller.domain.reference_mentions import article_number, mentions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("按《售后程序》第5.3条提交", [("售后程序", "", "", ("第5.3条",))]),
        ("《规范》第一百零四条、第一百零五条。", [("规范", "", "", ("第一百零四条", "第一百零五条"))]),
        ("见 XX-YLQXCX-015《投诉程序》（A/0）5.3", [("投诉程序", "XX-YLQXCX-015", "A/0", ("5.3",))]),
        ("《投诉程序》（XX-YLQXCX-015，A/1）", [("投诉程序", "XX-YLQXCX-015", "A/1", ())]),
        ("填写JL-018和TZ-07", [("", "JL-018", "", ()), ("", "TZ-07", "", ())]),
        ("WL-R3 第二十条", [("", "WL-R3", "", ("第二十条",))]),
        ("按5.2执行，见第十条", [("", "", "", ("5.2",)), ("", "", "", ("第十条",))]),
        ("按照本程序5.1至5.3办理", [("", "", "", ("5.1", "5.3"))]),
        ("违反第十条第二款第（三）项", [("", "", "", ("第十条第二款第（三）项",))]),
        ("《甲条例》规定，该条例第六条", [("甲条例", "", "", ()), ("甲条例", "", "", ("第六条",))]),
        ("执行该办法第三十条", []),
        ("记录 XX-YLQXJL-018-2026-0001，标准 YY/T 0287-2017 4.2.4", []),
        ("温度按2.5小时、2.8℃和3.5版控制，第三条线", []),
    ],
)
def test_titles_numbers_and_clauses_are_found(text: str, expected: list[tuple[str, str, str, tuple[str, ...]]]) -> None:
    assert [(item.title, item.number, item.revision, item.articles) for item in mentions(text)] == expected


@given(value=st.integers(1, 999), chinese=st.booleans(), part=st.sampled_from(("", "第二款", "（三）项")))
def test_a_clause_number_is_read_however_it_is_written(value: int, chinese: bool, part: str) -> None:
    written = f"第{write_numeral(value) if chinese else value}条{part}"
    (found,) = mentions(f"具体见{written}办理")
    assert [article_number(item) for item in found.articles] == [(value,)]


@given(st.text(alphabet="《》（）第条款项一二十5.3A/0XCXJL-YLQ14按见、至和 ", max_size=60))
def test_no_text_breaks_the_reading(text: str) -> None:
    found = mentions(text)
    assert [item.start for item in found] == sorted({item.start for item in found})
