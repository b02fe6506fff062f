"""GSP 2023 第五十一条 and inspection item 5.51: what the software does of a computer system, shown one by one."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click
import pytest

from controller.domain.form import FieldType
from tests.compliance.evidence import (
    SECRET,
    ZONE,
    adopt,
    archived,
    call,
    clock_moves,
    commands,
    complaint,
    csv_rows,
    docx_text,
    done,
    entries,
    file_call,
    file_complaint,
    findings,
    git,
    nobody_signed_in,
    options,
    pdf_text,
    refused,
    trail,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Workspace

UDI = "(01)06901234567892(11)260201(17)280531(10)A123(21)SP5-01"


# -- (二) 权限与身份


def test_gsp_5_51_02_no_option_says_who_acted(workspace: Workspace) -> None:
    """没有任何命令可以填写或挑选操作人：`--as` 只在本机已登录的人之间选，没有登录的人选不到。"""
    allowed = {"--as"}
    suspects = {"--by", "--user", "--name", "--operator", "--author", "--who", "--performer"}
    for path, command in commands():
        assert not (options(command) - allowed) & suspects, path
        for item in command.params:
            assert not (isinstance(item.type, click.Choice) and "林静" in item.type.choices), path
    assert workspace.qms("logout", "林静", person=None).code == 0
    values = workspace.values("call.yml", call())
    answer = workspace.qms("record", "new", "XX-YLQXJL-013", "--values", values, person="林静")
    assert (answer.code, "“林静”在本机没有登录" in answer.err) == (4, True)
    assert not [path for path in archived(workspace) if path.endswith("/0001.json") and "JL-013" in path]


def test_gsp_5_51_02_a_name_that_is_typed_is_refused(workspace: Workspace) -> None:
    """在填写内容里写记录人、签名人的姓名，软件不收；“记录人”一律是登录的人。"""
    for key in ("opened_by", "by", "recorded_by", "记录人", "签名人", "sig_prepared"):
        values = workspace.values("typed.yml", call(**{key: "林静"}))
        answer = workspace.qms("record", "new", "XX-YLQXJL-013", "--values", values)
        assert (answer.code, key in answer.err) == (4, True), key
    with_person = json.loads(workspace.qms("--json", "record", "show", file_call(workspace, person="赵敏")).out)
    assert [item["by"]["name"] for item in with_person["entries"]] == ["赵敏"]


def test_gsp_5_51_02_fields_for_the_performer_are_filled_by_the_machine(workspace: Workspace) -> None:
    """全部受控表单中，凡是操作人字段都由系统写入，手填即被拒绝。"""
    with closing(workspace.open()) as application:
        forms = [application.forms.definition(number) for number in application.forms.numbers()]
    fields = [(form.number.text, item) for form in forms for item in form.fields if item.type is FieldType.PERFORMER]
    assert fields
    for number, item in fields:
        answer = workspace.qms("record", "new", number, "--set", f"{item.key}=林静")
        assert (answer.code, "系统" in answer.err) == (4, True), (number, item.key, answer.err)


def test_gsp_5_51_02_permissions_follow_the_post_and_end_with_it(workspace: Workspace) -> None:
    """权限跟着岗位走：换了岗位，当时就有或没有相应权限；没有权限的操作被拒绝并留痕。"""
    number = file_complaint(workspace)
    stage = ("record", "advance", number, "--stage", "accepted", "--set", "handler=p005")
    event = refused(workspace, workspace.qms(*stage, person="王强"), "stage-refused")
    assert event["name"] == "王强"
    changed = ("person", "posts", "王强", "--post", "after_sales_manager", "--reason", "任命文件 2026-11")
    assert workspace.qms(*changed, person="周明").code == 0
    assert "values-refused" in workspace.qms(*stage, person="王强").err  # allowed now; the form is not complete yet
    back = ("person", "posts", "王强", "--post", "sales_clerk", "--reason", "任命文件 2026-12")
    assert workspace.qms(*back, person="周明").code == 0
    refused(workspace, workspace.qms(*stage, person="王强"), "stage-refused")


def test_gsp_5_51_02_the_quality_department_can_review_who_may_what(workspace: Workspace) -> None:
    """质管部可随时查看每人的岗位、任职日期和证书；岗位的每次变更在审计追踪里有原值和新值。"""
    shown = workspace.qms("person", "list", person=None).out
    assert all(name in shown for name in ("周明", "林静", "陈晓", "王强", "赵敏", "刘洋", "孙丽", "吴涛"))
    changed = ("person", "posts", "王强", "--post", "after_sales_officer", "--reason", "任命文件 2026-11")
    assert workspace.qms(*changed, person="周明").code == 0
    event = trail(workspace, "--object", "p004")[-1]
    told = json.dumps(event["changes"], ensure_ascii=False)
    assert (event["name"], "购销员" in told, "售后服务员" in told) == ("周明", True, True)


# -- (三) 信息共享与遮蔽


def test_gsp_5_51_03_what_one_department_files_another_finds(workspace: Workspace) -> None:
    """一个部门归档的记录，另一个部门立即查得到、看得到。"""
    number = file_call(workspace, person="赵敏")
    assert number in workspace.qms("record", "list", person="林静").out
    assert "江城市第一人民医院" in workspace.qms("record", "show", number, person="孙丽").out
    assert number in workspace.qms("record", "search", "江城市第一人民医院", person="王强").out


def test_gsp_5_51_03_sensitive_information_is_masked_everywhere(workspace: Workspace, tmp_path: Path) -> None:
    """敏感个人信息在屏幕、打印件、检索、浏览副本、审计追踪、台账和程序接口里一律遮蔽，档案里只有密文。"""
    number = file_complaint(workspace)
    shown = [
        workspace.qms("record", "show", number).out,
        workspace.qms("--json", "record", "show", number).out,
        workspace.qms("record", "show", number, "--trail").out,
        workspace.qms("--json", "audit-trail", "--object", number, person=None).out,
        workspace.qms("--json", "record", "search", "皮肤发红", person=None).out,
    ]
    assert number in shown[0]
    assert workspace.qms("record", "print", number, "--out", str(tmp_path / "a.docx")).code == 0
    assert workspace.qms("record", "browse", "--out", str(tmp_path / "browse")).code == 0
    assert workspace.qms("register", "build", "TZ-05", "--out", str(tmp_path / "a.csv"), "--format", "csv").code == 0
    shown.append(docx_text((tmp_path / "a.docx").read_bytes()))
    assert "＊＊＊" in shown[-1]
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "complaint.yml"]
    assert len([path for path in files if path.is_relative_to(tmp_path / "browse")]) > 0
    assert not [text for text in shown if SECRET in text]
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]
    assert not [path for path, data in archived(workspace).items() if SECRET.encode() in data]


@pytest.mark.parametrize("person", ["王强", "刘洋", "孙丽"])
def test_gsp_5_51_03_sensitive_information_opens_to_named_posts_only_and_leaves_a_trace(
    workspace: Workspace, tmp_path: Path, person: str
) -> None:
    """敏感个人信息只对签名规则指定的岗位打开；别人要看被拒绝，看和被拒绝都记入审计追踪。"""
    number = file_call(workspace)
    for words in (("show", number), ("print", number, "--out", str(tmp_path / "a.docx"))):
        answer = workspace.qms("record", *words, "--unmask", person=person)
        event = refused(workspace, answer, "unmasking-refused")
        assert (event["name"], event["object"], SECRET in answer.out) == (person, number, False)
    assert not (tmp_path / "a.docx").exists()
    assert SECRET in workspace.qms("record", "show", number, "--unmask", person="林静").out
    seen = trail(workspace, "--action", "查看敏感信息")
    assert [(item["name"], item["object"]) for item in seen] == [("林静", number)]


# -- (四) 合法性审核


def evaluation(**more: Any) -> dict[str, Any]:
    """What is told of a supplier's yearly evaluation."""
    today = datetime.now(ZONE).date()
    licence = {"kind": "医疗器械经营许可证", "licence_no": "闽江药监械经营许20220001号"}
    return {
        "party_type": "经营企业", "party_name": "江城医疗器械有限公司", "evaluated_on": today.isoformat(),
        "licences": [{**licence, "valid_to": (today + timedelta(days=400)).isoformat()}], "eval_type": "年度",
        "score_quality": "36", "score_service": "27", "score_delivery": "18", "score_docs": "9", **more,
    }  # fmt: skip


