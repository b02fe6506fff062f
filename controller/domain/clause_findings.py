"""条款检查. What is odd about a parsed text: lost numbers and heads, cut-off ends, doubled documents, odd glyphs.

Nothing here changes the text, and numbers are never put right: a finding says what is seen, how sure it is, and why.
Whether a text is whole can only be judged from signs; weak signs give a note, strong ones a warning.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from controller.domain.chinese_numeral import write_numeral
from controller.domain.clause import Aside, AsideKind, Clause, Island, Segment, Table, is_variant_glyph
from controller.domain.clause import NumberingStyle as Style
from controller.domain.conformity import Finding, Gravity
from controller.domain.search_text import normalised
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from controller.domain.clause import ParsedText

_TERMINAL = "。.!！?？…”’\"')）》】」』;；"
_SENTENCE = re.compile(r"[。!！?？]")
_CLOSING = re.compile(
    r"附则|(?:自|从).{0,14}(?:起|后)(?:施行|实施|执行|生效)|(?:予以|正式|开始)(?:施行|实施)|解释权|负责解释|以上.{0,30}(?:程序|制度|规程|办法|规定|措施)"
    r"|综上|总之|相关(?:文件|记录|表单)|(?:^|\n)附[件录表]"
)
_PARTS = ("目的", "范围", "职责", "内容")
_PART_NAMES = {
    "目的": ("目的", "宗旨"),
    "范围": ("范围",),
    "职责": ("职责", "责任", "权责"),
    "内容": ("内容", "程序", "工作程序", "流程", "要求", "措施"),
}
_MANY_MISSING = 8
_SEVERAL = 2
_COMPARABLE = 3
"""From this many parts on, the last one is compared with the others."""


def text_findings(parsed: ParsedText, *, path: str | None = None) -> list[Finding]:
    """Return everything found in a text, document by document.

    Args:
        parsed: the text.
        path: name of the file, put into every finding.
    """
    found: list[Finding] = []
    for place, segment in enumerate(parsed.segments, start=1):
        found.extend(segment_findings(segment, name=segment_name(segment, place), path=path))
    found.extend(_duplicates(parsed.segments, path))
    return found


def segment_name(segment: Segment, place: int) -> str:
    """Return how a segment is called in messages: its number, its title, or its place in the text."""
    return segment.number or segment.title or str(T("第{place}篇", place=place))


def segment_findings(segment: Segment, *, name: str, path: str | None = None) -> list[Finding]:
    """Return everything found in one document."""
    found: list[Finding] = []

    def add(code: str, gravity: Gravity, message: Text, line: int, hint: Text | None = None) -> None:
        found.append(Finding(code, gravity, message, path=path, line=line, subject=name, hint=hint))

    if segment.title is None and segment.clauses:
        message = T("这一篇没有标题。")
        add("document-title-missing", Gravity.NOTE, message, segment.first_line, T("导入时用 --title 给出标题。"))
    for code, line, message, hint in _numbering(segment):
        add(code, Gravity.WARNING, message, line, hint)
    ending = _ending(segment)
    if ending is not None:
        gravity, line, reason = ending
        if gravity is Gravity.WARNING:
            message = T("文件像是在这里被截断：{reason}。", reason=reason)
            add("document-cut-off", gravity, message, line, T("与原件核对；缺少的内容只能由文件所有人补上。"))
        else:
            message = T("无法确定文件是否完整：{reason}。", reason=reason)
            add("document-end-unclear", gravity, message, line, T("与原件核对；完整时可以不理会。"))
    for code, gravity, line, message, hint in _characters(segment):
        add(code, gravity, message, line, hint)
    for piece in segment.pieces:
        if isinstance(piece, Aside) and piece.kind is AsideKind.PAGE_MARK:
            message = T("页码行“{text}”不是条款，原样保留。", text=piece.text)
            add("page-mark", Gravity.NOTE, message, piece.span.line)
    return found


# -- numbers ---------------------------------------------------------------------------------------------------


def _numbering(segment: Segment) -> Iterator[tuple[str, int, Text, Text | None]]:
    """Yield lost, repeated and backward numbers, list by list."""
    open_lists: dict[tuple[int, Style, tuple[int, ...]], Clause] = {}
    articles: Clause | None = None
    previous: Clause | None = None
    for clause in segment.clauses:
        if clause.style is Style.NONE:
            previous = clause
            continue
        for key in [key for key in open_lists if key[0] > clause.level]:
            del open_lists[key]
        key = (clause.level, clause.style, clause.number[:-1])
        before = open_lists.get(key)
        if clause.style is Style.ARTICLE:
            before = articles if clause.number != (1,) or before is not None else None
            articles = clause
        open_lists[key] = clause
        yield from _step(before, clause, previous)
        previous = clause


def _step(
    before: Clause | None, clause: Clause, previous: Clause | None
) -> Iterator[tuple[str, int, Text, Text | None]]:
    value, last = clause.number[-1], before.number[-1] if before else 0
    line = clause.span.line
    if value == last and before is not None and before.label.strip() == clause.label.strip():
        message = T("编号“{label}”重复（前一处在第{line}行）。", label=clause.label, line=before.span.line)
        yield "clause-number-repeated", line, message, T("核对原件；系统不会改动编号。")
        return
    if value <= last:
        message = T(
            "编号“{label}”排在“{before}”之后，顺序倒退。", label=clause.label, before=before.label if before else ""
        )
        yield "clause-number-order", line, message, T("核对原件；系统不会改动编号。")
        return
    if value == last + 1:
        return
    lost = [_as_typed(clause, number) for number in range(last + 1, value)]
    shown = "、".join(lost[:_MANY_MISSING]) + ("…" if len(lost) > _MANY_MISSING else "")
    if before is None:
        message = T("缺{lost}：这一组编号从“{label}”开始。", lost=shown, label=clause.label)
    else:
        message = T("缺{lost}：“{before}”之后是“{label}”。", lost=shown, before=before.label, label=clause.label)
    yield "clause-number-missing", line, message, T("核对原件后由文件所有人补上；编号不会被重排。")
    tail = _orphan(previous)
    if tail is not None and previous is not None:
        at, text = tail
        message = T("“{text}”没有编号，可能是{lost}丢了开头后剩下的部分。", text=_short(text), lost=shown)
        yield "clause-head-lost", at, message, T("核对原件，补上这一条的开头。")


def _as_typed(clause: Clause, number: int) -> str:
    """Return the label that `number` would have in the list of `clause`."""
    if clause.style in {Style.CHAPTER, Style.SECTION, Style.ARTICLE}:
        word = number if any("0" <= c <= "9" for c in clause.label) else write_numeral(number)
        return f"第{word}{clause.label.strip()[-1]}"
    if clause.style in {Style.CHINESE, Style.PAREN_CHINESE}:
        return clause.label.replace(clause.label.strip("()（）、.． "), write_numeral(number))
    if clause.style is Style.CIRCLED:
        return chr(ord("①") + number - 1)
    if clause.style is Style.DECIMAL:
        return ".".join(str(part) for part in (*clause.number[:-1], number))
    return re.sub(r"[0-9０-９]+", str(number), clause.label)


def _orphan(previous: Clause | None) -> tuple[int, str] | None:
    """Return line and text of an unnumbered last line of `previous`, which may belong to a lost clause."""
    if previous is None:
        return None
    lines = re.split(r"\r\n|\r|\n", previous.text)
    before = [line.strip() for line in lines[:-1] if line.strip()]
    if not before or not lines[-1].strip() or before[-1][-1] not in _TERMINAL:
        return None
    leading = previous.source.index(previous.text)
    first = previous.span.line + len(re.findall(r"\r\n|\r|\n", previous.source[:leading]))
    return first + len(lines) - 1, lines[-1].strip()


# -- completeness ----------------------------------------------------------------------------------------------


def _ending(segment: Segment) -> tuple[Gravity, int, Text] | None:
    """Judge whether the document is whole: None when it is, else how sure, where and why it seems not."""
    body = [piece for piece in segment.pieces if isinstance(piece, (Clause, Table, Island))]
    if not body or not segment.clauses:
        return None
    last = body[-1]
    if not isinstance(last, Clause):
        return None
    line = min(segment.last_line, last.span.last_line)
    text = last.text.rstrip()
    if not text:
        return Gravity.WARNING, line, T("最后的编号“{label}”没有内容", label=last.label)
    if text[-1] in ":：" or re.search(r"(?:如下|以下(?:内容|步骤|几点|条件|要求))[。:：]?$", text):
        return Gravity.WARNING, line, T("最后一条“{text}”预告了内容，后面却没有", text=_short(text[-24:]))
    if text[-1] not in _TERMINAL and _SENTENCE.search(segment.source):
        return Gravity.WARNING, line, T("最后一句“{text}”没有句末标点", text=_short(text[-24:]))
    if _closes(segment, last):
        return None
    strong = _lonely(segment, last) or _first_sentence_only(segment, last)
    if strong is not None:
        return Gravity.WARNING, line, strong
    if _standard_parts(segment):
        return None
    return Gravity.NOTE, line, T("没有看到结尾（附则、施行日期、相关记录或结语）")


def _closes(segment: Segment, last: Clause) -> bool:
    tops = [clause for clause in segment.clauses if clause.level == 1]
    closing = [*tops[-1:], last]
    return any(_CLOSING.search(clause.text) for clause in closing)


def _standard_parts(segment: Segment) -> bool:
    """Tell whether the usual parts of a procedure are all there, the last of them with at least two items."""
    tops = [clause for clause in segment.clauses if clause.level == 1 and clause.style is not Style.NONE]
    heads = [normalised(re.split(r"[:：\n]", clause.text, maxsplit=1)[0])[:12] for clause in tops]
    if not all(any(any(name in head for name in _PART_NAMES[part]) for head in heads) for part in _PARTS):
        return False
    return len(_below(segment, tops[-1])) >= _SEVERAL or len(_SENTENCE.findall(tops[-1].text)) >= _SEVERAL


def _below(segment: Segment, top: Clause) -> list[Clause]:
    clauses = segment.clauses
    start = clauses.index(top) + 1
    below = []
    for clause in clauses[start:]:
        if clause.level <= top.level:
            break
        if clause.level == top.level + 1:
            below.append(clause)
    return below


def _parents(segment: Segment) -> set[int]:
    """Return where the clauses begin that have clauses one level below them."""
    open_at: dict[int, int] = {}
    found: set[int] = set()
    for clause in segment.clauses:
        open_at = {level: start for level, start in open_at.items() if level < clause.level}
        if clause.level - 1 in open_at:
            found.add(open_at[clause.level - 1])
        open_at[clause.level] = clause.span.start
    return found


def _lonely(segment: Segment, last: Clause) -> Text | None:
    """A list that ends the document after its first item, where the lists beside it have more."""
    if last.level == 1 or last.style is Style.NONE:
        return None
    clauses = segment.clauses
    parents = [clause for clause in clauses if clause.level == last.level - 1 and clause.span.start < last.span.start]
    if not parents:
        return None
    own = _below(segment, parents[-1])
    others = [len(_below(segment, parent)) for parent in parents[:-1]]
    others = [count for count in others if count]
    if len(own) == 1 and own[0] is last and (others and min(others) >= _SEVERAL):
        parent = _short(parents[-1].content.split("\n", maxsplit=1)[0])
        return T("“{parent}”之下只有“{label}”一条，其他部分都有多条", parent=parent, label=last.label)
    return None


def _first_sentence_only(segment: Segment, last: Clause) -> Text | None:
    """A last part of one sentence, where every part before it has several."""
    tops = [clause for clause in segment.clauses if clause.level == last.level and clause.style is last.style]
    if last.style is Style.NONE or len(tops) < _COMPARABLE:
        return None
    parents = _parents(segment)
    if any(clause.span.start in parents for clause in tops):
        return None
    counts = [len(_SENTENCE.findall(clause.text)) for clause in tops]
    if counts[-1] <= 1 and min(counts[:-1]) >= _SEVERAL:
        return T("最后一部分“{label}”只有一句，前面各部分都有多句", label=last.label)
    return None


# -- characters and copies -------------------------------------------------------------------------------------


def _characters(segment: Segment) -> Iterator[tuple[str, Gravity, int, Text, Text | None]]:
    source = segment.source
    odd = Counter(character for character in source if is_variant_glyph(character))
    for glyph, count in odd.most_common():
        usual = normalised(glyph)
        at = segment.first_line + _lines_before(source, source.index(glyph))
        message = T(
            "用字“{glyph}”出现{count}次，检索时按“{usual}”处理，原文不改。", glyph=glyph, count=count, usual=usual
        )
        yield "glyph-variant", Gravity.NOTE, at, message, None
    broken = [
        place for place, character in enumerate(source) if character == "\ufffd" or "\ud800" <= character <= "\udfff"
    ]
    if broken:
        at = segment.first_line + _lines_before(source, broken[0])
        message = T("有{count}个字符已损坏，读不出来。", count=len(broken))
        yield "text-garbled", Gravity.WARNING, at, message, T("用原件重新导出为 UTF-8 文本。")


def _lines_before(source: str, place: int) -> int:
    return len(re.findall(r"\r\n|\r|\n", source[:place]))


def _duplicates(segments: Sequence[Segment], path: str | None) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    for place, segment in enumerate(segments, start=1):
        body = "".join("".join(piece.content.split()) for piece in segment.clauses)
        if not body:
            continue
        first = seen.setdefault(body, place)
        if first == place:
            continue
        earlier = segments[first - 1]
        yield Finding(
            "document-duplicate",
            Gravity.WARNING,
            T(
                "第{place}篇“{name}”的条款与第{first}篇“{earlier}”完全相同。",
                place=place,
                name=segment_name(segment, place),
                first=first,
                earlier=segment_name(earlier, first),
            ),
            path=path,
            line=segment.first_line,
            subject=segment_name(segment, place),
            hint=T("只导入其中一篇，通常是有文件编号的一篇。"),
        )


def _short(text: str, length: int = 30) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"
