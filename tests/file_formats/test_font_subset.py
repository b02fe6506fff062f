"""Subsets of the packaged Chinese font; that they print is seen in `tests/adapters/test_pdf_signing.py`."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.adapters.pdf_lettering import FONT, chinese_font
from controller.file_formats.font_subset import ChineseFont, FontUnusableError


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x2FFFF, exclude_categories=["Cs"]), max_size=40))
def test_any_text_gives_the_same_small_font_each_time(text: str) -> None:
    font = chinese_font()
    subset = font.subset(text)
    assert subset == font.subset(text[::-1])
    assert sorted(subset.numbers) == sorted(set(text))
    assert sorted(subset.numbers.values()) == list(range(1, len(set(text)) + 1))
    assert len(subset.widths) == len(set(text)) + 1
    assert len(subset.program) < 2_000 + 2_000 * len(set(text))


def test_chinese_characters_are_as_wide_as_high_and_letters_narrower() -> None:
    assert chinese_font().widths("签署，") == [1000, 1000, 1000]
    assert all(200 < width < 1000 for width in chinese_font().widths("Ai0"))


@pytest.mark.parametrize("data", [b"", b"ttcf", b"ttcf\x00\x02\x00\x00\x00\x00\x00\x09", b"OTTO" + bytes(200)])
def test_what_is_no_such_font_is_refused(data: bytes) -> None:
    with pytest.raises(FontUnusableError):
        ChineseFont(memoryview(data), FONT)
