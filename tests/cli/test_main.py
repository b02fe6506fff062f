"""The global options, the boundary between errors and exit codes, and the cost of `--help`."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from controller.cli.main import exit_code_of, main
from controller.domain.errors import DamagedError, MisconfiguredError, NotFoundError, QmsError, RefusedError
from controller.domain.text import T

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("family", "code"), [(NotFoundError, 3), (RefusedError, 4), (DamagedError, 5), (MisconfiguredError, 6)]
)
def test_each_family_of_errors_has_its_exit_code(family: type[QmsError], code: int) -> None:
    assert exit_code_of(family(T("示例"))) == code


def test_outside_a_workspace_the_next_step_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--workspace", str(tmp_path), "record", "list"], "zh")
    shown = capsys.readouterr().err
    assert code == 3
    assert "workspace-missing" in shown
    assert "qms init" in shown


def test_with_json_an_error_is_one_json_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--workspace", str(tmp_path), "--json", "record", "list"], "zh")
    data = json.loads(capsys.readouterr().out)
    assert data["error"]["code"] == "workspace-missing"
    assert set(data["error"]) == {"code", "message", "where", "hint"}


def test_a_misspelt_command_is_a_usage_error_in_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "controller", "recod"], capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert result.returncode == 2
    assert "没有命令" in result.stderr


def test_help_is_chinese_by_default_and_english_when_asked() -> None:
    command = [sys.executable, "-m", "controller"]
    chinese = subprocess.run([*command, "--help"], capture_output=True, text=True, encoding="utf-8", check=True).stdout
    english = subprocess.run(
        [*command, "--lang", "en", "--help"], capture_output=True, text=True, encoding="utf-8", check=True
    ).stdout
    assert "用法" in chinese
    assert "质量记录" in chinese
    assert "Usage" in english
    assert "质量记录" not in english


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["change", "show"], "缺少参数 '编号'"),
        (
            ["change", "open", "--document", "CX-014", "--reason", "更正", "--plan", "2026/1/1"],
            "年-月-日，例如 2026-01-31",
        ),
    ],
)
def test_what_is_written_wrong_is_told_in_chinese(words: list[str], said: str) -> None:
    command = [sys.executable, "-m", "controller", *words]
    result = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert (result.returncode, said in result.stderr) == (2, True), result.stderr
    assert "NUMBER" not in result.stderr
    assert "%Y" not in result.stderr


def test_whoever_only_looks_may_say_who_they_are_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--workspace", str(tmp_path), "doc", "list", "--as", "陈晓"], "zh") == 3
    assert "workspace-missing" in capsys.readouterr().err


def test_help_loads_none_of_the_heavy_libraries() -> None:
    probe = (
        "import sys\n"
        "from controller.cli.main import main\n"
        "main(['--help'], 'zh')\n"
        "heavy = {'git', 'docx', 'docxtpl', 'lxml', 'jinja2', 'pypdf', 'sqlite3', 'yaml', 'cryptography'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    result = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, encoding="utf-8", check=True)
    assert result.stdout.splitlines()[-1] == "[]"
