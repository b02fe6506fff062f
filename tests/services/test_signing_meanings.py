"""What a signature on a record means, and which of them ask for the passphrase (21 CFR 11.50 a 3, GSP 2023 Art. 51)."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from controller.domain.form import SignatureSlot, Stage
from controller.domain.signature import SENSITIVE_MEANINGS
from controller.services.entry_making import asked_meaning, meaning_of
from tests.form_samples import sample_form

if TYPE_CHECKING:
    from tests.conftest import Workspace

FORM = replace(
    sample_form(),
    fields=(),
    rules=(),
    sections=(),
    event_time=None,
    subject=None,
    stages=(
        Stage("registered", "已登记"),
        Stage("handling", "处理中", after=("registered",), by=("service_engineer",)),
        Stage("waived", "免调查", after=("registered",), by=("quality_officer", "quality_head")),
        Stage("closed", "已结案", after=("handling",), by=("quality_officer",), final=True),
        Stage("cancelled", "已取消", after=("registered",), final=True),
        Stage("approved", "已批准", after=("waived",), final=True),
    ),
    signatures=(
        SignatureSlot("one", "经办人", "记录", "registered"),
        SignatureSlot("two", "复核人", "复核", "closed"),
        SignatureSlot("three", "批准人", "批准", "approved"),
    ),
)


@pytest.mark.parametrize(
    ("stage", "filed", "asked"),
    [
        ("registered", "记录", "记录"),
        ("handling", "记录", "记录"),
        ("waived", "判定", "判定"),
        ("closed", "复核", "办结"),
        ("cancelled", "办结", "办结"),
        ("approved", "批准", "批准"),
    ],
)
def test_what_ends_a_record_or_decides_about_it_asks_for_the_passphrase(stage: str, filed: str, asked: str) -> None:
    assert (meaning_of(FORM, stage), asked_meaning(FORM, stage)) == (filed, asked)


def test_a_form_of_one_stage_is_recorded_and_not_ended() -> None:
    single = replace(FORM, stages=(Stage("held", "已召开", final=True),), signatures=())
    assert (meaning_of(single, "held"), asked_meaning(single, "held")) == ("记录", "记录")


def test_every_stage_of_the_library_that_ends_a_record_asks_for_the_passphrase(workspace: Workspace) -> None:
    with closing(workspace.open()) as application:
        definitions = [application.forms.definition(number) for number in application.forms.numbers()]
    ends = [(item, stage.key) for item in definitions for stage in item.stages if stage.final and stage.after]
    assert len(ends) > 30
    assert {asked_meaning(item, key) for item, key in ends} <= SENSITIVE_MEANINGS
    complaint = next(item for item in definitions if item.number.text == "XX-YLQXJL-018")
    told = {stage.key: asked_meaning(complaint, stage.key) for stage in complaint.stages}
    assert {key: told[key] for key in ("waived", "pending", "handling", "closed", "reclosed")} == {
        "waived": "判定",
        "pending": "判定",
        "handling": "记录",
        "closed": "办结",
        "reclosed": "办结",
    }
