"""更改历史的显示. How history, differences and the origin of clauses are shown: lines for people, data for `--json`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from controller.domain.clause import Clause, Island, Table
from controller.domain.document_comparison import CHANGE_WORDS
from controller.domain.procedure_print import as_printed
from controller.domain.text import T
from controller.domain.text_difference import Mark, Stretch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from controller.cli.output import Output
    from controller.domain.clause_blame import ClauseBlame, ClauseWording
    from controller.domain.document_comparison import Comparison, PieceChange, Shown
    from controller.domain.document_timeline import DocumentTimeline, DocumentVersion, VersionSignature
    from controller.domain.text import Text

_COLOURS = {Mark.ADDED: "green", Mark.REMOVED: "red"}
_WIDEST = 28


def moment(at: datetime) -> str:
    """Return a moment as it stands in tables."""
    return at.strftime("%Y-%m-%d %H:%M")


# -- history ---------------------------------------------------------------------------------------------------


def show_timeline(timeline: DocumentTimeline, out: Output) -> None:
    """Print every change of a document, oldest first."""
    rows = []
    for item in timeline.versions:
        reason: list[Text | str] = []
        if item.why:
            reason.append(item.why)
        reason += [f"{row.clauses} {row.reason}".strip() for row in item.recovered]
        if item.problem is not None:
            reason.append(item.problem)
        rows.append(
            [
                item.serial,
                T("已移出文件库") if item.gone else item.revision or "?",
                moment(item.at),
                _author(item),
                reason,
                _approvals(item),
                item.contents.hex[:16],
            ]
        )
    _show_recovered(timeline, out)
    heads = [T("序号"), T("版本"), T("时间"), T("更改人"), T("原因"), T("签署"), T("内容摘要")]
    out.table(heads, rows)


def _show_recovered(timeline: DocumentTimeline, out: Output) -> None:
    """Print the revisions from before this system, as the old files told them."""
    texts = [item.text for item in timeline.versions if item.text is not None]
    rows = [row for row in texts[0].document.history if row.elsewhere] if texts else []
    if rows:
        out.line(T("启用本系统之前的修订（系统外，录自旧文件）："))
        shown = [[row.revision, row.date or "", row.clauses, row.reason, row.by] for row in rows]
        out.table([T("版本"), T("日期"), T("更改条款"), T("原因"), T("更改人")], shown)
        out.line()


def _approvals(item: DocumentVersion) -> list[Text | str] | Text | str:
    told = [_signature(signature) for signature in item.signatures]
    if item.elsewhere:
        told.insert(0, item.elsewhere)
    return told or ("" if item.gone else T("没有签署"))


def _author(item: DocumentVersion) -> Text | str:
    stated = item.stated
    if not item.author:
        return T("没有签名陈述")
    if stated is not None and stated.flaw is not None:
        return T("{name}（{problem}）", name=item.author, problem=stated.flaw)
    return item.author


def _signature(signature: VersionSignature) -> Text | str:
    if signature.flaw is not None:
        return T("{name}（{problem}）", name=f"{signature.meaning} {signature.by.name}", problem=signature.flaw)
    return signature.on_paper or f"{signature.meaning} {signature.by.name} {moment(signature.at)}"


def version_data(item: DocumentVersion, out: Output) -> dict[str, Any]:
    """Return one change of a document as data."""
    stated = item.stated
    return {
        "serial": item.serial,
        "revision": item.revision,
        "at": item.at.isoformat(),
        "commit": item.commit,
        "change": item.change.number if item.change is not None else None,
        "reason": item.change.reason if item.change is not None else (stated.reason if stated is not None else None),
        "author": item.author or None,
        "removed": item.gone,
        "contents": item.contents.text,
        "stated": None
        if stated is None
        else {
            "event": stated.event,
            "by": None
            if stated.by is None
            else {"person": stated.by.person, "name": stated.by.name, "post": stated.by.post},
            "reason": stated.reason,
            "statement": stated.statement.text,
            "path": stated.path,
            "flaw": out.text(stated.flaw) if stated.flaw is not None else None,
        },
        "signatures": [_signature_data(signature, out) for signature in item.signatures],
        "elsewhere": item.elsewhere or None,
        "noted": [
            {"revision": row.revision, "date": row.date, "clauses": row.clauses, "reason": row.reason, "by": row.by}
            for row in item.recovered
        ],
        "problem": out.text(item.problem) if item.problem is not None else None,
    }


def _signature_data(signature: VersionSignature, out: Output) -> dict[str, Any]:
    return {
        "meaning": signature.meaning,
        "by": {"person": signature.by.person, "name": signature.by.name, "post": signature.by.post},
        "at": signature.at.isoformat(),
        "reason": signature.reason,
        "statement": signature.statement.text,
        "on_paper": signature.on_paper or None,
        "flaw": out.text(signature.flaw) if signature.flaw is not None else None,
    }


# -- differences -----------------------------------------------------------------------------------------------


def version_name(item: DocumentVersion) -> Text:
    """Return how a version is called in a sentence."""
    if item.draft and item.change is not None:
        return T("{revision}（更改 {change} 的草稿）", revision=item.revision, change=item.change.number)
    if not item.commit:
        return T("{revision}（工作目录）", revision=item.revision)
    return T("{revision}（第 {serial} 次更改，{at}）", revision=item.revision, serial=item.serial, at=moment(item.at))


def show_comparison(comparison: Comparison, out: Output) -> None:
    """Print what changed, marked 【增】 and 【删】, coloured on a terminal."""
    for item in comparison.control:
        out.line(T("控制栏 {item}：{change}", item=item.item, change=_replaced(item.old, item.new, out)))
    for path, kind in comparison.files:
        out.line(T("附件 {path}：{kind}", path=path, kind=CHANGE_WORDS[kind]))
    for change in comparison.changes:
        out.line()
        kinds = [word for kind, word in CHANGE_WORDS.items() if kind in change.kinds]
        out.line(T("{place} [{kinds}]", place=change.place or T("未编号段落"), kinds=kinds))
        for line in _lines(change):
            show_stretches(line, out)


def _replaced(old: str, new: str, out: Output) -> str:
    told = [Stretch(mark, text) for mark, text in ((Mark.REMOVED, old), (Mark.ADDED, new)) if text]
    return "".join(out.text(_told(item)) for item in told)


def _told(stretch: Stretch) -> Text:
    if stretch.mark is Mark.ADDED:
        return T("【增：{text}】", text=stretch.text)
    if stretch.mark is Mark.REMOVED:
        return T("【删：{text}】", text=stretch.text)
    return T("{text}", text=stretch.text)


def show_stretches(stretches: Sequence[Stretch], out: Output) -> None:
    """Print a text with its marks; on a terminal in colour as well."""
    if out.as_json:
        return
    coloured = sys.stdout.isatty()
    parts = []
    for item in stretches:
        told = out.text(_told(item))
        parts.append(click.style(told, fg=_COLOURS[item.mark]) if coloured and item.mark in _COLOURS else told)
    click.echo("    " + "".join(parts).replace("\n", "\n    "))


def _lines(change: PieceChange) -> Iterator[Sequence[Stretch]]:
    if change.stretches:
        yield change.stretches
    elif change.rows:
        for row in change.rows:
            if not row.same:
                yield _row(row.cells)
    else:
        piece = change.new or change.old
        mark = Mark.ADDED if change.old is None else Mark.SAME if change.new is not None else Mark.REMOVED
        for text in _texts(piece):
            yield [Stretch(mark, text)]


def _row(cells: Sequence[Sequence[Stretch]]) -> list[Stretch]:
    line: list[Stretch] = []
    for cell in cells:
        line += [*cell, Stretch(Mark.SAME, " | ")]
    return line[:-1]


def _texts(piece: Shown | None) -> Iterator[str]:
    if isinstance(piece, Table):
        for row in piece.rows:
            yield " | ".join(row)
    elif isinstance(piece, Island):
        yield f"〔{piece.caption}〕"
    elif piece is not None:
        yield piece.content


def comparison_data(comparison: Comparison, out: Output) -> dict[str, Any]:
    """Return what changed as data."""
    return {
        "equal": comparison.equal,
        "counts": {kind.value: count for kind, count in comparison.counts.items()},
        "control": [{"item": out.text(item.item), "old": item.old, "new": item.new} for item in comparison.control],
        "files": [{"path": path, "kind": kind.value} for path, kind in comparison.files],
        "changes": [_change_data(change) for change in comparison.changes],
    }


def _change_data(change: PieceChange) -> dict[str, Any]:
    return {
        "id": change.id,
        "place": change.place,
        "kinds": [kind.value for kind in CHANGE_WORDS if kind in change.kinds],
        "old": _piece_text(change.old),
        "new": _piece_text(change.new),
        "marks": [{"mark": item.mark.value, "text": item.text} for item in change.stretches],
        "rows": [
            {
                "old": list(row.old) if row.old is not None else None,
                "new": list(row.new) if row.new is not None else None,
            }
            for row in change.rows
        ],
    }


def _piece_text(piece: Shown | None) -> str | None:
    if piece is None:
        return None
    return as_printed(piece) if isinstance(piece, Clause) else "\n".join(_texts(piece))


# -- blame -----------------------------------------------------------------------------------------------------


def show_blame(found: Sequence[ClauseBlame], out: Output) -> None:
    """Print where every clause comes from."""
    rows = []
    for item in found:
        changed = item.changed
        approved: Text | str = ""
        if item.approved is not None and item.approved_in is not None:
            names = {"name": item.approved.by.name, "revision": item.approved_in.revision}
            approved = T("{name} {day}（{revision}）", day=f"{item.approved.at:%Y-%m-%d}", **names)
        text = " ".join(item.clause.text.split())
        rows.append(
            [
                item.place,
                text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…",
                changed.revision,
                changed.change.number if changed.change is not None else "",
                f"{changed.at:%Y-%m-%d}",
                item.drafted_by or _author(changed),
                "、".join(item.reviewed_by),
                approved,
                changed.why,
                T("{revision} 起用现编号", revision=item.renumbered.revision) if item.renumbered is not None else "",
            ]
        )
    heads = [
        *(T("条款"), T("内容"), T("版本"), T("更改"), T("时间")),
        *(T("起草"), T("审核"), T("批准"), T("原因"), T("说明")),
    ]
    out.table(heads, rows)


def show_wordings(wordings: Sequence[ClauseWording], out: Output) -> None:
    """Print every wording of one clause, oldest first."""
    for item in wordings:
        out.line()
        gone = item.clause is None
        version = item.version
        reason = version.why
        words = {"place": item.place or T("未编号段落"), "version": version_name(version), "name": _author(version)}
        if gone:
            out.line(T("{place} 在 {version} 删除：{name} {reason}", reason=reason, **words))
        else:
            out.line(T("{place} {version}：{name} {reason}", reason=reason, **words))
        if item.stretches:
            show_stretches(item.stretches, out)
        elif item.clause is not None:
            show_stretches([Stretch(Mark.SAME, as_printed(item.clause))], out)


def blame_data(item: ClauseBlame) -> dict[str, Any]:
    """Return where a clause comes from as data."""
    changed, stated = item.changed, item.changed.stated
    return {
        "id": item.id,
        "place": item.place,
        "text": as_printed(item.clause),
        "changed": {
            "serial": changed.serial,
            "revision": changed.revision,
            "at": changed.at.isoformat(),
            "by": changed.author or None,
            "change": changed.change.number if changed.change is not None else None,
            "drafted": item.drafted_by or None,
            "reviewed": list(item.reviewed_by),
            "reason": _reason(changed),
            "statement": stated.statement.text if stated is not None else None,
        },
        "renumbered_in": item.renumbered.revision if item.renumbered is not None else None,
        "approved": None
        if item.approved is None or item.approved_in is None
        else {
            "revision": item.approved_in.revision,
            "by": item.approved.by.name,
            "post": item.approved.by.post,
            "at": item.approved.at.isoformat(),
            "statement": item.approved.statement.text,
        },
    }


def _reason(version: DocumentVersion) -> str | None:
    if version.change is not None:
        return version.change.reason
    return version.stated.reason if version.stated is not None else None


def wording_data(item: ClauseWording) -> dict[str, Any]:
    """Return one wording of a clause as data."""
    return {
        "serial": item.version.serial,
        "revision": item.version.revision,
        "at": item.version.at.isoformat(),
        "by": item.version.author or None,
        "place": item.place,
        "text": as_printed(item.clause) if item.clause is not None else None,
        "renumbered_only": item.renumbered_only,
    }
