"""Reading form.yml and blocks: what comes out, and every kind of mistake with its line."""

from __future__ import annotations

import pytest

from controller.domain.conformity import Gravity
from controller.domain.form import FieldType
from controller.file_formats.form_file import FormFileError, examine_form, read_form
from tests.form_samples import BLOCK, FORM, sample_form

SMALL = """\
format: wenkong/form/1
number: AB-YLQXJL-002
title: 小表
revision: A/0
owner: 质管部
retention: visit
fields:
  what: {label: 内容, type: text, required: true}
stages:
  filed: {label: 已归档}
"""


def findings(text: str, blocks: dict[str, str] | None = None) -> list[tuple[str, int | None, str]]:
    """Return code, line and message of every finding."""
    reading = examine_form(text, blocks or {}, where="form.yml")
    return [(item.code, item.line, str(item.message)) for item in reading.findings]


def test_block_fields_come_first_with_the_overrides_of_the_form() -> None:
    form = sample_form()
    assert [field.key for field in form.fields][:4] == ["goods_name", "lot_no", "serial_no", "made_on"]
    serial = form.field("serial_no")
    assert serial is not None
    assert (serial.block, serial.max_length) == ("goods", 10)
    called = form.field("called_at")
    assert called is not None
    assert called.block is None


def test_required_true_in_a_block_means_the_first_stage() -> None:
    name = sample_form().field("goods_name")
    assert name is not None
    assert name.required_from == "opened"


def test_a_left_out_block_field_takes_the_block_rules_about_it_along() -> None:
    text = FORM.replace("  serial_no: {max_length: 10}", "  made_on: {omit: true}\n  scan: {omit: true}")
    form = read_form(text, {"goods": BLOCK}, where="form.yml")
    assert form.field("made_on") is None
    assert "expiry-after-production" not in [rule.id for rule in form.rules]


def test_an_override_may_take_a_requirement_away() -> None:
    form = read_form(
        FORM.replace("serial_no: {max_length: 10}", "goods_name: {required: null}"), {"goods": BLOCK}, where="form.yml"
    )
    name = form.field("goods_name")
    assert name is not None
    assert name.required_from is None


def test_a_form_with_an_event_gets_the_field_for_late_entry() -> None:
    assert sample_form().fields[-1].key == "late_entry_reason"
    assert sample_form().fields[-1].type is FieldType.LONG_TEXT
    assert read_form(SMALL, {}, where="form.yml").field("late_entry_reason") is None


def test_the_first_text_field_names_the_record_when_nothing_else_is_said() -> None:
    assert sample_form().subject == "goods_name"


def test_unknown_top_level_keys_are_kept_and_told() -> None:
    reading = examine_form(SMALL + "colour: 红\n", {}, where="form.yml")
    assert reading.definition is not None
    assert reading.definition.extra == {"colour": "红"}
    assert [(item.code, item.gravity, item.line) for item in reading.findings] == [
        ("definition-key-unknown", Gravity.WARNING, 11)
    ]


