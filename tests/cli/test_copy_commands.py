"""`qms copy`: from the first copy handed out to its destruction by two people, with its records JL-003 and JL-005."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.real_tools import need
from tests.scans import small_png

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Answer, Workspace

DOCUMENT = "XX-YLQXCX-014"


def told(answer: Answer) -> Any:
    assert answer.code == 0, answer.err
    return json.loads(answer.out)


def issue(workspace: Workspace, to: str, *more: str, person: str = "陈晓") -> Any:
    printed = more if "--out" in more else (*more, "--medium", "电子")
    return told(workspace.qms("--json", "copy", "issue", "CX-014", "--to", to, *printed, person=person))


def states(workspace: Workspace) -> dict[str, str]:
    listed = json.loads(workspace.qms("--json", "copy", "list", "CX-014").out)
    return {item["copy"]: item["state"] for item in listed["copies"]}


def revise(workspace: Workspace) -> None:
    """Put 014 A/1 in force as a company does while it sets up."""
    path = workspace.folder / "procedures" / DOCUMENT / "document.yml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("revision: A/0", "revision: A/1"), encoding="utf-8")
    assert "revision: A/1" in path.read_text("utf-8")
    done = workspace.qms("change", "adopt", "--reason", "售后服务要求更新", person="林静")
    assert done.code == 0, done.err


def refused(answer: Answer, code: str, words: str = "") -> None:
    assert answer.code == 4, (answer.out, answer.err)
    assert f"错误 {code}：" in answer.err
    assert words in answer.err


@pytest.mark.slow
def test_a_copy_goes_from_issue_to_destruction_and_every_step_is_signed_and_recorded(workspace: Workspace) -> None:
    first = issue(workspace, "刘洋")
    record = first["records"][0]
    assert first["copies"][0]["copy"] == "01"
    assert first["copies"][0]["state"] == "issued"
    assert first["copies"][0]["department"] == "售后服务部"
    assert workspace.qms("record", "show", record).out.count("刘洋")

    received = told(workspace.qms("--json", "copy", "receive", "CX-014", "--copy", "1", person="刘洋"))
    assert received["records"] == [record]
    assert received["copies"][0]["state"] == "received"
    assert "已签收" in workspace.qms("record", "show", record).out

    revise(workspace)
    assert states(workspace) == {"01": "recalled"}
    second = issue(workspace, "售后服务部")
    assert (second["copies"][0]["copy"], second["copies"][0]["revision"]) == ("02", "A/1")
    recalled = told(workspace.qms("--json", "copy", "recall", "CX-014"))
    assert [item["copy"] for item in recalled["copies"]] == ["01"]
    refused(workspace.qms("copy", "recall", "CX-014"), "copy-nothing-to-recall")

    back = workspace.qms("copy", "return", "CX-014", "--copy", "01")
    assert back.code == 0, back.err
    assert "换版" in workspace.qms("record", "show", record).out
    assert "应收回 1 份，已收回 1 份，遗失 0 份" in workspace.qms("copy", "list", "CX-014").out

    asked = told(
        workspace.qms(
            "--json", "copy", "request-destruction", "CX-014", "--copy", "01", "--reason", "旧版全部收回", "--no-hold"
        )
    )
    order = asked["record"]
    refused(workspace.qms("copy", "destroy", order, person="孙丽"), "copy-destruction-unapproved")
    approve = ("record", "advance", order, "--stage", "已批准", "--set", "method=粉碎")
    assert workspace.qms(*approve, person="林静").code == 0
    assert workspace.qms("copy", "confirm-destroyed", order, person="吴涛").code == 3
    destroyed = told(workspace.qms("--json", "copy", "destroy", order, person="孙丽"))
    assert destroyed["copies"][0]["state"] == "returned"
    assert destroyed["copies"][0]["destruction"]["witness"] is None
    outstanding = workspace.qms("copy", "list", "--outstanding")
    assert outstanding.code == 1
    assert "销毁待监销人确认" in outstanding.out
    refused(workspace.qms("copy", "confirm-destroyed", order, person="孙丽"), "copy-own-destruction", "不能兼作监销人")
    refused(workspace.qms("copy", "return", "CX-014", "--copy", "01"), "copy-state", "正在销毁")
    confirmed = told(workspace.qms("--json", "copy", "confirm-destroyed", order, person="吴涛"))
    assert confirmed["copies"][0]["state"] == "destroyed"
    assert confirmed["copies"][0]["destruction"]["witness"] == "p008"
    assert "已监销" in workspace.qms("record", "show", order).out
    assert workspace.qms("copy", "confirm-destroyed", order, person="吴涛").code == 3

    third = issue(workspace, "王强")
    assert third["copies"][0]["copy"] == "03", "a number is never given again"
    checked = workspace.qms("verify")
    assert checked.code == 0, checked.out
    trail = workspace.qms("audit-trail", "--object", DOCUMENT).out
    for word in ("发放受控副本", "签收受控副本", "通知收回副本", "收回副本", "销毁副本"):
        assert word in trail


@pytest.mark.slow
def test_the_wrong_person_post_order_and_revision_are_refused_with_a_sentence(workspace: Workspace) -> None:
    new = ("copy", "issue", "CX-014", "--to")
    refused(workspace.qms(*new, "刘洋", person="王强"), "post-needed", "文件管理员")
    refused(workspace.qms(*new, "刘洋", "--revision", "A/9"), "copy-revision", "A/0")
    refused(workspace.qms(*new, "不存在的部门"), "copy-holder", "售后服务部")
    refused(workspace.qms(*new, "外部："), "copy-holder")
    assert workspace.qms("copy", "issue", "CX-999", "--to", "刘洋").code == 3
    paper = workspace.qms(*new, "刘洋")
    assert (paper.code, "--out 副本.pdf" in paper.err, states(workspace)) == (2, True, {})
    issue(workspace, "刘洋")
    issue(workspace, "售后服务部")
    second = workspace.qms(*new, "售后服务部", "--medium", "电子").out
    assert "售后服务部已经持有这一版的第 02 号副本" in second
    take = ("copy", "receive", "CX-014", "--copy")
    assert workspace.qms(*take, "07", person="刘洋").code == 3
    refused(workspace.qms(*take, "01", person="王强"), "copy-not-holder", "刘洋")
    refused(workspace.qms(*take, "02", person="王强"), "copy-not-holder", "售后服务部")
    assert workspace.qms(*take, "02", person="赵敏").code == 0
    refused(workspace.qms(*take, "02", person="赵敏"), "copy-state", "不能再签收")
    refused(workspace.qms("copy", "recall", "CX-014", person="王强"), "post-needed")
    refused(workspace.qms("copy", "recall", "CX-014", "--copy", "01"), "copy-reason")
    refused(workspace.qms("copy", "return", "CX-014", "--copy", "02"), "copy-reason", "离岗")
    refused(workspace.qms("copy", "return", "CX-014", "--copy", "02", "--why", "离岗", person="赵敏"), "post-needed")
    refused(workspace.qms("copy", "lost", "CX-014", "--copy", "01", "--reason", "丢"), "copy-reason")
    destroy = ("copy", "request-destruction", "CX-014", "--copy", "02", "--reason", "破损不能使用")
    refused(workspace.qms(*destroy, "--no-hold"), "copy-state", "只销毁已经收回的副本")
    assert workspace.qms("copy", "return", "CX-014", "--copy", "02", "--why", "破损").code == 0
    refused(workspace.qms(*destroy), "copy-hold-unchecked", "--no-hold")
    refused(workspace.qms(*destroy, "--no-hold", person="王强"), "post-needed")
    assert workspace.qms("copy", "lost", "CX-014", "--copy", "01", "--reason", "搬迁时遗失，查找未果").code == 0
    refused(workspace.qms("copy", "lost", "CX-014", "--copy", "01", "--reason", "搬迁时遗失"), "copy-state")
    refused(workspace.qms(*take, "01", person="刘洋"), "copy-state", "遗失")
    assert workspace.qms("copy", "return", "CX-014", "--copy", "01", "--why", "其他").code == 0, "found again"
    assert states(workspace) == {"01": "returned", "02": "returned", "03": "issued"}
    refused(workspace.qms("copy", "destroy", record_of(workspace, "01")), "copy-destruction-order")
    assert workspace.qms("verify").code == 0


def record_of(workspace: Workspace, copy: str) -> str:
    listed = json.loads(workspace.qms("--json", "copy", "list", "CX-014").out)
    return str(next(item["record"] for item in listed["copies"] if item["copy"] == copy))


@pytest.mark.slow
def test_a_holder_outside_signs_on_paper_or_refuses(workspace: Workspace, tmp_path: Path) -> None:
    record = issue(workspace, "外部：江城市第一人民医院")["records"][0]
    issue(workspace, "外部：江城市第二人民医院", "--medium", "电子")
    issue(workspace, "陈晓", person="吴涛")
    scan = tmp_path / "签收.png"
    scan.write_bytes(small_png())
    take = ("copy", "receive", "CX-014", "--copy", "01")
    refused(workspace.qms(*take, person="陈晓"), "copy-not-holder", "--scan")
    refused(workspace.qms(*take, "--signer", "何志远", "--scan", str(scan), person="王强"), "post-needed")
    refused(workspace.qms(*take, "--signer", "何志远", "--scan", str(scan)), "paper-code-unread")
    refused(workspace.qms(*take, "--signer", "何志远", "--outcome", "拒签"), "paper-facts-wrong")
    done = told(workspace.qms("--json", *take, "--signer", "何志远", "--scan", str(scan), "--unread"))
    assert done["records"] == [record]
    assert (done["copies"][0]["state"], done["copies"][0]["on_paper"]) == ("received", "纸质签字")
    taken_out = workspace.qms("record", "attachments", record, "--out", str(tmp_path / "附件"))
    assert taken_out.code == 0, taken_out.err
    assert (tmp_path / "附件" / "签收.png").read_bytes() == scan.read_bytes()

    declined = ("copy", "receive", "CX-014", "--copy", "02", "--signer", "张三", "--outcome", "拒签")
    answer = workspace.qms(*declined, "--reason", "对方只收电子邮件")
    assert "已发放（拒签）" in answer.out, answer.err
    own = ("copy", "receive", "CX-014", "--copy", "03", "--signer", "陈晓", "--outcome", "拒签")
    refused(workspace.qms(*own, "--reason", "本人不愿意签收"), "copy-paper-receipt", "qms copy receive")
    assert workspace.qms(*own, "--reason", "本人不愿意签收", person="吴涛").code == 0
    assert workspace.qms("copy", "receive", "CX-014", "--copy", "03", "--scan", str(scan)).code == 2
    assert "纸质签名：已阅知 何志远" in workspace.qms("audit-trail", "--object", DOCUMENT).out
    checked = workspace.qms("verify")
    assert checked.code == 0, checked.out


@pytest.mark.slow
def test_every_page_of_the_print_says_whose_copy_it_is(workspace: Workspace, tmp_path: Path) -> None:
    need("pdftotext")
    target = tmp_path / "副本.pdf"
    issue(workspace, "刘洋", "--out", str(target))
    pages = subprocess.run(["pdftotext", str(target), "-"], capture_output=True, check=True).stdout.decode().split("\f")
    shown = [page for page in pages if page.strip()]
    assert shown
    for page in shown:
        assert "受控号 01" in page
        assert "领用 售后服务部 刘洋" in page
    again = workspace.qms("copy", "issue", "CX-014", "--to", "王强", "--out", str(target))
    assert again.code == 4, "what is there already is not written over"
    assert states(workspace) == {"01": "issued"}, "and nothing was handed out"
    assert workspace.qms("copy", "issue", "CX-014", "--to", "王强", "--out", "副本.docx").code == 2
