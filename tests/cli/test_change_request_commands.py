"""`qms change`: from one revision to the next, every act by the right post, every wrong order refused."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from controller.adapters.word_editing import WordAuthor, WordEditing
from controller.domain.effect_schedule import EffectSchedule
from controller.file_formats.docx_package import open_docx
from controller.file_formats.effect_file import EFFECT_FILE, write_effect
from tests.checked_out import deleted, inserted, with_body
from tests.compliance.evidence import ZONE, clock_moves

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Answer, Workspace

pytestmark = pytest.mark.slow
NUMBER = "XX-YLQXCX-014"
REASON = ("--reason", "内审发现用语不准确")


def today() -> date:
    """The company's day."""
    return datetime.now(ZONE).date()


def days_later(workspace: Workspace, patch: pytest.MonkeyPatch, days: int, *people: str) -> None:
    """Let days go by; `people` sign in again, because no sitting lasts that long."""
    clock_moves(patch, timedelta(days=days))
    for name in people:
        assert workspace.qms("login", name, person=None).code == 0


def done(answer: Answer) -> Any:
    assert answer.code == 0, answer.err + answer.out
    return json.loads(answer.out)


def acted(workspace: Workspace, *words: str, person: str = "陈晓") -> Any:
    return done(workspace.qms("--json", *words, person=person))


def refused(workspace: Workspace, code: str, *words: str, person: str = "陈晓") -> str:
    answer = workspace.qms(*words, person=person)
    assert answer.code == 4, (words, answer.out, answer.err)
    assert code in answer.err, answer.err
    assert "下一步" in answer.err
    return answer.err


def opened(workspace: Workspace, *words: str, person: str = "陈晓") -> str:
    return str(acted(workspace, "change", "open", "--document", "CX-014", *REASON, *words, person=person)["number"])


def drafted(workspace: Workspace, old: str = "稳定和扩大", *, person: str = "陈晓", new: str = "") -> Path:
    """Edit the document in Word, with tracked changes, and check it in."""
    file = workspace.folder.parent / f"{person}.docx"
    acted(workspace, "doc", "checkout", "CX-014", "--out", str(file), "--force", person=person)
    body = open_docx(file.read_bytes()).contents["word/document.xml"].decode()
    assert body.count(old) == 1
    changed = new or old[:2] + deleted(old[2:3]) + inserted("并") + old[3:]
    file.write_bytes(with_body(file.read_bytes(), body.replace(old, changed)))
    acted(workspace, "doc", "checkin", str(file), person=person)
    return file


def approved(workspace: Workspace, *words: str) -> str:
    """Take 014 to its next revision, as far as the approval."""
    number = opened(workspace)
    drafted(workspace)
    acted(workspace, "change", "submit", number)
    acted(workspace, "change", "review", number, person="林静")
    acted(workspace, "change", "approve", number, *words, person="周明")
    return number


def revision(workspace: Workspace) -> str:
    return str(acted(workspace, "doc", "show", "CX-014")["revision"])


def sound(workspace: Workspace) -> None:
    checked = workspace.qms("--json", "verify", person=None)
    found = [item for item in json.loads(checked.out)["findings"] if item["gravity"] == "error"]
    assert found == []


