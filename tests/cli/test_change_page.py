"""The page for managers, docs/zh/修订一份程序文件.md: every command is run, every line shown is the program's own."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from controller.adapters.word_editing import WordAuthor, WordEditing
from controller.cli.main import qms
from tests.compliance.evidence import ZONE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Workspace

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "zh" / "修订一份程序文件.md").read_text(encoding="utf-8")
WHO = re.compile(r"\*\*(\S+?)，(\d+) 月 (\d+) 日\*\*")
EDITS = {
    "售后服务.docx": [
        ("负责用户访问,收集", "负责用户访问(重点客户每半年一次,其他客户每年一次),收集"),
        ("+考试合格后上岗", "5.4.安装后30日内、投诉答复后30日内各回访一次。"),
        ("#填写《批发医疗器械与服务满意度征询表》", "征询表每年发一次，这里要不要写？"),
    ],
    "回访.docx": [("安装后30日内、投诉答复后30日内", "安装后30日内、投诉答复后30个工作日内")],
    "样机.docx": [
        ("1.目的：", "1.目的：样机有账可查、借出有归。"),
        ("+5.内容：", "5.1.样机借出前登记编号、借用人和归还日期。"),
    ],
    "售后制度.docx": [("质管部监督。", "质管部监督，每季度检查一次。")],
}
"""What the people of the page do in Word: words replaced; `+`: a paragraph typed after; `#`: a comment on."""


@dataclass(frozen=True)
class Block:
    """Commands of people on a day, and what the page shows of the screen after them."""

    people: str
    day: datetime
    commands: tuple[str, ...]
    shown: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        return bool(self.shown) and self.shown[0].startswith("错误 ")


def blocks(page: str) -> Iterator[Block]:
    people, day, kind = "", datetime(2026, 3, 2, 9, tzinfo=ZONE), None
    lines: list[str] = []
    waiting: Block | None = None
    for line in page.splitlines():
        found = WHO.search(line) if kind is None else None
        if found is not None:
            people, day = found[1], datetime(2026, int(found[2]), int(found[3]), 9, tzinfo=ZONE)
        if not line.startswith("```"):
            lines.append(line)
            continue
        if kind is None:
            kind, lines = line.removeprefix("```"), []
        else:
            if kind == "" and waiting is not None:
                yield waiting
            if kind == "":
                waiting = Block(people, day, tuple(lines))
            elif kind == "text" and waiting is not None:
                waiting = replace(waiting, shown=tuple(lines))
            kind = None
    if waiting is not None:
        yield waiting


@dataclass
class Reader:
    """Somebody who follows the page."""

    workspace: Workspace
    moment: datetime
    here: set[tuple[str, datetime]] = field(default_factory=set)

    def follow(self, block: Block) -> None:
        for person in block.people.split("、"):
            self._sign_in(person, block.day)
            said = ""
            for place, line in enumerate(block.commands, 1):
                self.moment += timedelta(minutes=1)
                words = shlex.split(line)
                assert words[0] == "qms", line
                self._by_hand(words[1:], person)
                answer = self.workspace.qms(*words[1:], person=person if words[1] != "login" else None)
                refused = block.refused and place == len(block.commands)
                assert answer.code == (4 if refused else 0), (line, answer.out, answer.err)
                said += answer.err if refused else answer.out
            self._compare(block, said)

    def _sign_in(self, person: str, day: datetime) -> None:
        self.moment = max(self.moment + timedelta(minutes=1), day)
        if (person, day) not in self.here:
            self.here.add((person, day))
            assert self.workspace.qms("login", person, person=None).code == 0

    def _by_hand(self, words: list[str], person: str) -> None:
        """Do what the page tells people to do in Word before this command."""
        if words[:2] != ["doc", "checkin"]:
            return
        file = self.workspace.folder / words[2]
        editing = WordEditing(file.read_bytes())
        for old, new in EDITS[words[2]]:
            if old.startswith("+"):
                editing.add_paragraph(old[1:], new, WordAuthor(person, self.moment))
            elif old.startswith("#"):
                editing.comment(old[1:], new, WordAuthor("刘洋", self.moment))
            else:
                editing.replace(old, new, WordAuthor(person, self.moment))
        file.write_bytes(editing.saved())

    def _compare(self, block: Block, said: str) -> None:
        """Every line that the page shows stands on the screen, in this order; `…` is what the page leaves out."""
        left = [" ".join(line.split()) for line in said.splitlines()]
        for line in block.shown:
            wanted = re.compile(".*".join(re.escape(part) for part in " ".join(line.split()).split("…")))
            place = next((n for n, found in enumerate(left) if wanted.fullmatch(found)), None)
            assert place is not None, (block.commands, line, said)
            left = left[place + 1 :]


@pytest.mark.slow
def test_every_command_of_the_page_does_and_says_what_the_page_says(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(workspace, datetime(2026, 3, 2, 8, tzinfo=ZONE))
    monkeypatch.setattr("controller.adapters.system_clock.SystemClock.now", lambda _self: reader.moment)
    monkeypatch.chdir(workspace.folder)
    questions = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert questions is not None
    (workspace.folder / "考题.yml").write_text(questions[1], encoding="utf-8")
    followed = list(blocks(PAGE))
    for block in followed:
        reader.follow(block)
    assert sum(len(block.commands) for block in followed) > 50
    checked = workspace.qms("verify", person=None)
    assert checked.code == 0, checked.out


PAGES = (
    "README.md",
    "README.zh-CN.md",
    "docs/zh/修订一份程序文件.md",
    "docs/zh/用Word修改程序文件.md",
    "docs/zh/发放回收复审.md",
    "docs/zh/密钥与口令.md",
)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_names_no_command_or_option_that_there_is_not(name: str) -> None:
    page = (ROOT / name).read_text(encoding="utf-8")
    lines = re.findall(r"^qms [^#\n]*", page, re.MULTILINE) + re.findall(r"`(qms [^`]+)`", page)
    assert len(lines) > 5
    for line in lines:
        command: click.Command = qms
        words = line.split()[1:]
        while words and not words[0].startswith("--") and isinstance(command, click.Group):
            found = command.get_command(click.Context(command), words[0])
            assert found is not None, line
            command, words = found, words[1:]
        known = {name for option in command.params for name in option.opts} | {"--help"}
        assert {word for word in words if word.startswith("--")} <= known, line


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_a_readme_leads_to_every_page_for_users_near_its_top(readme: str) -> None:
    top = (ROOT / readme).read_text(encoding="utf-8").split("\n## ")[0]
    pages = {f"docs/zh/{page.name}" for page in (ROOT / "docs" / "zh").glob("*.md")}
    assert set(re.findall(r"\]\((docs/zh/[^)]+)\)", top)) == pages


@pytest.mark.parametrize("page", [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")], ids=lambda page: page.name)
def test_a_page_links_to_no_file_that_there_is_not(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_page_explains_only_refusals_that_there_are() -> None:
    codes = set(re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE))
    assert len(codes) >= 15
    defined = {
        code
        for path in (ROOT / "controller").rglob("*.py")
        for code in re.findall(r'^    code = "([a-z-]+)"', path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert codes <= defined
