"""命令的写法. Command, group and option classes whose help is translated when shown and whose code loads when used."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar
from unicodedata import east_asian_width

import click

from controller.cli.translation import current_language, translator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_Callback = TypeVar("_Callback", bound="Callable[..., Any]")


def M(template: str) -> str:  # noqa: N802 - marks a message for the catalogs, as T does below the edge
    """Mark a help text for the message catalogs; the text itself is returned."""
    return template


def _translated(text: str | None) -> str | None:
    return translator(current_language())(text) if text else text


_VALUES = {
    "ACTION": "操作",
    "CLASS": "类别",
    "CODE": "简码",
    "COMPANY": "公司",
    "DATE": "日期",
    "DEPARTMENT": "部门",
    "DIR": "文件夹",
    "FIELD": "字段",
    "FILE": "文件",
    "FILE_OR_DIR": "文件或文件夹",
    "FOLDER": "文件夹",
    "FORM": "表单",
    "HEX": "指纹",
    "ID": "编号",
    "KIND": "类型",
    "MEANING": "含义",
    "N": "数",
    "NAME": "姓名",
    "NUMBER": "编号",
    "ORGANISATION": "单位",
    "OUTCOME": "结果",
    "PATH": "文件",
    "PERSON": "姓名",
    "POST": "岗位",
    "REPO": "版本库",
    "REV": "版本",
    "REVISION": "版本",
    "SITE": "站点",
    "STAGE": "阶段",
    "TEXT": "文字",
    "TRIGGER": "触发原因",
    "VALUE": "值",
    "WORDS": "词语",
}
"""What stands for a value in help texts, in Chinese."""


def _value_shown(metavar: str) -> str:
    """Return `[NAME]` as `[姓名]` where help is Chinese."""
    if current_language() != "zh":
        return metavar
    return re.sub(r"[A-Z][A-Z_]*", lambda found: _VALUES.get(found[0], found[0]), metavar)


def _width(text: str) -> int:
    """Return how many columns a text takes; a Chinese character takes two."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


RUNNING = "controller.cli.running"
"""Where a context keeps the words of the command that runs, such as `qms person retire`; never what follows them."""
_WIDEST = 34
"""Columns of the first of two, beyond which the second begins on its own line."""


class _HelpPage(click.HelpFormatter):
    """说明页. In Chinese, headings end in a full-width colon and columns are as wide as the characters are."""

    def write_heading(self, heading: str) -> None:
        """Write a heading."""
        if current_language() == "zh":
            self.write(f"{'':>{self.current_indent}}{heading}：\n")
        else:
            super().write_heading(heading)

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write the usage line."""
        if prefix is None and current_language() == "zh":
            prefix = "用法："
        super().write_usage(prog, args, prefix)

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Write two columns; a Chinese sentence has no spaces to be wrapped at and stays on its line."""
        if current_language() != "zh":
            super().write_dl(rows, col_max, col_spacing)
            return
        rows = list(rows)
        column = max([_width(first) for first, _ in rows if _width(first) <= _WIDEST], default=0) + col_spacing
        indent = " " * self.current_indent
        for first, second in rows:
            gap = column - _width(first)
            between = " " * gap if gap >= col_spacing else f"\n{indent}{' ' * column}"
            self.write(f"{indent}{first}{between}{second}".rstrip() + "\n")


class _HelpContext(click.Context):
    formatter_class = _HelpPage


