"""命令 `qms form`. Lists, explains and checks the controlled forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from controller.cli.commands import M, group, option
from controller.domain.conformity import Gravity
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.cli.main import Session
    from controller.cli.output import Output
    from controller.domain.form import Field, FormDefinition


_TEMPLATES = "controller.cli.form_scaffold_commands"
_LAZY = {
    "scaffold": (f"{_TEMPLATES}:scaffold", M("按表单定义和公司版式生成 Word 模板（form.docx）并编译。")),
    "blank": ("controller.cli.form_template_commands:blank", M("生成空白表，供打印后手写。")),
    "compile": (f"{_TEMPLATES}:compile_forms", M("编译在 Word 中改过的模板。")),
}


@group("form", M("受控表单：列出、查看、检查、空白表、版式。"), lazy=_LAZY)
def form() -> None:
    pass


@form.command("list", help=M("列出现行表单。"))
@click.pass_obj
def list_forms(session: Session) -> None:
    out, library = session.output, session.application.forms
    definitions = [library.definition(number) for number in library.numbers()]
    columns = [T("编号"), T("名称"), T("版本"), T("归口"), T("所属程序"), T("阶段")]
    rows = [
        (
            item.number,
            item.title,
            item.revision,
            item.owner,
            item.procedure or "",
            " → ".join(stage.label for stage in item.stages),
        )
        for item in definitions
    ]
    out.table(columns, rows)
    out.document(
        {
            "forms": [
                {
                    "number": item.number.text,
                    "title": item.title,
                    "revision": item.revision.text,
                    "owner": item.owner,
                    "procedure": item.procedure.text if item.procedure else None,
                    "stages": [stage.key for stage in item.stages],
                    "fields": len(item.fields),
                }
                for item in definitions
            ]
        }
    )


@form.command("show", help=M("说明一张表单：要填什么、何时必填、有哪些阶段和规则。NUMBER 可写编号、简号或名称。"))
@click.argument("number", metavar="NUMBER")
@option("--schema", is_flag=True, help=M("输出 JSON Schema 2020-12，供其他程序准备数据。"))
@option("--stage", metavar="STAGE", help=M("与 --schema 一起：到哪个阶段为止的必填项（默认：第一个阶段）。"))
@click.pass_obj
def show(session: Session, number: str, schema: bool, stage: str | None) -> None:
    from controller.file_formats.compiled_form import definition_data
    from controller.file_formats.form_schema import form_schema
    from controller.services.stage_control import find_stage

    definition = session.application.forms.definition(number)
    if schema:
        import json

        published = form_schema(definition, stage=find_stage(definition, stage))
        click.echo(json.dumps(published, ensure_ascii=False, indent=2))
        return
    out = session.output
    out.document(definition_data(definition))
    application = session.application
    kind = application.retention.classes.get(definition.retention)
    _show_head(out, definition, kind.label if kind else definition.retention)
    _show_fields(out, definition)
    _show_stages(out, definition, {key: post.name for key, post in application.staff.posts.items()})
    _show_rules(out, definition)


def _show_head(out: Output, definition: FormDefinition, retention: str) -> None:
    out.line(
        T(
            "{number} {title}  版本 {revision}",
            number=definition.number,
            title=definition.title,
            revision=definition.revision,
        )
    )
    procedure = definition.procedure.text if definition.procedure else T("无")
    out.line(
        T(
            "归口：{owner}  所属程序：{procedure}  保存期限类别：{retention}",
            owner=definition.owner,
            procedure=procedure,
            retention=retention,
        )
    )
    if definition.note:
        out.line(definition.note)
    out.line()


def _show_fields(out: Output, definition: FormDefinition) -> None:
    rows: list[tuple[object, ...]] = []
    for item in definition.fields:
        rows.append(
            (item.key, item.label, TYPE_NAMES[item.type.value], _when(item, definition), _what(item, definition))
        )
        rows += [
            (
                f"  {item.key}.{column.key}",
                column.label,
                TYPE_NAMES[column.type.value],
                T("必填") if column.required_from else "",
                _what(column, definition),
            )
            for column in item.columns
        ]
    out.table([T("字段"), T("标签"), T("类型"), T("必填"), T("要求")], rows)
    out.line()


def _when(item: Field, definition: FormDefinition) -> Text | str:
    from controller.domain.form_expressions import in_words

    labels = {field.key: field.label for field in definition.fields}
    told: list[Text] = []
    if item.required_from is not None:
        stage = definition.stage(item.required_from)
        told.append(T("“{stage}”起", stage=stage.label if stage else item.required_from))
    if item.required_if is not None:
        told.append(T("{condition}时", condition=in_words(item.required_if, labels)))
    return Text("{told}", {"told": told}) if told else ""


def _what(item: Field, definition: FormDefinition) -> Text:
    from controller.domain.form import FieldType, Personal
    from controller.domain.form_expressions import in_words

    labels = {field.key: field.label for field in definition.fields}
    told: list[object] = []
    if item.choices:
        told.append(T("可选：{choices}", choices=" / ".join(item.choices)))
    if item.min is not None:
        told.append(T("不小于 {limit}", limit=LIMIT_NAMES.get(item.min, item.min)))
    if item.max is not None:
        told.append(T("不大于 {limit}", limit=LIMIT_NAMES.get(item.max, item.max)))
    if item.min_length:
        told.append(T("至少 {count} 字", count=item.min_length))
    if item.max_length:
        told.append(T("最多 {count} 字", count=item.max_length))
    if item.pattern is not None:
        told.append(item.pattern.message)
    if item.unit:
        told.append(T("单位 {unit}", unit=item.unit))
    if item.relevant_if is not None:
        told.append(T("仅当{condition}", condition=in_words(item.relevant_if, labels)))
    if item.type is FieldType.COMPUTED:
        told.append(T("系统计算"))
    if item.type is FieldType.PERFORMER:
        told.append(T("系统写入登录人"))
    if item.personal is Personal.SENSITIVE:
        told.append(T("敏感个人信息，加密保存"))
    if item.help:
        told.append(item.help)
    return Text("{told}", {"told": told})


def _show_stages(out: Output, definition: FormDefinition, posts: Mapping[str, str]) -> None:
    from controller.domain.form_expressions import in_words

    labels = {field.key: field.label for field in definition.fields}
    names = {stage.key: stage.label for stage in definition.stages}
    rows = []
    for stage in definition.stages:
        clock: Text | str = ""
        if stage.clock is not None:
            kind = T("法定") if stage.clock.kind == "legal" else T("企业自定")
            start = labels.get(stage.clock.starts, stage.clock.starts)
            clock = T("{start}起 {within}（{kind}）", start=start, within=_span(stage.clock.within), kind=kind)
        rows.append(
            (
                stage.key,
                stage.label,
                [names.get(key, key) for key in stage.after],
                T("任何人") if stage.by == ("any",) else [posts.get(key, key) for key in stage.by],
                in_words(stage.guard, labels) if stage.guard else "",
                clock,
            )
        )
    out.table([T("阶段"), T("名称"), T("在…之后"), T("由谁"), T("条件"), T("时限")], rows)
    out.line()


def _span(within: str) -> Text | str:
    """Return a time limit (`3 workdays`) in words."""
    count, _blank, unit = within.partition(" ")
    match unit.removesuffix("s"):
        case "workday":
            return T("{count} 个工作日", count=count)
        case "day":
            return T("{count} 日", count=count)
        case "hour":
            return T("{count} 小时", count=count)
    return within


def _show_rules(out: Output, definition: FormDefinition) -> None:
    from controller.domain.form import Level

    for rule in definition.rules:
        level = T("提示") if rule.level is Level.WARNING else T("规则")
        stage = definition.stage(rule.from_stage) if rule.from_stage else None
        since = T("（“{stage}”起）", stage=stage.label) if stage else ""
        out.line(T("[{level}] {message}{since}", level=level, message=rule.message, since=since))


@form.command("lint", help=M("检查表单定义与模板：默认检查工作目录里现在的文件。有错误时退出码为 1。"))
@click.argument("numbers", metavar="[NUMBER]...", nargs=-1)
@option("--working/--approved", "working", default=True, help=M("检查文件夹里的文件（默认），或已批准的版本。"))
@click.pass_obj
def lint(session: Session, numbers: tuple[str, ...], working: bool) -> int:
    out, application = session.output, session.application
    inspection = application.form_inspection(working=working)
    known = inspection.numbers()
    wanted = [known_form(number, known) for number in numbers]
    with out.progress(T("检查表单")) as progress:
        findings = inspection.inspect(wanted, progress=progress)
    errors = sum(finding.gravity is Gravity.ERROR for finding in findings)
    out.findings(findings)
    count = len(wanted) or len(known)
    out.line(
        T(
            "检查了 {count} 张表单：{errors} 处不符合，共 {total} 处发现。",
            count=count,
            errors=errors,
            total=len(findings),
        )
    )
    data: dict[str, Any] = {"forms": count, "findings": [out.finding_data(finding) for finding in findings]}
    out.document(data)
    return 1 if errors else 0


def known_form(wanted: str, known: Sequence[str]) -> str:
    """Return the form number that `wanted` means among the forms of the folder, `known`.

    Raises:
        UnknownFormError: none is meant.
    """
    from controller.services.form_library import UnknownFormError, number_meant

    number = number_meant(wanted, known)
    if number is None:
        raise UnknownFormError(number=wanted, known=known)
    return number


LIMIT_NAMES = {"today": T("今天"), "now": T("现在")}
TYPE_NAMES = {
    "text": T("文字"),
    "long_text": T("多行文字"),
    "integer": T("整数"),
    "decimal": T("数字"),
    "date": T("日期"),
    "datetime": T("日期时间"),
    "bool": T("是/否"),
    "choice": T("单选"),
    "multi_choice": T("多选"),
    "table": T("表格"),
    "assignee": T("人员"),
    "performer": T("执行人"),
    "phone": T("电话"),
    "email": T("邮箱"),
    "udi": T("UDI 扫描"),
    "record_ref": T("记录编号"),
    "document_ref": T("文件编号"),
    "attachment": T("附件"),
    "external_signature": T("外部签名"),
    "computed": T("计算"),
}
"""Field types as people call them."""
