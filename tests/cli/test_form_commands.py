"""`qms form list`, `show` and `lint` on a workspace of the starter library."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from tests.conftest import Workspace

COMPLAINT = "templates/forms/XX-YLQXJL-018/form.yml"


def test_the_list_names_every_form_with_its_revision(workspace: Workspace) -> None:
    answer = workspace.qms("--json", "form", "list")
    forms = {item["number"]: item for item in json.loads(answer.out)["forms"]}
    assert answer.code == 0
    assert len(forms) >= 34
    assert forms["XX-YLQXJL-018"]["title"] == "质量投诉处理记录"
    assert forms["XX-YLQXJL-018"]["revision"] == "A/0"


def test_a_form_is_explained_in_words(workspace: Workspace) -> None:
    answer = workspace.qms("form", "show", "JL-018")
    assert answer.code == 0
    assert "质量投诉处理记录" in answer.out
    assert "“已登记”起" in answer.out
    assert "敏感个人信息，加密保存" in answer.out
    assert "反馈时间不能早于投诉接收时间" in answer.out


def test_the_schema_is_printed_for_programs(workspace: Workspace) -> None:
    answer = workspace.qms("form", "show", "质量投诉处理记录", "--schema", "--stage", "已受理")
    schema = json.loads(answer.out)
    Draft202012Validator.check_schema(schema)
    assert {"content", "severity"} <= set(schema["required"])


def test_an_unknown_form_is_not_found(workspace: Workspace) -> None:
    answer = workspace.qms("form", "show", "JL-0018")
    assert answer.code == 3
    assert "form-unknown" in answer.err


def test_lint_sees_the_edit_of_a_manager_before_it_is_approved(workspace: Workspace) -> None:
    path = workspace.folder / COMPLAINT
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("ack_at >= received_at", "ack_at >= recieved_at"), encoding="utf-8")
    line = text[: text.index("ack_at >= received_at")].count("\n")
    answer = workspace.qms("--json", "form", "lint", "JL-018")
    found = {item["code"]: item for item in json.loads(answer.out)["findings"]}
    assert answer.code == 1
    assert found["name-undeclared"]["path"] == COMPLAINT
    assert abs(found["name-undeclared"]["line"] - line) <= 1
    assert "received_at" in found["name-undeclared"]["hint"]
    approved = workspace.qms("--json", "form", "lint", "JL-018", "--approved")
    assert "name-undeclared" not in {item["code"] for item in json.loads(approved.out)["findings"]}


def test_broken_yaml_is_a_finding_with_its_line_and_changes_nothing(workspace: Workspace) -> None:
    path = workspace.folder / COMPLAINT
    path.write_text("format: wenkong/form/1\nnumber: &a 1\n", encoding="utf-8")
    before = workspace.tree()
    answer = workspace.qms("form", "lint", "XX-YLQXJL-018")
    assert answer.code == 1
    assert f"{COMPLAINT}:2" in answer.out
    assert workspace.tree() == before
