"""命令 `qms doc`. List, show, parse and check procedures; external documents and the checklist."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller.cli.commands import M, group, option
from controller.cli.document_revision_view import told_status
from controller.cli.document_standing import review_flag, standing_facts, standing_rows
from controller.cli.document_view import (
    control_data,
    note_data,
    piece_data,
    segment_data,
    show_note,
    show_piece,
    show_segment,
)
from controller.cli.files import read_bytes
from controller.cli.reference_commands import reference_data
from controller.cli.training_view import share_shown
from controller.domain.conformity import Gravity
from controller.domain.errors import QmsError
from controller.domain.text import T

if TYPE_CHECKING:
    from controller.cli.main import Session
    from controller.services.text_reading import ReadText

_FILE = click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))


_SIGNING = "controller.cli.signing_commands"
_PAPER = "controller.cli.paper_commands"
_WORD = "controller.cli.document_word_commands"
_HISTORY = "controller.cli.document_history_commands"
_PRINT = "controller.cli.document_print_commands"
_LAZY = {
    "import": (
        "controller.cli.document_import_commands:import_",
        M("导入一篇文件；或分两步导入整个旧文件夹：先生成对照表（--plan），核对后按表导入（--mapping）。"),
    ),
    "workload": (
        "controller.cli.workload_commands:workload",
        M("工作量：文件里的时限和频次落到谁身上，每人每年多少次。"),
    ),
    "links": ("controller.cli.reference_commands:links", M("引用关系：一份文件引用了谁、被谁引用，哪些引用已失效。")),
    "print": (f"{_PRINT}:print_", M("打印一份文件，每页注明受控状态；或打印体系文件汇编（--set）。")),
    "approve-set": (f"{_PRINT}:approve_set", M("批准体系文件汇编：一次签署，列明全部文件的版本和摘要。")),
    "history": (f"{_HISTORY}:history", M("一份文件的更改历史：每次更改的时间、更改人、原因和签署；可生成网页。")),
    "diff": (f"{_HISTORY}:diff", M("对比两个版本：条款的增删、修改、移动、改编号；可生成网页或 Word 修订稿。")),
    "blame": (f"{_HISTORY}:blame", M("条款溯源：每一条最近在哪个版本、由谁、为何更改，谁批准；可查以前的写法。")),
    "as-of": (f"{_HISTORY}:as_of", M("某一天的体系状态：当天有效的文件、表单、台账、清单及其版本；也可写将来的日期。")),
    "checkout": (f"{_WORD}:checkout", M("签出一份文件为 Word 文件，供修改；登记谁签出了它。")),
    "checkin": (f"{_WORD}:checkin", M("签入改好的 Word 文件：列出谁改了哪一条，收进草稿。")),
    "sign": (f"{_SIGNING}:sign", M("签署一份文件（起草、审核、批准）：按签署路线核对顺序和岗位，签名归档。")),
    "signatures": (f"{_SIGNING}:signatures", M("查看一份文件的签署情况：谁已签、谁的签名因改动作废、还缺谁。")),
    "sheet": (f"{_PAPER}:document_sheet", M("打印一份文件的纸质签署单（含摘要和二维码）。")),
    "paper": (f"{_PAPER}:document_paper", M("归档纸质批准的扫描件，或拒签、无法取得的原因。")),
    "scans": (f"{_PAPER}:document_scans", M("把一份文件的纸质签名扫描件保存到文件夹。")),
    "exempt": (f"{_SIGNING}:exempt", M("企业负责人签署两人企业豁免：起草与审核可为同一人，批准人不得为起草人。")),
}


@group("doc", M("程序文件：列出、查看、打印、签署、导入、解析。"), lazy=_LAZY)
def doc() -> None:
    pass


@doc.command("list", help=M("列出全部程序、制度、职责文件。"))
@option("--class", "class_word", metavar="CLASS", help=M("只列一类：程序、制度、职责或手册。"))
@click.pass_obj
def list_documents(session: Session, class_word: str | None) -> int:
    out = session.output
    application = session.application
    documents = [item for item in application.documents.documents() if class_word in {None, item.class_word}]
    asked = {item.number: item for item in application.training.of({str(i.number): str(i.revision) for i in documents})}
    rows: list[list[object]] = []
    for item in documents:
        row: list[object] = [item.number, item.title, item.revision, item.class_word, item.owner]
        standing = asked.get(str(item.number))
        row += [share_shown(standing) if standing is not None else ""] if asked else []
        rows.append([*row, item.status_note or "", review_flag(application, item.number.text)])
    heads = [T("编号"), T("名称"), T("版本"), T("类别"), T("归口部门"), *([T("阅知")] if asked else [])]
    out.table([*heads, T("说明"), T("评审")], rows)
    shares = {number: standing.share for number, standing in asked.items()}
    out.document({"documents": [control_data(i) | {"read_percent": shares.get(str(i.number))} for i in documents]})
    return 0


# -- show ------------------------------------------------------------------------------------------------------


@doc.command("show", help=M("查看一份文件：控制栏、条款、相关表单和对标提示。"))
@click.argument("number", metavar="NUMBER")
@option("--revision", metavar="REVISION", help=M("看哪个版本，作废的、待生效的也可以（默认：现行）。"))
@click.pass_obj
def show(session: Session, number: str, revision: str | None) -> int:
    out, application = session.output, session.application
    past = application.document_prints.find(number, revision=revision) if revision is not None else None
    library = past.library if past is not None else application.documents
    with application.withdrawn_documents.told(number):
        number = past.number if past is not None else library.resolve(number)
    shown = library.show(number)
    document = shown.document
    life = application.document_history.timeline(number).revision(document.revision.text) if past is not None else None
    today = application.clock.now().astimezone(application.zone).date()
    rows: list[list[object]] = [
        [T("文件名称"), document.title],
        [T("文件编号"), document.number],
        [T("版本"), document.revision],
        [T("类别"), document.class_word],
        [T("归口部门"), document.owner],
    ]
    if life is not None:
        rows.insert(3, [T("状态"), told_status(life, today)])
    read = session.application.training.line(number, str(document.revision))
    if read is not None:
        rows.append([T("培训"), read])
    for label, step in ((T("起草"), document.drafted), (T("审核"), document.reviewed), (T("批准"), document.approved)):
        if step is not None:
            rows.append([label, T("{who}（系统外，不是本系统的签名）", who=f"{step.name} {step.date or ''}".strip())])
    if document.effective:
        rows.append([T("生效日期"), document.effective])
    if document.former_number:
        rows.append([T("原编号"), document.former_number])
    if document.former_revision:
        rows.append([T("原版本"), document.former_revision])
    for row in document.history:
        said = f"{row.revision} {row.date or ''} {row.clauses} {row.reason} {row.by}"
        told = " ".join(said.split())
        rows.append([T("修订记录"), T("{row}（系统外）", row=told) if row.elsewhere else told])
    if document.former_block:
        rows.append([T("原控制栏"), "\n".join(document.former_block)])
    if document.forms:
        rows.append([T("名下表单"), document.forms])
    if document.basis:
        rows.append([T("引用外来文件"), document.basis])
    if document.related:
        rows.append([T("相关文件"), document.related])
    if document.applies_if:
        rows.append([T("适用条件"), document.applies_if])
    if document.status_note:
        rows.append([T("说明"), document.status_note])
    governs = past is None or past.in_force
    rows += standing_rows(application, number) if governs else []
    out.table([T("项目"), T("内容")], rows)
    out.line()
    for piece in shown.segment.pieces:
        show_piece(piece, out, document)
    if shown.notes:
        out.line()
        out.line(T("对标提示（仅屏幕显示，不打印，不进入资料包）："))
    for note in shown.notes:
        show_note(note, out)
    references = application.reference_keeping().of(number) if out.as_json and governs else []
    out.document(
        control_data(document)
        | {
            "read": out.text(read) if read is not None else None,
            "references": [reference_data(item) for item in references],
            "standing": standing_facts(application, number, out) if governs else None,
            "revision_status": life.status(today).value if life is not None else None,
            "until": life.until.isoformat() if life is not None and life.until is not None else None,
            "text": shown.text,
            "clause_ids_fit": shown.ids_fit,
            "pieces": [piece_data(piece) for piece in shown.segment.pieces],
            "screen_only_notes": [note_data(note) for note in shown.notes],
        }
    )
    return 0


# -- parse -----------------------------------------------------------------------------------------------------


@doc.command("parse", help=M("解析文本或 docx：分篇、条款、检查发现；不需要工作区，不改动任何内容。"))
@_FILE
@option("--print", "print_back", is_flag=True, help=M("把文本逐字节原样输出，不显示其他内容。"))
@click.pass_obj
def parse(session: Session, file: Path, print_back: bool) -> int:
    out = session.output
    read = _read(file)
    if print_back and not out.as_json:
        click.echo(read.printed(), nl=False)
        return 0
    out.line(T("{name}：{count} 篇文件", name=file.name, count=len(read.parsed.segments)))
    for place, segment in enumerate(read.parsed.segments, start=1):
        show_segment(place, segment, out)
    if read.findings:
        out.line()
        out.line(T("检查发现 {count} 条：", count=len(read.findings)))
        out.findings(read.findings)
    data: dict[str, Any] = {
        "file": file.name,
        "encoding": read.encoding,
        "head": [piece_data(piece) for piece in read.parsed.head],
        "segments": [segment_data(place, item) for place, item in enumerate(read.parsed.segments, start=1)],
        "findings": [out.finding_data(item) for item in read.findings],
    }
    if print_back:
        data["text"] = read.text.encode("utf-8", "replace").decode("utf-8")
    out.document(data)
    return 1 if any(item.gravity is Gravity.ERROR for item in read.findings) else 0


def _read(file: Path) -> ReadText:
    from controller.bootstrap import read_document_file
    from controller.services.text_reading import MAX_BYTES

    return read_document_file(read_bytes(file, limit=MAX_BYTES), name=file.name)


# -- lint, checklist, external documents -----------------------------------------------------------------------


@doc.command("lint", help=M("检查全部文件：编号、条款、引用的表单和外来文件。"))
@click.argument("numbers", metavar="[NUMBER]...", nargs=-1)
@option("--working/--approved", "working", default=True, help=M("检查文件夹里的文件（默认），或已批准的版本。"))
@click.pass_obj
def lint(session: Session, numbers: tuple[str, ...], working: bool) -> int:
    from controller.services.document_check import check_documents

    out = session.output
    library = session.application.document_library(working=working)
    wanted = {library.resolve(number) for number in numbers}
    former = session.application.former_items
    found = [item for item in check_documents(library, former) if not wanted or item.subject in wanted]
    for number in sorted(wanted or library.numbers()):
        with suppress(QmsError):  # what cannot be read is told already
            document = library.document(number)
            found += session.application.revision_table.findings(document) if document.history else []
    out.findings(found)
    errors = sum(item.gravity is Gravity.ERROR for item in found)
    out.line(
        T(
            "检查了 {count} 份文件：不符合 {errors}，共发现 {all} 条。",
            count=len(wanted or library.numbers()),
            errors=errors,
            all=len(found),
        )
    )
    out.document({"findings": [out.finding_data(item) for item in found], "errors": errors})
    return 1 if errors else 0


@doc.command("checklist", help=M("现场检查对照表：每个检查项和本企业的证据。"))
@option("--key", "key_only", is_flag=True, help=M("只看关键项目（※）。"))
@click.pass_obj
def checklist(session: Session, key_only: bool) -> int:
    out = session.output
    listed = session.application.documents.checklist()
    items = [item for item in listed.items if item.key or not key_only]
    out.table(
        [T("序号"), T("条款"), T("检查项"), T("检查员会看"), T("本企业的证据"), T("自查")],
        [
            [
                item.no,
                ("※" if item.key else "") + item.clause,
                item.topic,
                item.looks_at,
                item.evidence,
                item.self_check or "",
            ]
            for item in items
        ],
    )
    out.line(T("共 {count} 项，其中关键项目 {keys} 项。", count=len(items), keys=sum(item.key for item in items)))
    out.document(
        {
            "source": listed.source,
            "items": [
                {
                    "no": item.no,
                    "clause": item.clause,
                    "key": item.key,
                    "topic": item.topic,
                    "looks_at": item.looks_at,
                    "evidence": list(item.evidence),
                    "self_check": item.self_check,
                }
                for item in items
            ],
        }
    )
    return 0


@doc.command("external", help=M("外来文件清单：有效性和核对程度。"))
@click.pass_obj
def external(session: Session) -> int:
    out = session.output
    listed = session.application.documents.external_documents()
    out.table(
        [T("编号"), T("名称"), T("文号"), T("实施日期"), T("有效性"), T("核对程度")],
        [
            [item.id, item.title, item.document_no or "", item.effective or "", item.validity.value, item.certainty]
            for item in listed.documents
        ],
    )
    if listed.checked_on:
        out.line(T("上次识别：{day}", day=listed.checked_on))
    out.document(
        {
            "checked_on": listed.checked_on,
            "documents": [
                {
                    "id": item.id,
                    "title": item.title,
                    "document_no": item.document_no,
                    "issuer": item.issuer,
                    "issued": item.issued,
                    "effective": item.effective,
                    "validity": item.validity.value,
                    "certainty": item.certainty,
                    "concerns": item.concerns,
                    "note": item.note,
                }
                for item in listed.documents
            ],
        }
    )
    return 0