def approval() -> dict[str, Any]:
    """The decision on it."""
    return {"result": "合格", "next_eval": (datetime.now(ZONE).date() + timedelta(days=300)).isoformat()}


def test_gsp_5_51_04_a_supplier_is_judged_on_file(workspace: Workspace, tmp_path: Path) -> None:
    """供货者资质评估由评估人记录、质量负责人批准，证照编号和有效期在档，台账列出结论。"""
    made = ("--json", "record", "new", "XX-YLQXJL-008", "--values")
    number = done(workspace.qms(*made, workspace.values("a.yml", evaluation()), person="王强"))["number"]
    decide = ("record", "advance", number, "--stage", "approved", "--values", workspace.values("b.yml", approval()))
    refused(workspace, workspace.qms(*decide, person="王强"), "stage-refused")
    assert workspace.qms(*decide, person="林静").code == 0
    assert [item["by"]["name"] for _, item in entries(workspace, number)] == ["王强", "林静"]
    path = tmp_path / "供货者.csv"
    assert workspace.qms("register", "build", "TZ-04", "--format", "csv", "--out", str(path)).code == 0
    assert any({"江城医疗器械有限公司", "合格"} <= set(row) for row in csv_rows(path))


def test_gsp_5_51_04_a_product_is_approved_in_three_steps(workspace: Workspace) -> None:
    """首营产品由申请、质量审核、审批三人办理，注册证附在档；注册证过期的产品不能同意经营。"""
    today = datetime.now(ZONE).date()
    applied = {
        "product_name": "输液泵", "model": "SP-500", "device_class": "三类", "reg_no": "国械注准20193010001",
        "registrant": "江城医疗设备有限公司", "is_implant": "否", "applied_on": today.isoformat(),
        "supplier": "江城医疗器械有限公司", "reason": "江城市第一人民医院采购需求", "shelf_life": "8 年",
        "storage": "常温",
    }  # fmt: skip
    (workspace.folder.parent / "注册证.txt").write_text("国械注准20193010001", encoding="utf-8")
    reviewed = {
        "maker_licence_no": "闽药监械生产许20190001号", "reg_valid_to": (today - timedelta(days=1)).isoformat(),
        "reg_cert": ["注册证.txt"], "ifu_label": "与注册证一致", "scope_covers": "覆盖", "storage_ready": "满足",
        "review_comment": "资料齐全",
    }  # fmt: skip
    made = ("--json", "record", "new", "XX-YLQXJL-031", "--values", workspace.values("a.yml", applied))
    number = done(workspace.qms(*made, person="王强"))["number"]
    decide = ("record", "advance", number, "--stage", "approved", "--values")
    decision = workspace.values("c.yml", {"decision": "同意经营", "decided_on": today.isoformat()})
    refused(workspace, workspace.qms(*decide, decision, person="林静"), "stage-refused")
    review = ("record", "advance", number, "--stage", "reviewed", "--values", workspace.values("b.yml", reviewed))
    refused(workspace, workspace.qms(*review, person="王强"), "stage-refused")
    assert workspace.qms(*review, person="陈晓").code == 0
    expired = workspace.qms(*decide, decision, person="林静")
    assert (expired.code, "注册证已过有效期" in expired.err) == (4, True)
    decision = workspace.values("d.yml", {"decision": "不同意", "decided_on": today.isoformat()})
    assert workspace.qms(*decide, decision, person="林静").code == 0
    chain = [item for _, item in entries(workspace, number)]
    assert [item["by"]["name"] for item in chain] == ["王强", "陈晓", "林静"]
    assert [item["name"] for item in chain[1]["attachments"]] == ["注册证.txt"]


