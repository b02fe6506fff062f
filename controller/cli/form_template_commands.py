"""命令 `qms form blank` 和 `qms form compile`. Blank forms to print, and templates restyled in Word brought in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller.cli.commands import M, command, option
from controller.cli.files import write_output
from controller.domain.conformity import Gravity
from controller.domain.text import T

if TYPE_CHECKING:
    from controller.cli.main import Session
    from controller.domain.conformity import Finding


@command("blank", M("生成空白表,供打印后手写。NUMBER 可写编号、简号或名称。"))
@click.argument("number", metavar="NUMBER")
@option("--out", "target", type=click.Path(path_type=Path), metavar="FILE", required=True, help=M("输出文件。"))
@option("--pdf", is_flag=True, help=M("生成 PDF(文件名以 .pdf 结尾时自动生成)。"))
@option("--force", is_flag=True, help=M("覆盖已有的文件。"))
@click.pass_obj
def blank(session: Session, number: str, target: Path, *, pdf: bool, force: bool) -> None:
    application, out = session.application, session.output
    package = application.forms.package(number)
    data = application.renderer.render(package, None)
    form = package.definition
    shown: dict[str, Any] = {"form": form.number.text, "revision": form.revision.text, "file": str(target)}
    if pdf or target.suffix.lower() == ".pdf":
        document = application.printing.print(data)
        write_output(target, document.data, force=force)
        shown |= {"pages": document.pages, "engine": document.engine}
    else:
        write_output(target, data, force=force)
    out.line(T("已生成空白表 {title}({number} {revision}):{file}", title=form.title, number=form.number,
               revision=form.revision, file=target))  # fmt: skip
    out.document(shown)


@command(
    "compile", M("把工作目录里的 form.yml 和 form.docx 编译成可填写的表单(默认全部)。有错误的表单保持原样,退出码为 1。")
)
@click.argument("numbers", metavar="[NUMBER]...", nargs=-1)
@click.pass_obj
def compile_forms(session: Session, numbers: tuple[str, ...]) -> int:
    from controller.cli.form_commands import known_form
    from controller.services.form_library import FORMS_FOLDER

    application, out = session.application, session.output
    known = application.form_inspection(working=True).numbers()
    wanted = [known_form(number, known) for number in numbers] or known
    compiling = application.form_compiling()
    findings: list[Finding] = []
    written: list[str] = []
    with out.progress(T("编译表单")) as progress:
        for position, number in enumerate(wanted, 1):
            result = compiling.compile_written(number)
            findings += result.findings
            if result.compiled is not None and result.changed:
                target = application.folder / FORMS_FOLDER / number / "compiled.json"
                write_output(target, result.compiled, force=True)
                written.append(number)
            progress(position, len(wanted))
    failed = {finding.subject for finding in findings if finding.gravity is Gravity.ERROR}
    out.findings(findings)
    unchanged = len(wanted) - len(written) - len(failed)
    out.line(
        T(
            "编译了 {count} 张表单,{unchanged} 张没有变化,{failed} 张有错误。",
            count=len(written),
            unchanged=unchanged,
            failed=len(failed),
        )
    )
    out.document(
        {
            "compiled": written,
            "unchanged": [number for number in wanted if number not in written and number not in failed],
            "findings": [out.finding_data(finding) for finding in findings],
        }
    )
    return 1 if failed else 0
