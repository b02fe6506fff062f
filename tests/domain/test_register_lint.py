from __future__ import annotations

import pytest

from controller.domain.register_lint import register_findings
from controller.file_formats.form_file import read_form
from controller.file_formats.register_file import read_register

FORMS = {
    "XX-YLQXJL-018": """
format: wenkong/form/1
number: XX-YLQXJL-018
title: 质量投诉处理记录
revision: A/0
owner: 质管部
retention: complaint
fields:
  received_at: {label: 接收时间, type: datetime}
  customer: {label: 客户, type: text}
  content: {label: 投诉内容, type: long_text, personal: sensitive}
  parts: {label: 配件, type: table, columns: {part_no: {label: 配件编号, type: text}}}
stages:
  registered: {label: 已登记, by: [any]}
""",
    "XX-YLQXJL-010": """
format: wenkong/form/1
number: XX-YLQXJL-010
title: 销售记录
revision: A/0
owner: 经营部
retention: sale
fields:
  buyer: {label: 购货者, type: text}
  sale_date: {label: 销售日期, type: date}
  quantity: {label: 数量, type: decimal}
stages:
  filed: {label: 已归档, by: [any]}
""",
}
HEAD = """format: wenkong/register/1
id: TZ-07
number: XX-YLQXTZ-07
title: 质量投诉台账
revision: A/0
owner: 质管部
"""
LIST = HEAD + "forms: [XX-YLQXJL-018]\ncolumns: [{key: customer, label: 客户}]\n"
RATE = "statistics: [{id: a, label: 甲, kind: ratio, "
SALES = "lookups: {sales: {form: XX-YLQXJL-010, match: {buyer: customer}, take: sum, value: quantity}}\n"


def findings(text: str) -> list[tuple[str, str, str | None]]:
    forms = {number: read_form(form, {}, where="form.yml") for number, form in FORMS.items()}
    register = read_register(text, where="register.yml")
    return [(f.code, str(f.message), str(f.hint) if f.hint else None) for f in register_findings(register, forms)]


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "row_if: stage == 'registered' and record.late and received_at < now\n",
        "each: parts\none_row_per: [row.part_no]\n",
        SALES + "row_if: sales is none\n",
        "row_if: linked(customer).anything is none and year_month(received_at) == '2026-05'\n",
        RATE + "denominator: {form: XX-YLQXJL-010, sum: quantity, period: sale_date}}]\n",
    ],
)
def test_what_the_forms_have_may_be_used(rest: str) -> None:
    assert findings(LIST + rest) == []


@pytest.mark.parametrize(
    ("rest", "code", "hint"),
    [
        ("row_if: custmer is none\n", "register-name", "是否想写 customer？"),
        ("row_if: record.stage_lable == ''\n", "register-name", "是否想写 record.stage_label？"),
        ("row_if: record['openedat'] is none\n", "register-name", "是否想写 record.opened_at？"),
        ("row_if: filled(content)\n", "register-sensitive", "改用不涉及个人的字段。"),
        ("row_if: year_mont(received_at) == ''\n", "register-name", "是否想写 year_month？"),
        ("row_if: row.part_no is none\n", "register-name", None),
        ("each: parts\nrow_if: row.partno is none\n", "register-name", "是否想写 row.part_no？"),
        ("each: customer\n", "register-each", None),
        ("period: customer\n", "register-period", None),
        ("period: recieved_at\n", "register-name", "是否想写 received_at？"),
        (SALES.replace("buyer", "byer"), "register-name", "是否想写 buyer？"),
        (SALES.replace("value: quantity", "value: quantty"), "register-name", "是否想写 quantity？"),
        (SALES.replace("XX-YLQXJL-010", "XX-YLQXJL-011"), "register-form-unknown", "是否想写 XX-YLQXJL-018？"),
        (SALES.replace("sales:", "customer:"), "register-name", None),
        ("statistics: [{id: a, label: 甲, kind: sum, value: quantity}]\n", "register-name", None),
        (
            RATE + "denominator: {form: XX-YLQXJL-010, sum: customer}}]\n",
            "register-name",
            None,
        ),
    ],
)
def test_what_the_forms_do_not_have_is_found_with_the_nearest_name(rest: str, code: str, hint: str | None) -> None:
    found = findings(LIST + rest)
    assert found
    assert (code, hint) in [(item[0], item[2]) for item in found] or (hint is None and code in [i[0] for i in found])


def test_a_register_of_an_unknown_form_is_found() -> None:
    text = LIST.replace("[XX-YLQXJL-018]", "[XX-YLQXJL-019]").replace("customer", "record_number")
    assert findings(text)[0][:2] == ("register-form-unknown", "台账：没有表单 XX-YLQXJL-019")


def test_documents_have_parts_that_come_with_later_work_and_no_others() -> None:
    source = HEAD + "source: documents\ncolumns: [{key: a, label: 甲, value: document.approved_on}]\n"
    assert findings(source) == []
    assert [item[2] for item in findings(source.replace("approved_on", "aproved_on"))] == [
        "是否想写 document.approved_on？"
    ]
