"""`qms doc sign`, `signatures`, `exempt`, `print --signed` and `record print --sign`, checked with `pdfsig`."""

from __future__ import annotations

import hashlib
import json
import subprocess
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.real_tools import need
from tests.telephone_call import CALL

if TYPE_CHECKING:
    from tests.conftest import Workspace

NUMBER = "XX-YLQXCX-014"
TEXT = f"procedures/{NUMBER}/clauses.txt"


def pdfsig(pdf: Path) -> str:
    program = need("pdfsig")
    return subprocess.run([program, "-nocert", str(pdf)], capture_output=True, text=True, check=False).stdout


@pytest.mark.slow
def test_what_is_signed_is_shown_before_the_passphrase_and_may_be_declined(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = workspace.qms("doc", "sign", "CX-014", "--meaning", "起草")
    assert "还没有人签过。" in first.out
    assert first.code == 0, first.err
    asked: list[str] = []
    answers = ["否"]

    def visible(prompt: str = "") -> str:
        asked.append(prompt)
        return answers.pop(0)

    with monkeypatch.context() as terminal:
        terminal.setattr("sys.stdin.isatty", lambda: True, raising=False)
        terminal.setattr("click.termui.visible_prompt_func", visible)
        workspace.passphrases.write_text("没有人的口令", encoding="utf-8")
        declined = workspace.qms("doc", "sign", "CX-014", "--meaning", "审核", person="林静")
    assert declined.code != 0
    assert "passphrase-wrong" not in declined.err
    lines = [line.strip() for line in declined.out.splitlines()]
    assert lines[0] == "林静将以“审核”签署："
    assert lines[1].startswith("《")
    assert lines[1].endswith(f"》{NUMBER} A/0")
    assert lines[2].startswith("已签：起草 陈晓（质管员）")
    pdf = next(line for line in lines if line.startswith("PDF：")).removeprefix("PDF：")
    told = next(line for line in lines if line.startswith("PDF 摘要：")).removeprefix("PDF 摘要：").replace(" ", "")
    assert hashlib.sha256(Path(pdf).read_bytes()).hexdigest() == told
    assert len(asked) == 1
    told_by_data = json.loads(workspace.qms("--json", "doc", "signatures", "CX-014").out)
    assert [step["signature"] is not None for step in told_by_data["steps"]] == [True, False, False]


def adopt_an_edit(workspace: Workspace) -> None:
    path = workspace.folder / TEXT
    path.write_text(path.read_text(encoding="utf-8") + "本程序每年评审一次。\n", encoding="utf-8", newline="")
    kept = workspace.qms("change", "adopt", "--reason", "补充评审周期", person="林静")
    assert (kept.code, "版本 A/0 已有人签署" in kept.err) == (4, True)
    control = path.with_name("document.yml")
    control.write_bytes(control.read_bytes().replace(b"revision: A/0", b"revision: A/1"))
    done = workspace.qms("change", "adopt", "--reason", "补充评审周期", person="林静")
    assert done.code == 0, done.err


@pytest.mark.slow
def test_a_document_is_drafted_reviewed_and_approved_by_three_people(workspace: Workspace, tmp_path: Path) -> None:
    waiting = workspace.qms("doc", "signatures", "CX-014")
    assert waiting.code == 1
    assert "待签：起草（在册人员）、审核（质量负责人）、批准（企业负责人）" in waiting.out

    unsigned = tmp_path / "待签.pdf"
    assert workspace.qms("doc", "print", "CX-014", "--signed", "--out", str(unsigned)).code == 0
    drafted = workspace.qms("doc", "sign", "CX-014", "--meaning", "起草", "--seen", str(unsigned))
    assert drafted.code == 0, drafted.err
    reviewed = workspace.qms("doc", "sign", "CX-014", "--meaning", "审核", "--reason", "已核对法规", person="林静")
    assert reviewed.code == 0, reviewed.err
    approved = workspace.qms("--json", "doc", "sign", "CX-014", "--meaning", "批准", person="周明")
    assert approved.code == 0, approved.err
    told = json.loads(approved.out)
    assert told["complete"]
    assert [item["signature"]["by"]["name"] for item in told["steps"]] == ["陈晓", "林静", "周明"]

    pdf = tmp_path / "014.pdf"
    printed = workspace.qms("doc", "print", "CX-014", "--signed", "--out", str(pdf))
    assert "已按路线“体系文件审批”全部签署" in printed.out
    seen = pdfsig(pdf)
    assert seen.count("Signature is Valid") == 3
    assert seen.count("ETSI.CAdES.detached") == 3
    assert pdf.read_bytes().startswith(unsigned.read_bytes())

    adopt_an_edit(workspace)
    waiting = workspace.qms("doc", "signatures", "CX-014")
    assert (waiting.code, f"{NUMBER} A/1 待签：起草" in waiting.out) == (1, True)
    word = tmp_path / "014.docx"
    printed = workspace.qms("doc", "print", "CX-014", "--out", str(word))
    assert (printed.code, "打印件上已注明" in printed.err) == (0, True)
    assert (
        "未签署：本版本还没有全部签署，待签 起草、审核、批准"
        in zipfile.ZipFile(word).read("word/document.xml").decode()
    )
    told = json.loads(workspace.qms("--json", "verify").out)["findings"]
    assert [(item["gravity"], item["subject"]) for item in told if item["code"] == "document-signatures-voided"] == [
        ("warning", NUMBER)
    ]
    again = workspace.qms("doc", "sign", "CX-014", "--meaning", "批准", person="周明")
    assert (again.code, "应先签“起草”" in again.err) == (4, True)
    unseen = workspace.qms("doc", "sign", "CX-014", "--meaning", "起草", "--seen", str(pdf))
    assert (unseen.code, "signing-shown-changed" in unseen.err) == (4, True)


def test_a_document_that_nobody_ever_signed_prints_as_it_is_and_may_change_without_a_new_revision(
    workspace: Workspace, tmp_path: Path
) -> None:
    path = workspace.folder / TEXT
    path.write_text(path.read_text(encoding="utf-8") + "本程序每年评审一次。\n", encoding="utf-8", newline="")
    assert workspace.qms("change", "adopt", "--reason", "补充评审周期", person="林静").code == 0
    word = tmp_path / "014.docx"
    printed = workspace.qms("doc", "print", "CX-014", "--out", str(word))
    assert (printed.code, printed.err) == (0, "")
    assert "签署：" not in zipfile.ZipFile(word).read("word/document.xml").decode()


@pytest.mark.slow
def test_the_route_is_kept_and_the_exemption_lets_only_the_drafter_review(workspace: Workspace) -> None:
    sign = ("doc", "sign", "CX-014", "--meaning")
    assert "signing-order" in workspace.qms(*sign, "审核", person="林静").err
    assert "signing-order" in workspace.qms(*sign, "会签").err
    assert workspace.qms(*sign, "起草", person="林静").code == 0
    assert "signing-order" in workspace.qms(*sign, "起草").err
    assert "post-needed" in workspace.qms(*sign, "审核", person="王强").err
    same = workspace.qms(*sign, "审核", person="林静")
    assert (same.code, "signing-same-person" in same.err) == (4, True)

    assert "post-needed" in workspace.qms("doc", "exempt", "--reason", "质管部只有一人", person="林静").err
    assert "exemption-refused" in workspace.qms("doc", "exempt", "--reason", "少", person="周明").err
    granted = workspace.qms("doc", "exempt", "--reason", "质管部只有一人", "--months", "6", person="周明")
    assert granted.code == 0, granted.err
    reviewed = workspace.qms(*sign, "审核", person="林静")
    assert "依两人企业豁免签署" in reviewed.out, reviewed.err
    assert workspace.qms(*sign, "批准", person="周明").code == 0

    assert "豁免已停用" in workspace.qms("doc", "exempt", "--reason", "人员已配齐", "--months", "0", person="周明").out
    assert workspace.qms("doc", "signatures", "CX-014").code == 0
    other = ("doc", "sign", "CX-015", "--meaning")
    assert workspace.qms(*other, "起草", person="周明").code == 0
    assert workspace.qms(*other, "审核", person="林静").code == 0
    never = workspace.qms(*other, "批准", person="周明")
    assert (never.code, "“批准”须由另一人签" in never.err) == (4, True)


@pytest.mark.slow
def test_a_record_is_handed_out_as_a_signed_pdf(workspace: Workspace, tmp_path: Path) -> None:
    filed = workspace.qms("--json", "record", "new", "XX-YLQXJL-013", "--values", workspace.values("call.yml", CALL))
    assert filed.code == 0, filed.err
    number = json.loads(filed.out)["number"]
    pdf = tmp_path / "记录.pdf"
    printed = workspace.qms("record", "print", number, "--sign", "--out", str(pdf), person="赵敏")
    assert printed.code == 0, printed.err
    seen = pdfsig(pdf)
    assert "Signer Certificate Common Name: 赵敏" in seen
    assert seen.count("Signature is Valid") == 1
    assert "Total document signed" in seen
