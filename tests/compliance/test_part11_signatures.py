"""21 CFR 11.50 and 11.70: what a signature shows, and its link to the record, shown one by one."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from controller.file_formats.canonical_json import encode
from tests.compliance.evidence import (
    REASON,
    ZONE,
    archived,
    docx_text,
    done,
    file_call,
    findings,
    folder_of,
    intrude,
    openssl_accepts,
    pdf_text,
    reseal,
    stock_check,
)
from tests.real_tools import need

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Workspace


@pytest.fixture
def approved(workspace: Workspace) -> str:
    """A supplier's evaluation, recorded by 陈晓 and approved by 林静."""
    today = datetime.now(ZONE).date()
    values = {
        "party_type": "维修服务机构", "party_name": "江城医疗设备维修有限公司", "evaluated_on": today.isoformat(),
        "licences": [{"kind": "营业执照", "licence_no": "91350700MA2XN0001K", "long_term": True}], "eval_type": "年度",
        "score_quality": "36", "score_service": "27", "score_delivery": "18", "score_docs": "9",
    }  # fmt: skip
    made = ("--json", "record", "new", "XX-YLQXJL-008", "--values", workspace.values("evaluation.yml", values))
    number: str = done(workspace.qms(*made, person="陈晓"))["number"]
    decision = workspace.values(
        "decision.yml", {"result": "合格", "next_eval": (today + timedelta(days=300)).isoformat()}
    )
    answer = workspace.qms("record", "advance", number, "--stage", "approved", "--values", decision, person="林静")
    assert answer.code == 0, answer.err
    return number


def signed_bytes(workspace: Workspace, number: str, place: int = 2) -> tuple[bytes, bytes]:
    """The bytes of an entry and its signature."""
    found, path = archived(workspace), f"{folder_of(number)}/{place:04d}"
    return found[f"{path}.json"], found[f"{path}.p7s"]


def everywhere(workspace: Workspace, number: str, place: Path) -> dict[str, str]:
    """The record on the screen, as Word print and as PDF print, without spaces."""
    screen = workspace.qms("record", "show", number, person=None).out
    for name in ("a.docx", "a.pdf"):
        assert workspace.qms("record", "print", number, "--out", str(place / name)).code == 0
    return {
        "屏幕": "".join(screen.split()),
        "Word": "".join(docx_text((place / "a.docx").read_bytes()).split()),
        "PDF": pdf_text(place / "a.pdf"),
    }


def test_p11_16_the_full_name_is_shown(workspace: Workspace, approved: str, tmp_path: Path) -> None:
    """记录的屏幕、Word 和 PDF 上都有每个签名人的全名和岗位；姓名来自登录，不来自填写。"""
    for shown in everywhere(workspace, approved, tmp_path).values():
        assert "陈晓（质管员）" in shown
        assert "林静（质量负责人）" in shown


def test_p11_17_date_time_and_zone_are_shown(workspace: Workspace, approved: str, tmp_path: Path) -> None:
    """每个签名都显示日期、时间（到秒）和时区，与签名文件里的时间一致（用 openssl 读出核对）。"""
    content, p7s = signed_bytes(workspace, approved)
    at = datetime.fromisoformat(json.loads(content)["at"])
    told = f"{at:%Y-%m-%d%H:%M:%S}+08:00"
    for name, shown in everywhere(workspace, approved, tmp_path).items():
        assert told in shown, name
    (tmp_path / "a.p7s").write_bytes(p7s)
    words = ["cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", "a.p7s"]
    seen = subprocess.run([need("openssl"), *words], cwd=tmp_path, capture_output=True, encoding="utf-8", check=True)
    match = re.search(r"UTCTIME:(\w+ +\d+ [\d:]+ \d{4}) GMT", seen.stdout)
    assert match is not None
    assert datetime.strptime(f"{match[1]} +0000", "%b %d %H:%M:%S %Y %z") == at


def test_p11_18_the_meaning_is_shown(workspace: Workspace, approved: str, tmp_path: Path) -> None:
    """每个签名都显示含义：记录、批准；更正和作废也一样。"""
    assert workspace.qms("record", "correct", approved, "--set", "score_docs=8", *REASON, person="林静").code == 0
    for name, shown in everywhere(workspace, approved, tmp_path).items():
        told = shown.partition("经过：" if name == "屏幕" else "电子签名（")[2]
        for part in ("陈晓（质管员）记录", "林静（质量负责人）批准", "更正", "以实物标签为准"):
            assert part in told, (name, part)


