"""命令的写法. Command, group and option classes whose help is translated when shown and whose code loads when used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

import click

from controller.cli.translation import current_language, translator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_Callback = TypeVar("_Callback", bound="Callable[..., Any]")


def M(template: str) -> str:  # noqa: N802 - marks a message for the catalogs, as T does below the edge
    """Mark a help text for the message catalogs; the text itself is returned."""
    return template


def _translated(text: str | None) -> str | None:
    return translator(current_language())(text) if text else text


class _HelpPage(click.HelpFormatter):
    """说明页. Headings end in a full-width colon in Chinese, as the sentences do."""

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


class _HelpContext(click.Context):
    formatter_class = _HelpPage


class QmsOption(click.Option):
    """选项. An option whose help is translated."""

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
        return [_translated(shown.get(piece, piece)) or "" for piece in super().collect_usage_pieces(ctx)]

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


def acting(function: _Callback) -> _Callback:
    """Decorator: let a command that acts take `--as` after its own name too, where people naturally write it."""

    def remember(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
        if value is not None:
            context.obj.person = value

    help_text = M("本机有多人登录时，以谁的名义操作（姓名或工号）。")
    return option("--as", metavar="PERSON", expose_value=False, callback=remember, help=help_text)(function)


def option(*declarations: str, **attributes: Any) -> Callable[[_Callback], _Callback]:
    """Decorator: add a translated option; `help` is marked by `M`."""
    return click.option(*declarations, cls=QmsOption, **attributes)
