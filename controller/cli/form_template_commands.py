"""命令 `qms form blank`. Blank forms, to be printed and filled by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller.cli.commands import M, acting, command, option
from controller.cli.files import write_output
from controller.cli.form_commands import known_form
from controller.domain.text import T

if TYPE_CHECKING:
    from controller.cli.main import Session
    from controller.domain.identifiers import Digest


@command("blank", M("生成空白表，供打印后手写。NUMBER 可写编号、简号或名称。"))
@click.argument("number", metavar="NUMBER")
@option("--out", "target", type=click.Path(path_type=Path), metavar="FILE", required=True, help=M("输出文件。"))
@option("--pdf", is_flag=True, help=M("生成 PDF（文件名以 .pdf 结尾时自动生成）。"))
@option("--working", is_flag=True, help=M("用文件夹里现在的文件生成，采用之前先看样子。"))
@option("--force", is_flag=True, help=M("覆盖已有的文件。"))
@acting
@click.pass_obj
def blank(session: Session, number: str, target: Path, *, pdf: bool, working: bool, force: bool) -> None:
    application, out = session.application, session.output
    signer = None if working else application.person(session.person)
    if working:
        scaffolding = application.form_scaffolding
        package = scaffolding.preview(known_form(number, scaffolding.numbers()))
    else:
        package = application.forms.package(number)
    docx = application.renderer.render(package, None)
    form = package.definition
    shown: dict[str, Any] = {"form": form.number.text, "revision": form.revision.text, "file": str(target)}
    as_pdf = pdf or target.suffix.lower() == ".pdf"
    facts = {"revision": form.revision.text, "format": "pdf" if as_pdf else "docx"}

    def note(digest: Digest) -> None:
        if signer is not None:  # a look at what is not in force is no controlled blank
            application.trail.printed(signer, form.number.text, digest, facts=facts)

    if as_pdf:
        document = application.printing.print(docx)
        write_output(target, document.data, force=force, before=note)
        shown |= {"pages": document.pages, "engine": document.engine}
    else:
        write_output(target, docx, force=force, before=note)
    told = T("{title}({number} {revision})", title=form.title, number=form.number, revision=form.revision)
    out.line(T("已生成空白表 {form}：{file}", form=told, file=target))
    out.document(shown)
