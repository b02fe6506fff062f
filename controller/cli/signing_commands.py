"""命令 `qms doc sign`. Sign a document, see who has signed, sign the exemption for companies with too few people."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller.cli.commands import M, acting, command, option
from controller.cli.files import read_bytes, write_output
from controller.cli.questions import agreed
from controller.domain.identifiers import Digest
from controller.domain.text import T, moment_text

if TYPE_CHECKING:
    from controller.bootstrap import Application
    from controller.cli.main import Session
    from controller.cli.output import Output
    from controller.domain.document_set import SetStanding
    from controller.domain.document_signatures import DocumentSignature, DocumentSignatures, ElsewhereApproval
    from controller.services.signing_ports import Signer

_PDF_LIMIT = 512 * 1024 * 1024


@command("sign", M("签署一份文件（起草、审核、批准）：按签署路线核对顺序和岗位，签名归档。"))
@click.argument("number", metavar="NUMBER")
@option("--meaning", metavar="MEANING", required=True, help=M("签名含义：起草、审核或批准。"))
@option("--reason", metavar="TEXT", help=M("签署理由。"))
@option(
    "--seen",
    type=click.Path(path_type=Path, dir_okay=False),
    help=M("您看过的 PDF（由 qms doc print --signed 生成）；与将要签署的不一致时拒绝签署。"),
)
@acting
@click.pass_obj
def sign(session: Session, number: str, meaning: str, reason: str | None, seen: Path | None) -> int:
    application, out = session.application, session.output
    signer = application.person(session.person)
    looked_at = Digest.of(read_bytes(seen, limit=_PDF_LIMIT)) if seen is not None else None
    done = application.document_signing.sign(
        number,
        meaning,
        signer,
        reason=reason,
        seen=looked_at,
        show=lambda standing, pdf: _show_what_is_signed(
            session, standing, pdf, meaning=meaning, signer=signer, seen=seen
        ),
    )
    statement, standing = done.filed.statement, done.standing
    by = statement.by
    out.line(
        T(
            "已签署 {number} {revision}：{meaning}，{name}（{post}），{at}。",
            number=standing.number,
            revision=standing.revision,
            meaning=statement.meaning,
            name=by.name if by is not None else "",
            post=by.post if by is not None else "",
            at=statement.at,
        )
    )
    if done.exempted:
        out.line(T("依两人企业豁免签署：起草与审核为同一人。"))
    out.line(T("{standing}。", standing=standing.explain()))
    out.line(T("打印带签署页的 PDF：qms doc print {number} --signed --out 文件.pdf", number=standing.number))
    out.document(standing_data(standing, out) | {"statement": done.filed.digest.text, "commit": done.filed.commit})
    return 0


def _show_what_is_signed(
    session: Session, standing: DocumentSignatures, pdf: bytes, *, meaning: str, signer: Signer, seen: Path | None
) -> None:
    """Say what is about to be signed and lay the PDF out for reading, before the passphrase is asked for."""
    application, out = session.application, session.output
    shown = Digest.of(pdf)
    name = f"{standing.number}-{standing.revision.replace('/', '-')}-{shown.hex[:8]}.pdf"
    target = seen or application.local_folder / "待签" / name
    if seen is None and not (target.is_file() and target.read_bytes() == pdf):
        write_output(target, pdf, force=True)
    out.line(T("{name}将以“{meaning}”签署：", name=signer.signatory.name, meaning=meaning))
    out.line(f"  《{standing.title}》{standing.number} {standing.revision}")
    for item in standing.steps:
        if item.signature is not None:
            by = item.signature.by
            when = item.signature.at
            out.line(
                T("  已签：{step} {name}（{post}）{at}", step=item.step.label, name=by.name, post=by.post, at=when)
            )
    if all(item.signature is None for item in standing.steps):
        out.line(T("  还没有人签过。"))
    out.line(T("  文件内容摘要：{digest}", digest=standing.contents.grouped))
    out.line(T("  PDF：{file}", file=target))
    out.line(T("  PDF 摘要：{digest}", digest=shown.grouped))
    if seen is None and not out.as_json and sys.stdin.isatty() and not agreed(out, T("已看过这份 PDF，签署？")):
        raise click.Abort


@command("signatures", M("查看一份文件的签署情况：谁已签、谁的签名因改动作废、还缺谁。"))
@click.argument("number", metavar="NUMBER")
@click.pass_obj
def signatures(session: Session, number: str) -> int:
    out = session.output
    standing = session.application.document_signing.standing(number)
    out.line(f"《{standing.title}》{standing.number} {standing.revision}")
    rows: list[list[object]] = []
    for item in standing.steps:
        signed = item.signature
        if signed is None:
            rows.append([item.step.label, T("待签"), T("应由：{posts}", posts=item.posts), "", ""])
        else:
            aside = signed.told_on_paper or signed.reason or ""
            rows.append([item.step.label, signed.by.name, signed.by.post, moment_text(signed.at), aside])
    out.table([T("签署"), T("姓名"), T("岗位"), T("时间"), T("理由")], rows)
    for old in standing.elsewhere:
        out.line(f"{old.told}{'：' + out.text(old.flaw) if old.flaw is not None else ''}")
    for signed in standing.declined:
        out.line(f"{moment_text(signed.at)}  {signed.told_on_paper}")
    for signed in standing.voided:
        out.line(
            T(
                "已作废：{meaning} {name} {at}（{why}）",
                meaning=signed.meaning,
                name=signed.by.name,
                at=signed.at,
                why=signed.void_because or "",
            )
        )
    out.line(T("{standing}。", standing=standing.explain()))
    told = standing_data(standing, out)
    bound = session.application.document_sets.approval_of(standing.number)
    if bound is not None:
        told["set"] = _set_data(bound, standing.number)
        out.line(T("{standing}。", standing=bound.explain_of(standing.number)))
    out.document(told)
    return 0 if standing.complete else 1


def _set_data(bound: SetStanding, number: str) -> dict[str, Any]:
    approval = bound.approval
    return {
        "number": bound.number,
        "edition": bound.edition,
        "approved_by": approval.by.name if approval is not None else None,
        "approved_at": approval.at if approval is not None else None,
        "unchanged": bound.unchanged(number),
    }


@command("exempt", M("企业负责人签署两人企业豁免：起草与审核可为同一人，批准人不得为起草人。"))
@option("--reason", metavar="TEXT", required=True, help=M("豁免理由。"))
@option("--months", type=click.IntRange(0, 12), help=M("有效月数（默认：条款允许的最长期限；0：立即停用）。"))
@acting
@click.pass_obj
def exempt(session: Session, reason: str, months: int | None) -> int:
    application, out = session.application, session.output
    signer = application.person(session.person)
    until = application.document_exemption.sign(signer, reason=reason, months=months)
    if months == 0:
        out.line(T("豁免已停用。"))
    else:
        out.line(T("豁免已签署，有效至 {day}。", day=until))
    out.document({"until": until.isoformat(), "ended": months == 0})
    return 0


def print_signed(
    application: Application, out: Output, signer: Signer, number: str, target: Path, *, force: bool
) -> int:
    """Write the PDF with the signature page and all signatures that count."""
    standing = application.document_signing.standing(number)
    pdf = application.document_signing.shown(number)
    facts = {"format": "pdf", "signatures": str(sum(item.signature is not None for item in standing.steps))}

    def note(shown: Digest) -> None:
        application.trail.printed(signer, number, shown, facts=facts)

    write_output(target, pdf, force=force, before=note)
    out.line(T("已生成 {file}。", file=target))
    for item in standing.steps:
        if item.signature is not None and item.signature.paper is not None:
            out.line(f"  {item.signature.told_on_paper}")
    out.line(T("{standing}。", standing=standing.explain()))
    day = application.revision_table.effective(application.documents.document(number)) if standing.complete else ""
    if day:
        out.line(
            T(
                "{number} {revision} 自 {day} 起生效；这个日期不在签署的原件上（原件上如有生效日期，是签署时拟定的）。",
                number=number,
                revision=standing.revision,
                day=day,
            )
        )
    told = {"effective": day or None, "file": str(target), "digest": Digest.of(pdf).text}
    out.document(standing_data(standing, out) | told)
    return 0


def standing_data(standing: DocumentSignatures, out: Output) -> dict[str, Any]:
    """Return how a document stands as data."""
    return {
        "number": standing.number,
        "title": standing.title,
        "revision": standing.revision,
        "route": standing.route.key,
        "contents": standing.contents.text,
        "complete": standing.complete,
        "steps": [
            {
                "step": item.step.key,
                "meaning": item.step.meaning,
                "posts": item.posts,
                "signature": _signature_data(item.signature, out) if item.signature is not None else None,
            }
            for item in standing.steps
        ],
        "voided": [_signature_data(item, out) for item in standing.voided],
        "declined": [_signature_data(item, out) for item in standing.declined],
        "elsewhere": [_elsewhere_data(item, out) for item in standing.elsewhere],
    }


def _elsewhere_data(item: ElsewhereApproval, out: Output) -> dict[str, Any]:
    return {
        "steps": [{"meaning": meaning, "name": name, "date": day or None} for meaning, name, day in item.steps],
        "effective": item.effective or None,
        "by": {"person": item.by.person, "name": item.by.name, "post": item.by.post},
        "at": item.at,
        "statement": item.path,
        "scan": item.scan[0] if item.scan is not None else None,
        "flaw": out.text(item.flaw) if item.flaw is not None else None,
    }


def _signature_data(signed: DocumentSignature, out: Output) -> dict[str, Any]:
    return {
        "sequence": signed.sequence,
        "meaning": signed.meaning,
        "by": {"person": signed.by.person, "name": signed.by.name, "post": signed.by.post},
        "at": signed.at,
        "reason": signed.reason,
        "statement": signed.statement.text,
        "certificate": signed.certificate.text,
        "exempted": signed.exempted,
        "on_paper": signed.told_on_paper or None,
        "void_because": out.text(signed.void_because) if signed.void_because is not None else None,
    }
