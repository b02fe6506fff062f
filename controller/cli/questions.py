"""提问. Yes-or-no questions at the terminal, answered with 是 and 否 or with y and n."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from controller.domain.text import T

if TYPE_CHECKING:
    from controller.cli.output import Output
    from controller.domain.text import Text

_YES = frozenset({"是", "是的", "对", "好", "同意", "y", "yes"})
_NO = frozenset({"否", "不", "不是", "不同意", "n", "no", ""})


def agreed(out: Output, question: Text) -> bool:
    """Ask until there is a clear answer; nothing but Enter means no."""
    shown = out.text(T("{question} [是/否]", question=question))
    while True:
        answer = str(click.prompt(shown, default="", show_default=False, err=True)).strip().casefold()
        if answer in _YES:
            return True
        if answer in _NO:
            return False
        out.note(T("请回答“是”或“否”（也可以输入 y 或 n）。"))
