"""21 CFR 11.10(f) to (k) and 11.30: steps, authority, devices, people, documents and open systems, shown one by one."""

from __future__ import annotations

import getpass
import json
import os
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from tests.compliance.acts import Act, spelled
from tests.compliance.evidence import (
    REASON,
    SECRET,
    ZONE,
    archived,
    commands,
    entries,
    file_call,
    file_complaint,
    findings,
    git,
    is_said,
    openssl_accepts,
    options,
    refused,
    trail,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Workspace


def test_p11_08_a_step_out_of_order_is_refused(workspace: Workspace) -> None:
    """投诉没有经过调查和处理就结案、文件没有审核就批准，都被拒绝；按顺序则可以。"""
    number = file_complaint(workspace)
    skipped = workspace.qms("record", "advance", number, "--stage", "closed", person="林静")
    assert "可以进行的下一阶段：已受理" in skipped.err
    refused(workspace, skipped, "stage-refused")
    early = workspace.qms("doc", "sign", "CX-014", "--meaning", "批准", person="周明")
    assert (early.code, "signing-order" in early.err) == (4, True)
    accepted = {
        "customer_type": "医疗机构", "contact_name": "何志远", "complainant_role": "护士", "category": ["性能故障"],
        "severity": "一般", "is_quality": "否", "sample_kept": "不适用", "stop_sale": "否", "handler": "p005",
        "ack_at": datetime.now(ZONE).strftime("%Y-%m-%d %H:%M"),
    }  # fmt: skip
    path = workspace.values("accepted.yml", accepted)
    answer = workspace.qms("record", "advance", number, "--stage", "accepted", "--values", path, person="赵敏")
    assert answer.code == 0, answer.err


def test_p11_08_a_void_record_takes_no_more_acts(workspace: Workspace) -> None:
    """记录作废之后不能再更改、补充或推进。"""
    number = file_call(workspace)
    assert workspace.qms("record", "void", number, *REASON, person="林静").code == 0
    change = "customer_name=江城市第二人民医院"
    refused(
        workspace, workspace.qms("record", "correct", number, "--set", change, *REASON, person="林静"), "stage-refused"
    )


_UNAUTHORISED: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "signing": ("王强", "post-needed", ("doc", "sign", "CX-015", "--meaning", "审核")),
    "altering a record": ("刘洋", "stage-refused", ("record", "correct", "{call}", "--set", "mode=来访", *REASON)),
    "the operation at hand": ("王强", "stage-refused", ("record", "advance", "{complaint}", "--stage", "accepted")),
    "voiding": ("王强", "stage-refused", ("record", "void", "{call}", *REASON)),
    "output": ("王强", "unmasking-refused", ("record", "print", "{call}", "--unmask", "--out", "{out}/a.docx")),
    "the rules": ("王强", "post-needed", ("change", "adopt", "--reason", "自己改的规则")),
    "accounts": ("王强", "post-needed", ("person", "posts", "刘洋", "--post", "quality_head", *REASON)),
    "witnessing": ("王强", "post-needed", ("person", "revoke", "林静", *REASON, "--yes")),
}


@pytest.mark.parametrize("what", _UNAUTHORISED)
def test_p11_09_who_lacks_the_post_is_refused(workspace: Workspace, tmp_path: Path, what: str) -> None:
    """签名、更改、作废、取用敏感内容、改规则、管账号，都先核对岗位；不符的被拒绝并留痕（进入系统见 P11-04）。"""
    person, code, words = _UNAUTHORISED[what]
    ready = {"call": file_call(workspace), "complaint": file_complaint(workspace), "out": str(tmp_path)}
    posts = workspace.folder / "signatures" / "posts.yml"
    posts.write_bytes(posts.read_bytes() + "# 自己改的\n".encode())
    if what == "signing":
        assert workspace.qms("doc", "sign", "CX-015", "--meaning", "起草").code == 0
    answer = workspace.qms(*spelled(Act(words, person, ""), ready), person=person)
    event = refused(workspace, answer, code)
    assert (event["name"], event["action"]) == (person, "操作被拒绝")
    assert not (tmp_path / "a.docx").exists()


def test_p11_10_where_an_act_came_from_is_written_by_the_machine(workspace: Workspace) -> None:
    """每次操作都由机器记下电脑、系统账号和登录号；重新登录以后登录号不同。没有填写来源的选项。"""
    assert not any("computer" in word or "origin" in word for _, item in commands() for word in options(item))
    assert workspace.qms("login", "陈晓", person=None).code == 0
    first = file_call(workspace)
    assert workspace.qms("logout", "陈晓", person=None).code == 0
    assert workspace.qms("login", "陈晓", person=None).code == 0
    second = file_call(workspace)
    origins = [entries(workspace, number)[0][1]["origin"] for number in (first, second)]
    assert {item["computer"] for item in origins} == {
        os.uname().nodename if hasattr(os, "uname") else os.environ["COMPUTERNAME"]
    }
    assert {item["account"] for item in origins} == {getpass.getuser()}
    assert len({item["sitting"] for item in origins} - {""}) == 2
    assert trail(workspace, "--object", first)[0]["computer"] == origins[0]["computer"]


