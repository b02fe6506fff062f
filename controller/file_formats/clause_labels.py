"""条款编号的识别. Finds clause numbers at the head of a line and inside run-together lines, and their depth.

A number is taken for a clause number only where the numbering makes it likely: at the head of a line, after a heading,
or after a sentence end as the next one in its list. So 80分, 3.5mm, 2020年, 第5.3条 and (1) in a sentence stay text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from controller.domain.chinese_numeral import NUMERAL_CHARACTERS, read_numeral
from controller.domain.clause import NumberingStyle as Style

BLANKS = " \t\u3000\xa0\ufeff"
SENTENCE_ENDS = "。;；!！?？"
COLONS = ":："
_CN = f"[{NUMERAL_CHARACTERS}]"
_D = "[0-9０-９]"
_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"

_MARKS = re.compile(
    rf"(?P<chapter>第(?:{_CN}{{1,7}}|{_D}{{1,3}})[章编])"
    rf"|(?P<section>第(?:{_CN}{{1,7}}|{_D}{{1,3}})节)"
    rf"|(?P<article>第(?:{_CN}{{1,9}}|{_D}{{1,4}})条)(?:之{_CN}{{1,3}}(?![{NUMERAL_CHARACTERS}]))?"
    rf"|(?P<paren_chinese>[(（]{_CN}{{1,5}}[)）])"
    rf"|(?P<paren_arabic>[(（]{_D}{{1,3}}[)）])"
    rf"|(?P<circled>[{_CIRCLED}])"
    rf"|(?<![0-9０-９A-Za-z.．])(?P<decimal>{_D}{{1,2}}(?:[.．]{_D}{{1,3}}){{1,5}})(?![0-9０-９])(?:[.．、](?![0-9０-９]))?"
    rf"|(?<![0-9０-９A-Za-z.．])(?P<arabic>{_D}{{1,3}})[.．、]"
    rf"|(?<![0-9０-９A-Za-z.．(（])(?P<half_paren>{_D}{{1,2}}[)）])"
    rf"|(?<![{NUMERAL_CHARACTERS}第])(?P<chinese>{_CN}{{1,7}})[、.．]"
)

_STYLES = {
    "chapter": Style.CHAPTER,
    "section": Style.SECTION,
    "article": Style.ARTICLE,
    "paren_chinese": Style.PAREN_CHINESE,
    "paren_arabic": Style.PAREN_ARABIC,
    "half_paren": Style.PAREN_ARABIC,
    "circled": Style.CIRCLED,
    "decimal": Style.DECIMAL,
    "arabic": Style.ARABIC,
    "chinese": Style.CHINESE,
}

RANK = {style: rank for rank, style in enumerate(Style)}
"""Outer styles before inner ones, as Chinese documents nest them."""

_REFERENCE_TAIL = re.compile(
    r"[、,，和与及至到或]?第|之规定|的?规定(?:的|执行|办理|处理|予以|情形|,|，|。)|所(?:称|列|述|规定)|(?:的|中)?(?:要求|内容)(?:执行|办理|处理)"
    r"|[(（]?[款项目](?!的)|规定$|[,，]"
)
_UNIT_TAIL = re.compile(
    r"[ ]?(?:[%％‰°℃℉Ωμ/×xX*+~～\-—–±]|[a-zA-Z]{1,4}(?![a-zA-Z])|倍|万|亿|元|条|款|项|节|章|页|米|厘|毫|微|克|千|公"
    r"|升|秒|分|小时|度|版|号|级|寸|年|月|日|天|个|至|到|和|与|及|或|以[上下内]|左右|[、,，]|[)）\]」』])"
)
_SURE_UNIT_TAIL = re.compile(r"[ ]?(?:[%％‰°℃℉Ωμ/×~～±]|[a-zA-Z]{1,4}(?![a-zA-Z])|[条款项节章]|[)）\]」』])")
"""What cannot follow a clause number even where one is expected."""
_REFERENCE_HEAD = re.compile(
    r"(?:见|按|按照|依照|参照|参考|如|附件|附表|附录|附图|如图|如表|超过|大于|小于|低于|高于|少于|约为|达到|[A-Za-z0-9=<>≥≤+\-/×.])$"
)
_ENUMERATION_TAIL = re.compile(rf"[{NUMERAL_CHARACTERS}]{{1,3}}(?:[、类级等种个月年日次项条款]|者)")
_OUTER = frozenset({Style.CHAPTER, Style.SECTION, Style.ARTICLE, Style.CHINESE})
_HEADING_LENGTH = 30
_NOT_IN_HEADING = re.compile(r"[。;；,，:：!！?？…“”\"'=]")
_FAR = 4000
_HIGHEST = 999
_JUMP = 50
"""Further than this ahead of its list, a number at the head of a line is a quantity."""


@dataclass(frozen=True)
class Label:
    """条款编号. A clause number found in a line: where, how it is typed, what it counts."""

    start: int
    end: int
    typed: str
    style: Style
    number: tuple[int, ...]

    @property
    def value(self) -> int:
        """The last count, 3 in 2.3."""
        return self.number[-1]

    @property
    def key(self) -> tuple[Style, tuple[int, ...]]:
        """The list the label belongs to: its style, and for 2.3 also the 2."""
        return self.style, self.number[:-1]


def _label(match: re.Match[str]) -> Label | None:
    group = match.lastgroup or ""
    style, body = _STYLES[group], match[group]
    number: tuple[int, ...]
    if style is Style.CIRCLED:
        number = (_CIRCLED.index(body) + 1,)
    elif style is Style.DECIMAL:
        number = tuple(int(part) for part in re.split(r"[.．]", body))
    else:
        value = read_numeral(body.strip("第章编节条()（）"))
        number = (value,) if value is not None else ()
    if not number or any(part > _HIGHEST for part in number) or (0 in number):
        return None
    return Label(match.start(), match.end(), match[0], style, number)


def candidates(text: str, start: int = 0) -> list[Label]:
    """Return everything in `text` from `start` on that is written like a clause number."""
    return [label for match in _MARKS.finditer(text, start) if (label := _label(match)) is not None]


def first_candidate(line: str) -> Label | None:
    """Return the clause number written at the head of `line`, judged by its looks alone."""
    at = len(line) - len(line.lstrip(BLANKS))
    match = _MARKS.match(line, at)
    label = _label(match) if match else None
    return label if label is not None and _plain_at_head(line, label) else None


def _plain_at_head(line: str, label: Label, *, expected: bool = False) -> bool:
    tail = line[label.end : label.end + 12]
    if label.style is Style.DECIMAL:
        # The stop of `5.4.及时…` settles it; without one, `5.4分` may be a measure.
        sure = expected or label.typed[-1] in ".．、"
        return not (_SURE_UNIT_TAIL if sure else _UNIT_TAIL).match(tail)
    if label.style is Style.ARABIC:
        return not tail[:1].isdecimal()
    if label.style is Style.CHINESE:
        return not _ENUMERATION_TAIL.match(tail)
    if label.style in {Style.ARTICLE, Style.CHAPTER, Style.SECTION}:
        return not _REFERENCE_TAIL.match(tail)
    return True


@dataclass
class _List:
    style: Style
    prefix: tuple[int, ...]
    level: int
    last: int


@dataclass
class Numbering:
    """编号进度. The lists that are open at a point of a document; tells what comes next and how deep it is."""

    open: list[_List] = field(default_factory=list)
    counted: dict[tuple[Style, tuple[int, ...]], int] = field(default_factory=dict)
    """Highest number seen per list, also of closed ones: articles count on across chapters."""
    level_of: dict[Style, int] = field(default_factory=dict)
    path: tuple[int, ...] = ()
    """Number of the newest clause as a path: `(5,)` after `5.`, `(2, 3)` after `2.3`."""
    style: Style = Style.NONE
    announced: bool = False
    """Whether the newest clause ends with a colon, so that a list within it follows."""

    def last(self, label: Label) -> int | None:
        """Return the last number of the label's list while that list is open."""
        for item in self.open:
            if (item.style, item.prefix) == label.key:
                return item.last
        return None

    def follows(self, label: Label) -> bool:
        """Tell whether `label` is the very next number of its list."""
        last = self.last(label)
        if last is None and label.style in {Style.ARTICLE, Style.CHINESE, Style.SECTION}:
            last = self.counted.get(label.key)
        return last is not None and label.value == last + 1

    def is_first_child(self, label: Label) -> bool:
        """Tell whether `label` opens a list below the newest clause."""
        if label.value != 1:
            return False
        if label.style is Style.DECIMAL:
            return self._parent_of(label) is not None and self.last(label) is None
        return self.last(label) is None

    def _parent_of(self, label: Label) -> int | None:
        prefix = label.number[:-1]
        for place in range(len(self.open) - 1, -1, -1):
            item = self.open[place]
            whole = (*item.prefix, item.last)
            if whole == prefix and item.style not in {Style.CIRCLED, Style.PAREN_ARABIC}:
                return place
        return None

    def place(self, label: Label) -> int:
        """Enter `label` as the newest clause and return its level from 1."""
        level = self._level(label)
        self.counted[label.key] = label.value
        self.level_of.setdefault(label.style, level)
        self.path, self.style = label.number, label.style
        return level

    def _level(self, label: Label) -> int:
        for place, item in enumerate(self.open):
            if (item.style, item.prefix) == label.key:
                del self.open[place + 1 :]
                item.last = label.value
                return item.level
        if label.style is Style.DECIMAL:
            self._cut_for_decimal(label)
        else:
            self._cut(label)
        level = self.open[-1].level + 1 if self.open else 1
        self.open.append(_List(label.style, label.number[:-1], level, label.value))
        return level

    def _cut_for_decimal(self, label: Label) -> None:
        parent = self._parent_of(label)
        if parent is not None:
            del self.open[parent + 1 :]
            return
        for place, item in enumerate(self.open):
            if item.style is Style.DECIMAL and len(item.prefix) >= len(label.number) - 1:
                del self.open[place:]
                return

    def _cut(self, label: Label) -> None:
        known = self.level_of.get(label.style)
        if known is not None and not (label.value == 1 and self.announced):
            while self.open and self.open[-1].level >= known:
                self.open.pop()
        elif known is None and label.style in _OUTER and not self.announced:
            while self.open and RANK[self.open[-1].style] > RANK[label.style]:
                self.open.pop()