def test_the_whole_path_from_one_revision_to_the_next(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    number = opened(workspace, "--trigger", "自查/检查发现")
    assert number.endswith("-0001")
    drafted(workspace)
    assert revision(workspace) == "A/0"
    submitted = acted(workspace, "change", "submit", number)
    forms = {record.rpartition("-20")[0] for record in submitted["records_filed"]}
    assert forms == {"XX-YLQXJL-001", "XX-YLQXJL-002"}
    said = acted(workspace, "change", "comment", number, "“并”字是否通顺？", "--clause", "1", person="林静")
    nowhere = workspace.qms("change", "comment", number, "写得不清楚", "--clause", "9.9", person="林静")
    assert (nowhere.code, "没有条款“9.9”" in nowhere.err, "5.1" in nowhere.err) == (3, True, True), nowhere.err
    assert said["unresolved"] == 1
    refused(workspace, "change-comments-open", "change", "review", number, person="林静")
    acted(workspace, "change", "resolve", number, "1", "--answer", "通顺，保留")
    acted(workspace, "change", "review", number, person="林静")
    last = acted(workspace, "change", "approve", number, person="周明")
    day = date.fromisoformat(last["effective"])
    assert revision(workspace) == "A/0"

    record = next(one for one in submitted["records_filed"] if "JL-002" in one)
    change = acted(workspace, "record", "show", record)
    assert change["stage"] == "approved"
    rows = [row for row in change["values"]["changes"] if row["before"] != row["after"]]
    assert any("稳定和扩大" in row["before"] and "稳定并扩大" in row["after"] for row in rows)
    acted(workspace, "change", "issue", number)
    refused(workspace, "change-not-ready", "change", "close", number)
    sound(workspace)

    with monkeypatch.context() as patch:
        days_later(workspace, patch, (day - today()).days, "陈晓")
        assert revision(workspace) == "A/1"
        assert "稳定并扩大" in workspace.qms("doc", "show", "CX-014").out
        left = refused(workspace, "change-not-ready", "change", "close", number)
        assert "阅知 0/" in left
        closed = acted(workspace, "change", "close", number, "--reason", "培训另行安排，先办结更改")
        assert closed["status"] == "closed"
        sound(workspace)


def test_every_wrong_order_and_wrong_post_is_refused_with_what_is_needed(workspace: Workspace) -> None:
    number = opened(workspace)
    refused(workspace, "change-nothing-drafted", "change", "submit", number)
    drafted(workspace)
    assert "应先签“起草”" in refused(workspace, "signing-order", "change", "review", number, person="林静")
    refused(workspace, "signing-order", "change", "approve", number, person="周明")
    refused(workspace, "change-not-ready", "change", "return", number, *REASON, person="林静")
    acted(workspace, "change", "submit", number)
    refused(workspace, "signing-order", "change", "submit", number)
    assert "质量负责人" in refused(workspace, "post-needed", "change", "review", number, person="王强")
    refused(workspace, "signing-order", "change", "approve", number, person="周明")
    refused(workspace, "post-needed", "change", "return", number, *REASON, person="王强")
    acted(workspace, "change", "review", number, person="林静")
    refused(workspace, "post-needed", "change", "approve", number, person="林静")
    yesterday = (today() - timedelta(days=1)).isoformat()
    refused(workspace, "effect-day-passed", "change", "approve", number, "--effective", yesterday, person="周明")
    refused(workspace, "change-not-ready", "change", "issue", number)
    refused(workspace, "post-needed", "change", "issue", number, person="王强")
    acted(workspace, "change", "approve", number, person="周明")
    refused(workspace, "change-not-open", "change", "cancel", number, *REASON)
    refused(workspace, "post-needed", "change", "postpone", number, "--to", "2099-01-01", *REASON)
    sound(workspace)


def test_who_drafted_does_not_approve_and_a_quality_head_who_drafts_is_reviewed_by_another(
    workspace: Workspace,
) -> None:
    number = opened(workspace, person="林静")
    drafted(workspace, person="林静")
    acted(workspace, "change", "submit", number, person="林静")
    refused(workspace, "signing-same-person", "change", "review", number, person="林静")
    refused(workspace, "post-needed", "change", "review", number, person="王强")
    shown = acted(workspace, "change", "show", number)
    assert "质管员" in shown["next"]["posts"]
    assert shown["touched"]["items"] == [NUMBER]
    assert {item["post"] for item in shown["touched"]["posts"]} == set(shown["posts"])
    acted(workspace, "change", "review", number, person="吴涛")
    assert acted(workspace, "change", "approve", number, person="周明")["status"] == "approved"


def test_in_a_company_of_two_an_exemption_lets_the_drafter_review_but_never_approve(workspace: Workspace) -> None:
    number = opened(workspace, person="林静")
    drafted(workspace, person="林静")
    acted(workspace, "change", "submit", number, person="林静")
    refused(workspace, "signing-same-person", "change", "review", number, person="林静")
    acted(workspace, "doc", "exempt", "--reason", "质管部只有一人", "--months", "6", person="周明")
    reviewed = acted(workspace, "change", "review", number, person="林静")
    assert reviewed["exempted"]
    record = acted(workspace, "record", "show", reviewed["records"][NUMBER]["JL-002"])
    assert "质管部只有一人" in record["values"]["exemption"]
    refused(workspace, "post-needed", "change", "approve", number, person="林静")
    acted(workspace, "change", "approve", number, person="周明")
    sound(workspace)


def test_an_edit_after_signing_voids_the_signatures_and_says_whose(workspace: Workspace) -> None:
    number = opened(workspace)
    drafted(workspace)
    first = acted(workspace, "change", "submit", number)["records"][NUMBER]["JL-001"]
    acted(workspace, "change", "review", number, person="林静")
    drafted(workspace, "稳定并扩大", new="稳定并" + deleted("扩大") + inserted("增加"))
    shown = acted(workspace, "change", "show", number)
    assert shown["status"] == "draft"
    assert [(item["name"], item["void_because"] is not None) for item in shown["signatures"]] == [
        ("陈晓", True),
        ("林静", True),
    ]
    assert "陈晓在签署之后改动了" in shown["signatures"][0]["void_because"]
    refused(workspace, "signing-order", "change", "approve", number, person="周明")
    second = acted(workspace, "change", "submit", number)["records"][NUMBER]["JL-001"]
    assert first != second
    assert acted(workspace, "record", "show", first)["stage"] == "withdrawn"
    sound(workspace)


def test_returning_gives_the_change_back_with_the_reason(workspace: Workspace) -> None:
    number = opened(workspace)
    drafted(workspace)
    record = acted(workspace, "change", "submit", number)["records"][NUMBER]["JL-001"]
    returned = acted(workspace, "change", "return", number, "--reason", "职责一条没有写清楚", person="林静")
    assert returned["status"] == "returned"
    assert acted(workspace, "record", "show", record)["stage"] == "returned"
    assert acted(workspace, "change", "submit", number)["status"] == "in-review"
    assert acted(workspace, "change", "show", number)["former_records"][0] == record
    assert "以前各轮的记录（已退回或重新提交）：" + record in workspace.qms("change", "show", number).out
    acted(workspace, "change", "review", number, person="林静")
    acted(workspace, "change", "approve", number, "--effective", today().isoformat(), person="周明")
    assert acted(workspace, "doc", "signatures", "CX-014")["complete"]
    sound(workspace)


def test_two_people_cannot_edit_one_draft_over_each_other(workspace: Workspace, tmp_path: Path) -> None:
    opened(workspace)
    refused(workspace, "item-in-change", "change", "open", "--document", "CX-014", *REASON, person="林静")
    one, other = tmp_path / "一.docx", tmp_path / "二.docx"
    acted(workspace, "doc", "checkout", "CX-014", "--out", str(one))
    acted(workspace, "doc", "checkout", "CX-014", "--out", str(other), person="林静")
    for file, new in ((one, "并"), (other, "以及")):
        body = open_docx(file.read_bytes()).contents["word/document.xml"].decode()
        edited = body.replace("稳定和扩大", "稳定" + deleted("和") + inserted(new) + "扩大")
        file.write_bytes(with_body(file.read_bytes(), edited))
    acted(workspace, "doc", "checkin", str(one))
    refused(workspace, "checkin-outdated", "doc", "checkin", str(other), person="林静")


def test_one_word_file_is_checked_in_again_edited_further_or_not_but_never_over_others(workspace: Workspace) -> None:
    number = opened(workspace)
    file = drafted(workspace)
    acted(workspace, "doc", "checkin", str(file))
    body = open_docx(file.read_bytes()).contents["word/document.xml"].decode()
    assert body.count("负责用户访问") == 1
    further = body.replace("负责用户访问", "负责" + inserted("全部") + "用户访问")
    file.write_bytes(with_body(file.read_bytes(), further))
    again = acted(workspace, "doc", "checkin", str(file))
    assert [item["kind"] for item in again["clauses"]] == ["edited"]
    editing = WordEditing(file.read_bytes())
    editing.add_paragraph("考试合格后上岗", "5.4.安装后30日内回访一次。", WordAuthor("陈晓", datetime.now(ZONE)))
    file.write_bytes(editing.saved())
    again = acted(workspace, "doc", "checkin", str(file))
    assert [(item["kind"], item["new_label"]) for item in again["clauses"]] == [("added", "5.4.")]
    assert acted(workspace, "doc", "checkin", str(file))["files"] == []
    text = acted(workspace, "doc", "diff", "CX-014", "--change", number)
    assert "负责全部用户访问" in json.dumps(text, ensure_ascii=False)
    assert "稳定并扩大" in json.dumps(text, ensure_ascii=False)
    drafted(workspace, "收集医疗器械", person="林静", new="收集" + inserted("全部") + "医疗器械")
    refused(workspace, "checkin-outdated", "doc", "checkin", str(file))


def test_who_approves_what_concerns_no_post_is_told_that_nobody_reads_it(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = opened(workspace)
    drafted(workspace)
    acted(workspace, "change", "submit", number)
    acted(workspace, "change", "review", number, person="林静")
    from controller.bootstrap.changes import Changes

    monkeypatch.setattr(Changes, "_follows", lambda *_: [])
    said = f"{NUMBER}：没有查到必须阅知的岗位；需要阅知的，用 qms training assign {NUMBER} --post 岗位 布置"
    assert said in workspace.qms("change", "approve", number, "--yes", person="周明").out
    assert said in workspace.qms("change", "issue", number).out


def test_postponing_is_a_signed_act_and_the_day_then_decides(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = today()
    number = approved(workspace, "--effective", (now + timedelta(days=3)).isoformat())
    later = (now + timedelta(days=20)).isoformat()
    acted(workspace, "change", "postpone", number, "--to", later, "--reason", "培训还没有完成", person="林静")
    told = workspace.qms("change", "show", number).out
    was = (now + timedelta(days=3)).isoformat()
    assert f"改期：{NUMBER} 由 {was} 改为 {later} 生效，林静（质量负责人）" in told
    assert "原因：培训还没有完成" in told
    assert [item["to"] for item in acted(workspace, "change", "show", number)["postponements"]] == [later]
    gone = ("--to", (now - timedelta(days=1)).isoformat(), *REASON)
    assert "用 --to 另定" in refused(workspace, "effect-day-passed", "change", "postpone", number, *gone, person="林静")
    acted(workspace, "change", "issue", number)
    assert "已由陈晓发放，不必再发放" in refused(workspace, "change-not-ready", "change", "issue", number)
    with monkeypatch.context() as patch:
        days_later(workspace, patch, 4, "陈晓")
        assert revision(workspace) == "A/0"
        assert later in workspace.qms("training", "list").out
        sound(workspace)
    with monkeypatch.context() as patch:
        days_later(workspace, patch, 20, "陈晓")
        assert revision(workspace) == "A/1"


def test_a_schedule_that_says_another_day_than_the_approval_is_noticed(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sooner(schedule: EffectSchedule) -> bytes:
        return write_effect(EffectSchedule(tuple(replace(item, before=None) for item in schedule.pending)))

    with monkeypatch.context() as patch:
        patch.setattr("controller.services.change_approval.write_effect", sooner)
        approved(workspace)
    checked = json.loads(workspace.qms("--json", "verify", person=None).out)
    assert [item["path"] for item in checked["findings"] if item["code"] == "effect-differs"] == [EFFECT_FILE]


def test_effective_today_governs_at_once(workspace: Workspace) -> None:
    approved(workspace, "--effective", today().isoformat())
    assert revision(workspace) == "A/1"
    sound(workspace)


def test_a_withdrawn_document_governs_until_its_day_and_its_number_is_never_used_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = today()
    words = ("change", "open", "--document", "ZD-030", "--kind", "作废", "--reason", "业务已经停止，不再需要")
    number = acted(workspace, *words)["number"]
    acted(workspace, "change", "submit", number, "--effective", (now + timedelta(days=2)).isoformat())
    acted(workspace, "change", "review", number, person="林静")
    acted(workspace, "change", "approve", number, person="周明")
    assert workspace.qms("doc", "show", "ZD-030").code == 0
    late = workspace.qms("copy", "issue", "ZD-030", "--to", "刘洋", "--medium", "电子").out
    assert "注意：XX-YLQXZD-030 已批准作废，作废之日须收回这一份" in late
    with monkeypatch.context() as patch:
        days_later(workspace, patch, 2, "陈晓")
        assert workspace.qms("doc", "show", "ZD-030").code == 3
        again = ("change", "open", "--new", "XX-YLQXZD-030", "--title", "新制度", *REASON)
        refused(workspace, "change-number-taken", *again)
        sound(workspace)


def test_a_new_document_and_a_form_change_together(workspace: Workspace) -> None:
    words = ("--new", "XX-YLQXCX-050", "--title", "样机管理程序", "--owner", "售后服务部", "--document", "TZ-07")
    number = acted(workspace, "change", "open", *words, *REASON)["number"]
    register = workspace.folder / "templates" / "registers" / "TZ-07" / "register.yml"
    text = register.read_text(encoding="utf-8")
    register.write_text(
        text.replace("revision: A/0", "revision: A/1").replace("title: 质量投诉台账", "title: 投诉台账"), "utf-8"
    )
    acted(workspace, "change", "take", number)
    acted(workspace, "change", "submit", number)
    acted(workspace, "change", "review", number, person="林静")
    acted(workspace, "change", "approve", number, "--effective", today().isoformat(), person="周明")
    assert acted(workspace, "doc", "show", "CX-050")["revision"] == "A/0"
    assert "投诉台账" in workspace.qms("register", "list").out
    sound(workspace)


def test_what_is_edited_behind_a_draft_is_refused_before_anybody_signs(workspace: Workspace) -> None:
    number = opened(workspace)
    drafted(workspace)
    acted(workspace, "change", "cancel", number, *REASON)
    assert "取消：陈晓（质管员）" in workspace.qms("change", "show", number).out
    assert acted(workspace, "change", "show", number)["cancelled"]["reason"] == REASON[1]
    refused(workspace, "change-not-open", "change", "submit", number)
    assert opened(workspace).endswith("-0002")


def test_the_list_of_external_documents_goes_its_own_way(workspace: Workspace) -> None:
    number = acted(workspace, "change", "open", "--document", "WL", "--reason", "新规范已施行，逐项核对")["number"]
    file = workspace.folder / "procedures" / "external_documents.yml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("checked_on: 2026-08", "checked_on: 2026-11"), encoding="utf-8")
    acted(workspace, "change", "take", number)
    refused(workspace, "change-check-failed", "change", "submit", number)
    file.write_text(file.read_text(encoding="utf-8").replace("revision: A/0", "revision: A/1"), encoding="utf-8")
    acted(workspace, "change", "take", number)
    refused(workspace, "post-needed", "change", "submit", number, person="王强")
    assert acted(workspace, "change", "submit", number)["records_filed"] == []
    refused(workspace, "post-needed", "change", "approve", number, person="周明")
    day = today().isoformat()
    assert acted(workspace, "change", "approve", number, "--effective", day, person="林静")["status"] == "approved"
    sound(workspace)


def test_a_form_is_changed_like_a_document_and_its_old_revision_is_used_until_the_day(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = "XX-YLQXJL-013"
    number = acted(workspace, "change", "open", "--document", form, *REASON)["number"]
    file = workspace.folder / "templates" / "forms" / form / "form.yml"
    file.write_text(file.read_text(encoding="utf-8").replace("来电来访登记表", "来电来访登记簿"), encoding="utf-8")
    assert workspace.qms("form", "scaffold", form, "--force").code == 0
    compiled = workspace.qms("form", "compile", form, "--revise")
    assert compiled.code == 0, compiled.err
    acted(workspace, "change", "take", number)
    acted(workspace, "change", "submit", number, "--effective", (today() + timedelta(days=2)).isoformat())
    acted(workspace, "change", "review", number, person="林静")
    acted(workspace, "change", "approve", number, person="周明")
    assert acted(workspace, "form", "show", form)["revision"] == "A/0"
    with monkeypatch.context() as patch:
        days_later(workspace, patch, 2)
        assert acted(workspace, "form", "show", form)["revision"] == "A/1"
        sound(workspace)