class QmsOption(click.Option):
    """选项. An option whose help is translated, and whose kind of value is told without a programmer's words."""

    def make_metavar(self, ctx: click.Context) -> str:
        """Return what stands for the value: `N` for a whole number, `DATE` for a day, `FILE` or `DIR` for a path."""
        if self.metavar is not None:
            return _value_shown(self.metavar)
        if isinstance(self.type, click.types.IntParamType):
            return _value_shown("N")
        if isinstance(self.type, click.DateTime):
            return _value_shown("DATE")
        if isinstance(self.type, click.Path):
            return _value_shown("FILE" if self.type.file_okay else "DIR")
        return super().make_metavar(ctx)

    def get_help_extra(self, ctx: click.Context) -> click.types.OptionHelpExtra:
        """Return default, range and the like; the range as people write it: `1–1000`."""
        extra = super().get_help_extra(ctx)
        if "range" in extra and isinstance(self.type, click.IntRange):
            low, high = self.type.min, self.type.max
            extra["range"] = f"{low}–{high}" if low is not None and high is not None else f"≥ {low or 0}"
        return extra

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option and its translated help."""
        original = self.help
        self.help = _translated(original)
        try:
            return super().get_help_record(ctx)
        finally:
            self.help = original


class QmsCommand(click.Command):
    """命令. A command whose help is translated."""

    context_class = _HelpContext

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not isinstance(self, click.Group) and not any("--as" in item.opts for item in self.params):
            # Who only looks may say too who they are: nobody has to know after which commands it is allowed.
            self.params.append(_as_whom(hidden=True))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what was written; what is wrong with it is told in the words of the help."""
        try:
            return super().parse_args(ctx, args)
        except click.BadParameter as error:
            if error.param_hint is None and isinstance(error.param, click.Argument):
                error.param_hint = f"'{_value_shown(error.param.make_metavar(ctx))}'"
            if error.param is not None and isinstance(error.param.type, click.DateTime):
                day = _translated(M("年-月-日，例如 2026-01-31")) or ""
                told = error.message.replace("'%Y-%m-%d'", day).replace("%Y-%m-%d", day)
                raise click.BadParameter(told, ctx, error.param, error.param_hint) from None
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; `RUNNING` tells which."""
        ctx.meta[RUNNING] = ctx.command_path
        return super().invoke(ctx)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the translated help."""
        original = self.help
        self.help = _translated(original)
        try:
            super().format_help_text(ctx, formatter)
        finally:
            self.help = original

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Return the parts of the usage line, `[OPTIONS]` and the like translated."""
        shown = {"[OPTIONS]": M("[选项]"), "COMMAND [ARGS]...": M("命令 [参数]...")}
        pieces = super().collect_usage_pieces(ctx)
        return [_translated(shown[piece]) or "" if piece in shown else _value_shown(piece) for piece in pieces]

    def get_short_help_str(self, limit: int = 45) -> str:
        """Return the first sentence of the translated help; never cut inside a Chinese sentence."""
        del limit
        return (_translated(self.short_help or self.help) or "").split("\n", maxsplit=1)[0]

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return `--help` with its own help translated."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = _translated(M("显示说明后退出。"))
        return option


class QmsGroup(QmsCommand, click.Group):
    """命令组. A group that imports a subcommand only when it is used."""

    command_class = QmsCommand

    def __init__(self, *args: Any, lazy: Mapping[str, tuple[str, str]] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = dict(lazy or {})
        """Name → (`module:attribute`, short help)."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all subcommands, lazy ones first."""
        return list(dict.fromkeys([*self.lazy, *super().list_commands(ctx)]))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a subcommand, importing its module when it is lazy."""
        if cmd_name in self.lazy:
            module, attribute = self.lazy[cmd_name][0].split(":")
            command = getattr(import_module(module), attribute)
            assert isinstance(command, click.Command)
            return command
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of subcommands without importing the lazy ones."""
        rows = []
        for name in self.list_commands(ctx):
            if name in self.lazy:
                rows.append((name, _translated(self.lazy[name][1]) or ""))
            else:
                command = super().get_command(ctx, name)
                if command is not None and not command.hidden:
                    rows.append((name, command.get_short_help_str()))
        if rows:
            with formatter.section(_translated(M("命令")) or ""):
                formatter.write_dl(rows)


QmsGroup.group_class = QmsGroup


def command(name: str, help_text: str, **attributes: Any) -> Callable[[Callable[..., Any]], QmsCommand]:
    """Decorator: make a command called `name` with a help text marked by `M`."""
    return click.command(name, cls=QmsCommand, help=help_text, **attributes)


def group(name: str, help_text: str, **attributes: Any) -> Callable[[Callable[..., Any]], QmsGroup]:
    """Decorator: make a group called `name` with a help text marked by `M`."""
    return click.group(name, cls=QmsGroup, help=help_text, **attributes)


def _remember(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.obj.person = value


_AS: Mapping[str, Any] = {
    "metavar": "PERSON",
    "expose_value": False,
    "callback": _remember,
    "help": M("本机有多人登录时，以谁的名义操作（姓名或工号）。"),
}


def _as_whom(*, hidden: bool) -> QmsOption:
    return QmsOption(["--as"], hidden=hidden, **_AS)


def acting(function: _Callback) -> _Callback:
    """Decorator: let a command that acts take `--as` after its own name too, where people naturally write it."""
    return option("--as", **_AS)(function)


def option(*declarations: str, **attributes: Any) -> Callable[[_Callback], _Callback]:
    """Decorator: add a translated option; `help` is marked by `M`."""
    return click.option(*declarations, cls=QmsOption, **attributes)
