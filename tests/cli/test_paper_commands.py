"""`qms record sheet`, `record paper`, `doc sheet`, `doc paper`: from the printed sheet to the scan in the archive."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.scans import as_bytes, plain_pdf, scanned, small_png

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Workspace

DOCUMENT = "XX-YLQXCX-014"
COMPLAINT: dict[str, Any] = {
    "received_at": "2026-05-20 09:30",
    "channel": "电话",
    "content": "输液泵运行中自动停机",
    "injury": "无",
    "customer_name": "江城市第一人民医院",
    "contact_phone": "13800000001",
    "product_name": "输液泵",
    "serial_no": "SP5-01",
    "late_entry_reason": "系统上线前的记录补记",
}


def complaint(workspace: Workspace) -> str:
    done = workspace.qms("--json", "record", "new", "XX-YLQXJL-018", "--values", workspace.values("v.yml", COMPLAINT))
    assert done.code == 0, done.err
    return str(json.loads(done.out)["number"])


def sheet(workspace: Workspace, tmp_path: Path, group: str, number: str, meaning: str, person: str = "陈晓") -> Path:
    target = tmp_path / f"{number}.pdf"
    made = workspace.qms(group, "sheet", number, "--meaning", meaning, "--out", str(target), "--force", person=person)
    assert made.code == 0, made.err
    return target


def scan(tmp_path: Path, printed: Path, kind: str = "JPEG") -> Path:
    path = tmp_path / f"扫描.{kind.lower()}"
    path.write_bytes(as_bytes(scanned(printed), kind))
    return path


@pytest.mark.slow
def test_a_customer_signs_on_paper_and_the_record_shows_it_everywhere(workspace: Workspace, tmp_path: Path) -> None:
    number = complaint(workspace)
    paper = scan(tmp_path, sheet(workspace, tmp_path, "record", number, "客户确认"))
    words = ("--signer", "张三", "--organisation", "江城市第一人民医院", "--meaning", "客户确认")
    filed = workspace.qms("--json", "record", "paper", number, "--scan", str(paper), *words, "--date", "2026-05-21")
    assert filed.code == 0, filed.err
    told = json.loads(filed.out)
    assert (told["code_read"], told["covers"]["sequence"], told["changed_since"]) == (True, 1, False)

    line = "纸质签名：客户确认 张三（江城市第一人民医院） 2026-05-21（扫描件，由 陈晓 归档）"
    assert line in workspace.qms("record", "show", number).out
    trail = workspace.qms("audit-trail", "--object", number).out
    assert line in trail
    assert "纸质签署单" in trail
    assert "纸质签名归档" in workspace.qms("record", "show", number).out

    again = workspace.qms("record", "paper", number, "--scan", str(paper), *words)
    assert "注意：打印签署单之后记录又有改动" in again.out, again.err

    taken_out = workspace.qms("record", "attachments", number, "--out", str(tmp_path / "附件"))
    assert taken_out.code == 0, taken_out.err
    assert (tmp_path / "附件" / "扫描.jpg").read_bytes() == paper.read_bytes()
    checked = workspace.qms("verify", "--rerender")
    assert checked.code == 0, checked.out


@pytest.mark.slow
def test_what_cannot_be_filed_is_refused_with_the_next_step(workspace: Workspace, tmp_path: Path) -> None:
    number = complaint(workspace)
    words = ("record", "paper", number, "--signer", "张三", "--meaning", "客户确认")
    plain, evil = tmp_path / "plain.png", tmp_path / "evil.pdf"
    plain.write_bytes(small_png())
    evil.write_bytes(plain_pdf(catalogue=b"/OpenAction << /S /JavaScript /JS (x) >>"))
    for extra, code in (
        ((), "paper-facts-wrong"),
        (("--outcome", "拒签"), "paper-facts-wrong"),
        (("--scan", str(plain)), "paper-code-unread"),
        (("--scan", str(evil)), "scan-refused"),
        (("--scan", str(tmp_path / "missing.png")), "input-file-missing"),
    ):
        refused = workspace.qms(*words, *extra)
        assert code in refused.err
        assert refused.code in {3, 4}
    confirmed = workspace.qms(*words, "--scan", str(plain), "--unread", "--entry", "1")
    assert "二维码未能读取，由归档人核对" in confirmed.out, confirmed.err
    declined = workspace.qms(*words, "--outcome", "无法取得", "--reason", "用户已搬迁，联系不上")
    assert "纸质签名（无法取得）" in declined.out, declined.err
    assert workspace.qms("record", "sheet", number, "--meaning", "客户确认", "--out", "x.txt").code == 2


@pytest.mark.slow
def test_a_document_drafted_and_reviewed_here_is_approved_on_paper(workspace: Workspace, tmp_path: Path) -> None:
    assert workspace.qms("doc", "sign", "CX-014", "--meaning", "起草", person="陈晓").code == 0
    assert workspace.qms("doc", "sign", "CX-014", "--meaning", "审核", person="林静").code == 0
    paper = scan(tmp_path, sheet(workspace, tmp_path, "doc", DOCUMENT, "批准"), "PDF")
    words = ("doc", "paper", "CX-014", "--scan", str(paper), "--meaning", "批准", "--signer")
    assert "post-needed" in workspace.qms(*words, "王强").err
    assert "post-needed" in workspace.qms(*words, "周明", person="王强").err
    assert "person-unknown" in workspace.qms(*words, "不在册").err
    assert "paper-own-signature" in workspace.qms(*words, "林静", person="林静").err

    asked = ("doc", "paper", "CX-014", "--meaning", "批准", "--signer", "周明")
    declined = workspace.qms("--json", *asked, "--outcome", "拒签", "--reason", "第三条还要改")
    assert declined.code == 0, declined.err
    told = json.loads(declined.out)
    assert (told["complete"], len(told["declined"]), told["voided"]) == (False, 1, [])

    approved = workspace.qms("--json", *words, "周明")
    assert approved.code == 0, approved.err
    told = json.loads(approved.out)
    assert told["complete"]
    last = told["steps"][-1]["signature"]
    assert (last["by"]["name"], last["by"]["post"]) == ("周明", "企业负责人")
    assert "纸质签名：批准 周明 企业负责人" in last["on_paper"]
    assert "扫描件，由 陈晓 归档" in workspace.qms("doc", "signatures", "CX-014").out
    assert "signing-order" in workspace.qms(*words, "周明").err

    taken_out = workspace.qms("doc", "scans", "CX-014", "--out", str(tmp_path / "扫描件"))
    assert taken_out.code == 0, taken_out.err
    assert [path.read_bytes() for path in (tmp_path / "扫描件").iterdir()] == [paper.read_bytes()]

    pdf = tmp_path / "014.pdf"
    printed = workspace.qms("doc", "print", "CX-014", "--signed", "--out", str(pdf))
    assert printed.code == 0, printed.err
    assert "纸质签名：批准 周明" in printed.out
    assert pdf.read_bytes().count(b"/ByteRange") == 2  # the electronic signatures alone
    checked = workspace.qms("verify")
    assert checked.code == 0, checked.out
    listed = workspace.qms("audit-trail", "--object", DOCUMENT)
    assert "纸质签名：批准 周明 企业负责人" in listed.out


@pytest.mark.slow
def test_a_document_signed_on_paper_first_goes_on_electronically_and_an_edit_needs_a_new_revision(
    workspace: Workspace, tmp_path: Path
) -> None:
    printed = sheet(workspace, tmp_path, "doc", DOCUMENT, "起草")
    paper = scan(tmp_path, printed, "PNG")
    words = ("doc", "paper", "CX-014", "--scan", str(paper), "--meaning", "起草", "--signer", "王强")
    drafted = workspace.qms(*words)
    assert drafted.code == 0, drafted.err
    reviewed = workspace.qms("doc", "sign", "CX-014", "--meaning", "审核", person="林静")
    assert reviewed.code == 0, reviewed.err
    assert workspace.qms("doc", "sign", "CX-014", "--meaning", "批准", person="周明").code == 0
    assert workspace.qms("doc", "signatures", "CX-014").code == 0
    checked = workspace.qms("verify")
    assert checked.code == 0, checked.out

    path = workspace.folder / "procedures" / DOCUMENT / "clauses.txt"
    path.write_text(path.read_text(encoding="utf-8") + "本程序每年评审一次。\n", encoding="utf-8", newline="")
    kept = workspace.qms("change", "adopt", "--reason", "补充评审周期", person="林静")
    assert kept.code == 4
    assert "A/0 已有人签署" in kept.err
    described = path.with_name("document.yml")
    raised = described.read_text(encoding="utf-8").replace("revision: A/0", "revision: A/1")
    described.write_text(raised, encoding="utf-8", newline="")
    adopted = workspace.qms("change", "adopt", "--reason", "补充评审周期", person="林静")
    assert adopted.code == 0, adopted.err
    revised = json.loads(workspace.qms("--json", "doc", "signatures", "CX-014").out)
    assert revised["revision"] == "A/1"
    assert [step["signature"] for step in revised["steps"]] == [None, None, None]
    again = workspace.qms(*words)
    assert "paper-code-differs" in again.err
    assert "二维码是 XX-YLQXCX-014/A-0 的，不是 XX-YLQXCX-014/A-1 的" in again.err
