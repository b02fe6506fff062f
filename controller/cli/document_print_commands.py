"""命令 `qms doc print`. Prints a document with its status on every page, or all bound as one; approves the set."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller.cli.commands import M, acting, command, option
from controller.cli.files import read_bytes, write_output
from controller.cli.questions import agreed
from controller.domain.errors import RefusedError
from controller.domain.print_stamp import StampKind
from controller.domain.procedure_print import CLASS_NAMES
from controller.domain.text import T

if TYPE_CHECKING:
    from controller.bootstrap import Application
    from controller.cli.main import Session
    from controller.cli.output import Output
    from controller.domain.document_set import SetStanding
    from controller.domain.identifiers import Digest
    from controller.domain.print_stamp import PrintStamp
    from controller.domain.text import Text
    from controller.services.document_prints import DocumentCopy
    from controller.services.signing_ports import Signer

_FILE = click.Path(path_type=Path, dir_okay=False)
_PDF_LIMIT = 512 * 1024 * 1024
_NAMED = 12
"""Documents that a warning names one by one."""


class PrintOptionsError(RefusedError):
    """打印选项不能同用. Two options of a print contradict each other, or the number is missing."""

    code = "print-options"

    def __init__(self, *, problem: Text) -> None:
        super().__init__(T("{problem}。", problem=problem), hint=T("用 qms doc print --help 查看用法。"))


@command("print", M("打印一份文件，每页注明受控状态；或打印体系文件汇编（--set）。"))
@click.argument("number", metavar="[NUMBER]", required=False)
@option("--out", "target", type=_FILE, required=True, help=M("输出文件。"))
@option("--pdf", is_flag=True, help=M("输出 pdf（默认按文件名）。"))
@option("--revision", metavar="REV", help=M("打印指定版本；已被替代的版本标“作废”，待生效的标“未生效”。"))
@option("--draft", is_flag=True, help=M("打印正在修改的草稿，标“草案”。"))
@option("--training", is_flag=True, help=M("培训用，标“培训用”。"))
@option("--signed", is_flag=True, help=M("输出带签署页的 pdf 原件，不加标识，含现有全部有效签名，缺的显示“待签”。"))
@option("--set", "whole_set", is_flag=True, help=M("打印体系文件汇编：封面、发布令、目录、修订页和全部现行文件。"))
@option("--class", "classes", metavar="CLASS", multiple=True, help=M("汇编只收一类：程序、制度、职责或手册；可重复。"))
@option("--documents", "numbers", metavar="N", multiple=True, help=M("汇编只收指定的文件；可重复。"))
@option("--edition", metavar="REV", help=M("汇编的版次（默认：最近批准的版次，没有则 A/0）。"))
@option("--force", is_flag=True, help=M("文件已存在时覆盖。"))
@acting
@click.pass_obj
def print_(
    session: Session,
    number: str | None,
    target: Path,
    *,
    pdf: bool,
    revision: str | None,
    draft: bool,
    training: bool,
    signed: bool,
    whole_set: bool,
    classes: tuple[str, ...],
    numbers: tuple[str, ...],
    edition: str | None,
    force: bool,
) -> int:
    selecting = bool(classes or numbers or edition)
    if whole_set != (number is None) or (selecting and not whole_set):
        raise PrintOptionsError(problem=T("请写明一份文件的编号，或用 --set 打印汇编，二者择一"))
    if (signed and (revision or draft or training or classes or numbers)) or (draft and (revision or training)):
        raise PrintOptionsError(
            problem=T("这些选项不能同用：--signed 是签署的原件，--draft 是草稿，都不能再选版本或用途")
        )
    if number is None:
        if revision or draft:
            raise PrintOptionsError(problem=T("汇编只收现行文件，不能与 --revision、--draft 同用"))
        if signed:
            return _print_signed_set(session, target, edition=edition, force=force)
        return _print_set(session, target, classes, numbers, edition=edition, training=training, force=force)
    out, application = session.output, session.application
    signer = application.person(session.person)
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

    told = _stamp_data(stamp) | {"file": str(target)}
    if as_pdf:
        made, pages, engine = _pdf(application, copy, lacking)
        if not engine:
            prints = application.document_prints
            stamp = prints.stamp(prints.dated(copy), signer.signatory.name)
        write_output(target, application.pdf_stamping.stamped(made, stamp), force=force, before=note)
        if engine:
            out.line(T("已生成 {file}（{pages} 页，{engine}）。", file=target, pages=pages, engine=engine))
        else:
            out.line(T("已生成 {file}（{pages} 页，签署件的副本）。", file=target, pages=pages))
        told |= {"pages": pages, "engine": engine, "copy_of_signed": not engine}
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
    """Return the PDF of a copy, its pages and engine; where all have signed, the signed PDF and no engine."""
    if copy.kind is not StampKind.DRAFT and lacking is None:
        signing = application.signing_on(copy.library.files)
        standing = signing.standing(copy.number)
        if standing.complete and any(item.counts and item.paper is None for item in standing.signatures):
            from controller.file_formats.pdf_text import pdf_page_count

            signed = signing.shown(copy.number)
            return signed, pdf_page_count(signed), ""
    docx = application.document_prints.docx(copy, notice=str(lacking) if lacking is not None else "")
    made = application.printing.print(docx)
    return made.data, made.pages, made.engine


def stamp_facts(stamp: PrintStamp) -> dict[str, str]:
    """Return what the audit trail says of a marked copy."""
    facts = {"stamp": stamp.kind.label, "revision": stamp.revision}
    return facts | ({"valid_until": stamp.valid_until.isoformat()} if stamp.valid_until is not None else {})


def say_stamp(out: Output, stamp: PrintStamp) -> None:
    """Say what every page of the copy says."""
    if stamp.kind is StampKind.UNCONTROLLED and stamp.valid_until is not None:
        out.line(T("每页标识：非受控，有效至 {day}。", day=stamp.valid_until))
    else:
        out.line(T("每页标识：{ribbon}", ribbon=stamp.ribbon))


def _stamp_data(stamp: PrintStamp) -> dict[str, Any]:
    until = stamp.valid_until
    return {
        "number": stamp.number,
        "revision": stamp.revision,
        "kind": stamp.kind.value,
        "valid_until": until.isoformat() if until is not None else None,
    }


# -- the set ---------------------------------------------------------------------------------------------------


def _print_set(
    session: Session,
    target: Path,
    classes: tuple[str, ...],
    numbers: tuple[str, ...],
    *,
    edition: str | None,
    training: bool,
    force: bool,
) -> int:
    out, application = session.output, session.application
    signer = application.person(session.person)
    _check_pdf(target)
    sets = application.document_sets
    standing = sets.standing(edition)
    chosen = sets.documents(classes=classes, numbers=numbers) if classes or numbers else list(standing.documents)
    selection = "、".join([*(CLASS_NAMES.get(word, word) for word in classes), *(["指定文件"] if numbers else [])])
    with out.progress(T("打印")) as progress:
        made = sets.pdf(standing, documents=chosen, selection=selection, progress=progress)
    stamp = application.document_prints.set_stamp(standing, signer.signatory.name, training=training)
    facts = stamp_facts(stamp) | {"format": "pdf", "documents": str(len(chosen))}

    def note(shown: Digest) -> None:
        application.trail.printed(signer, standing.number, shown, facts=facts)

    write_output(target, application.pdf_stamping.stamped(made.data, stamp), force=force, before=note)
    out.line(
        T(
            "已生成 {file}：汇编 {number} {edition}，{count} 份文件，{pages} 页。",
            file=target,
            number=standing.number,
            edition=standing.edition,
            count=len(chosen),
            pages=made.pages,
        )
    )
    out.line(T("{standing}。", standing=standing.explain()))
    say_stamp(out, stamp)
    told = set_data(standing, out) | _stamp_data(stamp) | {"pages": made.pages, "engine": made.engine}
    out.document(told | {"file": str(target), "documents": [item.number for item in chosen]})
    return 0


def _print_signed_set(session: Session, target: Path, *, edition: str | None, force: bool) -> int:
    out, application = session.output, session.application
    signer = application.person(session.person)
    _check_pdf(target)
    with out.progress(T("打印")) as progress:
        standing, pdf, _ = application.set_approving.shown(edition, progress=progress)
    facts = {"format": "pdf", "revision": standing.edition, "signatures": "1" if standing.approval else "0"}

    def note(shown: Digest) -> None:
        application.trail.printed(signer, standing.number, shown, facts=facts)

    write_output(target, pdf, force=force, before=note)
    out.line(T("已生成 {file}。", file=target))
    out.line(T("{standing}。", standing=standing.explain()))
    out.document(set_data(standing, out) | {"file": str(target), "digest": _digest(pdf).text})
    return 0


@command("approve-set", M("批准体系文件汇编：一次签署，列明全部文件的版本和摘要。"))
@option("--edition", metavar="REV", required=True, help=M("批准的版次，例如 A/0。"))
@option("--reason", metavar="TEXT", help=M("签署理由。"))
@option(
    "--seen", type=_FILE, help=M("您看过的 PDF（由 qms doc print --set --signed 生成）；与将要签署的不一致时拒绝签署。")
)
@acting
@click.pass_obj
def approve_set(session: Session, edition: str, reason: str | None, seen: Path | None) -> int:
    application, out = session.application, session.output
    signer = application.person(session.person)
    looked_at = _digest(read_bytes(seen, limit=_PDF_LIMIT)) if seen is not None else None
    with ExitStack() as printing:
        progress = printing.enter_context(out.progress(T("打印")))

        def show(standing: SetStanding, pdf: bytes) -> None:
            printing.close()  # no bar beside the question for the passphrase
            _show_set(session, standing, pdf, signer=signer, seen=seen)

        approving = application.set_approving
        done = approving.approve(edition, signer, reason=reason, seen=looked_at, show=show, progress=progress)
    statement, standing = done.filed.statement, done.standing
    out.line(
        T(
            "已批准汇编 {number} {edition}：{count} 份文件，{name}，{at}。",
            number=standing.number,
            edition=standing.edition,
            count=len(standing.documents),
            name=statement.by.name if statement.by is not None else "",
            at=statement.at,
        )
    )
    if not done.whole:
        out.line(T("汇编超过 10 MB：归档的是首部和文件摘要清单，正文以清单所列摘要为准。"))
    out.line(T("打印签署的原件：qms doc print --set --signed --out 汇编.pdf"))
    told = {"statement": done.filed.digest.text, "commit": done.filed.commit, "whole": done.whole, "size": done.size}
    out.document(set_data(standing, out) | told)
    return 0


def _show_set(session: Session, standing: SetStanding, pdf: bytes, *, signer: Signer, seen: Path | None) -> None:
    """Say what is about to be approved and lay the PDF out for reading, before the passphrase is asked for."""
    application, out = session.application, session.output
    shown = _digest(pdf)
    name = f"{standing.number}-{standing.edition.replace('/', '-')}-{shown.hex[:8]}.pdf"
    target = seen or application.local_folder / "待签" / name
    if seen is None and not (target.is_file() and target.read_bytes() == pdf):
        write_output(target, pdf, force=True)
    out.line(T("{name}将以“{meaning}”签署：", name=signer.signatory.name, meaning="批准"))
    out.line(
        T(
            "  汇编 {number} {edition}，{count} 份文件",
            number=standing.number,
            edition=standing.edition,
            count=len(standing.documents),
        )
    )
    for item in standing.documents:
        out.line(f"    {item.number} {item.revision} 《{item.title}》")
    out.line(T("  PDF：{file}", file=target))
    out.line(T("  PDF 摘要：{digest}", digest=shown.grouped))
    unsigned = application.set_approving.never_signed(standing)
    if unsigned:
        out.note(
            T(
                "注意：其中 {count} 份文件从未有人签署：{numbers}。批准汇编会一并批准它们。",
                count=len(unsigned),
                numbers=unsigned[:_NAMED],
            )
            if len(unsigned) <= _NAMED
            else T(
                "注意：其中 {count} 份文件从未有人签署：{numbers} 等。批准汇编会一并批准它们。",
                count=len(unsigned),
                numbers=unsigned[:_NAMED],
            )
        )
    if seen is None and not out.as_json and sys.stdin.isatty() and not agreed(out, T("已看过这份 PDF，签署？")):
        raise click.Abort


def set_data(standing: SetStanding, out: Output) -> dict[str, Any]:
    """Return how the set stands as data."""
    approval = standing.approval
    return {
        "set": standing.number,
        "edition": standing.edition,
        "approved": standing.counts,
        "changed": list(standing.changed),
        "approval": {
            "by": {"person": approval.by.person, "name": approval.by.name, "post": approval.by.post},
            "at": approval.at,
            "statement": approval.statement.text,
            "documents": len(approval.documents),
            "flaw": out.text(approval.flaw) if approval.flaw is not None else None,
        }
        if approval is not None
        else None,
    }


def _check_pdf(target: Path) -> None:
    if target.suffix.lower() != ".pdf":
        raise PrintOptionsError(problem=T("汇编只能输出为 pdf，请把输出文件命名为 .pdf"))


def _digest(data: bytes) -> Digest:
    from controller.domain.identifiers import Digest

    return Digest.of(data)
