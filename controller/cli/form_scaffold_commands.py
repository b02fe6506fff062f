"""命令 `qms form scaffold` 和 `qms form compile`. Makes a form's Word template, and takes in a restyled one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from controller.cli.commands import M, command, option
from controller.domain.errors import RefusedError
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from controller.cli.main import Session
    from controller.services.form_scaffolding import FormScaffolding, ScaffoldResult


@command("scaffold", M("按表单定义和公司版式生成 Word 模板（form.docx）并编译。手工改过的模板不会被覆盖。"))
@click.argument("numbers", metavar="[NUMBER]...", nargs=-1)
@option("--all", "every", is_flag=True, help=M("全部表单。"))
@option("--force", is_flag=True, help=M("手工改过的模板也重新生成；原文件另存一份。"))
@click.pass_obj
def scaffold(session: Session, numbers: tuple[str, ...], every: bool, force: bool) -> int:
    service = session.application.form_scaffolding
    return _run(session, service, numbers, every, lambda number: service.scaffold(number, force=force))


@command("compile", M("编译在 Word 中改过的模板，并检查其中的名称与表单定义一致。"))
@click.argument("numbers", metavar="[NUMBER]...", nargs=-1)
@option("--all", "every", is_flag=True, help=M("全部表单。"))
@click.pass_obj
def compile_forms(session: Session, numbers: tuple[str, ...], every: bool) -> int:
    service = session.application.form_scaffolding
    return _run(session, service, numbers, every, service.compile)


def _run(
    session: Session,
    service: FormScaffolding,
    numbers: Sequence[str],
    every: bool,
    work: Callable[[str], ScaffoldResult],
) -> int:
    out = session.output
    known = service.numbers()
    wanted = known if every else [resolve(number, known) for number in numbers]
    if not wanted:
        raise click.UsageError(out.text(T("请写出表单编号，或用 --all。")))
    results: list[ScaffoldResult] = []
    refused: list[RefusedError] = []
    with out.progress(T("生成表单")) as progress:
        for place, number in enumerate(wanted, 1):
            try:
                results.append(work(number))
            except RefusedError as exc:
                # One restyled template must not keep the others from being made; alone, it is the answer.
                if len(wanted) == 1:
                    raise
                refused.append(exc)
            progress(place, len(wanted))
    for result in results:
        state = T("已生成") if result.changed else T("没有变化")
        out.line(T("{number} {title}:{state}", number=result.number, title=result.title, state=state))
        if result.kept:
            out.line(T("    原模板另存为 {path}", path=result.kept))
    for error in refused:
        out.line(error.message)
        if error.hint is not None:
            out.line(T("    → {hint}", hint=error.hint))
    out.document(
        {
            "forms": [
                {
                    "number": result.number,
                    "title": result.title,
                    "digest": result.digest.text,
                    "changed": result.changed,
                    "kept": result.kept,
                }
                for result in results
            ],
            "refused": [{"code": error.code, "where": error.where} for error in refused],
        }
    )
    return 1 if refused else 0


def resolve(wanted: str, known: Sequence[str]) -> str:
    """Return the form number that `wanted` means: a number or a short number such as `JL-018`.

    Raises:
        UnknownFormError: none is meant.
    """
    from controller.domain.identifiers import DocumentNumber
    from controller.services.form_library import UnknownFormError

    for number in known:
        if wanted.strip().upper() in {number, DocumentNumber(number).short}:
            return number
    raise UnknownFormError(number=wanted, known=known)
