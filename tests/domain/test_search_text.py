from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from controller.domain.search_text import FIELD_BREAK, MAX_WORDS, excerpt, search_words, tokens


def test_every_chinese_character_is_a_token_and_every_run_of_letters_or_digits_is_one() -> None:
    assert tokens("投诉XX-YLQXJL-018,温度36.5℃") == ["投", "诉", "xx", "ylqxjl", "018", "温", "度", "36", "5", "c"]


def test_full_width_letters_case_and_odd_glyphs_are_found_as_their_plain_forms() -> None:
    assert tokens("XX旳产品") == tokens("xx的产品")


def test_a_line_end_separates_fields() -> None:
    assert tokens("张三\n李四") == ["张", "三", FIELD_BREAK, "李", "四"]


def test_a_word_that_ends_in_a_chinese_character_is_closed_and_one_that_ends_in_a_digit_is_open() -> None:
    assert [(word.tokens, word.open_end) for word in search_words("质量投诉  JL-01")] == [
        (("质", "量", "投", "诉"), False),
        (("jl", "01"), True),
    ]


def test_a_query_of_signs_only_has_no_words() -> None:
    assert search_words('"*() - ¶ %_') == []


def test_more_words_than_the_limit_are_not_looked_at() -> None:
    assert len(search_words(" ".join(f"词{number}" for number in range(40)))) == MAX_WORDS


def test_an_excerpt_shows_the_found_word_on_one_line() -> None:
    text = "一" * 100 + "\n病人称面部发红\n" + "二" * 100
    shown = excerpt(text, "面部 发红", width=20)
    assert "面部发红" in shown
    assert "\n" not in shown
    assert shown.startswith("…")
    assert shown.endswith("…")


@given(st.text(max_size=200))
def test_tokens_hold_neither_blanks_nor_quotes(text: str) -> None:
    for token in tokens(text):
        assert token == FIELD_BREAK or token.isalnum() or not token.isascii()
        assert not set(token) & set(' "*\n\t')
