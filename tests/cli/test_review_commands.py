"""`qms review`: what is due and why, a review signed with its record JL-035, what is said where documents are shown."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import StandingClock

if TYPE_CHECKING:
    from tests.conftest import Answer, Workspace

DOCUMENT = "XX-YLQXCX-014"
GOOD = ("--suitability", "适宜", "--adequacy", "充分", "--effectiveness", "有效")


def refused(answer: Answer, code: str, words: str = "") -> None:
    assert answer.code == 4, (answer.out, answer.err)
    assert f"错误 {code}：" in answer.err
    assert words in answer.err


def due(workspace: Workspace, *words: str) -> dict[str, Any]:
    listed = json.loads(workspace.qms("--json", "review", "due", *words).out)["due"]
    return {item["number"]: item for item in listed}


@pytest.mark.slow
def test_a_review_is_signed_with_its_record_and_moves_the_next_one(workspace: Workspace) -> None:
    assert due(workspace, "--within", "3650")[DOCUMENT]["last"] is None
    keep = ("review", "record", "CX-014", "--outcome", "继续有效")
    refused(workspace.qms(*keep, *GOOD, person="王强"), "post-needed", "质量负责人")
    refused(workspace.qms(*keep, "--suitability", "不适宜", *GOOD[2:]), "values-refused", "不适宜、不充分或无效")
    refused(workspace.qms("review", "record", "CX-014", "--outcome", "修订", *GOOD), "review-improvement")
    assert workspace.qms("review", "record", "CX-999", "--outcome", "修订", *GOOD).code == 3
    assert workspace.qms("review", "list", "CX-014").out.strip() == "没有登记过评审。"

    done = workspace.qms("--json", *keep, *GOOD, person="林静")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    record = told["review"]["record"]
    assert told["review"]["outcome"] == "继续有效"
    shown = workspace.qms("record", "show", record).out
    for word in (DOCUMENT, "继续有效", "定期复审", "林静"):
        assert word in shown
    assert workspace.qms("record", "advance", record, "--stage", "已确认", person="林静").code == 0

    change = workspace.qms(
        "review", "record", "CX-014", "--outcome", "修订", *GOOD, "--improvement", "第5.3条与现行规定不一致"
    )
    assert f"qms change open --document {DOCUMENT} --kind 修订 --reason 第5.3条与现行规定不一致" in change.out
    again = ("review", "record", "CX-014", "--outcome", "修订", *GOOD, "--improvement", "第5.3条与现行规定不一致")
    refused(workspace.qms(*again), "review-repeated", "今天已由陈晓登记过")
    assert due(workspace)[DOCUMENT]["undone"] == "修订"
    assert "上次评审结论为“修订”，还没有更改" in workspace.qms("review", "due").out
    assert "上次评审结论为“修订”" in workspace.qms("doc", "show", "CX-014").out
    assert "上次评审结论为“修订”" in workspace.qms("doc", "list").out
    assert workspace.qms("review", "list").out.count(DOCUMENT) == 2
    assert "文件复审" in workspace.qms("audit-trail", "--object", DOCUMENT).out
    checked = workspace.qms("verify")
    assert checked.code == 0, checked.out


@pytest.mark.slow
def test_documents_that_cite_a_law_that_is_void_are_due_at_once(workspace: Workspace) -> None:
    path = workspace.folder / "procedures" / "external_documents.yml"
    head, _, rest = path.read_text("utf-8").partition("  - id: WL-R3\n")
    assert "validity: 现行" in rest
    path.write_text(head + "  - id: WL-R3\n" + rest.replace("validity: 现行", "validity: 废止", 1), encoding="utf-8")
    adopted = workspace.qms("change", "adopt", "--reason", "规范修订，旧版废止", person="林静")
    assert adopted.code == 0, adopted.err
    found = due(workspace)[DOCUMENT]
    assert [item["id"] for item in found["lapsed"]] == ["WL-R3"]
    assert "《医疗器械经营质量管理规范》已失效" in found["why"]
    keep = ("review", "record", "CX-014", "--outcome", "继续有效", *GOOD)
    done = workspace.qms("--json", *keep, person="陈晓")
    assert done.code == 0, done.err
    assert "法规变化" in workspace.qms("record", "show", json.loads(done.out)["review"]["record"]).out
    assert DOCUMENT not in due(workspace)
    assert len(due(workspace)) > 3, "the others that cite it are still due"


@pytest.mark.slow
def test_a_review_that_is_late_says_so_wherever_the_document_is_shown(workspace: Workspace) -> None:
    with closing(workspace.open(StandingClock(datetime.fromisoformat("2027-02-04T09:00:00+08:00")))) as application:
        service = application.periodic_review
        standing = service.standing(DOCUMENT)
        assert (str(standing.due), standing.overdue(service.today)) == ("2027-01-05", 30)
        assert str(service.flag(DOCUMENT)) == "评审逾期 30 天（生效满 12 个月）"
        assert {item.number for item in service.due(0)} == set(application.documents.numbers())
    with closing(workspace.open(StandingClock(datetime.fromisoformat("2026-11-07T09:00:00+08:00")))) as application:
        assert str(application.periodic_review.flag(DOCUMENT)) == "应于 2027-01-05 前评审"
        assert application.periodic_review.due(58) == []
    with closing(workspace.open(StandingClock(datetime.fromisoformat("2026-11-05T09:00:00+08:00")))) as application:
        assert application.periodic_review.flag(DOCUMENT) is None