def test_gsp_5_51_04_an_expired_licence_cannot_be_passed(workspace: Workspace) -> None:
    """证照已过期的供货者不能评为合格；资质过期或统一社会信用代码不对的购货者不能同意建档。"""
    today = datetime.now(ZONE).date()
    expired = {"kind": "医疗器械经营许可证", "licence_no": "1", "valid_to": (today - timedelta(days=1)).isoformat()}
    values = workspace.values("a.yml", evaluation(licences=[expired]))
    number = done(workspace.qms("--json", "record", "new", "XX-YLQXJL-008", "--values", values, person="王强"))[
        "number"
    ]
    decide = ("record", "advance", number, "--stage", "approved", "--values", workspace.values("b.yml", approval()))
    answer = workspace.qms(*decide, person="林静")
    assert (answer.code, "有证照已过期" in answer.err) == (4, True)
    buyer = {
        "customer_name": "江城市第一人民医院", "customer_type": "医疗机构", "contact_name": "何志远",
        "contact_phone": "13800000001", "uscc": "12345678901234567A", "permit_type": "医疗机构执业许可证/备案",
        "permit_no": "1", "permit_scope": "内科", "permit_valid_to": expired["valid_to"], "ship_address": "江城市",
        "decision": "同意建档",
    }  # fmt: skip
    answer = workspace.qms(
        "record", "new", "XX-YLQXJL-009", "--values", workspace.values("c.yml", buyer), person="王强"
    )
    assert (answer.code, "校验位" in answer.err, "已过有效期" in answer.err) == (4, True, True)


# -- (七) UDI


