"""What people type with an act: everybody can see all of it, and it has an end."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.stated_text import StatedTextError, stated_text


@pytest.mark.parametrize("text", ["a\x1b[31m红", "原因\u202e倒写", "坏\udcff字", "铃\x07", "\u2066隔离", "行\u2028行"])
def test_signs_that_nobody_sees_are_refused(text: str) -> None:
    with pytest.raises(StatedTextError, match="看不见"):
        stated_text(text)


def test_a_text_without_end_is_refused_with_its_length() -> None:
    with pytest.raises(StatedTextError, match="2001 个字，最多 2000"):
        stated_text("长" * 2001)


def test_blanks_that_come_along_with_copied_text_go_and_lines_stay() -> None:
    assert stated_text("\ufeff　新规\u200b范\t要求\r\n每半年回访　") == "新规范 要求\n每半年回访"
    assert stated_text("样机\n管理", lines=False) == "样机 管理"


@given(st.text(max_size=60))
def test_what_is_taken_is_visible_and_taken_again_unchanged(text: str) -> None:
    try:
        said = stated_text(text)
    except StatedTextError:
        return
    hidden = {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}
    assert all(sign == "\n" or unicodedata.category(sign) not in hidden for sign in said)
    assert stated_text(said) == said
