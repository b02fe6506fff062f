"""签入比较. Compares a Word file that came back with the draft it was made from: text, clauses, changes, doubts.

Nothing is decided silently: what is not certain becomes a doubt that a person confirms, and what could not be taken
over is named. When something visible in the file stands nowhere in the result, nothing is taken at all.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING

from controller.domain.clause import Aside, AsideKind, Clause, Island, NumberingStyle, Table, TitleLine
from controller.domain.clause_alignment import KnownClause
from controller.domain.clause_findings import segment_findings
from controller.domain.clause_tracing import Doubt, Traced, trace
from controller.domain.conformity import Finding, Gravity
from controller.domain.errors import RefusedError
from controller.domain.line_merge import MergedText, merge_lines, typed_lines
from controller.domain.text import T, Text
from controller.domain.word_changes import ChangeKind, ClauseChange, words
from controller.file_formats.visible_text import normalised
from controller.services.checkout_ports import MARGINS
from controller.services.document_library import whole_segment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from controller.domain.clause import Piece, Segment
    from controller.domain.identifiers import Digest
    from controller.domain.word_changes import TrackedChange, WordComment
    from controller.services.checkout_ports import ReturnedWord
    from controller.services.document_library import LibraryDocument

_ISLAND = "〔图表 "
_DIGEST = len("sha256:") + 64
_NUMBERING = {"clause-number-missing", "clause-number-repeated", "clause-number-order", "clause-head-lost"}
_MEANS = {
    "superscript": T("上标"),
    "subscript": T("下标"),
    "strike": T("删除线"),
    "hidden": T("隐藏文字"),
}
"""Formats that change what a text means."""
_LOOKS = {"bold": T("粗体"), "italic": T("斜体"), "underline": T("下划线"), "highlight": T("突出显示")}
_LISTED = 12
_LONGEST = 1_000_000
_MOST_CLAUSES = 5_000
_FURNITURE = {
    "wk_company": T("公司名称"),
    "wk_control": T("控制栏"),
    "wk_history": T("修订记录表"),
    MARGINS: T("页眉页脚"),
}


class CheckinIncompleteError(RefusedError):
    """签入不完整. Something a reader of the Word file sees stands nowhere in the text made of it."""

    code = "checkin-incomplete"

    def __init__(self, *, name: str, passages: Sequence[str]) -> None:
        super().__init__(
            T(
                "“{name}”里有内容读不进正文，没有签入：{passages}。",
                name=name,
                passages=[words(item) for item in passages],
            ),
            hint=T("把这些内容改成普通段落或表格后再签入。"),
        )


class CheckinEmptyError(RefusedError):
    """签入的文件没有条款."""

    code = "checkin-empty"

    def __init__(self, *, name: str) -> None:
        super().__init__(T("“{name}”里没有条款了，没有签入。", name=name), hint=T("确认签入的是不是改好的那个文件。"))


class CheckinTooLongError(RefusedError):
    """签入的文件太长. Longer than any procedure."""

    code = "checkin-too-long"

    def __init__(self, *, name: str) -> None:
        super().__init__(
            T(
                "“{name}”的正文太长（超过 {limit} 字或 {clauses} 条）。",
                name=name,
                limit=_LONGEST,
                clauses=_MOST_CLAUSES,
            ),
            hint=T("检查是否误粘了大量内容；过长的文件请拆成几份。"),
        )


@dataclass(frozen=True)
class ReturnedText:
    """比较结果. The new text with its clauses, and everything to be told about how it came about."""

    text: str
    segment: Segment
    """The new text, with ids."""
    traced: Traced
    islands: Mapping[Digest, bytes]
    """Islands that are new in the text."""
    clauses: tuple[ClauseChange, ...]
    changes: tuple[TrackedChange, ...]
    comments: tuple[WordComment, ...]
    doubts: tuple[Finding, ...]
    """What has to be confirmed; the hint says what is done if it is."""
    notes: tuple[Finding, ...]

    unchanged: bool
    """Whether the text is the same to the byte."""


def compare(
    draft: LibraryDocument, sent: ReturnedWord, returned: ReturnedWord, *, next_serial: int, name: str
) -> ReturnedText:
    """Compare a returned Word file with the draft.

    Args:
        draft: what was given out, with ids.
        sent: how its Word file reads when nothing is done to it.
        returned: how the file that came back reads.
        next_serial: the first clause serial that has never been used.
        name: how the file is called in messages.

    Raises:
        CheckinIncompleteError: something visible would be lost.
        CheckinEmptyError, CheckinTooLongError: it cannot be the text of this document.
    """
    return _Comparison(draft, sent, returned, next_serial, name).result()


class _Comparison:
    def __init__(
        self, draft: LibraryDocument, sent: ReturnedWord, returned: ReturnedWord, next_serial: int, name: str
    ) -> None:
        self._draft = draft
        self._sent = sent
        self._returned = returned
        self._name = name
        if len(returned.text) > _LONGEST:
            raise CheckinTooLongError(name=name)
        self._lines = typed_lines(returned.text)[1]
        self._line_starts = [line.start for line in self._lines]
        keys = _keys(returned)
        written = [(key, line.text) for key, line in zip(keys, self._lines, strict=True)]
        self._merged: MergedText = merge_lines(draft.text, _keys(sent), written)
        self._segment = draft.segment if self._merged.unchanged else whole_segment(self._merged.text)
        if not self._segment.clauses:
            raise CheckinEmptyError(name=name)
        if len(self._segment.clauses) > _MOST_CLAUSES:
            raise CheckinTooLongError(name=name)
        self._traced = self._trace(next_serial)
        self._segment = self._segment.with_ids(self._traced.ids)
        self._old = {clause.id or "": clause for clause in draft.segment.clauses}
        self._new = {clause.id or "": clause for clause in self._segment.clauses}

    def result(self) -> ReturnedText:
        self._check_complete()
        changes = tuple(replace(item, clause=self._clause_of(item)) for item in self._returned.changes)
        comments = tuple(replace(item, clause=self._clause_at(item.offset)) for item in self._returned.comments)
        clauses = () if self._merged.unchanged else tuple(self._clause_changes())
        return ReturnedText(
            text=self._merged.text,
            segment=self._segment,
            traced=self._traced,
            islands=self._new_islands(),
            clauses=clauses,
            changes=changes,
            comments=comments,
            doubts=tuple(self._doubts(clauses)),
            notes=tuple(self._notes(clauses)),
            unchanged=self._merged.unchanged,
        )

    # -- clauses

    def _trace(self, next_serial: int) -> Traced:
        old, new = self._draft.segment.clauses, self._segment.clauses
        if self._merged.unchanged:
            return Traced(tuple(clause.id or "" for clause in old), (), (), next_serial)
        inked = list(accumulate((not sign.isspace() for sign in self._merged.text), initial=0))
        starts = [clause.span.start for clause in new]
        covered = []
        for mark in self._returned.clauses:
            start, end = self._merged_at(mark.start), self._merged_at(mark.end, closing=True)
            found = {}
            place = max(bisect_right(starts, start) - 1, 0)
            while place < len(new) and new[place].span.start < end:
                span = new[place].span
                count = inked[max(min(end, span.end), start)] - inked[max(start, span.start)]
                if count > 0:
                    found[place] = count
                place += 1
            covered.append((mark.clause, found))
        known = [KnownClause(clause.id or "", clause.label, clause.text) for clause in old]
        return trace(known, [(clause.label, clause.text) for clause in new], covered, next_serial=next_serial)

    def _merged_at(self, offset: int, *, closing: bool = False) -> int:
        """Return where a place of the returned text lies in the merged one; `closing` for the end of a range."""
        place = bisect_right(self._line_starts, offset - 1 if closing else offset) - 1
        if place < 0:
            return 0
        line = self._lines[place]
        at = self._merged.starts[place] + min(offset - line.start, len(line.text))
        return min(at, len(self._merged.text))

    def _clause_at(self, offset: int | None) -> str | None:
        if offset is None:
            return None
        at = self._merged_at(offset)
        clauses = self._segment.clauses
        place = bisect_right([clause.span.start for clause in clauses], at) - 1
        return clauses[place].id if place >= 0 and at <= clauses[place].span.end else None

    def _clause_of(self, change: TrackedChange) -> str | None:
        """Return the clause of a change; what deleted a whole clause belongs to that one."""
        if change.kind in {ChangeKind.DELETED, ChangeKind.MOVED_FROM}:
            gone = _plain(change.text.rstrip("…").replace("↵", ""))  # as `words` left it
            for identifier in self._traced.removed:
                if gone and _plain(words(self._old[identifier].content)).startswith(gone[:40]):
                    return identifier
        return self._clause_at(change.offset)

    def _clause_changes(self) -> Iterator[ClauseChange]:
        before = _plain(self._returned.untracked)
        stay = _in_order([one for one in self._old if one in self._new], [one for one in self._new if one in self._old])
        for identifier, new in self._new.items():
            old = self._old.get(identifier)
            if old is None:
                yield ClauseChange(identifier, "added", "", new.label, "", new.text, _plain(new.content) not in before)
                continue
            tracked = _plain(old.content) in before
            if _plain(old.text) != _plain(new.text) or old.text != new.text:
                kind = "edited"
            elif old.label != new.label:
                kind = "renumbered"
            elif identifier not in stay:
                kind = "moved"
            else:
                continue
            yield ClauseChange(identifier, kind, old.label, new.label, old.text, new.text, tracked)
        for identifier in self._traced.removed:
            old = self._old[identifier]
            yield ClauseChange(identifier, "removed", old.label, "", old.text, "", _plain(old.content) in before)
        for kind, one, other in (
            ("beside-removed", self._draft.segment, self._segment),
            ("beside-added", self._segment, self._draft.segment),
        ):
            there = Counter(_beside(piece) for _, piece in _apart(other))
            for clause, piece in _apart(one):
                there[_beside(piece)] -= 1
                if there[_beside(piece)] < 0:
                    shown, label = _shown(piece), clause.label if clause is not None else ""
                    old_text, new_text = (shown, "") if kind == "beside-removed" else ("", shown)
                    tracked = (_plain(piece.source) in before) == (kind == "beside-removed")
                    identifier = clause.id or "" if clause is not None else ""
                    yield ClauseChange(identifier, kind, label, label, old_text, new_text, tracked)

    def _new_islands(self) -> dict[Digest, bytes]:
        then, now = self._draft.text, self._merged.text
        lines = {digest: f"{_ISLAND}{digest}" for digest in self._returned.islands}
        kept = {digest for digest, line in lines.items() if line in now and line not in then}
        return {digest: self._returned.islands[digest] for digest in sorted(kept, key=str)}

    # -- doubts and notes

    def _doubts(self, clauses: Sequence[ClauseChange]) -> Iterator[Finding]:
        yield from self._clause_doubts()
        if clauses:
            yield from self._number_doubts(clauses)
            yield from self._outside()
        for name in ("wk_company", "wk_control", "wk_history", MARGINS):
            now, then = self._returned.furniture.get(name), self._sent.furniture.get(name, "")
            if now is not None and _plain(now) != _plain(then):
                message = T("{what}改过，这里的改动不会带入。", what=_FURNITURE[name])
                hint = T("控制栏和修订记录由系统生成；页眉页脚改公司版式文件。确认后只带入正文。")
                yield _doubt("checkin-furniture", message, hint)
        for kind, text in self._extra_formats(_MEANS):
            message = T("“{text}”用了{kind}，正文不保留这种格式，文字会原样留下。", text=words(text), kind=_MEANS[kind])
            yield _doubt(
                "checkin-format-means",
                message,
                T("改成不靠格式也看得懂的写法（例如 m²、删去文字）；或确认后照此带入。"),
            )
        for item in self._returned.findings:
            if item.gravity is Gravity.WARNING and item.code not in {found.code for found in self._sent.findings}:
                yield _doubt(item.code, item.message, item.hint or T("确认后照此带入。"))

    def _clause_doubts(self) -> Iterator[Finding]:
        for asked in self._traced.questions:
            labels = [self._called(identifier) for identifier in asked.clauses]
            new = self._segment.clauses[asked.place]
            place = new.label or words(new.text)[:20]
            told = {
                Doubt.SPLIT: (
                    T("条款 {labels} 被分成几条。", labels=labels),
                    T("确认后，“{place}”延续它的历史，其余作为新条款。", place=place),
                ),
                Doubt.MERGED: (
                    T("条款 {labels} 合成了一条。", labels=labels),
                    T("确认后，合成的“{place}”延续最相像的一条的历史，其余作为删去。", place=place),
                ),
                Doubt.DOUBLED: (
                    T("条款 {labels} 的书签出现不止一处。", labels=labels),
                    T("确认后，“{place}”延续它的历史，其余作为新条款。", place=place),
                ),
                Doubt.LIKENESS: (
                    T("条款 {labels} 的书签不见了，文字也改了许多。", labels=labels),
                    T("确认后，把“{place}”当作改过的同一条。", place=place),
                ),
            }
            message, hint = told[asked.doubt]
            yield Finding(asked.doubt.value, Gravity.WARNING, message, subject=asked.clauses[0], hint=hint)

    def _called(self, identifier: str) -> str:
        clause = self._old[identifier]
        return clause.label.strip() or f"“{words(clause.text)[:12]}”"

    def _number_doubts(self, clauses: Sequence[ClauseChange]) -> Iterator[Finding]:
        moved = any(item.kind in {"added", "removed", "moved"} for item in clauses)
        changed = [
            item for item in clauses if item.old_label != item.new_label and item.kind not in {"added", "removed"}
        ]
        hint = T("确认后按文件中的编号带入；不确认请在 Word 中改回。")
        if changed and not moved:
            pairs = [
                T("{old} → {new}", old=item.old_label or T("（无）"), new=item.new_label or T("（无）"))
                for item in changed
            ]
            more = len(pairs) - _LISTED
            listed = [*pairs[:_LISTED], *([T("等 {count} 处", count=len(pairs))] if more > 0 else [])]
            yield _doubt("checkin-renumbered", T("没有增删条款，编号却改了：{pairs}。", pairs=listed), hint)
        known = Counter(str(item.message) for item in segment_findings(self._draft.segment, name=self._name))
        for item in segment_findings(self._segment, name=self._name):
            if item.code in _NUMBERING and not known[str(item.message)]:
                yield replace(item, gravity=Gravity.WARNING, path=None, hint=hint)

    def _outside(self) -> Iterator[Finding]:
        """Yield text that came to stand outside every clause: above the first number, or as a title."""
        numbered = False
        hint = T("确认后按无编号的段落带入；不确认请在 Word 中写进某一条。")
        for piece in self._segment.pieces:
            if isinstance(piece, Clause):
                if piece.style is NumberingStyle.NONE and not numbered and piece.id in self._traced.added:
                    message = T("“{text}”不在任何条款之内。", text=words(piece.text)[:40])
                    yield Finding("checkin-outside-clauses", Gravity.WARNING, message, subject=piece.id, hint=hint)
                numbered = numbered or piece.style is not NumberingStyle.NONE
        then = Counter(_beside(piece) for piece in self._draft.segment.pieces if _is_beside(piece))
        for piece in self._segment.pieces:
            if not _is_beside(piece) or then[_beside(piece)] > 0:
                then[_beside(piece)] -= _is_beside(piece)
                continue
            if isinstance(piece, TitleLine):
                message = T("标题改为“{title}”。", title=words(piece.source.strip()))
                yield _doubt("checkin-title", message, T("确认后正文和文件名称都改成这个标题。"))
            else:
                message = T("“{text}”读作页码或控制栏，不是条款。", text=words(piece.source.strip()))
                yield _doubt("checkin-outside-clauses", message, hint)

    def _notes(self, clauses: Sequence[ClauseChange]) -> Iterator[Finding]:
        quiet = [item for item in clauses if not item.tracked]
        if quiet:
            labels = list(dict.fromkeys(item.new_label or item.old_label or item.clause for item in quiet))[:_LISTED]
            message = T("{count} 条的改动没有留下修订痕迹：{labels}。", count=len(quiet), labels=labels)
            yield Finding("checkin-untracked", Gravity.NOTE, message, hint=T("这些改动记在签入人名下。"))
        looks = self._extra_formats(_LOOKS)
        if looks:
            listed = [T("{kind}“{text}”", kind=_LOOKS[kind], text=words(text)[:20]) for kind, text in looks[:_LISTED]]
            message = T("字体格式没有带入：{formats}。", formats=listed)
            yield Finding("checkin-format-left-out", Gravity.NOTE, message, hint=T("打印按公司版式。"))
        if self._returned.page_breaks > self._sent.page_breaks:
            message = T("分页符没有带入。")
            yield Finding("checkin-page-break-left-out", Gravity.NOTE, message, hint=T("分页由打印版式决定。"))
        known = {(item.code, str(item.message)) for item in self._sent.findings}
        for item in self._returned.findings:
            if item.gravity is Gravity.NOTE and (item.code, str(item.message)) not in known and self._tells(item):
                yield replace(item, path=None, line=None)

    def _tells(self, item: Finding) -> bool:
        return item.code != "docx-island" or bool(self._new_islands())

    def _extra_formats(self, kinds: Mapping[str, Text]) -> list[tuple[str, str]]:
        extra = Counter(dict(self._returned.formats)) - Counter(dict(self._sent.formats))
        return [(kind, text) for kind, text in extra if kind in kinds and text.strip()]

    # -- completeness

    def _check_complete(self) -> None:
        """Count every visible character of the file in the result, whatever way it took.

        Raises:
            CheckinIncompleteError: some are missing.
        """
        made = "".join(_shown(piece) for piece in self._segment.pieces) + "".join(self._returned.kept)
        missing = Counter(normalised("".join(self._returned.visible))) - Counter(normalised(made))
        if not missing:
            return
        whole = normalised(made)
        lost = [text for text in self._returned.visible if normalised(text) not in whole]
        lost = lost or [text for text in self._returned.visible if set(normalised(text)) & set(missing)]
        raise CheckinIncompleteError(name=self._name, passages=lost[:_LISTED])


def _keys(read: ReturnedWord) -> list[str]:
    """Return how each line that is not empty is known: an island by what survives an office program."""
    found = []
    for line in typed_lines(read.text)[1]:
        digest = line.text[len(_ISLAND) : len(_ISLAND) + _DIGEST] if line.text.startswith(_ISLAND) else ""
        likeness = next((told for one, told in read.likeness.items() if one.text == digest), None)
        found.append(line.text if likeness is None else f"{_ISLAND}{likeness}")
    return found


def _doubt(code: str, message: Text, hint: Text) -> Finding:
    return Finding(code, Gravity.WARNING, message, hint=hint)


def _plain(text: str) -> str:
    return "".join(text.split())


def _shown(piece: object) -> str:
    if isinstance(piece, Table):
        return "".join("".join(row) for row in piece.rows)
    return str(getattr(piece, "source", ""))


def _apart(segment: Segment) -> Iterator[tuple[Clause | None, Piece]]:
    """Yield the tables, islands and titles of a text, each with the clause before it."""
    clause = None
    for piece in segment.pieces:
        if isinstance(piece, Clause):
            clause = piece
        elif isinstance(piece, (Table, Island, TitleLine)):
            yield clause, piece


def _is_beside(piece: object) -> bool:
    return isinstance(piece, TitleLine) or (isinstance(piece, Aside) and piece.kind is not AsideKind.BLANK)


def _beside(piece: object) -> str:
    return _plain(str(getattr(piece, "source", "")))


def _in_order(old: Sequence[str], new: Sequence[str]) -> set[str]:
    """Return the longest run of ids that stand in the same order in both: what was not moved."""
    places = {identifier: place for place, identifier in enumerate(old)}
    tails: list[int] = []
    chain: list[tuple[int, int]] = []
    at: list[int] = []
    for number, identifier in enumerate(new):
        place = places[identifier]
        low, high = 0, len(tails)
        while low < high:
            middle = (low + high) // 2
            if places[new[tails[middle]]] < place:
                low = middle + 1
            else:
                high = middle
        chain.append((number, tails[low - 1] if low else -1))
        if low == len(tails):
            tails.append(number)
        else:
            tails[low] = number
    last = tails[-1] if tails else -1
    while last >= 0:
        at.append(last)
        last = chain[last][1]
    return {new[number] for number in at}