def test_gsp_5_51_07_a_scanned_udi_is_taken_apart_and_kept(workspace: Workspace) -> None:
    """扫一次 UDI 条码，产品标识、批号、序列号、生产日期和失效日期自动拆开，和原码一起保存。"""
    number = file_complaint(workspace, serial_no=None, udi_scan=UDI)
    values = done(workspace.qms("--json", "record", "show", number, person=None))["values"]
    kept = {key: values.get(key) for key in ("udi_di", "lot_no", "serial_no", "mfg_date", "exp_date")}
    assert kept == {
        "udi_di": "06901234567892", "lot_no": "A123", "serial_no": "SP5-01", "mfg_date": "2026-02-01",
        "exp_date": "2028-05-31",
    }  # fmt: skip
    assert number in workspace.qms("record", "search", "06901234567892", person=None).out


def test_gsp_5_51_07_a_udi_that_is_wrong_or_does_not_fit_is_refused(workspace: Workspace) -> None:
    """校验位不对的条码、与已填批号不一致的条码都不收，并说明哪里不对。"""
    for more, says in (
        ({"udi_scan": UDI.replace("7892", "7893")}, "UDI"),
        ({"udi_scan": UDI, "lot_no": "B999"}, "批号"),
    ):
        values = workspace.values("udi.yml", complaint(**more))
        answer = workspace.qms("record", "new", "XX-YLQXJL-018", "--values", values)
        assert (answer.code, says in answer.err) == (4, True), answer.err


# -- (八) 打印


@pytest.mark.slow
def test_gsp_5_51_08_everything_prints(workspace: Workspace, tmp_path: Path) -> None:
    """记录、空白表单、台账、程序文件都能打印成 PDF，中文完整（用 pdftotext 读出核对）；打印记入审计追踪。"""
    number = file_call(workspace)
    prints: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
        "记录": (("record", "print", number), (number, "江城市第一人民医院", "来电来访登记表")),
        "空白表": (("form", "blank", "XX-YLQXJL-018"), ("质量投诉处理记录", "投诉渠道及方式")),
        "程序": (("doc", "print", "XX-YLQXCX-014"), ("XX-YLQXCX-014", "目的")),
        "台账": (("register", "build", "TZ-16", "--format", "pdf"), ("XX-YLQXTZ-16", "江城市第一人民医院")),
    }
    for name, (words, parts) in prints.items():
        path = tmp_path / f"{name}.pdf"
        answer = workspace.qms(*words, "--out", str(path))
        assert answer.code == 0, answer.err
        text = pdf_text(path)
        for part in parts:
            assert part in text, (name, part)
    assert {number, "XX-YLQXCX-014"} <= {item["object"] for item in trail(workspace, "--action", "打印")}


# -- (十) 接口


def test_gsp_5_51_10_other_systems_read_and_write(workspace: Workspace, tmp_path: Path) -> None:
    """数据接口：从 CSV 和 JSON 行批量导入，查询结果和台账以 JSON、CSV、Excel 给出；导入的每一行注明来源文件。"""
    lines = [json.dumps(call(customer_name=f"第{position}医院"), ensure_ascii=False) for position in range(3)]
    (tmp_path / "calls.jsonl").write_text("\n".join(lines), encoding="utf-8")
    filed = done(workspace.qms("--json", "record", "import", "XX-YLQXJL-013", str(tmp_path / "calls.jsonl")))["filed"]
    (tmp_path / "one.csv").write_text(
        "来电/来访时间,方式,用户/客户单位名称,联系方式(电话),事由类别,问题描述,是否涉及人身伤害/死亡\n"
        f"{call()['contact_at']},电话,第4医院,13800000001,咨询,询问校准周期,否\n",
        encoding="utf-8-sig",
    )
    filed += done(workspace.qms("--json", "record", "import", "XX-YLQXJL-013", str(tmp_path / "one.csv")))["filed"]
    assert len(filed) == 4
    listed = done(workspace.qms("--json", "record", "list", person=None))
    assert len(listed) == 4
    sources = [item["source"] for found in listed for _, item in entries(workspace, found["number"])]
    assert all("calls.jsonl" in json.dumps(item) or "one.csv" in json.dumps(item) for item in sources)
    for kind in ("csv", "xlsx"):
        path = tmp_path / f"台账.{kind}"
        assert workspace.qms("register", "build", "TZ-16", "--format", kind, "--out", str(path)).code == 0
        assert path.stat().st_size > 0
    rows = csv_rows(tmp_path / "台账.csv")
    assert all(any(found["number"] in row for row in rows) for found in listed)


