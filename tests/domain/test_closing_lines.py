"""Lines printed after a form: every signature, then every correction with the value before it."""

from __future__ import annotations

from controller.domain.closing_lines import CORRECTIONS, SIGNATURES, closing_lines
from controller.domain.form import Field, FieldType, FormDefinition, Stage
from controller.domain.identifiers import Digest, DocumentNumber, Revision
from controller.domain.record import Act, SealedValue, Signatory
from tests.builders import FORM, chain, entry

LI = Signatory(person="p004", name="李强", post="质量负责人")
FORM_018 = FormDefinition(
    number=DocumentNumber(FORM),
    title="质量投诉处理记录",
    revision=Revision("A/0"),
    procedure=None,
    owner="售后服务部",
    retention="complaint",
    fields=(
        Field("channel", "投诉方式", FieldType.TEXT),
        Field("weight", "重量", FieldType.DECIMAL, unit="kg"),
        Field("content", "投诉内容", FieldType.LONG_TEXT),
    ),
    stages=(Stage("registered", "已登记"),),
)
OPENED = entry(values={"channel": "电话"}, sealed={"content": SealedValue(Digest.of(b"one"))})


def test_a_correction_shows_the_value_before_it_why_who_and_when() -> None:
    corrected = entry(
        act=Act.CORRECTED,
        values={"channel": "来访\n二次", "weight": "3"},
        by=LI,
        reason="接待人记错方式",
        at="2026-05-04T08:00:00+08:00",
    )
    assert closing_lines(FORM_018, chain(OPENED, corrected)) == [
        SIGNATURES,
        "1.　2026-05-01 09:30:00 +08:00　王芳（售后主管）　记录　已登记",
        "2.　2026-05-04 08:00:00 +08:00　李强（质量负责人）　记录　已登记　原因：接待人记错方式",
        CORRECTIONS,
        "2.　投诉方式：电话 → 来访↵二次（原因：接待人记错方式；李强（质量负责人） 2026-05-04 08:00:00 +08:00）",
        "2.　重量：（空） → 3 kg（原因：接待人记错方式；李强（质量负责人） 2026-05-04 08:00:00 +08:00）",
    ]


def test_a_corrected_sensitive_value_is_named_and_never_shown() -> None:
    corrected = entry(act=Act.CORRECTED, values={}, sealed={"content": SealedValue(Digest.of(b"two"))}, reason="补充")
    assert "2.　投诉内容：＊＊＊ → ＊＊＊（原因：补充；" in closing_lines(FORM_018, chain(OPENED, corrected))[-1]


def test_what_is_filled_in_on_the_way_is_no_correction() -> None:
    filled = entry(act=Act.FILLED, values={"weight": "3"})
    assert CORRECTIONS not in closing_lines(FORM_018, chain(OPENED, filled))
