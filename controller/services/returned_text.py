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

from controller.domain.clause_alignment import KnownClause
from controller.domain.clause_tracing import Traced, trace
from controller.domain.errors import RefusedError
from controller.domain.line_merge import MergedText, merge_lines, typed_lines
from controller.domain.text import T
from controller.domain.word_changes import ChangeKind, ClauseChange, words
from controller.file_formats.visible_text import normalised
from controller.services.document_library import whole_segment
from controller.services.returned_changes import Compared, clause_changes, plain, shown
from controller.services.returned_doubts import ReturnedDoubts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.domain.clause import Segment
    from controller.domain.conformity import Finding
    from controller.domain.identifiers import Digest
    from controller.domain.word_changes import TrackedChange, WordComment
    from controller.services.checkout_ports import ReturnedWord
    from controller.services.document_library import LibraryDocument

_ISLAND = "〔图表 "
_DIGEST = len("sha256:") + 64
_LISTED = 12
_LONGEST = 1_000_000
_MOST_CLAUSES = 5_000


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

    def result(self) -> ReturnedText:
        self._check_complete()
        changes = tuple(replace(item, clause=self._clause_of(item)) for item in self._returned.changes)
        comments = tuple(replace(item, clause=self._clause_at(item.offset)) for item in self._returned.comments)
        compared = Compared(
            self._draft, self._sent, self._returned, self._merged.text, self._segment, self._traced, self._new_islands()
        )
        clauses = tuple(clause_changes(compared))
        told = ReturnedDoubts(compared, self._name)
        return ReturnedText(
            text=self._merged.text,
            segment=self._segment,
            traced=self._traced,
            islands=compared.islands,
            clauses=clauses,
            changes=changes,
            comments=comments,
            doubts=tuple(told.doubts(clauses)),
            notes=tuple(told.notes(clauses)),
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
            gone = plain(change.text.rstrip("…").replace("↵", ""))  # as `words` left it
            for identifier in self._traced.removed:
                if gone and plain(words(self._old[identifier].content)).startswith(gone[:40]):
                    return identifier
        return self._clause_at(change.offset)

    def _new_islands(self) -> dict[Digest, bytes]:
        then, now = self._draft.text, self._merged.text
        lines = {digest: f"{_ISLAND}{digest}" for digest in self._returned.islands}
        kept = {digest for digest, line in lines.items() if line in now and line not in then}
        return {digest: self._returned.islands[digest] for digest in sorted(kept, key=str)}

    # -- completeness

    def _check_complete(self) -> None:
        """Count every visible character of the file in the result, whatever way it took.

        Raises:
            CheckinIncompleteError: some are missing.
        """
        made = "".join(shown(piece) for piece in self._segment.pieces) + "".join(self._returned.kept)
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
