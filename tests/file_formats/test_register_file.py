from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from controller.domain.register import ColumnType, Source, StatisticKind, Take
from controller.file_formats.register_file import RegisterFileError, examine_register, read_register

HEAD = """format: wenkong/register/1
id: TZ-07
number: XX-YLQXTZ-07
title: 质量投诉台账
revision: A/0
owner: 质管部
"""
BODY = """forms: [XX-YLQXJL-018]
columns:
  - {key: customer, label: 客户}
"""
FIGURE = HEAD + BODY + "statistics: [{id: a, label: 甲, "
LIBRARY = Path(__file__).resolve().parents[2] / "templates" / "registers"


def problems(text: str) -> list[tuple[int | None, str, str | None]]:
    reading = examine_register(text, where="register.yml")
    return [(f.line, f.code, str(f.hint) if f.hint else None) for f in reading.findings]


def test_a_small_register_has_sensible_defaults() -> None:
    register = read_register(HEAD + BODY, where="register.yml")
    (column,) = register.columns
    assert (register.source, register.forms, register.period) == (
        Source.RECORDS,
        ("XX-YLQXJL-018",),
        "record.opened_at",
    )
    assert (column.value.text, column.field_name, column.type, column.width) == ("customer", "customer", None, None)
    assert register.available


def test_everything_that_can_be_written_is_read() -> None:
    text = (
        HEAD
        + """source: records
forms: all
note: 每月打印
row_if: stage != 'x'
period: received_at
one_row_per: customer
each: parts
lookups:
  sales: {form: XX-YLQXJL-010, match: {buyer: customer}, take: sum, value: quantity, where: quantity > 0}
columns:
  - {key: part, label: 配件, value: row.part_no, type: text, width: 12}
statistics:
  - id: rate
    label: 投诉率
    kind: ratio
    of: filled(customer)
    where: 'true'
    scale: permille
    digits: 2
    numerator: {where: filled(x), sum: y}
    denominator: {form: XX-YLQXJL-010, sum: quantity, period: sale_date}
    note: 说明
    basis: 企业自定
    should_be: 0.5
  - {id: again, label: 重复, kind: recurrence, by: [a, b], date: d, days: 90, without: true}
"""
    )
    register = read_register(text, where="register.yml")
    (lookup,), (rate, again) = register.lookups, register.statistics
    assert (register.all_forms, register.forms, register.each) == (True, (), "parts")
    assert [item.text for item in register.one_row_per] == ["customer"]
    assert (lookup.take, lookup.forms, {k: v.text for k, v in lookup.match.items()}) == (
        Take.SUM, ("XX-YLQXJL-010",), {"buyer": "customer"},
    )  # fmt: skip
    assert register.columns[0].type is ColumnType.TEXT
    assert rate.denominator is not None
    assert (rate.kind, rate.scale, rate.digits, rate.should_be) == (StatisticKind.RATIO, "permille", 2, Decimal("0.5"))
    assert (rate.denominator.form, rate.denominator.period) == ("XX-YLQXJL-010", "sale_date")
    assert ([item.text for item in again.by], again.days, again.without) == (["a", "b"], 90, True)


@pytest.mark.parametrize(
    ("text", "line", "code", "hint"),
    [
        (HEAD + BODY + "sorce: records\n", 10, "definition-key-unknown", "是否想写 source？"),
        (HEAD + BODY + "source: record\n", 10, "definition-value", "是否想写 records？"),
        (HEAD.replace("TZ-07\nnum", "第七\nnum") + BODY, 2, "register-id", "例如 TZ-07。"),
        (HEAD.replace("XX-YLQXTZ-07", "XX-YLQXJL-007") + BODY, 3, "register-number", None),
        (HEAD.replace("register/1", "register/9") + BODY, 1, "definition-format", None),
        (HEAD + BODY.replace("customer,", "customer, witdh: 3,"), 9, "definition-key-unknown", "是否想写 width？"),
        (HEAD + BODY + "  - {key: customer, label: 又}\n", 10, "register-key", "换一个名称。"),
        (HEAD + BODY.replace("key: customer", "key: ../x"), 9, "register-key", None),
        (HEAD + BODY + "row_if: a ==\n", 10, "expression-syntax", None),
        (HEAD + BODY + "row_if: customer.__class__\n", 10, "expression-syntax", None),
        (HEAD + "columns: [{key: a, label: 甲}]\n", None, "definition-key-missing", "列出表单编号，或写 forms: all。"),
        (FIGURE + "kind: mean}]\n", 10, "definition-key-missing", None),
        (FIGURE + "kind: avg, value: x}]\n", 10, "definition-value", None),
        (FIGURE + "kind: cluster, date: d}]\n", 10, "definition-key-missing", None),
        (FIGURE + "kind: count, should_be: 没有}]\n", 10, "definition-value", None),
        (FIGURE + "kind: sum, value: x, by: [a, b]}]\n", 10, "definition-value", None),
        (HEAD + BODY + "lookups: {a: {form: XX-YLQXJL-010, take: count}}\n", 10, "definition-key-missing", None),
        (HEAD + BODY.replace("XX-YLQXJL-018", "XX-YLQXJL-018") + "each: [a]\n", 10, "definition-value", None),
        (HEAD + "source: documents\neach: parts\n" + BODY[24:], 8, "definition-value", None),
        (HEAD + BODY + "title: 又一个\n", 10, "yaml-duplicate-key", None),
        ("- 列表\n", 1, "definition-value", None),
    ],
)  # fmt: skip
def test_every_slip_is_found_with_its_line(text: str, line: int | None, code: str, hint: str | None) -> None:
    found = problems(text)
    assert (line, code) in [(item[0], item[1]) for item in found]
    if hint is not None:
        assert hint in [item[2] for item in found]


def test_a_register_with_errors_is_refused_with_all_of_them() -> None:
    with pytest.raises(RegisterFileError) as caught:
        read_register(HEAD + BODY + "sorce: x\nrow_if: a ==\n", where="register.yml")
    assert len(caught.value.findings) == 2
    assert caught.value.where == "register.yml:10"


def test_the_starter_librarys_sixteen_registers_can_be_read() -> None:
    files = sorted(LIBRARY.glob("*/register.yml"))
    registers = [read_register(path.read_text(encoding="utf-8"), where=path.name) for path in files]
    assert [register.id for register in registers] == [f"TZ-{number:02d}" for number in range(1, 17)]
    assert [register.id for register in registers] == [path.parent.name for path in files]
