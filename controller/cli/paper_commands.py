"""命令 `sheet` 和 `paper`. Print the sheet for a signature on paper; take in the signed one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller.cli.commands import M, acting, command, option
from controller.cli.files import read_bytes, write_output
from controller.domain.identifiers import RecordNumber
from controller.domain.paper_signature import OUTCOMES, SIGNED
from controller.domain.text import T

if TYPE_CHECKING:
    from datetime import datetime

    from controller.cli.main import Session
    from controller.domain.identifiers import Digest
    from controller.domain.paper_signature import PaperSignature
    from controller.services.paper_sheet import PaperSheet
    from controller.services.paper_signing import TakenPaper
    from controller.services.signing_ports import Signer

_MEANING = option("--meaning", metavar="MEANING", required=True, help=M("纸上签名的含义，例如 批准、客户确认。"))
_OUT = option(
    "--out", "target", required=True, type=click.Path(path_type=Path), help=M("保存为哪个文件（.pdf 或 .docx）。")
)
_FORCE = option("--force", is_flag=True, help=M("文件已存在时覆盖。"))
_SCAN = option(
    "--scan",
    type=click.Path(path_type=Path, dir_okay=False),
    help=M("签好的签署单的扫描件（PDF、JPEG 或 PNG）；您以签名证明看过原件。"),
)
_OUTCOME = option(
    "--outcome",
    type=click.Choice(list(OUTCOMES)),
    default=SIGNED,
    metavar="OUTCOME",
    help=M("结果：“已签”（默认）、“拒签”或“无法取得”。"),
)
_REASON = option("--reason", metavar="TEXT", help=M("拒签或无法取得的原因。"))
_DATE = option(
    "--date", "on", type=click.DateTime(["%Y-%m-%d"]), help=M("纸上所写的签名日期（默认：今天），如 2026-01-01。")
)
_UNREAD = option("--unread", is_flag=True, help=M("二维码读不出时：确认已人工核对编号和摘要。"))
_Command = Callable[..., int]


def _printing(function: _Command) -> _Command:
    """Decorator: add the options that every sheet for a signature takes."""
    named = option("--signer", metavar="NAME", default="", help=M("签名人姓名或单位（可不写）。"))
    return _MEANING(named(_OUT(_FORCE(acting(function)))))


def _taking(function: _Command) -> _Command:
    """Decorator: add the options that the taking in of every signature takes, beside its `--signer`."""
    return _SCAN(_MEANING(_OUTCOME(_REASON(_DATE(_UNREAD(acting(function)))))))


@command("sheet", M("打印一份记录的纸质签署单（含摘要和二维码），供亲笔签名、盖章。"))
@click.argument("number")
@_printing
@click.pass_obj
def record_sheet(session: Session, number: str, meaning: str, signer: str, target: Path, *, force: bool) -> int:
    from controller.services.paper_sheet import record_sheet as sheet_of

    application = session.application
    by = application.person(session.person)
    stored = application.records.read(RecordNumber(number))
    now = application.clock.now()
    sheet = sheet_of(stored, meaning=meaning, signer=signer, by=by.signatory, at=now)
    return _print(session, sheet, by, number, target, force=force)


@command("paper", M("归档纸质签名的扫描件，或拒签、无法取得的原因。"))
@click.argument("number")
@option("--signer", metavar="NAME", required=True, help=M("在纸上签名（或被请求签名）的人的姓名。"))
@option("--post", metavar="POST", default="", help=M("签名人的岗位或职务。"))
@option("--organisation", metavar="ORGANISATION", default="", help=M("签名人的单位。"))
@option("--entry", type=click.IntRange(1), help=M("二维码读不出时：签署单上印的条目序号（默认：最新条目）。"))
@option("--field", metavar="FIELD", help=M("同时填入表单的哪个外部签字栏（表单上的名称）。"))
@option("--sealed", is_flag=True, help=M("扫描件上有敏感个人信息，加密保存。"))
@_taking
@click.pass_obj
def record_paper(
    session: Session,
    /,
    number: str,
    post: str,
    organisation: str,
    entry: int | None,
    field: str | None,
    *,
    sealed: bool,
    **written: Any,
) -> int:
    application, out = session.application, session.output
    by = application.person(session.person)
    paper = _taken(**written, post=post, organisation=organisation, entry=entry, field=field, secret=sealed)
    filed, signature = application.paper_signing.take_in(RecordNumber(number), paper, by)
    out.line(T("已归档：{number}", number=filed.number))
    before = filed.state.entries - 1
    out.line(f"  {signature.told(by.signatory, last=before)}")
    if signature.sequence != before:
        out.line(
            T(
                "注意：打印签署单之后记录又有改动；签名只覆盖第 {entry} 个条目时的内容（现有 {entries} 个）。",
                entry=signature.sequence,
                entries=before,
            )
        )
    out.document(
        {"number": filed.number.text, "digest": filed.digest.text, "changed_since": signature.sequence != before}
        | _paper_data(signature)
    )
    return 0


@command("sheet", M("打印一份文件的纸质签署单（含摘要和二维码）。"))
@click.argument("number", metavar="NUMBER")
@_printing
@click.pass_obj
def document_sheet(session: Session, number: str, meaning: str, signer: str, target: Path, *, force: bool) -> int:
    from controller.services.paper_sheet import document_sheet as sheet_of

    application = session.application
    by = application.person(session.person)
    standing = application.document_signing.standing(number)
    now = application.clock.now()
    sheet = sheet_of(standing, application.identity, meaning=meaning, signer=signer, by=by.signatory, at=now)
    return _print(session, sheet, by, standing.number, target, force=force)


@command("paper", M("归档纸质批准的扫描件，或拒签、无法取得的原因。"))
@click.argument("number", metavar="NUMBER")
@option("--signer", metavar="NAME", required=True, help=M("在纸上签名的人（在册人员，姓名或工号）。"))
@_taking
@click.pass_obj
def document_paper(session: Session, /, number: str, **written: Any) -> int:
    from controller.cli.signing_commands import standing_data

    application, out = session.application, session.output
    by = application.person(session.person)
    paper = _taken(**written)
    done, signature = application.document_paper.take_in(number, paper, by)
    standing = done.standing
    out.line(T("已归档：{number}", number=f"{standing.number} {standing.revision}"))
    out.line(f"  {signature.told(by.signatory)}")
    out.line(T("{standing}。", standing=standing.explain()))
    out.document(standing_data(standing, out) | {"statement": done.filed.digest.text, "paper": _paper_data(signature)})
    return 0


@command("scans", M("把一份文件的纸质签名扫描件保存到文件夹。"))
@click.argument("number", metavar="NUMBER")
@option(
    "--out", "folder", required=True, type=click.Path(path_type=Path, file_okay=False), help=M("保存到哪个文件夹。")
)
@acting
@click.pass_obj
def document_scans(session: Session, number: str, folder: Path) -> int:
    from controller.cli.attachment_output import write_beside
    from controller.domain.identifiers import Digest

    application, out = session.application, session.output
    by = application.person(session.person)
    scans = application.document_paper.scans(number)
    subject = application.document_signing.standing(number).number
    old = application.document_paper.old_scans(number)
    if scans or old:
        files = {item.name: Digest.of(item.data) for item in scans}
        files |= {name: Digest.of(data) for _approval, name, data in old}
        application.trail.exported(by, subject, files=files)
    told = []
    for item in scans:
        path = write_beside(folder, item.name, item.data)
        out.line(T("已取出 {file}", file=path))
        out.line(f"  {item.signature.told_on_paper}")
        told.append({"file": str(path), "on_paper": item.signature.told_on_paper})
    for approval, name, data in old:
        path = write_beside(folder, name, data)
        out.line(T("已取出 {file}", file=path))
        out.line(f"  {approval.told}")
        told.append({"file": str(path), "on_paper": approval.told})
    if not told:
        out.line(T("这份文件没有纸质签名的扫描件。"))
    out.document({"number": subject, "folder": str(folder), "scans": told})
    return 0


def _print(session: Session, sheet: PaperSheet, by: Signer, subject: str, target: Path, *, force: bool) -> int:
    from controller.adapters.paper_sheet_drawing import draw_paper_sheet

    application, out = session.application, session.output
    suffix = target.suffix.lower()
    if suffix not in {".pdf", ".docx"}:
        raise click.UsageError(out.text(T("签署单的文件名应以 .pdf 或 .docx 结尾。")))
    data = draw_paper_sheet(sheet)
    if suffix == ".pdf":
        data = application.printing.print(data).data

    def note(shown: Digest) -> None:
        facts = {"format": suffix[1:], "sheet": sheet.meaning}
        application.trail.printed(by, subject, shown, facts=facts)

    write_output(target, data, force=force, before=note)
    out.line(T("已生成 {file}。", file=target))
    out.document({"file": str(target), "code": sheet.code.text})
    return 0


def _taken(*, scan: Path | None, on: datetime | None, **written: Any) -> TakenPaper:
    """Return what the options say of a signature on paper, with the bytes of its scan."""
    from controller.file_formats.scan_file import LARGEST
    from controller.services.paper_signing import TakenPaper

    return TakenPaper(
        **written,
        name=scan.name if scan is not None else "",
        scan=read_bytes(scan, limit=LARGEST + 1) if scan is not None else None,
        on=on.date() if on is not None else None,
    )


def _paper_data(signature: PaperSignature) -> dict[str, object]:
    """Return a paper signature as data."""
    return {
        "meaning": signature.meaning,
        "outcome": signature.kind,
        "signer": signature.name,
        "post": signature.post,
        "organisation": signature.organisation,
        "date": signature.on.isoformat() if signature.on is not None else None,
        "covers": {"sequence": signature.sequence, "digest": signature.covers.text},
        "code_read": signature.code_read,
        "scan": signature.scan.digest.text if signature.scan is not None else None,
        "reason": signature.reason,
    }
