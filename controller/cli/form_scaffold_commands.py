"""命令 `qms form scaffold` 和 `qms form compile`. Makes a form's Word template, and takes in a restyled one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from controller.cli.commands import M, command, option
from controller.cli.form_commands import known_form
from controller.domain.conformity import Gravity
from controller.domain.errors import QmsError
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from controller.cli.main import Session
    from controller.cli.output import Output
    from controller.domain.conformity import Finding
    from controller.services.form_scaffolding import ScaffoldResult


@command("scaffold", M("按表单定义和公司版式生成 Word 模板（form.docx）并编译。手工改过的模板不会被覆盖。"))
@click.argument("numbers", metavar="[NUMBER]...", nargs=-1)
@option("--all", "every", is_flag=True, help=M("全部表单。"))
@option("--force", is_flag=True, help=M("手工改过的模板也重新生成；原文件另存一份。"))
@click.pass_obj
def scaffold(session: Session, numbers: tuple[str, ...], every: bool, force: bool) -> int:
    service = session.application.form_scaffolding
    wanted = _wanted(session, service.numbers(), numbers, every)
    return _run(session, wanted, lambda number: service.scaffold(number, force=force))


@command("compile", M("编译在 Word 中改过的模板，并检查其中的名称与表单定义一致。"))
@click.argument("numbers", metavar="[NUMBER]...", nargs=-1)
@option("--all", "every", is_flag=True, help=M("全部表单。"))
@option("--revise", is_flag=True, help=M("先把 form.yml 里的版本提高到现行版本之上（A/0 → A/1）。"))
@click.pass_obj
def compile_forms(session: Session, numbers: tuple[str, ...], every: bool, *, revise: bool) -> int:
    application = session.application
    service = application.form_scaffolding
    wanted = _wanted(session, service.numbers(), numbers, every)
    inspection = application.form_inspection(working=True)
    approved = application.forms
    in_force = {number: approved.definition(number).revision for number in approved.numbers()} if revise else {}
    return _run(
        session,
        wanted,
        lambda number: service.compile(number, above=in_force.get(number)),
        check=lambda: inspection.inspect(wanted),
    )


def _wanted(session: Session, known: Sequence[str], numbers: Sequence[str], every: bool) -> list[str]:
    wanted = list(known) if every else [known_form(number, known) for number in numbers]
    if not wanted:
        raise click.UsageError(session.output.text(T("请写出表单编号，或用 --all。")))
    return wanted


def _run(
    session: Session,
    wanted: Sequence[str],
    work: Callable[[str], ScaffoldResult],
    *,
    check: Callable[[], Sequence[Finding]] | None = None,
) -> int:
    out = session.output
    results: list[ScaffoldResult] = []
    refused: list[tuple[str, QmsError]] = []
    with out.progress(T("生成表单")) as progress:
        for place, number in enumerate(wanted, 1):
            try:
                results.append(work(number))
            except QmsError as exc:
                # What is wrong with one form must not keep the others from being made.
                refused.append((number, exc))
            progress(place, len(wanted))
    findings = tuple(check()) if check is not None else ()
    if refused and len(wanted) == 1:
        error = refused[0][1]
        error.findings = findings or error.findings
        raise error
    _show(out, results, refused, findings)
    out.document(
        {
            "forms": [
                {
                    "number": result.number,
                    "title": result.title,
                    "revision": result.revision.text,
                    "digest": result.digest.text,
                    "changed": result.changed,
                    "kept": result.kept,
                }
                for result in results
            ],
            "refused": [
                {"number": number, "code": error.code, "message": out.text(error.message), "where": error.where}
                for number, error in refused
            ],
            "findings": [out.finding_data(finding) for finding in findings],
        }
    )
    return 1 if refused or any(finding.gravity is Gravity.ERROR for finding in findings) else 0


def _show(
    out: Output,
    results: Sequence[ScaffoldResult],
    refused: Sequence[tuple[str, QmsError]],
    findings: Sequence[Finding],
) -> None:
    for result in results:
        state = T("已生成") if result.changed else T("没有变化")
        out.line(
            T(
                "{number} {title} {revision}：{state}",
                number=result.number,
                title=result.title,
                revision=result.revision,
                state=state,
            )
        )
        if result.kept:
            out.line(T("    原模板另存为 {path}", path=result.kept))
    for _number, error in refused:
        out.line(error.message)
        if error.hint is not None:
            out.line(T("    → {hint}", hint=error.hint))
    out.findings(findings)
