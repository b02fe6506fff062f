"""命令 `qms` 的入口. Global options, the table of commands, and the one boundary between errors and exit codes."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from controller.cli.commands import RUNNING, M, QmsGroup, QmsOption, option
from controller.cli.translation import LANGUAGES, language_of, say, translate_click, use_language
from controller.domain.errors import DamagedError, MisconfiguredError, NotFoundError, QmsError, RefusedError
from controller.domain.text import T

if TYPE_CHECKING:
    from controller.bootstrap import Application
    from controller.cli.output import Output
    from controller.cli.passphrases import Passphrases

EXIT_DONE, EXIT_FOUND, EXIT_USAGE, EXIT_NOT_FOUND, EXIT_REFUSED, EXIT_DAMAGED, EXIT_MISCONFIGURED, EXIT_BUG = (
    0, 1, 2, 3, 4, 5, 6, 70,
)  # fmt: skip
"""Exit codes, as docs/errors.md lists them."""

_FAMILIES = (
    (NotFoundError, EXIT_NOT_FOUND),
    (RefusedError, EXIT_REFUSED),
    (DamagedError, EXIT_DAMAGED),
    (MisconfiguredError, EXIT_MISCONFIGURED),
)


@dataclass
class Session:
    """一次命令. What the global options say, shared by every command through `click.pass_obj`."""

    workspace: Path | None
    as_json: bool
    language: str
    person: str | None
    passphrase_file: Path | None = None
    _application: Application | None = field(default=None, repr=False)

    @property
    def output(self) -> Output:
        """Where to print."""
        from controller.cli.output import Output

        return Output(self.language, self.as_json)

    @property
    def application(self) -> Application:
        """The opened workspace with its services; opened at first use.

        Raises:
            PersonUnknownError: `--as` names nobody, which no command passes over, one that only reads neither.
        """
        if self._application is None:
            from controller.bootstrap import open_workspace

            self._application = opened = open_workspace(self.workspace or Path.cwd())
            opened.ask = self.passphrases.answer
            if self.person is not None:
                self._check_known(opened, self.person)
        return self._application

    @staticmethod
    def _check_known(opened: Application, person: str) -> None:
        from controller.services.staff_directory import active_person

        # `qms verify` must be able to tell of a list of people, or of rules, that cannot be read.
        with suppress(MisconfiguredError, DamagedError):
            if not opened.signing_in.known(person):
                active_person(opened.staff, person)

    @cached_property
    def passphrases(self) -> Passphrases:
        """Where passphrases come from: the terminal, or the file that was given."""
        from controller.cli.passphrases import Passphrases

        return Passphrases(self.output, self.passphrase_file)

    def close(self) -> None:
        """Let go of what the command opened."""
        if self._application is not None:
            self._application.close()

    def note_refusal(self, error: QmsError, command: str) -> None:
        """Write down that somebody tried with `command` what they may not do; never hides the refusal itself."""
        if error.unauthorised and self._application is not None:
            from controller.services.trail import refused

            with suppress(QmsError):
                application = self._application
                present = application.signing_in
                refused(application.statements, error, claimed=self.person, present=present, command=command)


COMMANDS = {
    "init": ("controller.cli.workspace_commands:init", M("新建工作区，放入起步文件库。")),
    "demo": ("controller.cli.workspace_commands:demo", M("在新目录里演示全过程。")),
    "login": ("controller.cli.login_commands:login", M("登录：输入本人的签名口令。")),
    "logout": ("controller.cli.login_commands:logout", M("退出登录。")),
    "who": ("controller.cli.login_commands:who", M("查看本机登录了哪些人。")),
    "passphrase": ("controller.cli.login_commands:passphrase", M("更换本人的签名口令。")),
    "doc": ("controller.cli.document_commands:doc", M("程序文件：列出、查看、打印、签署、导入、解析。")),
    "change": (
        "controller.cli.change_commands:change",
        M("文件更改：提出、起草、审核、批准、生效；建库时检查后采用文件夹里的修改。"),
    ),
    "copy": ("controller.cli.copy_commands:copy", M("受控副本：发放、签收、收回、遗失、销毁，查看谁持有哪一份。")),
    "review": ("controller.cli.review_commands:review", M("文件评审：哪些到期、登记评审结论、查看历次评审。")),
    "training": (
        "controller.cli.training_commands:training",
        M("阅知：谁要读哪份文件、阅读签名、答题、豁免，按岗位的更改通知。"),
    ),
    "form": ("controller.cli.form_commands:form", M("受控表单：列出、查看、检查、空白表、版式。")),
    "record": ("controller.cli.record_commands:record", M("质量记录：填写、导入、查看、打印、检索。")),
    "person": ("controller.cli.person_commands:person", M("人员：登记、岗位、证书、见证、停用、密钥备份。")),
    "register": ("controller.cli.register_commands:register", M("台账：列出、生成。")),
    "audit-trail": ("controller.cli.audit_trail_commands:audit_trail", M("审计追踪：查看和导出。")),
    "index": ("controller.cli.workspace_commands:index", M("检索索引：可随时重建。")),
    "timestamp": ("controller.cli.timestamp_commands:timestamp", M("时间戳：每日摘要、机器外的副本、时钟校正。")),
    "guard": ("controller.cli.guard_commands:guard", M("共享服务器：拒收改写过历史、没有签名或改动过的内容。")),
    "verify": ("controller.cli.verify_commands:verify", M("检查档案是否完整、未被改动。")),
}


class _Root(QmsGroup):
    """The `qms` group: what is refused to somebody is written down before they are told."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except QmsError as error:
            if isinstance(ctx.obj, Session):
                ctx.obj.note_refusal(error, ctx.meta.get(RUNNING, ""))
            raise


