"""Words of a definition in a template print themselves and never act."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Template

from controller.adapters.template_text import literal_text, string_literal


@pytest.mark.parametrize("text", ["{{ 7 * 7 }}", "{% raw %}", "{# 注 #}", "{{{{", "{%{{{#", "电话", "a{b}c"])
def test_a_label_with_template_marks_prints_itself(text: str) -> None:
    assert Template(literal_text(text)).render() == text


@pytest.mark.parametrize("text", ["“引号”", "a'b\"c", "5=非常满意", "<&>", "\\", "{{ x }}", "𠀀", "否-已有同类调查"])
def test_a_choice_becomes_a_literal_that_no_rewriting_of_quotes_can_change(text: str) -> None:
    literal = string_literal(text)
    assert not set(literal[1:-1]) & set("“”‘’\"'<>&{}%")
    assert Template(f"{{{{ {literal} }}}}").render() == text


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30))
def test_any_text_survives_both_ways(text: str) -> None:
    assert Template(literal_text(text), keep_trailing_newline=True).render() == text
    assert Template(f"{{{{ {string_literal(text)} }}}}").render() == text
