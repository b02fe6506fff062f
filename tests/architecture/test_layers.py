"""The contracts hold, and each of them catches a deliberate violation."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    environment = {"PYTHONPATH": str(folder), "PYTHONUTF8": "1", "PATH": "", "COLUMNS": "200"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "controller", tmp_path / "controller", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    return tmp_path


def test_the_code_keeps_every_contract(checkout: Path) -> None:
    result = lint(checkout)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("domain/identifiers.py", "import controller.services.ports"),
        ("services/ports.py", "import sqlite3"),
        ("adapters/starter_library.py", "import controller.cli.output"),
        ("domain/text.py", "import controller.domain.errors"),
    ],
    ids=["domain reaches up", "a service opens a database", "an adapter prints", "a cycle"],
)
def test_a_deliberate_violation_is_caught(checkout: Path, module: str, line: str) -> None:
    path = checkout / "controller" / module
    path.write_text(path.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
    result = lint(checkout)
    assert result.returncode != 0
    assert "BROKEN" in result.stdout


def test_every_module_says_what_it_is_for() -> None:
    silent = []
    for path in sorted((ROOT / "controller").rglob("*.py")):
        head = path.read_text(encoding="utf-8").lstrip()
        if not head.startswith('"""'):
            silent.append(path.name)
    assert silent == []


def test_every_module_has_a_name_of_its_own() -> None:
    names = [path.name for path in (ROOT / "controller").rglob("*.py") if path.name != "__init__.py"]
    assert sorted(names) == sorted(set(names))
    assert not {"utils.py", "common.py", "helpers.py", "base.py", "manager.py", "misc.py"} & set(names)
