"""条款标识文件. `clauses.yml`: the stable id, number and digest of every clause of `clauses.txt`, in order.

```yaml
format: wenkong/clauses/1
next: 4
clauses:
- {id: c1, label: 1., digest: 'sha256:…'}
```

`next` is the first serial never used. The digest is that of label and text in UTF-8, so that a text changed without its
ids is noticed.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from controller.domain.clause_alignment import Alignment, KnownClause, align
from controller.domain.errors import DamagedError
from controller.domain.identifiers import Digest, InvalidIdentifierError
from controller.domain.text import T, Text
from controller.file_formats.clause_text import parse_text
from controller.file_formats.yaml_text import dump_yaml, load_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.domain.clause import Clause

FORMAT = "wenkong/clauses/1"


class ClauseIdsError(DamagedError):
    """条款标识有误. `clauses.yml` is not what the product writes."""

    code = "clause-ids-invalid"

    def __init__(self, *, where: str, problem: Text) -> None:
        super().__init__(
            T("{where}：{problem}", where=where, problem=problem),
            hint=T("不要手工修改 clauses.yml；从版本库恢复该文件。"),
            where=where,
        )


@dataclass(frozen=True)
class ClauseMark:
    """条款标识. What `clauses.yml` keeps of one clause."""

    id: str
    label: str
    digest: Digest


@dataclass(frozen=True)
class ClauseIds:
    """一份文件的条款标识. The marks in order and the first serial never used."""

    marks: tuple[ClauseMark, ...] = ()
    next_serial: int = 1
    extra: Mapping[str, object] = field(default_factory=dict)
    """Unknown keys, kept so that a newer file survives a read and write."""


def clause_digest(clause: Clause) -> Digest:
    """Return the digest under which `clauses.yml` knows a clause."""
    return Digest.of(clause.content.encode("utf-8", "surrogateescape"))


def first_ids(clauses: Sequence[Clause]) -> ClauseIds:
    """Return ids for the clauses of a document that has none yet."""
    return _marked(clauses, align((), [(clause.label, clause.text) for clause in clauses], next_serial=1))


def realigned(ids: ClauseIds, old: Sequence[Clause], new: Sequence[Clause]) -> tuple[ClauseIds, Alignment]:
    """Return the ids for a changed text, and what was added and removed.

    Args:
        ids: the ids of the earlier text.
        old: the clauses of the earlier text, in order; where they do not fit `ids`, only what fits is carried on.
        new: the clauses of the changed text.
    """
    by_digest: dict[Digest, list[ClauseMark]] = {}
    for mark in ids.marks:
        by_digest.setdefault(mark.digest, []).append(mark)
    known = []
    for clause in old:
        marks = by_digest.get(clause_digest(clause))
        if marks:
            known.append(KnownClause(marks.pop(0).id, clause.label, clause.text))
    alignment = align(known, [(clause.label, clause.text) for clause in new], next_serial=ids.next_serial)
    return _marked(new, alignment, ids.extra), alignment


def _marked(clauses: Sequence[Clause], alignment: Alignment, extra: Mapping[str, object] | None = None) -> ClauseIds:
    marks = tuple(
        ClauseMark(identifier, clause.label, clause_digest(clause))
        for identifier, clause in zip(alignment.ids, clauses, strict=True)
    )
    return ClauseIds(marks, alignment.next_serial, extra or {})


def write_clause_ids(ids: ClauseIds) -> str:
    """Return the text of `clauses.yml`."""
    rows = [{"id": mark.id, "label": mark.label, "digest": str(mark.digest)} for mark in ids.marks]
    return dump_yaml({"format": FORMAT, "next": ids.next_serial, "clauses": rows, **ids.extra})


def clause_ids_of_text(text: str) -> str:
    """Return `clauses.yml` for a `clauses.txt` that has none yet."""
    clauses = [clause for segment in parse_text(text).segments for clause in segment.clauses]
    return write_clause_ids(first_ids(clauses))


def renewed(ids: str, text: str, *, where: str) -> str:
    """Return `clauses.yml` with the digests of a `clauses.txt` whose wording was changed clause by clause.

    For changes that keep every clause in its place, such as the company's own number prefix.

    Raises:
        ClauseIdsError: the text has not as many clauses as there are ids.
    """
    known = read_clause_ids(ids, where=where)
    clauses = [clause for segment in parse_text(text).segments for clause in segment.clauses]
    if len(clauses) != len(known.marks):
        problem = T("有 {ids} 个标识，正文有 {clauses} 条", ids=len(known.marks), clauses=len(clauses))
        raise ClauseIdsError(where=where, problem=problem)
    pairs = zip(known.marks, clauses, strict=True)
    marks = tuple(ClauseMark(mark.id, clause.label, clause_digest(clause)) for mark, clause in pairs)
    return write_clause_ids(ClauseIds(marks, known.next_serial, known.extra))


def read_clause_ids(text: str, *, where: str) -> ClauseIds:
    """Read `clauses.yml`.

    Raises:
        YamlTextError: not acceptable YAML.
        ClauseIdsError: another format, a missing or repeated id.
    """
    data = load_yaml(text, where=where)
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ClauseIdsError(where=where, problem=T("格式应为 {format}", format=FORMAT))
    serial, rows = data.get("next"), data.get("clauses")
    if not isinstance(serial, int) or isinstance(serial, bool) or serial < 1 or not isinstance(rows, list):
        raise ClauseIdsError(where=where, problem=T("缺少 next 或 clauses"))
    marks = tuple(_mark(row, place, where) for place, row in enumerate(rows, start=1))
    seen: set[str] = set()
    for mark in marks:
        if mark.id in seen:
            raise ClauseIdsError(where=where, problem=T("标识 {id} 出现两次", id=mark.id))
        seen.add(mark.id)
    extra = {key: value for key, value in data.items() if key not in {"format", "next", "clauses"}}
    return ClauseIds(marks, serial, extra)


def _mark(row: Any, place: int, where: str) -> ClauseMark:
    if isinstance(row, dict):
        identifier, label, digest = row.get("id"), row.get("label"), row.get("digest")
        if isinstance(identifier, str) and identifier and isinstance(digest, str):
            with contextlib.suppress(InvalidIdentifierError):
                return ClauseMark(identifier, "" if label is None else str(label), Digest(digest))
    raise ClauseIdsError(where=where, problem=T("第{place}条的标识写法不对", place=place))