@pytest.mark.slow
def test_p11_18_a_signed_document_shows_all_three_on_its_page(workspace: Workspace, tmp_path: Path) -> None:
    """体系文件的 PDF 有签署页：姓名、岗位、含义、日期时间和时区；签名由 pdfsig 验证有效。"""
    for meaning, person in (("起草", "陈晓"), ("审核", "林静"), ("批准", "周明")):
        assert workspace.qms("doc", "sign", "CX-014", "--meaning", meaning, person=person).code == 0
    pdf = tmp_path / "程序.pdf"
    assert workspace.qms("doc", "print", "CX-014", "--signed", "--out", str(pdf)).code == 0
    text = pdf_text(pdf)
    for part in ("陈晓", "质管员", "起草", "林静", "审核", "周明", "企业负责人", "批准", "+08:00"):
        assert part in text, part
    seen = subprocess.run([need("pdfsig"), "-nocert", str(pdf)], capture_output=True, encoding="utf-8", check=False)
    assert seen.stdout.count("Signature is Valid") == 3


@pytest.mark.parametrize(
    ("item", "old", "new"),
    [("name", "林静", "周明"), ("time", "T", "T"), ("meaning", "批准", "复核")],
    ids=["name", "time", "meaning"],
)
def test_p11_19_the_three_are_part_of_what_is_signed(
    workspace: Workspace, approved: str, item: str, old: str, new: str
) -> None:
    """姓名、时间、含义就在签名所盖的内容里：改动其中任何一项，openssl 验证不过，检查报不符合。"""
    content, p7s = signed_bytes(workspace, approved)
    assert openssl_accepts(workspace, p7s, content)
    said = json.loads(content)
    if item == "time":
        said["at"] = (datetime.fromisoformat(said["at"]) + timedelta(seconds=1)).isoformat()
        forged = encode(said)
    else:
        forged = content.replace(old.encode(), new.encode())
    assert forged != content
    assert not openssl_accepts(workspace, p7s, forged)
    intrude(workspace, {f"{folder_of(approved)}/0002.json": forged})
    code, found = findings(workspace)
    assert (code, approved in json.dumps(found, ensure_ascii=False)) == (1, True)


def test_p11_20_a_signature_moved_to_another_record_is_noticed(workspace: Workspace, tmp_path: Path) -> None:
    """把一份记录的签名复制到另一份（同一人、同一表单）：本软件报不符合，openssl 和交给检查员的核对脚本也验证不过。"""
    one, other = file_call(workspace), file_call(workspace, customer_name="江城市第二人民医院")
    (first, signature), (second, _) = signed_bytes(workspace, one, 1), signed_bytes(workspace, other, 1)
    assert openssl_accepts(workspace, signature, first)
    assert not openssl_accepts(workspace, signature, second)
    copy = tmp_path / "给检查员"
    assert workspace.qms("verify", "--stock", str(copy)).code == 0
    (copy / "archive" / folder_of(other) / "0001.p7s").write_bytes(signature)
    reseal(copy)
    checked = stock_check(copy)
    assert (checked.returncode, other in checked.stdout) == (1, True)
    intrude(workspace, {f"{folder_of(other)}/0001.p7s": signature})
    code, found = findings(workspace)
    told = json.dumps(found, ensure_ascii=False)
    assert (code, other in told, one in told) == (1, True, False)


def test_p11_20_an_entry_moved_whole_to_another_record_is_noticed(workspace: Workspace) -> None:
    """把条目连同签名整个搬到另一份记录：条目自己写明属于哪份记录、接在哪一条之后，检查即报不符合。"""
    one, other = file_call(workspace), file_call(workspace)
    for number, customer in ((one, "甲医院"), (other, "乙医院")):
        change = f"customer_name={customer}"
        assert workspace.qms("record", "correct", number, "--set", change, *REASON, person="林静").code == 0
    content, p7s = signed_bytes(workspace, one)
    intrude(workspace, {f"{folder_of(other)}/0002.json": content, f"{folder_of(other)}/0002.p7s": p7s})
    code, found = findings(workspace)
    assert (code, other in json.dumps(found, ensure_ascii=False)) == (1, True)


def test_p11_20_nothing_can_be_signed_with_what_a_file_holds(workspace: Workspace) -> None:
    """签名只能由密钥作出：把签名文件截短、清空或删去，检查都报不符合。"""
    number = file_call(workspace)
    path = f"{folder_of(number)}/0001.p7s"
    for data in (archived(workspace)[path][:-20], b"", None):
        intrude(workspace, {path: data})
        code, found = findings(workspace)
        assert (code, number in json.dumps(found, ensure_ascii=False)) == (1, True)
