"""21 CFR 11.10 and 11.30: controls of records, shown one by one. Signatures: `test_part11_signatures`."""

from __future__ import annotations

import getpass
import json
import os
import re
import shutil
from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from controller.adapters.this_computer import origin_here
from tests.compliance.acts import ACTS, COUNTERSIGNED, ELSEWHERE, READING, WORKSHOP, Act, made_ready, spelled
from tests.compliance.evidence import (
    ARCHIVE,
    SECRET,
    WRONG,
    ZONE,
    archived,
    call,
    clock_moves,
    commands,
    csv_rows,
    docx_text,
    done,
    entries,
    file_call,
    file_complaint,
    findings,
    folder_of,
    git,
    intrude,
    nobody_signed_in,
    openssl_accepts,
    options,
    passphrases,
    pdf_text,
    refused,
    stock_check,
    tip,
    trail,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Workspace

_REASON = ("--reason", "以实物标签为准")


def corrected(workspace: Workspace) -> str:
    """A call whose customer was corrected."""
    number = file_call(workspace)
    change = "customer_name=江城市第二人民医院"
    assert workspace.qms("record", "correct", number, "--set", change, *_REASON, person="林静").code == 0
    return number


# -- section 11.10(a)


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


# -- section 11.10(b)


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


# -- section 11.10(c)


def test_p11_03_nothing_can_be_deleted(workspace: Workspace) -> None:
    """没有任何删除记录的命令或选项；作废的记录仍可打开、打印，编号不再使用。"""
    words = " ".join(word for path, command in commands() for word in (*path, *options(command)))
    assert not any(word in words for word in ("delete", "remove", "purge", "erase", "drop"))
    number = file_call(workspace)
    assert workspace.qms("record", "void", number, *_REASON, person="林静").code == 0
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


# -- section 11.10(d)


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


# -- section 11.10(e)


@pytest.mark.slow
def test_p11_05_every_act_leaves_its_entry(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """软件的每一条操作命令各做一次：每次都在档案里留下机器写的条目，写明是谁、何时、从哪台电脑；没有遗漏的命令。"""
    known = {act.command for act in ACTS} | READING | WORKSHOP | ELSEWHERE
    there = {" ".join(path) for path, _ in commands()}
    assert there == known, f"说明这些命令留下什么（acts.py）：{sorted(there ^ known)}"
    ready = made_ready(workspace)
    for act in ACTS:
        before, started = tip(workspace), datetime.now(ZONE) + timedelta(hours=act.hours)
        with monkeypatch.context() as patch:
            clock_moves(patch, timedelta(hours=act.hours))
            answer = workspace.qms(*spelled(act, ready), person=act.person)
        assert answer.code == 0, (act.words, answer.err)
        added = git(workspace.folder, "diff-tree", "-r", "--name-only", before, ARCHIVE).decode().split()
        if act.leaves == COUNTERSIGNED:
            assert [path.rpartition("/")[2] for path in added] == ["0002.p001.p7s"]
            continue
        said = [json.loads(git(workspace.folder, "show", f"{ARCHIVE}:{path}")) for path in added if is_said(path)]
        mine = [item for item in said if left_by(item) == (act.leaves, act.by or act.person)]
        assert mine, (act.words, said)
        for item in mine:
            assert abs(datetime.fromisoformat(item["at"]) - started) < timedelta(minutes=1)
            assert item["origin"]["computer"] == origin_here("").computer


def is_said(path: str) -> bool:
    """Tell whether an archive file is an entry or a statement."""
    return re.fullmatch(r".+/(\d{4}|\d{8})\.json", path) is not None


def left_by(item: dict[str, Any]) -> tuple[str, str | None]:
    """What an entry or statement is about, and who made it."""
    return str(item.get("event") or item.get("act")), (item["by"] or {}).get("name")


def test_p11_05_old_and_new_value_are_written_by_the_machine(workspace: Workspace) -> None:
    """更正由机器写下谁、何时、原值、新值和原因。"""
    number = corrected(workspace)
    event = trail(workspace, "--object", number, "--action", "更正")[-1]
    change = next(item for item in event["changes"] if item["field"] == "customer_name")
    assert (event["name"], event["reason"], change["old"], change["new"]) == (
        "林静", "以实物标签为准", "江城市第一人民医院", "江城市第二人民医院",
    )  # fmt: skip
    assert abs(datetime.fromisoformat(event["at"]) - datetime.now(ZONE)) < timedelta(minutes=1)


@pytest.mark.slow
def test_p11_05_what_cannot_be_written_down_does_not_happen(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """档案不能写入时，每一条操作命令都不进行：没有归档，没有打印，没有导出。"""
    ready = made_ready(workspace)
    before, people = tip(workspace), (workspace.folder / "signatures/people.yml").read_bytes()
    lock = workspace.folder / ".qms" / "locks" / "archive.lock"
    lock.unlink()
    lock.mkdir()  # in the way of whoever would write
    for act in ACTS:
        with monkeypatch.context() as patch:
            clock_moves(patch, timedelta(hours=act.hours))
            answer = workspace.qms(*spelled(act, ready), person=act.person)
        assert answer.code in {3, 4, 5, 6}, (act.words, answer.code, answer.out, answer.err)
        assert "下一步" in answer.err
        assert SECRET not in answer.out
        handed_over = [path for path in (workspace.folder.parent / "out").rglob("*") if path.is_file()]
        assert handed_over == [], act.words
    lock.rmdir()
    assert tip(workspace) == before
    for name in ("周明", "林静", "陈晓", "王强", "赵敏", "刘洋", "孙丽", "吴涛"):
        assert workspace.qms("login", name, person=None).code == 0, name
    assert (workspace.folder / "signatures/people.yml").read_bytes() == people


@pytest.mark.parametrize("path", ["signatures/signing.yml", "qms.toml"])
def test_p11_05_no_setting_stops_the_trail(workspace: Workspace, path: str) -> None:
    """没有关闭审计追踪的选项；在设置文件里写这样的设置，软件不认，也不采用。"""
    words = " ".join(word for _, command in commands() for word in options(command))
    assert not any(word in words for word in ("no-trail", "no-audit", "quiet", "silent", "no-sign", "skip"))
    file = workspace.folder / path
    line = "\naudit_trail: false\n" if path.endswith(".yml") else "\naudit_trail = false\n"
    file.write_bytes(file.read_bytes() + line.encode())
    answer = workspace.qms("change", "adopt", "--reason", "关闭审计追踪", person="林静")
    assert answer.code in {4, 6}, answer.out
    assert "audit_trail" in answer.err


# -- section 11.10(e): changes do not obscure, the trail is kept


def test_p11_06_the_earlier_value_stays_readable(workspace: Workspace, tmp_path: Path) -> None:
    """更正以后，原值在屏幕、审计追踪和电子副本里都还看得到，原来的条目逐字节不变。"""
    number = file_call(workspace)
    first = archived(workspace)[f"{folder_of(number)}/0001.json"]
    change = "customer_name=江城市第二人民医院"
    assert workspace.qms("record", "correct", number, "--set", change, *_REASON, person="林静").code == 0
    assert archived(workspace)[f"{folder_of(number)}/0001.json"] == first
    shown = workspace.qms("record", "show", number, person=None).out
    assert "江城市第一人民医院 → 江城市第二人民医院" in shown
    export = tmp_path / "trail.csv"
    assert workspace.qms("audit-trail", "--object", number, "--out", str(export), person="林静").code == 0
    assert any("江城市第一人民医院" in cell for row in csv_rows(export) for cell in row)


def test_p11_06_what_was_entered_is_not_overwritten_by_filling_in(workspace: Workspace) -> None:
    """补充内容时不能盖掉已有的值，只能更正并写明原因；不写原因的更正被拒绝。"""
    number = file_call(workspace)
    change = "customer_name=江城市第二人民医院"
    over = workspace.qms("record", "advance", number, "--set", change)
    assert (over.code, "更正" in over.err) == (4, True)
    assert workspace.qms("record", "correct", number, "--set", change, "--reason", "", person="林静").code == 4
    assert done(workspace.qms("--json", "record", "show", number))["values"]["customer_name"] == "江城市第一人民医院"


@pytest.mark.parametrize("kind", ["csv", "xlsx", "jsonl"])
def test_p11_07_an_inspector_gets_the_whole_trail(workspace: Workspace, tmp_path: Path, kind: str) -> None:
    """审计追踪可整份交给检查员（CSV、Excel、JSON 行），档案里的每个条目和陈述都在其中，一条不少。"""
    number = corrected(workspace)
    assert workspace.qms("record", "void", number, *_REASON, person="林静").code == 0
    there = sum(1 for path in archived(workspace) if is_said(path))
    path = tmp_path / f"审计追踪.{kind}"
    told = done(workspace.qms("--json", "audit-trail", "--out", str(path), person="林静"))
    assert told["rows"] == there
    if kind == "csv":
        rows = csv_rows(path)
        assert len(rows) - rows.index([]) - 2 == there
    elif kind == "jsonl":
        events = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        assert sum(1 for item in events if item.get("object") == number) == 3


def test_p11_07_the_trail_is_on_paper_too(workspace: Workspace, tmp_path: Path) -> None:
    """审计追踪可打印成 PDF 供当场查看：人员、操作、原值和新值都在上面。"""
    number = corrected(workspace)
    path = tmp_path / "审计追踪.pdf"
    words = ("audit-trail", "--object", number, "--out", str(path))
    assert workspace.qms(*words, person="林静").code == 0
    text = pdf_text(path)
    assert all(part in text for part in ("林静", "更正", "江城市第一人民医院", "江城市第二人民医院"))


def test_p11_07_the_trail_cannot_be_shortened(workspace: Workspace) -> None:
    """删去审计追踪的一条，检查即报不符合。"""
    file_call(workspace)
    assert workspace.qms("record", "browse").code == 0
    path = max(path for path in archived(workspace) if path.startswith("trail/") and path.endswith(".json"))
    intrude(workspace, {path: None})
    code, found = findings(workspace)
    assert (code, "trail" in json.dumps(found)) == (1, True)


# -- section 11.10(f), (g), (h)


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
    assert workspace.qms("record", "void", number, *_REASON, person="林静").code == 0
    change = "customer_name=江城市第二人民医院"
    refused(
        workspace, workspace.qms("record", "correct", number, "--set", change, *_REASON, person="林静"), "stage-refused"
    )


_UNAUTHORISED: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "signing": ("王强", "post-needed", ("doc", "sign", "CX-015", "--meaning", "审核")),
    "altering a record": ("刘洋", "stage-refused", ("record", "correct", "{call}", "--set", "mode=来访", *_REASON)),
    "the operation at hand": ("王强", "stage-refused", ("record", "advance", "{complaint}", "--stage", "accepted")),
    "voiding": ("王强", "stage-refused", ("record", "void", "{call}", *_REASON)),
    "output": ("王强", "unmasking-refused", ("record", "print", "{call}", "--unmask", "--out", "{out}/a.docx")),
    "the rules": ("王强", "post-needed", ("change", "adopt", "--reason", "自己改的规则")),
    "accounts": ("王强", "post-needed", ("person", "posts", "刘洋", "--post", "quality_head", *_REASON)),
    "witnessing": ("王强", "post-needed", ("person", "revoke", "林静", *_REASON, "--yes")),
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


# -- section 11.10(j), (k)


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


# -- section 11.30


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