def test_p11_12_everybody_acknowledges_before_the_first_signature(workspace: Workspace) -> None:
    """每个人领证书时，用自己的密钥签署知悉书：电子签名等同手写签名，本人负责；不同意就没有证书。"""
    found = archived(workspace)
    enrolled = {
        path: json.loads(data) for path, data in found.items() if path.startswith("people/") and path.endswith(".json")
    }
    texts = {item["by"]["name"]: (path, item) for path, item in enrolled.items() if item["event"] == "person-enrolled"}
    assert set(texts) == {"周明", "林静", "陈晓", "王强", "赵敏", "刘洋", "孙丽", "吴涛"}
    for name, (path, item) in texts.items():
        assert "与手写签名具有同等效力，本人对其后果负责" in item["new"]["acknowledgement"], name
        assert openssl_accepts(workspace, found[path.replace(".json", ".p7s")], found[path])
    assert workspace.qms("person", "add", "郑浩", "--post", "sales_clerk", "--check", "身份证", person="周明").code == 0
    answer = workspace.qms("person", "certify", "郑浩", person="周明")
    assert (answer.code, "acknowledgement-needed" in answer.err) == (4, True)


def test_p11_14_documents_of_the_system_change_in_signed_revisions(workspace: Workspace) -> None:
    """规则和文件的每次更改都是签了名的陈述：谁、何时、为何、改了哪个文件；以前的版本按时间都取得出来。"""
    path = "signatures/posts.yml"
    versions = [(workspace.folder / path).read_bytes()]
    for note in ("第一次更改", "第二次更改"):
        file = workspace.folder / path
        file.write_bytes(versions[0] + f"# {note}\n".encode())
        assert workspace.qms("change", "adopt", "--reason", note, person="林静").code == 0
        versions.append(file.read_bytes())
    events = trail(workspace, "--action", "变更受控文件")[-2:]
    assert [(item["name"], item["reason"], item["signed"]) for item in events] == [
        ("林静", "第一次更改", "signed"), ("林静", "第二次更改", "signed"),
    ]  # fmt: skip
    commits = git(workspace.folder, "log", "--format=%H", "main", "--", path).decode().split()
    assert [git(workspace.folder, "show", f"{commit}:{path}") for commit in reversed(commits)] == versions


def test_p11_14_what_was_edited_without_a_signature_is_not_in_force(workspace: Workspace) -> None:
    """不经签名采用的修改不起作用；绕过软件直接提交，检查即报不符合。"""
    path = workspace.folder / "templates/forms/XX-YLQXJL-013/form.yml"
    path.write_bytes(path.read_bytes().replace("来电来访登记表".encode(), "随便登记表".encode()))
    assert "随便登记表" not in workspace.qms("form", "list", person=None).out
    git(workspace.folder, "commit", "-q", "-a", "-m", "x")
    code, found = findings(workspace)
    assert (code, "main" in json.dumps(found, ensure_ascii=False)) == (1, True)


def test_p11_15_a_copy_that_travels_carries_signatures_and_no_sensitive_text(
    workspace: Workspace, tmp_path: Path
) -> None:
    """复制到别处的档案里，每个条目都有可用 openssl 验证的签名，敏感内容只有密文；没有密钥的电脑打不开。"""
    number = file_call(workspace)
    git(workspace.folder, "clone", "-q", "--mirror", str(workspace.folder), str(tmp_path / "copy.git"))
    found = archived(workspace)
    for path in filter(is_said, found):
        if json.loads(found[path])["by"] is not None:
            assert openssl_accepts(workspace, found[path.replace(".json", ".p7s")], found[path]), path
    words = [
        line.split()
        for line in git(tmp_path / "copy.git", "cat-file", "--batch-all-objects", "--batch-check").decode().splitlines()
    ]
    everything = b"".join(
        git(tmp_path / "copy.git", "cat-file", kind, name) for name, kind, _ in words if kind == "blob"
    )
    assert "江城市第一人民医院".encode() in everything
    assert SECRET.encode() not in everything
    keys = next((tmp_path / "keys").rglob("p001.p12")).parent.parent
    for held in keys.iterdir():
        if held.is_file() and held.suffix != ".p12":
            held.unlink()
    answer = workspace.qms("record", "show", number, "--unmask", person="林静")
    assert (answer.code, SECRET in answer.out) == (4, False)
