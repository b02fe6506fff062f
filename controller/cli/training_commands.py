"""命令 `qms training`. Who has to read which revision: list, assign, questions, waive; the notice of what changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.cli.commands import M, acting, group, option
from controller.cli.files import read_bytes, write_output
from controller.cli.training_view import notice_data, show_people, show_standings, standing_data
from controller.domain.errors import RefusedError
from controller.domain.identifiers import Digest, DocumentNumber
from controller.domain.text import T

if TYPE_CHECKING:
    from datetime import datetime

    from controller.bootstrap import Application
    from controller.cli.main import Session
    from controller.domain.training_standing import TrainingStanding

_PATH = click.Path(path_type=Path, dir_okay=False)
_NUMBER = click.argument("number", metavar="NUMBER")
_REVISION = option("--revision", metavar="REV", help=M("哪个版本（默认：要读的最新版本）。"))
_FORCE = option("--force", is_flag=True, help=M("文件已存在时覆盖。"))


class NoticeKindError(RefusedError):
    """通知的文件类型不对."""

    code = "notice-kind"

    def __init__(self, *, path: Path) -> None:
        super().__init__(
            T("不能把更改通知写成“{suffix}”文件。", suffix=path.suffix or path.name),
            hint=T("输出文件名请以 .docx、.pdf 或 .html 结尾。"),
        )


_LAZY = {
    "read": ("controller.cli.training_reading_commands:read", M("阅读一份文件的版本并签名“阅知”；有考题的先答题。"))
}


@group("training", M("阅知：谁要读哪份文件、阅读签名、答题、豁免，按岗位的更改通知。"), lazy=_LAZY)
def training() -> None:
    pass


@training.command("list", help=M("列出要阅知的文件、比例和还缺谁；可只看自己或某人。"))
@option("--mine", is_flag=True, help=M("只看自己要读的。"))
@option("--person", metavar="PERSON", help=M("只看某人要读的。"))
@option("--number", metavar="NUMBER", help=M("只看一份文件，逐人列出。"))
@option("--all", "everything", is_flag=True, help=M("连同已被替代的版本。"))
@acting
@click.pass_obj
def list_training(session: Session, *, mine: bool, person: str | None, number: str | None, everything: bool) -> int:
    from controller.services.staff_directory import active_person

    application, out = session.application, session.output
    wanted = None
    if mine:
        wanted = application.person(session.person).signatory.person
    elif person is not None:
        wanted = active_person(application.staff, person).id
    found = application.training.all(resolved_number(application, number) if number is not None else None)
    if not everything:
        found = _present(application, found)
    if wanted is not None:
        found = [item for item in found if item.of(wanted) is not None]
    if number is not None and wanted is None:
        for standing in found:
            show_people(standing, out)
    else:
        show_standings(found, out, person=wanted)
    if not found:
        out.line(T("没有要阅知的文件。"))
    out.document({"training": [standing_data(item, out) for item in found]})
    return 0


@training.command("assign", help=M("布置阅知：哪些岗位、哪些人要读一个版本；不写则按内容所涉岗位。"))
@_NUMBER
@_REVISION
@option("--post", "posts", metavar="POST", multiple=True, help=M("岗位；以后任这个岗位的人也要读；可重复。"))
@option("--person", "people", metavar="PERSON", multiple=True, help=M("另加的人；可重复。"))
@option("--questions", "questions", type=_PATH, metavar="FILE", help=M("考题文件（YAML）。"))
@option("--effective", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help=M("生效日期。"))
@option("--reason", metavar="TEXT", help=M("为何布置。"))
@acting
@click.pass_obj
def assign(
    session: Session,
    number: str,
    revision: str | None,
    posts: tuple[str, ...],
    people: tuple[str, ...],
    questions: Path | None,
    effective: datetime | None,
    reason: str | None,
) -> int:
    application, out = session.application, session.output
    signer = application.person(session.person)
    known = resolved_number(application, number)
    newest, title = _newest(application, known)
    wanted = revision or newest
    standing = application.training.find(known, wanted)
    if not posts and not people and standing is None:
        posts = tuple(application.training_notices.posts_concerned(known, revision=wanted))
    done = application.training.assign(
        known,
        wanted,
        signer,
        title=title,
        posts=posts,
        people=people,
        questions=_sheet(questions),
        effective=effective.date().isoformat() if effective is not None else None,
        reason=reason,
    )
    out.line(T("已布置阅知 {number} {revision}。", number=known, revision=wanted))
    show_people(done, out)
    out.document(standing_data(done, out))
    return 0


@training.command("questions", help=M("给一个版本的阅知配考题；从此要答题达到及格分才能签阅知。"))
@_NUMBER
@click.argument("file", metavar="FILE", type=_PATH)
@_REVISION
@acting
@click.pass_obj
def questions(session: Session, number: str, file: Path, revision: str | None) -> int:
    application, out = session.application, session.output
    signer = application.person(session.person)
    known = resolved_number(application, number)
    service = application.training
    standing = service.standing(known, revision) if revision else service.newest(known)
    done = service.assign(known, standing.revision, signer, questions=_sheet(file))
    sheet = service.questions(done)
    count = len(sheet.questions) if sheet is not None else 0
    facts = {"number": known, "revision": done.revision, "count": count, "mark": done.pass_mark}
    out.line(T("{number} {revision} 阅知配了 {count} 道考题，{mark} 分及格。", **facts))
    out.document(standing_data(done, out))
    return 0


@training.command("waive", help=M("豁免一人的阅知，写明理由；不能豁免自己。"))
@_NUMBER
@click.argument("person", metavar="PERSON")
@_REVISION
@option("--reason", metavar="TEXT", required=True, help=M("理由。"))
@acting
@click.pass_obj
def waive(session: Session, number: str, person: str, revision: str | None, reason: str) -> int:
    application, out = session.application, session.output
    signer = application.person(session.person)
    known = resolved_number(application, number)
    service = application.training
    standing = service.standing(known, revision) if revision else service.newest(known)
    done = service.waive(known, standing.revision, person, signer, reason=reason)
    out.line(T("已豁免 {person} 对 {number} {revision} 的阅知。", person=person, number=known, revision=done.revision))
    out.line(T("{standing}。", standing=done.explain()))
    out.document(standing_data(done, out))
    return 0


@training.command("notice", help=M("按岗位的更改通知：改了什么、从哪天起、要做什么；docx、pdf 或网页。"))
@_NUMBER
@_REVISION
@option("--post", "posts", metavar="POST", multiple=True, help=M("岗位，可重复（默认：要阅知的岗位，每个一页）。"))
@option("--out", "target", type=_PATH, metavar="FILE", required=True, help=M("输出文件：.docx、.pdf 或 .html。"))
@_FORCE
@acting
@click.pass_obj
def notice(
    session: Session, number: str, revision: str | None, posts: tuple[str, ...], target: Path, *, force: bool
) -> int:
    application, out = session.application, session.output
    signer = application.person(session.person)
    kind = target.suffix.lower().removeprefix(".")
    if kind not in {"docx", "pdf", "html"}:
        raise NoticeKindError(path=target)
    notices = application.training_notices.notices(number, revision=revision, posts=posts)
    if kind == "html":
        from controller.file_formats.training_notice_page import notice_page

        data = notice_page(notices, out.text, language=out.language)
    else:
        from controller.adapters.training_notice_drawing import notice_docx

        data = notice_docx(notices, out.text)
        data = application.printing.print(data).data if kind == "pdf" else data
    first = notices[0]
    facts = {
        "format": kind,
        "view": "training-notice",
        "revision": first.after,
        "posts": "、".join(n.post for n in notices),
    }

    def note(shown: Digest) -> None:
        application.trail.printed(signer, first.number, shown, facts=facts)

    write_output(target, data, force=force, before=note)
    out.line(T("已生成 {file}：{posts}。", file=target, posts=[item.post for item in notices]))
    for item in notices:
        told = {"post": item.post, "own": len(item.own), "others": len(item.general) + item.more}
        out.line(T("  {post}：与本岗位有关 {own} 处，其他 {others} 处", **told))
    out.document({"file": str(target), "notices": [notice_data(item, out) for item in notices]})
    return 0


# -- which revision --------------------------------------------------------------------------------------------


def resolved_number(application: Application, wanted: str) -> str:
    """Return the number that is meant: of something that was assigned, else of an approved document or form."""
    from controller.domain.errors import NotFoundError
    from controller.services.document_library import DocumentLibrary

    text = wanted.strip().upper()
    assigned = application.training.numbers()
    meant = [number for number in assigned if text == number] or [
        number for number in assigned if text == _short(number)
    ]
    if len(meant) == 1:
        return meant[0]
    try:
        return DocumentLibrary(application.approved_files).resolve(wanted)
    except NotFoundError:
        if text in application.forms.numbers():
            return text
        raise


def _short(number: str) -> str:
    try:
        return DocumentNumber(number).short
    except RefusedError:
        return number


def _newest(application: Application, number: str) -> tuple[str, str]:
    """Return revision and title of what is approved under a number."""
    from controller.services.document_library import DocumentLibrary
    from controller.services.form_library import FormLibrary

    library = DocumentLibrary(application.approved_files)
    if number in library.numbers():
        document = library.document(number)
        return document.revision.text, document.title
    form = FormLibrary(application.approved_files).definition(number)
    return form.revision.text, form.title


def _present(application: Application, found: list[TrainingStanding]) -> list[TrainingStanding]:
    """Return the newest revision of each number, and the one in force where it is another."""
    kept: list[TrainingStanding] = []
    documents = set(application.documents.numbers())
    for standing in found:
        newest = all(item.number != standing.number for item in kept)
        if not newest and standing.number in documents:
            newest = application.documents.document(standing.number).revision.text == standing.revision
        if newest:
            kept.append(standing)
    return kept


def _sheet(path: Path | None) -> bytes | None:
    from controller.file_formats.question_file import QUESTIONS_LIMIT, read_questions
    from controller.file_formats.text_encoding import utf8_text

    if path is None:
        return None
    data = read_bytes(path, limit=QUESTIONS_LIMIT)
    # What is wrong with it is told of the file as it is called here.
    read_questions(utf8_text(data, where=path.name), where=path.name)
    return data
