"""文件的显示. How `qms doc` shows documents, clauses and gap notes: as lines for people, as data for `--json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from controller.domain.clause import Aside, AsideKind, Clause, Island, Table, TitleLine
from controller.domain.text import T

if TYPE_CHECKING:
    from controller.cli.output import Output
    from controller.domain.clause import Piece, Segment
    from controller.domain.document import ControlledDocument, GapNote

_EXCERPT = 60


def control_data(document: ControlledDocument) -> dict[str, Any]:
    """Return the control block as data."""
    steps = {"drafted": document.drafted, "reviewed": document.reviewed, "approved": document.approved}
    return {
        "number": str(document.number),
        "title": document.title,
        "revision": str(document.revision),
        "class": document.class_word,
        "owner": document.owner,
        "status_note": document.status_note,
        "basis": list(document.basis),
        "forms": list(document.forms),
        "links": {key: list(targets) for key, targets in document.links.items()},
        "company_set": dict(document.company_set),
        "related": list(document.related),
        "applies_if": document.applies_if,
        "effective": document.effective,
        "former_number": document.former_number,
        "former_revision": document.former_revision,
        "former_block": list(document.former_block),
        "approved_elsewhere": document.approved_elsewhere,
        "history": [
            {
                "revision": row.revision,
                "date": row.date,
                "clauses": row.clauses,
                "reason": row.reason,
                "by": row.by,
                "elsewhere": row.elsewhere,
            }
            for row in document.history
        ],
    } | {key: {"name": step.name, "date": step.date} if step else None for key, step in steps.items()}


def show_piece(piece: Piece, out: Output, document: ControlledDocument) -> None:
    """Print one piece of a document, with what its clause is linked to."""
    if isinstance(piece, Clause):
        indent = "  " * (piece.level - 1)
        for line in piece.content.splitlines():
            out.line(indent + line)
        key = ".".join(str(part) for part in piece.number)
        targets = document.links.get(key) or document.links.get(piece.label) or ()
        if targets:
            out.line(_below(indent, out.text(T("→ {targets}", targets=list(targets)))))
        if key in document.company_set:
            out.line(_below(indent, out.text(T("企业自定：{what}", what=document.company_set[key]))))
    elif isinstance(piece, Table):
        for row in piece.rows:
            out.line("  " + " | ".join(cell.replace("\n", " ") for cell in row))
    elif isinstance(piece, Island):
        out.line("  " + out.text(T("〔{caption}：按原样保存〕", caption=piece.caption or T("图表"))))
    elif isinstance(piece, TitleLine):
        out.line(piece.source.strip())
    elif piece.kind is AsideKind.CONTROL_LINE:
        out.line(piece.text)


def _below(indent: str, text: str) -> str:
    return f"{indent}    {text}"


def show_note(note: GapNote, out: Output) -> None:
    """Print one gap note; screen only."""
    clause = T("条款 {clause}", clause=note.clause) if note.clause else T("全文")
    out.line(T("  {id} {clause} [{flag}] {issue}", id=note.id, clause=clause, flag=note.flag, issue=note.issue))
    if note.suggestion:
        out.line(
            T("     建议：{suggestion}（把握程度：{certainty}）", suggestion=note.suggestion, certainty=note.certainty)
        )


def note_data(note: GapNote) -> dict[str, Any]:
    """Return a gap note as data."""
    return {
        "id": note.id,
        "clause": note.clause,
        "flag": note.flag,
        "statement": note.statement,
        "issue": note.issue,
        "suggestion": note.suggestion,
        "certainty": note.certainty,
        "basis": list(note.basis),
    }


def piece_data(piece: Piece) -> dict[str, Any]:
    """Return one piece of a text as data."""
    place = {"line": piece.span.line, "last_line": piece.span.last_line}
    if isinstance(piece, Clause):
        return {
            "kind": "clause",
            "id": piece.id,
            "level": piece.level,
            "label": piece.label,
            "style": piece.style.value,
            "number": list(piece.number),
            "text": piece.text,
        } | place
    if isinstance(piece, TitleLine):
        return {"kind": "title", "number": piece.number, "title": piece.title} | place
    if isinstance(piece, Table):
        return {"kind": "table", "header": piece.header, "rows": [list(row) for row in piece.rows]} | place
    if isinstance(piece, Island):
        return {"kind": "island", "digest": str(piece.digest), "caption": piece.caption} | place
    assert isinstance(piece, Aside)
    return {"kind": piece.kind.value, "text": piece.text} | place


def show_segment(place: int, segment: Segment, out: Output) -> None:
    """Print one document of a text that was parsed, a line a clause."""
    out.line()
    out.line(
        T(
            "第{place}篇 {number}{title}（第{first}–{last}行，{count} 条）",
            place=place,
            number=f"{segment.number} " if segment.number else "",
            title=segment.title or T("无标题"),
            first=segment.first_line,
            last=segment.last_line,
            count=len(segment.clauses),
        )
    )
    for piece in segment.pieces:
        if isinstance(piece, Clause):
            text = " ".join(piece.text.split())
            text = text if len(text) <= _EXCERPT else text[: _EXCERPT - 1] + "…"
            out.line("  " * piece.level + (f"{piece.label.rstrip()} {text}" if piece.label else text))
        elif isinstance(piece, Table):
            out.line("  " + out.text(T("〔表格 {rows} 行〕", rows=len(piece.rows))))
        elif isinstance(piece, Island):
            out.line("  " + out.text(T("〔{caption}：按原样保存〕", caption=piece.caption or T("图表"))))


def segment_data(place: int, segment: Segment) -> dict[str, Any]:
    """Return one document of a text that was parsed as data."""
    return {
        "place": place,
        "number": segment.number,
        "title": segment.title,
        "first_line": segment.first_line,
        "last_line": segment.last_line,
        "clauses": [piece_data(clause) for clause in segment.clauses],
        "pieces": [piece_data(piece) for piece in segment.pieces if not isinstance(piece, Clause)],
    }