@pytest.mark.parametrize(
    ("old", "new", "code", "line", "words"),
    [
        ("number: AB-YLQXJL-002", "number: 2号", "definition-value", 2, "不是有效的文件编号"),
        ("number: AB-YLQXJL-002", "number: AB-YLQXCX-002", "form-number", 2, "不是表单编号"),
        ("revision: A/0", "revision: 1.0", "definition-value", 4, "不是有效的版本"),
        ("title: 小表\n", "", "definition-key-missing", None, "缺少 title"),
        ("format: wenkong/form/1", "format: wenkong/form/9", "definition-format", 1, "format 应为"),
        ("type: text", "type: txt", "field-type", 8, "没有类型“txt”"),
        ("type: text", "type: text, requierd: true", "definition-key-unknown", 8, "不认识的键 requierd"),
        ("type: text", "type: text, choices: [甲]", "field-attribute", 8, "choices 不能用于类型 text"),
        ("type: text", "type: choice", "definition-key-missing", 8, "缺少 choices"),
        ("type: text", "type: choice, choices: [甲, 甲]", "definition-value", 8, "重复的项：甲"),
        ("type: text", "type: choice, choices: [true]", "definition-value", 8, "应为文字的列表"),
        ("type: text, required: true", "type: computed", "definition-key-missing", 8, "缺少 value"),
        ("type: text", "type: computed, value: '1'", "field-attribute", 8, "计算字段不能写 required"),
        ("type: text", "type: table", "definition-key-missing", 8, "缺少 columns"),
        ("type: text", "type: integer, min: 一", "definition-value", 8, "min 不是整数"),
        ("type: text", "type: date, max: tomorrow", "definition-value", 8, "max 应为日期"),
        ("type: text", "type: text, max_length: 0", "definition-value", 8, "max_length 应为"),
        ("type: text", "type: text, pattern: {regex: '(a+)+', message: x}", "pattern-unsafe", 8, "互相嵌套"),
        ("type: text", "type: text, required_if: a ==", "expression-syntax", 8, "required_if 的表达式有误"),
        ("required: true", "required: filled", "stage-unknown", 8, "阶段“filled”不存在"),
        ("required: true", "required_from: filed", "field-attribute", 8, "只与 required_if 一起用"),
        ("  what:", "  What:", "field-key", 8, "字段名 What 不可用"),
        ("  what:", "  today:", "field-key", 8, "由系统使用"),
        ("label: 内容, ", "", "definition-key-missing", 8, "缺少 label"),
        ("{label: 已归档}", "{label: 已归档}\n  later: {label: 以后, after: x}", "stage-unknown", 11, "阶段“x”不存在"),
        ("{label: 已归档}", "{label: 已归档}\n  later: {label: 以后}", "stage-order", 11, "缺少 after"),
        ("label: 已归档", "label: 已归档, guard: what ==", "expression-syntax", 10, "guard 的表达式有误"),
        ("stages:\n  filed: {label: 已归档}\n", "", "definition-key-missing", None, "缺少 stages"),
        ("retention: visit", "retention: visit\nevent_time: what", "definition-value", 7, "应指向日期或时间字段"),
        ("retention: visit", "retention: visit\nsubject: whatt", "field-unknown", 7, "字段 whatt 不存在"),
        ("retention: visit", "retention: visit\nblocks: [goods]", "block-unknown", 7, "没有公用块“goods”"),
        ("retention: visit", "retention: visit\norientation: 横", "definition-value", 7, "的值“横”不可用"),
        ("retention: visit", "retention: visit\nquick: 是", "definition-value", 7, "应为 true 或 false"),
        ("fields:\n", "fields:\n\twhat: 1\n", "yaml-tab", 8, "制表符"),
        ("fields:\n", "fields:\n  what: {label: 甲, type: text}\n", "yaml-duplicate-key", 9, "键“what”重复"),
        (
            "stages:",
            "rules:\n  - {id: r, check: what ==, message: m}\nstages:",
            "expression-syntax",
            10,
            "check 的表达式有误",
        ),
        ("stages:", "rules:\n  - {id: r, message: m}\nstages:", "definition-key-missing", 10, "缺少 check"),
        (
            "stages:",
            "rules:\n  - {id: r, check: what, message: m, fields: [wat]}\nstages:",
            "field-unknown",
            10,
            "字段 wat",
        ),
        ("stages:", "sections:\n  - {title: 一, fields: [wat]}\nstages:", "field-unknown", 10, "字段 wat 不存在"),
        (
            "stages:",
            "signatures:\n  - {key: s, label: 人, meaning: 记录, stage: x}\nstages:",
            "stage-unknown",
            10,
            "阶段“x”",
        ),
    ],
)
def test_every_mistake_is_told_with_its_line(old: str, new: str, code: str, line: int | None, words: str) -> None:
    assert old in SMALL
    found = findings(SMALL.replace(old, new, 1))
    assert [(item[0], item[1]) for item in found] == [(code, line)]
    assert words in found[0][2]


def test_all_mistakes_are_told_at_once() -> None:
    text = SMALL.replace("type: text", "type: txt").replace("label: 已归档", "label: 已归档, by: [any], gaurd: x")
    assert [item[0] for item in findings(text)] == ["definition-key-unknown", "field-type"]


def test_a_comma_in_an_unquoted_expression_is_explained() -> None:
    text = SMALL.replace("stages:", "  n: {label: 数, type: computed, value: days_between(today, today)}\nstages:")
    reading = examine_form(text, {}, where="form.yml")
    assert any("加引号" in str(item.hint) for item in reading.findings)


def test_a_mistake_in_a_block_points_into_the_block_and_one_in_an_override_into_the_form() -> None:
    broken = BLOCK.replace("type: bool}", "type: boole}")
    in_block = examine_form(FORM, {"goods": broken}, where="form.yml").findings
    assert (in_block[0].path, in_block[0].line) == ("templates/blocks/goods.yml", 10)
    in_form = examine_form(FORM.replace("max_length: 10", "max_length: x"), {"goods": BLOCK}, where="form.yml").findings
    assert (in_form[0].path, in_form[0].line) == ("form.yml", 11)


def test_a_form_that_cannot_be_used_is_refused_with_all_findings() -> None:
    with pytest.raises(FormFileError) as caught:
        read_form(SMALL.replace("type: text", "type: txt"), {}, where="form.yml")
    assert caught.value.where == "form.yml:8"
    assert len(caught.value.findings) == 1
