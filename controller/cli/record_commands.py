"""命令 `qms record`. Fill, import, show, print and find records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller.cli.commands import M, acting, group, option
from controller.cli.files import read_input, write_output
from controller.domain.identifiers import RecordNumber
from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.cli.main import Session
    from controller.cli.output import Output
    from controller.domain.record import RecordState
    from controller.domain.record_view import RecordView
    from controller.services.record_control import StoredRecord
    from controller.services.record_filing import Filed


@group("record", M("质量记录：填写、导入、查看、打印、检索。"))
def record() -> None:
    pass


_VALUES = option(
    "--values",
    "values_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help=M("填写内容的文件（.yml、.json），字段名或中文名称都可以。"),
)
_UNMASK = option("--unmask", is_flag=True, help=M("显示敏感个人信息（需要本机存有记录密钥）。"))


@record.command("new", help=M("填写一份新记录并归档，编号由系统给出。"))
@click.argument("form", metavar="FORM")
@_VALUES
@option("--stage", metavar="STAGE", help=M("直接登记到哪个阶段（默认：第一个阶段）。"))
@option("--entered-for", metavar="NAME", help=M("代录时写明替谁录入。"))
@acting
@click.pass_obj
def new(session: Session, form: str, values_file: Path | None, stage: str | None, entered_for: str | None) -> int:
    from controller.services.record_filing import OpeningAct

    application = session.application
    by = application.person(session.person)
    definition = application.forms.definition(form)
    if values_file is None:
        from controller.cli.record_prompts import ask_values

        values = ask_values(definition, session.output)
        files: dict[str, bytes] = {}
    else:
        values, files = read_input(values_file, definition)
    act = OpeningAct(by=by, stage=stage, entered_for=entered_for, files=files)
    filed = application.filing.open(definition.number.text, values, act)
    _show_filed(session.output, filed, T("已归档：{number}", number=filed.number))
    return 0


@record.command("advance", help=M("补充内容，或把记录推进到下一阶段。"))
@click.argument("number")
@_VALUES
@option("--stage", metavar="STAGE", help=M("推进到哪个阶段；不写则只补充内容。"))
@acting
@click.pass_obj
def advance(session: Session, number: str, values_file: Path | None, stage: str | None) -> int:
    application = session.application
    by = application.person(session.person)
    wanted = RecordNumber(number)
    stored = application.records.read(wanted)
    values, files = read_input(values_file, stored.package.definition) if values_file else ({}, {})
    filed = application.records.advance(wanted, values, by, stage=stage, files=files)
    _show_filed(session.output, filed, T("已更新：{number}", number=filed.number))
    return 0


@record.command("correct", help=M("更正已归档的内容，原值保留可查，必须写明原因。"))
@click.argument("number")
@_VALUES
@option("--reason", required=True, help=M("更正原因。"))
@acting
@click.pass_obj
def correct(session: Session, number: str, values_file: Path | None, reason: str) -> int:
    application = session.application
    by = application.person(session.person)
    wanted = RecordNumber(number)
    stored = application.records.read(wanted)
    if values_file is None:
        raise click.UsageError(session.output.text(T("请用 --values 指明更正内容的文件。")))
    values, files = read_input(values_file, stored.package.definition)
    filed = application.records.correct(wanted, values, by, reason=reason, files=files)
    _show_filed(session.output, filed, T("已更正：{number}，原值保留在历史中。", number=filed.number))
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
    for refused in report.refused[:200]:
        out.line(T("第 {row} 行没有导入：", row=refused.row))
        for line in out.problem_lines(refused.problems):
            out.line(line)
    if report.nothing_filed:
        out.line(T("共 {rows} 行，{bad} 行有问题，全部没有导入。", rows=report.rows, bad=len(report.refused)))
        out.line(T("改正后重新导入；或加 --good-only 只导入没有问题的行。"))
    elif report.filed:
        out.line(
            T(
                "共 {rows} 行，已归档 {good} 份（{first} 至 {last}），未导入 {bad} 行。",
                rows=report.rows,
                good=len(report.filed),
                first=report.filed[0],
                last=report.filed[-1],
                bad=len(report.refused),
            )
        )
    else:
        out.line(T("文件中没有可以导入的行。"))
    out.document(
        {
            "rows": report.rows,
            "filed": [number.text for number in report.filed],
            "refused": [
                {"row": item.row, "problems": [out.problem_data(problem) for problem in item.problems]}
                for item in report.refused
            ],
        }
    )
    return 1 if report.refused else 0


@record.command("show", help=M("查看一份记录的内容和经过。"))
@click.argument("number")
@_UNMASK
@click.pass_obj
def show(session: Session, number: str, *, unmask: bool) -> int:
    out = session.output
    stored, view = session.application.records.view(RecordNumber(number), unmask=unmask)
    if out.as_json:
        out.document(_record_data(stored, view))
        return 0
    definition, state = stored.package.definition, stored.state
    out.line(f"{definition.title}  {state.number}  {definition.revision}")
    status = T("已作废") if state.voided else T("阶段：{stage}", stage=view.stage_label)
    out.line(status)
    for label, shown in _shown_fields(stored, view):
        out.line(T("  {label}:{value}", label=label, value=shown))
    out.line(T("经过："))
    for entry, _digest in stored.entries:
        aside = [T("（原因：{reason}）", reason=entry.reason)] if entry.reason else []
        aside += [T("（代 {name} 录入）", name=entry.entered_for)] if entry.entered_for else []
        stage = definition.stage(entry.stage)
        label = stage.label if stage else entry.stage
        told = "".join(out.text(item) for item in aside)
        out.line(f"  {entry.at}  {entry.by.name}（{entry.by.post}）  {entry.meaning}  {label}{told}")
    if view.masked:
        out.line(T("敏感个人信息已遮蔽；有权限时加 --unmask 查看。"))
    return 0


@record.command("list", help=M("列出记录，新的在前。"))
@click.argument("form", metavar="[FORM]", required=False)
@option("--from", "since", metavar="DATE", help=M("从哪一天起（立卷日期，如 2026-01-01）。"))
@option("--to", "until", metavar="DATE", help=M("到哪一天止。"))
@option("--limit", type=click.IntRange(1, 1_000_000), default=50, show_default=True, help=M("最多列出多少份。"))
@click.pass_obj
def list_(session: Session, form: str | None, since: str | None, until: str | None, limit: int) -> int:
    application = session.application
    application.indexing.catch_up()
    forms = [application.forms.definition(form).number.text] if form else []
    states = list(
        application.index.records(
            forms=forms,
            opened_from=since,
            opened_to=f"{until}T99" if until else None,
            newest_first=True,
            limit=limit,
        )
    )
    out = session.output
    numbers = {item.form.number.text for item in states}
    titles = {number: application.forms.definition(number).title for number in numbers}
    rows = [_row(state, titles, application.stage_label(state)) for state in states]
    out.table([T("编号"), T("表单"), T("立卷时间"), T("阶段"), T("记录人")], rows)
    if not rows:
        out.line(T("还没有记录。用 qms record new 表单编号 填写第一份。"))
    out.document([_state_data(state) for state in states])
    return 0


@record.command("print", help=M("把一份记录打印成 Word 或 PDF。"))
@click.argument("number")
@option("--out", "target", required=True, type=click.Path(path_type=Path), help=M("保存为哪个文件。"))
@option("--pdf", is_flag=True, help=M("生成 PDF（文件名以 .pdf 结尾时自动如此）。"))
@_UNMASK
@option("--force", is_flag=True, help=M("文件已存在时覆盖。"))
@click.pass_obj
def print_(session: Session, number: str, target: Path, *, pdf: bool, unmask: bool, force: bool) -> int:
    docx = session.application.records.print(RecordNumber(number), unmask=unmask)
    out = session.output
    if pdf or target.suffix.lower() == ".pdf":
        document = session.application.printing.print(docx)
        write_output(target, document.data, force=force)
        out.line(
            T("已生成 {file}（{pages} 页，{engine}）。", file=target, pages=document.pages, engine=document.engine)
        )
        out.document({"file": str(target), "pages": document.pages, "engine": document.engine})
    else:
        write_output(target, docx, force=force)
        out.line(T("已生成 {file}。", file=target))
        out.document({"file": str(target)})
    return 0


@record.command("search", help=M("在全部记录中检索词语（敏感个人信息不在检索范围内）。"))
@click.argument("words", nargs=-1, required=True)
@option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help=M("最多列出多少份。"))
@click.pass_obj
def search(session: Session, words: Sequence[str], limit: int) -> int:
    application = session.application
    application.indexing.catch_up()
    hits = application.index.search(" ".join(words), limit=limit)
    out = session.output
    out.table(
        [T("编号"), T("表单"), T("立卷时间"), T("内容")],
        [(hit.number, hit.title, hit.opened_at[:16].replace("T", " "), hit.excerpt) for hit in hits],
    )
    if not hits:
        out.line(T("没有找到含有这些词语的记录。"))
    out.document(
        [
            {"number": hit.number.text, "title": hit.title, "opened_at": hit.opened_at, "excerpt": hit.excerpt}
            for hit in hits
        ]
    )
    return 0 if hits else 1


@record.command("browse", help=M("把档案导出为可浏览的只读文件夹（敏感信息遮蔽）。"))
@option("--out", "target", type=click.Path(path_type=Path), default=None, help=M("导出到哪里（默认：records/浏览）。"))
@click.pass_obj
def browse(session: Session, target: Path | None) -> int:
    application = session.application
    out = session.output
    folder = target or application.folder / "records" / "浏览"
    with out.progress(T("正在导出")) as progress:
        count = application.browsing_copy(folder, progress=progress)
    out.line(T("已导出 {count} 份记录到 {folder}（只供浏览，可随时删除重建）。", count=count, folder=folder))
    out.document({"records": count, "folder": str(folder)})
    return 0


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


def _shown_fields(stored: StoredRecord, view: RecordView) -> list[tuple[str, str]]:
    from controller.domain.field_values import display

    rows = []
    for item in stored.package.definition.fields:
        masked = item.key in view.masked
        value = view.values.get(item.key)
        if value is None and not masked:
            continue
        rows.append((item.label, "＊＊＊" if masked else display(item, value)))
    return rows


def _record_data(stored: StoredRecord, view: RecordView) -> dict[str, object]:
    return {
        **_state_data(stored.state),
        "values": {**dict(view.values), **dict.fromkeys(sorted(view.masked), "***")},
        "entries": [
            {
                "sequence": entry.sequence,
                "act": entry.act.value,
                "at": entry.at,
                "by": {"person": entry.by.person, "name": entry.by.name, "post": entry.by.post},
                "meaning": entry.meaning,
                "stage": entry.stage,
                "reason": entry.reason,
                "entered_for": entry.entered_for,
                "source": entry.source,
                "digest": digest.text,
            }
            for entry, digest in stored.entries
        ],
    }


def _state_data(state: RecordState) -> dict[str, object]:
    data: Mapping[str, object] = {
        "number": state.number.text,
        "form": state.form.number.text,
        "revision": state.form.revision.text,
        "stage": state.stage,
        "voided": state.voided,
        "opened_at": state.opened_at,
        "opened_by": state.opened_by.name,
        "changed_at": state.changed_at,
    }
    return dict(data)


def _row(state: RecordState, titles: Mapping[str, str], stage: str) -> tuple[str, ...]:
    opened = state.opened_at[:16].replace("T", " ")
    return state.number.text, titles.get(state.form.number.text, ""), opened, stage, state.opened_by.name
