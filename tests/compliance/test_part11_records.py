"""21 CFR 11.10(a) to (d): validity, copies, protection and access of records, shown one by one."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.compliance.acts import ACTS, made_ready, spelled
from tests.compliance.evidence import (
    REASON,
    SECRET,
    WRONG,
    archived,
    call,
    clock_moves,
    commands,
    corrected,
    docx_text,
    done,
    file_call,
    file_complaint,
    findings,
    folder_of,
    intrude,
    nobody_signed_in,
    options,
    passphrases,
    pdf_text,
    stock_check,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Workspace


@pytest.mark.parametrize("part", ["0001.json", "0001.p7s", "0001.sealed"])
def test_p11_01_a_changed_record_is_named(workspace: Workspace, part: str) -> None:
    """档案里的条目、签名或封存内容被人绕过软件改动一个字节，检查即报不符合，并指出是哪一份记录。"""
    number = file_call(workspace)
    assert findings(workspace) == (0, [])
    path = f"{folder_of(number)}/{part}"
    data = archived(workspace)[path]
    changed = data.replace(b"13800000001", b"13800000002") if part.endswith(".json") else data[:-1] + b"\0"
    assert changed != data
    intrude(workspace, {path: changed})
    code, found = findings(workspace)
    assert code == 1
    assert number in json.dumps(found, ensure_ascii=False)


def test_p11_01_a_removed_record_is_named(workspace: Workspace) -> None:
    """整份记录被人从档案里删去，检查即报不符合，并指出缺的是什么。"""
    kept, gone = file_call(workspace), file_call(workspace)
    folder = folder_of(gone)
    intrude(workspace, {path: None for path in archived(workspace) if path.startswith(f"{folder}/")})
    code, found = findings(workspace)
    told = json.dumps(found, ensure_ascii=False)
    assert (code, folder in told or gone in told, folder_of(kept) in told) == (1, True, False)


def test_p11_01_what_breaks_a_rule_is_refused_with_every_reason(workspace: Workspace) -> None:
    """不符合表单要求的内容不能归档：每一处都指出，什么也不写入。"""
    wrong = call(mode="传真", injury_flag=None, contact_phone="abc")
    before = workspace.tree()
    answer = workspace.qms("record", "new", "XX-YLQXJL-013", "--values", workspace.values("wrong.yml", wrong))
    assert answer.code == 4
    assert all(label in answer.err for label in ("方式", "是否涉及人身伤害", "联系方式"))
    assert workspace.tree() == before


def test_p11_01_every_print_can_be_made_again_as_it_was(workspace: Workspace) -> None:
    """归档时签名人看到的版面可以重新生成，逐字节与当时的摘要一致。"""
    corrected(workspace)
    told = done(workspace.qms("--json", "verify", "--rerender", person=None))
    assert (told["rendered"] > 0, told["rendered"]) == (True, told["rendered_same"])


def test_p11_02_a_record_is_printed_whole_with_history_and_signatures(workspace: Workspace, tmp_path: Path) -> None:
    """一份记录可打印成 PDF：内容、每个签名、每次更正的人、时间和原因都在上面；原值另见审计追踪的打印件（P11-07）。"""
    number = corrected(workspace)
    pdf = tmp_path / "记录.pdf"
    words = ("record", "print", number, "--unmask", "--out", str(pdf))
    assert workspace.qms(*words, person="林静").code == 0
    text = pdf_text(pdf)
    for part in (number, "江城市第二人民医院", "13800000001", SECRET, "陈晓", "林静", "更正", "以实物标签为准"):
        assert part in text, part


def test_p11_02_an_electronic_copy_is_complete_and_checks_out_without_us(workspace: Workspace, tmp_path: Path) -> None:
    """可导出完整的电子副本：全部条目、签名、附件和所用表单；检查员只用 openssl 即可核对，不需要本软件。"""
    (tmp_path / "签收单.txt").write_text("江城市第一人民医院 已签收", encoding="utf-8")
    file_complaint(workspace, notice_evidence=["签收单.txt"])
    number = corrected(workspace)
    folder = tmp_path / "给检查员"
    assert workspace.qms("verify", "--stock", str(folder)).code == 0
    for path, data in archived(workspace).items():
        if path.startswith(("trail/", "timestamps/")):
            continue  # the export itself is the newest statement there
        assert (folder / "archive" / path).read_bytes() == data, path
    checked = stock_check(folder)
    assert checked.returncode == 0, checked.stdout
    assert "结论：全部相符" in checked.stdout
    entry = folder / "archive" / folder_of(number) / "0002.json"
    entry.write_bytes(entry.read_bytes().replace("以实物标签为准".encode(), "以包装标签为准".encode()))
    assert stock_check(folder).returncode != 0


def test_p11_03_nothing_can_be_deleted(workspace: Workspace) -> None:
    """没有任何删除记录的命令或选项；作废的记录仍可打开、打印，编号不再使用。"""
    words = " ".join(word for path, command in commands() for word in (*path, *options(command)))
    assert not any(word in words for word in ("delete", "remove", "purge", "erase", "drop"))
    number = file_call(workspace)
    assert workspace.qms("record", "void", number, *REASON, person="林静").code == 0
    shown = workspace.qms("record", "show", number, person=None).out
    assert "已作废" in shown
    assert "江城市第一人民医院" in shown
    print_out = workspace.folder.parent / "作废.docx"
    assert workspace.qms("record", "print", number, "--out", str(print_out)).code == 0
    assert "已作废" in docx_text(print_out.read_bytes())
    assert file_call(workspace) != number


def test_p11_03_every_form_has_a_retention_rule(workspace: Workspace) -> None:
    """每张受控表单都定有保存期限。"""
    with closing(workspace.open()) as application:
        classes = set(application.retention.classes)
        forms = [application.forms.definition(number) for number in application.forms.numbers()]
    assert len(forms) >= 34
    assert [form.number.text for form in forms if form.retention not in classes] == []


def test_p11_03_records_are_found_and_open_years_later_on_the_form_they_were_made_on(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """五年之后、表单换版、索引丢失，记录仍按编号、日期和词语找得到，按当时的表单打开。"""
    number = file_call(workspace)
    form = "templates/forms/XX-YLQXJL-013/form.yml"
    file = workspace.folder / form
    file.write_bytes(file.read_bytes().replace("label: 方式\n".encode(), "label: 联系方式类别\n".encode()))
    assert workspace.qms("form", "compile", "XX-YLQXJL-013", "--revise", person=None).code == 0
    assert workspace.qms("change", "adopt", "--reason", "表单换版采用", person="林静").code == 0
    shutil.rmtree(workspace.folder / ".qms")
    clock_moves(monkeypatch, timedelta(days=5 * 365))
    listed = done(workspace.qms("--json", "record", "list", "XX-YLQXJL-013", person=None))
    found = done(workspace.qms("--json", "record", "search", "江城市第一人民医院", person=None))
    assert [item["number"] for item in listed] == [item["number"] for item in found] == [number]
    shown = done(workspace.qms("--json", "record", "show", number, person=None))
    assert (shown["revision"], shown["values"]["mode"]) == ("A/0", "电话")
    assert "方式：电话" in workspace.qms("record", "show", number, person=None).out
    in_force = done(workspace.qms("--json", "form", "show", "XX-YLQXJL-013", person=None))
    assert "联系方式类别" in json.dumps(in_force, ensure_ascii=False)
    made_on = json.loads(archived(workspace)[f"{folder_of(number)}/0001.json"])["form"]["digest"]
    assert f"controlled-forms/{made_on.removeprefix('sha256:')}/form.docx" in archived(workspace)


@pytest.mark.slow
def test_p11_04_nobody_acts_without_signing_in(workspace: Workspace) -> None:
    """没有人登录时，每一条操作命令都被拒绝，档案除这次拒绝以外什么也没有增加，什么也没有交出；凭本人口令当场办的，口令不对也不行。"""
    ready = made_ready(workspace)
    nobody_signed_in(workspace)
    before = archived(workspace)
    for act in ACTS:
        if act.person is None or act.command in {"person restore", "timestamp clock"}:
            continue  # done with one's own passphrase, then and there
        answer = workspace.qms(*spelled(act, ready), person=act.person)
        assert (answer.code, "sign-in-needed" in answer.err) == (4, True), (act.words, answer.err)
        assert list((workspace.folder.parent / "out").iterdir()) == []
    added = archived(workspace)
    assert {path for path in added if path not in before and not path.startswith("trail/")} == set()
    new = [json.loads(data) for path, data in added.items() if path not in before and path.endswith(".json")]
    assert {item["event"] for item in new} <= {"refused"}
    passphrases(workspace, WRONG)
    for act in ACTS:
        if act.person is None or act.command in {"person restore", "timestamp clock"}:
            assert workspace.qms(*spelled(act, ready), person=act.person).code != 0, act.words
    added = archived(workspace)
    new = [json.loads(data) for path, data in added.items() if path not in before and path.endswith(".json")]
    assert {item["event"] for item in new} <= {"refused", "sign-in-failed"}


def test_p11_04_only_the_own_passphrase_opens_an_account(workspace: Workspace) -> None:
    """不在册的人、停用的人、口令不对的人都不能登录。"""
    assert workspace.qms("person", "retire", "刘洋", "--reason", "离职", "--yes", person="周明").code == 0
    nobody_signed_in(workspace)
    assert workspace.qms("login", "张三", person=None).code == 3
    assert "person-retired" in workspace.qms("login", "刘洋", person=None).err
    workspace.passphrases.write_text("猜的口令-88-铁锚", encoding="utf-8")
    assert workspace.qms("login", "林静", person=None).code == 4
    assert done(workspace.qms("--json", "who", person=None)) == []
