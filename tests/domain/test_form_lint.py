"""Lint of a form that can be read: what does not fit together, with the line to mend."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller.domain.conformity import Gravity
from controller.domain.form_lint import KnownLibrary, lint_form
from controller.file_formats.form_file import read_form
from tests.form_samples import sample_form

FORM = """\
format: wenkong/form/1
number: AB-YLQXJL-003
title: 回访表
revision: A/0
procedure: AB-YLQXCX-016
owner: 售后部
retention: visit
fields:
  visited_on: {label: 回访日期, type: date, required: true}
  kind: {label: 方式, type: choice, choices: [电话, 上门]}
  content: {label: 内容, type: text, required_if: kind == '上门'}
  next_on: {label: 下次日期, type: date}
  score: {label: 得分, type: integer, min: 0, max: 5}
  ok: {label: 满意, type: bool}
  items: {label: 明细, type: table, columns: {name: {label: 名称, type: text}, qty: {label: 数量, type: integer}}}
  ref: {label: 投诉, type: record_ref, forms: [AB-YLQXJL-018]}
rules:
  - {id: later, check: next_on is none or next_on > visited_on, message: 下次日期应晚于回访日期}
stages:
  filed: {label: 已登记, by: [clerk]}
  closed: {label: 已办结, after: filed, guard: ok, by: [manager]}
signatures:
  - {key: prepared, label: 登记人, meaning: 记录, stage: filed}
"""
LIBRARY = KnownLibrary(
    documents={"AB-YLQXCX-016"},
    forms={"AB-YLQXJL-003", "AB-YLQXJL-018"},
    posts={"clerk", "manager"},
    retention_classes={"visit"},
)
NAMES = {
    "visited_on", "boxes.kind", "content", "next_on", "score", "ok", "items", "items.no", "items.name", "items.qty",
    "ref", "record.number", "sig.prepared.name", "company.name",
}  # fmt: skip


def lint(old: str = "", new: str = "", library: KnownLibrary = LIBRARY) -> list[tuple[str, int | None]]:
    assert old in FORM
    form = read_form(FORM.replace(old, new, 1), {}, where="form.yml")
    return [(item.code, item.line) for item in lint_form(form, where="form.yml", around=library)]


def test_a_form_whose_parts_agree_has_no_findings() -> None:
    assert lint() == []
    assert lint(library=replace(LIBRARY, template_names={"word/document.xml": NAMES})) == []


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("kind == '上门'", "knd == '上门'", "name-undeclared", 11),
        ("next_on > visited_on", "next_on > visitd_on", "name-undeclared", 18),
        ("guard: ok", "guard: okay", "name-undeclared", 21),
        ("guard: ok", "guard: fild(ok)", "function-unknown", 21),
        ("kind == '上门'", "kind == '上们'", "choice-unknown", 11),
        ("kind == '上门'", "\"kind in ['上门', '来访']\"", "choice-unknown", 11),
        ("kind == '上门'", "kind == '上门' and kind == '电话'", "condition-constant", 11),
        ("kind == '上门'", "kind != '上门' or kind != '电话'", "condition-constant", 11),
        ("kind == '上门'", "score is not none and score > 5", "condition-constant", 11),
        ("next_on is none or next_on > visited_on", "next_on > visited_on", "none-compared", 18),
        ("label: 满意", "label: 得分", "label-duplicate", 13),
        ("label: 数量", "label: 名称", "label-duplicate", 15),
        ("after: filed", "after: closed", "stage-unreachable", 21),
        ("by: [manager]", "by: [manger]", "post-unknown", 21),
        ("procedure: AB-YLQXCX-016", "procedure: AB-YLQXCX-061", "number-unknown", None),
        ("forms: [AB-YLQXJL-018]", "forms: [AB-YLQXJL-081]", "number-unknown", 16),
        ("retention: visit", "retention: vist", "retention-unknown", None),
        (
            "score: {label: 得分, type: integer, min: 0, max: 5}",
            "score: {label: 得分, type: computed, value: score + 1}",
            "computed-circle",
            13,
        ),
    ],
)
def test_each_disagreement_is_found_with_its_line(old: str, new: str, code: str, line: int | None) -> None:
    found = lint(old, new)
    assert (code, line) in found
    assert {item for item, _ in found} == {code}


def test_a_withdrawn_number_is_told_apart_from_one_that_never_was() -> None:
    library = replace(LIBRARY, obsolete={"AB-YLQXCX-016"}, documents=set())
    assert lint(library=library) == [("number-obsolete", None)]


def test_a_quick_form_may_ask_for_eight_entries_at_first_and_no_more() -> None:
    more = "".join(f"  f{number}: {{label: 项{number}, type: text, required: true}}\n" for number in range(7))
    eight = FORM.replace("fields:\n", "quick: true\nfields:\n" + more, 1)
    form = read_form(eight, {}, where="form.yml")
    assert lint_form(form, where="form.yml", around=LIBRARY) == []
    nine = read_form(eight.replace("type: bool", "type: bool, required: true"), {}, where="form.yml")
    assert [item.code for item in lint_form(nine, where="form.yml", around=LIBRARY)] == ["quick-too-long"]


def test_a_misspelt_placeholder_is_told_with_the_nearest_name_and_its_part() -> None:
    names = {"word/document.xml": NAMES, "word/header1.xml": {"company.nmae"}}
    form = read_form(FORM, {}, where="templates/forms/AB-YLQXJL-003/form.yml")
    library = replace(LIBRARY, template_names=names)
    (finding,) = lint_form(form, where="templates/forms/AB-YLQXJL-003/form.yml", around=library)
    assert finding.code == "placeholder-undeclared"
    assert finding.path == "templates/forms/AB-YLQXJL-003/form.docx"
    assert str(finding.message) == "模板 word/header1.xml 用了没有声明的名称 company.nmae"
    assert str(finding.hint) == "是否想写 company.name？"


def test_a_field_or_signature_that_the_template_never_prints_is_a_warning() -> None:
    names = {"word/document.xml": NAMES - {"content", "sig.prepared.name"}}
    form = read_form(FORM, {}, where="form.yml")
    found = lint_form(form, where="form.yml", around=replace(LIBRARY, template_names=names))
    assert [(item.code, item.line, item.gravity) for item in found] == [
        ("field-not-printed", 11, Gravity.WARNING),
        ("signature-not-printed", None, Gravity.WARNING),
    ]


def test_a_field_of_a_block_points_into_the_block() -> None:
    form = sample_form()
    lot = form.field("lot_no")
    assert lot is not None
    wrong = replace(form, fields=(replace(lot, required_if="gods"), *(item for item in form.fields if item != lot)))
    library = KnownLibrary(blocks={"goods": "templates/blocks/goods.yml"})
    found = [item for item in lint_form(wrong, where="form.yml", around=library) if item.code == "name-undeclared"]
    assert [(item.path, item.line) for item in found] == [("templates/blocks/goods.yml", 6)]
