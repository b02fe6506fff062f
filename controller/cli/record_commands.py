"""命令 `qms record`. Fill, import, show and print records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller.cli.commands import M, acting, group, option
from controller.cli.files import write_output
from controller.cli.record_finding_commands import browse, list_, search
from controller.domain.identifiers import RecordNumber
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.cli.main import Session
    from controller.cli.output import Output
    from controller.domain.identifiers import Digest
    from controller.domain.record import Wire
    from controller.services.personal_signer import PersonalSigner
    from controller.services.record_filing import Filed

_PAPER = "controller.cli.paper_commands"
_LAZY = {
    "sheet": (f"{_PAPER}:record_sheet", M("打印一份记录的纸质签署单（含摘要和二维码），供亲笔签名、盖章。")),
    "paper": (f"{_PAPER}:record_paper", M("归档纸质签名的扫描件，或拒签、无法取得的原因。")),
}


@group("record", M("质量记录：填写、导入、查看、打印、检索。"), lazy=_LAZY)
def record() -> None:
    pass


for _finding in (list_, search, browse):
    record.add_command(_finding)


_VALUES = option(
    "--values",
    "values_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help=M("填写内容的文件（.yml、.json），字段名或中文名称都可以。"),
)
_NUMBER_SHOWN = 60
_UNMASK = option("--unmask", is_flag=True, help=M("显示敏感个人信息（限签名规则指定的岗位，本机须存有记录密钥）。"))


_SET = option(
    "--set",
    "settings",
    metavar="FIELD=VALUE",
    multiple=True,
    help=M("填写一个字段，可写多次；字段写键名或中文名称，多选用、分开；与 --values 同用时以此为准。"),
)


@record.command("new", help=M("填写一份新记录并归档，编号由系统给出。"))
@click.argument("form", metavar="FORM")
@_VALUES
@_SET
@option("--stage", metavar="STAGE", help=M("直接登记到哪个阶段（默认：第一个阶段）。"))
@option("--entered-for", metavar="NAME", help=M("代录时写明替谁录入。"))
@acting
@click.pass_obj
def new(
    session: Session,
    form: str,
    values_file: Path | None,
    settings: Sequence[str],
    stage: str | None,
    entered_for: str | None,
) -> int:
    from controller.cli.record_entering import Entering, at_terminal, given_values
    from controller.services.record_filing import OpeningAct
    from controller.services.stage_control import check_opening, find_stage

    application, out = session.application, session.output
    by = application.person(session.person)
    definition = application.forms.definition(form)
    given = given_values(values_file, settings, definition, out)

    def act_with(files: dict[str, bytes]) -> OpeningAct:
        return OpeningAct(by=by, stage=stage, entered_for=entered_for, files=files)

    def file(values: dict[str, Any], files: dict[str, bytes]) -> Filed:
        return application.filing.open(definition.number.text, values, act_with(files))

    def preview(values: dict[str, Any], files: dict[str, bytes]) -> Mapping[str, Wire]:
        return application.filing.prepare(definition.number.text, values, act_with(files)).values

    if values_file is None and at_terminal(out):
        target = find_stage(definition, stage)
        check_opening(definition, target, by.signatory, application.staff)
        application.training_gate.check(definition, definition.title, by.signatory)
        entering = Entering(application, out, definition, stage=target, given=given)
        out.line(f"《{definition.title}》{definition.number} {definition.revision}")
        if definition.note:
            out.line(definition.note)
        entering.ask_missing()
        filed = entering.file(file, preview=preview)
    else:
        _check_given(values_file, settings, out)
        filed = file(*given)
    label = application.stage_label(filed.state)
    _show_filed(out, filed, T("已归档：{number}，阶段：{stage}", number=filed.number, stage=label))
    return 0


@record.command("advance", help=M("补充内容，或把记录推进到下一阶段。"))
@click.argument("number")
@_VALUES
@_SET
@option("--stage", metavar="STAGE", help=M("推进到哪个阶段；不写则只补充内容。"))
@acting
@click.pass_obj
def advance(session: Session, number: str, values_file: Path | None, settings: Sequence[str], stage: str | None) -> int:
    from controller.cli.record_entering import Entering, at_terminal, given_values
    from controller.services.stage_control import check_move, find_stage

    application, out = session.application, session.output
    by = application.person(session.person)
    wanted = RecordNumber(number)
    asking = values_file is None and stage is not None and at_terminal(out)
    stored = application.records.read(wanted, unmask=asking)
    definition = stored.package.definition
    given = given_values(values_file, settings, definition, out)

    def file(values: dict[str, Any], files: dict[str, bytes]) -> Filed:
        return application.records.advance(wanted, values, by, stage=stage, files=files)

    if asking and not stored.state.voided:
        target = find_stage(definition, stage)
        check_move(definition, wanted.text, stored.state.stage, target, by.signatory, application.staff)
        application.training_gate.check(definition, wanted.text, by.signatory)
        before = {**stored.state.values, **stored.opened}
        entering = Entering(application, out, definition, stage=target, given=given, before=before)
        entering.ask_missing()
        filed = entering.file(file)
    else:
        filed = file(*given)
    label = application.stage_label(filed.state)
    _show_filed(out, filed, T("已更新：{number}，阶段：{stage}", number=filed.number, stage=label))
    return 0


@record.command("correct", help=M("更正已归档的内容，原值保留可查，必须写明原因。"))
@click.argument("number")
@_VALUES
@_SET
@option("--reason", required=True, help=M("更正原因。"))
@acting
@click.pass_obj
def correct(session: Session, number: str, values_file: Path | None, settings: Sequence[str], reason: str) -> int:
    from controller.cli.record_entering import Entering, at_terminal, given_values

    application, out = session.application, session.output
    by = application.person(session.person)
    wanted = RecordNumber(number)
    asking = values_file is None and not settings and at_terminal(out)
    stored = application.records.read(wanted, unmask=asking)
    definition, state = stored.package.definition, stored.state

    def file(values: dict[str, Any], files: dict[str, bytes]) -> Filed:
        return application.records.correct(wanted, values, by, reason=reason, files=files)

    if asking and not state.voided:
        before = {**state.values, **stored.opened}
        entering = Entering(application, out, definition, stage=state.stage, given=({}, {}), before=before)
        entering.ask_corrections()
        filed = entering.file(file)
    else:
        _check_given(values_file, settings, out)
        filed = file(*given_values(values_file, settings, definition, out))
    _show_filed(out, filed, T("已更正：{number}，原值保留在历史中。", number=filed.number))
    return 0


@record.command("void", help=M("作废一份记录：记录仍可查看，编号不再使用。"))
@click.argument("number")
@option("--reason", required=True, help=M("作废原因。"))
@acting
@click.pass_obj
def void(session: Session, number: str, reason: str) -> int:
    application = session.application
    by = application.person(session.person)
    filed = application.records.void(RecordNumber(number), by, reason=reason)
    _show_filed(session.output, filed, T("已作废：{number}", number=filed.number))
    return 0


@record.command("import", help=M("从 CSV 或 JSON 行文件批量导入同一表单的记录。"))
@click.argument("form", metavar="FORM")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@option("--good-only", is_flag=True, help=M("只导入没有问题的行（默认：有一行不对就全部不导入）。"))
@option("--stage", metavar="STAGE", help=M("直接登记到哪个阶段（默认：第一个阶段）。"))
@option("--entered-for", metavar="NAME", help=M("代录时写明替谁录入。"))
@acting
@click.pass_obj
def import_(
    session: Session, form: str, file: Path, *, good_only: bool, stage: str | None, entered_for: str | None
) -> int:
    from controller.cli.files import import_source
    from controller.cli.import_report import tell_import
    from controller.services.record_filing import OpeningAct

    application = session.application
    out = session.output
    by = application.person(session.person)
    definition = application.forms.definition(form)
    rows, source = import_source(file, definition)
    act = OpeningAct(by=by, stage=stage, entered_for=entered_for, source=source)
    with out.progress(T("正在导入")) as progress:
        report = application.filing.import_rows(
            definition.number.text, rows, act, good_only=good_only, progress=progress
        )
    tell_import(out, report)
    return 1 if report.refused else 0


@record.command("show", help=M("查看一份记录的内容和经过。"))
@click.argument("number")
@option("--trail", "as_trail", is_flag=True, help=M("列出审计追踪：谁、何时、从哪台电脑、原值和新值，连同打印和查看。"))
@_UNMASK
@acting
@click.pass_obj
def show(session: Session, number: str, *, as_trail: bool, unmask: bool) -> int:
    from controller.cli.record_page import record_data, show_record

    out = session.output
    signer = _unmasking(session, number) if unmask else None
    stored, view = session.application.records.view(RecordNumber(number), unmask=unmask)
    if signer is not None:
        session.application.trail.unmasked(signer, number)
    if as_trail:
        from controller.cli.audit_trail_page import show_trail_of

        show_trail_of(session.application, out, number, unmask=unmask)
        return 0
    if out.as_json:
        out.document(record_data(stored, view))
    else:
        show_record(out, stored, view)
        out.line(T("加 --trail 查看审计追踪：电脑、账户、打印和查看也在其中。"))
    return 0


@record.command("print", help=M("把一份记录打印成 Word 或 PDF。"))
@click.argument("number")
@option("--out", "target", required=True, type=click.Path(path_type=Path), help=M("保存为哪个文件。"))
@option("--pdf", is_flag=True, help=M("生成 PDF（文件名以 .pdf 结尾时自动如此）。"))
@option("--sign", is_flag=True, help=M("在 PDF 末尾加签署页，并用本人的证书签名。"))
@_UNMASK
@option("--force", is_flag=True, help=M("文件已存在时覆盖。"))
@acting
@click.pass_obj
def print_(session: Session, number: str, target: Path, *, pdf: bool, sign: bool, unmask: bool, force: bool) -> int:
    records = session.application.records
    signer = _unmasking(session, number) if unmask else session.application.person(session.person)
    stored, view = records.view(RecordNumber(number), unmask=unmask)
    docx = records.print(RecordNumber(number), unmask=unmask)
    out = session.output
    as_pdf = pdf or sign or target.suffix.lower() == ".pdf"
    facts = {"format": "pdf" if as_pdf else "docx"} | ({"signed": "pdf"} if sign else {})

    def note(shown: Digest) -> None:
        session.application.trail.printed(signer, number, shown, facts=facts, unmasked=unmask)

    if as_pdf:
        document = session.application.printing.print(docx)
        data = document.data
        if sign:
            title, head = stored.package.definition.title, stored.state.head
            data = session.application.print_signing.sign(data, signer, number=number, title=title, head=head)
        write_output(target, data, force=force, before=note)
        out.line(
            T("已生成 {file}（{pages} 页，{engine}）。", file=target, pages=document.pages, engine=document.engine)
        )
        out.document({"file": str(target), "pages": document.pages, "engine": document.engine})
    else:
        write_output(target, docx, force=force, before=note)
        out.line(T("已生成 {file}。", file=target))
        out.document({"file": str(target)})
    if view.masked:
        out.line(T("敏感个人信息在打印件上已遮蔽；有权限时加 --unmask 打印完整内容。"))
    return 0


@record.command("attachments", help=M("把一份记录的附件取出到文件夹。"))
@click.argument("number")
@option(
    "--out", "folder", required=True, type=click.Path(path_type=Path, file_okay=False), help=M("保存到哪个文件夹。")
)
@_UNMASK
@acting
@click.pass_obj
def attachments(session: Session, number: str, folder: Path, *, unmask: bool) -> int:
    from controller.cli.attachment_output import save_attachments

    application = session.application
    signer = _unmasking(session, number) if unmask else application.person(session.person)
    state = application.records.read(RecordNumber(number)).state
    taken = {item.name: item.digest for item in state.attachments if unmask or not item.sealed}
    if taken:
        application.trail.exported(signer, number, files=taken, unmasked=unmask)
    save_attachments(application, session.output, state, folder, unmask=unmask)
    return 0


def _unmasking(session: Session, number: str) -> PersonalSigner:
    """Return who acts, when they may see sensitive values."""
    from controller.services.trail import check_may_unmask

    application = session.application
    signer = application.person(session.person)
    posts = application.signing_rules.unmask_posts
    check_may_unmask(application.staff, signer.signatory, posts, record=number[:_NUMBER_SHOWN])
    return signer


def _show_filed(out: Output, filed: Filed, text: Any) -> None:
    out.line(text)
    for problem in filed.warnings:
        out.line(T("  注意 {label}：{rule}", label=problem.label, rule=problem.rule))
    out.document(
        {
            "number": filed.number.text,
            "stage": filed.state.stage,
            "digest": filed.digest.text,
            "warnings": [out.problem_data(problem) for problem in filed.warnings],
        }
    )


def _check_given(values_file: Path | None, settings: Sequence[str], out: Output) -> None:
    if values_file is None and not settings:
        raise click.UsageError(out.text(T("请用 --values 指明填写内容的文件，或用 --set 字段=值 逐项填写。")))
