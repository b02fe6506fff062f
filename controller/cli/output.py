"""显示. Everything `qms` prints goes through here: sentences, tables, one JSON document, progress, findings."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from controller.cli.translation import say
from controller.domain.conformity import Gravity
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from controller.domain.conformity import Finding
    from controller.domain.form_check import Problem

GRAVITY_NAMES = {Gravity.ERROR: T("不符合"), Gravity.WARNING: T("注意"), Gravity.NOTE: T("提示")}

# Escape sequences and direction marks inside what people typed could repaint the screen or hide what is said.
_UNPRINTABLE = {
    code: "\ufffd"
    for code in (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
    if chr(code) not in "\n\t"
}


def shortened(text: str, width: int) -> str:
    """Return a text as a table shows it: on a terminal cut with “…” past `width` characters, in a pipe whole."""
    return text if len(text) <= width or not sys.stdout.isatty() else f"{text[: width - 1]}…"


def printable(text: str) -> str:
    """Return `text` without anything that a terminal would obey instead of show."""
    return text.translate(_UNPRINTABLE)


@dataclass
class Output:
    """输出. Bound to the language and to whether `--json` was asked for."""

    language: str
    as_json: bool

    def text(self, text: Text) -> str:
        """Return `text` in the chosen language."""
        return printable(say(text, self.language))

    def line(self, text: Text | str = "") -> None:
        """Print one sentence for people; silent with `--json`."""
        if not self.as_json:
            click.echo(self.text(text) if isinstance(text, Text) else printable(text))

    def note(self, text: Text) -> None:
        """Print a side remark to standard error; it never disturbs piped output."""
        click.echo(self.text(text), err=True)

    def document(self, data: Any) -> None:
        """With `--json`: print the one JSON document of this command."""
        if self.as_json:
            click.echo(json.dumps(data, ensure_ascii=False, indent=2, default=str))

    def table(self, columns: Sequence[Text], rows: Sequence[Sequence[object]]) -> None:
        """Print rows under headings, aligned on a terminal, tab-separated in a pipe."""
        if self.as_json:
            return
        headings = [self.text(column) for column in columns]
        if not sys.stdout.isatty():
            click.echo("\t".join(headings))
            for row in rows:
                click.echo("\t".join(self._cell(cell) for cell in row))
            return
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text as RichText

        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in headings:
            table.add_column(heading, overflow="fold")
        for row in rows:
            table.add_row(*(RichText(self._cell(cell)) for cell in row))
        Console().print(table)

    def _cell(self, cell: object) -> str:
        if isinstance(cell, (list, tuple)):
            cell = Text("{items}", {"items": cell})
        if isinstance(cell, Text):
            return self.text(cell)
        return "" if cell is None else printable(str(cell))

    def findings(self, findings: Sequence[Finding]) -> None:
        """Print findings for people, gravest first; `finding_data` gives the JSON shape."""
        for line in self.finding_lines(findings):
            self.line(line)

    def finding_lines(self, findings: Sequence[Finding]) -> list[str]:
        """Return the lines that tell findings, gravest first."""
        order = list(GRAVITY_NAMES)
        lines = []
        for finding in sorted(findings, key=lambda item: order.index(item.gravity)):
            place, message = finding.path or finding.subject or "", self.text(finding.message)
            if place and printable(place) in message:
                place = ""  # said once is enough
            if finding.line:
                place += f":{finding.line}"
            head = f"[{self.text(GRAVITY_NAMES[finding.gravity])}] "
            lines.append(head + (f"{printable(place)} " if place else "") + message)
            if finding.hint is not None:
                lines.append("    → " + self.text(finding.hint))
        return lines

    def problem_lines(self, problems: Sequence[Problem]) -> list[str]:
        """Return one line a problem: label, value, rule, what would be right."""
        lines = []
        for problem in problems:
            value = T("（填写为“{value}”）", value=problem.value) if problem.value else ""
            line = T("{label}{value}：{rule}", label=problem.label, value=value, rule=problem.rule)
            lines.append(f"  · {self.text(line)} → {self.text(problem.right)}")
        return lines

    def problem_data(self, problem: Problem) -> dict[str, object]:
        """Return the stable JSON shape of one problem."""
        return {
            "code": problem.code,
            "field": problem.field,
            "label": problem.label,
            "value": problem.value,
            "rule": self.text(problem.rule),
            "right": self.text(problem.right),
            "level": problem.level.value,
        }

    def finding_data(self, finding: Finding) -> dict[str, object]:
        """Return the stable JSON shape of one finding."""
        return {
            "code": finding.code,
            "gravity": finding.gravity.value,
            "message": self.text(finding.message),
            "path": finding.path,
            "line": finding.line,
            "subject": finding.subject,
            "hint": self.text(finding.hint) if finding.hint else None,
        }

    @contextmanager
    def progress(self, label: Text) -> Iterator[Callable[[int, int | None], None]]:
        """Give a function to report progress to: a bar on a terminal, nothing in a pipe or with `--json`."""
        if self.as_json or not sys.stderr.isatty():
            yield lambda _done, _total: None
            return
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(self.text(label), total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
