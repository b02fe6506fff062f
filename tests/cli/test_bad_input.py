"""Bad input of every kind: a clear message, the exit code of its family, and the workspace exactly as it was.

What the commands share is tried here once through the command line; the finer cases stand with the part that refuses.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.docx_files import document, docx, paragraph
from tests.real_tools import need
from tests.telephone_call import CALL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.conftest import Answer, Workspace

FORM = "XX-YLQXJL-013"
SALE: dict[str, Any] = {"quantity": "3", "mfg_date": "2026-05-02", "exp_date": "2026-05-01"}


def archive_tip(workspace: Workspace) -> str:
    path = workspace.folder / ".git"
    return subprocess.run(
        [need("git"), "--git-dir", str(path), "rev-parse", "archive/main", "main"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def refused(workspace: Workspace, *words: str, code: int, says: tuple[str, ...]) -> Answer:
    """Run a command that must fail with `code`, say all of `says`, and change neither folder nor archive."""
    before, tip = workspace.tree(), archive_tip(workspace)
    answer = workspace.qms(*words)
    assert answer.code == code, answer.out + answer.err
    for text in says:
        assert text in answer.err, answer.err
    assert "下一步" in answer.err
    assert "Traceback" not in answer.err
    assert workspace.tree() == before
    assert archive_tip(workspace) == tip
    return answer


# -- values


@pytest.mark.parametrize(
    ("form", "values", "label", "rule"),
    [
        (FORM, {**CALL, "customer_name": None}, "用户/客户单位名称", "必填"),
        (FORM, {**CALL, "contact_at": "昨天上午"}, "来电/来访时间", "不是日期和时间"),
        (FORM, {**CALL, "contact_at": "2099-01-01 09:00"}, "来电/来访时间", "2099-01-01"),
        (FORM, {**CALL, "contact_phone": "没留"}, "联系方式(电话)", "不是电话号码"),
        (FORM, {**CALL, "customer_name": "江" * 5000}, "用户/客户单位名称", "过长"),
        (FORM, {**CALL, "customer_name": "江城\x1b[2J医院"}, "用户/客户单位名称", "控制字符"),
        (FORM, {**CALL, "mode": ["电话", "来访"]}, "方式", "一行文字"),
        ("XX-YLQXJL-010", SALE, "失效日期", "失效日期"),
        ("XX-YLQXJL-010", {"quantity": "-1"}, "数量", "-1"),
        ("XX-YLQXJL-010", {"quantity": "很多"}, "数量", "不是"),
    ],
    ids=["missing", "time", "future", "phone", "long", "control", "list", "contradictory", "negative", "number"],
)
def test_wrong_values_are_told_with_label_and_rule(
    workspace: Workspace, form: str, values: Mapping[str, object], label: str, rule: str
) -> None:
    # JSON, since YAML refuses control characters before the form sees them.
    import json

    path = workspace.folder.parent / "values.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    refused(workspace, "record", "new", form, "--values", str(path), code=4, says=("values-refused", label, rule))


# -- YAML


BILLION = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [*{a}, *{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("mode: 电话\nmode: 来访\n", "yaml-duplicate-key"),
        ("\tmode: 电话\n", "yaml-tab"),
        (BILLION, "yaml-anchor"),
        ("mode: !!python/name:os.system\n", "yaml-tag"),
        ("[" * 3000 + "]" * 3000, "yaml-"),
        ("mode: 电话\n---\nmode: 来访\n", "yaml-many-documents"),
        ("mode: '电话\n", "yaml-invalid"),
        ("mode: '\x1b[2J'\n", "yaml-invalid"),
    ],
    ids=["duplicate key", "tab", "exploding anchors", "tag", "deep", "two documents", "open quote", "control"],
)
def test_hostile_yaml_is_refused_with_its_own_code(workspace: Workspace, text: str, code: str) -> None:
    path = workspace.folder.parent / "bad.yml"
    path.write_text(text, encoding="utf-8")
    answer = refused(workspace, "record", "new", FORM, "--values", str(path), code=4, says=(code, "bad.yml"))
    assert "\x1b" not in answer.err


def test_deep_and_broken_json_is_refused_like_yaml(workspace: Workspace) -> None:
    path = workspace.folder.parent / "bad.json"
    for text in ("[" * 100_000, '{"mode": "电话", "mode": "来访"}', '{"mode": NaN}', "{"):
        path.write_text(text, encoding="utf-8")
        refused(workspace, "record", "new", FORM, "--values", str(path), code=4, says=("import-file-invalid",))


# -- templates and Word files


def with_macro() -> bytes:
    return docx("{{ detail }}", parts={"word/vbaProject.bin": b"x"})


LINK = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" TargetMode="External" Target="http://evil.example/t.dotm"'
    ' Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate"/></Relationships>'
)
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>' + document(paragraph("&b;"))
WORD_FILES: dict[str, tuple[bytes, str]] = {
    "not a zip": ("这不是 Word 文件".encode(), "file-not-zip"),
    "truncated": (docx("内容" * 500)[:400], "file-truncated"),
    "macro": (with_macro(), "docx-macro"),
    "external link": (docx(parts={"word/_rels/document.xml.rels": LINK}), "docx-external-link"),
    "entity bomb": (docx(parts={"word/document.xml": BOMB}), "docx-xml-declaration"),
    "a thousandfold": (docx(parts={"word/media/a.bmp": b"\0" * 3_000_000}), "file-expands-too-far"),
    "path trick": (docx(parts={"word/../../evil.xml": "<a/>"}), "part-name-unsafe"),
}


@pytest.mark.parametrize("name", WORD_FILES)
def test_a_hostile_word_file_is_no_template(workspace: Workspace, name: str) -> None:
    data, code = WORD_FILES[name]
    (workspace.folder / "templates" / "forms" / FORM / "form.docx").write_bytes(data)
    before, tip = workspace.tree(), archive_tip(workspace)
    answer = workspace.qms("form", "compile", FORM)
    assert answer.code in {4, 5}, answer.err
    assert code in answer.err
    assert (workspace.tree(), archive_tip(workspace)) == (before, tip)
    lint = workspace.qms("--json", "form", "lint", FORM)
    assert lint.code == 1
    assert code in lint.out


@pytest.mark.parametrize("name", WORD_FILES)
def test_a_hostile_word_file_is_no_document(workspace: Workspace, tmp_path: Path, name: str) -> None:
    data, code = WORD_FILES[name]
    path = tmp_path / "制度.docx"
    path.write_bytes(data)
    before, tip = workspace.tree(), archive_tip(workspace)
    words = ["doc", "import", str(path), "--number", "XX-YLQXZD-077", "--title", "某制度", "--class", "制度"]
    answer = workspace.qms(*words)
    assert answer.code in {4, 5}, answer.out + answer.err
    assert code in answer.err
    assert (workspace.tree(), archive_tip(workspace)) == (before, tip)


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("{% if detail %}", 6, "endif"),
        ("{{ detial }}", 6, "detail"),
        ("{{ ''.__class__.__mro__ }}", 4, "__class__"),
        ("{{ detail|attr('__init__') }}", 4, "attr"),
        ("{% include '/etc/passwd' %}", 4, "include"),
        ("{% import 'os' as os %}", 4, "import"),
    ],
    ids=["syntax", "undeclared", "internals", "attr filter", "file", "import"],
)
def test_a_wrong_or_hostile_template_is_refused_with_its_place(
    workspace: Workspace, text: str, code: int, says: str
) -> None:
    (workspace.folder / "templates" / "forms" / FORM / "form.docx").write_bytes(docx(text.replace("'", "&apos;")))
    refused(workspace, "form", "compile", FORM, code=code, says=(says,))


# -- numbers, titles, names


def test_a_number_that_is_already_used_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "制度.txt"
    path.write_text("某制度\n第一条 目的。\n第二条 本制度自发布之日起施行。\n", encoding="utf-8")
    words = ("doc", "import", str(path), "--number", "XX-YLQXCX-014", "--title", "某程序", "--class", "程序")
    refused(workspace, *words, code=4, says=("document-number-taken", "XX-YLQXCX-014"))


@pytest.mark.parametrize(
    "number", ["../../XX-YLQXZD-077", "XX-YLQXZD-077/..", "CON", "XX-YLQXZD-077\n", "-XX", "x\x1b[2J"]
)
def test_path_tricks_in_a_new_number_are_refused(workspace: Workspace, tmp_path: Path, number: str) -> None:
    path = tmp_path / "制度.txt"
    path.write_text("某制度\n第一条 目的。\n", encoding="utf-8")
    words = ("doc", "import", str(path), f"--number={number}", "--title", "某制度", "--class", "制度")
    answer = refused(workspace, *words, code=4, says=("identifier-invalid",))
    assert "\x1b" not in answer.err


@pytest.mark.parametrize("name", ["../../../etc/hostname", "/etc/hostname", "a/../../hostname", "C:\\Windows\\win.ini"])
def test_an_attachment_reaches_nothing_outside_its_folder(workspace: Workspace, name: str) -> None:
    values = workspace.values("a.yml", {"notice_evidence": [name]})
    answer = workspace.qms("record", "new", "XX-YLQXJL-018", "--values", values)
    assert answer.code == 4
    assert "attachment-outside" in answer.err or "找不到附件文件" in answer.err


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_beside_the_values_file_leads_nowhere(workspace: Workspace) -> None:
    (workspace.folder.parent / "link.txt").symlink_to("/etc/hostname")
    values = workspace.values("a.yml", {"notice_evidence": ["link.txt"]})
    refused(workspace, "record", "new", "XX-YLQXJL-018", "--values", values, code=4, says=("attachment-outside",))


# -- workspaces


def test_a_folder_that_is_no_workspace_is_named(workspace: Workspace, tmp_path: Path) -> None:
    empty = tmp_path / "空"
    empty.mkdir()
    answer = workspace.qms("--workspace", str(empty), "record", "list")
    assert answer.code == 3
    assert "workspace-missing" in answer.err
    assert list(empty.iterdir()) == []


def test_a_half_made_workspace_is_told_from_a_whole_one(workspace: Workspace, tmp_path: Path) -> None:
    half = tmp_path / "一半"
    half.mkdir()
    (half / "qms.toml").write_bytes((workspace.folder / "qms.toml").read_bytes())
    for words in (("record", "list"), ("form", "list")):
        answer = workspace.qms("--workspace", str(half), *words)
        assert answer.code == 6, answer.err
        assert "下一步" in answer.err
    report = workspace.qms("--workspace", str(half), "--json", "verify")
    assert report.code == 1, report.err
    found = {item["code"]: item for item in json.loads(report.out)["findings"]}
    assert found["repository-missing"]["gravity"] == "error"
    assert "备份" in report.out


def test_an_unknown_setting_names_the_nearest(workspace: Workspace) -> None:
    path = workspace.folder / "qms.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("company =", "compnay ="), encoding="utf-8")
    refused(workspace, "record", "list", code=6, says=("settings-invalid", "compnay", "company"))


def test_init_takes_no_folder_that_holds_something(workspace: Workspace) -> None:
    words = ("init", str(workspace.folder), "--company", "某公司", "--person", "张三")
    refused(workspace, *words, code=4, says=("folder-not-empty",))


@pytest.mark.parametrize(
    ("option", "value", "code"),
    [
        ("--company", "某\x1b[2J公司", "company-name-invalid"),
        ("--company", " ", "company-name-invalid"),
        ("--company", "长" * 500, "company-name-invalid"),
        ("--prefix", "../X", "identifier-invalid"),
        ("--prefix", "xx", "identifier-invalid"),
    ],
)
def test_init_with_an_impossible_name_makes_nothing(
    workspace: Workspace, tmp_path: Path, option: str, value: str, code: str
) -> None:
    target = tmp_path / "新"
    words = {"--company": "某公司", "--prefix": "XX", "--person": "张三", option: value}
    answer = workspace.qms("init", str(target), *(f"{key}={text}" for key, text in words.items()))
    assert answer.code == 4, answer.err
    assert code in answer.err
    assert "\x1b" not in answer.err
    assert not target.exists()


def test_a_workspace_that_another_program_writes_to_is_left_alone(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from controller.adapters import git_archive
    from controller.adapters.workspace_lock import WorkspaceLock

    monkeypatch.setattr(git_archive.GitArchive.__init__, "__kwdefaults__", {
        **(git_archive.GitArchive.__init__.__kwdefaults__ or {}), "patience": 0.1,
    })  # fmt: skip
    values = workspace.values("call.yml", CALL)
    with WorkspaceLock(workspace.folder / ".qms" / "locks")(git_archive.LOCK, 1):
        refused(workspace, "record", "new", FORM, "--values", values, code=4, says=("workspace-busy", "0.1"))
    assert workspace.qms("record", "new", FORM, "--values", values).code == 0


def test_a_full_disk_is_said_and_nothing_is_filed(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    from controller.adapters.git_archive import GitArchiveWriter
    from controller.adapters.git_program import NoSpaceError

    def full(*_: object) -> str:
        raise NoSpaceError(where="objects")

    monkeypatch.setattr(GitArchiveWriter, "append", full)
    values = workspace.values("call.yml", CALL)
    refused(workspace, "record", "new", FORM, "--values", values, code=6, says=("no-space-left",))


# -- output


def test_a_print_where_a_file_stands_in_the_folders_place_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    workspace.qms("record", "new", FORM, "--values", workspace.values("call.yml", CALL))
    place = tmp_path / "文件"
    place.write_text("不能丢", encoding="utf-8")
    words = ("record", "print", f"{FORM}-2026-0001", "--out", str(place / "a.docx"))
    refused(workspace, *words, code=6, says=("file-unwritable",))
    assert place.read_text(encoding="utf-8") == "不能丢"


def test_control_characters_in_arguments_never_reach_the_terminal(workspace: Workspace) -> None:
    for words in (
        ("record", "show", "\x1b[31mX"),
        ("record", "list", "\x1b[31mX"),
        ("form", "show", "\x1b[31mX"),
        ("doc", "show", "\x1b[31mX"),
        ("register", "build", "\x1b[31mX"),
        ("record", "new", FORM, "--values", "\x1b[31mX"),
        ("record", "new", FORM, "--values", workspace.values("c.yml", CALL), "--stage", "\x1b[31mX"),
        ("--as", "\x1b[31mX", "record", "new", FORM, "--values", workspace.values("c.yml", CALL)),
    ):
        answer = workspace.qms(*words)
        assert answer.code in {3, 4}, (words, answer.err)
        assert "\x1b" not in answer.out + answer.err, words
