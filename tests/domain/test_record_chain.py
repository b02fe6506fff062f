from __future__ import annotations

from dataclasses import replace

import pytest

from controller.domain.form import FormDefinition, Stage
from controller.domain.identifiers import Digest, DocumentNumber, Revision
from controller.domain.record import Act, Attachment, Entry, SealedValue, Signatory
from controller.domain.record_chain import BrokenChainError, chain_findings, fold
from tests.builders import FORM, WANG, chain, entry, form_binding

LI = Signatory(person="p004", name="李强", post="质量负责人")
OPENED = entry()
FILLED = entry(act=Act.FILLED, values={"severity": "一般"}, at="2026-05-02T08:00:00+08:00")
ACCEPTED = entry(act=Act.ADVANCED, stage="accepted", by=LI, values={}, at="2026-05-03T08:00:00+08:00")
CORRECTED = entry(act=Act.CORRECTED, stage="accepted", values={"channel": "来访"}, at="2026-05-04T08:00:00+08:00")
VOIDED = entry(act=Act.VOIDED, values={}, at="2026-05-05T08:00:00+08:00")
FORM_018 = FormDefinition(
    number=DocumentNumber(FORM),
    title="质量投诉处理记录",
    revision=Revision("A/0"),
    procedure=None,
    owner="售后服务部",
    retention="complaint",
    fields=(),
    stages=(Stage("registered", "已登记"), Stage("accepted", "已受理", after=("registered",))),
)


def codes(entries: list[tuple[Entry, Digest]], form: FormDefinition | None = None) -> list[str]:
    return [finding.code for finding in chain_findings(entries, form=form)]


def test_the_state_is_the_last_value_of_every_field_and_who_signed_which_stage() -> None:
    entries = chain(OPENED, FILLED, ACCEPTED, CORRECTED)
    state = fold(entries, form=FORM_018)
    assert state.values == {"channel": "来访", "product": "医用脱毛仪", "severity": "一般"}
    assert state.stage == "accepted"
    assert state.opened_by == WANG
    assert (state.opened_at, state.changed_at) == ("2026-05-01T09:30:00+08:00", "2026-05-04T08:00:00+08:00")
    assert state.signed == {"registered": (WANG, OPENED.at), "accepted": (LI, ACCEPTED.at)}
    assert state.corrected == {"channel"}
    assert (state.entries, state.head, state.voided) == (4, entries[-1][1], False)


def test_none_clears_a_field_and_a_sealed_value_replaces_an_open_one_and_back() -> None:
    secret = SealedValue(Digest.of(b"s"))
    opened = replace(OPENED, values={"a": "1", "b": "2"}, sealed={"c": secret})
    later = replace(FILLED, values={"a": None, "c": "3"}, sealed={"b": secret})
    state = fold(chain(opened, later))
    assert state.values == {"c": "3"}
    assert state.sealed == {"b": secret}


def test_attachments_of_all_entries_are_kept_once() -> None:
    photo = Attachment("现场.jpg", Digest.of(b"p"), 1)
    scan = Attachment("签收单.pdf", Digest.of(b"q"), 1)
    opened, attached = (
        replace(OPENED, attachments=(photo,)),
        replace(FILLED, act=Act.ATTACHED, attachments=(photo, scan)),
    )
    assert fold(chain(opened, attached)).attachments == (photo, scan)


def test_a_voided_record_is_voided() -> None:
    assert fold(chain(OPENED, VOIDED)).voided


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        (chain(OPENED, FILLED)[1:], "entry-sequence-wrong"),
        (chain(OPENED, FILLED, FILLED)[::2], "entry-previous-wrong"),
        (chain(OPENED, replace(FILLED, record=entry(2).record)), "entry-of-another-record"),
        (chain(OPENED, replace(FILLED, workspace="other")), "entry-of-another-record"),
        (chain(OPENED, replace(FILLED, site="branch")), "entry-of-another-record"),
        (chain(OPENED, replace(FILLED, form=form_binding(digest=Digest.of(b"")))), "entry-of-another-record"),
        (chain(replace(OPENED, form=form_binding("XX-YLQXJL-019"))), "record-number-form-differs"),
        (chain(FILLED), "entry-act-misplaced"),
        (chain(OPENED, OPENED), "entry-act-misplaced"),
        (chain(OPENED, VOIDED, FILLED), "entry-after-void"),
        (chain(OPENED, replace(FILLED, stage="accepted")), "entry-stage-wrong"),
        (chain(replace(OPENED, sealed={"channel": SealedValue(Digest.of(b""))})), "entry-value-twice"),
    ],
)
def test_entries_that_are_not_one_chain_are_found_and_not_folded(
    entries: list[tuple[Entry, Digest]], code: str
) -> None:
    assert code in codes(entries)
    with pytest.raises(BrokenChainError) as caught:
        fold(entries)
    assert caught.value.where == "XX-YLQXJL-018-2026-0001"


def test_an_exchanged_earlier_entry_breaks_the_chain() -> None:
    entries = chain(OPENED, FILLED)
    forged = replace(OPENED, values={"channel": "邮件"})
    assert codes([(forged, chain(forged)[0][1]), entries[1]]) == ["entry-previous-wrong"]


def test_a_record_may_be_opened_late_at_a_stage_that_can_be_reached() -> None:
    assert codes(chain(replace(OPENED, stage="accepted")), FORM_018) == []
    lonely = replace(FORM_018, stages=(*FORM_018.stages, Stage("adrift", "无路可到", after=("adrift",))))
    assert codes(chain(replace(OPENED, stage="adrift")), lonely) == ["entry-stage-wrong"]


@pytest.mark.parametrize(
    "entries",
    [
        chain(replace(OPENED, stage="unknown")),
        chain(OPENED, ACCEPTED, ACCEPTED),
    ],
)
def test_stages_follow_the_order_of_the_form(entries: list[tuple[Entry, Digest]]) -> None:
    assert codes(entries, FORM_018) == ["entry-stage-wrong"]
    assert codes(entries) == []


def test_a_clock_that_went_backwards_is_shown_but_does_not_break_the_chain() -> None:
    entries = chain(OPENED, replace(FILLED, at="2026-05-01T09:30:00+09:00"))
    assert codes(entries) == ["entry-time-backwards"]
    assert fold(entries).entries == 2
