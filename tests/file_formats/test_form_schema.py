"""The published JSON Schema agrees with the checker about structure."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from controller.file_formats.form_schema import form_schema
from tests.form_samples import GOOD, check, sample_form

SCHEMA = form_schema(sample_form())
VALIDATOR = Draft202012Validator(SCHEMA)


def test_the_schema_is_a_valid_schema_of_the_dialect_it_names() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_fields_carry_label_and_choices_and_the_machine_writes_the_rest() -> None:
    assert SCHEMA["properties"]["channel"] == {"title": "方式", "type": "string", "enum": ["电话", "来访", "邮件"]}
    assert SCHEMA["properties"]["content"]["x-personal"] == "sensitive"
    assert not {"hours", "writer"} & set(SCHEMA["properties"])


def test_what_is_required_follows_the_stage() -> None:
    assert SCHEMA["required"] == ["goods_name", "called_at", "channel", "content"]
    assert "handler" in form_schema(sample_form(), stage="closed")["required"]


_good = st.fixed_dictionaries(
    {"goods_name": st.sampled_from(["输液泵", "监护仪"]), "called_at": st.just("2026-05-19 09:30")},
    optional={
        "quantity": st.one_of(st.integers(1, 100), st.integers(1, 100).map(str), st.just("待补")),
        "price": st.decimals(0, 10**6, places=2).map(str),
        "topics": st.lists(st.sampled_from(["质量", "交付", "其他"]), min_size=1, max_size=3),
        "urgent": st.just(value=False),
        "made_on": st.dates().map(lambda day: day.replace(year=2025, day=1).isoformat()),
        "handler": st.sampled_from(["李强", "p1"]),
        "helpers": st.lists(st.sampled_from(["李强", "p1"]), min_size=1),
        "code": st.from_regex(r"[A-Z]{2}[0-9]{2}", fullmatch=True),
        "earlier": st.just(["AB-YLQXJL-001-2026-0001"]),
        "sign": st.sampled_from([{"kind": "拒签", "reason": "赶时间"}]),
        "parts": st.lists(
            st.fixed_dictionaries({"part_no": st.sampled_from(["P1", "P2"]), "qty": st.integers(1, 9)}),
            min_size=1,
            max_size=3,
        ),
        "checks": st.just([{"item": "外观", "result": "合格"}, {"item": "通电", "result": "不合格"}]),
    },
)


@settings(max_examples=100)
@given(_good)
def test_what_passes_the_check_passes_the_schema_as_typed_and_as_stored(values: dict[str, Any]) -> None:
    typed = {**GOOD, **values}
    checked = check(typed)
    assert checked.ok, [str(problem.text) for problem in checked.problems]
    assert not list(VALIDATOR.iter_errors(typed))
    stored = {key: value for key, value in checked.wire.items() if key in SCHEMA["properties"]}
    assert not list(VALIDATOR.iter_errors(stored))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("colour", "红"),
        ("channel", "电活"),
        ("channel", ["电话"]),
        ("quantity", "三"),
        ("quantity", 101),
        ("quantity", 1.5),
        ("price", "1e5"),
        ("price", {}),
        ("topics", ["质量", "物流"]),
        ("urgent", "也许"),
        ("goods_name", ""),
        ("goods_name", "泵"),
        ("goods_name", "长" * 21),
        ("content", "短"),
        ("content", None),
        ("code", "ab12"),
        ("called_at", "昨天"),
        ("called_at", "待补"),
        ("earlier", ["AB-YLQXJL-002-2026-0001"]),
        ("sign", {"kind": "拒签"}),
        ("sign", {"kind": "纸质签字", "name": "张", "at": "2026-05-01"}),
        ("parts", "三个"),
        ("parts", [{"part_no": "P1"}]),
        ("parts", [{"part_no": "P1", "qty": 1, "数目": 3}]),
    ],
)
def test_what_is_structurally_wrong_fails_both(key: str, value: object) -> None:
    typed = {**GOOD, key: value}
    assert list(VALIDATOR.iter_errors(typed))
    assert not check(typed).ok
