"""Every `--json` document has the keys that `docs/json-output.md` promises."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

from tests.telephone_call import CALL

if TYPE_CHECKING:
    from tests.conftest import Workspace

PAGE = Path(__file__).resolve().parents[2] / "docs" / "json-output.md"
NUMBER = "XX-YLQXJL-013-2026-0001"


SAME = {
    "documents[]": ("doc list", "documents[]"),
    "record list": ("record list", "[]"),
    "doc signatures": ("doc signatures", "."),
    "person list": ("person list", "[]"),
    "change list": ("change list", "[]"),
    "due[]": ("review due", "due[]"),
    "training[]": ("training list", "training[]"),
}
"""What the page means by “the keys of …”."""


def promised() -> dict[str, dict[str, set[str]]]:
    """Return command → part → keys as the page has them; what a sentence adds stands under its own part."""
    found: dict[str, dict[str, set[str]]] = {}
    commands: list[str] = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != 3 or cells[0] in {"command", "---"}:
            continue
        commands = re.findall(r"`([a-z -]+)`", cells[0]) or ([cells[0]] if cells[0] else commands)
        stated = re.sub(r"\([^)]*\)", "", cells[2])
        keys = set(re.findall(r"`([a-z_]+)`", re.sub(r"the keys of `[^`]+`( above)?( but `\w+`)?", "", stated)))
        for command in commands:
            parts = found.setdefault(command, {})
            for name, (whole, place) in SAME.items():
                if f"the keys of `{name}`" in stated:
                    keys |= found[whole][place] - set(re.findall(r"but `(\w+)`", stated))
            parts.update(dict.fromkeys(re.findall(r"`([^`]+)`", cells[1]), keys))
    return found


def parts_of(document: Any, place: str = "") -> dict[str, set[str]]:
    """Return every part of a document with the keys that occur in it."""
    found: dict[str, set[str]] = {}
    if isinstance(document, dict):
        found.setdefault(place or ".", set()).update(document)
        below = [(f"{place}.{key}" if place else key, value) for key, value in document.items()]
    elif isinstance(document, list):
        below = [(f"{place}[]", item) for item in document]
    else:
        below = []
    for where, value in below:
        for part, keys in parts_of(value, where).items():
            found.setdefault(part, set()).update(keys)
    return found


OPTIONAL = {"pages", "engine", "problems", "findings", "notice", "copy_of_signed"}


def compare(command: str, printed: str) -> None:
    shown = parts_of(json.loads(printed))
    for part, keys in promised()[command].items():
        optional = OPTIONAL if part == "error" or command.rsplit(" ", maxsplit=1)[-1] in {"print", "blank"} else set()
        assert keys - shown.get(part, keys) <= optional, (command, part)
        assert shown.get(part, set()) <= keys, (command, part)


def test_the_documents_of_reading_commands_are_as_promised(workspace: Workspace, tmp_path: Path) -> None:
    commands: dict[str, list[str]] = {
        "doc list": [],
        "doc show": ["XX-YLQXCX-014"],
        "doc print": ["XX-YLQXCX-014", "--out", str(tmp_path / "a.docx")],
        "doc parse": [str(workspace.folder / "procedures" / "XX-YLQXCX-014" / "clauses.txt")],
        "doc lint": ["XX-YLQXCX-014"],
        "doc checklist": [],
        "doc links": ["XX-YLQXCX-014"],
        "doc workload": ["XX-YLQXCX-014"],
        "change list": [],
        "copy list": [],
        "review due": ["--within", "40"],
        "review list": [],
        "training list": [],
        "doc external": [],
        "change status": [],
        "form list": [],
        "form lint": ["JL-013"],
        "form blank": ["JL-013", "--out", str(tmp_path / "b.docx")],
        "form scaffold": ["JL-013"],
        "form compile": ["JL-013"],
        "register list": [],
        "register lint": [],
        "index rebuild": [],
        "index status": [],
        "who": [],
        "doc signatures": ["XX-YLQXCX-014"],
        "person list": [],
        "person show": ["林静"],
        "person sheet": ["--out", str(tmp_path / "sheet.docx")],
        "person backup": [str(tmp_path / "copy of keys")],
        "audit-trail": ["--limit", "3"],
        "timestamp list": [],
        "verify": ["--report", str(tmp_path / "report.docx")],
    }
    people = workspace.folder / "signatures" / "people.yml"
    people.write_text(people.read_text(encoding="utf-8") + "# 改过\n", encoding="utf-8")
    for command, arguments in commands.items():
        answer = workspace.qms("--json", *command.split(" "), *arguments)
        assert answer.code == (1 if command == "doc signatures" else 0), answer.out + answer.err
        compare(command, answer.out)


def test_the_documents_of_signing_commands_are_as_promised(workspace: Workspace, tmp_path: Path) -> None:
    signed = ["XX-YLQXCX-014", "--meaning", "起草"]
    new_person = ["赵新", "--post", "售后服务员", "--check", "身份证 尾号 1234"]
    commands: dict[str, list[str]] = {
        "doc sign": signed,
        "doc sheet": ["XX-YLQXCX-014", "--meaning", "审核", "--out", str(tmp_path / "sheet.docx")],
        "person add": new_person,
        "person posts": ["赵新", "--post", "质管员", "--reason", "任命文件〔2026〕3号"],
        "person retire": ["赵新", "--reason", "离职", "--yes"],
        "logout": [],
    }
    for command, arguments in commands.items():
        person = "刘洋" if command == "logout" else "陈晓" if command.startswith("doc") else "周明"
        answer = workspace.qms("--json", *command.split(" "), *arguments, person=person)
        assert answer.code == 0, (command, answer.out + answer.err)
        compare(command, answer.out)
    stock = workspace.qms("--json", "verify", "--stock", str(tmp_path / "stock"))
    line = next(item for item in PAGE.read_text(encoding="utf-8").splitlines() if item.startswith("| `verify`"))
    instead = line.split("`--stock`", maxsplit=1)[1]
    assert set(json.loads(stock.out)) == set(re.findall(r"`(\w+)`", instead))


def test_the_documents_of_filing_commands_are_as_promised(workspace: Workspace, tmp_path: Path) -> None:
    calls = tmp_path / "calls.jsonl"
    lines = [json.dumps({**CALL, "mode": mode}, ensure_ascii=False) for mode in ("来访", "传真")]
    calls.write_text("\n".join(lines), encoding="utf-8")
    change = workspace.values("change.yml", {"customer_name": "江城市第二人民医院"})
    more = workspace.values("more.yml", {"department": "设备科"})
    new = ["XX-YLQXJL-013", "--values", workspace.values("call.yml", CALL), "--entered-for", "刘洋"]
    first = json.loads(workspace.qms("--json", "record", "new", *new).out)["number"]
    commands: dict[str, list[str]] = {
        "record new": new,
        "record import": ["XX-YLQXJL-013", str(calls), "--good-only"],
        "record advance": [first, "--values", more],
        "record correct": [first, "--values", change, "--reason", "客户名称听错"],
        "record list": [],
        "record search": ["江城"],
        "record show": [first],
        "record print": [first, "--out", str(tmp_path / "c.docx")],
        "register build": ["TZ-06", "--out", str(tmp_path / "d.xlsx")],
        "record browse": ["--out", str(tmp_path / "copy")],
        "record void": [first, "--reason", "与另一份重复"],
    }
    for command, arguments in commands.items():
        answer = workspace.qms("--json", *command.split(" "), *arguments)
        assert answer.code == (1 if command == "record import" else 0), answer.out + answer.err
        compare(command, answer.out)
    adopted = workspace.folder / "signatures" / "people.yml"
    adopted.write_text(adopted.read_text(encoding="utf-8") + "# 改过\n", encoding="utf-8")
    compare("change adopt", workspace.qms("--json", "change", "adopt", "--reason", "登记人员信息").out)


@pytest.mark.slow
def test_the_documents_of_document_control_are_as_promised(workspace: Workspace, tmp_path: Path) -> None:
    good = ["--suitability", "适宜", "--adequacy", "充分", "--effectiveness", "有效"]
    reason = ["--reason", "业务已经停止，不再需要"]
    first = json.loads(
        workspace.qms("--json", "change", "open", "--document", "ZD-030", "--kind", "作废", *reason).out
    )["number"]
    acts: list[tuple[str, list[str], str]] = [
        ("change submit", [first], "陈晓"),
        ("change return", [first, *reason], "林静"),
        ("change submit", [first], "陈晓"),
        ("change comment", [first, "哪些记录还要保存？"], "林静"),
        ("change resolve", [first, "1", "--answer", "记录照原期限保存"], "陈晓"),
        ("change review", [first], "林静"),
        ("change show", [first], "陈晓"),
        ("change approve", [first, "--effective", "2099-01-01"], "周明"),
        ("change postpone", [first, "--to", "2099-02-01", *reason], "林静"),
        ("change issue", [first], "陈晓"),
        ("change show", [first], "陈晓"),
        ("change list", [], "陈晓"),
        ("copy issue", ["CX-014", "--to", "刘洋", "--medium", "电子"], "陈晓"),
        ("copy receive", ["CX-014", "--copy", "01"], "刘洋"),
        ("copy list", ["CX-014"], "陈晓"),
        ("review record", ["CX-014", "--outcome", "继续有效", *good], "林静"),
        ("review due", ["--within", "3650"], "陈晓"),
        ("review list", ["CX-014"], "陈晓"),
        ("training assign", ["CX-014", "--person", "刘洋"], "陈晓"),
        ("training list", [], "陈晓"),
        ("training notice", ["CX-014", "--post", "after_sales_officer", "--out", str(tmp_path / "n.docx")], "陈晓"),
        ("doc as-of", ["2099-01-01"], "陈晓"),
    ]
    compare("change open", workspace.qms("--json", "change", "open", "--document", "CX-014", *reason).out)
    for command, arguments, person in acts:
        answer = workspace.qms("--json", *command.split(" "), *arguments, person=person)
        assert answer.code == 0, (command, answer.out + answer.err)
        compare(command, answer.out)


def test_an_error_and_its_problems_and_findings_are_as_promised(workspace: Workspace) -> None:
    refused = workspace.qms("--json", "record", "new", "JL-013", "--values", workspace.values("bad.yml", {"mode": "x"}))
    assert refused.code == 4
    compare("any, when it fails", refused.out)
    page = PAGE.read_text(encoding="utf-8")
    problem = json.loads(refused.out)["error"]["problems"][0]
    line = next(line for line in page.splitlines() if line.startswith("| a problem"))
    assert list(problem) == re.findall(r"`(\w+)`", line.split("|")[2])
    assert workspace.qms("--json", "verify").code == 0
    (workspace.folder / "templates" / "forms" / "XX-YLQXJL-013" / "form.yml").write_text(
        "format: x\n", encoding="utf-8"
    )
    finding = json.loads(workspace.qms("--json", "form", "lint", "JL-013").out)["findings"][0]
    line = next(line for line in page.splitlines() if line.startswith("| a finding"))
    assert list(finding) == re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", line.split("|")[2]))


@pytest.mark.parametrize("command", [("form", "show", "JL-013"), ("form", "show", "JL-013", "--schema")])
def test_a_form_is_shown_as_its_definition_or_its_schema(workspace: Workspace, command: tuple[str, ...]) -> None:
    shown = json.loads(workspace.qms("--json", *command).out)
    assert {"title", "fields"} <= set(shown) or shown["$schema"].endswith("2020-12/schema")


def test_every_command_has_a_line_on_the_page() -> None:
    from controller.cli.main import qms

    context = qms.make_context("qms", ["verify"])
    commands = []
    for name in qms.list_commands(context):
        command = qms.get_command(context, name)
        below = command.list_commands(context) if isinstance(command, click.Group) else []
        commands += [f"{name} {sub}" for sub in below] or [name]
    assert set(commands) == set(promised()) - {"any, when it fails"}
