"""签入的疑点和提示. What has to be confirmed before a returned Word file is taken, and what is only told."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from controller.domain.clause import Aside, AsideKind, Clause, Island, NumberingStyle, Table, TitleLine
from controller.domain.clause_findings import segment_findings
from controller.domain.clause_tracing import Doubt
from controller.domain.conformity import Finding, Gravity
from controller.domain.text import T, Text
from controller.domain.word_changes import FORMAT_LOOKS, FORMAT_MEANINGS, words
from controller.services.checkout_ports import MARGINS
from controller.services.returned_changes import beside, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from controller.domain.word_changes import ClauseChange
    from controller.services.checkout_ports import Look
    from controller.services.returned_changes import Compared

_NUMBERING = {"clause-number-missing", "clause-number-repeated", "clause-number-order", "clause-head-lost"}
_LISTED = 12
_ISLAND = "〔图表 "
_FURNITURE = {
    "wk_company": T("公司名称"),
    "wk_control": T("控制栏"),
    "wk_history": T("修订记录表"),
    MARGINS: T("页眉页脚"),
}


class ReturnedDoubts:
    """疑点和提示.

    Args:
        name: how the file is called in messages.
    """

    def __init__(self, compared: Compared, name: str) -> None:
        self._compared = compared
        self._name = name

    def doubts(self, clauses: Sequence[ClauseChange]) -> Iterator[Finding]:
        """Yield what has to be confirmed; the hint says what is done if it is."""
        yield from self._clause_doubts()
        if clauses:
            yield from self._number_doubts(clauses)
            yield from self._outside()
            yield from self._gone()
        for name in ("wk_company", "wk_control", "wk_history", MARGINS):
            now, then = self._compared.returned.furniture.get(name), self._compared.sent.furniture.get(name, "")
            if now is not None and plain(now) != plain(then):
                message = T("{what}改过，这里的改动不会带入。", what=_FURNITURE[name])
                hint = T("控制栏和修订记录由系统生成；页眉页脚改公司版式文件。确认后只带入正文。")
                yield _doubt("checkin-furniture", message, hint)
        for kind, text in self._extra_formats(FORMAT_MEANINGS):
            message = T(
                "“{text}”用了{kind}，正文不保留这种格式，文字会原样留下。", text=words(text), kind=FORMAT_MEANINGS[kind]
            )
            yield _doubt(
                "checkin-format-means",
                message,
                T("改成不靠格式也看得懂的写法（例如 m²、删去文字）；或确认后照此带入。"),
            )
        for item in self._compared.returned.findings:
            if item.gravity is Gravity.WARNING and item.code not in {
                found.code for found in self._compared.sent.findings
            }:
                yield _doubt(item.code, item.message, item.hint or T("确认后照此带入。"))

    def _clause_doubts(self) -> Iterator[Finding]:
        for asked in self._compared.traced.questions:
            labels = [self._called(identifier) for identifier in asked.clauses]
            new = self._compared.segment.clauses[asked.place]
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
        clause = self._compared.old[identifier]
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
        known = Counter(str(item.message) for item in segment_findings(self._compared.draft.segment, name=self._name))
        for item in segment_findings(self._compared.segment, name=self._name):
            if item.code in _NUMBERING and not known[str(item.message)]:
                yield replace(item, gravity=Gravity.WARNING, path=None, hint=hint)

    def _outside(self) -> Iterator[Finding]:
        """Yield text that came to stand outside every clause: above the first number, or as a title."""
        numbered = False
        hint = T("确认后按无编号的段落带入；不确认请在 Word 中写进某一条。")
        for piece in self._compared.segment.pieces:
            if isinstance(piece, Clause):
                if piece.style is NumberingStyle.NONE and not numbered and piece.id in self._compared.traced.added:
                    message = T("“{text}”不在任何条款之内。", text=words(piece.text)[:40])
                    yield Finding("checkin-outside-clauses", Gravity.WARNING, message, subject=piece.id, hint=hint)
                numbered = numbered or piece.style is not NumberingStyle.NONE
        then = Counter(beside(piece) for piece in self._compared.draft.segment.pieces if _is_beside(piece))
        for piece in self._compared.segment.pieces:
            if not _is_beside(piece) or then[beside(piece)] > 0:
                then[beside(piece)] -= _is_beside(piece)
                continue
            if isinstance(piece, TitleLine):
                message = T("标题改为“{title}”。", title=words(piece.source.strip()))
                yield _doubt("checkin-title", message, T("确认后正文和文件名称都改成这个标题。"))
            else:
                message = T("“{text}”读作页码或控制栏，不是条款。", text=words(piece.source.strip()))
                yield _doubt("checkin-outside-clauses", message, hint)

    def _gone(self) -> Iterator[Finding]:
        """Yield what is kept verbatim and came back neither as it was nor changed nor deleted with a trace."""
        compared = self._compared
        gone = [piece for piece in compared.draft.segment.pieces if _is_apart(piece)]
        come = [piece for piece in compared.segment.pieces if _is_apart(piece)]
        there, were = Counter(map(beside, come)), Counter(map(beside, gone))
        lost = [piece for piece in gone if isinstance(piece, Island) and not there[beside(piece)]]
        new = sum((there - were).values())
        deleted = compared.returned.untracked.count(_ISLAND) - compared.returned.text.count(_ISLAND)
        if len(lost) > new + max(deleted, 0):
            message = T("图表不在文件里了，也没有删除的修订痕迹：{names}。", names=[_called(piece) for piece in lost])
            hint = T("有的办公软件会丢掉公式和特殊图形。确认后从正文删去；不是您删的，请换一个软件重新修改。")
            yield _doubt("checkin-island-gone", message, hint)

    def notes(self, clauses: Sequence[ClauseChange]) -> Iterator[Finding]:
        """Yield what is only told."""
        quiet = [item for item in clauses if not item.tracked]
        if quiet:
            labels = list(dict.fromkeys(item.new_label or item.old_label or item.clause for item in quiet))[:_LISTED]
            message = T("{count} 条的改动没有留下修订痕迹：{labels}。", count=len(quiet), labels=labels)
            yield Finding("checkin-untracked", Gravity.NOTE, message, hint=T("这些改动记在签入人名下。"))
        looks = self._extra_formats(FORMAT_LOOKS)
        if looks:
            listed = [
                T("{kind}“{text}”", kind=FORMAT_LOOKS[kind], text=words(text)[:20]) for kind, text in looks[:_LISTED]
            ]
            message = T("字体格式没有带入：{formats}。", formats=listed)
            yield Finding("checkin-format-left-out", Gravity.NOTE, message, hint=T("打印按公司版式。"))
        if self._compared.returned.page_breaks > self._compared.sent.page_breaks:
            message = T("分页符没有带入。")
            yield Finding("checkin-page-break-left-out", Gravity.NOTE, message, hint=T("分页由打印版式决定。"))
        yield from self._looks()
        yield from self._typed_numbers()
        known = {(item.code, str(item.message)) for item in self._compared.sent.findings}
        for item in self._compared.returned.findings:
            if item.gravity is Gravity.NOTE and (item.code, str(item.message)) not in known and self._tells(item):
                yield replace(item, path=None, line=None)

    def _looks(self) -> Iterator[Finding]:
        """Yield what only looks different: of a table the text is kept, of a picture what had been sent."""
        now: dict[str, list[Look]] = {}
        for look in self._compared.returned.looks:
            now.setdefault(look.words, []).append(look)
        changed = []
        for then in self._compared.sent.looks:
            same = now.get(then.words)
            if same and not then.like(same.pop(0)):
                changed.append(then.caption or T("图表"))
        if changed:
            message = T("图表的大小、底色、列宽或字体改了，没有带入：{names}。", names=changed[:_LISTED])
            hint = T("图表按原来的样子保存；要换样子，请删去它，重新插入。")
            yield Finding("checkin-island-format", Gravity.NOTE, message, hint=hint)

    def _typed_numbers(self) -> Iterator[Finding]:
        numbers = self._compared.returned.numbers
        changed = [item for item in numbers if item.before and item.before != item.now]
        if changed:
            pairs = [T("{old} → {new}", old=item.before.strip(), new=item.now.strip()) for item in changed[:_LISTED]]
            message = T("接受修订后，自动编号变了：{pairs}。", pairs=pairs)
            hint = T("编号按变了以后的写成文字；别处引用这些号的，请一并改。")
            yield Finding("checkin-automatic-numbers-changed", Gravity.NOTE, message, hint=hint)
        if numbers:
            message = T("{count} 处自动编号按显示的号写成了文字。", count=len(numbers))
            yield Finding("checkin-numbers-typed", Gravity.NOTE, message, hint=T("以后增删条款时，编号要自己改。"))

    def _tells(self, item: Finding) -> bool:
        return item.code != "docx-island" or bool(self._compared.islands)

    def _extra_formats(self, kinds: Mapping[str, Text]) -> list[tuple[str, str]]:
        extra = Counter(dict(self._compared.returned.formats)) - Counter(dict(self._compared.sent.formats))
        return [(kind, text) for kind, text in extra if kind in kinds and text.strip()]


def _doubt(code: str, message: Text, hint: Text) -> Finding:
    return Finding(code, Gravity.WARNING, message, hint=hint)


def _is_beside(piece: object) -> bool:
    return isinstance(piece, TitleLine) or (isinstance(piece, Aside) and piece.kind is not AsideKind.BLANK)


def _is_apart(piece: object) -> bool:
    return isinstance(piece, (Table, Island))


def _called(piece: Island) -> str:
    return piece.caption or piece.digest.hex[:8]
