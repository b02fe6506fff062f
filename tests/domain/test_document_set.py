"""The set of documents: its number, its order, and what changed since it was approved."""

from __future__ import annotations

from controller.domain.document_set import ListedDocument, SetApproval, SetDocument, SetStanding, in_order, set_number
from controller.domain.identifiers import Digest
from controller.domain.record import Signatory
from controller.domain.text import T

ONE, TWO = Digest.of(b"1"), Digest.of(b"2")


def document(number: str, class_word: str = "程序", revision: str = "A/0", contents: Digest = ONE) -> SetDocument:
    return SetDocument(number, number, revision, class_word, "质管部", contents)


def standing(*documents: SetDocument, named: dict[str, Digest] | None = None, flaw: bool = False) -> SetStanding:
    approval = None
    if named is not None:
        listed = [ListedDocument(number, "A/0", contents) for number, contents in named.items()]
        by = Signatory("p001", "周明", "企业负责人")
        why = T("签名与陈述不符") if flaw else None
        at = "2026-11-22T10:00:00+08:00"
        approval = SetApproval("A/0", by, at, ONE, "documents/XX-YLQXHB/A-0/0001", {}, listed, why)
    return SetStanding("XX-YLQXHB", "A/0", documents, {}, approval)


def test_the_number_is_that_of_most_documents_with_hb_in_place_of_class_and_serial() -> None:
    assert set_number(["XX-YLQXCX-001", "XX-YLQXZD-001", "AB-QTCX-001"]) == "XX-YLQXHB"
    assert set_number(["BB-QTCX-001", "AA-QTCX-001"]) == "AA-QTHB"


def test_documents_stand_by_class_then_number() -> None:
    mixed = [document("X-AAZZ-01", "职责"), document("X-AACX-02"), document("X-AACX-01"), document("X-AASC-01", "手册")]
    assert [item.number for item in in_order(mixed)] == ["X-AASC-01", "X-AACX-01", "X-AACX-02", "X-AAZZ-01"]


def test_an_approval_counts_as_long_as_every_document_is_what_it_named() -> None:
    named = {"X-AACX-01": ONE, "X-AACX-02": ONE}
    same = standing(document("X-AACX-01"), document("X-AACX-02"), named=named)
    assert (same.counts, same.changed) == (True, [])
    later = standing(document("X-AACX-01", revision="A/1", contents=TWO), document("X-AACX-03"), named=named)
    assert not later.counts
    assert later.changed == ["X-AACX-01 A/0 → A/1", "X-AACX-02 不再现行（A/0）", "X-AACX-03 新增 A/0"]
    assert "其后有变动：X-AACX-01 A/0 → A/1" in str(later.explain())
    assert not later.unchanged("X-AACX-01")
    assert "批准的是版本 A/0，其后有变动" in str(later.explain_of("X-AACX-01"))
    assert "未收录本文件" in str(later.explain_of("X-AACX-03"))
    assert same.unchanged("X-AACX-01")


def test_an_approval_whose_signature_is_wrong_never_counts() -> None:
    wrong = standing(document("X-AACX-01"), named={"X-AACX-01": ONE}, flaw=True)
    assert not wrong.counts
    assert not wrong.unchanged("X-AACX-01")
    assert "批准无效" in str(wrong.explain())
    assert not standing(document("X-AACX-01")).counts
