"""命令 `qms doc import`. One document of a file, or a whole folder of old files: first a plan to edit, then the act."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller.cli.commands import M, acting, command, option
from controller.cli.document_view import control_data
from controller.cli.files import read_bytes, write_output
from controller.domain.errors import RefusedError
from controller.domain.text import T

if TYPE_CHECKING:
    from controller.cli.main import Session
    from controller.cli.output import Output
    from controller.services.legacy_import import LegacyImported, MappingText
    from controller.services.legacy_plan import LegacyPlan, PlannedDocument
    from controller.services.text_reading import ReadText

_NEW_FILE = click.Path(path_type=Path, dir_okay=False)
_REPORT_SUFFIXES = (".pdf", ".docx")


class ImportReportKindError(RefusedError):
    """导入报告格式不支持."""

    code = "import-report-kind-unknown"

    def __init__(self, *, name: str) -> None:
        super().__init__(T("导入报告不能写成“{name}”这种文件。", name=name), hint=T("文件名以 .pdf 或 .docx 结尾。"))


@command("import", M("导入一篇文件；或分两步导入整个旧文件夹：先生成对照表（--plan），核对后按表导入（--mapping）。"))
@click.argument("path", metavar="FILE_OR_DIR", type=click.Path(path_type=Path))
@option("--number", metavar="N", help=M("文件编号（默认：正文里写的编号）。"))
@option("--title", metavar="T", help=M("文件名称（默认：正文标题）。"))
@option("--class", "class_word", metavar="CLASS", help=M("文件类别：程序、制度、职责或手册（默认：按编号）。"))
@option("--revision", metavar="REV", help=M("版本（例如 B/1；默认：正文里写的版本，没有则 A/0）。"))
@option("--owner", metavar="DEPARTMENT", help=M("归口部门。"))
@option("--segment", type=click.IntRange(min=1), metavar="K", help=M("文件含多篇时，导入第几篇。"))
@option("--plan", type=_NEW_FILE, metavar="FILE", help=M("文件夹：读出全部旧文件，写出对照表（.yml），不导入。"))
@option("--report", type=_NEW_FILE, metavar="FILE", help=M("与 --plan 同用：把拿不准的地方写成报告（.pdf 或 .docx）。"))
@option("--mapping", type=_NEW_FILE, metavar="FILE", help=M("文件夹：按核对过的对照表导入，一次签名。"))
@option(
    "--scans",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help=M("与 --mapping 同用：原批准页扫描件所在的文件夹。"),
)
@option("--reason", metavar="TEXT", default="", help=M("与 --mapping 同用：导入的原因。"))
@option("--force", is_flag=True, help=M("对照表或报告已存在时覆盖。"))
@acting
@click.pass_obj
def import_(
    session: Session,
    path: Path,
    number: str | None,
    title: str | None,
    class_word: str | None,
    revision: str | None,
    owner: str | None,
    segment: int | None,
    plan: Path | None,
    report: Path | None,
    mapping: Path | None,
    scans: Path | None,
    reason: str,
    *,
    force: bool,
) -> int:
    from controller.services.document_import import ImportOrder

    out = session.output
    single = {
        "--number": number, "--title": title, "--class": class_word, "--revision": revision, "--owner": owner,
        "--segment": segment,
    }  # fmt: skip
    whole = {"--plan": plan, "--report": report, "--mapping": mapping, "--scans": scans, "--reason": reason or None}
    if path.is_dir():
        _only(out, single, T("导入文件夹时不能用 {names}；在对照表里写。", names=_given(single)))
        if (plan is None) == (mapping is None):
            raise click.UsageError(
                out.text(T("导入文件夹分两步：先 --plan 对照表.yml，核对后再 --mapping 对照表.yml。"))
            )
        if plan is not None:
            later = {"--scans": scans, "--reason": reason or None}
            _only(out, later, T("{names} 与 --mapping 同用。", names=_given(later)))
            return _plan(session, path, plan, report, force=force)
        _only(out, {"--report": report}, T("--report 与 --plan 同用。"))
        assert mapping is not None
        return _import_mapped(session, path, mapping, scans, reason)
    _only(out, whole, T("{names} 用于导入文件夹。", names=_given(whole)))
    order = ImportOrder(
        number=number, title=title, class_word=class_word, owner=owner, segment=segment, revision=revision
    )
    return _import_one(session, path, order, revision=revision)


def _given(options: dict[str, Any]) -> list[object]:
    return [name for name, value in options.items() if value is not None]


def _only(out: Output, options: dict[str, Any], message: Any) -> None:
    if _given(options):
        raise click.UsageError(out.text(message))


# -- one document ----------------------------------------------------------------------------------------------


def _read(file: Path) -> ReadText:
    from controller.bootstrap import read_document_file
    from controller.services.text_reading import MAX_BYTES

    return read_document_file(read_bytes(file, limit=MAX_BYTES), name=file.name)


def _import_one(session: Session, file: Path, order: Any, *, revision: str | None) -> int:
    out = session.output
    application = session.application
    by = application.person(session.person)
    done = application.document_import.import_document(_read(file), order, by=by)
    out.line(
        T(
            "已导入 {number}《{title}》，{count} 条。",
            number=done.document.number,
            title=done.document.title,
            count=done.clauses,
        )
    )
    given = done.document.revision
    if revision is not None or done.stated is None:
        out.line(T("版本 {revision}。", revision=given))
    elif done.stated.upper().startswith(given.text):
        out.line(T("版本 {revision}（正文所写）。", revision=given))
    else:
        out.line(
            T(
                "正文写的版本“{stated}”不是 A/0 这样的写法，按 {revision} 导入；可用 --revision 指明。",
                stated=done.stated,
                revision=given,
            )
        )
    out.findings(done.findings)
    out.line(T("查看：qms doc show {number}", number=done.document.number))
    out.document(
        control_data(done.document)
        | {
            "clauses": done.clauses,
            "commit": done.commit,
            "findings": [out.finding_data(item) for item in done.findings],
        }
    )
    return 0


# -- a folder: the plan ----------------------------------------------------------------------------------------


def _plan(session: Session, path: Path, target: Path, report: Path | None, *, force: bool) -> int:
    from controller.adapters.finished_file import FileExistsRefusedError
    from controller.adapters.legacy_folder import FolderOfFiles
    from controller.file_formats.mapping_file import write_mapping

    out, application = session.output, session.application
    for file in (target, report):
        if file is not None and file.exists() and not force:
            raise FileExistsRefusedError(path=file)
    if report is not None and report.suffix.lower() not in _REPORT_SUFFIXES:
        raise ImportReportKindError(name=report.name)
    with out.progress(T("正在读取旧文件")) as progress:
        found = application.legacy_planning.plan(FolderOfFiles(path), progress=progress)
    text = write_mapping(found.entries(out.text), folder=found.folder)
    _show_plan(out, found)
    write_output(target, text.encode("utf-8"), force=force)
    out.line(T("对照表：{file}", file=target))
    if report is not None:
        pdf = report.suffix.lower() == ".pdf"
        write_output(report, application.legacy_report(found, pdf=pdf, translate=out.text), force=force)
        out.line(T("报告：{file}", file=report))
    out.line(
        T("请逐项核对对照表，再运行：qms doc import {folder} --mapping {file} --reason 原因", folder=path, file=target)
    )
    out.document(
        {
            "folder": found.folder,
            "files": found.files,
            "mapping": str(target),
            "report": str(report) if report is not None else None,
            "documents": [_planned_data(item, out) for item in found.documents],
            "findings": [out.finding_data(item) for item in found.findings],
        }
    )
    return 1 if found.refused else 0


def _show_plan(out: Output, plan: LegacyPlan) -> None:
    out.table(
        [T("来源"), T("原编号"), T("编号"), T("名称"), T("版本"), T("条款"), T("导入"), T("拿不准")],
        [
            [
                item.document.place,
                item.document.number or "",
                item.proposal.number,
                item.proposal.title,
                item.proposal.revision,
                item.document.clauses,
                T("是") if item.proposal.wanted else T("否"),
                len(item.unsure),
            ]
            for item in plan.documents
        ],
    )
    if plan.findings:
        out.line()
        out.findings(plan.findings)
    out.line()
    out.line(
        T(
            "看了 {files} 个文件，{refused} 个没有读入；找到 {found} 篇，建议导入 {wanted} 篇。",
            files=plan.files,
            refused=len(plan.refused),
            found=len(plan.documents),
            wanted=plan.wanted,
        )
    )


def _planned_data(item: PlannedDocument, out: Output) -> dict[str, Any]:
    document, proposal = item.document, item.proposal
    steps = {"drafted": proposal.drafted, "reviewed": proposal.reviewed, "approved": proposal.approved}
    return {
        "source": document.source,
        "part": document.part,
        "first_line": document.first_line,
        "last_line": document.last_line,
        "clauses": document.clauses,
        "import": proposal.wanted,
        "number": proposal.number,
        "former_number": proposal.former_number,
        "title": proposal.title,
        "revision": proposal.revision,
        "former_revision": proposal.former_revision,
        "class": proposal.class_word,
        "owner": proposal.owner,
        "effective": proposal.effective,
        "history": [
            {"revision": row.revision, "date": row.date, "clauses": row.clauses, "reason": row.reason, "by": row.by}
            for row in proposal.history
        ],
        "forms": list(proposal.forms),
        "cites": list(document.cites),
        "former_block": list(document.former_block),
        "sure": list(document.sure),
        "unsure": [out.finding_data(finding) for finding in item.unsure],
    } | {key: {"name": step.name, "date": step.date} if step else None for key, step in steps.items()}


# -- a folder: the act -----------------------------------------------------------------------------------------


def _import_mapped(session: Session, path: Path, mapping: Path, scans: Path | None, reason: str) -> int:
    from controller.adapters.legacy_folder import FolderOfFiles

    out, application = session.output, session.application
    by = application.person(session.person)
    wanted = _mapping(mapping)
    with out.progress(T("正在核对旧文件")) as progress:
        done = application.legacy_import.import_mapped(
            FolderOfFiles(path),
            wanted,
            scans=FolderOfFiles(scans) if scans is not None else None,
            reason=reason,
            by=by,
            progress=progress,
        )
    _tell(out, done)
    return 0


def _mapping(file: Path) -> MappingText:
    from controller.domain.identifiers import Digest
    from controller.file_formats.mapping_file import read_mapping
    from controller.file_formats.text_encoding import utf8_text
    from controller.file_formats.yaml_text import MAX_BYTES
    from controller.services.legacy_import import MappingText

    data = read_bytes(file, limit=MAX_BYTES)
    return MappingText(file.name, Digest.of(data), read_mapping(utf8_text(data, where=file.name), where=file.name))


def _tell(out: Output, done: LegacyImported) -> None:
    for document in done.documents:
        told = document.told_elsewhere or (T("系统外批准") if document.number.text in done.elsewhere else "")
        out.line(
            T(
                "已导入 {number}《{title}》{revision}  {elsewhere}",
                number=document.number,
                title=document.title,
                revision=document.revision,
                elsewhere=told,
            )
        )
    out.line(
        T(
            "共导入 {count} 份，一次签名；其中 {elsewhere} 份登记为系统外批准（扫描件 {scans} 个），{left} 项未导入。",
            count=len(done.documents),
            elsewhere=len(done.elsewhere),
            scans=done.scans,
            left=done.left,
        )
    )
    out.document(
        {
            "documents": [control_data(item) for item in done.documents],
            "elsewhere": sorted(done.elsewhere),
            "scans": done.scans,
            "left": done.left,
            "commit": done.commit,
        }
    )
