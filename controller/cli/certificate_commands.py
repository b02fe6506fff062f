"""命令 `qms person certify` 等. Certificates of people and of the authority: giving, witnessing, taking back, keeping.

Passphrases are asked for without being shown, or come from `--passphrase-file`; never from the command line.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.cli.commands import M, acting, command, option
from controller.cli.files import read_bytes, write_output
from controller.cli.passphrases import AUTHORITY
from controller.cli.person_view import person_data
from controller.cli.questions import agreed
from controller.domain.passphrase import check_authority_passphrase, check_passphrase
from controller.domain.statement import TRAIL, Event
from controller.domain.text import T

if TYPE_CHECKING:
    from controller.bootstrap import Application
    from controller.cli.main import Session
    from controller.cli.output import Output
    from controller.domain.text import Text
    from controller.domain.trust import TrustedPerson
    from controller.services.person_enrolment import Enrolled
    from controller.services.signing_ports import Signer

_KEY_LIMIT = 1024 * 1024


@command("certify", M("给一位人员发放证书：本人设口令，企业证书口令发证，再由两位见证人确认。"))
@click.argument("name", metavar="NAME")
@option("--reason", metavar="TEXT", help=M("原因，例如 新员工、忘记口令、密钥丢失。"))
@option("--acknowledged", is_flag=True, help=M("本人已同意对自己的电子签名负责（无人值守时使用）。"))
@option("--cancel", is_flag=True, help=M("撤回还没有生效的申请；由本人或有见证岗位的人员办理。"))
@acting
@click.pass_obj
def certify(session: Session, name: str, reason: str | None, *, acknowledged: bool, cancel: bool) -> int:
    known = session.application.people.known(name)
    if cancel:
        return _withdraw(session, known, reason)
    usual = T("更换证书") if known.certificate is not None else T("领取证书")
    return _certify(session, known, reason or session.output.text(usual), acknowledged=acknowledged)


@command("rotate", M("更换一位人员的证书（到期前、怀疑泄露时）；见证完成后旧证书不再使用。"))
@click.argument("name", metavar="NAME")
@option("--reason", metavar="TEXT", help=M("更换原因。"))
@option("--acknowledged", is_flag=True, help=M("本人已同意对自己的电子签名负责（无人值守时使用）。"))
@click.pass_obj
def rotate(session: Session, name: str, reason: str | None, *, acknowledged: bool) -> int:
    from controller.services.person_enrolment import NoCertificateError

    known = session.application.people.known(name)
    if known.certificate is None:
        raise NoCertificateError(name=known.name)
    return _certify(session, known, reason or session.output.text(T("更换证书")), acknowledged=acknowledged)


def _certify(session: Session, known: TrustedPerson, reason: str, *, acknowledged: bool) -> int:
    application, out = session.application, session.output
    _ready_for_certificate(out, known, acknowledged=acknowledged)
    own = _new_passphrase(session, known)
    prompt = out.text(T("企业证书口令（由保管人输入）"))
    authority = session.passphrases.opening(AUTHORITY, prompt, application.authority_key.check)
    if own is None or authority is None:
        raise _needed(out, T("发放证书"))
    done = application.enrolment.certify(
        known.id, passphrase=own, authority_passphrase=authority, reason=reason, acknowledged=True
    )
    return _show_enrolled(application, out, done)


def _withdraw(session: Session, known: TrustedPerson, reason: str | None) -> int:
    application, out = session.application, session.output
    if reason is None:
        raise click.UsageError(out.text(T("请写明 {option}。", option="--reason")))
    filed = application.enrolment.withdraw(application.person(session.person), known.id, reason=reason)
    out.line(T("{name}的证书申请已撤回，不会生效。", name=known.name))
    if known.certificate is not None:
        out.line(T("{name}现在的证书和口令照常使用。", name=known.name))
    out.document(
        person_data(application, application.people.known(known.id))
        | {"statement": f"{filed.path}.json", "commit": filed.commit}
    )
    return 0


@command("import-key", M("使用外部机构发的证书（.pfx 或 .p12 文件），代替企业自己发的证书。"))
@click.argument("name", metavar="NAME")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@option("--reason", metavar="TEXT", help=M("原因。"))
@option("--acknowledged", is_flag=True, help=M("本人已同意对自己的电子签名负责（无人值守时使用）。"))
@click.pass_obj
def import_key(session: Session, name: str, file: Path, reason: str | None, *, acknowledged: bool) -> int:
    application, out = session.application, session.output
    known = application.people.known(name)
    data = read_bytes(file, limit=_KEY_LIMIT)
    _ready_for_certificate(out, known, acknowledged=acknowledged)
    its = session.passphrases.of("file", out.text(T("该文件的口令")))
    own = _new_passphrase(session, known)
    if its is None or own is None:
        raise _needed(out, T("导入证书"))
    why = reason or out.text(T("使用外部机构的证书"))
    done = application.enrolment.take_in(
        known.id, data, its_passphrase=its, passphrase=own, reason=why, acknowledged=True
    )
    return _show_enrolled(application, out, done)


@command("confirm", M("为别人的证书作见证：当面确认是本人后，以自己的名义签名。"))
@click.argument("name", metavar="[NAME]", required=False)
@option("--authority", "root", is_flag=True, help=M("为更换企业根证书作第二人签名。"))
@option("--yes", is_flag=True, help=M("不再询问（已当面确认）。"))
@acting
@click.pass_obj
def confirm(session: Session, name: str | None, *, root: bool, yes: bool) -> int:
    application, out = session.application, session.output
    by = application.person(session.person)
    if root:
        application.authority_control.confirm(by)
        out.line(T("{name}已签名，新的企业根证书生效。", name=by.signatory.name))
        out.document({"by": by.signatory.person, "root": application.people_standing.history().roots[-1].text})
        return 0
    waiting = application.people_standing.open_enrolments()
    if name is None and len(waiting) == 1:
        name = waiting[0].person
    if name is None and not waiting:
        out.line(T("没有人在等见证。"))
        out.document([])
        return 0
    if name is None:
        names = [item.name for item in waiting]
        told = T(
            "在等见证的有：{names}。请写明为谁作见证，例如 qms person confirm {example}。",
            names=names,
            example=names[0],
        )
        raise click.UsageError(out.text(told))
    known = application.people.known(name)
    mine = next((item for item in waiting if item.person == known.id), None)
    if mine is not None and not yes:
        out.line(T("{name}的新证书，指纹：", name=known.name))
        out.line(f"  {mine.certificate.paired}")
        sure(out, T("您当面确认了这是{name}本人，并看到本人设置口令？", name=known.name))
    return _show_enrolled(application, out, application.enrolment.confirm(by, known.id), by=by)


@command("revoke", M("吊销一位人员的证书：以后不能再用它签名，以前的签名不受影响。"))
@click.argument("name", metavar="NAME")
@option("--reason", metavar="TEXT", required=True, help=M("吊销原因。"))
@option("--yes", is_flag=True, help=M("不再询问。"))
@acting
@click.pass_obj
def revoke(session: Session, name: str, reason: str, *, yes: bool) -> int:
    application, out = session.application, session.output
    by = application.person(session.person)
    known = application.people.known(name)
    if not yes:
        sure(out, T("吊销{name}的证书？", name=known.name))
    filed = application.enrolment.revoke(by, known.id, reason=reason)
    out.line(T("{name}的证书已吊销。重新发放：qms person certify {name}", name=known.name))
    out.document(
        person_data(application, application.people.known(known.id))
        | {"statement": f"{filed.path}.json", "commit": filed.commit}
    )
    return 0


@command("replace-authority", M("更换企业根证书（密钥丢失或泄露）：两人共同办理，之后每人重新领证书。"))
@option("--with", "second", metavar="PERSON", help=M("共同办理的另一人（已在本机登录）。"))
@option("--reason", metavar="TEXT", required=True, help=M("更换原因。"))
@option("--yes", is_flag=True, help=M("不再询问。"))
@acting
@click.pass_obj
def replace_authority(session: Session, second: str | None, reason: str, *, yes: bool) -> int:
    application, out = session.application, session.output
    by = application.person(session.person)
    other = application.person(second) if second else None
    if not yes:
        sure(out, T("更换企业根证书？之后每个人都要重新领证书，指纹单要重新封存。"))
    prompt, again = out.text(T("新的企业证书口令（由保管人设置）")), out.text(T("再输入一次"))
    rules, company = application.signing_rules, application.settings.company
    passphrase = session.passphrases.new(
        AUTHORITY,
        prompt,
        again,
        rules=rules,
        check=lambda text: check_authority_passphrase(text, rules=rules, company=company),
    )
    if passphrase is None:
        raise _needed(out, T("更换证书机构"))
    done = application.authority_control.replace(by, other, passphrase=passphrase, reason=reason)
    root = application.people_standing.history().roots[-1]
    out.line(T("新的企业根证书已生效。") if done.in_force else T("还差第二人签名：qms person confirm --authority"))
    out.line(T("接下来每个人重新领证书（qms person certify），并打印、封存新的指纹单（qms person sheet）。"))
    out.document({"root": root.text, "in_force": done.in_force, "statement": f"{done.filed.path}.json"})
    return 0


@command("sheet", M("打印证书指纹单（.docx 或 .pdf），核对、签名、盖章后封存。"))
@option(
    "--out", "target", required=True, metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
    help=M("输出文件，.docx 或 .pdf。"),
)  # fmt: skip
@option("--force", is_flag=True, help=M("覆盖已有文件。"))
@acting
@click.pass_obj
def sheet(session: Session, target: Path, *, force: bool) -> int:
    from controller.adapters.fingerprint_sheet_drawing import draw_fingerprint_sheet
    from controller.services.fingerprint_sheet import fingerprint_sheet

    application, out = session.application, session.output
    if target.suffix.lower() not in {".docx", ".pdf"}:
        raise click.UsageError(out.text(T("输出文件应以 .docx 或 .pdf 结尾。")))
    by = application.person(session.person)
    made = fingerprint_sheet(application.people_standing, application.identity, at=application.clock.now())
    data = draw_fingerprint_sheet(made)
    if target.suffix.lower() == ".pdf":
        data = application.printing.print(data).data
    write_output(
        target, data, force=force, before=lambda digest: application.trail.printed(by, "fingerprint-sheet", digest)
    )
    out.line(T("已生成指纹单 {path}。核对、签名、盖章（公章）后封存，不要放在电脑旁。", path=target))
    root = application.people_standing.history().roots[-1]
    out.document({"file": str(target), "root": root.text, "people": [item.id for item in made.people]})
    return 0


@command("backup", M("把本机的密钥（仍受口令保护）备份到一个空文件夹，例如在移动硬盘上。"))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@acting
@click.pass_obj
def backup(session: Session, folder: Path) -> int:
    application, out = session.application, session.output
    by = application.person(session.person)

    def keys_of(names: list[str]) -> list[str]:
        return [item for item in names if item.endswith(".p12")]

    # Keys leave the computer only when that is written down.
    names = application.key_backup.back_up(
        folder, before=lambda names: _keys_statement(application, by, Event.KEYS_BACKED_UP, keys_of(names))
    )
    keys = keys_of(names)
    out.line(T("已备份 {count} 个密钥到 {folder}。请放在与电脑不同的安全地点。", count=len(keys), folder=folder))
    out.document({"folder": str(folder), "keys": keys})
    return 0


@command("restore", M("从备份恢复密钥；本机完好的密钥不会被替换。"))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False, exists=True))
@acting
@click.pass_obj
def restore(session: Session, folder: Path) -> int:
    application, out = session.application, session.output

    def state(names: list[str]) -> None:
        _keys_statement(application, _restoring(session, folder, names), Event.KEYS_RESTORED, names)

    names = application.key_backup.restore(folder, before=state)
    out.line(T("已恢复 {count} 个密钥。", count=len(names)))
    out.document({"folder": str(folder), "keys": names})
    return 0


COMMANDS = (certify, rotate, import_key, confirm, revoke, replace_authority, sheet, backup, restore)


def sure(out: Output, question: Text) -> None:
    """Ask whether to go on; without a terminal the answer must have been `--yes`."""
    if out.as_json or not sys.stdin.isatty():
        raise click.UsageError(out.text(T("确认无误请加 --yes。")))
    if not agreed(out, question):
        raise click.Abort


def _restoring(session: Session, backup: Path, names: list[str]) -> Signer:
    """Return who acts; when nobody is signed in, sign in with a key of this computer or one that is to be restored."""
    from controller.services.signing_in import SignInNeededError

    application, out = session.application, session.output
    try:
        return application.person(session.person)
    except SignInNeededError:
        lost = [name.removeprefix("keys/").removesuffix(".p12") for name in names]
        held = {item.person for item in application.personal_keys.held()}
        known = held | {person for person in lost if person in application.staff.people}
        if session.person is None and len(known) != 1:
            raise
        wanted = session.person or next(iter(known))
        person = application.signing_in.person(wanted)
        prompt = out.text(T("{name}的签名口令", name=person.name))
        passphrase = session.passphrases.of(person.id, prompt, name=person.name)
        if passphrase is None:
            raise
        # A key that is missing or damaged here signs from the backup: nothing is taken back before it is written down.
        signing_in = application.signing_in_from(backup) if person.id in lost else application.signing_in
        return signing_in.sign_in(person.id, passphrase).signer


def _keys_statement(application: Application, by: Signer, event: Event, names: list[str]) -> None:
    from controller.services.statement_filing import StatementDraft

    by.ready("")
    application.statements.file(StatementDraft(TRAIL, event, subject="keys", new={"keys": list(names)}), by)


def acknowledged_by(out: Output, name: str) -> bool:
    """Show at the terminal what a certificate obliges to, and return whether the person agrees."""
    from controller.domain.people_statement import ACKNOWLEDGEMENT

    if out.as_json or not sys.stdin.isatty():
        return False
    out.line(ACKNOWLEDGEMENT)
    return agreed(out, T("{name}本人同意？", name=name))


def _ready_for_certificate(out: Output, known: TrustedPerson, *, acknowledged: bool) -> None:
    """Say what stands in the way of a certificate before anybody types a passphrase."""
    from controller.services.person_enrolment import AcknowledgementNeededError
    from controller.services.staff_directory import PersonRetiredError

    if not known.active:
        raise PersonRetiredError(name=known.name)
    if not acknowledged and not acknowledged_by(out, known.name):
        raise AcknowledgementNeededError(name=known.name)


def _new_passphrase(session: Session, known: TrustedPerson) -> str | None:
    out, rules = session.output, session.application.signing_rules

    def check(text: str) -> None:
        check_passphrase(text, rules=rules, person=known.id, name=known.name)

    prompt = out.text(T("{name}的签名口令（本人设置，不告诉任何人）", name=known.name))
    return session.passphrases.new(
        known.id, prompt, out.text(T("再输入一次")), name=known.name, rules=rules, check=check
    )


def _needed(out: Output, what: Text) -> Exception:
    from controller.services.personal_signer import PassphraseNeededError

    return PassphraseNeededError(meaning=out.text(what))


def _show_enrolled(application: Application, out: Output, done: Enrolled, *, by: Signer | None = None) -> int:
    known = done.person
    if by is not None:
        out.line(T("{by}已为{name}的证书作见证。", by=by.signatory.name, name=known.name))
    if done.missing:
        out.line(
            T("{name}的新证书已申请，还差 {count} 位见证人，现在还没有生效。", name=known.name, count=done.missing)
        )
        if known.certificate is not None:
            out.line(T("生效之前，原来的证书和口令照常使用。"))
        if done.possible:
            out.line(
                T(
                    "可以见证的人：{names}。各自登录后运行 qms person confirm {name}",
                    names=list(done.possible),
                    name=known.name,
                )
            )
        if len(application.people_standing.open_enrolments()) > 1:
            out.line(T("请先办完一位的见证，再为下一位发放证书：已生效的负责人也要作见证。"))
    else:
        out.line(T("{name}的证书已生效，可以登录：qms login {name}", name=known.name))
    out.line(T("证书指纹：{fingerprint}", fingerprint=done.certificate.paired))
    out.document(
        person_data(application, known)
        | {
            "new_certificate": done.certificate.text,
            "possible_witnesses": list(done.possible),
            "statement": f"{done.filed.path}.json",
            "commit": done.filed.commit,
        }
    )
    return 0
