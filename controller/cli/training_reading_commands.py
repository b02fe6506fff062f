"""命令 `qms training read`. Read a revision, answer its questions, sign to have read and understood it.

The file that is handed out is marked as a copy for training; what the signature names is the text without the mark, so
that the same revision has one digest for everybody.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller.cli.commands import M, acting, command, option
from controller.cli.files import read_bytes, write_output
from controller.cli.questions import agreed
from controller.cli.training_commands import resolved_number
from controller.cli.training_view import standing_data
from controller.domain.text import T

if TYPE_CHECKING:
    from controller.bootstrap import Application
    from controller.cli.main import Session
    from controller.cli.output import Output
    from controller.domain.identifiers import Digest
    from controller.domain.training_questions import QuestionSheet
    from controller.domain.training_standing import TrainingStanding
    from controller.services.signing_ports import Signer
    from controller.services.training_text import TrainingText


@command("read", M("阅读一份文件的版本并签名“阅知”；有考题的先答题。"))
@click.argument("number", metavar="NUMBER")
@option("--revision", metavar="REV", help=M("哪个版本（默认：要读的最新版本）。"))
@option(
    "--out",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help=M("把文本写到哪里（默认：.qms 里的“待阅”文件夹）。"),
)
@option("--answers", metavar="TEXT", help=M("考题的答案：文件，或“1A 2BC 3对”。"))
@option("--understood", is_flag=True, help=M("已读完并理解，直接签名（不再询问）。"))
@option("--force", is_flag=True, help=M("文件已存在时覆盖。"))
@acting
@click.pass_obj
def read(
    session: Session,
    number: str,
    revision: str | None,
    target: Path | None,
    answers: str | None,
    *,
    understood: bool,
    force: bool,
) -> int:
    application, out = session.application, session.output
    signer = application.person(session.person)
    service = application.training
    chosen = _to_read(application, resolved_number(application, number), revision, signer)
    standing, _own = service.to_read(chosen.number, chosen.revision, signer)
    text = service.text(standing.number, standing.revision)
    sheet = service.questions(standing)
    file = _hand_out(application, signer, text, target, force=force)
    out.line(f"《{text.title}》{text.number} {text.revision}")
    out.line(T("  文本：{file}", file=file))
    out.line(T("  摘要：{digest}", digest=text.digest.grouped))
    if standing.effective:
        out.line(T("  生效日期：{day}", day=standing.effective))
    told: dict[str, Any] = {"file": str(file), "text": text.digest.text}
    at_terminal = sys.stdin.isatty() and not out.as_json
    if not understood and not at_terminal:
        if sheet is not None:
            _show_questions(sheet, out)
        answers_too = ' --answers "1A 2B"' if sheet is not None else ""
        out.line(
            T(
                "还没有签名。读完后运行：qms training read {number} --understood{answers}",
                number=text.number,
                answers=answers_too,
            )
        )
        out.document(told | {"signed": False, "training": standing_data(standing, out), **_asked(sheet)})
        return 0
    given = _given(answers)
    if not understood:
        if not agreed(out, T("已读完这份文本？")):
            raise click.Abort
        if sheet is not None and given is None:
            given = _ask(sheet, out, standing)
        if not agreed(out, T("以“阅知”签名：本人已阅读并理解，将按它执行？")):
            raise click.Abort
    done = service.understood(text.number, text.revision, signer, shown=text.digest, answers=given)
    name = signer.signatory.name
    if done.asked:
        out.line(
            T("答对 {right}/{asked} 题，得 {score} 分。", right=done.right, asked=done.asked, score=done.own.score)
        )
    if done.passed:
        out.line(T("已签名：{name}阅知 {number} {revision}。", name=name, number=text.number, revision=text.revision))
        out.line(T("{standing}。", standing=done.standing.explain()))
    else:
        rest = done.standing.most_attempts - done.own.attempts
        out.line(
            T("未达到 {mark} 分，没有签阅知；还可以答 {rest} 次。", mark=done.standing.pass_mark, rest=max(rest, 0))
        )
    out.document(
        told
        | {
            "signed": done.passed,
            "right": done.right,
            "asked": done.asked,
            "statement": done.filed.digest.text,
            "training": standing_data(done.standing, out),
        }
    )
    return 0 if done.passed else 1


def _to_read(application: Application, number: str, revision: str | None, signer: Signer) -> TrainingStanding:
    """Return the revision that the person is to read: the newest that still waits for them, else the newest."""
    if revision is not None:
        return application.training.standing(number, revision.strip().upper())
    found = application.training.all(number)
    for standing in found:
        own = standing.of(signer.signatory.person)
        if own is not None and not own.settled:
            return standing
    return application.training.newest(number)


def _hand_out(
    application: Application, signer: Signer, text: TrainingText, target: Path | None, *, force: bool
) -> Path:
    """Write the text, marked as a copy for training on every page, after the trail says so."""
    from controller.cli.document_print_commands import stamp_facts
    from controller.domain.print_stamp import PrintStamp, StampKind

    now = application.clock.now()
    by = signer.signatory.name
    prints = application.document_prints
    note = prints.dated(prints.find(text.number, revision=text.revision)).note if text.suffix == ".pdf" else ""
    stamp = PrintStamp(StampKind.TRAINING, text.number, text.revision, None, None, now, None, by, note)
    stamping = application.pdf_stamping if text.suffix == ".pdf" else application.docx_stamping
    told = f"{text.digest.hex[:8]}{''.join(filter(str.isdigit, note))}"
    name = f"{text.number}-{text.revision.replace('/', '-')}-{told}-{signer.signatory.person}{text.suffix}"
    file = target or application.local_folder / "待阅" / name
    if target is None and file.is_file():
        return file  # handed out before, the same text to the same person
    facts = stamp_facts(stamp) | {"format": text.suffix.removeprefix("."), "text": text.digest.text}

    def trail(shown: Digest) -> None:
        application.trail.printed(signer, text.number, shown, facts=facts)

    write_output(file, stamping.stamped(text.data, stamp), force=force, before=trail)
    return file


def _given(answers: str | None) -> str | None:
    """Return the answers that were given with the command: as text, or in a file of that name."""
    from controller.file_formats.import_rows import decode_text
    from controller.file_formats.question_file import QUESTIONS_LIMIT

    if answers is None:
        return None
    path = Path(answers)
    if len(answers) < 200 and path.is_file():  # noqa: PLR2004 - longer than names of files are
        return decode_text(read_bytes(path, limit=QUESTIONS_LIMIT), where=path.name)
    return answers


def _show_questions(sheet: QuestionSheet, out: Output) -> None:
    for number, item in enumerate(sheet.questions, 1):
        out.line(T("{number}．【{kind}】{ask}", number=number, kind=item.kind.value, ask=item.ask))
        for letter, choice in zip("ABCDEFGH", item.choices, strict=False):
            out.line(f"   {letter}. {choice}")


def _ask(sheet: QuestionSheet, out: Output, standing: TrainingStanding) -> str:
    """Ask every question at the terminal until each has an answer; nobody is told which is right."""
    from controller.domain.training_questions import normalised, written

    out.line(T("共 {count} 题，{mark} 分及格。", count=len(sheet.questions), mark=standing.pass_mark))
    answers: list[str] = []
    for number, item in enumerate(sheet.questions, 1):
        out.line(T("{number}．【{kind}】{ask}", number=number, kind=item.kind.value, ask=item.ask))
        for letter, choice in zip("ABCDEFGH", item.choices, strict=False):
            out.line(f"   {letter}. {choice}")
        while True:
            answer = normalised(str(click.prompt(out.text(T("答案")), err=True)))
            problem = item.problem_of(answer)
            if problem is None:
                break
            out.note(T("{problem}。", problem=problem))
        answers.append(answer)
    return written(tuple(answers))


def _asked(sheet: QuestionSheet | None) -> dict[str, Any]:
    """Return the questions without their answers."""
    items = sheet.questions if sheet is not None else ()
    return {"questions": [{"ask": i.ask, "kind": i.kind.value, "choices": list(i.choices)} for i in items]}
