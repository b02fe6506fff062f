"""What a print shows: names for templates, boxes, tables, blanks, masks, voided records."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from controller.domain.form import Field, FieldType, FormDefinition, Personal, SignatureSlot, Stage
from controller.domain.identifiers import DocumentNumber, Revision
from controller.domain.record import Signatory
from controller.domain.record_view import RecordView, template_context
from controller.domain.template_vocabulary import TemplateVocabulary

COMPLAINT = FormDefinition(
    number=DocumentNumber("XX-YLQXJL-018"),
    title="质量投诉处理记录",
    revision=Revision("A/0"),
    procedure=DocumentNumber("XX-YLQXCX-015"),
    owner="售后服务部",
    retention="complaint",
    fields=(
        Field("content", "投诉内容", FieldType.LONG_TEXT, personal=Personal.SENSITIVE),
        Field("channel", "投诉渠道", FieldType.CHOICE, choices=("电话", "来访", "邮件")),
        Field("wishes", "诉求", FieldType.MULTI_CHOICE, choices=("维修", "退货", "赔偿")),
        Field("injury", "是否伤人", FieldType.BOOL),
        Field("quantity", "数量", FieldType.DECIMAL, unit="台"),
        Field(
            "parts",
            "配件",
            FieldType.TABLE,
            columns=(Field("name", "名称", FieldType.TEXT), Field("qty", "数量", FieldType.INTEGER)),
        ),
        Field(
            "checks",
            "检查",
            FieldType.TABLE,
            columns=(Field("item", "项目", FieldType.TEXT), Field("result", "结果", FieldType.TEXT)),
            rows=("外观", "通电"),
        ),
    ),
    stages=(Stage("registered", "已登记"), Stage("closed", "已结案", after=("registered",))),
    signatures=(
        SignatureSlot("sig_prepared", "记录人", "记录", stage="registered"),
        SignatureSlot("sig_customer", "客户", "确认"),
    ),
)
FILED = RecordView(
    number="XX-YLQXJL-018-2026-0001",
    stage_label="已登记",
    opened_at="2026-05-01T09:30:12+08:00",
    opened_by="王芳",
    values={
        "content": "手柄过热",
        "channel": "来访",
        "wishes": ["维修", "赔偿"],
        "injury": False,
        "quantity": "2.50",
        "parts": [{"name": "手柄", "qty": "1"}, {"name": "滤光片", "qty": "2"}],
    },
    signed={"registered": (Signatory("p003", "王芳", "售后主管"), "2026-05-01T09:30:12+08:00")},
)


def context(view: RecordView | None) -> dict[str, Any]:
    return template_context(COMPLAINT, view, company="某某公司")


def test_values_stand_under_their_field_names_as_they_are_printed() -> None:
    names = context(FILED)
    assert names["content"] == "手柄过热"
    assert names["quantity"] == "2.50台"
    assert names["injury"] == "否"
    assert names["checks"] == []


def test_values_for_conditions_keep_their_types() -> None:
    raw = context(FILED)["raw"]
    assert raw["quantity"] == Decimal("2.50")
    assert raw["injury"] is False
    assert raw["checks"] is None


def test_boxes_are_ticked_for_what_was_chosen() -> None:
    names = context(FILED)
    assert names["box"]["channel"] == {"电话": "□", "来访": "☑", "邮件": "□"}
    assert names["boxes"]["wishes"] == "☑\u00a0维修\u3000□\u00a0退货\u3000☑\u00a0赔偿"
    assert names["box"]["injury"] == {"是": "□", "否": "☑"}


def test_a_choice_that_the_form_no_longer_offers_stays_visible() -> None:
    names = context(replace(FILED, values={"channel": "传真"}))
    assert names["box"]["channel"]["传真"] == "☑"
    assert names["boxes"]["channel"].endswith("☑\u00a0传真")


def test_a_choice_to_be_supplied_later_is_told_beside_its_boxes() -> None:
    names = context(replace(FILED, values={"channel": {"pending": True}}))
    assert names["boxes"]["channel"] == "□\u00a0电话\u3000□\u00a0来访\u3000□\u00a0邮件\u3000待补"
    assert names["channel"] == "待补"


def test_table_rows_are_numbered_and_printed_cell_by_cell() -> None:
    assert context(FILED)["parts"] == [
        {"no": 1, "name": "手柄", "qty": "1"},
        {"no": 2, "name": "滤光片", "qty": "2"},
    ]


def test_a_blank_form_has_empty_texts_empty_boxes_and_empty_rows() -> None:
    names = context(None)
    assert names["content"] == ""
    assert names["boxes"]["channel"] == "□\u00a0电话\u3000□\u00a0来访\u3000□\u00a0邮件"
    assert [row["no"] for row in names["parts"]] == [1, 2, 3]
    assert {row["name"] for row in names["parts"]} == {""}
    assert names["checks"] == [{"no": 1, "item": "外观", "result": ""}, {"no": 2, "item": "通电", "result": ""}]
    assert names["record"]["number"] == ""
    assert names["form"]["blank"] is True
    assert names["sig"]["sig_prepared"] == {"name": "", "date": "", "meaning": "记录"}


@pytest.mark.parametrize("key", ["content", "channel", "wishes", "injury", "quantity", "parts"])
def test_a_masked_value_shows_that_there_is_one_and_nothing_of_it(key: str) -> None:
    names = context(replace(FILED, masked=frozenset({key})))
    told = repr([names[key], names["box"].get(key), names["boxes"].get(key), names["raw"][key]])
    assert "＊" in told
    for secret in ("手柄", "来访', '☑", "☑", "否", "2.50"):
        assert secret not in told.replace("'否': '＊'", "")


def test_a_masked_box_is_not_an_empty_box() -> None:
    names = context(replace(FILED, masked=frozenset({"channel"})))
    assert set(names["box"]["channel"].values()) == {"＊"}
    assert names["boxes"]["channel"] == "＊＊＊"


def test_the_record_and_its_signatures_are_named() -> None:
    names = context(FILED)
    assert names["record"] == {
        "number": "XX-YLQXJL-018-2026-0001",
        "revision": "A/0",
        "stage": "已登记",
        "opened_at": "2026-05-01 09:30",
        "opened_by": "王芳",
        "late_entry_reason": "",
        "voided": False,
    }
    assert names["sig"]["sig_prepared"] == {"name": "王芳", "date": "2026-05-01", "meaning": "记录"}
    assert names["sig"]["sig_customer"] == {"name": "", "date": "", "meaning": "确认"}
    assert names["company"] == {"name": "某某公司"}


def test_a_voided_record_says_so_beside_its_number_and_as_its_stage() -> None:
    names = context(replace(FILED, voided=True))
    assert names["record"]["number"] == "XX-YLQXJL-018-2026-0001（已作废）"
    assert names["record"]["stage"] == "已作废"
    assert names["record"]["voided"] is True


def dotted(value: object, path: str = "") -> set[str]:
    if isinstance(value, list):
        return {path} | (dotted(value[0], path) if value else set())
    if isinstance(value, dict):
        found = {name for key, item in value.items() for name in dotted(item, f"{path}.{key}" if path else str(key))}
        return found | ({path} if path else set())
    return {path}


def test_the_vocabulary_knows_exactly_the_names_a_print_has() -> None:
    vocabulary = TemplateVocabulary(COMPLAINT)
    printed = dotted(context(None)) | dotted(context(FILED))
    assert {name for name in printed if not vocabulary.knows(name)} == set()
    assert vocabulary.names - printed == {"raw.checks.item", "raw.checks.result"}


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("conten", "content"),
        ("parts.qyt", "parts.qty"),
        ("box.channel.电活", "box.channel.电话"),
        ("record.numbr", "record.number"),
        ("sig.sig_prepared.nam", "sig.sig_prepared.name"),
    ],
)
def test_a_wrong_name_has_a_nearest_right_one(wrong: str, right: str) -> None:
    vocabulary = TemplateVocabulary(COMPLAINT)
    assert not vocabulary.knows(wrong)
    assert vocabulary.nearest(wrong) == right
