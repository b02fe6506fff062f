"""命令 `qms doc print`. Prints a document with its status on every page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller.cli.commands import M, acting, command, option
from controller.cli.files import write_output
from controller.domain.errors import RefusedError
from controller.domain.print_stamp import StampKind
from controller.domain.text import T

if TYPE_CHECKING:
    from controller.bootstrap import Application
    from controller.cli.main import Session
    from controller.cli.output import Output
    from controller.domain.identifiers import Digest
    from controller.domain.print_stamp import PrintStamp
    from controller.domain.text import Text
    from controller.services.document_prints import DocumentCopy

_FILE = click.Path(path_type=Path, dir_okay=False)


class PrintOptionsError(RefusedError):
    """打印选项不能同用. Two options of a print contradict each other, or the number is missing."""

    code = "print-options"

    def __init__(self, *, problem: Text) -> None:
        super().__init__(T("{problem}。", problem=problem), hint=T("用 qms doc print --help 查看用法。"))


@command("print", M("打印一份文件，每页注明受控状态。"))
@click.argument("number", metavar="NUMBER")
@option("--out", "target", type=_FILE, required=True, help=M("输出文件。"))
@option("--pdf", is_flag=True, help=M("输出 pdf（默认按文件名）。"))
@option("--revision", metavar="REV", help=M("打印指定版本；已被替代的版本标“作废”，待生效的标“未生效”。"))
@option("--draft", is_flag=True, help=M("打印正在修改的草稿，标“草案”。"))
@option("--training", is_flag=True, help=M("培训用，标“培训用”。"))
@option("--signed", is_flag=True, help=M("输出带签署页的 pdf 原件，不加标识，含现有全部有效签名，缺的显示“待签”。"))
@option("--force", is_flag=True, help=M("文件已存在时覆盖。"))
@acting
@click.pass_obj
def print_(
    session: Session,
    number: str,
    target: Path,
    *,
    pdf: bool,
    revision: str | None,
    draft: bool,
    training: bool,
    signed: bool,
    force: bool,
) -> int:
    out, application = session.output, session.application
    signer = application.person(session.person)
    if signed and (revision or draft or training):
        raise PrintOptionsError(problem=T("--signed 是签署的原件，不能与 --revision、--draft、--training 同用"))
    if draft and (revision or training):
        raise PrintOptionsError(problem=T("--draft 不能与 --revision、--training 同用"))
    if signed:
        from controller.cli.signing_commands import print_signed

        number = application.documents.resolve(number)
        return print_signed(application, out, signer, number, target, force=force)
    copy = application.document_prints.find(number, revision=revision, draft=draft, training=training)
    lacking = application.document_signing.lacking(copy.number) if copy.in_force else None
    stamp = application.document_prints.stamp(copy, signer.signatory.name)
    as_pdf = pdf or target.suffix.lower() == ".pdf"
    facts = stamp_facts(stamp) | {"format": "pdf" if as_pdf else "docx"}

    def note(shown: Digest) -> None:
        application.trail.printed(signer, copy.number, shown, facts=facts)

    told: dict[str, Any] = {"number": copy.number, "revision": copy.revision, "file": str(target)}
    told |= {"kind": stamp.kind.value, "valid_until": stamp.valid_until.isoformat() if stamp.valid_until else None}
    if as_pdf:
        made, pages, engine = _pdf(application, copy, lacking)
        write_output(target, application.pdf_stamping.stamped(made, stamp), force=force, before=note)
        out.line(T("已生成 {file}（{pages} 页，{engine}）。", file=target, pages=pages, engine=engine))
        told |= {"pages": pages, "engine": engine}
    else:
        made = application.document_prints.docx(copy, notice=str(lacking) if lacking is not None else "")
        write_output(target, application.docx_stamping.stamped(made, stamp), force=force, before=note)
        out.line(T("已生成 {file}。", file=target))
    say_stamp(out, stamp)
    out.document(told | ({"notice": out.text(lacking)} if lacking is not None else {}))
    if lacking is not None:
        out.note(T("注意：{number} {problem}；打印件上已注明。", number=copy.number, problem=lacking))
    return 0


def _pdf(application: Application, copy: DocumentCopy, lacking: Text | None) -> tuple[bytes, int, str]:
    """Return the PDF of a copy, its pages and engine; where all have signed, a copy of the signed PDF."""
    if copy.in_force and lacking is None:
        signing = application.document_signing
        standing = signing.standing(copy.number)
        if standing.complete and any(item.counts and item.paper is None for item in standing.signatures):
            from controller.file_formats.pdf_text import pdf_page_count

            signed = signing.shown(copy.number)
            return signed, pdf_page_count(signed), "PAdES"
    docx = application.document_prints.docx(copy, notice=str(lacking) if lacking is not None else "")
    made = application.printing.print(docx)
    return made.data, made.pages, made.engine


def stamp_facts(stamp: PrintStamp) -> dict[str, str]:
    """Return what the audit trail says of a marked copy."""
    facts = {"kind": stamp.kind.value, "revision": stamp.revision}
    return facts | ({"valid_until": stamp.valid_until.isoformat()} if stamp.valid_until is not None else {})


def say_stamp(out: Output, stamp: PrintStamp) -> None:
    """Say what every page of the copy says."""
    if stamp.kind is StampKind.UNCONTROLLED and stamp.valid_until is not None:
        out.line(T("每页标识：非受控，有效至 {day}。", day=stamp.valid_until))
    else:
        out.line(T("每页标识：{ribbon}", ribbon=stamp.ribbon))
