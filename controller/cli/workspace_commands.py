"""命令 `qms init`、`demo`、`index`. Making, showing and indexing a workspace."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.cli.commands import M, command, group, option
from controller.domain.text import T

if TYPE_CHECKING:
    from controller.cli.main import Session


@command("init", M("新建工作区，放入起步文件库。"))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@option("--company", required=True, metavar="COMPANY", help=M("公司名称，印在每份文件的页眉。"))
@option(
    "--prefix",
    default="XX",
    show_default=True,
    metavar="CODE",
    help=M("文件编号开头的公司简码（1 到 8 个大写字母或数字）。"),
)
@option("--person", "person", default=None, metavar="NAME", help=M("第一位在册人员的姓名（默认：在终端询问）。"))
@option("--post", default="quality_head", show_default=True, metavar="POST", help=M("这位人员的岗位。"))
@option("--acknowledged", is_flag=True, help=M("本人已同意对自己的电子签名负责（无人值守时使用）。"))
@click.pass_obj
def init(
    session: Session, folder: Path, company: str, prefix: str, person: str | None, post: str, *, acknowledged: bool
) -> int:
    from controller.adapters.workspace_maker import check_free
    from controller.bootstrap import NewCompany, make_workspace, starting_rules
    from controller.cli.certificate_commands import acknowledged_by
    from controller.cli.passphrases import AUTHORITY, PassphrasesAlikeError
    from controller.domain.passphrase import (
        check_authority_passphrase,
        check_passphrase,
        normalised,
    )
    from controller.file_formats.yaml_text import dump_yaml
    from controller.services.person_enrolment import AcknowledgementNeededError
    from controller.services.personal_signer import PassphraseNeededError
    from controller.services.workspace_setup import check_company, check_prefix

    out = session.output
    check_company(company)
    check_prefix(prefix)
    check_free(folder.resolve())
    if person is None:
        if out.as_json or not sys.stdin.isatty():
            raise click.UsageError(out.text(T("请用 --person 写明第一位在册人员的姓名。")))
        person = click.prompt(out.text(T("您的姓名（签名用的全名）")))
    if not acknowledged and not acknowledged_by(out, person):
        raise AcknowledgementNeededError(name=person)
    people = dump_yaml(
        {"format": "wenkong/people/1", "people": [{"id": "p001", "name": person, "posts": [post], "active": True}]}
    )
    again = out.text(T("再输入一次"))
    rules = starting_rules()
    name = person
    own = session.passphrases.new(
        "p001",
        out.text(T("{name}的签名口令（只有本人知道）", name=name)),
        again,
        name=name,
        rules=rules,
        check=lambda text: check_passphrase(text, rules=rules, person="p001", name=name),
    )

    def check_authority(text: str) -> None:
        check_authority_passphrase(text, rules=rules, company=company)
        if own is not None and normalised(own) == normalised(text):
            raise PassphrasesAlikeError

    authority = session.passphrases.new(
        AUTHORITY,
        out.text(T("企业证书口令（发放证书时用，最好由另一位负责人来设、来保管）")),
        again,
        rules=rules,
        check=check_authority,
    )
    if own is None or authority is None:
        raise PassphraseNeededError(meaning=out.text(T("建立工作区")))
    new = NewCompany(company, prefix, people, {"p001": own}, authority)
    application = make_workspace(folder, new)
    with closing(application):
        forms = application.forms.numbers()
        application.signing_in.sign_in("p001", own)
    out.line(T("已为“{company}”新建工作区：{folder}", company=application.settings.company, folder=application.folder))
    out.line(T("其中有 {forms} 张受控表单和全部起步文件。{name}已登录。接下来可以：", forms=len(forms), name=person))
    out.line(T("  cd {folder}", folder=folder))
    out.line(T("  qms doc list          查看程序文件"))
    out.line(T("  qms form list         查看受控表单"))
    out.line(T("  qms record new {form} 登记第一个来电", form=f"{prefix}-YLQXJL-013"))
    out.line(T("  qms person add        登记其他人员，先登记一位可作见证的负责人"))
    out.line(T("                        一位一位来：登记、领证书（certify）、见证（confirm）都办完，再办下一位"))
    out.line(T("  qms person sheet      打印证书指纹单，签字盖章后封存"))
    out.document({"folder": str(application.folder), "company": application.settings.company, "forms": len(forms)})
    return 0


@command("demo", M("在新目录里演示全过程：样例公司一年的记录、台账、打印件。"))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.pass_obj
def demo(session: Session, folder: Path) -> int:
    from controller.cli.demonstration import run_demonstration

    return run_demonstration(folder, session.output)


@group("index", M("检索索引：可随时重建。"))
def index() -> None:
    pass


@index.command("rebuild", help=M("从档案重新建立检索索引。"))
@click.pass_obj
def rebuild(session: Session) -> int:
    out = session.output
    with out.progress(T("正在建立索引")) as progress:
        report = session.application.indexing.rebuild(progress)
    out.findings(report.findings)
    out.line(T("索引已重建，共 {count} 份记录。", count=report.records))
    out.document({"records": report.records, "findings": [out.finding_data(item) for item in report.findings]})
    return 1 if report.findings else 0


@index.command("status", help=M("查看检索索引是否跟上档案。"))
@click.pass_obj
def status(session: Session) -> int:
    application = session.application
    out = session.output
    behind = application.indexing.behind()
    records = application.indexing.status().records
    out.line(T("索引中有 {count} 份记录。", count=records))
    out.line(T("索引落后于档案，下次使用时会自动补齐。") if behind else T("索引与档案一致。"))
    out.document({"records": records, "behind": behind})
    return 0
