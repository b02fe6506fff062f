"""A signature on paper says who signed what, is whole or refused, and is never taken for an electronic one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.identifiers import Digest
from controller.domain.paper_signature import (
    PaperCode,
    PaperFactsError,
    PaperSignature,
    paper_lines,
    paper_of,
    read_paper_code,
)
from controller.domain.record import Act, Attachment
from controller.domain.record_chain import chain_findings, fold
from tests.builders import WANG, WORKSPACE, chain, entry

if TYPE_CHECKING:
    from controller.domain.record import Entry

SCAN = Attachment("签署单.png", Digest.of(b"scan"), 4)
OPENED = entry()
HEAD = chain(OPENED)[0][1]
TODAY = date(2026, 5, 20)
SIGNED = PaperSignature(
    meaning="客户确认",
    kind="纸质签字",
    name="张三",
    covers=HEAD,
    sequence=1,
    organisation="江城市第一人民医院",
    on=date(2026, 5, 19),
    scan=SCAN,
    code_read=True,
)
DECLINED = PaperSignature("客户确认", "拒签", "张三", HEAD, 1, reason="对处理结果有异议")


def paper_entry(paper: PaperSignature, **changes: Any) -> Entry:
    fields: dict[str, Any] = {
        "act": Act.SIGNED_ON_PAPER,
        "values": {},
        "source": paper.wire(),
        "attachments": [paper.scan] if paper.scan else [],
    }
    return entry(**(fields | changes))


def codes(*entries: Entry) -> list[str]:
    return [finding.code for finding in chain_findings(chain(*entries))]


@given(st.integers(0, 999_999), st.binary(max_size=8))
def test_a_code_reads_back_as_it_was_written(sequence: int, content: bytes) -> None:
    code = PaperCode(WORKSPACE, "XX-YLQXJL-018-2026-0001", sequence, Digest.of(content))
    assert read_paper_code(code.text) == code
    assert code.text == f"wenkong:1:{WORKSPACE}:XX-YLQXJL-018-2026-0001:{sequence}:{Digest.of(content).hex}"


@given(st.text(max_size=200))
def test_other_codes_are_not_ours(text: str) -> None:
    assert read_paper_code(text) is None
    assert read_paper_code(f"wenkong:2:{text}") is None


@pytest.mark.parametrize(
    "paper", [SIGNED, DECLINED, replace(SIGNED, post="科主任", field="user_sign", code_read=False)]
)
def test_the_facts_read_back_as_they_were_filed(paper: PaperSignature) -> None:
    paper.check(today=TODAY)
    assert paper_of(paper.wire()) == paper


_WIRE = st.recursive(
    st.none() | st.booleans() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["kind", "digest", "name"]), inner),
    max_leaves=5,
)


@given(st.sampled_from(["kind", "name", "meaning", "at", "attachment", "reason", "post"]), _WIRE)
def test_damaged_facts_never_crash_the_reader(key: str, value: Any) -> None:
    wire: dict[str, Any] = SIGNED.wire()
    found = paper_of({**wire, "paper": {**wire["paper"], key: value}})
    assert found is None or isinstance(found, PaperSignature)
    assert paper_of({**wire, "covers": value}) is None
    assert paper_of({"paper": value, "covers": wire["covers"]}) is None


@pytest.mark.parametrize(
    "wrong",
    [
        replace(SIGNED, scan=None),
        replace(SIGNED, meaning=""),
        replace(SIGNED, name=""),
        replace(SIGNED, name="张" * 61),
        replace(SIGNED, name="张\n三"),
        replace(SIGNED, on=date(2026, 5, 21)),
        replace(DECLINED, reason=None),
        replace(DECLINED, reason="不签"),
        replace(DECLINED, scan=SCAN),
    ],
)
def test_what_is_not_whole_is_refused(wrong: PaperSignature) -> None:
    with pytest.raises(PaperFactsError):
        wrong.check(today=TODAY)


def test_it_is_told_as_a_scan_filed_by_somebody_and_names_an_older_entry() -> None:
    told = SIGNED.told(WANG, last=1)
    assert told == "纸质签名：客户确认 张三（江城市第一人民医院） 2026-05-19（扫描件，由 王芳 归档）"
    assert "所签为第 1 个条目时的内容" in SIGNED.told(WANG, last=3)
    assert "二维码未能读取，由归档人核对" in replace(SIGNED, code_read=False).told(WANG, last=1)
    assert DECLINED.told(WANG) == "纸质签名（拒签）：客户确认 张三（原因：对处理结果有异议；由 王芳 记录）"


def test_it_leaves_stage_signatures_and_values_of_the_record_as_they_are() -> None:
    before = fold(chain(OPENED))
    entries = chain(OPENED, paper_entry(SIGNED), paper_entry(DECLINED))
    after = fold(entries)
    assert (after.stage, after.values, after.signed) == (before.stage, before.values, before.signed)
    assert after.attachments == (SCAN,)
    assert [line.split("：")[0] for line in paper_lines(entries)] == ["纸质签名", "纸质签名（拒签）"]


@pytest.mark.parametrize(
    "wrong",
    [
        paper_entry(SIGNED, source=None),
        paper_entry(SIGNED, attachments=[]),
        paper_entry(replace(SIGNED, covers=Digest.of(b"another record"))),
        paper_entry(replace(SIGNED, sequence=2)),
        paper_entry(replace(SIGNED, scan=None)),
        paper_entry(replace(DECLINED, scan=SCAN)),
    ],
)
def test_an_entry_that_covers_something_else_or_lacks_its_scan_is_found(wrong: Entry) -> None:
    assert codes(OPENED, wrong) == ["entry-paper-signature-wrong"]
    assert codes(OPENED, paper_entry(SIGNED)) == []


def test_it_may_not_take_the_record_to_another_stage() -> None:
    assert codes(OPENED, paper_entry(SIGNED, stage="closed")) == ["entry-stage-wrong"]
