"""21 CFR 11.10(e): the audit trail, shown one by one."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from controller.adapters.this_computer import origin_here
from tests.compliance.acts import (
    ACTS,
    COUNTERSIGNED,
    ELSEWHERE,
    KEY_LOST,
    READING,
    WORKSHOP,
    bind_two_documents,
    made_ready,
    spelled,
)
from tests.compliance.evidence import (
    ARCHIVE,
    REASON,
    SECRET,
    ZONE,
    archived,
    clock_moves,
    commands,
    corrected,
    csv_rows,
    done,
    file_call,
    findings,
    folder_of,
    git,
    intrude,
    is_said,
    left_by,
    options,
    pdf_text,
    tip,
    trail,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Workspace

STAFF = ("周明", "林静", "陈晓", "王强", "赵敏", "刘洋", "孙丽", "吴涛")


@pytest.mark.slow
def test_p11_05_every_act_leaves_its_entry(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """软件的每一条操作命令各做一次：每次都在档案里留下机器写的条目，写明是谁、何时、从哪台电脑；没有遗漏的命令。"""
    known = {act.command for act in ACTS} | READING | WORKSHOP | ELSEWHERE
    there = {" ".join(path) for path, _ in commands()}
    assert there == known, f"说明这些命令留下什么（acts.py）：{sorted(there ^ known)}"
    bind_two_documents(monkeypatch)
    ready = made_ready(workspace)
    for act in ACTS:
        before, started = tip(workspace), datetime.now(ZONE) + timedelta(hours=act.hours)
        with monkeypatch.context() as patch:
            clock_moves(patch, timedelta(hours=act.hours))
            answer = workspace.qms(*spelled(act, ready), person=act.person)
        assert answer.code == 0, (act.words, answer.err)
        added = git(workspace.folder, "diff-tree", "-r", "--name-only", before, ARCHIVE).decode().split()
        if act.leaves == COUNTERSIGNED:
            witness = f"p{STAFF.index(str(act.person)) + 1:03}"
            assert [path for path in added if path.endswith(f".{witness}.p7s")], (act.words, added)
            continue
        said = [json.loads(git(workspace.folder, "show", f"{ARCHIVE}:{path}")) for path in added if is_said(path)]
        mine = [item for item in said if left_by(item) == (act.leaves, act.by or act.person)]
        assert mine, (act.words, said)
        for item in mine:
            assert abs(datetime.fromisoformat(item["at"]) - started) < timedelta(minutes=1)
            assert item["origin"]["computer"] == origin_here("").computer


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
    bind_two_documents(monkeypatch)
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
    kept = {name: workspace.qms("login", name, person=None) for name in STAFF}
    assert [name for name, answer in kept.items() if answer.code != 0] == [KEY_LOST]
    assert (kept[KEY_LOST].code, "personal-key-missing" in kept[KEY_LOST].err) == (3, True)  # it was not restored
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


def test_p11_06_the_earlier_value_stays_readable(workspace: Workspace, tmp_path: Path) -> None:
    """更正以后，原值在屏幕、审计追踪和电子副本里都还看得到，原来的条目逐字节不变。"""
    number = file_call(workspace)
    first = archived(workspace)[f"{folder_of(number)}/0001.json"]
    change = "customer_name=江城市第二人民医院"
    assert workspace.qms("record", "correct", number, "--set", change, *REASON, person="林静").code == 0
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
    assert workspace.qms("record", "void", number, *REASON, person="林静").code == 0
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