def head_label(line: str, numbering: Numbering, *, wrapped: bool) -> Label | None:
    """Return the clause number at the head of `line`, None when the line continues the text before it.

    Args:
        line: one line, its end included or not.
        numbering: what has been counted so far.
        wrapped: whether the line before stops in the middle of a sentence, so that a number may be part of it.
    """
    at = len(line) - len(line.lstrip(BLANKS))
    match = _MARKS.match(line, at)
    label = _label(match) if match else None
    if label is None:
        return None
    expected = numbering.follows(label) or (numbering.is_first_child(label) and label.style is Style.DECIMAL)
    if wrapped and not expected:
        return None
    if _plain_at_head(line, label, expected=expected):
        return label if _plausible(label, numbering) else None
    # `2、2020年起…` and `二、三类器械的采购` are clauses where the count has come to them.
    return label if expected and label.style in {Style.ARABIC, Style.CHINESE} and label.value > 1 else None


def _plausible(label: Label, numbering: Numbering) -> bool:
    last = numbering.last(label)
    if label.style is Style.ARABIC and last is None:
        return label.value <= _JUMP
    if label.style is Style.DECIMAL and last is not None:
        return label.value <= last + _JUMP
    return True


def inner_label(line: str, label: Label, numbering: Numbering, *, since: int, numbered: bool, following: str) -> bool:
    """Tell whether `label`, found inside `line`, begins a new clause there.

    Args:
        line: the whole line.
        label: a candidate inside it.
        numbering: what has been counted so far.
        since: where the text of the clause that is being read begins in `line`.
        numbered: whether that clause got its number on this line, so that a heading may stand before `label`.
        following: some text of the next lines, to see whether a list goes on.
    """
    before = line[since : label.start].strip(BLANKS)
    stop = before[-1:]
    ended = stop in SENTENCE_ENDS and stop != ""
    announced = stop in COLONS and stop != ""
    heading = (
        numbered and len(before) <= _HEADING_LENGTH and not _NOT_IN_HEADING.search(before)
        and not _REFERENCE_HEAD.search(before)
    )  # fmt: skip
    if not _plain_at_head(line, label):
        return False
    style, next_one = label.style, numbering.follows(label)
    if style in {Style.CHAPTER, Style.SECTION}:
        return (ended and next_one) or (heading and style is Style.SECTION and label.value == 1)
    if style is Style.ARTICLE:
        under = heading and numbering.style in {Style.CHAPTER, Style.SECTION}
        return under or (ended and next_one)
    if style is Style.DECIMAL:
        child = label.value == 1 and label.number[:-1] == numbering.path
        return (child and (heading or ended or announced)) or (next_one and ended)
    if next_one and label.value > 1:
        loose = style in {Style.PAREN_CHINESE, Style.PAREN_ARABIC, Style.CIRCLED}
        return ended or (loose and stop in {",", "，", "、", ":", "："} and stop != "")
    if label.value != 1 or numbering.last(label) is not None:
        return False
    if style is Style.ARABIC:
        return announced or (heading and RANK[numbering.style] < RANK[style])
    if heading and RANK[numbering.style] >= RANK[style]:
        heading = False
    return (announced or heading or (ended and style is not Style.CHINESE)) and _goes_on(line, label, following)


def _goes_on(line: str, label: Label, following: str) -> bool:
    """Tell whether the second number of the list that `label` would open comes later."""
    rest = line[label.end : label.end + _FAR]
    if len(rest) < _FAR:
        rest += following[: _FAR - len(rest)]
    second = {
        Style.CHINESE: ("二、", "二.", "二．"),
        Style.PAREN_CHINESE: ("(二)", "（二）", "(二）", "（二)"),
        Style.PAREN_ARABIC: ("(2)", "（2）", "(2）", "（2)", "2)", "2）"),
        Style.CIRCLED: ("②",),
    }[label.style]
    return any(mark in rest for mark in second)