@click.group(cls=_Root, lazy=COMMANDS, help=M("文控：医疗器械经营与售后服务企业的文件化质量管理体系。"))
@option("--workspace", type=click.Path(path_type=Path), metavar="DIR", help=M("工作区目录（默认：当前目录或其上级）。"))
@option("--json", "as_json", is_flag=True, help=M("输出一个 JSON 文档，供其他程序使用。"))
@option("--lang", type=click.Choice(LANGUAGES), default=None, help=M("界面语言：zh 中文（默认），en 英文。"))
@option("--as", "person", metavar="PERSON", help=M("本机有多人登录时，以谁的名义操作（姓名或工号）。"))
@option(
    "--passphrase-file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help=M("口令文件（每行“工号: 口令”），供自动运行使用；平时请直接输入口令。"),
)
@click.version_option(
    package_name="wenkong",
    prog_name="qms",
    message="%(prog)s %(version)s",
    cls=QmsOption,
    help=M("显示版本后退出。"),
)
@click.pass_context
def qms(  # noqa: D103 - the help text above is the description
    context: click.Context,
    workspace: Path | None,
    as_json: bool,
    lang: str | None,
    person: str | None,
    passphrase_file: Path | None,
) -> None:
    session = Session(
        workspace=workspace,
        as_json=as_json,
        language=lang or language_of(),
        person=person or os.environ.get("QMS_AS"),
        passphrase_file=passphrase_file,
    )
    context.obj = session
    context.call_on_close(session.close)


def exit_code_of(error: QmsError) -> int:
    """Return the exit code of the error's family."""
    return next((code for family, code in _FAMILIES if isinstance(error, family)), EXIT_REFUSED)


def show_error(error: QmsError, language: str, *, as_json: bool) -> None:
    """Print an error: code, what, every detail, where, next step; one JSON document with `--json`."""
    from controller.cli.output import Output

    out = Output(language, as_json)
    message = out.text(error.message)
    hint = out.text(error.hint) if error.hint else None
    problems = getattr(error, "problems", ())
    findings = error.findings
    if as_json:
        data: dict[str, object] = {"code": error.code, "message": message, "where": error.where, "hint": hint}
        if problems:
            data["problems"] = [out.problem_data(problem) for problem in problems]
        if findings:
            data["findings"] = [out.finding_data(finding) for finding in findings]
        out.document({"error": data})
        return
    lines = [out.text(T("错误 {code}：{message}", code=error.code, message=message))]
    lines += out.problem_lines(problems)
    lines += out.finding_lines(findings)
    if error.where:
        lines.append(out.text(T("位置：{where}", where=error.where)))
    if hint:
        lines.append(out.text(T("下一步：{hint}", hint=hint)))
    click.echo("\n".join(lines), err=True)


def run(arguments: list[str] | None = None) -> NoReturn:
    """Entry point of the `qms` command; never returns."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    language = language_of(words)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    translate_click(language)
    sys.exit(main(words, language))


def main(words: list[str], language: str) -> int:
    """Run one command and return its exit code; the boundary where errors become messages."""
    use_language(language)
    try:
        result = qms.main(args=words, prog_name="qms", standalone_mode=False)
    except QmsError as error:
        show_error(error, language, as_json="--json" in words)
        return exit_code_of(error)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.Abort:
        click.echo(say(T("已中止，没有改动。"), language), err=True)
        return EXIT_USAGE
    except click.ClickException as error:
        error.show()
        return EXIT_USAGE
    except BrokenPipeError:
        return EXIT_DONE
    except Exception:  # noqa: BLE001 - the last boundary: a bug keeps its traceback and says what to do
        import traceback

        traceback.print_exc()
        click.echo(say(T("程序出错（不是您的操作问题），没有归档任何内容。"), language), err=True)
        click.echo(say(T("下一步：把以上内容连同所用命令发给维护人员。"), language), err=True)
        return EXIT_BUG
    return result if isinstance(result, int) else EXIT_DONE
