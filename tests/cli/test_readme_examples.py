"""The worked example of the Chinese readme does what the readme says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Workspace

README = Path(__file__).resolve().parents[2] / "README.zh-CN.md"
NUMBER = r"XX-YLQXJL-006-\d{4}-0001"


def test_the_training_with_a_photo_is_filed_and_corrected(workspace: Workspace) -> None:
    example = re.search(r"```yaml\n(培训类型.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    folder = workspace.folder.parent / "mine"
    (folder / "照片").mkdir(parents=True)
    (folder / "照片" / "签到表.jpg").write_bytes(b"\xff\xd8\xff\xe0photo")
    (folder / "培训.yml").write_text(example[1], encoding="utf-8")
    new = workspace.qms("record", "new", "006", "--values", str(folder / "培训.yml"), person="林静")
    assert new.code == 0, new.err
    found = re.search(NUMBER, new.out)
    assert found is not None
    changed = ("--set", "培训主题=新版经营规范宣贯", "--reason", "主题名称写错")
    correct = workspace.qms("record", "correct", found[0], *changed, person="林静")
    assert correct.code == 0, correct.err
    shown = workspace.qms("record", "show", found[0], person="林静").out
    assert "新版经营规范宣贯" in shown
    assert "签到表.jpg" in shown


def test_the_readme_asks_nobody_to_type_git() -> None:
    commands = re.findall(r"```\w*\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert [line for block in commands for line in block.splitlines() if re.match(r"\s*git\b", line)] == []