def test_gsp_5_51_10_an_import_is_done_by_somebody_too(workspace: Workspace, tmp_path: Path) -> None:
    """接口也要登录：没有人登录就导不进来；导入的内容同样逐项检查，有一行不对就全部不收。"""
    path = tmp_path / "calls.jsonl"
    path.write_text(json.dumps(call(mode="传真"), ensure_ascii=False), encoding="utf-8")
    wrong = workspace.qms("record", "import", "XX-YLQXJL-013", str(path))
    assert (wrong.code, "方式" in wrong.out + wrong.err) == (1, True)
    path.write_text(json.dumps(call(), ensure_ascii=False), encoding="utf-8")
    nobody_signed_in(workspace)
    answer = workspace.qms("record", "import", "XX-YLQXJL-013", str(path))
    assert (answer.code, "sign-in-needed" in answer.err) == (4, True)


# -- 现场检查 5.51


def test_gsp_5_51_11_the_time_of_an_act_comes_from_the_system(workspace: Workspace) -> None:
    """操作的日期和时间由系统写入：没有填写时间的选项，在内容里写也不收；写入的就是当时的时间，带时区。"""
    for key in ("opened_at", "recorded_at", "at", "记录时间", "签名时间"):
        values = workspace.values("typed.yml", call(**{key: "2026-01-01 08:00"}))
        answer = workspace.qms("record", "new", "XX-YLQXJL-013", "--values", values)
        assert (answer.code, key in answer.err) == (4, True), key
    acting = {path: options(item) for path, item in commands() if "--as" in options(item)}
    dated = {path for path, found in acting.items() if found & {"--at", "--time", "--date", "--when"}}
    on_paper = {("record", "paper"), ("doc", "paper"), ("copy", "receive")}
    assert dated <= on_paper  # the date that is written on the paper, told as such
    _, entry = entries(workspace, file_call(workspace))[0]
    assert abs(datetime.fromisoformat(entry["at"]) - datetime.now(ZONE)) < timedelta(minutes=1)
    assert entry["at"].endswith("+08:00")


def test_gsp_5_51_11_a_clock_set_back_is_noticed(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """把电脑时钟拨回去，软件拒绝操作；更正时钟要有人签名并写明原因。"""
    file_call(workspace)
    clock_moves(monkeypatch, timedelta(hours=-1))
    values = workspace.values("call.yml", call(contact_at="2026-01-06 08:00"))
    answer = workspace.qms("record", "new", "XX-YLQXJL-013", "--values", values)
    assert (answer.code, "时间" in answer.err) == (4, True), answer.err
    assert len(done(workspace.qms("--json", "record", "list", person=None))) == 1


def test_gsp_5_51_12_base_data_are_changed_by_quality_staff_after_a_check_only(workspace: Workspace) -> None:
    """岗位、表单、规则等基础数据，别人改了不起作用；只有质量负责人或企业负责人检查签名后才采用，留有时间和原因。"""
    path, old, new = "signatures/posts.yml", "name: 组长", "name: 维修组长"
    event = refused(workspace, adopt(workspace, path, old, new, person="王强"), "post-needed")
    assert event["name"] == "王强"
    assert "维修组长" not in git(workspace.folder, "show", f"main:{path}").decode()
    answer = workspace.qms("change", "adopt", "--reason", "按评审意见修改", person="林静")
    assert answer.code == 0, answer.err
    assert "维修组长" in git(workspace.folder, "show", f"main:{path}").decode()
    done_by = trail(workspace, "--action", "变更受控文件")[-1]
    assert (done_by["name"], done_by["reason"], done_by["signed"]) == ("林静", "按评审意见修改", "signed")
    assert abs(datetime.fromisoformat(done_by["at"]) - datetime.now(ZONE)) < timedelta(minutes=1)
    assert findings(workspace) == (0, [])


def test_gsp_5_51_12_a_change_that_fails_the_check_is_not_adopted(workspace: Workspace) -> None:
    """质量负责人采用之前，软件先检查：人员不能在文件里直接改，表单改动须换版，规则写错不采用。"""
    for path, old, new in (
        ("signatures/people.yml", "sales_clerk", "quality_head"),
        ("templates/forms/XX-YLQXJL-013/form.yml", "type: choice", "type: choise"),
        ("signatures/signing.yml", "lock_after: 5", "lock_after: 0"),
        ("signatures/routes.yml", "by: [general_manager]", "by: [nobody]"),
    ):
        file = workspace.folder / path
        before = file.read_bytes()
        answer = adopt(workspace, path, old, new)
        assert answer.code in {4, 6}, (path, answer.out)
        assert workspace.qms("change", "discard", path, "--yes").code == 0
        assert file.read_bytes() == before
