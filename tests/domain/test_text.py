"""Messages: parameters as people read them."""

from __future__ import annotations

import pytest

from controller.domain.text import T, moment_text


def test_a_stored_moment_is_shown_as_people_read_it_wherever_it_stands() -> None:
    at = "2026-11-23T04:12:12+08:00"
    inner = T("{at} 到期", at=at)
    assert str(T("{at}；{inner}；{several}", at=at, inner=inner, several=[at])) == (
        "2026-11-23 04:12:12 +08:00；2026-11-23 04:12:12 +08:00 到期；2026-11-23 04:12:12 +08:00"
    )


@pytest.mark.parametrize("text", ["", "2026-11-23", "2026-11-23T04:12", "x2026-11-23T04:12:12+08:00", "T", "王芳"])
def test_what_is_no_moment_is_left_as_it_is(text: str) -> None:
    assert moment_text(text) == text
